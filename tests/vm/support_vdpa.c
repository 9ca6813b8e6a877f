// SPDX-License-Identifier: GPL-2.0-or-later
#include "support_vdpa.h"

#include <errno.h>
#include <linux/vhost.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "support_edu.h"

/* VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM */
#define FEATURES (1ULL << 32 | 1ULL << 33)

#define ACKNOWLEDGE 1
#define DRIVER	    2
#define DRIVER_OK   4
#define FEATURES_OK 8

void vdpa_call(int device, unsigned long request, void *args, const char *what)
{
	if (ioctl(device, request, args) < 0)
		bail_out("%s: %s", what, strerror(errno));
}

static void set_status(int device, uint8_t status)
{
	vdpa_call(device, VHOST_VDPA_SET_STATUS, &status, "VHOST_VDPA_SET_STATUS");
}

void vdpa_begin(int device, uint64_t features)
{
	features |= FEATURES;
	set_status(device, 0);
	set_status(device, ACKNOWLEDGE);
	set_status(device, ACKNOWLEDGE | DRIVER);
	vdpa_call(device, VHOST_SET_FEATURES, &features, "VHOST_SET_FEATURES");
	set_status(device, ACKNOWLEDGE | DRIVER | FEATURES_OK);
}

void vdpa_set_up(int device, struct queue *q, unsigned index, unsigned char *at, uint64_t iova)
{
	struct vhost_vring_state state = {.index = index, .num = RING_SIZE};
	struct vhost_vring_addr address = {.index = index,
					   .desc_user_addr = iova,
					   .avail_user_addr = iova + 0x1000,
					   .used_user_addr = iova + 0x2000};
	struct vhost_vring_file kick = {.index = index};

	memset(at, 0, QUEUE_SIZE);
	q->descriptors = (struct descriptor *)at;
	q->available = (struct available *)(at + 0x1000);
	q->used = (struct used *)(at + 0x2000);
	q->kick = kick.fd = eventfd(0, EFD_CLOEXEC);
	vdpa_call(device, VHOST_SET_VRING_NUM, &state, "VHOST_SET_VRING_NUM");
	state.num = 0;
	vdpa_call(device, VHOST_SET_VRING_BASE, &state, "VHOST_SET_VRING_BASE");
	vdpa_call(device, VHOST_SET_VRING_ADDR, &address, "VHOST_SET_VRING_ADDR");
	vdpa_call(device, VHOST_SET_VRING_KICK, &kick, "VHOST_SET_VRING_KICK");
	state.num = 1;
	vdpa_call(device, VHOST_VDPA_SET_VRING_ENABLE, &state, "VHOST_VDPA_SET_VRING_ENABLE");
}

void vdpa_run(int device)
{
	set_status(device, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

void vdpa_stop(int device, struct queue *queues, unsigned n)
{
	set_status(device, 0);
	for (unsigned i = 0; i < n; i++)
		close(queues[i].kick);
}

void queue_offer(struct queue *q, uint64_t address, bool to_write)
{
	uint16_t index = q->available->index, slot = index % RING_SIZE;

	q->descriptors[slot] =
		(struct descriptor){address, LENGTH, to_write ? DESCRIPTOR_WRITE : 0, 0};
	q->available->ring[slot] = slot;
	__sync_synchronize();
	q->available->index = (uint16_t)(index + 1);
}

void queue_kick(const struct queue *q)
{
	if (eventfd_write(q->kick, 1))
		bail_out("kick: %s", strerror(errno));
}

bool queue_comes(const struct queue *q, uint16_t wanted, unsigned tenths)
{
	for (unsigned i = 0; i < tenths && q->used->index != wanted; i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	return q->used->index == wanted;
}

void make_packet(unsigned char *packet, unsigned char seed)
{
	memset(packet, 0, LENGTH);
	memset(packet + HEADER, 0xff, 6); /* broadcast: the simulator takes it back */
	for (unsigned i = HEADER + 6; i < LENGTH; i++)
		packet[i] = (unsigned char)(seed + i);
}

bool is_same_packet(const unsigned char *a, const unsigned char *b)
{
	return !memcmp(a + HEADER, b + HEADER, LENGTH - HEADER);
}

void read_mac(int device, unsigned char mac[6])
{
	_Alignas(struct vhost_vdpa_config) char room[sizeof(struct vhost_vdpa_config) + 6];
	struct vhost_vdpa_config *read = (struct vhost_vdpa_config *)room;

	memset(room, 0, sizeof(room));
	read->len = 6;
	vdpa_call(device, VHOST_VDPA_GET_CONFIG, read, "VHOST_VDPA_GET_CONFIG");
	memcpy(mac, read->buf, 6);
}
