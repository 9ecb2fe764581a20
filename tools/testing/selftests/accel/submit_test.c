// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT: how far it comes with an array of jobs of which one is bad, and how many
 * jobs a queue takes.
 */
#include "accel_test.h"

#define JOBS	64
#define BAD	39

FIXTURE(submit)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo[2];
	__u32 timeline;
	__u64 promised;

	/* What a bad job points to. */
	struct accel_vaccel_nop cmd;
	struct accel_submit_bo bos[4];
	struct accel_point points[4];
	__u8 wide[2][32];
};

FIXTURE_SETUP(submit)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_LE(JOBS, self->dev.jobs_max);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &self->bo[0]));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &self->bo[1]));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
}

FIXTURE_TEARDOWN(submit)
{
	accel_teardown(_metadata, self->fd);
}

/*
 * Ways to spoil a job. Each gets one that is good: a NOP, with two buffers in
 * its list, two points to wait for and two to signal.
 */
typedef void spoil_fn(FIXTURE_DATA(submit) *self, struct accel_submit_job *job);

static void bad_cmd_ptr(FIXTURE_DATA(submit) *self,
			struct accel_submit_job *job)
{
	job->cmd_ptr = 0;
}

static void bad_cmd_empty(FIXTURE_DATA(submit) *self,
			  struct accel_submit_job *job)
{
	job->cmd_size = 0;
}

static void bad_cmd_short(FIXTURE_DATA(submit) *self,
			  struct accel_submit_job *job)
{
	job->cmd_size = sizeof(__u32);
}

static void bad_cmd_long(FIXTURE_DATA(submit) *self,
			 struct accel_submit_job *job)
{
	job->cmd_size = self->dev.cmd_size_max + 1;
}

static void bad_cmd_huge(FIXTURE_DATA(submit) *self,
			 struct accel_submit_job *job)
{
	job->cmd_size = UINT_MAX;
}

static void bad_op(FIXTURE_DATA(submit) *self,
		   struct accel_submit_job *job)
{
	self->cmd.op = ACCEL_VACCEL_CONVOLVE + 1;
}

static void bad_flag(FIXTURE_DATA(submit) *self,
		     struct accel_submit_job *job)
{
	job->flags |= ACCEL_JOB_CANCEL_ON_ERROR << 1;
}

static void bad_flag_high(FIXTURE_DATA(submit) *self,
			  struct accel_submit_job *job)
{
	job->flags |= 1U << 31;
}

static void bad_bos_ptr(FIXTURE_DATA(submit) *self,
			struct accel_submit_job *job)
{
	job->bos_ptr = 0;
}

static void bad_bos_wrap(FIXTURE_DATA(submit) *self,
			 struct accel_submit_job *job)
{
	job->bos_ptr = UINT64_MAX - 7;
}

static void bad_bo_count(FIXTURE_DATA(submit) *self,
			 struct accel_submit_job *job)
{
	job->bo_count = self->dev.job_bos_max + 1;
}

static void bad_bo_count_huge(FIXTURE_DATA(submit) *self,
			      struct accel_submit_job *job)
{
	job->bo_count = UINT_MAX;
}

static void bad_bo_stride(FIXTURE_DATA(submit) *self,
			  struct accel_submit_job *job)
{
	job->bo_stride = sizeof(struct accel_submit_bo) - 1;
}

static void bad_bo_tail(FIXTURE_DATA(submit) *self,
			struct accel_submit_job *job)
{
	memset(self->wide, 0, sizeof(self->wide));
	memcpy(self->wide[0], &self->bos[0], sizeof(self->bos[0]));
	memcpy(self->wide[1], &self->bos[1], sizeof(self->bos[1]));
	self->wide[1][sizeof(self->wide[1]) - 1] = 1;
	job->bos_ptr = ptr_to_u64(self->wide);
	job->bo_stride = sizeof(self->wide[0]);
}

static void bad_bo_id(FIXTURE_DATA(submit) *self,
		      struct accel_submit_job *job)
{
	self->bos[1].id = 0;
}

static void bad_bo_no_flag(FIXTURE_DATA(submit) *self,
			   struct accel_submit_job *job)
{
	self->bos[1].flags = 0;
}

static void bad_bo_flag(FIXTURE_DATA(submit) *self,
			struct accel_submit_job *job)
{
	self->bos[1].flags |= ACCEL_BO_NO_IMPLICIT << 1;
}

