// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations.h"

#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "json_text.h"
#include "output.h"
#include "plan/plan.h"
#include "report/report.h"

#define RUN_SHOWN 3 /* of a run that is cut short */
#define RUN_MAX	  20 /* longer runs of alike operations are */

static enum paint paint_of(const char *action)
{
	static const enum paint paints[OPERATION_COUNT] = {
		[OPERATION_OPEN_FD] = PAINT_ADD,
		[OPERATION_CREATE_MEMORY] = PAINT_ADD,
		[OPERATION_OPEN_DEVICE] = PAINT_ADD,
		[OPERATION_BIND_DEVICE] = PAINT_ADD,
		[OPERATION_CREATE_VDPA] = PAINT_ADD,
		[OPERATION_ALLOC] = PAINT_ADD,
		[OPERATION_ALLOC_VIOMMU] = PAINT_ADD,
		[OPERATION_ALLOC_EVENTS] = PAINT_ADD,
		[OPERATION_ALLOC_QUEUE] = PAINT_ADD,
		[OPERATION_ALLOC_VDEVICE] = PAINT_ADD,
		[OPERATION_MAP] = PAINT_ADD,
		[OPERATION_COPY] = PAINT_ADD,
		[OPERATION_ATTACH] = PAINT_ADD,
		[OPERATION_DETACH] = PAINT_REMOVE,
		[OPERATION_UNMAP] = PAINT_REMOVE,
		[OPERATION_UNBIND_DEVICE] = PAINT_REMOVE,
		[OPERATION_SUSPEND_DEVICE] = PAINT_REMOVE,
		[OPERATION_FREE] = PAINT_REMOVE,
		[OPERATION_FREE_VIOMMU] = PAINT_REMOVE,
		[OPERATION_FREE_EVENTS] = PAINT_REMOVE,
		[OPERATION_FREE_QUEUE] = PAINT_REMOVE,
		[OPERATION_FREE_VDEVICE] = PAINT_REMOVE,
		[OPERATION_DELETE_VDPA] = PAINT_REMOVE,
		[OPERATION_CLOSE_DEVICE] = PAINT_REMOVE,
		[OPERATION_CLOSE_FD] = PAINT_REMOVE,
		[OPERATION_DESTROY_MEMORY] = PAINT_REMOVE,
	};

	for (int kind = 0; kind < OPERATION_COUNT; kind++)
		if (!strcmp(operation_name((enum operation_kind)kind), action))
			return paints[kind] ? paints[kind] : PAINT_CHANGE;
	return PAINT_CHANGE;
}

static char mark_of(enum paint paint)
{
	return paint == PAINT_ADD ? '+' : paint == PAINT_REMOVE ? '-' : '~';
}

static void print_operation(const json_t *operation)
{
	enum paint color = paint_of(text_of(operation, "action"));

	printf("  %s%c%s ", paint(stdout, color), mark_of(color), paint(stdout, PAINT_NONE));
	print_safely(stdout, text_of(operation, "text"));
	putchar('\n');
}

/* Mappings of one IOASID that differ in nothing but their place. */
static bool alike(const json_t *a, const json_t *b)
{
	return json_object_get(a, "iova") && !strcmp(text_of(a, "action"), text_of(b, "action")) &&
	       !strcmp(text_of(a, "fd"), text_of(b, "fd")) &&
	       !strcmp(text_of(a, "ioasid"), text_of(b, "ioasid"));
}

/* Where the run from `i` on ends in which each operation is like the one `period` before it. */
static size_t run_end(const json_t *operations, size_t i, size_t period)
{
	size_t end = i + period;

	while (end < json_array_size(operations) &&
	       alike(json_array_get(operations, end - period), json_array_get(operations, end)))
		end++;
	return end;
}

static void print_rest(const json_t *operations, size_t from, size_t to, size_t period)
{
	const json_t *first = json_array_get(operations, from);
	enum paint color = paint_of(text_of(first, "action"));
	char size[NUMBER_TEXT_MAX];
	uint64_t bytes = 0, length;
	size_t n = 0;

	for (size_t i = from; i < to; i += period, n++)
		if (!number_parse(text_of(json_array_get(operations, i), "length"), &length))
			bytes += length;
	printf("  %s%c%s %s %s/%s ... %zu more, %s in all (-v lists them)\n", paint(stdout, color),
	       mark_of(color), paint(stdout, PAINT_NONE), text_of(first, "action"),
	       text_of(first, "fd"), text_of(first, "ioasid"), n, number_size(bytes, size));
}

void print_operations(const struct invocation *in, const json_t *result)
{
	const json_t *operations = json_object_get(result, "operations");
	size_t n = json_array_size(operations);

	for (size_t i = 0; i < n;) {
		/* Mappings that change are pairs: unmap, map, unmap, map... */
		size_t period = run_end(operations, i, 1) - i > 1 ? 1 : 2;
		size_t end = run_end(operations, i, period), shown;

		/* Two that aren't alike and begin nothing: the second may begin a run of its own.
		 */
		if (end > n || end == i + period)
			end = i + 1;
		shown = in->verbose || end - i <= RUN_MAX ? end : i + RUN_SHOWN * period;
		for (; i < shown; i++)
			print_operation(json_array_get(operations, i));
		for (size_t k = 0; k < period && i + k < end; k++)
			print_rest(operations, i + k, end, period);
		i = end;
	}
}

static uint64_t count_operations(const json_t *result)
{
	const char *kind;
	json_t *count;
	uint64_t sum = 0;

	json_object_foreach (json_object_get(result, "counts"), kind, count)
		sum += (uint64_t)json_integer_value(count);
	return sum;
}

bool result_changed(const json_t *result)
{
	return json_is_true(json_object_get(result, "changed"));
}

void print_outcome(const struct invocation *in, const json_t *result)
{
	uint64_t n = count_operations(result);
	bool would = in->dry_run || !strcmp(in->verb->name, "plan");

	printf("%s%s:%s ", paint(stdout, PAINT_STRONG), text_of(result, "name"),
	       paint(stdout, PAINT_NONE));
	if (!result_changed(result))
		puts("nothing to do");
	else
		printf("%" PRIu64 " operation%s %s\n", n, n == 1 ? "" : "s",
		       would ? "to do" : "done");
}

json_t *result_document(const struct invocation *in, json_t *results)
{
	json_t *result;
	size_t i;

	json_array_foreach (results, i, result)
		json_object_set_new(result, "dry_run", json_boolean(in->dry_run));
	return json_pack("{s:i, s:o}", "schema_version", REPORT_SCHEMA_VERSION, "results", results);
}
