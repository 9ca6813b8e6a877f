/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VFIO's containers and groups as Linux has them, in this process: ioctl(2) and close(2) of a test
 * program that includes this. Containers are /dev/null, group 2 is /dev/zero, group 9 /dev/full
 * (the test's root links them). Each ioctl can be made to fail.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "uapi/vfio.h"

#define FAKES_MAX 64
#define MAPS_MAX  64

struct fake_map {
	uint64_t iova, size;
	uint32_t flags;
};

enum fake_kind { FAKE_NONE, FAKE_CONTAINER, FAKE_GROUP, FAKE_DEVICE };

/* By descriptor. */
static struct fake {
	enum fake_kind kind;
	bool typed, dirty; /* container */
	struct fake_map maps[MAPS_MAX]; /* container: by IOVA */
	size_t n_maps;
	int number; /* group */
	int in; /* group: container's descriptor; device: group's; -1: none */
	char name[16]; /* device */
} fakes[FAKES_MAX];

static int fake_calls, fake_fails_at = -1;

static inline size_t fake_count(enum fake_kind kind, int in)
{
	size_t n = 0;

	for (int i = 0; i < FAKES_MAX; i++)
		n += fakes[i].kind == kind && fakes[i].in == in;
	return n;
}

static inline int fake_leave(struct fake *g)
{
	struct fake *c = &fakes[g->in];
	int in = g->in;

	g->in = -1;
	/* With its last group a container loses all that it had. */
	if (!fake_count(FAKE_GROUP, in)) {
		c->typed = c->dirty = false;
		c->n_maps = 0;
	}
	return 0;
}

int close(int fd)
{
	struct fake *f = fd >= 0 && fd < FAKES_MAX ? &fakes[fd] : NULL;

	if (f && f->kind == FAKE_GROUP) {
		assert_int_equal(fake_count(FAKE_DEVICE, fd), 0);
		if (f->in >= 0)
			fake_leave(f);
	}
	if (f && f->kind == FAKE_CONTAINER)
		assert_int_equal(fake_count(FAKE_GROUP, fd), 0);
	if (f)
		*f = (struct fake){0};
	return (int)syscall(SYS_close, fd);
}

/* What a descriptor is that nobody has used yet. */
static inline struct fake *fake_of(int fd)
{
	struct stat st;

	assert_in_range(fd, 0, FAKES_MAX - 1);
	if (fakes[fd].kind != FAKE_NONE)
		return &fakes[fd];
	assert_int_equal(fstat(fd, &st), 0);
	fakes[fd].in = -1;
	switch (minor(st.st_rdev)) {
	case 3:
		fakes[fd].kind = FAKE_CONTAINER;
		break;
	case 5:
	case 7:
		fakes[fd].kind = FAKE_GROUP;
		fakes[fd].number = minor(st.st_rdev) == 5 ? 2 : 9;
		break;
	default:
		fail_msg("an ioctl on descriptor %d", fd);
	}
	return &fakes[fd];
}

static inline int fake_map(struct fake *c, const struct vfio_t1_map *m)
{
	size_t i = 0;

	if (!c->typed)
		return EINVAL;
	while (i < c->n_maps && c->maps[i].iova + c->maps[i].size <= m->iova)
		i++;
	if (i < c->n_maps && c->maps[i].iova < m->iova + m->size)
		return m->flags == VFIO_T1_MAP_VADDR ? EINVAL : EEXIST;
	if (m->flags == VFIO_T1_MAP_VADDR)
		return ENOENT;
	assert_true(c->n_maps < MAPS_MAX && m->vaddr);
	memmove(&c->maps[i + 1], &c->maps[i], (c->n_maps++ - i) * sizeof(c->maps[0]));
	c->maps[i] = (struct fake_map){m->iova, m->size, m->flags};
	return 0;
}

static inline int fake_unmap(struct fake *c, struct vfio_t1_unmap *m)
{
	uint64_t size = m->size;

	m->size = 0;
	for (size_t i = 0; i < c->n_maps; i++)
		if (c->maps[i].iova == m->iova && c->maps[i].size == size) {
			m->size = size;
			memmove(&c->maps[i], &c->maps[i + 1],
				(--c->n_maps - i) * sizeof(c->maps[0]));
		}
	return c->typed ? 0 : EINVAL;
}

static inline int fake_info(const struct fake *c, struct vfio_t1_info *info)
{
	const struct {
		struct vfio_t1_info info;
		struct vfio_cap cap;
		uint32_t nr, reserved;
		struct vfio_t1_iova_range ranges[2];
	} answer = {{.argsz = sizeof(answer), .flags = 3, .iova_pgsizes = 0x1000, .cap_offset = 24},
		    {VFIO_T1_CAP_IOVA_RANGE, 1, 0},
		    2,
		    0,
		    {{0, 0xfedfffff}, {0xfef00000, 0x7fffffffff}}};

	if (!c->typed)
		return EINVAL;
	memcpy(info, &answer, info->argsz < sizeof(answer) ? sizeof(*info) : sizeof(answer));
	return 0;
}

static inline int fake_open_device(int group, const char *name)
{
	int fd;

	if (fakes[group].in < 0 || !fakes[fakes[group].in].typed) {
		errno = EINVAL;
		return -1;
	}
	fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	assert_in_range(fd, 0, FAKES_MAX - 1);
	fakes[fd] = (struct fake){.kind = FAKE_DEVICE, .in = group};
	snprintf(fakes[fd].name, sizeof(fakes[fd].name), "%s", name);
	return fd;
}

static inline int fake_call(int fd, unsigned long request, void *args)
{
	struct fake *f = fake_of(fd);

	switch (request) {
	case VFIO_CONT_API_VERSION:
	case VFIO_DEV_GET_INFO:
		return 0;
	case VFIO_CONT_SET_TYPE:
		if (!fake_count(FAKE_GROUP, fd) || f->typed)
			return EINVAL;
		f->typed = true;
		return 0;
	case VFIO_GRP_STATUS:
		((struct vfio_grp_status *)args)->flags = VFIO_GRP_VIABLE;
		return 0;
	case VFIO_GRP_SET_CONTAINER:
		if (f->in >= 0)
			return EINVAL;
		f->in = *(int *)args;
		return fakes[f->in].kind == FAKE_CONTAINER ? 0 : EBADF;
	case VFIO_GRP_UNSET_CONTAINER:
		if (f->in < 0)
			return EINVAL;
		return fake_count(FAKE_DEVICE, fd) ? EBUSY : fake_leave(f);
	case VFIO_T1_INFO:
		return fake_info(f, args);
	case VFIO_T1_MAP:
		return fake_map(f, args);
	case VFIO_T1_UNMAP:
		return fake_unmap(f, args);
	case VFIO_T1_DIRTY:
		f->dirty = ((struct vfio_t1_dirty *)args)->flags == VFIO_T1_DIRTY_START;
		return f->typed ? 0 : EINVAL;
	default:
		return ENOTTY;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *args;

	va_start(list, request);
	args = va_arg(list, void *);
	va_end(list);
	request &= UINT32_MAX;
	if (fake_calls++ == fake_fails_at) {
		errno = EIO;
		return -1;
	}
	if (request == VFIO_CONT_CHECK_EXTENSION)
		return 1;
	if (request == VFIO_GRP_OPEN_DEVICE)
		return fake_open_device(fd, args);
	errno = fake_call(fd, request, args);
	return errno ? -1 : 0;
}

/* All that there is, in an order that doesn't depend on numbers of descriptors. Owned. */
static inline char *fake_snapshot(void)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int c = 0; c < FAKES_MAX; c++) {
		if (fakes[c].kind != FAKE_CONTAINER)
			continue;
		fprintf(out, "container%s%s\n", fakes[c].typed ? " typed" : "",
			fakes[c].dirty ? " dirty" : "");
		for (size_t i = 0; i < fakes[c].n_maps; i++)
			fprintf(out, "  %lx+%lx:%u\n", fakes[c].maps[i].iova, fakes[c].maps[i].size,
				fakes[c].maps[i].flags);
		for (int g = 0; g < FAKES_MAX; g++)
			if (fakes[g].kind == FAKE_GROUP && fakes[g].in == c)
				fprintf(out, "  group %d, %zu devices\n", fakes[g].number,
					fake_count(FAKE_DEVICE, g));
	}
	for (int g = 0; g < FAKES_MAX; g++)
		if (fakes[g].kind == FAKE_GROUP && fakes[g].in < 0)
			fprintf(out, "group %d in none\n", fakes[g].number);
	fclose(out);
	return text;
}
