// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/load.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/faults.h"
#include "config/names.h"
#include "config/values.h"

struct loader {
	struct arena *arena;
	struct faults *faults;
};

#define RAW_SIZE_MAX 512
#define X(owner, ...) \
	_Static_assert(sizeof(struct raw_##owner) <= RAW_SIZE_MAX, "scratch space for " #owner);
GRAMMAR_OBJECTS(X)
#undef X

/* What one object of the file says, by index of the key. */
struct found {
	const struct node *keys[GRAMMAR_FIELDS_MAX];
	const struct node *values[GRAMMAR_FIELDS_MAX];
	bool bad[GRAMMAR_FIELDS_MAX];
	bool misspelt[GRAMMAR_FIELDS_MAX]; /* an unknown key was probably meant to be it */
};

static void load_object(struct loader *l, const struct place *place, const struct node *node,
			const struct grammar_object *object, void *raw);

static void *alloc(struct loader *l, size_t count, size_t size)
{
	void *piece = arena_alloc_array(l->arena, count, size);

	if (!piece)
		l->faults->no_memory = true;
	return piece;
}

/* Returns the index of the key that was probably meant; n_fields: none. */
static size_t fault_unknown_key(struct loader *l, const struct place *place, const struct node *key,
				const struct grammar_object *object)
{
	char quoted[QUOTE_MAX], known[512] = "";
	const char *guess = NULL;
	size_t used = 0;

	for (size_t i = 0; i < object->n_fields; i++) {
		guess = better_guess(key->text, guess, object->schema[i].key);
		if (used < sizeof(known))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 i ? ", " : "", object->schema[i].key);
	}
	fault(l->faults, place, NULL, key, "%s has no key %s", object->noun,
	      quote(key->text, quoted));
	if (guess)
		fault_hint(l->faults, "did you mean %s?", guess);
	else
		fault_hint(l->faults, "its keys are %s", known);
	return guess ? grammar_find(object, guess, 0) : object->n_fields;
}

/* Sorts the pairs of the node by field. False: some key is unknown or there twice. */
static bool find_keys(struct loader *l, const struct place *place, const struct node *node,
		      const struct grammar_object *object, struct found *found)
{
	bool fine = true;
	size_t at = 0;

	for (const struct node *key = node->first; key; key = key->next->next) {
		/* Most objects have their keys in the order of the grammar. */
		at = grammar_find(object, key->text, at);
		if (at == object->n_fields) {
			at = fault_unknown_key(l, place, key, object);
			if (at < object->n_fields)
				found->misspelt[at] = true;
			fine = false;
			at = 0;
		} else if (found->keys[at]) {
			fault(l->faults, place, object->schema[at].key, key,
			      "this key is here twice, first in line %u", found->keys[at]->line);
			fine = false;
		} else {
			found->keys[at] = key;
			found->values[at] = key->next;
		}
		if (faults_full(l->faults))
			return false;
	}
	return fine;
}

static bool load_texts(struct loader *l, const struct place *place, const struct node *list,
		       const char *key, const struct grammar_field *field, char **out)
{
	bool fine = true;
	uint32_t i = 0;

	for (const struct node *child = list->first; child; child = child->next) {
		const struct place item = {.up = place, .key = key, .index = i};

		if (value_check(l->faults, &item, NULL, field, child))
			out[i] = (char *)child->text;
		else
			fine = false;
		i++;
	}
	return fine;
}

/*
 * An element with fewer pairs than its object has required keys is reported and left out: it gets
 * no memory of its own, or a short file of empty elements would take a lot.
 */
static bool is_plausible(const struct node *node, const struct grammar_object *object)
{
	uint32_t required = 0;

	for (size_t i = 0; i < object->n_fields; i++)
		required += object->fields[i].required;
	return node->kind == NODE_MAP && node->count >= required;
}

static uint32_t count_plausible(const struct node *list, const struct grammar_object *object)
{
	uint32_t count = 0;

	for (const struct node *child = list->first; child; child = child->next)
		count += is_plausible(child, object);
	return count;
}

/* Returns how many elements were loaded. */
static uint32_t load_objects(struct loader *l, const struct place *place, const struct node *list,
			     const char *key, const struct grammar_object *object, char *out)
{
	uint32_t index = 0, used = 0;
	_Alignas(max_align_t) char scratch[RAW_SIZE_MAX];

	for (const struct node *child = list->first; child && !faults_full(l->faults);
	     child = child->next) {
		const struct place item = {.up = place, .key = key, .index = index};
		bool plausible = is_plausible(child, object);
		void *raw = plausible ? out + used * object->size : scratch;

		if (!plausible)
			memset(scratch, 0, sizeof(scratch));
		((struct raw_head *)raw)->index = index++;
		load_object(l, &item, child, object, raw);
		used += plausible;
	}
	return used;
}

static bool load_list(struct loader *l, const struct place *place, const struct node *node,
		      const cyaml_schema_field_t *schema, const struct grammar_field *field,
		      char *raw)
{
	uint32_t count = node->count;
	void *items;

	if (node->kind != NODE_LIST) {
		fault(l->faults, place, schema->key, node, "found %s, expected a list",
		      node_what(node));
		fault_hint(l->faults,
			   field->object && node->kind == NODE_MAP
				   ? "put it in brackets, or a dash before it: %s: [{...}]"
				   : "an empty list is written %s: []",
			   schema->key);
		return false;
	}
	if (!field->object && (count < field->min || count > field->max)) {
		fault(l->faults, place, schema->key, node, "found %u values, expected %u", count,
		      (unsigned)field->min);
		return false;
	}
	if (field->object)
		count = count_plausible(node, field->object);
	items = alloc(l, count, field->object ? field->object->size : sizeof(char *));
	if (!items)
		return false;
	*(void **)(raw + schema->data_offset) = items;
	if (field->object)
		count = load_objects(l, place, node, schema->key, field->object, items);
	*(uint32_t *)(raw + schema->count_offset) = count;
	return field->object || load_texts(l, place, node, schema->key, field, items);
}

static bool load_child(struct loader *l, const struct place *place, const struct node *node,
		       const cyaml_schema_field_t *schema, const struct grammar_field *field,
		       char *raw)
{
	const struct place child = {.up = place, .key = schema->key, .index = NO_INDEX};
	void *inner = alloc(l, 1, field->object->size);

	if (!inner)
		return false;
	*(void **)(raw + schema->data_offset) = inner;
	load_object(l, &child, node, field->object, inner);
	return !((struct raw_head *)inner)->bad;
}

static bool load_field(struct loader *l, const struct place *place, const struct node *node,
		       const cyaml_schema_field_t *schema, const struct grammar_field *field,
		       char *raw)
{
	switch (schema->value.type) {
	case CYAML_SEQUENCE:
		return load_list(l, place, node, schema, field, raw);
	case CYAML_MAPPING:
		return load_child(l, place, node, schema, field, raw);
	default:
		if (!value_check(l->faults, place, schema->key, field, node))
			return false;
		*(char **)(raw + schema->data_offset) = (char *)node->text;
		return true;
	}
}

/* The value of the key that the field depends on; NULL: absent. */
static const char *ruling_value(const struct grammar_object *object, const struct found *found,
				const struct grammar_field *field, size_t *at)
{
	*at = grammar_find(object, field->when.key, 0);
	if (found->values[*at])
		return found->values[*at]->kind == NODE_TEXT ? found->values[*at]->text : "";
	return object->fields[*at].fallback;
}

static bool check_rule(struct loader *l, const struct place *place, const struct node *node,
		       const struct grammar_object *object, const struct found *found, size_t i)
{
	const struct grammar_field *field = &object->fields[i];
	const char *key = object->schema[i].key, *value;
	char rule[GRAMMAR_RULE_MAX];
	size_t ruler;

	if (!field->when.key || (!found->keys[i] && !field->when.required))
		return true;
	value = ruling_value(object, found, field, &ruler);
	if (found->bad[ruler])
		return true;
	grammar_rule(field, rule);
	if (found->keys[i] && !grammar_in_place(field, value)) {
		fault(l->faults, place, key, found->keys[i], "%s goes only with %s", key, rule);
		if (value && field->when.values[0])
			fault_hint(l->faults, "%s is %s here%s: change that, or leave %s out",
				   field->when.key, value,
				   found->values[ruler] ? "" : " (the default)", key);
		else
			fault_hint(l->faults, "leave %s out", key);
		return false;
	}
	if (!found->keys[i] && !found->misspelt[i] && field->when.required &&
	    grammar_in_place(field, value)) {
		fault(l->faults, place, key, node, "%s is missing: %s needs it", key, rule);
		return false;
	}
	return true;
}

static void list_alternatives(const struct grammar_object *object, const struct found *found,
			      char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < object->n_fields && used < size; i++)
		if (object->fields[i].alternative && (!found || found->keys[i]))
			used += (size_t)snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
						 object->schema[i].key);
}

