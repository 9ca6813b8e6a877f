// SPDX-License-Identifier: LGPL-2.1-or-later
#include "walk/translate.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "walk/format.h"

#define WORD_BYTES 8

static const char lost_source[] = "the mapping there is a copy, and what it copied is gone: which "
				  "memory it is, isn't known";

struct parent {
	const struct translate_world *world;
	struct translation *out;
};

static void __attribute__((format(printf, 3, 4)))
say(struct walk_stop *stop, enum walk_stop_kind kind, const char *fmt, ...)
{
	va_list args;

	stop->kind = kind;
	va_start(args, fmt);
	vsnprintf(stop->reason, sizeof(stop->reason), fmt, args);
	va_end(args);
}

static void meet_hole(const struct translate_world *world, struct translation *out,
		      const struct lookup *place, uint64_t address)
{
	out->hole = (struct translate_hole){
		.met = true, .address = address, .below = place->below, .above = place->above};
	if (world->excludes)
		out->hole.excluded =
			world->excludes(world->data, out->fd, out->gpa, address, &out->hole.range);
}

/* Where the bytes of a word lie; they don't lie across the end of a mapping. */
static bool find_word(const struct parent *parent, uint64_t address, struct lookup *place,
		      struct walk_stop *stop)
{
	const struct ioasid *gpa = parent->out->gpa;

	lookup_address(parent->out->fd, gpa, address, place);
	if (place->mapping && place->rest < WORD_BYTES) {
		address += place->rest;
		lookup_address(parent->out->fd, gpa, address, place);
		place->mapping = NULL;
	}
	if (!place->mapping) {
		meet_hole(parent->world, parent->out, place, address);
		say(stop, WALK_STOP_NOT_MAPPED, "it can't be read: %s maps nothing at 0x%" PRIx64,
		    gpa->name, address);
		return false;
	}
	if (!(place->mapping->access & ACCESS_READ)) {
		say(stop, WALK_STOP_ACCESS,
		    "it can't be read: the mapping of %s there is for writing alone", gpa->name);
		return false;
	}
	return true;
}

static bool read_word(const struct parent *parent, const struct lookup *place, uint64_t *word,
		      struct walk_stop *stop)
{
	const struct translate_world *world = parent->world;
	const char *name;
	int ret;

	if (place->memory == NO_INDEX) {
		say(stop, WALK_STOP_UNREADABLE, "%s", lost_source);
		return false;
	}
	ret = world->read(world->data, place->memory, place->offset, word, WORD_BYTES);
	*word = le64toh(*word);
	if (!ret)
		return true;
	name = world->topology->memories[place->memory].name;
	if (ret == -ENODATA)
		say(stop, WALK_STOP_UNREADABLE, "memory %s ends before it, at less than 0x%" PRIx64,
		    name, place->offset + WORD_BYTES);
	else
		say(stop, WALK_STOP_UNREADABLE, "memory %s can't be read here: %s", name,
		    strerrordesc_np(-ret));
	return false;
}

static bool read_step(void *data, struct walk_step *step, struct walk_stop *stop)
{
	const struct parent *parent = data;

	step->writable = true;
	for (unsigned i = 0; i < step->n_words; i++) {
		struct lookup place;

		if (!find_word(parent, step->address + (uint64_t)i * WORD_BYTES, &place, stop))
			return false;
		if (!i) {
			step->memory = place.memory;
			step->offset = place.offset;
		}
		if (!(place.mapping->access & ACCESS_WRITE))
			step->writable = false;
		if (!read_word(parent, &place, &step->words[i], stop))
			return false;
	}
	return true;
}

static const struct ioasid *find_attachment(const struct iommu_fd *fd, uint32_t device,
					    uint32_t pasid)
{
	for (size_t i = 0; i < fd->n_ioasids; i++)
		for (size_t j = 0; j < fd->ioasids[i].n_attach; j++)
			if (fd->ioasids[i].attach[j].device == device &&
			    fd->ioasids[i].attach[j].pasid == pasid)
				return &fd->ioasids[i];
	return NULL;
}

