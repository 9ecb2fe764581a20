// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device goes while it is used for everything there is, in all ways it can
 * go: what Documentation/accel/lifetime.rst says of that, clause by clause.
 */
#include "unplug_fixture.h"

/* What a job waits for that is never to start. */
#define NEVER		1000

/*
 * One job that has ended, one that runs, some behind it in its queue, one that waits
 * for its buffer, one that is held and one behind that. All buffers have fences.
 */
static int submit_all(FIXTURE_DATA(unplug) *self, bool edu)
{
	struct test_job pending = job_short(self->bo.id, edu);
	struct test_job held = job_short(self->src.id, edu);
	struct test_job done = held;
	__u64 point;

	job_wait(&held, self->timeline, NEVER);
	return job_run(self->fd, &self->done, &done) ?:
	       submit_long(self, edu) ?:
	       submit_one(self->fd, self->pending.id, &pending, &point) ?:
	       submit_one(self->fd, self->held.id, &held, &point) ?:
	       submit_one(self->fd, self->held.id, &done, &point);
}

enum { WAIT_FOR_ALL, WAIT_FOR_ANY, WAIT_FOR_NOTHING, SYNC_BO, SUBMIT_MORE };

struct waiter {
	FIXTURE_DATA(unplug) *self;
	bool edu;
	int what;
	pthread_t thread;
	pid_t tid;
	int ret;
	__s32 status;
	__s32 statuses[4];
	unsigned long submits;
};

static void *wait_for_points(struct waiter *w)
{
	const FIXTURE_DATA(unplug) *self = w->self;
	const struct accel_point points[] = {
		{ .timeline = self->running.timeline, .value = LONG_JOBS },
		{ .timeline = self->timeline, .value = 10 },
		{ .timeline = self->held.timeline, .value = 2 },
		{ .timeline = self->unpromised, .value = 1 },
	};
	struct accel_timeline_wait wait;

	w->ret = timeline_wait(self->fd, points, ARRAY_LEN(points),
			       w->what == WAIT_FOR_ALL ? ACCEL_WAIT_ALL : 0,
			       INT64_MAX, w->statuses, &wait);
	w->status = wait.status;
	return NULL;
}

/* Two of these are in each other's way: one of them waits at any time. */
static void *submit_more(struct waiter *w)
{
	const FIXTURE_DATA(unplug) *self = w->self;
	struct test_job job = job_short(self->src.id, w->edu);
	struct accel_submit sub;

	do {
		w->ret = submit_repeated(self->fd, self->more.id, &job, 64,
					 &sub);
		__atomic_add_fetch(&w->submits, 1, __ATOMIC_RELAXED);
	} while (!w->ret || w->ret == -EAGAIN);
	return NULL;
}

static void *waiter_run(void *arg)
{
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	switch (w->what) {
	case WAIT_FOR_ALL:
	case WAIT_FOR_ANY:
		return wait_for_points(w);
	case WAIT_FOR_NOTHING:
		w->ret = point_wait_until(w->self->fd, w->self->unpromised, 1,
					  INT64_MAX, &w->status);
		return NULL;
	case SYNC_BO:
		w->ret = bo_sync(w->self->fd, w->self->bo.id, ACCEL_SYNC_WRITE,
				 INT64_MAX);
		return NULL;
	case SUBMIT_MORE:
		return submit_more(w);
	}
	return NULL;
}

