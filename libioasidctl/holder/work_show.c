// SPDX-License-Identifier: LGPL-2.1-or-later
/* Show, and who may see what. */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"
#include "config/config.h"
#include "holder/work_state.h"
#include "report/report.h"

#define PASSWD_SPACE 16384

static struct owner *find_owner(const struct work *work, const char *topology)
{
	for (size_t i = 0; i < work->n_owners; i++)
		if (!strcmp(work->owners[i].topology, topology))
			return &work->owners[i];
	return NULL;
}

uid_t owners_find(const struct work *work, const char *topology, uid_t otherwise)
{
	const struct owner *owner = find_owner(work, topology);

	return owner ? owner->uid : otherwise;
}

int owners_add(struct work *work, const char *topology, uid_t uid)
{
	struct owner *grown;
	char *copy;

	if (find_owner(work, topology))
		return 0;
	grown = reallocarray(work->owners, work->n_owners + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	work->owners = grown;
	copy = strdup(topology);
	if (!copy)
		return -ENOMEM;
	grown[work->n_owners++] = (struct owner){copy, uid};
	return 0;
}

void owners_remove(struct work *work, const char *topology)
{
	struct owner *owner = find_owner(work, topology);

	if (!owner)
		return;
	free(owner->topology);
	*owner = work->owners[--work->n_owners];
}

/* By name or number. */
static uid_t find_user(const char *user)
{
	_cleanup_free_ char *space = malloc(PASSWD_SPACE);
	struct passwd entry, *found = NULL;
	uint64_t number;

	if (space && !getpwnam_r(user, &entry, space, PASSWD_SPACE, &found) && found)
		return found->pw_uid;
	return number_parse(user, &number) || number >= (uid_t)-1 ? (uid_t)-1 : (uid_t)number;
}

uid_t owners_uid(const struct work *work, const struct topology *t)
{
	return t->owner_user ? find_user(t->owner_user) : owners_find(work, t->name, (uid_t)-1);
}

static bool may_show(const struct work *work, const struct topology *t, const struct peer *peer)
{
	return peer->trusted || owners_uid(work, t) == peer->uid;
}

static int refuse_show(const struct job *job, struct ioasidctl_error **err)
{
	const char *name = job->parameters.name;
	int ret;

	if (job->peer.trusted) {
		ret = error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no topology %s", name);
		error_object(err, "%s", name);
		error_hint(err, "show without a name lists those that there are");
		return ret;
	}
	/* The same for a name that doesn't exist: what others hold is nobody's business. */
	ret = error_new(err, ERROR_PERMISSION, EACCES, "user id %u has no topology %s here",
			(unsigned)job->peer.uid, name);
	error_object(err, "%s", name);
	error_hint(err, "its owner, root and the holder's user may see a topology");
	return ret;
}

int work_find_shown(const struct work *work, const struct job *job, const struct topology **out,
		    struct ioasidctl_error **err)
{
	*out = engine_topology(work->world->engine, job->parameters.name);
	return *out && may_show(work, *out, &job->peer) ? 0 : refuse_show(job, err);
}

/* A config declares one topology: without a name it's the only one that the caller may see. */
static int find_only(const struct work *work, const struct peer *peer, const struct topology **out,
		     struct ioasidctl_error **err)
{
	const struct engine *engine = work->world->engine;
	size_t n = 0;

	for (size_t i = 0; i < engine_count(engine); i++) {
		if (!may_show(work, engine_topology_at(engine, i), peer))
			continue;
		*out = engine_topology_at(engine, i);
		n++;
	}
	if (n == 1)
		return 0;
	if (!n)
		return error_new(err, ERROR_UNAVAILABLE, ENOENT, "there is no topology to show");
	error_new(err, ERROR_USAGE, EINVAL, "%zu topologies are held, and a config declares one",
		  n);
	error_hint(err, "name the one to show");
	return -EINVAL;
}

static int show_yaml(const struct topology *t, json_t **out, struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	int ret = config_write(t, &text, &length, err);

	if (ret)
		return ret;
	*out = json_pack("{s:s%}", "yaml", text, length);
	return *out ? 0 : error_nomem(err);
}

/* One array for the names of all. */
static json_t *report_with(const struct driver_env *env, const struct topology *t,
			   const struct taker *takers, struct taker_record *records,
			   const char **names)
{
	size_t n = 0, n_names = 0;
	json_t *json;

	for (const struct taker *by = takers_of(takers, t->name); by; by = takers_next(by)) {
		struct taker_record *record = &records[n++];

		*record = (struct taker_record){
			.pid = (uint64_t)by->peer.pid,
			.uid = by->peer.uid,
			.program = taker_program(by, env->root),
			.mode = take_mode_names[by->raw],
			.names = names + n_names,
			.n_names = by->n_taken,
		};
		for (size_t i = 0; i < by->n_taken; i++)
			names[n_names++] = by->taken[i].name;
	}
	json = report_taken_topology(env, t, records, n);
	while (n)
		free((char *)records[--n].program);
	return json;
}

static json_t *show_one(struct work *work, const struct topology *t)
{
	/* Not into the trace of a transaction that this overtakes. */
	struct driver_env env = *engine_env(work->world->engine);
	_cleanup_free_ struct taker_record *records = NULL;
	_cleanup_free_ const char **names = NULL;
	size_t n = 0, n_names = 0;

	env.trace = NULL;
	takers_refresh(work, t->name);
	for (const struct taker *by = takers_of(work->takers, t->name); by; by = takers_next(by)) {
		n++;
		n_names += by->n_taken;
	}
	if (!n)
		return report_topology(&env, t);
	records = calloc(n, sizeof(*records));
	names = calloc(n_names + 1, sizeof(*names));
	return records && names ? report_with(&env, t, work->takers, records, names) : NULL;
}

json_t *show_dump(struct work *work, const struct topology *t)
{
	return report_dump(json_pack("[o]", show_one(work, t)));
}

static int show_json(struct work *work, const struct job *job, const struct topology *only,
		     json_t **out, struct ioasidctl_error **err)
{
	const struct engine *engine = work->world->engine;
	json_t *topologies = json_array(), *dump;

	for (size_t i = 0; topologies && i < engine_count(engine); i++) {
		const struct topology *t = engine_topology_at(engine, i);

		if (only ? t != only : !may_show(work, t, &job->peer))
			continue;
		if (!json_array_append_new(topologies, show_one(work, t)))
			continue;
		json_decref(topologies);
		topologies = NULL;
	}
	dump = topologies ? report_dump(topologies) : NULL;
	*out = dump ? json_pack("{s:o}", "dump", dump) : NULL;
	return *out ? 0 : error_nomem(err);
}

int work_show(struct work *work, const struct job *job, json_t **out, struct ioasidctl_error **err)
{
	const char *name = job->parameters.name, *form = job->parameters.form;
	const bool yaml = form && !strcmp(form, "yaml");
	const struct topology *only = NULL;

	if (form && !yaml && strcmp(form, "json"))
		return error_new(err, ERROR_USAGE, EINVAL, "there is no form %s: json or yaml",
				 form);
	if (yaml && !name) {
		int ret = find_only(work, &job->peer, &only, err);

		return ret ? ret : show_yaml(only, out, err);
	}
	if (name) {
		int ret = work_find_shown(work, job, &only, err);

		if (ret)
			return ret;
	}
	return yaml ? show_yaml(only, out, err) : show_json(work, job, only, out, err);
}
