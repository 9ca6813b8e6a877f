// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/raise_memlock.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/holders.h"
#include "host/memlock.h"
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

char *memlock_way_out(const char *root, uint64_t needed, bool exemptible)
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
			     " (docker, podman)%s",
			     needed, needed,
			     exemptible ? "; or give it CAP_IPC_LOCK (--cap-add ipc_lock)" : "");
	else if (is_service(unit))
		n = asprintf(&text,
			     "raise it for the unit: LimitMEMLOCK=%s in [Service] (systemctl edit "
			     "%s), then restart it",
			     size, unit);
	else
		n = asprintf(
			&text,
			"raise it for the user: \"%s - memlock %" PRIu64
			"\" (KiB) in /etc/security/limits.d/ioasidctl.conf, then log in anew%s",
			user_name(buf, sizeof(buf)), needed >> 10,
			exemptible ? "; or run ioasidctl as root" : "");
	return n < 0 ? NULL : text;
}

/* Without /proc it's not known whether the limit applies, but it's the likelier cause. */
static int limits_of_self(const char *root, struct memlock *out)
{
	struct rlimit limit;

	if (!memlock_read(root, "self", out))
		return 0;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return -errno;
	*out = (struct memlock){.soft = limit.rlim_cur == RLIM_INFINITY ? MEMLOCK_UNLIMITED
									: limit.rlim_cur,
				.uid = getuid()};
	return 0;
}

/* What this user's processes have pinned, this one among them. */
static uint64_t pinned_so_far(const char *root, const struct memlock *self)
{
	_cleanup_holders_ struct node_holders holders = {0};
	uint64_t own = self->locked > self->pinned ? self->locked : self->pinned, all = 0;

	if (!node_holders_read(root, &holders))
		all = node_holders_locked(&holders, self->uid);
	return all > own ? all : own;
}

static char *limit_text(uint64_t length, uint64_t pinned, uint64_t limit)
{
	char needed[NUMBER_TEXT_MAX], used[NUMBER_TEXT_MAX], allowed[NUMBER_TEXT_MAX], *text;
	int n;

	number_size(length, needed);
	number_size(pinned, used);
	number_size(limit, allowed);
	if (!length)
		n = asprintf(&text,
			     "all memory that this user pins must fit into the limit of locked "
			     "memory, %s; %s of it are used, as far as can be seen",
			     allowed, used);
	else if (pinned)
		n = asprintf(&text,
			     "it pins %s, beside %s that this user has pinned already, and the "
			     "limit of locked memory is %s",
			     needed, used, allowed);
	else
		n = asprintf(&text, "it pins %s, and the limit of locked memory is %s", needed,
			     allowed);
	return n < 0 ? NULL : text;
}

/* What others than the holders of IOMMU nodes lock is counted, too, and shown nowhere. */
static char *room_text(uint64_t length, uint64_t pinned, uint64_t limit)
{
	char needed[NUMBER_TEXT_MAX], used[NUMBER_TEXT_MAX], allowed[NUMBER_TEXT_MAX], *text;

	number_size(length, needed);
	number_size(pinned, used);
	number_size(limit, allowed);
	return asprintf(&text,
			"it pins %s, for which the limit of locked memory, %s, has room as far as "
			"can be seen (%s are used); so this user has locked more (io_uring, XDP), "
			"or the machine or the process's control group is short of memory",
			needed, allowed, used) < 0
		       ? NULL
		       : text;
}

int memlock_explain(const char *root, uint64_t length, char **cause, char **hint)
{
	struct memlock self;
	uint64_t pinned, needed;
	int ret = limits_of_self(root, &self);

	*cause = *hint = NULL;
	if (ret)
		return ret;
	if (self.exempt || self.soft == MEMLOCK_UNLIMITED) {
		*cause = strdup("no limit of locked memory applies, so the machine itself is short "
				"of memory (or of huge pages)");
		return *cause ? 0 : -ENOMEM;
	}
	pinned = pinned_so_far(root, &self);
	if (length && length <= self.soft && pinned <= self.soft - length) {
		*cause = room_text(length, pinned, self.soft);
		*hint = strdup("see what else the user has locked, the memory.max of the control "
			       "group, and free memory (and huge pages)");
		return *cause && *hint ? 0 : -ENOMEM;
	}
	needed = length + pinned > self.soft ? length + pinned : 2 * self.soft;
	*cause = limit_text(length, pinned, self.soft);
	*hint = memlock_way_out(root, needed, true);
	return *cause ? 0 : -ENOMEM;
}
