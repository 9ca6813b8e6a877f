// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/scan.h"

#define UNSEEN_MAX 5

static int check_root(const char *root, struct ioasidctl_error **err)
{
	_cleanup_free_ char *sys = root_path(root, "/sys");
	struct stat st;
	int ret;

	if (!sys)
		return error_nomem(err);
	if (!stat(sys, &st) && S_ISDIR(st.st_mode))
		return 0;
	ret = error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no %s", sys);
	error_hint(err, *root ? "name the directory that holds the captured sys, proc and dev"
			      : "mount sysfs there");
	return ret;
}

static int say(struct host *host, const char *text)
{
	if (!text)
		return -ENOMEM;
	host->unseen[host->n_unseen++] = text;
	return 0;
}

static int say_unseen(const struct host_scan *scan)
{
	struct host *host = scan->host;
	int ret = 0;

	host->unseen = arena_alloc_array(&host->arena, UNSEEN_MAX, sizeof(*host->unseen));
	if (!host->unseen)
		return -ENOMEM;
	if (host->holders.hidden)
		ret = say(host, arena_printf(&host->arena,
					     "which nodes %ju processes of other users have open: "
					     "run it as root",
					     (uintmax_t)host->holders.hidden));
	if (!ret && host->holders.unlisted)
		ret = say(host, "which nodes processes have open that /proc doesn't list: run "
				"it as root, outside of containers");
	if (!ret && scan->config_hidden)
		ret = say(host, "how many PASIDs devices have: run it as root");
	if (!ret && scan->no_names)
		ret = say(host,
			  "names of vendors and devices: there is no pci.ids (package pci.ids)");
	if (!ret && !host->memlock_known)
		ret = say(host, "how much memory may be locked: there is no /proc/self/limits");
	return ret;
}

static int read_processes(struct host_scan *scan)
{
	struct host *host = scan->host;
	int ret = memlock_read(scan->root, "self", &host->memlock);

	if (ret == -ENOMEM)
		return ret;
	host->memlock_known = !ret;
	ret = node_holders_read(scan->root, &host->holders);
	if (ret == -ENOMEM)
		return ret;
	/* A tree that wasn't captured by root has only what its user could see. */
	host->holders.unlisted |= ret || (*scan->root && host->memlock_known && host->memlock.uid);
	if (host->memlock_known)
		host->memlock_used = node_holders_locked(&host->holders, host->memlock.uid);
	return 0;
}

int host_read(const char *root, struct host *out, struct ioasidctl_error **err)
{
	struct host_scan scan = {.root = root ? root : "", .host = out};
	int ret;

	*out = (struct host){0};
	ret = check_root(scan.root, err);
	if (ret)
		return ret;
	ret = kernel_features_read(scan.root, &out->kernel);
	if (!ret)
		ret = host_nodes_read(scan.root, &out->nodes);
	if (!ret)
		ret = scan_iommus(&scan);
	if (!ret)
		ret = scan_buses(&scan);
	if (!ret)
		ret = scan_groups(&scan);
	if (!ret)
		ret = scan_names(&scan);
	if (!ret)
		ret = scan_drivers(&scan);
	if (!ret)
		ret = read_processes(&scan);
	if (!ret)
		ret = say_unseen(&scan);
	if (scan.no_memory)
		ret = -ENOMEM;
	return ret ? error_new(err, ret == -ENOMEM ? ERROR_MEMORY : ERROR_KERNEL, -ret,
			       "can't read the host: %s", strerror(-ret))
		   : 0;
}

void host_done(struct host *host)
{
	kernel_features_done(&host->kernel);
	host_nodes_done(&host->nodes);
	node_holders_done(&host->holders);
	free(host->devices);
	arena_done(&host->arena);
	*host = (struct host){0};
}
