// SPDX-License-Identifier: GPL-2.0-only
/* Timelines: points, who may signal them, and how to wait for them. */
#include "accel_test.h"

#include <sys/syscall.h>

FIXTURE(timeline)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	__u32 timeline;
};

FIXTURE_SETUP(timeline)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_LE(8, self->dev.points_max);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
}

FIXTURE_TEARDOWN(timeline)
{
	accel_teardown(_metadata, self->fd);
}

TEST_F(timeline, create_with_value)
{
	static const __u64 values[] = {
		0, 1, UINT_MAX, 1ULL << 32, INT64_MAX, UINT64_MAX - 1,
	};
	struct accel_timeline_query query;
	__u32 id;
	size_t i;

	for (i = 0; i < ARRAY_LEN(values); i++) {
		ASSERT_EQ(0, timeline_create(self->fd, values[i], &id));
		ASSERT_EQ(0, timeline_query(self->fd, id, values[i], &query));
		EXPECT_EQ(0, query.status);
		EXPECT_EQ(values[i], query.completed);
		EXPECT_EQ(values[i], query.promised);
		EXPECT_EQ(0, point_status(self->fd, id, 0));
		EXPECT_PENDING(self->fd, id, values[i] + 1);
		EXPECT_EQ(-EINVAL, timeline_signal(self->fd, id, values[i]));
		EXPECT_EQ(0, timeline_signal(self->fd, id, values[i] + 1));
		EXPECT_EQ(0, point_status(self->fd, id, values[i] + 1));
	}
	ASSERT_EQ(0, timeline_create(self->fd, UINT64_MAX, &id));
	EXPECT_EQ(0, point_status(self->fd, id, UINT64_MAX));
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, id, UINT64_MAX));
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, id, 0));
}

TEST_F(timeline, signal_by_the_cpu)
{
	struct accel_timeline_query query;

	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline, 0));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 5));
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline, 5));
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline, 4));
	ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 3, &query));
	EXPECT_EQ(0, query.status);
	EXPECT_EQ(5, query.completed);
	EXPECT_EQ(5, query.promised);
	ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 6, &query));
	EXPECT_EQ(ACCEL_POINT_PENDING, query.status);
	EXPECT_EQ(0, timeline_signal(self->fd, self->timeline, 6));
	EXPECT_EQ(0, timeline_signal(self->fd, self->timeline, UINT64_MAX));
	EXPECT_EQ(0, point_status(self->fd, self->timeline, UINT64_MAX));
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline,
					   UINT64_MAX));
}

TEST_F(timeline, queue_signals_its_own_only)
{
	__u64 point;

	EXPECT_EQ(-EPERM, timeline_signal(self->fd, self->queue.timeline, 1));
	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(-EPERM, timeline_signal(self->fd, self->queue.timeline,
					  1000));
	EXPECT_PENDING(self->fd, self->queue.timeline, point + 1);
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	EXPECT_EQ(-EPERM, timeline_signal(self->fd, self->queue.timeline,
					  1000));
}

/* What a job has promised, the CPU can neither signal nor overtake. */
TEST_F(timeline, promised_by_a_job)
{
	struct test_job job = job_hang();
	struct accel_timeline_query query;
	__u64 point;

	job_signal(&job, self->timeline, 10);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 10, &query));
	EXPECT_EQ(ACCEL_POINT_PENDING, query.status);
	EXPECT_EQ(0, query.completed);
	EXPECT_EQ(10, query.promised);
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline, 9));
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline, 10));

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 20));
	ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 20, &query));
	EXPECT_EQ(ACCEL_POINT_PENDING, query.status);
	EXPECT_EQ(0, query.completed);
	EXPECT_EQ(20, query.promised);

	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->timeline, 20);
	ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 10, &query));
	EXPECT_EQ(0, query.status);
	EXPECT_EQ(20, query.completed);
}

