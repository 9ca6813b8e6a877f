// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json_text.h"
#include "output.h"
#include "report/event.h"

static bool has(const json_t *event, const char *key)
{
	return json_object_get(event, key);
}

static json_int_t number_of(const json_t *event, const char *key)
{
	return json_integer_value(json_object_get(event, key));
}

/* The time here, to the millisecond; as it came where it is none. */
static void print_time(const char *text)
{
	struct tm utc = {0}, local;
	char micro[8] = "", shown[16];
	time_t seconds;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%6[0-9]", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
		   &utc.tm_hour, &utc.tm_min, &utc.tm_sec, micro) < 6) {
		print_safely(stdout, text);
		return;
	}
	utc.tm_year -= 1900;
	utc.tm_mon--;
	seconds = timegm(&utc);
	localtime_r(&seconds, &local);
	strftime(shown, sizeof(shown), "%T", &local);
	printf("%s%s.%.3s%s", paint(stdout, PAINT_DIM), shown, micro, paint(stdout, PAINT_NONE));
}

/* "vm0/nic0 (pci 0000:01:00.0): " */
static void print_subject(const json_t *event)
{
	const bool topology = has(event, "topology"), device = has(event, "device");

	if (!topology && !has(event, "address"))
		return;
	fputs(paint(stdout, PAINT_STRONG), stdout);
	print_safely(stdout, text_of(event, "topology"));
	if (device) {
		putchar('/');
		print_safely(stdout, text_of(event, "device"));
	}
	fputs(paint(stdout, PAINT_NONE), stdout);
	if (has(event, "address")) {
		printf("%s%s ", topology ? " (" : "", text_of(event, "selector"));
		print_safely(stdout, text_of(event, "address"));
		fputs(topology ? ")" : "", stdout);
	}
	fputs(": ", stdout);
}

static void print_change(const json_t *event)
{
	fputs(text_of(event, "kind"), stdout);
	if (has(event, "uid"))
		printf(" by user id %" JSON_INTEGER_FORMAT ", process %" JSON_INTEGER_FORMAT,
		       number_of(event, "uid"), number_of(event, "pid"));
	else
		fputs(" by the holder, as it ends", stdout);
}

static void print_driver(const json_t *event)
{
	if (!has(event, "driver")) {
		fputs("has no driver now", stdout);
		return;
	}
	fputs("has driver ", stdout);
	print_safely(stdout, text_of(event, "driver"));
	fputs(" now", stdout);
}

static void print_group(const json_t *event)
{
	const json_t *member;
	size_t i;

	printf("its IOMMU group is %" JSON_INTEGER_FORMAT " now, with", number_of(event, "group"));
	json_array_foreach (json_object_get(event, "members"), i, member) {
		fputs(i ? ", " : " ", stdout);
		print_safely(stdout, json_is_string(member) ? json_string_value(member) : "?");
	}
}

static void print_failure(const json_t *event)
{
	printf("%snot attached%s: ", paint(stdout, PAINT_BAD), paint(stdout, PAINT_NONE));
	print_safely(stdout, text_of(event, "message"));
	if (has(event, "retry_ms"))
		printf("; next try in %.1f s", (double)number_of(event, "retry_ms") / 1000);
	else
		printf("; given up after %" JSON_INTEGER_FORMAT " tries",
		       number_of(event, "tries"));
}

static void print_released(const json_t *event)
{
	fputs("was given up: ", stdout);
	print_safely(stdout, text_of(event, "message"));
}

static void print_lost(const json_t *event)
{
	printf("%s%" JSON_INTEGER_FORMAT " events are missing here%s: they came faster than they "
	       "could be printed",
	       paint(stdout, PAINT_BAD), number_of(event, "count"), paint(stdout, PAINT_NONE));
}

static void print_monitoring(const json_t *event)
{
	printf("following the holder, process %" JSON_INTEGER_FORMAT, number_of(event, "pid"));
	if (!has(event, "message"))
		return;
	fputs("; but ", stdout);
	print_safely(stdout, text_of(event, "message"));
}

