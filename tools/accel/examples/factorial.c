// SPDX-License-Identifier: MIT
/*
 * Usage: factorial [DEVICE] [N]
 *
 * Lets an edu device compute N! and copy 64 KiB through its on-chip memory, and
 * checks both against the CPU.
 */
#include <time.h>
#include <unistd.h>

#include <linux/accel_edu.h>

#include "example.h"

#define DRIVER		"accel_edu"
#define COPY_SIZE	(64 * 1024)
#define COPY_JOBS	8

static unsigned long long interrupts(int fd)
{
	struct accel_edu_info info;

	must(accel_query_driver(fd, &info, sizeof(info)), "QUERY_DRIVER");
	return info.interrupts;
}

static void print_engines(int fd)
{
	struct accel_query_engine *engines;
	uint32_t i, count;

	must(accel_query_engines(fd, &engines, &count), "QUERY_ENGINES");
	for (i = 0; i < count; i++)
		printf("engine %u (%s): %llu jobs so far, busy %.3f s\n",
		       i, (const char *)engines[i].name,
		       (unsigned long long)engines[i].jobs, engines[i].busy_ns / 1e9);
	free(engines);
}

static struct accel_queue_create make_queue(int fd, uint32_t engine)
{
	struct accel_queue_create queue = {
		.size = sizeof(queue),
		.engine = engine,
	};

	must(accel_queue_create(fd, &queue), "QUEUE_CREATE");
	return queue;
}

/* Returns the point of the first job; those of the others follow. */
static uint64_t submit_all(int fd, uint32_t queue,
			   const struct accel_submit_job *jobs, uint32_t count)
{
	struct accel_submit submit = {
		.size = sizeof(submit),
		.queue = queue,
		.job_count = count,
		.jobs_ptr = accel_ptr(jobs),
		.job_stride = sizeof(*jobs),
	};
	uint32_t accepted;

	accepted = must(accel_submit(fd, &submit), "SUBMIT");
	if (accepted < count) {
		fprintf(stderr, "factorial: only %u of %u jobs accepted: %s\n",
			accepted, count, strerror(-submit.stop_error));
		exit(EXIT_FAILURE);
	}
	return submit.first_point;
}

/* No need for a deadline: a job that hangs runs into its timeout. */
static void wait_for(int fd, uint32_t timeline, uint64_t point)
{
	int32_t status;

	must(accel_wait_point(fd, timeline, point, INT64_MAX, &status),
	     "TIMELINE_WAIT");
	must(status, "the job failed");
}

static uint32_t cpu_factorial(uint32_t n)
{
	return n ? n * cpu_factorial(n - 1) : 1;
}

