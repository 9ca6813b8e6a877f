// SPDX-License-Identifier: GPL-2.0-or-later
/* The dump of a topology on a driver that answers from memory, and errors there and back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "report/documents.h"
#include "report/report.h"

struct driver_fd {
	int probe; /* what ioasid_probe() returns */
	bool counted;
};
struct driver_device {
	int probe;
};

static int fake_find(const struct driver_env *env, const struct device *spec,
		     struct device_facts *out, struct ioasidctl_error **err)
{
	(void)env, (void)err;
	if (!strcmp(spec->address, "0000:09:00.0"))
		return -ENODEV;
	*out = (struct device_facts){
		.present = true,
		.group = 7,
		.driver = strdup("vfio-pci"),
	};
	out->members.members = calloc(2, sizeof(*out->members.members));
	out->members.n_members = 2;
	out->members.members[0] = (struct iommu_group_member){.address = strdup("0000:01:00.0"),
							      .driver = strdup("vfio-pci")};
	out->members.members[1].address = strdup("0000:01:00.1");
	return 0;
}

static int fake_device_info(struct driver_fd *fd, struct driver_device *dev,
			    struct device_info *out, struct ioasidctl_error **err)
{
	(void)fd, (void)dev, (void)err;
	*out = (struct device_info){.type = "vt-d",
				    .iova_bits = 48,
				    .page_sizes = 1ULL << 12 | 1ULL << 30,
				    .nesting = true,
				    .pasid_bits = 20,
				    .registers = {{"CAP", 0xd2008c40660462ULL}},
				    .n_registers = 1};
	return 0;
}

static int fake_ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
			    struct ioasidctl_error **err)
{
	(void)id, (void)err;
	*out = (struct ioasid_info){.ranges = calloc(2, sizeof(struct range)),
				    .n_ranges = 2,
				    .alignment = 4096,
				    .counted = fd->counted,
				    .measured = fd->counted,
				    .domains = 2,
				    .page_table_bytes = 0x5000};
	assert_non_null(out->ranges);
	out->ranges[0] = (struct range){0, 0xfedfffff};
	out->ranges[1] = (struct range){0xfef00000, UINT64_MAX};
	return 0;
}

static int fake_ioasid_probe(struct driver_fd *fd, uint32_t id)
{
	(void)id;
	return fd->probe;
}

static int fake_device_probe(struct driver_fd *fd, struct driver_device *dev)
{
	(void)fd;
	return dev->probe;
}

static const struct driver fake = {
	.name = "iommufd",
	.choice = DRIVER_IOMMUFD,
	.node = "/dev/iommu",
	.device_find = fake_find,
	.device_info = fake_device_info,
	.ioasid_info = fake_ioasid_info,
	.ioasid_probe = fake_ioasid_probe,
	.device_probe = fake_device_probe,
};

static const struct driver_env env = {.root = ""};

/* One fd with a gpa and a nested child, two devices (one gone), one memory, a mapping and a copy.
 */
struct scene {
	struct topology t;
	struct memory memory;
	struct device devices[2];
	struct iommu_fd fd;
	struct ioasid ioasids[2];
	struct mapping maps[2];
	struct attachment attach[2], child_attach[1];
	struct range allow[1];
	struct driver_fd handle;
	struct driver_device device_handle;
};

static void scene_devices(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		device_init(&s->devices[i]);
		s->devices[i].name = (char *)(i ? "gone0" : "nic0");
		s->devices[i].address = (char *)(i ? "0000:09:00.0" : "0000:01:00.0");
		s->devices[i].driver = (char *)"vfio-pci";
		s->devices[i].fd = 0;
	}
	s->devices[0].live.handle = &s->device_handle;
	s->devices[0].live.bound = true;
	s->devices[0].live.id = 3;
	s->devices[0].live.original_driver = (char *)"";
}

