// SPDX-License-Identifier: LGPL-2.1-or-later
/* org.varlink.service: what every varlink service answers about itself. */
#include <string.h>

#include "holder/interface.h"
#include "holder/methods.h"

void service_get_info(const struct parameters *p, struct answer *out)
{
	json_t *names = json_array();

	(void)p;
	for (const struct interface *i = interfaces; i->name; i++)
		json_array_append_new(names, json_string(i->name));
	out->text = varlink_reply_text(false,
				       json_pack("{s:s, s:s, s:s, s:s, s:o}", "vendor", "ioasidctl",
						 "product", "ioasidctl holder", "version",
						 IOASIDCTL_VERSION, "url", "", "interfaces", names),
				       &out->length);
}

void service_get_description(const struct parameters *p, struct answer *out)
{
	const struct interface *i = interfaces;

	while (i->name && strcmp(i->name, p->interface))
		i++;
	if (i->name)
		out->text = varlink_reply_text(false, json_pack("{s:s}", "description", i->text),
					       &out->length);
	else
		out->text = varlink_error_text(VARLINK_NO_INTERFACE,
					       json_pack("{s:s}", "interface", p->interface),
					       &out->length);
}