static bool check_alternatives(struct loader *l, const struct place *place, const struct node *node,
			       const struct grammar_object *object, const struct found *found)
{
	char all[128], there[128];
	const struct node *second = NULL;
	bool any = false, misspelt = false;
	size_t count = 0;

	for (size_t i = 0; i < object->n_fields; i++) {
		if (!object->fields[i].alternative)
			continue;
		any = true;
		misspelt |= found->misspelt[i];
		if (found->keys[i] && count++)
			second = found->keys[i];
	}
	if (!any || count == 1 || (!count && misspelt))
		return true;
	list_alternatives(object, NULL, all, sizeof(all));
	list_alternatives(object, found, there, sizeof(there));
	if (!count)
		fault(l->faults, place, NULL, node, "%s needs one of %s", object->noun, all);
	else
		fault(l->faults, place, NULL, second, "found %s, expected only one of %s", there,
		      all);
	return false;
}

static bool check_presence(struct loader *l, const struct place *place, const struct node *node,
			   const struct grammar_object *object, const struct found *found)
{
	bool fine = check_alternatives(l, place, node, object, found);

	for (size_t i = 0; i < object->n_fields; i++) {
		if (object->fields[i].required && !found->keys[i] && !found->misspelt[i]) {
			fault(l->faults, place, object->schema[i].key, node,
			      "%s is missing: %s needs it", object->schema[i].key, object->noun);
			fine = false;
		}
		fine &= check_rule(l, place, node, object, found, i);
	}
	return fine;
}

