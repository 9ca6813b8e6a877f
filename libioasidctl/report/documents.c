// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/documents.h"

#include "base/error.h"
#include "driver/driver.h"
#include "plan/plan.h"
#include "report/event.h"
#include "report/explain.h"
#include "report/host.h"
#include "report/records.h"
#include "report/translation.h"

static const char *const error_kinds[] = {
#define X(id, name, exit_status, retry) name,
	ERROR_KINDS(X)
#undef X
		NULL};

static const char *const operation_names[] = {
#define X(id, name, verb, inverse, final) name,
	OPERATIONS(X)
#undef X
		NULL};

#define ERROR_FIELD(type_, key_, member, optional_, about)                              \
	{                                                                               \
		.key = key_, .type = FIELD_##type_,                                     \
		.offset = offsetof(struct error_record, member), .optional = optional_, \
		.description = about                                                    \
	}

static const struct field error_list[] = {
	{.key = "kind",
	 .type = FIELD_TEXT,
	 .offset = offsetof(struct error_record, kind),
	 .names = error_kinds,
	 .description = "one of a closed set; each has its exit status"},
	ERROR_FIELD(TEXT, "message", message, false, "what went wrong"),
	ERROR_FIELD(TEXT, "cause", cause, true, "why, as far as it was found out"),
	ERROR_FIELD(TEXT, "hint", hint, true, "what to do"),
	ERROR_FIELD(TEXT, "object", object, true, "path of the object concerned"),
	ERROR_FIELD(TEXT, "file", file, true, "config file"),
	ERROR_FIELD(COUNT, "line", line, true, "in the file, from 1"),
	ERROR_FIELD(COUNT, "column", column, true, "in the line, from 1"),
	ERROR_FIELD(TEXT, "source", source, true, "the line itself"),
	ERROR_FIELD(TEXT, "ioctl", ioctl, true, "kernel call that failed"),
	ERROR_FIELD(COUNT, "errno", errnum, false, "number of the error"),
	{0},
};
const struct field_table error_fields = {
	.name = "error",
	.description = "one error",
	.record_size = sizeof(struct error_record),
	.fields = error_list,
};

/*
 * The documents below are put together where they are printed, from parts that have tables or
 * come from the engine; these tables only describe them.
 */
#define ENTRY(type_, key_, optional_, about, ...)                                                \
	{                                                                                        \
		.key = key_, .type = FIELD_##type_, .optional = optional_, .description = about, \
		##__VA_ARGS__                                                                    \
	}
#define VERSIONED ENTRY(COUNT, "schema_version", false, "of this kind of document; now 1")
#define DESCRIBE(variable, name_, about, list)       \
	static const struct field_table variable = { \
		.name = name_, .description = about, .fields = list}

static const struct field error_document_list[] = {
	VERSIONED,
	ENTRY(OBJECTS, "errors", false, "all that were found", .table = &error_fields),
	{0},
};
DESCRIBE(error_document, "errors", "what went wrong", error_document_list);

static const struct field dump_list[] = {
	VERSIONED,
	ENTRY(OBJECTS, "topologies", false, "all that the caller may see",
	      .table = &topology_fields),
	{0},
};
DESCRIBE(dump_document, "dump", "the live topologies", dump_list);

static const struct field operation_list[] = {
	ENTRY(TEXT, "action", false, "what is done", .names = operation_names),
	ENTRY(TEXT, "text", false, "the same for people"),
	ENTRY(TEXT, "fd", true, "name of the fd concerned"),
	ENTRY(TEXT, "ioasid", true, "name of the IOASID concerned"),
	ENTRY(TEXT, "viommu", true, "the vIOMMU"),
	ENTRY(TEXT, "device", true, "name of the device concerned"),
	ENTRY(TEXT, "memory", true, "name of the memory concerned"),
	ENTRY(COUNT, "pasid", true, "of the device"),
	ENTRY(HEX, "iova", true, "of the mapping"),
	ENTRY(HEX, "length", true, "of the mapping, bytes"),
	ENTRY(HEX, "offset", true, "of the mapping in the memory, bytes"),
	ENTRY(TEXT, "access", true, "of the mapping", .names = access_names),
	ENTRY(TEXT, "copy", true, "IOASID that the mapping is copied from"),
	ENTRY(TEXT, "from", true, "copy: IOVA there; replace: IOASID that the device leaves"),
	{0},
};
DESCRIBE(operation_fields, "operation", "one step", operation_list);

#define CHANGE_ENTRIES                                                                     \
	ENTRY(TEXT, "name", false, "of the topology"),                                     \
		ENTRY(BOOL, "changed", false, "whether there is, or was, anything to do"), \
		ENTRY(COUNTERS, "counts", false, "operations by kind", .names = operation_names)

static const struct field plan_list[] = {
	VERSIONED,
	CHANGE_ENTRIES,
	ENTRY(OBJECTS, "operations", false, "in the order of their execution",
	      .table = &operation_fields),
	{0},
};
DESCRIBE(plan_document, "plan", "what apply would do", plan_list);

static const struct field outcome_list[] = {
	CHANGE_ENTRIES,
	ENTRY(BOOL, "dry_run", false, "true: only what would have been done"),
	ENTRY(OBJECTS, "operations", true, "in the order of their execution, where asked for",
	      .table = &operation_fields),
	{0},
};
DESCRIBE(outcome_fields, "outcome", "what was done to one topology", outcome_list);

static const struct field result_list[] = {
	VERSIONED,
	ENTRY(OBJECTS, "results", false, "one for each topology", .table = &outcome_fields),
	{0},
};
DESCRIBE(result_document, "result", "what apply or delete has done", result_list);

