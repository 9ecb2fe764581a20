// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver that stands in Documentation/accel/driver-guide.rst: what is printed
 * there must work. Skipped where it has not been built and loaded.
 */
#include "accel_test.h"

#include <glob.h>
#include <string.h>

/* As in the guide, which has no header to include. */
struct mini_cmd {
	__u32 bo;
	__u32 length;
	__u64 offset;
};

/* Returns an open file, or -1 if there is no such device. */
static int open_driver(const char *name)
{
	struct accel_query_device dev = {};
	glob_t nodes;
	size_t i;
	int fd = -1;

	if (glob("/dev/accel/accel*", 0, NULL, &nodes))
		return -1;
	for (i = 0; i < nodes.gl_pathc; i++) {
		fd = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !query_device(fd, &dev) &&
		    !strcmp((const char *)dev.driver, name))
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	globfree(&nodes);
	return fd;
}

FIXTURE(mini) {
	int fd;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u8 *bytes;
};

FIXTURE_SETUP(mini)
{
	self->fd = open_driver("accel_mini");
	if (self->fd < 0)
		SKIP(return, "no accel_mini: the guide's driver is NOT tested");

	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 8192, &self->bo));
	self->bytes = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->bytes != MAP_FAILED);
}

FIXTURE_TEARDOWN(mini)
{
	if (self->fd < 0)
		return;
	EXPECT_EQ(0, munmap(self->bytes, self->bo.length));
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, census_total());
}

static int submit_invert(int fd, __u32 queue, const struct mini_cmd *cmd,
			 __u32 cmd_size, const struct accel_submit_bo *bo,
			 __u64 *point)
{
	struct accel_submit_job job = {
		.cmd_ptr = ptr_to_u64(cmd),
		.cmd_size = cmd_size,
		.bos_ptr = ptr_to_u64(bo),
		.bo_count = 1,
		.bo_stride = sizeof(*bo),
	};
	struct accel_submit sub;
	int ret = submit(fd, queue, &job, 1, &sub);

	*point = sub.first_point;
	return ret;
}

TEST_F(mini, inverts_its_range_and_nothing_else)
{
	const struct mini_cmd cmd = { .length = 5000, .offset = 100 };
	const struct accel_submit_bo bo = {
		.id = self->bo.id,
		.flags = ACCEL_BO_READ | ACCEL_BO_WRITE,
	};
	__u64 point;
	size_t i;

	for (i = 0; i < self->bo.length; i++)
		self->bytes[i] = i;
	ASSERT_EQ(0, submit_invert(self->fd, self->queue.id, &cmd, sizeof(cmd),
				   &bo, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	for (i = 0; i < self->bo.length; i++) {
		bool inside = i >= cmd.offset && i < cmd.offset + cmd.length;

		ASSERT_EQ((__u8)(inside ? ~i : i), self->bytes[i]) {
			TH_LOG("at byte %zu", i);
		}
	}
}

TEST_F(mini, runs_jobs_one_after_the_other)
{
	const struct mini_cmd cmd = { .length = 8192 };
	const struct accel_submit_bo bo = {
		.id = self->bo.id,
		.flags = ACCEL_BO_READ | ACCEL_BO_WRITE,
	};
	__u64 point;
	int i;

	for (i = 0; i < 99; i++)
		ASSERT_EQ(0, submit_invert(self->fd, self->queue.id, &cmd,
					   sizeof(cmd), &bo, &point));
	EXPECT_POINT(0, self->fd, self->queue.timeline, point);
	EXPECT_EQ(99ULL, point);
	EXPECT_EQ(0xff, self->bytes[0]);
	EXPECT_EQ(0xff, self->bytes[8191]);
}

TEST_F(mini, refuses_bad_commands)
{
	const struct accel_submit_bo both = {
		.id = self->bo.id,
		.flags = ACCEL_BO_READ | ACCEL_BO_WRITE,
	};
	const struct accel_submit_bo read = {
		.id = self->bo.id,
		.flags = ACCEL_BO_READ,
	};
	const struct {
		struct mini_cmd cmd;
		__u32 size;
		const struct accel_submit_bo *bo;
		int error;
	} cases[] = {
		{ { .length = 1 }, sizeof(struct mini_cmd) - 1, &both, -EINVAL },
		{ { .length = 0 }, sizeof(struct mini_cmd), &both, -EINVAL },
		{ { .length = 8193 }, sizeof(struct mini_cmd), &both, -EINVAL },
		{ { .length = 1, .offset = 8192 }, sizeof(struct mini_cmd),
		  &both, -EINVAL },
		{ { .length = 2, .offset = -1ULL }, sizeof(struct mini_cmd),
		  &both, -EINVAL },
		{ { .length = 1, .bo = 1 }, sizeof(struct mini_cmd), &both,
		  -EINVAL },
		{ { .length = 0x100001 }, sizeof(struct mini_cmd), &both,
		  -EINVAL },
		{ { .length = 1 }, sizeof(struct mini_cmd), &read, -EACCES },
	};
	struct accel_queue_info info;
	__u64 point;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++)
		EXPECT_EQ(cases[i].error,
			  submit_invert(self->fd, self->queue.id, &cases[i].cmd,
					cases[i].size, cases[i].bo, &point)) {
			TH_LOG("case %zu", i);
		}
	ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &info));
	EXPECT_EQ(0ULL, info.submitted);
}

TEST_F(mini, can_be_closed_while_it_works)
{
	const struct mini_cmd cmd = { .length = 8192 };
	const struct accel_submit_bo bo = {
		.id = self->bo.id,
		.flags = ACCEL_BO_READ | ACCEL_BO_WRITE,
	};
	__u64 point;
	int i;

	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, submit_invert(self->fd, self->queue.id, &cmd,
					   sizeof(cmd), &bo, &point));
	/* The teardown closes, and counts what is left. */
}

TEST_HARNESS_MAIN
