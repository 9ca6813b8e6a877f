// SPDX-License-Identifier: GPL-2.0-or-later
/* viommus: devices on them, tables on them, queues in guest memory, events. */
#include "support_refdev.h"

#include <errno.h>
#include <sys/mman.h>

#define EDU   "0000:00:03.0"
#define TEST  "0000:00:04.0"
#define OTHER "0000:04:00.0" /* behind another IOMMU, which has no viommus */
#define SIZE  (16 * GUEST_PAGE)

struct guest {
	struct bench b;
	struct refdev_file *f;
	char *memory; /* SIZE, at 0 of the parent */
	uint32_t parent, viommu;
};

static int setup(void **state)
{
	static struct guest g;

	bench_setup(&g.b, NULL);
	g.f = g.b.file;
	g.memory = pages(SIZE);
	g.parent = rd_alloc(g.f, IOASID_ALLOC_NEST_PARENT);
	guest_table(g.memory, 0);
	assert_int_equal(rd_map(g.f, g.parent, 0, g.memory, SIZE / 2, RW), 0);
	assert_int_equal(rd_map(g.f, g.parent, SIZE / 2, g.memory + SIZE / 2, SIZE / 2, RW), 0);
	assert_int_equal(rd_bind(g.f, IOASID_SELECT_PCI, EDU, 1), 0);
	assert_int_equal(rd_bind(g.f, IOASID_SELECT_PCI, TEST, 2), 0);
	assert_int_equal(rd_viommu(g.f, IOASID_VIOMMU_DEFAULT, g.parent, 1, &g.viommu), 0);
	*state = &g;
	return 0;
}

static int teardown(void **state)
{
	struct guest *g = *state;

	bench_teardown(&g->b);
	munmap(g->memory, SIZE);
	return 0;
}

static void test_viommu(void **state)
{
	struct guest *g = *state;
	struct ioasid_entry_viommu list[2];
	uint32_t id = 0, plain = rd_alloc(g->f, 0), child;

	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_ARM_SMMUV3, g->parent, 1, &id), -EOPNOTSUPP);
	assert_int_equal(rd_viommu(g->f, 31, g->parent, 1, &id), -EOPNOTSUPP);
	assert_int_equal(rd_viommu(g->f, 32, g->parent, 1, &id), -EOPNOTSUPP);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, g->parent, 9, &id), -ENOENT);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, 99, 1, &id), -ENOENT);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, plain, 1, &id), -EINVAL);
	assert_int_equal(rd_nest(g->f, g->parent, 0, 1, IOASID_TABLE_X86_64, 0, 0, &child), 0);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, child, 1, &id), -ENOENT);
	assert_int_equal(rd_bind(g->f, IOASID_SELECT_PCI, OTHER, 3), 0);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, g->parent, 3, &id), -EOPNOTSUPP);
	assert_int_equal(id, 0);

	assert_int_equal(rd_list(g->f, IOASID_LIST_VIOMMUS, IOASID_NONE, list, 2), 1);
	assert_int_equal(list[0].viommu, g->viommu);
	assert_int_equal(list[0].type, IOASID_VIOMMU_DEFAULT);
	assert_int_equal(list[0].parent, g->parent);
	assert_int_equal(list[0].cookie, 1);
	/* no object of one kind is taken for one of another */
	assert_int_equal(rd_attach(g->f, 1, g->viommu), -ENOENT);
	assert_int_equal(rd_map(g->f, g->viommu, 0, g->memory, GUEST_PAGE, RW), -ENOENT);
	assert_int_equal(rd_free(g->f, child), 0);
	assert_int_equal(rd_free(g->f, g->parent), -EBUSY);
	assert_int_equal(rd_free(g->f, g->viommu), 0);
	assert_int_equal(rd_free(g->f, g->viommu), -ENOENT);
	assert_int_equal(rd_free(g->f, g->parent), 0);
}

