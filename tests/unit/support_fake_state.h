/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fake driver remembers; shared by its files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "driver/driver.h"

#define MAX_OBJECTS  64
#define MAX_MAPPINGS 64
#define MAX_VIOMMUS  8
#define MAX_PASIDS   4

struct fake_mapping {
	uint64_t iova, length, offset;
	uint8_t access;
};

struct driver_fd {
	bool open;
	struct {
		bool exists;
		uint32_t flags;
		bool nested;
		uint32_t parent, viommu; /* of a nested one */
		size_t n_allow, n_maps;
		struct fake_mapping maps[MAX_MAPPINGS];
	} ioasids[MAX_OBJECTS];
	struct {
		bool exists;
		uint32_t parent, events; /* depth of the queue; 0: none */
	} viommus[MAX_VIOMMUS];
	struct {
		bool exists;
		uint32_t viommu;
		uint64_t id;
		struct driver_device *device;
	} vdevices[MAX_VIOMMUS];
	struct {
		bool exists;
		uint32_t viommu, index;
		uint64_t iova, length;
	} queues[MAX_VIOMMUS];
	uint32_t compat; /* NO_INDEX: none */
	unsigned leaked; /* vdevices whose device was closed before them */
};

struct driver_device {
	char address[32], driver[32], override[32];
	const char *carries, *users;
	uint32_t vfs, total_vfs; /* of one that has virtual functions */
	uint32_t group;
	bool open, gone;
	struct driver_fd *fd;
	int attached; /* -1: none */
	struct {
		uint32_t pasid; /* 0: free */
		int ioasid;
	} pasids[MAX_PASIDS];
};

/* Counts a call, and fails it if it is the one that shall. */
int fake_step(const char *what, struct ioasidctl_error **err);

/* support_fake_viommu.c */
extern const struct driver fake_viommu_calls;
bool fake_viommu_uses(const struct driver_fd *fd, uint32_t ioasid);
bool fake_queue_in(const struct driver_fd *fd, uint32_t ioasid, uint64_t iova, uint64_t length);
/* Linux leaks the id of a vdevice whose device is closed first: the fake one tells. */
bool fake_has_vdevice(const struct driver_fd *fd, const struct driver_device *dev);
void fake_print_viommus(FILE *out, const struct driver_fd *fd);

/* support_fake_bar.c: BARs as memory, which is dead once its device has been closed. */
int fake_bar_fd(struct driver_device *dev, uint32_t bar, uint64_t offset, uint64_t length, int *out,
		struct ioasidctl_error **err);
void fake_revoke_bars(const struct driver_device *dev); /* NULL: of all */
bool fake_is_revoked(int memory);
extern struct driver_device fake_devices[MAX_OBJECTS];
extern size_t fake_n_devices;
/* NULL: none. */
struct driver_device *fake_device_at(const char *address);

/* support_fake_host.c: what is changed on the host, not on an fd. */
void fake_host_facts(const struct driver_device *d, struct device_facts *out);
int fake_set_override(const struct driver_env *env, const struct device *spec, const char *override,
		      struct ioasidctl_error **err);
int fake_device_users(const struct driver_env *env, const struct device *spec, char **text,
		      struct ioasidctl_error **err);
int fake_device_carries(const struct driver_env *env, const struct device *spec, char **text,
			struct ioasidctl_error **err);
int fake_set_vfs(const struct driver_env *env, const struct device *spec, uint32_t n, bool back,
		 uint32_t *before, struct ioasidctl_error **err);
