// SPDX-License-Identifier: LGPL-2.1-or-later
/* IOMMUs: /sys/class/iommu. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/scan.h"
#include "host/sysfs.h"

const char *const host_iommu_types[] = {
#define X(id, name, beginning) [HOST_IOMMU_##id] = name,
	HOST_IOMMU_TYPES(X)
#undef X
		NULL};

static enum host_iommu_type type_of_name(const char *name)
{
	static const char *const beginnings[] = {
#define X(id, text, beginning) [HOST_IOMMU_##id] = beginning,
		HOST_IOMMU_TYPES(X)
#undef X
	};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (beginnings[i] && !strncmp(name, beginnings[i], strlen(beginnings[i])))
			return (enum host_iommu_type)i;
	return HOST_IOMMU_OTHER;
}

static bool is_virtio(int dir)
{
	char target[PATH_MAX];
	const char *slash;

	if (sysfs_target_at(dir, "device/driver", target, sizeof(target)))
		return false;
	slash = strrchr(target, '/');
	return slash && !strcmp(slash + 1, "virtio_iommu");
}

/* "d2008c22260286:f00f5a" or "d2008c22260286": hex without 0x. */
static bool read_hex(int dir, const char *attribute, uint64_t words[2])
{
	char text[64], *end;

	if (sysfs_read_at(dir, attribute, text, sizeof(text)) || !*text)
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

static int read_registers(struct host_scan *scan, struct host_iommu *iommu, int dir)
{
	struct arena *arena = &scan->host->arena;
	uint64_t cap[2], ecap[2];

	if (read_hex(dir, "intel-iommu/cap", cap) && read_hex(dir, "intel-iommu/ecap", ecap)) {
		iommu->type = host_iommu_types[HOST_IOMMU_VTD];
		return decode_vtd(iommu, arena, cap[0], ecap[0], may_be_scalable(scan->host));
	}
	if (read_hex(dir, "amd-iommu/features", cap)) {
		iommu->type = host_iommu_types[HOST_IOMMU_AMD];
		return decode_amd(iommu, arena, cap[0], cap[1]);
	}
	if (is_virtio(dir))
		iommu->type = host_iommu_types[HOST_IOMMU_VIRTIO];
	return 0;
}

static int scan_iommu(struct host_scan *scan, struct host_iommu *iommu, int class, const char *name)
{
	_cleanup_close_ int dir = openat(class, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

	*iommu = (struct host_iommu){
		.name = scan_keep(scan, name),
		.type = host_iommu_types[type_of_name(name)],
		.iova_bits = HOST_UNKNOWN,
		.nesting = HOST_UNKNOWN,
		.dirty_tracking = HOST_UNKNOWN,
		.snoop_control = HOST_UNKNOWN,
		.pasid_bits = HOST_UNKNOWN,
	};
	if (!iommu->name)
		return -ENOMEM;
	if (dir < 0)
		return 0;
	iommu->device = scan_link(scan, dir, "device");
	return read_registers(scan, iommu, dir);
}

int scan_iommus(struct host_scan *scan)
{
	_cleanup_free_ char *path = root_path(scan->root, "/sys/class/iommu");
	_cleanup_close_ int class = path ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
	_cleanup_names_ struct name_list names = {0};
	struct host *host = scan->host;
	int ret;

	if (!path)
		return -ENOMEM;
	ret = sysfs_list(path, &names);
	if (class < 0 || ret)
		return ret == -ENOMEM ? ret : 0;
	host->iommus = arena_alloc_array(&host->arena, names.n + 1, sizeof(*host->iommus));
	if (!host->iommus)
		return -ENOMEM;
	for (; !ret && host->n_iommus < names.n; host->n_iommus++)
		ret = scan_iommu(scan, &host->iommus[host->n_iommus], class,
				 names.names[host->n_iommus]);
	return ret;
}

int host_iommu_of(const char *root, const char *dir, struct arena *arena, struct host_iommu *out)
{
	_cleanup_features_ struct kernel_features kernel = {0};
	_cleanup_free_ char *link = root_path(dir, "/iommu"), *name = NULL;
	_cleanup_free_ char *path = root_path(root, "/sys/class/iommu");
	_cleanup_close_ int class = path ? open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY) : -1;
	struct host host;
	struct host_scan scan = {.root = root, .host = &host};
	int ret = link && path ? sysfs_link(link, &name) : -ENOMEM;

	if (!ret)
		ret = kernel_parameters_read(root, &kernel);
	if (ret)
		return ret;
	host = (struct host){.kernel = kernel, .arena = *arena};
	ret = scan_iommu(&scan, out, class, name);
	*arena = host.arena;
	return ret;
}
