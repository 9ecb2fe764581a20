// SPDX-License-Identifier: GPL-2.0-only
/* The dispatcher: what is an ioctl, how large its argument may be. */
#include "mock.h"

#include <linux/uaccess.h>

static long accel_ioctl_create(struct mock *mock, u32 size, u8 tail)
{
	struct accel_timeline_create args = { .size = size };
	u8 bytes[sizeof(args) + 16] = {};

	memcpy(bytes, &args, sizeof(args));
	memset(bytes + sizeof(args), tail, sizeof(bytes) - sizeof(args));
	return mock_ioctl(mock, ACCEL_IOCTL_TIMELINE_CREATE, bytes,
			  sizeof(bytes));
}

static void accel_ioctl_sizes(struct kunit *test)
{
	const u32 known = sizeof(struct accel_timeline_create);
	struct mock *mock = test->priv;
	u32 size;

	for (size = 0; size < known; size++)
		KUNIT_EXPECT_EQ(test, -EINVAL,
				accel_ioctl_create(mock, size, 0));
	KUNIT_EXPECT_EQ(test, 0L, accel_ioctl_create(mock, known, 0xff));
	KUNIT_EXPECT_EQ(test, 0L, accel_ioctl_create(mock, known + 16, 0));
	KUNIT_EXPECT_EQ(test, -E2BIG, accel_ioctl_create(mock, known + 1, 0xff));
	KUNIT_EXPECT_EQ(test, -E2BIG,
			accel_ioctl_create(mock, PAGE_SIZE + 1, 0));
	KUNIT_EXPECT_EQ(test, -E2BIG, accel_ioctl_create(mock, U32_MAX, 0));
}

/* A shorter struct than ours is filled with zeros, and no more is written. */
static void accel_ioctl_no_write_past_size(struct kunit *test)
{
	struct mock *mock = test->priv;
	u8 bytes[sizeof(struct accel_bo_create) + 8];
	struct accel_bo_create args = { .size = sizeof(args), .length = 1 };
	int i;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, &args, sizeof(args));
	memset(bytes + sizeof(args), 0xaa, 8);
	KUNIT_ASSERT_EQ(test, 0L, mock_ioctl(mock, ACCEL_IOCTL_BO_CREATE, bytes,
					     sizeof(bytes)));
	for (i = sizeof(args); i < sizeof(bytes); i++)
		KUNIT_EXPECT_EQ(test, 0xaa, bytes[i]);
}

static void accel_ioctl_unknown(struct kunit *test)
{
	struct mock *mock = test->priv;
	u32 size = sizeof(size);

	KUNIT_EXPECT_EQ(test, -ENOTTY,
			mock_ioctl(mock, _IO(ACCEL_IOCTL_TYPE, 0x7f), &size, 4));
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			mock_ioctl(mock, _IO(ACCEL_IOCTL_TYPE, 0x03), &size, 4));
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			mock_ioctl(mock, _IO(ACCEL_IOCTL_TYPE, 0x82), &size, 4));
	KUNIT_EXPECT_EQ(test, -ENOTTY, mock_ioctl(mock, _IO('d', 0), &size, 4));
	/* The number alone is not enough. */
	KUNIT_EXPECT_EQ(test, -ENOTTY,
			mock_ioctl(mock, _IOWR(ACCEL_IOCTL_TYPE, 0, u32), &size,
				   4));
}

static void accel_ioctl_of_driver(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_double args = { .size = sizeof(args), .value = 21 };

	KUNIT_EXPECT_EQ(test, 0L,
			mock_ioctl(mock, MOCK_IOCTL_DOUBLE, &args, sizeof(args)));
	KUNIT_EXPECT_EQ(test, 42, args.value);
}

static void accel_ioctl_big_argument(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct mock_sum *args;
	u32 i, sum = 0;

	args = kunit_kzalloc(test, sizeof(*args), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, args);
	args->size = sizeof(*args);
	for (i = 0; i < ARRAY_SIZE(args->values); i++) {
		args->values[i] = i * i;
		sum += i * i;
	}
	KUNIT_EXPECT_EQ(test, 0L,
			mock_ioctl(mock, MOCK_IOCTL_SUM, args, sizeof(*args)));
	KUNIT_EXPECT_EQ(test, sum, args->sum);
}

static void accel_ioctl_fault(struct kunit *test)
{
	struct mock *mock = test->priv;

	KUNIT_EXPECT_EQ(test, -EFAULT,
			accel_ioctl_dispatch(mock->file, ACCEL_IOCTL_DESTROY,
					     NULL));
}

static void accel_ioctl_device_gone(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_bo_create bo = { .size = sizeof(bo), .length = 1 };
	struct mock_double own = { .size = sizeof(own) };
	u32 timeline = mock_timeline(mock, 3);

	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			mock_ioctl(mock, ACCEL_IOCTL_BO_CREATE, &bo, sizeof(bo)));
	KUNIT_EXPECT_EQ(test, -ENODEV,
			mock_ioctl(mock, MOCK_IOCTL_DOUBLE, &own, sizeof(own)));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_signal(mock, timeline, 4));
	KUNIT_EXPECT_EQ(test, 3ULL, mock_completed(mock, timeline));
	KUNIT_EXPECT_EQ(test, 0, mock_wait(mock, timeline, 3, 0));
	KUNIT_EXPECT_EQ(test, -ENODEV, mock_wait(mock, timeline, 4, S64_MAX));
	mock_destroy(mock, timeline);
	KUNIT_EXPECT_EQ(test, -ENODEV,
			PTR_ERR(accel_file_create(&mock->dev->accel)));
}

static struct kunit_case accel_ioctl_cases[] = {
	KUNIT_CASE(accel_ioctl_sizes),
	KUNIT_CASE(accel_ioctl_no_write_past_size),
	KUNIT_CASE(accel_ioctl_unknown),
	KUNIT_CASE(accel_ioctl_of_driver),
	KUNIT_CASE(accel_ioctl_big_argument),
	KUNIT_CASE(accel_ioctl_fault),
	KUNIT_CASE(accel_ioctl_device_gone),
	{}
};

struct kunit_suite accel_ioctl_suite = {
	.name = "accel_ioctl",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_ioctl_cases,
};
