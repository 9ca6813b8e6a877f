/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A driver for tests of the planner and the engine: keeps books, and fails where it's told to. */
#pragma once

#include "driver/driver.h"

extern struct driver fake_driver; /* `missing` may be set by a test */

/* Forgets everything. */
void fake_reset(void);

/* The calls that fail, counted from 0 over all calls that change something; -1: none. */
void fake_fail_at(int call);
void fake_fail_at_both(int call, int other);
int fake_calls(void);

/* A device's host driver and IOMMU group, as they are before anything is done. */
void fake_add_device(const char *address, const char *driver, uint32_t group);

/*
 * The same that can have VFs, at first none; only as the last one that is added. VFs are found in
 * sysfs as "0000:0f:00.N".
 */
void fake_add_physical(const char *address, const char *driver, uint32_t group, uint32_t total);

/* Whether the driver tells of the other members of a device's group; at first it doesn't. */
void fake_tell_members(bool tell);
/* Who has the device open besides; NULL: nobody. */
void fake_users(const char *address, const char *who);
/* What the host uses the device for; NULL: nothing. Not copied. */
void fake_carries(const char *address, const char *what);
/* The device with that driver_override ("" none), as somebody has set it. */
void fake_override(const char *address, const char *override);

/* How many bits the IOMMUs translate; 0: they don't tell. attach() keeps to it. */
void fake_iova_bits(uint32_t bits);
/* Unplugs the device, or plugs it in again with that host driver. An open one can be closed. */
void fake_unplug(const char *address);
void fake_plug(const char *address, const char *driver);

/* Everything that lives, as text; owned by the caller. */
char *fake_snapshot(void);

/* Makes the list of mappings that the driver reads back lie. */
void fake_lose_mappings(bool lose);
