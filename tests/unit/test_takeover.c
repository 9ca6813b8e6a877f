// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A topology that goes from one engine to another, as it would from process to process: all is the
 * same there, nothing was done to any object, and what doesn't fit isn't believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "apply/takeover.h"
#include "base/cleanup.h"
#include "config/config.h"
#include "support_engine.h"
#include "support_fake_driver.h"

static const char config[] =
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
	"devices: [{name: a, pci: '0000:01:00.0', driver: vfio-pci},"
	" {name: b, pci: '0000:02:00.0', driver: vfio-pci},"
	" {name: later, pci: '0000:77:00.0', hotplug: attach}]\n"
	"fds: [{name: main, ioasids: ["
	"{name: gpa, nest_parent: true, dirty_tracking: true, "
	"map: [{iova: 0x0, memory: ram, length: 64K}, "
	"{iova: auto, memory: ram, offset: 64K, length: 64K}, "
	"{iova: auto, memory: ram, offset: 128K, length: 64K}], "
	"attach: [{device: b}, {device: later}]}, "
	"{name: s1, kind: nested, parent: gpa, table: {format: mock}, attach: [{device: a}]}], "
	"viommus: [{name: v, parent: gpa, device: a, type: mock, events: {depth: 4}, "
	"vdevices: [{device: a, id: 5}, {device: b, id: 6}], "
	"queues: [{index: 0, iova: 0x0, length: 4K}]}]}]\n";

static unsigned adopted, left;
static int adopt_ret;

/* An object of the fake driver, whose books every engine of this process shares. */
static json_t *pointer_json(const void *p)
{
	return json_pack("{s:I}", "at", (json_int_t)(uintptr_t)p);
}

static void *pointer_of(const json_t *state)
{
	return (void *)(uintptr_t)json_integer_value(json_object_get(state, "at"));
}

static int fd_record(const struct driver_fd *fd, const char *name, struct descriptors *out,
		     json_t **state, struct ioasidctl_error **err)
{
	(void)out, (void)err;
	assert_string_equal(name, "fd/main");
	*state = pointer_json(fd);
	return 0;
}

static int fd_restore(const struct driver_env *env, const char *name, const json_t *state,
		      struct descriptors *given, struct driver_fd **out,
		      struct ioasidctl_error **err)
{
	(void)env, (void)given;
	assert_string_equal(name, "fd/main");
	*out = pointer_of(state);
	return *out ? 0 : error_new(err, ERROR_PROTOCOL, EINVAL, "no such fd");
}

static int device_record(const struct driver_device *dev, const char *name, struct descriptors *out,
			 json_t **state, struct ioasidctl_error **err)
{
	(void)out, (void)err, (void)name;
	*state = pointer_json(dev);
	return 0;
}

static int device_restore(struct driver_fd *fd, const char *name, const json_t *state,
			  struct descriptors *given, struct driver_device **out,
			  struct ioasidctl_error **err)
{
	(void)given, (void)name;
	assert_non_null(fd);
	*out = pointer_of(state);
	return *out ? 0 : error_new(err, ERROR_PROTOCOL, EINVAL, "no such device");
}

static void leave(struct driver_fd *fd)
{
	(void)fd;
	left++;
}

static void close_no_device(struct driver_device *dev)
{
	(void)dev;
}

static void (*close_device)(struct driver_device *dev);

static int adopt(struct driver_fd *fd, struct ioasidctl_error **err)
{
	(void)fd;
	adopted++;
	return adopt_ret ? error_new(err, ERROR_MEMORY, -adopt_ret, "too much is pinned") : 0;
}

static int set_up(void **state)
{
	adopted = left = 0;
	adopt_ret = 0;
	close_device = fake_driver.device_close;
	fake_driver.fd_record = fd_record;
	fake_driver.fd_restore = fd_restore;
	fake_driver.device_record = device_record;
	fake_driver.device_restore = device_restore;
	fake_driver.leave = leave;
	fake_driver.adopt = adopt;
	return engine_set_up(state);
}

static int tear_down(void **state)
{
	fake_driver.device_close = close_device;
	return engine_tear_down(state);
}

static struct topology *parsed(const char *yaml)
{
	struct topology *t = NULL;

