// SPDX-License-Identifier: GPL-2.0-only
/*
 * SUBMIT: how far it comes with an array of jobs of which one is bad, how jobs
 * end, and what the buffers they name make of their order.
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

static int map_buffers(FIXTURE_DATA(submit) *self, __u32 *map[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		map[i] = bo_map(self->fd, &self->bo[i]);
		if (map[i] == MAP_FAILED)
			return -errno;
	}
	return 0;
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
	self->cmd.op = ACCEL_VACCEL_HANG + 1;
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
	__u32 *map[2], i;

	ASSERT_EQ(0, map_buffers(self, map));
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
		EXPECT_EQ(i < BAD ? i + 1 : 0, map[0][i]);

	ASSERT_EQ(0, submit(self->fd, self->queue.id, uapi + BAD + 1,
			    JOBS - BAD - 1, &sub));
	EXPECT_EQ(JOBS - BAD - 1, sub.accepted);
	EXPECT_EQ(0, sub.stop_error);
	EXPECT_EQ(BAD + 1, sub.first_point);
	EXPECT_POINT(0, self->fd, self->queue.timeline, JOBS - 1);
	for (i = BAD + 1; i < JOBS; i++)
		EXPECT_EQ(i + 1, map[0][i]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, munmap(map[i], 4096));
}

TEST_F(submit, job_count)
{
	struct test_job nop = job_nop();
	struct accel_submit sub;
	__u32 max = self->dev.jobs_max;

	EXPECT_EQ(-EINVAL, submit_repeated(self->fd, self->queue.id, &nop, 0,
					   &sub));
	EXPECT_EQ(-EINVAL, submit_repeated(self->fd, self->queue.id, &nop,
					   max + 1, &sub));
	ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &nop, max,
				     &sub));
	EXPECT_EQ(max, sub.accepted);
	EXPECT_EQ(0, sub.stop_error);
	EXPECT_EQ(1, sub.first_point);
	EXPECT_POINT(0, self->fd, self->queue.timeline, max);

	sub.job_count = UINT_MAX;
	EXPECT_EQ(-EINVAL, accel_ioctl(self->fd, ACCEL_IOCTL_SUBMIT, &sub));
	sub.job_count = 1U << 26;
	EXPECT_EQ(-EINVAL, accel_ioctl(self->fd, ACCEL_IOCTL_SUBMIT, &sub));
}

static int submit_stride(int fd, __u32 queue, void *jobs, __u32 count,
			 __u32 stride, struct accel_submit *sub)
{
	*sub = (struct accel_submit) {
		.size = sizeof(*sub),
		.queue = queue,
		.job_count = count,
		.jobs_ptr = ptr_to_u64(jobs),
		.job_stride = stride,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_SUBMIT, sub);
}

TEST_F(submit, job_stride)
{
	struct test_job nop = job_nop();
	struct accel_submit_job job = job_uapi(&nop);
	const __u32 first = sizeof(job);
	__u64 points = 0, buf[4 * 128 / 8];
	__u8 *bytes = (__u8 *)buf;
	struct accel_submit sub;
	__u32 stride, i;
	int ret;

	for (stride = 0; stride < first; stride++)
		EXPECT_EQ(-EINVAL, submit_stride(self->fd, self->queue.id, &job,
						 1, stride, &sub));
	for (stride = first; stride <= 128; stride++) {
		memset(buf, 0, sizeof(buf));
		for (i = 0; i < 4; i++)
			memcpy(bytes + i * stride, &job, first);
		ASSERT_EQ(0, submit_stride(self->fd, self->queue.id, buf, 4,
					   stride, &sub));
		EXPECT_EQ(4, sub.accepted);
		EXPECT_EQ(0, sub.stop_error);
		points += 4;
		if (stride == first)
			continue;

		bytes[3 * stride - 1] = 1;
		ASSERT_EQ(0, submit_stride(self->fd, self->queue.id, buf, 4,
					   stride, &sub));
		EXPECT_EQ(2, sub.accepted);
		EXPECT_EQ(-E2BIG, sub.stop_error);
		points += 2;
		bytes[first] = 1;
		EXPECT_EQ(-E2BIG, submit_stride(self->fd, self->queue.id, buf,
						4, stride, &sub));
		EXPECT_POINT(0, self->fd, self->queue.timeline, points);
	}
	ret = submit_stride(self->fd, self->queue.id, buf, 2, UINT_MAX, &sub);
	EXPECT_TRUE(ret == -EINVAL || ret == -E2BIG || ret == -EFAULT);
}

/* Elements of the arrays in a job, wider than the kernel knows them. */
TEST_F(submit, array_strides)
{
	struct {
		struct accel_submit_bo bo;
		__u8 more[24];
	} bos[2] = {};
	struct {
		struct accel_point point;
		__u8 more[8];
	} waits[2] = {}, signals[2] = {};
	struct accel_submit_job job = fresh_job(self);
	struct accel_submit sub;
	int i;

	for (i = 0; i < 2; i++) {
		bos[i].bo = self->bos[i];
		waits[i].point = self->points[i];
		signals[i].point = self->points[2 + i];
	}
	job.bos_ptr = ptr_to_u64(bos);
	job.bo_stride = sizeof(bos[0]);
	job.waits_ptr = ptr_to_u64(waits);
	job.wait_stride = sizeof(waits[0]);
	job.signals_ptr = ptr_to_u64(signals);
	job.signal_stride = sizeof(signals[0]);

	waits[1].more[7] = 1;
	EXPECT_EQ(-E2BIG, submit(self->fd, self->queue.id, &job, 1, &sub));
	waits[1].more[7] = 0;
	signals[0].more[0] = 1;
	EXPECT_EQ(-E2BIG, submit(self->fd, self->queue.id, &job, 1, &sub));
	signals[0].more[0] = 0;
	ASSERT_EQ(0, submit(self->fd, self->queue.id, &job, 1, &sub));
	EXPECT_POINT(0, self->fd, self->timeline, 2);

	/* Nobody looks at the pointer and the stride of an empty array. */
	job.bo_count = 0;
	job.wait_count = 0;
	job.signal_count = 0;
	job.bos_ptr = UINT64_MAX;
	job.waits_ptr = 1;
	job.signals_ptr = UINT64_MAX;
	job.bo_stride = 0;
	job.wait_stride = 1;
	job.signal_stride = UINT_MAX;
	EXPECT_EQ(0, submit(self->fd, self->queue.id, &job, 1, &sub));
}

