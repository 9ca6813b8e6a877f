// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioasid driver: the proposed /dev/ioasid, in this process or behind a node. */
#include "driver/ioasid.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

/* Nobody's machine has that many; a device that says so isn't believed. */
#define RANGES_MAX 65536

/* The ranges may change between asking how many there are and reading them. */
#define RANGES_TRIES 4

static int available(const struct driver_env *env, const char *node, struct ioasidctl_error **err)
{
	_cleanup_(ioasid_closep)
	struct driver_fd *fd = NULL;

	return ioasid_open(env, node, "probe", &fd, err);
}

static int fd_open(const struct driver_env *env, const struct iommu_fd *spec,
		   struct driver_fd **out, struct ioasidctl_error **err)
{
	_cleanup_(ioasid_closep)
	struct driver_fd *fd = NULL;
	struct ioasid_accounting_args args = {.accounting = spec->accounting == ACCOUNTING_USER
								    ? IOASID_ACCOUNT_USER
								    : IOASID_ACCOUNT_PROCESS};
	int ret = ioasid_open(env, spec->node, spec->name, &fd, err);

	if (ret)
		return ret;
	if (spec->accounting != ACCOUNTING_DEFAULT) {
		ret = ioasid_call(fd, IOASID_SET_ACCOUNTING, &args, sizeof(args));
		if (ret)
			return ioasid_fail(err, IOASID_SET_ACCOUNTING, ret,
					   "can't account the memory of fd %s by %s", spec->name,
					   accounting_names[spec->accounting]);
	}
	*out = steal_pointer(fd);
	return 0;
}

static int fd_number(const struct driver_fd *fd)
{
	return fd->fd;
}

static int device_fd_number(const struct driver_device *dev)
{
	(void)dev;
	return -1;
}

static const struct {
	uint32_t flag, abi;
} alloc_flags[] = {
	{IOASID_FLAG_NEST_PARENT, IOASID_ALLOC_NEST_PARENT},
	{IOASID_FLAG_DIRTY, IOASID_ALLOC_DIRTY},
	{IOASID_FLAG_PASID, IOASID_ALLOC_PASID},
	{IOASID_FLAG_FAULT_QUEUE, IOASID_ALLOC_FAULT},
	{IOASID_FLAG_NO_HUGE, IOASID_ALLOC_SMALL_PAGES},
	{IOASID_FLAG_ENFORCE_SNOOP, IOASID_ALLOC_ENFORCE_SNOOP},
};

_Static_assert((int)IOASID_TABLE_VTD_S1 == (int)TABLE_VTD_S1, "one numbering");
_Static_assert((int)IOASID_TABLE_ARM_SMMUV3 == (int)TABLE_ARM_SMMUV3, "one numbering");
_Static_assert((int)IOASID_TABLE_AMD_GUEST == (int)TABLE_AMD_GUEST, "one numbering");
_Static_assert((int)IOASID_TABLE_MOCK == (int)TABLE_MOCK, "one numbering");
_Static_assert((int)IOASID_TABLE_X86_64 == (int)TABLE_X86_64, "one numbering");
_Static_assert((int)IOASID_TABLE_WORDS == (int)TABLE_WORDS_MAX, "one size");

static void nest(struct ioasid_alloc_args *args, const struct ioasid *spec,
		 const struct nesting *on)
{
	args->kind = IOASID_KIND_NESTED;
	args->parent = on->viommu == NO_INDEX ? on->parent : IOASID_NONE;
	args->viommu = on->viommu == NO_INDEX ? 0 : on->viommu;
	args->cookie = on->device ? on->device->cookie : 0;
	args->table.format = spec->table.format;
	args->table.address_width = spec->table.address_width;
	args->table.address = spec->table.address;
	args->table.n_words = spec->table.n_words;
	for (uint32_t i = 0; i < spec->table.n_words; i++)
		args->table.words[i] = spec->table.words[i];
}

static int ioasid_alloc(struct driver_fd *fd, const struct ioasid *spec, const struct nesting *on,
			uint32_t *id, struct ioasidctl_error **err)
{
	struct ioasid_alloc_args args = {.kind = IOASID_KIND_GPA, .parent = IOASID_NONE};
	int ret;

	for (size_t i = 0; i < ARRAY_SIZE(alloc_flags); i++)
		if (spec->flags & alloc_flags[i].flag)
			args.flags |= alloc_flags[i].abi;
	if (on)
		nest(&args, spec, on);
	ret = ioasid_call(fd, IOASID_ALLOC, &args, sizeof(args));
	if (ret) {
		ioasid_fail(err, IOASID_ALLOC, ret, "can't allocate %s", spec->name);
		ioasid_explain_alloc(fd, &args, ret, err);
		return ret;
	}
	if (args.flags & IOASID_ALLOC_FAULT) {
		ret = ioasid_listen(fd, args.ioasid, err);
		if (ret) {
			ioasid_free_object(fd, "IOASID", args.ioasid, NULL);
			return ret;
		}
	}
	*id = args.ioasid;
	return 0;
}

