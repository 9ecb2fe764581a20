// SPDX-License-Identifier: GPL-2.0-only
/*
 * What SUBMIT reads while another thread changes it. Whichever of the values it saw, it
 * saw that one everywhere: the job is one that could have been asked for, or refused.
 */
#include "accel_test.h"

#define PAGE		4096
#define VALUES		4
#define UNKNOWN_FLAG	0x80000000U

/* How long threads race at least. */
#define RACE_MS		1000

/* No outcome of a job that was asked for. */
#define MIXED		(-1)

FIXTURE(fetch)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create src[2], dst[2];
	__u8 *from[2], *to[2];
	__u32 timeline;
	struct test_job job;
	struct accel_submit_job uapi;
};

static const __u8 contents[] = { 0xa5, 0x5a };

FIXTURE_SETUP(fetch)
{
	int i;

	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bo_create(self->fd, 0, PAGE, &self->src[i]));
		ASSERT_EQ(0, bo_create(self->fd, 0, PAGE, &self->dst[i]));
		self->from[i] = bo_map(self->fd, &self->src[i]);
		ASSERT_TRUE(self->from[i] != MAP_FAILED);
		memset(self->from[i], contents[i], PAGE);
		self->to[i] = bo_map(self->fd, &self->dst[i]);
		ASSERT_TRUE(self->to[i] != MAP_FAILED);
	}
	self->job = job_copy(self->src[0].id, 0, self->dst[0].id, 0, PAGE);
}

/* What was named as a source was only read. */
FIXTURE_TEARDOWN(fetch)
{
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(PAGE, span(self->from[i], contents[i], PAGE));
		EXPECT_EQ(0, munmap(self->from[i], PAGE));
		EXPECT_EQ(0, munmap(self->to[i], PAGE));
	}
	EXPECT_EQ(0, engine_flush(self->fd, 0));
	accel_teardown(_metadata, self->fd);
}

/* A member, the values that it has in turn, and which of them a job was made of. */
struct change {
	pthread_t thread;
	bool stop;
	__u32 *word;
	__u64 *pointer;
	const __u64 *values;
	unsigned int count;
	unsigned long seen[VALUES];
	unsigned long mixed;
};

static void *keep_changing(void *arg)
{
	struct change *c = arg;
	unsigned int seed = 1;
	__u64 value;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		value = c->values[rand_r(&seed) % c->count];
		if (c->word)
			__atomic_store_n(c->word, value, __ATOMIC_RELAXED);
		else
			__atomic_store_n(c->pointer, value, __ATOMIC_RELAXED);
	}
	return NULL;
}

static bool all_seen(const struct change *c)
{
	unsigned int i;

	for (i = 0; i < c->count && c->seen[i]; i++)
		;
	return i == c->count;
}

/* Which value it was, by the error of SUBMIT, or by what the accepted job does. */
typedef int (*judge_t)(FIXTURE_DATA(fetch) * self, int ret, __u64 point);

static int submit_changing(FIXTURE_DATA(fetch) * self, judge_t judge)
{
	struct accel_submit sub;
	int ret;

	memset(self->to[0], 0, PAGE);
	memset(self->to[1], 0, PAGE);
	ret = submit(self->fd, self->queue.id, &self->uapi, 1, &sub);
	return judge(self, ret, sub.first_point);
}

/* Until each of the values has been seen, be the machine as busy as it is. */
static void submit_while_changing(struct __test_metadata *_metadata,
				  FIXTURE_DATA(fetch) * self,
				  struct change *c, judge_t judge)
{
	__s64 end = deadline_ms(RACE_MS), deadline = deadline_ms(10 * WAIT_MS);
	unsigned long i;
	int seen;

	ASSERT_EQ(0, pthread_create(&c->thread, NULL, keep_changing, c));
	for (i = 0; now_ns() < end || (!all_seen(c) && now_ns() < deadline);
	     i++) {
		seen = submit_changing(self, judge);
		if (seen == MIXED)
			c->mixed++;
		else
			c->seen[seen]++;
	}
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(c->thread, NULL));
	EXPECT_EQ(0, c->mixed);
	EXPECT_TRUE(all_seen(c)) {
		TH_LOG("seen %lu, %lu, %lu, %lu times", c->seen[0], c->seen[1],
		       c->seen[2], c->seen[3]);
	}
	tally(i, "jobs that changed while they were submitted");
}