/* The array of jobs ends where the mapping does, or goes on. */
TEST_F(submit, jobs_run_into_a_hole)
{
	long page = sysconf(_SC_PAGESIZE);
	struct test_job nop = job_nop();
	struct accel_submit_job *jobs;
	struct accel_submit sub;
	__u8 *map;
	int i;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, munmap(map + page, page));
	jobs = (void *)(map + page);
	for (i = 1; i <= 3; i++)
		jobs[-i] = job_uapi(&nop);
	ASSERT_EQ(0, submit(self->fd, self->queue.id, jobs - 3, 3, &sub));
	EXPECT_EQ(3, sub.accepted);
	EXPECT_EQ(0, sub.stop_error);
	ASSERT_EQ(0, submit(self->fd, self->queue.id, jobs - 3, 5, &sub));
	EXPECT_EQ(3, sub.accepted);
	EXPECT_EQ(-EFAULT, sub.stop_error);
	EXPECT_EQ(-EFAULT, submit(self->fd, self->queue.id, jobs, 1, &sub));
	EXPECT_EQ(-EFAULT, submit(self->fd, self->queue.id, NULL, 1, &sub));
	EXPECT_POINT(0, self->fd, self->queue.timeline, 6);
	EXPECT_PENDING(self->fd, self->queue.timeline, 7);
	munmap(map, page);
}

/* A failure is seen by whoever waits for that job, and by nobody else. */
TEST_F(submit, failing_job_fails_alone)
{
	static const int results[] = {
		0, -EIO, 0, -ETIME, -ECANCELED, 0, -1, -4095, -EFAULT, 0,
	};
	struct accel_queue_create other;
	struct test_job job;
	__u64 point;
	size_t i;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	for (i = 0; i < ARRAY_LEN(results); i++) {
		job = results[i] ? job_fail(results[i]) : job_nop();
		job_signal(&job, self->timeline, i + 1);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
		ASSERT_EQ(0, submit_nop(self->fd, other.id, &point));
	}
	for (i = 0; i < ARRAY_LEN(results); i++) {
		EXPECT_POINT(results[i], self->fd, self->queue.timeline, i + 1);
		EXPECT_POINT(results[i], self->fd, self->timeline, i + 1);
		EXPECT_POINT(0, self->fd, other.timeline, i + 1);
	}
	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
}

TEST_F(submit, fault)
{
	struct test_job job = job_op(ACCEL_VACCEL_FAULT);
	struct accel_queue_info info;
	__u64 fault, point;

	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &fault));
	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(-EFAULT, self->fd, self->queue.timeline, fault);
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &info));
	EXPECT_EQ(0, info.status);
	EXPECT_EQ(1, info.failed);
}

