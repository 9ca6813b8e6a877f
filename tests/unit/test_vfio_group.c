// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio driver: devices, and how their groups come into containers, change them and leave. */
#include "vfio_fixture.h"

static void test_open_and_bind(void **state)
{
	struct driver_fd *fd = open_fd();
	struct driver_device *left = bind_device(fd, LEFT, true), *right;
	struct driver_device *edu;

	(void)state;
	/* The second of a group shares what the first has opened. */
	right = bind_device(fd, RIGHT, false);
	edu = bind_device(fd, EDU, true);
	assert_ptr_equal(left->group, right->group);
	assert_int_equal(D.device_fd_number(left), -1);
	assert_true(D.group_fd_number(left) >= 0);
	assert_int_equal(D.group_fd_number(left), D.group_fd_number(right));
	assert_int_not_equal(D.group_fd_number(left), D.group_fd_number(edu));
	assert_non_null(strstr(trace_text, "/dev/vfio/9 = 0"));

	expect_status(VFIO_GRP_VIABLE);
	assert_int_equal(D.device_probe(fd, left), 0);
	expect_status(0);
	FAIL(ENODEV);
	assert_int_equal(D.device_probe(fd, left), -ENOENT);

	trace_text[0] = '\0';
	D.device_close(left);
	assert_null(strstr(trace_text, "close /dev/vfio/9"));
	D.device_close(right);
	assert_non_null(strstr(trace_text, "close /dev/vfio/9"));
	/* The fd may go before its device does. */
	D.close(fd);
	D.device_close(edu);
}

static void refuse_open(const struct device *spec, int errnum, enum error_kind kind,
			const char *message, const char *cause, const char *hint)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = NULL;

	assert_int_equal(D.device_open(&env, spec, &dev, &err), -errnum);
	assert_null(dev);
	assert_int_equal(err->kind, kind);
	assert_string_equal(err->message, message);
	assert_non_null(strstr(err->cause, cause));
	assert_non_null(strstr(err->hint, hint));
}

static void test_what_cannot_be_opened(void **state)
{
	const struct device spec = {.name = (char *)"nic0",
				    .selector = SELECTOR_PCI,
				    .address = (char *)"0000:01:00.0"};

	(void)state;
	tree_pci(&tree, "0000:01:00.0", 5, "e1000e", NULL);
	refuse_open(&spec, ENODEV, ERROR_BUSY,
		    "nic0 (0000:01:00.0) belongs to the host's driver e1000e",
		    "only a device bound to a VFIO driver", "`driver: vfio-pci`");
	tree_unlink(&tree, "/sys/bus/pci/devices/0000:01:00.0/driver");
	refuse_open(&spec, ENODEV, ERROR_UNAVAILABLE, "nic0 (0000:01:00.0) has no driver",
		    "only a device bound to a VFIO driver", "`driver: vfio-pci`");
	tree_pci(&tree, "0000:01:00.0", UINT32_MAX, "vfio-pci", NULL);
	tree_unlink(&tree, "/sys/bus/pci/devices/0000:01:00.0/iommu_group");
	refuse_open(&spec, ENODEV, ERROR_UNAVAILABLE,
		    "nic0 (0000:01:00.0) can't be handed out by VFIO", "no IOMMU group",
		    "intel_iommu=on");
	/* The kernel makes up a group where it was told to do without IOMMU. */
	tree_pci(&tree, "0000:01:00.0", 5, "vfio-pci", NULL);
	tree_file(&tree, "vfio-noiommu\n", "/sys/kernel/iommu_groups/5/name");
	refuse_open(&spec, EPERM, ERROR_REFUSED, "nic0 (0000:01:00.0) has no IOMMU in front of it",
		    "no-IOMMU mode", "enable the IOMMU");
}

static int try_bind(struct driver_fd *fd, struct driver_device *dev, struct ioasidctl_error **err)
{
	uint32_t id;

	return D.device_bind(fd, dev, &id, err);
}

