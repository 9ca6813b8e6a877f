// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long it takes to make N mappings live, against a bare loop of the same ioctls in the same
 * run; and reading the file and applying it, against libyaml's bare parse of it and that loop.
 * Rounds alternate, the best of each kind counts.
 *
 *	bench_apply [ioasid|iommufd [N...]]
 *
 * With iommufd the device has to be bound to vfio-pci already.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>

#include "apply/engine.h"
#include "config/config.h"
#include "refdev/refdev.h"
#include "uapi/ioasid.h"
#include "uapi/iommufd.h"
#include "uapi/vfio.h"

#define ROUNDS	     5
#define DEVICE	     "0000:00:03.0"
#define PAGE	     4096UL
#define MEMORY_PAGES 1024UL
#define FIRST_IOVA   0x1000000UL
/* Every other page, so that nothing can be merged. */
#define STRIDE (2 * PAGE)

enum measure { BARE, APPLY, APPLY_UNVERIFIED, PARSE, CONFIG, MEASURES };

static void __attribute__((noreturn)) die(const char *what, int errnum)
{
	fprintf(stderr, "bench_apply: %s: %s\n", what, strerror(errnum));
	exit(1);
}

static void must(const char *what, int ret)
{
	if (ret < 0)
		die(what, -ret);
}

static void must_ioctl(const char *what, int ret)
{
	if (ret < 0)
		die(what, errno);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t iova_of(size_t i)
{
	return FIRST_IOVA + i * STRIDE;
}

static uint64_t offset_of(size_t i)
{
	return i % MEMORY_PAGES * PAGE;
}

static char *write_config(const char *driver, size_t n, size_t *length)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, length);

	if (!f)
		die("config", errno);
	fprintf(f,
		"version: 1\nname: bench\n"
		"memory:\n  - {name: ram, size: %lu}\n"
		"devices:\n  - {name: dev, pci: \"" DEVICE "\", driver: vfio-pci}\n"
		"fds:\n  - name: main\n    driver: %s\n    ioasids:\n"
		"      - name: gpa\n        kind: gpa\n        attach: [{device: dev}]\n        map:\n",
		MEMORY_PAGES * PAGE, driver);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "          - {iova: 0x%lx, memory: ram, offset: 0x%lx, length: 4K}\n",
			iova_of(i), offset_of(i));
	fclose(f);
	return text;
}

static int make_memory(void)
{
	int fd = memfd_create("bench", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, MEMORY_PAGES * PAGE))
		die("memory", errno);
	return fd;
}

