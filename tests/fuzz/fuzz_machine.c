// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine description, or a host's document, from anywhere; where it is one, everything in it is
 * bound and attached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "refdev/refdev.h"
#include "report/machine.h"
#include "uapi/ioasid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join(struct refdev_file *file, const struct ioasid_device_name *name, uint64_t cookie,
		 uint32_t ioasid)
{
	struct ioasid_bind_args bind = {.argsz = sizeof(bind), .device = *name, .cookie = cookie};
	struct ioasid_attach_args attach = {.argsz = sizeof(attach),
					    .cookie = cookie,
					    .ioasid = ioasid,
					    .pasid = IOASID_NO_PASID};
	struct ioasid_test_dma_args dma = {.argsz = sizeof(dma),
					   .cookie = cookie,
					   .pasid = IOASID_NO_PASID,
					   .iova = 1 << 24,
					   .length = sizeof(bind),
					   .buffer = (uintptr_t)&bind};

	if (!refdev_ioctl(file, IOASID_BIND_DEVICE, &bind) &&
	    !refdev_ioctl(file, IOASID_ATTACH, &attach))
		refdev_ioctl(file, IOASID_TEST_DMA, &dma);
}

static void use(struct refdev_file *file, void *memory, size_t bytes)
{
	static struct ioasid_entry_member members[64];
	struct ioasid_alloc_args alloc = {.argsz = sizeof(alloc), .parent = IOASID_NONE};
	struct ioasid_map_args map = {.argsz = sizeof(map),
				      .flags = IOASID_MAP_READ,
				      .iova = 1 << 24,
				      .vaddr = (uintptr_t)memory,
				      .size = bytes};
	struct ioasid_list_args list = {.argsz = sizeof(list),
					.kind = IOASID_LIST_MEMBERS,
					.object = IOASID_NONE,
					.count = 64,
					.entries = (uintptr_t)members};

	if (refdev_ioctl(file, IOASID_ALLOC, &alloc))
		abort();
	map.ioasid = alloc.ioasid;
	refdev_ioctl(file, IOASID_MAP_DMA, &map);
	if (refdev_ioctl(file, IOASID_LIST, &list))
		abort();
	for (uint32_t i = 0; i < list.count; i++)
		join(file, &members[i].device, i, alloc.ioasid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(1 << 16) char memory[1 << 16];
	struct refdev *refdev = NULL;
	struct refdev_file *file;
	char *why = NULL;
	int ret = machine_open((const char *)data, size, &refdev, &why);

	if (ret && !why)
		abort(); /* a refusal always says why */
	if (!ret && !refdev_open(refdev, &file)) {
		use(file, memory, sizeof(memory));
		refdev_close(file);
	}
	refdev_free(ret ? NULL : refdev);
	free(why);
	return 0;
}
