// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a call failed: first what its errno means in general, then what this machine shows. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/linux.h"
#include "host/root.h"
#include "host/sysfs.h"

#define CAP_IPC_LOCK_BIT 14

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

/* The nodes that come with a module. */
static const struct {
	const char *node, *module, *has, *absent, *hint;
} nodes[] = {
	{"/dev/iommu", "iommufd", "the kernel has iommufd, but its node isn't here",
	 "the kernel has no iommufd, or its module isn't loaded",
	 "modprobe iommufd; it came with Linux 6.2 (CONFIG_IOMMUFD)"},
	{"/dev/vfio/vfio", "vfio", "the kernel has VFIO, but its node isn't here",
	 "the kernel has no VFIO, or its module isn't loaded",
	 "modprobe vfio-pci (CONFIG_VFIO, CONFIG_VFIO_PCI)"},
};

static void explain_no_node(const struct driver_env *env, const char *node,
			    struct ioasidctl_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		_cleanup_free_ char *module = NULL;

		if (strcmp(node, nodes[i].node))
			continue;
		module = root_path(env->root, "/sys/module/%s", nodes[i].module);
		if (module && !access(module, F_OK)) {
			error_cause(err, "%s", nodes[i].has);
			error_hint(err, "in a container, pass %s in", node);
		} else {
			error_cause(err, "%s", nodes[i].absent);
			error_hint(err, "%s", nodes[i].hint);
		}
		return;
	}
	error_cause(err, "there is no such node");
}

static void explain_no_access(const struct driver_env *env, const char *node,
			      struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = root_path(env->root, "%s", node);
	struct stat st;

	if (!path || stat(path, &st) < 0)
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
		explain_no_access(env, node, err);
	}
}

/* Locked memory isn't counted for those who may lock any amount. */
static bool may_lock_anything(const struct driver_env *env)
{
	_cleanup_free_ char *path = root_path(env->root, "/proc/self/status");
	char text[SYSFS_TEXT_MAX];
	const char *field;

	if (!path || sysfs_read(path, text, sizeof(text)))
		return false;
	field = strstr(text, "\nCapEff:");
	return field && strtoull(field + strlen("\nCapEff:"), NULL, 16) & 1ULL << CAP_IPC_LOCK_BIT;
}

void linux_explain_memory(const struct driver_env *env, uint64_t length,
			  struct ioasidctl_error **err)
{
	char needed[NUMBER_TEXT_MAX], allowed[NUMBER_TEXT_MAX];
	struct rlimit limit;

	if (!err || getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return;
	if (limit.rlim_cur == RLIM_INFINITY || may_lock_anything(env)) {
		error_cause(err, "no limit of locked memory applies, so the machine itself is "
				 "short of memory (or of huge pages)");
		return;
	}
	number_size(limit.rlim_cur, allowed);
	if (length > limit.rlim_cur)
		error_cause(err, "it pins %s, and the limit of locked memory is %s",
			    number_size(length, needed), allowed);
	else
		error_cause(err,
			    "all that is pinned must fit into the limit of locked memory, "
			    "which is %s",
			    allowed);
	error_hint(err, "raise it (LimitMEMLOCK= of the service, ulimit -l of the shell), or give "
			"ioasidctl CAP_IPC_LOCK");
}

/* The first part of [first, last] that no range of `info` covers. */
static bool find_uncovered(const struct ioasid_info *info, struct range wanted, struct range *out)
{
	for (size_t i = 0; i < info->n_ranges && wanted.first <= wanted.last; i++) {
		const struct range *r = &info->ranges[i];

		if (r->last < wanted.first)
			continue;
		if (r->first > wanted.first) {
			*out = (struct range){wanted.first,
					      r->first <= wanted.last ? r->first - 1 : wanted.last};
			return true;
		}
		if (r->last >= wanted.last)
			return false;
		wanted.first = r->last + 1;
	}
	*out = wanted;
	return true;
}

bool linux_explain_uncovered(const struct ioasid_info *info, struct range wanted,
			     struct ioasidctl_error **err)
{
	struct range hole;

	if (!find_uncovered(info, wanted, &hole))
		return false;
	error_cause(err,
		    "0x%" PRIx64 "-0x%" PRIx64 " of it is out of reach or reserved for a device "
		    "that is attached",
		    hole.first, hole.last);
	error_hint(err, "`ioasidctl show` lists the usable ranges");
	return true;
}

bool linux_explain_range(const struct ioasid_info *info, const struct map_args *args,
			 struct ioasidctl_error **err)
{
	uint64_t mask = info->alignment ? info->alignment - 1 : 0;

	if (!((args->iova | args->length | args->offset) & mask))
		return linux_explain_uncovered(
			info, (struct range){args->iova, range_last(args->iova, args->length)},
			err);
	error_cause(err, "address, length and offset must be multiples of 0x%" PRIx64 " here",
		    info->alignment);
	return true;
}
