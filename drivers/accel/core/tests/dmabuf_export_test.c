// SPDX-License-Identifier: GPL-2.0-only
/* Buffers as dma-bufs, for others and for oneself: rights, mappings, references. */
#include "mock_dmabuf.h"

#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>

static long accel_export_sync(struct mock *mock, u32 id, u32 flags)
{
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = id,
		.flags = flags,
	};

	return MOCK_IOCTL(mock, BO_SYNC, &args);
}

static u32 accel_export_flags(struct mock *mock, u32 id)
{
	struct accel_bo_info args = { .size = sizeof(args), .id = id };

	KUNIT_ASSERT_EQ(mock->test, 0L, MOCK_IOCTL(mock, BO_INFO, &args));
	return args.flags;
}

static void accel_export_arguments(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 bo = mock_bo(mock), local, timeline = mock_timeline(mock, 0);
	struct dma_buf *dma_buf;

	local = mock_bo_in(mock, MOCK_LOCAL_REGION, 1).id;
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mock_bo_export(mock, bo, 2, &dma_buf));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
			mock_bo_export(mock, bo, U32_MAX, &dma_buf));
	KUNIT_EXPECT_EQ(test, -ENOENT, mock_bo_export(mock, 99, 0, &dma_buf));
	KUNIT_EXPECT_EQ(test, -ENOENT, mock_bo_export(mock, timeline, 0, &dma_buf));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, mock_bo_export(mock, local, 0, &dma_buf));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_EXPORTS));
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_bo_export(mock, bo, 0, &dma_buf));
}

static long accel_export_not_needed(struct mock *mock, u32 id)
{
	struct accel_bo_advise args = {
		.size = sizeof(args),
		.id = id,
		.advice = ACCEL_ADVISE_DONTNEED,
	};

	return MOCK_IOCTL(mock, BO_ADVISE, &args);
}

/* One for each right, and for as long as it can be asked for. */
static void accel_export_at_most_two(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = mock_bo(mock);
	struct accel_bo *bo = mock_find_bo(mock, id);
	struct dma_buf *first[2], *again[2];
	u32 i;

	for (i = 0; i < 2; i++) {
		first[i] = mock_exported(mock, id, i);
		again[i] = mock_exported(mock, id, i);
		KUNIT_EXPECT_PTR_EQ(test, first[i], again[i]);
		KUNIT_EXPECT_PTR_EQ(test, bo->resv, first[i]->resv);
		KUNIT_EXPECT_EQ(test, bo->size, first[i]->size);
		KUNIT_EXPECT_EQ(test, i, !!(first[i]->file->f_mode & FMODE_WRITE));
	}
	KUNIT_EXPECT_PTR_NE(test, first[0], first[1]);
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_EXPORTS));
	for (i = 0; i < 2; i++) {
		dma_buf_put(first[i]);
		dma_buf_put(again[i]);
	}
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_EXPORTS));
	for (i = 0; i < 2; i++) {
		again[i] = mock_exported(mock, id, i);
		KUNIT_EXPECT_PTR_EQ(test, first[i], again[i]);
		dma_buf_put(again[i]);
	}
	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_EXPORTS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
}

/* What is only kept for the next export is in nobody's way. */
static void accel_export_given_up(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = mock_bo(mock);
	struct dma_buf *reader = mock_exported(mock, id, 0), *writer, *again;

	writer = mock_exported(mock, id, ACCEL_EXPORT_WRITE);
	KUNIT_EXPECT_EQ(test, -EBUSY, accel_export_not_needed(mock, id));
	dma_buf_put(writer);
	KUNIT_EXPECT_EQ(test, -EBUSY, accel_export_not_needed(mock, id));
	/* That of who has it is the one and only still. */
	again = mock_exported(mock, id, 0);
	KUNIT_EXPECT_PTR_EQ(test, reader, again);
	dma_buf_put(again);
	dma_buf_put(reader);
	KUNIT_EXPECT_EQ(test, 0L, accel_export_not_needed(mock, id));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_EXPORTS));
	KUNIT_EXPECT_EQ(test, 1, refcount_read(&mock_find_bo(mock, id)->obj.refs));
	KUNIT_EXPECT_EQ(test, -EBUSY, mock_bo_export(mock, id, 0, &again));
}

