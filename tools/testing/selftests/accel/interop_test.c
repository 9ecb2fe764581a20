// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of other drivers. That nothing is copied is shown by the page frames, which
 * are the same on both sides.
 */
#include "interop.h"

FIXTURE(import)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	/* Somebody else's, and what it is to us, mapped */
	struct foreign foreign;
	struct accel_bo_import bo;
	__u8 *map;
	/* One of our own, mapped as well */
	struct accel_bo_create own;
	__u8 *own_map;
};

FIXTURE_VARIANT(import)
{
	int (*make)(int test, struct foreign *f);
};

FIXTURE_VARIANT_ADD(import, vgem) { .make = foreign_vgem };
FIXTURE_VARIANT_ADD(import, vkms) { .make = foreign_vkms };
FIXTURE_VARIANT_ADD(import, virtio_gpu) { .make = foreign_virtio_gpu };
FIXTURE_VARIANT_ADD(import, udmabuf) { .make = foreign_udmabuf };
FIXTURE_VARIANT_ADD(import, heap) { .make = foreign_heap };
FIXTURE_VARIANT_ADD(import, mock) { .make = foreign_mock };

FIXTURE_SETUP(import)
{
	int ret;

	self->foreign = (struct foreign) { .dmabuf = -1, .owner = -1 };
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	ret = foreign_make(variant->make, self->test, &self->foreign);
	if (ret == -ENODEV)
		SKIP(return, "no such driver, or no device for it");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, SHARED_SIZE, &self->own));
	self->own_map = bo_map(self->fd, &self->own);
	ASSERT_TRUE(self->own_map != MAP_FAILED);

	ASSERT_EQ(0, bo_import(self->fd, self->foreign.dmabuf, &self->bo));
	ASSERT_EQ(SHARED_SIZE, self->bo.length);
	self->map = map_shared(self->fd, self->bo.mmap_offset);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE_TEARDOWN(import)
{
	if (self->map && self->map != MAP_FAILED)
		munmap(self->map, SHARED_SIZE);
	if (self->own_map && self->own_map != MAP_FAILED)
		munmap(self->own_map, SHARED_SIZE);
	if (self->test >= 0) {
		foreign_free(&self->foreign);
		close(self->test);
		accel_teardown(_metadata, self->fd);
	}
}

TEST_F(import, same_frames)
{
	__u64 owner[PAGES], ours[PAGES], kernel[PAGES], device[PAGES];
	int handle;

	touch_pages(self->map);
	touch_pages(self->foreign.map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_FD,
				 self->foreign.dmabuf, kernel));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(self->foreign.map), owner));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(self->map), ours));
	EXPECT_EQ(0, memcmp(owner, kernel, sizeof(owner)));
	EXPECT_EQ(0, memcmp(owner, ours, sizeof(owner)));

	handle = test_import(self->test, self->foreign.dmabuf,
			     DMABUF_TEST_WRITE);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_IMPORT, handle,
				 device));
	EXPECT_EQ(bounced(), !!memcmp(owner, device, sizeof(owner)));
	EXPECT_EQ(0, test_release(self->test, handle));
}

/* What says that frames are the same also says when they are not. */
TEST_F(import, frames_of_another_buffer)
{
	__u64 ours[PAGES], others[PAGES];
	int own, i, j;

	EXPECT_EQ(PAGES, test_compare(self->test, self->foreign.dmabuf,
				      self->foreign.dmabuf));
	own = bo_export(self->fd, self->own.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, own);
	EXPECT_EQ(0, test_compare(self->test, self->foreign.dmabuf, own));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_FD, own, ours));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_FD,
				 self->foreign.dmabuf, others));
	for (i = 0; i < PAGES; i++)
		for (j = 0; j < PAGES; j++)
			EXPECT_NE(ours[i], others[j]);
	EXPECT_EQ(0, close(own));
}

/* A job reads what its owner wrote, and the owner what a job wrote. */
TEST_F(import, contents)
{
	const __u32 both = ACCEL_SYNC_READ | ACCEL_SYNC_WRITE;
	struct test_job job;

	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_START));
	scramble(self->foreign.map, SHARED_SIZE, 1);
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_END));
	EXPECT_EQ(0, memcmp(self->map, self->foreign.map, SHARED_SIZE));
	job = job_copy(self->bo.id, 0, self->own.id, 0, SHARED_SIZE);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(0, memcmp(self->own_map, self->foreign.map, SHARED_SIZE));

	scramble(self->own_map, SHARED_SIZE, 2);
	job = job_copy(self->own.id, 100, self->bo.id, 300, SHARED_SIZE - 300);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_START));
	EXPECT_EQ(0, memcmp(self->own_map + 100, self->foreign.map + 300,
			    SHARED_SIZE - 300));
	EXPECT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_END));

	/* And by our mapping, which is one of the owner's pages. */
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id, both,
			     deadline_ms(WAIT_MS)));
	memset(self->map, 0xc3, SHARED_SIZE);
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id, both | ACCEL_SYNC_END, 0));
	EXPECT_EQ(SHARED_SIZE, span(self->foreign.map, 0xc3, SHARED_SIZE));
}

