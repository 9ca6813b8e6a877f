// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "cases.h"

#define ONE_DEVICE                                                                \
	RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa, map: [{iova: 0x0, " \
				      "memory: ram, length: 1M}], attach: [{device: edu}]}")
#define TWO_SPACES(a, b)                                                                          \
	RAM "devices: [" EDU ", " TEST "]\n" FD(                                                  \
		"{name: one, kind: gpa, map: [{iova: 0x0, memory: ram, length: 1M}], attach: [" a \
		"]}, {name: two, kind: gpa, map: [{iova: 0x0, memory: ram, offset: 1M, "          \
		"length: 1M}], attach: [" b "]}")
#define MAPS(maps)                                                                       \
	RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa, map: [" maps "], attach: " \
				      "[{device: edu}]}")

static const struct conformance_case cases[] = {
	{"an fd without IOASIDs", {OK(FD("")), SAME(FD(""))}, {0}},
	{"an IOASID without devices",
	 {OK(RAM FD("{name: gpa, kind: gpa, map: [{iova: 0x10000, memory: ram, length: 64K}]}"))},
	 {0}},
	{"one device", {OK(ONE_DEVICE), SAME(ONE_DEVICE)}, {0}},
	{"two devices of two groups on one IOASID",
	 {OK(RAM "devices: [" EDU ", " NIC
		 "]\n" FD("{name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 2M}], "
			  "attach: [{device: edu}, {device: nic}]}"))},
	 {0}},
	{"both members of a group",
	 {OK(RAM "devices: [" LEFT ", " RIGHT
		 "]\n" FD("{name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 2M}], "
			  "attach: [{device: left}, {device: right}]}"))},
	 {0}},
	{"a declared device that is attached to nothing",
	 {OK("devices: [" EDU "]\n" FD("{name: gpa, kind: gpa}"))},
	 {0}},
	{"a device that is attached, detached, attached",
	 {OK(ONE_DEVICE), OK(RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa}")),
	  OK(ONE_DEVICE), SAME(ONE_DEVICE)},
	 {0}},
	{"mappings added, changed and removed in place",
	 {OK(MAPS("{iova: 0x0, memory: ram, length: 64K}")),
	  OK(MAPS("{iova: 0x0, memory: ram, length: 64K}, "
		  "{iova: 0x100000, memory: ram, offset: 1M, length: 64K, access: r}")),
	  OK(MAPS("{iova: 0x0, memory: ram, offset: 128K, length: 64K}, "
		  "{iova: 0x100000, memory: ram, offset: 1M, length: 64K}")),
	  OK(MAPS("{iova: 0x8000, memory: ram, length: 1M}")),
	  SAME(MAPS("{iova: 0x8000, memory: ram, length: 1M}"))},
	 {0}},
	{"a mapping that devices may only write to",
	 {OK(MAPS("{iova: 0x0, memory: ram, length: 64K, access: w}")),
	  OK(MAPS("{iova: 0x0, memory: ram, length: 64K}"))},
	 NEEDS(WRITE_ONLY)},
	{"a device moved between IOASIDs and back",
	 {OK(TWO_SPACES("{device: edu}", "{device: test}")),
	  OK(TWO_SPACES("", "{device: test}, {device: edu}")),
	  OK(TWO_SPACES("{device: edu}, {device: test}", "")),
	  SAME(TWO_SPACES("{device: edu}, {device: test}", ""))},
	 {0}},
	{"a flag that needs a new object",
	 {OK(ONE_DEVICE),
	  OK(RAM "devices: [" EDU "]\n" FD(
		  "{name: gpa, kind: gpa, huge_pages: false, map: [{iova: 0x0, memory: ram, "
		  "length: 1M}], attach: [{device: edu}]}"))},
	 NEEDS(SMALL_PAGES)},
	{"a mapping copied from another IOASID",
	 {OK(RAM "devices: [" EDU
		 "]\n" FD("{name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 1M}]}, "
			  "{name: giova, kind: gpa, map: [{iova: 0x200000, copy: gpa, from: 0x0, "
			  "length: 1M}], attach: [{device: edu}]}"))},
	 NEEDS(COPY)},
	{"a memory that grows and shrinks",
	 {OK(ONE_DEVICE),
	  OK("memory: [{name: ram, size: 4M}]\ndevices: [" EDU
	     "]\n" FD("{name: gpa, kind: gpa, map: [{iova: 0x0, memory: ram, length: 1M}, "
		      "{iova: 0x400000, memory: ram, offset: 3M, length: 1M}], "
		      "attach: [{device: edu}]}")),
	  OK(ONE_DEVICE)},
	 {0}},
	{"allowed ranges, then others",
	 {OK(RAM "devices: [" EDU "]\n" FD(
		  "{name: gpa, kind: gpa, allow: [{first: 0x0, last: 0xffffff}], attach: [{device: "
		  "edu}]}")),
	  OK(RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa, allow: [{first: 0x0, last: "
					   "0xfffffff}], attach: [{device: edu}]}"))},
	 NEEDS(ALLOW)},
	{"memory accounting by process",
	 {OK("fds: [{name: main, accounting: process, ioasids: [{name: gpa, kind: gpa}]}]\n")},
	 NEEDS(BY_PROCESS)},

	{"a mapping in the interrupt window",
	 {OK(ONE_DEVICE),
	  {MAPS("{iova: 0xfee00000, memory: ram, length: 64K}"), ERROR_KERNEL, 0, false},
	  SAME(ONE_DEVICE)},
	 {0}},
	{"a device whose interrupt window is mapped already",
	 {OK(RAM "devices: [" EDU "]\n" FD(
		  "{name: gpa, kind: gpa, map: [{iova: 0xfee00000, memory: ram, length: 64K}]}")),
	  {MAPS("{iova: 0xfee00000, memory: ram, length: 64K}"), ERROR_KERNEL, EADDRINUSE, false}},
	 {0}},
	{"an IOVA that is on no page boundary",
	 {{MAPS("{iova: 0x100, memory: ram, length: 4K}"), ERROR_KERNEL, EADDRINUSE, false}},
	 {0}},
	{"a length that is no whole page",
	 {{MAPS("{iova: 0x1000, memory: ram, length: 100}"), ERROR_KERNEL, EADDRINUSE, false}},
	 {0}},
	{"a device that isn't there",
	 {{"devices: [{name: ghost, pci: '0000:7e:1f.7'}]\n" FD(
		   "{name: gpa, kind: gpa, attach: [{device: ghost}]}"),
	   ERROR_UNAVAILABLE, ENODEV, false}},
	 {0}},
	{"a group in two address spaces",
	 {{"devices: [" LEFT ", " RIGHT "]\n" FD("{name: a, kind: gpa, attach: [{device: left}]}, "
						 "{name: b, kind: gpa, attach: [{device: right}]}"),
	   ERROR_REFUSED, EINVAL, false}},
	 {0}},
	{"a device left on its host driver",
	 {{"devices: [{name: nic, pci: '0000:01:00.0'}]\n" FD(
		   "{name: gpa, kind: gpa, attach: [{device: nic}]}"),
	   ERROR_BUSY, 0, false}},
	 {0}},
	{"a failing step leaves the host driver alone",
	 {{"memory: [{name: ram, size: 1M}]\ndevices: [" NIC
	   "]\n" FD("{name: gpa, kind: gpa, map: [{iova: 0xfee00000, memory: ram, length: 64K}], "
		    "attach: [{device: nic}]}"),
	   ERROR_KERNEL, EADDRINUSE, false}},
	 {0}},
};

const struct conformance_table topology_cases = {cases, sizeof(cases) / sizeof(cases[0])};
