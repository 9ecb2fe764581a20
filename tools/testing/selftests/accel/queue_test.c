// SPDX-License-Identifier: GPL-2.0-only
/* Queues: their arguments, their order, their counters and their end. */
#include "accel_test.h"

FIXTURE(queue)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(queue)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(queue)
{
	accel_teardown(_metadata, self->fd);
}

TEST_F(queue, create_and_info)
{
	__u32 timeouts[] = { 0, 1, self->dev.timeout_max_ms };
	struct accel_timeline_query query;
	struct accel_queue_create queue;
	struct accel_queue_info info;
	__u32 engine;
	size_t i;

	for (engine = 0; engine < self->dev.engine_count; engine++) {
		for (i = 0; i < ARRAY_LEN(timeouts); i++) {
			ASSERT_EQ(0, queue_create(self->fd, engine, timeouts[i],
						  &queue));
			EXPECT_NE(queue.id, queue.timeline);
			ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
			EXPECT_EQ(queue.id, info.id);
			EXPECT_EQ(engine, info.engine);
			EXPECT_EQ(queue.timeline, info.timeline);
			EXPECT_EQ(timeouts[i] ?: self->dev.timeout_default_ms,
				  info.timeout_ms);
			EXPECT_EQ(0, info.status);
			EXPECT_EQ(0, info.submitted);
			EXPECT_EQ(0, info.completed);
			EXPECT_EQ(0, info.failed);
			EXPECT_EQ(0, info.busy_ns);

			ASSERT_EQ(0, timeline_query(self->fd, queue.timeline, 0,
						    &query));
			EXPECT_EQ(0, query.status);
			EXPECT_EQ(0, query.completed);
			EXPECT_EQ(0, query.promised);
			EXPECT_PENDING(self->fd, queue.timeline, 1);
		}
	}
}

static int create(int fd, struct accel_queue_create queue)
{
	queue.size = sizeof(queue);
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_CREATE, &queue);
}

#define CREATE(...) create(self->fd, (struct accel_queue_create) { __VA_ARGS__ })

TEST_F(queue, as_many_as_allowed)
{
	struct accel_queue_create queue, extra;
	__u32 i;

	for (i = 0; i < self->dev.queues_max; i++)
		ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	EXPECT_EQ(-ENOSPC, queue_create(self->fd, 0, 0, &extra));
	EXPECT_EQ(0, destroy(self->fd, queue.id));
	EXPECT_EQ(0, queue_create(self->fd, 0, 0, &queue));
}

TEST_F(queue, bad_create)
{
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	__u64 payload = 1;
	int ret;

	ASSERT_EQ(0, census_read(before));
	EXPECT_EQ(-EINVAL, CREATE(.engine = self->dev.engine_count));
	EXPECT_EQ(-EINVAL, CREATE(.engine = UINT_MAX));
	EXPECT_EQ(-EOPNOTSUPP, CREATE(.priority = 1));
	EXPECT_EQ(-EOPNOTSUPP, CREATE(.priority = -1));
	EXPECT_EQ(-EOPNOTSUPP, CREATE(.priority = INT_MIN));
	EXPECT_EQ(-ENOENT, CREATE(.vm = 1));
	EXPECT_EQ(-ENOENT, CREATE(.vm = UINT_MAX));
	EXPECT_EQ(-EINVAL, CREATE(.timeout_ms = self->dev.timeout_max_ms + 1));
	EXPECT_EQ(-EINVAL, CREATE(.timeout_ms = UINT_MAX));

	/* vaccel asks for no payload: one that says something is refused. */
	ret = CREATE(.payload_ptr = ptr_to_u64(&payload),
		     .payload_size = sizeof(payload));
	EXPECT_TRUE(ret == -EINVAL || ret == -E2BIG);
	ret = CREATE(.payload_ptr = ptr_to_u64(&payload),
		     .payload_size = UINT_MAX);
	EXPECT_TRUE(ret == -EINVAL || ret == -E2BIG);

	ASSERT_EQ(0, census_read(after));
	EXPECT_STREQ(before, after);
	EXPECT_EQ(-ENOENT, destroy(self->fd, 1));
	EXPECT_EQ(-ENOENT, destroy(self->fd, 2));
}

