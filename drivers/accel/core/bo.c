// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: ids, mappings, CPU access. Where the memory comes from is for the
 * region's ops to know: bo_shmem.c and bo_dma.c for system memory, the driver for
 * its own.
 */
#include "accel_internal.h"

#include <linux/compat.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

/* Where mappings start: no 32-bit offset can be taken for one of a buffer. */
#define ACCEL_MMAP_FIRST	(SZ_4G >> PAGE_SHIFT)
/* The last page that a 32-bit caller's mmap2() can name, and that anybody can. */
#define ACCEL_MMAP_LAST_32	((unsigned long)U32_MAX)
#define ACCEL_MMAP_LAST		((unsigned long)(LLONG_MAX >> PAGE_SHIFT))

static struct accel_bo *obj_to_bo(struct accel_object *obj)
{
	return container_of(obj, struct accel_bo, obj);
}

struct accel_bo *accel_bo_get(struct accel_file *file, u32 id)
{
	struct accel_object *obj = accel_object_get(file, id, &accel_bo_type);

	return obj ? obj_to_bo(obj) : NULL;
}

static int accel_bo_populate(struct accel_bo *bo)
{
	int ret;

	lockdep_assert_held(&bo->lock);

	if (!bo->region)
		return -ENODEV;
	if (bo->populated)
		return 0;

	if (bo->region->ops->populate) {
		ret = bo->region->ops->populate(bo);
		if (ret)
			return ret;
	}
	bo->populated = true;
	return 0;
}

/**
 * accel_bo_vmap - make a buffer accessible through a kernel address
 * @bo: the buffer
 *
 * Provides its memory, charged to the caller, and sets @accel_bo.vaddr, which
 * stays valid for as long as a job uses the buffer. For job_validate.
 *
 * Context: may sleep.
 * Return: 0, ENOMEM, EINTR.
 */
int accel_bo_vmap(struct accel_bo *bo)
{
	int ret;

	guard(mutex)(&bo->lock);
	ret = accel_bo_populate(bo);
	if (ret || bo->vaddr)
		return ret;
	return bo->region->ops->vmap(bo);
}
EXPORT_SYMBOL_NS_GPL(accel_bo_vmap, "ACCEL");

/**
 * accel_bo_map_dma - make a buffer accessible to the device
 * @bo: the buffer
 *
 * Provides its memory, charged to the caller, maps it for DMA in both directions
 * and sets @accel_bo.sgt, which stays valid for as long as a job uses the buffer.
 * For job_validate.
 *
 * Context: may sleep.
 * Return: 0, ENOMEM, EINTR, EIO if it cannot be mapped, EOPNOTSUPP if the region
 * knows no DMA.
 */
int accel_bo_map_dma(struct accel_bo *bo)
{
	int ret;

	guard(mutex)(&bo->lock);
	ret = accel_bo_populate(bo);
	if (ret || bo->sgt)
		return ret;
	if (!bo->region->ops->map_dma)
		return -EOPNOTSUPP;
	return bo->region->ops->map_dma(bo);
}
EXPORT_SYMBOL_NS_GPL(accel_bo_map_dma, "ACCEL");

static void accel_bo_unmap(struct accel_bo *bo)
{
	if (bo->sgt)
		bo->region->ops->unmap_dma(bo);
	if (bo->vaddr)
		bo->region->ops->vunmap(bo);
	bo->sgt = NULL;
	bo->vaddr = NULL;
}

static void accel_bo_free_memory(struct accel_bo *bo)
{
	lockdep_assert_held(&bo->lock);

	if (!bo->region)
		return;
	accel_bo_unmap(bo);
	bo->region->ops->free(bo);
	atomic64_sub(bo->size, &bo->region->used);
	bo->region = NULL;
}

