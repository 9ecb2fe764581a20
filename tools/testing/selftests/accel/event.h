/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events, and threads that sleep until there is one. As in accel_test.h, helpers
 * return 0 or a negative errno unless they say otherwise.
 */
#ifndef SELFTESTS_ACCEL_EVENT_H
#define SELFTESTS_ACCEL_EVENT_H

#include "unplug.h"

#include <poll.h>

#define EVENT_SIZE	sizeof(struct accel_event)

/* Returns what poll() says of it, now or within @ms; without end if that is -1. */
static inline int event_poll_until(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) < 0 ? -errno : pfd.revents;
}

static inline int event_poll(int fd)
{
	return event_poll_until(fd, 0);
}

/* Returns the bytes read. */
static inline ssize_t event_read(int fd, void *buf, size_t size)
{
	ssize_t ret = read(fd, buf, size);

	return ret < 0 ? -errno : ret;
}

static inline void expect_is(struct __test_metadata *_metadata,
			     const struct accel_event *event, __u32 type,
			     __u32 queue, int error, __u64 point, __u64 count)
{
	EXPECT_EQ(EVENT_SIZE, event->size);
	EXPECT_EQ(type, event->type);
	EXPECT_EQ(queue, event->queue);
	EXPECT_EQ(error, event->error);
	EXPECT_EQ(point, event->point);
	EXPECT_EQ(count, event->count);
}

static inline void expect_event(struct __test_metadata *_metadata, int fd,
				__u32 type, __u32 queue, int error, __u64 point,
				__u64 count)
{
	struct accel_event event;

	memset(&event, 0xaa, sizeof(event));
	ASSERT_EQ(EVENT_SIZE, event_read(fd, &event, sizeof(event)));
	expect_is(_metadata, &event, type, queue, error, point, count);
}

/* A thread that reads one event, or polls for one. */
struct sleeper {
	int fd;
	bool polls;
	pthread_t thread;
	pid_t tid;
	ssize_t ret;
	struct accel_event event;
};

static inline void *sleeper_run(void *arg)
{
	struct sleeper *sleeper = arg;

	__atomic_store_n(&sleeper->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	sleeper->ret = sleeper->polls ? event_poll_until(sleeper->fd, -1) :
		       event_read(sleeper->fd, &sleeper->event, EVENT_SIZE);
	return NULL;
}

/* When this returns it is asleep in there: both say so before they look. */
static inline int sleeper_start(struct sleeper *sleeper)
{
	if (pthread_create(&sleeper->thread, NULL, sleeper_run, sleeper))
		return -EAGAIN;
	while (!__atomic_load_n(&sleeper->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	return wait_asleep(sleeper->tid);
}

#endif /* SELFTESTS_ACCEL_EVENT_H */
