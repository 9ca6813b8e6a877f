// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random sequences of a driver's calls, on Linux's mock IOMMU and on the reference device side by
 * side: every call must come to the same result, and what can be asked afterwards must be the same.
 * A sequence that differs is shrunk to the calls that it takes, and printed. What Linux does for a
 * reason of its own is in `explained`.
 *
 * IOASIDCTL_TEST_DRIVER=iommufd says that there is a mock IOMMU; IOASIDCTL_SEED and
 * IOASIDCTL_SEQUENCES choose the first seed and how many sequences there are. Prints TAP.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "differential.h"
#include "refdev/refdev.h"

#define MEMORY	  (1UL << 20)
#define SHRUNK	  64
#define FOUND_MAX 8 /* differences are enough to look at */
#define NOTHING	  0x7fff0000U /* no object has that number */
#define SETTLED	  INT32_MIN /* a slot's object is there: nothing was called */

static int memory_fd;
static void *memory;

static uint32_t id_of(const struct world *w, uint32_t slot)
{
	return w->slots[slot].used ? w->slots[slot].id : NOTHING;
}

static int alloc_gpa(struct world *w, const struct call *c)
{
	struct ioasid spec;
	int ret;

	if (w->slots[c->slot].used)
		return SETTLED;
	ioasid_init(&spec);
	spec.name = (char *)"gpa";
	spec.flags = c->flags;
	ret = w->ops->ioasid_alloc(w->fd, &spec, NULL, &w->slots[c->slot].id, NULL);
	w->slots[c->slot].used = !ret;
	w->slots[c->slot].nested = w->slots[c->slot].tracking = false;
	w->slots[c->slot].dirty = spec.flags & IOASID_FLAG_DIRTY;
	return ret;
}

static int alloc_nested(struct world *w, const struct call *c)
{
	const struct nesting on = {id_of(w, c->other), NO_INDEX, w->devices[c->device]};
	struct ioasid spec;
	int ret;

	if (w->slots[c->slot].used || !w->slots[c->other].used)
		return SETTLED;
	ioasid_init(&spec);
	spec.name = (char *)"nested";
	spec.kind = IOASID_NESTED;
	spec.parent = 0;
	spec.flags = c->flags & IOASID_FLAG_PASID;
	spec.table = (struct table){.format = TABLE_MOCK, .words = {c->device}, .n_words = 1};
	ret = w->ops->ioasid_alloc(w->fd, &spec, &on, &w->slots[c->slot].id, NULL);
	w->slots[c->slot].used = w->slots[c->slot].nested = !ret;
	w->slots[c->slot].dirty = w->slots[c->slot].tracking = false;
	return ret;
}

static int free_slot(struct world *w, const struct call *c)
{
	int ret = w->ops->ioasid_free(w->fd, id_of(w, c->slot), NULL);

	if (!ret)
		w->slots[c->slot].used = false;
	return ret;
}

static int map(struct world *w, const struct call *c)
{
	uint64_t placed = 0;
	const struct map_args args = {
		.iova = c->iova,
		.length = c->length,
		.access = c->access,
		.fd = memory_fd,
		.offset = c->offset,
		.va = w->wants_va ? (char *)memory + c->offset : NULL,
		.placed = c->anywhere ? &placed : NULL,
	};
	int ret = w->ops->map(w->fd, id_of(w, c->slot), &args, NULL);

	w->answer = ret ? 0 : placed;
	return ret;
}

static int unmap(struct world *w, const struct call *c)
{
	return w->ops->unmap(w->fd, id_of(w, c->slot), c->iova, c->length, NULL);
}

static int copy(struct world *w, const struct call *c)
{
	return w->ops->copy(w->fd, id_of(w, c->slot), c->iova, c->length, c->access,
			    id_of(w, c->other), c->from, NULL);
}

static int allow(struct world *w, const struct call *c)
{
	const struct range ranges[2] = {{c->iova, c->iova + c->length - 1},
					{c->from, c->from + c->length - 1}};

	return w->ops->allow(w->fd, id_of(w, c->slot), ranges, c->count, NULL);
}

static int attach(struct world *w, const struct call *c)
{
	return w->ops->attach(w->fd, w->devices[c->device], id_of(w, c->slot), c->pasid, NULL);
}

static int detach(struct world *w, const struct call *c)
{
	return w->ops->detach(w->fd, w->devices[c->device], c->pasid, NULL);
}

/* Without the flag, the library asks no driver. */
static int dirty_set(struct world *w, const struct call *c)
{
	int ret;

	if (!w->slots[c->slot].used || !w->slots[c->slot].dirty)
		return SETTLED;
	ret = w->ops->dirty_set(w->fd, id_of(w, c->slot), c->on, NULL);
	if (!ret)
		w->slots[c->slot].tracking = c->on;
	return ret;
}

