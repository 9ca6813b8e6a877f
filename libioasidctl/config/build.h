/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raw structs -> model topology, with every check that looks at more than one value. */
#pragma once

#include "config/faults.h"
#include "config/grammar.h"
#include "config/names.h"

struct builder {
	struct arena *arena;
	struct faults *faults;
	const struct raw_topology *raw;
	struct topology *t; /* arrays have the length and order of the raw ones */
	struct names
		things; /* memory, devices, fds: one namespace, since names label descriptors */
	struct names addresses; /* devices by selector and address */
	struct names *members; /* of each fd: its IOASIDs and viommus */
};

enum thing { THING_MEMORY, THING_DEVICE, THING_FD, THING_IOASID, THING_VIOMMU };

/*
 * Makes the topology; owned by the caller also when there are faults (it is of no use then, but
 * must be freed). NULL: out of memory.
 */
struct topology *build_topology(struct arena *arena, struct faults *faults,
				const struct raw_topology *raw);

/* The parts, one file each; all record faults and go on. */
void build_things(struct builder *b); /* memory and devices */
void build_vfs(struct builder *b); /* virtual functions among the devices */
void build_fds(struct builder *b); /* fds with their IOASIDs and viommus, without references */
void build_links(struct builder *b); /* parents, viommus, attachments */
void build_mappings(struct builder *b); /* allowed ranges and mappings */
void build_copies(struct builder *b); /* sources and access of copies; needs all mappings */
void build_guests(struct builder *b); /* tables, vdevices and queues; needs all mappings, too */

/* Registers the device by what selects it, and refuses a second one for the same. */
void build_address(struct builder *b, uint32_t device, const struct place *place);
/* Refuses a device that stays with the host because of its virtual functions. */
void build_refuse_physical(struct builder *b, const struct place *place,
			   const struct raw_head *head, const char *key, uint32_t device);

/* Zeroed; NULL with faults->no_memory set, also for no elements. */
void *build_array(struct builder *b, size_t count, size_t size);
char *build_string(struct builder *b, const char *text);
struct position build_position(const struct raw_head *head);

/* Registers a name (NULL: it was bad, nothing happens) and refuses one that is taken. */
void build_name(struct builder *b, struct names *names, enum thing kind, uint32_t index,
		const struct place *place, const struct raw_head *head, const char *name);
/*
 * The object that `text`, the value of `key`, names. NO_INDEX when text is NULL (it was bad) or,
 * with a fault, when there is no such object.
 */
uint32_t build_reference(struct builder *b, struct names *names, enum thing kind,
			 const struct place *place, const struct raw_head *head, const char *key,
			 const char *text);
/* Where the value of the key stands; the object itself when the key isn't there. */
const struct node *build_at(const struct raw_head *head, const char *key);

/* Values that were checked when they were loaded; NULL (they were bad) gives 0. */
/* `device` (may be NO_INDEX), which `head` refers to by the key "device", must never be absent. */
void build_refuse_absence(struct builder *b, const struct place *place, const struct raw_head *head,
			  uint32_t device, const char *what);

uint64_t build_number(const char *text);
bool build_flag(const char *text);
int build_word(const char *const *words, const char *text);
