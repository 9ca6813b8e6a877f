// SPDX-License-Identifier: GPL-2.0-or-later
/* The messages of the family "vdpa": requests byte for byte, and answers as the kernel sends them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "host/vdpa_message.h"
#include "uapi/vdpa.h"

#define SEQUENCE 3
#define PORT	 0x1234

/* As on the wire of a little-endian machine, which is where they were captured. */
#define ARE(name, ...)		    static const unsigned char name[] __attribute__((aligned(4))) = {__VA_ARGS__}
#define U16(n)			    (n) & 0xff, (n) >> 8 & 0xff
#define U32(n)			    U16(n), U16((n) >> 16)
#define HEADER(length, type, flags) U32(length), U16(type), U16(flags), U32(SEQUENCE), U32(PORT)

/* CTRL_CMD_NEWFAMILY: name and number, and then an attribute of no concern. */
ARE(family, HEADER(48, 0x10, 0), 1, 2, 0, 0, U16(9), U16(2), 'v', 'd', 'p', 'a', 0, 0, 0, 0, U16(6),
    U16(1), U16(0x1f), 0, 0, U16(8), U16(3), U32(1));

/* A dump of two management devices, and its end. */
ARE(management, HEADER(48, 0x1f, 2), 1, 1, 0, 0, U16(16), U16(2), 'v', 'd', 'p', 'a', 's', 'i', 'm',
    '_', 'n', 'e', 't', 0, U16(12), U16(3), U32(2), U32(0), HEADER(48, 0x1f, 2), 1, 1, 0, 0, U16(8),
    U16(1), 'p', 'c', 'i', 0, U16(17), U16(2), '0', '0', '0', '0', ':', '0', '1', ':', '0', '0',
    '.', '0', 0, 0, 0, 0, HEADER(20, 3, 2), U32(0));

/* VDPA_CMD_DEV_NEW in answer to DEV_GET. */
ARE(device, HEADER(88, 0x1f, 0), 3, 1, 0, 0, U16(16), U16(2), 'v', 'd', 'p', 'a', 's', 'i', 'm',
    '_', 'n', 'e', 't', 0, U16(10), U16(4), 'v', 'd', 'p', 'a', '0', 0, 0, 0, U16(8), U16(5),
    U32(1), U16(8), U16(6), U32(0), U16(8), U16(7), U32(3), U16(6), U16(8), U16(256), 0, 0, U16(6),
    U16(9), U16(1), 0, 0);

/* -ENODEV with the kernel's words, the request given back as its header alone. */
#define WORDS 'n', 'o', ' ', '\x1b', 's', 'u', 'c', 'h', 0
ARE(refusal, HEADER(52, 2, 0x300), U32(-19), U32(60), U16(0x1f), U16(5), U32(SEQUENCE), U32(PORT),
    U16(13), U16(1), WORDS, 0, 0, 0);

/* The same of a kernel that gives the whole request back: here 4 bytes of it. */
ARE(long_refusal, HEADER(56, 2, 0x200), U32(-17), U32(20), U16(0x1f), U16(5), U32(SEQUENCE),
    U32(PORT), 9, 9, 9, 9, U16(13), U16(1), WORDS, 0, 0, 0);

ARE(done, HEADER(36, 2, 0x100), U32(0), U32(60), U16(0x1f), U16(5), U32(SEQUENCE), U32(PORT));

static int read_bytes(const unsigned char *bytes, size_t length, struct vdpa_answer *out)
{
	/* Of exactly this size: whoever reads more is found. */
	void *copy = malloc(length);
	int ret;

	memcpy(copy, bytes, length);
	ret = vdpa_read_answer(copy, length, SEQUENCE, PORT, out);
	free(copy);
	return ret;
}

#define READ(bytes, out) read_bytes(bytes, sizeof(bytes), out)

static void test_family(void **state)
{
	struct vdpa_answer answer = {0};

	(void)state;
	assert_int_equal(READ(family, &answer), 1);
	assert_int_equal(answer.family, 0x1f);
	assert_int_equal(READ(done, &answer), 0);
	assert_int_equal(answer.errnum, 0);
	assert_int_equal(answer.n_facts, 0);
}

static void test_management_devices(void **state)
{
	struct vdpa_answer answer = {0};

	(void)state;
	assert_int_equal(READ(management, &answer), 0);
	assert_int_equal(answer.n_facts, 2);
	assert_string_equal(answer.facts[0].management, "vdpasim_net");
	assert_string_equal(answer.facts[0].bus, "");
	assert_int_equal(answer.facts[0].classes, 2);
	assert_string_equal(answer.facts[1].bus, "pci");
	assert_string_equal(answer.facts[1].management, "0000:01:00.0");
	vdpa_answer_done(&answer);
}

static void test_device(void **state)
{
	struct vdpa_answer answer = {0};

	(void)state;
	assert_int_equal(READ(device, &answer), 1);
	assert_int_equal(answer.n_facts, 1);
	assert_string_equal(answer.facts[0].name, "vdpa0");
	assert_string_equal(answer.facts[0].management, "vdpasim_net");
	assert_int_equal(answer.facts[0].device_id, 1);
	assert_int_equal(answer.facts[0].max_queues, 3);
	assert_int_equal(answer.facts[0].max_queue_size, 256);
	vdpa_answer_done(&answer);
}

static void test_refusal(void **state)
{
	struct vdpa_answer answer = {0};

	(void)state;
	assert_int_equal(READ(refusal, &answer), 0);
	assert_int_equal(answer.errnum, ENODEV);
	assert_string_equal(answer.text, "no ?such"); /* nothing that a terminal would obey */
	answer = (struct vdpa_answer){0};
	assert_int_equal(READ(long_refusal, &answer), 0);
	assert_int_equal(answer.errnum, EEXIST);
	assert_string_equal(answer.text, "no ?such");
}

