// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who runs next on an engine. What happens to a job that does not end is in
 * recovery.c.
 *
 * An engine keeps a list of queues whose first job may start, and takes one job
 * from each in turn. Whoever finds something to start becomes the dispatcher, be
 * it a submitter, an interrupt or a worker, and goes on until nothing is left;
 * others leave their work to it. So job_run is never entered twice, and a job
 * that ends inside job_run does not start the next one from there.
 *
 * Ending a job may make jobs of other engines ready. Those are collected in a list
 * and started by the outermost caller, in accel_jobs_start(): the stack does not
 * grow with the chain.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>
#include <linux/jiffies.h>

/* Who has started so many jobs leaves the rest to a worker. */
#define ACCEL_DISPATCH_BUDGET	32

static void accel_ready_work_fn(struct work_struct *work);

static DEFINE_SPINLOCK(accel_ready_lock);	/* protects accel_ready_jobs */
static LIST_HEAD(accel_ready_jobs);
static DECLARE_WORK(accel_ready_work, accel_ready_work_fn);

static struct accel_job *accel_queue_first(struct accel_queue *queue)
{
	return list_first_entry_or_null(&queue->jobs, struct accel_job, link);
}

/* Put the queue where it belongs after its first job has changed. */
void accel_sched_update_queue(struct accel_queue *queue)
{
	struct accel_job *job = accel_queue_first(queue);

	lockdep_assert_held(&queue->engine->lock);

	if (!job || !job->ready)
		list_del_init(&queue->ready_link);
	else if (list_empty(&queue->ready_link))
		list_add_tail(&queue->ready_link, &queue->engine->ready);
}

void accel_sched_arm_timeout(struct accel_engine *engine, ktime_t when)
{
	s64 left;

	lockdep_assert_held(&engine->lock);

	/* An earlier look finds out, and looks again. */
	if (engine->check_at && engine->check_at <= when)
		return;

	engine->check_at = when;
	left = max_t(s64, ktime_to_ns(ktime_sub(when, ktime_get())), 0);
	mod_delayed_work(engine->dev->wq, &engine->timeout_work,
			 nsecs_to_jiffies(left) + 1);
}

struct accel_job *accel_sched_oldest(struct accel_engine *engine)
{
	return list_first_entry_or_null(&engine->running, struct accel_job, link);
}

/*
 * The clock runs for the oldest job only: one that the hardware has not come to
 * is not late because of the one before it.
 */
static void accel_sched_start_clock(struct accel_engine *engine, ktime_t now)
{
	struct accel_job *job = accel_sched_oldest(engine);

	lockdep_assert_held(&engine->lock);

	if (!job || job->deadline)
		return;
	job->deadline = ktime_add_ms(now, job->queue->timeout_ms);
	accel_sched_arm_timeout(engine, job->deadline);
}

static void accel_sched_start(struct accel_engine *engine, struct accel_job *job)
{
	lockdep_assert_held(&engine->lock);

	job->state = ACCEL_JOB_RUNNING;
	job->started = ktime_get();
	list_add_tail(&job->link, &engine->running);
	engine->running_count++;
	engine->starting = job;
	accel_sched_start_clock(engine, job->started);
}

/* The hardware has given up the job: take it from the engine's books. */
void accel_sched_finish(struct accel_engine *engine, struct accel_job *job)
{
	ktime_t now = ktime_get();
	ktime_t from = max(job->started, engine->last_end);
	u64 busy = ktime_to_ns(ktime_sub(now, from));

	lockdep_assert_held(&engine->lock);

	list_del(&job->link);
	engine->running_count--;
	engine->last_end = now;
	engine->jobs++;
	engine->busy_ns += busy;
	job->queue->busy_ns += busy;
	accel_sched_start_clock(engine, now);
}

static bool accel_sched_has_room(struct accel_engine *engine)
{
	lockdep_assert_held(&engine->lock);

	return !engine->paused && !engine->status &&
	       engine->running_count < engine->depth;
}

/* Take the next job that may start. One with an error set is not to be run. */
static struct accel_job *accel_sched_next(struct accel_engine *engine)
{
	struct accel_queue *queue;
	struct accel_job *job;

	lockdep_assert_held(&engine->lock);

	if (!accel_sched_has_room(engine))
		return NULL;
	queue = list_first_entry_or_null(&engine->ready, struct accel_queue,
					 ready_link);
	if (!queue)
		return NULL;

	job = accel_queue_first(queue);
	list_del(&job->link);
	/* To the end of the line, if it goes on at all. */
	list_del_init(&queue->ready_link);
	accel_sched_update_queue(queue);
	return job;
}

/* What a driver gives becomes the status of points and the error of a fence. */
static int accel_sched_check_error(int error)
{
	if (WARN_ON_ONCE(error > 0 || error < -MAX_ERRNO))
		return -EIO;
	return error;
}

