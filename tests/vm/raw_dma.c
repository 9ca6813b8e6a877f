/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a virtual machine monitor does with what `exec --raw` gives it: binds the device to its own
 * /dev/iommu, maps memory (the one that came along, and a page of its own), attaches, has the
 * device (QEMU's edu) do DMA and looks for the bytes. Uses nothing of libioasidctl but the ABI.
 * Prints TAP.
 *
 *	ioasidctl exec --raw NAME -- raw_dma FD DEVICE MEMORY [hold]
 *
 * The names are those of the config. With `hold` it reads standard input to its end before it ends.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support_edu.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define RAM_IOVA 0x1000000UL
#define OWN_IOVA 0x2000000UL

static uint32_t make_ioas(int iommufd)
{
	struct iommufd_ioas_alloc args = {.size = sizeof(args)};

	if (ioctl(iommufd, IOMMUFD_IOAS_ALLOC, &args))
		bail_out("IOMMU_IOAS_ALLOC: %m");
	return args.out_ioas_id;
}

static void bind_device(int iommufd, int device)
{
	struct vfio_dev_bind_iommufd args = {.argsz = sizeof(args), .iommufd = iommufd};

	if (!check(!ioctl(device, VFIO_DEV_BIND_IOMMUFD, &args),
		   "the device can be bound to the IOMMU fd"))
		bail_out("VFIO_DEVICE_BIND_IOMMUFD: %m");
}

static void attach(int device, uint32_t ioas)
{
	struct vfio_dev_attach_iommufd_pt args = {.argsz = sizeof(args), .pt_id = ioas};

	if (!check(!ioctl(device, VFIO_DEV_ATTACH_IOMMUFD_PT, &args), "and attached"))
		bail_out("VFIO_DEVICE_ATTACH_IOMMUFD_PT: %m");
}

static uint64_t *map_own(int iommufd, uint32_t ioas)
{
	uint64_t *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iommufd_ioas_map args = {.size = sizeof(args),
					.flags = IOMMUFD_MAP_FIXED_IOVA | IOMMUFD_MAP_WRITEABLE |
						 IOMMUFD_MAP_READABLE,
					.ioas_id = ioas,
					.user_va = (uintptr_t)page,
					.length = PAGE,
					.iova = OWN_IOVA};

	if (ioctl(iommufd, IOMMUFD_IOAS_MAP, &args))
		bail_out("IOMMU_IOAS_MAP: %m");
	return page;
}

static uint64_t *map_memory(int iommufd, uint32_t ioas, int memory)
{
	uint64_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	struct iommufd_ioas_map_file args = {.size = sizeof(args),
					     .flags = IOMMUFD_MAP_FIXED_IOVA |
						      IOMMUFD_MAP_WRITEABLE | IOMMUFD_MAP_READABLE,
					     .ioas_id = ioas,
					     .fd = memory,
					     .length = PAGE,
					     .iova = RAM_IOVA};

	if (page == MAP_FAILED || ioctl(iommufd, IOMMUFD_IOAS_MAP_FILE, &args))
		bail_out("IOMMU_IOAS_MAP_FILE: %m");
	return page;
}

static void read_to_the_end(void)
{
	char byte;

	puts("# holding");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	volatile uint8_t *registers;
	uint64_t *ram, *own;
	int iommufd, device;
	uint32_t ioas;

	if (argc < 4)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	iommufd = inherited_fd(argv[1]);
	device = inherited_fd(argv[2]);
	bind_device(iommufd, device);
	ioas = make_ioas(iommufd);
	ram = map_memory(iommufd, ioas, inherited_fd(argv[3]));
	own = map_own(iommufd, ioas);
	attach(device, ioas);
	registers = open_registers(device);
	fill(ram, CHUNK_WORDS, 1);
	memset(own, 0, PAGE);
	transfer(registers, RAM_IOVA, CHUNK, false);
	transfer(registers, OWN_IOVA, CHUNK, true);
	check(is_filled(own, CHUNK_WORDS, 1),
	      "bytes of the memory that came along arrive in a page of its own");
	fill(own, CHUNK_WORDS, 2);
	transfer(registers, OWN_IOVA, CHUNK, false);
	transfer(registers, OWN_IOVA + PAGE, CHUNK, true);
	transfer(registers, RAM_IOVA, CHUNK, true);
	check(is_filled(ram, CHUNK_WORDS, 2), "and the other way");
	if (argc > 4)
		read_to_the_end();
	return conclude();
}
