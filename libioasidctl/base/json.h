/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading JSON that comes from outside. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The document in `length` bytes of text; an object key may be there only once. 0 and a new
 * reference; -EINVAL: not JSON, `fault` says where and why; -ENOMEM.
 */
int json_read(const char *text, size_t length, json_t **out, json_error_t *fault);

/* Members that must be there and of that type; each 0 or -EINVAL. Texts and values are borrowed. */
int json_member_u32(const json_t *object, const char *key, uint32_t *out);
int json_member_bool(const json_t *object, const char *key, bool *out);
int json_member_text(const json_t *object, const char *key, const char **out);
/* NULL where it is null. */
int json_member_text_or_null(const json_t *object, const char *key, const char **out);
int json_member_array(const json_t *object, const char *key, const json_t **out);
