// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's edu device, on real PCI: registers, DMA, interrupts, and a timeout in
 * the middle of a transfer. Each device found is tested; without one, all is
 * skipped.
 */
#include "accel_test.h"

#define EDU_MAX		8
#define NODES		64

/* A COPY of 2 KiB takes the device about 200 ms. */
#define DMA_WAIT_MS	60000
#define SMALL		256

struct edu {
	int fd;
	int minor;
	struct accel_query_device dev;
	struct accel_queue_create factorial;
	struct accel_queue_create dma;
	struct accel_bo_create src;
	struct accel_bo_create dst;
	__u8 *src_map;
	__u8 *dst_map;
};

#define BO_LENGTH	65536

FIXTURE(edu)
{
	struct edu edu[EDU_MAX];
	int count;
};

static int edu_open(struct edu *edu, int minor)
{
	char path[32];
	int ret;

	snprintf(path, sizeof(path), "/dev/accel/accel%d", minor);
	edu->minor = minor;
	edu->fd = open(path, O_RDWR | O_CLOEXEC);
	if (edu->fd < 0)
		return -errno;
	ret = query_device(edu->fd, &edu->dev);
	if (!ret && strcmp((char *)edu->dev.driver, "accel_edu"))
		ret = -ENODEV;
	if (ret)
		close(edu->fd);
	return ret;
}

static int edu_prepare(struct edu *edu)
{
	int ret;

	ret = queue_create(edu->fd, ACCEL_EDU_ENGINE_FACTORIAL, 0,
			   &edu->factorial) ?:
	      queue_create(edu->fd, ACCEL_EDU_ENGINE_DMA,
			   edu->dev.timeout_max_ms, &edu->dma) ?:
	      bo_create(edu->fd, 0, BO_LENGTH, &edu->src) ?:
	      bo_create(edu->fd, 0, BO_LENGTH, &edu->dst);
	if (ret)
		return ret;
	edu->src_map = bo_map(edu->fd, &edu->src);
	edu->dst_map = bo_map(edu->fd, &edu->dst);
	return edu->src_map == MAP_FAILED || edu->dst_map == MAP_FAILED ?
	       -errno : 0;
}

static int edu_close(struct edu *edu)
{
	munmap(edu->src_map, BO_LENGTH);
	munmap(edu->dst_map, BO_LENGTH);
	return close(edu->fd);
}

FIXTURE_SETUP(edu)
{
	int minor;

	for (minor = 0; minor < NODES && self->count < EDU_MAX; minor++)
		if (!edu_open(&self->edu[self->count], minor))
			self->count++;
	if (!self->count)
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	for (minor = 0; minor < self->count; minor++)
		ASSERT_EQ(0, edu_prepare(&self->edu[minor]));
}

FIXTURE_TEARDOWN(edu)
{
	int i;

	for (i = 0; i < self->count; i++)
		EXPECT_EQ(0, edu_close(&self->edu[i]));
	EXPECT_EQ(0, census_total());
}

static struct test_job job_factorial(const struct edu *edu, __u32 value,
				     __u64 offset)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.factorial) };

	job.cmd.factorial.value = value;
	job.cmd.factorial.bo = job_bo(&job, edu->dst.id, ACCEL_BO_WRITE);
	job.cmd.factorial.offset = offset;
	return job;
}

static struct test_job job_load(const struct edu *edu, __u64 src_offset,
				__u32 chip_offset, __u64 length)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };

	job.cmd.dma.op = ACCEL_EDU_DMA_LOAD;
	job.cmd.dma.src_bo = job_bo(&job, edu->src.id, ACCEL_BO_READ);
	job.cmd.dma.src_offset = src_offset;
	job.cmd.dma.chip_offset = chip_offset;
	job.cmd.dma.length = length;
	return job;
}

