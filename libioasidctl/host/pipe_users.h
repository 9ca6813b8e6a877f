/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which processes have one and the same pipe open. */
#pragma once

#include <sys/types.h>

/*
 * Of the pipe that `fd` is an end of, as /proc tells: "pid 12 (sh), pid 13 (sleep)", without the
 * process `except`. *text owned; NULL: nobody that this process may look into. 0 or -errno.
 */
int pipe_users_text(const char *root, int fd, pid_t except, char **text);
