// SPDX-License-Identifier: GPL-2.0-only
/* TIMELINE_EXPORT and TIMELINE_IMPORT: timelines and their points as other things. */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/file.h>
#include <linux/sync_file.h>

/* Takes over the reference to @file. */
static int accel_timeline_give_fd(struct accel_ioctl_call *call, struct file *file)
{
	struct accel_timeline_export *args = call->arg;
	int ret = accel_fd_reserve(call, file);

	if (ret) {
		fput(file);
		return ret;
	}
	args->fd = call->fd;
	return 0;
}

static int accel_timeline_export_sync_file(struct accel_ioctl_call *call,
					   struct accel_timeline_handle *handle)
{
	struct accel_timeline_export *args = call->arg;
	struct dma_fence *fence;
	struct sync_file *sync;

	fence = accel_point_fence(handle->timeline, args->value);
	if (IS_ERR(fence))
		return PTR_ERR(fence);

	sync = sync_file_create(fence);
	dma_fence_put(fence);
	return sync ? accel_timeline_give_fd(call, sync->file) : -ENOMEM;
}

static int accel_timeline_export_eventfd(struct accel_ioctl_call *call,
					 struct accel_timeline_handle *handle)
{
	struct accel_timeline_export *args = call->arg;

	call->silent = true;
	return accel_point_eventfd_add(handle, args->value, args->fd);
}

static int accel_timeline_export_timeline(struct accel_ioctl_call *call,
					  struct accel_timeline_handle *handle)
{
	struct accel_timeline_export *args = call->arg;
	bool may_signal = args->flags & ACCEL_TIMELINE_SIGNAL_RIGHT;
	struct file *file;

	if (args->value)
		return -EINVAL;
	if (may_signal && handle->timeline->queue_owned)
		return -EPERM;
	if (may_signal && !handle->may_signal)
		return -EACCES;

	file = accel_timeline_file(handle->timeline, may_signal);
	return IS_ERR(file) ? PTR_ERR(file) : accel_timeline_give_fd(call, file);
}

static int accel_timeline_export(struct accel_ioctl_call *call,
				 struct accel_timeline_handle *handle)
{
	struct accel_timeline_export *args = call->arg;

	switch (args->type) {
	case ACCEL_FD_SYNC_FILE:
		return accel_timeline_export_sync_file(call, handle);
	case ACCEL_FD_EVENTFD:
		return accel_timeline_export_eventfd(call, handle);
	default:
		return accel_timeline_export_timeline(call, handle);
	}
}

int accel_timeline_export_ioctl(struct accel_ioctl_call *call)
{
	struct accel_timeline_export *args = call->arg;
	struct accel_timeline_handle *handle;
	u32 flags = 0;
	int ret;

	if (args->type == ACCEL_FD_TIMELINE)
		flags = ACCEL_TIMELINE_SIGNAL_RIGHT;
	if (args->type < ACCEL_FD_SYNC_FILE || args->type > ACCEL_FD_TIMELINE ||
	    args->flags & ~flags)
		return -EOPNOTSUPP;
	if (args->reserved)
		return -EINVAL;

	handle = accel_timeline_handle_get(call->file, args->id);
	if (IS_ERR(handle))
		return PTR_ERR(handle);

	ret = accel_timeline_export(call, handle);
	accel_object_put(&handle->obj);
	return ret;
}

static int accel_timeline_import_fence(struct accel_timeline_handle *handle,
				       const struct accel_timeline_import *args)
{
	struct accel_device *dev = handle->timeline->dev;
	struct dma_fence *fence;
	int idx, ret;

	if (handle->timeline->queue_owned)
		return -EPERM;
	if (!handle->may_signal)
		return -EACCES;

	fence = sync_file_get_fence(args->fd);
	if (!fence)
		return -EBADF;

	/* Until it is one of those that end when the device goes. */
	ret = -ENODEV;
	if (accel_dev_enter(dev, &idx)) {
		ret = accel_point_import(handle, args->value, fence);
		accel_dev_exit(dev, idx);
	}
	dma_fence_put(fence);
	return ret;
}

static int accel_timeline_import_sync_file(struct accel_ioctl_call *call)
{
	const struct accel_timeline_import *args = call->arg;
	struct accel_timeline_handle *handle;
	int ret;

	handle = accel_timeline_handle_get(call->file, args->id);
	if (IS_ERR(handle))
		return PTR_ERR(handle);

	/* What is promised cannot be taken back because of an answer. */
	call->silent = true;
	ret = accel_timeline_import_fence(handle, args);
	accel_object_put(&handle->obj);
	return ret;
}

int accel_timeline_import_ioctl(struct accel_ioctl_call *call)
{
	struct accel_timeline_import *args = call->arg;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->reserved)
		return -EINVAL;

	switch (args->type) {
	case ACCEL_FD_SYNC_FILE:
		return accel_timeline_import_sync_file(call);
	case ACCEL_FD_TIMELINE:
		if (args->value)
			return -EINVAL;
		return accel_timeline_reserve_from_fd(call, args->fd, &args->id);
	default:
		return -EOPNOTSUPP;
	}
}
