/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the drivers of Linux's own interfaces (iommufd, vfio) share: devices as sysfs shows them,
 * and finding out on this machine why a call failed.
 */
#pragma once

#include <stdarg.h>
#include <sys/types.h>

#include "driver/driver.h"

struct iommu_group;

/* "0" or "ENOMEM", for the trace; `ret` is 0 or -errno. */
const char *linux_result(int ret);

/* The vtable's calls that work by address. */
int linux_device_find(const struct driver_env *env, const struct device *spec,
		      struct device_facts *out, struct ioasidctl_error **err);
int linux_device_set_driver(const struct driver_env *env, const struct device *spec,
			    const char *driver, char **original, struct ioasidctl_error **err);

int linux_device_carries(const struct driver_env *env, const struct device *spec, char **text,
			 struct ioasidctl_error **err);
int linux_device_users(const struct driver_env *env, const struct device *spec, char **text,
		       struct ioasidctl_error **err);
int linux_device_set_vfs(const struct driver_env *env, const struct device *spec, uint32_t n,
			 bool back, uint32_t *before, struct ioasidctl_error **err);
int linux_device_set_override(const struct driver_env *env, const struct device *spec,
			      const char *override, struct ioasidctl_error **err);

/* Why a device without a VFIO driver can't be opened: -ENODEV, with the way out. */
int linux_refuse_unbound(const struct device *spec, const char *label, const char *driver,
			 struct ioasidctl_error **err);

/*
 * A new eventfd that tells of the kernel's wish to have an open VFIO device closed, `fd` being its
 * descriptor and `node` its name for the trace. -1: it has none, or that failed.
 */
int linux_request_fd(const struct driver_env *env, enum selector selector, int fd,
		     const char *node);
/* Takes the request: whether there was one. */
bool linux_take_request(int event);
/* Has the same eventfd signalled for a device that was opened anew. 0 or -errno. */
int linux_arm_request(const struct driver_env *env, int fd, const char *node, int event);

/* What a number means where no check of this machine tells more. `call` NULL: everywhere. */
struct errno_meaning {
	const char *call;
	int errnum;
	enum error_kind kind;
	const char *cause, *hint;
};

/*
 * Makes the error of a failed call: `ret` is its -errno; the message gets ": " and the text of the
 * number; kind, cause and hint come from `own` (ends with errnum 0), then from what the number
 * means in general. Returns ret.
 */
int linux_fail(struct ioasidctl_error **err, const struct errno_meaning *own, const char *call,
	       int ret, const char *fmt, va_list args) __attribute__((format(printf, 5, 0)));

/* Opens a node (path without root). The descriptor, or -errno with the reason and the way out. */
int linux_open_node(const struct driver_env *env, const char *node, struct ioasidctl_error **err);

/*
 * Found out on this machine, after the failure; each decorates the newest error where it knows
 * more, and those that return a bool say whether they did.
 */
void linux_explain_open(const struct driver_env *env, const char *node, int errnum,
			struct ioasidctl_error **err);
/* The kernel has it (`name`: "iommufd"), but its node isn't in this process's /dev. */
void linux_explain_hidden(const char *node, const char *name, struct ioasidctl_error **err);
/* Pinning `length` bytes failed; 0: what was pinned isn't known. */
void linux_explain_memory(const struct driver_env *env, uint64_t length,
			  struct ioasidctl_error **err);
/*
 * The range isn't made of whole pages, or not all of it is in `info`; true: the latter.
 */
bool linux_explain_range(const struct ioasid_info *info, const struct map_args *args,
			 struct ioasidctl_error **err);
bool linux_explain_uncovered(const struct ioasid_info *info, struct range wanted,
			     struct ioasidctl_error **err);
/*
 * Who it is that can't be reached at all of `wanted`: a device in the IOASID, if its group reserves
 * part of what `info` lacks, or its IOMMU translates fewer bits (0: not known).
 */
bool linux_explain_culprit(const struct driver_env *env, const struct ioasid_info *info,
			   struct range wanted, const char *label, uint32_t group,
			   uint32_t iova_bits, struct ioasidctl_error **err);
/* The device's directory in sysfs isn't there any more. */
bool linux_explain_gone(const char *dir, struct ioasidctl_error **err);
bool linux_explain_no_group(uint32_t group, struct ioasidctl_error **err);
/*
 * Why the IOMMU group can't be had: members with a host driver and interrupts that aren't isolated
 * (both are named; `module` is whose option allows that, NULL: not asked), else who has it, by
 * anything but `node` (NULL: by anything); or that this can't be seen.
 */
void linux_explain_owner(const struct driver_env *env, const char *module, uint32_t group,
			 const char *node, struct ioasidctl_error **err);
/* Processes that have one of the nodes open, `except` (0: nobody) left out; `what`: "it". */
bool linux_explain_holders(const char *root, const char *const nodes[], pid_t except,
			   const char *what, struct ioasidctl_error **err);
/*
 * No interrupt remapping. `module` is whose option allows that: "iommufd". False where there is,
 * where it isn't asked for, and where /proc doesn't tell.
 */
bool linux_explain_interrupts(const struct driver_env *env, const char *module,
			      struct ioasidctl_error **err);
/* A device's reserved addresses are in the way; `is_mapped` says of what. */
void linux_explain_reserved(const struct driver_env *env, uint32_t group,
			    bool (*is_mapped)(void *data, uint64_t first, uint64_t last),
			    void *data, struct ioasidctl_error **err);
