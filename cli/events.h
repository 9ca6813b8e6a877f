/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of `monitor`, for people. */
#pragma once

#include <jansson.h>

/* One line. */
void print_event(const json_t *event);
