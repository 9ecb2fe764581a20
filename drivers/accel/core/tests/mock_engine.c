// SPDX-License-Identifier: GPL-2.0-only
#include "mock.h"

#include <kunit/device.h>
#include <linux/anon_inodes.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

struct mock_hw_job {
	struct accel_job base;
	struct list_head link;
};

static struct mock_device *to_mock(struct accel_device *dev)
{
	return container_of(dev, struct mock_device, accel);
}

static const struct mock_cmd *mock_cmd(struct accel_job *job)
{
	return job->cmd;
}

static int mock_job_validate(struct accel_job *job)
{
	struct mock_device *mock = to_mock(job->queue->engine->dev);

	if (mock->on_validate)
		return mock->on_validate(mock->owner, job);
	if (job->cmd_size != sizeof(struct mock_cmd) ||
	    mock_cmd(job)->op == MOCK_BAD)
		return -EINVAL;
	return 0;
}

static int mock_start(struct mock_device *mock, struct accel_job *job)
{
	struct mock_hw_job *hw = container_of(job, struct mock_hw_job, base);
	u32 engine = job->queue->engine->index;

	guard(spinlock_irqsave)(&mock->lock);
	if (mock->log_count < MOCK_LOG_SIZE)
		mock->log[mock->log_count] = mock_cmd(job)->tag;
	mock->log_count++;
	if (mock->watched == current)
		mock->watched_count++;
	if (mock_cmd(job)->op == MOCK_REFUSE)
		return -EIO;
	if (mock_cmd(job)->op == MOCK_WAIT || mock_cmd(job)->op == MOCK_HOOK)
		list_add_tail(&hw->link, &mock->running[engine]);
	return 0;
}

static int mock_job_run(struct accel_job *job)
{
	struct mock_device *mock = to_mock(job->queue->engine->dev);
	u32 engine = job->queue->engine->index;
	int ret;

	/* Only one job_run at a time: no lock is needed to find out. */
	if (mock->in_run[engine]++)
		mock->nested = true;
	if (engine == MOCK_SLEEPING_ENGINE)
		might_sleep();
	if (mock_cmd(job)->op == MOCK_HOOK)
		mock->on_run(mock->owner, job);
	ret = mock_start(mock, job);
	if (!ret && mock_cmd(job)->op == MOCK_INSTANT)
		accel_job_done(job, 0);
	mock->in_run[engine]--;
	return ret;
}

static void mock_job_abort(struct accel_job *job)
{
	struct mock_hw_job *hw = container_of(job, struct mock_hw_job, base);
	struct mock_device *mock = to_mock(job->queue->engine->dev);

	if (mock->on_abort)
		mock->on_abort(mock->owner, job);

	guard(spinlock_irqsave)(&mock->lock);
	/* It may have ended in the hook. */
	if (!list_empty(&hw->link))
		list_del_init(&hw->link);
	mock->aborted++;
}

static int mock_local_alloc(struct accel_bo *bo)
{
	if (atomic64_read(&bo->home->used) + bo->size > bo->home->size)
		return -ENOSPC;

	bo->driver_data = vzalloc(bo->size);
	return bo->driver_data ? 0 : -ENOMEM;
}

static void mock_local_free(struct accel_bo *bo)
{
	vfree(bo->driver_data);
}

static unsigned long mock_local_pfn(struct accel_bo *bo, pgoff_t page)
{
	return vmalloc_to_pfn(bo->driver_data + page * PAGE_SIZE);
}

static int mock_local_vmap(struct accel_bo *bo)
{
	struct mock_device *mock = to_mock(bo->dev);

	if (mock->vmap_error)
		return mock->vmap_error;
	bo->vaddr = bo->driver_data;
	return 0;
}

static void mock_local_vunmap(struct accel_bo *bo)
{
}

/* As small as they come: nothing is optional here. */
static const struct accel_bo_ops mock_local_ops = {
	.alloc = mock_local_alloc,
	.free = mock_local_free,
	.pfn = mock_local_pfn,
	.vmap = mock_local_vmap,
	.vunmap = mock_local_vunmap,
};

static int mock_double_ioctl(struct accel_ioctl_call *call)
{
	struct mock_double *args = call->arg;

	args->value *= 2;
	return 0;
}

static int mock_sum_ioctl(struct accel_ioctl_call *call)
{
	struct mock_sum *args = call->arg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(args->values); i++)
		args->sum += args->values[i];
	return 0;
}

static const struct accel_ioctl_desc mock_ioctls[] = {
	{
		.nr = _IOC_NR(MOCK_IOCTL_DOUBLE),
		.arg_size = sizeof(struct mock_double),
		.min_size = sizeof(struct mock_double),
		.handler = mock_double_ioctl,
		.flags = ACCEL_IOCTL_OUT,
	},
	{
		.nr = _IOC_NR(MOCK_IOCTL_SUM),
		.arg_size = sizeof(struct mock_sum),
		.min_size = sizeof(struct mock_sum),
		.handler = mock_sum_ioctl,
		.flags = ACCEL_IOCTL_OUT,
	},
};

