// SPDX-License-Identifier: GPL-2.0-or-later
/* What holds for every call: its struct's size, what is beyond it, its flags, its reserved fields.
 */
#include "support_refdev.h"

#include <errno.h>

static const struct {
	const char *name;
	unsigned long command;
	uint32_t size;
	size_t reserved; /* offset of a field that must be 0; 0: none */
} calls[] = {
#define CALL(command, type)                                        \
	{                                                          \
#command, IOASID_##command, sizeof(struct type), 0 \
	}
#define CALL_WITH(command, type, field)                                                       \
	{                                                                                     \
#command, IOASID_##command, sizeof(struct type), offsetof(struct type, field) \
	}
	CALL(CHECK_EXTENSION, ioasid_extension_args),
	CALL_WITH(ALLOC, ioasid_alloc_args, table.reserved),
	CALL_WITH(FREE, ioasid_free_args, reserved),
	CALL(GET_INFO, ioasid_info_args),
	CALL_WITH(MAP_DMA, ioasid_map_args, reserved),
	CALL_WITH(UNMAP_DMA, ioasid_unmap_args, reserved),
	CALL(COPY_DMA, ioasid_copy_args),
	CALL(INVALIDATE_CACHE, ioasid_invalidate_args),
	CALL(SET_ALLOWED, ioasid_allowed_args),
	CALL_WITH(QUERY_DEVICE, ioasid_query_args, device.reserved),
	CALL_WITH(BIND_DEVICE, ioasid_bind_args, device.reserved),
	CALL(UNBIND_DEVICE, ioasid_unbind_args),
	CALL(DEVICE_GET_INFO, ioasid_device_info_args),
	CALL(ATTACH, ioasid_attach_args),
	CALL_WITH(DETACH, ioasid_detach_args, reserved),
	CALL_WITH(LIST, ioasid_list_args, reserved),
	CALL(GET_FD_INFO, ioasid_fd_info_args),
	CALL_WITH(SET_ACCOUNTING, ioasid_accounting_args, reserved),
	CALL_WITH(SET_DIRTY, ioasid_set_dirty_args, reserved),
	CALL_WITH(READ_DIRTY, ioasid_read_dirty_args, reserved),
	CALL(SET_EVENTFD, ioasid_eventfd_args),
	CALL(READ_FAULTS, ioasid_read_faults_args),
	CALL_WITH(ANSWER_FAULT, ioasid_answer_fault_args, reserved),
	CALL_WITH(VIOMMU_ALLOC, ioasid_viommu_args, reserved),
	CALL(VDEVICE_ALLOC, ioasid_vdevice_args),
	CALL_WITH(HW_QUEUE_ALLOC, ioasid_hw_queue_args, reserved),
	CALL_WITH(EVENT_QUEUE_ALLOC, ioasid_event_queue_args, reserved),
	CALL(READ_EVENTS, ioasid_read_events_args),
	CALL_WITH(SET_HOST_DRIVER, ioasid_host_driver_args, device.reserved),
	CALL(TEST_DMA, ioasid_test_dma_args),
};

#define ROOM 8192

static void test_every_call(void **state)
{
	struct bench b;

	(void)state;
	bench_setup(&b, NULL);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		static _Alignas(8) char args[ROOM];
		uint32_t *argsz = (uint32_t *)args, *flags = argsz + 1;

		print_message("%s\n", calls[i].name);
		memset(args, 0, sizeof(args));
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, NULL), -EFAULT);
		*argsz = calls[i].size - 1;
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, args), -EINVAL);
		*argsz = 0;
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, args), -EINVAL);
		*argsz = ROOM;
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, args), -E2BIG);
		*argsz = calls[i].size + 8;
		args[calls[i].size + 7] = 1;
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, args), -E2BIG);
		*argsz = calls[i].size;
		*flags = 1U << 31;
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, args), -EOPNOTSUPP);
		*flags = 0;
		if (!calls[i].reserved)
			continue;
		if (calls[i].command == IOASID_ALLOC)
			((struct ioasid_alloc_args *)args)->kind = IOASID_KIND_NESTED;
		args[calls[i].reserved] = 1;
		assert_int_equal(refdev_ioctl(b.file, calls[i].command, args), -EOPNOTSUPP);
	}
	assert_int_equal(rd_fd_info(b.file).n_ioasids, 0);
	bench_teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