/* The status of the job, or 4096 if it does not end. */
static int job_end(FIXTURE_DATA(fetch) * self, __u64 point)
{
	__s32 status;

	return point_wait_until(self->fd, self->queue.timeline, point,
				deadline_ms(WAIT_MS), &status) ? 4096 : status;
}

static bool is_filled(FIXTURE_DATA(fetch) * self, int dst, __u8 value)
{
	return span(self->to[dst], value, PAGE) == PAGE;
}

/* The first destination is what one of the sources is. */
static int judge_source(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	if (ret)
		return ret == -EINVAL ? 2 : ret == -ENOENT ? 3 : MIXED;
	if (job_end(self, point) || !is_filled(self, 1, 0))
		return MIXED;
	return is_filled(self, 0, contents[0]) ? 0 :
	       is_filled(self, 0, contents[1]) ? 1 : MIXED;
}

/* Naming a buffer twice is EINVAL. */
TEST_F_TIMEOUT(fetch, source, LONG_TEST_S)
{
	const __u64 values[] = {
		self->src[0].id, self->src[1].id, self->dst[0].id, 0,
	};
	struct change c = {
		.word = &self->job.bos[0].id,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_source);
}

static int judge_destination(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	if (ret)
		return ret == -EINVAL ? 2 : ret == -ENOENT ? 3 : MIXED;
	if (job_end(self, point))
		return MIXED;
	if (is_filled(self, 0, contents[0]) && is_filled(self, 1, 0))
		return 0;
	return is_filled(self, 1, contents[0]) && is_filled(self, 0, 0) ? 1 :
									  MIXED;
}

TEST_F_TIMEOUT(fetch, destination, LONG_TEST_S)
{
	const __u64 values[] = {
		self->dst[0].id, self->dst[1].id, self->src[0].id, UINT_MAX,
	};
	struct change c = {
		.word = &self->job.bos[1].id,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_destination);
}

static int judge_flags(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	if (ret) {
		if (!is_filled(self, 0, 0))
			return MIXED;
		return ret == -EACCES ? 1 : ret == -EOPNOTSUPP ? 2 :
		       ret == -EINVAL ? 3 : MIXED;
	}
	return !job_end(self, point) && is_filled(self, 0, contents[0]) ?
	       0 : MIXED;
}

TEST_F_TIMEOUT(fetch, bo_flags, LONG_TEST_S)
{
	static const __u64 values[] = {
		ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT,
		ACCEL_BO_READ,
		ACCEL_BO_WRITE | UNKNOWN_FLAG,
		ACCEL_BO_NO_IMPLICIT,
	};
	struct change c = {
		.word = &self->job.bos[1].flags,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_flags);
}

/* Neither may the job do it, nor is the job one that does. */
static int judge_rights(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	return ret == -EACCES ? 0 : ret == -EINVAL ? 1 : MIXED;
}

TEST_F_TIMEOUT(fetch, rights, LONG_TEST_S)
{
	static const __u64 values[] = { ACCEL_BO_READ, 0, ACCEL_BO_WRITE };
	struct change c = {
		.word = &self->job.bos[0].flags,
		.values = values,
		.count = ARRAY_LEN(values),
		/* The error is that of the first. */
		.seen = { [2] = 1 },
	};
	struct accel_bo_import import;
	int dma_buf;

	dma_buf = bo_export(self->fd, self->src[0].id, 0);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	ASSERT_EQ(0, close(dma_buf));
	self->job = job_fill(import.id, 0, PAGE, 0x77777777);
	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_rights);
}

