// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers given to others as dma-bufs.
 *
 * A buffer has at most two, of which one can only be read, and both have the buffer's
 * own reservation object: jobs and whoever imports either of them wait for each
 * other. The memory stays where it is while there is one of them, so there is nothing
 * to pin; and it is system memory, so it outlives the device.
 *
 * They are kept for as long as the buffer has an id by which it can be exported again.
 * Without a reference that could not be: whoever has opened one with O_PATH puts off
 * its release, but not the end of its file, whose memory is somebody else's file then.
 */
#include "accel_internal.h"

#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

/**
 * struct accel_export_map - the memory of a buffer as an importing device sees it
 * @sgt: what the importer gets
 * @dev: the device
 * @dir: what it may do
 * @link: in accel_bo.export_maps
 */
struct accel_export_map {
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
	struct list_head link;
};

/* Mapping it later would have to bounce, or warn. */
static int accel_export_attach(struct dma_buf *dma_buf,
			       struct dma_buf_attachment *attach)
{
	if (!attach->dev->dma_mask || !accel_reaches_memory(attach->dev))
		return -EOPNOTSUPP;
	return 0;
}

static struct sg_table *accel_export_map(struct dma_buf_attachment *attach,
					 enum dma_data_direction dir)
{
	struct accel_export_map *map __free(kfree) = NULL;
	struct accel_bo *bo = attach->dmabuf->priv;
	int ret;

	dma_resv_assert_held(bo->resv);

	if (dir != DMA_TO_DEVICE && !accel_dma_buf_may_write(attach->dmabuf))
		return ERR_PTR(-EACCES);

	map = kzalloc_obj(*map, GFP_KERNEL_ACCOUNT);
	if (!map)
		return ERR_PTR(-ENOMEM);

	map->dev = attach->dev;
	map->dir = dir;
	ret = accel_bo_page_map(bo, map->dev, &map->sgt, dir);
	if (ret)
		return ERR_PTR(ret);

	list_add(&map->link, &bo->export_maps);
	accel_census_inc(ACCEL_CENSUS_EXPORT_MAPS);
	return &no_free_ptr(map)->sgt;
}

static void accel_export_unmap(struct dma_buf_attachment *attach,
			       struct sg_table *sgt, enum dma_data_direction dir)
{
	struct accel_export_map *map = container_of(sgt, struct accel_export_map,
						    sgt);
	struct accel_bo *bo = attach->dmabuf->priv;

	dma_resv_assert_held(bo->resv);

	list_del(&map->link);
	accel_bo_page_unmap(map->dev, sgt, map->dir);
	kfree(map);
	accel_census_dec(ACCEL_CENSUS_EXPORT_MAPS);
}

/* For the CPU, or back to those who have imported the buffer. */
void accel_export_sync_caches(struct accel_bo *bo, bool for_device)
{
	struct accel_export_map *map;

	/* Who maps it now syncs by doing so. */
	if (list_empty(&bo->export_maps))
		return;

	dma_resv_lock(bo->resv, NULL);
	list_for_each_entry(map, &bo->export_maps, link) {
		if (for_device)
			dma_sync_sgtable_for_device(map->dev, &map->sgt, map->dir);
		else
			dma_sync_sgtable_for_cpu(map->dev, &map->sgt, map->dir);
	}
	dma_resv_unlock(bo->resv);
}

static int accel_export_begin_cpu_access(struct dma_buf *dma_buf,
					 enum dma_data_direction dir)
{
	bool write = dir != DMA_FROM_DEVICE;
	struct accel_bo *bo = dma_buf->priv;
	long ret;

	/* The caller will, but only after this: too late for the caches. */
	ret = dma_resv_wait_timeout(bo->resv, dma_resv_usage_rw(write), true,
				    MAX_SCHEDULE_TIMEOUT);
	if (ret < 0)
		return ret;
	accel_bo_sync_caches(bo, false);
	return 0;
}

static int accel_export_end_cpu_access(struct dma_buf *dma_buf,
				       enum dma_data_direction dir)
{
	accel_bo_sync_caches(dma_buf->priv, true);
	return 0;
}

static int accel_export_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma)
{
	return accel_bo_map_vma(dma_buf->priv, vma, vma->vm_pgoff,
				accel_dma_buf_may_write(dma_buf));
}

/* Cannot fail, as dma_buf_vmap() takes that for a bug: BO_EXPORT has seen to it. */
static int accel_export_vmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	struct accel_bo *bo = dma_buf->priv;

	iosys_map_set_vaddr(map, bo->vaddr);
	return 0;
}

static void accel_export_release(struct dma_buf *dma_buf)
{
	struct accel_bo *bo = dma_buf->priv;

	accel_bo_unuse(bo);
	accel_object_put(&bo->obj);
	accel_census_dec(ACCEL_CENSUS_EXPORTS);
}

static const struct dma_buf_ops accel_export_ops = {
	.attach = accel_export_attach,
	.map_dma_buf = accel_export_map,
	.unmap_dma_buf = accel_export_unmap,
	.release = accel_export_release,
	.mmap = accel_export_mmap,
	.vmap = accel_export_vmap,
	.begin_cpu_access = accel_export_begin_cpu_access,
	.end_cpu_access = accel_export_end_cpu_access,
};

/* A kernel address can be written to, and no vmap is how to refuse it. */
static const struct dma_buf_ops accel_export_read_only_ops = {
	.attach = accel_export_attach,
	.map_dma_buf = accel_export_map,
	.unmap_dma_buf = accel_export_unmap,
	.release = accel_export_release,
	.mmap = accel_export_mmap,
	.begin_cpu_access = accel_export_begin_cpu_access,
	.end_cpu_access = accel_export_end_cpu_access,
};

