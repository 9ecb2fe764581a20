// SPDX-License-Identifier: MIT
/*
 * The page frames of dma-bufs, which the module accel_dmabuf_test tells: the same
 * bytes can be a copy, the same page frames are the same memory.
 */
#include "frames.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../../drivers/accel/core/tests/dmabuf/accel_dmabuf_test.h"
#include "../examples/example.h"

/* So many runs of page frames are printed. */
#define RUNS_SHOWN	4

int frames_open(void)
{
	int fd = open(DMABUF_TEST_NODE, O_RDWR | O_CLOEXEC);

	return must(fd < 0 ? -errno : fd, DMABUF_TEST_NODE);
}

static uint64_t *read_frames(int frames, enum dmabuf_test_kind kind,
			     uint64_t object, uint32_t count)
{
	uint64_t *list = calloc(count, sizeof(*list));
	struct dmabuf_test_frames args = {
		.object = object,
		.frames_ptr = accel_ptr(list),
		.kind = kind,
		.count = count,
	};

	if (!list)
		must(-ENOMEM, "page frames");
	must(ioctl(frames, DMABUF_TEST_FRAMES, &args) < 0 ? -errno : 0,
	     "DMABUF_TEST_FRAMES");
	return list;
}

static void print_runs(const uint64_t *list, uint32_t count)
{
	uint32_t start, end, runs = 0;

	for (start = 0; start < count; start = end) {
		end = start + 1;
		while (end < count && list[end] == list[start] + end - start)
			end++;
		if (++runs > RUNS_SHOWN)
			continue;
		printf(" %llx", (unsigned long long)list[start]);
		if (end > start + 1)
			printf("-%llx", (unsigned long long)list[end - 1]);
	}
	if (runs > RUNS_SHOWN)
		printf(" and %u more", runs - RUNS_SHOWN);
}

int frames_compare(int frames, int dmabuf, const volatile uint8_t *map,
		   uint64_t length)
{
	const long page = sysconf(_SC_PAGESIZE);
	uint32_t count = length / page, i, same = 0;
	uint64_t *theirs, *ours;

	/* What was not touched is not mapped yet. */
	for (i = 0; i < count; i++)
		(void)map[(size_t)i * page];
	theirs = read_frames(frames, DMABUF_TEST_OF_FD, dmabuf, count);
	ours = read_frames(frames, DMABUF_TEST_OF_ADDRESS,
			   accel_ptr((const void *)map), count);
	for (i = 0; i < count; i++)
		same += theirs[i] == ours[i];
	printf("%u of %u page frames are the same:", same, count);
	print_runs(theirs, count);
	putchar('\n');
	free(theirs);
	free(ours);
	return same == count;
}
