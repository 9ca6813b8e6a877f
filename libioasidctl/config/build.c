// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "config/values.h"

static const char *const thing_nouns[] = {
	[THING_MEMORY] = "memory", [THING_DEVICE] = "device", [THING_FD] = "fd",
	[THING_IOASID] = "IOASID", [THING_VIOMMU] = "viommu",
};

void *build_array(struct builder *b, size_t count, size_t size)
{
	void *array = count ? calloc(count, size) : NULL;

	if (count && !array)
		b->faults->no_memory = true;
	return array;
}

char *build_string(struct builder *b, const char *text)
{
	/* A name that was bad still needs a string: the model has no objects without one. */
	char *copy = strdup(text ? text : "");

	if (!copy)
		b->faults->no_memory = true;
	return copy;
}

struct position build_position(const struct raw_head *head)
{
	return (struct position){.line = head->at->line, .column = head->at->column};
}

const struct node *build_at(const struct raw_head *head, const char *key)
{
	const struct node *value = node_value(head->at, key);

	return value ? value : head->at;
}

void build_name(struct builder *b, struct names *names, enum thing kind, uint32_t index,
		const struct place *place, const struct raw_head *head, const char *name)
{
	struct named *entry;
	const struct raw_head *other;

	if (!name)
		return;
	entry = names_add(names, name);
	if (!entry) {
		b->faults->no_memory = true;
		return;
	}
	other = entry->object;
	if (other) {
		fault(b->faults, place, "name", build_at(head, "name"),
		      "the name \"%s\" is taken by the %s in line %u", name,
		      thing_nouns[entry->kind], other->at->line);
		fault_hint(b->faults, kind >= THING_IOASID
					      ? "IOASIDs and viommus of one fd share their names"
					      : "memory, devices and fds share their names: each "
						"labels a descriptor");
		return;
	}
	entry->object = head;
	entry->kind = kind;
	entry->index = index;
}

/* Either what was probably meant, or what there is to choose from. */
static void hint_names(struct builder *b, const struct names *names, enum thing kind,
		       const char *text)
{
	char known[256] = "";
	const char *guess = NULL;
	size_t used = 0, count = 0;

	for (const struct named *n = names->newest; n; n = n->next) {
		if (n->kind != kind)
			continue;
		guess = better_guess(text, guess, n->text);
		if (used + strlen(n->text) + 8 < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 used ? ", " : "", n->text);
		else if (!count++)
			memcpy(known + used, ", ...", sizeof(", ..."));
	}
	if (guess)
		fault_hint(b->faults, "did you mean %s?", guess);
	else if (used)
		fault_hint(b->faults, "there is %s", known);
	else
		fault_hint(b->faults, "this %s declares no %s at all",
			   kind >= THING_IOASID ? "fd" : "file", thing_nouns[kind]);
}

/* Objects of one fd can't be used by those of another: the kernel knows them by the fd. */
static bool hint_other_fd(struct builder *b, enum thing kind, const char *text)
{
	for (uint32_t i = 0; i < b->raw->fds_count; i++) {
		const struct named *entry = names_find(&b->members[i], text);

		if (!entry || entry->kind != kind || !b->raw->fds[i].name)
			continue;
		fault_hint(b->faults,
			   "the one in fd \"%s\" is out of reach: move one to the other's fd",
			   b->raw->fds[i].name);
		return true;
	}
	return false;
}

uint32_t build_reference(struct builder *b, struct names *names, enum thing kind,
			 const struct place *place, const struct raw_head *head, const char *key,
			 const char *text)
{
	const struct named *entry;
	char quoted[QUOTE_MAX];

	if (!text)
		return NO_INDEX;
	entry = names_find(names, text);
	if (entry && entry->kind == kind)
		return entry->index;
	if (entry) {
		const struct raw_head *other = entry->object;

		fault(b->faults, place, key, build_at(head, key),
		      "%s is the %s in line %u, expected the name of a%s %s", quote(text, quoted),
		      thing_nouns[entry->kind], other->at->line, kind == THING_IOASID ? "n" : "",
		      thing_nouns[kind]);
		hint_names(b, names, kind, text);
		return NO_INDEX;
	}
	fault(b->faults, place, key, build_at(head, key), "there is no %s named %s%s",
	      thing_nouns[kind], quote(text, quoted), kind >= THING_IOASID ? " in this fd" : "");
	if (kind < THING_IOASID || !hint_other_fd(b, kind, text))
		hint_names(b, names, kind, text);
	return NO_INDEX;
}

