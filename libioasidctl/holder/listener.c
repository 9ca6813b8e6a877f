// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BACKLOG 64

/*
 * Root's socket is open to all: who may do what is decided by the peer's credentials, and owners
 * without rights need to get as far as that. Nobody else needs a user's own holder.
 */
static mode_t socket_mode(void)
{
	return geteuid() ? 0600 : 0666;
}

static mode_t directory_mode(void)
{
	return geteuid() ? 0700 : 0755;
}

static int check_path(const char *path, struct ioasidctl_error **err)
{
	const size_t longest = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	int ret;

	if (!*path)
		return error_new(err, ERROR_USAGE, EINVAL, "the socket's path is empty");
	if (strlen(path) <= longest)
		return 0;
	ret = error_new(err, ERROR_USAGE, ENAMETOOLONG, "socket path too long: %s", path);
	error_cause(err, "it has %zu bytes, and sockets can have %zu", strlen(path), longest);
	error_hint(err, "give a shorter one with --socket");
	return ret;
}

static int make_directory(const char *path, struct ioasidctl_error **err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory = NULL;
	int ret;

	if (!slash || slash == path)
		return 0;
	directory = strndup(path, (size_t)(slash - path));
	if (!directory)
		return error_nomem(err);
	if (!mkdir(directory, directory_mode())) {
		/* A umask may have taken bits away that clients need. */
		if (!chmod(directory, directory_mode()))
			return 0;
	} else if (errno == EEXIST) {
		return 0;
	}
	ret = error_new(err, errno == EACCES ? ERROR_PERMISSION : ERROR_UNAVAILABLE, errno,
			"make directory %s: %s", directory, strerror(errno));
	error_hint(err, "give another place with --socket");
	return ret;
}

/* Whether the file we locked is still the one at the path: its last owner removes it. */
static bool still_there(int fd, const char *path)
{
	struct stat ours, theirs;

	return !fstat(fd, &ours) && !lstat(path, &theirs) && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

static int refuse_owned(int lock, const char *path, struct ioasidctl_error **err)
{
	char pid[16] = "";
	ssize_t n = pread(lock, pid, sizeof(pid) - 1, 0);
	int ret;

	pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
	if (*pid)
		ret = error_new(err, ERROR_BUSY, EADDRINUSE, "another holder, process %s, owns %s",
				pid, path);
	else
		ret = error_new(err, ERROR_BUSY, EADDRINUSE, "another holder owns %s", path);
	error_hint(err, "use that one, end it first, or give another --socket");
	return ret;
}

static int write_pid(int fd)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	return ftruncate(fd, 0) || pwrite(fd, text, (size_t)length, 0) != length ? -1 : 0;
}

/*
 * An open-file-description lock rather than flock(2): clients can ask whether it is taken without
 * taking it for a moment themselves.
 */
static int take_lock(struct listener *l, struct ioasidctl_error **err)
{
	for (;;) {
		struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		_cleanup_close_ int fd = open(
			l->lock_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

		if (fd < 0)
			return error_new(err,
					 errno == EACCES ? ERROR_PERMISSION : ERROR_UNAVAILABLE,
					 errno, "open %s: %s", l->lock_path, strerror(errno));
		if (fcntl(fd, F_OFD_SETLK, &whole)) {
			if (errno == EAGAIN || errno == EACCES)
				return refuse_owned(fd, l->path, err);
			return error_new(err, ERROR_KERNEL, errno, "lock %s: %s", l->lock_path,
					 strerror(errno));
		}
		if (!still_there(fd, l->lock_path))
			continue;
		if (write_pid(fd))
			return error_new(err, ERROR_KERNEL, errno, "write %s: %s", l->lock_path,
					 strerror(errno));
		l->lock = steal_fd(&fd);
		return 0;
	}
}

int listener_claim(const char *path, struct listener *out, struct ioasidctl_error **err)
{
	int ret;

	*out = (struct listener){.lock = -1, .fd = -1};
	ret = check_path(path, err);
	if (!ret)
		ret = make_directory(path, err);
	if (ret)
		return ret;
	out->path = strdup(path);
	if (!out->path || asprintf(&out->lock_path, "%s.lock", path) < 0) {
		out->lock_path = NULL;
		ret = error_nomem(err);
	}
	if (!ret)
		ret = take_lock(out, err);
	if (ret)
		listener_release(out);
	return ret;
}

static void set_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, path, strlen(path)); /* check_path() */
}

/* The lock is ours, so no holder is behind what is at the path; something else might be. */
static int clear_path(const char *path, struct ioasidctl_error **err)
{
	_cleanup_close_ int probe = -1;
	struct sockaddr_un address;
	struct stat st;
	int ret;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return 0;
		return error_new(err, ERROR_UNAVAILABLE, errno, "%s: %s", path, strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode)) {
		ret = error_new(err, ERROR_BUSY, EEXIST, "%s is in the way and is not a socket",
				path);
		error_hint(err, "move it away, or give another --socket");
		return ret;
	}
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	set_address(&address, path);
	if (probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof(address)) &&
	    errno == ECONNREFUSED) {
		if (!unlink(path) || errno == ENOENT)
			return 0;
		return error_new(err, ERROR_UNAVAILABLE, errno, "remove the stale socket %s: %s",
				 path, strerror(errno));
	}
	ret = error_new(err, ERROR_BUSY, EADDRINUSE, "something else listens at %s", path);
	error_hint(err, "end it, or give another --socket");
	return ret;
}

