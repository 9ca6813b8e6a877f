// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "refdev/refdev.h"
#include "report/host.h"
#include "report/report.h"

#define PASID_BITS_MAX 20 /* of PCI, whatever an IOMMU could hold */

/* The IOMMUs that devices get which bring the translation with them. */
#define SOFTWARE "software"

#define LARGE_PAGES 4 << 10, 2 << 20, 1 << 30

/* Of each type: what sysfs never tells, and what holds where it doesn't. */
static const struct kind {
	const char *format; /* of its page tables */
	uint8_t address_bits;
	uint64_t page_sizes[3];
	const char *nested_format; /* that it walks for a guest; NULL: none that can be tried */
} kinds[] = {
	[HOST_IOMMU_VTD] = {.format = "vtd",
			    .address_bits = 48,
			    .page_sizes = {4 << 10},
			    .nested_format = "vtd-s1"},
	[HOST_IOMMU_AMD] = {.format = "amd", .address_bits = 48, .page_sizes = {LARGE_PAGES}},
	[HOST_IOMMU_SMMUV3] = {.format = "arm-smmuv3",
			       .address_bits = 48,
			       .page_sizes = {LARGE_PAGES}},
	[HOST_IOMMU_SMMU] = {.format = "arm-smmu", .address_bits = 48, .page_sizes = {LARGE_PAGES}},
	[HOST_IOMMU_VIRTIO] = {.format = "virtio", .address_bits = 64, .page_sizes = {4 << 10}},
	[HOST_IOMMU_RISCV] = {.format = "riscv", .address_bits = 48, .page_sizes = {LARGE_PAGES}},
	[HOST_IOMMU_S390] = {.format = "s390", .address_bits = 42, .page_sizes = {4 << 10}},
	[HOST_IOMMU_MOCK] = {.format = "mock",
			     .address_bits = 31,
			     .page_sizes = {2 << 10},
			     .nested_format = "mock"},
	[HOST_IOMMU_OTHER] = {.format = "other", .address_bits = 48, .page_sizes = {4 << 10}},
};

/* A copy is made of everything: the document is only read. */
struct conversion {
	const json_t *host;
	json_t *iommus, *groups, *devices, *formats; /* formats: names, each once */
	json_int_t next_group; /* number for a group that isn't in sysfs */
	bool software; /* some device is behind the IOMMU of that name */
	bool failed;
};

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void append(struct conversion *c, json_t *array, json_t *value)
{
	c->failed |= json_array_append_new(array, value) != 0;
}

static void set(struct conversion *c, json_t *object, const char *key, json_t *value)
{
	c->failed |= json_object_set_new(object, key, value) != 0;
}

static void copy(struct conversion *c, json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value)
		set(c, to, key, json_incref(value));
}

static void add_format(struct conversion *c, const char *format)
{
	const json_t *known;
	size_t i;

	json_array_foreach (c->formats, i, known)
		if (!strcmp(json_string_value(known), format))
			return;
	append(c, c->formats, json_string(format));
}

static const struct kind *kind_of(const json_t *iommu)
{
	const char *type = text_of(iommu, "type");

	for (size_t i = 0; i < HOST_IOMMU_TYPES_COUNT; i++)
		if (!strcmp(host_iommu_types[i], type))
			return &kinds[i];
	return &kinds[HOST_IOMMU_OTHER];
}

static json_t *default_sizes(struct conversion *c, const struct kind *kind)
{
	json_t *sizes = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(kind->page_sizes) && kind->page_sizes[i]; i++) {
		char size[NUMBER_TEXT_MAX];

		append(c, sizes, json_string(number_hex(kind->page_sizes[i], size)));
	}
	return sizes;
}

static json_t *pasid_bits(const json_t *object)
{
	json_int_t bits = json_integer_value(json_object_get(object, "pasid_bits"));

	return json_integer(bits < PASID_BITS_MAX ? bits : PASID_BITS_MAX);
}

static void convert_iommu(struct conversion *c, const json_t *iommu)
{
	const struct kind *kind = kind_of(iommu);
	const json_t *bits = json_object_get(iommu, "iova_bits");
	json_t *sizes = json_object_get(iommu, "page_sizes");
	json_t *out = json_pack("{s:s, s:s, s:I}", "name", text_of(iommu, "name"), "format",
				kind->format, "address_bits",
				bits ? json_integer_value(bits) : (json_int_t)kind->address_bits);

	set(c, out, "page_sizes",
	    json_array_size(sizes) ? json_incref(sizes) : default_sizes(c, kind));
	set(c, out, "pasid_bits", pasid_bits(iommu));
	copy(c, out, iommu, "nesting");
	copy(c, out, iommu, "dirty_tracking");
	copy(c, out, iommu, "snoop_control");
	if (kind->nested_format && json_is_true(json_object_get(iommu, "nesting")))
		set(c, out, "nested_formats", json_pack("[s]", kind->nested_format));
	append(c, c->iommus, out);
	add_format(c, kind->format);
}

/* Where the kernel lets mappings lie although the firmware asked otherwise, they may lie here. */
static bool is_binding(const char *type)
{
	return strcmp(type, "direct-relaxable") != 0;
}

static void convert_group(struct conversion *c, const json_t *group)
{
	json_int_t id = json_integer_value(json_object_get(group, "id"));
	json_t *reserved = json_array();
	const json_t *region;
	size_t i;

	json_array_foreach (json_object_get(group, "reserved"), i, region) {
		const char *type = text_of(region, "type");
		bool known = !strcmp(type, "msi") || !strcmp(type, "direct");

		if (is_binding(type))
			append(c, reserved,
			       json_pack("{s:O, s:O, s:s}", "first",
					 json_object_get(region, "first"), "last",
					 json_object_get(region, "last"), "type",
					 known ? type : "reserved"));
	}
	append(c, c->groups, json_pack("{s:I, s:o}", "id", id, "reserved", reserved));
	if (id >= c->next_group && id < UINT32_MAX) /* a larger one is refused later */
		c->next_group = id + 1;
}

