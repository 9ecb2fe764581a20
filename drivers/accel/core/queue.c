// SPDX-License-Identifier: GPL-2.0-only
/* Queues: creation, acceptance of jobs in order, held jobs. */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/memcontrol.h>
#include <linux/nospec.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

static struct accel_queue *obj_to_queue(struct accel_object *obj)
{
	return container_of(obj, struct accel_queue, obj);
}

/**
 * accel_queue_get - find a queue by its id
 * @file: the open file the id belongs to
 * @id: the id
 *
 * Return: the queue with a reference for accel_queue_put(), or NULL.
 */
struct accel_queue *accel_queue_get(struct accel_file *file, u32 id)
{
	struct accel_object *obj = accel_object_get(file, id, &accel_queue_type);

	return obj ? obj_to_queue(obj) : NULL;
}
EXPORT_SYMBOL_NS_GPL(accel_queue_get, "ACCEL");

/**
 * accel_queue_put - give back what accel_queue_get() returned
 * @queue: the queue
 *
 * Context: may sleep.
 */
void accel_queue_put(struct accel_queue *queue)
{
	accel_object_put(&queue->obj);
}
EXPORT_SYMBOL_NS_GPL(accel_queue_put, "ACCEL");

/**
 * accel_queue_client - who made a queue
 * @queue: the queue
 *
 * Return: a number that no other open file has or will have, not 0.
 */
u64 accel_queue_client(const struct accel_queue *queue)
{
	return queue->client;
}
EXPORT_SYMBOL_NS_GPL(accel_queue_client, "ACCEL");

/* The job is not held: its fence may be depended on, and it may start. */
static void accel_queue_release_job(struct accel_job *job,
				    struct list_head *ended,
				    struct list_head *ready)
{
	int error;

	accel_job_unhold(job, ready);
	error = accel_sched_add_job(job);
	if (error) {
		job->error = error;
		list_add_tail(&job->link, ended);
	}
}

/* Still in the signalling section of the job's fence, without accel_queue.lock. */
static void accel_queue_go(struct accel_queue *queue, struct list_head *ended,
			   struct list_head *ready)
{
	accel_jobs_end(ended, ready);
	accel_sched_dispatch(queue->engine, ready);
	accel_jobs_start(ready);
}

static void accel_queue_let_go(struct accel_job *job, struct list_head *ended,
			       struct list_head *ready, bool *cookie)
{
	struct ww_acquire_ctx ctx;
	struct mem_cgroup *old;
	int ret;

	/* A worker's, and the client's doing. */
	old = set_active_memcg(job->queue->memcg);
	ret = accel_job_lock_bos(job, &ctx);
	set_active_memcg(old);
	*cookie = dma_fence_begin_signalling();
	if (ret) {
		/* It was accepted: all it can do is end with the error. */
		WRITE_ONCE(job->error, ret);
	} else {
		accel_job_publish(job);
		accel_job_unlock_bos(job, &ctx);
	}
	accel_queue_release_job(job, ended, ready);
}

/*
 * Let the first held job go if it may, or end it if the queue is lost or closed.
 * Returns whether to look at the one behind it: it was held with this one.
 */
static bool accel_queue_run_first_held(struct accel_queue *queue)
{
	struct accel_job *job;
	LIST_HEAD(ended);
	LIST_HEAD(ready);
	bool cookie;
	int status;

	scoped_guard(mutex, &queue->lock) {
		status = accel_sched_queue_status(queue);
		job = list_first_entry_or_null(&queue->held, struct accel_job,
					       link);
		if (!job || (!status && atomic_read(&job->holds)))
			return false;

		list_del(&job->link);
		if (status) {
			cookie = dma_fence_begin_signalling();
			job->error = accel_status_to_error(status);
			list_add(&job->link, &ended);
		} else {
			accel_queue_let_go(job, &ended, &ready, &cookie);
		}
	}
	accel_queue_go(queue, &ended, &ready);
	dma_fence_end_signalling(cookie);
	return true;
}

/*
 * One after the other: who holds a buffer of the next, or memory that we need for
 * it, may be waiting for the fence of this one, so that has to be on its way.
 */
static void accel_queue_run_held(struct accel_queue *queue)
{
	while (accel_queue_run_first_held(queue))
		cond_resched();
}

