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

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

/* The device's binding, made where there was none. NULL: out of memory. */
static struct journal_binding *binding_of(struct journal_entry *entry, const struct topology *t,
					  const struct device *d)
{
	struct journal_binding *b;

	for (size_t i = 0; i < entry->n_bindings; i++)
		if (is_same(&entry->bindings[i], d))
			return &entry->bindings[i];
	b = journal_add_binding(entry);
	if (!b)
		return NULL;
	b->selector = d->selector;
	b->interface = t->fds[d->fd].ops->choice;
	if (copy_text(&b->device, d->name) || copy_text(&b->address, d->address) ||
	    (d->taken_for != NO_INDEX && copy_text(&b->taken_for, t->devices[d->taken_for].name)))
		return NULL;
	return b;
}

static int add_driver(struct journal_entry *entry, const struct topology *t, const struct device *d,
		      const char *original)
{
	struct journal_binding *b = binding_of(entry, t, d);

	if (!b || b->driver)
		return b ? 0 : -ENOMEM;
	return copy_text(&b->driver, d->driver) || copy_text(&b->original_driver, original) ||
			       copy_text(&b->original_override, d->found.override)
		       ? -ENOMEM
		       : 0;
}

static int add_vfs(struct journal_entry *entry, const struct topology *t, const struct device *d,
		   uint32_t original)
{
	struct journal_binding *b = binding_of(entry, t, d);

	if (!b)
		return -ENOMEM;
	b->vfs = d->vfs;
	if (b->original_vfs == NO_INDEX)
		b->original_vfs = original;
	return 0;
}

static int add_made(struct journal_entry *entry, const struct topology *t, const struct device *d)
{
	struct journal_binding *b = binding_of(entry, t, d);

	if (!b)
		return -ENOMEM;
	return b->management ? 0 : copy_text(&b->management, d->vdpa.management);
}

int bindings_add_live(struct journal_entry *entry, const struct topology *t)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->n_devices; i++) {
		const struct device *d = &t->devices[i];

		if (d->fd == NO_INDEX)
			continue;
		if (d->live.made)
			ret = add_made(entry, t, d);
		else if (d->driver && d->live.original_driver)
			ret = add_driver(entry, t, d, d->live.original_driver);
		if (!ret && d->live.original_vfs != NO_INDEX)
			ret = add_vfs(entry, t, d, d->live.original_vfs);
	}
	return ret;
}

int bindings_add_intended(struct journal_entry *entry, const struct topology *desired)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < desired->n_devices; i++) {
		const struct device *d = &desired->devices[i];
		const char *is = d->found.driver ? d->found.driver : "";

		/* The reference machine ends with the process. */
		if (d->fd == NO_INDEX || d->absent ||
		    desired->fds[d->fd].ops->choice == DRIVER_IOASID)
			continue;
		/* What isn't there yet will be made. */
		if (d->vdpa.management && !d->found.name && device_ops(desired, d)->device_create)
			ret = add_made(entry, desired, d);
		else if (d->driver && strcmp(is, d->driver))
			ret = add_driver(entry, desired, d, is);
		if (!ret && d->vfs != NO_INDEX && d->vfs != d->found.vfs)
			ret = add_vfs(entry, desired, d, d->found.vfs);
	}
	return ret;
}

