// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_fake_state.h"

#define MAX_BARS 64

static struct {
	const struct driver_device *device; /* NULL: free */
	int fd; /* a duplicate, to take the memory away by */
} bars[MAX_BARS];

int fake_bar_fd(struct driver_device *dev, uint32_t bar, uint64_t offset, uint64_t length, int *out,
		struct ioasidctl_error **err)
{
	int ret = fake_step("bar", err), slot = 0;

	(void)bar, (void)offset;
	if (ret)
		return ret;
	if (!dev->fd)
		return error_new(err, ERROR_KERNEL, EINVAL, "%s is not bound", dev->address);
	while (slot < MAX_BARS - 1 && bars[slot].device)
		slot++;
	*out = memfd_create("bar", MFD_CLOEXEC);
	if (*out < 0 || ftruncate(*out, (off_t)length))
		return error_new(err, ERROR_KERNEL, EIO, "no memory for a BAR");
	bars[slot].device = dev;
	bars[slot].fd = fcntl(*out, F_DUPFD_CLOEXEC, 0);
	return 0;
}

void fake_revoke_bars(const struct driver_device *dev)
{
	for (int i = 0; i < MAX_BARS; i++) {
		if (!bars[i].device || (dev && bars[i].device != dev))
			continue;
		bars[i].device = NULL;
		if (!ftruncate(bars[i].fd, 0))
			close(bars[i].fd);
	}
}

bool fake_is_revoked(int memory)
{
	struct stat st;

	return memory >= 0 && !fstat(memory, &st) && !st.st_size;
}