int ioasid_free_object(struct driver_fd *fd, const char *what, uint32_t id,
		       struct ioasidctl_error **err)
{
	struct ioasid_free_args args = {.ioasid = id};
	int ret = ioasid_call(fd, IOASID_FREE, &args, sizeof(args));

	if (ret)
		return ioasid_fail(err, IOASID_FREE, ret, "can't free %s %u", what, id);
	ioasid_unlisten(fd, id);
	return 0;
}

/* One for each kind, so that a message can say which it was. */
#define FREE(name, what)                                                                        \
	static int name##_free(struct driver_fd *fd, uint32_t id, struct ioasidctl_error **err) \
	{                                                                                       \
		return ioasid_free_object(fd, what, id, err);                                   \
	}
FREE(ioasid, "IOASID")
FREE(viommu, "viommu")
FREE(vdevice, "vdevice")
FREE(queue, "hardware queue")
FREE(events, "event queue")
#undef FREE

static int take_info(const struct ioasid_info_args *args, const struct ioasid_range *raw,
		     struct ioasid_info *out, struct ioasidctl_error **err)
{
	struct range *ranges = calloc(args->n_ranges + 1, sizeof(*ranges));

	if (!ranges)
		return error_nomem(err);
	for (uint32_t i = 0; i < args->n_ranges; i++) {
		if (raw[i].last < raw[i].first || (i && raw[i].first <= raw[i - 1].last)) {
			free(ranges);
			return error_new(err, ERROR_PROTOCOL, EPROTO,
					 "the device reports permitted ranges out of order");
		}
		ranges[i] = (struct range){raw[i].first, raw[i].last};
	}
	*out = (struct ioasid_info){
		.ranges = ranges,
		.n_ranges = args->n_ranges,
		.alignment = args->alignment,
		.counted = true,
		.measured = true,
		.domains = args->domains,
		.page_table_bytes = args->page_table_bytes,
	};
	return 0;
}

static int ioasid_info(struct driver_fd *fd, uint32_t id, struct ioasid_info *out,
		       struct ioasidctl_error **err)
{
	uint32_t room = 16;

	for (int try = 0; try < RANGES_TRIES; try++) {
		_cleanup_free_ struct ioasid_range *raw = calloc(room, sizeof(*raw));
		struct ioasid_info_args args = {
			.ioasid = id, .n_ranges = room, .ranges = (uintptr_t)raw};
		int ret;

		if (!raw)
			return error_nomem(err);
		ret = ioasid_call(fd, IOASID_GET_INFO, &args, sizeof(args));
		if (ret && ret != -EMSGSIZE)
			return ioasid_fail(err, IOASID_GET_INFO, ret, "can't ask for IOASID %u",
					   id);
		if (!ret && args.n_ranges <= room)
			return take_info(&args, raw, out, err);
		if (!ret || args.n_ranges <= room || args.n_ranges > RANGES_MAX)
			return error_new(err, ERROR_PROTOCOL, EPROTO,
					 "the device reports %u permitted ranges of IOASID %u",
					 args.n_ranges, id);
		room = args.n_ranges;
	}
	return error_new(err, ERROR_KERNEL, EAGAIN,
			 "the permitted ranges of IOASID %u keep changing", id);
}

static int allow(struct driver_fd *fd, uint32_t id, const struct range *ranges, size_t n,
		 struct ioasidctl_error **err)
{
	_cleanup_free_ struct ioasid_range *raw = calloc(n + 1, sizeof(*raw));
	struct ioasid_allowed_args args = {.ioasid = id,
					   .n_ranges = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n,
					   .ranges = (uintptr_t)raw};
	int ret;

	if (!raw)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++)
		raw[i] = (struct ioasid_range){ranges[i].first, ranges[i].last};
	ret = ioasid_call(fd, IOASID_SET_ALLOWED, &args, sizeof(args));
	return ret ? ioasid_fail(err, IOASID_SET_ALLOWED, ret,
				 "can't set the allowed ranges of IOASID %u", id)
		   : 0;
}

/* The ABI names memory by its address in the calling process. */
static bool wants_va(const struct driver_fd *fd, const struct memory *memory)
{
	(void)fd;
	(void)memory;
	return true;
}

