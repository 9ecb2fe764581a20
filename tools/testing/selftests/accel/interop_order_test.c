// SPDX-License-Identifier: GPL-2.0-only
/*
 * The order between our jobs and the work of others on a buffer that is shared, which
 * nobody but the fences in its reservation object knows.
 */
#include "interop.h"

#include <poll.h>

#define HALF	(SHARED_SIZE / 2)

FIXTURE(order)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	/* Shared: ours, and exported, or somebody else's */
	struct foreign foreign;
	int dmabuf;
	__u32 id;
	__u8 *map;
	/* Not shared */
	struct accel_bo_create own;
	__u8 *own_map;
};

FIXTURE_VARIANT(order)
{
	int (*make)(int test, struct foreign *f);
};

FIXTURE_VARIANT_ADD(order, exported) { .make = NULL };
FIXTURE_VARIANT_ADD(order, vgem) { .make = foreign_vgem };
FIXTURE_VARIANT_ADD(order, vkms) { .make = foreign_vkms };
FIXTURE_VARIANT_ADD(order, virtio_gpu) { .make = foreign_virtio_gpu };
FIXTURE_VARIANT_ADD(order, udmabuf) { .make = foreign_udmabuf };
FIXTURE_VARIANT_ADD(order, heap) { .make = foreign_heap };
FIXTURE_VARIANT_ADD(order, mock) { .make = foreign_mock };

static void share_export(struct __test_metadata *_metadata,
			 FIXTURE_DATA(order) *self)
{
	struct accel_bo_create bo;

	ASSERT_EQ(0, bo_create(self->fd, 0, SHARED_SIZE, &bo));
	self->id = bo.id;
	self->map = bo_map(self->fd, &bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
	self->dmabuf = bo_export(self->fd, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, self->dmabuf);
}

static void share_import(struct __test_metadata *_metadata,
			 FIXTURE_DATA(order) *self)
{
	struct accel_bo_import bo;

	ASSERT_EQ(0, bo_import(self->fd, self->foreign.dmabuf, &bo));
	self->id = bo.id;
	self->map = map_shared(self->fd, bo.mmap_offset);
	ASSERT_TRUE(self->map != MAP_FAILED);
	self->dmabuf = self->foreign.dmabuf;
}

FIXTURE_SETUP(order)
{
	int ret;

	self->foreign = (struct foreign) { .dmabuf = -1, .owner = -1 };
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	if (variant->make) {
		ret = foreign_make(variant->make, self->test, &self->foreign);
		if (ret == -ENODEV)
			SKIP(return, "no such driver, or no device for it");
		ASSERT_EQ(0, ret);
		share_import(_metadata, self);
	} else {
		share_export(_metadata, self);
	}
	memset(self->map, 0, SHARED_SIZE);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, SHARED_SIZE, &self->own));
	self->own_map = bo_map(self->fd, &self->own);
	ASSERT_TRUE(self->own_map != MAP_FAILED);
}

FIXTURE_TEARDOWN(order)
{
	if (self->test < 0)
		return;
	if (self->map && self->map != MAP_FAILED)
		munmap(self->map, SHARED_SIZE);
	if (self->own_map && self->own_map != MAP_FAILED)
		munmap(self->own_map, SHARED_SIZE);
	if (self->foreign.dmabuf < 0)
		close(self->dmabuf);
	foreign_free(&self->foreign);
	close(self->test);
	accel_teardown(_metadata, self->fd);
}

/* A producer that writes half, pauses, writes the rest: nobody sees a half. */
TEST_F(order, slow_producer)
{
	struct test_job job = job_copy(self->id, 0, self->own.id, 0,
				       SHARED_SIZE);
	__u64 point;
	int fence;

	fence = test_fence(self->test, self->dmabuf, DMABUF_TEST_WRITE);
	ASSERT_LT(0, fence);
	memset(self->map, 0x11, HALF);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue.timeline, point);
	EXPECT_EQ(SHARED_SIZE, span(self->own_map, 0, SHARED_SIZE));

	memset(self->map + HALF, 0x11, HALF);
	ASSERT_EQ(0, test_signal(self->test, fence, 0));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(SHARED_SIZE, span(self->own_map, 0x11, SHARED_SIZE));
}

