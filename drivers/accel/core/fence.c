// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs as dma_fences, and the reservation objects of the buffers they use.
 *
 * A job's fence enters reservation objects when the job is not held any more, never
 * before: from then on it signals in bounded time.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/module.h>
#include <linux/slab.h>

/* May be asked for after the device and its driver are gone. */
const char *accel_fence_get_driver_name(struct dma_fence *fence)
{
	return "accel";
}

static const char *accel_fence_get_timeline_name(struct dma_fence *fence)
{
	return "queue";
}

static bool accel_fence_is_reached(struct dma_fence *fence)
{
	struct accel_job *job = container_of(fence, struct accel_job, fence);

	/* Pairs with accel_fence_reached(): the fence has its error by then. */
	return smp_load_acquire(&job->point.reached);
}

static void accel_fence_free(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct dma_fence, rcu));
	/* Not the last of this module's code: its exit waits for callbacks. */
	module_put(THIS_MODULE);
}

/* Of jobs and of points: either is one allocation, which starts with its fence. */
void accel_fence_release(struct dma_fence *fence)
{
	/* Who looks at a reservation object may have found it there. */
	call_rcu(&fence->rcu, accel_fence_free);
}

static const struct dma_fence_ops accel_fence_ops = {
	.get_driver_name = accel_fence_get_driver_name,
	.get_timeline_name = accel_fence_get_timeline_name,
	.signaled = accel_fence_is_reached,
	.release = accel_fence_release,
};

bool accel_fence_has_ops(struct dma_fence *fence, const struct dma_fence_ops *ops)
{
	/* An RCU pointer in mainline; it is compared only. */
	return (__force const void *)READ_ONCE(fence->ops) == ops;
}

/* From here on the job's memory belongs to its fence. */
void accel_fence_init(struct accel_job *job, u64 seqno)
{
	BUILD_BUG_ON(offsetof(struct accel_job, fence));

	/* The fence may come to be anybody's, and its ops are here. */
	__module_get(THIS_MODULE);
	spin_lock_init(&job->fence_lock);
	dma_fence_init(&job->fence, &accel_fence_ops, &job->fence_lock,
		       job->queue->fence_context, seqno);
	accel_census_inc(ACCEL_CENSUS_FENCES);
}

/*
 * The job's point is reached. Whoever is told so before accel_fence_signal() comes to
 * this fence must not hear otherwise from it.
 */
void accel_fence_reached(struct accel_job *job, int error)
{
	if (error)
		dma_fence_set_error(&job->fence, error);
	/* Pairs with accel_fence_is_reached(): its caller goes by the error. */
	smp_store_release(&job->point.reached, true);
}

void accel_fence_signal(struct accel_job *job)
{
	dma_fence_signal(&job->fence);
	accel_census_dec(ACCEL_CENSUS_FENCES);
}

/*
 * The timeline of the unfinished job, or of the point, that a fence is of, with a
 * reference, and the point. NULL if it is neither's, or has signalled, or is to be
 * waited for as any other because too many have a reference.
 */
struct accel_timeline *accel_fence_timeline(struct dma_fence *fence, u64 *value)
{
	struct accel_job *job = container_of(fence, struct accel_job, fence);
	struct accel_timeline *timeline;

	if (!accel_fence_has_ops(fence, &accel_fence_ops))
		return accel_point_fence_timeline(fence, value);

	/* A job gives up its queue after it has signalled. */
	guard(spinlock_irqsave)(&job->fence_lock);
	if (test_bit(DMA_FENCE_FLAG_SIGNALED_BIT, &fence->flags))
		return NULL;

	timeline = job->queue->timeline;
	if (accel_timeline_is_in_demand(timeline))
		return NULL;
	refcount_inc(&timeline->obj.refs);
	*value = job->point.value;
	return timeline;
}

/*
 * The error of a fence that has signalled, or 0. One made of others may have signalled
 * without an error of its own.
 */
