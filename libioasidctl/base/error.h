/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one error object of the library.
 *
 * A function that can fail takes a last argument `struct ioasidctl_error **err` (NULL: the caller
 * doesn't want to know more than the number) and returns -errno. error_new() makes the object and
 * returns the -errno, so that a failure is one statement:
 *
 *	return error_new(err, ERROR_BUSY, EBUSY, "device %s is taken", name);
 *
 * Decorations follow the making and do nothing when there is no object. A chain (`next`) exists
 * only where one run finds several faults: the errors of a config file.
 */
#pragma once

#include <stdarg.h>
#include <stdint.h>

/* The closed set of kinds: name in JSON, exit status of the command, whether a retry can help. */
#define ERROR_KINDS(X)                                                                \
	X(USAGE, "usage", 64, 0) /* the call or command line makes no sense */        \
	X(CONFIG, "config", 65, 0) /* the file is wrong, whatever the machine */      \
	X(REFUSED, "refused", 1, 0) /* well-formed, but this driver can't do it */    \
	X(UNAVAILABLE, "unavailable", 69, 1) /* holder, node or device isn't there */ \
	X(PERMISSION, "permission", 77, 0) /* not allowed for this user */            \
	X(BUSY, "busy", 1, 1) /* somebody else holds it */                            \
	X(KERNEL, "kernel", 1, 0) /* the kernel (or reference device) said no */      \
	X(VERIFY, "verify", 1, 1) /* done, but reading back shows otherwise */        \
	X(MEMORY, "memory", 1, 1) /* out of memory, descriptors, locked pages */      \
	X(PROTOCOL, "protocol", 1, 0) /* the other side of a socket talks nonsense */ \
	X(INTERRUPTED, "interrupted", 1, 1) /* a signal ended it; everything was undone */

enum error_kind {
#define X(id, name, exit_status, retry) ERROR_##id,
	ERROR_KINDS(X)
#undef X
		ERROR_KINDS_COUNT
};

struct ioasidctl_error {
	enum error_kind kind;
	int errnum; /* positive errno */
	char *message; /* what went wrong, one sentence without a full stop */
	char *cause; /* why, as far as it was found out; or NULL */
	char *hint; /* what to do; or NULL */
	char *object; /* path of the object: "fds[0].ioasids[1].parent", "vm0/main/gpa"; or NULL */
	char *file; /* config file; or NULL */
	uint32_t line; /* 1-based; 0: no position */
	uint32_t column;
	char *source; /* the source line, for the caret; or NULL */
	char *ioctl; /* the kernel call that failed, "IOMMU_IOAS_MAP"; or NULL */
	struct ioasidctl_error *next; /* owned */
};

const char *error_kind_name(enum error_kind kind);
int error_kind_exit_status(enum error_kind kind);
/* The kind of that name; -1: none. */
int error_kind_by_name(const char *name);

/*
 * Makes an error and appends it to the chain at *err (err may be NULL). Returns -errnum. When even
 * that memory is missing, nothing is recorded and the number still says what happened.
 */
int error_new(struct ioasidctl_error **err, enum error_kind kind, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* -ENOMEM, with the standard message. */
int error_nomem(struct ioasidctl_error **err);

/* Decorate the newest error of the chain; each replaces what was there. */
void error_cause(struct ioasidctl_error **err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void error_hint(struct ioasidctl_error **err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void error_object(struct ioasidctl_error **err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void error_ioctl(struct ioasidctl_error **err, const char *name);
void error_position(struct ioasidctl_error **err, const char *file, uint32_t line, uint32_t column);

void error_free(struct ioasidctl_error *err); /* the whole chain; NULL is fine */
void error_freep(struct ioasidctl_error **err);
#define _cleanup_error_ __attribute__((cleanup(error_freep)))
