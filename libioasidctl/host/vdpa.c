// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/vdpa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef IOASIDCTL_NO_LIBMNL
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <sys/time.h>
#endif

#include "base/cleanup.h"
#include "host/holders.h"
#include "host/root.h"
#include "host/sysfs.h"
#include "host/vdpa_send.h"
#include "uapi/vdpa.h"

#define NODE_PREFIX "vhost-vdpa-"

int host_vdpa_node(const char *dir, char **node)
{
	_cleanup_names_ struct name_list names = {0};
	int ret = sysfs_list(dir, &names);

	if (ret)
		return ret;
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.names[i], NODE_PREFIX, strlen(NODE_PREFIX)))
			continue;
		*node = root_path("", "/dev/%s", names.names[i]);
		return *node ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

#ifdef IOASIDCTL_NO_LIBMNL
static int refuse(const char *what, const char *name, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENOSYS,
			    "this build can't %s the vDPA device %s", what, name);

	error_cause(err, "it was made without libmnl");
	error_hint(err, "do it with `vdpa dev`, and leave `management` out of the config");
	return ret;
}

int host_vdpa_create(const struct vdpa_request *request, const struct vdpa_listener *listener,
		     struct ioasidctl_error **err)
{
	(void)listener;
	return refuse("make", request->name, err);
}

int host_vdpa_delete(const char *root, const char *name, const char *management,
		     const struct vdpa_listener *listener, struct ioasidctl_error **err)
{
	(void)root;
	(void)management;
	(void)listener;
	return refuse("delete", name, err);
}
#else
/* The kernel answers before send(2) returns; only an answer that got lost would let us wait. */
#define ANSWER_SECONDS 30

/* What a part of a dump has at most. */
#define ANSWER_MAX     32768

struct conversation {
	struct mnl_socket *socket;
	uint32_t sequence;
	uint16_t family;
};

static void conversation_end(struct conversation *c)
{
	if (c->socket)
		mnl_socket_close(c->socket);
}

/* Sends `length` bytes of `buf`, which gets the answers. 0, -errno of the talk, not of the answer.
 */
static int converse(struct conversation *c, void *buf, size_t length, struct vdpa_answer *out)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	int ret = vdpa_send(mnl_socket_get_fd(c->socket), buf, length);

	for (ret = ret ? ret : 1; ret > 0;) {
		ssize_t n = mnl_socket_recvfrom(c->socket, answer, sizeof(answer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		ret = vdpa_read_answer(answer, (size_t)n, c->sequence,
				       mnl_socket_get_portid(c->socket), out);
	}
	return ret;
}

static int talk_failed(int ret, struct ioasidctl_error **err)
{
	return error_new(err, ret == -ENOMEM ? ERROR_MEMORY : ERROR_KERNEL, -ret,
			 "can't talk to the kernel's vDPA: %s", strerror(-ret));
}

static int no_family(int errnum, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, errnum,
			    "the kernel has no vDPA, or its module isn't loaded");

	error_hint(err, "modprobe vdpa, and the module of the management device "
			"(CONFIG_VDPA; it came with Linux 5.7, its netlink family with 5.12)");
	return ret;
}

static int ask_family(struct conversation *c, struct ioasidctl_error **err)
{
	_Alignas(NLMSG_ALIGNTO) char buf[VDPA_MESSAGE_MAX];
	_cleanup_(vdpa_answer_done)
	struct vdpa_answer answer = {0};
	size_t length = vdpa_write_family(buf, ++c->sequence);
	int ret = converse(c, buf, length, &answer);

	if (ret)
		return talk_failed(ret, err);
	if (answer.errnum || answer.family < NLMSG_MIN_TYPE)
		return no_family(answer.errnum ? answer.errnum : ENOENT, err);
	c->family = answer.family;
	return 0;
}

