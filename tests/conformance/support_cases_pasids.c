// SPDX-License-Identifier: GPL-2.0-or-later
/* Address spaces for parts of what a device does, by PASID. */
#include <errno.h>

#include "cases.h"

#define P(device, pasid) "{device: " device ", pasid: " pasid "}"
#define WHOLE(device)	 "{device: " device "}"
#define MAP(offset)	 "map: [{iova: @0x0, memory: ram, offset: " offset ", length: 64K}]"

/* Three IOASIDs, and what is in each. */
#define SPACES(x, y, z)                                                          \
	RAM "devices: [" EDU ", " TEST                                           \
	    "]\n" FD("{name: x, " MAP("0") ", attach: [" x "]}, {name: y, " MAP( \
		    "256K") ", attach: [" y "]}, {name: z, " MAP("512K") ", attach: [" z "]}")
#define PLAIN(x, y)                                                                   \
	RAM "devices: [" EDU ", " TEST                                                \
	    "]\n" FD("{name: x, attach: [" x "]}, {name: y, pasid: true, attach: [" y \
		     "]}, {name: plain}")
#define NESTED(gpa, s1, s2)                                                                  \
	RAM "devices: [" EDU ", " TEST                                                       \
	    "]\nfds: [{name: main, ioasids: [{name: gpa, nest_parent: true, attach: [" gpa   \
	    "]}, {name: s1, kind: nested, parent: gpa$on, table: $table, attach: [" s1       \
	    "]}, {name: s2, kind: nested, parent: gpa$on, table: $other_table, attach: [" s2 \
	    "]}], $viommus}]\n"

static const struct conformance_case cases[] = {
	{.name = "a PASID beside the whole device",
	 .steps = {OK(SPACES(WHOLE("edu"), P("edu", "5"), "")),
		   SAME(SPACES(WHOLE("edu"), P("edu", "5"), "")),
		   OK(SPACES(WHOLE("edu"), P("edu", "5"), P("edu", "6"))),
		   OK(SPACES(WHOLE("edu"), "", P("edu", "6")))},
	 .needs = NEED(PASID)},
	{.name = "a PASID that moves alone",
	 .steps = {OK(SPACES(WHOLE("edu"), P("edu", "5") ", " P("edu", "6"), "")),
		   OK(SPACES(WHOLE("edu"), P("edu", "6"), P("edu", "5"))),
		   OK(SPACES(WHOLE("edu") ", " P("edu", "5"), "", P("edu", "6"))),
		   SAME(SPACES(WHOLE("edu") ", " P("edu", "5"), "", P("edu", "6")))},
	 .needs = NEED(PASID)},
	{.name = "a whole device that moves below its PASIDs",
	 .steps = {OK(SPACES(WHOLE("edu"), P("edu", "5"), "")),
		   OK(SPACES("", P("edu", "5"), WHOLE("edu"))),
		   OK(SPACES("", P("edu", "5") ", " WHOLE("edu"), ""))},
	 .needs = NEED(PASID)},
	{.name = "a PASID of a device that is in nothing as a whole",
	 .steps = {OK(SPACES("", P("edu", "5"), "")), OK(SPACES("", "", P("edu", "5"))),
		   OK(SPACES(WHOLE("edu"), "", P("edu", "5")))},
	 .needs = NEED(PASID)},
	{.name = "the same PASID of two devices",
	 .steps = {OK(SPACES(WHOLE("edu"), P("edu", "5") ", " P("test", "5"), WHOLE("test"))),
		   OK(SPACES(WHOLE("edu"), P("test", "5"), WHOLE("test") ", " P("edu", "5")))},
	 .needs = NEED(PASID)},
	{.name = "the first and the last PASID there are",
	 .steps = {OK(SPACES(WHOLE("edu"), P("edu", "1") ", " P("edu", "1048575"), ""))},
	 .needs = NEED(PASID)},
	{.name = "processes of a guest, by PASID",
	 .steps = {OK(NESTED(WHOLE("edu"), P("edu", "5") ", " P("edu", "6"), "")),
		   SAME(NESTED(WHOLE("edu"), P("edu", "5") ", " P("edu", "6"), "")),
		   OK(NESTED(WHOLE("edu"), P("edu", "5"), P("edu", "6"))), ASK("domains gpa", "1"),
		   OK(NESTED(WHOLE("edu"), P("edu", "5"), "")),
		   OK(NESTED("", WHOLE("edu"), P("edu", "5")))},
	 .needs = NEED(PASID) | NEED(NESTED) | HAVE(NESTED_PASID)},
	{.name = "DMA with a PASID goes where that is, and without one where the device is",
	 .steps = {OK(SPACES(WHOLE("edu"), P("edu", "5"), "")),
		   ASK("reaches edu @0x1000 ram 0x1000", "yes"),
		   ASK("reaches edu @0x1000 ram 0x41000 5", "yes"),
		   ASK("reaches edu @0x1000 ram 0x1000 5", "no"),
		   OK(SPACES("", WHOLE("edu"), P("edu", "5"))),
		   ASK("reaches edu @0x1000 ram 0x41000", "yes"),
		   ASK("reaches edu @0x1000 ram 0x81000 5", "yes")},
	 .needs = NEED(PASID) | HAVE(PASID_DMA)},

	{.name = "PASIDs that there are none of",
	 .steps = {REFUSED(SPACES("", P("edu", "0"), ""), CONFIG, EINVAL, "from 1 to 1048575"),
		   REFUSED(SPACES("", P("edu", "1048576"), ""), CONFIG, EINVAL,
			   "from 1 to 1048575")}},
	{.name = "a PASID twice",
	 .steps = {REFUSED(SPACES("", P("edu", "5"), P("edu", "5")), CONFIG, EINVAL,
			   "PASID 5 of device \"edu\" is attached twice"),
		   REFUSED(SPACES(WHOLE("edu"), WHOLE("edu"), ""), CONFIG, EINVAL,
			   "is attached twice")}},
	{.name = "PASIDs where an IOASID is declared to take none",
	 .steps = {OK("devices: [" EDU
		      "]\n" FD("{name: x, pasid: false, attach: [" P("edu", "5") "]}"))},
	 .needs = NEED(PASID)},
	{.name = "calls: a PASID into what isn't made for it",
	 .steps = {OK(PLAIN("", WHOLE("edu") ", " P("edu", "5"))), OK(PLAIN("", WHOLE("edu"))),
		   FAIL("attach edu plain 5", REFUSED, EINVAL, "pasid"),
		   SAME(PLAIN("", WHOLE("edu")))},
	 .needs = NEED(PASID)},
	{.name = "calls: a PASID that the device hasn't got",
	 .steps = {OK(PLAIN("", WHOLE("edu"))),
		   FAIL("attach edu y 1048576", REFUSED, EINVAL, "1048575"),
		   SAME(PLAIN("", WHOLE("edu")))},
	 .needs = NEED(PASID) | HAVE(PASID_DMA)},
	{.name = "calls: a device with PASIDs into what isn't made for them",
	 .steps = {OK(PLAIN("", WHOLE("edu") ", " P("edu", "5"))),
		   FAIL("attach edu plain", REFUSED, EINVAL, "PASIDs of the device are attached"),
		   SAME(PLAIN("", WHOLE("edu") ", " P("edu", "5")))},
	 .needs = NEED(PASID)},
};

const struct conformance_table pasid_cases = {"PASIDs", cases, sizeof(cases) / sizeof(cases[0])};
