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
#include "driver/iommufd.h"
#include "host/root.h"
#include "host/sysfs.h"

#define CAP_IPC_LOCK_BIT 14

/* What a number means where no check of this machine tells more. `call` NULL: everywhere. */
static const struct meaning {
	const char *call;
	int errnum;
	enum error_kind kind;
	const char *cause, *hint;
} meanings[] = {
	{"IOMMU_OPTION", EPERM, ERROR_PERMISSION,
	 "the choice of memory accounting needs CAP_SYS_RESOURCE",
	 "run ioasidctl as root, or leave `accounting` out of the config"},
	{"IOMMU_IOAS_MAP_FILE", EINVAL, ERROR_KERNEL,
	 "the memory is no memfd, or the range ends past its end", NULL},
	{"IOMMU_IOAS_COPY", ENOENT, ERROR_KERNEL, "the source has no mapping of exactly that range",
	 "copy the range of one whole mapping"},
	{"IOMMU_IOAS_UNMAP", ENOENT, ERROR_KERNEL,
	 "nothing is mapped there, or the range would cut a mapping",
	 "a mapping goes as a whole, as it came"},
	{"IOMMU_IOAS_ALLOW_IOVAS", EINVAL, ERROR_KERNEL,
	 "a range has only one address, or two overlap", NULL},
	{"IOMMU_DESTROY", EBUSY, ERROR_BUSY, "something on it is still in use", NULL},
	{NULL, EPERM, ERROR_PERMISSION, NULL, NULL},
	{NULL, EACCES, ERROR_PERMISSION, NULL, NULL},
	{NULL, EBUSY, ERROR_BUSY, NULL, NULL},
	{NULL, ENOMEM, ERROR_MEMORY, NULL, NULL},
	{NULL, EMFILE, ERROR_MEMORY, NULL, "raise the limit of open files (ulimit -n)"},
	{NULL, ENODEV, ERROR_UNAVAILABLE, NULL, NULL},
	{NULL, ENOTTY, ERROR_REFUSED, "this kernel hasn't got the call", "a newer kernel has it"},
	{NULL, ENOENT, ERROR_KERNEL,
	 "the object is gone: something else that holds the same "
	 "file destroyed it",
	 NULL},
};

static const struct meaning *find_meaning(const char *name, int errnum)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].errnum == errnum &&
		    (!meanings[i].call || !strcmp(meanings[i].call, name)))
			return &meanings[i];
	return NULL;
}

int iommufd_fail(struct ioasidctl_error **err, const char *ioctl_name, int ret, const char *fmt,
		 ...)
{
	const struct meaning *m = find_meaning(ioctl_name, -ret);
	_cleanup_free_ char *what = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&what, fmt, args);
	va_end(args);
	if (n < 0) {
		what = NULL;
		return error_nomem(err);
	}
	error_new(err, m ? m->kind : ERROR_KERNEL, -ret, "%s: %s", what, strerror(-ret));
	error_ioctl(err, ioctl_name);
	if (m && m->cause)
		error_cause(err, "%s", m->cause);
	if (m && m->hint)
		error_hint(err, "%s", m->hint);
	return ret;
}

int iommufd_open_node(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = root_path(env->root, "%s", node);
	_cleanup_close_ int fd = -1;
	struct stat st;
	int ret;

	if (!path)
		return error_nomem(err);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ret = fd < 0 ? -errno : 0;
	driver_trace(env, "open %s = %s fd=%d", path, iommufd_result(ret), fd);
	if (ret) {
		iommufd_fail(err, "open", ret, "can't open %s", path);
		iommufd_explain_open(env, node, -ret, err);
		return ret;
	}
	/* On a plain file the calls would only say that they don't exist. */
	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return error_new(err, ERROR_UNAVAILABLE, ENODEV, "%s is no character device", path);
	return steal_fd(&fd);
}

static void explain_no_node(const struct driver_env *env, const char *node,
			    struct ioasidctl_error **err)
{
	_cleanup_free_ char *module = root_path(env->root, "/sys/module/iommufd");

	if (strcmp(node, "/dev/iommu")) {
		error_cause(err, "there is no such node");
	} else if (module && !access(module, F_OK)) {
		error_cause(err, "the kernel has iommufd, but its node isn't here");
		error_hint(err, "in a container, pass /dev/iommu in");
	} else {
		error_cause(err, "the kernel has no iommufd, or its module isn't loaded");
		error_hint(err, "modprobe iommufd; it came with Linux 6.2 (CONFIG_IOMMUFD)");
	}
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

void iommufd_explain_open(const struct driver_env *env, const char *node, int errnum,
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

void iommufd_explain_memory(const struct driver_env *env, uint64_t length,
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

static bool explain_uncovered(const struct ioasid_info *info, struct range wanted,
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

void iommufd_explain_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
			   struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};

	if (!err || iommufd_ioasid_info(fd, id, &info, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (explain_uncovered(&info, ranges[i], err))
			break;
	ioasid_info_done(&info);
}

static void explain_bad_range(struct driver_fd *fd, uint32_t id, const struct map_args *args,
			      struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};
	uint64_t mask;

	if (!err || iommufd_ioasid_info(fd, id, &info, NULL))
		return;
	mask = info.alignment ? info.alignment - 1 : 0;
	if ((args->iova | args->length | args->offset) & mask)
		error_cause(err,
			    "address, length and offset must be multiples of 0x%" PRIx64 " here",
			    info.alignment);
	else
		explain_uncovered(&info,
				  (struct range){args->iova, range_last(args->iova, args->length)},
				  err);
	ioasid_info_done(&info);
}

void iommufd_explain_map(struct driver_fd *fd, uint32_t id, const struct map_args *args, int errnum,
			 struct ioasidctl_error **err)
{
	switch (errnum) {
	case ENOMEM:
		iommufd_explain_memory(fd->env, args->length, err);
		break;
	case EEXIST:
	case EADDRINUSE:
		error_cause(err, "part of the range is mapped already");
		break;
	case EINVAL:
		explain_bad_range(fd, id, args, err);
		break;
	case EPERM:
		error_cause(err, "the memory can't be written: it is sealed or was opened "
				 "read-only");
		error_hint(err, "map it with access: r");
		break;
	case EFAULT:
		error_cause(err, "the memory isn't all there: the file ends before the range does");
		break;
	}
}
