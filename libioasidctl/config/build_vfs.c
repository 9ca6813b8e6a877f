// SPDX-License-Identifier: LGPL-2.1-or-later
/* Virtual functions: devices that are known by another device and a number. */
#include <stdio.h>

#include "config/build.h"

static void check_physical(struct builder *b, const struct place *place, const struct raw_vf *raw,
			   const struct device *vf)
{
	const struct device *pf = &b->t->devices[vf->vf_of];

	if (pf->selector != SELECTOR_PCI) {
		fault(b->faults, place, "of", build_at(&raw->head, "of"),
		      "device \"%s\" in line %u is selected by %s, expected a PCI function with vfs",
		      pf->name, pf->at.line, selector_names[pf->selector]);
	} else if (pf->vfs == NO_INDEX) {
		fault(b->faults, place, "of", build_at(&raw->head, "of"),
		      "device \"%s\" in line %u has no virtual functions: it lacks vfs", pf->name,
		      pf->at.line);
		fault_hint(b->faults, "add `vfs: N` to \"%s\", as many as there are or shall be",
			   pf->name);
	} else if (vf->vf_index >= pf->vfs) {
		fault(b->faults, place, "index", build_at(&raw->head, "index"),
		      "device \"%s\" in line %u has %u virtual functions, counted from 0", pf->name,
		      pf->at.line, pf->vfs);
	}
}

static void build_vf(struct builder *b, uint32_t index)
{
	const struct raw_device *raw = &b->raw->devices[index];
	const struct place place = {.key = "devices", .index = raw->head.index};
	const struct place vf_place = {.up = &place, .key = "vf", .index = NO_INDEX};
	struct device *d = &b->t->devices[index];

	d->selector = SELECTOR_VF;
	d->vf_index = (uint32_t)build_number(raw->vf->index);
	d->vf_of = build_reference(b, &b->things, THING_DEVICE, &vf_place, &raw->vf->head, "of",
				   raw->vf->of);
	if (d->vf_of == NO_INDEX || raw->head.bad || b->raw->devices[d->vf_of].head.bad)
		return;
	if (asprintf(&d->address, "%s/virtfn%u", b->t->devices[d->vf_of].address, d->vf_index) <
	    0) {
		d->address = NULL;
		b->faults->no_memory = true;
		return;
	}
	check_physical(b, &vf_place, raw->vf, d);
	build_address(b, index, &place);
}

void build_vfs(struct builder *b)
{
	for (uint32_t i = 0; i < b->t->n_devices && !b->faults->no_memory; i++)
		if (b->raw->devices[i].vf)
			build_vf(b, i);
}

void build_refuse_physical(struct builder *b, const struct place *place,
			   const struct raw_head *head, const char *key, uint32_t device)
{
	const struct device *d = &b->t->devices[device];

	if (d->vfs == NO_INDEX)
		return;
	fault(b->faults, place, key, build_at(head, key),
	      "device \"%s\" in line %u stays with the host, whose driver makes its virtual "
	      "functions (vfs)",
	      d->name, d->at.line);
	fault_hint(b->faults, "use one of them: {name: ..., vf: {of: %s, index: 0}}", d->name);
}
