// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/event.h"
#include "holder/methods.h"

/* Of events that the loop hasn't taken yet; it never blocks, so this is hardly ever reached. */
#define EVENTS_MAX 4096

struct queue {
	struct job *first, **last;
};

struct worker {
	struct work *work; /* the thread's */
	pthread_t thread;
	int event;

	pthread_mutex_t lock; /* guards all that follows */
	pthread_cond_t wake;
	struct queue waiting, done;
	struct job *running;
	struct event *events, **last_event;
	size_t n_events;
	uint64_t lost_events;
	size_t held;
	bool recovered, finishing, keep, ended;
	bool yielded, leaving; /* to another process */
	bool look, looking; /* something is readable; and is being looked at */
	/* A Show may be waiting, or something is readable; read without the lock. */
	atomic_bool overtakers;

	int outcome; /* the thread's until it is joined */
	struct ioasidctl_error *error;
};

static void queue_init(struct queue *q)
{
	q->first = NULL;
	q->last = &q->first;
}

static void queue_add(struct queue *q, struct job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
}

static struct job *queue_take(struct queue *q, struct job **slot)
{
	struct job *job = *slot;

	*slot = job->next;
	if (!*slot)
		q->last = slot;
	job->next = NULL;
	return job;
}

static void ring(const struct worker *worker)
{
	uint64_t one = 1;

	/* It can only fail where it has been rung already. */
	while (write(worker->event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* With the lock held. */
static void hand_back(struct worker *worker, struct job *job)
{
	queue_add(&worker->done, job);
	ring(worker);
}

static void refuse(struct job *job)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;

	error_new(&err, ERROR_UNAVAILABLE, ESHUTDOWN, "the holder is ending");
	error_hint(&err, "try again once it is gone, or with the next one");
	job->reply = methods_failed(err, NULL, &job->reply_length);
}

/* With the lock held: the first job that may overtake the running transaction. */
static struct job *take_overtaker(struct worker *worker)
{
	for (struct job **slot = &worker->waiting.first; *slot; slot = &(*slot)->next)
		if (work_can_overtake(worker->work, *slot))
			return queue_take(&worker->waiting, slot);
	return NULL;
}

/* With the lock held: handles what is readable, as far as it can be at this moment. */
static void look(struct worker *worker)
{
	if (!worker->look)
		return;
	worker->look = false;
	worker->looking = true;
	pthread_mutex_unlock(&worker->lock);
	work_look(worker->work);
	pthread_mutex_lock(&worker->lock);
	worker->looking = false;
	worker->held = work_held(worker->work);
	ring(worker);
}

static void serve_overtakers(void *data)
{
	struct worker *worker = data;

	if (!atomic_exchange_explicit(&worker->overtakers, false, memory_order_acquire))
		return;
	pthread_mutex_lock(&worker->lock);
	look(worker);
	pthread_mutex_unlock(&worker->lock);
	for (;;) {
		struct job *job;

		pthread_mutex_lock(&worker->lock);
		job = worker->finishing ? NULL : take_overtaker(worker);
		pthread_mutex_unlock(&worker->lock);
		if (!job)
			return;
		if (!job->cancel)
			work_run(worker->work, job);
		pthread_mutex_lock(&worker->lock);
		hand_back(worker, job);
		pthread_mutex_unlock(&worker->lock);
	}
}

static void run_job(struct worker *worker, struct job *job)
{
	/* Nobody waits for it, so it isn't wanted. */
	if (!job->cancel || job->kind == JOB_RECLAIM)
		work_run(worker->work, job);
}

static bool can_go_on(const struct worker *worker)
{
	const struct job *first = worker->waiting.first;

	return !worker->yielded || (first && first->kind == JOB_RECLAIM);
}

/* With the lock held; NULL: it is time to end. */
static struct job *next_job(struct worker *worker)
{
	for (;;) {
		if (worker->finishing)
			return NULL;
		if (!can_go_on(worker)) {
			pthread_cond_wait(&worker->wake, &worker->lock);
			continue;
		}
		/* What was put off during a transaction can be done now. */
		worker->look = worker->look || work_must_look(worker->work);
		if (worker->look && !worker->yielded)
			look(worker);
		else if (worker->waiting.first)
			break;
		else
			pthread_cond_wait(&worker->wake, &worker->lock);
	}
	return queue_take(&worker->waiting, &worker->waiting.first);
}

static void refuse_waiting(struct worker *worker)
{
	while (worker->waiting.first) {
		struct job *job = queue_take(&worker->waiting, &worker->waiting.first);

		refuse(job);
		hand_back(worker, job);
	}
}

static void end(struct worker *worker)
{
	if (worker->leaving) {
		work_leave(worker->work);
		return;
	}
	if (worker->yielded)
		work_take_back(worker->work);
	worker->outcome = work_end(worker->work, worker->keep, &worker->error);
}

static void *work_until_finished(void *data)
{
	struct worker *worker = data;
	struct job *job;

	work_recover(worker->work);
	pthread_mutex_lock(&worker->lock);
	worker->recovered = true;
	worker->held = work_held(worker->work);
	ring(worker);
	while ((job = next_job(worker))) {
		worker->running = job;
		pthread_mutex_unlock(&worker->lock);
		run_job(worker, job);
		pthread_mutex_lock(&worker->lock);
		worker->running = NULL;
		worker->held = work_held(worker->work);
		worker->yielded = job->yields;
		hand_back(worker, job);
	}
	refuse_waiting(worker);
	pthread_mutex_unlock(&worker->lock);
	end(worker);
	pthread_mutex_lock(&worker->lock);
	worker->ended = true;
	ring(worker);
	pthread_mutex_unlock(&worker->lock);
	return NULL;
}

static void publish(void *data, struct event *event)
{
	struct worker *worker = data;

	event->next = NULL;
	pthread_mutex_lock(&worker->lock);
	if (worker->n_events < EVENTS_MAX) {
		*worker->last_event = event;
		worker->last_event = &event->next;
		worker->n_events++;
		event = NULL;
	} else {
		worker->lost_events++;
	}
	ring(worker);
	pthread_mutex_unlock(&worker->lock);
	event_unref(event);
}

struct event *worker_events(struct worker *worker, uint64_t *lost)
{
	struct event *first;

	pthread_mutex_lock(&worker->lock);
	first = worker->events;
	*lost = worker->lost_events;
	worker->events = NULL;
	worker->last_event = &worker->events;
	worker->n_events = 0;
	worker->lost_events = 0;
	pthread_mutex_unlock(&worker->lock);
	return first;
}

void worker_look(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->look = true;
	atomic_store_explicit(&worker->overtakers, true, memory_order_release);
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

bool worker_looked(struct worker *worker)
{
	bool looked;

	pthread_mutex_lock(&worker->lock);
	looked = !worker->look && !worker->looking;
	pthread_mutex_unlock(&worker->lock);
	return looked;
}

static void free_worker(struct worker *worker)
{
	while (worker->events) {
		struct event *next = worker->events->next;

		event_unref(worker->events);
		worker->events = next;
	}
	cleanup_close(&worker->event);
	pthread_cond_destroy(&worker->wake);
	pthread_mutex_destroy(&worker->lock);
	error_free(worker->error);
	free(worker);
}

int worker_start(struct work *work, struct worker **out, struct ioasidctl_error **err)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	sigset_t all, before;
	int ret;

	if (!worker)
		return error_nomem(err);
	worker->work = work;
	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->wake, NULL);
	queue_init(&worker->waiting);
	queue_init(&worker->done);
	worker->last_event = &worker->events;
	work_set_publisher(work, publish, worker);
	work_set_between(work, serve_overtakers, worker);
	worker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->event < 0) {
		ret = error_new(err, ERROR_MEMORY, errno, "make an eventfd: %s", strerror(errno));
		free_worker(worker);
		return ret;
	}
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ret = pthread_create(&worker->thread, NULL, work_until_finished, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ret) {
		free_worker(worker);
		return error_new(err, ERROR_MEMORY, ret, "start a thread: %s", strerror(ret));
	}
	*out = worker;
	return 0;
}

