/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the cases are run on, as data: which devices, which formats, what it lacks and why. */
#pragma once

#include <stdio.h>

#include "cases.h"

struct device_hardware;

struct lack {
	int feature; /* a capability or an enum feature */
	const char *reason;
	/*
	 * Cases are tried, and one of their steps is refused with this, changing nothing.
	 * NO_ERROR: they can't even be asked for here, and are skipped.
	 */
	struct outcome refusal;
};

struct word {
	const char *name, *text;
};

struct backend {
	const char *name;
	const char *title; /* for people */
	const char *place; /* that runs the cases on it */
	const struct driver *driver;
	/* What stands for @0. */
	uint64_t base;
	const struct word *words; /* ended by one without a name */
	const struct lack *lacks; /* ended by one without a reason; the driver's own come on top */
	const struct device_hardware *hardware;
	bool in_process; /* the reference device, without a node */
};

extern const struct backend backends[BACKEND_COUNT];

/* NULL: none of that name. */
const struct backend *backend_find(const char *name);

/* Why it hasn't got it; NULL: it has. *refusal: as in struct lack. */
const char *backend_lacks(const struct backend *b, int feature, struct outcome *refusal);

/* Words and addresses filled in; the caller's. */
char *backend_expand(const struct backend *b, const char *text);
/* An address as the cases have it: "@0x1000"; below the base "0x0". */
void print_address(FILE *out, const struct backend *b, uint64_t address);

/* "nested IOASIDs", "two devices of one group" */
const char *feature_text(int feature);
