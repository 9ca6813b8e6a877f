// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio driver: dirty pages. */
#include "vfio_fixture.h"

#define PAGE 0x1000UL

static struct driver_fd *fd;
static struct driver_device *dev;
static uint32_t id;
static int container;

static int dirty_setup(void **state)
{
	setup(state);
	fd = open_fd();
	id = alloc(fd);
	dev = bind_device(fd, EDU, true);
	container = container_fd(fd, id);
	return 0;
}

static int dirty_teardown(void **state)
{
	D.device_close(dev);
	D.close(fd);
	return teardown(state);
}

/* START and STOP are eight bytes; what follows isn't theirs. */
static void expect_track(uint32_t flags)
{
	const struct vfio_t1_dirty args = {.argsz = 8, .flags = flags};

	expect_raw(VFIO_T1_DIRTY, &args, 8);
	ON(container);
}

static uint64_t answer[4];

static void look_bitmap(void *args, void *copy)
{
	struct vfio_t1_dirty *a = args, *c = copy;

	assert_in_range(a->bitmap.size, 8, sizeof(answer));
	memcpy((void *)(uintptr_t)a->bitmap.data, answer, a->bitmap.size);
	c->bitmap.data = 0;
}

static void expect_get(uint64_t iova, uint64_t size, uint64_t bytes)
{
	EXPECT(VFIO_T1_DIRTY, vfio_t1_dirty, .argsz = 48, .flags = VFIO_T1_DIRTY_GET, .iova = iova,
	       .size = size, .bitmap = {.pgsize = PAGE, .size = bytes});
	ON(container);
	LOOK(look_bitmap);
}

static void map_live(uint64_t iova, uint64_t length)
{
	expect_map(container, iova, length, (char *)VA + iova, 3);
	assert_int_equal(map(fd, id, iova, length, NULL), 0);
}

static void test_on_and_off(void **state)
{
	(void)state;
	/* Before there is a device it's only remembered; then it begins after the mappings. */
	assert_int_equal(D.dirty_set(fd, id, true, NULL), 0);
	assert_int_equal(map(fd, id, 0x1000, PAGE, NULL), 0);
	expect_set_container(dev, container);
	expect_type(container);
	expect_info(container, look_usual);
	expect_map(container, 0x1000, PAGE, (char *)VA + 0x1000, 3);
	expect_track(VFIO_T1_DIRTY_START);
	expect_open_device(dev, EDU);
	assert_int_equal(D.attach(fd, dev, id, NO_PASID, NULL), 0);
	assert_int_equal(D.dirty_set(fd, id, true, NULL), 0);
	expect_track(VFIO_T1_DIRTY_STOP);
	assert_int_equal(D.dirty_set(fd, id, false, NULL), 0);
	assert_int_equal(D.dirty_set(fd, id, false, NULL), 0);
	expect_track(VFIO_T1_DIRTY_START);
	assert_int_equal(D.dirty_set(fd, id, true, NULL), 0);
	assert_int_equal(D.dirty_set(fd, 77, true, NULL), -ENOENT);
}

static void test_a_kernel_without(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	attach_first(fd, dev, EDU, id);
	expect_track(VFIO_T1_DIRTY_START);
	FAIL(ENOTTY);
	assert_int_equal(D.dirty_set(fd, id, true, &err), -ENOTTY);
	assert_int_equal(err->kind, ERROR_REFUSED);
	assert_non_null(strstr(err->hint, "Linux 5.8"));
}

static void start(void)
{
	attach_first(fd, dev, EDU, id);
	expect_track(VFIO_T1_DIRTY_START);
	assert_int_equal(D.dirty_set(fd, id, true, NULL), 0);
}

static int read_bits(uint64_t first, uint64_t last, uint64_t page, uint64_t *bits,
		     struct ioasidctl_error **err)
{
	const struct range range = {first, last};

	expect_info(container, look_usual);
	return D.dirty_read(fd, id, &range, page, false, bits, err);
}

