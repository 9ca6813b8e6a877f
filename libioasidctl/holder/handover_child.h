/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where descriptors go in a program that gets them. */
#pragma once

#define HANDOVER_FIRST 3 /* as sd_listen_fds(3) has it */
