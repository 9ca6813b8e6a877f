// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "apply/live.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "link.h"
#include "output.h"
#include "report/report.h"

#define DEFAULT_PAGE_SIZE 4096
#define PAGE_SIZE_LIMIT	  ((uint64_t)1 << 40) /* no IOMMU has larger ones */

struct scan {
	const struct invocation *in;
	const char *name, *object;
	struct client *client;
	uint64_t page_size;
	FILE *bitmap; /* NULL: none wanted */
	uint64_t written; /* bytes of it */
	uint64_t pages;
	struct range run; /* dirty pages in a row, not told yet */
	bool in_run;
	json_t *ranges, *dirty;
};

static json_t *call_parameters(const struct scan *s, const char *action)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", s->name, "object", s->object,
			 "action", action, "keep", s->in->no_clear, "verbose", s->in->verbose);
}

static int call(const struct scan *s, json_t *parameters, json_t **reply,
		struct ioasidctl_error **err)
{
	if (!parameters)
		return error_new(err, ERROR_USAGE, EINVAL, "an argument isn't UTF-8 text");
	return link_call(s->client, "Dirty", parameters, reply, err);
}

static json_t *range_json(uint64_t first, uint64_t last)
{
	char a[NUMBER_TEXT_MAX], z[NUMBER_TEXT_MAX];

	return json_pack("{s:s, s:s}", "first", number_hex(first, a), "last", number_hex(last, z));
}

static void end_run(struct scan *s)
{
	if (s->in_run)
		json_array_append_new(s->dirty, range_json(s->run.first, s->run.last));
	s->in_run = false;
}

static void take_page(struct scan *s, uint64_t first)
{
	const uint64_t last = first + (s->page_size - 1);

	s->pages++;
	if (s->in_run && s->run.last + 1 == first) {
		s->run.last = last;
		return;
	}
	end_run(s);
	s->run = (struct range){first, last};
	s->in_run = true;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bits of one answer, whose first stands for the page at `first`. */
static int take_bitmap(struct scan *s, const char *text, uint64_t first, uint64_t pages,
		       struct ioasidctl_error **err)
{
	const size_t bytes = (pages + 7) / 8;

	if (!text || strlen(text) != 2 * bytes)
		return error_new(err, ERROR_PROTOCOL, EPROTO,
				 "the holder's bitmap has a wrong length");
	for (size_t i = 0; i < bytes; i++) {
		const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return error_new(err, ERROR_PROTOCOL, EPROTO,
					 "the holder's bitmap isn't one");
		if (s->bitmap)
			putc(high << 4 | low, s->bitmap);
		for (unsigned bit = 0; bit < 8 && 8 * i + bit < pages; bit++)
			if ((high << 4 | low) & (1 << bit))
				take_page(s, first + (8 * i + bit) * s->page_size);
	}
	s->written += bytes;
	return 0;
}

static int read_part(struct scan *s, uint64_t first, uint64_t last, struct ioasidctl_error **err)
{
	char range[2 * NUMBER_TEXT_MAX], a[NUMBER_TEXT_MAX], z[NUMBER_TEXT_MAX];
	json_t *parameters = call_parameters(s, "read"), *reply;
	int ret;

	snprintf(range, sizeof(range), "%s-%s", number_hex(first, a), number_hex(last, z));
	json_object_set_new(parameters, "range", json_string(range));
	json_object_set_new(parameters, "page_size", json_string(number_hex(s->page_size, a)));
	ret = call(s, parameters, &reply, err);
	if (ret)
		return ret;
	ret = take_bitmap(s, json_string_value(json_object_get(reply, "bitmap")), first,
			  (last - first) / s->page_size + 1, err);
	json_decref(reply);
	return ret;
}

/* In parts that one call can answer. */
static int read_range(struct scan *s, uint64_t first, uint64_t last, struct ioasidctl_error **err)
{
	const uint64_t part = LIVE_DIRTY_PAGES * s->page_size, offset = s->written,
		       pages = s->pages;
	json_t *range = range_json(first, last);
	int ret = 0;

	for (uint64_t at = first; !ret && at <= last; at += part) {
		ret = read_part(s, at, last - at < part ? last : at + (part - 1), err);
		if (last - at < part)
			break;
	}
	json_object_set_new(range, "pages", json_integer((json_int_t)(s->pages - pages)));
	if (s->bitmap)
		json_object_set_new(range, "bitmap_offset", json_integer((json_int_t)offset));
	json_array_append_new(s->ranges, range);
	return ret;
}

static bool is_named(const json_t *object, const char *name, size_t length)
{
	const char *is = json_string_value(json_object_get(object, "name"));

	return is && strlen(is) == length && !strncmp(is, name, length);
}

/* The mappings of the object in a dump; it was found by the holder, so it is there once. */
static const json_t *find_mappings(const struct scan *s, const json_t *dump)
{
	const json_t *topology = json_array_get(json_object_get(dump, "topologies"), 0), *fd, *i;
	const char *slash = strchr(s->object, '/'), *name = slash ? slash + 1 : s->object;
	size_t j, k;

	json_array_foreach (json_object_get(topology, "fds"), j, fd) {
		if (slash && !is_named(fd, s->object, (size_t)(slash - s->object)))
			continue;
		json_array_foreach (json_object_get(fd, "ioasids"), k, i)
			if (is_named(i, name, strlen(name)))
				return json_object_get(i, "mappings");
	}
	return NULL;
}

static bool read_number(const json_t *object, const char *key, uint64_t *out)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && !number_parse(text, out);
}

