/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translations against what the hardware does: holds a topology through libioasidctl's public
 * calls, asks where an address leads, lets the device (QEMU's edu) write a word there, and looks
 * through the whole memory for it.
 *
 *	translate_dma FILE TOPOLOGY DEVICE MEMORY IOVA...
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ioasidctl.h"
#include "support_edu.h"

struct place {
	struct ioasidctl *ctx;
	const char *topology, *device, *memory;
	volatile uint8_t *registers;
	volatile uint64_t *words;
	size_t n_words;
};

static void __attribute__((noreturn)) fail(const char *what, const struct ioasidctl_error *error)
{
	bail_out("%s: %s", what, error ? ioasidctl_error_message(error) : "failed");
}

static int descriptor(const struct place *p, const char *object)
{
	struct ioasidctl_error *error = NULL;
	int fd = ioasidctl_descriptor(p->ctx, p->topology, object, &error);

	if (fd < 0)
		fail(object, error);
	return fd;
}

static void apply(struct place *p, const char *file)
{
	struct ioasidctl_error *error = NULL;
	char text[16384];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text));
	struct stat st;

	if (length < 0)
		bail_out("%s: %m", file);
	if (ioasidctl_new(NULL, &p->ctx, &error) ||
	    ioasidctl_apply(p->ctx, text, (size_t)length, file, NULL, 0, NULL, &error))
		fail(file, error);
	p->registers = open_registers(descriptor(p, p->device));
	fd = descriptor(p, p->memory);
	if (fstat(fd, &st))
		bail_out("memory: %m");
	p->n_words = (size_t)st.st_size / sizeof(*p->words);
	p->words = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p->words == MAP_FAILED)
		bail_out("memory: %m");
}

/* The translation as JSON; a new reference. */
static json_t *translate(const struct place *p, uint64_t iova)
{
	struct ioasidctl_error *error = NULL;
	json_t *document, *one;
	char *text;

	if (ioasidctl_translate(p->ctx, p->topology, p->device, -1, "w", &iova, 1, &text, &error))
		fail("translate", error);
	document = json_loads(text, 0, NULL);
	one = json_incref(json_array_get(json_object_get(document, "translations"), 0));
	json_decref(document);
	free(text);
	return one;
}

/* The byte offsets of a word in the memory; how many there are. */
static size_t find_word(const struct place *p, uint64_t word, uint64_t *offset)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_words; i++)
		if (p->words[i] == word) {
			*offset = i * sizeof(*p->words);
			n++;
		}
	return n;
}

static void compare(const struct place *p, uint64_t iova)
{
	uint64_t word = 0xedd0000000000000 | iova, at = 0, wanted = UINT64_MAX;
	json_t *t = translate(p, iova);
	const bool translated = json_is_true(json_object_get(t, "translated"));
	/* A readable place, to fill the device's buffer from: the config's first mapping. */
	const uint64_t source = 0x1000000;
	size_t n;

	if (translated) {
		wanted = strtoull(json_string_value(json_object_get(t, "offset")), NULL, 0);
		if (strcmp(json_string_value(json_object_get(t, "memory")), p->memory))
			bail_out("0x%lx leads to another memory", (unsigned long)iova);
	}
	p->words[0x100000 / sizeof(*p->words)] = word;
	transfer(p->registers, source, sizeof(word), false);
	p->words[0x100000 / sizeof(*p->words)] = 0;
	transfer(p->registers, iova, sizeof(word), true);
	n = find_word(p, word, &at);
	if (translated)
		check(n == 1 && at == wanted, "0x%lx leads to 0x%lx, and the device wrote at 0x%lx",
		      (unsigned long)iova, (unsigned long)wanted, (unsigned long)at);
	else
		check(!n, "0x%lx leads nowhere (%s), and the device wrote nothing",
		      (unsigned long)iova,
		      json_string_value(json_object_get(json_object_get(t, "stop"), "reason")));
	json_decref(t);
}

int main(int argc, char **argv)
{
	struct place p = {0};

	if (argc < 6) {
		fprintf(stderr, "usage: %s FILE TOPOLOGY DEVICE MEMORY IOVA...\n", argv[0]);
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	p.topology = argv[2];
	p.device = argv[3];
	p.memory = argv[4];
	apply(&p, argv[1]);
	for (int i = 5; i < argc; i++)
		compare(&p, strtoull(argv[i], NULL, 0));
	/* The kernel waits for it when the device is to get its host driver back. */
	close_registers(p.registers);
	if (ioasidctl_delete(p.ctx, p.topology, 0, NULL, NULL))
		bail_out("delete failed");
	ioasidctl_free(p.ctx);
	return conclude();
}
