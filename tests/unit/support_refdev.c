// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_refdev.h"

#include <stdio.h>
#include <sys/mman.h>

pid_t rd_caller;

static int call(struct refdev_file *f, unsigned long command, void *args)
{
	return rd_caller ? refdev_ioctl_of(f, rd_caller, command, args)
			 : refdev_ioctl(f, command, args);
}

void bench_setup(struct bench *b, const char *machine)
{
	char *why = NULL;
	int ret = refdev_new(machine, machine ? strlen(machine) : 0, &b->refdev, &why);

	if (ret)
		fail_msg("refdev_new: %d %s", ret, why ? why : "");
	assert_int_equal(refdev_open(b->refdev, &b->file), 0);
}

void bench_teardown(struct bench *b)
{
	refdev_close(b->file);
	refdev_free(b->refdev);
}

static void name_device(struct ioasid_device_name *to, uint32_t selector, const char *name)
{
	memset(to, 0, sizeof(*to));
	to->selector = selector;
	snprintf(to->name, sizeof(to->name), "%s", name);
}

uint32_t rd_alloc(struct refdev_file *f, uint32_t flags)
{
	struct ioasid_alloc_args args = {
		.argsz = sizeof(args), .flags = flags, .parent = IOASID_NONE};

	assert_int_equal(call(f, IOASID_ALLOC, &args), 0);
	assert_int_not_equal(args.ioasid, 0);
	return args.ioasid;
}

int rd_free(struct refdev_file *f, uint32_t ioasid)
{
	struct ioasid_free_args args = {.argsz = sizeof(args), .ioasid = ioasid};

	return call(f, IOASID_FREE, &args);
}

int rd_map(struct refdev_file *f, uint32_t ioasid, uint64_t iova, const void *va, uint64_t size,
	   uint32_t flags)
{
	struct ioasid_map_args args = {.argsz = sizeof(args),
				       .flags = flags,
				       .ioasid = ioasid,
				       .iova = iova,
				       .vaddr = (uintptr_t)va,
				       .size = size};

	return call(f, IOASID_MAP_DMA, &args);
}

int rd_unmap(struct refdev_file *f, uint32_t ioasid, uint64_t iova, uint64_t size)
{
	struct ioasid_unmap_args args = {
		.argsz = sizeof(args), .ioasid = ioasid, .iova = iova, .size = size};

	return call(f, IOASID_UNMAP_DMA, &args);
}

int rd_copy(struct refdev_file *f, uint32_t ioasid, uint64_t iova, uint32_t source,
	    uint64_t source_iova, uint64_t size, uint32_t flags)
{
	struct ioasid_copy_args args = {.argsz = sizeof(args),
					.flags = flags,
					.ioasid = ioasid,
					.source = source,
					.iova = iova,
					.source_iova = source_iova,
					.size = size};

	return call(f, IOASID_COPY_DMA, &args);
}

int rd_bind(struct refdev_file *f, uint32_t selector, const char *name, uint64_t cookie)
{
	struct ioasid_bind_args args = {.argsz = sizeof(args), .cookie = cookie};

	name_device(&args.device, selector, name);
	return call(f, IOASID_BIND_DEVICE, &args);
}

int rd_unbind(struct refdev_file *f, uint64_t cookie)
{
	struct ioasid_unbind_args args = {.argsz = sizeof(args), .cookie = cookie};

	return call(f, IOASID_UNBIND_DEVICE, &args);
}

int rd_attach_pasid(struct refdev_file *f, uint64_t cookie, uint32_t ioasid, uint32_t pasid)
{
	struct ioasid_attach_args args = {
		.argsz = sizeof(args), .cookie = cookie, .ioasid = ioasid, .pasid = pasid};

	return call(f, IOASID_ATTACH, &args);
}

int rd_attach(struct refdev_file *f, uint64_t cookie, uint32_t ioasid)
{
	return rd_attach_pasid(f, cookie, ioasid, IOASID_NO_PASID);
}

int rd_detach_pasid(struct refdev_file *f, uint64_t cookie, uint32_t pasid)
{
	struct ioasid_detach_args args = {.argsz = sizeof(args), .cookie = cookie, .pasid = pasid};

	return call(f, IOASID_DETACH, &args);
}

int rd_detach(struct refdev_file *f, uint64_t cookie)
{
	return rd_detach_pasid(f, cookie, IOASID_NO_PASID);
}

int rd_set_driver(struct refdev_file *f, const char *pci, const char *driver)
{
	struct ioasid_host_driver_args args = {.argsz = sizeof(args)};

	name_device(&args.device, IOASID_SELECT_PCI, pci);
	snprintf(args.driver, sizeof(args.driver), "%s", driver);
	return call(f, IOASID_SET_HOST_DRIVER, &args);
}

void rd_join(struct refdev_file *f, const char *pci, uint64_t cookie, uint32_t ioasid)
{
	assert_int_equal(rd_bind(f, IOASID_SELECT_PCI, pci, cookie), 0);
	assert_int_equal(rd_attach(f, cookie, ioasid), 0);
}

struct ioasid_query_args rd_query(struct refdev_file *f, uint32_t selector, const char *name)
{
	struct ioasid_query_args args = {.argsz = sizeof(args)};

	name_device(&args.device, selector, name);
	assert_int_equal(call(f, IOASID_QUERY_DEVICE, &args), 0);
	return args;
}

