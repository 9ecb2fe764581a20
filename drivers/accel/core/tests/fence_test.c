// SPDX-License-Identifier: GPL-2.0-only
/* Buffers put jobs in order, through the fences in their reservation objects. */
#include "mock.h"

#include <kunit/device.h>
#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/poll.h>
#include <linux/sync_file.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <uapi/linux/sync_file.h>

static long accel_fence_sync(struct mock *mock, u32 bo, u32 flags)
{
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = bo,
		.flags = flags,
	};

	return mock_ioctl(mock, ACCEL_IOCTL_BO_SYNC, &args, sizeof(args));
}

static void accel_fence_reader_after_writer(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, b, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_READ } });
	MOCK_EXPECT_LOG(mock, 1);
	/* Failure is an end like any other. */
	mock_finish(mock, 0, -EDOM);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, b.timeline, 1));
}

static void accel_fence_writer_after_readers(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 0, 0);
	struct mock_queue w = mock_queue(mock, 1, 0);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_READ } });
	MOCK_SUBMIT(mock, b, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_READ } });
	MOCK_SUBMIT(mock, w, .tag = 3, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	/* Readers do not wait for each other. */
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish_tag(mock, 2, 0);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish_tag(mock, 1, 0);
	MOCK_EXPECT_LOG(mock, 1, 2, 3);
	mock_finish(mock, 1, 0);
}

static void accel_fence_cpu_access(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 read = mock_bo(mock), written = mock_bo(mock);

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 2,
		    .bos = { { read, ACCEL_BO_READ },
			     { written, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fence_sync(mock, read, ACCEL_SYNC_READ));
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_fence_sync(mock, read, ACCEL_SYNC_WRITE));
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_fence_sync(mock, written, ACCEL_SYNC_READ));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fence_sync(mock, read, ACCEL_SYNC_WRITE));
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fence_sync(mock, written, ACCEL_SYNC_READ));
}

/* A job that is held leaves nothing in its buffers, for nobody may wait for it. */
static void accel_fence_none_while_held(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue held = mock_queue(mock, 0, 0);
	struct mock_queue other = mock_queue(mock, 1, 0);
	unsigned long give_up = jiffies + 30 * HZ;
	u32 timeline = mock_timeline(mock, 0);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, held, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } }, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } });
	KUNIT_EXPECT_EQ(test, 0L, accel_fence_sync(mock, bo, ACCEL_SYNC_WRITE));
	MOCK_SUBMIT(mock, other, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	MOCK_EXPECT_LOG(mock, 2);

	/* Once it is let go, it waits for who came before. */
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, held.timeline, 1, 0));
	mock_finish(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, -ETIME,
			mock_wait(mock, held.timeline, 1,
				  ktime_get_ns() + NSEC_PER_MSEC));
	/* A worker lets it go; mock_finish() fails the test if none does. */
	while (!mock_running(mock, 0) && time_before(jiffies, give_up))
		cond_resched();
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, held.timeline, 1));
}

/* Two jobs name the same buffers in opposite order. */
static void accel_fence_opposite_orders(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 x = mock_bo(mock), y = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .tag = 1, .bo_count = 2,
		    .bos = { { x, ACCEL_BO_WRITE }, { y, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, b, .tag = 2, .bo_count = 2,
		    .bos = { { y, ACCEL_BO_WRITE }, { x, ACCEL_BO_WRITE } });
	MOCK_EXPECT_LOG(mock, 1);
	mock_finish(mock, 0, 0);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 1, 0);
}

/* What is in a buffer's reservation object: its newest fence, with a reference. */
static struct dma_fence *accel_fence_of_bo(struct mock *mock, u32 bo)
{
	struct dma_resv *resv = mock_find_bo(mock, bo)->resv;
	struct dma_fence *fence = NULL;

	KUNIT_ASSERT_EQ(mock->test, 0, dma_resv_lock(resv, NULL));
	KUNIT_EXPECT_EQ(mock->test, 0,
			dma_resv_get_singleton(resv, DMA_RESV_USAGE_BOOKKEEP,
					       &fence));
	dma_resv_unlock(resv);
	return fence;
}

