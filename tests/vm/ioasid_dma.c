/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that opens /dev/ioasid and uses nothing but its header: makes an address space of its
 * own memory, puts a device into it, lets it do DMA there; then takes the descriptor of an fd that
 * `ioasidctl run` hands over, if there is one, and does the same in the memory declared.
 *
 *	ioasid_dma NODE BDF
 *	ioasidctl run FILE -- ioasid_dma FD MEMORY      memory mapped at IOVA 0, for the first
 *device
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support_edu.h"
#include "uapi/ioasid.h"

#define SIZE 0x10000UL

static int call(int fd, unsigned long command, void *args, uint32_t argsz)
{
	memcpy(args, &argsz, sizeof(argsz));
	return ioctl(fd, command, args) ? errno : 0;
}

#define CALL(fd, command, args) call(fd, IOASID_##command, args, sizeof(*(args)))

static uint32_t dma(int fd, uint64_t cookie, uint64_t iova, void *buffer, bool write)
{
	struct ioasid_test_dma_args args = {.flags = write ? IOASID_DMA_WRITE : 0,
					    .cookie = cookie,
					    .pasid = IOASID_NO_PASID,
					    .iova = iova,
					    .length = CHUNK,
					    .buffer = (uintptr_t)buffer};
	int error = CALL(fd, TEST_DMA, &args);

	if (error)
		bail_out("TEST_DMA: %s", strerror(error));
	return args.fault;
}

static void test_memory(int fd, uint64_t cookie, uint64_t *memory)
{
	uint64_t buffer[CHUNK_WORDS], *far = memory + SIZE / 2 / sizeof(*memory);

	fill(memory, CHUNK_WORDS, 1);
	memset(buffer, 0, sizeof(buffer));
	check(dma(fd, cookie, 0, buffer, false) == IOASID_FAULT_NONE &&
		      is_filled(buffer, CHUNK_WORDS, 1),
	      "the device reads what the memory holds");
	fill(buffer, CHUNK_WORDS, 2);
	check(dma(fd, cookie, SIZE / 2, buffer, true) == IOASID_FAULT_NONE &&
		      is_filled(far, CHUNK_WORDS, 2),
	      "what the device writes is in the memory");
	check(dma(fd, cookie, 1UL << 32, buffer, true) == IOASID_FAULT_NOT_MAPPED,
	      "where nothing is mapped it faults");
}

static void bind(int fd, const char *bdf, uint32_t ioasid)
{
	struct ioasid_bind_args bind = {.cookie = 1};
	struct ioasid_attach_args attach = {
		.cookie = 1, .ioasid = ioasid, .pasid = IOASID_NO_PASID};
	struct ioasid_host_driver_args driver = {.device = {.selector = IOASID_SELECT_PCI},
						 .driver = "vfio-pci"};

	snprintf(driver.device.name, sizeof(driver.device.name), "%s", bdf);
	bind.device = driver.device;
	check(CALL(fd, SET_HOST_DRIVER, &driver) == 0, "%s goes to vfio-pci", bdf);
	check(CALL(fd, BIND_DEVICE, &bind) == 0, "it is bound");
	check(CALL(fd, ATTACH, &attach) == 0, "it is attached");
}

static void own_space(const char *node, const char *bdf)
{
	uint64_t *memory =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ioasid_alloc_args alloc = {.parent = IOASID_NONE};
	struct ioasid_map_args map = {.flags = IOASID_MAP_READ | IOASID_MAP_WRITE,
				      .vaddr = (uintptr_t)memory,
				      .size = SIZE};
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0 || memory == MAP_FAILED)
		bail_out("%s: %m", node);
	check(ioctl(fd, _IO(IOASID_TYPE, 255), &alloc) && errno == ENOTTY, "no such call: ENOTTY");
	check(ioctl(fd, IOASID_ALLOC, NULL) && errno == EFAULT, "no struct: EFAULT");
	check(CALL(fd, ALLOC, &alloc) == 0 && alloc.ioasid, "an address space");
	map.ioasid = alloc.ioasid;
	check(CALL(fd, MAP_DMA, &map) == 0, "with memory of this process");
	check(CALL(fd, MAP_DMA, &map) == EEXIST, "mapped once only");
	bind(fd, bdf, alloc.ioasid);
	test_memory(fd, 1, memory);
}

/* The first device bound to the fd, as LIST knows it. */
static uint64_t first_device(int fd)
{
	struct ioasid_entry_device entry;
	struct ioasid_list_args args = {
		.kind = IOASID_LIST_DEVICES, .entries = (uintptr_t)&entry, .count = 1};

	if (CALL(fd, LIST, &args) || args.count != 1)
		bail_out("no device is bound to the fd");
	return entry.cookie;
}

static void declared_space(const char *fd_name, const char *memory_name)
{
	int fd = inherited_fd(fd_name), memory_fd = inherited_fd(memory_name);
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);

	if (memory == MAP_FAILED)
		bail_out("memory %s: %m", memory_name);
	test_memory(fd, first_device(fd), memory);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: %s NODE BDF | FD MEMORY\n", argv[0]);
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (*argv[1] == '/')
		own_space(argv[1], argv[2]);
	else
		declared_space(argv[1], argv[2]);
	return conclude();
}
