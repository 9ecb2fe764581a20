// SPDX-License-Identifier: GPL-2.0-only
/* Devices: what is refused at registration, and what outlives the driver. */
#include "mock.h"

#include <kunit/device.h>
#include <linux/accel_class.h>
#include <linux/completion.h>
#include <linux/dma-mapping.h>

/* A second device, below the same parent, that is not registered yet. */
static struct mock_device *accel_device_second(struct mock *mock,
					       const struct accel_ops *ops)
{
	return mock_alloc(mock, ops, ACCEL_ALLOC_VIRTUAL);
}

/* Break one rule; false if there are no more. */
static bool accel_device_spoil(struct accel_ops *ops, int how)
{
	switch (how) {
	case 0:
		ops->name = NULL;
		return true;
	case 1:
		ops->name = "a name of thirty-two characters.";
		return true;
	case 2:
		ops->job_size = sizeof(struct accel_job) - 1;
		return true;
	case 3:
		ops->cmd_size_max = 0;
		return true;
	case 4:
		ops->cmd_size_max = ACCEL_CMD_SIZE_MAX + 1;
		return true;
	case 5:
		ops->timeout_default_ms = 0;
		return true;
	case 6:
		ops->timeout_default_ms = ops->timeout_max_ms + 1;
		return true;
	case 7:
		ops->info = NULL;
		return true;
	case 8:
		ops->info_size = 0;
		return true;
	case 9:
		ops->job_validate = NULL;
		return true;
	case 10:
		ops->job_run = NULL;
		return true;
	case 11:
		ops->job_abort = NULL;
		return true;
	default:
		return false;
	}
}

static void accel_device_refuses_bad_ops(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_ops ops = mock_ops;
	struct mock_device *dev;
	int i;

	for (i = 0; accel_device_spoil(&ops, i); i++) {
		dev = accel_device_second(mock, &ops);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, accel_register(&dev->accel),
				    "case %d", i);
		ops = mock_ops;
	}
	dev = accel_device_second(mock, &ops);
	KUNIT_EXPECT_EQ(test, 0, accel_register(&dev->accel));
	accel_unregister(&dev->accel);
}

static int accel_device_ioctl(struct accel_ioctl_call *call)
{
	return 0;
}

#define IOCTL(_nr, _arg_size, _min_size, _handler, _flags) {		\
	.nr = _nr, .arg_size = _arg_size, .min_size = _min_size,	\
	.handler = _handler, .flags = _flags,				\
}

#define GOOD_IOCTL	IOCTL(0x80, 8, 4, accel_device_ioctl, ACCEL_IOCTL_OUT)

/* In each row the second breaks one rule. */
static const struct accel_ioctl_desc accel_device_bad_ioctls[][2] = {
	{ GOOD_IOCTL, IOCTL(0x80, 8, 4, accel_device_ioctl, 0) },
	{ GOOD_IOCTL, IOCTL(0x7f, 8, 4, accel_device_ioctl, 0) },
	{ GOOD_IOCTL, IOCTL(0x100, 8, 4, accel_device_ioctl, 0) },
	{ GOOD_IOCTL, IOCTL(0x81, 8, 3, accel_device_ioctl, 0) },
	{ GOOD_IOCTL, IOCTL(0x81, 3, 4, accel_device_ioctl, 0) },
	{ GOOD_IOCTL, IOCTL(0x81, 8, 4, NULL, 0) },
	{ GOOD_IOCTL, IOCTL(0x81, 8, 4, accel_device_ioctl, BIT(1)) },
};

static void accel_device_refuses_bad_ioctls(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_ops ops = mock_ops;
	struct mock_device *dev;
	int i;

	ops.ioctl_count = 2;
	for (i = 0; i < ARRAY_SIZE(accel_device_bad_ioctls); i++) {
		ops.ioctls = accel_device_bad_ioctls[i];
		dev = accel_device_second(mock, &ops);
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, accel_register(&dev->accel),
				    "case %d", i);
	}
}

/* Its memory would be out of its reach. */
static void accel_device_refuses_wide_coherent_mask(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_device *dev = mock_alloc(mock, &mock_ops, 0);
	u64 mask = DMA_BIT_MASK(28), *shared = mock->parent->dma_mask;

	/* KUnit's devices have one for both. */
	mock->parent->dma_mask = &mask;
	KUNIT_ASSERT_EQ(test, 0, dma_set_coherent_mask(mock->parent,
						       DMA_BIT_MASK(32)));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_register(&dev->accel));
	KUNIT_ASSERT_EQ(test, 0, dma_set_coherent_mask(mock->parent,
						       DMA_BIT_MASK(28)));
	KUNIT_EXPECT_EQ(test, 0, accel_register(&dev->accel));
	accel_unregister(&dev->accel);
	mock->parent->dma_mask = shared;
}

