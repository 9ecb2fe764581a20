// SPDX-License-Identifier: GPL-2.0-only
/* A slow producer: fences that signal when a test says so, or when time is up. */
#include "internal.h"

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

/*
 * Who has deleted the timer, or is its function, signals the fence and then drops the
 * timer's reference: exactly one does.
 */
struct slow_fence {
	struct dma_fence base;
	spinlock_t lock;		/* the fence's */
	struct timer_list timer;
};

struct slow_handle {
	struct test_object obj;
	struct slow_fence *fence;
};

static const char *slow_fence_name(struct dma_fence *fence)
{
	return "accel_dmabuf_test";
}

static void slow_fence_free(struct rcu_head *rcu)
{
	struct dma_fence *base = container_of(rcu, struct dma_fence, rcu);

	kfree(container_of(base, struct slow_fence, base));
	/* Not the last of this module's code: its exit waits for callbacks. */
	module_put(THIS_MODULE);
}

static void slow_fence_release(struct dma_fence *base)
{
	call_rcu(&base->rcu, slow_fence_free);
}

static const struct dma_fence_ops slow_fence_ops = {
	.get_driver_name = slow_fence_name,
	.get_timeline_name = slow_fence_name,
	.release = slow_fence_release,
};

static void slow_fence_end(struct slow_fence *fence, int error)
{
	if (error)
		dma_fence_set_error(&fence->base, error);
	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

static void slow_fence_timeout(struct timer_list *timer)
{
	struct slow_fence *fence = timer_container_of(fence, timer, timer);

	slow_fence_end(fence, -ETIMEDOUT);
}

static int slow_fence_signal(struct slow_fence *fence, int error)
{
	if (!timer_delete(&fence->timer))
		return -ETIME;
	slow_fence_end(fence, error);
	return 0;
}

static void slow_handle_free(struct slow_handle *handle)
{
	slow_fence_signal(handle->fence, -ECANCELED);
	dma_fence_put(&handle->fence->base);
	kfree(handle);
}

static void slow_handle_release(struct kref *refs)
{
	slow_handle_free(container_of(refs, struct slow_handle, obj.refs));
}

/* It runs from now on; the caller has one reference, the timer another. */
static struct slow_fence *slow_fence_create(u32 timeout_ms)
{
	struct slow_fence *fence;

	fence = kzalloc_obj(*fence, GFP_KERNEL_ACCOUNT);
	if (!fence)
		return NULL;

	/* Whoever has the fence calls its ops. */
	__module_get(THIS_MODULE);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &slow_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	dma_fence_get(&fence->base);
	timer_setup(&fence->timer, slow_fence_timeout, 0);
	mod_timer(&fence->timer, jiffies + msecs_to_jiffies(timeout_ms));
	return fence;
}

static int slow_fence_publish(struct slow_fence *fence, struct dma_resv *resv,
			      bool write)
{
	int ret;

	ret = dma_resv_lock_interruptible(resv, NULL);
	if (ret)
		return ret;
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, write ?
				   DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
	dma_resv_unlock(resv);
	return ret;
}

int test_fence(struct test_file *file, void *arg)
{
	const struct dmabuf_test_fence *args = arg;
	struct dma_buf *dmabuf __free(test_dma_buf) = NULL;
	struct slow_handle *handle;
	int ret;

	if (args->flags & ~DMABUF_TEST_WRITE || args->reserved ||
	    !args->timeout_ms || args->timeout_ms > DMABUF_TEST_TIMEOUT_MAX_MS)
		return -EINVAL;
	dmabuf = dma_buf_get(args->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);

	handle = kzalloc_obj(*handle, GFP_KERNEL_ACCOUNT);
	if (!handle)
		return -ENOMEM;
	handle->fence = slow_fence_create(args->timeout_ms);
	if (!handle->fence) {
		kfree(handle);
		return -ENOMEM;
	}
	ret = slow_fence_publish(handle->fence, dmabuf->resv,
				 args->flags & DMABUF_TEST_WRITE);
	if (ret) {
		slow_handle_free(handle);
		return ret;
	}
	return test_object_add(file, &handle->obj, slow_handle_release);
}

int test_signal(struct test_file *file, void *arg)
{
	const struct dmabuf_test_signal *args = arg;
	struct test_object *obj;
	int ret;

	if (args->error > 0 || args->error < -MAX_ERRNO)
		return -EINVAL;
	obj = test_object_get(file, args->handle, slow_handle_release);
	if (!obj)
		return -ENOENT;

	ret = slow_fence_signal(container_of(obj, struct slow_handle, obj)->fence,
				args->error);
	test_object_put(obj);
	return ret;
}