/* All ids were gone when it came back: it is not to get a twin. */
static void accel_export_found_again(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = mock_bo(mock);
	struct dma_buf *dma_buf = mock_exported(mock, id, ACCEL_EXPORT_WRITE);
	struct dma_buf *again;

	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_EXPORTS));
	id = mock_imported(mock, dma_buf).id;
	again = mock_exported(mock, id, ACCEL_EXPORT_WRITE);
	KUNIT_EXPECT_PTR_EQ(test, dma_buf, again);
	dma_buf_put(again);
	dma_buf_put(dma_buf);
	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_EXPORTS));
}

/* The dma-buf keeps the memory, when id and file are gone and so is the device. */
static void accel_export_outlives_all(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = mock_bo(mock);
	struct dma_buf *dma_buf = mock_exported(mock, id, ACCEL_EXPORT_WRITE);
	struct iosys_map map;

	KUNIT_ASSERT_EQ(test, 0, dma_buf_vmap_unlocked(dma_buf, &map));
	strscpy(map.vaddr, "still here", 16);
	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_BOS));
	mock_unregister(mock);
	accel_file_destroy(mock->file);
	mock->file = NULL;
	KUNIT_EXPECT_STREQ(test, "still here", (char *)map.vaddr);
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(dma_buf,
							  DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(dma_buf,
							DMA_BIDIRECTIONAL));
	dma_buf_vunmap_unlocked(dma_buf, &map);
	dma_buf_put(dma_buf);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
}

/* Importing one's own dma-buf gives the same buffer, by an id of its own. */
static void accel_export_comes_back(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_file *first = mock->file;
	struct accel_bo_create made = mock_bo_in(mock, 0, PAGE_SIZE + 1);
	struct accel_bo *bo = mock_find_bo(mock, made.id);
	struct dma_buf *dma_buf;
	struct accel_bo_import back;
	u32 i;

	for (i = 0; i < 2; i++) {
		dma_buf = mock_exported(mock, made.id, i);
		back = mock_imported(mock, dma_buf);
		KUNIT_EXPECT_NE(test, made.id, back.id);
		KUNIT_EXPECT_EQ(test, made.length, back.length);
		KUNIT_EXPECT_EQ(test, made.mmap_offset, back.mmap_offset);
		KUNIT_EXPECT_PTR_EQ(test, bo, mock_find_bo(mock, back.id));
		KUNIT_EXPECT_EQ(test, i ? 0 : ACCEL_BO_READ_ONLY,
				accel_export_flags(mock, back.id));
		mock_destroy(mock, back.id);

		/* Another client, to whom it belongs as much. */
		mock->file = accel_file_create(&mock->dev->accel);
		back = mock_imported(mock, dma_buf);
		KUNIT_EXPECT_PTR_EQ(test, bo, mock_find_bo(mock, back.id));
		accel_file_destroy(mock->file);
		mock->file = first;
		dma_buf_put(dma_buf);
	}
	KUNIT_EXPECT_EQ(test, 1, bo->handle_count);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_BOS));
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_EXPORTS));
	/* The id's, and those of the two. */
	KUNIT_EXPECT_EQ(test, 3, refcount_read(&bo->obj.refs));
}

static void accel_export_read_only_id(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 id = mock_bo(mock);
	struct dma_buf *dma_buf = mock_exported(mock, id, 0), *other;
	u32 reader = mock_imported(mock, dma_buf).id;
	struct mock_job job = {
		.bo_count = 1,
		.bos = { { reader, ACCEL_BO_WRITE } },
	};

	KUNIT_EXPECT_EQ(test, -EACCES, mock_submit(mock, queue.id, &job));
	job.bos[0].flags = ACCEL_BO_READ | ACCEL_BO_WRITE;
	KUNIT_EXPECT_EQ(test, -EACCES, mock_submit(mock, queue.id, &job));
	/* It is one buffer, by whichever id. */
	job.bo_count = 2;
	job.bos[0].flags = ACCEL_BO_READ;
	job.bos[1] = (struct accel_submit_bo) { id, ACCEL_BO_WRITE };
	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, queue.id, &job));
	job.bo_count = 1;
	KUNIT_EXPECT_EQ(test, 0L, mock_submit(mock, queue.id, &job));
	mock_finish(mock, 0, 0);

	KUNIT_EXPECT_EQ(test, -EACCES,
			accel_export_sync(mock, reader, ACCEL_SYNC_WRITE));
	KUNIT_EXPECT_EQ(test, 0L,
			accel_export_sync(mock, reader, ACCEL_SYNC_READ));
	KUNIT_EXPECT_EQ(test, -EACCES, mock_bo_export(mock, reader,
						      ACCEL_EXPORT_WRITE,
						      &other));
	KUNIT_EXPECT_EQ(test, 0L, mock_bo_export(mock, reader, 0, &other));
	KUNIT_EXPECT_PTR_EQ(test, dma_buf, other);
	dma_buf_put(other);
	dma_buf_put(dma_buf);
}

