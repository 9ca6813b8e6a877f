/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How each type of scalar is written: checked here, described from here. */
#pragma once

#include <stdbool.h>

#include "config/grammar.h"
#include "config/tree.h"

struct faults;
struct place;

/*
 * Checks a scalar; records a fault on `key` of `place` and returns false when it isn't what the
 * field wants.
 */
bool value_check(struct faults *faults, const struct place *place, const char *key,
		 const struct grammar_field *field, const struct node *node);

/* "a size in bytes: 4096, 64K, 2M or 0x1000": what the field wants, into buf; returns buf. */
#define EXPECTED_MAX 160
const char *value_expected(const struct grammar_field *field, char buf[static EXPECTED_MAX]);

/* The type's own name, "size", for types whose values need nothing else said; else NULL. */
const char *value_type_name(enum value_type type);
/* What such values look like. */
const char *value_type_expected(enum value_type type);
/*
 * The pattern that the text has to match, in the subset of ECMA 262 expressions
 * that pattern.h knows; NULL: it has none.
 */
const char *value_pattern(enum value_type type);
/* A number in YAML (or JSON) is fine too: its digits are taken as the text. */
bool value_takes_number(enum value_type type);
/* Words that no text value may be, since readers take them for something else; NULL-terminated. */
extern const char *const value_reserved[];

/* Values that have been checked. */
bool value_true(const char *text);
/* Index of the word in a NULL-terminated array that may have holes before `first`; -1: none. */
int value_word(const char *const *words, const char *text);
