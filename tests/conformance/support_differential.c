// SPDX-License-Identifier: GPL-2.0-or-later
#include "differential.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "uapi/iommufd_test.h"

#define BASE IOMMUFD_TEST_APERTURE_FIRST
#define PAGE 4096UL

static const char *const names[CALL_COUNT] = {
	[CALL_ALLOC] = "alloc", [CALL_NESTED] = "nested",	  [CALL_FREE] = "free",
	[CALL_MAP] = "map",	[CALL_UNMAP] = "unmap",		  [CALL_COPY] = "copy",
	[CALL_ALLOW] = "allow", [CALL_ATTACH] = "attach",	  [CALL_DETACH] = "detach",
	[CALL_DIRTY] = "dirty", [CALL_READ_DIRTY] = "read-dirty", [CALL_INFO] = "info",
	[CALL_PROBE] = "probe", [CALL_REBIND] = "rebind",
};

/* splitmix64: nothing of the C library's, so that a seed means the same on every machine. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint32_t below(uint64_t *state, uint32_t n)
{
	return (uint32_t)(next(state) % n);
}

/* Few places, so that things meet; now and then one where nothing can be. */
static uint64_t make_iova(uint64_t *state)
{
	static const uint64_t odd[] = {0, PAGE, BASE - PAGE, 0x80000000, UINT64_MAX - PAGE + 1};

	if (!below(state, 12))
		return odd[below(state, ARRAY_SIZE(odd))];
	return BASE + below(state, 24) * PAGE +
	       (below(state, 16)  ? 0
		: below(state, 2) ? 2048
				  : 512);
}

static uint64_t make_length(uint64_t *state)
{
	if (!below(state, 20))
		return below(state, 2) ? 2048 : 1000;
	return (1 + below(state, 6)) * PAGE;
}

static uint32_t make_pasid(uint64_t *state)
{
	return below(state, 4) ? NO_PASID : 1 + below(state, 3);
}

static uint32_t make_flags(uint64_t *state)
{
	static const uint32_t flags[] = {
		0,
		0,
		IOASID_FLAG_NEST_PARENT,
		IOASID_FLAG_NEST_PARENT,
		IOASID_FLAG_DIRTY,
		IOASID_FLAG_PASID,
		IOASID_FLAG_NEST_PARENT | IOASID_FLAG_PASID,
		IOASID_FLAG_DIRTY | IOASID_FLAG_PASID,
	};

	return flags[below(state, ARRAY_SIZE(flags))];
}

/* What happens often in real life comes often here. */
static enum call_kind make_kind(uint64_t *state, size_t at)
{
	static const uint8_t kinds[] = {
		CALL_ALLOC, CALL_ALLOC,	     CALL_NESTED, CALL_NESTED, CALL_FREE,   CALL_MAP,
		CALL_MAP,   CALL_MAP,	     CALL_MAP,	  CALL_UNMAP,  CALL_UNMAP,  CALL_COPY,
		CALL_COPY,  CALL_ALLOW,	     CALL_ATTACH, CALL_ATTACH, CALL_ATTACH, CALL_DETACH,
		CALL_DIRTY, CALL_READ_DIRTY, CALL_INFO,	  CALL_PROBE,  CALL_REBIND,
	};

	return at < 2 ? CALL_ALLOC : kinds[below(state, ARRAY_SIZE(kinds))];
}

size_t make_sequence(uint64_t seed, struct call sequence[static SEQUENCE_MAX])
{
	uint64_t state = seed;
	const size_t n = 5 + below(&state, SEQUENCE_MAX - 4);

	for (size_t i = 0; i < n; i++) {
		struct call *c = &sequence[i];

		*c = (struct call){
			.kind = make_kind(&state, i),
			.slot = below(&state, SLOTS),
			.other = below(&state, SLOTS),
			.device = below(&state, DEVICES),
			.pasid = make_pasid(&state),
			.flags = make_flags(&state),
			.count = below(&state, 3),
			.access = (uint8_t)(below(&state, 4) ? ACCESS_RW : ACCESS_READ),
			.on = below(&state, 2),
			.anywhere = !below(&state, 8),
			.iova = make_iova(&state),
			.length = make_length(&state),
			.offset = below(&state, 32) * PAGE,
			.from = make_iova(&state),
		};
	}
	return n;
}

void print_call(const struct call *c)
{
	printf("#   %s slot %u other %u device %u pasid %d flags 0x%x iova 0x%" PRIx64
	       " length 0x%" PRIx64 " offset 0x%" PRIx64 " from 0x%" PRIx64
	       " access %u%s%s count %u\n",
	       names[c->kind], c->slot, c->other, c->device, (int)c->pasid, c->flags, c->iova,
	       c->length, c->offset, c->from, c->access, c->on ? " on" : "",
	       c->anywhere ? " anywhere" : "", c->count);
}

#define KEPT_TABLE \
	"a table with a record of dirty pages outlives its last device in Linux, and keeps its aperture"
#define TWO_KINDS \
	"what can be mapped and what is nested are two kinds of objects in Linux, one here"

/* Differences that are the kernel's own, each with its reason. */
static const struct explained {
	enum call_kind kind;
	int linux_ret, reference;
	uint32_t traits; /* enum trait: only with those */
	bool ends; /* from here on the two aren't alike */
	const char *reason;
} explained[] = {
	{CALL_DETACH, 0, -ENOENT, 0, false,
	 "Linux takes the detaching of what isn't attached for done"},
	{CALL_MAP, -ENOENT, -EINVAL, TRAIT_NESTED, false, TWO_KINDS},
	{CALL_UNMAP, -ENOENT, -EINVAL, TRAIT_NESTED, false, TWO_KINDS},
	{CALL_COPY, -ENOENT, -EINVAL, TRAIT_NESTED, false, TWO_KINDS},
	{CALL_ALLOW, -ENOENT, -EINVAL, TRAIT_NESTED, false, TWO_KINDS},
	{CALL_COPY, -ENOENT, -EOVERFLOW, TRAIT_NESTED, false, TWO_KINDS},
	{CALL_INFO, 0, 0, TRAIT_TRACKING, true, KEPT_TABLE},
	{CALL_MAP, 0, 0, TRAIT_TRACKING, true, KEPT_TABLE},
	{CALL_MAP, -EINVAL, 0, TRAIT_TRACKING, true, KEPT_TABLE},
	{CALL_COUNT, 0, 0, 0, false, NULL},
};

static uint64_t counts[ARRAY_SIZE(explained)];

enum difference explain_difference(const struct call *c, uint32_t traits, int linux_ret,
				   int reference)
{
	for (size_t i = 0; explained[i].reason; i++) {
		const struct explained *e = &explained[i];

		if (e->kind != c->kind || e->linux_ret != linux_ret || e->reference != reference ||
		    (e->traits & traits) != e->traits)
			continue;
		counts[i]++;
		return e->ends ? DIFFERENCE_ENDS : DIFFERENCE_KNOWN;
	}
	return DIFFERENCE_FOUND;
}

void print_explanations(void)
{
	for (size_t i = 0; explained[i].reason; i++)
		if (counts[i])
			printf("# %" PRIu64 " times: %s: %s\n", counts[i], names[explained[i].kind],
			       explained[i].reason);
}
