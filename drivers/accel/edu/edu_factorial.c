// SPDX-License-Identifier: GPL-2.0-only
/*
 * The factorial engine. It knows nothing of memory: the interrupt handler takes
 * the result from a register to the buffer.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/interrupt.h>

#include "edu.h"

int edu_factorial_validate(struct edu_job *job)
{
	const struct accel_edu_factorial *cmd = job->base.cmd;
	struct accel_bo *bo;
	int ret;

	if (job->base.cmd_size != sizeof(*cmd))
		return -EINVAL;
	if (cmd->value > ACCEL_EDU_FACTORIAL_MAX ||
	    !IS_ALIGNED(cmd->offset, sizeof(u32)))
		return -EINVAL;

	bo = accel_job_find_bo(&job->base, cmd->bo, cmd->offset, sizeof(u32),
			       ACCEL_BO_WRITE);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = accel_bo_vmap(bo);
	if (ret)
		return ret;

	job->factorial.value = cmd->value;
	job->factorial.result = bo->vaddr + cmd->offset;
	return 0;
}

int edu_factorial_run(struct edu_device *edu, struct edu_job *job)
{
	scoped_guard(spinlock_irqsave, &edu->lock) {
		if (edu->dead)
			return -EIO;

		edu->factorial_job = job;
		edu_write(edu, EDU_REG_FACTORIAL, job->factorial.value);
	}
	return 0;
}

/*
 * The engine has raised its interrupt. Returns the job that this ends.
 *
 * The device raises it some time after it has become idle, so it may be that of
 * a job that was aborted; and edu_dma_abort() raises it on suspicion. Whether a
 * job has ended is for the status register to say.
 */
struct edu_job *edu_factorial_interrupt(struct edu_device *edu)
{
	struct edu_job *job = edu->factorial_job;

	lockdep_assert_held(&edu->lock);

	if (!job || edu_read(edu, EDU_REG_STATUS) & EDU_STATUS_COMPUTING)
		return NULL;

	WRITE_ONCE(*job->factorial.result, edu_read(edu, EDU_REG_FACTORIAL));
	edu->factorial_job = NULL;
	return job;
}

void edu_factorial_abort(struct edu_device *edu, struct edu_job *job)
{
	scoped_guard(spinlock_irqsave, &edu->lock)
		if (edu->factorial_job == job)
			edu->factorial_job = NULL;

	/* Until then it would not listen to the next job. */
	edu_wait_clear(edu, EDU_REG_STATUS, EDU_STATUS_COMPUTING);

	/* The handler may have taken the job, and be about to end it. */
	synchronize_irq(edu->irq);
}
