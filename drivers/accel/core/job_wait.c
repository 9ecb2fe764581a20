// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a job waits for: points of timelines, and fences.
 *
 * The fence of a job stands for a point of its queue and is waited for as that, so
 * that whoever ends the one job starts the other. Any other fence is somebody
 * else's and signalled under a lock of theirs: a worker starts the job. A fence
 * holds no job, since who publishes one has promised that it signals.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/dma-fence-chain.h>
#include <linux/slab.h>

/* A job that may start now is added to @ready. */
static void accel_job_wait_over(struct accel_job_wait *wait, int status,
				struct list_head *ready)
{
	struct accel_job *job = wait->job;

	if (status < 0 && wait->cancels)
		WRITE_ONCE(job->error, -ECANCELED);
	if (!atomic_dec_and_test(&job->deps))
		return;

	/* Another thread may end the job before this one starts it. */
	dma_fence_get(&job->fence);
	refcount_inc(&job->queue->obj.refs);
	list_add_tail(&job->ready_link, ready);
}

static void accel_job_point_reached(struct accel_timeline_waiter *waiter,
				    int status, struct list_head *ready)
{
	accel_job_wait_over(container_of(waiter, struct accel_job_wait, waiter),
			    status, ready);
}

static void accel_job_point_backed(struct accel_timeline_waiter *waiter)
{
	struct accel_job *job = container_of(waiter, struct accel_job_wait,
					     waiter)->job;

	/* What follows takes mutexes. Held jobs are not the fast path. */
	if (atomic_dec_and_test(&job->holds))
		queue_work(system_dfl_wq, &job->queue->hold_work);
}

/* With the lock of @fence held, in any context. */
static void accel_job_fence_signalled(struct dma_fence *fence,
				      struct dma_fence_cb *cb)
{
	/* An array has the error of its parts; a link of a chain does not. */
	int error = dma_fence_chain_contained(fence)->error;
	LIST_HEAD(ready);

	accel_job_wait_over(container_of(cb, struct accel_job_wait, cb), error,
			    &ready);
	if (!list_empty(&ready))
		accel_jobs_start_later(&ready);
}

/* Fill in @wait, which is zeroed. Takes over the reference to @timeline. */
void accel_job_wait_for_point(struct accel_job_wait *wait, struct accel_job *job,
			      struct accel_timeline *timeline, u64 value)
{
	wait->job = job;
	wait->waiter.timeline = timeline;
	wait->waiter.value = value;
	wait->waiter.reached = accel_job_point_reached;
	wait->waiter.backed = accel_job_point_backed;
}

/* The same for a fence of whoever's. */
void accel_job_wait_for_fence(struct accel_job_wait *wait, struct accel_job *job,
			      struct dma_fence *fence)
{
	struct accel_timeline *timeline;
	u64 value;

	timeline = accel_fence_timeline(fence, &value);
	if (timeline) {
		accel_job_wait_for_point(wait, job, timeline, value);
		/* What has a fence is backed. */
		wait->waiter.backed = NULL;
		dma_fence_put(fence);
		return;
	}
	wait->job = job;
	wait->fence = fence;
}

void accel_job_wait_put(struct accel_job_wait *wait)
{
	if (wait->fence)
		dma_fence_put(wait->fence);
	else
		accel_object_put_any_context(&wait->waiter.timeline->obj);
}

static void accel_job_add_point(struct accel_job_wait *wait)
{
	struct accel_job *job = wait->job;
	int status;

	/* Counted before the waiter can be called. */
	atomic_inc(&job->deps);
	atomic_inc(&job->holds);
	switch (accel_timeline_add_waiter(&wait->waiter, &status)) {
	case ACCEL_WAIT_REACHED:
		if (status < 0 && wait->cancels)
			WRITE_ONCE(job->error, -ECANCELED);
		atomic_dec(&job->deps);
		atomic_dec(&job->holds);
		break;
	case ACCEL_WAIT_BACKED:
		atomic_dec(&job->holds);
		break;
	case ACCEL_WAIT_UNBACKED:
		break;
	}
}

static void accel_job_add_fence(struct accel_job_wait *wait)
{
	struct accel_job *job = wait->job;

	/* Counted before the callback can be called. */
	atomic_inc(&job->deps);
	if (!dma_fence_add_callback(wait->fence, &wait->cb,
				    accel_job_fence_signalled))
		return;

	if (wait->cancels && accel_fence_error(wait->fence))
		WRITE_ONCE(job->error, -ECANCELED);
	atomic_dec(&job->deps);
}

