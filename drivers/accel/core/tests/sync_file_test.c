// SPDX-License-Identifier: GPL-2.0-only
/* Fences in and out: sync_files that jobs wait for, points that become fences. */
#include "mock.h"

#include <linux/dma-fence-array.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/sync_file.h>

#define SYNC_FILE(fd)                        \
	{                                    \
		fd, ACCEL_POINT_SYNC_FILE, 0 \
	}

/* A job that waits for a fence runs when that has signalled. */
static void accel_sync_file_wait(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);

	MOCK_SUBMIT(mock, queue, .tag = 1, .wait_count = 1,
		    .waits = { SYNC_FILE(fd) });
	/* The job has its own reference. */
	mock_close(mock, fd);
	MOCK_SUBMIT(mock, queue, .tag = 2);
	KUNIT_EXPECT_EQ(test, 0U, mock_running(mock, 0));

	mock_foreign_signal(fence, -EDOM);
	mock_until(mock, mock_running(mock, 0) == 2);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 0, 0);
	mock_finish(mock, 0, 0);
	/* Its error was nobody's who did not ask. */
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, queue.timeline, 1));
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, 1U, kref_read(&fence->base.refcount));
	dma_fence_put(&fence->base);
}

static struct task_struct *accel_sync_file_runner;

static void accel_sync_file_look(struct mock *mock, struct accel_job *job)
{
	accel_sync_file_runner = current;
}

/* Whoever signals has a lock of his own: another thread has to start the job. */
static void accel_sync_file_not_under_its_lock(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);

	accel_sync_file_runner = current;
	mock->dev->on_run = accel_sync_file_look;
	MOCK_SUBMIT(mock, queue, .op = MOCK_HOOK, .wait_count = 1,
		    .waits = { SYNC_FILE(fd) });
	mock_foreign_signal(fence, 0);
	mock_until(mock, mock_running(mock, 0));
	KUNIT_EXPECT_PTR_NE(test, current, accel_sync_file_runner);
	mock_finish(mock, 0, 0);
	mock_close(mock, fd);
	dma_fence_put(&fence->base);
}

/* One that failed cancels who asks for that, before and after it is waited for. */
static void accel_sync_file_wait_cancels(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);
	u64 point;

	for (point = 1; point <= 2; point++) {
		MOCK_SUBMIT(mock, queue, .tag = 1, .wait_count = 1,
			    .flags = ACCEL_JOB_CANCEL_ON_ERROR,
			    .waits = { SYNC_FILE(fd) });
		if (point == 1)
			mock_foreign_signal(fence, -EDOM);
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				mock_wait(mock, queue.timeline, point, S64_MAX));
	}
	KUNIT_EXPECT_EQ(test, 0U, mock->dev->log_count);
	mock_close(mock, fd);
	dma_fence_put(&fence->base);
}

/* What was merged may have failed before anybody asked for the whole. */
static void accel_sync_file_error_of_a_part(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *parts[] = { mock_foreign(mock), mock_foreign(mock) };
	struct dma_fence *whole;
	int fd, i;

	whole = dma_fence_unwrap_merge(&parts[0]->base, &parts[1]->base);
	KUNIT_ASSERT_NOT_NULL(test, whole);
	KUNIT_ASSERT_TRUE(test, dma_fence_is_array(whole));
	fd = mock_sync_file(mock, whole);
	mock_foreign_signal(parts[0], 0);
	mock_foreign_signal(parts[1], -EDOM);
	/* An array that finds this out when it is asked takes no error from them. */
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(whole));

	MOCK_SUBMIT(mock, queue, .tag = 1, .wait_count = 1,
		    .flags = ACCEL_JOB_CANCEL_ON_ERROR,
		    .waits = { SYNC_FILE(fd) });
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, queue.timeline, 1, S64_MAX));
	mock_close(mock, fd);
	dma_fence_put(whole);
	for (i = 0; i < 2; i++)
		dma_fence_put(&parts[i]->base);
}