static void mock_info(struct accel_device *dev, void *info)
{
	*(u64 *)info = 0x6d6f636b;
}

const struct accel_ops mock_ops = {
	.name = "accel_mock",
	.job_size = ACCEL_JOB_SIZE(struct mock_hw_job, base),
	.cmd_size_max = 64,
	.timeout_default_ms = 60000,
	.timeout_max_ms = 60000,
	.ioctls = mock_ioctls,
	.ioctl_count = ARRAY_SIZE(mock_ioctls),
	.info_size = sizeof(u64),
	.info = mock_info,
	.job_validate = mock_job_validate,
	.job_run = mock_job_run,
	.job_abort = mock_job_abort,
};

struct mock_device *mock_alloc(struct mock *mock, const struct accel_ops *ops,
			       unsigned int flags)
{
	static const char * const names[MOCK_ENGINES] = { "a", "b", "sleeping" };
	struct kunit *test = mock->test;
	struct mock_device *dev;
	int i;

	dev = devm_accel_alloc_device(mock->parent, ops, struct mock_device,
				      accel, flags);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->owner = mock;
	spin_lock_init(&dev->lock);
	for (i = 0; i < MOCK_ENGINES; i++) {
		INIT_LIST_HEAD(&dev->running[i]);
		KUNIT_ASSERT_EQ(test, 0,
				accel_engine_init(&dev->accel, &dev->engines[i],
						  names[i], MOCK_DEPTH,
						  i == MOCK_SLEEPING_ENGINE ? 0 :
						  ACCEL_ENGINE_ATOMIC_RUN));
	}
	dev->local.name = "local";
	dev->local.size = MOCK_LOCAL_SIZE;
	dev->local.flags = ACCEL_REGION_LOCAL;
	dev->local.ops = &mock_local_ops;
	KUNIT_ASSERT_EQ(test, 0, accel_region_add(&dev->accel, &dev->local));
	return dev;
}

static void mock_set_mask(struct mock *mock, enum mock_hardware hardware)
{
	u64 mask = hardware == MOCK_REACHES_28_BITS ? DMA_BIT_MASK(28) :
						      DMA_BIT_MASK(64);

	KUNIT_ASSERT_EQ(mock->test, 0,
			dma_set_mask_and_coherent(mock->parent, mask));
	KUNIT_ASSERT_EQ(mock->test, hardware == MOCK_REACHES_28_BITS,
			dma_addressing_limited(mock->parent));
}

int mock_init_with(struct kunit *test, enum mock_hardware hardware)
{
	struct mock *mock = kunit_kzalloc(test, sizeof(*mock), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mock);
	mock->test = test;
	test->priv = mock;
	mock->user = kunit_vm_mmap(test, NULL, 0, MOCK_USER_SIZE,
				   PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0UL, mock->user);

	mock->parent = kunit_device_register(test, "accel_mock");
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock->parent));
	if (hardware != MOCK_VIRTUAL)
		mock_set_mask(mock, hardware);
	mock->dev = mock_alloc(mock, &mock_ops, hardware == MOCK_VIRTUAL ?
			       ACCEL_ALLOC_VIRTUAL : 0);
	KUNIT_ASSERT_EQ(test, 0, accel_register(&mock->dev->accel));

	mock->file = accel_file_create(&mock->dev->accel);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock->file));
	return 0;
}

int mock_init(struct kunit *test)
{
	return mock_init_with(test, MOCK_VIRTUAL);
}

/* Nothing may be left of a test. */
void mock_exit(struct kunit *test)
{
	struct mock *mock = test->priv;
	int i;

	if (!IS_ERR_OR_NULL(mock->file))
		accel_file_destroy(mock->file);
	if (mock->dev)
		KUNIT_EXPECT_FALSE(test, mock->dev->nested);
	if (!mock->gone)
		accel_unregister(&mock->dev->accel);
	if (mock->parent)
		kunit_device_unregister(test, mock->parent);

	accel_census_drain();
	for (i = 0; i < ACCEL_CENSUS_COUNT; i++)
		KUNIT_EXPECT_EQ_MSG(test, 0L, atomic_long_read(&accel_census[i]),
				    "census entry %d", i);
}

void mock_unregister(struct mock *mock)
{
	accel_unregister(&mock->dev->accel);
	mock->gone = true;
}

void __user *mock_user(struct mock *mock, size_t offset)
{
	return (void __user *)(mock->user + offset);
}

