/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much memory a process may lock, and has locked: what is pinned for DMA counts. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define MEMLOCK_UNLIMITED UINT64_MAX

struct memlock {
	uint64_t soft, hard; /* bytes; MEMLOCK_UNLIMITED */
	/*
	 * Bytes now. VFIO's containers and iommufd with `accounting: process` count as locked;
	 * iommufd also as pinned, whatever the accounting. What iommufd has charged to the *user*
	 * (its default) is only told by the sum over that user's processes.
	 */
	uint64_t locked, pinned;
	uint64_t uid; /* real user: whom iommufd charges by default */
	/*
	 * 0 or 1: has CAP_IPC_LOCK, so that the limits don't apply. Only in the first user
	 * namespace: what a container's root has in its own counts for nothing here.
	 */
	uint64_t exempt;
};

/* /proc/PID/limits and status; pid "self": of this process. 0; -EINVAL: no such lines; -errno. */
int memlock_read(const char *root, const char *pid, struct memlock *out);