static void bad_bo_twice(FIXTURE_DATA(submit) *self,
			 struct accel_submit_job *job)
{
	self->bos[1].id = self->bos[0].id;
}

static void bad_waits_ptr(FIXTURE_DATA(submit) *self,
			  struct accel_submit_job *job)
{
	job->waits_ptr = 0;
}

static void bad_wait_count(FIXTURE_DATA(submit) *self,
			   struct accel_submit_job *job)
{
	job->wait_count = self->dev.points_max + 1;
}

static void bad_wait_count_huge(FIXTURE_DATA(submit) *self,
				struct accel_submit_job *job)
{
	job->wait_count = UINT_MAX;
}

static void bad_wait_stride(FIXTURE_DATA(submit) *self,
			    struct accel_submit_job *job)
{
	job->wait_stride = sizeof(struct accel_point) - 1;
}

static void bad_wait_id(FIXTURE_DATA(submit) *self,
			struct accel_submit_job *job)
{
	self->points[1].timeline = self->bo[0].id;
}

static void bad_wait_flags(FIXTURE_DATA(submit) *self,
			   struct accel_submit_job *job)
{
	self->points[1].flags = 1U << 1;
}

static void bad_signals_ptr(FIXTURE_DATA(submit) *self,
			    struct accel_submit_job *job)
{
	job->signals_ptr = UINT64_MAX - 15;
}

static void bad_signal_count(FIXTURE_DATA(submit) *self,
			     struct accel_submit_job *job)
{
	job->signal_count = self->dev.points_max + 1;
}

static void bad_signal_stride(FIXTURE_DATA(submit) *self,
			      struct accel_submit_job *job)
{
	job->signal_stride = 0;
}

static void bad_signal_id(FIXTURE_DATA(submit) *self,
			  struct accel_submit_job *job)
{
	self->points[3].timeline = UINT_MAX;
}

static void bad_signal_flags(FIXTURE_DATA(submit) *self,
			     struct accel_submit_job *job)
{
	self->points[3].flags = ACCEL_POINT_SYNC_FILE;
}

static void bad_signal_of_queue(FIXTURE_DATA(submit) *self,
				struct accel_submit_job *job)
{
	self->points[3].timeline = self->queue.timeline;
}

static void bad_signal_promised(FIXTURE_DATA(submit) *self,
				struct accel_submit_job *job)
{
	self->points[2].value = self->promised;
}

static void bad_signal_zero(FIXTURE_DATA(submit) *self,
			    struct accel_submit_job *job)
{
	self->points[2].value = 0;
}

static void bad_signal_twice(FIXTURE_DATA(submit) *self,
			     struct accel_submit_job *job)
{
	self->points[3].value = self->points[2].value;
}

static const struct bad_job {
	const char *name;
	spoil_fn *spoil;
	int error;
} bad_jobs[] = {
	{ "command at NULL", bad_cmd_ptr, -EFAULT },
	{ "no command", bad_cmd_empty, -EINVAL },
	{ "short command", bad_cmd_short, -EINVAL },
	{ "long command", bad_cmd_long, -EINVAL },
	{ "huge command", bad_cmd_huge, -EINVAL },
	{ "unknown command", bad_op, -EOPNOTSUPP },
	{ "unknown flag", bad_flag, -EOPNOTSUPP },
	{ "unknown high flag", bad_flag_high, -EOPNOTSUPP },
	{ "bos at NULL", bad_bos_ptr, -EFAULT },
	{ "bos that wrap", bad_bos_wrap, -EFAULT },
	{ "too many bos", bad_bo_count, -EINVAL },
	{ "far too many bos", bad_bo_count_huge, -EINVAL },
	{ "short bo stride", bad_bo_stride, -EINVAL },
	{ "bo with a tail", bad_bo_tail, -E2BIG },
	{ "bo id 0", bad_bo_id, -ENOENT },
	{ "bo without a flag", bad_bo_no_flag, -EINVAL },
	{ "bo with an unknown flag", bad_bo_flag, -EOPNOTSUPP },
	{ "bo named twice", bad_bo_twice, -EINVAL },
	{ "waits at NULL", bad_waits_ptr, -EFAULT },
	{ "too many waits", bad_wait_count, -EINVAL },
	{ "far too many waits", bad_wait_count_huge, -EINVAL },
	{ "short wait stride", bad_wait_stride, -EINVAL },
	{ "wait on a bo", bad_wait_id, -ENOENT },
	{ "wait with a flag", bad_wait_flags, -EOPNOTSUPP },
	{ "signals that wrap", bad_signals_ptr, -EFAULT },
	{ "too many signals", bad_signal_count, -EINVAL },
	{ "signal stride 0", bad_signal_stride, -EINVAL },
	{ "signal of no timeline", bad_signal_id, -ENOENT },
	{ "signal of a sync_file", bad_signal_flags, -EOPNOTSUPP },
	{ "signal on a queue's timeline", bad_signal_of_queue, -EPERM },
	{ "signal of a promised point", bad_signal_promised, -EINVAL },
	{ "signal of point 0", bad_signal_zero, -EINVAL },
	{ "signal of one point twice", bad_signal_twice, -EINVAL },
};

