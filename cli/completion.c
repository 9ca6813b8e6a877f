// SPDX-License-Identifier: GPL-2.0-or-later
#include "completion.h"

#include <string.h>

/* Prints text inside single quotes of a shell. */
static void print_quoted(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
	}
	fputc('\'', out);
}

static const char *const *choices_of(enum completion complete)
{
	static const char *names[32];

	switch (complete) {
	case COMPLETE_DRIVER:
		return driver_choice_names;
	case COMPLETE_COLOR:
		return color_names;
	case COMPLETE_SHELL:
		return shell_names;
	case COMPLETE_ANSWER:
		return answer_names;
	case COMPLETE_VERB:
		for (size_t i = 0; verbs[i] && i + 1 < sizeof(names) / sizeof(names[0]); i++)
			names[i] = verbs[i]->name;
		return names;
	default:
		return NULL;
	}
}

static void print_words(FILE *out, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", words[i]);
}

static void bash_option_words(FILE *out, uint64_t options)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (options & OPTION_BIT(i))
			fprintf(out, " --%s", option_specs[i].name);
}

/* What completes an argument, as a bash command that sets COMPREPLY. */
static void bash_argument(FILE *out, enum completion complete)
{
	const char *const *choices = choices_of(complete);

	if (choices) {
		fputs("COMPREPLY=($(compgen -W '", out);
		print_words(out, choices);
		fputs("' -- \"$cur\"))", out);
	} else if (complete == COMPLETE_FILE) {
		fputs("COMPREPLY=($(compgen -f -- \"$cur\"))", out);
	} else if (complete == COMPLETE_TOPOLOGY) {
		fputs("COMPREPLY=($(compgen -W '$(_ioasidctl_names)' -- \"$cur\"))", out);
	} else {
		fputs(":", out);
	}
}

static void print_bash(FILE *out)
{
	fputs("# bash completion for ioasidctl; printed by `ioasidctl completion bash`\n"
	      "_ioasidctl_names()\n{\n"
	      "\tlocal i socket=()\n"
	      "\tfor ((i = 1; i + 1 < ${#COMP_WORDS[@]}; i++)); do\n"
	      "\t\t[[ ${COMP_WORDS[i]} == --socket || ${COMP_WORDS[i]} == -s ]] &&\n"
	      "\t\t\tsocket=(--socket \"${COMP_WORDS[i + 1]}\")\n"
	      "\tdone\n"
	      "\tioasidctl show --names \"${socket[@]}\" 2>/dev/null\n}\n\n"
	      "_ioasidctl()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= i\n"
	      "\tCOMPREPLY=()\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n",
	      out);
	fputs("\t\t--)\n\t\t\tCOMPREPLY=($(compgen -c -f -- \"$cur\"))\n\t\t\treturn\n\t\t\t;;\n",
	      out);
	fputs("\t\t", out);
	for (size_t i = 0; verbs[i]; i++)
		fprintf(out, "%s%s", i ? " | " : "", verbs[i]->name);
	fputs(")\n\t\t\t[[ $verb ]] || verb=${COMP_WORDS[i]}\n\t\t\t;;\n\t\tesac\n\tdone\n"
	      "\tcase $prev in\n",
	      out);
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_spec *spec = &option_specs[i];

		if (!spec->argument)
			continue;
		fprintf(out, "\t--%s", spec->name);
		if (spec->letter)
			fprintf(out, " | -%c", spec->letter);
		fputs(")\n\t\t", out);
		bash_argument(out, spec->complete);
		fputs("\n\t\treturn\n\t\t;;\n", out);
	}
	fputs("\tesac\n\tlocal options=\n\tcase $verb in\n", out);
	for (size_t i = 0; verbs[i]; i++) {
		fprintf(out, "\t%s)\n\t\toptions='", verbs[i]->name);
		bash_option_words(out, verb_options(verbs[i]));
		if (verbs[i]->runs_command)
			fputs(" --", out);
		fputs("'\n\t\t[[ $cur == -* ]] || ", out);
		bash_argument(out, verbs[i]->complete);
		fputs("\n\t\t;;\n", out);
	}
	fputs("\t*)\n\t\toptions='", out);
	bash_option_words(out, OPTIONS_COMMON);
	fputs("'\n\t\t[[ $cur == -* ]] || ", out);
	bash_argument(out, COMPLETE_VERB);
	fputs("\n\t\t;;\n\tesac\n"
	      "\t[[ $cur == -* ]] && COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	      "}\ncomplete -o filenames -F _ioasidctl ioasidctl\n",
	      out);
}

static void zsh_action(FILE *out, enum completion complete)
{
	const char *const *choices = choices_of(complete);

	if (choices) {
		fputc('(', out);
		print_words(out, choices);
		fputc(')', out);
	} else if (complete == COMPLETE_FILE) {
		fputs("_files", out);
	} else if (complete == COMPLETE_TOPOLOGY) {
		fputs("_ioasidctl_names", out);
	}
}

