/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the work share; internal to work*.c. */
#pragma once

#include "holder/attempts.h"
#include "holder/bindings.h"
#include "holder/event.h"
#include "holder/takers.h"
#include "holder/watches.h"
#include "holder/work.h"
#include "holder/world.h"
#include "host/uevent.h"
#include "report/event.h"

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
	/* Between the operations of a transaction; may be NULL. */
	void (*between)(void *data);
	void *between_data;

	void (*publish)(void *data, struct event *event); /* takes over the event; may be NULL */
	void *publish_data;
	struct watches *watches;
	struct uevent_socket *uevents; /* NULL: there are none */
	char *no_uevents; /* why */
	struct seen_group *seen;
	size_t n_seen;
	struct attempts *attempts;
	int timer; /* for them */
	const char *attempting; /* the topology that is tried now; NULL: none */
	struct waiting_fault *faults; /* that nobody has answered yet, oldest first */
	size_t n_faults;
	bool faults_put_off; /* some queue isn't read, as too many wait */
	struct taker *takers; /* who has been handed descriptors */
	/* An event concerned a topology that was being changed: look at all, or even consider what
	 * could be attached. */
	bool recheck, reconsider;
};

/* What is applied, and on whose behalf. */
struct application {
	const char *config, *file;
	uid_t owner; /* if the topology is new */
	const struct peer *by; /* NULL: the holder itself */
};

/*
 * A transaction, with the journal around it. `other` (NULL: none): the world to do it in, which
 * becomes the holder's. Takes over `desired`.
 */
int work_apply(struct work *work, struct world **other, const struct application *a,
	       struct topology *desired, const struct transaction *how, json_t **result,
	       struct ioasidctl_error **err);

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

/* Bindings were given up or lost outside of a transaction. */
void record_refresh(struct work *work, const struct topology *live);

/*
 * work_take.c. Take's descriptors go into the job. takers_refresh() notices at once who has
 * returned all of that topology.
 */
int work_take(struct work *work, struct job *job, json_t **out, struct ioasidctl_error **err);
void takers_refresh(struct work *work, const char *topology);
/* -EBUSY: somebody has its descriptors. */
int takers_refuse_delete(struct work *work, const char *topology, struct ioasidctl_error **err);
/* Waits for the end of all leases, which came from another holder. */
void takers_watch(struct work *work);
/* The topology has gone; NULL: all have. */
void takers_forget(struct work *work, const char *topology);

/* work_takeover.c: the old holder's side; and whether the topology came from another holder. */
int work_takeover(struct work *work, struct job *job, json_t **out, struct ioasidctl_error **err);
int work_reclaim(struct work *work, json_t **out, struct ioasidctl_error **err);
bool work_go_on(struct work *work, const char *name);

/* work_translate.c */
int work_translate(struct work *work, const struct job *job, json_t **out,
		   struct ioasidctl_error **err);

/* work_show.c */
/* The topology that the job names, if whoever sent it may see it. */
int work_find_shown(const struct work *work, const struct job *job, const struct topology **out,
		    struct ioasidctl_error **err);
int work_show(struct work *work, const struct job *job, json_t **out, struct ioasidctl_error **err);
/* The dump with that topology alone; a new reference; NULL: out of memory. */
json_t *show_dump(struct work *work, const struct topology *t);
/* work_live.c: what is done with live objects beside transactions. */
int work_invalidate(struct work *work, const struct job *job, const struct transaction *how,
		    json_t **out, struct ioasidctl_error **err);
int work_dirty(struct work *work, const struct job *job, const struct transaction *how,
	       json_t **out, struct ioasidctl_error **err);

/* work_show.c */
int owners_add(struct work *work, const char *topology, uid_t uid);
void owners_remove(struct work *work, const char *topology);
uid_t owners_find(const struct work *work, const char *topology, uid_t otherwise);
/* The user who may see it, beside root and the holder's; (uid_t)-1: nobody. */
uid_t owners_uid(const struct work *work, const struct topology *t);

/*
 * work_events.c: tells those who follow. `t`: whose event it is, NULL: nobody's. The last one takes
 * any object that event.schema.json describes, and steals it.
 */
void work_publish(struct work *work, const struct topology *t, struct event_record record);
void work_publish_device(struct work *work, const struct topology *t, const struct device *d,
			 struct event_record record);
void work_publish_to_all(struct work *work, struct event_record record);
void work_publish_json(struct work *work, const struct topology *t, json_t *json);

/* After each change of a topology, or its end: waits for what its descriptors tell from now on. */
void work_follow(struct work *work, const char *topology);
/*
 * For the collectors of work_events.c: waits for a descriptor that belongs to object `object` of fd
 * `fd`, as long as the topology isn't changed.
 */
void work_watch(struct work *work, const struct topology *t, uint32_t fd, uint32_t object,
		int descriptor, void (*ready)(void *data, const struct watch *watch));

/* work_devices.c */
int devices_listen(struct work *work);
void devices_read_events(struct work *work);
void devices_recheck(struct work *work);
void devices_watch_requests(struct work *work, const struct topology *t);
/* Tells of groups that aren't what they were. */
void devices_look_at_groups(struct work *work, const struct topology *t);
void devices_forget(struct work *work, const char *topology); /* NULL: all */

/* work_queues.c */
void queues_watch(struct work *work, const struct topology *t);
/* Drops faults of what has gone: of that topology; NULL: all. */
void queues_forget(struct work *work, const char *topology);
/* Those that wait, for another process; NULL: out of memory. */
json_t *queues_record(const struct work *work);
/* -EINVAL, -ENOMEM */
int queues_restore(struct work *work, const json_t *faults);
int work_faults(struct work *work, const struct job *job, const struct transaction *how,
		json_t **out, struct ioasidctl_error **err);

/* work_hotplug.c */
int hotplug_prepare(struct work *work);
/* If the device is to be attached when it comes, and is there, it will be tried soon. */
void hotplug_consider(struct work *work, const struct topology *t, const struct device *d);
void hotplug_consider_all(struct work *work, const struct topology *t);
