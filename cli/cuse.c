// SPDX-License-Identifier: GPL-2.0-or-later
#include "cuse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifdef IOASIDCTL_CUSE

#define FUSE_USE_VERSION 31
#include <cuse_lowlevel.h>

#define CUSE_NODE "/dev/cuse"

/* What a struct can have at most: past it the device says E2BIG anyway. */
#define ARGSZ_MAX 4096

struct server {
	struct refdev *refdev;
	void (*ready)(void *data);
	void *data;
};

/* The request tells the thread; descriptors and memory are its process's. */
static pid_t process_of(pid_t thread)
{
	_cleanup_fclose_ FILE *status = NULL;
	char path[32], line[128];
	int process;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Tgid: %d", &process) == 1)
			return process;
	return -1;
}

static void serve_open(fuse_req_t req, struct fuse_file_info *fi)
{
	const struct server *server = fuse_req_userdata(req);
	const pid_t process = process_of(fuse_req_ctx(req)->pid);
	struct refdev_file *file;
	int ret = process > 0 ? refdev_open_for(server->refdev, process, &file) : -ESRCH;

	if (ret) {
		fuse_reply_err(req, -ret);
		return;
	}
	fi->fh = (uintptr_t)file;
	/* The caller gave up meanwhile: there will be no release. */
	if (fuse_reply_open(req, fi))
		refdev_close(file);
}

static void serve_release(fuse_req_t req, struct fuse_file_info *fi)
{
	refdev_close((struct refdev_file *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

/*
 * The numbers say nothing of sizes, so the kernel is asked for more until the struct is here:
 * first its argsz, then all of it.
 */
static void serve_ioctl(fuse_req_t req, int command, void *arg, struct fuse_file_info *fi,
			unsigned flags, const void *in, size_t in_size, size_t out_size)
{
	struct refdev_file *file = (struct refdev_file *)(uintptr_t)fi->fh;
	const pid_t caller = process_of(fuse_req_ctx(req)->pid);
	struct iovec whole = {arg, sizeof(uint32_t)};
	_Alignas(8) char args[ARGSZ_MAX];
	uint32_t argsz = 0;

	(void)flags;
	if (caller <= 0) {
		fuse_reply_err(req, ESRCH);
		return;
	}
	if (in_size >= sizeof(argsz))
		memcpy(&argsz, in, sizeof(argsz));
	if (in_size < sizeof(argsz)) {
		fuse_reply_ioctl_retry(req, &whole, 1, NULL, 0);
	} else if (argsz > ARGSZ_MAX || argsz < sizeof(argsz)) {
		/* Nothing of it can be used; which error it is, the device says. */
		memset(args, 0, sizeof(args));
		memcpy(args, &argsz, sizeof(argsz));
		fuse_reply_err(req, -refdev_ioctl_of(file, caller, (unsigned)command, args));
	} else if (in_size < argsz || out_size < argsz) {
		whole.iov_len = argsz;
		fuse_reply_ioctl_retry(req, &whole, 1, &whole, 1);
	} else {
		/* Some calls fill the struct in although they fail: EMSGSIZE says how much there
		 * is. */
		memset(args, 0, sizeof(args));
		memcpy(args, in, argsz);
		fuse_reply_ioctl(req, refdev_ioctl_of(file, caller, (unsigned)command, args), args,
				 argsz);
	}
}

static void serve_ready(void *userdata)
{
	const struct server *server = userdata;

	server->ready(server->data);
}

static const struct cuse_lowlevel_ops operations = {
	.init_done = serve_ready,
	.open = serve_open,
	.release = serve_release,
	.ioctl = serve_ioctl,
};

static int check_cuse(const char *path, struct ioasidctl_error **err)
{
	int ret;

	if (!access(path, F_OK)) {
		ret = error_new(err, ERROR_BUSY, EEXIST, "%s exists", path);
		error_hint(err, "end what serves it, or serve another name with --node");
		return ret;
	}
	if (!access(CUSE_NODE, R_OK | W_OK))
		return 0;
	ret = error_new(err, errno == ENOENT ? ERROR_UNAVAILABLE : ERROR_PERMISSION, errno,
			"can't open " CUSE_NODE ": %s", strerror(errno));
	error_hint(err, errno == ENOENT ? "load the module cuse (CONFIG_CUSE)" : "run it as root");
	return ret;
}

int cuse_serve(struct refdev *refdev, const char *node, void (*ready)(void *data), void *data,
	       struct ioasidctl_error **err)
{
	struct server server = {refdev, ready, data};
	char path[128], info[128], *argv[] = {"ioasidctl", "-f", NULL};
	const char *infos[] = {info};
	const struct cuse_info description = {
		.dev_info_argc = 1, .dev_info_argv = infos, .flags = CUSE_UNRESTRICTED_IOCTL};
	struct fuse_session *session;
	int ret, threads;

	snprintf(path, sizeof(path), "/dev/%s", node);
	snprintf(info, sizeof(info), "DEVNAME=%s", node);
	ret = check_cuse(path, err);
	if (ret)
		return ret;
	session = cuse_lowlevel_setup(2, argv, &description, &operations, &threads, &server);
	if (!session)
		return error_new(err, ERROR_KERNEL, EIO, "the kernel's CUSE can't be used for %s",
				 path);
	ret = fuse_session_loop(session);
	cuse_lowlevel_teardown(session);
	/* A signal number: that's how it is ended. */
	return ret >= 0 ? 0
			: error_new(err, ERROR_KERNEL, -ret, "serving %s ended: %s", path,
				    strerror(-ret));
}

#else

int cuse_serve(struct refdev *refdev, const char *node, void (*ready)(void *data), void *data,
	       struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENOSYS, "/dev/%s can't be served", node);

	(void)refdev, (void)ready, (void)data;
	error_cause(err, "this ioasidctl was built without libfuse");
	error_hint(err, "build it where libfuse3-dev is installed");
	return ret;
}

#endif
