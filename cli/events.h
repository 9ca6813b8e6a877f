/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of `monitor` and `faults`. */
#pragma once

#include <jansson.h>

#include "verb.h"

/* One line, for people. */
void print_event(const json_t *event);
/* As it comes: one line, JSON where that is asked for, and at once. 0, or -EIO: nobody can read it.
 */
int tell_event(const struct invocation *in, const json_t *event);
