/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cases that every driver must pass. A case is a sequence of configs, applied one
 * after the other, each with the outcome expected; then everything is deleted. The devices are
 * those that the VM and the reference device's default machine both have:
 *   0000:00:03.0 edu, alone in its group; 0000:00:04.0 pci-testdev, alone; 0000:01:00.0 NIC with a
 *   host driver, alone; 0000:03:01.0 and 0000:03:02.0 edu, one group behind a bridge.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "driver/driver.h"

#define NO_ERROR  ERROR_KINDS_COUNT
#define MAX_STEPS 6

/* What most cases are written with. */
#define RAM	    "memory: [{name: ram, size: 2M}]\n"
#define EDU	    "{name: edu, pci: '0000:00:03.0', driver: vfio-pci}"
#define TEST	    "{name: test, pci: '0000:00:04.0', driver: vfio-pci}"
#define NIC	    "{name: nic, pci: '0000:01:00.0', driver: vfio-pci}"
#define LEFT	    "{name: left, pci: '0000:03:01.0', driver: vfio-pci}"
#define RIGHT	    "{name: right, pci: '0000:03:02.0', driver: vfio-pci}"
#define FD(ioasids) "fds: [{name: main, ioasids: [" ioasids "]}]\n"
#define OK(text)                         \
	{                                \
		text, NO_ERROR, 0, false \
	}
#define SAME(text)                      \
	{                               \
		text, NO_ERROR, 0, true \
	}

/* The difference of drivers that lack the capability. */
#define NEEDS(capability)                     \
	{                                     \
		.needs = CAP_##capability + 1 \
	}

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
		/* Where a driver lacks this (less 1), some step is refused and is the last. */
		int needs;
	} difference;
};

struct conformance_table {
	const struct conformance_case *cases;
	size_t n;
};

extern const struct conformance_table topology_cases;
extern const struct conformance_table change_cases;
