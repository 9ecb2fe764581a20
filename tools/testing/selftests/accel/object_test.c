// SPDX-License-Identifier: GPL-2.0-only
/* Ids: one table per open file, and each id good only where its kind is. */
#include "accel_test.h"

FIXTURE(object)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(object)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(object)
{
	accel_teardown(_metadata, self->fd);
}

static const __u32 never_ids[] = {
	0, 1000000, INT_MAX - 1, INT_MAX, (__u32)INT_MAX + 1, UINT_MAX - 1,
	UINT_MAX,
};

TEST_F(object, ids_start_at_1)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u32 timeline;
	int fd;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &timeline));
	EXPECT_EQ(1, timeline);

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bo_create(fd, 0, 1, &bo));
	EXPECT_EQ(1, bo.id);
	ASSERT_EQ(0, close(fd));

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	EXPECT_TRUE((queue.id == 1 && queue.timeline == 2) ||
		    (queue.id == 2 && queue.timeline == 1));
	ASSERT_EQ(0, close(fd));
}

TEST_F(object, destroy_what_is_not)
{
	__u32 timeline;
	size_t i;

	EXPECT_EQ(-ENOENT, destroy(self->fd, 1));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &timeline));
	EXPECT_EQ(-ENOENT, destroy(self->fd, timeline + 1));
	for (i = 0; i < ARRAY_LEN(never_ids); i++)
		EXPECT_EQ(-ENOENT, destroy(self->fd, never_ids[i]));
	EXPECT_EQ(0, destroy(self->fd, timeline));
	EXPECT_EQ(-ENOENT, destroy(self->fd, timeline));
}

enum kind {
	KIND_NONE,
	KIND_BO,
	KIND_QUEUE,
	KIND_TIMELINE,
};

struct objects {
	struct accel_bo_create bo;
	struct accel_queue_create queue;
	__u32 timeline;
};

static int make_objects(int fd, struct objects *obj)
{
	return bo_create(fd, 0, 1, &obj->bo) ?:
	       queue_create(fd, 0, 0, &obj->queue) ?:
	       timeline_create(fd, 0, &obj->timeline);
}

static int place_bo_info(int fd, struct objects *obj,
			 __u32 id)
{
	struct accel_bo_info info = { .size = sizeof(info), .id = id };

	return accel_ioctl(fd, ACCEL_IOCTL_BO_INFO, &info);
}

static int place_bo_export(int fd, struct objects *obj, __u32 id)
{
	int ret = bo_export(fd, id, 0);

	return ret < 0 ? ret : close(ret);
}

static int place_bo_sync(int fd, struct objects *obj,
			 __u32 id)
{
	return bo_sync(fd, id, ACCEL_SYNC_READ, 0);
}

static int place_queue_vm(int fd, struct objects *obj,
			  __u32 id)
{
	struct accel_queue_create queue = { .size = sizeof(queue), .vm = id };

	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_CREATE, &queue);
}

static int place_queue_info(int fd, struct objects *obj,
			    __u32 id)
{
	struct accel_queue_info info;

	return queue_info(fd, id, &info);
}

static int place_submit(int fd, struct objects *obj,
			__u32 id)
{
	__u64 point;

	return submit_nop(fd, id, &point);
}

static int place_submit_bo(int fd, struct objects *obj, __u32 id)
{
	struct test_job job = job_nop();
	__u64 point;

	job_bo(&job, id, ACCEL_BO_READ);
	return submit_one(fd, obj->queue.id, &job, &point);
}

static int place_submit_wait(int fd, struct objects *obj, __u32 id)
{
	struct test_job job = job_nop();
	__u64 point;

	job_wait(&job, id, 0);
	return submit_one(fd, obj->queue.id, &job, &point);
}

static int place_submit_signal(int fd, struct objects *obj, __u32 id)
{
	struct test_job job = job_nop();
	__u64 point;

	job_signal(&job, id, 1);
	return submit_one(fd, obj->queue.id, &job, &point);
}

