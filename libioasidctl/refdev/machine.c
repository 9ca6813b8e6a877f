// SPDX-License-Identifier: LGPL-2.1-or-later
#include "refdev/machine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/number.h"
#include "refdev/json_reader.h"

static const char *const selector_keys[] = {
	[IOASID_SELECT_PCI] = "pci",	       [IOASID_SELECT_MDEV] = "mdev",
	[IOASID_SELECT_PLATFORM] = "platform", [IOASID_SELECT_VDPA] = "vdpa",
	[IOASID_SELECT_MOCK] = "mock",
};

static const char *const reserved_names[] = {
	[IOASID_RESERVED_MSI] = "msi",
	[IOASID_RESERVED_DIRECT] = "direct",
	[IOASID_RESERVED_OTHER] = "reserved",
};

/* As in configs; what the reference device has no code for is a fault. */
static const char *const table_names[] = {
	[IOASID_TABLE_VTD_S1] = "vtd-s1",
	[IOASID_TABLE_MOCK] = "mock",
	[IOASID_TABLE_X86_64] = "x86-64",
};

static const char *const viommu_names[] = {
	[IOASID_VIOMMU_DEFAULT] = "default",
	[IOASID_VIOMMU_ARM_SMMUV3] = "arm-smmuv3",
	[IOASID_VIOMMU_TEGRA241_CMDQV] = "tegra241-cmdqv",
	[IOASID_VIOMMU_MOCK] = "mock",
};

/* An array of names, each a bit. */
static int read_set(struct reader *r, const json_t *object, const char *key,
		    const char *const names[], size_t n_names, uint32_t *out)
{
	json_t *array, *value;
	size_t i, n;
	int ret = reader_array(r, object, key, 32, &array);

	if (ret)
		return ret;
	json_array_foreach (array, i, value) {
		const char *text = json_string_value(value);

		n = 0;
		while (n < n_names && !(text && names[n] && !strcmp(names[n], text)))
			n++;
		if (n == n_names)
			return reader_fail(r, key,
					   "expected names that ioasidctl.yaml(5) has for "
					   "this, of those that the reference device plays");
		*out |= 1U << n;
	}
	return 0;
}

static int read_page_sizes(struct reader *r, const json_t *object, uint64_t *out)
{
	json_t *array, *value;
	size_t i;
	int ret = reader_array(r, object, "page_sizes", 64, &array);

	if (ret)
		return ret;
	*out = 0;
	json_array_foreach (array, i, value) {
		const char *text = json_string_value(value);
		uint64_t size;

		if (!text || number_parse(text, &size) || !size || size & (size - 1))
			return reader_fail(r, "page_sizes", "expected powers of two in strings");
		*out |= size;
	}
	/* A page of a table holds 512 entries; bits 0 to 2 of an entry are flags. */
	if (!*out || __builtin_ctzll(*out) < 9 || __builtin_ctzll(*out) > 16)
		return reader_fail(r, "page_sizes", "expected a smallest size from 512 to 64K");
	return 0;
}

static int read_aperture(struct reader *r, const json_t *object, struct machine_iommu *iommu)
{
	static const char *const known[] = {"first", "last", NULL};
	json_t *aperture = json_object_get(object, "aperture");
	uint64_t end = UINT64_MAX >> (64 - iommu->address_bits);
	int ret;

	iommu->last = end;
	if (!aperture)
		return 0;
	reader_enter(r, "aperture", -1);
	ret = reader_object(r, aperture, known);
	if (!ret)
		ret = reader_number(r, aperture, "first", true, &iommu->first);
	if (!ret)
		ret = reader_number(r, aperture, "last", true, &iommu->last);
	if (!ret && (iommu->first > iommu->last || iommu->last > end))
		ret = reader_fail(r, NULL, "expected first <= last, within address_bits");
	reader_leave(r);
	return ret;
}

