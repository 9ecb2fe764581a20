// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be seen through mappings: the right page of the right buffer, nothing
 * behind its end, and nothing of what was in its memory before.
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
	__u8 *map, *moved, *target;
	size_t i;

	ASSERT_EQ(0, bo_create(self->fd, variant->region, PAGES * page, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < PAGES; i++)
		map[i * page] = i + 1;
	ASSERT_EQ(0, munmap(map, bo.length));

	map = map_pages(self->fd, &bo, 2, 4, page);
	ASSERT_TRUE(map != MAP_FAILED);
	target = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	ASSERT_TRUE(target != MAP_FAILED);
	moved = mremap(map + page, 2 * page, 2 * page,
		       MREMAP_MAYMOVE | MREMAP_FIXED, target);
	ASSERT_TRUE(moved == target);
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

#define CHUNK	0x100000
#define CHUNKS	16

/* All of what a region has, or as much of the system's, with something in it. */
static int poison(int fd, __u32 region)
{
	struct accel_bo_create bo, bos[CHUNKS];
	struct accel_queue_create queue;
	struct accel_submit sub;
	struct test_job job;
	__s32 status;
	void *map;
	int ret, i;

	ret = queue_create(fd, 0, 0, &queue);
	for (i = 0; !ret && i < CHUNKS; i++) {
		ret = bo_create(fd, region, CHUNK, &bos[i]);
		if (ret)
			break;
		bo = bos[i];
		/* The device fills one half of them, the CPU the other. */
		if (i % 2) {
			job = job_fill(bo.id, 0, CHUNK, 0x5a5a5a5a);
			ret = submit_repeated(fd, queue.id, &job, 1, &sub) ?:
			      point_wait_until(fd, queue.timeline,
					       sub.first_point,
					       deadline_ms(WAIT_MS), &status);
			continue;
		}
		map = bo_map(fd, &bo);
		if (map == MAP_FAILED)
			return -errno;
		memset(map, 0x5a, CHUNK);
		munmap(map, CHUNK);
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
	__s32 status;
	__u64 point;
	__u8 *map;
	int ret;

	if (by_device) {
		job = job_copy(bo->id, 0, copy->id, 0, bo->length);
		ret = submit_one(fd, queue->id, &job, &point) ?:
		      point_wait_until(fd, queue->timeline, point,
				       deadline_ms(WAIT_MS), &status);
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
	for (i = 0; i < CHUNKS - 1; i++) {
		ASSERT_EQ(0, bo_create(fd, region, CHUNK - 4096 * (i % 3),
				       &bo));
		ASSERT_EQ(0, read_new(fd, &queue, &bo, copy, i % 2, &zeros));
		EXPECT_EQ(bo.length, zeros) {
			TH_LOG("region %u, buffer %d, read by the %s", region,
			       i, i % 2 ? "device" : "CPU");
		}
	}
}

/* Whatever was in the memory before, a new buffer in either region is zeros. */
TEST_F_TIMEOUT(map, data_of_another_client, LONG_TEST_S)
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
		ASSERT_EQ(0, bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM, CHUNK,
				       &copy));
		expect_zeros(_metadata, fd, region, &copy);
		ASSERT_EQ(0, close(fd));
		ASSERT_EQ(0, census_read(census));
	}
}

TEST_HARNESS_MAIN
