/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs: how they are made, submitted and ended. As in accel_test.h, which includes
 * this, helpers return 0 or a negative errno unless they say otherwise.
 */
#ifndef SELFTESTS_ACCEL_JOB_H
#define SELFTESTS_ACCEL_JOB_H

#include "ioctl.h"

#include <stdlib.h>
#include <unistd.h>

#include <linux/accel_edu.h>
#include <linux/accel_vaccel.h>

#define JOB_ARRAY_MAX	8

/* A job with room for what it points to. */
struct test_job {
	union {
		__u32 op;
		struct accel_vaccel_nop nop;
		struct accel_vaccel_fail fail;
		struct accel_vaccel_fill fill;
		struct accel_vaccel_copy copy;
		struct accel_vaccel_matmul matmul;
		struct accel_vaccel_convert convert;
		struct accel_vaccel_convolve convolve;
		struct accel_edu_factorial factorial;
		struct accel_edu_dma dma;
	} cmd;
	__u32 cmd_size;
	__u32 flags;
	__u32 bo_count;
	__u32 wait_count;
	__u32 signal_count;
	struct accel_submit_bo bos[JOB_ARRAY_MAX];
	struct accel_point waits[JOB_ARRAY_MAX];
	struct accel_point signals[JOB_ARRAY_MAX];
};

/* Adds a buffer to the job's list and returns its place there. */
static inline __u32 job_bo(struct test_job *job, __u32 id, __u32 flags)
{
	job->bos[job->bo_count] = (struct accel_submit_bo) {
		.id = id,
		.flags = flags,
	};
	return job->bo_count++;
}

static inline void job_wait(struct test_job *job, __u32 timeline, __u64 value)
{
	job->waits[job->wait_count++] = (struct accel_point) {
		.timeline = timeline,
		.value = value,
	};
}

static inline void job_wait_sync_file(struct test_job *job, int sync)
{
	job->waits[job->wait_count++] = (struct accel_point) {
		.timeline = sync,
		.flags = ACCEL_POINT_SYNC_FILE,
	};
}

static inline void job_signal(struct test_job *job, __u32 timeline, __u64 value)
{
	job->signals[job->signal_count++] = (struct accel_point) {
		.timeline = timeline,
		.value = value,
	};
}

static inline struct test_job job_op(__u32 op)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.nop) };

	job.cmd.nop.op = op;
	return job;
}

static inline struct test_job job_nop(void)
{
	return job_op(ACCEL_VACCEL_NOP);
}

static inline struct test_job job_hang(void)
{
	return job_op(ACCEL_VACCEL_HANG);
}

static inline struct test_job job_fail(int error)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.fail) };

	job.cmd.fail.op = ACCEL_VACCEL_FAIL;
	job.cmd.fail.error = error;
	return job;
}

static inline struct test_job job_fill(__u32 bo, __u64 offset, __u64 length,
				       __u32 value)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.fill) };

	job.cmd.fill.op = ACCEL_VACCEL_FILL;
	job.cmd.fill.bo = job_bo(&job, bo, ACCEL_BO_WRITE);
	job.cmd.fill.offset = offset;
	job.cmd.fill.length = length;
	job.cmd.fill.value = value;
	return job;
}

/* Between two buffers, or within one. */
static inline struct test_job job_copy(__u32 src, __u64 src_offset,
				       __u32 dst, __u64 dst_offset,
				       __u64 length)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.copy) };

	job.cmd.copy.op = ACCEL_VACCEL_COPY;
	if (src == dst) {
		job_bo(&job, src, ACCEL_BO_READ | ACCEL_BO_WRITE);
	} else {
		job.cmd.copy.src_bo = job_bo(&job, src, ACCEL_BO_READ);
		job.cmd.copy.dst_bo = job_bo(&job, dst, ACCEL_BO_WRITE);
	}
	job.cmd.copy.src_offset = src_offset;
	job.cmd.copy.dst_offset = dst_offset;
	job.cmd.copy.length = length;
	return job;
}

