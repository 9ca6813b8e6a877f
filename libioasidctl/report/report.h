/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Live topology -> JSON. Live means asked: everything the kernel can tell is read at the call. */
#pragma once

#include <jansson.h>

#include "driver/driver.h"
#include "model/topology.h"

#define REPORT_SCHEMA_VERSION 1

/* A program that has been handed descriptors of a topology. All borrowed. */
struct taker_record {
	uint64_t pid, uid;
	const char *program; /* NULL: unknown */
	const char *mode; /* of take_mode_names */
	const char *const *names; /* of the descriptors */
	size_t n_names;
};

extern const char *const take_mode_names[];

/*
 * One element of "topologies" in the dump; `taken`: who has its descriptors. New reference; NULL:
 * out of memory.
 */
json_t *report_taken_topology(const struct driver_env *env, const struct topology *t,
			      const struct taker_record *taken, size_t n_taken);
/* The same where nobody has been handed any. */
json_t *report_topology(const struct driver_env *env, const struct topology *t);

/* Addresses to be translated as the IOMMU would for a device. */
struct translate_query {
	const char *device; /* its name */
	uint32_t pasid; /* NO_PASID: its DMA has none */
	uint8_t access; /* enum mapping_access: what must be allowed; 0: any of it */
	const uint64_t *iovas;
	size_t n_iovas;
};

#define TRANSLATE_IOVAS_MAX 128 /* a call to the holder takes no more than 256 values */

/* The parts of a query as they come from outside: "r", "w", "rw", NULL for 0; 1 to PASID_MAX. */
int translate_parse_access(const char *text, uint8_t *out, struct ioasidctl_error **err);
int translate_check_pasid(uint64_t pasid, struct ioasidctl_error **err);

/*
 * The document of translate.schema.json: for each address the way to the memory, or where that
 * stops, which is no error. Reads the memories of the topology; may block on slow files. -ENOENT:
 * no such device; -EINVAL.
 */
int report_translations(const struct topology *t, const struct translate_query *query, json_t **out,
			struct ioasidctl_error **err);

/* The whole dump: {schema_version, topologies: [...]}. Steals the array. */
json_t *report_dump(json_t *topologies);

/* {kind, message, cause, hint, object, file, line, column, ioctl, errno}; absent where unknown. */
json_t *report_error(const struct ioasidctl_error *err);
/* The chain as an array. */
json_t *report_errors(const struct ioasidctl_error *err);
/* The other way, for the client of a holder: appends to *err. -EINVAL: not such an array. */
int report_errors_parse(const json_t *array, struct ioasidctl_error **err);
