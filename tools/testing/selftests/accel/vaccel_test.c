// SPDX-License-Identifier: GPL-2.0-only
/* vaccel's commands: what they compute, and what they refuse. */
#include "command.h"

#define LENGTH	(5 * 4096)

FIXTURE(vaccel)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	/* Two of the system's memory, one of the device's, all mapped. */
	struct accel_bo_create bo[3];
	__u8 *map[3];
	__u8 *expected;
};

FIXTURE_SETUP(vaccel)
{
	int i;

	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, bo_create(self->fd, i == 2 ?
				       ACCEL_VACCEL_REGION_LOCAL :
				       ACCEL_VACCEL_REGION_SYSTEM, LENGTH,
				       &self->bo[i]));
		self->map[i] = bo_map(self->fd, &self->bo[i]);
		ASSERT_TRUE(self->map[i] != MAP_FAILED);
	}
	self->expected = malloc(LENGTH);
	ASSERT_TRUE(self->expected != NULL);
}

FIXTURE_TEARDOWN(vaccel)
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, munmap(self->map[i], LENGTH));
	free(self->expected);
	accel_teardown(_metadata, self->fd);
}

TEST_F(vaccel, ops)
{
	struct test_job nop = job_nop();
	__u32 engine;

	EXPECT_EQ(0, job_run(self->fd, &self->queue, &nop));
	EXPECT_REFUSED(-EOPNOTSUPP, nop, cmd.nop.op = 0);
	EXPECT_REFUSED(-EOPNOTSUPP, nop, cmd.nop.op = ACCEL_VACCEL_CONVOLVE + 1);
	EXPECT_REFUSED(-EOPNOTSUPP, nop, cmd.nop.op = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, nop, cmd.nop.reserved = 1);
	EXPECT_REFUSED(-EINVAL, nop, cmd_size = 4);
	EXPECT_REFUSED(-EINVAL, nop, cmd_size = 7);
	EXPECT_REFUSED(-EINVAL, nop, cmd_size = 1);
	nop = job_op(ACCEL_VACCEL_FAULT);
	EXPECT_REFUSED(-EINVAL, nop, cmd.nop.reserved = 1U << 31);
	EXPECT_EQ(-EFAULT, job_run(self->fd, &self->queue, &nop));
	nop = job_hang();
	EXPECT_REFUSED(-EINVAL, nop, cmd.nop.reserved = 1);
	for (engine = 0; engine < self->dev.engine_count; engine++)
		EXPECT_EQ(0, engine_flush(self->fd, engine));
}

TEST_F(vaccel, fail)
{
	static const int errors[] = { -1, -2, -511, -4094, -4095 };
	struct test_job job = job_fail(-1);
	size_t i;

	EXPECT_REFUSED(-EINVAL, job, cmd.fail.error = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.fail.error = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.fail.error = INT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.fail.error = -4096);
	EXPECT_REFUSED(-EINVAL, job, cmd.fail.error = INT_MIN);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = 4);
	for (i = 0; i < ARRAY_LEN(errors); i++) {
		job = job_fail(errors[i]);
		EXPECT_EQ(errors[i], job_run(self->fd, &self->queue, &job));
	}
}

static void fill_words(__u8 *bytes, __u64 offset, __u64 length, __u32 value)
{
	for (; length; offset += 4, length -= 4)
		memcpy(bytes + offset, &value, 4);
}

TEST_F(vaccel, fill)
{
	static const struct {
		__u32 offset, length;
	} parts[] = {
		{ 0, LENGTH }, { 0, 4 }, { 4, 4 }, { LENGTH - 4, 4 },
		{ 4092, 8 }, { 100, 3 * 4096 }, { 4096, 4096 }, { 8188, 4104 },
	};
	__u32 value = 0x01020304;
	struct test_job job;
	size_t i;
	int b;

	for (b = 0; b < 3; b++) {
		memset(self->expected, 0, LENGTH);
		for (i = 0; i < ARRAY_LEN(parts); i++) {
			value = value * 3 + 1;
			job = job_fill(self->bo[b].id, parts[i].offset,
				       parts[i].length, value);
			ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
			fill_words(self->expected, parts[i].offset,
				   parts[i].length, value);
			EXPECT_EQ(0, memcmp(self->expected, self->map[b],
					    LENGTH)) {
				TH_LOG("buffer %d, part %zu", b, i);
			}
		}
	}
}

