/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine inside this process, for verbs that need no holder. */
#pragma once

#include <jansson.h>

#include "apply/engine.h"
#include "config/config.h"
#include "refdev/refdev.h"
#include "verb.h"

/* The world the drivers work in: this machine, and the reference device. Zero it first. */
struct environment {
	struct driver_env env;
	struct refdev *refdev;
};

int environment_make(const struct invocation *in, struct environment *out,
		     struct ioasidctl_error **err);
void environment_done(struct environment *e);
#define _cleanup_environment_ __attribute__((cleanup(environment_done)))

/* The driver asked for on the command line: --machine means the reference device. */
enum driver_choice driver_asked(const struct invocation *in);

/* The machine description of --machine as text; NULL without the option. Owned. */
int machine_text(const struct invocation *in, char **text, size_t *length,
		 struct ioasidctl_error **err);

/*
 * Plans `desired` (taken over) on an engine of this process that holds nothing; nothing is
 * changed. *result as of engine_apply(), with the operations.
 */
int local_plan(const struct invocation *in, struct topology *desired, json_t **result,
	       struct ioasidctl_error **err);

/* Tries `desired` (taken over) on the machine of --machine, as engine_rehearse() does. */
int local_rehearse(const struct invocation *in, struct topology *desired,
		   struct ioasidctl_error **err);
