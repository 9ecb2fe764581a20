// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client may do to itself, with descriptors, signals, limits and ids, none
 * of which is anybody else's concern.
 */
#define _GNU_SOURCE
#include "busy.h"
#include "pass_fd.h"
#include "unplug.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

FIXTURE(abuse)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(abuse)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(abuse)
{
	accel_teardown(_metadata, self->fd);
}

/*
 * Sockets in flight in each other, and with them a file that has everything in
 * flight of its own. Nobody has a descriptor of it any more: it is the kernel's
 * garbage collector that closes it.
 */
TEST_F_TIMEOUT(abuse, descriptors_in_circles, LONG_TEST_S)
{
	const unsigned int times = rounds(20, 200);
	__s64 deadline;
	struct busy busy;
	unsigned int i;
	int socks[2];

	for (i = 0; i < times; i++) {
		int fd = accel_open();
		int sent[2] = { fd };

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, busy_start(fd, self->dev.timeout_max_ms, &busy));
		ASSERT_EQ(0, munmap(busy.map, 65536));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, socks));
		sent[1] = socks[0];
		ASSERT_EQ(0, send_fds(socks[0], sent, 2));
		sent[1] = socks[1];
		ASSERT_EQ(0, send_fds(socks[1], sent, 2));
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, close(socks[0]));
		ASSERT_EQ(0, close(socks[1]));
	}
	/* It comes when sockets are closed, and works in the background. */
	deadline = deadline_ms(WAIT_MS);
	while (census_count("files") > 1 && now_ns() < deadline) {
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, socks));
		close(socks[0]);
		close(socks[1]);
	}
	EXPECT_EQ(1, census_count("files"));
	EXPECT_EQ(0, engines_flush(self->fd));
}

