// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/tree.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "config/faults.h"
#include "config/names.h"
#include "config/source.h"

struct level {
	struct node *node;
	struct node **tail; /* where the next child goes */
	uint32_t children;
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct faults *faults;
	const char *text;
	size_t length;
	struct names anchors;
	struct level levels[CONFIG_MAX_DEPTH];
	size_t depth;
	struct node *root;
	uint32_t nodes; /* so far, aliases expanded */
};

static const struct place document;

static struct node position_of(const yaml_mark_t *mark)
{
	/* CONFIG_MAX_BYTES keeps both within their types. */
	return (struct node){.line = (uint32_t)mark->line + 1,
			     .column = ((uint32_t)mark->column + 1) & 0xfffffff};
}

/* Bytes that libyaml couldn't even read as characters: it tells an offset, not a mark. */
static int report_encoding(struct reader *r)
{
	struct node at = {0};

	uint32_t column;

	source_position(r->text, r->length, r->parser.problem_offset, &at.line, &column);
	at.column = column;
	fault(r->faults, &document, NULL, &at, "not a text file: %s (0x%02x)", r->parser.problem,
	      r->parser.problem_offset < r->length
		      ? (unsigned char)r->text[r->parser.problem_offset]
		      : 0U);
	fault_hint(r->faults, "a config is YAML or JSON in UTF-8, without control characters");
	return -EINVAL;
}

static int report_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	struct node at = position_of(&p->problem_mark);

	if (p->context && p->context_mark.line != p->problem_mark.line)
		fault(r->faults, &document, NULL, &at, "not valid YAML: %s (%s, begun in line %zu)",
		      p->problem, p->context, p->context_mark.line + 1);
	else if (p->context)
		fault(r->faults, &document, NULL, &at, "not valid YAML: %s (%s)", p->problem,
		      p->context);
	else
		fault(r->faults, &document, NULL, &at, "not valid YAML: %s", p->problem);
	if (source_byte(r->text, r->length, at.line, at.column) == '\t')
		fault_hint(r->faults, "YAML takes no tabs here: use spaces");
	return -EINVAL;
}

static int report_parser(struct reader *r)
{
	switch (r->parser.error) {
	case YAML_MEMORY_ERROR:
		return -ENOMEM;
	case YAML_READER_ERROR:
		return report_encoding(r);
	default:
		return report_syntax(r);
	}
}

static int refuse(struct reader *r, const yaml_mark_t *mark, int errnum, const char *message,
		  const char *hint)
{
	struct node at = position_of(mark);

	fault(r->faults, &document, NULL, &at, "%s", message);
	if (hint)
		fault_hint(r->faults, "%s", hint);
	return -errnum;
}

static int count_nodes(struct reader *r, uint32_t weight, const yaml_mark_t *mark)
{
	if (weight > CONFIG_MAX_NODES - r->nodes)
		return refuse(r, mark, E2BIG, "too many values for one config, counting aliases",
			      "split it into several topologies");
	r->nodes += weight;
	return 0;
}

/* Links a node in as the next child (or the root). */
static int add_child(struct reader *r, struct node *node, const yaml_mark_t *mark)
{
	struct level *top;

	if (!r->depth) {
		r->root = node;
		return 0;
	}
	top = &r->levels[r->depth - 1];
	if (top->node->kind == NODE_MAP && !(top->children & 1) && node->kind != NODE_TEXT)
		return refuse(r, mark, EINVAL, "found a list or object as a key, expected a word",
			      "a value that begins with { or [ needs a key and a colon before it");
	*top->tail = node;
	top->tail = &node->next;
	top->children++;
	return 0;
}

static int set_anchor(struct reader *r, const yaml_char_t *anchor, struct node *node)
{
	struct named *entry;
	char *name;

	if (!anchor)
		return 0;
	name = arena_copy(r->arena, (const char *)anchor, strlen((const char *)anchor));
	entry = name ? names_add(&r->anchors, name) : NULL;
	if (!entry)
		return -ENOMEM;
	/* YAML lets a later anchor take the name of an earlier one. */
	entry->object = node;
	return 0;
}

static int make_node(struct reader *r, enum node_kind kind, const yaml_event_t *event,
		     const yaml_char_t *anchor, struct node **out)
{
	struct node *node;
	int ret = count_nodes(r, 1, &event->start_mark);

	if (ret)
		return ret;
	node = arena_take(r->arena, sizeof(*node));
	if (!node)
		return -ENOMEM;
	*node = position_of(&event->start_mark);
	node->kind = (unsigned)kind & 7;
	node->weight = 1;
	*out = node;
	ret = set_anchor(r, anchor, node);
	return ret ? ret : add_child(r, node, &event->start_mark);
}

/* The one tag that means nothing else than quotes would. */
static bool is_text_tag(const yaml_char_t *tag)
{
	return !strcmp((const char *)tag, YAML_STR_TAG);
}

static int refuse_tag(struct reader *r, const yaml_mark_t *mark)
{
	return refuse(r, mark, EINVAL, "found a YAML tag (!...), expected a bare value",
		      "leave the tag out: each key has one meaning");
}