static int read_mappings(struct scan *s, struct ioasidctl_error **err)
{
	json_t *reply;
	const json_t *mapping;
	size_t i;
	/* Where nothing is mapped, nothing else would ask whether there is a record at all. */
	int ret = call(s, call_parameters(s, "read"), &reply, err);

	if (ret)
		return ret;
	json_decref(reply);
	ret = link_call(s->client, "Show", json_pack("{s:s}", "name", s->name), &reply, err);
	if (ret)
		return ret;
	json_array_foreach (find_mappings(s, json_object_get(reply, "dump")), i, mapping) {
		uint64_t iova, length;

		if (!ret && read_number(mapping, "iova", &iova) &&
		    read_number(mapping, "length", &length) && range_valid(iova, length))
			ret = read_range(s, iova, range_last(iova, length), err);
	}
	json_decref(reply);
	return ret;
}

static int read_all(struct scan *s, struct ioasidctl_error **err)
{
	int ret = 0;

	if (s->in->n_arguments == 3)
		ret = read_mappings(s, err);
	for (size_t i = 3; !ret && i < s->in->n_arguments; i++) {
		struct range range;

		if (range_parse(s->in->arguments[i], &range.first, &range.last))
			return error_new(err, ERROR_USAGE, EINVAL,
					 "\"%s\" is no range: FIRST-LAST or FIRST+LENGTH",
					 s->in->arguments[i]);
		ret = read_range(s, range.first, range.last, err);
	}
	end_run(s);
	if (!ret && s->bitmap && fflush(s->bitmap))
		ret = error_new(err, ERROR_KERNEL, errno, "can't write %s: %s", s->in->bitmap,
				strerror(errno));
	return ret;
}

static void print_pages(const struct scan *s)
{
	char size[NUMBER_TEXT_MAX], page[NUMBER_TEXT_MAX];
	const json_t *range;
	size_t i;

	printf("%s/%s: %" PRIu64 " dirty page%s of %s, %s\n", s->name, s->object, s->pages,
	       s->pages == 1 ? "" : "s", number_size(s->page_size, page),
	       number_size(s->pages * s->page_size, size));
	json_array_foreach (s->dirty, i, range)
		printf("  %s-%s\n", json_string_value(json_object_get(range, "first")),
		       json_string_value(json_object_get(range, "last")));
}

static int print_read(struct scan *s)
{
	char size[NUMBER_TEXT_MAX];

	if (!s->in->json) {
		print_pages(s);
		return 0;
	}
	return print_json(s->in, json_pack("{s:i, s:s, s:s, s:b, s:s, s:I, s:b, s:O, s:O}",
					   "schema_version", REPORT_SCHEMA_VERSION, "name", s->name,
					   "object", s->object, "active", 1, "page_size",
					   number_hex(s->page_size, size), "pages",
					   (json_int_t)s->pages, "kept", s->in->no_clear, "ranges",
					   s->ranges, "dirty", s->dirty));
}

