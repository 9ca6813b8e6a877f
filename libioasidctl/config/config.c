// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "config/build.h"
#include "config/load.h"
#include "config/source.h"

/* What some editors begin a file with, to tell UTF-8 from what their system had before. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Of a file whose size isn't known beforehand, such as a pipe. */
#define READ_STEP (64U << 10)

static int fault_too_large(const char *name, struct ioasidctl_error **err)
{
	error_new(err, ERROR_CONFIG, E2BIG, "a file has at most %u MiB, this one has more",
		  CONFIG_MAX_BYTES >> 20);
	error_position(err, name, 0, 0);
	error_hint(err, "split it into several topologies");
	return -E2BIG;
}

static int parse(struct arena *arena, struct faults *faults, const char *text, size_t length,
		 struct topology **out)
{
	_cleanup_topology_ struct topology *t = NULL;
	struct raw_topology *raw;
	struct node *root;
	int ret = tree_parse(arena, faults, text, length, &root);

	if (ret)
		return ret;
	raw = load_topology(arena, faults, root);
	if (raw && !faults->no_memory && !faults_full(faults))
		t = build_topology(arena, faults, raw);
	if (faults->no_memory)
		return -ENOMEM;
	if (faults->n)
		return -EINVAL;
	*out = steal_pointer(t);
	return 0;
}

int config_parse(const char *text, size_t length, const char *name, struct topology **out,
		 struct ioasidctl_error **err)
{
	_cleanup_arena_ struct arena arena = {0};
	struct faults faults = {.file = name};
	int ret;

	if (length > CONFIG_MAX_BYTES)
		return fault_too_large(name, err);
	if (length >= strlen(BYTE_ORDER_MARK) &&
	    !memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK))) {
		text += strlen(BYTE_ORDER_MARK);
		length -= strlen(BYTE_ORDER_MARK);
	}
	ret = parse(&arena, &faults, text, length, out);
	if (ret == -ENOMEM) {
		faults_done(&faults);
		return error_nomem(err);
	}
	faults_finish(&faults, text, length, err);
	return ret;
}

void config_cite(const char *text, size_t length, const char *name, struct ioasidctl_error *err)
{
	for (; err; err = err->next) {
		struct source_reader reader = {.text = text, .length = length, .line = 1};

		if (err->line && !err->source && err->file && !strcmp(err->file, name))
			err->source = source_line(&reader, err->line, err->column);
	}
}

static int fault_read(const char *path, struct ioasidctl_error **err)
{
	int errnum = errno;

	error_new(err, errnum == EACCES || errnum == EPERM ? ERROR_PERMISSION : ERROR_CONFIG,
		  errnum, "can't read this file: %s", strerror(errnum));
	error_position(err, path, 0, 0);
	if (errnum == EISDIR)
		error_hint(err, "name one of the files in it");
	return -errnum;
}

static int read_all(int fd, const char *path, size_t expected, char **text, size_t *length,
		    struct ioasidctl_error **err)
{
	_cleanup_free_ char *buf = NULL;
	size_t used = 0, size = 0;

	for (;;) {
		ssize_t got;

		if (size - used < 2) {
			size_t larger = size ? size * 2 : expected + READ_STEP;
			char *grown = realloc(buf, larger);

			if (!grown)
				return error_nomem(err);
			buf = grown;
			size = larger;
		}
		got = read(fd, buf + used, size - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_read(path, err);
		if (!got)
			break;
		used += (size_t)got;
		if (used > CONFIG_MAX_BYTES)
			return fault_too_large(path, err);
	}
	buf[used] = '\0';
	*text = steal_pointer(buf);
	*length = used;
	return 0;
}

int config_read_file(const char *path, char **text, size_t *length, struct ioasidctl_error **err)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	size_t expected = 0;

	if (!strcmp(path, "-"))
		return read_all(STDIN_FILENO, path, 0, text, length, err);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_read(path, err);
	if (S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size <= CONFIG_MAX_BYTES)
		expected = (size_t)st.st_size;
	return read_all(fd, path, expected, text, length, err);
}
