// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.h"

#include <errno.h>

int json_read(const char *text, size_t length, json_t **out, json_error_t *fault)
{
	*out = json_loadb(text, length, JSON_REJECT_DUPLICATES, fault);
	if (*out)
		return 0;
	/* For want of memory jansson (2.14) gives up without a word. */
	return fault->text[0] && json_error_code(fault) != json_error_out_of_memory ? -EINVAL
										    : -ENOMEM;
}

int json_member_u32(const json_t *object, const char *key, uint32_t *out)
{
	const json_t *value = json_object_get(object, key);
	const json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)number;
	return 0;
}

int json_member_bool(const json_t *object, const char *key, bool *out)
{
	const json_t *value = json_object_get(object, key);

	*out = json_is_true(value);
	return json_is_boolean(value) ? 0 : -EINVAL;
}

int json_member_text_or_null(const json_t *object, const char *key, const char **out)
{
	const json_t *value = json_object_get(object, key);

	*out = json_string_value(value);
	return *out || json_is_null(value) ? 0 : -EINVAL;
}

int json_member_text(const json_t *object, const char *key, const char **out)
{
	int ret = json_member_text_or_null(object, key, out);

	return ret || *out ? ret : -EINVAL;
}

int json_member_array(const json_t *object, const char *key, const json_t **out)
{
	*out = json_object_get(object, key);
	return json_is_array(*out) ? 0 : -EINVAL;
}
