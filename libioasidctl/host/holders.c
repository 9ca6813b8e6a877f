// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/holders.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/node.h"
#include "host/root.h"
#include "host/sysfs.h"

/* What VFIO_GROUP_GET_DEVICE_FD gives has no node. */
#define GROUP_DEVICE "anon_inode:[vfio-device]"

/* What /proc/self/ns/pid of all who see every process links to (PROC_PID_INIT_INO in the kernel).
 */
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

/* The node is gone (its device was unplugged), but somebody still has it open. */
#define DELETED " (deleted)"

/*
 * Processes and cgroups are named as their owners like; control characters stay out of messages.
 * 0 or -ENOMEM, as all that make texts here.
 */
static int keep_printable(const char *text, char **out)
{
	*out = strdup(text);
	if (!*out)
		return -ENOMEM;
	for (char *p = *out; *p; p++)
		if (iscntrl((unsigned char)*p))
			*p = '?';
	return 0;
}

int process_command(const char *root, const char *pid, char **out)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/comm", pid);
	char text[64];

	if (!path)
		return -ENOMEM;
	return keep_printable(sysfs_read(path, text, sizeof(text)) ? "?" : text, out);
}

/*
 * "/machine.slice/machine-qemu.scope/libvirt": the innermost part that is a unit which can be
 * stopped.
 */
static int unit_of_path(char *path, char **out)
{
	static const char *const suffixes[] = {".service", ".scope"};
	char *rest = NULL, *unit = NULL;

	for (char *part = strtok_r(path, "/", &rest); part; part = strtok_r(NULL, "/", &rest))
		for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
			size_t length = strlen(part), suffix = strlen(suffixes[i]);

			if (length > suffix && !strcmp(part + length - suffix, suffixes[i]))
				unit = part;
		}
	return unit ? keep_printable(unit, out) : 0;
}

/* Lines "0::PATH" (the unified hierarchy) or "N:name=systemd:PATH" (the old one). */
int process_unit(const char *root, const char *pid, char **out)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/cgroup", pid);
	char text[SYSFS_TEXT_MAX], *rest = NULL;

	*out = NULL;
	if (!path)
		return -ENOMEM;
	if (sysfs_read(path, text, sizeof(text)))
		return 0;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *legacy = strstr(line, ":name=systemd:");

		if (!strncmp(line, "0::", 3) && line[3])
			return unit_of_path(line + 3, out);
		if (legacy)
			return unit_of_path(legacy + strlen(":name=systemd:"), out);
	}
	return 0;
}

/* Newer kernels tell the device in the descriptor's fdinfo, however it was opened. */
static int device_of_fdinfo(const char *root, const char *pid, const char *fd, char **out)
{
	static const char key[] = "vfio-device-syspath:";
	_cleanup_free_ char *path = root_path(root, "/proc/%s/fdinfo/%s", pid, fd);
	char text[SYSFS_TEXT_MAX], *line, *slash;

	if (!path)
		return -ENOMEM;
	line = sysfs_read(path, text, sizeof(text)) ? NULL : strstr(text, key);
	if (!line)
		return 0;
	line[strcspn(line, "\n")] = '\0';
	/* "/sys/devices/pci0000:00/0000:00:05.0/0000:01:00.0" */
	slash = strrchr(line, '/');
	return slash && slash[1] ? keep_printable(slash + 1, out) : 0;
}

static int device_of_vfio_node(const char *root, const char *name, char **out)
{
	_cleanup_free_ char *path = root_path(root, "/sys/class/vfio-dev/%s/device", name);

	return path && sysfs_link(path, out) != -ENOMEM ? 0 : -ENOMEM;
}

/* vhost-vdpa-0 is a directory of its vDPA device, and of no class. */
static int device_of_vdpa_node(const char *root, const char *name, char **out)
{
	_cleanup_free_ char *bus = root_path(root, "/sys/bus/vdpa/devices");
	_cleanup_names_ struct name_list devices = {0};
	int ret = bus ? sysfs_list(bus, &devices) : -ENOMEM;

	for (size_t i = 0; !ret && i < devices.n; i++) {
		_cleanup_free_ char *path = root_path(bus, "/%s/%s", devices.names[i], name);

		if (!path)
			return -ENOMEM;
		if (!access(path, F_OK))
			return keep_printable(devices.names[i], out);
	}
	return ret == -ENOMEM ? ret : 0;
}

