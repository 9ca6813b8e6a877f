// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "driver/vdpa.h"
#include "host/raise_memlock.h"
#include "host/root.h"
#include "host/sysfs.h"

static const struct errno_meaning meanings[] = {
	{"open", EBUSY, ERROR_BUSY, "another process has it open, and only one can", NULL},
	{"VHOST_SET_OWNER", EBUSY, ERROR_BUSY, "it has an owner already", NULL},
	{"VHOST_VDPA_SET_GROUP_ASID", EBUSY, ERROR_BUSY,
	 "the device runs, and its virtqueues stay where they are until it is reset",
	 "stop the program that uses it first"},
	{"VHOST_VDPA_SET_GROUP_ASID", EOPNOTSUPP, ERROR_REFUSED,
	 "the device can't give groups an address space of their own",
	 "attach the whole device, without vq_group"},
	{0},
};

int vdpa_fail(struct ioasidctl_error **err, const char *call, int ret, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ret = linux_fail(err, meanings, call, ret, fmt, args);
	va_end(args);
	return ret;
}

/* What this process has pinned, bytes. vhost-vdpa counts it even for those who may lock anything.
 */
static uint64_t read_pinned(const char *root)
{
	_cleanup_free_ char *path = root_path(root, "/proc/self/status");
	char text[SYSFS_TEXT_MAX];
	const char *field;

	if (!path || sysfs_read(path, text, sizeof(text)))
		return 0;
	field = strstr(text, "\nVmPin:");
	return field ? strtoull(field + strlen("\nVmPin:"), NULL, 10) << 10 : 0;
}

static bool explain_limit(const struct driver_device *dev, uint64_t length,
			  struct ioasidctl_error **err)
{
	char needed[NUMBER_TEXT_MAX], pinned[NUMBER_TEXT_MAX], allowed[NUMBER_TEXT_MAX];
	uint64_t has = read_pinned(dev->env->root);
	_cleanup_free_ char *way_out = NULL;
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	    (has <= limit.rlim_cur && length <= limit.rlim_cur - has))
		return false;
	(*err)->kind = ERROR_MEMORY;
	error_cause(err,
		    "it pins %s beside the %s that are pinned, and the limit of locked memory is "
		    "%s, which vhost-vdpa applies to root, too",
		    number_size(length, needed), number_size(has, pinned),
		    number_size(limit.rlim_cur, allowed));
	way_out = memlock_way_out(dev->env->root, has + length, false);
	if (way_out)
		error_hint(err, "%s", way_out);
	return true;
}

void vdpa_explain_update(const struct driver_device *dev, const struct map_args *args,
			 struct ioasidctl_error **err)
{
	const uint64_t pages = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	if (!err || !*err)
		return;
	if ((args->iova | args->length | (uintptr_t)args->va) & pages)
		error_cause(err, "address, length and offset must be multiples of 0x%" PRIx64,
			    pages + 1);
	else if (!explain_limit(dev, args->length, err))
		error_cause(err, "the kernel doesn't tell why; most likely the memory can't be "
				 "pinned, or the device has no room for more mappings");
}
