// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes in which the order matters, or which fail late and have to be undone. */
#include <errno.h>

#include "cases.h"

#define ON(list)  ", attach: [" list "]"
#define X(more)	  "{name: x, kind: gpa" more "}"
#define Y(more)	  "{name: y, kind: gpa" more "}"
#define SIDE(all) "fds: [{name: side, ioasids: [" all "]}]\n"

#define GROUP	   RAM "devices: [" LEFT ", " RIGHT "]\n"
#define ON_LEFT	   ON("{device: left}")
#define ON_RIGHT   ON("{device: right}")
#define ON_BOTH	   ON("{device: left}, {device: right}")
#define ON_BOTH_TO ON("{device: right}, {device: left}")

#define MAP(iova, offset) "{iova: " iova ", memory: ram, offset: " offset ", length: 64K}"
#define COPY(iova, from)  "{iova: " iova ", copy: x, from: " from ", length: 64K}"

/* x with its map, y with its map, and a third space that `test` can't be attached to if BAD. */
#define COPIES(x, y, z)                                                                         \
	RAM "devices: [" EDU ", " TEST "]\n" FD(X(", map: [" x "]" ON("{device: edu}")) ", " Y( \
		", map: [" y "]") ", {name: z, kind: gpa, map: [" z "], "                       \
				  "attach: [{device: test}]}")
#define GOOD MAP("0x0", "1M")
#define BAD  MAP("0xfee00000", "1M")

#define ONE(memory, ioasid) memory "devices: [" EDU "]\n" FD(ioasid)

