// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs of others as buffers.
 *
 * Memory that a job uses cannot move, so what is mapped stays so until the buffer is
 * freed or the device goes, and BO_IMPORT maps: what cannot work fails there. A device
 * in software does no DMA; it has a kernel address of the memory.
 *
 * One's own dma-buf gives the buffer that it was exported from, and one that has been
 * imported before, and still is, the buffer that this gave.
 */
#include "accel_internal.h"

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

static enum dma_data_direction accel_import_dir(const struct accel_bo *bo)
{
	return accel_dma_buf_may_write(bo->dma_buf) ? DMA_BIDIRECTIONAL :
						     DMA_TO_DEVICE;
}

static int accel_import_alloc(struct accel_bo *bo)
{
	get_dma_buf(bo->dma_buf);
	return 0;
}

static int accel_import_vmap(struct accel_bo *bo)
{
	struct iosys_map map;
	int ret;

	if (!bo->dma_buf->ops->vmap)
		return accel_dma_buf_may_write(bo->dma_buf) ? -EOPNOTSUPP : -EACCES;

	ret = dma_buf_vmap_unlocked(bo->dma_buf, &map);
	if (ret)
		return ret;
	/* Not for plain loads and stores. */
	if (map.is_iomem) {
		dma_buf_vunmap_unlocked(bo->dma_buf, &map);
		return -EOPNOTSUPP;
	}
	bo->vaddr = map.vaddr;
	return 0;
}

static void accel_import_vunmap(struct accel_bo *bo)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(bo->vaddr);

	dma_buf_vunmap_unlocked(bo->dma_buf, &map);
}

/* The exporter made the list, and need not have asked what the device wants. */
static int accel_import_check(struct accel_bo *bo, struct sg_table *sgt)
{
	u32 segment_max = dma_get_max_seg_size(bo->dev->dev.parent);
	struct scatterlist *sg;
	unsigned int i;
	u64 bytes = 0;

	for_each_sgtable_dma_sg(sgt, sg, i) {
		if (sg_dma_len(sg) > segment_max)
			return -EOPNOTSUPP;
		bytes += sg_dma_len(sg);
	}
	return bytes < bo->size ? -EINVAL : 0;
}

static void accel_import_detach_dma(struct accel_bo *bo)
{
	dma_buf_detach(bo->dma_buf, bo->attach);
	bo->attach = NULL;
	accel_census_dec(ACCEL_CENSUS_ATTACHMENTS);
}

static int accel_import_map_dma(struct accel_bo *bo)
{
	struct device *hw = bo->dev->dev.parent;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	int ret;

	/* Before anybody maps: that would bounce, or warn. */
	if (bo->dev->virtual || !accel_reaches_memory(hw))
		return -EOPNOTSUPP;

	attach = dma_buf_attach(bo->dma_buf, hw);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	bo->attach = attach;
	accel_census_inc(ACCEL_CENSUS_ATTACHMENTS);

	sgt = dma_buf_map_attachment_unlocked(attach, accel_import_dir(bo));
	if (IS_ERR(sgt)) {
		accel_import_detach_dma(bo);
		return PTR_ERR(sgt);
	}

	ret = accel_import_check(bo, sgt);
	if (ret) {
		dma_buf_unmap_attachment_unlocked(attach, sgt,
						  accel_import_dir(bo));
		accel_import_detach_dma(bo);
		return ret;
	}
	bo->sgt = sgt;
	return 0;
}

static void accel_import_unmap_dma(struct accel_bo *bo)
{
	dma_buf_unmap_attachment_unlocked(bo->attach, bo->sgt,
					  accel_import_dir(bo));
	accel_import_detach_dma(bo);
}

/* The device is going. Who has the memory mapped has it from its exporter. */
static void accel_import_detach(struct accel_bo *bo)
{
	if (bo->vaddr)
		accel_import_vunmap(bo);
	bo->vaddr = NULL;
}

static void accel_import_free(struct accel_bo *bo)
{
	dma_buf_put(bo->dma_buf);
}

/* Without pfn: a mapping is the exporter's, see accel_import_mmap(). */
static const struct accel_bo_ops accel_import_ops = {
	.alloc = accel_import_alloc,
	.free = accel_import_free,
	.vmap = accel_import_vmap,
	.vunmap = accel_import_vunmap,
	.map_dma = accel_import_map_dma,
	.unmap_dma = accel_import_unmap_dma,
	.detach = accel_import_detach,
};

static struct accel_region accel_import_region = {
	.name = "imported",
	.ops = &accel_import_ops,
};

