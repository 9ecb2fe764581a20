// SPDX-License-Identifier: GPL-2.0-only
/*
 * An exporter that moves its buffers when a test says so: none of the others in the
 * kernel that a virtual machine can have does.
 */
#include "internal.h"

#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fcntl.h>
#include <linux/highmem.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/**
 * struct moving_buffer - what is behind a dma-buf; protected by its reservation lock
 * @pages: where the contents are now. A mapping for a device has references of its
 *	own, since it may outlast a move
 * @count: number of pages; never changes
 * @pins: those who cannot follow a move
 * @vaddr: the kernel's mapping, NULL if there is none
 */
struct moving_buffer {
	struct page **pages;
	u32 count;
	unsigned int pins;
	void *vaddr;
};

/**
 * struct moving_map - a mapping for a device, &dma_buf_attachment.priv
 * @sgt: what the importer gets
 * @dir: what the device may do
 */
struct moving_map {
	struct sg_table sgt;
	enum dma_data_direction dir;
};

static void free_pages_array(struct page **pages, u32 count)
{
	while (count--)
		put_page(pages[count]);
	kvfree(pages);
}

static struct page **alloc_pages_array(u32 count)
{
	struct page **pages;
	u32 i;

	pages = kvcalloc(count, sizeof(*pages), GFP_KERNEL_ACCOUNT);
	if (!pages)
		return NULL;
	for (i = 0; i < count; i++) {
		pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!pages[i]) {
			free_pages_array(pages, i);
			return NULL;
		}
	}
	return pages;
}

static int moving_pin(struct dma_buf_attachment *attach)
{
	struct moving_buffer *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	buf->pins++;
	return 0;
}

static void moving_unpin(struct dma_buf_attachment *attach)
{
	struct moving_buffer *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	buf->pins--;
}

static int moving_map_init(struct moving_map *map, struct moving_buffer *buf,
			   struct device *dev)
{
	size_t segment = min_t(size_t, dma_get_max_seg_size(dev),
			       dma_max_mapping_size(dev));
	int ret;

	ret = sg_alloc_table_from_pages_segment(&map->sgt, buf->pages,
						buf->count, 0,
						(size_t)buf->count << PAGE_SHIFT,
						segment, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = dma_map_sgtable(dev, &map->sgt, map->dir, 0);
	if (ret)
		sg_free_table(&map->sgt);
	return ret;
}

static struct sg_table *moving_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct moving_map *map __free(kfree) = NULL;
	struct moving_buffer *buf = attach->dmabuf->priv;
	u32 i;
	int ret;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (attach->priv)
		return ERR_PTR(-EBUSY);
	map = kzalloc_obj(*map, GFP_KERNEL_ACCOUNT);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->dir = dir;
	ret = moving_map_init(map, buf, attach->dev);
	if (ret)
		return ERR_PTR(ret);
	for (i = 0; i < buf->count; i++)
		get_page(buf->pages[i]);
	attach->priv = map;
	return &no_free_ptr(map)->sgt;
}

static void moving_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			 enum dma_data_direction dir)
{
	struct sg_page_iter iter;

	dma_resv_assert_held(attach->dmabuf->resv);
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	for_each_sgtable_page(sgt, &iter, 0)
		put_page(sg_page_iter_page(&iter));
	sg_free_table(sgt);
	kfree(attach->priv);
	attach->priv = NULL;
}

static int moving_begin_cpu_access(struct dma_buf *dmabuf,
				   enum dma_data_direction dir)
{
	struct dma_buf_attachment *attach;
	struct moving_map *map;

	dma_resv_lock(dmabuf->resv, NULL);
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		map = attach->priv;
		if (map)
			dma_sync_sgtable_for_cpu(attach->dev, &map->sgt,
						 map->dir);
	}
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

static int moving_end_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	struct dma_buf_attachment *attach;
	struct moving_map *map;

	dma_resv_lock(dmabuf->resv, NULL);
	list_for_each_entry(attach, &dmabuf->attachments, node) {
		map = attach->priv;
		if (map)
			dma_sync_sgtable_for_device(attach->dev, &map->sgt,
						    map->dir);
	}
	dma_resv_unlock(dmabuf->resv);
	return 0;
}

static int moving_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct moving_buffer *buf = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);
	buf->vaddr = vmap(buf->pages, buf->count, VM_MAP, PAGE_KERNEL);
	if (!buf->vaddr)
		return -ENOMEM;
	iosys_map_set_vaddr(map, buf->vaddr);
	return 0;
}

