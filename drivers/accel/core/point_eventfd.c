// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points that are told to an eventfd. That is no fence: it may be asked for before
 * anybody has promised the point, and lasts no longer than the id it was asked with.
 */
#include "accel_internal.h"

#include <linux/eventfd.h>
#include <linux/slab.h>

/**
 * struct accel_point_eventfd - an eventfd that is told of a point
 * @waiter: for the point, on its timeline, with a reference to that
 * @late: tells it
 * @ctx: the eventfd, with a reference
 * @handle: whose it is
 * @link: in accel_timeline_handle.eventfds; whoever takes it from there, under
 *	accel_timeline.lock, frees this
 */
struct accel_point_eventfd {
	struct accel_timeline_waiter waiter;
	struct accel_late late;
	struct eventfd_ctx *ctx;
	struct accel_timeline_handle *handle;
	struct list_head link;
};

static void accel_point_eventfd_free(struct accel_point_eventfd *point)
{
	eventfd_ctx_put(point->ctx);
	accel_object_put_any_context(&point->waiter.timeline->obj);
	kfree(point);
	accel_census_dec(ACCEL_CENSUS_EVENTFDS);
}

/* Takes it over. */
static void accel_point_eventfd_signal(struct accel_point_eventfd *point)
{
	eventfd_signal(point->ctx);
	accel_point_eventfd_free(point);
}

static void accel_point_eventfd_late(struct accel_late *late,
				     struct list_head *ready)
{
	accel_point_eventfd_signal(container_of(late, struct accel_point_eventfd,
						late));
}

static void accel_point_eventfd_unlink(struct accel_point_eventfd *point)
{
	lockdep_assert_held(&point->waiter.timeline->lock);

	list_del(&point->link);
	point->handle->eventfd_count--;
}

static void accel_point_eventfd_reached(struct accel_timeline_waiter *waiter,
					int status, struct list_head *ready)
{
	struct accel_point_eventfd *point =
		container_of(waiter, struct accel_point_eventfd, waiter);

	accel_point_eventfd_unlink(point);
	/* Whom it wakes is not to be called with our lock held. */
	accel_late_add(&point->late);
}

static int accel_point_eventfd_link(struct accel_timeline_handle *handle,
				    struct accel_point_eventfd *point)
{
	guard(spinlock_irqsave)(&handle->timeline->lock);
	if (handle->eventfd_count == ACCEL_EVENTFDS_MAX)
		return -ENOSPC;

	list_add_tail(&point->link, &handle->eventfds);
	handle->eventfd_count++;
	return 0;
}

static struct accel_point_eventfd *
accel_point_eventfd_alloc(struct accel_timeline_handle *handle, u64 value, int fd)
{
	struct accel_point_eventfd *point;
	struct eventfd_ctx *ctx;

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return ERR_PTR(-EBADF);

	point = kzalloc_obj(*point, GFP_KERNEL_ACCOUNT);
	if (!point) {
		eventfd_ctx_put(ctx);
		return ERR_PTR(-ENOMEM);
	}

	point->ctx = ctx;
	point->handle = handle;
	point->late.run = accel_point_eventfd_late;
	point->waiter.timeline = handle->timeline;
	refcount_inc(&handle->timeline->obj.refs);
	point->waiter.value = value;
	point->waiter.reached = accel_point_eventfd_reached;
	accel_census_inc(ACCEL_CENSUS_EVENTFDS);
	return point;
}

/*
 * Signal the eventfd @fd when the point is reached, with success or not. Returns 0;
 * EBADF if that is none, ENOSPC if the id has too many, ENOMEM.
 */
int accel_point_eventfd_add(struct accel_timeline_handle *handle, u64 value, int fd)
{
	struct accel_point_eventfd *point;
	int ret, status;

	point = accel_point_eventfd_alloc(handle, value, fd);
	if (IS_ERR(point))
		return PTR_ERR(point);

	ret = accel_point_eventfd_link(handle, point);
	if (ret) {
		accel_point_eventfd_free(point);
		return ret;
	}
	if (accel_timeline_add_waiter(&point->waiter, &status) !=
	    ACCEL_WAIT_REACHED)
		return 0;

	scoped_guard(spinlock_irqsave, &handle->timeline->lock)
		accel_point_eventfd_unlink(point);
	accel_point_eventfd_signal(point);
	return 0;
}

static struct accel_point_eventfd *
accel_point_eventfd_take(struct accel_timeline_handle *handle)
{
	struct accel_point_eventfd *point;

	guard(spinlock_irqsave)(&handle->timeline->lock);
	point = list_first_entry_or_null(&handle->eventfds,
					 struct accel_point_eventfd, link);
	if (point) {
		accel_point_eventfd_unlink(point);
		accel_timeline_remove_waiter_locked(&point->waiter);
	}
	return point;
}

/* Nobody can ask with @handle any more, nor is anything told. */
void accel_point_eventfd_drop_all(struct accel_timeline_handle *handle)
{
	struct accel_point_eventfd *point;

	while ((point = accel_point_eventfd_take(handle)))
		accel_point_eventfd_free(point);
}
