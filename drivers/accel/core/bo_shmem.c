// SPDX-License-Identifier: GPL-2.0-only
/* Buffers in shmem: the default, for devices that reach all of system memory. */
#include "accel_internal.h"

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/scatterlist.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

static enum dma_data_direction accel_bo_page_dir(const struct accel_bo *bo)
{
	return bo->read_only ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL;
}

unsigned long accel_bo_page_pfn(struct accel_bo *bo, pgoff_t page)
{
	return page_to_pfn(bo->pages[page]);
}

int accel_bo_page_vmap(struct accel_bo *bo)
{
	bo->vaddr = vmap(bo->pages, bo->size >> PAGE_SHIFT, VM_MAP,
			 bo->read_only ? PAGE_KERNEL_RO : PAGE_KERNEL);
	return bo->vaddr ? 0 : -ENOMEM;
}

void accel_bo_page_vunmap(struct accel_bo *bo)
{
	vunmap(bo->vaddr);
}

static int accel_bo_shmem_alloc(struct accel_bo *bo)
{
	struct file *shmem;

	/* Nobody could ever populate it. */
	if (bo->size >> PAGE_SHIFT > totalram_pages())
		return -ENOMEM;

	shmem = shmem_file_setup("accel", bo->size,
				 mk_vma_flags(VMA_NORESERVE_BIT));
	/* ENFILE, or ENOSPC for an inode: it is memory that there is none of. */
	if (IS_ERR(shmem))
		return -ENOMEM;

	/* A client that asks for too much gets ENOMEM; others get no OOM killer. */
	mapping_set_gfp_mask(shmem->f_mapping, GFP_HIGHUSER |
			     __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	mapping_set_unevictable(shmem->f_mapping);
	bo->shmem = shmem;
	return 0;
}

static void accel_bo_shmem_put_pages(struct accel_bo *bo, pgoff_t count)
{
	while (count) {
		put_page(bo->pages[--count]);
		cond_resched();
	}
	kvfree(bo->pages);
	bo->pages = NULL;
}

static void accel_bo_shmem_free(struct accel_bo *bo)
{
	if (bo->pages)
		accel_bo_shmem_put_pages(bo, bo->size >> PAGE_SHIFT);
	fput(bo->shmem);
}

static void accel_bo_shmem_discard(struct accel_bo *bo)
{
	accel_bo_shmem_put_pages(bo, bo->size >> PAGE_SHIFT);
	shmem_truncate_range(file_inode(bo->shmem), 0, -1);
}

static int accel_bo_shmem_populate(struct accel_bo *bo)
{
	pgoff_t i, count = bo->size >> PAGE_SHIFT;
	struct page *page;

	bo->pages = kvcalloc(count, sizeof(*bo->pages), ACCEL_GFP_ARRAY);
	if (!bo->pages)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		page = fatal_signal_pending(current) ? ERR_PTR(-EINTR) :
			shmem_read_mapping_page(bo->shmem->f_mapping, i);
		if (IS_ERR(page)) {
			accel_bo_shmem_put_pages(bo, i);
			/* Unevictable as they are, they would stay for ever. */
			shmem_truncate_range(file_inode(bo->shmem), 0, -1);
			/* shmem's word for what may not be committed */
			return PTR_ERR(page) == -ENOSPC ? -ENOMEM : PTR_ERR(page);
		}
		bo->pages[i] = page;
		cond_resched();
	}
	return 0;
}

/*
 * Fill @sgt with the pages, mapped for @dev. Several devices may have them mapped at
 * a time: the DMA API takes that if the caches are the caller's business.
 */
int accel_bo_page_map(struct accel_bo *bo, struct device *dev,
		      struct sg_table *sgt, enum dma_data_direction dir)
{
	/* What has to be bounced is bounced in one piece. */
	size_t segment_max = min(dma_get_max_seg_size(dev),
				 dma_max_mapping_size(dev));
	int ret;

	ret = sg_alloc_table_from_pages_segment(sgt, bo->pages,
						bo->size >> PAGE_SHIFT, 0,
						bo->size, segment_max,
						GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	ret = dma_map_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	if (ret) {
		sg_free_table(sgt);
		return ret;
	}
	dma_sync_sgtable_for_device(dev, sgt, dir);
	return 0;
}

void accel_bo_page_unmap(struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	dma_sync_sgtable_for_cpu(dev, sgt, dir);
	dma_unmap_sgtable(dev, sgt, dir, DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(sgt);
}

int accel_bo_page_map_dma(struct accel_bo *bo)
{
	struct sg_table *sgt __free(kfree) = NULL;
	int ret;

	sgt = kzalloc_obj(*sgt, GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return -ENOMEM;

	ret = accel_bo_page_map(bo, bo->dev->dev.parent, sgt,
				accel_bo_page_dir(bo));
	if (ret)
		return ret;
	bo->sgt = no_free_ptr(sgt);
	return 0;
}

void accel_bo_page_unmap_dma(struct accel_bo *bo)
{
	accel_bo_page_unmap(bo->dev->dev.parent, bo->sgt, accel_bo_page_dir(bo));
	kfree(bo->sgt);
}

void accel_bo_page_sync_for_cpu(struct accel_bo *bo)
{
	dma_sync_sgtable_for_cpu(bo->dev->dev.parent, bo->sgt, accel_bo_page_dir(bo));
}

void accel_bo_page_sync_for_device(struct accel_bo *bo)
{
	dma_sync_sgtable_for_device(bo->dev->dev.parent, bo->sgt,
				    accel_bo_page_dir(bo));
}

void accel_bo_page_detach(struct accel_bo *bo)
{
	/* The pages are the system's. */
}

const struct accel_bo_ops accel_bo_shmem_ops = {
	.alloc = accel_bo_shmem_alloc,
	.free = accel_bo_shmem_free,
	.populate = accel_bo_shmem_populate,
	.discard = accel_bo_shmem_discard,
	.pfn = accel_bo_page_pfn,
	.vmap = accel_bo_page_vmap,
	.vunmap = accel_bo_page_vunmap,
	.map_dma = accel_bo_page_map_dma,
	.unmap_dma = accel_bo_page_unmap_dma,
	.sync_for_cpu = accel_bo_page_sync_for_cpu,
	.sync_for_device = accel_bo_page_sync_for_device,
	.detach = accel_bo_page_detach,
};
