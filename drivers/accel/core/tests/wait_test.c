// SPDX-License-Identifier: GPL-2.0-only
/* TIMELINE_WAIT: any and all, polls and deadlines, and who is woken by what. */
#include "mock.h"

#include <linux/kthread.h>
#include <linux/uaccess.h>

#define POINTS		0x6000
#define STATUSES	0x7000

static struct accel_timeline_wait
accel_wait_args(struct mock *mock, const struct accel_point *points, u32 count)
{
	return (struct accel_timeline_wait){
		.size = sizeof(struct accel_timeline_wait),
		.points_ptr = mock_put(mock, POINTS, points,
				       count * sizeof(*points)),
		.count = count,
		.stride = sizeof(*points),
		.index = 77,
	};
}

static void accel_wait_expect_statuses(struct mock *mock, const s32 *expected,
				       u32 count)
{
	s32 status;
	u32 i;

	for (i = 0; i < count; i++) {
		KUNIT_ASSERT_EQ(mock->test, 0UL,
				copy_from_user(&status,
					       mock_user(mock, STATUSES + 4 * i),
					       4));
		KUNIT_EXPECT_EQ_MSG(mock->test, expected[i], status, "point %u",
				    i);
	}
}

static void accel_wait_any(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 timeline = mock_timeline(mock, 5);
	const struct accel_point points[] = {
		{ timeline, 0, 6 },
		{ queue.timeline, 0, 1 },
		{ timeline, 0, 5 },
	};
	static const s32 statuses[] = { ACCEL_POINT_PENDING, -EDOM,
					ACCEL_POINT_DONE };
	struct accel_timeline_wait args;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	args = accel_wait_args(mock, points, 3);
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 2, args.index);
	KUNIT_EXPECT_EQ(test, 0, args.status);

	/* The first in the array is named, and the first failure. */
	mock_finish(mock, 0, -EDOM);
	args = accel_wait_args(mock, points, 3);
	args.statuses_ptr = mock->user + STATUSES;
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 1, args.index);
	KUNIT_EXPECT_EQ(test, -EDOM, args.status);
	accel_wait_expect_statuses(mock, statuses, 3);
}

static void accel_wait_all(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 5);
	struct accel_timeline_wait args;
	struct accel_point *points;
	u32 i;

	points = kunit_kcalloc(test, ACCEL_POINTS_MAX, sizeof(*points),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, points);
	/* More than fit on the stack. */
	for (i = 0; i < ACCEL_POINTS_MAX; i++)
		points[i] = (struct accel_point){ timeline, 0, i };
	args = accel_wait_args(mock, points, ACCEL_POINTS_MAX);
	args.flags = ACCEL_WAIT_ALL;
	KUNIT_EXPECT_EQ(test, -ETIME, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 0L,
			mock_signal(mock, timeline, ACCEL_POINTS_MAX - 2));
	KUNIT_EXPECT_EQ(test, -ETIME, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 77, args.index);
	KUNIT_EXPECT_EQ(test, 0L,
			mock_signal(mock, timeline, ACCEL_POINTS_MAX - 1));
	args = accel_wait_args(mock, points, ACCEL_POINTS_MAX);
	args.flags = ACCEL_WAIT_ALL;
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 0, args.index);
}

/* One point many times over is as many points. */
static void accel_wait_same_point(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 0);
	const struct accel_point points[] = {
		{ timeline, 0, 1 }, { timeline, 0, 1 }, { timeline, 0, 1 },
	};
	struct accel_timeline_wait args = accel_wait_args(mock, points, 3);

	args.flags = ACCEL_WAIT_ALL;
	KUNIT_EXPECT_EQ(test, -ETIME, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	args = accel_wait_args(mock, points, 3);
	args.flags = ACCEL_WAIT_ALL;
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
}

/* What is reached counts before the deadline does, whatever that is. */
static void accel_wait_deadlines(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 1);

	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 1, 0));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 1, 1));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 0, 0));
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, timeline, 2, 0));
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, timeline, 2, 1));
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, timeline, 2, ktime_get_ns()));
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, timeline, U64_MAX,
				  ktime_get_ns() + NSEC_PER_MSEC));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_wait(mock, timeline, 1, -1));
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_wait(mock, timeline, 1, S64_MIN));
}

