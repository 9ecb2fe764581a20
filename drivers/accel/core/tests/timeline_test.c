// SPDX-License-Identifier: GPL-2.0-only
/* Points: promised, backed, reached, failed; and the jobs that wait for them. */
#include "mock.h"

static void accel_timeline_signal_in_order(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 10);

	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 10, 0));
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, timeline, 11, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(mock, timeline, 10));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 15));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 11, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(mock, timeline, 14));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, U64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, U64_MAX, 0));
}

static void accel_timeline_of_queue(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job job = {
		.op = MOCK_INSTANT,
		.signal_count = 1,
		.signals = { { queue.timeline, 0, 5 } },
	};

	KUNIT_EXPECT_EQ(test, -EPERM, mock_signal(mock, queue.timeline, 1));
	KUNIT_EXPECT_EQ(test, -EPERM, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, queue.timeline));
}

/* A point is reached when all that were promised before are. */
static void accel_timeline_promises(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 timeline = mock_timeline(mock, 0);

	MOCK_SUBMIT(mock, a, .tag = 1, .signal_count = 1,
		    .signals = { { timeline, 0, 5 } });
	MOCK_SUBMIT(mock, b, .tag = 2, .signal_count = 1,
		    .signals = { { timeline, 0, 8 } });
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(mock, timeline, 8));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 10));

	mock_finish(mock, 1, -EDOM);
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, timeline));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 10ULL, mock_completed(mock, timeline));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, timeline, 5));
	KUNIT_EXPECT_EQ(test, -EDOM, mock_status(mock, timeline, 6));
	KUNIT_EXPECT_EQ(test, -EDOM, mock_status(mock, timeline, 8));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, timeline, 9));
}

/* The second promise is bad: the first is taken back. */
static void accel_timeline_promise_all_or_none(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 good = mock_timeline(mock, 0), bad = mock_timeline(mock, 7);
	struct mock_job job = {
		.op = MOCK_INSTANT,
		.signal_count = 2,
		.signals = { { good, 0, 3 }, { bad, 0, 7 } },
	};

	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, good, 1));
	KUNIT_EXPECT_EQ(test, 1ULL, mock_completed(mock, good));
	job.signals[1].value = 8;
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 3ULL, mock_completed(mock, good));
	KUNIT_EXPECT_EQ(test, 8ULL, mock_completed(mock, bad));
}

/* The same, behind promises that stand. */
static void accel_timeline_promise_behind_another(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue first = mock_queue(mock, 0, 0);
	struct mock_queue second = mock_queue(mock, 1, 0);
	u32 good = mock_timeline(mock, 0), bad = mock_timeline(mock, 7);
	struct mock_job job = {
		.op = MOCK_INSTANT,
		.signal_count = 2,
		.signals = { { good, 0, 6 }, { bad, 0, 7 } },
	};

	MOCK_SUBMIT(mock, first, .signal_count = 1, .signals = { { good, 0, 3 } });
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, good, 4));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, second.id, &job));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(mock, good, 4));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, good, 5));
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, good));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 5ULL, mock_completed(mock, good));
}

static void accel_timeline_failures_are_kept(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 i, count = ACCEL_TIMELINE_FAILURES + 1;

	for (i = 0; i < count; i++)
		MOCK_SUBMIT(mock, queue, .op = MOCK_REFUSE);
	KUNIT_EXPECT_EQ(test, -ENODATA, mock_status(mock, queue.timeline, 1));
	for (i = 2; i <= count; i++)
		KUNIT_EXPECT_EQ(test, -EIO,
				mock_status(mock, queue.timeline, i));
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, queue.timeline, count + 1));
}

static void accel_timeline_wait_before_signal(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 timeline = mock_timeline(mock, 0);

	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = 1, .wait_count = 1,
		    .waits = { { timeline, 0, 2 } });
	/* Nothing is in its way, but it comes behind. */
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = 2);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	KUNIT_EXPECT_EQ(test, 0, mock->dev->log_count);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 2));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 2, S64_MAX));
	MOCK_EXPECT_LOG(mock, 1, 2);
}

