// SPDX-License-Identifier: GPL-2.0-only
/* Many fences in many buffers: what a job waits for, once each, and how much of it. */
#include "mock_dmabuf.h"

#include <linux/dma-fence.h>

#define QUEUES	3

/* Of the newest job of a queue that has not started; 0 if there is none. */
static u32 accel_implicit_waits(struct mock *mock, struct mock_queue id)
{
	struct accel_queue *queue = mock_find_queue(mock, id.id);

	guard(spinlock_irqsave)(&queue->engine->lock);
	if (list_empty(&queue->jobs))
		return 0;
	return list_last_entry(&queue->jobs, struct accel_job, link)->implicit_count;
}

/* As many as there are queues, and not once more for each buffer. */
static void accel_implicit_once_per_queue(struct kunit *test)
{
	static const u32 orders[][QUEUES] = {
		{ 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 },
		{ 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 },
	};
	struct mock *mock = test->priv;
	struct mock_job read = { .bo_count = MOCK_JOB_BOS };
	struct mock_job write = { .bo_count = MOCK_JOB_BOS };
	struct mock_queue readers[QUEUES], writer;
	u32 i, j, started = 0;

	for (i = 0; i < MOCK_JOB_BOS; i++) {
		read.bos[i].id = mock_bo(mock);
		read.bos[i].flags = ACCEL_BO_READ;
		write.bos[i].id = read.bos[i].id;
		write.bos[i].flags = ACCEL_BO_WRITE;
	}
	/* All of them find room. */
	for (i = 0; i < QUEUES; i++)
		readers[i] = mock_queue(mock, i % 2, 0);
	writer = mock_queue(mock, 1, 0);

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		for (j = 0; j < QUEUES; j++) {
			read.tag = j + 1;
			KUNIT_ASSERT_EQ(test, 0L, mock_submit(mock, readers[j].id,
							      &read));
		}
		KUNIT_ASSERT_EQ(test, 0L, mock_submit(mock, writer.id, &write));
		KUNIT_EXPECT_EQ(test, QUEUES, accel_implicit_waits(mock, writer));
		started += QUEUES;
		for (j = 0; j < QUEUES; j++) {
			KUNIT_EXPECT_EQ(test, started, mock->dev->log_count);
			mock_finish_tag(mock, orders[i][j], 0);
		}
		KUNIT_EXPECT_EQ(test, ++started, mock->dev->log_count);
		mock_finish_tag(mock, 0, 0);
	}
}

/*
 * Whichever buffer is looked at first, a writer of both waits once, for the later of the
 * jobs with the tags 0 and 1, which run on the other engine.
 */
static void accel_implicit_expect_last(struct mock *mock, struct mock_queue writer,
				       u32 bo, u32 other)
{
	struct kunit *test = mock->test;

	MOCK_SUBMIT(mock, writer, .bo_count = 2,
		    .bos = { { bo, ACCEL_BO_WRITE }, { other, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 1, accel_implicit_waits(mock, writer));
	mock_finish_tag(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 1));
	mock_finish_tag(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, 1, mock_running(mock, 1));
	mock_finish(mock, 1, 0);
}

static void accel_implicit_last_of_a_queue(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue reader = mock_queue(mock, 0, 0);
	struct mock_queue writer = mock_queue(mock, 1, 0);
	u32 bos[] = { mock_bo(mock), mock_bo(mock) };
	u32 i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++)
			MOCK_SUBMIT(mock, reader, .tag = j, .bo_count = 1,
				    .bos = { { bos[j], ACCEL_BO_READ } });
		accel_implicit_expect_last(mock, writer, bos[i], bos[!i]);
	}
}

/* Fences of points have a context each, and are waited for as the points. */
static void accel_implicit_last_of_a_timeline(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue promiser = mock_queue(mock, 0, 0);
	struct mock_queue writer = mock_queue(mock, 1, 0);
	u32 bos[] = { mock_bo(mock), mock_bo(mock) };
	u32 timeline = mock_timeline(mock, 0);
	struct dma_fence *fence;
	u32 i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			MOCK_SUBMIT(mock, promiser, .tag = j, .signal_count = 1,
				    .signals = { { timeline, 0, 2 * i + j + 1 } });
			fence = mock_point_fence(mock, timeline, 2 * i + j + 1);
			mock_fence_add(test, mock_find_bo(mock, bos[j])->resv,
				       fence, DMA_RESV_USAGE_WRITE);
			dma_fence_put(fence);
		}
		accel_implicit_expect_last(mock, writer, bos[i], bos[!i]);
	}
}

