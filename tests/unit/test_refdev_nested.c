// SPDX-License-Identifier: GPL-2.0-or-later
/* Nested IOASIDs: bytes go where the guest's own table says, as far as its parent lets them. */
#include "support_refdev.h"

#include <errno.h>
#include <sys/mman.h>

#define EDU   "0000:00:03.0"
#define NIC   "0000:01:00.0"
#define OTHER "0000:04:00.0" /* behind an IOMMU of that format that can't nest */
#define GPA   0x10000000ULL
#define SIZE  (16 * GUEST_PAGE)

struct guest {
	struct bench b;
	struct refdev_file *f;
	char *memory; /* SIZE, at GPA of the parent */
	uint32_t parent;
};

static int setup(void **state)
{
	static struct guest g;

	bench_setup(&g.b, NULL);
	g.f = g.b.file;
	g.memory = pages(SIZE);
	g.parent = rd_alloc(g.f, IOASID_ALLOC_NEST_PARENT);
	guest_table(g.memory, GPA);
	assert_int_equal(rd_map(g.f, g.parent, GPA, g.memory, SIZE, RW), 0);
	assert_int_equal(rd_bind(g.f, IOASID_SELECT_PCI, EDU, 1), 0);
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

/* Page n of the guest's memory, mapped at GUEST_IOVA + at pages. */
static void point(struct guest *g, unsigned at, unsigned n, uint64_t flags)
{
	*guest_entry(g->memory, at) = (GPA + n * GUEST_PAGE) | flags;
}

static uint32_t nested(struct guest *g, uint32_t flags)
{
	uint32_t id = 0;

	assert_int_equal(rd_nest(g->f, g->parent, 0, 1, IOASID_TABLE_X86_64, GPA, flags, &id), 0);
	assert_int_not_equal(id, 0);
	return id;
}

static struct ioasid_test_dma_args try(struct guest *g, uint64_t iova, uint32_t flags)
{
	char byte = 'x';

	return rd_dma_pasid(g->f, 1, IOASID_NO_PASID, iova, &byte, 1, flags);
}

static void test_data_goes_through_both(void **state)
{
	struct guest *g = *state;
	uint32_t id = nested(g, 0);
	char out[2 * 4096], in[2 * 4096] = {0};

	point(g, 0, 9, GUEST_ENTRY);
	point(g, 1, 5, GUEST_ENTRY);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 5 + 1);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA + 16, out, sizeof(out) - 16, IOASID_DMA_WRITE,
				NULL, NULL),
			 0);
	assert_memory_equal(g->memory + 9 * GUEST_PAGE + 16, out, GUEST_PAGE - 16);
	assert_memory_equal(g->memory + 5 * GUEST_PAGE, out + GUEST_PAGE - 16, GUEST_PAGE);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA + 16, in, sizeof(in) - 16, 0, NULL, NULL), 0);
	assert_memory_equal(in, out, sizeof(in) - 16);
}