static int read_nesting(struct reader *r, const json_t *object, struct machine_iommu *iommu)
{
	int ret = reader_bool(r, object, "nesting", &iommu->nesting);

	if (!ret)
		ret = read_set(r, object, "nested_formats", table_names, ARRAY_SIZE(table_names),
			       &iommu->nested_formats);
	if (!ret)
		ret = read_set(r, object, "viommu_types", viommu_names, ARRAY_SIZE(viommu_names),
			       &iommu->viommu_types);
	if (!ret)
		ret = reader_integer(r, object, "hw_queues", false, 0, 128, &iommu->hw_queues);
	if (!ret && !iommu->nesting &&
	    (iommu->nested_formats || iommu->viommu_types || iommu->hw_queues))
		ret = reader_fail(r, "nesting",
				  "nested_formats, viommu_types and hw_queues want "
				  "nesting to be true");
	return ret;
}

static int read_iommu(struct reader *r, const json_t *object, struct machine_iommu *iommu)
{
	static const char *const known[] = {
		"name",		  "format",	    "address_bits",  "page_sizes", "aperture",
		"nesting",	  "dirty_tracking", "snoop_control", "pasid_bits", "info",
		"nested_formats", "viommu_types",   "hw_queues",     NULL};
	int ret = reader_object(r, object, known);

	if (!ret)
		ret = reader_text(r, object, "name", true, iommu->name, sizeof(iommu->name));
	if (!ret)
		ret = reader_text(r, object, "format", true, iommu->format, sizeof(iommu->format));
	if (!ret)
		ret = reader_integer(r, object, "address_bits", true, 20, 64, &iommu->address_bits);
	if (!ret)
		ret = read_page_sizes(r, object, &iommu->page_sizes);
	if (!ret)
		ret = read_aperture(r, object, iommu);
	if (!ret)
		ret = read_nesting(r, object, iommu);
	if (!ret)
		ret = reader_bool(r, object, "dirty_tracking", &iommu->dirty_tracking);
	if (!ret)
		ret = reader_bool(r, object, "snoop_control", &iommu->snoop_control);
	if (!ret)
		ret = reader_integer(r, object, "pasid_bits", false, 0, 20, &iommu->pasid_bits);
	return ret;
}

static int read_reserved(struct reader *r, const json_t *object, struct machine_reserved *out)
{
	static const char *const known[] = {"first", "last", "type", NULL};
	char type[IOASID_NAME_SIZE] = "reserved";
	int ret = reader_object(r, object, known);

	if (!ret)
		ret = reader_number(r, object, "first", true, &out->first);
	if (!ret)
		ret = reader_number(r, object, "last", true, &out->last);
	if (!ret)
		ret = reader_text(r, object, "type", false, type, sizeof(type));
	if (ret)
		return ret;
	if (out->first > out->last)
		return reader_fail(r, NULL, "expected first <= last");
	for (size_t i = 0; i < ARRAY_SIZE(reserved_names); i++)
		if (!strcmp(type, reserved_names[i])) {
			out->type = i;
			return 0;
		}
	return reader_fail(r, "type", "expected msi, direct or reserved");
}

static int read_group(struct reader *r, const json_t *object, struct machine_group *group)
{
	static const char *const known[] = {"id", "reserved", "info", NULL};
	json_t *array = NULL, *value;
	size_t i;
	int ret = reader_object(r, object, known);

	if (!ret)
		ret = reader_integer(r, object, "id", true, 0, IOASID_NONE - 1, &group->id);
	if (!ret)
		ret = reader_array(r, object, "reserved", MACHINE_MAX_MEMBERS, &array);
	if (ret || !array || !json_array_size(array))
		return ret;
	group->reserved = calloc(json_array_size(array), sizeof(*group->reserved));
	if (!group->reserved)
		return -ENOMEM;
	json_array_foreach (array, i, value) {
		reader_enter(r, "reserved", (long)i);
		ret = read_reserved(r, value, &group->reserved[i]);
		reader_leave(r);
		if (ret)
			return ret;
		group->n_reserved++;
	}
	return 0;
}

