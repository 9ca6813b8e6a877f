// SPDX-License-Identifier: LGPL-2.1-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "config/build.h"

/* One IOASID while its addresses are looked at. */
struct space {
	struct place fd_place, place;
	uint32_t fd;
	const struct raw_ioasid *raw;
	struct ioasid *ioasid;
};

static const struct raw_mapping *raw_of(const struct raw_ioasid *raw, const struct mapping *m)
{
	/* For messages: the sorted mappings don't keep the order of the file. */
	for (uint32_t i = 0; i < raw->map_count; i++)
		if (raw->map[i].head.at->line == m->at.line &&
		    raw->map[i].head.at->column == m->at.column)
			return &raw->map[i];
	return &raw->map[0];
}

static bool later(struct position a, struct position b)
{
	return a.line != b.line ? a.line > b.line : a.column > b.column;
}

static const char *range_text(uint64_t first, uint64_t last, char buf[static 2 * NUMBER_TEXT_MAX])
{
	char a[NUMBER_TEXT_MAX], z[NUMBER_TEXT_MAX];

	snprintf(buf, 2 * NUMBER_TEXT_MAX, "%s-%s", number_hex(first, a), number_hex(last, z));
	return buf;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static void check_ranges(struct builder *b, const struct space *s)
{
	const struct ioasid *ioasid = s->ioasid;
	char one[2 * NUMBER_TEXT_MAX], two[2 * NUMBER_TEXT_MAX];

	for (size_t i = 1; i < ioasid->n_allow; i++) {
		const struct range *before = &ioasid->allow[i - 1], *r = &ioasid->allow[i];

		if (before->last < r->first)
			continue;
		fault(b->faults, &s->place, "allow", build_at(&s->raw->head, "allow"),
		      "the ranges %s and %s overlap", range_text(before->first, before->last, one),
		      range_text(r->first, r->last, two));
		fault_hint(b->faults, "make one range of the two");
	}
}

static void build_allow(struct builder *b, const struct space *s)
{
	struct ioasid *ioasid = s->ioasid;

	ioasid->allow = build_array(b, s->raw->allow_count, sizeof(*ioasid->allow));
	for (uint32_t i = 0; ioasid->allow && i < s->raw->allow_count; i++) {
		const struct raw_range *raw = &s->raw->allow[i];
		const struct place place = {&s->place, "allow", raw->head.index};
		struct range r = {build_number(raw->first), build_number(raw->last)};
		char first[NUMBER_TEXT_MAX], last[NUMBER_TEXT_MAX];

		if (raw->head.bad)
			continue;
		if (r.first > r.last) {
			fault(b->faults, &place, "last", build_at(&raw->head, "last"),
			      "the last address %s lies before the first, %s",
			      number_hex(r.last, last), number_hex(r.first, first));
			fault_hint(b->faults, "last is an address, too, not a length");
			continue;
		}
		if (r.first == r.last) {
			fault(b->faults, &place, "last", build_at(&raw->head, "last"),
			      "the range has only one address, %s, expected more: the kernel takes no "
			      "such range",
			      number_hex(r.first, first));
			fault_hint(b->faults, "allow at least the page around it");
			continue;
		}
		ioasid->allow[ioasid->n_allow++] = r;
	}
	if (ioasid->n_allow)
		qsort(ioasid->allow, ioasid->n_allow, sizeof(*ioasid->allow), compare_ranges);
	check_ranges(b, s);
}

/* Whether ranges without a gap between them cover it all. */
static bool is_allowed(const struct ioasid *ioasid, uint64_t first, uint64_t last)
{
	size_t low = 0, high = ioasid->n_allow;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ioasid->allow[middle].last < first)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ioasid->n_allow || ioasid->allow[low].first > first)
		return false;
	while (ioasid->allow[low].last < last) {
		if (low + 1 == ioasid->n_allow ||
		    ioasid->allow[low + 1].first != ioasid->allow[low].last + 1)
			return false;
		low++;
	}
	return true;
}

