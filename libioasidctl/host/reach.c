// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/reach.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/root.h"

#define RTF_UP	   0x1U
#define RTF_REJECT 0x200U

/* One line of a routing table, for both protocols. */
struct route {
	unsigned char destination[16];
	unsigned prefix; /* bits */
	unsigned metric, flags;
	char interface[REACH_INTERFACE_MAX];
};

/* Interface, destination, gateway, flags, two counts, metric, mask; addresses as they lie in
 * memory. */
static bool parse_route(const char *line, struct route *out)
{
	uint32_t destination, mask;

	if (sscanf(line, "%63s %x %*x %x %*d %*d %u %x", out->interface, &destination, &out->flags,
		   &out->metric, &mask) != 5)
		return false;
	memcpy(out->destination, &destination, sizeof(destination));
	out->prefix = (unsigned)__builtin_popcount(mask);
	return true;
}

/* Destination, its prefix, source, its prefix, gateway, metric, two counts, flags, interface */
static bool parse_route6(const char *line, struct route *out)
{
	char destination[33];

	if (sscanf(line, "%32s %x %*s %*x %*s %x %*x %*x %x %63s", destination, &out->prefix,
		   &out->metric, &out->flags, out->interface) != 5 ||
	    strlen(destination) != 32 || out->prefix > 128)
		return false;
	for (size_t i = 0; i < sizeof(out->destination); i++)
		if (sscanf(&destination[2 * i], "%2hhx", &out->destination[i]) != 1)
			return false;
	return true;
}

static bool matches(const struct route *route, const unsigned char *address)
{
	unsigned bytes = route->prefix / 8, bits = route->prefix % 8;

	if (!(route->flags & RTF_UP) || route->flags & RTF_REJECT)
		return false;
	return !memcmp(route->destination, address, bytes) &&
	       (!bits || (route->destination[bytes] ^ address[bytes]) >> (8 - bits) == 0);
}

bool host_reach(const char *root, const char *address, char interface[static REACH_INTERFACE_MAX])
{
	unsigned char bytes[16] = {0};
	const bool old = inet_pton(AF_INET, address, bytes) == 1;
	_cleanup_free_ char *path =
		root_path(root, old ? "/proc/net/route" : "/proc/net/ipv6_route");
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	struct route best = {0};
	bool found = false;
	size_t size = 0;

	if (!path || (!old && inet_pton(AF_INET6, address, bytes) != 1))
		return false;
	f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0) {
		struct route route = {0};

		if (!(old ? parse_route(line, &route) : parse_route6(line, &route)) ||
		    !matches(&route, bytes))
			continue;
		if (found && (route.prefix < best.prefix ||
			      (route.prefix == best.prefix && route.metric >= best.metric)))
			continue;
		best = route;
		found = true;
	}
	if (found)
		memcpy(interface, best.interface, REACH_INTERFACE_MAX);
	return found;
}