static int fail_map(struct driver_fd *fd, unsigned long command, uint32_t id, uint64_t iova,
		    uint64_t length, int ret, struct ioasidctl_error **err)
{
	ioasid_fail(err, command, ret, "can't %s 0x%" PRIx64 "-0x%" PRIx64 " in IOASID %u",
		    command == IOASID_COPY_DMA ? "copy to" : "map", iova, iova + (length - 1), id);
	ioasid_explain_map(fd, id, iova, length, ret, err);
	return ret;
}

static int fail_place(struct driver_fd *fd, uint32_t id, uint64_t length, int ret,
		      struct ioasidctl_error **err)
{
	ioasid_fail(err, IOASID_MAP_DMA, ret,
		    "can't find a place for 0x%" PRIx64 " bytes in IOASID %u", length, id);
	ioasid_explain_map(fd, id, 0, length, ret, err);
	return ret;
}

static int map(struct driver_fd *fd, uint32_t id, const struct map_args *map,
	       struct ioasidctl_error **err)
{
	struct ioasid_map_args args = {.flags = map->access,
				       .ioasid = id,
				       .iova = map->iova,
				       .vaddr = (uintptr_t)map->va,
				       .size = map->length};
	int ret;

	/* Aligned as in the memory object, whose large pages are there, wherever it is mapped here.
	 */
	if (map->placed) {
		args.flags |= IOASID_MAP_ANYWHERE;
		args.iova = map->offset;
	}
	ret = ioasid_call(fd, IOASID_MAP_DMA, &args, sizeof(args));
	if (ret)
		return map->placed
			       ? fail_place(fd, id, map->length, ret, err)
			       : fail_map(fd, IOASID_MAP_DMA, id, map->iova, map->length, ret, err);
	if (map->placed)
		*map->placed = args.iova;
	return 0;
}

static int copy(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length, uint8_t access,
		uint32_t source, uint64_t from, struct ioasidctl_error **err)
{
	struct ioasid_copy_args args = {.flags = access,
					.ioasid = id,
					.source = source,
					.iova = iova,
					.source_iova = from,
					.size = length};
	int ret = ioasid_call(fd, IOASID_COPY_DMA, &args, sizeof(args));

	return ret ? fail_map(fd, IOASID_COPY_DMA, id, iova, length, ret, err) : 0;
}

static int unmap(struct driver_fd *fd, uint32_t id, uint64_t iova, uint64_t length,
		 struct ioasidctl_error **err)
{
	struct ioasid_unmap_args args = {.ioasid = id, .iova = iova, .size = length};
	int ret;

	/* The device takes 0 with the longest length as "everything", which nobody means here. */
	if (!range_valid(iova, length) || length == UINT64_MAX)
		return error_new(err, ERROR_REFUSED, EINVAL, "no range to unmap at 0x%" PRIx64,
				 iova);
	ret = ioasid_call(fd, IOASID_UNMAP_DMA, &args, sizeof(args));
	if (ret)
		return ioasid_fail(err, IOASID_UNMAP_DMA, ret,
				   "can't unmap 0x%" PRIx64 "-0x%" PRIx64 " in IOASID %u", iova,
				   range_last(iova, length), id);
	if (args.size != length)
		return error_new(err, ERROR_VERIFY, EIO,
				 "unmapping 0x%" PRIx64 "-0x%" PRIx64 " took away 0x%" PRIx64
				 " bytes instead of 0x%" PRIx64,
				 iova, range_last(iova, length), (uint64_t)args.size, length);
	return 0;
}

struct mapping_listener {
	int (*each)(void *data, uint64_t iova, uint64_t length, uint8_t access);
	void *data;
	int ret; /* of each() */
};

static int pass_mapping(void *data, const void *entry)
{
	const struct ioasid_entry_mapping *m = entry;
	struct mapping_listener *l = data;

	l->ret = l->each(l->data, m->iova, m->size, m->flags & ACCESS_RW);
	return l->ret ? 1 : 0;
}

static int list_mappings(struct driver_fd *fd, uint32_t id,
			 int (*each)(void *data, uint64_t iova, uint64_t length, uint8_t access),
			 void *data, struct ioasidctl_error **err)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_MAPPINGS, .object = id};
	struct mapping_listener l = {.each = each, .data = data};
	int ret = ioasid_list(fd, &args, sizeof(struct ioasid_entry_mapping), pass_mapping, &l);

	if (ret < 0)
		return ioasid_fail(err, IOASID_LIST, ret, "can't list the mappings of IOASID %u",
				   id);
	return l.ret;
}

