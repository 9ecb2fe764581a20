// SPDX-License-Identifier: GPL-2.0-only
/* Queues: what is refused, how many there may be, what they tell, their end. */
#include "mock.h"

static long accel_queue_try(struct mock *mock, struct accel_queue_create args)
{
	args.size = sizeof(args);
	return MOCK_IOCTL(mock, QUEUE_CREATE, &args);
}

#define TRY_QUEUE(_mock, ...) \
	accel_queue_try(_mock, (struct accel_queue_create){ __VA_ARGS__ })

static struct accel_queue_info accel_queue_tell(struct mock *mock, u32 id)
{
	struct accel_queue_info args = { .size = sizeof(args), .id = id };

	KUNIT_ASSERT_EQ(mock->test, 0L, MOCK_IOCTL(mock, QUEUE_INFO, &args));
	return args;
}

static void accel_queue_arguments(struct kunit *test)
{
	struct mock *mock = test->priv;

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, TRY_QUEUE(mock, .flags = 1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, TRY_QUEUE(mock, .priority = 1));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, TRY_QUEUE(mock, .priority = -1));
	KUNIT_EXPECT_EQ(test, -EINVAL, TRY_QUEUE(mock, .engine = MOCK_ENGINES));
	KUNIT_EXPECT_EQ(test, -EINVAL, TRY_QUEUE(mock, .engine = U32_MAX));
	KUNIT_EXPECT_EQ(test, -EINVAL, TRY_QUEUE(mock, .reserved = 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, TRY_QUEUE(mock, .payload_size = 1));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			TRY_QUEUE(mock, .timeout_ms =
				  mock_ops.timeout_max_ms + 1));
	KUNIT_EXPECT_EQ(test, -ENOENT, TRY_QUEUE(mock, .vm = 1));
	/* None of them took an id. */
	KUNIT_EXPECT_EQ(test, 1, mock_queue(mock, 0, 0).id);
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&mock->file->queue_count));
}

static void accel_queue_limit(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_file *full = mock->file;
	struct mock_queue queue;
	int i;

	for (i = 0; i < ACCEL_QUEUES_MAX; i++)
		queue = mock_queue(mock, i % MOCK_ENGINES, 0);
	KUNIT_EXPECT_EQ(test, -ENOSPC, TRY_QUEUE(mock, .engine = 0));
	KUNIT_EXPECT_EQ(test, (long)ACCEL_QUEUES_MAX,
			mock_count(ACCEL_CENSUS_QUEUES));

	/* The limit is this file's. */
	mock->file = accel_file_create(&mock->dev->accel);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock->file));
	KUNIT_EXPECT_EQ(test, 0L, TRY_QUEUE(mock, .engine = 0));
	accel_file_destroy(mock->file);
	mock->file = full;

	mock_destroy(mock, queue.id);
	KUNIT_EXPECT_EQ(test, 0L, TRY_QUEUE(mock, .engine = 0));
	KUNIT_EXPECT_EQ(test, -ENOSPC, TRY_QUEUE(mock, .engine = 0));
}

static void accel_queue_tells(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 1, 1234);
	struct mock_queue other = mock_queue(mock, 0, 0);
	struct accel_queue_info info = accel_queue_tell(mock, queue.id);

	KUNIT_EXPECT_EQ(test, 1, info.engine);
	KUNIT_EXPECT_EQ(test, queue.timeline, info.timeline);
	KUNIT_EXPECT_EQ(test, 1234, info.timeout_ms);
	KUNIT_EXPECT_EQ(test, 0, info.status);
	KUNIT_EXPECT_EQ(test, 0ULL, info.submitted);
	KUNIT_EXPECT_EQ(test, mock_ops.timeout_default_ms,
			accel_queue_tell(mock, other.id).timeout_ms);

	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT);
	MOCK_SUBMIT(mock, queue, .op = MOCK_REFUSE);
	MOCK_SUBMIT(mock, queue, .tag = 1);
	info = accel_queue_tell(mock, queue.id);
	KUNIT_EXPECT_EQ(test, 3ULL, info.submitted);
	KUNIT_EXPECT_EQ(test, 2ULL, info.completed);
	KUNIT_EXPECT_EQ(test, 1ULL, info.failed);
	mock_finish(mock, 1, 0);
	info = accel_queue_tell(mock, queue.id);
	KUNIT_EXPECT_EQ(test, 3ULL, info.completed);
	KUNIT_EXPECT_EQ(test, 1ULL, info.failed);
	info = accel_queue_tell(mock, other.id);
	KUNIT_EXPECT_EQ(test, 0ULL, info.submitted);
	KUNIT_EXPECT_EQ(test, 0ULL, info.busy_ns);
}

