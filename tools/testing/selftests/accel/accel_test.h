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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#include <linux/accel.h>
#include <linux/accel_edu.h>
#include <linux/accel_vaccel.h>

#include "../kselftest_harness.h"

#define CENSUS		"/sys/kernel/debug/accel/census"
#define CENSUS_SIZE	1024

/* How long a wait may take that must succeed: only a broken kernel needs it. */
#define WAIT_MS		10000

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

static inline __u64 ptr_to_u64(const void *ptr)
{
	return (uintptr_t)ptr;
}

static inline __s64 now_ns(void)
{
	struct timespec ts;

	/* A system call where the vDSO has no clock, and fail-nth may choose it. */
	while (clock_gettime(CLOCK_MONOTONIC, &ts))
		;
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static inline __s64 deadline_ms(unsigned int ms)
{
	return now_ns() + ms * 1000000LL;
}

/* The first byte that is not @value, or @length. */
static inline size_t span(const volatile __u8 *bytes, __u8 value, size_t length)
{
	size_t i;

	for (i = 0; i < length && bytes[i] == value; i++)
		;
	return i;
}

static inline int accel_ioctl(int fd, unsigned int cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline const char *accel_path(void)
{
	const char *path = getenv("ACCEL_DEV");

	return path ? path : "/dev/accel/accel128";
}

static inline int accel_open(void)
{
	int fd = open(accel_path(), O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
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

static inline int query_device(int fd, struct accel_query_device *dev)
{
	struct accel_query query = {
		.size = sizeof(query),
		.topic = ACCEL_QUERY_DEVICE,
		.data_ptr = ptr_to_u64(dev),
		.data_size = sizeof(*dev),
	};

	return accel_ioctl(fd, ACCEL_IOCTL_QUERY, &query);
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

static inline int destroy(int fd, __u32 id)
{
	struct accel_destroy arg = { .size = sizeof(arg), .id = id };

	return accel_ioctl(fd, ACCEL_IOCTL_DESTROY, &arg);
}

static inline int bo_create(int fd, __u32 region, __u64 length,
			    struct accel_bo_create *bo)
{
	*bo = (struct accel_bo_create) {
		.size = sizeof(*bo),
		.region = region,
		.length = length,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_BO_CREATE, bo);
}

static inline void *bo_map(int fd, const struct accel_bo_create *bo)
{
	return mmap(NULL, bo->length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    bo->mmap_offset);
}

static inline int bo_info(int fd, __u32 id, struct accel_bo_info *info)
{
	*info = (struct accel_bo_info) { .size = sizeof(*info), .id = id };
	return accel_ioctl(fd, ACCEL_IOCTL_BO_INFO, info);
}

/* Returns a dma-buf. */
static inline int bo_export(int fd, __u32 id, __u32 flags)
{
	struct accel_bo_export export = {
		.size = sizeof(export),
		.id = id,
		.flags = flags,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_BO_EXPORT, &export);

	return ret ? ret : export.fd;
}

static inline int bo_import(int fd, int dma_buf, struct accel_bo_import *import)
{
	*import = (struct accel_bo_import) {
		.size = sizeof(*import),
		.fd = dma_buf,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_BO_IMPORT, import);
}

static inline int bo_sync(int fd, __u32 id, __u32 flags, __s64 deadline_ns)
{
	struct accel_bo_sync sync = {
		.size = sizeof(sync),
		.id = id,
		.flags = flags,
		.deadline_ns = deadline_ns,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_BO_SYNC, &sync);
}

static inline int bo_advise(int fd, __u32 id, __u32 advice, __u32 *retained)
{
	struct accel_bo_advise advise = {
		.size = sizeof(advise),
		.id = id,
		.advice = advice,
		.retained = ~0U,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_BO_ADVISE, &advise);

	*retained = advise.retained;
	return ret;
}

static inline int queue_create(int fd, __u32 engine, __u32 timeout_ms,
			       struct accel_queue_create *queue)
{
	*queue = (struct accel_queue_create) {
		.size = sizeof(*queue),
		.engine = engine,
		.timeout_ms = timeout_ms,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_CREATE, queue);
}

static inline int queue_info(int fd, __u32 id, struct accel_queue_info *info)
{
	*info = (struct accel_queue_info) { .size = sizeof(*info), .id = id };
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_INFO, info);
}

static inline int timeline_create(int fd, __u64 value, __u32 *id)
{
	struct accel_timeline_create timeline = {
		.size = sizeof(timeline),
		.value = value,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_CREATE, &timeline);

	*id = timeline.id;
	return ret;
}

static inline int timeline_signal(int fd, __u32 id, __u64 value)
{
	struct accel_timeline_signal signal = {
		.size = sizeof(signal),
		.id = id,
		.value = value,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_SIGNAL, &signal);
}

static inline int timeline_query(int fd, __u32 id, __u64 value,
				 struct accel_timeline_query *query)
{
	*query = (struct accel_timeline_query) {
		.size = sizeof(*query),
		.id = id,
		.value = value,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_QUERY, query);
}

static inline int timeline_wait(int fd, const struct accel_point *points,
				__u32 count, __u32 flags, __s64 deadline_ns,
				__s32 *statuses,
				struct accel_timeline_wait *wait)
{
	*wait = (struct accel_timeline_wait) {
		.size = sizeof(*wait),
		.flags = flags,
		.points_ptr = ptr_to_u64(points),
		.count = count,
		.stride = sizeof(*points),
		.deadline_ns = deadline_ns,
		.statuses_ptr = ptr_to_u64(statuses),
	};
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_WAIT, wait);
}

/* Returns a sync_file for a point, or a negative errno. */
static inline int sync_file_export(int fd, __u32 id, __u64 value)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = id,
		.value = value,
		.type = ACCEL_FD_SYNC_FILE,
		.fd = -1,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, &export);

	return ret ? ret : export.fd;
}

/* Has a point reached by a sync_file. */
static inline int sync_file_import(int fd, int sync, __u32 id, __u64 value)
{
	struct accel_timeline_import import = {
		.size = sizeof(import),
		.type = ACCEL_FD_SYNC_FILE,
		.fd = sync,
		.value = value,
		.id = id,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_IMPORT, &import);
}

static inline int eventfd_export(int fd, __u32 id, __u64 value, int event)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = id,
		.value = value,
		.type = ACCEL_FD_EVENTFD,
		.fd = event,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, &export);
}

