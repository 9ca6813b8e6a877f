// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ioasid driver on the reference device: nested IOASIDs, viommus, PASIDs, queues, dirty pages,
 * placed mappings; and what it says where something is refused.
 */
#include "support_refdev.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

#include "driver/ioasid.h"

#define EDU    "0000:00:03.0"
#define PCI2   "0000:00:04.0"
#define PLAIN  "0000:04:00.0" /* behind an IOMMU that can't nest or track; no-snoop */
#define NARROW "0000:06:00.0" /* 39 bits */
#define NIC    "0000:05:00.0" /* PASIDs, page faults */
#define SIZE   (32 * GUEST_PAGE)

static const struct driver *const ops = &driver_ioasid;

struct world {
	struct driver_env env;
	struct bench bench; /* the machine */
	struct driver_fd *fd;
	struct ioasidctl_error *err;
	char *memory; /* SIZE */
	struct driver_device *edu;
	uint32_t edu_cookie, parent; /* maps the memory at 0 */
};

static struct driver_device *bound(struct world *w, enum selector selector, const char *address,
				   uint32_t *id)
{
	struct driver_device *dev = NULL;
	struct device spec;
	uint32_t unused;

	device_init(&spec);
	spec.selector = selector;
	spec.address = (char *)address;
	spec.name = (char *)"dev";
	assert_int_equal(ops->device_open(&w->env, &spec, &dev, &w->err), 0);
	assert_int_equal(ops->device_bind(w->fd, dev, id ? id : &unused, &w->err), 0);
	return dev;
}

static int alloc(struct world *w, struct ioasid *spec, const struct nesting *on, uint32_t *id)
{
	spec->name = (char *)"space";
	return ops->ioasid_alloc(w->fd, spec, on, id, &w->err);
}

static uint32_t allocated(struct world *w, uint32_t flags)
{
	struct ioasid spec;
	uint32_t id = 0;

	ioasid_init(&spec);
	spec.flags = flags;
	assert_int_equal(alloc(w, &spec, NULL, &id), 0);
	return id;
}

static int nest(struct world *w, uint32_t parent, uint32_t viommu, struct driver_device *dev,
		enum table_format format, uint32_t flags, uint32_t *id)
{
	const struct nesting on = {.parent = parent, .viommu = viommu, .device = dev};
	struct ioasid spec;

	ioasid_init(&spec);
	spec.kind = IOASID_NESTED;
	spec.flags = flags;
	spec.table.format = format;
	return alloc(w, &spec, &on, id);
}

