/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the actions: the words of one, and what they lead to. */
#pragma once

#include "actions.h"
#include "apply/live.h"
#include "hardware.h"

#define WORDS_MAX 8

struct act {
	struct scene *scene;
	const char *text;
	struct topology *topology;
	const char *words[WORDS_MAX];
	size_t n;
	FILE *out;
	struct ioasidctl_error **err;
};

/* The case is wrong, not what it tests. */
void act_nonsense(const struct act *a) __attribute__((noreturn));

/* Of words[i]. */
uint64_t act_number(const struct act *a, size_t i);
const struct memory *act_memory(const struct act *a, size_t i);
struct device *act_device(const struct act *a, size_t i);
struct live_target act_target(const struct act *a, size_t i);
struct live_call act_live(const struct act *a, size_t i);
/* A device with the PASID of words[pasid], if there are so many words; 0: never. */
struct agent act_agent(const struct act *a, size_t i, size_t pasid);

int try_map(struct act *a);
int try_place(struct act *a);
int try_unmap(struct act *a);
int try_copy(struct act *a);
int try_allow(struct act *a);
int try_free(struct act *a);
int try_probe(struct act *a);
int try_attach(struct act *a);
int try_detach(struct act *a);
int try_nest(struct act *a);
int try_viommu(struct act *a);
int try_vdevice(struct act *a);
int try_queue(struct act *a);
int try_event_queue(struct act *a);
int try_rebind(struct act *a);