static void accel_device_refuses_second_registration(struct kunit *test)
{
	struct mock *mock = test->priv;

	KUNIT_EXPECT_EQ(test, -EINVAL, accel_register(&mock->dev->accel));
	/* It is as usable as before. */
	KUNIT_EXPECT_EQ(test, 1, mock_bo(mock));
}

static void accel_device_needs_an_engine(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_device *dev;

	dev = __devm_accel_alloc_device(mock->parent, &mock_ops, sizeof(*dev),
					ACCEL_ALLOC_VIRTUAL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_register(dev));
}

static void accel_device_too_many_engines(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_device *dev = accel_device_second(mock, &mock_ops);
	struct accel_engine *more;
	int i;

	more = kunit_kcalloc(test, ACCEL_ENGINES_MAX, sizeof(*more), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, more);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			accel_engine_init(&dev->accel, more, "none", 0, 0));
	for (i = MOCK_ENGINES; i < ACCEL_ENGINES_MAX; i++) {
		KUNIT_EXPECT_EQ(test, 0,
				accel_engine_init(&dev->accel, &more[i], "one",
						  1, 0));
		KUNIT_EXPECT_EQ(test, i, more[i].index);
	}
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			accel_engine_init(&dev->accel, more, "one too many", 1,
					  0));
	KUNIT_EXPECT_EQ(test, ACCEL_ENGINES_MAX, dev->accel.engine_count);
}

/* Memory that comes later cannot be moved back. */
static void accel_device_bad_region(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_device *dev = accel_device_second(mock, &mock_ops);
	struct accel_region region = {
		.name = "late",
		.flags = ACCEL_REGION_LOCAL | ACCEL_REGION_EVICTS,
		.ops = mock->dev->accel.system->ops,
	};

	KUNIT_EXPECT_EQ(test, -EINVAL, accel_region_add(&dev->accel, &region));
	KUNIT_EXPECT_EQ(test, 2U, dev->accel.region_count);
}

static void accel_device_too_many_regions(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_device *dev = accel_device_second(mock, &mock_ops);
	/* Two are there: system memory and the mock's own. */
	int i;

	for (i = 2; i < ACCEL_REGIONS_MAX; i++)
		KUNIT_EXPECT_EQ(test, 0,
				accel_region_add(&dev->accel, &dev->local));
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			accel_region_add(&dev->accel, &dev->local));
	KUNIT_EXPECT_EQ(test, ACCEL_REGIONS_MAX, dev->accel.region_count);
}

/* No minor is to be had: nothing happens, and it can be tried again. */
static void accel_device_no_minor(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_device *dev = accel_device_second(mock, &mock_ops);
	int count = 0;
	int *minors;

	minors = kunit_kcalloc(test, ACCEL_MAX_MINORS + 1, sizeof(*minors),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, minors);
	while ((minors[count] = accel_minor_alloc(ACCEL_MINOR_VIRTUAL)) >= 0)
		count++;
	KUNIT_EXPECT_EQ(test, -ENOSPC, accel_register(&dev->accel));
	while (count--)
		accel_minor_free(minors[count]);
	KUNIT_EXPECT_EQ(test, 0, accel_register(&dev->accel));
	accel_unregister(&dev->accel);
}

/* The name is taken when the device is to be added: all is undone. */
static void accel_device_cannot_be_added(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_device *dev = accel_device_second(mock, &mock_ops);
	int minor = accel_minor_alloc(ACCEL_MINOR_VIRTUAL);
	struct device *squatter;

	KUNIT_ASSERT_GE(test, minor, 0);
	accel_minor_free(minor);
	squatter = device_create(mock->dev->accel.dev.class, mock->parent, 0,
				 NULL, "accel%d", minor);
	KUNIT_ASSERT_FALSE(test, IS_ERR(squatter));

	KUNIT_EXPECT_EQ(test, -EEXIST, accel_register(&dev->accel));
	/* Somebody may have had it open. */
	KUNIT_EXPECT_TRUE(test, dev->accel.gone);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_ORPHANS));
	device_unregister(squatter);

	/* Its number is its until it is freed, which the parent's end does. */
	dev = accel_device_second(mock, &mock_ops);
	KUNIT_EXPECT_EQ(test, 0, accel_register(&dev->accel));
	KUNIT_EXPECT_NE(test, minor, (int)MINOR(dev->accel.dev.devt));
	accel_unregister(&dev->accel);
}

static void accel_device_enter_and_exit(struct kunit *test)
{
	struct mock *mock = test->priv;
	int idx;

	KUNIT_ASSERT_TRUE(test, accel_dev_enter(&mock->dev->accel, &idx));
	accel_dev_exit(&mock->dev->accel, idx);
	mock_unregister(mock);
	KUNIT_EXPECT_FALSE(test, accel_dev_enter(&mock->dev->accel, &idx));
	KUNIT_EXPECT_TRUE(test, accel_dev_is_gone(&mock->dev->accel));
}

