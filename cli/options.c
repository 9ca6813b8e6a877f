// SPDX-License-Identifier: GPL-2.0-or-later
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

const char *const color_names[] = {
	[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never", NULL};
const char *const shell_names[] = {
	[SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", [SHELL_FISH] = "fish", NULL};

const char *const access_choices[] = {"r", "w", "rw", NULL};

#define AT(member) .offset = offsetof(struct invocation, member)

const struct option_spec option_specs[OPTION_COUNT] = {
	[OPTION_JSON] = {"json", 0, AT(json), .value = true,
			 .help = "print results and errors as JSON"},
	[OPTION_YAML] = {"yaml", 0, AT(yaml), .value = true,
			 .help = "print a config that applies to this state"},
	[OPTION_DOT] = {"dot", 0, AT(dot), .value = true,
			.help = "print a graph for Graphviz (dot -Tsvg)"},
	[OPTION_NAMES] = {"names", 0, AT(names), .value = true,
			  .help = "print the names of the topologies, one a line"},
	[OPTION_SOCKET] = {"socket", 's', "PATH", COMPLETE_FILE, AT(socket),
			   .help = "control socket of the holder"},
	[OPTION_DRIVER] = {"driver", 'd', "NAME", COMPLETE_DRIVER, driver_choice_names, AT(driver),
			   .help = "kernel interface to use, instead of the file's"},
	[OPTION_MACHINE] = {"machine", 'm', "FILE", COMPLETE_FILE, AT(machine),
			    .help = "machine that the reference device plays: a description, or "
				    "what host --json printed; implies --driver ioasid"},
	[OPTION_DRY_RUN] = {"dry-run", 'n', AT(dry_run), .value = true,
			    .help = "only say what would be done"},
	[OPTION_NO_VERIFY] = {"no-verify", 0, AT(no_verify), .value = true,
			      .help = "don't read the state back afterwards"},
	[OPTION_VERBOSE] = {"verbose", 'v', AT(verbose), .value = true,
			    .help = "every kernel action on a line; lists in full length"},
	[OPTION_KEEP] = {"keep", 0, AT(keep), .value = true,
			 .help = "when ended by a signal, leave topologies for the next holder"},
	[OPTION_TEARDOWN] = {"teardown", 0, AT(keep), .value = false,
			     .help = "when ended by a signal, remove all topologies (default)"},
	[OPTION_PASID] = {"pasid", 0, "N", AT(pasid),
			  .help = "DMA with that process address space id, not without one"},
	[OPTION_ACCESS] = {"access", 0, "ACCESS", COMPLETE_NOTHING, access_choices, AT(access),
			   .help = "what has to be allowed there: r, w or rw; default: any of it"},
	[OPTION_TAKEOVER] = {"takeover", 0, AT(takeover), .value = true,
			     .help = "take over from the holder that runs, which then ends"},
	[OPTION_EXIT_IDLE] = {"exit-idle", 0, AT(exit_idle), .value = true,
			      .help = "end when the last topology and the last client are gone"},
	[OPTION_READY_FD] = {"ready-fd", 0, "N", AT(ready_fd),
			     .help = "descriptor that gets one byte once the socket listens"},
	[OPTION_LEAF] = {"leaf", 0, AT(leaf), .value = true,
			 .help = "only entries of the last level have changed"},
	[OPTION_ANSWER] = {"answer", 0, "HOW", COMPLETE_ANSWER, answer_names, AT(answer),
			   .help = "let the devices go on: success or invalid"},
	[OPTION_FOLLOW] = {"follow", 'f', AT(follow), .value = true,
			   .help = "go on with what comes"},
	[OPTION_BITMAP] = {"bitmap", 0, "FILE", COMPLETE_FILE, AT(bitmap),
			   .help = "write one bit for each page there"},
	[OPTION_PAGE_SIZE] = {"page-size", 0, "SIZE", AT(page_size),
			      .help = "of what is counted as a page (4K)"},
	[OPTION_NO_CLEAR] = {"no-clear", 0, AT(no_clear), .value = true,
			     .help = "leave the record as it is"},
	[OPTION_DEVICE] = {"device", 0, "ADDRESS", COMPLETE_NOTHING, AT(device),
			   .help = "only the group of this device"},
	[OPTION_GROUP] = {"group", 0, "NUMBER", COMPLETE_NOTHING, AT(group),
			  .help = "only this IOMMU group"},
	[OPTION_HOST_DRIVER] = {"host-driver", 0, "NAME", COMPLETE_NOTHING, AT(host_driver),
				.help = "only groups with a device bound to this driver"},
	[OPTION_ROOT] = {"root", 0, "DIR", COMPLETE_FILE, AT(root),
			 .help = "captured tree to read instead of this machine"},
	[OPTION_MEMORY] = {"memory", 0, "SIZE", COMPLETE_NOTHING, AT(memory),
			   .help = "how much is to be mapped, such as 4G"},
	[OPTION_RAW] = {"raw", 0, AT(raw), .value = true,
			.help = "IOMMU fds opened anew, and devices that are bound to none"},
	[OPTION_NODE] = {"node", 0, "NAME", AT(node),
			 .help = "name of the device below /dev (ioasid)"},
	[OPTION_COLOR] = {"color", 0, "WHEN", COMPLETE_COLOR, color_names, AT(color),
			  .help = "colours: auto, always or never"},
	[OPTION_HELP] = {"help", 'h', AT(help), .value = true, .help = "this help"},
	[OPTION_VERSION] = {"version", 0, AT(version), .value = true, .help = "print the version"},
};

static void list_names(char *text, size_t size, const char *const *names)
{
	size_t used = 0;

	for (size_t i = 0; names[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 !i		? ""
					 : names[i + 1] ? ", "
							: " or ",
					 names[i]);
}

static int set_choice(const struct option_spec *spec, const char *argument, int *slot,
		      struct ioasidctl_error **err)
{
	char list[128];
	const char *meant;
	int ret;

	for (int i = 0; spec->choices[i]; i++)
		if (!strcmp(spec->choices[i], argument)) {
			*slot = i;
			return 0;
		}
	list_names(list, sizeof(list), spec->choices);
	ret = error_new(err, ERROR_USAGE, EINVAL, "--%s takes %s, not \"%s\"", spec->name, list,
			argument);
	meant = suggest(argument, spec->choices);
	if (meant)
		error_hint(err, "did you mean --%s %s?", spec->name, meant);
	return ret;
}

static int set_option(struct invocation *in, enum option_id id, const char *argument,
		      struct ioasidctl_error **err)
{
	const struct option_spec *spec = &option_specs[id];
	char *slot = (char *)in + spec->offset;

	in->given |= OPTION_BIT(id);
	if (spec->choices)
		return set_choice(spec, argument, (int *)slot, err);
	if (spec->argument && !*argument) {
		int ret = error_new(err, ERROR_USAGE, EINVAL, "--%s: its %s is empty", spec->name,
				    spec->argument);

		error_hint(err, "a variable without a value? leave the option out for the default");
		return ret;
	}
	if (spec->argument)
		*(const char **)slot = argument;
	else
		*(bool *)slot = spec->value;
	return 0;
}

static int unknown_option(const char *word, struct ioasidctl_error **err)
{
	const char *names[OPTION_COUNT + 1] = {0}, *meant = NULL;
	char name[64];
	int ret = error_new(err, ERROR_USAGE, EINVAL, "unknown option %s", word);

	for (int i = 0; i < OPTION_COUNT; i++)
		names[i] = option_specs[i].name;
	if (!strncmp(word, "--", 2)) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
		meant = suggest(name, names);
	}
	if (meant)
		error_hint(err, "did you mean --%s?", meant);
	else
		error_hint(err, "`ioasidctl --help` lists what there is");
	return ret;
}

#define GETOPT_BASE 256 /* above every letter */

static int bad_option(int result, const char *word, struct ioasidctl_error **err)
{
	if (result == ':') {
		int id = optopt - GETOPT_BASE;

		for (int i = 0; id < 0 && i < OPTION_COUNT; i++)
			if (option_specs[i].letter == optopt)
				id = i;
		return error_new(err, ERROR_USAGE, EINVAL, "--%s needs an argument: %s",
				 option_specs[id].name, option_specs[id].argument);
	}
	if (optopt >= GETOPT_BASE)
		return error_new(err, ERROR_USAGE, EINVAL, "--%s takes no argument",
				 option_specs[optopt - GETOPT_BASE].name);
	if (strncmp(word, "--", 2) && optopt) {
		char letter[] = {'-', (char)optopt, '\0'};

		return unknown_option(letter, err);
	}
	return unknown_option(word, err);
}

/* Reads options; with `stop_early` up to the first word that is none. */
static int read_options(int argc, char *argv[], bool stop_early, struct invocation *in,
			struct ioasidctl_error **err)
{
	struct option longs[OPTION_COUNT + 1] = {0};
	char letters[2 * OPTION_COUNT + 3] = "+:";
	char *p = letters + (stop_early ? 2 : 0);
	int c, ret;

	if (!stop_early)
		*p++ = ':';
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_spec *spec = &option_specs[i];

		longs[i] = (struct option){spec->name,
					   spec->argument ? required_argument : no_argument, NULL,
					   GETOPT_BASE + i};
		if (!spec->letter)
			continue;
		*p++ = spec->letter;
		if (spec->argument)
			*p++ = ':';
	}
	*p = '\0';
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		int id = c - GETOPT_BASE;

		if (c == '?' || c == ':')
			return bad_option(c, argv[optind - 1], err);
		for (int i = 0; id < 0 && i < OPTION_COUNT; i++)
			if (option_specs[i].letter == c)
				id = i;
		ret = set_option(in, (enum option_id)id, optarg, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int find_verb(const char *word, struct invocation *in, struct ioasidctl_error **err)
{
	const char *names[32] = {0}, *meant;
	int ret;

	in->verb = verb_find(word);
	if (in->verb)
		return 0;
	ret = error_new(err, ERROR_USAGE, EINVAL, "unknown verb \"%s\"", word);
	for (size_t i = 0; verbs[i] && i + 1 < ARRAY_SIZE(names); i++)
		names[i] = verbs[i]->name;
	meant = suggest(word, names);
	if (meant)
		error_hint(err, "did you mean `ioasidctl %s`?", meant);
	else
		error_hint(err, "`ioasidctl --help` lists the verbs");
	return ret;
}

/* An option that exists, but not for this verb. */
static int foreign_option(const struct verb *verb, enum option_id id, struct ioasidctl_error **err)
{
	char list[160] = "";
	size_t used = 0;
	int ret = error_new(err, ERROR_USAGE, EINVAL, "%s has no option --%s", verb->name,
			    option_specs[id].name);

	for (size_t i = 0; verbs[i] && used < sizeof(list); i++)
		if (verb_options(verbs[i]) & OPTION_BIT(id))
			used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
						 used ? ", " : "", verbs[i]->name);
	error_hint(err, "it belongs to: %s", list);
	return ret;
}

/* Of the forms that a result has, one is printed. */
static int check_form(const struct invocation *in, struct ioasidctl_error **err)
{
	static const enum option_id forms[] = {OPTION_JSON, OPTION_YAML, OPTION_DOT, OPTION_NAMES};
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const char *name = option_specs[forms[i]].name;

		if (!(in->given & OPTION_BIT(forms[i])))
			continue;
		if (first) {
			int ret = error_new(err, ERROR_USAGE, EINVAL,
					    "--%s and --%s exclude each other", first, name);

			error_hint(err, "ask twice, once for each");
			return ret;
		}
		first = name;
	}
	return 0;
}

static int check_machine(const struct invocation *in, struct ioasidctl_error **err)
{
	int ret;

	if (!in->machine || !(in->given & OPTION(DRIVER)) || in->driver == DRIVER_IOASID)
		return 0;
	ret = error_new(err, ERROR_USAGE, EINVAL, "--machine doesn't go with --driver %s",
			driver_choice_names[in->driver]);
	error_cause(err, "it describes a machine to the reference device, driver ioasid");
	error_hint(err, "leave out one of them");
	return ret;
}

/* Arguments as the synopsis has them: one word for each. */
static int check_arguments(const struct invocation *in, struct ioasidctl_error **err)
{
	const struct verb *verb = in->verb;
	const char *word = verb->synopsis;
	int ret;

	for (size_t i = 0; i < in->n_arguments && strchr(word, ' '); i++)
		word = strchr(word, ' ') + 1;
	if (in->n_arguments < verb->min_arguments)
		ret = error_new(err, ERROR_USAGE, EINVAL, "%s: %.*s is missing", verb->name,
				(int)strcspn(word, " ."), word);
	else if (in->n_arguments > verb->max_arguments)
		ret = error_new(err, ERROR_USAGE, EINVAL, "%s: \"%s\" is one argument too many",
				verb->name, in->arguments[verb->max_arguments]);
	else if (verb->runs_command && !in->command)
		ret = error_new(err, ERROR_USAGE, EINVAL, "%s needs a command after \"--\"",
				verb->name);
	else
		return 0;
	error_hint(err, "usage: ioasidctl %s [OPTION...]%s%s", verb->name,
		   *verb->synopsis ? " " : "", verb->synopsis);
	return ret;
}

static int check_empty(const struct invocation *in, struct ioasidctl_error **err)
{
	for (size_t i = 0; i < in->n_arguments; i++)
		if (!*in->arguments[i]) {
			int ret = error_new(err, ERROR_USAGE, EINVAL, "%s: argument %zu is empty",
					    in->verb->name, i + 1);

			error_hint(err, "a variable without a value?");
			return ret;
		}
	return 0;
}

static int check_invocation(const struct invocation *in, struct ioasidctl_error **err)
{
	const struct verb *verb = in->verb;
	int ret;

	for (int i = 0; i < OPTION_COUNT; i++)
		if (in->given & ~verb_options(verb) & OPTION_BIT(i))
			return foreign_option(verb, (enum option_id)i, err);
	if (in->help || in->version)
		return 0;
	ret = check_arguments(in, err);
	if (!ret)
		ret = check_empty(in, err);
	if (!ret)
		ret = check_form(in, err);
	return ret ? ret : check_machine(in, err);
}

int options_parse(int argc, char *argv[], struct invocation *in, struct ioasidctl_error **err)
{
	int ret = read_options(argc, argv, true, in, err);

	if (ret)
		return ret;
	if (optind >= argc)
		return 0;
	ret = find_verb(argv[optind], in, err);
	if (ret)
		return ret;
	argv += optind;
	argc -= optind;
	for (int i = 1; in->verb->runs_command && i < argc; i++)
		if (!strcmp(argv[i], "--")) {
			in->command = argv[i + 1] ? &argv[i + 1] : NULL;
			argc = i;
			break;
		}
	ret = read_options(argc, argv, false, in, err);
	if (ret)
		return ret;
	in->arguments = argv + optind;
	in->n_arguments = (size_t)(argc - optind);
	return check_invocation(in, err);
}

int descriptor_argument(const char *text, const char *what, int *fd, struct ioasidctl_error **err)
{
	uint64_t number;

	if (number_parse(text, &number) || number > INT32_MAX || fcntl((int)number, F_GETFD) < 0)
		return error_new(err, ERROR_USAGE, EBADF, "%s: \"%s\" is no open descriptor", what,
				 text);
	*fd = (int)number;
	return 0;
}
