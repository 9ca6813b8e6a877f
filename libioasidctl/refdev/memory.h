/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of the process that has the file open, reached through the kernel: an address that
 * leads nowhere is an error here and never a signal. `process` 0: this one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* 0 or -EFAULT; *done (may be NULL) gets the bytes moved. */
int memory_read(pid_t process, void *to, uint64_t from, size_t length, size_t *done);
int memory_write(pid_t process, uint64_t to, const void *from, size_t length, size_t *done);

/* 0: something is mapped at every page of the range; -EFAULT. Populates nothing. */
int memory_present(pid_t process, uint64_t address, uint64_t length);

uint64_t memory_page_size(void);