static int place_timeline_signal(int fd,
				 struct objects *obj,
				 __u32 id)
{
	return timeline_signal(fd, id, 2);
}

static int place_timeline_query(int fd,
				struct objects *obj,
				__u32 id)
{
	struct accel_timeline_query query;

	return timeline_query(fd, id, 0, &query);
}

static int place_timeline_wait(int fd,
			       struct objects *obj,
			       __u32 id)
{
	__s32 status;

	return point_wait_until(fd, id, 0, 0, &status);
}

static int place_release(int fd, struct objects *obj,
			 __u32 id)
{
	struct accel_vaccel_release release = {
		.size = sizeof(release),
		.queue = id,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_VACCEL_RELEASE, &release);

	/* The id was good, and no hang is running. */
	return ret == -EAGAIN ? 0 : ret;
}

static const struct place {
	const char *name;
	enum kind kind;
	int (*use)(int fd, struct objects *obj, __u32 id);
} places[] = {
	{ "BO_INFO", KIND_BO, place_bo_info },
	{ "BO_EXPORT", KIND_BO, place_bo_export },
	{ "BO_SYNC", KIND_BO, place_bo_sync },
	{ "QUEUE_CREATE.vm", KIND_NONE, place_queue_vm },
	{ "QUEUE_INFO", KIND_QUEUE, place_queue_info },
	{ "SUBMIT.queue", KIND_QUEUE, place_submit },
	{ "SUBMIT bos", KIND_BO, place_submit_bo },
	{ "SUBMIT waits", KIND_TIMELINE, place_submit_wait },
	{ "SUBMIT signals", KIND_TIMELINE, place_submit_signal },
	{ "TIMELINE_SIGNAL", KIND_TIMELINE, place_timeline_signal },
	{ "TIMELINE_QUERY", KIND_TIMELINE, place_timeline_query },
	{ "TIMELINE_WAIT", KIND_TIMELINE, place_timeline_wait },
	{ "VACCEL_RELEASE", KIND_QUEUE, place_release },
};

TEST_F(object, every_place_takes_its_kind_only)
{
	struct objects obj;
	size_t i, j;

	ASSERT_EQ(0, make_objects(self->fd, &obj));
	for (i = 0; i < ARRAY_LEN(places); i++) {
		const struct place *place = &places[i];
		struct {
			enum kind kind;
			__u32 id;
		} ids[] = {
			{ KIND_BO, obj.bo.id },
			{ KIND_QUEUE, obj.queue.id },
			{ KIND_TIMELINE, obj.timeline },
		};

		for (j = 0; j < ARRAY_LEN(ids); j++) {
			int expected = ids[j].kind == place->kind ? 0 : -ENOENT;

			EXPECT_EQ(expected, place->use(self->fd, &obj,
						       ids[j].id)) {
				TH_LOG("%s: id of kind %d", place->name,
				       ids[j].kind);
			}
		}
	}
}

TEST_F(object, every_place_refuses_what_is_not)
{
	struct objects obj, dead;
	size_t i, j;

	ASSERT_EQ(0, make_objects(self->fd, &obj));
	ASSERT_EQ(0, make_objects(self->fd, &dead));
	ASSERT_EQ(0, destroy(self->fd, dead.bo.id));
	ASSERT_EQ(0, destroy(self->fd, dead.queue.id));
	ASSERT_EQ(0, destroy(self->fd, dead.queue.timeline));
	ASSERT_EQ(0, destroy(self->fd, dead.timeline));

	for (i = 0; i < ARRAY_LEN(places); i++) {
		const struct place *place = &places[i];
		__u32 dead_id = place->kind == KIND_BO ? dead.bo.id :
				place->kind == KIND_QUEUE ? dead.queue.id :
				dead.timeline;

		EXPECT_EQ(-ENOENT, place->use(self->fd, &obj, dead_id)) {
			TH_LOG("%s: destroyed", place->name);
		}
		for (j = 0; j < ARRAY_LEN(never_ids); j++) {
			/* 0 is no address space, which is allowed. */
			if (place->kind == KIND_NONE && !never_ids[j])
				continue;
			EXPECT_EQ(-ENOENT, place->use(self->fd, &obj,
						      never_ids[j])) {
				TH_LOG("%s: %u", place->name, never_ids[j]);
			}
		}
	}
}