TEST_F_TIMEOUT(queue, many, LONG_TEST_S)
{
	struct accel_queue_create queues[256];
	__u64 point;
	size_t i;

	for (i = 0; i < ARRAY_LEN(queues); i++)
		ASSERT_EQ(0, queue_create(self->fd,
					  i % self->dev.engine_count, 0,
					  &queues[i]));
	for (i = 0; i < ARRAY_LEN(queues); i++) {
		ASSERT_EQ(0, submit_nop(self->fd, queues[i].id, &point));
		EXPECT_EQ(1, point);
	}
	for (i = 0; i < ARRAY_LEN(queues); i++) {
		EXPECT_POINT(0, self->fd, queues[i].timeline, 1);
		EXPECT_PENDING(self->fd, queues[i].timeline, 2);
	}
}

/* When a point is reached, so are all before it, and what those jobs wrote. */
TEST_F(queue, jobs_run_in_order)
{
	struct accel_timeline_query query;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job job;
	__u32 *map, i;
	__u64 point;

	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	for (i = 1; i <= 50; i++) {
		job = i % 2 ? job_fill(bo.id, 0, 4 * i, i) :
			      job_copy(bo.id, 0, bo.id, 4, 4 * i);
		ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
		EXPECT_EQ(i, point);
	}
	EXPECT_POINT(0, self->fd, queue.timeline, point);
	ASSERT_EQ(0, timeline_query(self->fd, queue.timeline, 1, &query));
	EXPECT_EQ(0, query.status);
	EXPECT_EQ(50, query.completed);
	EXPECT_EQ(50, query.promised);

	/* Job 49 filled words 0 to 48 with 49, job 50 moved them up by one. */
	for (i = 0; i < 50; i++)
		EXPECT_EQ(49, map[i]);
	EXPECT_EQ(0, map[50]);
	EXPECT_EQ(0, munmap(map, bo.length));
}

TEST_F(queue, counters)
{
	struct test_job nop = job_nop(), fail = job_fail(-EILSEQ);
	struct accel_queue_create queue, idle;
	struct accel_queue_info info;
	struct accel_submit sub;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &idle));
	ASSERT_EQ(0, submit_repeated(self->fd, queue.id, &nop, 5, &sub));
	EXPECT_EQ(1, sub.first_point);
	ASSERT_EQ(0, submit_repeated(self->fd, queue.id, &fail, 3, &sub));
	EXPECT_EQ(6, sub.first_point);
	EXPECT_POINT(-EILSEQ, self->fd, queue.timeline, 8);

	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(8, info.submitted);
	EXPECT_EQ(8, info.completed);
	EXPECT_EQ(3, info.failed);
	EXPECT_EQ(0, info.status);
	EXPECT_LT(0, info.busy_ns);

	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &sub.first_point));
	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(9, info.submitted);
	EXPECT_EQ(8, info.completed);
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, 9);
	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(9, info.completed);
	EXPECT_EQ(3, info.failed);

	ASSERT_EQ(0, queue_info(self->fd, idle.id, &info));
	EXPECT_EQ(0, info.submitted);
	EXPECT_EQ(0, info.completed);
	EXPECT_EQ(0, info.failed);
	EXPECT_EQ(0, info.busy_ns);
}

/* One engine that hangs is not the device that hangs. */
TEST_F(queue, engines_are_independent)
{
	struct accel_queue_create queue;
	__u32 engine;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
	for (engine = 1; engine < self->dev.engine_count; engine++)
		EXPECT_EQ(0, engine_flush(self->fd, engine));
	EXPECT_PENDING(self->fd, queue.timeline, point);
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, point);
	EXPECT_EQ(0, engine_flush(self->fd, 0));
}

