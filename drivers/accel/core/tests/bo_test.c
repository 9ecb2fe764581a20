// SPDX-License-Identifier: GPL-2.0-only
/* Buffers: what is refused, and mappings of them. What is in them: memory_test.c. */
#include "mock.h"

#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

static long accel_bo_try(struct mock *mock, u32 region, u64 length, u32 flags)
{
	struct accel_bo_create args = {
		.size = sizeof(args),
		.region = region,
		.length = length,
		.flags = flags,
	};

	return MOCK_IOCTL(mock, BO_CREATE, &args);
}

static long accel_bo_try_sync(struct mock *mock, u32 id, u32 flags, s64 deadline)
{
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = id,
		.flags = flags,
		.deadline_ns = deadline,
	};

	return MOCK_IOCTL(mock, BO_SYNC, &args);
}

static void accel_bo_arguments(struct kunit *test)
{
	const u64 ram = (u64)totalram_pages() << PAGE_SHIFT;
	struct mock *mock = test->priv;

	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, accel_bo_try(mock, 0, 1, 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_bo_try(mock, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_bo_try(mock, 2, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_bo_try(mock, U32_MAX, 1, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_bo_try(mock, 0, U64_MAX, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_bo_try(mock, 0, S64_MAX, 0));
	KUNIT_EXPECT_EQ(test, -ENOMEM, accel_bo_try(mock, 0, ram + PAGE_SIZE, 0));
	/* Nothing of these is left. */
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
	KUNIT_EXPECT_EQ(test, 1, mock_bo(mock));
}

static void accel_bo_full_region(struct kunit *test)
{
	struct mock *mock = test->priv;
	atomic64_t *used = &mock->dev->local.used;
	struct accel_bo_create most;

	most = mock_bo_in(mock, MOCK_LOCAL_REGION, MOCK_LOCAL_SIZE - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			accel_bo_try(mock, MOCK_LOCAL_REGION, PAGE_SIZE + 1, 0));
	KUNIT_EXPECT_EQ(test, MOCK_LOCAL_SIZE - PAGE_SIZE,
			(u64)atomic64_read(used));
	mock_bo_in(mock, MOCK_LOCAL_REGION, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			accel_bo_try(mock, MOCK_LOCAL_REGION, 1, 0));
	mock_destroy(mock, most.id);
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, (u64)atomic64_read(used));
	mock_bo_in(mock, MOCK_LOCAL_REGION, PAGE_SIZE);
}

static void accel_bo_tells(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_create a = mock_bo_in(mock, 0, PAGE_SIZE + 1);
	struct accel_bo_create b = mock_bo_in(mock, MOCK_LOCAL_REGION, 1);
	struct accel_bo_info info = { .size = sizeof(info), .id = b.id };

	KUNIT_EXPECT_EQ(test, 2ULL * PAGE_SIZE, a.length);
	KUNIT_EXPECT_GE(test, a.mmap_offset, (u64)SZ_4G);
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_INFO, &info));
	KUNIT_EXPECT_EQ(test, PAGE_SIZE, info.length);
	KUNIT_EXPECT_EQ(test, MOCK_LOCAL_REGION, info.region);
	KUNIT_EXPECT_EQ(test, 0, info.flags);
	KUNIT_EXPECT_EQ(test, b.mmap_offset, info.mmap_offset);
	/* They do not overlap. */
	KUNIT_EXPECT_TRUE(test, a.mmap_offset + a.length <= b.mmap_offset ||
			  b.mmap_offset + b.length <= a.mmap_offset);
	info.id = 99;
	KUNIT_EXPECT_EQ(test, -ENOENT, MOCK_IOCTL(mock, BO_INFO, &info));
}

static void accel_bo_sync_arguments(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 bo = mock_bo(mock);
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = bo,
		.flags = ACCEL_SYNC_READ,
		.reserved = 1,
	};

	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, BO_SYNC, &args));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, accel_bo_try_sync(mock, bo, 8, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_bo_try_sync(mock, bo, 0, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_END, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_WRITE, -1));
	KUNIT_EXPECT_EQ(test, -ENOENT,
			accel_bo_try_sync(mock, 99, ACCEL_SYNC_WRITE, 0));
	KUNIT_EXPECT_EQ(test, 0L,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_WRITE |
					  ACCEL_SYNC_END, -1));
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_READ, 0));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_WRITE |
					  ACCEL_SYNC_END, 0));
}

