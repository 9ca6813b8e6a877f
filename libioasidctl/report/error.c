// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report/report.h"

#include <errno.h>
#include <string.h>

#include "report/documents.h"

static uint64_t known_if(uint64_t value)
{
	return value ? value : FIELD_UNKNOWN;
}

json_t *report_error(const struct ioasidctl_error *err)
{
	const struct error_record record = {
		.kind = error_kind_name(err->kind),
		.message = err->message ? err->message : strerrordesc_np(err->errnum),
		.cause = err->cause,
		.hint = err->hint,
		.object = err->object,
		.file = err->file,
		.line = known_if(err->line),
		.column = known_if(err->column),
		.source = err->source,
		.ioctl = err->ioctl,
		.errnum = (uint64_t)err->errnum,
	};

	return fields_encode(&error_fields, &record);
}

json_t *report_errors(const struct ioasidctl_error *err)
{
	json_t *array = json_array();

	for (; array && err; err = err->next)
		if (json_array_append_new(array, report_error(err))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static uint32_t position(uint64_t value)
{
	return value == FIELD_UNKNOWN || value > UINT32_MAX ? 0 : (uint32_t)value;
}

static int append_error(const json_t *object, struct ioasidctl_error **err)
{
	struct error_record record;
	struct ioasidctl_error *made;
	int kind;

	if (fields_decode(&error_fields, object, &record))
		return -EINVAL;
	kind = error_kind_by_name(record.kind);
	if (kind < 0 || record.errnum > INT32_MAX)
		return -EINVAL;
	error_new(err, (enum error_kind)kind, (int)record.errnum, "%s", record.message);
	if (record.cause)
		error_cause(err, "%s", record.cause);
	if (record.hint)
		error_hint(err, "%s", record.hint);
	if (record.object)
		error_object(err, "%s", record.object);
	if (record.ioctl)
		error_ioctl(err, record.ioctl);
	if (record.file)
		error_position(err, record.file, position(record.line), position(record.column));
	if (!record.source || !*err)
		return 0;
	for (made = *err; made->next; made = made->next)
		;
	made->source = strdup(record.source);
	return 0;
}

int report_errors_parse(const json_t *array, struct ioasidctl_error **err)
{
	struct ioasidctl_error *parsed = NULL, **last = err;
	const json_t *object;
	size_t i;

	if (!json_array_size(array))
		return -EINVAL;
	json_array_foreach (array, i, object)
		if (append_error(object, &parsed)) {
			error_free(parsed);
			return -EINVAL;
		}
	while (*last)
		last = &(*last)->next;
	*last = parsed;
	return 0;
}

json_t *report_dump(json_t *topologies)
{
	if (!topologies)
		return NULL;
	return json_pack("{s:i, s:o}", "schema_version", REPORT_SCHEMA_VERSION, "topologies",
			 topologies);
}
