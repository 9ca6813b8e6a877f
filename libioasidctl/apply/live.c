// SPDX-License-Identifier: LGPL-2.1-or-later
#include "apply/live.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

static uint32_t find_in(struct iommu_fd *fd, const char *name, struct live_target *out)
{
	const uint32_t ioasid = iommu_fd_find_ioasid(fd, name),
		       viommu = iommu_fd_find_viommu(fd, name);

	if (ioasid == NO_INDEX && viommu == NO_INDEX)
		return 0;
	*out = (struct live_target){
		.fd = fd,
		.ioasid = ioasid == NO_INDEX ? NULL : &fd->ioasids[ioasid],
		.viommu = viommu == NO_INDEX ? NULL : &fd->viommus[viommu],
	};
	return 1;
}

/* How many objects have that name; the last of them is in *out. */
static uint32_t find_all(struct topology *t, const char *object, struct live_target *out)
{
	const char *slash = strchr(object, '/'), *name = slash ? slash + 1 : object;
	uint32_t n = 0;

	for (size_t i = 0; i < t->n_fds; i++) {
		const char *fd = t->fds[i].name;

		if (!slash || (strlen(fd) == (size_t)(slash - object) &&
			       !strncmp(fd, object, (size_t)(slash - object))))
			n += find_in(&t->fds[i], name, out);
	}
	return n;
}

int live_find(const struct live_call *call, struct live_target *out, struct ioasidctl_error **err)
{
	struct topology *t = engine_live(call->engine, call->topology);
	uint32_t n = t ? find_all(t, call->object, out) : 0;
	int ret;

	if (n == 1)
		return 0;
	if (n)
		ret = error_new(err, ERROR_USAGE, EINVAL, "%s of topology %s is in several fds",
				call->object, call->topology);
	else if (t)
		ret = error_new(err, ERROR_UNAVAILABLE, ENOENT,
				"topology %s has no IOASID and no vIOMMU %s", call->topology,
				call->object);
	else
		ret = error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no topology %s",
				call->topology);
	error_object(err, "%s", call->object);
	error_hint(err, n ? "name the fd, too: FD/%s" : "`ioasidctl show` lists what there is",
		   call->object);
	return ret;
}

static int bad_entry(const char *text, struct ioasidctl_error **err)
{
	int ret =
		error_new(err, ERROR_USAGE, EINVAL, "\"%s\" says nothing that can be stale", text);

	error_hint(err, "all, FIRST-LAST, FIRST+LENGTH, or command:WORD,WORD in the hardware's "
			"own format");
	return ret;
}

static int parse_words(const char *text, struct invalidation *out)
{
	char word[NUMBER_TEXT_MAX];

	while (out->n_words < ARRAY_SIZE(out->words)) {
		size_t length = strcspn(text, ",");

		if (length >= sizeof(word))
			return -EINVAL;
		memcpy(word, text, length);
		word[length] = 0;
		if (number_parse(word, &out->words[out->n_words++]))
			return -EINVAL;
		if (!text[length])
			return 0;
		text += length + 1;
	}
	return -EINVAL;
}

int invalidation_parse(const char *text, bool leaf, struct invalidation *out,
		       struct ioasidctl_error **err)
{
	static const char command[] = "command:";

	*out = (struct invalidation){.leaf = leaf};
	if (!strcmp(text, "all")) {
		out->everything = true;
		return 0;
	}
	if (!strncmp(text, command, strlen(command)))
		return parse_words(text + strlen(command), out) ? bad_entry(text, err) : 0;
	return range_parse(text, &out->range.first, &out->range.last) ? bad_entry(text, err) : 0;
}

static int refuse(const struct live_call *call, const struct live_target *target, const char *what,
		  const char *cause, const char *hint, struct ioasidctl_error **err)
{
	const char *name = target->ioasid ? target->ioasid->name : target->viommu->name;
	int ret = error_new(err, ERROR_REFUSED, EOPNOTSUPP, "%s/%s: %s", target->fd->name, name,
			    what);

	error_cause(err, "%s", cause);
	error_hint(err, "%s", hint);
	error_object(err, "%s/%s/%s", call->topology, target->fd->name, name);
	return ret;
}

int live_invalidate(const struct live_call *call, const struct invalidation *entries, size_t n,
		    size_t *done, struct ioasidctl_error **err)
{
	struct live_target target;
	int ret = live_find(call, &target, err);

	*done = 0;
	if (ret)
		return ret;
	if (target.ioasid && target.ioasid->kind != IOASID_NESTED)
		return refuse(
			call, &target, "there is nothing to invalidate",
			"the kernel keeps the table of a gpa IOASID, and knows when it changes",
			"name a nested IOASID or a vIOMMU", err);
	if (!target.fd->ops->invalidate)
		return refuse(call, &target, "nothing can be invalidated",
			      "the driver has no nested tables", "use a driver that has them", err);
	engine_listen(call->engine, call->how);
	ret = target.fd->ops->invalidate(target.fd->live.handle,
					 target.ioasid ? target.ioasid->live.id
						       : target.viommu->live.id,
					 target.viommu, entries, n, done, err);
	engine_listen(call->engine, NULL);
	if (ret)
		error_object(err, "%s/%s/%s", call->topology, target.fd->name, call->object);
	return ret;
}

