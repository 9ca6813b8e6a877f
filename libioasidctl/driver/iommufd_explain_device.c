// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a device couldn't be bound or attached. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/iommufd.h"
#include "host/group.h"
#include "host/holders.h"
#include "host/root.h"
#include "host/sysfs.h"

/* Large enough for /proc/interrupts of a machine with hundreds of CPUs. */
#define PROC_TEXT_MAX (4U << 20)

static bool explain_no_group(const struct driver_device *dev, struct ioasidctl_error **err)
{
	if (dev->group != NO_INDEX)
		return false;
	error_cause(err, "it is in no IOMMU group: no IOMMU translates for it");
	error_hint(err, "enable the IOMMU in the firmware and for the kernel (intel_iommu=on on "
			"Intel machines)");
	return true;
}

/* The kernel says EPERM or EINVAL, but no right is missing and nothing is malformed. */
static void call_it_busy(struct ioasidctl_error **err)
{
	if (err && *err)
		(*err)->kind = ERROR_BUSY;
}

static bool explain_members(const struct driver_device *dev, const struct iommu_group *group,
			    struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;

	if (iommu_group_text(group, true, &text) || !text)
		return false;
	error_cause(err, "its IOMMU group %u has members that the host uses: %s", dev->group, text);
	error_hint(err, "the whole group goes or none: bind those to vfio-pci too (a device entry "
			"with `driver: vfio-pci` each), or unbind them");
	call_it_busy(err);
	return true;
}

static bool explain_holders(const char *root, const char *const nodes[], pid_t except,
			    const char *what, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;

	if (holders_text(root, nodes, except, &text) || !text)
		return false;
	error_cause(err, "%s has %s open", text, what);
	error_hint(err, "end that process or have it give the device up");
	call_it_busy(err);
	return true;
}

/* Our own open of the device is no obstacle. */
static bool explain_open_device(const struct driver_device *dev, struct ioasidctl_error **err)
{
	const char *const nodes[] = {dev->node, NULL};

	return explain_holders(dev->env->root, nodes, getpid(), "it", err);
}

static bool explain_open_group(const struct driver_device *dev, const struct iommu_group *group,
			       struct ioasidctl_error **err)
{
	_cleanup_free_ char *legacy = root_path("", "/dev/vfio/%u", dev->group);
	_cleanup_free_ const char **nodes = calloc(group->n_members + 2, sizeof(*nodes));
	size_t n = 0;

	if (!legacy || !nodes)
		return false;
	for (size_t i = 0; i < group->n_members; i++)
		if (group->members[i].node && strcmp(group->members[i].node, dev->node))
			nodes[n++] = group->members[i].node;
	nodes[n] = legacy;
	return explain_holders(dev->env->root, nodes, 0, "another device of its IOMMU group", err);
}

static bool file_contains(const char *root, const char *path, const char *word)
{
	_cleanup_free_ char *full = root_path(root, "%s", path);
	_cleanup_free_ char *text = malloc(PROC_TEXT_MAX);

	return full && text && !sysfs_read(full, text, PROC_TEXT_MAX) && strstr(text, word);
}

/*
 * Without interrupt remapping a device could raise any interrupt by a plain DMA write, so iommufd
 * takes none. x86 shows remapping in the names of the interrupt controllers (IR-...).
 */
