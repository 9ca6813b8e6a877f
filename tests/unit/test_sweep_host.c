// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each allocation fails, one after the other, while a host is read, printed, taken for a machine
 * and tried: it either is complete or says that memory was missing. The linker puts the __wrap_
 * functions in between (tests.mk).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/engine.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "refdev/refdev.h"
#include "report/host.h"
#include "report/machine.h"
#include "support_tree.h"

/* Counts down while armed; the call that finds it at 0 fails. */
static long countdown;
static bool armed;

static bool fails_now(void)
{
	return armed && countdown-- == 0;
}

#define WRAP(type, name, failure, parameters, ...)         \
	type __real_##name parameters;                     \
	type __wrap_##name parameters;                     \
	type __wrap_##name parameters                      \
	{                                                  \
		if (!fails_now())                          \
			return __real_##name(__VA_ARGS__); \
		errno = ENOMEM;                            \
		return failure;                            \
	}

WRAP(void *, malloc, NULL, (size_t size), size)
WRAP(void *, calloc, NULL, (size_t n, size_t size), n, size)
WRAP(void *, realloc, NULL, (void *p, size_t size), p, size)
WRAP(void *, reallocarray, NULL, (void *p, size_t n, size_t size), p, n, size)
WRAP(char *, strdup, NULL, (const char *text), text)
WRAP(int, vasprintf, -1, (char **out, const char *fmt, va_list args), out, fmt, args)
WRAP(FILE *, open_memstream, NULL, (char **text, size_t *size), text, size)

/* jansson's parser aborts in want of memory, so only its writer is tried. */
static bool parses_json;

static void *json_memory(size_t size)
{
	return !parses_json && fails_now() ? NULL : __real_malloc(size);
}

static struct tree tree;