int bindings_take(const struct journal_entry *entry, struct topology *desired)
{
	for (size_t i = 0; i < entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i];
		uint32_t taker =
			b->taken_for ? topology_find_device(desired, b->taken_for) : NO_INDEX;

		if (taker != NO_INDEX &&
		    topology_take_member(desired, taker, b->selector, b->address) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

int bindings_hand_down(const struct journal_entry *entry, struct engine *engine)
{
	for (size_t i = 0; i < entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i];

		if (b->management)
			continue; /* made anew, and the engine knows */
		/* -ENOENT: the config doesn't have the device; then it isn't ours to restore. */
		if (engine_set_original(engine, entry->name, b->device, b->original_driver,
					b->original_vfs) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static const struct driver *driver_of(const struct driver_env *env, const struct journal_binding *b)
{
	const struct driver *const *d = env->drivers ? env->drivers : drivers;

	while (*d && (*d)->choice != b->interface)
		d++;
	return selector_ops(*d, b->selector);
}

static const char *driver_text(const char *driver)
{
	return *driver ? driver : "no driver";
}

static bool is_driver(const char *found, const char *driver)
{
	return !strcmp(found ? found : "", driver);
}

/* Ours if a change was cut off in the middle; anybody else's stays. */
static int restore_override(const struct journal_binding *b, const struct driver_env *env,
			    const struct driver *ops, const struct device *spec,
			    const struct device_facts *facts, struct ioasidctl_error **err)
{
	if (!ops->device_set_override || !facts->override ||
	    (strcmp(facts->override, b->driver) && strcmp(facts->override, b->original_driver)))
		return 0;
	return ops->device_set_override(env, spec, b->original_override, err);
}

/* A device without a driver was left so by a change that was cut off. */
static int restore_driver(const struct journal_binding *b, const struct driver_env *env,
			  const struct driver *ops, const struct device *spec, char **text,
			  struct ioasidctl_error **err)
{
	_cleanup_(device_facts_done)
	struct device_facts facts = {.group = NO_INDEX, .vfs = NO_INDEX};
	int ret = ops->device_find(env, spec, &facts, err);

	if (ret)
		return ret;
	if (!facts.present)
		return asprintf(text, "is gone") < 0 ? -ENOMEM : 0;
	if (b->management && ops->device_delete) {
		ret = ops->device_delete(env, spec, err);
		return ret ? ret : asprintf(text, "deleted: it was made for it") < 0 ? -ENOMEM : 0;
	}
	ret = restore_override(b, env, ops, spec, &facts, err);
	if (ret)
		return ret;
	if (is_driver(facts.driver, b->original_driver))
		return asprintf(text, "has its original driver, %s",
				driver_text(b->original_driver)) < 0
			       ? -ENOMEM
			       : 0;
	if (facts.driver && !is_driver(facts.driver, b->driver))
		return asprintf(text, "left alone: it isn't bound to %s any more, but to %s",
				b->driver, facts.driver) < 0
			       ? -ENOMEM
			       : 0;
	ret = ops->device_set_driver(env, spec, b->original_driver, NULL, err);
	if (ret)
		return ret;
	return asprintf(text, "given back to %s", driver_text(b->original_driver)) < 0 ? -ENOMEM
										       : 0;
}

static int restore_vfs(const struct journal_binding *b, const struct driver_env *env,
		       const struct driver *ops, const struct device *spec, char **text,
		       struct ioasidctl_error **err)
{
	int ret = ops->device_set_vfs(env, spec, b->original_vfs, true, NULL, err);

	if (ret)
		return ret;
	return asprintf(text, "has the %u virtual functions of before", b->original_vfs) < 0
		       ? -ENOMEM
		       : 0;
}

enum part { PART_DRIVER, PART_VFS };

/* Whatever still has the device ends some day; while its old driver waits, no other can have it. */
static bool is_temporary(int ret)
{
	return ret == -EBUSY || ret == -ETIMEDOUT || ret == -ENXIO;
}

/* What became of the device, as the end of a line; owned. *later: it has to be tried again. */
static char *restore(const struct journal_binding *b, const struct driver_env *env, enum part part,
		     bool *later)
{
	const struct driver *ops = driver_of(env, b);
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
	spec.vdpa.management = b->management;
	ret = part == PART_VFS ? restore_vfs(b, env, ops, &spec, &text, &why)
			       : restore_driver(b, env, ops, &spec, &text, &why);
	if (!ret)
		return text;
	*later |= is_temporary(ret);
	if (part == PART_VFS)
		ret = asprintf(&text, "could not be given %u virtual functions again: %s",
			       b->original_vfs, why ? why->message : strerror(-ret));
	else if (b->management)
		ret = asprintf(&text, "could not be deleted: %s%s%s",
			       why ? why->message : strerror(-ret), why && why->cause ? ": " : "",
			       why && why->cause ? why->cause : "");
	else
		ret = asprintf(&text, "could not be given back to %s: %s%s%s",
			       driver_text(b->original_driver), why ? why->message : strerror(-ret),
			       why && why->cause ? ": " : "", why && why->cause ? why->cause : "");
	return ret < 0 ? NULL : text;
}

/* A VF of a device that gets another number of them again, by which all vanish. */
static bool vanishes(const struct journal_entry *entry, const struct journal_binding *vf)
{
	for (size_t i = 0; vf->selector == SELECTOR_VF && i < entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i];
		size_t length = strlen(b->address);

		if (b->original_vfs != b->vfs && !strncmp(vf->address, b->address, length) &&
		    vf->address[length] == '/')
			return true;
	}
	return false;
}

/* In the order in which they hang on each other; what was made last goes first. */
static const struct {
	enum part part;
	bool physical; /* functions that have VFs */
} restorations[] = {{PART_DRIVER, false}, {PART_VFS, true}, {PART_DRIVER, true}};

static void restore_one(const struct journal_entry *entry, const struct journal_binding *b,
			enum part part, const struct driver_env *env, bool *later,
			void (*said)(void *data, const char *line), void *data)
{
	_cleanup_free_ char *outcome = restore(b, env, part, later), *line = NULL;

	if (asprintf(&line, "topology %s: device %s (%s) %s", entry->name, b->device, b->address,
		     outcome ? outcome : "lost: out of memory") >= 0)
		said(data, line);
	else
		line = NULL;
}

bool bindings_restore(const struct journal_entry *entry, const struct driver_env *env,
		      void (*said)(void *data, const char *line), void *data)
{
	bool later = false;

	for (size_t i = 0; i < ARRAY_SIZE(restorations) * entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i % entry->n_bindings];
		const bool physical = restorations[i / entry->n_bindings].physical;
		const enum part part = restorations[i / entry->n_bindings].part;

		if (b->interface == DRIVER_IOASID || physical != (b->original_vfs != NO_INDEX) ||
		    (part == PART_DRIVER && !b->driver && !b->management) || vanishes(entry, b))
			continue;
		restore_one(entry, b, part, env, &later, said, data);
	}
	return !later;
}

void bindings_delete_made(const struct journal_entry *entry, const struct driver_env *env,
			  void (*said)(void *data, const char *line), void *data)
{
	bool later = false;

	for (size_t i = 0; i < entry->n_bindings; i++)
		if (entry->bindings[i].management && entry->bindings[i].interface != DRIVER_IOASID)
			restore_one(entry, &entry->bindings[i], PART_DRIVER, env, &later, said,
				    data);
}
