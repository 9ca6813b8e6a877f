/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that has its devices managed by the library: applies a config with a vDPA network
 * device, drives two virtqueues of it that lie in the declared memory, at declared addresses, and
 * sends packets, which the simulator (vdpasim_net) gives back. Then rings or packets lie where
 * nothing is mapped: and nothing moves. Prints TAP.
 *
 * It is the process that applies which drives the virtqueues, since the kernel lets only the owner
 * of the node (who fills the IOTLB) set up rings.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ioasidctl.h"

#define RAM_SIZE   (4UL << 20)
#define RAM_IOVA   0x10000000UL
#define EMPTY_IOVA 0x50000000UL
#define RING_SIZE  8
#define QUEUE_SIZE 0x4000UL /* room for a ring in the memory */
#define PACKETS	   0x100000UL /* offset of packets to send, and RECEIVED of those that come */
#define RECEIVED   0x200000UL
#define LENGTH	   200
#define HEADER	   12 /* virtio_net_hdr_v1 */
#define RECEIVE	   0
#define SEND	   1

static const char config[] = "version: 1\n"
			     "name: packets\n"
			     "memory: [{name: ram, size: 4M}]\n"
			     "devices:\n"
			     "  - {name: net0, vdpa: vdpa3, management: vdpasim_net,\n"
			     "     mac: '52:54:00:12:34:56', mtu: 1400, driver: vhost_vdpa}\n"
			     "fds:\n"
			     "  - name: main\n"
			     "    ioasids:\n"
			     "      - name: gpa\n"
			     "        map: [{iova: 0x10000000, memory: ram, length: 4M}]\n"
			     "        attach: [{device: net0}]\n";

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags, next;
};

struct available {
	uint16_t flags, index, ring[RING_SIZE];
};

struct used {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[RING_SIZE];
};

/* One ring, at an offset of the memory. */
struct queue {
	struct descriptor *descriptors;
	volatile struct available *available;
	volatile struct used *used;
	int kick;
};

static unsigned char *ram;
static int device, n;

static void result(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++n, what);
	fflush(stdout);
}

static void die(const char *what)
{
	printf("not ok %d - %s: %s\n1..%d\n", n + 1, what, strerror(errno), n + 1);
	exit(1);
}

static void fail(const char *what, const struct ioasidctl_error *error)
{
	printf("not ok %d - %s: %s (%s)\n1..%d\n", n + 1, what, ioasidctl_error_message(error),
	       ioasidctl_error_cause(error) ? ioasidctl_error_cause(error) : "", n + 1);
	exit(1);
}

static void call(unsigned long request, void *args, const char *what)
{
	if (ioctl(device, request, args) < 0)
		die(what);
}

static void set_status(uint8_t status)
{
	call(VHOST_VDPA_SET_STATUS, &status, "VHOST_VDPA_SET_STATUS");
}

/* `iova`: where the device is told that the ring is. */
static void set_up(struct queue *q, unsigned index, uint64_t iova)
{
	unsigned char *at = ram + index * QUEUE_SIZE;
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
	call(VHOST_SET_VRING_NUM, &state, "VHOST_SET_VRING_NUM");
	state.num = 0;
	call(VHOST_SET_VRING_BASE, &state, "VHOST_SET_VRING_BASE");
	call(VHOST_SET_VRING_ADDR, &address, "VHOST_SET_VRING_ADDR");
	call(VHOST_SET_VRING_KICK, &kick, "VHOST_SET_VRING_KICK");
	state.num = 1;
	call(VHOST_VDPA_SET_VRING_ENABLE, &state, "VHOST_VDPA_SET_VRING_ENABLE");
}

static void start(struct queue queues[2], uint64_t rings)
{
	/* VIRTIO_F_VERSION_1, VIRTIO_F_ACCESS_PLATFORM */
	uint64_t features = 1ULL << 32 | 1ULL << 33;

	set_status(0);
	set_status(1); /* acknowledge */
	set_status(1 | 2); /* driver */
	call(VHOST_SET_FEATURES, &features, "VHOST_SET_FEATURES");
	set_status(1 | 2 | 8); /* features ok */
	for (unsigned i = 0; i < 2; i++)
		set_up(&queues[i], i, rings + i * QUEUE_SIZE);
	set_status(1 | 2 | 8 | 4); /* driver ok */
}

static void stop(struct queue queues[2])
{
	set_status(0);
	close(queues[0].kick);
	close(queues[1].kick);
}

