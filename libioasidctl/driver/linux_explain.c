// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a call failed: first what its errno means in general, then what this machine shows. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/linux.h"
#include "host/module.h"
#include "host/raise_memlock.h"
#include "host/root.h"

static const struct errno_meaning general[] = {
	{NULL, EPERM, ERROR_PERMISSION, NULL, NULL},
	{NULL, EACCES, ERROR_PERMISSION, NULL, NULL},
	{NULL, EBUSY, ERROR_BUSY, NULL, NULL},
	{NULL, ENOMEM, ERROR_MEMORY, NULL, NULL},
	{NULL, EMFILE, ERROR_MEMORY, NULL, "raise the limit of open files (ulimit -n)"},
	{NULL, ENODEV, ERROR_UNAVAILABLE, NULL, NULL},
	{NULL, ENOTTY, ERROR_REFUSED, "this kernel hasn't got the call", "a newer kernel has it"},
	{0},
};

const char *linux_result(int ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : "0";

	return name ? name : "E?";
}

static const struct errno_meaning *find_meaning(const struct errno_meaning *m, const char *call,
						int errnum)
{
	for (; m->errnum; m++)
		if (m->errnum == errnum && (!m->call || !strcmp(m->call, call)))
			return m;
	return NULL;
}

int linux_fail(struct ioasidctl_error **err, const struct errno_meaning *own, const char *call,
	       int ret, const char *fmt, va_list args)
{
	const struct errno_meaning *m = find_meaning(own, call, -ret);
	_cleanup_free_ char *what = NULL;

	if (!m)
		m = find_meaning(general, call, -ret);
	if (vasprintf(&what, fmt, args) < 0) {
		what = NULL;
		return error_nomem(err);
	}
	error_new(err, m ? m->kind : ERROR_KERNEL, -ret, "%s: %s", what, strerror(-ret));
	error_ioctl(err, call);
	if (m && m->cause)
		error_cause(err, "%s", m->cause);
	if (m && m->hint)
		error_hint(err, "%s", m->hint);
	return ret;
}

static int fail_open(struct ioasidctl_error **err, int ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ret = linux_fail(err, (struct errno_meaning[]){{0}}, "open", ret, fmt, args);
	va_end(args);
	return ret;
}

int linux_open_node(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = root_path(env->root, "%s", node);
	_cleanup_close_ int fd = -1;
	struct stat st;
	int ret;

	if (!path)
		return error_nomem(err);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ret = fd < 0 ? -errno : 0;
	driver_trace(env, "open %s = %s fd=%d", path, linux_result(ret), fd);
	if (ret) {
		fail_open(err, ret, "can't open %s", path);
		linux_explain_open(env, node, -ret, err);
		return ret;
	}
	/* On a plain file the calls would only say that they don't exist. */
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s is no character device", path);
	return steal_fd(&fd);
}

/* The nodes that come with a part of the kernel, and what is in sysfs while it is there. */
static const struct {
	const char *node, *sign, *module, *name, *since;
} nodes[] = {
	{"/dev/iommu", "/sys/class/misc/iommu", "iommufd", "iommufd",
	 "it came with Linux 6.2 (CONFIG_IOMMUFD)"},
	{"/dev/vfio/vfio", "/sys/class/misc/vfio", "vfio-pci", "VFIO",
	 "CONFIG_VFIO, and CONFIG_VFIO_PCI for PCI devices"},
};

static void explain_no_module(const struct driver_env *env, const char *module, const char *name,
			      const char *since, struct ioasidctl_error **err)
{
	switch (host_module(env->root, module)) {
	case MODULE_LOADABLE:
		error_cause(err, "the kernel's module for it, %s, isn't loaded", module);
		error_hint(err, "modprobe %s", module);
		break;
	case MODULE_ABSENT:
		error_cause(err, "this kernel was built without %s", name);
		error_hint(err, "take one that has it: %s", since);
		break;
	default:
		error_cause(err, "the kernel has no %s, or its module isn't loaded", name);
		error_hint(err, "modprobe %s; %s", module, since);
	}
}