/* Exactly one of pci, mdev, platform, vdpa, mock; mock is a number. */
static int read_selector(struct reader *r, const json_t *object, struct machine_device *device)
{
	int found = -1, ret;
	uint32_t number;

	for (size_t i = 0; i < ARRAY_SIZE(selector_keys); i++) {
		if (!json_object_get(object, selector_keys[i]))
			continue;
		if (found >= 0)
			return reader_fail(r, selector_keys[i], "the device is named by %s already",
					   selector_keys[found]);
		found = (int)i;
	}
	if (found < 0)
		return reader_fail(r, NULL, "expected one of pci, mdev, platform, vdpa, mock");
	device->selector = (enum ioasid_selector)found;
	if (found != IOASID_SELECT_MOCK)
		return reader_text(r, object, selector_keys[found], true, device->name,
				   sizeof(device->name));
	ret = reader_integer(r, object, "mock", true, 0, INT32_MAX, &number);
	if (!ret)
		snprintf(device->name, sizeof(device->name), "%" PRIu32, number);
	return ret;
}

long machine_find_group(const struct machine *machine, uint32_t id)
{
	size_t low = 0, high = machine->n_groups;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (machine->groups[middle].id == id)
			return (long)middle;
		if (machine->groups[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

static const struct machine_iommu *find_iommu(const struct machine *machine, const char *name)
{
	for (size_t i = 0; i < machine->n_iommus; i++)
		if (!strcmp(machine->iommus[i].name, name))
			return &machine->iommus[i];
	return NULL;
}

/* Group and IOMMU come together, and all members of a group sit behind one IOMMU. */
static int read_place(struct reader *r, const json_t *object, struct machine *machine,
		      struct machine_device *device)
{
	char name[IOASID_NAME_SIZE] = "";
	const struct machine_iommu *iommu;
	struct machine_group *group;
	uint32_t id = IOASID_NONE;
	long index;
	int ret = reader_text(r, object, "iommu", false, name, sizeof(name));

	if (!ret)
		ret = reader_integer(r, object, "group", false, 0, IOASID_NONE - 1, &id);
	device->group = IOASID_NONE;
	if (ret || (!name[0] && id == IOASID_NONE))
		return ret;
	if (!name[0] || id == IOASID_NONE)
		return reader_fail(r, name[0] ? "group" : "iommu", "iommu and group go together");
	iommu = find_iommu(machine, name);
	if (!iommu)
		return reader_fail(r, "iommu", "there is no IOMMU \"%s\" in iommus", name);
	index = machine_find_group(machine, id);
	if (index < 0)
		return reader_fail(r, "group", "there is no group %" PRIu32 " in groups", id);
	group = &machine->groups[index];
	if (group->iommu && group->iommu != iommu)
		return reader_fail(r, "iommu", "other members of group %" PRIu32 " are behind %s",
				   id, group->iommu->name);
	group->iommu = iommu;
	group->n_members++;
	device->group = (uint32_t)index;
	return 0;
}

static int read_device(struct reader *r, const json_t *object, struct machine *machine,
		       struct machine_device *device)
{
	static const char *const known[] = {
		"pci",	    "mdev",	  "platform",	 "vdpa",  "mock",  "vendor",
		"device",   "class",	  "driver",	 "iommu", "group", "bridge",
		"no_snoop", "pasid_bits", "page_faults", "info",  NULL};
	char id[IOASID_NAME_SIZE];
	int ret = reader_object(r, object, known);

	if (!ret)
		ret = read_selector(r, object, device);
	if (!ret)
		ret = reader_text(r, object, "vendor", false, id, sizeof(id));
	if (!ret)
		ret = reader_text(r, object, "device", false, id, sizeof(id));
	if (!ret)
		ret = reader_text(r, object, "class", false, id, sizeof(id));
	if (!ret)
		ret = reader_text(r, object, "driver", false, device->driver,
				  sizeof(device->driver));
	if (!ret)
		ret = reader_bool(r, object, "bridge", &device->bridge);
	if (!ret)
		ret = reader_bool(r, object, "no_snoop", &device->no_snoop);
	if (!ret)
		ret = reader_bool(r, object, "page_faults", &device->page_faults);
	if (!ret)
		ret = reader_integer(r, object, "pasid_bits", false, 0, 20, &device->pasid_bits);
	if (!ret)
		ret = read_place(r, object, machine, device);
	return ret;
}

static int by_id(const void *a, const void *b)
{
	const struct machine_group *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_name(const void *a, const void *b)
{
	const struct machine_device *x = *(struct machine_device *const *)a;
	const struct machine_device *y = *(struct machine_device *const *)b;

	return x->selector != y->selector ? (int)x->selector - (int)y->selector
					  : strcmp(x->name, y->name);
}

static int refuse_twins(struct reader *r, const struct machine *machine)
{
	_cleanup_free_ const struct machine_device **sorted =
		calloc(machine->n_devices + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < machine->n_devices; i++)
		sorted[i] = &machine->devices[i];
	qsort(sorted, machine->n_devices, sizeof(*sorted), by_name);
	for (size_t i = 1; i < machine->n_devices; i++)
		if (!by_name(&sorted[i - 1], &sorted[i]))
			return reader_fail(r, "devices", "%s %s is there twice",
					   selector_keys[sorted[i]->selector], sorted[i]->name);
	return 0;
}

/* One array of objects of the root, `read` for each. */
#define READ_ARRAY(key, limit, items, count, read)                                    \
	do {                                                                          \
		json_t *array__, *value__;                                            \
		size_t i__;                                                           \
		int ret__ = reader_array(r, root, key, limit, &array__);              \
                                                                                      \
		if (ret__)                                                            \
			return ret__;                                                 \
		items = calloc(json_array_size(array__) + 1, sizeof(*(items)));       \
		if (!(items))                                                         \
			return -ENOMEM;                                               \
		json_array_foreach (array__, i__, value__) {                          \
			reader_enter(r, key, (long)i__);                              \
			/* counted first: what a failure leaves half-read is freed */ \
			count++;                                                      \
			ret__ = read;                                                 \
			reader_leave(r);                                              \
			if (ret__)                                                    \
				return ret__;                                         \
		}                                                                     \
	} while (0)

static int read_groups(struct reader *r, const json_t *root, struct machine *m)
{
	READ_ARRAY("groups", MACHINE_MAX_MEMBERS, m->groups, m->n_groups,
		   read_group(r, value__, &m->groups[i__]));
	qsort(m->groups, m->n_groups, sizeof(*m->groups), by_id);
	for (size_t i = 1; i < m->n_groups; i++)
		if (m->groups[i - 1].id == m->groups[i].id)
			return reader_fail(r, "groups", "group %" PRIu32 " is there twice",
					   m->groups[i].id);
	return 0;
}

static int read_iommus(struct reader *r, const json_t *root, struct machine *m)
{
	READ_ARRAY("iommus", MACHINE_MAX_IOMMUS, m->iommus, m->n_iommus,
		   read_iommu(r, value__, &m->iommus[i__]));
	for (size_t i = 0; i < m->n_iommus; i++)
		if (find_iommu(m, m->iommus[i].name) != &m->iommus[i])
			return reader_fail(r, "iommus", "IOMMU \"%s\" is there twice",
					   m->iommus[i].name);
	return 0;
}

static int read_devices(struct reader *r, const json_t *root, struct machine *m)
{
	READ_ARRAY("devices", MACHINE_MAX_MEMBERS, m->devices, m->n_devices,
		   read_device(r, value__, m, &m->devices[i__]));
	return refuse_twins(r, m);
}

static int read_driver(struct reader *r, json_t *value, char out[IOASID_NAME_SIZE])
{
	const char *text = json_string_value(value);

	if (!text || !*text || strlen(text) >= IOASID_NAME_SIZE)
		return reader_fail(r, NULL, "expected the name of a driver");
	snprintf(out, IOASID_NAME_SIZE, "%s", text);
	return 0;
}

static int read_shared(struct reader *r, json_t *value, char out[2][IOASID_NAME_SIZE])
{
	for (size_t i = 0; i < 2; i++) {
		const char *text = json_string_value(json_array_get(value, i));

		if (json_array_size(value) != 2 || !text || strlen(text) >= IOASID_NAME_SIZE)
			return reader_fail(r, NULL, "expected a pair of format names");
		snprintf(out[i], IOASID_NAME_SIZE, "%s", text);
	}
	return 0;
}

static int read_lists(struct reader *r, const json_t *root, struct machine *m)
{
	READ_ARRAY("drivers", MACHINE_MAX_MEMBERS, m->drivers, m->n_drivers,
		   read_driver(r, value__, m->drivers[i__]));
	READ_ARRAY("shared_formats", MACHINE_MAX_IOMMUS, m->shared, m->n_shared,
		   read_shared(r, value__, m->shared[i__]));
	return 0;
}

/* The other direction of device -> group. */
static int link_members(struct machine *m)
{
	for (size_t i = 0; i < m->n_groups; i++) {
		m->groups[i].members = calloc(m->groups[i].n_members + 1, sizeof(uint32_t));
		if (!m->groups[i].members)
			return -ENOMEM;
		m->groups[i].n_members = 0;
	}
	for (size_t i = 0; i < m->n_devices; i++)
		if (m->devices[i].group != IOASID_NONE) {
			struct machine_group *group = &m->groups[m->devices[i].group];

			group->members[group->n_members++] = (uint32_t)i;
		}
	return 0;
}

static int read_root(struct reader *r, const json_t *root, struct machine *m)
{
	static const char *const known[] = {"schema_version",
					    "iommus",
					    "groups",
					    "devices",
					    "drivers",
					    "shared_formats",
					    "max_domains",
					    "max_pinned_bytes",
					    "no_interrupt_remapping",
					    "info",
					    NULL};
	uint32_t version;
	int ret = reader_object(r, root, known);

	if (!ret)
		ret = reader_integer(r, root, "schema_version", true, MACHINE_SCHEMA_VERSION,
				     MACHINE_SCHEMA_VERSION, &version);
	if (!ret)
		ret = reader_integer(r, root, "max_domains", false, 0, INT32_MAX, &m->max_domains);
	if (!ret)
		ret = reader_number(r, root, "max_pinned_bytes", false, &m->max_pinned_bytes);
	if (!ret)
		ret = reader_bool(r, root, "no_interrupt_remapping", &m->no_interrupt_remapping);
	if (!ret)
		ret = read_lists(r, root, m);
	if (!ret)
		ret = read_iommus(r, root, m);
	if (!ret)
		ret = read_groups(r, root, m);
	if (!ret)
		ret = read_devices(r, root, m);
	return ret ? ret : link_members(m);
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n_groups; i++) {
		free(m->groups[i].reserved);
		free(m->groups[i].members);
	}
	free(m->iommus);
	free(m->groups);
	free(m->devices);
	free(m->drivers);
	free(m->shared);
	free(m);
}

int machine_parse(const char *text, size_t length, struct machine **out, char **why)
{
	struct machine *m = calloc(1, sizeof(*m));
	struct reader r = {0};
	json_error_t at = {0};
	json_t *root = NULL;
	int ret;

	*why = NULL;
	if (!m)
		return -ENOMEM;
	if (length > MACHINE_MAX_BYTES) {
		ret = reader_fail(&r, NULL, "a machine description has at most %u bytes",
				  MACHINE_MAX_BYTES);
	} else {
		ret = json_read(text, length, &root, &at);
		if (!ret)
			ret = read_root(&r, root, m);
		else if (ret == -EINVAL)
			ret = reader_fail(&r, NULL, "line %d column %d: %s", at.line, at.column,
					  at.text);
	}
	json_decref(root);
	if (ret) {
		machine_free(m);
		*why = r.why;
		return ret;
	}
	*out = m;
	return 0;
}

bool machine_formats_share(const struct machine *machine, const char *a, const char *b)
{
	if (!strcmp(a, b))
		return true;
	for (size_t i = 0; i < machine->n_shared; i++)
		for (int turn = 0; turn < 2; turn++)
			if (!strcmp(machine->shared[i][turn], a) &&
			    !strcmp(machine->shared[i][!turn], b))
				return true;
	return false;
}
