/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that has its devices managed by the library: applies a config with a vDPA network
 * device, drives virtqueues of it that lie in the declared memory, at declared addresses, and sends
 * packets, which the simulator (vdpasim_net) gives back. Then rings or packets lie where nothing is
 * mapped: and nothing moves. Prints TAP.
 *
 * It is the process that applies which drives the virtqueues, since the kernel lets only the owner
 * of the node (who fills the IOTLB) set up rings.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioasidctl.h"
#include "support_edu.h"
#include "support_vdpa.h"

#define RAM_SIZE   (4UL << 20)
#define RAM_IOVA   0x1000000UL
#define MOVED_IOVA 0x2000000UL
#define EMPTY_IOVA 0x5000000UL
#define PACKETS	   0x100000UL /* offset of packets to send, and RECEIVED of those that come */
#define RECEIVED   0x200000UL
#define STRANGER   0x300000UL /* where only the VFIO device has something to do */

#define HEAD(name, devices)                                                                \
	"version: 1\nname: " name "\n"                                                     \
	"memory: [{name: ram, size: 4M}, {name: control, size: 1M}]\n"                     \
	"devices:\n"                                                                       \
	"  - {name: net0, vdpa: vdpa3, management: vdpasim_net,\n"                         \
	"     mac: '52:54:00:12:34:56', mtu: 1400, driver: vhost_vdpa}\n" devices "fds:\n" \
	"  - name: main\n"                                                                 \
	"    ioasids:\n"                                                                   \
	"      - name: gpa\n"                                                              \
	"        map: [{iova: 0x1000000, memory: ram, length: 4M}]\n"

static const char packets[] = HEAD("packets", "") "        attach: [{device: net0}]\n";
static const char moved[] =
	HEAD("packets", "") "      - name: second\n"
			    "        map: [{iova: 0x2000000, memory: ram, length: 4M}]\n"
			    "        attach: [{device: net0}]\n";
static const char shared[] =
	HEAD("shared", "  - {name: edu0, pci: '0000:00:03.0', driver: vfio-pci}\n") //
	"        attach: [{device: net0}, {device: edu0}]\n";
/* Two memories at one address, each for a group of virtqueues. */
static const char groups[] =
	HEAD("groups", "") "        attach: [{device: net0}]\n"
			   "      - name: second\n"
			   "        map: [{iova: 0x1000000, memory: control, length: 1M}]\n"
			   "        attach: [{device: net0, vq_group: 1}]\n";

static struct ioasidctl *ctx;
static unsigned char *ram;
static int device, n;

static void fail(const char *what, const struct ioasidctl_error *error)
{
	bail_out("%s: %s (%s)", what, ioasidctl_error_message(error),
		 ioasidctl_error_cause(error) ? ioasidctl_error_cause(error) : "");
}

static int descriptor(const char *topology, const char *object)
{
	struct ioasidctl_error *error = NULL;
	int fd = ioasidctl_descriptor(ctx, topology, object, &error);

	if (fd < 0)
		fail(object, error);
	return fd;
}

static unsigned char *map_memory(const char *topology, const char *name, size_t size)
{
	void *at =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor(topology, name), 0);

	if (at == MAP_FAILED)
		bail_out("mmap: %s", strerror(errno));
	return at;
}

static void begin(const char *topology, const char *config)
{
	struct ioasidctl_error *error = NULL;

	if (ioasidctl_apply(ctx, config, strlen(config), "config", NULL, 0, NULL, &error))
		fail(topology, error);
	device = descriptor(topology, "net0");
	ram = map_memory(topology, "ram", RAM_SIZE);
}

static void end(const char *topology)
{
	struct ioasidctl_error *error = NULL;

	munmap(ram, RAM_SIZE);
	if (ioasidctl_delete(ctx, topology, 0, NULL, &error))
		fail("delete", error);
	check(access("/sys/bus/vdpa/devices/vdpa3", F_OK) < 0, "%s: the device is deleted",
	      topology);
}

static void start(struct queue queues[2], uint64_t rings, uint64_t features)
{
	vdpa_begin(device, features);
	for (unsigned i = RECEIVE; i <= SEND; i++)
		vdpa_set_up(device, &queues[i], i, ram + i * QUEUE_SIZE, rings + i * QUEUE_SIZE);
}

static bool send_one(struct queue queues[2], uint64_t from, uint64_t to, unsigned tenths)
{
	queue_offer(&queues[RECEIVE], to, true);
	queue_offer(&queues[SEND], from, false);
	queue_kick(&queues[SEND]);
	return queue_comes(&queues[RECEIVE], 1, tenths);
}

/* Whether a packet that lies at `from` comes to `to`. */
static bool moves(uint64_t rings, uint64_t from, uint64_t to, unsigned tenths)
{
	struct queue queues[2];
	bool came;

	memset(ram + RECEIVED, 0, LENGTH);
	make_packet(ram + PACKETS, (unsigned char)++n);
	start(queues, rings, 0);
	vdpa_run(device);
	came = send_one(queues, from, to, tenths);
	vdpa_stop(device, queues, 2);
	return came && is_same_packet(ram + RECEIVED, ram + PACKETS);
}

static bool is_untouched(void)
{
	for (unsigned i = 0; i < LENGTH; i++)
		if (ram[RECEIVED + i])
			return false;
	return true;
}

