// SPDX-License-Identifier: GPL-2.0-only
/* dma-bufs of others: what becomes of them, what is refused, whose fences count. */
#include "mock_dmabuf.h"

#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/scatterlist.h>
#include <linux/uaccess.h>

struct accel_import_param {
	const char *name;
	enum mock_hardware hardware;
};

static const struct accel_import_param accel_import_params[] = {
	{ "virtual", MOCK_VIRTUAL },
	{ "all reached", MOCK_REACHES_ALL },
};

static void accel_import_describe(const struct accel_import_param *param,
				  char *text)
{
	strscpy(text, param->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(accel_import, accel_import_params, accel_import_describe);

static enum mock_hardware accel_import_hardware(struct kunit *test)
{
	const struct accel_import_param *param = test->param_value;

	return param ? param->hardware : MOCK_VIRTUAL;
}

static int accel_import_init(struct kunit *test)
{
	return mock_init_with(test, accel_import_hardware(test));
}

static int accel_import_init_hardware(struct kunit *test)
{
	return mock_init_with(test, MOCK_REACHES_ALL);
}

/* That is all the device has of it, or nothing. */
static void accel_import_expect_held(struct kunit *test, struct mock_dmabuf *buf,
				     int held)
{
	bool virtual = accel_import_hardware(test) == MOCK_VIRTUAL;

	KUNIT_EXPECT_EQ(test, virtual ? held : 0, buf->vmapped);
	KUNIT_EXPECT_EQ(test, virtual ? 0 : held, buf->attached);
	KUNIT_EXPECT_EQ(test, virtual ? 0 : held, buf->mapped);
	KUNIT_EXPECT_EQ(test, virtual ? 0L : held,
			mock_count(ACCEL_CENSUS_ATTACHMENTS));
}

/* Neither id nor buffer, and nothing of the exporter's. */
static void accel_import_expect_refused(struct mock *mock,
					struct mock_dmabuf *buf, long error)
{
	struct kunit *test = mock->test;
	struct accel_bo_import args;

	KUNIT_EXPECT_EQ(test, error, mock_bo_import(mock, buf->dma_buf, &args));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_BOS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_HANDLES));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_ATTACHMENTS));
	KUNIT_EXPECT_EQ(test, 0, buf->attached);
	KUNIT_EXPECT_EQ(test, 0, buf->mapped);
	KUNIT_EXPECT_EQ(test, 0, buf->vmapped);
	KUNIT_EXPECT_EQ(test, 1L, file_count(buf->dma_buf->file));
}

static void accel_import_is_what_it_was(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_info info = { .size = sizeof(info) };
	struct mock_dmabuf *buf;
	struct accel_bo_import args;
	struct accel_bo *bo;
	u32 write;

	for (write = 0; write < 2; write++) {
		buf = mock_dmabuf(test, write ? MOCK_DMABUF_WRITE : 0);
		args = mock_imported(mock, buf->dma_buf);
		info.id = args.id;
		KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_INFO, &info));
		KUNIT_EXPECT_EQ(test, MOCK_DMABUF_SIZE, args.length);
		KUNIT_EXPECT_EQ(test, MOCK_DMABUF_SIZE, info.length);
		KUNIT_EXPECT_EQ(test, args.mmap_offset, info.mmap_offset);
		KUNIT_EXPECT_EQ(test, ACCEL_BO_IMPORTED |
				(write ? 0 : ACCEL_BO_READ_ONLY), info.flags);

		bo = mock_find_bo(mock, args.id);
		KUNIT_EXPECT_PTR_EQ(test, buf->dma_buf->resv, bo->resv);
		accel_import_expect_held(test, buf, 1);
		if (bo->vaddr)
			KUNIT_EXPECT_PTR_EQ(test, page_address(buf->pages),
					    bo->vaddr);
		if (bo->sgt)
			KUNIT_EXPECT_EQ(test, page_to_phys(buf->pages),
					sg_dma_address(bo->sgt->sgl));
		if (bo->sgt)
			KUNIT_EXPECT_EQ(test, write ? DMA_BIDIRECTIONAL :
						      DMA_TO_DEVICE, buf->dir);

		/* It does not need the descriptor any more. */
		mock_dmabuf_put(buf);
		KUNIT_EXPECT_FALSE(test, buf->released);
		mock_destroy(mock, args.id);
		accel_import_expect_held(test, buf, 0);
		KUNIT_EXPECT_TRUE(test, buf->released);
	}
}

