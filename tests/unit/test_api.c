// SPDX-License-Identifier: GPL-2.0-or-later
/* The public header as a program that links the library sees it: in this process and on a holder.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ioasidctl.h"
#include "support_holder.h"

static const char config[] =
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
	"devices: [{name: edu, pci: '0000:00:03.0', driver: vfio-pci}]\n"
	"fds: [{name: main, driver: ioasid, ioasids: [{name: gpa, kind: gpa, "
	"map: [{iova: 0x0, memory: ram, length: 1M}], attach: [{device: edu}]}]}]\n";

static int set_up(void **state)
{
	return ioasidctl_new(NULL, (struct ioasidctl **)state, NULL);
}

static int tear_down(void **state)
{
	ioasidctl_free(*state);
	return 0;
}

static int apply(struct ioasidctl *ctx, const char *text, unsigned flags, char **result,
		 struct ioasidctl_error **error)
{
	return ioasidctl_apply(ctx, text, strlen(text), "t.yaml", NULL, flags, result, error);
}

static void test_life(void **state)
{
	struct ioasidctl *ctx = *state;
	char *text = NULL;

	assert_int_equal(apply(ctx, config, 0, &text, NULL), 0);
	assert_non_null(strstr(text, "\"changed\":true"));
	free(text);
	assert_int_equal(apply(ctx, config, 0, &text, NULL), 0);
	assert_non_null(strstr(text, "\"changed\":false"));
	free(text);
	assert_int_equal(ioasidctl_show(ctx, "t", &text, NULL), 0);
	assert_non_null(strstr(text, "\"schema_version\":1"));
	assert_non_null(strstr(text, "\"0000:00:03.0\""));
	free(text);
	assert_int_equal(ioasidctl_delete(ctx, "t", 0, NULL, NULL), 0);
	assert_int_equal(ioasidctl_show(ctx, "t", &text, NULL), -ENOENT);
	assert_int_equal(ioasidctl_show(ctx, NULL, &text, NULL), 0);
	assert_non_null(strstr(text, "\"topologies\":[]"));
	free(text);
}

static void test_dump_applies(void **state)
{
	struct ioasidctl *ctx = *state;
	char *yaml, *result;

	assert_int_equal(apply(ctx, config, 0, NULL, NULL), 0);
	assert_int_equal(ioasidctl_dump_config(ctx, "t", &yaml, NULL), 0);
	assert_int_equal(apply(ctx, yaml, 0, &result, NULL), 0);
	assert_non_null(strstr(result, "\"changed\":false"));
	free(yaml);
	free(result);
	assert_int_equal(ioasidctl_dump_config(ctx, "u", &yaml, NULL), -ENOENT);
}

static void test_dry_run(void **state)
{
	struct ioasidctl *ctx = *state;
	char *text;

	assert_int_equal(apply(ctx, config, IOASIDCTL_DRY_RUN | IOASIDCTL_OPERATIONS, &text, NULL),
			 0);
	assert_non_null(strstr(text, "\"action\":\"map\""));
	free(text);
	assert_int_equal(ioasidctl_show(ctx, "t", &text, NULL), -ENOENT);
	assert_int_equal(apply(ctx, config, 0, NULL, NULL), 0);
	assert_int_equal(ioasidctl_delete(ctx, "t", IOASIDCTL_DRY_RUN, NULL, NULL), 0);
	assert_int_equal(ioasidctl_show(ctx, "t", &text, NULL), 0);
	free(text);
}

static void test_descriptors(void **state)
{
	struct ioasidctl *ctx = *state;
	struct ioasidctl_error *error = NULL;
	char *va;
	int fd;

	assert_int_equal(apply(ctx, config, 0, NULL, NULL), 0);
	fd = ioasidctl_descriptor(ctx, "t", "ram", NULL);
	assert_true(fd >= 0);
	va = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(va, MAP_FAILED);
	va[(1 << 20) - 1] = 1;
	munmap(va, 1 << 20);
	assert_int_equal(ioasidctl_descriptor(ctx, "t", "main", &error), -EOPNOTSUPP);
	assert_string_equal(ioasidctl_error_kind(error), "refused");
	assert_string_equal(ioasidctl_error_message(error), "main of topology t has no descriptor");
	ioasidctl_error_free(error);
	assert_int_equal(ioasidctl_descriptor(ctx, "t", "none", NULL), -ENOENT);
	assert_int_equal(ioasidctl_descriptor(ctx, "u", "ram", NULL), -ENOENT);
}

static void test_errors_are_chained(void **state)
{
	static const char broken[] = "version: 1\nname: T\nfds: []\nbogus: 1\n";
	struct ioasidctl_error *error = NULL;
	const struct ioasidctl_error *next;

	(void)state;
	assert_int_equal(ioasidctl_check(broken, strlen(broken), "b.yaml", &error), -EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "config");
	assert_string_equal(ioasidctl_error_file(error), "b.yaml");
	assert_int_equal(ioasidctl_error_line(error), 2);
	assert_int_equal(ioasidctl_error_column(error), 7);
	assert_string_equal(ioasidctl_error_object(error), "name");
	assert_int_equal(ioasidctl_error_errno(error), EINVAL);
	assert_null(ioasidctl_error_ioctl(error));
	next = ioasidctl_error_next(error);
	assert_non_null(next);
	assert_int_equal(ioasidctl_error_line(next), 4);
	assert_null(ioasidctl_error_next(next));
	ioasidctl_error_free(error);
	assert_int_equal(ioasidctl_check(config, strlen(config), NULL, NULL), 0);
}

static void test_wrong_driver(void **state)
{
	struct ioasidctl_error *error = NULL;

	assert_int_equal(
		ioasidctl_apply(*state, config, strlen(config), NULL, "floppy", 0, NULL, &error),
		-EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "usage");
	assert_string_equal(ioasidctl_error_message(error), "there is no driver floppy");
	ioasidctl_error_free(error);
}

/* Of a topology in this process, or of a holder's. */
static void check_translation(struct ioasidctl *ctx)
{
	const uint64_t iovas[] = {0xfffff, 0x100000};
	struct ioasidctl_error *error = NULL;
	char *text;

	assert_int_equal(ioasidctl_translate(ctx, "t", "edu", -1, NULL, iovas, 2, &text, NULL), 0);
	assert_non_null(strstr(text, "\"iova\":\"0xfffff\",\"translated\":true"));
	assert_non_null(strstr(text, "\"memory\":\"ram\",\"offset\":\"0xfffff\",\"access\":\"rw\","
				     "\"length\":\"0x1\"}"));
	assert_non_null(strstr(text, "\"iova\":\"0x100000\",\"translated\":false"));
	assert_non_null(strstr(text, "\"kind\":\"not-mapped\""));
	free(text);
	assert_int_equal(ioasidctl_translate(ctx, "t", "edu", 5, "r", iovas, 1, &text, NULL), 0);
	assert_non_null(strstr(text, "\"pasid\":5,\"access\":\"r\""));
	assert_non_null(strstr(text, "\"kind\":\"blocked\""));
	free(text);
	text = NULL;
	assert_int_equal(ioasidctl_translate(ctx, "t", "gpu", -1, NULL, iovas, 1, &text, &error),
			 -ENOENT);
	assert_string_equal(ioasidctl_error_kind(error), "usage");
	assert_string_equal(ioasidctl_error_object(error), "gpu");
	ioasidctl_error_free(error);
	assert_int_equal(ioasidctl_translate(ctx, "u", "edu", -1, NULL, iovas, 1, &text, NULL),
			 -ENOENT);
	assert_int_equal(ioasidctl_translate(ctx, "t", "edu", -1, NULL, iovas, 0, &text, NULL),
			 -EINVAL);
	assert_int_equal(ioasidctl_translate(ctx, "t", "edu", 0, NULL, iovas, 1, &text, NULL),
			 -EINVAL);
	assert_int_equal(ioasidctl_translate(ctx, "t", "edu", -1, "wr", iovas, 1, &text, NULL),
			 -EINVAL);
	assert_null(text);
}

