// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translations against DMA: the reference device, which has code of its own for it, walks the same
 * random tables, and must move the bytes that the translation names, or stop at the same place.
 */
#include "support_refdev.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "apply/engine.h"
#include "config/config.h"
#include "driver/ioasid.h"
#include "report/report.h"

#define PAGE	   4096ULL
#define NODES	   8 /* pages of tables, from guest address 0 on */
#define RAM	   (64 * PAGE)
#define HIGH	   0x40000000ULL /* where the tables are mapped again, for reading */
#define WRITE_ONLY 0x80000000ULL
#define TRIES	   20000

static const char config[] =
	"{version: 1, name: t, memory: [{name: ram, size: 256K}],"
	" devices: [{name: dma, pci: '0000:05:00.0', driver: vfio-pci, group: take}],"
	" fds: [{name: main, driver: ioasid, ioasids: ["
	"  {name: gpa, kind: gpa, nest_parent: true, map: ["
	"   {iova: 0x0, memory: ram, length: 64K},"
	"   {iova: 0x40000000, memory: ram, length: 64K, access: r},"
	"   {iova: 0x80000000, memory: ram, offset: 128K, length: 64K, access: w}]},"
	"  {name: four, kind: nested, parent: gpa, pasid: true,"
	"   table: {format: x86-64, address: 0x0}, attach: [{device: dma}]},"
	"  {name: five, kind: nested, parent: gpa, pasid: true,"
	"   table: {format: x86-64, address: 0x1000, address_width: 57},"
	"   attach: [{device: dma, pasid: 5}]},"
	"  {name: vtd-four, kind: nested, parent: gpa, pasid: true,"
	"   table: {format: vtd-s1, address: 0x0}, attach: [{device: dma, pasid: 6}]},"
	"  {name: vtd-five, kind: nested, parent: gpa, pasid: true,"
	"   table: {format: vtd-s1, address: 0x1000, address_width: 57},"
	"   attach: [{device: dma, pasid: 7}]}]}]}";

/* Of which PASIDs the nested IOASIDs are, in their order. */
static const uint32_t pasids[] = {NO_PASID, 5, 6, 7};

struct world {
	struct refdev *refdev;
	struct engine *engine;
	const struct topology *t;
	struct refdev_file *file;
	uint64_t cookie;
	uint64_t *ram;
	uint64_t seed;
	unsigned seen[16]; /* by fault */
	unsigned stuck; /* bits that the hardware couldn't set */
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ioasidctl_error *err = NULL;
	const struct transaction how = {0};
	struct topology *desired;
	json_t *result = NULL;
	char *why = NULL;

	assert_int_equal(refdev_new(NULL, 0, &w->refdev, &why), 0);
	assert_int_equal(
		engine_new(&(struct driver_env){.root = "", .refdev = w->refdev}, &w->engine, NULL),
		0);
	if (config_parse(config, strlen(config), "t.yaml", &desired, &err) ||
	    engine_apply(w->engine, desired, &how, &result, &err))
		fail_msg("%s", err->message);
	json_decref(result);
	w->t = engine_topology(w->engine, "t");
	w->file = w->t->fds[0].live.handle->file;
	w->cookie = w->t->devices[0].live.handle->cookie;
	w->ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, w->t->memories[0].live.fd, 0);
	assert_true(w->ram != MAP_FAILED);
	w->seed = getenv("SEED") ? strtoull(getenv("SEED"), NULL, 0) : 1;
	print_message("seed %" PRIu64 "\n", w->seed);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	munmap(w->ram, RAM);
	engine_free(w->engine);
	refdev_free(w->refdev);
	free(w);
	return 0;
}

static uint64_t draw(struct world *w, uint64_t n)
{
	/* splitmix64 */
	uint64_t z = w->seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % n;
}

/* Mostly right, wrong in one of the ways that there are. */
static uint64_t draw_entry(struct world *w)
{
	static const uint64_t places[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, HIGH, WRITE_ONLY, 0xdead000};
	uint64_t entry = 7 | (draw(w, 4) ? 0x60 : 0);

	switch (draw(w, 24)) {
	case 0:
		entry &= ~1ULL;
		break;
	case 1:
		entry &= ~2ULL;
		break;
	case 2:
		entry &= ~4ULL;
		break;
	case 3:
		entry |= 1ULL << 63;
		break;
	}
	if (!draw(w, 10))
		return entry | 0x80 | places[draw(w, 12)] | (draw(w, 8) ? 0 : PAGE);
	return entry | (places[draw(w, 12)] + draw(w, draw(w, 12) ? NODES : 20) * PAGE);
}

/* A table of few addresses: entries 0, 1 and 511 of each node, so that walks meet them. */
static void draw_tables(struct world *w)
{
	static const unsigned indices[] = {0, 1, 255, 256, 511};

	for (size_t i = 0; i < RAM / 8; i++)
		w->ram[i] = i < NODES * 512 ? 0 : 0x1234567800000000 | i;
	for (unsigned node = 0; node < NODES; node++)
		for (size_t i = 0; i < 5; i++)
			w->ram[node * 512 + indices[i]] = draw_entry(w);
}

