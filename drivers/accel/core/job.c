// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs, from the copy of what a client asks for to the last of their traces.
 *
 * One allocation holds the driver's job, the lists and the command. Once accepted
 * it belongs to the job's fence, which may outlive the job; what the job refers to
 * is given back when it ends.
 */
#include "accel_internal.h"

#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <linux/wait_bit.h>

static int accel_job_check(const struct accel_ops *ops,
			   const struct accel_submit_job *args)
{
	if (args->flags & ~ACCEL_JOB_CANCEL_ON_ERROR)
		return -EOPNOTSUPP;
	if (!args->cmd_size || args->cmd_size > ops->cmd_size_max ||
	    args->bo_count > ACCEL_JOB_BOS_MAX ||
	    args->wait_count > ACCEL_POINTS_MAX ||
	    args->signal_count > ACCEL_POINTS_MAX)
		return -EINVAL;
	return 0;
}

/* The counts are set one by one, as entries come to hold references. */
static struct accel_job *accel_job_alloc(struct accel_queue *queue,
					 const struct accel_submit_job *args)
{
	const struct accel_ops *ops = queue->engine->dev->ops;
	size_t bos, waits, signals, cmd, end;
	struct accel_job *job;

	/* None of the factors is large: accel_job_check() has seen them. */
	bos = ALIGN(max(ops->job_size, sizeof(*job)), 8);
	waits = bos + args->bo_count * sizeof(*job->bos);
	signals = waits + args->wait_count * sizeof(*job->waits);
	cmd = signals + args->signal_count * sizeof(*job->signals);
	end = cmd + args->cmd_size;

	job = kzalloc(end, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!job)
		return NULL;

	job->queue = queue;
	refcount_inc(&queue->obj.refs);
	job->bos = (void *)job + bos;
	job->waits = (void *)job + waits;
	job->signals = (void *)job + signals;
	job->cmd = (void *)job + cmd;
	job->cmd_size = args->cmd_size;
	/* Both start with a guard, dropped when all waits have been added. */
	atomic_set(&job->holds, 1);
	atomic_set(&job->deps, 1);
	accel_census_inc(ACCEL_CENSUS_JOBS);
	return job;
}

/* In any context. */
static void accel_job_put_bos(struct accel_job *job)
{
	u32 i;

	for (i = 0; i < job->bo_count; i++) {
		accel_bo_unuse(job->bos[i].bo);
		accel_object_put_any_context(&job->bos[i].bo->obj);
	}
}

/* Give back what else the job refers to; in any context. */
static void accel_job_put_rest(struct accel_job *job)
{
	u32 i;

	for (i = 0; i < job->wait_count; i++)
		accel_job_wait_put(&job->waits[i]);
	accel_job_put_implicit_waits(job);
	accel_object_put_any_context(&job->queue->obj);
	accel_census_dec(ACCEL_CENSUS_JOBS);
}

/* For a job that was not accepted. */
void accel_job_free(struct accel_job *job)
{
	u32 i;

	for (i = 0; i < job->signal_count; i++)
		accel_object_put_any_context(&job->signals[i].timeline->obj);
	accel_job_put_bos(job);
	accel_job_put_rest(job);
	kfree(job);
}

static bool accel_job_has_bo(struct accel_job *job, struct accel_bo *bo)
{
	u32 i;

	for (i = 0; i < job->bo_count; i++)
		if (job->bos[i].bo == bo)
			return true;
	return false;
}

static int accel_job_copy_bo(struct accel_job *job, struct accel_file *file,
			     const struct accel_submit_job *args, u32 index)
{
	struct accel_submit_bo use;
	struct accel_bo *bo;
	int ret;

	ret = accel_copy_element(&use, sizeof(use),
				 offsetofend(struct accel_submit_bo, flags),
				 args->bos_ptr, args->bo_stride, index);
	if (ret)
		return ret;
	if (use.flags & ~(ACCEL_BO_READ | ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT))
		return -EOPNOTSUPP;
	if (!(use.flags & (ACCEL_BO_READ | ACCEL_BO_WRITE)))
		return -EINVAL;

	bo = accel_bo_get(file, use.id, use.flags & ACCEL_BO_WRITE);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	ret = accel_job_has_bo(job, bo) ? -EINVAL :
		accel_bo_use(bo) ? 0 : -EBUSY;
	if (ret) {
		accel_object_put(&bo->obj);
		return ret;
	}

	job->bos[index].bo = bo;
	job->bos[index].flags = use.flags;
	job->bo_count++;
	return 0;
}

