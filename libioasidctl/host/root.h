/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place where a path below /sys, /proc or /dev is made, so that tests can move the root. */
#pragma once

/*
 * `root` and the formatted path ("/sys/...") behind it. Owned by the caller, of any length (the
 * kernel refuses what is too long for it: ENAMETOOLONG); NULL: out of memory.
 */
char *root_path(const char *root, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
