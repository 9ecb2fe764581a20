// SPDX-License-Identifier: GPL-2.0-only
/* Ids: which are given, to whom they are visible, and when they end. */
#include "mock.h"

#include <linux/refcount.h>
#include <linux/threads.h>

static void accel_object_ids_start_at_one(struct kunit *test)
{
	struct mock *mock = test->priv;

	KUNIT_EXPECT_EQ(test, 1, mock_bo(mock));
	KUNIT_EXPECT_EQ(test, 2, mock_timeline(mock, 0));
	mock_destroy(mock, 1);
	KUNIT_EXPECT_EQ(test, 1, mock_timeline(mock, 0));
}

static void accel_object_unknown_ids(struct kunit *test)
{
	static const u32 ids[] = { 0, 2, INT_MAX - 1, INT_MAX, 0x80000000,
				   0x80000001, U32_MAX };
	struct mock *mock = test->priv;
	struct accel_destroy args = { .size = sizeof(args) };
	int i;

	KUNIT_ASSERT_EQ(test, 1, mock_bo(mock));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		args.id = ids[i];
		KUNIT_EXPECT_EQ(test, -ENOENT,
				mock_ioctl(mock, ACCEL_IOCTL_DESTROY, &args,
					   sizeof(args)));
	}
}

static void accel_object_wrong_kind(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 bo = mock_bo(mock);
	struct accel_queue_info queue = { .size = sizeof(queue), .id = bo };
	struct accel_bo_info info = { .size = sizeof(info) };

	KUNIT_EXPECT_EQ(test, -ENOENT,
			mock_ioctl(mock, ACCEL_IOCTL_QUEUE_INFO, &queue,
				   sizeof(queue)));
	KUNIT_EXPECT_EQ(test, -ENOENT, mock_signal(mock, bo, 1));
	info.id = mock_timeline(mock, 0);
	KUNIT_EXPECT_EQ(test, -ENOENT,
			mock_ioctl(mock, ACCEL_IOCTL_BO_INFO, &info,
				   sizeof(info)));
}

/* Destroying an id does not take the object from who uses it. */
static void accel_object_destroy_in_use(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bo = mock_bo(mock);
	u32 timeline = mock_timeline(mock, 0);

	MOCK_SUBMIT(mock, queue, .op = MOCK_WAIT, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } }, .signal_count = 1,
		    .signals = { { timeline, 0, 1 } });
	mock_destroy(mock, bo);
	mock_destroy(mock, timeline);
	accel_census_drain();
	/* One is the queue's own page. */
	KUNIT_EXPECT_EQ(test, 2L,
			atomic_long_read(&accel_census[ACCEL_CENSUS_BOS]));
	KUNIT_EXPECT_EQ(test, 2L,
			atomic_long_read(&accel_census[ACCEL_CENSUS_TIMELINES]));

	mock_finish(mock, 0, 0);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, 1L,
			atomic_long_read(&accel_census[ACCEL_CENSUS_BOS]));
	KUNIT_EXPECT_EQ(test, 1L,
			atomic_long_read(&accel_census[ACCEL_CENSUS_TIMELINES]));
}

/* References that one client's jobs can have on a timeline at a time. */
#define JOB_REFS_MAX	((u64)ACCEL_QUEUES_MAX * ACCEL_JOBS_MAX * ACCEL_POINTS_MAX)

/*
 * A reference count cannot wrap: what takes references is limited, and the limits
 * are far from where refcount_t saturates, which would be a leak and a warning.
 * Jobs wait for points, all of which may be of one timeline; they signal fewer
 * than ACCEL_PENDING_MAX. What remains are threads in ioctls and mappings, of
 * which a kernel has at most PID_MAX_LIMIT times ACCEL_POINTS_MAX and fewer.
 */
static_assert(JOB_REFS_MAX + ACCEL_PENDING_MAX +
	      (u64)PID_MAX_LIMIT * ACCEL_POINTS_MAX < INT_MAX / 2);

/* Every id of a buffer may be another client's, and all their jobs name it. */
static_assert(ACCEL_BO_HANDLES_MAX +
	      (u64)ACCEL_BO_HANDLES_MAX * ACCEL_QUEUES_MAX * ACCEL_JOBS_MAX +
	      (u64)PID_MAX_LIMIT * ACCEL_POINTS_MAX < INT_MAX / 2);