static void accel_wait_refuses(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 timeline = mock_timeline(mock, 0);
	struct accel_point points[] = {
		{ timeline, 0, 0 }, { timeline, 0, 0 }, { 99, 0, 0 },
	};
	struct accel_timeline_wait good = accel_wait_args(mock, points, 2);
	struct accel_timeline_wait args = good;

	args.flags = 2;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	args = good;
	args.count = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	args.count = ACCEL_POINTS_MAX + 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	args = good;
	args.stride = sizeof(points[0]) - 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	args = good;
	args.points_ptr = mock_put(mock, MOCK_USER_SIZE - sizeof(points[0]),
				   points, sizeof(points[0]));
	KUNIT_EXPECT_EQ(test, -EFAULT, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	args = good;
	args.statuses_ptr = mock->user + MOCK_USER_SIZE - 4;
	KUNIT_EXPECT_EQ(test, -EFAULT, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	KUNIT_EXPECT_EQ(test, 77, args.index);

	args = accel_wait_args(mock, points, 3);
	KUNIT_EXPECT_EQ(test, -ENOENT, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	points[1].flags = ACCEL_POINT_SYNC_FILE;
	args = accel_wait_args(mock, points, 2);
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, MOCK_IOCTL(mock, TIMELINE_WAIT, &args));
	/* References to those before are given back. */
	mock_destroy(mock, timeline);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_TIMELINES));
}

static void accel_wait_queries(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_timeline_query args = { .size = sizeof(args) };

	KUNIT_EXPECT_EQ(test, -ENOENT, MOCK_IOCTL(mock, TIMELINE_QUERY, &args));
	args.id = mock_timeline(mock, 5);
	args.value = 6;
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, TIMELINE_QUERY, &args));
	KUNIT_EXPECT_EQ(test, ACCEL_POINT_PENDING, args.status);
	KUNIT_EXPECT_EQ(test, 5ULL, args.completed);
	KUNIT_EXPECT_EQ(test, 5ULL, args.promised);
	args.reserved = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, TIMELINE_QUERY, &args));
}

static void accel_wait_timeline_arguments(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_timeline_create args = { .size = sizeof(args), .flags = 1 };

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			MOCK_IOCTL(mock, TIMELINE_CREATE, &args));
	args.flags = 0;
	args.reserved = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, TIMELINE_CREATE, &args));
	KUNIT_EXPECT_EQ(test, -ENOENT, mock_signal(mock, 1, 1));
	KUNIT_EXPECT_EQ(test, 1, mock_timeline(mock, 0));
}

/* Somebody who waits in a thread of its own, with the test's memory. */
struct sleeper {
	struct mock *mock;
	struct mm_struct *mm;
	struct task_struct *task;
	struct accel_timeline_wait args;
	long ret;
};

static int accel_wait_sleep(void *data)
{
	struct sleeper *sleeper = data;
	void __user *uarg = mock_user(sleeper->mock, 0x800);

	kthread_use_mm(sleeper->mm);
	if (!copy_to_user(uarg, &sleeper->args, sizeof(sleeper->args)))
		sleeper->ret = accel_ioctl_dispatch(sleeper->mock->file,
						    ACCEL_IOCTL_TIMELINE_WAIT,
						    uarg);
	kthread_unuse_mm(sleeper->mm);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Returns when it is in the ioctl. */
static void accel_wait_start(struct mock *mock, struct sleeper *sleeper,
			     const struct accel_point *points, u32 count,
			     u32 flags)
{
	sleeper->mock = mock;
	sleeper->mm = current->mm;
	sleeper->ret = -EFAULT;
	sleeper->args = accel_wait_args(mock, points, count);
	sleeper->args.flags = flags;
	sleeper->args.deadline_ns = S64_MAX;
	sleeper->args.statuses_ptr = mock->user + STATUSES;
	sleeper->task = kthread_run(accel_wait_sleep, sleeper, "accel_sleeper");
	KUNIT_ASSERT_FALSE(mock->test, IS_ERR(sleeper->task));
	mock_until(mock, atomic_long_read(&accel_census[ACCEL_CENSUS_WAITERS]));
}

static long accel_wait_end(struct mock *mock, struct sleeper *sleeper)
{
	mock_until(mock, !atomic_long_read(&accel_census[ACCEL_CENSUS_WAITERS]));
	kthread_stop(sleeper->task);
	return sleeper->ret;
}

static void accel_wait_woken_by_jobs(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	const struct accel_point points[] = {
		{ a.timeline, 0, 1 }, { b.timeline, 0, 1 },
	};
	static const s32 statuses[] = { ACCEL_POINT_DONE, -EDOM };
	struct sleeper sleeper;

	MOCK_SUBMIT(mock, a, .tag = 1);
	MOCK_SUBMIT(mock, b, .tag = 2);
	accel_wait_start(mock, &sleeper, points, 2, ACCEL_WAIT_ALL);
	mock_finish(mock, 1, -EDOM);
	KUNIT_EXPECT_EQ(test, 1L,
			atomic_long_read(&accel_census[ACCEL_CENSUS_WAITERS]));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0L, accel_wait_end(mock, &sleeper));
	accel_wait_expect_statuses(mock, statuses, 2);
}