static void accel_queue_hold_work_fn(struct work_struct *work)
{
	accel_queue_run_held(container_of(work, struct accel_queue, hold_work));
}

static int accel_queue_may_accept(struct accel_queue *queue)
{
	int status;

	lockdep_assert_held(&queue->lock);

	if (queue->closed)
		return -ENOENT;
	status = accel_sched_queue_status(queue);
	if (status)
		return status;
	/*
	 * Jobs that have ended count until their points are reached, since that is
	 * how long they stay. Without the timeline's lock: all are added under ours,
	 * and who has seen a point finds room, see accel_timeline_advance().
	 */
	return READ_ONCE(queue->timeline->pending_count) < ACCEL_JOBS_MAX ?
		0 : -EAGAIN;
}

/* Nothing can fail any more: give the job its point and its fence. */
static u64 accel_queue_commit(struct accel_queue *queue, struct accel_job *job)
{
	u32 i;

	accel_timeline_promise_next(queue->timeline, &job->point);
	accel_fence_init(job, job->point.value);
	for (i = 0; i < job->signal_count; i++)
		dma_fence_get(&job->fence);
	return job->point.value;
}

static int accel_queue_accept_locked(struct accel_queue *queue,
				     struct accel_job *job, u64 *point,
				     struct list_head *ended,
				     struct list_head *ready, bool *cookie)
{
	struct ww_acquire_ctx ctx;
	bool held;
	int ret;

	ret = accel_queue_may_accept(queue);
	if (ret)
		return ret;

	accel_job_add_explicit_waits(job);
	held = !atomic_dec_and_test(&job->holds);
	held |= !list_empty(&queue->held);
	if (!held) {
		ret = accel_job_lock_bos(job, &ctx);
		if (ret)
			goto err_waits;
	}
	ret = accel_job_promise(job);
	if (ret)
		goto err_bos;

	*point = accel_queue_commit(queue, job);
	/* Others see the fence soon: nothing is waited for until accel_queue_go(). */
	*cookie = dma_fence_begin_signalling();
	if (held) {
		list_add_tail(&job->link, &queue->held);
		return 0;
	}
	accel_job_publish(job);
	accel_job_unlock_bos(job, &ctx);
	accel_queue_release_job(job, ended, ready);
	return 0;

err_bos:
	if (!held)
		accel_job_unlock_bos(job, &ctx);
err_waits:
	accel_job_remove_waits(job);
	return ret;
}

/*
 * Accept a job behind those that the queue has, give it a point, and start it if
 * nothing is in the way. On an error nothing has changed and the job is the
 * caller's to free.
 */
int accel_queue_accept(struct accel_queue *queue, struct accel_job *job,
		       u64 *point)
{
	LIST_HEAD(ended);
	LIST_HEAD(ready);
	bool cookie;
	int ret;

	lockdep_assert_held(&queue->submit_lock);

	scoped_guard(mutex, &queue->lock)
		ret = accel_queue_accept_locked(queue, job, point, &ended,
						&ready, &cookie);
	if (ret)
		return ret;

	accel_queue_go(queue, &ended, &ready);
	dma_fence_end_signalling(cookie);
	return 0;
}

static void accel_queue_destroy(struct accel_object *obj)
{
	struct accel_queue *queue = obj_to_queue(obj);

	accel_event_stop(queue);
	scoped_guard(mutex, &queue->lock)
		WRITE_ONCE(queue->closed, true);
	accel_sched_cancel_queue(queue);
	accel_queue_run_held(queue);
	/* The last may be ending by themselves on another CPU. */
	wait_var_event(&queue->timeline->pending_count,
		       accel_timeline_is_settled(queue->timeline));
	accel_timeline_close(queue->timeline, -ECANCELED);
	atomic_dec(&obj->file->queue_count);
}

static void accel_queue_release(struct accel_object *obj)
{
	struct accel_queue *queue = obj_to_queue(obj);
	struct accel_device *dev = queue->engine->dev;

	accel_sched_remove_queue(queue);
	cancel_work_sync(&queue->hold_work);
	accel_object_put(&queue->timeline->obj);
	mem_cgroup_put(queue->memcg);
	mutex_destroy(&queue->lock);
	mutex_destroy(&queue->submit_lock);
	kfree(queue);
	put_device(&dev->dev);
	accel_census_dec(ACCEL_CENSUS_QUEUES);
}

