// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages that devices wait for. */
#include <errno.h>

#include "cases.h"

#define ALL(gpa, s1)                                                                         \
	RAM "devices: [" EDU ", " TEST "]\nfds: [{name: main, ioasids: [{name: gpa, map: [{" \
	    "iova: @0x0, memory: ram, length: 2M}]" gpa "}, {name: s1" s1 "}]}]\n"
#define QUEUE  ", fault_queue: true"
#define IN(to) ", attach: [" to "]"
#define E      "{device: edu}"
#define E_5    "{device: edu, pasid: 5}"
#define NESTED(s1)                                                                              \
	RAM "devices: [" EDU ", " TEST                                                          \
	    "]\nfds: [{name: main, ioasids: [{name: gpa, nest_parent: true}, {name: s1, kind: " \
	    "nested, parent: gpa$on, table: $table" s1 "}], $viommus}]\n"

static const struct conformance_case cases[] = {
	{.name = "an IOASID with a fault queue, which comes and goes",
	 .steps = {OK(ALL("", QUEUE IN(E))), SAME(ALL("", QUEUE IN(E))), ASK("faults s1", ""),
		   OK(ALL("", IN(E))), OK(ALL("", QUEUE IN(E)))},
	 .needs = NEED(FAULT_QUEUE)},
	{.name = "a page fault, answered",
	 .steps = {OK(ALL("", QUEUE IN(E))), DO("fault edu @0x5000"),
		   ASK("faults s1", "edu @0x5000"), ASK("faults s1", ""), DO("answer s1 success"),
		   FAIL("answer s1 success", KERNEL, EINVAL, NULL)},
	 .needs = NEED(FAULT_QUEUE) | HAVE(PAGE_REQUEST)},
	{.name = "page faults below a guest's table, answered with no",
	 .steps = {OK(NESTED(QUEUE IN(E))), DO("fault edu @0x5000"),
		   ASK("faults s1", "edu @0x5000"), DO("answer s1 invalid"),
		   FAIL("answer s1 invalid", KERNEL, EINVAL, NULL)},
	 .needs = NEED(FAULT_QUEUE) | NEED(NESTED) | HAVE(GUEST_FAULT) | HAVE(PAGE_REQUEST)},
	{.name = "a page fault of a PASID",
	 .steps = {OK(ALL(IN(E), QUEUE IN(E_5))), DO("fault edu @0x5000 5"),
		   ASK("faults s1", "edu @0x5000 pasid 5"), DO("answer s1 success")},
	 .needs = NEED(FAULT_QUEUE) | NEED(PASID) | HAVE(PASID_DMA) | HAVE(PAGE_REQUEST)},
	{.name = "a device that leaves while it waits for a page",
	 .steps = {OK(ALL("", QUEUE IN(E))), DO("fault edu @0x5000"),
		   ASK("faults s1", "edu @0x5000"), OK(ALL(IN(E), QUEUE)),
		   FAIL("answer s1 success", KERNEL, EINVAL, NULL)},
	 .needs = NEED(FAULT_QUEUE) | HAVE(PAGE_REQUEST)},
	{.name = "faults of what has no queue",
	 .steps = {OK(ALL(IN(E), QUEUE)),
		   FAIL("faults gpa", REFUSED, EOPNOTSUPP, "add fault_queue: true"),
		   FAIL("answer gpa success", REFUSED, EOPNOTSUPP, "add fault_queue: true")},
	 .needs = NEED(FAULT_QUEUE)},
};

const struct conformance_table fault_cases = {"faults", cases, sizeof(cases) / sizeof(cases[0])};
