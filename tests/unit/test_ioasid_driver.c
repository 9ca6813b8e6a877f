// SPDX-License-Identifier: GPL-2.0-or-later
/* The ioasid driver on the reference device in this process: what it does and what it says. */
#include "support_facts.h"
#include "support_refdev.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "driver/driver.h"

#define K 1024ULL

static const struct driver *const ops = &driver_ioasid;

struct world {
	struct driver_env env;
	struct bench bench; /* a second file, to look from outside */
	struct driver_fd *fd;
	struct ioasidctl_error *err;
	char trace[16384]; /* lines */
	char *memory; /* 64K */
};

static void keep_line(void *data, const char *line)
{
	struct world *w = data;
	size_t used = strlen(w->trace);

	snprintf(w->trace + used, sizeof(w->trace) - used, "%s\n", line);
}

static struct iommu_fd fd_spec(void)
{
	static char name[] = "main";
	struct iommu_fd spec;

	iommu_fd_init(&spec);
	spec.name = name;
	return spec;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct iommu_fd spec = fd_spec();

	bench_setup(&w->bench, NULL);
	w->env =
		(struct driver_env){.root = "/nowhere", .refdev = w->bench.refdev, .trace_data = w};
	w->memory = pages(64 * K);
	assert_int_equal(ops->open(&w->env, &spec, &w->fd, &w->err), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w->fd)
		ops->close(w->fd);
	error_free(w->err);
	munmap(w->memory, 64 * K);
	bench_teardown(&w->bench);
	free(w);
	return 0;
}

static struct device device_spec(enum selector selector, const char *address)
{
	struct device spec;

	device_init(&spec);
	spec.selector = selector;
	spec.address = (char *)address;
	spec.name = (char *)"dev";
	return spec;
}

static struct driver_device *opened(struct world *w, enum selector selector, const char *address)
{
	struct device spec = device_spec(selector, address);
	struct driver_device *dev = NULL;

	assert_int_equal(ops->device_open(&w->env, &spec, &dev, &w->err), 0);
	assert_int_equal(ops->device_fd_number(dev), -1);
	return dev;
}

static struct driver_device *bound(struct world *w, enum selector selector, const char *address)
{
	struct driver_device *dev = opened(w, selector, address);
	uint32_t id = 0;

	assert_int_equal(ops->device_bind(w->fd, dev, &id, &w->err), 0);
	assert_int_not_equal(id, 0);
	return dev;
}

static uint32_t allocated(struct world *w, uint32_t flags)
{
	struct ioasid spec;
	uint32_t id = 0;

	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = flags;
	assert_int_equal(ops->ioasid_alloc(w->fd, &spec, NULL, &id, &w->err), 0);
	return id;
}

static int map_at(struct world *w, uint32_t id, uint64_t iova, uint64_t length)
{
	const struct map_args args = {
		.iova = iova, .length = length, .access = ACCESS_RW, .fd = -1, .va = w->memory};

	return ops->map(w->fd, id, &args, &w->err);
}

/* The newest error, taken apart; what isn't given isn't compared. */
static void assert_said(struct world *w, enum error_kind kind, const char *ioctl_name,
			const char *message, const char *cause)
{
	assert_non_null(w->err);
	assert_string_equal(error_kind_name(w->err->kind), error_kind_name(kind));
	if (ioctl_name)
		assert_string_equal(w->err->ioctl, ioctl_name);
	if (message)
		assert_string_equal(w->err->message, message);
	if (cause) {
		assert_non_null(w->err->cause);
		assert_string_equal(w->err->cause, cause);
		assert_non_null(w->err->hint);
	}
	error_free(w->err);
	w->err = NULL;
}

