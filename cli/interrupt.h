/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C while the holder works for us. */
#pragma once

#include "verb.h"

/*
 * From now on a SIGINT, SIGTERM or SIGHUP says that the holder undoes what it has begun, then ends
 * the process as the signal does: the closing of the connection is what tells the holder.
 */
void interrupt_explain(const struct invocation *in);
void interrupt_forget(void);

/*
 * For a process that holds topologies: what a call reports by its error anyhow (nobody reads a log
 * any more, memory above `ulimit -f`) kills it no longer.
 */
void interrupt_only_from_outside(void);
