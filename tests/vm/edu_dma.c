/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user-space driver as somebody else would write it: takes the descriptors of `ioasidctl run`,
 * finds in the topology's dump what is mapped where for its device, makes the device (QEMU's edu)
 * do DMA there and looks for the bytes; then makes it do DMA where nothing is mapped, and finds
 * that none went or came. Where the descriptors are VFIO's, it maps a page of its own by them, too.
 * Uses nothing of libioasidctl. Prints TAP.
 *
 *	ioasidctl run FILE -- edu_dma DEVICE [FD]
 *
 * DEVICE is its name in the config; FD, if given, is what {fd:DEVICE} came to.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "support_edu.h"

#define MAPPINGS_MAX 16

/* What we need of linux/vfio.h for groups and containers. */
struct group_status {
	uint32_t argsz, flags;
};
struct dma_map {
	uint32_t argsz, flags;
	uint64_t vaddr, iova, size;
};
struct dma_unmap {
	uint32_t argsz, flags;
	uint64_t iova, size;
};
#define GROUP_GET_STATUS	  _IO(';', 100 + 3)
#define MAP_DMA			  _IO(';', 100 + 13)
#define UNMAP_DMA		  _IO(';', 100 + 14)
#define GROUP_VIABLE_IN_CONTAINER 0x3
#define MAP_READ_WRITE		  0x3

/* -1: the topology is on another interface. */
struct vfio {
	int container, group;
};

struct mapping {
	uint64_t iova, length, offset;
	uint64_t *words; /* of its memory, from the start of the mapping */
	uint64_t memory_words; /* in the memory as a whole */
	uint64_t *memory;
	bool writable;
};

static uint64_t number_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || strncmp(text, "0x", 2))
		bail_out("the dump has no \"%s\": \"0x...\" where it should", key);
	return strtoull(text, NULL, 16);
}

static bool is_attached(const json_t *ioasid, const char *device)
{
	size_t i;
	json_t *attachment;

	json_array_foreach (json_object_get(ioasid, "attachments"), i, attachment) {
		const char *name = json_string_value(json_object_get(attachment, "device"));

		if (name && !strcmp(name, device))
			return true;
	}
	return false;
}

/* What was copied, in the IOASID that it was copied from. */
static const json_t *copied_mapping(const json_t *fd, const json_t *map)
{
	const char *source = json_string_value(json_object_get(map, "copy"));
	json_t *ioasid, *other;
	size_t i, k;

	json_array_foreach (json_object_get(fd, "ioasids"), i, ioasid)
		json_array_foreach (json_object_get(ioasid, "mappings"), k, other)
			if (!strcmp(json_string_value(json_object_get(ioasid, "name")), source) &&
			    number_of(other, "iova") == number_of(map, "from"))
				return other;
	bail_out("nothing is mapped in %s where the copy comes from", source);
}

static void open_mapping(const json_t *json_fd, const json_t *map, struct mapping *m)
{
	const json_t *origin = json_object_get(map, "copy") ? copied_mapping(json_fd, map) : map;
	const char *memory = json_string_value(json_object_get(origin, "memory"));
	const char *access = json_string_value(json_object_get(map, "access"));
	struct stat st;
	int fd;

	if (!memory || !access)
		bail_out("a mapping of the dump has no memory or no access");
	fd = inherited_fd(memory);
	m->iova = number_of(map, "iova");
	m->length = number_of(map, "length");
	m->offset = number_of(origin, "offset");
	m->writable = !strcmp(access, "rw");
	if (fstat(fd, &st) || (uint64_t)st.st_size < m->offset + m->length)
		bail_out("memory %s is smaller than its mapping", memory);
	m->memory_words = st.st_size / sizeof(uint64_t);
	m->memory = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m->memory == MAP_FAILED)
		bail_out("memory %s can't be mapped: %m", memory);
	m->words = m->memory + m->offset / sizeof(uint64_t);
}

/* The number of the device's IOMMU group. */
static long group_of(const json_t *topology, const char *device)
{
	json_t *d;
	size_t i;

	json_array_foreach (json_object_get(topology, "devices"), i, d)
		if (!strcmp(json_string_value(json_object_get(d, "name")), device))
			return json_integer_value(json_object_get(d, "group"));
	return -1;
}