static void accel_sync_file_wait_refuses(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);
	u32 own = mock_timeline(mock, 0);
	struct mock_job good = {
		.op = MOCK_INSTANT,
		.wait_count = 2,
		.waits = { SYNC_FILE(fd), SYNC_FILE(fd) },
	};
	struct mock_job job = good;
	int other = -1;

	KUNIT_ASSERT_EQ(test, 0L,
			mock_give(mock, ACCEL_FD_TIMELINE, own, 0, 0, &other));
	job.waits[1].timeline = -1;
	KUNIT_EXPECT_EQ(test, -EBADF, mock_submit(mock, queue.id, &job));
	job.waits[1].timeline = other;
	KUNIT_EXPECT_EQ(test, -EBADF, mock_submit(mock, queue.id, &job));
	job = good;
	job.waits[1].value = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, queue.id, &job));
	job = good;
	job.waits[1].flags |= 2;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mock_submit(mock, queue.id, &job));
	job = good;
	job.wait_count = 0;
	job.signal_count = 1;
	job.signals[0] = (struct accel_point)SYNC_FILE(fd);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mock_submit(mock, queue.id, &job));
	mock_close(mock, fd);
	mock_close(mock, other);
	KUNIT_EXPECT_EQ(test, 1U, kref_read(&fence->base.refcount));
	dma_fence_put(&fence->base);
}

/* The job is gone before the fence signals, and it is not called then. */
static void accel_sync_file_wait_removed(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);

	MOCK_SUBMIT(mock, queue, .wait_count = 1, .waits = { SYNC_FILE(fd) });
	mock_destroy(mock, queue.id);
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_wait(mock, queue.timeline, 1, 0));
	mock_close(mock, fd);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->base.cb_list));
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, 1U, kref_read(&fence->base.refcount));
	mock_foreign_signal(fence, 0);
	dma_fence_put(&fence->base);
}

/* What is one of our own points is waited for as that. */
static void accel_sync_file_wait_for_own(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0), b = mock_queue(mock, 1, 0);
	u32 own = mock_timeline(mock, 0);
	int fds[2] = { -1, -1 };

	MOCK_SUBMIT(mock, a, .tag = 1, .signal_count = 1,
		    .signals = { { own, 0, 5 } });
	KUNIT_ASSERT_EQ(test, 0L,
			mock_give(mock, ACCEL_FD_SYNC_FILE, a.timeline, 1, 0,
				  &fds[0]));
	KUNIT_ASSERT_EQ(test, 0L,
			mock_give(mock, ACCEL_FD_SYNC_FILE, own, 5, 0, &fds[1]));
	MOCK_SUBMIT(mock, b, .tag = 2, .wait_count = 2,
		    .waits = { SYNC_FILE(fds[0]), SYNC_FILE(fds[1]) });
	mock_close(mock, fds[0]);
	mock_close(mock, fds[1]);
	MOCK_EXPECT_LOG(mock, 1);
	/* Who ends the one starts the other: no worker is between them. */
	mock_finish(mock, 0, 0);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 1, 0);
}

/* A point of a queue is its job's fence, and nobody's as long as that is held. */
static void accel_sync_file_of_queue(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 never = mock_timeline(mock, 0);
	struct dma_fence *fence, *same;
	u64 point;

	KUNIT_EXPECT_EQ(test, -EAGAIN,
			mock_give(mock, ACCEL_FD_SYNC_FILE, queue.timeline, 1, 0,
				  NULL));
	MOCK_SUBMIT(mock, queue, .tag = 1);
	fence = mock_point_fence(mock, queue.timeline, 1);
	same = mock_point_fence(mock, queue.timeline, 1);
	KUNIT_EXPECT_PTR_EQ(test, fence, same);
	dma_fence_put(same);
	KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(fence));

	MOCK_SUBMIT(mock, queue, .tag = 2, .wait_count = 1,
		    .waits = { { never, 0, 1 } });
	MOCK_SUBMIT(mock, queue, .tag = 3);
	for (point = 2; point <= 4; point++)
		KUNIT_EXPECT_EQ(test, -EAGAIN,
				mock_give(mock, ACCEL_FD_SYNC_FILE,
					  queue.timeline, point, 0, NULL));

	mock_finish(mock, 0, -EDOM);
	KUNIT_EXPECT_EQ(test, -EDOM, dma_fence_get_status(fence));
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, never, 1));
	mock_until(mock, mock_running(mock, 0) == 2);
	fence = mock_point_fence(mock, queue.timeline, 3);
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(fence));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 1, dma_fence_get_status(fence));
	dma_fence_put(fence);
}

