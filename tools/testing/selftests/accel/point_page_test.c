// SPDX-License-Identifier: GPL-2.0-only
/* The page that shows how far a queue has come. */
#include "accel_test.h"

FIXTURE(point_page)
{
	int fd;
	bool unbound;
	long size;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	const struct accel_point_page *page;
};

static __u64 page_load(const __u64 *member)
{
	return __atomic_load_n(member, __ATOMIC_ACQUIRE);
}

static void *page_map(int fd, __u64 offset, size_t size, int prot, int flags)
{
	return mmap(NULL, size, prot, flags, fd, offset);
}

/* Nothing that is asked for here may be mapped. */
static int page_map_error(int fd, __u64 offset, size_t size, int prot, int flags)
{
	return page_map(fd, offset, size, prot, flags) == MAP_FAILED ? -errno : 0;
}

FIXTURE_SETUP(point_page)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	self->size = sysconf(_SC_PAGESIZE);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	self->page = page_map(self->fd, self->queue.point_offset, self->size,
			      PROT_READ, MAP_SHARED);
	ASSERT_TRUE(self->page != MAP_FAILED);
}

FIXTURE_TEARDOWN(point_page)
{
	EXPECT_EQ(0, munmap((void *)self->page, self->size));
	/* Not before: the number is not used again while somebody has the device. */
	accel_teardown(_metadata, self->fd);
	if (self->unbound)
		EXPECT_EQ(0, vaccel_bind());
}

/* A page says no less than a call that was answered before it was read. */
TEST_F(point_page, follows_the_timeline)
{
	struct test_job fail = job_fail(-EDOM);
	__u64 point, i;

	EXPECT_EQ(0, page_load(&self->page->completed));
	EXPECT_EQ(0, page_load(&self->page->failed));
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
		EXPECT_POINT(0, self->fd, self->queue.timeline, point);
		EXPECT_EQ(i, page_load(&self->page->completed));
	}
	EXPECT_EQ(0, page_load(&self->page->failed));
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fail, &point));
	EXPECT_POINT(-EDOM, self->fd, self->queue.timeline, point);
	EXPECT_EQ(point, page_load(&self->page->completed));
	EXPECT_EQ(1, page_load(&self->page->failed));
	/* The rest of the page is nobody's. */
	EXPECT_EQ(self->size - sizeof(*self->page),
		  span((const __u8 *)(self->page + 1), 0,
		       self->size - sizeof(*self->page)));
}

TEST_F(point_page, is_read_only)
{
	EXPECT_EQ(-EACCES, page_map_error(self->fd, self->queue.point_offset,
					  self->size, PROT_READ | PROT_WRITE,
					  MAP_SHARED));
	EXPECT_EQ(-1, mprotect((void *)self->page, self->size,
			       PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-EINVAL, page_map_error(self->fd, self->queue.point_offset,
					  self->size, PROT_READ, MAP_PRIVATE));
	EXPECT_EQ(-EINVAL, page_map_error(self->fd, self->queue.point_offset,
					  2 * self->size, PROT_READ,
					  MAP_SHARED));
}

TEST_F(point_page, is_the_clients)
{
	int fd = accel_open();

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, page_map_error(fd, self->queue.point_offset,
					  self->size, PROT_READ, MAP_SHARED));
	EXPECT_EQ(0, close(fd));
}

TEST_F(point_page, outlives_the_queue)
{
	void *again;
	__u64 point;

	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &point));
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	EXPECT_EQ(1, page_load(&self->page->completed));
	EXPECT_EQ(1, page_load(&self->page->failed));

	/* It is the timeline's. */
	again = page_map(self->fd, self->queue.point_offset, self->size,
			 PROT_READ, MAP_SHARED);
	ASSERT_TRUE(again != MAP_FAILED);
	EXPECT_EQ(0, munmap(again, self->size));
	ASSERT_EQ(0, destroy(self->fd, self->queue.timeline));
	EXPECT_EQ(-EACCES, page_map_error(self->fd, self->queue.point_offset,
					  self->size, PROT_READ, MAP_SHARED));
	EXPECT_EQ(1, page_load(&self->page->completed));
}

TEST_F(point_page, outlives_the_device)
{
	__u64 point;

	ASSERT_EQ(0, submit_nop(self->fd, self->queue.id, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &point));
	ASSERT_EQ(0, vaccel_unbind());
	self->unbound = true;
	EXPECT_EQ(2, page_load(&self->page->completed));
	EXPECT_EQ(1, page_load(&self->page->failed));
	EXPECT_EQ(-ENODEV, page_map_error(self->fd, self->queue.point_offset,
					  self->size, PROT_READ, MAP_SHARED));
}

TEST_HARNESS_MAIN
