/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What --machine takes: a machine description, or the document of `host --json`, of which one is
 * made. What that document doesn't tell of an IOMMU is derived from its type; what can't be derived
 * counts as missing. The table in machine.c has both; ioasidctl(1) describes it.
 */
#pragma once

#include <stddef.h>

struct refdev;

/* refdev_new() of either; NULL: the default machine. Same results. */
int machine_open(const char *text, size_t length, struct refdev **out, char **why);
