// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The iommufd driver: the HWPTs it makes for IOASIDs with flags, nested ones, PASIDs, dirty pages.
 * Each argument of each ioctl is compared.
 */
#include "iommufd_objects.h"

static void expect_detach(void)
{
	EXPECT(VFIO_DEV_DETACH_IOMMUFD_PT, vfio_dev_detach_iommufd_pt, .argsz = 12);
}

static void attach(struct driver_device *dev, uint32_t ioasid, uint32_t pasid)
{
	assert_int_equal(D.attach(fd, dev, ioasid, pasid, NULL), 0);
}

static uint32_t domains(uint32_t ioasid)
{
	struct ioasid_info info;
	uint32_t n;

	expect_ranges(16, 1, 4096);
	assert_int_equal(D.ioasid_info(fd, ioasid, &info, NULL), 0);
	assert_true(info.counted);
	n = info.domains;
	ioasid_info_done(&info);
	return n;
}

static void test_flags(void **state)
{
	static const struct {
		uint32_t ioasid, hwpt;
	} flags[] = {
		{IOASID_FLAG_NEST_PARENT, 1},
		{IOASID_FLAG_DIRTY, 2},
		{IOASID_FLAG_PASID, 8},
		{IOASID_FLAG_NEST_PARENT | IOASID_FLAG_DIRTY | IOASID_FLAG_PASID, 11},
	};
	struct driver_device *dev = device(3, 8);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		gpa(7, flags[i].ioasid);
		expect_hwpt(flags[i].hwpt, 3, 7, 20);
		expect_attach(20, NO_PASID, 20);
		attach(dev, 7, NO_PASID);
		expect_detach();
		expect_destroy(20);
		assert_int_equal(D.detach(fd, dev, NO_PASID, NULL), 0);
		expect_destroy(7);
		assert_int_equal(D.ioasid_free(fd, 7, NULL), 0);
	}
	D.device_close(dev);
}

static void test_second_device_on_the_first_ones_table(void **state)
{
	struct driver_device *a = device(3, 8), *b = device(4, 9), *c = device(5, 10);

	(void)state;
	gpa(7, IOASID_FLAG_DIRTY);
	expect_hwpt(2, 3, 7, 20);
	expect_attach(20, NO_PASID, 20);
	attach(a, 7, NO_PASID);
	/* One that doesn't fit gets a table of its own; what was made last is tried first. */
	expect_refused_attach(20, EINVAL);
	expect_hwpt(2, 4, 7, 21);
	expect_attach(21, NO_PASID, 21);
	attach(b, 7, NO_PASID);
	expect_refused_attach(21, EINVAL);
	expect_attach(20, NO_PASID, 20);
	attach(c, 7, NO_PASID);
	assert_int_equal(domains(7), 2);
	/* The table stays as long as one of them does. */
	D.device_close(a);
	expect_destroy(20);
	D.device_close(c);
	assert_int_equal(domains(7), 1);
	expect_destroy(21);
	D.device_close(b);
}

static void test_attach_that_fails_takes_the_table_along(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, NO_INDEX);

	(void)state;
	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_hwpt(1, 3, 7, 20);
	expect_refused_attach(20, EBUSY);
	expect_destroy(20);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, &err), -EBUSY);
	assert_string_equal(err->ioctl, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
	/* Busy with a table is no reason to make another one. */
	expect_hwpt(1, 3, 7, 20);
	expect_attach(20, NO_PASID, 20);
	attach(dev, 7, NO_PASID);
	expect_refused_attach(20, EBUSY);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, NULL), -EBUSY);
	expect_destroy(20);
	D.device_close(dev);
}