TEST_F(submit, hang_released)
{
	__u64 before, hang, after;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &before));
		ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &hang));
		ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &after));
		EXPECT_POINT(0, self->fd, self->queue.timeline, before);
		EXPECT_PENDING(self->fd, self->queue.timeline, hang);
		EXPECT_PENDING(self->fd, self->queue.timeline, after);
		ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
		EXPECT_POINT(0, self->fd, self->queue.timeline, after);
		EXPECT_EQ(0, point_status(self->fd, self->queue.timeline,
					  hang));
	}
}

TEST_F(submit, hang_times_out)
{
	struct test_job nop = job_nop(), signaller = job_nop();
	struct accel_queue_create guilty, innocent;
	struct accel_queue_info info;
	__u64 before, hang, behind, point;
	struct accel_submit sub;

	ASSERT_EQ(0, queue_create(self->fd, 0, 1000, &guilty));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &innocent));
	ASSERT_EQ(0, submit_nop(self->fd, guilty.id, &before));
	ASSERT_EQ(0, submit_hang(self->fd, guilty.id, &hang));
	ASSERT_EQ(0, submit_repeated(self->fd, guilty.id, &nop, 5, &sub));
	ASSERT_EQ(5, sub.accepted);
	job_signal(&signaller, self->timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, guilty.id, &signaller, &behind));
	ASSERT_EQ(0, submit_nop(self->fd, innocent.id, &point));

	EXPECT_POINT(-ETIME, self->fd, guilty.timeline, hang);
	EXPECT_EQ(0, point_status(self->fd, guilty.timeline, before));
	for (point = hang + 1; point <= behind; point++)
		EXPECT_POINT(-ECANCELED, self->fd, guilty.timeline, point);
	EXPECT_POINT(-ECANCELED, self->fd, self->timeline, 1);

	/* The queue is lost, the innocent one and the engine are not. */
	EXPECT_POINT(0, self->fd, innocent.timeline, 1);
	EXPECT_EQ(-EIO, submit_nop(self->fd, guilty.id, &point));
	ASSERT_EQ(0, queue_info(self->fd, guilty.id, &info));
	EXPECT_EQ(-EIO, info.status);
	EXPECT_EQ(behind, info.submitted);
	EXPECT_EQ(behind, info.completed);
	EXPECT_EQ(behind - before, info.failed);
	ASSERT_EQ(0, submit_nop(self->fd, innocent.id, &point));
	EXPECT_POINT(0, self->fd, innocent.timeline, point);
	ASSERT_EQ(0, queue_info(self->fd, innocent.id, &info));
	EXPECT_EQ(0, info.status);
	EXPECT_EQ(0, info.failed);

	EXPECT_EQ(0, destroy(self->fd, guilty.id));
	EXPECT_EQ(-ETIME, point_status(self->fd, guilty.timeline, hang));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &guilty));
	ASSERT_EQ(0, submit_nop(self->fd, guilty.id, &point));
	EXPECT_POINT(0, self->fd, guilty.timeline, point);
}

/* A hang on every engine at once. */
TEST_F(submit, all_engines_hang)
{
	struct accel_queue_create queues[16];
	__u32 i, n = self->dev.engine_count;
	__u64 point;

	if (n > ARRAY_LEN(queues))
		n = ARRAY_LEN(queues);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, queue_create(self->fd, i, 100, &queues[i]));
		ASSERT_EQ(0, submit_hang(self->fd, queues[i].id, &point));
	}
	for (i = 0; i < n; i++) {
		EXPECT_POINT(-ETIME, self->fd, queues[i].timeline, 1);
		EXPECT_EQ(-EIO, submit_nop(self->fd, queues[i].id, &point));
		EXPECT_EQ(0, engine_flush(self->fd, i));
	}
}

