/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that is wrong with one file, collected while reading goes on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/config.h"
#include "config/tree.h"

struct faults {
	const char *file;
	struct ioasidctl_error *list[CONFIG_MAX_ERRORS];
	size_t n;
	size_t dropped; /* found when the list was full */
	bool open; /* the newest fault is in the list and takes hints */
	bool no_memory;
};

/* A step on the way to an object: "fds[0]". Lives on the stack of who walks there. */
struct place {
	const struct place *up; /* NULL: the document itself */
	const char *key;
	uint32_t index; /* NO_INDEX: not a list */
};

/*
 * Records a fault at the position of `at`, on the object at `place` or, where `key` isn't NULL, on
 * that key of it.
 */
void fault(struct faults *faults, const struct place *place, const char *key, const struct node *at,
	   const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The way out of the newest fault. */
void fault_hint(struct faults *faults, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool faults_full(const struct faults *faults);
/* Sorts by position, adds the source lines and moves the faults to the chain at *err. */
void faults_finish(struct faults *faults, const char *text, size_t length,
		   struct ioasidctl_error **err);
void faults_done(struct faults *faults);

#define QUOTE_MAX 64

/*
 * Text of a file as it may appear in a message: in double quotes, cut when long, everything that a
 * terminal could take for a command replaced by '?'. Returns buf.
 */
const char *quote(const char *text, char buf[static QUOTE_MAX]);