TEST_F(object, files_do_not_share_ids)
{
	struct objects obj, own;
	size_t i;
	int fd;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, make_objects(self->fd, &obj));
	ASSERT_EQ(0, queue_create(fd, 0, 0, &own.queue));

	/* The two files have ids of the same numbers for other things. */
	EXPECT_EQ(-ENOENT, place_bo_info(fd, &own, obj.bo.id));
	for (i = 0; i < ARRAY_LEN(places); i++) {
		__u32 id = places[i].kind == KIND_BO ? obj.bo.id :
			   places[i].kind == KIND_QUEUE ? obj.queue.id :
			   obj.timeline;

		if (id == own.queue.id || id == own.queue.timeline)
			continue;
		EXPECT_EQ(-ENOENT, places[i].use(fd, &own, id)) {
			TH_LOG("%s", places[i].name);
		}
	}
	EXPECT_EQ(0, destroy(fd, own.queue.id));
	EXPECT_EQ(0, destroy(fd, own.queue.timeline));
	for (i = 1; i <= 4; i++)
		EXPECT_EQ(-ENOENT, destroy(fd, i));

	EXPECT_EQ(0, place_bo_info(self->fd, &obj, obj.bo.id));
	EXPECT_EQ(0, place_submit(self->fd, &obj, obj.queue.id));
	EXPECT_EQ(0, place_timeline_signal(self->fd, &obj, obj.timeline));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, place_bo_info(self->fd, &obj, obj.bo.id));
}

TEST_F(object, duplicated_fd_shares_ids)
{
	struct objects obj;
	int fd;

	ASSERT_EQ(0, make_objects(self->fd, &obj));
	fd = dup(self->fd);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, place_bo_info(fd, &obj, obj.bo.id));
	EXPECT_EQ(0, destroy(fd, obj.timeline));
	EXPECT_EQ(-ENOENT, destroy(self->fd, obj.timeline));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, place_bo_info(self->fd, &obj, obj.bo.id));
}

/* An id is free when DESTROY returns, and the lowest free one is taken. */
TEST_F_TIMEOUT(object, id_reuse, LONG_TEST_S)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u32 keep, id;
	int i;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &keep));
	for (i = 0; i < 500; i++) {
		ASSERT_EQ(0, timeline_create(self->fd, i, &id));
		ASSERT_EQ(keep + 1, id);
		ASSERT_EQ(0, point_status(self->fd, id, i));
		ASSERT_EQ(1, point_status(self->fd, id, i + 1));
		ASSERT_EQ(0, destroy(self->fd, id));

		ASSERT_EQ(0, bo_create(self->fd, i & 1, 1, &bo));
		ASSERT_EQ(keep + 1, bo.id);
		ASSERT_EQ(4096 + ENOENT, point_status(self->fd, bo.id, 0));
		ASSERT_EQ(0, destroy(self->fd, bo.id));

		ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
		ASSERT_EQ(2 * keep + 3, queue.id + queue.timeline);
		ASSERT_EQ(0, destroy(self->fd, queue.id));
		ASSERT_EQ(0, destroy(self->fd, queue.timeline));
	}
	EXPECT_EQ(0, point_status(self->fd, keep, 0));
}

