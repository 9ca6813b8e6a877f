// SPDX-License-Identifier: GPL-2.0-or-later
/* What is handed over raw: opened anew, and what can't be had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/driver.h"
#include "holder/handover.h"

/* What is open: nodes of IOMMUs and devices are files with their names in them. */
struct driver_fd {
	int fd;
};
struct driver_device {
	int fd;
};

static int opens, closes;
static bool fail_device;

static int file_with(const char *content)
{
	char path[] = "/tmp/handover-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	return fd;
}

static int fd_open(const struct driver_env *env, const struct iommu_fd *spec,
		   struct driver_fd **out, struct ioasidctl_error **err)
{
	(void)env;
	(void)err;
	*out = malloc(sizeof(**out));
	(*out)->fd = file_with(spec->name);
	opens++;
	return 0;
}

static void fd_close(struct driver_fd *fd)
{
	close(fd->fd);
	free(fd);
	closes++;
}

static int fd_number(const struct driver_fd *fd)
{
	return fd->fd;
}

static int device_open(const struct driver_env *env, const struct device *spec,
		       struct driver_device **out, struct ioasidctl_error **err)
{
	(void)env;
	if (fail_device)
		return error_new(err, ERROR_BUSY, EBUSY, "%s is busy", spec->name);
	*out = malloc(sizeof(**out));
	(*out)->fd = file_with(spec->address);
	opens++;
	return 0;
}

static void device_close(struct driver_device *dev)
{
	close(dev->fd);
	free(dev);
	closes++;
}

static int device_number(const struct driver_device *dev)
{
	return dev->fd;
}

#define CALLS                                                                                   \
	.open = fd_open, .close = fd_close, .fd_number = fd_number, .device_open = device_open, \
	.device_close = device_close, .device_fd_number = device_number

static const struct driver able = {.name = "able", CALLS};
static const struct driver unable = {
	.name = "unable", .missing = {[CAP_RAW] = "it has no nodes"}, CALLS};

/* Descriptors that the holder has open by itself; none of them may be what is handed over. */
static struct driver_fd held_fd = {500};
static struct driver_device held = {501}, nodeless = {-1};

enum { FREE, ATTACHED, BOUND, ABSENT, HOST, OTHER, NODELESS, TAKEN, N_DEVICES };

static struct attachment attachment = {.device = ATTACHED, .pasid = NO_PASID};
static struct ioasid gpa;
static struct iommu_fd fds[2];
static struct device devices[N_DEVICES];
static struct memory ram;
static struct topology t = {.name = (char *)"vm0",
			    .fds = fds,
			    .n_fds = 2,
			    .devices = devices,
			    .n_devices = N_DEVICES,
			    .memories = &ram,
			    .n_memories = 1};

static int setup(void **state)
{
	static const char *const names[] = {"free", "attached", "bound",    "absent",
					    "host", "other",	"nodeless", "pci:taken"};

	(void)state;
	opens = closes = 0;
	fail_device = false;
	t.n_devices = N_DEVICES;
	ioasid_init(&gpa);
	gpa.name = (char *)"gpa";
	gpa.attach = &attachment;
	gpa.n_attach = 1;
	fds[0] = (struct iommu_fd){.name = (char *)"main",
				   .ops = &able,
				   .live.handle = &held_fd,
				   .ioasids = &gpa,
				   .n_ioasids = 1};
	fds[1] = (struct iommu_fd){.name = (char *)"soft", .ops = &unable, .live.handle = &held_fd};
	for (size_t i = 0; i < N_DEVICES; i++) {
		device_init(&devices[i]);
		devices[i].name = devices[i].address = (char *)names[i];
		devices[i].fd = 0;
		devices[i].live.handle = &held;
	}
	devices[ATTACHED].live.bound = devices[BOUND].live.bound = true;
	devices[ABSENT].live.handle = devices[HOST].live.handle = devices[TAKEN].live.handle = NULL;
	devices[HOST].host_only = devices[TAKEN].host_only = true;
	devices[TAKEN].taken_for = FREE;
	devices[OTHER].fd = 1;
	devices[NODELESS].live.handle = &nodeless;
	memory_init(&ram);
	ram.name = (char *)"ram";
	ram.live.fd = file_with("memory");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(ram.live.fd);
	assert_int_equal(opens, closes);
	return 0;
}

