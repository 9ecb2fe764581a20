// SPDX-License-Identifier: GPL-2.0-only
/* SUBMIT: a batch of jobs, each accepted whole or not at all. */
#include "accel_internal.h"

#include <linux/sched/signal.h>

/* Before the driver asks where they are. */
static void accel_submit_bring_in(struct accel_job *job)
{
	u32 i;

	for (i = 0; i < job->bo_count; i++)
		accel_bo_bring_in(job->bos[i].bo);
}

static int accel_submit_job(struct accel_queue *queue, struct accel_file *file,
			    struct accel_job *job, u64 *point)
{
	struct accel_device *dev = file->dev;
	int idx, ret;

	if (!accel_dev_enter(dev, &idx))
		return -ENODEV;
	accel_submit_bring_in(job);
	ret = dev->ops->job_validate(job);
	if (!ret)
		ret = accel_queue_accept(queue, job, point);
	accel_dev_exit(dev, idx);
	return ret;
}

static int accel_submit_one(struct accel_queue *queue, struct accel_file *file,
			    const struct accel_submit *args, u32 index,
			    u64 *point)
{
	struct accel_submit_job desc;
	struct accel_job *job;
	int ret;

	ret = accel_copy_element(&desc, sizeof(desc),
				 offsetofend(struct accel_submit_job,
					     signal_stride),
				 args->jobs_ptr, args->job_stride, index);
	if (ret)
		return ret;

	job = accel_job_create(queue, file, &desc);
	if (IS_ERR(job))
		return PTR_ERR(job);

	ret = accel_submit_job(queue, file, job, point);
	if (ret)
		accel_job_free(job);
	return ret;
}

/* Returns the error of the first job if that is not accepted. */
static int accel_submit_batch(struct accel_queue *queue, struct accel_file *file,
			      struct accel_submit *args)
{
	u64 first = 0, point;
	int ret = 0;
	u32 i;

	/* One at a time, so that the points of a batch are consecutive. */
	if (mutex_lock_interruptible(&queue->submit_lock))
		return -ERESTARTSYS;

	for (i = 0; i < args->job_count && !ret; i++) {
		/* A killed client need not hand in the rest of its work. */
		ret = i && signal_pending(current) ? -EINTR :
			accel_submit_one(queue, file, args, i, &point);
		if (ret)
			break;
		if (!i)
			first = point;
	}
	mutex_unlock(&queue->submit_lock);
	/* Nothing was done that would be done twice. */
	if (!i)
		return ret == -EINTR ? -ERESTARTSYS : ret;

	args->accepted = i;
	args->stop_error = ret == -ERESTARTSYS ? -EINTR : ret;
	args->first_point = first;
	return 0;
}

int accel_submit_ioctl(struct accel_ioctl_call *call)
{
	struct accel_submit *args = call->arg;
	struct accel_queue *queue;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (args->reserved || !args->job_count ||
	    args->job_count > ACCEL_JOBS_MAX)
		return -EINVAL;

	queue = accel_queue_get(call->file, args->queue);
	if (!queue)
		return -ENOENT;

	ret = accel_submit_batch(queue, call->file, args);
	accel_queue_put(queue);
	return ret;
}