static struct test_job job_store(const struct edu *edu, __u32 chip_offset,
				 __u64 dst_offset, __u64 length)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };

	job.cmd.dma.op = ACCEL_EDU_DMA_STORE;
	job.cmd.dma.dst_bo = job_bo(&job, edu->dst.id, ACCEL_BO_WRITE);
	job.cmd.dma.dst_offset = dst_offset;
	job.cmd.dma.chip_offset = chip_offset;
	job.cmd.dma.length = length;
	return job;
}

static struct test_job job_dma_copy(const struct edu *edu, __u64 src_offset,
				    __u64 dst_offset, __u64 length)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };

	job.cmd.dma.op = ACCEL_EDU_DMA_COPY;
	job.cmd.dma.src_bo = job_bo(&job, edu->src.id, ACCEL_BO_READ);
	job.cmd.dma.dst_bo = job_bo(&job, edu->dst.id, ACCEL_BO_WRITE);
	job.cmd.dma.src_offset = src_offset;
	job.cmd.dma.dst_offset = dst_offset;
	job.cmd.dma.length = length;
	return job;
}

/* 0 when the job has run and succeeded, else the error of SUBMIT or the job. */
static int run(const struct edu *edu, const struct accel_queue_create *queue,
	       const struct test_job *job)
{
	__s32 status;
	__u64 point;
	int ret;

	ret = submit_one(edu->fd, queue->id, job, &point) ?:
	      point_wait_until(edu->fd, queue->timeline, point,
			       deadline_ms(DMA_WAIT_MS), &status);
	return ret ?: status;
}

static __u32 result(const struct edu *edu, __u64 offset)
{
	__u32 value;

	memcpy(&value, edu->dst_map + offset, sizeof(value));
	return value;
}

static int driver_info(const struct edu *edu, struct accel_edu_info *info)
{
	struct accel_query query = {
		.size = sizeof(query),
		.topic = ACCEL_QUERY_DRIVER,
		.data_ptr = ptr_to_u64(info),
		.data_size = sizeof(*info),
	};

	return accel_ioctl(edu->fd, ACCEL_IOCTL_QUERY, &query);
}

TEST_F(edu, device)
{
	struct accel_edu_info info;
	struct edu *edu;

	for (edu = self->edu; edu < self->edu + self->count; edu++) {
		EXPECT_EQ(0, edu->dev.flags & ACCEL_DEVICE_VIRTUAL);
		EXPECT_EQ(2, edu->dev.engine_count);
		EXPECT_NE(0, edu->dev.bus_id[0]);
		EXPECT_LE(sizeof(struct accel_edu_dma), edu->dev.cmd_size_max);
		ASSERT_EQ(0, driver_info(edu, &info));
		EXPECT_EQ(0xed, info.id & 0xffff);
		EXPECT_EQ(ACCEL_EDU_MEMORY_SIZE, info.memory_size);
	}
}

TEST_F(edu, factorial)
{
	static const __u32 expected[] = {
		1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800,
		39916800, 479001600,
	};
	struct accel_edu_info before, after;
	struct test_job job;
	struct edu *edu;
	__u32 i;

	_Static_assert(ARRAY_LEN(expected) == ACCEL_EDU_FACTORIAL_MAX + 1,
		       "all that fit");
	for (edu = self->edu; edu < self->edu + self->count; edu++) {
		ASSERT_EQ(0, driver_info(edu, &before));
		for (i = 0; i <= ACCEL_EDU_FACTORIAL_MAX; i++) {
			job = job_factorial(edu, i, 4 * i);
			ASSERT_EQ(0, run(edu, &edu->factorial, &job));
			EXPECT_EQ(expected[i], result(edu, 4 * i));
			EXPECT_EQ(0, result(edu, 4 * i + 4));
		}
		job = job_factorial(edu, 10, BO_LENGTH - 4);
		ASSERT_EQ(0, run(edu, &edu->factorial, &job));
		EXPECT_EQ(3628800, result(edu, BO_LENGTH - 4));
		ASSERT_EQ(0, driver_info(edu, &after));
		EXPECT_LT(before.interrupts, after.interrupts);
	}
}