/* The same buffer, however often it comes in, and to whomever it goes from here. */
TEST_F(import, handed_on)
{
	struct accel_bo_import again, other;
	int out, fd;

	out = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, out);
	EXPECT_EQ(PAGES, test_compare(self->test, self->foreign.dmabuf, out));
	ASSERT_EQ(0, bo_import(self->fd, out, &again));
	EXPECT_NE(self->bo.id, again.id);

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bo_import(fd, out, &other));
	EXPECT_EQ(0, close(out));
	EXPECT_EQ(0, destroy(self->fd, again.id));
	EXPECT_EQ(0, close(fd));
	memset(self->foreign.map, 0x3c, SHARED_SIZE);
	EXPECT_EQ(SHARED_SIZE, span(self->map, 0x3c, SHARED_SIZE));
}

/* What of it ends, as a number from 0 to 3 */
static void end_one(FIXTURE_DATA(import) *self, int what)
{
	switch (what) {
	case 0:
		close(self->foreign.dmabuf);
		self->foreign.dmabuf = -1;
		break;
	case 1:
		munmap(self->foreign.map, SHARED_SIZE);
		self->foreign.map = MAP_FAILED;
		if (self->foreign.owner >= 0)
			close(self->foreign.owner);
		self->foreign.owner = -1;
		break;
	case 2:
		destroy(self->fd, self->bo.id);
		self->bo.id = 0;
		break;
	case 3:
		munmap(self->map, SHARED_SIZE);
		self->map = MAP_FAILED;
		break;
	}
}

/* Whoever is left has the buffer, with what was in it. */
static void expect_rest(struct __test_metadata *_metadata,
			FIXTURE_DATA(import) *self)
{
	struct test_job job;

	if (self->map != MAP_FAILED)
		EXPECT_EQ(SHARED_SIZE, span(self->map, 0x77, SHARED_SIZE));
	if (self->foreign.map != MAP_FAILED)
		EXPECT_EQ(SHARED_SIZE,
			  span(self->foreign.map, 0x77, SHARED_SIZE));
	if (self->foreign.dmabuf >= 0)
		EXPECT_EQ(PAGES, test_compare(self->test, self->foreign.dmabuf,
					      self->foreign.dmabuf));
	if (!self->bo.id)
		return;
	memset(self->own_map, 0, SHARED_SIZE);
	job = job_copy(self->bo.id, 0, self->own.id, 0, SHARED_SIZE);
	EXPECT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(SHARED_SIZE, span(self->own_map, 0x77, SHARED_SIZE));
}

TEST_F_TIMEOUT(import, ends_in_every_order, LONG_TEST_S)
{
	int order[4], n, i, j, used;

	for (n = 0; n < 4 * 4 * 4 * 4; n++) {
		for (i = 0, j = n, used = 0; i < 4; i++, j /= 4) {
			order[i] = j % 4;
			used |= 1 << order[i];
		}
		if (used != 15)
			continue;
		memset(self->map, 0x77, SHARED_SIZE);
		for (i = 0; i < 4; i++) {
			end_one(self, order[i]);
			expect_rest(_metadata, self);
		}
		ASSERT_EQ(0, foreign_make(variant->make, self->test,
					  &self->foreign));
		ASSERT_EQ(0, bo_import(self->fd, self->foreign.dmabuf,
				       &self->bo));
		self->map = map_shared(self->fd, self->bo.mmap_offset);
		ASSERT_TRUE(self->map != MAP_FAILED);
	}
}

/* References that go astray in a round trip show in the census. */
TEST_F_TIMEOUT(import, in_and_out_again, LONG_TEST_S)
{
	unsigned int i, n = rounds(200, 10000);
	struct accel_bo_import bo;
	int fd;

	for (i = 0; i < n; i++) {
		fd = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, bo_import(self->fd, fd, &bo));
		ASSERT_EQ(0, destroy(self->fd, bo.id));
		ASSERT_EQ(0, close(fd));
	}
	tally(n, "imports of what was handed on");
}

/* What an owner does to a buffer that others have */
FIXTURE(owner)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct foreign foreign;
};

FIXTURE_SETUP(owner)
{
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, foreign_make(foreign_mock, self->test, &self->foreign));
	scramble(self->foreign.map, SHARED_SIZE, 3);
}

FIXTURE_TEARDOWN(owner)
{
	if (self->test < 0)
		return;
	foreign_free(&self->foreign);
	close(self->test);
	accel_teardown(_metadata, self->fd);
}

static bool frames_differ(const __u64 a[PAGES], const __u64 b[PAGES])
{
	int i;

	for (i = 0; i < PAGES; i++)
		if (a[i] == b[i])
			return false;
	return true;
}

