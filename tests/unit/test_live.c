// SPDX-License-Identifier: GPL-2.0-or-later
/* What is done with live objects beside transactions: what reaches the driver, and what doesn't. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/live.h"
#include "base/cleanup.h"
#include "support_engine.h"
#include "support_fake_driver.h"

static const char config[] =
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
	"devices: [{name: a, pci: '0000:01:00.0', driver: vfio-pci}]\n"
	"fds: [{name: main, ioasids: ["
	"{name: gpa, nest_parent: true, dirty_tracking: true, "
	"map: [{iova: 0x0, memory: ram, length: 64K}]}, {name: both}, "
	"{name: s1, kind: nested, parent: gpa, table: {format: mock}, attach: [{device: a}]}], "
	"viommus: [{name: v, parent: gpa, device: a, type: mock}]}, "
	"{name: other, ioasids: [{name: both}]}]\n";

static struct {
	unsigned calls;
	uint32_t id;
	bool viommu, on, keep;
	struct invalidation entries[4];
	struct range range;
	uint64_t page_size;
	int ret;
} seen;

static int take_invalidate(struct driver_fd *fd, uint32_t id, bool viommu,
			   const struct invalidation *entries, size_t n, size_t *done,
			   struct ioasidctl_error **err)
{
	(void)fd;
	seen.calls++;
	seen.id = id;
	seen.viommu = viommu;
	assert_true(n <= ARRAY_SIZE(seen.entries));
	memcpy(seen.entries, entries, n * sizeof(*entries));
	*done = seen.ret ? 1 : n;
	return seen.ret ? error_new(err, ERROR_KERNEL, -seen.ret, "refused") : 0;
}

static int take_dirty_set(struct driver_fd *fd, uint32_t ioasid, bool on,
			  struct ioasidctl_error **err)
{
	(void)fd;
	seen.calls++;
	seen.id = ioasid;
	seen.on = on;
	return seen.ret ? error_new(err, ERROR_KERNEL, -seen.ret, "refused") : 0;
}

static int take_dirty_read(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
			   uint64_t page_size, bool keep, uint64_t *bitmap,
			   struct ioasidctl_error **err)
{
	(void)fd, (void)err;
	seen.calls++;
	seen.id = ioasid;
	seen.range = *range;
	seen.page_size = page_size;
	seen.keep = keep;
	bitmap[0] |= 5;
	return 0;
}

static int set_up(void **state)
{
	int ret = engine_set_up(state);

	memset(&seen, 0, sizeof(seen));
	fake_driver.invalidate = take_invalidate;
	fake_driver.dirty_set = take_dirty_set;
	fake_driver.dirty_read = take_dirty_read;
	if (!ret)
		assert_applies(*state, config);
	return ret;
}

static struct live_call call(struct fixture *f, const char *object)
{
	error_free(f->err);
	f->err = NULL;
	return (struct live_call){.engine = f->engine, .topology = "t", .object = object};
}

static void test_invalidate(void **state)
{
	struct fixture *f = *state;
	struct live_call c = call(f, "s1");
	struct invalidation entries[2];
	size_t done;

	assert_int_equal(invalidation_parse("0x1000+4K", true, &entries[0], NULL), 0);
	assert_int_equal(invalidation_parse("all", false, &entries[1], NULL), 0);
	assert_int_equal(live_invalidate(&c, entries, 2, &done, &f->err), 0);
	assert_int_equal(done, 2);
	assert_int_equal(seen.id, engine_topology(f->engine, "t")->fds[0].ioasids[2].live.id);
	assert_false(seen.viommu);
	assert_false(seen.entries[0].everything);
	assert_true(seen.entries[0].leaf);
	assert_int_equal(seen.entries[0].range.first, 0x1000);
	assert_int_equal(seen.entries[0].range.last, 0x1fff);
	assert_true(seen.entries[1].everything);

	c = call(f, "main/v");
	assert_int_equal(invalidation_parse("command:0x11,2", false, &entries[0], NULL), 0);
	assert_int_equal(live_invalidate(&c, entries, 1, &done, &f->err), 0);
	assert_true(seen.viommu);
	assert_int_equal(seen.id, engine_topology(f->engine, "t")->fds[0].viommus[0].live.id);
	assert_int_equal(seen.entries[0].n_words, 2);
	assert_int_equal(seen.entries[0].words[0], 0x11);
	assert_int_equal(seen.entries[0].words[1], 2);

	seen.ret = -EIO;
	assert_int_equal(live_invalidate(&c, entries, 1, &done, &f->err), -EIO);
	assert_int_equal(done, 1);
	assert_string_equal(f->err->object, "t/main/main/v");
}

static void test_entries_that_are_none(void **state)
{
	static const char *const texts[] = {"",
					    "al",
					    "0x1000",
					    "5-4",
					    "1+0",
					    "command:",
					    "command:x",
					    "command:1,2,3",
					    "0-0x1ffffffffffffffff",
					    "0xffffffffffffffff+2"};
	struct fixture *f = *state;
	struct invalidation entry;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		assert_int_equal(invalidation_parse(texts[i], false, &entry, &err), -EINVAL);
		assert_int_equal(err->kind, ERROR_USAGE);
		assert_non_null(err->hint);
	}
	(void)f;
}

static void assert_refused(struct fixture *f, int ret, int expected, const char *message)
{
	assert_int_equal(ret, expected);
	assert_string_equal(f->err->message, message);
	assert_non_null(f->err->hint);
	assert_int_equal(seen.calls, 0);
}

static void test_invalidate_refusals(void **state)
{
	const struct invalidation all = {.everything = true};
	struct fixture *f = *state;
	struct live_call c = call(f, "gpa");
	size_t done;

	assert_refused(f, live_invalidate(&c, &all, 1, &done, &f->err), -EOPNOTSUPP,
		       "main/gpa: there is nothing to invalidate");
	c = call(f, "s2");
	assert_refused(f, live_invalidate(&c, &all, 1, &done, &f->err), -ENOENT,
		       "topology t has no IOASID and no vIOMMU s2");
	c = call(f, "mai/s1");
	assert_refused(f, live_invalidate(&c, &all, 1, &done, &f->err), -ENOENT,
		       "topology t has no IOASID and no vIOMMU mai/s1");
	c = call(f, "both");
	assert_refused(f, live_invalidate(&c, &all, 1, &done, &f->err), -EINVAL,
		       "both of topology t is in several fds");
	c = call(f, "s1");
	c.topology = "u";
	assert_refused(f, live_invalidate(&c, &all, 1, &done, &f->err), -ENOENT,
		       "there is no topology u");
	c = call(f, "s1");
	fake_driver.invalidate = NULL;
	assert_refused(f, live_invalidate(&c, &all, 1, &done, &f->err), -EOPNOTSUPP,
		       "main/s1: nothing can be invalidated");
}

static void test_dirty(void **state)
{
	const struct range range = {0x0, 0xffff};
	struct fixture *f = *state;
	struct live_call c = call(f, "gpa");
	uint64_t bitmap = UINT64_MAX;

	assert_refused(f, live_dirty_read(&c, &range, 4096, false, &bitmap, &f->err), -EOPNOTSUPP,
		       "main/gpa: dirty tracking is not on");
	c = call(f, "gpa");
	seen.ret = -EIO;
	assert_int_equal(live_dirty_set(&c, true, &f->err), -EIO);
	assert_false(engine_topology(f->engine, "t")->fds[0].ioasids[0].live.dirty);
	seen.ret = 0;
	c = call(f, "gpa");
	assert_int_equal(live_dirty_set(&c, true, &f->err), 0);
	assert_true(seen.on);
	assert_true(engine_topology(f->engine, "t")->fds[0].ioasids[0].live.dirty);
	assert_int_equal(live_dirty_read(&c, &range, 4096, true, &bitmap, &f->err), 0);
	assert_int_equal(bitmap, 5);
	assert_int_equal(seen.range.last, 0xffff);
	assert_int_equal(seen.page_size, 4096);
	assert_true(seen.keep);
	/* It stays on over an apply that doesn't rebuild the IOASID. */
	assert_applies(f, config);
	assert_int_equal(live_dirty_read(&c, &range, 4096, false, &bitmap, &f->err), 0);
	assert_false(seen.keep);
	assert_int_equal(live_dirty_set(&c, false, &f->err), 0);
	assert_false(seen.on);
}

