// SPDX-License-Identifier: GPL-2.0-or-later
#include "link.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "holder/journal.h"
#include "local.h"
#include "output.h"
#include "start.h"

static bool nobody_there(int ret)
{
	return ret == -ENOENT || ret == -ECONNREFUSED;
}

int link_open(const struct invocation *in, struct client **out, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	_cleanup_free_ char *path = NULL;
	int ret;

	*out = NULL;
	ret = client_socket_path(in->socket, &path, err);
	if (ret)
		return ret;
	ret = client_connect(path, out, &why);
	if (!ret || nobody_there(ret))
		return 0;
	if (err)
		*err = steal_pointer(why);
	return ret;
}

/* Start-ups may race, and an idle holder may end just as we come: a few rounds settle it. */
int link_open_or_start(const struct invocation *in, struct client **out,
		       struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *last = NULL;
	_cleanup_free_ char *path = NULL;
	int ret;

	ret = client_socket_path(in->socket, &path, err);
	if (ret)
		return ret;
	for (int round = 0; round < 5; round++) {
		const struct timespec pause = {.tv_nsec = 20L * 1000 * 1000 * round};

		nanosleep(&pause, NULL);
		error_free(last);
		last = NULL;
		ret = client_connect(path, out, &last);
		if (!nobody_there(ret))
			break;
		error_free(last);
		last = NULL;
		ret = start_holder(in, path, &last);
		/* Busy: somebody else was faster, and that one serves us as well. */
		if (ret && ret != -EADDRINUSE)
			break;
		if (!ret) {
			ret = client_connect(path, out, &last);
			if (!nobody_there(ret))
				break;
		}
	}
	if (ret && err)
		*err = steal_pointer(last);
	return ret;
}

/* What a holder that is gone left: topologies that it was told to keep, and those that it lost. */
struct leftovers {
	char *kept, *lost; /* names, with commas between; NULL: none */
};

static void leftovers_done(struct leftovers *l)
{
	free(l->kept);
	free(l->lost);
}

static void journal_freep(struct journal **journal)
{
	journal_free(*journal);
}

static void add_name(char **list, const char *name)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *list ? *list : "", *list ? ", " : "", name) < 0)
		return;
	free(*list);
	*list = longer;
}

static void find_leftovers(const char *socket, struct leftovers *l)
{
	_cleanup_(journal_freep)
	struct journal *journal = NULL;
	_cleanup_(journal_free_names)
	char **names = NULL;

	if (journal_look(socket, &journal) || journal_names(journal, &names, NULL))
		return;
	for (char **name = names; *name; name++) {
		_cleanup_entry_ struct journal_entry entry = {0};

		if (!journal_read(journal, *name, &entry, NULL))
			add_name(entry.kept ? &l->kept : &l->lost, *name);
	}
}

static int explain_nothing(const struct invocation *in, bool *left, struct ioasidctl_error **err)
{
	_cleanup_(leftovers_done)
	struct leftovers l = {0};
	_cleanup_free_ char *path = NULL;
	int ret = client_socket_path(in->socket, &path, err);

	if (ret)
		return ret;
	ret = error_new(err, ERROR_UNAVAILABLE, ENOENT, "no holder listens at %s", path);
	find_leftovers(path, &l);
	*left = l.lost || l.kept;
	if (l.lost) {
		error_cause(err,
			    "the last one was killed while it held %s: that is gone, but devices "
			    "may still be bound to the drivers that it gave them",
			    l.lost);
		error_hint(err, "`ioasidctl apply FILE` makes it again; `ioasidctl daemon "
				"--exit-idle` only gives the devices their drivers back");
	} else if (l.kept) {
		error_cause(err, "the last one kept %s for the next", l.kept);
		error_hint(err, "`ioasidctl daemon` is the next, and applies it again");
	} else {
		error_cause(err, "nothing was applied, or it was applied under another socket");
		error_hint(err,
			   "`ioasidctl apply FILE` starts a holder; --socket names another socket");
	}
	return ret;
}

int link_nothing_held(const struct invocation *in, struct ioasidctl_error **err)
{
	bool left;

	return explain_nothing(in, &left, err);
}

static int explain_end(struct ioasidctl_error **err)
{
	int ret = error_new(err, ERROR_UNAVAILABLE, ESHUTDOWN, "the holder has ended");

	error_hint(err, "`ioasidctl apply FILE` and `ioasidctl daemon` start another one");
	return ret;
}

int link_follow(struct client *client, json_t *names, int (*each)(void *data, const json_t *reply),
		void *data, struct ioasidctl_error **err)
{
	_cleanup_error_ struct ioasidctl_error *why = NULL;
	int ret = client_follow(client, "Monitor", json_pack("{s:o}", "names", names),
				STDOUT_FILENO, each, data, &why);

	/* What a write would do, which comes only with the next event. */
	if (ret == -EPIPE && !why) {
		raise(SIGPIPE);
		return error_new(err, ERROR_KERNEL, EPIPE, "standard output: %s", strerror(EPIPE));
	}
	if (!ret)
		return explain_end(err);
	*err = *err ? *err : steal_pointer(why);
	return ret;
}

void link_warn_of_leftovers(const struct invocation *in)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	bool left = false;

	explain_nothing(in, &left, &err);
	if (left)
		print_warning(in, err);
}

/* JSON strings are UTF-8; for a file that isn't, the parser says where. */
static int explain_encoding(const char *file, const char *text, size_t length,
			    struct ioasidctl_error **err)
{
	struct topology *parsed = NULL;
	int ret = config_parse(text, length, file, &parsed, err);

	if (ret)
		return ret;
	topology_free(parsed);
	return error_new(err, ERROR_CONFIG, EILSEQ, "%s is not UTF-8 text", file);
}

static int add_machine(const struct invocation *in, json_t *parameters,
		       struct ioasidctl_error **err)
{
	_cleanup_free_ char *machine = NULL;
	size_t length;
	int ret = machine_text(in, &machine, &length, err);

	if (ret || !machine)
		return ret;
	if (json_object_set_new(parameters, "machine", json_stringn(machine, length)))
		return error_new(err, ERROR_CONFIG, EILSEQ, "%s is not UTF-8 text", in->machine);
	return 0;
}

int link_parameters(const struct invocation *in, const char *file, json_t **out,
		    struct ioasidctl_error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t length;
	json_t *config;
	int ret;

	ret = config_read_file(file, &text, &length, err);
	if (ret)
		return ret;
	config = json_stringn(text, length);
	if (!config)
		return explain_encoding(file, text, length, err);
	*out = json_pack("{s:o, s:s*}", "config", config, "file", file);
	if (!*out)
		return error_nomem(err);
	if (driver_asked(in) != DRIVER_AUTO)
		json_object_set_new(*out, "driver",
				    json_string(driver_choice_names[driver_asked(in)]));
	ret = add_machine(in, *out, err);
	if (ret) {
		json_decref(*out);
		*out = NULL;
	}
	return ret;
}

int link_call(struct client *client, const char *method, json_t *parameters, json_t **reply,
	      struct ioasidctl_error **err)
{
	const json_t *action;
	size_t i;
	int ret;

	*reply = NULL;
	ret = client_call(client, method, parameters, reply, err);
	/* Also of a call that failed: what was done, and undone, matters then most of all. */
	json_array_foreach (json_object_get(*reply, "actions"), i, action)
		if (json_is_string(action))
			print_action(NULL, json_string_value(action));
	if (!ret)
		return 0;
	json_decref(*reply);
	*reply = NULL;
	return ret;
}
