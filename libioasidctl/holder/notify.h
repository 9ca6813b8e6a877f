/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Telling a service manager how we are: the protocol of sd_notify(3). */
#pragma once

/* Sends e.g. "READY=1" to $NOTIFY_SOCKET; nothing where it isn't set, for nobody asked. */
void notify_manager(const char *state);
