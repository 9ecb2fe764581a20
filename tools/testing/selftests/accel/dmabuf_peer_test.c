// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of other drivers, where threads race for one or our device goes. What
 * they are while all is well is in the interop_*_test programs.
 */
#include "dmabuf.h"
#include "interop.h"

FIXTURE(peer)
{
	int fd;
	struct accel_query_device dev;
	struct foreign foreign;
};

FIXTURE_VARIANT(peer)
{
	int (*make)(int test, struct foreign *f);
};

FIXTURE_VARIANT_ADD(peer, udmabuf) { .make = foreign_udmabuf };
FIXTURE_VARIANT_ADD(peer, heap) { .make = foreign_heap };
FIXTURE_VARIANT_ADD(peer, vgem) { .make = foreign_vgem };

FIXTURE_SETUP(peer)
{
	int ret;

	self->fd = -1;
	ret = foreign_make(variant->make, -1, &self->foreign);
	if (ret == -ENODEV)
		SKIP(return, "no such driver, see config");
	ASSERT_EQ(0, ret);
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(peer)
{
	if (self->fd < 0)
		return;
	foreign_free(&self->foreign);
	accel_teardown(_metadata, self->fd);
}

/* One thread ends the import that another is about to get. */
TEST_F_TIMEOUT(peer, races, LONG_TEST_S)
{
	struct racer racer = {
		.fd = self->fd,
		.dma_buf = self->foreign.dmabuf,
	};

	EXPECT_EQ(0, run_race(racer));
	/* The file alone. */
	EXPECT_EQ(1, census_total());
}

/* The device goes; what it had of the peer's is the peer's alone again. */
TEST_F(peer, device_goes)
{
	const int dmabuf = self->foreign.dmabuf;
	struct test_job job = job_hang();
	struct accel_queue_create queue;
	struct accel_bo_import import;
	__u64 point;
	__u8 *map;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms, &queue));
	ASSERT_EQ(0, bo_import(self->fd, dmabuf, &import));
	map = import_map(self->fd, &import, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	job_bo(&job, import.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
	EXPECT_FALSE(dma_buf_is_idle(dmabuf, POLLIN));
	ASSERT_EQ(0, vaccel_unbind());
	EXPECT_TRUE(dma_buf_becomes_idle(dmabuf, POLLOUT));
	map[0] = 0x66;
	EXPECT_EQ(0x66, self->foreign.map[0]);
	EXPECT_EQ(MAP_FAILED, import_map(self->fd, &import, PROT_READ));
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, munmap(map, SHARED_SIZE));
	/* Its number is free for it again when no file is left. */
	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, vaccel_bind());
	self->fd = accel_open();
	ASSERT_LE(0, self->fd);
}

/* Our device goes, vgem goes on with the memory. */
TEST(vgem_keeps_ours)
{
	struct accel_query_device dev;
	struct accel_bo_create bo;
	int fd, vgem, dmabuf;
	__u32 handle;
	__u8 *map;

	vgem = drm_open("vgem", "vgem");
	if (vgem < 0)
		SKIP(return, "no vgem, see config");
	accel_setup(_metadata, &fd, &dev);
	ASSERT_EQ(0, bo_create(fd, 0, SHARED_SIZE, &bo));
	map = bo_map(fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 0x05;
	ASSERT_EQ(0, munmap(map, SHARED_SIZE));
	dmabuf = bo_export(fd, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dmabuf);
	ASSERT_EQ(0, drm_from_fd(vgem, dmabuf, &handle));
	ASSERT_EQ(0, close(dmabuf));
	ASSERT_EQ(0, vaccel_unbind());
	ASSERT_EQ(0, close(fd));

	dmabuf = drm_to_fd(vgem, handle);
	ASSERT_LE(0, dmabuf);
	map = dma_buf_map(dmabuf, SHARED_SIZE, PROT_READ);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(0x05, map[0]);
	EXPECT_EQ(SHARED_SIZE - 1, span(map + 1, 0, SHARED_SIZE - 1));
	ASSERT_EQ(0, munmap(map, SHARED_SIZE));
	ASSERT_EQ(0, close(dmabuf));
	ASSERT_EQ(0, close(vgem));
	EXPECT_EQ(0, census_total());
	ASSERT_EQ(0, vaccel_bind());
}

/* The heap's memory for reading only. */
TEST(heap_read_only)
{
	struct dma_heap_allocation_data alloc = {
		.len = SHARED_SIZE,
		.fd_flags = O_RDONLY | O_CLOEXEC,
	};
	struct accel_query_device dev;
	struct accel_bo_import import;
	struct accel_bo_info info;
	int fd, heap;

	heap = open_node("/dev/dma_heap/system");
	if (heap < 0)
		SKIP(return, "no dma-heap, see config");
	ASSERT_EQ(0, accel_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &alloc));
	ASSERT_EQ(0, close(heap));
	accel_setup(_metadata, &fd, &dev);
	ASSERT_EQ(0, bo_import(fd, alloc.fd, &import));
	ASSERT_EQ(0, bo_info(fd, import.id, &info));
	EXPECT_EQ(ACCEL_BO_IMPORTED | ACCEL_BO_READ_ONLY, info.flags);
	EXPECT_EQ(-EACCES, run_fill(fd, import.id, SHARED_SIZE, 1));
	EXPECT_EQ(MAP_FAILED, import_map(fd, &import, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-EACCES, bo_export(fd, import.id, ACCEL_EXPORT_WRITE));
	ASSERT_EQ(0, close(alloc.fd));
	accel_teardown(_metadata, fd);
}

TEST_HARNESS_MAIN