	assert_int_equal(config_parse(yaml, strlen(yaml), "test.yaml", &t, NULL), 0);
	return t;
}

static void make(struct fixture *f)
{
	assert_int_equal(apply_with(f, config, (struct transaction){.may_wait = true}), 0);
	engine_live(f->engine, "t")->fds[0].ioasids[0].live.dirty = true;
	engine_set_trouble(f->engine, "t", 2, "it never was");
}

static json_t *record(struct fixture *f, struct descriptors *d)
{
	json_t *json = NULL;

	assert_int_equal(takeover_check(engine_topology(f->engine, "t"), NULL), 0);
	assert_int_equal(takeover_record(engine_topology(f->engine, "t"), d, &json, NULL), 0);
	for (size_t i = 0; i < d->n; i++)
		d->list[i].fd = fcntl(d->list[i].fd, F_DUPFD_CLOEXEC, 3);
	return json;
}

/* While descriptors are let go, the fake driver's devices stay. */
static void leave_engine(struct engine *engine)
{
	fake_driver.device_close = close_no_device;
	engine_leave(engine);
	fake_driver.device_close = close_device;
}

static ino_t file_of(const struct engine *engine)
{
	struct stat st;

	assert_int_equal(fstat(engine_topology(engine, "t")->memories[0].live.fd, &st), 0);
	return st.st_ino;
}

static struct engine *another(const struct fixture *f)
{
	struct engine *other;

	assert_int_equal(engine_new(engine_env(f->engine), &other, NULL), 0);
	return other;
}

static void assert_same_ids(const struct topology *a, const struct topology *b)
{
	const struct iommu_fd *x = &a->fds[0], *y = &b->fds[0];

	assert_ptr_equal(x->ops, y->ops);
	assert_ptr_equal(x->live.handle, y->live.handle);
	for (size_t i = 0; i < x->n_ioasids; i++) {
		const struct ioasid *s = &x->ioasids[i], *u = &y->ioasids[i];

		assert_memory_equal(&s->live, &u->live, sizeof(s->live));
		assert_int_equal(s->n_attach, u->n_attach);
		assert_int_equal(s->n_pending, u->n_pending);
		for (size_t j = 0; j < s->n_maps; j++) {
			assert_int_equal(s->maps[j].iova, u->maps[j].iova);
			assert_int_equal(s->maps[j].offset, u->maps[j].offset);
			assert_int_equal(s->maps[j].placed, u->maps[j].placed);
		}
	}
	assert_memory_equal(&x->viommus[0].live, &y->viommus[0].live, sizeof(x->viommus[0].live));
	assert_memory_equal(&x->viommus[0].live_events, &y->viommus[0].live_events,
			    sizeof(x->viommus[0].live));
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(&x->viommus[0].vdevices[i].live,
				    &y->viommus[0].vdevices[i].live, sizeof(x->viommus[0].live));
	assert_memory_equal(&x->viommus[0].queues[0].live, &y->viommus[0].queues[0].live,
			    sizeof(x->viommus[0].live));
	for (size_t i = 0; i < a->n_devices; i++) {
		const struct device *d = &a->devices[i], *e = &b->devices[i];

		assert_ptr_equal(d->live.handle, e->live.handle);
		assert_int_equal(d->live.id, e->live.id);
		assert_int_equal(d->live.bound, e->live.bound);
		assert_int_equal(d->absent, e->absent);
		assert_int_equal(d->bound, e->bound);
		assert_int_equal(d->iommu_group, e->iommu_group);
		assert_int_equal(d->found.vfs, e->found.vfs);
		assert_string_equal(d->found.driver ? d->found.driver : "-",
				    e->found.driver ? e->found.driver : "-");
		assert_string_equal(d->trouble ? d->trouble : "-", e->trouble ? e->trouble : "-");
	}
}