static void test_vdevices(void **state)
{
	struct guest *g = *state;
	struct ioasid_entry_vdevice list[4];
	uint32_t one = 0, two = 0, second;

	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, g->parent, 2, &second), 0);
	assert_int_equal(rd_vdevice(g->f, 99, 1, 0x18, &one), -ENOENT);
	assert_int_equal(rd_vdevice(g->f, g->parent, 1, 0x18, &one), -ENOENT);
	assert_int_equal(rd_vdevice(g->f, g->viommu, 9, 0x18, &one), -ENOENT);
	assert_int_equal(rd_bind(g->f, IOASID_SELECT_PCI, OTHER, 3), 0);
	assert_int_equal(rd_vdevice(g->f, g->viommu, 3, 0x18, &one), -EINVAL);
	assert_int_equal(rd_vdevice(g->f, g->viommu, 1, 0x18, &one), 0);
	assert_int_equal(rd_vdevice(g->f, g->viommu, 1, 0x20, &two), -EEXIST);
	assert_int_equal(rd_vdevice(g->f, second, 1, 0x20, &two), -EEXIST);
	assert_int_equal(rd_vdevice(g->f, g->viommu, 2, 0x18, &two), -EEXIST);
	assert_int_equal(two, 0);
	assert_int_equal(rd_vdevice(g->f, second, 2, 0x18, &two), 0);
	assert_int_equal(rd_list(g->f, IOASID_LIST_VDEVICES, IOASID_NONE, list, 4), 2);
	assert_int_equal(rd_list(g->f, IOASID_LIST_VDEVICES, second, list, 4), 1);
	assert_int_equal(list[0].vdevice, two);
	assert_int_equal(list[0].viommu, second);
	assert_int_equal(list[0].cookie, 2);
	assert_int_equal(list[0].virt_id, 0x18);
	assert_int_equal(rd_free(g->f, second), -EBUSY);
	assert_int_equal(rd_free(g->f, two), 0);
	assert_int_equal(rd_free(g->f, second), 0);
	/* it goes with its device */
	assert_int_equal(rd_unbind(g->f, 1), 0);
	assert_int_equal(rd_free(g->f, one), -ENOENT);
	assert_int_equal(rd_free(g->f, g->viommu), 0);
}

static void test_nested_on_it(void **state)
{
	struct guest *g = *state;
	uint32_t id, other, vdevice;
	struct ioasid_entry_ioasid list[4];

	assert_int_equal(rd_nest(g->f, IOASID_NONE, g->viommu, 1, IOASID_TABLE_VTD_S1, 0, 0, &id),
			 0);
	assert_int_equal(rd_nest(g->f, g->parent, g->viommu, 2, IOASID_TABLE_X86_64, 0, 0, &other),
			 0);
	assert_int_equal(rd_nest(g->f, id, g->viommu, 1, IOASID_TABLE_X86_64, 0, 0, &other),
			 -EINVAL);
	assert_int_equal(rd_list(g->f, IOASID_LIST_IOASIDS, 0, list, 4), 3);
	assert_int_equal(list[1].viommu, g->viommu);
	assert_int_equal(list[1].parent, g->parent);
	*guest_entry(g->memory, 0) = 9 * GUEST_PAGE | GUEST_ENTRY;
	assert_int_equal(rd_attach(g->f, 1, id), -ENOENT); /* the guest doesn't know the device */
	assert_int_equal(rd_vdevice(g->f, g->viommu, 1, 0x18, &vdevice), 0);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA, "v", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[9 * GUEST_PAGE], 'v');
	/* caches of all that is on it */
	*guest_entry(g->memory, 0) = 10 * GUEST_PAGE | GUEST_ENTRY;
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA, "w", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[10 * GUEST_PAGE], 0);
	assert_int_equal(rd_invalidate(g->f, g->viommu, 0, 8, 4096), -EINVAL);
	assert_int_equal(rd_invalidate(g->f, g->viommu, IOASID_INVALIDATE_ALL, 0, 0), 0);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA, "w", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[10 * GUEST_PAGE], 'w');
	assert_int_equal(rd_free(g->f, g->viommu), -EBUSY);
}

