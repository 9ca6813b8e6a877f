// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes the files that come from the tables, for `make generate`:
 *
 *	generate schema NAME	a JSON Schema
 *	generate interface NAME	a varlink interface
 *	generate man		a manual page from standard input, with the text between
 *				"; begin NAME" and "; end NAME" lines made anew
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "../help.h"
#include "base/cleanup.h"
#include "holder/interface.h"
#include "report/documents.h"

static int print_schema(const char *name)
{
	for (const struct report_document *d = report_documents; d->name; d++) {
		json_t *schema;

		if (strcmp(d->name, name))
			continue;
		schema = fields_schema(d->fields, d->title);
		if (!schema || json_dumpf(schema, stdout, JSON_INDENT(2)))
			return 1;
		json_decref(schema);
		putchar('\n');
		return 0;
	}
	fprintf(stderr, "generate: there is no document \"%s\"\n", name);
	return 1;
}

static int print_interface(const char *name)
{
	for (const struct interface *i = interfaces; i->name; i++)
		if (!strcmp(i->name, name)) {
			fputs(i->text, stdout);
			return 0;
		}
	fprintf(stderr, "generate: there is no interface \"%s\"\n", name);
	return 1;
}

/* In scdoc, these mean something. */
static void print_escaped(const char *text)
{
	if (*text == '-')
		putchar('\\');
	for (; *text; text++) {
		if (strchr("*_\\", *text) || !strncmp(text, "[[", 2))
			putchar('\\');
		putchar(*text);
	}
}

static void print_synopsis(void)
{
	for (size_t i = 0; verbs[i]; i++) {
		printf("*ioasidctl* *%s* [OPTION...]%s", verbs[i]->name,
		       *verbs[i]->synopsis ? " " : "");
		print_escaped(verbs[i]->synopsis);
		fputs("++\n", stdout);
	}
	fputs("*ioasidctl* *--help*|*--version*\n", stdout);
}

static void print_verbs(void)
{
	for (size_t i = 0; verbs[i]; i++) {
		const char *text = verbs[i]->text;

		printf("%s## %s", i ? "\n" : "", verbs[i]->name);
		fputs(*verbs[i]->synopsis ? " " : "", stdout);
		print_escaped(verbs[i]->synopsis);
		printf("\n\n%s. ", verbs[i]->help);
		print_escaped(text);
		fputs("\n\nOptions beside the common ones:", stdout);
		for (int o = 0; o < OPTION_COUNT; o++)
			if (verbs[i]->options & OPTION_BIT(o))
				printf(" *--%s*", option_specs[o].name);
		puts(verbs[i]->options ? "" : " none.");
	}
}

static void print_options(void)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_spec *spec = &option_specs[i];

		fputs(i ? "\n" : "", stdout);
		if (spec->letter)
			printf("*-%c*, ", spec->letter);
		printf("*--%s*", spec->name);
		if (spec->argument)
			printf(" _%s_", spec->argument);
		fputs("\n\t", stdout);
		print_escaped(spec->help);
		fputs(".\n", stdout);
	}
}

static void print_exit_statuses(void)
{
	for (const struct exit_status *e = exit_statuses; e->text; e++)
		printf("%s*%d*\n\t%s\n", e == exit_statuses ? "" : "\n", e->status, e->text);
}

static const struct {
	const char *name;
	void (*print)(void);
} sections[] = {
	{"synopsis", print_synopsis},
	{"verbs", print_verbs},
	{"options", print_options},
	{"exit-status", print_exit_statuses},
};

static int print_section(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strcmp(sections[i].name, name)) {
			sections[i].print();
			return 0;
		}
	fprintf(stderr, "generate: there is no section \"%s\"\n", name);
	return 1;
}

static int print_man(void)
{
	char line[4096], name[64];
	bool skipping = false;
	int bad = 0;

	while (!bad && fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "; end %63s", name) == 1)
			skipping = false;
		if (!skipping)
			fputs(line, stdout);
		if (sscanf(line, "; begin %63s", name) != 1)
			continue;
		skipping = true;
		bad = print_section(name);
	}
	return bad || skipping;
}

int main(int argc, char *argv[])
{
	int bad = 64;

	if (argc == 3 && !strcmp(argv[1], "schema"))
		bad = print_schema(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "interface"))
		bad = print_interface(argv[2]);
	else if (argc == 2 && !strcmp(argv[1], "man"))
		bad = print_man();
	return fflush(stdout) || ferror(stdout) ? 1 : bad;
}
