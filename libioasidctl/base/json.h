/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading JSON that comes from outside. */
#pragma once

#include <jansson.h>
#include <stddef.h>

/*
 * The document in `length` bytes of text; an object key may be there only once. 0 and a new
 * reference; -EINVAL: not JSON, `fault` says where and why; -ENOMEM.
 */
int json_read(const char *text, size_t length, json_t **out, json_error_t *fault);
