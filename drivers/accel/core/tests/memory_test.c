// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of buffers, for each kind of device that there is: one in software,
 * one that reaches all memory, and one that does not.
 */
#include "mock.h"

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>

#define PAGES	5

struct accel_memory_param {
	const char *name;
	enum mock_hardware hardware;
	u32 region;
};

static const struct accel_memory_param accel_memory_params[] = {
	{ "virtual", MOCK_VIRTUAL, 0 },
	{ "all reached", MOCK_REACHES_ALL, 0 },
	{ "28 bits reached", MOCK_REACHES_28_BITS, 0 },
	{ "of the device", MOCK_VIRTUAL, MOCK_LOCAL_REGION },
};

/* Where DMA is. */
static const struct accel_memory_param accel_memory_dma_params[] = {
	{ "all reached", MOCK_REACHES_ALL, 0 },
	{ "28 bits reached", MOCK_REACHES_28_BITS, 0 },
};

static void accel_memory_describe(const struct accel_memory_param *param,
				  char *text)
{
	strscpy(text, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(accel_memory, accel_memory_params, accel_memory_describe);
KUNIT_ARRAY_PARAM(accel_memory_dma, accel_memory_dma_params,
		  accel_memory_describe);

static int accel_memory_init(struct kunit *test)
{
	const struct accel_memory_param *param = test->param_value;

	return mock_init_with(test, param->hardware);
}

static u32 accel_memory_region(struct kunit *test)
{
	return ((const struct accel_memory_param *)test->param_value)->region;
}

static struct accel_bo_create accel_memory_args(struct kunit *test)
{
	u64 length = accel_memory_region(test) ? MOCK_LOCAL_SIZE :
						 PAGES * PAGE_SIZE;

	return mock_bo_in(test->priv, accel_memory_region(test), length);
}

static struct accel_bo *accel_memory_bo(struct kunit *test, u64 *offset)
{
	struct accel_bo_create args = accel_memory_args(test);

	*offset = args.mmap_offset;
	return mock_find_bo(test->priv, args.id);
}

static void accel_memory_is_zeroed(struct kunit *test)
{
	u64 offset;
	struct accel_bo *bo = accel_memory_bo(test, &offset);

	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	KUNIT_ASSERT_NOT_NULL(test, bo->vaddr);
	KUNIT_EXPECT_NULL(test, memchr_inv(bo->vaddr, 0, bo->size));
}

/* Mapped once and for all. */
static void accel_memory_vmap_twice(struct kunit *test)
{
	u64 offset;
	struct accel_bo *bo = accel_memory_bo(test, &offset);
	void *first;

	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	first = bo->vaddr;
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	KUNIT_EXPECT_PTR_EQ(test, first, bo->vaddr);
}

/* The client, the kernel and the device see the same pages in the same order. */
static void accel_memory_is_shared(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_bo *bo;
	unsigned long addr;
	u64 offset;
	u32 i, value;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	accel_file_destroy(mock->file);
	mock->file = filp->private_data;
	bo = accel_memory_bo(test, &offset);
	addr = vm_mmap(filp, 0, bo->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       offset);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	for (i = 0; i < bo->size / PAGE_SIZE; i++)
		KUNIT_EXPECT_EQ(test, 0,
				put_user(i + 1, (u32 __user *)(addr +
							       i * PAGE_SIZE)));
	for (i = 0; i < bo->size / PAGE_SIZE; i++) {
		u32 *word = bo->vaddr + i * PAGE_SIZE;

		KUNIT_EXPECT_EQ(test, i + 1, *word);
		*word = ~i;
		KUNIT_EXPECT_EQ(test, 0,
				get_user(value, (u32 __user *)(addr +
							       i * PAGE_SIZE)));
		KUNIT_EXPECT_EQ(test, ~i, value);
	}
	vm_munmap(addr, bo->size);
	__fput_sync(filp);
	mock->file = NULL;
}

static void accel_memory_dma_addresses(struct kunit *test)
{
	struct mock *mock = test->priv;
	u64 offset, mask = dma_get_mask(mock->parent), bytes = 0;
	struct accel_bo *bo = accel_memory_bo(test, &offset);
	struct scatterlist *sg;
	struct sg_table *sgt;
	struct page *page;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	sgt = bo->sgt;
	KUNIT_ASSERT_NOT_NULL(test, sgt);
	KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	KUNIT_EXPECT_PTR_EQ(test, sgt, bo->sgt);

	for_each_sgtable_dma_sg(sgt, sg, i) {
		KUNIT_EXPECT_LE(test, sg_dma_address(sg) + sg_dma_len(sg) - 1,
				mask);
		bytes += sg_dma_len(sg);
	}
	KUNIT_EXPECT_EQ(test, (u64)bo->size, bytes);

	/* The CPU's view of it is the buffer's pages. */
	bytes = 0;
	for_each_sgtable_sg(sgt, sg, i) {
		page = sg_page(sg);
		KUNIT_EXPECT_PTR_EQ(test, bo->pages[bytes / PAGE_SIZE], page);
		bytes += sg->length;
	}
	KUNIT_EXPECT_EQ(test, (u64)bo->size, bytes);
}

/* Where it matters, DMA API debugging says whether this was right. */
static void accel_memory_sync(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = accel_memory_args(test).id,
	};
	struct accel_bo *bo = mock_find_bo(mock, args.id);
	int mapped, flags;

	for (mapped = 0; mapped < 2; mapped++) {
		for (flags = ACCEL_SYNC_READ; flags <= 7; flags++) {
			args.flags = flags;
			KUNIT_EXPECT_EQ(test, flags & 3 ? 0L : -EINVAL,
					MOCK_IOCTL(mock, BO_SYNC, &args));
		}
		if (!mapped)
			KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	}
}

/* The device is gone: its addresses are, the memory is not. */
static void accel_memory_detached(struct kunit *test)
{
	struct mock *mock = test->priv;
	u64 offset;
	struct accel_bo *bo = accel_memory_bo(test, &offset);
	struct accel_bo *untouched = accel_memory_bo(test, &offset);
	struct accel_bo *not_mapped = accel_memory_bo(test, &offset);

	KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(not_mapped));
	strscpy(bo->vaddr, "still here", 16);
	mock_unregister(mock);
	KUNIT_EXPECT_NULL(test, bo->sgt);
	KUNIT_EXPECT_NULL(test, bo->dma_addrs);
	KUNIT_EXPECT_TRUE(test, bo->detached);
	KUNIT_EXPECT_STREQ(test, "still here", (char *)bo->vaddr);
	KUNIT_EXPECT_NULL(test, memchr_inv(not_mapped->vaddr, 0,
					   not_mapped->size));
	KUNIT_EXPECT_EQ(test, dma_addressing_limited(mock->parent) ? -ENODEV : 0,
			accel_bo_vmap(untouched));
}