static void load_object(struct loader *l, const struct place *place, const struct node *node,
			const struct grammar_object *object, void *raw)
{
	struct raw_head *head = raw;
	struct found found = {0};

	head->at = node;
	if (node->kind != NODE_MAP) {
		fault(l->faults, place, NULL, node, "found %s, expected %s: {%s: ...}",
		      node_what(node), object->noun, object->schema[0].key);
		head->bad = true;
		return;
	}
	head->bad = !find_keys(l, place, node, object, &found);
	for (size_t i = 0; i < object->n_fields && !faults_full(l->faults); i++) {
		if (!found.values[i]) {
			if (object->fields[i].fallback)
				*(char **)((char *)raw + object->schema[i].data_offset) =
					(char *)object->fields[i].fallback;
			continue;
		}
		found.bad[i] = !load_field(l, place, found.values[i], &object->schema[i],
					   &object->fields[i], raw);
		head->bad |= found.bad[i];
	}
	if (!check_presence(l, place, node, object, &found))
		head->bad = true;
}

struct raw_topology *load_topology(struct arena *arena, struct faults *faults,
				   const struct node *root)
{
	struct loader l = {.arena = arena, .faults = faults};
	static const struct place document;
	struct raw_topology *raw = alloc(&l, 1, sizeof(*raw));

	if (raw)
		load_object(&l, &document, root, &grammar_topology, raw);
	return raw;
}
