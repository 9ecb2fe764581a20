// SPDX-License-Identifier: GPL-2.0-only
/* Events as read() and poll() give them, from jobs that end when the test says so. */
#include "mock.h"

#include <linux/eventpoll.h>
#include <linux/uio.h>

#define EVENTS	4

static ssize_t event_read(struct mock *mock, struct accel_event *events,
			  size_t size)
{
	struct kvec vec = { .iov_base = events, .iov_len = size };
	struct iov_iter to;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, size);
	return accel_event_read(mock->file, &to, false);
}

static void event_expect(struct mock *mock, u32 type, u32 queue, int error,
			 u64 point, u64 count)
{
	struct accel_event event = {};

	KUNIT_ASSERT_EQ(mock->test, (ssize_t)sizeof(event),
			event_read(mock, &event, sizeof(event)));
	KUNIT_EXPECT_EQ(mock->test, (u32)sizeof(event), event.size);
	KUNIT_EXPECT_EQ(mock->test, type, event.type);
	KUNIT_EXPECT_EQ(mock->test, queue, event.queue);
	KUNIT_EXPECT_EQ(mock->test, error, event.error);
	KUNIT_EXPECT_EQ(mock->test, point, event.point);
	KUNIT_EXPECT_EQ(mock->test, count, event.count);
}

static void event_expect_none(struct mock *mock)
{
	struct accel_event event;

	KUNIT_EXPECT_EQ(mock->test, 0U,
			(__force unsigned int)accel_event_mask(mock->file));
	KUNIT_EXPECT_EQ(mock->test, (ssize_t)-EAGAIN,
			event_read(mock, &event, sizeof(event)));
}

static void event_fail(struct mock *mock, struct mock_queue queue, u32 engine,
		       int error)
{
	MOCK_SUBMIT(mock, queue);
	mock_finish(mock, engine, error);
}

static void accel_event_of_failures_only(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	event_fail(mock, queue, 0, 0);
	event_expect_none(mock);
	event_fail(mock, queue, 0, -EILSEQ);
	KUNIT_EXPECT_EQ(test, (__force unsigned int)(EPOLLIN | EPOLLRDNORM),
			(__force unsigned int)accel_event_mask(mock->file));
	event_expect(mock, ACCEL_EVENT_JOB_FAILED, queue.id, -EILSEQ, 2, 1);
	event_expect_none(mock);
}

/* The first failure is told, the others are counted, and the queues stay in order. */
static void accel_event_coalesces(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	struct accel_event events[EVENTS];

	event_fail(mock, b, 1, -EDOM);
	event_fail(mock, a, 0, -EILSEQ);
	event_fail(mock, b, 1, -ERANGE);
	KUNIT_ASSERT_EQ(test, (ssize_t)(2 * sizeof(events[0])),
			event_read(mock, events, sizeof(events)));
	KUNIT_EXPECT_EQ(test, b.id, events[0].queue);
	KUNIT_EXPECT_EQ(test, -EDOM, events[0].error);
	KUNIT_EXPECT_EQ(test, 1ULL, events[0].point);
	KUNIT_EXPECT_EQ(test, 2ULL, events[0].count);
	KUNIT_EXPECT_EQ(test, a.id, events[1].queue);
	event_expect_none(mock);
}

static void accel_event_sizes(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_event events[2];
	size_t size;

	event_fail(mock, queue, 0, -EDOM);
	for (size = 0; size < sizeof(events[0]); size++)
		KUNIT_EXPECT_EQ(test, (ssize_t)-EINVAL,
				event_read(mock, events, size));
	KUNIT_EXPECT_EQ(test, (ssize_t)sizeof(events[0]),
			event_read(mock, events, sizeof(events) - 1));
	event_expect_none(mock);
}

