// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "config/config.h"
#include "config/grammar.h"

struct writer {
	struct arena arena;
	const struct topology *t;
	const struct iommu_fd *fd; /* whose parts are being written */
	bool no_memory;
};

static char *text(struct writer *w, const char *value)
{
	char *copy = value ? arena_copy(&w->arena, value, strlen(value)) : NULL;

	if (value && !copy)
		w->no_memory = true;
	return copy;
}

static char *hex(struct writer *w, uint64_t value)
{
	char buf[NUMBER_TEXT_MAX];

	return text(w, number_hex(value, buf));
}

static char *size(struct writer *w, uint64_t value)
{
	char buf[NUMBER_TEXT_MAX];

	return text(w, number_size(value, buf));
}

static char *decimal(struct writer *w, uint64_t value)
{
	char *digits = arena_printf(&w->arena, "%" PRIu64, value);

	if (!digits)
		w->no_memory = true;
	return digits;
}

static char *flag(struct writer *w, bool value)
{
	return text(w, value ? "true" : "false");
}

/* Zeroed; NULL for none, so that the key is left out. */
static void *list(struct writer *w, size_t count, size_t element, uint32_t *out)
{
	void *items = count ? arena_alloc_array(&w->arena, count, element) : NULL;

	if (count && !items)
		w->no_memory = true;
	*out = items ? (uint32_t)count : 0;
	return items;
}

static const char *ioasid_name(const struct writer *w, uint32_t index)
{
	return index == NO_INDEX ? NULL : w->fd->ioasids[index].name;
}

static const char *device_name(const struct writer *w, uint32_t index)
{
	return index == NO_INDEX ? NULL : w->t->devices[index].name;
}

static void write_memory(struct writer *w, const struct memory *m, struct raw_memory *raw)
{
	raw->name = text(w, m->name);
	raw->size = size(w, m->size);
	raw->backing = text(w, backing_names[m->backing]);
	raw->path = text(w, m->path);
	raw->device = text(w, device_name(w, m->device));
	if (m->backing == BACKING_DMABUF)
		raw->bar = decimal(w, m->bar);
	if (m->page_size)
		raw->page_size = size(w, m->page_size);
	raw->prefault = flag(w, m->prefault);
	if (m->numa_node != NO_NODE)
		raw->numa_node = decimal(w, (uint64_t)m->numa_node);
}

static struct raw_vf *write_vf(struct writer *w, const struct device *d)
{
	uint32_t one;
	struct raw_vf *raw = list(w, 1, sizeof(*raw), &one);

	if (raw) {
		raw->of = text(w, device_name(w, d->vf_of));
		raw->index = decimal(w, d->vf_index);
	}
	return raw;
}

static void write_making(struct writer *w, const struct device *d, struct raw_device *raw)
{
	const uint8_t *mac = d->vdpa.mac;

	raw->management = text(w, d->vdpa.management);
	if (d->vdpa.has_mac) {
		raw->mac = arena_printf(&w->arena, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
					mac[2], mac[3], mac[4], mac[5]);
		if (!raw->mac)
			w->no_memory = true;
	}
	if (d->vdpa.mtu)
		raw->mtu = decimal(w, d->vdpa.mtu);
	if (d->vdpa.max_queue_pairs)
		raw->max_queue_pairs = decimal(w, d->vdpa.max_queue_pairs);
}

static void write_device(struct writer *w, const struct device *d, struct raw_device *raw)
{
	char **const selectors[] = {
		[SELECTOR_PCI] = &raw->pci,   [SELECTOR_MDEV] = &raw->mdev,
		[SELECTOR_VDPA] = &raw->vdpa, [SELECTOR_PLATFORM] = &raw->platform,
		[SELECTOR_MOCK] = &raw->mock,
	};

	raw->name = text(w, d->name);
	if (d->selector == SELECTOR_VF)
		raw->vf = write_vf(w, d);
	else
		*selectors[d->selector] = text(w, d->address);
	if (d->vfs != NO_INDEX)
		raw->vfs = decimal(w, d->vfs);
	raw->driver = text(w, d->driver);
	write_making(w, d, raw);
	raw->group = text(w, group_policy_names[d->group]);
	raw->force = flag(w, d->force);
	raw->hotplug = text(w, hotplug_names[d->hotplug]);
}

static void write_table(struct writer *w, const struct table *table, struct raw_table *raw)
{
	raw->format = text(w, table_format_names[table->format]);
	if (table->format == TABLE_VTD_S1 || table->format == TABLE_X86_64) {
		raw->address = hex(w, table->address);
		if (table->address_width)
			raw->address_width = decimal(w, table->address_width);
	} else if (table->format == TABLE_MOCK) {
		raw->iotlb = decimal(w, table->words[0]);
	} else {
		bool ste = table->format == TABLE_ARM_SMMUV3;
		char **words = list(w, table->n_words, sizeof(*words),
				    ste ? &raw->ste_count : &raw->dte_count);

		for (uint32_t i = 0; words && i < table->n_words; i++)
			words[i] = hex(w, table->words[i]);
		*(ste ? &raw->ste : &raw->dte) = words;
	}
}

