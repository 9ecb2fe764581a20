// SPDX-License-Identifier: GPL-2.0-only
/* Who runs next, how many at a time, and what becomes of who does not end. */
#include "mock.h"

#include <linux/workqueue.h>

static void accel_sched_depth(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 tag;

	for (tag = 1; tag <= 4; tag++)
		MOCK_SUBMIT(mock, queue, .tag = tag);
	KUNIT_EXPECT_EQ(test, MOCK_DEPTH, mock_running(mock, 0));
	MOCK_EXPECT_LOG(mock, 1, 2);

	/* Each that ends makes room for the next, from accel_job_done(). */
	mock_finish(mock, 0, 0);
	MOCK_EXPECT_LOG(mock, 1, 2, 3);
	mock_finish(mock, 0, 0);
	MOCK_EXPECT_LOG(mock, 1, 2, 3, 4);
	mock_finish(mock, 0, 0);
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 4ULL, mock_completed(mock, queue.timeline));
}

/* A client with many jobs does not keep out one with few. */
static void accel_sched_queues_take_turns(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 0, 0);
	u32 i;

	for (i = 0; i < 6; i++)
		MOCK_SUBMIT(mock, a, .tag = 10 + i);
	MOCK_SUBMIT(mock, b, .tag = 20);
	MOCK_SUBMIT(mock, b, .tag = 21);
	for (i = 0; i < 8; i++)
		mock_finish(mock, 0, 0);
	MOCK_EXPECT_LOG(mock, 10, 11, 12, 20, 13, 21, 14, 15);
}

/* Ended inside job_run: neither recursion nor a second dispatcher. */
static void accel_sched_instant(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 i;

	MOCK_SUBMIT(mock, queue, .tag = 0);
	MOCK_SUBMIT(mock, queue, .tag = 1);
	for (i = 2; i < 102; i++)
		MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = i);
	mock_finish(mock, 0, 0);

	/* What is more than a dispatcher's budget comes from a worker. */
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 1, 0));
	mock_finish(mock, 0, 0);
	/* A look at the clock, in a minute, would start it as well. */
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 102,
					   ktime_get_ns() + 20ULL * NSEC_PER_SEC));
	KUNIT_EXPECT_EQ(test, 102, mock->dev->log_count);
	for (i = 0; i < 102; i++)
		KUNIT_EXPECT_EQ(test, i, mock->dev->log[i]);
}

/* Whoever ends one job does not come to start all that follow from it. */
static void accel_sched_budget_is_for_all(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue first = mock_queue(mock, 1, 0), queues[8];
	u32 start = mock_timeline(mock, 0), i, j;

	MOCK_SUBMIT(mock, first, .signal_count = 1,
		    .signals = { { start, 0, 1 } });
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		queues[i] = mock_queue(mock, 0, 0);
		MOCK_SUBMIT(mock, queues[i], .op = MOCK_INSTANT, .wait_count = 1,
			    .waits = { { start, 0, 1 } });
		for (j = 1; j < 32; j++)
			MOCK_SUBMIT(mock, queues[i], .op = MOCK_INSTANT);
	}
	mock->dev->watched = current;
	mock_finish(mock, 1, 0);
	KUNIT_EXPECT_LE(test, mock->dev->watched_count, 64U);
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queues[i].timeline, 32,
						   S64_MAX));
	KUNIT_EXPECT_EQ(test, 1 + 8 * 32, mock->dev->log_count);
}

static void accel_sched_job_fails_alone(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	MOCK_SUBMIT(mock, queue, .tag = 1);
	MOCK_SUBMIT(mock, queue, .op = MOCK_REFUSE, .tag = 2);
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = 3);
	mock_finish(mock, 0, -EDOM);
	KUNIT_EXPECT_EQ(test, -EDOM, mock_status(mock, queue.timeline, 1));
	KUNIT_EXPECT_EQ(test, -EIO, mock_status(mock, queue.timeline, 2));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, queue.timeline, 3));
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = 4);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, queue.timeline, 4));
}

static void accel_sched_bad_job(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job bad = { .op = MOCK_BAD };

	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, queue.id, &bad));
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING,
			mock_status(mock, queue.timeline, 1));
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = 1);
	KUNIT_EXPECT_EQ(test, 1ULL, mock_completed(mock, queue.timeline));
}

/* job_run of this engine may sleep: it is called from a worker. */
static void accel_sched_sleeping_engine(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, MOCK_SLEEPING_ENGINE, 0);
	u32 i;

	for (i = 1; i <= 5; i++)
		MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = i);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 5, S64_MAX));
	MOCK_EXPECT_LOG(mock, 1, 2, 3, 4, 5);
}

