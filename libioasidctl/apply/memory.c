// SPDX-License-Identifier: LGPL-2.1-or-later
#include "apply/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/memfd.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

/* How much is populated between two looks at `cancel`. */
#define POPULATE_CHUNK (256UL << 20)

struct memory_window {
	void *va;
	uint64_t size; /* from offset 0 of the memory */
	struct memory_window *next;
};

static int huge_page_error(const struct memory *m, int errnum, struct ioasidctl_error **err)
{
	uint64_t kilobytes = m->page_size >> 10, needed = m->size / m->page_size;
	int ret;

	if (errnum == EINVAL || errnum == ENODEV || errnum == ENOENT) {
		ret = error_new(err, ERROR_KERNEL, errnum,
				"memory %s: this machine has no pages of %" PRIu64 " KiB", m->name,
				kilobytes);
		error_hint(err, "the sizes it has: ls /sys/kernel/mm/hugepages");
		return ret;
	}
	ret = error_new(err, ERROR_MEMORY, errnum,
			"memory %s: not enough free huge pages of %" PRIu64 " KiB: %s", m->name,
			kilobytes, strerror(errnum));
	error_hint(err,
		   "%" PRIu64 " are needed; free_hugepages and nr_hugepages are in "
		   "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/",
		   needed, kilobytes);
	return ret;
}

static int memory_error(const struct memory *m, int errnum, const char *what,
			struct ioasidctl_error **err)
{
	enum error_kind kind = ERROR_KERNEL;

	if (m->page_size && errnum != EINTR)
		return huge_page_error(m, errnum, err);
	if (errnum == EACCES || errnum == EPERM)
		kind = ERROR_PERMISSION;
	else if (errnum == ENOMEM || errnum == ENOSPC || errnum == EMFILE)
		kind = ERROR_MEMORY;
	else if (errnum == ENOENT)
		kind = ERROR_UNAVAILABLE;
	else if (errnum == EINTR)
		kind = ERROR_INTERRUPTED;
	error_new(err, kind, errnum, "memory %s: %s: %s", m->name, what, strerror(errnum));
	if (errnum == EMFILE)
		error_hint(err, "each memory and each device takes a descriptor: raise the limit "
				"(ulimit -n, LimitNOFILE= of a service)");
	return -errnum;
}

/* The policy belongs to the file's pages, so a mapping made only to set it may go again. */
static int bind_to_node(const struct memory *m, int fd, uint64_t size, struct ioasidctl_error **err)
{
	unsigned long mask[16] = {0};
	unsigned bits = 8 * sizeof(mask[0]);
	void *va;
	long ret;

	if (m->numa_node == NO_NODE)
		return 0;
	if ((size_t)m->numa_node >= ARRAY_SIZE(mask) * bits)
		return memory_error(m, EINVAL, "no such NUMA node", err);
	mask[(unsigned)m->numa_node / bits] = 1UL << ((unsigned)m->numa_node % bits);
	va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (va == MAP_FAILED)
		return memory_error(m, errno, "mapping it to set its NUMA node", err);
	ret = syscall(SYS_mbind, va, size, MPOL_BIND, mask, ARRAY_SIZE(mask) * bits + 1, 0);
	if (ret < 0) {
		ret = memory_error(m, errno, "binding it to its NUMA node", err);
		error_hint(err, "the nodes there are: /sys/devices/system/node/online");
	}
	munmap(va, size);
	return (int)ret;
}

/* The kernel would kill processes before it says no, this one among the first. */
static int check_machine(const struct memory *m, uint64_t size, struct ioasidctl_error **err)
{
	char needed[NUMBER_TEXT_MAX], there[NUMBER_TEXT_MAX];
	struct sysinfo info;
	uint64_t total;
	int ret;

	if (sysinfo(&info))
		return 0;
	total = ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
	if (m->page_size || size <= total)
		return 0;
	ret = error_new(err, ERROR_MEMORY, ENOMEM,
			"memory %s: %s are to be there from the start, and this machine has %s",
			m->name, number_size(size, needed), number_size(total, there));
	error_hint(err, "declare less, or leave `prefault` out");
	return ret;
}

static int populate(const struct memory *m, int fd, uint64_t from, uint64_t to,
		    const atomic_bool *cancel, struct ioasidctl_error **err)
{
	int ret = m->backing == BACKING_MEMFD ? check_machine(m, to, err) : 0;

	if (ret)
		return ret;
	while (from < to) {
		uint64_t chunk = to - from < POPULATE_CHUNK ? to - from : POPULATE_CHUNK;

		if (cancel && *cancel)
			return memory_error(m, EINTR, "populating it", err);
		if (fallocate(fd, 0, (off_t)from, (off_t)chunk)) {
			if (errno == EINTR)
				continue;
			return memory_error(m, errno, "populating it", err);
		}
		from += chunk;
	}
	return 0;
}

