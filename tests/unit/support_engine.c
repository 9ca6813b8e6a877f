// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "support_fake_driver.h"

static const struct driver *const fakes[] = {&fake_driver, NULL};

int engine_set_up(void **state)
{
	const struct driver_env env = {.root = "", .drivers = fakes};
	struct fixture *f = calloc(1, sizeof(*f));

	fake_reset();
	fake_add_device("0000:01:00.0", "nic", 1);
	fake_add_device("0000:02:00.0", "", 2);
	fake_add_device("0000:03:00.0", "vfio-pci", 3);
	fake_add_device("0000:04:00.0", "nic", 1);
	assert_int_equal(engine_new(&env, &f->engine, NULL), 0);
	*state = f;
	return 0;
}

int engine_tear_down(void **state)
{
	struct fixture *f = *state;

	engine_free(f->engine);
	error_free(f->err);
	json_decref(f->result);
	free(f);
	return 0;
}

int apply_with(struct fixture *f, const char *yaml, struct transaction how)
{
	struct topology *desired = NULL;

	error_free(f->err);
	f->err = NULL;
	json_decref(f->result);
	f->result = NULL;
	how.driver = DRIVER_IOASID;
	if (config_parse(yaml, strlen(yaml), "test.yaml", &desired, &f->err))
		fail_msg("%s", f->err->message);
	return engine_apply(f->engine, desired, &how, &f->result, &f->err);
}

int apply(struct fixture *f, const char *yaml)
{
	return apply_with(f, yaml, (struct transaction){0});
}

int delete_topology(struct fixture *f)
{
	const struct transaction how = {0};

	json_decref(f->result);
	f->result = NULL;
	error_free(f->err);
	f->err = NULL;
	return engine_delete(f->engine, "t", &how, &f->result, &f->err);
}

void assert_applies(struct fixture *f, const char *yaml)
{
	if (apply(f, yaml))
		fail_msg("%s", f->err->message);
}

void assert_changed(struct fixture *f, bool changed)
{
	assert_int_equal(json_boolean_value(json_object_get(f->result, "changed")), changed);
}

long long count_of(struct fixture *f, const char *action)
{
	return json_integer_value(json_object_get(json_object_get(f->result, "counts"), action));
}

int fail_in_turn(struct fixture *f, const char *from, const char *to)
{
	int failures = 0;

	for (int call = 0;; call++) {
		_cleanup_free_ char *before = NULL, *after = NULL;
		int ret;

		if (from)
			assert_applies(f, from);
		before = fake_snapshot();
		fake_fail_at(call);
		ret = apply(f, to);
		fake_fail_at(-1);
		if (!ret)
			break;
		after = fake_snapshot();
		/* What fails behind the point of no return is named and stays; the rest is done. */
		if (!strncmp(f->err->message, "done, but", 9)) {
			assert_applies(f, to);
			assert_changed(f, false);
			break;
		}
		assert_int_equal(f->err->kind, ERROR_KERNEL);
		assert_non_null(strstr(f->err->message, "as it was told to"));
		assert_null(f->err->next);
		assert_string_equal(after, before);
		failures++;
	}
	return failures;
}

enum outcome { SUCCEEDED, FAILED_ONCE, FAILED_TWICE };

static enum outcome fail_twice(struct fixture *f, const char *from, const char *to, int call,
			       int other)
{
	enum outcome outcome = SUCCEEDED;

	if (from)
		assert_applies(f, from);
	fake_fail_at_both(call, other);
	if (apply(f, to))
		outcome = fake_calls() > other ? FAILED_TWICE : FAILED_ONCE;
	fake_fail_at(-1);
	return outcome;
}

int fail_undo_in_turn(struct fixture *f, const char *from, const char *to)
{
	_cleanup_free_ char *before = fake_snapshot();
	enum outcome outcome = FAILED_ONCE;
	int pairs = 0;

	for (int call = 0; outcome != SUCCEEDED; call++) {
		outcome = FAILED_TWICE;
		for (int other = call + 1; outcome == FAILED_TWICE; other++) {
			_cleanup_free_ char *after = NULL;

			outcome = fail_twice(f, from, to, call, other);
			pairs += outcome == FAILED_TWICE;
			/* What couldn't be freed is in the way of some; it goes with its fd. */
			if (other % 2)
				apply(f, to);
			if (delete_topology(f) && f->err->kind != ERROR_UNAVAILABLE &&
			    strncmp(f->err->message, "done, but", 9))
				fail_msg("calls %d, %d: %s", call, other, f->err->message);
			after = fake_snapshot();
			/* A host driver that couldn't be given back is nobody's any more. */
			if (from)
				assert_string_equal(after, before);
		}
	}
	return pairs;
}
