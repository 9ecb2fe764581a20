// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of files, processes and objects, with everything in flight. What is left is in
 * the census.
 */
#include "busy.h"
#include "pass_fd.h"

#include <sys/socket.h>
#include <sys/wait.h>

FIXTURE(lifetime)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(lifetime)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(lifetime)
{
	accel_teardown(_metadata, self->fd);
}

/* The mapping keeps the file open as its descriptor does: either may be last. */
TEST_F(lifetime, close_with_everything_in_flight)
{
	struct busy busy;
	int i, fd;

	for (i = 0; i < 10; i++) {
		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, busy_start(fd, self->dev.timeout_max_ms, &busy));
		if (i % 2) {
			EXPECT_EQ(0, munmap(busy.map, 65536));
			EXPECT_EQ(0, close(fd));
		} else {
			EXPECT_EQ(0, close(fd));
			EXPECT_EQ(0, munmap(busy.map, 65536));
		}
		ASSERT_EQ(0, engines_flush(self->fd));
	}
}

/* Ids go one by one, in this order and in the opposite one. */
TEST_F(lifetime, destroy_with_everything_in_flight)
{
	struct busy busy;
	size_t i, round;
	__u32 last;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, busy_start(self->fd, self->dev.timeout_max_ms,
					&busy));
		__u32 ids[] = {
			busy.bo.id, busy.mapped.id, busy.timeline,
			busy.running.timeline, busy.pending.timeline,
			busy.held.timeline, busy.other.timeline,
			busy.pending.id, busy.running.id, busy.held.id,
			busy.other.id,
		};

		for (i = 0; i < ARRAY_LEN(ids); i++)
			EXPECT_EQ(0, destroy(self->fd, ids[round ? i :
						ARRAY_LEN(ids) - 1 - i]));

		/* No job of a queue writes after its end. */
		last = busy.map[0];
		ASSERT_EQ(0, engines_flush(self->fd));
		EXPECT_EQ(last, busy.map[0]);
		EXPECT_EQ(0, munmap(busy.map, 65536));
	}
}

static void *wait_for_ever(void *arg)
{
	int fd = *(int *)arg;
	__s32 status;
	__u32 id;

	if (!timeline_create(fd, 0, &id))
		point_wait_until(fd, id, 1, INT64_MAX, &status);
	return NULL;
}

/* Says by the pipe that it is busy, and then waits to be killed. */
static void be_busy(int out, __u32 timeout_ms)
{
	pthread_t threads[2];
	struct busy busy;
	int fd, ret;
	size_t i;

	fd = accel_open();
	ret = fd < 0 ? fd : busy_start(fd, timeout_ms, &busy);
	for (i = 0; !ret && i < ARRAY_LEN(threads); i++)
		ret = pthread_create(&threads[i], NULL, wait_for_ever, &fd);
	if (write(out, &ret, sizeof(ret)) != sizeof(ret))
		_exit(1);
	wait_for_ever(&fd);
	_exit(2);
}

TEST_F(lifetime, killed_with_everything_in_flight)
{
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	int pipefd[2], ret, status, i;
	pid_t child;

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, census_read(before));
	for (i = 0; i < 5; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			be_busy(pipefd[1], self->dev.timeout_max_ms);
		ASSERT_EQ(sizeof(ret), read(pipefd[0], &ret, sizeof(ret)));
		EXPECT_EQ(0, ret);
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, census_read(after));
		EXPECT_STREQ(before, after);
		ASSERT_EQ(0, engines_flush(self->fd));
	}
	close(pipefd[0]);
	close(pipefd[1]);
}

