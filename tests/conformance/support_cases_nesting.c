// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests' own tables. $on is how a nested IOASID is put on its parent: with a vIOMMU, where the
 * hardware's format takes one; $viommus has that.
 */
#include <errno.h>

#include "cases.h"

#define PARENT(name, more) \
	"{name: " name ", nest_parent: true, map: [{iova: @0x0, memory: ram, length: 2M}]" more "}"
#define IN(list)	   ", attach: [" list "]"
#define CHILD(name, table) "{name: " name ", kind: nested, parent: gpa$on, table: " table
#define ALL(devices, spaces) \
	RAM "devices: [" devices "]\nfds: [{name: main, ioasids: [" spaces "], $viommus}]\n"
#define BOTH EDU ", " TEST

/* Where edu and test are: in the parent, in s1, in s2. */
#define FAMILY(parent, s1, s2)                                         \
	ALL(BOTH, PARENT("gpa", IN(parent)) ", " CHILD("s1", "$table") \
			  IN(s1) "}, " CHILD("s2", "$other_table") IN(s2) "}")
#define E	"{device: edu}"
#define T	"{device: test}"
#define E_AND_T E ", " T

/* A parent of the flags, a child, and edu in it. */
#define ONE(flags, table)                                                        \
	RAM "devices: [" BOTH "]\nfds: [{name: main, ioasids: [{name: gpa" flags \
	    "}, " CHILD("s1", table) IN(E) "}], $viommus}]\n"

