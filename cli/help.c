// SPDX-License-Identifier: GPL-2.0-or-later
#include "help.h"

#include <string.h>

#define HELP_COLUMN 24
#define HELP_WIDTH  80

const struct exit_status exit_statuses[] = {
	{0, "done, or nothing to do"},
	{1, "failed; the topology is as it was"},
	{2, "plan: changes are pending"},
	{64, "the command line makes no sense"},
	{65, "the config is wrong"},
	{69, "the holder, or a device, isn't available"},
	{77, "not permitted"},
	{0, NULL},
};

/* Prints a paragraph from column `indent` on; the cursor is at `column`. */
static void print_wrapped(FILE *out, const char *text, size_t indent, size_t column)
{
	bool empty = true;

	while (*text) {
		size_t word = strcspn(text, " \n");

		if (!empty && column + 1 + word > HELP_WIDTH) {
			fputc('\n', out);
			column = 0;
			empty = true;
		}
		if (empty)
			column += (size_t)fprintf(out, "%*s", (int)(indent - column), "");
		else
			column += (size_t)fprintf(out, " ");
		column += (size_t)fprintf(out, "%.*s", (int)word, text);
		empty = false;
		text += word;
		text += *text == ' ' || *text == '\n';
	}
	fputc('\n', out);
}

static void print_text(FILE *out, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t length = end ? (size_t)(end - text) : strlen(text);
		char paragraph[2048];

		snprintf(paragraph, sizeof(paragraph), "%.*s", (int)length, text);
		fputc('\n', out);
		print_wrapped(out, paragraph, 0, 0);
		text += length + (end ? 2 : 0);
	}
}

static void print_entry(FILE *out, const char *name, const char *help)
{
	size_t column = (size_t)fprintf(out, "  %s", name);

	if (column + 2 > HELP_COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	print_wrapped(out, help, HELP_COLUMN, column);
}

static void print_options(FILE *out, uint64_t options)
{
	fputs("\nOptions:\n", out);
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_spec *spec = &option_specs[i];
		char name[64], letter[] = {'-', spec->letter, ',', ' ', '\0'};

		if (!(options & OPTION_BIT(i)))
			continue;
		snprintf(name, sizeof(name), "%s--%s%s%s", spec->letter ? letter : "    ",
			 spec->name, spec->argument ? " " : "",
			 spec->argument ? spec->argument : "");
		print_entry(out, name, spec->help);
	}
}

static void print_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "Usage: ioasidctl %s [OPTION...]%s%s\n\n%s.\n", verb->name,
		*verb->synopsis ? " " : "", verb->synopsis, verb->help);
	print_text(out, verb->text);
	print_options(out, verb_options(verb));
}

static void print_all(FILE *out)
{
	fputs("Usage: ioasidctl VERB [OPTION...] [ARGUMENT...]\n\n"
	      "Declare I/O address spaces in YAML, apply them, hold them, show them.\n\nVerbs:\n",
	      out);
	for (size_t i = 0; verbs[i]; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s", verbs[i]->name,
			 *verbs[i]->synopsis ? " " : "", verbs[i]->synopsis);
		print_entry(out, name, verbs[i]->help);
	}
	print_options(out, OPTIONS_COMMON);
	fputs("\nExit status:\n", out);
	for (const struct exit_status *e = exit_statuses; e->text; e++) {
		char name[8];

		snprintf(name, sizeof(name), "%d", e->status);
		print_entry(out, name, e->text);
	}
	fputs("\n`ioasidctl help VERB` tells more about a verb; ioasidctl(1) and "
	      "ioasidctl.yaml(5)\nare the manual.\n",
	      out);
}

void help_print(FILE *out, const struct verb *verb)
{
	if (verb)
		print_verb(out, verb);
	else
		print_all(out);
}