static int read_text(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	const yaml_char_t *tag = event->data.scalar.tag;
	struct node *node;
	int ret;

	if (tag && !is_text_tag(tag))
		return refuse_tag(r, &event->start_mark);
	if (memchr(text, '\0', length))
		return refuse(r, &event->start_mark, EINVAL, "found a NUL character in a value",
			      NULL);
	ret = make_node(r, NODE_TEXT, event, event->data.scalar.anchor, &node);
	if (ret)
		return ret;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
	node->text = arena_copy(r->arena, text, length);
	return node->text ? 0 : -ENOMEM;
}

static int open_level(struct reader *r, enum node_kind kind, const yaml_event_t *event,
		      const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct node *node;
	int ret;

	if (tag)
		return refuse_tag(r, &event->start_mark);
	if (r->depth == CONFIG_MAX_DEPTH)
		return refuse(r, &event->start_mark, E2BIG, "nested too deeply for a config",
			      "count the brackets, or the spaces in front");
	ret = make_node(r, kind, event, anchor, &node);
	if (ret)
		return ret;
	/* The weight is unknown until the end: 0 tells an alias that it's inside of its anchor. */
	node->weight = 0;
	r->levels[r->depth++] = (struct level){.node = node, .tail = &node->first};
	return 0;
}

static void close_level(struct reader *r)
{
	struct level *top = &r->levels[--r->depth];
	uint32_t weight = 1;

	for (const struct node *child = top->node->first; child; child = child->next)
		weight += child->weight;
	top->node->weight = weight;
	top->node->count = top->node->kind == NODE_MAP ? top->children / 2 : top->children;
}

static int use_alias(struct reader *r, const yaml_event_t *event)
{
	struct node at = position_of(&event->start_mark), *copy;
	const char *name = (const char *)event->data.alias.anchor;
	const struct named *entry = names_find(&r->anchors, name);
	const struct node *target = entry ? entry->object : NULL;
	char quoted[QUOTE_MAX];
	int ret;

	if (!target) {
		fault(r->faults, &document, NULL, &at, "no anchor of the name %s before this alias",
		      quote(name, quoted));
		fault_hint(r->faults, "write the value out, or in quotes if it begins with *");
		return -EINVAL;
	}
	if (!target->weight) {
		fault(r->faults, &document, NULL, &at, "alias %s lies within what it stands for",
		      quote(name, quoted));
		return -EINVAL;
	}
	ret = count_nodes(r, target->weight, &event->start_mark);
	if (ret)
		return ret;
	copy = arena_alloc(r->arena, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *target;
	copy->next = NULL;
	copy->line = at.line;
	copy->column = at.column;
	return add_child(r, copy, &event->start_mark);
}

static int take_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (!r->root)
			return 0;
		return refuse(r, &event->start_mark, EINVAL,
			      "found a second YAML document, expected one per file",
			      "give each topology its own file");
	case YAML_ALIAS_EVENT:
		return use_alias(r, event);
	case YAML_SCALAR_EVENT:
		return read_text(r, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(r, NODE_LIST, event, event->data.sequence_start.anchor,
				  event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_level(r, NODE_MAP, event, event->data.mapping_start.anchor,
				  event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_level(r);
		return 0;
	default:
		return 0;
	}
}

static int read_stream(struct reader *r)
{
	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		int ret;

		if (!yaml_parser_parse(&r->parser, &event))
			return report_parser(r);
		type = event.type;
		ret = take_event(r, &event);
		yaml_event_delete(&event);
		if (ret)
			return ret;
		if (type == YAML_STREAM_END_EVENT)
			return 0;
	}
}

int tree_parse(struct arena *arena, struct faults *faults, const char *text, size_t length,
	       struct node **root)
{
	struct reader r = {.arena = arena,
			   .faults = faults,
			   .text = text,
			   .length = length,
			   .anchors.arena = arena};
	static const struct node top = {.line = 1, .column = 1};
	int ret;

	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	/* Else a byte order mark could switch it to UTF-16, which nothing else here reads. */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
	ret = read_stream(&r);
	yaml_parser_delete(&r.parser);
	names_done(&r.anchors);
	if (ret)
		return ret;
	if (!r.root) {
		fault(faults, &document, NULL, &top, "found nothing, expected a config");
		fault_hint(faults, "the shortest one is: {version: 1, name: vm0}");
		return -EINVAL;
	}
	*root = r.root;
	return 0;
}

const struct node *node_value(const struct node *map, const char *key)
{
	if (map->kind != NODE_MAP)
		return NULL;
	for (const struct node *k = map->first; k && k->next; k = k->next->next)
		if (!strcmp(k->text, key))
			return k->next;
	return NULL;
}

bool node_is_null(const struct node *node)
{
	static const char *const spellings[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_TEXT || !node->plain || !strchr("~nN", node->text[0]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (!strcmp(node->text, spellings[i]))
			return true;
	return false;
}

const char *node_what(const struct node *node)
{
	if (node->kind == NODE_LIST)
		return "a list";
	if (node->kind == NODE_MAP)
		return "an object";
	return node_is_null(node) ? "nothing" : "text";
}
