// SPDX-License-Identifier: LGPL-2.1-or-later
/* One device: what stands between it and being bound. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/carries.h"
#include "host/device.h"
#include "host/explain_state.h"
#include "host/group.h"
#include "host/module.h"
#include "host/users.h"

/* "0000:01:00.0/virtfn3": by the list of the physical function. */
static const char *vf_address(const struct host *host, const char *address)
{
	const char *slash = strchr(address, '/');
	uint64_t index;

	if (!slash || strncmp(slash, "/virtfn", strlen("/virtfn")) ||
	    number_parse(slash + strlen("/virtfn"), &index))
		return NULL;
	for (size_t i = 0; i < host->n_devices; i++) {
		const struct host_device *d = &host->devices[i];

		if (strlen(d->address) == (size_t)(slash - address) &&
		    !strncmp(d->address, address, strlen(d->address)))
			return index < d->n_virtual_functions ? d->virtual_functions[index] : NULL;
	}
	return NULL;
}

const struct host_device *explain_find(const struct host *host, const struct explain_device *d)
{
	const char *bus = host_bus(d->selector), *address = d->address;

	if (d->selector == SELECTOR_VF)
		address = vf_address(host, address);
	for (size_t i = 0; bus && address && i < host->n_devices; i++)
		if (!strcmp(host->devices[i].bus, bus) &&
		    !strcmp(host->devices[i].address, address))
			return &host->devices[i];
	return NULL;
}

static void explain_absent(struct explaining *x, struct findings *f,
			   const struct explain_device *asked)
{
	const char *bus = host_bus(asked->selector);

	find(x, f, EXPLAIN_PRESENT, FINDING_OBSTACLE,
	     TEXT(x, "this machine has no %s %s", selector_names[asked->selector], asked->address),
	     bus ? TEXT(x, "`ioasidctl host` lists what there is (bus %s)", bus)
		 : "only the kernel's tests make such devices");
}

bool needs_iommu(const struct explain_device *asked)
{
	return asked->selector != SELECTOR_MDEV && asked->selector != SELECTOR_VDPA;
}

static bool has_parameter(const struct host *host, const char *parameter)
{
	for (size_t i = 0; i < host->kernel.n_parameters; i++)
		if (!strcmp(host->kernel.parameters[i], parameter))
			return true;
	return false;
}

/* false: without one, all else is idle. */
static bool explain_iommu(struct explaining *x, struct findings *f, const struct host_device *d)
{
	if (d->group != HOST_UNKNOWN) {
		find(x, f, EXPLAIN_IOMMU, FINDING_FINE,
		     d->iommu ? TEXT(x, "%s translates for it", d->iommu)
			      : "an IOMMU translates for it",
		     NULL);
		return true;
	}
	find(x, f, EXPLAIN_IOMMU, FINDING_OBSTACLE,
	     x->host->translates
		     ? "it is in no IOMMU group: no IOMMU translates for it"
		     : "it is in no IOMMU group, and nothing else is: no IOMMU is at work here",
	     x->host->translates ? "no device there can be handed out; plug it in elsewhere"
	     : has_parameter(x->host, "intel_iommu=on")
		     ? "enable the IOMMU (VT-d, AMD-Vi) in the firmware"
		     : "enable the IOMMU (VT-d, AMD-Vi) in the firmware, and on Intel machines "
		       "boot with intel_iommu=on");
	return false;
}

static const char *vfio_driver(const struct host_device *d)
{
	return !strcmp(d->bus, "pci")	     ? "vfio-pci"
	       : !strcmp(d->bus, "platform") ? "vfio-platform"
	       : !strcmp(d->bus, "vdpa")     ? "vhost_vdpa"
					     : NULL;
}

static bool is_vfio_bound(const struct host_device *d)
{
	return d->driver && (d->node || strstr(d->driver, "vfio") ||
			     (!strcmp(d->bus, "vdpa") && !strcmp(d->driver, "vhost_vdpa")));
}

/* The inventory lists the drivers of PCI alone. */
static bool has_driver(const struct host *host, const char *driver)
{
	for (size_t i = 0; i < host->n_pci_drivers; i++)
		if (!strcmp(host->pci_drivers[i], driver))
			return true;
	return false;
}

static void explain_missing_driver(struct explaining *x, struct findings *f, const char *driver)
{
	switch (host_module(x->root, driver)) {
	case MODULE_ABSENT:
		find(x, f, EXPLAIN_DRIVER, FINDING_OBSTACLE,
		     TEXT(x, "this kernel was built without %s", driver),
		     "take one that has it (CONFIG_VFIO_PCI)");
		break;
	default:
		find(x, f, EXPLAIN_DRIVER, FINDING_OBSTACLE,
		     TEXT(x, "the driver %s isn't there", driver),
		     TEXT(x, "load its module: modprobe %s", driver));
	}
}

