// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers: making and freeing them. Where the memory comes from is for the region's
 * ops to know: bo_shmem.c and bo_dma.c for system memory, dmabuf_import.c for that
 * of others, the driver for its own; and bo_evict.c knows when it moves.
 */
#include "accel_internal.h"

#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

static struct accel_bo *obj_to_bo(struct accel_object *obj)
{
	return container_of(obj, struct accel_bo, obj);
}

/* Provide the memory, charged to the caller. */
int accel_bo_populate(struct accel_bo *bo)
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
 * Return: 0, ENOMEM, EINTR, ENODEV if the device is gone; for an import, EOPNOTSUPP, or
 * EACCES for one that cannot be written, if it has no address for the kernel, or
 * whatever its exporter says; for a driver's region, what its ops give.
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
 * Provides its memory, charged to the caller, maps it for DMA in both directions, or
 * for the device to read if there is no right to write, and sets @accel_bo.sgt, which
 * stays valid for as long as a job uses the buffer. For job_validate.
 *
 * Context: may sleep.
 * Return: 0, ENOMEM, EINTR, ENODEV if the device is gone, EIO if it cannot be mapped,
 * EOPNOTSUPP if the region knows no DMA; for an import, EAGAIN while its exporter is
 * taking it back, and if it was moved EINVAL or EOPNOTSUPP if it cannot be used there,
 * or whatever the exporter says; for a driver's region, what its ops give.
 */
int accel_bo_map_dma(struct accel_bo *bo)
{
	int ret;

	guard(mutex)(&bo->lock);
	ret = accel_bo_populate(bo);
	if (ret)
		return ret;
	/* That of an import may be about to go: its exporter is asked. */
	if (bo->sgt && !accel_import_can_move(bo))
		return 0;
	if (!bo->region->ops->map_dma)
		return -EOPNOTSUPP;
	return bo->region->ops->map_dma(bo);
}
EXPORT_SYMBOL_NS_GPL(accel_bo_map_dma, "ACCEL");

void accel_bo_unmap_dma(struct accel_bo *bo)
{
	if (bo->sgt)
		bo->region->ops->unmap_dma(bo);
	bo->sgt = NULL;
}

/* What the kernel and the device have of it, but not what processes have. */
void accel_bo_unmap(struct accel_bo *bo)
{
	accel_bo_unmap_dma(bo);
	if (bo->vaddr)
		bo->region->ops->vunmap(bo);
	bo->vaddr = NULL;
}

static void accel_bo_free_memory(struct accel_bo *bo)
{
	lockdep_assert_held(&bo->lock);

	if (!bo->region)
		return;
	accel_bo_unmap(bo);
	accel_bo_free_backing(bo);
}

static void accel_bo_free(struct accel_bo *bo)
{
	accel_evict_fini_bo(bo);
	dma_resv_fini(&bo->own_resv);
	mutex_destroy(&bo->lock);
	kfree(bo);
}

static void accel_bo_release(struct accel_object *obj)
{
	struct accel_bo *bo = obj_to_bo(obj);
	struct accel_device *dev = bo->dev;

	accel_bo_free_offset(bo);
	accel_import_forget(bo);
	accel_purgeable_del(bo);

	/* On the list until then, since accel_unregister() has to wait for it. */
	scoped_guard(mutex, &bo->lock)
		accel_bo_free_memory(bo);
	scoped_guard(mutex, &dev->lock)
		list_del(&bo->dev_link);

	accel_bo_free(bo);
	put_device(&dev->dev);
	accel_census_dec(ACCEL_CENSUS_BOS);
}

static const struct accel_object_type accel_bo_type = {
	.release = accel_bo_release,
};

/*
 * Returns a buffer with one reference and no id, or an ERR_PTR. Its memory is that of
 * @dma_buf, unless NULL, or comes from @region.
 */
struct accel_bo *accel_bo_create(struct accel_device *dev, size_t size,
				 struct accel_region *region,
				 struct dma_buf *dma_buf)
{
	struct accel_bo *bo;
	int ret;

	bo = kzalloc_obj(*bo, GFP_KERNEL_ACCOUNT);
	if (!bo)
		return ERR_PTR(-ENOMEM);

	accel_object_init(&bo->obj, &accel_bo_type);
	bo->dev = dev;
	bo->size = size;
	bo->home = region;
	bo->dma_buf = dma_buf;
	accel_evict_init_bo(bo);
	RB_CLEAR_NODE(&bo->import_node);
	INIT_LIST_HEAD(&bo->export_maps);
	INIT_LIST_HEAD(&bo->purge_link);
	spin_lock_init(&bo->handles_lock);
	INIT_LIST_HEAD(&bo->handles);
	mutex_init(&bo->lock);
	dma_resv_init(&bo->own_resv);
	bo->resv = dma_buf ? dma_buf->resv : &bo->own_resv;

	get_device(&dev->dev);
	scoped_guard(mutex, &dev->lock)
		list_add_tail(&bo->dev_link, &dev->bos);
	accel_census_inc(ACCEL_CENSUS_BOS);

	/* From here on whoever makes room in its region may have found it. */
	ret = accel_bo_alloc_backing(bo) ?: accel_bo_alloc_offset(bo);
	if (ret) {
		accel_object_put(&bo->obj);
		return ERR_PTR(ret);
	}
	return bo;
}

int accel_bo_create_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_create *args = call->arg;
	struct accel_device *dev = call->file->dev;
	struct accel_bo *bo;
	u32 region;

	if (args->flags)
		return -EOPNOTSUPP;
	if (!args->length || args->length > min(S64_MAX, SIZE_MAX) - PAGE_SIZE ||
	    args->region >= dev->region_count)
		return -EINVAL;

	region = array_index_nospec(args->region, dev->region_count);
	bo = accel_bo_create(dev, PAGE_ALIGN(args->length), dev->regions[region],
			     NULL);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	bo->region_index = region;

	args->length = bo->size;
	args->mmap_offset = accel_bo_mmap_offset(bo);
	return accel_bo_give_id(call, bo, true, &args->id);
}

static void accel_bo_detach(struct accel_bo *bo)
{
	const struct accel_bo_ops *ops;

	guard(mutex)(&bo->lock);
	bo->detached = true;
	if (!bo->region)
		return;
	ops = bo->region->ops;
	/* Memory of the device's that was moved is not to outlive that which was not. */
	if (ops->detach && bo->region == bo->home) {
		accel_bo_unmap_dma(bo);
		ops->detach(bo);
		return;
	}

	accel_bo_zap(bo);
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
