/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --help, from the tables of verbs and options. */
#pragma once

#include <stdio.h>

#include "verb.h"

/* Help on one verb, or with NULL on all. */
void help_print(FILE *out, const struct verb *verb);

/* What each exit status means, for people; terminated by a NULL text. */
struct exit_status {
	int status;
	const char *text;
};
extern const struct exit_status exit_statuses[];
