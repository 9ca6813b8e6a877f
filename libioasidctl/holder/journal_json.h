/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A journal entry as text. */
#pragma once

#include <stddef.h>

#include "holder/journal.h"

/* Owned; NULL: out of memory. */
char *journal_entry_text(const struct journal_entry *entry);
/* 0; -ENOMEM; -EINVAL with *why, owned. */
int journal_entry_parse(const char *text, size_t length, struct journal_entry *out, char **why);
