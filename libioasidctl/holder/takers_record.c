// SPDX-License-Identifier: LGPL-2.1-or-later
/* Takers go on with another holder: what that one has to know, and its ends of their leases. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "holder/takers.h"

/* No topology has such a name. */
#define NAME_OF_LEASE	"/lease/%zu"
#define NAME_OF_PROCESS "/process/%zu"

static int add_copy(struct descriptors *out, int fd, const char *format, size_t number)
{
	_cleanup_close_ int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	_cleanup_free_ char *name = NULL;

	if (copy < 0)
		return -errno;
	if (asprintf(&name, format, number) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	if (descriptors_add(out, copy, name))
		return -ENOMEM;
	copy = -1;
	return 0;
}

static json_t *taken_json(const struct taker *taker)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < taker->n_taken; i++)
		json_array_append_new(array,
				      json_pack("{s:s, s:I, s:I}", "name", taker->taken[i].name,
						"kind", (json_int_t)taker->taken[i].kind, "id",
						(json_int_t)taker->taken[i].id));
	return array;
}

int takers_record(const struct taker *list, struct descriptors *out, json_t **record)
{
	json_t *array = json_array();
	size_t n = 0;
	int ret = array ? 0 : -ENOMEM;

	for (const struct taker *t = list; !ret && t; t = t->next, n++) {
		ret = add_copy(out, t->lease, NAME_OF_LEASE, n);
		if (!ret && t->process >= 0)
			ret = add_copy(out, t->process, NAME_OF_PROCESS, n);
		if (!ret && json_array_append_new(array, json_pack("{s:s, s:I, s:I, s:b, s:o}",
								   "topology", t->topology, "uid",
								   (json_int_t)t->peer.uid, "pid",
								   (json_int_t)t->peer.pid, "raw",
								   t->raw, "taken", taken_json(t))))
			ret = -ENOMEM;
	}
	if (ret)
		json_decref(array);
	else
		*record = array;
	return ret;
}

static int read_taken(const json_t *json, struct taken *out)
{
	const char *name;
	uint32_t kind;

	if (json_member_text(json, "name", &name) || json_member_u32(json, "kind", &kind) ||
	    kind > HANDOVER_RAW_DEVICE || json_member_u32(json, "id", &out->id))
		return -EINVAL;
	out->kind = (enum handover_kind)kind;
	out->name = strdup(name);
	return out->name ? 0 : -ENOMEM;
}

static int read_all_taken(const json_t *array, struct taker *out)
{
	const json_t *one;
	size_t i;
	int ret = 0;

	out->taken = calloc(json_array_size(array) + 1, sizeof(*out->taken));
	if (!out->taken)
		return -ENOMEM;
	json_array_foreach (array, i, one)
		if (!ret)
			ret = read_taken(one, &out->taken[out->n_taken++]);
	return ret;
}

static int read_taker(const json_t *json, struct taker *out)
{
	const json_t *taken;
	const char *topology;
	uint32_t uid, pid;

	if (json_member_text(json, "topology", &topology) || json_member_u32(json, "uid", &uid) ||
	    json_member_u32(json, "pid", &pid) || json_member_bool(json, "raw", &out->raw) ||
	    json_member_array(json, "taken", &taken))
		return -EINVAL;
	out->peer = (struct peer){.uid = uid, .pid = (pid_t)pid};
	out->topology = strdup(topology);
	return out->topology ? read_all_taken(taken, out) : -ENOMEM;
}

static void take_descriptors(struct descriptors *given, size_t number, struct taker *out)
{
	char name[32];

	snprintf(name, sizeof(name), NAME_OF_LEASE, number);
	out->lease = descriptors_take(given, name);
	snprintf(name, sizeof(name), NAME_OF_PROCESS, number);
	out->process = descriptors_take(given, name);
}

int takers_restore(struct taker **list, const json_t *record, struct descriptors *given)
{
	struct taker **end = list;
	const json_t *one;
	size_t i;

	while (*end)
		end = &(*end)->next;
	json_array_foreach (record, i, one) {
		int ret;

		*end = calloc(1, sizeof(**end));
		if (!*end)
			return -ENOMEM;
		take_descriptors(given, i, *end);
		ret = read_taker(one, *end);
		if (!ret && (*end)->lease < 0)
			ret = -EINVAL;
		if (ret) {
			takers_remove(list, *end);
			return ret;
		}
		end = &(*end)->next;
	}
	return 0;
}