static void accel_export_ids_are_limited(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 id = mock_bo(mock), i;
	struct dma_buf *dma_buf = mock_exported(mock, id, 0);
	struct accel_bo *bo = mock_find_bo(mock, id);
	struct accel_bo_import args;

	for (i = 1; i < ACCEL_BO_HANDLES_MAX; i++)
		mock_imported(mock, dma_buf);
	KUNIT_EXPECT_EQ(test, -ENOSPC, mock_bo_import(mock, dma_buf, &args));
	KUNIT_EXPECT_EQ(test, ACCEL_BO_HANDLES_MAX, bo->handle_count);
	mock_destroy(mock, id);
	KUNIT_EXPECT_EQ(test, 0L, mock_bo_import(mock, dma_buf, &args));
	dma_buf_put(dma_buf);
}

/* A device of somebody else's. */
static struct device *accel_export_importer(struct kunit *test,
					    const char *name, u64 mask)
{
	struct device *dev = kunit_device_register(test, name);

	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	if (mask)
		KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(dev, mask));
	return dev;
}

static void accel_export_expect_pages(struct kunit *test, struct sg_table *sgt,
				      struct accel_bo *bo, struct device *dev)
{
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		KUNIT_EXPECT_LE(test, sg_dma_len(sg), dma_get_max_seg_size(dev));
		KUNIT_EXPECT_EQ(test, page_to_phys(bo->pages[bytes / PAGE_SIZE]),
				sg_dma_address(sg));
		bytes += sg_dma_len(sg);
	}
	KUNIT_EXPECT_EQ(test, (u64)bo->size, bytes);
}

/* The importer's device sees the buffer's pages, by a list of its own. */
static void accel_export_is_mapped(struct kunit *test)
{
	struct device *dev = accel_export_importer(test, "far", DMA_BIT_MASK(64));
	struct mock *mock = test->priv;
	u32 id = mock_bo_in(mock, 0, 40 * PAGE_SIZE).id;
	struct dma_buf *dma_buf = mock_exported(mock, id, ACCEL_EXPORT_WRITE);
	struct dma_buf_attachment *attach[2];
	struct sg_table *sgt[2];
	int i;

	for (i = 0; i < 2; i++) {
		attach[i] = dma_buf_attach(dma_buf, dev);
		KUNIT_ASSERT_FALSE(test, IS_ERR(attach[i]));
		sgt[i] = dma_buf_map_attachment_unlocked(attach[i], i ?
							 DMA_BIDIRECTIONAL :
							 DMA_FROM_DEVICE);
		KUNIT_ASSERT_FALSE(test, IS_ERR(sgt[i]));
		accel_export_expect_pages(test, sgt[i], mock_find_bo(mock, id),
					  dev);
	}
	KUNIT_EXPECT_PTR_NE(test, sgt[0], sgt[1]);
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_EXPORT_MAPS));
	/* DMA API debugging says whether each is synced as it was mapped. */
	KUNIT_EXPECT_EQ(test, 0, dma_buf_begin_cpu_access(dma_buf,
							  DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0, dma_buf_end_cpu_access(dma_buf,
							DMA_BIDIRECTIONAL));
	KUNIT_EXPECT_EQ(test, 0L, accel_export_sync(mock, id, ACCEL_SYNC_READ));
	KUNIT_EXPECT_EQ(test, 0L, accel_export_sync(mock, id, ACCEL_SYNC_WRITE |
						    ACCEL_SYNC_END));

	/* Our device goes, theirs does not. */
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_EXPORT_MAPS));
	for (i = 0; i < 2; i++) {
		dma_buf_unmap_attachment_unlocked(attach[i], sgt[i], i ?
						  DMA_BIDIRECTIONAL :
						  DMA_FROM_DEVICE);
		dma_buf_detach(dma_buf, attach[i]);
	}
	dma_buf_put(dma_buf);
	kunit_device_unregister(test, dev);
}

