// SPDX-License-Identifier: GPL-2.0-only
/* dma-bufs of somebody who moves them: when he may, and what becomes of mappings. */
#include "mock_dmabuf.h"

#include <linux/dma-mapping.h>
#include <linux/scatterlist.h>

/* As a driver does it that is given such a buffer. */
static int accel_move_validate(struct mock *mock, struct accel_job *job)
{
	return accel_bo_map_dma(job->bos[0].bo);
}

static int accel_move_init(struct kunit *test)
{
	int ret = mock_init_with(test, MOCK_REACHES_ALL);
	struct mock *mock = test->priv;

	mock->dev->on_validate = accel_move_validate;
	return ret;
}

struct accel_move {
	struct mock_dmabuf *used, *moved;
	u32 used_id, moved_id;
};

static struct mock_dmabuf *accel_move_import(struct mock *mock, u32 *id)
{
	struct mock_dmabuf *buf = mock_dmabuf(mock->test, MOCK_DMABUF_WRITE |
							  MOCK_DMABUF_MOVES);

	*id = mock_imported(mock, buf->dma_buf).id;
	return buf;
}

/* One that a job uses, and one that has just been moved away. */
static struct accel_move accel_move_two(struct mock *mock)
{
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_move two;

	two.used = accel_move_import(mock, &two.used_id);
	two.moved = accel_move_import(mock, &two.moved_id);
	KUNIT_EXPECT_EQ(mock->test, 0, mock_dmabuf_move(two.moved));
	MOCK_SUBMIT(mock, queue, .bo_count = 1,
		    .bos = { { two.used_id, ACCEL_BO_WRITE } });
	return two;
}

static void accel_move_expect(struct kunit *test, struct mock_dmabuf *buf,
			      int mapped, int pinned)
{
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, 1, buf->attached);
	KUNIT_EXPECT_EQ(test, mapped, buf->mapped);
	KUNIT_EXPECT_EQ(test, pinned, buf->pinned);
}

/* Mapped when it is imported, and anew when a job is to use it. */
static void accel_move_while_idle(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_dmabuf *buf;
	struct accel_bo *bo;
	u32 id, i;

	buf = accel_move_import(mock, &id);
	bo = mock_find_bo(mock, id);
	for (i = 0; i < 2; i++) {
		accel_move_expect(test, buf, 1, 0);
		KUNIT_EXPECT_EQ(test, 0, mock_dmabuf_move(buf));
		accel_move_expect(test, buf, 0, 0);
		KUNIT_EXPECT_NULL(test, bo->sgt);

		MOCK_SUBMIT(mock, queue, .tag = i, .bo_count = 1,
			    .bos = { { id, ACCEL_BO_WRITE } });
		KUNIT_ASSERT_NOT_NULL(test, bo->sgt);
		KUNIT_EXPECT_EQ(test, page_to_phys(buf->pages),
				sg_dma_address(bo->sgt->sgl));
		accel_move_expect(test, buf, 1, 1);
		mock_finish(mock, 0, 0);
	}
	accel_move_expect(test, buf, 1, 0);
}

/* From SUBMIT on, held or not, until the last of the jobs has ended. */
static void accel_move_while_used(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue held = mock_queue(mock, 1, 0);
	u32 timeline = mock_timeline(mock, 0);
	struct mock_dmabuf *buf;
	u32 id;

	buf = accel_move_import(mock, &id);
	MOCK_SUBMIT(mock, held, .tag = 1, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ } }, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } });
	accel_move_expect(test, buf, 1, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, mock_dmabuf_move(buf));

	MOCK_SUBMIT(mock, queue, .tag = 2, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ } });
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	mock_until(mock, mock_running(mock, 1) == 1);
	mock_finish(mock, 1, 0);
	accel_move_expect(test, buf, 1, 1);
	KUNIT_EXPECT_EQ(test, -EBUSY, mock_dmabuf_move(buf));

	mock_finish(mock, 0, -EIO);
	accel_move_expect(test, buf, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_dmabuf_move(buf));
	accel_move_expect(test, buf, 0, 0);
}

