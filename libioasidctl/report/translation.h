/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records of a translation. */
#pragma once

#include "report/records.h"

struct step_record {
	const char *entry;
	uint64_t address;
	const uint64_t *words;
	size_t n_words;
	const char *memory;
	uint64_t offset;
};

struct stop_record {
	const char *kind, *reason, *fault;
	uint64_t step;
	uint64_t unmapped;
	const struct range_record *excluded;
	const struct mapping_record *below, *above;
};

struct translation_record {
	uint64_t iova, translated;
	const char *fd, *ioasid, *format, *gpa;
	const struct step_record *steps;
	size_t n_steps;
	uint64_t guest_address, page_size;
	const char *table_access;
	const struct mapping_record *mapping;
	const char *memory;
	uint64_t offset;
	const char *access;
	uint64_t length;
	uint64_t physical, physical_length;
	const struct stop_record *stop;
};

extern const struct field_table translation_fields;