/* Detached without ever having had a page, and freed. */
static void accel_memory_never_touched(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = accel_memory_args(test).id;

	mock_unregister(mock);
	KUNIT_EXPECT_NULL(test, mock_find_bo(mock, id)->pages);
	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
}

static void accel_memory_too_large(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_create args = {
		.size = sizeof(args),
		.length = ((u64)totalram_pages() + 1) << PAGE_SHIFT,
	};

	KUNIT_EXPECT_EQ(test, -ENOMEM, MOCK_IOCTL(mock, BO_CREATE, &args));
}

static long accel_memory_advise(struct mock *mock, u32 id, u32 advice,
				u32 *retained)
{
	struct accel_bo_advise args = {
		.size = sizeof(args),
		.id = id,
		.advice = advice,
	};
	long ret = MOCK_IOCTL(mock, BO_ADVISE, &args);

	*retained = args.retained;
	return ret;
}

/* All that there is of it is given back, and comes anew when it is needed. */
static void accel_memory_purged(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = accel_memory_args(test).id, retained;
	struct accel_bo *bo = mock_find_bo(mock, id);

	KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	strscpy(bo->vaddr, "not needed", 16);
	KUNIT_EXPECT_EQ(test, 0UL, accel_purge(ULONG_MAX));
	KUNIT_ASSERT_EQ(test, 0L, accel_memory_advise(mock, id,
						      ACCEL_ADVISE_DONTNEED,
						      &retained));
	KUNIT_EXPECT_EQ(test, 1U, retained);
	KUNIT_EXPECT_STREQ(test, "not needed", (char *)bo->vaddr);

	KUNIT_EXPECT_EQ(test, (unsigned long)PAGES, accel_purge(1));
	KUNIT_EXPECT_NULL(test, bo->vaddr);
	KUNIT_EXPECT_NULL(test, bo->sgt);
	KUNIT_EXPECT_NULL(test, bo->pages);
	KUNIT_EXPECT_EQ(test, 0UL, accel_purge(ULONG_MAX));

	KUNIT_ASSERT_EQ(test, 0L, accel_memory_advise(mock, id,
						      ACCEL_ADVISE_WILLNEED,
						      &retained));
	KUNIT_EXPECT_EQ(test, 0U, retained);
	KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	KUNIT_EXPECT_NULL(test, memchr_inv(bo->vaddr, 0, bo->size));
}

