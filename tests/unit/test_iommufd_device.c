// SPDX-License-Identifier: GPL-2.0-or-later
/* The iommufd driver: devices. Each argument of each ioctl is compared, each refusal explained. */
#include "iommufd_fixture.h"

#include "support_facts.h"
#include <fcntl.h>

#define ADDRESS "0000:03:01.0"

static struct device spec = {
	.name = (char *)"nic0",
	.selector = SELECTOR_PCI,
	.address = (char *)ADDRESS,
};

static struct driver_device *open_device(void)
{
	struct driver_device *dev;

	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	return dev;
}

static void test_find(void **state)
{
	struct device_facts facts;

	(void)state;
	assert_int_equal(D.device_find(&env, &spec, &facts, NULL), 0);
	assert_false(facts.present);
	assert_int_equal(facts.group, NO_INDEX);
	tree_pci(&tree, ADDRESS, 8, NULL, NULL);
	tree_pci(&tree, "0000:03:02.0", 8, "e1000e", NULL);
	assert_int_equal(D.device_find(&env, &spec, &facts, NULL), 0);
	assert_true(facts.present);
	assert_int_equal(facts.group, 8);
	assert_null(facts.driver);
	assert_members(&facts, false, ADDRESS " (no driver), 0000:03:02.0 (e1000e)");
	assert_members(&facts, true, "0000:03:02.0 (e1000e)");
	device_facts_done(&facts);
}

static void test_find_of_other_buses(void **state)
{
	struct device mdev = {.name = (char *)"m",
			      .selector = SELECTOR_MDEV,
			      .address = (char *)"83b8f4f2-509f-382f-3c1e-e6bfe0fa1001"};
	struct device bad = {
		.name = (char *)"b", .selector = SELECTOR_PLATFORM, .address = (char *)"../etc"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct device_facts facts;

	(void)state;
	tree_dir(&tree, "/sys/bus/mdev/devices/%s", mdev.address);
	assert_int_equal(D.device_find(&env, &mdev, &facts, NULL), 0);
	assert_true(facts.present);
	assert_int_equal(facts.group, NO_INDEX);
	assert_int_equal(facts.members.n_members, 0);
	device_facts_done(&facts);
	assert_int_equal(D.device_find(&env, &bad, &facts, &err), -EINVAL);
	assert_int_equal(err->kind, ERROR_CONFIG);
}

static void test_open_of_what_is_not_for_vfio(void **state)
{
	struct driver_device *dev = NULL;

	(void)state;
	static const struct {
		const char *driver, *message, *hint;
		enum error_kind kind;
	} cases[] = {
		{NULL, "nic0 (" ADDRESS ") has no driver", "`driver: vfio-pci`", ERROR_UNAVAILABLE},
		{"e1000e", "nic0 (" ADDRESS ") belongs to the host's driver e1000e",
		 "`driver: vfio-pci`", ERROR_BUSY},
		{"vfio-pci", "nic0 (" ADDRESS ") has no VFIO device node", "Linux 6.6",
		 ERROR_UNAVAILABLE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		tree_pci(&tree, ADDRESS, 8, cases[i].driver, NULL);
		assert_int_equal(D.device_open(&env, &spec, &dev, &err), -ENODEV);
		assert_int_equal(err->kind, cases[i].kind);
		assert_string_equal(err->message, cases[i].message);
		assert_non_null(strstr(err->hint, cases[i].hint));
		assert_null(dev);
	}
}

static void test_open_without_a_node(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = NULL;

	(void)state;
	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	tree_unlink(&tree, "/dev/vfio/devices/vfio0");
	assert_int_equal(D.device_open(&env, &spec, &dev, &err), -ENOENT);
	assert_non_null(strstr(err->message, "/dev/vfio/devices/vfio0"));
	error_free(steal_pointer(err));
	spec.address = (char *)"0000:99:00.0";
	assert_int_equal(D.device_open(&env, &spec, &dev, &err), -ENODEV);
	spec.address = (char *)ADDRESS;
	assert_string_equal(err->message, "this machine has no pci device 0000:99:00.0");
}

static void expect_bind(struct driver_fd *fd, uint32_t id, int errnum)
{
	EXPECT(VFIO_DEV_BIND_IOMMUFD, vfio_dev_bind_iommufd, .argsz = 24,
	       .iommufd = D.fd_number(fd));
	if (errnum)
		FAIL(errnum);
	else
		ANSWER(vfio_dev_bind_iommufd, .argsz = 24, .iommufd = D.fd_number(fd),
		       .out_devid = id);
}

static void expect_attach(uint32_t flags, uint32_t pt, uint32_t pasid, uint32_t hwpt)
{
	EXPECT(VFIO_DEV_ATTACH_IOMMUFD_PT, vfio_dev_attach_iommufd_pt, .argsz = 16, .flags = flags,
	       .pt_id = pt, .pasid = pasid);
	ANSWER(vfio_dev_attach_iommufd_pt, .argsz = 16, .flags = flags, .pt_id = hwpt,
	       .pasid = pasid);
}

static void expect_detach(uint32_t flags, uint32_t pasid)
{
	EXPECT(VFIO_DEV_DETACH_IOMMUFD_PT, vfio_dev_detach_iommufd_pt, .argsz = 12, .flags = flags,
	       .pasid = pasid);
}

static void test_bind_attach_replace_detach(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev = open_device();
	uint32_t id = 0;

	(void)state;
	assert_true(D.device_fd_number(dev) >= 0);
	expect_bind(fd, 3, 0);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	assert_int_equal(id, 3);
	expect_attach(0, 7, 0, 20);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, NULL), 0);
	expect_attach(0, 9, 0, 21);
	assert_int_equal(D.attach(fd, dev, 9, NO_PASID, NULL), 0);
	expect_attach(1, 7, 5, 22);
	assert_int_equal(D.attach(fd, dev, 7, 5, NULL), 0);
	expect_detach(1, 5);
	assert_int_equal(D.detach(fd, dev, 5, NULL), 0);
	expect_detach(0, 0);
	assert_int_equal(D.detach(fd, dev, NO_PASID, NULL), 0);
	/* In either order of closing. */
	D.close(fd);
	D.device_close(dev);
	assert_non_null(strstr(trace_text, "VFIO_DEVICE_BIND_IOMMUFD"));
	assert_non_null(strstr(trace_text, "pt=7 flags=0x0 pasid=0 = 0 hwpt=20\n"));
	assert_non_null(strstr(trace_text, "close /dev/vfio/devices/vfio0"));
}

