// SPDX-License-Identifier: GPL-2.0-only
/* Ids: which are given, to whom they are visible, and when they end. */
#include "mock.h"

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
				   U32_MAX };
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

static struct kunit_case accel_object_cases[] = {
	KUNIT_CASE(accel_object_ids_start_at_one),
	KUNIT_CASE(accel_object_unknown_ids),
	KUNIT_CASE(accel_object_wrong_kind),
	KUNIT_CASE(accel_object_destroy_in_use),
	{}
};

struct kunit_suite accel_object_suite = {
	.name = "accel_object",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_object_cases,
};