static void test_what_the_hardware_lacks(void **state)
{
	static const struct {
		uint32_t ioasid, hwpt;
		const char *cause, *hint;
	} cases[] = {
		{IOASID_FLAG_NEST_PARENT, 1, "the IOMMU of nic (0000:03:03.0) (vt-d) can't nest",
		 "leave nest_parent out"},
		{IOASID_FLAG_DIRTY, 2, "(vt-d) can't track dirty pages",
		 "leave dirty_tracking out"},
		{IOASID_FLAG_PASID, 8, "(vt-d) can't take PASIDs", "leave pasid out"},
	};
	struct driver_device *dev = device(3, 8);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_error_ struct ioasidctl_error *err = NULL;

		gpa(7 + (uint32_t)i, cases[i].ioasid);
		EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .flags = cases[i].hwpt,
		       .dev_id = 3, .pt_id = 7 + (uint32_t)i);
		FAIL(EOPNOTSUPP);
		expect_info(1, 0);
		assert_int_equal(D.attach(fd, dev, 7 + (uint32_t)i, NO_PASID, &err), -EOPNOTSUPP);
		assert_int_equal(err->kind, ERROR_REFUSED);
		assert_string_equal(err->ioctl, "IOMMU_HWPT_ALLOC");
		assert_non_null(strstr(err->message, "page table of gpa for the IOMMU of nic"));
		assert_non_null(strstr(err->cause, cases[i].cause));
		assert_non_null(strstr(err->hint, cases[i].hint));
	}
	D.device_close(dev);
}

/* It is in the IOAS itself: no IOMMU translates for it, whatever the flags. */
static void test_mediated_device_needs_no_table(void **state)
{
	struct device spec = {
		.name = (char *)"m", .selector = SELECTOR_MDEV, .address = (char *)"uuid"};
	struct driver_device *dev;

	(void)state;
	tree_dir(&tree, "/sys/bus/mdev/devices/uuid/vfio-dev/vfio9");
	tree_link(&tree, "/dev/null", "/dev/vfio/devices/vfio9");
	assert_int_equal(D.device_open(&env, &spec, &dev, NULL), 0);
	gpa(7, IOASID_FLAG_DIRTY);
	expect_attach(7, NO_PASID, 7);
	attach(dev, 7, NO_PASID);
	D.device_close(dev);
}

static void test_old_kernel(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);

	(void)state;
	gpa(7, IOASID_FLAG_DIRTY);
	expect_hwpt(2, 3, 7, 0);
	FAIL(E2BIG);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, &err), -E2BIG);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_non_null(strstr(err->cause, "not all that is asked of it"));
	D.device_close(dev);
}

static void test_group_moves_together(void **state)
{
	struct driver_device *a = device(3, 8), *b = device(4, 8);

	(void)state;
	gpa(7, IOASID_FLAG_DIRTY);
	gpa(8, IOASID_FLAG_DIRTY);
	expect_hwpt(2, 3, 7, 20);
	expect_attach(20, NO_PASID, 20);
	attach(a, 7, NO_PASID);
	expect_attach(20, NO_PASID, 20);
	attach(b, 7, NO_PASID);
	/* Moving one has moved the other; nobody is left in the first table. */
	expect_hwpt(2, 3, 8, 21);
	expect_attach(21, NO_PASID, 21);
	expect_destroy(20);
	attach(a, 8, NO_PASID);
	expect_attach(21, NO_PASID, 21);
	attach(b, 8, NO_PASID);
	D.device_close(a);
	expect_destroy(21);
	D.device_close(b);
}

static void look_vtd_s1(void *args, void *copy)
{
	const struct iommufd_hwpt_alloc *a = args;
	struct iommufd_hwpt_alloc *c = copy;
	const struct iommufd_hwpt_vtd_s1 wanted = {.pgtbl_addr = 0x123000, .addr_width = 48};

	assert_memory_equal((void *)(uintptr_t)a->data_uptr, &wanted, sizeof(wanted));
	c->data_uptr = 0;
}

static void look_ste(void *args, void *copy)
{
	const struct iommufd_hwpt_alloc *a = args;
	struct iommufd_hwpt_alloc *c = copy;
	const unsigned char wanted[] = {8, 7, 6, 5, 4, 3, 2, 1, 0xb, 0, 0, 0, 0, 0, 0, 0};

	assert_memory_equal((void *)(uintptr_t)a->data_uptr, wanted, sizeof(wanted));
	c->data_uptr = 0;
}

