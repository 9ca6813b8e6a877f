/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handing descriptors to another program: LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES (sd_listen_fds(3))
 * and {fd:NAME} in its arguments.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/topology.h"

struct handover_fd {
	char *name; /* as declared; "FD/IOASID", "group/8": owned */
	int fd; /* borrowed */
};

struct handover {
	/*
	 * IOMMU fds with those of their IOASIDs (containers, queues of page faults) and viommus
	 * (event queues), devices, groups, memories; each as declared.
	 */
	struct handover_fd *fds;
	size_t n_fds;
};

/* All descriptors of a live topology. Objects without one (reference device) are left out. */
int handover_collect(const struct topology *t, struct handover *out, struct ioasidctl_error **err);
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
 * Starts the program: descriptors from 3 on, LISTEN_* set, IOASIDCTL_TOPOLOGY naming a file with
 * `dump` (the JSON of `show`) that can be opened for as long as the program runs, signal mask and
 * dispositions back to default. *pid: its process.
 */
int handover_spawn(const struct handover *h, char *const argv[], const char *dump, pid_t *pid,
		   struct ioasidctl_error **err);
