// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGE_MASK 0xfffULL
#define WORDS_MAX 512

struct walk walked;

static struct {
	struct {
		uint64_t address, word;
	} words[WORDS_MAX];
	size_t n_words;
	uint64_t protected_pages[8];
	size_t n_protected;
} guest;

int guest_set_up(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	return 0;
}

void guest_put(uint64_t address, uint64_t word)
{
	for (size_t i = 0; i < guest.n_words; i++)
		if (guest.words[i].address == address) {
			guest.words[i].word = word;
			return;
		}
	assert_true(guest.n_words < WORDS_MAX);
	guest.words[guest.n_words].address = address;
	guest.words[guest.n_words++].word = word;
}

void guest_protect(uint64_t page)
{
	guest.protected_pages[guest.n_protected++] = page;
}

static bool read_word(uint64_t address, uint64_t *word)
{
	bool known = false;

	*word = 0;
	for (size_t i = 0; i < guest.n_words; i++) {
		known |= (guest.words[i].address & ~PAGE_MASK) == (address & ~PAGE_MASK);
		if (guest.words[i].address == address)
			*word = guest.words[i].word;
	}
	return known;
}

static bool read_guest(void *data, struct walk_step *step, struct walk_stop *stop)
{
	assert_ptr_equal(data, &guest);
	assert_int_equal(step->address % 8, 0);
	assert_in_range(step->n_words, 1, WALK_WORDS_MAX);
	step->writable = true;
	for (size_t i = 0; i < guest.n_protected; i++)
		step->writable &= guest.protected_pages[i] != (step->address & ~PAGE_MASK);
	for (unsigned i = 0; i < step->n_words; i++)
		if (!read_word(step->address + 8ULL * i, &step->words[i])) {
			stop->kind = WALK_STOP_NOT_MAPPED;
			strcpy(stop->reason, "a hole");
			return false;
		}
	return true;
}

static const struct walk *go(const struct walk_case *what)
{
	static struct walk_request request;
	static const struct walk_memory memory = {read_guest, &guest};

	request = (struct walk_request){what->iova, what->pasid ? what->pasid : NO_PASID,
					what->access};
	walk_table(what->table, &request, &memory, &walked);
	assert_true(walked.n_steps <= WALK_STEPS_MAX);
	return &walked;
}

void assert_leads(struct walk_case what, uint64_t gpa, uint64_t page_size, uint8_t access)
{
	const struct walk *w = go(&what);

	if (w->stopped)
		fail_msg("stops at step %u: %s", w->stop.step, w->stop.reason);
	assert_int_equal(w->gpa, gpa);
	assert_int_equal(w->page_size, page_size);
	assert_int_equal(w->access, access);
}

void assert_stops(struct walk_case what, enum walk_stop_kind kind, const char *entry,
		  uint64_t address, const char *reason, const char *fault)
{
	const struct walk *w = go(&what);

	if (!w->stopped)
		fail_msg("leads to 0x%llx", (unsigned long long)w->gpa);
	assert_string_equal(walk_stop_names[w->stop.kind], walk_stop_names[kind]);
	if (!strstr(w->stop.reason, reason))
		fail_msg("\"%s\" doesn't hold \"%s\"", w->stop.reason, reason);
	assert_string_equal(w->stop.fault, fault ? fault : "");
	if (!entry) {
		assert_int_equal(w->stop.step, WALK_NO_STEP);
		return;
	}
	assert_true(w->stop.step < w->n_steps);
	assert_string_equal(w->steps[w->stop.step].entry, entry);
	assert_int_equal(w->steps[w->stop.step].address, address);
}

void assert_way(const char *names)
{
	char way[512] = "";

	for (uint32_t i = 0; i < walked.n_steps; i++) {
		strcat(way, i ? "," : "");
		strcat(way, walked.steps[i].entry);
	}
	assert_string_equal(way, names);
}
