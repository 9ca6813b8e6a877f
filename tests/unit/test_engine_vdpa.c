// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices that keep copies of their IOASIDs: what is in their IOTLB is what the IOASID has, after
 * every change and after every failure of one; made ones are deleted.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apply/engine.h"
#include "base/cleanup.h"
#include "support_engine.h"
#include "support_fake_driver.h"

#define ENTRIES_MAX 16
#define PLACES_MAX  4

struct place {
	uint32_t group;
	struct iotlb_space space;
	struct map_args maps[ENTRIES_MAX];
	size_t n;
};

struct driver_device {
	bool open, bound;
	struct place places[PLACES_MAX];
	size_t n_places;
};

/* The one vDPA device of the machine. */
static struct driver_device the_device;
static bool exists, made;
static char bound_to[32];
static int fails_at, calls;

static int tried(struct ioasidctl_error **err)
{
	if (calls++ != fails_at)
		return 0;
	return error_new(err, ERROR_KERNEL, EIO, "told to fail");
}

static int find(const struct driver_env *env, const struct device *spec, struct device_facts *out,
		struct ioasidctl_error **err)
{
	(void)env;
	(void)err;
	*out = (struct device_facts){.group = NO_INDEX, .vfs = NO_INDEX, .present = exists};
	if (exists) {
		out->name = strdup(spec->address);
		out->driver = *bound_to ? strdup(bound_to) : NULL;
	}
	return 0;
}

static int set_driver(const struct driver_env *env, const struct device *spec, const char *driver,
		      char **original, struct ioasidctl_error **err)
{
	int ret = tried(err);

	(void)env;
	(void)spec;
	if (ret)
		return ret;
	if (original)
		*original = strdup(bound_to);
	snprintf(bound_to, sizeof(bound_to), "%s", driver);
	return 0;
}

static int create(const struct driver_env *env, const struct device *spec,
		  struct ioasidctl_error **err)
{
	int ret = tried(err);

	(void)env;
	assert_string_equal(spec->vdpa.management, "sim");
	assert_false(exists);
	if (ret)
		return ret;
	exists = made = true;
	snprintf(bound_to, sizeof(bound_to), "virtio_vdpa");
	return 0;
}

static int delete (const struct driver_env *env, const struct device *spec,
		   struct ioasidctl_error **err)
{
	(void)env;
	(void)spec;
	(void)err;
	assert_true(exists && made && !the_device.open);
	exists = made = false;
	bound_to[0] = '\0';
	return 0;
}

static int open_it(const struct driver_env *env, const struct device *spec,
		   struct driver_device **out, struct ioasidctl_error **err)
{
	int ret = tried(err);

	(void)env;
	(void)spec;
	if (ret)
		return ret;
	assert_true(exists && !the_device.open);
	assert_string_equal(bound_to, "vhost_vdpa");
	the_device = (struct driver_device){.open = true};
	*out = &the_device;
	return 0;
}

static void close_it(struct driver_device *dev)
{
	*dev = (struct driver_device){0};
}

static int bind_it(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		   struct ioasidctl_error **err)
{
	int ret = tried(err);

	(void)fd;
	*id = NO_INDEX;
	dev->bound = !ret;
	return ret;
}

static int probe(struct driver_fd *fd, struct driver_device *dev)
{
	(void)fd;
	return dev->open ? 0 : -ENOENT;
}

static struct place *find_place(struct driver_device *dev, uint32_t group)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (dev->places[i].group == group)
			return &dev->places[i];
	return NULL;
}

static void fill(struct place *p, const struct iotlb_content *content)
{
	p->n = content->n;
	for (size_t i = 0; i < content->n; i++) {
		assert_non_null(content->maps[i].va);
		p->maps[i] = content->maps[i];
	}
}

static int attach(struct driver_device *dev, uint32_t group, const struct iotlb_space *space,
		  const struct iotlb_content *content, const struct iotlb_content *before,
		  struct ioasidctl_error **err)
{
	struct place *p = find_place(dev, group);
	int ret = tried(err);

