/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A client that keeps all it can get, and each way there is to get something. As in
 * accel_test.h, helpers return 0 or a negative errno: ENODEV if nobody is there whom
 * they need for it.
 */
#ifndef SELFTESTS_ACCEL_HOG_H
#define SELFTESTS_ACCEL_HOG_H

#include "interop.h"
#include "pins.h"
#include "sync.h"
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

/* In memory that was the device's all along: what is charged is the buffer. */
static inline int alloc_local(struct hog *hog)
{
	struct accel_bo_create bo;

	return bo_create(hog->fd, ACCEL_VACCEL_REGION_LOCAL, 4096, &bo);
}

/* All of the same page, which was this process's all along. */
static inline int alloc_userptr(struct hog *hog)
{
	static _Alignas(4096) __u8 page[4096];
	__u32 id;

	return bo_userptr(hog->fd, page, sizeof(page), ACCEL_USERPTR_WRITE, &id);
}

/* A dma-buf of the test module's, which charges it as well. */
static inline int foreign_page(void)
{
	struct dmabuf_test_export export = { .pages = 1 };
	static int test = -1;

	if (test < 0)
		test = test_open();
	return test < 0 ? test : accel_ioctl(test, DMABUF_TEST_EXPORT, &export);
}

static inline int alloc_foreign(struct hog *hog)
{
	int fd = foreign_page();

	return fd < 0 ? fd : 0;
}

/* The descriptor need not stay. */
static inline int alloc_import(struct hog *hog)
{
	struct accel_bo_import import;
	int ret, fd = foreign_page();

	if (fd < 0)
		return fd;
	ret = bo_import(hog->fd, fd, &import);
	close(fd);
	return ret;
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

/* Of somebody else's fence, which does not signal: a sync_file that stays. */
static inline int foreign_fence(void)
{
	static int fence = -1;
	int line;

	if (fence >= 0)
		return fence;
	line = sw_sync_open();
	if (line < 0)
		return -ENODEV;
	fence = sw_sync_fence(line, 1);
	return fence;
}

/* On a timeline, so many of them only are promised. */
static inline int alloc_fence_import(struct hog *hog)
{
	int ret, fence = foreign_fence();

	if (fence < 0)
		return fence;
	ret = sync_file_import(hog->fd, fence, hog->timeline, ++hog->promised);
	if (ret != -EAGAIN)
		return ret;
	return timeline_create(hog->fd, 0, &hog->timeline);
}

/* It is not held: whoever publishes a fence has promised that it signals. */
static inline int alloc_job_of_fence(struct hog *hog)
{
	int i, ret, fence = foreign_fence();
	struct test_job job = job_nop();
	__u64 point;

	if (fence < 0)
		return fence;
	for (i = 0; i < JOB_ARRAY_MAX; i++)
		job_wait_sync_file(&job, fence);
	ret = submit_one(hog->fd, hog->queue.id, &job, &point);
	return ret == -EAGAIN ? hog_next_queue(hog) : ret;
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
	__u32 count;
	pid_t tid;
};

static inline void *wait_for_points(void *arg)
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
	__atomic_store_n(&w->tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	timeline_wait(w->fd, points, w->count, ACCEL_WAIT_ALL, INT64_MAX, NULL,
		      &wait);
	return NULL;
}

/* When this returns, the thread sleeps. */
static inline int start_wait(struct hog *hog, __u32 count)
{
	struct thread_wait *w = malloc(sizeof(*w));
	pthread_attr_t attr;
	pthread_t thread;
	int ret;

	*w = (struct thread_wait) {
		.fd = hog->fd,
		.timeline = hog->timeline,
		.count = count,
	};
	pthread_attr_init(&attr);
	/* There are to be many, in a small address space too. */
	pthread_attr_setstacksize(&attr, 65536);
	ret = -pthread_create(&thread, &attr, wait_for_points, w);
	pthread_attr_destroy(&attr);
	if (ret)
		return ret;
	while (!__atomic_load_n(&w->tid, __ATOMIC_SEQ_CST))
		sched_yield();
	return wait_asleep(w->tid);
}

/* For one point, the thread is all that it takes. */
static inline int alloc_thread(struct hog *hog)
{
	return start_wait(hog, 1);
}

static inline int alloc_wait(struct hog *hog)
{
	return start_wait(hog, 64);
}

/**
 * struct allocator - a way to have the kernel allocate
 * @name: what is allocated
 * @alloc: does it once
 * @count: so often
 * @bytes: what each takes at the very least
 * @besides: does that of it which is not counted, if there is something
 */
static const struct allocator {
	const char *name;
	int (*alloc)(struct hog *hog);
	unsigned int count;
	unsigned int bytes;
	int (*besides)(struct hog *hog);
} allocators[] = {
	{ "open files", alloc_file, 800, 400 },
	{ "buffers", alloc_buffer, 1500, 1000 },
	{ "buffers of the device's", alloc_local, 1500, 900 },
	{ "buffers of the user's", alloc_userptr, 1500, 900 },
	{ "buffers of others", alloc_import, 1000, 900, alloc_foreign },
	{ "pages of buffers", alloc_pages, 50, 65536 },
	{ "mappings", alloc_mapping, 2000, 128 },
	{ "ids of a buffer", alloc_id, 1500, 96 },
	{ "dma-bufs", alloc_export, 500, 4096 + 1000 + 400 },
	{ "queues", alloc_queue, 240, 2000 },
	{ "timelines", alloc_timeline, 1500, 1500 },
	{ "ids of a timeline", alloc_timeline_id, 12000, 96 },
	{ "eventfds", alloc_eventfd, 6000, 96 },
	{ "fences of points", alloc_fence, 800, 128 + 400 },
	{ "points of fences", alloc_fence_import, 6000, 128 },
	{ "held jobs", alloc_held_job, 1000, 1000 },
	{ "promises", alloc_promise, 1000, 1000 },
	{ "jobs that wait for fences", alloc_job_of_fence, 1500, 1000 },
	{ "queued jobs", alloc_queued_job, 1500, 500 },
	{ "waits", alloc_wait, 400, 3000, alloc_thread },
};

#endif /* SELFTESTS_ACCEL_HOG_H */
