/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verbs and options. A verb is one const struct in its own cmd_VERB.c; an option is one line of the
 * table in options.c. getopt, --help, the man page and the completions all come from these two.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/topology.h"

enum option_id {
	OPTION_JSON,
	OPTION_YAML,
	OPTION_DOT,
	OPTION_NAMES,
	OPTION_SOCKET,
	OPTION_DRIVER,
	OPTION_MACHINE,
	OPTION_DRY_RUN,
	OPTION_NO_VERIFY,
	OPTION_VERBOSE,
	OPTION_KEEP,
	OPTION_TEARDOWN,
	OPTION_PASID,
	OPTION_ACCESS,
	OPTION_TAKEOVER,
	OPTION_EXIT_IDLE,
	OPTION_READY_FD,
	OPTION_LEAF,
	OPTION_ANSWER,
	OPTION_FOLLOW,
	OPTION_BITMAP,
	OPTION_PAGE_SIZE,
	OPTION_NO_CLEAR,
	OPTION_NODE,
	OPTION_DEVICE,
	OPTION_GROUP,
	OPTION_HOST_DRIVER,
	OPTION_ROOT,
	OPTION_MEMORY,
	OPTION_RAW,
	OPTION_COLOR,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_COUNT
};

/* Sets of options. */
#define OPTION_BIT(id) (1ULL << (id))
#define OPTION(id)     OPTION_BIT(OPTION_##id)
_Static_assert(OPTION_COUNT <= 64, "a set of options is 64 bits");
#define OPTIONS_COMMON (OPTION(JSON) | OPTION(COLOR) | OPTION(HELP) | OPTION(VERSION))

/* What the shell offers for an argument. */
enum completion {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_DRIVER,
	COMPLETE_COLOR,
	COMPLETE_SHELL,
	COMPLETE_ANSWER,
	COMPLETE_VERB,
	COMPLETE_TOPOLOGY, /* names that `show --names` prints */
	COMPLETE_COMMAND, /* any other program's command line, after -- */
};

struct option_spec {
	const char *name;
	char letter; /* 0: none */
	const char *argument; /* NULL: takes none */
	enum completion complete;
	const char *const *choices; /* closed set of arguments; NULL: any */
	const char *help; /* one line */
	size_t offset; /* in struct invocation: const char *, int for choices, bool without argument
			*/
	bool value; /* without argument: what the bool becomes */
};

extern const struct option_spec option_specs[OPTION_COUNT];

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum answer { ANSWER_SUCCESS, ANSWER_INVALID };
enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH, SHELL_COUNT };
extern const char *const color_names[];
extern const char *const shell_names[];
extern const char *const answer_names[];
extern const char *const access_choices[];

struct verb;

/* A command line, taken apart. */
struct invocation {
	const struct verb *verb; /* NULL: none given */
	bool json, yaml, dot, names, dry_run, no_verify, verbose, keep, takeover, exit_idle, leaf,
		no_clear, follow, raw, help, version;
	const char *socket, *machine, *ready_fd, *bitmap, *page_size, *pasid, *node;
	const char *device, *group, *host_driver, *root; /* of host */
	const char *memory; /* of explain */
	int driver; /* enum driver_choice */
	int color; /* enum color_choice */
	int answer; /* enum answer */
	int access; /* of access_choices; where given */
	uint64_t given; /* OPTION() bits */
	char **arguments;
	size_t n_arguments;
	char **command; /* what follows "--", for verbs that run something; NULL: nothing */
};

struct verb {
	const char *name;
	const char *synopsis; /* of its arguments */
	const char *help; /* one line */
	const char *text; /* paragraphs, separated by empty lines */
	uint64_t options; /* beside OPTIONS_COMMON */
	size_t min_arguments, max_arguments;
	enum completion complete; /* its arguments */
	bool runs_command; /* "-- CMD" follows the arguments */
	int (*run)(const struct invocation *in); /* returns the exit status */
};

extern const struct verb verb_check, verb_plan, verb_apply, verb_show, verb_monitor, verb_translate,
	verb_delete, verb_run, verb_invalidate, verb_dirty, verb_faults, verb_serve, verb_daemon,
	verb_host, verb_version, verb_completion, verb_help, verb_explain, verb_exec;

/* In the order of the help; terminated by NULL. */
extern const struct verb *const verbs[];
const struct verb *verb_find(const char *name);

static inline uint64_t verb_options(const struct verb *verb)
{
	return verb->options | OPTIONS_COMMON;
}

/* Fills *in, which borrows from argv. ERROR_USAGE says what is wrong with it. */
int options_parse(int argc, char *argv[], struct invocation *in, struct ioasidctl_error **err);

/* The number of an open descriptor that an option gives; `what` is the option, for the error. */
int descriptor_argument(const char *text, const char *what, int *fd, struct ioasidctl_error **err);

/* The entry of `names` (NULL-terminated) that `word` is probably meant to be; NULL: none is near.
 */
const char *suggest(const char *word, const char *const *names);