static int dirty_set(struct driver_fd *fd, uint32_t ioasid, bool on, struct ioasidctl_error **err)
{
	struct ioasid_set_dirty_args args = {.flags = on ? IOASID_DIRTY_ON : 0, .ioasid = ioasid};
	int ret = ioasid_call(fd, IOASID_SET_DIRTY, &args, sizeof(args));

	return ret ? ioasid_fail(err, IOASID_SET_DIRTY, ret, "can't %s dirty tracking of IOASID %u",
				 on ? "start" : "stop", ioasid)
		   : 0;
}

static int dirty_read(struct driver_fd *fd, uint32_t ioasid, const struct range *range,
		      uint64_t page_size, bool keep, uint64_t *bitmap, struct ioasidctl_error **err)
{
	struct ioasid_read_dirty_args args = {.flags = keep ? IOASID_DIRTY_KEEP : 0,
					      .ioasid = ioasid,
					      .iova = range->first,
					      .length = range->last - range->first + 1,
					      .page_size = page_size,
					      .bitmap = (uintptr_t)bitmap};
	int ret = ioasid_call(fd, IOASID_READ_DIRTY, &args, sizeof(args));

	return ret ? ioasid_fail(err, IOASID_READ_DIRTY, ret,
				 "can't read the dirty pages of 0x%" PRIx64 "-0x%" PRIx64
				 " in IOASID %u",
				 range->first, range->last, ioasid)
		   : 0;
}

static int ioasid_probe(struct driver_fd *fd, uint32_t id)
{
	struct ioasid_info_args args = {.ioasid = id};
	int ret = ioasid_call(fd, IOASID_GET_INFO, &args, sizeof(args));

	/* There is no room for ranges: it exists, and has some. */
	return ret == -EMSGSIZE ? 0 : ret;
}

/* Which of them an IOMMU has is for the device to say. */
#define VIOMMUS                                                                      \
	(1 << VIOMMU_DEFAULT | 1 << VIOMMU_ARM_SMMUV3 | 1 << VIOMMU_TEGRA241_CMDQV | \
	 1 << VIOMMU_MOCK)

const struct driver driver_ioasid = {
	.name = "ioasid",
	.choice = DRIVER_IOASID,
	.node = IOASID_NODE,
	.missing =
		{
			[CAP_VFIO_COMPAT] = "it isn't a VFIO container",
			[CAP_SRIOV] =
				"the machines it plays have no physical and virtual functions",
			[CAP_VQ_GROUP] = "its devices have no virtqueues",
			[CAP_TAKEOVER] = "its memory is mapped by the process that has it open",
			[CAP_DMABUF] = "its devices have no memory of their own to map",
			[CAP_RAW] = "its devices have no node of their own",
		},
	.tables = 1 << TABLE_X86_64 | 1 << TABLE_VTD_S1 | 1 << TABLE_MOCK,
	.viommus = VIOMMUS,
	.event_viommus = VIOMMUS,
	.queue_viommus = VIOMMUS,
	.nested_needs_device = true,
	.available = available,
	.open = fd_open,
	.close = ioasid_close,
	.fd_number = fd_number,
	.device_find = ioasid_device_find,
	.device_set_driver = ioasid_device_set_driver,
	.device_open = ioasid_device_open,
	.device_close = ioasid_device_close,
	.device_fd_number = device_fd_number,
	.device_bind = ioasid_device_bind,
	.device_info = ioasid_device_info,
	.ioasid_alloc = ioasid_alloc,
	.ioasid_free = ioasid_free,
	.ioasid_info = ioasid_info,
	.allow = allow,
	.wants_va = wants_va,
	.map = map,
	.copy = copy,
	.unmap = unmap,
	.list_mappings = list_mappings,
	.attach = ioasid_attach,
	.detach = ioasid_detach,
	.viommu_alloc = ioasid_viommu_alloc,
	.viommu_free = viommu_free,
	.vdevice_alloc = ioasid_vdevice_alloc,
	.vdevice_free = vdevice_free,
	.queue_alloc = ioasid_queue_alloc,
	.queue_free = queue_free,
	.events_alloc = ioasid_events_alloc,
	.events_free = events_free,
	.faults_fd = ioasid_queue_fd,
	.faults_read = ioasid_faults_read,
	.fault_answer = ioasid_fault_answer,
	.events_fd = ioasid_queue_fd,
	.events_read = ioasid_events_read,
	.dirty_set = dirty_set,
	.dirty_read = dirty_read,
	.invalidate = ioasid_invalidate,
	.ioasid_probe = ioasid_probe,
	.viommu_probe = ioasid_viommu_probe,
	.device_probe = ioasid_device_probe,
};
