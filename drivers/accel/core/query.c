// SPDX-License-Identifier: GPL-2.0-only
/* What a device tells of itself. */
#include "accel_internal.h"

#include <linux/device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* An answer: @count elements of @stride bytes, for the caller to free. */
struct accel_answer {
	void *data;
	u32 stride;
	u32 count;
};

static int accel_answer_alloc(struct accel_answer *answer, size_t stride,
			      size_t count)
{
	answer->data = kcalloc(count, stride, GFP_KERNEL_ACCOUNT);
	if (!answer->data)
		return -ENOMEM;

	answer->stride = stride;
	answer->count = count;
	return 0;
}

static int accel_answer_device(struct accel_device *dev,
			       struct accel_answer *answer)
{
	struct accel_query_device *info;
	int ret;

	ret = accel_answer_alloc(answer, sizeof(*info), 1);
	if (ret)
		return ret;

	info = answer->data;
	strscpy(info->driver, dev->ops->name, sizeof(info->driver));
	strscpy(info->bus_id, dev_name(dev->dev.parent), sizeof(info->bus_id));
	info->flags = dev->virtual ? ACCEL_DEVICE_VIRTUAL : 0;
	info->engine_count = dev->engine_count;
	info->region_count = dev->region_count;
	info->cmd_size_max = dev->ops->cmd_size_max;
	info->jobs_max = ACCEL_JOBS_MAX;
	info->job_bos_max = ACCEL_JOB_BOS_MAX;
	info->points_max = ACCEL_POINTS_MAX;
	info->timeout_default_ms = dev->ops->timeout_default_ms;
	info->timeout_max_ms = dev->ops->timeout_max_ms;
	info->queues_max = ACCEL_QUEUES_MAX;
	return 0;
}

static int accel_answer_engines(struct accel_device *dev,
				struct accel_answer *answer)
{
	struct accel_query_engine *info;
	struct accel_engine *engine;
	unsigned int i;
	int ret;

	ret = accel_answer_alloc(answer, sizeof(*info), dev->engine_count);
	if (ret)
		return ret;

	info = answer->data;
	for (i = 0; i < dev->engine_count; i++) {
		engine = dev->engines[i];
		strscpy(info[i].name, engine->name, sizeof(info[i].name));
		info[i].depth = engine->depth;
		scoped_guard(spinlock_irqsave, &engine->lock) {
			info[i].jobs = engine->jobs;
			info[i].busy_ns = engine->busy_ns;
		}
	}
	return 0;
}

static int accel_answer_regions(struct accel_device *dev,
				struct accel_answer *answer)
{
	struct accel_query_region *info;
	struct accel_region *region;
	unsigned int i;
	int ret;

	ret = accel_answer_alloc(answer, sizeof(*info), dev->region_count);
	if (ret)
		return ret;

	info = answer->data;
	for (i = 0; i < dev->region_count; i++) {
		region = dev->regions[i];
		strscpy(info[i].name, region->name, sizeof(info[i].name));
		info[i].flags = region->flags;
		info[i].total = region->size;
		info[i].used = atomic64_read(&region->used);
	}
	return 0;
}

static int accel_answer_ioctls(struct accel_device *dev,
			       struct accel_answer *answer)
{
	const struct accel_ioctl_desc *own = dev->ops->ioctls;
	struct accel_query_ioctl *info;
	unsigned int i, count = 0;
	int ret;

	ret = accel_answer_alloc(answer, sizeof(*info),
				 accel_ioctl_count + dev->ops->ioctl_count);
	if (ret)
		return ret;

	info = answer->data;
	for (i = 0; i < accel_ioctl_count; i++) {
		if (!accel_ioctls[i].handler)
			continue;
		info[count].nr = accel_ioctls[i].nr;
		info[count++].arg_size = accel_ioctls[i].arg_size;
	}
	for (i = 0; i < dev->ops->ioctl_count; i++) {
		info[count].nr = own[i].nr;
		info[count++].arg_size = own[i].arg_size;
	}
	answer->count = count;
	return 0;
}

static int accel_answer_driver(struct accel_device *dev,
			       struct accel_answer *answer)
{
	int ret;

	if (!dev->ops->info)
		return -EOPNOTSUPP;

	ret = accel_answer_alloc(answer, dev->ops->info_size, 1);
	if (ret)
		return ret;

	dev->ops->info(dev, answer->data);
	return 0;
}

static int accel_answer(struct accel_device *dev, u32 topic,
			struct accel_answer *answer)
{
	switch (topic) {
	case ACCEL_QUERY_DEVICE:
		return accel_answer_device(dev, answer);
	case ACCEL_QUERY_ENGINES:
		return accel_answer_engines(dev, answer);
	case ACCEL_QUERY_REGIONS:
		return accel_answer_regions(dev, answer);
	case ACCEL_QUERY_IOCTLS:
		return accel_answer_ioctls(dev, answer);
	case ACCEL_QUERY_DRIVER:
		return accel_answer_driver(dev, answer);
	default:
		return -EOPNOTSUPP;
	}
}

int accel_query_ioctl(struct accel_ioctl_call *call)
{
	struct accel_device *dev = call->file->dev;
	struct accel_query *args = call->arg;
	struct accel_answer answer = {};
	void *data __free(kfree) = NULL;
	int idx, ret;
	u32 size;

	if (args->reserved)
		return -EINVAL;

	if (!accel_dev_enter(dev, &idx))
		return -ENODEV;
	ret = accel_answer(dev, args->topic, &answer);
	accel_dev_exit(dev, idx);
	if (ret)
		return ret;

	data = answer.data;
	size = answer.stride * answer.count;
	if (copy_to_user(u64_to_user_ptr(args->data_ptr), data,
			 min(size, args->data_size)))
		return -EFAULT;

	args->data_size = size;
	args->stride = answer.stride;
	args->count = answer.count;
	return 0;
}
