// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux's mock devices do no DMA: the kernel looks into the page table, and sets off itself what
 * DMA would.
 */
#include <errno.h>

#include "driver/iommufd.h"
#include "hardware.h"

#define PAGE 4096UL

static int test_op(const struct agent *agent, struct iommufd_test args)
{
	args.size = sizeof(args);
	return iommufd_call(agent->fd->fd, IOMMUFD_TEST, &args);
}

static int reaches(const struct agent *agent, uint64_t iova, unsigned char *va)
{
	const struct iommufd_place *place = iommufd_find_place(agent->device, agent->pasid);
	int ret;

	if (!place)
		return 0;
	*va = 0x5a; /* it is there */
	ret = test_op(agent,
		      (struct iommufd_test){
			      .op = IOMMUFD_TEST_CHECK_MAP,
			      .id = place->hwpt,
			      .check_map = {.iova = iova, .length = REACH, .va = (uintptr_t)va}});
	/* EINVAL: something else is there, or nothing. */
	return ret == -EINVAL ? 0 : ret ? ret : 1;
}

static int soil(const struct agent *agent, uint64_t iova)
{
	const struct iommufd_place *place = iommufd_find_place(agent->device, agent->pasid);
	uint64_t bit = 1;

	if (!place)
		return -ENOENT;
	return test_op(agent, (struct iommufd_test){.op = IOMMUFD_TEST_DIRTY,
						    .id = place->hwpt,
						    .dirty = {.iova = iova & ~(PAGE - 1),
							      .length = PAGE,
							      .page_size = PAGE,
							      .bitmap = (uintptr_t)&bit}});
}

static int fault(const struct agent *agent, uint64_t iova)
{
	return test_op(agent,
		       (struct iommufd_test){
			       .op = IOMMUFD_TEST_TRIGGER_FAULT,
			       .fault = {.device_id = agent->device->id,
					 .pasid = agent->pasid == NO_PASID ? 0 : agent->pasid,
					 .group = 1,
					 .perm = 1,
					 .addr = iova}});
}

static int stray(const struct agent *agent)
{
	return test_op(agent, (struct iommufd_test){.op = IOMMUFD_TEST_TRIGGER_EVENT,
						    .event.device_id = agent->device->id});
}

const struct device_hardware mock_hardware = {reaches, soil, fault, stray};
