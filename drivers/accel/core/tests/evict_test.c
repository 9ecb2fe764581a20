// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that make room in a device's memory: which, when, what becomes of them, and
 * how they come back.
 */
#include "mock.h"

#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

#define LOCAL_PAGES	(MOCK_LOCAL_SIZE / PAGE_SIZE)

struct accel_evict_param {
	const char *name;
	enum mock_hardware hardware;
};

/* Where the memory that they move to comes from. */
static const struct accel_evict_param accel_evict_params[] = {
	{ "shmem", MOCK_VIRTUAL },
	{ "DMA API", MOCK_REACHES_28_BITS },
};

static void accel_evict_describe(const struct accel_evict_param *param, char *text)
{
	strscpy(text, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(accel_evict, accel_evict_params, accel_evict_describe);

/* As a driver does it that is given such a buffer. */
static int accel_evict_validate(struct mock *mock, struct accel_job *job)
{
	return accel_bo_vmap(job->bos[0].bo);
}

static int accel_evict_init(struct kunit *test)
{
	const struct accel_evict_param *param = test->param_value;
	int ret = mock_init_with(test, param ? param->hardware : MOCK_VIRTUAL);
	struct mock *mock = test->priv;

	mock->dev->local.flags |= ACCEL_REGION_EVICTS;
	mock->dev->on_validate = accel_evict_validate;
	return ret;
}

static u64 accel_evict_used(struct mock *mock)
{
	return atomic64_read(&mock->dev->local.used);
}

static bool accel_evict_is_out(struct mock *mock, u32 id)
{
	struct accel_bo_info info = { .size = sizeof(info), .id = id };

	KUNIT_ASSERT_EQ(mock->test, 0L, MOCK_IOCTL(mock, BO_INFO, &info));
	KUNIT_EXPECT_EQ(mock->test, MOCK_LOCAL_REGION, info.region);
	return info.flags & ACCEL_BO_EVICTED;
}

/* A buffer with something in each page. */
static u32 accel_evict_bo(struct mock *mock, u32 pages, u32 value)
{
	u32 id = mock_bo_in(mock, MOCK_LOCAL_REGION, pages * PAGE_SIZE).id;
	struct accel_bo *bo = mock_find_bo(mock, id);
	u32 i;

	KUNIT_ASSERT_EQ(mock->test, 0, accel_bo_vmap(bo));
	for (i = 0; i < pages; i++)
		*(u32 *)(bo->vaddr + i * PAGE_SIZE + 16) = value + i;
	return id;
}

static void accel_evict_expect(struct mock *mock, u32 id, u32 value)
{
	struct accel_bo *bo = mock_find_bo(mock, id);
	u32 i;

	KUNIT_ASSERT_EQ(mock->test, 0, accel_bo_vmap(bo));
	for (i = 0; i < bo->size / PAGE_SIZE; i++)
		KUNIT_EXPECT_EQ(mock->test, value + i,
				*(u32 *)(bo->vaddr + i * PAGE_SIZE + 16));
}

static void accel_evict_makes_room(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_region *system = mock->dev->accel.system;
	u32 a = accel_evict_bo(mock, LOCAL_PAGES - 1, 100);
	u32 b = accel_evict_bo(mock, 2, 200);

	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, a));
	KUNIT_EXPECT_FALSE(test, accel_evict_is_out(mock, b));
	KUNIT_EXPECT_EQ(test, 2 * PAGE_SIZE, accel_evict_used(mock));
	KUNIT_EXPECT_EQ(test, (s64)MOCK_LOCAL_SIZE - (s64)PAGE_SIZE,
			atomic64_read(&system->used));
	accel_evict_expect(mock, a, 100);
	accel_evict_expect(mock, b, 200);

	mock_destroy(mock, a);
	mock_destroy(mock, b);
	KUNIT_EXPECT_EQ(test, 0ULL, accel_evict_used(mock));
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&system->used));
}

