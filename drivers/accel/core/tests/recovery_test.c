// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens while something else is being recovered from: a job that ends as it
 * is found to be late, queues that wait for each other and are killed, and the end
 * of the device in the middle of a timeout.
 */
#include "mock.h"

#include <linux/delay.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

/* Longer than it takes to submit, on the slowest of machines. */
#define LATE_MS		1000

/* Somebody who does one thing in another thread. */
struct helper {
	struct work_struct work;
	struct mock *mock;
	u32 id;
	bool done;
};

static void accel_recovery_destroy_queue(struct work_struct *work)
{
	struct helper *helper = container_of(work, struct helper, work);
	struct xarray *objects = &helper->mock->file->objects;
	struct accel_object *obj = xa_erase(objects, helper->id);

	/* What the ioctl does, but for the user memory that this thread lacks. */
	obj->type->destroy(obj);
	accel_queue_put(container_of(obj, struct accel_queue, obj));
	WRITE_ONCE(helper->done, true);
}

static void accel_recovery_unregister(struct work_struct *work)
{
	struct helper *helper = container_of(work, struct helper, work);

	accel_unregister(&helper->mock->dev->accel);
}

static struct helper *accel_recovery_helper(struct mock *mock, work_func_t func,
					    u32 id)
{
	struct helper *helper = kunit_kzalloc(mock->test, sizeof(*helper),
					      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(mock->test, helper);
	helper->mock = mock;
	helper->id = id;
	INIT_WORK(&helper->work, func);
	return helper;
}

/* The worker that looks for late jobs has found one, and waits for us to return. */
static void accel_recovery_wait_for_pause(struct mock *mock)
{
	struct accel_engine *engine = &mock->dev->engines[MOCK_SLEEPING_ENGINE];

	mock_until(mock, READ_ONCE(engine->paused));
}

static void accel_recovery_finish_late_job(struct mock *mock,
					   struct accel_job *job)
{
	accel_recovery_wait_for_pause(mock);
	mock_finish(mock, MOCK_SLEEPING_ENGINE, 0);
}

/*
 * A job ends between the moment in which it is found to be late and that in which
 * it would be aborted. It has ended: its queue is not lost, nobody is aborted.
 */
static void accel_recovery_ends_in_the_window(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue late = mock_queue(mock, MOCK_SLEEPING_ENGINE, LATE_MS);
	struct mock_queue other = mock_queue(mock, MOCK_SLEEPING_ENGINE, 0);

	mock->dev->on_run = accel_recovery_finish_late_job;
	MOCK_SUBMIT(mock, late, .tag = 1);
	MOCK_SUBMIT(mock, other, .op = MOCK_HOOK, .tag = 2);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, late.timeline, 1, S64_MAX));
	mock_until(mock, mock_running(mock, MOCK_SLEEPING_ENGINE));
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, late.timeline, 1));

	/* Both queues go on, and so does the engine. */
	mock_finish(mock, MOCK_SLEEPING_ENGINE, 0);
	MOCK_SUBMIT(mock, late, .op = MOCK_INSTANT, .tag = 3);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, late.timeline, 2, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, other.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_FENCES));
}

static void accel_recovery_finish_as_aborted(struct mock *mock,
					     struct accel_job *job)
{
	mock->dev->on_abort = NULL;
	mock_finish(mock, 0, 0);
}

/* The hardware's "done" comes while the job is being aborted: it is too late. */
static void accel_recovery_done_while_aborting(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 1);

	mock->dev->on_abort = accel_recovery_finish_as_aborted;
	MOCK_SUBMIT(mock, queue, .tag = 1);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, queue.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, 1, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
}

/* Two queues, on two engines, each with jobs that wait for the other's. */
static void accel_recovery_entangle(struct mock *mock, struct mock_queue *a,
				    struct mock_queue *b)
{
	u32 x = mock_timeline(mock, 0), y = mock_timeline(mock, 0);

	*a = mock_queue(mock, 0, 0);
	*b = mock_queue(mock, 1, 0);
	/* One runs on each. */
	MOCK_SUBMIT(mock, *a, .tag = 1);
	MOCK_SUBMIT(mock, *b, .tag = 2);
	/* One on each waits for that of the other, which is backed. */
	MOCK_SUBMIT(mock, *a, .tag = 3, .wait_count = 1,
		    .waits = { { b->timeline, 0, 1 } });
	MOCK_SUBMIT(mock, *b, .tag = 4, .wait_count = 1,
		    .waits = { { a->timeline, 0, 2 } });
	/* And one on each for what only the other can signal: a circle. */
	MOCK_SUBMIT(mock, *a, .tag = 5, .wait_count = 1,
		    .waits = { { y, 0, 1 } }, .signal_count = 1,
		    .signals = { { x, 0, 1 } });
	MOCK_SUBMIT(mock, *b, .tag = 6, .wait_count = 1,
		    .waits = { { x, 0, 1 } }, .signal_count = 1,
		    .signals = { { y, 0, 1 } });
	MOCK_EXPECT_LOG(mock, 1, 2);
}