static void look_eventfd(void *args, void *copy)
{
	const uint64_t one = 1;
	struct vfio_dev_irq_set *a = args, *c = copy;

	/* Whatever it says is there to be read. */
	assert_int_equal(write(a->eventfd, &one, sizeof(one)), sizeof(one));
	c->eventfd = 0;
}

static void expect_request(int errnum)
{
	EXPECT(VFIO_DEV_SET_IRQS, vfio_dev_irq_set, .argsz = 24, .flags = 4 | 32, .index = 4,
	       .count = 1);
	LOOK(look_eventfd);
	FAIL(errnum);
}

static void test_request_to_close(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev = open_device();
	uint32_t id;
	int request;

	(void)state;
	assert_int_equal(D.device_request_fd(dev), -1); /* not bound yet */
	expect_bind(fd, 3, 0);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	expect_request(EINVAL);
	assert_int_equal(D.device_request_fd(dev), -1);
	expect_request(0);
	request = D.device_request_fd(dev);
	assert_true(request >= 0);
	assert_int_equal(D.device_request_fd(dev), request);
	assert_true(D.device_requested(dev));
	assert_false(D.device_requested(dev));
	D.device_close(dev);
	assert_int_equal(fcntl(request, F_GETFD), -1);
	D.close(fd);
	assert_non_null(strstr(trace_text, "VFIO_DEVICE_SET_IRQS"));
}

static void test_detach_that_fails(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev = open_device();

	(void)state;
	expect_detach(0, 0);
	FAIL(EINVAL);
	assert_int_equal(D.detach(fd, dev, NO_PASID, &err), -EINVAL);
	assert_string_equal(err->ioctl, "VFIO_DEVICE_DETACH_IOMMUFD_PT");
	D.device_close(dev);
	D.close(fd);
}

