// SPDX-License-Identifier: MIT
/*
 * Usage: matmul [DEVICE] [SIZE]
 *
 * Lets a vaccel device multiply two SIZE×SIZE matrices of random int8 into one of
 * int32, and checks the product against the CPU's.
 */
#include <time.h>
#include <unistd.h>

#include <linux/accel_vaccel.h>

#include "example.h"

#define DRIVER		"accel_vaccel"

/* Beyond this the CPU's own product takes too long. */
#define SIZE_MAX_CHECKED	1024

static void fill_random(int fd, struct buffer *buffer)
{
	int8_t *element = buffer->map;
	uint64_t i;

	must(accel_bo_sync(fd, buffer->id, ACCEL_SYNC_WRITE, INT64_MAX),
	     "BO_SYNC");
	for (i = 0; i < buffer->length; i++)
		element[i] = random();
	must(accel_bo_sync(fd, buffer->id, ACCEL_SYNC_WRITE | ACCEL_SYNC_END,
			   0), "BO_SYNC");
}

static void device_product(int fd, uint32_t queue, uint32_t timeline,
			   uint32_t size, const struct buffer *a,
			   const struct buffer *b, const struct buffer *c)
{
	const struct accel_vaccel_matmul command = {
		.op = ACCEL_VACCEL_MATMUL,
		.m = size,
		.n = size,
		.k = size,
		.a_bo = 0,
		.b_bo = 1,
		.c_bo = 2,
	};
	const struct accel_submit_bo bos[] = {
		{ .id = a->id, .flags = ACCEL_BO_READ },
		{ .id = b->id, .flags = ACCEL_BO_READ },
		{ .id = c->id, .flags = ACCEL_BO_WRITE },
	};
	const struct accel_submit_job job = {
		.cmd_ptr = accel_ptr(&command),
		.cmd_size = sizeof(command),
		.bos_ptr = accel_ptr(bos),
		.bo_count = 3,
		.bo_stride = sizeof(bos[0]),
	};
	struct accel_submit submit = {
		.size = sizeof(submit),
		.queue = queue,
		.job_count = 1,
		.jobs_ptr = accel_ptr(&job),
		.job_stride = sizeof(job),
	};
	int32_t status;

	must(accel_submit(fd, &submit), "SUBMIT");
	/* No need for a deadline: a job that hangs runs into its timeout. */
	must(accel_wait_point(fd, timeline, submit.first_point, INT64_MAX,
			      &status), "TIMELINE_WAIT");
	must(status, "the job failed");
}

static int32_t *cpu_product(uint32_t size, const int8_t *a, const int8_t *b)
{
	int32_t *c = calloc((size_t)size * size, sizeof(*c));
	uint32_t i, j, k;

	if (!c)
		must(-ENOMEM, "the CPU's product");
	for (i = 0; i < size; i++)
		for (k = 0; k < size; k++)
			for (j = 0; j < size; j++)
				c[i * size + j] += a[i * size + k] *
						   b[k * size + j];
	return c;
}

static void print_queue(int fd, uint32_t queue)
{
	struct accel_queue_info info = { .size = sizeof(info), .id = queue };
	struct accel_query_engine *engines;
	uint32_t count;

	must(accel_queue_info(fd, &info), "QUEUE_INFO");
	must(accel_query_engines(fd, &engines, &count), "QUERY_ENGINES");
	printf("engine %u (%s): %llu jobs of this queue, %.6f s of engine time\n",
	       info.engine, (const char *)engines[info.engine].name,
	       (unsigned long long)info.completed, info.busy_ns / 1e9);
	free(engines);
}

static int multiply(int fd, uint32_t size)
{
	struct buffer a = make_buffer(fd, size * size);
	struct buffer b = make_buffer(fd, size * size);
	struct buffer c = make_buffer(fd, size * size * sizeof(int32_t));
	struct accel_queue_create queue = { .size = sizeof(queue) };
	int32_t *expected;
	int equal;

	fill_random(fd, &a);
	fill_random(fd, &b);
	must(accel_queue_create(fd, &queue), "QUEUE_CREATE");
	device_product(fd, queue.id, queue.timeline, size, &a, &b, &c);
	print_queue(fd, queue.id);

	expected = cpu_product(size, a.map, b.map);
	must(accel_bo_sync(fd, c.id, ACCEL_SYNC_READ, INT64_MAX), "BO_SYNC");
	equal = !memcmp(c.map, expected, size * size * sizeof(*expected));
	must(accel_bo_sync(fd, c.id, ACCEL_SYNC_READ | ACCEL_SYNC_END, 0),
	     "BO_SYNC");
	free(expected);

	must(accel_destroy(fd, queue.id), "DESTROY");
	must(accel_destroy(fd, queue.timeline), "DESTROY");
	drop_buffer(fd, &a);
	drop_buffer(fd, &b);
	drop_buffer(fd, &c);

	printf("%u x %u x %u int8 product, against the CPU's: %s\n", size, size,
	       size, equal ? "equal" : "DIFFERENT");
	return equal;
}

int main(int argc, char **argv)
{
	unsigned long size = 128;
	char *end = "";
	int fd, equal;

	if (argc > 2)
		size = strtoul(argv[2], &end, 10);
	if (argc > 3 || *end || !size || size > SIZE_MAX_CHECKED ||
	    (argc > 1 && argv[1][0] == '-')) {
		fprintf(stderr, "Usage: matmul [DEVICE] [SIZE], SIZE at most %u\n",
			SIZE_MAX_CHECKED);
		return 2;
	}

	srandom(time(NULL));
	fd = open_device(argc > 1 ? argv[1] : NULL, DRIVER);
	equal = multiply(fd, size);
	close(fd);
	return equal ? EXIT_SUCCESS : EXIT_FAILURE;
}
