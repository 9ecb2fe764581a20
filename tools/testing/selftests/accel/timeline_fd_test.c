// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timelines as file descriptors, given to other processes and open files; and
 * eventfds that hear of their points.
 */
#include "pass_fd.h"
#include "unplug.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define EVENTFDS_MAX	256

FIXTURE(timeline_fd)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	__u32 timeline;
	int event;
};

FIXTURE_SETUP(timeline_fd)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, self->event);
}

FIXTURE_TEARDOWN(timeline_fd)
{
	EXPECT_EQ(0, close(self->event));
	accel_teardown(_metadata, self->fd);
}

/* What the eventfd has been told until now, within @ms of which it was first. */
static long long told(int event, int ms)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	__u64 count;

	if (poll(&poll_fd, 1, ms) != 1)
		return 0;
	return read(event, &count, sizeof(count)) == sizeof(count) ? count : -1;
}

/* What was to be told has been, once the census has been read. */
static long long told_by_now(int event)
{
	char text[CENSUS_SIZE];

	return census_read(text) ? -1 : told(event, 0);
}

/* A process of somebody else's: it has but the socket. Exits with 0 or a line. */
#define CHILD_EXPECT(condition) do {			\
	if (!(condition))				\
		_exit(__LINE__ % 255 + 1);		\
} while (0)

static void child(int socket)
{
	int reader, writer, fd;
	__u32 read_id, write_id;
	__s32 status;

	closefrom(socket + 1);
	reader = receive_fd(socket);
	writer = receive_fd(socket);
	CHILD_EXPECT(reader >= 0 && writer >= 0);
	fd = accel_open();
	CHILD_EXPECT(fd >= 0);
	CHILD_EXPECT(!timeline_import(fd, reader, &read_id));
	CHILD_EXPECT(!timeline_import(fd, writer, &write_id));
	CHILD_EXPECT(timeline_signal(fd, read_id, 1) == -EACCES);
	CHILD_EXPECT(timeline_export(fd, read_id, ACCEL_TIMELINE_SIGNAL_RIGHT) ==
		     -EACCES);
	CHILD_EXPECT(!timeline_signal(fd, write_id, 1));
	/* Until the parent answers. */
	CHILD_EXPECT(!point_wait_until(fd, read_id, 2, deadline_ms(WAIT_MS),
				       &status));
	CHILD_EXPECT(!status);
	CHILD_EXPECT(!timeline_signal(fd, write_id, 3));
	_exit(0);
}

TEST_F(timeline_fd, another_process)
{
	const __u32 rights[] = { 0, ACCEL_TIMELINE_SIGNAL_RIGHT };
	int sockets[2], status, fd, i;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Nothing of the parent's but the socket, which comes last. */
		CHILD_EXPECT(dup2(sockets[1], 3) == 3);
		child(3);
	}
	ASSERT_EQ(0, close(sockets[1]));
	for (i = 0; i < 2; i++) {
		fd = timeline_export(self->fd, self->timeline, rights[i]);
		ASSERT_LE(0, fd);
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		ASSERT_EQ(0, send_fd(sockets[0], fd));
		ASSERT_EQ(0, close(fd));
	}
	EXPECT_POINT(0, self->fd, self->timeline, 1);
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 2));
	EXPECT_POINT(0, self->fd, self->timeline, 3);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status)) {
		TH_LOG("in the child, at line %d (modulo 255)",
		       WEXITSTATUS(status) - 1);
	}
	/* Its right is gone, ours is not. */
	EXPECT_EQ(0, timeline_signal(self->fd, self->timeline, 4));
	ASSERT_EQ(0, close(sockets[0]));
}

/* Sent and never received: it is gone with the socket. */
TEST_F(timeline_fd, lost_on_the_way)
{
	int sockets[2], fd;
	__u32 reader;

	fd = timeline_export(self->fd, self->timeline, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, timeline_import(self->fd, fd, &reader));
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	fd = timeline_export(self->fd, self->timeline,
			     ACCEL_TIMELINE_SIGNAL_RIGHT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_fd(sockets[0], fd));
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, destroy(self->fd, self->timeline));
	EXPECT_PENDING(self->fd, reader, 1);
	ASSERT_EQ(0, close(sockets[0]));
	ASSERT_EQ(0, close(sockets[1]));
	EXPECT_POINT(-ECANCELED, self->fd, reader, 1);
}