static void test_groups_that_cannot_be_had(void **state)
{
	struct driver_fd *fd = open_fd();
	struct driver_device *dev = open_device(LEFT);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, RIGHT, 9, "e1000e", NULL);
	expect_status(0);
	assert_int_equal(try_bind(fd, dev, &err), -EPERM);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->message, "IOMMU group 9 is in use by the host");
	assert_non_null(strstr(err->cause, RIGHT " (e1000e)"));
	assert_null(strstr(err->cause, LEFT));
	assert_non_null(strstr(err->hint, "vfio-pci"));
	error_free(steal_pointer(err));

	/* Somebody has it by iommufd. */
	tree_pci(&tree, RIGHT, 9, "vfio-pci", "vfio3");
	tree_process(&tree, 1234, "qemu", "/dev/vfio/devices/vfio3");
	expect_status(0);
	assert_int_equal(try_bind(fd, dev, &err), -EPERM);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_non_null(strstr(err->cause, "pid 1234 (qemu)"));
	error_free(steal_pointer(err));

	expect_status(0);
	FAIL(ENODEV);
	assert_int_equal(try_bind(fd, dev, &err), -ENODEV);
	assert_string_equal(err->ioctl, "VFIO_GROUP_GET_STATUS");
	error_free(steal_pointer(err));

	tree_unlink(&tree, "/dev/vfio/9");
	assert_int_equal(try_bind(fd, dev, &err), -ENOENT);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(err->message, "/dev/vfio/9"));
	D.device_close(dev);
	D.close(fd);
}

/* The nodes through which somebody can have the group are looked for, its own among them. */
static void test_a_group_that_is_held(void **state)
{
	struct vfio_group g = {.number = 9, .node = (char *)"/dev/vfio/9"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_process(&tree, 77, "dpdk", "/dev/vfio/9");
	vfio_fail(&err, "open", -EBUSY, "can't open /dev/vfio/9");
	vfio_explain_group(&env, &g, EBUSY, &err);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_non_null(
		strstr(err->cause, "pid 77 (dpdk) has its IOMMU group 9 or a device of it"));
}

static void test_attach_and_detach(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *left = bind_device(fd, LEFT, true),
			     *right = bind_device(fd, RIGHT, false),
			     *edu = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	assert_int_equal(D.attach(fd, left, 77, NO_PASID, NULL), -ENOENT);
	assert_int_equal(D.attach(fd, left, id, 5, NULL), -EOPNOTSUPP);
	attach_first(fd, left, LEFT, id);
	EXPECT(VFIO_DEV_GET_INFO, vfio_dev_info, .argsz = 24);
	ON(D.device_fd_number(left));
	assert_int_equal(D.device_probe(fd, left), 0);

	/* Its mate is in already; another group is checked by the kernel, and by us for `allow`. */
	expect_open_device(right, RIGHT);
	assert_int_equal(D.attach(fd, right, id, NO_PASID, NULL), 0);
	expect_set_container(edu, container_fd(fd, id));
	expect_info(container_fd(fd, id), look_usual);
	expect_open_device(edu, EDU);
	assert_int_equal(D.attach(fd, edu, id, NO_PASID, NULL), 0);
	assert_int_equal(D.ioasid_free(fd, id, &err), -EBUSY);

	assert_int_equal(D.detach(fd, left, NO_PASID, NULL), 0);
	assert_int_equal(D.device_fd_number(left), -1);
	assert_int_equal(D.detach(fd, left, NO_PASID, NULL), 0);
	expect_unset_container(right);
	assert_int_equal(D.detach(fd, right, NO_PASID, NULL), 0);
	expect_unset_container(edu);
	assert_int_equal(D.detach(fd, edu, NO_PASID, NULL), 0);
	assert_int_equal(D.ioasid_free(fd, id, NULL), 0);
	D.device_close(left);
	D.device_close(right);
	D.device_close(edu);
	D.close(fd);
}

/* What the container had is there again when a group comes back. */
static void test_mappings_outlive_the_last_group(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int c = container_fd(fd, id);

	(void)state;
	attach_first(fd, dev, EDU, id);
	expect_map(c, 0x1000, 0x1000, (char *)VA + 0x1000, 3);
	assert_int_equal(map(fd, id, 0x1000, 0x1000, NULL), 0);
	expect_unset_container(dev);
	assert_int_equal(D.detach(fd, dev, NO_PASID, NULL), 0);
	assert_int_equal(map(fd, id, 0x2000, 0x1000, NULL), 0);
	expect_set_container(dev, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_map(c, 0x1000, 0x1000, (char *)VA + 0x1000, 3);
	expect_map(c, 0x2000, 0x1000, (char *)VA + 0x2000, 3);
	expect_open_device(dev, EDU);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, NULL), 0);
	D.device_close(dev);
	D.close(fd);
}

