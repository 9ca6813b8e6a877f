// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "host/device.h"
#include "output.h"
#include "report/explain.h"

#define UUID_LENGTH 36

/* "pci:0000:01:00.0", "mdev:UUID"...; without a selector a PCI address or a UUID. */
static enum selector selector_of(const char **word)
{
	size_t length = strcspn(*word, ":");

	for (int i = 0; selector_names[i]; i++)
		if (strlen(selector_names[i]) == length && (*word)[length] == ':' &&
		    !strncmp(selector_names[i], *word, length)) {
			*word += length + 1;
			return (enum selector)i;
		}
	return strlen(*word) == UUID_LENGTH && (*word)[8] == '-' ? SELECTOR_MDEV : SELECTOR_PCI;
}

static int parse_device(struct arena *arena, const char *argument, struct explain_device *out,
			struct ioasidctl_error **err)
{
	const char *word = argument;
	enum selector selector = selector_of(&word);
	bool short_pci = selector == SELECTOR_PCI && strlen(word) == strlen("01:00.0");
	char *address = arena_printf(arena, "%s%s", short_pci ? "0000:" : "", word);
	int ret;

	if (!address)
		return error_nomem(err);
	for (char *p = address; *p && (selector == SELECTOR_PCI || selector == SELECTOR_MDEV); p++)
		*p = (char)tolower((unsigned char)*p);
	*out = (struct explain_device){selector, address};
	if (host_address_valid(selector, address))
		return 0;
	ret = error_new(err, ERROR_USAGE, EINVAL, "\"%s\" names no device", argument);
	error_hint(err, "a PCI address, 0000:01:00.0, or another kind of device with its selector: "
			"mdev:UUID, platform:NAME, vdpa:NAME, vf:0000:01:00.0/virtfn3");
	return ret;
}

static int parse_memory(const struct invocation *in, uint64_t *out, struct ioasidctl_error **err)
{
	int ret;

	*out = 0;
	if (!in->memory || !number_parse(in->memory, out))
		return 0;
	ret = error_new(err, ERROR_USAGE, EINVAL, "--memory takes a size such as 4G, not \"%s\"",
			in->memory);
	return ret;
}

static const struct {
	const char *word;
	enum paint paint;
} states[] = {
	[FINDING_FINE] = {"ok", PAINT_ADD},
	[FINDING_UNSEEN] = {"unseen", PAINT_DIM},
	[FINDING_CONFIG] = {"needs", PAINT_CHANGE},
	[FINDING_OBSTACLE] = {"no", PAINT_BAD},
};

static void print_finding(const struct finding *f)
{
	size_t state = 0;

	while (finding_state_names[state] && strcmp(finding_state_names[state], f->state))
		state++;
	printf("  %s%-6s%s ", paint(stdout, states[state].paint), states[state].word,
	       paint(stdout, PAINT_NONE));
	print_safely(stdout, f->text);
	if (f->remedy) {
		fputs("\n         -> ", stdout);
		print_safely(stdout, f->remedy);
	}
	putchar('\n');
}

static void print_findings(const struct finding *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_finding(&list[i]);
}

static const char *verdict_text(const char *verdict)
{
	static const char *const texts[] = {"yes, as it is", "not as it is, but by a config", "no"};

	for (size_t i = 0; explain_verdict_names[i]; i++)
		if (!strcmp(explain_verdict_names[i], verdict))
			return texts[i];
	return verdict;
}

static void print_device(const struct explained_device *d)
{
	printf("%sdevice %s ", paint(stdout, PAINT_STRONG), d->selector);
	print_safely(stdout, d->address);
	printf("%s: %s\n", paint(stdout, PAINT_NONE), verdict_text(d->verdict));
	print_findings(d->findings, d->n_findings);
	if (d->entry) {
		fputs("  entry  ", stdout);
		print_safely(stdout, d->entry);
		putchar('\n');
	}
}

static void print_explanation(const struct explanation *e)
{
	printf("%sthis machine%s\n", paint(stdout, PAINT_STRONG), paint(stdout, PAINT_NONE));
	print_findings(e->machine, e->n_machine);
	for (size_t i = 0; i < e->n_devices; i++)
		print_device(&e->devices[i]);
	if (e->n_devices > 1) {
		printf("%stogether%s: one fd and one IOASID can%s have them all\n",
		       paint(stdout, PAINT_STRONG), paint(stdout, PAINT_NONE),
		       e->one_ioasid == 1 ? "" : "'t");
		print_findings(e->together, e->n_together);
	}
	for (size_t i = 0; i < e->n_unseen; i++) {
		fputs("couldn't see ", stdout);
		print_safely(stdout, e->unseen[i]);
		putchar('\n');
	}
}

static int answer(const struct invocation *in, struct ioasidctl_error **err)
{
	_cleanup_arena_ struct arena arena = {0};
	_cleanup_explanation_ struct explanation e = {0};
	_cleanup_host_ struct host host = {0};
	const char *root = in->root ? in->root : "";
	struct explain_device *devices =
		arena_alloc_array(&arena, in->n_arguments, sizeof(*devices));
	uint64_t memory;
	int ret = devices ? parse_memory(in, &memory, err) : error_nomem(err);

	for (size_t i = 0; !ret && i < in->n_arguments; i++)
		ret = parse_device(&arena, in->arguments[i], &devices[i], err);
	if (!ret)
		ret = host_read(root, &host, err);
	if (ret)
		return ret;
	if (host_explain(root, &host, devices, in->n_arguments, memory, &e))
		return error_nomem(err);
	if (!in->json)
		print_explanation(&e);
	else if (print_json(in, report_explanation(&e)))
		return -ENOMEM;
	return strcmp(e.verdict, "yes") ? 1 : 0;
}

static int run(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	int ret = answer(in, &err);

	return err ? print_errors(in, err) : ret ? 1 : 0;
}

const struct verb verb_explain = {
	.name = "explain",
	.synopsis = "DEVICE...",
	.help = "Say whether devices can be had, and what it would take",
	.text = "Asks beforehand what apply would find out: whether each DEVICE can be opened and "
		"bound as it is, and if not, what is in the way and what to do about it; and "
		"whether all of them can share one fd and one IOASID. It changes nothing and needs "
		"no root; what an ordinary user can't see is named.\n\n"
		"A DEVICE is a PCI address, with or without its domain, or another kind of device "
		"with its selector: mdev:UUID, platform:NAME, vdpa:NAME, vf:0000:01:00.0/virtfn3. "
		"What a check found is \"ok\"; \"needs\", where a key of a config deals with it (an "
		"entry with all of them is printed); \"no\", where somebody has to do something "
		"first; or \"unseen\".\n\n"
		"With --memory it is also asked whether so much can be pinned. --root looks at a "
		"tree that was captured on another host by collect-host.\n\n"
		"The exit status is 0 if the answer is yes: all of them, as they are, in one IOASID; "
		"1 if it is no.",
	.options = OPTION(MEMORY) | OPTION(ROOT),
	.min_arguments = 1,
	.max_arguments = SIZE_MAX,
	.run = run,
};
