// SPDX-License-Identifier: LGPL-2.1-or-later
/* What tables of guests and vIOMMUs need of the rest of the file, whatever the driver. */
#include "base/cleanup.h"
#include "base/number.h"
#include "config/build.h"

/* Tables with the layout of the CPU's: what their roots and widths can be. */
#define RADIX_ALIGNMENT	   0x1000
#define RADIX_ADDRESS_BITS 52
#define RADIX_LEVELS_4	   48
#define RADIX_LEVELS_5	   57

/* Arm SMMU architecture (IHI 0070), 5.2: V is bit 0 of a stream table entry, Config bits 3 to 1. */
#define STE_VALID     0x1
#define STE_CONFIG    0xeU
#define STE_ABORT     (0U << 1)
#define STE_BYPASS    (4U << 1)
#define STE_TRANSLATE (5U << 1)

/* An IOASID or a vIOMMU that is looked at. */
struct guest {
	uint32_t fd;
	const struct raw_head *head;
	struct place fd_place, place;
	const struct viommu **identities; /* of each device: where it has a vdevice; or NULL */
	uint64_t **runs; /* of each IOASID of the fd: see find_runs(); NULL: not needed yet */
};

static void check_fault_queue(struct builder *b, const struct guest *g, const struct ioasid *ioasid)
{
	const uint32_t both = IOASID_FLAG_NEST_PARENT | IOASID_FLAG_FAULT_QUEUE;

	if ((ioasid->flags & both) != both)
		return;
	fault(b->faults, &g->place, "fault_queue", build_at(g->head, "fault_queue"),
	      "an IOASID with nest_parent: true has no fault queue: a page is missing in the "
	      "tables on top of it");
	fault_hint(b->faults, "write fault_queue: true in the nested IOASIDs instead");
}

static void check_radix(struct builder *b, const struct place *place, const struct raw_table *raw,
			const struct table *table)
{
	const char *format = table_format_names[table->format];

	if (table->address % RADIX_ALIGNMENT || table->address >> RADIX_ADDRESS_BITS) {
		fault(b->faults, place, "address", build_at(&raw->head, "address"),
		      "a table of format %s doesn't begin at %s: that isn't the start of a page, "
		      "or has more than %d bits",
		      format, raw->address, RADIX_ADDRESS_BITS);
		fault_hint(b->faults, "its root is one page of 4K, at a multiple of 0x1000");
	}
	if (!table->address_width || table->address_width == RADIX_LEVELS_4 ||
	    table->address_width == RADIX_LEVELS_5)
		return;
	fault(b->faults, place, "address_width", build_at(&raw->head, "address_width"),
	      "found %u, expected %d or %d: a table of format %s has four levels or five",
	      table->address_width, RADIX_LEVELS_4, RADIX_LEVELS_5, format);
}

static void check_ste(struct builder *b, const struct place *place, const struct raw_table *raw,
		      const struct table *table)
{
	const uint64_t config = table->words[0] & STE_CONFIG;

	if (!(table->words[0] & STE_VALID) || config == STE_ABORT || config == STE_BYPASS ||
	    config == STE_TRANSLATE)
		return;
	fault(b->faults, place, "ste", build_at(&raw->head, "ste"),
	      "Config of the stream table entry (bits 3 to 1 of word 0) is %u, expected 0 (abort), "
	      "4 (bypass) or 5 (the guest's stage 1)",
	      (unsigned)config >> 1);
	fault_hint(b->faults, "the other stage is the kernel's: it is the parent");
}

static void check_table(struct builder *b, const struct guest *g, const struct raw_ioasid *raw,
			const struct table *table)
{
	const struct place place = {&g->place, "table", NO_INDEX};

	if (table->format == TABLE_VTD_S1 || table->format == TABLE_X86_64)
		check_radix(b, &place, raw->table, table);
	else if (table->format == TABLE_ARM_SMMUV3)
		check_ste(b, &place, raw->table, table);
}

/* With a stream table entry that sends nothing to a table, the IOMMU has nothing to tell apart. */
static bool needs_vdevices(const struct ioasid *ioasid)
{
	const struct table *table = &ioasid->table;

	return ioasid->viommu != NO_INDEX &&
	       (table->format != TABLE_ARM_SMMUV3 ||
		(table->words[0] & STE_VALID && (table->words[0] & STE_CONFIG) == STE_TRANSLATE));
}

