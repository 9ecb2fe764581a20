// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our buffers in the hands of other drivers, with the same page frames there as here.
 */
#include "interop.h"

FIXTURE(export)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u8 *map;
	int dmabuf;
	int read_only;
};

FIXTURE_SETUP(export)
{
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, SHARED_SIZE, &self->bo));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
	scramble(self->map, SHARED_SIZE, 4);
	self->dmabuf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, self->dmabuf);
	self->read_only = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, self->read_only);
}

FIXTURE_TEARDOWN(export)
{
	if (self->test < 0)
		return;
	EXPECT_EQ(0, munmap(self->map, SHARED_SIZE));
	EXPECT_EQ(0, close(self->dmabuf));
	EXPECT_EQ(0, close(self->read_only));
	close(self->test);
	accel_teardown(_metadata, self->fd);
}

/* What is mapped by either fd, and by the device's, is the same memory. */
TEST_F(export, mapped)
{
	__u64 ours[PAGES], theirs[PAGES], kernel[PAGES];
	__u8 *map;

	map = map_shared(self->dmabuf, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	touch(map);
	touch(self->map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(self->map), ours));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(map), theirs));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_FD, self->dmabuf,
				 kernel));
	EXPECT_EQ(0, memcmp(ours, theirs, sizeof(ours)));
	EXPECT_EQ(0, memcmp(ours, kernel, sizeof(ours)));
	EXPECT_EQ(0, munmap(map, SHARED_SIZE));

	/* The other one can be read, and that is all. */
	EXPECT_TRUE(map_shared(self->read_only, 0) == MAP_FAILED);
	map = mmap(NULL, SHARED_SIZE, PROT_READ, MAP_SHARED, self->read_only,
		   0);
	ASSERT_TRUE(map != MAP_FAILED);
	touch(map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(map), theirs));
	EXPECT_EQ(0, memcmp(ours, theirs, sizeof(ours)));
	EXPECT_EQ(-1, mprotect(map, SHARED_SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, munmap(map, SHARED_SIZE));
}

static void device_reads_and_writes(struct __test_metadata *_metadata,
				    FIXTURE_DATA(export) *self, __u32 flags)
{
	struct dmabuf_test_dma dma = { };
	__u64 ours[PAGES], device[PAGES];
	struct test_job job;
	int handle;

	scramble(self->map, SHARED_SIZE, flags);
	handle = test_import(self->test, self->dmabuf,
			     flags | DMABUF_TEST_WRITE);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), dma.crc);
	touch(self->map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(self->map), ours));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_IMPORT, handle,
				 device));
	EXPECT_EQ(bounced(), !!memcmp(ours, device, sizeof(ours)));

	dma.flags = DMABUF_TEST_WRITE;
	dma.value = 0x81818181;
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(SHARED_SIZE, span(self->map, 0x81, SHARED_SIZE));

	/* A job in between */
	job = job_fill(self->bo.id, 4096, 8192, 0x12345678);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id,
			     ACCEL_SYNC_WRITE | ACCEL_SYNC_END, 0));
	dma.flags = 0;
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), dma.crc);
	EXPECT_EQ(0, test_release(self->test, handle));
}

TEST_F(export, to_a_device)
{
	device_reads_and_writes(_metadata, self, DMABUF_TEST_STATIC);
}

TEST_F(export, to_a_device_that_follows_moves)
{
	device_reads_and_writes(_metadata, self, 0);
}

/* To read only: no device gets a mapping to write, and the kernel none at all. */
TEST_F(export, read_only_to_a_device)
{
	struct dmabuf_test_dma dma = { };
	__u64 frames[PAGES];
	int handle;

	handle = test_import(self->test, self->read_only, DMABUF_TEST_STATIC);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), dma.crc);
	EXPECT_EQ(0, test_release(self->test, handle));

	handle = test_import(self->test, self->read_only,
			     DMABUF_TEST_STATIC | DMABUF_TEST_WRITE);
	if (handle > 0)
		EXPECT_EQ(-EACCES, test_dma(self->test, handle, &dma));
	EXPECT_GT(0, test_frames(self->test, DMABUF_TEST_OF_FD, self->read_only,
				 frames));
}

/* What they hand on is what they were given. */
static void expect_drm_imports(struct __test_metadata *_metadata,
			       FIXTURE_DATA(export) *self, const char *driver)
{
	struct drm_gem_close gem = { };
	int drm, out;

	drm = drm_open(driver, driver);
	if (drm < 0)
		SKIP(return, "no such driver");
	ASSERT_EQ(0, drm_from_fd(drm, self->dmabuf, &gem.handle));
	out = drm_to_fd(drm, gem.handle);
	ASSERT_LE(0, out);
	EXPECT_EQ(PAGES, test_compare(self->test, self->dmabuf, out));
	EXPECT_EQ(0, close(out));
	EXPECT_EQ(0, accel_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &gem));
	EXPECT_EQ(0, close(drm));
}

TEST_F(export, to_vgem)
{
	expect_drm_imports(_metadata, self, "vgem");
}

TEST_F(export, to_vkms)
{
	expect_drm_imports(_metadata, self, "vkms");
}

TEST_HARNESS_MAIN