/* All devices, and both engines of each, at the same time. */
TEST_F_TIMEOUT(edu, all_at_once, LONG_TEST_S)
{
	struct test_job factorial, dma;
	struct accel_submit sub;
	struct edu *edu;
	__u64 point;

	if (self->count < 2)
		SKIP(return, "one accel_edu device: start QEMU with two");
	for (edu = self->edu; edu < self->edu + self->count; edu++) {
		scramble(edu->src_map, SMALL, edu - self->edu);
		dma = job_dma_copy(edu, 0, 0, SMALL);
		ASSERT_EQ(0, submit_one(edu->fd, edu->dma.id, &dma, &point));
		/* A buffer of its own, or it would have to wait for the DMA. */
		factorial = job_factorial(edu, 10, 0);
		factorial.bos[0].id = edu->src.id;
		factorial.cmd.factorial.offset = BO_LENGTH / 2;
		ASSERT_EQ(0, submit_repeated(edu->fd, edu->factorial.id,
					     &factorial, 8, &sub));
		ASSERT_EQ(8, sub.accepted);
	}
	for (edu = self->edu; edu < self->edu + self->count; edu++) {
		__u32 value;

		EXPECT_POINT(0, edu->fd, edu->factorial.timeline, 8);
		EXPECT_POINT(0, edu->fd, edu->dma.timeline, 1);
		memcpy(&value, edu->src_map + BO_LENGTH / 2, sizeof(value));
		EXPECT_EQ(3628800, value);
		EXPECT_EQ(0, memcmp(edu->src_map, edu->dst_map, SMALL));
	}
}

/* Onto the chip in one job and back in another, in odd parts. */
TEST_F_TIMEOUT(edu, load_and_store, LONG_TEST_S)
{
	static const struct {
		__u32 offset, chip, length;
	} parts[] = {
		{ 0, 0, ACCEL_EDU_MEMORY_SIZE },
		{ 8192, ACCEL_EDU_MEMORY_SIZE - 8, 8 },
		{ 4092, 1000, 2049 },
		{ 12289, 3, 1 },
	};
	struct edu *edu = &self->edu[0];
	struct test_job load, store;
	size_t i;

	for (i = 0; i < ARRAY_LEN(parts); i++) {
		scramble(edu->src_map, BO_LENGTH, i);
		memset(edu->dst_map, 0xee, BO_LENGTH);
		load = job_load(edu, parts[i].offset, parts[i].chip,
				parts[i].length);
		store = job_store(edu, parts[i].chip, parts[i].offset,
				  parts[i].length);
		ASSERT_EQ(0, run(edu, &edu->dma, &load));
		ASSERT_EQ(0, run(edu, &edu->dma, &store));
		EXPECT_EQ(0, memcmp(edu->src_map + parts[i].offset,
				    edu->dst_map + parts[i].offset,
				    parts[i].length)) {
			TH_LOG("part %zu", i);
		}
		EXPECT_EQ(0xee, edu->dst_map[parts[i].offset +
					     parts[i].length]);
		if (parts[i].offset)
			EXPECT_EQ(0xee, edu->dst_map[parts[i].offset - 1]);
	}
}

TEST_F_TIMEOUT(edu, copy_64k_through_the_chip, LONG_TEST_S)
{
	struct test_job job;
	struct edu *edu;
	__u64 point;
	__s32 status;

	for (edu = self->edu; edu < self->edu + self->count; edu++) {
		scramble(edu->src_map, BO_LENGTH, edu - self->edu);
		job = job_dma_copy(edu, 0, 0, BO_LENGTH);
		ASSERT_EQ(0, submit_one(edu->fd, edu->dma.id, &job, &point));
	}
	for (edu = self->edu; edu < self->edu + self->count; edu++) {
		ASSERT_EQ(0, point_wait_until(edu->fd, edu->dma.timeline, 1,
					      deadline_ms(DMA_WAIT_MS),
					      &status));
		EXPECT_EQ(0, status);
		EXPECT_EQ(0, memcmp(edu->src_map, edu->dst_map, BO_LENGTH));
	}
}