/* Closing the device (or the fd) takes the group out without further calls. */
static void test_closing_takes_the_group_out(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);

	(void)state;
	attach_first(fd, dev, EDU, id);
	D.device_close(dev);
	assert_int_equal(D.ioasid_free(fd, id, NULL), 0);
	D.close(fd);
}

static int wanted_event;

static void look_event(void *args, void *copy)
{
	struct vfio_dev_irq_set *a = args, *c = copy;

	if (!wanted_event)
		wanted_event = a->eventfd;
	assert_int_equal(a->eventfd, wanted_event);
	c->eventfd = 0;
}

static void expect_arm(void)
{
	EXPECT(VFIO_DEV_SET_IRQS, vfio_dev_irq_set, .argsz = 24,
	       .flags = VFIO_DEV_IRQ_EVENTFD | VFIO_DEV_IRQ_TRIGGER, .index = VFIO_DEV_PCI_REQUEST,
	       .count = 1);
	LOOK(look_event);
}

/* The same eventfd for as long as the device is held, however often the kernel opens it anew. */
static void test_the_wish_that_it_be_closed(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int event;

	(void)state;
	wanted_event = 0;
	assert_int_equal(D.device_request_fd(dev), -1);
	attach_first(fd, dev, EDU, id);
	expect_arm();
	event = D.device_request_fd(dev);
	assert_true(event >= 0);
	assert_int_equal(D.device_request_fd(dev), event);
	assert_false(D.device_requested(dev));
	assert_int_equal(eventfd_write(event, 1), 0);
	assert_true(D.device_requested(dev));
	assert_false(D.device_requested(dev));
	expect_unset_container(dev);
	assert_int_equal(D.detach(fd, dev, NO_PASID, NULL), 0);
	assert_int_equal(D.device_request_fd(dev), event);
	expect_set_container(dev, container_fd(fd, id));
	expect_type(container_fd(fd, id));
	expect_info(container_fd(fd, id), look_usual);
	expect_open_device(dev, EDU);
	expect_arm();
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, NULL), 0);
	assert_int_equal(wanted_event, event);
	D.device_close(dev);
	D.close(fd);
}

static void refuse_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, int errnum,
			  enum error_kind kind, const char *ioctl_name, const char *cause)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	assert_int_equal(D.attach(fd, dev, id, NO_PASID, &err), -errnum);
	assert_int_equal(err->kind, kind);
	if (ioctl_name)
		assert_string_equal(err->ioctl, ioctl_name);
	assert_non_null(err->cause);
	assert_non_null(strstr(err->cause, cause));
	assert_null(dev->group->container);
	assert_int_equal(D.device_fd_number(dev), -1);
	assert_int_equal(vfio_find_container(fd, id, NULL)->n_groups, 0);
}

static void test_groups_that_do_not_come_in(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, LEFT, true);
	int c = container_fd(fd, id);

	(void)state;
	/* A host driver has come to another member meanwhile. */
	tree_pci(&tree, RIGHT, 9, "e1000e", NULL);
	expect_set_container(dev, c);
	FAIL(EPERM);
	refuse_attach(fd, dev, id, EPERM, ERROR_BUSY, "VFIO_GROUP_SET_CONTAINER",
		      RIGHT " (e1000e)");
	tree_unlink(&tree, "/sys/bus/pci/devices/" RIGHT "/driver");

	tree_file(&tree, "  0:  1  IO-APIC  2-edge  timer\n", "/proc/interrupts");
	tree_file(&tree, "quiet intremap=off\n", "/proc/cmdline");
	expect_set_container(dev, c);
	expect_type(c);
	FAIL(EPERM);
	expect_unset_container(dev);
	refuse_attach(fd, dev, id, EPERM, ERROR_PERMISSION, "VFIO_SET_IOMMU",
		      "no interrupt remapping: the kernel was booted with intremap=off");

	expect_set_container(dev, c);
	FAIL(ENOMEM);
	refuse_attach(fd, dev, id, ENOMEM, ERROR_MEMORY, "VFIO_GROUP_SET_CONTAINER", "memory");

	/* The device itself doesn't open: its group goes out again. */
	expect_set_container(dev, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_raw(VFIO_GRP_OPEN_DEVICE, LEFT, sizeof(LEFT));
	FAIL(ENODEV);
	expect_unset_container(dev);
	refuse_attach(fd, dev, id, ENODEV, ERROR_UNAVAILABLE, "VFIO_GROUP_GET_DEVICE_FD",
		      "no such device");
	D.device_close(dev);
	D.close(fd);
}