/* With VFIO's containers there are two more descriptors for the device. */
static void find_vfio(const json_t *topology, const json_t *fd, const json_t *ioasid,
		      const char *device, struct vfio *vfio)
{
	char name[200];

	if (strcmp(json_string_value(json_object_get(fd, "driver")), "vfio"))
		return;
	snprintf(name, sizeof(name), "%s/%s", json_string_value(json_object_get(fd, "name")),
		 json_string_value(json_object_get(ioasid, "name")));
	vfio->container = inherited_fd(name);
	snprintf(name, sizeof(name), "group/%ld", group_of(topology, device));
	vfio->group = inherited_fd(name);
}

/* The mappings of the IOASID that the device is attached to, as the dump has them. */
static size_t read_mappings(const char *device, struct mapping *mappings, struct vfio *vfio)
{
	const char *path = getenv("IOASIDCTL_TOPOLOGY");
	json_error_t error;
	json_t *dump = path ? json_load_file(path, 0, &error) : NULL;
	json_t *topology, *fd, *ioasid, *map;
	size_t t, f, i, k, n = 0;

	if (!dump)
		bail_out("IOASIDCTL_TOPOLOGY=%s: %s", path ? path : "", path ? error.text : "");
	json_array_foreach (json_object_get(dump, "topologies"), t, topology)
		json_array_foreach (json_object_get(topology, "fds"), f, fd)
			json_array_foreach (json_object_get(fd, "ioasids"), i, ioasid) {
				if (!is_attached(ioasid, device))
					continue;
				find_vfio(topology, fd, ioasid, device, vfio);
				json_array_foreach (json_object_get(ioasid, "mappings"), k, map)
					if (n < MAPPINGS_MAX)
						open_mapping(fd, map, &mappings[n++]);
			}
	json_decref(dump);
	if (!n)
		bail_out("the dump has no mapping for %s", device);
	if (!mappings[0].writable)
		bail_out("the first mapping for %s has to be rw", device);
	return n;
}

/* Through the last bytes in reach that a mapping has. */
static uint64_t last_chunk(const struct mapping *m)
{
	uint64_t last = m->iova + m->length - CHUNK;

	return last > EDU_ADDRESS_LAST - CHUNK + 1 ? EDU_ADDRESS_LAST - CHUNK + 1 : last;
}

/* In through the first bytes of one mapping, out through the last ones of another. */
static void test_inside(volatile uint8_t *registers, const struct mapping *in,
			const struct mapping *out, uint64_t salt)
{
	uint64_t last = last_chunk(out);
	uint64_t *arrived = out->words + (last - out->iova) / sizeof(uint64_t);

	fill(in->words, CHUNK_WORDS, salt);
	transfer(registers, in->iova, CHUNK, false);
	memset(arrived, 0, CHUNK);
	transfer(registers, last, CHUNK, true);
	check(is_filled(arrived, CHUNK_WORDS, salt), "bytes read at IOVA %#lx arrive at IOVA %#lx",
	      in->iova, last);
}

static void fill_all(const struct mapping *mappings, size_t n, uint64_t salt)
{
	for (size_t i = 0; i < n; i++)
		fill(mappings[i].memory, mappings[i].memory_words, salt);
}

static bool all_filled(const struct mapping *mappings, size_t n, uint64_t salt)
{
	for (size_t i = 0; i < n; i++)
		if (!is_filled(mappings[i].memory, mappings[i].memory_words, salt))
			return false;
	return true;
}

/* The device writes there, and every byte of every memory stays what it was. */
static void test_no_write(volatile uint8_t *registers, const struct mapping *mappings, size_t n,
			  uint64_t iova, const char *what)
{
	fill(mappings[0].words, CHUNK_WORDS, 1);
	transfer(registers, mappings[0].iova, CHUNK, false);
	fill_all(mappings, n, 2);
	transfer(registers, iova, CHUNK, true);
	check(all_filled(mappings, n, 2), "DMA to the %s IOVA %#lx changes no byte", what, iova);
}

