// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Devices: a few attributes of each, relative to its open directory, since there are thousands.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/pci_names.h"
#include "host/root.h"
#include "host/scan.h"
#include "host/sysfs.h"

#define PCI_BRIDGE_TO_PCI     0x0604
#define VIRTUAL_FUNCTIONS_MAX 65535

/* PCI Express specification, 7.6.1 and 7.8.9: the list of extended capabilities, and that of
 * PASIDs. */
#define EXTENDED_SPACE	   0x100
#define CONFIG_SIZE	   0x1000
#define CAPABILITY_PASID   0x1b
#define PASID_CAPABILITY   4 /* offset of its capability register */
#define CAPABILITIES_LIMIT ((CONFIG_SIZE - EXTENDED_SPACE) / 8)

const char *const host_driver_origins[] = {"override", "match", NULL};

static char *kept(struct host_scan *scan, char *text)
{
	scan->no_memory |= !text;
	return text;
}

char *scan_keep(struct host_scan *scan, const char *text)
{
	return kept(scan, arena_copy(&scan->host->arena, text, strlen(text)));
}

const char *scan_link(struct host_scan *scan, int dir, const char *name)
{
	char target[PATH_MAX];
	const char *slash;

	if (sysfs_target_at(dir, name, target, sizeof(target)))
		return NULL;
	slash = strrchr(target, '/');
	return scan_keep(scan, slash ? slash + 1 : target);
}

static uint64_t read_number(int dir, const char *name)
{
	char text[NUMBER_TEXT_MAX];
	uint64_t number;

	/* "-1" of numa_node means none, and is no number here. */
	return sysfs_read_at(dir, name, text, sizeof(text)) || number_parse(text, &number)
		       ? HOST_UNKNOWN
		       : number;
}

/* "8086:10D3" */
static void read_ids(struct host_scan *scan, struct host_device *out, const char *text)
{
	unsigned vendor, device;

	if (sscanf(text, "%4x:%4x", &vendor, &device) != 2)
		return;
	out->vendor = kept(scan, arena_printf(&scan->host->arena, "0x%04x", vendor));
	out->device = kept(scan, arena_printf(&scan->host->arena, "0x%04x", device));
}

static void read_class(struct host_scan *scan, struct host_device *out, const char *text)
{
	unsigned class;

	if (sscanf(text, "%6x", &class) != 1)
		return;
	out->class = kept(scan, arena_printf(&scan->host->arena, "0x%06x", class));
	out->bridge = class >> 8 == PCI_BRIDGE_TO_PCI;
}

/* One file that holds what several attributes and links would have to be asked for. */
static void read_uevent(struct host_scan *scan, struct host_device *out, int dir)
{
	char text[SYSFS_TEXT_MAX], *rest = NULL;

	if (sysfs_read_at(dir, "uevent", text, sizeof(text)))
		return;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *value = strchr(line, '=');

		if (!value)
			continue;
		*value++ = '\0';
		if (!strcmp(line, "DRIVER"))
			out->driver = scan_keep(scan, value);
		else if (!strcmp(line, "PCI_CLASS"))
			read_class(scan, out, value);
		else if (!strcmp(line, "PCI_ID"))
			read_ids(scan, out, value);
	}
}

static void read_override(struct host_scan *scan, struct host_device *out, int dir)
{
	char text[256];

	/* "(null)" is what the kernel prints where there is none. */
	if (!sysfs_read_at(dir, "driver_override", text, sizeof(text)) && *text &&
	    strcmp(text, "(null)"))
		out->driver_override = scan_keep(scan, text);
}

static void judge_origin(struct host_device *out)
{
	bool override = out->driver_override && !strcmp(out->driver_override, out->driver);

	/*
	 * VFIO's drivers know no devices of their own: the override that brought one there was
	 * withdrawn since, or it was named by new_id, and nothing tells which.
	 */
	if (override || !out->node)
		out->driver_origin = host_driver_origins[!override];
}

/* The entry of a directory that begins so; NULL: none. */
static const char *find_entry(struct host_scan *scan, int dir, const char *name,
			      const char *beginning)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const char *found = NULL;
	struct dirent *entry;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while (!found && (entry = readdir(stream)))
		if (!strncmp(entry->d_name, beginning, strlen(beginning)))
			found = scan_keep(scan, entry->d_name);
	closedir(stream);
	return found;
}

static void read_node(struct host_scan *scan, struct host_device *out, int dir)
{
	const char *name = find_entry(scan, dir, "vfio-dev", "vfio");

	if (name)
		out->node =
			kept(scan, arena_printf(&scan->host->arena, "/dev/vfio/devices/%s", name));
	else if (!strcmp(out->bus, "vdpa") && (name = find_entry(scan, dir, ".", "vhost-vdpa-")))
		out->node = kept(scan, arena_printf(&scan->host->arena, "/dev/%s", name));
}

