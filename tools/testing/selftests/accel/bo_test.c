// SPDX-License-Identifier: GPL-2.0-only
/* Buffers: how large they are, what is in them, and when they may be touched. */
#include "accel_test.h"

FIXTURE(bo)
{
	int fd;
	struct accel_query_device dev;
	size_t page;
};

FIXTURE_VARIANT(bo)
{
	__u32 region;
};

FIXTURE_VARIANT_ADD(bo, system)
{
	.region = ACCEL_VACCEL_REGION_SYSTEM,
};

FIXTURE_VARIANT_ADD(bo, local)
{
	.region = ACCEL_VACCEL_REGION_LOCAL,
};

FIXTURE_SETUP(bo)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	self->page = sysconf(_SC_PAGESIZE);
}

FIXTURE_TEARDOWN(bo)
{
	accel_teardown(_metadata, self->fd);
}

TEST_F(bo, create_and_info)
{
	static const __u64 lengths[] = { 1, 4095, 4096, 4097, 100000 };
	struct accel_bo_info info;
	struct accel_bo_create bo;
	size_t i;

	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		ASSERT_EQ(0, bo_create(self->fd, variant->region, lengths[i],
				       &bo));
		EXPECT_EQ((lengths[i] + self->page - 1) & ~(self->page - 1ULL),
			  bo.length);
		EXPECT_LE(1ULL << 32, bo.mmap_offset);
		EXPECT_EQ(0, bo.mmap_offset % self->page);
		/* As far as mmap2() of a 32-bit caller reaches. */
		if (sizeof(long) == 4)
			EXPECT_GT(1ULL << 44, bo.mmap_offset + bo.length);

		info = (struct accel_bo_info) {
			.size = sizeof(info),
			.id = bo.id,
		};
		ASSERT_EQ(0, accel_ioctl(self->fd, ACCEL_IOCTL_BO_INFO, &info));
		EXPECT_EQ(bo.id, info.id);
		EXPECT_EQ(bo.length, info.length);
		EXPECT_EQ(variant->region, info.region);
		EXPECT_EQ(0, info.flags);
		EXPECT_EQ(bo.mmap_offset, info.mmap_offset);
	}
}

TEST_F(bo, bad_create)
{
	struct accel_bo_create bo;
	int ret;

	EXPECT_EQ(-EINVAL, bo_create(self->fd, variant->region, 0, &bo));
	EXPECT_EQ(-EINVAL, bo_create(self->fd, self->dev.region_count, 1, &bo));
	EXPECT_EQ(-EINVAL, bo_create(self->fd, UINT_MAX, 1, &bo));

	/* Lengths that wrap when they are rounded up, or fit nowhere. */
	ret = bo_create(self->fd, variant->region, UINT64_MAX, &bo);
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOMEM || ret == -ENOSPC);
	ret = bo_create(self->fd, variant->region, INT64_MAX, &bo);
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOMEM || ret == -ENOSPC);
	ret = bo_create(self->fd, variant->region, 1ULL << 63, &bo);
	EXPECT_TRUE(ret == -EINVAL || ret == -ENOMEM || ret == -ENOSPC);
	EXPECT_EQ(-ENOENT, destroy(self->fd, 1));
}

/* Also where another client's data was before. */
TEST_F(bo, zeroed)
{
	struct accel_bo_create bo;
	__u8 *map;
	int i, fd;

	for (i = 0; i < 8; i++) {
		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, bo_create(fd, variant->region, 16 * self->page,
				       &bo));
		map = bo_map(fd, &bo);
		ASSERT_TRUE(map != MAP_FAILED);
		EXPECT_EQ(bo.length, span(map, 0, bo.length));
		memset(map, 0x5a, bo.length);
		ASSERT_EQ(0, munmap(map, bo.length));
		ASSERT_EQ(0, close(fd));
	}
}

#define POISON_SIZE	0x100000
#define POISON_COUNT	16

/* All of what a region has, or as much of the system's, with something in it. */
static int poison(int fd, __u32 region)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job job;
	void *map;
	int ret, i;

	ret = queue_create(fd, 0, 0, &queue);
	for (i = 0; !ret && i < POISON_COUNT; i++) {
		ret = bo_create(fd, region, POISON_SIZE, &bo);
		if (ret)
			break;
		/* The device fills one half of them, the CPU the other. */
		if (i % 2) {
			job = job_fill(bo.id, 0, POISON_SIZE, 0x5a5a5a5a);
			ret = job_run(fd, &queue, &job);
			continue;
		}
		map = bo_map(fd, &bo);
		if (map == MAP_FAILED)
			return -errno;
		memset(map, 0x5a, POISON_SIZE);
		munmap(map, POISON_SIZE);
	}
	return ret;
}

/* Reads a new buffer as the CPU does, or has the device copy it elsewhere. */
static int read_new(int fd, const struct accel_queue_create *queue,
		    const struct accel_bo_create *bo,
		    const struct accel_bo_create *copy, bool by_device,
		    size_t *zeros)
{
	const struct accel_bo_create *seen = by_device ? copy : bo;
	struct test_job job;
	__u8 *map;
	int ret;

	if (by_device) {
		job = job_copy(bo->id, 0, copy->id, 0, bo->length);
		ret = job_run(fd, queue, &job);
		if (ret)
			return ret;
	}
	map = bo_map(fd, seen);
	if (map == MAP_FAILED)
		return -errno;
	*zeros = span(map, 0, bo->length);
	if (by_device)
		memset(map, 0xff, seen->length);
	munmap(map, seen->length);
	return 0;
}

