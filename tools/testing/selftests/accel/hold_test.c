// SPDX-License-Identifier: GPL-2.0-only
/*
 * Held jobs: those that wait for points that nobody has promised, or promised
 * only by jobs that are held themselves.
 */
#include "accel_test.h"

FIXTURE(hold)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue[3];
	__u32 timeline;
	struct accel_bo_create bo;
	__u32 *map;
};

FIXTURE_SETUP(hold)
{
	int i;

	accel_setup(_metadata, &self->fd, &self->dev);
	/* Two queues share an engine. */
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, queue_create(self->fd, i % 2,
					  self->dev.timeout_max_ms,
					  &self->queue[i]));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &self->bo));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE_TEARDOWN(hold)
{
	EXPECT_EQ(0, munmap(self->map, self->bo.length));
	accel_teardown(_metadata, self->fd);
}

static int submit_waiting(int fd, __u32 queue, __u32 timeline, __u64 value,
			  __u32 flags)
{
	struct test_job job = job_nop();
	__u64 point;

	job_wait(&job, timeline, value);
	job.flags = flags;
	return submit_one(fd, queue, &job, &point);
}

TEST_F(hold, wait_before_signal)
{
	struct accel_queue_info info;
	struct accel_timeline_query query;

	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->timeline, 5, 0));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 4));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, queue_info(self->fd, self->queue[0].id, &info));
	EXPECT_EQ(1, info.submitted);
	EXPECT_EQ(0, info.completed);
	ASSERT_EQ(0, timeline_query(self->fd, self->queue[0].timeline, 1,
				    &query));
	EXPECT_EQ(1, query.promised);
	EXPECT_EQ(0, query.completed);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 6));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
}

/* What has been reached already holds nothing up. */
TEST_F(hold, wait_after_signal)
{
	struct test_job job = job_nop();
	__u64 point;

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 5));
	job_wait(&job, self->timeline, 0);
	job_wait(&job, self->timeline, 3);
	job_wait(&job, self->timeline, 5);
	job_wait(&job, self->queue[0].timeline, 0);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, point);
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->queue[0].timeline, 1, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->queue[0].timeline, 2, 0));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 3);
}

/* All of several points, not the first of them. */
TEST_F(hold, wait_for_several)
{
	struct test_job job = job_nop();
	__u32 timelines[4];
	__u64 point;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, timeline_create(self->fd, 0, &timelines[i]));
		job_wait(&job, timelines[i], 1);
	}
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	for (i = 3; i >= 0; i--) {
		ASSERT_EQ(0, engines_flush(self->fd));
		EXPECT_PENDING(self->fd, self->queue[0].timeline, point);
		ASSERT_EQ(0, timeline_signal(self->fd, timelines[i], 1));
	}
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, point);
}

/*
 * Points are reached in order, whatever has run: what the job behind a held one
 * writes tells whether it has.
 */
TEST_F(hold, jobs_behind_are_held)
{
	struct test_job fill = job_fill(self->bo.id, 0, 4096, 1);
	__u64 point;
	int i;

	ASSERT_EQ(0, submit_nop(self->fd, self->queue[0].id, &point));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->timeline, 1, 0));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &fill,
					&point));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, engines_flush(self->fd));
	for (i = 2; i <= 7; i++)
		EXPECT_PENDING(self->fd, self->queue[0].timeline, i);
	EXPECT_EQ(0, self->map[0]);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 7);
	EXPECT_EQ(1, self->map[0]);
}

/* A second held job, not released by what releases the first. */
TEST_F(hold, held_again)
{
	struct test_job fill = job_fill(self->bo.id, 0, 4096, 1);
	__u64 point;

	job_wait(&fill, self->timeline, 1);
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->timeline, 2, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->timeline, 4, 0));
	/* Not held by itself, but behind one that is. */
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &fill, &point));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 2));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 2);
	EXPECT_PENDING(self->fd, self->queue[0].timeline, point);
	EXPECT_EQ(0, self->map[0]);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 4));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, point);
	EXPECT_EQ(1, self->map[0]);
}