static struct host_iommu *find_iommu(const struct host *host, const char *name)
{
	for (size_t i = 0; i < host->n_iommus; i++)
		if (!strcmp(host->iommus[i].name, name))
			return &host->iommus[i];
	return NULL;
}

static void read_place(struct host_scan *scan, struct host_device *out, int dir)
{
	const char *group = scan_link(scan, dir, "iommu_group");
	struct host_iommu *iommu;

	if (group && number_parse(group, &out->group))
		out->group = HOST_UNKNOWN;
	out->iommu = scan_link(scan, dir, "iommu");
	iommu = out->iommu ? find_iommu(scan->host, out->iommu) : NULL;
	if (iommu)
		iommu->devices++;
	out->numa_node = read_number(dir, "numa_node");
}

static bool read_word(int fd, uint32_t offset, uint32_t *out)
{
	unsigned char bytes[4];

	if (pread(fd, bytes, sizeof(bytes), offset) != sizeof(bytes))
		return false;
	*out = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
	return true;
}

/* Only root may read past the first 64 bytes; others get an early end of file. */
static uint64_t without_extended_space(struct host_scan *scan, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size <= EXTENDED_SPACE)
		return 0;
	scan->config_hidden = true;
	return HOST_UNKNOWN;
}

static uint64_t read_pasid_bits(struct host_scan *scan, int dir)
{
	/* A virtual function uses the PASIDs of its physical function, and has no such capability.
	 */
	_cleanup_close_ int fd = openat(dir, "physfn/config", O_RDONLY | O_CLOEXEC);
	uint32_t at = EXTENDED_SPACE, header, word;

	if (fd < 0)
		fd = openat(dir, "config", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return HOST_UNKNOWN;
	if (!read_word(fd, at, &header))
		return without_extended_space(scan, fd);
	/* A device that is gone reads as all ones; a broken list may go round in circles. */
	for (int i = 0; i < CAPABILITIES_LIMIT && header && header != UINT32_MAX; i++) {
		if ((header & 0xffff) == CAPABILITY_PASID)
			return read_word(fd, at + PASID_CAPABILITY, &word) ? word >> 8 & 0x1f
									   : HOST_UNKNOWN;
		at = header >> 20;
		if (at < EXTENDED_SPACE || !read_word(fd, at, &header))
			break;
	}
	return 0;
}

/* A device's PASIDs are of no use behind an IOMMU that has none, and looking costs. */
static bool may_have_pasids(const struct host_scan *scan, const struct host_device *device)
{
	const struct host_iommu *iommu =
		device->iommu ? find_iommu(scan->host, device->iommu) : NULL;

	return iommu && iommu->pasid_bits && !device->bridge;
}

static int read_virtual_functions(struct host_scan *scan, struct host_device *out, int dir)
{
	uint64_t n;

	out->physical_function = scan_link(scan, dir, "physfn");
	if (out->physical_function)
		return 0;
	out->max_virtual_functions = read_number(dir, "sriov_totalvfs");
	if (out->max_virtual_functions == HOST_UNKNOWN)
		return 0;
	n = read_number(dir, "sriov_numvfs");
	if (!n || n > VIRTUAL_FUNCTIONS_MAX)
		return 0;
	out->virtual_functions = arena_alloc_array(&scan->host->arena, n, sizeof(char *));
	if (!out->virtual_functions)
		return -ENOMEM;
	for (; out->n_virtual_functions < n; out->n_virtual_functions++) {
		char name[32];
		const char *address;

		snprintf(name, sizeof(name), "virtfn%zu", out->n_virtual_functions);
		address = scan_link(scan, dir, name);
		if (!address)
			break;
		out->virtual_functions[out->n_virtual_functions] = address;
	}
	return 0;
}

static int read_pci(struct host_scan *scan, struct host_device *out, int dir)
{
	if (may_have_pasids(scan, out))
		out->pasid_bits = read_pasid_bits(scan, dir);
	return read_virtual_functions(scan, out, dir);
}

/* "../../../devices/pci0000:00/0000:00:02.0/UUID" -> "0000:00:02.0" */
static const char *read_parent(struct host_scan *scan, int directory, const char *name)
{
	char target[PATH_MAX], above[NAME_MAX + sizeof("/../uevent")], *slash;

	/* Directories that are no devices have no uevent. */
	snprintf(above, sizeof(above), "%s/../uevent", name);
	if (faccessat(directory, above, F_OK, 0) < 0 ||
	    sysfs_target_at(directory, name, target, sizeof(target)))
		return NULL;
	slash = strrchr(target, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	slash = strrchr(target, '/');
	return scan_keep(scan, slash ? slash + 1 : target);
}

static int read_made(struct host_scan *scan, struct host_device *out, int directory, int dir)
{
	out->parent = read_parent(scan, directory, out->address);
	out->mdev_type = scan_link(scan, dir, "mdev_type");
	return 0;
}

static struct host_device *add_device(struct host_scan *scan)
{
	struct host *host = scan->host;

	if (host->n_devices == scan->devices_capacity) {
		size_t more = scan->devices_capacity ? 2 * scan->devices_capacity : 128;
		struct host_device *grown = reallocarray(host->devices, more, sizeof(*grown));

		if (!grown)
			return NULL;
		host->devices = grown;
		scan->devices_capacity = more;
	}
	return &host->devices[host->n_devices];
}

int scan_device(struct host_scan *scan, const char *bus, int directory, const char *name)
{
	_cleanup_close_ int dir = openat(directory, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	struct host_device *out;
	int ret = 0;

	if (dir < 0)
		return 0;
	out = add_device(scan);
	if (!out)
		return -ENOMEM;
	*out = (struct host_device){
		.bus = bus,
		.address = scan_keep(scan, name),
		.bridge = HOST_UNKNOWN,
		.pasid_bits = HOST_UNKNOWN,
		.max_virtual_functions = HOST_UNKNOWN,
		.numa_node = HOST_UNKNOWN,
		.group = HOST_UNKNOWN,
	};
	if (!out->address)
		return -ENOMEM;
	read_uevent(scan, out, dir);
	read_override(scan, out, dir);
	read_place(scan, out, dir);
	if (out->driver) {
		read_node(scan, out, dir);
		judge_origin(out);
	}
	if (!strcmp(bus, "pci"))
		ret = read_pci(scan, out, dir);
	else if (!strcmp(bus, "mdev") || !strcmp(bus, "vdpa"))
		ret = read_made(scan, out, directory, dir);
	if (!ret)
		scan->host->n_devices++;
	return ret;
}

/* Devices that may be handed out without an IOMMU group, or that explain one. */
int scan_buses(struct host_scan *scan)
{
	static const char *const buses[] = {"pci", "mdev", "vdpa"};
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(buses); i++) {
		_cleanup_free_ char *path = root_path(scan->root, "/sys/bus/%s/devices", buses[i]);
		_cleanup_close_ int dir =
			path ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
		_cleanup_names_ struct name_list names = {0};

		if (!path)
			return -ENOMEM;
		ret = sysfs_list(path, &names);
		if (ret == -ENOMEM)
			return ret;
		if (dir < 0 || ret) {
			ret = 0;
			continue;
		}
		for (size_t j = 0; !ret && j < names.n; j++)
			ret = scan_device(scan, buses[i], dir, names.names[j]);
		if (ret)
			return ret;
	}
	return 0;
}

int scan_drivers(struct host_scan *scan)
{
	_cleanup_free_ char *path = root_path(scan->root, "/sys/bus/pci/drivers");
	_cleanup_names_ struct name_list names = {0};
	struct host *host = scan->host;
	int ret;

	if (!path)
		return -ENOMEM;
	ret = sysfs_list(path, &names);
	if (ret)
		return ret == -ENOMEM ? ret : 0;
	host->pci_drivers = arena_alloc_array(&host->arena, names.n + 1, sizeof(char *));
	if (!host->pci_drivers)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++)
		host->pci_drivers[host->n_pci_drivers++] = scan_keep(scan, names.names[i]);
	return 0;
}

static uint32_t id_of(const char *text)
{
	return (uint32_t)strtoul(text, NULL, 16);
}

int scan_names(struct host_scan *scan)
{
	_cleanup_pci_names_ struct pci_names names = {0};
	struct host *host = scan->host;
	int ret = 0;

	for (size_t i = 0; !ret && i < host->n_devices; i++) {
		const struct host_device *d = &host->devices[i];

		if (d->vendor && d->device && d->class)
			ret = pci_names_want(&names, (uint16_t)id_of(d->vendor),
					     (uint16_t)id_of(d->device), id_of(d->class));
	}
	if (!ret)
		ret = pci_names_load(&names, scan->root, &host->arena);
	if (ret) {
		scan->no_names = true;
		return ret == -ENOMEM ? ret : 0;
	}
	for (size_t i = 0; i < host->n_devices; i++) {
		struct host_device *d = &host->devices[i];

		if (!d->vendor || !d->device || !d->class)
			continue;
		d->vendor_name = pci_names_vendor(&names, (uint16_t)id_of(d->vendor));
		d->device_name = pci_names_device(&names, (uint16_t)id_of(d->vendor),
						  (uint16_t)id_of(d->device));
		d->class_name = pci_names_class(&names, id_of(d->class));
	}
	return 0;
}