static void test_find(void **state)
{
	struct world *w = *state;
	struct device spec = device_spec(SELECTOR_PCI, "0000:00:1f.3");
	struct device_facts facts;

	assert_int_equal(ops->device_find(&w->env, &spec, &facts, &w->err), 0);
	assert_true(facts.present);
	assert_int_equal(facts.group, 6);
	assert_null(facts.driver);
	assert_members(&facts, false,
		       "0000:00:1f.0 (no driver), 0000:00:1f.2 (ahci), "
		       "0000:00:1f.3 (no driver)");
	assert_members(&facts, true, "0000:00:1f.2 (ahci)");
	device_facts_done(&facts);

	spec = device_spec(SELECTOR_VDPA, "vdpa0");
	assert_int_equal(ops->device_find(&w->env, &spec, &facts, &w->err), 0);
	assert_string_equal(facts.driver, "vhost_vdpa");
	assert_members(&facts, true, NULL);
	device_facts_done(&facts);

	spec = device_spec(SELECTOR_PCI, "0000:66:00.0");
	assert_int_equal(ops->device_find(&w->env, &spec, &facts, &w->err), 0);
	assert_false(facts.present);
	assert_int_equal(facts.group, NO_INDEX);
	/* longer than any name there is */
	spec.address = (char *)"a-name-that-is-much-longer-than-sixty-three-characters-and-so-"
			       "names-nothing";
	assert_int_equal(ops->device_find(&w->env, &spec, &facts, &w->err), 0);
	assert_false(facts.present);
	assert_null(w->err);
}