/* A zero timeout is enough for what has signalled. */
static void accel_fence_zero_timeout(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bo = mock_bo(mock);
	struct dma_resv *resv = mock_find_bo(mock, bo)->resv;
	struct dma_fence *fence;

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	fence = accel_fence_of_bo(mock, bo);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_EXPECT_EQ(test, 0L, dma_fence_wait_timeout(fence, false, 0));
	KUNIT_EXPECT_EQ(test, -ETIME, mock_wait(mock, queue.timeline, 1, 0));
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_fence_sync(mock, bo, ACCEL_SYNC_READ));

	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_LT(test, 0L, dma_fence_wait_timeout(fence, false, 0));
	KUNIT_EXPECT_LT(test, 0L,
			dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP,
					      false, 0));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, queue.timeline, 1, 0));
	KUNIT_EXPECT_EQ(test, 0L, accel_fence_sync(mock, bo, ACCEL_SYNC_WRITE));
	dma_fence_put(fence);
}

struct accel_fence_look {
	struct dma_fence_cb cb;
	struct irq_work work;
	struct dma_fence *fence;
	bool signalled;
};

static void accel_fence_look_fn(struct irq_work *work)
{
	struct accel_fence_look *look = container_of(work,
						     struct accel_fence_look,
						     work);

	look->signalled = dma_fence_is_signaled(look->fence);
}

static void accel_fence_look_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct accel_fence_look *look = container_of(cb, struct accel_fence_look,
						     cb);

	/* As soon as the lock of this fence is free. */
	irq_work_queue(&look->work);
}

/*
 * Two points are reached at once, and one fence is signalled after the other. Who
 * hears of the first may know of the second point, and then the fence does too.
 */
static void accel_fence_is_not_behind_its_point(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bos[] = { mock_bo(mock), mock_bo(mock) };
	struct accel_fence_look look = {};
	struct dma_fence *first;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bos); i++)
		MOCK_SUBMIT(mock, queue, .tag = i + 1, .bo_count = 1,
			    .bos = { { bos[i], ACCEL_BO_WRITE } });
	first = accel_fence_of_bo(mock, bos[0]);
	look.fence = accel_fence_of_bo(mock, bos[1]);
	init_irq_work(&look.work, accel_fence_look_fn);
	KUNIT_ASSERT_EQ(test, 0, dma_fence_add_callback(first, &look.cb,
							accel_fence_look_cb));
	mock_finish_tag(mock, 2, -EDOM);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(look.fence));
	mock_finish_tag(mock, 1, 0);
	irq_work_sync(&look.work);
	KUNIT_EXPECT_TRUE(test, look.signalled);
	KUNIT_EXPECT_EQ(test, -EDOM, dma_fence_get_status(look.fence));
	KUNIT_EXPECT_EQ(test, 1, dma_fence_get_status(first));
	dma_fence_put(first);
	dma_fence_put(look.fence);
}

struct accel_fence_use {
	struct dma_fence_cb cb;
	struct accel_bo *bo;
	int users;
	unsigned int refs;
};

static void accel_fence_use_cb(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct accel_fence_use *use = container_of(cb, struct accel_fence_use, cb);

	use->users = atomic_read(&use->bo->users);
	use->refs = refcount_read(&use->bo->obj.refs);
}

/* Who hears of a job's end may have its buffers moved, or be rid of them. */
static void accel_fence_ends_the_use(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 bo = mock_bo(mock);
	struct accel_fence_use use = { .bo = mock_find_bo(mock, bo), .users = -1 };
	struct dma_fence *fence;

	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { bo, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 1, atomic_read(&use.bo->users));
	KUNIT_EXPECT_EQ(test, 2U, refcount_read(&use.bo->obj.refs));
	fence = accel_fence_of_bo(mock, bo);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	KUNIT_ASSERT_EQ(test, 0, dma_fence_add_callback(fence, &use.cb,
							accel_fence_use_cb));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, use.users);
	KUNIT_EXPECT_EQ(test, 1U, use.refs);
	dma_fence_put(fence);
}

