// SPDX-License-Identifier: GPL-2.0-only
#include "mock.h"

#include <kunit/device.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/uaccess.h>

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
	if (mock_cmd(job)->op == MOCK_REFUSE)
		return -EIO;
	if (mock_cmd(job)->op == MOCK_WAIT)
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

	guard(spinlock_irqsave)(&mock->lock);
	list_del(&hw->link);
	mock->aborted++;
}

static int mock_double_ioctl(struct accel_ioctl_call *call)
{
	struct mock_double *args = call->arg;

	args->value *= 2;
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
};

static const struct accel_ops mock_ops = {
	.name = "accel_mock",
	.job_size = ACCEL_JOB_SIZE(struct mock_hw_job, base),
	.cmd_size_max = 64,
	.timeout_default_ms = 60000,
	.timeout_max_ms = 60000,
	.ioctls = mock_ioctls,
	.ioctl_count = ARRAY_SIZE(mock_ioctls),
	.job_validate = mock_job_validate,
	.job_run = mock_job_run,
	.job_abort = mock_job_abort,
};

static void mock_register(struct mock *mock)
{
	static const char * const names[MOCK_ENGINES] = { "a", "b", "sleeping" };
	struct kunit *test = mock->test;
	struct mock_device *dev;
	int i;

	dev = devm_accel_alloc_device(mock->parent, &mock_ops,
				      struct mock_device, accel,
				      ACCEL_ALLOC_VIRTUAL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	mock->dev = dev;
	spin_lock_init(&dev->lock);
	for (i = 0; i < MOCK_ENGINES; i++) {
		INIT_LIST_HEAD(&dev->running[i]);
		KUNIT_ASSERT_EQ(test, 0,
				accel_engine_init(&dev->accel, &dev->engines[i],
						  names[i], MOCK_DEPTH,
						  i == MOCK_SLEEPING_ENGINE ? 0 :
						  ACCEL_ENGINE_ATOMIC_RUN));
	}
	KUNIT_ASSERT_EQ(test, 0, accel_register(&dev->accel));
}

int mock_init(struct kunit *test)
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
	mock_register(mock);

	mock->file = accel_file_create(&mock->dev->accel);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock->file));
	return 0;
}

/* Nothing may be left of a test. */
void mock_exit(struct kunit *test)
{
	struct mock *mock = test->priv;
	int i;

	if (!IS_ERR_OR_NULL(mock->file))
		accel_file_destroy(mock->file);
	KUNIT_EXPECT_FALSE(test, mock->dev->nested);
	if (!mock->gone)
		accel_unregister(&mock->dev->accel);
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

void mock_finish(struct mock *mock, u32 engine, int error)
{
	struct list_head *running = &mock->dev->running[engine];
	struct mock_hw_job *job = NULL;

	scoped_guard(spinlock_irqsave, &mock->dev->lock) {
		if (!list_empty(running)) {
			job = list_first_entry(running, struct mock_hw_job, link);
			list_del(&job->link);
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
			list_del(&found->link);
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

u32 mock_bo(struct mock *mock)
{
	struct accel_bo_create args = { .size = sizeof(args), .length = 1 };

	KUNIT_ASSERT_EQ(mock->test, 0L,
			mock_ioctl(mock, ACCEL_IOCTL_BO_CREATE, &args,
				   sizeof(args)));
	return args.id;
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

static u64 mock_put(struct mock *mock, size_t offset, const void *data,
		    size_t size)
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

kunit_test_suites(&accel_object_suite, &accel_ioctl_suite, &accel_sched_suite,
		  &accel_fence_suite, &accel_timeline_suite,
		  &accel_event_suite, &accel_point_page_suite);

MODULE_DESCRIPTION("KUnit tests of the accelerator core");
MODULE_IMPORT_NS("ACCEL");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("GPL");
