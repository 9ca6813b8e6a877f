// SPDX-License-Identifier: GPL-2.0-or-later
#include "host_tree.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "output.h"

/* Devices in the order of their groups; those in none come last. */
struct print {
	const struct host *host;
	const struct host_device **devices;
};

static void indent(int depth)
{
	printf("%*s", 2 * depth, "");
}

/* "  kind name", the name in the colour of a heading. */
static void print_head(int depth, const char *kind, const char *name)
{
	indent(depth);
	printf("%s%s%s", kind, *kind ? " " : "", paint(stdout, PAINT_STRONG));
	print_safely(stdout, name);
	fputs(paint(stdout, PAINT_NONE), stdout);
}

static void print_text(const char *before, const char *text)
{
	if (!text)
		return;
	fputs(before, stdout);
	print_safely(stdout, text);
}

static void print_bad(const char *text)
{
	printf("%s%s%s", paint(stdout, PAINT_BAD), text, paint(stdout, PAINT_NONE));
}

static void print_list(const char *before, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_text(i ? " " : before, texts[i]);
}

static const char *size_text(uint64_t bytes, char buf[static NUMBER_TEXT_MAX])
{
	return bytes == MEMLOCK_UNLIMITED ? "no limit" : number_size(bytes, buf);
}

static void print_kernel(const struct kernel_features *kernel)
{
	const struct {
		const char *name;
		uint64_t there;
	} features[] = {
		{"iommufd", kernel->iommufd},
		{"VFIO device nodes", kernel->vfio_device},
		{"VFIO groups", kernel->vfio_group},
		{"VFIO type 1", kernel->vfio_type1},
		{"vhost-vdpa", kernel->vhost_vdpa},
		{"interrupt remapping", kernel->interrupt_remapping},
	};
	static const char *const words[] = {"has", "hasn't", "not told:"};

	print_head(0, "kernel", kernel->release ? kernel->release : "");
	print_list(", booted with ", kernel->parameters, kernel->n_parameters);
	putchar('\n');
	for (size_t word = 0; word < ARRAY_SIZE(words); word++) {
		const uint64_t value = word == 2 ? FEATURE_UNKNOWN : !word;
		bool first = true;

		for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
			if (features[i].there != value)
				continue;
			printf("%s%s", first ? "  " : ", ", first ? words[word] : "");
			printf("%s%s", first ? " " : "", features[i].name);
			first = false;
		}
		if (!first)
			putchar('\n');
	}
	if (kernel->unsafe_interrupts)
		puts("  told to hand devices out without interrupt remapping");
}

static void print_memlock(const struct host *host)
{
	char soft[NUMBER_TEXT_MAX], hard[NUMBER_TEXT_MAX], used[NUMBER_TEXT_MAX];
	const struct memlock *m = &host->memlock;

	if (!host->memlock_known)
		return;
	printf("locked memory of user %" PRIu64 ": limit %s, can be raised to %s, %s in use%s\n",
	       m->uid, size_text(m->soft, soft), size_text(m->hard, hard),
	       number_size(host->memlock_used, used),
	       m->exempt ? "; CAP_IPC_LOCK: no limit applies" : "");
}

static void print_node(const struct host_node *node)
{
	print_text(" ", node->path);
	printf(" %s ", node->mode);
	if (node->user)
		print_safely(stdout, node->user);
	else
		printf("%" PRIu64, node->uid);
	if (node->group)
		print_text(":", node->group);
	else
		printf(":%" PRIu64, node->gid);
	if (!node->can_open)
		print_bad(" (not for this user)");
}

/* A node that sysfs speaks of may be missing in /dev. */
static void print_node_of(const struct print *p, const char *path)
{
	const struct host_node *node = host_find_node(&p->host->nodes, path);

	if (node)
		print_node(node);
	else
		print_text(" ", path);
}

static void print_nodes(const struct host *host)
{
	bool first = true;

	for (size_t i = 0; i < host->nodes.n; i++) {
		int kind = host_node_kind(host->nodes.list[i].path);

		/* The others stand at their devices and groups. */
		if (kind != NODE_IOMMUFD && kind != NODE_IOASID && kind != NODE_CONTAINER)
			continue;
		fputs(first ? "nodes" : ",", stdout);
		print_node(&host->nodes.list[i]);
		first = false;
	}
	if (!first)
		putchar('\n');
}