/* Nobody can depend on a job that is held, and whose end nobody has promised. */
static void accel_fence_held_is_not_published(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue a = mock_queue(mock, 0, 0);
	struct mock_queue b = mock_queue(mock, 1, 0);
	u32 never = mock_timeline(mock, 0), promised = mock_timeline(mock, 0);
	u32 first = mock_bo(mock), behind = mock_bo(mock), chain = mock_bo(mock);

	MOCK_SUBMIT(mock, a, .bo_count = 1, .bos = { { first, ACCEL_BO_WRITE } },
		    .wait_count = 1, .waits = { { never, 0, 1 } },
		    .signal_count = 1, .signals = { { promised, 0, 1 } });
	/* Nothing is in its way but the one before it. */
	MOCK_SUBMIT(mock, a, .bo_count = 1, .bos = { { behind, ACCEL_BO_READ } });
	/* It waits for a promise, but a held job's. */
	MOCK_SUBMIT(mock, b, .bo_count = 1, .bos = { { chain, ACCEL_BO_WRITE } },
		    .wait_count = 1, .waits = { { promised, 0, 1 } });
	KUNIT_EXPECT_NULL(test, accel_fence_of_bo(mock, first));
	KUNIT_EXPECT_NULL(test, accel_fence_of_bo(mock, behind));
	KUNIT_EXPECT_NULL(test, accel_fence_of_bo(mock, chain));

	/* The end of its queue ends the first two, and lets the third go. */
	mock_destroy(mock, a.id);
	KUNIT_EXPECT_NULL(test, accel_fence_of_bo(mock, first));
	KUNIT_EXPECT_NULL(test, accel_fence_of_bo(mock, behind));
	mock_until(mock, mock_running(mock, 1));
	mock_finish(mock, 1, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, b.timeline, 1, S64_MAX));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_FENCES));
}

/* Somebody who has a reservation object locked until told. */
struct accel_fence_locker {
	struct work_struct work;
	struct dma_resv *resv;
	struct completion locked;
	struct completion unlock;
};

static void accel_fence_lock_fn(struct work_struct *work)
{
	struct accel_fence_locker *locker =
		container_of(work, struct accel_fence_locker, work);

	dma_resv_lock(locker->resv, NULL);
	complete(&locker->locked);
	wait_for_completion(&locker->unlock);
	dma_resv_unlock(locker->resv);
}

static void accel_fence_lock(struct accel_fence_locker *locker,
			     struct dma_resv *resv)
{
	locker->resv = resv;
	init_completion(&locker->locked);
	init_completion(&locker->unlock);
	INIT_WORK_ONSTACK(&locker->work, accel_fence_lock_fn);
	queue_work(system_dfl_wq, &locker->work);
	wait_for_completion(&locker->locked);
}

static void accel_fence_unlock(struct accel_fence_locker *locker)
{
	complete(&locker->unlock);
	flush_work(&locker->work);
	destroy_work_on_stack(&locker->work);
}

/*
 * Two jobs are let go at once. Who holds a buffer of the second may wait for the fence
 * of the first: that one runs, though the second cannot be let go yet.
 */
static void accel_fence_let_go_one_by_one(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 timeline = mock_timeline(mock, 0);
	u32 first = mock_bo(mock), second = mock_bo(mock);
	struct accel_fence_locker locker;

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { first, ACCEL_BO_WRITE } }, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } });
	MOCK_SUBMIT(mock, queue, .tag = 2, .bo_count = 1,
		    .bos = { { second, ACCEL_BO_WRITE } }, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } });

	accel_fence_lock(&locker, mock_find_bo(mock, second)->resv);
	KUNIT_EXPECT_EQ(test, 0L, mock_signal(mock, timeline, 1));
	mock_until(mock, mock_running(mock, 0));
	accel_fence_unlock(&locker);

	mock_until(mock, mock_running(mock, 0) == 2);
	MOCK_EXPECT_LOG(mock, 1, 2);
	mock_finish(mock, 0, 0);
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_status(mock, queue.timeline, 2));
}

struct accel_fence_listener {
	struct dma_fence_cb cb;
	int called;
	int status;
};

static void accel_fence_listen(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	struct accel_fence_listener *listener =
		container_of(cb, struct accel_fence_listener, cb);

	listener->called++;
	listener->status = dma_fence_get_status_locked(fence);
}

static void accel_fence_expect_file_info(struct mock *mock,
					 struct sync_file *sync, int status)
{
	struct sync_file_info info = { .num_fences = 1 };
	struct kunit *test = mock->test;
	struct sync_fence_info fence;

