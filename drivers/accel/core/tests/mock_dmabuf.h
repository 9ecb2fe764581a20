/* SPDX-License-Identifier: GPL-2.0-only */
/* Somebody else's dma-bufs, that tell what importers do to them, and his fences. */
#ifndef _ACCEL_MOCK_DMABUF_H
#define _ACCEL_MOCK_DMABUF_H

#include <linux/dma-buf.h>

#include "mock.h"

#define MOCK_DMABUF_SIZE	(2 * PAGE_SIZE)

/**
 * struct mock_dmabuf - a dma-buf of another driver's
 * @dma_buf: with a reference until mock_dmabuf_put()
 * @link: for mock_dmabuf_exit()
 * @pages: its memory, MOCK_DMABUF_SIZE bytes
 * @attach_error: what attaching gives, unless 0
 * @map_error: likewise
 * @mmap_error: likewise
 * @pin_error: likewise
 * @iomem: its address is not for plain loads and stores
 * @fake_segment: addresses that stand for nothing, in segments of this size
 * @fake_bytes: how much of it there is
 * @attached: how many are attached
 * @mapped: how many mappings they have
 * @pinned: how many do not let it move
 * @vmapped: how many kernel addresses
 * @mmapped: how often it was mapped into a process
 * @dir: of the latest mapping or access
 * @begun: accesses of the CPU
 * @ended: likewise
 * @released: the last reference is gone
 */
struct mock_dmabuf {
	struct dma_buf *dma_buf;
	struct list_head link;
	struct page *pages;
	int attach_error;
	int map_error;
	int mmap_error;
	int pin_error;
	bool iomem;
	u32 fake_segment;
	u64 fake_bytes;
	int attached;
	int mapped;
	int pinned;
	int vmapped;
	int mmapped;
	enum dma_data_direction dir;
	int begun;
	int ended;
	bool released;
};

/* What mock_dmabuf() makes. */
#define MOCK_DMABUF_WRITE	BIT(0)
#define MOCK_DMABUF_PLAIN	BIT(1)	/* no vmap, no mmap, no access of the CPU */
#define MOCK_DMABUF_MOVES	BIT(2)	/* see mock_dmabuf_move() */

struct mock_dmabuf *mock_dmabuf(struct kunit *test, u32 flags);
struct mock_dmabuf *mock_dmabuf_of(struct kunit *test, u32 flags, size_t size,
				   struct dma_resv *resv);
void mock_dmabuf_put(struct mock_dmabuf *buf);
/* The exporter wants the memory elsewhere: EBUSY if somebody has it pinned. */
int mock_dmabuf_move(struct mock_dmabuf *buf);
/* It takes the memory back, whoever has it pinned, as one does that is going. */
void mock_dmabuf_revoke(struct mock_dmabuf *buf);
void mock_dmabuf_exit(struct kunit *test);

long mock_bo_import(struct mock *mock, struct dma_buf *dma_buf,
		    struct accel_bo_import *args);
long mock_bo_export(struct mock *mock, u32 id, u32 flags,
		    struct dma_buf **dma_buf);

/* An import that must succeed. */
struct accel_bo_import mock_imported(struct mock *mock, struct dma_buf *dma_buf);
/* An export that must succeed, with a reference for the caller. */
struct dma_buf *mock_exported(struct mock *mock, u32 id, u32 flags);

void mock_fence_add(struct kunit *test, struct dma_resv *resv,
		    struct dma_fence *fence, enum dma_resv_usage usage);
/* How many unsignalled fences there are for who uses the memory as @usage. */
unsigned int mock_fence_count(struct kunit *test, struct dma_resv *resv,
			      enum dma_resv_usage usage);

#endif /* _ACCEL_MOCK_DMABUF_H */
