/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the accel selftests share. They speak to the kernel by plain ioctls, so
 * that nothing stands between the interface and its test. Helpers return 0 or
 * a negative errno unless they say otherwise.
 *
 * The device under test is vaccel, the software accelerator; ACCEL_DEV names
 * its node where that is not /dev/accel/accel128.
 */
#ifndef SELFTESTS_ACCEL_TEST_H
#define SELFTESTS_ACCEL_TEST_H

/* Mappings have offsets above 4 GiB, in 32-bit programs too. */
#define _FILE_OFFSET_BITS 64

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "../kselftest_harness.h"
#include "ioctl.h"
#include "job.h"

#define CENSUS		"/sys/kernel/debug/accel/census"
#define CENSUS_SIZE	1024
#define FDINFO_SIZE	512

/* For tests that make so many calls that emulation wants more than 30 s. */
#define LONG_TEST_S	300

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* How often: @quick in the tier that every change runs, @full in the long one. */
static inline unsigned int rounds(unsigned int quick, unsigned int full)
{
	return getenv("ACCEL_TEST_FULL") ? full : quick;
}

/* Counts what was tried, for the sum that the run prints at its end. */
static inline void tally(unsigned long count, const char *what)
{
	printf("# tally: %lu %s\n", count, what);
	fflush(stdout);
}

static inline void scramble(__u8 *bytes, size_t length, unsigned int seed)
{
	size_t i;

	for (i = 0; i < length; i++)
		bytes[i] = rand_r(&seed) >> 8;
}

/* The first byte that is not @value, or @length. */
static inline size_t span(const volatile __u8 *bytes, __u8 value, size_t length)
{
	size_t i;

	for (i = 0; i < length && bytes[i] == value; i++)
		;
	return i;
}

static inline const char *accel_path(void)
{
	const char *path = getenv("ACCEL_DEV");

	return path ? path : "/dev/accel/accel128";
}

static inline int open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static inline int accel_open(void)
{
	return open_node(accel_path());
}

/* The number that the next descriptor gets, or a negative errno. */
static inline int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	return fd < 0 || close(fd) ? -errno : fd;
}

/* Reading the census frees first what is only waiting to be freed. */
static inline int census_read(char text[CENSUS_SIZE])
{
	size_t len;
	FILE *file;

	file = fopen(CENSUS, "re");
	if (!file)
		return -errno;
	len = fread(text, 1, CENSUS_SIZE - 1, file);
	text[len] = '\0';
	fclose(file);
	return len ? 0 : -ENODATA;
}

/* The objects alive, or a negative errno; says on stderr which there are. */
static inline long long census_total(void)
{
	unsigned long long count, total = 0;
	char text[CENSUS_SIZE];
	char *line, *next;
	char name[64];
	int ret;

	ret = census_read(text);
	if (ret)
		return ret;
	for (line = strtok_r(text, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		if (sscanf(line, "%63s %llu", name, &count) != 2)
			return -EPROTO;
		if (count)
			fprintf(stderr, "# census: %s %llu\n", name, count);
		total += count;
	}
	return total;
}

/* Without stdio, which would allocate memory where that may be made to fail. */
static inline int read_fdinfo(int fd, char text[FDINFO_SIZE])
{
	char path[64];
	ssize_t len;
	int info, ret;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -errno;
	len = read(info, text, FDINFO_SIZE - 1);
	ret = len < 0 ? -errno : 0;
	text[ret ? 0 : len] = '\0';
	close(info);
	return ret;
}

/* Every test begins and ends with an empty census, or it has failed. */
static inline void accel_setup(struct __test_metadata *_metadata, int *fd,
			       struct accel_query_device *dev)
{
	*fd = -1;
	ASSERT_EQ(0, census_total()) {
		TH_LOG("%s: not there, not readable or not empty", CENSUS);
	}
	*fd = accel_open();
	ASSERT_LE(0, *fd) {
		TH_LOG("%s: %s; load accel_vaccel or set ACCEL_DEV",
		       accel_path(), strerror(-*fd));
	}
	ASSERT_EQ(0, query_device(*fd, dev));
	ASSERT_STREQ("accel_vaccel", (const char *)dev->driver);
	ASSERT_LE(2, dev->engine_count);
}

static inline void accel_teardown(struct __test_metadata *_metadata, int fd)
{
	if (fd >= 0)
		EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_total());
}

static inline int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* A module with its parameters, unless it is there: to look takes no process. */
static inline int load_module(const char *module)
{
	char command[128], path[128];
	int i;

	snprintf(path, sizeof(path), "/sys/module/%.*s",
		 (int)strcspn(module, " "), module);
	for (i = 0; path[i]; i++)
		if (path[i] == '-')
			path[i] = '_';
	if (!access(path, F_OK))
		return 0;
	snprintf(command, sizeof(command), "modprobe -q %s", module);
	return system(command) ? -ENOENT : 0;
}

#define VACCEL_DRIVER	"/sys/bus/platform/drivers/vaccel/"
#define VACCEL_DEVICE	"vaccel.0"

static inline int vaccel_unbind(void)
{
	return write_file(VACCEL_DRIVER "unbind", VACCEL_DEVICE);
}

static inline int vaccel_bind(void)
{
	return write_file(VACCEL_DRIVER "bind", VACCEL_DEVICE);
}

/* Macros, so that a failure names the line of the test. */
#define EXPECT_POINT(expected, fd, timeline, value) do {		\
	__s32 _status = INT_MAX;					\
	ASSERT_EQ(0, point_wait_until(fd, timeline, value,		\
				      deadline_ms(WAIT_MS), &_status));	\
	EXPECT_EQ(expected, _status);					\
} while (0)

#define EXPECT_PENDING(fd, timeline, value)				\
	EXPECT_EQ(ACCEL_POINT_PENDING, point_status(fd, timeline, value))

#endif /* SELFTESTS_ACCEL_TEST_H */
