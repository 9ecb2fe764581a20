// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of buffers: who may have one, the right page of the right buffer in it and
 * nothing behind its end, and how long it lasts.
 */
#include "accel_test.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#define PAGES	8

FIXTURE(map)
{
	int fd;
	struct accel_query_device dev;
	size_t page;
};

FIXTURE_VARIANT(map)
{
	__u32 region;
};

FIXTURE_VARIANT_ADD(map, system)
{
	.region = ACCEL_VACCEL_REGION_SYSTEM,
};

FIXTURE_VARIANT_ADD(map, local)
{
	.region = ACCEL_VACCEL_REGION_LOCAL,
};

FIXTURE_SETUP(map)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	self->page = sysconf(_SC_PAGESIZE);
}

FIXTURE_TEARDOWN(map)
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

TEST_F(map, two_mappings_of_two_buffers)
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

TEST_F(map, private_mapping_is_refused)
{
	struct accel_bo_create bo;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, self->page, &bo));
	EXPECT_EQ(EINVAL, map_error(bo.length, PROT_READ, MAP_PRIVATE, self->fd,
				    bo.mmap_offset));
	EXPECT_EQ(EINVAL, map_error(bo.length, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE, self->fd, bo.mmap_offset));
}

/* A mapping that could grow would reach what comes behind the buffer. */
TEST_F(map, mapping_does_not_grow)
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

TEST_F(map, offset_of_another_client)
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

TEST_F(map, past_the_end)
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
TEST_F(map, offset_near_wrap)
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

TEST_F(map, partial_unmap)
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

/* Moves part of a mapping to where nothing was; NULL if that is not done. */
static __u8 *move(__u8 *from, size_t length)
{
	void *to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (to == MAP_FAILED || mremap(from, length, length, MREMAP_MAYMOVE |
				       MREMAP_FIXED, to) != to)
		return NULL;
	return to;
}

TEST_F(map, mremap)
{
	const size_t page = self->page;
	struct accel_bo_create bo;
	__u8 *map, *moved;
	int i;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, 2 * page, &bo));
	/* The second page is moved alone, touched and then not yet touched. */
	for (i = 0; i < 2; i++) {
		map = bo_map(self->fd, &bo);
		ASSERT_TRUE(map != MAP_FAILED);
		if (!i) {
			map[0] = 1;
			map[page] = 2;
		}
		/* There is no more than the buffer to be seen. */
		ASSERT_TRUE(mremap(map, bo.length, bo.length + page,
				   MREMAP_MAYMOVE) == MAP_FAILED);
		moved = move(map + page, page);
		ASSERT_TRUE(!!moved);
		EXPECT_EQ(2, moved[0]);
		EXPECT_EQ(1, map[0]);
		ASSERT_EQ(0, munmap(moved, page));
		ASSERT_EQ(0, munmap(map, page));
	}
}

TEST_F(map, read_only_file_stays_read_only)
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

TEST_F(map, fork_sees_the_same_memory)
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

TEST_F(map, destroyed_while_mapped)
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

TEST_F(map, file_closed_while_mapped)
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

static void *map_pages(int fd, const struct accel_bo_create *bo, size_t first,
		       size_t count, size_t page)
{
	return mmap(NULL, count * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    bo->mmap_offset + first * page);
}