TEST_F(hold, released_by_a_signal_of_a_job)
{
	struct test_job job = job_hang();
	__u64 point;

	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->timeline, 1, 0));
	job_signal(&job, self->timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[1].id, &job, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, hang_release(self->fd, self->queue[1].id));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
}

/* A queue is a timeline: its next job can be waited for before it is there. */
TEST_F(hold, released_by_a_job_to_come)
{
	__u64 point;

	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->queue[1].timeline, 2, 0));
	ASSERT_EQ(0, submit_nop(self->fd, self->queue[1].id, &point));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, submit_nop(self->fd, self->queue[1].id, &point));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
}

/* Three queues, each waiting for the next, made in either order. */
TEST_F(hold, chain)
{
	const __u32 waits[] = {
		self->queue[1].timeline,
		self->queue[2].timeline,
		self->timeline,
	};
	int round, i, k;

	for (round = 0; round < 2; round++) {
		__u64 point = round + 1;

		for (i = 0; i < 3; i++) {
			k = round ? 2 - i : i;
			ASSERT_EQ(0, submit_waiting(self->fd,
						    self->queue[k].id, waits[k],
						    point, 0));
		}
		ASSERT_EQ(0, engines_flush(self->fd));
		for (k = 0; k < 3; k++)
			EXPECT_PENDING(self->fd, self->queue[k].timeline,
				       point);
		ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, point));
		for (k = 0; k < 3; k++)
			EXPECT_POINT(0, self->fd, self->queue[k].timeline,
				     point);
	}
}

/* So long that letting it go one inside the other would end the stack. */
#define CHAIN	200

static void make_chain(struct __test_metadata *_metadata,
		       FIXTURE_DATA(hold) *self,
		       struct accel_queue_create *queues)
{
	__u32 timeline = self->timeline;
	int i;

	for (i = 0; i < CHAIN; i++) {
		ASSERT_EQ(0, queue_create(self->fd, i % 2, 0, &queues[i]));
		ASSERT_EQ(0, submit_waiting(self->fd, queues[i].id, timeline, 1,
					    0));
		timeline = queues[i].timeline;
	}
}

TEST_F_TIMEOUT(hold, long_chain_released, LONG_TEST_S)
{
	struct accel_queue_create queues[CHAIN];
	int i;

	make_chain(_metadata, self, queues);
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, queues[0].timeline, 1);
	EXPECT_PENDING(self->fd, queues[CHAIN - 1].timeline, 1);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	for (i = 0; i < CHAIN; i++)
		EXPECT_POINT(0, self->fd, queues[i].timeline, 1);
}

/* Destroying the first queue reaches its point, and so on down the chain. */
TEST_F_TIMEOUT(hold, long_chain_destroyed, LONG_TEST_S)
{
	struct accel_queue_create queues[CHAIN];
	int i;

	make_chain(_metadata, self, queues);
	ASSERT_EQ(0, destroy(self->fd, queues[0].id));
	EXPECT_POINT(-ECANCELED, self->fd, queues[0].timeline, 1);
	for (i = 1; i < CHAIN; i++)
		EXPECT_POINT(0, self->fd, queues[i].timeline, 1);
}

TEST_F_TIMEOUT(hold, long_chain_closed, LONG_TEST_S)
{
	struct accel_queue_create queues[CHAIN];

	make_chain(_metadata, self, queues);
	EXPECT_PENDING(self->fd, queues[CHAIN - 1].timeline, 1);
}

/* Each waits for the other: nothing runs, nothing breaks, and close ends it. */
TEST_F(hold, two_wait_for_each_other)
{
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->queue[1].timeline, 1, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[0].timeline, 1, 0));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	EXPECT_PENDING(self->fd, self->queue[1].timeline, 1);
}

/* Or the end of one of them does. */
TEST_F(hold, deadlock_ended_by_destroy)
{
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->queue[1].timeline, 1, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[0].timeline, 1, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[2].id,
				    self->queue[0].timeline, 1,
				    ACCEL_JOB_CANCEL_ON_ERROR));
	ASSERT_EQ(0, destroy(self->fd, self->queue[0].id));
	EXPECT_EQ(-ECANCELED, point_status(self->fd, self->queue[0].timeline,
					   1));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	EXPECT_POINT(-ECANCELED, self->fd, self->queue[2].timeline, 1);
}

