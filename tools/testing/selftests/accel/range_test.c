// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sums of offset and length that reach too far, or wrap: in mappings, and in the
 * commands of vaccel and edu. What is right, an oracle says, in every combination
 * of values near the ends of a buffer and of the types.
 */
#include "command.h"

#include <sys/syscall.h>

#define LENGTH	(3 * 4096)

FIXTURE(range)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo[2];
	unsigned long cases;
};

FIXTURE_SETUP(range)
{
	int i;

	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, bo_create(self->fd, i, LENGTH, &self->bo[i]));
}

FIXTURE_TEARDOWN(range)
{
	if (self->cases)
		tally(self->cases, "ranges");
	accel_teardown(_metadata, self->fd);
}

static const __u64 edges[] = {
	0, 1, 2, 4, 4095, 4096, 4097, LENGTH - 4096, LENGTH - 4, LENGTH - 1,
	LENGTH, LENGTH + 1, LENGTH + 4, INT_MAX, 1ULL << 31, UINT_MAX - 3,
	UINT_MAX, 1ULL << 32, (1ULL << 32) + 4, (1ULL << 32) + LENGTH,
	1ULL << 44, INT64_MAX - 3, INT64_MAX, 1ULL << 63,
	UINT64_MAX - LENGTH + 1, UINT64_MAX - 4095, UINT64_MAX - 7,
	UINT64_MAX - 3, UINT64_MAX,
};

#define EDGES	ARRAY_LEN(edges)

static bool fits(__u64 offset, __u64 length)
{
	return length && offset <= LENGTH && length <= LENGTH - offset;
}

/* A length either has a buffer, rounded up, or there is none. */
TEST_F(range, length_of_a_buffer)
{
	static const __u64 lengths[] = {
		1, 4095, 4096, 4097, 1ULL << 30, INT_MAX, 1ULL << 31,
		UINT_MAX - 4095, UINT_MAX, 1ULL << 32, (1ULL << 32) + 1,
		1ULL << 43, 1ULL << 44, 1ULL << 47, 1ULL << 62,
		INT64_MAX - 8192, INT64_MAX - 4096, INT64_MAX - 4095, INT64_MAX,
		1ULL << 63, UINT64_MAX - 4096, UINT64_MAX - 4095, UINT64_MAX,
	};
	struct accel_bo_create bo;
	size_t page = sysconf(_SC_PAGESIZE), i;
	__u32 region;
	int ret;

	for (i = 0; i < ARRAY_LEN(lengths); i++) {
		for (region = 0; region < 2; region++) {
			ret = bo_create(self->fd, region, lengths[i], &bo);
			self->cases++;
			if (ret) {
				EXPECT_TRUE(ret == -EINVAL || ret == -ENOMEM ||
					    ret == -ENOSPC) {
					TH_LOG("%llu: %d", lengths[i], ret);
				}
				EXPECT_EQ(lengths[i], bo.length);
				EXPECT_LT(4097, lengths[i]);
				continue;
			}
			EXPECT_LE(lengths[i], bo.length);
			EXPECT_GT(page, bo.length - lengths[i]);
			EXPECT_EQ(0, destroy(self->fd, bo.id));
		}
	}
}

/* As the system call, whose offset need not fit into what the library takes. */
static void *map_at(int fd, size_t length, __u64 page_offset)
{
#ifdef SYS_mmap2
	return (void *)syscall(SYS_mmap2, NULL, length, PROT_READ, MAP_SHARED,
			       fd, (unsigned long)page_offset);
#else
	return (void *)syscall(SYS_mmap, NULL, length, PROT_READ, MAP_SHARED,
			       fd, (unsigned long)page_offset * 4096);
#endif
}

static bool maps(int fd, size_t length, __u64 page_offset)
{
	void *map = map_at(fd, length, page_offset);

	if (map == MAP_FAILED)
		return false;
	munmap(map, length);
	return true;
}

