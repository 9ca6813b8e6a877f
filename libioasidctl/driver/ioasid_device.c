// SPDX-License-Identifier: LGPL-2.1-or-later
/* Devices of the ioasid driver. They have no node of their own: the IOMMU fd knows them by name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "driver/ioasid.h"

/* A short-lived fd for questions about the machine. */
#define MACHINE "machine"

/* False: too long for any device there is. */
static bool name_set(const struct device *spec, struct ioasid_device_name *out)
{
	memset(out, 0, sizeof(*out));
	out->selector = (uint32_t)spec->selector;
	return (size_t)snprintf(out->name, sizeof(out->name), "%s", spec->address) <
	       sizeof(out->name);
}

/* What comes from a node may lack its end. */
static char *text_of(const char field[IOASID_NAME_SIZE])
{
	return strndup(field, IOASID_NAME_SIZE);
}

int ioasid_query(struct driver_fd *fd, const struct ioasid_device_name *name,
		 struct ioasid_query_args *args, struct ioasidctl_error **err)
{
	int ret;

	*args = (struct ioasid_query_args){.device = *name};
	ret = ioasid_call(fd, IOASID_QUERY_DEVICE, args, sizeof(*args));
	args->device = *name;
	return ret ? ioasid_fail(err, IOASID_QUERY_DEVICE, ret, "can't ask for device %s",
				 name->name)
		   : 0;
}

static int take_member(void *data, const void *entry)
{
	const struct ioasid_entry_member *e = entry;
	struct iommu_group *group = data;
	struct iommu_group_member *grown = reallocarray(group->members, group->n_members + 1,
							sizeof(*grown)),
				  *m;

	if (!grown)
		return -ENOMEM;
	group->members = grown;
	m = &grown[group->n_members++];
	*m = (struct iommu_group_member){
		.address = text_of(e->device.name),
		.driver = e->driver[0] ? text_of(e->driver) : NULL,
		.selector = e->device.selector < SELECTOR_COUNT ? (enum selector)e->device.selector
								: SELECTOR_COUNT,
		.in_the_way = e->device_flags & IOASID_DEVICE_IN_THE_WAY,
		.bridge = e->device_flags & IOASID_DEVICE_BRIDGE,
	};
	return m->address && (m->driver || !e->driver[0]) ? 0 : -ENOMEM;
}

int ioasid_group_read(struct driver_fd *fd, uint32_t group, struct iommu_group *out)
{
	struct ioasid_list_args args = {.kind = IOASID_LIST_MEMBERS, .object = group};
	_cleanup_iommu_group_ struct iommu_group members = {.number = group};
	int ret = ioasid_list(fd, &args, sizeof(struct ioasid_entry_member), take_member, &members);

	if (ret)
		return ret;
	*out = members;
	members = (struct iommu_group){0};
	return 0;
}

static int read_facts(struct driver_fd *fd, const struct ioasid_query_args *query,
		      struct device_facts *facts, struct ioasidctl_error **err)
{
	int ret = 0;

	facts->present = true;
	facts->group = query->group;
	facts->driver = query->driver[0] ? text_of(query->driver) : NULL;
	if (query->driver[0] && !facts->driver)
		return error_nomem(err);
	if (query->group != IOASID_NONE)
		ret = ioasid_group_read(fd, query->group, &facts->members);
	return ret ? ioasid_fail(err, IOASID_LIST, ret, "can't list the members of group %u",
				 query->group)
		   : 0;
}

int ioasid_device_find(const struct driver_env *env, const struct device *spec,
		       struct device_facts *out, struct ioasidctl_error **err)
{
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX, .vfs = NO_INDEX};
	_cleanup_(ioasid_closep)
	struct driver_fd *fd = NULL;
	struct ioasid_device_name name;
	struct ioasid_query_args query = {0};
	int ret;

	*out = facts;
	if (!name_set(spec, &name))
		return 0;
	ret = ioasid_open(env, spec->node, MACHINE, &fd, err);
	if (!ret)
		ret = ioasid_query(fd, &name, &query, err);
	if (ret || !(query.device_flags & IOASID_DEVICE_PRESENT))
		return ret;
	ret = read_facts(fd, &query, &facts, err);
	if (ret)
		return ret;
	*out = facts;
	facts = (struct device_facts){.group = NO_INDEX, .vfs = NO_INDEX};
	return 0;
}

