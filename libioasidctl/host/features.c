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

/* Where to look; want of memory is kept in mind, for it mustn't look like a feature's absence. */
struct reader {
	const char *root;
	bool no_memory;
};

static char *path_of(struct reader *r, const char *path)
{
	char *full = root_path(r->root, "%s", path);

	r->no_memory |= !full;
	return full;
}

static bool exists(struct reader *r, const char *path)
{
	_cleanup_free_ char *full = path_of(r, path);

	return full && !access(full, F_OK);
}

static char *read_text(struct reader *r, const char *path)
{
	_cleanup_free_ char *full = path_of(r, path);
	char text[SYSFS_TEXT_MAX], *copy;

	if (!full || sysfs_read(full, text, sizeof(text)))
		return NULL;
	copy = strdup(text);
	r->no_memory |= !copy;
	return copy;
}

static bool is_set(struct reader *r, const char *path)
{
	_cleanup_free_ char *text = read_text(r, path);

	return text && !strcmp(text, "Y");
}

static FILE *open_proc(struct reader *r, const char *path)
{
	_cleanup_free_ char *full = path_of(r, path);

	return full ? fopen(full, "re") : NULL;
}

/* "240 vfio-dev" among the character devices of /proc/devices. */
static uint64_t has_device_numbers(struct reader *r, const char *name)
{
	_cleanup_fclose_ FILE *f = open_proc(r, "/proc/devices");
	char line[256], found[64];

	if (!f)
		return FEATURE_UNKNOWN;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*u %63s", found) == 1 && !strcmp(found, name))
			return 1;
	return 0;
}

/* The table is large on machines with hundreds of CPUs, but what tells stands at its beginning. */
static uint64_t has_isolated_interrupts(struct reader *r)
{
	_cleanup_fclose_ FILE *f = open_proc(r, "/proc/interrupts");
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

static int read_parameters(struct reader *r, struct kernel_features *out)
{
	char *rest = NULL;
	size_t words = 1;

	out->command_line = read_text(r, "/proc/cmdline");
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
	struct reader r = {.root = root};
	int ret;

	*out = (struct kernel_features){
		.release = read_text(&r, "/proc/sys/kernel/osrelease"),
		.iommufd = exists(&r, "/sys/class/misc/iommu"),
		.vfio_device = has_device_numbers(&r, "vfio-dev"),
		.vfio_group = exists(&r, "/sys/class/vfio"),
		.vfio_type1 = exists(&r, "/sys/module/vfio_iommu_type1"),
		.vhost_vdpa = exists(&r, "/sys/bus/vdpa/drivers/vhost_vdpa"),
		.interrupt_remapping = has_isolated_interrupts(&r),
		.unsafe_interrupts =
			is_set(&r, "/sys/module/iommufd/parameters/allow_unsafe_interrupts") ||
			is_set(&r, "/sys/module/vfio_iommu_type1/parameters/"
				   "allow_unsafe_interrupts"),
	};
	ret = read_parameters(&r, out);
	return r.no_memory ? -ENOMEM : ret;
}

int kernel_parameters_read(const char *root, struct kernel_features *out)
{
	struct reader r = {.root = root};
	int ret;

	*out = (struct kernel_features){0};
	ret = read_parameters(&r, out);
	return r.no_memory ? -ENOMEM : ret;
}

void kernel_features_done(struct kernel_features *features)
{
	free(features->release);
	free(features->parameters);
	free(features->command_line);
	*features = (struct kernel_features){0};
}
