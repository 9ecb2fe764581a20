// SPDX-License-Identifier: GPL-2.0-only
/* Flows of clients that make, use, share and destroy objects. */
#include "fail_nth_flow.h"

#include <sys/socket.h>

/* The shortest way to a result. */
static void job_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job job;
	void *map;
	int fd;

	fail_nth_arm(f);
	fd = TRY(f, accel_open());
	TRY(f, bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM, 2 * PAGE, &bo));
	TRY(f, queue_create(fd, 0, 0, &queue));
	ASSERT_EQ(1, bo.id);
	ASSERT_EQ(2, queue.id);
	ASSERT_EQ(3, queue.timeline);
	job = job_fill(bo.id, 0, PAGE, 0x5a5a5a5a);
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	try_wait(_metadata, f, fd, queue.timeline, 1, 0);
	TRY(f, map_errno(fd, &bo, &map));
	EXPECT_EQ(PAGE, span(map, 0x5a, 2 * PAGE));
	EXPECT_EQ(PAGE, span(map + PAGE, 0, PAGE));
	TRY(f, unmap_errno(map, 2 * PAGE));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, job)
{
	.run = job_flow,
};

/* In both regions, and gone before the file is. */
static void bo_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_bo_create bo;
	__u32 region;
	void *map;
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	fail_nth_arm(f);
	for (region = 0; region < 2; region++) {
		TRY(f, bo_create(fd, region, 3 * PAGE, &bo));
		ASSERT_EQ(1, bo.id);
		TRY(f, map_errno(fd, &bo, &map));
		for (i = 0; i < 3; i++)
			TRY(f, touch(map + i * PAGE, i + 1));
		EXPECT_EQ(1, *(__u8 *)map);
		EXPECT_EQ(PAGE - 1, span(map + 1, 0, PAGE));
		/* In three parts, for which mappings are split. */
		TRY(f, unmap_errno(map + PAGE, PAGE));
		TRY(f, unmap_errno(map, 3 * PAGE));
		TRY(f, destroy(fd, bo.id));
	}
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, bo)
{
	.run = bo_flow,
};

/* Without memory to move a buffer to, there is no room where it was. */
static int bo_create_at_a_cost(int fd, __u64 length, struct accel_bo_create *bo)
{
	int ret = bo_create(fd, ACCEL_VACCEL_REGION_LOCAL, length, bo);

	return ret == -ENOSPC ? -ENOMEM : ret;
}

/* One buffer makes room for another, and comes back; a job has the rest. */
static void evict_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_queue_create hung, queue;
	struct accel_bo_create rest, bo, other;
	struct test_job job = job_hang();
	__u64 point;
	void *map;
	int fd;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, LONG_TIMEOUT_MS, &hung));
	ASSERT_EQ(0, queue_create(fd, 1, 0, &queue));
	ASSERT_EQ(0, bo_create(fd, ACCEL_VACCEL_REGION_LOCAL,
			       0x1000000 - 2 * PAGE, &rest));
	job_bo(&job, rest.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(fd, hung.id, &job, &point));

	fail_nth_arm(f);
	TRY(f, bo_create_at_a_cost(fd, 2 * PAGE, &bo));
	TRY(f, map_errno(fd, &bo, &map));
	TRY(f, touch(map + PAGE, 7));
	TRY(f, bo_create_at_a_cost(fd, PAGE, &other));
	TRY(f, touch(map, 6));
	EXPECT_EQ(6, *(__u8 *)map);
	TRY(f, touch(map + PAGE + 1, 8));
	EXPECT_EQ(7, *(__u8 *)(map + PAGE));
	TRY(f, destroy(fd, other.id));

	job = job_fill(bo.id, 0, 4, 0x5a5a5a5a);
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	try_wait(_metadata, f, fd, queue.timeline, 1, 0);
	TRY(f, touch(map + 4, 9));
	TRY(f, touch(map + PAGE + 2, 10));
	EXPECT_EQ(4, span(map, 0x5a, 4));
	EXPECT_EQ(7, *(__u8 *)(map + PAGE));
	EXPECT_EQ(8, *(__u8 *)(map + PAGE + 1));
	TRY(f, unmap_errno(map, 2 * PAGE));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, evict)
{
	.run = evict_flow,
};

static int dma_buf_map_errno(int dma_buf, void **map)
{
	*map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
	return *map == MAP_FAILED ? -errno : 0;
}

