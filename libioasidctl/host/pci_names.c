// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/pci_names.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/root.h"
#include "host/sysfs.h"

/* The real one has 1.5 MB. */
#define FILE_MAX (32U << 20)

enum section { SECTION_NONE, SECTION_VENDOR, SECTION_DEVICE, SECTION_CLASS, SECTION_SUBCLASS };

struct pci_name {
	uint64_t key; /* section << 32 | ids */
	const char *name;
};

static uint64_t key_of(enum section section, uint32_t ids)
{
	return (uint64_t)section << 32 | ids;
}

static int add(struct pci_names *names, uint64_t key)
{
	if (names->n == names->capacity) {
		size_t more = names->capacity ? 2 * names->capacity : 256;
		struct pci_name *grown = reallocarray(names->list, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		names->list = grown;
		names->capacity = more;
	}
	names->list[names->n++] = (struct pci_name){.key = key};
	return 0;
}

int pci_names_want(struct pci_names *names, uint16_t vendor, uint16_t device, uint32_t class)
{
	int ret = add(names, key_of(SECTION_VENDOR, vendor));

	if (!ret)
		ret = add(names, key_of(SECTION_DEVICE, (uint32_t)vendor << 16 | device));
	if (!ret)
		ret = add(names, key_of(SECTION_CLASS, class >> 16));
	return ret ? ret : add(names, key_of(SECTION_SUBCLASS, class >> 8));
}

static int compare(const void *a, const void *b)
{
	const struct pci_name *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static void sort(struct pci_names *names)
{
	size_t kept = 0;

	if (names->n)
		qsort(names->list, names->n, sizeof(*names->list), compare);
	for (size_t i = 0; i < names->n; i++)
		if (!kept || names->list[kept - 1].key != names->list[i].key)
			names->list[kept++] = names->list[i];
	names->n = kept;
}

static struct pci_name *find(const struct pci_names *names, uint64_t key)
{
	const struct pci_name wanted = {.key = key};

	return names->n ? bsearch(&wanted, names->list, names->n, sizeof(wanted), compare) : NULL;
}

/* `digits` hex digits and what follows them, without spaces before it; -1: the line isn't so. */
static long parse_id(const char **text, int digits)
{
	long id = 0;

	for (int i = 0; i < digits; i++) {
		unsigned char c = (unsigned char)*(*text)++;

		if (!isxdigit(c))
			return -1;
		id = id << 4 | (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*text += strspn(*text, " ");
	return id;
}

/* Where the reading of the file is: the vendor or class that lines with a tab belong to. */
struct place {
	enum section inner; /* of lines with one tab; SECTION_NONE: not wanted */
	uint32_t ids; /* of the line without a tab */
};

static int keep(const struct pci_names *names, struct arena *arena, uint64_t key, const char *name)
{
	struct pci_name *wanted = find(names, key);

	if (!wanted || wanted->name)
		return 0;
	wanted->name = arena_copy(arena, name, strlen(name));
	return wanted->name ? 0 : -ENOMEM;
}

/* "8086  Intel Corporation", "C 02  Network controller" */
static int read_outer(const struct pci_names *names, struct arena *arena, struct place *place,
		      const char *line)
{
	bool class = !strncmp(line, "C ", 2);
	long id;

	*place = (struct place){SECTION_NONE, 0};
	line += class ? 2 : 0;
	id = parse_id(&line, class ? 2 : 4);
	if (id < 0 || !find(names, key_of(class ? SECTION_CLASS : SECTION_VENDOR, (uint32_t)id)))
		return 0;
	place->inner = class ? SECTION_SUBCLASS : SECTION_DEVICE;
	place->ids = (uint32_t)id;
	return keep(names, arena, key_of(class ? SECTION_CLASS : SECTION_VENDOR, (uint32_t)id),
		    line);
}

/* "10d3  82574L Gigabit Network Connection", "00  Ethernet controller" */
static int read_inner(const struct pci_names *names, struct arena *arena, const struct place *place,
		      const char *line)
{
	int digits = place->inner == SECTION_DEVICE ? 4 : 2;
	long id = parse_id(&line, digits);

	if (id < 0)
		return 0;
	return keep(names, arena, key_of(place->inner, place->ids << (4 * digits) | (uint32_t)id),
		    line);
}

static int read_lines(const struct pci_names *names, struct arena *arena, char *text)
{
	struct place place = {SECTION_NONE, 0};
	int ret = 0;

	for (char *line = text, *next; line && !ret; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		/* Two tabs: subsystems and programming interfaces. */
		if (line[0] == '\t') {
			if (place.inner != SECTION_NONE && line[1] != '\t')
				ret = read_inner(names, arena, &place, line + 1);
		} else if (line[0] && line[0] != '#') {
			ret = read_outer(names, arena, &place, line);
		}
	}
	return ret;
}

/* The first that exists, owned. 0; -ENOENT: none does; -ENOMEM. */
static int find_file(const char *root, char **out)
{
	static const char *const places[] = {"/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids",
					     "/usr/share/pci.ids"};
	const char *const roots[] = {root, ""};

	for (size_t r = 0; r < ARRAY_SIZE(roots); r++)
		for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
			*out = root_path(roots[r], "%s", places[i]);
			if (!*out)
				return -ENOMEM;
			if (!access(*out, R_OK))
				return 0;
			free(*out);
			*out = NULL;
		}
	return -ENOENT;
}

int pci_names_load(struct pci_names *names, const char *root, struct arena *arena)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	int ret;

	sort(names);
	ret = find_file(root, &path);
	if (!ret)
		ret = sysfs_read_whole(path, FILE_MAX, &text);
	return ret ? ret : read_lines(names, arena, text);
}

static const char *name_of(const struct pci_names *names, uint64_t key)
{
	const struct pci_name *found = find(names, key);

	return found ? found->name : NULL;
}

const char *pci_names_vendor(const struct pci_names *names, uint16_t vendor)
{
	return name_of(names, key_of(SECTION_VENDOR, vendor));
}

const char *pci_names_device(const struct pci_names *names, uint16_t vendor, uint16_t device)
{
	return name_of(names, key_of(SECTION_DEVICE, (uint32_t)vendor << 16 | device));
}

const char *pci_names_class(const struct pci_names *names, uint32_t class)
{
	const char *name = name_of(names, key_of(SECTION_SUBCLASS, class >> 8));

	return name ? name : name_of(names, key_of(SECTION_CLASS, class >> 16));
}

void pci_names_done(struct pci_names *names)
{
	free(names->list);
	*names = (struct pci_names){0};
}
