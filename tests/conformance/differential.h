/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random sequences of a driver's calls: what one consists of, and what may differ and why. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/driver.h"

#define SEQUENCE_MAX 40
#define SLOTS	     5
#define DEVICES	     3

enum call_kind {
	CALL_ALLOC,
	CALL_NESTED,
	CALL_FREE,
	CALL_MAP,
	CALL_UNMAP,
	CALL_COPY,
	CALL_ALLOW,
	CALL_ATTACH,
	CALL_DETACH,
	CALL_DIRTY,
	CALL_READ_DIRTY,
	CALL_INFO,
	CALL_PROBE,
	CALL_REBIND,
	CALL_COUNT
};

/* Objects by their slots: their numbers are each driver's own. */
struct call {
	enum call_kind kind;
	uint32_t slot, other, device, pasid, flags, count;
	uint8_t access;
	bool on, anywhere;
	uint64_t iova, length, offset, from;
};

/* One driver and what it has made. */
struct world {
	const struct driver *ops;
	struct driver_env env;
	struct driver_fd *fd;
	struct driver_device *devices[DEVICES];
	struct {
		bool used, nested, dirty, tracking;
		uint32_t id;
	} slots[SLOTS];
	bool wants_va;
	uint64_t answer; /* of the call at hand, beside its result */
};

struct verdict {
	size_t which; /* call */
	int ret[2];
	uint64_t answer[2];
};

enum difference {
	DIFFERENCE_NONE,
	DIFFERENCE_KNOWN, /* explained, and of no consequence */
	DIFFERENCE_ENDS, /* explained, but from here on the two can't be compared */
	DIFFERENCE_FOUND,
};

/* The same sequence for the same seed, everywhere. Its length. */
size_t make_sequence(uint64_t seed, struct call sequence[static SEQUENCE_MAX]);
void print_call(const struct call *c);

/* Of the IOASIDs that a call is about. */
enum trait {
	TRAIT_NESTED = 1 << 0,
	TRAIT_TRACKING = 1 << 1, /* dirty pages are being recorded */
};

/*
 * Whether the kernel may say `linux_ret` where the reference device says `reference`, or the same
 * with another answer. `traits`: of the IOASIDs concerned.
 */
enum difference explain_difference(const struct call *c, uint32_t traits, int linux_ret,
				   int reference);
void print_explanations(void);