/* Who has the lock may be the one who wants memory. */
static void accel_memory_purge_under_lock(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = accel_memory_args(test).id, retained;
	struct accel_bo *bo = mock_find_bo(mock, id);

	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	KUNIT_ASSERT_EQ(test, 0L, accel_memory_advise(mock, id,
						      ACCEL_ADVISE_DONTNEED,
						      &retained));
	scoped_guard(mutex, &bo->lock)
		KUNIT_EXPECT_EQ(test, 0UL, accel_purge(ULONG_MAX));
	KUNIT_EXPECT_EQ(test, (unsigned long)PAGES, accel_purge(ULONG_MAX));
}

/* A buffer that goes while it is not needed is not there for reclaim to find. */
static void accel_memory_freed_unneeded(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = accel_memory_args(test).id, retained;

	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(mock_find_bo(mock, id)));
	KUNIT_ASSERT_EQ(test, 0L, accel_memory_advise(mock, id,
						      ACCEL_ADVISE_DONTNEED,
						      &retained));
	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 0UL, accel_purge(ULONG_MAX));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
}

/* Memory of the caller's, for a device to read it, where the device reaches it. */
static void accel_memory_of_caller(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_userptr args = {
		.size = sizeof(args),
		.addr = mock->user + MOCK_USER_SIZE / 2,
		.length = 2 * PAGE_SIZE,
	};
	struct accel_bo *bo;

	if (dma_addressing_limited(mock->parent)) {
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				MOCK_IOCTL(mock, BO_USERPTR, &args));
		return;
	}
	KUNIT_ASSERT_EQ(test, 0, put_user(0x7e57, (u32 __user *)
					  mock_user(mock, MOCK_USER_SIZE / 2)));
	KUNIT_ASSERT_EQ(test, 0L, MOCK_IOCTL(mock, BO_USERPTR, &args));
	bo = mock_find_bo(mock, args.id);
	KUNIT_ASSERT_EQ(test, 0, accel_bo_map_dma(bo));
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	KUNIT_EXPECT_EQ(test, 0x7e57, *(u32 *)bo->vaddr);
	KUNIT_EXPECT_EQ(test, 2 * PAGE_SIZE, sg_dma_len(bo->sgt->sgl) +
			(bo->sgt->nents > 1 ?
			 sg_dma_len(sg_next(bo->sgt->sgl)) : 0));
	mock_unregister(mock);
	KUNIT_EXPECT_NULL(test, bo->sgt);
	KUNIT_EXPECT_EQ(test, 0x7e57, *(u32 *)bo->vaddr);
}

static s64 accel_memory_pinned(void)
{
	/* What is on its way to being freed is not pinned. */
	accel_census_drain();
	return atomic64_read(&current->mm->pinned_vm);
}

/* The first page of what is in the middle of the user's memory */
static bool accel_memory_is_pinned(struct mock *mock)
{
	struct page *page;
	bool pinned;

	KUNIT_ASSERT_EQ(mock->test, 1,
			get_user_pages_fast(mock->user + MOCK_USER_SIZE / 2, 1,
					    0, &page));
	pinned = folio_maybe_dma_pinned(page_folio(page));
	put_page(page);
	return pinned;
}