/* When this returns the waiter is where it waits, or has submitted something. */
static int waiter_start(struct waiter *w)
{
	if (pthread_create(&w->thread, NULL, waiter_run, w))
		return -EAGAIN;
	while (!__atomic_load_n(&w->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	if (w->what != SUBMIT_MORE)
		return wait_asleep(w->tid);
	while (!__atomic_load_n(&w->submits, __ATOMIC_RELAXED))
		sched_yield();
	return 0;
}

static void expect_points_gone(struct __test_metadata *_metadata,
			       FIXTURE_DATA(unplug) *self)
{
	/* Promised by all kinds of jobs, or by nobody. */
	const struct accel_point points[] = {
		{ .timeline = self->running.timeline, .value = LONG_JOBS - 1 },
		{ .timeline = self->running.timeline, .value = LONG_JOBS },
		{ .timeline = self->pending.timeline, .value = 1 },
		{ .timeline = self->held.timeline, .value = 1 },
		{ .timeline = self->held.timeline, .value = 2 },
		{ .timeline = self->timeline, .value = 10 },
		{ .timeline = self->timeline, .value = NEVER },
		{ .timeline = self->held.timeline, .value = 99 },
		{ .timeline = self->unpromised, .value = 1 },
		{ .timeline = self->unpromised, .value = UINT64_MAX },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(points); i++) {
		EXPECT_POINT(-ENODEV, self->fd, points[i].timeline,
			     points[i].value);
		EXPECT_EQ(-ENODEV, point_status(self->fd, points[i].timeline,
						points[i].value));
	}
	/* What had been reached stays so. */
	EXPECT_EQ(0, point_status(self->fd, self->done.timeline, 1));
	EXPECT_EQ(0, point_status(self->fd, self->unpromised, 0));
}

/* Jobs and fences do not wait for who has the file open, nor does the driver. */
static void expect_only_ids_left(struct __test_metadata *_metadata)
{
	EXPECT_EQ(0, census_count("jobs"));
	EXPECT_EQ(0, census_count("unsignalled_fences"));
	EXPECT_EQ(0, census_count("waiters"));
	EXPECT_EQ(1, census_count("files"));
	EXPECT_EQ(5, census_count("queues"));
	EXPECT_EQ(7, census_count("timelines"));
	/* Each queue has its point page. */
	EXPECT_EQ(2 + 5, census_count("bos"));
	EXPECT_EQ(1, census_count("unregistered_devices"));
}

static void expect_destroyable(struct __test_metadata *_metadata,
			       FIXTURE_DATA(unplug) *self)
{
	const __u32 ids[] = {
		self->bo.id, self->timeline, self->running.timeline,
		self->running.id, self->pending.id, self->pending.timeline,
		self->unpromised, self->held.id, self->held.timeline,
		self->more.timeline, self->more.id,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(ids); i++)
		EXPECT_EQ(0, destroy(self->fd, ids[i]));
	EXPECT_EQ(-ENOENT, destroy(self->fd, self->bo.id));
	EXPECT_EQ(1, census_count("queues"));
	EXPECT_EQ(1 + 1, census_count("bos"));
}

TEST_F_TIMEOUT(unplug, jobs_and_waiters, LONG_TEST_S)
{
	struct waiter waiters[] = {
		{ .what = WAIT_FOR_ALL }, { .what = WAIT_FOR_ANY },
		{ .what = WAIT_FOR_NOTHING }, { .what = SYNC_BO },
		{ .what = SUBMIT_MORE }, { .what = SUBMIT_MORE },
	};
	struct waiter *w;
	int i;

	ASSERT_EQ(0, create_all(self));
	ASSERT_EQ(0, submit_all(self, variant->edu));
	for (w = waiters; w < waiters + ARRAY_LEN(waiters); w++) {
		w->self = self;
		w->edu = variant->edu;
		ASSERT_EQ(0, waiter_start(w));
	}
	EXPECT_EQ(3, census_count("waiters"));
	EXPECT_PENDING(self->fd, self->running.timeline, LONG_JOBS - 1);
	EXPECT_PENDING(self->fd, self->pending.timeline, 1);

	ASSERT_EQ(0, take_away(self, variant->way));
	for (w = waiters; w < waiters + ARRAY_LEN(waiters); w++) {
		ASSERT_EQ(0, pthread_join(w->thread, NULL));
		EXPECT_EQ(w->what < SYNC_BO ? 0 : -ENODEV, w->ret) {
			TH_LOG("waiter %d", w->what);
		}
		if (w->what < SYNC_BO)
			EXPECT_EQ(-ENODEV, w->status);
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ENODEV, waiters[WAIT_FOR_ALL].statuses[i]);
	expect_points_gone(_metadata, self);
	expect_only_ids_left(_metadata);
	expect_destroyable(_metadata, self);
}

/* The device's memory is not reached any more; the system's is as before. */
TEST_F_TIMEOUT(unplug, mappings, LONG_TEST_S)
{
	struct accel_bo_create local, used, unused, late;
	__u8 *local_map = NULL, *used_map, *unused_map;
	const int limited = variant->edu ? SIGBUS : 0;
	int i;

	ASSERT_EQ(0, bo_create(self->fd, 0, 2 * PAGE, &used));
	ASSERT_EQ(0, bo_create(self->fd, 0, 2 * PAGE, &unused));
	ASSERT_EQ(0, bo_create(self->fd, 0, PAGE, &late));
	used_map = bo_map(self->fd, &used);
	unused_map = bo_map(self->fd, &unused);
	ASSERT_TRUE(used_map != MAP_FAILED && unused_map != MAP_FAILED);
	ASSERT_TRUE(signal(SIGBUS, touch_on_fault) != SIG_ERR);
	memset(used_map, 0x5a, 2 * PAGE);
	if (!variant->edu) {
		ASSERT_EQ(0, bo_create(self->fd, ACCEL_VACCEL_REGION_LOCAL,
				       2 * PAGE, &local));
		local_map = bo_map(self->fd, &local);
		ASSERT_TRUE(local_map != MAP_FAILED);
		EXPECT_EQ(0, touch(local_map, 1));
	}

	ASSERT_EQ(0, take_away(self, variant->way));
	EXPECT_EQ(2 * PAGE, span(used_map, 0x5a, 2 * PAGE));
	EXPECT_EQ(0, touch(used_map, 0xa5));
	EXPECT_EQ(0xa5, used_map[0]);
	/* Edu's has to be within its reach, and nobody knows that any more. */
	EXPECT_EQ(limited, touch(unused_map + PAGE, 1));
	if (!limited)
		EXPECT_EQ(PAGE, span(unused_map, 0, PAGE));
	/* A page that was there, and one that was not. */
	for (i = 0; local_map && i < 2; i++)
		EXPECT_EQ(SIGBUS, touch(local_map + i * PAGE, 1));
	EXPECT_EQ(MAP_FAILED, bo_map(self->fd, &late));
	EXPECT_EQ(ENODEV, errno);

	/* A mapping is good for as long as it is there, without id or descriptor. */
	EXPECT_EQ(0, destroy(self->fd, used.id));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(1, census_count("files"));
	EXPECT_EQ(0xa5, used_map[0]);
	EXPECT_EQ(0x5a, used_map[2 * PAGE - 1]);
	EXPECT_EQ(0, munmap(used_map + PAGE, PAGE));
	EXPECT_EQ(0, munmap(used_map, PAGE));
	EXPECT_EQ(0, munmap(unused_map, 2 * PAGE));
	if (local_map)
		EXPECT_EQ(0, munmap(local_map, 2 * PAGE));
	self->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The node goes; who had hold of it without having it open gets no further. */
TEST_F_TIMEOUT(unplug, node_and_fdinfo, LONG_TEST_S)
{
	char path[64], through[64], text[FDINFO_SIZE];
	int node;

	minor_path(self->minor, path);
	node = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, node);
	snprintf(through, sizeof(through), "/proc/self/fd/%d", node);
	ASSERT_EQ(0, read_fdinfo(self->fd, text));
	EXPECT_TRUE(!!strstr(text, "drm-driver:"));

	ASSERT_EQ(0, take_away(self, variant->way));
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-1, open(through, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, read_fdinfo(self->fd, text));
	EXPECT_FALSE(!!strstr(text, "drm-driver:"));
	EXPECT_TRUE(!!strstr(text, "drm-client-id:"));
	EXPECT_EQ(0, close(node));
	EXPECT_EQ(1, census_count("files"));
}

/* While the old one is open its number is taken; the new one is not the old. */
TEST_F_TIMEOUT(unplug, comes_back, LONG_TEST_S)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job job;
	int minor, fd;
	__u64 point;

	ASSERT_EQ(0, take_away(self, variant->way));
	ASSERT_EQ(0, plug_in(&self->plug, variant->way));
	minor = plug_minor(&self->plug);
	ASSERT_LE(0, minor);
	EXPECT_NE(self->minor, minor);
	fd = minor_open(minor);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, self->short_engine, 0, &queue));
	ASSERT_EQ(0, bo_create(fd, 0, PAGE, &bo));
	job = job_short(bo.id, variant->edu);
	ASSERT_EQ(0, submit_one(fd, queue.id, &job, &point));
	EXPECT_POINT(0, fd, queue.timeline, point);
	EXPECT_EQ(-ENODEV, query_device(self->fd, &self->dev));
	EXPECT_EQ(0, close(fd));
	/* Away again, to come back to the old number. */
	ASSERT_EQ(0, take_away(self, variant->way));
}

static long module_refs(const char *name)
{
	char path[64], line[32];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return read_line(path, line, sizeof(line)) ? -1 : atol(line);
}

/* A driver's module is kept by nothing, the core's by an open file. */
TEST_F_TIMEOUT(unplug, modules, LONG_TEST_S)
{
	long refs;

	ASSERT_EQ(0, create_all(self));
	ASSERT_EQ(0, submit_all(self, variant->edu));
	if (variant->way == UNLOAD) {
		EXPECT_EQ(0, module_refs(self->plug.module));
		EXPECT_EQ(-EWOULDBLOCK, module_unload("accel"));
	}
	ASSERT_EQ(0, take_away(self, variant->way));
	if (variant->way == UNLOAD)
		EXPECT_EQ(-1, module_refs(self->plug.module));
	EXPECT_EQ(-EWOULDBLOCK, module_unload("accel"));
	refs = module_refs("accel");
	EXPECT_EQ(0, close(self->fd));
	EXPECT_GT(refs, module_refs("accel"));
	self->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

TEST_HARNESS_MAIN
