/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls as functions, and the time that their deadlines are in. As in
 * accel_test.h, which includes this, they return 0 or a negative errno unless they
 * say otherwise.
 */
#ifndef SELFTESTS_ACCEL_IOCTL_H
#define SELFTESTS_ACCEL_IOCTL_H

#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <linux/accel.h>

/* How long a wait may take that must succeed: only a broken kernel needs it. */
#define WAIT_MS		10000

static inline __u64 ptr_to_u64(const void *ptr)
{
	return (uintptr_t)ptr;
}

static inline __s64 now_ns(void)
{
	struct timespec ts;

	/* A system call where the vDSO has no clock, and fail-nth may choose it. */
	while (clock_gettime(CLOCK_MONOTONIC, &ts))
		;
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static inline __s64 deadline_ms(unsigned int ms)
{
	return now_ns() + ms * 1000000LL;
}

static inline int accel_ioctl(int fd, unsigned int cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline int query_device(int fd, struct accel_query_device *dev)
{
	struct accel_query query = {
		.size = sizeof(query),
		.topic = ACCEL_QUERY_DEVICE,
		.data_ptr = ptr_to_u64(dev),
		.data_size = sizeof(*dev),
	};

	return accel_ioctl(fd, ACCEL_IOCTL_QUERY, &query);
}

static inline int destroy(int fd, __u32 id)
{
	struct accel_destroy arg = { .size = sizeof(arg), .id = id };

	return accel_ioctl(fd, ACCEL_IOCTL_DESTROY, &arg);
}

static inline int bo_create(int fd, __u32 region, __u64 length,
			    struct accel_bo_create *bo)
{
	*bo = (struct accel_bo_create) {
		.size = sizeof(*bo),
		.region = region,
		.length = length,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_BO_CREATE, bo);
}

static inline void *bo_map(int fd, const struct accel_bo_create *bo)
{
	return mmap(NULL, bo->length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    bo->mmap_offset);
}

static inline int bo_info(int fd, __u32 id, struct accel_bo_info *info)
{
	*info = (struct accel_bo_info) { .size = sizeof(*info), .id = id };
	return accel_ioctl(fd, ACCEL_IOCTL_BO_INFO, info);
}

/* Returns a dma-buf. */
static inline int bo_export(int fd, __u32 id, __u32 flags)
{
	struct accel_bo_export export = {
		.size = sizeof(export),
		.id = id,
		.flags = flags,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_BO_EXPORT, &export);

	return ret ? ret : export.fd;
}

static inline int bo_import(int fd, int dma_buf, struct accel_bo_import *import)
{
	*import = (struct accel_bo_import) {
		.size = sizeof(*import),
		.fd = dma_buf,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_BO_IMPORT, import);
}

static inline int bo_sync(int fd, __u32 id, __u32 flags, __s64 deadline_ns)
{
	struct accel_bo_sync sync = {
		.size = sizeof(sync),
		.id = id,
		.flags = flags,
		.deadline_ns = deadline_ns,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_BO_SYNC, &sync);
}

static inline int bo_advise(int fd, __u32 id, __u32 advice, __u32 *retained)
{
	struct accel_bo_advise advise = {
		.size = sizeof(advise),
		.id = id,
		.advice = advice,
		.retained = ~0U,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_BO_ADVISE, &advise);

	*retained = advise.retained;
	return ret;
}

static inline int queue_create(int fd, __u32 engine, __u32 timeout_ms,
			       struct accel_queue_create *queue)
{
	*queue = (struct accel_queue_create) {
		.size = sizeof(*queue),
		.engine = engine,
		.timeout_ms = timeout_ms,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_CREATE, queue);
}

static inline int queue_info(int fd, __u32 id, struct accel_queue_info *info)
{
	*info = (struct accel_queue_info) { .size = sizeof(*info), .id = id };
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_INFO, info);
}

static inline int timeline_create(int fd, __u64 value, __u32 *id)
{
	struct accel_timeline_create timeline = {
		.size = sizeof(timeline),
		.value = value,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_CREATE, &timeline);

	*id = timeline.id;
	return ret;
}

static inline int timeline_signal(int fd, __u32 id, __u64 value)
{
	struct accel_timeline_signal signal = {
		.size = sizeof(signal),
		.id = id,
		.value = value,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_SIGNAL, &signal);
}

static inline int timeline_query(int fd, __u32 id, __u64 value,
				 struct accel_timeline_query *query)
{
	*query = (struct accel_timeline_query) {
		.size = sizeof(*query),
		.id = id,
		.value = value,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_QUERY, query);
}

static inline int timeline_wait(int fd, const struct accel_point *points,
				__u32 count, __u32 flags, __s64 deadline_ns,
				__s32 *statuses,
				struct accel_timeline_wait *wait)
{
	*wait = (struct accel_timeline_wait) {
		.size = sizeof(*wait),
		.flags = flags,
		.points_ptr = ptr_to_u64(points),
		.count = count,
		.stride = sizeof(*points),
		.deadline_ns = deadline_ns,
		.statuses_ptr = ptr_to_u64(statuses),
	};
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_WAIT, wait);
}

/* Returns a sync_file for a point, or a negative errno. */
static inline int sync_file_export(int fd, __u32 id, __u64 value)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = id,
		.value = value,
		.type = ACCEL_FD_SYNC_FILE,
		.fd = -1,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, &export);

	return ret ? ret : export.fd;
}

/* Has a point reached by a sync_file. */
static inline int sync_file_import(int fd, int sync, __u32 id, __u64 value)
{
	struct accel_timeline_import import = {
		.size = sizeof(import),
		.type = ACCEL_FD_SYNC_FILE,
		.fd = sync,
		.value = value,
		.id = id,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_IMPORT, &import);
}

static inline int eventfd_export(int fd, __u32 id, __u64 value, int event)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = id,
		.value = value,
		.type = ACCEL_FD_EVENTFD,
		.fd = event,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, &export);
}

/* Returns a file descriptor for the timeline, or a negative errno. */
static inline int timeline_export(int fd, __u32 id, __u32 flags)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = id,
		.type = ACCEL_FD_TIMELINE,
		.flags = flags,
		.fd = -1,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, &export);

	return ret ? ret : export.fd;
}

static inline int timeline_import(int fd, int timeline, __u32 *id)
{
	struct accel_timeline_import import = {
		.size = sizeof(import),
		.type = ACCEL_FD_TIMELINE,
		.fd = timeline,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_IMPORT, &import);

	*id = import.id;
	return ret;
}

static inline int point_wait_until(int fd, __u32 timeline, __u64 value,
				   __s64 deadline_ns, __s32 *status)
{
	struct accel_point point = { .timeline = timeline, .value = value };
	struct accel_timeline_wait wait;
	int ret;

	ret = timeline_wait(fd, &point, 1, 0, deadline_ns, NULL, &wait);
	*status = wait.status;
	return ret;
}

/* The status of a point now; where the query fails, no status: above 4095. */
static inline int point_status(int fd, __u32 timeline, __u64 value)
{
	struct accel_timeline_query query;
	int ret = timeline_query(fd, timeline, value, &query);

	return ret ? 4096 - ret : query.status;
}

#endif /* SELFTESTS_ACCEL_IOCTL_H */
