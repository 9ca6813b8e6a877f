/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of a holder's JSON, as they are printed: what isn't there, or isn't text, is empty. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/number.h"

/* Owned by `object`. */
static inline const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* "0x1000"; 0: it is none. */
static inline uint64_t hex_of(const json_t *object, const char *key)
{
	uint64_t value = 0;

	number_parse(text_of(object, key), &value);
	return value;
}
