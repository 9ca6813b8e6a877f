// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/pattern.h"

#include <stdlib.h>
#include <string.h>

/* A character or class of a pattern, and how often it may come. */
struct atom {
	const char *text;
	const char *next; /* what follows it in the pattern */
	unsigned long min, max;
};

static struct atom read_atom(const char *pattern)
{
	struct atom a = {.text = pattern, .next = pattern + 1, .min = 1, .max = 1};

	if (*pattern == '[')
		/* The first character behind [ or [^ is never the end: no class is empty. */
		a.next = strchr(pattern + (pattern[1] == '^' ? 3 : 2), ']') + 1;
	if (*a.next == '?') {
		a.min = 0;
		a.next++;
	} else if (*a.next == '{') {
		char *end;

		a.min = a.max = strtoul(a.next + 1, &end, 10);
		if (*end == ',')
			a.max = strtoul(end + 1, &end, 10);
		a.next = end + 1;
	}
	return a;
}

static bool in_class(const char *class, unsigned char c)
{
	bool negated = class[1] == '^', found = false;
	const unsigned char *p = (const unsigned char *)class + (negated ? 2 : 1);

	do {
		if (p[1] == '-' && p[2] != ']') {
			found |= c >= p[0] && c <= p[2];
			p += 3;
		} else {
			found |= c == p[0];
			p++;
		}
	} while (*p != ']');
	return found != negated;
}

static bool is_match(const struct atom *a, char c)
{
	if (!c)
		return false;
	return *a->text == '[' ? in_class(a->text, (unsigned char)c) : *a->text == c;
}

static bool match(const char *pattern, const char *text)
{
	struct atom a;
	unsigned long n = 0;

	if (!*pattern || !strcmp(pattern, "$"))
		return !*text;
	if (*pattern == '(')
		return match(pattern + 1, text) || match(strchr(pattern, ')') + 2, text);
	if (*pattern == ')')
		return match(pattern + 2, text);
	a = read_atom(pattern);
	while (n < a.max && is_match(&a, text[n]))
		n++;
	/* As many as there are; fewer where what follows can't match otherwise. */
	for (; n >= a.min; n--) {
		if (match(a.next, text + n))
			return true;
		if (!n)
			break;
	}
	return false;
}

bool pattern_matches(const char *pattern, const char *text)
{
	return match(*pattern == '^' ? pattern + 1 : pattern, text);
}