static void accel_implicit_last_of_a_context(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bos[] = { mock_bo(mock), mock_bo(mock) };
	u64 context = dma_fence_context_alloc(1);
	struct mock_foreign *fences[2];
	u32 i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			fences[j] = mock_foreign_of(mock, context, 2 * i + j + 1);
			mock_fence_add(test, mock_find_bo(mock, bos[j])->resv,
				       &fences[j]->base, DMA_RESV_USAGE_WRITE);
		}
		MOCK_SUBMIT(mock, queue, .bo_count = 2,
			    .bos = { { bos[i], ACCEL_BO_READ },
				     { bos[!i], ACCEL_BO_READ } });
		KUNIT_EXPECT_EQ(test, 1, accel_implicit_waits(mock, queue));
		mock_foreign_signal(fences[0], 0);
		accel_census_drain();
		KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0));
		mock_foreign_signal(fences[1], 0);
		mock_until(mock, mock_running(mock, 0) == 1);
		mock_finish(mock, 0, 0);
		for (j = 0; j < 2; j++)
			dma_fence_put(&fences[j]->base);
	}
}

#define FENCES	(ACCEL_IMPLICIT_MAX + 1)

/* Whoever does not wait for a fence has no reference to it. */
static void accel_implicit_expect_references(struct kunit *test,
					     struct mock_foreign **fences,
					     u32 count)
{
	u32 i, others = 0;

	/* The test has one, and the reservation object. */
	for (i = 0; i < FENCES; i++)
		others += kref_read(&fences[i]->base.refcount) != 2;
	KUNIT_EXPECT_EQ(test, count, others);
}

static void accel_implicit_limit(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bo = mock_bo(mock), timeline = mock_timeline(mock, 0), i;
	struct mock_job job = {
		.bo_count = 1,
		.bos = { { bo, ACCEL_BO_READ } },
	};
	struct mock_foreign **fences;

	fences = kunit_kcalloc(test, FENCES, sizeof(*fences), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fences);
	for (i = 0; i < FENCES; i++) {
		fences[i] = mock_foreign(mock);
		mock_fence_add(test, mock_find_bo(mock, bo)->resv,
			       &fences[i]->base, DMA_RESV_USAGE_WRITE);
	}
	KUNIT_ASSERT_EQ(test, -EAGAIN, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
	accel_implicit_expect_references(test, fences, 0);

	/* One that was accepted before that was found out ends with it. */
	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { bo, ACCEL_BO_READ } },
		    .wait_count = 1, .waits = { { timeline, 0, 1 } });
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	KUNIT_EXPECT_EQ(test, -EAGAIN,
			mock_wait(mock, queue.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
	accel_implicit_expect_references(test, fences, 0);
	KUNIT_EXPECT_EQ(test, 0U, mock->dev->log_count);

	mock_foreign_signal(fences[0], 0);
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	KUNIT_EXPECT_EQ(test, ACCEL_IMPLICIT_MAX,
			accel_implicit_waits(mock, queue));
	for (i = 1; i < FENCES; i++) {
		KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0));
		mock_foreign_signal(fences[i], 0);
	}
	mock_until(mock, mock_running(mock, 0) == 1);
	mock_finish(mock, 0, 0);
	for (i = 0; i < FENCES; i++)
		dma_fence_put(&fences[i]->base);
}

static struct kunit_case accel_implicit_cases[] = {
	KUNIT_CASE(accel_implicit_once_per_queue),
	KUNIT_CASE(accel_implicit_last_of_a_queue),
	KUNIT_CASE(accel_implicit_last_of_a_timeline),
	KUNIT_CASE(accel_implicit_last_of_a_context),
	KUNIT_CASE(accel_implicit_limit),
	{}
};

struct kunit_suite accel_implicit_suite = {
	.name = "accel_implicit",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_implicit_cases,
};
