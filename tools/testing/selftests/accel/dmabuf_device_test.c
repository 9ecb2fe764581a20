// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers as dma-bufs between devices, vaccel and edu, and what is left of them when
 * one of the two goes. Other drivers: dmabuf_peer_test.c.
 */
#include "dmabuf.h"
#include "unplug.h"

FIXTURE(devices)
{
	int fd;
	struct accel_query_device dev;
	struct accel_bo_create bo;
};

FIXTURE_SETUP(devices)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, bo_create(self->fd, 0, 2 * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(devices)
{
	accel_teardown(_metadata, self->fd);
}

/* For a test in which the device has gone. */
static void come_back(struct __test_metadata *_metadata,
		      FIXTURE_DATA(devices) *self)
{
	EXPECT_EQ(0, close(self->fd));
	ASSERT_EQ(0, vaccel_bind());
	self->fd = accel_open();
	ASSERT_LE(0, self->fd);
}

/* The memory stays, for whoever has the dma-buf. */
TEST_F(devices, device_goes)
{
	struct accel_bo_import import, late;
	__u8 *map, *again;
	int other, dma_buf;

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	other = accel_open();
	ASSERT_LE(0, other);
	ASSERT_EQ(0, bo_import(other, dma_buf, &import));
	map = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	ASSERT_EQ(0, vaccel_unbind());

	EXPECT_EQ(-ENODEV, bo_import(other, dma_buf, &late));
	EXPECT_EQ(-ENODEV, bo_export(other, import.id, 0));
	EXPECT_EQ(MAP_FAILED, import_map(other, &import, PROT_READ));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(1, map[0]);
	map[PAGE] = 2;
	again = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ);
	ASSERT_TRUE(again != MAP_FAILED);
	EXPECT_EQ(2, again[PAGE]);
	EXPECT_EQ(0, munmap(again, 2 * PAGE));
	EXPECT_EQ(0, dma_buf_sync(dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dma_buf_sync(dma_buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, destroy(other, import.id));
	EXPECT_EQ(1, map[0]);
	EXPECT_EQ(0, munmap(map, 2 * PAGE));
	EXPECT_EQ(0, close(dma_buf));
	ASSERT_EQ(0, close(other));
	come_back(_metadata, self);
}

/* Bound again, it is another device, to which the dma-buf is somebody else's. */
TEST_F(devices, device_comes_back)
{
	struct accel_bo_import import;
	__u8 *map, *again;
	struct plug plug;
	int dma_buf, fd;

	ASSERT_EQ(0, plug_find_vaccel(&plug));
	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	map = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	ASSERT_EQ(0, vaccel_unbind());
	ASSERT_EQ(0, vaccel_bind());
	fd = minor_open(plug_minor(&plug));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bo_import(fd, dma_buf, &import));
	EXPECT_EQ(1, census_count("dma_bufs"));
	again = import_map(fd, &import, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(again != MAP_FAILED);
	EXPECT_EQ(1, again[0]);
	EXPECT_EQ(0, run_fill(fd, import.id, 2 * PAGE, 0x77));
	EXPECT_EQ(2 * PAGE, span(map, 0x77, 2 * PAGE));
	EXPECT_EQ(0, munmap(map, 2 * PAGE));
	EXPECT_EQ(0, munmap(again, 2 * PAGE));
	EXPECT_EQ(0, close(dma_buf));
	/* The import keeps it. */
	EXPECT_EQ(0, destroy(self->fd, self->bo.id));
	EXPECT_EQ(1, census_count("dma_bufs"));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_count("dma_bufs"));
	ASSERT_EQ(0, vaccel_unbind());
	come_back(_metadata, self);
}

/* What edu has, vaccel computes in; and edu does not reach what is vaccel's. */
TEST_F(devices, another_device)
{
	struct accel_bo_import import, back;
	struct accel_bo_create bo;
	struct accel_bo_info info;
	int edu, dma_buf;
	__u8 *map;

	edu = edu_open();
	if (edu == -ENODEV)
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	ASSERT_LE(0, edu);
	ASSERT_EQ(0, bo_create(edu, 0, 2 * PAGE, &bo));
	dma_buf = bo_export(edu, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	EXPECT_EQ(2 * PAGE, import.length);
	ASSERT_EQ(0, bo_info(self->fd, import.id, &info));
	EXPECT_EQ(ACCEL_BO_IMPORTED, info.flags);

	map = bo_map(edu, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, run_fill(self->fd, import.id, 2 * PAGE, 0x42));
	ASSERT_EQ(0, bo_sync(edu, bo.id, ACCEL_SYNC_READ, INT64_MAX));
	EXPECT_EQ(2 * PAGE, span(map, 0x42, 2 * PAGE));
	ASSERT_EQ(0, munmap(map, 2 * PAGE));

	/* It comes home as what it is there. */
	ASSERT_EQ(0, bo_import(edu, dma_buf, &back));
	EXPECT_EQ(bo.mmap_offset, back.mmap_offset);
	ASSERT_EQ(0, close(dma_buf));
	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(-EOPNOTSUPP, bo_import(edu, dma_buf, &back));
	ASSERT_EQ(0, close(dma_buf));
	/* For reading, there is no address for a device in software. */
	dma_buf = bo_export(edu, bo.id, 0);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(-EACCES, bo_import(self->fd, dma_buf, &back));
	ASSERT_EQ(0, close(dma_buf));
	ASSERT_EQ(0, close(edu));
}

/* A device goes that has imported what another has exported, with a job on it. */
TEST_F(devices, importer_goes)
{
	struct test_job job = job_hang();
	struct accel_queue_create queue;
	struct accel_bo_import import;
	struct accel_bo_create bo;
	int edu, dma_buf;
	__u64 point;

	edu = edu_open();
	if (edu == -ENODEV)
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	ASSERT_LE(0, edu);
	ASSERT_EQ(0, bo_create(edu, 0, 2 * PAGE, &bo));
	dma_buf = bo_export(edu, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	ASSERT_EQ(0, close(dma_buf));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms, &queue));
	job_bo(&job, import.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
	EXPECT_EQ(-ETIME, bo_sync(edu, bo.id, ACCEL_SYNC_READ, 0));
	ASSERT_EQ(0, vaccel_unbind());
	EXPECT_EQ(0, bo_sync(edu, bo.id, ACCEL_SYNC_READ, 0));
	ASSERT_EQ(0, close(edu));
	/* The id still keeps it. */
	EXPECT_EQ(1, census_count("dma_bufs"));
	ASSERT_EQ(0, destroy(self->fd, import.id));
	EXPECT_EQ(0, census_count("dma_bufs"));
	come_back(_metadata, self);
}

TEST_HARNESS_MAIN
