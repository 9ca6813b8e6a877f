// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "holder/handover.h"
#include "interrupt.h"
#include "local.h"
#include "output.h"
#include "report/report.h"

/* Signals for CMD; the others keep their usual effect on us. */
static const int forwarded[] = {SIGTERM, SIGINT,  SIGHUP,   SIGQUIT, SIGUSR1,
				SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

struct signals {
	sigset_t waited; /* the forwarded ones and SIGCHLD; blocked, so that none gets lost */
	atomic_bool cancel;
};

static void signals_block(struct signals *s)
{
	sigemptyset(&s->waited);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&s->waited, forwarded[i]);
	sigaddset(&s->waited, SIGCHLD);
	sigprocmask(SIG_BLOCK, &s->waited, NULL);
	/* Inherited as ignored, it would take CMD's exit status away. */
	signal(SIGCHLD, SIG_DFL);
}

/* While the topology is being made nobody waits for signals: look between the operations. */
static void look_for_signals(void *data)
{
	struct signals *s = data;
	sigset_t pending;

	sigpending(&pending);
	for (size_t i = 0; i < 4; i++) /* those that end a program which doesn't expect them */
		if (sigismember(&pending, forwarded[i]))
			atomic_store(&s->cancel, true);
}

static int wait_for(pid_t pid, const struct signals *s)
{
	siginfo_t info;
	int status;

	for (;;) {
		int signal = sigwaitinfo(&s->waited, &info);

		if (signal == SIGCHLD) {
			pid_t ended = waitpid(pid, &status, WNOHANG);

			if (ended == pid)
				break;
		} else if (signal > 0 && info.si_code != SI_KERNEL) {
			/* What the terminal sends (SI_KERNEL), it sends to CMD as well. */
			kill(pid, signal);
		}
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int spawn(const struct engine *engine, const char *name, char *const command[], pid_t *pid,
		 struct ioasidctl_error **err)
{
	_cleanup_(handover_done)
	struct handover handover = {0};
	_cleanup_free_ char *dump = NULL;
	const struct topology *t = engine_topology(engine, name);
	json_t *document = report_dump(json_pack("[o]", report_topology(engine_env(engine), t)));
	char **argv = NULL;
	int ret;

	dump = document ? json_dumps(document, JSON_INDENT(2)) : NULL;
	json_decref(document);
	if (!dump)
		return error_nomem(err);
	ret = handover_collect(t, &handover, err);
	if (!ret)
		ret = handover_argv(&handover, command, &argv, err);
	if (!ret)
		ret = handover_spawn(&handover, argv, dump, pid, err);
	handover_free_argv(argv);
	return ret;
}

/* The topology is live: CMD runs in it. Returns the exit status. */
static int run_command(const struct invocation *in, const struct engine *engine, const char *name,
		       struct signals *signals)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	pid_t pid;
	int ret;

	look_for_signals(signals);
	if (atomic_load(&signals->cancel)) {
		error_new(&err, ERROR_INTERRUPTED, EINTR, "interrupted before %s was started",
			  in->command[0]);
		return print_errors(in, err);
	}
	ret = spawn(engine, name, in->command, &pid, &err);
	if (ret)
		return print_command_errors(in, err, ret);
	return wait_for(pid, signals);
}

static int run_in(const struct invocation *in, struct engine *engine, struct topology *t)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_free_ char *name = strdup(t->name);
	struct signals signals = {0};
	struct transaction how = {
		.driver = driver_asked(in),
		.no_verify = in->no_verify,
		.trace = in->verbose ? print_action : NULL,
		.cancel = &signals.cancel,
		.between = look_for_signals,
		.between_data = &signals,
	};
	json_t *result = NULL;
	int status;

	if (!name) {
		topology_free(t);
		error_nomem(&err);
		return print_errors(in, err);
	}
	signals_block(&signals);
	interrupt_only_from_outside();
	if (engine_apply(engine, t, &how, &result, &err))
		return print_errors(in, err);
	json_decref(result);
	status = run_command(in, engine, name, &signals);
	how.cancel = NULL;
	how.between = NULL;
	how.regardless = true; /* than to leave all of it */
	if (engine_delete(engine, name, &how, &result, &err)) {
		int failed = print_errors(in, err);

		return status ? status : failed;
	}
	json_decref(result);
	return status;
}

static int run(const struct invocation *in)
{
	_cleanup_environment_ struct environment world = {0};
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	_cleanup_free_ char *text = NULL;
	struct topology *t = NULL;
	struct engine *engine;
	size_t length;
	int status;

	if (config_read_file(in->arguments[0], &text, &length, &err) ||
	    config_parse(text, length, in->arguments[0], &t, &err))
		return print_errors(in, err);
	if (environment_make(in, &world, &err) || engine_new(&world.env, &engine, &err)) {
		topology_free(t);
		return print_errors(in, err);
	}
	status = run_in(in, engine, t);
	engine_free(engine);
	return status;
}

const struct verb verb_run = {
	.name = "run",
	.synopsis = "FILE -- CMD [ARG...]",
	.help = "Run a command inside a topology",
	.text = "Makes the topology of FILE in this process, without a holder, starts CMD with its "
		"descriptors, and takes the topology down when CMD ends. Signals are passed on to "
		"CMD, and its exit status is that of ioasidctl (128 + N after signal N; 127: not "
		"found; 126: found, but can't be executed).\n\n"
		"CMD gets the descriptors of the fds, devices and memories from 3 on, in the order "
		"of the file, described by LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES; {fd:NAME} in "
		"its arguments becomes the number of one. IOASIDCTL_TOPOLOGY names a file with the "
		"dump of `show --json`, object ids included. With driver vfio an fd has no descriptor of "
		"its own, but each of its IOASIDs has one, FD/IOASID (a container), and each IOMMU "
		"group, group/NUMBER, behind those of the devices. FD/IOASID can also be a queue of page "
		"faults, and FD/VIOMMU a queue of events. The reference device lives in this process: "
		"with it only memories and queues have descriptors.",
	.options = OPTION(DRIVER) | OPTION(MACHINE) | OPTION(NO_VERIFY) | OPTION(VERBOSE),
	.min_arguments = 1,
	.max_arguments = 1,
	.complete = COMPLETE_FILE,
	.runs_command = true,
	.run = run,
};
