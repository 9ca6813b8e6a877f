// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory and table words from anywhere: every walk ends within its bound, reads what lies in
 * memory alone, and ends either at an address or with a reason.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "walk/translate.h"

#define PAGE_SIZE 4096ULL
#define PAGES	  16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size, reads;
	uint64_t memory_size;
};

/* The header of an input; what follows is the memory, repeated without end. */
struct header {
	uint8_t format, access, mapping_access, wide;
	uint32_t pasid, address_width;
	uint64_t iova, address, words[TABLE_WORDS_MAX];
};

static int read_memory(void *data, uint32_t memory, uint64_t offset, void *buffer, size_t size)
{
	struct input *in = data;

	if (memory || size > in->memory_size || offset > in->memory_size - size)
		abort();
	if (++in->reads > WALK_STEPS_MAX * WALK_WORDS_MAX)
		abort(); /* without bound */
	if (!in->size)
		return -ENODATA;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)buffer)[i] = in->data[(offset + i) % in->size];
	return 0;
}

static void check(const struct translation *out, const struct memory *memory)
{
	const struct walk *w = &out->walk;

	if (w->n_steps > WALK_STEPS_MAX)
		abort();
	for (uint32_t i = 0; i < w->n_steps; i++)
		if (!w->steps[i].entry || w->steps[i].n_words > WALK_WORDS_MAX)
			abort();
	if (!w->stopped) {
		if (!out->place.mapping || !out->access || !out->length ||
		    out->request.access & ~out->access || out->place.offset >= memory->size)
			abort();
		return;
	}
	if (!*w->stop.reason || (w->stop.step != WALK_NO_STEP && w->stop.step >= w->n_steps))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char names[3][8] = {"ram", "gpa", "s1"};
	struct memory memory = {.name = names[0], .size = PAGES * PAGE_SIZE};
	struct device device = {.name = names[0]};
	struct attachment attach[2] = {{.pasid = NO_PASID}, {.pasid = 1}};
	struct mapping maps[2] = {
		{.iova = 0, .length = PAGES / 2 * PAGE_SIZE, .source = NO_INDEX},
		{.iova = PAGES / 2 * PAGE_SIZE + 4, /* at an odd place */
		 .length = PAGES / 2 * PAGE_SIZE - 4,
		 .offset = PAGES / 2 * PAGE_SIZE + 4,
		 .source = NO_INDEX},
	};
	struct ioasid ioasids[2];
	struct iommu_fd fd = {.name = names[1], .ioasids = ioasids, .n_ioasids = 2};
	struct topology t = {.memories = &memory,
			     .n_memories = 1,
			     .devices = &device,
			     .n_devices = 1,
			     .fds = &fd,
			     .n_fds = 1};
	struct input in = {0};
	const struct translate_world world = {.topology = &t, .read = read_memory, .data = &in};
	struct walk_request request;
	struct translation out;
	struct header h;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	/* Every address that a table can hold, or a few pages. */
	if (h.wide & 1)
		memory.size = maps[0].length = 1ULL << 52;
	in = (struct input){data + sizeof(h), size - sizeof(h), 0, memory.size};
	for (size_t i = 0; i < 2; i++) {
		ioasid_init(&ioasids[i]);
		ioasids[i].name = names[i + 1];
		maps[i].access = h.mapping_access >> 2 * i & ACCESS_RW ?: ACCESS_RW;
	}
	ioasids[0].maps = maps;
	ioasids[0].n_maps = h.wide & 1 ? 1 : 2;
	ioasids[1].kind = IOASID_NESTED;
	ioasids[1].parent = 0;
	ioasids[1].attach = attach;
	ioasids[1].n_attach = 2;
	ioasids[1].table = (struct table){.format = h.format % TABLE_COUNT,
					  .address = h.address,
					  .address_width = h.address_width,
					  .n_words = TABLE_WORDS_MAX};
	memcpy(ioasids[1].table.words, h.words, sizeof(h.words));
	request = (struct walk_request){.iova = h.iova,
					.pasid = h.pasid & 1 ? NO_PASID : h.pasid & PASID_MAX,
					.access = h.access & ACCESS_RW};
	translate(&world, 0, &request, &out);
	check(&out, &memory);
	return 0;
}