TEST_F(vaccel, bad_fill)
{
	struct test_job job = job_fill(self->bo[0].id, 0, 64, ~0U);

	EXPECT_REFUSED(-EINVAL, job, cmd.fill.reserved = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.bo = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.bo = UINT_MAX);
	EXPECT_REFUSED(-EACCES, job, bos[0].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EINVAL, job, bo_count = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.length = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.length = 6);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.length = LENGTH + 4);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.length = UINT64_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.length = UINT64_MAX - 3);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = LENGTH);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = LENGTH - 60);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = UINT64_MAX - 3);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = UINT64_MAX - 63);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = 1ULL << 32);
	EXPECT_REFUSED(-EINVAL, job, cmd.fill.offset = 1ULL << 63);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = sizeof(job.cmd.fill) - 4);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = sizeof(job.cmd.nop));
	EXPECT_EQ(LENGTH, span(self->map[0], 0, LENGTH));
}

TEST_F(vaccel, copy)
{
	static const struct {
		__u32 src, src_offset, dst, dst_offset, length;
	} parts[] = {
		{ 0, 0, 1, 0, LENGTH },
		{ 1, 0, 2, 0, LENGTH },
		{ 2, 0, 0, 0, LENGTH },
		{ 0, 1, 1, 2, 1 },
		{ 0, LENGTH - 1, 2, 0, 1 },
		{ 2, 0, 1, LENGTH - 1, 1 },
		{ 0, 4095, 1, 4090, 4099 },
		{ 2, 4097, 0, 8191, 8193 },
		/* Within a buffer: apart, and overlapping both ways. */
		{ 0, 0, 0, 8192, 4096 },
		{ 0, 0, 0, 1, LENGTH - 1 },
		{ 1, 1, 1, 0, LENGTH - 1 },
		{ 2, 0, 2, 4096, 3 * 4096 },
		{ 2, 4096, 2, 0, 3 * 4096 },
		{ 2, 100, 2, 100, 1000 },
	};
	struct test_job job;
	size_t i;
	int b;

	for (b = 0; b < 3; b++)
		scramble(self->map[b], LENGTH, b);
	for (i = 0; i < ARRAY_LEN(parts); i++) {
		__u8 *src = self->map[parts[i].src];
		__u8 *dst = self->map[parts[i].dst];

		memcpy(self->expected, dst, LENGTH);
		memmove(self->expected + parts[i].dst_offset,
			(src == dst ? self->expected : src) +
			parts[i].src_offset, parts[i].length);
		job = job_copy(self->bo[parts[i].src].id, parts[i].src_offset,
			       self->bo[parts[i].dst].id, parts[i].dst_offset,
			       parts[i].length);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, memcmp(self->expected, dst, LENGTH)) {
			TH_LOG("part %zu", i);
		}
	}
}

TEST_F(vaccel, bad_copy)
{
	struct test_job job = job_copy(self->bo[0].id, 0, self->bo[1].id, 0,
				       64);

	memset(self->map[0], 1, LENGTH);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.reserved = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.src_bo = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.dst_bo = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.src_bo = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.dst_bo = UINT_MAX);
	EXPECT_REFUSED(-EACCES, job, cmd.copy.src_bo = 1);
	EXPECT_REFUSED(-EACCES, job, cmd.copy.dst_bo = 0);
	EXPECT_REFUSED(-EACCES, job, bos[0].flags = ACCEL_BO_WRITE);
	EXPECT_REFUSED(-EACCES, job, bos[1].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EINVAL, job, bo_count = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.length = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.length = LENGTH + 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.length = UINT64_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.src_offset = LENGTH);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.src_offset = LENGTH - 63);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.dst_offset = LENGTH - 63);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.src_offset = UINT64_MAX - 63);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.dst_offset = UINT64_MAX - 63);
	EXPECT_REFUSED(-EINVAL, job, cmd.copy.dst_offset = 1ULL << 63);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = sizeof(job.cmd.copy) - 1);
	EXPECT_EQ(LENGTH, span(self->map[1], 0, LENGTH));
}