static void print_held(const struct print *p, int depth, const char *node, const char *device)
{
	const char *const nodes[] = {node, NULL}, *const devices[] = {device, NULL};
	_cleanup_free_ char *text = NULL;

	if (!p->host->holders.n || node_holders_text(&p->host->holders, nodes, devices, 0, &text) ||
	    !text)
		return;
	indent(depth);
	fputs("held by ", stdout);
	print_safely(stdout, text);
	putchar('\n');
}

static void print_functions(const struct host_device *d)
{
	print_text(", a VF of ", d->physical_function);
	if (d->max_virtual_functions == HOST_UNKNOWN)
		return;
	printf(", %zu of %" PRIu64 " VFs", d->n_virtual_functions, d->max_virtual_functions);
	print_list(": ", d->virtual_functions, d->n_virtual_functions);
}

static void print_what(const struct host_device *d)
{
	fputs(":", stdout);
	if (strcmp(d->bus, "pci")) {
		print_text(" ", d->bus);
		print_text(" on ", d->parent);
		print_text(", type ", d->mdev_type);
		return;
	}
	print_text(" ", d->class_name ? d->class_name : d->class ? d->class : "?");
	print_text(", ", d->vendor_name ? d->vendor_name : d->vendor);
	print_text(" ", d->device_name ? d->device_name : d->device);
}

static void print_device(const struct print *p, int depth, const struct host_device *d)
{
	print_head(depth, "", d->address);
	print_what(d);
	putchar('\n');
	indent(depth + 1);
	if (d->driver) {
		print_text("driver ", d->driver);
		if (d->driver_override && !strcmp(d->driver, d->driver_override))
			fputs(" (override)", stdout);
	} else {
		fputs("no driver", stdout);
	}
	if (d->driver_override && (!d->driver || strcmp(d->driver, d->driver_override)))
		print_text(", only for ", d->driver_override);
	print_functions(d);
	if (d->pasid_bits != HOST_UNKNOWN && d->pasid_bits)
		printf(", %" PRIu64 " PASID bits", d->pasid_bits);
	if (d->numa_node != HOST_UNKNOWN)
		printf(", NUMA node %" PRIu64, d->numa_node);
	if (d->node) {
		fputs(", node", stdout);
		print_node_of(p, d->node);
	}
	putchar('\n');
	print_held(p, depth + 1, d->node, d->address);
}

static int by_group(const void *a, const void *b)
{
	const struct host_device *x = *(const struct host_device *const *)a;
	const struct host_device *y = *(const struct host_device *const *)b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	return (x > y) - (x < y);
}

/* Where the devices of a group begin. */
static size_t first_of(const struct print *p, uint64_t group)
{
	size_t low = 0, high = p->host->n_devices;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->devices[middle]->group < group)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void print_devices(const struct print *p, int depth, uint64_t group)
{
	for (size_t i = first_of(p, group); i < p->host->n_devices && p->devices[i]->group == group;
	     i++)
		print_device(p, depth, p->devices[i]);
}

static void print_group(const struct print *p, const struct host_group *g)
{
	char number[NUMBER_TEXT_MAX];

	snprintf(number, sizeof(number), "%" PRIu64, g->id);
	print_head(1, "group", number);
	print_text(": ", g->type ? g->type : "no domain");
	for (size_t i = 0; i < g->n_reserved; i++) {
		printf("%s0x%" PRIx64 "-0x%" PRIx64, i ? " " : ", reserves ", g->reserved[i].first,
		       g->reserved[i].last);
		print_text(" ", g->reserved[i].type);
	}
	if (g->node) {
		fputs(", node", stdout);
		print_node_of(p, g->node);
	}
	putchar('\n');
	if (!g->viable && g->n_members > 1) {
		indent(2);
		print_bad("not to be handed out: the host uses");
		print_list(" ", g->in_the_way, g->n_in_the_way);
		putchar('\n');
	}
	print_held(p, 2, g->node, NULL);
	print_devices(p, 2, g->id);
}

