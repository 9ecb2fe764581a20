// SPDX-License-Identifier: GPL-2.0-only
/* QUERY tells what there is, and CLIENT_NAME who asks. */
#include "accel_test.h"

#define ROOM	4096

FIXTURE(query)
{
	int fd;
	struct accel_query_device dev;
	__u64 data[ROOM / sizeof(__u64)];
};

FIXTURE_SETUP(query)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(query)
{
	accel_teardown(_metadata, self->fd);
}

static int ask(int fd, __u32 topic, void *data, __u32 data_size,
	       struct accel_query *query)
{
	*query = (struct accel_query) {
		.size = sizeof(*query),
		.topic = topic,
		.data_ptr = ptr_to_u64(data),
		.data_size = data_size,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_QUERY, query);
}

static const struct {
	__u32 topic;
	__u32 stride;
} topics[] = {
	{ ACCEL_QUERY_DEVICE, sizeof(struct accel_query_device) },
	{ ACCEL_QUERY_ENGINES, sizeof(struct accel_query_engine) },
	{ ACCEL_QUERY_REGIONS, sizeof(struct accel_query_region) },
	{ ACCEL_QUERY_IOCTLS, sizeof(struct accel_query_ioctl) },
	{ ACCEL_QUERY_DRIVER, sizeof(struct accel_vaccel_info) },
};

/* Whatever the room, the size told is that of all, and no more is written. */
TEST_F(query, every_room)
{
	__u8 *data = (__u8 *)self->data;
	struct accel_query query;
	__u32 room, whole, i;
	size_t t;

	for (t = 0; t < ARRAY_LEN(topics); t++) {
		ASSERT_EQ(0, ask(self->fd, topics[t].topic, NULL, 0, &query)) {
			TH_LOG("topic %u", topics[t].topic);
		}
		whole = query.data_size;
		EXPECT_EQ(topics[t].stride, query.stride);
		EXPECT_LE(1, query.count);
		EXPECT_EQ((__u64)query.stride * query.count, whole);
		ASSERT_GT(ROOM - 16, whole);

		for (room = 1; room <= whole + 8; room++) {
			memset(data, 0xaa, ROOM);
			ASSERT_EQ(0, ask(self->fd, topics[t].topic, data, room,
					 &query));
			EXPECT_EQ(whole, query.data_size);
			EXPECT_EQ(topics[t].stride, query.stride);
			EXPECT_EQ(whole / query.stride, query.count);
			for (i = room < whole ? room : whole; i < ROOM; i++)
				ASSERT_EQ(0xaa, data[i]);
		}
	}
}

TEST_F(query, bad)
{
	static const __u32 unknown[] = { 0, ACCEL_QUERY_DRIVER + 1, UINT_MAX };
	long page = sysconf(_SC_PAGESIZE);
	struct accel_query query, before;
	size_t i;
	void *map;

	for (i = 0; i < ARRAY_LEN(unknown); i++) {
		EXPECT_EQ(-EOPNOTSUPP, ask(self->fd, unknown[i], self->data,
					   ROOM, &query));
		EXPECT_EQ(ROOM, query.data_size);
		EXPECT_EQ(0, query.stride);
	}

	map = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < ARRAY_LEN(topics); i++) {
		EXPECT_EQ(-EFAULT, ask(self->fd, topics[i].topic, NULL, 8,
				       &query));
		before = query;
		EXPECT_EQ(0, query.stride);
		query.data_ptr = ptr_to_u64(map);
		before.data_ptr = query.data_ptr;
		EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, ACCEL_IOCTL_QUERY,
					       &query));
		EXPECT_EQ(0, memcmp(&before, &query, sizeof(query)));
	}
	munmap(map, page);
}

static bool is_string(const __u8 *name)
{
	return name[0] && memchr(name, '\0', ACCEL_NAME_SIZE);
}

