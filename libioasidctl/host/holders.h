/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who holds what: the processes that have IOMMU and VFIO nodes open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/memlock.h"

/* An open descriptor of one of the nodes of node.h, or of a device got from a VFIO group. */
struct held_node {
	uint64_t fd;
	const char *kind; /* of host_node_kind_names */
	/* No descriptor any more, but its memory is mapped, which keeps it open all the same. */
	bool mapped;
	char *node; /* "/dev/vfio/devices/vfio0" as the process sees it; NULL: opened by no path */
	/*
	 * Device behind it ("0000:01:00.0"): `vfio-device-syspath` of the descriptor's fdinfo, or
	 * what sysfs says of the node; NULL: none, or an older kernel doesn't tell.
	 */
	char *device;
};

struct node_holder {
	uint64_t pid;
	char *command; /* its own name for itself, without control characters */
	char *unit; /* systemd unit by its cgroup, "libvirtd.service"; NULL: none */
	struct memlock memlock;
	struct held_node *open; /* by descriptor */
	size_t n_open;
};

struct node_holders {
	struct node_holder *list; /* by pid */
	size_t n;
	uint64_t hidden; /* processes whose descriptors this one may not see */
	/* There are others of which /proc doesn't tell: this one is in a PID namespace of its own,
	 * or /proc is mounted with hidepid; or the tree was captured by somebody else than root. */
	bool unlisted;
};

/* What a process calls itself, without control characters ("?": it has ended). 0, -ENOMEM. */
int process_command(const char *root, const char *pid, char **command);
/* The systemd unit of a process ("self": this one) by its cgroup; *unit NULL: none. 0, -ENOMEM. */
int process_unit(const char *root, const char *pid, char **unit);

/*
 * What all processes of a user that are among the holders have locked or pinned, bytes: iommufd
 * charges that to the user by default, and keeps no counter that could be read.
 */
uint64_t node_holders_locked(const struct node_holders *holders, uint64_t uid);

/* Asks /proc. Processes that end meanwhile are left out. 0 or -errno. */
int node_holders_read(const char *root, struct node_holders *out);
/* Looks at what they have mapped, too, which takes longer. */
int node_users_read(const char *root, struct node_holders *out);
void node_holders_remove(struct node_holders *holders, size_t index);
void node_holders_done(struct node_holders *holders);
#define _cleanup_holders_ __attribute__((cleanup(node_holders_done)))

/*
 * Those that have one of `nodes` (paths as in /dev, without root; NULL-terminated) or of `devices`
 * (the same; NULL: none) open: "pid 1234 (qemu-system-x86, vm0.service)", several with commas;
 * `except` (0: nobody) is left out. *text owned; NULL: none. 0 or -ENOMEM.
 */
int node_holders_text(const struct node_holders *holders, const char *const nodes[],
		      const char *const devices[], pid_t except, char **text);

/*
 * Those of them that have devices of VFIO groups open of which nothing tells which they are (before
 * Linux 6.16), and that may be of the group whose node it is: they have it open, or none.
 */
int node_holders_unidentified(const struct node_holders *holders, const char *group_node,
			      pid_t except, char **text);

/* node_users_read() and node_holders_text(); *text NULL: none that this process may look into. 0 or
 * -errno. */
int holders_text(const char *root, const char *const nodes[], pid_t except, char **text);
