/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the config layer share. Paths are relative to the top of the source tree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/topology.h"

/* Calls `each` with every file of the directory whose name ends so, in order; returns how many. */
size_t config_each_file(const char *directory, const char *ending, void (*each)(const char *path));

/* The file's bytes, NUL-terminated; fails the test when it can't be read. Owned. */
char *config_read(const char *path, size_t *length);
/* Fails the test, telling the faults, when it doesn't parse. Owned. */
struct topology *config_must_parse(const char *text, size_t length, const char *name);

/* "LINE:COLUMN: PATH: MESSAGE" and "  hint: HINT" for each fault. Owned. */
char *config_render(const struct ioasidctl_error *err);

/* Fails the test at the first difference; positions and files may differ. */
void config_assert_same(const struct topology *a, const struct topology *b);

/*
 * Compares with a file that is generated; with UPDATE=1 in the environment writes it instead.
 * `after` and `before` are lines around the generated part, NULL: it is the whole file.
 */
void config_assert_generated(const char *path, const char *text, const char *after,
			     const char *before);