/* There is none to be had, for either kind, and nothing is left of it. */
TEST_F(timeline_fd, no_descriptor)
{
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	struct rlimit old, limit;
	int next, timeline, sync;
	__u64 point;

	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &point));
	ASSERT_EQ(0, census_read(before));
	next = next_fd();
	ASSERT_LE(0, next);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	limit = old;
	limit.rlim_cur = next;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	timeline = timeline_export(self->fd, self->timeline, 0);
	sync = sync_file_export(self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(-EMFILE, timeline);
	EXPECT_EQ(-EMFILE, sync);
	ASSERT_EQ(0, census_read(after));
	EXPECT_STREQ(before, after);
	EXPECT_EQ(next, next_fd());
}

TEST_F(timeline_fd, rights)
{
	struct test_job job = job_nop();
	__u32 reader, writer, points;
	__u64 point;
	int fd;

	fd = timeline_export(self->fd, self->timeline, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, timeline_import(self->fd, fd, &reader));
	ASSERT_EQ(0, close(fd));
	fd = timeline_export(self->fd, self->timeline,
			     ACCEL_TIMELINE_SIGNAL_RIGHT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, timeline_import(self->fd, fd, &writer));
	ASSERT_EQ(0, close(fd));
	EXPECT_NE(self->timeline, writer);
	fd = timeline_export(self->fd, self->queue.timeline, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, timeline_import(self->fd, fd, &points));
	ASSERT_EQ(0, close(fd));
	EXPECT_EQ(-EPERM, timeline_export(self->fd, self->queue.timeline,
					  ACCEL_TIMELINE_SIGNAL_RIGHT));
	EXPECT_EQ(-EPERM, timeline_signal(self->fd, points, 1));

	job_signal(&job, reader, 1);
	EXPECT_EQ(-EACCES, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(-EACCES, timeline_signal(self->fd, reader, 1));
	EXPECT_PENDING(self->fd, self->timeline, 1);
	job.signals[0].timeline = writer;
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_POINT(0, self->fd, reader, 1);
	EXPECT_POINT(0, self->fd, points, point);
}

/* Those who may signal a timeline, and the order in which they go. */
static const int orders[][3] = {
	{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
};

static void close_in_order(struct __test_metadata *_metadata,
			   FIXTURE_DATA(timeline_fd) *self, const int order[3])
{
	__u32 own, theirs, reader;
	int fd, other, plain, i;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &own));
	plain = timeline_export(self->fd, own, 0);
	fd = timeline_export(self->fd, own, ACCEL_TIMELINE_SIGNAL_RIGHT);
	other = accel_open();
	ASSERT_LE(0, plain);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, timeline_import(self->fd, plain, &reader));
	ASSERT_EQ(0, timeline_import(other, fd, &theirs));
	ASSERT_EQ(0, timeline_signal(other, theirs, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_PENDING(self->fd, reader, 2);
		switch (order[i]) {
		case 0:
			ASSERT_EQ(0, destroy(self->fd, own));
			break;
		case 1:
			ASSERT_EQ(0, close(fd));
			break;
		default:
			ASSERT_EQ(0, close(other));
		}
	}
	EXPECT_POINT(-ECANCELED, self->fd, reader, 2);
	EXPECT_POINT(0, self->fd, reader, 1);
	ASSERT_EQ(0, destroy(self->fd, reader));
	EXPECT_EQ(0, close(plain));
}

TEST_F(timeline_fd, close_in_every_order)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(orders); i++)
		close_in_order(_metadata, self, orders[i]);
}

/* It is closed, but what a job has promised on it is kept. */
TEST_F(timeline_fd, promise_outlives_its_id)
{
	struct test_job job = job_hang();
	__u32 reader;
	__u64 point;
	int fd;

	fd = timeline_export(self->fd, self->timeline, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, timeline_import(self->fd, fd, &reader));
	ASSERT_EQ(0, close(fd));
	job_signal(&job, self->timeline, 5);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, destroy(self->fd, self->timeline));
	EXPECT_PENDING(self->fd, reader, 5);
	EXPECT_POINT(-ECANCELED, self->fd, reader, 6);
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, reader, 5);
}

