// SPDX-License-Identifier: GPL-2.0-only
/*
 * A storm of signals over everything that waits. With a handler that restarts
 * calls nobody sees them; with one that does not, the error is EINTR. Either way
 * what was passed in is as it was.
 */
#include "dmabuf.h"

#include <sys/time.h>

FIXTURE(storm)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	__u32 timeline;
};

FIXTURE_VARIANT(storm)
{
	int sa_flags;
};

FIXTURE_VARIANT_ADD(storm, interrupts)
{
	.sa_flags = 0,
};

FIXTURE_VARIANT_ADD(storm, restarts)
{
	.sa_flags = SA_RESTART,
};

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	alarms++;
}

static int storm(unsigned int ms, int sa_flags)
{
	struct itimerval timer = {
		.it_interval.tv_usec = ms * 1000,
		.it_value.tv_usec = ms * 1000,
	};
	struct sigaction action = {
		.sa_handler = on_alarm,
		.sa_flags = sa_flags,
	};

	alarms = 0;
	return sigaction(SIGALRM, &action, NULL) ?:
	       setitimer(ITIMER_REAL, &timer, NULL);
}

static int calm(void)
{
	return setitimer(ITIMER_REAL, &(struct itimerval) {}, NULL);
}

FIXTURE_SETUP(storm)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
}

FIXTURE_TEARDOWN(storm)
{
	tally(alarms, "signals");
	accel_teardown(_metadata, self->fd);
}

/* Whether @ret is an interruption; there is none where calls are restarted. */
static bool interrupted(struct __test_metadata *_metadata, int ret,
			int sa_flags)
{
	EXPECT_GT(512, -ret) TH_LOG("%d", ret);
	if (ret == -EINTR)
		EXPECT_EQ(0, sa_flags);
	return ret == -EINTR;
}

/*
 * What nothing ends but a signal, or that none came for all this time. Where calls are
 * restarted only the time ends it, which there is shorter.
 */
static __s64 storm_deadline(int sa_flags, unsigned int ms)
{
	return deadline_ms(sa_flags ? ms : WAIT_MS);
}

static int storm_error(int sa_flags)
{
	return sa_flags ? -ETIME : -EINTR;
}

TEST_F(storm, wait)
{
	struct accel_point point = { .timeline = self->timeline, .value = 1 };
	__s32 status = 0x55555555;
	struct accel_timeline_wait wait = {
		.size = sizeof(wait),
		.points_ptr = ptr_to_u64(&point),
		.count = 1,
		.stride = sizeof(point),
		.deadline_ns = storm_deadline(variant->sa_flags, 300),
		.statuses_ptr = ptr_to_u64(&status),
		.index = 77,
		.status = 78,
	};
	struct accel_timeline_wait before = wait;
	int ret;

	ASSERT_EQ(0, storm(10, variant->sa_flags));
	ret = accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_WAIT, &wait);
	EXPECT_EQ(storm_error(variant->sa_flags), ret);
	EXPECT_EQ(0, memcmp(&before, &wait, sizeof(wait)));

	/* However often it is interrupted, it ends when it should. */
	wait.deadline_ns = deadline_ms(300);
	before = wait;
	do {
		ret = accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_WAIT, &wait);
		EXPECT_EQ(0, memcmp(&before, &wait, sizeof(wait)));
		EXPECT_EQ(0x55555555, status);
	} while (interrupted(_metadata, ret, variant->sa_flags));
	EXPECT_EQ(-ETIME, ret);
	EXPECT_LE(wait.deadline_ns, now_ns());
	EXPECT_LT(0, alarms);

	/* Something to wait for that comes while the signals go on. */
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	wait.deadline_ns = INT64_MAX;
	do {
		ret = accel_ioctl(self->fd, ACCEL_IOCTL_TIMELINE_WAIT, &wait);
	} while (interrupted(_metadata, ret, variant->sa_flags));
	EXPECT_EQ(0, ret);
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, calm());
}