static void offer(struct queue *q, uint64_t address, bool to_write)
{
	uint16_t index = q->available->index, slot = index % RING_SIZE;

	q->descriptors[slot] = (struct descriptor){address, LENGTH, to_write ? 2 : 0, 0};
	q->available->ring[slot] = slot;
	__sync_synchronize();
	q->available->index = (uint16_t)(index + 1);
}

static void kick(const struct queue *q)
{
	const uint64_t one = 1;

	if (write(q->kick, &one, sizeof(one)) != sizeof(one))
		die("kick");
}

/* Waits for as long as a slow machine may take; `wanted` 0: as long as nothing has to come. */
static bool comes(const struct queue *q, uint16_t wanted, unsigned tenths)
{
	for (unsigned i = 0; i < tenths && q->used->index != wanted; i++)
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	return q->used->index == wanted;
}

static void make_packet(unsigned char *packet, unsigned char seed)
{
	memset(packet, 0, LENGTH);
	memset(packet + HEADER, 0xff, 6); /* broadcast: the simulator takes it back */
	for (int i = HEADER + 6; i < LENGTH; i++)
		packet[i] = (unsigned char)(seed + i);
}

/* Whether a packet that lies at `from` comes to `to`. */
static bool moves(uint64_t rings, uint64_t from, uint64_t to, unsigned tenths)
{
	struct queue queues[2];
	bool came;

	memset(ram + RECEIVED, 0, LENGTH);
	make_packet(ram + PACKETS, (unsigned char)n);
	start(queues, rings);
	offer(&queues[RECEIVE], to, true);
	offer(&queues[SEND], from, false);
	kick(&queues[SEND]);
	came = comes(&queues[RECEIVE], 1, tenths);
	stop(queues);
	return came && !memcmp(ram + RECEIVED + HEADER, ram + PACKETS + HEADER, LENGTH - HEADER);
}

static bool is_untouched(void)
{
	for (int i = 0; i < LENGTH; i++)
		if (ram[RECEIVED + i])
			return false;
	return true;
}

static void check_config(void)
{
	static const unsigned char mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
	_Alignas(
		struct vhost_vdpa_config) char room[sizeof(struct vhost_vdpa_config) + sizeof(mac)];
	struct vhost_vdpa_config *read = (struct vhost_vdpa_config *)room;

	memset(room, 0, sizeof(room));
	read->len = sizeof(mac);
	call(VHOST_VDPA_GET_CONFIG, read, "VHOST_VDPA_GET_CONFIG");
	result(!memcmp(read->buf, mac, sizeof(mac)), "the device has the declared address");
}

int main(void)
{
	struct ioasidctl_error *error = NULL;
	struct ioasidctl *ctx = NULL;
	int memory;

	if (ioasidctl_new(NULL, &ctx, &error))
		fail("ioasidctl_new", error);
	if (ioasidctl_apply(ctx, config, strlen(config), "config", NULL, 0, NULL, &error))
		fail("apply", error);
	device = ioasidctl_descriptor(ctx, "packets", "net0", &error);
	memory = ioasidctl_descriptor(ctx, "packets", "ram", &error);
	if (device < 0 || memory < 0)
		fail("descriptors", error);
	ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (ram == MAP_FAILED)
		die("mmap");
	check_config();
	result(moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	       "a packet goes from one declared address to another");
	result(moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	       "again, after a reset of the device: the mappings are still there");
	result(!moves(RAM_IOVA, RAM_IOVA + PACKETS, EMPTY_IOVA, 20) && is_untouched(),
	       "to where nothing is mapped: nothing comes");
	result(!moves(RAM_IOVA, EMPTY_IOVA, RAM_IOVA + RECEIVED, 20) && is_untouched(),
	       "from where nothing is mapped: nothing comes");
	result(!moves(EMPTY_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 20) && is_untouched(),
	       "rings where nothing is mapped: nothing comes");
	result(!moves((uintptr_t)ram, (uintptr_t)ram + PACKETS, (uintptr_t)ram + RECEIVED, 20) &&
		       is_untouched(),
	       "the process's own addresses are none of the device's");
	result(moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	       "and where it is mapped, it still goes");
	if (ioasidctl_delete(ctx, "packets", 0, NULL, &error))
		fail("delete", error);
	result(access("/sys/bus/vdpa/devices/vdpa3", F_OK) < 0, "the device is deleted");
	ioasidctl_free(ctx);
	printf("1..%d\n", n);
	return 0;
}