/* Deadlines of every kind, on a buffer in use and on one that is not. */
static void accel_bo_sync_waits(struct kunit *test)
{
	const s64 soon = ktime_get_ns() + NSEC_PER_MSEC;
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue late = mock_queue(mock, 1, 1);
	u32 bo = mock_bo(mock);

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_READ, 0));
	KUNIT_EXPECT_EQ(test, -ETIME,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_READ, soon));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0L,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_READ, 0));
	KUNIT_EXPECT_EQ(test, 0L,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_WRITE, S64_MAX));

	/* Until the job is ended, by a timeout. */
	MOCK_SUBMIT(mock, late, .tag = 2, .bo_count = 1,
		    .bos = { { bo, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 0L,
			accel_bo_try_sync(mock, bo, ACCEL_SYNC_READ, S64_MAX));
	KUNIT_EXPECT_EQ(test, 1, mock->dev->aborted);
}

static unsigned long accel_bo_map(struct file *filp, u64 offset, size_t size)
{
	return vm_mmap(filp, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       offset);
}

static struct file *accel_bo_open(struct mock *mock)
{
	struct file *filp = mock_open(mock);

	KUNIT_ASSERT_FALSE(mock->test, IS_ERR(filp));
	accel_file_destroy(mock->file);
	mock->file = filp->private_data;
	return filp;
}

static void accel_bo_close(struct mock *mock, struct file *filp)
{
	__fput_sync(filp);
	mock->file = NULL;
}

static void accel_bo_mmap_refuses(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_file *other = mock->file;
	u64 of_other = mock_bo_in(mock, 0, 1).mmap_offset, private;
	struct file *filp = mock_open(mock);
	struct accel_bo_create bo;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	mock->file = filp->private_data;
	bo = mock_bo_in(mock, 0, 2 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_bo_map(filp, of_other, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL,
			accel_bo_map(filp, bo.mmap_offset, 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL,
			accel_bo_map(filp, bo.mmap_offset + PAGE_SIZE,
				     2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL,
			accel_bo_map(filp, 0, PAGE_SIZE));
	private = vm_mmap(filp, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE,
			  bo.mmap_offset);
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL, private);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_MAPPINGS));

	/* An id that is gone maps nothing, nor does a device. */
	mock_destroy(mock, bo.id);
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL,
			accel_bo_map(filp, bo.mmap_offset, PAGE_SIZE));
	bo = mock_bo_in(mock, 0, 1);
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, (unsigned long)-ENODEV,
			accel_bo_map(filp, bo.mmap_offset, PAGE_SIZE));
	__fput_sync(filp);
	mock->file = other;
}

/* Who is killed in the kernel does not come to take the signal: the access ends. */
static void accel_bo_fault_of_the_killed(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = accel_bo_open(mock);
	struct accel_bo_create bo = mock_bo_in(mock, 0, PAGE_SIZE);
	unsigned long addr = accel_bo_map(filp, bo.mmap_offset, PAGE_SIZE);
	int ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	ret = put_user(7, (u32 __user *)addr);
	clear_thread_flag(TIF_SIGPENDING);
	sigdelset(&current->pending.signal, SIGKILL);
	KUNIT_EXPECT_EQ(test, -EFAULT, ret);
	KUNIT_EXPECT_EQ(test, 0, put_user(7, (u32 __user *)addr));
	vm_munmap(addr, PAGE_SIZE);
	accel_bo_close(mock, filp);
}