static void scene_ioasids(struct scene *s)
{
	for (size_t i = 0; i < 2; i++) {
		ioasid_init(&s->ioasids[i]);
		mapping_init(&s->maps[i]);
		s->ioasids[i].live.exists = true;
		s->ioasids[i].live.id = 10 + (uint32_t)i;
	}
	s->maps[0].length = 0x200000;
	s->maps[0].offset = 0x1000;
	s->maps[0].memory = 0;
	s->maps[1].iova = 0x100000000;
	s->maps[1].length = 0x1000;
	s->maps[1].offset = 0x2000;
	s->maps[1].source = 0;
	s->maps[1].access = ACCESS_READ;
	s->attach[0] = (struct attachment){.device = 0, .pasid = NO_PASID, .vq_group = NO_INDEX};
	s->attach[1] = (struct attachment){.device = 1, .pasid = NO_PASID, .vq_group = NO_INDEX};
	s->child_attach[0] = (struct attachment){.device = 0, .pasid = 5, .vq_group = NO_INDEX};
	s->allow[0] = (struct range){0, 0xffffffff};
	s->ioasids[0].name = (char *)"gpa";
	s->ioasids[0].flags = IOASID_FLAG_NEST_PARENT | IOASID_FLAG_NO_HUGE;
	s->ioasids[0].maps = s->maps;
	s->ioasids[0].n_maps = 2;
	s->ioasids[0].attach = s->attach;
	s->ioasids[0].n_attach = 2;
	s->ioasids[0].allow = s->allow;
	s->ioasids[0].n_allow = 1;
	s->ioasids[1].name = (char *)"s1";
	s->ioasids[1].kind = IOASID_NESTED;
	s->ioasids[1].parent = 0;
	s->ioasids[1].table = (struct table){.format = TABLE_VTD_S1, .address = 0xabc000};
	s->ioasids[1].attach = s->child_attach;
	s->ioasids[1].n_attach = 1;
}

static struct scene *scene_new(void)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	memory_init(&s->memory);
	s->memory.name = (char *)"ram";
	s->memory.size = 0x300000;
	s->memory.live.fd = memfd_create("ram", MFD_CLOEXEC);
	assert_int_equal(ftruncate(s->memory.live.fd, 0x300000), 0);
	assert_int_equal(pwrite(s->memory.live.fd, "x", 1, 0), 1);
	scene_devices(s);
	scene_ioasids(s);
	iommu_fd_init(&s->fd);
	s->fd.name = (char *)"main";
	s->fd.ops = &fake;
	s->fd.live.handle = &s->handle;
	s->fd.ioasids = s->ioasids;
	s->fd.n_ioasids = 2;
	s->t = (struct topology){.name = (char *)"vm0",
				 .memories = &s->memory,
				 .n_memories = 1,
				 .devices = s->devices,
				 .n_devices = 2,
				 .fds = &s->fd,
				 .n_fds = 1};
	return s;
}

static void scene_free(struct scene *s)
{
	close(s->memory.live.fd);
	free(s);
}

static const char *text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

static const json_t *item(const json_t *object, const char *key, size_t i)
{
	const json_t *value = json_array_get(json_object_get(object, key), i);

	assert_non_null(value);
	return value;
}

static void test_ioasids(void **state)
{
	struct scene *s = scene_new();
	json_t *json = report_topology(&env, &s->t);
	const json_t *fd = item(json, "fds", 0), *gpa = item(fd, "ioasids", 0);
	const json_t *s1 = item(fd, "ioasids", 1);

	(void)state;
	assert_string_equal(text(fd, "driver"), "iommufd");
	assert_string_equal(text(fd, "node"), "/dev/iommu");
	assert_true(json_is_true(json_object_get(gpa, "alive")));
	assert_int_equal(json_integer_value(json_object_get(gpa, "id")), 10);
	assert_int_equal(json_array_size(json_object_get(gpa, "flags")), 2);
	assert_string_equal(json_string_value(item(gpa, "flags", 1)), "no_huge_pages");
	assert_string_equal(text(item(gpa, "ranges", 1), "last"), "0xffffffffffffffff");
	assert_string_equal(text(item(gpa, "allow", 0), "last"), "0xffffffff");
	assert_string_equal(text(gpa, "alignment"), "0x1000");
	/* iommufd doesn't count its tables: then nothing is claimed. */
	assert_null(json_object_get(gpa, "page_table_bytes"));
	assert_null(json_object_get(gpa, "domains"));
	assert_string_equal(text(item(gpa, "mappings", 0), "memory"), "ram");
	assert_string_equal(text(item(gpa, "mappings", 0), "iova"), "0x0");
	assert_string_equal(text(item(gpa, "mappings", 0), "length"), "0x200000");
	assert_string_equal(text(item(gpa, "mappings", 0), "offset"), "0x1000");
	assert_string_equal(text(item(gpa, "mappings", 0), "access"), "rw");
	assert_null(json_object_get(item(gpa, "mappings", 1), "memory"));
	assert_null(json_object_get(item(gpa, "mappings", 1), "offset"));
	assert_string_equal(text(item(gpa, "mappings", 1), "copy"), "gpa");
	assert_string_equal(text(item(gpa, "mappings", 1), "from"), "0x2000");
	assert_string_equal(text(item(gpa, "mappings", 1), "access"), "r");
	assert_null(json_object_get(item(gpa, "attachments", 0), "pasid"));
	assert_string_equal(text(s1, "parent"), "gpa");
	assert_string_equal(text(json_object_get(s1, "table"), "address"), "0xabc000");
	assert_int_equal(json_integer_value(json_object_get(item(s1, "attachments", 0), "pasid")),
			 5);
	json_decref(json);
	scene_free(s);
}

