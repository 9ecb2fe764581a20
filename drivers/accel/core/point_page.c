// SPDX-License-Identifier: GPL-2.0-only
/*
 * The point page of a queue: how far its timeline has come, for a client to see
 * without a call. To the rest of the core it is a buffer that has no id and can
 * only be mapped for reading. It is memory of the system's, so it stays readable
 * when the device is gone.
 */
#include "accel_internal.h"

#include <linux/gfp.h>
#include <linux/mm.h>

static int accel_point_page_alloc(struct accel_bo *bo)
{
	bo->driver_data = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return bo->driver_data ? 0 : -ENOMEM;
}

static void accel_point_page_free(struct accel_bo *bo)
{
	free_page((unsigned long)bo->driver_data);
}

static unsigned long accel_point_page_pfn(struct accel_bo *bo, pgoff_t page)
{
	return page_to_pfn(virt_to_page(bo->driver_data));
}

static int accel_point_page_vmap(struct accel_bo *bo)
{
	bo->vaddr = bo->driver_data;
	return 0;
}

static void accel_point_page_vunmap(struct accel_bo *bo)
{
	/* The kernel's own mapping of the page. */
}

static void accel_point_page_detach(struct accel_bo *bo)
{
	/* The page is the system's. */
}

static const struct accel_bo_ops accel_point_page_ops = {
	.alloc = accel_point_page_alloc,
	.free = accel_point_page_free,
	.pfn = accel_point_page_pfn,
	.vmap = accel_point_page_vmap,
	.vunmap = accel_point_page_vunmap,
	.detach = accel_point_page_detach,
};

static struct accel_region accel_point_region = {
	.name = "points",
	.ops = &accel_point_page_ops,
};

/* Give the timeline a page that @file can map. Returns 0 or a negative errno. */
int accel_point_page_add(struct accel_timeline *timeline, struct accel_file *file)
{
	struct accel_bo_handle *handle;
	struct accel_bo *bo;
	int ret;

	bo = accel_bo_create(file->dev, PAGE_SIZE, &accel_point_region, NULL);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = accel_bo_vmap(bo);
	if (ret) {
		accel_object_put(&bo->obj);
		return ret;
	}
	handle = accel_bo_handle_create(file, bo, false);
	if (IS_ERR(handle))
		return PTR_ERR(handle);

	timeline->page_handle = handle;
	timeline->page = bo->vaddr;
	return 0;
}

/* Where the points have come to; whoever sees @completed sees @failed with it. */
void accel_point_page_update(struct accel_timeline *timeline)
{
	lockdep_assert_held(&timeline->lock);

	if (!timeline->page)
		return;
	WRITE_ONCE(timeline->page->failed, timeline->failed);
	/*
	 * Pairs with the acquire load that struct accel_point_page asks for. Not a
	 * store-release: that takes no 64 bits where a long has 32.
	 */
	smp_wmb();
	WRITE_ONCE(timeline->page->completed, timeline->completed);
}