static int dirty_read(struct world *w, const struct call *c)
{
	const struct range range = {c->iova, c->iova + c->length - 1};
	uint64_t bitmap[MEMORY / 2048 / 64] = {0};
	int ret;

	/* Whole pages are the library's business. */
	if (!w->slots[c->slot].used || !w->slots[c->slot].dirty || range.last < range.first ||
	    (c->iova | c->length) & 4095)
		return SETTLED;
	ret = w->ops->dirty_read(w->fd, id_of(w, c->slot), &range, 4096, c->on, bitmap, NULL);

	for (size_t i = 0; i < ARRAY_SIZE(bitmap); i++)
		w->answer = w->answer * 31 + bitmap[i];
	return ret;
}

/* What the kernel says of an IOASID, as one number to compare. */
static int info(struct world *w, const struct call *c)
{
	struct ioasid_info said = {0};
	int ret;

	/* What a guest's own table allows, only the guest knows. */
	if (w->slots[c->slot].used && w->slots[c->slot].nested)
		return SETTLED;
	ret = w->ops->ioasid_info(w->fd, id_of(w, c->slot), &said, NULL);

	for (size_t i = 0; !ret && i < said.n_ranges; i++)
		w->answer = (w->answer * 31 + said.ranges[i].first) * 31 + said.ranges[i].last;
	w->answer = w->answer * 31 + said.alignment;
	ioasid_info_done(&said);
	return ret;
}

static int probe(struct world *w, const struct call *c)
{
	return w->ops->ioasid_probe(w->fd, id_of(w, c->slot));
}

static int open_device(struct world *w, uint32_t i)
{
	char number[4] = {(char)('0' + i), 0};
	const struct device spec = {
		.name = (char *)"mock", .selector = SELECTOR_MOCK, .address = number};
	uint32_t id;
	int ret = w->ops->device_open(&w->env, &spec, &w->devices[i], NULL);

	return ret ? ret : w->ops->device_bind(w->fd, w->devices[i], &id, NULL);
}

static int rebind(struct world *w, const struct call *c)
{
	w->ops->device_close(w->devices[c->device]);
	return open_device(w, c->device);
}

static int (*const calls[CALL_COUNT])(struct world *w, const struct call *c) = {
	[CALL_ALLOC] = alloc_gpa, [CALL_NESTED] = alloc_nested,	  [CALL_FREE] = free_slot,
	[CALL_MAP] = map,	  [CALL_UNMAP] = unmap,		  [CALL_COPY] = copy,
	[CALL_ALLOW] = allow,	  [CALL_ATTACH] = attach,	  [CALL_DETACH] = detach,
	[CALL_DIRTY] = dirty_set, [CALL_READ_DIRTY] = dirty_read, [CALL_INFO] = info,
	[CALL_PROBE] = probe,	  [CALL_REBIND] = rebind,
};

static int begin(struct world *w)
{
	const struct iommu_fd spec = {.name = (char *)"main"};
	const struct memory what = {.backing = BACKING_MEMFD};
	int ret = w->ops->open(&w->env, &spec, &w->fd, NULL);

	memset(w->slots, 0, sizeof(w->slots));
	for (uint32_t i = 0; !ret && i < DEVICES; i++)
		ret = open_device(w, i);
	if (!ret)
		w->wants_va = w->ops->wants_va(w->fd, &what);
	return ret;
}

static void end(struct world *w)
{
	for (size_t i = 0; i < DEVICES; i++)
		if (w->devices[i])
			w->ops->device_close(w->devices[i]);
	if (w->fd)
		w->ops->close(w->fd);
	memset(w->devices, 0, sizeof(w->devices));
	w->fd = NULL;
}

static uint32_t traits(const struct world *w, uint32_t slot)
{
	if (!w->slots[slot].used)
		return 0;
	return (w->slots[slot].nested ? TRAIT_NESTED : 0) |
	       (w->slots[slot].tracking ? TRAIT_TRACKING : 0);
}

static enum difference compare(struct world worlds[2], const struct call *c, size_t which,
			       struct verdict *v)
{
	const uint32_t slots = traits(&worlds[0], c->slot) | traits(&worlds[0], c->other);

	for (size_t i = 0; i < 2; i++) {
		worlds[i].answer = 0;
		v->ret[i] = calls[c->kind](&worlds[i], c);
		v->answer[i] = worlds[i].answer;
	}
	v->which = which;
	if (v->ret[0] == v->ret[1] && v->answer[0] == v->answer[1])
		return DIFFERENCE_NONE;
	return explain_difference(c, slots, v->ret[0], v->ret[1]);
}