/* An importer that can follow is told, and finds the contents in other pages. */
TEST_F(owner, moves_what_is_followed)
{
	__u32 crc = crc32(self->foreign.map, SHARED_SIZE), i;
	__u64 before[PAGES], after[PAGES], map[PAGES];
	struct dmabuf_test_dma dma = { };
	int handle;

	handle = test_import(self->test, self->foreign.dmabuf,
			     DMABUF_TEST_WRITE);
	ASSERT_LT(0, handle);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, test_dma(self->test, handle, &dma));
		EXPECT_EQ(crc, dma.crc);
		EXPECT_EQ(i, dma.moves);
		ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_IMPORT,
					 handle, before));
		ASSERT_EQ(0, test_move(self->test, self->foreign.dmabuf));
		ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_IMPORT,
					 handle, after));
		EXPECT_TRUE(bounced() || frames_differ(before, after));
		touch_pages(self->foreign.map);
		ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
					 ptr_to_u64(self->foreign.map), map));
		EXPECT_EQ(bounced(), !!memcmp(after, map, sizeof(map)));
	}
	dma.flags = DMABUF_TEST_WRITE;
	dma.value = 0x42424242;
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_START));
	EXPECT_EQ(SHARED_SIZE, span(self->foreign.map, 0x42, SHARED_SIZE));
}

/* Who cannot follow has pinned it, or mapped it into the kernel: it stays. */
TEST_F(owner, moves_what_is_held)
{
	__u64 before[PAGES], after[PAGES];
	struct accel_bo_import bo;
	__u8 *map;
	struct dmabuf_test_dma dma = { };
	int handle;

	/* Since 7.x it is mapping that pins, not attaching. */
	handle = test_import(self->test, self->foreign.dmabuf,
			     DMABUF_TEST_STATIC);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(-EBUSY, test_move(self->test, self->foreign.dmabuf));
	ASSERT_EQ(0, test_release(self->test, handle));
	EXPECT_EQ(0, test_move(self->test, self->foreign.dmabuf));

	/* vaccel has an address of it for as long as it is imported. */
	ASSERT_EQ(0, bo_import(self->fd, self->foreign.dmabuf, &bo));
	map = map_shared(self->fd, bo.mmap_offset);
	ASSERT_TRUE(map != MAP_FAILED);
	touch_pages(map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(map), before));
	EXPECT_EQ(-EBUSY, test_move(self->test, self->foreign.dmabuf));
	ASSERT_EQ(0, destroy(self->fd, bo.id));
	/* Which lets what was destroyed go. */
	EXPECT_LT(0, census_total());
	/* A mapping of ours is the exporter's: it follows. */
	EXPECT_EQ(0, test_move(self->test, self->foreign.dmabuf));
	EXPECT_EQ(0, memcmp(map, self->foreign.map, SHARED_SIZE));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(map), after));
	EXPECT_TRUE(frames_differ(before, after));
	EXPECT_EQ(0, munmap(map, SHARED_SIZE));
}

/*
 * What is sealed while it is shared: its owner cannot take the pages away, nor keep us
 * from writing to them, and can seal it when we are done.
 */
TEST_F(owner, seals)
{
	struct udmabuf_create create = { .size = SHARED_SIZE };
	struct accel_queue_create queue;
	struct accel_bo_import bo;
	struct test_job job;
	struct foreign f;
	int udmabuf;

	ASSERT_EQ(0, foreign_make(foreign_udmabuf, self->test, &f));
	ASSERT_EQ(0, bo_import(self->fd, f.dmabuf, &bo));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &queue));
	EXPECT_EQ(-1, ftruncate(f.owner, 4096));
	EXPECT_EQ(0, munmap(f.map, SHARED_SIZE));
	EXPECT_EQ(-1, fcntl(f.owner, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	job = job_fill(bo.id, 0, SHARED_SIZE, 0x55555555);
	EXPECT_EQ(0, job_run(self->fd, &queue, &job));
	f.map = map_shared(f.owner, 0);
	ASSERT_TRUE(f.map != MAP_FAILED);
	EXPECT_EQ(SHARED_SIZE, span(f.map, 0x55, SHARED_SIZE));

	EXPECT_EQ(0, munmap(f.map, SHARED_SIZE));
	f.map = MAP_FAILED;
	EXPECT_EQ(0, close(f.dmabuf));
	f.dmabuf = -1;
	EXPECT_EQ(-1, fcntl(f.owner, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(0, destroy(self->fd, bo.id));
	/* Which lets what was destroyed go. */
	EXPECT_LT(0, census_total());
	EXPECT_EQ(0, fcntl(f.owner, F_ADD_SEALS, F_SEAL_WRITE));

	/* Nobody can share it any more. */
	udmabuf = open_node("/dev/udmabuf");
	ASSERT_LE(0, udmabuf);
	create.memfd = f.owner;
	EXPECT_EQ(-EINVAL, accel_ioctl(udmabuf, UDMABUF_CREATE, &create));
	EXPECT_EQ(0, close(udmabuf));
	foreign_free(&f);
}

TEST_HARNESS_MAIN
