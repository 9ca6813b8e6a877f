// SPDX-License-Identifier: GPL-2.0-or-later
/* Device events: what is read from a message, and whose messages count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "host/uevent.h"

#define PARSE(text, event) uevent_parse(text, sizeof(text), event)
#define PCI		   "/devices/pci0000:00/0000:00:05.0/0000:01:00.0"
#define MESSAGE(action, path, rest) \
	action "@" path "\0ACTION=" action "\0DEVPATH=" path "\0" rest "\0SEQNUM=7"

static void test_devices(void **state)
{
	struct uevent e;

	(void)state;
	assert_int_equal(PARSE(MESSAGE("remove", PCI, "SUBSYSTEM=pci\0PCI_ID=8086:10D3"), &e), 0);
	assert_int_equal(e.action, UEVENT_REMOVE);
	assert_false(e.node);
	assert_int_equal(e.selector, SELECTOR_PCI);
	assert_string_equal(e.address, "0000:01:00.0");
	assert_string_equal(e.driver, "");
	assert_int_equal(PARSE(MESSAGE("bind", PCI, "SUBSYSTEM=pci\0DRIVER=vfio-pci"), &e), 0);
	assert_int_equal(e.action, UEVENT_BIND);
	assert_string_equal(e.driver, "vfio-pci");
	assert_int_equal(PARSE(MESSAGE("unbind", "/devices/x", "SUBSYSTEM=platform"), &e), 0);
	assert_int_equal(e.action, UEVENT_UNBIND);
	assert_int_equal(e.selector, SELECTOR_PLATFORM);
	assert_int_equal(PARSE(MESSAGE("add", "/devices/virtual/83b8-f4f2", "SUBSYSTEM=mdev"), &e),
			 0);
	assert_int_equal(e.action, UEVENT_ADD);
	assert_int_equal(e.selector, SELECTOR_MDEV);
	assert_string_equal(e.address, "83b8-f4f2");
	assert_int_equal(PARSE(MESSAGE("add", "/devices/vdpa0", "SUBSYSTEM=vdpa"), &e), 0);
	assert_int_equal(e.selector, SELECTOR_VDPA);
}

static void test_nodes(void **state)
{
	struct uevent e;

	(void)state;
	assert_int_equal(PARSE(MESSAGE("add", PCI "/vfio-dev/vfio0", "SUBSYSTEM=vfio-dev"), &e), 0);
	assert_true(e.node);
	assert_int_equal(e.selector, SELECTOR_COUNT);
	assert_string_equal(e.address, "0000:01:00.0");
	assert_int_equal(PARSE(MESSAGE("add", "/vfio-dev/vfio0", "SUBSYSTEM=vfio-dev"), &e),
			 -EBADMSG);
	assert_int_equal(PARSE(MESSAGE("add", "/vfio0", "SUBSYSTEM=vfio-dev"), &e), -EBADMSG);
}

static void test_of_no_concern(void **state)
{
	struct uevent e;

	(void)state;
	assert_int_equal(PARSE(MESSAGE("add", PCI "/net/eth0", "SUBSYSTEM=net"), &e), -ENOMSG);
	assert_int_equal(PARSE(MESSAGE("change", PCI, "SUBSYSTEM=pci"), &e), -ENOMSG);
	assert_int_equal(PARSE(MESSAGE("added", PCI, "SUBSYSTEM=pci"), &e), -ENOMSG);
	assert_int_equal(PARSE(MESSAGE("add", PCI, "SUBSYSTEM=mock"), &e), -ENOMSG);
}

static void test_broken(void **state)
{
	static const char long_tail[] = "SUBSYSTEM=pci";
	static const char unended[] = {'a', '@', '/', 'x'};
	_cleanup_free_ char *message = NULL;
	struct uevent e;
	size_t length = 0;
	FILE *f;

	(void)state;
	assert_int_equal(uevent_parse("", 0, &e), -EBADMSG);
	assert_int_equal(PARSE("", &e), -EBADMSG);
	assert_int_equal(uevent_parse(unended, sizeof(unended), &e), -EBADMSG);
	assert_int_equal(PARSE("add", &e), -EBADMSG);
	assert_int_equal(PARSE("add@/x\0ACTION=add\0DEVPATH=/x", &e), -EBADMSG);
	assert_int_equal(PARSE("add@/x\0ACTION=remove\0DEVPATH=/x\0SUBSYSTEM=pci", &e), -EBADMSG);
	assert_int_equal(PARSE("add@/x\0ACTION=add\0DEVPATH=/y\0SUBSYSTEM=pci", &e), -EBADMSG);
	assert_int_equal(PARSE("add@x\0ACTION=add\0DEVPATH=x\0SUBSYSTEM=pci", &e), -EBADMSG);
	assert_int_equal(PARSE(MESSAGE("add", PCI, "SUBSYSTEM=pci\0DEVPATH=/z"), &e), -EBADMSG);
	assert_int_equal(PARSE(MESSAGE("add", PCI "/", "SUBSYSTEM=pci"), &e), -EBADMSG);
	assert_int_equal(PARSE("libudev\0add@/x", &e), -EBADMSG);
	/* A name that no file can have. */
	f = open_memstream(&message, &length);
	assert_non_null(f);
	fprintf(f, "add@/%0300d%cACTION=add%cDEVPATH=/%0300d%c%s%c", 0, 0, 0, 0, 0, long_tail, 0);
	fclose(f);
	assert_int_equal(uevent_parse(message, length, &e), -EBADMSG);
}