static void check_within_memory(struct builder *b, const struct place *place,
				const struct raw_mapping *raw, const struct mapping *m)
{
	const struct memory *memory = &b->t->memories[m->memory];
	char size[NUMBER_TEXT_MAX], offset[NUMBER_TEXT_MAX], length[NUMBER_TEXT_MAX];

	if (b->raw->memory[m->memory].head.bad ||
	    (m->offset <= memory->size && m->length <= memory->size - m->offset))
		return;
	number_size(memory->size, size);
	number_size(m->offset, offset);
	number_size(m->length, length);
	if (m->offset >= memory->size) {
		fault(b->faults, place, "offset", build_at(&raw->head, "offset"),
		      "%s is past the end of memory \"%s\" in line %u, which has %s", offset,
		      memory->name, memory->at.line, size);
		fault_hint(b->faults, "offset counts from the start of the memory: write less, or "
				      "make the memory larger");
		return;
	}
	fault(b->faults, place, "length", build_at(&raw->head, "length"),
	      "%s from offset %s on is past the end of memory \"%s\" in line %u, which has %s",
	      length, offset, memory->name, memory->at.line, size);
	fault_hint(b->faults, "from there on there are %s",
		   number_size(memory->size - m->offset, length));
}

static bool check_range(struct builder *b, const struct place *place, const struct raw_head *head,
			const char *key, uint64_t first, uint64_t length)
{
	char start[NUMBER_TEXT_MAX], size[NUMBER_TEXT_MAX];

	if (range_valid(first, length))
		return true;
	fault(b->faults, place, key, build_at(head, key),
	      "%s bytes from %s on go past the end of the 64-bit address space",
	      number_size(length, size), number_hex(first, start));
	fault_hint(b->faults, "write a smaller address or length");
	return false;
}

/* False: not to be looked at any further. */
static bool build_mapping(struct builder *b, const struct space *s, const struct raw_mapping *raw,
			  struct mapping *m)
{
	const struct place place = {&s->place, "map", raw->head.index};

	mapping_init(m);
	m->at = build_position(&raw->head);
	m->auto_iova = raw->iova && !strcmp(raw->iova, "auto");
	m->iova = m->auto_iova ? 0 : build_number(raw->iova);
	m->length = build_number(raw->length);
	m->offset = build_number(raw->copy ? raw->from : raw->offset);
	/* Of a copy without one, 0 until its source is known. */
	m->access = (uint8_t)(raw->access ? build_word(access_names + 1, raw->access) + 1
			      : raw->copy ? 0
					  : ACCESS_RW);
	m->memory = build_reference(b, &b->things, THING_MEMORY, &place, &raw->head, "memory",
				    raw->memory);
	m->source = build_reference(b, &b->members[s->fd], THING_IOASID, &place, &raw->head, "copy",
				    raw->copy);
	if (raw->head.bad)
		return false;
	if (m->auto_iova && raw->copy) {
		fault(b->faults, &place, "iova", build_at(&raw->head, "iova"),
		      "a copy is placed where the config says, expected an address");
		return false;
	}
	if (!m->auto_iova && !check_range(b, &place, &raw->head, "iova", m->iova, m->length))
		return false;
	if (raw->copy && !check_range(b, &place, &raw->head, "from", m->offset, m->length))
		return false;
	if (m->memory != NO_INDEX)
		check_within_memory(b, &place, raw, m);
	return true;
}

static void fault_overlap(struct builder *b, const struct space *s, const struct mapping *one,
			  const struct mapping *two)
{
	const struct mapping *here = later(one->at, two->at) ? one : two;
	const struct mapping *there = here == one ? two : one;
	const struct raw_mapping *raw = raw_of(s->raw, here), *other = raw_of(s->raw, there);
	const struct place place = {&s->place, "map", raw->head.index};
	char mine[2 * NUMBER_TEXT_MAX], others[2 * NUMBER_TEXT_MAX];

	fault(b->faults, &place, "iova", build_at(&raw->head, "iova"),
	      "%s overlaps map[%u] in line %u, %s",
	      range_text(here->iova, range_last(here->iova, here->length), mine), other->head.index,
	      there->at.line,
	      range_text(there->iova, range_last(there->iova, there->length), others));
	fault_hint(b->faults, "give one of them another iova; auto finds a free one");
}