static void try_packets(void)
{
	static const unsigned char declared[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
	unsigned char mac[6];

	begin("packets", packets);
	read_mac(device, mac);
	check(!memcmp(mac, declared, 6), "the device has the declared address");
	check(moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	      "a packet goes from one declared address to another");
	check(moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	      "again, after a reset of the device: the mappings are still there");
	check(!moves(RAM_IOVA, RAM_IOVA + PACKETS, EMPTY_IOVA, 20) && is_untouched(),
	      "to where nothing is mapped: nothing comes");
	check(!moves(RAM_IOVA, EMPTY_IOVA, RAM_IOVA + RECEIVED, 20) && is_untouched(),
	      "from where nothing is mapped: nothing comes");
	check(!moves(EMPTY_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 20) && is_untouched(),
	      "rings where nothing is mapped: nothing comes");
	check(!moves((uintptr_t)ram, (uintptr_t)ram + PACKETS, (uintptr_t)ram + RECEIVED, 20) &&
		      is_untouched(),
	      "the process's own addresses are none of the device's");
	check(moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	      "and where it is mapped, it still goes");
	end("packets");
}

/* The device is in another IOASID, with the memory somewhere else, before a driver begins anew. */
static void try_moved(void)
{
	struct ioasidctl_error *error = NULL;

	begin("packets", packets);
	if (ioasidctl_apply(ctx, moved, strlen(moved), "config", NULL, 0, NULL, &error))
		fail("move", error);
	check(moves(MOVED_IOVA, MOVED_IOVA + PACKETS, MOVED_IOVA + RECEIVED, 300),
	      "moved to another IOASID: a packet goes by its addresses");
	check(!moves(RAM_IOVA, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 20),
	      "moved to another IOASID: those of before lead nowhere");
	end("packets");
}

/* The VFIO device puts a packet into memory, the vDPA device sends it, the VFIO device fetches it.
 */
static void try_shared(void)
{
	volatile uint8_t *edu;
	struct queue queues[2];

	begin("shared", shared);
	edu = open_registers(descriptor("shared", "edu0"));
	make_packet(ram + STRANGER, 77);
	transfer(edu, RAM_IOVA + STRANGER, LENGTH, false);
	transfer(edu, RAM_IOVA + PACKETS, LENGTH, true);
	check(is_same_packet(ram + STRANGER, ram + PACKETS), "the VFIO device writes a packet");
	memset(ram + STRANGER, 0, LENGTH);
	start(queues, RAM_IOVA, 0);
	vdpa_run(device);
	check(send_one(queues, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300),
	      "the vDPA device sends it from the same address");
	vdpa_stop(device, queues, 2);
	transfer(edu, RAM_IOVA + RECEIVED, LENGTH, false);
	transfer(edu, RAM_IOVA + STRANGER, LENGTH, true);
	make_packet(ram + PACKETS, 77);
	check(is_same_packet(ram + STRANGER, ram + PACKETS),
	      "and the VFIO device reads there what has come");
	close_registers(edu);
	end("shared");
}

/* Sets the device's hardware address by its control queue, which lies in `at`. */
static bool set_mac(struct queue *q, unsigned char *at, uint64_t iova, unsigned char last,
		    unsigned tenths)
{
	const unsigned char command[] = {1, 1, 2, 0, 0, 0, 0, last}; /* class MAC, set; address */
	unsigned char *const buffer = at + QUEUE_SIZE;
	unsigned char mac[6];

	memcpy(buffer, command, sizeof(command));
	buffer[0x100] = 0xff;
	q->descriptors[0] =
		(struct descriptor){iova + QUEUE_SIZE, sizeof(command), DESCRIPTOR_NEXT, 1};
	q->descriptors[1] = (struct descriptor){iova + QUEUE_SIZE + 0x100, 1, DESCRIPTOR_WRITE, 0};
	q->available->ring[0] = 0;
	__sync_synchronize();
	q->available->index = 1;
	queue_kick(q);
	if (!queue_comes(q, 1, tenths))
		return false;
	read_mac(device, mac);
	return !buffer[0x100] && !memcmp(mac, command + 2, sizeof(mac));
}

/* A reset has put all groups into the first address space. */
static void start_groups(struct queue queues[2])
{
	struct vhost_vring_state state = {.index = 1, .num = 1};

	start(queues, RAM_IOVA, FEATURE_CONTROL);
	vdpa_call(device, VHOST_VDPA_SET_GROUP_ASID, &state, "VHOST_VDPA_SET_GROUP_ASID");
}

static void try_groups(void)
{
	struct queue queues[3];
	unsigned char *control;

	begin("groups", groups);
	control = map_memory("groups", "control", 1UL << 20);
	memset(ram + RECEIVED, 0, LENGTH);
	make_packet(ram + PACKETS, 99);
	start_groups(queues);
	vdpa_set_up(device, &queues[CONTROL], CONTROL, control, RAM_IOVA);
	vdpa_run(device);
	check(set_mac(&queues[CONTROL], control, RAM_IOVA, 7, 300),
	      "groups: the control queue works in its own address space");
	check(send_one(queues, RAM_IOVA + PACKETS, RAM_IOVA + RECEIVED, 300) &&
		      is_same_packet(ram + RECEIVED, ram + PACKETS),
	      "groups: the others in theirs, at the same addresses");
	vdpa_stop(device, queues, 3);
	start_groups(queues);
	vdpa_set_up(device, &queues[CONTROL], CONTROL, ram + (2UL << 20), RAM_IOVA + (2UL << 20));
	vdpa_run(device);
	check(!set_mac(&queues[CONTROL], ram + (2UL << 20), RAM_IOVA + (2UL << 20), 8, 20),
	      "groups: what only the others have isn't in the control queue's");
	vdpa_stop(device, queues, 3);
	munmap(control, 1UL << 20);
	end("groups");
}

int main(void)
{
	struct ioasidctl_error *error = NULL;

	if (ioasidctl_new(NULL, &ctx, &error))
		fail("ioasidctl_new", error);
	try_packets();
	try_moved();
	try_shared();
	try_groups();
	ioasidctl_free(ctx);
	return conclude();
}