/* Run one job; returns true if it has ended already. Drops the lock meanwhile. */
static bool accel_sched_run(struct accel_engine *engine, struct accel_job *job,
			    unsigned long *flags)
{
	int ret;

	if (READ_ONCE(job->error)) {
		job->state = ACCEL_JOB_DONE;
		return true;
	}

	accel_sched_start(engine, job);
	spin_unlock_irqrestore(&engine->lock, *flags);
	ret = engine->dev->ops->job_run(job);
	spin_lock_irqsave(&engine->lock, *flags);
	engine->starting = NULL;

	if (ret && job->state == ACCEL_JOB_RUNNING) {
		job->error = accel_sched_check_error(ret);
		job->state = ACCEL_JOB_DONE;
	}
	if (job->state != ACCEL_JOB_DONE)
		return false;
	accel_sched_finish(engine, job);
	return true;
}

static void accel_sched_loop(struct accel_engine *engine, bool worker,
			     unsigned int *budget, struct list_head *ready)
{
	struct accel_job *job;
	unsigned long flags;

	spin_lock_irqsave(&engine->lock, flags);
	if (engine->dispatching)
		goto out;
	engine->dispatching = true;

	while (*budget && (worker || engine->atomic_run) &&
	       (job = accel_sched_next(engine))) {
		--*budget;
		if (!accel_sched_run(engine, job, &flags))
			continue;
		spin_unlock_irqrestore(&engine->lock, flags);
		accel_job_end(job, ready);
		spin_lock_irqsave(&engine->lock, flags);
	}

	engine->dispatching = false;
	if (engine->paused)
		wake_up(&engine->idle);
	else if (!list_empty(&engine->ready) && accel_sched_has_room(engine))
		queue_work(engine->dev->wq, &engine->start_work);
out:
	spin_unlock_irqrestore(&engine->lock, flags);
}

static void accel_sched_dispatch_some(struct accel_engine *engine,
				      unsigned int *budget,
				      struct list_head *ready)
{
	/*
	 * Others rely on whoever dispatches, so it must not be preempted but for a
	 * worker, who is all that there is then. Where spinlocks sleep that cannot
	 * be had, and a worker is as good as any.
	 */
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		queue_work(engine->dev->wq, &engine->start_work);
		return;
	}
	guard(preempt)();
	accel_sched_loop(engine, false, budget, ready);
}

/*
 * Start what may be started. Jobs of other engines that become ready by that are
 * added to @ready, for accel_jobs_start(). In any context.
 */
void accel_sched_dispatch(struct accel_engine *engine, struct list_head *ready)
{
	unsigned int budget = ACCEL_DISPATCH_BUDGET;

	accel_sched_dispatch_some(engine, &budget, ready);
}

static void accel_sched_start_work_fn(struct work_struct *work)
{
	struct accel_engine *engine = container_of(work, struct accel_engine,
						   start_work);
	unsigned int budget = ACCEL_DISPATCH_BUDGET;
	bool cookie = dma_fence_begin_signalling();
	LIST_HEAD(ready);

	accel_sched_loop(engine, true, &budget, &ready);
	accel_jobs_start(&ready);
	dma_fence_end_signalling(cookie);
}

/* Takes over the references that a list of ready jobs has. */
static void accel_job_start(struct accel_job *job, unsigned int *budget,
			    struct list_head *ready)
{
	struct accel_queue *queue = job->queue;

	scoped_guard(spinlock_irqsave, &queue->engine->lock) {
		/* Its queue may have been shut meanwhile. */
		if (job->state == ACCEL_JOB_WAITING) {
			job->ready = true;
			accel_sched_update_queue(queue);
		}
	}
	dma_fence_put(&job->fence);
	accel_sched_dispatch_some(queue->engine, budget, ready);
	accel_object_put_any_context(&queue->obj);
}

static void accel_jobs_start_some(struct list_head *ready)
{
	/* So many ready jobs are looked at, and all their engines start so many. */
	unsigned int count = ACCEL_DISPATCH_BUDGET;
	unsigned int budget = ACCEL_DISPATCH_BUDGET;
	struct accel_job *job;

	while (count-- && budget &&
	       (job = list_first_entry_or_null(ready, struct accel_job,
					       ready_link))) {
		list_del(&job->ready_link);
		accel_job_start(job, &budget, ready);
	}
}

/* Leave ready jobs to a worker: the caller may hold a lock of somebody else's. */
void accel_jobs_start_later(struct list_head *ready)
{
	scoped_guard(spinlock_irqsave, &accel_ready_lock)
		list_splice_tail_init(ready, &accel_ready_jobs);
	queue_work(accel_wq, &accel_ready_work);
}

/*
 * Start jobs that were found to be free of waits, and those they free in turn. A
 * client can make long chains of jobs that end as soon as they are started, and
 * this may be an interrupt: what goes on for too long is left to a worker.
 */
void accel_jobs_start(struct list_head *ready)
{
	accel_jobs_start_some(ready);
	if (!list_empty(ready))
		accel_jobs_start_later(ready);
}

/* The same to the end, in a worker that others do not wait for. */
void accel_jobs_start_all(struct list_head *ready)
{
	while (!list_empty(ready)) {
		accel_jobs_start_some(ready);
		cond_resched();
	}
}

