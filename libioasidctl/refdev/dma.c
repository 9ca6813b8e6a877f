// SPDX-License-Identifier: LGPL-2.1-or-later
/* DMA as a device would do it: through the tables, page by page. */
#include <errno.h>

#include "base/number.h"
#include "refdev/memory.h"
#include "refdev/state.h"

/* Where `iova` leads: the address behind it and the bytes that lie there in one piece. */
static enum ioasid_dma_fault translate(const struct refdev_group *group, uint64_t iova, bool write,
				       uint64_t *vaddr, uint64_t *left)
{
	uint32_t flags;

	if (!group->domain)
		return IOASID_FAULT_BLOCKED;
	for (size_t i = 0; i < group->hw->n_reserved; i++)
		if (iova >= group->hw->reserved[i].first && iova <= group->hw->reserved[i].last)
			return IOASID_FAULT_RESERVED;
	if (iova < group->hw->iommu->first || iova > group->hw->iommu->last)
		return IOASID_FAULT_WIDTH;
	if (!table_walk(group->domain->table->table, iova, vaddr, &flags, left))
		return IOASID_FAULT_NOT_MAPPED;
	if (write && !(flags & IOASID_MAP_WRITE))
		return IOASID_FAULT_NO_WRITE;
	if (!write && !(flags & IOASID_MAP_READ))
		return IOASID_FAULT_NO_READ;
	return IOASID_FAULT_NONE;
}

/* Both sides belong to the caller: an address that leads nowhere is a fault or an error. */
static int carry(struct ioasid_test_dma_args *args, uint64_t vaddr, size_t length)
{
	uint64_t buffer = args->buffer + args->done;
	bool write = args->flags & IOASID_DMA_WRITE;
	char bounce[TABLE_NODE_BYTES];
	size_t got = length, put;

	if (memory_read(bounce, write ? buffer : vaddr, length, &got) && write)
		return -EFAULT;
	if (memory_write(write ? vaddr : buffer, bounce, got, &put) && !write)
		return -EFAULT;
	args->done += put;
	if (put < length) {
		args->fault = IOASID_FAULT_MEMORY;
		args->fault_iova = args->iova + args->done;
	}
	return 0;
}

int call_test_dma(struct refdev_file *file, struct ioasid_test_dma_args *args)
{
	const struct refdev_device *device = device_find_cookie(file, args->cookie);

	if (args->pasid != IOASID_NO_PASID)
		return -EOPNOTSUPP;
	if (!device)
		return -ENOENT;
	if (args->length &&
	    (!range_valid(args->iova, args->length) || !range_valid(args->buffer, args->length)))
		return -EOVERFLOW;
	args->fault = IOASID_FAULT_NONE;
	args->fault_iova = 0;
	args->done = 0;
	while (args->done < args->length && !args->fault) {
		uint64_t iova = args->iova + args->done, length = args->length - args->done;
		uint64_t vaddr = 0, left = 0;
		int ret;

		args->fault = translate(device->group, iova, args->flags & IOASID_DMA_WRITE, &vaddr,
					&left);
		if (args->fault) {
			args->fault_iova = iova;
			break;
		}
		if (length > left)
			length = left;
		if (length > TABLE_NODE_BYTES)
			length = TABLE_NODE_BYTES;
		ret = carry(args, vaddr, length);
		if (ret)
			return ret;
	}
	return 0;
}