struct ioasid_info_args rd_info(struct refdev_file *f, uint32_t ioasid)
{
	struct ioasid_range ranges[16];
	struct ioasid_info_args args = {.argsz = sizeof(args),
					.ioasid = ioasid,
					.n_ranges = 16,
					.ranges = (uintptr_t)ranges};

	assert_int_equal(call(f, IOASID_GET_INFO, &args), 0);
	return args;
}

struct ioasid_fd_info_args rd_fd_info(struct refdev_file *f)
{
	struct ioasid_fd_info_args args = {.argsz = sizeof(args)};

	assert_int_equal(call(f, IOASID_GET_FD_INFO, &args), 0);
	return args;
}

struct ioasid_test_dma_args rd_dma_pasid(struct refdev_file *f, uint64_t cookie, uint32_t pasid,
					 uint64_t iova, void *buffer, uint64_t length,
					 uint32_t flags)
{
	struct ioasid_test_dma_args args = {.argsz = sizeof(args),
					    .flags = flags,
					    .cookie = cookie,
					    .pasid = pasid,
					    .iova = iova,
					    .length = length,
					    .buffer = (uintptr_t)buffer};

	assert_int_equal(call(f, IOASID_TEST_DMA, &args), 0);
	return args;
}

uint32_t rd_dma(struct refdev_file *f, uint64_t cookie, uint64_t iova, void *buffer,
		uint64_t length, uint32_t flags, uint64_t *done, uint64_t *where)
{
	struct ioasid_test_dma_args args =
		rd_dma_pasid(f, cookie, IOASID_NO_PASID, iova, buffer, length, flags);

	if (done)
		*done = args.done;
	if (where)
		*where = args.fault_iova;
	return args.fault;
}

int rd_nest(struct refdev_file *f, uint32_t parent, uint32_t viommu, uint64_t cookie,
	    uint32_t format, uint64_t root, uint32_t flags, uint32_t *out)
{
	struct ioasid_alloc_args args = {.argsz = sizeof(args),
					 .flags = flags,
					 .kind = IOASID_KIND_NESTED,
					 .parent = parent,
					 .viommu = viommu,
					 .cookie = cookie,
					 .table = {.format = format, .address = root}};
	int ret;

	if (format == IOASID_TABLE_MOCK) {
		args.table.address = 0;
		args.table.words[0] = root;
		args.table.n_words = 1;
	}
	ret = call(f, IOASID_ALLOC, &args);
	if (!ret)
		*out = args.ioasid;
	return ret;
}

int rd_viommu(struct refdev_file *f, uint32_t type, uint32_t parent, uint64_t cookie, uint32_t *out)
{
	struct ioasid_viommu_args args = {
		.argsz = sizeof(args), .type = type, .parent = parent, .cookie = cookie};
	int ret = call(f, IOASID_VIOMMU_ALLOC, &args);

	if (!ret)
		*out = args.viommu;
	return ret;
}

int rd_vdevice(struct refdev_file *f, uint32_t viommu, uint64_t cookie, uint64_t virt_id,
	       uint32_t *out)
{
	struct ioasid_vdevice_args args = {
		.argsz = sizeof(args), .viommu = viommu, .cookie = cookie, .virt_id = virt_id};
	int ret = call(f, IOASID_VDEVICE_ALLOC, &args);

	if (!ret)
		*out = args.vdevice;
	return ret;
}

static int invalidate(struct refdev_file *f, uint32_t object, struct ioasid_invalidation entry)
{
	struct ioasid_invalidate_args args = {.argsz = sizeof(args),
					      .object = object,
					      .n_entries = 1,
					      .entries = (uintptr_t)&entry};
	int ret = call(f, IOASID_INVALIDATE_CACHE, &args);

	assert_int_equal(args.n_entries, !ret);
	return ret;
}

int rd_invalidate(struct refdev_file *f, uint32_t object, uint32_t flags, uint64_t first,
		  uint64_t last)
{
	return invalidate(
		f, object,
		(struct ioasid_invalidation){.flags = flags, .first = first, .last = last});
}

int rd_command(struct refdev_file *f, uint32_t object, uint32_t flags, uint32_t n_words,
	       uint64_t word0, uint64_t word1)
{
	return invalidate(f, object,
			  (struct ioasid_invalidation){
				  .flags = flags, .n_words = n_words, .words = {word0, word1}});
}

uint32_t rd_list(struct refdev_file *f, uint32_t kind, uint32_t object, void *entries,
		 uint32_t room)
{
	struct ioasid_list_args args = {.argsz = sizeof(args),
					.kind = kind,
					.object = object,
					.count = room,
					.entries = (uintptr_t)entries};

	assert_int_equal(call(f, IOASID_LIST, &args), 0);
	assert_int_equal(args.flags, 0);
	return args.count;
}

void guest_table(void *memory, uint64_t gpa)
{
	static const unsigned shifts[] = {39, 30, 21};
	uint64_t *node = memory;

	memset(memory, 0, 4 * GUEST_PAGE);
	for (unsigned level = 0; level < 3; level++, node += 512)
		node[GUEST_IOVA >> shifts[level] & 511] =
			(gpa + (level + 1) * GUEST_PAGE) | GUEST_ENTRY;
}

uint64_t *guest_entry(void *memory, unsigned n)
{
	return (uint64_t *)memory + 3 * 512 + (GUEST_IOVA >> 12 & 511) + n;
}

void *pages(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}