/* As near as it comes: the last reference before saturation is still counted. */
static void accel_object_refs_near_saturation(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bo = mock_bo(mock);
	refcount_t *bo_refs = &mock_find_bo(mock, bo)->obj.refs;
	u32 i;

	/* Others have taken all but what two jobs need. */
	refcount_set(bo_refs, INT_MAX - 2);
	for (i = 1; i <= 2; i++)
		MOCK_SUBMIT(mock, queue, .tag = i, .bo_count = 1,
			    .bos = { { bo, ACCEL_BO_READ } });
	KUNIT_EXPECT_EQ(test, INT_MAX, refcount_read(bo_refs));
	mock_finish(mock, 0, 0);
	mock_finish(mock, 0, 0);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, INT_MAX - 2, refcount_read(bo_refs));
	refcount_set(bo_refs, 1);
}

/* A timeline is refused long before: jobs are not accepted, and nothing is left. */
static void accel_object_refs_of_shared_timeline(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 timeline = mock_timeline(mock, 0), id = 0;
	refcount_t *refs = &mock_find_timeline(mock, timeline)->obj.refs;
	struct mock_job job = {
		.wait_count = 1,
		.waits = { { timeline, 0, 0 } },
		.signal_count = 1,
		.signals = { { timeline, 0, 1 } },
	};
	int fd = -1;

	KUNIT_ASSERT_EQ(test, 0L, mock_give(mock, ACCEL_FD_TIMELINE, timeline, 0, 0,
					    &fd));
	refcount_set(refs, ACCEL_TIMELINE_REFS_MAX - 1);
	KUNIT_EXPECT_EQ(test, -ENOSPC, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, ACCEL_TIMELINE_REFS_MAX - 1, refcount_read(refs));
	refcount_set(refs, ACCEL_TIMELINE_REFS_MAX - 2);
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, ACCEL_TIMELINE_REFS_MAX, refcount_read(refs));
	KUNIT_EXPECT_EQ(test, -ENOSPC, mock_signal(mock, timeline, 2));
	KUNIT_EXPECT_EQ(test, -ENOSPC, mock_take(mock, ACCEL_FD_TIMELINE, fd, 0,
						 &id));
	KUNIT_EXPECT_EQ(test, -ENOSPC, mock_give(mock, ACCEL_FD_SYNC_FILE, timeline,
						 0, 0, NULL));
	mock_finish(mock, 0, 0);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, ACCEL_TIMELINE_REFS_MAX - 2, refcount_read(refs));
	/* That of the id, and that of the descriptor. */
	refcount_set(refs, 2);
	mock_close(mock, fd);
}

/* An ioctl that fails gives back each reference that it took on its way. */
static void accel_object_refs_after_failure(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bo = mock_bo(mock), timeline = mock_timeline(mock, 5);
	refcount_t *bo_refs = &mock_find_bo(mock, bo)->obj.refs;
	refcount_t *queue_refs = &mock_find_queue(mock, queue.id)->obj.refs;
	refcount_t *refs = &mock_find_timeline(mock, timeline)->obj.refs;
	struct mock_job bad = {
		.op = MOCK_INSTANT,
		.bo_count = 2,
		.bos = { { bo, ACCEL_BO_READ }, { 99, ACCEL_BO_READ } },
		.wait_count = 2,
		.waits = { { timeline, 0, 5 }, { 99, 0, 1 } },
		.signal_count = 2,
		.signals = { { timeline, 0, 6 }, { 99, 0, 1 } },
	};
	int before = refcount_read(queue_refs), i;

	/* One thing more is right each time, up to where the device refuses. */
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, i < 3 ? -ENOENT : -EINVAL,
				mock_submit(mock, queue.id, &bad));
		KUNIT_EXPECT_EQ(test, 1, refcount_read(bo_refs));
		KUNIT_EXPECT_EQ(test, 1, refcount_read(refs));
		KUNIT_EXPECT_EQ(test, before, refcount_read(queue_refs));
		if (i == 0)
			bad.bo_count = 1;
		if (i == 1)
			bad.wait_count = 1;
		if (i == 2)
			bad.signals[1] = (struct accel_point){ timeline, 0, 6 };
	}
}

static struct kunit_case accel_object_cases[] = {
	KUNIT_CASE(accel_object_ids_start_at_one),
	KUNIT_CASE(accel_object_unknown_ids),
	KUNIT_CASE(accel_object_wrong_kind),
	KUNIT_CASE(accel_object_destroy_in_use),
	KUNIT_CASE(accel_object_refs_near_saturation),
	KUNIT_CASE(accel_object_refs_of_shared_timeline),
	KUNIT_CASE(accel_object_refs_after_failure),
	{}
};

struct kunit_suite accel_object_suite = {
	.name = "accel_object",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_object_cases,
};
