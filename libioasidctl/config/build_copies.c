// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "config/build.h"

/* A copy whose source is itself a copy is followed this far, for the message only. */
#define CHAIN_MAX 64

/* The copying mapping that is looked at. */
struct copy {
	uint32_t fd;
	const struct raw_ioasid *raw;
	struct mapping *mapping;
};

/* The last mapping that begins at or before that address; NULL: none. */
static const struct mapping *mapping_at(const struct ioasid *ioasid, uint64_t iova)
{
	size_t low = 0, high = ioasid->n_maps;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ioasid->maps[middle].auto_iova || ioasid->maps[middle].iova <= iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low && !ioasid->maps[low - 1].auto_iova ? &ioasid->maps[low - 1] : NULL;
}

static void fault_on(struct builder *b, const struct copy *c, const char *key, const char *message)
{
	const struct place fd = {NULL, "fds", b->raw->fds[c->fd].head.index};
	const struct place ioasid = {&fd, "ioasids", c->raw->head.index};

	for (uint32_t i = 0; i < c->raw->map_count; i++) {
		const struct raw_mapping *raw = &c->raw->map[i];
		const struct place place = {&ioasid, "map", raw->head.index};

		if (raw->head.at->line != c->mapping->at.line ||
		    raw->head.at->column != c->mapping->at.column)
			continue;
		fault(b->faults, &place, key, build_at(&raw->head, key), "%s", message);
		return;
	}
}

/* Mappings that were bad are missing: don't complain that they are. */
static bool is_complete(const struct raw_ioasid *raw, const struct ioasid *ioasid)
{
	const struct node *map = node_value(raw->head.at, "map");

	return !raw->head.bad && (map ? map->count : 0) == ioasid->n_maps;
}

static void fault_no_source(struct builder *b, const struct copy *c, const struct ioasid *source,
			    const struct mapping *near)
{
	char from[NUMBER_TEXT_MAX], start[NUMBER_TEXT_MAX], length[NUMBER_TEXT_MAX];
	const char *text;

	number_hex(c->mapping->offset, from);
	if (!near || range_last(near->iova, near->length) < c->mapping->offset) {
		text = arena_printf(b->arena, "\"%s\" in line %u maps nothing at %s", source->name,
				    source->at.line, from);
		fault_on(b, c, "from", text ? text : "");
		fault_hint(b->faults, "from is the iova of one of its mappings");
		return;
	}
	number_hex(near->iova, start);
	number_size(near->length, length);
	text = arena_printf(b->arena,
			    "the mapping of \"%s\" in line %u begins at %s and has %s, a copy "
			    "takes a whole mapping",
			    source->name, near->at.line, start, length);
	fault_on(b, c, near->iova == c->mapping->offset ? "length" : "from", text ? text : "");
	fault_hint(b->faults, "write from: %s, length: %s", start, length);
}

/* `near` is a copy too. What it comes from can be named as the source, unless it's a circle. */
static void fault_chain(struct builder *b, const struct copy *c, const struct ioasid *source,
			const struct mapping *near)
{
	const struct iommu_fd *fd = &b->t->fds[c->fd];
	const struct ioasid *from = source;
	const struct mapping *m = near;
	char address[NUMBER_TEXT_MAX];
	const char *text;

	for (int steps = 0; m && m->source != NO_INDEX && steps < CHAIN_MAX; steps++) {
		uint64_t iova = m->offset;

		from = &fd->ioasids[m->source];
		m = mapping_at(from, iova);
		if (m == c->mapping || (m && m->iova != iova))
			break;
	}
	text = arena_printf(b->arena,
			    "the mapping of \"%s\" in line %u is a copy itself%s, expected one of "
			    "memory",
			    source->name, near->at.line,
			    m == c->mapping ? ", and the copies go in a circle" : "");
	fault_on(b, c, "copy", text ? text : "");
	if (m && m->memory != NO_INDEX)
		fault_hint(b->faults, "copy from where it comes: copy: %s, from: %s", from->name,
			   number_hex(m->iova, address));
}

static void check_access(struct builder *b, const struct copy *c, const struct ioasid *source,
			 const struct mapping *from)
{
	const char *text;

	if (!c->mapping->access)
		c->mapping->access = from->access;
	if (!(c->mapping->access & ~from->access))
		return;
	text = arena_printf(b->arena,
			    "found %s, expected no more than the mapping of \"%s\" in line %u "
			    "allows: %s",
			    access_names[c->mapping->access], source->name, from->at.line,
			    access_names[from->access]);
	fault_on(b, c, "access", text ? text : "");
}

static void check_copy(struct builder *b, const struct copy *c)
{
	const struct raw_ioasid *raw = &b->raw->fds[c->fd].ioasids[c->mapping->source];
	const struct ioasid *source = &b->t->fds[c->fd].ioasids[c->mapping->source];
	const struct mapping *near = mapping_at(source, c->mapping->offset);
	const char *text;

	if (source->kind == IOASID_NESTED && !raw->head.bad) {
		text = arena_printf(b->arena,
				    "\"%s\" in line %u is nested, expected a gpa IOASID: only "
				    "those have mappings",
				    source->name, source->at.line);
		fault_on(b, c, "copy", text ? text : "");
		fault_hint(b->faults, "copy from the IOASID that it is nested on");
	} else if (!near || near->iova != c->mapping->offset ||
		   near->length != c->mapping->length) {
		if (is_complete(raw, source))
			fault_no_source(b, c, source, near);
	} else if (near->source != NO_INDEX) {
		fault_chain(b, c, source, near);
	} else {
		check_access(b, c, source, near);
	}
}

void build_copies(struct builder *b)
{
	for (uint32_t i = 0; i < b->t->n_fds; i++) {
		const struct iommu_fd *fd = &b->t->fds[i];

		for (uint32_t j = 0; j < fd->n_ioasids; j++)
			for (size_t k = 0; k < fd->ioasids[j].n_maps; k++) {
				const struct copy c = {.fd = i,
						       .raw = &b->raw->fds[i].ioasids[j],
						       .mapping = &fd->ioasids[j].maps[k]};

				if (faults_full(b->faults))
					return;
				if (c.mapping->source != NO_INDEX)
					check_copy(b, &c);
			}
	}
}