static void accel_job_add_wait(struct accel_job_wait *wait)
{
	if (wait->fence)
		accel_job_add_fence(wait);
	else
		accel_job_add_point(wait);
}

void accel_job_add_explicit_waits(struct accel_job *job)
{
	u32 i;

	for (i = 0; i < job->wait_count; i++)
		accel_job_add_wait(&job->waits[i]);
}

/* What there is one implicit wait for, among points and among fences. */
static u64 accel_job_wait_key(const struct accel_job_wait *wait)
{
	return wait->fence ? wait->fence->context :
			     (uintptr_t)wait->waiter.timeline;
}

static int accel_job_wait_cmp(const void *key, const struct rb_node *node)
{
	const struct accel_job_wait *a = key;
	const struct accel_job_wait *b = rb_entry(node, struct accel_job_wait,
						  node);

	if (!a->fence != !b->fence)
		return a->fence ? 1 : -1;
	if (accel_job_wait_key(a) == accel_job_wait_key(b))
		return 0;
	return accel_job_wait_key(a) < accel_job_wait_key(b) ? -1 : 1;
}

static bool accel_job_wait_less(struct rb_node *a, const struct rb_node *b)
{
	return accel_job_wait_cmp(rb_entry(a, struct accel_job_wait, node), b) < 0;
}

/* Takes over what @found has a reference to. */
static int accel_job_insert_wait(struct accel_job *job,
				 const struct accel_job_wait *found)
{
	struct accel_job_wait *wait;

	if (job->implicit_count == ACCEL_IMPLICIT_MAX)
		return -EAGAIN;

	wait = kmemdup(found, sizeof(*found), GFP_KERNEL_ACCOUNT);
	if (!wait)
		return -ENOMEM;

	rb_add(&wait->node, &job->implicit, accel_job_wait_less);
	job->implicit_count++;
	return 0;
}

/* Points of a timeline are reached in order, fences of a context signal in order. */
static void accel_job_wait_for_later(struct accel_job_wait *wait,
				     struct accel_job_wait *found)
{
	if (!wait->fence)
		wait->waiter.value = max(wait->waiter.value,
					 found->waiter.value);
	else if (dma_fence_is_later(found->fence, wait->fence))
		swap(wait->fence, found->fence);
}

/*
 * The job is to wait for a fence that is in the reservation object of a buffer. Many
 * buffers may have been used by the same few queues: those are waited for once each,
 * when all have been collected.
 */
int accel_job_collect_implicit_wait(struct accel_job *job, struct dma_fence *fence)
{
	struct accel_job_wait found = {};
	struct rb_node *node;
	int ret = 0;

	/* A queue's jobs run in order anyway. */
	if (fence->context == job->queue->fence_context ||
	    dma_fence_is_signaled(fence))
		return 0;

	accel_job_wait_for_fence(&found, job, dma_fence_get(fence));
	node = rb_find(&found, &job->implicit, accel_job_wait_cmp);
	if (!node) {
		ret = accel_job_insert_wait(job, &found);
		if (!ret)
			return 0;
	} else {
		accel_job_wait_for_later(rb_entry(node, struct accel_job_wait,
						  node), &found);
	}
	accel_job_wait_put(&found);
	return ret;
}

/* Wait for all that was collected. */
void accel_job_add_implicit_waits(struct accel_job *job)
{
	struct accel_job_wait *wait, *next;

	rbtree_postorder_for_each_entry_safe(wait, next, &job->implicit, node)
		accel_job_add_wait(wait);
}

/* They are over, were removed, or were never added; in any context. */
void accel_job_put_implicit_waits(struct accel_job *job)
{
	struct accel_job_wait *wait, *next;

	rbtree_postorder_for_each_entry_safe(wait, next, &job->implicit, node) {
		accel_job_wait_put(wait);
		kfree(wait);
	}
	job->implicit = RB_ROOT;
	job->implicit_count = 0;
}

static void accel_job_remove_wait(struct accel_job_wait *wait)
{
	if (wait->fence)
		dma_fence_remove_callback(wait->fence, &wait->cb);
	else
		accel_timeline_remove_waiter(&wait->waiter);
}

/* The job will not run; its waits may not call it any more. */
void accel_job_remove_waits(struct accel_job *job)
{
	struct accel_job_wait *wait, *next;
	u32 i;

	for (i = 0; i < job->wait_count; i++)
		accel_job_remove_wait(&job->waits[i]);
	rbtree_postorder_for_each_entry_safe(wait, next, &job->implicit, node)
		accel_job_remove_wait(wait);
}