static void look_dte(void *args, void *copy)
{
	const struct iommufd_hwpt_alloc *a = args;
	struct iommufd_hwpt_alloc *c = copy;
	const uint64_t wanted[] = {1, 2, 3, 4};

	assert_memory_equal((void *)(uintptr_t)a->data_uptr, wanted, sizeof(wanted));
	c->data_uptr = 0;
}

static void look_mock(void *args, void *copy)
{
	const struct iommufd_hwpt_alloc *a = args;
	struct iommufd_hwpt_alloc *c = copy;
	const uint32_t wanted[] = {0xabcd, 0};

	assert_memory_equal((void *)(uintptr_t)a->data_uptr, wanted, sizeof(wanted));
	c->data_uptr = 0;
}

static const struct format {
	struct table table;
	uint32_t type, length;
	void (*look)(void *args, void *copy);
} formats[] = {
	{{.format = TABLE_VTD_S1, .address = 0x123000}, 1, 24, look_vtd_s1},
	{{.format = TABLE_ARM_SMMUV3, .words = {0x0102030405060708, 0xb}, .n_words = 2},
	 2,
	 16,
	 look_ste},
	{{.format = TABLE_AMD_GUEST, .words = {1, 2, 3, 4}, .n_words = 4}, 3, 32, look_dte},
	{{.format = TABLE_MOCK, .words = {0xabcd}, .n_words = 1}, 0xdead, 8, look_mock},
};

static void expect_nested(const struct format *f, uint32_t flags, uint32_t pt, uint32_t fault)
{
	EXPECT(IOMMUFD_HWPT_ALLOC, iommufd_hwpt_alloc, .size = 48, .flags = flags, .dev_id = 3,
	       .pt_id = pt, .data_type = f->type, .data_len = f->length, .fault_id = fault);
	LOOK(f->look);
}

static void answer_nested(uint32_t id)
{
	ANSWER(iommufd_hwpt_alloc, .size = 48, .out_hwpt_id = id);
}

static int alloc_nested(const struct format *f, uint32_t flags, struct nesting on, uint32_t *id,
			struct ioasidctl_error **err)
{
	struct ioasid spec;

	ioasid_init(&spec);
	spec.name = (char *)"s1";
	spec.kind = IOASID_NESTED;
	spec.flags = flags;
	spec.table = f->table;
	return D.ioasid_alloc(fd, &spec, &on, id, err);
}

static void test_table_formats(void **state)
{
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	gpa(7, IOASID_FLAG_NEST_PARENT);
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		expect_hwpt(1, 3, 7, 20);
		expect_nested(&formats[i], 0, 20, 0);
		answer_nested(30);
		assert_int_equal(
			alloc_nested(&formats[i], 0, (struct nesting){7, NO_INDEX, dev}, &id, NULL),
			0);
		assert_int_equal(id, 30);
		expect_destroy(30);
		expect_destroy(20);
		assert_int_equal(D.ioasid_free(fd, 30, NULL), 0);
	}
	D.device_close(dev);
}