/* It is pinned, and counted, as long as anybody has the buffer, be that a job. */
static void accel_memory_of_caller_counted(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_userptr args = {
		.size = sizeof(args),
		.flags = ACCEL_USERPTR_WRITE,
		.addr = mock->user + MOCK_USER_SIZE / 2,
		.length = 2 * PAGE_SIZE,
	};
	s64 before = accel_memory_pinned();
	struct mock_queue queue;
	struct accel_bo *bo;
	u32 word = 0;
	long bos;

	if (dma_addressing_limited(mock->parent))
		return;
	/* It has a buffer as well. */
	queue = mock_queue(mock, 0, 0);
	bos = mock_count(ACCEL_CENSUS_BOS);
	KUNIT_ASSERT_EQ(test, 0L, MOCK_IOCTL(mock, BO_USERPTR, &args));
	KUNIT_EXPECT_EQ(test, before + 2, accel_memory_pinned());
	bo = mock_find_bo(mock, args.id);
	KUNIT_ASSERT_EQ(test, 0, accel_bo_vmap(bo));
	*(u32 *)bo->vaddr = 0x7e57;
	KUNIT_EXPECT_EQ(test, 0, get_user(word, (u32 __user *)
					  mock_user(mock, MOCK_USER_SIZE / 2)));
	KUNIT_EXPECT_EQ(test, 0x7e57, word);

	MOCK_SUBMIT(mock, queue, .bo_count = 1,
		    .bos = { { args.id, ACCEL_BO_WRITE } });
	mock_destroy(mock, args.id);
	KUNIT_EXPECT_EQ(test, before + 2, accel_memory_pinned());
	KUNIT_EXPECT_TRUE(test, accel_memory_is_pinned(mock));
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, bos, mock_count(ACCEL_CENSUS_BOS));
	KUNIT_EXPECT_EQ(test, before, accel_memory_pinned());
	KUNIT_EXPECT_FALSE(test, accel_memory_is_pinned(mock));
}

static void accel_memory_refuse_of_caller(struct kunit *test, long error,
					  struct accel_bo_userptr args)
{
	s64 before = accel_memory_pinned();
	struct mock *mock = test->priv;

	args.size = sizeof(args);
	args.id = 7;
	KUNIT_EXPECT_EQ(test, error, MOCK_IOCTL(mock, BO_USERPTR, &args));
	KUNIT_EXPECT_EQ(test, 7U, args.id);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
	KUNIT_EXPECT_EQ(test, before, accel_memory_pinned());
	KUNIT_EXPECT_FALSE(test, accel_memory_is_pinned(mock));
}

/* What cannot be, or is not all there: nothing of it is pinned. */
static void accel_memory_of_caller_refused(struct kunit *test)
{
	struct mock *mock = test->priv;
	const struct accel_bo_userptr good = {
		.addr = mock->user + MOCK_USER_SIZE / 2,
		.length = MOCK_USER_SIZE / 2,
	};
	struct accel_bo_userptr bad;

	if (dma_addressing_limited(mock->parent))
		return;
	bad = good;
	bad.flags = ACCEL_USERPTR_WRITE << 1;
	accel_memory_refuse_of_caller(test, -EOPNOTSUPP, bad);
	bad = good;
	bad.reserved = 1;
	accel_memory_refuse_of_caller(test, -EINVAL, bad);
	bad = good;
	bad.length = 0;
	accel_memory_refuse_of_caller(test, -EINVAL, bad);
	bad.length = good.length - 1;
	accel_memory_refuse_of_caller(test, -EINVAL, bad);
	bad = good;
	bad.addr++;
	accel_memory_refuse_of_caller(test, -EINVAL, bad);
	bad.addr = -(u64)good.length;
	accel_memory_refuse_of_caller(test, -EFAULT, bad);
	bad = good;
	bad.length = (u64)(totalram_pages() + 1) << PAGE_SHIFT;
	accel_memory_refuse_of_caller(test, -ENOMEM, bad);

	/* The last page is a hole. */
	KUNIT_ASSERT_EQ(test, 0, vm_munmap(good.addr + good.length - PAGE_SIZE,
					   PAGE_SIZE));
	accel_memory_refuse_of_caller(test, -EFAULT, good);
	/* Of another size it is there. */
	bad = good;
	bad.size = sizeof(bad);
	bad.length -= PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_USERPTR, &bad));
}

static struct kunit_case accel_memory_cases[] = {
	KUNIT_CASE_PARAM(accel_memory_is_zeroed, accel_memory_gen_params),
	KUNIT_CASE_PARAM(accel_memory_vmap_twice, accel_memory_gen_params),
	KUNIT_CASE_PARAM(accel_memory_is_shared, accel_memory_gen_params),
	KUNIT_CASE_PARAM(accel_memory_dma_addresses, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_sync, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_detached, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_never_touched, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_too_large, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_purged, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_purge_under_lock,
			 accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_freed_unneeded,
			 accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_of_caller, accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_of_caller_counted,
			 accel_memory_dma_gen_params),
	KUNIT_CASE_PARAM(accel_memory_of_caller_refused,
			 accel_memory_dma_gen_params),
	{}
};

struct kunit_suite accel_memory_suite = {
	.name = "accel_memory",
	.init = accel_memory_init,
	.exit = mock_exit,
	.test_cases = accel_memory_cases,
};
