/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of accel_dmabuf_test share. */
#ifndef _ACCEL_DMABUF_TEST_INTERNAL_H
#define _ACCEL_DMABUF_TEST_INTERNAL_H

#include <linux/cleanup.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "accel_dmabuf_test.h"

/* How long anything waits for a fence; a fence of ours ends by then. */
#define TEST_WAIT	msecs_to_jiffies(DMABUF_TEST_TIMEOUT_MAX_MS + 5000)

struct device;

/**
 * struct test_file - an open file
 * @objects: &struct test_object by handle, with a reference each
 */
struct test_file {
	struct xarray objects;
};

/**
 * struct test_object - what has a handle
 * @refs: frees it
 * @release: what it is, and how it is freed
 */
struct test_object {
	struct kref refs;
	void (*release)(struct kref *refs);
};

int test_object_add(struct test_file *file, struct test_object *obj,
		    void (*release)(struct kref *refs));
struct test_object *test_object_get(struct test_file *file, u32 handle,
				    void (*release)(struct kref *refs));
void test_object_put(struct test_object *obj);

/* Of what dma_buf_get() gave */
static inline void test_dma_buf_put(struct dma_buf *dmabuf)
{
	if (!IS_ERR_OR_NULL(dmabuf))
		dma_buf_put(dmabuf);
}

DEFINE_FREE(test_dma_buf, struct dma_buf *, test_dma_buf_put(_T))

/* The device that imports; it is there for as long as the module is. */
extern struct device *test_importer_dev;

/* ioctls, with their arguments copied; they return what the ioctl returns. */
int test_frames(struct test_file *file, void *arg);
int test_compare(struct test_file *file, void *arg);
int test_export(struct test_file *file, void *arg);
int test_move(struct test_file *file, void *arg);
int test_import(struct test_file *file, void *arg);
int test_dma(struct test_file *file, void *arg);
int test_fence(struct test_file *file, void *arg);
int test_signal(struct test_file *file, void *arg);
int test_release(struct test_file *file, void *arg);

int test_import_frames(struct test_file *file, u32 handle, u32 first, u32 count,
		       u64 *frames);

#endif /* _ACCEL_DMABUF_TEST_INTERNAL_H */
