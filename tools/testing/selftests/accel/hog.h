/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client that keeps all it can get, and each way there is to get something. As in
 * accel_test.h, helpers return 0 or a negative errno.
 */
#ifndef SELFTESTS_ACCEL_HOG_H
#define SELFTESTS_ACCEL_HOG_H

#include "unplug.h"

#include <sys/eventfd.h>

/* As long as vaccel lets a job hang. */
#define HOG_TIMEOUT_MS	60000

/* A client for the allocators to work with: they keep all that they make. */
struct hog {
	int fd;
	struct accel_queue_create queue;
	__u32 timeline;
	__u64 promised;
	__u32 bo;
	__u64 mmap_offset;
	int dma_buf;
};

static inline int hog_open(struct hog *hog)
{
	struct accel_bo_create bo;
	int ret;

	hog->promised = 0;
	hog->fd = accel_open();
	if (hog->fd < 0)
		return hog->fd;
	ret = queue_create(hog->fd, 0, HOG_TIMEOUT_MS, &hog->queue) ?:
	      timeline_create(hog->fd, 0, &hog->timeline) ?:
	      bo_create(hog->fd, 0, 4096, &bo);
	hog->bo = bo.id;
	hog->mmap_offset = bo.mmap_offset;
	if (ret)
		return ret;
	hog->dma_buf = bo_export(hog->fd, bo.id, 0);
	return hog->dma_buf < 0 ? hog->dma_buf : 0;
}

/* The queue is full, or so is the file with queues. */
static inline int hog_next_queue(struct hog *hog)
{
	int ret = queue_create(hog->fd, 0, HOG_TIMEOUT_MS, &hog->queue);

	return ret == -ENOSPC ? hog_open(hog) : ret;
}

static inline int alloc_file(struct hog *hog)
{
	int fd = accel_open();

	return fd < 0 ? fd : 0;
}

static inline int alloc_buffer(struct hog *hog)
{
	struct accel_bo_create bo;

	return bo_create(hog->fd, 0, 4096, &bo);
}

static inline int alloc_pages(struct hog *hog)
{
	struct accel_bo_create bo;
	__u8 *map;
	int ret, signal;

	ret = bo_create(hog->fd, 0, 65536, &bo);
	if (ret)
		return ret;
	map = bo_map(hog->fd, &bo);
	if (map == MAP_FAILED)
		return -errno;
	signal = touch(map, 1);
	munmap(map, bo.length);
	return signal ? -ENOMEM : 0;
}

static inline int alloc_mapping(struct hog *hog)
{
	struct accel_bo_create bo = {
		.length = 4096,
		.mmap_offset = hog->mmap_offset,
	};

	/* All of the same page, so that none continues another. */
	return bo_map(hog->fd, &bo) == MAP_FAILED ? -errno : 0;
}

/* A buffer has so many ids only. */
static inline int alloc_id(struct hog *hog)
{
	struct accel_bo_import import;
	int ret = bo_import(hog->fd, hog->dma_buf, &import);

	return ret == -ENOSPC ? hog_open(hog) : ret;
}

/* A page, which is there from then on, the buffer and the file. */
static inline int alloc_export(struct hog *hog)
{
	struct accel_bo_create bo;
	int ret = bo_create(hog->fd, 0, 4096, &bo);

	if (ret)
		return ret;
	ret = bo_export(hog->fd, bo.id, 0);
	return ret < 0 ? ret : 0;
}

/* An open file has so many of them only. */
static inline int alloc_queue(struct hog *hog)
{
	struct accel_queue_create queue;
	int ret = queue_create(hog->fd, 0, 0, &queue);

	if (ret != -ENOSPC)
		return ret;
	return hog_open(hog);
}

static inline int alloc_timeline(struct hog *hog)
{
	__u32 id;

	return timeline_create(hog->fd, 0, &id);
}

/* One more id for the same; the descriptor need not stay. */
static inline int alloc_timeline_id(struct hog *hog)
{
	int ret, fd = timeline_export(hog->fd, hog->timeline, 0);
	__u32 id;

	if (fd < 0)
		return fd;
	ret = timeline_import(hog->fd, fd, &id);
	close(fd);
	return ret;
}