static void write_mapping(struct writer *w, const struct mapping *m, struct raw_mapping *raw)
{
	raw->iova = mapping_is_placed(m) ? hex(w, m->iova) : text(w, "auto");
	raw->length = size(w, m->length);
	if (m->memory == NO_INDEX) {
		raw->copy = text(w, ioasid_name(w, m->source));
		raw->from = hex(w, m->offset);
	} else {
		raw->memory = text(w, w->t->memories[m->memory].name);
		raw->offset = size(w, m->offset);
	}
	/* rw needs no word for a copy either: its source must allow it, so that it is inherited. */
	if (m->access != ACCESS_RW)
		raw->access = text(w, access_names[m->access]);
}

static void write_spaces(struct writer *w, const struct ioasid *ioasid, struct raw_ioasid *raw)
{
	raw->allow = list(w, ioasid->n_allow, sizeof(*raw->allow), &raw->allow_count);
	for (uint32_t i = 0; i < raw->allow_count; i++) {
		raw->allow[i].first = hex(w, ioasid->allow[i].first);
		raw->allow[i].last = hex(w, ioasid->allow[i].last);
	}
	raw->map = list(w, ioasid->n_maps, sizeof(*raw->map), &raw->map_count);
	for (uint32_t i = 0; i < raw->map_count; i++)
		write_mapping(w, &ioasid->maps[i], &raw->map[i]);
	raw->attach = list(w, attachment_count(ioasid), sizeof(*raw->attach), &raw->attach_count);
	for (uint32_t i = 0; i < raw->attach_count; i++) {
		raw->attach[i].device = text(w, device_name(w, ioasid->attach[i].device));
		if (ioasid->attach[i].pasid != NO_PASID)
			raw->attach[i].pasid = decimal(w, ioasid->attach[i].pasid);
		if (ioasid->attach[i].vq_group != NO_INDEX)
			raw->attach[i].vq_group = decimal(w, ioasid->attach[i].vq_group);
	}
}

static void write_ioasid(struct writer *w, const struct ioasid *ioasid, struct raw_ioasid *raw)
{
	uint32_t one;

	raw->name = text(w, ioasid->name);
	raw->kind = text(w, ioasid_kind_names[ioasid->kind]);
	raw->parent = text(w, ioasid_name(w, ioasid->parent));
	if (ioasid->viommu != NO_INDEX)
		raw->viommu = text(w, w->fd->viommus[ioasid->viommu].name);
	if (ioasid->table.format != TABLE_NONE) {
		raw->table = list(w, 1, sizeof(*raw->table), &one);
		if (raw->table)
			write_table(w, &ioasid->table, raw->table);
	}
	raw->nest_parent = flag(w, ioasid->flags & IOASID_FLAG_NEST_PARENT);
	raw->dirty_tracking = flag(w, ioasid->flags & IOASID_FLAG_DIRTY);
	raw->pasid = flag(w, ioasid->flags & IOASID_FLAG_PASID);
	raw->fault_queue = flag(w, ioasid->flags & IOASID_FLAG_FAULT_QUEUE);
	raw->enforce_snoop = flag(w, ioasid->flags & IOASID_FLAG_ENFORCE_SNOOP);
	raw->huge_pages = flag(w, !(ioasid->flags & IOASID_FLAG_NO_HUGE));
	write_spaces(w, ioasid, raw);
}

static void write_viommu(struct writer *w, const struct viommu *viommu, struct raw_viommu *raw)
{
	uint32_t one;

	raw->name = text(w, viommu->name);
	raw->parent = text(w, ioasid_name(w, viommu->parent));
	raw->device = text(w, device_name(w, viommu->device));
	raw->type = text(w, viommu_type_names[viommu->type]);
	if (viommu->events_depth) {
		raw->events = list(w, 1, sizeof(*raw->events), &one);
		if (raw->events)
			raw->events->depth = decimal(w, viommu->events_depth);
	}
	raw->vdevices = list(w, viommu->n_vdevices, sizeof(*raw->vdevices), &raw->vdevices_count);
	for (uint32_t i = 0; i < raw->vdevices_count; i++) {
		raw->vdevices[i].device = text(w, device_name(w, viommu->vdevices[i].device));
		raw->vdevices[i].id = hex(w, viommu->vdevices[i].id);
	}
	raw->queues = list(w, viommu->n_queues, sizeof(*raw->queues), &raw->queues_count);
	for (uint32_t i = 0; i < raw->queues_count; i++) {
		raw->queues[i].index = decimal(w, viommu->queues[i].index);
		raw->queues[i].iova = hex(w, viommu->queues[i].iova);
		raw->queues[i].length = size(w, viommu->queues[i].length);
	}
}

