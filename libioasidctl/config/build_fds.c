// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/cleanup.h"
#include "config/build.h"

static uint32_t ioasid_flags(const struct raw_ioasid *raw)
{
	const struct {
		const char *text;
		uint32_t flag;
	} flags[] = {
		{raw->nest_parent, IOASID_FLAG_NEST_PARENT},
		{raw->dirty_tracking, IOASID_FLAG_DIRTY},
		{raw->pasid, IOASID_FLAG_PASID},
		{raw->fault_queue, IOASID_FLAG_FAULT_QUEUE},
		{raw->enforce_snoop, IOASID_FLAG_ENFORCE_SNOOP},
	};
	uint32_t set = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (build_flag(flags[i].text))
			set |= flags[i].flag;
	if (raw->huge_pages && !build_flag(raw->huge_pages))
		set |= IOASID_FLAG_NO_HUGE;
	return set;
}

static void build_words(struct table *table, char *const *texts, uint32_t count)
{
	for (uint32_t i = 0; i < count && i < TABLE_WORDS_MAX; i++)
		table->words[i] = build_number(texts[i]);
	table->n_words = count;
}

static void build_table(const struct raw_table *raw, struct table *table)
{
	table->format = (enum table_format)build_word(table_format_names, raw->format);
	table->address = build_number(raw->address);
	table->address_width = (uint32_t)build_number(raw->address_width);
	if (raw->ste)
		build_words(table, raw->ste, raw->ste_count);
	else if (raw->dte)
		build_words(table, raw->dte, raw->dte_count);
	else if (table->format == TABLE_MOCK)
		build_words(table, (char *const[]){raw->iotlb}, 1);
}

static void build_ioasids(struct builder *b, uint32_t fd, const struct place *up)
{
	const struct raw_fd *from = &b->raw->fds[fd];
	struct iommu_fd *to = &b->t->fds[fd];

	to->ioasids = build_array(b, from->ioasids_count, sizeof(*to->ioasids));
	to->n_ioasids = to->ioasids ? from->ioasids_count : 0;
	for (uint32_t i = 0; i < to->n_ioasids; i++) {
		const struct raw_ioasid *raw = &from->ioasids[i];
		const struct place place = {up, "ioasids", raw->head.index};
		struct ioasid *ioasid = &to->ioasids[i];

		ioasid_init(ioasid);
		ioasid->name = build_string(b, raw->name);
		ioasid->at = build_position(&raw->head);
		ioasid->kind = (enum ioasid_kind)build_word(ioasid_kind_names, raw->kind);
		ioasid->flags = ioasid_flags(raw);
		if (raw->table)
			build_table(raw->table, &ioasid->table);
		build_name(b, &b->members[fd], THING_IOASID, i, &place, &raw->head, raw->name);
	}
}

static void build_viommus(struct builder *b, uint32_t fd, const struct place *up)
{
	const struct raw_fd *from = &b->raw->fds[fd];
	struct iommu_fd *to = &b->t->fds[fd];

	to->viommus = build_array(b, from->viommus_count, sizeof(*to->viommus));
	to->n_viommus = to->viommus ? from->viommus_count : 0;
	for (uint32_t i = 0; i < to->n_viommus; i++) {
		const struct raw_viommu *raw = &from->viommus[i];
		const struct place place = {up, "viommus", raw->head.index};
		struct viommu *viommu = &to->viommus[i];

		viommu_init(viommu);
		viommu->name = build_string(b, raw->name);
		viommu->at = build_position(&raw->head);
		viommu->type = (enum viommu_type)build_word(viommu_type_names, raw->type);
		if (raw->events)
			viommu->events_depth = (uint32_t)build_number(raw->events->depth);
		build_name(b, &b->members[fd], THING_VIOMMU, i, &place, &raw->head, raw->name);
	}
}

void build_fds(struct builder *b)
{
	struct topology *t = b->t;

	t->fds = build_array(b, b->raw->fds_count, sizeof(*t->fds));
	t->n_fds = t->fds ? b->raw->fds_count : 0;
	for (uint32_t i = 0; i < t->n_fds; i++) {
		const struct raw_fd *raw = &b->raw->fds[i];
		const struct place place = {NULL, "fds", raw->head.index};
		struct iommu_fd *fd = &t->fds[i];

		iommu_fd_init(fd);
		fd->name = build_string(b, raw->name);
		fd->at = build_position(&raw->head);
		fd->driver = (enum driver_choice)build_word(driver_choice_names, raw->driver);
		fd->accounting = (enum accounting)build_word(accounting_names, raw->accounting);
		if (raw->node)
			fd->node = build_string(b, raw->node);
		build_name(b, &b->things, THING_FD, i, &place, &raw->head, raw->name);
		build_ioasids(b, i, &place);
		build_viommus(b, i, &place);
	}
}