/* The one that no job has used for longest goes first. */
static void accel_evict_oldest_first(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 ids[LOCAL_PAGES + 1], i;

	for (i = 0; i < LOCAL_PAGES; i++)
		ids[i] = accel_evict_bo(mock, 1, i);
	MOCK_SUBMIT(mock, queue, .op = MOCK_WAIT, .bo_count = 1,
		    .bos = { { ids[0], ACCEL_BO_READ } });
	mock_finish(mock, 0, 0);
	ids[LOCAL_PAGES] = accel_evict_bo(mock, 1, LOCAL_PAGES);
	for (i = 0; i <= LOCAL_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, i == 1, accel_evict_is_out(mock, ids[i]));
		accel_evict_expect(mock, ids[i], i);
	}
}

/* Neither a running job's buffer nor a held one's, until they have ended. */
static void accel_evict_not_what_is_used(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue held = mock_queue(mock, 1, 0);
	u32 a = accel_evict_bo(mock, 2, 100), b = accel_evict_bo(mock, 2, 200);
	u32 timeline = mock_timeline(mock, 0);
	struct accel_bo_create args = {
		.size = sizeof(args),
		.region = MOCK_LOCAL_REGION,
		.length = 1,
	};

	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { a, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, held, .bo_count = 1, .bos = { { b, ACCEL_BO_WRITE } },
		    .wait_count = 1, .waits = { { timeline, 0, 1 } });
	KUNIT_EXPECT_EQ(test, -ENOSPC, MOCK_IOCTL(mock, BO_CREATE, &args));
	KUNIT_EXPECT_EQ(test, (u64)MOCK_LOCAL_SIZE, accel_evict_used(mock));

	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_CREATE, &args));
	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, a));
	KUNIT_EXPECT_FALSE(test, accel_evict_is_out(mock, b));
	accel_evict_expect(mock, a, 100);
}

static void accel_evict_comes_back(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 a = accel_evict_bo(mock, LOCAL_PAGES, 100);
	u32 b = accel_evict_bo(mock, LOCAL_PAGES, 200), i;

	/* Each at the cost of the other. */
	for (i = 0; i < 2; i++) {
		MOCK_SUBMIT(mock, queue, .bo_count = 1,
			    .bos = { { i ? b : a, ACCEL_BO_WRITE } });
		KUNIT_EXPECT_EQ(test, i != 0, accel_evict_is_out(mock, a));
		KUNIT_EXPECT_EQ(test, i != 1, accel_evict_is_out(mock, b));
		mock_finish(mock, 0, 0);
		accel_evict_expect(mock, a, 100);
		accel_evict_expect(mock, b, 200);
		KUNIT_EXPECT_EQ(test, (u64)MOCK_LOCAL_SIZE, accel_evict_used(mock));
	}
}

/* Where there is no room a job uses it where it is, and so do those after it. */
static void accel_evict_stays_out(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue other = mock_queue(mock, 1, 0);
	u32 a = accel_evict_bo(mock, LOCAL_PAGES, 100);
	u32 b = accel_evict_bo(mock, 1, 200);
	struct accel_bo *bo = mock_find_bo(mock, a);
	void *where;

	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { b, ACCEL_BO_READ } });
	MOCK_SUBMIT(mock, other, .bo_count = 1, .bos = { { a, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, a));
	where = bo->vaddr;
	KUNIT_ASSERT_NOT_NULL(test, where);
	accel_evict_expect(mock, a, 100);

	/* Now there is, but that job has the address. */
	mock_finish(mock, 0, 0);
	mock_destroy(mock, b);
	MOCK_SUBMIT(mock, other, .bo_count = 1, .bos = { { a, ACCEL_BO_READ } });
	KUNIT_EXPECT_PTR_EQ(test, where, bo->vaddr);
	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, a));
	mock_finish(mock, 1, 0);
	mock_finish(mock, 1, 0);

	MOCK_SUBMIT(mock, other, .bo_count = 1, .bos = { { a, ACCEL_BO_READ } });
	KUNIT_EXPECT_FALSE(test, accel_evict_is_out(mock, a));
	accel_evict_expect(mock, a, 100);
	mock_finish(mock, 1, 0);
}

