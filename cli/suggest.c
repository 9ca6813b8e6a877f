// SPDX-License-Identifier: GPL-2.0-or-later
#include "verb.h"

#include <string.h>

#define WORD_MAX 32

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Edit distance with swaps of neighbours, row by row (two rows back for the swaps). */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2];
	size_t n = strlen(a), m = strlen(b);

	for (size_t j = 0; j <= m; j++)
		last[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *recycled = before;

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(last[j] + 1, row[j - 1] + 1,
				       last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = recycled;
	}
	return last[m];
}

const char *suggest(const char *word, const char *const *names)
{
	size_t length = strlen(word), best = length / 3 + 1;
	const char *found = NULL;

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0; names[i]; i++) {
		size_t away = strlen(names[i]) > WORD_MAX ? WORD_MAX : distance(word, names[i]);

		if (away <= best && (!found || away < best)) {
			best = away;
			found = names[i];
		}
	}
	return found;
}