	info.sync_fence_info = mock->user + 0x1000;
	KUNIT_ASSERT_EQ(test, 0UL,
			copy_to_user(mock_user(mock, 0), &info, sizeof(info)));
	KUNIT_ASSERT_EQ(test, 0L,
			sync->file->f_op->unlocked_ioctl(sync->file,
							 SYNC_IOC_FILE_INFO,
							 mock->user));
	KUNIT_ASSERT_EQ(test, 0UL,
			copy_from_user(&info, mock_user(mock, 0), sizeof(info)));
	KUNIT_ASSERT_EQ(test, 0UL,
			copy_from_user(&fence, mock_user(mock, 0x1000),
				       sizeof(fence)));
	KUNIT_EXPECT_EQ(test, status, info.status);
	KUNIT_EXPECT_EQ(test, status, fence.status);
	/* A later kernel asks us no more once it has signalled. */
	KUNIT_EXPECT_NE(test, 0, fence.driver_name[0]);
	KUNIT_EXPECT_NE(test, 0, fence.obj_name[0]);
	if (status)
		return;
	KUNIT_EXPECT_STREQ(test, "accel", fence.driver_name);
	KUNIT_EXPECT_STREQ(test, "queue", fence.obj_name);
}

/*
 * The device, its driver and the file are gone. Two fences and sync_files made
 * of them are not: that of a job that ended before, and that of one that did not.
 */
static void accel_fence_outlives_device(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queues[2] = {
		mock_queue(mock, 0, 0), mock_queue(mock, 1, 0),
	};
	static const int statuses[2] = { -EDOM, -ENODEV };
	struct accel_fence_listener listeners[2] = {};
	struct sync_file *syncs[2];
	struct dma_fence *fences[2];
	u32 bo;
	int i;

	for (i = 0; i < 2; i++) {
		bo = mock_bo(mock);
		MOCK_SUBMIT(mock, queues[i], .tag = i, .bo_count = 1,
			    .bos = { { bo, ACCEL_BO_WRITE } });
		fences[i] = accel_fence_of_bo(mock, bo);
		KUNIT_ASSERT_NOT_NULL(test, fences[i]);
		syncs[i] = sync_file_create(fences[i]);
		KUNIT_ASSERT_NOT_NULL(test, syncs[i]);
		KUNIT_EXPECT_EQ(test, 0, dma_fence_get_status(fences[i]));
		KUNIT_EXPECT_EQ(test, 0,
				dma_fence_add_callback(fences[i],
						       &listeners[i].cb,
						       accel_fence_listen));
		KUNIT_EXPECT_FALSE(test, vfs_poll(syncs[i]->file, NULL) & EPOLLIN);
		accel_fence_expect_file_info(mock, syncs[i], 0);
	}
	mock_finish(mock, 0, -EDOM);
	mock_unregister(mock);
	accel_file_destroy(mock->file);
	mock->file = NULL;
	kunit_device_unregister(test, mock->parent);
	mock->parent = NULL;
	mock->dev = NULL;
	accel_census_drain();

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, 1, listeners[i].called);
		KUNIT_EXPECT_EQ(test, statuses[i], listeners[i].status);
		KUNIT_EXPECT_EQ(test, statuses[i], dma_fence_get_status(fences[i]));
		KUNIT_EXPECT_LT(test, 0L,
				dma_fence_wait_timeout(fences[i], false, 0));
		KUNIT_EXPECT_TRUE(test, vfs_poll(syncs[i]->file, NULL) & EPOLLIN);
		KUNIT_EXPECT_EQ(test, -ENOENT,
				dma_fence_add_callback(fences[i],
						       &listeners[i].cb,
						       accel_fence_listen));
		accel_fence_expect_file_info(mock, syncs[i], statuses[i]);
		/* The sync_file has the last reference, and it is enough. */
		KUNIT_EXPECT_EQ(test, 2, kref_read(&fences[i]->refcount));
		dma_fence_put(fences[i]);
		accel_fence_expect_file_info(mock, syncs[i], statuses[i]);
		__fput_sync(syncs[i]->file);
	}
}

static struct kunit_case accel_fence_cases[] = {
	KUNIT_CASE(accel_fence_reader_after_writer),
	KUNIT_CASE(accel_fence_writer_after_readers),
	KUNIT_CASE(accel_fence_cpu_access),
	KUNIT_CASE(accel_fence_none_while_held),
	KUNIT_CASE(accel_fence_opposite_orders),
	KUNIT_CASE(accel_fence_zero_timeout),
	KUNIT_CASE(accel_fence_is_not_behind_its_point),
	KUNIT_CASE(accel_fence_ends_the_use),
	KUNIT_CASE(accel_fence_held_is_not_published),
	KUNIT_CASE(accel_fence_let_go_one_by_one),
	KUNIT_CASE(accel_fence_outlives_device),
	{}
};

struct kunit_suite accel_fence_suite = {
	.name = "accel_fence",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_fence_cases,
};