static void test_translate(void **state)
{
	assert_int_equal(apply(*state, config, 0, NULL, NULL), 0);
	check_translation(*state);
}

static void test_options(void **state)
{
	struct ioasidctl_options options = {.size = sizeof(options), .machine = "{"};
	struct ioasidctl_error *error = NULL;
	struct ioasidctl *ctx = NULL;

	(void)state;
	assert_int_equal(ioasidctl_new(&options, &ctx, &error), -EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "config");
	assert_int_equal(strncmp(ioasidctl_error_message(error), "machine description: ", 21), 0);
	ioasidctl_error_free(error);
	error = NULL;
	options = (struct ioasidctl_options){0};
	assert_int_equal(ioasidctl_new(&options, &ctx, &error), -EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "usage");
	ioasidctl_error_free(error);
	assert_null(ctx);
}

static void test_no_holder(void **state)
{
	struct ioasidctl_error *error = NULL;
	struct ioasidctl *ctx = NULL;

	(void)state;
	assert_int_equal(ioasidctl_connect("/nonexistent/control", &ctx, &error), -ENOENT);
	assert_string_equal(ioasidctl_error_kind(error), "unavailable");
	ioasidctl_error_free(error);
	assert_null(ctx);
}

static void test_holder(void **state)
{
	struct test_holder h;
	struct ioasidctl_error *error = NULL;
	struct ioasidctl *ctx, *again;
	char *text, *yaml;

	(void)state;
	test_holder_prepare(&h);
	test_holder_start(&h);
	assert_int_equal(ioasidctl_connect(h.socket, &ctx, NULL), 0);
	assert_int_equal(apply(ctx, config, 0, &text, NULL), 0);
	assert_non_null(strstr(text, "\"changed\":true"));
	free(text);
	ioasidctl_free(ctx);

	/* It outlives the connection. */
	assert_int_equal(ioasidctl_connect(h.socket, &again, NULL), 0);
	assert_int_equal(ioasidctl_dump_config(again, "t", &yaml, NULL), 0);
	assert_int_equal(apply(again, yaml, IOASIDCTL_DRY_RUN, &text, NULL), 0);
	assert_non_null(strstr(text, "\"changed\":false"));
	free(text);
	free(yaml);
	assert_int_equal(ioasidctl_show(again, NULL, &text, NULL), 0);
	assert_non_null(strstr(text, "\"name\":\"t\""));
	free(text);
	assert_int_equal(ioasidctl_descriptor(again, "t", "ram", NULL), -EOPNOTSUPP);
	check_translation(again);
	assert_int_equal(apply(again, "version: 1\nname: T\nfds: []\n", 0, NULL, &error), -EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "config");
	assert_int_equal(ioasidctl_error_line(error), 2);
	ioasidctl_error_free(error);
	error = NULL;
	assert_int_equal(apply(again, "version: 1\nname: \xff\n", 0, NULL, &error), -EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "config");
	assert_int_equal(ioasidctl_error_line(error), 2);
	ioasidctl_error_free(error);
	error = NULL;
	assert_int_equal(ioasidctl_delete(again, "\xff", 0, NULL, &error), -EINVAL);
	assert_string_equal(ioasidctl_error_kind(error), "usage");
	ioasidctl_error_free(error);
	assert_int_equal(ioasidctl_delete(again, "t", 0, &text, NULL), 0);
	free(text);
	assert_int_equal(ioasidctl_delete(again, "t", 0, NULL, NULL), -ENOENT);
	ioasidctl_free(again);
	assert_int_equal(test_holder_end(&h, SIGTERM), 0);
	test_holder_clean(&h);
}

static void test_version(void **state)
{
	(void)state;
	assert_string_equal(ioasidctl_version(), IOASIDCTL_VERSION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_life),
		TEST(test_dump_applies),
		TEST(test_dry_run),
		TEST(test_descriptors),
		TEST(test_errors_are_chained),
		TEST(test_wrong_driver),
		TEST(test_options),
		TEST(test_no_holder),
		TEST(test_holder),
		TEST(test_translate),
		TEST(test_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