/* Nobody writes through it, whichever way he comes. */
static void accel_export_read_only_refuses(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_BIDIRECTIONAL, DMA_FROM_DEVICE,
	};
	struct device *dev = accel_export_importer(test, "far", DMA_BIT_MASK(64));
	struct mock *mock = test->priv;
	u32 id = mock_bo(mock);
	struct dma_buf *dma_buf = mock_exported(mock, id, 0);
	struct dma_buf_attachment *attach = dma_buf_attach(dma_buf, dev);
	struct iosys_map map;
	struct sg_table *sgt;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(attach));
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		sgt = dma_buf_map_attachment_unlocked(attach, dirs[i]);
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EACCES), sgt);
		if (!IS_ERR(sgt))
			dma_buf_unmap_attachment_unlocked(attach, sgt, dirs[i]);
	}
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(sgt));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_buf_detach(dma_buf, attach);
	/* And without a warning. */
	KUNIT_EXPECT_EQ(test, -EINVAL, dma_buf_vmap_unlocked(dma_buf, &map));
	dma_buf_put(dma_buf);
	kunit_device_unregister(test, dev);
}

/* Who does not reach the memory is told before there is anything to undo. */
static void accel_export_out_of_reach(struct kunit *test)
{
	struct device *near = accel_export_importer(test, "near", DMA_BIT_MASK(28));
	struct device *none = accel_export_importer(test, "none", 0);
	struct mock *mock = test->priv;
	struct dma_buf *dma_buf = mock_exported(mock, mock_bo(mock), 0);

	none->dma_mask = NULL;
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EOPNOTSUPP),
			    (void *)dma_buf_attach(dma_buf, near));
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EOPNOTSUPP),
			    (void *)dma_buf_attach(dma_buf, none));
	dma_buf_put(dma_buf);
	kunit_device_unregister(test, near);
	kunit_device_unregister(test, none);
}

static unsigned long accel_export_vm(struct file *filp, unsigned long prot,
				     u64 offset)
{
	return vm_mmap(filp, 0, PAGE_SIZE, prot, MAP_SHARED, offset);
}

static vm_flags_t accel_export_vm_flags(struct mock *mock, unsigned long addr)
{
	vm_flags_t flags = 0;
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	KUNIT_EXPECT_NOT_NULL(mock->test, vma);
	if (vma)
		flags = vma->vm_flags;
	mmap_read_unlock(current->mm);
	return flags;
}

/* Mapped by its offset, and as a dma-buf: the same memory, one address space. */
static void accel_export_mappings(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_bo_create made;
	unsigned long own, theirs;
	struct dma_buf *dma_buf;
	u32 value = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	accel_file_destroy(mock->file);
	mock->file = filp->private_data;
	made = mock_bo_in(mock, 0, 2 * PAGE_SIZE);
	dma_buf = mock_exported(mock, made.id, ACCEL_EXPORT_WRITE);
	KUNIT_EXPECT_PTR_EQ(test, filp->f_mapping, dma_buf->file->f_mapping);

	own = accel_export_vm(filp, PROT_READ | PROT_WRITE,
			      made.mmap_offset + PAGE_SIZE);
	theirs = accel_export_vm(dma_buf->file, PROT_READ | PROT_WRITE,
				 PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(own));
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(theirs));
	KUNIT_EXPECT_EQ(test, 0, put_user(7, (u32 __user *)theirs));
	KUNIT_EXPECT_EQ(test, 0, get_user(value, (u32 __user *)own));
	KUNIT_EXPECT_EQ(test, 7U, value);
	KUNIT_EXPECT_TRUE(test, accel_export_vm_flags(mock, theirs) &
				VM_DONTEXPAND);
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_MAPPINGS));
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL,
			accel_export_vm(dma_buf->file, PROT_READ,
					2 * PAGE_SIZE));

	/* One zap for both: what is touched is faulted in again. */
	unmap_mapping_pages(filp->f_mapping, made.mmap_offset >> PAGE_SHIFT,
			    made.length >> PAGE_SHIFT, true);
	KUNIT_EXPECT_EQ(test, 0, get_user(value, (u32 __user *)theirs));
	KUNIT_EXPECT_EQ(test, 7U, value);
	vm_munmap(own, PAGE_SIZE);
	vm_munmap(theirs, PAGE_SIZE);
	dma_buf_put(dma_buf);
	__fput_sync(filp);
	mock->file = NULL;
}

