/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest with an SMMUv3 of its own does: writes a context descriptor and a page table into
 *its memory, lets its device (QEMU's edu) do DMA through both stages and finds the bytes where its
 *own table says; and takes the event of a DMA to an address that its table doesn't have. Uses
 *nothing of libioasidctl. Prints TAP.
 *
 *	ioasidctl run FILE -- smmu_dma DEVICE MEMORY GPA EVENTS
 *
 * MEMORY is mapped at guest-physical address GPA; the stream table entry of the config points to a
 * context descriptor at its offset CD_OFFSET. EVENTS is the name of the event queue's descriptor.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_edu.h"

#define CD_OFFSET    0x10000UL
#define TABLE_OFFSET 0x20000UL /* three levels, a page each */
#define DATA_OFFSET  0x30000UL

/* Arm SMMUv3 (IHI 0070), 5.4: the words of a context descriptor. */
#define CD_T0SZ_39_BITS	 25UL
#define CD_WRITE_BACK	 (1UL << 8 | 1UL << 10 | 3UL << 12) /* IR0, OR0, SH0 */
#define CD_NO_SECOND	 (1UL << 30) /* EPD1 */
#define CD_VALID	 (1UL << 31)
#define CD_OUTPUT_40BITS (2UL << 32)
#define CD_AARCH64	 (1UL << 41)
#define CD_RECORD	 (1UL << 45) /* faults become events */
#define CD_ABORT	 (1UL << 46)
#define CD_ASID(n)	 ((uint64_t)(n) << 48)
#define MAIR_WRITE_BACK	 0xffUL

/* Arm ARM, D8.3: descriptors of the 4 KiB granule. */
#define DESCRIPTOR_TABLE 3UL
#define DESCRIPTOR_PAGE	 (3UL | 1UL << 6 | 3UL << 8 | 1UL << 10) /* AP[1], SH, AF */

/* Where the guest's table puts two pages of data; the page between them is in no table. */
#define IOVA_IN	  0x10000000UL
#define IOVA_HOLE 0x10001000UL
#define IOVA_OUT  0x10002000UL
#define STREAM_ID 0x18

#define EVENT_TRANSLATION 0x10 /* 7.3.12 */

struct guest {
	uint8_t *memory;
	uint64_t gpa;
	volatile uint8_t *registers;
	int events;
};

static uint64_t *words_at(const struct guest *g, uint64_t offset)
{
	return (uint64_t *)(g->memory + offset);
}

static void write_tables(const struct guest *g)
{
	uint64_t *cd = words_at(g, CD_OFFSET), *level[3];

	for (unsigned i = 0; i < 3; i++)
		level[i] = words_at(g, TABLE_OFFSET + i * PAGE);
	level[0][IOVA_IN >> 30] = (g->gpa + TABLE_OFFSET + PAGE) | DESCRIPTOR_TABLE;
	level[1][IOVA_IN >> 21 & 511] = (g->gpa + TABLE_OFFSET + 2 * PAGE) | DESCRIPTOR_TABLE;
	level[2][IOVA_IN >> 12 & 511] = (g->gpa + DATA_OFFSET) | DESCRIPTOR_PAGE;
	level[2][IOVA_OUT >> 12 & 511] = (g->gpa + DATA_OFFSET + PAGE) | DESCRIPTOR_PAGE;
	cd[1] = g->gpa + TABLE_OFFSET;
	cd[3] = MAIR_WRITE_BACK;
	__sync_synchronize();
	cd[0] = CD_T0SZ_39_BITS | CD_WRITE_BACK | CD_NO_SECOND | CD_VALID | CD_OUTPUT_40BITS |
		CD_AARCH64 | CD_RECORD | CD_ABORT | CD_ASID(1);
	__sync_synchronize();
}

static void test_two_stages(const struct guest *g)
{
	uint64_t *in = words_at(g, DATA_OFFSET), *out = words_at(g, DATA_OFFSET + PAGE);

	fill(in, CHUNK_WORDS, 1);
	memset(out, 0, PAGE);
	transfer(g->registers, IOVA_IN, CHUNK, false);
	transfer(g->registers, IOVA_OUT, CHUNK, true);
	check(is_filled(out, CHUNK_WORDS, 1),
	      "bytes read at %#lx arrive at %#lx, at guest address %#" PRIx64, IOVA_IN, IOVA_OUT,
	      g->gpa + DATA_OFFSET + PAGE);
}

/* The kernel's header of an event and the event itself, as in linux/iommufd.h. */
struct event {
	uint32_t flags, sequence;
	uint64_t words[4];
};

static void test_event(const struct guest *g)
{
	uint64_t *page = words_at(g, DATA_OFFSET);
	struct pollfd waiting = {.fd = g->events, .events = POLLIN};
	struct event event = {0};
	ssize_t n;

	fill(page, CHUNK_WORDS, 2);
	check(poll(&waiting, 1, 0) == 0, "no event so far");
	transfer(g->registers, IOVA_HOLE, CHUNK, true);
	check(is_filled(page, CHUNK_WORDS, 2),
	      "DMA to a page that isn't in the table changes nothing");
	if (!check(poll(&waiting, 1, 10000) == 1, "an event comes"))
		return;
	n = read(g->events, &event, sizeof(event));
	check(n == (ssize_t)sizeof(event), "of %zd bytes", n);
	check((event.words[0] & 0xff) == EVENT_TRANSLATION, "a translation fault: %#" PRIx64,
	      event.words[0] & 0xff);
	check(event.words[0] >> 32 == STREAM_ID, "of the device as the guest calls it: %#" PRIx64,
	      event.words[0] >> 32);
	check((event.words[2] & ~(PAGE - 1)) == IOVA_HOLE, "at the address: %#" PRIx64,
	      event.words[2]);
}

int main(int argc, char **argv)
{
	struct guest g = {0};
	struct stat st;
	int memory;

	if (argc != 5) {
		fprintf(stderr, "usage: ioasidctl run FILE -- %s DEVICE MEMORY GPA EVENTS\n",
			argv[0]);
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	memory = inherited_fd(argv[2]);
	g.gpa = strtoull(argv[3], NULL, 0);
	g.events = inherited_fd(argv[4]);
	if (fstat(memory, &st) || (uint64_t)st.st_size < DATA_OFFSET + 2 * PAGE)
		bail_out("memory %s is too small", argv[2]);
	g.memory = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (g.memory == MAP_FAILED)
		bail_out("memory %s can't be mapped: %m", argv[2]);
	g.registers = open_registers(inherited_fd(argv[1]));
	write_tables(&g);
	test_two_stages(&g);
	test_event(&g);
	return conclude();
}
