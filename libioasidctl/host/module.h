/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the running kernel has a part, is told by the lists that depmod(8) makes for it. */
#pragma once

enum module_state {
	MODULE_UNKNOWN, /* no lists: a container, or a kernel of one's own */
	MODULE_ABSENT, /* the kernel was built without */
	MODULE_LOADABLE,
	MODULE_BUILTIN,
};

/* The module of that name, '-' and '_' being the same. */
enum module_state host_module(const char *root, const char *name);
