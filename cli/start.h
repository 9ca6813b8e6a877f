/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a holder where none runs. */
#pragma once

#include "verb.h"

/*
 * Starts `ioasidctl daemon --exit-idle` on that socket, detached from this session, and waits
 * until it listens. When it can't, its own errors come back. -EADDRINUSE: another one was faster.
 */
int start_holder(const struct invocation *in, const char *socket, struct ioasidctl_error **err);

/* The daemon's side: tells on the descriptor of --ready-fd why nothing will ever listen. */
void start_report_failure(int ready_fd, const struct ioasidctl_error *err);