/* Seen before anything is pinned; the kernel would say EINVAL at the mapping. */
static void test_mappings_that_the_device_cannot_stand(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int c = container_fd(fd, id);
	static const struct {
		uint64_t iova, length;
		const char *cause;
	} cases[] = {
		{0xfee00000, 0x10000, "needs 0xfee00000-0xfeefffff (msi) for itself"},
		{0xfedff000, 0x2000, "needs 0xfee00000-0xfeefffff (msi) for itself"},
		{0x8000000000, 0x1000, "reaches past the addresses the device can use"},
		{0x1000, 0x800, "reaches past the addresses the device can use"},
	};

	(void)state;
	tree_file(&tree, "0x00000000fee00000 0x00000000feefffff msi\n",
		  "/sys/kernel/iommu_groups/2/reserved_regions");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(map(fd, id, cases[i].iova, cases[i].length, NULL), 0);
		expect_set_container(dev, c);
		expect_type(c);
		expect_info(c, look_usual);
		expect_unset_container(dev);
		refuse_attach(fd, dev, id, EADDRINUSE, ERROR_KERNEL, NULL, cases[i].cause);
		assert_int_equal(D.unmap(fd, id, cases[i].iova, cases[i].length, NULL), 0);
	}
	D.device_close(dev);
	D.close(fd);
}

/* The second group: the kernel compares it with what is mapped, and only says EINVAL. */
static void test_a_second_group_with_reserved_addresses(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *edu = bind_device(fd, EDU, true), *dev = bind_device(fd, LEFT, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	int c = container_fd(fd, id);

	(void)state;
	tree_file(&tree, "0x0000000000100000 0x00000000001fffff direct\n",
		  "/sys/kernel/iommu_groups/9/reserved_regions");
	attach_first(fd, edu, EDU, id);
	expect_map(c, 0x100000, 0x1000, (char *)VA + 0x100000, 3);
	assert_int_equal(map(fd, id, 0x100000, 0x1000, NULL), 0);
	expect_set_container(dev, c);
	FAIL(EINVAL);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "needs 0x100000-0x1fffff (direct) for itself"));
	assert_int_equal(vfio_find_container(fd, id, NULL)->n_groups, 1);
	D.device_close(dev);
	D.device_close(edu);
	D.close(fd);
}

static void test_too_many_mappings(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	int c = container_fd(fd, id);

	(void)state;
	tree_file(&tree, "100\n", "/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");
	for (uint64_t i = 0; i < 101; i++)
		assert_int_equal(map(fd, id, i * 0x1000, 0x1000, NULL), 0);
	expect_set_container(dev, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_unset_container(dev);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, &err), -ENOSPC);
	assert_non_null(strstr(err->message, "101 mappings are too many"));
	assert_non_null(strstr(err->cause, "dma_entry_limit of vfio_iommu_type1 is 100"));
	D.device_close(dev);
	D.close(fd);
}

