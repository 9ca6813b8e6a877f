// SPDX-License-Identifier: GPL-2.0-or-later
/* What a holder tells of a topology that another one is to go on with, whatever it says. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply/takeover.h"
#include "base/json.h"
#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] =
	"version: 1\nname: t\nmemory: [{name: ram, size: 1M}]\ndevices: [{name: a, mock: 0}]\n"
	"fds: [{name: main, ioasids: [{name: gpa, nest_parent: true, pasid: true, "
	"map: [{iova: auto, memory: ram, length: 64K}], attach: [{device: a}]}], "
	"viommus: [{name: v, parent: gpa, device: a, type: mock, events: {depth: 4}, "
	"vdevices: [{device: a, id: 5}]}]}]\n";

static void give_all(struct descriptors *given)
{
	static const char *const names[] = {"fd/main", "fd/main/faults.25", "fd/main/events.42",
					    "memory/ram", "device/a"};

	/* A mock device has no file, so the last one is for a liar only. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (descriptors_add(given, open("/dev/null", O_RDWR | O_CLOEXEC), names[i]))
			abort();
}

static void restore(const json_t *record, bool all)
{
	const struct driver_env env = {.root = "/nowhere"};
	struct ioasidctl_error *err = NULL;
	struct descriptors given = {0};
	struct topology *t = NULL;
	struct engine *engine;
	int ret;

	if (engine_new(&env, &engine, NULL) ||
	    config_parse(config, strlen(config), "config", &t, NULL))
		abort();
	give_all(&given);
	if (!all)
		close(descriptors_take(&given, "device/a"));
	ret = engine_restore(engine, t, record, &given, &err);
	if ((!ret) != (!err) || engine_count(engine) != (ret ? 0 : 1))
		abort(); /* a refusal always says why, and leaves nothing */
	error_free(err);
	engine_leave(engine);
	engine_free(engine);
	descriptors_close(&given);
	/* None may be left open: the next one that is opened says so. */
	ret = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (ret > 200)
		abort();
	close(ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_error_t fault;
	json_t *record;

	if (json_read((const char *)data, size, &record, &fault))
		return 0;
	restore(record, false);
	restore(record, true);
	json_decref(record);
	return 0;
}
