/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's edu device through VFIO, and TAP, for programs that take descriptors of `ioasidctl`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL
/* Half of the device's buffer: it refuses transfers that touch its last byte. */
#define CHUNK	    2048UL
#define CHUNK_WORDS (CHUNK / sizeof(uint64_t))

#define EDU_ADDRESS_LAST 0x0fffffffUL /* of the 28 address bits that it has by default */

bool check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bail_out(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Prints the plan; the exit status of the program. */
int conclude(void);

/* The descriptor of that name among those of LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES. */
int inherited_fd(const char *name);

/* Makes the device a bus master and maps BAR 0. */
volatile uint8_t *open_registers(int device);
void close_registers(volatile uint8_t *registers);
/* Up to a chunk between the device's buffer and the IOVA. */
void transfer(volatile uint8_t *registers, uint64_t iova, uint64_t length, bool to_memory);

/* No word comes twice, and none is zero. */
uint64_t pattern(uint64_t salt, uint64_t index);
void fill(uint64_t *words, uint64_t count, uint64_t salt);
bool is_filled(const uint64_t *words, uint64_t count, uint64_t salt);