struct envelope {
	struct sockaddr_nl from;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	struct msghdr message;
};

static void seal(struct envelope *e)
{
	const struct ucred root = {0};
	struct cmsghdr *c;

	*e = (struct envelope){.from = {.nl_family = AF_NETLINK, .nl_groups = 1}};
	e->message = (struct msghdr){.msg_name = &e->from,
				     .msg_namelen = sizeof(e->from),
				     .msg_control = &e->control,
				     .msg_controllen = sizeof(e->control)};
	c = CMSG_FIRSTHDR(&e->message);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(root));
	memcpy(CMSG_DATA(c), &root, sizeof(root));
}

static void test_only_the_kernels_messages_count(void **state)
{
	const struct ucred user = {.uid = 1000};
	struct envelope e;

	(void)state;
	seal(&e);
	assert_true(uevent_is_kernels(&e.message));
	e.from.nl_pid = 1234;
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	e.from.nl_groups = 2; /* udev's */
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	e.from.nl_groups = 0; /* to this socket alone */
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	e.message.msg_namelen = 4;
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	e.message.msg_flags = MSG_TRUNC;
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	e.message.msg_controllen = 0;
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	CMSG_FIRSTHDR(&e.message)->cmsg_type = SCM_RIGHTS;
	assert_false(uevent_is_kernels(&e.message));
	seal(&e);
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&e.message)), &user, sizeof(user));
	assert_false(uevent_is_kernels(&e.message));
}

/* Root may send to the socket what looks like the kernel's; nobody else may at all. */
static void test_a_forged_message_is_dropped(void **state)
{
	static char forged[] = MESSAGE("add", PCI, "SUBSYSTEM=pci");
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct sockaddr_nl to = {0};
	socklen_t length = sizeof(to);
	struct uevent_socket *s;
	_cleanup_close_ int fd = -1;
	struct uevent e;
	int ret = uevent_open(&s, &err);

	(void)state;
	if (ret == -ENOSYS)
		skip(); /* built without libmnl */
	assert_int_equal(ret, 0);
	assert_int_equal(getsockname(uevent_fd(s), (struct sockaddr *)&to, &length), 0);
	to.nl_groups = 0;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	assert_true(fd >= 0);
	if (sendto(fd, forged, sizeof(forged), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		assert_int_equal(errno, EPERM);
	do
		ret = uevent_next(s, &e); /* whatever this machine itself is doing */
	while (!ret && strcmp(e.address, "0000:01:00.0"));
	assert_int_equal(ret, -EAGAIN);
	uevent_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_of_no_concern),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_only_the_kernels_messages_count),
		cmocka_unit_test(test_a_forged_message_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
