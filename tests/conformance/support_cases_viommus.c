// SPDX-License-Identifier: GPL-2.0-or-later
/* A guest's own IOMMU, and what belongs to it. */
#include <errno.h>

#include "cases.h"

#define PARENT "{name: gpa, nest_parent: true, map: [{iova: @0x0, memory: ram, length: 2M}]"
#define BOTH   EDU ", " TEST
#define ALL(spaces, viommus)                                                                    \
	RAM "devices: [" BOTH "]\nfds: [{name: main, ioasids: [" spaces "], viommus: [" viommus \
	    "]}]\n"
#define VIOMMU(type, more) "{name: v, parent: gpa, device: edu, type: " type more "}"
#define V(more)		   ALL(PARENT ", attach: [{device: test}]}", VIOMMU("$type", more))
#define KNOWS(list)	   ", vdevices: [" list "]"
#define EDU_AS(id)	   "{device: edu, id: " id "}"
#define TEST_AS(id)	   "{device: test, id: " id "}"
#define EVENTS(depth)	   ", events: {depth: " depth "}"
#define QUEUE(index, iova) "{index: " index ", iova: " iova ", length: 4K}"
#define QUEUES(list)	   ", queues: [" list "]"

/* edu in a nested IOASID on the vIOMMU. */
#define GUEST(more)                                                                                                 \
	ALL(PARENT                                                                                                  \
	    ", attach: [{device: test}]}, {name: s1, kind: nested, parent: gpa, viommu: v, table: $table, attach: " \
	    "[{device: edu}]}",                                                                                     \
	    VIOMMU("$type", more))

