// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of buffers into processes, by their offset in the device's node or as a
 * dma-buf. All of them are in the address space of the device's anonymous inode, at
 * the buffer's offset, so that one zap reaches everybody; but those of imports are in
 * whatever their exporter has.
 */
#include "accel_internal.h"

#include <linux/compat.h>
#include <linux/mm.h>

/* Where mappings start: no 32-bit offset can be taken for one of a buffer. */
#define ACCEL_MMAP_FIRST	(SZ_4G >> PAGE_SHIFT)
/* The last page that a 32-bit caller's mmap2() can name, and that anybody can. */
#define ACCEL_MMAP_LAST_32	((unsigned long)U32_MAX)
#define ACCEL_MMAP_LAST		((unsigned long)(LLONG_MAX >> PAGE_SHIFT))

int accel_bo_alloc_offset(struct accel_bo *bo)
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

void accel_bo_free_offset(struct accel_bo *bo)
{
	struct ma_state mas;

	if (!bo->mmap_pgoff)
		return;

	/* An entry that stayed would be found by the next mmap(). */
	mas_init(&mas, &bo->dev->mmap_offsets, bo->mmap_pgoff);
	mas_lock(&mas);
	mas_walk(&mas);
	mas_store_gfp(&mas, NULL, GFP_KERNEL | __GFP_NOFAIL);
	mas_unlock(&mas);
}

/*
 * 0 for memory that its owner has mapped already, and for a 32-bit caller that shares
 * a buffer of somebody who is not.
 */
u64 accel_bo_mmap_offset(const struct accel_bo *bo)
{
	if (bo->mm ||
	    (in_compat_syscall() && bo->mmap_pgoff > ACCEL_MMAP_LAST_32))
		return 0;
	return (u64)bo->mmap_pgoff << PAGE_SHIFT;
}

/* Whoever touches a mapping after this faults, and waits for the lock. */
void accel_bo_zap(struct accel_bo *bo)
{
	lockdep_assert_held(&bo->lock);

	/* It has none yet, and nobody can have mapped it. */
	if (!bo->mmap_pgoff)
		return;
	unmap_mapping_pages(bo->dev->mapping->f_mapping, bo->mmap_pgoff,
			    bo->size >> PAGE_SHIFT, true);
}

static vm_fault_t accel_bo_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct accel_bo *bo = vma->vm_private_data;
	pgoff_t page = vmf->pgoff - bo->mmap_pgoff;

	if (page >= bo->size >> PAGE_SHIFT)
		return VM_FAULT_SIGBUS;

	guard(mutex)(&bo->lock);
	/* What is not needed does not come back by being touched. */
	if (!bo->populated && atomic_read(&bo->users) < 0)
		return VM_FAULT_SIGBUS;
	switch (accel_bo_populate(bo)) {
	case 0:
		break;
	case -EINTR:
		/*
		 * The signal comes first; then the access is tried again. The kernel's
		 * would be at once, and for ever.
		 */
		return vmf->flags & FAULT_FLAG_USER ? VM_FAULT_NOPAGE :
						      VM_FAULT_SIGBUS;
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

/*
 * Map @bo at @first, in pages from its beginning. Without @may_write neither this
 * mapping nor mprotect() makes it writable. The caller has a reference to @bo.
 */
int accel_bo_map_vma(struct accel_bo *bo, struct vm_area_struct *vma,
		     unsigned long first, bool may_write)
{
	unsigned long pages = bo->size >> PAGE_SHIFT;

	if (bo->mm)
		return -EOPNOTSUPP;
	if (!may_write && (vma->vm_flags & VM_WRITE))
		return -EACCES;
	/* The frames are nobody's to copy on write. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (first > pages || vma_pages(vma) > pages - first)
		return -EINVAL;

	if (!may_write)
		vm_flags_clear(vma, VM_MAYWRITE);
	/* It is the exporter's then, which has its own ways. */
	if (bo->dma_buf)
		return accel_import_mmap(bo, vma, first);

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_pgoff = bo->mmap_pgoff + first;
	vma->vm_private_data = bo;
	vma->vm_ops = &accel_bo_vm_ops;
	accel_bo_vm_open(vma);
	return 0;
}

int accel_bo_mmap(struct accel_file *file, struct vm_area_struct *vma)
{
	struct accel_bo *bo;
	bool may_write;
	int ret;

	if (accel_dev_is_gone(file->dev))
		return -ENODEV;

	bo = accel_bo_at_offset(file->dev, vma->vm_pgoff);
	if (!bo)
		return -EINVAL;

	if (accel_bo_has_client(bo, file, &may_write))
		ret = accel_bo_map_vma(bo, vma, vma->vm_pgoff - bo->mmap_pgoff,
				       may_write);
	else
		ret = -EACCES;
	accel_object_put_any_context(&bo->obj);
	return ret;
}
