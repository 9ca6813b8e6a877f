/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA from one edu device into a BAR of another, through the IOMMU: a word is sent to the register
 * of the other that gives back its complement, and fetched from there.
 *
 *	ioasidctl run FILE -- edu_peer DEVICE MEMORY IOVA PEER
 *
 * MEMORY is mapped at IOVA for DEVICE, and BAR 0 of the other at PEER.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "support_edu.h"

#define EDU_LIVENESS 4

int main(int argc, char **argv)
{
	const uint32_t word = 0x12345678;
	volatile uint8_t *registers;
	volatile uint32_t *memory;
	uint64_t iova, peer;

	if (argc != 5) {
		fprintf(stderr, "usage: ioasidctl run FILE -- %s DEVICE MEMORY IOVA PEER\n",
			argv[0]);
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	iova = strtoull(argv[3], NULL, 0);
	peer = strtoull(argv[4], NULL, 0) + EDU_LIVENESS;
	registers = open_registers(inherited_fd(argv[1]));
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, inherited_fd(argv[2]), 0);
	if (memory == MAP_FAILED)
		bail_out("memory %s can't be mapped: %m", argv[2]);
	*memory = word;
	transfer(registers, iova, sizeof(word), false);
	transfer(registers, peer, sizeof(word), true);
	*memory = 0;
	transfer(registers, iova, sizeof(word), false);
	transfer(registers, peer, sizeof(word), false);
	transfer(registers, iova, sizeof(word), true);
	check(*memory == ~word, "%#x sent to the other device comes back as %#x", word, *memory);
	return conclude();
}
