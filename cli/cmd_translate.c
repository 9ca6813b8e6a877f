// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "link.h"
#include "output.h"
#include "report/report.h"
#include "translation.h"

#define FIRST_IOVA 2 /* after NAME and DEVICE */

static int bad_number(const char *what, const char *text, int ret, struct ioasidctl_error **err)
{
	if (ret == -ERANGE)
		error_new(err, ERROR_USAGE, ERANGE, "%s %s: more than 64 bits", what, text);
	else
		error_new(err, ERROR_USAGE, EINVAL, "%s \"%s\" is no number", what, text);
	error_hint(err, "decimal, or hex with 0x; K, M, G and T behind it multiply by 1024");
	return ret;
}

static int add_pasid(const struct invocation *in, json_t *parameters, struct ioasidctl_error **err)
{
	uint64_t pasid;
	int ret;

	if (!in->pasid)
		return 0;
	ret = number_parse(in->pasid, &pasid);
	if (ret)
		return bad_number("--pasid", in->pasid, ret, err);
	ret = translate_check_pasid(pasid, err);
	if (ret)
		return ret;
	return json_object_set_new(parameters, "pasid", json_integer((json_int_t)pasid))
		       ? error_nomem(err)
		       : 0;
}

static int add_iovas(const struct invocation *in, json_t *parameters, struct ioasidctl_error **err)
{
	json_t *iovas = json_array();

	for (size_t i = FIRST_IOVA; iovas && i < in->n_arguments; i++) {
		char text[NUMBER_TEXT_MAX];
		uint64_t iova;
		int ret = number_parse(in->arguments[i], &iova);

		if (ret) {
			json_decref(iovas);
			return bad_number("IOVA", in->arguments[i], ret, err);
		}
		json_array_append_new(iovas, json_string(number_hex(iova, text)));
	}
	return json_object_set_new(parameters, "iovas", iovas) ? error_nomem(err) : 0;
}

static int make_parameters(const struct invocation *in, json_t **out, struct ioasidctl_error **err)
{
	const char *access = in->given & OPTION(ACCESS) ? access_choices[in->access] : NULL;
	int ret;

	*out = json_pack("{s:s, s:s, s:s*}", "name", in->arguments[0], "device", in->arguments[1],
			 "access", access);
	if (!*out)
		return error_new(err, ERROR_USAGE, EINVAL, "a name isn't UTF-8 text");
	ret = add_pasid(in, *out, err);
	if (!ret)
		ret = add_iovas(in, *out, err);
	if (!ret)
		return 0;
	json_decref(*out);
	return ret;
}

static int ask(const struct invocation *in, json_t **reply, struct ioasidctl_error **err)
{
	_cleanup_(client_freep)
	struct client *client = NULL;
	json_t *parameters;
	int ret = make_parameters(in, &parameters, err);

	if (ret)
		return ret;
	ret = link_open(in, &client, err);
	if (!ret && !client)
		ret = link_nothing_held(in, err);
	if (!ret)
		return link_call(client, "Translate", parameters, reply, err);
	json_decref(parameters);
	return ret;
}

static bool all_translated(const json_t *translations)
{
	const json_t *translation;
	size_t i;

	json_array_foreach (translations, i, translation)
		if (!json_is_true(json_object_get(translation, "translated")))
			return false;
	return true;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	json_t *reply = NULL, *document;
	int status = 0;

	if (ask(in, &reply, &err))
		return print_errors(in, err);
	document = json_object_get(reply, "translation");
	if (!json_is_array(json_object_get(document, "translations"))) {
		error_new(&err, ERROR_PROTOCOL, EPROTO, "the holder's answer holds no translation");
		error_hint(&err, "it may be of another version: `ioasidctl version`");
		status = print_errors(in, err);
	} else {
		if (in->json)
			status = print_json(in, json_incref(document));
		else
			print_translations(document);
		if (!status && !all_translated(json_object_get(document, "translations")))
			status = 1;
	}
	json_decref(reply);
	return status;
}

const struct verb verb_translate = {
	.name = "translate",
	.synopsis = "NAME DEVICE IOVA...",
	.help = "Say where addresses of a device's DMA lead",
	.text = "Does for each IOVA what the IOMMU does when DEVICE of the topology NAME uses it in "
		"DMA: finds the IOASID that the device, or with --pasid that PASID, is in; if it is a "
		"nested one, walks the guest's table, entry by entry, in the topology's memory; and "
		"follows the mapping to the memory, with the rights that are left. Of a device without an "
		"IOMMU, which has to be given physical addresses, it tells those. Or says where the "
		"way ends: which entry, where it lies, what is in it and what is wrong with it; where "
		"nothing is mapped, what is mapped nearest.\n\n"
		"It goes by the tables as they are now; what the hardware still has in its caches is "
		"not seen. Nothing is changed.\n\n"
		"The exit status is 0 when every IOVA leads to memory, 1 when one of them doesn't.",
	.options = OPTION(SOCKET) | OPTION(PASID) | OPTION(ACCESS),
	.min_arguments = 3,
	.max_arguments = FIRST_IOVA + TRANSLATE_IOVAS_MAX,
	.complete = COMPLETE_TOPOLOGY,
	.run = run,
};
