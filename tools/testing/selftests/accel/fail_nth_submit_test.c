// SPDX-License-Identifier: GPL-2.0-only
/* Flows of jobs that wait for others, in all the ways there are. */
#include "fail_nth_flow.h"

#include <glob.h>

#define SHARED_BOS	4

/* Two other queues have used the same buffers and are not done: a wait for each. */
static void implicit_waits_flow(struct __test_metadata *_metadata,
				struct fail_nth *f)
{
	struct test_job first = job_hang(), reader = job_hang(), second;
	struct accel_bo_create bo[SHARED_BOS];
	struct accel_queue_create queue[3];
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, queue_create(fd, !!i, LONG_TIMEOUT_MS, &queue[i]));
	for (i = 0; i < SHARED_BOS; i++)
		ASSERT_EQ(0, bo_create(fd, i % 2, PAGE, &bo[i]));
	second = job_fill(bo[0].id, 0, PAGE, 1);
	for (i = 0; i < SHARED_BOS; i++)
		job_bo(&first, bo[i].id, i ? ACCEL_BO_READ : ACCEL_BO_WRITE);
	for (i = 1; i < SHARED_BOS; i++)
		job_bo(&second, bo[i].id, ACCEL_BO_READ | ACCEL_BO_WRITE);
	for (i = 1; i < SHARED_BOS; i++)
		job_bo(&reader, bo[i].id, ACCEL_BO_READ);

	fail_nth_arm(f);
	try_submit_one(_metadata, f, fd, queue[0].id, &first, 1);
	try_submit_one(_metadata, f, fd, queue[2].id, &reader, 1);
	try_submit_one(_metadata, f, fd, queue[1].id, &second, 1);
	try_submit_one(_metadata, f, fd, queue[1].id, &first, 2);
	TRY(f, check_status(fd, queue[1].timeline, 1, ACCEL_POINT_PENDING));
	TRY(f, hang_release(fd, queue[0].id));
	TRY(f, hang_release(fd, queue[2].id));
	try_wait(_metadata, f, fd, queue[0].timeline, 1, 0);
	try_wait(_metadata, f, fd, queue[1].timeline, 1, 0);
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, implicit_waits)
{
	.run = implicit_waits_flow,
};

#define POINTS		4

/* Waits for and signals of several timelines, and what is behind them. */
static void explicit_waits_flow(struct __test_metadata *_metadata,
				struct fail_nth *f)
{
	struct test_job first = job_hang(), second = job_nop();
	struct accel_queue_create queue[2];
	__u32 timeline[POINTS];
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, queue_create(fd, i, LONG_TIMEOUT_MS, &queue[i]));

	fail_nth_arm(f);
	for (i = 0; i < POINTS; i++) {
		TRY(f, timeline_create(fd, 5, &timeline[i]));
		job_signal(&first, timeline[i], 7);
		job_wait(&second, timeline[i], 6);
		job_signal(&second, timeline[i], 8);
	}
	try_submit_one(_metadata, f, fd, queue[0].id, &first, 1);
	try_submit_one(_metadata, f, fd, queue[1].id, &second, 1);
	TRY(f, timeline_signal(fd, timeline[0], 9));
	TRY(f, hang_release(fd, queue[0].id));
	for (i = 0; i < POINTS; i++)
		try_wait(_metadata, f, fd, timeline[i], 8, 0);
	try_wait(_metadata, f, fd, timeline[0], 9, 0);
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, explicit_waits)
{
	.run = explicit_waits_flow,
};

/* Nobody has promised what the first job waits for, until it is signalled. */
static void held_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job held;
	__u32 timeline[2];
	void *map;
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	ASSERT_EQ(0, bo_create(fd, 0, PAGE, &bo));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, timeline_create(fd, 0, &timeline[i]));
	held = job_fill(bo.id, 0, PAGE, 0x01010101);
	job_wait(&held, timeline[0], 1);
	job_signal(&held, timeline[1], 1);

	fail_nth_arm(f);
	try_submit_one(_metadata, f, fd, queue.id, &held, 1);
	held = job_fill(bo.id, 0, PAGE, 0x02020202);
	try_submit_one(_metadata, f, fd, queue.id, &held, 2);
	TRY(f, check_status(fd, queue.timeline, 1, ACCEL_POINT_PENDING));
	TRY(f, timeline_signal(fd, timeline[0], 1));
	try_wait(_metadata, f, fd, timeline[1], 1, 0);
	try_wait(_metadata, f, fd, queue.timeline, 2, 0);
	TRY(f, map_errno(fd, &bo, &map));
	EXPECT_EQ(PAGE, span(map, 2, PAGE));
	ASSERT_EQ(0, munmap(map, PAGE));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, held)
{
	.run = held_flow,
};

