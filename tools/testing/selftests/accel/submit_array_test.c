// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arrays that SUBMIT reads, of jobs and in a job: how many elements, how far one is
 * from the next, and where the memory ends.
 */
#include "accel_test.h"

FIXTURE(arrays)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
};

FIXTURE_SETUP(arrays)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
}

FIXTURE_TEARDOWN(arrays)
{
	accel_teardown(_metadata, self->fd);
}

TEST_F(arrays, job_count)
{
	struct test_job nop = job_nop();
	struct accel_submit sub;
	__u32 max = self->dev.jobs_max;

	EXPECT_EQ(-EINVAL, submit_repeated(self->fd, self->queue.id, &nop, 0,
					   &sub));
	EXPECT_EQ(-EINVAL, submit_repeated(self->fd, self->queue.id, &nop,
					   max + 1, &sub));
	ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &nop, max,
				     &sub));
	EXPECT_EQ(max, sub.accepted);
	EXPECT_EQ(0, sub.stop_error);
	EXPECT_EQ(1, sub.first_point);
	EXPECT_POINT(0, self->fd, self->queue.timeline, max);

	sub.job_count = UINT_MAX;
	EXPECT_EQ(-EINVAL, accel_ioctl(self->fd, ACCEL_IOCTL_SUBMIT, &sub));
	sub.job_count = 1U << 26;
	EXPECT_EQ(-EINVAL, accel_ioctl(self->fd, ACCEL_IOCTL_SUBMIT, &sub));
}

static int submit_stride(int fd, __u32 queue, void *jobs, __u32 count,
			 __u32 stride, struct accel_submit *sub)
{
	*sub = (struct accel_submit) {
		.size = sizeof(*sub),
		.queue = queue,
		.job_count = count,
		.jobs_ptr = ptr_to_u64(jobs),
		.job_stride = stride,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_SUBMIT, sub);
}

TEST_F(arrays, job_stride)
{
	struct test_job nop = job_nop();
	struct accel_submit_job job = job_uapi(&nop);
	const __u32 first = sizeof(job);
	__u64 points = 0, buf[4 * 128 / 8];
	__u8 *bytes = (__u8 *)buf;
	struct accel_submit sub;
	__u32 stride, i;
	int ret;

	for (stride = 0; stride < first; stride++)
		EXPECT_EQ(-EINVAL, submit_stride(self->fd, self->queue.id, &job,
						 1, stride, &sub));
	for (stride = first; stride <= 128; stride++) {
		memset(buf, 0, sizeof(buf));
		for (i = 0; i < 4; i++)
			memcpy(bytes + i * stride, &job, first);
		ASSERT_EQ(0, submit_stride(self->fd, self->queue.id, buf, 4,
					   stride, &sub));
		EXPECT_EQ(4, sub.accepted);
		EXPECT_EQ(0, sub.stop_error);
		points += 4;
		if (stride == first)
			continue;

		bytes[3 * stride - 1] = 1;
		ASSERT_EQ(0, submit_stride(self->fd, self->queue.id, buf, 4,
					   stride, &sub));
		EXPECT_EQ(2, sub.accepted);
		EXPECT_EQ(-E2BIG, sub.stop_error);
		points += 2;
		bytes[first] = 1;
		EXPECT_EQ(-E2BIG, submit_stride(self->fd, self->queue.id, buf,
						4, stride, &sub));
		EXPECT_POINT(0, self->fd, self->queue.timeline, points);
	}
	ret = submit_stride(self->fd, self->queue.id, buf, 2, UINT_MAX, &sub);
	EXPECT_TRUE(ret == -EINVAL || ret == -E2BIG || ret == -EFAULT);
}

/* Elements of the arrays in a job, wider than the kernel knows them. */
TEST_F(arrays, strides_in_a_job)
{
	struct {
		struct accel_submit_bo bo;
		__u8 more[24];
	} bos[2] = {};
	struct {
		struct accel_point point;
		__u8 more[8];
	} waits[2] = {}, signals[2] = {};
	struct test_job nop = job_nop();
	struct accel_submit_job job;
	struct accel_bo_create bo;
	struct accel_submit sub;
	__u32 timeline;
	int i;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &timeline));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
		bos[i].bo.id = bo.id;
		bos[i].bo.flags = ACCEL_BO_READ;
		waits[i].point.timeline = timeline;
		signals[i].point.timeline = timeline;
		signals[i].point.value = i + 1;
	}
	job = job_uapi(&nop);
	job.bo_count = 2;
	job.wait_count = 2;
	job.signal_count = 2;
	job.bos_ptr = ptr_to_u64(bos);
	job.bo_stride = sizeof(bos[0]);
	job.waits_ptr = ptr_to_u64(waits);
	job.wait_stride = sizeof(waits[0]);
	job.signals_ptr = ptr_to_u64(signals);
	job.signal_stride = sizeof(signals[0]);

	waits[1].more[7] = 1;
	EXPECT_EQ(-E2BIG, submit(self->fd, self->queue.id, &job, 1, &sub));
	waits[1].more[7] = 0;
	signals[0].more[0] = 1;
	EXPECT_EQ(-E2BIG, submit(self->fd, self->queue.id, &job, 1, &sub));
	signals[0].more[0] = 0;
	ASSERT_EQ(0, submit(self->fd, self->queue.id, &job, 1, &sub));
	EXPECT_POINT(0, self->fd, timeline, 2);

	/* Nobody looks at the pointer and the stride of an empty array. */
	job.bo_count = 0;
	job.wait_count = 0;
	job.signal_count = 0;
	job.bos_ptr = UINT64_MAX;
	job.waits_ptr = 1;
	job.signals_ptr = UINT64_MAX;
	job.bo_stride = 0;
	job.wait_stride = 1;
	job.signal_stride = UINT_MAX;
	EXPECT_EQ(0, submit(self->fd, self->queue.id, &job, 1, &sub));
}

/* The array of jobs ends where the mapping does, or goes on. */
TEST_F(arrays, jobs_run_into_a_hole)
{
	long page = sysconf(_SC_PAGESIZE);
	struct test_job nop = job_nop();
	struct accel_submit_job *jobs;
	struct accel_submit sub;
	__u8 *map;
	int i;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, munmap(map + page, page));
	jobs = (void *)(map + page);
	for (i = 1; i <= 3; i++)
		jobs[-i] = job_uapi(&nop);
	ASSERT_EQ(0, submit(self->fd, self->queue.id, jobs - 3, 3, &sub));
	EXPECT_EQ(3, sub.accepted);
	EXPECT_EQ(0, sub.stop_error);
	ASSERT_EQ(0, submit(self->fd, self->queue.id, jobs - 3, 5, &sub));
	EXPECT_EQ(3, sub.accepted);
	EXPECT_EQ(-EFAULT, sub.stop_error);
	EXPECT_EQ(-EFAULT, submit(self->fd, self->queue.id, jobs, 1, &sub));
	EXPECT_EQ(-EFAULT, submit(self->fd, self->queue.id, NULL, 1, &sub));
	EXPECT_POINT(0, self->fd, self->queue.timeline, 6);
	EXPECT_PENDING(self->fd, self->queue.timeline, 7);
	munmap(map, page);
}

TEST_HARNESS_MAIN
