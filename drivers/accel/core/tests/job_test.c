// SPDX-License-Identifier: GPL-2.0-only
/* SUBMIT: what a job may say, and how far a batch comes that has a bad one. */
#include "mock.h"

#include <linux/uaccess.h>

/* Where in the user memory things are. */
#define CMD	0x1000
#define LIST	0x2000
#define JOBS	0x8000

static struct accel_submit_job accel_job_plain(struct mock *mock, enum mock_op op)
{
	const struct mock_cmd cmd = { .op = op };

	return (struct accel_submit_job){
		.cmd_ptr = mock_put(mock, CMD, &cmd, sizeof(cmd)),
		.cmd_size = sizeof(cmd),
	};
}

static long accel_job_submit(struct mock *mock, u32 queue,
			     const struct accel_submit_job *job)
{
	struct accel_submit args = {
		.size = sizeof(args),
		.queue = queue,
		.job_count = 1,
		.jobs_ptr = mock_put(mock, JOBS, job, sizeof(*job)),
		.job_stride = sizeof(*job),
	};

	return MOCK_IOCTL(mock, SUBMIT, &args);
}

/* What is not 0 in @with replaces what @job has. */
static void accel_job_mix(struct accel_submit_job *job,
			  const struct accel_submit_job *with)
{
	const u32 *from = (const u32 *)with;
	u32 *to = (u32 *)job;
	int i;

	for (i = 0; i < sizeof(*job) / sizeof(*to); i++)
		if (from[i])
			to[i] = from[i];
}

static long accel_job_try(struct mock *mock, u32 queue,
			  struct accel_submit_job with)
{
	struct accel_submit_job job = accel_job_plain(mock, MOCK_INSTANT);

	accel_job_mix(&job, &with);
	return accel_job_submit(mock, queue, &job);
}

/* A plain job but for what is given. */
#define TRY_JOB(_mock, _queue, ...)					\
	accel_job_try(_mock, (_queue).id,				\
		      (struct accel_submit_job){ __VA_ARGS__ })

static void accel_job_envelope(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_submit_job job = accel_job_plain(mock, MOCK_INSTANT);
	const struct accel_submit good = {
		.size = sizeof(good),
		.queue = queue.id,
		.job_count = 1,
		.jobs_ptr = mock_put(mock, JOBS, &job, sizeof(job)),
		.job_stride = sizeof(job),
	};
	struct accel_submit args = good;

	args.flags = 1;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, MOCK_IOCTL(mock, SUBMIT, &args));
	args = good;
	args.reserved = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, SUBMIT, &args));
	args = good;
	args.job_count = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, SUBMIT, &args));
	args.job_count = ACCEL_JOBS_MAX + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, SUBMIT, &args));
	args = good;
	args.queue = queue.timeline;
	KUNIT_EXPECT_EQ(test, -ENOENT, MOCK_IOCTL(mock, SUBMIT, &args));
	args = good;
	args.job_stride = sizeof(job) - 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, SUBMIT, &args));
	args.job_stride = PAGE_SIZE + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, SUBMIT, &args));
	args = good;
	args.jobs_ptr = mock->user + MOCK_USER_SIZE;
	KUNIT_EXPECT_EQ(test, -EFAULT, MOCK_IOCTL(mock, SUBMIT, &args));
	args.jobs_ptr = U64_MAX - 8;
	KUNIT_EXPECT_EQ(test, -EFAULT, MOCK_IOCTL(mock, SUBMIT, &args));

	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, queue.timeline));
	args = good;
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, SUBMIT, &args));
	KUNIT_EXPECT_EQ(test, 1, args.accepted);
	KUNIT_EXPECT_EQ(test, 1ULL, args.first_point);
}

/* The second element is not in memory: the first is accepted all the same. */
static void accel_job_array_past_the_end(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_submit_job job = accel_job_plain(mock, MOCK_INSTANT);
	const size_t last = MOCK_USER_SIZE - sizeof(job);
	struct accel_submit args = {
		.size = sizeof(args),
		.queue = queue.id,
		.job_count = 2,
		.jobs_ptr = mock_put(mock, last, &job, sizeof(job)),
		.job_stride = sizeof(job),
	};

	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, SUBMIT, &args));
	KUNIT_EXPECT_EQ(test, 1, args.accepted);
	KUNIT_EXPECT_EQ(test, -EFAULT, args.stop_error);
	KUNIT_EXPECT_EQ(test, 1ULL, mock_completed(mock, queue.timeline));
}

static void accel_job_limits(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_submit_job job = accel_job_plain(mock, MOCK_INSTANT);

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, TRY_JOB(mock, queue, .flags = 2));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_JOB(mock, queue, .cmd_size =
				mock_ops.cmd_size_max + 1));
	job.cmd_size = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_job_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_JOB(mock, queue, .bo_count = ACCEL_JOB_BOS_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_JOB(mock, queue, .wait_count = ACCEL_POINTS_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_JOB(mock, queue, .signal_count =
				ACCEL_POINTS_MAX + 1));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			TRY_JOB(mock, queue, .cmd_ptr =
				mock->user + MOCK_USER_SIZE - 4));
	/* The driver has a say as well, and the last. */
	KUNIT_EXPECT_EQ(test, -EINVAL, TRY_JOB(mock, queue, .cmd_size = 4));

	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
	KUNIT_EXPECT_EQ(test, 0, mock->dev->log_count);
}

