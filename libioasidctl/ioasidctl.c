// SPDX-License-Identifier: LGPL-2.1-or-later
/* The public API: one handle over an engine of this process or a holder's socket. */
#include "ioasidctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apply/engine.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "config/config.h"
#include "holder/client.h"
#include "holder/handover.h"
#include "refdev/refdev.h"
#include "report/machine.h"
#include "report/report.h"

struct ioasidctl {
	struct client *client; /* a holder's topologies; else NULL and: */
	struct engine *engine;
	struct refdev *refdev;
	char *root; /* what the engine's environment points to */
};

const char *ioasidctl_version(void)
{
	return IOASIDCTL_VERSION;
}

static void free_context(struct ioasidctl **ctx)
{
	ioasidctl_free(*ctx);
}

#define _cleanup_context_ _cleanup_(free_context)

int ioasidctl_new(const struct ioasidctl_options *options, struct ioasidctl **out,
		  struct ioasidctl_error **error)
{
	_cleanup_context_ struct ioasidctl *ctx = calloc(1, sizeof(*ctx));
	_cleanup_free_ char *why = NULL;
	const char *machine = options ? options->machine : NULL;
	struct driver_env env = {0};
	int ret;

	if (options && options->size < sizeof(*options))
		return error_new(error, ERROR_USAGE, EINVAL,
				 "size of the options is not set, or of another library");
	if (!ctx)
		return error_nomem(error);
	ctx->root = strdup(options && options->root ? options->root : "");
	if (!ctx->root)
		return error_nomem(error);
	ret = machine_open(machine, machine ? strlen(machine) : 0, &ctx->refdev, &why);
	if (ret)
		return error_new(error, ERROR_CONFIG, -ret, "machine description: %s",
				 why ? why : strerror(-ret));
	env.root = ctx->root;
	env.refdev = ctx->refdev;
	ret = engine_new(&env, &ctx->engine, error);
	if (!ret)
		*out = steal_pointer(ctx);
	return ret;
}

int ioasidctl_connect(const char *socket, struct ioasidctl **out, struct ioasidctl_error **error)
{
	_cleanup_context_ struct ioasidctl *ctx = calloc(1, sizeof(*ctx));
	_cleanup_free_ char *path = NULL;
	int ret;

	if (!ctx)
		return error_nomem(error);
	ret = client_socket_path(socket, &path, error);
	if (!ret)
		ret = client_connect(path, &ctx->client, error);
	if (!ret)
		*out = steal_pointer(ctx);
	return ret;
}

void ioasidctl_free(struct ioasidctl *ctx)
{
	if (!ctx)
		return;
	client_free(ctx->client);
	engine_free(ctx->engine);
	refdev_free(ctx->refdev);
	free(ctx->root);
	free(ctx);
}

int ioasidctl_check(const char *text, size_t length, const char *file,
		    struct ioasidctl_error **error)
{
	_cleanup_topology_ struct topology *t = NULL;

	return config_parse(text, length, file, &t, error);
}

static int print_json(const json_t *json, char **out, struct ioasidctl_error **error)
{
	if (!out)
		return 0;
	*out = json_dumps(json, JSON_COMPACT);
	return *out ? 0 : error_nomem(error);
}

/* Calls the holder and prints the member `key` of its reply. */
static int call(struct ioasidctl *ctx, const char *method, json_t *parameters, const char *key,
		char **out, struct ioasidctl_error **error)
{
	json_auto_t *reply = NULL;
	const json_t *member;
	int ret;

	/* Our own texts are UTF-8, and jansson takes no other. */
	if (!parameters)
		return error_new(error, ERROR_USAGE, EINVAL,
				 "call %s: a text is not UTF-8, or there is no memory for it",
				 method);
	ret = client_call(ctx->client, method, parameters, &reply, error);
	if (ret)
		return ret;
	member = json_object_get(reply, key);
	if (!member)
		return error_new(error, ERROR_PROTOCOL, EPROTO,
				 "the holder's reply to %s has no %s", method, key);
	if (!json_is_string(member))
		return print_json(member, out, error);
	*out = strdup(json_string_value(member));
	return *out ? 0 : error_nomem(error);
}

