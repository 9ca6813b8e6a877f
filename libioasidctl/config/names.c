// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/names.h"

#include <search.h>
#include <string.h>

/* Longer words aren't guessed at. */
#define GUESS_MAX 64

static int compare(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->text, y->text);
}

struct named *names_add(struct names *names, const char *text)
{
	struct named probe = {.text = text};
	void *found = tfind(&probe, &names->tree, compare);
	struct named *entry;

	if (found)
		return *(struct named **)found;
	entry = arena_alloc(names->arena, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->text = text;
	if (!tsearch(entry, &names->tree, compare))
		return NULL;
	entry->next = names->newest;
	names->newest = entry;
	return entry;
}

struct named *names_find(struct names *names, const char *text)
{
	struct named probe = {.text = text};
	void *found;

	if (names->last && !strcmp(names->last->text, text))
		return names->last;
	found = tfind(&probe, &names->tree, compare);
	if (!found)
		return NULL;
	names->last = *(struct named **)found;
	return names->last;
}

static void keep(void *entry)
{
	(void)entry;
}

void names_done(struct names *names)
{
	tdestroy(names->tree, keep);
	names->tree = NULL;
	names->newest = names->last = NULL;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned edit_distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	/* The two rows before the current one: a swap looks back two. */
	unsigned rows[3][GUESS_MAX + 1];

	if (na > GUESS_MAX || nb > GUESS_MAX)
		return GUESS_MAX;
	for (size_t i = 0; i <= na; i++) {
		unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			if (!i) {
				row[j] = (unsigned)j;
				continue;
			}
			row[j] = least(up[j] + 1, row[j - 1] + 1,
				       up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    upper[j - 2] + 1 < row[j])
				row[j] = upper[j - 2] + 1;
		}
	}
	return rows[na % 3][nb];
}

const char *better_guess(const char *text, const char *best, const char *candidate)
{
	size_t length = strlen(text);
	unsigned limit = length < 4 ? 1 : length < 8 ? 2 : 3;
	unsigned distance;

	if (length > GUESS_MAX)
		return NULL;
	distance = edit_distance(text, candidate);
	/* A word replaced altogether isn't a typing error. */
	if (distance > limit || distance >= strlen(candidate))
		return best;
	return best && edit_distance(text, best) <= distance ? best : candidate;
}
