// SPDX-License-Identifier: LGPL-2.1-or-later
/* Machines and open files: how they begin and end, and what is asked of a file as a whole. */
#include "refdev/refdev.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "refdev/state.h"

static int groups_init(struct refdev *refdev)
{
	const struct machine *machine = refdev->machine;

	for (size_t i = 0; i < machine->n_groups; i++) {
		struct refdev_group *group = &refdev->groups[i];

		group->hw = &machine->groups[i];
		group->members = calloc(group->hw->n_members + 1, sizeof(struct refdev_device *));
		if (!group->members)
			return -ENOMEM;
		for (size_t m = 0; m < group->hw->n_members; m++) {
			group->members[m] = &refdev->devices[group->hw->members[m]];
			group->members[m]->member = m;
		}
	}
	for (size_t i = 0; i < machine->n_devices; i++) {
		struct refdev_device *device = &refdev->devices[i];

		device->hw = &machine->devices[i];
		memcpy(device->driver, device->hw->driver, sizeof(device->driver));
		if (device->hw->group != IOASID_NONE)
			device->group = &refdev->groups[device->hw->group];
	}
	return 0;
}

int refdev_new(const char *machine, size_t length, struct refdev **out, char **why)
{
	struct refdev *refdev = calloc(1, sizeof(*refdev));
	int ret = -ENOMEM;

	*why = NULL;
	if (!refdev)
		return -ENOMEM;
	pthread_mutex_init(&refdev->lock, NULL);
	if (!machine) {
		machine = refdev_default_machine;
		length = strlen(machine);
	}
	ret = machine_parse(machine, length, &refdev->machine, why);
	if (!ret) {
		refdev->devices = calloc(refdev->machine->n_devices + 1, sizeof(*refdev->devices));
		refdev->groups = calloc(refdev->machine->n_groups + 1, sizeof(*refdev->groups));
		ret = refdev->devices && refdev->groups ? groups_init(refdev) : -ENOMEM;
	}
	if (ret) {
		refdev_free(refdev);
		return ret;
	}
	*out = refdev;
	return 0;
}

void refdev_free(struct refdev *refdev)
{
	if (!refdev)
		return;
	for (size_t i = 0; refdev->groups && i < refdev->machine->n_groups; i++)
		free(refdev->groups[i].members);
	free(refdev->groups);
	free(refdev->devices);
	machine_free(refdev->machine);
	pthread_mutex_destroy(&refdev->lock);
	free(refdev);
}

int refdev_open(struct refdev *refdev, struct refdev_file **out)
{
	return refdev_open_for(refdev, 0, out);
}

int refdev_open_for(struct refdev *refdev, pid_t process, struct refdev_file **out)
{
	struct refdev_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	file->refdev = refdev;
	file->process = process;
	file->next_id = 1;
	pthread_mutex_lock(&refdev->lock);
	file->next = refdev->files;
	refdev->files = file;
	pthread_mutex_unlock(&refdev->lock);
	*out = file;
	return 0;
}

void refdev_close(struct refdev_file *file)
{
	struct refdev *refdev;

	if (!file)
		return;
	refdev = file->refdev;
	pthread_mutex_lock(&refdev->lock);
	while (file->n_devices)
		device_unbind(file->devices[file->n_devices - 1]);
	/* An object is younger than those it needs. */
	while (file->n_objects)
		object_destroy(file->objects[file->n_objects - 1]);
	for (struct refdev_file **at = &refdev->files; *at; at = &(*at)->next)
		if (*at == file) {
			*at = file->next;
			break;
		}
	pthread_mutex_unlock(&refdev->lock);
	free(file->objects);
	free(file->devices);
	free(file);
}

int call_check_extension(struct refdev_file *file, struct ioasid_extension_args *args)
{
	(void)file;
	switch (args->extension) {
	case IOASID_EXT_GPA:
	case IOASID_EXT_COPY:
	case IOASID_EXT_ALLOWED:
	case IOASID_EXT_NEST_PARENT:
	case IOASID_EXT_SMALL_PAGES:
	case IOASID_EXT_TEST_DMA:
	case IOASID_EXT_NESTED:
	case IOASID_EXT_PASID:
	case IOASID_EXT_FAULT:
	case IOASID_EXT_DIRTY:
	case IOASID_EXT_VIOMMU:
	case IOASID_EXT_ANYWHERE:
		args->supported = 1;
		break;
	default:
		args->supported = 0;
	}
	return 0;
}

int call_fd_get_info(struct refdev_file *file, struct ioasid_fd_info_args *args)
{
	const struct machine *machine = file->refdev->machine;

	snprintf(args->format, sizeof(args->format), "%s", file->tied ? file->tied->format : "");
	args->n_ioasids = (uint32_t)file->n_ioasids;
	args->n_devices = (uint32_t)file->n_devices;
	args->domains = 0;
	args->page_table_bytes = 0;
	for (size_t i = 0; i < file->n_objects; i++) {
		const struct refdev_ioasid *ioasid = ioasid_find(file, file->objects[i]->id);

		args->domains += ioasid ? ioasid_count_domains(ioasid) : 0;
		args->page_table_bytes += ioasid ? ioasid_table_bytes(ioasid) : 0;
	}
	args->max_domains = machine->max_domains;
	args->pinned_bytes = file->pinned_bytes;
	args->max_pinned_bytes = machine->max_pinned_bytes;
	args->accounting = file->accounting;
	args->reserved = 0;
	return 0;
}

int call_set_accounting(struct refdev_file *file, struct ioasid_accounting_args *args)
{
	if (args->reserved || args->accounting > IOASID_ACCOUNT_USER)
		return -EOPNOTSUPP;
	if (file->n_objects)
		return -EBUSY;
	file->accounting = args->accounting;
	return 0;
}