/* Binds, is refused with that number, and gives the error. */
static struct ioasidctl_error *refused_bind(int errnum)
{
	struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev;
	uint32_t id;

	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	expect_bind(fd, 0, errnum);
	assert_int_equal(D.device_bind(fd, dev, &id, &err), -errnum);
	assert_string_equal(err->ioctl, "VFIO_DEVICE_BIND_IOMMUFD");
	D.device_close(dev);
	D.close(fd);
	return err;
}

static void test_bind_with_a_member_in_the_way(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:03:02.0", 8, "e1000e", NULL);
	err = refused_bind(EPERM);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->cause, "its IOMMU group 8 has members that the host uses: "
					"0000:03:02.0 (e1000e)");
	assert_non_null(strstr(err->hint, "`driver: vfio-pci`"));
	assert_non_null(strstr(err->hint, "`group: take`"));
}

static void test_bind_of_what_others_hold(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL, *member = NULL, *legacy = NULL;

	(void)state;
	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	tree_pci(&tree, "0000:03:02.0", 8, "vfio-pci", "vfio1");
	tree_process(&tree, 4000000, "qemu\n", "/dev/vfio/devices/vfio0");
	err = refused_bind(EINVAL);
	assert_int_equal(err->kind, ERROR_BUSY);
	assert_string_equal(err->cause, "pid 4000000 (qemu) has it open");
	tree_unlink(&tree, "/proc/4000000/fd/7");
	tree_process(&tree, 4000001, "dpdk\n", "/dev/vfio/devices/vfio1");
	member = refused_bind(EPERM);
	assert_int_equal(member->kind, ERROR_BUSY);
	assert_string_equal(member->cause,
			    "pid 4000001 (dpdk) has its IOMMU group 8 or a device of it open");
	tree_unlink(&tree, "/proc/4000001/fd/7");
	tree_process(&tree, 4000002, "spdk\n", "/dev/vfio/8");
	legacy = refused_bind(EBUSY);
	assert_non_null(strstr(legacy->cause, "pid 4000002 (spdk)"));
}

static void test_bind_by_persons_unknown(void **state)
{
	static const struct {
		int errnum;
		const char *cause;
	} cases[] = {
		{EBUSY, "group 8 has another owner"},
		{EPERM, "group 8 has another owner"},
		{EINVAL, "bound already through another open file"},
		{EACCES, "a shared secret (vf_token)"},
	};

	(void)state;
	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	tree_file(&tree, "30: 0 0 IR-PCI-MSIX-0000:00:01.0 0-edge\n", "/proc/interrupts");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = refused_bind(cases[i].errnum);

		assert_non_null(strstr(err->cause, cases[i].cause));
		if (err->errnum == EPERM)
			assert_null(strstr(err->cause, "interrupts"));
	}
}

/* Neither is known: both are said. */
static void test_bind_where_proc_tells_nothing(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	err = refused_bind(EPERM);
	assert_non_null(strstr(err->cause, "another owner, which this process can't see; or the "
					   "platform doesn't isolate its interrupts"));
}

static void test_bind_without_interrupt_remapping(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL, *off = NULL;

	(void)state;
	tree_pci(&tree, ADDRESS, 8, "vfio-pci", "vfio0");
	tree_file(&tree, "30: 0 0 PCI-MSIX-0000:00:01.0 0-edge\n", "/proc/interrupts");
	tree_file(&tree, "root=/dev/sda1 quiet\n", "/proc/cmdline");
	err = refused_bind(EPERM);
	assert_string_equal(err->cause, "the platform doesn't isolate its interrupts (no interrupt "
					"remapping)");
	assert_non_null(strstr(err->hint, "iommufd.allow_unsafe_interrupts=1"));
	assert_non_null(strstr(err->hint, "any interrupt of the host"));
	tree_file(&tree, "root=/dev/sda1 intremap=off\n", "/proc/cmdline");
	off = refused_bind(EPERM);
	assert_non_null(strstr(off->cause, "the kernel was booted with intremap=off"));
	assert_non_null(strstr(off->hint, "boot without intremap=off"));
}

static void test_bind_without_an_iommu(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	tree_pci(&tree, ADDRESS, NO_INDEX, "vfio-pci", "vfio0");
	err = refused_bind(ENODEV);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_string_equal(err->cause, "it is in no IOMMU group: no IOMMU translates for it");
}