/* Nothing but a part of the one buffer that is left can be mapped. */
TEST_F(range, mapping)
{
	const struct accel_bo_create *bo = &self->bo[0];
	const __u64 first = bo->mmap_offset / 4096;
	const __u64 pages[] = {
		0, 1, (1ULL << 20) - 1, 1ULL << 20, first - 1, first,
		first + 1, first + 2, first + 3, first + 4, first + (1 << 20),
		INT_MAX, 1ULL << 31, UINT_MAX - 2, UINT_MAX,
		1ULL << 32, first + (1ULL << 32), (1ULL << 51) - 1, 1ULL << 51,
		(1ULL << 52) - 3, (1ULL << 52) - 1,
	};
	const size_t lengths[] = {
		0, 1, 4096, 4097, 8192, LENGTH - 1, LENGTH, LENGTH + 1,
		LENGTH + 4096, 1UL << 30, (size_t)INT_MAX + 1,
		SIZE_MAX - 8191, SIZE_MAX - 4095, SIZE_MAX,
	};
	size_t i, j, count;
	__u64 at;

	ASSERT_EQ(4096, sysconf(_SC_PAGESIZE));
	ASSERT_EQ(0, destroy(self->fd, self->bo[1].id));
	ASSERT_EQ(0, destroy(self->fd, self->queue.id));
	ASSERT_EQ(0, destroy(self->fd, self->queue.timeline));
	for (i = 0; i < ARRAY_LEN(pages); i++) {
		for (j = 0; j < ARRAY_LEN(lengths); j++) {
			at = (unsigned long)pages[i];
			count = lengths[j] / 4096 + !!(lengths[j] % 4096);
			EXPECT_EQ(lengths[j] && at >= first &&
				  at < first + LENGTH / 4096 &&
				  count <= first + LENGTH / 4096 - at,
				  maps(self->fd, lengths[j], at)) {
				TH_LOG("%zu bytes at page %#llx", lengths[j],
				       at);
			}
			self->cases++;
		}
	}
}

TEST_F_TIMEOUT(range, fill, LONG_TEST_S)
{
	struct test_job job;
	size_t i, j, region;
	int expected;

	for (i = 0; i < EDGES; i++) {
		for (j = 0; j < EDGES; j++) {
			region = (i + j) % 2;
			job = job_fill(self->bo[region].id, edges[i], edges[j],
				       1);
			expected = fits(edges[i], edges[j]) &&
				   edges[i] % 4 == 0 && edges[j] % 4 == 0 ?
				   0 : -EINVAL;
			EXPECT_EQ(expected, job_run(self->fd, &self->queue,
						    &job)) {
				TH_LOG("%#llx bytes at %#llx", edges[j],
				       edges[i]);
			}
			self->cases++;
		}
	}
}

TEST_F_TIMEOUT(range, copy, LONG_TEST_S)
{
	struct test_job job;
	__u64 src, dst;
	size_t i, j;

	for (i = 0; i < EDGES; i++) {
		for (j = 0; j < EDGES; j++) {
			src = i % 2 ? edges[i] : 0;
			dst = i % 2 ? 0 : edges[i];
			job = job_copy(self->bo[0].id, src, self->bo[1].id, dst,
				       edges[j]);
			EXPECT_EQ(fits(edges[i], edges[j]) &&
				  fits(0, edges[j]) ? 0 : -EINVAL,
				  job_run(self->fd, &self->queue, &job)) {
				TH_LOG("%#llx bytes from %#llx to %#llx",
				       edges[j], src, dst);
			}
			self->cases++;
		}
	}
}

/* A product whose operands have 64 bytes, and its result 256. */
TEST_F_TIMEOUT(range, matmul_offsets, LONG_TEST_S)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.matmul) };
	struct accel_vaccel_matmul *cmd = &job.cmd.matmul;
	__u64 *const offsets[] = {
		&cmd->a_offset, &cmd->b_offset, &cmd->c_offset
	};
	size_t i, j;
	bool good;

	*cmd = (struct accel_vaccel_matmul) {
		.op = ACCEL_VACCEL_MATMUL,
		.m = 8,
		.n = 8,
		.k = 8,
		.c_bo = 1,
	};
	job_bo(&job, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&job, self->bo[1].id, ACCEL_BO_WRITE);
	for (i = 0; i < ARRAY_LEN(offsets); i++) {
		for (j = 0; j < EDGES; j++) {
			*offsets[i] = edges[j];
			good = fits(edges[j], i == 2 ? 256 : 64) &&
			       (i < 2 || edges[j] % 4 == 0);
			EXPECT_EQ(good ? 0 : -EINVAL,
				  job_run(self->fd, &self->queue, &job)) {
				TH_LOG("operand %zu at %#llx", i, edges[j]);
			}
			self->cases++;
		}
		*offsets[i] = 0;
	}
}