static const struct field checked_list[] = {
	ENTRY(TEXT, "file", false, "as given"),
	ENTRY(TEXT, "name", false, "of the topology in it"),
	ENTRY(BOOL, "planned", false, "also planned for a driver, or tried on a machine"),
	{0},
};
DESCRIBE(checked_fields, "file", "a file without fault", checked_list);

static const struct field check_list[] = {
	VERSIONED,
	ENTRY(OBJECTS, "files", false, "those without fault", .table = &checked_fields),
	{0},
};
DESCRIBE(check_document, "check", "what check found right", check_list);

static const struct field lacking_list[] = {
	ENTRY(TEXT, "capability", false, "what it can't do"),
	ENTRY(TEXT, "reason", false, "why"),
	{0},
};
DESCRIBE(lacking_fields, "lacking", "something a driver can't do", lacking_list);

static const struct field driver_list[] = {
	ENTRY(TEXT, "name", false, "as in configs", .names = driver_choice_names),
	ENTRY(TEXT, "node", false, "device node it opens"),
	ENTRY(BOOL, "available", false, "whether it can be used here, now, by this user"),
	ENTRY(TEXT, "reason", true, "why it isn't available"),
	ENTRY(OBJECTS, "lacks", false, "what it can't do", .table = &lacking_fields),
	{0},
};
DESCRIBE(driver_fields, "driver", "a driver of this build", driver_list);

static const struct field version_list[] = {
	VERSIONED,
	ENTRY(TEXT, "version", false, "of ioasidctl"),
	ENTRY(OBJECTS, "drivers", false, "in the order of preference", .table = &driver_fields),
	{0},
};
DESCRIBE(version_document, "version", "what this build is and can do", version_list);

static const struct field invalidate_list[] = {
	VERSIONED,
	ENTRY(TEXT, "name", false, "of the topology"),
	ENTRY(TEXT, "object", false, "the nested IOASID or vIOMMU, as given"),
	ENTRY(COUNT, "handled", false, "how many invalidations were done"),
	{0},
};
DESCRIBE(invalidate_document, "invalidate", "what invalidate has done", invalidate_list);

static const struct field pages_list[] = {
	ENTRY(HEX, "first", false, "first address"),
	ENTRY(HEX, "last", false, "last address, itself included"),
	{0},
};
DESCRIBE(pages_fields, "pages", "pages in a row", pages_list);

static const struct field asked_list[] = {
	ENTRY(HEX, "first", false, "first address"),
	ENTRY(HEX, "last", false, "last address, itself included"),
	ENTRY(COUNT, "pages", false, "dirty ones in it"),
	ENTRY(COUNT, "bitmap_offset", true, "where its bits begin in the file, bytes"),
	{0},
};
DESCRIBE(asked_fields, "asked", "a range that was looked at", asked_list);

static const struct field dirty_list[] = {
	VERSIONED,
	ENTRY(TEXT, "name", false, "of the topology"),
	ENTRY(TEXT, "object", false, "the IOASID, as given"),
	ENTRY(BOOL, "active", false, "whether dirty pages are being recorded"),
	ENTRY(HEX, "page_size", true, "read: bytes of a page"),
	ENTRY(COUNT, "pages", true, "read: how many are dirty"),
	ENTRY(BOOL, "kept", true, "read: the record was left as it is"),
	ENTRY(OBJECTS, "ranges", true, "read: what was looked at", .table = &asked_fields),
	ENTRY(OBJECTS, "dirty", true, "read: the dirty pages", .table = &pages_fields),
	{0},
};
DESCRIBE(dirty_document, "dirty", "what dirty has done or found", dirty_list);

static const struct field translate_list[] = {
	VERSIONED,
	ENTRY(TEXT, "topology", false, "name of the topology"),
	ENTRY(TEXT, "device", false, "name of the device"),
	ENTRY(COUNT, "pasid", true, "of its DMA"),
	ENTRY(TEXT, "access", true, "what was to be allowed", .names = access_names),
	ENTRY(OBJECTS, "translations", false, "one for each address, in the order given",
	      .table = &translation_fields),
	{0},
};
DESCRIBE(translate_document, "translate", "where addresses of a device lead", translate_list);

static const struct field faults_list[] = {
	VERSIONED,
	ENTRY(TEXT, "name", false, "of the topology"),
	ENTRY(OBJECTS, "faults", false, "that waited, oldest first", .table = &event_fields),
	ENTRY(COUNT, "answered", false, "how many answers were given"),
	{0},
};
DESCRIBE(faults_document, "faults", "page faults that devices wait with", faults_list);

const struct report_document report_documents[] = {
	{"show", "ioasidctl show --json", &dump_document},
	{"plan", "ioasidctl plan --json", &plan_document},
	{"result", "ioasidctl apply --json, ioasidctl delete --json", &result_document},
	{"check", "ioasidctl check --json", &check_document},
	{"translate", "ioasidctl translate --json", &translate_document},
	{"version", "ioasidctl version --json", &version_document},
	{"invalidate", "ioasidctl invalidate --json", &invalidate_document},
	{"dirty", "ioasidctl dirty --json", &dirty_document},
	{"faults", "ioasidctl faults --json", &faults_document},
	{"host", "ioasidctl host --json", &host_fields},
	{"event", "a line of ioasidctl monitor --json", &event_fields},
	{"explain", "ioasidctl explain --json", &explain_fields},
	{"error", "errors of any verb with --json, on standard error", &error_document},
	{0},
};
