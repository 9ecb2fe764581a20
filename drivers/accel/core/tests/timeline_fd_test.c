// SPDX-License-Identifier: GPL-2.0-only
/* Timelines that several open files and devices have, and their rights to signal. */
#include "mock.h"

#include <linux/file.h>

/* Somebody else, with a device of his own or the same. */
static struct mock accel_timeline_fd_other(struct mock *mock, bool second_device)
{
	struct mock other = *mock;

	if (second_device) {
		other.dev = mock_alloc(mock, &mock_ops, ACCEL_ALLOC_VIRTUAL);
		KUNIT_ASSERT_EQ(mock->test, 0, accel_register(&other.dev->accel));
	}
	other.file = accel_file_create(&other.dev->accel);
	KUNIT_ASSERT_FALSE(mock->test, IS_ERR(other.file));
	return other;
}

/* An id of @to's for a timeline of @from's. */
static u32 accel_timeline_fd_pass(struct mock *from, u32 timeline,
				  struct mock *to, u32 flags)
{
	u32 id = 0;
	int fd = -1;

	KUNIT_ASSERT_EQ(from->test, 0L,
			mock_give(from, ACCEL_FD_TIMELINE, timeline, 0, flags,
				  &fd));
	KUNIT_ASSERT_EQ(from->test, 0L,
			mock_take(to, ACCEL_FD_TIMELINE, fd, 0, &id));
	mock_close(from, fd);
	return id;
}

static void accel_timeline_fd_rights(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own = mock_timeline(mock, 0), reader, writer, points;
	struct mock_job job = { .op = MOCK_INSTANT, .signal_count = 1 };
	int fd = -1;

	reader = accel_timeline_fd_pass(mock, own, mock, 0);
	writer = accel_timeline_fd_pass(mock, own, mock,
					ACCEL_TIMELINE_SIGNAL_RIGHT);
	points = accel_timeline_fd_pass(mock, queue.timeline, mock, 0);

	KUNIT_EXPECT_EQ(test, -EACCES, mock_signal(mock, reader, 1));
	job.signals[0] = (struct accel_point){ reader, 0, 1 };
	KUNIT_EXPECT_EQ(test, -EACCES, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, -EACCES,
			mock_take(mock, ACCEL_FD_SYNC_FILE, 0, 1, &reader));
	KUNIT_EXPECT_EQ(test, -EACCES,
			mock_give(mock, ACCEL_FD_TIMELINE, reader, 0,
				  ACCEL_TIMELINE_SIGNAL_RIGHT, NULL));
	KUNIT_EXPECT_EQ(test, -EPERM,
			mock_give(mock, ACCEL_FD_TIMELINE, queue.timeline, 0,
				  ACCEL_TIMELINE_SIGNAL_RIGHT, NULL));
	KUNIT_EXPECT_EQ(test, -EPERM, mock_signal(mock, points, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mock_give(mock, ACCEL_FD_TIMELINE, own, 1, 0, NULL));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			mock_give(mock, ACCEL_FD_TIMELINE, own, 0, 2, NULL));
	KUNIT_EXPECT_EQ(test, 0ULL, mock_completed(mock, own));

	job.signals[0].timeline = writer;
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, writer, 2));
	/* All of them are the same timeline. */
	KUNIT_EXPECT_EQ(test, 2ULL, mock_completed(mock, own));
	KUNIT_EXPECT_EQ(test, 2ULL, mock_completed(mock, reader));
	KUNIT_EXPECT_EQ(test, 1ULL, mock_completed(mock, points));
	/* A right to read can be passed on. */
	KUNIT_EXPECT_EQ(test, 0L,
			mock_give(mock, ACCEL_FD_TIMELINE, reader, 0, 0, &fd));
	mock_close(mock, fd);
}

/* It is closed when the last who may signal is gone, be that an id or an fd. */
static void accel_timeline_fd_last_signaller(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock other = accel_timeline_fd_other(mock, false);
	u32 own = mock_timeline(mock, 0), reader, writer = 0;
	int fd = -1;

	reader = accel_timeline_fd_pass(mock, own, mock, 0);
	KUNIT_ASSERT_EQ(test, 0L,
			mock_give(mock, ACCEL_FD_TIMELINE, own, 0,
				  ACCEL_TIMELINE_SIGNAL_RIGHT, &fd));
	mock_destroy(mock, own);
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, mock_status(mock, reader, 1));
	KUNIT_ASSERT_EQ(test, 0L,
			mock_take(&other, ACCEL_FD_TIMELINE, fd, 0, &writer));
	mock_close(mock, fd);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(&other, writer, 1));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, reader, 1));
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, mock_status(mock, reader, 2));
	accel_file_destroy(other.file);
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_wait(mock, reader, 2, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, reader, 1));
	mock_destroy(mock, reader);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_TIMELINES));
}

