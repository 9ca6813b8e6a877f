/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The question asked beforehand: can these devices be opened and bound as they are, can they share
 * an address space, and what would it take? Answered from an inventory, changing nothing.
 */
#pragma once

#include "host/inventory.h"
#include "model/topology.h"

/* What was looked at: identifier, name in JSON. */
#define EXPLAIN_CHECKS(X)           \
	X(INTERFACE, "interface")   \
	X(NODE, "node")             \
	X(INTERRUPTS, "interrupts") \
	X(MEMORY, "memory")         \
	X(PRESENT, "present")       \
	X(IOMMU, "iommu")           \
	X(DRIVER, "driver")         \
	X(NEEDED, "needed-by-host") \
	X(GROUP, "group")           \
	X(HELD, "held")             \
	X(ADDRESSES, "addresses")   \
	X(PAGE_TABLES, "page-tables")

enum explain_check {
#define X(id, name) EXPLAIN_##id,
	EXPLAIN_CHECKS(X)
#undef X
		EXPLAIN_CHECKS_COUNT
};

/* What came of it, the worse the later; names in JSON. */
#define FINDING_STATES(X)                                                           \
	X(FINE, "fine")                                                             \
	X(UNSEEN, "unseen") /* this process couldn't look; it may be in the way */  \
	X(CONFIG, "config") /* in the way, but a key of the config deals with it */ \
	X(OBSTACLE, "obstacle") /* in the way, and somebody has to do something first */

enum finding_state {
#define X(id, name) FINDING_##id,
	FINDING_STATES(X)
#undef X
		FINDING_STATES_COUNT
};

/* NULL at the end. */
extern const char *const explain_check_names[];
extern const char *const finding_state_names[];
extern const char *const explain_verdict_names[]; /* "yes", "config", "no" */

struct finding {
	const char *check, *state; /* of the names above */
	const char *text;
	const char *remedy; /* what to do; NULL: nothing */
};

struct findings {
	struct finding *list;
	size_t n, capacity;
	enum finding_state worst;
};

/* A device that is asked about. */
struct explain_device {
	enum selector selector;
	const char *address; /* borrowed */
};

struct explained_device {
	const char *selector, *address;
	const char *driver; /* NULL: none, or no such device */
	uint64_t group; /* HOST_UNKNOWN: in none */
	const char *verdict;
	struct finding *findings;
	size_t n_findings;
	const char *entry; /* of a config that would have it, YAML; NULL: none would */
};

struct explanation {
	const char *verdict; /* of all together */
	const char *interface; /* "iommufd", "vfio"; NULL: none */
	struct finding *machine; /* what isn't one device's */
	size_t n_machine;
	struct explained_device *devices; /* in the order of the question */
	size_t n_devices; /* each once */
	uint64_t one_fd, one_ioasid; /* 0 or 1; HOST_UNKNOWN: of a single device nobody asks */
	struct finding *together; /* why */
	size_t n_together;
	const char **unseen; /* borrowed from the inventory: what it couldn't see */
	size_t n_unseen;
	struct arena arena;
};

/*
 * `root` is what `host` was read from; both must outlive the answer. `memory`: bytes that are to be
 * mapped, 0 unknown. 0 or -ENOMEM; explanation_done() either way.
 */
int host_explain(const char *root, const struct host *host, const struct explain_device *devices,
		 size_t n, uint64_t memory, struct explanation *out);
void explanation_done(struct explanation *e);
#define _cleanup_explanation_ __attribute__((cleanup(explanation_done)))
