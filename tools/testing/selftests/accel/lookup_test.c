// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that look up as many ids as they may, of which the last is bad: what was found
 * before is held until then, and with the failure of the call all of it is let go.
 */
#include "accel_test.h"

FIXTURE(lookup)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	__u32 *ids;
	__u32 count;
};

FIXTURE_SETUP(lookup)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
}

FIXTURE_TEARDOWN(lookup)
{
	free(self->ids);
	accel_teardown(_metadata, self->fd);
}

/* The file alone is left: nobody holds on to what had an id. */
static void expect_all_gone(struct __test_metadata *_metadata,
			    FIXTURE_DATA(lookup) *self)
{
	__u32 i;

	for (i = 0; i < self->count; i++)
		ASSERT_EQ(0, destroy(self->fd, self->ids[i]));
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	ASSERT_EQ(0, destroy(self->fd, self->queue.timeline));
	EXPECT_EQ(1, census_total());
}

static void make_ids(struct __test_metadata *_metadata,
		     FIXTURE_DATA(lookup) *self, __u32 count, bool bos)
{
	struct accel_bo_create bo;
	__u32 i;

	self->count = count;
	self->ids = calloc(count, sizeof(*self->ids));
	ASSERT_TRUE(!!self->ids);
	for (i = 0; i < count; i++) {
		if (!bos) {
			ASSERT_EQ(0, timeline_create(self->fd, 0,
						     &self->ids[i]));
			continue;
		}
		ASSERT_EQ(0, bo_create(self->fd, 0, 1, &bo));
		self->ids[i] = bo.id;
	}
}

TEST_F(lookup, last_bo_of_a_job)
{
	struct test_job job = job_nop();
	struct accel_submit_job uapi = job_uapi(&job);
	struct accel_submit_bo *bos;
	struct accel_submit sub;
	__u32 i;

	make_ids(_metadata, self, self->dev.job_bos_max, true);
	bos = calloc(self->count, sizeof(*bos));
	ASSERT_TRUE(!!bos);
	for (i = 0; i < self->count; i++)
		bos[i] = (struct accel_submit_bo) {
			.id = self->ids[i],
			.flags = ACCEL_BO_READ,
		};
	bos[self->count - 1].id = self->queue.id;
	uapi.bos_ptr = ptr_to_u64(bos);
	uapi.bo_count = self->count;
	EXPECT_EQ(-ENOENT, submit(self->fd, self->queue.id, &uapi, 1, &sub));
	expect_all_gone(_metadata, self);
	free(bos);
}

/* One of the arrays of points that a job or a wait takes, with a bad end. */
static struct accel_point *make_points(struct __test_metadata *_metadata,
				       FIXTURE_DATA(lookup) *self)
{
	struct accel_point *points;
	__u32 i;

	make_ids(_metadata, self, self->dev.points_max, false);
	points = calloc(self->count, sizeof(*points));
	ASSERT_TRUE(!!points);
	for (i = 0; i < self->count; i++)
		points[i] = (struct accel_point) {
			.timeline = self->ids[i],
			.value = 1,
		};
	points[self->count - 1].timeline = self->queue.id;
	return points;
}

TEST_F(lookup, last_wait_of_a_job)
{
	struct accel_point *points = make_points(_metadata, self);
	struct test_job job = job_nop();
	struct accel_submit_job uapi = job_uapi(&job);
	struct accel_submit sub;

	uapi.waits_ptr = ptr_to_u64(points);
	uapi.wait_count = self->count;
	EXPECT_EQ(-ENOENT, submit(self->fd, self->queue.id, &uapi, 1, &sub));
	expect_all_gone(_metadata, self);
	free(points);
}

TEST_F(lookup, last_signal_of_a_job)
{
	struct accel_point *points = make_points(_metadata, self);
	struct test_job job = job_nop();
	struct accel_submit_job uapi = job_uapi(&job);
	struct accel_submit sub;

	uapi.signals_ptr = ptr_to_u64(points);
	uapi.signal_count = self->count;
	EXPECT_EQ(-ENOENT, submit(self->fd, self->queue.id, &uapi, 1, &sub));
	/* What may not be signalled was found all the same. */
	points[self->count - 1].timeline = self->queue.timeline;
	EXPECT_EQ(-EPERM, submit(self->fd, self->queue.id, &uapi, 1, &sub));
	expect_all_gone(_metadata, self);
	free(points);
}

TEST_F(lookup, last_point_of_a_wait)
{
	struct accel_point *points = make_points(_metadata, self);
	struct accel_timeline_wait wait;

	EXPECT_EQ(-ENOENT, timeline_wait(self->fd, points, self->count, 0, 0,
					 NULL, &wait));
	expect_all_gone(_metadata, self);
	free(points);
}

TEST_HARNESS_MAIN
