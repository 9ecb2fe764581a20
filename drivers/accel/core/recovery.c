// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to jobs that do not end by themselves: theirs is a timeout, a queue
 * that is destroyed, or a device that goes.
 *
 * An engine is paused while its jobs are aborted, so that job_run and job_abort are
 * never called at the same time and nothing starts behind a job that is taken away.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>

/* When this returns, job_run is not running and will not be called. */
static void accel_sched_pause(struct accel_engine *engine)
{
	scoped_guard(spinlock_irq, &engine->lock)
		engine->paused++;
	wait_event(engine->idle, !READ_ONCE(engine->dispatching));
}

static void accel_sched_resume(struct accel_engine *engine)
{
	guard(spinlock_irq)(&engine->lock);
	engine->paused--;
}

/*
 * Have the driver stop a running job, on which the caller has a reference. Returns
 * true if the job had not ended: then it is on no list and @error is its.
 */
static bool accel_sched_abort(struct accel_engine *engine, struct accel_job *job,
			      int error)
{
	lockdep_assert_held(&engine->abort_lock);

	scoped_guard(spinlock_irq, &engine->lock) {
		if (job->state == ACCEL_JOB_DONE)
			return false;
		job->state = ACCEL_JOB_ABORTING;
	}

	engine->dev->ops->job_abort(job);

	guard(spinlock_irq)(&engine->lock);
	job->state = ACCEL_JOB_DONE;
	job->error = error;
	accel_sched_finish(engine, job);
	return true;
}

/* The newest running job of @queue, or of any if that is NULL, with a reference. */
static struct accel_job *accel_sched_find_running(struct accel_engine *engine,
						  struct accel_queue *queue)
{
	struct accel_job *job;

	guard(spinlock_irq)(&engine->lock);
	list_for_each_entry_reverse(job, &engine->running, link) {
		if (queue && job->queue != queue)
			continue;
		dma_fence_get(&job->fence);
		return job;
	}
	return NULL;
}

/*
 * Abort all running jobs of @queue, or of all queues if that is NULL. The newest
 * goes first, lest it starts when the one before it is gone. @late, which may be
 * NULL, ends with ETIME, the others with @error.
 */
static void accel_sched_abort_running(struct accel_engine *engine,
				      struct accel_queue *queue,
				      struct accel_job *late, int error,
				      struct list_head *ended)
{
	struct accel_job *job;

	while ((job = accel_sched_find_running(engine, queue))) {
		if (accel_sched_abort(engine, job, job == late ? -ETIME : error))
			list_add(&job->link, ended);
		dma_fence_put(&job->fence);
	}
}

/* The queue takes no jobs any more; those that have not started go to @ended. */
static void accel_sched_shut_queue(struct accel_queue *queue, int status,
				   struct list_head *ended)
{
	struct accel_job *job;

	lockdep_assert_held(&queue->engine->lock);

	if (!queue->status)
		queue->status = status;
	list_for_each_entry(job, &queue->jobs, link) {
		job->state = ACCEL_JOB_DONE;
		job->error = accel_status_to_error(status);
	}
	list_splice_tail_init(&queue->jobs, ended);
	accel_sched_update_queue(queue);
}

/*
 * End jobs that were aborted or never started. Their job_abort is not inside the
 * signalling section, though it has to be fit for one: it may flush a worker that
 * calls accel_job_done(), which lockdep would take for a circle.
 */
static void accel_sched_end(struct accel_engine *engine, struct list_head *ended)
{
	bool cookie = dma_fence_begin_signalling();
	LIST_HEAD(ready);

	accel_jobs_end(ended, &ready);
	accel_sched_dispatch(engine, &ready);
	accel_jobs_start(&ready);
	dma_fence_end_signalling(cookie);
}

/* A queue is destroyed: abort and cancel all of its jobs that are not held. */
void accel_sched_cancel_queue(struct accel_queue *queue)
{
	struct accel_engine *engine = queue->engine;
	LIST_HEAD(waiting);
	LIST_HEAD(ended);

	scoped_guard(mutex, &engine->abort_lock) {
		scoped_guard(spinlock_irq, &engine->lock)
			accel_sched_shut_queue(queue, -ECANCELED, &waiting);

		accel_sched_pause(engine);
		accel_sched_abort_running(engine, queue, NULL, -ECANCELED, &ended);
		accel_sched_resume(engine);
	}

	list_splice_tail(&waiting, &ended);
	accel_sched_end(engine, &ended);
}

