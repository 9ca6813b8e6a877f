// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Edges point the way that DMA goes: device -> IOASID -> its parent -> memory. What lends an object
 * its identity without being on that way (a vIOMMU) hangs on dotted ones.
 */
#include "dot.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "json_text.h"

/* Whose objects are printed: nodes of several topologies and fds can have one name. */
struct scope {
	const char *topology, *fd; /* fd NULL: none */
};

/* Between quotes. */
static void put(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
	}
}

static void put_node(const struct scope *s, const char *kind, const char *name)
{
	putchar('"');
	put(s->topology);
	if (s->fd) {
		putchar('/');
		put(s->fd);
	}
	printf("/%s ", kind);
	put(name);
	putchar('"');
}

static void begin_node(const struct scope *s, const char *kind, const char *shape,
		       const json_t *object)
{
	printf("%s", s->fd ? "\t\t\t" : "\t\t");
	put_node(s, kind, text_of(object, "name"));
	printf(" [shape=%s, label=\"%s ", shape, kind);
	put(text_of(object, "name"));
}

/* What is declared, but isn't there (any more), or was given up. */
static bool is_missing(const json_t *object)
{
	static const char *const states[] = {"gone", "pending", "released"};

	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(text_of(object, "state"), states[i]))
			return true;
	return json_is_false(json_object_get(object, "alive"));
}

static void end_node(const json_t *object)
{
	printf("\"%s];\n", is_missing(object) ? ", style=dashed" : "");
}

static void print_memory(const struct scope *s, const json_t *memory)
{
	char size[NUMBER_TEXT_MAX];

	begin_node(s, "memory", "cylinder", memory);
	printf("\\n%s ", number_size(hex_of(memory, "size"), size));
	put(text_of(memory, "backing"));
	end_node(memory);
}

static void print_device(const struct scope *s, const json_t *device)
{
	const json_t *group = json_object_get(device, "group");

	begin_node(s, "device", "ellipse", device);
	printf("\\n");
	put(text_of(device, "selector"));
	putchar(' ');
	put(text_of(device, "address"));
	if (json_is_integer(group))
		printf("\\ngroup %" JSON_INTEGER_FORMAT, json_integer_value(group));
	end_node(device);
}

static void print_ioasid(const struct scope *s, const json_t *ioasid)
{
	const char *format = text_of(json_object_get(ioasid, "table"), "format");
	const json_t *flag;
	size_t i;

	begin_node(s, "ioasid", "box", ioasid);
	printf("\\n");
	put(text_of(ioasid, "kind"));
	if (*format) {
		printf(", ");
		put(format);
	}
	json_array_foreach (json_object_get(ioasid, "flags"), i, flag) {
		printf("\\n");
		put(json_is_string(flag) ? json_string_value(flag) : "?");
	}
	end_node(ioasid);
}

static void print_viommu(const struct scope *s, const json_t *viommu)
{
	begin_node(s, "viommu", "hexagon", viommu);
	printf("\\n");
	put(text_of(viommu, "type"));
	end_node(viommu);
}

/* The label is the caller's; end with "];". */
static void begin_edge(const struct scope *from, const char *from_kind, const char *from_name,
		       const struct scope *to, const char *to_kind, const char *to_name)
{
	printf("\t\t");
	put_node(from, from_kind, from_name);
	printf(" -> ");
	put_node(to, to_kind, to_name);
	printf(" [");
}

static void print_attachments(const struct scope *top, const struct scope *s, const json_t *ioasid)
{
	const json_t *attachment, *part;
	size_t i;

	json_array_foreach (json_object_get(ioasid, "attachments"), i, attachment) {
		begin_edge(top, "device", text_of(attachment, "device"), s, "ioasid",
			   text_of(ioasid, "name"));
		part = json_object_get(attachment, "pasid");
		if (json_is_integer(part))
			printf("label=\"pasid %" JSON_INTEGER_FORMAT "\"",
			       json_integer_value(part));
		part = json_object_get(attachment, "vq_group");
		if (json_is_integer(part))
			printf("label=\"vq group %" JSON_INTEGER_FORMAT "\"",
			       json_integer_value(part));
		printf("%s];\n",
		       json_is_true(json_object_get(attachment, "pending")) ? " style=dashed" : "");
	}
}

struct sum {
	uint64_t mappings, bytes;
};