/* The job that is to be spoiled; good as it is. */
static struct accel_submit_job fresh_job(FIXTURE_DATA(submit) *self)
{
	__u64 next = self->promised + 1;
	int i;

	self->cmd = (struct accel_vaccel_nop) { .op = ACCEL_VACCEL_NOP };
	for (i = 0; i < 2; i++) {
		self->bos[i] = (struct accel_submit_bo) {
			.id = self->bo[i].id,
			.flags = ACCEL_BO_READ,
		};
		self->points[i] = (struct accel_point) {
			.timeline = self->timeline,
		};
		self->points[2 + i] = (struct accel_point) {
			.timeline = self->timeline,
			.value = next + i,
		};
	}
	return (struct accel_submit_job) {
		.cmd_ptr = ptr_to_u64(&self->cmd),
		.cmd_size = sizeof(self->cmd),
		.bos_ptr = ptr_to_u64(self->bos),
		.bo_count = 2,
		.bo_stride = sizeof(self->bos[0]),
		.waits_ptr = ptr_to_u64(&self->points[0]),
		.wait_count = 2,
		.wait_stride = sizeof(self->points[0]),
		.signals_ptr = ptr_to_u64(&self->points[2]),
		.signal_count = 2,
		.signal_stride = sizeof(self->points[0]),
	};
}

/* What is spoiled below is good before: the errors are for what spoiled it. */
static void submit_good(struct __test_metadata *_metadata,
			FIXTURE_DATA(submit) *self)
{
	struct accel_submit_job job = fresh_job(self);
	struct accel_submit sub;

	ASSERT_EQ(0, submit(self->fd, self->queue.id, &job, 1, &sub));
	ASSERT_EQ(1, sub.accepted);
	ASSERT_EQ(0, sub.stop_error);
	self->promised += 2;
	EXPECT_POINT(0, self->fd, self->timeline, self->promised);
	EXPECT_POINT(0, self->fd, self->queue.timeline, sub.first_point);
}

TEST_F(submit, first_job_is_bad)
{
	struct accel_queue_info before, after;
	struct accel_timeline_query query;
	struct accel_submit_job job;
	struct accel_submit sub, copy;
	size_t i;

	submit_good(_metadata, self);
	for (i = 0; i < ARRAY_LEN(bad_jobs); i++) {
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &before));
		job = fresh_job(self);
		bad_jobs[i].spoil(self, &job);
		sub = (struct accel_submit) {
			.size = sizeof(sub),
			.queue = self->queue.id,
			.job_count = 1,
			.jobs_ptr = ptr_to_u64(&job),
			.job_stride = sizeof(job),
			.accepted = 0xaaaaaaaa,
			.stop_error = 0x55555555,
			.first_point = ~0ULL,
		};
		copy = sub;
		EXPECT_EQ(bad_jobs[i].error,
			  accel_ioctl(self->fd, ACCEL_IOCTL_SUBMIT, &sub)) {
			TH_LOG("%s", bad_jobs[i].name);
		}
		EXPECT_EQ(0, memcmp(&copy, &sub, sizeof(sub)));
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &after));
		EXPECT_EQ(before.submitted, after.submitted);
		EXPECT_EQ(0, after.status);
		ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 0,
					    &query));
		EXPECT_EQ(self->promised, query.promised) {
			TH_LOG("%s", bad_jobs[i].name);
		}
	}
	submit_good(_metadata, self);
}

