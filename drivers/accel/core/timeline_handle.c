// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids of timelines. Several, of several files and devices, may stand for the same
 * timeline, each with a right to signal it or without.
 */
#include "accel_internal.h"

#include <linux/slab.h>

static struct accel_timeline_handle *obj_to_handle(struct accel_object *obj)
{
	return container_of(obj, struct accel_timeline_handle, obj);
}

static void accel_timeline_handle_destroy(struct accel_object *obj)
{
	struct accel_timeline_handle *handle = obj_to_handle(obj);

	if (handle->may_signal)
		accel_timeline_drop_signaller(handle->timeline);
}

static void accel_timeline_handle_release(struct accel_object *obj)
{
	struct accel_timeline_handle *handle = obj_to_handle(obj);

	accel_point_eventfd_drop_all(handle);
	accel_point_import_cancel(handle->timeline, handle, -ECANCELED);
	accel_object_put(&handle->timeline->obj);
	kfree(handle);
	accel_census_dec(ACCEL_CENSUS_TIMELINE_HANDLES);
}

static const struct accel_object_type accel_timeline_handle_type = {
	.destroy = accel_timeline_handle_destroy,
	.release = accel_timeline_handle_release,
};

/*
 * Find an id for @timeline, on which a reference is taken. The dispatcher publishes
 * it, or takes it back with all that belongs to it. Returns ENOMEM, or ENOSPC if there
 * is none or the timeline has too many.
 */
int accel_timeline_reserve(struct accel_ioctl_call *call,
			   struct accel_timeline *timeline, bool may_signal,
			   u32 *id)
{
	struct accel_timeline_handle *handle;
	int ret;

	if (accel_timeline_is_in_demand(timeline))
		return -ENOSPC;

	handle = kzalloc_obj(*handle, GFP_KERNEL_ACCOUNT);
	if (!handle)
		return -ENOMEM;

	accel_object_init(&handle->obj, &accel_timeline_handle_type);
	ret = accel_object_reserve(call, &handle->obj);
	if (ret) {
		kfree(handle);
		return ret;
	}

	handle->timeline = timeline;
	refcount_inc(&timeline->obj.refs);
	handle->may_signal = may_signal;
	INIT_LIST_HEAD(&handle->imports);
	INIT_LIST_HEAD(&handle->eventfds);
	if (may_signal)
		accel_timeline_add_signaller(timeline);
	accel_census_inc(ACCEL_CENSUS_TIMELINE_HANDLES);
	*id = handle->obj.id;
	return 0;
}

/*
 * Returns a reference for accel_object_put(), or an ERR_PTR: ENOENT; ENOSPC if too many
 * have one on the timeline.
 */
struct accel_timeline_handle *accel_timeline_handle_get(struct accel_file *file,
							u32 id)
{
	struct accel_timeline_handle *handle;
	struct accel_object *obj;

	obj = accel_object_get(file, id, &accel_timeline_handle_type);
	if (!obj)
		return ERR_PTR(-ENOENT);

	handle = obj_to_handle(obj);
	if (accel_timeline_is_in_demand(handle->timeline)) {
		accel_object_put(obj);
		return ERR_PTR(-ENOSPC);
	}
	return handle;
}

/* The same of the timeline itself. */
struct accel_timeline *accel_timeline_get(struct accel_file *file, u32 id)
{
	struct accel_timeline_handle *handle = accel_timeline_handle_get(file, id);
	struct accel_timeline *timeline;

	if (IS_ERR(handle))
		return ERR_CAST(handle);

	timeline = handle->timeline;
	refcount_inc(&timeline->obj.refs);
	accel_object_put(&handle->obj);
	return timeline;
}

/*
 * The same where a point is to be promised or signalled: also EPERM if only the ends
 * of a queue's jobs do that, EACCES if the id has no right to.
 */
struct accel_timeline *accel_timeline_get_to_signal(struct accel_file *file, u32 id)
{
	struct accel_timeline_handle *handle = accel_timeline_handle_get(file, id);
	struct accel_timeline *timeline;

	if (IS_ERR(handle))
		return ERR_CAST(handle);

	timeline = handle->timeline;
	if (timeline->queue_owned)
		timeline = ERR_PTR(-EPERM);
	else if (!handle->may_signal)
		timeline = ERR_PTR(-EACCES);
	else
		refcount_inc(&timeline->obj.refs);
	accel_object_put(&handle->obj);
	return timeline;
}

int accel_timeline_create_ioctl(struct accel_ioctl_call *call)
{
	struct accel_timeline_create *args = call->arg;
	struct accel_timeline *timeline;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->reserved)
		return -EINVAL;

	timeline = accel_timeline_create(call->file->dev, args->value, false);
	if (!timeline)
		return -ENOMEM;

	ret = accel_timeline_reserve(call, timeline, true, &args->id);
	accel_object_put(&timeline->obj);
	return ret;
}

int accel_timeline_signal_ioctl(struct accel_ioctl_call *call)
{
	const struct accel_timeline_signal *args = call->arg;
	struct accel_timeline *timeline;
	int ret;

	timeline = accel_timeline_get_to_signal(call->file, args->id);
	if (IS_ERR(timeline))
		return PTR_ERR(timeline);

	ret = accel_timeline_signal(timeline, args->value);
	accel_object_put(&timeline->obj);
	return ret;
}