/* An id waits with so many of them only. */
static inline int alloc_eventfd(struct hog *hog)
{
	static int event = -1;
	int ret;

	if (event < 0)
		event = eventfd(0, EFD_CLOEXEC);
	ret = eventfd_export(hog->fd, hog->timeline, UINT64_MAX, event);
	if (ret != -ENOSPC)
		return ret;
	return timeline_create(hog->fd, 0, &hog->timeline);
}

static inline int alloc_fence(struct hog *hog)
{
	int sync = sync_file_export(hog->fd, hog->timeline, 0);

	return sync < 0 ? sync : 0;
}

/* With as many waits, signals and buffers as the helpers make. */
static inline int alloc_job(struct hog *hog, bool promise)
{
	struct test_job job = job_nop();
	__u64 point;
	int i, ret;

	for (i = 0; i < JOB_ARRAY_MAX; i++)
		job_wait(&job, hog->timeline, UINT64_MAX);
	if (promise)
		job_signal(&job, hog->timeline, ++hog->promised);
	ret = submit_one(hog->fd, hog->queue.id, &job, &point);
	if (ret != -EAGAIN)
		return ret;
	return hog_next_queue(hog);
}

static inline int alloc_held_job(struct hog *hog)
{
	return alloc_job(hog, false);
}

static inline int alloc_promise(struct hog *hog)
{
	return alloc_job(hog, true);
}

/* The first does not end; the others wait for it because of their buffer. */
static inline int alloc_queued_job(struct hog *hog)
{
	struct test_job job = job_hang();
	__u64 point;
	int ret;

	job_bo(&job, hog->bo, ACCEL_BO_WRITE);
	ret = submit_one(hog->fd, hog->queue.id, &job, &point);
	if (ret != -EAGAIN)
		return ret;
	return hog_next_queue(hog);
}

struct thread_wait {
	int fd;
	__u32 timeline;
};

static inline void *wait_for_many(void *arg)
{
	struct thread_wait *w = arg;
	struct accel_timeline_wait wait;
	struct accel_point points[64];
	int i;

	for (i = 0; i < 64; i++)
		points[i] = (struct accel_point) {
			.timeline = w->timeline,
			.value = UINT64_MAX,
		};
	timeline_wait(w->fd, points, 64, ACCEL_WAIT_ALL, INT64_MAX, NULL, &wait);
	return NULL;
}

static inline int alloc_wait(struct hog *hog)
{
	struct thread_wait *w = malloc(sizeof(*w));
	pthread_t thread;

	*w = (struct thread_wait) { .fd = hog->fd, .timeline = hog->timeline };
	return -pthread_create(&thread, NULL, wait_for_many, w);
}

/* @bytes: what each takes at the very least */
static const struct allocator {
	const char *name;
	int (*alloc)(struct hog *hog);
	unsigned int count;
	unsigned int bytes;
} allocators[] = {
	{ "open files", alloc_file, 800, 400 },
	{ "buffers", alloc_buffer, 1500, 1000 },
	{ "pages of buffers", alloc_pages, 50, 65536 },
	{ "mappings", alloc_mapping, 2000, 128 },
	{ "ids of a buffer", alloc_id, 1500, 96 },
	{ "dma-bufs", alloc_export, 500, 4096 + 1000 + 400 },
	{ "queues", alloc_queue, 240, 2000 },
	{ "timelines", alloc_timeline, 1500, 1500 },
	{ "ids of a timeline", alloc_timeline_id, 12000, 96 },
	{ "eventfds", alloc_eventfd, 6000, 96 },
	{ "fences of points", alloc_fence, 800, 128 + 400 },
	{ "held jobs", alloc_held_job, 1000, 1000 },
	{ "promises", alloc_promise, 1000, 1000 },
	{ "queued jobs", alloc_queued_job, 1500, 500 },
};

#endif /* SELFTESTS_ACCEL_HOG_H */
