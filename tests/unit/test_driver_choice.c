// SPDX-License-Identifier: GPL-2.0-or-later
/* Which driver `auto` comes to, and what is said where there is none. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "driver/driver.h"

static int there(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	(void)env;
	(void)node;
	(void)err;
	return 0;
}

static int no_node(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_PERMISSION, EACCES, "can't open %s", node);

	(void)env;
	error_hint(err, "be root");
	return ret;
}

static int no_module(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "nothing at %s", node);

	(void)env;
	error_cause(err, "no module");
	error_hint(err, "load it");
	return ret;
}

static struct driver best = {.name = "best", .choice = DRIVER_IOMMUFD},
		     next = {.name = "next", .choice = DRIVER_VFIO},
		     reference = {.name = "ref", .choice = DRIVER_IOASID, .available = there};

static int resolve(const struct driver *const *list, enum driver_choice choice,
		   const struct driver **out, struct ioasidctl_error **err)
{
	const struct driver_env env = {.drivers = list};

	*out = NULL;
	return driver_resolve(&env, choice, "/dev/node", out, err);
}

static void test_the_first_that_is_there(void **state)
{
	const struct driver *const list[] = {&best, &reference, &next, NULL};
	const struct driver *got;

	(void)state;
	best.available = next.available = there;
	assert_int_equal(resolve(list, DRIVER_AUTO, &got, NULL), 0);
	assert_ptr_equal(got, &best);
	best.available = no_module;
	assert_int_equal(resolve(list, DRIVER_AUTO, &got, NULL), 0);
	assert_ptr_equal(got, &next);
	assert_int_equal(resolve(list, DRIVER_IOASID, &got, NULL), 0);
	assert_ptr_equal(got, &reference);
}

/* Never the reference device; what is in the way of each of the others, and of what kind. */
static void test_none(void **state)
{
	const struct driver *const list[] = {&best, &reference, &next, NULL}, *const only[] = {
										      &reference,
										      NULL};
	_cleanup_error_ struct ioasidctl_error *err = NULL, *other = NULL;
	const struct driver *got;

	(void)state;
	best.available = no_node;
	next.available = no_module;
	assert_int_equal(resolve(list, DRIVER_AUTO, &got, &err), -EACCES);
	assert_null(got);
	assert_int_equal(err->kind, ERROR_PERMISSION);
	assert_string_equal(err->message,
			    "this machine offers no IOMMU interface that can be used");
	assert_string_equal(err->cause,
			    "best: can't open /dev/node; next: nothing at /dev/node: no module");
	assert_string_equal(err->hint, "be root; or load it; or try the file on the reference "
				       "device: --driver ioasid");
	assert_int_equal(resolve(only, DRIVER_AUTO, &got, &other), -ENODEV);
	assert_int_equal(other->kind, ERROR_UNAVAILABLE);
	assert_null(other->cause);
	assert_string_equal(other->hint, "try the file on the reference device: --driver ioasid");
	assert_int_equal(resolve(list, DRIVER_AUTO, &got, NULL), -EACCES);
}

static void test_asked_for(void **state)
{
	const struct driver *const list[] = {&best, &next, &reference, NULL}, *const only[] = {
										      &reference,
										      NULL};
	_cleanup_error_ struct ioasidctl_error *err = NULL, *other = NULL;
	const struct driver *got;

	(void)state;
	best.available = there;
	next.available = no_module;
	assert_int_equal(resolve(list, DRIVER_VFIO, &got, &err), -ENODEV);
	assert_string_equal(err->message, "nothing at /dev/node");
	assert_int_equal(resolve(only, DRIVER_VFIO, &got, &other), -ENOSYS);
	assert_int_equal(other->kind, ERROR_REFUSED);
	assert_null(got);
}

/* The order of this build's own. */
static void test_own_drivers(void **state)
{
	(void)state;
	assert_ptr_equal(drivers[0], &driver_iommufd);
	assert_ptr_equal(drivers[1], &driver_vfio);
	assert_ptr_equal(drivers[2], &driver_ioasid);
	assert_null(drivers[3]);
	assert_true(drivers_share_machine(drivers[0], drivers[1]));
	assert_false(drivers_share_machine(drivers[1], drivers[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_that_is_there),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_asked_for),
		cmocka_unit_test(test_own_drivers),
	};

	return cmocka_run_group_tests_name("driver_choice", tests, NULL, NULL);
}
