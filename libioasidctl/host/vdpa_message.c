// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/vdpa_message.h"

#ifndef IOASIDCTL_NO_LIBMNL
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "uapi/vdpa.h"

/* An attribute that a message may have, and where it goes. */
struct wanted {
	uint16_t type;
	enum mnl_attr_data_type data;
	size_t offset, size; /* size: of the buffer, for text */
};

#define FACT(id, kind, member)                                                           \
	{                                                                                \
		VDPA_NETLINK_##id, MNL_TYPE_##kind, offsetof(struct vdpa_facts, member), \
			sizeof(((struct vdpa_facts *)0)->member)                         \
	}

static const struct wanted fact_attributes[] = {
	FACT(MGMTDEV_BUS_NAME, NUL_STRING, bus),
	FACT(MGMTDEV_DEV_NAME, NUL_STRING, management),
	FACT(MGMTDEV_SUPPORTED_CLASSES, U64, classes),
	FACT(DEV_NAME, NUL_STRING, name),
	FACT(DEV_ID, U32, device_id),
	FACT(DEV_MAX_VQS, U32, max_queues),
	FACT(DEV_MGMTDEV_MAX_VQS, U32, max_queues),
	FACT(DEV_MAX_VQ_SIZE, U16, max_queue_size),
};

static const struct wanted family_attributes[] = {
	{CTRL_ATTR_FAMILY_ID, MNL_TYPE_U16, offsetof(struct vdpa_answer, family), sizeof(uint16_t)},
};

static const struct wanted error_attributes[] = {
	{NLMSGERR_ATTR_MSG, MNL_TYPE_NUL_STRING, offsetof(struct vdpa_answer, text), VDPA_TEXT_MAX},
};

/* Names become parts of paths and of messages for people. */
static int copy_text(const struct nlattr *attr, char *out, size_t size)
{
	const char *text = mnl_attr_get_str(attr);
	size_t length = strlen(text);

	if (length >= size)
		return -EBADMSG;
	for (size_t i = 0; i < length; i++)
		out[i] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i];
	out[length] = '\0';
	return 0;
}

static int take_attribute(const struct nlattr *attr, const struct wanted *w, void *out)
{
	char *slot = (char *)out + w->offset;

	/* This checks that the length is that of the type, and that text ends within. */
	if (mnl_attr_validate(attr, w->data) < 0)
		return -EBADMSG;
	if (w->data == MNL_TYPE_NUL_STRING)
		return copy_text(attr, slot, w->size);
	memcpy(slot, mnl_attr_get_payload(attr), w->size);
	return 0;
}

/* mnl_nlmsg_get_payload_tail() counts the padding in, which the last message needn't have. */
static const char *end_of(const struct nlmsghdr *message)
{
	return (const char *)message + message->nlmsg_len;
}

/* Attributes up to `end`; those of no concern are passed over. */
static int take_attributes(const struct nlattr *attr, const char *end, const struct wanted *wanted,
			   size_t n, void *out)
{
	int ret = 0;

	while (!ret && (const char *)attr < end) {
		if (!mnl_attr_ok(attr, (int)(end - (const char *)attr)))
			return -EBADMSG;
		for (size_t i = 0; !ret && i < n; i++)
			if (mnl_attr_get_type(attr) == wanted[i].type)
				ret = take_attribute(attr, &wanted[i], out);
		attr = mnl_attr_next(attr);
	}
	return ret;
}

static int take_facts(const struct nlmsghdr *message, struct vdpa_answer *out)
{
	const char *end = end_of(message);
	struct vdpa_facts *grown = reallocarray(out->facts, out->n_facts + 1, sizeof(*out->facts));

	if (!grown)
		return -ENOMEM;
	out->facts = grown;
	grown[out->n_facts] = (struct vdpa_facts){0};
	return take_attributes(mnl_nlmsg_get_payload_offset(message, sizeof(struct genlmsghdr)),
			       end, fact_attributes, ARRAY_SIZE(fact_attributes),
			       &grown[out->n_facts++]);
}

static int take_generic(const struct nlmsghdr *message, struct vdpa_answer *out)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return -EBADMSG;
	if (message->nlmsg_type != GENL_ID_CTRL)
		return take_facts(message, out);
	return take_attributes(mnl_nlmsg_get_payload_offset(message, sizeof(*header)),
			       end_of(message), family_attributes, ARRAY_SIZE(family_attributes),
			       out);
}

