// SPDX-License-Identifier: GPL-2.0-or-later
#include "actions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "apply/live.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "calls.h"
#include "hardware.h"

#define PAGE	   4096UL
#define PAGES_MAX  1024
#define FAULTS_MAX 8

static int act_reaches(struct act *a)
{
	const uint64_t offset = act_number(a, 4);
	const struct memory *m = act_memory(a, 3);
	const struct agent agent = act_agent(a, 1, 5);
	unsigned char *va;
	int ret;

	va = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m->live.fd, (off_t)offset);
	if (va == MAP_FAILED)
		return -errno;
	ret = a->scene->backend->hardware->reaches(&agent, act_number(a, 2), va);
	munmap(va, PAGE);
	if (ret >= 0)
		fputs(ret ? "yes" : "no", a->out);
	return ret < 0 ? ret : 0;
}

static int act_soil(struct act *a)
{
	const struct agent agent = act_agent(a, 1, 0);

	return a->scene->backend->hardware->soil(&agent, act_number(a, 2));
}

static int act_fault(struct act *a)
{
	const struct agent agent = act_agent(a, 1, 3);
	const struct device_hardware *hardware = a->scene->backend->hardware;

	return hardware->fault ? hardware->fault(&agent, act_number(a, 2)) : -EOPNOTSUPP;
}

static int act_stray(struct act *a)
{
	const struct agent agent = act_agent(a, 1, 0);

	return a->scene->backend->hardware->stray(&agent);
}

static int act_domains(struct act *a)
{
	struct live_target target = act_target(a, 1);
	struct ioasid_info info;
	int ret = target.fd->ops->ioasid_info(target.fd->live.handle, target.ioasid->live.id, &info,
					      a->err);

	if (ret)
		return ret;
	if (info.counted)
		fprintf(a->out, "%u", info.domains);
	else
		fputs("untold", a->out);
	ioasid_info_done(&info);
	return 0;
}

static int act_ranges(struct act *a)
{
	struct live_target target = act_target(a, 1);
	struct ioasid_info info;
	int ret = target.fd->ops->ioasid_info(target.fd->live.handle, target.ioasid->live.id, &info,
					      a->err);

	if (ret)
		return ret;
	for (size_t i = 0; i < info.n_ranges; i++) {
		fputs(i ? " " : "", a->out);
		print_address(a->out, a->scene->backend, info.ranges[i].first);
		fputc('-', a->out);
		print_address(a->out, a->scene->backend, info.ranges[i].last);
	}
	ioasid_info_done(&info);
	return 0;
}

static int act_invalidate(struct act *a)
{
	const struct live_call call = act_live(a, 1);
	struct invalidation entry;
	size_t done;
	int ret = invalidation_parse(a->words[2], false, &entry, a->err);

	return ret ? ret : live_invalidate(&call, &entry, 1, &done, a->err);
}

static int act_dirty(struct act *a)
{
	const struct live_call call = act_live(a, 1);

	return live_dirty_set(&call, !strcmp(a->words[2], "on"), a->err);
}

static int act_soiled(struct act *a)
{
	const struct live_call call = act_live(a, 1);
	uint64_t bitmap[PAGES_MAX / 64] = {0};
	struct range range;
	bool any = false;
	int ret;

	if (range_parse(a->words[2], &range.first, &range.last) ||
	    (range.last - range.first) / PAGE >= PAGES_MAX)
		act_nonsense(a);
	ret = live_dirty_read(&call, &range, PAGE, a->n > 3, bitmap, a->err);
	for (size_t i = 0; !ret && i < PAGES_MAX; i++) {
		if (!(bitmap[i / 64] & 1ULL << i % 64))
			continue;
		fputs(any ? " " : "", a->out);
		print_address(a->out, a->scene->backend, range.first + i * PAGE);
		any = true;
	}
	return ret;
}

static const char *device_of(const struct act *a, uint32_t id)
{
	for (size_t i = 0; i < a->topology->n_devices; i++)
		if (a->topology->devices[i].live.bound && a->topology->devices[i].live.id == id)
			return a->topology->devices[i].name;
	return "nobody";
}

static int act_faults(struct act *a)
{
	const struct live_call call = act_live(a, 1);
	struct io_fault faults[FAULTS_MAX];
	struct live_target target;
	size_t n;
	int ret = live_find_faults(&call, &target, a->err);

	if (!ret)
		ret = target.fd->ops->faults_read(target.fd->live.handle, target.ioasid->live.id,
						  faults, FAULTS_MAX, &n, a->err);
	for (size_t i = 0; !ret && i < n; i++) {
		fprintf(a->out, "%s%s ", i ? ", " : "", device_of(a, faults[i].device));
		print_address(a->out, a->scene->backend, faults[i].address);
		if (faults[i].pasid != NO_PASID)
			fprintf(a->out, " pasid %u", faults[i].pasid);
		a->scene->cookie = faults[i].cookie;
	}
	return ret;
}

static int act_answer(struct act *a)
{
	const struct live_call call = act_live(a, 1);

	return live_fault_answer(&call, a->scene->cookie, !strcmp(a->words[2], "success"), a->err);
}

static int act_events(struct act *a)
{
	struct live_target target = act_target(a, 1);
	struct viommu_event events[FAULTS_MAX];
	size_t n;
	int ret = target.fd->ops->events_read(target.fd->live.handle, target.viommu->live_events.id,
					      events, FAULTS_MAX, &n, a->err);

	if (!ret)
		fputs(n ? "some" : "none", a->out);
	return ret;
}

static const struct action {
	const char *name;
	size_t words; /* at least, itself among them */
	int (*act)(struct act *a);
} actions[] = {
	{"reaches", 5, act_reaches},
	{"soil", 3, act_soil},
	{"fault", 3, act_fault},
	{"stray", 2, act_stray},
	{"domains", 2, act_domains},
	{"ranges", 2, act_ranges},
	{"invalidate", 3, act_invalidate},
	{"dirty", 3, act_dirty},
	{"soiled", 3, act_soiled},
	{"faults", 2, act_faults},
	{"answer", 3, act_answer},
	{"events", 2, act_events},
	{"map", 6, try_map},
	{"place", 5, try_place},
	{"unmap", 4, try_unmap},
	{"copy", 6, try_copy},
	{"allow", 4, try_allow},
	{"free", 2, try_free},
	{"probe", 2, try_probe},
	{"attach", 3, try_attach},
	{"detach", 2, try_detach},
	{"nest", 3, try_nest},
	{"viommu", 4, try_viommu},
	{"vdevice", 4, try_vdevice},
	{"queue", 5, try_queue},
	{"event-queue", 3, try_event_queue},
	{"rebind", 2, try_rebind},
};

static void split(char *text, struct act *a)
{
	char *state = NULL;

	for (char *word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (a->n == ARRAY_SIZE(a->words))
			act_nonsense(a);
		a->words[a->n++] = word;
	}
}

int act(struct scene *s, const char *text, char **answer, struct ioasidctl_error **err)
{
	_cleanup_free_ char *copy = strdup(text);
	struct act a = {
		.scene = s, .text = text, .topology = engine_live(s->engine, "case"), .err = err};
	size_t size;
	int ret = 0;

	a.out = open_memstream(answer, &size);
	if (!copy || !a.out)
		abort();
	split(copy, &a);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!a.n || strcmp(actions[i].name, a.words[0]))
			continue;
		if (a.n < actions[i].words || !a.topology)
			act_nonsense(&a);
		ret = actions[i].act(&a);
		fclose(a.out);
		return ret;
	}
	act_nonsense(&a);
}
