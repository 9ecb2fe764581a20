// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers in memory from the DMA API, page by page, for a device that cannot
 * address all of system memory: whatever it gives is within reach of the coherent mask,
 * and nothing is bounced.
 */
#include "accel_internal.h"

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

static int accel_bo_dma_alloc(struct accel_bo *bo)
{
	/* Memory comes when it is used; of this much, nobody could use all. */
	return bo->size >> PAGE_SHIFT > totalram_pages() ? -ENOMEM : 0;
}

static void accel_bo_dma_free_pages(struct accel_bo *bo, pgoff_t count)
{
	dma_addr_t *addrs = bo->dma_addrs;

	while (count--) {
		if (addrs)
			dma_free_pages(bo->dev->dev.parent, PAGE_SIZE,
				       bo->pages[count], addrs[count],
				       DMA_BIDIRECTIONAL);
		else
			put_page(bo->pages[count]);
		cond_resched();
	}
	kvfree(addrs);
	kvfree(bo->pages);
	bo->dma_addrs = NULL;
	bo->pages = NULL;
}

static void accel_bo_dma_free(struct accel_bo *bo)
{
	if (bo->pages)
		accel_bo_dma_free_pages(bo, bo->size >> PAGE_SHIFT);
}

static int accel_bo_dma_populate(struct accel_bo *bo)
{
	pgoff_t i, count = bo->size >> PAGE_SHIFT;
	dma_addr_t *addrs;

	if (bo->detached)
		return -ENODEV;

	addrs = kvcalloc(count, sizeof(*addrs), ACCEL_GFP_ARRAY);
	bo->pages = kvcalloc(count, sizeof(*bo->pages), ACCEL_GFP_ARRAY);
	bo->dma_addrs = addrs;
	if (!addrs || !bo->pages) {
		accel_bo_dma_free_pages(bo, 0);
		return -ENOMEM;
	}

	for (i = 0; i < count; i++) {
		if (fatal_signal_pending(current)) {
			accel_bo_dma_free_pages(bo, i);
			return -EINTR;
		}
		/* Zeroed by the DMA API; NOWARN, since such memory is scarce. */
		bo->pages[i] = dma_alloc_pages(bo->dev->dev.parent, PAGE_SIZE,
					       &addrs[i], DMA_BIDIRECTIONAL,
					       GFP_KERNEL_ACCOUNT |
					       __GFP_RETRY_MAYFAIL |
					       __GFP_NOWARN);
		if (!bo->pages[i]) {
			accel_bo_dma_free_pages(bo, i);
			return -ENOMEM;
		}
		cond_resched();
	}
	return 0;
}

static void accel_bo_dma_sync_for_cpu(struct accel_bo *bo)
{
	dma_addr_t *addrs = bo->dma_addrs;
	pgoff_t i;

	for (i = 0; i < bo->size >> PAGE_SHIFT; i++)
		dma_sync_single_for_cpu(bo->dev->dev.parent, addrs[i], PAGE_SIZE,
					DMA_BIDIRECTIONAL);
}

static void accel_bo_dma_sync_for_device(struct accel_bo *bo)
{
	dma_addr_t *addrs = bo->dma_addrs;
	pgoff_t i;

	for (i = 0; i < bo->size >> PAGE_SHIFT; i++)
		dma_sync_single_for_device(bo->dev->dev.parent, addrs[i],
					   PAGE_SIZE, DMA_BIDIRECTIONAL);
}

static int accel_bo_dma_map_dma(struct accel_bo *bo)
{
	unsigned int i, count = bo->size >> PAGE_SHIFT;
	dma_addr_t *addrs = bo->dma_addrs;
	struct sg_table *sgt __free(kfree) = NULL;
	struct scatterlist *sg;
	int ret;

	sgt = kzalloc_obj(*sgt, GFP_KERNEL_ACCOUNT);
	if (!sgt)
		return -ENOMEM;
	ret = sg_alloc_table(sgt, count, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;

	for_each_sgtable_sg(sgt, sg, i) {
		sg_set_page(sg, bo->pages[i], PAGE_SIZE, 0);
		sg_dma_address(sg) = addrs[i];
		sg_dma_len(sg) = PAGE_SIZE;
	}
	bo->sgt = no_free_ptr(sgt);
	accel_bo_dma_sync_for_device(bo);
	return 0;
}

static void accel_bo_dma_unmap_dma(struct accel_bo *bo)
{
	accel_bo_dma_sync_for_cpu(bo);
	sg_free_table(bo->sgt);
	kfree(bo->sgt);
}

/* Ends the device's part in the pages; they stay, as anybody's. */
static void accel_bo_dma_detach(struct accel_bo *bo)
{
	dma_addr_t *addrs = bo->dma_addrs;
	pgoff_t i;

	if (!addrs)
		return;

	for (i = 0; i < bo->size >> PAGE_SHIFT; i++) {
		get_page(bo->pages[i]);
		dma_free_pages(bo->dev->dev.parent, PAGE_SIZE, bo->pages[i],
			       addrs[i], DMA_BIDIRECTIONAL);
		cond_resched();
	}
	kvfree(addrs);
	bo->dma_addrs = NULL;
}

const struct accel_bo_ops accel_bo_dma_ops = {
	.alloc = accel_bo_dma_alloc,
	.free = accel_bo_dma_free,
	.populate = accel_bo_dma_populate,
	.discard = accel_bo_dma_free,
	.pfn = accel_bo_page_pfn,
	.vmap = accel_bo_page_vmap,
	.vunmap = accel_bo_page_vunmap,
	.map_dma = accel_bo_dma_map_dma,
	.unmap_dma = accel_bo_dma_unmap_dma,
	.sync_for_cpu = accel_bo_dma_sync_for_cpu,
	.sync_for_device = accel_bo_dma_sync_for_device,
	.detach = accel_bo_dma_detach,
};
