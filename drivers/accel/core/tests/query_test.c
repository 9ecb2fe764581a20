// SPDX-License-Identifier: GPL-2.0-only
/* What a device tells of itself, topic by topic. */
#include "mock.h"

#include <linux/uaccess.h>

#define ANSWER	0x1000

/* Ask with room for @room bytes; the answer is left at @answer. */
static struct accel_query accel_query_topic(struct mock *mock, u32 topic,
					    void *answer, u32 room)
{
	struct accel_query args = {
		.size = sizeof(args),
		.topic = topic,
		.data_ptr = mock->user + ANSWER,
		.data_size = room,
	};

	KUNIT_ASSERT_EQ(mock->test, 0L, MOCK_IOCTL(mock, QUERY, &args));
	KUNIT_ASSERT_EQ(mock->test, 0UL,
			copy_from_user(answer, mock_user(mock, ANSWER), room));
	return args;
}

static void accel_query_of_device(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_query_device info;
	char bus_id[ACCEL_NAME_SIZE];
	struct accel_query args;

	args = accel_query_topic(mock, ACCEL_QUERY_DEVICE, &info, sizeof(info));
	KUNIT_EXPECT_EQ(test, sizeof(info), args.data_size);
	KUNIT_EXPECT_EQ(test, sizeof(info), args.stride);
	KUNIT_EXPECT_EQ(test, 1, args.count);
	KUNIT_EXPECT_STREQ(test, "accel_mock", (char *)info.driver);
	/* KUnit's names are longer than those of buses. */
	strscpy(bus_id, dev_name(mock->parent));
	KUNIT_EXPECT_STREQ(test, bus_id, (char *)info.bus_id);
	KUNIT_EXPECT_EQ(test, ACCEL_DEVICE_VIRTUAL, info.flags);
	KUNIT_EXPECT_EQ(test, MOCK_ENGINES, info.engine_count);
	KUNIT_EXPECT_EQ(test, 2, info.region_count);
	KUNIT_EXPECT_EQ(test, mock_ops.cmd_size_max, info.cmd_size_max);
	KUNIT_EXPECT_EQ(test, ACCEL_JOBS_MAX, info.jobs_max);
	KUNIT_EXPECT_EQ(test, ACCEL_JOB_BOS_MAX, info.job_bos_max);
	KUNIT_EXPECT_EQ(test, ACCEL_POINTS_MAX, info.points_max);
	KUNIT_EXPECT_EQ(test, mock_ops.timeout_default_ms,
			info.timeout_default_ms);
	KUNIT_EXPECT_EQ(test, mock_ops.timeout_max_ms, info.timeout_max_ms);
	KUNIT_EXPECT_EQ(test, ACCEL_QUEUES_MAX, info.queues_max);
}

static void accel_query_of_engines(struct kunit *test)
{
	struct accel_query_engine info[MOCK_ENGINES];
	struct mock *mock = test->priv;
	struct mock_queue queue = mock_queue(mock, 1, 0);
	struct accel_query args;
	int i;

	MOCK_SUBMIT(mock, queue, .op = MOCK_INSTANT);
	MOCK_SUBMIT(mock, queue, .tag = 1);
	mock_finish(mock, 1, -EDOM);
	args = accel_query_topic(mock, ACCEL_QUERY_ENGINES, info, sizeof(info));
	KUNIT_EXPECT_EQ(test, sizeof(info), args.data_size);
	KUNIT_EXPECT_EQ(test, sizeof(info[0]), args.stride);
	KUNIT_EXPECT_EQ(test, MOCK_ENGINES, args.count);
	for (i = 0; i < MOCK_ENGINES; i++) {
		KUNIT_EXPECT_STREQ(test, mock->dev->engines[i].name,
				   (char *)info[i].name);
		KUNIT_EXPECT_EQ(test, MOCK_DEPTH, info[i].depth);
		KUNIT_EXPECT_EQ(test, 0, info[i].reserved);
		KUNIT_EXPECT_EQ(test, i == 1 ? 2ULL : 0ULL, info[i].jobs);
		if (i != 1)
			KUNIT_EXPECT_EQ(test, 0ULL, info[i].busy_ns);
	}
}