/* Those that have it go on; it is nobody else's, not even one's that was accepted. */
static void accel_move_revoked(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue held = mock_queue(mock, 1, 0);
	u32 timeline = mock_timeline(mock, 0);
	struct mock_dmabuf *buf;
	struct mock_job job = { .op = MOCK_INSTANT, .bo_count = 1 };
	u32 id;

	buf = accel_move_import(mock, &id);
	job.bos[0] = (struct accel_submit_bo) { id, ACCEL_BO_READ };
	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { id, ACCEL_BO_READ } });
	MOCK_SUBMIT(mock, held, .bo_count = 1, .bos = { { id, ACCEL_BO_READ } },
		    .wait_count = 1, .waits = { { timeline, 0, 1 } });
	mock_dmabuf_revoke(buf);
	accel_move_expect(test, buf, 1, 1);
	KUNIT_EXPECT_EQ(test, -EAGAIN, mock_submit(mock, queue.id, &job));

	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	KUNIT_EXPECT_EQ(test, -EAGAIN, mock_wait(mock, held.timeline, 1, S64_MAX));
	accel_move_expect(test, buf, 1, 1);
	mock_finish(mock, 0, 0);
	accel_move_expect(test, buf, 0, 0);

	/* Whether there is anything to be had is for the exporter to say. */
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	accel_move_expect(test, buf, 1, 0);
}

/* It cannot be mapped where it is now: SUBMIT says so, and another may work. */
static void accel_move_and_fail(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job job = { .op = MOCK_INSTANT, .bo_count = 1 };
	struct mock_dmabuf *buf;
	u32 id;

	buf = accel_move_import(mock, &id);
	job.bos[0] = (struct accel_submit_bo) { id, ACCEL_BO_WRITE };
	KUNIT_EXPECT_EQ(test, 0, mock_dmabuf_move(buf));
	buf->map_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, -ENOMEM, mock_submit(mock, queue.id, &job));
	accel_move_expect(test, buf, 0, 0);
	buf->map_error = 0;
	buf->pin_error = -EDOM;
	KUNIT_EXPECT_EQ(test, -EDOM, mock_submit(mock, queue.id, &job));
	accel_move_expect(test, buf, 0, 0);
	buf->pin_error = 0;
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	accel_move_expect(test, buf, 1, 0);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
}

static void accel_move_refused_at_import(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_MOVES);
	struct accel_bo_import args;

	buf->pin_error = -ENOSPC;
	KUNIT_EXPECT_EQ(test, -ENOSPC, mock_bo_import(mock, buf->dma_buf, &args));
	buf->pin_error = 0;
	buf->map_error = -EIO;
	KUNIT_EXPECT_EQ(test, -EIO, mock_bo_import(mock, buf->dma_buf, &args));
	KUNIT_EXPECT_EQ(test, 0, buf->attached);
	KUNIT_EXPECT_EQ(test, 0, buf->pinned);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_ATTACHMENTS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
}

static void accel_move_device_goes(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_move two = accel_move_two(mock);

	mock_unregister(mock);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, 0, two.used->pinned);
	KUNIT_EXPECT_EQ(test, 0, two.used->attached);
	KUNIT_EXPECT_EQ(test, 0, two.moved->attached);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_ATTACHMENTS));
}

static void accel_move_id_goes(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_move two = accel_move_two(mock);

	mock_destroy(mock, two.moved_id);
	KUNIT_EXPECT_EQ(test, 0, two.moved->attached);

	mock_destroy(mock, two.used_id);
	accel_move_expect(test, two.used, 1, 1);
	mock_finish(mock, 0, 0);
	accel_census_drain();
	KUNIT_EXPECT_EQ(test, 0, two.used->pinned);
	KUNIT_EXPECT_EQ(test, 0, two.used->attached);
}

static struct kunit_case accel_move_cases[] = {
	KUNIT_CASE(accel_move_while_idle),
	KUNIT_CASE(accel_move_while_used),
	KUNIT_CASE(accel_move_revoked),
	KUNIT_CASE(accel_move_and_fail),
	KUNIT_CASE(accel_move_refused_at_import),
	KUNIT_CASE(accel_move_device_goes),
	KUNIT_CASE(accel_move_id_goes),
	{}
};

struct kunit_suite accel_dmabuf_move_suite = {
	.name = "accel_dmabuf_move",
	.init = accel_move_init,
	.exit = mock_dmabuf_exit,
	.test_cases = accel_move_cases,
};