static int driver_from_name(const char *name, enum driver_choice *out,
			    struct ioasidctl_error **error)
{
	*out = DRIVER_AUTO;
	for (int i = 0; name && driver_choice_names[i]; i++)
		if (!strcmp(driver_choice_names[i], name)) {
			*out = i;
			return 0;
		}
	return name ? error_new(error, ERROR_USAGE, EINVAL, "there is no driver %s", name) : 0;
}

static struct transaction transaction_from_flags(unsigned flags)
{
	return (struct transaction){.dry_run = flags & IOASIDCTL_DRY_RUN,
				    .no_verify = flags & IOASIDCTL_NO_VERIFY,
				    .list = flags & IOASIDCTL_OPERATIONS};
}

static int apply_here(struct ioasidctl *ctx, const char *text, size_t length, const char *file,
		      struct transaction *how, char **result, struct ioasidctl_error **error)
{
	json_auto_t *outcome = NULL;
	struct topology *desired;
	int ret = config_parse(text, length, file, &desired, error);

	if (!ret)
		ret = engine_apply(ctx->engine, desired, how, &outcome, error);
	return ret ? ret : print_json(outcome, result, error);
}

int ioasidctl_apply(struct ioasidctl *ctx, const char *text, size_t length, const char *file,
		    const char *driver, unsigned flags, char **result,
		    struct ioasidctl_error **error)
{
	struct transaction how = transaction_from_flags(flags);
	int ret = driver_from_name(driver, &how.driver, error);

	if (ret)
		return ret;
	if (!ctx->client)
		return apply_here(ctx, text, length, file, &how, result, error);
	/* What is wrong with the config needs no holder to be told. */
	ret = ioasidctl_check(text, length, file, error);
	if (ret)
		return ret;
	return call(ctx, "Apply",
		    json_pack("{s:s%, s:s*, s:s*, s:b, s:b, s:b}", "config", text, length, "file",
			      file, "driver", driver, "dry_run", how.dry_run, "verify",
			      !how.no_verify, "list", how.list),
		    "result", result, error);
}

int ioasidctl_delete(struct ioasidctl *ctx, const char *name, unsigned flags, char **result,
		     struct ioasidctl_error **error)
{
	const struct transaction how = transaction_from_flags(flags);
	json_auto_t *outcome = NULL;
	int ret;

	if (ctx->client)
		return call(ctx, "Delete",
			    json_pack("{s:s, s:b, s:b}", "name", name, "dry_run", how.dry_run,
				      "list", how.list),
			    "result", result, error);
	ret = engine_delete(ctx->engine, name, &how, &outcome, error);
	return ret ? ret : print_json(outcome, result, error);
}

static int find_topology(struct ioasidctl *ctx, const char *name, const struct topology **out,
			 struct ioasidctl_error **error)
{
	*out = engine_topology(ctx->engine, name);
	return *out ? 0
		    : error_new(error, ERROR_UNAVAILABLE, ENOENT, "there is no topology %s", name);
}

int ioasidctl_show(struct ioasidctl *ctx, const char *name, char **dump,
		   struct ioasidctl_error **error)
{
	json_auto_t *root = NULL;
	const struct topology *only = NULL;
	json_t *topologies;
	int ret = 0;

	if (ctx->client)
		return call(ctx, "Show", json_pack("{s:s*}", "name", name), "dump", dump, error);
	if (name)
		ret = find_topology(ctx, name, &only, error);
	if (ret)
		return ret;
	topologies = json_array();
	for (size_t i = 0; i < engine_count(ctx->engine); i++) {
		const struct topology *t = engine_topology_at(ctx->engine, i);

		if ((only && t != only) ||
		    !json_array_append_new(topologies, report_topology(engine_env(ctx->engine), t)))
			continue;
		json_decref(topologies);
		return error_nomem(error);
	}
	root = report_dump(topologies);
	return root ? print_json(root, dump, error) : error_nomem(error);
}

int ioasidctl_dump_config(struct ioasidctl *ctx, const char *name, char **yaml,
			  struct ioasidctl_error **error)
{
	const struct topology *t;
	size_t length;
	int ret;

	if (ctx->client)
		return call(ctx, "Show", json_pack("{s:s, s:s}", "name", name, "form", "yaml"),
			    "yaml", yaml, error);
	ret = find_topology(ctx, name, &t, error);
	return ret ? ret : config_write(t, yaml, &length, error);
}

