// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "json_text.h"
#include "output.h"

#define RANGES_SHOWN 3

static bool is_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

static const char *size_of(const json_t *object, const char *key, char buf[static NUMBER_TEXT_MAX])
{
	return number_size(hex_of(object, key), buf);
}

static void indent(int depth)
{
	printf("%*s", 2 * depth, "");
}

/* "  kind name" in the colour of a heading; the rest of the line is the caller's. */
static void print_head(int depth, const char *kind, const char *name)
{
	indent(depth);
	printf("%s %s", kind, paint(stdout, PAINT_STRONG));
	print_safely(stdout, name);
	fputs(paint(stdout, PAINT_NONE), stdout);
}

static void print_bad(const char *text)
{
	printf("%s%s%s", paint(stdout, PAINT_BAD), text, paint(stdout, PAINT_NONE));
}

static void print_memory(const json_t *m)
{
	char size[NUMBER_TEXT_MAX], page[NUMBER_TEXT_MAX], populated[NUMBER_TEXT_MAX];

	print_head(1, "memory", text_of(m, "name"));
	printf(": %s %s", size_of(m, "size", size), text_of(m, "backing"));
	if (json_object_get(m, "path")) {
		putchar(' ');
		print_safely(stdout, text_of(m, "path"));
	}
	printf(", pages of %s", size_of(m, "page_size", page));
	if (json_object_get(m, "populated"))
		printf(", %s populated", size_of(m, "populated", populated));
	if (!is_true(m, "alive"))
		print_bad(", gone");
	putchar('\n');
}

static void print_group(const json_t *device)
{
	const json_t *members = json_object_get(device, "group_members"), *member;
	size_t i;

	if (!json_object_get(device, "group"))
		return;
	printf(", group %" JSON_INTEGER_FORMAT,
	       json_integer_value(json_object_get(device, "group")));
	json_array_foreach (members, i, member) {
		const json_t *driver = json_object_get(member, "driver");

		if (strcmp(text_of(member, "address"), text_of(device, "address")))
			printf("\n    shares its group with %s (%s)", text_of(member, "address"),
			       driver ? json_string_value(driver) : "no driver");
	}
}

/* A member of a group that nobody declared. */
static void print_taken(const json_t *d)
{
	const json_t *driver = json_object_get(d, "driver");

	print_head(1, "taken", text_of(d, "address"));
	printf(" for %s, %s", text_of(d, "taken_for"),
	       driver ? json_string_value(driver) : "no driver");
	if (*text_of(d, "original_driver"))
		printf(", back to %s at the end", text_of(d, "original_driver"));
	if (!is_true(d, "present"))
		print_bad(", gone");
	putchar('\n');
}

static void print_iotlb(const json_t *d)
{
	const json_t *iotlb = json_object_get(d, "iotlb"), *table;
	size_t i;

	if (json_object_get(d, "management"))
		printf("\n    made on %s", text_of(d, "management"));
	if (!iotlb)
		return;
	printf("\n    %" JSON_INTEGER_FORMAT " address spaces, %" JSON_INTEGER_FORMAT
	       " virtqueue groups",
	       json_integer_value(json_object_get(iotlb, "address_spaces")),
	       json_integer_value(json_object_get(iotlb, "vq_groups")));
	json_array_foreach (json_object_get(iotlb, "tables"), i, table) {
		printf("\n    address space %" JSON_INTEGER_FORMAT ": %" JSON_INTEGER_FORMAT
		       " mappings",
		       json_integer_value(json_object_get(table, "asid")),
		       json_integer_value(json_object_get(table, "entries")));
		if (json_object_get(table, "vq_group"))
			printf(", virtqueue group %" JSON_INTEGER_FORMAT,
			       json_integer_value(json_object_get(table, "vq_group")));
	}
}