/* The guest changes an entry: the old page is reached until it says so. */
static void test_iotlb_is_stale_until_invalidated(void **state)
{
	struct guest *g = *state;
	uint32_t id = nested(g, 0);

	point(g, 0, 9, GUEST_ENTRY);
	point(g, 1, 9, GUEST_ENTRY);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA, "a", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(
		rd_dma(g->f, 1, GUEST_IOVA + GUEST_PAGE, "b", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	point(g, 0, 10, GUEST_ENTRY);
	point(g, 1, 11, GUEST_ENTRY);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA, "c", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[9 * GUEST_PAGE], 'c');
	assert_int_equal(g->memory[10 * GUEST_PAGE], 0);

	/* of a range only that range */
	assert_int_equal(rd_invalidate(g->f, id, 0, GUEST_IOVA, GUEST_IOVA + GUEST_PAGE - 1), 0);
	assert_int_equal(rd_dma(g->f, 1, GUEST_IOVA, "d", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[10 * GUEST_PAGE], 'd');
	assert_int_equal(
		rd_dma(g->f, 1, GUEST_IOVA + GUEST_PAGE, "e", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[9 * GUEST_PAGE], 'e');
	assert_int_equal(rd_invalidate(g->f, id, IOASID_INVALIDATE_ALL, 0, 0), 0);
	assert_int_equal(
		rd_dma(g->f, 1, GUEST_IOVA + GUEST_PAGE, "f", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[11 * GUEST_PAGE], 'f');

	/* what isn't there is never kept, and more rights need no invalidation */
	assert_int_equal(try(g, GUEST_IOVA + 2 * GUEST_PAGE, 0).fault, IOASID_FAULT_NOT_MAPPED);
	point(g, 2, 12, GUEST_ENTRY & ~2ULL);
	assert_int_equal(try(g, GUEST_IOVA + 2 * GUEST_PAGE, 0).fault, 0);
	assert_int_equal(try(g, GUEST_IOVA + 2 * GUEST_PAGE, IOASID_DMA_WRITE).fault,
			 IOASID_FAULT_NO_WRITE);
	point(g, 2, 12, GUEST_ENTRY);
	assert_int_equal(try(g, GUEST_IOVA + 2 * GUEST_PAGE, IOASID_DMA_WRITE).fault, 0);
}

static void test_rights_are_combined(void **state)
{
	struct guest *g = *state;
	uint32_t id = nested(g, 0);
	uint64_t *upper = (uint64_t *)g->memory + 2 * 512 + (GUEST_IOVA >> 21 & 511);
	char *more = pages(GUEST_PAGE);
	struct ioasid_test_dma_args said;

	assert_int_equal(rd_map(g->f, g->parent, GPA + SIZE, more, GUEST_PAGE, IOASID_MAP_READ), 0);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	point(g, 0, 9, GUEST_ENTRY & ~2ULL); /* read-only */
	point(g, 1, 9, GUEST_ENTRY & ~4ULL); /* the guest's kernel only */
	point(g, 2, 16, GUEST_ENTRY); /* the parent's is read-only */
	point(g, 3, 17, GUEST_ENTRY); /* the parent maps nothing there */
	point(g, 4, 9, GUEST_ENTRY);

	assert_int_equal(try(g, GUEST_IOVA, 0).fault, 0);
	said = try(g, GUEST_IOVA, IOASID_DMA_WRITE);
	assert_int_equal(said.fault, IOASID_FAULT_NO_WRITE);
	assert_int_equal(said.stage, 1);
	assert_int_equal(try(g, GUEST_IOVA + GUEST_PAGE, 0).fault, IOASID_FAULT_NO_READ);
	assert_int_equal(try(g, GUEST_IOVA + 2 * GUEST_PAGE, 0).fault, 0);
	said = try(g, GUEST_IOVA + 2 * GUEST_PAGE + 5, IOASID_DMA_WRITE);
	assert_int_equal(said.fault, IOASID_FAULT_NO_WRITE);
	assert_int_equal(said.stage, 2);
	assert_true(said.fault_gpa == GPA + SIZE + 5);
	said = try(g, GUEST_IOVA + 3 * GUEST_PAGE, 0);
	assert_int_equal(said.fault, IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(said.stage, 2);
	assert_true(said.fault_gpa == GPA + SIZE + GUEST_PAGE);

	/* an upper level takes rights away from all below */
	*upper &= ~2ULL;
	assert_int_equal(try(g, GUEST_IOVA + 4 * GUEST_PAGE, 0).fault, 0);
	assert_int_equal(try(g, GUEST_IOVA + 4 * GUEST_PAGE, IOASID_DMA_WRITE).fault,
			 IOASID_FAULT_NO_WRITE);
	/* a parent that loses the page behind an entry that is cached */
	assert_int_equal(rd_unmap(g->f, g->parent, GPA + SIZE, GUEST_PAGE), 0);
	assert_int_equal(try(g, GUEST_IOVA + 2 * GUEST_PAGE, 0).fault, IOASID_FAULT_NOT_MAPPED);
	munmap(more, GUEST_PAGE);
}

static void test_walk_that_stops(void **state)
{
	struct guest *g = *state;
	uint64_t *root = (uint64_t *)g->memory, *second = root + 512, *third = root + 2 * 512;
	struct ioasid_test_dma_args said;
	uint32_t id = nested(g, 0);
	const uint64_t saved = third[GUEST_IOVA >> 21 & 511];

	assert_int_equal(rd_attach(g->f, 1, id), 0);
	said = try(g, GUEST_IOVA, 0);
	assert_int_equal(said.fault, IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(said.stage, 1);
	assert_int_equal(said.level, 0);
	assert_int_equal(said.done, 0);
	said = try(g, 1ULL << 39, 0);
	assert_int_equal(said.fault, IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(said.level, 3);
	/* not canonical: the upper half begins with all bits set */
	assert_int_equal(try(g, 1ULL << 47, 0).fault, IOASID_FAULT_WIDTH);
	assert_int_equal(try(g, UINT64_MAX << 47, 0).fault, IOASID_FAULT_NOT_MAPPED);
	/* interrupts are told before the table is looked at */
	assert_int_equal(try(g, 0xfee00000, IOASID_DMA_WRITE).fault, IOASID_FAULT_RESERVED);

	/* a node outside of the guest's memory */
	third[GUEST_IOVA >> 21 & 511] = (GPA - GUEST_PAGE) | GUEST_ENTRY;
	said = try(g, GUEST_IOVA + 8 * GUEST_PAGE, 0);
	assert_int_equal(said.fault, IOASID_FAULT_TABLE);
	assert_int_equal(said.stage, 2);
	assert_int_equal(said.level, 0);
	assert_true(said.fault_gpa == GPA - GUEST_PAGE + 8 * (8 + (GUEST_IOVA >> 12 & 511)));
	third[GUEST_IOVA >> 21 & 511] = 0xfffffffff000 | GUEST_ENTRY;
	assert_int_equal(try(g, GUEST_IOVA, 0).fault, IOASID_FAULT_TABLE);

	/* large pages: 2 MiB and 1 GiB, aligned, none above */
	third[GUEST_IOVA >> 21 & 511] = (GPA & ~0x1fffffULL) | GUEST_ENTRY | 0x80;
	assert_int_equal(try(g, GUEST_IOVA + 9 * GUEST_PAGE, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[9 * GUEST_PAGE], 'x');
	third[GUEST_IOVA >> 21 & 511] |= GUEST_PAGE;
	assert_int_equal(try(g, GUEST_IOVA, 0).fault, IOASID_FAULT_ENTRY);
	third[GUEST_IOVA >> 21 & 511] = saved;
	second[GUEST_IOVA >> 30 & 511] = GUEST_ENTRY | 0x80;
	assert_int_equal(try(g, GUEST_IOVA + GPA + 10 * GUEST_PAGE, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[10 * GUEST_PAGE], 'x');
	root[GUEST_IOVA >> 39 & 511] |= 0x80;
	said = try(g, GUEST_IOVA, 0);
	assert_int_equal(said.fault, IOASID_FAULT_ENTRY);
	assert_int_equal(said.level, 3);

	/* memory that goes away under the table */
	root[GUEST_IOVA >> 39 & 511] &= ~0x80ULL;
	assert_int_equal(mprotect(g->memory, SIZE, PROT_NONE), 0);
	assert_int_equal(try(g, GUEST_IOVA, 0).fault, IOASID_FAULT_MEMORY);
	assert_int_equal(mprotect(g->memory, SIZE, PROT_READ | PROT_WRITE), 0);
}

static void test_five_levels(void **state)
{
	struct guest *g = *state;
	uint64_t *top = (uint64_t *)(g->memory + 8 * GUEST_PAGE);
	struct ioasid_alloc_args args = {.argsz = sizeof(args),
					 .kind = IOASID_KIND_NESTED,
					 .parent = g->parent,
					 .cookie = 1,
					 .table = {.format = IOASID_TABLE_VTD_S1,
						   .address_width = 57,
						   .address = GPA + 8 * GUEST_PAGE}};

	top[1] = GPA | GUEST_ENTRY;
	point(g, 0, 12, GUEST_ENTRY);
	assert_int_equal(refdev_ioctl(g->f, IOASID_ALLOC, &args), 0);
	assert_int_equal(rd_attach(g->f, 1, args.ioasid), 0);
	assert_int_equal(try(g, (1ULL << 48) + GUEST_IOVA, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[12 * GUEST_PAGE], 'x');
	assert_int_equal(try(g, GUEST_IOVA, 0).fault, IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(try(g, 1ULL << 56, 0).fault, IOASID_FAULT_WIDTH);
}

/* VT-d leaves marks in the table, and needs the right to. */
static void test_accessed_and_dirty(void **state)
{
	struct guest *g = *state;
	uint64_t *third = (uint64_t *)g->memory + 2 * 512 + (GUEST_IOVA >> 21 & 511);
	const uint64_t used = GUEST_ENTRY | 0x20, written = used | 0x40;
	struct ioasid_test_dma_args said;
	uint32_t id;

	assert_int_equal(rd_nest(g->f, g->parent, 0, 1, IOASID_TABLE_VTD_S1, GPA, 0, &id), 0);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	point(g, 0, 9, GUEST_ENTRY);
	point(g, 1, 10, GUEST_ENTRY & ~2ULL);
	assert_int_equal(try(g, GUEST_IOVA, 0).fault, 0);
	assert_true(*guest_entry(g->memory, 0) == ((GPA + 9 * GUEST_PAGE) | used));
	assert_true(*third == ((GPA + 3 * GUEST_PAGE) | used));
	/* that it is cached for reading doesn't hide the first write */
	assert_int_equal(try(g, GUEST_IOVA, IOASID_DMA_WRITE).fault, 0);
	assert_true(*guest_entry(g->memory, 0) == ((GPA + 9 * GUEST_PAGE) | written));
	/* what is refused leaves none */
	assert_int_equal(try(g, GUEST_IOVA + GUEST_PAGE, IOASID_DMA_WRITE).fault,
			 IOASID_FAULT_NO_WRITE);
	assert_true(*guest_entry(g->memory, 1) ==
		    ((GPA + 10 * GUEST_PAGE) | (GUEST_ENTRY & ~2ULL)));
	/* bit 12 of a large page is a memory type */
	*third = (GPA & ~0x1fffffULL) | GUEST_ENTRY | 0x1080;
	assert_int_equal(rd_invalidate(g->f, id, IOASID_INVALIDATE_ALL, 0, 0), 0);
	assert_int_equal(try(g, GUEST_IOVA + 11 * GUEST_PAGE, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[11 * GUEST_PAGE], 'x');
	*third = (GPA + 3 * GUEST_PAGE) | GUEST_ENTRY;

	/* the guest's memory is read-only for the IOMMU: marks that are there will do */
	assert_int_equal(rd_invalidate(g->f, id, IOASID_INVALIDATE_ALL, 0, 0), 0);
	assert_int_equal(rd_unmap(g->f, g->parent, GPA, SIZE), 0);
	assert_int_equal(rd_map(g->f, g->parent, GPA, g->memory, SIZE, IOASID_MAP_READ), 0);
	said = try(g, GUEST_IOVA, 0);
	assert_int_equal(said.fault, IOASID_FAULT_TABLE);
	assert_int_equal(said.stage, 2);
	assert_int_equal(said.level, 1);
	*third |= 0x20;
	assert_int_equal(try(g, GUEST_IOVA, 0).fault, 0);
}

/* Between parent and child, and between children: each DMA goes to the one or the other. */
static void test_moves(void **state)
{
	struct guest *g = *state;
	char *second = g->memory + 8 * GUEST_PAGE;
	uint32_t a = nested(g, 0), b, entries;
	struct ioasid_entry_ioasid list[8];

	guest_table(second, GPA + 8 * GUEST_PAGE);
	assert_int_equal(
		rd_nest(g->f, g->parent, 0, 1, IOASID_TABLE_VTD_S1, GPA + 8 * GUEST_PAGE, 0, &b),
		0);
	point(g, 0, 5, GUEST_ENTRY);
	*guest_entry(second, 0) = (GPA + 6 * GUEST_PAGE) | GUEST_ENTRY;
	assert_int_equal(rd_attach(g->f, 1, a), 0);
	assert_int_equal(try(g, GUEST_IOVA, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[5 * GUEST_PAGE], 'x');
	assert_int_equal(rd_attach(g->f, 1, b), 0);
	assert_int_equal(try(g, GUEST_IOVA, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[6 * GUEST_PAGE], 'x');
	assert_int_equal(rd_attach(g->f, 1, g->parent), 0);
	assert_int_equal(try(g, GUEST_IOVA, IOASID_DMA_WRITE).fault, IOASID_FAULT_NOT_MAPPED);
	assert_int_equal(try(g, GPA + 7 * GUEST_PAGE, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[7 * GUEST_PAGE], 'x');
	assert_int_equal(rd_attach(g->f, 1, b), 0);
	/* nothing is kept of a table that no device is in */
	*guest_entry(second, 0) = (GPA + 11 * GUEST_PAGE) | GUEST_ENTRY;
	assert_int_equal(rd_attach(g->f, 1, a), 0);
	assert_int_equal(rd_attach(g->f, 1, b), 0);
	assert_int_equal(try(g, GUEST_IOVA, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(g->memory[11 * GUEST_PAGE], 'x');

	entries = rd_list(g->f, IOASID_LIST_IOASIDS, 0, list, 8);
	assert_int_equal(entries, 3);
	assert_int_equal(list[0].kind, IOASID_KIND_GPA);
	assert_int_equal(list[0].parent, IOASID_NONE);
	assert_int_equal(list[0].n_attached, 0);
	assert_int_equal(list[0].domains, 1); /* a child needs it */
	assert_int_equal(list[2].ioasid, b);
	assert_int_equal(list[2].kind, IOASID_KIND_NESTED);
	assert_int_equal(list[2].parent, g->parent);
	assert_int_equal(list[2].n_attached, 1);
	assert_int_equal(list[2].domains, 1);
	assert_int_equal(list[2].table.format, IOASID_TABLE_VTD_S1);
	assert_true(list[2].table.address == GPA + 8 * GUEST_PAGE);
	assert_int_equal(list[1].domains, 0);

	/* what is needed stays */
	assert_int_equal(rd_free(g->f, g->parent), -EBUSY);
	assert_int_equal(rd_free(g->f, b), -EBUSY);
	assert_int_equal(rd_free(g->f, a), 0);
	assert_int_equal(rd_free(g->f, g->parent), -EBUSY);
	assert_int_equal(rd_unbind(g->f, 1), 0);
	assert_int_equal(rd_free(g->f, b), 0);
	assert_int_equal(rd_free(g->f, g->parent), 0);
	assert_int_equal(rd_fd_info(g->f).n_ioasids, 0);
}

/* What devices in children reserve, their parent can't map. */
static void test_parent_is_narrowed(void **state)
{
	struct guest *g = *state;
	uint32_t id = nested(g, 0);
	struct ioasid_entry_reserved reserved[4];
	struct ioasid_range ranges[4];
	struct ioasid_info_args info = {
		.argsz = sizeof(info), .ioasid = id, .n_ranges = 4, .ranges = (uintptr_t)ranges};

	assert_int_equal(rd_info(g->f, g->parent).n_ranges, 1);
	assert_int_equal(rd_map(g->f, g->parent, 0xfee00000, g->memory, GUEST_PAGE, RW), 0);
	assert_int_equal(rd_attach(g->f, 1, id), -EADDRINUSE);
	assert_int_equal(rd_unmap(g->f, g->parent, 0xfee00000, GUEST_PAGE), 0);
	assert_int_equal(rd_attach(g->f, 1, id), 0);
	assert_int_equal(rd_info(g->f, g->parent).n_ranges, 2);
	assert_int_equal(rd_info(g->f, g->parent).alignment, 4096);
	assert_int_equal(rd_map(g->f, g->parent, 0xfee00000, g->memory, GUEST_PAGE, RW), -EINVAL);
	assert_int_equal(rd_list(g->f, IOASID_LIST_RESERVED, g->parent, reserved, 4), 2);
	assert_true(reserved[0].first == 0xfee00000);
	assert_int_equal(rd_list(g->f, IOASID_LIST_RESERVED, id, reserved, 4), 0);
	assert_int_equal(rd_detach(g->f, 1), 0);
	assert_int_equal(rd_info(g->f, g->parent).n_ranges, 1);

	assert_int_equal(refdev_ioctl(g->f, IOASID_GET_INFO, &info), 0);
	assert_int_equal(info.n_ranges, 2);
	assert_true(ranges[0].first == 0 && ranges[0].last == (1ULL << 47) - 1);
	assert_true(ranges[1].first == -(1ULL << 47) && ranges[1].last == UINT64_MAX);
}

static int alloc_table(struct guest *g, struct ioasid_table table)
{
	struct ioasid_alloc_args args = {.argsz = sizeof(args),
					 .kind = IOASID_KIND_NESTED,
					 .parent = g->parent,
					 .cookie = 1,
					 .table = table};

	return refdev_ioctl(g->f, IOASID_ALLOC, &args);
}

static void test_alloc_refusals(void **state)
{
	struct guest *g = *state;
	uint32_t id = 0, plain = rd_alloc(g->f, 0), child = nested(g, 0);
	struct ioasid_set_dirty_args dirty = {.argsz = sizeof(dirty), .ioasid = child};

#define NEST(parent, cookie, format, root, flags) \
	rd_nest(g->f, parent, 0, cookie, IOASID_TABLE_##format, root, flags, &id)
	assert_int_equal(NEST(g->parent, 2, X86_64, GPA, 0), -ENOENT);
	assert_int_equal(NEST(plain, 1, X86_64, GPA, 0), -EINVAL);
	assert_int_equal(NEST(child, 1, X86_64, GPA, 0), -EINVAL);
	assert_int_equal(NEST(99, 1, X86_64, GPA, 0), -EINVAL);
	assert_int_equal(NEST(IOASID_NONE, 1, X86_64, GPA, 0), -EINVAL);
	assert_int_equal(NEST(g->parent, 1, NONE, GPA, 0), -EINVAL);
	assert_int_equal(NEST(g->parent, 1, ARM_SMMUV3, GPA, 0), -EOPNOTSUPP);
	assert_int_equal(NEST(g->parent, 1, MOCK, GPA, 0), -EOPNOTSUPP);
	assert_int_equal(NEST(g->parent, 1, X86_64, GPA, IOASID_ALLOC_DIRTY), -EOPNOTSUPP);
	assert_int_equal(NEST(g->parent, 1, X86_64, GPA, IOASID_ALLOC_NEST_PARENT), -EOPNOTSUPP);
	assert_int_equal(NEST(g->parent, 1, X86_64, GPA + 8, 0), -EINVAL);
	assert_int_equal(NEST(g->parent, 1, X86_64, 1ULL << 52, 0), -EINVAL);
	assert_int_equal(rd_nest(g->f, g->parent, 5, 1, IOASID_TABLE_X86_64, GPA, 0, &id), -EINVAL);
#undef NEST
	assert_int_equal(alloc_table(g, (struct ioasid_table){.format = 99}), -EOPNOTSUPP);
	assert_int_equal(alloc_table(g, (struct ioasid_table){.format = 31}), -EOPNOTSUPP);
	assert_int_equal(alloc_table(g, (struct ioasid_table){.format = IOASID_TABLE_X86_64,
							      .address_width = 39}),
			 -EINVAL);
	assert_int_equal(
		alloc_table(g, (struct ioasid_table){.format = IOASID_TABLE_X86_64, .n_words = 1}),
		-EINVAL);
	assert_int_equal(alloc_table(g, (struct ioasid_table){.format = IOASID_TABLE_X86_64,
							      .words = {0, 1}}),
			 -EINVAL);
	assert_int_equal(
		alloc_table(g, (struct ioasid_table){.format = IOASID_TABLE_X86_64, .reserved = 1}),
		-EOPNOTSUPP);

	/* behind an IOMMU without nesting */
	assert_int_equal(rd_bind(g->f, IOASID_SELECT_PCI, OTHER, 2), 0);
	assert_int_equal(rd_nest(g->f, g->parent, 0, 2, IOASID_TABLE_X86_64, GPA, 0, &id),
			 -EOPNOTSUPP);
	assert_int_equal(rd_attach(g->f, 2, child), -EOPNOTSUPP);
	/* a nested one maps nothing and has no ranges of its own */
	assert_int_equal(rd_map(g->f, child, GPA, g->memory, GUEST_PAGE, RW), -EINVAL);
	assert_int_equal(rd_copy(g->f, child, 0, g->parent, GPA, SIZE, RW), -EINVAL);
	assert_int_equal(rd_unmap(g->f, child, GPA, GUEST_PAGE), -ENOENT);
	assert_int_equal(refdev_ioctl(g->f, IOASID_SET_DIRTY, &dirty), -ENOENT);
	assert_int_equal(id, 0);
	assert_int_equal(rd_fd_info(g->f).n_ioasids, 3);
}

static void test_invalidate_refusals(void **state)
{
	struct guest *g = *state;
	uint32_t id = nested(g, 0);
	struct ioasid_invalidation entries[3] = {{.flags = IOASID_INVALIDATE_ALL},
						 {.first = GUEST_PAGE, .last = 2 * GUEST_PAGE},
						 {.flags = IOASID_INVALIDATE_ALL}};
	struct ioasid_invalidate_args args = {
		.argsz = sizeof(args), .object = id, .n_entries = 3, .entries = (uintptr_t)entries};

	assert_int_equal(rd_invalidate(g->f, 99, IOASID_INVALIDATE_ALL, 0, 0), -ENOENT);
	assert_int_equal(rd_invalidate(g->f, g->parent, IOASID_INVALIDATE_ALL, 0, 0), -EINVAL);
	assert_int_equal(rd_invalidate(g->f, id, 8, 0, 4095), -EOPNOTSUPP);
	assert_int_equal(rd_command(g->f, id, 0, 1, 0, 0), -EOPNOTSUPP);
	assert_int_equal(rd_command(g->f, id, 0, 3, 0, 0), -EINVAL);
	assert_int_equal(rd_invalidate(g->f, id, 0, 4096, 4095), -EINVAL);
	assert_int_equal(rd_invalidate(g->f, id, 0, 8, 4095), -EINVAL);
	assert_int_equal(rd_invalidate(g->f, id, IOASID_INVALIDATE_LEAF, 0, UINT64_MAX), 0);
	/* as far as they are good */
	assert_int_equal(refdev_ioctl(g->f, IOASID_INVALIDATE_CACHE, &args), -EINVAL);
	assert_int_equal(args.n_entries, 1);
	args.n_entries = 2;
	args.entries = 0;
	assert_int_equal(refdev_ioctl(g->f, IOASID_INVALIDATE_CACHE, &args), -EINVAL);
	args.n_entries = 2;
	args.entries = 8;
	assert_int_equal(refdev_ioctl(g->f, IOASID_INVALIDATE_CACHE, &args), -EFAULT);
	args.n_entries = IOASID_INVALIDATE_MAX + 1;
	assert_int_equal(refdev_ioctl(g->f, IOASID_INVALIDATE_CACHE, &args), -EINVAL);
	/* a probe */
	args.n_entries = 0;
	assert_int_equal(refdev_ioctl(g->f, IOASID_INVALIDATE_CACHE, &args), 0);
}

/* Linux's mock IOMMU: no table, four cells that hold a number. */
static void test_mock(void **state)
{
	struct guest *g = *state;
	uint32_t parent = rd_alloc(g->f, IOASID_ALLOC_NEST_PARENT), id;
	struct ioasid_entry_ioasid list[8];

	assert_int_equal(rd_bind(g->f, IOASID_SELECT_MOCK, "0", 5), 0);
	assert_int_equal(rd_map(g->f, parent, 0x1000000, g->memory, SIZE, RW), 0);
	assert_int_equal(rd_nest(g->f, parent, 0, 5, IOASID_TABLE_MOCK, 1ULL << 32, 0, &id),
			 -EINVAL);
	assert_int_equal(rd_nest(g->f, parent, 0, 5, IOASID_TABLE_X86_64, GPA, 0, &id),
			 -EOPNOTSUPP);
	assert_int_equal(rd_nest(g->f, parent, 0, 5, IOASID_TABLE_MOCK, 0xbeef, 0, &id), 0);
	assert_int_equal(rd_attach(g->f, 1, id), -EINVAL); /* another kind of IOMMU */
	assert_int_equal(rd_attach(g->f, 5, id), 0);
	assert_int_equal(rd_dma(g->f, 5, 0x1000000, "m", 1, IOASID_DMA_WRITE, NULL, NULL), 0);
	assert_int_equal(g->memory[0], 'm');
	assert_int_equal(rd_command(g->f, id, 0, 1, 2, 0), 0);
	assert_int_equal(rd_command(g->f, id, 0, 1, 4, 0), -EINVAL);
	assert_int_equal(rd_invalidate(g->f, id, 0, 0, 4095), -EOPNOTSUPP);
	assert_int_equal(rd_list(g->f, IOASID_LIST_IOASIDS, 0, list, 8), 3);
	assert_true(list[2].table.words[1] == 0xbeef && list[2].table.words[2] == 0);
	assert_int_equal(rd_invalidate(g->f, id, IOASID_INVALIDATE_ALL, 0, 0), 0);
	assert_int_equal(rd_list(g->f, IOASID_LIST_IOASIDS, 0, list, 8), 3);
	assert_true(list[2].table.words[1] == 0);
	assert_int_equal(rd_info(g->f, id).n_ranges, rd_info(g->f, parent).n_ranges);
}

/* Several parents with children of their own, closed as they are. */
static void test_several_parents(void **state)
{
	struct guest *g = *state;
	uint32_t second = rd_alloc(g->f, IOASID_ALLOC_NEST_PARENT), a = nested(g, 0), b;

	assert_int_equal(rd_map(g->f, second, GPA, g->memory, SIZE, RW), 0);
	assert_int_equal(rd_nest(g->f, second, 0, 1, IOASID_TABLE_X86_64, GPA, 0, &b), 0);
	point(g, 0, 5, GUEST_ENTRY);
	assert_int_equal(rd_set_driver(g->f, NIC, "vfio-pci"), 0);
	rd_join(g->f, NIC, 2, b);
	assert_int_equal(rd_attach(g->f, 1, a), 0);
	assert_int_equal(rd_unmap(g->f, second, GPA, SIZE), 0);
	assert_int_equal(try(g, GUEST_IOVA, IOASID_DMA_WRITE).fault, 0);
	assert_int_equal(rd_dma(g->f, 2, GUEST_IOVA, "x", 1, IOASID_DMA_WRITE, NULL, NULL),
			 IOASID_FAULT_TABLE);
	assert_int_equal(rd_free(g->f, second), -EBUSY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_data_goes_through_both),
		TEST(test_iotlb_is_stale_until_invalidated),
		TEST(test_rights_are_combined),
		TEST(test_walk_that_stops),
		TEST(test_five_levels),
		TEST(test_accessed_and_dirty),
		TEST(test_moves),
		TEST(test_parent_is_narrowed),
		TEST(test_alloc_refusals),
		TEST(test_invalidate_refusals),
		TEST(test_mock),
		TEST(test_several_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
