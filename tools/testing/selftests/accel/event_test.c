// SPDX-License-Identifier: GPL-2.0-only
/* What poll() and read() tell. */
#include "event.h"

#include <sys/epoll.h>
#include <sys/time.h>

FIXTURE(event)
{
	int fd;
	bool unbound;
	struct accel_query_device dev;
	struct accel_queue_create queue;
};

FIXTURE_SETUP(event)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
}

FIXTURE_TEARDOWN(event)
{
	/* Not before: the number is not used again while somebody has the device. */
	accel_teardown(_metadata, self->fd);
	if (self->unbound)
		EXPECT_EQ(0, vaccel_bind());
}

/* Has a job fail and waits until it has; returns its point. */
static __u64 fail_one(struct __test_metadata *_metadata, int fd,
		      const struct accel_queue_create *queue, int error)
{
	struct test_job job = job_fail(error);
	__u64 point = 0;

	ASSERT_EQ(0, submit_one(fd, queue->id, &job, &point));
	EXPECT_POINT(error, fd, queue->timeline, point);
	/* The point comes first; the next job of the queue after both. */
	EXPECT_EQ(0, engine_flush(fd, 0));
	return point;
}

static void expect_no_event(struct __test_metadata *_metadata, int fd)
{
	struct accel_event event;

	EXPECT_EQ(0, event_poll(fd));
	EXPECT_EQ(-EAGAIN, event_read(fd, &event, sizeof(event)));
}

TEST_F(event, none_without_a_failure)
{
	__u64 point;

	expect_no_event(_metadata, self->fd);
	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	expect_no_event(_metadata, self->fd);
}

TEST_F(event, job_failed)
{
	__u64 point;

	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	point = fail_one(_metadata, self->fd, &self->queue, -EILSEQ);
	EXPECT_EQ(2, point);
	EXPECT_EQ(POLLIN, event_poll(self->fd));
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -EILSEQ, point, 1);
	expect_no_event(_metadata, self->fd);
}

/* Of many failures the first is told and all are counted. */
TEST_F(event, repeats_are_counted)
{
	__u64 first, i;

	first = fail_one(_metadata, self->fd, &self->queue, -EDOM);
	for (i = 0; i < 4; i++)
		fail_one(_metadata, self->fd, &self->queue, -ERANGE);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -EDOM, first, 5);
	expect_no_event(_metadata, self->fd);

	/* Told is told. */
	fail_one(_metadata, self->fd, &self->queue, -ERANGE);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -ERANGE, first + 5, 1);
}

TEST_F(event, oldest_queue_first)
{
	struct accel_queue_create other;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	fail_one(_metadata, self->fd, &other, -EDOM);
	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	fail_one(_metadata, self->fd, &other, -EDOM);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, other.id,
		     -EDOM, 1, 2);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -EDOM, 1, 1);
	expect_no_event(_metadata, self->fd);
}

/* Nobody hears of what happens to others. */
TEST_F(event, of_this_file_only)
{
	int fd = accel_open();

	ASSERT_LE(0, fd);
	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	EXPECT_EQ(0, event_poll(fd));
	EXPECT_EQ(POLLIN, event_poll(self->fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F(event, queue_lost)
{
	struct accel_queue_create lost;
	struct test_job hang = job_hang();
	char census[CENSUS_SIZE];
	__u64 point;
	__u32 go;

	ASSERT_EQ(0, queue_create(self->fd, 0, 50, &lost));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &go));
	job_wait(&hang, go, 1);
	ASSERT_EQ(0, submit_one(self->fd, lost.id, &hang, &point));
	ASSERT_EQ(0, submit_nop(self->fd, lost.id, &point));
	/* Late as soon as it runs: until both are there it is held. */
	ASSERT_EQ(0, timeline_signal(self->fd, go, 1));
	EXPECT_POINT(-ECANCELED, self->fd, lost.timeline, point);
	/* Points come first; the census waits for whoever ends jobs, a worker here. */
	ASSERT_EQ(0, census_read(census));
	expect_event(_metadata, self->fd, ACCEL_EVENT_QUEUE_LOST, lost.id, -EIO,
		     0, 1);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, lost.id,
		     -ETIME, 1, 2);
	expect_no_event(_metadata, self->fd);
}

