/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which way the host's packets go. */
#pragma once

#include <stdbool.h>

#define REACH_INTERFACE_MAX 64

/*
 * The interface by which an address ("10.0.0.1", "fd00::1") is reached, as /proc/net says of the
 * main routing table; false: none, or that is no address.
 */
bool host_reach(const char *root, const char *address, char interface[static REACH_INTERFACE_MAX]);