static uint64_t draw_iova(struct world *w)
{
	static const unsigned indices[] = {0, 0, 0, 1, 511};
	uint64_t iova = draw(w, 511) * 8;

	for (unsigned shift = 12; shift < 57; shift += 9)
		iova |= (uint64_t)indices[draw(w, 5)] << shift;
	if (draw(w, 8)) /* canonical in one of the two widths */
		iova = (uint64_t)((int64_t)(iova << 16) >> 16);
	return iova;
}

static json_t *translation(struct world *w, uint32_t pasid, uint64_t iova, uint8_t access)
{
	const struct translate_query query = {"dma", pasid, access, &iova, 1};
	json_t *document, *one;

	assert_int_equal(report_translations(w->t, &query, &document, NULL), 0);
	one = json_incref(json_array_get(json_object_get(document, "translations"), 0));
	json_decref(document);
	return one;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* What a stop is to the reference device. */
static bool agree(struct world *w, const struct ioasid_test_dma_args *dma, const json_t *t)
{
	const json_t *stop = json_object_get(t, "stop"), *steps = json_object_get(t, "steps");
	const char *kind = text_of(stop, "kind");
	const json_t *step = json_object_get(stop, "step");
	const size_t n = json_array_size(steps);
	const bool at_step = step && json_integer_value(step) == (json_int_t)n - 1;

	switch (dma->fault) {
	case IOASID_FAULT_WIDTH:
	case IOASID_FAULT_NOT_MAPPED:
		if (dma->stage == 1 && dma->fault == IOASID_FAULT_WIDTH)
			return !strcmp(kind, "address") && !n;
		if (dma->stage == 1)
			return !strcmp(kind, "not-present") && at_step;
		return !strcmp(kind, "not-mapped") && !step &&
		       strtoull(text_of(stop, "unmapped"), NULL, 0) == dma->fault_gpa;
	case IOASID_FAULT_NO_READ:
	case IOASID_FAULT_NO_WRITE:
		return !strcmp(kind, "access") && (dma->stage == 1) == !!step;
	case IOASID_FAULT_TABLE:
		/* Read in vain, or to be marked in vain. */
		if (json_array_size(json_object_get(json_array_get(steps, n - 1), "words"))) {
			w->stuck++;
			return !strcmp(kind, "access") && step &&
			       strstr(text_of(stop, "reason"), "the hardware set it");
		}
		return (!strcmp(kind, "not-mapped") || !strcmp(kind, "access")) && at_step;
	case IOASID_FAULT_ENTRY:
		return !strcmp(kind, "reserved") && at_step;
	default:
		return false;
	}
}

static void compare(struct world *w, size_t nested, uint64_t iova, bool write)
{
	const uint32_t pasid = pasids[nested];
	uint64_t word = 0x5a5a5a5a5a5a5a5a;
	struct ioasid_test_dma_args dma;
	json_t *t;
	bool same;

	/* Nothing of an earlier table. */
	assert_int_equal(rd_invalidate(w->file, w->t->fds[0].ioasids[nested + 1].live.id,
				       IOASID_INVALIDATE_ALL, 0, 0),
			 0);
	t = translation(w, pasid, iova, write ? ACCESS_WRITE : ACCESS_READ);
	dma = rd_dma_pasid(w->file, w->cookie, pasid, iova, &word, sizeof(word),
			   write ? IOASID_DMA_WRITE : 0);
	w->seen[dma.fault]++;
	if (dma.fault || !json_is_true(json_object_get(t, "translated")))
		same = agree(w, &dma, t);
	else
		same = w->ram[strtoull(text_of(t, "offset"), NULL, 0) / 8] == word;
	if (!same)
		fail_msg("%s 0x%" PRIx64 ", pasid %d: fault %u, stage %u, level %u, but %s",
			 write ? "write" : "read", iova, (int)pasid, dma.fault, dma.stage,
			 dma.level, json_dumps(t, 0));
	json_decref(t);
}

static void test_random_tables(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < TRIES; i++) {
		const bool write = draw(w, 2);

		/* DMA may have changed tables and data. */
		if (write || !(i % 16))
			draw_tables(w);
		compare(w, draw(w, 4), draw_iova(w), write);
	}
	/* All that can happen did. */
	for (size_t fault = IOASID_FAULT_NONE; fault <= IOASID_FAULT_ENTRY; fault++)
		if (fault != IOASID_FAULT_BLOCKED && fault != IOASID_FAULT_RESERVED &&
		    fault != IOASID_FAULT_MEMORY)
			assert_int_not_equal(w->seen[fault], 0);
	assert_int_not_equal(w->stuck, 0);
	for (size_t fault = 0; fault < 16; fault++)
		if (w->seen[fault])
			print_message("fault %zu: %u\n", fault, w->seen[fault]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_random_tables, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
