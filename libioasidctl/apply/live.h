/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is done with live objects between transactions: nothing of it is declared, and no plan knows
 * of it. An object is named "gpa", or "main/gpa" where several fds have one of that name.
 */
#pragma once

#include "apply/engine.h"

/* Where a call goes; what it points to is the caller's. */
struct live_call {
	struct engine *engine;
	const char *topology, *object;
	const struct transaction *how; /* its trace only; may be NULL */
};

/* What a name leads to: one of the two is set. */
struct live_target {
	struct iommu_fd *fd;
	struct ioasid *ioasid;
	struct viommu *viommu;
};

/* ERROR_UNAVAILABLE: no such topology or object; ERROR_USAGE: the name is ambiguous. */
int live_find(const struct live_call *call, struct live_target *out, struct ioasidctl_error **err);

/*
 * "all", "FIRST-LAST", "FIRST+LENGTH", "command:WORD[,WORD]"; `leaf`: of ranges, the last level
 * only. ERROR_USAGE.
 */
int invalidation_parse(const char *text, bool leaf, struct invalidation *out,
		       struct ioasidctl_error **err);

/*
 * Tells the IOMMU what of a nested IOASID's or vIOMMU's own tables is stale. *done: entries that
 * were handled, also when it fails.
 */
int live_invalidate(const struct live_call *call, const struct invalidation *entries, size_t n,
		    size_t *done, struct ioasidctl_error **err);

int live_dirty_set(const struct live_call *call, bool on, struct ioasidctl_error **err);

/* live_find() of an IOASID whose dirty pages are being recorded; ERROR_REFUSED: they aren't. */
int live_dirty_check(const struct live_call *call, struct live_target *out,
		     struct ioasidctl_error **err);

/* At most this many pages are asked for at once: a bitmap of 64 KiB. */
#define LIVE_DIRTY_PAGES (1U << 19)

/*
 * One bit for each page of the range, which is made of whole pages; `keep`: the record isn't
 * cleared. `bitmap` has room for the pages, in whole words, and is zeroed first.
 */
int live_dirty_read(const struct live_call *call, const struct range *range, uint64_t page_size,
		    bool keep, uint64_t *bitmap, struct ioasidctl_error **err);

/* live_find() of an IOASID with a queue of page faults; ERROR_REFUSED: it has none. */
int live_find_faults(const struct live_call *call, struct live_target *out,
		     struct ioasidctl_error **err);

/*
 * Lets the devices go on that wait with the fault of that cookie: they try again, or their access
 * fails. ERROR_REFUSED: no such queue; else what the driver says.
 */
int live_fault_answer(const struct live_call *call, uint32_t cookie, bool success,
		      struct ioasidctl_error **err);