/* Pinning fails at the second mapping: out with the group, which takes the first one along. */
static void test_memory_runs_out_on_the_way(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	int c = container_fd(fd, id);

	(void)state;
	assert_int_equal(map(fd, id, 0x1000, 0x1000, NULL), 0);
	assert_int_equal(map(fd, id, 0x2000, 0x1000, NULL), 0);
	expect_set_container(dev, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_map(c, 0x1000, 0x1000, (char *)VA + 0x1000, 3);
	expect_map(c, 0x2000, 0x1000, (char *)VA + 0x2000, 3);
	FAIL(ENOMEM);
	expect_unset_container(dev);
	refuse_attach(fd, dev, id, ENOMEM, ERROR_MEMORY, "VFIO_IOMMU_MAP_DMA", "memory");
	D.device_close(dev);
	D.close(fd);
}

struct two {
	struct driver_fd *fd;
	uint32_t one, other;
	struct driver_device *left, *right;
};

/* Both members are in `one`, which has a mapping, and so has `other`. */
static struct two make_two(void)
{
	struct two t = {.fd = open_fd()};

	t.one = alloc(t.fd);
	t.other = alloc(t.fd);
	t.left = bind_device(t.fd, LEFT, true);
	t.right = bind_device(t.fd, RIGHT, false);
	attach_first(t.fd, t.left, LEFT, t.one);
	expect_open_device(t.right, RIGHT);
	assert_int_equal(D.attach(t.fd, t.right, t.one, NO_PASID, NULL), 0);
	expect_map(container_fd(t.fd, t.one), 0x1000, 0x1000, (char *)VA + 0x1000, 3);
	assert_int_equal(map(t.fd, t.one, 0x1000, 0x1000, NULL), 0);
	assert_int_equal(map(t.fd, t.other, 0x2000, 0x1000, NULL), 0);
	return t;
}

static void end_two(struct two *t)
{
	D.device_close(t->left);
	D.device_close(t->right);
	D.close(t->fd);
}

static void expect_join(const struct two *t, uint32_t id, uint64_t iova)
{
	int c = container_fd(t->fd, id);

	expect_set_container(t->left, c);
	expect_type(c);
	expect_info(c, look_usual);
	expect_map(c, iova, 0x1000, (char *)VA + iova, 3);
}

static void expect_reopen(const struct two *t)
{
	/* The one that was bound last is the first of the list. */
	expect_open_device(t->right, RIGHT);
	expect_open_device(t->left, LEFT);
}

/* All devices of the group are closed meanwhile, and the trace says what that means. */
static void test_a_group_that_moves(void **state)
{
	struct two t = make_two();

	(void)state;
	expect_unset_container(t.left);
	expect_join(&t, t.other, 0x2000);
	expect_reopen(&t);
	assert_int_equal(D.attach(t.fd, t.left, t.other, NO_PASID, NULL), 0);
	assert_non_null(strstr(trace_text, "group 9 changes containers: its devices are closed and "
					   "can do no DMA meanwhile"));
	/* The other one has come along. */
	assert_int_equal(D.attach(t.fd, t.right, t.other, NO_PASID, NULL), 0);
	assert_true(D.device_fd_number(t.left) >= 0 && D.device_fd_number(t.right) >= 0);
	assert_int_equal(vfio_find_container(t.fd, t.one, NULL)->n_groups, 0);
	assert_int_equal(vfio_find_container(t.fd, t.other, NULL)->n_groups, 1);
	end_two(&t);
}

static void refuse_move(const struct two *t, int errnum, const char *cause)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	assert_int_equal(D.attach(t->fd, t->left, t->other, NO_PASID, &err), -errnum);
	if (cause)
		assert_non_null(strstr(err->cause, cause));
	assert_null(err->next);
}

static void check_back(const struct two *t)
{
	assert_ptr_equal(t->left->group->container, vfio_find_container(t->fd, t->one, NULL));
	assert_true(D.device_fd_number(t->left) >= 0 && D.device_fd_number(t->right) >= 0);
	assert_int_equal(vfio_find_container(t->fd, t->one, NULL)->n_groups, 1);
	assert_int_equal(vfio_find_container(t->fd, t->other, NULL)->n_groups, 0);
}