TEST_F(storm, buffer_sync)
{
	static const __u32 uses[] = { ACCEL_SYNC_READ, ACCEL_SYNC_WRITE };
	struct test_job hang = job_hang();
	struct accel_bo_sync sync = { .size = sizeof(sync) }, before;
	struct accel_bo_create bo;
	__u64 point;
	size_t i;
	int ret;

	ASSERT_EQ(0, bo_create(self->fd, 0, 1, &bo));
	job_bo(&hang, bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	ASSERT_EQ(0, storm(10, variant->sa_flags));
	for (i = 0; i < ARRAY_LEN(uses); i++) {
		sync.id = bo.id;
		sync.flags = uses[i];
		sync.deadline_ns = storm_deadline(variant->sa_flags, 150);
		before = sync;
		EXPECT_EQ(storm_error(variant->sa_flags),
			  accel_ioctl(self->fd, ACCEL_IOCTL_BO_SYNC, &sync));
		EXPECT_EQ(0, memcmp(&before, &sync, sizeof(sync)));

		sync.deadline_ns = deadline_ms(150);
		before = sync;
		do {
			ret = accel_ioctl(self->fd, ACCEL_IOCTL_BO_SYNC, &sync);
			EXPECT_EQ(0, memcmp(&before, &sync, sizeof(sync)));
		} while (interrupted(_metadata, ret, variant->sa_flags));
		EXPECT_EQ(-ETIME, ret);
	}
	EXPECT_LT(0, alarms);
	ASSERT_EQ(0, calm());
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
}

/**
 * struct toucher - a thread that waits to touch what a job writes
 * @thread: the thread
 * @dma_buf: whose memory it is
 * @interrupted: how often it was
 * @ret: what came in the end
 */
struct toucher {
	pthread_t thread;
	int dma_buf;
	volatile unsigned int interrupted;
	int ret;
};

static void *touch_thread(void *arg)
{
	struct toucher *t = arg;

	do {
		t->ret = dma_buf_sync(t->dma_buf, DMA_BUF_SYNC_START |
				      DMA_BUF_SYNC_RW);
		t->interrupted += t->ret == -EINTR;
	} while (t->ret == -EINTR);
	return NULL;
}

/* All of them are for the other thread. */
static int block_alarms(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	return pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* The same by way of a dma-buf, which knows no deadline. */
TEST_F(storm, dma_buf_sync)
{
	struct test_job hang = job_hang();
	struct accel_bo_create bo;
	struct toucher t = { };
	__u64 point;

	ASSERT_EQ(0, bo_create(self->fd, 0, 1, &bo));
	t.dma_buf = bo_export(self->fd, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, t.dma_buf);
	job_bo(&hang, bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, touch_thread, &t));
	ASSERT_EQ(0, block_alarms());
	ASSERT_EQ(0, storm(5, variant->sa_flags));
	while (alarms < 20 || (!variant->sa_flags && !t.interrupted))
		sched_yield();
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	ASSERT_EQ(0, pthread_join(t.thread, NULL));
	ASSERT_EQ(0, calm());
	EXPECT_EQ(0, t.ret);
	if (variant->sa_flags)
		EXPECT_EQ(0, t.interrupted);
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(0, close(t.dma_buf));
}

#define JOBS	64

struct submitter {
	pthread_t thread;
	int fd;
	int sa_flags;
	__u32 queue;
	__u32 bo;
	unsigned int rounds;
	__s64 deadline;
	/* What was accepted, and how often something was not as it should be. */
	__u64 accepted;
	unsigned int cut;
	unsigned int bad;
};

/* The answer to a SUBMIT of all jobs that got @ret. */
static void judge(struct submitter *s, const struct accel_submit *before,
		  const struct accel_submit *sub, int ret)
{
	struct accel_submit in = *sub;

	in.accepted = before->accepted;
	in.stop_error = before->stop_error;
	in.first_point = before->first_point;
	s->bad += memcmp(before, &in, sizeof(in)) != 0;
	if (ret) {
		s->bad += memcmp(before, sub, sizeof(*sub)) != 0;
		s->bad += ret != -EAGAIN &&
			  (ret != -EINTR || s->sa_flags & SA_RESTART);
		s->cut += ret == -EINTR;
		return;
	}
	s->bad += !sub->accepted || sub->accepted > JOBS;
	s->bad += sub->accepted == JOBS ? sub->stop_error != 0 :
		  sub->stop_error != -EINTR && sub->stop_error != -EAGAIN;
	s->cut += sub->stop_error == -EINTR;
	s->accepted += sub->accepted;
}

static void *submit_thread(void *arg)
{
	struct submitter *s = arg;
	struct test_job nop = job_nop();
	struct accel_submit_job jobs[JOBS], copy[JOBS];
	struct accel_submit sub, before = {
		.size = sizeof(sub),
		.queue = s->queue,
		.job_count = JOBS,
		.jobs_ptr = ptr_to_u64(jobs),
		.job_stride = sizeof(jobs[0]),
		.accepted = ~0U,
		.stop_error = 1,
		.first_point = ~0ULL,
	};
	unsigned int i;

	job_bo(&nop, s->bo, ACCEL_BO_WRITE);
	for (i = 0; i < JOBS; i++)
		jobs[i] = job_uapi(&nop);
	memcpy(copy, jobs, sizeof(jobs));
	/* Until it has met a signal, which does not take every machine as long. */
	for (i = 0; i < s->rounds || (!s->cut && now_ns() < s->deadline); i++) {
		sub = before;
		judge(s, &before, &sub,
		      accel_ioctl(s->fd, ACCEL_IOCTL_SUBMIT, &sub));
		s->bad += memcmp(copy, jobs, sizeof(jobs)) != 0;
	}
	return NULL;
}

/* Two at a time, so that SUBMIT waits as well; no job is told of twice, or not. */
TEST_F_TIMEOUT(storm, submit, LONG_TEST_S)
{
	struct submitter s[2];
	struct accel_queue_info info;
	struct accel_bo_create bo;
	size_t i;

	ASSERT_EQ(0, bo_create(self->fd, 0, 1, &bo));
	ASSERT_EQ(0, storm(5, variant->sa_flags));
	for (i = 0; i < ARRAY_LEN(s); i++) {
		s[i] = (struct submitter) {
			.fd = self->fd,
			.sa_flags = variant->sa_flags,
			.queue = self->queue.id,
			.bo = bo.id,
			.rounds = rounds(30, 1000),
			.deadline = deadline_ms(10 * WAIT_MS),
		};
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, submit_thread,
					    &s[i]));
	}
	for (i = 0; i < ARRAY_LEN(s); i++) {
		ASSERT_EQ(0, pthread_join(s[i].thread, NULL));
		EXPECT_EQ(0, s[i].bad);
		EXPECT_LT(0, s[i].cut);
	}
	EXPECT_LT(0, alarms);
	ASSERT_EQ(0, calm());
	ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &info));
	EXPECT_EQ(s[0].accepted + s[1].accepted, info.submitted);
	EXPECT_POINT(0, self->fd, self->queue.timeline, info.submitted);
}