/* A job that waits for itself, for one behind it, or for its own signal. */
TEST_F(hold, waits_for_itself)
{
	struct test_job own = job_nop();
	__u64 point;

	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[0].id,
				    self->queue[0].timeline, 1, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[1].timeline, 2, 0));
	ASSERT_EQ(0, submit_nop(self->fd, self->queue[1].id, &point));
	job_wait(&own, self->timeline, 1);
	job_signal(&own, self->timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[2].id, &own, &point));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	EXPECT_PENDING(self->fd, self->queue[1].timeline, 1);
	EXPECT_PENDING(self->fd, self->queue[1].timeline, 2);
	EXPECT_PENDING(self->fd, self->queue[2].timeline, 1);
	EXPECT_PENDING(self->fd, self->timeline, 1);
	ASSERT_EQ(0, destroy(self->fd, self->queue[2].id));
	EXPECT_POINT(-ECANCELED, self->fd, self->timeline, 1);
}

/* The promise of a held job counts, though it holds who waits for it. */
TEST_F(hold, promise_of_a_held_job)
{
	struct test_job job = job_nop();
	struct accel_timeline_query query;
	__u32 promised;
	__u64 point;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &promised));
	job_wait(&job, self->timeline, 1);
	job_signal(&job, promised, 3);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id, promised, 3,
				    0));
	ASSERT_EQ(0, timeline_query(self->fd, promised, 3, &query));
	EXPECT_EQ(ACCEL_POINT_PENDING, query.status);
	EXPECT_EQ(3, query.promised);
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, promised, 3));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[1].timeline, 1);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	EXPECT_EQ(0, point_status(self->fd, promised, 3));
}

/* A point that failed is reached: it stops only those who asked for it. */
TEST_F(hold, wait_for_a_failed_point)
{
	struct test_job fail = job_fail(-EILSEQ);
	__u64 point, i;

	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &fail, &point));
	EXPECT_POINT(-EILSEQ, self->fd, self->queue[0].timeline, 1);

	/* Once failed already, then yet to fail. */
	for (i = 1; i <= 2; i++) {
		__u32 failing = self->queue[0].timeline;

		ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
					    failing, i, 0));
		ASSERT_EQ(0, submit_waiting(self->fd, self->queue[2].id,
					    failing, i,
					    ACCEL_JOB_CANCEL_ON_ERROR));
		ASSERT_EQ(0, submit_nop(self->fd, self->queue[2].id, &point));
		if (i == 2) {
			EXPECT_PENDING(self->fd, self->queue[1].timeline, 2);
			EXPECT_PENDING(self->fd, self->queue[2].timeline, 3);
			ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id,
						&fail, &point));
		}
		EXPECT_POINT(0, self->fd, self->queue[1].timeline, i);
		EXPECT_POINT(-ECANCELED, self->fd, self->queue[2].timeline,
			     2 * i - 1);
		/* Cancelling one job loses nothing else. */
		EXPECT_POINT(0, self->fd, self->queue[2].timeline, 2 * i);
	}
}

/* With the flag, and with nothing that fails. */
TEST_F(hold, cancel_on_error_without_error)
{
	__u64 point;

	ASSERT_EQ(0, submit_nop(self->fd, self->queue[0].id, &point));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[0].timeline, 1,
				    ACCEL_JOB_CANCEL_ON_ERROR));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->timeline, 1,
				    ACCEL_JOB_CANCEL_ON_ERROR));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 2);
}

/* A job cancelled so did not run, and hands its fate on to who asks for it. */
TEST_F(hold, cancelled_job_does_not_run)
{
	struct test_job fail = job_fail(-EILSEQ), fill;
	__u64 point;

	fill = job_fill(self->bo.id, 0, 4096, 1);
	fill.flags = ACCEL_JOB_CANCEL_ON_ERROR;
	job_wait(&fill, self->queue[0].timeline, 1);
	job_signal(&fill, self->timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[1].id, &fill, &point));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[2].id,
				    self->timeline, 1,
				    ACCEL_JOB_CANCEL_ON_ERROR));
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &fail, &point));
	EXPECT_POINT(-ECANCELED, self->fd, self->queue[1].timeline, 1);
	EXPECT_POINT(-ECANCELED, self->fd, self->timeline, 1);
	EXPECT_POINT(-ECANCELED, self->fd, self->queue[2].timeline, 1);
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(0, self->map[0]);
}