static int device_of(const char *root, const char *pid, const char *fd, int kind, const char *node,
		     char **out)
{
	const char *name = node ? strrchr(node, '/') + 1 : NULL;
	int ret = 0;

	if (kind == NODE_DEVICE && fd)
		ret = device_of_fdinfo(root, pid, fd, out);
	if (ret || *out || !name)
		return ret;
	if (kind == NODE_DEVICE)
		return device_of_vfio_node(root, name, out);
	return kind == NODE_VDPA ? device_of_vdpa_node(root, name, out) : 0;
}

/* `fd` NULL: it is only mapped. */
static int add_open(struct node_holder *holder, const char *root, const char *pid, const char *fd,
		    int kind, const char *node)
{
	struct held_node *grown = reallocarray(holder->open, holder->n_open + 1, sizeof(*grown));
	struct held_node *open;

	if (!grown)
		return -ENOMEM;
	holder->open = grown;
	open = &grown[holder->n_open++];
	*open = (struct held_node){.kind = host_node_kind_names[kind], .mapped = !fd};
	if (fd)
		number_parse(fd, &open->fd);
	if (node) {
		open->node = strdup(node);
		if (!open->node)
			return -ENOMEM;
	}
	return device_of(root, pid, fd, kind, node, &open->device);
}

/* A file by its path; those that aren't of our nodes are passed over. */
static int look_at(struct node_holder *holder, const char *root, const char *pid, const char *fd,
		   char *path)
{
	ssize_t n = (ssize_t)strlen(path), deleted = strlen(DELETED);
	int kind;

	if (!strcmp(path, GROUP_DEVICE))
		return add_open(holder, root, pid, fd, NODE_DEVICE, NULL);
	if (strncmp(path, "/dev/", 5))
		return 0;
	if (n > deleted && !strcmp(path + n - deleted, DELETED))
		path[n - deleted] = '\0';
	kind = host_node_kind(path);
	return kind < 0 ? 0 : add_open(holder, root, pid, fd, kind, path);
}

static int look_at_descriptor(struct node_holder *holder, const char *root, const char *pid,
			      int fds, const char *fd)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fds, fd, target, sizeof(target) - 1);

	if (n < 0)
		return 0;
	target[n] = '\0';
	return look_at(holder, root, pid, fd, target);
}

static bool has_mapping(const struct node_holder *holder, const char *path)
{
	for (size_t i = 0; i < holder->n_open; i++)
		if (holder->open[i].mapped &&
		    !strcmp(holder->open[i].node ? holder->open[i].node : GROUP_DEVICE, path))
			return true;
	return false;
}

/*
 * "7f5e4c000000-7f5e4c001000 rw-s 00000000 00:06 412    /dev/vfio/devices/vfio0": what comes after
 * the five fields, as a whole. Others can map files that have the name of a node within theirs.
 */
static char *path_of_mapping(char *line)
{
	char *path = line;

	for (int field = 0; field < 5; field++) {
		path += strcspn(path, " ");
		path += strspn(path, " ");
	}
	path[strcspn(path, "\n")] = '\0';
	return path;
}

static int look_at_mappings(struct node_holder *holder, const char *root, const char *pid)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/maps", pid), *line = NULL;
	_cleanup_fclose_ FILE *f = path ? fopen(path, "re") : NULL;
	size_t size = 0;
	int ret = 0;

	if (!path)
		return -ENOMEM;
	while (!ret && f && getline(&line, &size, f) > 0) {
		char *mapped = path_of_mapping(line);

		if (!has_mapping(holder, mapped))
			ret = look_at(holder, root, pid, NULL, mapped);
	}
	return ret;
}

static int compare_descriptors(const void *a, const void *b)
{
	const struct held_node *x = a, *y = b;

	return (x->fd > y->fd) - (x->fd < y->fd);
}

static void holder_done(struct node_holder *holder)
{
	for (size_t i = 0; i < holder->n_open; i++) {
		free(holder->open[i].node);
		free(holder->open[i].device);
	}
	free(holder->open);
	free(holder->command);
	free(holder->unit);
	*holder = (struct node_holder){0};
}

