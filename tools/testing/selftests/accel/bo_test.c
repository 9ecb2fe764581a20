// SPDX-License-Identifier: GPL-2.0-only
/* Buffers: what is in them, who may map them, and when they may be touched. */
#include "accel_test.h"

#include <sys/wait.h>

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

/* The error with which a mapping is refused, or 0. */
static int map_error(size_t length, int prot, int flags, int fd, off_t offset)
{
	void *map = mmap(NULL, length, prot, flags, fd, offset);

	if (map == MAP_FAILED)
		return errno;
	munmap(map, length);
	return 0;
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

TEST_F(bo, two_mappings_of_two_buffers)
{
	struct accel_bo_create bo[2];
	__u8 *map[4];
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, bo_create(self->fd, variant->region,
				       3 * self->page, &bo[i]));
	for (i = 0; i < 4; i++) {
		map[i] = bo_map(self->fd, &bo[i % 2]);
		ASSERT_TRUE(map[i] != MAP_FAILED);
	}
	memset(map[0], 1, bo[0].length);
	memset(map[1], 2, bo[1].length);
	EXPECT_EQ(bo[0].length, span(map[2], 1, bo[0].length));
	EXPECT_EQ(bo[1].length, span(map[3], 2, bo[1].length));
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, munmap(map[i], bo[i % 2].length));
}

TEST_F(bo, private_mapping_is_refused)
{
	struct accel_bo_create bo;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, self->page, &bo));
	EXPECT_EQ(EINVAL, map_error(bo.length, PROT_READ, MAP_PRIVATE, self->fd,
				    bo.mmap_offset));
	EXPECT_EQ(EINVAL, map_error(bo.length, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE, self->fd, bo.mmap_offset));
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

/* A mapping that could grow would reach what comes behind the buffer. */
TEST_F(bo, mapping_does_not_grow)
{
	struct accel_bo_create bo;
	void *map;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * self->page, &bo));
	map = mmap(NULL, self->page, PROT_READ | PROT_WRITE, MAP_SHARED,
		   self->fd, bo.mmap_offset);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_TRUE(mremap(map, self->page, 2 * self->page, MREMAP_MAYMOVE) ==
		    MAP_FAILED);
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(0, munmap(map, self->page));
}

TEST_F(bo, offset_of_another_client)
{
	struct accel_bo_create bo, own;
	__u8 *map;
	int fd;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, self->page, &bo));
	fd = accel_open();
	ASSERT_LE(0, fd);
	/* The other has a buffer of the same id. */
	ASSERT_EQ(0, bo_create(fd, variant->region, self->page, &own));
	EXPECT_EQ(bo.id, own.id);
	EXPECT_NE(bo.mmap_offset, own.mmap_offset);

	EXPECT_EQ(EACCES, map_error(bo.length, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, bo.mmap_offset));
	EXPECT_EQ(EACCES, map_error(bo.length, PROT_READ, MAP_SHARED, fd,
				    bo.mmap_offset));
	EXPECT_EQ(EACCES, map_error(own.length, PROT_READ, MAP_SHARED, self->fd,
				    own.mmap_offset));

	map = bo_map(fd, &own);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(0, munmap(map, own.length));
	EXPECT_EQ(0, close(fd));
}

/* In a child: touches the last page of a mapping that reaches too far. */
static int map_and_touch(int fd, size_t length, off_t offset)
{
	volatile __u8 *map;

	map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset);
	if (map == MAP_FAILED)
		return errno;
	return map[length - 1] ? 0 : 1;
}

TEST_F(bo, past_the_end)
{
	const size_t page = self->page;
	struct accel_bo_create bo;
	int status;
	size_t i;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * page, &bo));
	struct {
		size_t length;
		__u64 offset;
	} ranges[] = {
		{ bo.length + 1, bo.mmap_offset },
		{ bo.length + page, bo.mmap_offset },
		{ 1U << 30, bo.mmap_offset },
		{ bo.length, bo.mmap_offset + page },
		{ page, bo.mmap_offset + bo.length },
		{ page, bo.mmap_offset - page },
		{ bo.length, bo.mmap_offset - page },
		{ page, 0 },
		{ page, 1ULL << 32 },
		{ page, (1ULL << 44) - page },
		{ 2 * page, (1ULL << 44) - page },
	};

	for (i = 0; i < ARRAY_LEN(ranges); i++) {
		pid_t child;

		/* The first buffer may well begin at 4 GiB. */
		if (ranges[i].offset == bo.mmap_offset &&
		    ranges[i].length <= bo.length)
			continue;
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			_exit(map_and_touch(self->fd, ranges[i].length,
					    ranges[i].offset));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE((WIFEXITED(status) &&
			     WEXITSTATUS(status) == EINVAL) ||
			    (WIFSIGNALED(status) &&
			     WTERMSIG(status) == SIGBUS)) {
			TH_LOG("range %zu: status %#x", i, status);
		}
	}
}