static void accel_sched_destroy_aborts(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue gone = mock_queue(mock, 0, 0);
	struct mock_queue stays = mock_queue(mock, 0, 0);
	u32 i;

	MOCK_SUBMIT(mock, gone, .tag = 1);
	MOCK_SUBMIT(mock, stays, .tag = 2);
	MOCK_SUBMIT(mock, gone, .tag = 3);
	MOCK_SUBMIT(mock, stays, .tag = 4);
	mock_destroy(mock, gone.id);

	KUNIT_EXPECT_EQ(test, 1, mock->dev->aborted);
	for (i = 1; i <= 2; i++)
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				mock_status(mock, gone.timeline, i));
	/* Never promised, and never will be. */
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, gone.timeline, 99, S64_MAX));
	MOCK_EXPECT_LOG(mock, 1, 2, 4);
	mock_finish(mock, 0, 0);
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 2ULL, mock_completed(mock, stays.timeline));
}

static void accel_sched_unregister_aborts(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 i;

	for (i = 1; i <= 4; i++)
		MOCK_SUBMIT(mock, queue, .tag = i);
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, MOCK_DEPTH, mock->dev->aborted);
	for (i = 1; i <= 4; i++)
		KUNIT_EXPECT_EQ(test, -ENODEV,
				mock_wait(mock, queue.timeline, i, S64_MAX));
	MOCK_EXPECT_LOG(mock, 1, 2);
}

/* Queue after queue is shut, lost and idle ones among them: no job is forgotten. */
static void accel_sched_unregister_ends_all_queues(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queues[8];
	u32 never = mock_timeline(mock, 0);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(queues); i++)
		queues[i] = mock_queue(mock, 0, i == 0 ? 1 : 0);
	MOCK_SUBMIT(mock, queues[0], .tag = 1);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, queues[0].timeline, 1, S64_MAX));
	for (i = 2; i < ARRAY_SIZE(queues); i++) {
		MOCK_SUBMIT(mock, queues[i], .tag = i);
		MOCK_SUBMIT(mock, queues[i], .tag = 10 + i);
		MOCK_SUBMIT(mock, queues[i], .tag = 20 + i, .wait_count = 1,
			    .waits = { { never, 0, 1 } });
	}
	mock_unregister(mock);

	MOCK_EXPECT_LOG(mock, 1, 2, 12);
	for (i = 2; i < ARRAY_SIZE(queues); i++) {
		KUNIT_ASSERT_EQ(test, -ENODEV,
				mock_status(mock, queues[i].timeline, 1));
		KUNIT_ASSERT_EQ(test, -ENODEV,
				mock_status(mock, queues[i].timeline, 2));
		/* A worker ends those that are held. */
		mock_until(mock, mock_status(mock, queues[i].timeline, 3) ==
				 -ENODEV);
	}
	/* Each has left the list that it was on. */
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		mock_destroy(mock, queues[i].id);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_QUEUES));
	KUNIT_EXPECT_TRUE(test, list_empty(&mock->dev->engines[0].queues));
}

/* What ends on one engine sets nothing free on another that is yet to be stopped. */
static void accel_sched_unregister_starts_nothing(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue first = mock_queue(mock, 0, 0);
	struct mock_queue second = mock_queue(mock, 1, 0);

	MOCK_SUBMIT(mock, first, .tag = 1);
	MOCK_SUBMIT(mock, second, .op = MOCK_INSTANT, .tag = 2, .wait_count = 1,
		    .waits = { { first.timeline, 0, 1 } });
	mock_unregister(mock);
	MOCK_EXPECT_LOG(mock, 1);
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_status(mock, first.timeline, 1));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_status(mock, second.timeline, 1));
}

/* The timeout is real; that something else would be waited for is not. */
static void accel_sched_timeout(struct kunit *test)
{
	struct mock *mock = test->priv;
	/* Longer than it takes to submit, on the slowest of machines. */
	struct mock_queue hung = mock_queue(mock, 0, 1000);
	struct mock_queue innocent = mock_queue(mock, 0, 0);
	struct mock_job job = { .op = MOCK_INSTANT };

	MOCK_SUBMIT(mock, hung, .tag = 1);
	MOCK_SUBMIT(mock, innocent, .tag = 2);
	MOCK_SUBMIT(mock, hung, .tag = 3);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, hung.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, hung.timeline, 2, S64_MAX));
	KUNIT_EXPECT_EQ(test, -EIO, mock_submit(mock, hung.id, &job));

	KUNIT_EXPECT_EQ(test, 1, mock_running(mock, 0));
	mock_finish(mock, 0, 0);
	MOCK_SUBMIT(mock, innocent, .op = MOCK_INSTANT, .tag = 4);
	KUNIT_EXPECT_EQ(test, 2ULL, mock_completed(mock, innocent.timeline));
	MOCK_EXPECT_LOG(mock, 1, 2, 4);
}