/* The help inside brackets, within single quotes: both layers have their own escapes. */
static void zsh_help(FILE *out, const char *help)
{
	fputc('[', out);
	for (; *help; help++) {
		if (*help == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c", strchr("[]:\\", *help) ? "\\" : "", *help);
	}
	fputc(']', out);
}

static void zsh_option(FILE *out, const struct option_spec *spec)
{
	fputs("\t\t", out);
	if (spec->letter)
		fprintf(out, "'(-%c --%s)'{-%c,--%s}", spec->letter, spec->name, spec->letter,
			spec->name);
	else
		fprintf(out, "--%s", spec->name);
	fputc('\'', out);
	zsh_help(out, spec->help);
	if (spec->argument) {
		fprintf(out, ":%s:", spec->argument);
		zsh_action(out, spec->complete);
	}
	fputs("' \\\n", out);
}

static void zsh_verb(FILE *out, const struct verb *verb)
{
	fprintf(out, "\t%s)\n\t\t_arguments -s -S \\\n", verb->name);
	for (int i = 0; i < OPTION_COUNT; i++)
		if (verb_options(verb) & OPTION_BIT(i))
			zsh_option(out, &option_specs[i]);
	fputs("\t\t", out);
	if (!verb->max_arguments) {
		fputs("&& return\n\t\t;;\n", out);
		return;
	}
	fprintf(out, "'%s:argument:", verb->max_arguments > 1 ? "*" : "1");
	zsh_action(out, verb->complete);
	fputs(verb->runs_command ? "' '*::command:_normal' && return\n\t\t;;\n"
				 : "' && return\n\t\t;;\n",
	      out);
}

static void print_zsh(FILE *out)
{
	fputs("#compdef ioasidctl\n"
	      "# zsh completion for ioasidctl; printed by `ioasidctl completion zsh`\n"
	      "_ioasidctl_names() {\n"
	      "\tlocal -a names socket\n"
	      "\tsocket=(${opt_args[--socket]:+--socket} ${opt_args[--socket]})\n"
	      "\tnames=(${(f)\"$(ioasidctl show --names $socket 2>/dev/null)\"})\n"
	      "\tcompadd -a names\n}\n\n"
	      "_ioasidctl() {\n"
	      "\tlocal context state line\n\ttypeset -A opt_args\n\tlocal -a verbs=(\n",
	      out);
	for (size_t i = 0; verbs[i]; i++) {
		char text[256];

		snprintf(text, sizeof(text), "%s:%s", verbs[i]->name, verbs[i]->help);
		fputs("\t\t", out);
		print_quoted(out, text);
		fputc('\n', out);
	}
	fputs("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
	      "\tlocal verb=$words[2]\n\tshift words\n\t((CURRENT--))\n\tcase $verb in\n",
	      out);
	for (size_t i = 0; verbs[i]; i++)
		zsh_verb(out, verbs[i]);
	fputs("\tesac\n}\n\n"
	      "if [ \"$funcstack[1]\" = _ioasidctl ]; then\n\t_ioasidctl \"$@\"\nelse\n"
	      "\tcompdef _ioasidctl ioasidctl\nfi\n",
	      out);
}

static void fish_argument(FILE *out, enum completion complete)
{
	const char *const *choices = choices_of(complete);

	if (complete == COMPLETE_FILE) {
		fputs(" -F", out);
	} else if (complete == COMPLETE_TOPOLOGY) {
		fputs(" -a '(__ioasidctl_names)'", out);
	} else if (choices) {
		fputs(" -a '", out);
		print_words(out, choices);
		fputc('\'', out);
	}
}

static void fish_option(FILE *out, const char *condition, const struct option_spec *spec)
{
	fprintf(out, "complete -c ioasidctl -n '%s' -l %s", condition, spec->name);
	if (spec->letter)
		fprintf(out, " -s %c", spec->letter);
	if (spec->argument) {
		fputs(" -r", out);
		fish_argument(out, spec->complete);
	}
	fputs(" -d ", out);
	print_quoted(out, spec->help);
	fputc('\n', out);
}

static void print_fish(FILE *out)
{
	fputs("# fish completion for ioasidctl; printed by `ioasidctl completion fish`\n"
	      "function __ioasidctl_names\n"
	      "\tset -l words (commandline -opc)\n"
	      "\tset -l socket\n"
	      "\tif set -l at (contains -i -- --socket $words; or contains -i -- -s $words)\n"
	      "\t\tset socket --socket $words[(math $at + 1)]\n"
	      "\tend\n"
	      "\tioasidctl show --names $socket 2>/dev/null\n"
	      "end\n"
	      "complete -c ioasidctl -f\n",
	      out);
	for (size_t i = 0; verbs[i]; i++) {
		fprintf(out, "complete -c ioasidctl -n __fish_use_subcommand -a %s -d ",
			verbs[i]->name);
		print_quoted(out, verbs[i]->help);
		fputc('\n', out);
	}
	for (int o = 0; o < OPTION_COUNT; o++)
		if (OPTIONS_COMMON & OPTION_BIT(o))
			fish_option(out, "__fish_use_subcommand", &option_specs[o]);
	for (size_t i = 0; verbs[i]; i++) {
		char condition[96];

		snprintf(condition, sizeof(condition), "__fish_seen_subcommand_from %s",
			 verbs[i]->name);
		for (int o = 0; o < OPTION_COUNT; o++)
			if (verb_options(verbs[i]) & OPTION_BIT(o))
				fish_option(out, condition, &option_specs[o]);
		if (!verbs[i]->max_arguments)
			continue;
		fprintf(out, "complete -c ioasidctl -n '%s'", condition);
		fish_argument(out, verbs[i]->complete);
		fputc('\n', out);
	}
}

void completion_print(FILE *out, enum shell shell)
{
	static void (*const printers[])(FILE *) = {
		[SHELL_BASH] = print_bash, [SHELL_ZSH] = print_zsh, [SHELL_FISH] = print_fish};

	printers[shell](out);
}