static int listen_at(const char *path, int *out, struct ioasidctl_error **err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;

	set_address(&address, path);
	/* The mode before bind() so that the socket is never more open than it should be; again
	 * after it since the umask was applied. */
	if (fd < 0 || fchmod(fd, socket_mode()) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return error_new(err, errno == EACCES ? ERROR_PERMISSION : ERROR_UNAVAILABLE, errno,
				 "make socket %s: %s", path, strerror(errno));
	if (chmod(path, socket_mode()) || listen(fd, BACKLOG)) {
		int ret = error_new(err, ERROR_KERNEL, errno, "listen at %s: %s", path,
				    strerror(errno));

		(void)unlink(path);
		return ret;
	}
	*out = steal_fd(&fd);
	return 0;
}

static int read_passed(int fd, struct sockaddr_un *address, struct ioasidctl_error **err)
{
	int listens = 0, type = 0;
	socklen_t length = sizeof(listens), type_length = sizeof(type);
	socklen_t address_length = sizeof(*address) - 1; /* so that the path ends in a NUL */

	*address = (struct sockaddr_un){0};
	if (!getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) &&
	    !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_length) &&
	    !getsockname(fd, (struct sockaddr *)address, &address_length) && listens &&
	    type == SOCK_STREAM && address->sun_family == AF_UNIX)
		return 0;
	return error_new(err, ERROR_USAGE, EINVAL,
			 "descriptor %d, passed to listen on, is not a listening Unix stream "
			 "socket",
			 fd);
}

int listener_path(const char *option, int passed, char **path, struct ioasidctl_error **err)
{
	struct sockaddr_un address = {0};
	int ret = passed >= 0 ? read_passed(passed, &address, err) : 0;

	if (ret)
		return ret;
	/* An abstract or unnamed one has no place in the file system. */
	*path = strdup(*address.sun_path ? address.sun_path : option);
	return *path ? 0 : error_nomem(err);
}

static int prepare_passed(int fd, struct ioasidctl_error **err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return error_new(err, ERROR_KERNEL, errno, "prepare descriptor %d: %s", fd,
				 strerror(errno));
	return 0;
}

int listener_open(struct listener *l, int passed, struct ioasidctl_error **err)
{
	int ret;

	if (passed >= 0) {
		ret = prepare_passed(passed, err);
		if (ret)
			return ret;
		l->fd = passed;
		l->passed = true;
		return 0;
	}
	ret = clear_path(l->path, err);
	return ret ? ret : listen_at(l->path, &l->fd, err);
}

static bool is_locked_by(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fd >= 0 && !fcntl(fd, F_OFD_SETLK, &whole);
}

int listener_inherit(const char *path, int lock, int fd, bool passed, struct listener *out,
		     struct ioasidctl_error **err)
{
	struct sockaddr_un address;
	int ret = 0;

	*out = (struct listener){.lock = lock, .fd = fd, .passed = passed};
	out->path = strdup(path);
	if (!out->path || asprintf(&out->lock_path, "%s.lock", path) < 0) {
		out->lock_path = NULL;
		ret = error_nomem(err);
	}
	if (!ret && (!is_locked_by(lock) || !still_there(lock, out->lock_path) ||
		     read_passed(fd, &address, NULL)))
		ret = error_new(err, ERROR_PROTOCOL, EPROTO,
				"the running holder gave something else than its socket and the "
				"lock of %s",
				path);
	if (ret)
		listener_leave(out);
	return ret;
}

int listener_own(const struct listener *l, struct ioasidctl_error **err)
{
	/* Clients are told whose process it is that called listen() last. */
	if (!listen(l->fd, BACKLOG) && !write_pid(l->lock))
		return 0;
	return error_new(err, ERROR_KERNEL, errno, "take over the socket %s: %s", l->path,
			 strerror(errno));
}

void listener_leave(struct listener *l)
{
	cleanup_close(&l->fd);
	cleanup_close(&l->lock);
	free(l->path);
	free(l->lock_path);
	*l = (struct listener){.lock = -1, .fd = -1};
}

void listener_hide(struct listener *l)
{
	if (l->fd < 0 || l->passed)
		return;
	(void)unlink(l->path);
	/* Who had found the path before can still be on the way. */
	(void)shutdown(l->fd, SHUT_RD);
}

void listener_release(struct listener *l)
{
	if (l->fd >= 0) {
		listener_hide(l);
		close(l->fd);
	}
	if (l->lock >= 0) {
		(void)unlink(l->lock_path);
		close(l->lock);
	}
	free(l->path);
	free(l->lock_path);
	*l = (struct listener){.lock = -1, .fd = -1};
}
