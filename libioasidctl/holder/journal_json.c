// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/journal_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

static json_t *bindings_json(const struct journal_entry *entry)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < entry->n_bindings; i++) {
		const struct journal_binding *b = &entry->bindings[i];
		json_t *one = json_pack(
			"{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "device", b->device,
			"selector", selector_names[b->selector], "address", b->address, "interface",
			driver_choice_names[b->interface], "driver", b->driver, "original_driver",
			b->original_driver, "original_override", b->original_override, "taken_for",
			b->taken_for, "management", b->management);

		if (one && b->original_vfs != NO_INDEX) {
			json_object_set_new(one, "vfs", json_integer(b->vfs));
			json_object_set_new(one, "original_vfs", json_integer(b->original_vfs));
		}
		if (json_array_append_new(array, one)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

char *journal_entry_text(const struct journal_entry *entry)
{
	json_auto_t *root = NULL;
	json_t *bindings = bindings_json(entry);

	if (!bindings)
		return NULL;
	root = json_pack("{s:i, s:s, s:I, s:b, s:s, s:s*, s:s, s:s*, s:o}", "schema_version",
			 JOURNAL_SCHEMA_VERSION, "name", entry->name, "owner",
			 (json_int_t)entry->owner, "kept", entry->kept, "driver",
			 driver_choice_names[entry->driver], "file", entry->file, "config",
			 entry->config, "machine", entry->machine, "bindings", bindings);
	return root ? json_dumps(root, JSON_INDENT(1)) : NULL;
}

static int by_name(const char *const names[], const char *name)
{
	for (int i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int parse_binding(json_t *json, struct journal_entry *out, json_error_t *fault)
{
	const char *device, *selector, *address, *interface, *driver = NULL, *original = NULL;
	const char *override = NULL, *taken_for = NULL, *management = NULL;
	int sel, choice, vfs = -1, original_vfs = -1;
	struct journal_binding *b;

	if (json_unpack_ex(json, fault, JSON_STRICT,
			   "{s:s, s:s, s:s, s:s, s?s, s?s, s?s, s?s, s?s, s?i, s?i}", "device",
			   &device, "selector", &selector, "address", &address, "interface",
			   &interface, "driver", &driver, "original_driver", &original,
			   "original_override", &override, "taken_for", &taken_for, "management",
			   &management, "vfs", &vfs, "original_vfs", &original_vfs))
		return -EINVAL;
	sel = by_name(selector_names, selector);
	choice = by_name(driver_choice_names, interface);
	if (sel < 0 || choice < 0 || !driver != !original || vfs < -1 || original_vfs < -1) {
		snprintf(fault->text, sizeof(fault->text),
			 "unknown selector or interface, or half a binding");
		return -EINVAL;
	}
	b = journal_add_binding(out);
	if (!b)
		return -ENOMEM;
	b->selector = sel;
	b->interface = choice;
	/* -1 is NO_INDEX. */
	b->vfs = (uint32_t)vfs;
	b->original_vfs = (uint32_t)original_vfs;
	return copy_text(device, &b->device) || copy_text(address, &b->address) ||
			       copy_text(driver, &b->driver) ||
			       copy_text(original, &b->original_driver) ||
			       copy_text(override, &b->original_override) ||
			       copy_text(management, &b->management) ||
			       copy_text(taken_for, &b->taken_for)
		       ? -ENOMEM
		       : 0;
}

static int parse_entry(json_t *root, struct journal_entry *out, json_error_t *fault)
{
	const char *name, *driver, *file = NULL, *config, *machine = NULL;
	int version, kept, choice, ret;
	json_t *bindings;
	json_int_t owner;
	size_t n;

	if (json_unpack_ex(root, fault, JSON_STRICT,
			   "{s:i, s:s, s:I, s:b, s:s, s?s, s:s, s?s, s:o}", "schema_version",
			   &version, "name", &name, "owner", &owner, "kept", &kept, "driver",
			   &driver, "file", &file, "config", &config, "machine", &machine,
			   "bindings", &bindings))
		return -EINVAL;
	choice = by_name(driver_choice_names, driver);
	if (version != JOURNAL_SCHEMA_VERSION || choice < 0 || owner < 0 || owner >= UINT32_MAX ||
	    !json_is_array(bindings)) {
		snprintf(fault->text, sizeof(fault->text), "a value is out of its range");
		return -EINVAL;
	}
	out->owner = (uid_t)owner;
	out->kept = kept;
	out->driver = choice;
	ret = copy_text(name, &out->name);
	if (!ret)
		ret = copy_text(file, &out->file);
	if (!ret)
		ret = copy_text(config, &out->config);
	if (!ret)
		ret = copy_text(machine, &out->machine);
	n = json_array_size(bindings);
	for (size_t i = 0; !ret && i < n; i++)
		ret = parse_binding(json_array_get(bindings, i), out, fault);
	return ret;
}

int journal_entry_parse(const char *text, size_t length, struct journal_entry *out, char **why)
{
	json_auto_t *root = NULL;
	_cleanup_entry_ struct journal_entry entry = {0};
	json_error_t fault = {0};
	int ret = json_read(text, length, &root, &fault);

	if (!ret)
		ret = parse_entry(root, &entry, &fault);
	if (ret == -EINVAL)
		*why = strdup(fault.text);
	if (ret)
		return ret;
	*out = entry;
	entry = (struct journal_entry){0};
	return 0;
}
