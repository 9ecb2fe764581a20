// SPDX-License-Identifier: GPL-2.0-only
/* Minor numbers: who gets which, and when it is free again. */
#include "mock.h"

#include <linux/accel_class.h>
#include <linux/bitmap.h>

struct minors {
	DECLARE_BITMAP(taken, ACCEL_MAX_MINORS);
};

static int accel_class_take(struct minors *minors, enum accel_minor_kind kind)
{
	int minor = accel_minor_alloc(kind);

	if (minor >= 0)
		__set_bit(minor, minors->taken);
	return minor;
}

static void accel_class_give(struct minors *minors, int minor)
{
	__clear_bit(minor, minors->taken);
	accel_minor_free(minor);
}

static int accel_class_init_test(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct minors), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void accel_class_exit_test(struct kunit *test)
{
	struct minors *minors = test->priv;
	int minor;

	for_each_set_bit(minor, minors->taken, ACCEL_MAX_MINORS)
		accel_minor_free(minor);
}

/* Whatever else has some of them in this kernel, ours are in order. */
static void accel_class_lowest_free(struct kunit *test)
{
	struct minors *minors = test->priv;
	int first = accel_class_take(minors, ACCEL_MINOR_HARDWARE);
	int second = accel_class_take(minors, ACCEL_MINOR_HARDWARE);
	int third = accel_class_take(minors, ACCEL_MINOR_HARDWARE);

	KUNIT_ASSERT_GE(test, first, 0);
	KUNIT_ASSERT_LT(test, first, second);
	KUNIT_ASSERT_LT(test, second, third);
	KUNIT_EXPECT_LT(test, third, ACCEL_FIRST_VIRTUAL_MINOR);

	accel_class_give(minors, third);
	accel_class_give(minors, first);
	KUNIT_EXPECT_EQ(test, first,
			accel_class_take(minors, ACCEL_MINOR_HARDWARE));
	KUNIT_EXPECT_EQ(test, third,
			accel_class_take(minors, ACCEL_MINOR_HARDWARE));
}

static void accel_class_virtual_is_apart(struct kunit *test)
{
	struct minors *minors = test->priv;
	int hardware = accel_class_take(minors, ACCEL_MINOR_HARDWARE);
	int virtual = accel_class_take(minors, ACCEL_MINOR_VIRTUAL);

	KUNIT_EXPECT_LT(test, hardware, ACCEL_FIRST_VIRTUAL_MINOR);
	KUNIT_EXPECT_GE(test, virtual, ACCEL_FIRST_VIRTUAL_MINOR);
	accel_class_give(minors, virtual);
	KUNIT_EXPECT_EQ(test, virtual,
			accel_class_take(minors, ACCEL_MINOR_VIRTUAL));
}

/* Software leaves room to hardware, hardware none to software. */
static void accel_class_exhaustion(struct kunit *test)
{
	struct minors *minors = test->priv;
	int minor, highest = -1, last;

	while ((minor = accel_class_take(minors, ACCEL_MINOR_VIRTUAL)) >= 0)
		highest = minor;
	KUNIT_EXPECT_EQ(test, -ENOSPC, minor);
	KUNIT_EXPECT_EQ(test, ACCEL_MAX_MINORS - 1, highest);
	last = accel_class_take(minors, ACCEL_MINOR_HARDWARE);
	KUNIT_EXPECT_GE(test, last, 0);
	KUNIT_EXPECT_LT(test, last, ACCEL_FIRST_VIRTUAL_MINOR);

	/* More hardware than fits below goes on above. */
	accel_class_give(minors, highest);
	while ((minor = accel_class_take(minors, ACCEL_MINOR_HARDWARE)) >= 0)
		last = minor;
	KUNIT_EXPECT_EQ(test, -ENOSPC, minor);
	KUNIT_EXPECT_EQ(test, highest, last);
	KUNIT_EXPECT_EQ(test, -ENOSPC,
			accel_class_take(minors, ACCEL_MINOR_VIRTUAL));
}

static void accel_class_debugfs(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DEBUG_FS))
		kunit_skip(test, "there is no debugfs");
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(accel_debugfs_root()));
}

static struct kunit_case accel_class_cases[] = {
	KUNIT_CASE(accel_class_lowest_free),
	KUNIT_CASE(accel_class_virtual_is_apart),
	KUNIT_CASE(accel_class_exhaustion),
	KUNIT_CASE(accel_class_debugfs),
	{}
};

struct kunit_suite accel_class_suite = {
	.name = "accel_class",
	.init = accel_class_init_test,
	.exit = accel_class_exit_test,
	.test_cases = accel_class_cases,
};
