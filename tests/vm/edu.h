/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user-space driver of QEMU's edu device, as far as DMA goes, that has its descriptors from
 * `ioasidctl run`. TAP on stdout. Uses nothing of libioasidctl.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_FDS_START 3
#define PAGE		 4096UL
/* Half of the device's buffer: it refuses transfers that touch its last byte. */
#define CHUNK 2048UL

/* What we need of linux/vfio.h. */
struct region_info {
	uint32_t argsz, flags, index, cap_offset;
	uint64_t size, offset;
};
#define GET_REGION_INFO	      _IO(';', 100 + 8)
#define REGION_BAR0	      0
#define REGION_CONFIG	      7
#define PCI_COMMAND	      4
#define PCI_COMMAND_MEMORY    0x2
#define PCI_COMMAND_BUSMASTER 0x4

/* The edu device: registers of BAR 0, its 4 KiB buffer, the 28 address bits it has. */
#define EDU_DMA_SOURCE	    0x80
#define EDU_DMA_DESTINATION 0x88
#define EDU_DMA_COUNT	    0x90
#define EDU_DMA_COMMAND	    0x98
#define EDU_DMA_START	    0x1
#define EDU_DMA_TO_MEMORY   0x2
#define EDU_BUFFER	    0x40000
#define EDU_ADDRESS_LAST    0x0fffffffUL

static int n_tests, n_failed;

static inline bool __attribute__((format(printf, 2, 3))) check(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%sok %d - ", ok ? "" : "not ", ++n_tests);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	n_failed += !ok;
	return ok;
}

static inline void __attribute__((noreturn, format(printf, 1, 2))) bail_out(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("not ok %d - ", ++n_tests);
	vprintf(fmt, ap);
	printf("\n1..%d\n", n_tests);
	va_end(ap);
	exit(1);
}

/* The descriptor of that name among the inherited ones. */
static inline int inherited_fd(const char *name)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	const char *names = getenv("LISTEN_FDNAMES");
	int n = count ? atoi(count) : 0;

	if (!pid || atol(pid) != getpid())
		bail_out("LISTEN_PID is %s, this process is %ld", pid ? pid : "not set",
			 (long)getpid());
	for (int i = 0; names && i < n; i++) {
		size_t length = strcspn(names, ":");

		if (length == strlen(name) && !strncmp(names, name, length))
			return LISTEN_FDS_START + i;
		names += length + (names[length] == ':');
	}
	bail_out("no descriptor %s among the %d of LISTEN_FDNAMES=%s", name, n,
		 getenv("LISTEN_FDNAMES"));
}

static inline uint64_t region_offset(int device, uint32_t index, uint64_t *size)
{
	struct region_info info = {.argsz = sizeof(info), .index = index};

	if (ioctl(device, GET_REGION_INFO, &info))
		bail_out("VFIO_DEVICE_GET_REGION_INFO %u: %m", index);
	*size = info.size;
	return info.offset;
}

static inline volatile uint8_t *open_registers(int device)
{
	uint64_t size, offset = region_offset(device, REGION_CONFIG, &size);
	uint16_t command;
	void *bar;

	/* VFIO hands devices over with bus mastering off. */
	if (pread(device, &command, sizeof(command), offset + PCI_COMMAND) != sizeof(command))
		bail_out("PCI command register: %m");
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_BUSMASTER;
	if (pwrite(device, &command, sizeof(command), offset + PCI_COMMAND) != sizeof(command))
		bail_out("PCI command register: %m");
	offset = region_offset(device, REGION_BAR0, &size);
	bar = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device, offset);
	if (bar == MAP_FAILED)
		bail_out("BAR 0 can't be mapped: %m");
	return bar;
}

/* `size` bytes between the start of the device's buffer and the IOVA. */
static inline void transfer(volatile uint8_t *registers, uint64_t iova, uint64_t size,
			    bool to_memory)
{
	volatile uint64_t *command = (volatile uint64_t *)(registers + EDU_DMA_COMMAND);
	struct timespec pause = {.tv_nsec = 5000000};

	*(volatile uint64_t *)(registers + EDU_DMA_SOURCE) = to_memory ? EDU_BUFFER : iova;
	*(volatile uint64_t *)(registers + EDU_DMA_DESTINATION) = to_memory ? iova : EDU_BUFFER;
	*(volatile uint64_t *)(registers + EDU_DMA_COUNT) = size;
	*command = EDU_DMA_START | (to_memory ? EDU_DMA_TO_MEMORY : 0);
	while (*command & EDU_DMA_START)
		nanosleep(&pause, NULL);
}
