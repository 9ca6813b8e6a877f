/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtqueues of a vDPA network device (vdpasim_net) by vhost-vdpa, for programs that print TAP. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RING_SIZE  8
#define QUEUE_SIZE 0x4000UL /* room for a ring in the memory */
#define LENGTH	   200UL /* of a packet, with its header */
#define HEADER	   12 /* virtio_net_hdr_v1 */

enum { RECEIVE, SEND, CONTROL };

#define FEATURE_CONTROL (1ULL << 17) /* VIRTIO_NET_F_CTRL_VQ */

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};
#define DESCRIPTOR_NEXT	 1
#define DESCRIPTOR_WRITE 2

struct available {
	uint16_t flags, index, ring[RING_SIZE];
};

struct used {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[RING_SIZE];
};

struct queue {
	struct descriptor *descriptors;
	volatile struct available *available;
	volatile struct used *used;
	int kick;
};

/* An ioctl that must work. */
void vdpa_call(int device, unsigned long request, void *args, const char *what);
/* Resets the device and agrees on VIRTIO 1 with an IOMMU, and on `features`. */
void vdpa_begin(int device, uint64_t features);
/* A ring at `at`, where the device is told that it is at `iova`. */
void vdpa_set_up(int device, struct queue *q, unsigned index, unsigned char *at, uint64_t iova);
void vdpa_run(int device);
void vdpa_stop(int device, struct queue *queues, unsigned n);
/* One buffer, in one descriptor. */
void queue_offer(struct queue *q, uint64_t address, bool to_write);
void queue_kick(const struct queue *q);
/* Waits for as long as a slow machine may take; false: nothing came for so many tenths of a second.
 */
bool queue_comes(const struct queue *q, uint16_t wanted, unsigned tenths);

void make_packet(unsigned char *packet, unsigned char seed);
bool is_same_packet(const unsigned char *a, const unsigned char *b);
void read_mac(int device, unsigned char mac[6]);