/* To another client and back, with both kinds of rights. */
static void dma_buf_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_bo_import import[2];
	int fd, other, dma_buf[2], i;
	struct accel_bo_create bo;
	void *map;

	fd = accel_open();
	ASSERT_LE(0, fd);
	other = accel_open();
	ASSERT_LE(0, other);
	fail_nth_arm(f);
	TRY(f, bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM, 2 * PAGE, &bo));
	for (i = 0; i < 2; i++) {
		dma_buf[i] = TRY(f, bo_export(fd, bo.id, i));
		TRY(f, bo_import(other, dma_buf[i], &import[i]));
		ASSERT_EQ(i + 1, import[i].id);
		ASSERT_EQ(bo.mmap_offset, import[i].mmap_offset);
	}
	TRY(f, destroy(fd, bo.id));
	TRY(f, bo_import(fd, dma_buf[0], &import[0]));
	ASSERT_EQ(bo.id, import[0].id);
	TRY(f, dma_buf_map_errno(dma_buf[1], &map));
	TRY(f, touch(map, 7));
	EXPECT_EQ(0, close(dma_buf[0]));
	EXPECT_EQ(0, close(dma_buf[1]));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(7, *(__u8 *)map);
	EXPECT_EQ(0, munmap(map, PAGE));
}

FIXTURE_VARIANT_ADD(flow, dma_buf)
{
	.run = dma_buf_flow,
};

/* A fork has the mapping too, or is none. */
static void forked_mapping_flow(struct __test_metadata *_metadata,
				struct fail_nth *f)
{
	struct accel_bo_create bo;
	int fd, status;
	void *map;
	pid_t pid;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM, PAGE, &bo));
	map = bo_map(fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, touch(map, 7));

	fail_nth_arm(f);
	pid = TRY(f, fork_errno());
	if (!pid)
		_exit(*(__u8 *)map);
	fail_nth_disarm(f);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(7, WEXITSTATUS(status));
	ASSERT_EQ(0, munmap(map, PAGE));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, forked_mapping)
{
	.run = forked_mapping_flow,
	.step = 5,
};

/* More than the kernel has room for on its stack. */
#define WAIT_POINTS	16

static void wait_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_point points[WAIT_POINTS];
	struct accel_timeline_wait wait;
	__s32 statuses[WAIT_POINTS];
	__u32 timeline[2];
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, timeline_create(fd, 0, &timeline[i]));
	for (i = 0; i < WAIT_POINTS; i++)
		points[i] = (struct accel_point) {
			.timeline = timeline[i % 2],
			.value = WAIT_POINTS - i,
		};

	fail_nth_arm(f);
	TRY(f, timeline_signal(fd, timeline[0], 6));
	TRY(f, timeline_wait(fd, points, WAIT_POINTS, 0, deadline_ms(WAIT_MS),
			     statuses, &wait));
	EXPECT_EQ(10, wait.index);
	for (i = 0; i < WAIT_POINTS; i++)
		EXPECT_EQ(i >= 10 && i % 2 == 0 ? ACCEL_POINT_DONE :
						  ACCEL_POINT_PENDING,
			  statuses[i]);
	TRY(f, timeline_signal(fd, timeline[0], WAIT_POINTS));
	TRY(f, timeline_signal(fd, timeline[1], WAIT_POINTS));
	TRY(f, timeline_wait(fd, points, WAIT_POINTS, ACCEL_WAIT_ALL,
			     deadline_ms(WAIT_MS), statuses, &wait));
	EXPECT_EQ(0, wait.index);
	EXPECT_EQ(0, wait.status);
	EXPECT_EQ(sizeof(statuses), span((__u8 *)statuses, 0, sizeof(statuses)));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, wait)
{
	.run = wait_flow,
};

#define ANSWER_MAX	1024

/* Every topic, as a client asks that does not know how long the answer is. */
static void query_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	static __u8 expected[ACCEL_QUERY_DRIVER + 1][ANSWER_MAX];
	__u8 answer[ANSWER_MAX] = {};
	struct accel_query query;
	__u32 topic, size;
	int fd;

	fd = accel_open();
	ASSERT_LE(0, fd);
	fail_nth_arm(f);
	for (topic = ACCEL_QUERY_DEVICE; topic <= ACCEL_QUERY_DRIVER; topic++) {
		query = (struct accel_query) {
			.size = sizeof(query),
			.topic = topic,
		};
		TRY(f, accel_ioctl(fd, ACCEL_IOCTL_QUERY, &query));
		size = query.data_size;
		ASSERT_GE(ANSWER_MAX, size);
		query.data_ptr = ptr_to_u64(answer);
		TRY(f, accel_ioctl(fd, ACCEL_IOCTL_QUERY, &query));
		ASSERT_EQ(size, query.data_size);
		ASSERT_EQ(size, query.stride * query.count);
		/* Engines have counters in their answer. */
		if (topic == ACCEL_QUERY_ENGINES)
			continue;
		if (!f->site)
			memcpy(expected[topic], answer, size);
		EXPECT_EQ(0, memcmp(expected[topic], answer, size));
	}
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, query)
{
	.run = query_flow,
};