TEST_F_TIMEOUT(object, many, LONG_TEST_S)
{
	__u32 ids[1000];
	size_t i;

	for (i = 0; i < ARRAY_LEN(ids); i++)
		ASSERT_EQ(0, timeline_create(self->fd, i, &ids[i]));
	for (i = 0; i < ARRAY_LEN(ids); i++) {
		EXPECT_EQ(0, point_status(self->fd, ids[i], i));
		EXPECT_EQ(1, point_status(self->fd, ids[i], i + 1));
	}
	for (i = 0; i < ARRAY_LEN(ids); i += 2)
		EXPECT_EQ(0, destroy(self->fd, ids[i]));
	for (i = 0; i < ARRAY_LEN(ids); i++)
		EXPECT_EQ(i % 2 ? 0 : 4096 + ENOENT,
			  point_status(self->fd, ids[i], 0));
	/* The other half goes with the file. */
}

/* The last of several ids is bad: the references taken before it go back. */
TEST_F(object, last_of_several_is_bad)
{
	struct accel_timeline_wait wait;
	struct test_job bos = job_nop();
	struct test_job waits = job_nop();
	struct test_job signals = job_nop();
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	__u64 point;
	__u32 id;
	int i;

	ASSERT_LE(JOB_ARRAY_MAX, self->dev.job_bos_max);
	ASSERT_LE(JOB_ARRAY_MAX, self->dev.points_max);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	for (i = 0; i < JOB_ARRAY_MAX - 1; i++) {
		ASSERT_EQ(0, bo_create(self->fd, 0, 1, &bo));
		job_bo(&bos, bo.id, ACCEL_BO_WRITE);
		ASSERT_EQ(0, timeline_create(self->fd, 0, &id));
		job_wait(&waits, id, 1);
		job_signal(&signals, id, 1);
	}
	job_bo(&bos, queue.id, ACCEL_BO_WRITE);
	job_wait(&waits, queue.id, 1);
	job_signal(&signals, queue.id, 1);

	ASSERT_EQ(0, census_read(before));
	for (i = 0; i < 20; i++) {
		EXPECT_EQ(-ENOENT, submit_one(self->fd, queue.id, &bos,
					      &point));
		EXPECT_EQ(-ENOENT, submit_one(self->fd, queue.id, &waits,
					      &point));
		EXPECT_EQ(-ENOENT, submit_one(self->fd, queue.id, &signals,
					      &point));
		EXPECT_EQ(-ENOENT, timeline_wait(self->fd, waits.waits,
						 waits.wait_count, 0, 0, NULL,
						 &wait));
	}
	ASSERT_EQ(0, census_read(after));
	EXPECT_STREQ(before, after);

	/* What was not accepted has promised nothing. */
	for (i = 0; i < JOB_ARRAY_MAX - 1; i++)
		EXPECT_EQ(0, timeline_signal(self->fd,
					     signals.signals[i].timeline, 1));
}

/* Waits until there are @count objects of a kind, as far as the census knows. */
static int wait_for_census(const char *kind, unsigned long count)
{
	__s64 deadline = deadline_ms(WAIT_MS);
	char text[CENSUS_SIZE], *at;
	int ret;

	do {
		ret = census_read(text);
		at = ret ? NULL : strstr(text, kind);
		if (!at)
			return ret ?: -EPROTO;
		if (strtoul(at + strlen(kind), NULL, 10) == count)
			return 0;
	} while (now_ns() < deadline);
	return -ETIMEDOUT;
}

struct stale {
	int fd;
	__u32 id;
	bool stop;
	bool gone;	/* the id is not what it was */
	int waited;
	/* Answers of the id's heirs, and those that no owner can have had. */
	unsigned int reached;
	unsigned int none;
	unsigned int bad;
};

static void *stale_wait(void *arg)
{
	struct stale *s = arg;
	__s32 status = INT_MAX;
	int ret;

	ret = point_wait_until(s->fd, s->id, 1, INT64_MAX, &status);
	__atomic_store_n(&s->waited, ret ?: status, __ATOMIC_RELEASE);
	return NULL;
}

static void *stale_query(void *arg)
{
	struct stale *s = arg;
	bool gone;
	int status;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		gone = __atomic_load_n(&s->gone, __ATOMIC_ACQUIRE);
		status = point_status(s->fd, s->id, 1);
		if (!status)
			__atomic_add_fetch(&s->reached, 1, __ATOMIC_RELAXED);
		else if (status == 4096 + ENOENT)
			__atomic_add_fetch(&s->none, 1, __ATOMIC_RELAXED);
		else
			s->bad += gone || status != ACCEL_POINT_PENDING;
	}
	return NULL;
}

