// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points that somebody's fence reaches.
 *
 * Such a point is promised and backed, for who publishes a fence has promised that it
 * signals. The promise is kept for no longer than the id that it was made with, or
 * the device of its timeline, is there: then the point is done, as failed.
 *
 * A fence of ours is waited for as the point it stands for. There may be any number of
 * those who wait for it, and a timeline tells only so many with interrupts off.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/slab.h>

/**
 * struct accel_point_import - a point that a fence reaches
 * @entry: on the timeline, with a reference to this
 * @timeline: the timeline, with a reference
 * @waiter: for the point that the fence stands for, on its timeline, with a reference to
 *	that; as the next three, it has a reference to this until it has been told
 * @fence: the fence, with a reference, if it is somebody else's; or NULL
 * @cb: in @fence
 * @late: ends it when the fence has signalled
 * @error: of the fence
 * @handle_link: in accel_timeline_handle.imports, until it has ended; this and the
 *	next are protected by accel_timeline.lock
 * @timeline_link: in accel_timeline.imports, likewise
 * @refs: references to this
 */
struct accel_point_import {
	struct accel_point_entry entry;
	struct accel_timeline *timeline;
	struct accel_timeline_waiter waiter;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
	struct accel_late late;
	int error;
	struct list_head handle_link;
	struct list_head timeline_link;
	refcount_t refs;
};

static void accel_point_import_put(struct accel_point_import *import)
{
	if (!refcount_dec_and_test(&import->refs))
		return;

	if (import->fence)
		dma_fence_put(import->fence);
	else
		accel_object_put_any_context(&import->waiter.timeline->obj);
	accel_object_put_any_context(&import->timeline->obj);
	kfree(import);
	accel_census_dec(ACCEL_CENSUS_IMPORTS);
}

static void accel_point_import_put_entry(struct accel_point_entry *entry)
{
	accel_point_import_put(container_of(entry, struct accel_point_import,
					    entry));
}

static void accel_point_import_unlink(struct accel_point_import *import)
{
	lockdep_assert_held(&import->timeline->lock);

	list_del_init(&import->handle_link);
	list_del_init(&import->timeline_link);
}

/* Takes over the reference of whoever would have told it. */
static void accel_point_import_end(struct accel_point_import *import, int error,
				   struct list_head *ready)
{
	LIST_HEAD(reached);

	scoped_guard(spinlock_irqsave, &import->timeline->lock)
		accel_point_import_unlink(import);
	accel_timeline_end(import->timeline, &import->entry, error, &reached,
			   ready);
	accel_points_put(&reached);
	accel_point_import_put(import);
}

static void accel_point_import_late(struct accel_late *late,
				    struct list_head *ready)
{
	struct accel_point_import *import = container_of(late,
							 struct accel_point_import,
							 late);

	if (import->fence)
		import->error = accel_fence_error(import->fence);
	accel_point_import_end(import, import->error, ready);
}

static void accel_point_import_reached(struct accel_timeline_waiter *waiter,
				       int status, struct list_head *ready)
{
	struct accel_point_import *import = container_of(waiter,
							 struct accel_point_import,
							 waiter);

	import->error = min(status, 0);
	/* Its timeline is not to be locked inside this one. */
	accel_late_add(&import->late);
}

/* With the lock of @fence held, in any context. */
static void accel_point_import_signalled(struct dma_fence *fence,
					 struct dma_fence_cb *cb)
{
	accel_late_add(&container_of(cb, struct accel_point_import, cb)->late);
}

static struct accel_point_import *
accel_point_import_alloc(struct accel_timeline *timeline, u64 value,
			 struct dma_fence *fence)
{
	struct accel_point_import *import;

	import = kzalloc_obj(*import, GFP_KERNEL_ACCOUNT);
	if (!import)
		return NULL;

