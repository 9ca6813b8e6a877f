// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ioasid driver behind a node: ioctl(2) is mocked, each call is expected with every field of
 * its struct, and answered with another struct and an errno. What a device that lies makes of it.
 */
#include "support_facts.h"
#include "support_refdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "driver/driver.h"

#define EXPECTED_MAX 32

static const struct driver *const ops = &driver_ioasid;

struct expectation {
	unsigned long command;
	size_t size;
	char in[256]; /* the struct, pointers zero */
	char out[256];
	size_t pointer; /* offset of a pointer field in it; 0: none */
	const void *pointed; /* written there, or compared with what is there */
	size_t pointed_size;
	bool compare;
	int errnum;
};

static struct expectation expected[EXPECTED_MAX];
static size_t n_expected, n_seen;
static int node_fd;

int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...)
{
	struct expectation *e = &expected[n_seen];
	uint64_t pointer = 0;
	va_list args;
	char *arg;

	va_start(args, request);
	arg = va_arg(args, char *);
	va_end(args);
	assert_true(n_seen < n_expected);
	n_seen++;
	if (node_fd < 0)
		node_fd = fd; /* the node just opened */
	assert_int_equal(request, e->command);
	if (e->pointer) {
		memcpy(&pointer, arg + e->pointer, sizeof(pointer));
		memset(arg + e->pointer, 0, sizeof(pointer));
	}
	assert_memory_equal(arg, e->in, e->size);
	if (e->compare)
		assert_memory_equal((void *)(uintptr_t)pointer, e->pointed, e->pointed_size);
	else if (e->pointed)
		memcpy((void *)(uintptr_t)pointer, e->pointed, e->pointed_size);
	memcpy(arg, e->out, e->size);
	if (e->pointer)
		memcpy(arg + e->pointer, &pointer, sizeof(pointer));
	errno = e->errnum;
	return e->errnum ? -1 : 0;
}

