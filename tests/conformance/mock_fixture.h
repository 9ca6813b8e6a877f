/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the iommufd driver on the kernel's mock IOMMU share. They run where
 * IOASIDCTL_TEST_DRIVER=iommufd says that the machine's /dev/iommu is there to be tested with, and
 * are skipped elsewhere.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "driver/driver.h"
#include "uapi/iommufd_test.h"

#define D driver_iommufd

#define BASE IOMMUFD_TEST_APERTURE_FIRST
#define PAGE 4096UL

static struct driver_fd *fd;
static char trace_text[1 << 18];

static inline void trace(void *data, const char *line)
{
	size_t used = strlen(trace_text);

	(void)data;
	snprintf(trace_text + used, sizeof(trace_text) - used, "%s\n", line);
}

static struct driver_env env = {.root = "", .trace = trace};

/* Lines of the trace that begin like that, since the test began. */
static inline unsigned traced(const char *begin)
{
	unsigned n = 0;

	for (const char *at = trace_text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : at)
		n += !strncmp(at, begin, strlen(begin));
	return n;
}

static inline int open_fd(void **state)
{
	const struct iommu_fd spec = {.name = (char *)"main"};
	const char *driver = getenv("IOASIDCTL_TEST_DRIVER");

	(void)state;
	trace_text[0] = '\0';
	if (!driver || strcmp(driver, "iommufd"))
		return 0;
	return D.open(&env, &spec, &fd, NULL);
}

static inline int close_fd(void **state)
{
	(void)state;
	if (fd)
		D.close(fd);
	fd = NULL;
	return 0;
}

/* First in each test. */
#define NEED_MOCK()             \
	do {                    \
		(void)state;    \
		if (!fd)        \
			skip(); \
	} while (0)

static inline struct driver_device *mock_device(const char *name)
{
	const struct device spec = {
		.name = (char *)name, .selector = SELECTOR_MOCK, .address = (char *)"0"};
	struct driver_device *dev;
	uint32_t id;

	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	return dev;
}

static inline uint32_t gpa(const char *name, uint32_t flags)
{
	struct ioasid spec;
	uint32_t id = 0;

	ioasid_init(&spec);
	spec.name = (char *)name;
	spec.flags = flags;
	assert_int_equal(D.ioasid_alloc(fd, &spec, NULL, &id, NULL), 0);
	return id;
}

static inline int try_nested(const char *name, uint32_t flags, struct nesting on, uint32_t value,
			     uint32_t *id, struct ioasidctl_error **err)
{
	struct ioasid spec;

	ioasid_init(&spec);
	spec.name = (char *)name;
	spec.kind = IOASID_NESTED;
	spec.flags = flags;
	spec.table = (struct table){.format = TABLE_MOCK, .words = {value}, .n_words = 1};
	return D.ioasid_alloc(fd, &spec, &on, id, err);
}

static inline uint32_t nested(const char *name, uint32_t flags, struct nesting on, uint32_t value)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint32_t id = 0;

	if (try_nested(name, flags, on, value, &id, &err))
		fail_msg("%s: %s", err->message, err->cause ? err->cause : "");
	return id;
}

static inline uint32_t domains(uint32_t ioasid)
{
	struct ioasid_info info;
	uint32_t n;

	assert_int_equal(D.ioasid_info(fd, ioasid, &info, NULL), 0);
	assert_true(info.counted);
	n = info.domains;
	ioasid_info_done(&info);
	return n;
}

static inline void attach(struct driver_device *dev, uint32_t ioasid, uint32_t pasid)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	if (D.attach(fd, dev, ioasid, pasid, &err))
		fail_msg("%s: %s", err->message, err->cause ? err->cause : "");
}

static inline void detach(struct driver_device *dev, uint32_t pasid)
{
	assert_int_equal(D.detach(fd, dev, pasid, NULL), 0);
}

static inline void release(uint32_t ioasid)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	if (D.ioasid_free(fd, ioasid, &err))
		fail_msg("%s: %s", err->message, err->cause ? err->cause : "");
}

/* An operation of the mock IOMMU itself: 0 or -errno. */
static inline int test_op(struct iommufd_test args)
{
	args.size = sizeof(args);
	return ioctl(D.fd_number(fd), IOMMUFD_TEST, &args) ? -errno : 0;
}

/* Memory of a memfd, mapped here. */
struct memory_file {
	int fd;
	unsigned char *va;
	size_t size;
};

static inline struct memory_file make_memory(size_t size)
{
	struct memory_file m = {.fd = memfd_create("test", MFD_CLOEXEC), .size = size};

	assert_true(m.fd >= 0);
	assert_int_equal(ftruncate(m.fd, (off_t)size), 0);
	m.va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, 0);
	assert_true(m.va != MAP_FAILED);
	memset(m.va, 0x5a, size);
	return m;
}

static inline void drop_memory(struct memory_file *m)
{
	munmap(m->va, m->size);
	close(m->fd);
}

static inline void map_at(uint32_t ioasid, const struct memory_file *m, uint64_t iova)
{
	const struct map_args args = {
		.iova = iova, .length = m->size, .access = ACCESS_RW, .fd = m->fd};
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	if (D.map(fd, ioasid, &args, &err))
		fail_msg("%s: %s", err->message, err->cause ? err->cause : "");
}

/* The number that the trace has after the last of that word: "id=". */
static inline uint32_t last_traced(const char *line, const char *word)
{
	const char *found = NULL;

	for (const char *at = strstr(trace_text, line); at; at = strstr(at + 1, line))
		found = at;
	assert_non_null(found);
	found = strstr(found, word);
	assert_non_null(found);
	return (uint32_t)strtoul(found + strlen(word), NULL, 0);
}