/* A child that shares the file and dies takes nothing of it along. */
TEST_F(lifetime, killed_child_shares_the_file)
{
	struct accel_queue_create queue;
	struct accel_queue_info info;
	struct accel_bo_create bo;
	struct test_job fill;
	int pipefd[2], ret, status;
	pid_t child;
	__u64 point;
	__u32 *map;

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	fill = job_fill(bo.id, 0, 4096, 3);
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		ret = submit_one(self->fd, queue.id, &fill, &point);
		if (write(pipefd[1], &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
		wait_for_ever(&self->fd);
		_exit(2);
	}
	ASSERT_EQ(sizeof(ret), read(pipefd[0], &ret, sizeof(ret)));
	EXPECT_EQ(0, ret);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));

	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(0, info.status);
	EXPECT_EQ(2, info.submitted);
	EXPECT_PENDING(self->fd, queue.timeline, 1);
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, 2);
	EXPECT_EQ(3, map[0]);
	ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
	EXPECT_POINT(0, self->fd, queue.timeline, 3);
	EXPECT_EQ(0, munmap(map, 4096));
	close(pipefd[0]);
	close(pipefd[1]);
}

/*
 * The opener makes a hang, sends the file and exits. Who receives it has the
 * opener's objects, and can ask about the file though the opener is gone.
 */
TEST_F(lifetime, passed_by_a_process_that_exits)
{
	char census[CENSUS_SIZE], fdinfo[FDINFO_SIZE];
	struct accel_queue_info info;
	int socks[2], status, fd;
	pid_t child;
	__u32 queue = 1;
	__u64 point;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct accel_queue_create made;

		fd = accel_open();
		if (fd < 0 ||
		    queue_create(fd, 0, self->dev.timeout_max_ms, &made) ||
		    submit_hang(fd, made.id, &point) ||
		    send_fd(socks[1], fd))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	fd = receive_fd(socks[0]);
	ASSERT_LE(0, fd);
	close(socks[0]);
	close(socks[1]);

	/* The ids are 1 and 2: the queue and its timeline. */
	if (queue_info(fd, queue, &info))
		queue = 2;
	ASSERT_EQ(0, queue_info(fd, queue, &info));
	EXPECT_EQ(1, info.submitted);
	EXPECT_EQ(0, info.status);
	/* Reading the census waits until the opener is freed. */
	ASSERT_EQ(0, census_read(census));
	ASSERT_EQ(0, read_fdinfo(fd, fdinfo));
	EXPECT_TRUE(!!strstr(fdinfo, "drm-client-id:"));

	ASSERT_EQ(0, hang_release(fd, queue));
	EXPECT_POINT(0, fd, info.timeline, 1);
	ASSERT_EQ(0, submit_hang(fd, queue, &point));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, engines_flush(self->fd));
}

/* What a job names lives as long as the job. */
TEST_F(lifetime, objects_destroyed_under_jobs)
{
	struct accel_queue_create queue, other;
	struct accel_bo_create bo, keep, reuse;
	struct test_job fill, copy, nop = job_nop();
	__u32 waits, signals;
	__u64 point;
	__u32 *map;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &keep));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &waits));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &signals));
	map = bo_map(self->fd, &keep);
	ASSERT_TRUE(map != MAP_FAILED);

	fill = job_fill(bo.id, 0, 4096, 5);
	job_wait(&fill, waits, 1);
	job_signal(&fill, signals, 1);
	copy = job_copy(bo.id, 0, keep.id, 0, 4096);
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &fill, &point));
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &copy, &point));
	job_wait(&nop, signals, 1);
	ASSERT_EQ(0, submit_one(self->fd, other.id, &nop, &point));
	ASSERT_EQ(0, timeline_signal(self->fd, waits, 1));

	ASSERT_EQ(0, destroy(self->fd, bo.id));
	ASSERT_EQ(0, destroy(self->fd, waits));
	ASSERT_EQ(0, destroy(self->fd, signals));
	/* The id's next owner is not what the jobs meant. */
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &reuse));
	EXPECT_EQ(bo.id, reuse.id);

	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, 3);
	EXPECT_POINT(0, self->fd, other.timeline, 1);
	EXPECT_EQ(5, map[0]);
	EXPECT_EQ(5, map[1023]);
	EXPECT_EQ(0, munmap(map, 4096));
}

TEST_HARNESS_MAIN
