/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways in which a process has a buffer that it shares with others: as ours or as
 * the other side's, by way of a device, or as a dma-buf.
 */
#ifndef SELFTESTS_ACCEL_SHARE_ROLE_H
#define SELFTESTS_ACCEL_SHARE_ROLE_H

#include "interop.h"

/* In all of the last page, while anybody has the memory */
#define CONTENTS	0xa5
#define LAST_PAGE	(SHARED_SIZE - 4096)

/**
 * struct share - what a party has of the buffer, in its process
 * @make: what the other side's buffer is made with
 * @foreign: that buffer
 * @page: the page in which it writes
 * @wrote: what it wrote there last
 * @dmabuf: or -1
 * @fd: of the device by which it has the buffer, or -1
 * @handle: the buffer's name there
 * @map: the memory, unless it has it otherwise
 * @frames: of the memory, if it has it as a device has it
 */
struct share {
	int (*make)(int test, struct foreign *f);
	struct foreign foreign;
	__u32 page;
	__u8 wrote;
	int dmabuf;
	int fd;
	__u32 handle;
	__u8 *map;
	__u64 frames[PAGES];
};

/**
 * struct role - a way of having a buffer; a party of each is there
 * @take: come to have it
 * @check: whether it is what it was, our device being there or gone
 * @give_up: one thing after the other, without exiting
 * @module: that is needed for it, if that is not the buffer's own or ours
 *
 * The functions return 0 or a negative errno.
 */
struct role {
	int (*take)(struct share *share);
	int (*check)(struct share *share, bool gone);
	int (*give_up)(struct share *share);
	const char *module;
};

static inline int check_memory(struct share *share, bool gone)
{
	volatile __u8 *mine = share->map + share->page * 4096;

	if (span(share->map + LAST_PAGE, CONTENTS, 4096) != 4096 ||
	    *mine != share->wrote)
		return -EILSEQ;
	*mine = ++share->wrote;
	return 0;
}

static inline int unmap(struct share *share)
{
	return munmap(share->map, SHARED_SIZE) ? -errno : 0;
}

/* A client of ours that has made it */
static inline int owner_take(struct share *share)
{
	struct accel_bo_create bo;
	int ret;

	share->fd = accel_open();
	ret = share->fd < 0 ? share->fd :
	      bo_create(share->fd, 0, SHARED_SIZE, &bo);
	if (ret)
		return ret;
	share->handle = bo.id;
	share->map = bo_map(share->fd, &bo);
	if (share->map == MAP_FAILED)
		return -errno;
	memset(share->map + LAST_PAGE, CONTENTS, 4096);
	share->dmabuf = bo_export(share->fd, bo.id, ACCEL_EXPORT_WRITE);
	return share->dmabuf < 0 ? share->dmabuf : 0;
}

static inline int client_check(struct share *share, bool gone)
{
	struct accel_bo_info info;

	if (bo_info(share->fd, share->handle, &info) != (gone ? -ENODEV : 0))
		return -EPROTO;
	return check_memory(share, gone);
}

static inline int client_give_up(struct share *share)
{
	return unmap(share) ?: destroy(share->fd, share->handle) ?:
	       close(share->fd);
}

/* The other side, which has made it */
static inline int foreign_take(struct share *share)
{
	int ret;

	share->fd = share->make == foreign_mock ? test_open() : -1;
	ret = foreign_make(share->make, share->fd, &share->foreign);
	if (ret)
		return ret;
	share->map = share->foreign.map;
	memset(share->map + LAST_PAGE, CONTENTS, 4096);
	share->dmabuf = share->foreign.dmabuf;
	share->foreign.dmabuf = -1;
	return 0;
}

static inline int foreign_give_up(struct share *share)
{
	foreign_free(&share->foreign);
	return share->fd < 0 ? 0 : close(share->fd);
}

/* A client that has got it from somebody, and has a job that does not end use it */
static inline int client_take(struct share *share)
{
	struct test_job job = job_hang();
	struct accel_queue_create queue;
	struct accel_query_device dev;
	struct accel_bo_import import;
	__u64 point;
	int ret;

	share->fd = accel_open();
	ret = share->fd < 0 ? share->fd :
	      bo_import(share->fd, share->dmabuf, &import);
	if (ret)
		return ret;
	share->handle = import.id;
	share->map = map_shared(share->fd, import.mmap_offset);
	if (share->map == MAP_FAILED)
		return -errno;
	job_bo(&job, import.id, ACCEL_BO_WRITE);
	return query_device(share->fd, &dev) ?:
	       queue_create(share->fd, 0, dev.timeout_max_ms, &queue) ?:
	       submit_one(share->fd, queue.id, &job, &point);
}

/* A process that has the dma-buf and nothing else */
static inline int process_take(struct share *share)
{
	share->map = map_shared(share->dmabuf, 0);
	if (share->map == MAP_FAILED)
		return -errno;
	share->fd = dup(share->dmabuf);
	return share->fd < 0 ? -errno : 0;
}

static inline int process_give_up(struct share *share)
{
	return unmap(share) ?: close(share->fd);
}

/* A device that has it mapped, and by nothing else keeps it */
static inline int device_take(struct share *share)
{
	struct dmabuf_test_dma dma = { };
	int ret;

	share->fd = test_open();
	ret = share->fd < 0 ? share->fd :
	      test_import(share->fd, share->dmabuf,
			  DMABUF_TEST_STATIC | DMABUF_TEST_WRITE);
	if (ret < 0)
		return ret;
	share->handle = ret;
	return test_dma(share->fd, share->handle, &dma) ?:
	       test_frames(share->fd, DMABUF_TEST_OF_IMPORT, share->handle,
			   share->frames);
}

static inline int device_check(struct share *share, bool gone)
{
	__u64 frames[PAGES];
	int ret;

	ret = test_frames(share->fd, DMABUF_TEST_OF_IMPORT, share->handle,
			  frames);
	if (ret)
		return ret;
	return memcmp(frames, share->frames, sizeof(frames)) ? -EXDEV : 0;
}

static inline int device_give_up(struct share *share)
{
	return test_release(share->fd, share->handle) ?: close(share->fd);
}

/* Somebody else's driver that has it under a name of its own */
static inline int vgem_take(struct share *share)
{
	share->fd = drm_open("vgem", "vgem");
	if (share->fd < 0)
		return share->fd;
	return drm_from_fd(share->fd, share->dmabuf, &share->handle);
}

static inline int vgem_check(struct share *share, bool gone)
{
	int ret, dmabuf = drm_to_fd(share->fd, share->handle);

	if (dmabuf < 0)
		return dmabuf;
	share->map = map_shared(dmabuf, 0);
	close(dmabuf);
	if (share->map == MAP_FAILED)
		return -ENOMEM;
	ret = check_memory(share, gone);
	return unmap(share) ?: ret;
}

static inline int vgem_give_up(struct share *share)
{
	struct drm_gem_close gem = { .handle = share->handle };

	return accel_ioctl(share->fd, DRM_IOCTL_GEM_CLOSE, &gem) ?:
	       close(share->fd);
}

static const struct role owner = { owner_take, client_check, client_give_up };
static const struct role client = { client_take, client_check, client_give_up };
static const struct role maker = { foreign_take, check_memory, foreign_give_up };
static const struct role process = { process_take, check_memory, process_give_up };

static const struct role device = {
	device_take, device_check, device_give_up, "accel_dmabuf_test",
};

static const struct role vgem = {
	vgem_take, vgem_check, vgem_give_up, "vgem",
};

#endif /* SELFTESTS_ACCEL_SHARE_ROLE_H */
