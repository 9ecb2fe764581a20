// SPDX-License-Identifier: GPL-2.0-only
#include "mock_dmabuf.h"

#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

/* Those of the test that runs. */
static LIST_HEAD(mock_dmabufs);

static int mock_dmabuf_attach(struct dma_buf *dma_buf,
			      struct dma_buf_attachment *attach)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	if (buf->attach_error)
		return buf->attach_error;
	buf->attached++;
	return 0;
}

static void mock_dmabuf_detach(struct dma_buf *dma_buf,
			       struct dma_buf_attachment *attach)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	buf->attached--;
}

static int mock_dmabuf_fake(struct mock_dmabuf *buf, struct sg_table *sgt)
{
	unsigned int i, count = DIV_ROUND_UP_ULL(buf->fake_bytes,
						 buf->fake_segment);
	struct scatterlist *sg;
	int ret;

	ret = sg_alloc_table(sgt, count, GFP_KERNEL);
	if (ret)
		return ret;
	for_each_sgtable_dma_sg(sgt, sg, i) {
		sg_dma_address(sg) = SZ_1G + (u64)i * buf->fake_segment;
		sg_dma_len(sg) = buf->fake_segment;
	}
	return 0;
}

static int mock_dmabuf_real(struct mock_dmabuf *buf, struct device *dev,
			    struct sg_table *sgt, enum dma_data_direction dir)
{
	int ret;

	ret = sg_alloc_table(sgt, 1, GFP_KERNEL);
	if (ret)
		return ret;
	sg_set_page(sgt->sgl, buf->pages, MOCK_DMABUF_SIZE, 0);
	ret = dma_map_sgtable(dev, sgt, dir, 0);
	if (ret)
		sg_free_table(sgt);
	return ret;
}

static struct sg_table *mock_dmabuf_map(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	struct mock_dmabuf *buf = attach->dmabuf->priv;
	struct sg_table *sgt;
	int ret;

	if (buf->map_error)
		return ERR_PTR(buf->map_error);
	sgt = kzalloc_obj(*sgt, GFP_KERNEL);
	if (!sgt)
		return ERR_PTR(-ENOMEM);
	ret = buf->fake_segment ? mock_dmabuf_fake(buf, sgt) :
				  mock_dmabuf_real(buf, attach->dev, sgt, dir);
	if (ret) {
		kfree(sgt);
		return ERR_PTR(ret);
	}
	buf->dir = dir;
	buf->mapped++;
	return sgt;
}

static void mock_dmabuf_unmap(struct dma_buf_attachment *attach,
			      struct sg_table *sgt, enum dma_data_direction dir)
{
	struct mock_dmabuf *buf = attach->dmabuf->priv;

	if (!buf->fake_segment)
		dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
	buf->mapped--;
}

static int mock_dmabuf_begin(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	buf->dir = dir;
	buf->begun++;
	return 0;
}

static int mock_dmabuf_end(struct dma_buf *dma_buf, enum dma_data_direction dir)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	buf->dir = dir;
	buf->ended++;
	return 0;
}

static int mock_dmabuf_mmap(struct dma_buf *dma_buf, struct vm_area_struct *vma)
{
	struct mock_dmabuf *buf = dma_buf->priv;
	unsigned long i;
	int ret = 0;

	if (buf->mmap_error)
		return buf->mmap_error;
	buf->mmapped++;
	for (i = 0; i < vma_pages(vma) && !ret; i++)
		ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE,
				     buf->pages + vma->vm_pgoff + i);
	return ret;
}

static int mock_dmabuf_vmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	buf->vmapped++;
	if (buf->iomem)
		iosys_map_set_vaddr_iomem(map, (void __iomem *)
					  page_address(buf->pages));
	else
		iosys_map_set_vaddr(map, page_address(buf->pages));
	return 0;
}

static void mock_dmabuf_vunmap(struct dma_buf *dma_buf, struct iosys_map *map)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	buf->vmapped--;
}

