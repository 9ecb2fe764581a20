// SPDX-License-Identifier: GPL-2.0-only
/* Open files: what open() makes and close() ends, and how they are shown. */
#include "mock.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

#define FDINFO_SIZE	512

static const char *accel_file_fdinfo(struct mock *mock, struct file *filp)
{
	char *text = kunit_kzalloc(mock->test, FDINFO_SIZE, GFP_KERNEL);
	struct seq_file m = { .buf = text, .size = FDINFO_SIZE };

	KUNIT_ASSERT_NOT_NULL(mock->test, text);
	accel_fops.show_fdinfo(&m, filp);
	KUNIT_ASSERT_LT(mock->test, m.count, m.size);
	return text;
}

static long accel_file_set_name(struct mock *mock, const char *name, u32 size)
{
	struct accel_client_name args = {
		.size = sizeof(args),
		.name_size = size,
		.name_ptr = mock_put(mock, 0x1000, name, min(size, 32U)),
	};

	return MOCK_IOCTL(mock, CLIENT_NAME, &args);
}

static void accel_file_open_and_close(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_file *first = mock->file;

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	KUNIT_EXPECT_EQ(test, 2L, mock_count(ACCEL_CENSUS_FILES));
	KUNIT_EXPECT_PTR_EQ(test, mock->dev->accel.mapping->f_mapping,
			    filp->f_mapping);
	KUNIT_EXPECT_FALSE(test, filp->f_mode & FMODE_LSEEK);

	/* Its ids are its own, and go with it. */
	mock->file = filp->private_data;
	KUNIT_EXPECT_EQ(test, 1, mock_bo(mock));
	MOCK_SUBMIT(mock, mock_queue(mock, 0, 0), .tag = 1);
	mock->file = first;
	KUNIT_EXPECT_EQ(test, 1, mock_bo(mock));

	__fput_sync(filp);
	KUNIT_EXPECT_EQ(test, 1, mock->dev->aborted);
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_FILES));
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_BOS));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_QUEUES));
	KUNIT_EXPECT_EQ(test, 0L, mock_count(ACCEL_CENSUS_JOBS));
}

static void accel_file_open_when_gone(struct kunit *test)
{
	struct mock *mock = test->priv;

	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, PTR_ERR(mock_open(mock)));
	KUNIT_EXPECT_EQ(test, 1L, mock_count(ACCEL_CENSUS_FILES));
}

static void accel_file_ioctl(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_timeline_create args = { .size = sizeof(args) };
	unsigned long arg = mock_put(mock, 0, &args, sizeof(args));

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	KUNIT_EXPECT_EQ(test, 0L,
			accel_fops.unlocked_ioctl(filp,
						  ACCEL_IOCTL_TIMELINE_CREATE,
						  arg));
	/* Two files, two spaces of ids. */
	KUNIT_EXPECT_EQ(test, 1, mock_timeline(mock, 0));
	__fput_sync(filp);
}

static void accel_file_fdinfo_keys(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct file *filp = mock_open(mock);
	struct accel_file *file;
	char expected[FDINFO_SIZE];

	KUNIT_ASSERT_FALSE(test, IS_ERR(filp));
	file = filp->private_data;
	KUNIT_EXPECT_NE(test, 0ULL, file->id);
	KUNIT_EXPECT_NE(test, mock->file->id, file->id);
	snprintf(expected, sizeof(expected),
		 "drm-driver:\taccel_mock\ndrm-client-id:\t%llu\n", file->id);
	KUNIT_EXPECT_STREQ(test, expected, accel_file_fdinfo(mock, filp));

	swap(mock->file, file);
	KUNIT_EXPECT_EQ(test, 0L, accel_file_set_name(mock, "a", 1));
	KUNIT_EXPECT_EQ(test, 0L, accel_file_set_name(mock, "net ~ 2", 7));
	swap(mock->file, file);
	strlcat(expected, "drm-client-name:\tnet ~ 2\n", sizeof(expected));
	KUNIT_EXPECT_STREQ(test, expected, accel_file_fdinfo(mock, filp));

	/* The driver is gone, and its name with it. */
	mock_unregister(mock);
	snprintf(expected, sizeof(expected),
		 "drm-client-id:\t%llu\ndrm-client-name:\tnet ~ 2\n", file->id);
	KUNIT_EXPECT_STREQ(test, expected, accel_file_fdinfo(mock, filp));
	__fput_sync(filp);
}

static void accel_file_names(struct kunit *test)
{
	/* Ends in a newline, DEL, no ASCII; a NUL inside; spaces at an end. */
	static const char bad[][64] = { "a\n", "a\x7f", "a\xe4", "a\0b", " a", "a " };
	static const char name[64] = "0123456789abcdefghijklmnopqrstuv";
	struct mock *mock = test->priv;
	struct accel_client_name fault = {
		.size = sizeof(fault),
		.name_size = 4,
		.name_ptr = mock->user + MOCK_USER_SIZE - 2,
	};
	int i;

	KUNIT_EXPECT_EQ(test, 0L, accel_file_set_name(mock, name, 31));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_file_set_name(mock, name, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_file_set_name(mock, name, 32));
	KUNIT_EXPECT_EQ(test, -EINVAL, accel_file_set_name(mock, name, U32_MAX));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    accel_file_set_name(mock, bad[i],
							bad[i][1] ? 2 : 3),
				    "name %d", i);
	KUNIT_EXPECT_EQ(test, -EFAULT, MOCK_IOCTL(mock, CLIENT_NAME, &fault));
	/* What was refused left the old one. */
	KUNIT_EXPECT_STREQ(test, "0123456789abcdefghijklmnopqrstu",
			   mock->file->name);
	KUNIT_EXPECT_EQ(test, 0L, accel_file_set_name(mock, name, 1));
	KUNIT_EXPECT_STREQ(test, "0", mock->file->name);

	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, accel_file_set_name(mock, name, 1));
}

static struct kunit_case accel_file_cases[] = {
	KUNIT_CASE(accel_file_open_and_close),
	KUNIT_CASE(accel_file_open_when_gone),
	KUNIT_CASE(accel_file_ioctl),
	KUNIT_CASE(accel_file_fdinfo_keys),
	KUNIT_CASE(accel_file_names),
	{}
};

struct kunit_suite accel_file_suite = {
	.name = "accel_file",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_file_cases,
};