/* While it is there, the same dma-buf is the same buffer, for every client. */
static void accel_import_twice(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_file *first = mock->file;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	u32 a = mock_imported(mock, buf->dma_buf).id;
	u32 b = mock_imported(mock, buf->dma_buf).id, c;
	struct accel_bo *bo = mock_find_bo(mock, a);

	KUNIT_EXPECT_NE(test, a, b);
	KUNIT_EXPECT_PTR_EQ(test, bo, mock_find_bo(mock, b));
	mock->file = accel_file_create(&mock->dev->accel);
	c = mock_imported(mock, buf->dma_buf).id;
	KUNIT_EXPECT_PTR_EQ(test, bo, mock_find_bo(mock, c));
	accel_import_expect_held(test, buf, 1);
	mock_destroy(mock, c);
	accel_file_destroy(mock->file);
	mock->file = first;
	mock_destroy(mock, a);
	accel_import_expect_held(test, buf, 1);
	mock_destroy(mock, b);
	accel_import_expect_held(test, buf, 0);
	mock_imported(mock, buf->dma_buf);
	accel_import_expect_held(test, buf, 1);
}

/* Handed on as it is, or not at all. */
static void accel_import_is_exported(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf;
	struct dma_buf *dma_buf;
	u32 write, id;

	for (write = 0; write < 2; write++) {
		buf = mock_dmabuf(test, write ? MOCK_DMABUF_WRITE : 0);
		id = mock_imported(mock, buf->dma_buf).id;
		dma_buf = mock_exported(mock, id, write);
		KUNIT_EXPECT_PTR_EQ(test, buf->dma_buf, dma_buf);
		dma_buf_put(dma_buf);
		KUNIT_EXPECT_EQ(test, write ? -EOPNOTSUPP : -EACCES,
				mock_bo_export(mock, id, !write, &dma_buf));
		mock_destroy(mock, id);
	}
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_EXPORTS));
}

static void accel_import_sizes(struct kunit *test)
{
	static const size_t sizes[] = {
		0, 1, PAGE_SIZE - 1, PAGE_SIZE + 1, SIZE_MAX,
		(size_t)S64_MAX - PAGE_SIZE + 1,
	};
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		buf = mock_dmabuf_of(test, MOCK_DMABUF_WRITE, sizes[i], NULL);
		accel_import_expect_refused(mock, buf, -EINVAL);
	}
}

/* The exporter is asked for both ends of an access, in the right direction. */
static void accel_import_access(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		[ACCEL_SYNC_READ] = DMA_FROM_DEVICE,
		[ACCEL_SYNC_WRITE] = DMA_TO_DEVICE,
		[ACCEL_SYNC_READ | ACCEL_SYNC_WRITE] = DMA_BIDIRECTIONAL,
	};
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	struct accel_bo_sync args = {
		.size = sizeof(args),
		.id = mock_imported(mock, buf->dma_buf).id,
	};
	struct dma_fence *fence = &mock_foreign(mock)->base;
	int i;

	for (i = 1; i < ARRAY_SIZE(dirs); i++) {
		args.flags = i;
		KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_SYNC, &args));
		KUNIT_EXPECT_EQ(test, i, buf->begun);
		KUNIT_EXPECT_EQ(test, dirs[i], buf->dir);
		buf->dir = DMA_NONE;
		args.flags = i | ACCEL_SYNC_END;
		KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_SYNC, &args));
		KUNIT_EXPECT_EQ(test, i, buf->ended);
		KUNIT_EXPECT_EQ(test, dirs[i], buf->dir);
	}
	/* Not before the others are done. */
	mock_fence_add(test, buf->dma_buf->resv, fence, DMA_RESV_USAGE_WRITE);
	args.flags = ACCEL_SYNC_READ;
	KUNIT_EXPECT_EQ(test, -ETIME, MOCK_IOCTL(mock, BO_SYNC, &args));
	KUNIT_EXPECT_EQ(test, 3, buf->begun);
	dma_fence_signal(fence);
	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, BO_SYNC, &args));
	dma_fence_put(fence);
	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, MOCK_IOCTL(mock, BO_SYNC, &args));
	KUNIT_EXPECT_EQ(test, 4, buf->begun);
}