static const struct conformance_case cases[] = {
	{.name = "a vIOMMU comes and goes",
	 .steps = {OK(V("")), SAME(V("")), ASK("domains gpa", "1"), DO("probe v"),
		   OK(ALL(PARENT ", attach: [{device: test}]}", ""))},
	 .needs = NEED(VIOMMU)},
	{.name = "devices that a vIOMMU knows",
	 .steps = {OK(V(KNOWS(EDU_AS("0x18")))), OK(V(KNOWS(EDU_AS("0x18") ", " TEST_AS("0x20")))),
		   SAME(V(KNOWS(EDU_AS("0x18") ", " TEST_AS("0x20")))),
		   OK(V(KNOWS(EDU_AS("0x21") ", " TEST_AS("0x20")))), OK(V(""))},
	 .needs = NEED(VIOMMU)},
	{.name = "a nested IOASID on a vIOMMU",
	 .steps = {OK(GUEST(KNOWS(EDU_AS("0x18")))), SAME(GUEST(KNOWS(EDU_AS("0x18")))),
		   ASK("domains gpa", "1"), OK(V(KNOWS(EDU_AS("0x18")))),
		   OK(GUEST(KNOWS(EDU_AS("0x18"))))},
	 .needs = NEED(VIOMMU) | NEED(NESTED)},
	{.name = "stale caches, by the vIOMMU",
	 .steps = {OK(GUEST(KNOWS(EDU_AS("0x18")))), DO("invalidate v all"),
		   FAIL("invalidate v $bad_entry", REFUSED, 0, NULL)},
	 .needs = NEED(VIOMMU) | NEED(NESTED)},
	{.name = "a vIOMMU with an event queue, which becomes another one and goes",
	 .steps = {OK(V(EVENTS("4"))), SAME(V(EVENTS("4"))), ASK("events v", "none"),
		   OK(V(EVENTS("8"))), OK(V(""))},
	 .needs = NEED(VIOMMU) | NEED(EVENTS)},
	{.name = "DMA of a nested device to nowhere is an event",
	 .steps = {OK(GUEST(KNOWS(EDU_AS("0x18")) EVENTS("4"))), ASK("events v", "none"),
		   DO("stray edu"), ASK("events v", "some"), ASK("events v", "none")},
	 .needs = NEED(VIOMMU) | NEED(NESTED) | NEED(EVENTS)},
	{.name = "hardware queues in the guest's memory",
	 .steps = {OK(V(QUEUES(QUEUE("0", "@0x0")))),
		   OK(V(QUEUES(QUEUE("0", "@0x0") ", " QUEUE("1", "@0x1000")))),
		   SAME(V(QUEUES(QUEUE("1", "@0x1000") ", " QUEUE("0", "@0x0")))),
		   FAIL("unmap gpa @0x0 2M", BUSY, EBUSY, NULL), OK(V(""))},
	 .needs = NEED(VIOMMU) | NEED(HW_QUEUE)},
	{.name = "hardware queues that move below others, and go in turn",
	 .steps = {OK(V(QUEUES(QUEUE("0", "@0x0") ", " QUEUE("1", "@0x1000")))),
		   OK(V(QUEUES(QUEUE("0", "@0x4000") ", " QUEUE("1", "@0x1000")))),
		   OK(V(QUEUES(QUEUE("0", "@0x4000")))),
		   OK(V(QUEUES(QUEUE("0", "@0x4000") ", " QUEUE("1", "@0x6000"))))},
	 .needs = NEED(VIOMMU) | NEED(HW_QUEUE) | HAVE(QUEUE_STACK)},

	{.name = "a vIOMMU of a type that the device's IOMMU hasn't got",
	 .steps = {REFUSED(ALL(PARENT "}", VIOMMU("$wrong_type", "")), REFUSED, EOPNOTSUPP, "v"),
		   OK(V("")),
		   REFUSED(ALL(PARENT ", attach: [{device: test}]}",
			       VIOMMU("$type", "") ", {name: w, parent: gpa, device: test, type: "
						   "$wrong_type}"),
			   REFUSED, EOPNOTSUPP, "w"),
		   SAME(V(""))},
	 .needs = NEED(VIOMMU)},
	{.name = "an event queue of a type of vIOMMU that has none",
	 .steps = {REFUSED(ALL(PARENT "}", VIOMMU("$eventless_type", EVENTS("4"))), REFUSED,
			   EOPNOTSUPP, "has no event queue")},
	 .needs = NEED(VIOMMU) | HAVE(TWO_VIOMMUS)},
	{.name = "hardware queues of a type of vIOMMU that has none",
	 .steps = {REFUSED(ALL(PARENT "}", VIOMMU("$eventless_type", QUEUES(QUEUE("0", "@0x0")))),
			   REFUSED, EOPNOTSUPP, "has no hardware queues")},
	 .needs = NEED(VIOMMU) | HAVE(TWO_VIOMMUS)},
	{.name = "a vIOMMU on a parent that isn't made for it",
	 .steps = {REFUSED(ALL("{name: gpa}", VIOMMU("$type", "")), CONFIG, EINVAL,
			   "add nest_parent: true")}},
	{.name = "a vIOMMU on another parent than what is nested on it",
	 .steps = {REFUSED(ALL(PARENT "}, {name: far, nest_parent: true}, {name: s1, kind: nested, "
				      "parent: far, viommu: v, table: $table}",
			       VIOMMU("$type", "")),
			   CONFIG, EINVAL, "has another parent")}},
	{.name = "identities that two devices have, and a device that has two",
	 .steps = {REFUSED(V(KNOWS(EDU_AS("0x18") ", " TEST_AS("0x18"))), CONFIG, EINVAL,
			   "is taken by the vdevice"),
		   REFUSED(V(KNOWS(EDU_AS("0x18") ", " EDU_AS("0x19"))), CONFIG, EINVAL,
			   "has a vdevice already")}},
	{.name = "a hardware queue twice, and one past the end of all addresses",
	 .steps = {REFUSED(V(QUEUES(QUEUE("0", "@0x0") ", " QUEUE("0", "@0x1000"))), CONFIG, EINVAL,
			   "is taken by the queue"),
		   REFUSED(V(QUEUES(QUEUE("0", "0xfffffffffffff800"))), CONFIG, EINVAL,
			   "past the end")}},
	{.name = "devices that change identities",
	 .steps = {OK(V(KNOWS(EDU_AS("0x18") ", " TEST_AS("0x20")))),
		   OK(V(KNOWS(EDU_AS("0x20") ", " TEST_AS("0x18")))), OK(V(KNOWS(TEST_AS("0x20")))),
		   OK(V(KNOWS(EDU_AS("0x20"))))},
	 .needs = NEED(VIOMMU)},
	{.name = "a nested IOASID on a vIOMMU that doesn't know the device",
	 .steps = {REFUSED(GUEST(KNOWS(TEST_AS("0x20"))), CONFIG, EINVAL,
			   "has no vdevice on viommu"),
		   OK(GUEST(KNOWS(EDU_AS("0x18")))),
		   REFUSED(GUEST(KNOWS(TEST_AS("0x20"))), CONFIG, EINVAL, "to vdevices there"),
		   SAME(GUEST(KNOWS(EDU_AS("0x18"))))},
	 .needs = NEED(VIOMMU) | NEED(NESTED)},
	{.name = "hardware queues where nothing is mapped, or with a gap between them",
	 .steps = {REFUSED(V(QUEUES(QUEUE("0", "@0x400000"))), CONFIG, EINVAL, "maps nothing at"),
		   REFUSED(V(QUEUES(QUEUE("7", "@0x0"))), CONFIG, EINVAL, "without a gap"),
		   REFUSED(V(QUEUES(QUEUE("0", "@0x0") ", " QUEUE("1", "@0x1ff800"))), CONFIG,
			   EINVAL, "maps nothing at")}},

	{.name = "calls: what a vIOMMU has can't be had twice",
	 .steps = {OK(GUEST(KNOWS(EDU_AS("0x18")))), FAIL("vdevice v edu 0x19", BUSY, EEXIST, NULL),
		   FAIL("vdevice v test 0x18", BUSY, EEXIST, NULL),
		   FAIL("free v", BUSY, EBUSY, NULL), FAIL("free gpa", BUSY, EBUSY, NULL),
		   SAME(GUEST(KNOWS(EDU_AS("0x18"))))},
	 .needs = NEED(VIOMMU) | NEED(NESTED)},
	{.name = "calls: a second event queue",
	 .steps = {OK(V(EVENTS("4"))), FAIL("event-queue v 4", BUSY, EEXIST, NULL),
		   SAME(V(EVENTS("4")))},
	 .needs = NEED(VIOMMU) | NEED(EVENTS)},
	{.name = "calls: hardware queues that can't be",
	 .steps = {OK(V(QUEUES(QUEUE("0", "@0x0")))),
		   FAIL("queue v 0 @0x1000 4K", BUSY, EEXIST, NULL),
		   FAIL("queue v 1 @0x400000 4K", REFUSED, ENOENT, "map it in the parent"),
		   FAIL("queue v 1 @0x1ff000 8K", REFUSED, ENOENT, NULL),
		   FAIL("queue v 1 @0x1000 0", KERNEL, EINVAL, NULL),
		   FAIL("queue v 1 0xfffffffffffff000 8K", KERNEL, EOVERFLOW, NULL),
		   SAME(V(QUEUES(QUEUE("0", "@0x0"))))},
	 .needs = NEED(VIOMMU) | NEED(HW_QUEUE)},
	{.name = "calls: a vIOMMU on what isn't made for it",
	 .steps = {OK(ALL(PARENT "}, {name: plain, attach: [{device: edu}, {device: test}]}", "")),
		   FAIL("viommu plain edu $type", REFUSED, EINVAL, "one-more"),
		   FAIL("viommu gpa edu $wrong_type", REFUSED, EOPNOTSUPP, NULL)},
	 .needs = NEED(VIOMMU)},
};

const struct conformance_table viommu_cases = {"vIOMMUs", cases, sizeof(cases) / sizeof(cases[0])};