static json_t *hex_list(const uint64_t *numbers, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++) {
		char text[NUMBER_TEXT_MAX];

		if (!json_array_append_new(list, json_string(number_hex(numbers[i], text))))
			continue;
		json_decref(list);
		return NULL;
	}
	return list;
}

static int translate_here(struct ioasidctl *ctx, const char *topology,
			  struct translate_query *query, const char *access, char **translation,
			  struct ioasidctl_error **error)
{
	json_auto_t *document = NULL;
	const struct topology *t;
	int ret = translate_parse_access(access, &query->access, error);

	if (!ret)
		ret = find_topology(ctx, topology, &t, error);
	if (!ret)
		ret = report_translations(t, query, &document, error);
	return ret ? ret : print_json(document, translation, error);
}

int ioasidctl_translate(struct ioasidctl *ctx, const char *topology, const char *device, long pasid,
			const char *access, const uint64_t *iovas, size_t n, char **translation,
			struct ioasidctl_error **error)
{
	struct translate_query query = {.device = device,
					.pasid = pasid < 0 ? NO_PASID : (uint32_t)pasid,
					.iovas = iovas,
					.n_iovas = n};
	int ret = pasid < 0 ? 0 : translate_check_pasid((uint64_t)pasid, error);

	if (ret)
		return ret;
	if (!ctx->client)
		return translate_here(ctx, topology, &query, access, translation, error);
	return call(ctx, "Translate",
		    json_pack("{s:s, s:s, s:s*, s:o*, s:o}", "name", topology, "device", device,
			      "access", access, "pasid", pasid < 0 ? NULL : json_integer(pasid),
			      "iovas", hex_list(iovas, n)),
		    "translation", translation, error);
}

static bool is_declared(const struct topology *t, const char *object)
{
	return topology_find_fd(t, object) != NO_INDEX ||
	       topology_find_memory(t, object) != NO_INDEX ||
	       topology_find_device(t, object) != NO_INDEX;
}

/* By the same names as descriptors are handed over. */
static int object_descriptor(const struct topology *t, const char *object,
			     struct ioasidctl_error **error)
{
	_cleanup_(handover_done)
	struct handover h = {0};
	int ret = handover_collect(t, &h, error);

	if (ret)
		return ret;
	for (size_t i = 0; i < h.n_fds; i++)
		if (!strcmp(h.fds[i].name, object))
			return h.fds[i].fd;
	if (is_declared(t, object))
		return error_new(error, ERROR_REFUSED, EOPNOTSUPP,
				 "%s of topology %s has no descriptor", object, t->name);
	return error_new(error, ERROR_USAGE, ENOENT, "topology %s has no fd, device or memory %s",
			 t->name, object);
}

int ioasidctl_descriptor(struct ioasidctl *ctx, const char *topology, const char *object,
			 struct ioasidctl_error **error)
{
	const struct topology *t;
	int ret;

	if (ctx->client)
		return error_new(error, ERROR_REFUSED, EOPNOTSUPP,
				 "topology %s is held by another process", topology);
	ret = find_topology(ctx, topology, &t, error);
	return ret ? ret : object_descriptor(t, object, error);
}

#define ERROR_TEXT(field)                                                        \
	const char *ioasidctl_error_##field(const struct ioasidctl_error *error) \
	{                                                                        \
		return error->field;                                             \
	}

ERROR_TEXT(message)
ERROR_TEXT(cause)
ERROR_TEXT(hint)
ERROR_TEXT(object)
ERROR_TEXT(file)
ERROR_TEXT(ioctl)

const char *ioasidctl_error_kind(const struct ioasidctl_error *error)
{
	return error_kind_name(error->kind);
}

unsigned ioasidctl_error_line(const struct ioasidctl_error *error)
{
	return error->line;
}

unsigned ioasidctl_error_column(const struct ioasidctl_error *error)
{
	return error->column;
}

int ioasidctl_error_errno(const struct ioasidctl_error *error)
{
	return error->errnum;
}

const struct ioasidctl_error *ioasidctl_error_next(const struct ioasidctl_error *error)
{
	return error->next;
}

void ioasidctl_error_free(struct ioasidctl_error *error)
{
	error_free(error);
}