static void test_nested_on_the_table_the_device_is_in(void **state)
{
	struct driver_device *a = device(3, 8), *b = device(4, 9);
	uint32_t id;

	(void)state;
	gpa(7, IOASID_FLAG_NEST_PARENT | IOASID_FLAG_PASID);
	expect_hwpt(9, 3, 7, 20);
	expect_attach(20, NO_PASID, 20);
	attach(a, 7, NO_PASID);
	expect_refused_attach(20, EINVAL);
	expect_hwpt(9, 4, 7, 21);
	expect_attach(21, NO_PASID, 21);
	attach(b, 7, NO_PASID);
	expect_nested(&formats[0], 8, 20, 0);
	answer_nested(30);
	assert_int_equal(alloc_nested(&formats[0], IOASID_FLAG_PASID,
				      (struct nesting){7, NO_INDEX, a}, &id, NULL),
			 0);
	/* It moves onto the child, which keeps its parent's table. */
	expect_attach(30, NO_PASID, 30);
	attach(a, 30, NO_PASID);
	assert_int_equal(domains(7), 2);
	expect_attach(30, 5, 30);
	attach(a, 30, 5);
	EXPECT(VFIO_DEV_DETACH_IOMMUFD_PT, vfio_dev_detach_iommufd_pt, .argsz = 12, .flags = 1,
	       .pasid = 5);
	assert_int_equal(D.detach(fd, a, 5, NULL), 0);
	D.device_close(a);
	expect_destroy(21);
	D.device_close(b);
	EXPECT(IOMMUFD_HWPT_INVALIDATE, iommufd_hwpt_invalidate, .size = 32, .hwpt_id = 30);
	FAIL(EINVAL);
	assert_int_equal(D.ioasid_probe(fd, 30), 0);
	expect_destroy(30);
	expect_destroy(20);
	assert_int_equal(D.ioasid_free(fd, 30, NULL), 0);
	EXPECT(IOMMUFD_HWPT_INVALIDATE, iommufd_hwpt_invalidate, .size = 32, .hwpt_id = 30);
	FAIL(ENOENT);
	assert_int_equal(D.viommu_probe(fd, 30), -ENOENT);
}

static void test_nesting_refused(void **state)
{
	static const struct format unknown = {.table = {.format = TABLE_X86_64}};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	gpa(6, 0);
	gpa(7, IOASID_FLAG_NEST_PARENT);
	/* Before any ioctl. */
	assert_int_equal(
		alloc_nested(&formats[0], 0, (struct nesting){6, NO_INDEX, dev}, &id, &err),
		-EINVAL);
	assert_string_equal(err->message, "s1 can't be put on gpa");
	assert_non_null(strstr(err->hint, "nest_parent: true"));
	error_free(steal_pointer(err));
	assert_int_equal(alloc_nested(&unknown, 0, (struct nesting){7, NO_INDEX, dev}, &id, &err),
			 -EOPNOTSUPP);
	assert_string_equal(err->message, "s1: Linux has no tables of format x86-64");
	error_free(steal_pointer(err));
	/* Known to the kernel alone. */
	expect_hwpt(1, 3, 7, 20);
	expect_nested(&formats[1], 0, 20, 0);
	FAIL(EOPNOTSUPP);
	expect_info(1, 0);
	expect_destroy(20);
	assert_int_equal(
		alloc_nested(&formats[1], 0, (struct nesting){7, NO_INDEX, dev}, &id, &err),
		-EOPNOTSUPP);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_string_equal(err->message,
			    "can't put s1 on gpa for nic (0000:03:03.0): Operation not supported");
	assert_string_equal(err->cause, "the IOMMU of nic (0000:03:03.0) is vt-d, which takes no "
					"tables of format arm-smmuv3");
	assert_string_equal(err->hint, "its format is vtd-s1");
	error_free(steal_pointer(err));
	expect_hwpt(1, 3, 7, 20);
	expect_nested(&formats[0], 0, 20, 0);
	FAIL(EOPNOTSUPP);
	expect_info(1, 0);
	expect_destroy(20);
	assert_int_equal(
		alloc_nested(&formats[0], 0, (struct nesting){7, NO_INDEX, dev}, &id, &err),
		-EOPNOTSUPP);
	assert_non_null(strstr(err->cause, "(vt-d) can't nest"));
	D.device_close(dev);
}