/* As many as there may be of each, and they all count. */
static void accel_job_at_the_limits(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_submit_job job = accel_job_plain(mock, MOCK_INSTANT);
	u32 timeline = mock_timeline(mock, 1);
	struct accel_submit_bo *bos;
	struct accel_point *points;
	u32 i;

	bos = kunit_kcalloc(test, ACCEL_JOB_BOS_MAX, sizeof(*bos), GFP_KERNEL);
	points = kunit_kcalloc(test, 2 * ACCEL_POINTS_MAX, sizeof(*points),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bos);
	KUNIT_ASSERT_NOT_NULL(test, points);
	for (i = 0; i < ACCEL_JOB_BOS_MAX; i++) {
		bos[i].id = mock_bo(mock);
		bos[i].flags = ACCEL_BO_READ;
	}
	for (i = 0; i < ACCEL_POINTS_MAX; i++) {
		points[i] = (struct accel_point){ timeline, 0, 1 };
		points[ACCEL_POINTS_MAX + i] =
			(struct accel_point){ timeline, 0, 2 + i };
	}
	job.bos_ptr = mock_put(mock, LIST, bos, ACCEL_JOB_BOS_MAX * sizeof(*bos));
	job.bo_count = ACCEL_JOB_BOS_MAX;
	job.bo_stride = sizeof(*bos);
	job.waits_ptr = mock_put(mock, LIST + 0x2000, points,
				 2 * ACCEL_POINTS_MAX * sizeof(*points));
	job.wait_count = ACCEL_POINTS_MAX;
	job.wait_stride = sizeof(*points);
	job.signals_ptr = job.waits_ptr + ACCEL_POINTS_MAX * sizeof(*points);
	job.signal_count = ACCEL_POINTS_MAX;
	job.signal_stride = sizeof(*points);
	KUNIT_EXPECT_EQ(test, 0L, accel_job_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 1ULL + ACCEL_POINTS_MAX,
			mock_completed(mock, timeline));
}

static void accel_job_buffers(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 good = mock_bo(mock);
	const struct {
		struct accel_submit_bo bos[2];
		long expected;
	} cases[] = {
		{ { { good, ACCEL_BO_READ }, { good, ACCEL_BO_WRITE } }, -EINVAL },
		{ { { good, ACCEL_BO_READ }, { good + 1, 8 } }, -EOPNOTSUPP },
		{ { { good, ACCEL_BO_READ }, { good, ACCEL_BO_NO_IMPLICIT } },
		  -EINVAL },
		{ { { good, ACCEL_BO_READ }, { good, 0 } }, -EINVAL },
		{ { { good, ACCEL_BO_READ }, { 99, ACCEL_BO_READ } }, -ENOENT },
		{ { { queue.id, ACCEL_BO_READ }, { good, ACCEL_BO_READ } },
		  -ENOENT },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, cases[i].expected,
				    TRY_JOB(mock, queue, .bo_count = 2,
					    .bo_stride = sizeof(cases[i].bos[0]),
					    .bos_ptr = mock_put(mock, LIST,
								cases[i].bos,
								16)),
				    "case %d", i);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_JOB(mock, queue, .bo_count = 1, .bo_stride = 7,
				.bos_ptr = mock->user + LIST));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			TRY_JOB(mock, queue, .bo_count = 1, .bo_stride = 8,
				.bos_ptr = mock->user + MOCK_USER_SIZE));
	/* No reference is left: but the queue's page, no buffer is. */
	mock_destroy(mock, good);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_BOS));
}

static void accel_job_points(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 good = mock_timeline(mock, 0);
	const struct {
		struct accel_point point;
		long as_wait;
		long as_signal;
	} cases[] = {
		{ { 99, 0, 1 }, -ENOENT, -ENOENT },
		{ { queue.id, 0, 1 }, -ENOENT, -ENOENT },
		{ { good, 1, 1 }, -EINVAL, -EOPNOTSUPP },
		{ { good, 2, 1 }, -EOPNOTSUPP, -EOPNOTSUPP },
		{ { good, 0, 0 }, 0, -EINVAL },
		{ { queue.timeline, 0, 0 }, 0, -EPERM },
	};
	u64 list;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		list = mock_put(mock, LIST, &cases[i].point, 16);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].as_wait,
				    TRY_JOB(mock, queue, .wait_count = 1,
					    .wait_stride = 16, .waits_ptr = list),
				    "case %d", i);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].as_signal,
				    TRY_JOB(mock, queue, .signal_count = 1,
					    .signal_stride = 16,
					    .signals_ptr = list),
				    "case %d", i);
	}
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_JOB(mock, queue, .wait_count = 1, .wait_stride = 15,
				.waits_ptr = mock->user + LIST));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			TRY_JOB(mock, queue, .signal_count = 1,
				.signal_stride = 16, .signals_ptr =
				mock->user + MOCK_USER_SIZE));
	mock_destroy(mock, good);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_TIMELINES));
}