static int conversation_begin(struct conversation *c, struct ioasidctl_error **err)
{
	const struct timeval patience = {.tv_sec = ANSWER_SECONDS};
	const int on = 1;

	*c = (struct conversation){.socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC)};
	if (!c->socket || mnl_socket_bind(c->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(c->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)))
		return talk_failed(-errno, err);
	/* Old kernels lack these: then there is no text. */
	(void)mnl_socket_setsockopt(c->socket, NETLINK_EXT_ACK, (void *)&on, sizeof(on));
	(void)mnl_socket_setsockopt(c->socket, NETLINK_CAP_ACK, (void *)&on, sizeof(on));
	return ask_family(c, err);
}

static int ask(struct conversation *c, uint8_t command, const struct vdpa_request *request,
	       struct vdpa_answer *answer)
{
	_Alignas(NLMSG_ALIGNTO) char buf[VDPA_MESSAGE_MAX];
	size_t length = vdpa_write_request(buf, ++c->sequence, c->family, command, request);

	return converse(c, buf, length, answer);
}

/* Management devices there are, as an error's cause. */
static void list_management(struct conversation *c, struct ioasidctl_error **err)
{
	_cleanup_(vdpa_answer_done)
	struct vdpa_answer answer = {0};
	_cleanup_free_ char *text = NULL, *said = NULL;
	size_t size;
	FILE *f;

	if (err && *err && (*err)->cause)
		said = strdup((*err)->cause);
	if (ask(c, VDPA_NETLINK_MGMTDEV_GET, NULL, &answer) || answer.errnum)
		return;
	if (!answer.n_facts) {
		error_cause(err, "there is no management device at all");
		error_hint(err, "load the module of one: vdpa_sim_net, mlx5_vdpa, ...");
		return;
	}
	f = open_memstream(&text, &size);
	for (size_t i = 0; f && i < answer.n_facts; i++)
		fprintf(f, "%s%s%s%s", i ? ", " : "", answer.facts[i].bus,
			*answer.facts[i].bus ? "/" : "", answer.facts[i].management);
	if (f && !fclose(f))
		error_cause(err, "%s%sthere are %s", said ? said : "", said ? "; " : "", text);
	error_hint(err, "name one of them in `management`");
}

/* The facts of one device; false: they can't be had. */
static bool get_device(struct conversation *c, const char *name, struct vdpa_facts *out)
{
	const struct vdpa_request request = {.name = name};
	_cleanup_(vdpa_answer_done)
	struct vdpa_answer answer = {0};

	if (ask(c, VDPA_NETLINK_DEV_GET, &request, &answer) || answer.n_facts != 1)
		return false;
	*out = answer.facts[0];
	return true;
}

static void explain_exists(struct conversation *c, const char *name, struct ioasidctl_error **err)
{
	struct vdpa_facts facts;

	if (get_device(c, name, &facts))
		error_cause(err, "somebody has made it, on management device %s%s%s", facts.bus,
			    *facts.bus ? "/" : "", facts.management);
	error_hint(err,
		   "leave `management` out to use it as it is, delete it (vdpa dev del %s), or "
		   "choose another name",
		   name);
}

static int create_failed(struct conversation *c, const struct vdpa_request *request,
			 const struct vdpa_answer *answer, struct ioasidctl_error **err)
{
	enum error_kind kind = ERROR_KERNEL;
	int ret;

	if (answer->errnum == EPERM || answer->errnum == EACCES)
		kind = ERROR_PERMISSION;
	else if (answer->errnum == ENODEV)
		kind = ERROR_UNAVAILABLE;
	else if (answer->errnum == EEXIST)
		kind = ERROR_BUSY;
	ret = error_new(err, kind, answer->errnum,
			"can't make the vDPA device %s on management device %s: %s", request->name,
			request->management, strerror(answer->errnum));
	error_ioctl(err, "VDPA_CMD_DEV_NEW");
	if (*answer->text)
		error_cause(err, "the kernel says: %s", answer->text);
	if (answer->errnum == ENODEV)
		list_management(c, err);
	else if (answer->errnum == EEXIST)
		explain_exists(c, request->name, err);
	else if (kind == ERROR_PERMISSION)
		error_hint(err, "making devices needs CAP_NET_ADMIN: run ioasidctl as root, or let "
				"root make it and leave `management` out");
	return ret;
}