TEST_F(event, destroyed_queue_has_nothing_to_tell)
{
	struct accel_queue_create other;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	fail_one(_metadata, self->fd, &other, -EDOM);
	/* This one is cancelled by the destruction itself. */
	ASSERT_EQ(0, submit_hang(self->fd, other.id, &point));
	EXPECT_EQ(POLLIN, event_poll(self->fd));
	ASSERT_EQ(0, destroy(self->fd, other.id));
	expect_no_event(_metadata, self->fd);
}

/* Whole events only, and none is lost for want of room. */
TEST_F(event, odd_sizes)
{
	struct accel_queue_create other;
	__u8 buf[3 * EVENT_SIZE];
	size_t size;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	for (size = 0; size <= 2 * EVENT_SIZE + 1; size++) {
		fail_one(_metadata, self->fd, &self->queue, -EDOM);
		fail_one(_metadata, self->fd, &other, -EDOM);
		memset(buf, 0xaa, sizeof(buf));
		EXPECT_EQ(size < EVENT_SIZE ? -EINVAL :
			  size < 2 * EVENT_SIZE ? (ssize_t)EVENT_SIZE :
			  (ssize_t)(2 * EVENT_SIZE),
			  event_read(self->fd, buf, size));
		size_t told = size / EVENT_SIZE * EVENT_SIZE;

		EXPECT_EQ(sizeof(buf) - told,
			  span(buf + told, 0xaa, sizeof(buf) - told));
		EXPECT_EQ(size < 2 * EVENT_SIZE ? POLLIN : 0,
			  event_poll(self->fd));
		while (event_read(self->fd, buf, sizeof(buf)) > 0)
			;
	}
}

/* An event that could not be written is still there, in its place. */
TEST_F(event, bad_buffer)
{
	long page = sysconf(_SC_PAGESIZE);
	struct accel_queue_create other;
	__u8 *map;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &other));
	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	fail_one(_metadata, self->fd, &other, -EDOM);

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, munmap(map + page, page));
	EXPECT_EQ(-EFAULT, event_read(self->fd, map + page, 2 * EVENT_SIZE));
	EXPECT_EQ(-EFAULT, event_read(self->fd, map + page - EVENT_SIZE + 1,
				      EVENT_SIZE));
	/* The first fits and the second does not. */
	EXPECT_EQ(EVENT_SIZE, event_read(self->fd, map + page - EVENT_SIZE - 1,
					 2 * EVENT_SIZE));
	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, other.id,
		     -EDOM, 1, 1);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -EDOM, 2, 1);
	expect_no_event(_metadata, self->fd);
	munmap(map, page);
}

/* One that sleeps in read() by then; and one that does in poll(), without end. */
TEST_F(event, wakes_a_reader)
{
	struct sleeper reader = { .fd = self->fd };

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	ASSERT_EQ(0, sleeper_start(&reader));
	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	ASSERT_EQ(0, pthread_join(reader.thread, NULL));
	EXPECT_EQ(EVENT_SIZE, reader.ret);
	expect_is(_metadata, &reader.event, ACCEL_EVENT_JOB_FAILED,
		  self->queue.id, -EDOM, 1, 1);
}

TEST_F(event, wakes_a_poller)
{
	struct sleeper poller = { .fd = self->fd, .polls = true };

	ASSERT_EQ(0, sleeper_start(&poller));
	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	ASSERT_EQ(0, pthread_join(poller.thread, NULL));
	EXPECT_EQ(POLLIN, poller.ret);
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -EDOM, 1, 1);
}

static void on_alarm(int signal)
{
}