struct accel_device_leaving {
	struct work_struct work;
	struct accel_device *dev;
	struct completion left;
};

static void accel_device_leave(struct work_struct *work)
{
	struct accel_device_leaving *leaving =
		container_of(work, struct accel_device_leaving, work);

	accel_unregister(leaving->dev);
	complete(&leaving->left);
}

/* Who is inside keeps accel_unregister() from returning; nobody else comes in. */
static void accel_device_unregister_waits(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_device *dev = &mock->dev->accel;
	struct accel_device_leaving leaving = { .dev = dev };
	int inside, late;

	KUNIT_ASSERT_TRUE(test, accel_dev_enter(dev, &inside));
	init_completion(&leaving.left);
	INIT_WORK_ONSTACK(&leaving.work, accel_device_leave);
	queue_work(system_dfl_wq, &leaving.work);
	mock->gone = true;
	mock_until(mock, accel_dev_is_gone(dev));
	KUNIT_EXPECT_FALSE(test, accel_dev_enter(dev, &late));
	/* Whoever would not wait is given the time to return. */
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&leaving.left, HZ));
	accel_dev_exit(dev, inside);
	flush_work(&leaving.work);
	destroy_work_on_stack(&leaving.work);
	KUNIT_EXPECT_TRUE(test, completion_done(&leaving.left));
}

/* Driver and parent are gone; the file, its ids and the minor are not. */
static void accel_device_file_outlives_driver(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 0, 0);
	struct accel_bo_create bo = { .size = sizeof(bo), .length = 1 };
	u32 buffer = mock_bo(mock), timeline = mock_timeline(mock, 2);
	int minor = MINOR(mock->dev->accel.dev.devt), next;

	MOCK_SUBMIT(mock, queue, .tag = 1);
	mock_unregister(mock);
	kunit_device_unregister(test, mock->parent);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_ORPHANS));

	KUNIT_EXPECT_EQ(test, -ENODEV, MOCK_IOCTL(mock, BO_CREATE, &bo));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_status(mock, queue.timeline, 1));
	KUNIT_EXPECT_EQ(test, 2ULL, mock_completed(mock, timeline));
	mock_destroy(mock, queue.id);
	mock_destroy(mock, buffer);
	next = accel_minor_alloc(ACCEL_MINOR_VIRTUAL);
	KUNIT_EXPECT_NE(test, minor, next);
	accel_minor_free(next);

	accel_file_destroy(mock->file);
	mock->file = NULL;
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_ORPHANS));
	next = accel_minor_alloc(ACCEL_MINOR_VIRTUAL);
	KUNIT_EXPECT_EQ(test, minor, next);
	accel_minor_free(next);

	mock->dev = NULL;
	mock->parent = NULL;
}

static void accel_device_name_and_node(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct device *dev = &mock->dev->accel.dev;
	char name[16];
	char *node;

	snprintf(name, sizeof(name), "accel%d", MINOR(dev->devt));
	KUNIT_EXPECT_STREQ(test, name, dev_name(dev));
	KUNIT_EXPECT_EQ(test, ACCEL_MAJOR, (int)MAJOR(dev->devt));
	KUNIT_EXPECT_GE(test, (int)MINOR(dev->devt), ACCEL_FIRST_VIRTUAL_MINOR);

	node = dev->class->devnode(dev, NULL);
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_EXPECT_EQ(test, 0, strncmp(node, "accel/", 6));
	KUNIT_EXPECT_STREQ(test, name, node + 6);
	kfree(node);
}

static struct kunit_case accel_device_cases[] = {
	KUNIT_CASE(accel_device_refuses_bad_ops),
	KUNIT_CASE(accel_device_refuses_bad_ioctls),
	KUNIT_CASE(accel_device_refuses_wide_coherent_mask),
	KUNIT_CASE(accel_device_refuses_second_registration),
	KUNIT_CASE(accel_device_needs_an_engine),
	KUNIT_CASE(accel_device_too_many_engines),
	KUNIT_CASE(accel_device_bad_region),
	KUNIT_CASE(accel_device_too_many_regions),
	KUNIT_CASE(accel_device_no_minor),
	KUNIT_CASE(accel_device_cannot_be_added),
	KUNIT_CASE(accel_device_enter_and_exit),
	KUNIT_CASE(accel_device_unregister_waits),
	KUNIT_CASE(accel_device_file_outlives_driver),
	KUNIT_CASE(accel_device_name_and_node),
	{}
};

struct kunit_suite accel_device_suite = {
	.name = "accel_device",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_device_cases,
};
