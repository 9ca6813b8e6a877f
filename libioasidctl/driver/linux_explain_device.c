// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why a device can't be handed out, as sysfs and /proc show it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/linux.h"
#include "host/features.h"
#include "host/group.h"
#include "host/holders.h"
#include "host/sysfs.h"
#include "host/users.h"

bool linux_explain_no_group(uint32_t group, struct ioasidctl_error **err)
{
	if (group != NO_INDEX)
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

static bool explain_members(const struct iommu_group *group, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;

	if (iommu_group_text(group, true, &text) || !text)
		return false;
	error_cause(err, "its IOMMU group %u has members that the host uses: %s", group->number,
		    text);
	error_hint(err,
		   "the whole group goes or none: `group: take` in the device's entry binds "
		   "those to vfio-pci, too; so does an entry with `driver: vfio-pci` for each");
	call_it_busy(err);
	return true;
}

bool linux_explain_holders(const char *root, const char *const nodes[], pid_t except,
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

static const char *switched_off(const struct kernel_features *k)
{
	static const char *const off[] = {"intremap=off", "nointremap", "noapic"};

	for (size_t i = 0; i < k->n_parameters; i++)
		for (size_t j = 0; j < ARRAY_SIZE(off); j++)
			if (!strcmp(k->parameters[i], off[j]))
				return off[j];
	return NULL;
}

/* Each module has a switch of its own: that of the one says nothing of the other. */
static bool goes_without_remapping(const struct driver_env *env, const char *module)
{
	_cleanup_free_ char *path = NULL;
	char text[8];

	return asprintf(&path, "%s/sys/module/%s/parameters/allow_unsafe_interrupts", env->root,
			module) >= 0 &&
	       sysfs_read(path, text, sizeof(text)) >= 0 && (*text == 'Y' || *text == '1');
}

/*
 * Without interrupt remapping a device could raise any interrupt by a plain DMA write, so none is
 * handed out.
 */
bool linux_explain_interrupts(const struct driver_env *env, const char *module,
			      struct ioasidctl_error **err)
{
	_cleanup_features_ struct kernel_features kernel = {0};
	const char *parameter;

	if (kernel_features_read(env->root, &kernel) || kernel.interrupt_remapping ||
	    goes_without_remapping(env, module))
		return false;
	parameter = switched_off(&kernel);
	error_cause(err, "the platform doesn't isolate its interrupts (no interrupt remapping%s%s)",
		    parameter ? ": the kernel was booted with " : "", parameter ? parameter : "");
	error_hint(err,
		   "%s%s%senable interrupt remapping in the firmware; or, only if whoever drives "
		   "the device is trusted (it can then raise any interrupt of the host), set "
		   "%s.allow_unsafe_interrupts=1 (kernel command line, or "
		   "/sys/module/%s/parameters/allow_unsafe_interrupts)",
		   parameter ? "boot without " : "", parameter ? parameter : "",
		   parameter ? ", and " : "", module, module);
	return true;
}

/* Both have to be dealt with, whichever of them the kernel tripped over first. */
static bool explain_members_and_interrupts(const struct driver_env *env, const char *module,
					   const struct iommu_group *group,
					   struct ioasidctl_error **err)
{
	_cleanup_free_ char *cause = NULL, *hint = NULL;

	if (!explain_members(group, err))
		return module && linux_explain_interrupts(env, module, err);
	cause = strdup((*err)->cause);
	hint = strdup((*err)->hint);
	if (!cause || !hint || !module || !linux_explain_interrupts(env, module, err))
		return true;
	error_cause(err, "%s; besides, %s", cause, (*err)->cause);
	error_hint(err, "%s; and %s", hint, (*err)->hint);
	return true;
}

static bool explain_users(const struct driver_env *env, const struct iommu_group *group,
			  const char *node, struct ioasidctl_error **err)
{
	_cleanup_free_ char *others = NULL, *own = NULL;

	iommu_group_users(env->root, group, node, getpid(), &others);
	if (others) {
		error_cause(err, "%s has its IOMMU group %u or a device of it open", others,
			    group->number);
		error_hint(err, "end that process or have it give the device up");
		call_it_busy(err);
		return true;
	}
	iommu_group_users(env->root, group, node, 0, &own);
	if (!own)
		return false;
	error_cause(err,
		    "this process itself (pid %d) has another device of its IOMMU group %u, "
		    "through another fd",
		    getpid(), group->number);
	error_hint(err, "the devices of a group go to one fd together");
	call_it_busy(err);
	return true;
}

/* Known to be; false also where that can't be known. */
static bool interrupts_isolated(const struct driver_env *env, const char *module)
{
	_cleanup_features_ struct kernel_features kernel = {0};

	return !kernel_features_read(env->root, &kernel) &&
	       (kernel.interrupt_remapping == 1 || goes_without_remapping(env, module));
}

void linux_explain_owner(const struct driver_env *env, const char *module, uint32_t number,
			 const char *node, struct ioasidctl_error **err)
{
	_cleanup_iommu_group_ struct iommu_group group = {0};
	bool unsure;

	if (!err || !*err || iommu_group_read(env->root, number, &group) ||
	    explain_members_and_interrupts(env, module, &group, err) ||
	    explain_users(env, &group, node, err))
		return;
	unsure = module && !interrupts_isolated(env, module);
	if (!unsure)
		call_it_busy(err);
	error_cause(
		err, "its IOMMU group %u has another owner, which this process can't see%s", number,
		unsure ? "; or the platform doesn't isolate its interrupts, of which /proc tells "
			 "nothing here"
		       : "");
	error_hint(err, "root sees it, outside of containers: `ioasidctl explain` says who has "
			"what open");
}

void linux_explain_reserved(const struct driver_env *env, uint32_t group,
			    bool (*is_mapped)(void *data, uint64_t first, uint64_t last),
			    void *data, struct ioasidctl_error **err)
{
	_cleanup_free_ struct reserved_region *regions = NULL;
	_cleanup_free_ char *list = NULL;
	size_t n = 0, size;
	FILE *f;

	if (!err || group == NO_INDEX || iommu_group_reserved(env->root, group, &regions, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		/* The kernel lets mappings lie there, as the device rarely means it. */
		if (!strcmp(regions[i].type, "direct-relaxable"))
			continue;
		if (!is_mapped(data, regions[i].first, regions[i].last))
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
