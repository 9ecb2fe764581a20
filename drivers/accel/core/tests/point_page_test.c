// SPDX-License-Identifier: GPL-2.0-only
/* The page of a queue's timeline, from the kernel's side. */
#include "mock.h"

static void point_page_expect(struct mock *mock, u32 id, u64 completed, u64 failed)
{
	struct accel_queue *queue = accel_queue_get(mock->file, id);

	KUNIT_ASSERT_NOT_NULL(mock->test, queue);
	KUNIT_EXPECT_EQ(mock->test, completed, queue->timeline->page->completed);
	KUNIT_EXPECT_EQ(mock->test, failed, queue->timeline->page->failed);
	accel_queue_put(queue);
}

static void accel_point_page_follows(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	point_page_expect(mock, queue.id, 0, 0);
	MOCK_SUBMIT(mock, queue, .tag = 1);
	MOCK_SUBMIT(mock, queue, .tag = 2);
	point_page_expect(mock, queue.id, 0, 0);
	/* The hardware may end them in any order, the points do not. */
	mock_finish_tag(mock, 2, -EDOM);
	point_page_expect(mock, queue.id, 0, 0);
	mock_finish_tag(mock, 1, 0);
	point_page_expect(mock, queue.id, 2, 1);
}

static void accel_point_page_device_gone(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);

	MOCK_SUBMIT(mock, queue);
	mock_unregister(mock);
	point_page_expect(mock, queue.id, 1, 1);
}

static struct kunit_case accel_point_page_cases[] = {
	KUNIT_CASE(accel_point_page_follows),
	KUNIT_CASE(accel_point_page_device_gone),
	{}
};

struct kunit_suite accel_point_page_suite = {
	.name = "accel_point_page",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_point_page_cases,
};