static void accel_import_waits_for_others(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	u32 id = mock_imported(mock, buf->dma_buf).id;
	struct dma_resv *resv = buf->dma_buf->resv;
	struct dma_fence *writer = &mock_foreign(mock)->base;
	struct dma_fence *reader = &mock_foreign(mock)->base;

	mock_fence_add(test, resv, writer, DMA_RESV_USAGE_WRITE);
	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ } });
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0));
	/* Our fence is there all the same, among the readers. */
	KUNIT_EXPECT_EQ(test, 1, mock_fence_count(test, resv,
						  DMA_RESV_USAGE_WRITE));
	KUNIT_EXPECT_EQ(test, 2, mock_fence_count(test, resv,
						  DMA_RESV_USAGE_READ));
	dma_fence_signal(writer);
	mock_until(mock, mock_running(mock, 0) == 1);
	mock_finish(mock, 0, 0);

	mock_fence_add(test, resv, reader, DMA_RESV_USAGE_READ);
	MOCK_SUBMIT(mock, queue, .tag = 2, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_WRITE } });
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0));
	KUNIT_EXPECT_EQ(test, 1, mock_fence_count(test, resv,
						  DMA_RESV_USAGE_WRITE));
	dma_fence_signal(reader);
	mock_until(mock, mock_running(mock, 0) == 1);
	mock_finish(mock, 0, 0);
	KUNIT_EXPECT_EQ(test, 0, mock_fence_count(test, resv,
						  DMA_RESV_USAGE_BOOKKEEP));
	dma_fence_put(writer);
	dma_fence_put(reader);
}

/* Told not to wait, a job leaves its fence; and memory that moves is waited for. */
static void accel_import_without_implicit(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue other = mock_queue(mock, 1, 0);
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	u32 id = mock_imported(mock, buf->dma_buf).id;
	struct dma_resv *resv = buf->dma_buf->resv;
	struct dma_fence *writer = &mock_foreign(mock)->base;
	struct dma_fence *mover = &mock_foreign(mock)->base;
	struct mock_job bad = {
		.bo_count = 1,
		.bos = { { id, ACCEL_BO_NO_IMPLICIT } },
	};

	KUNIT_EXPECT_EQ(test, -EINVAL, mock_submit(mock, queue.id, &bad));
	mock_fence_add(test, resv, writer, DMA_RESV_USAGE_WRITE);
	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT } });
	KUNIT_EXPECT_EQ(test, 1, mock_running(mock, 0));
	KUNIT_EXPECT_EQ(test, 2, mock_fence_count(test, resv,
						  DMA_RESV_USAGE_WRITE));
	/* Who does not say so waits for both. */
	MOCK_SUBMIT(mock, other, .tag = 2, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ } });
	dma_fence_signal(writer);
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 1));
	mock_finish(mock, 0, 0);
	mock_until(mock, mock_running(mock, 1) == 1);
	mock_finish(mock, 1, 0);

	mock_fence_add(test, resv, mover, DMA_RESV_USAGE_KERNEL);
	MOCK_SUBMIT(mock, queue, .tag = 3, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ | ACCEL_BO_NO_IMPLICIT } });
	KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 0));
	dma_fence_signal(mover);
	mock_until(mock, mock_running(mock, 0) == 1);
	mock_finish(mock, 0, 0);
	dma_fence_put(writer);
	dma_fence_put(mover);
}

/* Two buffers of one reservation object, in a job that reads one and writes one. */
static void accel_import_shared_resv(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue other = mock_queue(mock, 1, 0);
	struct mock_dmabuf *a = mock_dmabuf(test, MOCK_DMABUF_WRITE), *b;
	struct dma_resv *resv = a->dma_buf->resv;
	u32 ids[2], i;

	b = mock_dmabuf_of(test, 0, MOCK_DMABUF_SIZE, resv);
	ids[0] = mock_imported(mock, a->dma_buf).id;
	ids[1] = mock_imported(mock, b->dma_buf).id;
	for (i = 0; i < 2; i++) {
		MOCK_SUBMIT(mock, queue, .tag = 2 * i, .bo_count = 2,
			    .bos = { { ids[i], i ? ACCEL_BO_READ : ACCEL_BO_WRITE },
				     { ids[!i], i ? ACCEL_BO_WRITE :
						    ACCEL_BO_READ } });
		KUNIT_EXPECT_EQ(test, 1, mock_running(mock, 0));
		KUNIT_EXPECT_EQ(test, 1, mock_fence_count(test, resv,
							  DMA_RESV_USAGE_WRITE));
		/* Readers wait for the writer, once. */
		MOCK_SUBMIT(mock, other, .tag = 2 * i + 1, .bo_count = 2,
			    .bos = { { ids[0], ACCEL_BO_READ },
				     { ids[1], ACCEL_BO_READ } });
		KUNIT_EXPECT_EQ(test, 0, mock_running(mock, 1));
		mock_finish(mock, 0, 0);
		KUNIT_EXPECT_EQ(test, 1, mock_running(mock, 1));
		mock_finish(mock, 1, 0);
	}
	/* The second one's release looks at the object. */
	mock_destroy(mock, ids[0]);
	mock_destroy(mock, ids[1]);
	accel_census_drain();
	mock_dmabuf_put(b);
}

