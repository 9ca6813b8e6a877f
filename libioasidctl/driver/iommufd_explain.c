// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why an ioctl of the iommufd driver failed. */
#include <errno.h>
#include <string.h>

#include "base/number.h"
#include "driver/iommufd.h"

static const struct errno_meaning meanings[] = {
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
	{NULL, ENOENT, ERROR_KERNEL,
	 "the object is gone: something else that holds the same "
	 "file destroyed it",
	 NULL},
	{0},
};

int iommufd_fail(struct ioasidctl_error **err, const char *ioctl_name, int ret, const char *fmt,
		 ...)
{
	va_list args;

	va_start(args, fmt);
	ret = linux_fail(err, meanings, ioctl_name, ret, fmt, args);
	va_end(args);
	return ret;
}

void iommufd_explain_allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
			   struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};

	if (!err || iommufd_ioasid_info(fd, id, &info, NULL))
		return;
	for (size_t i = 0; i < n; i++)
		if (linux_explain_uncovered(&info, ranges[i], err))
			break;
	ioasid_info_done(&info);
}

static void explain_bad_range(struct driver_fd *fd, uint32_t id, const struct map_args *args,
			      struct ioasidctl_error **err)
{
	struct ioasid_info info = {0};

	if (!err || iommufd_ioasid_info(fd, id, &info, NULL))
		return;
	linux_explain_range(&info, args, err);
	ioasid_info_done(&info);
}

void iommufd_explain_map(struct driver_fd *fd, uint32_t id, const struct map_args *args, int errnum,
			 struct ioasidctl_error **err)
{
	switch (errnum) {
	case ENOMEM:
		linux_explain_memory(fd->env, args->length, err);
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