/* Refused by SUBMIT, before anything touches a register. */
static void expect_refused(struct __test_metadata *_metadata,
			   const struct edu *edu,
			   const struct accel_queue_create *queue, int error,
			   const struct test_job *job, const char *what)
{
	struct accel_edu_info before, after;
	struct accel_queue_info info;
	__u64 point;

	ASSERT_EQ(0, driver_info(edu, &before));
	EXPECT_EQ(error, submit_one(edu->fd, queue->id, job, &point)) {
		TH_LOG("%s", what);
	}
	ASSERT_EQ(0, queue_info(edu->fd, queue->id, &info));
	EXPECT_EQ(0, info.submitted);
	ASSERT_EQ(0, driver_info(edu, &after));
	EXPECT_EQ(before.interrupts, after.interrupts);
}

#define EXPECT_REFUSED(error, queue, good, change) do {			\
	struct test_job bad = good;					\
									\
	bad.change;							\
	expect_refused(_metadata, edu, queue, error, &bad, #change);	\
} while (0)

TEST_F(edu, bad_factorial)
{
	struct edu *edu = &self->edu[0];
	struct accel_queue_create *q = &edu->factorial;
	struct test_job job = job_factorial(edu, 10, 0);

	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.value = 13);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.value = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.bo = 1);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.bo = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.offset = 2);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.offset = BO_LENGTH);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.offset = UINT64_MAX - 3);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.factorial.offset = 1ULL << 32);
	EXPECT_REFUSED(-EACCES, q, job, bos[0].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EINVAL, q, job, bo_count = 0);
	EXPECT_REFUSED(-EINVAL, q, job, cmd_size = sizeof(job.cmd.factorial) - 1);
	EXPECT_EQ(0, result(edu, 0));
	EXPECT_EQ(0, run(edu, q, &job));
	EXPECT_EQ(3628800, result(edu, 0));
}

TEST_F(edu, bad_dma)
{
	struct edu *edu = &self->edu[0];
	struct accel_queue_create *q = &edu->dma;
	struct test_job load = job_load(edu, 0, 0, 64);
	struct test_job store = job_store(edu, 0, 0, 64);
	struct test_job copy = job_dma_copy(edu, 0, 0, 64);
	struct test_job factorial = job_factorial(edu, 10, 0);
	const __u32 chip = ACCEL_EDU_MEMORY_SIZE;

	EXPECT_REFUSED(-EOPNOTSUPP, q, load, cmd.dma.op = 0);
	EXPECT_REFUSED(-EOPNOTSUPP, q, load, cmd.dma.op = 4);
	EXPECT_REFUSED(-EOPNOTSUPP, q, copy, cmd.dma.op = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, q, load, cmd_size = sizeof(load.cmd.dma) - 1);
	EXPECT_REFUSED(-EINVAL, q, factorial, flags = 0);

	/* On-chip memory ends at 4 KiB. */
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.length = chip + 1);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.length = chip + 1);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.chip_offset = chip - 63);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.chip_offset = chip - 63);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.chip_offset = chip);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.chip_offset = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.chip_offset = UINT_MAX - 63);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.length = 0);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.length = 0);
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.length = 0);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.length = UINT64_MAX);
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.length = UINT64_MAX);
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.length = BO_LENGTH + 1);

	/* Members that the operation does not use. */
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.chip_offset = 1);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.src_bo = 1);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.src_offset = 1);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.dst_bo = 1);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.dst_offset = 1);

	/* The buffers. */
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.src_bo = 1);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.dst_bo = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.dst_bo = 2);
	EXPECT_REFUSED(-EACCES, q, load, bos[0].flags = ACCEL_BO_WRITE);
	EXPECT_REFUSED(-EACCES, q, store, bos[0].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EACCES, q, copy, cmd.dma.dst_bo = 0);
	EXPECT_REFUSED(-EACCES, q, copy, cmd.dma.src_bo = 1);
	EXPECT_REFUSED(-EINVAL, q, load, bo_count = 0);
	EXPECT_REFUSED(-EINVAL, q, load, cmd.dma.src_offset = BO_LENGTH - 63);
	EXPECT_REFUSED(-EINVAL, q, store, cmd.dma.dst_offset = BO_LENGTH);
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.dst_offset = UINT64_MAX - 63);
	EXPECT_REFUSED(-EINVAL, q, copy, cmd.dma.src_offset = 1ULL << 63);
}

