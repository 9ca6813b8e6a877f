// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls in any order with any arguments, on two open files of the default machine. Whatever comes,
 * a call that fails leaves all that can be listed as it was.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "refdev/refdev.h"
#include "uapi/ioasid.h"

#define ARENA	    (1U << 16) /* what pointers lead to; forbidden ground lies behind */
#define GUARD	    (1U << 20)
#define PAGE	    4096U
#define ARGS_MAX    256
#define STEPS_MAX   400
#define OBJECTS	    16 /* numbers of objects that are tried */
#define ENTRIES_MAX 64U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static uint8_t byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static uint64_t raw(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | byte(in);
	return value;
}

/* Mostly what makes sense, at times anything. */
static uint64_t number(struct input *in)
{
	uint8_t how = byte(in);

	switch (how & 7) {
	case 0:
		return raw(in, 8);
	case 1:
		return (uint64_t)byte(in) << 20;
	case 2:
		return UINT64_MAX - byte(in);
	default:
		return (uint64_t)(how >> 3) * PAGE;
	}
}

static char *arena;
static int listener;

/*
 * The fields of the structs behind argsz, one character each.
 * 4 bytes: f flags where there are none, F flags, b a choice of two, k a small number, i an
 * object, j mostly none, o mostly 0, P a PASID, n a count, z zero, e a descriptor.
 * 8 bytes: a an address, l a length, c a cookie, p a pointer, g a page size.
 * D a device's name, d a driver's, t a table.
 */
