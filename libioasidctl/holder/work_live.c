// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/live.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "holder/work_state.h"

static struct live_call call_of(const struct work *work, const struct job *job,
				const struct transaction *how)
{
	return (struct live_call){.engine = work->world->engine,
				  .topology = job->parameters.name,
				  .object = job->parameters.object,
				  .how = how};
}

int work_invalidate(struct work *work, const struct job *job, const struct transaction *how,
		    json_t **out, struct ioasidctl_error **err)
{
	const struct live_call call = call_of(work, job, how);
	const json_t *texts = job->parameters.entries, *text;
	const size_t n = json_array_size(texts);
	_cleanup_free_ struct invalidation *entries = calloc(n + 1, sizeof(*entries));
	size_t done, i;
	int ret = 0;

	if (!entries)
		return error_nomem(err);
	json_array_foreach (texts, i, text)
		ret = ret ? ret
			  : invalidation_parse(json_string_value(text), job->parameters.leaf,
					       &entries[i], err);
	if (!ret)
		ret = live_invalidate(&call, entries, n, &done, err);
	if (ret)
		return ret;
	*out = json_pack("{s:I}", "handled", (json_int_t)done);
	return *out ? 0 : error_nomem(err);
}

static char *hexadecimal(const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * n + 1);

	for (size_t i = 0; text && i < n; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	if (text)
		text[2 * n] = 0;
	return text;
}

static int dirty_answer(const uint64_t *bitmap, uint64_t pages, json_t **out,
			struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	const size_t n = (pages + 7) / 8;
	_cleanup_free_ unsigned char *bytes = malloc(n);
	json_int_t set = 0;

	for (size_t i = 0; bytes && i < n; i++) {
		bytes[i] = (unsigned char)(bitmap[i / 8] >> (8 * (i % 8)));
		set += __builtin_popcount(bytes[i]);
	}
	text = bytes ? hexadecimal(bytes, n) : NULL;
	*out = text ? json_pack("{s:b, s:I, s:s}", "active", 1, "pages", set, "bitmap", text)
		    : NULL;
	return *out ? 0 : error_nomem(err);
}

static int read_dirty(const struct live_call *call, const struct parameters *p, json_t **out,
		      struct ioasidctl_error **err)
{
	_cleanup_free_ uint64_t *bitmap = calloc(LIVE_DIRTY_PAGES / 64, sizeof(*bitmap));
	uint64_t page_size;
	struct range range;
	int ret;

	if (!bitmap)
		return error_nomem(err);
	if (range_parse(p->range, &range.first, &range.last))
		return error_new(err, ERROR_USAGE, EINVAL,
				 "\"%s\" is no range: FIRST-LAST or FIRST+LENGTH", p->range);
	if (!p->page_size || number_parse(p->page_size, &page_size))
		return error_new(err, ERROR_USAGE, EINVAL, "\"%s\" is no page size",
				 p->page_size ? p->page_size : "");
	ret = live_dirty_read(call, &range, page_size, p->keep, bitmap, err);
	return ret ? ret
		   : dirty_answer(bitmap, (range.last - range.first) / page_size + 1, out, err);
}

/* Of no range: only whether there is a record to read. */
static int check_dirty(const struct live_call *call, json_t **out, struct ioasidctl_error **err)
{
	struct live_target target;
	int ret = live_dirty_check(call, &target, err);

	if (ret)
		return ret;
	*out = json_pack("{s:b}", "active", 1);
	return *out ? 0 : error_nomem(err);
}

int work_dirty(struct work *work, const struct job *job, const struct transaction *how,
	       json_t **out, struct ioasidctl_error **err)
{
	const struct live_call call = call_of(work, job, how);
	const struct parameters *p = &job->parameters;
	const bool start = !strcmp(p->action, "start");
	int ret;

	if (!strcmp(p->action, "read"))
		return p->range ? read_dirty(&call, p, out, err) : check_dirty(&call, out, err);
	if (!start && strcmp(p->action, "stop"))
		return error_new(err, ERROR_USAGE, EINVAL,
				 "there is no action %s: start, stop or read", p->action);
	ret = live_dirty_set(&call, start, err);
	if (ret)
		return ret;
	*out = json_pack("{s:b}", "active", start);
	return *out ? 0 : error_nomem(err);
}
