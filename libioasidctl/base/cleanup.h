/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scope-bound ownership: a resource is released where its variable goes out of scope. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A variable may be there for its release alone, which clang takes for unused. */
#define _cleanup_(release) __attribute__((cleanup(release), unused))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_free_	 _cleanup_(cleanup_free)
#define _cleanup_close_	 _cleanup_(cleanup_close)
#define _cleanup_fclose_ _cleanup_(cleanup_fclose)

/* Hands the pointer to the caller and disarms the cleanup of the variable it was in. */
#define steal_pointer(p)                      \
	({                                    \
		__typeof__(p) stolen__ = (p); \
		(p) = NULL;                   \
		stolen__;                     \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
