// SPDX-License-Identifier: LGPL-2.1-or-later
#include "refdev/memory.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/number.h"

typedef ssize_t (*transfer)(pid_t, const struct iovec *, unsigned long, const struct iovec *,
			    unsigned long, unsigned long);

static int move(transfer how, void *local, uint64_t remote, size_t length, size_t *done)
{
	size_t moved = 0;

	while (moved < length) {
		struct iovec here = {(char *)local + moved, length - moved};
		struct iovec there = {(void *)(uintptr_t)(remote + moved), length - moved};
		ssize_t n = how(getpid(), &here, 1, &there, 1, 0);

		if (n <= 0)
			break;
		moved += (size_t)n;
	}
	if (done)
		*done = moved;
	return moved == length ? 0 : -EFAULT;
}

int memory_read(void *to, uint64_t from, size_t length, size_t *done)
{
	return move(process_vm_readv, to, from, length, done);
}

int memory_write(uint64_t to, const void *from, size_t length, size_t *done)
{
	return move(process_vm_writev, (void *)from, to, length, done);
}

uint64_t memory_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

int memory_present(uint64_t address, uint64_t length)
{
	uint64_t page = memory_page_size(), at = address & ~(page - 1), last;
	unsigned char resident[4096];

	if (!range_valid(address, length))
		return -EFAULT;
	last = range_last(address, length) | (page - 1);
	for (;;) {
		uint64_t left = last - at + 1, step = page * sizeof(resident);

		if (left > step || !left)
			left = step;
		if (mincore((void *)(uintptr_t)at, left, resident))
			return -EFAULT;
		if (last - at < step)
			return 0;
		at += step;
	}
}