static void expect_refused_attach(int errnum)
{
	EXPECT(VFIO_DEV_ATTACH_IOMMUFD_PT, vfio_dev_attach_iommufd_pt, .argsz = 16, .pt_id = 7);
	FAIL(errnum);
}

static void expect_page_probe(uint64_t iova, int errnum)
{
	EXPECT(IOMMUFD_IOAS_COPY, iommufd_ioas_copy, .size = 40, .flags = 5, .dst_ioas_id = 7,
	       .src_ioas_id = 7, .length = (uint64_t)sysconf(_SC_PAGESIZE), .dst_iova = iova,
	       .src_iova = iova);
	FAIL(errnum);
}

static void test_attach_into_reserved_addresses(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev = open_device();
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char regions[160];

	(void)state;
	snprintf(
		regions, sizeof(regions),
		"0xa0000 0xbffff direct-relaxable\n0xc0000 0x%llx reserved\n0xfee00000 0x%llx msi\n",
		0xc0000ULL + 2 * page - 1, 0xfee00000ULL + 16 * page - 1);
	tree_file(&tree, regions, "/sys/kernel/iommu_groups/8/reserved_regions");
	expect_refused_attach(EADDRINUSE);
	expect_page_probe(0xc0000, ENOENT);
	expect_page_probe(0xc0000 + page, ENOENT);
	expect_page_probe(0xfee00000, ENOENT);
	expect_page_probe(0xfee00000 + page, EEXIST);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, &err), -EADDRINUSE);
	assert_non_null(strstr(err->cause, "the device needs 0xfee00000-0xfee"));
	assert_non_null(strstr(err->cause, "(msi) for itself, and something is mapped there"));
	error_free(steal_pointer(err));

	tree_file(&tree, "0xfee00000 0xfee00fff msi\n",
		  "/sys/kernel/iommu_groups/8/reserved_regions");
	expect_refused_attach(EADDRINUSE);
	expect_page_probe(0xfee00000, ENOENT);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, &err), -EADDRINUSE);
	assert_non_null(strstr(err->cause, "what it reserves: 0xfee00000-0xfee00fff (msi)"));
	D.device_close(dev);
	D.close(fd);
}

static void test_attach_of_a_group_to_two_ioasids(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct device second = {.name = (char *)"nic1",
				.selector = SELECTOR_PCI,
				.address = (char *)"0000:03:02.0"};
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev = open_device(), *other;
	uint32_t id;

	(void)state;
	tree_pci(&tree, second.address, 8, "vfio-pci", "vfio1");
	assert_int_equal(D.device_open(&env, &second, &other, NULL), 0);
	expect_bind(fd, 1, 0);
	assert_int_equal(D.device_bind(fd, other, &id, NULL), 0);
	expect_bind(fd, 2, 0);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	expect_attach(0, 9, 0, 20);
	assert_int_equal(D.attach(fd, other, 9, NO_PASID, NULL), 0);
	expect_refused_attach(EINVAL);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, &err), -EINVAL);
	assert_string_equal(err->cause,
			    "nic1 (0000:03:02.0) of the same IOMMU group 8 is in another IOASID");
	error_free(steal_pointer(err));
	/* Once the other has gone, that isn't the reason any more. */
	D.device_close(other);
	expect_refused_attach(EINVAL);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "can't use this IOASID's page tables"));
	D.device_close(dev);
	D.close(fd);
}

static void look_info(void *args, void *copy)
{
	struct iommufd_hw_info *a = args, *c = copy;
	const struct iommufd_hw_info_vtd vtd = {.cap_reg = 0xd2008c22260286, .ecap_reg = 0xf00f4e};

	if (a->data_len >= sizeof(vtd))
		memcpy((void *)(uintptr_t)a->data_uptr, &vtd, sizeof(vtd));
	c->data_uptr = 0;
}

static void expect_info(uint32_t room, uint32_t length)
{
	EXPECT(IOMMUFD_GET_HW_INFO, iommufd_hw_info, .size = 40, .dev_id = 3, .data_len = room);
	LOOK(look_info);
	ANSWER(iommufd_hw_info, .size = 40, .dev_id = 3, .data_len = length, .data_type = 1,
	       .out_max_pasid_log2 = 20, .out_capabilities = 1);
}