static int check_factorial(int fd, uint32_t n)
{
	struct accel_queue_create queue;
	struct buffer result = make_buffer(fd, sizeof(uint32_t));
	const struct accel_edu_factorial command = { .value = n };
	const struct accel_submit_bo bo = {
		.id = result.id,
		.flags = ACCEL_BO_WRITE,
	};
	const struct accel_submit_job job = {
		.cmd_ptr = accel_ptr(&command),
		.cmd_size = sizeof(command),
		.bos_ptr = accel_ptr(&bo),
		.bo_count = 1,
		.bo_stride = sizeof(bo),
	};
	uint32_t value;

	queue = make_queue(fd, ACCEL_EDU_ENGINE_FACTORIAL);
	wait_for(fd, queue.timeline, submit_all(fd, queue.id, &job, 1));

	must(accel_bo_sync(fd, result.id, ACCEL_SYNC_READ, INT64_MAX),
	     "BO_SYNC");
	memcpy(&value, result.map, sizeof(value));
	must(accel_bo_sync(fd, result.id, ACCEL_SYNC_READ | ACCEL_SYNC_END, 0),
	     "BO_SYNC");
	must(accel_destroy(fd, queue.id), "DESTROY");
	must(accel_destroy(fd, queue.timeline), "DESTROY");
	drop_buffer(fd, &result);

	printf("%u! = %u, the CPU says %u: %s\n", n, value, cpu_factorial(n),
	       value == cpu_factorial(n) ? "equal" : "DIFFERENT");
	return value == cpu_factorial(n);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void fill_random(int fd, struct buffer *buffer)
{
	unsigned char *byte = buffer->map;
	uint64_t i;

	srandom(time(NULL));
	must(accel_bo_sync(fd, buffer->id, ACCEL_SYNC_WRITE, INT64_MAX),
	     "BO_SYNC");
	for (i = 0; i < buffer->length; i++)
		byte[i] = random();
	must(accel_bo_sync(fd, buffer->id, ACCEL_SYNC_WRITE | ACCEL_SYNC_END,
			   0), "BO_SYNC");
}

/* All jobs go in with one SUBMIT, and are then followed point by point. */
static void copy_in_pieces(int fd, struct buffer *src, struct buffer *dst)
{
	const uint32_t piece = COPY_SIZE / COPY_JOBS;
	const struct accel_submit_bo bos[] = {
		{ .id = src->id, .flags = ACCEL_BO_READ },
		{ .id = dst->id, .flags = ACCEL_BO_WRITE },
	};
	struct accel_edu_dma commands[COPY_JOBS];
	struct accel_submit_job jobs[COPY_JOBS];
	struct accel_queue_create queue;
	uint64_t first_point;
	double start;
	uint32_t i;

	for (i = 0; i < COPY_JOBS; i++) {
		commands[i] = (struct accel_edu_dma){
			.op = ACCEL_EDU_DMA_COPY,
			.src_bo = 0,
			.dst_bo = 1,
			.src_offset = i * piece,
			.dst_offset = i * piece,
			.length = piece,
		};
		jobs[i] = (struct accel_submit_job){
			.cmd_ptr = accel_ptr(&commands[i]),
			.cmd_size = sizeof(commands[i]),
			.bos_ptr = accel_ptr(bos),
			.bo_count = 2,
			.bo_stride = sizeof(bos[0]),
		};
	}

	queue = make_queue(fd, ACCEL_EDU_ENGINE_DMA);
	start = seconds();
	first_point = submit_all(fd, queue.id, jobs, COPY_JOBS);
	for (i = 0; i < COPY_JOBS; i++) {
		wait_for(fd, queue.timeline, first_point + i);
		printf("copied %2u of %u KiB through the chip, %.1f s\n",
		       (i + 1) * piece / 1024, COPY_SIZE / 1024,
		       seconds() - start);
	}
	must(accel_destroy(fd, queue.id), "DESTROY");
	must(accel_destroy(fd, queue.timeline), "DESTROY");
}

static int check_copy(int fd)
{
	struct buffer src = make_buffer(fd, COPY_SIZE);
	struct buffer dst = make_buffer(fd, COPY_SIZE);
	int equal;

	fill_random(fd, &src);
	copy_in_pieces(fd, &src, &dst);

	must(accel_bo_sync(fd, dst.id, ACCEL_SYNC_READ, INT64_MAX), "BO_SYNC");
	equal = !memcmp(src.map, dst.map, COPY_SIZE);
	must(accel_bo_sync(fd, dst.id, ACCEL_SYNC_READ | ACCEL_SYNC_END, 0),
	     "BO_SYNC");
	drop_buffer(fd, &src);
	drop_buffer(fd, &dst);

	printf("the copy of %u KiB: %s\n", COPY_SIZE / 1024,
	       equal ? "equal" : "DIFFERENT");
	return equal;
}

int main(int argc, char **argv)
{
	unsigned long n = 10;
	unsigned long long before;
	char *end = "";
	int fd, equal;

	if (argc > 2)
		n = strtoul(argv[2], &end, 10);
	if (argc > 3 || *end || n > ACCEL_EDU_FACTORIAL_MAX ||
	    (argc > 1 && argv[1][0] == '-')) {
		fprintf(stderr, "Usage: factorial [DEVICE] [N], N at most %u\n",
			ACCEL_EDU_FACTORIAL_MAX);
		return 2;
	}

	/* The copy takes seconds; show its progress in a pipe as well. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = open_device(argc > 1 ? argv[1] : NULL, DRIVER);
	before = interrupts(fd);
	equal = check_factorial(fd, n);
	equal &= check_copy(fd);
	print_engines(fd);
	printf("interrupts: %llu before, %llu after\n", before,
	       interrupts(fd));
	close(fd);
	return equal ? EXIT_SUCCESS : EXIT_FAILURE;
}