static void check_vdevices(struct builder *b, const struct guest *g, const struct raw_ioasid *raw,
			   const struct ioasid *ioasid)
{
	const struct viommu *viommu;

	if (!needs_vdevices(ioasid))
		return;
	viommu = &b->t->fds[g->fd].viommus[ioasid->viommu];
	for (uint32_t i = 0; i < ioasid->n_attach; i++) {
		const struct attachment *a = &ioasid->attach[i];
		const struct place place = {&g->place, "attach", raw->attach[i].head.index};

		if (a->device == NO_INDEX || a->pasid != NO_PASID || raw->attach[i].head.bad ||
		    g->identities[a->device] == viommu)
			continue;
		fault(b->faults, &place, "device", build_at(&raw->attach[i].head, "device"),
		      "device \"%s\" has no vdevice on viommu \"%s\" in line %u, which this IOASID "
		      "is on",
		      b->t->devices[a->device].name, viommu->name, viommu->at.line);
		fault_hint(b->faults,
			   "add {device: %s, id: ...} to vdevices there: what the guest calls it",
			   b->t->devices[a->device].name);
	}
}

static void check_ioasid(struct builder *b, uint32_t index, struct guest *g)
{
	const struct raw_ioasid *raw = &b->raw->fds[g->fd].ioasids[index];
	const struct ioasid *ioasid = &b->t->fds[g->fd].ioasids[index];

	g->head = &raw->head;
	g->place = (struct place){&g->fd_place, "ioasids", raw->head.index};
	if (raw->head.bad)
		return;
	check_fault_queue(b, g, ioasid);
	if (ioasid->kind == IOASID_NESTED && raw->table && !raw->table->head.bad) {
		check_table(b, g, raw, &ioasid->table);
		check_vdevices(b, g, raw, ioasid);
	}
}

/* Of each mapping, how far it and those that follow without a gap reach. NULL: out of memory. */
static const uint64_t *find_runs(struct builder *b, struct guest *g, uint32_t index)
{
	const struct ioasid *ioasid = &b->t->fds[g->fd].ioasids[index];
	uint64_t *runs = g->runs[index];

	if (runs)
		return runs;
	runs = g->runs[index] = arena_alloc_array(b->arena, ioasid->n_maps, sizeof(*runs));
	if (!runs)
		b->faults->no_memory = true;
	for (size_t i = ioasid->n_maps; runs && i-- > 0;) {
		const struct mapping *m = &ioasid->maps[i];

		runs[i] = range_last(m->iova, m->length);
		if (i + 1 < ioasid->n_maps && ioasid->maps[i + 1].iova == runs[i] + 1)
			runs[i] = runs[i + 1];
	}
	return runs;
}

/* Whether something of it isn't mapped, and the first such address. */
static bool find_gap(const struct ioasid *parent, const uint64_t *runs, struct range range,
		     uint64_t *gap)
{
	size_t low = 0, high = parent->n_maps;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (parent->maps[middle].iova <= range.first)
			low = middle + 1;
		else
			high = middle;
	}
	*gap = range.first;
	if (low && runs[low - 1] >= range.first)
		*gap = runs[low - 1] + 1;
	return !(low && runs[low - 1] >= range.last);
}

/* What the parent maps is known: all of it has been understood, and has its address. */
static bool is_mapped_by_config(const struct builder *b, const struct guest *g, uint32_t parent)
{
	const struct raw_ioasid *raw = &b->raw->fds[g->fd].ioasids[parent];
	const struct ioasid *ioasid = &b->t->fds[g->fd].ioasids[parent];

	const struct node *map = node_value(raw->head.at, "map");

	return ioasid->kind == IOASID_GPA && !raw->head.bad &&
	       (map ? map->count : 0) == ioasid->n_maps &&
	       (!ioasid->n_maps || !ioasid->maps[0].auto_iova);
}

