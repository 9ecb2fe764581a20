// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers in memory of the caller's: pinned while the buffer lives, and counted until
 * then as the pinned memory of the process that made it, whoever has it in the end.
 *
 * The memory stays the caller's in every other way. Whoever has an id of the buffer
 * can have jobs use it, and nobody else: it is neither mapped nor exported.
 */
#include "accel_internal.h"

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/* Pages between two looks at whether the process has been killed */
#define ACCEL_PIN_BATCH	512UL

static int accel_userptr_charge(struct mm_struct *mm, pgoff_t count)
{
	s64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(count, &mm->pinned_vm) <= limit ||
	    capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(count, &mm->pinned_vm);
	return -ENOMEM;
}

static void accel_userptr_uncharge(struct mm_struct *mm, pgoff_t count)
{
	atomic64_sub(count, &mm->pinned_vm);
}

static int accel_userptr_pin_pages(struct page **pages, pgoff_t count,
				   unsigned long addr, bool write)
{
	unsigned int flags = FOLL_LONGTERM | (write ? FOLL_WRITE : 0);
	pgoff_t done = 0;
	int ret;

	while (done < count) {
		ret = fatal_signal_pending(current) ? -EINTR :
			pin_user_pages_fast(addr + (done << PAGE_SHIFT),
					    min(count - done, ACCEL_PIN_BATCH),
					    flags, pages + done);
		if (ret <= 0) {
			unpin_user_pages(pages, done);
			return ret ?: -EFAULT;
		}
		done += ret;
		cond_resched();
	}
	return 0;
}

/* Set what accel_userptr_free() undoes, or nothing. */
static int accel_userptr_pin(struct accel_bo *bo, unsigned long addr)
{
	pgoff_t count = bo->size >> PAGE_SHIFT;
	struct mm_struct *mm = current->mm;
	struct page **pages;
	int ret;

	ret = accel_userptr_charge(mm, count);
	if (ret)
		return ret;

	pages = kvcalloc(count, sizeof(*pages), ACCEL_GFP_ARRAY);
	ret = pages ? accel_userptr_pin_pages(pages, count, addr,
					      !bo->read_only) : -ENOMEM;
	if (ret) {
		kvfree(pages);
		accel_userptr_uncharge(mm, count);
		return ret;
	}

	mmgrab(mm);
	guard(mutex)(&bo->lock);
	bo->mm = mm;
	bo->pages = pages;
	return 0;
}

static int accel_userptr_alloc(struct accel_bo *bo)
{
	return 0;
}

static void accel_userptr_free(struct accel_bo *bo)
{
	pgoff_t count = bo->size >> PAGE_SHIFT;

	if (!bo->pages)
		return;
	unpin_user_pages_dirty_lock(bo->pages, count, !bo->read_only);
	kvfree(bo->pages);
	bo->pages = NULL;
	accel_userptr_uncharge(bo->mm, count);
	mmdrop(bo->mm);
}

/* System memory but for where it comes from. */
static const struct accel_bo_ops accel_userptr_ops = {
	.alloc = accel_userptr_alloc,
	.free = accel_userptr_free,
	.vmap = accel_bo_page_vmap,
	.vunmap = accel_bo_page_vunmap,
	.map_dma = accel_bo_page_map_dma,
	.unmap_dma = accel_bo_page_unmap_dma,
	.sync_for_cpu = accel_bo_page_sync_for_cpu,
	.sync_for_device = accel_bo_page_sync_for_device,
	.detach = accel_bo_page_detach,
};

static struct accel_region accel_userptr_region = {
	.name = "user",
	.ops = &accel_userptr_ops,
};

static int accel_userptr_check(struct accel_device *dev,
			       const struct accel_bo_userptr *args)
{
	u64 end;

	if (args->flags & ~ACCEL_USERPTR_WRITE)
		return -EOPNOTSUPP;
	if (args->reserved || !args->length ||
	    !PAGE_ALIGNED(args->addr) || !PAGE_ALIGNED(args->length))
		return -EINVAL;
	/* Mapping it for DMA would have to bounce, or warn. */
	if (!dev->virtual && !accel_reaches_memory(dev->dev.parent))
		return -EOPNOTSUPP;
	if (check_add_overflow(args->addr, args->length, &end) ||
	    end != (uintptr_t)end)
		return -EFAULT;
	return args->length >> PAGE_SHIFT > totalram_pages() ? -ENOMEM : 0;
}

/* Outside of the device: memory may be slow to come, or never come. */
static struct accel_bo *accel_userptr_create(struct accel_device *dev,
					     const struct accel_bo_userptr *args)
{
	struct accel_bo *bo;
	int ret;

	bo = accel_bo_create(dev, args->length, &accel_userptr_region, NULL);
	if (IS_ERR(bo))
		return bo;

	bo->read_only = !(args->flags & ACCEL_USERPTR_WRITE);
	ret = accel_userptr_pin(bo, args->addr);
	if (ret) {
		accel_object_put(&bo->obj);
		return ERR_PTR(ret);
	}
	return bo;
}

int accel_bo_userptr_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_userptr *args = call->arg;
	struct accel_device *dev = call->file->dev;
	struct accel_bo *bo;
	int idx, ret;

	/* What a driver said of its device is not to be asked for afterwards. */
	if (!accel_dev_enter(dev, &idx))
		return -ENODEV;
	ret = accel_userptr_check(dev, args);
	accel_dev_exit(dev, idx);
	if (ret)
		return ret;

	bo = accel_userptr_create(dev, args);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	if (accel_dev_is_gone(dev)) {
		accel_object_put(&bo->obj);
		return -ENODEV;
	}
	return accel_bo_give_id(call, bo, !bo->read_only, &args->id);
}
