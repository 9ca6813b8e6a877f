// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void tree_make(struct tree *t)
{
	strcpy(t->root, "/tmp/ioasidctl-tree-XXXXXX");
	assert_non_null(mkdtemp(t->root));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void tree_remove(struct tree *t)
{
	assert_int_equal(nftw(t->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void make_parents(const struct tree *t, char *path)
{
	for (char *slash = strchr(path + strlen(t->root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(!mkdir(path, 0755) || errno == EEXIST);
		*slash = '/';
	}
}

static void make_path(const struct tree *t, char path[static TREE_PATH_MAX], const char *fmt,
		      va_list args)
{
	int n = snprintf(path, TREE_PATH_MAX, "%s", t->root);

	assert_in_range(vsnprintf(path + n, TREE_PATH_MAX - (size_t)n, fmt, args), 1,
			TREE_PATH_MAX - n - 1);
	make_parents(t, path);
}

#define TREE_PATH(t, path, fmt)                \
	do {                                   \
		va_list args;                  \
		va_start(args, fmt);           \
		make_path(t, path, fmt, args); \
		va_end(args);                  \
	} while (0)

void tree_dir(const struct tree *t, const char *fmt, ...)
{
	char path[TREE_PATH_MAX];

	TREE_PATH(t, path, fmt);
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
}

void tree_file(const struct tree *t, const char *text, const char *fmt, ...)
{
	char path[TREE_PATH_MAX];
	FILE *f;

	TREE_PATH(t, path, fmt);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void tree_link(const struct tree *t, const char *target, const char *fmt, ...)
{
	char path[TREE_PATH_MAX], below[TREE_PATH_MAX];
	int inside = !strncmp(target, "/sys", 4) || !strncmp(target, "/dev/vfio", 9);

	TREE_PATH(t, path, fmt);
	snprintf(below, sizeof(below), "%s%s", inside ? t->root : "", target);
	unlink(path);
	assert_int_equal(symlink(below, path), 0);
}

void tree_unlink(const struct tree *t, const char *fmt, ...)
{
	char path[TREE_PATH_MAX];

	TREE_PATH(t, path, fmt);
	assert_int_equal(unlink(path), 0);
}

void tree_remove_dir(const struct tree *t, const char *fmt, ...)
{
	char path[TREE_PATH_MAX];

	TREE_PATH(t, path, fmt);
	assert_int_equal(rmdir(path), 0);
}

void tree_driver(const struct tree *t, const char *driver)
{
	tree_file(t, "", "/sys/bus/pci/drivers/%s/unbind", driver);
	tree_file(t, "", "/sys/bus/pci/drivers_probe");
}

static void pci(const struct tree *t, const char *address, uint32_t group, const char *driver,
		const char *class)
{
	char device[128], link[128], uevent[256];

	snprintf(device, sizeof(device), "/sys/devices/pci0000:00/%s", address);
	tree_file(t, class, "%s/class", device);
	snprintf(uevent, sizeof(uevent), "%s%s%sPCI_CLASS=%.6sPCI_ID=8086:10D3\nPCI_SLOT_NAME=%s\n",
		 driver ? "DRIVER=" : "", driver ? driver : "", driver ? "\n" : "", class + 3,
		 address);
	tree_file(t, uevent, "%s/uevent", device);
	tree_file(t, "(null)\n", "%s/driver_override", device);
	tree_link(t, device, "/sys/bus/pci/devices/%s", address);
	tree_link(t, "/sys/bus/pci", "%s/subsystem", device);
	tree_driver(t, "vfio-pci");
	if (group != UINT32_MAX) {
		snprintf(link, sizeof(link), "/sys/kernel/iommu_groups/%u", group);
		tree_link(t, link, "%s/iommu_group", device);
		tree_link(t, device, "%s/devices/%s", link, address);
	}
	if (driver) {
		tree_driver(t, driver);
		snprintf(link, sizeof(link), "/sys/bus/pci/drivers/%s", driver);
		tree_link(t, link, "%s/driver", device);
	}
}

void tree_pci(const struct tree *t, const char *address, uint32_t group, const char *driver,
	      const char *vfio)
{
	pci(t, address, group, driver, "0x020000\n");
	if (!vfio)
		return;
	tree_dir(t, "/sys/devices/pci0000:00/%s/vfio-dev/%s", address, vfio);
	tree_link(t, "/dev/null", "/dev/vfio/devices/%s", vfio);
}

void tree_bridge(const struct tree *t, const char *address, uint32_t group, const char *driver)
{
	pci(t, address, group, driver, "0x060400\n");
}

void tree_process(const struct tree *t, int pid, const char *comm, const char *node)
{
	char path[TREE_PATH_MAX];

	tree_file(t, comm, "/proc/%d/comm", pid);
	tree_dir(t, "/proc/%d/fd", pid);
	/* As the kernel shows it: without the root. */
	snprintf(path, sizeof(path), "%s/proc/%d/fd/7", t->root, pid);
	assert_int_equal(symlink(node, path), 0);
}
