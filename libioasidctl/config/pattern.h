/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Matches whole strings against the patterns of values.c, which are valid in the JSON Schema too.
 *
 * Not regexec(3), since regcomp(3) of the C library corrupts the heap when it runs out of memory;
 * this needs none. It knows what those patterns use: ^ and $ at the ends, characters, classes
 * ([a-z_-], [^...]), counts ({n}, {m,n}, ?) behind either, and optional groups ((...)?), unnested.
 */
#pragma once

#include <stdbool.h>

bool pattern_matches(const char *pattern, const char *text);
