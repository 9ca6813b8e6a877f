// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/machine.h"

int world_new(const char *root, const char *machine, struct world **out,
	      struct ioasidctl_error **err)
{
	_cleanup_world_ struct world *world = calloc(1, sizeof(*world));
	_cleanup_free_ char *why = NULL;
	struct driver_env env = {.root = root ? root : ""};
	int ret;

	if (world && machine)
		world->machine = strdup(machine);
	if (!world || (machine && !world->machine))
		return error_nomem(err);
	ret = machine_open(machine, machine ? strlen(machine) : 0, &world->refdev, &why);
	if (ret == -ENOMEM)
		return error_nomem(err);
	if (ret)
		return error_new(err, ERROR_CONFIG, -ret, "machine description: %s",
				 why ? why : strerror(-ret));
	env.refdev = world->refdev;
	ret = engine_new(&env, &world->engine, err);
	if (!ret)
		*out = steal_pointer(world);
	return ret;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	engine_free(world->engine);
	refdev_free(world->refdev);
	free(world->machine);
	free(world);
}

void world_freep(struct world **world)
{
	world_free(*world);
}

bool world_has_machine(const struct world *world, const char *machine)
{
	const char *own = world->machine ? world->machine : refdev_default_machine;
	json_t *a, *b;
	bool same;

	if (!strcmp(own, machine))
		return true;
	a = json_loads(own, JSON_REJECT_DUPLICATES, NULL);
	b = json_loads(machine, JSON_REJECT_DUPLICATES, NULL);
	same = a && b && json_equal(a, b);
	json_decref(a);
	json_decref(b);
	return same;
}