	assert_true(dev->bound && content->n <= ENTRIES_MAX);
	assert_int_equal(before->n, p ? p->n : 0);
	if (ret)
		return ret;
	if (!p)
		p = &dev->places[dev->n_places++];
	p->group = group;
	p->space = *space;
	fill(p, content);
	return 0;
}

static int detach(struct driver_device *dev, uint32_t group, struct ioasidctl_error **err)
{
	struct place *p = find_place(dev, group);
	int ret = tried(err);

	assert_non_null(p);
	if (!ret)
		*p = dev->places[--dev->n_places];
	return ret;
}

static bool is_in(const struct place *p, const struct iotlb_space *space)
{
	return p->space.fd == space->fd && p->space.ioasid == space->ioasid;
}

static bool has(const struct driver_device *dev, const struct iotlb_space *space)
{
	for (size_t i = 0; i < dev->n_places; i++)
		if (is_in(&dev->places[i], space))
			return true;
	return false;
}

static int map(struct driver_device *dev, const struct iotlb_space *space,
	       const struct map_args *args, struct ioasidctl_error **err)
{
	int ret = tried(err);

	for (size_t i = 0; !ret && i < dev->n_places; i++)
		if (is_in(&dev->places[i], space)) {
			assert_non_null(args->va);
			dev->places[i].maps[dev->places[i].n++] = *args;
		}
	return ret;
}

static void drop(struct place *p, uint64_t iova)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->maps[i].iova == iova) {
			p->maps[i] = p->maps[--p->n];
			return;
		}
	fail_msg("0x%" PRIx64 " isn't in the IOTLB", iova);
}

static int unmap(struct driver_device *dev, const struct iotlb_space *space,
		 const struct map_args *args, struct ioasidctl_error **err)
{
	int ret = tried(err);

	for (size_t i = 0; !ret && i < dev->n_places; i++)
		if (is_in(&dev->places[i], space))
			drop(&dev->places[i], args->iova);
	return ret;
}

static const struct driver fake_vdpa = {
	.name = "fake-vdpa",
	.device_find = find,
	.device_set_driver = set_driver,
	.device_create = create,
	.device_delete = delete,
	.device_open = open_it,
	.device_close = close_it,
	.device_bind = bind_it,
	.device_probe = probe,
	.iotlb_attach = attach,
	.iotlb_detach = detach,
	.iotlb_map = map,
	.iotlb_unmap = unmap,
	.iotlb_has = has,
};

static int compare_maps(const void *a, const void *b)
{
	const struct map_args *x = a, *y = b;

	return x->iova < y->iova ? -1 : x->iova > y->iova;
}

/* "all: 0x0+0x10000 rw" for each place, mappings sorted, and what became of the device. */
static char *state_text(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	fprintf(f, "%s%s %s%s%s\n", exists ? "there" : "gone", made ? ", made" : "", bound_to,
		the_device.open ? ", open" : "", the_device.bound ? ", bound" : "");
	for (uint32_t group = NO_INDEX; group == NO_INDEX || group < 4; group++) {
		struct place *p = find_place(&the_device, group);

		if (!p)
			continue;
		fprintf(f, "%d@%u:", (int)group, p->space.ioasid);
		qsort(p->maps, p->n, sizeof(*p->maps), compare_maps);
		for (size_t i = 0; i < p->n; i++)
			fprintf(f, " 0x%" PRIx64 "+0x%" PRIx64 "=0x%" PRIx64 "/%u", p->maps[i].iova,
				p->maps[i].length, p->maps[i].offset, p->maps[i].access);
		fputc('\n', f);
	}
	fclose(f);
	return text;
}

static int set_up(void **state)
{
	int ret = engine_set_up(state);

	fake_driver.vdpa = &fake_vdpa;
	the_device = (struct driver_device){0};
	exists = made = false;
	bound_to[0] = '\0';
	fails_at = -1;
	calls = 0;
	return ret;
}

static int tear_down(void **state)
{
	int ret = engine_tear_down(state);

	fake_driver.vdpa = NULL;
	return ret;
}

