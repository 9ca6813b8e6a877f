// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cuse.h"
#include "local.h"
#include "output.h"
#include "start.h"

#define DEFAULT_NODE "ioasid"

struct readiness {
	const struct invocation *in;
	const char *node;
	int fd; /* -1: nobody waits */
};

static void tell_ready(void *data)
{
	const struct readiness *r = data;

	fprintf(stderr, "ioasidctl: serving /dev/%s\n", r->node);
	if (r->fd >= 0 && write(r->fd, "", 1) < 0)
		fprintf(stderr, "ioasidctl: --ready-fd: %s\n", strerror(errno));
}

/* It becomes a device's name, and a path below /dev. */
static int check_node(const char *node, struct ioasidctl_error **err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	int ret;

	if (strlen(node) < 32 && node[strspn(node, letters)] == 0)
		return 0;
	ret = error_new(err, ERROR_USAGE, EINVAL, "\"%s\" can't be the name of a device node",
			node);
	error_hint(err, "small letters, digits, - and _, 31 at most; it appears below /dev");
	return ret;
}

static int serve(const struct invocation *in, struct ioasidctl_error **err)
{
	_cleanup_environment_ struct environment e = {0};
	struct readiness ready = {.in = in, .node = in->node ? in->node : DEFAULT_NODE, .fd = -1};
	int ret = check_node(ready.node, err);

	if (!ret && in->ready_fd)
		ret = descriptor_argument(in->ready_fd, "--ready-fd", &ready.fd, err);
	if (!ret)
		ret = environment_make(in, &e, err);
	if (ret)
		return ret;
	return cuse_serve(e.refdev, ready.node, tell_ready, &ready, err);
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	return serve(in, &err) ? print_errors(in, err) : 0;
}

const struct verb verb_serve = {
	.name = "serve",
	.synopsis = "",
	.help = "Serve the reference device as a character device",
	.text = "Makes /dev/ioasid (--node: another name) a device of the kernel by CUSE, which needs "
		"root and libfuse at build time, and serves it in the foreground until SIGTERM, SIGINT "
		"or SIGHUP. Any program can then open it and use the calls of ioasidctl/uapi/ioasid.h; "
		"so can ioasidctl, with `driver: ioasid` and `node: /dev/ioasid`.\n\n"
		"All who open it share one machine, the default one or that of --machine. The memory "
		"that a program maps is its own, wherever the descriptor goes afterwards.",
	.options = OPTION(MACHINE) | OPTION(NODE) | OPTION(READY_FD),
	.run = run,
};
