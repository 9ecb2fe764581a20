// SPDX-License-Identifier: GPL-2.0-only
/*
 * An importer that is a device: what it reads and writes is what is at the addresses
 * that its mapping gives it, and nothing else of a page does it know.
 */
#include "internal.h"

#include <linux/crc32.h>
#include <linux/device.h>
#include <linux/dma-direct.h>
#include <linux/dma-resv.h>
#include <linux/highmem.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct device_import - an attachment
 * @obj: has the handle
 * @dmabuf: what is attached to, with a reference
 * @attach: the attachment
 * @dir: what the device may do
 * @sgt: the mapping, NULL if there is none; protected by the reservation lock
 * @moves: how often the exporter has said that it moves; likewise
 */
struct device_import {
	struct test_object obj;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	enum dma_data_direction dir;
	struct sg_table *sgt;
	u32 moves;
};

static void import_unmap(struct device_import *import)
{
	dma_resv_assert_held(import->dmabuf->resv);
	if (import->sgt)
		dma_buf_unmap_attachment(import->attach, import->sgt,
					 import->dir);
	import->sgt = NULL;
}

static int import_map(struct device_import *import)
{
	struct sg_table *sgt;

	dma_resv_assert_held(import->dmabuf->resv);
	if (import->sgt)
		return 0;
	sgt = dma_buf_map_attachment(import->attach, import->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	import->sgt = sgt;
	return 0;
}

/* Nothing is in flight: the device works under the lock that is held here. */
static void import_invalidate(struct dma_buf_attachment *attach)
{
	struct device_import *import = attach->importer_priv;

	import->moves++;
	import_unmap(import);
}

static const struct dma_buf_attach_ops import_ops = {
	.invalidate_mappings = import_invalidate,
};

static void import_release(struct kref *refs)
{
	struct device_import *import = container_of(refs, struct device_import,
						    obj.refs);

	dma_resv_lock(import->dmabuf->resv, NULL);
	import_unmap(import);
	dma_resv_unlock(import->dmabuf->resv);
	dma_buf_detach(import->dmabuf, import->attach);
	dma_buf_put(import->dmabuf);
	kfree(import);
}

int test_import(struct test_file *file, void *arg)
{
	const struct dmabuf_test_import *args = arg;
	struct device_import *import __free(kfree) = NULL;
	struct dma_buf *dmabuf __free(test_dma_buf) = NULL;
	struct dma_buf_attachment *attach;

	if (args->flags & ~(DMABUF_TEST_WRITE | DMABUF_TEST_STATIC))
		return -EINVAL;
	/* Its addresses would not be those of memory. */
	if (device_iommu_mapped(test_importer_dev))
		return -EOPNOTSUPP;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	import = kzalloc_obj(*import, GFP_KERNEL_ACCOUNT);
	if (!import)
		return -ENOMEM;
	import->dir = args->flags & DMABUF_TEST_WRITE ? DMA_BIDIRECTIONAL :
							DMA_TO_DEVICE;
	/* The exporter may move before the call returns. */
	import->dmabuf = dmabuf;
	if (args->flags & DMABUF_TEST_STATIC)
		attach = dma_buf_attach(dmabuf, test_importer_dev);
	else
		attach = dma_buf_dynamic_attach(dmabuf, test_importer_dev,
						&import_ops, import);
	if (IS_ERR(attach))
		return PTR_ERR(attach);
	import->attach = attach;
	retain_and_null_ptr(dmabuf);
	return test_object_add(file, &no_free_ptr(import)->obj, import_release);
}

/* Memory at an address of the device's: not to be asked of the mapping's pages. */
static struct page *import_page(dma_addr_t addr)
{
	return pfn_to_page(PHYS_PFN(dma_to_phys(test_importer_dev, addr)));
}

/*
 * Do something with each page of the mapping. Whoever shares it sees whole pages,
 * aligned, so a segment is a number of pages.
 */
static void import_walk(struct device_import *import,
			void (*call)(struct page *page, void *data), void *data)
{
	struct sg_dma_page_iter iter;

	for_each_sgtable_dma_page(import->sgt, &iter, 0)
		call(import_page(sg_page_iter_dma_address(&iter)), data);
}

static void page_read(struct page *page, void *data)
{
	u32 *crc = data;
	void *vaddr = kmap_local_page(page);

	*crc = crc32_le(*crc, vaddr, PAGE_SIZE);
	kunmap_local(vaddr);
}

static void page_write(struct page *page, void *data)
{
	const u32 *value = data;
	void *vaddr = kmap_local_page(page);

	memset32(vaddr, *value, PAGE_SIZE / sizeof(*value));
	kunmap_local(vaddr);
}

static int import_dma(struct device_import *import, struct dmabuf_test_dma *args)
{
	struct dma_resv *resv = import->dmabuf->resv;
	bool write = args->flags & DMABUF_TEST_WRITE;
	u32 crc = ~0;
	long left;
	int ret;

	left = dma_resv_wait_timeout(resv, dma_resv_usage_rw(write), true,
				     TEST_WAIT);
	if (left <= 0)
		return left ?: -ETIME;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	ret = import_map(import);
	if (!ret && write)
		import_walk(import, page_write, &args->value);
	else if (!ret)
		import_walk(import, page_read, &crc);
	if (!ret) {
		args->crc = ~crc;
		args->moves = import->moves;
		args->segments = import->sgt->nents;
	}
	dma_resv_unlock(resv);
	return ret;
}

int test_dma(struct test_file *file, void *arg)
{
	struct dmabuf_test_dma *args = arg;
	struct device_import *import;
	struct test_object *obj;
	int ret = -EACCES;

	if (args->flags & ~DMABUF_TEST_WRITE)
		return -EINVAL;
	obj = test_object_get(file, args->handle, import_release);
	if (!obj)
		return -ENOENT;

	import = container_of(obj, struct device_import, obj);
	if (!(args->flags & DMABUF_TEST_WRITE) || import->dir != DMA_TO_DEVICE)
		ret = import_dma(import, args);
	test_object_put(obj);
	return ret;
}

struct frame_list {
	u64 *frames;
	u32 skip;
	u32 count;
};

static void page_frame(struct page *page, void *data)
{
	struct frame_list *list = data;

	if (list->skip) {
		list->skip--;
	} else if (list->count) {
		*list->frames++ = page_to_pfn(page);
		list->count--;
	}
}

static int import_frames(struct device_import *import, struct frame_list *list)
{
	int ret;

	ret = dma_resv_lock_interruptible(import->dmabuf->resv, NULL);
	if (ret)
		return ret;
	ret = import_map(import);
	if (!ret)
		import_walk(import, page_frame, list);
	dma_resv_unlock(import->dmabuf->resv);
	if (ret)
		return ret;
	return list->count ? -EINVAL : 0;
}

int test_import_frames(struct test_file *file, u32 handle, u32 first, u32 count,
		       u64 *frames)
{
	struct frame_list list = {
		.frames = frames, .skip = first, .count = count,
	};
	struct test_object *obj;
	int ret;

	obj = test_object_get(file, handle, import_release);
	if (!obj)
		return -ENOENT;
	ret = import_frames(container_of(obj, struct device_import, obj), &list);
	test_object_put(obj);
	return ret;
}