/*
 * After test_no_write(): the device reads there; what it then holds is its old content or nothing,
 * none of the memory's.
 */
static void test_no_read(volatile uint8_t *registers, const struct mapping *mappings, uint64_t iova)
{
	const struct mapping *m = &mappings[0];
	bool foreign = true;

	transfer(registers, iova, CHUNK, false);
	transfer(registers, m->iova, CHUNK, true);
	for (size_t i = 0; i < CHUNK_WORDS; i++)
		foreign = foreign && (!m->words[i] || m->words[i] == pattern(1, i));
	check(foreign, "DMA from the unmapped IOVA %#lx brings no byte", iova);
}

static bool is_mapped(const struct mapping *mappings, size_t n, uint64_t iova)
{
	for (size_t i = 0; i < n; i++)
		if (iova >= mappings[i].iova && iova - mappings[i].iova < mappings[i].length)
			return true;
	return false;
}

/* The highest page that the device reaches; nothing is mapped there. */
#define OWN_IOVA (EDU_ADDRESS_LAST + 1 - PAGE)

/* A page of this process's own, mapped into the container: bytes arrive there. */
static void test_container(volatile uint8_t *registers, const struct vfio *vfio,
			   const struct mapping *first)
{
	struct group_status status = {.argsz = sizeof(status)};
	struct dma_map map = {
		.argsz = sizeof(map), .flags = MAP_READ_WRITE, .iova = OWN_IOVA, .size = PAGE};
	struct dma_unmap unmap = {.argsz = sizeof(unmap), .iova = OWN_IOVA, .size = PAGE};
	uint64_t *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(!ioctl(vfio->group, GROUP_GET_STATUS, &status) &&
		      status.flags == GROUP_VIABLE_IN_CONTAINER,
	      "the group's descriptor says that it is in a container");
	map.vaddr = (uintptr_t)page;
	if (!check(!ioctl(vfio->container, MAP_DMA, &map), "the container takes a mapping"))
		return;
	fill(first->words, CHUNK_WORDS, 99);
	transfer(registers, first->iova, CHUNK, false);
	transfer(registers, OWN_IOVA, CHUNK, true);
	check(is_filled(page, CHUNK_WORDS, 99), "bytes read at IOVA %#lx arrive there",
	      first->iova);
	check(!ioctl(vfio->container, UNMAP_DMA, &unmap) && unmap.size == PAGE,
	      "and the container takes it away");
}

int main(int argc, char **argv)
{
	struct mapping mappings[MAPPINGS_MAX];
	struct vfio vfio = {-1, -1};
	volatile uint8_t *registers;
	size_t n, n_outside = 0;
	int device;

	if (argc < 2) {
		fprintf(stderr, "usage: ioasidctl run FILE -- %s DEVICE [FD]\n", argv[0]);
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = inherited_fd(argv[1]);
	if (argc > 2)
		check(atoi(argv[2]) == device, "{fd:%s} is %d, the one of LISTEN_FDNAMES", argv[1],
		      device);
	n = read_mappings(argv[1], mappings, &vfio);
	registers = open_registers(device);
	for (size_t i = 0; i < n; i++) {
		const struct mapping *m = &mappings[i];

		if (m->iova > EDU_ADDRESS_LAST - PAGE)
			continue;
		test_inside(registers, m, m->writable ? m : &mappings[0], 3 + i);
		if (!m->writable)
			test_no_write(registers, mappings, n, m->iova, "read-only");
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t around[] = {mappings[i].iova - PAGE,
				     mappings[i].iova + mappings[i].length};

		for (size_t k = 0; k < 2; k++) {
			if (around[k] > EDU_ADDRESS_LAST - PAGE ||
			    is_mapped(mappings, n, around[k]))
				continue;
			test_no_write(registers, mappings, n, around[k], "unmapped");
			test_no_read(registers, mappings, around[k]);
			n_outside++;
		}
	}
	if (vfio.container >= 0)
		test_container(registers, &vfio, &mappings[0]);
	check(n_outside > 0, "there was an unmapped page to try");
	return conclude();
}