static void test_it_lives_on(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct engine *old = f->engine, *new = another(f);
	struct descriptors given = {0};
	json_t *json;
	int calls;

	make(f);
	before = fake_snapshot();
	calls = fake_calls();
	json = record(f, &given);
	assert_int_equal(given.n, 1);
	assert_string_equal(given.list[0].name, "memory/ram");
	assert_int_equal(engine_restore(new, parsed(config), json, &given, NULL), 0);
	assert_int_equal(given.list[0].fd, -1);
	assert_int_equal(file_of(new), file_of(old));
	assert_same_ids(engine_topology(old, "t"), engine_topology(new, "t"));
	assert_int_equal(engine_adopt(new, NULL), 0);
	assert_int_equal(adopted, 1);
	leave_engine(old);
	assert_int_equal(left, 1);
	assert_int_equal(engine_count(old), 0);
	after = fake_snapshot();
	assert_string_equal(before, after);
	assert_int_equal(fake_calls(), calls);
	descriptors_close(&given);
	json_decref(json);
	engine_free(old);
	/* The new one knows it all: nothing is left to do, and all can be undone. */
	f->engine = new;
	assert_int_equal(engine_set_original(new, "t", "a", "nic", NO_INDEX), 0);
	assert_int_equal(apply_with(f, config, (struct transaction){.may_wait = true}), 0);
	assert_changed(f, false);
	assert_int_equal(delete_topology(f), 0);
}

static void refuse(struct fixture *f, const char *yaml, const json_t *json, const char *object)
{
	struct engine *new = another(f);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct descriptors given = {0};

	json_decref(record(f, &given));
	fake_driver.device_close = close_no_device;
	assert_int_equal(engine_restore(new, parsed(yaml), json, &given, &err), -EINVAL);
	fake_driver.device_close = close_device;
	assert_int_equal(err->kind, ERROR_PROTOCOL);
	if (object)
		assert_string_equal(err->object, object);
	assert_int_equal(engine_count(new), 0);
	descriptors_close(&given);
	engine_free(new);
}

/* Each member of the object in turn: it isn't there, or it is something else. */
static void refuse_each(struct fixture *f, json_t *json, json_t *object)
{
	json_t *copy = json_copy(object), *value;
	const char *key;

	json_object_foreach (copy, key, value) {
		json_object_del(object, key);
		refuse(f, config, json, NULL);
		json_object_set_new(object, key, json_real(0.5));
		refuse(f, config, json, NULL);
		json_object_set(object, key, value);
	}
	json_decref(copy);
}

static json_t *in(json_t *json, const char *a, const char *b)
{
	return json_object_get(json_object_get(json, a), b);
}

static void test_what_is_not_believed(void **state)
{
	struct fixture *f = *state;
	struct descriptors given = {0};
	json_t *json, *fd;

	make(f);
	json = record(f, &given);
	fd = in(json, "fds", "main");
	refuse_each(f, json, json);
	refuse_each(f, json, fd);
	refuse_each(f, json, json_object_get(json, "memories"));
	refuse_each(f, json, in(json, "devices", "a"));
	refuse_each(f, json, json_object_get(in(json, "devices", "a"), "found"));
	refuse_each(f, json, in(fd, "ioasids", "gpa"));
	refuse_each(f, json, in(fd, "viommus", "v"));
	json_array_append_new(json_object_get(in(fd, "viommus", "v"), "queues"), json_integer(1));
	refuse(f, config, json, "v");
	json_array_remove(json_object_get(in(fd, "viommus", "v"), "queues"), 1);
	json_array_remove(json_object_get(in(fd, "ioasids", "gpa"), "placed"), 1);
	refuse(f, config, json, "gpa");
	/* Of another config. */
	json_decref(json);
	descriptors_close(&given);
	json = record(f, &given);
	refuse(f, "version: 1\nname: t\nmemory: [{name: rom, size: 1M}]\n", json, "rom");
	refuse(f, "version: 1\nname: t\n", json, "its memories");
	/* A memory whose descriptor didn't come. */
	descriptors_close(&given);
	fake_driver.device_close = close_no_device;
	assert_int_equal(engine_restore(f->engine, parsed(config), json, &given, &f->err), -EEXIST);
	error_free(steal_pointer(f->err));
	engine_live(f->engine, "t")->name[0] = 'u';
	assert_int_equal(engine_restore(f->engine, parsed(config), json, &given, &f->err), -EINVAL);
	fake_driver.device_close = close_device;
	assert_string_equal(f->err->object, "ram");
	engine_live(f->engine, "u")->name[0] = 't';
	json_decref(json);
}