static void expect_zeros(struct __test_metadata *_metadata, int fd,
			 __u32 region, const struct accel_bo_create *copy)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	size_t zeros = 0;
	int i;

	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	for (i = 0; i < POISON_COUNT - 1; i++) {
		ASSERT_EQ(0, bo_create(fd, region, POISON_SIZE - 4096 * (i % 3),
				       &bo));
		ASSERT_EQ(0, read_new(fd, &queue, &bo, copy, i % 2, &zeros));
		EXPECT_EQ(bo.length, zeros) {
			TH_LOG("region %u, buffer %d, read by the %s", region,
			       i, i % 2 ? "device" : "CPU");
		}
	}
}

/* Whatever was in the memory before, a new buffer in either region is zeros. */
TEST_F_TIMEOUT(bo, data_of_another_client, LONG_TEST_S)
{
	struct accel_bo_create copy;
	char census[CENSUS_SIZE];
	__u32 region;
	int fd;

	for (region = 0; region < 2; region++) {
		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, poison(fd, variant->region));
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, census_read(census));

		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM,
				       POISON_SIZE, &copy));
		expect_zeros(_metadata, fd, region, &copy);
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, census_read(census));
	}
}

/* Nobody is given what he could not use, nor all the offsets that there are. */
TEST_F(bo, more_than_the_system_has)
{
	struct accel_bo_create bo;

	EXPECT_EQ(variant->region ? -ENOSPC : -ENOMEM,
		  bo_create(self->fd, variant->region, 1ULL << 41, &bo));
	EXPECT_EQ(variant->region ? -ENOSPC : -ENOMEM,
		  bo_create(self->fd, variant->region, 1ULL << 62, &bo));
}

TEST_F(bo, sync_arguments)
{
	const __u32 end = ACCEL_SYNC_END;
	struct accel_bo_create bo;
	__u32 flags;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 1, &bo));
	for (flags = ACCEL_SYNC_READ;
	     flags <= (ACCEL_SYNC_READ | ACCEL_SYNC_WRITE); flags++) {
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, flags, 0));
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, flags | end, 0));
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, flags, 1));
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, flags, now_ns()));
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, flags, INT64_MAX));
		EXPECT_EQ(-EINVAL, bo_sync(self->fd, bo.id, flags, -1));
		EXPECT_EQ(-EINVAL, bo_sync(self->fd, bo.id, flags, INT64_MIN));
	}
	EXPECT_EQ(-EINVAL, bo_sync(self->fd, bo.id, 0, 0));
	EXPECT_EQ(-EINVAL, bo_sync(self->fd, bo.id, end, 0));
}

/* A reader waits for the jobs that write, a writer for all. */
TEST_F(bo, sync_waits_for_jobs)
{
	static const __u32 uses[] = {
		ACCEL_BO_READ, ACCEL_BO_WRITE, ACCEL_BO_READ | ACCEL_BO_WRITE,
	};
	struct accel_queue_create queue;
	struct accel_bo_create bo, other;
	__u64 point;
	size_t i;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 1, &bo));
	ASSERT_EQ(0, bo_create(self->fd, variant->region, 1, &other));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	for (i = 0; i < ARRAY_LEN(uses); i++) {
		struct test_job job = job_hang();
		bool writes = uses[i] & ACCEL_BO_WRITE;

		job_bo(&job, bo.id, uses[i]);
		ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
		EXPECT_EQ(writes ? -ETIME : 0,
			  bo_sync(self->fd, bo.id, ACCEL_SYNC_READ, 0));
		EXPECT_EQ(-ETIME, bo_sync(self->fd, bo.id, ACCEL_SYNC_WRITE,
					  now_ns() - 1));
		EXPECT_EQ(-ETIME, bo_sync(self->fd, bo.id, ACCEL_SYNC_READ |
					  ACCEL_SYNC_WRITE, deadline_ms(20)));
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_WRITE |
				     ACCEL_SYNC_END, 0));
		EXPECT_EQ(0, bo_sync(self->fd, other.id, ACCEL_SYNC_WRITE, 0));

		ASSERT_EQ(0, hang_release(self->fd, queue.id));
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_WRITE,
				     deadline_ms(WAIT_MS)));
		EXPECT_POINT(0, self->fd, queue.timeline, point);
		EXPECT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_WRITE, 0));
	}
}

TEST_F(bo, sync_sees_what_the_device_wrote)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job job;
	__u32 *map, i;
	__u64 point;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, self->page, &bo));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 1; i <= 20; i++) {
		job = job_fill(bo.id, 0, bo.length, i);
		ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
		ASSERT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_READ,
				     deadline_ms(WAIT_MS)));
		EXPECT_EQ(i, map[0]);
		EXPECT_EQ(i, map[self->page / sizeof(*map) - 1]);
		ASSERT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_READ |
				     ACCEL_SYNC_END, 0));
	}
	EXPECT_EQ(0, munmap(map, bo.length));
}

/* Nobody knows when a held job will run: it would be a wait without end. */
TEST_F(bo, sync_does_not_wait_for_held_jobs)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job job;
	__u32 timeline;
	__u64 point;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, self->page, &bo));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &timeline));
	job = job_fill(bo.id, 0, bo.length, 5);
	job_wait(&job, timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
	EXPECT_EQ(0, bo_sync(self->fd, bo.id, ACCEL_SYNC_WRITE, 0));
	EXPECT_PENDING(self->fd, queue.timeline, point);
	ASSERT_EQ(0, timeline_signal(self->fd, timeline, 1));
	EXPECT_POINT(0, self->fd, queue.timeline, point);
}

TEST_HARNESS_MAIN