/* A file that is open for writing does not help where the id has no such right. */
static void accel_export_read_only_mappings(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_file *owner = mock->file;
	struct accel_bo_create made = mock_bo_in(mock, 0, 1);
	struct dma_buf *dma_buf = mock_exported(mock, made.id, 0);
	struct accel_bo_import back;
	unsigned long addr;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	mock->file = filp->private_data;
	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_export_vm(filp, PROT_READ, made.mmap_offset));
	back = mock_imported(mock, dma_buf);
	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_export_vm(filp, PROT_READ | PROT_WRITE,
					back.mmap_offset));
	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_export_vm(dma_buf->file, PROT_READ | PROT_WRITE, 0));
	addr = accel_export_vm(filp, PROT_READ, back.mmap_offset);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_FALSE(test, accel_export_vm_flags(mock, addr) & VM_MAYWRITE);
	vm_munmap(addr, PAGE_SIZE);
	addr = accel_export_vm(dma_buf->file, PROT_READ, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_FALSE(test, accel_export_vm_flags(mock, addr) & VM_MAYWRITE);
	vm_munmap(addr, PAGE_SIZE);

	/* What an id gave is gone with it. */
	mock_destroy(mock, back.id);
	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_export_vm(filp, PROT_READ, made.mmap_offset));
	dma_buf_put(dma_buf);
	__fput_sync(filp);
	mock->file = owner;
}

/* Others wait for our jobs, and jobs for what others have left. */
static void accel_export_fences(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	u32 id = mock_bo(mock);
	struct dma_buf *dma_buf = mock_exported(mock, id, ACCEL_EXPORT_WRITE);
	struct dma_fence *fence = &mock_foreign(mock)->base;

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 1, mock_fence_count(test, dma_buf->resv,
						  DMA_RESV_USAGE_WRITE));
	mock_finish(mock, 0, 0);
	mock_fence_add(test, dma_buf->resv, fence, DMA_RESV_USAGE_READ);
	MOCK_SUBMIT(mock, queue, .tag = 2, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ } });
	mock_finish(mock, 0, 0);
	MOCK_SUBMIT(mock, queue, .tag = 3, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_WRITE } });
	MOCK_EXPECT_LOG(mock, 1, 2);
	dma_fence_signal(fence);
	mock_until(mock, mock_running(mock, 0) == 1);
	mock_finish(mock, 0, 0);
	dma_fence_put(fence);
	dma_buf_put(dma_buf);
}

static struct kunit_case accel_export_cases[] = {
	KUNIT_CASE(accel_export_arguments),
	KUNIT_CASE(accel_export_at_most_two),
	KUNIT_CASE(accel_export_given_up),
	KUNIT_CASE(accel_export_found_again),
	KUNIT_CASE(accel_export_outlives_all),
	KUNIT_CASE(accel_export_comes_back),
	KUNIT_CASE(accel_export_read_only_id),
	KUNIT_CASE(accel_export_ids_are_limited),
	KUNIT_CASE(accel_export_is_mapped),
	KUNIT_CASE(accel_export_read_only_refuses),
	KUNIT_CASE(accel_export_out_of_reach),
	KUNIT_CASE(accel_export_mappings),
	KUNIT_CASE(accel_export_read_only_mappings),
	KUNIT_CASE(accel_export_fences),
	{}
};

struct kunit_suite accel_dmabuf_export_suite = {
	.name = "accel_dmabuf_export",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_export_cases,
};