/* Returns a file descriptor for the timeline, or a negative errno. */
static inline int timeline_export(int fd, __u32 id, __u32 flags)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = id,
		.type = ACCEL_FD_TIMELINE,
		.flags = flags,
		.fd = -1,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, &export);

	return ret ? ret : export.fd;
}

static inline int timeline_import(int fd, int timeline, __u32 *id)
{
	struct accel_timeline_import import = {
		.size = sizeof(import),
		.type = ACCEL_FD_TIMELINE,
		.fd = timeline,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_IMPORT, &import);

	*id = import.id;
	return ret;
}

static inline int point_wait_until(int fd, __u32 timeline, __u64 value,
				   __s64 deadline_ns, __s32 *status)
{
	struct accel_point point = { .timeline = timeline, .value = value };
	struct accel_timeline_wait wait;
	int ret;

	ret = timeline_wait(fd, &point, 1, 0, deadline_ns, NULL, &wait);
	*status = wait.status;
	return ret;
}

/* The status of a point now; where the query fails, no status: above 4095. */
static inline int point_status(int fd, __u32 timeline, __u64 value)
{
	struct accel_timeline_query query;
	int ret = timeline_query(fd, timeline, value, &query);

	return ret ? 4096 - ret : query.status;
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

#define JOB_ARRAY_MAX	8

/* A job with room for what it points to. */
struct test_job {
	union {
		__u32 op;
		struct accel_vaccel_nop nop;
		struct accel_vaccel_fail fail;
		struct accel_vaccel_fill fill;
		struct accel_vaccel_copy copy;
		struct accel_vaccel_matmul matmul;
		struct accel_vaccel_convert convert;
		struct accel_vaccel_convolve convolve;
		struct accel_edu_factorial factorial;
		struct accel_edu_dma dma;
	} cmd;
	__u32 cmd_size;
	__u32 flags;
	__u32 bo_count;
	__u32 wait_count;
	__u32 signal_count;
	struct accel_submit_bo bos[JOB_ARRAY_MAX];
	struct accel_point waits[JOB_ARRAY_MAX];
	struct accel_point signals[JOB_ARRAY_MAX];
};

/* Adds a buffer to the job's list and returns its place there. */
static inline __u32 job_bo(struct test_job *job, __u32 id, __u32 flags)
{
	job->bos[job->bo_count] = (struct accel_submit_bo) {
		.id = id,
		.flags = flags,
	};
	return job->bo_count++;
}

static inline void job_wait(struct test_job *job, __u32 timeline, __u64 value)
{
	job->waits[job->wait_count++] = (struct accel_point) {
		.timeline = timeline,
		.value = value,
	};
}

static inline void job_wait_sync_file(struct test_job *job, int sync)
{
	job->waits[job->wait_count++] = (struct accel_point) {
		.timeline = sync,
		.flags = ACCEL_POINT_SYNC_FILE,
	};
}

static inline void job_signal(struct test_job *job, __u32 timeline, __u64 value)
{
	job->signals[job->signal_count++] = (struct accel_point) {
		.timeline = timeline,
		.value = value,
	};
}

static inline struct test_job job_op(__u32 op)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.nop) };

	job.cmd.nop.op = op;
	return job;
}

static inline struct test_job job_nop(void)
{
	return job_op(ACCEL_VACCEL_NOP);
}

static inline struct test_job job_hang(void)
{
	return job_op(ACCEL_VACCEL_HANG);
}

static inline struct test_job job_fail(int error)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.fail) };

	job.cmd.fail.op = ACCEL_VACCEL_FAIL;
	job.cmd.fail.error = error;
	return job;
}