	refcount_set(&import->refs, 1);
	import->entry.value = value;
	import->entry.put = accel_point_import_put_entry;
	import->timeline = timeline;
	refcount_inc(&timeline->obj.refs);
	import->waiter.reached = accel_point_import_reached;
	import->waiter.timeline = accel_fence_timeline(fence,
						       &import->waiter.value);
	if (!import->waiter.timeline)
		import->fence = dma_fence_get(fence);
	import->late.run = accel_point_import_late;
	INIT_LIST_HEAD(&import->handle_link);
	INIT_LIST_HEAD(&import->timeline_link);
	accel_census_inc(ACCEL_CENSUS_IMPORTS);
	return import;
}

/* Returns false, with the error set, if the fence has signalled. */
static bool accel_point_import_wait(struct accel_point_import *import)
{
	int status;

	if (import->fence) {
		if (!dma_fence_add_callback(import->fence, &import->cb,
					    accel_point_import_signalled))
			return true;
		import->error = accel_fence_error(import->fence);
		return false;
	}
	if (accel_timeline_add_waiter(&import->waiter, &status) !=
	    ACCEL_WAIT_REACHED)
		return true;
	import->error = min(status, 0);
	return false;
}

/* Returns whether nothing will tell it any more, and nothing has. */
static bool accel_point_import_stop(struct accel_point_import *import)
{
	if (import->fence)
		return dma_fence_remove_callback(import->fence, &import->cb);
	return accel_timeline_remove_waiter(&import->waiter);
}

/*
 * Promise @value on the timeline of @handle, to be reached when @fence signals. Returns
 * ENOMEM, or what accel_timeline_promise() does. The timeline's device stays
 * registered meanwhile, and the handle is the caller's.
 */
int accel_point_import(struct accel_timeline_handle *handle, u64 value,
		       struct dma_fence *fence)
{
	struct accel_timeline *timeline = handle->timeline;
	struct accel_point_import *import;
	LIST_HEAD(ready);
	int ret;

	import = accel_point_import_alloc(timeline, value, fence);
	if (!import)
		return -ENOMEM;

	ret = accel_timeline_promise(timeline, &import->entry);
	if (ret) {
		accel_point_import_put(import);
		return ret;
	}

	/* One is the entry's, one of who tells it. */
	refcount_inc(&import->refs);
	scoped_guard(spinlock_irqsave, &timeline->lock) {
		list_add_tail(&import->handle_link, &handle->imports);
		list_add_tail(&import->timeline_link, &timeline->imports);
	}
	accel_timeline_unhold(timeline, &import->entry, &ready);
	/* After that it may be gone. */
	if (!accel_point_import_wait(import))
		accel_point_import_end(import, import->error, &ready);
	accel_jobs_start(&ready);
	return 0;
}

/* The next that has not ended, with a reference: nobody else comes to cancel it. */
static struct accel_point_import *
accel_point_import_take(struct accel_timeline *timeline,
			struct accel_timeline_handle *handle)
{
	struct accel_point_import *import;

	guard(spinlock_irqsave)(&timeline->lock);
	if (handle)
		import = list_first_entry_or_null(&handle->imports,
						  struct accel_point_import,
						  handle_link);
	else
		import = list_first_entry_or_null(&timeline->imports,
						  struct accel_point_import,
						  timeline_link);
	if (!import)
		return NULL;

	accel_point_import_unlink(import);
	refcount_inc(&import->refs);
	return import;
}

/*
 * Wait no longer for fences of promises that were made with @handle, or, if that is
 * NULL, on @timeline at all: these end with @error.
 */
void accel_point_import_cancel(struct accel_timeline *timeline,
			       struct accel_timeline_handle *handle, int error)
{
	struct accel_point_import *import;
	LIST_HEAD(ready);

	while ((import = accel_point_import_take(timeline, handle))) {
		/* Otherwise it has signalled, and that is how it ends. */
		if (accel_point_import_stop(import))
			accel_point_import_end(import, error, &ready);
		accel_point_import_put(import);
		cond_resched();
	}
	accel_jobs_start(&ready);
}
