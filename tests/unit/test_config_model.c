// SPDX-License-Identifier: GPL-2.0-or-later
/* What a config means, field by field, and that writing it back loses nothing. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "support_config.h"

#define HEAD "version: 1\nname: vm0\n"

static struct topology *parse(const char *text)
{
	return config_must_parse(text, strlen(text), "test.yaml");
}

static void defaults(void **state)
{
	struct topology *t = parse(HEAD "memory: [{name: ram, size: 64K}]\n"
					"devices: [{name: nic0, pci: \"0A:1f.7\"}]\n"
					"fds:\n"
					"  - name: main\n"
					"    ioasids: [{name: gpa}]\n");
	const struct memory *m = t->memories;
	const struct device *d = t->devices;
	const struct ioasid *i = t->fds->ioasids;

	(void)state;
	assert_string_equal(t->name, "vm0");
	assert_string_equal(t->file, "test.yaml");
	assert_null(t->owner_user);
	assert_string_equal(m->name, "ram");
	assert_int_equal(m->backing, BACKING_MEMFD);
	assert_int_equal(m->size, 65536);
	assert_int_equal(m->page_size, 0);
	assert_null(m->path);
	assert_int_equal(m->device, NO_INDEX);
	assert_false(m->prefault);
	assert_int_equal(m->numa_node, NO_NODE);
	assert_int_equal(m->live.fd, -1);
	assert_int_equal(m->prev, NO_INDEX);
	assert_int_equal(m->at.line, 3);
	assert_int_equal(m->at.column, 10);
	assert_int_equal(d->selector, SELECTOR_PCI);
	assert_string_equal(d->address, "0000:0a:1f.7");
	assert_null(d->driver);
	assert_int_equal(d->group, GROUP_STRICT);
	assert_int_equal(d->fd, 0);
	assert_false(d->bound);
	assert_int_equal(t->fds->driver, DRIVER_AUTO);
	assert_int_equal(t->fds->accounting, ACCOUNTING_DEFAULT);
	assert_null(t->fds->node);
	assert_int_equal(i->kind, IOASID_GPA);
	assert_int_equal(i->flags, 0);
	assert_int_equal(i->parent, NO_INDEX);
	assert_int_equal(i->viommu, NO_INDEX);
	assert_int_equal(i->table.format, TABLE_NONE);
	assert_int_equal(i->n_allow + i->n_maps + i->n_attach, 0);
	topology_free(t);
}

static void mappings_are_sorted(void **state)
{
	struct topology *t =
		parse(HEAD "memory: [{name: ram, size: 1G}]\n"
			   "fds:\n"
			   "  - name: main\n"
			   "    ioasids:\n"
			   "      - name: gpa\n"
			   "        allow: [{first: 1G, last: 3G}, {first: 0, last: 4095}]\n"
			   "        map:\n"
			   "          - {iova: 2G, memory: ram, length: 4K, access: w}\n"
			   "          - {iova: 0x0, memory: ram, offset: 1M, length: 4K}\n"
			   "          - {iova: auto, memory: ram, length: 8K}\n"
			   "          - {iova: 1G, memory: ram, length: 4K, access: r}\n");
	const struct ioasid *i = t->fds->ioasids;

	(void)state;
	assert_int_equal(i->n_allow, 2);
	assert_int_equal(i->allow[0].first, 0);
	assert_int_equal(i->allow[0].last, 4095);
	assert_int_equal(i->allow[1].first, 1U << 30);
	assert_int_equal(i->n_maps, 4);
	assert_true(i->maps[0].auto_iova);
	assert_int_equal(i->maps[0].iova, 0);
	assert_int_equal(i->maps[0].length, 8192);
	assert_false(i->maps[1].auto_iova);
	assert_int_equal(i->maps[1].iova, 0);
	assert_int_equal(i->maps[1].offset, 1U << 20);
	assert_int_equal(i->maps[1].access, ACCESS_RW);
	assert_int_equal(i->maps[1].at.line, 11);
	assert_int_equal(i->maps[2].iova, 1U << 30);
	assert_int_equal(i->maps[2].access, ACCESS_READ);
	assert_int_equal(i->maps[3].iova, 2ULL << 30);
	assert_int_equal(i->maps[3].access, ACCESS_WRITE);
	for (size_t k = 0; k < i->n_maps; k++) {
		assert_int_equal(i->maps[k].memory, 0);
		assert_int_equal(i->maps[k].source, NO_INDEX);
	}
	topology_free(t);
}

static void everything(void **state)
{
	size_t length;
	char *text = config_read("tests/config/valid/everything.yaml", &length);
	struct topology *t = config_must_parse(text, length, "everything.yaml");
	const struct iommu_fd *main_fd = t->fds;
	const struct ioasid *gpa = &main_fd->ioasids[0], *giova = &main_fd->ioasids[1];
	const struct ioasid *s1 = &main_fd->ioasids[2];
	const struct viommu *smmu0 = main_fd->viommus;

	(void)state;
	assert_string_equal(t->owner_user, "libvirt-qemu");
	assert_int_equal(t->memories[0].page_size, 2U << 20);
	assert_true(t->memories[0].prefault);
	assert_int_equal(t->memories[0].numa_node, 0);
	assert_string_equal(t->memories[1].path, "/dev/shm/disk: one #1");
	assert_int_equal(t->memories[2].backing, BACKING_DMABUF);
	assert_int_equal(t->memories[2].device, topology_find_device(t, "gpu0"));
	assert_string_equal(t->devices[3].address, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
	assert_string_equal(t->devices[7].address, "3");
	assert_string_equal(t->devices[5].vdpa.management, "pci/0000:01:00.0");
	assert_true(t->devices[5].vdpa.has_mac && !t->devices[6].vdpa.has_mac);
	assert_memory_equal(t->devices[5].vdpa.mac, "\x52\x54\x00\x12\x34\x56", 6);
	assert_int_equal(t->devices[5].vdpa.mtu, 1400);
	assert_int_equal(t->devices[5].vdpa.max_queue_pairs, 2);
	assert_null(t->devices[6].vdpa.management);
	assert_int_equal(t->fds[1].ioasids[0].attach[1].vq_group, NO_INDEX);
	assert_int_equal(t->fds[1].ioasids[0].attach[2].vq_group, 0);
	assert_int_equal(t->fds[1].ioasids[0].attach[3].vq_group, 65535);
	assert_true(t->devices[1].force && !t->devices[0].force);
	assert_int_equal(t->devices[8].selector, SELECTOR_VF);
	assert_string_equal(t->devices[8].address, "0000:0c:00.0/virtfn3");
	assert_int_equal(t->devices[8].vf_of, 9);
	assert_int_equal(t->devices[8].vf_index, 3);
	assert_int_equal(t->devices[8].vfs, NO_INDEX);
	assert_false(t->devices[8].host_only);
	assert_int_equal(t->devices[9].vfs, 4);
	assert_int_equal(t->devices[9].vf_of, NO_INDEX);
	assert_true(t->devices[9].host_only);
	assert_true(t->devices[0].bound && t->devices[1].bound && t->devices[7].bound);
	assert_false(t->devices[2].bound);
	assert_int_equal(t->devices[7].fd, topology_find_fd(t, "second"));
	assert_string_equal(main_fd->node, "/dev/iommu");
	assert_int_equal(main_fd->accounting, ACCOUNTING_USER);
	assert_int_equal(gpa->flags, IOASID_FLAG_NEST_PARENT | IOASID_FLAG_DIRTY |
					     IOASID_FLAG_PASID | IOASID_FLAG_NO_HUGE |
					     IOASID_FLAG_ENFORCE_SNOOP);
	assert_true(giova->flags & IOASID_FLAG_FAULT_QUEUE);
	assert_int_equal(giova->maps[2].source, 0);
	assert_int_equal(giova->maps[2].memory, NO_INDEX);
	assert_int_equal(giova->maps[2].access, ACCESS_RW);
	assert_int_equal(giova->maps[3].offset, 0xc0000000);
	assert_int_equal(giova->maps[3].access, ACCESS_READ); /* inherited */
	assert_int_equal(giova->maps[4].access, ACCESS_READ); /* narrowed */
	assert_int_equal(s1->kind, IOASID_NESTED);
	assert_int_equal(s1->parent, 0);
	assert_int_equal(s1->viommu, 0);
	assert_int_equal(s1->table.format, TABLE_ARM_SMMUV3);
	assert_int_equal(s1->table.n_words, 2);
	assert_int_equal(s1->table.words[0], 0xb);
	assert_int_equal(s1->table.words[1], UINT64_MAX);
	assert_int_equal(s1->attach[0].pasid, NO_PASID);
	assert_int_equal(s1->attach[1].pasid, 5);
	assert_int_equal(smmu0->events_depth, 128);
	assert_int_equal(smmu0->vdevices[1].device, 1);
	assert_int_equal(smmu0->vdevices[1].id, 0x20);
	topology_free(t);
	free(text);
}