static void check_file(const struct handover_fd *one, const char *name, const char *content)
{
	char text[32] = "";

	assert_string_equal(one->name, name);
	assert_true(one->owned);
	assert_true(fcntl(one->fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(pread(one->fd, text, sizeof(text), 0), strlen(content));
	assert_string_equal(text, content);
}

static void test_all_that_can_be_had(void **state)
{
	const struct driver_env env = {.root = ""};
	struct handover h;

	(void)state;
	assert_int_equal(handover_collect_raw(&env, &t, NULL, &h, NULL), 0);
	assert_int_equal(h.n_fds, 3);
	check_file(&h.fds[0], "main", "main");
	check_file(&h.fds[1], "free", "free");
	check_file(&h.fds[2], "ram", "memory");
	assert_int_equal(h.fds[0].kind, HANDOVER_SHARED);
	assert_int_equal(h.fds[1].kind, HANDOVER_RAW_DEVICE);
	assert_int_equal(h.fds[2].kind, HANDOVER_SHARED);
	handover_done(&h);
}

/* Among others, which stay as they are. */
static void test_unbound_devices_anew(void **state)
{
	static const char *const names[] = {"main", "attached", "free", "other", "ram"};
	const struct driver_env env = {.root = ""};
	struct handover h = {.fds = calloc(ARRAY_SIZE(names), sizeof(*h.fds)),
			     .n_fds = ARRAY_SIZE(names)};
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	for (int i = 0; i < (int)h.n_fds; i++)
		h.fds[i] = (struct handover_fd){.name = strdup(names[i]), .fd = 500 + i};
	assert_int_equal(handover_renew(&env, &t, &h, NULL), 0);
	for (int i = 0; i < (int)h.n_fds; i++) {
		assert_int_equal(h.fds[i].kind, HANDOVER_SHARED);
		if (i == 2)
			check_file(&h.fds[i], "free", "free");
		else
			assert_int_equal(h.fds[i].fd, 500 + i);
		assert_int_equal(h.fds[i].owned, i == 2);
	}
	/* Once is enough. */
	assert_int_equal(handover_renew(&env, &t, &h, NULL), 0);
	assert_int_equal(opens, 1);
	close(h.fds[2].fd);
	h.fds[2].owned = false;
	fail_device = true;
	assert_int_equal(handover_renew(&env, &t, &h, &err), -EBUSY);
	assert_string_equal(err->message, "free is busy");
	handover_done(&h);
}

static void test_what_is_wanted(void **state)
{
	static const char *const wanted[] = {"ram", "free", NULL};
	const struct driver_env env = {.root = ""};
	struct handover h;

	(void)state;
	assert_int_equal(handover_collect_raw(&env, &t, wanted, &h, NULL), 0);
	assert_int_equal(h.n_fds, 2);
	check_file(&h.fds[0], "ram", "memory");
	check_file(&h.fds[1], "free", "free");
	handover_done(&h);
}

static void refuse(const char *const *wanted, enum error_kind kind, const char *message,
		   const char *cause, const char *hint)
{
	const struct driver_env env = {.root = ""};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct handover h;

	assert_true(handover_collect_raw(&env, &t, wanted, &h, &err) < 0);
	assert_int_equal(err->kind, kind);
	assert_string_equal(err->message, message);
	if (cause)
		assert_string_equal(err->cause, cause);
	if (hint)
		assert_non_null(strstr(err->hint, hint));
	assert_null(err->next);
	assert_int_equal(h.n_fds, 0);
}

#define WANTED(...)                              \
	(const char *const[])                    \
	{                                        \
		"ram", "main", __VA_ARGS__, NULL \
	}

static void test_what_cant_be_had(void **state)
{
	(void)state;
	refuse(WANTED("attached"), ERROR_REFUSED,
	       "device attached can't be handed over raw: it is bound to main",
	       "it is attached to main/gpa", "take it out of every `attach`");
	refuse(WANTED("bound"), ERROR_REFUSED,
	       "device bound can't be handed over raw: it is bound to main",
	       "a viommu or a memory of the config needs it", "without --raw");
	refuse(WANTED("absent"), ERROR_REFUSED, "device absent can't be handed over raw",
	       "the holder doesn't have it: it isn't there, or had to be let go",
	       "`ioasidctl show`");
	refuse(WANTED("host"), ERROR_REFUSED, "device host can't be handed over raw",
	       "it stays with its host driver", NULL);
	refuse(WANTED("other"), ERROR_REFUSED, "device other can't be handed over raw",
	       "driver unable hands no devices over unbound: it has no nodes", NULL);
	refuse(WANTED("soft"), ERROR_REFUSED, "fd soft can't be handed over raw",
	       "driver unable hands no devices over unbound: it has no nodes", NULL);
	refuse(WANTED("nodeless"), ERROR_REFUSED,
	       "device nodeless can't be handed over raw: it has no node of its own", NULL, NULL);
	refuse(WANTED("nothing"), ERROR_USAGE, "topology vm0 has no fd, device or memory nothing",
	       NULL, "`ioasidctl show vm0`");
	refuse(WANTED("main/gpa"), ERROR_USAGE, "topology vm0 has no fd, device or memory main/gpa",
	       NULL, NULL);
	refuse(WANTED("free", "ram"), ERROR_USAGE, "ram is wanted twice", NULL, NULL);
	fail_device = true;
	refuse(WANTED("free"), ERROR_BUSY, "free is busy", NULL, NULL);
	refuse(NULL, ERROR_BUSY, "free is busy", NULL, NULL);
}

/* The first device's reason stands for all. */
static void test_nothing_can_be_had(void **state)
{
	(void)state;
	devices[FREE].live.bound = true;
	devices[NODELESS].live.handle = NULL;
	refuse(NULL, ERROR_REFUSED, "device free can't be handed over raw: it is bound to main",
	       NULL, NULL);
	t.n_devices = 0;
	refuse(NULL, ERROR_REFUSED, "topology vm0 has no device to hand over raw", NULL,
	       "leave --raw out");
}

static void test_a_config_without_fds(void **state)
{
	(void)state;
	devices[FREE].fd = NO_INDEX;
	devices[FREE].live.handle = NULL;
	refuse(WANTED("free"), ERROR_REFUSED, "device free can't be handed over raw",
	       "the config declares no fd, so nothing says how to open it", "fds: [{name: main}]");
}

#define RAW_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RAW_TEST(test_all_that_can_be_had), RAW_TEST(test_unbound_devices_anew),
		RAW_TEST(test_what_is_wanted),	    RAW_TEST(test_what_cant_be_had),
		RAW_TEST(test_nothing_can_be_had),  RAW_TEST(test_a_config_without_fds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