/* Promised in one order, kept in the other: reached in the order of points. */
TEST_F(timeline, points_are_reached_in_order)
{
	struct test_job first = job_hang(), second = job_nop();
	struct accel_queue_create other;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	job_signal(&first, self->timeline, 1);
	job_signal(&second, self->timeline, 2);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &first, &point));
	ASSERT_EQ(0, submit_one(self->fd, other.id, &second, &point));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	EXPECT_PENDING(self->fd, self->timeline, 1);
	EXPECT_PENDING(self->fd, self->timeline, 2);
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->timeline, 2);
	EXPECT_EQ(0, point_status(self->fd, self->timeline, 1));
}

TEST_F(timeline, several_signals_of_a_job)
{
	struct test_job job = job_fail(-EILSEQ);
	__u32 other;
	__u64 point;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &other));
	job_signal(&job, self->timeline, 3);
	job_signal(&job, other, 7);
	job_signal(&job, self->timeline, 4);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_POINT(-EILSEQ, self->fd, self->timeline, 3);
	EXPECT_POINT(-EILSEQ, self->fd, self->timeline, 4);
	EXPECT_POINT(-EILSEQ, self->fd, other, 7);
	EXPECT_PENDING(self->fd, other, 8);
}

static const __s64 past[] = { 0, 1, 1000000000 };

TEST_F(timeline, deadlines)
{
	__s32 status = 1;
	size_t i;

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	for (i = 0; i < ARRAY_LEN(past); i++) {
		EXPECT_EQ(0, point_wait_until(self->fd, self->timeline, 1,
					      past[i], &status));
		EXPECT_EQ(0, status);
		EXPECT_EQ(-ETIME, point_wait_until(self->fd, self->timeline, 2,
						   past[i], &status));
	}
	EXPECT_EQ(0, point_wait_until(self->fd, self->timeline, 1, now_ns() - 1,
				      &status));
	EXPECT_EQ(0, point_wait_until(self->fd, self->timeline, 1, INT64_MAX,
				      &status));
	EXPECT_EQ(-ETIME, point_wait_until(self->fd, self->timeline, 2,
					   now_ns() - 1, &status));
	EXPECT_EQ(-ETIME, point_wait_until(self->fd, self->timeline, 2,
					   deadline_ms(30), &status));
	EXPECT_EQ(-EINVAL, point_wait_until(self->fd, self->timeline, 1, -1,
					    &status));
	EXPECT_EQ(-EINVAL, point_wait_until(self->fd, self->timeline, 2,
					    INT64_MIN, &status));
}

/* A wait does not end before its deadline does. */
TEST_F(timeline, deadline_is_not_early)
{
	__s64 deadline = deadline_ms(50);
	__s32 status;

	EXPECT_EQ(-ETIME, point_wait_until(self->fd, self->timeline, 1,
					   deadline, &status));
	EXPECT_LE(deadline, now_ns());
}

