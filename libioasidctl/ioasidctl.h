/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libioasidctl: declare I/O address spaces in YAML, make the kernel look like that, show it.
 *
 * Every call that can fail returns 0 or -errno and takes a last argument
 * `struct ioasidctl_error **error`: NULL if the number is enough, else the address of a pointer
 * that is NULL; on failure it gets an object to be freed with ioasidctl_error_free(). The library
 * never prints, never exits and has no global state. A handle may be used by one thread at a time.
 *
 * Texts are UTF-8. Strings returned through `char **` are the caller's to free(); those returned by
 * value belong to the object they were asked of.
 */
#ifndef IOASIDCTL_H
#define IOASIDCTL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define IOASIDCTL_API __attribute__((visibility("default")))
#else
#define IOASIDCTL_API
#endif

struct ioasidctl; /* topologies and the way to them: in this process, or in a holder */
struct ioasidctl_error; /* what failed and why */

/* "0.1.0". Since: 0.1 */
IOASIDCTL_API const char *ioasidctl_version(void);

struct ioasidctl_options {
	size_t size; /* sizeof(struct ioasidctl_options), for later growth */
	const char *root; /* prefix of /sys, /proc and /dev; NULL: none */
	const char *machine; /* JSON description of the reference device's machine; NULL: default */
};

/*
 * Topologies held by this process: its descriptors, gone when it ends. options may be NULL.
 * -EINVAL: a machine description that is wrong. Since: 0.1
 */
IOASIDCTL_API int ioasidctl_new(const struct ioasidctl_options *options, struct ioasidctl **out,
				struct ioasidctl_error **error);

/*
 * Topologies held by a holder. `socket`: path of its control socket; NULL: $IOASIDCTL_SOCKET, else
 * the default of ioasidctl-holder(8). -ENOENT, -ECONNREFUSED: none listens there. Since: 0.1
 */
IOASIDCTL_API int ioasidctl_connect(const char *socket, struct ioasidctl **out,
				    struct ioasidctl_error **error);

/*
 * Frees the handle. Topologies of this process lose their descriptors, which detaches their
 * devices; host drivers are restored only by ioasidctl_delete(). A holder's topologies stay.
 * Since: 0.1
 */
IOASIDCTL_API void ioasidctl_free(struct ioasidctl *ctx);

/*
 * Checks `length` bytes of YAML or JSON against the grammar of ioasidctl.yaml(5), without any
 * device. `file` names it in errors. -EINVAL: the errors are chained in order of position.
 * Since: 0.1
 */
IOASIDCTL_API int ioasidctl_check(const char *text, size_t length, const char *file,
				  struct ioasidctl_error **error);

enum ioasidctl_flags {
	IOASIDCTL_DRY_RUN = 1 << 0, /* only say what would be done */
	IOASIDCTL_NO_VERIFY = 1 << 1, /* don't read the result back */
	IOASIDCTL_OPERATIONS = 1 << 2, /* list each operation in the result */
};

/*
 * Makes the topology that the config names look like the config; on failure everything is as it
 * was. `driver`: instead of what the config says ("iommufd", "vfio", "ioasid"), or NULL. *result:
 * JSON, {name, changed, counts, operations?} as in result.schema.json; may be NULL. Since: 0.1
 */
IOASIDCTL_API int ioasidctl_apply(struct ioasidctl *ctx, const char *text, size_t length,
				  const char *file, const char *driver, unsigned flags,
				  char **result, struct ioasidctl_error **error);

/*
 * Removes a topology: detaches, frees, closes, restores host drivers. What this process has mapped
 * of a device's regions must be unmapped before: the kernel waits for that. -ENOENT: there is none
 * of that name. *result as for ioasidctl_apply(). Since: 0.1
 */
IOASIDCTL_API int ioasidctl_delete(struct ioasidctl *ctx, const char *name, unsigned flags,
				   char **result, struct ioasidctl_error **error);

/*
 * *dump: the live topologies as JSON, as in show.schema.json; `name` NULL: all of them. -ENOENT:
 * there is none of that name. Since: 0.1
 */
IOASIDCTL_API int ioasidctl_show(struct ioasidctl *ctx, const char *name, char **dump,
				 struct ioasidctl_error **error);

/* *yaml: a config that applies to the live state of that topology. Since: 0.1 */
IOASIDCTL_API int ioasidctl_dump_config(struct ioasidctl *ctx, const char *name, char **yaml,
					struct ioasidctl_error **error);

/*
 * Where `n` addresses (1 to 128) of a device's DMA lead, as its IOMMU would find out: through the
 * guest's table if the device is in a nested IOASID, and the mapping, to the memory. pasid: -1 for
 * DMA without one. access: "r", "w" or "rw", what has to be allowed; NULL: any of it. *translation:
 * JSON as in translate.schema.json, also of addresses that lead nowhere. -ENOENT: no such topology
 * or device. Since: 0.1
 */
IOASIDCTL_API int ioasidctl_translate(struct ioasidctl *ctx, const char *topology,
				      const char *device, long pasid, const char *access,
				      const uint64_t *iovas, size_t n, char **translation,
				      struct ioasidctl_error **error);

/*
 * The descriptor of the fd, device or memory `object` of a topology of this process, borrowed: it
 * lives as long as the object does. With driver vfio also "FD/IOASID", a container, and "group/8".
 * -ENOENT: no such object; -EOPNOTSUPP: it has no descriptor (the reference device in this
 * process), or the topology is a holder's. Since: 0.1
 */
IOASIDCTL_API int ioasidctl_descriptor(struct ioasidctl *ctx, const char *topology,
				       const char *object, struct ioasidctl_error **error);

/* Parts of an error; NULL or 0 where unknown. Since: 0.1 */
IOASIDCTL_API const char *ioasidctl_error_kind(const struct ioasidctl_error *error);
IOASIDCTL_API const char *ioasidctl_error_message(const struct ioasidctl_error *error);
IOASIDCTL_API const char *ioasidctl_error_cause(const struct ioasidctl_error *error);
IOASIDCTL_API const char *ioasidctl_error_hint(const struct ioasidctl_error *error);
IOASIDCTL_API const char *ioasidctl_error_object(const struct ioasidctl_error *error);
IOASIDCTL_API const char *ioasidctl_error_file(const struct ioasidctl_error *error);
IOASIDCTL_API unsigned ioasidctl_error_line(const struct ioasidctl_error *error);
IOASIDCTL_API unsigned ioasidctl_error_column(const struct ioasidctl_error *error);
IOASIDCTL_API const char *ioasidctl_error_ioctl(const struct ioasidctl_error *error);
IOASIDCTL_API int ioasidctl_error_errno(const struct ioasidctl_error *error);
/* The next error of the chain; NULL: the last. Owned by the chain. */
IOASIDCTL_API const struct ioasidctl_error *ioasidctl_error_next(
	const struct ioasidctl_error *error);
/* Frees the whole chain; NULL is fine. */
IOASIDCTL_API void ioasidctl_error_free(struct ioasidctl_error *error);

#ifdef __cplusplus
}
#endif

#endif
