// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/device.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/root.h"
#include "host/sysfs.h"

static const char *const buses[SELECTOR_COUNT] = {
	[SELECTOR_PCI] = "pci",	  [SELECTOR_MDEV] = "mdev", [SELECTOR_PLATFORM] = "platform",
	[SELECTOR_VDPA] = "vdpa", [SELECTOR_VF] = "pci",
};

const char *host_bus(enum selector selector)
{
	return buses[selector];
}

#define HEX_DIGITS "0123456789abcdefABCDEF"

/* "0000:01:00.0": domain of four to eight digits, bus, device below 32, function below 8. */
static bool pci_address_valid(const char *address)
{
	static const char *const rest[] = {
		":", HEX_DIGITS, HEX_DIGITS, ":", "01", HEX_DIGITS, ".", "01234567",
	};
	size_t domain = strspn(address, HEX_DIGITS);

	if (domain < 4 || domain > 8 || strlen(address + domain) != ARRAY_SIZE(rest))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		if (!strchr(rest[i], address[domain + i]))
			return false;
	return true;
}

static bool name_valid(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

static int refuse_address(enum selector selector, const char *address, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_CONFIG, EINVAL, "\"%s\" is no address of a %s device",
			    address, selector_names[selector]);

	if (selector == SELECTOR_VF)
		error_hint(err, "write it as physical function and number, "
				"\"0000:01:00.0/virtfn3\"");
	if (selector == SELECTOR_PCI)
		error_hint(err, "write it as DOMAIN:BUS:DEVICE.FUNCTION in hex, \"0000:01:00.0\"; "
				"lspci -D lists them");
	return ret;
}

#define VF_MARK "/virtfn"

/* "0000:01:00.0/virtfn3" */
static bool vf_address_valid(const char *address)
{
	const char *slash = strchr(address, '/');
	size_t mark = strlen(VF_MARK), length = slash ? (size_t)(slash - address) : 0;
	char physical[24];

	if (!slash || length >= sizeof(physical) || strncmp(slash, VF_MARK, mark))
		return false;
	memcpy(physical, address, length);
	physical[length] = '\0';
	return pci_address_valid(physical) && slash[mark] &&
	       !slash[mark + strspn(slash + mark, "0123456789")];
}

bool host_address_valid(enum selector selector, const char *address)
{
	switch (selector) {
	case SELECTOR_PCI:
		return pci_address_valid(address);
	case SELECTOR_VF:
		return vf_address_valid(address);
	default:
		return name_valid(address);
	}
}

/* By the link that the physical function has to each. */
static int virtual_function_dir(const char *root, const char *address, char **dir,
				struct ioasidctl_error **err)
{
	const char *slash = strchr(address, '/');
	const int length = (int)(slash - address);
	_cleanup_free_ char *link = NULL, *name = NULL;
	int ret;

	link = root_path(root, "/sys/bus/pci/devices/%s", address);
	ret = link ? sysfs_link(link, &name) : -ENOMEM;
	if (ret) {
		error_new(err, ERROR_UNAVAILABLE, ret == -ENOENT ? ENODEV : -ret,
			  "%.*s has no virtual function %s", length, address,
			  slash + strlen(VF_MARK));
		error_cause(err, "%s: %s", link ? link : address, strerror(-ret));
		error_hint(err, "`cat /sys/bus/pci/devices/%.*s/sriov_numvfs` says how many it has",
			   length, address);
		return ret == -ENOENT ? -ENODEV : ret;
	}
	*dir = root_path(root, "/sys/bus/pci/devices/%s", name);
	return *dir ? 0 : error_nomem(err);
}

int host_device_dir(const char *root, enum selector selector, const char *address, char **dir,
		    struct ioasidctl_error **err)
{
	_cleanup_free_ char *path = NULL;
	struct stat st;
	int ret;

	if (!buses[selector])
		return error_new(err, ERROR_REFUSED, EOPNOTSUPP, "sysfs lists no %s devices",
				 selector_names[selector]);
	if (!host_address_valid(selector, address))
		return refuse_address(selector, address, err);
	if (selector == SELECTOR_VF)
		return virtual_function_dir(root, address, dir, err);
	path = root_path(root, "/sys/bus/%s/devices/%s", buses[selector], address);
	if (!path)
		return error_nomem(err);
	if (stat(path, &st) < 0) {
		ret = errno == ENOENT ? ENODEV : errno;
		ret = error_new(err, ERROR_UNAVAILABLE, ret, "this machine has no %s device %s",
				selector_names[selector], address);
		error_cause(err, "%s: %s", path, strerror(errno));
		error_hint(err, "`ls /sys/bus/%s/devices` lists what there is", buses[selector]);
		return ret;
	}
	*dir = steal_pointer(path);
	return 0;
}

int host_device_driver(const char *dir, char **driver)
{
	_cleanup_free_ char *path = root_path(dir, "/driver");
	int ret;

	*driver = NULL;
	if (!path)
		return -ENOMEM;
	ret = sysfs_link(path, driver);
	return ret == -ENOENT ? 0 : ret;
}

int host_device_group(const char *dir, uint32_t *group)
{
	_cleanup_free_ char *path = root_path(dir, "/iommu_group");
	_cleanup_free_ char *name = NULL;
	uint64_t number;
	int ret;

	*group = NO_INDEX;
	if (!path)
		return -ENOMEM;
	ret = sysfs_link(path, &name);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = number_parse(name, &number);
	if (ret || number >= NO_INDEX)
		return -EINVAL;
	*group = (uint32_t)number;
	return 0;
}

uint32_t host_device_class(const char *dir)
{
	_cleanup_free_ char *path = root_path(dir, "/class");
	uint64_t class;

	return path && !sysfs_read_number(path, &class) && class < 1U << 24 ? (uint32_t) class : 0;
}

bool host_device_is_bridge(const char *dir)
{
	return host_device_class(dir) >> 8 == 0x0604;
}

enum selector host_device_selector(const char *dir)
{
	_cleanup_free_ char *path = root_path(dir, "/subsystem");
	_cleanup_free_ char *bus = NULL;
	int i = 0;

	if (!path || sysfs_link(path, &bus))
		return SELECTOR_COUNT;
	while (i < SELECTOR_COUNT && (!buses[i] || strcmp(buses[i], bus)))
		i++;
	return (enum selector)i;
}

int host_device_override(const char *dir, char **override)
{
	_cleanup_free_ char *path = root_path(dir, "/driver_override");
	char text[SYSFS_TEXT_MAX];
	int ret;

	*override = NULL;
	if (!path)
		return -ENOMEM;
	ret = sysfs_read(path, text, sizeof(text));
	if (ret)
		return ret;
	/* What the kernel prints where there is none. */
	if (!*text || !strcmp(text, "(null)"))
		return 0;
	*override = strdup(text);
	return *override ? 0 : -ENOMEM;
}

int host_device_vfio(const char *dir, char **node)
{
	_cleanup_free_ char *path = root_path(dir, "/vfio-dev");
	_cleanup_names_ struct name_list names = {0};
	int ret;

	if (!path)
		return -ENOMEM;
	ret = sysfs_list(path, &names);
	if (ret)
		return ret;
	for (size_t i = 0; i < names.n; i++) {
		/* Devices without an IOMMU are there as noiommu-vfioN. */
		if (strncmp(names.names[i], "vfio", 4) &&
		    strncmp(names.names[i], "noiommu-vfio", 12))
			continue;
		*node = root_path("", "/dev/vfio/devices/%s", names.names[i]);
		return *node ? 0 : -ENOMEM;
	}
	return -ENOENT;
}