static int read_dirty(struct scan *s, struct ioasidctl_error **err)
{
	_cleanup_fclose_ FILE *file = NULL;
	int ret;

	if (s->in->bitmap) {
		file = fopen(s->in->bitmap, "we");
		if (!file)
			return error_new(err, ERROR_USAGE, errno, "can't write %s: %s",
					 s->in->bitmap, strerror(errno));
		s->bitmap = file;
	}
	s->ranges = json_array();
	s->dirty = json_array();
	ret = read_all(s, err);
	if (!ret)
		ret = print_read(s);
	json_decref(s->ranges);
	json_decref(s->dirty);
	return ret;
}

static int switch_tracking(const struct scan *s, const char *action, struct ioasidctl_error **err)
{
	json_t *reply;
	bool active;
	int ret = call(s, call_parameters(s, action), &reply, err);

	if (ret)
		return ret;
	active = json_is_true(json_object_get(reply, "active"));
	json_decref(reply);
	if (s->in->json)
		return print_json(s->in, json_pack("{s:i, s:s, s:s, s:b}", "schema_version",
						   REPORT_SCHEMA_VERSION, "name", s->name, "object",
						   s->object, "active", active));
	printf("%s/%s: dirty pages are %s recorded\n", s->name, s->object,
	       active ? "being" : "no longer");
	return 0;
}

/* What only `read` takes. NULL: nothing of it was given. */
static const char *superfluous(const struct invocation *in)
{
	return in->n_arguments > 3 ? "RANGE"
	       : in->bitmap	   ? "--bitmap"
	       : in->page_size	   ? "--page-size"
	       : in->no_clear	   ? "--no-clear"
				   : NULL;
}

static int check_action(const struct invocation *in, struct ioasidctl_error **err)
{
	static const char *const actions[] = {"start", "stop", "read", NULL};
	const char *action = in->arguments[0], *meant;
	int ret;

	for (size_t i = 0; actions[i]; i++) {
		if (strcmp(actions[i], action))
			continue;
		if (!strcmp(action, "read") || !superfluous(in))
			return 0;
		ret = error_new(err, ERROR_USAGE, EINVAL, "dirty %s takes no %s", action,
				superfluous(in));
		error_hint(err, "the whole IOASID is recorded; `dirty read` can read a part");
		return ret;
	}
	ret = error_new(err, ERROR_USAGE, EINVAL, "there is no action \"%s\": start, stop or read",
			action);
	meant = suggest(action, actions);
	if (meant)
		error_hint(err, "did you mean %s?", meant);
	return ret;
}

static int check_words(const struct invocation *in, uint64_t *page_size,
		       struct ioasidctl_error **err)
{
	*page_size = DEFAULT_PAGE_SIZE;
	if (in->page_size &&
	    (number_parse(in->page_size, page_size) || !*page_size || *page_size > PAGE_SIZE_LIMIT))
		return error_new(err, ERROR_USAGE, EINVAL, "\"%s\" is no page size", in->page_size);
	return check_action(in, err);
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_(client_freep)
	struct client *client = NULL;
	struct scan s = {.in = in};
	int ret = check_words(in, &s.page_size, &err);

	if (!ret)
		ret = link_open(in, &client, &err);
	if (!ret && !client)
		ret = link_nothing_held(in, &err);
	if (ret)
		return print_errors(in, err);
	s.client = client;
	s.name = in->arguments[1];
	s.object = in->arguments[2];
	ret = strcmp(in->arguments[0], "read") ? switch_tracking(&s, in->arguments[0], &err)
					       : read_dirty(&s, &err);
	return err ? print_errors(in, err) : ret;
}

const struct verb verb_dirty = {
	.name = "dirty",
	.synopsis = "start|stop|read NAME IOASID [RANGE...]",
	.help = "Record which pages devices write to, and read the record",
	.text = "start and stop switch the recording of an IOASID with dirty_tracking: true. read prints "
		"the pages written to since the last read, which clears the record unless --no-clear is "
		"given: of the RANGEs (FIRST-LAST or FIRST+LENGTH), or of all mappings. IOASID may be "
		"FD/IOASID.\n\n"
		"With --bitmap, one bit for each page goes to a file: the ranges in their order, each from "
		"a whole byte on, the lowest bit first; --json says where each begins.",
	.options = OPTION(SOCKET) | OPTION(VERBOSE) | OPTION(BITMAP) | OPTION(PAGE_SIZE) |
		   OPTION(NO_CLEAR),
	.min_arguments = 3,
	.max_arguments = SIZE_MAX,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
