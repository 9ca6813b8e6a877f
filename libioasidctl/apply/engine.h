/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The engine: the live topologies of this process, and the transactions that change them. The
 * holder has one behind its socket, `run` one of its own. Not thread-safe by itself: transactions
 * are the caller's to serialise; reading a topology that no transaction is changing is fine.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "base/error.h"
#include "driver/driver.h"
#include "model/topology.h"

struct engine;

/* `env` is copied; what it points to must outlive the engine. */
int engine_new(const struct driver_env *env, struct engine **out, struct ioasidctl_error **err);
/* Tears nothing down: closes what is open, as the end of the process would. */
void engine_free(struct engine *engine);

struct transaction {
	enum driver_choice driver; /* DRIVER_AUTO: what the file says; else instead of it */
	bool dry_run; /* plan only: no call that changes anything */
	bool no_verify;
	/* Gives back what can be given back, where else it would refuse because of a device that
	 * somebody still has open. */
	bool regardless;
	/* The caller will see to it that absent devices with hotplug: attach get in when they come.
	 */
	bool may_wait;
	/* It does so now, for these (NULL at the end): other absent devices stay absent, back or
	 * not. */
	const char *const *attempt;
	bool list; /* operations in full in the result, not only counted */
	atomic_bool *cancel; /* polled between operations; may be NULL */
	/* Each kernel action as a line; NULL: nobody listens. */
	void (*trace)(void *data, const char *line);
	void *trace_data;
	/*
	 * Called when everything is planned and something will be changed, before it is: what the
	 * devices are now is noted in the topology. NULL: nobody wants to know.
	 */
	void (*intend)(void *data, const struct topology *desired);
	void *intend_data;
	/* Called between operations: other topologies may be read there. NULL: nobody waits. */
	void (*between)(void *data);
	void *between_data;
};

/*
 * Makes the topology of that name look like `desired`, which the engine takes over (also when it
 * fails). *result: {name, changed, counts, operations?}, a new reference. On failure everything is
 * as it was; if undoing failed too, an ERROR_KERNEL behind the first error names what is left.
 */
int engine_apply(struct engine *engine, struct topology *desired, const struct transaction *how,
		 json_t **result, struct ioasidctl_error **err);
/* ERROR_BUSY, and nothing has changed: somebody has a device open that would get its old driver. */
int engine_delete(struct engine *engine, const char *name, const struct transaction *how,
		  json_t **result, struct ioasidctl_error **err);

/*
 * Tries a topology on the reference device of `env`, in place of whatever device its fds name, and
 * takes it down again: what would fail there fails, memory apart, of which none is used. Takes
 * `desired` over. 0, or the first failure, and an error for each.
 */
int engine_rehearse(struct engine *engine, struct topology *desired, const struct transaction *how,
		    struct ioasidctl_error **err);

/* Borrowed; NULL: none of that name. Valid until the next transaction on it. */
const struct topology *engine_topology(const struct engine *engine, const char *name);
size_t engine_count(const struct engine *engine);
const struct topology *engine_topology_at(const struct engine *engine, size_t index);

/*
 * What `delete` gives back to a device, where the engine couldn't see it because a holder before
 * this one did it: the host driver ("" none, NULL not touched) and the number of VFs (NO_INDEX not
 * touched). 0; -ENOENT: no such device; -ENOMEM.
 */
int engine_set_original(struct engine *engine, const char *topology, const char *device,
			const char *driver, uint32_t vfs);

/* The same topology for those who change what isn't declared of it (live.h), and the listening. */
struct topology *engine_live(struct engine *engine, const char *name);
void engine_listen(struct engine *engine, const struct transaction *how);

/*
 * A device of a live topology is given up, at once: the kernel wants it back, or it has gone.
 * `gone` forgets the host driver to restore. The topology goes on without it, the device being
 * absent. Not during a transaction on that topology.
 */
void engine_release_device(struct engine *engine, const char *topology, uint32_t device, bool gone);

/* Notes why an absent device isn't held (NULL: no reason any more); lost without memory. */
void engine_set_trouble(struct engine *engine, const char *topology, uint32_t device,
			const char *text);

const struct driver_env *engine_env(const struct engine *engine);