void build_refuse_absence(struct builder *b, const struct place *place, const struct raw_head *head,
			  uint32_t device, const char *what)
{
	const struct device *d = device == NO_INDEX ? NULL : &b->t->devices[device];

	if (!d || d->hotplug == HOTPLUG_MANUAL)
		return;
	fault(b->faults, place, "device", build_at(head, "device"),
	      "device \"%s\" in line %u has hotplug: attach, so it may be absent, and no %s can be "
	      "made without its device",
	      d->name, d->at.line, what);
	fault_hint(b->faults, "leave out hotplug: attach of \"%s\"", d->name);
}

uint64_t build_number(const char *text)
{
	uint64_t value = 0;

	return text && !number_parse(text, &value) ? value : 0;
}

bool build_flag(const char *text)
{
	return text && value_true(text);
}

int build_word(const char *const *words, const char *text)
{
	int word = text ? value_word(words, text) : -1;

	return word < 0 ? 0 : word;
}

/*
 * A device that nothing is attached to is opened by the driver of the fd that maps its BAR, else of
 * the first one.
 */
static void settle_devices(struct topology *t)
{
	for (uint32_t i = 0; i < t->n_fds; i++)
		for (size_t j = 0; j < t->fds[i].n_ioasids; j++) {
			const struct ioasid *ioasid = &t->fds[i].ioasids[j];

			for (size_t k = 0; k < ioasid->n_maps; k++) {
				uint32_t memory = ioasid->maps[k].memory, device = NO_INDEX;

				if (memory != NO_INDEX)
					device = t->memories[memory].device;
				if (device != NO_INDEX && t->devices[device].fd == NO_INDEX)
					t->devices[device].fd = i;
			}
		}
	/* Whose driver speaks for a VF speaks for its physical function. */
	for (size_t i = 0; i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->vf_of != NO_INDEX && t->devices[d->vf_of].fd == NO_INDEX)
			t->devices[d->vf_of].fd = d->fd;
	}
	for (size_t i = 0; i < t->n_devices; i++)
		if (t->devices[i].fd == NO_INDEX && t->n_fds)
			t->devices[i].fd = 0;
	/* The kernel exports nothing of a device before it is bound. */
	for (size_t i = 0; i < t->n_memories; i++)
		if (t->memories[i].device != NO_INDEX)
			t->devices[t->memories[i].device].bound = true;
}

static void build_all(struct builder *b)
{
	static void (*const steps[])(struct builder *
				     b) = {build_things,   build_vfs,	 build_fds,   build_links,
					   build_mappings, build_copies, build_guests};

	b->t->name = build_string(b, b->raw->name);
	b->t->file = build_string(b, b->faults->file);
	if (b->raw->owner && b->raw->owner->user)
		b->t->owner_user = build_string(b, b->raw->owner->user);
	for (size_t i = 0; i < ARRAY_SIZE(steps) && !b->faults->no_memory; i++)
		steps[i](b);
	if (!b->faults->no_memory)
		settle_devices(b->t);
}

struct topology *build_topology(struct arena *arena, struct faults *faults,
				const struct raw_topology *raw)
{
	struct builder b = {.arena = arena,
			    .faults = faults,
			    .raw = raw,
			    .t = topology_new(),
			    .things.arena = arena,
			    .addresses.arena = arena};

	b.members = arena_alloc_array(arena, raw->fds_count, sizeof(*b.members));
	if (b.t && b.members) {
		for (uint32_t i = 0; i < raw->fds_count; i++)
			b.members[i].arena = arena;
		build_all(&b);
		for (uint32_t i = 0; i < raw->fds_count; i++)
			names_done(&b.members[i]);
	} else {
		faults->no_memory = true;
	}
	names_done(&b.things);
	names_done(&b.addresses);
	return b.t;
}
