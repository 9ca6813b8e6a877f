// SPDX-License-Identifier: LGPL-2.1-or-later
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "config/build.h"

#define PAGE_SIZE_MIN 4096

static void check_memory_size(struct builder *b, const struct place *place,
			      const struct raw_memory *raw, const struct memory *m)
{
	char size[NUMBER_TEXT_MAX], page[NUMBER_TEXT_MAX];

	/* Files end at the largest offset that off_t has. */
	if (m->size > INT64_MAX)
		fault(b->faults, place, "size", build_at(&raw->head, "size"),
		      "found %s, expected at most 0x7fffffffffffffff: no file is larger",
		      number_hex(m->size, size));
	if (!m->page_size)
		return;
	if (m->page_size < PAGE_SIZE_MIN || m->page_size & (m->page_size - 1)) {
		fault(b->faults, place, "page_size", build_at(&raw->head, "page_size"),
		      "found %s, expected a power of two from 4K up",
		      number_size(m->page_size, page));
		fault_hint(b->faults, "x86 has 2M and 1G");
	} else if (m->size & (m->page_size - 1)) {
		fault(b->faults, place, "size", build_at(&raw->head, "size"),
		      "found %s, expected a multiple of the page size %s",
		      number_size(m->size, size), number_size(m->page_size, page));
	}
}

static void build_memory(struct builder *b, uint32_t index)
{
	const struct raw_memory *raw = &b->raw->memory[index];
	struct memory *m = &b->t->memories[index];
	const struct place place = {.key = "memory", .index = raw->head.index};

	memory_init(m);
	m->name = build_string(b, raw->name);
	m->at = build_position(&raw->head);
	m->backing = (enum backing)build_word(backing_names, raw->backing);
	m->size = build_number(raw->size);
	m->page_size = build_number(raw->page_size);
	if (raw->path)
		m->path = build_string(b, raw->path);
	m->bar = (uint32_t)build_number(raw->bar);
	m->prefault = build_flag(raw->prefault);
	if (raw->numa_node)
		m->numa_node = (int)build_number(raw->numa_node);
	build_name(b, &b->things, THING_MEMORY, index, &place, &raw->head, raw->name);
	if (!raw->head.bad)
		check_memory_size(b, &place, raw, m);
}

/* The alternatives that are one value. */
static const char *selected(const struct raw_device *raw, enum selector *selector)
{
	const char *const by[] = {
		[SELECTOR_PCI] = raw->pci,   [SELECTOR_MDEV] = raw->mdev,
		[SELECTOR_VDPA] = raw->vdpa, [SELECTOR_PLATFORM] = raw->platform,
		[SELECTOR_MOCK] = raw->mock,
	};

	for (size_t i = 0; i < ARRAY_SIZE(by); i++)
		if (by[i]) {
			*selector = (enum selector)i;
			return by[i];
		}
	return NULL;
}

/* One spelling for each device, that of sysfs, so that two spellings aren't two devices. */
static char *normal_address(struct builder *b, enum selector selector, const char *text)
{
	char *address;

	if (selector == SELECTOR_MOCK) {
		char digits[NUMBER_TEXT_MAX];

		snprintf(digits, sizeof(digits), "%u", (unsigned)build_number(text));
		return build_string(b, digits);
	}
	if (selector == SELECTOR_PCI && strlen(text) < strlen("0000:00:00.0"))
		text = arena_printf(b->arena, "0000:%s", text);
	address = build_string(b, text);
	if (address && (selector == SELECTOR_PCI || selector == SELECTOR_MDEV))
		for (char *p = address; *p; p++)
			*p = (char)tolower((unsigned char)*p);
	return address;
}

void build_address(struct builder *b, uint32_t device, const struct place *place)
{
	const struct raw_device *raw = &b->raw->devices[device], *other;
	const struct device *d = &b->t->devices[device];
	const char *key = selector_names[d->selector];
	const char *text = arena_printf(b->arena, "%s %s", key, d->address);
	struct named *entry = text ? names_add(&b->addresses, text) : NULL;

	if (!entry) {
		b->faults->no_memory = true;
		return;
	}
	other = entry->object;
	if (!other) {
		entry->object = raw;
		return;
	}
	fault(b->faults, place, key, build_at(&raw->head, key),
	      "%s is the same device as \"%s\" in line %u", d->address,
	      other->name ? other->name : "?", other->head.at->line);
	fault_hint(b->faults, "declare it once, and use that name everywhere");
}