void linux_explain_hidden(const char *node, const char *name, struct ioasidctl_error **err)
{
	error_cause(err, "the kernel has %s, but its node isn't here", name);
	error_hint(err, "in a container, pass %s in; elsewhere, mount devtmpfs on /dev", node);
}

static bool is_there(const struct driver_env *env, const char *sign)
{
	_cleanup_free_ char *path = root_path(env->root, "%s", sign);

	return path && !access(path, F_OK);
}

static void explain_no_node(const struct driver_env *env, const char *node,
			    struct ioasidctl_error **err)
{
	static const char devices[] = "/dev/vfio/devices/";

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		if (strcmp(node, nodes[i].node))
			continue;
		if (is_there(env, nodes[i].sign))
			linux_explain_hidden(node, nodes[i].name, err);
		else
			explain_no_module(env, nodes[i].module, nodes[i].name, nodes[i].since, err);
		return;
	}
	/* Known from sysfs a moment ago. */
	if (!strncmp(node, devices, strlen(devices)))
		linux_explain_hidden(node, "the device", err);
	else
		error_cause(err, "there is no such node");
}

/* The mode would do, but something else forbids it. */
static bool explain_forbidden(const char *path, const char *node, int errnum,
			      struct ioasidctl_error **err)
{
	struct statvfs fs;

	if (eaccess(path, R_OK | W_OK) == 0 && errnum == EPERM) {
		error_cause(err, "its mode would let this process in, but the process's control "
				 "group may not use the device");
		error_hint(err,
			   "a container gets it with --device %s, a systemd unit with "
			   "DeviceAllow=%s rw",
			   node, node);
		return true;
	}
	if (!statvfs(path, &fs) && fs.f_flag & ST_NODEV) {
		error_cause(err, "it is on a file system that is mounted with nodev");
		error_hint(err, "pass the node in by the container's own means (--device), not as "
				"a volume");
		return true;
	}
	return false;
}

static void explain_no_access(const struct driver_env *env, const char *node, int errnum,
			      struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = root_path(env->root, "%s", node);
	struct stat st;

	if (!path || stat(path, &st) < 0 || explain_forbidden(path, node, errnum, err))
		return;
	error_cause(err, "it belongs to uid %u, gid %u with mode %04o, and this process is uid %u",
		    st.st_uid, st.st_gid, st.st_mode & 07777, geteuid());
	error_hint(err,
		   "run ioasidctl as root, or let a udev rule give the node to a group of "
		   "yours: KERNEL==\"%s\", GROUP=\"...\", MODE=\"0660\"",
		   strrchr(node, '/') + 1);
}

void linux_explain_open(const struct driver_env *env, const char *node, int errnum,
			struct ioasidctl_error **err)
{
	if (!err || !*err)
		return;
	if (errnum == ENOENT || errnum == ENODEV || errnum == ENXIO) {
		(*err)->kind = ERROR_UNAVAILABLE;
		explain_no_node(env, node, err);
	} else if (errnum == EACCES || errnum == EPERM) {
		explain_no_access(env, node, errnum, err);
	}
}

bool linux_explain_gone(const char *dir, struct ioasidctl_error **err)
{
	if (!err || !*err || !dir || !access(dir, F_OK) || errno != ENOENT)
		return false;
	(*err)->kind = ERROR_UNAVAILABLE;
	error_cause(err, "the device is gone: it was unplugged, or removed from its bus");
	error_hint(err, "take it out of the config, or plug it in again and apply");
	return true;
}

void linux_explain_memory(const struct driver_env *env, uint64_t length,
			  struct ioasidctl_error **err)
{
	_cleanup_free_ char *cause = NULL, *hint = NULL;

	if (!err || memlock_explain(env->root, length, &cause, &hint))
		return;
	error_cause(err, "%s", cause);
	if (hint)
		error_hint(err, "%s", hint);
}
