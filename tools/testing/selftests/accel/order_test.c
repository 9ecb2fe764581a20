// SPDX-License-Identifier: GPL-2.0-only
/* What the buffers that jobs name make of their order. */
#include "accel_test.h"

FIXTURE(order)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo[2];
};

FIXTURE_SETUP(order)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &self->bo[0]));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &self->bo[1]));
}

FIXTURE_TEARDOWN(order)
{
	accel_teardown(_metadata, self->fd);
}

static int map_buffers(FIXTURE_DATA(order) *self, __u32 *map[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		map[i] = bo_map(self->fd, &self->bo[i]);
		if (map[i] == MAP_FAILED)
			return -errno;
	}
	return 0;
}

/*
 * Three jobs on two engines that only the buffers in their lists bring into
 * order, each made to wait by a hang before the first.
 */
TEST_F(order, buffers_order_jobs_of_two_engines)
{
	struct accel_queue_create reader, writer;
	struct test_job fill, hang, copy, refill;
	__u32 *map[2];
	__u64 point;
	int i;

	ASSERT_EQ(0, map_buffers(self, map));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &reader));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &writer));
	fill = job_fill(self->bo[0].id, 0, 4096, 1);
	hang = job_hang();
	job_bo(&hang, self->bo[0].id, ACCEL_BO_WRITE);
	copy = job_copy(self->bo[0].id, 0, self->bo[1].id, 0, 4096);
	refill = job_fill(self->bo[0].id, 0, 4096, 2);

	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fill, &point));
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	ASSERT_EQ(0, submit_one(self->fd, reader.id, &copy, &point));
	ASSERT_EQ(0, submit_one(self->fd, writer.id, &refill, &point));
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, reader.timeline, 1);
	EXPECT_PENDING(self->fd, writer.timeline, 1);

	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, writer.timeline, 1);
	EXPECT_POINT(0, self->fd, reader.timeline, 1);
	EXPECT_EQ(1, map[1][0]);
	EXPECT_EQ(1, map[1][1023]);
	EXPECT_EQ(2, map[0][0]);
	EXPECT_EQ(2, map[0][1023]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, munmap(map[i], 4096));
}

/* Two that read need not wait for each other; one that writes waits for both. */
TEST_F(order, readers_share)
{
	struct test_job hang = job_hang(), read = job_nop(), write = job_nop();
	struct accel_queue_create reader, writer;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &reader));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &writer));
	job_bo(&hang, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&read, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&write, self->bo[0].id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &hang, &point));
	ASSERT_EQ(0, submit_one(self->fd, reader.id, &read, &point));
	ASSERT_EQ(0, submit_one(self->fd, writer.id, &write, &point));
	EXPECT_POINT(0, self->fd, reader.timeline, 1);
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, writer.timeline, 1);
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	EXPECT_POINT(0, self->fd, writer.timeline, 1);
}

/* A value handed from engine to engine many times, with no wait in between. */
TEST_F(order, ping_pong)
{
	struct accel_queue_create other;
	struct test_job job;
	__u32 *map[2], i;
	__u64 point;

	ASSERT_EQ(0, map_buffers(self, map));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	for (i = 1; i <= 40; i++) {
		__u32 a = self->bo[0].id, b = self->bo[1].id;

		job = job_fill(a, 0, 4, i);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
		job = job_copy(a, 0, b, 0, 4);
		ASSERT_EQ(0, submit_one(self->fd, other.id, &job, &point));
		job = job_copy(b, 0, a, 4 * i, 4);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job,
					&point));
	}
	EXPECT_POINT(0, self->fd, self->queue.timeline, 80);
	EXPECT_POINT(0, self->fd, other.timeline, 40);
	for (i = 1; i <= 40; i++)
		EXPECT_EQ(i, map[0][i]);
	EXPECT_EQ(40, map[0][0]);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, munmap(map[i], 4096));
}

/* A job that waits for a failed one by way of a buffer runs all the same. */
TEST_F(order, buffer_of_a_failed_job)
{
	struct test_job fail = job_fail(-EIO), fill;
	struct accel_queue_create other;
	__u64 point;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	job_bo(&fail, self->bo[0].id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &fail, &point));
	fill = job_fill(self->bo[0].id, 0, 4096, 1);
	ASSERT_EQ(0, submit_one(self->fd, other.id, &fill, &point));
	EXPECT_POINT(0, self->fd, other.timeline, point);
	EXPECT_POINT(-EIO, self->fd, self->queue.timeline, 1);
}

/* Opposite orders of the same buffers must not block each other. */
TEST_F(order, opposite_orders)
{
	struct test_job ab = job_nop(), ba = job_nop();
	struct accel_queue_create other;
	struct accel_submit sub;
	int i;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	job_bo(&ab, self->bo[0].id, ACCEL_BO_WRITE);
	job_bo(&ab, self->bo[1].id, ACCEL_BO_WRITE);
	job_bo(&ba, self->bo[1].id, ACCEL_BO_WRITE);
	job_bo(&ba, self->bo[0].id, ACCEL_BO_WRITE);
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &ab, 4,
					     &sub));
		ASSERT_EQ(4, sub.accepted);
		ASSERT_EQ(0, submit_repeated(self->fd, other.id, &ba, 4, &sub));
		ASSERT_EQ(4, sub.accepted);
	}
	EXPECT_POINT(0, self->fd, self->queue.timeline, 32);
	EXPECT_POINT(0, self->fd, other.timeline, 32);
}

TEST_HARNESS_MAIN
