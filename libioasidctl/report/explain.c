// SPDX-License-Identifier: LGPL-2.1-or-later
/* The document of `ioasidctl explain --json`: tables over the explanation's own structs. */
#include "report/explain.h"

#include "report/define.h"
#include "report/report.h"

static const char *const interface_names[] = {"iommufd", "vfio", NULL};

#define RECORD finding
static const struct field finding_list[] = {
	IS(TEXT, check, .names = explain_check_names, ABOUT("what was looked at")),
	IS(TEXT, state, .names = finding_state_names,
	   ABOUT("fine; unseen: it couldn't be looked at; config: in the way, but a key of a config "
		 "deals with it; obstacle: somebody has to do something first")),
	IS(TEXT, text, ABOUT("what was found")),
	IS(TEXT, remedy, OPTIONAL, ABOUT("what to do")),
	{0},
};
static TABLE(finding_fields, "finding", "what one check came to", finding_list);
#undef RECORD

#define RECORD explained_device
static const struct field device_list[] = {
	IS(TEXT, selector, .names = selector_names, ABOUT("how it was asked for")),
	IS(TEXT, address, ABOUT("what the selector selects")),
	IS(TEXT, driver, OPTIONAL, ABOUT("host driver it is bound to")),
	IS(COUNT, group, OPTIONAL, ABOUT("number of its IOMMU group")),
	IS(TEXT, verdict, .names = explain_verdict_names,
	   ABOUT("yes: it can be had as it is; config: by what `entry` asks for; no")),
	LIST(OBJECTS, findings, OF(finding_fields), ABOUT("of this device")),
	IS(TEXT, entry, OPTIONAL, ABOUT("of a config's devices that would have it, YAML")),
	{0},
};
static TABLE(device_fields, "device", "a device that was asked about", device_list);
#undef RECORD

struct explain_record {
	uint64_t schema_version;
	const char *verdict, *interface;
	const struct finding *machine;
	size_t n_machine;
	const struct explained_device *devices;
	size_t n_devices;
	uint64_t one_fd, one_ioasid;
	const struct finding *together;
	size_t n_together;
	const char **unseen;
	size_t n_unseen;
};

#define RECORD explain_record
static const struct field explain_list[] = {
	IS(COUNT, schema_version, ABOUT("of this kind of document; now 1")),
	IS(TEXT, verdict, .names = explain_verdict_names, ABOUT("of all devices together")),
	IS(TEXT, interface, OPTIONAL, .names = interface_names,
	   ABOUT("the kernel's, that would be used; absent: it has none now")),
	LIST(OBJECTS, machine, OF(finding_fields), ABOUT("what isn't one device's")),
	LIST(OBJECTS, devices, OF(device_fields), ABOUT("in the order of the question")),
	IS(BOOL, one_fd, OPTIONAL, ABOUT("whether one fd can have them all; absent: there is one")),
	IS(BOOL, one_ioasid, OPTIONAL,
	   ABOUT("whether one IOASID can have them all; absent: there is one")),
	LIST(OBJECTS, together, OF(finding_fields), ABOUT("why, and what they leave")),
	LIST(TEXTS, unseen, ABOUT("what who asked couldn't see, and what would help")),
	{0},
};
TABLE(explain_fields, "explain", "whether devices can be had, and what it would take",
      explain_list);
#undef RECORD

json_t *report_explanation(const struct explanation *e)
{
	const struct explain_record record = {
		.schema_version = REPORT_SCHEMA_VERSION,
		.verdict = e->verdict,
		.interface = e->interface,
		.machine = e->machine,
		.n_machine = e->n_machine,
		.devices = e->devices,
		.n_devices = e->n_devices,
		.one_fd = e->one_fd,
		.one_ioasid = e->one_ioasid,
		.together = e->together,
		.n_together = e->n_together,
		.unseen = e->unseen,
		.n_unseen = e->n_unseen,
	};

	return fields_encode(&explain_fields, &record);
}