static void explain_driver(struct explaining *x, struct findings *f, const struct host_device *d)
{
	const char *driver = vfio_driver(d);

	if (d->bridge == 1) {
		find(x, f, EXPLAIN_DRIVER, FINDING_OBSTACLE,
		     "it is a bridge to another PCI bus, which can't be handed out",
		     "ask for the devices behind it");
	} else if (is_vfio_bound(d)) {
		find(x, f, EXPLAIN_DRIVER, FINDING_FINE, TEXT(x, "%s has it", d->driver), NULL);
	} else if (!driver) {
		find(x, f, EXPLAIN_DRIVER, FINDING_OBSTACLE,
		     d->driver ? TEXT(x, "%s has it, which isn't a driver of VFIO", d->driver)
			       : "it has no driver of VFIO",
		     TEXT(x, "the driver of its parent device (%s) has to offer it by VFIO",
			  d->parent ? d->parent : "?"));
	} else {
		if (!strcmp(d->bus, "pci") && !has_driver(x->host, driver))
			explain_missing_driver(x, f, driver);
		find(x, f, EXPLAIN_DRIVER, FINDING_CONFIG,
		     d->driver ? TEXT(x, "the host's driver %s has it", d->driver)
			       : "it has no driver",
		     TEXT(x,
			  "`driver: %s` in its entry binds it, and gives it back at the end; that "
			  "takes root",
			  driver));
	}
}

/* What the host would lose with a device; NULL: nothing. */
static char *uses_of(const struct explaining *x, enum selector selector, const char *address)
{
	_cleanup_free_ char *dir = NULL;
	char *text = NULL;

	if (host_device_dir(x->root, selector, address, &dir, NULL))
		return NULL;
	host_device_carries(x->root, dir, &text);
	return text;
}

static void explain_needed(struct explaining *x, struct findings *f,
			   const struct explain_device *asked, const struct host_device *d)
{
	_cleanup_free_ char *uses = NULL;

	if (!d->driver || is_vfio_bound(d))
		return;
	uses = uses_of(x, asked->selector, asked->address);
	if (uses)
		find(x, f, EXPLAIN_NEEDED, FINDING_OBSTACLE,
		     TEXT(x, "the host itself needs it: %s", uses),
		     "free it from that; or, if the host may lose it, `force: true` in its entry");
	if (d->n_virtual_functions)
		find(x, f, EXPLAIN_NEEDED, FINDING_OBSTACLE,
		     TEXT(x, "it has %zu virtual functions, which vanish without its driver",
			  d->n_virtual_functions),
		     "ask for one of them; or give it none: echo 0 > sriov_numvfs");
}

static bool is_asked_for(const struct explaining *x, const struct host_device *d)
{
	for (size_t i = 0; i < x->n_asked; i++)
		if (x->found[i] == d)
			return true;
	return false;
}

static void explain_member(struct explaining *x, struct findings *f, const struct host_device *d,
			   const struct host_device *m)
{
	_cleanup_free_ char *uses = NULL;

	if (m->class && !strncmp(m->class, "0x06", 4)) {
		find(x, f, EXPLAIN_GROUP, FINDING_OBSTACLE,
		     TEXT(x,
			  "%s of its IOMMU group %ju is a bridge with a host driver, %s, that is "
			  "in the way",
			  m->address, (uintmax_t)d->group, m->driver),
		     "`group: take` never touches bridges; unbind it if nothing needs it");
		return;
	}
	if (strcmp(m->bus, "pci") && strcmp(m->bus, "platform")) {
		find(x, f, EXPLAIN_GROUP, FINDING_OBSTACLE,
		     TEXT(x, "%s of its IOMMU group %ju has a host driver, %s, that is in the way",
			  m->address, (uintmax_t)d->group, m->driver),
		     TEXT(x, "unbind it: `group: take` knows no driver for devices of bus %s",
			  m->bus));
		return;
	}
	find(x, f, EXPLAIN_GROUP, FINDING_CONFIG,
	     TEXT(x, "%s of its IOMMU group %ju has a host driver, %s, that is in the way",
		  m->address, (uintmax_t)d->group, m->driver),
	     TEXT(x, "`group: take` in its entry binds %s, too, and gives it back at the end",
		  m->address));
	uses = uses_of(x, !strcmp(m->bus, "pci") ? SELECTOR_PCI : SELECTOR_PLATFORM, m->address);
	if (uses)
		find(x, f, EXPLAIN_NEEDED, FINDING_OBSTACLE,
		     TEXT(x, "the host itself needs %s of its group: %s", m->address, uses),
		     "free it from that; or, if the host may lose it, `force: true` in the entry");
}

static void explain_group(struct explaining *x, struct findings *f, const struct host_device *d)
{
	const struct host_group *g = find_host_group(x->host, d->group);
	bool fine = true;

	if (!g)
		return;
	for (size_t i = 0; i < g->n_in_the_way; i++) {
		const struct host_device *m = find_host_device(x->host, g->in_the_way[i]);

		/* Those that are asked for, too, are dealt with by themselves. */
		if (!m || m == d || is_asked_for(x, m))
			continue;
		explain_member(x, f, d, m);
		fine = false;
	}
	if (fine)
		find(x, f, EXPLAIN_GROUP, FINDING_FINE,
		     g->n_members > 1 ? TEXT(x, "none of its IOMMU group %ju (%zu) is in the way",
					     (uintmax_t)g->id, g->n_members)
				      : TEXT(x, "it is alone in IOMMU group %ju", (uintmax_t)g->id),
		     NULL);
}