static int setup(void **state)
{
	(void)state;
	armed = parses_json = false;
	json_set_alloc_funcs(json_memory, free);
	tree_make(&tree);
	tree_file(&tree, "d2008c22260286\n", "/sys/class/iommu/dmar0/intel-iommu/cap");
	tree_file(&tree, "f00f4e\n", "/sys/class/iommu/dmar0/intel-iommu/ecap");
	tree_pci(&tree, "0000:01:00.0", 1, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:01:00.1", 1, "e1000e", NULL);
	tree_pci(&tree, "0000:02:00.0", 2, NULL, NULL);
	tree_link(&tree, "/sys/class/iommu/dmar0", "/sys/devices/pci0000:00/0000:01:00.0/iommu");
	tree_link(&tree, "/sys/class/iommu/dmar0", "/sys/devices/pci0000:00/0000:01:00.1/iommu");
	tree_file(&tree, "7\n", "/sys/devices/pci0000:00/0000:01:00.1/sriov_totalvfs");
	tree_file(&tree, "1\n", "/sys/devices/pci0000:00/0000:01:00.1/sriov_numvfs");
	tree_link(&tree, "/sys/devices/pci0000:00/0000:02:00.0",
		  "/sys/devices/pci0000:00/0000:01:00.1/virtfn0");
	tree_file(&tree, "DRIVER=xgmac\n", "/sys/devices/platform/eth/uevent");
	tree_link(&tree, "/sys/bus/platform", "/sys/devices/platform/eth/subsystem");
	tree_link(&tree, "/sys/devices/platform/eth", "/sys/kernel/iommu_groups/2/devices/eth");
	tree_file(&tree, "DMA\n", "/sys/kernel/iommu_groups/1/type");
	tree_file(&tree, "0xfee00000 0xfeefffff msi\n",
		  "/sys/kernel/iommu_groups/1/reserved_regions");
	tree_file(&tree, "DRIVER=vhost_vdpa\n", "/sys/bus/vdpa/devices/vdpa0/uevent");
	tree_dir(&tree, "/sys/bus/vdpa/devices/vdpa0/vhost-vdpa-0");
	tree_file(&tree, "", "/dev/iommu");
	tree_file(&tree, "", "/dev/vfio/1");
	tree_file(&tree, "7.3.4\n", "/proc/sys/kernel/osrelease");
	tree_file(&tree, "intel_iommu=on\n", "/proc/cmdline");
	tree_file(&tree, "240 vfio-dev\n", "/proc/devices");
	tree_file(&tree, "Max locked memory 8388608 8388608 bytes\n", "/proc/self/limits");
	tree_file(&tree, "Uid: 0\n", "/proc/self/status");
	tree_process(&tree, 5, "vmm\n", "/dev/vfio/devices/vfio0");
	tree_file(&tree, "0::/system.slice/vm0.service\n", "/proc/5/cgroup");
	tree_process(&tree, 6, "net\n", "/dev/vhost-vdpa-0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tree_remove(&tree);
	return 0;
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

static char *document(void)
{
	_cleanup_host_ struct host host = {0};
	json_t *json;
	char *text;

	assert_int_equal(host_read(tree.root, &host, NULL), 0);
	json = report_host(&host);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	return text;
}

static void test_a_host_is_complete_or_none(void **state)
{
	_cleanup_free_ char *whole = document();
	bool failed = true;
	long at;

	(void)state;
	for (at = 0; failed; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		_cleanup_host_ struct host host = {0};
		int ret;

		begin_failing(at);
		ret = host_read(tree.root, &host, &err);
		failed = end_failing();
		if (ret) {
			assert_int_equal(ret, -ENOMEM);
		} else {
			json_t *json = report_host(&host);
			_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

			assert_string_equal(text, whole);
			json_decref(json);
		}
		if (!failed)
			assert_int_equal(ret, 0);
	}
	assert_true(at > 100);
}

static void test_a_document_is_complete_or_none(void **state)
{
	_cleanup_free_ char *whole = document();
	_cleanup_host_ struct host host = {0};
	bool failed = true;

	(void)state;
	assert_int_equal(host_read(tree.root, &host, NULL), 0);
	for (long at = 0; failed; at++) {
		json_t *json;

		begin_failing(at);
		json = report_host(&host);
		failed = end_failing();
		assert_true(json || failed);
		if (json) {
			_cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

			assert_string_equal(text, whole);
			json_decref(json);
		}
	}
}

static void test_a_machine_is_made_or_not(void **state)
{
	_cleanup_free_ char *text = document();
	bool failed = true;

	(void)state;
	parses_json = true;
	for (long at = 0; failed; at++) {
		_cleanup_free_ char *why = NULL;
		struct refdev *refdev = NULL;
		int ret;

		begin_failing(at);
		ret = machine_open(text, strlen(text), &refdev, &why);
		failed = end_failing();
		assert_int_equal(ret, failed ? -ENOMEM : 0);
		refdev_free(ret ? NULL : refdev);
	}
}

static void test_a_rehearsal_says_what_failed(void **state)
{
	static const char config[] =
		"{version: 1, name: t, memory: [{name: ram, size: 1M}], devices: [\n"
		"{name: d, pci: \"0000:00:03.0\", driver: vfio-pci}], fds: [{name: f, ioasids: [\n"
		"{name: a, kind: gpa, map: [{iova: 0, memory: ram, length: 1M}], attach: [{device: d}]}]}]}";
	bool failed = true;

	(void)state;
	for (long at = 0; failed; at++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		const struct transaction how = {.driver = DRIVER_IOASID};
		struct driver_env env = {.root = ""};
		struct topology *t = NULL;
		struct engine *engine;
		char *why;
		int ret;

		assert_int_equal(config_parse(config, strlen(config), "t.yaml", &t, NULL), 0);
		assert_int_equal(refdev_new(NULL, 0, &env.refdev, &why), 0);
		assert_int_equal(engine_new(&env, &engine, NULL), 0);
		begin_failing(at);
		ret = engine_rehearse(engine, t, &how, &err);
		failed = end_failing();
		if (!failed)
			assert_int_equal(ret, 0);
		engine_free(engine);
		refdev_free(env.refdev);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_host_is_complete_or_none),
		TEST(test_a_document_is_complete_or_none),
		TEST(test_a_machine_is_made_or_not),
		TEST(test_a_rehearsal_says_what_failed),
	};

	return cmocka_run_group_tests_name("sweep-host", tests, NULL, NULL);
}
