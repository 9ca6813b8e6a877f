// SPDX-License-Identifier: GPL-2.0-or-later
/* The reference device's devices: they do DMA when told to. */
#include <errno.h>
#include <string.h>

#include "driver/ioasid.h"
#include "hardware.h"

/* 0, IOASID_FAULT_*, or -errno. */
static int dma(const struct agent *agent, uint64_t iova, void *buffer, size_t length, bool write)
{
	struct ioasid_test_dma_args args = {
		.flags = write ? IOASID_DMA_WRITE : 0,
		.cookie = agent->device->cookie,
		.pasid = agent->pasid == NO_PASID ? IOASID_NO_PASID : agent->pasid,
		.iova = iova,
		.length = length,
		.buffer = (uintptr_t)buffer,
	};
	int ret = ioasid_call(agent->fd, IOASID_TEST_DMA, &args, sizeof(args));

	return ret ? ret : (int)args.fault;
}

static int reaches(const struct agent *agent, uint64_t iova, unsigned char *va)
{
	unsigned char buffer[REACH];
	int ret;

	memset(va, 0x5a, REACH);
	memset(buffer, 0, REACH);
	ret = dma(agent, iova, buffer, REACH, false);
	if (ret || memcmp(buffer, va, REACH))
		return ret < 0 ? ret : 0;
	memset(buffer, 0xa5, REACH);
	ret = dma(agent, iova, buffer, REACH, true);
	return ret < 0 ? ret : !ret && !memcmp(buffer, va, REACH);
}

static int soil(const struct agent *agent, uint64_t iova)
{
	unsigned char byte = 1;
	int ret = dma(agent, iova, &byte, sizeof(byte), true);

	return ret > 0 ? -EFAULT : ret;
}

static int fault(const struct agent *agent, uint64_t iova)
{
	unsigned char byte;
	int ret = dma(agent, iova, &byte, sizeof(byte), false);

	return ret < 0 ? ret : ret == IOASID_FAULT_PENDING ? 0 : -EFAULT;
}

static int stray(const struct agent *agent)
{
	unsigned char byte;
	int ret = dma(agent, 0x7000000, &byte, sizeof(byte), false);

	return ret < 0 ? ret : ret ? 0 : -EFAULT;
}

const struct device_hardware reference_hardware = {reaches, soil, fault, stray};
