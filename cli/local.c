// SPDX-License-Identifier: GPL-2.0-or-later
#include "local.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "output.h"
#include "report/machine.h"

enum driver_choice driver_asked(const struct invocation *in)
{
	if (!(in->given & OPTION(DRIVER)) && in->machine)
		return DRIVER_IOASID;
	return (enum driver_choice)in->driver;
}

/* *text is NULL where the default machine is meant. */
static int read_machine(const struct invocation *in, char **text, size_t *length,
			struct refdev **refdev, struct ioasidctl_error **err)
{
	_cleanup_free_ char *why = NULL;
	int ret;

	*text = NULL;
	*length = 0;
	ret = in->machine ? config_read_file(in->machine, text, length, err) : 0;
	if (ret)
		return ret;
	ret = machine_open(*text, *length, refdev, &why);
	if (!ret)
		return 0;
	error_new(err, ret == -ENOMEM ? ERROR_MEMORY : ERROR_CONFIG, -ret,
		  "the machine description makes no reference device: %s",
		  why ? why : strerror(-ret));
	if (in->machine)
		error_position(err, in->machine, 0, 0);
	free(*text);
	*text = NULL;
	return ret;
}

int machine_text(const struct invocation *in, char **text, size_t *length,
		 struct ioasidctl_error **err)
{
	struct refdev *refdev = NULL;
	int ret;

	*text = NULL;
	*length = 0;
	if (!in->machine)
		return 0;
	ret = read_machine(in, text, length, &refdev, err);
	refdev_free(refdev);
	return ret;
}

int environment_make(const struct invocation *in, struct environment *out,
		     struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int ret = read_machine(in, &text, &length, &out->refdev, err);

	if (ret)
		return ret;
	out->env = (struct driver_env){
		.root = "", .refdev = out->refdev, .trace = in->verbose ? print_action : NULL};
	return 0;
}

void environment_done(struct environment *e)
{
	refdev_free(e->refdev);
}

/* On failure `desired` is freed. */
static int make_engine(const struct invocation *in, struct environment *world,
		       struct topology *desired, struct engine **engine,
		       struct ioasidctl_error **err)
{
	int ret = environment_make(in, world, err);

	if (!ret)
		ret = engine_new(&world->env, engine, err);
	if (ret)
		topology_free(desired);
	return ret;
}

int local_plan(const struct invocation *in, struct topology *desired, json_t **result,
	       struct ioasidctl_error **err)
{
	_cleanup_environment_ struct environment world = {0};
	const struct transaction how = {
		.driver = driver_asked(in),
		.dry_run = true,
		.may_wait = true,
		.list = true,
		.trace = in->verbose ? print_action : NULL,
	};
	struct engine *engine;
	int ret = make_engine(in, &world, desired, &engine, err);

	if (ret)
		return ret;
	ret = engine_apply(engine, desired, &how, result, err);
	engine_free(engine);
	return ret;
}

int local_rehearse(const struct invocation *in, struct topology *desired,
		   struct ioasidctl_error **err)
{
	_cleanup_environment_ struct environment world = {0};
	const struct transaction how = {.trace = in->verbose ? print_action : NULL};
	struct engine *engine;
	int ret = make_engine(in, &world, desired, &engine, err);

	if (ret)
		return ret;
	ret = engine_rehearse(engine, desired, &how, err);
	engine_free(engine);
	return ret;
}