/* Every part of a buffer, touched from its end, so that no fault is the first. */
TEST_F(map, part_of_a_buffer)
{
	const size_t page = self->page;
	struct accel_bo_create before, bo, behind;
	size_t first, count, i;
	__u8 *map;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, page, &before));
	ASSERT_EQ(0, bo_create(self->fd, variant->region, PAGES * page, &bo));
	ASSERT_EQ(0, bo_create(self->fd, variant->region, page, &behind));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		memset(map + i * page, i + 1, page);
	ASSERT_EQ(0, munmap(map, bo.length));

	for (first = 0; first < PAGES; first++) {
		for (count = 1; count <= PAGES - first; count++) {
			map = map_pages(self->fd, &bo, first, count, page);
			ASSERT_TRUE(map != MAP_FAILED);
			for (i = count; i--;)
				EXPECT_EQ(page, span(map + i * page,
						     first + i + 1, page));
			/* Half of it goes, and the rest is faulted again. */
			ASSERT_EQ(0, munmap(map, count / 2 * page ?: page));
			for (i = count / 2; count > 1 && i < count; i++)
				EXPECT_EQ(first + i + 1, map[i * page]);
			if (count > 1)
				ASSERT_EQ(0, munmap(map + count / 2 * page,
						    (count - count / 2) *
						    page));
		}
	}
	EXPECT_TRUE(map_pages(self->fd, &bo, 0, PAGES + 1, page) == MAP_FAILED);
	EXPECT_TRUE(map_pages(self->fd, &bo, PAGES - 1, 2, page) == MAP_FAILED);
}

/* A part that is moved elsewhere, before it was touched, is still that part. */
TEST_F(map, moved_part)
{
	const size_t page = self->page;
	struct accel_bo_create bo;
	__u8 *map, *moved;
	size_t i;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, PAGES * page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		map[i * page] = i + 1;
	ASSERT_EQ(0, munmap(map, bo.length));

	map = map_pages(self->fd, &bo, 2, 4, page);
	ASSERT_TRUE(map != MAP_FAILED);
	moved = move(map + page, 2 * page);
	ASSERT_TRUE(!!moved);
	EXPECT_EQ(5, moved[page]);
	EXPECT_EQ(4, moved[0]);
	EXPECT_EQ(6, map[3 * page]);
	EXPECT_EQ(3, map[0]);
	/* Shrunk and grown back: by less it may be, not by more. */
	ASSERT_TRUE(mremap(moved, 2 * page, page, 0) == moved);
	EXPECT_TRUE(mremap(moved, page, 2 * page, MREMAP_MAYMOVE) ==
		    MAP_FAILED);
	EXPECT_EQ(4, moved[0]);
	ASSERT_EQ(0, munmap(moved, page));
	ASSERT_EQ(0, munmap(map, page));
	ASSERT_EQ(0, munmap(map + 3 * page, page));
}

/* In a child: has a page of the mapping show page @index of the buffer. */
static int remap_and_touch(const struct accel_bo_create *bo, volatile __u8 *map,
			   size_t page, size_t index)
{
	long ret = syscall(SYS_remap_file_pages, map, page, 0,
			   (unsigned long)(bo->mmap_offset / page + index), 0);

	if (ret && index < PAGES)
		return 100;
	if (!ret && index >= PAGES)
		return 101;
	return map[0];
}

TEST_F(map, page_past_the_end)
{
	static const size_t indices[] = { 0, 1, PAGES - 1, PAGES, PAGES + 1 };
	const size_t page = self->page;
	struct accel_bo_create bo, behind;
	__u8 *map;
	int status;
	size_t i;
	pid_t child;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, PAGES * page, &bo));
	ASSERT_EQ(0, bo_create(self->fd, variant->region, page, &behind));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		map[i * page] = i + 1;
	for (i = 0; i < ARRAY_LEN(indices); i++) {
		/* What lies behind may be another buffer of the same client. */
		if (indices[i] >= PAGES)
			ASSERT_EQ(indices[i] == PAGES ? 0 : -ENOENT,
				  destroy(self->fd, behind.id));
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			_exit(remap_and_touch(&bo, map, page, indices[i]));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		if (indices[i] < PAGES) {
			EXPECT_EQ(W_EXITCODE(indices[i] + 1, 0), status);
			continue;
		}
		EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 1) {
			TH_LOG("page %zu: %#x", indices[i], status);
		}
	}
	EXPECT_EQ(0, munmap(map, bo.length));
}

TEST_HARNESS_MAIN
