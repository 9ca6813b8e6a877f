// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/root.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"

char *root_path(const char *root, const char *fmt, ...)
{
	_cleanup_free_ char *below = NULL;
	char *path;
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&below, fmt, args);
	va_end(args);
	if (ret < 0) {
		below = NULL;
		return NULL;
	}
	if (asprintf(&path, "%s%s", root ? root : "", below) < 0)
		return NULL;
	return path;
}
