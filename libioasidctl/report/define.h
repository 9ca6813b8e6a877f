/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How field tables are written: RECORD names the struct, each IS() or LIST() one of its members.
 */
#pragma once

#include "report/fields.h"

/* The key of a field is the name of the record's member. */
#define IS(type_, key_, ...)                                                                  \
	{                                                                                     \
		.key = #key_, .type = FIELD_##type_, .offset = offsetof(struct RECORD, key_), \
		__VA_ARGS__                                                                   \
	}
#define LIST(type_, key_, ...) \
	IS(type_, key_, .count_offset = offsetof(struct RECORD, n_##key_), __VA_ARGS__)
#define OPTIONAL    .optional = true
#define ABOUT(text) .description = text
#define OF(table_)  .table = &table_

#define TABLE(variable, name_, about, fields_)                                     \
	const struct field_table variable = {.name = name_,                        \
					     .description = about,                 \
					     .record_size = sizeof(struct RECORD), \
					     .fields = fields_}
