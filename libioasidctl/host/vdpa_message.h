/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages of the kernel's netlink family "vdpa", and of the one that knows its number. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Longer ones don't fit sysfs. */
#define VDPA_NAME_MAX 255
#define VDPA_TEXT_MAX 256

/* A management device, or a vDPA device; what the kernel didn't tell is empty or 0. */
struct vdpa_facts {
	char bus[VDPA_NAME_MAX + 1]; /* of the management device */
	char management[VDPA_NAME_MAX + 1];
	char name[VDPA_NAME_MAX + 1]; /* of the device */
	uint64_t classes; /* that the management device makes: bits by virtio device id */
	uint32_t device_id; /* of virtio: 1 network, 2 block */
	uint32_t max_queues;
	uint16_t max_queue_size;
};

/* All that came as the answer to one request. */
struct vdpa_answer {
	uint16_t family; /* the number of the family "vdpa"; 0: not asked for */
	int errnum; /* of the request; 0: none */
	char text[VDPA_TEXT_MAX]; /* what the kernel says about that; "": nothing */
	struct vdpa_facts *facts; /* owned: vdpa_answer_done() */
	size_t n_facts;
};

/*
 * Reads what one recvmsg(2) brought; message after message is added to `out`. 0: the answer is
 * complete; 1: more must come; -EBADMSG: not such messages; -ENOMEM. Messages to others (another
 * sequence number or port) are passed over.
 */
int vdpa_read_answer(const void *data, size_t length, uint32_t sequence, uint32_t port,
		     struct vdpa_answer *out);
void vdpa_answer_done(struct vdpa_answer *answer);

/* A device to be made; zeroed fields are left to the management device. */
struct vdpa_request {
	const char *management; /* "vdpasim_net", or with its bus "pci/0000:01:00.0" */
	const char *name;
	const uint8_t *mac; /* 6 bytes; NULL: any */
	uint16_t mtu, max_queue_pairs;
};

/*
 * Fills `buf` (of at least VDPA_MESSAGE_MAX bytes, aligned to 4) with a request; returns its
 * length. command: of uapi/vdpa.h; `request`: what it's about, NULL: everything there is.
 */
#define VDPA_MESSAGE_MAX 2048
size_t vdpa_write_family(void *buf, uint32_t sequence);
size_t vdpa_write_request(void *buf, uint32_t sequence, uint16_t family, uint8_t command,
			  const struct vdpa_request *request);
