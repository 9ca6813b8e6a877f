/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine over the fake driver, and what tests of transactions do with it. */
#pragma once

#include "apply/engine.h"

struct fixture {
	struct engine *engine;
	struct ioasidctl_error *err;
	json_t *result;
};

/* CMocka fixtures. Devices: 01 and 04 (nic) in group 1; 02 (no driver) and 03 (vfio-pci) alone. */
int engine_set_up(void **state);
int engine_tear_down(void **state);

/* The outcome is in f->result and f->err. */
int apply_with(struct fixture *f, const char *yaml, struct transaction how);
int apply(struct fixture *f, const char *yaml);
int delete_topology(struct fixture *f);

void assert_applies(struct fixture *f, const char *yaml);
void assert_changed(struct fixture *f, bool changed);
long long count_of(struct fixture *f, const char *action);

/*
 * Applies `from`, then fails `to` at each call in turn: nothing may differ afterwards. How many
 * calls failed.
 */
int fail_in_turn(struct fixture *f, const char *from, const char *to);

/*
 * The same with each call of undoing failing in turn besides. Whatever that left, the
 * topology can be deleted, and then nothing but host drivers is left of it. How many such pairs of
 * failures there were.
 */
int fail_undo_in_turn(struct fixture *f, const char *from, const char *to);
