// SPDX-License-Identifier: GPL-2.0-or-later
/* The vfio driver: what a container says of itself, and what isn't believed. */
#include "vfio_fixture.h"

static struct driver_fd *fd;
static struct vfio_container *container;
static struct vfio_info info;

static int info_setup(void **state)
{
	setup(state);
	fd = open_fd();
	container = vfio_find_container(fd, alloc(fd), NULL);
	return 0;
}

static int info_teardown(void **state)
{
	D.close(fd);
	return teardown(state);
}

static void refused(void (*look)(void *args, void *copy), const char *what)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	expect_info(container->fd, look);
	assert_int_equal(vfio_info_read(fd, container, &info, &err), -EPROTO);
	assert_int_equal(err->kind, ERROR_PROTOCOL);
	assert_non_null(strstr(err->message, what));
	assert_null(info.ranges);
}

static void test_usual(void **state)
{
	(void)state;
	expect_info(container->fd, look_usual);
	assert_int_equal(vfio_info_read(fd, container, &info, NULL), 0);
	assert_int_equal(info.page_sizes, 0x40201000);
	assert_int_equal(info.n_ranges, 2);
	assert_true(info.limited);
	assert_int_equal(info.available, 100);
	vfio_info_done(&info);
}

static void look_bare(void *args, void *copy)
{
	struct vfio_t1_info *answer = args;

	(void)copy;
	answer->argsz = 24;
	answer->flags = VFIO_T1_INFO_PGSIZES;
	answer->iova_pgsizes = 0x1000;
	answer->cap_offset = 0xffffffff;
}

/* Old kernels have no capabilities, and mediated devices no ranges. */
static void test_no_capabilities(void **state)
{
	(void)state;
	expect_info(container->fd, look_bare);
	assert_int_equal(vfio_info_read(fd, container, &info, NULL), 0);
	assert_int_equal(info.page_sizes, 0x1000);
	assert_int_equal(info.n_ranges, 1);
	assert_int_equal(info.ranges[0].first, 0);
	assert_int_equal(info.ranges[0].last, UINT64_MAX);
	assert_false(info.limited);
	vfio_info_done(&info);
}

static void look_longer(void *args, void *copy)
{
	((struct vfio_t1_info *)args)->argsz = 1000;
	((struct vfio_t1_info *)args)->flags = VFIO_T1_INFO_CAPS;
	(void)copy;
}

static void look_endless(void *args, void *copy)
{
	((struct vfio_t1_info *)args)->argsz = (1U << 20) + 1;
	(void)copy;
}

static void look_growing(void *args, void *copy)
{
	((struct vfio_t1_info *)args)->argsz++;
	(void)copy;
}

static void test_longer_answers(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	expect_info(container->fd, look_longer);
	EXPECT(VFIO_T1_INFO, vfio_t1_info, .argsz = 1000);
	LOOK(look_usual);
	assert_int_equal(vfio_info_read(fd, container, &info, NULL), 0);
	assert_int_equal(info.n_ranges, 2);
	vfio_info_done(&info);
	refused(look_endless, "longer than a mebibyte");
	for (uint32_t room = 512; room < 516; room++) {
		EXPECT(VFIO_T1_INFO, vfio_t1_info, .argsz = room);
		LOOK(look_growing);
	}
	assert_int_equal(vfio_info_read(fd, container, &info, &err), -EAGAIN);
	assert_int_equal(err->kind, ERROR_BUSY);
}

static void test_a_failing_call(void **state)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	EXPECT(VFIO_T1_INFO, vfio_t1_info, .argsz = 512);
	FAIL(EINVAL);
	assert_int_equal(vfio_info_read(fd, container, &info, &err), -EINVAL);
	assert_string_equal(err->ioctl, "VFIO_IOMMU_GET_INFO");
}

/* One field of the usual answer is wrong. */
#define WRONG(name, field, value)                               \
	static void look_##name(void *args, void *copy)         \
	{                                                       \
		look_usual(args, copy);                         \
		((struct usual_answer *)args)->field = (value); \
	}
WRONG(inside, info.cap_offset, 16)
WRONG(outside, info.cap_offset, 505)
WRONG(far, info.cap_offset, 0xfffffff8)
WRONG(itself, avail.cap.next, offsetof(struct usual_answer, avail))
WRONG(backwards, cap.next, 24)
WRONG(past_the_end, cap.next, 510)
WRONG(many, nr_iovas, 1000)
WRONG(most, nr_iovas, 0xffffffff)
WRONG(overlapping, ranges[1].start, 0xfedfffff)
WRONG(empty, ranges[1].end, 0)

static void look_reversed_range(void *args, void *copy)
{
	look_usual(args, copy);
	((struct usual_answer *)args)->ranges[0].start = 1;
	((struct usual_answer *)args)->ranges[0].end = 0;
}

/* Behind the usual ones, at the very end, with no room for more than the header. */
static void look_header_at_the_end(void *args, void *copy)
{
	static const struct vfio_cap last[] = {{VFIO_T1_CAP_IOVA_RANGE, 1, 0},
					       {VFIO_T1_CAP_DMA_AVAIL, 1, 0}};
	static size_t i;

	look_usual(args, copy);
	((struct usual_answer *)args)->avail.cap.id = 99;
	((struct usual_answer *)args)->cap.id = 99;
	((struct usual_answer *)args)->cap.next = 504;
	memcpy((char *)args + 504, &last[i++], sizeof(last[0]));
}

static void look_twice(void *args, void *copy)
{
	look_usual(args, copy);
	((struct usual_answer *)args)->cap.next = 200;
	memcpy((char *)args + 200, (char *)args + offsetof(struct usual_answer, cap),
	       sizeof(struct vfio_t1_cap_iova_range) + 2 * sizeof(struct vfio_t1_iova_range));
	((struct vfio_cap *)((char *)args + 200))->next = 0;
}

static void test_hostile_answers(void **state)
{
	(void)state;
	refused(look_inside, "a capability outside of it");
	refused(look_outside, "a capability outside of it");
	refused(look_far, "a capability outside of it");
	refused(look_itself, "a capability outside of it");
	refused(look_backwards, "a capability outside of it");
	refused(look_past_the_end, "a capability outside of it");
	refused(look_many, "more usable ranges than fit");
	refused(look_most, "more usable ranges than fit");
	refused(look_reversed_range, "out of order");
	refused(look_overlapping, "out of order");
	refused(look_empty, "out of order");
	refused(look_header_at_the_end, "a list of usable ranges that is cut off");
	refused(look_header_at_the_end, "a number of mappings that is cut off");
	refused(look_twice, "two lists");
}

WRONG(unknown_id, cap.id, 77)
WRONG(unknown_version, cap.version, 2)

/* What isn't known is passed over. */
static void test_unknown_capabilities(void **state)
{
	(void)state;
	expect_info(container->fd, look_unknown_id);
	assert_int_equal(vfio_info_read(fd, container, &info, NULL), 0);
	assert_int_equal(info.ranges[0].last, UINT64_MAX);
	assert_int_equal(info.available, 100);
	vfio_info_done(&info);
	expect_info(container->fd, look_unknown_version);
	assert_int_equal(vfio_info_read(fd, container, &info, NULL), 0);
	assert_int_equal(info.ranges[0].last, UINT64_MAX);
	vfio_info_done(&info);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, info_setup, info_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_usual),	    TEST(test_no_capabilities),
		TEST(test_longer_answers),  TEST(test_a_failing_call),
		TEST(test_hostile_answers), TEST(test_unknown_capabilities),
	};

	return cmocka_run_group_tests_name("vfio_info", tests, NULL, NULL);
}
