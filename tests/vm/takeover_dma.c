/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA of a device (QEMU's edu) that a holder has, seen from outside: for tests of what becomes of
 * it when another holder takes over. Gets the holder's descriptors as a debugger would. As root.
 * Uses nothing of libioasidctl. Prints TAP.
 *
 *	takeover_dma in PID MEMORY IOVA	the device reads a pattern there, and keeps it
 *	takeover_dma out PID MEMORY IOVA	it writes there what it has kept: the same pattern
 *	takeover_dma run PID MEMORY IOVA	it writes there, over and over, until standard
 *						input ends; each byte must arrive
 *
 * IOVA is where the first chunk of the memory is mapped. Only `run` holds anything by itself
 * meanwhile: that the device has kept its pattern between `in` and `out` means that it was never
 * closed, which would have reset it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support_edu.h"

#define SALT 77

/* The process's descriptor of the file whose name begins so. */
static int take(const char *pid, const char *name)
{
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
	char path[64], link[128];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", atoi(pid));
	dir = opendir(path);
	for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		link[n < 0 ? 0 : n] = '\0';
		if (!strncmp(link, name, strlen(name)))
			return (int)syscall(SYS_pidfd_getfd, pidfd, atoi(e->d_name), 0);
	}
	bail_out("process %s has no %s open", pid, name);
}

static void run(volatile uint8_t *registers, uint64_t *words, uint64_t iova)
{
	struct pollfd end = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned long n = 0, lost = 0;

	fill(words, CHUNK_WORDS, SALT);
	transfer(registers, iova, CHUNK, false);
	while (!poll(&end, 1, 0)) {
		memset(words, 0, CHUNK);
		transfer(registers, iova, CHUNK, true);
		lost += !is_filled(words, CHUNK_WORDS, SALT);
		if (!n++) {
			puts("# running");
			fflush(stdout);
		}
	}
	check(!lost, "of %lu transfers meanwhile, none is lost", n);
}

int main(int argc, char **argv)
{
	volatile uint8_t *registers;
	char memory[64];
	uint64_t *words, iova;

	if (argc != 5) {
		fprintf(stderr, "usage: %s in|out|run PID MEMORY IOVA\n", argv[0]);
		return 64;
	}
	snprintf(memory, sizeof(memory), "/memfd:%s", argv[3]);
	iova = strtoull(argv[4], NULL, 0);
	words = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, take(argv[2], memory), 0);
	if (words == MAP_FAILED)
		bail_out("memory %s can't be mapped: %m", argv[3]);
	registers = open_registers(take(argv[2], "/dev/vfio/devices/"));
	if (!strcmp(argv[1], "run")) {
		run(registers, words, iova);
	} else if (!strcmp(argv[1], "in")) {
		fill(words, CHUNK_WORDS, SALT);
		transfer(registers, iova, CHUNK, false);
		memset(words, 0, CHUNK);
		check(true, "the device has read at IOVA %#lx", iova);
	} else {
		transfer(registers, iova, CHUNK, true);
		check(is_filled(words, CHUNK_WORDS, SALT),
		      "it has kept what it read, and it arrives at IOVA %#lx", iova);
	}
	return conclude();
}