/* The kernel's words come behind the request that it gives back, or behind its header alone. */
static int take_error(const struct nlmsghdr *message, struct vdpa_answer *out)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t length = mnl_nlmsg_get_payload_len(message), skip = sizeof(*error);

	if (length < sizeof(*error) || error->error > 0 || error->error < -4095)
		return -EBADMSG;
	out->errnum = -error->error;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	if (!(message->nlmsg_flags & NLM_F_CAPPED)) {
		if (error->msg.nlmsg_len < MNL_NLMSG_HDRLEN ||
		    error->msg.nlmsg_len - MNL_NLMSG_HDRLEN > length - skip)
			return -EBADMSG;
		skip += MNL_ALIGN(error->msg.nlmsg_len - MNL_NLMSG_HDRLEN);
	}
	if (skip > length)
		return -EBADMSG;
	return take_attributes(mnl_nlmsg_get_payload_offset(message, skip), end_of(message),
			       error_attributes, ARRAY_SIZE(error_attributes), out);
}

/* The end of a dump carries an error, too. */
static int take_done(const struct nlmsghdr *message, struct vdpa_answer *out)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
	if (error > 0 || error < -4095)
		return -EBADMSG;
	out->errnum = -error;
	return 0;
}

/* mnl_nlmsg_ok() takes a length of more than 31 bits for a negative one, and for fine. */
static bool is_whole(const struct nlmsghdr *message, int left)
{
	return left >= (int)sizeof(*message) && message->nlmsg_len >= sizeof(*message) &&
	       message->nlmsg_len <= (unsigned)left;
}

int vdpa_read_answer(const void *data, size_t length, uint32_t sequence, uint32_t port,
		     struct vdpa_answer *out)
{
	const struct nlmsghdr *message = data;
	int left = length > VDPA_MESSAGE_MAX * 64 ? -1 : (int)length;
	int ret = 0;

	for (; is_whole(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (!mnl_nlmsg_portid_ok(message, port) || !mnl_nlmsg_seq_ok(message, sequence))
			continue;
		if (message->nlmsg_type == NLMSG_ERROR)
			return take_error(message, out);
		if (message->nlmsg_type == NLMSG_DONE)
			return take_done(message, out);
		if (message->nlmsg_type >= NLMSG_MIN_TYPE)
			ret = take_generic(message, out);
		if (ret)
			return ret;
	}
	return left ? -EBADMSG : 1;
}

void vdpa_answer_done(struct vdpa_answer *answer)
{
	free(answer->facts);
	*answer = (struct vdpa_answer){0};
}

static struct nlmsghdr *begin(void *buf, uint32_t sequence, uint16_t type, uint8_t command,
			      uint8_t version, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(memset(buf, 0, VDPA_MESSAGE_MAX));
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->nlmsg_seq = sequence;
	header->cmd = command;
	header->version = version;
	return message;
}

size_t vdpa_write_family(void *buf, uint32_t sequence)
{
	struct nlmsghdr *message = begin(buf, sequence, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, VDPA_NETLINK_FAMILY);
	return message->nlmsg_len;
}

static void put_management(struct nlmsghdr *message, const char *management)
{
	const char *slash = strchr(management, '/');
	char bus[VDPA_NAME_MAX + 1];

	if (slash && (size_t)(slash - management) < sizeof(bus)) {
		memcpy(bus, management, (size_t)(slash - management));
		bus[slash - management] = '\0';
		mnl_attr_put_strz(message, VDPA_NETLINK_MGMTDEV_BUS_NAME, bus);
	}
	mnl_attr_put_strz(message, VDPA_NETLINK_MGMTDEV_DEV_NAME, slash ? slash + 1 : management);
}

size_t vdpa_write_request(void *buf, uint32_t sequence, uint16_t family, uint8_t command,
			  const struct vdpa_request *request)
{
	struct nlmsghdr *message = begin(buf, sequence, family, command, VDPA_NETLINK_VERSION,
					 request ? 0 : NLM_F_DUMP);

	if (!request)
		return message->nlmsg_len;
	if (request->management)
		put_management(message, request->management);
	if (request->name)
		mnl_attr_put_strz(message, VDPA_NETLINK_DEV_NAME, request->name);
	if (request->mac)
		mnl_attr_put(message, VDPA_NETLINK_DEV_NET_CFG_MACADDR, 6, request->mac);
	if (request->mtu)
		mnl_attr_put_u16(message, VDPA_NETLINK_DEV_NET_CFG_MTU, request->mtu);
	if (request->max_queue_pairs)
		mnl_attr_put_u16(message, VDPA_NETLINK_DEV_NET_CFG_MAX_VQP,
				 request->max_queue_pairs);
	return message->nlmsg_len;
}
#endif
