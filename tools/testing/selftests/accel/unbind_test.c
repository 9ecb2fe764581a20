// SPDX-License-Identifier: GPL-2.0-only
/* The device goes while it is in use, and comes back for those who open it anew. */
#include "accel_test.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

FIXTURE(unbind)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
};

FIXTURE_SETUP(unbind)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
}

FIXTURE_TEARDOWN(unbind)
{
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, vaccel_bind());
	EXPECT_EQ(0, census_total());
}

static sigjmp_buf fault_env;

static void on_fault(int signal)
{
	siglongjmp(fault_env, signal);
}

/* The signal that touching @byte gives, or 0. */
static int touch(volatile __u8 *byte)
{
	int signal;

	signal = sigsetjmp(fault_env, 1);
	if (!signal)
		(*byte)++;
	return signal;
}

/* The device's memory is not reached any more; the system's is as before. */
TEST_F(unbind, mappings)
{
	struct accel_bo_create local, shmem;
	__u8 *local_map, *shmem_map;

	ASSERT_EQ(0, bo_create(self->fd, ACCEL_VACCEL_REGION_LOCAL, 8192,
			       &local));
	ASSERT_EQ(0, bo_create(self->fd, ACCEL_VACCEL_REGION_SYSTEM, 8192,
			       &shmem));
	local_map = bo_map(self->fd, &local);
	shmem_map = bo_map(self->fd, &shmem);
	ASSERT_TRUE(local_map != MAP_FAILED && shmem_map != MAP_FAILED);
	ASSERT_TRUE(signal(SIGBUS, on_fault) != SIG_ERR);
	EXPECT_EQ(0, touch(local_map));
	memset(shmem_map, 0x5a, 8192);

	ASSERT_EQ(0, vaccel_unbind());
	/* A page that was there, and one that was not. */
	EXPECT_EQ(SIGBUS, touch(local_map));
	EXPECT_EQ(SIGBUS, touch(local_map + 4096));
	EXPECT_EQ(8192, span(shmem_map, 0x5a, 8192));
	EXPECT_EQ(0, munmap(local_map, 8192));
	EXPECT_EQ(0, munmap(shmem_map, 8192));
}

struct waiter {
	int fd;
	__u32 timeline;
	int ret;
	__s32 status;
};

static void *wait_for_1(void *arg)
{
	struct waiter *w = arg;

	w->ret = point_wait_until(w->fd, w->timeline, 1, deadline_ms(WAIT_MS),
				  &w->status);
	return NULL;
}

/* Whoever waits is told, be it for a job or for a point that nobody promised. */
TEST_F(unbind, waiters)
{
	struct waiter waiters[2];
	pthread_t threads[2];
	__u32 timeline;
	__u64 point;
	int i;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &timeline));
	ASSERT_EQ(0, submit_hang(self->fd, self->queue.id, &point));
	for (i = 0; i < 2; i++) {
		waiters[i].fd = self->fd;
		waiters[i].timeline = i ? timeline : self->queue.timeline;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, wait_for_1,
					    &waiters[i]));
	}
	usleep(200000);
	ASSERT_EQ(0, vaccel_unbind());
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, waiters[i].ret);
		EXPECT_EQ(-ENODEV, waiters[i].status);
	}
	EXPECT_EQ(-ENODEV, submit_nop(self->fd, self->queue.id, &point));
}

TEST_HARNESS_MAIN