/* How often workers that are new may come, one after the other. */
#define LET_GO_TRIES	20

/* Workers of the unbound kind, any of which may come to let go of a held job. */
#define WORKERS_MAX	64

struct workers {
	int count;
	int proc[WORKERS_MAX];
};

static bool is_unbound_worker(const char *path)
{
	char comm[32] = "";
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	return !strncmp(comm, "kworker/u", strlen("kworker/u"));
}

static void workers_open(struct workers *w)
{
	char path[64];
	glob_t tasks;
	size_t i;
	int fd;

	w->count = 0;
	if (glob("/proc/[0-9]*/comm", 0, NULL, &tasks))
		return;
	for (i = 0; i < tasks.gl_pathc && w->count < WORKERS_MAX; i++) {
		if (!is_unbound_worker(tasks.gl_pathv[i]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fail-nth",
			 atoi(tasks.gl_pathv[i] + strlen("/proc/")));
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0)
			w->proc[w->count++] = fd;
	}
	globfree(&tasks);
}

static void workers_arm(const struct workers *w, unsigned int nth)
{
	char text[16];
	int i, len;

	len = snprintf(text, sizeof(text), "%u", nth);
	for (i = 0; i < w->count; i++)
		if (pwrite(w->proc[i], text, len, 0) != len)
			abort();
}

/* The least that one of them has left to count: 0 if something has failed there. */
static unsigned int workers_left(const struct workers *w)
{
	unsigned int least = UINT_MAX, left;
	char text[16] = "";
	int i;

	for (i = 0; i < w->count; i++) {
		if (pread(w->proc[i], text, sizeof(text) - 1, 0) < 0)
			abort();
		left = strtoul(text, NULL, 10);
		if (left < least)
			least = left;
	}
	return least;
}

static bool workers_failed(const struct workers *w)
{
	return !workers_left(w);
}

static void workers_close(struct workers *w)
{
	workers_arm(w, 0);
	while (w->count)
		close(w->proc[--w->count]);
}

/*
 * A job was accepted and held, and there is no memory when it is let go: it ends
 * with that, and what is behind it goes on. False if none of the workers that are
 * armed has come: it was one that was not there yet.
 */
static bool let_go_once(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct test_job hang = job_hang(), held = job_nop();
	struct accel_queue_create queue[2];
	struct accel_bo_create bo[2];
	static unsigned int failed;
	struct workers w;
	__u32 timeline[2];
	unsigned int left;
	__s32 status;
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, timeline_create(fd, 0, &timeline[i]));
		ASSERT_EQ(0, queue_create(fd, i, LONG_TIMEOUT_MS, &queue[i]));
		ASSERT_EQ(0, bo_create(fd, 0, PAGE, &bo[i]));
		job_bo(&held, bo[i].id, ACCEL_BO_WRITE);
	}
	job_bo(&hang, bo[0].id, ACCEL_BO_WRITE);
	job_wait(&held, timeline[0], 1);
	job_signal(&held, timeline[1], 1);
	try_submit_one(_metadata, f, fd, queue[0].id, &hang, 1);
	try_submit_one(_metadata, f, fd, queue[1].id, &held, 1);
	held = job_nop();
	try_submit_one(_metadata, f, fd, queue[1].id, &held, 2);

	workers_open(&w);
	workers_arm(&w, f->site);
	ASSERT_EQ(0, timeline_signal(fd, timeline[0], 1));
	/* Held jobs are not waited for: until the worker has been there. */
	while (!(f->site && workers_failed(&w)) &&
	       !bo_sync(fd, bo[1].id, ACCEL_SYNC_READ, 0))
		sched_yield();
	ASSERT_EQ(0, hang_release(fd, queue[0].id));
	ASSERT_EQ(0, point_wait_until(fd, timeline[1], 1,
				      deadline_ms(WAIT_MS), &status));
	left = workers_left(&w);
	f->injected = f->site && !left;
	workers_close(&w);
	ASSERT_TRUE(!status || (status == -ENOMEM && f->injected));
	failed += status != 0;
	ASSERT_EQ(status, point_status(fd, queue[1].timeline, 1));
	try_wait(_metadata, f, fd, queue[1].timeline, 2, 0);
	EXPECT_EQ(0, close(fd));
	if (!f->site || f->injected)
		return true;
	/* All that was made to fail in the passes before has been counted again. */
	if (f->site == 1 || left > 1)
		return false;
	/* In the pass that ends a series: it did come to that. */
	EXPECT_LT(f->gives_up ? -1 : 0, (int)failed);
	return true;
}