TEST_F(queue, timeline_outlives_queue)
{
	struct accel_queue_create queue;
	struct accel_queue_info info;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
	EXPECT_POINT(0, self->fd, queue.timeline, point);
	ASSERT_EQ(0, destroy(self->fd, queue.id));
	EXPECT_EQ(-ENOENT, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(-ENOENT, submit_nop(self->fd, queue.id, &point));
	EXPECT_EQ(-ENOENT, destroy(self->fd, queue.id));
	EXPECT_EQ(0, point_status(self->fd, queue.timeline, 1));
	EXPECT_EQ(0, destroy(self->fd, queue.timeline));
	EXPECT_EQ(-ENOENT, destroy(self->fd, queue.timeline));
}

/* The queue does not need the id of its timeline. */
TEST_F(queue, timeline_destroyed_first)
{
	struct accel_queue_create queue;
	struct accel_queue_info info;
	struct accel_bo_create bo;
	struct test_job job;
	__u64 point;
	__u32 *map;

	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	ASSERT_EQ(0, destroy(self->fd, queue.timeline));
	job = job_fill(bo.id, 0, 4096, 11);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
	ASSERT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(11, map[0]);
	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(1, info.submitted);
	EXPECT_EQ(0, munmap(map, 4096));
}

/* Running and pending jobs alike: over when DESTROY returns. */
TEST_F(queue, destroy_with_jobs)
{
	struct accel_queue_create queue, other;
	struct test_job nop = job_nop();
	struct accel_submit sub;
	__u64 hang, point;
	__s32 status;
	__u64 i;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
	EXPECT_POINT(0, self->fd, queue.timeline, point);
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &hang));
	ASSERT_EQ(0, submit_repeated(self->fd, queue.id, &nop, 20, &sub));
	ASSERT_EQ(20, sub.accepted);
	ASSERT_EQ(0, submit_nop(self->fd, other.id, &point));

	ASSERT_EQ(0, destroy(self->fd, queue.id));
	EXPECT_EQ(0, point_status(self->fd, queue.timeline, hang - 1));
	for (i = hang; i <= hang + 20; i++) {
		status = 0;
		EXPECT_EQ(0, point_wait_until(self->fd, queue.timeline, i, 0,
					      &status));
		EXPECT_EQ(-ECANCELED, status);
		EXPECT_EQ(-ECANCELED, point_status(self->fd, queue.timeline,
						   i));
	}

	/* Who shares the engine has lost nothing. */
	EXPECT_POINT(0, self->fd, other.timeline, point);
	EXPECT_EQ(0, engine_flush(self->fd, 0));
}

/* The same when both ids go, in either order. */
TEST_F(queue, destroy_both_with_jobs)
{
	struct accel_queue_create queue;
	__u64 point;
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, queue_create(self->fd, 0,
					  self->dev.timeout_max_ms, &queue));
		ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
		ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
		ASSERT_EQ(0, destroy(self->fd, i ? queue.id : queue.timeline));
		ASSERT_EQ(0, destroy(self->fd, i ? queue.timeline : queue.id));
		ASSERT_EQ(0, engine_flush(self->fd, 0));
	}
}

TEST_F(queue, release_without_hang)
{
	struct accel_queue_create queue, other;
	struct accel_vaccel_release release = { .size = sizeof(release) };
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	release.queue = queue.id;
	EXPECT_EQ(-EAGAIN, accel_ioctl(self->fd, ACCEL_IOCTL_VACCEL_RELEASE,
				       &release));
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
	release.queue = other.id;
	EXPECT_EQ(-EAGAIN, accel_ioctl(self->fd, ACCEL_IOCTL_VACCEL_RELEASE,
				       &release));
	EXPECT_PENDING(self->fd, queue.timeline, point);
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, point);
	release.queue = queue.id;
	EXPECT_EQ(-EAGAIN, accel_ioctl(self->fd, ACCEL_IOCTL_VACCEL_RELEASE,
				       &release));
}

TEST_HARNESS_MAIN