/* The end of the range of offsets, where sums wrap. */
TEST_F(bo, offset_near_wrap)
{
	struct accel_bo_create bo;
	off_t last = INT64_MAX & ~(self->page - 1ULL);

	ASSERT_EQ(0, bo_create(self->fd, variant->region, self->page, &bo));
	EXPECT_NE(0, map_error(self->page, PROT_READ, MAP_SHARED, self->fd,
			       last));
	EXPECT_NE(0, map_error(4 * self->page, PROT_READ, MAP_SHARED, self->fd,
			       last));
	EXPECT_NE(0, map_error(self->page, PROT_READ, MAP_SHARED, self->fd,
			       -(off_t)self->page));
}

TEST_F(bo, partial_unmap)
{
	const size_t page = self->page;
	struct accel_bo_create bo;
	__u8 *map;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 4 * page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	memset(map, 7, bo.length);
	ASSERT_EQ(0, munmap(map + page, page));
	EXPECT_EQ(page, span(map, 7, page));
	EXPECT_EQ(2 * page, span(map + 2 * page, 7, 2 * page));

	/* The id goes first, then the rest of the mapping bit by bit. */
	ASSERT_EQ(0, destroy(self->fd, bo.id));
	ASSERT_EQ(0, munmap(map + 3 * page, page));
	EXPECT_EQ(page, span(map + 2 * page, 7, page));
	EXPECT_NE(0, map_error(bo.length, PROT_READ, MAP_SHARED, self->fd,
			       bo.mmap_offset));
	ASSERT_EQ(0, munmap(map, page));
	ASSERT_EQ(0, munmap(map + 2 * page, page));
}

TEST_F(bo, mremap)
{
	const size_t page = self->page;
	struct accel_bo_create bo;
	__u8 *map, *moved, *target;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	map[page] = 2;

	/* There is no more than the buffer to be seen. */
	moved = mremap(map, bo.length, bo.length + page, MREMAP_MAYMOVE);
	ASSERT_TRUE(moved == MAP_FAILED);

	/* Move the second page alone, touched and not yet touched. */
	target = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	ASSERT_TRUE(target != MAP_FAILED);
	moved = mremap(map + page, page, page, MREMAP_MAYMOVE | MREMAP_FIXED,
		       target);
	ASSERT_TRUE(target == moved);
	EXPECT_EQ(1, map[0]);
	EXPECT_EQ(2, moved[0]);
	ASSERT_EQ(0, munmap(moved, page));
	ASSERT_EQ(0, munmap(map, page));

	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	target = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	ASSERT_TRUE(target != MAP_FAILED);
	moved = mremap(map + page, page, page, MREMAP_MAYMOVE | MREMAP_FIXED,
		       target);
	ASSERT_TRUE(target == moved);
	EXPECT_EQ(2, moved[0]);
	EXPECT_EQ(1, map[0]);
	ASSERT_EQ(0, munmap(moved, page));
	ASSERT_EQ(0, munmap(map, page));
}

TEST_F(bo, read_only_file_stays_read_only)
{
	struct accel_bo_create bo;
	void *map;
	int fd;

	fd = open(accel_path(), O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bo_create(fd, variant->region, self->page, &bo));
	EXPECT_EQ(EACCES, map_error(bo.length, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, bo.mmap_offset));
	map = mmap(NULL, bo.length, PROT_READ, MAP_SHARED, fd, bo.mmap_offset);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(-1, mprotect(map, bo.length, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, munmap(map, bo.length));
	EXPECT_EQ(0, close(fd));
}

TEST_F(bo, fork_sees_the_same_memory)
{
	struct accel_bo_create bo;
	volatile __u8 *map;
	int status;
	pid_t child;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * self->page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		/* The second page is touched by nobody before. */
		map[self->page] = map[0] + 1;
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(2, map[self->page]);
	EXPECT_EQ(0, munmap((void *)map, bo.length));
}

TEST_F(bo, destroyed_while_mapped)
{
	struct accel_bo_create bo, other;
	__u8 *map, *map2;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * self->page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	ASSERT_EQ(0, destroy(self->fd, bo.id));

	/* Its memory must not be given to the next that asks. */
	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * self->page,
			       &other));
	map2 = bo_map(self->fd, &other);
	ASSERT_TRUE(map2 != MAP_FAILED);
	memset(map2, 9, other.length);
	EXPECT_EQ(1, map[0]);
	EXPECT_EQ(0, map[self->page]);
	map[self->page] = 3;
	EXPECT_EQ(9, map2[self->page]);
	EXPECT_EQ(0, munmap(map, bo.length));
	EXPECT_EQ(0, munmap(map2, other.length));
}

TEST_F(bo, file_closed_while_mapped)
{
	struct accel_bo_create bo;
	__u8 *map;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * self->page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	ASSERT_EQ(0, close(self->fd));
	self->fd = -1;
	EXPECT_EQ(1, map[0]);
	EXPECT_EQ(0, map[self->page]);
	EXPECT_EQ(0, munmap(map, bo.length));
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
