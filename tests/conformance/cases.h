/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of cases that every driver must pass. A case is a sequence of configs, applied one
 * after the other, each with the outcome expected; then everything is deleted. The devices are
 * those that the VM and the reference device's default machine both have:
 *   0000:00:03.0 edu, alone in its group; 0000:00:04.0 pci-testdev, alone; 0000:01:00.0 NIC with a
 *   host driver, alone; 0000:03:01.0 and 0000:03:02.0 edu, one group behind a bridge.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define NO_ERROR  ERROR_KINDS_COUNT
#define MAX_STEPS 6

struct conformance_step {
	const char *yaml; /* without `version` and `name`; NULL: no more steps */
	enum error_kind error; /* NO_ERROR: it applies */
	int errnum; /* positive; 0: any */
	bool same; /* it applies and there's nothing to do */
};

struct conformance_case {
	const char *name;
	struct conformance_step steps[MAX_STEPS];
	/* A driver that rightly differs: the step, what it says instead, and the kernel's reason.
	 */
	struct {
		const char *driver, *reason;
		size_t step;
		enum error_kind error;
	} difference;
};

extern const struct conformance_case conformance_cases[];
extern const size_t n_conformance_cases;