static void write_fd(struct writer *w, const struct iommu_fd *fd, struct raw_fd *raw)
{
	w->fd = fd;
	raw->name = text(w, fd->name);
	raw->driver = text(w, driver_choice_names[fd->driver]);
	raw->node = text(w, fd->node);
	raw->accounting = text(w, accounting_names[fd->accounting]);
	raw->vfio_compat = text(w, ioasid_name(w, fd->vfio_compat));
	raw->ioasids = list(w, fd->n_ioasids, sizeof(*raw->ioasids), &raw->ioasids_count);
	for (uint32_t i = 0; i < raw->ioasids_count; i++)
		write_ioasid(w, &fd->ioasids[i], &raw->ioasids[i]);
	raw->viommus = list(w, fd->n_viommus, sizeof(*raw->viommus), &raw->viommus_count);
	for (uint32_t i = 0; i < raw->viommus_count; i++)
		write_viommu(w, &fd->viommus[i], &raw->viommus[i]);
}

/* Those that `group: take` added stand behind, and come back with the group. */
static size_t n_declared(const struct topology *t)
{
	size_t n = t->n_devices;

	while (n && t->devices[n - 1].taken_for != NO_INDEX)
		n--;
	return n;
}

static void write_topology(struct writer *w, struct raw_topology *raw)
{
	const struct topology *t = w->t;
	uint32_t one;

	raw->version = text(w, "1");
	raw->name = text(w, t->name);
	if (t->owner_user) {
		raw->owner = list(w, 1, sizeof(*raw->owner), &one);
		if (raw->owner)
			raw->owner->user = text(w, t->owner_user);
	}
	raw->memory = list(w, t->n_memories, sizeof(*raw->memory), &raw->memory_count);
	for (uint32_t i = 0; i < raw->memory_count; i++)
		write_memory(w, &t->memories[i], &raw->memory[i]);
	raw->devices = list(w, n_declared(t), sizeof(*raw->devices), &raw->devices_count);
	for (uint32_t i = 0; i < raw->devices_count; i++)
		write_device(w, &t->devices[i], &raw->devices[i]);
	raw->fds = list(w, t->n_fds, sizeof(*raw->fds), &raw->fds_count);
	for (uint32_t i = 0; i < raw->fds_count; i++)
		write_fd(w, &t->fds[i], &raw->fds[i]);
}

/* Sets every key to NULL whose value is the default: what libcyaml leaves out. */
static void drop_defaults(const struct grammar_object *object, char *raw)
{
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct grammar_field *field = &object->fields[i];
		const cyaml_schema_field_t *schema = &object->schema[i];
		void **slot = (void **)(raw + schema->data_offset);

		if (!*slot)
			continue;
		if (field->fallback && !strcmp(*slot, field->fallback)) {
			*slot = NULL;
		} else if (field->object) {
			uint32_t count = schema->value.type == CYAML_SEQUENCE
						 ? *(uint32_t *)(raw + schema->count_offset)
						 : 1;

			for (uint32_t j = 0; j < count; j++)
				drop_defaults(field->object,
					      (char *)*slot + j * field->object->size);
		}
	}
}

static int save(const struct raw_topology *raw, char **out, size_t *length,
		struct ioasidctl_error **err)
{
	const cyaml_config_t config = {.mem_fn = cyaml_mem, .flags = CYAML_CFG_STYLE_BLOCK};
	_cleanup_free_ char *yaml = NULL;
	char *terminated;
	cyaml_err_t ret = cyaml_save_data(&yaml, length, &config, &grammar_schema, raw, 0);

	if (ret == CYAML_ERR_OOM)
		return error_nomem(err);
	if (ret != CYAML_OK)
		return error_new(err, ERROR_CONFIG, EINVAL, "can't write the topology as YAML: %s",
				 cyaml_strerror(ret));
	terminated = realloc(yaml, *length + 1);
	if (!terminated)
		return error_nomem(err);
	yaml = NULL;
	terminated[*length] = '\0';
	*out = terminated;
	return 0;
}

int config_write(const struct topology *t, char **out, size_t *length, struct ioasidctl_error **err)
{
	struct writer w = {.t = t};
	struct raw_topology raw = {0};
	int ret;

	write_topology(&w, &raw);
	if (!w.no_memory)
		drop_defaults(&grammar_topology, (char *)&raw);
	ret = w.no_memory ? error_nomem(err) : save(&raw, out, length, err);
	arena_done(&w.arena);
	return ret;
}