/* Who says that it knows the order sees the half, so the test above means something. */
TEST_F(order, slow_producer_not_waited_for)
{
	struct test_job job = job_copy(self->id, 0, self->own.id, 0,
				       SHARED_SIZE);
	__u64 point;
	int fence;

	fence = test_fence(self->test, self->dmabuf, DMABUF_TEST_WRITE);
	ASSERT_LT(0, fence);
	memset(self->map, 0x11, HALF);
	job.bos[0].flags |= ACCEL_BO_NO_IMPLICIT;
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(HALF, span(self->own_map, 0x11, SHARED_SIZE));
	EXPECT_EQ(HALF, span(self->own_map + HALF, 0, HALF));
	EXPECT_EQ(0, test_signal(self->test, fence, 0));
}

/* Somebody who reads is waited for by who writes, and by nobody else. */
TEST_F(order, slow_reader)
{
	struct test_job read = job_copy(self->id, 0, self->own.id, 0, 4096);
	struct test_job write = job_fill(self->id, 0, 4096, 0x22222222);
	__u64 point;
	int fence;

	fence = test_fence(self->test, self->dmabuf, 0);
	ASSERT_LT(0, fence);
	EXPECT_EQ(0, job_run(self->fd, &self->queue, &read));
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &write, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue.timeline, point);
	EXPECT_EQ(4096, span(self->map, 0, 4096));
	ASSERT_EQ(0, test_signal(self->test, fence, 0));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(4096, span(self->map, 0x22, 4096));
}

/* Producers that fail, or are never done, or go away, have ended all the same. */
TEST_F(order, producer_that_fails)
{
	struct test_job job = job_copy(self->id, 0, self->own.id, 0, 4096);
	struct dmabuf_test_fence late = {
		.fd = self->dmabuf,
		.flags = DMABUF_TEST_WRITE,
		.timeout_ms = 200,
	};
	int fence, test;
	__u64 point;

	fence = test_fence(self->test, self->dmabuf, DMABUF_TEST_WRITE);
	ASSERT_LT(0, fence);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, test_signal(self->test, fence, -EIO));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(-ETIME, test_signal(self->test, fence, 0));

	fence = accel_ioctl(self->test, DMABUF_TEST_FENCE, &late);
	ASSERT_LT(0, fence);
	EXPECT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(-ETIME, test_signal(self->test, fence, 0));

	test = test_open();
	ASSERT_LE(0, test);
	ASSERT_LT(0, test_fence(test, self->dmabuf, DMABUF_TEST_WRITE));
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, close(test));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
}

/* What waits for others does not keep its own client from leaving. */
TEST_F(order, given_up)
{
	struct test_job job = job_copy(self->id, 0, self->own.id, 0, 4096);
	__u64 point;
	int fence;

	fence = test_fence(self->test, self->dmabuf, DMABUF_TEST_WRITE);
	ASSERT_LT(0, fence);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	EXPECT_POINT(-ECANCELED, self->fd, self->queue.timeline, point);
	EXPECT_EQ(4096, span(self->own_map, 0, 4096));
	EXPECT_EQ(0, test_signal(self->test, fence, 0));
}