static bool wants_population(const struct memory *m)
{
	return m->prefault || m->page_size;
}

static int create_memfd(struct memory *m, const atomic_bool *cancel, struct ioasidctl_error **err)
{
	unsigned flags = MFD_CLOEXEC;
	_cleanup_close_ int fd = -1;
	int ret;

	if (m->page_size)
		flags |= MFD_HUGETLB | ((unsigned)__builtin_ctzll(m->page_size) << MFD_HUGE_SHIFT);
	fd = memfd_create(m->name, flags);
	if (fd < 0)
		return memory_error(m, errno, "making it", err);
	if (m->size > INT64_MAX || ftruncate(fd, (off_t)m->size))
		return memory_error(m, m->size > INT64_MAX ? EFBIG : errno, "sizing it", err);
	ret = bind_to_node(m, fd, m->size, err);
	if (!ret && wants_population(m))
		ret = populate(m, fd, 0, m->size, cancel, err);
	if (!ret)
		m->live.fd = steal_fd(&fd);
	return ret;
}

static int open_file(struct memory *m, const atomic_bool *cancel, struct ioasidctl_error **err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int ret;

	/* A FIFO must not block us, nor a terminal become ours. */
	fd = open(m->path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		ret = memory_error(m, errno, m->path, err);
		if (ret == -ENOENT)
			error_hint(err, "a file is never made by ioasidctl; make it first: "
					"truncate -s SIZE FILE");
		return ret;
	}
	if (fstat(fd, &st))
		return memory_error(m, errno, m->path, err);
	if (!S_ISREG(st.st_mode))
		return error_new(err, ERROR_REFUSED, EINVAL, "memory %s: %s is not a regular file",
				 m->name, m->path);
	if ((uint64_t)st.st_size < m->size) {
		ret = error_new(err, ERROR_REFUSED, EINVAL,
				"memory %s: %s has %jd bytes, %" PRIu64 " are declared", m->name,
				m->path, (intmax_t)st.st_size, m->size);
		error_hint(err, "declare its size, or enlarge it: truncate -s %" PRIu64 " %s",
			   m->size, m->path);
		return ret;
	}
	ret = bind_to_node(m, fd, m->size, err);
	if (!ret && m->prefault)
		ret = populate(m, fd, 0, m->size, cancel, err);
	if (!ret)
		m->live.fd = steal_fd(&fd);
	return ret;
}

int memory_create(struct memory *m, const atomic_bool *cancel, struct ioasidctl_error **err)
{
	switch (m->backing) {
	case BACKING_MEMFD:
		return create_memfd(m, cancel, err);
	case BACKING_FILE:
		return open_file(m, cancel, err);
	default:
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP,
				 "memory %s: backing %s can't be made", m->name,
				 backing_names[m->backing]);
	}
}

int memory_resize(struct memory *m, uint64_t size, const atomic_bool *cancel,
		  struct ioasidctl_error **err)
{
	uint64_t was;
	struct stat st;
	int ret = 0;

	if (fstat(m->live.fd, &st))
		return memory_error(m, errno, "asking its size", err);
	was = (uint64_t)st.st_size;
	if (size > INT64_MAX || ftruncate(m->live.fd, (off_t)size))
		return memory_error(m, size > INT64_MAX ? EFBIG : errno, "sizing it", err);
	if (size > was) {
		ret = bind_to_node(m, m->live.fd, size, err);
		if (!ret && wants_population(m))
			ret = populate(m, m->live.fd, was, size, cancel, err);
		if (ret && ftruncate(m->live.fd, (off_t)was))
			error_cause(err, "and its size could not be set back: %s", strerror(errno));
	}
	return ret;
}

int memory_window(struct memory *m, uint64_t offset, uint64_t length, void **va,
		  struct ioasidctl_error **err)
{
	struct memory_window *w;

	for (w = m->live.windows; w; w = w->next)
		if (length <= w->size && offset <= w->size - length)
			break;
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return error_nomem(err);
		w->size = m->size;
		w->va = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			     m->live.fd, 0);
		if (w->va == MAP_FAILED) {
			int errnum = errno;

			free(w);
			return memory_error(m, errnum, "mapping it", err);
		}
		/* What a device reads must not turn up in a core dump or a child. */
		madvise(w->va, w->size, MADV_DONTFORK);
		madvise(w->va, w->size, MADV_DONTDUMP);
		w->next = m->live.windows;
		m->live.windows = w;
	}
	*va = (char *)w->va + offset;
	return 0;
}

void memory_destroy(struct memory *m)
{
	while (m->live.windows) {
		struct memory_window *w = m->live.windows;

		m->live.windows = w->next;
		munmap(w->va, w->size);
		free(w);
	}
	if (m->live.fd >= 0)
		close(m->live.fd);
	m->live.fd = -1;
}
