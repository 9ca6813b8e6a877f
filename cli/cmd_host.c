// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "base/number.h"
#include "host_tree.h"
#include "output.h"
#include "report/host.h"

static int filter_of(const struct invocation *in, struct host_filter *out,
		     struct ioasidctl_error **err)
{
	int ret;

	*out = (struct host_filter){
		.device = in->device, .group = HOST_UNKNOWN, .driver = in->host_driver};
	if (!in->group || (!number_parse(in->group, &out->group) && out->group != HOST_UNKNOWN))
		return 0;
	ret = error_new(err, ERROR_USAGE, EINVAL, "--group takes a number, not \"%s\"", in->group);
	error_hint(err, "`ioasidctl host` lists the groups");
	return ret;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_host_ struct host host = {0};
	struct host_filter filter;

	if (filter_of(in, &filter, &err) || host_read(in->root ? in->root : "", &host, &err) ||
	    host_apply_filter(&host, &filter, &err))
		return print_errors(in, err);
	if (in->json)
		return print_json(in, report_host(&host));
	print_host(&host);
	return 0;
}

const struct verb verb_host = {
	.name = "host",
	.synopsis = "",
	.help = "Print the host's IOMMUs, groups and devices, and who holds them",
	.text = "Shows what the kernel can do, the IOMMUs with their capabilities, the IOMMU groups and "
		"the addresses that they reserve, the devices in them with their drivers and nodes, "
		"the nodes' permissions, and the processes that have one open. It changes nothing and "
		"needs no root; what an ordinary user can't see is named at the end.\n\n"
		"With --device, --group or --host-driver a group is shown whole, with all its members, "
		"when one of them passes, and no other. --root reads a tree that was captured on "
		"another host by the script collect-host, which needs nothing else "
		"(/usr/share/ioasidctl, or contrib/ of the sources).",
	.options = OPTION(DEVICE) | OPTION(GROUP) | OPTION(HOST_DRIVER) | OPTION(ROOT),
	.run = run,
};