/* There is room, but no way to get at it: where it was, all is as it was. */
static void accel_evict_out_of_reach(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 a = accel_evict_bo(mock, LOCAL_PAGES, 100);
	u32 b = accel_evict_bo(mock, 1, 200);

	mock->dev->vmap_error = -ENOMEM;
	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { a, ACCEL_BO_WRITE } });
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, a));
	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, b));
	KUNIT_EXPECT_EQ(test, 0ULL, accel_evict_used(mock));
	accel_evict_expect(mock, a, 100);

	mock->dev->vmap_error = 0;
	MOCK_SUBMIT(mock, queue, .bo_count = 1, .bos = { { a, ACCEL_BO_WRITE } });
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_FALSE(test, accel_evict_is_out(mock, a));
	accel_evict_expect(mock, a, 100);
	accel_evict_expect(mock, b, 200);
}

/* What no eviction makes room for evicts nobody. */
static void accel_evict_too_large(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 a = accel_evict_bo(mock, LOCAL_PAGES, 100);
	struct accel_bo_create args = {
		.size = sizeof(args),
		.region = MOCK_LOCAL_REGION,
		.length = MOCK_LOCAL_SIZE + 1,
	};

	KUNIT_EXPECT_EQ(test, -ENOSPC, MOCK_IOCTL(mock, BO_CREATE, &args));
	KUNIT_EXPECT_FALSE(test, accel_evict_is_out(mock, a));
}

/* A process that has it mapped does not notice, whatever it writes when. */
static void accel_evict_mapped(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_bo_create args;
	struct mock_queue queue;
	u32 __user *word;
	unsigned long addr;
	u32 i, value;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	accel_file_destroy(mock->file);
	mock->file = filp->private_data;
	queue = mock_queue(mock, 0, 0);
	args = mock_bo_in(mock, MOCK_LOCAL_REGION, MOCK_LOCAL_SIZE);
	addr = vm_mmap(filp, 0, args.length, PROT_READ | PROT_WRITE, MAP_SHARED,
		       args.mmap_offset);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	word = (u32 __user *)(addr + PAGE_SIZE);

	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, 0, put_user(i + 1, word));
		if (i & 1) {
			MOCK_SUBMIT(mock, queue, .bo_count = 1,
				    .bos = { { args.id, ACCEL_BO_READ } });
			mock_finish(mock, 0, 0);
		} else {
			mock_destroy(mock, accel_evict_bo(mock, 1, 0));
		}
		KUNIT_EXPECT_EQ(test, !(i & 1), accel_evict_is_out(mock, args.id));
		KUNIT_EXPECT_EQ(test, 0, get_user(value, word));
		KUNIT_EXPECT_EQ(test, i + 1, value);
	}
	vm_munmap(addr, args.length);
	__fput_sync(filp);
	mock->file = NULL;
}

/* Moved or not, it was memory of a device that is gone. */
static void accel_evict_device_goes(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 a = accel_evict_bo(mock, LOCAL_PAGES, 100);
	u32 b = accel_evict_bo(mock, 1, 200);
	struct accel_region *system = mock->dev->accel.system;

	KUNIT_ASSERT_TRUE(test, accel_evict_is_out(mock, a));
	mock_unregister(mock);
	KUNIT_EXPECT_NULL(test, mock_find_bo(mock, a)->region);
	KUNIT_EXPECT_NULL(test, mock_find_bo(mock, a)->pages);
	KUNIT_EXPECT_NULL(test, mock_find_bo(mock, b)->region);
	KUNIT_EXPECT_EQ(test, -ENODEV, accel_bo_vmap(mock_find_bo(mock, a)));
	KUNIT_EXPECT_EQ(test, 0LL, (s64)atomic64_read(&system->used));
}

