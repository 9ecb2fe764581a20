// SPDX-License-Identifier: GPL-2.0-only
/* The table of ioctls, and the one way through it. */
#include "accel_internal.h"

#include <kunit/visibility.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* Arguments up to this size are copied to the stack. */
#define ACCEL_IOCTL_STACK_SIZE	128

/*
 * The uapi header's table says what there is; this, how each is to be called. What
 * waits, or looks at user memory, which may make it wait for ever, does without
 * the device or enters it for a part of the way.
 */
enum {
	ACCEL_QUERY_FLAGS = ACCEL_IOCTL_OUT | ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_DESTROY_FLAGS = ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_CLIENT_NAME_FLAGS = ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_BO_CREATE_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_BO_USERPTR_FLAGS = ACCEL_IOCTL_OUT | ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_BO_IMPORT_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_BO_EXPORT_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_BO_ADVISE_FLAGS = ACCEL_IOCTL_OUT | ACCEL_IOCTL_NO_UNDO,
	ACCEL_BO_INFO_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_BO_SYNC_FLAGS = ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_QUEUE_CREATE_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_QUEUE_INFO_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_SUBMIT_FLAGS = ACCEL_IOCTL_OUT | ACCEL_IOCTL_NO_UNDO |
			     ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_TIMELINE_CREATE_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_TIMELINE_SIGNAL_FLAGS = 0,
	ACCEL_TIMELINE_QUERY_FLAGS = ACCEL_IOCTL_OUT | ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_TIMELINE_WAIT_FLAGS = ACCEL_IOCTL_OUT | ACCEL_IOCTL_WITHOUT_DEVICE,
	ACCEL_TIMELINE_EXPORT_FLAGS = ACCEL_IOCTL_OUT,
	ACCEL_TIMELINE_IMPORT_FLAGS = ACCEL_IOCTL_OUT,
};