static bool explain_interrupts(const struct driver_device *dev, struct ioasidctl_error **err)
{
	static const char *const off[] = {"intremap=off", "nointremap", "noapic"};
	const char *root = dev->env->root;
	const char *parameter = NULL;

	if (file_contains(root, "/proc/interrupts", "IR-"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(off) && !parameter; i++)
		if (file_contains(root, "/proc/cmdline", off[i]))
			parameter = off[i];
	error_cause(err, "the platform doesn't isolate its interrupts (no interrupt remapping%s%s)",
		    parameter ? ": the kernel was booted with " : "", parameter ? parameter : "");
	error_hint(err,
		   "%s%s%senable interrupt remapping in the firmware; or, only if whoever drives "
		   "the device is trusted (it can then raise any interrupt of the host), set "
		   "iommufd.allow_unsafe_interrupts=1 (kernel command line, or "
		   "/sys/module/iommufd/parameters/allow_unsafe_interrupts)",
		   parameter ? "boot without " : "", parameter ? parameter : "",
		   parameter ? ", and " : "");
	return true;
}

void iommufd_explain_bind(const struct driver_device *dev, int errnum, struct ioasidctl_error **err)
{
	_cleanup_iommu_group_ struct iommu_group group = {0};

	if (!err || explain_no_group(dev, err))
		return;
	if ((errnum == EPERM || errnum == EBUSY || errnum == EINVAL) &&
	    explain_open_device(dev, err))
		return;
	if (errnum == EINVAL)
		error_cause(err, "it is bound already through another open file, or its DMA "
				 "doesn't snoop the CPU's caches");
	if ((errnum != EPERM && errnum != EBUSY) ||
	    iommu_group_read(dev->env->root, dev->group, &group))
		return;
	if (explain_members(dev, &group, err) || explain_open_group(dev, &group, err))
		return;
	if (errnum == EBUSY || !explain_interrupts(dev, err))
		error_cause(err,
			    "its IOMMU group %u has another owner, which this process can't see",
			    dev->group);
}

static void explain_reserved(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			     struct ioasidctl_error **err)
{
	_cleanup_free_ struct reserved_region *regions = NULL;
	_cleanup_free_ char *list = NULL;
	size_t n = 0, size;
	FILE *f;

	if (!err || dev->group == NO_INDEX ||
	    iommu_group_reserved(dev->env->root, dev->group, &regions, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		/* The kernel lets mappings lie there, as the device rarely means it. */
		if (!strcmp(regions[i].type, "direct-relaxable"))
			continue;
		if (!iommufd_is_mapped(fd, id, regions[i].first, regions[i].last))
			continue;
		error_cause(err,
			    "the device needs 0x%" PRIx64 "-0x%" PRIx64 " (%s) for itself, and "
			    "something is mapped there",
			    regions[i].first, regions[i].last, regions[i].type);
		error_hint(err, "leave that range out of the mappings");
		return;
	}
	f = open_memstream(&list, &size);
	if (!f)
		return;
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s0x%" PRIx64 "-0x%" PRIx64 " (%s)", i ? ", " : "", regions[i].first,
			regions[i].last, regions[i].type);
	if (fclose(f))
		return;
	error_cause(err,
		    "what is allowed or mapped reaches past the addresses the device can use, "
		    "or into what it reserves: %s",
		    n ? list : "nothing");
	error_hint(err, "make `allow` and the mappings fit what the device can address");
}

static void explain_incompatible(const struct driver_fd *fd, const struct driver_device *dev,
				 uint32_t id, struct ioasidctl_error **err)
{
	for (const struct driver_device *d = fd->devices; d; d = d->next) {
		if (d == dev || d->group != dev->group || d->attached == NO_INDEX ||
		    d->attached == id)
			continue;
		error_cause(err, "%s of the same IOMMU group %u is in another IOASID", d->label,
			    d->group);
		error_hint(err, "the devices of a group can only be in one IOASID together");
		return;
	}
	error_cause(err, "the device's IOMMU can't use this IOASID's page tables");
	error_hint(err, "give the device an IOASID of its own");
}

void iommufd_explain_attach(struct driver_fd *fd, const struct driver_device *dev, uint32_t id,
			    int errnum, struct ioasidctl_error **err)
{
	switch (errnum) {
	case EADDRINUSE:
		explain_reserved(fd, dev, id, err);
		break;
	case EINVAL:
		explain_incompatible(fd, dev, id, err);
		break;
	case ENOMEM:
		/* Mappings are pinned when the first device comes. */
		iommufd_explain_memory(fd->env, 0, err);
		break;
	case EBUSY:
		error_cause(err, "the device, or one of its IOMMU group, is being reset");
		error_hint(err, "try again");
		break;
	}
}
