// SPDX-License-Identifier: LGPL-2.1-or-later
/* IOMMUs: /sys/class/iommu. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/scan.h"
#include "host/sysfs.h"

/* Told by the beginning of its name where its driver shows nothing else. */
#define TYPES(X)                                  \
	X(VTD, "vt-d", NULL)                      \
	X(AMD, "amd", NULL)                       \
	X(SMMUV3, "smmuv3", "smmu3.")             \
	X(SMMU, "smmu", "smmu.")                  \
	X(VIRTIO, "virtio", NULL)                 \
	X(RISCV, "riscv", "riscv-iommu@")         \
	X(S390, "s390", "s390-iommu.")            \
	X(MOCK, "mock", "iommufd_selftest_iommu") \
	X(OTHER, "other", "")

enum iommu_type {
#define X(id, name, beginning) TYPE_##id,
	TYPES(X)
#undef X
};

const char *const host_iommu_types[] = {
#define X(id, name, beginning) [TYPE_##id] = name,
	TYPES(X)
#undef X
		NULL};

static enum iommu_type type_of_name(const char *name)
{
	static const char *const beginnings[] = {
#define X(id, text, beginning) [TYPE_##id] = beginning,
		TYPES(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (beginnings[i] && !strncmp(name, beginnings[i], strlen(beginnings[i])))
			return (enum iommu_type)i;
	return TYPE_OTHER;
}

static bool is_virtio(const char *dir)
{
	_cleanup_free_ char *path = root_path(dir, "/device/driver");
	_cleanup_free_ char *driver = NULL;

	return path && !sysfs_link(path, &driver) && !strcmp(driver, "virtio_iommu");
}

/* "d2008c22260286:f00f5a" or "d2008c22260286": hex without 0x. */
static bool read_hex(const char *dir, const char *attribute, uint64_t words[2])
{
	_cleanup_free_ char *path = root_path(dir, "/%s", attribute);
	char text[64], *end;

	if (!path || sysfs_read(path, text, sizeof(text)) || !*text)
		return false;
	errno = 0;
	words[0] = strtoull(text, &end, 16);
	words[1] = *end == ':' ? strtoull(end + 1, &end, 16) : 0;
	return !*end && !errno;
}

static bool may_be_scalable(const struct host *host)
{
	for (size_t i = 0; i < host->kernel.n_parameters; i++)
		if (!strncmp(host->kernel.parameters[i], "intel_iommu=", 12) &&
		    strstr(host->kernel.parameters[i], "sm_off"))
			return false;
	return true;
}

static int read_registers(struct host_scan *scan, struct host_iommu *iommu, const char *dir)
{
	struct arena *arena = &scan->host->arena;
	uint64_t cap[2], ecap[2];

	if (read_hex(dir, "intel-iommu/cap", cap) && read_hex(dir, "intel-iommu/ecap", ecap)) {
		iommu->type = host_iommu_types[TYPE_VTD];
		return decode_vtd(iommu, arena, cap[0], ecap[0], may_be_scalable(scan->host));
	}
	if (read_hex(dir, "amd-iommu/features", cap)) {
		iommu->type = host_iommu_types[TYPE_AMD];
		return decode_amd(iommu, arena, cap[0], cap[1]);
	}
	if (is_virtio(dir))
		iommu->type = host_iommu_types[TYPE_VIRTIO];
	return 0;
}

static int scan_iommu(struct host_scan *scan, struct host_iommu *iommu, const char *name)
{
	_cleanup_free_ char *dir = root_path(scan->root, "/sys/class/iommu/%s", name);
	_cleanup_free_ char *link = dir ? root_path(dir, "/device") : NULL;
	struct arena *arena = &scan->host->arena;
	_cleanup_free_ char *device = NULL;

	*iommu = (struct host_iommu){
		.name = arena_copy(arena, name, strlen(name)),
		.type = host_iommu_types[type_of_name(name)],
		.iova_bits = HOST_UNKNOWN,
		.nesting = HOST_UNKNOWN,
		.dirty_tracking = HOST_UNKNOWN,
		.snoop_control = HOST_UNKNOWN,
		.pasid_bits = HOST_UNKNOWN,
	};
	if (!link || !iommu->name)
		return -ENOMEM;
	if (!sysfs_link(link, &device))
		iommu->device = arena_copy(arena, device, strlen(device));
	return read_registers(scan, iommu, dir);
}

int scan_iommus(struct host_scan *scan)
{
	_cleanup_free_ char *class = root_path(scan->root, "/sys/class/iommu");
	_cleanup_names_ struct name_list names = {0};
	struct host *host = scan->host;
	int ret;

	if (!class)
		return -ENOMEM;
	ret = sysfs_list(class, &names);
	if (ret)
		return ret == -ENOMEM ? ret : 0;
	host->iommus = arena_alloc_array(&host->arena, names.n + 1, sizeof(*host->iommus));
	if (!host->iommus)
		return -ENOMEM;
	for (; !ret && host->n_iommus < names.n; host->n_iommus++)
		ret = scan_iommu(scan, &host->iommus[host->n_iommus], names.names[host->n_iommus]);
	return ret;
}