static void build_making(struct builder *b, const struct raw_device *raw, struct device *d)
{
	uint8_t *mac = d->vdpa.mac;

	if (raw->management)
		d->vdpa.management = build_string(b, raw->management);
	d->vdpa.has_mac =
		raw->mac && sscanf(raw->mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0],
				   &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) == 6;
	d->vdpa.mtu = (uint16_t)build_number(raw->mtu);
	d->vdpa.max_queue_pairs = (uint16_t)build_number(raw->max_queue_pairs);
}

/* What the topology makes itself doesn't come by itself; and what makes others must be there. */
static void check_hotplug(struct builder *b, const struct place *place,
			  const struct raw_device *raw, const struct device *d)
{
	if (d->hotplug == HOTPLUG_MANUAL || (!raw->vfs && !raw->management && !raw->vf))
		return;
	fault(b->faults, place, "hotplug", build_at(&raw->head, "hotplug"),
	      "found attach, expected manual: this device %s",
	      raw->vfs		? "has virtual functions to be made"
	      : raw->management ? "is made with the topology"
				: "is a virtual function, made with the topology");
}

static void build_device(struct builder *b, uint32_t index)
{
	const struct raw_device *raw = &b->raw->devices[index];
	struct device *d = &b->t->devices[index];
	const struct place place = {.key = "devices", .index = raw->head.index};
	const char *address;

	device_init(d);
	d->name = build_string(b, raw->name);
	d->at = build_position(&raw->head);
	d->group = (enum group_policy)build_word(group_policy_names, raw->group);
	d->force = build_flag(raw->force);
	d->hotplug = (enum hotplug)build_word(hotplug_names, raw->hotplug);
	if (raw->driver)
		d->driver = build_string(b, raw->driver);
	build_making(b, raw, d);
	build_name(b, &b->things, THING_DEVICE, index, &place, &raw->head, raw->name);
	if (raw->vfs) {
		d->vfs = (uint32_t)build_number(raw->vfs);
		d->host_only = true;
	}
	address = selected(raw, &d->selector);
	d->address = address ? normal_address(b, d->selector, address) : NULL;
	if (d->address && !raw->head.bad)
		build_address(b, index, &place);
	check_hotplug(b, &place, raw, d);
}

/* Needs the names of all devices. */
static void link_memory(struct builder *b, uint32_t index)
{
	const struct raw_memory *raw = &b->raw->memory[index];
	struct memory *m = &b->t->memories[index];
	const struct place place = {.key = "memory", .index = raw->head.index};
	const struct device *d;

	m->device = build_reference(b, &b->things, THING_DEVICE, &place, &raw->head, "device",
				    raw->device);
	build_refuse_absence(b, &place, &raw->head, m->device, "memory");
	if (m->device == NO_INDEX || b->raw->devices[m->device].head.bad)
		return;
	build_refuse_physical(b, &place, &raw->head, "device", m->device);
	d = &b->t->devices[m->device];
	if (d->selector != SELECTOR_PCI && d->selector != SELECTOR_VF)
		fault(b->faults, &place, "device", build_at(&raw->head, "device"),
		      "device \"%s\" is selected by %s, expected a PCI device: others have no BARs",
		      d->name, selector_names[d->selector]);
}

void build_things(struct builder *b)
{
	struct topology *t = b->t;

	t->memories = build_array(b, b->raw->memory_count, sizeof(*t->memories));
	t->devices = build_array(b, b->raw->devices_count, sizeof(*t->devices));
	if (b->faults->no_memory)
		return;
	t->n_memories = b->raw->memory_count;
	t->n_devices = b->raw->devices_count;
	for (uint32_t i = 0; i < t->n_memories; i++)
		build_memory(b, i);
	for (uint32_t i = 0; i < t->n_devices; i++)
		build_device(b, i);
	for (uint32_t i = 0; i < t->n_memories; i++)
		link_memory(b, i);
}