/* A copy within a buffer: apart from each other, but not overlapping. */
TEST_F_TIMEOUT(edu, copy_within_a_buffer, LONG_TEST_S)
{
	struct edu *edu = &self->edu[0];
	struct accel_queue_create *q = &edu->dma;
	struct test_job job = job_dma_copy(edu, 0, SMALL, SMALL);

	job.bos[0].flags |= ACCEL_BO_WRITE;
	job.bo_count = 1;
	job.cmd.dma.dst_bo = 0;
	EXPECT_REFUSED(-EINVAL, q, job, cmd.dma.dst_offset = SMALL - 1);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.dma.src_offset = 2 * SMALL - 1);
	EXPECT_REFUSED(-EINVAL, q, job, cmd.dma.dst_offset = 0);
	scramble(edu->src_map, SMALL, 3);
	ASSERT_EQ(0, run(edu, q, &job));
	EXPECT_EQ(0, memcmp(edu->src_map, edu->src_map + SMALL, SMALL));
}

/* What is on the chip is for who has put it there, and only that. */
TEST_F_TIMEOUT(edu, chip_is_not_shared, LONG_TEST_S)
{
	struct edu *edu = &self->edu[0], other = {};
	struct test_job load = job_load(edu, 0, 0, SMALL);
	struct test_job store = job_store(edu, 0, 0, SMALL);
	struct test_job job;

	scramble(edu->src_map, SMALL, 4);
	memset(edu->dst_map, 0, SMALL);
	EXPECT_EQ(-EACCES, run(edu, &edu->dma, &store));
	ASSERT_EQ(0, run(edu, &edu->dma, &load));
	EXPECT_EQ(0, run(edu, &edu->dma, &store));
	EXPECT_EQ(0, memcmp(edu->src_map, edu->dst_map, SMALL));
	job = job_store(edu, 0, 0, SMALL + 1);
	EXPECT_EQ(-EACCES, run(edu, &edu->dma, &job));

	ASSERT_EQ(0, edu_open(&other, edu->minor));
	ASSERT_EQ(0, edu_prepare(&other));
	job = job_store(&other, 0, 0, SMALL);
	EXPECT_EQ(-EACCES, run(&other, &other.dma, &job));
	EXPECT_EQ(SMALL, span(other.dst_map, 0, SMALL));
	job = job_load(&other, 0, 0, 1);
	ASSERT_EQ(0, run(&other, &other.dma, &job));
	EXPECT_EQ(-EACCES, run(edu, &edu->dma, &store));
	EXPECT_EQ(0, edu_close(&other));
}

/*
 * A transfer of 64 KiB has 150 ms where it takes seconds. When its point has
 * failed the device writes no more, and the next client finds it well.
 */