int worker_event_fd(const struct worker *worker)
{
	return worker->event;
}

void worker_submit(struct worker *worker, struct job *job)
{
	pthread_mutex_lock(&worker->lock);
	if (worker->finishing) {
		refuse(job);
		hand_back(worker, job);
	} else {
		queue_add(&worker->waiting, job);
		if (job->kind == JOB_SHOW || job->kind == JOB_TRANSLATE)
			atomic_store_explicit(&worker->overtakers, true, memory_order_release);
		pthread_cond_signal(&worker->wake);
	}
	pthread_mutex_unlock(&worker->lock);
}

struct job *worker_done(struct worker *worker)
{
	struct job *first;
	uint64_t count;

	while (read(worker->event, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&worker->lock);
	first = worker->done.first;
	queue_init(&worker->done);
	pthread_mutex_unlock(&worker->lock);
	return first;
}

bool worker_idle(struct worker *worker, size_t *held)
{
	bool idle;

	pthread_mutex_lock(&worker->lock);
	idle = worker->recovered && !worker->running && !worker->look && !worker->looking &&
	       !worker->waiting.first && !worker->done.first;
	*held = worker->held;
	pthread_mutex_unlock(&worker->lock);
	return idle;
}

void worker_finish(struct worker *worker, bool keep)
{
	pthread_mutex_lock(&worker->lock);
	worker->finishing = true;
	worker->keep = keep;
	if (worker->running)
		worker->running->cancel = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

void worker_leave(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
	worker->finishing = worker->leaving = true;
	pthread_cond_signal(&worker->wake);
	pthread_mutex_unlock(&worker->lock);
}

bool worker_ended(struct worker *worker)
{
	bool ended;

	pthread_mutex_lock(&worker->lock);
	ended = worker->ended;
	pthread_mutex_unlock(&worker->lock);
	return ended;
}

int worker_join(struct worker *worker, struct ioasidctl_error **err)
{
	int ret;

	pthread_join(worker->thread, NULL);
	ret = worker->outcome;
	if (err && worker->error) {
		struct ioasidctl_error **end = err;

		while (*end)
			end = &(*end)->next;
		*end = steal_pointer(worker->error);
	}
	free_worker(worker);
	return ret;
}
