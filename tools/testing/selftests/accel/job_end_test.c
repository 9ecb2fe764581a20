// SPDX-License-Identifier: GPL-2.0-only
/* How jobs end, and what that does to others. */
#include "accel_test.h"

FIXTURE(job_end)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	__u32 timeline;
};

FIXTURE_SETUP(job_end)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
}

FIXTURE_TEARDOWN(job_end)
{
	accel_teardown(_metadata, self->fd);
}

/* A failure is seen by whoever waits for that job, and by nobody else. */
TEST_F(job_end, failing_job_fails_alone)
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

TEST_F(job_end, fault)
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

TEST_F(job_end, hang_released)
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

TEST_F(job_end, hang_times_out)
{
	struct test_job nop = job_nop(), first = nop, signaller = nop;
	struct accel_queue_create guilty, innocent;
	struct accel_queue_info info;
	__u64 before, hang, behind, point;
	struct accel_submit sub;
	__u32 go;

	ASSERT_EQ(0, queue_create(self->fd, 0, 1000, &guilty));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &innocent));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &go));
	/* Held, and all behind it, until all are there: then the queue may be lost. */
	job_wait(&first, go, 1);
	ASSERT_EQ(0, submit_one(self->fd, guilty.id, &first, &before));
	ASSERT_EQ(0, submit_hang(self->fd, guilty.id, &hang));
	ASSERT_EQ(0, submit_repeated(self->fd, guilty.id, &nop, 5, &sub));
	ASSERT_EQ(5, sub.accepted);
	job_signal(&signaller, self->timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, guilty.id, &signaller, &behind));
	ASSERT_EQ(0, timeline_signal(self->fd, go, 1));
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
TEST_F(job_end, all_engines_hang)
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

/* Time in the queue is not time on the engine: who is late has had all of his there. */
TEST_F(job_end, waiting_is_not_running)
{
	struct accel_queue_create waiting, hanging;
	struct accel_queue_info info;
	__u64 point, hang;

	ASSERT_EQ(0, queue_create(self->fd, 0, 1500, &hanging));
	ASSERT_EQ(0, queue_create(self->fd, 0, 1000, &waiting));
	ASSERT_EQ(0, submit_hang(self->fd, hanging.id, &hang));
	ASSERT_EQ(0, submit_hang(self->fd, waiting.id, &point));
	EXPECT_POINT(-ETIME, self->fd, hanging.timeline, hang);
	EXPECT_POINT(-ETIME, self->fd, waiting.timeline, point);
	ASSERT_EQ(0, queue_info(self->fd, waiting.id, &info));
	EXPECT_LE(1000 * 1000000ULL, info.busy_ns);
}

TEST_HARNESS_MAIN