TEST_F_TIMEOUT(submit, fortieth_of_64_is_bad, LONG_TEST_S)
{
	struct accel_submit_job jobs[JOBS];
	struct test_job nop = job_nop();
	struct accel_timeline_query query;
	struct accel_queue_info info;
	struct accel_submit sub;
	__u64 points = 1;
	size_t i, j;

	submit_good(_metadata, self);
	for (i = 0; i < ARRAY_LEN(bad_jobs); i++) {
		for (j = 0; j < JOBS; j++)
			jobs[j] = job_uapi(&nop);
		jobs[BAD] = fresh_job(self);
		bad_jobs[i].spoil(self, &jobs[BAD]);

		ASSERT_EQ(0, submit(self->fd, self->queue.id, jobs, JOBS,
				    &sub)) {
			TH_LOG("%s", bad_jobs[i].name);
		}
		EXPECT_EQ(BAD, sub.accepted);
		EXPECT_EQ(bad_jobs[i].error, sub.stop_error) {
			TH_LOG("%s", bad_jobs[i].name);
		}
		EXPECT_EQ(points + 1, sub.first_point);
		points += BAD;
		EXPECT_POINT(0, self->fd, self->queue.timeline, points);
		EXPECT_PENDING(self->fd, self->queue.timeline, points + 1);
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &info));
		EXPECT_EQ(points, info.submitted);
		EXPECT_EQ(points, info.completed);
		EXPECT_EQ(0, info.failed);
		ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 0,
					    &query));
		EXPECT_EQ(self->promised, query.promised);
	}
	submit_good(_metadata, self);
}

/* None is passed over: the jobs before the bad one did run, the later did not. */
TEST_F(submit, accepted_are_the_first)
{
	struct accel_submit_job uapi[JOBS];
	struct test_job jobs[JOBS];
	struct accel_submit sub;
	__u32 *map, i;

	map = bo_map(self->fd, &self->bo[0]);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < JOBS; i++) {
		jobs[i] = job_fill(self->bo[0].id, 4 * i, 4, i + 1);
		if (i == BAD)
			jobs[i].cmd.fill.length = 0;
		uapi[i] = job_uapi(&jobs[i]);
	}
	ASSERT_EQ(0, submit(self->fd, self->queue.id, uapi, JOBS, &sub));
	EXPECT_EQ(BAD, sub.accepted);
	EXPECT_EQ(-EINVAL, sub.stop_error);
	EXPECT_POINT(0, self->fd, self->queue.timeline,
		     sub.first_point + sub.accepted - 1);
	for (i = 0; i < JOBS; i++)
		EXPECT_EQ(i < BAD ? i + 1 : 0, map[i]);

	ASSERT_EQ(0, submit(self->fd, self->queue.id, uapi + BAD + 1,
			    JOBS - BAD - 1, &sub));
	EXPECT_EQ(JOBS - BAD - 1, sub.accepted);
	EXPECT_EQ(0, sub.stop_error);
	EXPECT_EQ(BAD + 1, sub.first_point);
	EXPECT_POINT(0, self->fd, self->queue.timeline, JOBS - 1);
	for (i = BAD + 1; i < JOBS; i++)
		EXPECT_EQ(i + 1, map[i]);
	EXPECT_EQ(0, munmap(map, 4096));
}

TEST_F(submit, queue_full)
{
	struct test_job nop = job_nop();
	struct accel_queue_create other;
	struct accel_submit sub;
	__u32 max = self->dev.jobs_max;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &point));
	ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &nop, max - 4,
				     &sub));
	ASSERT_EQ(max - 4, sub.accepted);
	ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &nop, 10, &sub));
	EXPECT_EQ(3, sub.accepted);
	EXPECT_EQ(-EAGAIN, sub.stop_error);
	EXPECT_EQ(max - 2, sub.first_point);
	EXPECT_EQ(-EAGAIN, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_EQ(-EAGAIN, submit_repeated(self->fd, self->queue.id, &nop, 10,
					   &sub));

	/* Another queue of the engine has room of its own. */
	EXPECT_EQ(0, submit_nop(self->fd, other.id, &point));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	EXPECT_POINT(0, self->fd, self->queue.timeline, max);
	ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &nop, max,
				     &sub));
	EXPECT_EQ(max, sub.accepted);
	EXPECT_EQ(max + 1, sub.first_point);
	EXPECT_POINT(0, self->fd, self->queue.timeline, 2 * max);
}

TEST_HARNESS_MAIN