static void accel_bo_release(struct accel_object *obj)
{
	struct accel_bo *bo = obj_to_bo(obj);
	struct accel_device *dev = bo->dev;
	struct ma_state mas;

	/* An entry that stayed would be found by the next mmap(). */
	mas_init(&mas, &dev->mmap_offsets, bo->mmap_pgoff);
	mas_lock(&mas);
	mas_walk(&mas);
	mas_store_gfp(&mas, NULL, GFP_KERNEL | __GFP_NOFAIL);
	mas_unlock(&mas);

	/* On the list until then, since accel_unregister() has to wait for it. */
	scoped_guard(mutex, &bo->lock)
		accel_bo_free_memory(bo);
	scoped_guard(mutex, &dev->lock)
		list_del(&bo->dev_link);

	dma_resv_fini(&bo->resv);
	mutex_destroy(&bo->lock);
	kfree(bo);
	put_device(&dev->dev);
	accel_census_dec(ACCEL_CENSUS_BOS);
}

/* Existing mappings stay, as they do when a file is closed. */
void accel_bo_forbid_mmap(struct accel_bo *bo)
{
	WRITE_ONCE(bo->client, 0);
}

static void accel_bo_destroy(struct accel_object *obj)
{
	accel_bo_forbid_mmap(obj_to_bo(obj));
}

const struct accel_object_type accel_bo_type = {
	.destroy = accel_bo_destroy,
	.release = accel_bo_release,
};

static int accel_bo_alloc_memory(struct accel_bo *bo)
{
	int ret;

	guard(mutex)(&bo->lock);
	ret = bo->region->ops->alloc(bo);
	if (!ret)
		atomic64_add(bo->size, &bo->region->used);
	return ret;
}

static int accel_bo_alloc_offset(struct accel_bo *bo)
{
	unsigned long first = ACCEL_MMAP_FIRST, last = ACCEL_MMAP_LAST_32;
	int ret;

	/* What is scarce is left to those who have nothing else. */
	if (IS_ENABLED(CONFIG_64BIT) && !in_compat_syscall()) {
		first = ACCEL_MMAP_LAST_32 + 1;
		last = ACCEL_MMAP_LAST;
	}
	ret = mtree_alloc_range(&bo->dev->mmap_offsets, &bo->mmap_pgoff, bo,
				bo->size >> PAGE_SHIFT, first, last,
				GFP_KERNEL_ACCOUNT);
	return ret == -EBUSY ? -ENOSPC : ret;
}

/* Returns a buffer with one reference and no id, or an ERR_PTR. */
struct accel_bo *accel_bo_create(struct accel_file *file, size_t size,
				 struct accel_region *region, bool read_only)
{
	struct accel_device *dev = file->dev;
	struct accel_bo *bo;
	int ret;

	bo = kzalloc(sizeof(*bo), GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	accel_object_init(&bo->obj, &accel_bo_type);
	bo->dev = dev;
	bo->client = file->id;
	bo->size = size;
	bo->region = region;
	bo->read_only = read_only;
	mutex_init(&bo->lock);
	dma_resv_init(&bo->resv);

	ret = accel_bo_alloc_memory(bo);
	if (ret)
		goto err_free;
	ret = accel_bo_alloc_offset(bo);
	if (ret)
		goto err_memory;

	get_device(&dev->dev);
	scoped_guard(mutex, &dev->lock)
		list_add_tail(&bo->dev_link, &dev->bos);
	accel_census_inc(ACCEL_CENSUS_BOS);
	return bo;

err_memory:
	scoped_guard(mutex, &bo->lock)
		accel_bo_free_memory(bo);
err_free:
	dma_resv_fini(&bo->resv);
	mutex_destroy(&bo->lock);
	kfree(bo);
	return ERR_PTR(ret);
}

int accel_bo_create_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_create *args = call->arg;
	struct accel_device *dev = call->file->dev;
	struct accel_bo *bo;
	u32 region;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->length || args->length > min(S64_MAX, SIZE_MAX) - PAGE_SIZE ||
	    args->region >= dev->region_count)
		return -EINVAL;

	region = array_index_nospec(args->region, dev->region_count);
	bo = accel_bo_create(call->file, PAGE_ALIGN(args->length),
			     dev->regions[region], false);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	bo->region_index = region;

	ret = accel_object_reserve(call, &bo->obj);
	if (ret) {
		accel_object_put(&bo->obj);
		return ret;
	}

	args->id = bo->obj.id;
	args->length = bo->size;
	args->mmap_offset = accel_bo_mmap_offset(bo);
	return 0;
}

