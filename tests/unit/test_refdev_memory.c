// SPDX-License-Identifier: GPL-2.0-or-later
/* Moving bytes of a process, on kernels with and without calls for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "refdev/memory.h"

/* What the calls say instead of working; 0: they work. The linker puts these in between. */
static int refusal;
static unsigned refused;

#define WRAP(name)                                                                              \
	ssize_t __real_##name(pid_t, const struct iovec *, unsigned long, const struct iovec *, \
			      unsigned long, unsigned long);                                    \
	ssize_t __wrap_##name(pid_t, const struct iovec *, unsigned long, const struct iovec *, \
			      unsigned long, unsigned long);                                    \
	ssize_t __wrap_##name(pid_t pid, const struct iovec *here, unsigned long n,             \
			      const struct iovec *there, unsigned long m, unsigned long flags)  \
	{                                                                                       \
		if (!refusal)                                                                   \
			return __real_##name(pid, here, n, there, m, flags);                    \
		refused++;                                                                      \
		errno = refusal;                                                                \
		return -1;                                                                      \
	}

WRAP(process_vm_readv)
WRAP(process_vm_writev)

static void move_both_ways(void)
{
	char memory[64] = "what was here", seen[64];
	uint64_t at = (uintptr_t)memory;
	size_t done = 0;

	assert_int_equal(memory_read(0, seen, at, sizeof(seen), &done), 0);
	assert_int_equal(done, sizeof(seen));
	assert_string_equal(seen, "what was here");
	assert_int_equal(memory_write(0, at, "something new", 14, NULL), 0);
	assert_string_equal(memory, "something new");
}

static void stop_at_the_end(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t end = (uintptr_t)page + 4096;
	char seen[64];
	size_t done = 99;

	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(munmap(page + 4096, 4096), 0);
	assert_int_equal(memory_read(0, seen, end - 16, sizeof(seen), &done), -EFAULT);
	assert_int_equal(done, 16);
	assert_int_equal(memory_write(0, end, seen, 1, &done), -EFAULT);
	assert_int_equal(done, 0);
	assert_int_equal(munmap(page, 4096), 0);
}

static void test_by_the_calls(void **state)
{
	(void)state;
	refusal = 0;
	move_both_ways();
	stop_at_the_end();
}

static void test_without_them(void **state)
{
	static const int refusals[] = {ENOSYS, EPERM};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		refusal = refusals[i];
		refused = 0;
		move_both_ways();
		stop_at_the_end();
		assert_in_range(refused, 4, 100);
	}
}

/* Nothing else makes up for an address that is none. */
static void test_other_failures_are_final(void **state)
{
	char memory[16] = "", seen[16];

	(void)state;
	refusal = EFAULT;
	assert_int_equal(memory_read(0, seen, (uintptr_t)memory, 16, NULL), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_the_calls),
		cmocka_unit_test(test_without_them),
		cmocka_unit_test(test_other_failures_are_final),
	};

	return cmocka_run_group_tests_name("refdev-memory", tests, NULL, NULL);
}