static void accel_wait_woken_by_the_end(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 own = mock_timeline(mock, 0), destroyed = mock_timeline(mock, 0);
	const struct accel_point never[] = { { destroyed, 0, 9 } };
	const struct accel_point points[] = {
		{ queue.timeline, 0, 1 }, { queue.timeline, 0, 9 }, { own, 0, 1 },
	};
	static const s32 statuses[] = { -ENODEV, -ENODEV, -ENODEV };
	static const s32 canceled[] = { -ECANCELED };
	struct sleeper sleeper;

	accel_wait_start(mock, &sleeper, never, 1, 0);
	mock_destroy(mock, destroyed);
	KUNIT_EXPECT_EQ(test, 0L, accel_wait_end(mock, &sleeper));
	accel_wait_expect_statuses(mock, canceled, 1);

	MOCK_SUBMIT(mock, queue, .tag = 1);
	accel_wait_start(mock, &sleeper, points, 3, ACCEL_WAIT_ALL);
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, 0L, accel_wait_end(mock, &sleeper));
	accel_wait_expect_statuses(mock, statuses, 3);
}

struct producer {
	struct work_struct work;
	struct mock *mock;
	u32 engine;
	struct completion *go;
};

static void accel_wait_produce(struct work_struct *work)
{
	struct producer *producer = container_of(work, struct producer, work);

	wait_for_completion(producer->go);
	mock_finish(producer->mock, producer->engine, 0);
}

/*
 * Two jobs end at the same time, on two CPUs if there are, while a third thread
 * destroys the timeline on which a third point will never come.
 */
static void accel_wait_two_producers_and_teardown(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queues[2] = {
		mock_queue(mock, 0, 0), mock_queue(mock, 1, 0),
	};
	struct producer producers[2];
	struct completion go;
	struct sleeper sleeper;
	struct accel_point points[3] = {};
	u32 i, round;

	for (round = 1; round <= 50; round++) {
		for (i = 0; i < 2; i++)
			points[i] = (struct accel_point){ queues[i].timeline, 0,
							  round };
		points[2] = (struct accel_point){ mock_timeline(mock, 0), 0, 1 };

		init_completion(&go);
		for (i = 0; i < 2; i++) {
			MOCK_SUBMIT(mock, queues[i], .tag = i);
			producers[i] = (struct producer){
				.mock = mock, .engine = i, .go = &go,
			};
			INIT_WORK_ONSTACK(&producers[i].work, accel_wait_produce);
			queue_work(system_dfl_wq, &producers[i].work);
		}
		accel_wait_start(mock, &sleeper, points, 3, ACCEL_WAIT_ALL);
		complete_all(&go);
		mock_destroy(mock, points[2].timeline);
		KUNIT_ASSERT_EQ(test, 0L, accel_wait_end(mock, &sleeper));
		for (i = 0; i < 2; i++) {
			flush_work(&producers[i].work);
			destroy_work_on_stack(&producers[i].work);
		}
	}
}

static struct kunit_case accel_wait_cases[] = {
	KUNIT_CASE(accel_wait_any),
	KUNIT_CASE(accel_wait_all),
	KUNIT_CASE(accel_wait_same_point),
	KUNIT_CASE(accel_wait_deadlines),
	KUNIT_CASE(accel_wait_refuses),
	KUNIT_CASE(accel_wait_queries),
	KUNIT_CASE(accel_wait_timeline_arguments),
	KUNIT_CASE(accel_wait_woken_by_jobs),
	KUNIT_CASE(accel_wait_woken_by_the_end),
	KUNIT_CASE(accel_wait_two_producers_and_teardown),
	{}
};

struct kunit_suite accel_wait_suite = {
	.name = "accel_wait",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_wait_cases,
};
