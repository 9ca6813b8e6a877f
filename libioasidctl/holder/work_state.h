/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the work share; internal to work*.c. */
#pragma once

#include "holder/bindings.h"
#include "holder/work.h"
#include "holder/world.h"

struct owner {
	char *topology;
	uid_t uid; /* who applied it first */
};

struct work {
	const struct holder_options *options;
	struct journal *journal;
	struct world *world;
	struct owner *owners;
	size_t n_owners;
	const char *changing; /* the topology that a transaction is changing now; NULL: none */
};

void work_log(const struct work *work, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Logs "what: message" of the whole chain. */
void work_log_error(const struct work *work, const char *what, const struct ioasidctl_error *err);

/* work_record.c: the journal around a transaction. */
struct record {
	struct work *work;
	struct journal_entry before, after;
	bool had_before; /* there was an entry */
	bool intended; /* the intention was written over it */
};
void record_begin(struct work *work, struct record *record, const struct journal_entry *inputs);
/* For struct transaction: `data` is the record. */
void record_intend(void *data, const struct topology *desired);
/* `live`: the topology as it is now; NULL: none. */
void record_end(struct work *work, struct record *record, const struct topology *live,
		bool committed);

/* work_translate.c */
int work_translate(struct work *work, const struct job *job, json_t **out,
		   struct ioasidctl_error **err);

/* work_show.c */
/* The topology that the job names, if whoever sent it may see it. */
int work_find_shown(const struct work *work, const struct job *job, const struct topology **out,
		    struct ioasidctl_error **err);
int work_show(struct work *work, const struct job *job, json_t **out, struct ioasidctl_error **err);
/* work_live.c: what is done with live objects beside transactions. */
int work_invalidate(struct work *work, const struct job *job, const struct transaction *how,
		    json_t **out, struct ioasidctl_error **err);
int work_dirty(struct work *work, const struct job *job, const struct transaction *how,
	       json_t **out, struct ioasidctl_error **err);

/* work_show.c */
int owners_add(struct work *work, const char *topology, uid_t uid);
void owners_remove(struct work *work, const char *topology);
uid_t owners_find(const struct work *work, const char *topology, uid_t otherwise);