static int find_tracked(const struct live_call *call, struct live_target *target,
			struct ioasidctl_error **err)
{
	int ret = live_find(call, target, err);

	if (ret)
		return ret;
	if (target->ioasid && target->ioasid->flags & IOASID_FLAG_DIRTY)
		return 0;
	return refuse(call, target, "no dirty pages are recorded here",
		      "only a gpa IOASID with dirty_tracking: true can record them",
		      "add dirty_tracking: true to it and apply again", err);
}

int live_dirty_set(const struct live_call *call, bool on, struct ioasidctl_error **err)
{
	struct live_target target;
	int ret = find_tracked(call, &target, err);

	if (ret)
		return ret;
	engine_listen(call->engine, call->how);
	ret = target.fd->ops->dirty_set(target.fd->live.handle, target.ioasid->live.id, on, err);
	engine_listen(call->engine, NULL);
	if (!ret)
		target.ioasid->live.dirty = on;
	else
		error_object(err, "%s/%s/%s", call->topology, target.fd->name, target.ioasid->name);
	return ret;
}

static int check_pages(const struct range *range, uint64_t page_size, uint64_t *pages,
		       struct ioasidctl_error **err)
{
	int ret;

	if (!page_size || page_size & (page_size - 1))
		return error_new(err, ERROR_USAGE, EINVAL,
				 "a page size is a power of two, not 0x%" PRIx64, page_size);
	if (range->first & (page_size - 1) || (range->last + 1) & (page_size - 1)) {
		ret = error_new(err, ERROR_USAGE, EINVAL,
				"0x%" PRIx64 "-0x%" PRIx64
				" isn't made of whole pages of 0x%" PRIx64 " bytes",
				range->first, range->last, page_size);
		error_hint(err, "align the range, or ask for smaller pages with --page-size");
		return ret;
	}
	*pages = (range->last - range->first) / page_size + 1;
	if (*pages > LIVE_DIRTY_PAGES)
		return error_new(err, ERROR_USAGE, E2BIG,
				 "at most %u pages can be asked for at once", LIVE_DIRTY_PAGES);
	return 0;
}

static int require_tracking(const struct live_call *call, const struct live_target *target,
			    struct ioasidctl_error **err)
{
	if (target->ioasid->live.dirty)
		return 0;
	return refuse(call, target, "dirty tracking is not on",
		      "nothing has been recorded since it was stopped, or ever",
		      "`ioasidctl dirty start` first", err);
}

int live_dirty_check(const struct live_call *call, struct live_target *target,
		     struct ioasidctl_error **err)
{
	int ret = find_tracked(call, target, err);

	return ret ? ret : require_tracking(call, target, err);
}

int live_dirty_read(const struct live_call *call, const struct range *range, uint64_t page_size,
		    bool keep, uint64_t *bitmap, struct ioasidctl_error **err)
{
	struct live_target target;
	uint64_t pages = 0;
	int ret = find_tracked(call, &target, err);

	if (!ret)
		ret = check_pages(range, page_size, &pages, err);
	if (!ret)
		ret = require_tracking(call, &target, err);
	if (ret)
		return ret;
	memset(bitmap, 0, (pages + 63) / 64 * sizeof(*bitmap));
	engine_listen(call->engine, call->how);
	ret = target.fd->ops->dirty_read(target.fd->live.handle, target.ioasid->live.id, range,
					 page_size, keep, bitmap, err);
	engine_listen(call->engine, NULL);
	if (ret)
		error_object(err, "%s/%s/%s", call->topology, target.fd->name, target.ioasid->name);
	return ret;
}

int live_find_faults(const struct live_call *call, struct live_target *target,
		     struct ioasidctl_error **err)
{
	int ret = live_find(call, target, err);

	if (ret)
		return ret;
	if (target->ioasid && target->ioasid->flags & IOASID_FLAG_FAULT_QUEUE)
		return 0;
	return refuse(call, target, "it has no queue of page faults",
		      "only an IOASID with fault_queue: true has one",
		      "add fault_queue: true to it and apply again", err);
}

int live_fault_answer(const struct live_call *call, uint32_t cookie, bool success,
		      struct ioasidctl_error **err)
{
	struct live_target target;
	int ret = live_find_faults(call, &target, err);

	if (ret)
		return ret;
	engine_listen(call->engine, call->how);
	ret = target.fd->ops->fault_answer(target.fd->live.handle, target.ioasid->live.id, cookie,
					   success, err);
	engine_listen(call->engine, NULL);
	if (ret)
		error_object(err, "%s/%s/%s", call->topology, target.fd->name, target.ioasid->name);
	return ret;
}
