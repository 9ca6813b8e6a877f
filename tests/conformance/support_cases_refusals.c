// SPDX-License-Identifier: GPL-2.0-or-later
/* Mappings and attachments that can't be; what a config would never let through, by single calls.
 */
#include <errno.h>

#include "cases.h"

#define E "{device: edu}"
#define MAPS(more) \
	RAM "devices: [" EDU ", " TEST "]\n" FD("{name: gpa, map: [" more "], attach: [" E "]}")
#define M(iova, offset, length) \
	"{iova: " iova ", memory: ram, offset: " offset ", length: " length "}"
/* Two mappings with a hole between them, and another IOASID. */
#define LIVE                                                                                       \
	RAM "devices: [" EDU ", " TEST "]\n" FD("{name: gpa, map: [" M("@0x0", "0", "64K") ", " M( \
		"@0x20000", "1M", "64K") "], attach: [" E                                          \
					 "]}, {name: other, attach: [{device: test}]}")
#define ALLOWED                                                                      \
	RAM "devices: [" EDU ", " TEST                                               \
	    "]\n" FD("{name: gpa, allow: [{first: @0x0, last: @0xfffff}], map: [" M( \
		    "@0x0", "0", "64K") "], "                                        \
					"attach: [" E                                \
					"]}, {name: other, attach: [{device: test}]}")
#define PAIR                                                                                      \
	RAM "devices: [" LEFT ", " RIGHT "]\n" FD(                                                \
		"{name: x, map: [" M("@0x0", "0", "64K") "], attach: [{device: left}, "           \
							 "{device: right}]}, {name: y, map: [" M( \
								 "@0x0", "1M", "64K") "]}")