#define CONFIG(device, ioasids)                                                          \
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}, {name: more, size: 1M}]\n" \
	"devices: [" device ", {name: b, pci: '0000:03:00.0'}]\n"                        \
	"fds: [{name: main, ioasids: [" ioasids "]}]\n"
#define NET		  "{name: net, vdpa: v0, management: sim, driver: vhost_vdpa}"
#define MAP(iova, offset) "{iova: " iova ", memory: ram, offset: " offset ", length: 64K}"
#define GPA(maps, attach) "{name: gpa, map: [" maps "], attach: [" attach "]}"
#define TWO(maps, attach) "{name: two, map: [" maps "], attach: [" attach "]}"

static const char shared[] = CONFIG(
	NET, GPA(MAP("0x0", "0") ", " MAP("0x100000", "128K"), "{device: b}, {device: net}"));
static const char changed[] = CONFIG(
	NET, GPA(MAP("0x0", "64K") ", " MAP("0x200000", "128K"), "{device: b}, {device: net}"));
static const char moved[] =
	CONFIG(NET, GPA(MAP("0x0", "64K"), "{device: b}") ", " TWO(
			    MAP("0x900000", "0") ", {iova: 0xa00000, copy: gpa, "
						 "from: 0x0, length: 64K}",
			    "{device: net}, {device: net, vq_group: 1}"));
static const char left[] = CONFIG(NET, GPA(MAP("0x0", "0"), "{device: b}"));
static const char alone[] =
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\n"
	"devices: [{name: b, pci: '0000:03:00.0'}]\n"
	"fds: [{name: main, ioasids: [" GPA(MAP("0x0", "0"), "{device: b}") "]}]\n";

static void assert_state(const char *wanted)
{
	_cleanup_free_ char *is = state_text();

	assert_string_equal(is, wanted);
}

static void test_made_filled_and_deleted(void **state)
{
	struct fixture *f = *state;

	assert_applies(f, shared);
	assert_int_equal(count_of(f, "create-vdpa"), 1);
	assert_state("there, made vhost_vdpa, open, bound\n"
		     "-1@0: 0x0+0x10000=0x0/3 0x100000+0x10000=0x20000/3\n");
	assert_applies(f, shared);
	assert_changed(f, false);
	assert_applies(f, changed);
	assert_int_equal(count_of(f, "create-vdpa"), 0);
	assert_state("there, made vhost_vdpa, open, bound\n"
		     "-1@0: 0x0+0x10000=0x10000/3 0x200000+0x10000=0x20000/3\n");
	assert_int_equal(delete_topology(f), 0);
	assert_int_equal(count_of(f, "delete-vdpa"), 1);
	assert_int_equal(count_of(f, "restore-driver"), 0);
	assert_state("gone \n");
}

static void test_moves_and_copies(void **state)
{
	struct fixture *f = *state;

	assert_applies(f, shared);
	assert_applies(f, moved);
	assert_state("there, made vhost_vdpa, open, bound\n"
		     "-1@1: 0x900000+0x10000=0x0/3 0xa00000+0x10000=0x10000/3\n"
		     "1@1: 0x900000+0x10000=0x0/3 0xa00000+0x10000=0x10000/3\n");
	assert_applies(f, left);
	assert_state("there, made vhost_vdpa, open\n");
	assert_applies(f, alone);
	assert_state("gone \n");
}

static void test_one_that_is_there(void **state)
{
	struct fixture *f = *state;
	const char *yaml = CONFIG("{name: net, vdpa: v0, driver: vhost_vdpa}",
				  GPA(MAP("0x0", "0"), "{device: net}"));

	exists = true;
	snprintf(bound_to, sizeof(bound_to), "virtio_vdpa");
	assert_applies(f, yaml);
	assert_state("there vhost_vdpa, open, bound\n-1@0: 0x0+0x10000=0x0/3\n");
	assert_int_equal(delete_topology(f), 0);
	assert_state("there virtio_vdpa\n");
}

static void test_somebody_elses(void **state)
{
	struct fixture *f = *state;

	exists = true;
	assert_int_equal(apply(f, shared), -EEXIST);
	assert_non_null(strstr(f->err->hint, "leave `management` out"));
	assert_int_equal(calls, 0);
	assert_state("there \n");
}