static void test_messages_to_others_are_passed_over(void **state)
{
	unsigned char other[sizeof(refusal)];
	struct vdpa_answer answer = {0};

	(void)state;
	memcpy(other, refusal, sizeof(other));
	other[8]++; /* sequence */
	assert_int_equal(READ(other, &answer), 1);
	memcpy(other, refusal, sizeof(other));
	other[12]++; /* port */
	assert_int_equal(READ(other, &answer), 1);
	assert_int_equal(answer.errnum, 0);
}

/* Every length that a message can be cut to, and every attribute of another length. */
static void test_broken(void **state)
{
	static const struct {
		const unsigned char *bytes;
		size_t length;
	} all[] = {{family, sizeof(family)},
		   {management, sizeof(management)},
		   {device, sizeof(device)},
		   {refusal, sizeof(refusal)},
		   {long_refusal, sizeof(long_refusal)},
		   {done, sizeof(done)}};
	unsigned char copy[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		for (size_t length = 1; length < all[i].length; length++) {
			struct vdpa_answer answer = {0};
			int ret = read_bytes(all[i].bytes, length, &answer);

			/* Whole messages at the start are fine, and then more must come. */
			assert_true(ret == -EBADMSG || (ret == 1 && length % 48 == 0));
			vdpa_answer_done(&answer);
		}
		/* One that ends where it says, in the middle of something. */
		for (unsigned length = 16; length < all[i].bytes[0]; length++) {
			struct vdpa_answer answer = {0};

			memcpy(copy, all[i].bytes, length);
			copy[0] = (unsigned char)length;
			read_bytes(copy, length, &answer);
			assert_in_range(answer.errnum, 0, 4095);
			vdpa_answer_done(&answer);
		}
		/* A message that says it is shorter than its parts are. */
		for (unsigned said = 17; said < all[i].bytes[0]; said++) {
			struct vdpa_answer answer = {0};

			memcpy(copy, all[i].bytes, all[i].length);
			copy[0] = (unsigned char)said;
			read_bytes(copy, all[i].length, &answer);
			assert_in_range(answer.errnum, 0, 4095);
			vdpa_answer_done(&answer);
		}
	}
	/* A number of 3 bytes, and of 8 where 4 are due. */
	memcpy(copy, device, sizeof(device));
	for (unsigned length = 4; length <= 12; length += length == 4 ? 3 : 5) {
		struct vdpa_answer answer = {0};

		copy[48] = (unsigned char)length; /* of VDPA_ATTR_DEV_ID */
		assert_int_equal(read_bytes(copy, sizeof(device), &answer), -EBADMSG);
		vdpa_answer_done(&answer);
	}
	/* A length that would be negative to those who take it for an int. */
	memcpy(copy, done, sizeof(done));
	copy[3] = 0xbd;
	assert_int_equal(read_bytes(copy, sizeof(done), &(struct vdpa_answer){0}), -EBADMSG);
	/* Text without an end. */
	memcpy(copy, device, sizeof(device));
	copy[35] = 'x';
	{
		struct vdpa_answer answer = {0};

		assert_int_equal(read_bytes(copy, sizeof(device), &answer), -EBADMSG);
		vdpa_answer_done(&answer);
	}
}

static void test_request(void **state)
{
	static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
	const struct vdpa_request request = {.management = "pci/0000:01:00.0",
					     .name = "vdpa0",
					     .mac = mac,
					     .mtu = 1400,
					     .max_queue_pairs = 2};
	ARE(wanted, U32(88), U16(0x1f), U16(5), U32(SEQUENCE), U32(0), 3, 1, 0, 0, U16(8), U16(1),
	    'p', 'c', 'i', 0, U16(17), U16(2), '0', '0', '0', '0', ':', '0', '1', ':', '0', '0',
	    '.', '0', 0, 0, 0, 0, U16(10), U16(4), 'v', 'd', 'p', 'a', '0', 0, 0, 0, U16(10),
	    U16(10), 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0, 0, U16(6), U16(13), U16(1400), 0, 0,
	    U16(6), U16(12), U16(2), 0, 0);
	ARE(dump, U32(20), U16(0x1f), U16(0x305), U32(SEQUENCE), U32(0), 2, 1, 0, 0);
	ARE(ask, U32(32), U16(0x10), U16(5), U32(SEQUENCE), U32(0), 3, 1, 0, 0, U16(9), U16(2), 'v',
	    'd', 'p', 'a', 0, 0, 0, 0);
	_Alignas(4) unsigned char buf[VDPA_MESSAGE_MAX];

	(void)state;
	assert_int_equal(vdpa_write_request(buf, SEQUENCE, 0x1f, VDPA_NETLINK_DEV_NEW, &request),
			 sizeof(wanted));
	assert_memory_equal(buf, wanted, sizeof(wanted));
	assert_int_equal(vdpa_write_request(buf, SEQUENCE, 0x1f, VDPA_NETLINK_MGMTDEV_GET, NULL),
			 sizeof(dump));
	assert_memory_equal(buf, dump, sizeof(dump));
	assert_int_equal(vdpa_write_family(buf, SEQUENCE), sizeof(ask));
	assert_memory_equal(buf, ask, sizeof(ask));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_management_devices),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_messages_to_others_are_passed_over),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests_name("vdpa netlink", tests, NULL, NULL);
}