/* Whatever fails on the way, the group is back with all that was mapped there. */
static void test_a_move_that_fails(void **state)
{
	struct two t = make_two();
	int one = container_fd(t.fd, t.one), other = container_fd(t.fd, t.other);

	(void)state;
	/* A program was handed one of its devices and still has it. */
	expect_unset_container(t.left);
	FAIL(EBUSY);
	expect_reopen(&t);
	refuse_move(&t, EBUSY, "a program that was handed the descriptor still has one");
	check_back(&t);

	expect_unset_container(t.left);
	expect_set_container(t.left, other);
	expect_type(other);
	FAIL(ENOMEM);
	expect_unset_container(t.left);
	expect_join(&t, t.one, 0x1000);
	expect_reopen(&t);
	refuse_move(&t, ENOMEM, "memory");
	check_back(&t);

	/* In it comes, but one of its devices doesn't open any more. */
	expect_unset_container(t.left);
	expect_join(&t, t.other, 0x2000);
	expect_open_device(t.right, RIGHT);
	expect_raw(VFIO_GRP_OPEN_DEVICE, LEFT, sizeof(LEFT));
	FAIL(EIO);
	expect_unset_container(t.left);
	expect_join(&t, t.one, 0x1000);
	expect_reopen(&t);
	refuse_move(&t, EIO, NULL);
	check_back(&t);
	assert_true(one >= 0);
	end_two(&t);
}

static void test_a_move_that_cannot_be_undone(void **state)
{
	struct two t = make_two();

	(void)state;
	expect_unset_container(t.left);
	expect_set_container(t.left, container_fd(t.fd, t.other));
	FAIL(ENOMEM);
	expect_set_container(t.left, container_fd(t.fd, t.one));
	FAIL(EIO);
	refuse_move(&t, ENOMEM, "IOMMU group 9 could not be put back where it was");
	assert_null(t.left->group->container);
	assert_int_equal(D.device_fd_number(t.left), -1);
	end_two(&t);
}

static void test_a_detach_that_fails(void **state)
{
	struct driver_fd *fd = open_fd();
	uint32_t id = alloc(fd);
	struct driver_device *dev = bind_device(fd, EDU, true);
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_process(&tree, 99, "dpdk", "/dev/vfio/2");
	attach_first(fd, dev, EDU, id);
	expect_unset_container(dev);
	FAIL(EBUSY);
	expect_open_device(dev, EDU);
	assert_int_equal(D.detach(fd, dev, NO_PASID, &err), -EBUSY);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->cause, "pid 99 (dpdk) still has one of its devices open");
	assert_non_null(strstr(err->hint, "end that program"));
	assert_true(D.device_fd_number(dev) >= 0);
	D.device_close(dev);
	D.close(fd);
}

static void test_what_it_lacks_has_a_reason(void **state)
{
	static const enum capability able[] = {
		CAP_DIRTY, CAP_ALLOW, CAP_AUTO_IOVA, CAP_BY_PROCESS, CAP_WRITE_ONLY, CAP_GROUP_TAKE,
		CAP_PCI,   CAP_MDEV,  CAP_PLATFORM,  CAP_SRIOV,	     CAP_VDPA,	     CAP_VQ_GROUP};
	size_t n = 0;

	(void)state;
	for (int cap = 0; cap < CAP_COUNT; cap++) {
		n += !D.missing[cap];
		if (D.missing[cap])
			assert_true(strlen(D.missing[cap]) > 10);
	}
	assert_int_equal(n, ARRAY_SIZE(able));
	for (size_t i = 0; i < ARRAY_SIZE(able); i++)
		assert_null(D.missing[able[i]]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_open_and_bind),
		TEST(test_what_cannot_be_opened),
		TEST(test_groups_that_cannot_be_had),
		TEST(test_a_group_that_is_held),
		TEST(test_attach_and_detach),
		TEST(test_mappings_outlive_the_last_group),
		TEST(test_closing_takes_the_group_out),
		TEST(test_the_wish_that_it_be_closed),
		TEST(test_groups_that_do_not_come_in),
		TEST(test_mappings_that_the_device_cannot_stand),
		TEST(test_a_second_group_with_reserved_addresses),
		TEST(test_too_many_mappings),
		TEST(test_memory_runs_out_on_the_way),
		TEST(test_a_group_that_moves),
		TEST(test_a_move_that_fails),
		TEST(test_a_move_that_cannot_be_undone),
		TEST(test_a_detach_that_fails),
		TEST(test_what_it_lacks_has_a_reason),
	};

	return cmocka_run_group_tests_name("vfio_group", tests, NULL, NULL);
}
