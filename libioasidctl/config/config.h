/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YAML (or JSON, by the same parser) -> desired topology, and back. */
#pragma once

#include <stddef.h>

#include "base/error.h"
#include "model/topology.h"

/* Limits against hostile files. */
#define CONFIG_MAX_BYTES  (64U << 20)
#define CONFIG_MAX_DEPTH  32
#define CONFIG_MAX_NODES  (8U << 20) /* aliases count each time they are used */
#define CONFIG_MAX_ERRORS 100

/*
 * Parses and checks a config. `name` is for messages ("vm0.yaml", "-"). On success *out is owned by
 * the caller. On failure -EINVAL (or -ENOMEM, -E2BIG) and *err is a chain of all faults found, in
 * the order of their positions. Source: DESIGN of the grammar in ioasidctl.yaml(5).
 */
int config_parse(const char *text, size_t length, const char *name, struct topology **out,
		 struct ioasidctl_error **err);

/*
 * Gives the errors of a chain that have a place in this file, but were found without its text, the
 * line to show.
 */
void config_cite(const char *text, size_t length, const char *name, struct ioasidctl_error *err);

/*
 * Reads at most CONFIG_MAX_BYTES of a file ("-": standard input). *text is owned, NUL-terminated.
 * -errno of open(2) and read(2) (ERROR_PERMISSION for EACCES and EPERM, else ERROR_CONFIG), or
 * -E2BIG.
 */
int config_read_file(const char *path, char **text, size_t *length, struct ioasidctl_error **err);

/*
 * A config that applies to this state, as YAML, NUL-terminated; what has its default is left out.
 * *text is owned, *length without the NUL. -ENOMEM.
 */
int config_write(const struct topology *t, char **text, size_t *length,
		 struct ioasidctl_error **err);