static int fail_absent(const struct device *spec, struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ENODEV, "device %s: there is no %s %s",
			    spec->name, selector_names[spec->selector], spec->address);

	error_cause(err, "the machine behind the ioasid driver doesn't have it");
	error_hint(err, "use a device of the machine description, or give another one (--machine)");
	return ret;
}

/* The device must exist; *fd is open when this returns 0. */
static int find_present(const struct driver_env *env, const struct device *spec,
			struct driver_fd **fd, struct ioasid_query_args *query,
			struct ioasidctl_error **err)
{
	struct ioasid_device_name name;
	int ret;

	if (!name_set(spec, &name))
		return fail_absent(spec, err);
	ret = ioasid_open(env, spec->node, MACHINE, fd, err);
	if (!ret)
		ret = ioasid_query(*fd, &name, query, err);
	if (ret)
		return ret;
	return query->device_flags & IOASID_DEVICE_PRESENT ? 0 : fail_absent(spec, err);
}

static int verify_driver(struct driver_fd *fd, const struct ioasid_device_name *name,
			 const char *address, const char *driver, struct ioasidctl_error **err)
{
	struct ioasid_query_args query;
	int ret = ioasid_query(fd, name, &query, err);

	if (!ret && strncmp(query.driver, driver, sizeof(query.driver)))
		return error_new(err, ERROR_VERIFY, EIO,
				 "%s was bound to %s, but the machine says it has %.*s", address,
				 *driver ? driver : "no driver", IOASID_NAME_SIZE,
				 query.driver[0] ? query.driver : "none");
	return ret;
}

static int change_driver(struct driver_fd *fd, const struct device *spec, const char *before,
			 const char *driver, const struct ioasid_device_name *name,
			 struct ioasidctl_error **err)
{
	struct ioasid_host_driver_args args = {.device = *name};
	int ret;

	if ((size_t)snprintf(args.driver, sizeof(args.driver), "%s", driver) >= sizeof(args.driver))
		return error_new(err, ERROR_REFUSED, ENAMETOOLONG,
				 "device %s: no driver has a name as long as %.32s...", spec->name,
				 driver);
	ret = ioasid_call(fd, IOASID_SET_HOST_DRIVER, &args, sizeof(args));
	if (ret) {
		ioasid_fail(err, IOASID_SET_HOST_DRIVER, ret, "can't bind %s to %s", spec->address,
			    *driver ? driver : "no driver");
		ioasid_explain_driver(fd, name, driver, ret, err);
		return ret;
	}
	ret = verify_driver(fd, name, spec->address, driver, err);
	if (ret) {
		args = (struct ioasid_host_driver_args){.device = *name};
		snprintf(args.driver, sizeof(args.driver), "%s", before);
		if (ioasid_call(fd, IOASID_SET_HOST_DRIVER, &args, sizeof(args)))
			error_cause(err, "and it could not be given back to %s",
				    *before ? before : "no driver");
	}
	return ret;
}

int ioasid_device_set_driver(const struct driver_env *env, const struct device *spec,
			     const char *driver, char **original, struct ioasidctl_error **err)
{
	_cleanup_(ioasid_closep)
	struct driver_fd *fd = NULL;
	_cleanup_free_ char *before = NULL;
	struct ioasid_query_args query = {0};
	int ret = find_present(env, spec, &fd, &query, err);

	if (ret)
		return ret;
	before = text_of(query.driver);
	if (!before)
		return error_nomem(err);
	if (strcmp(before, driver)) {
		ret = change_driver(fd, spec, before, driver, &query.device, err);
		if (ret)
			return ret;
	}
	if (original)
		*original = steal_pointer(before);
	return 0;
}

int ioasid_device_open(const struct driver_env *env, const struct device *spec,
		       struct driver_device **out, struct ioasidctl_error **err)
{
	_cleanup_(ioasid_closep)
	struct driver_fd *fd = NULL;
	struct ioasid_query_args query = {0};
	struct driver_device *dev;
	int ret = find_present(env, spec, &fd, &query, err);

	if (ret)
		return ret;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return error_nomem(err);
	*dev = (struct driver_device){.env = env, .name = query.device, .group = query.group};
	dev->name.name[IOASID_NAME_SIZE - 1] = '\0';
	*out = dev;
	return 0;
}

