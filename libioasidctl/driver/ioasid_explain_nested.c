// SPDX-License-Identifier: LGPL-2.1-or-later
/* Why there can't be a nested IOASID or a viommu: asked of the device. */
#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "driver/ioasid_explain.h"

/* "vtd-s1, x86-64": the words whose bits are set; NULL: none, or no memory. */
static char *list_words(const char *const *names, uint32_t bits)
{
	char *text = NULL;
	size_t size;
	FILE *out = bits ? open_memstream(&text, &size) : NULL;
	const char *comma = "";

	for (size_t i = 0; out && names[i]; i++)
		if (bits & 1U << i) {
			fprintf(out, "%s%s", comma, names[i]);
			comma = ", ";
		}
	if (out && fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void explain_what_there_is(const char *what, const char *label, const char *const *names,
				  uint32_t bits, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = list_words(names, bits);

	error_cause(err, "the IOMMU in front of %s has %s %s", label, text ? "only these" : "no",
		    what);
	if (text) {
		error_cause(err, "the IOMMU in front of %s has only these %s: %s", label, what,
			    text);
		error_hint(err, "use one of them");
	} else {
		error_hint(err, "take a device behind an IOMMU that has them");
	}
}

/* An IOASID that should be a parent: false where it could be one. */
static bool explain_parent(struct driver_fd *fd, uint32_t parent, struct ioasidctl_error **err)
{
	struct ioasid_entry_ioasid entry;

	if (ioasid_entry(fd, parent, &entry)) {
		error_cause(err, "there is no IOASID %u that could be its parent", parent);
		return true;
	}
	if (entry.kind == IOASID_KIND_NESTED) {
		error_cause(err, "IOASID %u is nested itself", parent);
		error_hint(err, "nest on a gpa");
		return true;
	}
	if (entry.alloc_flags & IOASID_ALLOC_NEST_PARENT)
		return false;
	error_cause(err, "IOASID %u wasn't made to be nested on", parent);
	error_hint(err, "declare it with `nest_parent: true`");
	return true;
}

static void explain_gpa(const struct ioasid_alloc_args *args, struct ioasidctl_error **err)
{
	if (args->flags & IOASID_ALLOC_FAULT && args->flags & IOASID_ALLOC_NEST_PARENT) {
		error_cause(err, "a nest_parent has no fault queue: faults are those of the nested "
				 "tables");
		error_hint(err, "declare `fault_queue` of the nested IOASIDs instead");
		return;
	}
	error_cause(err, "the device doesn't serve what was asked for");
}

static void explain_nested(struct driver_fd *fd, const struct ioasid_alloc_args *args,
			   struct ioasidctl_error **err)
{
	const char *label = ioasid_device_label(fd, args->cookie);
	struct ioasid_device_info_args info;

	if (args->flags & ~IOASID_ALLOC_NESTED_FLAGS) {
		error_cause(err, "a nested IOASID can have `pasid` and `fault_queue` only");
		error_hint(err, "declare the others of its parent");
	} else if (!ioasid_hardware(fd, args->cookie, &info)) {
		explain_what_there_is("formats of nested tables", label, table_format_names,
				      info.nested_formats, err);
	}
}

void ioasid_explain_alloc(struct driver_fd *fd, const struct ioasid_alloc_args *args, int ret,
			  struct ioasidctl_error **err)
{
	if (!err)
		return;
	if (ret == -EOPNOTSUPP && args->kind == IOASID_KIND_GPA) {
		explain_gpa(args, err);
	} else if (ret == -EOPNOTSUPP) {
		explain_nested(fd, args, err);
	} else if (ret == -EINVAL && args->kind == IOASID_KIND_NESTED) {
		if (!args->viommu && explain_parent(fd, args->parent, err))
			return;
		error_cause(err,
			    args->viommu ? "viommu %u is of another IOMMU than %s, or the table "
					   "makes no sense"
					 : "the table makes no sense: its root isn't a multiple of "
					   "4096 bytes, or its width none that there is",
			    args->viommu, ioasid_device_label(fd, args->cookie));
		error_hint(err, "look at `table` of the IOASID");
	}
}

void ioasid_explain_viommu(struct driver_fd *fd, const struct ioasid_viommu_args *args, int ret,
			   struct ioasidctl_error **err)
{
	struct ioasid_device_info_args info;

	if (!err)
		return;
	if (ret == -EINVAL)
		explain_parent(fd, args->parent, err);
	else if (ret == -EOPNOTSUPP && !ioasid_hardware(fd, args->cookie, &info))
		explain_what_there_is("types of viommu", ioasid_device_label(fd, args->cookie),
				      viommu_type_names, info.viommu_types, err);
}