/* The clock of a job starts when the hardware comes to it. */
static void accel_sched_timeout_of_oldest(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue first = mock_queue(mock, 0, 0);
	struct mock_queue second = mock_queue(mock, 0, 1);

	MOCK_SUBMIT(mock, first, .tag = 1);
	MOCK_SUBMIT(mock, second, .tag = 2);
	MOCK_EXPECT_LOG(mock, 1, 2);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, second.timeline, 1,
				  ktime_get_ns() + 50 * NSEC_PER_MSEC));
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING,
			mock_status(mock, second.timeline, 1));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, second.timeline, 1, S64_MAX));
}

/* An engine that ends jobs out of order does not show: points are in order. */
static void accel_sched_out_of_order(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	MOCK_SUBMIT(mock, queue, .tag = 1);
	MOCK_SUBMIT(mock, queue, .tag = 2);
	mock_finish_tag(mock, 2, -EDOM);
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, queue.timeline));
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, queue.timeline, 2, 0));
	mock_finish_tag(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, 2ULL, mock_completed(mock, queue.timeline));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, queue.timeline, 1));
	KUNIT_EXPECT_EQ(test, -EDOM, mock_status(mock, queue.timeline, 2));
}

static void accel_sched_queue_is_full(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job job = { .op = MOCK_INSTANT };
	u32 i;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	MOCK_SUBMIT(mock, queue, .tag = 2);
	for (i = 2; i < ACCEL_JOBS_MAX; i++)
		KUNIT_ASSERT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, -EAGAIN, mock_submit(mock, queue.id, &job));
	mock_finish_tag(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 1, 0));
	mock_finish_tag(mock, 2, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, ACCEL_JOBS_MAX,
					   S64_MAX));
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
}

/* Jobs that have ended, but whose points wait for those before them, stay. */
static void accel_sched_queue_is_full_of_ended(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue failing = mock_queue(mock, 1, 0);
	struct mock_job job = {
		.op = MOCK_INSTANT,
		.flags = ACCEL_JOB_CANCEL_ON_ERROR,
		.wait_count = 1,
		.waits = { { failing.timeline, 0, 1 } },
	};
	u32 i;

	MOCK_SUBMIT(mock, failing, .op = MOCK_REFUSE, .tag = 1);
	MOCK_SUBMIT(mock, queue, .tag = 2);
	for (i = 1; i < ACCEL_JOBS_MAX; i++)
		KUNIT_ASSERT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	/* The engine has room: they were cancelled in their turn. */
	KUNIT_EXPECT_EQ(test, -EAGAIN, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, queue.timeline));
	KUNIT_EXPECT_EQ(test, (long)ACCEL_JOBS_MAX, mock_count(ACCEL_CENSUS_FENCES));

	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, (u64)ACCEL_JOBS_MAX,
			mock_completed(mock, queue.timeline));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_FENCES));
	for (i = 0; i < ACCEL_JOBS_MAX; i++)
		KUNIT_ASSERT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	MOCK_EXPECT_LOG(mock, 1, 2);
}

static struct kunit_case accel_sched_cases[] = {
	KUNIT_CASE(accel_sched_depth),
	KUNIT_CASE(accel_sched_queues_take_turns),
	KUNIT_CASE(accel_sched_instant),
	KUNIT_CASE(accel_sched_budget_is_for_all),
	KUNIT_CASE(accel_sched_job_fails_alone),
	KUNIT_CASE(accel_sched_bad_job),
	KUNIT_CASE(accel_sched_sleeping_engine),
	KUNIT_CASE(accel_sched_destroy_aborts),
	KUNIT_CASE(accel_sched_unregister_aborts),
	KUNIT_CASE(accel_sched_unregister_ends_all_queues),
	KUNIT_CASE(accel_sched_unregister_starts_nothing),
	KUNIT_CASE(accel_sched_timeout),
	KUNIT_CASE(accel_sched_timeout_of_oldest),
	KUNIT_CASE(accel_sched_out_of_order),
	KUNIT_CASE_SLOW(accel_sched_queue_is_full),
	KUNIT_CASE_SLOW(accel_sched_queue_is_full_of_ended),
	{}
};

struct kunit_suite accel_sched_suite = {
	.name = "accel_sched",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_sched_cases,
};
