/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `translate` says for people. */
#pragma once

#include <jansson.h>

void print_translations(const json_t *document);