/* The same for the first queue of @queues; returns false if there is none left. */
static bool accel_sched_shut_first(struct accel_engine *engine,
				   struct list_head *queues,
				   struct list_head *ended)
{
	struct accel_queue *queue;

	guard(spinlock_irq)(&engine->lock);
	queue = list_first_entry_or_null(queues, struct accel_queue, engine_link);
	if (!queue)
		return false;

	list_move_tail(&queue->engine_link, &engine->queues);
	accel_sched_shut_queue(queue, -ENODEV, ended);
	queue_work(system_dfl_wq, &queue->hold_work);
	return true;
}

/*
 * The engine takes and starts no jobs any more; those that have not started go to
 * @ended. Clients decide how many queues there are, so the lock is dropped after
 * each. One that goes meanwhile leaves the list that it is on, be it ours.
 */
static void accel_sched_shut_engine(struct accel_engine *engine,
				    struct list_head *ended)
{
	LIST_HEAD(queues);

	scoped_guard(spinlock_irq, &engine->lock) {
		engine->status = -ENODEV;
		list_splice_init(&engine->queues, &queues);
	}
	while (accel_sched_shut_first(engine, &queues, ended))
		cond_resched();
}

static void accel_sched_stop_engine(struct accel_engine *engine,
				    struct list_head *ended)
{
	scoped_guard(mutex, &engine->abort_lock) {
		accel_sched_pause(engine);
		accel_sched_abort_running(engine, NULL, NULL, -ENODEV, ended);
		/* Never resumed. */
	}
	accel_sched_end(engine, ended);

	cancel_work_sync(&engine->start_work);
	cancel_delayed_work_sync(&engine->timeout_work);
}

/* The device goes: nothing runs when this returns, and nothing ever will. */
void accel_sched_stop(struct accel_device *dev)
{
	LIST_HEAD(ended);
	unsigned int i;

	/* All of them, before what ends on one sets a job of another free. */
	for (i = 0; i < dev->engine_count; i++)
		accel_sched_shut_engine(dev->engines[i], &ended);
	for (i = 0; i < dev->engine_count; i++)
		accel_sched_stop_engine(dev->engines[i], &ended);
}

/* Returns a job past its deadline, with a reference, or sees when to look next. */
static struct accel_job *accel_sched_find_late(struct accel_engine *engine)
{
	struct accel_job *job;

	guard(spinlock_irq)(&engine->lock);
	engine->check_at = 0;
	job = accel_sched_oldest(engine);
	if (!job)
		return NULL;
	if (job->deadline > ktime_get()) {
		accel_sched_arm_timeout(engine, job->deadline);
		return NULL;
	}
	dma_fence_get(&job->fence);
	return job;
}

/* A job ran into its timeout: its queue is lost, others lose nothing. */
static void accel_sched_time_out(struct accel_engine *engine,
				 struct accel_job *job, struct list_head *ended)
{
	struct accel_queue *queue;
	LIST_HEAD(aborted);
	LIST_HEAD(waiting);

	scoped_guard(spinlock_irq, &engine->lock) {
		/* It may have ended before the pause, and given up its queue. */
		if (job->state != ACCEL_JOB_RUNNING)
			return;
		job->state = ACCEL_JOB_ABORTING;
		queue = job->queue;
		refcount_inc(&queue->obj.refs);
		accel_sched_shut_queue(queue, -EIO, &waiting);
		queue_work(system_dfl_wq, &queue->hold_work);
	}
	accel_event_queue_lost(queue, -EIO);
	accel_sched_abort_running(engine, queue, job, -ECANCELED, &aborted);
	list_splice_tail(&aborted, ended);
	list_splice_tail(&waiting, ended);
	accel_object_put_any_context(&queue->obj);
}

void accel_sched_timeout_work_fn(struct work_struct *work)
{
	struct accel_engine *engine = container_of(to_delayed_work(work),
						   struct accel_engine,
						   timeout_work);
	struct accel_job *job;
	LIST_HEAD(ended);

	scoped_guard(mutex, &engine->abort_lock) {
		while ((job = accel_sched_find_late(engine))) {
			accel_sched_pause(engine);
			accel_sched_time_out(engine, job, &ended);
			accel_sched_resume(engine);
			dma_fence_put(&job->fence);
		}
	}
	accel_sched_end(engine, &ended);
}