/* mdev and vDPA devices are translated by what made them, whatever the IOMMU of the host. */
static bool brings_translation(const char *bus)
{
	return !strcmp(bus, "mdev") || !strcmp(bus, "vdpa");
}

static void place_device(struct conversion *c, json_t *out, const json_t *device)
{
	const json_t *group = json_object_get(device, "group");

	if (brings_translation(text_of(device, "bus"))) {
		c->software = true;
		set(c, out, "iommu", json_string(SOFTWARE));
		if (!group)
			append(c, c->groups, json_pack("{s:I}", "id", c->next_group));
		set(c, out, "group",
		    json_integer(group ? json_integer_value(group) : c->next_group++));
	} else if (group && json_object_get(device, "iommu")) {
		copy(c, out, device, "iommu");
		copy(c, out, device, "group");
	}
}

/* Buses that a config can't name have members of groups only; platform has names, too. */
static const char *selector_of(const char *bus)
{
	static const char *const own[] = {"pci", "mdev", "vdpa"};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (!strcmp(bus, own[i]))
			return own[i];
	return "platform";
}

static void convert_device(struct conversion *c, const json_t *device)
{
	static const char *const copied[] = {"vendor", "device", "class", "driver", "bridge"};
	json_t *out = json_object();

	copy(c, out, device, "address");
	if (out && json_object_get(out, "address")) {
		set(c, out, selector_of(text_of(device, "bus")),
		    json_incref(json_object_get(out, "address")));
		json_object_del(out, "address");
	}
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		copy(c, out, device, copied[i]);
	set(c, out, "pasid_bits", pasid_bits(device));
	place_device(c, out, device);
	append(c, c->devices, out);
}

/* An iommufd takes devices behind any IOMMU, so a file of the reference device does. */
static json_t *share_formats(struct conversion *c)
{
	json_t *pairs = json_array();

	for (size_t i = 0; i < json_array_size(c->formats); i++)
		for (size_t j = 0; j < i; j++)
			append(c, pairs,
			       json_pack("[O, O]", json_array_get(c->formats, i),
					 json_array_get(c->formats, j)));
	return pairs;
}

static void add_software(struct conversion *c)
{
	append(c, c->iommus,
	       json_pack("{s:s, s:s, s:i, s:[s]}", "name", SOFTWARE, "format", SOFTWARE,
			 "address_bits", 64, "page_sizes", "4K"));
	add_format(c, SOFTWARE);
}

/* Not told is no reason to refuse. */
static bool has_loose_interrupts(const struct conversion *c)
{
	const json_t *kernel = json_object_get(c->host, "kernel");

	return json_is_false(json_object_get(kernel, "interrupt_remapping")) &&
	       !json_is_true(json_object_get(kernel, "unsafe_interrupts"));
}

static json_t *convert(struct conversion *c)
{
	const json_t *memlock = json_object_get(c->host, "memlock"), *value;
	json_t *limit = json_object_get(memlock, "soft");
	size_t i;

	json_array_foreach (json_object_get(c->host, "iommus"), i, value)
		convert_iommu(c, value);
	json_array_foreach (json_object_get(c->host, "groups"), i, value)
		convert_group(c, value);
	json_array_foreach (json_object_get(c->host, "devices"), i, value)
		convert_device(c, value);
	if (c->software)
		add_software(c);
	if (json_is_true(json_object_get(memlock, "exempt")))
		limit = NULL;
	return json_pack("{s:i, s:O, s:O, s:O, s:O, s:o, s:b, s:O*}", "schema_version", 1, "iommus",
			 c->iommus, "groups", c->groups, "devices", c->devices, "drivers",
			 json_object_get(c->host, "pci_drivers"), "shared_formats",
			 share_formats(c), "no_interrupt_remapping", has_loose_interrupts(c),
			 "max_pinned_bytes", limit);
}

static char *convert_text(const json_t *host)
{
	struct conversion c = {
		.host = host,
		.iommus = json_array(),
		.groups = json_array(),
		.devices = json_array(),
		.formats = json_array(),
	};
	json_t *machine = convert(&c);
	char *text = machine && !c.failed ? json_dumps(machine, JSON_COMPACT) : NULL;

	json_decref(machine);
	json_decref(c.iommus);
	json_decref(c.groups);
	json_decref(c.devices);
	json_decref(c.formats);
	return text;
}

static int check_version(const json_t *host, char **why)
{
	if (json_integer_value(json_object_get(host, "schema_version")) == REPORT_SCHEMA_VERSION)
		return 0;
	if (asprintf(why, "schema_version: expected %d", REPORT_SCHEMA_VERSION) >= 0)
		return -EINVAL;
	*why = NULL;
	return -ENOMEM;
}

static int open_host(const json_t *host, struct refdev **out, char **why)
{
	_cleanup_free_ char *machine = NULL;
	int ret = check_version(host, why);

	if (!ret)
		ret = fields_validate(&host_fields, host, why);
	if (ret)
		return ret;
	machine = convert_text(host);
	return machine ? refdev_new(machine, strlen(machine), out, why) : -ENOMEM;
}

int machine_open(const char *text, size_t length, struct refdev **out, char **why)
{
	json_t *document = text ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
	int ret;

	*why = NULL;
	/* A machine description has no such key; whatever is no JSON is refused by its reader. */
	if (json_object_get(document, "kernel"))
		ret = open_host(document, out, why);
	else
		ret = refdev_new(text, length, out, why);
	json_decref(document);
	return ret;
}
