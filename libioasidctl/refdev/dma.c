// SPDX-License-Identifier: LGPL-2.1-or-later
/* DMA as a device would do it: through the tables, page by page. */
#include <errno.h>

#include "base/number.h"
#include "refdev/memory.h"
#include "refdev/state.h"

bool domain_translate(const struct refdev_domain *domain, uint64_t gpa, bool write,
		      struct translation *t)
{
	uint32_t flags;

	t->gpa = gpa;
	if (gpa < domain->iommu->first || gpa > domain->iommu->last)
		t->fault = IOASID_FAULT_WIDTH;
	else if (!table_walk(domain->table->table, gpa, &t->vaddr, &flags, &t->left))
		t->fault = IOASID_FAULT_NOT_MAPPED;
	else if (write && !(flags & IOASID_MAP_WRITE))
		t->fault = IOASID_FAULT_NO_WRITE;
	else if (!write && !(flags & IOASID_MAP_READ))
		t->fault = IOASID_FAULT_NO_READ;
	else
		return true;
	return false;
}

/* Requests with a PASID never mean an interrupt or another region of the firmware's. */
static bool is_reserved(const struct machine_group *group, uint64_t iova)
{
	for (size_t i = 0; i < group->n_reserved; i++)
		if (iova >= group->reserved[i].first && iova <= group->reserved[i].last)
			return true;
	return false;
}

static void translate(const struct refdev_attachment *a, uint64_t iova, bool write,
		      struct translation *t)
{
	uint64_t left;

	*t = (struct translation){0};
	if (!a) {
		t->fault = IOASID_FAULT_BLOCKED;
		return;
	}
	if (a->pasid == IOASID_NO_PASID && is_reserved(a->group->hw, iova)) {
		t->fault = IOASID_FAULT_RESERVED;
		return;
	}
	if (!a->ioasid->parent) {
		domain_translate(a->domain, iova, write, t);
		t->gpa = 0;
		return;
	}
	if (!nested_translate(a->ioasid, a->domain, iova, write, t))
		return;
	left = t->left;
	t->stage = 2;
	if (domain_translate(a->domain, t->gpa, write, t) && t->left > left)
		t->left = left;
}

/* An address that leads nowhere is a fault on the side of the memory, an error on the caller's. */
static int carry(const struct refdev_file *file, struct ioasid_test_dma_args *args, uint64_t vaddr,
		 size_t length)
{
	uint64_t buffer = args->buffer + args->done;
	bool write = args->flags & IOASID_DMA_WRITE;
	char bounce[TABLE_NODE_BYTES];
	size_t got = length, put;
	pid_t from = write ? file->caller : file->process,
	      to = write ? file->process : file->caller;

	if (memory_read(from, bounce, write ? buffer : vaddr, length, &got) && write)
		return -EFAULT;
	if (memory_write(to, write ? vaddr : buffer, bounce, got, &put) && !write)
		return -EFAULT;
	args->done += put;
	if (put < length) {
		args->fault = IOASID_FAULT_MEMORY;
		args->fault_iova = args->iova + args->done;
	}
	return 0;
}

static void report(const struct refdev_device *device, const struct refdev_attachment *a,
		   const struct ioasid_test_dma_args *args)
{
	const struct ioasid_translation_event event = {
		.iova = args->fault_iova,
		.gpa = args->fault_gpa,
		.pasid = args->pasid,
		.fault = args->fault,
		.stage = args->stage,
		.access = args->flags & IOASID_DMA_WRITE ? IOASID_ACCESS_WRITE : IOASID_ACCESS_READ,
	};

	if (a && a->ioasid->viommu)
		event_report(a->ioasid->viommu, device, &event);
}

/* The device can wait for what its own table doesn't let through, never for the parent's memory. */
static bool can_wait(const struct refdev_device *device, const struct refdev_attachment *a,
		     const struct translation *t)
{
	return a && a->ioasid->flags & IOASID_ALLOC_FAULT && device->hw->page_faults &&
	       t->stage != 2 &&
	       (t->fault == IOASID_FAULT_NOT_MAPPED || t->fault == IOASID_FAULT_NO_READ ||
		t->fault == IOASID_FAULT_NO_WRITE);
}

static int stop(const struct refdev_device *device, const struct refdev_attachment *a,
		const struct translation *t, struct ioasid_test_dma_args *args)
{
	uint64_t iova = args->iova + args->done;
	int ret = can_wait(device, a, t)
			  ? fault_request(a, device, iova, args->flags & IOASID_DMA_WRITE)
			  : 0;

	if (ret < 0)
		return ret;
	args->fault = ret ? IOASID_FAULT_PENDING : t->fault;
	args->fault_iova = iova;
	args->fault_gpa = t->stage == 2 ? t->gpa : 0;
	args->stage = t->stage;
	args->level = t->level;
	if (!ret)
		report(device, a, args);
	return 0;
}

/* As far as one piece of memory reaches. */
static int step(const struct refdev_device *device, struct ioasid_test_dma_args *args)
{
	const struct refdev_attachment *a = group_attachment(device->group, args->pasid);
	uint64_t length = args->length - args->done, before = args->done;
	bool write = args->flags & IOASID_DMA_WRITE;
	struct refdev_ioasid *paging;
	struct translation t;
	int ret;

	translate(a, args->iova + args->done, write, &t);
	if (t.fault)
		return stop(device, a, &t, args);
	if (length > t.left)
		length = t.left;
	if (length > TABLE_NODE_BYTES)
		length = TABLE_NODE_BYTES;
	paging = ioasid_paging(a->ioasid);
	/* Before the bytes: for what was written the record must not be lacking. */
	ret = write && paging->tracking
		      ? dirty_mark(paging, a->ioasid->parent ? t.gpa : args->iova + before, length)
		      : 0;
	return ret ? ret : carry(device->file, args, t.vaddr, length);
}

int call_test_dma(struct refdev_file *file, struct ioasid_test_dma_args *args)
{
	const struct refdev_device *device = device_find_cookie(file, args->cookie);
	int ret = 0;

	if (!device)
		return -ENOENT;
	if (args->length &&
	    (!range_valid(args->iova, args->length) || !range_valid(args->buffer, args->length)))
		return -EOVERFLOW;
	args->fault = IOASID_FAULT_NONE;
	args->fault_iova = 0;
	args->fault_gpa = 0;
	args->stage = 0;
	args->level = 0;
	args->done = 0;
	while (!ret && args->done < args->length && !args->fault)
		ret = step(device, args);
	return ret;
}
