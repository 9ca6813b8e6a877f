// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/raise_memlock.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/holders.h"
#include "host/root.h"

#define MIB ((uint64_t)1 << 20)

/* Files that container engines put there. */
static bool in_container(const char *root)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv",
					    "/run/systemd/container"};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		_cleanup_free_ char *path = root_path(root, "%s", marks[i]);

		if (path && !access(path, F_OK))
			return true;
	}
	return false;
}

/* Its limits come from its unit file; a session's or a user's manager's from pam_limits. */
static bool is_service(const char *unit)
{
	size_t length = unit ? strlen(unit) : 0;

	return length > strlen(".service") &&
	       !strcmp(unit + length - strlen(".service"), ".service") &&
	       strncmp(unit, "user@", 5) != 0;
}

static const char *user_name(char *buf, size_t size)
{
	struct passwd entry, *found = NULL;

	return !getpwuid_r(getuid(), &entry, buf, size, &found) && found ? found->pw_name : "USER";
}

char *memlock_way_out(const char *root, uint64_t needed)
{
	_cleanup_free_ char *unit = NULL;
	char size[NUMBER_TEXT_MAX], buf[4096], *text = NULL;
	int n;

	/* Whole MiB: nobody wants to raise it again for the next page. */
	if (needed <= UINT64_MAX - MIB)
		needed = (needed + MIB - 1) & ~(MIB - 1);
	number_size(needed, size);
	process_unit(root, "self", &unit);
	if (in_container(root))
		n = asprintf(&text,
			     "raise it for the container: --ulimit memlock=%" PRIu64 ":%" PRIu64
			     " (docker, podman); or give it CAP_IPC_LOCK (--cap-add ipc_lock)",
			     needed, needed);
	else if (is_service(unit))
		n = asprintf(&text,
			     "raise it for the unit: LimitMEMLOCK=%s in [Service] (systemctl edit "
			     "%s), then restart it",
			     size, unit);
	else
		n = asprintf(&text,
			     "raise it for the user: \"%s - memlock %" PRIu64
			     "\" (KiB) in /etc/security/limits.d/ioasidctl.conf, then log in anew; "
			     "or run ioasidctl as root",
			     user_name(buf, sizeof(buf)), needed >> 10);
	return n < 0 ? NULL : text;
}