static const struct {
	unsigned long command;
	size_t size;
	const char *fields;
} calls[] = {
	{IOASID_CHECK_EXTENSION, sizeof(struct ioasid_extension_args), "fkz"},
	{IOASID_ALLOC, sizeof(struct ioasid_alloc_args), "Fbjzoct"},
	{IOASID_ALLOC, sizeof(struct ioasid_alloc_args), "fbizoct"},
	{IOASID_FREE, sizeof(struct ioasid_free_args), "fiz"},
	{IOASID_GET_INFO, sizeof(struct ioasid_info_args), "finp"},
	{IOASID_MAP_DMA, sizeof(struct ioasid_map_args), "Fizapl"},
	{IOASID_MAP_DMA, sizeof(struct ioasid_map_args), "Fizapl"},
	{IOASID_UNMAP_DMA, sizeof(struct ioasid_unmap_args), "fizal"},
	{IOASID_COPY_DMA, sizeof(struct ioasid_copy_args), "Fiiaal"},
	{IOASID_INVALIDATE_CACHE, sizeof(struct ioasid_invalidate_args), "finp"},
	{IOASID_SET_ALLOWED, sizeof(struct ioasid_allowed_args), "fibp"},
	{IOASID_QUERY_DEVICE, sizeof(struct ioasid_query_args), "fD"},
	{IOASID_BIND_DEVICE, sizeof(struct ioasid_bind_args), "fDc"},
	{IOASID_UNBIND_DEVICE, sizeof(struct ioasid_unbind_args), "fc"},
	{IOASID_DEVICE_GET_INFO, sizeof(struct ioasid_device_info_args), "fc"},
	{IOASID_ATTACH, sizeof(struct ioasid_attach_args), "fciP"},
	{IOASID_ATTACH, sizeof(struct ioasid_attach_args), "fciP"},
	{IOASID_DETACH, sizeof(struct ioasid_detach_args), "fcPz"},
	{IOASID_LIST, sizeof(struct ioasid_list_args), "fkjcaapnz"},
	{IOASID_GET_FD_INFO, sizeof(struct ioasid_fd_info_args), "f"},
	{IOASID_SET_ACCOUNTING, sizeof(struct ioasid_accounting_args), "fbz"},
	{IOASID_SET_DIRTY, sizeof(struct ioasid_set_dirty_args), "Fiz"},
	{IOASID_READ_DIRTY, sizeof(struct ioasid_read_dirty_args), "Fizalgp"},
	{IOASID_SET_EVENTFD, sizeof(struct ioasid_eventfd_args), "fie"},
	{IOASID_READ_FAULTS, sizeof(struct ioasid_read_faults_args), "finp"},
	{IOASID_ANSWER_FAULT, sizeof(struct ioasid_answer_fault_args), "fikbz"},
	{IOASID_VIOMMU_ALLOC, sizeof(struct ioasid_viommu_args), "fkiczz"},
	{IOASID_VDEVICE_ALLOC, sizeof(struct ioasid_vdevice_args), "fizca"},
	{IOASID_HW_QUEUE_ALLOC, sizeof(struct ioasid_hw_queue_args), "fibalzz"},
	{IOASID_EVENT_QUEUE_ALLOC, sizeof(struct ioasid_event_queue_args), "fikzz"},
	{IOASID_READ_EVENTS, sizeof(struct ioasid_read_events_args), "finp"},
	{IOASID_SET_HOST_DRIVER, sizeof(struct ioasid_host_driver_args), "fDd"},
	{IOASID_TEST_DMA, sizeof(struct ioasid_test_dma_args), "FcPzalp"},
	{IOASID_TEST_DMA, sizeof(struct ioasid_test_dma_args), "FcPzalp"},
	{IOASID_TEST_DMA, sizeof(struct ioasid_test_dma_args), "FcPzalp"},
	{IOASID_BIND_PGTABLE, sizeof(struct ioasid_free_args), "fiz"},
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static const struct {
	uint32_t selector;
	const char *name;
} devices[] = {
	{IOASID_SELECT_PCI, "0000:00:03.0"}, {IOASID_SELECT_PCI, "0000:05:00.0"},
	{IOASID_SELECT_PCI, "0000:05:00.1"}, {IOASID_SELECT_PCI, "0000:03:01.0"},
	{IOASID_SELECT_PCI, "0000:03:02.0"}, {IOASID_SELECT_PCI, "0000:04:00.0"},
	{IOASID_SELECT_MOCK, "0"},	     {IOASID_SELECT_MOCK, "1"},
};

static void put(char **to, const void *from, size_t bytes)
{
	memcpy(*to, from, bytes);
	*to += bytes;
}

static void put32(char **to, uint32_t value)
{
	put(to, &value, sizeof(value));
}

static void put64(char **to, uint64_t value)
{
	put(to, &value, sizeof(value));
}

static void name_device(struct ioasid_device_name *name, unsigned which)
{
	memset(name, 0, sizeof(*name));
	name->selector = devices[which % 8].selector;
	snprintf(name->name, sizeof(name->name), "%s", devices[which % 8].name);
}

static void put_table(struct input *in, char **to)
{
	static const uint32_t widths[] = {0, 48, 57, 39};
	struct ioasid_table table = {.format = byte(in) % 7,
				     .address_width = widths[byte(in) & 3],
				     .address = number(in),
				     .n_words = byte(in) & 1};

	if (table.n_words) {
		table.address = 0;
		table.words[0] = byte(in);
	}
	put(to, &table, sizeof(table));
}

static void put_field(struct input *in, char **to, char field)
{
	static const char *const drivers[] = {"vfio-pci", "", "mlx5_core", "edu", "no-such"};
	static const int descriptors[] = {-1, 0, 1000, -7};
	struct ioasid_device_name name;
	char driver[IOASID_NAME_SIZE] = "";
	uint8_t b = byte(in);

	switch (field) {
	case 'F':
		put32(to, b & 0x80 ? (uint32_t)raw(in, 4) : b & 7);
		break;
	case 'b':
		put32(to, b & 0x80 ? b : b & 1);
		break;
	case 'k':
		put32(to, b & 0x80 ? (uint32_t)raw(in, 4) : b & 15);
		break;
	case 'i':
		put32(to, b == 0xff ? IOASID_NONE : b % OBJECTS);
		break;
	case 'j':
		put32(to, b & 0xc0 ? IOASID_NONE : b % OBJECTS);
		break;
	case 'o':
		put32(to, b & 0x80 ? b % OBJECTS : 0);
		break;
	case 'P':
		put32(to, b & 1 ? IOASID_NO_PASID : b >> 1);
		break;
	case 'n':
		put32(to, b % ENTRIES_MAX);
		break;
	case 'e':
		put32(to, b & 4 ? (uint32_t)listener : (uint32_t)descriptors[b & 3]);
		break;
	case 'a':
		put64(to, number(in));
		break;
	case 'l':
		put64(to, b & 0x80 ? number(in) % (1 << 22) : (b & 15) * PAGE);
		break;
	case 'g':
		put64(to, b & 0x80 ? 0 : (uint64_t)PAGE << (b & 3));
		break;
	case 'c':
		put64(to, b & (b & 0x80 ? 15 : 7));
		break;
	case 'p':
		put64(to, b == 0xff ? 8 : (uintptr_t)arena + (b & 15) * PAGE + (b & 0x40 ? 8 : 0));
		break;
	case 'D':
		name_device(&name, b);
		if (b == 0xff)
			memset(name.name, 'x', sizeof(name.name));
		put(to, &name, sizeof(name));
		break;
	case 'd':
		if (b == 0xff)
			memset(driver, 'x', sizeof(driver));
		else
			snprintf(driver, sizeof(driver), "%s", drivers[b % 5]);
		put(to, driver, sizeof(driver));
		break;
	case 't':
		put_table(in, to);
		break;
	default:
		put32(to, b == 0xff);
	}
}

/* Everything that can be listed of a file, and what it counts. */
struct dump {
	size_t used;
	char bytes[1 << 16];
};

static const struct {
	uint32_t kind;
	size_t size;
} lists[] = {
	{IOASID_LIST_IOASIDS, sizeof(struct ioasid_entry_ioasid)},
	{IOASID_LIST_DEVICES, sizeof(struct ioasid_entry_device)},
	{IOASID_LIST_ATTACHMENTS, sizeof(struct ioasid_entry_attachment)},
	{IOASID_LIST_VIOMMUS, sizeof(struct ioasid_entry_viommu)},
	{IOASID_LIST_VDEVICES, sizeof(struct ioasid_entry_vdevice)},
	{IOASID_LIST_HW_QUEUES, sizeof(struct ioasid_entry_hw_queue)},
	{IOASID_LIST_EVENT_QUEUES, sizeof(struct ioasid_entry_event_queue)},
};

/* As much as fits: a page of entries at a time, each where the next one goes. */
static void dump_list(struct refdev_file *f, uint32_t kind, size_t size, struct dump *out)
{
	struct ioasid_list_args args = {.argsz = sizeof(args), .kind = kind, .object = IOASID_NONE};

	do {
		size_t room = (sizeof(out->bytes) - out->used) / size;

		args.flags = 0;
		args.start = args.next;
		args.count = room < ENTRIES_MAX ? (uint32_t)room : ENTRIES_MAX;
		args.entries = (uintptr_t)out->bytes + out->used;
		if (refdev_ioctl(f, IOASID_LIST, &args))
			abort();
		out->used += args.count * size;
	} while (args.flags & IOASID_LIST_MORE && args.count);
}

static void dump(struct refdev_file *f, struct dump *out)
{
	struct ioasid_fd_info_args info = {.argsz = sizeof(info)};

	if (refdev_ioctl(f, IOASID_GET_FD_INFO, &info))
		abort();
	memcpy(out->bytes, &info, sizeof(info));
	out->used = sizeof(info);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		dump_list(f, lists[i].kind, lists[i].size, out);
}

/* Of these a part may have been done before the rest failed. */
static bool may_stop_halfway(unsigned long command)
{
	return command == IOASID_INVALIDATE_CACHE || command == IOASID_TEST_DMA;
}

static void step(struct input *in, struct refdev_file *f)
{
	static struct dump before, after;
	_Alignas(8) char args[ARGS_MAX] = {0};
	unsigned which = byte(in) % (N_CALLS + 2);
	uint32_t argsz;
	char *to = args + sizeof(argsz);
	int ret;

	if (which >= N_CALLS) { /* the guest writes into its memory */
		size_t at = raw(in, 2) & (ARENA - 8) & ~7U;
		uint64_t value = number(in) | byte(in);

		memcpy(arena + at, &value, sizeof(value));
		return;
	}
	argsz = (uint32_t)calls[which].size;
	memcpy(args, &argsz, sizeof(argsz));
	for (const char *field = calls[which].fields; *field; field++)
		put_field(in, &to, *field);
	dump(f, &before);
	ret = refdev_ioctl(f, calls[which].command, args);
	if (ret > 0)
		abort();
	dump(f, &after);
	if (ret && !may_stop_halfway(calls[which].command) &&
	    (before.used != after.used || memcmp(before.bytes, after.bytes, after.used)))
		abort();
}

#define CALL(f, command, type, ...)                                          \
	({                                                                   \
		struct type args__ = {.argsz = sizeof(args__), __VA_ARGS__}; \
		if (refdev_ioctl(f, IOASID_##command, &args__))              \
			abort();                                             \
		args__;                                                      \
	})

/* A start from which most calls can do something. */
static void prepare(struct refdev_file *f)
{
	struct ioasid_host_driver_args driver = {.argsz = sizeof(driver)};
	struct ioasid_bind_args bind = {.argsz = sizeof(bind)};
	uint32_t parent, viommu, nested;

	for (unsigned i = 0; i < 8; i++) {
		name_device(&driver.device, i);
		refdev_ioctl(f, IOASID_SET_HOST_DRIVER, &driver);
	}
	for (unsigned i = 0; i < 8; i++) {
		name_device(&bind.device, i);
		bind.cookie = i;
		if (refdev_ioctl(f, IOASID_BIND_DEVICE, &bind))
			abort();
	}
	parent = CALL(f, ALLOC, ioasid_alloc_args, .parent = IOASID_NONE,
		      .flags = IOASID_ALLOC_NEST_PARENT | IOASID_ALLOC_PASID | IOASID_ALLOC_DIRTY)
			 .ioasid;
	CALL(f, MAP_DMA, ioasid_map_args, .flags = IOASID_MAP_READ | IOASID_MAP_WRITE,
	     .ioasid = parent, .vaddr = (uintptr_t)arena, .size = ARENA / 2);
	CALL(f, MAP_DMA, ioasid_map_args, .flags = IOASID_MAP_READ | IOASID_MAP_WRITE,
	     .ioasid = parent, .iova = ARENA / 2, .vaddr = (uintptr_t)arena + ARENA / 2,
	     .size = ARENA / 2);
	CALL(f, SET_DIRTY, ioasid_set_dirty_args, .flags = IOASID_DIRTY_ON, .ioasid = parent);
	viommu = CALL(f, VIOMMU_ALLOC, ioasid_viommu_args, .parent = parent).viommu;
	CALL(f, VDEVICE_ALLOC, ioasid_vdevice_args, .viommu = viommu, .virt_id = 7);
	CALL(f, EVENT_QUEUE_ALLOC, ioasid_event_queue_args, .viommu = viommu, .depth = 3);
	nested =
		CALL(f, ALLOC, ioasid_alloc_args, .kind = IOASID_KIND_NESTED, .parent = IOASID_NONE,
		     .viommu = viommu, .table = {.format = IOASID_TABLE_X86_64})
			.ioasid;
	CALL(f, ATTACH, ioasid_attach_args, .ioasid = nested, .pasid = IOASID_NO_PASID);
	nested = CALL(f, ALLOC, ioasid_alloc_args, .kind = IOASID_KIND_NESTED, .parent = parent,
		      .flags = IOASID_ALLOC_FAULT | IOASID_ALLOC_PASID, .cookie = 1,
		      .table = {.format = IOASID_TABLE_VTD_S1})
			 .ioasid;
	CALL(f, ATTACH, ioasid_attach_args, .ioasid = nested, .cookie = 1, .pasid = 5);
}

static void make_arena(void)
{
	arena = mmap(NULL, ARENA + GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	listener = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (arena == MAP_FAILED || mprotect(arena, ARENA, PROT_READ | PROT_WRITE) || listener < 0)
		abort();
}

/* Nodes of an x86-64 table for the addresses from 0 on, at the start of the guest's memory. */
static void fill_arena(void)
{
	uint64_t *nodes = (uint64_t *)arena;

	memset(arena, 0, ARENA);
	for (unsigned level = 0; level < 3; level++)
		nodes[level * 512] = (level + 1) * PAGE | 7;
	for (unsigned i = 0; i < 16; i++)
		nodes[3 * 512 + i] = i * PAGE | 7;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct refdev *refdev = NULL;
	struct refdev_file *files[2];
	char *why = NULL;

	if (!arena)
		make_arena();
	fill_arena();
	if (refdev_new(NULL, 0, &refdev, &why) || refdev_open(refdev, &files[0]) ||
	    refdev_open(refdev, &files[1]))
		abort();
	prepare(files[0]);
	for (unsigned i = 0; in.left && i < STEPS_MAX; i++)
		step(&in, files[byte(&in) == 0xff]);
	refdev_close(files[0]);
	refdev_close(files[1]);
	refdev_free(refdev);
	return 0;
}
