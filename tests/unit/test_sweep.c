// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything that can fail fails, one after the other: each allocation, each system call on
 * memory, each ioctl of the reference device. Afterwards all is as it was, or the new state is
 * there and what was left behind is named. The linker puts the __wrap_ functions in between
 * (tests.mk).
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "apply/engine.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "refdev/refdev.h"
#include "report/report.h"
#include "uapi/ioasid.h"

/* Counts down while armed; the call that finds it at 0 fails, or all from there on. */
static long countdown;
static bool armed, for_good;

static bool fails_now(void)
{
	if (!armed)
		return false;
	countdown--;
	return for_good ? countdown < 0 : countdown == -1;
}

#define WRAP(type, name, failure, errnum, parameters, ...) \
	type __real_##name parameters;                     \
	type __wrap_##name parameters;                     \
	type __wrap_##name parameters                      \
	{                                                  \
		if (!fails_now())                          \
			return __real_##name(__VA_ARGS__); \
		errno = errnum;                            \
		return failure;                            \
	}

WRAP(void *, malloc, NULL, ENOMEM, (size_t size), size)
WRAP(void *, calloc, NULL, ENOMEM, (size_t n, size_t size), n, size)
WRAP(void *, realloc, NULL, ENOMEM, (void *p, size_t size), p, size)
WRAP(void *, reallocarray, NULL, ENOMEM, (void *p, size_t n, size_t size), p, n, size)
WRAP(char *, strdup, NULL, ENOMEM, (const char *text), text)
WRAP(char *, strndup, NULL, ENOMEM, (const char *text, size_t n), text, n)
WRAP(int, vasprintf, -1, ENOMEM, (char **out, const char *fmt, va_list args), out, fmt, args)
WRAP(FILE *, open_memstream, NULL, ENOMEM, (char **text, size_t *size), text, size)
WRAP(int, memfd_create, -1, EMFILE, (const char *name, unsigned flags), name, flags)
WRAP(int, ftruncate64, -1, EIO, (int fd, off64_t size), fd, size)
WRAP(int, fallocate64, -1, ENOSPC, (int fd, int mode, off64_t from, off64_t size), fd, mode, from,
     size)
WRAP(void *, mmap64, MAP_FAILED, ENOMEM,
     (void *at, size_t size, int prot, int flags, int fd, off64_t from), at, size, prot, flags, fd,
     from)

int __real_refdev_ioctl(struct refdev_file *file, unsigned long command, void *arg);
int __wrap_refdev_ioctl(struct refdev_file *file, unsigned long command, void *arg);
int __wrap_refdev_ioctl(struct refdev_file *file, unsigned long command, void *arg)
{
	/* UNBIND is this device's close(2): like that one it succeeds. */
	if (command != IOASID_UNBIND_DEVICE && fails_now())
		return -EIO;
	return __real_refdev_ioctl(file, command, arg);
}

/* What jansson allocates is behind a library's wall. Its parser aborts in want of memory. */
static bool parses_json;

static void *json_memory(size_t size)
{
	return !parses_json && fails_now() ? NULL : __real_malloc(size);
}

struct fixture {
	struct refdev *refdev;
	struct refdev_file *watch; /* another open of the device, to look at the machine with */
	struct engine *engine;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct driver_env env = {.root = ""};
	char *why;