/* A point is a fence for others as long as no held job has promised it. */
static int judge_waits(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	int sync, status;

	if (ret)
		return ret == -EINVAL && is_filled(self, 0, 0) ? 2 : MIXED;
	sync = sync_file_export(self->fd, self->queue.timeline, point);
	if (sync >= 0) {
		close(sync);
		return job_end(self, point) ? MIXED : 0;
	}
	status = point_status(self->fd, self->queue.timeline, point);
	if (sync != -EAGAIN || status != ACCEL_POINT_PENDING ||
	    timeline_signal(self->fd, self->timeline,
			    self->job.waits[0].value++))
		return MIXED;
	return job_end(self, point) ? MIXED : 1;
}

TEST_F_TIMEOUT(fetch, wait_count, LONG_TEST_S)
{
	const __u64 values[] = { 0, 1, self->dev.points_max + 1 };
	struct change c = {
		.word = &self->uapi.wait_count,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	job_wait(&self->job, self->timeline, 1);
	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_waits);
}

static int judge_signals(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	struct accel_timeline_query query;
	__u64 value = self->job.signals[0].value;
	__s32 status;

	if (!ret && job_end(self, point))
		return MIXED;
	if (timeline_query(self->fd, self->timeline, value, &query))
		return MIXED;
	if (query.promised == value - 1)
		return ret == -EINVAL ? 2 : ret ? MIXED : 0;
	/* It is reached when the job's own has been, and not at once. */
	if (ret || query.promised != value ||
	    point_wait_until(self->fd, self->timeline, value,
			     deadline_ms(WAIT_MS), &status) || status)
		return MIXED;
	self->job.signals[0].value++;
	return 1;
}

TEST_F_TIMEOUT(fetch, signal_count, LONG_TEST_S)
{
	const __u64 values[] = { 0, 1, UINT_MAX };
	struct change c = {
		.word = &self->uapi.signal_count,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	job_signal(&self->job, self->timeline, 1);
	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_signals);
}

/* It waits for a job that has failed. */
static int judge_job_flags(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	int status;

	if (ret)
		return ret == -EOPNOTSUPP ? 2 : MIXED;
	status = job_end(self, point);
	if (status == -ECANCELED)
		return is_filled(self, 0, 0) ? 1 : MIXED;
	return !status && is_filled(self, 0, contents[0]) ? 0 : MIXED;
}

TEST_F_TIMEOUT(fetch, job_flags, LONG_TEST_S)
{
	static const __u64 values[] = {
		0, ACCEL_JOB_CANCEL_ON_ERROR, UNKNOWN_FLAG,
	};
	struct change c = {
		.word = &self->uapi.flags,
		.values = values,
		.count = ARRAY_LEN(values),
	};
	struct test_job fail = job_fail(-EIO);
	struct accel_queue_create other;

	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	ASSERT_EQ(-EIO, job_run(self->fd, &other, &fail));
	job_wait(&self->job, other.timeline, 1);
	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_job_flags);
}

static int judge_pointer(FIXTURE_DATA(fetch) * self, int ret, __u64 point)
{
	if (ret)
		return ret == -EFAULT ? 2 : MIXED;
	return judge_source(self, 0, point);
}

TEST_F_TIMEOUT(fetch, command_pointer, LONG_TEST_S)
{
	struct test_job second = self->job;
	const __u64 values[] = {
		ptr_to_u64(&self->job.cmd), ptr_to_u64(&second.cmd), 0,
	};
	struct change c = {
		.pointer = &self->uapi.cmd_ptr,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	second.cmd.copy.src_bo = job_bo(&self->job, self->src[1].id,
					ACCEL_BO_READ);
	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_pointer);
}

TEST_F_TIMEOUT(fetch, bos_pointer, LONG_TEST_S)
{
	struct test_job second = job_copy(self->src[1].id, 0, self->dst[0].id,
					  0, PAGE);
	const __u64 values[] = {
		ptr_to_u64(self->job.bos), ptr_to_u64(second.bos), 0,
	};
	struct change c = {
		.pointer = &self->uapi.bos_ptr,
		.values = values,
		.count = ARRAY_LEN(values),
	};

	self->uapi = job_uapi(&self->job);
	submit_while_changing(_metadata, self, &c, judge_pointer);
}

TEST_HARNESS_MAIN