struct reader {
	pthread_t thread;
	int fd;
	int sa_flags;
	struct accel_event event;
	int ret;
	volatile unsigned int interrupted;
	unsigned int bad;
};

static void *read_thread(void *arg)
{
	struct reader *r = arg;

	do {
		memset(&r->event, 0x55, sizeof(r->event));
		r->ret = read(r->fd, &r->event, sizeof(r->event));
		if (r->ret < 0)
			r->ret = -errno;
		r->interrupted += r->ret == -EINTR;
		r->bad += r->ret == -EINTR &&
			  (r->sa_flags || span((__u8 *)&r->event, 0x55,
					       sizeof(r->event)) !=
			   sizeof(r->event));
	} while (r->ret == -EINTR);
	return NULL;
}

/* An event comes when its reader has been interrupted many times. */
TEST_F(storm, read)
{
	struct reader r = { .fd = self->fd, .sa_flags = variant->sa_flags };
	struct test_job fail = job_fail(-EIO);
	__s64 deadline = deadline_ms(WAIT_MS);
	__u64 point;

	ASSERT_EQ(0, pthread_create(&r.thread, NULL, read_thread, &r));
	ASSERT_EQ(0, block_alarms());
	ASSERT_EQ(0, storm(5, variant->sa_flags));
	while (now_ns() < deadline &&
	       (alarms < 20 || (!variant->sa_flags && !r.interrupted)))
		sched_yield();
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fail, &point));
	ASSERT_EQ(0, pthread_join(r.thread, NULL));
	ASSERT_EQ(0, calm());
	EXPECT_EQ(sizeof(r.event), r.ret);
	EXPECT_EQ(0, r.bad);
	EXPECT_EQ(!variant->sa_flags, !!r.interrupted);
	EXPECT_EQ(ACCEL_EVENT_JOB_FAILED, r.event.type);
}

/* A page that is touched is there, however often its provision is broken off. */
TEST_F(storm, touch)
{
	struct accel_bo_create bo;
	volatile __u8 *map;
	unsigned int i;
	size_t at;

	ASSERT_EQ(0, storm(2, variant->sa_flags));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, bo_create(self->fd, i % 2, 0x200000, &bo));
		map = bo_map(self->fd, &bo);
		ASSERT_TRUE(map != MAP_FAILED);
		for (at = 0; at < bo.length; at += 4096)
			EXPECT_EQ(0, map[at]++);
		ASSERT_EQ(0, munmap((void *)map, bo.length));
		ASSERT_EQ(0, destroy(self->fd, bo.id));
	}
	EXPECT_LT(0, alarms);
	ASSERT_EQ(0, calm());
}

TEST_HARNESS_MAIN
