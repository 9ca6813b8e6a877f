/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices of the host as sysfs shows them, found by the selector and address of a config. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "model/topology.h"

/* What sysfs calls the bus of that selector: "pci"; NULL: the host has no such bus. */
const char *host_bus(enum selector selector);

/* Whether the text can be the address of such a device at all, and so be part of a path. */
bool host_address_valid(enum selector selector, const char *address);

/*
 * The device's directory below root in *dir (owned), checked to exist; its last part is the
 * device's name in sysfs. Refuses addresses that aren't one name ("0000:01:00.0" for pci), or for
 * vf "0000:01:00.0/virtfn3": they become part of a path. -ENODEV: no such device.
 */
int host_device_dir(const char *root, enum selector selector, const char *address, char **dir,
		    struct ioasidctl_error **err);

/* The driver the device is bound to, owned; *driver NULL: none. 0 or -errno. */
int host_device_driver(const char *dir, char **driver);

/* Number of its IOMMU group; NO_INDEX: in none. 0 or -errno. */
int host_device_group(const char *dir, uint32_t *group);

/* The PCI class code, 24 bits (0x060400: a bridge to another PCI bus); 0: it has none. */
uint32_t host_device_class(const char *dir);

/* A bridge to another PCI bus (class 0x0604..). */
bool host_device_is_bridge(const char *dir);

/* The selector for devices of its bus (`subsystem`); SELECTOR_COUNT: none is for that bus. */
enum selector host_device_selector(const char *dir);

/* Its driver_override; *override (owned) NULL: none. -ENOENT: its bus has no such thing. */
int host_device_override(const char *dir, char **override);

/*
 * The VFIO character device of a device bound to a VFIO driver, "/dev/vfio/devices/vfio0" (owned,
 * without root). -ENOENT: the device has none.
 */
int host_device_vfio(const char *dir, char **node);