TEST_F(event, signal_ends_a_read)
{
	struct itimerval timer = {
		.it_value.tv_usec = 10000,
		.it_interval.tv_usec = 10000,
	};
	struct sigaction action = { .sa_handler = on_alarm };
	struct accel_event event;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
	EXPECT_EQ(-EINTR, event_read(self->fd, &event, sizeof(event)));
	timer = (struct itimerval) {};
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &timer, NULL));
}

/* The file goes while an epoll watches it and events are pending. */
TEST_F(event, closed_with_events_pending)
{
	struct epoll_event watch = { .events = EPOLLIN };
	struct accel_queue_create queue;
	int fd, epoll;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, epoll);
	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &watch));
	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	EXPECT_EQ(0, epoll_wait(epoll, &watch, 1, 0));
	fail_one(_metadata, fd, &queue, -EDOM);
	EXPECT_EQ(1, epoll_wait(epoll, &watch, 1, 0));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, epoll_wait(epoll, &watch, 1, 0));
	EXPECT_EQ(0, close(epoll));
}

struct storm {
	int fd;
	bool stop;
	unsigned long count;
};

static void *read_all(void *arg)
{
	struct storm *storm = arg;
	struct accel_event event;

	while (!__atomic_load_n(&storm->stop, __ATOMIC_ACQUIRE) ||
	       event_poll(storm->fd)) {
		if (event_read(storm->fd, &event, sizeof(event)) > 0)
			storm->count += event.count;
	}
	return NULL;
}

/* Each failure is counted once, by one of two readers. */
TEST_F_TIMEOUT(event, two_readers, LONG_TEST_S)
{
	struct storm storms[2] = { { .fd = self->fd }, { .fd = self->fd } };
	struct test_job job = job_fail(-EDOM);
	unsigned int i, jobs = rounds(300, 5000);
	struct accel_submit sub;
	pthread_t threads[2];

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, read_all,
					    &storms[i]));
	for (i = 0; i < jobs; i += sub.accepted) {
		sub.accepted = 0;
		if (submit_repeated(self->fd, self->queue.id, &job, 10, &sub) ==
		    -EAGAIN)
			EXPECT_EQ(0, engine_flush(self->fd, 0));
	}
	EXPECT_POINT(-EDOM, self->fd, self->queue.timeline, i);
	EXPECT_EQ(0, engine_flush(self->fd, 0));
	for (i = 0; i < 2; i++)
		__atomic_store_n(&storms[i].stop, true, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_LE(jobs, storms[0].count + storms[1].count);
	EXPECT_GT(jobs + 10, storms[0].count + storms[1].count);
}

/* What was pending is told first, then that this was all. */
TEST_F(event, device_gone)
{
	struct accel_event event;
	__u64 point;

	fail_one(_metadata, self->fd, &self->queue, -EDOM);
	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &point));
	ASSERT_EQ(0, vaccel_unbind());
	self->unbound = true;
	EXPECT_EQ(POLLIN | POLLHUP, event_poll(self->fd));
	expect_event(_metadata, self->fd, ACCEL_EVENT_JOB_FAILED, self->queue.id,
		     -EDOM, 1, 2);
	expect_event(_metadata, self->fd, ACCEL_EVENT_GONE, 0, -ENODEV, 0, 1);
	EXPECT_EQ(-ENODEV, event_read(self->fd, &event, sizeof(event)));
	EXPECT_EQ(-EINVAL, event_read(self->fd, &event, sizeof(event) - 1));
	EXPECT_EQ(POLLIN | POLLHUP, event_poll(self->fd));
}

TEST_F(event, device_gone_wakes_a_reader)
{
	struct sleeper reader = { .fd = self->fd };

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	ASSERT_EQ(0, sleeper_start(&reader));
	ASSERT_EQ(0, vaccel_unbind());
	self->unbound = true;
	ASSERT_EQ(0, pthread_join(reader.thread, NULL));
	EXPECT_EQ(EVENT_SIZE, reader.ret);
	expect_is(_metadata, &reader.event, ACCEL_EVENT_GONE, 0, -ENODEV, 0, 1);
}

TEST_HARNESS_MAIN
