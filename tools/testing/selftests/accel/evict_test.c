// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers in memory of the device's own, of which there is less than clients want:
 * those that no job uses make room, and nobody notices.
 */
#include "unplug.h"

#include "command.h"

#define REGION	ACCEL_VACCEL_REGION_LOCAL
#define CHUNK	0x100000

FIXTURE(evict)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create result;
	__u32 *seen;
	__u64 total;
};

static int local_region(int fd, __u64 *total, __u64 *used)
{
	struct accel_query_region region[16];
	struct accel_query query = {
		.size = sizeof(query),
		.topic = ACCEL_QUERY_REGIONS,
		.data_ptr = ptr_to_u64(region),
		.data_size = sizeof(region),
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_QUERY, &query);

	*total = region[REGION].total;
	*used = region[REGION].used;
	return ret ?: region[REGION].flags & ACCEL_REGION_EVICTS ? 0 : -EDOM;
}

FIXTURE_SETUP(evict)
{
	__u64 used;

	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_LT(REGION, self->dev.region_count);
	ASSERT_EQ(0, local_region(self->fd, &self->total, &used));
	ASSERT_EQ(0, used);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &self->result));
	self->seen = bo_map(self->fd, &self->result);
	ASSERT_TRUE(self->seen != MAP_FAILED);
}

FIXTURE_TEARDOWN(evict)
{
	if (self->fd < 0)
		return;
	EXPECT_EQ(0, munmap(self->seen, 4096));
	accel_teardown(_metadata, self->fd);
}

static int fill(FIXTURE_DATA(evict) *self, const struct accel_bo_create *bo,
		__u32 value)
{
	struct test_job job = job_fill(bo->id, 0, bo->length, value);

	return job_run(self->fd, &self->queue, &job);
}

/* What a job finds at the end of @bo. */
static __u32 last_word(FIXTURE_DATA(evict) *self, const struct accel_bo_create *bo)
{
	struct test_job job = job_copy(bo->id, bo->length - 4, self->result.id, 0, 4);
	int ret = job_run(self->fd, &self->queue, &job);

	return ret ? (__u32)ret : self->seen[0];
}

static bool is_out(int fd, __u32 id)
{
	struct accel_bo_info info = {};

	return !bo_info(fd, id, &info) && info.flags & ACCEL_BO_EVICTED;
}

/* Twice as much as there is, and all of it is what was written. */
TEST_F_TIMEOUT(evict, more_than_there_is, LONG_TEST_S)
{
	__u32 count = 2 * self->total / CHUNK, i, out = 0;
	struct accel_bo_create bo[64];
	__u64 used, total;
	__u32 *map;

	ASSERT_LE(count, ARRAY_LEN(bo));
	for (i = 0; i < count; i++) {
		ASSERT_EQ(0, bo_create(self->fd, REGION, CHUNK, &bo[i]));
		EXPECT_FALSE(is_out(self->fd, bo[i].id));
		ASSERT_EQ(0, fill(self, &bo[i], 0x1000 + i));
	}
	ASSERT_EQ(0, local_region(self->fd, &total, &used));
	EXPECT_EQ(total, used);
	for (i = 0; i < count; i++)
		out += is_out(self->fd, bo[i].id);
	EXPECT_EQ(count / 2, out);

	/* Where it is, and again when a job has had it brought back. */
	for (i = 0; i < count; i++) {
		map = bo_map(self->fd, &bo[i]);
		ASSERT_TRUE(map != MAP_FAILED);
		EXPECT_EQ(0x1000 + i, map[CHUNK / 8]);
		EXPECT_EQ(0x1000 + i, last_word(self, &bo[i]));
		EXPECT_FALSE(is_out(self->fd, bo[i].id));
		EXPECT_EQ(0x1000 + i, map[0]);
		EXPECT_EQ(0, munmap(map, CHUNK));
	}
	for (i = 0; i < count; i++)
		ASSERT_EQ(0, destroy(self->fd, bo[i].id));
	ASSERT_EQ(0, local_region(self->fd, &total, &used));
	EXPECT_EQ(0, used);
}