static int queue(struct guest *g, uint32_t viommu, uint32_t index, uint64_t iova, uint64_t length,
		 uint32_t *out)
{
	struct ioasid_hw_queue_args args = {.argsz = sizeof(args),
					    .viommu = viommu,
					    .index = index,
					    .iova = iova,
					    .length = length};
	int ret = refdev_ioctl(g->f, IOASID_HW_QUEUE_ALLOC, &args);

	if (!ret)
		*out = args.queue;
	return ret;
}

static void test_hw_queues(void **state)
{
	struct guest *g = *state;
	struct ioasid_entry_hw_queue list[4];
	uint32_t one = 0, two = 0, id;

	assert_int_equal(queue(g, g->viommu, 0, 0, 0, &one), -EINVAL);
	assert_int_equal(queue(g, g->viommu, 0, UINT64_MAX, 2, &one), -EOVERFLOW);
	assert_int_equal(queue(g, 99, 0, 0, 4096, &one), -ENOENT);
	assert_int_equal(queue(g, g->viommu, 0, SIZE - 8, 16, &one), -ENOENT);
	assert_int_equal(queue(g, g->viommu, 2, 0, 4096, &one), -EINVAL);
	assert_int_equal(queue(g, g->viommu, 1, 0, 4096, &one), -EIO);
	assert_int_equal(one, 0);
	/* The vIOMMU has its IOMMU's table made, and with it only whole pages can be mapped. */
	assert_int_equal(rd_map(g->f, g->parent, 0x100000, g->memory, 0x1800, RW), -EINVAL);
	assert_int_equal(rd_map(g->f, g->parent, 0x200000, g->memory + 0x800, 0x1000, RW), -EINVAL);
	assert_int_equal(queue(g, g->viommu, 0, 0x1000, 0x200, &one), 0);
	assert_int_equal(queue(g, g->viommu, 0, 0x2000, 0x200, &two), -EEXIST);
	assert_int_equal(queue(g, g->viommu, 1, SIZE / 2 - 64, 128, &two),
			 0); /* in both mappings */
	assert_int_equal(rd_list(g->f, IOASID_LIST_HW_QUEUES, g->viommu, list, 4), 2);
	assert_int_equal(list[1].queue, two);
	assert_int_equal(list[1].viommu, g->viommu);
	assert_int_equal(list[1].index, 1);
	assert_true(list[1].iova == SIZE / 2 - 64 && list[1].length == 128);

	/* the memory stays, whole, as long as one needs it */
	assert_int_equal(rd_unmap(g->f, g->parent, SIZE / 2, SIZE / 2), -EBUSY);
	assert_int_equal(rd_unmap(g->f, g->parent, 0, UINT64_MAX), -EBUSY);
	assert_int_equal(rd_unmap(g->f, g->parent, SIZE / 2, GUEST_PAGE), -EBUSY);
	assert_int_equal(rd_info(g->f, g->parent).n_mappings, 2);
	assert_int_equal(rd_free(g->f, one), -EBUSY); /* the next depends on it */
	assert_int_equal(rd_free(g->f, two), 0);
	assert_int_equal(rd_unmap(g->f, g->parent, SIZE / 2, SIZE / 2), 0);
	assert_int_equal(rd_unmap(g->f, g->parent, 0, SIZE / 2), -EBUSY);
	assert_int_equal(rd_free(g->f, g->viommu), -EBUSY);
	assert_int_equal(rd_free(g->f, one), 0);
	assert_int_equal(rd_unmap(g->f, g->parent, 0, SIZE / 2), 0);
	assert_int_equal(rd_free(g->f, g->viommu), 0);

	/* an IOMMU without such queues */
	bench_teardown(&g->b);
	bench_setup(&g->b,
		    "{\"schema_version\": 1, \"iommus\": [{\"name\": \"a\", \"format\": \"x\","
		    " \"address_bits\": 48, \"page_sizes\": [\"4K\"], \"nesting\": true,"
		    " \"viommu_types\": [\"default\"]}], \"groups\": [{\"id\": 1}], \"devices\":"
		    " [{\"pci\": \"0000:01:00.0\", \"iommu\": \"a\", \"group\": 1}]}");
	g->f = g->b.file;
	assert_int_equal(rd_bind(g->f, IOASID_SELECT_PCI, "0000:01:00.0", 1), 0);
	id = rd_alloc(g->f, IOASID_ALLOC_NEST_PARENT);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, id, 1, &one), 0);
	assert_int_equal(queue(g, one, 0, 0, 4096, &two), -EOPNOTSUPP);
}

