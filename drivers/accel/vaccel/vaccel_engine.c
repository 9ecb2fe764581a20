// SPDX-License-Identifier: GPL-2.0-only
/*
 * Engines: a FIFO each, and a work item that takes jobs from it. It stands for
 * the hardware of a real device, and its calls of accel_job_done() for the
 * interrupt.
 */
#include <linux/cleanup.h>

#include "vaccel.h"

#define VACCEL_DEPTH	4

static struct vaccel_engine *to_vaccel_engine(struct accel_engine *engine)
{
	return container_of(engine, struct vaccel_engine, base);
}

static void vaccel_engine_kick(struct vaccel_engine *engine)
{
	queue_work(to_vaccel(engine->base.dev)->wq, &engine->work);
}

static struct vaccel_job *vaccel_engine_head(struct vaccel_engine *engine)
{
	return list_first_entry_or_null(&engine->fifo, struct vaccel_job, link);
}

static bool vaccel_job_hangs(const struct vaccel_job *job)
{
	return job->op == ACCEL_VACCEL_HANG && !job->released;
}

static struct vaccel_job *vaccel_engine_begin(struct vaccel_engine *engine)
{
	struct vaccel_job *job;

	scoped_guard(spinlock_irqsave, &engine->lock) {
		job = vaccel_engine_head(engine);
		if (!job || vaccel_job_hangs(job))
			return NULL;

		list_del_init(&job->link);
		engine->running = job;
	}
	return job;
}

static void vaccel_engine_end(struct vaccel_engine *engine,
			      struct vaccel_job *job, int error)
{
	if (!READ_ONCE(job->aborted))
		accel_job_done(&job->base, error);

	/* Last, since an abort that waits for this lets go of the job. */
	scoped_guard(spinlock_irqsave, &engine->lock)
		engine->running = NULL;
	wake_up(&engine->idle);
}

static void vaccel_engine_work(struct work_struct *work)
{
	struct vaccel_engine *engine = container_of(work, struct vaccel_engine,
						    work);
	struct vaccel_job *job;

	/* There may be always one more, and each take no time. */
	while ((job = vaccel_engine_begin(engine))) {
		vaccel_engine_end(engine, job, vaccel_cmd_execute(job));
		cond_resched();
	}
}

static bool vaccel_engine_runs(struct vaccel_engine *engine,
			       const struct vaccel_job *job)
{
	bool runs;

	scoped_guard(spinlock_irqsave, &engine->lock)
		runs = engine->running == job;
	return runs;
}

int vaccel_engine_init(struct vaccel_device *vaccel, struct vaccel_engine *engine,
		       const char *name)
{
	INIT_WORK(&engine->work, vaccel_engine_work);
	spin_lock_init(&engine->lock);
	INIT_LIST_HEAD(&engine->fifo);
	init_waitqueue_head(&engine->idle);

	return accel_engine_init(&vaccel->accel, &engine->base, name,
				 VACCEL_DEPTH, ACCEL_ENGINE_ATOMIC_RUN);
}

/*
 * What takes no time ends here, on an engine that has nothing else to do, so
 * that users of this driver meet all three ways in which a job can end: by
 * the return value, inside job_run, and later. FAULT is always found later, as a
 * device would find it.
 */
int vaccel_job_run(struct accel_job *base)
{
	struct vaccel_engine *engine = to_vaccel_engine(base->queue->engine);
	struct vaccel_job *job = to_vaccel_job(base);

	scoped_guard(spinlock_irqsave, &engine->lock) {
		if (engine->running || !list_empty(&engine->fifo) ||
		    (job->op != ACCEL_VACCEL_NOP && job->op != ACCEL_VACCEL_FAIL)) {
			list_add_tail(&job->link, &engine->fifo);
			vaccel_engine_kick(engine);
			return 0;
		}
	}

	if (job->op == ACCEL_VACCEL_FAIL)
		return job->error;
	accel_job_done(base, 0);
	return 0;
}

void vaccel_job_abort(struct accel_job *base)
{
	struct vaccel_engine *engine = to_vaccel_engine(base->queue->engine);
	struct vaccel_job *job = to_vaccel_job(base);

	scoped_guard(spinlock_irqsave, &engine->lock) {
		WRITE_ONCE(job->aborted, true);
		list_del_init(&job->link);
	}
	/* It may have been what the others were waiting for. */
	vaccel_engine_kick(engine);
	wait_event(engine->idle, !vaccel_engine_runs(engine, job));
}

/* Let the hanging job at the head of the engine end, if it is @queue's. */
int vaccel_engine_release(struct accel_queue *queue)
{
	struct vaccel_engine *engine = to_vaccel_engine(queue->engine);
	struct vaccel_job *job;

	scoped_guard(spinlock_irqsave, &engine->lock) {
		job = vaccel_engine_head(engine);
		if (!job || engine->running || !vaccel_job_hangs(job) ||
		    job->base.queue != queue)
			return -EAGAIN;

		job->released = true;
	}
	vaccel_engine_kick(engine);
	return 0;
}
