// SPDX-License-Identifier: GPL-2.0-only
/* Flows of fences, timelines and eventfds that come in and go out. */
#include "fail_nth_flow.h"
#include "sync.h"

#include <sys/eventfd.h>

/* Made with what the device does not own, so that it is there for the flow. */
static bool is_sw_sync_there(void)
{
	int line = sw_sync_open();

	return line >= 0 && !close(line);
}

static void sync_file_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct test_job hang = job_hang(), job = job_nop();
	struct accel_queue_create queue[2];
	int fd, out[3], i;
	__u32 timeline;

	fd = accel_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, queue_create(fd, i, LONG_TIMEOUT_MS, &queue[i]));
	ASSERT_EQ(0, timeline_create(fd, 0, &timeline));
	job_signal(&hang, timeline, 5);

	fail_nth_arm(f);
	try_submit_one(_metadata, f, fd, queue[0].id, &hang, 1);
	out[0] = TRY(f, sync_file_export(fd, queue[0].timeline, 1));
	out[1] = TRY(f, sync_file_export(fd, timeline, 4));
	out[2] = TRY(f, sync_file_export(fd, timeline, 0));
	for (i = 0; i < 3; i++)
		job_wait_sync_file(&job, out[i]);
	try_submit_one(_metadata, f, fd, queue[1].id, &job, 1);
	TRY(f, hang_release(fd, queue[0].id));
	try_wait(_metadata, f, fd, queue[1].timeline, 1, 0);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, close(out[i]));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, sync_file)
{
	.run = sync_file_flow,
};

static void import_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct test_job job = job_nop();
	int fd, line, sync[2], i;
	__u32 timeline;

	line = sw_sync_open();
	ASSERT_LE(0, line);
	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, LONG_TIMEOUT_MS, &queue));
	ASSERT_EQ(0, timeline_create(fd, 0, &timeline));
	for (i = 0; i < 2; i++) {
		sync[i] = sw_sync_fence(line, 1 + i);
		ASSERT_LE(0, sync[i]);
	}
	job_wait_sync_file(&job, sync[1]);

	fail_nth_arm(f);
	for (i = 0; i < 2; i++)
		TRY(f, sync_file_import(fd, sync[i], timeline, 1 + i));
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	fail_nth_disarm(f);
	ASSERT_EQ(0, sw_sync_inc(line, 2));
	try_wait(_metadata, f, fd, timeline, 2, 0);
	try_wait(_metadata, f, fd, queue.timeline, 1, 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, close(sync[i]));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, close(line));
}

FIXTURE_VARIANT_ADD(flow, import)
{
	.run = import_flow,
	.is_possible = is_sw_sync_there,
};

static void timeline_fd_flow(struct __test_metadata *_metadata,
			     struct fail_nth *f)
{
	int fd[2], event, shared[2], i;
	__u32 timeline, id[2];
	__u64 count;

	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_LE(0, event);
	for (i = 0; i < 2; i++) {
		fd[i] = accel_open();
		ASSERT_LE(0, fd[i]);
	}

	fail_nth_arm(f);
	TRY(f, timeline_create(fd[0], 0, &timeline));
	for (i = 0; i < 2; i++) {
		shared[i] = TRY(f, timeline_export(fd[0], timeline, i));
		TRY(f, timeline_import(fd[1], shared[i], &id[i]));
		TRY(f, eventfd_export(fd[1], id[i], 1, event));
		TRY(f, eventfd_export(fd[1], id[i], 0, event));
	}
	TRY(f, timeline_signal(fd[1], id[1], 1));
	try_wait(_metadata, f, fd[0], timeline, 1, 0);
	fail_nth_disarm(f);
	EXPECT_EQ(0, close(fd[1]));
	EXPECT_LE(0, census_total());
	/* Both were told of 0, and of 1 unless the file was faster. */
	ASSERT_EQ(sizeof(count), read(event, &count, sizeof(count)));
	EXPECT_EQ(4, count);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, close(shared[i]));
	EXPECT_EQ(0, close(fd[0]));
	EXPECT_EQ(0, close(event));
}

FIXTURE_VARIANT_ADD(flow, timeline_fd)
{
	.run = timeline_fd_flow,
};

TEST_HARNESS_MAIN