/* Generations that share a file; each child is killed, and its parent goes on. */
TEST_F_TIMEOUT(abuse, generations, LONG_TEST_S)
{
	struct accel_queue_create queue;
	struct accel_queue_info info;
	int pipefd[2], i, ret, status;
	pid_t child;
	__u64 point = 0;

	ASSERT_EQ(0, queue_create(self->fd, 1, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, pipe(pipefd));
	for (i = 0; i < 20; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			ret = submit_nop(self->fd, queue.id, &point) ?:
			      submit_hang(self->fd, queue.id, &point);
			if (write(pipefd[1], &ret, sizeof(ret)) == sizeof(ret))
				point_wait_until(self->fd, queue.timeline,
						 point, INT64_MAX, &status);
			_exit(0);
		}
		ASSERT_EQ(sizeof(ret), read(pipefd[0], &ret, sizeof(ret)));
		EXPECT_EQ(0, ret);
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_PENDING(self->fd, queue.timeline, 2 * i + 2);
		ASSERT_EQ(0, hang_release(self->fd, queue.id));
		EXPECT_POINT(0, self->fd, queue.timeline, 2 * i + 2);
	}
	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(40, info.submitted);
	EXPECT_EQ(0, info.failed);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* In a process of its own, since it closes all that it has. */
#define CLOSE_THREADS	3

struct closing {
	__s64 end;
	__u32 timeout_ms;
	unsigned long opens;
	unsigned long closes;
};

static struct closing *closing;

static void *open_and_use(void *arg)
{
	struct busy busy;
	int fd;

	while (now_ns() < closing->end) {
		fd = accel_open();
		if (fd < 0)
			continue;
		__atomic_add_fetch(&closing->opens, 1, __ATOMIC_RELAXED);
		/* May fail at any step, and whose file it is may change. */
		if (!busy_create(fd, closing->timeout_ms, &busy))
			busy_submit(fd, &busy);
		close(fd);
	}
	return NULL;
}

static void close_everything(void)
{
	pthread_t threads[CLOSE_THREADS];
	int i;

	for (i = 0; i < CLOSE_THREADS; i++)
		if (pthread_create(&threads[i], NULL, open_and_use, NULL))
			_exit(1);
	while (now_ns() < closing->end) {
		syscall(SYS_close_range, 3, ~0U, 0);
		closing->closes++;
		sched_yield();
	}
	for (i = 0; i < CLOSE_THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

TEST_F_TIMEOUT(abuse, every_descriptor_is_closed, LONG_TEST_S)
{
	int status;
	pid_t child;

	closing = mmap(NULL, sizeof(*closing), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(closing != MAP_FAILED);
	closing->timeout_ms = self->dev.timeout_max_ms;
	closing->end = deadline_ms(rounds(3000, 30000));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		close_everything();
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_LT(0, closing->opens);
	EXPECT_LT(0, closing->closes);
	EXPECT_EQ(0, engines_flush(self->fd));
	tally(closing->opens, "files closed under their users");
}

/* No descriptor is to be had, from the first that is needed to the last. */
TEST_F(abuse, no_descriptor)
{
	struct rlimit old, limit;
	struct busy busy;
	int fd, i, next;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	next = next_fd();
	ASSERT_LE(0, next);
	for (i = 0; i < 8; i++) {
		limit = old;
		limit.rlim_cur = next + i;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		fd = accel_open();
		EXPECT_EQ(i ? next : -EMFILE, fd);
		if (fd >= 0) {
			/* What is inside the kernel needs no descriptor. */
			EXPECT_EQ(0, busy_start(fd, self->dev.timeout_max_ms,
						&busy));
			EXPECT_EQ(0, munmap(busy.map, 65536));
			EXPECT_EQ(0, close(fd));
		}
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
		EXPECT_EQ(1, census_count("files"));
	}
	EXPECT_EQ(0, engines_flush(self->fd));
}

static unsigned long alarms;

static void on_alarm(int signal)
{
	__atomic_add_fetch(&alarms, 1, __ATOMIC_RELAXED);
}

static void start_alarms(bool restart)
{
	struct sigaction action = {
		.sa_handler = on_alarm,
		.sa_flags = restart ? SA_RESTART : 0,
	};
	struct itimerval often = {
		.it_interval.tv_usec = 2000,
		.it_value.tv_usec = 2000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void stop_alarms(void)
{
	struct itimerval never = {};

	setitimer(ITIMER_REAL, &never, NULL);
}

struct waits {
	int fd;
	__u32 timeline;
	__u32 bo;
};

/* One of the waits, and whether what failed has left its argument alone. */
static int wait_once(const struct waits *w, int kind, __s64 deadline)
{
	const struct accel_point points[] = {
		{ .timeline = w->timeline, .value = 1 },
		{ .timeline = w->timeline, .value = 2 },
	};
	struct accel_timeline_wait wait = {
		.size = sizeof(wait),
		.flags = kind ? ACCEL_WAIT_ALL : 0,
		.points_ptr = ptr_to_u64(points),
		.count = ARRAY_LEN(points),
		.stride = sizeof(points[0]),
		.deadline_ns = deadline,
		.index = 0x5a5a5a5a,
		.status = 0x5a5a5a5a,
	};
	struct accel_timeline_wait before = wait;
	int ret;

	if (kind == 2)
		return bo_sync(w->fd, w->bo, ACCEL_SYNC_WRITE, deadline);
	ret = accel_ioctl(w->fd, ACCEL_IOCTL_TIMELINE_WAIT, &wait);
	return ret && memcmp(&before, &wait, sizeof(wait)) ? -EPROTO : ret;
}

/*
 * Signals come all the time. A wait that is not started over says EINTR, one that
 * is comes to its end, on time; neither says anything else.
 */
TEST_F_TIMEOUT(abuse, signals_in_every_wait, LONG_TEST_S)
{
	struct test_job hang = job_hang();
	struct waits w = { .fd = self->fd };
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	int kind, i, ret;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	job_bo(&hang, bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &hang, &point));
	w.timeline = queue.timeline;
	w.bo = bo.id;

	for (kind = 0; kind < 3; kind++) {
		start_alarms(false);
		for (i = 0; i < 20; i++) {
			ret = wait_once(&w, kind, deadline_ms(WAIT_MS));
			EXPECT_EQ(-EINTR, ret);
		}
		start_alarms(true);
		ret = wait_once(&w, kind, deadline_ms(100));
		EXPECT_EQ(-ETIME, ret);
		stop_alarms();
	}
	EXPECT_LT(60, alarms);
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
	for (kind = 0; kind < 3; kind++)
		EXPECT_EQ(0, wait_once(&w, kind, deadline_ms(WAIT_MS)));
}

/* Batches, cut short by signals: each says how far it came, and none loses a job. */
TEST_F_TIMEOUT(abuse, signals_in_submit, LONG_TEST_S)
{
	const unsigned int times = rounds(50, 500);
	struct test_job job = job_nop();
	struct accel_queue_create queue;
	struct accel_submit sub;
	unsigned int i, cut = 0;
	__u64 accepted = 0;
	__s32 status;
	int ret;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	start_alarms(false);
	for (i = 0; i < times; i++) {
		ret = submit_repeated(self->fd, queue.id, &job, 512, &sub);
		if (ret) {
			EXPECT_EQ(-EINTR, ret);
			continue;
		}
		EXPECT_EQ(accepted + 1, sub.first_point);
		accepted += sub.accepted;
		cut += sub.accepted < 512;
		if (sub.accepted < 512)
			EXPECT_EQ(-EINTR, sub.stop_error);
		do {
			ret = point_wait_until(self->fd, queue.timeline,
					       accepted, deadline_ms(WAIT_MS),
					       &status);
		} while (ret == -EINTR);
		EXPECT_EQ(0, ret);
		EXPECT_EQ(0, status);
	}
	stop_alarms();
	EXPECT_LT(0, cut);
}

struct lookup {
	int fd;
	bool stop;
	__u32 id;
	unsigned long found;
	unsigned long missed;
	unsigned long wrong;
};

/* What is found under the id is all of a buffer, or none. */
static void *look_up(void *arg)
{
	struct lookup *l = arg;
	int ret;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		struct accel_bo_info info = { .size = sizeof(info) };

		info.id = l->id;
		ret = accel_ioctl(l->fd, ACCEL_IOCTL_BO_INFO, &info);
		if (!ret && info.length == 4096 && info.mmap_offset)
			__atomic_add_fetch(&l->found, 1, __ATOMIC_RELAXED);
		else if (ret == -ENOENT)
			__atomic_add_fetch(&l->missed, 1, __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&l->wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* The id is always the same, what it stands for comes and goes. */
TEST_F_TIMEOUT(abuse, lookup_against_erase, LONG_TEST_S)
{
	const unsigned int times = rounds(3000, 70000);
	struct lookup l = { .fd = self->fd };
	struct accel_bo_create bo;
	pthread_t threads[2];
	unsigned int i;
	__u32 id;

	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	l.id = bo.id;
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, look_up, &l));
	for (i = 0; i < times; i++) {
		ASSERT_EQ(0, destroy(self->fd, l.id));
		/* Another kind, now and then. */
		if (i % 2) {
			ASSERT_EQ(0, timeline_create(self->fd, 0, &id));
			ASSERT_EQ(l.id, id);
			ASSERT_EQ(0, destroy(self->fd, id));
		}
		ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
		ASSERT_EQ(l.id, bo.id);
	}
	__atomic_store_n(&l.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	EXPECT_LT(0, l.found);
	EXPECT_LT(0, l.missed);
	EXPECT_EQ(0, l.wrong);
	tally(times, "ids recycled under lookups");
}

TEST_HARNESS_MAIN