TEST_F(timeline, bad_wait)
{
	struct accel_point points[8] = {};
	const __u32 max = self->dev.points_max;
	struct accel_timeline_wait wait, copy;
	struct accel_point *many;
	__u8 wide[2][24] = {};
	__u32 i;

	for (i = 0; i < ARRAY_LEN(points); i++)
		points[i].timeline = self->timeline;
	EXPECT_EQ(-EINVAL, timeline_wait(self->fd, points, 0, 0, 0, NULL,
					 &wait));
	EXPECT_EQ(-EFAULT, timeline_wait(self->fd, NULL, 1, 0, 0, NULL, &wait));
	EXPECT_EQ(-EFAULT, timeline_wait(self->fd, (void *)-16UL, 1, 0, 0, NULL,
					 &wait));
	EXPECT_EQ(-EFAULT, timeline_wait(self->fd, points, 1, 0, 0,
					 (void *)-16UL, &wait));
	points[7].flags = ACCEL_POINT_SYNC_FILE;
	EXPECT_EQ(-EOPNOTSUPP, timeline_wait(self->fd, points, 8, 0, 0, NULL,
					     &wait));
	points[7].flags = 0;

	many = calloc(max + 1, sizeof(*many));
	ASSERT_TRUE(many != NULL);
	for (i = 0; i <= max; i++)
		many[i].timeline = self->timeline;
	EXPECT_EQ(0, timeline_wait(self->fd, many, max, ACCEL_WAIT_ALL, 0, NULL,
				   &wait));
	EXPECT_EQ(-EINVAL, timeline_wait(self->fd, many, max + 1, 0, 0, NULL,
					 &wait));
	EXPECT_EQ(-EINVAL, timeline_wait(self->fd, many, UINT_MAX, 0, 0, NULL,
					 &wait));
	free(many);

	timeline_wait(self->fd, points, 2, 0, 0, NULL, &wait);
	for (wait.stride = 0; wait.stride < sizeof(points[0]); wait.stride++) {
		copy = wait;
		EXPECT_EQ(-EINVAL, accel_ioctl(self->fd,
					       ACCEL_IOCTL_TIMELINE_WAIT,
					       &wait));
		EXPECT_EQ(0, memcmp(&copy, &wait, sizeof(wait)));
	}
	memcpy(wide[0], &points[0], sizeof(points[0]));
	memcpy(wide[1], &points[1], sizeof(points[1]));
	wait.points_ptr = ptr_to_u64(wide);
	wait.stride = sizeof(wide[0]);
	wait.flags = ACCEL_WAIT_ALL;
	EXPECT_EQ(0, accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_WAIT, &wait));
	wide[1][23] = 1;
	EXPECT_EQ(-E2BIG, accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_WAIT,
				      &wait));
}

/* One pending point, one done, one failed, in any order. */
TEST_F(timeline, wait_any_and_all)
{
	struct test_job fail = job_fail(-EILSEQ);
	struct accel_timeline_wait wait, copy;
	struct accel_point points[4];
	__s32 statuses[4];
	__u64 point;
	int i;

	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fail, &point));
	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	points[0] = (struct accel_point) { self->timeline, 0, 1 };
	points[1] = (struct accel_point) { self->queue.timeline, 0, 2 };
	points[2] = (struct accel_point) { self->queue.timeline, 0, 1 };
	points[3] = (struct accel_point) { self->timeline, 0, 0 };

	for (i = 0; i < 2; i++) {
		memset(statuses, 0x55, sizeof(statuses));
		ASSERT_EQ(0, timeline_wait(self->fd, points, 4, 0,
					   i ? INT64_MAX : 0, statuses, &wait));
		EXPECT_EQ(1, wait.index);
		EXPECT_EQ(-EILSEQ, wait.status);
		EXPECT_EQ(ACCEL_POINT_PENDING, statuses[0]);
		EXPECT_EQ(0, statuses[1]);
		EXPECT_EQ(-EILSEQ, statuses[2]);
		EXPECT_EQ(0, statuses[3]);
	}

	memset(statuses, 0x55, sizeof(statuses));
	timeline_wait(self->fd, points, 4, ACCEL_WAIT_ALL, 0, statuses, &wait);
	wait.index = 77;
	wait.status = 78;
	copy = wait;
	EXPECT_EQ(-ETIME, accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_WAIT,
				      &wait));
	EXPECT_EQ(0, memcmp(&copy, &wait, sizeof(wait)));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0x55555555, statuses[i]);

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	ASSERT_EQ(0, timeline_wait(self->fd, points, 4, ACCEL_WAIT_ALL, 0,
				   statuses, &wait));
	EXPECT_EQ(0, wait.index);
	EXPECT_EQ(-EILSEQ, wait.status);
	EXPECT_EQ(0, statuses[0]);
	EXPECT_EQ(0, statuses[1]);
	EXPECT_EQ(-EILSEQ, statuses[2]);
	EXPECT_EQ(0, statuses[3]);
}

struct waiter {
	pthread_t thread;
	int tid;
	int fd;
	struct accel_point points[8];
	__u32 count;
	__u32 flags;
	__s32 statuses[8];
	struct accel_timeline_wait wait;
	int ret;
};

static void *wait_thread(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	w->ret = timeline_wait(w->fd, w->points, w->count, w->flags, INT64_MAX,
			       w->statuses, &w->wait);
	return NULL;
}

