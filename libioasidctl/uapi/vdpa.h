/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ioasidctl uses of the ABI of the kernel's generic-netlink family "vdpa" (Linux 5.12 and
 * later), by which vDPA devices are made and deleted. Our own names, see uapi/iommufd.h.
 *
 * A management device is named by its own name and, where it has a bus, that of its bus. Making and
 * deleting answer with an acknowledgement only; GET with one message, or with one for each when it
 * is a dump. The name of the family's number is asked of the family "nlctrl".
 */
#pragma once

#define VDPA_NETLINK_FAMILY  "vdpa"
#define VDPA_NETLINK_VERSION 1

enum vdpa_netlink_command {
	VDPA_NETLINK_MGMTDEV_NEW = 1, /* of an answer to MGMTDEV_GET */
	VDPA_NETLINK_MGMTDEV_GET = 2,
	VDPA_NETLINK_DEV_NEW = 3, /* also of an answer to DEV_GET */
	VDPA_NETLINK_DEV_DEL = 4,
	VDPA_NETLINK_DEV_GET = 5,
};

enum vdpa_netlink_attribute {
	VDPA_NETLINK_MGMTDEV_BUS_NAME = 1, /* text */
	VDPA_NETLINK_MGMTDEV_DEV_NAME = 2, /* text */
	VDPA_NETLINK_MGMTDEV_SUPPORTED_CLASSES = 3, /* u64, bits by virtio device id */
	VDPA_NETLINK_DEV_NAME = 4, /* text */
	VDPA_NETLINK_DEV_ID = 5, /* u32, virtio device id */
	VDPA_NETLINK_DEV_VENDOR_ID = 6, /* u32 */
	VDPA_NETLINK_DEV_MAX_VQS = 7, /* u32 */
	VDPA_NETLINK_DEV_MAX_VQ_SIZE = 8, /* u16 */
	VDPA_NETLINK_DEV_NET_CFG_MACADDR = 10, /* 6 bytes */
	VDPA_NETLINK_DEV_NET_CFG_MAX_VQP = 12, /* u16 */
	VDPA_NETLINK_DEV_NET_CFG_MTU = 13, /* u16 */
	VDPA_NETLINK_DEV_MGMTDEV_MAX_VQS = 15, /* u32 */
};