static const struct conformance_case cases[] = {
	{.name = "mappings that overlap",
	 .steps = {REFUSED(MAPS(M("@0x0", "0", "64K") ", " M("@0xf000", "1M", "64K")), CONFIG,
			   EINVAL, "overlap"),
		   OK(MAPS(M("@0x0", "0", "64K"))),
		   REFUSED(MAPS(M("@0x0", "0", "64K") ", " M("@0x0", "1M", "64K")), CONFIG, EINVAL,
			   "overlap"),
		   SAME(MAPS(M("@0x0", "0", "64K")))}},
	{.name = "mappings past the end of memory and of all addresses",
	 .steps = {REFUSED(MAPS(M("@0x0", "1M", "2M")), CONFIG, EINVAL, "ram"),
		   REFUSED(MAPS(M("0xfffffffffffff000", "0", "64K")), CONFIG, EINVAL, NULL),
		   REFUSED(MAPS(M("@0x0", "0", "0")), CONFIG, EINVAL, "a size in bytes above 0")}},
	{.name = "mappings outside of what the IOASID allows",
	 .steps = {REFUSED(RAM "devices: [" EDU "]\n" FD(
				   "{name: gpa, allow: [{first: @0x0, last: @0xffff}], map: [" M(
					   "@0x10000", "0", "4K") "]}"),
			   CONFIG, EINVAL, "allow")}},
	{.name = "copies of what isn't mapped",
	 .steps =
		 {REFUSED(RAM FD("{name: x, map: [" M(
				  "@0x0", "0",
				  "64K") "]}, {name: y, map: [{iova: "
					 "@0x0, copy: x, from: @0x1000, length: 4K}]}"),
			  CONFIG, EINVAL, "x"),
		  REFUSED(RAM FD("{name: y, map: [{iova: @0x0, copy: y, from: @0x0, length: 4K}]}"),
			  CONFIG, EINVAL, "y")}},
	{.name = "a device on two fds",
	 .steps = {REFUSED("devices: [" EDU "]\nfds: [{name: a, ioasids: [{name: x, attach: [" E
			   "]}]}, {name: b, "
			   "ioasids: [{name: y, attach: [" E "]}]}]\n",
			   CONFIG, EINVAL, "a device can be in one fd only")}},
	{.name = "allowed ranges that the devices don't have",
	 .steps = {REFUSED(RAM "devices: [" EDU "]\n" FD(
				   "{name: gpa, allow: [{first: $window, last: $window_last}], "
				   "attach: [" E "]}"),
			   KERNEL, EADDRINUSE, NULL)},
	 .needs = NEED(ALLOW)},
	{.name = "a device that is open elsewhere",
	 .steps = {OK(LIVE), FAIL("rebind edu", BUSY, 0, NULL), SAME(LIVE)},
	 .differences = {{AT(MOCK), 1, SUCCESS, NULL,
			  "a mock device comes into being when it is bound: this is another one"}}},

	{.name = "calls: mappings where something is",
	 .steps = {OK(LIVE), FAIL("map gpa @0x0 64K ram 0", KERNEL, EEXIST, NULL),
		   FAIL("map gpa @0xf000 8K ram 0", KERNEL, EEXIST, NULL),
		   FAIL("map gpa @0x1f000 8K ram 0", KERNEL, EEXIST, NULL),
		   FAIL("map gpa @0x8000 4K ram 0", KERNEL, EEXIST, NULL), SAME(LIVE)}},
	{.name = "calls: mappings on no page boundary",
	 .steps = {OK(LIVE), FAIL("map gpa @0x10100 4K ram 0", KERNEL, EINVAL, NULL),
		   FAIL("map gpa @0x10000 100 ram 0", KERNEL, EINVAL, NULL), SAME(LIVE)}},
	{.name = "calls: mappings of nothing, and past the end",
	 .steps = {OK(LIVE), FAIL("map gpa @0x10000 0 ram 0", KERNEL, EINVAL, NULL),
		   FAIL("map gpa 0xfffffffffffff000 8K ram 0", KERNEL, EOVERFLOW, NULL),
		   SAME(LIVE)},
	 .differences =
		 {{AT(VFIO), 2, {ERROR_KERNEL, EINVAL}, NULL, "VFIO's type 1 says EINVAL of it"}}},
	{.name = "calls: mappings where devices can't reach",
	 .steps = {OK(LIVE), FAIL("map gpa $window 4K ram 0", KERNEL, EINVAL, NULL), SAME(LIVE)}},
	/* What is allowed binds those who look for a place, and the devices that may come. */
	{.name = "calls: mappings outside of what is allowed",
	 .steps = {OK(ALLOWED), DO("map gpa @0x100000 4K ram 0"), DO("unmap gpa @0x100000 4K"),
		   SAME(ALLOWED)},
	 .needs = NEED(ALLOW)},
	{.name = "calls: unmapping what isn't mapped, or isn't all of it",
	 .steps = {OK(LIVE), FAIL("unmap gpa @0x10000 64K", KERNEL, ENOENT, NULL),
		   FAIL("unmap gpa @0x0 4K", KERNEL, ENOENT, NULL),
		   FAIL("unmap gpa @0x8000 96K", KERNEL, ENOENT, NULL),
		   FAIL("unmap gpa @0x1000 4K", KERNEL, ENOENT, NULL), SAME(LIVE)}},
	{.name = "calls: copies of what isn't there",
	 .steps = {OK(LIVE), FAIL("copy other @0x0 64K gpa @0x10000", KERNEL, ENOENT, NULL),
		   FAIL("copy gpa @0x8000 64K gpa @0x0", KERNEL, EEXIST, NULL), SAME(LIVE)},
	 .needs = NEED(COPY)},
	{.name = "calls: freeing what is in use",
	 .steps = {OK(LIVE), FAIL("free gpa", BUSY, EBUSY, NULL),
		   FAIL("free other", BUSY, EBUSY, NULL), SAME(LIVE)}},
	{.name = "calls: allowed ranges that leave a mapping out, or reach where devices can't",
	 .steps = {OK(ALLOWED), DO("allow gpa @0x8000 @0xffff"),
		   FAIL("allow gpa $window $window_last", KERNEL, EADDRINUSE, NULL),
		   DO("allow gpa @0x0 @0xfffff"), SAME(ALLOWED)},
	 .needs = NEED(ALLOW)},
	{.name = "calls: a device into an IOASID that maps what it can't reach",
	 .steps = {OK(RAM "devices: [" EDU ", " TEST "]\n" FD(
			   "{name: far, map: [" M("$window", "0", "64K") "]}, {name: gpa, "
									 "attach: [" E "]}")),
		   FAIL("attach edu far", KERNEL, EADDRINUSE, NULL)}},
	{.name = "calls: one of a group takes the rest along",
	 .steps = {OK(PAIR), DO("attach left y"), ASK("domains x", "0"), ASK("domains y", "1"),
		   ASK("reaches right @0x1000 ram 0x101000", "yes"), DO("attach right x"),
		   ASK("reaches left @0x1000 ram 0x1000", "yes"), SAME(PAIR)},
	 .needs = HAVE(PAIR) | HAVE(DMA) | HAVE(TABLE_COUNT)},
};

const struct conformance_table refusal_cases = {"refusals", cases,
						sizeof(cases) / sizeof(cases[0])};