/* What it is bound to, and what is the matter with it. */
static void print_state(const json_t *d)
{
	const char *state = text_of(d, "state"), *driver = text_of(d, "driver");

	if (is_true(d, "present"))
		printf(", %s", *driver ? driver : "no driver");
	if (!strcmp(state, "gone"))
		print_bad(", gone");
	else if (!strcmp(state, "released"))
		print_bad(", released; apply takes it back");
	else if (!strcmp(state, "pending"))
		printf(", %spending%s%s", paint(stdout, PAINT_CHANGE), paint(stdout, PAINT_NONE),
		       is_true(d, "present") ? "" : " until it comes");
	else if (!strcmp(state, "held") && !json_is_true(json_object_get(d, "alive")) &&
		 !json_object_get(d, "vfs"))
		fputs(", not bound", stdout);
	else if (!*state)
		fputs(", not used", stdout);
}

static void print_device(const json_t *d)
{
	const json_t *hardware = json_object_get(d, "hardware");

	if (json_object_get(d, "taken_for")) {
		print_taken(d);
		return;
	}
	print_head(1, "device", text_of(d, "name"));
	printf(": %s ", text_of(d, "selector"));
	print_safely(stdout, text_of(d, "address"));
	print_state(d);
	if (json_object_get(d, "vfs"))
		printf(", %" JSON_INTEGER_FORMAT " virtual functions",
		       json_integer_value(json_object_get(d, "vfs")));
	print_group(d);
	if (json_object_get(d, "trouble")) {
		fputs("\n    ", stdout);
		print_bad("not attached: ");
		print_safely(stdout, text_of(d, "trouble"));
	}
	if (hardware && strcmp(text_of(hardware, "type"), "none")) {
		printf("\n    behind %s", text_of(hardware, "type"));
		if (json_object_get(hardware, "iova_bits"))
			printf(", %" JSON_INTEGER_FORMAT " address bits",
			       json_integer_value(json_object_get(hardware, "iova_bits")));
		if (is_true(hardware, "nesting"))
			fputs(", nesting", stdout);
		if (json_integer_value(json_object_get(hardware, "pasid_bits")))
			fputs(", PASIDs", stdout);
		if (is_true(hardware, "dirty_tracking"))
			fputs(", dirty tracking", stdout);
	}
	print_iotlb(d);
	putchar('\n');
}

static void print_range(uint64_t first, uint64_t last)
{
	printf("0x%" PRIx64 "-0x%" PRIx64, first, last);
}

static void print_ranges(int depth, const char *label, const json_t *ranges)
{
	const json_t *range;
	size_t i, n = json_array_size(ranges);

	if (!n)
		return;
	indent(depth);
	printf("%s", label);
	json_array_foreach (ranges, i, range) {
		if (i == RANGES_SHOWN && n > RANGES_SHOWN + 1) {
			printf(" and %zu more", n - i);
			break;
		}
		putchar(' ');
		print_range(hex_of(range, "first"), hex_of(range, "last"));
	}
	putchar('\n');
}

static void print_mapping(int depth, const json_t *m)
{
	uint64_t iova = hex_of(m, "iova");

	indent(depth);
	print_range(iova, range_last(iova, hex_of(m, "length")));
	if (json_object_get(m, "memory"))
		printf(" %s+%s", text_of(m, "memory"), text_of(m, "offset"));
	else
		printf(" copy of %s %s", text_of(m, "copy"), text_of(m, "from"));
	printf(" %s\n", text_of(m, "access"));
}

static void print_mappings(int depth, const json_t *mappings)
{
	size_t n = json_array_size(mappings), i;
	char size[NUMBER_TEXT_MAX];
	const json_t *mapping;
	uint64_t bytes = 0;

	if (!n)
		return;
	json_array_foreach (mappings, i, mapping)
		bytes += hex_of(mapping, "length");
	indent(depth);
	printf("%zu mapping%s, %s\n", n, n == 1 ? "" : "s", number_size(bytes, size));
	json_array_foreach (mappings, i, mapping) {
		if (i == RANGES_SHOWN && n > RANGES_SHOWN + 1) {
			indent(depth + 1);
			printf("... %zu more (--json has them all)\n", n - i);
			break;
		}
		print_mapping(depth + 1, mapping);
	}
}

