/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one table of cases, which every backend must pass: what it consists of.
 *
 * A case is a sequence of steps, each with the outcome expected; after the last one everything is
 * deleted. A step is a config, without `version` and `name`, of one topology, behind a '+' of
 * another one; or, behind a '!', what is done with the first or asked of it: see actions.h.
 *
 * In both, $WORD stands for what differs between backends, such as their devices (backends.c), and
 * @NUMBER for an address that far from the first one that the case may use there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "driver/driver.h"

#define NO_ERROR	ERROR_KINDS_COUNT
#define MAX_STEPS	12
#define MAX_DIFFERENCES 4

/* What a case takes, and not every backend has: of its driver (driver.h), and of its machine. */
enum feature {
	FEATURE_PAIR = CAP_COUNT, /* left and right, two devices of one group */
	FEATURE_HOST_DRIVER, /* nic, a device with a host driver of its own */
	FEATURE_BARE_NESTED, /* nested IOASIDs on the parent alone, without a vIOMMU */
	FEATURE_TWO_VIOMMUS, /* types of vIOMMUs with and without event queues */
	FEATURE_DMA, /* devices that can be told to do DMA, or tables that can be looked into */
	FEATURE_PASID_DMA, /* the same with a PASID: devices that have some */
	FEATURE_NESTED_PASID, /* PASIDs in nested IOASIDs */
	FEATURE_TABLE_COUNT, /* the kernel says how many page tables there are */
	FEATURE_QUEUE_STACK, /* hardware queues that can be freed and made again */
	FEATURE_PAGE_REQUEST, /* devices that can be made to wait for a page */
	FEATURE_GUEST_FAULT, /* pages that are missing in a guest's table, not in the parent */
	FEATURE_COUNT
};

#define NEED(capability) (1ULL << CAP_##capability)
#define HAVE(feature)	 (1ULL << FEATURE_##feature)

/* Backends that rightly differ; bits of enum backend_id. */
enum backend_id {
	BACKEND_REFERENCE,
	BACKEND_REFERENCE_MOCK,
	BACKEND_CUSE,
	BACKEND_CUSE_MOCK,
	BACKEND_MOCK,
	BACKEND_VTD,
	BACKEND_VFIO,
	BACKEND_SMMUV3,
	BACKEND_COUNT
};

#define AT(backend)  (1U << BACKEND_##backend)
#define AT_REFERENCE (AT(REFERENCE) | AT(REFERENCE_MOCK) | AT(CUSE) | AT(CUSE_MOCK))
#define AT_IOMMUFD   (AT(MOCK) | AT(VTD) | AT(SMMUV3))

struct outcome {
	enum error_kind error; /* NO_ERROR: it succeeds */
	int errnum; /* positive; 0: any */
};

struct conformance_step {
	const char *text; /* NULL: no more steps */
	struct outcome outcome;
	bool same; /* a config: it applies and there's nothing to do */
	/* What is answered (NULL: nothing to compare), or a part of what a refusal says. */
	const char *says;
};

struct difference {
	uint32_t backends; /* 0: no more of them */
	size_t step; /* from 0 */
	struct outcome outcome; /* instead */
	const char *says; /* instead; NULL: whatever */
	const char *reason; /* the kernel's */
};

struct conformance_case {
	const char *name;
	uint64_t needs; /* NEED() and HAVE() */
	struct conformance_step steps[MAX_STEPS];
	struct difference differences[MAX_DIFFERENCES];
};

struct conformance_table {
	const char *subject;
	const struct conformance_case *cases;
	size_t n;
};

extern const struct conformance_table topology_cases, change_cases, nesting_cases, viommu_cases,
	pasid_cases, fault_cases, page_cases, refusal_cases;

/* What most cases are written with. */
#define RAM	    "memory: [{name: ram, size: 2M}]\n"
#define EDU	    "{name: edu, $edu}"
#define TEST	    "{name: test, $test}"
#define NIC	    "{name: nic, $nic, driver: vfio-pci}"
#define LEFT	    "{name: left, $left}"
#define RIGHT	    "{name: right, $right}"
#define FD(ioasids) "fds: [{name: main, ioasids: [" ioasids "]}]\n"
#define SUCCESS             \
	{                   \
		NO_ERROR, 0 \
	}

/* Steps. */
#define OK(text)                           \
	{                                  \
		text, SUCCESS, false, NULL \
	}
#define SAME(text)                        \
	{                                 \
		text, SUCCESS, true, NULL \
	}
#define REFUSED(text, kind, errnum, says)                 \
	{                                                 \
		text, {ERROR_##kind, errnum}, false, says \
	}
#define OTHER(text)				OK("+" text)
#define OTHER_REFUSED(text, kind, errnum, says) REFUSED("+" text, kind, errnum, says)
/* It is done, or answered so. */
#define DO(text)                               \
	{                                      \
		"!" text, SUCCESS, false, NULL \
	}
#define ASK(text, answer)                        \
	{                                        \
		"!" text, SUCCESS, false, answer \
	}
#define FAIL(text, kind, errnum, says)                        \
	{                                                     \
		"!" text, {ERROR_##kind, errnum}, false, says \
	}