static void tell(const struct vdpa_listener *listener, const char *what, const char *name, int ret)
{
	if (listener && listener->asked)
		listener->asked(listener->data, what, name, ret);
}

static int run(struct conversation *c, uint8_t command, const struct vdpa_request *request,
	       const char *what, const struct vdpa_listener *listener, struct vdpa_answer *answer)
{
	int ret = ask(c, command, request, answer);

	tell(listener, what, request->name, ret ? ret : -answer->errnum);
	return ret;
}

static int check_name(const char *what, const char *name, struct ioasidctl_error **err)
{
	if (*name && strlen(name) <= VDPA_NAME_MAX)
		return 0;
	return error_new(err, ERROR_CONFIG, EINVAL, "\"%s\" is no name of a %s", name, what);
}

int host_vdpa_create(const struct vdpa_request *request, const struct vdpa_listener *listener,
		     struct ioasidctl_error **err)
{
	_cleanup_(conversation_end)
	struct conversation c = {0};
	_cleanup_(vdpa_answer_done)
	struct vdpa_answer answer = {0};
	int ret = check_name("vDPA device", request->name, err);

	if (!ret)
		ret = check_name("management device", request->management, err);
	if (!ret)
		ret = conversation_begin(&c, err);
	if (ret)
		return ret;
	ret = run(&c, VDPA_NETLINK_DEV_NEW, request, "VDPA_CMD_DEV_NEW", listener, &answer);
	if (ret)
		return talk_failed(ret, err);
	return answer.errnum ? create_failed(&c, request, &answer, err) : 0;
}

static int refuse_if_open(const char *root, const char *name, struct ioasidctl_error **err)
{
	_cleanup_free_ char *dir = root_path(root, "/sys/bus/vdpa/devices/%s", name);
	_cleanup_free_ char *node = NULL, *text = NULL;
	int ret;

	if (!dir)
		return error_nomem(err);
	if (host_vdpa_node(dir, &node) ||
	    holders_text(root, (const char *const[]){node, NULL}, 0, &text) || !text)
		return 0;
	ret = error_new(err, ERROR_BUSY, EBUSY, "can't delete the vDPA device %s: it is open",
			name);
	error_cause(err, "held by %s", text);
	error_hint(err, "end that process or have it give %s up", node);
	return ret;
}

static bool is_on(const struct vdpa_facts *facts, const char *management)
{
	const char *slash = strchr(management, '/');

	return !strcmp(facts->management, slash ? slash + 1 : management) &&
	       (!slash || (strlen(facts->bus) == (size_t)(slash - management) &&
			   !strncmp(facts->bus, management, strlen(facts->bus))));
}

int host_vdpa_delete(const char *root, const char *name, const char *management,
		     const struct vdpa_listener *listener, struct ioasidctl_error **err)
{
	const struct vdpa_request request = {.name = name};
	_cleanup_(conversation_end)
	struct conversation c = {0};
	_cleanup_(vdpa_answer_done)
	struct vdpa_answer answer = {0};
	struct vdpa_facts facts;
	int ret = conversation_begin(&c, err);

	if (ret)
		return ret;
	if (management && get_device(&c, name, &facts) && !is_on(&facts, management))
		return error_new(err, ERROR_REFUSED, EXDEV,
				 "the vDPA device %s was made anew, on management device %s", name,
				 facts.management);
	ret = refuse_if_open(root, name, err);
	if (ret)
		return ret;
	ret = run(&c, VDPA_NETLINK_DEV_DEL, &request, "VDPA_CMD_DEV_DEL", listener, &answer);
	if (ret)
		return talk_failed(ret, err);
	if (!answer.errnum)
		return 0;
	ret = error_new(err, answer.errnum == EPERM ? ERROR_PERMISSION : ERROR_KERNEL,
			answer.errnum, "can't delete the vDPA device %s: %s", name,
			strerror(answer.errnum));
	error_ioctl(err, "VDPA_CMD_DEV_DEL");
	if (*answer.text)
		error_cause(err, "the kernel says: %s", answer.text);
	return ret;
}
#endif
