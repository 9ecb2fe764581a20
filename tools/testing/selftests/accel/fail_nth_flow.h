/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows of the fail_nth_*_test programs, each a test of its own: what clients do,
 * call after call, with everything in it that can fail.
 */
#ifndef SELFTESTS_ACCEL_FAIL_NTH_FLOW_H
#define SELFTESTS_ACCEL_FAIL_NTH_FLOW_H

#include "fail_nth.h"

#define PAGE		4096

FIXTURE(flow)
{
	struct fail_nth f;
};

FIXTURE_VARIANT(flow)
{
	fail_nth_flow *run;
	bool (*is_possible)(void);
	bool gives_up;
	unsigned int step;
};

FIXTURE_SETUP(flow)
{
	if (fail_nth_is_missing(_metadata, &self->f))
		SKIP(return, FAIL_NTH_MISSING);
	if (variant->is_possible && !variant->is_possible())
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
}

FIXTURE_TEARDOWN(flow)
{
	fail_nth_disarm(&self->f);
	EXPECT_EQ(0, census_total());
}

TEST_F_TIMEOUT(flow, every_site, FAIL_NTH_TEST_S)
{
	self->f.step = variant->step;
	if (variant->gives_up) {
		self->f.gives_up = true;
		fail_nth_series(_metadata, &self->f, variant->run);
	} else {
		fail_nth_run(_metadata, &self->f, variant->run);
	}
	tally(1, "fail-nth flows");
}

/* The device's longest: no hang is to end by its timeout. */
#define LONG_TIMEOUT_MS	60000

static inline int map_errno(int fd, const struct accel_bo_create *bo, void **map)
{
	*map = bo_map(fd, bo);
	return *map == MAP_FAILED ? -errno : 0;
}

static inline int unmap_errno(void *map, size_t length)
{
	return munmap(map, length) ? -errno : 0;
}

static inline int dup_errno(int fd)
{
	int copy = dup(fd);

	return copy < 0 ? -errno : copy;
}

static inline int fork_errno(void)
{
	pid_t pid = fork();

	return pid < 0 ? -errno : pid;
}

/*
 * Submits jobs whose points are to be @first and up, and what a failure has kept
 * out once more. How many were accepted is for the queue to know: after EFAULT
 * the client could not be told.
 */
static inline void try_submit(struct __test_metadata *_metadata,
			      struct fail_nth *f, int fd, __u32 queue,
			      const struct accel_submit_job *jobs, __u32 count,
			      __u64 first)
{
	struct accel_queue_info info;
	struct accel_submit sub;
	__u32 done;
	int ret;

	ret = submit(fd, queue, jobs, count, &sub);
	if (!ret) {
		ASSERT_EQ(first, sub.first_point);
		if (sub.accepted == count) {
			ASSERT_EQ(0, sub.stop_error);
			return;
		}
		ASSERT_LT(0, sub.accepted);
		ASSERT_TRUE(fail_nth_excuses(f, sub.stop_error));
	} else {
		ASSERT_TRUE(fail_nth_excuses(f, ret)) {
			TH_LOG("site %u: %s", f->site, strerror(-ret));
		}
	}

	ASSERT_EQ(0, queue_info(fd, queue, &info));
	done = info.submitted + 1 - first;
	if (ret != -EFAULT)
		ASSERT_EQ(ret ? 0 : sub.accepted, done);
	ASSERT_GE(count, done);
	if (done == count)
		return;
	ASSERT_EQ(0, submit(fd, queue, jobs + done, count - done, &sub));
	ASSERT_EQ(first + done, sub.first_point);
	ASSERT_EQ(count - done, sub.accepted);
}

static inline void try_submit_one(struct __test_metadata *_metadata,
				  struct fail_nth *f, int fd, __u32 queue,
				  const struct test_job *job, __u64 point)
{
	struct accel_submit_job uapi = job_uapi(job);

	try_submit(_metadata, f, fd, queue, &uapi, 1, point);
}

static inline void try_wait(struct __test_metadata *_metadata,
			    struct fail_nth *f, int fd, __u32 timeline,
			    __u64 point, int expected)
{
	__s32 status = INT_MAX;

	TRY(f, point_wait_until(fd, timeline, point, deadline_ms(WAIT_MS),
				&status));
	ASSERT_EQ(expected, status) {
		TH_LOG("site %u: point %llu", f->site,
		       (unsigned long long)point);
	}
}

/* For TRY(): 0 if that is the point's status now. */
static inline int check_status(int fd, __u32 timeline, __u64 point,
			       int expected)
{
	struct accel_timeline_query query;
	int ret;

	ret = timeline_query(fd, timeline, point, &query);
	if (ret)
		return ret;
	return query.status == expected ? 0 : -EPROTO;
}

#endif /* SELFTESTS_ACCEL_FAIL_NTH_FLOW_H */