/* Dimensions whose products do not fit 32 bits, nor the buffers. */
TEST_F_TIMEOUT(range, matmul_dimensions, LONG_TEST_S)
{
	static const __u32 sizes[] = {
		0, 1, 8, 64, 110, 4095, 4096, 4097, 65536, INT_MAX,
		1U << 31, UINT_MAX,
	};
	struct test_job job = { .cmd_size = sizeof(job.cmd.matmul) };
	struct accel_vaccel_matmul *cmd = &job.cmd.matmul;
	size_t i, j, k;
	bool good;

	cmd->op = ACCEL_VACCEL_MATMUL;
	cmd->c_bo = 1;
	job_bo(&job, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&job, self->bo[1].id, ACCEL_BO_WRITE);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		for (j = 0; j < ARRAY_LEN(sizes); j++) {
			for (k = 0; k < ARRAY_LEN(sizes); k++) {
				cmd->m = sizes[i];
				cmd->n = sizes[j];
				cmd->k = sizes[k];
				/* Without products that take long. */
				good = cmd->m <= 4096 && cmd->n <= 4096 &&
				       cmd->k <= 4096 &&
				       fits(0, cmd->m * cmd->k) &&
				       fits(0, cmd->k * cmd->n) &&
				       fits(0, cmd->m * cmd->n * 4);
				if (good && i + j + k > 6)
					continue;
				EXPECT_EQ(good ? 0 : -EINVAL,
					  job_run(self->fd, &self->queue,
						  &job)) {
					TH_LOG("%u x %u x %u", cmd->m, cmd->n,
					       cmd->k);
				}
				self->cases++;
			}
		}
	}
}

FIXTURE(edu_range)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create factorial;
	struct accel_queue_create dma;
	struct accel_bo_create bo;
	unsigned long cases;
};

FIXTURE_SETUP(edu_range)
{
	self->fd = open("/dev/accel/accel0", O_RDWR | O_CLOEXEC);
	if (self->fd < 0)
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	ASSERT_EQ(0, query_device(self->fd, &self->dev));
	if (strcmp((char *)self->dev.driver, "accel_edu"))
		SKIP(return, "accel0 is no accel_edu device");
	ASSERT_EQ(0, queue_create(self->fd, ACCEL_EDU_ENGINE_FACTORIAL, 0,
				  &self->factorial));
	ASSERT_EQ(0, queue_create(self->fd, ACCEL_EDU_ENGINE_DMA, 0,
				  &self->dma));
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &self->bo));
}

FIXTURE_TEARDOWN(edu_range)
{
	if (self->cases)
		tally(self->cases, "ranges");
	if (self->fd >= 0)
		EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, census_total());
}

TEST_F_TIMEOUT(edu_range, factorial, LONG_TEST_S)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.factorial) };
	size_t i;

	job.cmd.factorial.value = 3;
	job_bo(&job, self->bo.id, ACCEL_BO_WRITE);
	for (i = 0; i < EDGES; i++) {
		job.cmd.factorial.offset = edges[i];
		EXPECT_EQ(fits(edges[i], 4) && edges[i] % 4 == 0 ? 0 : -EINVAL,
			  job_run(self->fd, &self->factorial, &job)) {
			TH_LOG("offset %#llx", edges[i]);
		}
		self->cases++;
	}
}

/* Bad ones only: a good one takes the device 100 ms and more. */
TEST_F_TIMEOUT(edu_range, dma, LONG_TEST_S)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };
	struct accel_edu_dma *cmd = &job.cmd.dma;
	__u32 i, j, op, chip;
	bool good;

	job_bo(&job, self->bo.id, ACCEL_BO_READ | ACCEL_BO_WRITE);
	for (op = ACCEL_EDU_DMA_LOAD; op <= ACCEL_EDU_DMA_STORE; op++) {
		for (i = 0; i < EDGES; i++) {
			for (j = 0; j < EDGES; j++) {
				chip = (i + j) % 2 ? edges[i] : 0;
				*cmd = (struct accel_edu_dma) {
					.op = op,
					.chip_offset = chip,
					.length = edges[j],
				};
				if (op == ACCEL_EDU_DMA_LOAD)
					cmd->src_offset = edges[i];
				else
					cmd->dst_offset = edges[i];
				good = fits(edges[i], edges[j]) &&
				       chip <= ACCEL_EDU_MEMORY_SIZE &&
				       edges[j] <= ACCEL_EDU_MEMORY_SIZE - chip;
				if (good)
					continue;
				EXPECT_EQ(-EINVAL,
					  job_run(self->fd, &self->dma, &job)) {
					TH_LOG("%#llx bytes at %#llx, chip %#x",
					       edges[j], edges[i], chip);
				}
				self->cases++;
			}
		}
	}
}

TEST_HARNESS_MAIN