static void accel_recovery_expect_all(struct mock *mock, struct mock_queue a,
				      struct mock_queue b, int status)
{
	u32 i;

	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(mock->test, status,
				mock_wait(mock, a.timeline, i, S64_MAX));
		KUNIT_EXPECT_EQ(mock->test, status,
				mock_wait(mock, b.timeline, i, S64_MAX));
	}
	KUNIT_EXPECT_EQ(mock->test, 0L, mock_count(ACCEL_CENSUS_JOBS));
}

static void accel_recovery_kill_one_then_other(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a, b;

	accel_recovery_entangle(mock, &a, &b);
	mock_destroy(mock, a.id);
	/* The rest of the other goes on, for what it waited for has ended. */
	mock_until(mock, mock_running(mock, 1) == 2);
	mock_destroy(mock, b.id);
	accel_recovery_expect_all(mock, a, b, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 3, mock->dev->aborted);
}

static struct helper *accel_recovery_second;

/* While the first queue's job is being aborted, another thread kills the second. */
static void accel_recovery_kill_second(struct mock *mock, struct accel_job *job)
{
	mock->dev->on_abort = NULL;
	queue_work(system_dfl_wq, &accel_recovery_second->work);
	/* Its own engine, its own lock: it is done before we are. */
	mock_until(mock, READ_ONCE(accel_recovery_second->done));
}

static void accel_recovery_kill_both_at_once(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a, b;

	accel_recovery_entangle(mock, &a, &b);
	accel_recovery_second = accel_recovery_helper(mock,
						      accel_recovery_destroy_queue,
						      b.id);
	mock->dev->on_abort = accel_recovery_kill_second;
	mock_destroy(mock, a.id);
	flush_work(&accel_recovery_second->work);
	accel_recovery_expect_all(mock, a, b, -ECANCELED);
	KUNIT_EXPECT_EQ(test, 2, mock->dev->aborted);
}

static void accel_recovery_close_entangled(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a, b;

	accel_recovery_entangle(mock, &a, &b);
	accel_file_destroy(mock->file);
	mock->file = NULL;
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0) + mock_running(mock, 1));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_QUEUES));
}

static void accel_recovery_unregister_entangled(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a, b;

	accel_recovery_entangle(mock, &a, &b);
	mock_unregister(mock);
	accel_recovery_expect_all(mock, a, b, -ENODEV);
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0) + mock_running(mock, 1));
}

/* A look at the clock is due in a minute: it must not come, there is no clock. */
static void accel_recovery_unregister_before_timeout(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_engine *engine = &mock->dev->engines[0];

	MOCK_SUBMIT(mock, queue, .tag = 1);
	KUNIT_EXPECT_TRUE(test, delayed_work_pending(&engine->timeout_work));
	mock_unregister(mock);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&engine->timeout_work));
	KUNIT_EXPECT_FALSE(test, work_busy(&engine->timeout_work.work));
	KUNIT_EXPECT_FALSE(test, work_busy(&engine->start_work));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			mock_wait(mock, queue.timeline, 1, S64_MAX));
}

/* The device goes while a timeout aborts a job. */
static void accel_recovery_go_away(struct mock *mock, struct accel_job *job)
{
	mock->dev->on_abort = NULL;
	mock->gone = true;
	queue_work(system_dfl_wq, &accel_recovery_second->work);
	mock_until(mock, accel_dev_is_gone(&mock->dev->accel));
}

