// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs between accelerators and other drivers: udmabuf, the system's dma-heap,
 * and vgem, whose fences userspace signals. What a kernel has none of is skipped.
 */
#include "dmabuf.h"
#include "unplug.h"

#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <drm/vgem_drm.h>

#define LENGTH		(4 * PAGE)
#define CARDS		16

/**
 * struct peer - memory of another driver's
 * @dma_buf: it, for others
 * @map: what that driver's own client sees
 * @own: that client's descriptor
 * @handle: vgem's name for it
 */
struct peer {
	int dma_buf;
	__u8 *map;
	int own;
	__u32 handle;
};

static int udmabuf_make(struct peer *peer)
{
	struct udmabuf_create create = {
		.size = LENGTH,
		.flags = UDMABUF_FLAGS_CLOEXEC,
	};
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC);

	if (dev < 0)
		return -errno;
	peer->own = memfd_create("peer", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	create.memfd = peer->own;
	if (peer->own < 0 || ftruncate(peer->own, LENGTH) ||
	    fcntl(peer->own, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	peer->map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			 peer->own, 0);
	peer->dma_buf = accel_ioctl(dev, UDMABUF_CREATE, &create);
	close(dev);
	return peer->dma_buf < 0 ? peer->dma_buf : 0;
}

static int heap_alloc(int *dma_buf, __u32 mode)
{
	struct dma_heap_allocation_data alloc = {
		.len = LENGTH,
		.fd_flags = mode | O_CLOEXEC,
	};
	int dev = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC), ret;

	if (dev < 0)
		return -errno;
	ret = accel_ioctl(dev, DMA_HEAP_IOCTL_ALLOC, &alloc);
	close(dev);
	*dma_buf = alloc.fd;
	return ret;
}

static int heap_make(struct peer *peer)
{
	int ret = heap_alloc(&peer->dma_buf, O_RDWR);

	if (ret)
		return ret;
	peer->map = dma_buf_map(peer->dma_buf, LENGTH, PROT_READ | PROT_WRITE);
	peer->own = dup(peer->dma_buf);
	return 0;
}

static int vgem_open(void)
{
	char path[32], name[16];
	int i, fd;

	if (system("modprobe -q vgem"))
		return -ENOENT;
	for (i = 0; i < CARDS; i++) {
		struct drm_version version = {
			.name = name,
			.name_len = sizeof(name) - 1,
		};

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!ioctl(fd, DRM_IOCTL_VERSION, &version) &&
		    !strcmp(name, "vgem"))
			return fd;
		close(fd);
	}
	return -ENOENT;
}

static void *vgem_map(int fd, __u32 handle)
{
	struct drm_mode_map_dumb map = { .handle = handle };

	if (ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return MAP_FAILED;
	return mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    map.offset);
}

static int vgem_make(struct peer *peer)
{
	struct drm_mode_create_dumb create = {
		.width = LENGTH / 4,
		.height = 1,
		.bpp = 32,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret;

	peer->own = vgem_open();
	if (peer->own < 0)
		return peer->own;
	ret = accel_ioctl(peer->own, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (ret)
		return ret;
	peer->handle = create.handle;
	prime.handle = create.handle;
	ret = accel_ioctl(peer->own, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);
	peer->dma_buf = prime.fd;
	peer->map = vgem_map(peer->own, peer->handle);
	return ret;
}

/* Returns a fence that vgem_signal() signals; -EBUSY if there are others. */
static int vgem_attach(int fd, __u32 handle, __u32 flags, __u32 *fence)
{
	struct drm_vgem_fence_attach attach = {
		.handle = handle,
		.flags = flags,
	};
	int ret = accel_ioctl(fd, DRM_IOCTL_VGEM_FENCE_ATTACH, &attach);

	*fence = attach.out_fence;
	return ret;
}

static int vgem_signal(int fd, __u32 fence)
{
	struct drm_vgem_fence_signal signal = { .fence = fence };

	return accel_ioctl(fd, DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal);
}

FIXTURE(peer)
{
	int fd;
	struct accel_query_device dev;
	struct accel_bo_create bo;
	struct accel_queue_create queue;
	__u8 *map;
	struct peer peer;
};

FIXTURE_VARIANT(peer)
{
	int (*make)(struct peer *peer);
};

FIXTURE_VARIANT_ADD(peer, udmabuf) { .make = udmabuf_make };
FIXTURE_VARIANT_ADD(peer, dma_heap) { .make = heap_make };
FIXTURE_VARIANT_ADD(peer, vgem) { .make = vgem_make };

FIXTURE_SETUP(peer)
{
	int ret;

	self->fd = -1;
	ret = variant->make(&self->peer);
	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "no such driver, see config");
	ASSERT_EQ(0, ret);
	ASSERT_TRUE(self->peer.map != MAP_FAILED);
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &self->bo));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE_TEARDOWN(peer)
{
	if (self->fd < 0)
		return;
	ASSERT_EQ(0, munmap(self->map, LENGTH));
	ASSERT_EQ(0, munmap(self->peer.map, LENGTH));
	ASSERT_EQ(0, close(self->peer.dma_buf));
	ASSERT_EQ(0, close(self->peer.own));
	accel_teardown(_metadata, self->fd);
}

