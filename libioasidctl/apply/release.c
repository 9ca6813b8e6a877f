// SPDX-License-Identifier: LGPL-2.1-or-later
/* A device leaves a live topology because the machine wants it so, not the config. */
#include <stdlib.h>

#include "apply/execution.h"
#include "driver/driver.h"

/* They go before their device is closed, or their ids would be taken until the fd is closed. */
static void free_vdevices(struct iommu_fd *fd, uint32_t device)
{
	for (size_t i = 0; i < fd->n_viommus; i++)
		for (size_t j = 0; j < fd->viommus[i].n_vdevices; j++) {
			struct vdevice *v = &fd->viommus[i].vdevices[j];

			if (v->device != device || !v->live.exists)
				continue;
			/* A failure leaves nothing that anybody could use. */
			(void)fd->ops->vdevice_free(fd->live.handle, v->live.id, NULL);
			v->live.exists = false;
		}
}

void release_device(struct topology *live, uint32_t device, bool gone)
{
	struct device *d = &live->devices[device];
	struct iommu_fd *fd = d->fd == NO_INDEX ? NULL : &live->fds[d->fd];

	if (fd && d->live.handle) {
		free_vdevices(fd, device);
		device_ops(live, d)->device_close(d->live.handle);
	}
	d->live.handle = NULL;
	d->live.bound = false;
	d->live.id = NO_INDEX;
	if (gone) {
		free(d->live.original_driver);
		d->live.original_driver = NULL;
		d->live.original_vfs = NO_INDEX;
		d->live.made = false;
	}
	topology_set_absent(live, device);
}