static void accel_recovery_unregister_in_timeout(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue late = mock_queue(mock, 0, LATE_MS);
	struct mock_queue other = mock_queue(mock, 0, 0);
	struct accel_engine *engine = &mock->dev->engines[0];

	accel_recovery_second = accel_recovery_helper(mock,
						      accel_recovery_unregister,
						      0);
	mock->dev->on_abort = accel_recovery_go_away;
	MOCK_SUBMIT(mock, late, .tag = 1);
	MOCK_SUBMIT(mock, other, .tag = 2);
	MOCK_SUBMIT(mock, other, .tag = 3);
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, late.timeline, 1, S64_MAX));
	flush_work(&accel_recovery_second->work);

	KUNIT_EXPECT_EQ(test, -ENODEV,
			mock_wait(mock, other.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			mock_wait(mock, other.timeline, 2, S64_MAX));
	/* The third may have been started in between. */
	KUNIT_EXPECT_LE(test, 2, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0));
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&engine->timeout_work));
	KUNIT_EXPECT_FALSE(test, work_busy(&engine->timeout_work.work));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
}

/* The queue is destroyed while a timeout aborts its job. */
static void accel_recovery_destroy_in_timeout(struct mock *mock,
					      struct accel_job *job)
{
	mock->dev->on_abort = NULL;
	queue_work(system_dfl_wq, &accel_recovery_second->work);
	mock_until(mock, READ_ONCE(job->queue->closed));
}

static void accel_recovery_queue_goes_in_timeout(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue late = mock_queue(mock, 0, LATE_MS);

	accel_recovery_second = accel_recovery_helper(mock,
						      accel_recovery_destroy_queue,
						      late.id);
	mock->dev->on_abort = accel_recovery_destroy_in_timeout;
	MOCK_SUBMIT(mock, late, .tag = 1);
	MOCK_SUBMIT(mock, late, .tag = 2);
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, late.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			mock_wait(mock, late.timeline, 2, S64_MAX));
	flush_work(&accel_recovery_second->work);
	KUNIT_EXPECT_EQ(test, 2, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_QUEUES));
}

struct accel_recovery_linger {
	struct dma_fence_cb cb;
	struct wait_queue_head *wait;
};

static void accel_recovery_linger_cb(struct dma_fence *fence,
				     struct dma_fence_cb *cb)
{
	struct accel_recovery_linger *linger =
		container_of(cb, struct accel_recovery_linger, cb);
	int ms;

	/* With interrupts off, so that there is an end even if nobody comes. */
	for (ms = 0; ms < 1000 && !waitqueue_active(linger->wait); ms++)
		mdelay(1);
}

/*
 * The queue is destroyed while its jobs are being ended by somebody else, who
 * lingers after the first until the destroyer waits for the second.
 */
static void accel_recovery_queue_goes_while_jobs_end(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue late = mock_queue(mock, 0, LATE_MS);
	struct accel_recovery_linger linger;
	struct dma_fence *fence;
	void *var;

	accel_recovery_second = accel_recovery_helper(mock,
						      accel_recovery_destroy_queue,
						      late.id);
	mock->dev->on_abort = accel_recovery_destroy_in_timeout;
	MOCK_SUBMIT(mock, late, .tag = 1);
	MOCK_SUBMIT(mock, late, .tag = 2);
	var = &mock_find_timeline(mock, late.timeline)->pending_count;
	linger.wait = __var_waitqueue(var);
	fence = mock_point_fence(mock, late.timeline, 1);
	KUNIT_ASSERT_EQ(test, 0,
			dma_fence_add_callback(fence, &linger.cb,
					       accel_recovery_linger_cb));

	mock_until(mock, READ_ONCE(accel_recovery_second->done));
	/* Should nobody else have done so. */
	wake_up_var(var);
	KUNIT_EXPECT_EQ(test, -ETIME, mock_status(mock, late.timeline, 1));
	KUNIT_EXPECT_EQ(test, -ECANCELED, mock_status(mock, late.timeline, 2));
	flush_work(&accel_recovery_second->work);
	dma_fence_put(fence);
}

static struct kunit_case accel_recovery_cases[] = {
	KUNIT_CASE(accel_recovery_ends_in_the_window),
	KUNIT_CASE(accel_recovery_done_while_aborting),
	KUNIT_CASE(accel_recovery_kill_one_then_other),
	KUNIT_CASE(accel_recovery_kill_both_at_once),
	KUNIT_CASE(accel_recovery_close_entangled),
	KUNIT_CASE(accel_recovery_unregister_entangled),
	KUNIT_CASE(accel_recovery_unregister_before_timeout),
	KUNIT_CASE(accel_recovery_unregister_in_timeout),
	KUNIT_CASE(accel_recovery_queue_goes_in_timeout),
	KUNIT_CASE(accel_recovery_queue_goes_while_jobs_end),
	{}
};

struct kunit_suite accel_recovery_suite = {
	.name = "accel_recovery",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_recovery_cases,
};
