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
#define GOOD MAP("@0x0", "1M")
#define BAD  MAP("$window", "1M")

#define ONE(memory, ioasid) memory "devices: [" EDU "]\n" FD(ioasid)

static const struct conformance_case cases[] = {
	{.name = "a group moved between IOASIDs",
	 .steps = {OK(GROUP FD(X(ON_BOTH) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_BOTH))),
		   OK(GROUP FD(X(ON_BOTH_TO) ", " Y("")))},
	 .needs = HAVE(PAIR)},
	{.name = "a member that joins its group while that moves",
	 .steps = {OK(GROUP FD(X(ON_LEFT) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_BOTH_TO)))},
	 .needs = HAVE(PAIR)},
	{.name = "a member that leaves its group while that moves",
	 .steps = {OK(GROUP FD(X(ON_BOTH) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_LEFT)))},
	 .needs = HAVE(PAIR)},
	{.name = "one member that comes for another",
	 .steps = {OK(GROUP FD(X(ON_LEFT) ", " Y(""))), OK(GROUP FD(X("") ", " Y(ON_RIGHT)))},
	 .needs = HAVE(PAIR)},
	{.name = "a group moved to another fd",
	 .steps = {OK(GROUP FD(X(ON_BOTH))), OK(GROUP SIDE(X(ON_BOTH))),
		   OK(GROUP FD(X(ON_BOTH_TO)))},
	 .needs = HAVE(PAIR)},
	{.name = "a new member on another fd than its group was on",
	 .steps = {OK(RAM "devices: [" LEFT "]\n" FD(X(ON_LEFT))), OK(GROUP SIDE(X(ON_BOTH_TO)))},
	 .needs = HAVE(PAIR)},
	{.name = "one member that comes for another on another fd",
	 .steps = {OK(GROUP FD(X(ON_LEFT))), OK(GROUP SIDE(X(ON_RIGHT)))},
	 .needs = HAVE(PAIR)},
	{.name = "a member that is given back while the other stays",
	 .steps = {OK(GROUP FD(X(ON_BOTH))), OK(RAM "devices: [" LEFT "]\n" FD(X(ON_LEFT))),
		   OK(GROUP FD(X(ON_BOTH)))},
	 .needs = HAVE(PAIR)},
	{.name = "a group whose fd is accounted in another way",
	 .steps = {OK(GROUP FD(X(ON_BOTH))),
		   OK(GROUP
		      "fds: [{name: main, accounting: process, ioasids: [" X(ON_BOTH) "]}]\n")},
	 .needs = HAVE(PAIR) | NEED(BY_PROCESS)},
	{.name = "a move of a group that fails late",
	 .steps = {OK(RAM "devices: [" LEFT ", " RIGHT ", " TEST
			  "]\n" FD(X(ON_BOTH) ", " Y("") ", {name: z, kind: gpa, map: [" BAD "]}")),
		   REFUSED(RAM "devices: [" LEFT ", " RIGHT ", " TEST
			       "]\n" FD(X("") ", " Y(ON_LEFT) ", {name: z, kind: gpa, map: [" BAD
							      "], attach: [{device: test}]}"),
			   KERNEL, EADDRINUSE, NULL),
		   OK(GROUP FD(X(ON_BOTH) ", " Y("")))},
	 .needs = HAVE(PAIR)},

	{.name = "a copied mapping that is replaced",
	 .steps = {OK(COPIES(MAP("@0x0", "0"), COPY("@0x0", "@0x0"), GOOD)),
		   OK(COPIES(MAP("@0x0", "512K"), COPY("@0x0", "@0x0"), GOOD)),
		   OK(COPIES("", MAP("@0x0", "512K"), GOOD))},
	 .needs = NEED(COPY)},
	{.name = "a copied mapping that is replaced, and fails late",
	 .steps = {OK(COPIES(MAP("@0x0", "0"), COPY("@0x0", "@0x0") ", " COPY("@0x20000", "@0x0"),
			     GOOD)),
		   REFUSED(COPIES(MAP("@0x0", "512K"),
				  COPY("@0x0", "@0x0") ", " COPY("@0x20000", "@0x0"), BAD),
			   KERNEL, 0, NULL),
		   REFUSED(COPIES("", "", BAD), KERNEL, 0, NULL), OK(COPIES("", "", GOOD))},
	 .needs = NEED(COPY)},
	{.name = "a copy that may write to what its source only reads",
	 .steps = {OK(COPIES("{iova: @0x0, memory: ram, length: 64K, access: r}",
			     COPY("@0x0", "@0x0"), GOOD))},
	 .needs = NEED(COPY)},

	{.name = "a device under another name",
	 .steps = {OK(ONE(RAM, X(ON("{device: edu}")))),
		   OK(RAM "devices: [{name: other, $edu}]\n" FD(X(ON("{device: other}"))))}},
	{.name = "a device whose driver isn't asked for any more",
	 .steps = {OK(RAM "devices: [" NIC "]\n" FD(X(ON("{device: nic}")))),
		   OK(RAM "devices: [{name: nic, $nic}]\n" FD(X(ON("{device: nic}")))),
		   OK(RAM "devices: [" NIC "]\n" FD(X(ON("{device: nic}"))))},
	 .needs = HAVE(HOST_DRIVER)},
	{.name = "two devices that change names",
	 .steps = {OK(RAM "devices: [" EDU ", " NIC
			  "]\n" FD(X(ON("{device: edu}, {device: nic}")))),
		   OK(RAM "devices: [{name: nic, $edu}, {name: edu, "
			  "$nic, driver: vfio-pci}]\n" FD(X(ON("{device: nic}, {device: edu}"))))},
	 .needs = HAVE(HOST_DRIVER)},
	{.name = "a device dropped and taken again",
	 .steps = {OK(RAM "devices: [" EDU ", " NIC
			  "]\n" FD(X(ON("{device: edu}, {device: nic}")))),
		   OK(RAM "devices: [" EDU "]\n" FD(X(ON("{device: edu}")))),
		   OK(RAM "devices: [" EDU ", " NIC
			  "]\n" FD(X(ON("{device: edu}, {device: nic}"))))},
	 .needs = HAVE(HOST_DRIVER)},
	{.name = "all fds taken away, and back",
	 .steps = {OK(ONE(RAM, X(ON("{device: edu}")))), OK(RAM "devices: [" EDU "]\nfds: []\n"),
		   OK(ONE(RAM, X(ON("{device: edu}"))))}},
	{.name = "a device that leaves an fd which goes, and stays unattached",
	 .steps = {OK(ONE(RAM, X(ON("{device: edu}")))),
		   OK(RAM "devices: [" EDU "]\n" SIDE(Y("")))}},

	{.name = "memory under another name",
	 .steps = {OK(ONE(RAM, X(", map: [" MAP("@0x0", "0") "]" ON("{device: edu}")))),
		   OK(ONE("memory: [{name: other, size: 2M}]\n",
			  X(", map: [{iova: @0x0, memory: other, length: 64K}]" ON(
				  "{device: edu}"))))}},
	{.name = "memory that shrinks by what is mapped",
	 .steps = {OK(ONE(RAM, X(", map: [" MAP("@0x0", "0") ", " MAP("@0x100000", "1M") "]" ON(
				       "{device: edu}")))),
		   OK(ONE("memory: [{name: ram, size: 64K}]\n",
			  X(", map: [" MAP("@0x0", "0") "]" ON("{device: edu}")))),
		   OK(ONE(RAM, X(", map: [" MAP("@0x0", "0") ", " MAP("@0x100000", "1M") "]" ON(
				       "{device: edu}"))))}},
	{.name = "allowed ranges that leave a mapping out",
	 .steps = {OK(ONE(RAM, X(", map: [" MAP("@0x1000000", "0") "]" ON("{device: edu}")))),
		   OK(ONE(RAM, X(", allow: [{first: @0x0, last: @0xffff}], map: [" MAP(
				       "@0x0", "0") "]" ON("{device: edu}")))),
		   OK(ONE(RAM, X(", map: [" MAP("@0x1000000", "0") "]" ON("{device: edu}"))))},
	 .needs = NEED(ALLOW)},
	{.name = "a mapping in the interrupt window that goes when a device comes",
	 .steps = {OK(ONE(RAM, X(", map: [" MAP("$window", "0") "]"))),
		   OK(ONE(RAM, X(", map: [" MAP("@0x0", "0") "]" ON("{device: edu}")))),
		   OK(ONE(RAM, X(", map: [" MAP("$window", "0") "]")))}},
	{.name = "allowed ranges in the interrupt window that go when a device comes",
	 .steps = {OK(ONE(RAM, X(", allow: [{first: $window, last: $window_last}]"))),
		   OK(ONE(RAM, X(", allow: [{first: @0x0, last: @0xffff}]" ON("{device: edu}")))),
		   OK(ONE(RAM, X(", allow: [{first: $window, last: $window_last}]")))},
	 .needs = NEED(ALLOW)},
};

const struct conformance_table change_cases = {"changes", cases, sizeof(cases) / sizeof(cases[0])};
