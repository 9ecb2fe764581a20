// SPDX-License-Identifier: GPL-2.0-only
/* What tests share with others: fences of another driver's, and file descriptors. */
#include "mock.h"

#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/sync_file.h>

static const char *mock_foreign_name(struct dma_fence *fence)
{
	return "mock";
}

static const struct dma_fence_ops mock_foreign_ops = {
	.get_driver_name = mock_foreign_name,
	.get_timeline_name = mock_foreign_name,
};

struct mock_foreign *mock_foreign_of(struct mock *mock, u64 context, u64 seqno)
{
	struct mock_foreign *fence = kzalloc_obj(*fence, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(mock->test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &mock_foreign_ops, &fence->lock,
		       context, seqno);
	return fence;
}

struct mock_foreign *mock_foreign(struct mock *mock)
{
	return mock_foreign_of(mock, dma_fence_context_alloc(1), 1);
}

void mock_foreign_signal(struct mock_foreign *fence, int error)
{
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
}

/* A file descriptor of a sync_file, which takes a reference. */
int mock_sync_file(struct mock *mock, struct dma_fence *fence)
{
	struct sync_file *sync = sync_file_create(fence);
	int fd;

	KUNIT_ASSERT_NOT_NULL(mock->test, sync);
	fd = get_unused_fd_flags(O_CLOEXEC);
	KUNIT_ASSERT_GE(mock->test, fd, 0);
	fd_install(fd, sync->file);
	return fd;
}

/* A kernel thread's last reference would wait for a worker. */
void mock_close(struct mock *mock, int fd)
{
	struct file *file = fget(fd);

	KUNIT_ASSERT_NOT_NULL(mock->test, file);
	KUNIT_EXPECT_EQ(mock->test, 0, close_fd(fd));
	__fput_sync(file);
}

/* @fd may be NULL where nothing but an error is expected. */
long mock_give(struct mock *mock, u32 type, u32 timeline, u64 value, u32 flags,
	       int *fd)
{
	struct accel_timeline_export args = {
		.size = sizeof(args),
		.id = timeline,
		.value = value,
		.type = type,
		.flags = flags,
		.fd = fd ? *fd : -1,
	};
	long ret = MOCK_IOCTL(mock, TIMELINE_EXPORT, &args);

	if (fd)
		*fd = args.fd;
	else
		KUNIT_EXPECT_EQ(mock->test, -1, args.fd);
	return ret;
}

long mock_take(struct mock *mock, u32 type, int fd, u64 value, u32 *timeline)
{
	struct accel_timeline_import args = {
		.size = sizeof(args),
		.type = type,
		.fd = fd,
		.value = value,
		.id = *timeline,
	};
	long ret = MOCK_IOCTL(mock, TIMELINE_IMPORT, &args);

	*timeline = args.id;
	return ret;
}

/* The fence of a sync_file for a point, with a reference. */
struct dma_fence *mock_point_fence(struct mock *mock, u32 timeline, u64 value)
{
	struct dma_fence *fence;
	int fd = -1;

	KUNIT_ASSERT_EQ(mock->test, 0L,
			mock_give(mock, ACCEL_FD_SYNC_FILE, timeline, value, 0,
				  &fd));
	fence = sync_file_get_fence(fd);
	KUNIT_ASSERT_NOT_NULL(mock->test, fence);
	mock_close(mock, fd);
	return fence;
}