void ioasid_device_close(struct driver_device *dev)
{
	if (dev->owner) {
		struct ioasid_unbind_args args = {.cookie = dev->cookie};
		struct driver_device **at = &dev->owner->devices;

		ioasid_call(dev->owner, IOASID_UNBIND_DEVICE, &args, sizeof(args));
		while (*at != dev)
			at = &(*at)->next;
		*at = dev->next;
	}
	free(dev);
}

int ioasid_device_bind(struct driver_fd *fd, struct driver_device *dev, uint32_t *id,
		       struct ioasidctl_error **err)
{
	struct ioasid_bind_args args = {.device = dev->name, .cookie = fd->next_cookie};
	int ret;

	if (dev->owner)
		return error_new(err, ERROR_BUSY, EBUSY, "device %s is bound to fd %s already",
				 dev->name.name, dev->owner->name);
	ret = ioasid_call(fd, IOASID_BIND_DEVICE, &args, sizeof(args));
	if (ret) {
		ioasid_fail(err, IOASID_BIND_DEVICE, ret, "can't bind device %s to fd %s",
			    dev->name.name, fd->name);
		ioasid_explain_bind(fd, dev, ret, err);
		return ret;
	}
	dev->owner = fd;
	dev->cookie = fd->next_cookie++;
	dev->next = fd->devices;
	fd->devices = dev;
	*id = (uint32_t)dev->cookie;
	return 0;
}

static int ask_info(struct driver_fd *fd, struct driver_device *dev,
		    struct ioasid_device_info_args *args)
{
	*args = (struct ioasid_device_info_args){.cookie = dev->cookie};
	if (dev->owner != fd)
		return -ENOENT;
	return ioasid_call(fd, IOASID_DEVICE_GET_INFO, args, sizeof(*args));
}

int ioasid_device_info(struct driver_fd *fd, struct driver_device *dev, struct device_info *out,
		       struct ioasidctl_error **err)
{
	struct ioasid_device_info_args args;
	int ret = ask_info(fd, dev, &args);

	if (ret)
		return ioasid_fail(err, IOASID_DEVICE_GET_INFO, ret,
				   "can't ask for the hardware of device %s", dev->name.name);
	*out = (struct device_info){
		.type = "reference",
		.iova_bits = args.iova_bits,
		.page_sizes = args.page_sizes,
		.nesting = args.info_flags & IOASID_INFO_NESTING,
		.dirty_tracking = args.info_flags & IOASID_INFO_DIRTY,
		.snoop_control = args.info_flags & IOASID_INFO_SNOOP_CONTROL,
		.pasid_bits = args.pasid_bits,
		.registers = {{"aperture_first", args.aperture_first},
			      {"aperture_last", args.aperture_last},
			      {"flags", args.info_flags},
			      {"nested_formats", args.nested_formats},
			      {"viommu_types", args.viommu_types},
			      {"hw_queues", args.hw_queues}},
		.n_registers = 6,
	};
	return 0;
}

int ioasid_device_probe(struct driver_fd *fd, struct driver_device *dev)
{
	struct ioasid_device_info_args args;

	return ask_info(fd, dev, &args);
}

int ioasid_attach(struct driver_fd *fd, struct driver_device *dev, uint32_t id, uint32_t pasid,
		  struct ioasidctl_error **err)
{
	struct ioasid_attach_args args = {.cookie = dev->cookie, .ioasid = id, .pasid = pasid};
	int ret = dev->owner == fd ? ioasid_call(fd, IOASID_ATTACH, &args, sizeof(args)) : -ENOENT;

	if (!ret)
		return 0;
	if (pasid == NO_PASID)
		ioasid_fail(err, IOASID_ATTACH, ret, "can't attach device %s to IOASID %u",
			    dev->name.name, id);
	else
		ioasid_fail(err, IOASID_ATTACH, ret,
			    "can't attach PASID %u of device %s to IOASID %u", pasid,
			    dev->name.name, id);
	ioasid_explain_attach(fd, dev, id, pasid, ret, err);
	return ret;
}

int ioasid_detach(struct driver_fd *fd, struct driver_device *dev, uint32_t pasid,
		  struct ioasidctl_error **err)
{
	struct ioasid_detach_args args = {.cookie = dev->cookie, .pasid = pasid};
	int ret = dev->owner == fd ? ioasid_call(fd, IOASID_DETACH, &args, sizeof(args)) : -ENOENT;

	return ret ? ioasid_fail(err, IOASID_DETACH, ret, "can't detach device %s", dev->name.name)
		   : 0;
}