/* It is not system memory to its client because it happens to be there. */
static void accel_evict_is_no_other(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 a = accel_evict_bo(mock, LOCAL_PAGES, 100);
	struct accel_bo_export export = { .size = sizeof(export), .id = a };
	struct accel_bo_advise advise = {
		.size = sizeof(advise),
		.id = a,
		.advice = ACCEL_ADVISE_DONTNEED,
	};

	accel_evict_bo(mock, 1, 200);
	KUNIT_ASSERT_TRUE(test, accel_evict_is_out(mock, a));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, MOCK_IOCTL(mock, BO_EXPORT, &export));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, MOCK_IOCTL(mock, BO_ADVISE, &advise));
}

/* Somebody who asks for memory in a thread of its own, with the test's. */
struct accel_evict_other {
	struct mock *mock;
	struct mm_struct *mm;
	long ret;
	bool done;
};

static int accel_evict_ask(void *data)
{
	struct accel_evict_other *other = data;
	void __user *uarg = mock_user(other->mock, 0x800);
	struct accel_bo_create args = {
		.size = sizeof(args),
		.region = MOCK_LOCAL_REGION,
		.length = 1,
	};

	kthread_use_mm(other->mm);
	if (!copy_to_user(uarg, &args, sizeof(args)))
		other->ret = accel_ioctl_dispatch(other->mock->file,
						  ACCEL_IOCTL_BO_CREATE, uarg);
	kthread_unuse_mm(other->mm);
	WRITE_ONCE(other->done, true);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Those that can be moved, as far as the list is whole in both directions. */
static unsigned int accel_evict_candidates(struct accel_region *region)
{
	struct list_head *link;
	unsigned int count = 0;

	guard(spinlock)(&region->lock);
	list_for_each_prev(link, &region->bos)
		if (++count > LOCAL_PAGES)
			break;
	return min_t(size_t, count, list_count_nodes(&region->bos));
}

/* A job comes to use a buffer that has been chosen to make room, but not yet moved. */
static void accel_evict_used_meanwhile(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_region *region = &mock->dev->local;
	u32 a = accel_evict_bo(mock, 2, 100), b = accel_evict_bo(mock, 2, 200);
	struct accel_bo *bo = mock_find_bo(mock, a);
	struct accel_evict_other other = {
		.mock = mock, .mm = current->mm, .ret = -EFAULT,
	};
	struct task_struct *task;
	u32 refs = refcount_read(&bo->obj.refs);

	scoped_guard(mutex, &bo->lock) {
		task = kthread_run(accel_evict_ask, &other, "accel_evict");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		mock_until(mock, refcount_read(&bo->obj.refs) > refs);
		atomic_inc(&bo->users);
		scoped_guard(spinlock, &region->lock)
			list_move_tail(&bo->region_link, &region->bos);
	}
	mock_until(mock, READ_ONCE(other.done));
	kthread_stop(task);
	atomic_dec(&bo->users);

	KUNIT_EXPECT_EQ(test, 0L, other.ret);
	KUNIT_EXPECT_FALSE(test, accel_evict_is_out(mock, a));
	KUNIT_EXPECT_TRUE(test, accel_evict_is_out(mock, b));
	KUNIT_EXPECT_EQ(test, 2U, accel_evict_candidates(region));
	mock_destroy(mock, a);
	KUNIT_EXPECT_EQ(test, 1U, accel_evict_candidates(region));
}

static struct kunit_case accel_evict_cases[] = {
	KUNIT_CASE_PARAM(accel_evict_makes_room, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_oldest_first, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_not_what_is_used, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_comes_back, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_stays_out, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_out_of_reach, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_too_large, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_mapped, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_device_goes, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_is_no_other, accel_evict_gen_params),
	KUNIT_CASE_PARAM(accel_evict_used_meanwhile, accel_evict_gen_params),
	{}
};

struct kunit_suite accel_evict_suite = {
	.name = "accel_evict",
	.init = accel_evict_init,
	.exit = mock_exit,
	.test_cases = accel_evict_cases,
};
