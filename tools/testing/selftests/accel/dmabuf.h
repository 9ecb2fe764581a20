/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of dma-bufs share. */
#ifndef SELFTESTS_ACCEL_DMABUF_H
#define SELFTESTS_ACCEL_DMABUF_H

#include "accel_test.h"

#include <linux/dma-buf.h>
#include <poll.h>

#define PAGE		4096

static inline void *dma_buf_map(int dma_buf, size_t length, int prot)
{
	return mmap(NULL, length, prot, MAP_SHARED, dma_buf, 0);
}

static inline void *import_map(int fd, const struct accel_bo_import *import,
			       int prot)
{
	return mmap(NULL, import->length, prot, MAP_SHARED, fd,
		    import->mmap_offset);
}

/* An access of the CPU, as whoever shares memory with a device makes it. */
static inline int dma_buf_sync(int dma_buf, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return accel_ioctl(dma_buf, DMA_BUF_IOCTL_SYNC, &sync);
}

static inline bool dma_buf_is_idle_within(int dma_buf, short events, int ms)
{
	struct pollfd fd = { .fd = dma_buf, .events = events };

	return poll(&fd, 1, ms) == 1 && fd.revents == events;
}

/* Whether nobody writes, with POLLIN, or uses the memory at all, with POLLOUT. */
static inline bool dma_buf_is_idle(int dma_buf, short events)
{
	return dma_buf_is_idle_within(dma_buf, events, 0);
}

/* The same, now or soon: poll() hears of a job's end after its point is reached. */
static inline bool dma_buf_becomes_idle(int dma_buf, short events)
{
	return dma_buf_is_idle_within(dma_buf, events, WAIT_MS);
}

/* Returns a sync_file with the fences that a user of the memory waits for. */
static inline int dma_buf_export_fence(int dma_buf, __u32 flags)
{
	struct dma_buf_export_sync_file arg = { .flags = flags, .fd = -1 };
	int ret = accel_ioctl(dma_buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &arg);

	return ret ? ret : arg.fd;
}

static inline int dma_buf_import_fence(int dma_buf, __u32 flags, int sync_file)
{
	struct dma_buf_import_sync_file arg = {
		.flags = flags,
		.fd = sync_file,
	};

	return accel_ioctl(dma_buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &arg);
}

static inline bool sync_file_is_signalled(int sync_file)
{
	return dma_buf_is_idle(sync_file, POLLIN);
}

/* Has a job, on a queue made for it, fill the buffer from one end to the other. */
static inline int run_fill(int fd, __u32 id, __u64 length, __u8 value)
{
	struct test_job job = job_fill(id, 0, length, value * 0x01010101U);
	struct accel_queue_create queue;
	int ret;

	ret = queue_create(fd, 0, 0, &queue);
	if (ret)
		return ret;
	ret = job_run(fd, &queue, &job);
	return destroy(fd, queue.id) ?: destroy(fd, queue.timeline) ?: ret;
}

#define RACERS		4
#define RACE_ROUNDS	200

/**
 * struct racer - a thread that does the same as others at the same time
 * @fd: an open file, of all of them
 * @dma_buf: imported and destroyed, RACE_ROUNDS times; or if there is none
 * @id: exported and closed
 * @failed: how often that was no success
 */
struct racer {
	int fd;
	int dma_buf;
	__u32 id;
	unsigned int failed;
};

static inline void *race(void *arg)
{
	struct accel_bo_import import;
	struct racer *racer = arg;
	int i, ret;

	for (i = 0; i < RACE_ROUNDS; i++) {
		if (racer->dma_buf >= 0) {
			ret = bo_import(racer->fd, racer->dma_buf, &import) ?:
			      destroy(racer->fd, import.id);
		} else {
			ret = bo_export(racer->fd, racer->id, 0);
			if (ret >= 0)
				ret = close(ret);
		}
		racer->failed += !!ret;
	}
	return NULL;
}

/* Returns how many of the rounds failed, all threads together. */
static inline int run_race(struct racer racer)
{
	struct racer racers[RACERS];
	pthread_t threads[RACERS];
	int i, failed = 0;

	for (i = 0; i < RACERS; i++) {
		racers[i] = racer;
		if (pthread_create(&threads[i], NULL, race, &racers[i]))
			return -EAGAIN;
	}
	for (i = 0; i < RACERS; i++) {
		pthread_join(threads[i], NULL);
		failed += racers[i].failed;
	}
	tally(RACERS * RACE_ROUNDS, "races for a dma-buf");
	return failed;
}

#endif /* SELFTESTS_ACCEL_DMABUF_H */