/* Somebody else deletes it: it is closed by its own driver, the rest goes on without it. */
static void test_it_is_given_up(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = NULL, *after = NULL;
	const struct topology *t;

	assert_applies(f, shared);
	t = engine_topology(f->engine, "t");
	before = fake_snapshot();
	engine_release_device(f->engine, "t", topology_find_device(t, "net"), false);
	assert_false(the_device.open);
	after = fake_snapshot();
	assert_string_equal(after, before);
	exists = made = false;
	*bound_to = '\0';
	engine_release_device(f->engine, "t", topology_find_device(t, "net"), true);
	assert_int_equal(apply(f, shared), 0);
	assert_changed(f, true);
	assert_true(exists && made && the_device.open);
	assert_int_equal(delete_topology(f), 0);
	assert_state("gone \n");
}

static void test_made_in_another_way(void **state)
{
	struct fixture *f = *state;
	const char *yaml = CONFIG("{name: net, vdpa: v0, management: sim, mtu: 1400, driver: "
				  "vhost_vdpa}",
				  GPA(MAP("0x0", "0"), "{device: net}"));

	assert_applies(f, shared);
	assert_int_equal(apply(f, yaml), -EBUSY);
	assert_non_null(strstr(f->err->message, "can't be made in another way"));
}

static void assert_refused(struct fixture *f, const char *yaml, const char *message)
{
	assert_int_equal(apply(f, yaml), -EOPNOTSUPP);
	if (!strstr(f->err->message, message))
		fail_msg("%s", f->err->message);
	assert_non_null(f->err->cause);
	assert_true(f->err->line > 0);
	assert_int_equal(calls, 0);
	assert_false(exists);
}

static void test_refusals(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, CONFIG(NET, GPA(MAP("0x0", "0"), "{device: net, pasid: 3}")),
		       "a vdpa device has no PASIDs");
	assert_refused(
		f,
		CONFIG(NET,
		       "{name: gpa, nest_parent: true, attach: [{device: b}]}, {name: s, kind: "
		       "nested, parent: gpa, table: {format: mock}, attach: [{device: net}]}"),
		"can't be in a nested IOASID");
}

/* From each state to each other, every call of both drivers failed in turn. */
static void test_every_failure_is_undone(void **state)
{
	static const char *const all[] = {shared, changed, moved, left, alone};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t j = 0; j < ARRAY_SIZE(all); j++) {
			_cleanup_free_ char *before = NULL;

			assert_applies(f, all[i]);
			before = state_text();
			for (int call = 0, of_vdpa = 1;; call++) {
				_cleanup_free_ char *kernel = fake_snapshot(), *now = NULL,
						    *after = NULL;

				calls = 0;
				fails_at = of_vdpa ? call : -1;
				fake_fail_at(of_vdpa ? -1 : call);
				if (!apply(f, all[j])) {
					if (!of_vdpa)
						break;
					/* Now those of the driver that has the IOMMU. */
					of_vdpa = 0;
					call = -1;
					fake_fail_at(-1);
					fails_at = -1;
					assert_applies(f, all[i]);
					continue;
				}
				fails_at = -1;
				fake_fail_at(-1);
				/* From here on only removals are left, which have no way back. */
				if (!strncmp(f->err->message, "done, but", 9)) {
					assert_int_equal(delete_topology(f), 0);
					break;
				}
				now = state_text();
				after = fake_snapshot();
				if (strcmp(now, before))
					fail_msg("%zu -> %zu, call %d: %s: %s, was %s", i, j, call,
						 f->err->message, now, before);
				assert_string_equal(after, kernel);
			}
			fake_fail_at(-1);
			assert_applies(f, all[i]);
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_made_filled_and_deleted),
		TEST(test_moves_and_copies),
		TEST(test_one_that_is_there),
		TEST(test_somebody_elses),
		TEST(test_it_is_given_up),
		TEST(test_made_in_another_way),
		TEST(test_refusals),
		TEST(test_every_failure_is_undone),
	};

	return cmocka_run_group_tests_name("engine, vdpa", tests, NULL, NULL);
}
