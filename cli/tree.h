/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dump as a tree for people: drawn from the JSON, so that both say the same. */
#pragma once

#include <jansson.h>

void print_tree(const json_t *dump);
