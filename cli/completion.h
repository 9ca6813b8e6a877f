/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion scripts, from the tables of verbs and options. */
#pragma once

#include <stdio.h>

#include "verb.h"

void completion_print(FILE *out, enum shell shell);