/* 0 if the device is still at work on the buffer. */
static int sync_too_early(int fd, __u32 id)
{
	int ret = bo_sync(fd, id, ACCEL_SYNC_READ, 0);

	return ret == -ETIME ? 0 : ret ?: -EPROTO;
}

/* The CPU looks at what a job has written, and writes for the next. */
static void cpu_access_flow(struct __test_metadata *_metadata,
			    struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct test_job job = job_hang();
	struct accel_bo_create bo;
	int fd;

	fd = accel_open();
	ASSERT_LE(0, fd);
	fail_nth_arm(f);
	TRY(f, queue_create(fd, 0, LONG_TIMEOUT_MS, &queue));
	TRY(f, bo_create(fd, 0, PAGE, &bo));
	job_bo(&job, bo.id, ACCEL_BO_WRITE);
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	TRY(f, sync_too_early(fd, bo.id));
	TRY(f, hang_release(fd, queue.id));
	TRY(f, bo_sync(fd, bo.id, ACCEL_SYNC_WRITE, deadline_ms(WAIT_MS)));
	TRY(f, check_status(fd, queue.timeline, 1, ACCEL_POINT_DONE));
	TRY(f, bo_sync(fd, bo.id, ACCEL_SYNC_WRITE | ACCEL_SYNC_END, 0));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, cpu_access)
{
	.run = cpu_access_flow,
};

/*
 * Sends a file through a socket, which gives what comes out of it. Messages are
 * not ours: what fails there, fails in its own ways.
 */
static int pass_fd(int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int sockets[2], passed = -ENOMEM;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sockets))
		return -ENOMEM;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	if (sendmsg(sockets[0], &msg, 0) == 1 &&
	    recvmsg(sockets[1], &msg, MSG_DONTWAIT) == 1 &&
	    !(msg.msg_flags & MSG_CTRUNC) && CMSG_FIRSTHDR(&msg))
		memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	close(sockets[0]);
	close(sockets[1]);
	return passed;
}

/* An open file of several owners goes with the last. */
static void passed_file_flow(struct __test_metadata *_metadata,
			     struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct test_job job = job_nop();
	int fd, copy, passed;

	fail_nth_arm(f);
	fd = TRY(f, accel_open());
	TRY(f, queue_create(fd, 0, LONG_TIMEOUT_MS, &queue));
	copy = TRY(f, dup_errno(fd));
	ASSERT_EQ(0, close(fd));
	passed = TRY(f, pass_fd(copy));
	ASSERT_EQ(0, close(copy));
	try_submit_one(_metadata, f, passed, queue.id, &job, 1);
	try_wait(_metadata, f, passed, queue.timeline, 1, 0);
	EXPECT_EQ(0, close(passed));
}

FIXTURE_VARIANT_ADD(flow, passed_file)
{
	.run = passed_file_flow,
};

/* Ends without a close, where a call fails or with everything under way. */
static void killed_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct test_job hang = job_hang(), held = job_nop(), copy;
	struct accel_queue_create queue[2];
	struct accel_bo_create bo[2];
	void *map;
	int fd, i;

	fail_nth_arm(f);
	fd = TRY(f, accel_open());
	for (i = 0; i < 2; i++) {
		TRY(f, queue_create(fd, i, LONG_TIMEOUT_MS, &queue[i]));
		TRY(f, bo_create(fd, i, PAGE, &bo[i]));
		TRY(f, map_errno(fd, &bo[i], &map));
		TRY(f, touch(map, 1));
	}
	job_bo(&hang, bo[0].id, ACCEL_BO_WRITE);
	job_wait(&held, queue[0].timeline, 100);
	copy = job_copy(bo[0].id, 0, bo[1].id, 0, PAGE);
	try_submit_one(_metadata, f, fd, queue[0].id, &hang, 1);
	try_submit_one(_metadata, f, fd, queue[1].id, &copy, 1);
	try_submit_one(_metadata, f, fd, queue[1].id, &held, 2);
}

FIXTURE_VARIANT_ADD(flow, killed)
{
	.run = killed_flow,
	.gives_up = true,
};

TEST_HARNESS_MAIN