static void test_pasids_refused(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);

	(void)state;
	gpa(6, 0);
	gpa(7, IOASID_FLAG_PASID);
	assert_int_equal(D.attach(fd, dev, 6, 5, &err), -EINVAL);
	assert_string_equal(err->message, "can't attach nic (0000:03:03.0) to gpa");
	assert_string_equal(err->cause, "the IOASID lacks pasid: true");
	error_free(steal_pointer(err));
	expect_attach(6, NO_PASID, 19);
	attach(dev, 6, NO_PASID);
	assert_int_equal(D.attach(fd, dev, 7, 5, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "the whole device is in lacks pasid: true"));
	error_free(steal_pointer(err));
	expect_detach();
	assert_int_equal(D.detach(fd, dev, NO_PASID, NULL), 0);
	expect_hwpt(8, 3, 7, 20);
	expect_attach(20, 5, 20);
	attach(dev, 7, 5);
	assert_int_equal(D.attach(fd, dev, 6, NO_PASID, &err), -EINVAL);
	assert_non_null(strstr(err->cause, "PASIDs of the device are attached"));
	error_free(steal_pointer(err));

	EXPECT(VFIO_DEV_ATTACH_IOMMUFD_PT, vfio_dev_attach_iommufd_pt, .argsz = 16, .flags = 1,
	       .pt_id = 20, .pasid = 64);
	FAIL(EINVAL);
	expect_hwpt(8, 3, 7, 21);
	EXPECT(VFIO_DEV_ATTACH_IOMMUFD_PT, vfio_dev_attach_iommufd_pt, .argsz = 16, .flags = 1,
	       .pt_id = 21, .pasid = 64);
	FAIL(EINVAL);
	expect_info(1, 6);
	expect_destroy(21);
	assert_int_equal(D.attach(fd, dev, 7, 64, &err), -EINVAL);
	assert_non_null(strstr(err->message, "can't attach PASID 64 of nic"));
	assert_string_equal(err->cause, "the device and its IOMMU have PASIDs of 6 bits, up to 63");
	expect_destroy(20);
	D.device_close(dev);
}

static void expect_tracking(uint32_t hwpt, bool on)
{
	EXPECT(IOMMUFD_HWPT_SET_DIRTY_TRACKING, iommufd_hwpt_set_dirty_tracking, .size = 16,
	       .flags = on, .hwpt_id = hwpt);
}

static uint64_t set_bits;

static void look_bitmap(void *args, void *copy)
{
	struct iommufd_hwpt_get_dirty_bitmap *a = args, *c = copy;

	*(uint64_t *)(uintptr_t)a->data |= set_bits;
	set_bits <<= 1;
	c->data = 0;
}

static void expect_bitmap(uint32_t hwpt, uint32_t flags)
{
	EXPECT(IOMMUFD_HWPT_GET_DIRTY_BITMAP, iommufd_hwpt_get_dirty_bitmap, .size = 48,
	       .hwpt_id = hwpt, .flags = flags, .iova = 0x10000, .length = 0x40000,
	       .page_size = 4096);
	LOOK(look_bitmap);
}

static void test_dirty_pages_of_two_tables(void **state)
{
	const struct range range = {0x10000, 0x4ffff};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *a = device(3, 8), *b = device(4, 9);
	uint64_t bitmap = 0x80;

	(void)state;
	gpa(7, IOASID_FLAG_DIRTY);
	expect_hwpt(2, 3, 7, 20);
	expect_attach(20, NO_PASID, 20);
	attach(a, 7, NO_PASID);
	expect_tracking(20, true);
	assert_int_equal(D.dirty_set(fd, 7, true, NULL), 0);
	/* A table made now is tracked from the start. */
	expect_refused_attach(20, EINVAL);
	expect_hwpt(2, 4, 7, 21);
	expect_tracking(21, true);
	expect_attach(21, NO_PASID, 21);
	attach(b, 7, NO_PASID);
	set_bits = 1;
	expect_bitmap(21, 1);
	expect_bitmap(20, 1);
	assert_int_equal(D.dirty_read(fd, 7, &range, 4096, true, &bitmap, NULL), 0);
	assert_int_equal(bitmap, 0x83);
	expect_bitmap(21, 0);
	FAIL(EINVAL);
	assert_int_equal(D.dirty_read(fd, 7, &range, 4096, false, &bitmap, &err), -EINVAL);
	assert_non_null(strstr(err->message, "dirty pages of gpa in 0x10000-0x4ffff"));
	error_free(steal_pointer(err));
	/* What a device that leaves has written can still be read. */
	D.device_close(b);
	expect_tracking(21, false);
	expect_tracking(20, false);
	FAIL(EINVAL);
	expect_tracking(21, true);
	assert_int_equal(D.dirty_set(fd, 7, false, &err), -EINVAL);
	assert_non_null(strstr(err->message, "can't stop tracking dirty pages of gpa"));
	expect_tracking(21, false);
	expect_tracking(20, false);
	expect_destroy(21);
	assert_int_equal(D.dirty_set(fd, 7, false, NULL), 0);
	assert_int_equal(domains(7), 1);
	expect_destroy(20);
	D.device_close(a);
}

