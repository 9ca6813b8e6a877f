// SPDX-License-Identifier: LGPL-2.1-or-later
/* What every device needs: an interface, its node, isolated interrupts, memory that may be pinned.
 */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/explain_state.h"
#include "host/module.h"
#include "host/raise_memlock.h"

bool is_iommufd(const struct explaining *x)
{
	return x->out->interface && !strcmp(x->out->interface, "iommufd");
}

void explain_node(struct explaining *x, struct findings *f, const char *path)
{
	const struct host_node *node = host_find_node(&x->host->nodes, path);

	if (!node)
		find(x, f, EXPLAIN_NODE, FINDING_OBSTACLE,
		     TEXT(x, "%s isn't here, though the kernel has it", path),
		     TEXT(x, "in a container, pass %s in; elsewhere, mount devtmpfs on /dev",
			  path));
	else if (node->can_open == NODE_UNKNOWN)
		find(x, f, EXPLAIN_NODE, FINDING_UNSEEN,
		     TEXT(x, "%s belongs to %s:%s, mode %s", path, node->user ? node->user : "?",
			  node->group ? node->group : "?", node->mode),
		     NULL);
	else if (node->can_open)
		find(x, f, EXPLAIN_NODE, FINDING_FINE, TEXT(x, "%s can be opened", path), NULL);
	else
		find(x, f, EXPLAIN_NODE, FINDING_OBSTACLE,
		     TEXT(x, "%s can't be opened by this user: it belongs to %s:%s, mode %s", path,
			  node->user ? node->user : "?", node->group ? node->group : "?",
			  node->mode),
		     TEXT(x,
			  "do it as root; or let a udev rule give it to a group of yours: "
			  "KERNEL==\"%s\", GROUP=\"...\", MODE=\"0660\"",
			  strrchr(path, '/') + 1));
}

static const char *module_remedy(struct explaining *x, const char *module, const char *since)
{
	switch (host_module(x->root, module)) {
	case MODULE_LOADABLE:
		return TEXT(x, "load its module: modprobe %s", module);
	case MODULE_ABSENT:
		return TEXT(x, "take a kernel that has it: this one was built without (%s)", since);
	default:
		return TEXT(x, "modprobe %s; %s", module, since);
	}
}

/* vDPA devices do without. */
static bool asks_for_vfio(const struct explaining *x)
{
	for (size_t i = 0; i < x->n_asked; i++)
		if (x->asked[i].selector != SELECTOR_VDPA)
			return true;
	return false;
}

static void explain_containers(struct explaining *x, struct findings *f)
{
	const struct kernel_features *k = &x->host->kernel;

	if (!k->vfio_type1)
		find(x, f, EXPLAIN_INTERFACE, FINDING_OBSTACLE,
		     "VFIO is there, but not its type 1, which drives IOMMUs",
		     module_remedy(x, "vfio_iommu_type1", "CONFIG_VFIO_IOMMU_TYPE1"));
	if (k->iommufd)
		find(x, f, EXPLAIN_INTERFACE, FINDING_CONFIG,
		     "VFIO's containers; there is iommufd, but VFIO devices have no nodes of their "
		     "own (Linux 6.6, CONFIG_VFIO_DEVICE_CDEV)",
		     "`driver: vfio` in the fd; `auto` takes iommufd, which can't open them");
	else
		find(x, f, EXPLAIN_INTERFACE, FINDING_FINE,
		     "VFIO's containers; the kernel has no iommufd", NULL);
}

