/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing descriptors to another program: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES (sd_listen_fds(3))
 * and {fd:NAME} in its arguments.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "driver/driver.h"
#include "model/topology.h"

enum handover_kind {
	HANDOVER_SHARED, /* by as many as like */
	HANDOVER_QUEUE, /* of page faults or events: what one reads, no other sees */
	HANDOVER_RAW_DEVICE, /* bound to an IOMMU fd by one program at a time */
};

struct handover_fd {
	char *name; /* as declared; "FD/IOASID", "group/8": owned */
	int fd;
	bool owned; /* closed with the handover; else borrowed */
	enum handover_kind kind;
	uint32_t id; /* QUEUE: of the IOASID or the event queue on its fd */
};

struct handover {
	/*
	 * IOMMU fds with those of their IOASIDs (containers, queues of page faults) and viommus
	 * (event queues), devices, groups, memories; each as declared.
	 */
	struct handover_fd *fds;
	size_t n_fds;
};

/*
 * All descriptors of a live topology, borrowed. Objects without one (reference device) are left
 * out.
 */
int handover_collect(const struct topology *t, struct handover *out, struct ioasidctl_error **err);

/*
 * For programs that do the rest themselves: an IOMMU fd opened anew for each fd, devices that are
 * bound to none, opened anew as well, and memories. `wanted` (NULL-terminated; NULL: all that can
 * be had): those, in that order. Refused: a device that is bound, or has no such state; nothing to
 * hand over.
 */
int handover_collect_raw(const struct driver_env *env, const struct topology *t,
			 const char *const *wanted, struct handover *out,
			 struct ioasidctl_error **err);

/*
 * Opens devices anew that are bound to no fd, in place of the open file that is borrowed: whoever
 * binds one must be able to undo that by ending.
 */
int handover_renew(const struct driver_env *env, const struct topology *t, struct handover *h,
		   struct ioasidctl_error **err);

/* Leaves those that are wanted, in that order. ERROR_USAGE: one has no descriptor, or is twice. */
int handover_select(struct handover *h, const char *const *wanted, struct ioasidctl_error **err);

/* Makes those that are borrowed its own, by duplicating them. */
int handover_own(struct handover *h, struct ioasidctl_error **err);

void handover_done(struct handover *h);

/*
 * argv with every {fd:NAME} replaced by the number the descriptor will have in the program (3 and
 * up in the order of `h`). *out: NULL-terminated, owned, freed by handover_free_argv(). A name that
 * doesn't exist or has no descriptor: ERROR_USAGE, naming those that do.
 */
int handover_argv(const struct handover *h, char *const argv[], char ***out,
		  struct ioasidctl_error **err);
void handover_free_argv(char **argv);

/*
 * Where a program finds its descriptors, set up for the calling process, which then becomes it:
 * returns only if it can't, and is good for nothing then but to say why. `lease` (-1: none) goes
 * behind the file with the dump, as IOASIDCTL_LEASE.
 */
int handover_exec(const struct handover *h, char *const argv[], const char *dump, int lease,
		  struct ioasidctl_error **err);

/*
 * Starts the program: descriptors from 3 on, LISTEN_* set, IOASIDCTL_TOPOLOGY naming a file with
 * `dump` (the JSON of `show`) that can be opened for as long as the program runs, signal mask and
 * dispositions back to default. *pid: its process.
 */
int handover_spawn(const struct handover *h, char *const argv[], const char *dump, pid_t *pid,
		   struct ioasidctl_error **err);