/* Those before the bad job are accepted, those behind it not looked at. */
static void accel_job_bad_one_in_batch(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_submit_job jobs[4];
	struct accel_submit args = {
		.size = sizeof(args),
		.queue = queue.id,
		.job_count = ARRAY_SIZE(jobs),
		.job_stride = sizeof(jobs[0]),
	};
	u32 bad;

	for (bad = 0; bad < ARRAY_SIZE(jobs); bad++) {
		u32 i;

		for (i = 0; i < ARRAY_SIZE(jobs); i++)
			jobs[i] = accel_job_plain(mock, MOCK_INSTANT);
		jobs[bad].flags = BIT(31);
		args.jobs_ptr = mock_put(mock, JOBS, jobs, sizeof(jobs));
		args.accepted = 77;
		KUNIT_EXPECT_EQ(test, bad ? 0L : -EOPNOTSUPP,
				MOCK_IOCTL(mock, SUBMIT, &args));
		KUNIT_EXPECT_EQ(test, bad ?: 77, args.accepted);
		if (bad)
			KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, args.stop_error);
	}
	KUNIT_EXPECT_EQ(test, 6ULL, mock_completed(mock, queue.timeline));
}

static int accel_job_look_for_buffers(struct mock *mock, struct accel_job *job)
{
	struct kunit *test = mock->test;
	struct accel_bo *bo = job->bos[0].bo;
	const struct {
		u32 index;
		u64 offset;
		u64 length;
		u32 flags;
		long expected;
	} bad[] = {
		{ 2, 0, 1, ACCEL_BO_READ, -EINVAL },
		{ INT_MAX, 0, 1, ACCEL_BO_READ, -EINVAL },
		{ 0x80000000, 0, 1, ACCEL_BO_READ, -EINVAL },
		{ U32_MAX, 0, 1, ACCEL_BO_READ, -EINVAL },
		{ 0, 0, 0, ACCEL_BO_READ, -EINVAL },
		{ 0, 0, bo->size + 1, ACCEL_BO_READ, -EINVAL },
		{ 0, bo->size, 1, ACCEL_BO_READ, -EINVAL },
		{ 0, bo->size + 1, 1, ACCEL_BO_READ, -EINVAL },
		{ 0, U64_MAX, 1, ACCEL_BO_READ, -EINVAL },
		{ 0, 1, U64_MAX, ACCEL_BO_READ, -EINVAL },
		{ 0, 1, bo->size, ACCEL_BO_READ, -EINVAL },
		{ 0, 0, 1, ACCEL_BO_WRITE, -EACCES },
		{ 0, 0, 1, ACCEL_BO_READ | ACCEL_BO_WRITE, -EACCES },
		{ 1, 0, 1, ACCEL_BO_READ, -EACCES },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, bad[i].expected,
				    PTR_ERR(accel_job_find_bo(job, bad[i].index,
							      bad[i].offset,
							      bad[i].length,
							      bad[i].flags)),
				    "case %d", i);
	KUNIT_EXPECT_PTR_EQ(test, bo,
			    accel_job_find_bo(job, 0, 0, bo->size, ACCEL_BO_READ));
	KUNIT_EXPECT_PTR_EQ(test, bo,
			    accel_job_find_bo(job, 0, bo->size - 1, 1,
					      ACCEL_BO_READ));
	KUNIT_EXPECT_PTR_EQ(test, job->bos[1].bo,
			    accel_job_find_bo(job, 1, 0, 1, ACCEL_BO_WRITE));
	return 0;
}

static void accel_job_finds_buffers(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 read = mock_bo(mock), written = mock_bo(mock);

	mock->dev->on_validate = accel_job_look_for_buffers;
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .bo_count = 2,
		    .bos = { { read, ACCEL_BO_READ },
			     { written, ACCEL_BO_WRITE } });
}

static int accel_job_has_no_buffer(struct mock *mock, struct accel_job *job)
{
	return PTR_ERR_OR_ZERO(accel_job_find_bo(job, 0, 0, 1, ACCEL_BO_READ));
}

/* The driver's errno is the caller's. */
static void accel_job_finds_none(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job job = { .op = MOCK_INSTANT };

	mock->dev->on_validate = accel_job_has_no_buffer;
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, queue.timeline));
}

static void accel_job_device_gone(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job job = { .op = MOCK_INSTANT };

	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
}

static struct kunit_case accel_job_cases[] = {
	KUNIT_CASE(accel_job_envelope),
	KUNIT_CASE(accel_job_array_past_the_end),
	KUNIT_CASE(accel_job_limits),
	KUNIT_CASE(accel_job_at_the_limits),
	KUNIT_CASE(accel_job_buffers),
	KUNIT_CASE(accel_job_points),
	KUNIT_CASE(accel_job_bad_one_in_batch),
	KUNIT_CASE(accel_job_finds_buffers),
	KUNIT_CASE(accel_job_finds_none),
	KUNIT_CASE(accel_job_device_gone),
	{}
};

struct kunit_suite accel_job_suite = {
	.name = "accel_job",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_job_cases,
};