static int describe(struct node_holder *holder, const char *root, const char *pid)
{
	int ret;

	qsort(holder->open, holder->n_open, sizeof(*holder->open), compare_descriptors);
	number_parse(pid, &holder->pid);
	ret = process_command(root, pid, &holder->command);
	if (!ret)
		ret = process_unit(root, pid, &holder->unit);
	if (!ret && memlock_read(root, pid, &holder->memlock) == -ENOMEM)
		ret = -ENOMEM;
	return ret;
}

/* Processes end and descriptors close while we look: what can't be read for that isn't held. */
static int read_process(struct node_holders *out, const char *root, const char *pid, bool mapped)
{
	_cleanup_free_ char *path = root_path(root, "/proc/%s/fd", pid);
	struct node_holder holder = {0}, *grown;
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	if (!path)
		return -ENOMEM;
	dir = opendir(path);
	if (!dir) {
		out->hidden += errno == EACCES || errno == EPERM;
		return errno == ENOMEM ? -ENOMEM : 0;
	}
	while (!ret && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			ret = look_at_descriptor(&holder, root, pid, dirfd(dir), entry->d_name);
	closedir(dir);
	if (!ret && mapped)
		ret = look_at_mappings(&holder, root, pid);
	if (!ret && holder.n_open) {
		ret = describe(&holder, root, pid);
		grown = ret ? NULL : reallocarray(out->list, out->n + 1, sizeof(*grown));
		if (grown) {
			out->list = grown;
			out->list[out->n++] = holder;
			return 0;
		}
		ret = -ENOMEM;
	}
	holder_done(&holder);
	return ret;
}

static int compare_pids(const void *a, const void *b)
{
	const struct node_holder *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* The first process is always there, and the last to be hidden from those who see others. */
static int look_for_unlisted(struct node_holders *out, const char *root,
			     const struct name_list *pids)
{
	_cleanup_free_ char *path = root_path(root, "/proc/self/ns/pid"), *namespace = NULL;
	bool first = *root;

	if (!path || sysfs_link(path, &namespace) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; !first && i < pids->n; i++)
		first = !strcmp(pids->names[i], "1");
	out->unlisted = !first || (namespace && strcmp(namespace, FIRST_PID_NAMESPACE));
	return 0;
}

static int read_processes(const char *root, bool mapped, struct node_holders *out)
{
	_cleanup_free_ char *proc = root_path(root, "/proc");
	_cleanup_holders_ struct node_holders holders = {0};
	_cleanup_names_ struct name_list pids = {0};
	int ret;

	if (!proc)
		return -ENOMEM;
	ret = sysfs_list(proc, &pids);
	if (!ret)
		ret = look_for_unlisted(&holders, root, &pids);
	for (size_t i = 0; !ret && i < pids.n; i++)
		if (isdigit((unsigned char)pids.names[i][0]))
			ret = read_process(&holders, root, pids.names[i], mapped);
	if (ret)
		return ret;
	if (holders.n)
		qsort(holders.list, holders.n, sizeof(*holders.list), compare_pids);
	*out = holders;
	holders = (struct node_holders){0};
	return 0;
}

int node_holders_read(const char *root, struct node_holders *out)
{
	return read_processes(root, false, out);
}

int node_users_read(const char *root, struct node_holders *out)
{
	return read_processes(root, true, out);
}

void node_holders_remove(struct node_holders *holders, size_t index)
{
	holder_done(&holders->list[index]);
	memmove(&holders->list[index], &holders->list[index + 1],
		(--holders->n - index) * sizeof(*holders->list));
}

void node_holders_done(struct node_holders *holders)
{
	for (size_t i = 0; i < holders->n; i++)
		holder_done(&holders->list[i]);
	free(holders->list);
	*holders = (struct node_holders){0};
}

uint64_t node_holders_locked(const struct node_holders *holders, uint64_t uid)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < holders->n; i++) {
		const struct memlock *m = &holders->list[i].memlock;

		if (m->uid == uid)
			sum += m->locked > m->pinned ? m->locked : m->pinned;
	}
	return sum;
}