static const struct conformance_case cases[] = {
	{.name = "a parent and two children, a device in each",
	 .steps = {OK(FAMILY("", E, T)), SAME(FAMILY("", E, T)), ASK("domains gpa", "1")},
	 .needs = NEED(NESTED)},
	{.name = "a device that moves between children, to the parent and back",
	 .steps = {OK(FAMILY(T, E, "")), OK(FAMILY(T, "", E)), OK(FAMILY(E_AND_T, "", "")),
		   ASK("domains gpa", "1"), OK(FAMILY(T, E, "")), OK(FAMILY("", T, E)),
		   OK(FAMILY("", E, T)), SAME(FAMILY("", E, T))},
	 .needs = NEED(NESTED)},
	{.name = "children that go before their parent, and come again",
	 .steps = {OK(FAMILY(T, E, "")), OK(ALL(BOTH, PARENT("gpa", IN(E_AND_T)))),
		   ASK("domains gpa", "1"), OK(FAMILY(T, "", E)),
		   OK(RAM "devices: [" BOTH "]\n" FD("{name: plain}"))},
	 .needs = NEED(NESTED)},
	{.name = "another table: a new object, with the device in it",
	 .steps = {OK(FAMILY("", E, T)),
		   OK(ALL(BOTH, PARENT("gpa", IN("")) ", " CHILD("s1", "$other_table")
					IN(E) "}, " CHILD("s2", "$table") IN(T) "}")),
		   OK(FAMILY("", E, T))},
	 .needs = NEED(NESTED)},
	{.name = "two families on one fd",
	 .steps = {OK(ALL(BOTH, PARENT("gpa", "") ", " PARENT("far", "") ", " CHILD("s1", "$table")
					IN(E) "}, {name: s2, kind: nested, parent: "
					      "far, table: $other_table" IN(T) "}")),
		   ASK("domains far", "1"),
		   OK(ALL(BOTH, PARENT("gpa", IN(T)) ", " PARENT("far", "") ", " CHILD(
					"s1", "$table") IN(E) "}")),
		   ASK("domains far", "0")},
	 .needs = NEED(NESTED) | HAVE(BARE_NESTED)},
	{.name = "the parent's mappings change below its children",
	 .steps = {OK(FAMILY(T, E, "")),
		   OK(RAM "devices: [" BOTH
			  "]\nfds: [{name: main, ioasids: [{name: gpa, nest_parent: true, map: "
			  "[{iova: @0x0, memory: ram, length: 1M}, {iova: @0x400000, memory: ram, "
			  "length: 1M}]" IN(T) "}, " CHILD("s1", "$table")
				  IN(E) "}, " CHILD("s2", "$other_table") "}], $viommus}]\n"),
		   OK(FAMILY(T, E, ""))},
	 .needs = NEED(NESTED)},
	{.name = "what a guest's caches hold becomes stale",
	 .steps = {OK(FAMILY("", E, T)), DO("invalidate $cache $entry"),
		   DO("invalidate $cache all"),
		   FAIL("invalidate gpa all", REFUSED, EOPNOTSUPP,
			"the kernel keeps the table of a gpa IOASID"),
		   FAIL("invalidate $cache $bad_entry", REFUSED, 0, NULL), SAME(FAMILY("", E, T))},
	 .needs = NEED(NESTED)},
	{.name = "stale caches of one nested IOASID alone",
	 .steps = {OK(FAMILY("", E, T)), DO("invalidate s1 all"), DO("invalidate s2 all")},
	 .needs = NEED(NESTED),
	 .differences = {{AT(SMMUV3),
			  1,
			  {ERROR_REFUSED, EOPNOTSUPP},
			  "belong to the viommu",
			  "the caches of an SMMU are those of the whole vIOMMU"},
			 {AT(SMMUV3),
			  2,
			  {ERROR_REFUSED, EOPNOTSUPP},
			  "belong to the viommu",
			  "the caches of an SMMU are those of the whole vIOMMU"}}},
	{.name = "a table of a format that the device's IOMMU doesn't take",
	 .steps = {REFUSED(ONE(", nest_parent: true", "$wrong_table"), REFUSED, 0, "s1"),
		   OK(FAMILY(T, E, "")),
		   REFUSED(ALL(BOTH, PARENT("gpa", IN(T)) ", " CHILD("s1", "$table")
					     IN(E) "}, " CHILD("s2", "$wrong_table") IN("") "}"),
			   REFUSED, 0, "s2"),
		   SAME(FAMILY(T, E, ""))},
	 .needs = NEED(NESTED)},
	{.name = "a table of a format that the driver doesn't know",
	 .steps = {REFUSED(ONE(", nest_parent: true", "$unknown_table"), REFUSED, EOPNOTSUPP,
			   "knows no tables of format")},
	 .needs = NEED(NESTED)},
	{.name = "a nested IOASID on a parent that isn't made for it",
	 .steps = {REFUSED(ONE("", "$table"), CONFIG, EINVAL, "it lacks nest_parent: true"),
		   REFUSED(ONE(", dirty_tracking: true", "$table"), CONFIG, EINVAL,
			   "add nest_parent: true")}},
	{.name = "a nested IOASID on a nested one",
	 .steps = {REFUSED(
		 ALL(BOTH,
		     PARENT("gpa", "") ", " CHILD("s1", "$table")
			     IN(E) "}, "
				   "{name: s2, kind: nested, parent: s1, table: $table" IN(T) "}"),
		 CONFIG, EINVAL, "nested itself")}},
	{.name = "nested IOASIDs that go in a circle",
	 .steps = {REFUSED(FD("{name: s1, kind: nested, parent: s2, table: {format: mock}}, "
			      "{name: s2, kind: nested, parent: s1, table: {format: mock}}"),
			   CONFIG, EINVAL, "go in a circle")}},
	{.name = "a nested IOASID without a parent",
	 .steps = {REFUSED(FD("{name: s1, kind: nested, table: {format: mock}}"), CONFIG, EINVAL,
			   "parent"),
		   REFUSED(FD("{name: s1, kind: nested, parent: gpa, table: {format: mock}}"),
			   CONFIG, EINVAL, "gpa")}},
	{.name = "a nested IOASID that maps memory itself",
	 .steps = {REFUSED(RAM "devices: [" BOTH
			       "]\nfds: [{name: main, ioasids: [" PARENT("gpa", "") ", " CHILD(
				       "s1", "$table") ", map: [{iova: @0x0, memory: ram, length: "
						       "4K}]" IN(E) "}], $viommus}]\n",
			   CONFIG, EINVAL, "map")}},
	{.name = "a nested IOASID that no device tells the IOMMU of",
	 .steps = {REFUSED(RAM FD(PARENT("gpa", "") ", {name: s1, kind: nested, parent: gpa, "
						    "table: $table}"),
			   REFUSED, EOPNOTSUPP, "no device tells for which IOMMU it is")},
	 .needs = NEED(NESTED) | HAVE(BARE_NESTED)},
	{.name = "a table that takes a vIOMMU, without one",
	 .steps = {OK(RAM "devices: [" BOTH
			  "]\n" FD(PARENT("gpa", IN(T)) ", {name: s1, kind: "
							"nested, parent: gpa, "
							"table: $table" IN(E) "}"))},
	 .needs = NEED(NESTED) | HAVE(BARE_NESTED)},
	{.name = "a parent that is to have a fault queue itself",
	 .steps = {REFUSED(RAM "devices: [" EDU "]\n" FD(
				   "{name: gpa, nest_parent: true, fault_queue: true" IN(E) "}"),
			   CONFIG, EINVAL, "in the nested IOASIDs instead")}},

	{.name = "calls: what is in use isn't freed",
	 .steps = {OK(FAMILY("", E, T)), FAIL("free gpa", BUSY, EBUSY, NULL),
		   FAIL("free s1", BUSY, EBUSY, NULL), DO("probe s1"), DO("probe gpa"),
		   SAME(FAMILY("", E, T))},
	 .needs = NEED(NESTED)},
	{.name = "calls: nested on what isn't made for it",
	 .steps = {OK(RAM "devices: [" BOTH "]\nfds: [{name: main, ioasids: [" PARENT(
			   "gpa", "") ", " CHILD("s1", "$table")
			      IN(E) "}, {name: plain" IN(
				      T) "}, {name: tracked, dirty_tracking: true}], $viommus}]\n"),
		   FAIL("nest plain edu", REFUSED, EINVAL, "one-more"),
		   FAIL("nest tracked edu", REFUSED, EINVAL, "one-more")},
	 .needs = NEED(NESTED) | NEED(DIRTY)},
};

const struct conformance_table nesting_cases = {"nesting", cases, sizeof(cases) / sizeof(cases[0])};