/*
 * The accelerator reads what the other has written, and the other way round. The CPU's
 * accesses are all of one kind, as udmabuf of 6.12 wants them.
 */
TEST_F(peer, same_memory)
{
	struct accel_bo_import import;
	struct accel_bo_info info;
	struct test_job job;
	__u8 *map;

	ASSERT_EQ(0, bo_import(self->fd, self->peer.dma_buf, &import));
	EXPECT_EQ(LENGTH, import.length);
	ASSERT_EQ(0, bo_info(self->fd, import.id, &info));
	EXPECT_EQ(ACCEL_BO_IMPORTED, info.flags);

	ASSERT_EQ(0, dma_buf_sync(self->peer.dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_RW));
	memset(self->peer.map, 0x11, LENGTH);
	self->peer.map[3 * PAGE] = 0x22;
	ASSERT_EQ(0, dma_buf_sync(self->peer.dma_buf, DMA_BUF_SYNC_END |
				  DMA_BUF_SYNC_RW));
	job = job_copy(import.id, 0, self->bo.id, 0, LENGTH);
	ASSERT_EQ(0, run_job(self->fd, &job));
	EXPECT_EQ(3 * PAGE, span(self->map, 0x11, LENGTH));
	EXPECT_EQ(0x22, self->map[3 * PAGE]);

	ASSERT_EQ(0, run_fill(self->fd, import.id, LENGTH, 0x33));
	ASSERT_EQ(0, dma_buf_sync(self->peer.dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(LENGTH, span(self->peer.map, 0x33, LENGTH));
	ASSERT_EQ(0, dma_buf_sync(self->peer.dma_buf, DMA_BUF_SYNC_END |
				  DMA_BUF_SYNC_RW));

	/*
	 * By the accelerator's node too, and its own brackets. From the beginning:
	 * GEM's shmem of 6.12 knows no other place to begin.
	 */
	map = import_map(self->fd, &import, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, bo_sync(self->fd, import.id, ACCEL_SYNC_READ |
			     ACCEL_SYNC_WRITE, INT64_MAX));
	EXPECT_EQ(LENGTH, span(map, 0x33, LENGTH));
	map[PAGE + 5] = 0x44;
	ASSERT_EQ(0, bo_sync(self->fd, import.id, ACCEL_SYNC_READ |
			     ACCEL_SYNC_WRITE | ACCEL_SYNC_END, 0));
	EXPECT_EQ(0x44, self->peer.map[PAGE + 5]);
	EXPECT_EQ(MAP_FAILED, mremap(map, LENGTH, 2 * LENGTH, MREMAP_MAYMOVE));
	/* Which outlives the id, and then the file. */
	ASSERT_EQ(0, destroy(self->fd, import.id));
	EXPECT_EQ(1, census_count("mappings"));
	map[PAGE + 6] = 0x55;
	EXPECT_EQ(0x55, self->peer.map[PAGE + 6]);
	ASSERT_EQ(0, munmap(map, LENGTH));
}

/* Handed on, it is the peer's own, and comes back as what is there already. */
TEST_F(peer, is_handed_on)
{
	struct accel_bo_import import, again;
	int dma_buf;

	ASSERT_EQ(0, bo_import(self->fd, self->peer.dma_buf, &import));
	EXPECT_EQ(-EOPNOTSUPP, bo_export(self->fd, import.id, 0));
	dma_buf = bo_export(self->fd, import.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(0, census_count("dma_bufs"));
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &again));
	EXPECT_NE(import.id, again.id);
	EXPECT_EQ(import.mmap_offset, again.mmap_offset);
	ASSERT_EQ(0, close(dma_buf));
}

/* One thread ends the import that another is about to get. */
TEST_F_TIMEOUT(peer, races, LONG_TEST_S)
{
	struct racer racer = {
		.fd = self->fd,
		.dma_buf = self->peer.dma_buf,
	};
	const long long before = census_count("bos");

	EXPECT_EQ(0, run_race(racer));
	EXPECT_EQ(before, census_count("bos"));
}

/* The peer's users wait for our jobs. */
TEST_F(peer, fences_are_left)
{
	struct accel_bo_import import;
	struct test_job job = job_hang();
	__u64 point;

	ASSERT_EQ(0, bo_import(self->fd, self->peer.dma_buf, &import));
	EXPECT_TRUE(dma_buf_becomes_idle(self->peer.dma_buf, POLLOUT));
	job_bo(&job, import.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_TRUE(dma_buf_becomes_idle(self->peer.dma_buf, POLLIN));
	EXPECT_FALSE(dma_buf_is_idle(self->peer.dma_buf, POLLOUT));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_TRUE(dma_buf_becomes_idle(self->peer.dma_buf, POLLOUT));

	job.bos[0].flags = ACCEL_BO_WRITE;
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_FALSE(dma_buf_is_idle(self->peer.dma_buf, POLLIN));
	/* The id need not last as long as the job. */
	ASSERT_EQ(0, destroy(self->fd, import.id));
	EXPECT_FALSE(dma_buf_is_idle(self->peer.dma_buf, POLLIN));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_TRUE(dma_buf_becomes_idle(self->peer.dma_buf, POLLOUT));
}

/* Our jobs wait for what the peer's users have left. */
TEST_F(peer, fences_are_waited_for)
{
	struct accel_queue_create other;
	struct accel_bo_import import;
	struct test_job job = job_hang();
	__u64 hang, point;
	int ours, fence;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	ours = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, ours);
	job_bo(&job, self->bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &hang));
	fence = dma_buf_export_fence(ours, DMA_BUF_SYNC_WRITE);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, dma_buf_import_fence(self->peer.dma_buf,
					  DMA_BUF_SYNC_READ, fence));

	ASSERT_EQ(0, bo_import(self->fd, self->peer.dma_buf, &import));
	job = job_nop();
	job_bo(&job, import.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, other.id, &job, &point));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	job.bos[0].flags = ACCEL_BO_WRITE;
	ASSERT_EQ(0, submit_one(self->fd, other.id, &job, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, other.timeline, point);
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	ASSERT_EQ(0, close(fence));
	ASSERT_EQ(0, close(ours));
}

