/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Strict reading and writing of addresses, sizes and ranges. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads a whole string as an unsigned number: decimal or 0x hex, then at most one of K, M, G, T
 * (powers of 1024). No sign, no space, no underscore, no octal: "010" is refused, for one reader
 * means 8 by it and another 10.
 * 0; -EINVAL: not such a number; -ERANGE: past 64 bits.
 */
int number_parse(const char *text, uint64_t *out);

/* [first, first + length - 1] without wrapping: false when length is 0 or the end passes 2^64-1. */
static inline bool range_valid(uint64_t first, uint64_t length)
{
	return length && length - 1 <= UINT64_MAX - first;
}

/* The last address of a valid range. */
static inline uint64_t range_last(uint64_t first, uint64_t length)
{
	return first + (length - 1);
}

static inline bool ranges_overlap(uint64_t a_first, uint64_t a_last, uint64_t b_first,
				  uint64_t b_last)
{
	return a_first <= b_last && b_first <= a_last;
}

/*
 * Reads "FIRST-LAST" (both included) or "FIRST+LENGTH". 0; -EINVAL: not such a range, or one
 * without extent; -ERANGE: past 64 bits.
 */
int range_parse(const char *text, uint64_t *first, uint64_t *last);

#define NUMBER_TEXT_MAX 24

/* "0x1000" into buf; returns buf. The form of every address in JSON and messages. */
const char *number_hex(uint64_t value, char buf[static NUMBER_TEXT_MAX]);

/* The shortest exact form with a binary suffix: "4G", "64K", "4097"; returns buf. */
const char *number_size(uint64_t value, char buf[static NUMBER_TEXT_MAX]);