/* All mappings of one memory, or copied from one IOASID, are one edge. */
static void print_mappings(const struct scope *s, const json_t *ioasid, const char *key,
			   const struct scope *to, const char *to_kind, const json_t *targets)
{
	const json_t *target, *mapping;
	size_t i, j;

	json_array_foreach (targets, i, target) {
		const char *name = text_of(target, "name");
		struct sum sum = {0, 0};
		char size[NUMBER_TEXT_MAX];

		json_array_foreach (json_object_get(ioasid, "mappings"), j, mapping)
			if (json_object_get(mapping, key) && !strcmp(text_of(mapping, key), name)) {
				sum.mappings++;
				sum.bytes += hex_of(mapping, "length");
			}
		if (!sum.mappings)
			continue;
		begin_edge(s, "ioasid", text_of(ioasid, "name"), to, to_kind, name);
		printf("label=\"%" PRIu64 " mapping%s%s, %s\"];\n", sum.mappings,
		       sum.mappings == 1 ? "" : "s", strcmp(key, "copy") ? "" : " copied",
		       number_size(sum.bytes, size));
	}
}

static void print_fd_nodes(const struct scope *s, const json_t *fd)
{
	const json_t *object;
	size_t i;

	printf("\t\tsubgraph \"cluster ");
	put(s->topology);
	putchar('/');
	put(s->fd);
	printf("\" {\n\t\t\tlabel=\"fd ");
	put(s->fd);
	printf(" (");
	put(text_of(fd, "driver"));
	printf(")\";\n");
	json_array_foreach (json_object_get(fd, "ioasids"), i, object)
		print_ioasid(s, object);
	json_array_foreach (json_object_get(fd, "viommus"), i, object)
		print_viommu(s, object);
	printf("\t\t}\n");
}

static void print_ioasid_edges(const struct scope *top, const struct scope *s, const json_t *ioasid,
			       const json_t *memories, const json_t *ioasids)
{
	const char *name = text_of(ioasid, "name");

	print_attachments(top, s, ioasid);
	if (*text_of(ioasid, "parent")) {
		begin_edge(s, "ioasid", name, s, "ioasid", text_of(ioasid, "parent"));
		printf("style=bold];\n");
	}
	if (*text_of(ioasid, "viommu")) {
		begin_edge(s, "ioasid", name, s, "viommu", text_of(ioasid, "viommu"));
		printf("style=dotted];\n");
	}
	print_mappings(s, ioasid, "memory", top, "memory", memories);
	print_mappings(s, ioasid, "copy", s, "ioasid", ioasids);
}

static void print_viommu_edges(const struct scope *top, const struct scope *s, const json_t *viommu)
{
	const char *name = text_of(viommu, "name");
	const json_t *vdevice;
	size_t i;

	begin_edge(s, "viommu", name, s, "ioasid", text_of(viommu, "parent"));
	printf("style=dotted];\n");
	json_array_foreach (json_object_get(viommu, "vdevices"), i, vdevice) {
		begin_edge(top, "device", text_of(vdevice, "device"), s, "viommu", name);
		printf("style=dotted, label=\"");
		put(text_of(vdevice, "id"));
		printf("\"];\n");
	}
}

static void print_topology(const json_t *topology)
{
	const struct scope top = {.topology = text_of(topology, "name")};
	const json_t *memories = json_object_get(topology, "memories"),
		     *fds = json_object_get(topology, "fds"), *object, *fd;
	size_t i, j;

	printf("\tsubgraph \"cluster ");
	put(top.topology);
	printf("\" {\n\t\tlabel=\"topology ");
	put(top.topology);
	printf("\";\n");
	json_array_foreach (memories, i, object)
		print_memory(&top, object);
	json_array_foreach (json_object_get(topology, "devices"), i, object)
		print_device(&top, object);
	json_array_foreach (fds, i, fd)
		print_fd_nodes(&(struct scope){top.topology, text_of(fd, "name")}, fd);
	json_array_foreach (fds, i, fd) {
		const struct scope s = {top.topology, text_of(fd, "name")};
		const json_t *ioasids = json_object_get(fd, "ioasids");

		json_array_foreach (ioasids, j, object)
			print_ioasid_edges(&top, &s, object, memories, ioasids);
		json_array_foreach (json_object_get(fd, "viommus"), j, object)
			print_viommu_edges(&top, &s, object);
	}
	printf("\t}\n");
}

void print_dot(const json_t *dump)
{
	const json_t *topology;
	size_t i;

	printf("digraph ioasidctl {\n\trankdir=LR;\n");
	json_array_foreach (json_object_get(dump, "topologies"), i, topology)
		print_topology(topology);
	printf("}\n");
}
