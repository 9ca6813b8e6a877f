/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the next holder must know if this one ends: a file for each topology, beside the socket in
 * SOCKET.state/. Written whole (temporary file, fsync, rename), so a reader finds the old or the
 * new state and nothing between.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/topology.h"

#define JOURNAL_SCHEMA_VERSION 1

/* A device that was bound to another host driver. All strings owned. */
struct journal_binding {
	char *device; /* its name in the topology */
	enum selector selector;
	char *address;
	enum driver_choice interface; /* whose device_set_driver() gives it back */
	char *driver; /* bound to; NULL: not touched, and the next two mean nothing */
	char *original_driver; /* "" none */
	char *original_override; /* driver_override; NULL: none */
	uint32_t vfs, original_vfs; /* how many VFs; NO_INDEX: not touched */
	char *management; /* that it was made on, and so is to be deleted; NULL: it was there */
	char *taken_for; /* the device in whose group it is; NULL: it is declared itself */
};

struct journal_entry {
	char *name;
	uid_t owner;
	bool kept; /* left on purpose, to be applied again; else: by a crash */
	enum driver_choice driver; /* as given to Apply */
	char *file; /* NULL: none was given */
	char *config; /* as applied */
	char *machine; /* NULL: the holder's own */
	struct journal_binding *bindings;
	size_t n_bindings;
};

struct journal;

/* Makes the directory. Refuses one that others could have written into. */
int journal_open(const char *socket, struct journal **out, struct ioasidctl_error **err);
/*
 * The same for somebody who only wants to know what a holder left there: makes nothing and takes
 * nothing away. -errno: there is none, or it isn't for this user.
 */
int journal_look(const char *socket, struct journal **out);
/* Removes the directory if it is the holder's and nothing is left in it. NULL is fine. */
void journal_free(struct journal *journal);

/* The same, but the directory stays: another process is the holder. NULL is fine. */
void journal_leave(struct journal *journal);

int journal_write(const struct journal *journal, const struct journal_entry *entry,
		  struct ioasidctl_error **err);
/* -ENOENT: no entry of that name; -EINVAL: damaged. *out: journal_entry_done(). */
int journal_read(const struct journal *journal, const char *name, struct journal_entry *out,
		 struct ioasidctl_error **err);
/* No entry is fine. */
int journal_remove(const struct journal *journal, const char *name, struct ioasidctl_error **err);
/* Puts a damaged entry aside as NAME.damaged, for people to look at. */
int journal_put_aside(const struct journal *journal, const char *name,
		      struct ioasidctl_error **err);
/* Names of all entries; *names: NULL-terminated, owned. */
int journal_names(const struct journal *journal, char ***names, struct ioasidctl_error **err);
void journal_free_names(char ***names);

/* Adds an empty binding; NULL: out of memory. */
struct journal_binding *journal_add_binding(struct journal_entry *entry);
void journal_entry_done(struct journal_entry *entry);
#define _cleanup_entry_ __attribute__((cleanup(journal_entry_done)))
