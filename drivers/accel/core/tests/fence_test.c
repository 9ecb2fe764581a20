// SPDX-License-Identifier: GPL-2.0-only
/* Buffers put jobs in order, through the fences in their reservation objects. */
#include "mock.h"

#include <linux/jiffies.h>

static long accel_fence_sync(struct mock *mock, u32 bo, u32 flags)
{
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = bo,
		.flags = flags,
	};

	return mock_ioctl(mock, ACCEL_IOCTL_BO_SYNC, &args, sizeof(args));
}

static void accel_fence_reader_after_writer(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, b, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_READ } });
	MOCK_EXPECT_LOG(mock, 1);
	/* Failure is an end like any other. */
	mock_finish(mock, 0, -EDOM);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, b.timeline, 1));
}

static void accel_fence_writer_after_readers(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 0, 0);
	struct mock_queue w = mock_queue(mock, 1, 0);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_READ } });
	MOCK_SUBMIT(mock, b, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_READ } });
	MOCK_SUBMIT(mock, w, .tag = 3, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	/* Readers do not wait for each other. */
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish_tag(mock, 2, 0);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish_tag(mock, 1, 0);
	MOCK_EXPECT_LOG(mock, 1, 2, 3);
	mock_finish(mock, 1, 0);
}

static void accel_fence_cpu_access(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 read = mock_bo(mock), written = mock_bo(mock);

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 2,
		    .bos = { { read, ACCEL_BO_READ },
			     { written, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fence_sync(mock, read, ACCEL_SYNC_READ));
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_fence_sync(mock, read, ACCEL_SYNC_WRITE));
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_fence_sync(mock, written, ACCEL_SYNC_READ));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fence_sync(mock, read, ACCEL_SYNC_WRITE));
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fence_sync(mock, written, ACCEL_SYNC_READ));
}

/* A job that is held leaves nothing in its buffers, for nobody may wait for it. */
static void accel_fence_none_while_held(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue held = mock_queue(mock, 0, 0);
	struct mock_queue other = mock_queue(mock, 1, 0);
	unsigned long give_up = jiffies + 30 * HZ;
	u32 timeline = mock_timeline(mock, 0);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, held, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } }, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } });
	KUNIT_EXPECT_EQ(test, 0L, accel_fence_sync(mock, bo, ACCEL_SYNC_WRITE));
	MOCK_SUBMIT(mock, other, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	MOCK_EXPECT_LOG(mock, 2);

	/* Once it is let go, it waits for who came before. */
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, held.timeline, 1, 0));
	mock_finish(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, held.timeline, 1,
				  ktime_get_ns() + NSEC_PER_MSEC));
	/* A worker lets it go; mock_finish() fails the test if none does. */
	while (!mock_running(mock, 0) && time_before(jiffies, give_up))
		cond_resched();
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, held.timeline, 1));
}

/* Two jobs name the same buffers in opposite order. */
static void accel_fence_opposite_orders(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 x = mock_bo(mock), y = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .tag = 1, .bo_count = 2,
		    .bos = { { x, ACCEL_BO_WRITE }, { y, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, b, .tag = 2, .bo_count = 2,
		    .bos = { { y, ACCEL_BO_WRITE }, { x, ACCEL_BO_WRITE } });
	MOCK_EXPECT_LOG(mock, 1);
	mock_finish(mock, 0, 0);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 1, 0);
}

static struct kunit_case accel_fence_cases[] = {
	KUNIT_CASE(accel_fence_reader_after_writer),
	KUNIT_CASE(accel_fence_writer_after_readers),
	KUNIT_CASE(accel_fence_cpu_access),
	KUNIT_CASE(accel_fence_none_while_held),
	KUNIT_CASE(accel_fence_opposite_orders),
	{}
};

struct kunit_suite accel_fence_suite = {
	.name = "accel_fence",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_fence_cases,
};
