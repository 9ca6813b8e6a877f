// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/features.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/sysfs.h"

static bool exists(const char *root, const char *path)
{
	_cleanup_free_ char *full = root_path(root, "%s", path);

	return full && !access(full, F_OK);
}

static char *read_text(const char *root, const char *path)
{
	_cleanup_free_ char *full = root_path(root, "%s", path);
	char text[SYSFS_TEXT_MAX];

	return full && !sysfs_read(full, text, sizeof(text)) ? strdup(text) : NULL;
}

static bool is_set(const char *root, const char *path)
{
	_cleanup_free_ char *text = read_text(root, path);

	return text && !strcmp(text, "Y");
}

static FILE *open_proc(const char *root, const char *path)
{
	_cleanup_free_ char *full = root_path(root, "%s", path);

	return full ? fopen(full, "re") : NULL;
}

/* "240 vfio-dev" among the character devices of /proc/devices. */
static uint64_t has_device_numbers(const char *root, const char *name)
{
	_cleanup_fclose_ FILE *f = open_proc(root, "/proc/devices");
	char line[256], found[64];

	if (!f)
		return FEATURE_UNKNOWN;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %63s", found) == 1 && !strcmp(found, name))
			return 1;
	return 0;
}

/* The table is large on machines with hundreds of CPUs, but what tells stands at its beginning. */
static uint64_t has_isolated_interrupts(const char *root)
{
	_cleanup_fclose_ FILE *f = open_proc(root, "/proc/interrupts");
	_cleanup_free_ char *line = NULL;
	uint64_t found = FEATURE_UNKNOWN;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		if (strstr(line, " IR-") || strstr(line, " ITS-"))
			return 1;
		/* All remapped or none. */
		if (strstr(line, " IO-APIC") || strstr(line, " PCI-MSI"))
			found = 0;
	}
	return found;
}

static bool is_about_iommus(const char *word)
{
	static const char *const beginnings[] = {
		"intel_iommu=", "amd_iommu=", "iommu=",	  "iommu.", "intremap=", "nointremap",
		"iommufd.",	"vfio",	      "arm-smmu", "noapic", "pci=",	 "pcie_acs"};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (!strncmp(word, beginnings[i], strlen(beginnings[i])))
			return true;
	return false;
}

static int read_parameters(const char *root, struct kernel_features *out)
{
	char *rest = NULL;
	size_t words = 1;

	out->command_line = read_text(root, "/proc/cmdline");
	for (const char *p = out->command_line; p && *p; p++)
		words += *p == ' ';
	out->parameters = calloc(words, sizeof(*out->parameters));
	if (!out->parameters)
		return -ENOMEM;
	if (!out->command_line)
		return 0;
	for (char *word = strtok_r(out->command_line, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		if (is_about_iommus(word))
			out->parameters[out->n_parameters++] = word;
	return 0;
}

int kernel_features_read(const char *root, struct kernel_features *out)
{
	*out = (struct kernel_features){
		.release = read_text(root, "/proc/sys/kernel/osrelease"),
		.iommufd = exists(root, "/sys/class/misc/iommu"),
		.vfio_device = has_device_numbers(root, "vfio-dev"),
		.vfio_group = exists(root, "/sys/class/vfio"),
		.vfio_type1 = exists(root, "/sys/module/vfio_iommu_type1"),
		.vhost_vdpa = exists(root, "/sys/bus/vdpa/drivers/vhost_vdpa"),
		.interrupt_remapping = has_isolated_interrupts(root),
		.unsafe_interrupts =
			is_set(root, "/sys/module/iommufd/parameters/allow_unsafe_interrupts") ||
			is_set(root,
			       "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"),
	};
	return read_parameters(root, out);
}

void kernel_features_done(struct kernel_features *features)
{
	free(features->release);
	free(features->parameters);
	free(features->command_line);
	*features = (struct kernel_features){0};
}
