// SPDX-License-Identifier: LGPL-2.1-or-later
#include "holder/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "holder/interface.h"
#include "holder/subscription.h"
#include "report/report.h"

enum field_type { FIELD_TEXT, FIELD_BOOL, FIELD_INT, FIELD_TEXTS };

struct field {
	const char *name;
	enum field_type type;
	bool required;
	size_t offset;
};

#define TEXT(member)                                                            \
	{                                                                       \
#member, FIELD_TEXT, false, offsetof(struct parameters, member) \
	}
#define REQUIRED(member)                                                       \
	{                                                                      \
#member, FIELD_TEXT, true, offsetof(struct parameters, member) \
	}
#define BOOL(member)                                                            \
	{                                                                       \
#member, FIELD_BOOL, false, offsetof(struct parameters, member) \
	}

#define INT(member)                                                            \
	{                                                                      \
#member, FIELD_INT, false, offsetof(struct parameters, member) \
	}

#define SOME_TEXTS(member)                                                       \
	{                                                                        \
#member, FIELD_TEXTS, false, offsetof(struct parameters, member) \
	}

#define TEXTS(member)                                                           \
	{                                                                       \
#member, FIELD_TEXTS, true, offsetof(struct parameters, member) \
	}

#define MAX_FIELDS 9

struct method {
	const char *name;
	bool open; /* to everybody; else to root and the holder's own user */
	void (*at_once)(const struct parameters *p, struct answer *out); /* NULL: a job */
	enum job_kind kind;
	struct field fields[MAX_FIELDS];
};

static const struct method methods[] = {
	{INTERFACE_SERVICE ".GetInfo", true, service_get_info, 0, {}},
	{INTERFACE_SERVICE ".GetInterfaceDescription",
	 true,
	 service_get_description,
	 0,
	 {REQUIRED(interface)}},
	{INTERFACE_OWN ".Apply",
	 false,
	 NULL,
	 JOB_APPLY,
	 {REQUIRED(config), TEXT(file), TEXT(driver), TEXT(machine), BOOL(dry_run), BOOL(verify),
	  BOOL(list), BOOL(verbose)}},
	{INTERFACE_OWN ".Plan",
	 false,
	 NULL,
	 JOB_PLAN,
	 {REQUIRED(config), TEXT(file), TEXT(driver), TEXT(machine)}},
	/* Open to all, but answers each only with what is theirs, as Take does: see may_show(). */
	{INTERFACE_OWN ".Show", true, NULL, JOB_SHOW, {TEXT(name), TEXT(form)}},
	{INTERFACE_OWN ".Translate",
	 true,
	 NULL,
	 JOB_TRANSLATE,
	 {REQUIRED(name), REQUIRED(device), INT(pasid), TEXT(access), TEXTS(iovas)}},
	{INTERFACE_OWN ".Delete",
	 false,
	 NULL,
	 JOB_DELETE,
	 {REQUIRED(name), BOOL(dry_run), BOOL(list), BOOL(verbose)}},
	{INTERFACE_OWN ".Invalidate",
	 false,
	 NULL,
	 JOB_INVALIDATE,
	 {REQUIRED(name), REQUIRED(object), TEXTS(entries), BOOL(leaf), BOOL(verbose)}},
	{INTERFACE_OWN ".Dirty",
	 false,
	 NULL,
	 JOB_DIRTY,
	 {REQUIRED(name), REQUIRED(object), REQUIRED(action), TEXT(range), TEXT(page_size),
	  BOOL(keep), BOOL(verbose)}},
	{INTERFACE_OWN ".Faults",
	 false,
	 NULL,
	 JOB_FAULTS,
	 {REQUIRED(name), TEXT(object), TEXT(answer), BOOL(verbose)}},
	{INTERFACE_OWN ".Take",
	 true,
	 NULL,
	 JOB_TAKE,
	 {REQUIRED(name), TEXT(mode), SOME_TEXTS(names)}},
	{INTERFACE_OWN ".TakeOver", false, NULL, JOB_TAKEOVER, {REQUIRED(action)}},
	/* Open to all, like Show: see subscription.c. */
	{INTERFACE_OWN ".Monitor", true, NULL, JOB_FOLLOW, {SOME_TEXTS(names)}},
	{NULL, false, NULL, 0, {}},
};

void job_free(struct job *job)
{
	if (!job)
		return;
	varlink_message_done(&job->message);
	free(job->reply);
	for (size_t i = 0; i < job->n_fds; i++)
		close(job->fds[i]);
	free(job->fds);
	free(job);
}

