// SPDX-License-Identifier: LGPL-2.1-or-later
/* From a command number to its call: sizes, flags, the lock. */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "refdev/state.h"

#define NUMBER(command) ((command) & ((1UL << _IOC_NRBITS) - 1))

/* Past this an argsz is taken for garbage. */
#define ARGSZ_MAX 4096

struct call {
	int (*run)(struct refdev_file *file, void *args);
	uint32_t size;
	uint32_t flags; /* those that are known */
};

#define X(command, function, type, flags)                               \
	static int run_##function(struct refdev_file *file, void *args) \
	{                                                               \
		return call_##function(file, (type *)args);             \
	}
CALLS(X)
#undef X

static const struct call calls[] = {
#define X(command, function, type, flags) \
	[NUMBER(IOASID_##command) - IOASID_BASE] = {run_##function, sizeof(type), flags},
	CALLS(X)
#undef X
};

/* Numbers that the proposal assigned and this device doesn't serve. */
static bool is_assigned(unsigned long command)
{
	switch (command) {
	case IOASID_REGISTER_MEMORY:
	case IOASID_UNREGISTER_MEMORY:
	case IOASID_CREATE_NESTING:
	case IOASID_BIND_PGTABLE:
	case IOASID_UNBIND_PGTABLE:
	case IOASID_BIND_PASID_TABLE:
	case IOASID_UNBIND_PASID_TABLE:
		return true;
	default:
		return false;
	}
}

static const struct call *find_call(unsigned long command)
{
	unsigned long number = NUMBER(command);

	if (command != (unsigned long)_IO(IOASID_TYPE, number) || number < IOASID_BASE ||
	    number - IOASID_BASE >= ARRAY_SIZE(calls) || !calls[number - IOASID_BASE].run)
		return NULL;
	return &calls[number - IOASID_BASE];
}

/* What a newer caller knows and we don't must be unused. */
static int check_args(const struct call *call, const void *arg)
{
	uint32_t argsz, flags;

	memcpy(&argsz, arg, sizeof(argsz));
	if (argsz < call->size)
		return -EINVAL;
	if (argsz > ARGSZ_MAX)
		return -E2BIG;
	for (uint32_t i = call->size; i < argsz; i++)
		if (((const char *)arg)[i])
			return -E2BIG;
	memcpy(&flags, (const char *)arg + sizeof(argsz), sizeof(flags));
	return flags & ~call->flags ? -EOPNOTSUPP : 0;
}

int refdev_ioctl(struct refdev_file *file, unsigned long command, void *arg)
{
	return refdev_ioctl_of(file, 0, command, arg);
}

int refdev_ioctl_of(struct refdev_file *file, pid_t caller, unsigned long command, void *arg)
{
	const struct call *call = find_call(command);
	int ret;

	if (!call)
		return is_assigned(command) ? -EOPNOTSUPP : -ENOTTY;
	if (!arg)
		return -EFAULT;
	ret = check_args(call, arg);
	if (ret)
		return ret;
	pthread_mutex_lock(&file->refdev->lock);
	file->caller = caller;
	ret = call->run(file, arg);
	pthread_mutex_unlock(&file->refdev->lock);
	return ret;
}