static void moving_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct moving_buffer *buf = dmabuf->priv;

	dma_resv_assert_held(dmabuf->resv);
	vunmap(buf->vaddr);
	buf->vaddr = NULL;
}

static vm_fault_t moving_fault(struct vm_fault *vmf)
{
	struct dma_buf *dmabuf = vmf->vma->vm_private_data;
	struct moving_buffer *buf = dmabuf->priv;
	vm_fault_t ret;

	if (vmf->pgoff >= buf->count)
		return VM_FAULT_SIGBUS;
	/* The signal comes first; then the access is tried again. */
	if (dma_resv_lock_interruptible(dmabuf->resv, NULL))
		return VM_FAULT_NOPAGE;
	ret = vmf_insert_pfn(vmf->vma, vmf->address,
			     page_to_pfn(buf->pages[vmf->pgoff]));
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static const struct vm_operations_struct moving_vm_ops = {
	.fault = moving_fault,
};

/* The mapping has a reference to the dma-buf: its file is the mapping's. */
static int moving_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = dmabuf;
	vma->vm_ops = &moving_vm_ops;
	return 0;
}

static void moving_release(struct dma_buf *dmabuf)
{
	struct moving_buffer *buf = dmabuf->priv;

	WARN_ON(buf->pins || buf->vaddr);
	free_pages_array(buf->pages, buf->count);
	kfree(buf);
}

static const struct dma_buf_ops moving_ops = {
	.pin = moving_pin,
	.unpin = moving_unpin,
	.map_dma_buf = moving_map,
	.unmap_dma_buf = moving_unmap,
	.begin_cpu_access = moving_begin_cpu_access,
	.end_cpu_access = moving_end_cpu_access,
	.vmap = moving_vmap,
	.vunmap = moving_vunmap,
	.mmap = moving_mmap,
	.release = moving_release,
};

static struct dma_buf *moving_export(struct moving_buffer *buf)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = &moving_ops;
	info.size = (size_t)buf->count << PAGE_SHIFT;
	info.flags = O_RDWR;
	info.priv = buf;
	return dma_buf_export(&info);
}

int test_export(struct test_file *file, void *arg)
{
	const struct dmabuf_test_export *args = arg;
	struct moving_buffer *buf;
	struct dma_buf *dmabuf;
	int fd;

	if (args->reserved || !args->pages ||
	    args->pages > DMABUF_TEST_PAGES_MAX)
		return -EINVAL;

	buf = kzalloc_obj(*buf, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	buf->count = args->pages;
	buf->pages = alloc_pages_array(buf->count);
	if (!buf->pages) {
		kfree(buf);
		return -ENOMEM;
	}
	dmabuf = moving_export(buf);
	if (IS_ERR(dmabuf)) {
		free_pages_array(buf->pages, buf->count);
		kfree(buf);
		return PTR_ERR(dmabuf);
	}

	/* The number is what the ioctl returns, so nothing can fail any more. */
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

/* Under the lock: what importers map from now on is the new pages. */
static int moving_move(struct dma_buf *dmabuf, struct page **pages)
{
	struct moving_buffer *buf = dmabuf->priv;
	long left;
	u32 i;

	if (buf->pins || buf->vaddr)
		return -EBUSY;

	dma_buf_invalidate_mappings(dmabuf);
	left = dma_resv_wait_timeout(dmabuf->resv, DMA_RESV_USAGE_BOOKKEEP, true,
				     TEST_WAIT);
	if (left <= 0)
		return left ?: -ETIME;

	unmap_mapping_range(dmabuf->file->f_mapping, 0, 0, 1);
	for (i = 0; i < buf->count; i++) {
		copy_highpage(pages[i], buf->pages[i]);
		swap(pages[i], buf->pages[i]);
	}
	return 0;
}

int test_move(struct test_file *file, void *arg)
{
	const struct dmabuf_test_move *args = arg;
	struct dma_buf *dmabuf __free(test_dma_buf) = NULL;
	struct moving_buffer *buf;
	struct page **pages;
	int ret;

	if (args->reserved)
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (dmabuf->ops != &moving_ops)
		return -EINVAL;

	buf = dmabuf->priv;
	pages = alloc_pages_array(buf->count);
	if (!pages)
		return -ENOMEM;
	ret = dma_resv_lock_interruptible(dmabuf->resv, NULL);
	if (!ret) {
		ret = moving_move(dmabuf, pages);
		dma_resv_unlock(dmabuf->resv);
	}
	/* The old ones, or those that were not needed */
	free_pages_array(pages, buf->count);
	return ret;
}