/* Runs a sequence on both, up to the first difference that matters, and what can be asked then. */
static enum difference run(struct world worlds[2], const struct call *sequence, size_t n,
			   struct verdict *v)
{
	enum difference d = DIFFERENCE_NONE;

	*v = (struct verdict){0};
	for (size_t i = 0; i < 2; i++)
		if (begin(&worlds[i])) {
			printf("# %s: no mock devices\n", worlds[i].ops->name);
			exit(1);
		}
	for (size_t i = 0; d <= DIFFERENCE_KNOWN && i < n; i++)
		d = compare(worlds, &sequence[i], i, v);
	for (uint32_t slot = 0; d <= DIFFERENCE_KNOWN && slot < SLOTS; slot++)
		d = compare(worlds, &(struct call){.kind = CALL_INFO, .slot = slot}, n, v);
	for (size_t i = 0; i < 2; i++)
		end(&worlds[i]);
	return d;
}

/* Takes away what isn't needed for them to differ. */
static size_t shrink(struct world worlds[2], struct call *sequence, size_t n)
{
	struct call less[SEQUENCE_MAX];
	struct verdict v;
	bool smaller = true;

	for (int round = 0; smaller && round < SHRUNK; round++) {
		smaller = false;
		for (size_t at = n; at-- > 0;) {
			memcpy(less, sequence, at * sizeof(*less));
			memcpy(less + at, sequence + at + 1, (n - at - 1) * sizeof(*less));
			if (run(worlds, less, n - 1, &v) != DIFFERENCE_FOUND)
				continue;
			memcpy(sequence, less, --n * sizeof(*less));
			smaller = true;
		}
	}
	return n;
}

static void tell(struct world worlds[2], uint64_t seed, struct call *sequence, size_t n)
{
	struct verdict v;

	n = shrink(worlds, sequence, n);
	run(worlds, sequence, n, &v);
	printf("# seed %" PRIu64 ": %s and %s differ:\n", seed, worlds[0].ops->name,
	       worlds[1].ops->name);
	for (size_t i = 0; i < n; i++)
		print_call(&sequence[i]);
	printf("#   call %zu: %s says %s (0x%" PRIx64 "), %s says %s (0x%" PRIx64 ")\n",
	       v.which + 1, worlds[0].ops->name, v.ret[0] ? strerrorname_np(-v.ret[0]) : "0",
	       v.answer[0], worlds[1].ops->name, v.ret[1] ? strerrorname_np(-v.ret[1]) : "0",
	       v.answer[1]);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

int main(void)
{
	const uint64_t seed = from_environment("IOASIDCTL_SEED", 1),
		       n = from_environment("IOASIDCTL_SEQUENCES", 300);
	const char *driver = getenv("IOASIDCTL_TEST_DRIVER");
	struct world worlds[2] = {{.ops = &driver_iommufd, .env = {.root = ""}},
				  {.ops = &driver_ioasid, .env = {.root = ""}}};
	uint64_t outcomes[DIFFERENCE_FOUND + 1] = {0};
	struct refdev *refdev;
	char *why;

	printf("1..1\n");
	if (!driver || strcmp(driver, "iommufd")) {
		puts("ok 1 - differential # SKIP no mock IOMMU here");
		return 0;
	}
	memory_fd = memfd_create("memory", MFD_CLOEXEC);
	if (memory_fd < 0 || ftruncate(memory_fd, MEMORY) || refdev_new(NULL, 0, &refdev, &why))
		return 1;
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	worlds[1].env.refdev = refdev;
	for (uint64_t i = 0; i < n && outcomes[DIFFERENCE_FOUND] < FOUND_MAX; i++) {
		struct call sequence[SEQUENCE_MAX];
		const size_t length = make_sequence(seed + i, sequence);
		struct verdict v;
		const enum difference d = run(worlds, sequence, length, &v);

		outcomes[d]++;
		if (d == DIFFERENCE_FOUND)
			tell(worlds, seed + i, sequence, length);
	}
	print_explanations();
	printf("%s 1 - differential: %" PRIu64 " sequences from seed %" PRIu64 ": %" PRIu64
	       " agree, %" PRIu64 " up to an explained difference, %" PRIu64 " differ\n",
	       outcomes[DIFFERENCE_FOUND] ? "not ok" : "ok", n, seed,
	       outcomes[DIFFERENCE_NONE] + outcomes[DIFFERENCE_KNOWN], outcomes[DIFFERENCE_ENDS],
	       outcomes[DIFFERENCE_FOUND]);
	refdev_free(refdev);
	return outcomes[DIFFERENCE_FOUND] != 0;
}
