/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ioctl(2) that is told what to expect: calls in order, each argument byte for byte. To be
 * included by one file of a test program, whose calls then never reach a kernel.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#define EXPECTED_MAX 8192
#define ARGUMENT_MAX 128

struct expected_call {
	unsigned long request;
	size_t size;
	unsigned char args[ARGUMENT_MAX]; /* what it must be, pointers 0 where `look` clears them */
	unsigned char answer[ARGUMENT_MAX]; /* what it becomes */
	bool answers;
	bool by_value; /* the argument is no pointer */
	unsigned long value;
	int fd; /* it must come on; 0: on any */
	int result; /* what it returns when it doesn't fail */
	int errnum;
	/* Checks what a pointer in `args` leads to, may fill it, and clears it in `copy`. */
	void (*look)(void *args, void *copy);
};

static struct expected_call expected[EXPECTED_MAX];
static size_t n_expected, n_called;

static struct expected_call *expect_raw(unsigned long request, const void *args, size_t size)
{
	struct expected_call *c;

	assert_true(n_expected < EXPECTED_MAX && size <= ARGUMENT_MAX);
	c = &expected[n_expected++];
	*c = (struct expected_call){.request = request, .size = size};
	if (size)
		memcpy(c->args, args, size);
	return c;
}

/* The next call: number, type of its argument, and the fields that aren't 0. */
#define EXPECT(request, type, ...) \
	expect_raw(request, &(struct type){__VA_ARGS__}, sizeof(struct type))

/* The last expected call: answers with these fields (all others 0), or fails. */
#define ANSWER(type, ...)                                                               \
	do {                                                                            \
		struct expected_call *last = &expected[n_expected - 1];                 \
		memcpy(last->answer, &(struct type){__VA_ARGS__}, sizeof(struct type)); \
		last->answers = true;                                                   \
	} while (0)
#define FAIL(number)   (expected[n_expected - 1].errnum = (number))
#define LOOK(function) (expected[n_expected - 1].look = (function))

/* Of the last expected call. */
#define ON(number)	(expected[n_expected - 1].fd = (number))
#define RETURNS(number) (expected[n_expected - 1].result = (number))

/* The next call takes this number instead of a pointer, or nothing. */
static inline void expect_number(unsigned long request, unsigned long value)
{
	struct expected_call *c = expect_raw(request, NULL, 0);

	c->by_value = true;
	c->value = value;
}

static inline void expect_bare(unsigned long request)
{
	expect_raw(request, NULL, 0);
}

/* Every call that was expected has come. For the end of each test. */
static void expect_no_more(void)
{
	assert_int_equal(n_called, n_expected);
	n_called = n_expected = 0;
}

static int ioctl_serve(int fd, unsigned long request, void *args)
{
	unsigned char copy[ARGUMENT_MAX];
	struct expected_call *c;

	if (n_called == n_expected)
		fail_msg("ioctl %lx comes unexpected", request);
	c = &expected[n_called++];
	assert_int_equal(request & UINT32_MAX, c->request & UINT32_MAX);
	if (c->fd)
		assert_int_equal(fd, c->fd);
	if (c->by_value)
		assert_int_equal((unsigned long)(uintptr_t)args, c->value);
	if (c->size)
		memcpy(copy, args, c->size);
	if (c->look)
		c->look(args, copy);
	if (c->size)
		assert_memory_equal(copy, c->args, c->size);
	if (c->answers)
		memcpy(args, c->answer, c->size);
	errno = c->errnum;
	return c->errnum ? -1 : c->result;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *args;

	va_start(list, request);
	args = va_arg(list, void *);
	va_end(list);
	assert_true(fd >= 0);
	return ioctl_serve(fd, request, args);
}