static int map_at(struct world *w, uint32_t id, uint64_t iova, uint64_t length)
{
	const struct map_args args = {
		.iova = iova, .length = length, .access = ACCESS_RW, .fd = -1, .va = w->memory};

	return ops->map(w->fd, id, &args, &w->err);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct iommu_fd spec;

	bench_setup(&w->bench, NULL);
	w->env = (struct driver_env){.root = "/nowhere", .refdev = w->bench.refdev};
	w->memory = pages(SIZE);
	iommu_fd_init(&spec);
	spec.name = (char *)"main";
	assert_int_equal(ops->open(&w->env, &spec, &w->fd, &w->err), 0);
	assert_int_equal(rd_set_driver(w->bench.file, NIC, "vfio-pci"), 0);
	assert_int_equal(rd_set_driver(w->bench.file, "0000:05:00.1", "vfio-pci"), 0);
	w->edu = bound(w, SELECTOR_PCI, EDU, &w->edu_cookie);
	w->parent = allocated(w, IOASID_FLAG_NEST_PARENT);
	guest_table(w->memory, 0);
	assert_int_equal(map_at(w, w->parent, 0, SIZE), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	error_free(w->err);
	ops->device_close(w->edu);
	ops->close(w->fd);
	munmap(w->memory, SIZE);
	bench_teardown(&w->bench);
	free(w);
	return 0;
}

/* The newest error, which is dropped; what isn't given isn't compared. */
static void assert_said(struct world *w, enum error_kind kind, const char *ioctl_name,
			const char *message, const char *cause)
{
	assert_non_null(w->err);
	assert_string_equal(error_kind_name(w->err->kind), error_kind_name(kind));
	assert_string_equal(w->err->ioctl, ioctl_name);
	if (message)
		assert_string_equal(w->err->message, message);
	if (cause) {
		assert_non_null(w->err->cause);
		assert_string_equal(w->err->cause, cause);
	}
	error_free(w->err);
	w->err = NULL;
}

/* Of a device that is bound to the driver's own file. */
static uint32_t dma(struct world *w, uint64_t cookie, uint32_t pasid, uint64_t iova, char byte)
{
	return rd_dma_pasid(w->fd->file, cookie, pasid, iova, &byte, 1, IOASID_DMA_WRITE).fault;
}

static void test_nested(void **state)
{
	struct world *w = *state;
	const struct invalidation everything = {.everything = true}, page = {.range = {4096, 8191}};
	const struct invalidation bad[] = {page, {.range = {1, 2}}, everything};
	uint32_t id = 0;
	size_t done = 9;

	assert_int_equal(nest(w, w->parent, NO_INDEX, w->edu, TABLE_X86_64, 0, &id), 0);
	assert_int_equal(ops->attach(w->fd, w->edu, id, NO_PASID, &w->err), 0);
	*guest_entry(w->memory, 0) = 9 * GUEST_PAGE | GUEST_ENTRY;
	assert_int_equal(dma(w, w->edu_cookie, NO_PASID, GUEST_IOVA, 'a'), 0);
	assert_int_equal(w->memory[9 * GUEST_PAGE], 'a');
	*guest_entry(w->memory, 0) = 10 * GUEST_PAGE | GUEST_ENTRY;
	assert_int_equal(ops->invalidate(w->fd, id, false, &everything, 1, &done, &w->err), 0);
	assert_int_equal(done, 1);
	assert_int_equal(dma(w, w->edu_cookie, NO_PASID, GUEST_IOVA, 'b'), 0);
	assert_int_equal(w->memory[10 * GUEST_PAGE], 'b');
	assert_int_equal(ops->invalidate(w->fd, id, false, bad, 3, &done, &w->err), -EINVAL);
	assert_int_equal(done, 1);
	assert_said(w, ERROR_REFUSED, "IOASID_INVALIDATE_CACHE",
		    "can't invalidate caches of IOASID 2 (1 of 3 done): Invalid argument", NULL);
	assert_int_equal(ops->ioasid_probe(w->fd, id), 0);
	assert_int_equal(ops->ioasid_free(w->fd, w->parent, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_FREE", "can't free IOASID 1: Device or resource busy",
		    NULL);
	assert_int_equal(ops->attach(w->fd, w->edu, w->parent, NO_PASID, &w->err), 0);
	assert_int_equal(ops->ioasid_free(w->fd, id, &w->err), 0);
}

static void test_nested_refusals(void **state)
{
	struct world *w = *state;
	uint32_t id = 0, child, plain = allocated(w, 0);
	struct driver_device *other = bound(w, SELECTOR_PCI, PLAIN, NULL);
	struct ioasid both;

	assert_int_equal(nest(w, w->parent, NO_INDEX, w->edu, TABLE_ARM_SMMUV3, 0, &id),
			 -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC",
		    "can't allocate space: Operation not supported",
		    "the IOMMU in front of " EDU
		    " has only these formats of nested tables: vtd-s1, x86-64");
	assert_int_equal(nest(w, w->parent, NO_INDEX, other, TABLE_X86_64, 0, &id), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC", NULL,
		    "the IOMMU in front of " PLAIN " has no formats of nested tables");
	assert_int_equal(nest(w, w->parent, NO_INDEX, w->edu, TABLE_X86_64, IOASID_FLAG_DIRTY, &id),
			 -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC", NULL,
		    "a nested IOASID can have `pasid` and `fault_queue` only");
	assert_int_equal(nest(w, plain, NO_INDEX, w->edu, TABLE_X86_64, 0, &id), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC", NULL, "IOASID 2 wasn't made to be nested on");
	assert_int_equal(nest(w, 77, NO_INDEX, w->edu, TABLE_X86_64, 0, &id), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC", NULL,
		    "there is no IOASID 77 that could be its parent");
	assert_int_equal(nest(w, w->parent, NO_INDEX, w->edu, TABLE_X86_64, 0, &child), 0);
	assert_int_equal(nest(w, child, NO_INDEX, w->edu, TABLE_X86_64, 0, &id), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC", NULL, "IOASID 3 is nested itself");
	assert_int_equal(id, 0);
	ioasid_init(&both);
	both.flags = IOASID_FLAG_NEST_PARENT | IOASID_FLAG_FAULT_QUEUE;
	assert_int_equal(alloc(w, &both, NULL, &id), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ALLOC", NULL,
		    "a nest_parent has no fault queue: faults are those of the nested tables");

	assert_int_equal(ops->attach(w->fd, other, w->parent, NO_PASID, &w->err), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "the IOASID is a nest_parent, and the IOMMU in front of the device can't nest");
	assert_int_equal(
		ops->attach(w->fd, other, allocated(w, IOASID_FLAG_DIRTY), NO_PASID, &w->err),
		-EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "the IOASID tracks dirty pages, and the IOMMU in front of the device can't");
	ops->device_close(other);
}

static void test_viommu(void **state)
{
	struct world *w = *state;
	struct driver_device *second = bound(w, SELECTOR_PCI, PCI2, NULL);
	struct driver_device *plain = bound(w, SELECTOR_PCI, PLAIN, NULL);
	struct viommu spec;
	struct hw_queue queue = {.iova = 0x1000, .length = 0x100};
	struct viommu_event events[70];
	struct ioasid_translation_event *e = (void *)events[0].data;
	uint32_t viommu = 0, vdevice = 0, hw = 0, q = 0, id = 0, none = 0;
	struct pollfd readable = {.events = POLLIN};
	const struct invalidation all = {.everything = true};
	size_t n, done;

	viommu_init(&spec);
	spec.name = (char *)"v0";
	spec.type = VIOMMU_ARM_SMMUV3;
	assert_int_equal(ops->viommu_alloc(w->fd, &spec, w->parent, w->edu, &none, &w->err),
			 -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_VIOMMU_ALLOC",
		    "can't allocate viommu v0: Operation not supported",
		    "the IOMMU in front of " EDU " has only these types of viommu: default");
	spec.type = VIOMMU_DEFAULT;
	assert_int_equal(ops->viommu_alloc(w->fd, &spec, allocated(w, 0), w->edu, &none, &w->err),
			 -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_VIOMMU_ALLOC", NULL,
		    "IOASID 2 wasn't made to be nested on");
	assert_int_equal(ops->viommu_alloc(w->fd, &spec, w->parent, plain, &none, &w->err),
			 -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_VIOMMU_ALLOC", NULL,
		    "the IOMMU in front of " PLAIN " has no types of viommu");
	assert_int_equal(ops->viommu_alloc(w->fd, &spec, w->parent, w->edu, &viommu, &w->err), 0);
	assert_int_equal(ops->viommu_probe(w->fd, viommu), 0);
	assert_int_equal(ops->viommu_probe(w->fd, 99), -ENOENT);

	assert_int_equal(ops->vdevice_alloc(w->fd, viommu, plain, 1, &none, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_VDEVICE_ALLOC",
		    "can't give device " PLAIN " the id 0x1 on viommu 3: Invalid argument", NULL);
	assert_int_equal(ops->vdevice_alloc(w->fd, viommu, w->edu, 0x18, &vdevice, &w->err), 0);
	assert_int_equal(ops->vdevice_alloc(w->fd, viommu, second, 0x18, &none, &w->err), -EEXIST);
	assert_said(w, ERROR_BUSY, "IOASID_VDEVICE_ALLOC", NULL, NULL);

	queue.index = 1;
	assert_int_equal(ops->queue_alloc(w->fd, viommu, &queue, &none, &w->err), -EIO);
	assert_said(w, ERROR_REFUSED, "IOASID_HW_QUEUE_ALLOC", NULL,
		    "the queue of the index before isn't there");
	queue.index = 0;
	assert_int_equal(ops->queue_alloc(w->fd, viommu, &queue, &hw, &w->err), 0);
	assert_int_equal(ops->unmap(w->fd, w->parent, 0, SIZE, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_UNMAP_DMA", NULL,
		    "a hardware queue of a viommu lies in that memory");

	assert_int_equal(ops->events_alloc(w->fd, viommu, 0, &none, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_EVENT_QUEUE_ALLOC", NULL,
		    "the depth is from 1 to 524288 events");
	assert_int_equal(none, 0);
	assert_int_equal(ops->events_fd(w->fd, 99), -1);
	assert_int_equal(ops->events_alloc(w->fd, viommu, 68, &q, &w->err), 0);
	assert_int_equal(nest(w, w->parent, viommu, w->edu, TABLE_X86_64, 0, &id), 0);
	assert_int_equal(ops->attach(w->fd, second, id, NO_PASID, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_ATTACH", NULL,
		    "the IOASID is on viommu 3, and the device is no vdevice there");
	assert_int_equal(ops->attach(w->fd, w->edu, id, NO_PASID, &w->err), 0);
	assert_int_equal(ops->invalidate(w->fd, viommu, true, &all, 1, &done, &w->err), 0);

	readable.fd = ops->events_fd(w->fd, q);
	assert_true(readable.fd >= 0);
	assert_int_equal(poll(&readable, 1, 0), 0);
	for (int i = 0; i < 70; i++)
		assert_int_equal(dma(w, w->edu_cookie, NO_PASID, GUEST_IOVA + 5, 'x'),
				 IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(poll(&readable, 1, 0), 1);
	/* where there was no more room, it stays readable; then it doesn't */
	assert_int_equal(ops->events_read(w->fd, q, events, 2, &n, &w->err), 0);
	assert_int_equal(n, 2);
	assert_false(events[0].lost);
	assert_int_equal(events[0].size, sizeof(*e));
	assert_true(e->virt_id == 0x18 && e->iova == GUEST_IOVA + 5);
	assert_int_equal(poll(&readable, 1, 0), 1);
	assert_int_equal(ops->events_read(w->fd, q, events, 70, &n, &w->err), 0);
	assert_int_equal(n, 67);
	assert_true(events[66].lost);
	assert_int_equal(events[66].sequence, 69);
	assert_int_equal(events[66].size, 0);
	assert_int_equal(poll(&readable, 1, 0), 0);
	assert_int_equal(ops->events_read(w->fd, viommu, events, 1, &n, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_READ_EVENTS", NULL, NULL);

	assert_int_equal(ops->viommu_free(w->fd, viommu, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_FREE", "can't free viommu 3: Device or resource busy",
		    NULL);
	assert_int_equal(ops->detach(w->fd, w->edu, NO_PASID, &w->err), 0);
	assert_int_equal(ops->ioasid_free(w->fd, id, &w->err), 0);
	assert_int_equal(ops->events_free(w->fd, q, &w->err), 0);
	assert_int_equal(ops->events_fd(w->fd, q), -1);
	assert_int_equal(ops->queue_free(w->fd, hw, &w->err), 0);
	assert_int_equal(ops->vdevice_free(w->fd, vdevice, &w->err), 0);
	assert_int_equal(ops->viommu_free(w->fd, viommu, &w->err), 0);
	ops->device_close(second);
	ops->device_close(plain);
}

static void test_pasids(void **state)
{
	struct world *w = *state;
	uint32_t cookie, able = allocated(w, IOASID_FLAG_PASID), plain = allocated(w, 0);
	struct driver_device *nic = bound(w, SELECTOR_PCI, NIC, &cookie);

	assert_int_equal(map_at(w, able, 0x10000, GUEST_PAGE), 0);
	assert_int_equal(ops->attach(w->fd, nic, plain, 5, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH",
		    "can't attach PASID 5 of device " NIC " to IOASID 3: Invalid argument",
		    "IOASID 3 was made without `pasid`");
	assert_int_equal(ops->attach(w->fd, nic, plain, NO_PASID, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, nic, able, 5, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "IOASID 3, which the whole device is in, was made without `pasid`");
	assert_int_equal(ops->detach(w->fd, nic, NO_PASID, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, nic, able, 1 << 20, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "the PASIDs of the device are from 1 to 1048575");
	assert_int_equal(ops->attach(w->fd, nic, able, 5, &w->err), 0);
	assert_int_equal(dma(w, cookie, 5, 0x10000, 'p'), 0);
	assert_int_equal(w->memory[0], 'p');
	assert_int_equal(ops->attach(w->fd, nic, plain, NO_PASID, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "PASIDs of the device are attached, and IOASID 3 was made without `pasid`");
	assert_int_equal(ops->detach(w->fd, nic, 5, &w->err), 0);
	assert_int_equal(ops->detach(w->fd, nic, 5, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_DETACH", NULL, "it isn't attached");
	assert_int_equal(ops->attach(w->fd, w->edu, able, 5, &w->err), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "the device, or the IOMMU in front of it, has no PASIDs");
	ops->device_close(nic);
}

static void test_faults(void **state)
{
	struct world *w = *state;
	uint32_t cookie, id = allocated(w, IOASID_FLAG_FAULT_QUEUE);
	struct driver_device *nic = bound(w, SELECTOR_PCI, NIC, &cookie);
	struct pollfd readable = {.fd = ops->faults_fd(w->fd, id), .events = POLLIN};
	struct io_fault faults[4];
	size_t n;

	assert_int_equal(ops->faults_fd(w->fd, w->parent), -1);
	assert_int_equal(ops->attach(w->fd, w->edu, id, NO_PASID, &w->err), -ENODEV);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "the IOASID has a fault queue, and the device can't wait for pages");
	assert_int_equal(ops->attach(w->fd, nic, id, NO_PASID, &w->err), 0);
	assert_int_equal(ops->faults_read(w->fd, id, faults, 4, &n, &w->err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(dma(w, cookie, NO_PASID, 0x5008, 'f'), IOASID_FAULT_PENDING);
	assert_int_equal(poll(&readable, 1, 0), 1);
	assert_int_equal(ops->faults_read(w->fd, id, faults, 4, &n, &w->err), 0);
	assert_int_equal(n, 1);
	assert_int_equal(poll(&readable, 1, 0), 0);
	assert_int_equal(faults[0].device, cookie);
	assert_int_equal(faults[0].pasid, NO_PASID);
	assert_int_equal(faults[0].access, FAULT_WRITE);
	assert_true(faults[0].address == 0x5000 && faults[0].length == 4096 && faults[0].last);
	assert_int_equal(map_at(w, id, 0x5000, GUEST_PAGE), 0);
	assert_int_equal(ops->fault_answer(w->fd, id, faults[0].cookie, true, &w->err), 0);
	assert_int_equal(dma(w, cookie, NO_PASID, 0x5008, 'f'), 0);
	assert_int_equal(w->memory[8], 'f');
	assert_int_equal(ops->fault_answer(w->fd, id, faults[0].cookie, true, &w->err), -EINVAL);
	assert_said(w, ERROR_KERNEL, "IOASID_ANSWER_FAULT", NULL,
		    "no fault of that number waits: it was answered, or its device was detached");
	assert_int_equal(dma(w, cookie, NO_PASID, 0x6000, 'f'), IOASID_FAULT_PENDING);
	assert_int_equal(ops->faults_read(w->fd, id, faults, 1, &n, &w->err), 0);
	assert_int_equal(poll(&readable, 1, 0), 1); /* there may be more */
	assert_int_equal(ops->fault_answer(w->fd, id, faults[0].cookie, false, &w->err), 0);
	assert_int_equal(dma(w, cookie, NO_PASID, 0x6000, 'f'), IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(ops->faults_read(w->fd, w->parent, faults, 4, &n, &w->err), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_READ_FAULTS", NULL, "the IOASID has no fault queue");
	ops->device_close(nic);
	assert_int_equal(ops->ioasid_free(w->fd, id, &w->err), 0);
	assert_int_equal(ops->faults_fd(w->fd, id), -1);
}

static void test_dirty(void **state)
{
	struct world *w = *state;
	uint32_t id = allocated(w, IOASID_FLAG_DIRTY);
	const struct range range = {0x10000, 0x17fff}, odd = {0x10000, 0x100ff};
	uint64_t bits = 0;

	assert_int_equal(map_at(w, id, 0x10000, 8 * GUEST_PAGE), 0);
	assert_int_equal(ops->attach(w->fd, w->edu, id, NO_PASID, &w->err), 0);
	assert_int_equal(ops->dirty_set(w->fd, id, true, &w->err), 0);
	assert_int_equal(dma(w, w->edu_cookie, NO_PASID, 0x13010, 'd'), 0);
	assert_int_equal(ops->dirty_read(w->fd, id, &range, 4096, true, &bits, &w->err), 0);
	assert_true(bits == 8);
	bits = 0;
	assert_int_equal(ops->dirty_read(w->fd, id, &range, 4096, false, &bits, &w->err), 0);
	assert_true(bits == 8);
	bits = 0;
	assert_int_equal(ops->dirty_read(w->fd, id, &range, 4096, false, &bits, &w->err), 0);
	assert_true(bits == 0);
	assert_int_equal(ops->dirty_read(w->fd, id, &odd, 4096, false, &bits, &w->err), -EINVAL);
	assert_said(w, ERROR_KERNEL, "IOASID_READ_DIRTY",
		    "can't read the dirty pages of 0x10000-0x100ff in IOASID 2: Invalid argument",
		    NULL);
	assert_int_equal(ops->dirty_set(w->fd, id, false, &w->err), 0);
	assert_int_equal(ops->dirty_set(w->fd, w->parent, true, &w->err), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_SET_DIRTY",
		    "can't start dirty tracking of IOASID 1: Operation not supported",
		    "the IOASID was made without dirty tracking");
}

static void test_placed(void **state)
{
	struct world *w = *state;
	uint32_t id = allocated(w, 0);
	uint64_t placed = 1;
	struct map_args args = {
		.length = 8 * GUEST_PAGE, .access = ACCESS_RW, .fd = -1, .placed = &placed};
	const struct range narrow = {0x40000, 0x40fff};

	args.va = w->memory;
	/* by the offset in the memory, not by where that is mapped here */
	args.offset = 1 << 20;
	assert_int_equal(ops->map(w->fd, id, &args, &w->err), 0);
	assert_true(placed == 0x8000);
	args.offset = 0x3000;
	args.length = GUEST_PAGE;
	assert_int_equal(ops->map(w->fd, id, &args, &w->err), 0);
	assert_true(placed == 0x1000);
	assert_int_equal(ops->allow(w->fd, id, &narrow, 1, &w->err), 0);
	placed = 7;
	args.length = 2 * GUEST_PAGE;
	assert_int_equal(ops->map(w->fd, id, &args, &w->err), -ENOSPC);
	assert_true(placed == 7);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA",
		    "can't find a place for 0x2000 bytes in IOASID 2: No space left on device",
		    "nothing that long is free among the addresses that devices and `allow` leave");
}

/* Two devices that don't fit together: both are named, and what differs. */
static void test_devices_that_differ(void **state)
{
	struct world *w = *state;
	struct driver_device *narrow = bound(w, SELECTOR_PCI, NARROW, NULL);
	struct driver_device *snooping = bound(w, SELECTOR_PCI, PLAIN, NULL), *arm = NULL;
	struct device spec;
	uint32_t id = allocated(w, 0), unused;

	assert_int_equal(ops->attach(w->fd, w->edu, id, NO_PASID, &w->err), 0);
	assert_int_equal(map_at(w, id, 1ULL << 40, GUEST_PAGE), 0);
	assert_int_equal(ops->attach(w->fd, narrow, id, NO_PASID, &w->err), -EADDRINUSE);
	assert_said(w, ERROR_KERNEL, "IOASID_ATTACH", NULL,
		    "0x10000000000-0x10000000fff is mapped; the IOMMU of " EDU
		    ", which is attached, translates 48 bits of address, that of " NARROW
		    " only 39");
	assert_int_equal(ops->unmap(w->fd, id, 1ULL << 40, GUEST_PAGE, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, narrow, id, NO_PASID, &w->err), 0);

	id = rd_alloc(w->fd->file, IOASID_ALLOC_ENFORCE_SNOOP);
	assert_int_equal(ops->attach(w->fd, w->edu, id, NO_PASID, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, snooping, id, NO_PASID, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    PLAIN " can do DMA that doesn't snoop the CPU's caches, and the IOASID "
			  "enforces snooping, as for " EDU);
	ops->device_close(narrow);
	ops->device_close(snooping);

	device_init(&spec);
	spec.selector = SELECTOR_PLATFORM;
	spec.address = (char *)"fff00000.dma";
	spec.name = (char *)"dev";
	assert_int_equal(ops->device_open(&w->env, &spec, &arm, &w->err), 0);
	assert_int_equal(ops->device_bind(w->fd, arm, &unused, &w->err), -EXDEV);
	assert_said(w, ERROR_KERNEL, "IOASID_BIND_DEVICE", NULL,
		    "the IOMMU of fff00000.dma has page tables of format arm-smmuv3, that of " EDU
		    ", which is in fd main, has vtd, and the two can't live in one fd");
	ops->device_close(arm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nested), TEST(test_nested_refusals),
		TEST(test_viommu), TEST(test_pasids),
		TEST(test_faults), TEST(test_dirty),
		TEST(test_placed), TEST(test_devices_that_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