/* The file that made it is closed; it is whoever's has it. */
TEST_F(timeline_fd, outlives_its_file)
{
	int fd, other = accel_open();
	__u32 theirs, own;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, timeline_create(other, 7, &theirs));
	fd = timeline_export(other, theirs, ACCEL_TIMELINE_SIGNAL_RIGHT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, close(other));
	ASSERT_EQ(0, timeline_import(self->fd, fd, &own));
	ASSERT_EQ(0, close(fd));
	EXPECT_POINT(0, self->fd, own, 7);
	EXPECT_PENDING(self->fd, own, 8);
	ASSERT_EQ(0, timeline_signal(self->fd, own, 8));
	EXPECT_POINT(0, self->fd, own, 8);
}

/* Promises that are refused, on a timeline where others make theirs. */
struct refuser {
	int fd;
	__u32 queue;
	struct test_job job;
	volatile bool stop;
	int ret;
};

static void *refuse(void *data)
{
	struct refuser *r = data;
	struct accel_timeline_query query;
	__u64 point;

	while (!r->stop) {
		r->ret = timeline_query(r->fd, r->job.signals[0].timeline, 0,
					&query);
		if (r->ret)
			break;
		r->job.signals[0].value = query.promised + 1;
		r->ret = submit_one(r->fd, r->queue, &r->job, &point);
		if (r->ret != -EINVAL)
			break;
	}
	return NULL;
}

TEST_F_TIMEOUT(timeline_fd, refused_promises_of_others, LONG_TEST_S)
{
	const __u64 count = rounds(1000, 30000);
	struct refuser r = { .job = job_nop() };
	struct accel_queue_create queue;
	pthread_t thread;
	__u32 theirs, bad;
	__u64 value;
	int fd, ret;

	r.fd = accel_open();
	ASSERT_LE(0, r.fd);
	fd = timeline_export(self->fd, self->timeline,
			     ACCEL_TIMELINE_SIGNAL_RIGHT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, timeline_import(r.fd, fd, &theirs));
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, queue_create(r.fd, 1, 0, &queue));
	ASSERT_EQ(0, timeline_create(r.fd, 0, &bad));
	r.queue = queue.id;
	job_signal(&r.job, theirs, 0);
	job_signal(&r.job, bad, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, refuse, &r));

	/* One above ours may be promised right now, and will not have been. */
	for (value = 1; value <= count; value++) {
		do {
			ret = timeline_signal(self->fd, self->timeline, value);
		} while (ret == -EINVAL);
		ASSERT_EQ(0, ret);
		EXPECT_POINT(0, self->fd, self->timeline, value);
	}
	r.stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-EINVAL, r.ret);
	EXPECT_PENDING(self->fd, self->timeline, count + 1);
	EXPECT_EQ(0, close(r.fd));
}

TEST_F(timeline_fd, eventfd)
{
	struct test_job job = job_fail(-EDOM);
	__u64 point;

	/* Before anybody has promised it. */
	ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 1, self->event));
	ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 3, self->event));
	EXPECT_EQ(0, told(self->event, 0));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 2));
	EXPECT_EQ(1, told(self->event, WAIT_MS));
	EXPECT_EQ(0, told_by_now(self->event));

	/* A failure is an end, and what has ended is told at once. */
	job_signal(&job, self->timeline, 3);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(1, told(self->event, WAIT_MS));
	ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 3, self->event));
	EXPECT_EQ(1, told(self->event, 0));
	ASSERT_EQ(0, eventfd_export(self->fd, self->queue.timeline, point,
				    self->event));
	EXPECT_EQ(1, told(self->event, 0));
	/* Nobody will ever promise this. */
	ASSERT_EQ(0, eventfd_export(self->fd, self->queue.timeline, point + 1,
				    self->event));
	EXPECT_EQ(0, told_by_now(self->event));
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	EXPECT_EQ(1, told(self->event, WAIT_MS));
}