int accel_bo_info_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_info *args = call->arg;
	struct accel_bo *bo;

	bo = accel_bo_get(call->file, args->id);
	if (!bo)
		return -ENOENT;

	args->length = bo->size;
	args->region = bo->region_index;
	args->flags = 0;
	args->mmap_offset = accel_bo_mmap_offset(bo);
	accel_object_put(&bo->obj);
	return 0;
}

static vm_fault_t accel_bo_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct accel_bo *bo = vma->vm_private_data;
	pgoff_t page = vmf->pgoff - bo->mmap_pgoff;

	if (page >= bo->size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;

	guard(mutex)(&bo->lock);
	switch (accel_bo_populate(bo)) {
	case 0:
		break;
	case -EINTR:
		/* The signal comes first; then the access is tried again. */
		return VM_FAULT_NOPAGE;
	default:
		/* With ENOMEM too: no OOM killer was asked, so none can help. */
		return VM_FAULT_SIGBUS;
	}
	return vmf_insert_pfn(vma, vmf->address, bo->region->ops->pfn(bo, page));
}

static void accel_bo_vm_open(struct vm_area_struct *vma)
{
	struct accel_bo *bo = vma->vm_private_data;

	refcount_inc(&bo->obj.refs);
	accel_census_inc(ACCEL_CENSUS_MAPPINGS);
}

static void accel_bo_vm_close(struct vm_area_struct *vma)
{
	struct accel_bo *bo = vma->vm_private_data;

	accel_census_dec(ACCEL_CENSUS_MAPPINGS);
	/* Not here: mmap_lock is held. */
	accel_object_put_any_context(&bo->obj);
}

static const struct vm_operations_struct accel_bo_vm_ops = {
	.open = accel_bo_vm_open,
	.close = accel_bo_vm_close,
	.fault = accel_bo_fault,
};

/* Returns a reference to the buffer that has the offset @pgoff, or NULL. */
static struct accel_bo *accel_bo_at_offset(struct accel_device *dev,
					   unsigned long pgoff)
{
	struct accel_bo *bo;
	struct ma_state mas;

	mas_init(&mas, &dev->mmap_offsets, pgoff);
	mas_lock(&mas);
	bo = mas_walk(&mas);
	if (bo && !refcount_inc_not_zero(&bo->obj.refs))
		bo = NULL;
	mas_unlock(&mas);
	return bo;
}

static int accel_bo_mmap_check(struct accel_file *file, struct accel_bo *bo,
			       struct vm_area_struct *vma)
{
	unsigned long first = vma->vm_pgoff - bo->mmap_pgoff;

	if (READ_ONCE(bo->client) != file->id)
		return -EACCES;
	if (bo->read_only && (vma->vm_flags & VM_WRITE))
		return -EACCES;
	/* The frames are nobody's to copy on write. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma_pages(vma) > (bo->size >> PAGE_SHIFT) - first)
		return -EINVAL;
	return 0;
}

int accel_bo_mmap(struct accel_file *file, struct vm_area_struct *vma)
{
	struct accel_bo *bo;
	int ret;

	if (accel_dev_is_gone(file->dev))
		return -ENODEV;

	bo = accel_bo_at_offset(file->dev, vma->vm_pgoff);
	if (!bo)
		return -EINVAL;

	ret = accel_bo_mmap_check(file, bo, vma);
	if (ret) {
		accel_object_put_any_context(&bo->obj);
		return ret;
	}

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	/* Not by mprotect() either. */
	if (bo->read_only)
		vm_flags_clear(vma, VM_MAYWRITE);
	vma->vm_private_data = bo;
	vma->vm_ops = &accel_bo_vm_ops;
	accel_census_inc(ACCEL_CENSUS_MAPPINGS);
	return 0;
}