const struct accel_object_type accel_queue_type = {
	.destroy = accel_queue_destroy,
	.release = accel_queue_release,
};

static struct accel_queue *accel_queue_create(struct accel_file *file,
					      struct accel_engine *engine,
					      u32 timeout_ms)
{
	struct accel_device *dev = file->dev;
	struct accel_queue *queue;
	int ret = -ENOMEM;

	queue = kzalloc_obj(*queue, GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);

	queue->timeline = accel_timeline_create(dev, 0, true);
	if (!queue->timeline)
		goto err_free;
	ret = accel_point_page_add(queue->timeline, file);
	if (ret)
		goto err_timeline;

	accel_object_init(&queue->obj, &accel_queue_type);
	queue->engine = engine;
	queue->client = file->id;
	queue->timeout_ms = timeout_ms ?: dev->ops->timeout_default_ms;
	queue->fence_context = dma_fence_context_alloc(1);
	queue->memcg = get_mem_cgroup_from_mm(current->mm);
	mutex_init(&queue->submit_lock);
	mutex_init(&queue->lock);
	INIT_LIST_HEAD(&queue->held);
	INIT_WORK(&queue->hold_work, accel_queue_hold_work_fn);
	get_device(&dev->dev);
	accel_census_inc(ACCEL_CENSUS_QUEUES);
	accel_event_init_queue(queue);
	accel_sched_add_queue(queue);
	return queue;

err_timeline:
	accel_object_put(&queue->timeline->obj);
err_free:
	kfree(queue);
	return ERR_PTR(ret);
}

static int accel_queue_check_args(struct accel_device *dev,
				  const struct accel_queue_create *args)
{
	if (args->flags || args->priority)
		return -EOPNOTSUPP;
	if (args->engine >= dev->engine_count || args->reserved ||
	    args->timeout_ms > dev->ops->timeout_max_ms || args->payload_size)
		return -EINVAL;
	return args->vm ? -ENOENT : 0;
}

int accel_queue_create_ioctl(struct accel_ioctl_call *call)
{
	struct accel_queue_create *args = call->arg;
	struct accel_device *dev = call->file->dev;
	struct accel_queue *queue;
	u32 engine;
	int ret;

	ret = accel_queue_check_args(dev, args);
	if (ret)
		return ret;

	if (!atomic_add_unless(&call->file->queue_count, 1, ACCEL_QUEUES_MAX))
		return -ENOSPC;

	engine = array_index_nospec(args->engine, dev->engine_count);
	queue = accel_queue_create(call->file, dev->engines[engine],
				   args->timeout_ms);
	if (IS_ERR(queue)) {
		atomic_dec(&call->file->queue_count);
		return PTR_ERR(queue);
	}
	ret = accel_object_reserve(call, &queue->obj);
	if (ret) {
		atomic_dec(&call->file->queue_count);
		accel_object_put(&queue->obj);
		return ret;
	}

	/* From here on the dispatcher undoes what was reserved. */
	ret = accel_timeline_reserve(call, queue->timeline, false,
				     &queue->timeline_id);
	if (ret)
		return ret;

	args->id = queue->obj.id;
	args->timeline = queue->timeline_id;
	args->point_offset = accel_bo_mmap_offset(queue->timeline->page_handle->bo);
	return 0;
}

static void accel_queue_fill_info(struct accel_queue *queue,
				  struct accel_queue_info *args)
{
	struct accel_timeline *timeline = queue->timeline;

	args->engine = queue->engine->index;
	args->timeline = queue->timeline_id;
	args->timeout_ms = queue->timeout_ms;
	scoped_guard(spinlock_irqsave, &timeline->lock) {
		args->submitted = timeline->promised;
		args->completed = timeline->completed;
		args->failed = timeline->failed;
	}
	scoped_guard(spinlock_irqsave, &queue->engine->lock) {
		args->status = queue->status;
		args->busy_ns = queue->busy_ns;
	}
}

int accel_queue_info_ioctl(struct accel_ioctl_call *call)
{
	struct accel_queue_info *args = call->arg;
	struct accel_queue *queue;

	queue = accel_queue_get(call->file, args->id);
	if (!queue)
		return -ENOENT;

	accel_queue_fill_info(queue, args);
	accel_queue_put(queue);
	return 0;
}