static void accel_queue_lost(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 1);
	struct mock_job job = { .op = MOCK_INSTANT };
	struct accel_queue_info info;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, queue.timeline, 1, S64_MAX));
	info = accel_queue_tell(mock, queue.id);
	KUNIT_EXPECT_EQ(test, -EIO, info.status);
	KUNIT_EXPECT_EQ(test, 1ULL, info.failed);
	KUNIT_EXPECT_EQ(test, -EIO, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 1ULL, accel_queue_tell(mock, queue.id).submitted);
	mock_destroy(mock, queue.id);
	KUNIT_EXPECT_EQ(test, -ENOENT, mock_submit(mock, queue.id, &job));
}

/* Nobody will ever let these go. */
static void accel_queue_destroy_with_held_jobs(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 never = mock_timeline(mock, 0);
	u32 i;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	for (i = 2; i <= 4; i++)
		MOCK_SUBMIT(mock, queue, .tag = i, .wait_count = 1,
			    .waits = { { never, 0, 1 } });
	mock_destroy(mock, queue.id);

	MOCK_EXPECT_LOG(mock, 1);
	KUNIT_EXPECT_EQ(test, 1, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 4ULL, mock_completed(mock, queue.timeline));
	for (i = 1; i <= 4; i++)
		KUNIT_EXPECT_EQ(test, -ECANCELED,
				mock_status(mock, queue.timeline, i));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_FENCES));
	/* What they waited for calls nobody. */
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, never, 1));
	MOCK_EXPECT_LOG(mock, 1);
}

static void accel_queue_timeline_outlives_it(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT);
	mock_destroy(mock, queue.id);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_QUEUES));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, queue.timeline, 2, S64_MAX));
	KUNIT_EXPECT_EQ(test, -EPERM, mock_signal(mock, queue.timeline, 2));
	mock_destroy(mock, queue.timeline);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_TIMELINES));
}

/* The id of its timeline goes first: the queue works on. */
static void accel_queue_outlives_timeline_id(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	mock_destroy(mock, queue.timeline);
	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT, .tag = 1);
	MOCK_EXPECT_LOG(mock, 1);
	KUNIT_EXPECT_EQ(test, 1ULL,
			accel_queue_tell(mock, queue.id).completed);
}

static void accel_queue_client_is_the_file(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = mock_queue(mock, 0, 0).id;
	struct accel_queue *queue = accel_queue_get(mock->file, id);

	KUNIT_ASSERT_NOT_NULL(test, queue);
	KUNIT_EXPECT_EQ(test, mock->file->id, accel_queue_client(queue));
	/* It stays while it is used. */
	mock_destroy(mock, id);
	KUNIT_EXPECT_NULL(test, accel_queue_get(mock->file, id));
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_QUEUES));
	accel_queue_put(queue);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_QUEUES));
}

static void accel_queue_info_refuses(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_queue_info args = { .size = sizeof(args) };

	KUNIT_EXPECT_EQ(test, -ENOENT, MOCK_IOCTL(mock, QUEUE_INFO, &args));
	args.id = mock_queue(mock, 0, 0).id;
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, MOCK_IOCTL(mock, QUEUE_INFO, &args));
	KUNIT_EXPECT_EQ(test, -ENODEV, TRY_QUEUE(mock, .engine = 0));
}

static struct kunit_case accel_queue_cases[] = {
	KUNIT_CASE(accel_queue_arguments),
	KUNIT_CASE(accel_queue_limit),
	KUNIT_CASE(accel_queue_tells),
	KUNIT_CASE(accel_queue_lost),
	KUNIT_CASE(accel_queue_destroy_with_held_jobs),
	KUNIT_CASE(accel_queue_timeline_outlives_it),
	KUNIT_CASE(accel_queue_outlives_timeline_id),
	KUNIT_CASE(accel_queue_client_is_the_file),
	KUNIT_CASE(accel_queue_info_refuses),
	{}
};

struct kunit_suite accel_queue_suite = {
	.name = "accel_queue",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_queue_cases,
};