static void test_tracking_refused(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint64_t bitmap;

	(void)state;
	gpa(6, 0);
	assert_int_equal(D.dirty_set(fd, 6, true, &err), -EOPNOTSUPP);
	assert_string_equal(err->cause, "it lacks dirty_tracking: true");
	error_free(steal_pointer(err));
	assert_int_equal(D.dirty_read(fd, 99, &(struct range){0, 4095}, 4096, false, &bitmap, &err),
			 -EOPNOTSUPP);
	gpa(7, IOASID_FLAG_DIRTY);
	assert_int_equal(D.dirty_set(fd, 7, true, NULL), 0);
	expect_hwpt(2, 3, 7, 20);
	expect_tracking(20, true);
	FAIL(EOPNOTSUPP);
	expect_destroy(20);
	assert_int_equal(D.attach(fd, dev, 7, NO_PASID, NULL), -EOPNOTSUPP);
	assert_int_equal(D.dirty_read(fd, 7, &(struct range){5, 4}, 4096, false, &bitmap, NULL),
			 -EINVAL);
	D.device_close(dev);
}

static void test_free_says_what_is_on_it(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	struct driver_device *dev = device(3, 8);
	uint32_t id;

	(void)state;
	gpa(7, IOASID_FLAG_NEST_PARENT);
	expect_hwpt(1, 3, 7, 20);
	expect_attach(20, NO_PASID, 20);
	attach(dev, 7, NO_PASID);
	expect_destroy(7);
	FAIL(EBUSY);
	assert_int_equal(D.ioasid_free(fd, 7, &err), -EBUSY);
	assert_string_equal(err->cause, "nic (0000:03:03.0) is attached to it");
	error_free(steal_pointer(err));
	expect_nested(&formats[0], 0, 20, 0);
	answer_nested(30);
	assert_int_equal(
		alloc_nested(&formats[0], 0, (struct nesting){7, NO_INDEX, dev}, &id, NULL), 0);
	D.device_close(dev);
	expect_destroy(7);
	FAIL(EBUSY);
	assert_int_equal(D.ioasid_free(fd, 7, &err), -EBUSY);
	assert_string_equal(err->cause, "the nested IOASID s1 is on it");
	/* Busy by another process's use of the same file: tried again when the IOASID goes. */
	expect_destroy(30);
	expect_destroy(20);
	FAIL(EBUSY);
	assert_int_equal(D.ioasid_free(fd, 30, NULL), 0);
	expect_destroy(20);
	expect_destroy(7);
	assert_int_equal(D.ioasid_free(fd, 7, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_one, close_one)
	const struct CMUnitTest tests[] = {
		TEST(test_flags),
		TEST(test_second_device_on_the_first_ones_table),
		TEST(test_attach_that_fails_takes_the_table_along),
		TEST(test_what_the_hardware_lacks),
		TEST(test_mediated_device_needs_no_table),
		TEST(test_old_kernel),
		TEST(test_group_moves_together),
		TEST(test_table_formats),
		TEST(test_nested_on_the_table_the_device_is_in),
		TEST(test_nesting_refused),
		TEST(test_pasids_refused),
		TEST(test_dirty_pages_of_two_tables),
		TEST(test_tracking_refused),
		TEST(test_free_says_what_is_on_it),
	};

	return cmocka_run_group_tests_name("iommufd-hwpt", tests, NULL, NULL);
}
