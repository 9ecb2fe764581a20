// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers of others for a device that does not reach all of memory: behind an IOMMU
 * it works with them, without one it refuses them.
 */
#include "interop.h"
#include "pins.h"

#define NODES		64
/* A COPY of so much takes the device about 100 ms; it crosses a page. */
#define CHUNK		512
#define FROM		(3 * 4096 - CHUNK / 2)
#define TO		(9 * 4096 - CHUNK / 2)
#define DMA_WAIT_MS	60000

FIXTURE(edu)
{
	int fd;
	int test;
	bool translated;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create own;
	__u8 *own_map;
	struct foreign foreign;
};

FIXTURE_VARIANT(edu)
{
	int (*make)(int test, struct foreign *f);
};

/* The other accelerator, as one that has nothing to do with this one */
static int foreign_accel(int test, struct foreign *f)
{
	struct accel_bo_create bo;
	int ret;

	f->owner = accel_open();
	if (f->owner < 0)
		return f->owner;
	ret = bo_create(f->owner, 0, SHARED_SIZE, &bo);
	if (ret)
		return ret;
	f->dmabuf = bo_export(f->owner, bo.id, ACCEL_EXPORT_WRITE);
	if (f->dmabuf < 0)
		return f->dmabuf;
	f->map = bo_map(f->owner, &bo);
	return f->map == MAP_FAILED ? -errno : 0;
}

FIXTURE_VARIANT_ADD(edu, accel) { .make = foreign_accel };
FIXTURE_VARIANT_ADD(edu, vgem) { .make = foreign_vgem };
FIXTURE_VARIANT_ADD(edu, vkms) { .make = foreign_vkms };
FIXTURE_VARIANT_ADD(edu, virtio_gpu) { .make = foreign_virtio_gpu };
FIXTURE_VARIANT_ADD(edu, udmabuf) { .make = foreign_udmabuf };
FIXTURE_VARIANT_ADD(edu, heap) { .make = foreign_heap };
FIXTURE_VARIANT_ADD(edu, mock) { .make = foreign_mock };

static int edu_open(struct accel_query_device *dev)
{
	char path[32];
	int fd, i;

	for (i = 0; i < NODES; i++) {
		snprintf(path, sizeof(path), "/dev/accel/accel%d", i);
		fd = open_node(path);
		if (fd < 0)
			continue;
		if (!query_device(fd, dev) &&
		    !strcmp((char *)dev->driver, "accel_edu"))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static bool has_iommu(const struct accel_query_device *dev)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group",
		 (const char *)dev->bus_id);
	return !access(path, F_OK);
}

FIXTURE_SETUP(edu)
{
	int ret;

	self->foreign = (struct foreign) { .dmabuf = -1, .owner = -1 };
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	self->fd = edu_open(&self->dev);
	if (self->fd < 0)
		SKIP(return, "no edu device");
	self->translated = has_iommu(&self->dev);
	ret = foreign_make(variant->make, self->test, &self->foreign);
	if (ret == -ENODEV)
		SKIP(return, "no such driver, or no device for it");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, queue_create(self->fd, ACCEL_EDU_ENGINE_DMA,
				  self->dev.timeout_max_ms, &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, SHARED_SIZE, &self->own));
	self->own_map = bo_map(self->fd, &self->own);
	ASSERT_TRUE(self->own_map != MAP_FAILED);
}

FIXTURE_TEARDOWN(edu)
{
	if (self->own_map)
		munmap(self->own_map, SHARED_SIZE);
	foreign_free(&self->foreign);
	if (self->fd >= 0)
		close(self->fd);
	if (self->test >= 0)
		close(self->test);
	EXPECT_EQ(0, census_total());
}

static int copy(FIXTURE_DATA(edu) *self, __u32 src, __u64 from, __u32 dst,
		__u64 to)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };
	__s32 status;
	__u64 point;
	int ret;

	/* A buffer is named once, whatever it is used for. */
	job.cmd.dma.op = ACCEL_EDU_DMA_COPY;
	job.cmd.dma.src_bo = job_bo(&job, src, src == dst ?
				    ACCEL_BO_READ | ACCEL_BO_WRITE :
				    ACCEL_BO_READ);
	job.cmd.dma.dst_bo = src == dst ? job.cmd.dma.src_bo :
			     job_bo(&job, dst, ACCEL_BO_WRITE);
	job.cmd.dma.src_offset = from;
	job.cmd.dma.dst_offset = to;
	job.cmd.dma.length = CHUNK;
	ret = submit_one(self->fd, self->queue.id, &job, &point) ?:
	      point_wait_until(self->fd, self->queue.timeline, point,
			       deadline_ms(DMA_WAIT_MS), &status);
	return ret ?: status;
}