/* A point that is reached gives a fence that has signalled, with its error. */
static void accel_sync_file_of_reached(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own = mock_timeline(mock, 7);
	static const int statuses[] = { 1, 1, -EDOM, -ECANCELED };
	struct dma_fence *fences[4];
	int i;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	mock_finish(mock, 0, -EDOM);
	mock_destroy(mock, queue.id);
	fences[0] = mock_point_fence(mock, own, 7);
	fences[1] = mock_point_fence(mock, own, 0);
	fences[2] = mock_point_fence(mock, queue.timeline, 1);
	fences[3] = mock_point_fence(mock, queue.timeline, 2);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, statuses[i],
				dma_fence_get_status(fences[i]));
		KUNIT_EXPECT_EQ(test, 1U, kref_read(&fences[i]->refcount));
		dma_fence_put(fences[i]);
	}
}

static void accel_sync_file_of_timeline(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0), b = mock_queue(mock, 1, 0);
	u32 own = mock_timeline(mock, 0), never = mock_timeline(mock, 0);
	struct dma_fence *fences[3];
	int i;

	KUNIT_EXPECT_EQ(test, -EAGAIN,
			mock_give(mock, ACCEL_FD_SYNC_FILE, own, 1, 0, NULL));
	MOCK_SUBMIT(mock, a, .tag = 1, .signal_count = 1,
		    .signals = { { own, 0, 5 } });
	fences[0] = mock_point_fence(mock, own, 1);
	fences[1] = mock_point_fence(mock, own, 5);
	fences[2] = mock_point_fence(mock, own, 5);
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			mock_give(mock, ACCEL_FD_SYNC_FILE, own, 6, 0, NULL));
	/* A promise of a held job's makes no difference to those before it. */
	MOCK_SUBMIT(mock, b, .tag = 2, .wait_count = 1,
		    .waits = { { never, 0, 1 } }, .signal_count = 1,
		    .signals = { { own, 0, 9 } });
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			mock_give(mock, ACCEL_FD_SYNC_FILE, own, 9, 0, NULL));
	/* Nobody wants one of them any more: nothing stays behind for it. */
	dma_fence_put(fences[2]);
	KUNIT_EXPECT_EQ(test, 4L, mock_count(ACCEL_CENSUS_FENCES));

	mock_finish(mock, 0, -EDOM);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, -EDOM, dma_fence_get_status(fences[i]));
		KUNIT_EXPECT_LT(test, 0L, dma_fence_wait(fences[i], false) + 1);
		dma_fence_put(fences[i]);
	}
	fences[0] = mock_point_fence(mock, own, 5);
	KUNIT_EXPECT_EQ(test, -EDOM, dma_fence_get_status(fences[0]));
	dma_fence_put(fences[0]);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_FENCES));
}

struct accel_sync_file_listener {
	struct dma_fence_cb cb;
	struct task_struct *task;
	int status;
};

static void accel_sync_file_heard(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct accel_sync_file_listener *listener =
		container_of(cb, struct accel_sync_file_listener, cb);

	listener->task = current;
	listener->status = dma_fence_get_status_locked(fence);
}

/*
 * Who listens to a fence is not called with the lock of its timeline held, so not by
 * whoever reaches the point.
 */
static void accel_sync_file_tells_without_lock(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_sync_file_listener listener = { .task = current };
	u32 timeline = mock_timeline(mock, 0);
	struct dma_fence *fence;

	MOCK_SUBMIT(mock, queue, .tag = 1, .signal_count = 1,
		    .signals = { { timeline, 0, 5 } });
	fence = mock_point_fence(mock, timeline, 5);
	KUNIT_ASSERT_EQ(test, 0,
			dma_fence_add_callback(fence, &listener.cb,
					       accel_sync_file_heard));
	mock_finish(mock, 0, -EDOM);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, -EDOM, listener.status);
	KUNIT_EXPECT_PTR_NE(test, current, listener.task);
	dma_fence_put(fence);
}

