/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host as a tree for people: IOMMUs, below them their groups, below them their devices. */
#pragma once

#include "host/inventory.h"

void print_host(const struct host *host);