static int event_queue(struct guest *g, uint32_t viommu, uint32_t depth, uint32_t *out)
{
	struct ioasid_event_queue_args args = {
		.argsz = sizeof(args), .viommu = viommu, .depth = depth};
	int ret = refdev_ioctl(g->f, IOASID_EVENT_QUEUE_ALLOC, &args);

	if (!ret)
		*out = args.queue;
	return ret;
}

static uint32_t read_events(struct guest *g, uint32_t id, struct ioasid_event *out, uint32_t room)
{
	struct ioasid_read_events_args args = {
		.argsz = sizeof(args), .queue = id, .count = room, .events = (uintptr_t)out};

	assert_int_equal(refdev_ioctl(g->f, IOASID_READ_EVENTS, &args), 0);
	return args.count;
}

static void fail_at(struct guest *g, uint64_t iova)
{
	char byte = 0;

	assert_int_not_equal(rd_dma(g->f, 1, iova, &byte, 1, IOASID_DMA_WRITE, NULL, NULL), 0);
}

static void test_events(void **state)
{
	struct guest *g = *state;
	struct ioasid_event events[8];
	struct ioasid_entry_event_queue list[2];
	uint32_t id, vdevice, q = 0, none = 0;

	assert_int_equal(event_queue(g, g->viommu, 0, &q), -EINVAL);
	assert_int_equal(event_queue(g, g->viommu, IOASID_EVENTS_MAX + 1, &q), -EINVAL);
	assert_int_equal(event_queue(g, g->parent, 4, &q), -ENOENT);
	assert_int_equal(event_queue(g, g->viommu, 3, &q), 0);
	assert_int_equal(event_queue(g, g->viommu, 3, &none), -EEXIST);
	assert_int_equal(rd_free(g->f, g->viommu), -EBUSY);
	assert_int_equal(rd_vdevice(g->f, g->viommu, 1, 0x18, &vdevice), 0);
	assert_int_equal(rd_nest(g->f, IOASID_NONE, g->viommu, 1, IOASID_TABLE_X86_64, 0, 0, &id),
			 0);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	*guest_entry(g->memory, 1) = 99 * GUEST_PAGE | GUEST_ENTRY;
	fail_at(g, GUEST_IOVA);
	fail_at(g, GUEST_IOVA + GUEST_PAGE + 5);
	assert_int_equal(read_events(g, q, events, 8), 2);
	assert_int_equal(events[0].flags, 0);
	assert_int_equal(events[0].sequence, 0);
	assert_int_equal(events[0].size, sizeof(events[0].data));
	assert_int_equal(events[0].data.virt_id, 0x18);
	assert_true(events[0].data.iova == GUEST_IOVA);
	assert_int_equal(events[0].data.fault, IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(events[0].data.stage, 1);
	assert_int_equal(events[0].data.access, IOASID_ACCESS_WRITE);
	assert_int_equal(events[0].data.pasid, IOASID_NO_PASID);
	assert_int_equal(events[1].sequence, 1);
	assert_int_equal(events[1].data.stage, 2);
	assert_true(events[1].data.gpa == 99 * GUEST_PAGE + 5);
	assert_int_equal(read_events(g, q, events, 8), 0);

	/* five for three places: the mark says so until there is an event again */
	for (unsigned i = 0; i < 5; i++)
		fail_at(g, GUEST_IOVA + (2 + i) * GUEST_PAGE);
	assert_int_equal(rd_list(g->f, IOASID_LIST_EVENT_QUEUES, IOASID_NONE, list, 2), 1);
	assert_int_equal(list[0].queue, q);
	assert_int_equal(list[0].depth, 3);
	assert_int_equal(list[0].n_events, 4);
	assert_int_equal(read_events(g, q, events, 2), 2);
	assert_int_equal(read_events(g, q, events + 2, 6), 2);
	assert_int_equal(events[2].sequence, 4);
	assert_int_equal(events[3].flags, IOASID_EVENT_LOST);
	assert_int_equal(events[3].sequence, 6);
	assert_int_equal(events[3].size, 0);
	for (unsigned i = 0; i < 4; i++)
		fail_at(g, GUEST_IOVA + (2 + i) * GUEST_PAGE);
	assert_int_equal(read_events(g, q, events, 1), 1);
	fail_at(g, GUEST_IOVA);
	assert_int_equal(read_events(g, q, events + 1, 8), 3);
	assert_int_equal(events[3].flags, 0);
	assert_int_equal(events[2].sequence, 9);
	assert_int_equal(events[3].sequence, 11); /* 10 is the one that got lost */

	/* a device that the guest doesn't know tells nothing */
	assert_int_equal(rd_free(g->f, vdevice), 0);
	fail_at(g, GUEST_IOVA);
	assert_int_equal(read_events(g, q, events, 8), 0);
	assert_int_equal(rd_free(g->f, q), 0);
	fail_at(g, GUEST_IOVA);
}

/* Linux's mock vIOMMU: caches of devices. */
static void test_mock(void **state)
{
	struct guest *g = *state;
	uint32_t parent = rd_alloc(g->f, IOASID_ALLOC_NEST_PARENT), viommu, vdevice, id;
	struct ioasid_entry_viommu list[4];

	assert_int_equal(rd_bind(g->f, IOASID_SELECT_MOCK, "0", 5), 0);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_ARM_SMMUV3, parent, 5, &viommu),
			 -EOPNOTSUPP);
	/* the plain one of its IOMMU */
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_DEFAULT, parent, 5, &viommu), 0);
	assert_int_equal(rd_list(g->f, IOASID_LIST_VIOMMUS, IOASID_NONE, list, 4), 2);
	assert_int_equal(list[1].type, IOASID_VIOMMU_MOCK);
	assert_int_equal(rd_free(g->f, viommu), 0);
	assert_int_equal(rd_viommu(g->f, IOASID_VIOMMU_MOCK, parent, 5, &viommu), 0);
	assert_int_equal(rd_vdevice(g->f, viommu, 5, 0x99, &vdevice), 0);
	assert_int_equal(rd_nest(g->f, IOASID_NONE, viommu, 5, IOASID_TABLE_MOCK, 1, 0, &id), 0);
	assert_int_equal(rd_attach(g->f, 5, id), 0);
	assert_int_equal(rd_command(g->f, viommu, 0, 2, 3, 0x99), 0);
	assert_int_equal(rd_command(g->f, viommu, 0, 2, 4, 0x99), -EINVAL);
	assert_int_equal(rd_command(g->f, viommu, 0, 2, 3, 0x98), -EINVAL);
	assert_int_equal(rd_command(g->f, viommu, 0, 1, 3, 0), 0);
	assert_int_equal(rd_command(g->f, viommu, 0, 1, 4, 0), -EINVAL);
	assert_int_equal(rd_command(g->f, viommu, IOASID_INVALIDATE_ALL, 2, 0, 0x99), 0);
	assert_int_equal(rd_invalidate(g->f, viommu, 0, 0, 4095), -EOPNOTSUPP);
	assert_int_equal(rd_invalidate(g->f, viommu, IOASID_INVALIDATE_ALL, 0, 0), 0);
	assert_int_equal(rd_free(g->f, vdevice), 0);
	assert_int_equal(rd_command(g->f, viommu, 0, 1, 3, 0), 0); /* of no device */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_viommu),    CASE(test_vdevices), CASE(test_nested_on_it),
		CASE(test_hw_queues), CASE(test_events),   CASE(test_mock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
