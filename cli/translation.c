// SPDX-License-Identifier: GPL-2.0-or-later
#include "translation.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "json_text.h"
#include "output.h"

#define ADDRESS_WIDTH  14
#define WORD_WIDTH     18
#define WORDS_PER_LINE 3

static void print_mapping(const json_t *m)
{
	uint64_t iova = hex_of(m, "iova");

	printf("0x%" PRIx64 "-0x%" PRIx64 " ", iova, range_last(iova, hex_of(m, "length")));
	if (json_object_get(m, "copy"))
		printf("copy of %s %s", text_of(m, "copy"), text_of(m, "from"));
	else
		printf("%s+%s", text_of(m, "memory"), text_of(m, "offset"));
	printf(" %s\n", text_of(m, "access"));
}

/* As one column of several; nothing is padded at the end of a line. */
static void print_words(const json_t *words)
{
	const json_t *word;
	size_t i, n = json_array_size(words);

	json_array_foreach (words, i, word) {
		const bool last = i + 1 == n || (i + 1) % WORDS_PER_LINE == 0;

		printf("%s%-*s", i % WORDS_PER_LINE ? " " : "\n      ", last ? 0 : WORD_WIDTH,
		       json_string_value(word));
	}
}

static void print_step(const json_t *step)
{
	const json_t *words = json_object_get(step, "words"), *memory;
	const size_t n = json_array_size(words);
	const char *address = json_string_value(json_object_get(step, "address"));

	memory = json_object_get(step, "memory");
	printf("    %-18s %-*s", text_of(step, "entry"), n == 1 || memory ? ADDRESS_WIDTH : 0,
	       address ? address : "of the config");
	if (n == 1)
		printf(" %-*s", memory ? WORD_WIDTH : 0,
		       json_string_value(json_array_get(words, 0)));
	if (memory)
		printf(" %s+%s", text_of(step, "memory"), text_of(step, "offset"));
	if (n > 1)
		print_words(words);
	putchar('\n');
}

static void print_walk(const json_t *t)
{
	const json_t *steps = json_object_get(t, "steps"), *step;
	char size[NUMBER_TEXT_MAX];
	size_t i;

	if (!json_object_get(t, "ioasid"))
		return;
	printf("  ioasid %s", text_of(t, "ioasid"));
	if (json_object_get(t, "format"))
		printf(": %s table, on %s", text_of(t, "format"), text_of(t, "gpa"));
	putchar('\n');
	json_array_foreach (steps, i, step)
		print_step(step);
	if (!json_object_get(t, "guest_address"))
		return;
	printf("  guest address %s, ", text_of(t, "guest_address"));
	if (json_object_get(t, "page_size"))
		printf("in a page of %s, %s\n", number_size(hex_of(t, "page_size"), size),
		       text_of(t, "table_access"));
	else
		puts("as it came: no page table was in the way");
}

static void print_neighbour(const char *where, const json_t *mapping)
{
	printf("    mapped %s it: ", where);
	if (mapping)
		print_mapping(mapping);
	else
		puts("nothing");
}

static void print_stop(const json_t *t, const json_t *stop)
{
	const json_t *index = json_object_get(stop, "step");
	const json_t *excluded = json_object_get(stop, "excluded");

	printf("  %sstops%s", paint(stdout, PAINT_BAD), paint(stdout, PAINT_NONE));
	if (index) {
		const json_t *step = json_array_get(json_object_get(t, "steps"),
						    (size_t)json_integer_value(index));

		printf(" at the %s", text_of(step, "entry"));
		if (json_object_get(step, "address"))
			printf(" at %s", text_of(step, "address"));
	}
	fputs(": ", stdout);
	print_safely(stdout, text_of(stop, "reason"));
	putchar('\n');
	if (json_object_get(stop, "fault"))
		printf("    the hardware reports %s\n", text_of(stop, "fault"));
	if (!json_object_get(stop, "unmapped"))
		return;
	if (excluded)
		printf("    the kernel allows no mapping in %s-%s\n", text_of(excluded, "first"),
		       text_of(excluded, "last"));
	print_neighbour("below", json_object_get(stop, "below"));
	print_neighbour("above", json_object_get(stop, "above"));
}

static void print_translation(const json_t *document, const json_t *t)
{
	const json_t *pasid = json_object_get(document, "pasid");
	const json_t *stop = json_object_get(t, "stop");
	char size[NUMBER_TEXT_MAX];

	printf("%s%s%s", paint(stdout, PAINT_STRONG), text_of(document, "device"),
	       paint(stdout, PAINT_NONE));
	if (pasid)
		printf(", pasid %" JSON_INTEGER_FORMAT, json_integer_value(pasid));
	printf(", address %s%s%s\n", paint(stdout, PAINT_STRONG), text_of(t, "iova"),
	       paint(stdout, PAINT_NONE));
	print_walk(t);
	if (json_object_get(t, "mapping")) {
		printf("  mapping of %s: ", text_of(t, "gpa"));
		print_mapping(json_object_get(t, "mapping"));
	}
	if (stop)
		print_stop(t, stop);
	else if (json_object_get(t, "memory"))
		printf("  leads to %s+%s %s, contiguous for %s bytes\n", text_of(t, "memory"),
		       text_of(t, "offset"), text_of(t, "access"),
		       number_size(hex_of(t, "length"), size));
	if (json_object_get(t, "physical"))
		printf("  which is physical address %s, contiguous for %s bytes\n",
		       text_of(t, "physical"), number_size(hex_of(t, "physical_length"), size));
}

void print_translations(const json_t *document)
{
	const json_t *translations = json_object_get(document, "translations"), *t;
	size_t i;

	json_array_foreach (translations, i, t)
		print_translation(document, t);
}