/* The device, the file and the timelines are gone, the fences are not. */
static void accel_sync_file_outlives_device(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own = mock_timeline(mock, 0);
	struct dma_fence *fences[2];
	int i;

	MOCK_SUBMIT(mock, queue, .tag = 1, .signal_count = 1,
		    .signals = { { own, 0, 5 } });
	fences[0] = mock_point_fence(mock, queue.timeline, 1);
	fences[1] = mock_point_fence(mock, own, 5);
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			mock_give(mock, ACCEL_FD_SYNC_FILE, own, 5, 0, NULL));
	accel_file_destroy(mock->file);
	mock->file = NULL;
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_TIMELINES));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, -ENODEV, dma_fence_get_status(fences[i]));
		dma_fence_put(fences[i]);
	}
}

static void accel_sync_file_import(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 own = mock_timeline(mock, 0);
	struct mock_foreign *fences[3];
	int fds[3], i;

	for (i = 0; i < 3; i++) {
		fences[i] = mock_foreign(mock);
		fds[i] = mock_sync_file(mock, &fences[i]->base);
	}
	KUNIT_EXPECT_EQ(test, 0L,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fds[0], 5, &own));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fds[1], 5, &own));
	KUNIT_EXPECT_EQ(test, 0L,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fds[1], 7, &own));
	for (i = 0; i < 3; i++)
		mock_close(mock, fds[i]);
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_IMPORTS));

	/* In order, as points are reached. */
	mock_foreign_signal(fences[1], -EDOM);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, mock_status(mock, own, 5));
	mock_foreign_signal(fences[0], 0);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, own, 5, S64_MAX));
	KUNIT_EXPECT_EQ(test, -EDOM, mock_wait(mock, own, 7, S64_MAX));

	/* One that has signalled is as good. */
	mock_foreign_signal(fences[2], -ERANGE);
	fds[2] = mock_sync_file(mock, &fences[2]->base);
	KUNIT_EXPECT_EQ(test, 0L,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fds[2], 8, &own));
	KUNIT_EXPECT_EQ(test, -ERANGE, mock_wait(mock, own, 8, 0));
	mock_close(mock, fds[2]);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_IMPORTS));
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, 1U, kref_read(&fences[i]->base.refcount));
		dma_fence_put(&fences[i]->base);
	}
}

static void accel_sync_file_import_refuses(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);
	u32 own = mock_timeline(mock, 3), none = 99;

	KUNIT_EXPECT_EQ(test, -EPERM,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fd, 5,
				  &queue.timeline));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fd, 5, &none));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fd, 3, &own));
	KUNIT_EXPECT_EQ(test, -EBADF,
			mock_take(mock, ACCEL_FD_SYNC_FILE, -1, 5, &own));
	KUNIT_EXPECT_EQ(test, -EBADF,
			mock_take(mock, ACCEL_FD_TIMELINE, fd, 0, &own));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			mock_take(mock, ACCEL_FD_EVENTFD, fd, 5, &own));
	KUNIT_EXPECT_EQ(test, -EBADF,
			mock_give(mock, ACCEL_FD_EVENTFD, own, 5, 0, &fd));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mock_give(mock, 4, own, 3, 0, NULL));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			mock_give(mock, ACCEL_FD_SYNC_FILE, own, 3, 1, NULL));
	mock_close(mock, fd);
	KUNIT_EXPECT_EQ(test, 1U, kref_read(&fence->base.refcount));
	dma_fence_put(&fence->base);
}

/* The fence of another driver is a promise: who waits for the point is not held. */
static void accel_sync_file_import_backs(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);
	u32 own = mock_timeline(mock, 0);
	struct dma_fence *point;

	/* Before it is promised, and after. */
	MOCK_SUBMIT(mock, queue, .tag = 1, .wait_count = 1,
		    .waits = { { own, 0, 5 } });
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			mock_give(mock, ACCEL_FD_SYNC_FILE, queue.timeline, 1, 0,
				  NULL));
	KUNIT_EXPECT_EQ(test, 0L,
			mock_take(mock, ACCEL_FD_SYNC_FILE, fd, 5, &own));
	mock_close(mock, fd);
	point = mock_point_fence(mock, own, 5);
	mock_until(mock, !mock_give(mock, ACCEL_FD_SYNC_FILE, queue.timeline, 1,
				    0, &fd));
	mock_close(mock, fd);
	KUNIT_EXPECT_EQ(test, 0U, mock_running(mock, 0));
	mock_foreign_signal(fence, -EDOM);
	mock_until(mock, mock_running(mock, 0));
	KUNIT_EXPECT_EQ(test, -EDOM, dma_fence_get_status(point));
	mock_finish(mock, 0, 0);
	dma_fence_put(point);
	dma_fence_put(&fence->base);
}