int accel_fence_error(struct dma_fence *fence)
{
	struct dma_fence_unwrap cursor;
	struct dma_fence *part;
	int error = 0;

	dma_fence_unwrap_for_each(part, &cursor, fence)
		if (part->error && !error)
			error = part->error;
	return error;
}

static int accel_job_collect(struct accel_job *job, struct accel_job_bo *use)
{
	enum dma_resv_usage usage = dma_resv_usage_rw(use->flags & ACCEL_BO_WRITE);
	struct dma_resv *resv = use->bo->resv;
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	int ret;

	/* The addresses that the driver has asked for are not to be used. */
	if (use->bo->revoked)
		return -EAGAIN;
	/* Two: if buffers share it, the job may come to read and to write. */
	ret = dma_resv_reserve_fences(resv, 2);
	if (ret)
		return ret;

	/* While the kernel moves memory, that is not for a client to ignore. */
	if (use->flags & ACCEL_BO_NO_IMPLICIT)
		usage = DMA_RESV_USAGE_KERNEL;
	dma_resv_for_each_fence(&cursor, resv, usage, fence) {
		ret = accel_job_collect_implicit_wait(job, fence);
		if (ret)
			return ret;
	}
	return 0;
}

static void accel_job_unlock_bos_but(struct accel_job *job, u32 count,
				     struct accel_job_bo *but)
{
	struct accel_job_bo *use = job->bos + count;

	while (use-- > job->bos)
		if (use != but && !use->resv_shared)
			dma_resv_unlock(use->bo->resv);
}

/*
 * All of them, in whatever order, with the others backing off as ww_mutex says. What
 * was imported may share one with another buffer: that is locked once.
 */
static int accel_job_lock_resvs(struct accel_job *job,
				struct ww_acquire_ctx *ctx)
{
	struct accel_job_bo *contended = NULL;
	struct accel_job_bo *use;
	u32 i;
	int ret;

retry:
	for (i = 0; i < job->bo_count; i++) {
		use = &job->bos[i];
		if (use == contended)
			continue;
		ret = dma_resv_lock_interruptible(use->bo->resv, ctx);
		use->resv_shared = ret == -EALREADY;
		if (!ret || ret == -EALREADY)
			continue;

		accel_job_unlock_bos_but(job, i, contended);
		if (contended)
			dma_resv_unlock(contended->bo->resv);
		if (ret != -EDEADLK)
			return ret;
		ret = dma_resv_lock_slow_interruptible(use->bo->resv, ctx);
		if (ret)
			return ret;
		contended = use;
		goto retry;
	}
	return 0;
}

/*
 * Lock the reservation objects of a job's buffers, make room for its fence, and have
 * the job wait for what is there. On an error nothing is locked, and it waits for
 * none of that.
 */
int accel_job_lock_bos(struct accel_job *job, struct ww_acquire_ctx *ctx)
{
	int ret;
	u32 i;

	if (!job->bo_count)
		return 0;

	ww_acquire_init(ctx, &reservation_ww_class);
	ret = accel_job_lock_resvs(job, ctx);
	if (ret) {
		ww_acquire_fini(ctx);
		return ret;
	}
	ww_acquire_done(ctx);

	for (i = 0; i < job->bo_count && !ret; i++)
		ret = accel_job_collect(job, &job->bos[i]);
	if (ret) {
		accel_job_unlock_bos(job, ctx);
		accel_job_put_implicit_waits(job);
		return ret;
	}
	accel_job_add_implicit_waits(job);
	return 0;
}

void accel_job_unlock_bos(struct accel_job *job, struct ww_acquire_ctx *ctx)
{
	if (!job->bo_count)
		return;

	accel_job_unlock_bos_but(job, job->bo_count, NULL);
	ww_acquire_fini(ctx);
}

/* Leave the job's fence where accel_job_lock_bos() has made room. */
void accel_job_publish(struct accel_job *job)
{
	enum dma_resv_usage usage;
	u32 i;

	for (i = 0; i < job->bo_count; i++) {
		usage = job->bos[i].flags & ACCEL_BO_WRITE ?
			DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ;
		dma_resv_add_fence(job->bos[i].bo->resv, &job->fence, usage);
	}
}
