// SPDX-License-Identifier: GPL-2.0-only
/* The fences in a dma-buf: those of our jobs, which others see, and those of others. */
#include "dmabuf.h"
#include "unplug.h"

FIXTURE(fences)
{
	int fd;
	struct accel_query_device dev;
	struct accel_bo_create bo;
	int dma_buf;
	struct accel_queue_create queue;	/* whose jobs hang */
};

FIXTURE_SETUP(fences)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, bo_create(self->fd, 0, PAGE, &self->bo));
	self->dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, self->dma_buf);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
}

FIXTURE_TEARDOWN(fences)
{
	EXPECT_EQ(0, close(self->dma_buf));
	accel_teardown(_metadata, self->fd);
}

/* Others see in the dma-buf that a job uses the memory, and whether it writes. */
TEST_F(fences, seen_by_others)
{
	static const struct {
		__u32 use;
		bool readable;
	} uses[] = {
		{ ACCEL_BO_READ, true },
		{ ACCEL_BO_WRITE, false },
		{ ACCEL_BO_READ | ACCEL_BO_NO_IMPLICIT, true },
		{ ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT, false },
	};
	int to_read, to_write, idle;
	struct test_job job;
	__u64 point;
	size_t i;

	for (i = 0; i < ARRAY_LEN(uses); i++) {
		job = job_hang();
		job_bo(&job, self->bo.id, uses[i].use);
		idle = dma_buf_export_fence(self->dma_buf, DMA_BUF_SYNC_WRITE);
		ASSERT_LE(0, idle);
		ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
		to_read = dma_buf_export_fence(self->dma_buf, DMA_BUF_SYNC_READ);
		to_write = dma_buf_export_fence(self->dma_buf, DMA_BUF_SYNC_WRITE);
		ASSERT_LE(0, to_read);
		ASSERT_LE(0, to_write);
		EXPECT_EQ(uses[i].readable, dma_buf_is_idle(self->dma_buf, POLLIN));
		EXPECT_FALSE(dma_buf_is_idle(self->dma_buf, POLLOUT));
		EXPECT_EQ(uses[i].readable, sync_file_is_signalled(to_read));
		EXPECT_FALSE(sync_file_is_signalled(to_write));
		EXPECT_TRUE(sync_file_is_signalled(idle));
		ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
		EXPECT_POINT(0, self->fd, self->queue.timeline, point);
		EXPECT_TRUE(dma_buf_becomes_idle(self->dma_buf, POLLIN));
		EXPECT_TRUE(dma_buf_becomes_idle(self->dma_buf, POLLOUT));
		EXPECT_TRUE(sync_file_is_signalled(to_read));
		EXPECT_TRUE(sync_file_is_signalled(to_write));
		ASSERT_EQ(0, close(idle));
		ASSERT_EQ(0, close(to_read));
		ASSERT_EQ(0, close(to_write));
	}
}

/* What others put in the dma-buf, a job waits for, unless it is told not to. */
TEST_F(fences, of_others)
{
	struct accel_queue_create busy, waits, hurries;
	struct test_job job = job_hang();
	struct accel_bo_create bo;
	int other, theirs, fence;
	__u64 hang, waiting, point;

	other = accel_open();
	ASSERT_LE(0, other);
	ASSERT_EQ(0, bo_create(other, 0, PAGE, &bo));
	theirs = bo_export(other, bo.id, 0);
	ASSERT_LE(0, theirs);
	ASSERT_EQ(0, queue_create(other, 0, self->dev.timeout_max_ms, &busy));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &waits));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &hurries));
	job_bo(&job, bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(other, busy.id, &job, &hang));
	fence = dma_buf_export_fence(theirs, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, dma_buf_import_fence(self->dma_buf, DMA_BUF_SYNC_WRITE,
					  fence));

	job = job_nop();
	job_bo(&job, self->bo.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, waits.id, &job, &waiting));
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, waits.timeline, waiting);
	EXPECT_EQ(-ETIME, bo_sync(self->fd, self->bo.id, ACCEL_SYNC_READ, 0));
	job.bos[0].flags |= ACCEL_BO_NO_IMPLICIT;
	ASSERT_EQ(0, submit_one(self->fd, hurries.id, &job, &point));
	EXPECT_POINT(0, self->fd, hurries.timeline, point);
	EXPECT_PENDING(self->fd, waits.timeline, waiting);

	ASSERT_EQ(0, hang_release(other, busy.id));
	EXPECT_POINT(0, self->fd, waits.timeline, waiting);
	ASSERT_EQ(0, close(fence));
	ASSERT_EQ(0, close(theirs));
	ASSERT_EQ(0, close(other));
}

struct waiter {
	int dma_buf;
	pid_t tid;
	int ret;
	bool done;
};

static void *wait_for_access(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
	waiter->ret = dma_buf_sync(waiter->dma_buf, DMA_BUF_SYNC_START |
				   DMA_BUF_SYNC_RW);
	__atomic_store_n(&waiter->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The CPU gets its turn, by the dma-buf's own ioctl, when the job is done. */
TEST_F(fences, access)
{
	struct test_job job = job_hang();
	struct waiter waiter = { .dma_buf = self->dma_buf };
	pthread_t thread;
	__u64 point;
	pid_t tid;

	EXPECT_EQ(0, dma_buf_sync(self->dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dma_buf_sync(self->dma_buf, DMA_BUF_SYNC_END |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(-EINVAL, dma_buf_sync(self->dma_buf, DMA_BUF_SYNC_START));

	job_bo(&job, self->bo.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, self->queue.id, &job, &point));
	/* A reader need not wait for a reader. */
	EXPECT_EQ(0, dma_buf_sync(self->dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_READ));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_access, &waiter));
	do {
		tid = __atomic_load_n(&waiter.tid, __ATOMIC_ACQUIRE);
	} while (!tid);
	EXPECT_EQ(0, wait_asleep(tid));
	EXPECT_FALSE(__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, hang_release(self->fd, self->queue.id));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, waiter.ret);
}

TEST_HARNESS_MAIN
