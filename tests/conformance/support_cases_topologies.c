// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "cases.h"

#define ONE_DEVICE                                                                 \
	RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa, map: [{iova: @0x0, " \
				      "memory: ram, length: 1M}], attach: [{device: edu}]}")
#define TWO_SPACES(a, b)                                                                           \
	RAM "devices: [" EDU ", " TEST "]\n" FD(                                                   \
		"{name: one, kind: gpa, map: [{iova: @0x0, memory: ram, length: 1M}], attach: [" a \
		"]}, {name: two, kind: gpa, map: [{iova: @0x0, memory: ram, offset: 1M, "          \
		"length: 1M}], attach: [" b "]}")
#define OF_OTHER(device, name) \
	"devices: [" device "]\n" FD("{name: gpa, attach: [{device: " name "}]}")
#define MAPS(maps)                                                                       \
	RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa, map: [" maps "], attach: " \
				      "[{device: edu}]}")

static const struct conformance_case cases[] = {
	{.name = "an fd without IOASIDs", .steps = {OK(FD("")), SAME(FD(""))}},
	{.name = "an IOASID without devices",
	 .steps = {OK(RAM FD(
		 "{name: gpa, kind: gpa, map: [{iova: @0x10000, memory: ram, length: 64K}]}"))}},
	{.name = "one device", .steps = {OK(ONE_DEVICE), SAME(ONE_DEVICE)}},
	{.name = "two devices of two groups on one IOASID",
	 .steps = {OK(RAM "devices: [" EDU ", " TEST "]\n" FD(
		 "{name: gpa, kind: gpa, map: [{iova: @0x0, memory: ram, length: 2M}], "
		 "attach: [{device: edu}, {device: test}]}"))}},
	{.name = "both members of a group",
	 .steps = {OK(RAM "devices: [" LEFT ", " RIGHT "]\n" FD(
		 "{name: gpa, kind: gpa, map: [{iova: @0x0, memory: ram, length: 2M}], "
		 "attach: [{device: left}, {device: right}]}"))},
	 .needs = HAVE(PAIR)},
	{.name = "a declared device that is attached to nothing",
	 .steps = {OK("devices: [" EDU "]\n" FD("{name: gpa, kind: gpa}"))}},
	{.name = "a device that is attached, detached, attached",
	 .steps = {OK(ONE_DEVICE), OK(RAM "devices: [" EDU "]\n" FD("{name: gpa, kind: gpa}")),
		   OK(ONE_DEVICE), SAME(ONE_DEVICE)}},
	{.name = "mappings added, changed and removed in place",
	 .steps = {OK(MAPS("{iova: @0x0, memory: ram, length: 64K}")),
		   OK(MAPS("{iova: @0x0, memory: ram, length: 64K}, "
			   "{iova: @0x100000, memory: ram, offset: 1M, length: 64K, access: r}")),
		   OK(MAPS("{iova: @0x0, memory: ram, offset: 128K, length: 64K}, "
			   "{iova: @0x100000, memory: ram, offset: 1M, length: 64K}")),
		   OK(MAPS("{iova: @0x8000, memory: ram, length: 1M}")),
		   SAME(MAPS("{iova: @0x8000, memory: ram, length: 1M}"))}},
	{.name = "a mapping that devices may only write to",
	 .steps = {OK(MAPS("{iova: @0x0, memory: ram, length: 64K, access: w}")),
		   OK(MAPS("{iova: @0x0, memory: ram, length: 64K}"))},
	 .needs = NEED(WRITE_ONLY)},
	{.name = "a device moved between IOASIDs and back",
	 .steps = {OK(TWO_SPACES("{device: edu}", "{device: test}")),
		   OK(TWO_SPACES("", "{device: test}, {device: edu}")),
		   OK(TWO_SPACES("{device: edu}, {device: test}", "")),
		   SAME(TWO_SPACES("{device: edu}, {device: test}", ""))}},
	{.name = "a flag that needs a new object",
	 .steps =
		 {OK(ONE_DEVICE),
		  OK(RAM "devices: [" EDU "]\n" FD(
			  "{name: gpa, kind: gpa, huge_pages: false, map: [{iova: @0x0, memory: ram, "
			  "length: 1M}], attach: [{device: edu}]}"))},
	 .needs = NEED(SMALL_PAGES)},
	{.name = "a mapping copied from another IOASID",
	 .steps = {OK(RAM "devices: [" EDU "]\n" FD(
		 "{name: gpa, kind: gpa, map: [{iova: @0x0, memory: ram, length: 1M}]}, "
		 "{name: giova, kind: gpa, map: [{iova: @0x200000, copy: gpa, from: @0x0, "
		 "length: 1M}], attach: [{device: edu}]}"))},
	 .needs = NEED(COPY)},
	{.name = "a memory that grows and shrinks",
	 .steps = {OK(ONE_DEVICE),
		   OK("memory: [{name: ram, size: 4M}]\ndevices: [" EDU "]\n" FD(
			   "{name: gpa, kind: gpa, map: [{iova: @0x0, memory: ram, length: 1M}, "
			   "{iova: @0x400000, memory: ram, offset: 3M, length: 1M}], "
			   "attach: [{device: edu}]}")),
		   OK(ONE_DEVICE)}},
	{.name = "allowed ranges, then others",
	 .steps =
		 {OK(RAM "devices: [" EDU "]\n" FD(
			  "{name: gpa, kind: gpa, allow: [{first: @0x0, last: @0xffffff}], attach: [{device: "
			  "edu}]}")),
		  OK(RAM "devices: [" EDU
			 "]\n" FD("{name: gpa, kind: gpa, allow: [{first: @0x0, last: "
				  "@0xfffffff}], attach: [{device: edu}]}"))},
	 .needs = NEED(ALLOW)},
	{.name = "memory accounting by process",
	 .steps = {OK(
		 "fds: [{name: main, accounting: process, ioasids: [{name: gpa, kind: gpa}]}]\n")},
	 .needs = NEED(BY_PROCESS)},
	{.name = "two topologies",
	 .steps = {OK(ONE_DEVICE), OTHER(OF_OTHER(TEST, "test")), SAME(ONE_DEVICE)}},

	{.name = "a mapping in the interrupt window",
	 .steps = {OK(ONE_DEVICE),
		   REFUSED(MAPS("{iova: $window, memory: ram, length: 64K}"), KERNEL, 0, NULL),
		   SAME(ONE_DEVICE)}},
	{.name = "a device whose interrupt window is mapped already",
	 .steps =
		 {OK(RAM "devices: [" EDU "]\n" FD(
			  "{name: gpa, kind: gpa, map: [{iova: $window, memory: ram, length: 64K}]}")),
		  REFUSED(MAPS("{iova: $window, memory: ram, length: 64K}"), KERNEL, EADDRINUSE,
			  NULL)}},
	{.name = "an IOVA that is on no page boundary",
	 .steps = {REFUSED(MAPS("{iova: @0x100, memory: ram, length: 4K}"), KERNEL, EADDRINUSE,
			   NULL)}},
	{.name = "a length that is no whole page",
	 .steps = {REFUSED(MAPS("{iova: @0x1000, memory: ram, length: 100}"), KERNEL, EADDRINUSE,
			   NULL)}},
	{.name = "a device that isn't there",
	 .steps = {REFUSED("devices: [{name: ghost, pci: '0000:7e:1f.7'}]\n" FD(
				   "{name: gpa, kind: gpa, attach: [{device: ghost}]}"),
			   UNAVAILABLE, ENODEV, NULL)}},
	{.name = "a group in two address spaces",
	 .steps = {REFUSED("devices: [" LEFT ", " RIGHT
			   "]\n" FD("{name: a, kind: gpa, attach: [{device: left}]}, "
				    "{name: b, kind: gpa, attach: [{device: right}]}"),
			   REFUSED, EINVAL, NULL)},
	 .needs = HAVE(PAIR)},
	{.name = "a device left on its host driver",
	 .steps = {REFUSED("devices: [{name: nic, $nic}]\n" FD(
				   "{name: gpa, kind: gpa, attach: [{device: nic}]}"),
			   BUSY, 0, NULL)},
	 .needs = HAVE(HOST_DRIVER)},
	{.name = "a failing step leaves the host driver alone",
	 .steps = {REFUSED(
		 "memory: [{name: ram, size: 1M}]\ndevices: [" NIC "]\n" FD(
			 "{name: gpa, kind: gpa, map: [{iova: $window, memory: ram, length: 64K}], "
			 "attach: [{device: nic}]}"),
		 KERNEL, EADDRINUSE, NULL)},
	 .needs = HAVE(HOST_DRIVER)},
	{.name = "a device that another topology has",
	 .steps = {OK(ONE_DEVICE), OTHER_REFUSED(OF_OTHER(EDU, "edu"), BUSY, EBUSY, "case"),
		   SAME(ONE_DEVICE), OK(RAM FD("{name: gpa}")), OTHER(OF_OTHER(EDU, "edu")),
		   REFUSED(ONE_DEVICE, BUSY, EBUSY, "other")}},
	{.name = "one device of a group that another topology has",
	 .steps = {OK("devices: [" LEFT "]\n" FD("{name: gpa, attach: [{device: left}]}")),
		   OTHER_REFUSED(OF_OTHER(RIGHT, "right"), BUSY, 0, NULL)},
	 .needs = HAVE(PAIR)},
};

const struct conformance_table topology_cases = {"topologies", cases,
						 sizeof(cases) / sizeof(cases[0])};