static void print_attachments(int depth, const json_t *attachments)
{
	const json_t *attachment;
	size_t i;

	if (!json_array_size(attachments))
		return;
	indent(depth);
	fputs("devices", stdout);
	json_array_foreach (attachments, i, attachment) {
		printf("%s %s", i ? "," : "", text_of(attachment, "device"));
		if (json_object_get(attachment, "pasid"))
			printf(" (pasid %" JSON_INTEGER_FORMAT ")",
			       json_integer_value(json_object_get(attachment, "pasid")));
		if (json_object_get(attachment, "vq_group"))
			printf(" (vq group %" JSON_INTEGER_FORMAT ")",
			       json_integer_value(json_object_get(attachment, "vq_group")));
		if (is_true(attachment, "pending"))
			fputs(" (pending)", stdout);
	}
	putchar('\n');
}

static void print_table(int depth, const json_t *table)
{
	const json_t *word;
	size_t i;

	if (!table)
		return;
	indent(depth);
	printf("table %s", text_of(table, "format"));
	if (!json_array_size(json_object_get(table, "words")))
		printf(" at %s", text_of(table, "address"));
	json_array_foreach (json_object_get(table, "words"), i, word)
		printf(" %s", json_string_value(word));
	putchar('\n');
}

static void print_counted(const json_t *ioasid)
{
	const json_t *domains = json_object_get(ioasid, "domains");
	char size[NUMBER_TEXT_MAX];

	if (domains)
		printf(", %" JSON_INTEGER_FORMAT " domain%s", json_integer_value(domains),
		       json_integer_value(domains) == 1 ? "" : "s");
	if (json_object_get(ioasid, "page_table_bytes"))
		printf(", tables %s", size_of(ioasid, "page_table_bytes", size));
}

static void print_ioasid(int depth, const json_t *ioasid)
{
	const json_t *flag;
	size_t i;

	print_head(depth, "ioasid", text_of(ioasid, "name"));
	printf(": %s", text_of(ioasid, "kind"));
	if (json_object_get(ioasid, "id"))
		printf(", id %" JSON_INTEGER_FORMAT,
		       json_integer_value(json_object_get(ioasid, "id")));
	json_array_foreach (json_object_get(ioasid, "flags"), i, flag)
		printf(", %s", json_string_value(flag));
	if (is_true(ioasid, "dirty_active"))
		fputs(" (on)", stdout);
	if (json_object_get(ioasid, "viommu"))
		printf(", on %s", text_of(ioasid, "viommu"));
	print_counted(ioasid);
	if (!is_true(ioasid, "alive"))
		print_bad(", gone");
	putchar('\n');
	print_table(depth + 1, json_object_get(ioasid, "table"));
	print_ranges(depth + 1, "allows", json_object_get(ioasid, "ranges"));
	print_mappings(depth + 1, json_object_get(ioasid, "mappings"));
	print_attachments(depth + 1, json_object_get(ioasid, "attachments"));
}

/* Depth is bounded by the nesting that a config can declare; a broken dump can't loop either. */
static void print_children(int depth, const json_t *ioasids, const char *parent)
{
	const json_t *ioasid;
	size_t i;

	if (depth > 32)
		return;
	json_array_foreach (ioasids, i, ioasid) {
		const char *of = json_string_value(json_object_get(ioasid, "parent"));

		if (parent ? !of || strcmp(of, parent) : of != NULL)
			continue;
		print_ioasid(depth, ioasid);
		print_children(depth + 1, ioasids, text_of(ioasid, "name"));
	}
}

static void print_vdevices(const json_t *vdevices)
{
	const json_t *vdevice;
	size_t i;

	if (!json_array_size(vdevices))
		return;
	indent(3);
	fputs("vdevices", stdout);
	json_array_foreach (vdevices, i, vdevice)
		printf("%s %s as %s", i ? "," : "", text_of(vdevice, "device"),
		       text_of(vdevice, "id"));
	putchar('\n');
}