/* Who waits for a hang waits for its timeout. */
TEST_F(hold, wait_for_a_hang)
{
	struct accel_queue_create hanging;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, 150, &hanging));
	ASSERT_EQ(0, submit_hang(self->fd, hanging.id, &point));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    hanging.timeline, point, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[2].id,
				    hanging.timeline, point,
				    ACCEL_JOB_CANCEL_ON_ERROR));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	EXPECT_POINT(-ECANCELED, self->fd, self->queue[2].timeline, 1);
	EXPECT_EQ(-ETIME, point_status(self->fd, hanging.timeline, point));
}

TEST_F(hold, point_of_a_destroyed_queue)
{
	/* Waited for before its queue goes, and after. */
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[0].timeline, 9, 0));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[1].timeline, 1);
	ASSERT_EQ(0, destroy(self->fd, self->queue[0].id));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[0].timeline, 9, 0));
	ASSERT_EQ(0, submit_waiting(self->fd, self->queue[1].id,
				    self->queue[0].timeline, 9,
				    ACCEL_JOB_CANCEL_ON_ERROR));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 2);
	EXPECT_POINT(-ECANCELED, self->fd, self->queue[1].timeline, 3);
}

/* A held job has no place yet in the order of a buffer's jobs. */
TEST_F(hold, buffers_are_not_ordered_yet)
{
	struct test_job held, other;
	__u64 point;

	held = job_fill(self->bo.id, 0, 4096, 1);
	job_wait(&held, self->timeline, 1);
	other = job_fill(self->bo.id, 0, 4096, 2);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &held, &point));
	ASSERT_EQ(0, submit_one(self->fd, self->queue[1].id, &other, &point));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, 1);
	EXPECT_EQ(2, self->map[0]);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
	EXPECT_EQ(1, self->map[0]);
}

/* Once let go it has its place, behind those that came first. */
TEST_F(hold, buffers_are_ordered_when_let_go)
{
	struct test_job held, hang = job_hang();
	__u64 point;

	held = job_fill(self->bo.id, 0, 4096, 1);
	job_wait(&held, self->timeline, 1);
	job_bo(&hang, self->bo.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &held, &point));
	ASSERT_EQ(0, submit_one(self->fd, self->queue[1].id, &hang, &point));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, 1);
	ASSERT_EQ(0, hang_release(self->fd, self->queue[1].id));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, 1);
}

/* Held jobs fill a queue like any others. */
TEST_F(hold, queue_full_of_held_jobs)
{
	const __u32 max = self->dev.jobs_max;
	struct test_job job = job_nop();
	struct accel_submit sub;
	__u64 point;

	job_wait(&job, self->timeline, 1);
	ASSERT_EQ(0, submit_repeated(self->fd, self->queue[0].id, &job, max,
				     &sub));
	ASSERT_EQ(max, sub.accepted);
	EXPECT_EQ(-EAGAIN, submit_nop(self->fd, self->queue[0].id, &point));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, max);
	EXPECT_EQ(0, submit_nop(self->fd, self->queue[0].id, &point));
}

/* A held job costs its queue's timeout nothing: it does not run. */
TEST_F(hold, held_is_not_running)
{
	struct accel_queue_create queue, hanging;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, 1000, &queue));
	ASSERT_EQ(0, queue_create(self->fd, 1, 3000, &hanging));
	ASSERT_EQ(0, submit_waiting(self->fd, queue.id, self->timeline, 1, 0));
	/* Time passes: as much as this takes to run into its timeout. */
	ASSERT_EQ(0, submit_hang(self->fd, hanging.id, &point));
	EXPECT_POINT(-ETIME, self->fd, hanging.timeline, point);
	EXPECT_PENDING(self->fd, queue.timeline, 1);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_POINT(0, self->fd, queue.timeline, 1);
}

TEST_HARNESS_MAIN