/* Held by a held job by a held job; the last is let go, and so all are. */
static void accel_timeline_hold_chain(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	struct mock_queue c = mock_queue(mock, 0, 0);
	u32 timeline = mock_timeline(mock, 0);

	MOCK_SUBMIT(mock, a, .op = MOCK_INSTANT, .tag = 1, .wait_count = 1,
		    .waits = { { timeline, 0, 2 } });
	MOCK_SUBMIT(mock, b, .op = MOCK_INSTANT, .tag = 2, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } }, .signal_count = 1,
		    .signals = { { timeline, 0, 2 } });
	KUNIT_EXPECT_EQ(test, 0, mock->dev->log_count);
	/* 1 can only come from a job now: 2 is promised, but not backed. */
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(mock, timeline, 1));
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, timeline, 1, 0));

	/* Nobody can reach it any more: ended with their queues, not hanging. */
	MOCK_SUBMIT(mock, c, .op = MOCK_INSTANT, .tag = 3, .wait_count = 1,
		    .waits = { { a.timeline, 0, 1 } });
	mock_destroy(mock, b.id);
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_wait(mock, timeline, 2, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, c.timeline, 1, S64_MAX));
	MOCK_EXPECT_LOG(mock, 1, 3);
}

/* Backed by a running job: not held, but not started either. */
static void accel_timeline_backed_is_not_held(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);

	MOCK_SUBMIT(mock, a, .tag = 1);
	MOCK_SUBMIT(mock, b, .op = MOCK_INSTANT, .tag = 2, .wait_count = 1,
		    .waits = { { a.timeline, 0, 1 } });
	MOCK_EXPECT_LOG(mock, 1);
	mock_finish(mock, 0, 0);
	/* Straight from accel_job_done(), without a worker. */
	MOCK_EXPECT_LOG(mock, 1, 2);
	KUNIT_EXPECT_EQ(test, 1ULL, mock_completed(mock, b.timeline));
}

static void accel_timeline_cancel_on_error(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	struct mock_queue c = mock_queue(mock, 1, 0);

	MOCK_SUBMIT(mock, a, .tag = 1);
	MOCK_SUBMIT(mock, b, .op = MOCK_INSTANT, .tag = 2, .wait_count = 1,
		    .waits = { { a.timeline, 0, 1 } },
		    .flags = ACCEL_JOB_CANCEL_ON_ERROR);
	MOCK_SUBMIT(mock, c, .op = MOCK_INSTANT, .tag = 3, .wait_count = 1,
		    .waits = { { a.timeline, 0, 1 } });
	mock_finish(mock, 0, -EDOM);
	MOCK_EXPECT_LOG(mock, 1, 3);
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_status(mock, b.timeline, 1));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, c.timeline, 1));

	/* The same for a point that had failed before. */
	MOCK_SUBMIT(mock, b, .op = MOCK_INSTANT, .tag = 4, .wait_count = 1,
		    .waits = { { a.timeline, 0, 1 } },
		    .flags = ACCEL_JOB_CANCEL_ON_ERROR);
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_status(mock, b.timeline, 2));
}

/* What nobody can promise any more is not waited for. */
static void accel_timeline_destroyed(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 timeline = mock_timeline(mock, 0);

	MOCK_SUBMIT(mock, a, .tag = 1, .signal_count = 1,
		    .signals = { { timeline, 0, 1 } });
	MOCK_SUBMIT(mock, b, .op = MOCK_INSTANT, .tag = 2, .wait_count = 2,
		    .waits = { { timeline, 0, 1 }, { timeline, 0, 2 } },
		    .flags = ACCEL_JOB_CANCEL_ON_ERROR);
	mock_destroy(mock, timeline);
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, b.timeline, 1, 0));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, b.timeline, 1, S64_MAX));
	MOCK_EXPECT_LOG(mock, 1);
}

/* The same where what was promised may never be reached, by a job that is held. */
static void accel_timeline_destroyed_while_held(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	struct mock_queue c = mock_queue(mock, 1, 0);
	u32 never = mock_timeline(mock, 0), timeline = mock_timeline(mock, 0);
	u32 bo = mock_bo(mock);
	struct accel_bo_sync sync = {
		.size = sizeof(sync),
		.id = bo,
		.flags = ACCEL_SYNC_WRITE,
	};

	MOCK_SUBMIT(mock, a, .op = MOCK_INSTANT, .tag = 1, .wait_count = 1,
		    .waits = { { never, 0, 1 } }, .signal_count = 1,
		    .signals = { { timeline, 0, 5 } });
	MOCK_SUBMIT(mock, b, .op = MOCK_INSTANT, .tag = 2, .wait_count = 1,
		    .waits = { { timeline, 0, 5 } }, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, c, .op = MOCK_INSTANT, .tag = 3, .wait_count = 1,
		    .waits = { { timeline, 0, 9 } });
	mock_destroy(mock, timeline);
	/* Above what is promised: woken, though 5 below it is not reached. */
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, c.timeline, 1, S64_MAX));
	MOCK_EXPECT_LOG(mock, 3);
	/* Still held: nothing to wait for in its buffer. */
	KUNIT_EXPECT_EQ(test, 0L,
			mock_ioctl(mock, ACCEL_IOCTL_BO_SYNC, &sync,
				   sizeof(sync)));
	mock_destroy(mock, never);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, b.timeline, 1, S64_MAX));
	MOCK_EXPECT_LOG(mock, 3, 1, 2);
}