static void test_set_driver(void **state)
{
	struct world *w = *state;
	struct device spec = device_spec(SELECTOR_PCI, "0000:01:00.0");
	struct driver_device *dev;
	char *original = NULL;

	assert_int_equal(ops->device_set_driver(&w->env, &spec, "vfio-pci", &original, &w->err), 0);
	assert_string_equal(original, "e1000e");
	free(original);
	assert_string_equal(rd_query(w->bench.file, IOASID_SELECT_PCI, "0000:01:00.0").driver,
			    "vfio-pci");
	assert_int_equal(ops->device_set_driver(&w->env, &spec, "vfio-pic", NULL, &w->err),
			 -ENODEV);
	assert_said(w, ERROR_UNAVAILABLE, "IOASID_SET_HOST_DRIVER",
		    "can't bind 0000:01:00.0 to vfio-pic: No such device",
		    "this machine has no driver vfio-pic for pci devices");
	dev = bound(w, SELECTOR_PCI, "0000:01:00.0");
	assert_int_equal(ops->device_set_driver(&w->env, &spec, "e1000e", NULL, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_SET_HOST_DRIVER", NULL, "it is bound to an fd");
	/* nothing to do is no call that could be refused */
	assert_int_equal(ops->device_set_driver(&w->env, &spec, "vfio-pci", NULL, &w->err), 0);
	ops->device_close(dev);
	assert_int_equal(ops->device_set_driver(&w->env, &spec, "e1000e", NULL, &w->err), 0);
	assert_int_equal(ops->device_set_driver(&w->env, &spec, "", &original, &w->err), 0);
	assert_string_equal(original, "e1000e");
	free(original);
	spec.address = (char *)"0000:66:00.0";
	assert_int_equal(ops->device_set_driver(&w->env, &spec, "", NULL, &w->err), -ENODEV);
	assert_said(w, ERROR_UNAVAILABLE, NULL, "device dev: there is no pci 0000:66:00.0",
		    "the machine behind the ioasid driver doesn't have it");
}

static void test_life(void **state)
{
	struct world *w = *state;
	uint32_t id = allocated(w, 0);
	struct driver_device *dev = bound(w, SELECTOR_PCI, "0000:00:03.0");
	struct ioasid_info info;
	struct device_info hw;

	assert_int_equal(ops->fd_number(w->fd), -1);
	assert_true(ops->wants_va(w->fd, NULL));
	assert_int_equal(map_at(w, id, 0x10000, 64 * K), 0);
	assert_int_equal(ops->attach(w->fd, dev, id, NO_PASID, &w->err), 0);
	assert_int_equal(ops->ioasid_info(w->fd, id, &info, &w->err), 0);
	assert_int_equal(info.n_ranges, 2);
	assert_true(info.ranges[0].last == 0xfedfffff && info.ranges[1].first == 0xfef00000);
	assert_int_equal(info.alignment, 4096);
	assert_true(info.counted);
	assert_int_equal(info.domains, 1);
	assert_int_equal(info.page_table_bytes, 4 * 4096);
	ioasid_info_done(&info);
	assert_int_equal(ops->device_info(w->fd, dev, &hw, &w->err), 0);
	assert_string_equal(hw.type, "reference");
	assert_int_equal(hw.iova_bits, 48);
	assert_int_equal(hw.page_sizes, 0x40201000);
	assert_true(hw.nesting && hw.dirty_tracking && hw.snoop_control);
	assert_int_equal(hw.pasid_bits, 0);
	assert_int_equal(hw.n_registers, 6);
	assert_int_equal(ops->ioasid_probe(w->fd, id), 0);
	assert_int_equal(ops->ioasid_probe(w->fd, id + 1), -ENOENT);
	assert_int_equal(ops->device_probe(w->fd, dev), 0);
	assert_int_equal(ops->ioasid_free(w->fd, id, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_FREE", NULL,
		    "a device is attached to it, or an IOASID, viommu, vdevice or queue on it is "
		    "still there");
	assert_int_equal(ops->detach(w->fd, dev, NO_PASID, &w->err), 0);
	assert_int_equal(ops->unmap(w->fd, id, 0x10000, 64 * K, &w->err), 0);
	assert_int_equal(ops->unmap(w->fd, id, 0x10000, 64 * K, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_UNMAP_DMA", NULL, NULL);
	assert_int_equal(ops->ioasid_free(w->fd, id, &w->err), 0);
	ops->device_close(dev);
	assert_int_equal(rd_query(w->bench.file, IOASID_SELECT_PCI, "0000:00:03.0").group_state,
			 IOASID_GROUP_HOST);
}

/* Either may be closed first. */
static void test_close_order(void **state)
{
	struct world *w = *state;
	struct driver_device *dev = bound(w, SELECTOR_PCI, "0000:00:03.0");

	ops->close(w->fd);
	w->fd = NULL;
	assert_false(rd_query(w->bench.file, IOASID_SELECT_PCI, "0000:00:03.0").device_flags &
		     IOASID_DEVICE_BOUND);
	ops->device_close(dev);
}

static void test_map_refusals(void **state)
{
	struct world *w = *state;
	uint32_t id = allocated(w, 0);
	struct driver_device *dev = bound(w, SELECTOR_PCI, "0000:00:03.0");
	const struct map_args nowhere = {.iova = 0x100000, .length = 4096, .access = ACCESS_RW};

	assert_int_equal(ops->attach(w->fd, dev, id, NO_PASID, &w->err), 0);
	assert_int_equal(map_at(w, id, 0x10000, 16 * K), 0);
	assert_int_equal(map_at(w, id, 0x12000, 16 * K), -EEXIST);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA",
		    "can't map 0x12000-0x15fff in IOASID 1: File exists",
		    "0x10000-0x13fff is mapped already");
	assert_int_equal(map_at(w, id, 0xfedff000, 8 * K), -EINVAL);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA", NULL,
		    "0xfee00000-0xfeefffff is not for mappings: interrupts (device 0000:00:03.0)");
	assert_int_equal(map_at(w, id, 1ULL << 50, 4 * K), -EINVAL);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA", NULL,
		    "0x1000000000000-0xffffffffffffffff is not for mappings: beyond what its IOMMU "
		    "translates (device 0000:00:03.0)");
	assert_int_equal(map_at(w, id, 0x20001, 4 * K), -EINVAL);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA", NULL,
		    "IOVA, memory address and length must be multiples of 0x1000, the smallest "
		    "page of the IOMMU");
	assert_int_equal(ops->map(w->fd, id, &nowhere, &w->err), -EFAULT);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA", NULL,
		    "not all of that memory is mapped in this process");
	assert_int_equal(map_at(w, 99, 0, 4 * K), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_MAP_DMA", NULL, NULL);
	ops->device_close(dev);
}

static void test_copy_allow_list(void **state)
{
	struct world *w = *state;
	uint32_t a = allocated(w, 0), b = allocated(w, IOASID_FLAG_NO_HUGE);
	const struct range ranges[] = {{0, 0xfffff}, {0x200000, 0x2fffff}};
	const struct range overlapping[] = {{0, 0xfffff}, {0xfffff, 0x2fffff}};

	assert_int_equal(map_at(w, a, 0, 16 * K), 0);
	assert_int_equal(ops->copy(w->fd, b, 0x5000, 16 * K, ACCESS_READ, a, 0, &w->err), 0);
	assert_int_equal(ops->copy(w->fd, b, 0x5000, 16 * K, ACCESS_READ, a, 0, &w->err), -EEXIST);
	assert_said(w, ERROR_KERNEL, "IOASID_COPY_DMA",
		    "can't copy to 0x5000-0x8fff in IOASID 2: File exists",
		    "0x5000-0x8fff is mapped already");
	assert_int_equal(ops->copy(w->fd, b, 0x50000, 32 * K, ACCESS_RW, a, 0, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_COPY_DMA", NULL, NULL);
	assert_int_equal(ops->allow(w->fd, b, ranges, 2, &w->err), 0);
	assert_int_equal(ops->allow(w->fd, b, NULL, 0, &w->err), 0);
	assert_int_equal(ops->allow(w->fd, b, overlapping, 2, &w->err), -EINVAL);
	assert_said(w, ERROR_KERNEL, "IOASID_SET_ALLOWED", NULL, NULL);
}

struct seen {
	uint64_t next, stop_at;
	int ret;
};

static int see(void *data, uint64_t iova, uint64_t length, uint8_t access)
{
	struct seen *s = data;

	assert_true(iova == s->next * 8 * K);
	assert_int_equal(length, 4 * K);
	assert_int_equal(access, ACCESS_RW);
	s->next++;
	return s->next == s->stop_at ? s->ret : 0;
}

static void test_list(void **state)
{
	struct world *w = *state;
	uint32_t id = allocated(w, 0);
	struct seen all = {0}, some = {.stop_at = 300, .ret = -EINTR};

	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(map_at(w, id, i * 8 * K, 4 * K), 0);
	assert_int_equal(ops->list_mappings(w->fd, id, see, &all, &w->err), 0);
	assert_int_equal(all.next, 1000);
	assert_int_equal(ops->list_mappings(w->fd, id, see, &some, &w->err), -EINTR);
	assert_int_equal(some.next, 300);
	assert_null(w->err);
	assert_int_equal(ops->list_mappings(w->fd, 77, see, &all, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_LIST", NULL, NULL);
}

static void test_bind_refusals(void **state)
{
	struct world *w = *state;
	struct driver_device *nic = opened(w, SELECTOR_PCI, "0000:01:00.0");
	struct driver_device *ahci = opened(w, SELECTOR_PCI, "0000:00:1f.3");
	struct driver_device *edu = opened(w, SELECTOR_PCI, "0000:03:01.0");
	struct driver_device *mate = opened(w, SELECTOR_PCI, "0000:03:02.0");
	struct driver_device *bare = opened(w, SELECTOR_PCI, "0000:ff:0b.0");
	struct driver_device *arm = opened(w, SELECTOR_PLATFORM, "fff00000.dma");
	struct driver_device *vtd;
	uint32_t id = 7;

	assert_int_equal(ops->device_bind(w->fd, nic, &id, &w->err), -EPERM);
	assert_said(w, ERROR_BUSY, "IOASID_BIND_DEVICE",
		    "can't bind device 0000:01:00.0 to fd main: Operation not permitted",
		    "its IOMMU group 7 has members that the host uses: 0000:01:00.0 (e1000e)");
	assert_int_equal(ops->device_bind(w->fd, ahci, &id, &w->err), -EPERM);
	assert_said(w, ERROR_BUSY, "IOASID_BIND_DEVICE", NULL,
		    "its IOMMU group 6 has members that the host uses: 0000:00:1f.2 (ahci)");
	assert_int_equal(ops->device_bind(w->fd, bare, &id, &w->err), -ENXIO);
	assert_said(w, ERROR_REFUSED, "IOASID_BIND_DEVICE", NULL,
		    "there is no IOMMU in front of it, so nothing could keep its DMA in bounds");
	assert_int_equal(rd_bind(w->bench.file, IOASID_SELECT_PCI, "0000:03:02.0", 1), 0);
	assert_int_equal(ops->device_bind(w->fd, mate, &id, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_BIND_DEVICE", NULL, "it is bound to another fd");
	assert_int_equal(ops->device_bind(w->fd, edu, &id, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, "IOASID_BIND_DEVICE", NULL,
		    "another device of its IOMMU group 8 is bound to another fd");
	vtd = bound(w, SELECTOR_PCI, "0000:00:03.0");
	assert_int_equal(ops->device_bind(w->fd, arm, &id, &w->err), -EXDEV);
	assert_said(w, ERROR_KERNEL, "IOASID_BIND_DEVICE", NULL,
		    "the IOMMU of fff00000.dma has page tables of format arm-smmuv3, that of "
		    "0000:00:03.0, which is in fd main, has vtd, and the two can't live in one fd");
	assert_int_equal(ops->device_bind(w->fd, vtd, &id, &w->err), -EBUSY);
	assert_said(w, ERROR_BUSY, NULL, "device 0000:00:03.0 is bound to fd main already", NULL);
	assert_int_equal(id, 7);
	ops->device_close(nic);
	ops->device_close(ahci);
	ops->device_close(edu);
	ops->device_close(mate);
	ops->device_close(bare);
	ops->device_close(arm);
	ops->device_close(vtd);
}

static void test_attach_refusals(void **state)
{
	struct world *w = *state;
	uint32_t high = allocated(w, 0), a = allocated(w, 0), b = allocated(w, 0);
	uint32_t parent = allocated(w, IOASID_FLAG_NEST_PARENT);
	struct driver_device *narrow = bound(w, SELECTOR_PCI, "0000:06:00.0");
	struct driver_device *one = bound(w, SELECTOR_PCI, "0000:03:01.0");
	struct driver_device *two = bound(w, SELECTOR_PCI, "0000:03:02.0");
	const struct range wide = {0, UINT64_MAX - 1};

	assert_int_equal(map_at(w, high, 1ULL << 40, 16 * K), 0);
	assert_int_equal(ops->attach(w->fd, narrow, high, NO_PASID, &w->err), -EADDRINUSE);
	assert_said(w, ERROR_KERNEL, "IOASID_ATTACH",
		    "can't attach device 0000:06:00.0 to IOASID 1: Address already in use",
		    "0x10000000000-0x10000003fff is mapped, and for this device "
		    "0x8000000000-0xffffffffffffffff is beyond what its IOMMU translates");
	assert_int_equal(ops->allow(w->fd, a, &wide, 1, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, one, a, NO_PASID, &w->err), -EADDRINUSE);
	assert_said(w, ERROR_KERNEL, "IOASID_ATTACH", NULL,
		    "an allowed range reaches into what the device reserves or can't reach, or a "
		    "mapping isn't aligned to the pages of its IOMMU");
	assert_int_equal(ops->allow(w->fd, a, NULL, 0, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, one, a, NO_PASID, &w->err), 0);
	assert_int_equal(ops->attach(w->fd, two, b, NO_PASID, &w->err), -EINVAL);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "0000:03:01.0 of the same IOMMU group 8 is in another IOASID");
	assert_int_equal(ops->attach(w->fd, narrow, parent, NO_PASID, &w->err), -EOPNOTSUPP);
	assert_said(w, ERROR_REFUSED, "IOASID_ATTACH", NULL,
		    "the IOASID is a nest_parent, and the IOMMU in front of the device can't nest");
	assert_int_equal(ops->detach(w->fd, two, NO_PASID, &w->err), -ENOENT);
	assert_said(w, ERROR_KERNEL, "IOASID_DETACH", NULL, NULL);
	ops->device_close(narrow);
	ops->device_close(one);
	ops->device_close(two);
}

/* Limits: of domains, of locked memory. */
static void test_limits(void **state)
{
	static const char machine[] =
		"{\"schema_version\": 1, \"max_domains\": 1, \"max_pinned_bytes\": \"32K\","
		"\"iommus\": ["
		"{\"name\": \"a\", \"format\": \"x\", \"address_bits\": 48, \"page_sizes\": [\"4K\"]},"
		"{\"name\": \"b\", \"format\": \"x\", \"address_bits\": 48, \"page_sizes\": [\"4K\"]}],"
		"\"groups\": [{\"id\": 1}, {\"id\": 2}], \"devices\": ["
		"{\"pci\": \"0000:01:00.0\", \"iommu\": \"a\", \"group\": 1},"
		"{\"pci\": \"0000:02:00.0\", \"iommu\": \"b\", \"group\": 2}]}";
	struct world w = {.memory = pages(64 * K)};
	struct iommu_fd spec = fd_spec();
	struct driver_device *one, *two;
	uint32_t id;

	(void)state;
	bench_setup(&w.bench, machine);
	w.env.refdev = w.bench.refdev;
	spec.accounting = ACCOUNTING_USER;
	assert_int_equal(ops->open(&w.env, &spec, &w.fd, &w.err), 0);
	id = allocated(&w, 0);
	one = bound(&w, SELECTOR_PCI, "0000:01:00.0");
	two = bound(&w, SELECTOR_PCI, "0000:02:00.0");
	assert_int_equal(map_at(&w, id, 0, 16 * K), 0);
	assert_int_equal(map_at(&w, id, 0x10000, 32 * K), -ENOMEM);
	assert_said(&w, ERROR_MEMORY, "IOASID_MAP_DMA", NULL,
		    "the limit of locked memory is 32K, and this fd has 16K of it");
	assert_int_equal(ops->attach(w.fd, one, id, NO_PASID, &w.err), 0);
	assert_int_equal(ops->attach(w.fd, two, id, NO_PASID, &w.err), -ENOSPC);
	assert_said(&w, ERROR_KERNEL, "IOASID_ATTACH", NULL,
		    "the device sits behind another IOMMU than those attached so far, and this "
		    "kernel serves 1 domain per IOASID");
	ops->device_close(one);
	ops->device_close(two);
	ops->close(w.fd);
	bench_teardown(&w.bench);
	munmap(w.memory, 64 * K);
}

static void test_trace(void **state)
{
	struct world *w = *state;
	struct driver_device *dev;
	char line[200];
	uint32_t id;

	w->env.trace = keep_line;
	id = allocated(w, IOASID_FLAG_NEST_PARENT);
	map_at(w, id, 0x1000, 4 * K);
	map_at(w, id, 0x1000, 4 * K);
	dev = bound(w, SELECTOR_PCI, "0000:00:03.0");
	ops->attach(w->fd, dev, id, NO_PASID, &w->err);
	ops->device_close(dev);
	w->env.trace = NULL;
	assert_non_null(strstr(w->trace,
			       "ioctl(main, IOASID_ALLOC, kind 0 flags 0x1 parent -1) = 0 "
			       "ioasid 1\n"));
	snprintf(line, sizeof(line),
		 "ioctl(main, IOASID_MAP_DMA, ioasid 1 iova 0x1000 size 0x1000 vaddr %p rw) = 0\n",
		 (void *)w->memory);
	assert_non_null(strstr(w->trace, line));
	assert_non_null(strstr(w->trace, "rw) = -EEXIST\n"));
	assert_non_null(strstr(w->trace, "ioctl(main, IOASID_ATTACH, cookie 1 ioasid 1 pasid -1) "
					 "= 0\n"));
	assert_non_null(strstr(w->trace, "ioctl(machine, IOASID_QUERY_DEVICE, pci 0000:00:03.0) = "
					 "0 present 1 group 2 driver \"\"\n"));
	assert_non_null(strstr(w->trace, "ioctl(main, IOASID_UNBIND_DEVICE, cookie 1) = 0\n"));
	error_free(w->err);
	w->err = NULL;
}

static void test_unavailable(void **state)
{
	struct driver_env env = {.root = "/nowhere"};
	struct iommu_fd spec = fd_spec();
	struct world w = {0};

	(void)state;
	assert_int_equal(ops->available(&env, NULL, &w.err), -ENOENT);
	assert_non_null(w.err->hint);
	assert_said(&w, ERROR_UNAVAILABLE, NULL,
		    "can't open /nowhere/dev/ioasid: No such file or directory", NULL);
	spec.node = (char *)"/dev/other";
	assert_int_equal(ops->open(&env, &spec, &w.fd, &w.err), -ENOENT);
	assert_null(w.fd);
	assert_said(&w, ERROR_UNAVAILABLE, NULL,
		    "can't open /nowhere/dev/other: No such file or directory", NULL);
	/* a file that is no such device */
	env.root = "";
	assert_int_equal(ops->available(&env, "/dev/null", &w.err), -ENOTTY);
	assert_said(&w, ERROR_UNAVAILABLE, "IOASID_CHECK_EXTENSION",
		    "/dev/null is not an ioasid device: Inappropriate ioctl for device", NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_find),
		TEST(test_set_driver),
		TEST(test_life),
		TEST(test_close_order),
		TEST(test_map_refusals),
		TEST(test_copy_allow_list),
		TEST(test_list),
		TEST(test_bind_refusals),
		TEST(test_attach_refusals),
		cmocka_unit_test(test_limits),
		TEST(test_trace),
		cmocka_unit_test(test_unavailable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