/* What nothing makes room for has nothing moved. */
TEST_F(evict, too_large)
{
	struct accel_bo_create bo, more;

	ASSERT_EQ(0, bo_create(self->fd, REGION, self->total, &bo));
	EXPECT_EQ(-ENOSPC, bo_create(self->fd, REGION, self->total + 1, &more));
	EXPECT_FALSE(is_out(self->fd, bo.id));
}

/* A hole of the right size is found, and all of it is zeros. */
TEST_F_TIMEOUT(evict, hole_is_zeroed, LONG_TEST_S)
{
	__u32 count = self->total / CHUNK, i;
	struct accel_bo_create bo[64];
	__u8 *hole;

	ASSERT_LE(count, ARRAY_LEN(bo));
	for (i = 0; i < count; i++) {
		ASSERT_EQ(0, bo_create(self->fd, REGION, CHUNK, &bo[i]));
		ASSERT_EQ(0, fill(self, &bo[i], 0x33333333));
	}
	ASSERT_EQ(0, destroy(self->fd, bo[count / 2].id));
	ASSERT_EQ(0, bo_create(self->fd, REGION, CHUNK, &bo[count / 2]));
	hole = bo_map(self->fd, &bo[count / 2]);
	ASSERT_TRUE(hole != MAP_FAILED);
	EXPECT_EQ(CHUNK, span(hole, 0, CHUNK));
	memset(hole, 4, CHUNK);
	for (i = 0; i < count; i++) {
		EXPECT_FALSE(is_out(self->fd, bo[i].id));
		EXPECT_EQ(i == count / 2 ? 0x04040404 : 0x33333333,
			  last_word(self, &bo[i]));
	}
	EXPECT_EQ(0, munmap(hole, CHUNK));
}

/* A job that does not end keeps what it uses, and others' jobs do without. */
TEST_F_TIMEOUT(evict, not_what_a_job_uses, LONG_TEST_S)
{
	struct accel_queue_create other;
	struct accel_bo_create bo, held, more;
	struct test_job job = job_hang();
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 1, 60000, &other));
	ASSERT_EQ(0, bo_create(self->fd, REGION, CHUNK, &held));
	ASSERT_EQ(0, fill(self, &held, 5));
	ASSERT_EQ(0, bo_create(self->fd, REGION, self->total, &bo));
	EXPECT_TRUE(is_out(self->fd, held.id));

	job_bo(&job, bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, other.id, &job, &point));
	EXPECT_EQ(-ENOSPC, bo_create(self->fd, REGION, 1, &more));
	EXPECT_FALSE(is_out(self->fd, bo.id));
	EXPECT_EQ(5, last_word(self, &held));
	EXPECT_TRUE(is_out(self->fd, held.id));
	ASSERT_EQ(0, fill(self, &held, 6));

	ASSERT_EQ(0, hang_release(self->fd, other.id));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	EXPECT_EQ(6, last_word(self, &held));
	EXPECT_FALSE(is_out(self->fd, held.id));
	EXPECT_TRUE(is_out(self->fd, bo.id));
}

struct writer {
	volatile __u32 *word;
	volatile bool stop;
	__u32 written;
	__u32 lost;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!w->stop) {
		if (*w->word != w->written)
			w->lost++;
		*w->word = ++w->written;
	}
	return NULL;
}

/* A thread that writes all the time finds what it wrote, wherever that is by now. */
TEST_F_TIMEOUT(evict, no_write_is_lost, LONG_TEST_S)
{
	unsigned int i, count = rounds(40, 400);
	struct accel_bo_create bo, more;
	struct writer writer = {};
	pthread_t thread;
	__u32 *map;

	ASSERT_EQ(0, bo_create(self->fd, REGION, self->total, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	writer.word = map + bo.length / 8;
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_on, &writer));
	for (i = 0; i < count; i++) {
		EXPECT_EQ(0, bo_create(self->fd, REGION, 1, &more));
		EXPECT_TRUE(is_out(self->fd, bo.id));
		EXPECT_EQ(0, destroy(self->fd, more.id));
		EXPECT_EQ(0, last_word(self, &bo));
		EXPECT_FALSE(is_out(self->fd, bo.id));
	}
	writer.stop = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, writer.lost);
	EXPECT_EQ(writer.written, *writer.word);
	EXPECT_EQ(0, munmap(map, bo.length));
	tally(2 * count, "moves of a buffer that is written");
}