int accel_import_mmap(struct accel_bo *bo, struct vm_area_struct *vma,
		      unsigned long first)
{
	if (!bo->dma_buf->ops->mmap)
		return -EOPNOTSUPP;
	/* From here on it is a mapping of the dma-buf, and none of this file. */
	vm_flags_set(vma, VM_DONTEXPAND);
	return dma_buf_mmap(bo->dma_buf, vma, first);
}

static int accel_import_cmp(const void *dma_buf, const struct rb_node *node)
{
	const struct accel_bo *bo = rb_entry(node, struct accel_bo, import_node);

	if (dma_buf == bo->dma_buf)
		return 0;
	return dma_buf < (const void *)bo->dma_buf ? -1 : 1;
}

static bool accel_import_less(struct rb_node *a, const struct rb_node *b)
{
	return accel_import_cmp(rb_entry(a, struct accel_bo, import_node)->dma_buf,
				b) < 0;
}

/* Returns a reference to what @dma_buf was imported as before, or NULL. */
static struct accel_bo *accel_import_find(struct accel_device *dev,
					  struct dma_buf *dma_buf)
{
	struct accel_bo *bo;
	struct rb_node *node;

	lockdep_assert_held(&dev->imports_lock);

	node = rb_find(dma_buf, &dev->imports, accel_import_cmp);
	if (!node)
		return NULL;

	bo = rb_entry(node, struct accel_bo, import_node);
	if (refcount_inc_not_zero(&bo->obj.refs))
		return bo;
	/* It is being freed, and its place is wanted. */
	rb_erase(node, &dev->imports);
	RB_CLEAR_NODE(node);
	return NULL;
}

/* Have @bo be found, or find who was faster. Takes over the reference to @bo. */
static struct accel_bo *accel_import_remember(struct accel_bo *bo)
{
	struct accel_device *dev = bo->dev;
	struct accel_bo *other;

	scoped_guard(spinlock, &dev->imports_lock) {
		other = accel_import_find(dev, bo->dma_buf);
		if (!other) {
			rb_add(&bo->import_node, &dev->imports,
			       accel_import_less);
			return bo;
		}
	}
	accel_object_put(&bo->obj);
	return other;
}

void accel_import_forget(struct accel_bo *bo)
{
	guard(spinlock)(&bo->dev->imports_lock);
	if (!RB_EMPTY_NODE(&bo->import_node))
		rb_erase(&bo->import_node, &bo->dev->imports);
}

static struct accel_bo *accel_import_new(struct accel_device *dev,
					 struct dma_buf *dma_buf)
{
	struct accel_bo *bo;
	int ret;

	/* Buffers are whole pages, and an offset in one has to fit its type. */
	if (!dma_buf->size || !PAGE_ALIGNED(dma_buf->size) ||
	    dma_buf->size > min(S64_MAX, SIZE_MAX) - PAGE_SIZE)
		return ERR_PTR(-EINVAL);

	bo = accel_bo_create(dev, dma_buf->size, &accel_import_region, dma_buf);
	if (IS_ERR(bo))
		return bo;

	ret = dev->virtual ? accel_bo_vmap(bo) : accel_bo_map_dma(bo);
	if (ret) {
		accel_object_put(&bo->obj);
		return ERR_PTR(ret);
	}
	return accel_import_remember(bo);
}

/* What @dma_buf is to @dev, with a reference, or an ERR_PTR. */
static struct accel_bo *accel_import(struct accel_device *dev,
				     struct dma_buf *dma_buf)
{
	struct accel_bo *bo = accel_export_to_bo(dev, dma_buf);

	if (bo) {
		refcount_inc(&bo->obj.refs);
		return bo;
	}
	scoped_guard(spinlock, &dev->imports_lock)
		bo = accel_import_find(dev, dma_buf);
	return bo ?: accel_import_new(dev, dma_buf);
}

int accel_bo_import_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_import *args = call->arg;
	struct dma_buf *dma_buf;
	struct accel_bo *bo;
	bool may_write;

	if (args->flags)
		return -EOPNOTSUPP;

	dma_buf = dma_buf_get(args->fd);
	if (IS_ERR(dma_buf))
		return -EBADF;

	may_write = accel_dma_buf_may_write(dma_buf);
	bo = accel_import(call->file->dev, dma_buf);
	dma_buf_put(dma_buf);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	args->length = bo->size;
	args->mmap_offset = accel_bo_mmap_offset(bo);
	return accel_bo_give_id(call, bo, may_write, &args->id);
}

MODULE_IMPORT_NS("DMA_BUF");