/*
 * Has the two lowest ids taken and given back, by others than those that had them, and
 * by each in turn.
 */
static int recycle(int fd, unsigned int count, const __u32 ids[2])
{
	struct accel_bo_create bo;
	unsigned int i;
	__u32 id;
	int ret;

	for (i = 0; i < count; i++) {
		/* All points of this timeline are reached. */
		ret = i % 2 ? bo_create(fd, 0, 4096, &bo) ?:
			      timeline_create(fd, UINT64_MAX, &id) :
			      timeline_create(fd, UINT64_MAX, &id) ?:
			      bo_create(fd, 0, 4096, &bo);
		if (ret)
			return ret;
		if (id + bo.id != ids[0] + ids[1])
			return -EPROTO;
		ret = destroy(fd, id) ?: destroy(fd, bo.id);
		if (ret)
			return ret;
	}
	return 0;
}

/* A job, a waiter and a mapping mean what the id meant when they came. */
TEST_F_TIMEOUT(object, recycled_ids, LONG_TEST_S)
{
	const unsigned int count = rounds(1 << 11, 1 << 15);
	struct stale waiter = { .fd = self->fd, .waited = INT_MAX }, user;
	const __s64 deadline = deadline_ms(10 * WAIT_MS);
	pthread_t threads[2];
	struct accel_queue_create queue;
	struct accel_bo_create bo, heir;
	struct test_job fill;
	__u32 *map, *heir_map;
	__u32 gate, id;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &gate));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &id));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	fill = job_fill(bo.id, 0, 4096, 5);
	job_signal(&fill, id, 1);
	/* For as long as it takes, which no job that runs may. */
	job_wait(&fill, gate, 1);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &fill, &point));
	waiter.id = id;
	user = waiter;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, stale_wait, &waiter));
	ASSERT_EQ(0, wait_for_census("waiters", 1));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, stale_query, &user));

	ASSERT_EQ(0, destroy(self->fd, bo.id));
	ASSERT_EQ(0, destroy(self->fd, id));
	__atomic_store_n(&user.gone, true, __ATOMIC_RELEASE);
	do {
		ASSERT_EQ(0, recycle(self->fd, count,
				     (__u32 []) { bo.id, id }));
		tally(2 * count, "ids recycled");
	} while (now_ns() < deadline &&
		 (!__atomic_load_n(&user.reached, __ATOMIC_RELAXED) ||
		  !__atomic_load_n(&user.none, __ATOMIC_RELAXED)));
	__atomic_store_n(&user.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(threads[1], NULL));
	EXPECT_EQ(0, user.bad);
	EXPECT_LT(0, user.reached);
	EXPECT_LT(0, user.none);

	/* Nobody has taken the heirs of the ids for what they were. */
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &heir));
	EXPECT_EQ(bo.id < id ? bo.id : id, heir.id);
	EXPECT_EQ(INT_MAX, __atomic_load_n(&waiter.waited, __ATOMIC_ACQUIRE));
	EXPECT_EQ(0, map[0]);
	ASSERT_EQ(0, timeline_signal(self->fd, gate, 1));
	ASSERT_EQ(0, pthread_join(threads[0], NULL));
	EXPECT_EQ(0, waiter.waited);
	EXPECT_POINT(0, self->fd, queue.timeline, point);
	EXPECT_EQ(5, map[0]);
	heir_map = bo_map(self->fd, &heir);
	ASSERT_TRUE(heir_map != MAP_FAILED);
	EXPECT_EQ(0, heir_map[0]);
	EXPECT_EQ(0, munmap(heir_map, 4096));
	EXPECT_EQ(0, munmap(map, 4096));
}

TEST_HARNESS_MAIN