static void mock_dmabuf_release(struct dma_buf *dma_buf)
{
	struct mock_dmabuf *buf = dma_buf->priv;

	buf->released = true;
	__free_pages(buf->pages, get_order(MOCK_DMABUF_SIZE));
}

static const struct dma_buf_ops mock_dmabuf_ops = {
	.attach = mock_dmabuf_attach,
	.detach = mock_dmabuf_detach,
	.map_dma_buf = mock_dmabuf_map,
	.unmap_dma_buf = mock_dmabuf_unmap,
	.begin_cpu_access = mock_dmabuf_begin,
	.end_cpu_access = mock_dmabuf_end,
	.mmap = mock_dmabuf_mmap,
	.vmap = mock_dmabuf_vmap,
	.vunmap = mock_dmabuf_vunmap,
	.release = mock_dmabuf_release,
};

static int mock_dmabuf_pin(struct dma_buf_attachment *attach)
{
	struct mock_dmabuf *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	if (buf->pin_error)
		return buf->pin_error;
	buf->pinned++;
	return 0;
}

static void mock_dmabuf_unpin(struct dma_buf_attachment *attach)
{
	struct mock_dmabuf *buf = attach->dmabuf->priv;

	dma_resv_assert_held(attach->dmabuf->resv);
	buf->pinned--;
}

static const struct dma_buf_ops mock_dmabuf_moving_ops = {
	.attach = mock_dmabuf_attach,
	.detach = mock_dmabuf_detach,
	.pin = mock_dmabuf_pin,
	.unpin = mock_dmabuf_unpin,
	.map_dma_buf = mock_dmabuf_map,
	.unmap_dma_buf = mock_dmabuf_unmap,
	.release = mock_dmabuf_release,
};

static const struct dma_buf_ops mock_dmabuf_plain_ops = {
	.attach = mock_dmabuf_attach,
	.detach = mock_dmabuf_detach,
	.map_dma_buf = mock_dmabuf_map,
	.unmap_dma_buf = mock_dmabuf_unmap,
	.release = mock_dmabuf_release,
};

static const struct dma_buf_ops *mock_dmabuf_ops_of(u32 flags)
{
	if (flags & MOCK_DMABUF_MOVES)
		return &mock_dmabuf_moving_ops;
	return flags & MOCK_DMABUF_PLAIN ? &mock_dmabuf_plain_ops :
					   &mock_dmabuf_ops;
}

void mock_dmabuf_revoke(struct mock_dmabuf *buf)
{
	dma_resv_lock(buf->dma_buf->resv, NULL);
	dma_buf_invalidate_mappings(buf->dma_buf);
	dma_resv_unlock(buf->dma_buf->resv);
}

int mock_dmabuf_move(struct mock_dmabuf *buf)
{
	int ret = -EBUSY;

	dma_resv_lock(buf->dma_buf->resv, NULL);
	if (!buf->pinned) {
		dma_buf_invalidate_mappings(buf->dma_buf);
		ret = 0;
	}
	dma_resv_unlock(buf->dma_buf->resv);
	return ret;
}

struct mock_dmabuf *mock_dmabuf_of(struct kunit *test, u32 flags, size_t size,
				   struct dma_resv *resv)
{
	struct mock_dmabuf *buf = kunit_kzalloc(test, sizeof(*buf), GFP_KERNEL);
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	buf->pages = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP,
				 get_order(MOCK_DMABUF_SIZE));
	KUNIT_ASSERT_NOT_NULL(test, buf->pages);
	buf->dir = DMA_NONE;
	info.ops = mock_dmabuf_ops_of(flags);
	info.size = size;
	info.flags = flags & MOCK_DMABUF_WRITE ? O_RDWR : O_RDONLY;
	info.resv = resv;
	info.priv = buf;
	buf->dma_buf = dma_buf_export(&info);
	KUNIT_ASSERT_FALSE(test, IS_ERR(buf->dma_buf));
	list_add(&buf->link, &mock_dmabufs);
	return buf;
}