static char task_state(int tid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "re");
	if (!file)
		return '?';
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(file);
	return state;
}

/* Returns when the thread sleeps, most likely in its wait. */
static int start_waiter(struct waiter *w)
{
	__s64 deadline = deadline_ms(WAIT_MS);
	int ret, tid;

	w->tid = 0;
	ret = pthread_create(&w->thread, NULL, wait_thread, w);
	if (ret)
		return ret;
	do {
		sched_yield();
		tid = __atomic_load_n(&w->tid, __ATOMIC_ACQUIRE);
		if (tid && task_state(tid) == 'S')
			return 0;
	} while (now_ns() < deadline);
	return -ETIMEDOUT;
}

/* For ever, on points that nobody has promised when the wait begins. */
TEST_F(timeline, wait_from_threads)
{
	struct waiter any = { .fd = self->fd, .count = 2 };
	struct waiter all;
	__u32 other;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &other));
	any.points[0] = (struct accel_point) { self->timeline, 0, 3 };
	any.points[1] = (struct accel_point) { other, 0, 3 };
	all = any;
	all.flags = ACCEL_WAIT_ALL;
	ASSERT_EQ(0, start_waiter(&any));
	ASSERT_EQ(0, start_waiter(&all));

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 2));
	ASSERT_EQ(0, timeline_signal(self->fd, other, 3));
	ASSERT_EQ(0, pthread_join(any.thread, NULL));
	EXPECT_EQ(0, any.ret);
	EXPECT_EQ(1, any.wait.index);
	EXPECT_EQ(0, any.wait.status);
	EXPECT_EQ(ACCEL_POINT_PENDING, any.statuses[0]);
	EXPECT_EQ(0, any.statuses[1]);

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 4));
	ASSERT_EQ(0, pthread_join(all.thread, NULL));
	EXPECT_EQ(0, all.ret);
	EXPECT_EQ(0, all.wait.index);
	EXPECT_EQ(0, all.statuses[0]);
	EXPECT_EQ(0, all.statuses[1]);
}

/* One signal wakes all who wait, each for a point of their own. */
TEST_F(timeline, many_waiters)
{
	struct waiter waiters[16];
	size_t i;

	for (i = 0; i < ARRAY_LEN(waiters); i++) {
		waiters[i] = (struct waiter) { .fd = self->fd, .count = 1 };
		waiters[i].points[0] = (struct accel_point) {
			self->timeline, 0, i + 1,
		};
		ASSERT_EQ(0, start_waiter(&waiters[i]));
	}
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 8));
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, pthread_join(waiters[i].thread, NULL));
		EXPECT_EQ(0, waiters[i].ret);
	}
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 16));
	for (; i < ARRAY_LEN(waiters); i++) {
		ASSERT_EQ(0, pthread_join(waiters[i].thread, NULL));
		EXPECT_EQ(0, waiters[i].ret);
	}
}

#define RACES	3000

/**
 * struct race - a thread that waits for the points of a timeline, one by one
 * @fd: of the device
 * @timeline: the timeline's id
 * @next: the point that it is about to wait for; after the last, or when a wait has
 *	failed, more than there are
 * @ret: what the last wait gave
 */
struct race {
	int fd;
	__u32 timeline;
	unsigned int next;
	int ret;
};

static void *wait_for_each(void *arg)
{
	struct accel_timeline_wait wait;
	struct accel_point point = { };
	struct race *race = arg;
	__s32 status;

	point.timeline = race->timeline;
	while (point.value < RACES && !race->ret) {
		__atomic_store_n(&race->next, ++point.value, __ATOMIC_RELEASE);
		race->ret = timeline_wait(race->fd, &point, 1, 0, INT64_MAX,
					  &status, &wait);
	}
	__atomic_store_n(&race->next, RACES + 1, __ATOMIC_RELEASE);
	return NULL;
}

/*
 * Signal against wait: a microsecond later each time, until the wait is asleep, and
 * all over again, so that a wake-up that can be lost is.
 */
