/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Virtual functions (SR-IOV): how many a physical function has. */
#pragma once

#include "host/bind.h"

/* How many VFs the device has (sriov_numvfs); NO_INDEX: it can't have any. */
uint32_t host_device_vfs(const char *dir);

/*
 * Gives the PCI function at that address n VFs (0: none) by sriov_numvfs, and reads back how many
 * there are. A number other than 0 changes only by way of 0: all VFs vanish and new ones come.
 * *before (may be NULL) gets the number it had; on failure it has that again, and if it hasn't, the
 * error's cause says so.
 *
 * -EBUSY: a VF is in use: open in a process (removing it would wait for that without end), needed
 * by the host (carries.h) or, unless `back`, bound to a host driver; -EOPNOTSUPP: no SR-IOV;
 * -ERANGE: more than the hardware has; -ENOENT: without a driver, or its driver makes none.
 */
int host_set_vfs(const struct host_binder *binder, const char *address, uint32_t n, bool back,
		 uint32_t *before, struct ioasidctl_error **err);