/* Time left until @deadline_ns, for functions that count in jiffies. */
static unsigned long accel_deadline_jiffies(s64 deadline_ns)
{
	s64 left;

	if (deadline_ns == S64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	left = deadline_ns - ktime_get_ns();
	if (left <= 0)
		return 0;
	return min(nsecs_to_jiffies64(left) + 1, MAX_SCHEDULE_TIMEOUT - 1);
}

static int accel_bo_wait(struct accel_bo *bo, enum dma_resv_usage usage,
			 s64 deadline_ns)
{
	unsigned long left = accel_deadline_jiffies(deadline_ns);
	long ret;

	if (dma_resv_test_signaled(&bo->resv, usage))
		return 0;
	if (!left)
		return -ETIME;

	ret = dma_resv_wait_timeout(&bo->resv, usage, true, left);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIME;
}

static int accel_bo_sync_caches(struct accel_bo *bo, bool for_device)
{
	const struct accel_bo_ops *ops;
	int idx;

	if (!accel_dev_enter(bo->dev, &idx))
		return -ENODEV;

	scoped_guard(mutex, &bo->lock) {
		ops = bo->region->ops;
		if (!bo->sgt)
			break;
		if (for_device && ops->sync_for_device)
			ops->sync_for_device(bo);
		else if (!for_device && ops->sync_for_cpu)
			ops->sync_for_cpu(bo);
	}
	accel_dev_exit(bo->dev, idx);
	return 0;
}

static int accel_bo_sync(struct accel_bo *bo, u32 flags, s64 deadline_ns)
{
	/* Who writes waits for readers as well. */
	enum dma_resv_usage usage = dma_resv_usage_rw(flags & ACCEL_SYNC_WRITE);
	int ret;

	if (flags & ACCEL_SYNC_END)
		return accel_bo_sync_caches(bo, true);

	ret = accel_bo_wait(bo, usage, deadline_ns);
	return ret ?: accel_bo_sync_caches(bo, false);
}

int accel_bo_sync_ioctl(struct accel_ioctl_call *call)
{
	const struct accel_bo_sync *args = call->arg;
	struct accel_bo *bo;
	int ret;

	if (args->flags & ~(ACCEL_SYNC_READ | ACCEL_SYNC_WRITE | ACCEL_SYNC_END))
		return -EOPNOTSUPP;
	if (args->reserved ||
	    !(args->flags & (ACCEL_SYNC_READ | ACCEL_SYNC_WRITE)))
		return -EINVAL;
	if (!(args->flags & ACCEL_SYNC_END) && args->deadline_ns < 0)
		return -EINVAL;

	bo = accel_bo_get(call->file, args->id);
	if (!bo)
		return -ENOENT;

	ret = accel_bo_sync(bo, args->flags, args->deadline_ns);
	accel_object_put(&bo->obj);
	return ret;
}

static void accel_bo_detach(struct accel_bo *bo)
{
	const struct accel_bo_ops *ops;

	guard(mutex)(&bo->lock);
	bo->detached = true;
	if (!bo->region)
		return;
	ops = bo->region->ops;
	if (ops->detach) {
		if (bo->sgt)
			ops->unmap_dma(bo);
		bo->sgt = NULL;
		ops->detach(bo);
		return;
	}

	unmap_mapping_range(bo->dev->mapping->f_mapping,
			    (loff_t)bo->mmap_pgoff << PAGE_SHIFT, bo->size, 1);
	accel_bo_free_memory(bo);
}

/* The device is going, and so is what buffers have of it. */
void accel_bo_detach_all(struct accel_device *dev)
{
	struct accel_bo *bo;

	guard(mutex)(&dev->lock);
	list_for_each_entry(bo, &dev->bos, dev_link)
		accel_bo_detach(bo);
}
