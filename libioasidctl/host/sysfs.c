// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

/* Up to the end or `size` bytes. The number of bytes, or -errno. */
static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t got = read(fd, buf + n, size - n);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!got)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

int sysfs_read_at(int directory, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -errno : read_all(fd, buf, size);
	size_t n = (size_t)got;

	if (got < 0)
		return (int)got;
	if (n == size)
		return -E2BIG;
	while (n && isspace((unsigned char)buf[n - 1]))
		n--;
	buf[n] = '\0';
	return strlen(buf) == n ? 0 : -EILSEQ;
}

int sysfs_read(const char *path, char *buf, size_t size)
{
	return sysfs_read_at(AT_FDCWD, path, buf, size);
}

int sysfs_read_whole(const char *path, size_t limit, char **text)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *buf = NULL;
	struct stat st;
	ssize_t got;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size > limit)
		return -E2BIG;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	got = read_all(fd, buf, (size_t)st.st_size);
	if (got < 0)
		return (int)got;
	buf[got] = '\0';
	*text = steal_pointer(buf);
	return 0;
}

int sysfs_read_number(const char *path, uint64_t *out)
{
	char text[NUMBER_TEXT_MAX];
	int ret = sysfs_read(path, text, sizeof(text));

	return ret ? ret : number_parse(text, out);
}

int sysfs_write(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);
	ssize_t put;

	if (fd < 0)
		return -errno;
	do
		put = write(fd, text, length);
	while (put < 0 && errno == EINTR);
	if (put < 0)
		return -errno;
	return (size_t)put == length ? 0 : -EIO;
}

int sysfs_target_at(int directory, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(directory, name, buf, size);

	if (n < 0)
		return -errno;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

int sysfs_link(const char *path, char **name)
{
	char target[PATH_MAX];
	const char *slash;
	int ret = sysfs_target_at(AT_FDCWD, path, target, sizeof(target));

	if (ret)
		return ret;
	slash = strrchr(target, '/');
	*name = strdup(slash ? slash + 1 : target);
	return *name ? 0 : -ENOMEM;
}

static int name_order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int name_list_add(struct name_list *list, size_t *capacity, const char *name)
{
	if (list->n == *capacity) {
		size_t more = *capacity ? *capacity * 2 : 16;
		char **names = reallocarray(list->names, more, sizeof(*names));

		if (!names)
			return -ENOMEM;
		list->names = names;
		*capacity = more;
	}
	list->names[list->n] = strdup(name);
	if (!list->names[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

int sysfs_list(const char *path, struct name_list *out)
{
	_cleanup_names_ struct name_list list = {0};
	DIR *dir = opendir(path);
	size_t capacity = 0;
	struct dirent *entry;
	int ret = 0;

	if (!dir)
		return -errno;
	while (!ret) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			ret = -errno;
			break;
		}
		if (entry->d_name[0] != '.')
			ret = name_list_add(&list, &capacity, entry->d_name);
	}
	closedir(dir);
	if (ret)
		return ret;
	if (list.n)
		qsort(list.names, list.n, sizeof(*list.names), name_order);
	*out = list;
	list = (struct name_list){0};
	return 0;
}

void name_list_done(struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct name_list){0};
}