/* The device goes; what it had of the peer's is the peer's alone again. */
TEST_F(peer, device_goes)
{
	struct accel_bo_import import;
	struct test_job job = job_hang();
	__u64 point;
	__u8 *map;

	ASSERT_EQ(0, bo_import(self->fd, self->peer.dma_buf, &import));
	map = import_map(self->fd, &import, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	job_bo(&job, import.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_FALSE(dma_buf_is_idle(self->peer.dma_buf, POLLIN));
	ASSERT_EQ(0, vaccel_unbind());
	EXPECT_TRUE(dma_buf_becomes_idle(self->peer.dma_buf, POLLOUT));
	map[0] = 0x66;
	EXPECT_EQ(0x66, self->peer.map[0]);
	EXPECT_EQ(MAP_FAILED, import_map(self->fd, &import, PROT_READ));
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, munmap(map, LENGTH));
	ASSERT_EQ(0, munmap(self->map, LENGTH));
	ASSERT_EQ(0, close(self->fd));
	ASSERT_EQ(0, vaccel_bind());
	self->fd = accel_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &self->bo));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE(vgem)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u8 *map;
	int vgem;
};

FIXTURE_SETUP(vgem)
{
	self->fd = -1;
	self->vgem = vgem_open();
	if (self->vgem < 0)
		SKIP(return, "no vgem, see config");
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &self->bo));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE_TEARDOWN(vgem)
{
	if (self->fd < 0)
		return;
	ASSERT_EQ(0, munmap(self->map, LENGTH));
	ASSERT_EQ(0, close(self->vgem));
	accel_teardown(_metadata, self->fd);
}

/* It takes its time to write; the job that reads does not start before it is done. */
TEST_F(vgem, slow_producer)
{
	struct accel_bo_import import;
	struct peer peer = {};
	struct test_job job;
	__u64 point;
	__u32 fence;

	ASSERT_EQ(0, vgem_make(&peer));
	ASSERT_TRUE(peer.map != MAP_FAILED);
	ASSERT_EQ(0, bo_import(self->fd, peer.dma_buf, &import));
	memset(peer.map, 0x01, LENGTH);
	ASSERT_EQ(0, vgem_attach(peer.own, peer.handle, VGEM_FENCE_WRITE,
				 &fence));
	job = job_copy(import.id, 0, self->bo.id, 0, LENGTH);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_PENDING(self->fd, self->queue.timeline, point);
	memset(peer.map, 0x02, LENGTH);
	ASSERT_EQ(0, vgem_signal(peer.own, fence));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(LENGTH, span(self->map, 0x02, LENGTH));
	ASSERT_EQ(0, munmap(peer.map, LENGTH));
	ASSERT_EQ(0, close(peer.dma_buf));
	ASSERT_EQ(0, close(peer.own));
}