struct mock_dmabuf *mock_dmabuf(struct kunit *test, u32 flags)
{
	return mock_dmabuf_of(test, flags, MOCK_DMABUF_SIZE, NULL);
}

/* Its exporter's client has closed it. */
void mock_dmabuf_put(struct mock_dmabuf *buf)
{
	if (buf->dma_buf)
		dma_buf_put(buf->dma_buf);
	buf->dma_buf = NULL;
	flush_delayed_fput();
}

/* Whoever imported them has let go of them. */
void mock_dmabuf_exit(struct kunit *test)
{
	struct mock_dmabuf *buf, *next;

	mock_exit(test);
	list_for_each_entry_safe(buf, next, &mock_dmabufs, link) {
		mock_dmabuf_put(buf);
		list_del(&buf->link);
		KUNIT_EXPECT_TRUE(test, buf->released);
		KUNIT_EXPECT_EQ(test, 0, buf->attached);
		KUNIT_EXPECT_EQ(test, 0, buf->mapped);
		KUNIT_EXPECT_EQ(test, 0, buf->pinned);
		KUNIT_EXPECT_EQ(test, 0, buf->vmapped);
	}
}

long mock_bo_import(struct mock *mock, struct dma_buf *dma_buf,
		    struct accel_bo_import *args)
{
	long ret;
	int fd;

	get_dma_buf(dma_buf);
	fd = dma_buf_fd(dma_buf, O_CLOEXEC);
	KUNIT_ASSERT_LE(mock->test, 0, fd);
	*args = (struct accel_bo_import) { .size = sizeof(*args), .fd = fd };
	ret = MOCK_IOCTL(mock, BO_IMPORT, args);
	close_fd(fd);
	return ret;
}

struct accel_bo_import mock_imported(struct mock *mock, struct dma_buf *dma_buf)
{
	struct accel_bo_import args;

	KUNIT_ASSERT_EQ(mock->test, 0L, mock_bo_import(mock, dma_buf, &args));
	return args;
}

long mock_bo_export(struct mock *mock, u32 id, u32 flags,
		    struct dma_buf **dma_buf)
{
	struct accel_bo_export args = {
		.size = sizeof(args),
		.id = id,
		.flags = flags,
	};
	long ret;

	ret = MOCK_IOCTL(mock, BO_EXPORT, &args);
	if (ret)
		return ret;
	*dma_buf = dma_buf_get(args.fd);
	close_fd(args.fd);
	return PTR_ERR_OR_ZERO(*dma_buf);
}

struct dma_buf *mock_exported(struct mock *mock, u32 id, u32 flags)
{
	struct dma_buf *dma_buf;

	KUNIT_ASSERT_EQ(mock->test, 0L, mock_bo_export(mock, id, flags, &dma_buf));
	return dma_buf;
}

void mock_fence_add(struct kunit *test, struct dma_resv *resv,
		    struct dma_fence *fence, enum dma_resv_usage usage)
{
	KUNIT_ASSERT_EQ(test, 0, dma_resv_lock(resv, NULL));
	KUNIT_EXPECT_EQ(test, 0, dma_resv_reserve_fences(resv, 1));
	dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
}

unsigned int mock_fence_count(struct kunit *test, struct dma_resv *resv,
			      enum dma_resv_usage usage)
{
	struct dma_resv_iter cursor;
	struct dma_fence *fence;
	unsigned int count = 0;

	KUNIT_ASSERT_EQ(test, 0, dma_resv_lock(resv, NULL));
	dma_resv_for_each_fence(&cursor, resv, usage, fence)
		count += !dma_fence_is_signaled(fence);
	dma_resv_unlock(resv);
	return count;
}

MODULE_IMPORT_NS("DMA_BUF");
