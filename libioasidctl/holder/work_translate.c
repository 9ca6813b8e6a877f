// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "holder/work_state.h"
#include "report/report.h"

static int parse_iovas(const json_t *texts, uint64_t **out, struct ioasidctl_error **err)
{
	const size_t n = json_array_size(texts);
	_cleanup_free_ uint64_t *iovas = calloc(n + 1, sizeof(*iovas));

	if (!iovas)
		return error_nomem(err);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(texts, i));

		if (number_parse(text, &iovas[i]))
			return error_new(err, ERROR_USAGE, EINVAL, "\"%s\" is no address", text);
	}
	*out = steal_pointer(iovas);
	return 0;
}

int work_translate(struct work *work, const struct job *job, json_t **out,
		   struct ioasidctl_error **err)
{
	const struct parameters *p = &job->parameters;
	struct translate_query query = {.device = p->device,
					.pasid = p->pasid < 0 ? NO_PASID : (uint32_t)p->pasid,
					.n_iovas = json_array_size(p->iovas)};
	_cleanup_free_ uint64_t *iovas = NULL;
	const struct topology *t = NULL;
	json_t *translation;
	int ret;

	ret = translate_parse_access(p->access, &query.access, err);
	if (!ret && p->pasid >= 0)
		ret = translate_check_pasid((uint64_t)p->pasid, err);
	if (!ret)
		ret = parse_iovas(p->iovas, &iovas, err);
	if (!ret)
		ret = work_find_shown(work, job, &t, err);
	query.iovas = iovas;
	if (!ret)
		ret = report_translations(t, &query, &translation, err);
	if (ret)
		return ret;
	*out = json_pack("{s:o}", "translation", translation);
	return *out ? 0 : error_nomem(err);
}