/* A call for each mapping that the range touches, for the kernel cuts none. */
static void test_read(void **state)
{
	uint64_t bits[2] = {0};

	(void)state;
	start();
	map_live(0x10000, 70 * PAGE);
	map_live(0x100000, PAGE);
	map_live(0x200000, PAGE);
	answer[0] = 0x5;
	answer[1] = 0x21;
	expect_info(container, look_usual);
	expect_get(0x10000, 70 * PAGE, 16);
	expect_get(0x100000, PAGE, 8);
	assert_int_equal(D.dirty_read(fd, id, &(struct range){0x10000, 0x100fff}, PAGE, true,
				      (uint64_t[4]){0}, NULL),
			 0);

	/* Of the first mapping from its third page on. */
	expect_info(container, look_usual);
	expect_get(0x10000, 70 * PAGE, 16);
	assert_int_equal(
		D.dirty_read(fd, id, &(struct range){0x12000, 0x55fff}, PAGE, false, bits, NULL),
		0);
	assert_int_equal(bits[0], 1ULL << 0 | 1ULL << 62);
	assert_int_equal(bits[1], 1ULL << 3);
}

/* Larger pages, and bits that were set stay. */
static void test_read_in_larger_pages(void **state)
{
	uint64_t bits = 1ULL << 63;

	(void)state;
	start();
	map_live(0x10000, 8 * PAGE);
	answer[0] = 0x81;
	expect_info(container, look_usual);
	expect_get(0x10000, 8 * PAGE, 8);
	assert_int_equal(D.dirty_read(fd, id, &(struct range){0xe000, 0x1ffff}, 2 * PAGE, false,
				      &bits, NULL),
			 0);
	assert_int_equal(bits, 1ULL << 63 | 1ULL << 1 | 1ULL << 4);
}

static void test_refusals(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	uint64_t bits = 0;

	(void)state;
	assert_int_equal(D.dirty_read(fd, id, &(struct range){0, 0xfff}, PAGE, false, &bits, &err),
			 -EINVAL);
	assert_int_equal(err->kind, ERROR_REFUSED);
	error_free(steal_pointer(err));
	start();
	map_live(0x1000, PAGE);
	assert_int_equal(read_bits(0, 0xffff, 0x800, &bits, &err), -EINVAL);
	assert_non_null(strstr(err->message, "0x1000 bytes here"));
	error_free(steal_pointer(err));
	assert_int_equal(read_bits(0, 0xffff, 0x1800, &bits, NULL), -EINVAL);
	expect_info(container, look_usual);
	expect_get(0x1000, PAGE, 8);
	FAIL(EINVAL);
	assert_int_equal(D.dirty_read(fd, id, &(struct range){0, 0xffff}, PAGE, false, &bits, &err),
			 -EINVAL);
	assert_string_equal(err->ioctl, "VFIO_IOMMU_DIRTY_PAGES");
	assert_int_equal(bits, 0);
}

/* Without devices nothing is written. */
static void test_without_devices(void **state)
{
	uint64_t bits = 0;

	(void)state;
	assert_int_equal(D.dirty_set(fd, id, true, NULL), 0);
	assert_int_equal(map(fd, id, 0x1000, PAGE, NULL), 0);
	assert_int_equal(D.dirty_read(fd, id, &(struct range){0, 0xffff}, PAGE, false, &bits, NULL),
			 0);
	assert_int_equal(bits, 0);
}

/* What a mediated device wrote is told once and forgotten, for a mapping as a whole. */
static void test_mediated_devices(void **state)
{
	uint64_t bits = 0;

	(void)state;
	start();
	map_live(0x10000, 2 * PAGE);
	dev->selector = SELECTOR_MDEV;
	assert_int_equal(
		D.dirty_read(fd, id, &(struct range){0x10000, 0x11fff}, PAGE, true, &bits, NULL),
		-EOPNOTSUPP);
	assert_int_equal(read_bits(0x10000, 0x10fff, PAGE, &bits, NULL), -EOPNOTSUPP);
	answer[0] = 2;
	expect_info(container, look_usual);
	expect_get(0x10000, 2 * PAGE, 8);
	assert_int_equal(
		D.dirty_read(fd, id, &(struct range){0x10000, 0x11fff}, PAGE, false, &bits, NULL),
		0);
	assert_int_equal(bits, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, dirty_setup, dirty_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_on_and_off),
		TEST(test_a_kernel_without),
		TEST(test_read),
		TEST(test_read_in_larger_pages),
		TEST(test_refusals),
		TEST(test_without_devices),
		TEST(test_mediated_devices),
	};

	return cmocka_run_group_tests_name("vfio_dirty", tests, NULL, NULL);
}
