/* SPDX-License-Identifier: GPL-2.0-only */
/* A client that has everything in flight, for tests that end it somehow. */
#ifndef SELFTESTS_ACCEL_BUSY_H
#define SELFTESTS_ACCEL_BUSY_H

#include "accel_test.h"

/* A client with a job of every kind; for use in children, so it only tells. */
struct busy {
	struct accel_queue_create running, pending, held, other;
	struct accel_bo_create bo, mapped;
	__u32 timeline;
	__u32 *map;
};

static inline int busy_create(int fd, __u32 timeout_ms, struct busy *b)
{
	return queue_create(fd, 0, timeout_ms, &b->running) ?:
	       queue_create(fd, 0, timeout_ms, &b->pending) ?:
	       queue_create(fd, 1, timeout_ms, &b->held) ?:
	       queue_create(fd, 1, timeout_ms, &b->other) ?:
	       bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM, 65536, &b->bo) ?:
	       bo_create(fd, ACCEL_VACCEL_REGION_LOCAL, 65536, &b->mapped) ?:
	       timeline_create(fd, 0, &b->timeline);
}

/* Gives every queue something: a hang, what waits for it, what is held. */
static inline int busy_submit(int fd, const struct busy *b)
{
	struct test_job hang = job_hang(), held = job_nop(), copy, fill;
	__u64 point;

	job_bo(&hang, b->bo.id, ACCEL_BO_WRITE);
	job_signal(&hang, b->timeline, 10);
	fill = job_fill(b->mapped.id, 0, 65536, 7);
	copy = job_copy(b->bo.id, 0, b->mapped.id, 0, 65536);
	job_wait(&held, b->timeline, 1000);
	job_bo(&held, b->bo.id, ACCEL_BO_READ);
	return submit_one(fd, b->running.id, &hang, &point) ?:
	       submit_one(fd, b->running.id, &fill, &point) ?:
	       submit_one(fd, b->pending.id, &copy, &point) ?:
	       submit_one(fd, b->held.id, &held, &point) ?:
	       submit_nop(fd, b->held.id, &point) ?:
	       submit_one(fd, b->other.id, &copy, &point) ?:
	       submit_one(fd, b->other.id, &held, &point);
}

static inline int busy_start(int fd, __u32 timeout_ms, struct busy *b)
{
	int ret;

	ret = busy_create(fd, timeout_ms, b);
	if (ret)
		return ret;
	b->map = bo_map(fd, &b->mapped);
	if (b->map == MAP_FAILED)
		return -errno;
	b->map[0] = 1;
	return busy_submit(fd, b);
}

#endif /* SELFTESTS_ACCEL_BUSY_H */