/* The CPU waits, too. */
TEST_F(order, cpu)
{
	int fence;

	fence = test_fence(self->test, self->dmabuf, DMABUF_TEST_WRITE);
	ASSERT_LT(0, fence);
	EXPECT_EQ(-ETIME, bo_sync(self->fd, self->id, ACCEL_SYNC_READ, 0));
	EXPECT_EQ(-ETIME, bo_sync(self->fd, self->id, ACCEL_SYNC_WRITE, 0));
	ASSERT_EQ(0, test_signal(self->test, fence, 0));
	EXPECT_EQ(0, bo_sync(self->fd, self->id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));

	fence = test_fence(self->test, self->dmabuf, 0);
	ASSERT_LT(0, fence);
	EXPECT_EQ(0, bo_sync(self->fd, self->id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(-ETIME, bo_sync(self->fd, self->id, ACCEL_SYNC_WRITE, 0));
	ASSERT_EQ(0, test_signal(self->test, fence, 0));
}

/* What poll() says of a dma-buf: POLLIN if it can be read, POLLOUT if written. */
static int ready(int dmabuf, int events, int timeout_ms)
{
	struct pollfd pfd = { .fd = dmabuf, .events = events };

	return poll(&pfd, 1, timeout_ms) < 0 ? -errno : pfd.revents;
}

/* Others see what our jobs do: until a writer is done, or a reader. */
TEST_F(order, our_jobs)
{
	struct test_job job = job_hang();
	__u64 point;

	EXPECT_EQ(POLLIN | POLLOUT, ready(self->dmabuf, POLLIN | POLLOUT, 0));
	job_bo(&job, self->id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(0, ready(self->dmabuf, POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_EQ(POLLIN, ready(self->dmabuf, POLLIN, WAIT_MS));
	EXPECT_EQ(POLLOUT, ready(self->dmabuf, POLLOUT, WAIT_MS));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);

	job.bos[0].flags = ACCEL_BO_READ;
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(POLLIN, ready(self->dmabuf, POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_EQ(POLLOUT, ready(self->dmabuf, POLLOUT, WAIT_MS));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
}

struct reader {
	int test;
	int handle;
	struct dmabuf_test_dma dma;
	int ret;
};

static void *read_by_device(void *arg)
{
	struct reader *reader = arg;

	reader->ret = test_dma(reader->test, reader->handle, &reader->dma);
	return NULL;
}

/* Another device that reads while a job is in front of what it will find. */
TEST_F(order, device_after_our_job)
{
	struct test_job hang = job_hang(), fill;
	struct reader reader = { .test = self->test };
	pthread_t thread;
	__u64 point;

	reader.handle = test_import(self->test, self->dmabuf, 0);
	ASSERT_LT(0, reader.handle);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	fill = job_fill(self->id, 0, SHARED_SIZE, 0x33333333);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fill, &point));
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_by_device, &reader));
	/* Time in which it could go wrong */
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, reader.ret);
	EXPECT_EQ(SHARED_SIZE, span(self->map, 0x33, SHARED_SIZE));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), reader.dma.crc);
	EXPECT_EQ(0, test_release(self->test, reader.handle));
}

/* The fences that vgem lets a program make, on vgem's name for the buffer */
TEST_F(order, vgem_fences)
{
	struct test_job job = job_copy(self->id, 0, self->own.id, 0,
				       SHARED_SIZE);
	struct drm_vgem_fence_attach attach = { .flags = VGEM_FENCE_WRITE };
	struct drm_vgem_fence_signal signal = { };
	struct test_job hang = job_hang();
	__u64 point;
	int vgem;

	vgem = drm_open("vgem", "vgem");
	if (vgem < 0)
		SKIP(return, "no vgem");
	ASSERT_EQ(0, drm_from_fd(vgem, self->dmabuf, &attach.handle));
	ASSERT_EQ(0, accel_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach));
	memset(self->map, 0x44, HALF);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue.timeline, point);
	memset(self->map + HALF, 0x44, HALF);
	signal.fence = attach.out_fence;
	ASSERT_EQ(0, accel_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(SHARED_SIZE, span(self->own_map, 0x44, SHARED_SIZE));

	/* It refuses one of its own where ours is in the way. */
	job_bo(&hang, self->id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	EXPECT_EQ(-EBUSY, accel_ioctl(vgem, DRM_IOCTL_VGEM_FENCE_ATTACH,
				      &attach));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(0, close(vgem));
}

TEST_HARNESS_MAIN
