// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config/values.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "config/faults.h"
#include "config/names.h"
#include "config/pattern.h"

#define HEX "[0-9a-fA-F]"

/* What one may write, for messages; the pattern of those that have one; numbers taken as text. */
static const struct {
	const char *name; /* of its definition in the JSON Schema */
	const char *expected;
	const char *pattern;
	bool takes_number;
} types[] = {
	[VALUE_NAME] = {"name", "a name: a small letter, then up to 62 small letters, digits or -",
			"^[a-z][a-z0-9-]{0,62}$", false},
	[VALUE_ADDRESS] = {"address", "an address: 0x1000, 4096, 64K or 4G",
			   "^(0x" HEX "+|0|[1-9][0-9]*)[KMGT]?$", true},
	[VALUE_SIZE] = {"size", "a size in bytes above 0: 4096, 64K, 2M or 0x1000",
			"^(0x0*[1-9a-fA-F]" HEX "*|[1-9][0-9]*)[KMGT]?$", true},
	[VALUE_IOVA] = {"iova", "an address (0x1000, 64K or 4G) or auto",
			"^((0x" HEX "+|0|[1-9][0-9]*)[KMGT]?|auto)$", true},
	[VALUE_NUMBER] = {NULL, "a whole number", NULL, true},
	[VALUE_BOOL] = {NULL, "true or false", NULL, false},
	[VALUE_WORD] = {NULL, "one of", NULL, false},
	[VALUE_PATH] = {"path", "an absolute path", "^/[^\x01-\x1f\x7f]{0,4094}$", false},
	[VALUE_PCI] = {"pci", "a PCI address: 0000:01:00.0",
		       "^(" HEX "{4}:)?" HEX "{2}:[01]" HEX "[.][0-7]$", false},
	[VALUE_UUID] = {"uuid", "a UUID: 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
			"^" HEX "{8}-" HEX "{4}-" HEX "{4}-" HEX "{4}-" HEX "{12}$", false},
	[VALUE_SYSFS] = {"sysfs-name", "a name as in /sys: letters, digits and . _ : @ + -",
			 "^[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,127}$", true},
	[VALUE_MANAGEMENT] =
		{"management-device", "a management device: vdpasim_net or pci/0000:01:00.0",
		 "^([A-Za-z0-9_][A-Za-z0-9._:@+-]{0,63}/)?[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,127}$",
		 true},
	[VALUE_MAC] = {"mac", "a hardware address: 52:54:00:12:34:56",
		       "^" HEX "{2}:" HEX "{2}:" HEX "{2}:" HEX "{2}:" HEX "{2}:" HEX "{2}$",
		       false},
	[VALUE_USER] = {"user", "a user's name or number",
			"^[A-Za-z0-9_][A-Za-z0-9._-]{0,255}[$]?$", true},
};
_Static_assert(ARRAY_SIZE(types) == VALUE_COUNT, "every type");

const char *const value_reserved[] = {"null",  "Null",	"NULL", "true", "True", "TRUE", "false",
				      "False", "FALSE", "yes",	"no",	"on",	"off",	NULL};

static const char *const true_words[] = {"true", "True", "TRUE", NULL};
static const char *const false_words[] = {"false", "False", "FALSE", NULL};

const char *value_type_name(enum value_type type)
{
	return types[type].name;
}

const char *value_type_expected(enum value_type type)
{
	return types[type].expected;
}

const char *value_pattern(enum value_type type)
{
	return types[type].pattern;
}

bool value_takes_number(enum value_type type)
{
	return types[type].takes_number;
}

