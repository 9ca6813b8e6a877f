/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What plan and apply have in common. */
#pragma once

#include <jansson.h>

#include "verb.h"

/*
 * Plans the file: in the holder if one listens, since what lives is known there, else against
 * nothing, in this process. *result is a new reference.
 */
int plan_file(const struct invocation *in, const char *file, json_t **result,
	      struct ioasidctl_error **err);