/* A guest's table that knows PASIDs itself serves all those of a device that is in it as a whole.
 */
static bool knows_pasids(const struct ioasid *ioasid)
{
	return ioasid && ioasid->kind == IOASID_NESTED &&
	       (ioasid->table.format == TABLE_ARM_SMMUV3 ||
		ioasid->table.format == TABLE_AMD_GUEST);
}

static bool find_ioasid(const struct topology *t, uint32_t device, struct translation *out)
{
	const struct device *d = &t->devices[device];
	const uint32_t pasid = out->request.pasid;
	const struct iommu_fd *fd = d->fd == NO_INDEX ? NULL : &t->fds[d->fd];
	const struct ioasid *ioasid = fd ? find_attachment(fd, device, pasid) : NULL;

	if (!ioasid && fd && pasid != NO_PASID) {
		ioasid = find_attachment(fd, device, NO_PASID);
		if (!knows_pasids(ioasid))
			ioasid = NULL;
	}
	if (!ioasid && pasid == NO_PASID)
		return walk_stop(&out->walk, WALK_STOP_BLOCKED, NULL,
				 "device %s is in no IOASID: its DMA is blocked", d->name);
	if (!ioasid)
		return walk_stop(&out->walk, WALK_STOP_BLOCKED, NULL,
				 "PASID %" PRIu32 " of device %s is in no IOASID: DMA with it is "
				 "blocked",
				 pasid, d->name);
	out->fd = fd;
	out->ioasid = ioasid;
	out->gpa = ioasid->kind == IOASID_NESTED ? &fd->ioasids[ioasid->parent] : ioasid;
	return true;
}

static void find_memory(const struct translate_world *world, struct translation *out)
{
	struct walk *w = &out->walk;
	const uint64_t in_page = w->page_size ? w->gpa & (w->page_size - 1) : 0;
	uint8_t allowed, missing;

	lookup_address(out->fd, out->gpa, w->gpa, &out->place);
	if (!out->place.mapping) {
		meet_hole(world, out, &out->place, w->gpa);
		walk_stop(w, WALK_STOP_NOT_MAPPED, NULL, "%s maps nothing at 0x%" PRIx64,
			  out->gpa->name, w->gpa);
		w->stop.step = WALK_NO_STEP;
		return;
	}
	out->length = out->place.rest;
	if (w->page_size && w->page_size - in_page < out->length)
		out->length = w->page_size - in_page;
	allowed = out->place.mapping->access & ACCESS_RW;
	out->access = w->access & allowed;
	missing = out->request.access ? out->request.access & (uint8_t)~out->access : !out->access;
	if (missing && out->request.access)
		walk_stop(w, WALK_STOP_ACCESS, NULL, "the mapping of %s allows %s, not %s",
			  out->gpa->name, access_names[allowed], access_names[missing]);
	else if (missing)
		walk_stop(w, WALK_STOP_ACCESS, NULL,
			  "the mapping of %s allows %s, and the table %s: nothing is left",
			  out->gpa->name, access_names[allowed], access_names[w->access]);
	else if (out->place.memory == NO_INDEX)
		walk_stop(w, WALK_STOP_UNREADABLE, NULL, "%s", lost_source);
	w->stop.step = WALK_NO_STEP;
}

void translate(const struct translate_world *world, uint32_t device,
	       const struct walk_request *request, struct translation *out)
{
	struct parent parent = {world, out};
	const struct walk_memory memory = {read_step, &parent};

	*out = (struct translation){.request = *request};
	walk_begin(&out->walk, &out->request, &memory);
	if (!find_ioasid(world->topology, device, out))
		return;
	if (out->gpa == out->ioasid)
		walk_bypass(&out->walk);
	else
		walk_table(&out->ioasid->table, &out->request, &memory, &out->walk);
	out->walk.memory = NULL;
	out->walked = !out->walk.stopped;
	if (out->walked)
		find_memory(world, out);
}