/* Seconds of the loop alone; opening, binding and attaching are outside of it. */
static double bare_ioasid(size_t n)
{
	struct ioasid_host_driver_args host = {
		.argsz = sizeof(host), .device.name = DEVICE, .driver = "vfio-pci"};
	struct ioasid_bind_args bind = {.argsz = sizeof(bind), .device.name = DEVICE, .cookie = 1};
	struct ioasid_alloc_args alloc = {.argsz = sizeof(alloc), .parent = IOASID_NONE};
	struct ioasid_attach_args attach = {
		.argsz = sizeof(attach), .cookie = 1, .pasid = IOASID_NO_PASID};
	int memory = make_memory();
	char *why = NULL, *va;
	struct refdev *machine;
	struct refdev_file *file;
	double start, seconds;

	must("machine", refdev_new(NULL, 0, &machine, &why));
	must("open", refdev_open(machine, &file));
	must("SET_HOST_DRIVER", refdev_ioctl(file, IOASID_SET_HOST_DRIVER, &host));
	must("BIND", refdev_ioctl(file, IOASID_BIND_DEVICE, &bind));
	must("ALLOC", refdev_ioctl(file, IOASID_ALLOC, &alloc));
	attach.ioasid = alloc.ioasid;
	va = mmap(NULL, MEMORY_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (va == MAP_FAILED)
		die("mmap", errno);
	start = now();
	for (size_t i = 0; i < n; i++) {
		struct ioasid_map_args map = {.argsz = sizeof(map),
					      .flags = IOASID_MAP_READ | IOASID_MAP_WRITE,
					      .ioasid = alloc.ioasid,
					      .iova = iova_of(i),
					      .vaddr = (uintptr_t)va + offset_of(i),
					      .size = PAGE};

		must("MAP_DMA", refdev_ioctl(file, IOASID_MAP_DMA, &map));
	}
	must("ATTACH", refdev_ioctl(file, IOASID_ATTACH, &attach));
	seconds = now() - start;
	refdev_close(file);
	refdev_free(machine);
	munmap(va, MEMORY_PAGES * PAGE);
	close(memory);
	return seconds;
}

static int open_device(void)
{
	glob_t found;
	char path[64];
	int fd;

	if (glob("/sys/bus/pci/devices/" DEVICE "/vfio-dev/vfio*", 0, NULL, &found))
		die(DEVICE " is not bound to vfio-pci", ENODEV);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	fd = open(path, O_RDWR | O_CLOEXEC);
	must_ioctl(path, fd);
	return fd;
}

static double bare_iommufd(size_t n)
{
	struct iommufd_ioas_alloc alloc = {.size = sizeof(alloc)};
	struct vfio_dev_bind_iommufd bind = {.argsz = sizeof(bind)};
	struct vfio_dev_attach_iommufd_pt attach = {.argsz = offsetof(__typeof__(attach), pasid)};
	int memory = make_memory(), device = open_device();
	int iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	double start, seconds;

	must_ioctl("/dev/iommu", iommu);
	bind.iommufd = iommu;
	must_ioctl("BIND_IOMMUFD", ioctl(device, VFIO_DEV_BIND_IOMMUFD, &bind));
	must_ioctl("IOAS_ALLOC", ioctl(iommu, IOMMUFD_IOAS_ALLOC, &alloc));
	attach.pt_id = alloc.out_ioas_id;
	start = now();
	for (size_t i = 0; i < n; i++) {
		struct iommufd_ioas_map_file map = {.size = sizeof(map),
						    .flags = IOMMUFD_MAP_FIXED_IOVA |
							     IOMMUFD_MAP_READABLE |
							     IOMMUFD_MAP_WRITEABLE,
						    .ioas_id = alloc.out_ioas_id,
						    .fd = memory,
						    .start = offset_of(i),
						    .length = PAGE,
						    .iova = iova_of(i)};

		must_ioctl("IOAS_MAP_FILE", ioctl(iommu, IOMMUFD_IOAS_MAP_FILE, &map));
	}
	must_ioctl("ATTACH", ioctl(device, VFIO_DEV_ATTACH_IOMMUFD_PT, &attach));
	seconds = now() - start;
	close(device);
	close(iommu);
	close(memory);
	return seconds;
}

static double bare_parse(const char *text, size_t length)
{
	double start = now();
	yaml_parser_t parser;
	yaml_event_t event;
	int done = 0;

	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	while (!done) {
		if (!yaml_parser_parse(&parser, &event))
			die("libyaml", EINVAL);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return now() - start;
}

/* Parses and applies once; *config gets the seconds of the former. Returns those of the latter. */
static double apply(const char *text, size_t length, bool no_verify, double *config)
{
	struct transaction how = {.no_verify = no_verify};
	struct driver_env env = {.root = ""};
	struct ioasidctl_error *err = NULL;
	struct topology *desired = NULL;
	json_t *applied = NULL, *deleted = NULL;
	struct engine *engine;
	char *why = NULL;
	double start, middle, end;

	must("machine", refdev_new(NULL, 0, &env.refdev, &why));
	must("engine", engine_new(&env, &engine, &err));
	start = now();
	if (config_parse(text, length, "bench", &desired, &err))
		die(err->message, err->errnum);
	middle = now();
	if (engine_apply(engine, desired, &how, &applied, &err))
		die(err->message, err->errnum);
	end = now();
	if (engine_delete(engine, "bench", &how, &deleted, &err))
		die(err->message, err->errnum);
	json_decref(applied);
	json_decref(deleted);
	engine_free(engine);
	refdev_free(env.refdev);
	*config = middle - start;
	return end - middle;
}

static void best(double *so_far, double seconds)
{
	if (!*so_far || seconds < *so_far)
		*so_far = seconds;
}

static void measure(const char *driver, size_t n)
{
	double t[MEASURES] = {0}, config;
	size_t length;
	char *text = write_config(driver, n, &length);

	for (int round = 0; round < ROUNDS; round++) {
		best(&t[BARE], strcmp(driver, "iommufd") ? bare_ioasid(n) : bare_iommufd(n));
		best(&t[APPLY], apply(text, length, false, &config));
		best(&t[CONFIG], config);
		best(&t[APPLY_UNVERIFIED], apply(text, length, true, &config));
		best(&t[CONFIG], config);
		best(&t[PARSE], bare_parse(text, length));
	}
	free(text);
	printf("%-8s %7zu mappings: bare loop %8.2f ms; engine %8.2f ms (x %.2f), "
	       "unverified %8.2f ms (x %.2f)\n",
	       driver, n, t[BARE] * 1e3, t[APPLY] * 1e3, t[APPLY] / t[BARE],
	       t[APPLY_UNVERIFIED] * 1e3, t[APPLY_UNVERIFIED] / t[BARE]);
	printf("%-8s %7zu mappings: libyaml + bare loop %8.2f ms; config + engine %8.2f ms (x %.2f)\n",
	       driver, n, (t[PARSE] + t[BARE]) * 1e3, (t[CONFIG] + t[APPLY]) * 1e3,
	       (t[CONFIG] + t[APPLY]) / (t[PARSE] + t[BARE]));
}

int main(int argc, char **argv)
{
	const char *driver = argc > 1 ? argv[1] : "ioasid";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc <= 2) {
		measure(driver, 10000);
		measure(driver, 100000);
	}
	for (int i = 2; i < argc; i++)
		measure(driver, strtoul(argv[i], NULL, 10));
	return 0;
}