	armed = for_good = parses_json = false;
	json_set_alloc_funcs(json_memory, free);
	assert_int_equal(refdev_new(NULL, 0, &f->refdev, &why), 0);
	assert_int_equal(refdev_open(f->refdev, &f->watch), 0);
	env.refdev = f->refdev;
	assert_int_equal(engine_new(&env, &f->engine, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	engine_free(f->engine);
	refdev_close(f->watch);
	refdev_free(f->refdev);
	free(f);
	return 0;
}

static struct topology *parse(const char *yaml)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct topology *t = NULL;

	if (config_parse(yaml, strlen(yaml), "test.yaml", &t, &err))
		fail_msg("%s", err->message);
	return t;
}

static int apply(struct fixture *f, const char *yaml, bool verify, struct ioasidctl_error **err)
{
	const struct transaction how = {.driver = DRIVER_IOASID, .no_verify = !verify};
	json_t *result = NULL;
	int ret;

	if (yaml)
		ret = engine_apply(f->engine, parse(yaml), &how, &result, err);
	else if (engine_topology(f->engine, "t"))
		ret = engine_delete(f->engine, "t", &how, &result, err);
	else
		ret = 0;
	json_decref(result);
	return ret;
}

/* Members of all groups: host drivers, what is bound. The numbers that a snapshot may differ in
 * (cookies: a device may have been bound anew) aren't in it. */
static void write_machine(FILE *out, struct refdev_file *watch)
{
	struct ioasid_entry_member members[64];
	struct ioasid_list_args args = {.argsz = sizeof(args),
					.kind = IOASID_LIST_MEMBERS,
					.object = IOASID_NONE,
					.count = ARRAY_SIZE(members),
					.entries = (uintptr_t)members};

	assert_int_equal(refdev_ioctl(watch, IOASID_LIST, &args), 0);
	assert_false(args.flags & IOASID_LIST_MORE);
	for (uint32_t i = 0; i < args.count; i++)
		fprintf(out, "%s %s %x\n", members[i].device.name, members[i].driver,
			members[i].device_flags);
}

static size_t count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static char *snapshot(struct fixture *f)
{
	const struct topology *t = engine_topology(f->engine, "t");
	char *text = NULL;
	size_t size, i;
	FILE *out = open_memstream(&text, &size);
	json_t *dump = t ? report_topology(engine_env(f->engine), t) : json_null(), *device;

	assert_non_null(dump);
	json_array_foreach (json_object_get(dump, "devices"), i, device)
		json_object_del(device, "id");
	write_machine(out, f->watch);
	fprintf(out, "descriptors %zu\n", count_descriptors());
	json_dumpf(dump, out, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	json_decref(dump);
	fclose(out);
	return text;
}

static void begin_failing(long at)
{
	countdown = at;
	armed = true;
}

/* Whether anything did fail. */
static bool end_failing(void)
{
	armed = false;
	return countdown < 0;
}

static void assert_explained(const struct ioasidctl_error *err)
{
	for (; err; err = err->next)
		assert_non_null(err->message);
}

static void assert_same(const char *before, const char *after, long at,
			const struct ioasidctl_error *err)
{
	size_t line = 0;

	if (!strcmp(before, after))
		return;
	for (size_t i = 0; before[i] && before[i] == after[i]; i++)
		if (before[i] == '\n')
			line = i + 1;
	for (; err; err = err->next)
		print_error("%s: %s\n", err->message, err->cause ? err->cause : "");
	fail_msg("call %ld: was \"%.*s\", is \"%.*s\"", at, (int)strcspn(before + line, "\n"),
		 before + line, (int)strcspn(after + line, "\n"), after + line);
}

/* From the one state to the other with each step failing in turn. NULL: nothing is there. */
static void sweep(struct fixture *f, const char *from, const char *to)
{
	for (long at = 0;; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		_cleanup_free_ char *before = NULL, *after = NULL;
		const struct transaction how = {.driver = DRIVER_IOASID};
		struct topology *desired = to ? parse(to) : NULL;
		json_t *result = NULL;
		bool failed;
		int ret;

		assert_int_equal(apply(f, NULL, true, NULL), 0);
		assert_int_equal(from ? apply(f, from, true, NULL) : 0, 0);
		before = snapshot(f);
		begin_failing(at);
		ret = to ? engine_apply(f->engine, desired, &how, &result, &err)
			 : engine_delete(f->engine, "t", &how, &result, &err);
		failed = end_failing();
		json_decref(result);
		assert_explained(err);
		if (!failed) {
			assert_int_equal(ret, 0);
			assert_true(at > 30);
			return;
		}
		if (!ret)
			continue; /* it wasn't needed: a trace, a cause */
		after = snapshot(f);
		if (err && !strncmp(err->message, "done, but", 9)) {
			/* Behind the point of no return. The same again finds nothing to do. */
			assert_int_equal(apply(f, to, true, NULL), 0);
			continue;
		}
		assert_same(before, after, at, err);
	}
}

#define HEAD "version: 1\nname: t\n"

static const char small[] =
	HEAD "memory: [{name: ram, size: 1M, prefault: true}]\n"
	     "devices: [{name: edu, pci: '0000:00:03.0', driver: vfio-pci}, "
	     "{name: nic, pci: '0000:01:00.0', driver: vfio-pci}]\n"
	     "fds: [{name: main, accounting: user, ioasids: ["
	     "{name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 64K}, "
	     "{iova: 0x20000, memory: ram, offset: 128K, length: 64K, access: r}], "
	     "attach: [{device: edu}]}, "
	     "{name: two, kind: gpa, map: [{iova: 0x200000, copy: gpa, from: 0x0, length: 64K}], "
	     "attach: [{device: nic}]}]}]\n";

/* The same objects, each changed: in place, moved, grown, or with something more or less. */
static const char changed[] =
	HEAD "memory: [{name: ram, size: 4M, prefault: true}, {name: more, size: 64K}]\n"
	     "devices: [{name: edu, pci: '0000:00:03.0', driver: vfio-pci}, "
	     "{name: nic, pci: '0000:01:00.0', driver: vfio-pci}, "
	     "{name: left, pci: '0000:03:01.0', driver: vfio-pci}, "
	     "{name: right, pci: '0000:03:02.0', driver: vfio-pci}]\n"
	     "fds: [{name: main, accounting: user, ioasids: ["
	     "{name: gpa, kind: gpa, allow: [{first: 0x0, last: 0xffffff}], "
	     "map: [{iova: 0x0, memory: ram, length: 64K, access: r}, "
	     "{iova: 0x400000, memory: ram, offset: 3M, length: 1M}], "
	     "attach: [{device: nic}, {device: left}, {device: right}]}, "
	     "{name: two, kind: gpa, huge_pages: false, map: ["
	     "{iova: 0x300000, memory: more, length: 64K}], attach: [{device: edu}]}]}]\n";

/* The devices on other fds: bound anew. */
static const char elsewhere[] =
	HEAD "memory: [{name: ram, size: 1M, prefault: true}]\n"
	     "devices: [{name: edu, pci: '0000:00:03.0', driver: vfio-pci}, "
	     "{name: other, pci: '0000:01:00.0', driver: vfio-pci}]\n"
	     "fds: [{name: main, accounting: user, ioasids: ["
	     "{name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 64K}], "
	     "attach: [{device: other}]}]}, "
	     "{name: side, ioasids: [{name: x, kind: gpa, map: ["
	     "{iova: 0x0, memory: ram, length: 1M}], attach: [{device: edu}]}]}]\n";

/* The device with a region of its own makes place for one without, which may use all. */
#define ONE_DEVICE(device, allow)                                                          \
	HEAD "devices: [" device "]\nfds: [{name: main, ioasids: [{name: gpa, kind: gpa, " \
	     "attach: [{device: it}]" allow "}]}]\n"

static const char region[] = ONE_DEVICE("{name: it, pci: '0000:04:00.0', driver: vfio-pci}", "");
static const char ranges[] = ONE_DEVICE("{name: it, pci: '0000:00:03.0', driver: vfio-pci}",
					", allow: [{first: 0x0, last: 0xfedfffff}]");

#define SWEEP(from, to)                                 \
	static void test_##from##_to_##to(void **state) \
	{                                               \
		sweep(*state, from, to);                \
	}
#define nothing NULL

SWEEP(nothing, small)
SWEEP(nothing, changed)
SWEEP(small, changed)
SWEEP(changed, small)
SWEEP(small, elsewhere)
SWEEP(elsewhere, small)
SWEEP(changed, nothing)
SWEEP(region, ranges)
SWEEP(ranges, region)

/* When everything fails, undoing does too: what is left is named, nothing crashes or leaks. */
static void test_all_fails(void **state)
{
	bool failed = true;

	for (long at = 0; failed; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		const struct transaction how = {.driver = DRIVER_IOASID};
		struct topology *desired = parse(changed);
		struct fixture *f = *state;
		json_t *result = NULL;

		assert_int_equal(apply(f, small, true, NULL), 0);
		for_good = true;
		begin_failing(at);
		engine_apply(f->engine, desired, &how, &result, &err);
		failed = end_failing();
		for_good = false;
		json_decref(result);
		assert_explained(err);
		tear_down(state);
		set_up(state);
	}
}

/* Reading never changes anything, and gives all or nothing. */
static void test_show(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = NULL;
	bool failed = true;

	assert_int_equal(apply(f, changed, true, NULL), 0);
	before = snapshot(f);
	for (long at = 0; failed; at++) {
		_cleanup_free_ char *after = NULL;
		json_t *dump;

		begin_failing(at);
		dump = report_topology(engine_env(f->engine), engine_topology(f->engine, "t"));
		failed = end_failing();
		json_decref(dump);
		after = snapshot(f);
		assert_string_equal(after, before);
	}
}

static void test_parse(void **state)
{
	bool failed = true;

	(void)state;
	for (long at = 0; failed; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		struct topology *t = NULL;
		int ret;

		begin_failing(at);
		ret = config_parse(changed, strlen(changed), "test.yaml", &t, &err);
		failed = end_failing();
		assert_explained(err);
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		assert_true((t != NULL) == !failed);
		topology_free(t);
	}
}

/* All faults, or none and that memory is short: not a part of them. */
static void test_parse_broken(void **state)
{
	static const char broken[] =
		HEAD "memory: [{name: ram, size: 64Q}, {name: ram, size: 0}]\n"
		     "fds: [{name: Main, ioasids: [{nmae: gpa, kind: gpo}]}]\n";
	bool failed = true;

	(void)state;
	for (long at = 0; failed; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		struct topology *t = NULL;
		int ret;

		begin_failing(at);
		ret = config_parse(broken, strlen(broken), "test.yaml", &t, &err);
		failed = end_failing();
		assert_explained(err);
		assert_null(t);
		assert_true(ret == -EINVAL || (failed && ret == -ENOMEM));
	}
}

static void test_machine(void **state)
{
	bool failed = true;

	(void)state;
	parses_json = true;
	for (long at = 0; failed; at++) {
		struct refdev *refdev = NULL;
		char *why;
		int ret;

		begin_failing(at);
		ret = refdev_new(NULL, 0, &refdev, &why);
		failed = end_failing();
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		assert_null(why);
		refdev_free(refdev);
	}
}

static void test_write(void **state)
{
	struct topology *t = parse(changed);
	bool failed = true;

	(void)state;
	for (long at = 0; failed; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		_cleanup_free_ char *text = NULL;
		size_t length;
		int ret;

		begin_failing(at);
		ret = config_write(t, &text, &length, &err);
		failed = end_failing();
		assert_explained(err);
		assert_true((ret == 0) == (text != NULL));
		if (!failed)
			assert_int_equal(ret, 0);
	}
	topology_free(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_to_small),
		TEST(test_nothing_to_changed),
		TEST(test_small_to_changed),
		TEST(test_changed_to_small),
		TEST(test_small_to_elsewhere),
		TEST(test_elsewhere_to_small),
		TEST(test_changed_to_nothing),
		TEST(test_region_to_ranges),
		TEST(test_ranges_to_region),
		TEST(test_all_fails),
		TEST(test_show),
		TEST(test_parse),
		TEST(test_write),
		TEST(test_parse_broken),
		TEST(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