static int vgem_import(int vgem, int dma_buf, __u32 *handle)
{
	struct drm_prime_handle prime = { .fd = dma_buf };
	int ret = accel_ioctl(vgem, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*handle = prime.handle;
	return ret;
}

/* What is imported vgem maps to nobody, but it gives it back. */
static int vgem_export(int vgem, __u32 handle)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int ret = accel_ioctl(vgem, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	return ret ? ret : prime.fd;
}

/* Our memory, in another driver that maps it for its device. */
TEST_F(vgem, takes_ours)
{
	struct test_job job = job_hang();
	struct accel_bo_import import;
	__u32 handle, fence;
	__u64 point;
	int dma_buf;

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, vgem_import(self->vgem, dma_buf, &handle));
	ASSERT_EQ(0, close(dma_buf));
	dma_buf = vgem_export(self->vgem, handle);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	EXPECT_EQ(self->bo.mmap_offset, import.mmap_offset);
	ASSERT_EQ(0, close(dma_buf));

	/* Their fence, then ours. */
	ASSERT_EQ(0, vgem_attach(self->vgem, handle, 0, &fence));
	job_bo(&job, self->bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(-ETIME, bo_sync(self->fd, self->bo.id, ACCEL_SYNC_WRITE, 0));
	ASSERT_EQ(0, vgem_signal(self->vgem, fence));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	EXPECT_EQ(-EBUSY, vgem_attach(self->vgem, handle, 0, &fence));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	ASSERT_EQ(0, vgem_attach(self->vgem, handle, 0, &fence));
	ASSERT_EQ(0, vgem_signal(self->vgem, fence));
}

/* A driver that wants to write does not get what is for reading. */
TEST_F(vgem, does_not_write)
{
	__u32 handle;
	int dma_buf, ret;

	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, dma_buf);
	/* It maps at once, in both directions, or, since 7.x, when it has to. */
	ret = vgem_import(self->vgem, dma_buf, &handle);
	if (ret)
		EXPECT_EQ(-EACCES, ret);
	EXPECT_EQ(0, census_count("dma_buf_maps"));
	ASSERT_EQ(0, close(dma_buf));
}

/* Our device goes, vgem goes on with the memory. */
TEST_F(vgem, keeps_ours)
{
	__u32 handle;
	int dma_buf;
	__u8 *map;

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, vgem_import(self->vgem, dma_buf, &handle));
	ASSERT_EQ(0, close(dma_buf));
	self->map[0] = 0x05;
	ASSERT_EQ(0, munmap(self->map, LENGTH));
	ASSERT_EQ(0, vaccel_unbind());
	ASSERT_EQ(0, close(self->fd));
	dma_buf = vgem_export(self->vgem, handle);
	ASSERT_LE(0, dma_buf);
	map = dma_buf_map(dma_buf, LENGTH, PROT_READ);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(0x05, map[0]);
	EXPECT_EQ(LENGTH - 1, span(map + 1, 0, LENGTH - 1));
	ASSERT_EQ(0, munmap(map, LENGTH));
	ASSERT_EQ(0, close(dma_buf));
	ASSERT_EQ(0, close(self->vgem));
	EXPECT_EQ(0, census_total());

	ASSERT_EQ(0, vaccel_bind());
	self->fd = accel_open();
	ASSERT_LE(0, self->fd);
	self->vgem = dup(self->fd);
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &self->bo));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

/* The heap's memory for reading only. */
TEST(heap_read_only)
{
	struct accel_query_device dev;
	struct accel_bo_import import;
	struct accel_bo_info info;
	int fd, dma_buf, ret;

	ret = heap_alloc(&dma_buf, O_RDONLY);
	if (ret == -ENOENT)
		SKIP(return, "no dma-heap, see config");
	ASSERT_EQ(0, ret);
	accel_setup(_metadata, &fd, &dev);
	ASSERT_EQ(0, bo_import(fd, dma_buf, &import));
	ASSERT_EQ(0, bo_info(fd, import.id, &info));
	EXPECT_EQ(ACCEL_BO_IMPORTED | ACCEL_BO_READ_ONLY, info.flags);
	EXPECT_EQ(-EACCES, run_fill(fd, import.id, LENGTH, 1));
	EXPECT_EQ(MAP_FAILED, import_map(fd, &import, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-EACCES, bo_export(fd, import.id, ACCEL_EXPORT_WRITE));
	ASSERT_EQ(0, close(dma_buf));
	accel_teardown(_metadata, fd);
}

TEST_HARNESS_MAIN
