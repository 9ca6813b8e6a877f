/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations of Linux's mock IOMMU on the iommufd that another process holds, for the tests of what
 * only hardware could do otherwise: faults, events, writes. As root.
 *
 *	mock_op PID OPERATION NUMBER...
 *
 * Exit status: 0 done (or: it is so); 1 the kernel says no, and why on stderr; 64 usage.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi/iommufd.h"
#include "uapi/iommufd_test.h"

#define NUMBERS_MAX 5

static uint64_t numbers[NUMBERS_MAX];

static int n32(int i)
{
	return (int)(uint32_t)numbers[i];
}

static struct iommufd_test iotlb(void)
{
	return (struct iommufd_test){.op = IOMMUFD_TEST_CHECK_IOTLB,
				     .id = n32(0),
				     .check_iotlb = {.entry = n32(1), .value = n32(2)}};
}

static struct iommufd_test cache(void)
{
	return (struct iommufd_test){.op = IOMMUFD_TEST_CHECK_CACHE,
				     .id = n32(0),
				     .check_cache = {.entry = n32(1), .value = n32(2)}};
}

static struct iommufd_test fault(void)
{
	return (struct iommufd_test){.op = IOMMUFD_TEST_TRIGGER_FAULT,
				     .fault = {.device_id = n32(0),
					       .pasid = n32(1),
					       .group = n32(2),
					       .perm = 3,
					       .addr = numbers[3]}};
}

static struct iommufd_test event(void)
{
	return (struct iommufd_test){.op = IOMMUFD_TEST_TRIGGER_EVENT, .event.device_id = n32(0)};
}

static struct iommufd_test dirty(void)
{
	return (struct iommufd_test){.op = IOMMUFD_TEST_DIRTY,
				     .id = n32(0),
				     .dirty = {.iova = numbers[1],
					       .length = numbers[2],
					       .page_size = numbers[3],
					       .bitmap = (uintptr_t)&numbers[4]}};
}

static struct iommufd_test pasid(void)
{
	return (struct iommufd_test){.op = IOMMUFD_TEST_PASID_CHECK,
				     .id = n32(0),
				     .pasid_check = {.pasid = n32(1), .hwpt_id = n32(2)}};
}

static const struct {
	const char *name, *arguments;
	int n;
	struct iommufd_test (*make)(void);
} operations[] = {
	{"iotlb", "HWPT ENTRY VALUE", 3, iotlb},
	{"cache", "DEVICE ENTRY VALUE", 3, cache},
	{"fault", "DEVICE PASID GROUP ADDRESS", 4, fault},
	{"event", "DEVICE", 1, event},
	{"dirty", "HWPT IOVA LENGTH PAGE-SIZE BITMAP", 5, dirty}, /* of up to 64 pages */
	{"pasid", "MOCK PASID HWPT", 3, pasid},
	{"destroy", "OBJECT", 1, NULL}, /* IOMMU_DESTROY: no operation of the mock IOMMU */
};

/* The first /dev/iommu of that process. */
static int take_iommufd(const char *pid)
{
	char path[64], link[64];
	DIR *dir;
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);

	snprintf(path, sizeof(path), "/proc/%d/fd", atoi(pid));
	dir = opendir(path);
	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		link[n < 0 ? 0 : n] = 0;
		if (!strcmp(link, "/dev/iommu"))
			return (int)syscall(SYS_pidfd_getfd, pidfd, atoi(e->d_name), 0);
	}
	return -1;
}

static int perform(int iommufd, struct iommufd_test (*make)(void))
{
	struct iommufd_destroy destroy = {.size = sizeof(destroy), .id = (uint32_t)numbers[0]};
	struct iommufd_test args;

	if (!make)
		return ioctl(iommufd, IOMMUFD_DESTROY, &destroy);
	args = make();
	args.size = sizeof(args);
	return ioctl(iommufd, IOMMUFD_TEST, &args);
}

int main(int argc, char **argv)
{
	size_t n = sizeof(operations) / sizeof(operations[0]), i = 0;
	int iommufd;

	while (argc > 2 && i < n && strcmp(operations[i].name, argv[2]))
		i++;
	if (argc < 3 || i == n || argc != 3 + operations[i].n) {
		for (i = 0; i < n; i++)
			fprintf(stderr, "%s PID %s %s\n", argv[0], operations[i].name,
				operations[i].arguments);
		return 64;
	}
	for (int k = 0; k < operations[i].n; k++)
		numbers[k] = strtoull(argv[3 + k], NULL, 0);
	iommufd = take_iommufd(argv[1]);
	if (iommufd < 0) {
		fprintf(stderr, "%s: process %s has no /dev/iommu open\n", argv[0], argv[1]);
		return 1;
	}
	if (!perform(iommufd, operations[i].make))
		return 0;
	fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
	return 1;
}
