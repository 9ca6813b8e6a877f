// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "holder/journal_json.h"

#define SUFFIX	   ".json"
#define FILE_LIMIT ((size_t)256 << 20)
#define NAME_SPACE (NAME_MAX_LENGTH + 16)

struct journal {
	char *path;
	int dir;
	bool ours; /* opened as the holder */
};

static void free_journal(struct journal **journal)
{
	journal_free(*journal);
}

static int check_directory(const struct journal *journal, struct ioasidctl_error **err)
{
	struct stat st;
	int ret;

	if (fstat(journal->dir, &st))
		return error_new(err, ERROR_KERNEL, errno, "stat %s: %s", journal->path,
				 strerror(errno));
	if (st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	/* Its entries are applied with our rights. */
	ret = error_new(err, ERROR_PERMISSION, EPERM, "%s could have been written by others",
			journal->path);
	error_cause(err, "it belongs to user id %u and has mode %04o", (unsigned)st.st_uid,
		    (unsigned)st.st_mode & 07777);
	error_hint(err, "look who made it, then remove it; or use another --socket");
	return ret;
}

static int open_journal(const char *socket, bool ours, struct journal **out,
			struct ioasidctl_error **err)
{
	_cleanup_(free_journal)
	struct journal *journal = calloc(1, sizeof(*journal));
	int ret;

	if (!journal)
		return error_nomem(err);
	journal->dir = -1;
	if (asprintf(&journal->path, "%s.state", socket) < 0) {
		journal->path = NULL;
		return error_nomem(err);
	}
	if (ours && mkdir(journal->path, 0700) && errno != EEXIST)
		return error_new(err, ERROR_KERNEL, errno, "make directory %s: %s", journal->path,
				 strerror(errno));
	journal->dir = open(journal->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (journal->dir < 0)
		return error_new(err, ERROR_KERNEL, errno, "open directory %s: %s", journal->path,
				 strerror(errno));
	ret = check_directory(journal, err);
	if (ret)
		return ret;
	journal->ours = ours;
	*out = steal_pointer(journal);
	return 0;
}

int journal_open(const char *socket, struct journal **out, struct ioasidctl_error **err)
{
	return open_journal(socket, true, out, err);
}

int journal_look(const char *socket, struct journal **out)
{
	return open_journal(socket, false, out, NULL);
}

void journal_leave(struct journal *journal)
{
	if (journal)
		journal->ours = false;
	journal_free(journal);
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->dir >= 0) {
		close(journal->dir);
		if (journal->ours)
			(void)rmdir(journal->path);
	}
	free(journal->path);
	free(journal);
}

static int failed(const struct journal *journal, const char *what, const char *name,
		  struct ioasidctl_error **err)
{
	return error_new(err, ERROR_KERNEL, errno, "%s %s/%s" SUFFIX ": %s", what, journal->path,
			 name, strerror(errno));
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_file(int dir, const char *file, const char *text)
{
	_cleanup_close_ int fd =
		openat(dir, file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (write_all(fd, text, strlen(text)) || fsync(fd))
		return -errno;
	return 0;
}

int journal_write(const struct journal *journal, const struct journal_entry *entry,
		  struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = journal_entry_text(entry);
	char file[NAME_SPACE], temporary[NAME_SPACE];

	if (!text)
		return error_nomem(err);
	snprintf(file, sizeof(file), "%s" SUFFIX, entry->name);
	snprintf(temporary, sizeof(temporary), "%s.tmp", entry->name);
	if (write_file(journal->dir, temporary, text) ||
	    renameat(journal->dir, temporary, journal->dir, file) || fsync(journal->dir)) {
		int ret = failed(journal, "write", entry->name, err);

		(void)unlinkat(journal->dir, temporary, 0);
		return ret;
	}
	return 0;
}

static int read_whole(int fd, char **text, size_t *length)
{
	struct stat st;
	size_t size, done = 0;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_size < 0 ||
	    (size_t)st.st_size > FILE_LIMIT)
		return -EINVAL;
	size = (size_t)st.st_size;
	*text = malloc(size + 1);
	if (!*text)
		return -ENOMEM;
	while (done < size) {
		ssize_t n = read(fd, *text + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	*length = done;
	return 0;
}

int journal_read(const struct journal *journal, const char *name, struct journal_entry *out,
		 struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL, *why = NULL;
	_cleanup_close_ int fd = -1;
	char file[NAME_SPACE];
	size_t length = 0;
	int ret;

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	fd = openat(journal->dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return failed(journal, "open", name, err);
	ret = read_whole(fd, &text, &length);
	if (!ret)
		ret = journal_entry_parse(text, length, out, &why);
	if (!ret && strcmp(out->name, name)) {
		journal_entry_done(out);
		ret = -EINVAL;
	}
	if (!ret)
		return 0;
	error_new(err, ERROR_KERNEL, -ret, "read %s/%s" SUFFIX ": %s", journal->path, name,
		  ret == -EINVAL ? "it is damaged" : strerror(-ret));
	if (why)
		error_cause(err, "%s", why);
	return ret;
}

int journal_remove(const struct journal *journal, const char *name, struct ioasidctl_error **err)
{
	char file[NAME_SPACE];

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	if (unlinkat(journal->dir, file, 0) && errno != ENOENT)
		return failed(journal, "remove", name, err);
	return 0;
}

int journal_put_aside(const struct journal *journal, const char *name, struct ioasidctl_error **err)
{
	char file[NAME_SPACE], aside[NAME_SPACE];

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	snprintf(aside, sizeof(aside), "%s.damaged", name);
	if (renameat(journal->dir, file, journal->dir, aside))
		return failed(journal, "put aside", name, err);
	return 0;
}

/* The length of NAME in NAME.json; 0: some other file. */
static size_t entry_name_length(const char *file)
{
	size_t length = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (!length || length > NAME_MAX_LENGTH || strcmp(file + length, SUFFIX))
		return 0;
	return length;
}

static void close_directory(DIR **d)
{
	if (*d)
		closedir(*d);
}

void journal_free_names(char ***names)
{
	for (char **n = *names; n && *n; n++)
		free(*n);
	free(*names);
}

int journal_names(const struct journal *journal, char ***names, struct ioasidctl_error **err)
{
	_cleanup_(journal_free_names)
	char **list = calloc(1, sizeof(*list));
	_cleanup_(close_directory)
	DIR *d = NULL;
	int fd = openat(journal->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *e;
	size_t n = 0;

	if (fd >= 0)
		d = fdopendir(fd);
	if (!d && fd >= 0)
		close(fd);
	if (!d || !list)
		return error_new(err, ERROR_KERNEL, errno, "list %s: %s", journal->path,
				 strerror(errno));
	while ((e = readdir(d))) {
		size_t length = entry_name_length(e->d_name);
		char **grown;

		if (!length)
			continue;
		grown = reallocarray(list, n + 2, sizeof(*list));
		if (!grown)
			return error_nomem(err);
		list = grown;
		list[n + 1] = NULL;
		list[n] = strndup(e->d_name, length);
		if (!list[n++])
			return error_nomem(err);
	}
	*names = steal_pointer(list);
	return 0;
}

struct journal_binding *journal_add_binding(struct journal_entry *entry)
{
	struct journal_binding *grown =
		reallocarray(entry->bindings, entry->n_bindings + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	entry->bindings = grown;
	grown[entry->n_bindings] =
		(struct journal_binding){.vfs = NO_INDEX, .original_vfs = NO_INDEX};
	return &grown[entry->n_bindings++];
}

void journal_entry_done(struct journal_entry *entry)
{
	for (size_t i = 0; i < entry->n_bindings; i++) {
		free(entry->bindings[i].device);
		free(entry->bindings[i].address);
		free(entry->bindings[i].driver);
		free(entry->bindings[i].original_driver);
		free(entry->bindings[i].original_override);
		free(entry->bindings[i].taken_for);
		free(entry->bindings[i].management);
	}
	free(entry->bindings);
	free(entry->name);
	free(entry->file);
	free(entry->config);
	free(entry->machine);
	*entry = (struct journal_entry){0};
}
