/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All cases, and what they say of the backends as a page of docs/. */
#pragma once

#include <stdio.h>

#include "cases.h"

extern const struct conformance_table *const conformance_tables[];
extern const size_t n_conformance_tables;

/* 0 */
int print_document(FILE *out);