char *methods_failed(const struct ioasidctl_error *err, json_t *actions, size_t *length)
{
	json_t *parameters =
		json_pack("{s:o, s:o*}", "errors", report_errors(err), "actions", actions);

	return parameters ? varlink_error_text(VARLINK_FAILED, parameters, length) : NULL;
}

static const struct field *find_field(const struct method *method, const char *name)
{
	for (const struct field *f = method->fields; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	return NULL;
}

static bool is_texts(const json_t *value)
{
	const json_t *element;
	size_t i;

	json_array_foreach (value, i, element)
		if (!json_is_string(element))
			return false;
	return json_is_array(value);
}

static bool set_field(struct parameters *out, const struct field *f, const json_t *value)
{
	char *at = (char *)out + f->offset;

	if (json_is_null(value))
		return true;
	if (f->type == FIELD_BOOL) {
		*(bool *)at = json_is_true(value);
		return json_is_boolean(value);
	}
	if (f->type == FIELD_INT) {
		*(json_int_t *)at = json_integer_value(value);
		return json_is_integer(value) && json_integer_value(value) >= 0;
	}
	if (f->type == FIELD_TEXTS) {
		*(const json_t **)at = value;
		return is_texts(value);
	}
	*(const char **)at = json_string_value(value);
	return json_is_string(value);
}

/* The name of the parameter that is unknown, mistyped or missing; NULL: all is well. */
static const char *read_parameters(const struct method *method, json_t *json,
				   struct parameters *out)
{
	const char *key;
	json_t *value;

	*out = (struct parameters){.verify = true, .pasid = -1};
	json_object_foreach (json, key, value) {
		const struct field *f = find_field(method, key);

		if (!f || !set_field(out, f, value))
			return key;
	}
	for (const struct field *f = method->fields; f->name; f++)
		if (f->required && !*(const void **)((char *)out + f->offset))
			return f->name;
	return NULL;
}

static void answer_error(struct answer *out, const char *error, const char *key, const char *value)
{
	out->text = varlink_error_text(error, json_pack("{s:s}", key, value), &out->length);
}

static void answer_no_method(struct answer *out, const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t prefix = dot ? (size_t)(dot - name) : 0;
	_cleanup_free_ char *interface = strndup(name, prefix);

	for (const struct interface *i = interfaces; interface && i->name; i++)
		if (!strcmp(i->name, interface)) {
			answer_error(out, VARLINK_NO_METHOD, "method", name);
			return;
		}
	if (interface)
		answer_error(out, VARLINK_NO_INTERFACE, "interface", interface);
}

static void answer_not_allowed(struct answer *out, const struct method *method,
			       const struct peer *peer)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	const char *verb = strrchr(method->name, '.') + 1;

	error_new(&err, ERROR_PERMISSION, EACCES, "user id %u may not call %s of this holder",
		  (unsigned)peer->uid, verb);
	error_cause(&err, "it runs as user id %u, and takes this from that user and root alone",
		    (unsigned)geteuid());
	error_hint(&err, "call it as one of those, or start a holder of your own with --socket");
	out->text = methods_failed(err, NULL, &out->length);
}

static struct job *make_job(const struct method *method, const struct peer *peer,
			    struct varlink_message *message, const struct parameters *p)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->kind = method->kind;
	job->peer = *peer;
	job->parameters = *p;
	job->message = *message;
	*message = (struct varlink_message){0};
	return job;
}

void methods_call(const struct peer *peer, struct varlink_message *message, struct answer *out)
{
	_cleanup_message_ struct varlink_message owned = *message;
	const struct method *method = methods;
	struct parameters p;
	const char *wrong;

	*message = (struct varlink_message){0};
	*out = (struct answer){0};
	while (method->name && strcmp(method->name, owned.method))
		method++;
	if (!method->name) {
		answer_no_method(out, owned.method);
		return;
	}
	if (!method->open && !peer->trusted) {
		answer_not_allowed(out, method, peer);
		return;
	}
	wrong = owned.upgrade ? "upgrade" : read_parameters(method, owned.parameters, &p);
	if (wrong)
		answer_error(out, VARLINK_INVALID_PARAMETER, "parameter", wrong);
	else if (method->at_once)
		method->at_once(&p, out);
	else if (method->kind != JOB_FOLLOW)
		out->job = make_job(method, peer, &owned, &p);
	else if (owned.more)
		out->subscription = subscription_new(peer, (json_t *)p.names);
	else
		out->text = varlink_error_text(VARLINK_EXPECTED_MORE, NULL, &out->length);
}
