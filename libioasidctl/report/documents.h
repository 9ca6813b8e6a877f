/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every JSON document that ioasidctl prints, for schemas/. */
#pragma once

#include "report/fields.h"

struct error_record {
	const char *kind, *message, *cause, *hint, *object, *file;
	uint64_t line, column;
	const char *source, *ioctl;
	uint64_t errnum;
};

extern const struct field_table error_fields;

struct report_document {
	const char *name; /* "show": schemas/show.schema.json */
	const char *title;
	const struct field_table *fields;
};

/* Terminated by a NULL name. */
extern const struct report_document report_documents[];