static void accel_ready_work_fn(struct work_struct *work)
{
	bool cookie = dma_fence_begin_signalling();
	LIST_HEAD(ready);

	/* Somebody's long chain gets in line behind what others have left here. */
	do {
		scoped_guard(spinlock_irq, &accel_ready_lock)
			list_splice_tail_init(&accel_ready_jobs, &ready);
		accel_jobs_start_some(&ready);
		cond_resched();
	} while (!list_empty(&ready));
	dma_fence_end_signalling(cookie);
}

/* An engine is shut before its queues are, one after the other. */
static int accel_sched_status(struct accel_queue *queue)
{
	lockdep_assert_held(&queue->engine->lock);

	return queue->status ?: queue->engine->status;
}

/*
 * Add a job that is not held to its queue's. Returns 0, or the error it is to end
 * with because the queue takes no jobs any more.
 */
int accel_sched_add_job(struct accel_job *job)
{
	struct accel_queue *queue = job->queue;
	int status;

	guard(spinlock_irqsave)(&queue->engine->lock);
	status = accel_sched_status(queue);
	if (status)
		return accel_status_to_error(status);

	list_add_tail(&job->link, &queue->jobs);
	/* The guard: from now on the last wait makes it ready. */
	if (atomic_dec_and_test(&job->deps))
		job->ready = true;
	accel_sched_update_queue(queue);
	return 0;
}

int accel_sched_queue_status(struct accel_queue *queue)
{
	guard(spinlock_irqsave)(&queue->engine->lock);
	return accel_sched_status(queue);
}

void accel_sched_add_queue(struct accel_queue *queue)
{
	struct accel_engine *engine = queue->engine;

	INIT_LIST_HEAD(&queue->jobs);
	INIT_LIST_HEAD(&queue->ready_link);

	guard(spinlock_irqsave)(&engine->lock);
	list_add_tail(&queue->engine_link, &engine->queues);
	queue->status = engine->status;
}

void accel_sched_remove_queue(struct accel_queue *queue)
{
	guard(spinlock_irqsave)(&queue->engine->lock);
	list_del(&queue->engine_link);
}

/**
 * accel_job_done - tell that a job has ended
 * @job: a job that job_run was called for and that has not ended yet
 * @error: 0, or what went wrong, as a negative errno
 *
 * The hardware no longer touches the job's buffers, and the driver no longer
 * touches the job. The next job may be started from here, so no lock may be held
 * that job_run takes. Called from inside job_run for its own job, it only
 * takes note.
 *
 * Context: any, hard interrupts included.
 */
void accel_job_done(struct accel_job *job, int error)
{
	struct accel_engine *engine = job->queue->engine;
	LIST_HEAD(ready);
	bool cookie;

	scoped_guard(spinlock_irqsave, &engine->lock) {
		if (job->state == ACCEL_JOB_ABORTING ||
		    WARN_ON_ONCE(job->state != ACCEL_JOB_RUNNING))
			return;
		job->state = ACCEL_JOB_DONE;
		job->error = accel_sched_check_error(error);
		if (engine->starting == job)
			return;
		accel_sched_finish(engine, job);
	}

	cookie = dma_fence_begin_signalling();
	accel_job_end(job, &ready);
	accel_sched_dispatch(engine, &ready);
	accel_jobs_start(&ready);
	dma_fence_end_signalling(cookie);
}
EXPORT_SYMBOL_NS_GPL(accel_job_done, "ACCEL");

/**
 * accel_engine_init - add an engine to a device
 * @dev: the device, not yet registered
 * @engine: embedded in the driver's device
 * @name: shown to users; must stay until accel_unregister() has returned
 * @depth: number of jobs that the hardware takes before one is done, at least 1;
 *	it works on them in the order in which it got them
 * @flags: ACCEL_ENGINE_ATOMIC_RUN or 0
 *
 * Engines are numbered in the order in which they are added, from 0.
 *
 * Return: 0; ENOSPC if there are ACCEL_ENGINES_MAX; EINVAL if @depth is 0.
 */
int accel_engine_init(struct accel_device *dev, struct accel_engine *engine,
		      const char *name, u32 depth, unsigned int flags)
{
	if (!depth)
		return -EINVAL;
	if (dev->engine_count == ACCEL_ENGINES_MAX)
		return -ENOSPC;

	engine->dev = dev;
	engine->name = name;
	engine->depth = depth;
	engine->atomic_run = flags & ACCEL_ENGINE_ATOMIC_RUN;
	engine->index = dev->engine_count;
	spin_lock_init(&engine->lock);
	mutex_init(&engine->abort_lock);
	init_waitqueue_head(&engine->idle);
	INIT_LIST_HEAD(&engine->queues);
	INIT_LIST_HEAD(&engine->ready);
	INIT_LIST_HEAD(&engine->running);
	INIT_WORK(&engine->start_work, accel_sched_start_work_fn);
	INIT_DELAYED_WORK(&engine->timeout_work, accel_sched_timeout_work_fn);
	dev->engines[dev->engine_count++] = engine;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(accel_engine_init, "ACCEL");