/* The buffer of @dev that @dma_buf was exported from, without a reference; or NULL. */
struct accel_bo *accel_export_to_bo(struct accel_device *dev,
				    struct dma_buf *dma_buf)
{
	struct accel_bo *bo;

	if (dma_buf->ops != &accel_export_ops &&
	    dma_buf->ops != &accel_export_read_only_ops)
		return NULL;

	bo = dma_buf->priv;
	return bo->dev == dev ? bo : NULL;
}

static struct dma_buf *accel_export_create(struct accel_bo *bo, bool write)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dma_buf;

	info.exp_name = "accel";
	info.owner = THIS_MODULE;
	info.ops = write ? &accel_export_ops : &accel_export_read_only_ops;
	info.size = bo->size;
	info.flags = write ? O_RDWR : O_RDONLY;
	info.resv = bo->resv;
	info.priv = bo;
	dma_buf = dma_buf_export(&info);
	if (IS_ERR(dma_buf))
		return dma_buf;

	/* One address space for all who map the buffer. */
	dma_buf->file->f_mapping = bo->dev->mapping->f_mapping;
	refcount_inc(&bo->obj.refs);
	accel_census_inc(ACCEL_CENSUS_EXPORTS);
	return dma_buf;
}

/* What no importer can be told later that there is none of. */
static int accel_export_prepare(struct accel_bo *bo, bool write)
{
	int ret;

	lockdep_assert_held(&bo->lock);

	ret = accel_bo_populate(bo);
	if (ret || !write || bo->vaddr)
		return ret;
	return bo->region->ops->vmap(bo);
}

static void accel_export_keep_locked(struct accel_bo *bo, struct dma_buf *dma_buf)
{
	struct dma_buf **slot = &bo->exports[accel_dma_buf_may_write(dma_buf)];

	lockdep_assert_held(&bo->lock);

	/* The last id that goes has it given up, once it can have the lock. */
	if (*slot || !accel_bo_has_ids(bo))
		return;
	get_dma_buf(dma_buf);
	*slot = dma_buf;
}

/* Have the next export of @bo give @dma_buf, which is one of it. */
void accel_export_keep(struct accel_bo *bo, struct dma_buf *dma_buf)
{
	guard(mutex)(&bo->lock);
	accel_export_keep_locked(bo, dma_buf);
}

/* Whether @bo is used by nothing but dma-bufs that nobody else has. */
static bool accel_export_is_idle(struct accel_bo *bo)
{
	int i, idle = 0;

	lockdep_assert_held(&bo->lock);

	for (i = 0; i < ARRAY_SIZE(bo->exports); i++)
		if (bo->exports[i] && file_count(bo->exports[i]->file) == 1)
			idle++;
	return atomic_read(&bo->users) == idle;
}

/* Keep none of @bo's dma-bufs any more; with @idle, if these are all that uses it. */
void accel_export_forget(struct accel_bo *bo, bool idle)
{
	struct dma_buf *kept[ARRAY_SIZE(bo->exports)] = {};
	int i;

	scoped_guard(mutex, &bo->lock) {
		if (idle && !accel_export_is_idle(bo))
			return;
		for (i = 0; i < ARRAY_SIZE(kept); i++)
			swap(kept[i], bo->exports[i]);
	}
	/* By the end of this, and not of the system call, the buffer is not used by it. */
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i])
			__fput_sync(kept[i]->file);
}

static struct dma_buf *accel_export_own(struct accel_bo *bo, bool write)
{
	struct dma_buf *dma_buf;
	int ret;

	guard(mutex)(&bo->lock);
	if (bo->home != bo->dev->system)
		return ERR_PTR(-EOPNOTSUPP);

	if (bo->exports[write]) {
		get_dma_buf(bo->exports[write]);
		return bo->exports[write];
	}

	if (!accel_bo_use(bo))
		return ERR_PTR(-EBUSY);
	ret = accel_export_prepare(bo, write);
	dma_buf = ret ? ERR_PTR(ret) : accel_export_create(bo, write);
	if (IS_ERR(dma_buf))
		accel_bo_unuse(bo);
	else
		accel_export_keep_locked(bo, dma_buf);
	return dma_buf;
}

/* A dma-buf of @bo, with a reference, or an ERR_PTR. */
static struct dma_buf *accel_export(struct accel_bo *bo, bool write)
{
	if (!bo->dma_buf)
		return accel_export_own(bo, write);

	/* An import is handed on as it is, with all that may be done with it. */
	if (write != accel_dma_buf_may_write(bo->dma_buf))
		return ERR_PTR(-EOPNOTSUPP);
	get_dma_buf(bo->dma_buf);
	return bo->dma_buf;
}

int accel_bo_export_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_export *args = call->arg;
	bool write = args->flags & ACCEL_EXPORT_WRITE;
	struct dma_buf *dma_buf;
	struct accel_bo *bo;
	int ret;

	if (args->flags & ~ACCEL_EXPORT_WRITE)
		return -EOPNOTSUPP;

	bo = accel_bo_get(call->file, args->id, write);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	dma_buf = accel_export(bo, write);
	accel_object_put(&bo->obj);
	if (IS_ERR(dma_buf))
		return PTR_ERR(dma_buf);

	ret = accel_fd_reserve(call, dma_buf->file);
	if (ret) {
		dma_buf_put(dma_buf);
		return ret;
	}
	args->fd = call->fd;
	return 0;
}