static int accel_job_set_wait(struct accel_job *job, struct accel_file *file,
			      struct accel_job_wait *wait,
			      const struct accel_point *point)
{
	struct accel_timeline *timeline;
	struct dma_fence *fence;

	if (point->flags & ~ACCEL_POINT_SYNC_FILE)
		return -EOPNOTSUPP;

	if (point->flags & ACCEL_POINT_SYNC_FILE) {
		if (point->value)
			return -EINVAL;
		fence = sync_file_get_fence(point->timeline);
		if (!fence)
			return -EBADF;
		accel_job_wait_for_fence(wait, job, fence);
		return 0;
	}

	timeline = accel_timeline_get(file, point->timeline);
	if (IS_ERR(timeline))
		return PTR_ERR(timeline);
	accel_job_wait_for_point(wait, job, timeline, point->value);
	return 0;
}

static int accel_job_copy_wait(struct accel_job *job, struct accel_file *file,
			       const struct accel_submit_job *args, u32 index)
{
	struct accel_job_wait *wait = &job->waits[index];
	struct accel_point point;
	int ret;

	ret = accel_copy_element(&point, sizeof(point),
				 offsetofend(struct accel_point, value),
				 args->waits_ptr, args->wait_stride, index);
	if (ret)
		return ret;

	ret = accel_job_set_wait(job, file, wait, &point);
	if (ret)
		return ret;

	wait->cancels = args->flags & ACCEL_JOB_CANCEL_ON_ERROR;
	job->wait_count++;
	return 0;
}

/* The job that has promised the point on another timeline is not needed for it. */
static void accel_job_put_signal(struct accel_point_entry *entry)
{
	struct accel_job_signal *signal = container_of(entry,
						       struct accel_job_signal,
						       entry);
	struct accel_timeline *timeline = signal->timeline;

	dma_fence_put(&signal->job->fence);
	accel_object_put_any_context(&timeline->obj);
}

static int accel_job_copy_signal(struct accel_job *job, struct accel_file *file,
				 const struct accel_submit_job *args, u32 index)
{
	struct accel_job_signal *signal = &job->signals[index];
	struct accel_timeline *timeline;
	struct accel_point point;
	int ret;

	ret = accel_copy_element(&point, sizeof(point),
				 offsetofend(struct accel_point, value),
				 args->signals_ptr, args->signal_stride, index);
	if (ret)
		return ret;
	if (point.flags)
		return -EOPNOTSUPP;

	timeline = accel_timeline_get_to_signal(file, point.timeline);
	if (IS_ERR(timeline))
		return PTR_ERR(timeline);

	signal->timeline = timeline;
	signal->entry.value = point.value;
	signal->entry.put = accel_job_put_signal;
	signal->job = job;
	job->signal_count++;
	return 0;
}

static int accel_job_copy(struct accel_job *job, struct accel_file *file,
			  const struct accel_submit_job *args)
{
	int ret = 0;
	u32 i;

	if (copy_from_user((void *)job->cmd, u64_to_user_ptr(args->cmd_ptr),
			   args->cmd_size))
		return -EFAULT;
	for (i = 0; i < args->bo_count && !ret; i++)
		ret = accel_job_copy_bo(job, file, args, i);
	for (i = 0; i < args->wait_count && !ret; i++)
		ret = accel_job_copy_wait(job, file, args, i);
	for (i = 0; i < args->signal_count && !ret; i++)
		ret = accel_job_copy_signal(job, file, args, i);
	return ret;
}

/*
 * Copy a job from userspace, once: what happens to it there does not matter any
 * more. Returns a job for accel_queue_accept() or accel_job_free(), or an ERR_PTR.
 */