static void accel_timeline_too_many_promises(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue slow = mock_queue(mock, 0, 0);
	struct mock_queue fast = mock_queue(mock, 1, 0);
	u32 timeline = mock_timeline(mock, 0);
	struct mock_job job = {
		.op = MOCK_INSTANT,
		.signal_count = 1,
		.signals = { { timeline, 0, 1 } },
	};
	u64 i;

	MOCK_SUBMIT(mock, slow, .tag = 1, .signal_count = 1,
		    .signals = { { timeline, 0, 1 } });
	for (i = 2; i <= ACCEL_PENDING_MAX; i++) {
		job.signals[0].value = i;
		KUNIT_ASSERT_EQ(test, 0L, mock_submit(mock, fast.id, &job));
	}
	job.signals[0].value = i;
	KUNIT_EXPECT_EQ(test, -EAGAIN, mock_submit(mock, fast.id, &job));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, i - 1, mock_completed(mock, timeline));
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, fast.id, &job));
}

/*
 * More waiters than are told at a time, of both kinds: they are all told in the end,
 * and each of them once.
 */
static void accel_timeline_many_waiters(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 0);
	struct mock_queue queues[4];
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_SIZE(queues); i++)
		queues[i] = mock_queue(mock, i % 2, 0);
	for (i = 0; i < 300; i++)
		MOCK_SUBMIT(mock, queues[i % 4], .op = MOCK_INSTANT,
			    .wait_count = 1, .waits = { { timeline, 0, 1 } });
	KUNIT_EXPECT_EQ(test, 0, mock->dev->log_count);
	KUNIT_ASSERT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queues[i].timeline,
						   75, S64_MAX));
		count += mock_completed(mock, queues[i].timeline);
	}
	KUNIT_EXPECT_EQ(test, 300, count);
	KUNIT_EXPECT_EQ(test, 300, mock->dev->log_count);
}

/* A chain from engine to engine, longer than anybody follows in one go. */
static void accel_timeline_long_chain(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 0);
	struct mock_queue queues[2];
	unsigned int i;

	queues[0] = mock_queue(mock, 0, 0);
	queues[1] = mock_queue(mock, 1, 0);
	MOCK_SUBMIT(mock, queues[0], .signal_count = 1,
		    .signals = { { timeline, 0, 1 } });
	for (i = 1; i < 400; i++)
		MOCK_SUBMIT(mock, queues[i % 2], .op = MOCK_INSTANT,
			    .wait_count = 1, .waits = { { timeline, 0, i } },
			    .signal_count = 1,
			    .signals = { { timeline, 0, i + 1 } });
	KUNIT_EXPECT_EQ(test, 1, mock->dev->log_count);
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 400, S64_MAX));
	KUNIT_EXPECT_EQ(test, 400, mock->dev->log_count);
}

static struct kunit_case accel_timeline_cases[] = {
	KUNIT_CASE(accel_timeline_signal_in_order),
	KUNIT_CASE(accel_timeline_of_queue),
	KUNIT_CASE(accel_timeline_promises),
	KUNIT_CASE(accel_timeline_promise_all_or_none),
	KUNIT_CASE(accel_timeline_promise_behind_another),
	KUNIT_CASE(accel_timeline_failures_are_kept),
	KUNIT_CASE(accel_timeline_wait_before_signal),
	KUNIT_CASE(accel_timeline_hold_chain),
	KUNIT_CASE(accel_timeline_backed_is_not_held),
	KUNIT_CASE(accel_timeline_cancel_on_error),
	KUNIT_CASE(accel_timeline_destroyed),
	KUNIT_CASE(accel_timeline_destroyed_while_held),
	KUNIT_CASE(accel_timeline_many_waiters),
	KUNIT_CASE(accel_timeline_long_chain),
	KUNIT_CASE_SLOW(accel_timeline_too_many_promises),
	{}
};

struct kunit_suite accel_timeline_suite = {
	.name = "accel_timeline",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_timeline_cases,
};
