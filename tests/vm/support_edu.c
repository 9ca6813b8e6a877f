// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_edu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LISTEN_FDS_START 3

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

/* The edu device: registers of BAR 0, its 4 KiB buffer. */
#define EDU_BAR_SIZE	    (1UL << 20)
#define EDU_DMA_SOURCE	    0x80
#define EDU_DMA_DESTINATION 0x88
#define EDU_DMA_COUNT	    0x90
#define EDU_DMA_COMMAND	    0x98
#define EDU_DMA_START	    0x1
#define EDU_DMA_TO_MEMORY   0x2
#define EDU_BUFFER	    0x40000

static int n_tests, n_failed;

bool check(bool ok, const char *fmt, ...)
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

void bail_out(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("not ok %d - ", ++n_tests);
	vprintf(fmt, ap);
	printf("\n1..%d\n", n_tests);
	va_end(ap);
	exit(1);
}

int inherited_fd(const char *name)
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

int conclude(void)
{
	printf("1..%d\n", n_tests);
	return n_failed ? 1 : 0;
}

static uint64_t region_offset(int device, uint32_t index, uint64_t *size)
{
	struct region_info info = {.argsz = sizeof(info), .index = index};

	if (ioctl(device, GET_REGION_INFO, &info))
		bail_out("VFIO_DEVICE_GET_REGION_INFO %u: %m", index);
	*size = info.size;
	return info.offset;
}

volatile uint8_t *open_registers(int device)
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

void close_registers(volatile uint8_t *registers)
{
	munmap((void *)registers, EDU_BAR_SIZE);
}

void transfer(volatile uint8_t *registers, uint64_t iova, uint64_t length, bool to_memory)
{
	volatile uint64_t *command = (volatile uint64_t *)(registers + EDU_DMA_COMMAND);
	struct timespec pause = {.tv_nsec = 5000000};

	*(volatile uint64_t *)(registers + EDU_DMA_SOURCE) = to_memory ? EDU_BUFFER : iova;
	*(volatile uint64_t *)(registers + EDU_DMA_DESTINATION) = to_memory ? iova : EDU_BUFFER;
	*(volatile uint64_t *)(registers + EDU_DMA_COUNT) = length;
	*command = EDU_DMA_START | (to_memory ? EDU_DMA_TO_MEMORY : 0);
	while (*command & EDU_DMA_START)
		nanosleep(&pause, NULL);
}

uint64_t pattern(uint64_t salt, uint64_t index)
{
	return (salt << 56 | (index + 1)) * 0x9e3779b97f4a7c15UL;
}

void fill(uint64_t *words, uint64_t count, uint64_t salt)
{
	for (uint64_t i = 0; i < count; i++)
		words[i] = pattern(salt, i);
}

bool is_filled(const uint64_t *words, uint64_t count, uint64_t salt)
{
	for (uint64_t i = 0; i < count; i++)
		if (words[i] != pattern(salt, i))
			return false;
	return true;
}