static void check_queue_memory(struct builder *b, struct guest *g, uint32_t parent,
			       const struct raw_queue *raw)
{
	const struct place place = {&g->place, "queues", raw->head.index};
	const struct ioasid *ioasid = &b->t->fds[g->fd].ioasids[parent];
	const uint64_t iova = build_number(raw->iova), length = build_number(raw->length);
	const uint64_t *runs = find_runs(b, g, parent);
	char first[NUMBER_TEXT_MAX], last[NUMBER_TEXT_MAX], text[NUMBER_TEXT_MAX];
	uint64_t gap;

	if (!runs || !range_valid(iova, length) ||
	    !find_gap(ioasid, runs, (struct range){iova, range_last(iova, length)}, &gap))
		return;
	fault(b->faults, &place, "iova", build_at(&raw->head, "iova"),
	      "the queue lies at %s-%s, and its parent \"%s\" in line %u maps nothing at %s",
	      number_hex(iova, first), number_hex(range_last(iova, length), last), ioasid->name,
	      ioasid->at.line, number_hex(gap, text));
	fault_hint(b->faults, "map it in \"%s\", or correct iova and length", ioasid->name);
}

/* Hardware stacks its queues: each stands on the one before it. `seen` is by index. */
static void check_queue_index(struct builder *b, const struct guest *g, const struct raw_queue *raw,
			      const struct raw_queue **seen, uint32_t count)
{
	const struct place place = {&g->place, "queues", raw->head.index};
	const uint64_t index = build_number(raw->index);

	if (index >= count) {
		fault(b->faults, &place, "index", build_at(&raw->head, "index"),
		      "found index %s, expected one below %u: the hardware counts its queues from "
		      "0 on without a gap, and this viommu has %u",
		      raw->index, count, count);
		return;
	}
	if (seen[index]) {
		fault(b->faults, &place, "index", build_at(&raw->head, "index"),
		      "index %s is taken by the queue in line %u", raw->index,
		      seen[index]->head.at->line);
		fault_hint(b->faults, "count them from 0 on");
		return;
	}
	seen[index] = raw;
}

static void check_viommu(struct builder *b, uint32_t index, struct guest *g)
{
	const struct raw_viommu *raw = &b->raw->fds[g->fd].viommus[index];
	const struct viommu *viommu = &b->t->fds[g->fd].viommus[index];
	const struct raw_queue **seen =
		arena_alloc_array(b->arena, raw->queues_count, sizeof(const struct raw_queue *));

	if (!seen)
		b->faults->no_memory = true;
	g->head = &raw->head;
	g->place = (struct place){&g->fd_place, "viommus", raw->head.index};
	for (uint32_t i = 0; seen && i < raw->queues_count && !faults_full(b->faults); i++) {
		const struct raw_queue *queue = &raw->queues[i];

		if (queue->head.bad)
			continue;
		check_queue_index(b, g, queue, seen, raw->queues_count);
		if (viommu->parent != NO_INDEX && is_mapped_by_config(b, g, viommu->parent))
			check_queue_memory(b, g, viommu->parent, queue);
	}
}

static void note_identities(const struct iommu_fd *fd, const struct viommu **identities)
{
	for (size_t i = 0; i < fd->n_viommus; i++)
		for (size_t j = 0; j < fd->viommus[i].n_vdevices; j++)
			if (fd->viommus[i].vdevices[j].device != NO_INDEX)
				identities[fd->viommus[i].vdevices[j].device] = &fd->viommus[i];
}

void build_guests(struct builder *b)
{
	struct guest g = {.identities = arena_alloc_array(b->arena, b->t->n_devices,
							  sizeof(const struct viommu *))};

	for (g.fd = 0; g.identities && g.fd < b->t->n_fds; g.fd++) {
		const struct iommu_fd *fd = &b->t->fds[g.fd];

		g.fd_place = (struct place){NULL, "fds", b->raw->fds[g.fd].head.index};
		g.runs = arena_alloc_array(b->arena, fd->n_ioasids, sizeof(*g.runs));
		if (!g.runs)
			break;
		note_identities(fd, g.identities);
		for (uint32_t i = 0; i < fd->n_ioasids && !faults_full(b->faults); i++)
			check_ioasid(b, i, &g);
		for (uint32_t i = 0; i < fd->n_viommus && !faults_full(b->faults); i++)
			check_viommu(b, i, &g);
	}
	if (g.fd < b->t->n_fds)
		b->faults->no_memory = true;
}