/* Each wants all that there is, for jobs whose results it looks at. */
static void be_greedy(__u64 total, __u32 seed, unsigned int count)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo, copy;
	struct test_job job;
	int ret, fd = accel_open();
	unsigned int i;
	__u32 *map;

	if (fd < 0 || queue_create(fd, seed & 1, 0, &queue) ||
	    bo_create(fd, 0, 4096, &copy))
		_exit(1);
	/* While another's job runs there is no room. */
	do {
		ret = bo_create(fd, REGION, total, &bo);
	} while (ret == -ENOSPC);
	map = bo_map(fd, &copy);
	if (ret || map == MAP_FAILED)
		_exit(1);
	for (i = 0; i < count; i++) {
		job = job_fill(bo.id, total - 4096, 4096, seed + i);
		if (job_run(fd, &queue, &job))
			_exit(2);
		job = job_copy(bo.id, total - 4096, copy.id, 0, 4096);
		if (job_run(fd, &queue, &job))
			_exit(3);
		if (map[0] != seed + i || map[1023] != seed + i)
			_exit(4);
	}
	_exit(0);
}

TEST_F_TIMEOUT(evict, all_want_all, LONG_TEST_S)
{
	unsigned int i, count = rounds(30, 1000);
	pid_t child[3];
	int status;

	for (i = 0; i < ARRAY_LEN(child); i++) {
		child[i] = fork();
		ASSERT_LE(0, child[i]);
		if (!child[i])
			be_greedy(self->total, 0x10000 + i * 0x1001, count);
	}
	for (i = 0; i < ARRAY_LEN(child); i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

struct creator {
	pthread_barrier_t *start;
	int fd;
	int ret;
	struct accel_bo_create bo;
};

static void *create_one(void *arg)
{
	struct creator *c = arg;

	pthread_barrier_wait(c->start);
	c->ret = bo_create(c->fd, REGION, 1, &c->bo);
	return NULL;
}

/* One makes room; the others wait for it and take what it leaves. */
TEST_F_TIMEOUT(evict, several_at_once, LONG_TEST_S)
{
	unsigned int round, i, count = rounds(10, 200);
	struct creator creator[3];
	struct accel_bo_create bo;
	pthread_barrier_t start;
	pthread_t thread[3];

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 3));
	for (round = 0; round < count; round++) {
		ASSERT_EQ(0, bo_create(self->fd, REGION, self->total, &bo));
		for (i = 0; i < 3; i++) {
			creator[i] = (struct creator) {
				.start = &start, .fd = self->fd,
			};
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, create_one,
						    &creator[i]));
		}
		for (i = 0; i < 3; i++) {
			ASSERT_EQ(0, pthread_join(thread[i], NULL));
			ASSERT_EQ(0, creator[i].ret);
			EXPECT_EQ(0, destroy(self->fd, creator[i].bo.id));
		}
		EXPECT_TRUE(is_out(self->fd, bo.id));
		ASSERT_EQ(0, destroy(self->fd, bo.id));
	}
	ASSERT_EQ(0, pthread_barrier_destroy(&start));
}

/* Moved or not, it goes with the device. */
TEST_F_TIMEOUT(evict, device_goes, LONG_TEST_S)
{
	struct accel_bo_create bo, more;
	__u8 *map;

	ASSERT_EQ(0, bo_create(self->fd, REGION, self->total, &bo));
	ASSERT_EQ(0, fill(self, &bo, 7));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, bo_create(self->fd, REGION, 1, &more));
	ASSERT_TRUE(is_out(self->fd, bo.id));
	EXPECT_EQ(7, map[0]);

	ASSERT_EQ(0, vaccel_unbind());
	signal(SIGBUS, touch_on_fault);
	EXPECT_EQ(SIGBUS, touch(map, 1));
	EXPECT_EQ(SIGBUS, touch(map + bo.length - 1, 1));
	signal(SIGBUS, SIG_DFL);

	/* Its number is free again when nobody has it. */
	EXPECT_EQ(0, munmap(map, bo.length));
	EXPECT_EQ(0, munmap(self->seen, 4096));
	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_EQ(0, census_total());
	EXPECT_EQ(0, vaccel_bind());
}

TEST_HARNESS_MAIN
