// SPDX-License-Identifier: GPL-2.0-only
/*
 * BO_ADVISE: memory that may be taken, what may not be done with it then, and
 * that it is taken when the system is told to give back what it can.
 */
#include "accel_test.h"
#include "pins.h"

#include <setjmp.h>
#include <unistd.h>

#define PAGE	4096UL
#define LENGTH	(64 * PAGE)

FIXTURE(advise)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	volatile __u32 *map;
	__u32 retained;
};

FIXTURE_SETUP(advise)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &self->bo));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE_TEARDOWN(advise)
{
	EXPECT_EQ(0, munmap((void *)self->map, LENGTH));
	accel_teardown(_metadata, self->fd);
}

static sigjmp_buf touched;

static void touch_signal(int signal)
{
	siglongjmp(touched, signal);
}

/* Reads a word; returns whether it is there. */
static bool is_there(const volatile __u32 *word)
{
	bool there = true;

	signal(SIGBUS, touch_signal);
	if (sigsetjmp(touched, 1))
		there = false;
	else
		(void)*word;
	signal(SIGBUS, SIG_DFL);
	return there;
}

/* Has every shrinker asked for all that it has. */
static int shrink(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, "2", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

static int advise(FIXTURE_DATA(advise) *self, __u32 advice)
{
	return bo_advise(self->fd, self->bo.id, advice, &self->retained);
}

static int fill(FIXTURE_DATA(advise) *self, __u32 value)
{
	struct test_job job = job_fill(self->bo.id, 0, LENGTH, value);
	__s32 status;
	__u64 point;

	return submit_one(self->fd, self->queue.id, &job, &point) ?:
	       point_wait_until(self->fd, self->queue.timeline, point,
				deadline_ms(WAIT_MS), &status) ?: status;
}

TEST_F(advise, kept_if_nobody_wants_it)
{
	ASSERT_EQ(0, fill(self, 7));
	ASSERT_EQ(0, settle());
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	EXPECT_EQ(1, self->retained);
	EXPECT_EQ(7, self->map[0]);
	/* To say it twice is to say it once. */
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
	EXPECT_EQ(1, self->retained);
	EXPECT_EQ(7, self->map[LENGTH / 4 - 1]);
	ASSERT_EQ(0, fill(self, 8));
	EXPECT_EQ(8, self->map[0]);
}

/* Who cannot be told what became of the contents has said nothing. */
static int advise_in_vain(FIXTURE_DATA(advise) *self, __u32 advice)
{
	struct accel_bo_advise *args;
	int ret;

	args = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (args == MAP_FAILED)
		return -errno;
	*args = (struct accel_bo_advise) {
		.size = sizeof(*args),
		.id = self->bo.id,
		.advice = advice,
	};
	ret = mprotect(args, PAGE, PROT_READ) ? -errno :
	      accel_ioctl(self->fd, ACCEL_IOCTL_BO_ADVISE, args);
	munmap(args, PAGE);
	return ret;
}

TEST_F(advise, no_answer)
{
	ASSERT_EQ(0, fill(self, 7));
	ASSERT_EQ(0, settle());
	EXPECT_EQ(-EFAULT, advise_in_vain(self, ACCEL_ADVISE_DONTNEED));
	ASSERT_EQ(0, fill(self, 8));
	ASSERT_EQ(0, settle());
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	ASSERT_EQ(0, shrink());
	EXPECT_EQ(-EFAULT, advise_in_vain(self, ACCEL_ADVISE_WILLNEED));
	EXPECT_EQ(-EBUSY, fill(self, 9));
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
	EXPECT_EQ(0, self->retained);
}

TEST_F(advise, taken_and_given_back)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, fill(self, 7 + i));
		ASSERT_EQ(0, settle());
		ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
		EXPECT_EQ(1, self->retained);
		ASSERT_EQ(0, shrink());
		EXPECT_FALSE(is_there(self->map));
		ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
		EXPECT_EQ(0, self->retained);
		ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
		EXPECT_EQ(0, self->retained);

		/* As a new one, for who touches it and for jobs. */
		EXPECT_TRUE(is_there(self->map));
		EXPECT_EQ(LENGTH, span((void *)self->map, 0, LENGTH));
		ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
		EXPECT_EQ(1, self->retained);
	}
}

/* What is needed is not taken, and never was there is not lost. */
TEST_F(advise, not_taken)
{
	ASSERT_EQ(0, fill(self, 7));
	ASSERT_EQ(0, shrink());
	EXPECT_EQ(7, self->map[0]);
	ASSERT_EQ(0, settle());
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
	ASSERT_EQ(0, shrink());
	EXPECT_EQ(7, self->map[0]);
}

TEST_F(advise, never_touched)
{
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	ASSERT_EQ(0, shrink());
	EXPECT_FALSE(is_there(self->map));
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
	EXPECT_EQ(1, self->retained);
	EXPECT_TRUE(is_there(self->map));
}