/* The job as SUBMIT wants it; it points into @job. */
static inline struct accel_submit_job job_uapi(const struct test_job *job)
{
	return (struct accel_submit_job) {
		.cmd_ptr = ptr_to_u64(&job->cmd),
		.cmd_size = job->cmd_size,
		.flags = job->flags,
		.bos_ptr = ptr_to_u64(job->bos),
		.bo_count = job->bo_count,
		.bo_stride = sizeof(job->bos[0]),
		.waits_ptr = ptr_to_u64(job->waits),
		.wait_count = job->wait_count,
		.wait_stride = sizeof(job->waits[0]),
		.signals_ptr = ptr_to_u64(job->signals),
		.signal_count = job->signal_count,
		.signal_stride = sizeof(job->signals[0]),
	};
}

static inline int submit(int fd, __u32 queue,
			 const struct accel_submit_job *jobs, __u32 count,
			 struct accel_submit *sub)
{
	*sub = (struct accel_submit) {
		.size = sizeof(*sub),
		.queue = queue,
		.job_count = count,
		.jobs_ptr = ptr_to_u64(jobs),
		.job_stride = sizeof(*jobs),
	};
	return accel_ioctl(fd, ACCEL_IOCTL_SUBMIT, sub);
}

/* Submits @job @count times; what the kernel answered is in @sub. */
static inline int submit_repeated(int fd, __u32 queue,
				  const struct test_job *job, __u32 count,
				  struct accel_submit *sub)
{
	struct accel_submit_job *jobs;
	__u32 i;
	int ret;

	jobs = calloc(count, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		jobs[i] = job_uapi(job);
	ret = submit(fd, queue, jobs, count, sub);
	free(jobs);
	return ret;
}

static inline int submit_one(int fd, __u32 queue, const struct test_job *job,
			     __u64 *point)
{
	struct accel_submit_job uapi = job_uapi(job);
	struct accel_submit sub;
	int ret;

	ret = submit(fd, queue, &uapi, 1, &sub);
	if (ret)
		return ret;
	*point = sub.first_point;
	return sub.accepted == 1 && !sub.stop_error ? 0 : -EPROTO;
}

static inline int submit_nop(int fd, __u32 queue, __u64 *point)
{
	struct test_job job = job_nop();

	return submit_one(fd, queue, &job, point);
}

static inline int submit_hang(int fd, __u32 queue, __u64 *point)
{
	struct test_job job = job_hang();

	return submit_one(fd, queue, &job, point);
}

/*
 * Ends the hang that the queue has submitted. The engine need not have come to
 * it when SUBMIT returns, so ask until it has.
 */
static inline int hang_release(int fd, __u32 queue)
{
	struct accel_vaccel_release release = {
		.size = sizeof(release),
		.queue = queue,
	};
	__s64 deadline = deadline_ms(WAIT_MS);
	int ret;

	do {
		ret = accel_ioctl(fd, ACCEL_IOCTL_VACCEL_RELEASE, &release);
	} while (ret == -EAGAIN && now_ns() < deadline && !usleep(1000));
	return ret;
}

/* 0 when the job has run and succeeded, else the error of SUBMIT or the job. */
static inline int job_run(int fd, const struct accel_queue_create *queue,
			  const struct test_job *job)
{
	__s32 status;
	__u64 point;
	int ret;

	ret = submit_one(fd, queue->id, job, &point) ?:
	      point_wait_until(fd, queue->timeline, point,
			       deadline_ms(3 * WAIT_MS), &status);
	return ret ?: status;
}

/*
 * Has a job of another queue go through the engine. What could have run by
 * then and has not is blocked by more than being slow.
 */
static inline int engine_flush(int fd, __u32 engine)
{
	struct accel_queue_create queue;
	struct test_job nop = job_nop();

	return queue_create(fd, engine, 0, &queue) ?:
	       job_run(fd, &queue, &nop) ?:
	       destroy(fd, queue.id) ?: destroy(fd, queue.timeline);
}

/* The same for both engines of vaccel, which take work as if nothing had been. */
static inline int engines_flush(int fd)
{
	return engine_flush(fd, 0) ?: engine_flush(fd, 1);
}

#endif /* SELFTESTS_ACCEL_JOB_H */
