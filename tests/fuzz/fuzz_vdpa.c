// SPDX-License-Identifier: GPL-2.0-or-later
/* An answer of the kernel's vDPA family from anywhere. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/vdpa_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t room)
{
	if (strnlen(text, room) == room)
		abort();
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of exactly this size, so that a byte too far is noticed; malloc() aligns it. */
	char *copy = malloc(size ? size : 1);
	struct vdpa_answer answer = {0};

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	/* Whatever port and sequence number it has. */
	vdpa_read_answer(copy, size, 0, 0, &answer);
	if (answer.errnum < 0 || answer.errnum > 4095)
		abort();
	check_text(answer.text, sizeof(answer.text));
	for (size_t i = 0; i < answer.n_facts; i++) {
		check_text(answer.facts[i].bus, sizeof(answer.facts[i].bus));
		check_text(answer.facts[i].management, sizeof(answer.facts[i].management));
		check_text(answer.facts[i].name, sizeof(answer.facts[i].name));
	}
	vdpa_answer_done(&answer);
	free(copy);
	return 0;
}
