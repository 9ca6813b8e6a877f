/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <jansson.h>

/* The topologies of a dump as a graph in the language of Graphviz, to standard output. */
void print_dot(const json_t *dump);
