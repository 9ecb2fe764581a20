// SPDX-License-Identifier: GPL-2.0-only
/* Page frames: what is shared has the same ones on both sides. */
#include "internal.h"

#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

static unsigned long frame_of_address(const void *vaddr)
{
	if (is_vmalloc_addr(vaddr))
		return vmalloc_to_pfn(vaddr);
	return page_to_pfn(virt_to_page(vaddr));
}

static bool range_is_bad(const struct dma_buf *dmabuf, u32 first, u32 count)
{
	size_t pages = dmabuf->size >> PAGE_SHIFT;

	return first > pages || count > pages - first;
}

static int frames_of_fd(int fd, u32 first, u32 count, u64 *frames)
{
	struct dma_buf *dmabuf __free(test_dma_buf) = NULL;
	struct iosys_map map;
	u32 i;
	int ret;

	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (range_is_bad(dmabuf, first, count))
		return -EINVAL;

	ret = dma_buf_vmap_unlocked(dmabuf, &map);
	if (ret)
		return ret;
	for (i = 0; i < count; i++)
		frames[i] = frame_of_address(map.vaddr +
					     ((size_t)(first + i) << PAGE_SHIFT));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	return 0;
}

static int frame_of_mapping(unsigned long addr, u64 *frame)
{
	struct follow_pfnmap_args args = { .address = addr };
	struct mm_struct *mm = current->mm;
	struct page *page;
	int ret = -EFAULT;

	if (get_user_pages_fast(addr, 1, 0, &page) == 1) {
		*frame = page_to_pfn(page);
		put_page(page);
		return 0;
	}

	/* Those that belong to a driver have no page to be got. */
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	args.vma = vma_lookup(mm, addr);
	if (args.vma)
		ret = follow_pfnmap_start(&args);
	if (!ret) {
		*frame = args.pfn;
		follow_pfnmap_end(&args);
	}
	mmap_read_unlock(mm);
	return ret ? -EFAULT : 0;
}

static int frames_of_mapping(u64 addr, u32 first, u32 count, u64 *frames)
{
	u32 i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = frame_of_mapping(addr + ((u64)(first + i) << PAGE_SHIFT),
				       &frames[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int frames_of(struct test_file *file,
		     const struct dmabuf_test_frames *args, u64 *frames)
{
	switch (args->kind) {
	case DMABUF_TEST_OF_FD:
		return frames_of_fd(args->object, args->first, args->count,
				    frames);
	case DMABUF_TEST_OF_IMPORT:
		return test_import_frames(file, args->object, args->first,
					  args->count, frames);
	case DMABUF_TEST_OF_ADDRESS:
		return frames_of_mapping(args->object, args->first, args->count,
					 frames);
	default:
		return -EINVAL;
	}
}

int test_frames(struct test_file *file, void *arg)
{
	const struct dmabuf_test_frames *args = arg;
	u64 *frames __free(kvfree) = NULL;
	int ret;

	if (args->reserved || !args->count ||
	    args->count > DMABUF_TEST_PAGES_MAX)
		return -EINVAL;
	frames = kvcalloc(args->count, sizeof(*frames), GFP_KERNEL_ACCOUNT);
	if (!frames)
		return -ENOMEM;

	ret = frames_of(file, args, frames);
	if (ret)
		return ret;
	return copy_to_user(u64_to_user_ptr(args->frames_ptr), frames,
			    args->count * sizeof(*frames)) ? -EFAULT : 0;
}

static int count_same(const struct iosys_map *a, const struct iosys_map *b,
		      u32 first, u32 count)
{
	size_t offset = (size_t)first << PAGE_SHIFT;
	int same = 0;
	u32 i;

	for (i = 0; i < count; i++, offset += PAGE_SIZE)
		same += frame_of_address(a->vaddr + offset) ==
			frame_of_address(b->vaddr + offset);
	return same;
}

int test_compare(struct test_file *file, void *arg)
{
	const struct dmabuf_test_compare *args = arg;
	struct dma_buf *a __free(test_dma_buf) = dma_buf_get(args->fd_a);
	struct dma_buf *b __free(test_dma_buf) = dma_buf_get(args->fd_b);
	struct iosys_map map_a, map_b;
	int ret;

	if (IS_ERR(a))
		return PTR_ERR(a);
	if (IS_ERR(b))
		return PTR_ERR(b);
	if (args->count > DMABUF_TEST_PAGES_MAX ||
	    range_is_bad(a, args->first, args->count) ||
	    range_is_bad(b, args->first, args->count))
		return -EINVAL;

	ret = dma_buf_vmap_unlocked(a, &map_a);
	if (ret)
		return ret;
	ret = dma_buf_vmap_unlocked(b, &map_b);
	if (!ret) {
		ret = count_same(&map_a, &map_b, args->first, args->count);
		dma_buf_vunmap_unlocked(b, &map_b);
	}
	dma_buf_vunmap_unlocked(a, &map_a);
	return ret;
}