TEST_F_TIMEOUT(timeline, signal_races_wait, LONG_TEST_S)
{
	struct race race = { .fd = self->fd, .timeline = self->timeline };
	pthread_t thread;
	unsigned int i;
	__s64 start;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_each, &race));
	for (i = 1; i <= RACES; i++) {
		while (__atomic_load_n(&race.next, __ATOMIC_ACQUIRE) < i)
			;
		start = now_ns();
		while (now_ns() < start + i % 256 * 1000)
			;
		ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, i));
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, race.ret);
}

/* As many failures as a timeline remembers. */
#define KEPT	64

TEST_F(timeline, failures_that_are_kept)
{
	struct test_job job;
	__u64 point;
	int i;

	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	for (i = 0; i < KEPT; i++) {
		job = job_fail(-1000 - i);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
		ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
		EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	}
	EXPECT_EQ(0, point_status(self->fd, self->queue.timeline, 1));
	for (i = 0; i < KEPT; i++) {
		EXPECT_EQ(-1000 - i, point_status(self->fd,
						  self->queue.timeline,
						  2 * i + 2));
		EXPECT_EQ(0, point_status(self->fd, self->queue.timeline,
					  2 * i + 3));
	}
}

/* An older failure may be lost, but it never becomes a success. */
TEST_F(timeline, failures_that_are_lost)
{
	const int total = 3 * KEPT;
	struct test_job job;
	int i, kind, status;
	__u64 point;

	for (i = 1; i <= total; i++) {
		job = job_fail(-1000 - i);
		job_signal(&job, self->timeline, i);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
		EXPECT_POINT(-1000 - i, self->fd, self->queue.timeline, i);
	}
	EXPECT_POINT(-1000 - total, self->fd, self->timeline, total);
	for (kind = 0; kind < 2; kind++) {
		__u32 id = kind ? self->timeline : self->queue.timeline;

		for (i = 1; i <= total; i++) {
			status = point_status(self->fd, id, i);
			EXPECT_EQ(i <= total - KEPT ? -ENODATA : -1000 - i,
				  status);
		}
		EXPECT_POINT(-ENODATA, self->fd, id, 1);
		EXPECT_PENDING(self->fd, id, total + 1);
	}
}

/* Nobody can promise a point of a queue that is no more. */
TEST_F(timeline, point_of_a_destroyed_queue)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	__u64 point;

	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	waiter.points[0] = (struct accel_point) {
		self->queue.timeline, 0, point + 5,
	};
	ASSERT_EQ(0, start_waiter(&waiter));
	EXPECT_PENDING(self->fd, self->queue.timeline, point + 1);
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	ASSERT_EQ(0, pthread_join(waiter.thread, NULL));
	EXPECT_EQ(0, waiter.ret);
	EXPECT_EQ(-ECANCELED, waiter.wait.status);
	EXPECT_EQ(-ECANCELED, waiter.statuses[0]);

	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_POINT(-ECANCELED, self->fd, self->queue.timeline, point + 1);
	EXPECT_POINT(-ECANCELED, self->fd, self->queue.timeline, UINT64_MAX);
	EXPECT_EQ(-ECANCELED, point_status(self->fd, self->queue.timeline,
					   point + 1));
}

/* The waiter has the point; it needs the id no more. */
TEST_F(timeline, destroyed_while_waited_for)
{
	struct waiter waiter = { .fd = self->fd, .count = 1 };
	__u64 hang;

	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &hang));
	waiter.points[0] = (struct accel_point) {
		self->queue.timeline, 0, hang,
	};
	ASSERT_EQ(0, start_waiter(&waiter));
	ASSERT_EQ(0, destroy(self->fd, self->queue.timeline));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	ASSERT_EQ(0, pthread_join(waiter.thread, NULL));
	/* ENOENT: the thread slept elsewhere and came after DESTROY. */
	EXPECT_TRUE(waiter.ret == 0 || waiter.ret == -ENOENT);
	if (!waiter.ret)
		EXPECT_EQ(0, waiter.statuses[0]);
}

TEST_HARNESS_MAIN
