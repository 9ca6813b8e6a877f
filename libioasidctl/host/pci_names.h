/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of PCI vendors, devices and classes from pci.ids. What is wanted is collected first, so
 * that the file, of more than a megabyte, is gone through once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct pci_name;

struct pci_names {
	struct pci_name *list;
	size_t n, capacity;
};

/* A device (vendor and device id) and a class code of 24 bits. 0 or -ENOMEM. */
int pci_names_want(struct pci_names *names, uint16_t vendor, uint16_t device, uint32_t class);

/*
 * Looks them all up; the names live in the arena. Reads root's own pci.ids, else this machine's.
 * 0; -ENOENT: there is none; -errno.
 */
int pci_names_load(struct pci_names *names, const char *root, struct arena *arena);

/* NULL: not in the file. The class is that of the subclass where it has a name of its own. */
const char *pci_names_vendor(const struct pci_names *names, uint16_t vendor);
const char *pci_names_device(const struct pci_names *names, uint16_t vendor, uint16_t device);
const char *pci_names_class(const struct pci_names *names, uint32_t class);

void pci_names_done(struct pci_names *names);
#define _cleanup_pci_names_ __attribute__((cleanup(pci_names_done)))