/* Jobs of one device wait for those of another. */
static void accel_timeline_fd_two_devices(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock other = accel_timeline_fd_other(mock, true);
	struct mock_queue a = mock_queue(mock, 0, 0),
			  b = mock_queue(&other, 0, 0);
	u32 own = mock_timeline(mock, 0), theirs;

	theirs = accel_timeline_fd_pass(mock, own, &other,
					ACCEL_TIMELINE_SIGNAL_RIGHT);
	MOCK_SUBMIT(mock, a, .tag = 1, .wait_count = 1,
		    .waits = { { own, 0, 5 } }, .signal_count = 1,
		    .signals = { { own, 0, 6 } });
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(&other, theirs, 5));
	mock_destroy(mock, a.id);
	a = mock_queue(mock, 0, 0);

	MOCK_SUBMIT(&other, b, .tag = 2, .signal_count = 1,
		    .signals = { { theirs, 0, 8 } });
	MOCK_SUBMIT(mock, a, .tag = 3, .wait_count = 1,
		    .waits = { { own, 0, 8 } });
	KUNIT_EXPECT_EQ(test, 0U, mock_running(mock, 0));
	mock_finish(&other, 0, 0);
	KUNIT_EXPECT_EQ(test, 1U, mock_running(mock, 0));
	mock_finish(mock, 0, 0);

	/* The timeline goes with its device, for whoever has it. */
	MOCK_SUBMIT(&other, b, .tag = 4, .wait_count = 1,
		    .flags = ACCEL_JOB_CANCEL_ON_ERROR,
		    .waits = { { theirs, 0, 9 } });
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(&other, b.timeline, 2, S64_MAX));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_wait(&other, theirs, 9, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock_status(&other, theirs, 8));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_signal(&other, theirs, 9));
	accel_file_destroy(other.file);
	accel_unregister(&other.dev->accel);
}

/* The device is gone, but not what a job of another has promised on its timeline. */
static void accel_timeline_fd_promise_outlives_device(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock other = accel_timeline_fd_other(mock, true);
	struct mock_queue b = mock_queue(&other, 0, 0);
	u32 own = mock_timeline(mock, 0), theirs;

	theirs = accel_timeline_fd_pass(mock, own, &other,
					ACCEL_TIMELINE_SIGNAL_RIGHT);
	MOCK_SUBMIT(&other, b, .tag = 1, .signal_count = 1,
		    .signals = { { theirs, 0, 8 } });
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING,
			mock_status(&other, theirs, 8));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_status(&other, theirs, 9));
	mock_finish(&other, 0, -EDOM);
	KUNIT_EXPECT_EQ(test, -EDOM, mock_status(mock, own, 8));
	accel_file_destroy(other.file);
	accel_unregister(&other.dev->accel);
}

/*
 * A job's promises are refused after one of them was made; meanwhile others, whom no
 * lock of the file's keeps away, have promised and signalled behind it.
 */
static void accel_timeline_fd_take_back(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own = mock_timeline(mock, 3);
	struct accel_timeline *timeline = mock_find_timeline(mock, own);
	struct accel_point_entry entry = { .value = 5 };

	/* Nobody has come: it never was. */
	KUNIT_ASSERT_EQ(test, 0, accel_timeline_promise(timeline, &entry));
	accel_timeline_unpromise(timeline, &entry);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, own, 4));

	/* A signal is all there is behind it. */
	KUNIT_ASSERT_EQ(test, 0, accel_timeline_promise(timeline, &entry));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, own, 7));
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, mock_status(mock, own, 7));
	accel_timeline_unpromise(timeline, &entry);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, own, 7));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_signal(mock, own, 7));

	/* A job has promised, and is done. */
	entry.value = 10;
	KUNIT_ASSERT_EQ(test, 0, accel_timeline_promise(timeline, &entry));
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .signal_count = 1,
		    .signals = { { own, 0, 12 } });
	KUNIT_EXPECT_EQ(test, 7ULL, mock_completed(mock, own));
	accel_timeline_unpromise(timeline, &entry);
	KUNIT_EXPECT_EQ(test, 12ULL, mock_completed(mock, own));

	/* One before it, a signal behind it. */
	MOCK_SUBMIT(mock, queue, .tag = 1, .signal_count = 1,
		    .signals = { { own, 0, 20 } });
	entry.value = 22;
	KUNIT_ASSERT_EQ(test, 0, accel_timeline_promise(timeline, &entry));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, own, 25));
	accel_timeline_unpromise(timeline, &entry);
	KUNIT_EXPECT_EQ(test, 12ULL, mock_completed(mock, own));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 25ULL, mock_completed(mock, own));
}

/* It is closed meanwhile: who waited for that promise hears of it. */
static void accel_timeline_fd_take_back_closed(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own = mock_timeline(mock, 0), reader;
	struct accel_timeline *timeline = mock_find_timeline(mock, own);
	struct accel_point_entry entry = { .value = 5 };

	reader = accel_timeline_fd_pass(mock, own, mock, 0);
	KUNIT_ASSERT_EQ(test, 0, accel_timeline_promise(timeline, &entry));
	MOCK_SUBMIT(mock, queue, .tag = 1, .wait_count = 1,
		    .waits = { { own, 0, 5 } });
	mock_destroy(mock, own);
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, mock_status(mock, reader, 5));
	accel_timeline_unpromise(timeline, &entry);
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_status(mock, reader, 5));
	mock_until(mock, mock_running(mock, 0));
	mock_finish(mock, 0, 0);
}

static struct kunit_case accel_timeline_fd_cases[] = {
	KUNIT_CASE(accel_timeline_fd_rights),
	KUNIT_CASE(accel_timeline_fd_last_signaller),
	KUNIT_CASE(accel_timeline_fd_two_devices),
	KUNIT_CASE(accel_timeline_fd_promise_outlives_device),
	KUNIT_CASE(accel_timeline_fd_take_back),
	KUNIT_CASE(accel_timeline_fd_take_back_closed),
	{}
};

struct kunit_suite accel_timeline_fd_suite = {
	.name = "accel_timeline_fd",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_timeline_fd_cases,
};
