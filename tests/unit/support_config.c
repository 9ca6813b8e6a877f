// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_config.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

static bool ends_with(const char *text, const char *ending)
{
	size_t n = strlen(text), m = strlen(ending);

	return n >= m && !strcmp(text + n - m, ending);
}

size_t config_each_file(const char *directory, const char *ending, void (*each)(const char *path))
{
	struct dirent **entries;
	int n = scandir(directory, &entries, NULL, alphasort);
	size_t count = 0;

	if (n < 0)
		fail_msg("can't read %s: run from the top of the source tree", directory);
	for (int i = 0; i < n; i++) {
		char path[512];

		if (ends_with(entries[i]->d_name, ending)) {
			snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
			each(path);
			count++;
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}

char *config_read(const char *path, size_t *length)
{
	struct ioasidctl_error *err = NULL;
	char *text = NULL;

	if (config_read_file(path, &text, length, &err))
		fail_msg("%s: %s", path, err ? err->message : "?");
	return text;
}

struct topology *config_must_parse(const char *text, size_t length, const char *name)
{
	struct ioasidctl_error *err = NULL;
	struct topology *t = NULL;
	int ret = config_parse(text, length, name, &t, &err);

	if (ret)
		fail_msg("%s: %d\n%s\n%.*s", name, ret, config_render(err), (int)length, text);
	assert_null(err);
	assert_non_null(t);
	return t;
}

char *config_render(const struct ioasidctl_error *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (; err; err = err->next) {
		fprintf(out, "%u:%u: %s: %s\n", err->line, err->column,
			err->object ? err->object : "-", err->message);
		if (err->hint)
			fprintf(out, "  hint: %s\n", err->hint);
	}
	fclose(out);
	return text;
}

static void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void same_table(const struct table *a, const struct table *b)
{
	assert_int_equal(a->format, b->format);
	assert_int_equal(a->address, b->address);
	assert_int_equal(a->address_width, b->address_width);
	assert_int_equal(a->n_words, b->n_words);
	assert_memory_equal(a->words, b->words, sizeof(a->words));
}

static void same_ioasid(const struct ioasid *a, const struct ioasid *b)
{
	same_text(a->name, b->name);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->viommu, b->viommu);
	same_table(&a->table, &b->table);
	assert_int_equal(a->n_allow, b->n_allow);
	for (size_t i = 0; i < a->n_allow; i++) {
		assert_int_equal(a->allow[i].first, b->allow[i].first);
		assert_int_equal(a->allow[i].last, b->allow[i].last);
	}
	assert_int_equal(a->n_maps, b->n_maps);
	for (size_t i = 0; i < a->n_maps; i++) {
		const struct mapping *m = &a->maps[i], *n = &b->maps[i];

		assert_int_equal(m->iova, n->iova);
		assert_int_equal(m->length, n->length);
		assert_int_equal(m->offset, n->offset);
		assert_int_equal(m->memory, n->memory);
		assert_int_equal(m->source, n->source);
		assert_int_equal(m->access, n->access);
		assert_int_equal(m->auto_iova, n->auto_iova);
	}
	assert_int_equal(a->n_attach, b->n_attach);
	for (size_t i = 0; i < a->n_attach; i++) {
		assert_int_equal(a->attach[i].device, b->attach[i].device);
		assert_int_equal(a->attach[i].pasid, b->attach[i].pasid);
	}
}

static void same_viommu(const struct viommu *a, const struct viommu *b)
{
	same_text(a->name, b->name);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->events_depth, b->events_depth);
	assert_int_equal(a->n_queues, b->n_queues);
	for (size_t i = 0; i < a->n_queues; i++) {
		assert_int_equal(a->queues[i].index, b->queues[i].index);
		assert_int_equal(a->queues[i].iova, b->queues[i].iova);
		assert_int_equal(a->queues[i].length, b->queues[i].length);
	}
	assert_int_equal(a->n_vdevices, b->n_vdevices);
	for (size_t i = 0; i < a->n_vdevices; i++) {
		assert_int_equal(a->vdevices[i].device, b->vdevices[i].device);
		assert_int_equal(a->vdevices[i].id, b->vdevices[i].id);
	}
}

static void same_fd(const struct iommu_fd *a, const struct iommu_fd *b)
{
	same_text(a->name, b->name);
	same_text(a->node, b->node);
	assert_int_equal(a->driver, b->driver);
	assert_int_equal(a->accounting, b->accounting);
	assert_int_equal(a->n_ioasids, b->n_ioasids);
	for (size_t i = 0; i < a->n_ioasids; i++)
		same_ioasid(&a->ioasids[i], &b->ioasids[i]);
	assert_int_equal(a->vfio_compat, b->vfio_compat);
	assert_int_equal(a->n_viommus, b->n_viommus);
	for (size_t i = 0; i < a->n_viommus; i++)
		same_viommu(&a->viommus[i], &b->viommus[i]);
}

static void same_memory(const struct memory *a, const struct memory *b)
{
	same_text(a->name, b->name);
	same_text(a->path, b->path);
	assert_int_equal(a->backing, b->backing);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->page_size, b->page_size);
	assert_int_equal(a->device, b->device);
	assert_int_equal(a->bar, b->bar);
	assert_int_equal(a->prefault, b->prefault);
	assert_int_equal(a->numa_node, b->numa_node);
}

static void same_device(const struct device *a, const struct device *b)
{
	same_text(a->name, b->name);
	same_text(a->address, b->address);
	same_text(a->driver, b->driver);
	assert_int_equal(a->selector, b->selector);
	assert_int_equal(a->group, b->group);
	assert_int_equal(a->hotplug, b->hotplug);
	assert_int_equal(a->fd, b->fd);
	assert_int_equal(a->bound, b->bound);
}

void config_assert_same(const struct topology *a, const struct topology *b)
{
	same_text(a->name, b->name);
	same_text(a->owner_user, b->owner_user);
	assert_int_equal(a->n_memories, b->n_memories);
	for (size_t i = 0; i < a->n_memories; i++)
		same_memory(&a->memories[i], &b->memories[i]);
	assert_int_equal(a->n_devices, b->n_devices);
	for (size_t i = 0; i < a->n_devices; i++)
		same_device(&a->devices[i], &b->devices[i]);
	assert_int_equal(a->n_fds, b->n_fds);
	for (size_t i = 0; i < a->n_fds; i++)
		same_fd(&a->fds[i], &b->fds[i]);
}

/* The offset behind the line `mark`; fails the test when the file has none. */
static size_t find_mark(const char *path, const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	if (!at)
		fail_msg("%s has no line \"%s\"", path, mark);
	return (size_t)(at - text);
}

void config_assert_generated(const char *path, const char *text, const char *after,
			     const char *before)
{
	size_t length, first = 0, last;
	FILE *probe = fopen(path, "r");
	char *file;
	bool same;

	if (probe)
		fclose(probe);
	file = probe ? config_read(path, &length) : strdup("");
	last = strlen(file);
	if (after)
		first = find_mark(path, file, after) + strlen(after);
	if (before)
		last = find_mark(path, file, before);
	same = last - first == strlen(text) && !memcmp(file + first, text, strlen(text));
	if (!same && getenv("UPDATE")) {
		FILE *out = fopen(path, "w");

		assert_non_null(out);
		fprintf(out, "%.*s%s%s", (int)first, file, text, file + last);
		assert_int_equal(fclose(out), 0);
		same = true;
	}
	free(file);
	if (!same)
		fail_msg("%s is stale: UPDATE=1 in the environment of this test rewrites it", path);
}