struct matmul {
	__u32 m, n, k;
	__u64 a_offset, b_offset, c_offset;
};

static struct test_job job_matmul(FIXTURE_DATA(vaccel) *self,
				  const struct matmul *p)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.matmul) };
	struct accel_vaccel_matmul *cmd = &job.cmd.matmul;

	cmd->op = ACCEL_VACCEL_MATMUL;
	cmd->m = p->m;
	cmd->n = p->n;
	cmd->k = p->k;
	cmd->a_bo = job_bo(&job, self->bo[0].id, ACCEL_BO_READ);
	cmd->b_bo = job_bo(&job, self->bo[1].id, ACCEL_BO_READ);
	cmd->c_bo = job_bo(&job, self->bo[2].id, ACCEL_BO_WRITE);
	cmd->a_offset = p->a_offset;
	cmd->b_offset = p->b_offset;
	cmd->c_offset = p->c_offset;
	return job;
}

/* The product by the CPU, into a copy of what is in C. */
static void cpu_matmul(FIXTURE_DATA(vaccel) *self, const struct matmul *p)
{
	const __s8 *a = (__s8 *)self->map[0] + p->a_offset;
	const __s8 *b = (__s8 *)self->map[1] + p->b_offset;
	__u32 i, j, l;

	memcpy(self->expected, self->map[2], LENGTH);
	for (i = 0; i < p->m; i++) {
		for (j = 0; j < p->n; j++) {
			__u64 at = p->c_offset + 4ULL * (i * p->n + j);
			__s32 sum = 0;

			for (l = 0; l < p->k; l++)
				sum += a[i * p->k + l] * b[l * p->n + j];
			memcpy(self->expected + at, &sum, sizeof(sum));
		}
	}
}

TEST_F_TIMEOUT(vaccel, matmul, LONG_TEST_S)
{
	static const struct matmul products[] = {
		{ 1, 1, 1, 0, 0, 0 },
		{ 64, 64, 64, 0, 0, 0 },
		{ 3, 5, 7, 1, 3, 4 },
		{ 1, 17, 300, 4000, 11, 4092 },
		{ 33, 1, 65, 0, 0, 8 },
		{ 2, 3, 4096, 5, 7, 16 },
		{ 4096, 1, 1, 0, 0, 0 },
		{ 1, 4096, 2, 0, 0, 4096 },
		{ 71, 72, 73, LENGTH - 71 * 73, LENGTH - 73 * 72, 0 },
		{ 50, 50, 10, 0, 0, LENGTH - 4 * 50 * 50 },
	};
	struct test_job job;
	size_t i;

	for (i = 0; i < ARRAY_LEN(products); i++) {
		scramble(self->map[0], LENGTH, i);
		scramble(self->map[1], LENGTH, i + 100);
		cpu_matmul(self, &products[i]);
		job = job_matmul(self, &products[i]);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, memcmp(self->expected, self->map[2], LENGTH)) {
			TH_LOG("product %zu", i);
		}
	}
}

/* The largest magnitudes there are: -128 times -128, 4096 times over. */
TEST_F(vaccel, matmul_extremes)
{
	static const struct matmul p = { 1, 2, 4096, 0, 0, 0 };
	struct test_job job = job_matmul(self, &p);
	__s32 *c = (__s32 *)self->map[2];
	int i;

	memset(self->map[0], 0x80, LENGTH);
	for (i = 0; i < 2 * 4096; i++)
		self->map[1][i] = i % 2 ? 0x7f : 0x80;
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(128 * 128 * 4096, c[0]);
	EXPECT_EQ(-128 * 127 * 4096, c[1]);
}

