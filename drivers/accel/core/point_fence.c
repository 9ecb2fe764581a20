// SPDX-License-Identifier: GPL-2.0-only
/*
 * Points as dma_fences.
 *
 * A point of a queue has one already, its job's. Any other gets one that signals when
 * the point is reached. None is given out before the point is backed: it has to
 * signal in bounded time.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/slab.h>

/**
 * struct accel_point_fence - a fence for a point
 * @fence: the fence; comes first
 * @lock: of @fence
 * @waiter: for the point, without a reference to this. Its timeline is NULL once
 *	@fence has signalled
 * @late: signals @fence
 * @reached: the point is, and @fence has its error
 */
struct accel_point_fence {
	struct dma_fence fence;
	spinlock_t lock;		/* of fence, which may outlive the point */
	struct accel_timeline_waiter waiter;
	struct accel_late late;
	bool reached;
};

static struct accel_point_fence *to_point_fence(struct dma_fence *fence)
{
	return container_of(fence, struct accel_point_fence, fence);
}

static const char *accel_point_fence_get_timeline_name(struct dma_fence *fence)
{
	return "timeline";
}

static bool accel_point_fence_is_reached(struct dma_fence *fence)
{
	/* Pairs with accel_point_fence_set(): the fence has its error by then. */
	return smp_load_acquire(&to_point_fence(fence)->reached);
}

static void accel_point_fence_put_timeline(struct accel_point_fence *point)
{
	accel_object_put_any_context(&point->waiter.timeline->obj);
	point->waiter.timeline = NULL;
	accel_census_dec(ACCEL_CENSUS_FENCES);
}

static void accel_point_fence_release(struct dma_fence *fence)
{
	struct accel_point_fence *point = to_point_fence(fence);

	/* Nobody has waited for it to signal. */
	if (point->waiter.timeline) {
		accel_timeline_remove_waiter(&point->waiter);
		accel_point_fence_put_timeline(point);
	}
	accel_fence_release(fence);
}

static const struct dma_fence_ops accel_point_fence_ops = {
	.get_driver_name = accel_fence_get_driver_name,
	.get_timeline_name = accel_point_fence_get_timeline_name,
	.signaled = accel_point_fence_is_reached,
	.release = accel_point_fence_release,
};

static void accel_point_fence_set(struct accel_point_fence *point, int status)
{
	if (status < 0)
		dma_fence_set_error(&point->fence, status);
	/* Pairs with accel_point_fence_is_reached(): its caller goes by the error. */
	smp_store_release(&point->reached, true);
}

/* Takes over a reference. */
static void accel_point_fence_signal(struct accel_point_fence *point)
{
	dma_fence_signal(&point->fence);
	accel_point_fence_put_timeline(point);
	dma_fence_put(&point->fence);
}

static void accel_point_fence_late(struct accel_late *late,
				   struct list_head *ready)
{
	accel_point_fence_signal(container_of(late, struct accel_point_fence,
					      late));
}

static void accel_point_fence_reached(struct accel_timeline_waiter *waiter,
				      int status, struct list_head *ready)
{
	struct accel_point_fence *point = container_of(waiter,
						       struct accel_point_fence,
						       waiter);

	/* Its last reference may be gone, and its release wait for our lock. */
	if (!dma_fence_get_rcu(&point->fence))
		return;

	accel_point_fence_set(point, status);
	accel_late_add(&point->late);
}

static struct accel_point_fence *
accel_point_fence_alloc(struct accel_timeline *timeline, u64 value)
{
	struct accel_point_fence *point;

	BUILD_BUG_ON(offsetof(struct accel_point_fence, fence));

	point = kzalloc_obj(*point, GFP_KERNEL_ACCOUNT);
	if (!point)
		return NULL;

	/* The fence may come to be anybody's, and its ops are here. */
	__module_get(THIS_MODULE);
	spin_lock_init(&point->lock);
	/* Each on its own: a later point may succeed where an earlier one failed. */
	dma_fence_init(&point->fence, &accel_point_fence_ops, &point->lock,
		       dma_fence_context_alloc(1), 1);
	refcount_inc(&timeline->obj.refs);
	point->waiter.timeline = timeline;
	point->waiter.value = value;
	point->waiter.reached = accel_point_fence_reached;
	point->late.run = accel_point_fence_late;
	accel_census_inc(ACCEL_CENSUS_FENCES);
	return point;
}

/*
 * What signals when the point is reached, with the point's error. Returns a reference,
 * or an ERR_PTR: EAGAIN as long as the point is not backed, ENOMEM.
 */
struct dma_fence *accel_point_fence(struct accel_timeline *timeline, u64 value)
{
	struct accel_point_fence *point;
	struct dma_fence *fence;
	int status;

	if (!accel_timeline_is_backed(timeline, value))
		return ERR_PTR(-EAGAIN);

	/* From here on the point stays backed. */
	fence = accel_timeline_job_fence(timeline, value);
	if (fence)
		return fence;

	point = accel_point_fence_alloc(timeline, value);
	if (!point)
		return ERR_PTR(-ENOMEM);

	if (accel_timeline_add_waiter(&point->waiter, &status) ==
	    ACCEL_WAIT_REACHED) {
		accel_point_fence_set(point, status);
		accel_point_fence_signal(to_point_fence(dma_fence_get(&point->fence)));
	}
	return &point->fence;
}

/*
 * The timeline of the point that an unsignalled fence is for, with a reference, and
 * the point. NULL if it is no point's, or as accel_fence_timeline() says.
 */
struct accel_timeline *accel_point_fence_timeline(struct dma_fence *fence,
						  u64 *value)
{
	struct accel_point_fence *point = to_point_fence(fence);
	struct accel_timeline *timeline;

	if (!accel_fence_has_ops(fence, &accel_point_fence_ops))
		return NULL;

	/* It gives up its timeline after it has signalled. */
	guard(spinlock_irqsave)(&point->lock);
	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return NULL;

	timeline = point->waiter.timeline;
	if (accel_timeline_is_in_demand(timeline))
		return NULL;
	refcount_inc(&timeline->obj.refs);
	*value = point->waiter.value;
	return timeline;
}