static void accel_query_of_regions(struct kunit *test)
{
	struct accel_query_region info[2];
	struct mock *mock = test->priv;
	struct accel_query args;
	u32 local;

	mock_bo_in(mock, 0, 3 * PAGE_SIZE);
	local = mock_bo_in(mock, MOCK_LOCAL_REGION, 2 * PAGE_SIZE).id;
	args = accel_query_topic(mock, ACCEL_QUERY_REGIONS, info, sizeof(info));
	KUNIT_EXPECT_EQ(test, 2, args.count);
	KUNIT_EXPECT_EQ(test, sizeof(info[0]), args.stride);
	KUNIT_EXPECT_STREQ(test, "system", (char *)info[0].name);
	KUNIT_EXPECT_EQ(test, 0, info[0].flags);
	KUNIT_EXPECT_EQ(test, 0ULL, info[0].total);
	KUNIT_EXPECT_EQ(test, 3ULL * PAGE_SIZE, info[0].used);
	KUNIT_EXPECT_STREQ(test, "local", (char *)info[1].name);
	KUNIT_EXPECT_EQ(test, ACCEL_REGION_LOCAL, info[1].flags);
	KUNIT_EXPECT_EQ(test, (u64)MOCK_LOCAL_SIZE, info[1].total);
	KUNIT_EXPECT_EQ(test, 2ULL * PAGE_SIZE, info[1].used);

	mock_destroy(mock, local);
	accel_query_topic(mock, ACCEL_QUERY_REGIONS, info, sizeof(info));
	KUNIT_EXPECT_EQ(test, 0ULL, info[1].used);
}

