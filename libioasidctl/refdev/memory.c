// SPDX-License-Identifier: LGPL-2.1-or-later
#include "refdev/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

typedef ssize_t (*transfer)(pid_t, const struct iovec *, unsigned long, const struct iovec *,
			    unsigned long, unsigned long);

/* The same where the kernel has no CONFIG_CROSS_MEMORY_ATTACH, or a container forbids the call. */
static ssize_t move_by_file(pid_t process, bool write, void *local, uint64_t remote, size_t length)
{
	_cleanup_close_ int fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)process);
	fd = open(path, (write ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return -1;
	return write ? pwrite(fd, local, length, (off_t)remote)
		     : pread(fd, local, length, (off_t)remote);
}

static int move(pid_t process, bool write, void *local, uint64_t remote, size_t length,
		size_t *done)
{
	const transfer how = write ? process_vm_writev : process_vm_readv;
	size_t moved = 0;

	if (!process)
		process = getpid();
	while (moved < length) {
		struct iovec here = {(char *)local + moved, length - moved};
		struct iovec there = {(void *)(uintptr_t)(remote + moved), length - moved};
		ssize_t n = how(process, &here, 1, &there, 1, 0);

		if (n < 0 && (errno == ENOSYS || errno == EPERM))
			n = move_by_file(process, write, here.iov_base, remote + moved,
					 length - moved);
		if (n <= 0)
			break;
		moved += (size_t)n;
	}
	if (done)
		*done = moved;
	return moved == length ? 0 : -EFAULT;
}

int memory_read(pid_t process, void *to, uint64_t from, size_t length, size_t *done)
{
	return move(process, false, to, from, length, done);
}

int memory_write(pid_t process, uint64_t to, const void *from, size_t length, size_t *done)
{
	return move(process, true, (void *)from, to, length, done);
}

uint64_t memory_page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int present_here(uint64_t at, uint64_t last)
{
	uint64_t step = memory_page_size() * 4096;
	unsigned char resident[4096];

	for (;;) {
		uint64_t left = last - at + 1;

		if (left > step || !left)
			left = step;
		if (mincore((void *)(uintptr_t)at, left, resident))
			return -EFAULT;
		if (last - at < step)
			return 0;
		at += step;
	}
}

/* Its areas come in order of their addresses. */
static int present_there(pid_t process, uint64_t at, uint64_t last)
{
	_cleanup_fclose_ FILE *maps = NULL;
	uint64_t first, end;
	char path[32];
	int c;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)process);
	maps = fopen(path, "re");
	while (maps && fscanf(maps, "%" SCNx64 "-%" SCNx64, &first, &end) == 2) {
		if (first > at)
			return -EFAULT;
		if (end > last)
			return 0;
		if (end > at)
			at = end;
		do
			c = fgetc(maps);
		while (c != '\n' && c != EOF);
	}
	return -EFAULT;
}

int memory_present(pid_t process, uint64_t address, uint64_t length)
{
	uint64_t page = memory_page_size(), at = address & ~(page - 1), last;

	if (!range_valid(address, length))
		return -EFAULT;
	last = range_last(address, length) | (page - 1);
	return process ? present_there(process, at, last) : present_here(at, last);
}
