// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/attempts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct attempt {
	char *topology;
	uint64_t due, latest;
	unsigned tries; /* failed ones of this round */
};

/* One for each topology that is to be tried. */
struct attempts {
	struct attempt *list;
	size_t n;
};

struct attempts *attempts_new(void)
{
	return calloc(1, sizeof(struct attempts));
}

static struct attempt *find(const struct attempts *a, const char *topology)
{
	for (size_t i = 0; i < a->n; i++)
		if (!strcmp(a->list[i].topology, topology))
			return &a->list[i];
	return NULL;
}

static void drop(struct attempts *a, struct attempt *attempt)
{
	free(attempt->topology);
	*attempt = a->list[--a->n];
}

void attempts_free(struct attempts *a)
{
	if (!a)
		return;
	while (a->n)
		drop(a, a->list);
	free(a->list);
	free(a);
}

static struct attempt *add(struct attempts *a, const char *topology, uint64_t now)
{
	struct attempt *grown = reallocarray(a->list, a->n + 1, sizeof(*grown));
	char *copy;

	if (!grown)
		return NULL;
	a->list = grown;
	copy = strdup(topology);
	if (!copy)
		return NULL;
	grown[a->n] = (struct attempt){.topology = copy, .latest = now + ATTEMPT_LATEST};
	return &grown[a->n++];
}

int attempts_occasion(struct attempts *a, const char *topology, uint64_t now)
{
	struct attempt *attempt = find(a, topology);

	if (!attempt)
		attempt = add(a, topology, now);
	if (!attempt)
		return -ENOMEM;
	if (attempt->tries)
		attempt->latest = now + ATTEMPT_LATEST;
	attempt->tries = 0;
	attempt->due =
		now + ATTEMPT_QUIET < attempt->latest ? now + ATTEMPT_QUIET : attempt->latest;
	return 0;
}

void attempts_forget(struct attempts *a, const char *topology)
{
	struct attempt *attempt = find(a, topology);

	if (attempt)
		drop(a, attempt);
}

uint64_t attempts_deadline(const struct attempts *a)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < a->n; i++)
		first = a->list[i].due < first ? a->list[i].due : first;
	return first;
}

const char *attempts_due(const struct attempts *a, uint64_t now)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].due <= now)
			return a->list[i].topology;
	return NULL;
}

uint64_t attempts_failed(struct attempts *a, const char *topology, uint64_t now, unsigned *tries)
{
	struct attempt *attempt = find(a, topology);
	uint64_t delay;

	*tries = attempt ? attempt->tries + 1 : 1;
	if (!attempt)
		return 0;
	if (*tries == ATTEMPT_TRIES) {
		drop(a, attempt);
		return 0;
	}
	delay = (uint64_t)ATTEMPT_RETRY << attempt->tries;
	attempt->tries = *tries;
	attempt->due = now + delay;
	return delay;
}