static void print_queues(const json_t *queues)
{
	char size[NUMBER_TEXT_MAX];
	const json_t *queue;
	size_t i;

	json_array_foreach (queues, i, queue) {
		indent(3);
		printf("queue %" JSON_INTEGER_FORMAT " at %s, %s\n",
		       json_integer_value(json_object_get(queue, "index")), text_of(queue, "iova"),
		       size_of(queue, "length", size));
	}
}

static void print_viommu(const json_t *viommu)
{
	const json_int_t depth = json_integer_value(json_object_get(viommu, "events_depth"));

	print_head(2, "viommu", text_of(viommu, "name"));
	printf(": %s on %s, by %s", text_of(viommu, "type"), text_of(viommu, "parent"),
	       text_of(viommu, "device"));
	if (json_object_get(viommu, "id"))
		printf(", id %" JSON_INTEGER_FORMAT,
		       json_integer_value(json_object_get(viommu, "id")));
	if (depth)
		printf(", queue of %" JSON_INTEGER_FORMAT " events", depth);
	if (json_is_false(json_object_get(viommu, "alive")))
		print_bad(", gone");
	putchar('\n');
	print_vdevices(json_object_get(viommu, "vdevices"));
	print_queues(json_object_get(viommu, "queues"));
}

static void print_fd(const json_t *fd)
{
	const json_t *viommu;
	size_t i;

	print_head(1, "fd", text_of(fd, "name"));
	printf(": %s %s", text_of(fd, "driver"), text_of(fd, "node"));
	if (strcmp(text_of(fd, "accounting"), "default"))
		printf(", memory charged to the %s", text_of(fd, "accounting"));
	if (json_object_get(fd, "vfio_compat"))
		printf(", VFIO container with %s", text_of(fd, "vfio_compat"));
	if (!is_true(fd, "open"))
		print_bad(", not open");
	putchar('\n');
	print_children(2, json_object_get(fd, "ioasids"), NULL);
	json_array_foreach (json_object_get(fd, "viommus"), i, viommu)
		print_viommu(viommu);
}

/* "taken raw by pid 12 (qemu-system-x86): main nic0 ram" */
static void print_taker(const json_t *taker)
{
	const json_t *name;
	size_t i;

	indent(1);
	printf("%staken%s %s by pid %" JSON_INTEGER_FORMAT, paint(stdout, PAINT_STRONG),
	       paint(stdout, PAINT_NONE), text_of(taker, "mode"),
	       json_integer_value(json_object_get(taker, "pid")));
	if (json_object_get(taker, "program")) {
		fputs(" (", stdout);
		print_safely(stdout, text_of(taker, "program"));
		putchar(')');
	} else {
		fputs(", now gone, and still open in another process", stdout);
	}
	putchar(':');
	json_array_foreach (json_object_get(taker, "names"), i, name) {
		putchar(' ');
		print_safely(stdout, json_is_string(name) ? json_string_value(name) : "?");
	}
	putchar('\n');
}

void print_tree(const json_t *dump)
{
	const json_t *topologies = json_object_get(dump, "topologies"), *t, *part;
	size_t i, j;

	if (!json_array_size(topologies))
		puts("nothing is held");
	json_array_foreach (topologies, i, t) {
		print_head(0, "topology", text_of(t, "name"));
		if (json_object_get(t, "owner"))
			printf(", owner %s", text_of(t, "owner"));
		putchar('\n');
		json_array_foreach (json_object_get(t, "memories"), j, part)
			print_memory(part);
		json_array_foreach (json_object_get(t, "devices"), j, part)
			print_device(part);
		json_array_foreach (json_object_get(t, "fds"), j, part)
			print_fd(part);
		json_array_foreach (json_object_get(t, "taken"), j, part)
			print_taker(part);
	}
}