/* A mapping keeps the buffer, but the buffer's id is needed for another. */
static void accel_bo_mapping_outlives_id(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = accel_bo_open(mock);
	struct accel_bo_create bo = mock_bo_in(mock, 0, 2 * PAGE_SIZE);
	u32 __user *word;
	unsigned long addr;
	u32 value = 1;

	addr = accel_bo_map(filp, bo.mmap_offset, bo.length);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	word = (u32 __user *)(addr + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, 0, get_user(value, word));
	KUNIT_EXPECT_EQ(test, 0U, value);
	mock_destroy(mock, bo.id);
	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_bo_map(filp, bo.mmap_offset, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, put_user(7, word));
	KUNIT_EXPECT_EQ(test, 0, get_user(value, word));
	KUNIT_EXPECT_EQ(test, 7, value);

	/* Half of it is unmapped, then the rest. */
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_MAPPINGS));
	KUNIT_EXPECT_EQ(test, 0, get_user(value, word));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_MAPPINGS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
	accel_bo_close(mock, filp);
}

/* A hole in the middle: two mappings, each with a reference. */
static void accel_bo_mapping_is_split(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = accel_bo_open(mock);
	struct accel_bo_create bo = mock_bo_in(mock, 0, 3 * PAGE_SIZE);
	unsigned long addr = accel_bo_map(filp, bo.mmap_offset, bo.length);

	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr + PAGE_SIZE, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_MAPPINGS));
	KUNIT_EXPECT_EQ(test, 3,
			refcount_read(&mock_find_bo(mock, bo.id)->obj.refs));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, 3 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 1,
			refcount_read(&mock_find_bo(mock, bo.id)->obj.refs));
	accel_bo_close(mock, filp);
}

/* The device's memory goes with it: from the pages that were touched as well. */
static void accel_bo_local_memory_goes(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = accel_bo_open(mock);
	struct accel_bo_create bo;
	unsigned long addr;
	u32 value = 0;

	bo = mock_bo_in(mock, MOCK_LOCAL_REGION, 2 * PAGE_SIZE);
	addr = accel_bo_map(filp, bo.mmap_offset, bo.length);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, 0, put_user(7, (u32 __user *)addr));
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, 0LL, atomic64_read(&mock->dev->local.used));
	KUNIT_EXPECT_EQ(test, -EFAULT, get_user(value, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, -EFAULT,
			get_user(value, (u32 __user *)(addr + PAGE_SIZE)));
	KUNIT_EXPECT_EQ(test, 0U, value);
	vm_munmap(addr, bo.length);
	accel_bo_close(mock, filp);
}

static int accel_bo_wants_dma(struct mock *mock, struct accel_job *job)
{
	return accel_bo_map_dma(job->bos[0].bo);
}

/* A region that knows no DMA says so, and SUBMIT with it. */
static void accel_bo_no_dma(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_job job = {
		.bo_count = 1,
		.bos = { { mock_bo_in(mock, MOCK_LOCAL_REGION, 1).id,
			   ACCEL_BO_READ } },
	};

	mock->dev->on_validate = accel_bo_wants_dma;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mock_submit(mock, queue.id, &job));
}

static struct kunit_case accel_bo_cases[] = {
	KUNIT_CASE(accel_bo_arguments),
	KUNIT_CASE(accel_bo_full_region),
	KUNIT_CASE(accel_bo_tells),
	KUNIT_CASE(accel_bo_sync_arguments),
	KUNIT_CASE(accel_bo_sync_waits),
	KUNIT_CASE(accel_bo_mmap_refuses),
	KUNIT_CASE(accel_bo_fault_of_the_killed),
	KUNIT_CASE(accel_bo_mapping_outlives_id),
	KUNIT_CASE(accel_bo_mapping_is_split),
	KUNIT_CASE(accel_bo_local_memory_goes),
	KUNIT_CASE(accel_bo_no_dma),
	{}
};

struct kunit_suite accel_bo_suite = {
	.name = "accel_bo",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_bo_cases,
};
