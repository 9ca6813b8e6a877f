// SPDX-License-Identifier: GPL-2.0-or-later
/* The fake driver's host: groups, driver_override, what the host needs, virtual functions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_fake_driver.h"
#include "support_fake_state.h"

static bool tell_members;

void fake_tell_members(bool tell)
{
	tell_members = tell;
}

static void list_members(uint32_t group, struct iommu_group *out)
{
	*out = (struct iommu_group){.number = group,
				    .members = calloc(fake_n_devices, sizeof(*out->members))};
	for (size_t i = 0; i < fake_n_devices; i++) {
		const struct driver_device *d = &fake_devices[i];

		if (d->group == group)
			out->members[out->n_members++] = (struct iommu_group_member){
				.address = strdup(d->address),
				.driver = *d->driver ? strdup(d->driver) : NULL,
				.selector = SELECTOR_PCI,
				.in_the_way = *d->driver && !strstr(d->driver, "vfio"),
				.bridge = !strcmp(d->driver, "bridge"),
			};
	}
}

void fake_host_facts(const struct driver_device *d, struct device_facts *out)
{
	const char *vf;

	out->override = *d->override ? strdup(d->override) : NULL;
	vf = strstr(d->address, "/virtfn");
	if (vf && asprintf(&out->name, "0000:0f:00.%s", vf + strlen("/virtfn")) < 0)
		out->name = NULL;
	if (!vf)
		out->name = strdup(d->address);
	out->vfs = d->total_vfs ? d->vfs : NO_INDEX;
	if (tell_members)
		list_members(d->group, &out->members);
}

void fake_override(const char *address, const char *override)
{
	struct driver_device *d = fake_device_at(address);

	snprintf(d->override, sizeof(d->override), "%s", override);
}

void fake_carries(const char *address, const char *what)
{
	fake_device_at(address)->carries = what;
}

int fake_device_carries(const struct driver_env *env, const struct device *spec, char **text,
			struct ioasidctl_error **err)
{
	const struct driver_device *d = fake_device_at(spec->address);

	(void)env, (void)err;
	*text = d->carries ? strdup(d->carries) : NULL;
	return 0;
}

void fake_users(const char *address, const char *who)
{
	fake_device_at(address)->users = who;
}

int fake_device_users(const struct driver_env *env, const struct device *spec, char **text,
		      struct ioasidctl_error **err)
{
	const struct driver_device *d = fake_device_at(spec->address);

	(void)env, (void)err;
	*text = d && d->users ? strdup(d->users) : NULL;
	return 0;
}

int fake_set_override(const struct driver_env *env, const struct device *spec, const char *override,
		      struct ioasidctl_error **err)
{
	int ret = fake_step("set override", err);

	(void)env;
	if (!ret)
		fake_override(spec->address, override ? override : "");
	return ret;
}

void fake_add_physical(const char *address, const char *driver, uint32_t group, uint32_t total)
{
	fake_add_device(address, driver, group);
	fake_device_at(address)->total_vfs = total;
}

static struct driver_device *fake_vf(const struct driver_device *pf, uint32_t index)
{
	char address[64];

	snprintf(address, sizeof(address), "%s/virtfn%u", pf->address, index);
	return fake_device_at(address);
}

/* Only of the last devices that were added: their VFs stand behind them. */
static int remove_vfs(struct driver_device *pf, struct ioasidctl_error **err)
{
	for (uint32_t i = 0; i < pf->vfs; i++)
		if (fake_vf(pf, i)->open)
			return error_new(err, ERROR_BUSY, EBUSY, "a VF of %s is open", pf->address);
	fake_n_devices -= pf->vfs;
	pf->vfs = 0;
	return 0;
}

int fake_set_vfs(const struct driver_env *env, const struct device *spec, uint32_t n, bool back,
		 uint32_t *before, struct ioasidctl_error **err)
{
	struct driver_device *pf = fake_device_at(spec->address);
	int ret = fake_step("set vfs", err);

	(void)env, (void)back;
	if (ret)
		return ret;
	if (n > pf->total_vfs)
		return error_new(err, ERROR_REFUSED, ERANGE, "%s has fewer", pf->address);
	if (before)
		*before = pf->vfs;
	if (n == pf->vfs)
		return 0;
	ret = remove_vfs(pf, err);
	for (uint32_t i = 0; !ret && i < n; i++) {
		char address[64];

		snprintf(address, sizeof(address), "%s/virtfn%u", pf->address, i);
		fake_add_device(address, "nic", 1000 + i);
		pf->vfs++;
	}
	return ret;
}