/* Also what the inventory doesn't look for: mappings, and what is known by the group alone. */
static char *users_of(struct explaining *x, const struct explain_device *asked)
{
	_cleanup_free_ char *dir = NULL;
	char *text = NULL;

	if (!host_device_dir(x->root, asked->selector, asked->address, &dir, NULL) &&
	    host_device_users(x->root, dir, 0, &text) == -ENOMEM)
		x->no_memory = true;
	return text;
}

static void explain_held(struct explaining *x, struct findings *f,
			 const struct explain_device *asked, const struct host_device *d)
{
	const struct host_group *g = find_host_group(x->host, d->group);
	const char **nodes =
		arena_alloc_array(&x->out->arena, g ? g->n_members + 2 : 3, sizeof(*nodes));
	_cleanup_free_ char *own = NULL, *others = NULL;
	size_t n = 0;

	if (!nodes) {
		x->no_memory = true;
		return;
	}
	if (node_holders_text(&x->host->holders, (const char *const[]){d->node, NULL},
			      (const char *const[]){d->address, NULL}, 0, &own))
		x->no_memory = true;
	if (!own)
		own = users_of(x, asked);
	for (size_t i = 0; g && i < g->n_members; i++) {
		const struct host_device *m = find_host_device(x->host, g->members[i]);

		if (m && m != d && m->node)
			nodes[n++] = m->node;
	}
	if (g && g->node)
		nodes[n++] = g->node;
	if (!own && node_holders_text(&x->host->holders, nodes, NULL, 0, &others))
		x->no_memory = true;
	if (own)
		find(x, f, EXPLAIN_HELD, FINDING_OBSTACLE, TEXT(x, "%s has it open", own),
		     "end that process, or have it give the device up");
	else if (others)
		find(x, f, EXPLAIN_HELD, FINDING_OBSTACLE,
		     TEXT(x, "%s has its IOMMU group open, or another device of it", others),
		     "end that process, or have the devices of the group from there");
	else if (x->host->holders.hidden)
		find(x, f, EXPLAIN_HELD, FINDING_UNSEEN,
		     TEXT(x,
			  "nobody has it open, but for %ju processes of others that can't be "
			  "looked into",
			  (uintmax_t)x->host->holders.hidden),
		     "ask as root");
	else if (x->host->holders.unlisted)
		find(x, f, EXPLAIN_HELD, FINDING_UNSEEN,
		     "nobody has it open, but for processes that /proc doesn't list here (PID "
		     "namespace, hidepid, captured without root)",
		     "ask as root, outside of containers");
	else
		find(x, f, EXPLAIN_HELD, FINDING_FINE, "nobody has it open", NULL);
}

void explain_device(struct explaining *x, struct findings *f, size_t index)
{
	const struct explain_device *asked = &x->asked[index];
	const struct host_device *d = x->found[index];

	if (!d) {
		explain_absent(x, f, asked);
		return;
	}
	if (needs_iommu(asked) && !explain_iommu(x, f, d))
		return;
	explain_driver(x, f, d);
	explain_needed(x, f, asked, d);
	explain_group(x, f, d);
	explain_held(x, f, asked, d);
	if (d->node && is_iommufd(x))
		explain_node(x, f, d->node);
	else if (is_vfio_bound(d) && find_host_group(x->host, d->group) &&
		 find_host_group(x->host, d->group)->node)
		explain_node(x, f, find_host_group(x->host, d->group)->node);
}

static bool has_finding(const struct findings *f, enum explain_check check,
			enum finding_state state)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->list[i].check, explain_check_names[check]) &&
		    !strcmp(f->list[i].state, finding_state_names[state]))
			return true;
	return false;
}

const char *explain_entry(struct explaining *x, size_t index, const struct findings *f)
{
	const struct explain_device *asked = &x->asked[index];
	const struct host_device *d = x->found[index];
	const char *driver = d ? vfio_driver(d) : NULL, *text;

	if (!d || f->worst == FINDING_OBSTACLE || asked->selector == SELECTOR_VF)
		return NULL;
	text = TEXT(x, "{name: dev%zu, %s: \"%s\"%s%s%s}", index, selector_names[asked->selector],
		    asked->address,
		    has_finding(f, EXPLAIN_DRIVER, FINDING_CONFIG) ? ", driver: " : "",
		    has_finding(f, EXPLAIN_DRIVER, FINDING_CONFIG) ? driver : "",
		    has_finding(f, EXPLAIN_GROUP, FINDING_CONFIG) ? ", group: take" : "");
	x->no_memory |= !text;
	return text;
}