static inline struct test_job job_fill(__u32 bo, __u64 offset, __u64 length,
				       __u32 value)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.fill) };

	job.cmd.fill.op = ACCEL_VACCEL_FILL;
	job.cmd.fill.bo = job_bo(&job, bo, ACCEL_BO_WRITE);
	job.cmd.fill.offset = offset;
	job.cmd.fill.length = length;
	job.cmd.fill.value = value;
	return job;
}

/* Between two buffers, or within one. */
static inline struct test_job job_copy(__u32 src, __u64 src_offset,
				       __u32 dst, __u64 dst_offset,
				       __u64 length)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.copy) };

	job.cmd.copy.op = ACCEL_VACCEL_COPY;
	if (src == dst) {
		job_bo(&job, src, ACCEL_BO_READ | ACCEL_BO_WRITE);
	} else {
		job.cmd.copy.src_bo = job_bo(&job, src, ACCEL_BO_READ);
		job.cmd.copy.dst_bo = job_bo(&job, dst, ACCEL_BO_WRITE);
	}
	job.cmd.copy.src_offset = src_offset;
	job.cmd.copy.dst_offset = dst_offset;
	job.cmd.copy.length = length;
	return job;
}

/* The job as SUBMIT wants it; it points into @job. */
static inline struct accel_submit_job job_uapi(const struct test_job *job)
{
	return (struct accel_submit_job) {
		.cmd_ptr = ptr_to_u64(&job->cmd),
		.cmd_size = job->cmd_size,
		.flags = job->flags,
		.bos_ptr = ptr_to_u64(job->bos),
		.bo_count = job->bo_count,
		.bo_stride = sizeof(job->bos[0]),
		.waits_ptr = ptr_to_u64(job->waits),
		.wait_count = job->wait_count,
		.wait_stride = sizeof(job->waits[0]),
		.signals_ptr = ptr_to_u64(job->signals),
		.signal_count = job->signal_count,
		.signal_stride = sizeof(job->signals[0]),
	};
}

static inline int submit(int fd, __u32 queue,
			 const struct accel_submit_job *jobs, __u32 count,
			 struct accel_submit *sub)
{
	*sub = (struct accel_submit) {
		.size = sizeof(*sub),
		.queue = queue,
		.job_count = count,
		.jobs_ptr = ptr_to_u64(jobs),
		.job_stride = sizeof(*jobs),
	};
	return accel_ioctl(fd, ACCEL_IOCTL_SUBMIT, sub);
}

/* Submits @job @count times; what the kernel answered is in @sub. */
static inline int submit_repeated(int fd, __u32 queue,
				  const struct test_job *job, __u32 count,
				  struct accel_submit *sub)
{
	struct accel_submit_job *jobs;
	__u32 i;
	int ret;

	jobs = calloc(count, sizeof(*jobs));
	if (!jobs)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		jobs[i] = job_uapi(job);
	ret = submit(fd, queue, jobs, count, sub);
	free(jobs);
	return ret;
}

static inline int submit_one(int fd, __u32 queue, const struct test_job *job,
			     __u64 *point)
{
	struct accel_submit_job uapi = job_uapi(job);
	struct accel_submit sub;
	int ret;

	ret = submit(fd, queue, &uapi, 1, &sub);
	if (ret)
		return ret;
	*point = sub.first_point;
	return sub.accepted == 1 && !sub.stop_error ? 0 : -EPROTO;
}

static inline int submit_nop(int fd, __u32 queue, __u64 *point)
{
	struct test_job job = job_nop();

	return submit_one(fd, queue, &job, point);
}

static inline int submit_hang(int fd, __u32 queue, __u64 *point)
{
	struct test_job job = job_hang();

	return submit_one(fd, queue, &job, point);
}

/*
 * Ends the hang that the queue has submitted. The engine need not have come to
 * it when SUBMIT returns, so ask until it has.
 */
static inline int hang_release(int fd, __u32 queue)
{
	struct accel_vaccel_release release = {
		.size = sizeof(release),
		.queue = queue,
	};
	__s64 deadline = deadline_ms(WAIT_MS);
	int ret;

	do {
		ret = accel_ioctl(fd, ACCEL_IOCTL_VACCEL_RELEASE, &release);
	} while (ret == -EAGAIN && now_ns() < deadline && !usleep(1000));
	return ret;
}

/*
 * Has a job of another queue go through the engine. What could have run by
 * then and has not is blocked by more than being slow.
 */
static inline int engine_flush(int fd, __u32 engine)
{
	struct accel_queue_create queue;
	__s32 status = 0;
	__u64 point;
	int ret;

	ret = queue_create(fd, engine, 0, &queue);
	if (ret)
		return ret;
	ret = submit_nop(fd, queue.id, &point);
	if (!ret)
		ret = point_wait_until(fd, queue.timeline, point,
				       deadline_ms(WAIT_MS), &status);
	if (!ret)
		ret = status;
	if (!ret)
		ret = destroy(fd, queue.id);
	if (!ret)
		ret = destroy(fd, queue.timeline);
	return ret;
}

#endif /* SELFTESTS_ACCEL_TEST_H */
