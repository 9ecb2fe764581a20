// SPDX-License-Identifier: GPL-2.0-only
/* BO_SYNC: access of the CPU to a buffer, between the jobs that use it. */
#include "accel_internal.h"

/* Time left until @deadline_ns, for functions that count in jiffies. */
static unsigned long accel_deadline_jiffies(s64 deadline_ns)
{
	s64 left;

	if (deadline_ns == S64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	left = deadline_ns - ktime_get_ns();
	if (left <= 0)
		return 0;
	return min(nsecs_to_jiffies64(left) + 1, MAX_SCHEDULE_TIMEOUT - 1);
}

static int accel_bo_wait(struct accel_bo *bo, enum dma_resv_usage usage,
			 s64 deadline_ns)
{
	unsigned long left = accel_deadline_jiffies(deadline_ns);
	long ret;

	if (dma_resv_test_signaled(bo->resv, usage))
		return 0;
	if (!left)
		return -ETIME;

	ret = dma_resv_wait_timeout(bo->resv, usage, true, left);
	if (ret < 0)
		return ret;
	return ret ? 0 : -ETIME;
}

/*
 * Of all devices that have @bo mapped for DMA, this one and those of others. Without
 * accel_dev_enter() only for memory that can be exported: no driver is called then.
 */
void accel_bo_sync_caches(struct accel_bo *bo, bool for_device)
{
	const struct accel_bo_ops *ops;

	scoped_guard(mutex, &bo->lock) {
		if (!bo->sgt)
			break;
		ops = bo->region->ops;
		if (for_device && ops->sync_for_device)
			ops->sync_for_device(bo);
		else if (!for_device && ops->sync_for_cpu)
			ops->sync_for_cpu(bo);
	}
	accel_export_sync_caches(bo, for_device);
}

static int accel_bo_sync_own(struct accel_bo *bo, bool for_device)
{
	int idx;

	if (!accel_dev_enter(bo->dev, &idx))
		return -ENODEV;
	accel_bo_sync_caches(bo, for_device);
	accel_dev_exit(bo->dev, idx);
	return 0;
}

/* The exporter knows how; it may wait, so the device is not entered. */
static int accel_bo_sync_import(struct accel_bo *bo, u32 flags)
{
	enum dma_data_direction dir;

	if (accel_dev_is_gone(bo->dev))
		return -ENODEV;

	if (!(flags & ACCEL_SYNC_WRITE))
		dir = DMA_FROM_DEVICE;
	else if (!(flags & ACCEL_SYNC_READ))
		dir = DMA_TO_DEVICE;
	else
		dir = DMA_BIDIRECTIONAL;
	return flags & ACCEL_SYNC_END ?
	       dma_buf_end_cpu_access(bo->dma_buf, dir) :
	       dma_buf_begin_cpu_access(bo->dma_buf, dir);
}

static int accel_bo_sync(struct accel_bo *bo, u32 flags, s64 deadline_ns)
{
	/* Who writes waits for readers as well. */
	enum dma_resv_usage usage = dma_resv_usage_rw(flags & ACCEL_SYNC_WRITE);
	int ret;

	if (!(flags & ACCEL_SYNC_END)) {
		ret = accel_bo_wait(bo, usage, deadline_ns);
		if (ret)
			return ret;
	}
	if (bo->dma_buf)
		return accel_bo_sync_import(bo, flags);
	return accel_bo_sync_own(bo, flags & ACCEL_SYNC_END);
}

int accel_bo_sync_ioctl(struct accel_ioctl_call *call)
{
	const struct accel_bo_sync *args = call->arg;
	struct accel_bo *bo;
	int ret;

	if (args->flags & ~(ACCEL_SYNC_READ | ACCEL_SYNC_WRITE | ACCEL_SYNC_END))
		return -EOPNOTSUPP;
	if (args->reserved ||
	    !(args->flags & (ACCEL_SYNC_READ | ACCEL_SYNC_WRITE)))
		return -EINVAL;
	if (!(args->flags & ACCEL_SYNC_END) && args->deadline_ns < 0)
		return -EINVAL;

	bo = accel_bo_get_for_cpu(call->file, args->id,
				  args->flags & ACCEL_SYNC_WRITE);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = accel_bo_sync(bo, args->flags, args->deadline_ns);
	accel_object_put(&bo->obj);
	return ret;
}