/* A device that nothing binds goes with the fd that maps its BAR. */
static void bar_only_device(void **state)
{
	struct topology *t =
		parse(HEAD "memory: [{name: bar, size: 4K, backing: dmabuf, device: gpu0, "
			   "bar: 1}]\n"
			   "devices: [{name: gpu0, pci: \"01:00.0\"}]\n"
			   "fds:\n"
			   "  - {name: a}\n"
			   "  - {name: b, ioasids: [{name: gpa, map: [{iova: 0, memory: "
			   "bar, length: 4K}]}]}\n");

	(void)state;
	assert_int_equal(t->devices[0].fd, 1);
	assert_true(t->devices[0].bound);
	topology_free(t);
}

/* A small generator of configs: everything it makes is valid. */
struct generator {
	uint64_t seed;
	FILE *out;
};

static uint64_t draw(struct generator *g, uint64_t below)
{
	g->seed ^= g->seed << 13;
	g->seed ^= g->seed >> 7;
	g->seed ^= g->seed << 17;
	return g->seed % below;
}

static bool chance(struct generator *g)
{
	return draw(g, 2);
}

static void put_number(struct generator *g, uint64_t value)
{
	switch (draw(g, 4)) {
	case 0:
		fprintf(g->out, "%" PRIu64, value);
		break;
	case 1:
		fprintf(g->out, "\"0x%" PRIx64 "\"", value);
		break;
	case 2:
		if (!(value & 1023)) {
			fprintf(g->out, "%" PRIu64 "K", value >> 10);
			break;
		}
		__attribute__((fallthrough));
	default:
		fprintf(g->out, "0x%" PRIX64, value);
	}
}