/* What is read of theirs and written to it is what they have. */
static void expect_works(struct __test_metadata *_metadata,
			 FIXTURE_DATA(edu) *self)
{
	struct accel_bo_import import;
	int i;

	ASSERT_EQ(0, bo_import(self->fd, self->foreign.dmabuf, &import));
	EXPECT_EQ(SHARED_SIZE, import.length);
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_START));
	for (i = 0; i < CHUNK; i++)
		self->foreign.map[FROM + i] = i * 7;
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_END));

	ASSERT_EQ(0, copy(self, import.id, FROM, self->own.id, TO));
	ASSERT_EQ(0, bo_sync(self->fd, self->own.id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));
	for (i = 0; i < CHUNK; i++)
		ASSERT_EQ((__u8)(i * 7), self->own_map[TO + i]);
	EXPECT_EQ(0, self->own_map[TO - 1]);
	EXPECT_EQ(0, self->own_map[TO + CHUNK]);

	ASSERT_EQ(0, copy(self, self->own.id, TO, import.id, TO));
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_START));
	for (i = 0; i < CHUNK; i++)
		ASSERT_EQ((__u8)(i * 7), self->foreign.map[TO + i]);
	ASSERT_EQ(0, cpu_access(self->foreign.dmabuf, DMA_BUF_SYNC_END));
	EXPECT_EQ(0, destroy(self->fd, import.id));
}

/* An exporter that moves its memory may, unless a job has been submitted with it. */
static void expect_follows_moves(struct __test_metadata *_metadata,
				 FIXTURE_DATA(edu) *self)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };
	int round, test = self->test, dmabuf = self->foreign.dmabuf;
	struct accel_bo_import import;
	__u32 timeline;
	__u64 point;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &timeline));
	ASSERT_EQ(0, bo_import(self->fd, dmabuf, &import));
	for (round = 1; round < 4; round++) {
		ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_START));
		memset(self->foreign.map + FROM, round, CHUNK);
		ASSERT_EQ(0, cpu_access(dmabuf, DMA_BUF_SYNC_END));
		ASSERT_EQ(0, test_move(test, dmabuf));
		ASSERT_EQ(0, copy(self, import.id, FROM, self->own.id, TO));
		ASSERT_EQ(0, bo_sync(self->fd, self->own.id, ACCEL_SYNC_READ,
				     deadline_ms(WAIT_MS)));
		EXPECT_EQ(CHUNK, span(self->own_map + TO, round, CHUNK));
		EXPECT_EQ(0, settle());
	}

	job.cmd.dma.op = ACCEL_EDU_DMA_COPY;
	job.cmd.dma.src_bo = job_bo(&job, import.id, ACCEL_BO_READ);
	job.cmd.dma.dst_bo = job_bo(&job, self->own.id, ACCEL_BO_WRITE);
	job.cmd.dma.src_offset = FROM;
	job.cmd.dma.dst_offset = TO;
	job.cmd.dma.length = CHUNK;
	job_wait(&job, timeline, 1);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(-EBUSY, test_move(test, dmabuf));
	ASSERT_EQ(0, timeline_signal(self->fd, timeline, 1));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(0, settle());
	EXPECT_EQ(0, test_move(test, dmabuf));
	EXPECT_EQ(0, destroy(self->fd, import.id));
}

TEST_F_TIMEOUT(edu, buffer_of_others, LONG_TEST_S)
{
	struct accel_bo_import import;

	if (self->translated) {
		expect_works(_metadata, self);
		if (variant->make == foreign_mock)
			expect_follows_moves(_metadata, self);
		return;
	}
	EXPECT_EQ(-EOPNOTSUPP, bo_import(self->fd, self->foreign.dmabuf,
					 &import));
}

/* Its own buffers are the others', too: with an IOMMU they are anybody's memory. */
TEST_F_TIMEOUT(edu, buffer_for_others, LONG_TEST_S)
{
	struct accel_bo_import import;
	__u8 *map;
	int fd, i;

	fd = bo_export(self->fd, self->own.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, fd);
	self->own_map[FROM] = 42;
	ASSERT_EQ(0, copy(self, self->own.id, FROM, self->own.id, TO));
	map = map_shared(fd, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, cpu_access(fd, DMA_BUF_SYNC_START));
	EXPECT_EQ(42, map[TO]);
	ASSERT_EQ(0, cpu_access(fd, DMA_BUF_SYNC_END));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bo_import(self->fd, fd, &import));
		EXPECT_EQ(self->own.mmap_offset, import.mmap_offset);
		EXPECT_EQ(0, destroy(self->fd, import.id));
	}
	EXPECT_EQ(0, munmap(map, SHARED_SIZE));
	EXPECT_EQ(0, close(fd));
}

/* The caller's memory: behind an IOMMU the device reaches it as well. */
TEST_F_TIMEOUT(edu, memory_of_the_caller, LONG_TEST_S)
{
	static _Alignas(4096) __u8 pages[2 * 4096];
	struct accel_bo_userptr userptr = {
		.size = sizeof(userptr),
		.flags = ACCEL_USERPTR_WRITE,
		.addr = ptr_to_u64(pages),
		.length = sizeof(pages),
	};
	int ret = accel_ioctl(self->fd, ACCEL_IOCTL_BO_USERPTR, &userptr);

	if (!self->translated) {
		EXPECT_EQ(-EOPNOTSUPP, ret);
		return;
	}
	ASSERT_EQ(0, ret);
	memset(self->own_map + FROM, 0x5a, CHUNK);
	ASSERT_EQ(0, copy(self, self->own.id, FROM, userptr.id,
			  4096 - CHUNK / 2));
	EXPECT_EQ(CHUNK, span(pages + 4096 - CHUNK / 2, 0x5a, CHUNK));
	EXPECT_EQ(0, pages[4096 - CHUNK / 2 - 1]);
	EXPECT_EQ(0, pages[4096 + CHUNK / 2]);
	EXPECT_EQ(0, destroy(self->fd, userptr.id));
}

TEST_HARNESS_MAIN
