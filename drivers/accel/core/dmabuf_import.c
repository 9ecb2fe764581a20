// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs of others as buffers.
 *
 * BO_IMPORT maps: what cannot work fails there. Where the exporter can move its memory
 * it may, and the mapping goes then; but not while a job uses it, held or not, for
 * which it is pinned. The next SUBMIT maps it where it is by then. A device in
 * software does no DMA; it has a kernel address of the memory, which stays.
 *
 * One's own dma-buf gives the buffer that it was exported from, and one that has been
 * imported before, and still is, the buffer that this gave.
 */
#include "accel_internal.h"

#include <linux/dma-mapping.h>
#include <linux/mm.h>
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

static void accel_import_unmap(struct accel_bo *bo)
{
	dma_resv_assert_held(bo->resv);

	if (bo->sgt)
		dma_buf_unmap_attachment(bo->attach, bo->sgt,
					 accel_import_dir(bo));
	bo->sgt = NULL;
}

/*
 * No job has the addresses of what is not pinned. What is pinned may be taken back all
 * the same, see dma_buf_invalidate_mappings(): no other job gets it then, and the last
 * of those that have it unmaps it, which the exporter waits for.
 */
static void accel_import_invalidate(struct dma_buf_attachment *attach)
{
	struct accel_bo *bo = attach->importer_priv;

	if (bo->pinned)
		bo->revoked = true;
	else
		accel_import_unmap(bo);
}

/* No peer-to-peer: what a device has is not to be reached but through memory. */
static const struct dma_buf_attach_ops accel_import_attach_ops = {
	.invalidate_mappings = accel_import_invalidate,
};

static int accel_import_attach(struct accel_bo *bo)
{
	struct device *hw = bo->dev->dev.parent;
	struct dma_buf_attachment *attach;

	if (bo->attach)
		return 0;
	/* Before anybody maps: that would bounce, or warn. */
	if (bo->dev->virtual || !accel_reaches_memory(hw))
		return -EOPNOTSUPP;

	/* An exporter that cannot move would be made to map for any direction. */
	attach = accel_import_can_move(bo) ?
		 dma_buf_dynamic_attach(bo->dma_buf, hw, &accel_import_attach_ops,
					bo) :
		 dma_buf_attach(bo->dma_buf, hw);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	bo->attach = attach;
	accel_census_inc(ACCEL_CENSUS_ATTACHMENTS);
	return 0;
}

static void accel_import_end_attach(struct accel_bo *bo)
{
	if (!bo->attach)
		return;
	dma_buf_detach(bo->dma_buf, bo->attach);
	bo->attach = NULL;
	accel_census_dec(ACCEL_CENSUS_ATTACHMENTS);
}

static int accel_import_pin(struct accel_bo *bo)
{
	int ret;

	dma_resv_assert_held(bo->resv);

	if (bo->pinned || !accel_import_can_move(bo))
		return 0;
	ret = dma_buf_pin(bo->attach);
	if (!ret)
		WRITE_ONCE(bo->pinned, true);
	return ret;
}

static void accel_import_unpin(struct accel_bo *bo)
{
	dma_resv_assert_held(bo->resv);

	if (!bo->pinned)
		return;
	if (bo->revoked)
		accel_import_unmap(bo);
	bo->revoked = false;
	dma_buf_unpin(bo->attach);
	WRITE_ONCE(bo->pinned, false);
}

static int accel_import_map(struct accel_bo *bo)
{
	struct sg_table *sgt;
	int ret;

	dma_resv_assert_held(bo->resv);

	if (bo->sgt)
		return 0;
	sgt = dma_buf_map_attachment(bo->attach, accel_import_dir(bo));
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);

	ret = accel_import_check(bo, sgt);
	if (ret) {
		dma_buf_unmap_attachment(bo->attach, sgt, accel_import_dir(bo));
		return ret;
	}
	bo->sgt = sgt;
	return 0;
}

static int accel_import_map_pinned(struct accel_bo *bo)
{
	int ret;

	dma_resv_lock(bo->resv, NULL);
	ret = bo->revoked ? -EAGAIN : accel_import_pin(bo);
	if (!ret) {
		ret = accel_import_map(bo);
		/* Pinned before only with a mapping. */
		if (ret)
			accel_import_unpin(bo);
	}
	dma_resv_unlock(bo->resv);
	return ret;
}

static int accel_import_map_dma(struct accel_bo *bo)
{
	int ret = accel_import_attach(bo);

	return ret ?: accel_import_map_pinned(bo);
}

static void accel_import_unmap_dma(struct accel_bo *bo)
{
	dma_resv_lock(bo->resv, NULL);
	accel_import_unmap(bo);
	accel_import_unpin(bo);
	dma_resv_unlock(bo->resv);
}

/* The exporter may move it, unless a job has come to use it. */
static void accel_import_idle(struct accel_bo *bo)
{
	dma_resv_lock(bo->resv, NULL);
	if (!atomic_read(&bo->users))
		accel_import_unpin(bo);
	dma_resv_unlock(bo->resv);
}

static LLIST_HEAD(accel_import_idle_list);

static void accel_import_idle_work_fn(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&accel_import_idle_list);
	struct accel_bo *bo, *next;

	llist_for_each_entry_safe(bo, next, list, idle_node) {
		/* A full barrier, as is the end of a use: who ends later comes again. */
		atomic_xchg(&bo->idle_queued, 0);
		accel_import_idle(bo);
		accel_object_put(&bo->obj);
		cond_resched();
	}
}

static DECLARE_WORK(accel_import_idle_work, accel_import_idle_work_fn);

/* The last job that had it pinned has ended. In any context, with a reference. */
void accel_import_unused(struct accel_bo *bo)
{
	if (atomic_xchg(&bo->idle_queued, 1))
		return;
	refcount_inc(&bo->obj.refs);
	if (llist_add(&bo->idle_node, &accel_import_idle_list))
		queue_work(system_dfl_wq, &accel_import_idle_work);
}

/* Wait until what was said to be unused is not pinned. */
void accel_import_drain(void)
{
	flush_work(&accel_import_idle_work);
}

/* The device is going. Who has the memory mapped has it from its exporter. */
static void accel_import_detach(struct accel_bo *bo)
{
	accel_import_end_attach(bo);
	if (bo->vaddr)
		accel_import_vunmap(bo);
	bo->vaddr = NULL;
}

static void accel_import_free(struct accel_bo *bo)
{
	accel_import_end_attach(bo);
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
	accel_import_idle(bo);
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

static int accel_import_give_id(struct accel_ioctl_call *call,
				struct dma_buf *dma_buf)
{
	struct accel_bo_import *args = call->arg;
	struct accel_bo *bo;
	int ret;

	bo = accel_import(call->file->dev, dma_buf);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	args->length = bo->size;
	args->mmap_offset = accel_bo_mmap_offset(bo);
	ret = accel_bo_give_id(call, bo, accel_dma_buf_may_write(dma_buf),
			       &args->id);
	/* It may be all that there is of the buffer's. */
	if (!ret && !bo->dma_buf)
		accel_export_keep(bo, dma_buf);
	return ret;
}

int accel_bo_import_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_import *args = call->arg;
	struct dma_buf *dma_buf;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;

	dma_buf = dma_buf_get(args->fd);
	if (IS_ERR(dma_buf))
		return -EBADF;

	ret = accel_import_give_id(call, dma_buf);
	dma_buf_put(dma_buf);
	return ret;
}