static void test_dirty_refusals(void **state)
{
	const struct range odd = {0x0, 0x1000}, far = {0, UINT64_MAX}, range = {0, 0xfff};
	struct fixture *f = *state;
	struct live_call c = call(f, "s1");
	uint64_t bitmap = 0;

	assert_refused(f, live_dirty_set(&c, true, &f->err), -EOPNOTSUPP,
		       "main/s1: no dirty pages are recorded here");
	c = call(f, "v");
	assert_refused(f, live_dirty_set(&c, true, &f->err), -EOPNOTSUPP,
		       "main/v: no dirty pages are recorded here");
	c = call(f, "gpa");
	assert_refused(f, live_dirty_read(&c, &odd, 4096, false, &bitmap, &f->err), -EINVAL,
		       "0x0-0x1000 isn't made of whole pages of 0x1000 bytes");
	c = call(f, "gpa");
	assert_int_equal(live_dirty_read(&c, &range, 3, false, &bitmap, &f->err), -EINVAL);
	c = call(f, "gpa");
	assert_int_equal(live_dirty_read(&c, &far, 4096, false, &bitmap, &f->err), -E2BIG);
	assert_int_equal(seen.calls, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, engine_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_invalidate),		TEST(test_entries_that_are_none),
		TEST(test_invalidate_refusals), TEST(test_dirty),
		TEST(test_dirty_refusals),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
