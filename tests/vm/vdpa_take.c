/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program as QEMU's vhost-vdpa is one, which gets the node of a vDPA device from `ioasidctl run`.
 *
 *	vdpa_take free FD	the device is attached nowhere: takes it into use, maps memory of
 *its own for it, sends a packet vdpa_take taken FD	it is attached: asks it what it is; the rest
 *the kernel refuses
 *
 * Uses nothing of libioasidctl. Prints TAP.
 */
#include <errno.h>
#include <linux/vhost.h>
#include <linux/vhost_types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support_edu.h"
#include "support_vdpa.h"

#define SIZE	 (1UL << 20)
#define IOVA	 0x40000000UL
#define PACKETS	 0x80000UL
#define RECEIVED 0xc0000UL

static void map(int device, const unsigned char *memory)
{
	struct vhost_msg_v2 message = {.type = VHOST_IOTLB_MSG_V2,
				       .iotlb = {.iova = IOVA,
						 .size = SIZE,
						 .uaddr = (uintptr_t)memory,
						 .perm = VHOST_ACCESS_RW,
						 .type = VHOST_IOTLB_UPDATE}};

	check(write(device, &message, sizeof(message)) == sizeof(message), "memory is mapped");
}

static void use_it(int device)
{
	uint64_t features = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2;
	struct queue queues[2];
	unsigned char *memory =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		bail_out("mmap: %s", strerror(errno));
	check(!ioctl(device, VHOST_SET_OWNER), "nobody has taken it into use");
	vdpa_call(device, VHOST_SET_BACKEND_FEATURES, &features, "VHOST_SET_BACKEND_FEATURES");
	make_packet(memory + PACKETS, 5);
	vdpa_begin(device, 0);
	/* A reset drops mappings, unless VHOST_BACKEND_F_IOTLB_PERSIST was agreed on. */
	map(device, memory);
	for (unsigned i = RECEIVE; i <= SEND; i++)
		vdpa_set_up(device, &queues[i], i, memory + i * QUEUE_SIZE, IOVA + i * QUEUE_SIZE);
	vdpa_run(device);
	queue_offer(&queues[RECEIVE], IOVA + RECEIVED, true);
	queue_offer(&queues[SEND], IOVA + PACKETS, false);
	queue_kick(&queues[SEND]);
	check(queue_comes(&queues[RECEIVE], 1, 300) &&
		      is_same_packet(memory + RECEIVED, memory + PACKETS),
	      "a packet goes through the program's own memory");
	vdpa_stop(device, queues, 2);
}

static bool fails(int device, unsigned long request, void *args, int with)
{
	return ioctl(device, request, args) < 0 && errno == with;
}

static void ask_it(int device)
{
	struct vhost_vring_state state = {.index = 0, .num = RING_SIZE};
	unsigned char mac[6];
	uint32_t id = 0;

	vdpa_call(device, VHOST_VDPA_GET_DEVICE_ID, &id, "VHOST_VDPA_GET_DEVICE_ID");
	read_mac(device, mac);
	check(id == 1, "it says what it is");
	vdpa_begin(device, 0);
	check(true, "features can be agreed on");
	check(fails(device, VHOST_SET_OWNER, NULL, EBUSY), "it has an owner already");
	check(fails(device, VHOST_RESET_OWNER, NULL, EPERM), "whom nobody else can replace");
	check(fails(device, VHOST_SET_VRING_NUM, &state, EPERM), "nor set up virtqueues");
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		bail_out("usage: vdpa_take free|taken FD");
	if (!strcmp(argv[1], "free"))
		use_it(atoi(argv[2]));
	else
		ask_it(atoi(argv[2]));
	return conclude();
}
