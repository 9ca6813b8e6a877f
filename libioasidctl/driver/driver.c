// SPDX-License-Identifier: LGPL-2.1-or-later
#include "driver/driver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

const struct driver *const drivers[] = {&driver_iommufd, &driver_vfio, &driver_ioasid, NULL};

const char *capability_text(enum capability cap)
{
	static const char *const texts[] = {
#define X(id, text) [CAP_##id] = text,
		CAPABILITIES(X)
#undef X
	};

	return texts[cap];
}

static const struct driver *const *choices(const struct driver_env *env)
{
	return env->drivers ? env->drivers : drivers;
}

/* Whoever gets the reference device has asked for it. */
static bool is_for_auto(const struct driver *driver)
{
	return driver->choice != DRIVER_IOASID;
}

/* What is in the way of each of them, and what to do about one; `why` has an error for each. */
static void explain_none(const struct driver *const *d, const struct ioasidctl_error *why,
			 struct ioasidctl_error **err)
{
	_cleanup_free_ char *causes = NULL, *hints = NULL;
	size_t length;
	FILE *cause = open_memstream(&causes, &length), *hint = open_memstream(&hints, &length);

	for (; cause && hint && why && *d; d++) {
		if (!is_for_auto(*d))
			continue;
		fprintf(cause, "%s: %s%s%s%s", (*d)->name, why->message, why->cause ? ": " : "",
			why->cause ? why->cause : "", why->next ? "; " : "");
		if (why->hint)
			fprintf(hint, "%s; or ", why->hint);
		why = why->next;
	}
	if (hint)
		fprintf(hint, "try the file on the reference device: --driver ioasid");
	if (cause && !fclose(cause) && *causes)
		error_cause(err, "%s", causes);
	if (hint && !fclose(hint))
		error_hint(err, "%s", hints);
}

static int resolve_auto(const struct driver_env *env, const char *node, const struct driver **out,
			struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	int ret;

	for (const struct driver *const *d = choices(env); *d; d++)
		if (is_for_auto(*d) && !(*d)->available(env, node, &why)) {
			*out = *d;
			return 0;
		}
	/* The kind is that of the best one. */
	ret = error_new(err, why ? why->kind : ERROR_UNAVAILABLE, why ? why->errnum : ENODEV,
			"this machine offers no IOMMU interface that can be used");
	explain_none(choices(env), why, err);
	return ret;
}

int driver_resolve(const struct driver_env *env, enum driver_choice choice, const char *node,
		   const struct driver **out, struct ioasidctl_error **err)
{
	const struct driver *const *d = choices(env), *driver;
	int ret;

	if (choice == DRIVER_AUTO)
		return resolve_auto(env, node, out, err);
	while (*d && (*d)->choice != choice)
		d++;
	driver = *d;
	if (!driver) {
		ret = error_new(err, ERROR_REFUSED, ENOSYS, "this build has no driver %s",
				driver_choice_names[choice]);
		error_hint(err, "use driver: auto");
		return ret;
	}
	ret = driver->available(env, node, err);
	if (ret)
		return ret;
	*out = driver;
	return 0;
}

const struct driver *selector_ops(const struct driver *ops, enum selector selector)
{
	return ops && ops->vdpa && selector == SELECTOR_VDPA ? ops->vdpa : ops;
}

const struct driver *device_ops(const struct topology *t, const struct device *d)
{
	return d->fd == NO_INDEX ? NULL : selector_ops(t->fds[d->fd].ops, d->selector);
}

bool device_has_iotlb(const struct topology *t, const struct device *d)
{
	const struct driver *ops = device_ops(t, d);

	return ops && ops->iotlb_attach;
}

bool drivers_share_machine(const struct driver *a, const struct driver *b)
{
	return a && b && (a->choice == DRIVER_IOASID) == (b->choice == DRIVER_IOASID);
}

bool group_allows_driver(const char *driver)
{
	return !*driver || host_driver_leaves_dma(driver);
}

void device_facts_done(struct device_facts *facts)
{
	free(facts->driver);
	free(facts->name);
	free(facts->override);
	iommu_group_done(&facts->members);
	*facts = (struct device_facts){.group = NO_INDEX, .vfs = NO_INDEX};
}

void ioasid_info_done(struct ioasid_info *info)
{
	free(info->ranges);
	*info = (struct ioasid_info){0};
}

void driver_trace(const struct driver_env *env, const char *fmt, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list args;
	int ret;

	if (!env->trace)
		return;
	va_start(args, fmt);
	ret = vasprintf(&line, fmt, args);
	va_end(args);
	if (ret < 0) {
		line = NULL;
		return;
	}
	env->trace(env->trace_data, line);
}