static void test_counted_tables(void **state)
{
	struct scene *s = scene_new();
	const json_t *gpa;
	json_t *json;

	(void)state;
	s->handle.counted = true;
	json = report_topology(&env, &s->t);
	gpa = item(item(json, "fds", 0), "ioasids", 0);
	assert_string_equal(text(gpa, "page_table_bytes"), "0x5000");
	assert_int_equal(json_integer_value(json_object_get(gpa, "domains")), 2);
	json_decref(json);
	scene_free(s);
}

static void test_vanished_ioasid(void **state)
{
	struct scene *s = scene_new();
	const json_t *gpa;
	json_t *json;

	(void)state;
	s->handle.probe = -ENOENT;
	json = report_topology(&env, &s->t);
	gpa = item(item(json, "fds", 0), "ioasids", 0);
	assert_true(json_is_false(json_object_get(gpa, "alive")));
	assert_null(json_object_get(gpa, "ranges"));
	assert_int_equal(json_array_size(json_object_get(gpa, "mappings")), 2);
	json_decref(json);
	scene_free(s);
}

static void test_devices(void **state)
{
	struct scene *s = scene_new();
	json_t *json = report_topology(&env, &s->t);
	const json_t *nic = item(json, "devices", 0), *gone = item(json, "devices", 1);
	const json_t *hardware = json_object_get(nic, "hardware");

	(void)state;
	assert_true(json_is_true(json_object_get(nic, "present")));
	assert_true(json_is_true(json_object_get(nic, "bound")));
	assert_true(json_is_true(json_object_get(nic, "alive")));
	assert_string_equal(text(nic, "driver"), "vfio-pci");
	assert_string_equal(text(nic, "original_driver"), "");
	assert_int_equal(json_integer_value(json_object_get(nic, "group")), 7);
	assert_int_equal(json_array_size(json_object_get(nic, "group_members")), 2);
	assert_string_equal(text(item(nic, "group_members", 0), "address"), "0000:01:00.0");
	assert_string_equal(text(item(nic, "group_members", 0), "driver"), "vfio-pci");
	assert_null(json_object_get(item(nic, "group_members", 1), "driver"));
	assert_int_equal(json_array_size(json_object_get(nic, "attached_to")), 2);
	assert_string_equal(text(item(nic, "attached_to", 1), "ioasid"), "s1");
	assert_string_equal(text(hardware, "type"), "vt-d");
	assert_string_equal(json_string_value(item(hardware, "page_sizes", 1)), "0x40000000");
	assert_string_equal(text(item(hardware, "registers", 0), "value"), "0xd2008c40660462");
	assert_true(json_is_false(json_object_get(gone, "present")));
	assert_null(json_object_get(gone, "driver"));
	assert_null(json_object_get(gone, "hardware"));
	assert_null(json_object_get(gone, "alive"));
	json_decref(json);
	scene_free(s);
}