TEST_F(query, device_facts)
{
	struct accel_query_device *dev = &self->dev;

	EXPECT_TRUE(is_string(dev->driver));
	EXPECT_TRUE(memchr(dev->bus_id, '\0', ACCEL_NAME_SIZE) != NULL);
	EXPECT_EQ(ACCEL_DEVICE_VIRTUAL, dev->flags);
	EXPECT_LE(2, dev->engine_count);
	EXPECT_LE(1, dev->region_count);
	EXPECT_LE(sizeof(struct accel_vaccel_matmul), dev->cmd_size_max);
	EXPECT_LE(64, dev->jobs_max);
	EXPECT_LE(3, dev->job_bos_max);
	EXPECT_LE(1, dev->points_max);
	EXPECT_LE(1, dev->timeout_default_ms);
	EXPECT_LE(dev->timeout_default_ms, dev->timeout_max_ms);
	EXPECT_LT(0, dev->queues_max);
}

TEST_F(query, engines)
{
	struct accel_query_engine *engine = (void *)self->data;
	struct accel_query query;
	__u32 i;

	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_ENGINES, engine, ROOM, &query));
	EXPECT_EQ(self->dev.engine_count, query.count);
	for (i = 0; i < query.count; i++) {
		EXPECT_TRUE(is_string(engine[i].name));
		EXPECT_LE(1, engine[i].depth);
		EXPECT_EQ(0, engine[i].reserved);
	}
}

/* The counters count the engine's own jobs and nobody else's. */
TEST_F(query, engine_counters)
{
	struct accel_query_engine *engine = (void *)self->data;
	struct accel_query_engine before[2];
	struct accel_queue_create queue;
	struct test_job nop = job_nop();
	struct accel_submit sub;
	struct accel_query query;
	__s64 deadline;

	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_ENGINES, engine, ROOM, &query));
	memcpy(before, engine, sizeof(before));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &queue));
	ASSERT_EQ(0, submit_repeated(self->fd, queue.id, &nop, 10, &sub));
	ASSERT_EQ(10, sub.accepted);
	EXPECT_POINT(0, self->fd, queue.timeline, 10);

	/* A job may leave the engine an instant after its point is reached. */
	deadline = deadline_ms(WAIT_MS);
	do {
		ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_ENGINES, engine, ROOM,
				 &query));
	} while (engine[1].jobs < before[1].jobs + 10 && now_ns() < deadline);
	EXPECT_EQ(before[1].jobs + 10, engine[1].jobs);
	EXPECT_LT(before[1].busy_ns, engine[1].busy_ns);
	EXPECT_EQ(before[0].jobs, engine[0].jobs);
	EXPECT_EQ(before[0].busy_ns, engine[0].busy_ns);
}

TEST_F(query, regions)
{
	struct accel_query_region *region = (void *)self->data;
	struct accel_vaccel_info info;
	struct accel_query query;
	struct accel_bo_create bo;
	char text[CENSUS_SIZE];
	__u32 i;

	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_REGIONS, region, ROOM, &query));
	ASSERT_EQ(self->dev.region_count, query.count);
	ASSERT_LE(2, query.count);
	for (i = 0; i < query.count; i++) {
		EXPECT_TRUE(is_string(region[i].name));
		EXPECT_EQ(0, region[i].reserved);
		EXPECT_EQ(0, region[i].used);
		EXPECT_EQ(i == ACCEL_VACCEL_REGION_LOCAL ?
			  ACCEL_REGION_LOCAL | ACCEL_REGION_EVICTS : 0,
			  region[i].flags);
	}
	EXPECT_STREQ("system", (char *)region[0].name);

	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_DRIVER, &info, sizeof(info),
			 &query));
	EXPECT_EQ(1, query.count);
	EXPECT_LT(0, info.local_size);
	EXPECT_EQ(info.local_size, region[ACCEL_VACCEL_REGION_LOCAL].total);

	/* What one client uses, another sees. */
	for (i = 0; i < 2; i++) {
		int other = accel_open();

		ASSERT_LE(0, other);
		ASSERT_EQ(0, bo_create(other, i, 3 * 65536, &bo));
		ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_REGIONS, region, ROOM,
				 &query));
		EXPECT_EQ(bo.length, region[i].used);
		EXPECT_EQ(0, region[!i].used);
		ASSERT_EQ(0, close(other));
		ASSERT_EQ(0, census_read(text));
		ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_REGIONS, region, ROOM,
				 &query));
		EXPECT_EQ(0, region[i].used);
	}
}