#define IOCTL_EXPECTED(NAME, name, _nr, last) \
	{ .nr = _nr, .arg_size = sizeof(struct accel_##name) },

static void accel_query_of_ioctls(struct kunit *test)
{
	static const struct accel_query_ioctl expected[] = {
		ACCEL_IOCTL_TABLE(IOCTL_EXPECTED)
	};
	const u32 common = ARRAY_SIZE(expected);
	struct accel_query_ioctl info[64];
	struct mock *mock = test->priv;
	struct accel_query args;
	u32 i;

	args = accel_query_topic(mock, ACCEL_QUERY_IOCTLS, info, sizeof(info));
	KUNIT_ASSERT_EQ(test, common + 2, args.count);
	KUNIT_EXPECT_MEMEQ(test, expected, info, sizeof(expected));
	KUNIT_EXPECT_EQ(test, args.count * sizeof(info[0]), args.data_size);
	KUNIT_EXPECT_EQ(test, _IOC_NR(MOCK_IOCTL_DOUBLE), info[common].nr);
	KUNIT_EXPECT_EQ(test, sizeof(struct mock_double),
			info[common].arg_size);
	KUNIT_EXPECT_EQ(test, _IOC_NR(MOCK_IOCTL_SUM), info[common + 1].nr);
	KUNIT_EXPECT_EQ(test, sizeof(struct mock_sum),
			info[common + 1].arg_size);
	for (i = 1; i < args.count; i++)
		KUNIT_EXPECT_LT(test, info[i - 1].nr, info[i].nr);
}

static void accel_query_of_driver(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_query args;
	u64 info;

	args = accel_query_topic(mock, ACCEL_QUERY_DRIVER, &info, sizeof(info));
	KUNIT_EXPECT_EQ(test, 0x6d6f636bULL, info);
	KUNIT_EXPECT_EQ(test, sizeof(info), args.data_size);
	KUNIT_EXPECT_EQ(test, 1, args.count);
}

static void accel_query_of_silent_driver(struct kunit *test)
{
	struct mock *mock = test->priv;
	struct accel_file *talks = mock->file;
	struct accel_ops ops = mock_ops;
	struct accel_query args = {
		.size = sizeof(args),
		.topic = ACCEL_QUERY_DRIVER,
	};
	struct mock_device *dev;

	ops.info = NULL;
	ops.info_size = 0;
	dev = mock_alloc(mock, &ops, ACCEL_ALLOC_VIRTUAL);
	KUNIT_ASSERT_EQ(test, 0, accel_register(&dev->accel));
	mock->file = accel_file_create(&dev->accel);
	KUNIT_ASSERT_FALSE(test, IS_ERR(mock->file));
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, MOCK_IOCTL(mock, QUERY, &args));
	accel_file_destroy(mock->file);
	mock->file = talks;
	accel_unregister(&dev->accel);
}

/* The size of the whole is told, and no more written than there is room for. */
static void accel_query_room(struct kunit *test)
{
	struct accel_query_engine info[MOCK_ENGINES + 1];
	const u32 whole = MOCK_ENGINES * sizeof(info[0]);
	struct mock *mock = test->priv;
	struct accel_query args = {
		.size = sizeof(args),
		.topic = ACCEL_QUERY_ENGINES,
		/* Not looked at without room. */
		.data_ptr = U64_MAX,
	};
	u8 bytes[sizeof(info)];
	u32 room, i;

	KUNIT_EXPECT_EQ(test, 0L, MOCK_IOCTL(mock, QUERY, &args));
	KUNIT_EXPECT_EQ(test, whole, args.data_size);
	for (room = 0; room <= sizeof(bytes); room += 13) {
		memset(bytes, 0xaa, sizeof(bytes));
		mock_put(mock, ANSWER, bytes, sizeof(bytes));
		args = accel_query_topic(mock, ACCEL_QUERY_ENGINES, info, room);
		KUNIT_EXPECT_EQ(test, whole, args.data_size);
		KUNIT_ASSERT_EQ(test, 0UL,
				copy_from_user(bytes, mock_user(mock, ANSWER),
					       sizeof(bytes)));
		for (i = min(room, whole); i < sizeof(bytes); i++)
			KUNIT_EXPECT_EQ(test, 0xaa, bytes[i]);
	}
}

static void accel_query_refuses(struct kunit *test)
{
	static const u32 topics[] = { 0, ACCEL_QUERY_DRIVER + 1, U32_MAX };
	struct mock *mock = test->priv;
	struct accel_query args = { .size = sizeof(args) };
	int i;

	for (i = 0; i < ARRAY_SIZE(topics); i++) {
		args.topic = topics[i];
		KUNIT_EXPECT_EQ(test, -EOPNOTSUPP,
				MOCK_IOCTL(mock, QUERY, &args));
	}
	args.topic = ACCEL_QUERY_DEVICE;
	args.reserved = 1;
	KUNIT_EXPECT_EQ(test, -EINVAL, MOCK_IOCTL(mock, QUERY, &args));
	args.reserved = 0;
	args.data_ptr = mock->user + MOCK_USER_SIZE;
	args.data_size = 1;
	KUNIT_EXPECT_EQ(test, -EFAULT, MOCK_IOCTL(mock, QUERY, &args));
	/* Nothing was written. */
	KUNIT_EXPECT_EQ(test, 1, args.data_size);

	mock_unregister(mock);
	KUNIT_EXPECT_EQ(test, -ENODEV, MOCK_IOCTL(mock, QUERY, &args));
}

static struct kunit_case accel_query_cases[] = {
	KUNIT_CASE(accel_query_of_device),
	KUNIT_CASE(accel_query_of_engines),
	KUNIT_CASE(accel_query_of_regions),
	KUNIT_CASE(accel_query_of_ioctls),
	KUNIT_CASE(accel_query_of_driver),
	KUNIT_CASE(accel_query_of_silent_driver),
	KUNIT_CASE(accel_query_room),
	KUNIT_CASE(accel_query_refuses),
	{}
};

struct kunit_suite accel_query_suite = {
	.name = "accel_query",
	.init = mock_init,
	.exit = mock_exit,
	.test_cases = accel_query_cases,
};