TEST_F_TIMEOUT(edu, timeout_in_a_transfer, LONG_TEST_S)
{
	struct accel_queue_create slow;
	struct accel_queue_info info;
	struct test_job job, factorial, copy;
	struct edu *edu = &self->edu[0];
	__u8 *after;
	__u64 point;
	__u32 go;
	int i;

	after = malloc(BO_LENGTH);
	ASSERT_TRUE(after != NULL);
	ASSERT_EQ(0, timeline_create(edu->fd, 0, &go));
	scramble(edu->src_map, BO_LENGTH, 1);
	for (i = 0; i < 2; i++) {
		memset(edu->dst_map, 0, BO_LENGTH);
		ASSERT_EQ(0, queue_create(edu->fd, ACCEL_EDU_ENGINE_DMA, 150,
					  &slow));
		job = job_dma_copy(edu, 0, 0, BO_LENGTH);
		job_wait(&job, go, i + 1);
		ASSERT_EQ(0, submit_one(edu->fd, slow.id, &job, &point));
		ASSERT_EQ(0, submit_one(edu->fd, slow.id, &job, &point));
		/* Late soon after it starts: until both are there it is held. */
		ASSERT_EQ(0, timeline_signal(edu->fd, go, i + 1));
		EXPECT_POINT(-ETIME, edu->fd, slow.timeline, 1);
		memcpy(after, edu->dst_map, BO_LENGTH);
		EXPECT_POINT(-ECANCELED, edu->fd, slow.timeline, 2);
		EXPECT_EQ(-EIO, submit_one(edu->fd, slow.id, &job, &point));
		ASSERT_EQ(0, queue_info(edu->fd, slow.id, &info));
		EXPECT_EQ(-EIO, info.status);

		/* The other engine, and this one, into the source's buffer. */
		factorial = job_factorial(edu, 10, 0);
		factorial.bos[0].id = edu->src.id;
		ASSERT_EQ(0, run(edu, &edu->factorial, &factorial));
		copy = job_load(edu, 0, 0, 2048);
		ASSERT_EQ(0, run(edu, &edu->dma, &copy));
		EXPECT_EQ(0, memcmp(after, edu->dst_map, BO_LENGTH));

		copy = job_store(edu, 0, BO_LENGTH - 2048, 2048);
		ASSERT_EQ(0, run(edu, &edu->dma, &copy));
		EXPECT_EQ(0, memcmp(edu->src_map,
				    edu->dst_map + BO_LENGTH - 2048, 2048));
	}
	free(after);
}

/* The file goes in the middle of a transfer; so may the buffers' pages. */
TEST_F_TIMEOUT(edu, close_in_a_transfer, LONG_TEST_S)
{
	struct edu *edu = &self->edu[0];
	struct test_job job;
	__u64 point;
	int i;

	for (i = 0; i < 3; i++) {
		job = job_dma_copy(edu, 0, 0, BO_LENGTH);
		ASSERT_EQ(0, submit_one(edu->fd, edu->dma.id, &job, &point));
		ASSERT_EQ(0, destroy(edu->fd, edu->dma.id));
		ASSERT_EQ(0, destroy(edu->fd, edu->src.id));
		ASSERT_EQ(0, munmap(edu->src_map, BO_LENGTH));
		EXPECT_EQ(-ECANCELED, point_status(edu->fd, edu->dma.timeline,
						   point));
		ASSERT_EQ(0, bo_create(edu->fd, 0, BO_LENGTH, &edu->src));
		edu->src_map = bo_map(edu->fd, &edu->src);
		ASSERT_TRUE(edu->src_map != MAP_FAILED);
		scramble(edu->src_map, BO_LENGTH, i);
		ASSERT_EQ(0, queue_create(edu->fd, ACCEL_EDU_ENGINE_DMA,
					  edu->dev.timeout_max_ms, &edu->dma));
		job = job_dma_copy(edu, 0, 0, SMALL);
		ASSERT_EQ(0, run(edu, &edu->dma, &job));
		EXPECT_EQ(0, memcmp(edu->src_map, edu->dst_map, SMALL));
	}
}

TEST_HARNESS_MAIN