TEST_F(vaccel, bad_matmul)
{
	static const struct matmul p = { 16, 16, 16, 0, 0, 0 };
	const __u64 in = LENGTH - 16 * 16, out = LENGTH - 4 * 16 * 16;
	struct test_job job = job_matmul(self, &p);

	memset(self->map[0], 1, LENGTH);
	memset(self->map[1], 1, LENGTH);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.reserved = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.m = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.n = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.k = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.m = 4097);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.n = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.k = 1U << 31);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.m = 4096);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.n = 4096);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.k = 4096);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.a_bo = 3);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.b_bo = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.c_bo = 3);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.a_bo = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.b_bo = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.c_bo = 0);
	EXPECT_REFUSED(-EACCES, job, bos[0].flags = ACCEL_BO_WRITE);
	EXPECT_REFUSED(-EACCES, job, bos[1].flags = ACCEL_BO_WRITE);
	EXPECT_REFUSED(-EACCES, job, bos[2].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EINVAL, job, bo_count = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.a_offset = in + 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.b_offset = in + 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.c_offset = out + 4);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.c_offset = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.a_offset = UINT64_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.b_offset = UINT64_MAX - 255);
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.c_offset = UINT64_MAX - 1023);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = sizeof(job.cmd.matmul) - 8);

	/* A and B in one buffer that is also C, with the right to write it. */
	job.bos[0].flags |= ACCEL_BO_WRITE;
	EXPECT_REFUSED(-EINVAL, job, cmd.matmul.c_bo = 0);
	EXPECT_EQ(LENGTH, span(self->map[2], 0, LENGTH));

	/* A and B may be the same. */
	job.cmd.matmul.b_bo = 0;
	EXPECT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(16, *(__s32 *)self->map[2]);
}

/* The size that the examples use, on all engines at once. */
TEST_F_TIMEOUT(vaccel, matmul_128_on_every_engine, LONG_TEST_S)
{
	enum { N = 128, SIZE = N * N };
	struct accel_queue_create queues[4];
	struct accel_bo_create in, out[4];
	__u32 i, n = self->dev.engine_count;
	struct test_job job;
	__s8 *a, *b;
	__s32 *c, *expected;
	__u64 point;
	int x, y, z;

	if (n > ARRAY_LEN(queues))
		n = ARRAY_LEN(queues);
	ASSERT_EQ(0, bo_create(self->fd, 0, 2 * SIZE, &in));
	a = bo_map(self->fd, &in);
	ASSERT_TRUE(a != MAP_FAILED);
	b = a + SIZE;
	scramble((__u8 *)a, 2 * SIZE, 42);
	expected = calloc(SIZE, sizeof(*expected));
	ASSERT_TRUE(expected != NULL);
	for (x = 0; x < N; x++)
		for (y = 0; y < N; y++)
			for (z = 0; z < N; z++)
				expected[x * N + y] += a[x * N + z] *
						       b[z * N + y];
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, queue_create(self->fd, i, self->dev.timeout_max_ms,
					  &queues[i]));
		ASSERT_EQ(0, bo_create(self->fd, i % 2, 4 * SIZE, &out[i]));
		job = (struct test_job) { .cmd_size = sizeof(job.cmd.matmul) };
		job.cmd.matmul.op = ACCEL_VACCEL_MATMUL;
		job.cmd.matmul.m = N;
		job.cmd.matmul.n = N;
		job.cmd.matmul.k = N;
		job_bo(&job, in.id, ACCEL_BO_READ);
		job.cmd.matmul.b_offset = SIZE;
		job.cmd.matmul.c_bo = job_bo(&job, out[i].id, ACCEL_BO_WRITE);
		ASSERT_EQ(0, submit_one(self->fd, queues[i].id, &job, &point));
	}
	for (i = 0; i < n; i++) {
		c = bo_map(self->fd, &out[i]);
		ASSERT_TRUE(c != MAP_FAILED);
		EXPECT_POINT(0, self->fd, queues[i].timeline, 1);
		EXPECT_EQ(0, memcmp(expected, c, 4 * SIZE));
		EXPECT_EQ(0, munmap(c, 4 * SIZE));
	}
	free(expected);
	EXPECT_EQ(0, munmap(a, 2 * SIZE));
}

TEST_HARNESS_MAIN
