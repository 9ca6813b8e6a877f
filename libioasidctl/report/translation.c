// SPDX-License-Identifier: LGPL-2.1-or-later
/* Translations -> JSON: asks the walker, which asks back for memory and for the kernel's ranges. */
#include "report/translation.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "report/gather.h"
#include "report/report.h"
#include "walk/translate.h"

/*
 * By pread(2), not through a mapping: a file that somebody cut short answers with less instead of
 * SIGBUS.
 */
static int read_memory(void *data, uint32_t memory, uint64_t offset, void *buffer, size_t size)
{
	const struct topology *t = data;
	const struct memory *m = &t->memories[memory];
	size_t done = 0;

	if (m->backing == BACKING_DMABUF)
		return -EOPNOTSUPP;
	while (done < size) {
		ssize_t n = pread(m->live.fd, (char *)buffer + done, size - done,
				  (off_t)(offset + done));

		if (!n)
			return -ENODATA;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

static bool find_excluded(const struct ioasid_info *info, uint64_t address, struct range *range)
{
	*range = (struct range){0, UINT64_MAX};
	for (size_t i = 0; i < info->n_ranges; i++) {
		if (address > info->ranges[i].last) {
			range->first = info->ranges[i].last + 1;
		} else if (address < info->ranges[i].first) {
			range->last = info->ranges[i].first - 1;
			break;
		} else {
			return false;
		}
	}
	return info->n_ranges;
}

static bool excludes(void *data, const struct iommu_fd *fd, const struct ioasid *gpa,
		     uint64_t address, struct range *range)
{
	struct ioasid_info info = {0};
	bool excluded;

	(void)data;
	if (!fd->live.handle || !gpa->live.exists ||
	    fd->ops->ioasid_info(fd->live.handle, gpa->live.id, &info, NULL))
		return false;
	excluded = find_excluded(&info, address, range);
	ioasid_info_done(&info);
	return excluded;
}

static const struct mapping_record *record_mapping(struct gather *g, const struct topology *t,
						   const struct iommu_fd *fd,
						   const struct mapping *m)
{
	struct mapping_record *out = m ? gather_array(g, 1, sizeof(*out)) : NULL;

	if (out)
		gather_mapping(t, fd, m, out);
	return out;
}

static const char *memory_name(const struct topology *t, uint32_t memory)
{
	return memory == NO_INDEX ? NULL : t->memories[memory].name;
}

static const struct step_record *record_steps(struct gather *g, const struct topology *t,
					      const struct walk *w)
{
	struct step_record *out = gather_array(g, w->n_steps, sizeof(*out));

	for (size_t i = 0; out && i < w->n_steps; i++) {
		const struct walk_step *step = &w->steps[i];

		out[i] = (struct step_record){
			.entry = step->entry,
			.address = step->in_memory ? step->address : FIELD_UNKNOWN,
			.words = step->words,
			.n_words = step->n_words,
			.memory = memory_name(t, step->memory),
			.offset = step->memory == NO_INDEX ? FIELD_UNKNOWN : step->offset,
		};
	}
	return out;
}

static const struct stop_record *record_stop(struct gather *g, const struct topology *t,
					     const struct translation *tr)
{
	const struct walk_stop *stop = &tr->walk.stop;
	const struct translate_hole *hole = &tr->hole;
	struct range_record *excluded = NULL;
	struct stop_record *out;

	if (!tr->walk.stopped)
		return NULL;
	out = gather_array(g, 1, sizeof(*out));
	if (hole->excluded)
		excluded = gather_array(g, 1, sizeof(*excluded));
	if (excluded)
		*excluded = (struct range_record){hole->range.first, hole->range.last};
	if (out)
		*out = (struct stop_record){
			.kind = walk_stop_names[stop->kind],
			.reason = stop->reason,
			.fault = *stop->fault ? stop->fault : NULL,
			.step = stop->step == WALK_NO_STEP ? FIELD_UNKNOWN : stop->step,
			.unmapped = hole->met ? hole->address : FIELD_UNKNOWN,
			.excluded = excluded,
			.below = record_mapping(g, t, tr->fd, hole->below),
			.above = record_mapping(g, t, tr->fd, hole->above),
		};
	return out;
}

static void record_translation(struct gather *g, const struct topology *t,
			       const struct translation *tr, struct translation_record *out)
{
	const struct walk *w = &tr->walk;
	const bool nested = tr->ioasid && tr->ioasid->kind == IOASID_NESTED;
	const bool walked = nested && tr->walked;
	const bool placed = tr->place.mapping != NULL;

	*out = (struct translation_record){
		.iova = tr->request.iova,
		.translated = !w->stopped,
		.fd = tr->fd ? tr->fd->name : NULL,
		.ioasid = tr->ioasid ? tr->ioasid->name : NULL,
		.format = nested ? table_format_names[tr->ioasid->table.format] : NULL,
		.gpa = tr->gpa ? tr->gpa->name : NULL,
		.steps = record_steps(g, t, w),
		.n_steps = w->n_steps,
		.guest_address = walked ? w->gpa : FIELD_UNKNOWN,
		.page_size = walked && w->page_size ? w->page_size : FIELD_UNKNOWN,
		.table_access = walked ? access_names[w->access] : NULL,
		.mapping = record_mapping(g, t, tr->fd, tr->place.mapping),
		.memory = placed ? memory_name(t, tr->place.memory) : NULL,
		.offset = placed && tr->place.memory != NO_INDEX ? tr->place.offset : FIELD_UNKNOWN,
		.access = placed ? access_names[tr->access] : NULL,
		.length = placed ? tr->length : FIELD_UNKNOWN,
		.stop = record_stop(g, t, tr),
	};
}

/* The kernel tells it only of devices without an IOMMU. */
static void record_physical(const struct translation *tr, struct translation_record *out)
{
	uint64_t length = out->length, physical;

	out->physical = out->physical_length = FIELD_UNKNOWN;
	if (tr->walk.stopped || !tr->fd->ops->physical || !tr->gpa->live.exists ||
	    tr->fd->ops->physical(tr->fd->live.handle, tr->gpa->live.id, tr->walk.gpa, &length,
				  &physical, NULL))
		return;
	out->physical = physical;
	out->physical_length = length;
}

static json_t *translate_one(const struct translate_world *world, uint32_t device,
			     const struct walk_request *request)
{
	struct gather g = {0};
	struct translation tr;
	struct translation_record record;
	json_t *json;

	translate(world, device, request, &tr);
	record_translation(&g, world->topology, &tr, &record);
	record_physical(&tr, &record);
	json = g.failed ? NULL : fields_encode(&translation_fields, &record);
	gather_done(&g);
	return json;
}

int translate_parse_access(const char *text, uint8_t *out, struct ioasidctl_error **err)
{
	*out = 0;
	for (uint8_t access = ACCESS_READ; text && access <= ACCESS_RW; access++)
		if (!strcmp(access_names[access], text)) {
			*out = access;
			return 0;
		}
	return text ? error_new(err, ERROR_USAGE, EINVAL, "an access is r, w or rw, not \"%s\"",
				text)
		    : 0;
}

int translate_check_pasid(uint64_t pasid, struct ioasidctl_error **err)
{
	if (pasid && pasid <= PASID_MAX)
		return 0;
	error_new(err, ERROR_USAGE, EINVAL, "%" PRIu64 " is no PASID: those are from 1 to %u",
		  pasid, PASID_MAX);
	if (!pasid)
		error_hint(err, "0 is what DMA without PASID counts as: ask without one");
	return -EINVAL;
}

static int refuse_device(const struct topology *t, const char *name, struct ioasidctl_error **err)
{
	int ret =
		error_new(err, ERROR_USAGE, ENOENT, "topology %s has no device %s", t->name, name);

	error_object(err, "%s", name);
	error_hint(err, "`ioasidctl show %s` lists those it has; they go by their names there",
		   t->name);
	return ret;
}

int report_translations(const struct topology *t, const struct translate_query *query, json_t **out,
			struct ioasidctl_error **err)
{
	const struct translate_world world = {
		.topology = t, .read = read_memory, .excludes = excludes, .data = (void *)t};
	const uint32_t device = topology_find_device(t, query->device);
	json_t *translations;

	if (device == NO_INDEX)
		return refuse_device(t, query->device, err);
	if (!query->n_iovas || query->n_iovas > TRANSLATE_IOVAS_MAX)
		return error_new(err, ERROR_USAGE, EINVAL,
				 "from 1 to %d addresses can be translated at once, not %zu",
				 TRANSLATE_IOVAS_MAX, query->n_iovas);
	translations = json_array();
	for (size_t i = 0; translations && i < query->n_iovas; i++) {
		const struct walk_request request = {query->iovas[i], query->pasid, query->access};

		if (!json_array_append_new(translations, translate_one(&world, device, &request)))
			continue;
		json_decref(translations);
		translations = NULL;
	}
	*out = translations
		       ? json_pack("{s:i, s:s, s:s, s:o*, s:s*, s:o}", "schema_version",
				   REPORT_SCHEMA_VERSION, "topology", t->name, "device",
				   query->device, "pasid",
				   query->pasid == NO_PASID ? NULL : json_integer(query->pasid),
				   "access", query->access ? access_names[query->access] : NULL,
				   "translations", translations)
		       : NULL;
	return *out ? 0 : error_nomem(err);
}