static void test_states_of_devices(void **state)
{
	struct scene *s = scene_new();
	json_t *json = report_topology(&env, &s->t);

	(void)state;
	assert_string_equal(text(item(json, "devices", 0), "state"), "held");
	assert_string_equal(text(item(json, "devices", 1), "state"), "gone");
	assert_string_equal(text(item(json, "devices", 1), "hotplug"), "manual");
	json_decref(json);
	/* Given up, and one that may come later and has made trouble. */
	s->devices[0].live.handle = NULL;
	s->devices[1].hotplug = HOTPLUG_ATTACH;
	s->devices[1].trouble = (char *)"no luck";
	topology_set_absent(&s->t, 0);
	topology_set_absent(&s->t, 1);
	json = report_topology(&env, &s->t);
	assert_string_equal(text(item(json, "devices", 0), "state"), "released");
	assert_null(json_object_get(item(json, "devices", 0), "trouble"));
	assert_string_equal(text(item(json, "devices", 1), "state"), "pending");
	assert_string_equal(text(item(json, "devices", 1), "trouble"), "no luck");
	assert_string_equal(text(item(json, "devices", 1), "hotplug"), "attach");
	assert_true(json_is_true(
		json_object_get(item(item(json, "devices", 1), "attached_to", 0), "pending")));
	for (size_t i = 0; i < 2; i++)
		assert_true(json_is_true(json_object_get(
			item(item(item(json, "fds", 0), "ioasids", 0), "attachments", i),
			"pending")));
	json_decref(json);
	s->devices[1].hotplug = HOTPLUG_MANUAL;
	json = report_topology(&env, &s->t);
	assert_string_equal(text(item(json, "devices", 1), "state"), "gone");
	json_decref(json);
	scene_free(s);
}

static void test_memory(void **state)
{
	struct scene *s = scene_new();
	json_t *json = report_topology(&env, &s->t);
	const json_t *ram = item(json, "memories", 0);

	(void)state;
	assert_true(json_is_true(json_object_get(ram, "alive")));
	assert_string_equal(text(ram, "size"), "0x300000");
	assert_string_equal(text(ram, "populated"), "0x1000");
	assert_null(json_object_get(ram, "numa_node"));
	json_decref(json);
	/* Somebody who has the descriptor cut it short. */
	assert_int_equal(ftruncate(s->memory.live.fd, 0x1000), 0);
	json = report_topology(&env, &s->t);
	assert_true(json_is_false(json_object_get(item(json, "memories", 0), "alive")));
	json_decref(json);
	scene_free(s);
}

/* Nothing applied yet: no handle, no driver; nothing must be asked, all is still valid. */
static void test_description_only(void **state)
{
	struct scene *s = scene_new();
	const json_t *fd;
	json_t *json;

	(void)state;
	s->fd.ops = NULL;
	s->fd.live.handle = NULL;
	s->devices[0].live.handle = NULL;
	json = report_topology(&env, &s->t);
	fd = item(json, "fds", 0);
	assert_string_equal(text(fd, "driver"), "auto");
	assert_true(json_is_false(json_object_get(fd, "open")));
	assert_true(json_is_false(json_object_get(item(fd, "ioasids", 0), "alive")));
	assert_true(json_is_false(json_object_get(item(json, "devices", 0), "bound")));
	json_decref(json);
	scene_free(s);
}

static void test_text_that_is_not_utf8(void **state)
{
	struct scene *s = scene_new();
	json_t *json;

	(void)state;
	s->memory.path = (char *)"/mnt/\xff/ram";
	json = report_topology(&env, &s->t);
	assert_string_equal(text(item(json, "memories", 0), "path"), "/mnt/?/ram");
	json_decref(json);
	scene_free(s);
}

static void test_dump(void **state)
{
	json_t *dump = report_dump(json_array());

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(dump, "schema_version")), 1);
	assert_int_equal(json_array_size(json_object_get(dump, "topologies")), 0);
	assert_int_equal(json_object_size(dump), 2);
	json_decref(dump);
	assert_null(report_dump(NULL));
}

