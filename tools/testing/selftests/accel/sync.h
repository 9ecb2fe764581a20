/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sync_files, and another driver's fences to make them of: sw_sync, whose fences
 * signal when a test says so. As in accel_test.h, helpers return 0 or a negative
 * errno unless they say otherwise.
 */
#ifndef SELFTESTS_ACCEL_SYNC_H
#define SELFTESTS_ACCEL_SYNC_H

#include "accel_test.h"

#include <poll.h>

#include <linux/sync_file.h>

/* The kernel has no header of it for userspace. */
struct sw_sync_fence {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC			"/sys/kernel/debug/sync/sw_sync"
#define SW_SYNC_FENCE		_IOWR('W', 0, struct sw_sync_fence)
#define SW_SYNC_INC		_IOW('W', 1, __u32)
#define SW_SYNC_MISSING		"no sw_sync in this kernel, see config"

/* A line of fences; closed, it fails those that have not signalled with ENOENT. */
static inline int sw_sync_open(void)
{
	int fd = open(SW_SYNC, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A sync_file that signals when the line has come to @value. */
static inline int sw_sync_fence(int line, __u32 value)
{
	struct sw_sync_fence arg = { .value = value, .name = "accel test" };

	return ioctl(line, SW_SYNC_FENCE, &arg) ? -errno : arg.fence;
}

static inline int sw_sync_inc(int line, __u32 count)
{
	return ioctl(line, SW_SYNC_INC, &count) ? -errno : 0;
}

/* 0 is not signalled, 1 is, and what is negative went wrong; 2 is no status. */
static inline int sync_status(int sync)
{
	struct sync_file_info info = {};

	return ioctl(sync, SYNC_IOC_FILE_INFO, &info) ? 2 : info.status;
}

static inline int sync_merge(int a, int b)
{
	struct sync_merge_data merge = { .name = "accel test", .fd2 = b };

	return ioctl(a, SYNC_IOC_MERGE, &merge) ? -errno : merge.fence;
}

/* Whether it is readable, now or within @ms. */
static inline bool is_readable(int fd, int ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return poll(&poll_fd, 1, ms) == 1 && poll_fd.revents & POLLIN;
}

#define EXPECT_SYNC(expected, sync) do {				\
	EXPECT_TRUE(is_readable(sync, WAIT_MS));			\
	EXPECT_EQ(expected, sync_status(sync));				\
} while (0)

#define EXPECT_UNSIGNALLED(sync) do {					\
	EXPECT_FALSE(is_readable(sync, 0));				\
	EXPECT_EQ(0, sync_status(sync));				\
} while (0)

#endif /* SELFTESTS_ACCEL_SYNC_H */
