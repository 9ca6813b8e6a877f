/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that was handed a queue of page faults and one of events, and reads them: prints a line
 * for each record, and answers each fault with success. Ends with standard input.
 *
 *	ioasidctl exec NAME -- queue_reader {fd:FAULTS} {fd:EVENTS}
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "uapi/iommufd.h"

static void read_faults(int fd)
{
	struct iommufd_pgfault fault;

	while (read(fd, &fault, sizeof(fault)) == sizeof(fault)) {
		struct iommufd_page_response answer = {.cookie = fault.cookie,
						       .code = IOMMUFD_RESPONSE_SUCCESS};

		printf("fault at %#llx%s\n", (unsigned long long)fault.addr,
		       write(fd, &answer, sizeof(answer)) == sizeof(answer) ? ", answered" : "");
	}
}

static void read_events(int fd)
{
	char event[256];
	ssize_t n = read(fd, event, sizeof(event));

	if (n > 0)
		printf("event of %zd bytes\n", n);
}

int main(int argc, char **argv)
{
	struct pollfd fds[3] = {{.fd = STDIN_FILENO, .events = POLLIN}};
	char byte;

	if (argc != 3)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < 3; i++)
		fds[i] = (struct pollfd){.fd = atoi(argv[i]), .events = POLLIN};
	puts("ready");
	while (poll(fds, 3, -1) > 0) {
		if (fds[0].revents && read(STDIN_FILENO, &byte, 1) <= 0)
			return 0;
		if (fds[1].revents & POLLIN)
			read_faults(fds[1].fd);
		if (fds[2].revents & POLLIN)
			read_events(fds[2].fd);
	}
	return 1;
}