TEST_F(advise, not_while_a_job_has_it)
{
	struct test_job hang = job_hang(), nop = job_nop();
	__u64 point;

	job_bo(&hang, self->bo.id, ACCEL_BO_READ);
	job_bo(&nop, self->bo.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	EXPECT_EQ(-EBUSY, advise(self, ACCEL_ADVISE_DONTNEED));
	EXPECT_EQ(~0U, self->retained);
	EXPECT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, settle());

	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	EXPECT_EQ(-EBUSY, submit_one(self->fd, self->queue.id, &nop, &point));
	ASSERT_EQ(0, shrink());
	EXPECT_EQ(-EBUSY, submit_one(self->fd, self->queue.id, &nop, &point));
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
	EXPECT_EQ(0, submit_one(self->fd, self->queue.id, &nop, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
}

TEST_F(advise, not_while_it_is_shared)
{
	struct accel_bo_import import;
	int dma_buf;

	ASSERT_EQ(0, fill(self, 7));
	ASSERT_EQ(0, settle());
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	EXPECT_EQ(-EBUSY, bo_export(self->fd, self->bo.id, 0));
	EXPECT_EQ(-EBUSY, bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE));
	ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));

	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(-EBUSY, advise(self, ACCEL_ADVISE_DONTNEED));
	/* An id that may only read has no say. */
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	ASSERT_EQ(0, close(dma_buf));
	EXPECT_EQ(-EACCES, bo_advise(self->fd, import.id, ACCEL_ADVISE_WILLNEED,
				     &self->retained));
	EXPECT_EQ(0, advise(self, ACCEL_ADVISE_DONTNEED));
	ASSERT_EQ(0, shrink());
	EXPECT_FALSE(is_there(self->map));
}

TEST_F(advise, memory_of_others)
{
	static _Alignas(PAGE) __u8 page[PAGE];
	struct accel_bo_userptr userptr = {
		.size = sizeof(userptr),
		.flags = ACCEL_USERPTR_WRITE,
		.addr = ptr_to_u64(page),
		.length = PAGE,
	};
	struct accel_bo_create local;

	ASSERT_EQ(0, accel_ioctl(self->fd, ACCEL_IOCTL_BO_USERPTR, &userptr));
	EXPECT_EQ(-EOPNOTSUPP, bo_advise(self->fd, userptr.id,
					 ACCEL_ADVISE_DONTNEED, &self->retained));
	ASSERT_LT(1, self->dev.region_count);
	ASSERT_EQ(0, bo_create(self->fd, 1, PAGE, &local));
	EXPECT_EQ(-EOPNOTSUPP, bo_advise(self->fd, local.id,
					 ACCEL_ADVISE_DONTNEED, &self->retained));
	EXPECT_EQ(-EOPNOTSUPP, bo_advise(self->fd, self->bo.id, 0,
					 &self->retained));
	EXPECT_EQ(-EOPNOTSUPP, bo_advise(self->fd, self->bo.id, 3,
					 &self->retained));
}

struct race {
	bool stop;
	unsigned long count;
};

static void *keep_shrinking(void *arg)
{
	struct race *race = arg;

	while (!__atomic_load_n(&race->stop, __ATOMIC_RELAXED))
		if (!shrink())
			__atomic_add_fetch(&race->count, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* Of two that end one has begun after this was called. Returns how many ended. */
static unsigned long wait_for_shrink(struct race *race)
{
	unsigned long now, start = __atomic_load_n(&race->count, __ATOMIC_RELAXED);
	__s64 deadline = deadline_ms(3 * WAIT_MS);

	do {
		usleep(1000);
		now = __atomic_load_n(&race->count, __ATOMIC_RELAXED);
	} while (now - start < 2 && now_ns() < deadline);
	return now - start;
}

/* Jobs, advice and reclaim at the same time: a job never finds its memory gone. */
TEST_F_TIMEOUT(advise, reclaim_races_jobs, LONG_TEST_S)
{
	struct race race = { };
	unsigned int i, n = rounds(60, 3000), lost = 0;
	pthread_t thread;
	int ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, keep_shrinking, &race));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, fill(self, i));
		EXPECT_EQ(i, self->map[0]);
		/* Until the job has let go of it. */
		while ((ret = advise(self, ACCEL_ADVISE_DONTNEED)) == -EBUSY)
			sched_yield();
		ASSERT_EQ(0, ret);
		if (i % 8 == 7)
			ASSERT_LE(2, wait_for_shrink(&race));
		if (i % 2)
			usleep(2000);
		ASSERT_EQ(0, advise(self, ACCEL_ADVISE_WILLNEED));
		if (i % 8 == 7)
			EXPECT_EQ(0, self->retained);
		lost += !self->retained;
		EXPECT_EQ(self->retained ? i : 0, self->map[0]);
	}
	__atomic_store_n(&race.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LE(n / 8, lost);
	printf("# %u of %u times the memory was taken, in %lu rounds of reclaim\n",
	       lost, n, race.count);
	tally(n, "buffers used under reclaim");
}

TEST_HARNESS_MAIN
