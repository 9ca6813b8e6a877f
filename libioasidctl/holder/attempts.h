/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When to try to put devices in that have come: once it has been quiet for a moment, then again
 * with growing delays, then no more. Nothing but time is known here; all times are in ms.
 */
#pragma once

#include <stdint.h>

#define ATTEMPT_QUIET  200 /* since the last thing that happened to its devices... */
#define ATTEMPT_LATEST 2000 /* ...but no longer than this since the first */
#define ATTEMPT_TRIES  6
#define ATTEMPT_RETRY  1000 /* after the first failure; doubles with each */

struct attempts;

struct attempts *attempts_new(void); /* NULL: out of memory */
void attempts_free(struct attempts *a); /* NULL is fine */

/* A device that the topology waits for has come: a new round begins. 0 or -ENOMEM. */
int attempts_occasion(struct attempts *a, const char *topology, uint64_t now);
/* The topology is as it should be, or gone. */
void attempts_forget(struct attempts *a, const char *topology);

/* When attempts_due() has something; UINT64_MAX: never. */
uint64_t attempts_deadline(const struct attempts *a);
/* A topology to try now, until one of the calls here is made for it; NULL: none. */
const char *attempts_due(const struct attempts *a, uint64_t now);
/*
 * It was tried, and failed, for the *tries-th time of this round. The delay until the next try; 0:
 * that was the last one.
 */
uint64_t attempts_failed(struct attempts *a, const char *topology, uint64_t now, unsigned *tries);
