// SPDX-License-Identifier: GPL-2.0-or-later
/* QEMU's edu device, by VFIO: real DMA. */
#include <errno.h>
#include <string.h>

#include "../vm/support_edu.h"
#include "hardware.h"

static int open_edu(const struct agent *agent, volatile uint8_t **registers)
{
	int fd = agent->ops->device_fd_number(agent->device);

	if (fd < 0 || agent->pasid != NO_PASID)
		return -EBADF;
	*registers = open_registers(fd);
	return 0;
}

static int reaches(const struct agent *agent, uint64_t iova, unsigned char *va)
{
	static uint64_t salt; /* what an earlier DMA left in its buffer must not do */
	volatile uint8_t *registers;
	int ret = open_edu(agent, &registers);

	if (ret)
		return ret;
	fill((uint64_t *)va, CHUNK_WORDS, ++salt);
	transfer(registers, iova, REACH, false);
	memset(va, 0, REACH);
	transfer(registers, iova, REACH, true);
	close_registers(registers);
	return is_filled((uint64_t *)va, CHUNK_WORDS, salt);
}

static int soil(const struct agent *agent, uint64_t iova)
{
	volatile uint8_t *registers;
	int ret = open_edu(agent, &registers);

	if (ret)
		return ret;
	transfer(registers, iova, sizeof(uint64_t), true);
	close_registers(registers);
	return 0;
}

static int stray(const struct agent *agent)
{
	return soil(agent, 0x7000000);
}

const struct device_hardware edu_hardware = {reaches, soil, NULL, stray};
