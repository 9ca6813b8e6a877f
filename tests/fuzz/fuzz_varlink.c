// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client's bytes, through framing, parsing and dispatch. The first byte says in pieces of which
 * size they come, and who sends them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "holder/methods.h"
#include "holder/subscription.h"
#include "holder/varlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void handle(const char *text, size_t length, bool trusted)
{
	const struct peer peer = {.uid = 1, .trusted = trusted};
	struct varlink_message message;
	struct answer answer;

	if (!varlink_parse_reply(text, length, &message, NULL))
		varlink_message_done(&message);
	if (varlink_parse_call(text, length,
			       trusted ? &varlink_limits_trusted : &varlink_limits_others, &message,
			       NULL))
		return;
	methods_call(&peer, &message, &answer);
	if (!!answer.text + !!answer.job + !!answer.subscription != 1)
		abort();
	if (answer.text && strlen(answer.text) + 1 != answer.length)
		abort();
	free(answer.text);
	subscription_free(answer.subscription);
	job_free(answer.job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t piece = size ? (data[0] >> 1) + 1U : 1;
	const bool trusted = size && data[0] & 1;
	struct inbox in = {0};

	for (size_t at = 1; at < size;) {
		size_t room, length, n = size - at < piece ? size - at : piece;
		const char *text;
		char *space;

		if (inbox_room(&in, 4096, &space, &room))
			break;
		n = n < room ? n : room;
		memcpy(space, data + at, n);
		inbox_received(&in, n);
		at += n;
		while (inbox_message(&in, &text, &length)) {
			handle(text, length, trusted);
			inbox_drop(&in, length);
		}
	}
	inbox_done(&in);
	return 0;
}