long mock_ioctl(struct mock *mock, unsigned int cmd, void *arg, size_t size)
{
	long ret;

	KUNIT_ASSERT_EQ(mock->test, 0UL,
			copy_to_user(mock_user(mock, 0), arg, size));
	ret = accel_ioctl_dispatch(mock->file, cmd, mock_user(mock, 0));
	KUNIT_ASSERT_EQ(mock->test, 0UL,
			copy_from_user(arg, mock_user(mock, 0), size));
	return ret;
}

/* As chrdev_open() does it: there is no file system to hold a node. */
struct file *mock_open(struct mock *mock)
{
	static const struct file_operations none;
	struct inode *inode = kunit_kzalloc(mock->test, sizeof(*inode), GFP_KERNEL);
	struct file *filp;
	int ret;

	KUNIT_ASSERT_NOT_NULL(mock->test, inode);
	inode->i_cdev = &mock->dev->accel.cdev;
	filp = anon_inode_getfile("accel_mock", &none, NULL, O_RDWR);
	KUNIT_ASSERT_FALSE(mock->test, IS_ERR(filp));

	ret = accel_fops.open(inode, filp);
	if (ret) {
		__fput_sync(filp);
		return ERR_PTR(ret);
	}
	replace_fops(filp, fops_get(&accel_fops));
	return filp;
}

static struct accel_object *mock_find(struct mock *mock, u32 id)
{
	struct accel_object *obj = xa_load(&mock->file->objects, id);

	KUNIT_ASSERT_NOT_NULL(mock->test, obj);
	return obj;
}

struct accel_bo *mock_find_bo(struct mock *mock, u32 id)
{
	return container_of(mock_find(mock, id), struct accel_bo_handle, obj)->bo;
}

struct accel_queue *mock_find_queue(struct mock *mock, u32 id)
{
	return container_of(mock_find(mock, id), struct accel_queue, obj);
}

struct accel_timeline *mock_find_timeline(struct mock *mock, u32 id)
{
	return container_of(mock_find(mock, id), struct accel_timeline_handle,
			    obj)->timeline;
}

/* What is on its way to being freed does not count. */
long mock_count(enum accel_census what)
{
	accel_census_drain();
	return atomic_long_read(&accel_census[what]);
}

void mock_finish(struct mock *mock, u32 engine, int error)
{
	struct list_head *running = &mock->dev->running[engine];
	struct mock_hw_job *job = NULL;

	scoped_guard(spinlock_irqsave, &mock->dev->lock) {
		if (!list_empty(running)) {
			job = list_first_entry(running, struct mock_hw_job, link);
			list_del_init(&job->link);
		}
	}
	KUNIT_ASSERT_NOT_NULL(mock->test, job);
	accel_job_done(&job->base, error);
}

void mock_finish_tag(struct mock *mock, u32 tag, int error)
{
	struct mock_hw_job *job, *found = NULL;
	int i;

	scoped_guard(spinlock_irqsave, &mock->dev->lock) {
		for (i = 0; i < MOCK_ENGINES; i++)
			list_for_each_entry(job, &mock->dev->running[i], link)
				if (mock_cmd(&job->base)->tag == tag)
					found = job;
		if (found)
			list_del_init(&found->link);
	}
	KUNIT_ASSERT_NOT_NULL(mock->test, found);
	accel_job_done(&found->base, error);
}

u32 mock_running(struct mock *mock, u32 engine)
{
	guard(spinlock_irqsave)(&mock->dev->lock);
	return list_count_nodes(&mock->dev->running[engine]);
}

void mock_expect_log(struct mock *mock, const u32 *tags, u32 count)
{
	struct mock_device *dev = mock->dev;
	u32 i;

	KUNIT_ASSERT_EQ(mock->test, count, dev->log_count);
	for (i = 0; i < count; i++)
		KUNIT_EXPECT_EQ(mock->test, tags[i], dev->log[i]);
}

struct mock_queue mock_queue(struct mock *mock, u32 engine, u32 timeout_ms)
{
	struct accel_queue_create args = {
		.size = sizeof(args),
		.engine = engine,
		.timeout_ms = timeout_ms,
	};

	KUNIT_ASSERT_EQ(mock->test, 0L,
			mock_ioctl(mock, ACCEL_IOCTL_QUEUE_CREATE, &args,
				   sizeof(args)));
	return (struct mock_queue){ args.id, args.timeline };
}

struct accel_bo_create mock_bo_in(struct mock *mock, u32 region, u64 length)
{
	struct accel_bo_create args = {
		.size = sizeof(args),
		.region = region,
		.length = length,
	};

	KUNIT_ASSERT_EQ(mock->test, 0L, MOCK_IOCTL(mock, BO_CREATE, &args));
	return args;
}

u32 mock_bo(struct mock *mock)
{
	return mock_bo_in(mock, 0, 1).id;
}