static void print_fault(const json_t *event)
{
	const json_t *access;
	size_t i;

	printf("page fault %" JSON_INTEGER_FORMAT " in ", number_of(event, "cookie"));
	print_safely(stdout, text_of(event, "fd"));
	putchar('/');
	print_safely(stdout, text_of(event, "ioasid"));
	printf(" at %s", text_of(event, "iova"));
	json_array_foreach (json_object_get(event, "access"), i, access) {
		fputs(i ? ", " : " to ", stdout);
		print_safely(stdout, json_is_string(access) ? json_string_value(access) : "?");
	}
	if (has(event, "pasid"))
		printf(", PASID %" JSON_INTEGER_FORMAT, number_of(event, "pasid"));
}

static void print_viommu_event(const json_t *event)
{
	const json_t *word;
	size_t i;

	print_safely(stdout, text_of(event, "fd"));
	putchar('/');
	print_safely(stdout, text_of(event, "viommu"));
	if (!has(event, "words")) {
		fputs(" has lost events: its queue was full", stdout);
		return;
	}
	printf(" has event %" JSON_INTEGER_FORMAT ":", number_of(event, "sequence"));
	json_array_foreach (json_object_get(event, "words"), i, word) {
		putchar(' ');
		print_safely(stdout, json_is_string(word) ? json_string_value(word) : "?");
	}
}

static const struct {
	const char *text; /* NULL: `print` */
	void (*print)(const json_t *event);
} forms[EVENT_KIND_COUNT] = {
	[EVENT_MONITORING] = {NULL, print_monitoring},
	[EVENT_LOST] = {NULL, print_lost},
	[EVENT_KERNEL_LOST] = {"the kernel had to drop device events; the holder has looked itself",
			       NULL},
	[EVENT_ENDING] = {"the holder ends", NULL},
	[EVENT_APPLIED] = {NULL, print_change},
	[EVENT_PAGE_FAULT] = {NULL, print_fault},
	[EVENT_VIOMMU_EVENT] = {NULL, print_viommu_event},
	[EVENT_VIOMMU_LOST] = {NULL, print_viommu_event},
	[EVENT_DELETED] = {NULL, print_change},
	[EVENT_TAKEN] = {NULL, print_change},
	[EVENT_RETURNED] = {NULL, print_change},
	[EVENT_DEVICE_ADDED] = {"is there", NULL},
	[EVENT_DEVICE_REMOVED] = {"has gone", NULL},
	[EVENT_DRIVER_CHANGED] = {NULL, print_driver},
	[EVENT_GROUP_CHANGED] = {NULL, print_group},
	[EVENT_DEVICE_RELEASED] = {NULL, print_released},
	[EVENT_DEVICE_ATTACHED] = {"came, and is attached", NULL},
	[EVENT_ATTACH_FAILED] = {NULL, print_failure},
};

/* Also of a kind that a newer holder knows. */
static void print_other(const json_t *event)
{
	print_safely(stdout, text_of(event, "kind"));
	if (has(event, "message")) {
		fputs(": ", stdout);
		print_safely(stdout, text_of(event, "message"));
	}
}

void print_event(const json_t *event)
{
	int kind = 0;

	while (event_kind_names[kind] && strcmp(event_kind_names[kind], text_of(event, "kind")))
		kind++;
	print_time(text_of(event, "time"));
	putchar(' ');
	print_subject(event);
	if (kind == EVENT_KIND_COUNT)
		print_other(event);
	else if (forms[kind].print)
		forms[kind].print(event);
	else
		fputs(forms[kind].text, stdout);
	putchar('\n');
}

int tell_event(const struct invocation *in, const json_t *event)
{
	if (in->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_event(event);
	}
	/* Whoever reads this shall have it now; where it can't be written, output_finish() tells.
	 */
	return fflush(stdout) || ferror(stdout) ? -EIO : 0;
}