/* Expects `in`; answers `out` (NULL: the same) and an errno. */
#define EXPECT(cmd, error, in_, out_) \
	expect(IOASID_##cmd, error, &(in_), (const void *)(out_), sizeof(in_))

static struct expectation *expect(unsigned long command, int errnum, const void *in,
				  const void *out, size_t size)
{
	struct expectation *e = &expected[n_expected++];

	assert_true(n_expected <= EXPECTED_MAX);
	*e = (struct expectation){.command = command, .size = size, .errnum = errnum};
	memcpy(e->in, in, size);
	memcpy(e->out, out ? out : in, size);
	return e;
}

static char root[] = "/tmp/ioasid-node-XXXXXX";
static struct driver_env env = {.root = root};

static int make_root(void **state)
{
	char path[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/dev", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/dev/ioasid", root);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int remove_root(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/dev/ioasid", root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/dev", root);
	rmdir(path);
	return rmdir(root);
}

static void expect_opening(int errnum, uint32_t supported)
{
	struct ioasid_extension_args in = {.argsz = sizeof(in), .extension = IOASID_EXT_GPA};
	struct ioasid_extension_args out = in;

	out.supported = supported;
	EXPECT(CHECK_EXTENSION, errnum, in, &out);
}

static int reset(void **state)
{
	(void)state;
	n_expected = n_seen = 0;
	node_fd = -1;
	return 0;
}

/* Leftovers are a failure too. */
static int all_seen(void **state)
{
	(void)state;
	return n_seen == n_expected ? 0 : -1;
}

static struct driver_fd *opened(void)
{
	struct iommu_fd spec;
	struct driver_fd *fd = NULL;

	iommu_fd_init(&spec);
	spec.name = (char *)"main";
	spec.node = (char *)"/dev/ioasid";
	expect_opening(0, 1);
	assert_int_equal(ops->open(&env, &spec, &fd, NULL), 0);
	assert_int_equal(ops->fd_number(fd), node_fd);
	return fd;
}

static struct device edu_spec(void)
{
	struct device spec;

	device_init(&spec);
	spec.name = (char *)"edu0";
	spec.selector = SELECTOR_PCI;
	spec.address = (char *)"0000:00:03.0";
	return spec;
}

static struct ioasid_device_name edu_name(void)
{
	return (struct ioasid_device_name){.selector = IOASID_SELECT_PCI, .name = "0000:00:03.0"};
}

/* A short-lived fd that finds the device present. */
static void expect_present(const char *driver)
{
	struct ioasid_query_args in = {.argsz = sizeof(in), .device = edu_name()}, out = in;

	out.device_flags = IOASID_DEVICE_PRESENT | IOASID_DEVICE_VIABLE;
	out.group = 2;
	snprintf(out.driver, sizeof(out.driver), "%s", driver);
	EXPECT(QUERY_DEVICE, 0, in, &out);
}

static struct driver_device *opened_device(void)
{
	struct device spec = edu_spec();
	struct driver_device *dev = NULL;

	expect_opening(0, 1);
	expect_present("");
	assert_int_equal(ops->device_open(&env, &spec, &dev, NULL), 0);
	return dev;
}

static void test_open(void **state)
{
	struct iommu_fd spec;
	struct ioasid_accounting_args accounting = {.argsz = sizeof(accounting),
						    .accounting = IOASID_ACCOUNT_USER};
	struct driver_fd *fd = NULL;
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	(void)state;
	expect_opening(0, 1);
	assert_int_equal(ops->available(&env, NULL, NULL), 0);
	iommu_fd_init(&spec);
	spec.name = (char *)"main";
	spec.accounting = ACCOUNTING_USER;
	expect_opening(0, 1);
	EXPECT(SET_ACCOUNTING, 0, accounting, NULL);
	assert_int_equal(ops->open(&env, &spec, &fd, NULL), 0);
	ops->close(fd);
	/* refused: closed again */
	expect_opening(0, 1);
	EXPECT(SET_ACCOUNTING, EBUSY, accounting, NULL);
	fd = NULL;
	assert_int_equal(ops->open(&env, &spec, &fd, &err), -EBUSY);
	assert_null(fd);
	assert_string_equal(err->ioctl, "IOASID_SET_ACCOUNTING");
	expect_opening(0, 0);
	assert_int_equal(ops->available(&env, NULL, NULL), -EOPNOTSUPP);
	expect_opening(ENOTTY, 0);
	assert_int_equal(ops->available(&env, NULL, NULL), -ENOTTY);
}

static void test_ioasids(void **state)
{
	struct driver_fd *fd = opened();
	struct ioasid_alloc_args alloc = {.argsz = sizeof(alloc),
					  .flags = IOASID_ALLOC_NEST_PARENT |
						   IOASID_ALLOC_SMALL_PAGES,
					  .kind = IOASID_KIND_GPA,
					  .parent = IOASID_NONE};
	struct ioasid_alloc_args allocated = alloc;
	struct ioasid_free_args release = {.argsz = sizeof(release), .ioasid = 42};
	struct ioasid_info_args probe = {.argsz = sizeof(probe), .ioasid = 42};
	const struct nesting on = {.parent = 42, .viommu = NO_INDEX};
	struct ioasid spec;
	uint32_t id = 0;

	(void)state;
	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = IOASID_FLAG_NEST_PARENT | IOASID_FLAG_NO_HUGE;
	allocated.ioasid = 42;
	EXPECT(ALLOC, 0, alloc, &allocated);
	assert_int_equal(ops->ioasid_alloc(fd, &spec, NULL, &id, NULL), 0);
	assert_int_equal(id, 42);
	spec.kind = IOASID_NESTED;
	spec.flags = IOASID_FLAG_DIRTY | IOASID_FLAG_PASID | IOASID_FLAG_FAULT_QUEUE;
	alloc.kind = IOASID_KIND_NESTED;
	alloc.flags = IOASID_ALLOC_DIRTY | IOASID_ALLOC_PASID | IOASID_ALLOC_FAULT;
	alloc.parent = 42;
	EXPECT(ALLOC, EOPNOTSUPP, alloc, NULL);
	assert_int_equal(ops->ioasid_alloc(fd, &spec, &on, &id, NULL), -EOPNOTSUPP);
	EXPECT(GET_INFO, EMSGSIZE, probe, NULL);
	assert_int_equal(ops->ioasid_probe(fd, 42), 0);
	EXPECT(GET_INFO, ENOENT, probe, NULL);
	assert_int_equal(ops->ioasid_probe(fd, 42), -ENOENT);
	EXPECT(FREE, 0, release, NULL);
	assert_int_equal(ops->ioasid_free(fd, 42, NULL), 0);
	ops->close(fd);
}

static void test_info(void **state)
{
	struct driver_fd *fd = opened();
	struct ioasid_range ranges[20];
	struct ioasid_info_args in = {.argsz = sizeof(in), .ioasid = 3, .n_ranges = 16}, out = in;
	struct ioasid_info info;
	struct expectation *e;

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		ranges[i] = (struct ioasid_range){i * 10, i * 10 + 5};
	/* more than fit: asked again with more room */
	out.n_ranges = 20;
	e = EXPECT(GET_INFO, EMSGSIZE, in, &out);
	e->pointer = offsetof(struct ioasid_info_args, ranges);
	in.n_ranges = 20;
	out.alignment = 4096;
	out.domains = 2;
	out.page_table_bytes = 12288;
	e = EXPECT(GET_INFO, 0, in, &out);
	e->pointer = offsetof(struct ioasid_info_args, ranges);
	e->pointed = ranges;
	e->pointed_size = sizeof(ranges);
	assert_int_equal(ops->ioasid_info(fd, 3, &info, NULL), 0);
	assert_int_equal(info.n_ranges, 20);
	assert_int_equal(info.ranges[19].last, 195);
	assert_int_equal(info.alignment, 4096);
	assert_int_equal(info.domains, 2);
	assert_int_equal(info.page_table_bytes, 12288);
	ioasid_info_done(&info);
	ops->close(fd);
}

/* Counts and ranges that make no sense are not believed. */
static void test_lies(void **state)
{
	struct driver_fd *fd = opened();
	const struct ioasid_range disorder[] = {{10, 20}, {15, 30}};
	struct ioasid_info_args in = {.argsz = sizeof(in), .ioasid = 3, .n_ranges = 16}, out = in;
	struct ioasid_list_args list = {.argsz = sizeof(list),
					.kind = IOASID_LIST_MAPPINGS,
					.object = 3,
					.count = 256},
				listed = list;
	struct ioasid_info info;
	struct expectation *e;

	(void)state;
	out.n_ranges = UINT32_MAX;
	EXPECT(GET_INFO, EMSGSIZE, in, &out)->pointer = offsetof(struct ioasid_info_args, ranges);
	assert_int_equal(ops->ioasid_info(fd, 3, &info, NULL), -EPROTO);
	out.n_ranges = 17;
	EXPECT(GET_INFO, 0, in, &out)->pointer = offsetof(struct ioasid_info_args, ranges);
	assert_int_equal(ops->ioasid_info(fd, 3, &info, NULL), -EPROTO);
	out.n_ranges = 2;
	e = EXPECT(GET_INFO, 0, in, &out);
	e->pointer = offsetof(struct ioasid_info_args, ranges);
	e->pointed = disorder;
	e->pointed_size = sizeof(disorder);
	assert_int_equal(ops->ioasid_info(fd, 3, &info, NULL), -EPROTO);
	/* a list that never ends, one that is longer than its room */
	listed.count = 0;
	listed.flags = IOASID_LIST_MORE;
	EXPECT(LIST, 0, list, &listed)->pointer = offsetof(struct ioasid_list_args, entries);
	assert_int_equal(ops->list_mappings(fd, 3, NULL, NULL, NULL), -EPROTO);
	listed.count = 257;
	EXPECT(LIST, 0, list, &listed)->pointer = offsetof(struct ioasid_list_args, entries);
	assert_int_equal(ops->list_mappings(fd, 3, NULL, NULL, NULL), -EPROTO);
	ops->close(fd);
}

static void test_mappings(void **state)
{
	struct driver_fd *fd = opened();
	char memory[16];
	const struct map_args what = {.iova = 0x1000,
				      .length = 0x2000,
				      .access = ACCESS_WRITE,
				      .fd = 9,
				      .offset = 0x4000,
				      .va = memory};
	struct ioasid_map_args map = {.argsz = sizeof(map),
				      .flags = IOASID_MAP_WRITE,
				      .ioasid = 3,
				      .iova = 0x1000,
				      .vaddr = (uintptr_t)memory,
				      .size = 0x2000};
	struct ioasid_copy_args copy = {.argsz = sizeof(copy),
					.flags = IOASID_MAP_READ | IOASID_MAP_WRITE,
					.ioasid = 4,
					.source = 3,
					.iova = 0x8000,
					.source_iova = 0x1000,
					.size = 0x2000};
	struct ioasid_unmap_args unmap = {
		.argsz = sizeof(unmap), .ioasid = 4, .iova = 0x8000, .size = 0x2000};
	const struct ioasid_range raw[] = {{0, 99}, {200, UINT64_MAX}};
	const struct range ranges[] = {{0, 99}, {200, UINT64_MAX}};
	struct ioasid_allowed_args allow = {.argsz = sizeof(allow), .ioasid = 4, .n_ranges = 2};
	struct expectation *e;

	(void)state;
	EXPECT(MAP_DMA, 0, map, NULL);
	assert_int_equal(ops->map(fd, 3, &what, NULL), 0);
	EXPECT(COPY_DMA, 0, copy, NULL);
	assert_int_equal(ops->copy(fd, 4, 0x8000, 0x2000, ACCESS_RW, 3, 0x1000, NULL), 0);
	EXPECT(UNMAP_DMA, 0, unmap, NULL);
	assert_int_equal(ops->unmap(fd, 4, 0x8000, 0x2000, NULL), 0);
	e = EXPECT(SET_ALLOWED, 0, allow, NULL);
	e->pointer = offsetof(struct ioasid_allowed_args, ranges);
	e->pointed = raw;
	e->pointed_size = sizeof(raw);
	e->compare = true;
	assert_int_equal(ops->allow(fd, 4, ranges, 2, NULL), 0);
	ops->close(fd);
}

static void test_devices(void **state)
{
	struct driver_device *dev = opened_device();
	struct driver_fd *fd = (node_fd = -1, opened());
	struct ioasid_bind_args bind = {.argsz = sizeof(bind), .device = edu_name(), .cookie = 1};
	struct ioasid_device_info_args ask = {.argsz = sizeof(ask), .cookie = 1}, told = ask;
	struct ioasid_attach_args attach = {
		.argsz = sizeof(attach), .cookie = 1, .ioasid = 5, .pasid = IOASID_NO_PASID};
	struct ioasid_detach_args detach = {
		.argsz = sizeof(detach), .cookie = 1, .pasid = IOASID_NO_PASID};
	struct ioasid_unbind_args unbind = {.argsz = sizeof(unbind), .cookie = 1};
	struct device_info info;
	uint32_t id = 0;

	(void)state;
	assert_int_equal(ops->attach(fd, dev, 5, NO_PASID, NULL), -ENOENT); /* not bound: no call */
	EXPECT(BIND_DEVICE, 0, bind, NULL);
	assert_int_equal(ops->device_bind(fd, dev, &id, NULL), 0);
	assert_int_equal(id, 1);
	told.page_sizes = 4096;
	told.iova_bits = 39;
	told.pasid_bits = 20;
	told.info_flags = IOASID_INFO_DIRTY;
	told.aperture_last = 0x7fffffffff;
	EXPECT(DEVICE_GET_INFO, 0, ask, &told);
	assert_int_equal(ops->device_info(fd, dev, &info, NULL), 0);
	assert_int_equal(info.page_sizes, 4096);
	assert_int_equal(info.iova_bits, 39);
	assert_int_equal(info.pasid_bits, 20);
	assert_true(info.dirty_tracking);
	assert_false(info.nesting || info.snoop_control);
	assert_string_equal(info.registers[1].name, "aperture_last");
	assert_true(info.registers[1].value == 0x7fffffffff);
	EXPECT(ATTACH, 0, attach, NULL);
	assert_int_equal(ops->attach(fd, dev, 5, NO_PASID, NULL), 0);
	attach.pasid = 77;
	EXPECT(ATTACH, EOPNOTSUPP, attach, NULL);
	assert_int_equal(ops->attach(fd, dev, 5, 77, NULL), -EOPNOTSUPP);
	EXPECT(DETACH, 0, detach, NULL);
	assert_int_equal(ops->detach(fd, dev, NO_PASID, NULL), 0);
	EXPECT(UNBIND_DEVICE, 0, unbind, NULL);
	ops->device_close(dev);
	ops->close(fd);
}

static void test_host_driver(void **state)
{
	struct device spec = edu_spec();
	struct ioasid_host_driver_args in = {
		.argsz = sizeof(in), .device = edu_name(), .driver = "vfio-pci"};
	struct ioasid_host_driver_args back = {
		.argsz = sizeof(back), .device = edu_name(), .driver = "edu"};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_free_ char *original = NULL;

	(void)state;
	expect_opening(0, 1);
	expect_present("edu");
	EXPECT(SET_HOST_DRIVER, 0, in, NULL);
	expect_present("vfio-pci");
	assert_int_equal(ops->device_set_driver(&env, &spec, "vfio-pci", &original, NULL), 0);
	assert_string_equal(original, "edu");
	/* done, it says, and isn't: taken back, whatever was done */
	expect_opening(0, 1);
	expect_present("edu");
	EXPECT(SET_HOST_DRIVER, 0, in, NULL);
	expect_present("edu");
	EXPECT(SET_HOST_DRIVER, 0, back, NULL);
	assert_int_equal(ops->device_set_driver(&env, &spec, "vfio-pci", NULL, &err), -EIO);
	assert_string_equal(err->message,
			    "0000:00:03.0 was bound to vfio-pci, but the machine says "
			    "it has edu");
	assert_int_equal(err->kind, ERROR_VERIFY);
	/* as it is: no call that changes anything */
	expect_opening(0, 1);
	expect_present("vfio-pci");
	assert_int_equal(ops->device_set_driver(&env, &spec, "vfio-pci", NULL, NULL), 0);
}

static void test_members(void **state)
{
	struct device spec = edu_spec();
	struct ioasid_entry_member members[2] = {
		{.device = edu_name(), .group = 2, .driver = "vfio-pci"},
		{.device = edu_name(),
		 .group = 2,
		 .device_flags = IOASID_DEVICE_IN_THE_WAY,
		 .driver = "edu"}};
	struct ioasid_list_args first = {
		.argsz = sizeof(first), .kind = IOASID_LIST_MEMBERS, .object = 2, .count = 256};
	struct ioasid_list_args second = first, out = first;
	struct device_facts facts;
	struct expectation *e;

	(void)state;
	expect_opening(0, 1);
	expect_present("vfio-pci");
	out.count = 1;
	out.flags = IOASID_LIST_MORE;
	out.next = 9;
	e = EXPECT(LIST, 0, first, &out);
	e->pointer = offsetof(struct ioasid_list_args, entries);
	e->pointed = &members[0];
	e->pointed_size = sizeof(members[0]);
	second.start = 9;
	second.next = 9;
	out = second;
	out.count = 1;
	e = EXPECT(LIST, 0, second, &out);
	e->pointer = offsetof(struct ioasid_list_args, entries);
	e->pointed = &members[1];
	e->pointed_size = sizeof(members[1]);
	assert_int_equal(ops->device_find(&env, &spec, &facts, NULL), 0);
	assert_members(&facts, false, "0000:00:03.0 (vfio-pci), 0000:00:03.0 (edu)");
	assert_members(&facts, true, "0000:00:03.0 (edu)");
	device_facts_done(&facts);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, all_seen)
	const struct CMUnitTest tests[] = {
		TEST(test_open),     TEST(test_ioasids), TEST(test_info),	 TEST(test_lies),
		TEST(test_mappings), TEST(test_devices), TEST(test_host_driver), TEST(test_members),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