u32 mock_timeline(struct mock *mock, u64 value)
{
	struct accel_timeline_create args = {
		.size = sizeof(args),
		.value = value,
	};

	KUNIT_ASSERT_EQ(mock->test, 0L,
			mock_ioctl(mock, ACCEL_IOCTL_TIMELINE_CREATE, &args,
				   sizeof(args)));
	return args.id;
}

void mock_destroy(struct mock *mock, u32 id)
{
	struct accel_destroy args = { .size = sizeof(args), .id = id };

	KUNIT_EXPECT_EQ(mock->test, 0L,
			mock_ioctl(mock, ACCEL_IOCTL_DESTROY, &args,
				   sizeof(args)));
}

u64 mock_put(struct mock *mock, size_t offset, const void *data, size_t size)
{
	KUNIT_ASSERT_EQ(mock->test, 0UL,
			copy_to_user(mock_user(mock, offset), data, size));
	return mock->user + offset;
}

long mock_submit(struct mock *mock, u32 queue, const struct mock_job *job)
{
	struct mock_cmd cmd = { job->op, job->tag };
	struct accel_submit_job desc = {
		.cmd_ptr = mock_put(mock, 0x1000, &cmd, sizeof(cmd)),
		.cmd_size = sizeof(cmd),
		.flags = job->flags,
		.bos_ptr = mock_put(mock, 0x2000, job->bos, sizeof(job->bos)),
		.bo_count = job->bo_count,
		.bo_stride = sizeof(job->bos[0]),
		.waits_ptr = mock_put(mock, 0x3000, job->waits,
				      sizeof(job->waits)),
		.wait_count = job->wait_count,
		.wait_stride = sizeof(job->waits[0]),
		.signals_ptr = mock_put(mock, 0x4000, job->signals,
					sizeof(job->signals)),
		.signal_count = job->signal_count,
		.signal_stride = sizeof(job->signals[0]),
	};
	struct accel_submit args = {
		.size = sizeof(args),
		.queue = queue,
		.job_count = 1,
		.jobs_ptr = mock_put(mock, 0x5000, &desc, sizeof(desc)),
		.job_stride = sizeof(desc),
	};

	return mock_ioctl(mock, ACCEL_IOCTL_SUBMIT, &args, sizeof(args));
}

long mock_signal(struct mock *mock, u32 timeline, u64 value)
{
	struct accel_timeline_signal args = {
		.size = sizeof(args),
		.id = timeline,
		.value = value,
	};

	return mock_ioctl(mock, ACCEL_IOCTL_TIMELINE_SIGNAL, &args,
			  sizeof(args));
}

static struct accel_timeline_query mock_query(struct mock *mock, u32 timeline,
					      u64 value)
{
	struct accel_timeline_query args = {
		.size = sizeof(args),
		.id = timeline,
		.value = value,
	};

	KUNIT_ASSERT_EQ(mock->test, 0L,
			mock_ioctl(mock, ACCEL_IOCTL_TIMELINE_QUERY, &args,
				   sizeof(args)));
	return args;
}

int mock_status(struct mock *mock, u32 timeline, u64 value)
{
	return mock_query(mock, timeline, value).status;
}

u64 mock_completed(struct mock *mock, u32 timeline)
{
	return mock_query(mock, timeline, 0).completed;
}

/* Returns what the ioctl does, or the point's status if that is negative. */
int mock_wait(struct mock *mock, u32 timeline, u64 value, s64 deadline_ns)
{
	struct accel_point point = { .timeline = timeline, .value = value };
	struct accel_timeline_wait args = {
		.size = sizeof(args),
		.points_ptr = mock_put(mock, 0x6000, &point, sizeof(point)),
		.count = 1,
		.stride = sizeof(point),
		.deadline_ns = deadline_ns,
	};

	return mock_ioctl(mock, ACCEL_IOCTL_TIMELINE_WAIT, &args,
			  sizeof(args)) ?: args.status;
}

kunit_test_suites(&accel_bo_suite, &accel_class_suite, &accel_device_suite,
		  &accel_dmabuf_export_suite, &accel_dmabuf_hardware_suite,
		  &accel_dmabuf_import_suite, &accel_dmabuf_move_suite,
		  &accel_event_suite, &accel_evict_suite,
		  &accel_fence_suite, &accel_file_suite,
		  &accel_implicit_suite, &accel_ioctl_suite, &accel_job_suite,
		  &accel_memory_suite,
		  &accel_object_suite, &accel_point_page_suite,
		  &accel_query_suite, &accel_queue_suite, &accel_recovery_suite,
		  &accel_sched_suite, &accel_sync_file_suite,
		  &accel_timeline_fd_suite, &accel_timeline_suite,
		  &accel_wait_suite);

MODULE_DESCRIPTION("KUnit tests of the accelerator core");
MODULE_IMPORT_NS("ACCEL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
