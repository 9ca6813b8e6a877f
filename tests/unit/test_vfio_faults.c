// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transactions over the vfio driver and VFIO as Linux has it: each call fails in turn, and nothing
 * may be different afterwards.
 */
#include "fake_vfio.h"

#include "apply/engine.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "support_tree.h"

#define HEAD "version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
#define DEVICES                                                          \
	"devices: [{name: edu, pci: '0000:00:03.0'}, {name: left, pci: " \
	"'0000:03:01.0'}, {name: right, pci: '0000:03:02.0'}]\n"
#define FD(ioasids) "fds: [{name: main, driver: vfio, ioasids: [" ioasids "]}]\n"

static const char first[] = HEAD DEVICES FD(
	"{name: one, map: [{iova: 0x0, memory: ram, length: 64K}, "
	"{iova: 0x20000, memory: ram, offset: 128K, length: 64K, access: r}], "
	"attach: [{device: left}, {device: right}]}, "
	"{name: two, map: [{iova: 0x0, memory: ram, length: 1M}], attach: [{device: edu}]}");

/* Both groups change places, mappings come, go and change, one IOASID is new. */
static const char second[] = HEAD DEVICES FD(
	"{name: one, map: [{iova: 0x0, memory: ram, offset: 64K, length: 64K}, "
	"{iova: 0x40000, memory: ram, length: 64K}], attach: [{device: edu}]}, "
	"{name: two, map: [{iova: 0x0, memory: ram, length: 1M}]}, "
	"{name: three, allow: [{first: 0x0, last: 0xffffff}], map: [{iova: auto, memory: ram, "
	"length: 4K}], attach: [{device: left}, {device: right}]}");

/* A device that the others stay without. */
static const char third[] = HEAD "devices: [{name: left, pci: '0000:03:01.0'}]\n" FD(
	"{name: one, map: [{iova: 0x0, memory: ram, length: 64K}], "
	"attach: [{device: left}]}");

struct world {
	struct tree tree;
	struct driver_env env;
	struct engine *engine;
	struct ioasidctl_error *err;
	json_t *result;
};

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){.env.root = w.tree.root};
	memset(fakes, 0, sizeof(fakes));
	fake_calls = 0;
	fake_fails_at = -1;
	tree_make(&w.tree);
	tree_link(&w.tree, "/dev/null", "/dev/vfio/vfio");
	tree_link(&w.tree, "/dev/zero", "/dev/vfio/2");
	tree_link(&w.tree, "/dev/full", "/dev/vfio/9");
	tree_pci(&w.tree, "0000:00:03.0", 2, "vfio-pci", NULL);
	tree_pci(&w.tree, "0000:03:01.0", 9, "vfio-pci", NULL);
	tree_pci(&w.tree, "0000:03:02.0", 9, "vfio-pci", NULL);
	assert_int_equal(engine_new(&w.env, &w.engine, NULL), 0);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *left = NULL;

	engine_free(w->engine);
	error_free(w->err);
	json_decref(w->result);
	tree_remove(&w->tree);
	left = fake_snapshot();
	assert_string_equal(left, "");
	return 0;
}

static void forget(struct world *w)
{
	error_free(w->err);
	w->err = NULL;
	json_decref(w->result);
	w->result = NULL;
}

static int apply(struct world *w, const char *yaml)
{
	const struct transaction how = {.driver = DRIVER_VFIO};
	struct topology *desired = NULL;

	forget(w);
	if (config_parse(yaml, strlen(yaml), "test.yaml", &desired, &w->err))
		fail_msg("%s", w->err->message);
	return engine_apply(w->engine, desired, &how, &w->result, &w->err);
}

static int delete_it(struct world *w)
{
	const struct transaction how = {0};

	forget(w);
	return engine_delete(w->engine, "t", &how, &w->result, &w->err);
}

static void assert_applies(struct world *w, const char *yaml)
{
	if (apply(w, yaml))
		fail_msg("%s: %s", w->err->message, w->err->cause ? w->err->cause : "");
}

static void assert_is(const char *wanted)
{
	_cleanup_free_ char *now = fake_snapshot();

	assert_string_equal(now, wanted);
}

#define FIRST                                                                   \
	"container typed\n  0+10000:3\n  20000+10000:1\n  group 9, 2 devices\n" \
	"container typed\n  0+100000:3\n  group 2, 1 devices\n"

static void test_what_is_made(void **state)
{
	struct world *w = *state;

	assert_applies(w, first);
	assert_is(FIRST);
	assert_applies(w, second);
	assert_is("container typed\n  0+10000:3\n  40000+10000:3\n  group 2, 1 devices\n"
		  "container\n"
		  "container typed\n  0+1000:3\n  group 9, 2 devices\n");
	assert_applies(w, second);
	assert_false(json_boolean_value(json_object_get(w->result, "changed")));
	assert_applies(w, first);
	assert_is(FIRST);
	assert_applies(w, third);
	assert_is("container typed\n  0+10000:3\n  group 9, 1 devices\n");
	assert_int_equal(delete_it(w), 0);
	assert_is("");
}

/* How many calls failed. */
static int fail_in_turn(struct world *w, const char *from, const char *to)
{
	for (int failures = 0;; failures++) {
		_cleanup_free_ char *before = NULL, *after = NULL;
		int ret;

		if (from)
			assert_applies(w, from);
		before = fake_snapshot();
		fake_calls = 0;
		fake_fails_at = failures;
		ret = to ? apply(w, to) : delete_it(w);
		fake_fails_at = -1;
		if (!ret)
			return failures;
		after = fake_snapshot();
		assert_string_equal(after, before);
		assert_int_equal(w->err->errnum,
				 w->err->kind == ERROR_VERIFY ? w->err->errnum : EIO);
		if (w->err->next)
			fail_msg("after %s: %s", w->err->message, w->err->next->message);
	}
}

static void test_building(void **state)
{
	assert_in_range(fail_in_turn(*state, NULL, first), 20, 1000);
}

static void test_changing(void **state)
{
	assert_in_range(fail_in_turn(*state, first, second), 10, 1000);
}

static void test_changing_back(void **state)
{
	assert_in_range(fail_in_turn(*state, second, first), 10, 1000);
}

static void test_giving_up(void **state)
{
	assert_in_range(fail_in_turn(*state, first, third), 3, 1000);
}

static void test_deleting(void **state)
{
	assert_in_range(fail_in_turn(*state, first, NULL), 2, 1000);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_made),  TEST(test_building),	TEST(test_changing),
		TEST(test_changing_back), TEST(test_giving_up), TEST(test_deleting),
	};

	return cmocka_run_group_tests_name("vfio_faults", tests, NULL, NULL);
}