/* The device goes, with an id and with jobs, running and held, that name it. */
static void accel_import_device_goes(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct mock_queue held = mock_queue(mock, 1, 0);
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	u32 id = mock_imported(mock, buf->dma_buf).id;
	u32 timeline = mock_timeline(mock, 0);
	struct accel_bo *bo = mock_find_bo(mock, id);
	struct accel_bo_import args;

	MOCK_SUBMIT(mock, queue, .tag = 1, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_WRITE } });
	MOCK_SUBMIT(mock, held, .tag = 2, .bo_count = 1,
		    .bos = { { id, ACCEL_BO_READ } }, .wait_count = 1,
		    .waits = { { timeline, 0, 1 } });
	accel_import_expect_held(test, buf, 1);
	mock_unregister(mock);
	accel_import_expect_held(test, buf, 0);
	KUNIT_EXPECT_NULL(test, bo->vaddr);
	KUNIT_EXPECT_NULL(test, bo->sgt);
	KUNIT_EXPECT_EQ(test, 1, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 0, mock_fence_count(test, buf->dma_buf->resv,
						  DMA_RESV_USAGE_BOOKKEEP));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_bo_import(mock, buf->dma_buf, &args));

	/* The id has the reservation object still. */
	mock_dmabuf_put(buf);
	KUNIT_EXPECT_FALSE(test, buf->released);
	mock_destroy(mock, id);
	accel_census_drain();
	KUNIT_EXPECT_TRUE(test, buf->released);
}

static unsigned long accel_import_vm(struct file *filp, unsigned long prot,
				     u64 offset, size_t size)
{
	return vm_mmap(filp, 0, size, prot, MAP_SHARED, offset);
}

/* A mapping is the exporter's: of his file, with his operations and offset. */
static void accel_import_mapping(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	struct file *filp = mock_open(mock);
	struct vm_area_struct *vma;
	struct accel_bo_import args;
	unsigned long addr;
	u32 value = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	accel_file_destroy(mock->file);
	mock->file = filp->private_data;
	args = mock_imported(mock, buf->dma_buf);
	((u8 *)page_address(buf->pages))[PAGE_SIZE] = 7;
	addr = accel_import_vm(filp, PROT_READ | PROT_WRITE,
			       args.mmap_offset + PAGE_SIZE, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	KUNIT_EXPECT_PTR_EQ(test, buf->dma_buf->file, vma->vm_file);
	KUNIT_EXPECT_TRUE(test, !vma->vm_ops || !vma->vm_ops->close);
	KUNIT_EXPECT_NULL(test, vma->vm_private_data);
	KUNIT_EXPECT_TRUE(test, vma->vm_flags & VM_DONTEXPAND);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, 0, get_user(value, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, 7U, value);
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_MAPPINGS));

	/* It needs neither id nor file nor device. */
	mock_destroy(mock, args.id);
	mock_unregister(mock);
	__fput_sync(filp);
	mock->file = NULL;
	mock_dmabuf_put(buf);
	KUNIT_EXPECT_FALSE(test, buf->released);
	KUNIT_EXPECT_EQ(test, 0, put_user(8, (u32 __user *)addr));
	KUNIT_EXPECT_EQ(test, 0, vm_munmap(addr, PAGE_SIZE));
	flush_delayed_fput();
	KUNIT_EXPECT_TRUE(test, buf->released);
}

static void accel_import_mapping_refused(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *rw = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	struct mock_dmabuf *ro = mock_dmabuf(test, 0);
	struct file *filp = mock_open(mock);
	struct vm_area_struct *vma;
	unsigned long addr;
	u64 offset;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	accel_file_destroy(mock->file);
	mock->file = filp->private_data;
	offset = mock_imported(mock, rw->dma_buf).mmap_offset;
	KUNIT_EXPECT_EQ(test, (unsigned long)-EINVAL,
			accel_import_vm(filp, PROT_READ, offset + PAGE_SIZE,
					2 * PAGE_SIZE));
	rw->mmap_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, (unsigned long)-ENOMEM,
			accel_import_vm(filp, PROT_READ, offset, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, 0, rw->mmapped);

	offset = mock_imported(mock, ro->dma_buf).mmap_offset;
	KUNIT_EXPECT_EQ(test, (unsigned long)-EACCES,
			accel_import_vm(filp, PROT_READ | PROT_WRITE, offset,
					PAGE_SIZE));
	addr = accel_import_vm(filp, PROT_READ, offset, PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, addr);
	KUNIT_EXPECT_FALSE(test, vma->vm_flags & VM_MAYWRITE);
	mmap_read_unlock(current->mm);
	vm_munmap(addr, PAGE_SIZE);
	__fput_sync(filp);
	mock->file = NULL;
}