TEST_F(timeline_fd, eventfd_refused)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = self->timeline,
		.value = 1,
		.type = ACCEL_FD_EVENTFD,
		.flags = ACCEL_TIMELINE_SIGNAL_RIGHT,
		.fd = self->event,
	};
	int bad, i;

	EXPECT_EQ(-EOPNOTSUPP, accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_EXPORT,
					   &export));
	EXPECT_EQ(-ENOENT, eventfd_export(self->fd, self->queue.id, 1,
					  self->event));
	EXPECT_EQ(-EBADF, eventfd_export(self->fd, self->timeline, 1, -1));
	EXPECT_EQ(-EBADF, eventfd_export(self->fd, self->timeline, 1, self->fd));
	bad = timeline_export(self->fd, self->timeline, 0);
	ASSERT_LE(0, bad);
	EXPECT_EQ(-EBADF, eventfd_export(self->fd, self->timeline, 1, bad));
	ASSERT_EQ(0, close(bad));

	for (i = 0; i < EVENTFDS_MAX; i++)
		ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 1 + i % 2,
					    self->event));
	EXPECT_EQ(-ENOSPC, eventfd_export(self->fd, self->timeline, 1,
					  self->event));
	/* They come back, and those that are told at once need no room. */
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_EQ(EVENTFDS_MAX / 2, told_by_now(self->event));
	for (i = 0; i < EVENTFDS_MAX / 2; i++)
		ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 2,
					    self->event));
	EXPECT_EQ(-ENOSPC, eventfd_export(self->fd, self->timeline, 2,
					  self->event));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 2));
	EXPECT_EQ(EVENTFDS_MAX, told_by_now(self->event));
}

/* What has not been told is taken back with the id, and with the file. */
TEST_F(timeline_fd, eventfd_taken_back)
{
	int fd = timeline_export(self->fd, self->timeline, 0), other, i;
	__u32 theirs, reader;

	ASSERT_LE(0, fd);
	other = accel_open();
	ASSERT_LE(0, other);
	ASSERT_EQ(0, timeline_import(other, fd, &theirs));
	ASSERT_EQ(0, timeline_import(self->fd, fd, &reader));
	ASSERT_EQ(0, close(fd));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, eventfd_export(other, theirs, 1, self->event));
		ASSERT_EQ(0, eventfd_export(self->fd, reader, 1, self->event));
	}
	ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 1, self->event));
	ASSERT_EQ(0, close(other));
	ASSERT_EQ(0, destroy(self->fd, reader));
	EXPECT_EQ(0, told_by_now(self->event));
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	EXPECT_EQ(1, told_by_now(self->event));
}

/* The device goes: a point that will not come has. */
TEST_F(timeline_fd, unbound)
{
	struct test_job job = job_hang();
	struct plug plug;
	__u32 unused;
	__u64 point;
	int fd;

	ASSERT_EQ(0, plug_find_vaccel(&plug));
	fd = timeline_export(self->fd, self->timeline,
			     ACCEL_TIMELINE_SIGNAL_RIGHT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, eventfd_export(self->fd, self->timeline, 1, self->event));
	ASSERT_EQ(0, eventfd_export(self->fd, self->queue.timeline, point,
				    self->event));
	ASSERT_EQ(0, vaccel_unbind());
	EXPECT_EQ(2, told_by_now(self->event));
	EXPECT_EQ(-ENODEV, eventfd_export(self->fd, self->timeline, 1,
					  self->event));
	EXPECT_EQ(-ENODEV, timeline_import(self->fd, fd, &unused));
	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, vaccel_bind());

	/*
	 * A timeline of the device that was, in a file of the one that is. As long as
	 * somebody has the timeline, the device's number is its.
	 */
	self->fd = minor_open(plug_minor(&plug));
	ASSERT_LE(0, self->fd);
	EXPECT_FALSE(path_exists(accel_path()));
	EXPECT_EQ(0, timeline_import(self->fd, fd, &unused));
	EXPECT_EQ(-ENODEV, timeline_signal(self->fd, unused, 1));
	EXPECT_EQ(-ENODEV, point_status(self->fd, unused, 1));
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_EQ(0, census_total());
	ASSERT_EQ(0, vaccel_unbind());
	ASSERT_EQ(0, vaccel_bind());
	EXPECT_TRUE(path_exists(accel_path()));
}

TEST_HARNESS_MAIN