static void explain_interface(struct explaining *x, struct findings *f)
{
	const struct kernel_features *k = &x->host->kernel;

	if (k->iommufd && (k->vfio_device || !asks_for_vfio(x))) {
		x->out->interface = "iommufd";
		find(x, f, EXPLAIN_INTERFACE, FINDING_FINE, "the kernel has iommufd", NULL);
		explain_node(x, f, "/dev/iommu");
	} else if (k->vfio_group) {
		x->out->interface = "vfio";
		explain_containers(x, f);
		explain_node(x, f, "/dev/vfio/vfio");
	} else if (k->iommufd) {
		/* The devices' nodes come with the first VFIO driver. */
		x->out->interface = "iommufd";
		find(x, f, EXPLAIN_INTERFACE, FINDING_OBSTACLE,
		     "the kernel has iommufd, but no VFIO",
		     module_remedy(x, "vfio-pci", "CONFIG_VFIO_PCI, CONFIG_VFIO_DEVICE_CDEV"));
		explain_node(x, f, "/dev/iommu");
	} else {
		find(x, f, EXPLAIN_INTERFACE, FINDING_OBSTACLE,
		     "the kernel has neither iommufd nor VFIO now",
		     module_remedy(x, "vfio-pci",
				   "CONFIG_VFIO_PCI; CONFIG_IOMMUFD with Linux 6.6"));
	}
}

static bool asks_for_hardware(const struct explaining *x)
{
	for (size_t i = 0; i < x->n_asked; i++)
		if (x->asked[i].selector == SELECTOR_PCI || x->asked[i].selector == SELECTOR_VF ||
		    x->asked[i].selector == SELECTOR_PLATFORM)
			return true;
	return false;
}

static void explain_interrupts(struct explaining *x, struct findings *f)
{
	const struct kernel_features *k = &x->host->kernel;
	const char *module = is_iommufd(x) ? "iommufd" : "vfio_iommu_type1";

	if (k->interrupt_remapping == 1)
		find(x, f, EXPLAIN_INTERRUPTS, FINDING_FINE,
		     "devices can raise only the interrupts that are theirs", NULL);
	else if (k->unsafe_interrupts)
		find(x, f, EXPLAIN_INTERRUPTS, FINDING_FINE,
		     "the platform doesn't isolate interrupts, and the kernel was told to go "
		     "without",
		     NULL);
	else if (k->interrupt_remapping == FEATURE_UNKNOWN)
		find(x, f, EXPLAIN_INTERRUPTS, FINDING_UNSEEN,
		     "/proc doesn't tell whether interrupts are isolated", NULL);
	else
		find(x, f, EXPLAIN_INTERRUPTS, FINDING_OBSTACLE,
		     "the platform doesn't isolate interrupts (no interrupt remapping)",
		     TEXT(x,
			  "enable interrupt remapping in the firmware, boot without "
			  "intremap=off and nointremap; or, only if whoever drives the device is "
			  "trusted, %s.allow_unsafe_interrupts=1",
			  module));
}

static void explain_memory(struct explaining *x, struct findings *f)
{
	const struct memlock *m = &x->host->memlock;
	char limit[NUMBER_TEXT_MAX], used[NUMBER_TEXT_MAX], wanted[NUMBER_TEXT_MAX];
	_cleanup_free_ char *way_out = NULL;
	uint64_t left;

	if (!x->host->memlock_known)
		return;
	if (m->exempt || m->soft == MEMLOCK_UNLIMITED) {
		find(x, f, EXPLAIN_MEMORY, FINDING_FINE,
		     "this process may pin as much memory as there is", NULL);
		return;
	}
	left = m->soft > x->host->memlock_used ? m->soft - x->host->memlock_used : 0;
	number_size(m->soft, limit);
	number_size(x->host->memlock_used, used);
	if (x->memory <= left) {
		find(x, f, EXPLAIN_MEMORY, FINDING_FINE,
		     TEXT(x, "this user may pin %s of memory, and has %s of it", limit, used),
		     NULL);
		return;
	}
	way_out = memlock_way_out(x->root, x->memory + x->host->memlock_used, true);
	find(x, f, EXPLAIN_MEMORY, FINDING_OBSTACLE,
	     TEXT(x, "%s can't be pinned: the limit of locked memory is %s, and %s of it are used",
		  number_size(x->memory, wanted), limit, used),
	     way_out ? TEXT(x, "%s", way_out) : NULL);
}

void explain_machine(struct explaining *x, struct findings *f)
{
	explain_interface(x, f);
	if (asks_for_hardware(x))
		explain_interrupts(x, f);
	explain_memory(x, f);
}