#define ACCEL_IOCTL_ENTRY(NAME, name, _nr, last)			\
	[_nr] = {							\
		.nr = _nr,						\
		.arg_size = sizeof(struct accel_##name) +		\
			BUILD_BUG_ON_ZERO(sizeof(struct accel_##name) >	\
					  ACCEL_IOCTL_STACK_SIZE),	\
		.min_size = offsetofend(struct accel_##name, last),	\
		.handler = accel_##name##_ioctl,			\
		.flags = ACCEL_##NAME##_FLAGS,				\
	},

/* Indexed by number; what has no handler does not exist. */
const struct accel_ioctl_desc accel_ioctls[] = {
	ACCEL_IOCTL_TABLE(ACCEL_IOCTL_ENTRY)
};

const unsigned int accel_ioctl_count = ARRAY_SIZE(accel_ioctls);

static int accel_ioctl_find_own(struct accel_device *dev, unsigned int nr,
				struct accel_ioctl_desc *desc)
{
	int idx, ret = -ENOTTY;
	unsigned int i;

	/* The driver's table is gone with the driver. */
	if (!accel_dev_enter(dev, &idx))
		return -ENODEV;

	for (i = 0; i < dev->ops->ioctl_count; i++) {
		if (dev->ops->ioctls[i].nr == nr) {
			*desc = dev->ops->ioctls[i];
			ret = 0;
		}
	}
	accel_dev_exit(dev, idx);
	return ret;
}

static int accel_ioctl_find(struct accel_device *dev, unsigned int nr,
			    struct accel_ioctl_desc *desc)
{
	if (nr >= ARRAY_SIZE(accel_ioctls))
		return accel_ioctl_find_own(dev, nr, desc);

	*desc = accel_ioctls[array_index_nospec(nr, ARRAY_SIZE(accel_ioctls))];
	return desc->handler ? 0 : -ENOTTY;
}

static int accel_ioctl_handle(struct accel_ioctl_call *call,
			      const struct accel_ioctl_desc *desc)
{
	struct accel_device *dev = call->file->dev;
	int idx, ret;

	if (desc->flags & ACCEL_IOCTL_WITHOUT_DEVICE)
		return desc->handler(call);

	if (!accel_dev_enter(dev, &idx))
		return -ENODEV;
	ret = desc->handler(call);
	accel_dev_exit(dev, idx);
	return ret;
}

static int accel_ioctl_answer(struct accel_ioctl_call *call,
			      const struct accel_ioctl_desc *desc)
{
	size_t size = min(call->size, desc->arg_size);

	return copy_to_user(call->uarg, call->arg, size) ? -EFAULT : 0;
}

static int accel_ioctl_copy(struct accel_ioctl_call *call,
			    const struct accel_ioctl_desc *desc)
{
	int ret;

	ret = copy_struct_from_user(call->arg, desc->arg_size, call->uarg,
				    call->size);
	if (ret)
		return ret;

	/* By writing what is there: all of it, as in the end. */
	if (desc->flags & ACCEL_IOCTL_NO_UNDO)
		ret = accel_ioctl_answer(call, desc);
	ret = ret ?: accel_ioctl_handle(call, desc);
	if (ret)
		return ret;

	return (desc->flags & ACCEL_IOCTL_OUT) && !call->silent ?
	       accel_ioctl_answer(call, desc) : 0;
}

static int accel_ioctl_do(struct accel_ioctl_call *call,
			  const struct accel_ioctl_desc *desc)
{
	u8 stack[ACCEL_IOCTL_STACK_SIZE] __aligned(8);
	void *heap __free(kfree) = NULL;
	int ret;

	if (get_user(call->size, (u32 __user *)call->uarg))
		return -EFAULT;
	if (call->size < desc->min_size)
		return -EINVAL;
	/* No struct comes near a page, and all of the tail will be read. */
	if (call->size > PAGE_SIZE)
		return -E2BIG;

	call->arg = stack;
	if (desc->arg_size > sizeof(stack)) {
		heap = kmalloc(desc->arg_size, GFP_KERNEL_ACCOUNT);
		if (!heap)
			return -ENOMEM;
		call->arg = heap;
	}

	ret = accel_ioctl_copy(call, desc);
	if (ret) {
		accel_fd_abort(call);
		accel_object_abort(call);
		return ret;
	}

	accel_object_publish(call);
	/* Last: another thread may close it, and what it stands for with it. */
	accel_fd_publish(call);
	return 0;
}

/**
 * accel_ioctl_dispatch - what an ioctl on an open file does
 * @file: the open file
 * @cmd: the ioctl
 * @uarg: its argument
 *
 * Return: 0 or a negative errno, as the uapi header says.
 */
long accel_ioctl_dispatch(struct accel_file *file, unsigned int cmd,
			  void __user *uarg)
{
	struct accel_ioctl_call call = { .file = file, .uarg = uarg };
	struct accel_ioctl_desc desc;
	int ret;

	if (cmd != _IO(ACCEL_IOCTL_TYPE, _IOC_NR(cmd)))
		return -ENOTTY;

	ret = accel_ioctl_find(file->dev, _IOC_NR(cmd), &desc);
	return ret ?: accel_ioctl_do(&call, &desc);
}
EXPORT_SYMBOL_IF_KUNIT(accel_ioctl_dispatch);

/**
 * accel_copy_element - copy an element of an array of the caller's
 * @dst: where to; @known bytes
 * @known: size of an element as this kernel knows it
 * @min: size of an element's first version
 * @array: user address of the array
 * @stride: size of an element there
 * @index: which
 *
 * Return: 0; EINVAL for a bad stride, E2BIG for what this kernel does not know,
 * EFAULT.
 */
int accel_copy_element(void *dst, size_t known, size_t min, u64 array,
		       u32 stride, u32 index)
{
	u64 addr;

	if (stride < min || stride > PAGE_SIZE)
		return -EINVAL;
	/* Neither factor is large; an array past the end of memory faults. */
	if (check_add_overflow(array, (u64)stride * index, &addr) ||
	    addr != (uintptr_t)addr)
		return -EFAULT;
	return copy_struct_from_user(dst, known, u64_to_user_ptr(addr), stride);
}