/* A device in software wants an address. */
static void accel_import_no_address(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *plain, *iomem;

	plain = mock_dmabuf(test, MOCK_DMABUF_WRITE | MOCK_DMABUF_PLAIN);
	accel_import_expect_refused(mock, plain, -EOPNOTSUPP);
	plain = mock_dmabuf(test, MOCK_DMABUF_PLAIN);
	accel_import_expect_refused(mock, plain, -EACCES);
	iomem = mock_dmabuf(test, MOCK_DMABUF_WRITE);
	iomem->iomem = true;
	accel_import_expect_refused(mock, iomem, -EOPNOTSUPP);
}

static struct kunit_case accel_import_cases[] = {
	KUNIT_CASE_PARAM(accel_import_is_what_it_was, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_twice, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_is_exported, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_sizes, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_access, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_waits_for_others, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_without_implicit, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_shared_resv, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_device_goes, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_mapping, accel_import_gen_params),
	KUNIT_CASE_PARAM(accel_import_mapping_refused, accel_import_gen_params),
	KUNIT_CASE(accel_import_no_address),
	{}
};

struct kunit_suite accel_dmabuf_import_suite = {
	.name = "accel_dmabuf_import",
	.init = accel_import_init,
	.exit = mock_dmabuf_exit,
	.test_cases = accel_import_cases,
};

static void accel_import_attach_fails(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);

	buf->attach_error = -EBUSY;
	accel_import_expect_refused(mock, buf, -EBUSY);
	buf->attach_error = 0;
	buf->map_error = -ENOMEM;
	accel_import_expect_refused(mock, buf, -ENOMEM);
	buf->map_error = 0;
	mock_imported(mock, buf->dma_buf);
}

/* Less memory than it says, and segments that the device does not take. */
static void accel_import_bad_segments(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);

	buf->fake_segment = PAGE_SIZE;
	buf->fake_bytes = MOCK_DMABUF_SIZE - PAGE_SIZE;
	accel_import_expect_refused(mock, buf, -EINVAL);
	buf->fake_segment = dma_get_max_seg_size(mock->parent) + PAGE_SIZE;
	buf->fake_bytes = MOCK_DMABUF_SIZE;
	accel_import_expect_refused(mock, buf, -EOPNOTSUPP);
	buf->fake_segment -= PAGE_SIZE;
	mock_imported(mock, buf->dma_buf);
}

/* Its bytes do not fit 32 bits, nor do offsets in it. */
static void accel_import_large(struct kunit *test)
{
	const size_t size = IS_ENABLED(CONFIG_64BIT) ? SZ_4G + SZ_64K : 0;
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf;
	struct accel_bo_import args;
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	if (!size)
		kunit_skip(test, "no size_t for that");
	buf = mock_dmabuf_of(test, MOCK_DMABUF_WRITE, size, NULL);
	buf->fake_segment = SZ_64K;
	buf->fake_bytes = SZ_64K;
	accel_import_expect_refused(mock, buf, -EINVAL);
	buf->fake_bytes = size;
	args = mock_imported(mock, buf->dma_buf);
	KUNIT_EXPECT_EQ(test, (u64)size, args.length);
	for_each_sgtable_dma_sg(mock_find_bo(mock, args.id)->sgt, sg, i)
		bytes += sg_dma_len(sg);
	KUNIT_EXPECT_EQ(test, (u64)size, bytes);
}

/* A device that does not reach all memory does not even try. */
static void accel_import_out_of_reach(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_dmabuf *buf = mock_dmabuf(test, MOCK_DMABUF_WRITE);

	KUNIT_ASSERT_EQ(test, 0, dma_set_mask_and_coherent(mock->parent,
							   DMA_BIT_MASK(28)));
	/* Not this, but that. */
	buf->attach_error = -EDOM;
	accel_import_expect_refused(mock, buf, -EOPNOTSUPP);
}

static struct kunit_case accel_import_hardware_cases[] = {
	KUNIT_CASE(accel_import_attach_fails),
	KUNIT_CASE(accel_import_bad_segments),
	KUNIT_CASE_SLOW(accel_import_large),
	KUNIT_CASE(accel_import_out_of_reach),
	{}
};

struct kunit_suite accel_dmabuf_hardware_suite = {
	.name = "accel_dmabuf_hardware",
	.init = accel_import_init_hardware,
	.exit = mock_dmabuf_exit,
	.test_cases = accel_import_hardware_cases,
};