static void test_a_driver_that_is_not_known(void **state)
{
	struct fixture *f = *state;
	struct engine *new = another(f);
	struct descriptors given = {0};
	json_t *json;

	make(f);
	json = record(f, &given);
	fake_driver.missing[CAP_TAKEOVER] = "it is bound to its process";
	assert_int_equal(engine_restore(new, parsed(config), json, &given, &f->err), -EOPNOTSUPP);
	assert_string_equal(f->err->message,
			    "topology t: this build can't take over an fd of driver fake");
	descriptors_close(&given);
	json_decref(json);
	engine_free(new);
}

static void assert_bound_here(struct fixture *f, const char *object, const char *cause)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	assert_int_equal(takeover_check(engine_topology(f->engine, "t"), &err), -EOPNOTSUPP);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_string_equal(err->object, object);
	assert_non_null(strstr(err->cause, cause));
	assert_non_null(err->hint);
	/* Not asked of the kernel either, which would refuse it. */
	adopted = 0;
	assert_int_equal(engine_adopt(f->engine, NULL), 0);
	assert_int_equal(adopted, 0);
}

static bool wants_va(const struct driver_fd *fd, const struct memory *memory)
{
	(void)fd, (void)memory;
	return true;
}

static void test_what_is_bound_to_the_process(void **state)
{
	bool (*before)(const struct driver_fd *fd, const struct memory *memory) =
		fake_driver.wants_va;
	struct fixture *f = *state;

	make(f);
	fake_driver.missing[CAP_TAKEOVER] = "it is bound to its process";
	assert_bound_here(f, "main", "it is bound to its process");
	fake_driver.missing[CAP_TAKEOVER] = NULL;
	fake_driver.wants_va = wants_va;
	assert_bound_here(f, "ram", "by its address in the holder");
	fake_driver.wants_va = before;
	engine_live(f->engine, "t")->memories[0].backing = BACKING_DMABUF;
	assert_bound_here(f, "ram", "a device's BAR");
	engine_live(f->engine, "t")->memories[0].backing = BACKING_MEMFD;
	assert_int_equal(takeover_check(engine_topology(f->engine, "t"), NULL), 0);
}

static void test_memory_that_cannot_be_adopted(void **state)
{
	struct fixture *f = *state;

	make(f);
	adopt_ret = -ENOMEM;
	assert_int_equal(engine_adopt(f->engine, &f->err), -ENOMEM);
	assert_int_equal(adopted, 1);
	assert_string_equal(f->err->message, "too much is pinned");
}

static char gone[256];

static void note_gone(void *data, const char *what)
{
	(void)data;
	strncat(gone, what, sizeof(gone) - strlen(gone) - 1);
	strncat(gone, ";", sizeof(gone) - strlen(gone) - 1);
}

static int is_gone(struct driver_fd *fd, uint32_t id)
{
	(void)fd, (void)id;
	return -ENOENT;
}

static int (*fake_device_probe)(struct driver_fd *fd, struct driver_device *dev);

static int probe_second(struct driver_fd *fd, struct driver_device *dev)
{
	static unsigned n;

	(void)fd, (void)dev;
	return n++ == 1 ? -ENODEV : 0;
}

static void test_what_has_gone_meanwhile(void **state)
{
	int (*before)(struct driver_fd * fd, uint32_t id) = fake_driver.ioasid_probe;
	struct fixture *f = *state;

	make(f);
	gone[0] = '\0';
	engine_probe(f->engine, "t", note_gone, NULL);
	assert_string_equal(gone, "");
	fake_device_probe = fake_driver.device_probe;
	fake_driver.device_probe = probe_second;
	fake_driver.ioasid_probe = fake_driver.viommu_probe = is_gone;
	engine_probe(f->engine, "t", note_gone, NULL);
	fake_driver.ioasid_probe = before;
	fake_driver.device_probe = fake_device_probe;
	assert_string_equal(gone, "IOASID main/gpa;IOASID main/s1;vIOMMU main/v;device b;");
	engine_probe(f->engine, "other", note_gone, NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_it_lives_on),
		TEST(test_what_is_not_believed),
		TEST(test_a_driver_that_is_not_known),
		TEST(test_what_is_bound_to_the_process),
		TEST(test_memory_that_cannot_be_adopted),
		TEST(test_what_has_gone_meanwhile),
	};

	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}
