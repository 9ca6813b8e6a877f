// SPDX-License-Identifier: GPL-2.0-or-later
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define UNDONE "the holder undoes what it has begun, unless it was done already"
#define LOOK   "`ioasidctl show` tells what there is now"

static const char plain[] = "ioasidctl: error: interrupted; " UNDONE "\n  hint: " LOOK "\n";

/* Made beforehand: a signal handler can't allocate. */
static char *explanation;

static void explain_and_die(int signal)
{
	const char *text = explanation ? explanation : plain;
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored;
	raise(signal); /* SA_RESETHAND: now deadly */
}

static char *json_explanation(void)
{
	_cleanup_error_ struct ioasidctl_error *err = NULL;
	char *text, *line = NULL;

	error_new(&err, ERROR_INTERRUPTED, EINTR, "interrupted");
	error_cause(&err, "%s", UNDONE);
	error_hint(&err, "%s", LOOK);
	text = err ? errors_json_text(err) : NULL;
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

void interrupt_explain(const struct invocation *in)
{
	struct sigaction action = {.sa_handler = explain_and_die,
				   .sa_flags = SA_RESETHAND | SA_NODEFER};

	if (in->json)
		explanation = json_explanation();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction before;

		/* nohup and background jobs ignore some on purpose. */
		if (!sigaction(signals[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
}

void interrupt_forget(void)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction now;

		if (!sigaction(signals[i], NULL, &now) && now.sa_handler == explain_and_die)
			signal(signals[i], SIG_DFL);
	}
	free(explanation);
	explanation = NULL;
}

void interrupt_only_from_outside(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}