static void let_go_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	int i;

	for (i = 0; i < LET_GO_TRIES; i++)
		if (let_go_once(_metadata, f))
			return;
	ASSERT_TRUE(false) TH_LOG("site %u: the workers did not come", f->site);
}

FIXTURE_VARIANT_ADD(flow, let_go)
{
	.run = let_go_flow,
};

#define BATCH		8

/* Some of a batch may be in and the rest not; their points have no gaps. */
static void batch_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct accel_submit_job uapi[BATCH];
	struct test_job jobs[BATCH];
	struct accel_bo_create bo;
	__u32 timeline;
	__u8 *map;
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	ASSERT_EQ(0, timeline_create(fd, 0, &timeline));
	ASSERT_EQ(0, bo_create(fd, 0, BATCH * PAGE, &bo));
	map = bo_map(fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < BATCH; i++) {
		jobs[i] = job_fill(bo.id, i * PAGE, PAGE, 0x01010101 * (i + 1));
		job_wait(&jobs[i], timeline, i);
		job_signal(&jobs[i], timeline, i + 1);
		uapi[i] = job_uapi(&jobs[i]);
	}

	fail_nth_arm(f);
	try_submit(_metadata, f, fd, queue.id, uapi, BATCH, 1);
	try_wait(_metadata, f, fd, queue.timeline, BATCH, 0);
	try_wait(_metadata, f, fd, timeline, BATCH, 0);
	fail_nth_disarm(f);
	for (i = 0; i < BATCH; i++)
		EXPECT_EQ(PAGE, span(map + i * PAGE, i + 1, PAGE));
	ASSERT_EQ(0, munmap(map, BATCH * PAGE));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, batch)
{
	.run = batch_flow,
};

/* With jobs that run, that wait in the queue, and that are held. */
static void destroyed_queue_flow(struct __test_metadata *_metadata,
				 struct fail_nth *f)
{
	struct test_job job = job_hang();
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u32 timeline;
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	fail_nth_arm(f);
	TRY(f, queue_create(fd, 0, LONG_TIMEOUT_MS, &queue));
	TRY(f, bo_create(fd, 0, PAGE, &bo));
	TRY(f, timeline_create(fd, 0, &timeline));
	job_bo(&job, bo.id, ACCEL_BO_WRITE);
	job_signal(&job, timeline, 1);
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	job.signals[0].value = 2;
	try_submit_one(_metadata, f, fd, queue.id, &job, 2);
	job.signals[0].value = 3;
	job_wait(&job, timeline, 100);
	try_submit_one(_metadata, f, fd, queue.id, &job, 3);
	TRY(f, destroy(fd, queue.id));
	for (i = 1; i <= 3; i++) {
		try_wait(_metadata, f, fd, queue.timeline, i, -ECANCELED);
		try_wait(_metadata, f, fd, timeline, i, -ECANCELED);
	}
	TRY(f, destroy(fd, queue.timeline));
	TRY(f, destroy(fd, bo.id));
	TRY(f, destroy(fd, timeline));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, destroyed_queue)
{
	.run = destroyed_queue_flow,
};

/* A job fails; one that waits for it is cancelled by that, and one runs. */
static void cancelled_flow(struct __test_metadata *_metadata,
			   struct fail_nth *f)
{
	struct test_job fails = job_fail(-EDOM), job = job_nop();
	struct accel_queue_create queue[2];
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	fail_nth_arm(f);
	for (i = 0; i < 2; i++)
		TRY(f, queue_create(fd, i, 0, &queue[i]));
	job_wait(&job, queue[0].timeline, 1);
	job.flags = ACCEL_JOB_CANCEL_ON_ERROR;
	try_submit_one(_metadata, f, fd, queue[1].id, &job, 1);
	job.flags = 0;
	try_submit_one(_metadata, f, fd, queue[1].id, &job, 2);
	try_submit_one(_metadata, f, fd, queue[0].id, &fails, 1);
	try_wait(_metadata, f, fd, queue[0].timeline, 1, -EDOM);
	try_wait(_metadata, f, fd, queue[1].timeline, 1, -ECANCELED);
	try_wait(_metadata, f, fd, queue[1].timeline, 2, 0);
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, cancelled)
{
	.run = cancelled_flow,
};

TEST_HARNESS_MAIN