TEST_F(query, ioctls)
{
	static const struct accel_query_ioctl expected[] = {
#define X(NAME, name, _nr, last) \
	{ .nr = _nr, .arg_size = sizeof(struct accel_##name) },
		ACCEL_IOCTL_TABLE(X)
		X(VACCEL_RELEASE, vaccel_release, 0x80, queue)
#undef X
	};
	struct accel_query_ioctl *answer = (void *)self->data;
	struct accel_query query;
	__u32 i, j, found;

	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_IOCTLS, answer, ROOM, &query));
	EXPECT_EQ(ARRAY_LEN(expected), query.count);
	for (i = 0; i < ARRAY_LEN(expected); i++) {
		found = 0;
		for (j = 0; j < query.count; j++) {
			if (answer[j].nr != expected[i].nr)
				continue;
			found++;
			EXPECT_EQ(expected[i].arg_size, answer[j].arg_size);
		}
		EXPECT_EQ(1, found) TH_LOG("number %#x", expected[i].nr);
	}
}

static int set_name(int fd, const void *name, __u32 size)
{
	struct accel_client_name arg = {
		.size = sizeof(arg),
		.name_size = size,
		.name_ptr = ptr_to_u64(name),
	};

	return accel_ioctl(fd, ACCEL_IOCTL_CLIENT_NAME, &arg);
}

TEST_F(query, client_name)
{
	static const char longest[] = "0123456789abcdef0123456789abcde";
	int c;

	_Static_assert(sizeof(longest) == ACCEL_NAME_SIZE, "longest name");

	EXPECT_EQ(0, set_name(self->fd, "a", 1));
	EXPECT_EQ(0, set_name(self->fd, "two words", 9));
	EXPECT_EQ(0, set_name(self->fd, longest, ACCEL_NAME_SIZE - 1));
	EXPECT_EQ(0, set_name(self->fd, "~!", 2));

	EXPECT_EQ(-EINVAL, set_name(self->fd, "a", 0));
	EXPECT_EQ(-EINVAL, set_name(self->fd, NULL, 0));
	EXPECT_EQ(-EINVAL, set_name(self->fd, longest, ACCEL_NAME_SIZE));
	EXPECT_EQ(-EINVAL, set_name(self->fd, longest, UINT_MAX));
	EXPECT_EQ(-EINVAL, set_name(self->fd, " a", 2));
	EXPECT_EQ(-EINVAL, set_name(self->fd, "a ", 2));
	EXPECT_EQ(-EINVAL, set_name(self->fd, " ", 1));
	for (c = 0; c < 256; c++) {
		char name[] = { 'a', c, 'b' };

		EXPECT_EQ(c >= 0x20 && c < 0x7f ? 0 : -EINVAL,
			  set_name(self->fd, name, 3)) {
			TH_LOG("character %#x", c);
		}
	}
	EXPECT_EQ(-EFAULT, set_name(self->fd, NULL, 1));
	EXPECT_EQ(-EFAULT, set_name(self->fd, (void *)-8UL, 4));
}

static bool fdinfo_has(int fd, const char *text)
{
	char fdinfo[FDINFO_SIZE];

	return !read_fdinfo(fd, fdinfo) && strstr(fdinfo, text);
}

/* A name that is refused leaves the one before. */
TEST_F(query, client_name_in_fdinfo)
{
	EXPECT_EQ(0, set_name(self->fd, "first label", 11));
	EXPECT_TRUE(fdinfo_has(self->fd, "first label"));
	EXPECT_EQ(-EINVAL, set_name(self->fd, "refused label ", 14));
	EXPECT_TRUE(fdinfo_has(self->fd, "first label"));
	EXPECT_EQ(0, set_name(self->fd, "second", 6));
	EXPECT_TRUE(fdinfo_has(self->fd, "second"));
	EXPECT_FALSE(fdinfo_has(self->fd, "label"));
}

TEST_HARNESS_MAIN