static void print_groups(const struct print *p, const char *iommu)
{
	for (size_t i = 0; i < p->host->n_groups; i++) {
		const struct host_group *g = &p->host->groups[i];

		if (iommu ? g->iommu && !strcmp(g->iommu, iommu) : !g->iommu)
			print_group(p, g);
	}
}

static void print_iommu(const struct host_iommu *iommu)
{
	char size[NUMBER_TEXT_MAX];

	putchar('\n');
	print_head(0, "iommu", iommu->name);
	print_text(": ", iommu->type);
	if (iommu->device && strcmp(iommu->device, iommu->name))
		print_text(" ", iommu->device);
	if (iommu->iova_bits != HOST_UNKNOWN)
		printf(", %" PRIu64 " address bits", iommu->iova_bits);
	for (size_t i = 0; i < iommu->n_page_sizes; i++)
		printf("%s%s", i ? " " : ", pages of ", number_size(iommu->page_sizes[i], size));
	if (iommu->nesting == 1)
		fputs(", nesting", stdout);
	if (iommu->pasid_bits && iommu->pasid_bits != HOST_UNKNOWN)
		printf(", %" PRIu64 " PASID bits", iommu->pasid_bits);
	if (iommu->dirty_tracking == 1)
		fputs(", dirty tracking", stdout);
	putchar('\n');
	if (iommu->n_capabilities) {
		indent(1);
		print_list("can: ", iommu->capabilities, iommu->n_capabilities);
		putchar('\n');
	}
}

static void print_rest(const struct print *p)
{
	const struct host *host = p->host;
	bool groups = false;

	for (size_t i = 0; i < host->n_groups; i++)
		groups |= !host->groups[i].iommu;
	if (groups) {
		puts("\ngroups behind no IOMMU that sysfs knows");
		print_groups(p, NULL);
	}
	if (first_of(p, HOST_UNKNOWN) == host->n_devices)
		return;
	puts("\nin no IOMMU group");
	print_devices(p, 1, HOST_UNKNOWN);
}

static void print_holder(const struct node_holder *h)
{
	char limit[NUMBER_TEXT_MAX], locked[NUMBER_TEXT_MAX], pinned[NUMBER_TEXT_MAX];

	printf("  pid %" PRIu64 " ", h->pid);
	fputs(paint(stdout, PAINT_STRONG), stdout);
	print_safely(stdout, h->command);
	fputs(paint(stdout, PAINT_NONE), stdout);
	print_text(", ", h->unit);
	printf(", user %" PRIu64 ": %s pinned, %s locked, limit %s%s\n", h->memlock.uid,
	       number_size(h->memlock.pinned, pinned), number_size(h->memlock.locked, locked),
	       size_text(h->memlock.soft, limit), h->memlock.exempt ? " (CAP_IPC_LOCK)" : "");
	for (size_t i = 0; i < h->n_open; i++) {
		printf("    fd %" PRIu64, h->open[i].fd);
		print_text(" ", h->open[i].node ? h->open[i].node : "a device of a VFIO group");
		print_text(", device ", h->open[i].device);
		putchar('\n');
	}
}

void print_host(const struct host *host)
{
	_cleanup_free_ const struct host_device **devices =
		calloc(host->n_devices + 1, sizeof(*devices));
	struct print p = {host, devices};

	if (!devices)
		return;
	for (size_t i = 0; i < host->n_devices; i++)
		devices[i] = &host->devices[i];
	qsort(devices, host->n_devices, sizeof(*devices), by_group);
	print_kernel(&host->kernel);
	print_memlock(host);
	print_nodes(host);
	if (!host->translates)
		puts("no IOMMU: this machine has none, or it is off in the firmware or the kernel\n"
		     "  (intel_iommu=on on the kernel command line of Intel machines)");
	for (size_t i = 0; i < host->n_iommus; i++) {
		print_iommu(&host->iommus[i]);
		print_groups(&p, host->iommus[i].name);
	}
	print_rest(&p);
	if (host->holders.n)
		puts("\nholders");
	for (size_t i = 0; i < host->holders.n; i++)
		print_holder(&host->holders.list[i]);
	for (size_t i = 0; i < host->n_unseen; i++)
		print_text(i ? "\n  " : "\nnot seen\n  ", host->unseen[i]);
	if (host->n_unseen)
		putchar('\n');
}
