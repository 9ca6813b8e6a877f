// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in the tables: where DMA leads, what was written, where mappings are placed. */
#include <errno.h>

#include "cases.h"

#define E    "{device: edu}"
#define T    "{device: test}"
#define BOTH EDU ", " TEST
#define TRACKED(flags, list)                                                              \
	RAM "devices: [" BOTH "]\n" FD("{name: gpa" flags ", map: [{iova: @0x0, memory: " \
				       "ram, length: 1M}], attach: [" list "]}, {name: plain}")
/* Large pages are written to as a whole. */
#define RECORD		     ", dirty_tracking: true, huge_pages: false"
#define MAPS(more)	     RAM "devices: [" BOTH "]\n" FD("{name: gpa, map: [" more "], attach: [" E "]}")
#define AUTO(offset, length) "{iova: auto, memory: ram, offset: " offset ", length: " length "}"
#define TWO(x, y)                                                                                 \
	RAM "devices: [" BOTH "]\n" FD("{name: x, map: [{iova: @0x0, memory: ram, length: 1M}], " \
				       "attach: [" x "]}, {name: y, map: [{iova: @0x0, memory: "  \
				       "ram, offset: 1M, length: 1M}], attach: [" y "]}")
#define ROOM                                                                       \
	RAM "devices: [" EDU                                                       \
	    "]\n" FD("{name: gpa, allow: [{first: @0x0, last: @0x7ffff}], map: [{" \
		     "iova: @0x0, memory: ram, length: 64K}], attach: [" E "]}")

static const struct conformance_case cases[] = {
	{.name = "DMA leads to the memory that is mapped",
	 .steps = {OK(MAPS("{iova: @0x0, memory: ram, length: 64K}, {iova: @0x80000, memory: ram, "
			   "offset: 1M, length: 64K}")),
		   ASK("reaches edu @0x1000 ram 0x1000", "yes"),
		   ASK("reaches edu @0x8f000 ram 0x10f000", "yes"),
		   ASK("reaches edu @0x40000 ram 0x40000", "no"),
		   ASK("reaches edu @0x1000 ram 0x2000", "no"),
		   OK(MAPS("{iova: @0x0, memory: ram, offset: 512K, length: 64K}")),
		   ASK("reaches edu @0x1000 ram 0x81000", "yes"),
		   ASK("reaches edu @0x80000 ram 0x100000", "no")},
	 .needs = HAVE(DMA)},
	{.name = "DMA leads where the device has moved",
	 .steps = {OK(TWO(E, T)), ASK("reaches edu @0x3000 ram 0x3000", "yes"), OK(TWO(T, E)),
		   ASK("reaches edu @0x3000 ram 0x103000", "yes"),
		   ASK("reaches edu @0x3000 ram 0x3000", "no")},
	 .needs = HAVE(DMA)},
	{.name = "DMA of a group leads to one place",
	 .steps = {OK(RAM "devices: [" LEFT ", " RIGHT
			  "]\n" FD("{name: gpa, map: [{iova: @0x0, memory: ram, length: 1M}], "
				   "attach: [{device: left}, {device: right}]}")),
		   ASK("reaches left @0x1000 ram 0x1000", "yes"),
		   ASK("reaches right @0x2000 ram 0x2000", "yes")},
	 .needs = HAVE(DMA) | HAVE(PAIR)},
	{.name = "devices of one kind share one table",
	 .steps = {OK(TWO(E, "")), ASK("domains x", "1"), ASK("domains y", "0"),
		   OK(TWO(E ", " T, "")), ASK("domains x", "1"), OK(TWO("", T)),
		   ASK("domains x", "0"), ASK("domains y", "1")},
	 .needs = HAVE(TABLE_COUNT)},

	{.name = "pages that a device has written",
	 .steps = {OK(TRACKED(RECORD, E)), DO("dirty gpa on"), ASK("soiled gpa @0x0-@0xfffff", ""),
		   DO("soil edu @0x3000"), DO("soil edu @0x41000"),
		   ASK("soiled gpa @0x0-@0xfffff keep", "@0x3000 @0x41000"),
		   ASK("soiled gpa @0x0-@0x3fff", "@0x3000"),
		   ASK("soiled gpa @0x0-@0xfffff", "@0x41000"), ASK("soiled gpa @0x0-@0xfffff", ""),
		   DO("dirty gpa off"), OK(TRACKED("", E))},
	 .needs = NEED(DIRTY) | NEED(SMALL_PAGES)},
	{.name = "written pages that are asked for in vain",
	 .steps = {OK(TRACKED(RECORD, E)),
		   FAIL("soiled gpa @0x0-@0xfffff", REFUSED, EOPNOTSUPP,
			"dirty tracking is not on"),
		   FAIL("dirty plain on", REFUSED, EOPNOTSUPP, "add dirty_tracking: true"),
		   DO("dirty gpa on"),
		   FAIL("soiled gpa @0x100-@0x10ff", USAGE, EINVAL, "whole pages"),
		   DO("dirty gpa off"),
		   FAIL("soiled gpa @0x0-@0xfffff", REFUSED, EOPNOTSUPP,
			"dirty tracking is not on")},
	 .needs = NEED(DIRTY) | NEED(SMALL_PAGES)},

	{.name = "mappings that the kernel places",
	 .steps = {OK(MAPS("{iova: @0x0, memory: ram, length: 64K}, " AUTO(
			   "512K", "512K") ", " AUTO("1M", "1M"))),
		   SAME(MAPS("{iova: @0x0, memory: ram, length: 64K}, " AUTO(
			   "512K", "512K") ", " AUTO("1M", "1M"))),
		   OK(MAPS("{iova: @0x0, memory: ram, length: 64K}, " AUTO("1M", "1M"))),
		   OK(MAPS("{iova: @0x0, memory: ram, length: 128K}, " AUTO("1M", "1M")))},
	 .needs = NEED(AUTO_IOVA)},
	{.name = "a mapping that there is no place for",
	 .steps =
		 {REFUSED(RAM "devices: [" EDU "]\n" FD(
				  "{name: gpa, allow: [{first: @0x0, last: @0x7ffff}], map: [" AUTO(
					  "0", "1M") "], attach: [" E "]}"),
			  CONFIG, EINVAL, "there is no place for 1M"),
		  OK(MAPS(AUTO("0", "1M")))},
	 .needs = NEED(AUTO_IOVA) | NEED(ALLOW)},
	{.name = "calls: a mapping that there is no place for",
	 .steps = {OK(ROOM),
		   FAIL("place gpa 512K ram 0", KERNEL, ENOSPC,
			"can't find a place for 0x80000 bytes"),
		   SAME(ROOM)},
	 .needs = NEED(AUTO_IOVA) | NEED(ALLOW)},
	{.name = "a placed mapping between others",
	 .steps = {OK(RAM "devices: [" EDU "]\n" FD(
			   "{name: gpa, allow: [{first: @0x0, last: @0x3ffff}], map: [{iova: "
			   "@0x0, memory: ram, length: 64K}, {iova: @0x20000, memory: ram, "
			   "length: 128K}, " AUTO("1M", "64K") "], attach: [" E "]}")),
		   ASK("reaches edu @0x10000 ram 0x100000", "yes")},
	 .needs = NEED(AUTO_IOVA) | NEED(ALLOW) | HAVE(DMA)},
};

const struct conformance_table page_cases = {"pages", cases, sizeof(cases) / sizeof(cases[0])};