struct accel_job *accel_job_create(struct accel_queue *queue,
				   struct accel_file *file,
				   const struct accel_submit_job *args)
{
	struct accel_job *job;
	int ret;

	ret = accel_job_check(queue->engine->dev->ops, args);
	if (ret)
		return ERR_PTR(ret);

	job = accel_job_alloc(queue, args);
	if (!job)
		return ERR_PTR(-ENOMEM);

	ret = accel_job_copy(job, file, args);
	if (ret) {
		accel_job_free(job);
		return ERR_PTR(ret);
	}
	return job;
}

struct accel_bo *accel_job_find_bo(struct accel_job *job, u32 index, u64 offset,
				   u64 length, u32 flags)
{
	struct accel_job_bo *use;

	if (index >= job->bo_count)
		return ERR_PTR(-EINVAL);

	use = &job->bos[array_index_nospec(index, job->bo_count)];
	if (!length || offset > use->bo->size ||
	    length > use->bo->size - offset)
		return ERR_PTR(-EINVAL);
	if (flags & ~use->flags)
		return ERR_PTR(-EACCES);
	return use->bo;
}
EXPORT_SYMBOL_NS_GPL(accel_job_find_bo, "ACCEL");

/*
 * Promise all of the job's points on other timelines, or none. Others may promise on
 * them meanwhile; until accel_job_unhold() they do not depend on these.
 */
int accel_job_promise(struct accel_job *job)
{
	u32 i;
	int ret;

	for (i = 0; i < job->signal_count; i++) {
		ret = accel_timeline_promise(job->signals[i].timeline,
					     &job->signals[i].entry);
		if (!ret)
			continue;
		while (i--)
			accel_timeline_unpromise(job->signals[i].timeline,
						 &job->signals[i].entry);
		return ret;
	}
	return 0;
}

/* Others may depend on the job's points from now on. */
void accel_job_unhold(struct accel_job *job, struct list_head *ready)
{
	u32 i;

	accel_timeline_unhold(job->queue->timeline, &job->point, ready);
	for (i = 0; i < job->signal_count; i++)
		accel_timeline_unhold(job->signals[i].timeline,
				      &job->signals[i].entry, ready);
}

static void accel_job_end_signal(struct accel_job_signal *signal, int error,
				 struct list_head *ready)
{
	LIST_HEAD(reached);

	accel_timeline_end(signal->timeline, &signal->entry, error, &reached,
			   ready);
	/* Not only this job's: those behind it on the timeline as well. */
	accel_points_put(&reached);
}

/* The job's point on its queue's timeline is reached: so are the others. */
static void accel_job_reached(struct accel_job *job, struct list_head *ready)
{
	int error = job->point.error;
	u32 i;

	accel_fence_signal(job);
	if (error)
		accel_event_job_failed(job->queue, job->point.value, error);
	for (i = 0; i < job->signal_count; i++)
		accel_job_end_signal(&job->signals[i], error, ready);
	/*
	 * Who destroys the queue sets this, and then looks at the timeline. If this
	 * job was still there, the timeline's lock makes sure that it is seen here.
	 */
	if (READ_ONCE(job->queue->closed))
		wake_up_var(&job->queue->timeline->pending_count);
	accel_job_put_rest(job);
	dma_fence_put(&job->fence);
}

/*
 * End a job that is on no list any more, with @job->error. Jobs that may start now
 * are added to @ready. In any context.
 */
void accel_job_end(struct accel_job *job, struct list_head *ready)
{
	struct accel_point_entry *entry, *next;
	LIST_HEAD(reached);

	/* The census waits for this: what is ended here is given up as well. */
	guard(rcu)();
	/* First, for whoever waits for the point to have what the job had. */
	accel_job_put_bos(job);
	accel_timeline_end(job->queue->timeline, &job->point, job->error,
			   &reached, ready);
	list_for_each_entry_safe(entry, next, &reached, link)
		accel_job_reached(container_of(entry, struct accel_job, point),
				  ready);
}

/*
 * End jobs that are linked through @accel_job.link, and never ran or were aborted.
 * May sleep: there may be all those of an engine.
 */
void accel_jobs_end(struct list_head *jobs, struct list_head *ready)
{
	struct accel_job *job, *next;

	list_for_each_entry_safe(job, next, jobs, link) {
		list_del(&job->link);
		accel_job_remove_waits(job);
		accel_job_end(job, ready);
		cond_resched();
	}
}