/* What could not be written is told later, with what has come since. */
static void accel_event_untold(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct iov_iter to;

	event_fail(mock, queue, 0, -EDOM);
	iov_iter_ubuf(&to, ITER_DEST, (void __user *)TASK_SIZE_MAX,
		      sizeof(struct accel_event));
	KUNIT_EXPECT_EQ(test, (ssize_t)-EFAULT,
			accel_event_read(mock->file, &to, false));
	event_fail(mock, queue, 0, -ERANGE);
	event_expect(mock, ACCEL_EVENT_JOB_FAILED, queue.id, -EDOM, 1, 2);
	event_expect_none(mock);
}

struct event_waiter {
	struct wait_queue_entry entry;
	u32 woken;
};

static int event_wake(struct wait_queue_entry *entry, unsigned int mode, int sync,
		      void *key)
{
	container_of(entry, struct event_waiter, entry)->woken++;
	return 0;
}

/* Another reader may have slept again when the one who took it put it back. */
static void accel_event_untold_wakes(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct event_waiter waiter = { };
	struct iov_iter to;

	init_waitqueue_func_entry(&waiter.entry, event_wake);
	add_wait_queue(&mock->file->event_wait, &waiter.entry);
	event_fail(mock, queue, 0, -EDOM);
	KUNIT_EXPECT_EQ(test, 1U, waiter.woken);
	iov_iter_ubuf(&to, ITER_DEST, (void __user *)TASK_SIZE_MAX,
		      sizeof(struct accel_event));
	KUNIT_EXPECT_EQ(test, (ssize_t)-EFAULT,
			accel_event_read(mock->file, &to, false));
	KUNIT_EXPECT_EQ(test, 2U, waiter.woken);
	remove_wait_queue(&mock->file->event_wait, &waiter.entry);
}

static void accel_event_destroyed_queue(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	event_fail(mock, queue, 0, -EDOM);
	/* Cancelled by what comes next: no news either. */
	MOCK_SUBMIT(mock, queue);
	mock_destroy(mock, queue.id);
	event_expect_none(mock);
}

/* The queue is lost before its jobs are, and the last of all is that. */
static void accel_event_lost_and_gone(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue lost = mock_queue(mock, 0, 1);
	struct mock_queue other = mock_queue(mock, 1, 0);
	u32 go = mock_timeline(mock, 0);
	struct accel_event event;

	/* Held until both are there: the first is late at once when it runs. */
	MOCK_SUBMIT(mock, lost, .wait_count = 1, .waits = { { go, 0, 1 } });
	MOCK_SUBMIT(mock, lost);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, go, 1));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, lost.timeline, 2, S64_MAX));
	/* Its worker is done when the engine is free again. */
	flush_delayed_work(&mock->dev->engines[0].timeout_work);
	event_expect(mock, ACCEL_EVENT_QUEUE_LOST, lost.id, -EIO, 0, 1);
	event_expect(mock, ACCEL_EVENT_JOB_FAILED, lost.id, -ETIME, 1, 2);
	event_expect_none(mock);

	MOCK_SUBMIT(mock, other);
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test,
			(__force unsigned int)(EPOLLIN | EPOLLRDNORM | EPOLLHUP),
			(__force unsigned int)accel_event_mask(mock->file));
	event_expect(mock, ACCEL_EVENT_JOB_FAILED, other.id, -ENODEV, 1, 1);
	event_expect(mock, ACCEL_EVENT_GONE, 0, -ENODEV, 0, 1);
	KUNIT_EXPECT_EQ(test, (ssize_t)-ENODEV,
			event_read(mock, &event, sizeof(event)));
}

static struct kunit_case accel_event_cases[] = {
	KUNIT_CASE(accel_event_of_failures_only),
	KUNIT_CASE(accel_event_coalesces),
	KUNIT_CASE(accel_event_sizes),
	KUNIT_CASE(accel_event_untold),
	KUNIT_CASE(accel_event_untold_wakes),
	KUNIT_CASE(accel_event_destroyed_queue),
	KUNIT_CASE(accel_event_lost_and_gone),
	{}
};

struct kunit_suite accel_event_suite = {
	.name = "accel_event",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_event_cases,
};