static void test_info_and_probe(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev = open_device();
	struct device_info info;
	uint32_t id;

	(void)state;
	expect_bind(fd, 3, 0);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	expect_info(256, 24);
	assert_int_equal(D.device_info(fd, dev, &info, NULL), 0);
	assert_string_equal(info.type, "vt-d");
	assert_int_equal(info.iova_bits, 39);
	assert_int_equal(info.pasid_bits, 20);
	assert_true(info.dirty_tracking);
	/* A kernel that has more than there was room for. */
	expect_info(256, 0xffffffff);
	assert_int_equal(D.device_info(fd, dev, &info, NULL), 0);
	assert_int_equal(info.iova_bits, 39);
	expect_info(256, 24);
	FAIL(ENOENT);
	assert_int_equal(D.device_info(fd, dev, &info, &err), -ENOENT);
	assert_string_equal(err->ioctl, "IOMMU_GET_HW_INFO");
	expect_info(0, 24);
	assert_int_equal(D.device_probe(fd, dev), 0);
	expect_info(0, 24);
	FAIL(ENOENT);
	assert_int_equal(D.device_probe(fd, dev), -ENOENT);
	D.device_close(dev);
	D.close(fd);
}

/* As the kernel's no-IOMMU mode has it. */
static void test_device_without_an_iommu(void **state)
{
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev;
	struct device_info info;
	uint32_t id;

	(void)state;
	tree_pci(&tree, ADDRESS, 0, "vfio-pci", "noiommu-vfio0");
	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	expect_bind(fd, 3, 0);
	assert_int_equal(D.device_bind(fd, dev, &id, NULL), 0);
	expect_info(256, 0);
	FAIL(EOPNOTSUPP);
	assert_int_equal(D.device_info(fd, dev, &info, NULL), 0);
	assert_string_equal(info.type, "none");
	expect_info(0, 0);
	FAIL(EOPNOTSUPP);
	assert_int_equal(D.device_probe(fd, dev), 0);
	D.device_close(dev);
	D.close(fd);
}

static void test_mediated_device_has_no_iommu_of_its_own(void **state)
{
	struct device mdev = {
		.name = (char *)"m", .selector = SELECTOR_MDEV, .address = (char *)"uuid"};
	struct driver_fd *fd = open_fd(true);
	struct driver_device *dev;
	struct device_info info;

	(void)state;
	tree_dir(&tree, "/sys/bus/mdev/devices/uuid/vfio-dev/vfio5");
	tree_link(&tree, "/dev/null", "/dev/vfio/devices/vfio5");
	assert_int_equal(D.device_open(&env, &mdev, &dev, NULL), 0);
	assert_int_equal(D.device_info(fd, dev, &info, NULL), 0);
	assert_string_equal(info.type, "none");
	EXPECT(VFIO_DEV_GET_INFO, vfio_dev_info, .argsz = 24);
	assert_int_equal(D.device_probe(fd, dev), 0);
	D.device_close(dev);
	D.close(fd);
}

static void test_it_lacks_nothing(void **state)
{
	(void)state;
	for (int cap = 0; cap < CAP_COUNT; cap++)
		if (cap != CAP_ENFORCE_SNOOP) /* nothing that could be asked for */
			assert_null(D.missing[cap]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_find),
		TEST(test_find_of_other_buses),
		TEST(test_open_of_what_is_not_for_vfio),
		TEST(test_open_without_a_node),
		TEST(test_bind_attach_replace_detach),
		TEST(test_request_to_close),
		TEST(test_detach_that_fails),
		TEST(test_bind_with_a_member_in_the_way),
		TEST(test_bind_of_what_others_hold),
		TEST(test_bind_by_persons_unknown),
		TEST(test_bind_where_proc_tells_nothing),
		TEST(test_bind_without_interrupt_remapping),
		TEST(test_bind_without_an_iommu),
		TEST(test_attach_into_reserved_addresses),
		TEST(test_attach_of_a_group_to_two_ioasids),
		TEST(test_info_and_probe),
		TEST(test_device_without_an_iommu),
		TEST(test_mediated_device_has_no_iommu_of_its_own),
		TEST(test_it_lacks_nothing),
	};

	return cmocka_run_group_tests_name("iommufd-device", tests, NULL, NULL);
}