/* In order of IOVA: each against the one before it that reaches furthest, and against `allow`. */
static void check_addresses(struct builder *b, const struct space *s)
{
	const struct ioasid *ioasid = s->ioasid;
	const struct mapping *furthest = NULL;
	char text[2 * NUMBER_TEXT_MAX];

	for (size_t i = 0; i < ioasid->n_maps && !faults_full(b->faults); i++) {
		const struct mapping *m = &ioasid->maps[i];
		uint64_t last = range_last(m->iova, m->length);

		if (m->auto_iova)
			continue;
		if (furthest && m->iova <= range_last(furthest->iova, furthest->length))
			fault_overlap(b, s, furthest, m);
		if (!furthest || last > range_last(furthest->iova, furthest->length))
			furthest = m;
		if (ioasid->n_allow == s->raw->allow_count && ioasid->n_allow &&
		    !is_allowed(ioasid, m->iova, last)) {
			const struct raw_mapping *raw = raw_of(s->raw, m);
			const struct place place = {&s->place, "map", raw->head.index};

			fault(b->faults, &place, "iova", build_at(&raw->head, "iova"),
			      "%s lies outside of what this IOASID allows in line %u",
			      range_text(m->iova, last, text),
			      build_at(&s->raw->head, "allow")->line);
			fault_hint(b->faults, "widen allow, or give it another iova");
		}
	}
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The longest stretch of `allowed` between the mappings from *next on, which it moves past them. */
static uint64_t longest_free(const struct ioasid *ioasid, size_t *next, struct range allowed)
{
	uint64_t longest = 0, from = allowed.first;

	while (*next < ioasid->n_maps && ioasid->maps[*next].iova <= allowed.last) {
		const struct mapping *m = &ioasid->maps[(*next)++];
		const uint64_t last = range_last(m->iova, m->length);

		if (m->iova > from)
			longest = larger(longest, m->iova - from);
		if (last >= allowed.last)
			return longest;
		if (last >= from)
			from = last + 1;
	}
	/* All 64 bits have one more address than a length can say. */
	return larger(longest,
		      allowed.last - from == UINT64_MAX ? UINT64_MAX : allowed.last - from + 1);
}

static void fault_no_place(struct builder *b, const struct space *s, const struct mapping *m,
			   uint64_t longest)
{
	const struct raw_mapping *raw = raw_of(s->raw, m);
	const struct place place = {&s->place, "map", raw->head.index};
	char length[NUMBER_TEXT_MAX], left[NUMBER_TEXT_MAX];

	fault(b->faults, &place, "iova", build_at(&raw->head, "iova"),
	      "there is no place for %s in what this IOASID allows in line %u: at most %s in a row "
	      "are free there",
	      number_size(m->length, length), build_at(&s->raw->head, "allow")->line,
	      number_size(longest, left));
	fault_hint(b->faults, "widen allow, or map less");
}

/* The kernel chooses their places; that there is none at all can be known before. */
static void check_placements(struct builder *b, const struct space *s)
{
	const struct ioasid *ioasid = s->ioasid;
	size_t next = 0, unplaced;
	uint64_t longest = 0;

	/* They come first. */
	while (next < ioasid->n_maps && ioasid->maps[next].auto_iova)
		next++;
	unplaced = next;
	if (!ioasid->n_allow || ioasid->n_allow != s->raw->allow_count)
		return;
	for (size_t i = 0; i < ioasid->n_allow; i++) {
		struct range run = ioasid->allow[i];

		while (i + 1 < ioasid->n_allow && ioasid->allow[i + 1].first == run.last + 1)
			run.last = ioasid->allow[++i].last;
		longest = larger(longest, longest_free(ioasid, &next, run));
	}
	for (size_t i = 0; i < unplaced && !faults_full(b->faults); i++)
		if (ioasid->maps[i].length > longest)
			fault_no_place(b, s, &ioasid->maps[i], longest);
}

static void build_maps(struct builder *b, const struct space *s)
{
	struct ioasid *ioasid = s->ioasid;

	ioasid->maps = build_array(b, s->raw->map_count, sizeof(*ioasid->maps));
	for (uint32_t i = 0; ioasid->maps && i < s->raw->map_count && !faults_full(b->faults); i++)
		if (build_mapping(b, s, &s->raw->map[i], &ioasid->maps[ioasid->n_maps]))
			ioasid->n_maps++;
	ioasid_sort_mappings(ioasid);
	check_addresses(b, s);
	check_placements(b, s);
}

void build_mappings(struct builder *b)
{
	for (uint32_t i = 0; i < b->t->n_fds; i++)
		for (uint32_t j = 0; j < b->t->fds[i].n_ioasids; j++) {
			struct space s = {.fd = i,
					  .raw = &b->raw->fds[i].ioasids[j],
					  .ioasid = &b->t->fds[i].ioasids[j]};

			s.fd_place = (struct place){NULL, "fds", b->raw->fds[i].head.index};
			s.place = (struct place){&s.fd_place, "ioasids", s.raw->head.index};
			build_allow(b, &s);
			build_maps(b, &s);
		}
}
