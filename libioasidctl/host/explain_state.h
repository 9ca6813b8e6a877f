/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of an explanation share; internal to explain*.c. */
#pragma once

#include "host/explain.h"

struct explaining {
	const char *root;
	const struct host *host;
	struct explanation *out;
	const struct explain_device *asked;
	const struct host_device **found; /* by `asked`; NULL: there is no such device */
	size_t n_asked;
	uint64_t memory;
	bool no_memory;
};

/* Texts are owned by the explanation's arena; a NULL text is want of memory. */
void find(struct explaining *x, struct findings *f, enum explain_check check,
	  enum finding_state state, const char *text, const char *remedy);
#define TEXT(x, ...) arena_printf(&(x)->out->arena, __VA_ARGS__)

/* explain_machine.c: what every device needs. */
void explain_machine(struct explaining *x, struct findings *f);
/* Whether a node can be opened, as far as this process can tell. */
void explain_node(struct explaining *x, struct findings *f, const char *path);
bool is_iommufd(const struct explaining *x);

/* explain_device.c */
/* Whether it has to be in an IOMMU group itself: mediated and vDPA devices need not. */
bool needs_iommu(const struct explain_device *asked);
const struct host_device *explain_find(const struct host *host, const struct explain_device *d);
void explain_device(struct explaining *x, struct findings *f, size_t index);
/* The entry that a config would need; NULL: none would do. */
const char *explain_entry(struct explaining *x, size_t index, const struct findings *f);

/* explain_together.c */
void explain_together(struct explaining *x, struct findings *f);

const struct host_group *find_host_group(const struct host *host, uint64_t id);
const struct host_device *find_host_device(const struct host *host, const char *address);