int value_word(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

bool value_true(const char *text)
{
	return value_word(true_words, text) >= 0;
}

static void join_words(const char *const *words, char *buf, size_t size)
{
	size_t used = strlen(buf);

	for (size_t i = 0; words[i] && used + 1 < size; i++) {
		const char *glue = !i ? " " : words[i + 1] ? ", " : " or ";

		snprintf(buf + used, size - used, "%s%s", glue, words[i]);
		used += strlen(buf + used);
	}
}

const char *value_expected(const struct grammar_field *field, char buf[static EXPECTED_MAX])
{
	switch (field->type) {
	case VALUE_WORD:
		snprintf(buf, EXPECTED_MAX, "%s", field->words[1] ? "one of" : "");
		join_words(field->words, buf, EXPECTED_MAX);
		break;
	case VALUE_NUMBER:
		if (field->min == field->max)
			snprintf(buf, EXPECTED_MAX, "the number %" PRIu64, field->min);
		else
			snprintf(buf, EXPECTED_MAX, "a whole number from %" PRIu64 " to %" PRIu64,
				 field->min, field->max);
		break;
	case VALUE_NAME:
		if (field->refers) {
			snprintf(buf, EXPECTED_MAX, "the name of %s %s",
				 strchr("AEIOUaeiou", field->refers[0]) ? "an" : "a",
				 field->refers);
			break;
		}
		__attribute__((fallthrough));
	default:
		snprintf(buf, EXPECTED_MAX, "%s", types[field->type].expected);
	}
	return buf;
}

/* 0, -EINVAL, or -ERANGE when it is a number but too large or too small. */
static int check_number(const struct grammar_field *field, const struct node *node)
{
	uint64_t value;
	int ret;

	if (field->type == VALUE_IOVA && !strcmp(node->text, "auto"))
		return 0;
	ret = number_parse(node->text, &value);
	if (ret || field->type == VALUE_ADDRESS || field->type == VALUE_IOVA)
		return ret;
	if (field->type == VALUE_SIZE)
		return value ? 0 : -EINVAL;
	if (!node->plain || strpbrk(node->text, "KMGT"))
		return -EINVAL;
	return value < field->min || value > field->max ? -ERANGE : 0;
}

static int check(const struct grammar_field *field, const struct node *node)
{
	switch (field->type) {
	case VALUE_ADDRESS:
	case VALUE_SIZE:
	case VALUE_IOVA:
	case VALUE_NUMBER:
		return check_number(field, node);
	case VALUE_BOOL:
		return node->plain && (value_word(true_words, node->text) >= 0 ||
				       value_word(false_words, node->text) >= 0)
			       ? 0
			       : -EINVAL;
	case VALUE_WORD:
		return value_word(field->words, node->text) >= 0 ? 0 : -EINVAL;
	case VALUE_NAME:
		/* Whether there is such a name is found out anyhow. */
		if (field->refers)
			return 0;
		__attribute__((fallthrough));
	default:
		return value_word(value_reserved, node->text) < 0 &&
				       pattern_matches(types[field->type].pattern, node->text)
			       ? 0
			       : -EINVAL;
	}
}

static void hint_word(struct faults *faults, const struct grammar_field *field, const char *text)
{
	const char *guess = NULL;

	for (size_t i = 0; field->words[i]; i++)
		guess = better_guess(text, guess, field->words[i]);
	if (guess)
		fault_hint(faults, "did you mean %s?", guess);
}

/* The mistakes that are made again and again. */
static void hint(struct faults *faults, const struct grammar_field *field, const struct node *node)
{
	const char *text = node->text;

	switch (field->type) {
	case VALUE_WORD:
		hint_word(faults, field, text);
		break;
	case VALUE_BOOL:
		if (!node->plain && (value_true(text) || value_word(false_words, text) >= 0))
			fault_hint(faults, "leave the quotes out");
		else if (!strcmp(text, "yes") || !strcmp(text, "on"))
			fault_hint(faults, "write true");
		else if (!strcmp(text, "no") || !strcmp(text, "off"))
			fault_hint(faults, "write false");
		break;
	case VALUE_NUMBER:
		if (!node->plain)
			fault_hint(faults, "write the number without quotes");
		break;
	case VALUE_ADDRESS:
	case VALUE_SIZE:
	case VALUE_IOVA:
		if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
			fault_hint(faults, "leave leading zeros out: some would read it as octal");
		else if (isdigit((unsigned char)text[0]) &&
			 isalpha((unsigned char)text[strspn(text, "0123456789abcdefABCDEFx")]))
			fault_hint(faults, "suffixes are K, M, G and T, powers of 1024");
		else if (strpbrk(text, "abcdefABCDEF") &&
			 strspn(text, "0123456789abcdefABCDEF") == strlen(text))
			fault_hint(faults, "hexadecimal numbers begin with 0x");
		break;
	case VALUE_PATH:
		if (text[0] != '/')
			fault_hint(faults, "a path begins with /: the holder that opens it "
					   "doesn't run in your directory");
		break;
	default:
		if (value_word(value_reserved, text) >= 0)
			fault_hint(faults, "%s has a meaning of its own in YAML: choose another",
				   text);
	}
}

bool value_check(struct faults *faults, const struct place *place, const char *key,
		 const struct grammar_field *field, const struct node *node)
{
	char quoted[QUOTE_MAX], expected[EXPECTED_MAX];
	int ret;

	if (node->kind != NODE_TEXT || node_is_null(node)) {
		fault(faults, place, key, node, "found %s, expected %s", node_what(node),
		      value_expected(field, expected));
		return false;
	}
	ret = check(field, node);
	if (!ret)
		return true;
	if (ret == -ERANGE && field->type != VALUE_NUMBER) {
		fault(faults, place, key, node, "%s is past the end of 64 bits",
		      quote(node->text, quoted));
		return false;
	}
	fault(faults, place, key, node, "found %s, expected %s", quote(node->text, quoted),
	      value_expected(field, expected));
	hint(faults, field, node);
	return false;
}
