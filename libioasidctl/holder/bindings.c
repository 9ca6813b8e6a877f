// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/bindings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static bool is_same(const struct journal_binding *b, const struct device *d)
{
	return b->selector == d->selector && !strcmp(b->address, d->address);
}

static int add(struct journal_entry *entry, const struct device *d, const struct driver *ops,
	       const char *original)
{
	struct journal_binding *b;

	for (size_t i = 0; i < entry->n_bindings; i++)
		if (is_same(&entry->bindings[i], d))
			return 0;
	b = journal_add_binding(entry);
	if (!b)
		return -ENOMEM;
	b->selector = d->selector;
	b->interface = ops->choice;
	b->device = strdup(d->name);
	b->address = strdup(d->address);
	b->driver = strdup(d->driver);
	b->original_driver = strdup(original);
	return b->device && b->address && b->driver && b->original_driver ? 0 : -ENOMEM;
}

int bindings_add_live(struct journal_entry *entry, const struct topology *t)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->driver && d->live.original_driver && d->fd != NO_INDEX)
			ret = add(entry, d, t->fds[d->fd].ops, d->live.original_driver);
	}
	return ret;
}

int bindings_add_intended(struct journal_entry *entry, const struct driver_env *env,
			  const struct topology *desired, enum driver_choice override)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < desired->n_devices; i++) {
		const struct device *d = &desired->devices[i];
		const struct iommu_fd *fd = d->fd == NO_INDEX ? NULL : &desired->fds[d->fd];
		struct device_facts facts = {.group = NO_INDEX};
		const struct driver *ops;

		/* What can't be found or opened is the transaction's to complain about. */
		if (!d->driver || !fd ||
		    driver_resolve(env, override == DRIVER_AUTO ? fd->driver : override, fd->node,
				   &ops, NULL))
			continue;
		/* The reference machine ends with the process. */
		if (ops->choice != DRIVER_IOASID && !ops->device_find(env, d, &facts, NULL) &&
		    facts.present && (!facts.driver || strcmp(facts.driver, d->driver)))
			ret = add(entry, d, ops, facts.driver ? facts.driver : "");
		device_facts_done(&facts);
	}
	return ret;
}

int bindings_hand_down(const struct journal_entry *entry, struct engine *engine)
{
	for (size_t i = 0; i < entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i];

		/* -ENOENT: the config doesn't have the device; then it isn't ours to restore. */
		if (engine_set_original_driver(engine, entry->name, b->device,
					       b->original_driver) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static const struct driver *driver_of(const struct driver_env *env, enum driver_choice choice)
{
	const struct driver *const *d = env->drivers ? env->drivers : drivers;

	while (*d && (*d)->choice != choice)
		d++;
	return *d;
}

static const char *driver_text(const char *driver)
{
	return *driver ? driver : "no driver";
}

/* What became of the device, as the end of a line; owned. */
static char *restore(const struct journal_binding *b, const struct driver_env *env)
{
	const struct driver *ops = driver_of(env, b->interface);
	struct device_facts facts = {.group = NO_INDEX};
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	struct device spec;
	char *text = NULL;
	int ret;

	if (!ops)
		return strdup("left alone: this build lacks the driver that bound it");
	device_init(&spec);
	spec.name = b->device;
	spec.selector = b->selector;
	spec.address = b->address;
	spec.driver = b->driver;
	ret = ops->device_find(env, &spec, &facts, &why);
	if (!ret && (!facts.driver || strcmp(facts.driver, b->driver))) {
		ret = asprintf(&text, "left alone: it isn't bound to %s any more", b->driver);
	} else {
		if (!ret)
			ret = ops->device_set_driver(env, &spec, b->original_driver, NULL, &why);
		if (ret)
			ret = asprintf(&text, "could not be given back to %s: %s",
				       driver_text(b->original_driver),
				       why ? why->message : strerror(-ret));
		else
			ret = asprintf(&text, "given back to %s", driver_text(b->original_driver));
	}
	device_facts_done(&facts);
	return ret < 0 ? NULL : text;
}

void bindings_restore(const struct journal_entry *entry, const struct driver_env *env,
		      void (*said)(void *data, const char *line), void *data)
{
	for (size_t i = 0; i < entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i];
		_cleanup_free_ char *outcome = NULL, *line = NULL;

		if (b->interface == DRIVER_IOASID)
			continue;
		outcome = restore(b, env);
		if (asprintf(&line, "topology %s: device %s (%s) %s", entry->name, b->device,
			     b->address, outcome ? outcome : "lost: out of memory") >= 0)
			said(data, line);
		else
			line = NULL;
	}
}