static void test_errors_there_and_back(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL, *back = NULL;
	json_t *array;

	(void)state;
	error_new(&err, ERROR_CONFIG, EINVAL, "mapping past the end of %s", "ram");
	error_cause(&err, "ram has 4G");
	error_hint(&err, "make it larger");
	error_object(&err, "fds[0].ioasids[0].map[1]");
	error_position(&err, "vm0.yaml", 12, 9);
	err->source = strdup("  - {iova: 0}");
	error_new(&err, ERROR_KERNEL, ENOENT, "gone");
	error_ioctl(&err, "IOMMU_DESTROY");
	array = report_errors(err);
	assert_int_equal(json_array_size(array), 2);
	assert_int_equal(report_errors_parse(array, &back), 0);
	json_decref(array);
	assert_int_equal(back->kind, ERROR_CONFIG);
	assert_int_equal(back->errnum, EINVAL);
	assert_string_equal(back->message, "mapping past the end of ram");
	assert_string_equal(back->cause, "ram has 4G");
	assert_string_equal(back->hint, "make it larger");
	assert_string_equal(back->object, "fds[0].ioasids[0].map[1]");
	assert_string_equal(back->file, "vm0.yaml");
	assert_int_equal(back->line, 12);
	assert_int_equal(back->column, 9);
	assert_string_equal(back->source, "  - {iova: 0}");
	assert_null(back->ioctl);
	assert_non_null(back->next);
	assert_string_equal(back->next->ioctl, "IOMMU_DESTROY");
	assert_null(back->next->file);
	assert_int_equal(back->next->line, 0);
	assert_null(back->next->next);
}

static void test_errors_that_are_none(void **state)
{
	static const char *const broken[] = {
		"{}",
		"[]",
		"[3]",
		"[{}]",
		"[{\"kind\": \"busy\", \"errno\": 16}]",
		"[{\"kind\": \"none\", \"message\": \"m\", \"errno\": 16}]",
		"[{\"kind\": 7, \"message\": \"m\", \"errno\": 16}]",
		"[{\"kind\": \"busy\", \"message\": null, \"errno\": 16}]",
		"[{\"kind\": \"busy\", \"message\": \"m\", \"errno\": -1}]",
		"[{\"kind\": \"busy\", \"message\": \"m\", \"errno\": 4294967296}]",
		"[{\"kind\": \"busy\", \"message\": \"m\", \"errno\": 16, \"line\": \"3\"}]",
		"[{\"kind\": \"busy\", \"message\": \"m\", \"errno\": 16}, {}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;
		json_t *json = json_loads(broken[i], 0, NULL);

		assert_non_null(json);
		assert_int_equal(report_errors_parse(json, &err), -EINVAL);
		assert_null(err);
		json_decref(json);
	}
	assert_int_equal(report_errors_parse(NULL, NULL), -EINVAL);
}

/* An old client must survive a newer holder's keys. */
static void test_errors_with_unknown_keys(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *json = json_loads("[{\"kind\": \"busy\", \"message\": \"m\", \"errno\": 16, "
				  "\"colour\": \"red\"}]",
				  0, NULL);

	(void)state;
	error_new(&err, ERROR_USAGE, EINVAL, "before");
	assert_int_equal(report_errors_parse(json, &err), 0);
	assert_string_equal(err->message, "before");
	assert_string_equal(err->next->message, "m");
	json_decref(json);
}

/* What a schema must have, whatever the tables say: each reference leads somewhere. */
static void check_references(const json_t *node, const json_t *defs)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach ((json_t *)node, key, value) {
		if (!strcmp(key, "$ref"))
			assert_non_null(json_object_get(defs, json_string_value(value) +
								      strlen("#/$defs/")));
		check_references(value, defs);
	}
	if (json_is_array(node))
		json_array_foreach (node, i, value)
			check_references(value, defs);
}

static void test_schemas(void **state)
{
	(void)state;
	for (const struct report_document *d = report_documents; d->name; d++) {
		json_t *schema = fields_schema(d->fields, d->title);

		assert_non_null(schema);
		assert_string_equal(text(schema, "title"), d->title);
		assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
		check_references(schema, json_object_get(schema, "$defs"));
		json_decref(schema);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioasids),
		cmocka_unit_test(test_counted_tables),
		cmocka_unit_test(test_vanished_ioasid),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_states_of_devices),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_description_only),
		cmocka_unit_test(test_text_that_is_not_utf8),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_errors_there_and_back),
		cmocka_unit_test(test_errors_that_are_none),
		cmocka_unit_test(test_errors_with_unknown_keys),
		cmocka_unit_test(test_schemas),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
