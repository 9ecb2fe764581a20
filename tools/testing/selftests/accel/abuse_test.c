// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client may do to itself, with descriptors, signals, limits and ids, none
 * of which is anybody else's concern.
 */
#define _GNU_SOURCE
#include "busy.h"
#include "pass_fd.h"
#include "unplug.h"

#include <sys/eventfd.h>
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
#define CLOSE_GUESSES	24
/* When the machine is so busy that the test has nothing to say. */
#define CLOSE_MS	200000

struct closing {
	__s64 end;
	__s64 deadline;
	__u32 timeout_ms;
	bool stop;
	unsigned long opens;
	unsigned long whole;	/* those that came from open() to the end */
	unsigned long closes;
	unsigned long destroys;
};

static struct closing *closing;

/* Whatever gives a descriptor, and takes one. */
static int export_and_import(int fd, const struct busy *b)
{
	struct accel_bo_import import;
	int dma_buf, line, sync, event, ret;
	__u32 id;

	dma_buf = bo_export(fd, b->bo.id, ACCEL_EXPORT_WRITE);
	line = timeline_export(fd, b->timeline, ACCEL_TIMELINE_SIGNAL_RIGHT);
	sync = sync_file_export(fd, b->running.timeline, 1);
	event = eventfd(0, EFD_CLOEXEC);
	ret = bo_import(fd, dma_buf, &import) ?:
	      timeline_import(fd, line, &id) ?:
	      eventfd_export(fd, id, 3000, event) ?:
	      sync_file_import(fd, sync, id, 2000) ?:
	      timeline_signal(fd, id, 3000) ?:
	      destroy(fd, import.id);
	close(dma_buf);
	close(line);
	close(sync);
	close(event);
	return ret;
}

/* May fail at any step, and whose descriptors and ids these are may change. */
static int open_and_use(void)
{
	struct busy busy;
	int fd, ret;

	fd = accel_open();
	if (fd < 0)
		return fd;
	__atomic_add_fetch(&closing->opens, 1, __ATOMIC_RELAXED);
	ret = busy_create(fd, closing->timeout_ms, &busy) ?:
	      busy_submit(fd, &busy) ?:
	      export_and_import(fd, &busy);
	return close(fd) ? -errno : ret;
}

static void *keep_using(void *arg)
{
	while (!__atomic_load_n(&closing->stop, __ATOMIC_RELAXED))
		if (!open_and_use())
			__atomic_add_fetch(&closing->whole, 1,
					   __ATOMIC_RELAXED);
	return NULL;
}

static void destroy_guesses(unsigned int *seed)
{
	__u32 id, first = 1 + rand_r(seed) % CLOSE_GUESSES;
	int fd, ret;

	for (fd = 3; fd < 3 + 5 * CLOSE_THREADS; fd++) {
		ret = 0;
		for (id = first; id <= CLOSE_GUESSES && ret != -EBADF; id++) {
			ret = destroy(fd, id);
			closing->destroys += !ret;
		}
	}
}

/*
 * Most times nobody comes far. Some are as long as one who is not alone may need from
 * the beginning to the end, be the machine as slow as it is.
 */
static void close_rounds(__s64 whole_ns)
{
	const unsigned int long_us = 3 * CLOSE_THREADS * (whole_ns / 1000);
	unsigned int i, seed = 1;

	for (i = 0; now_ns() < closing->end ||
	     (!__atomic_load_n(&closing->whole, __ATOMIC_RELAXED) &&
	      now_ns() < closing->deadline); i++) {
		if (rand_r(&seed) % 2)
			destroy_guesses(&seed);
		else if (!syscall(SYS_close_range, 3, ~0U, 0))
			closing->closes++;
		usleep(rand_r(&seed) % (i % 16 ? 2000 : 2000 + long_us));
	}
}

static void close_everything(void)
{
	pthread_t threads[CLOSE_THREADS];
	__s64 whole_ns;
	int i;

	syscall(SYS_close_range, 3, ~0U, 0);
	/* The second time is measured: all code has been there by then. */
	for (i = 0; i < 2; i++) {
		whole_ns = now_ns();
		if (open_and_use())
			_exit(1);
		whole_ns = now_ns() - whole_ns;
	}
	closing->opens = 0;
	for (i = 0; i < CLOSE_THREADS; i++)
		if (pthread_create(&threads[i], NULL, keep_using, NULL))
			_exit(2);
	close_rounds(whole_ns);
	__atomic_store_n(&closing->stop, true, __ATOMIC_RELAXED);
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
	closing->deadline = deadline_ms(CLOSE_MS);
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		close_everything();
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_LT(closing->whole, closing->opens);
	EXPECT_LT(0, closing->whole);
	EXPECT_LT(0, closing->closes);
	EXPECT_LT(0, closing->destroys);
	EXPECT_EQ(0, engines_flush(self->fd));
	tally(closing->opens, "files closed under their users");
	tally(closing->whole, "of them used to the end");
	tally(closing->destroys, "ids destroyed under their users");
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