static void put_maps(struct generator *g, bool copies)
{
	static const char *const access[] = {"r", "w", "rw"};
	size_t n = draw(g, 12), skip = draw(g, n + 1);

	/* Downwards, so that they have to be sorted. */
	for (size_t i = n; i-- > 0;) {
		fputs("          - {iova: ", g->out);
		if (!copies && i == skip)
			fputs("auto", g->out);
		else
			put_number(g, (i << 32) + (draw(g, 1 << 10) << 11));
		fputs(copies ? ", copy: gpa, from: 1T, length: 1M" : ", memory: ram, length: ",
		      g->out);
		if (!copies)
			put_number(g, 1 + draw(g, 1 << 20));
		if (!copies && chance(g)) {
			fputs(", offset: ", g->out);
			put_number(g, draw(g, 1 << 20));
		}
		if (chance(g))
			fprintf(g->out, ", access: %s", access[draw(g, 3)]);
		fputs("}\n", g->out);
	}
}

static void put_config(struct generator *g)
{
	static const char *const tables[] = {
		"format: mock, iotlb: 0x10", "format: vtd-s1, address: 64K, address_width: 57",
		"format: amd-guest, dte: [1, 0x2, \"3\", 4K]", "format: x86-64, address: 0xfff000"};

	fputs(HEAD "memory: [{name: ram, size: 2M}]\n"
		   "devices: [{name: a, mock: 1}, {name: b, vdpa: 1e5}]\nfds:\n",
	      g->out);
	for (int i = 0; i < 2; i++) {
		fprintf(g->out, "  - name: fd%d\n    ioasids:\n      - name: gpa\n", i);
		fprintf(g->out, "        nest_parent: true\n        huge_pages: %s\n        map:\n",
			chance(g) ? "true" : "false");
		put_maps(g, false);
		fputs("          - {iova: 1T, memory: ram, length: 1M}\n", g->out);
		fputs("      - name: copies\n        map:\n", g->out);
		put_maps(g, true);
		fputs("          - {iova: 2T, copy: gpa, from: 1T, length: 1M}\n", g->out);
		fprintf(g->out,
			"      - {name: n, kind: nested, parent: gpa, table: {%s}, attach: [",
			tables[draw(g, 4)]);
		fprintf(g->out, "{device: %s}%s]}\n", i ? "a" : "b",
			chance(g) ? i ? ", {device: a, pasid: 7}" : ", {device: b, pasid: 0x7}"
				  : "");
	}
}

static void written_configs_mean_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct generator g = {.seed = seed * 0x9e3779b97f4a7c15};
		struct ioasidctl_error *err = NULL;
		struct topology *a, *b;
		char *text = NULL, *out = NULL;
		size_t size, length;

		g.out = open_memstream(&text, &size);
		put_config(&g);
		fclose(g.out);
		a = config_must_parse(text, size, "generated");
		assert_int_equal(config_write(a, &out, &length, &err), 0);
		b = config_must_parse(out, length, "written");
		config_assert_same(a, b);
		topology_free(a);
		topology_free(b);
		free(text);
		free(out);
	}
}

/* As many objects as one would ever declare: nothing in here may grow with the square of it. */
static void hundred_thousand_mappings(void **state)
{
	struct topology *t;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	fputs(HEAD "memory: [{name: ram, size: 1T}]\nfds:\n  - name: main\n    ioasids:\n"
		   "      - name: gpa\n        map:\n",
	      out);
	for (unsigned i = 100000; i-- > 0;)
		fprintf(out, "          - {iova: 0x%x000, memory: ram, offset: %uK, length: 4K}\n",
			i, i * 4);
	fclose(out);
	t = config_must_parse(text, size, "large");
	assert_int_equal(t->fds->ioasids->n_maps, 100000);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(t->fds->ioasids->maps[i].iova, i << 12);
	topology_free(t);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(mappings_are_sorted),
		cmocka_unit_test(everything),
		cmocka_unit_test(bar_only_device),
		cmocka_unit_test(written_configs_mean_the_same),
		cmocka_unit_test(hundred_thousand_mappings),
	};

	return cmocka_run_group_tests_name("config_model", tests, NULL, NULL);
}