/*
 * Any number of points may follow one job: its fence, which signals in an interrupt, is
 * not to have them all on its list.
 */
static void accel_sync_file_import_own(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own[2] = { mock_timeline(mock, 0), mock_timeline(mock, 0) };
	struct dma_fence *fence;
	int fd, i;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	fence = mock_point_fence(mock, queue.timeline, 1);
	fd = mock_sync_file(mock, fence);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, 0L,
				mock_take(mock, ACCEL_FD_SYNC_FILE, fd, 5 + i,
					  &own[i % 2]));
	mock_close(mock, fd);
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->cb_list));
	KUNIT_EXPECT_EQ(test, 4L, mock_count(ACCEL_CENSUS_IMPORTS));
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, mock_status(mock, own[0], 5));

	/* Those of one are given up before, the others end as the job does. */
	mock_destroy(mock, own[0]);
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_IMPORTS));
	mock_finish(mock, 0, -EDOM);
	KUNIT_EXPECT_EQ(test, -EDOM, mock_wait(mock, own[1], 6, S64_MAX));
	KUNIT_EXPECT_EQ(test, -EDOM, mock_wait(mock, own[1], 8, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_IMPORTS));
	dma_fence_put(fence);
}

/* A fence may signal long after who imported it, and the device, are gone. */
static void accel_sync_file_import_given_up(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_foreign *fence = mock_foreign(mock);
	int fd = mock_sync_file(mock, &fence->base);
	u32 ids[2] = { mock_timeline(mock, 0), mock_timeline(mock, 0) };
	struct dma_fence *points[2];
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 0L,
				mock_take(mock, ACCEL_FD_SYNC_FILE, fd, 5,
					  &ids[i]));
		points[i] = mock_point_fence(mock, ids[i], 5);
	}
	mock_close(mock, fd);
	mock_destroy(mock, ids[0]);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, -ECANCELED, dma_fence_get_status(points[0]));
	KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(points[1]));
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_wait(mock, ids[1], 5, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_IMPORTS));
	KUNIT_EXPECT_EQ(test, -ENODEV, dma_fence_get_status(points[1]));
	KUNIT_EXPECT_TRUE(test, list_empty(&fence->base.cb_list));
	KUNIT_EXPECT_EQ(test, 1U, kref_read(&fence->base.refcount));
	mock_foreign_signal(fence, 0);
	for (i = 0; i < 2; i++)
		dma_fence_put(points[i]);
	dma_fence_put(&fence->base);
}

static struct kunit_case accel_sync_file_cases[] = {
	KUNIT_CASE(accel_sync_file_wait),
	KUNIT_CASE(accel_sync_file_not_under_its_lock),
	KUNIT_CASE(accel_sync_file_wait_cancels),
	KUNIT_CASE(accel_sync_file_error_of_a_part),
	KUNIT_CASE(accel_sync_file_wait_refuses),
	KUNIT_CASE(accel_sync_file_wait_removed),
	KUNIT_CASE(accel_sync_file_wait_for_own),
	KUNIT_CASE(accel_sync_file_of_queue),
	KUNIT_CASE(accel_sync_file_of_reached),
	KUNIT_CASE(accel_sync_file_of_timeline),
	KUNIT_CASE(accel_sync_file_tells_without_lock),
	KUNIT_CASE(accel_sync_file_outlives_device),
	KUNIT_CASE(accel_sync_file_import),
	KUNIT_CASE(accel_sync_file_import_refuses),
	KUNIT_CASE(accel_sync_file_import_backs),
	KUNIT_CASE(accel_sync_file_import_own),
	KUNIT_CASE(accel_sync_file_import_given_up),
	{}
};

struct kunit_suite accel_sync_file_suite = {
	.name = "accel_sync_file",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_sync_file_cases,
};