/* Time in the queue is not time on the engine. */
TEST_F(submit, waiting_is_not_running)
{
	struct accel_queue_create waiting, hanging;
	__u64 point, hang;

	ASSERT_EQ(0, queue_create(self->fd, 0, 3000, &hanging));
	ASSERT_EQ(0, queue_create(self->fd, 0, 1000, &waiting));
	ASSERT_EQ(0, submit_hang(self->fd, hanging.id, &hang));
	ASSERT_EQ(0, submit_nop(self->fd, waiting.id, &point));
	EXPECT_POINT(-ETIME, self->fd, hanging.timeline, hang);
	EXPECT_POINT(0, self->fd, waiting.timeline, point);
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

/*
 * Three jobs on two engines that only the buffers in their lists bring into
 * order, each made to wait by a hang before the first.
 */
TEST_F(submit, buffers_order_jobs_of_two_engines)
{
	struct accel_queue_create reader, writer;
	struct test_job fill, hang, copy, refill;
	__u32 *map[2];
	__u64 point;
	int i;

	ASSERT_EQ(0, map_buffers(self, map));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &reader));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &writer));
	fill = job_fill(self->bo[0].id, 0, 4096, 1);
	hang = job_hang();
	job_bo(&hang, self->bo[0].id, ACCEL_BO_WRITE);
	copy = job_copy(self->bo[0].id, 0, self->bo[1].id, 0, 4096);
	refill = job_fill(self->bo[0].id, 0, 4096, 2);

	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fill, &point));
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	ASSERT_EQ(0, submit_one(self->fd, reader.id, &copy, &point));
	ASSERT_EQ(0, submit_one(self->fd, writer.id, &refill, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, reader.timeline, 1);
	EXPECT_PENDING(self->fd, writer.timeline, 1);

	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, writer.timeline, 1);
	EXPECT_POINT(0, self->fd, reader.timeline, 1);
	EXPECT_EQ(1, map[1][0]);
	EXPECT_EQ(1, map[1][1023]);
	EXPECT_EQ(2, map[0][0]);
	EXPECT_EQ(2, map[0][1023]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, munmap(map[i], 4096));
}

/* Two that read need not wait for each other; one that writes waits for both. */
TEST_F(submit, readers_share)
{
	struct test_job hang = job_hang(), read = job_nop(), write = job_nop();
	struct accel_queue_create reader, writer;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &reader));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &writer));
	job_bo(&hang, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&read, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&write, self->bo[0].id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	ASSERT_EQ(0, submit_one(self->fd, reader.id, &read, &point));
	ASSERT_EQ(0, submit_one(self->fd, writer.id, &write, &point));
	EXPECT_POINT(0, self->fd, reader.timeline, 1);
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, writer.timeline, 1);
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, writer.timeline, 1);
}

/* A value handed from engine to engine many times, with no wait in between. */
TEST_F(submit, ping_pong)
{
	struct accel_queue_create other;
	struct test_job job;
	__u32 *map[2], i;
	__u64 point;

	ASSERT_EQ(0, map_buffers(self, map));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	for (i = 1; i <= 40; i++) {
		__u32 a = self->bo[0].id, b = self->bo[1].id;

		job = job_fill(a, 0, 4, i);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
		job = job_copy(a, 0, b, 0, 4);
		ASSERT_EQ(0, submit_one(self->fd, other.id, &job, &point));
		job = job_copy(b, 0, a, 4 * i, 4);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
	}
	EXPECT_POINT(0, self->fd, self->queue.timeline, 80);
	EXPECT_POINT(0, self->fd, other.timeline, 40);
	for (i = 1; i <= 40; i++)
		EXPECT_EQ(i, map[0][i]);
	EXPECT_EQ(40, map[0][0]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, munmap(map[i], 4096));
}

/* A job that waits for a failed one by way of a buffer runs all the same. */
TEST_F(submit, buffer_of_a_failed_job)
{
	struct test_job fail = job_fail(-EIO), fill;
	struct accel_queue_create other;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	job_bo(&fail, self->bo[0].id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fail, &point));
	fill = job_fill(self->bo[0].id, 0, 4096, 1);
	ASSERT_EQ(0, submit_one(self->fd, other.id, &fill, &point));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	EXPECT_POINT(-EIO, self->fd, self->queue.timeline, 1);
}

/* Opposite orders of the same buffers must not block each other. */
TEST_F(submit, opposite_orders)
{
	struct test_job ab = job_nop(), ba = job_nop();
	struct accel_queue_create other;
	struct accel_submit sub;
	int i;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	job_bo(&ab, self->bo[0].id, ACCEL_BO_WRITE);
	job_bo(&ab, self->bo[1].id, ACCEL_BO_WRITE);
	job_bo(&ba, self->bo[1].id, ACCEL_BO_WRITE);
	job_bo(&ba, self->bo[0].id, ACCEL_BO_WRITE);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &ab, 4,
					     &sub));
		ASSERT_EQ(4, sub.accepted);
		ASSERT_EQ(0, submit_repeated(self->fd, other.id, &ba, 4, &sub));
		ASSERT_EQ(4, sub.accepted);
	}
	EXPECT_POINT(0, self->fd, self->queue.timeline, 32);
	EXPECT_POINT(0, self->fd, other.timeline, 32);
}

TEST_HARNESS_MAIN