static const struct conformance_case cases[] = {
	{"a group moved between IOASIDs",
	 {OK(GROUP FD(X(ON_BOTH) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_BOTH))),
	  OK(GROUP FD(X(ON_BOTH_TO) ", " Y("")))},
	 {0}},
	{"a member that joins its group while that moves",
	 {OK(GROUP FD(X(ON_LEFT) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_BOTH_TO)))},
	 {0}},
	{"a member that leaves its group while that moves",
	 {OK(GROUP FD(X(ON_BOTH) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_LEFT)))},
	 {0}},
	{"one member that comes for another",
	 {OK(GROUP FD(X(ON_LEFT) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_RIGHT)))},
	 {0}},
	{"a group moved to another fd",
	 {OK(GROUP FD(X(ON_BOTH))), OK(GROUP SIDE(X(ON_BOTH))), OK(GROUP FD(X(ON_BOTH_TO)))},
	 {0}},
	{"a new member on another fd than its group was on",
	 {OK(RAM "devices: [" LEFT "]\n" FD(X(ON_LEFT))), OK(GROUP SIDE(X(ON_BOTH_TO)))},
	 {0}},
	{"one member that comes for another on another fd",
	 {OK(GROUP FD(X(ON_LEFT))), OK(GROUP SIDE(X(ON_RIGHT)))},
	 {0}},
	{"a member that is given back while the other stays",
	 {OK(GROUP FD(X(ON_BOTH))), OK(RAM "devices: [" LEFT "]\n" FD(X(ON_LEFT))),
	  OK(GROUP FD(X(ON_BOTH)))},
	 {0}},
	{"a group whose fd is accounted in another way",
	 {OK(GROUP FD(X(ON_BOTH))),
	  OK(GROUP "fds: [{name: main, accounting: process, ioasids: [" X(ON_BOTH) "]}]\n")},
	 NEEDS(BY_PROCESS)},
	{"a move of a group that fails late",
	 {OK(RAM "devices: [" LEFT ", " RIGHT ", " TEST
		 "]\n" FD(X(ON_BOTH) ", " Y("") ", {name: z, kind: gpa, map: [" BAD "]}")),
	  {RAM "devices: [" LEFT ", " RIGHT ", " TEST "]\n" FD(X("") ", " Y(
		   ON_LEFT) ", {name: z, kind: gpa, map: [" BAD "], attach: [{device: test}]}"),
	   ERROR_KERNEL, EADDRINUSE, false},
	  OK(GROUP FD(X(ON_BOTH) ", " Y("")))},
	 {0}},

	{"a copied mapping that is replaced",
	 {OK(COPIES(MAP("0x0", "0"), COPY("0x0", "0x0"), GOOD)),
	  OK(COPIES(MAP("0x0", "512K"), COPY("0x0", "0x0"), GOOD)),
	  OK(COPIES("", MAP("0x0", "512K"), GOOD))},
	 NEEDS(COPY)},
	{"a copied mapping that is replaced, and fails late",
	 {OK(COPIES(MAP("0x0", "0"), COPY("0x0", "0x0") ", " COPY("0x20000", "0x0"), GOOD)),
	  {COPIES(MAP("0x0", "512K"), COPY("0x0", "0x0") ", " COPY("0x20000", "0x0"), BAD),
	   ERROR_KERNEL, 0, false},
	  {COPIES("", "", BAD), ERROR_KERNEL, 0, false},
	  OK(COPIES("", "", GOOD))},
	 NEEDS(COPY)},
	{"a copy that may write to what its source only reads",
	 {OK(COPIES("{iova: 0x0, memory: ram, length: 64K, access: r}", COPY("0x0", "0x0"), GOOD))},
	 NEEDS(COPY)},

	{"a device under another name",
	 {OK(ONE(RAM, X(ON("{device: edu}")))),
	  OK(RAM "devices: [{name: other, pci: '0000:00:03.0', driver: vfio-pci}]\n" FD(
		  X(ON("{device: other}"))))},
	 {0}},
	{"a device whose driver isn't asked for any more",
	 {OK(RAM "devices: [" NIC "]\n" FD(X(ON("{device: nic}")))),
	  OK(RAM "devices: [{name: nic, pci: '0000:01:00.0'}]\n" FD(X(ON("{device: nic}")))),
	  OK(RAM "devices: [" NIC "]\n" FD(X(ON("{device: nic}"))))},
	 {0}},
	{"two devices that change names",
	 {OK(RAM "devices: [" EDU ", " NIC "]\n" FD(X(ON("{device: edu}, {device: nic}")))),
	  OK(RAM "devices: [{name: nic, pci: '0000:00:03.0', driver: vfio-pci}, {name: edu, pci: "
		 "'0000:01:00.0', driver: vfio-pci}]\n" FD(X(ON("{device: nic}, {device: edu}"))))},
	 {0}},
	{"a device dropped and taken again",
	 {OK(RAM "devices: [" EDU ", " NIC "]\n" FD(X(ON("{device: edu}, {device: nic}")))),
	  OK(RAM "devices: [" EDU "]\n" FD(X(ON("{device: edu}")))),
	  OK(RAM "devices: [" EDU ", " NIC "]\n" FD(X(ON("{device: edu}, {device: nic}"))))},
	 {0}},
	{"all fds taken away, and back",
	 {OK(ONE(RAM, X(ON("{device: edu}")))), OK(RAM "devices: [" EDU "]\nfds: []\n"),
	  OK(ONE(RAM, X(ON("{device: edu}"))))},
	 {0}},
	{"a device that leaves an fd which goes, and stays unattached",
	 {OK(ONE(RAM, X(ON("{device: edu}")))), OK(RAM "devices: [" EDU "]\n" SIDE(Y("")))},
	 {0}},

	{"memory under another name",
	 {OK(ONE(RAM, X(", map: [" MAP("0x0", "0") "]" ON("{device: edu}")))),
	  OK(ONE("memory: [{name: other, size: 2M}]\n",
		 X(", map: [{iova: 0x0, memory: other, length: 64K}]" ON("{device: edu}"))))},
	 {0}},
	{"memory that shrinks by what is mapped",
	 {OK(ONE(RAM,
		 X(", map: [" MAP("0x0", "0") ", " MAP("0x100000", "1M") "]" ON("{device: edu}")))),
	  OK(ONE("memory: [{name: ram, size: 64K}]\n",
		 X(", map: [" MAP("0x0", "0") "]" ON("{device: edu}")))),
	  OK(ONE(RAM, X(", map: [" MAP("0x0", "0") ", " MAP("0x100000",
							    "1M") "]" ON("{device: edu}"))))},
	 {0}},
	{"allowed ranges that leave a mapping out",
	 {OK(ONE(RAM, X(", map: [" MAP("0x1000000", "0") "]" ON("{device: edu}")))),
	  OK(ONE(RAM, X(", allow: [{first: 0x0, last: 0xffff}], map: [" MAP("0x0", "0") "]" ON(
			      "{device: edu}")))),
	  OK(ONE(RAM, X(", map: [" MAP("0x1000000", "0") "]" ON("{device: edu}"))))},
	 NEEDS(ALLOW)},
	{"a mapping in the interrupt window that goes when a device comes",
	 {OK(ONE(RAM, X(", map: [" MAP("0xfee00000", "0") "]"))),
	  OK(ONE(RAM, X(", map: [" MAP("0x0", "0") "]" ON("{device: edu}")))),
	  OK(ONE(RAM, X(", map: [" MAP("0xfee00000", "0") "]")))},
	 {0}},
	{"allowed ranges in the interrupt window that go when a device comes",
	 {OK(ONE(RAM, X(", allow: [{first: 0xfee00000, last: 0xfee0ffff}]"))),
	  OK(ONE(RAM, X(", allow: [{first: 0x0, last: 0xffff}]" ON("{device: edu}")))),
	  OK(ONE(RAM, X(", allow: [{first: 0xfee00000, last: 0xfee0ffff}]")))},
	 NEEDS(ALLOW)},
};

const struct conformance_table change_cases = {cases, sizeof(cases) / sizeof(cases[0])};
