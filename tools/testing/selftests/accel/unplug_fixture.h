/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests for each way in which each device can go: it is found, opened, and after the
 * test it is back at its old number.
 */
#ifndef SELFTESTS_ACCEL_UNPLUG_FIXTURE_H
#define SELFTESTS_ACCEL_UNPLUG_FIXTURE_H

#include "unplug.h"

#define BO_LENGTH	65536
#define PAGE		4096

/*
 * An edu takes six seconds for each, however slow the emulated processors are: these
 * last as long as a test may.
 */
#define LONG_JOBS	50

FIXTURE(unplug)
{
	struct plug plug;
	int minor;
	int fd;
	bool gone;
	struct accel_query_device dev;
	__u32 long_engine;	/* whose jobs last */
	__u32 short_engine;	/* whose jobs do not */
	struct accel_queue_create running, pending, held, done, more;
	struct accel_bo_create bo, src;
	int dma_buf;
	int timeline_fd;
	__u32 timeline;
	__u32 unpromised;
};

FIXTURE_VARIANT(unplug)
{
	bool edu;
	enum unplug_way way;
};

FIXTURE_VARIANT_ADD(unplug, vaccel_unbind) { .edu = false, .way = UNBIND };
FIXTURE_VARIANT_ADD(unplug, vaccel_unload) { .edu = false, .way = UNLOAD };
FIXTURE_VARIANT_ADD(unplug, edu_unbind) { .edu = true, .way = UNBIND };
FIXTURE_VARIANT_ADD(unplug, edu_unload) { .edu = true, .way = UNLOAD };
#if __SIZEOF_LONG__ == 8
/* The slot does not know what kind of program has the device open. */
FIXTURE_VARIANT_ADD(unplug, edu_device_del) { .edu = true, .way = DEVICE_DEL };
#endif

FIXTURE_SETUP(unplug)
{
	int ret;

	self->fd = -1;
	ret = variant->edu ? plug_find_edu(&self->plug) :
			     plug_find_vaccel(&self->plug);
	if (ret && variant->edu)
		SKIP(return, "no accel_edu device: it is NOT unplugged");
	ASSERT_EQ(0, ret);
	if (variant->way == UNLOAD && access("/sys/module/accel/refcnt", F_OK))
		SKIP(return, "no modules: they are NOT unloaded");
	if (variant->way == DEVICE_DEL && !self->plug.slot)
		SKIP(return, "no slot or no port \"qmp\": it is NOT taken out");

	ASSERT_EQ(0, census_total());
	self->minor = plug_minor(&self->plug);
	ASSERT_LE(0, self->minor);
	self->fd = minor_open(self->minor);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, query_device(self->fd, &self->dev));
	self->long_engine = variant->edu ? ACCEL_EDU_ENGINE_DMA : 0;
	self->short_engine = variant->edu ? ACCEL_EDU_ENGINE_FACTORIAL : 1;
}

/* The device is back at its old number, and takes work. */
FIXTURE_TEARDOWN(unplug)
{
	struct accel_query_device dev;
	int fd;

	if (self->fd < 0)
		return;
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, census_total());
	if (!self->gone)
		return;
	ASSERT_EQ(0, plug_in(&self->plug, variant->way));
	EXPECT_EQ(self->minor, plug_minor(&self->plug));
	fd = minor_open(self->minor);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, query_device(fd, &dev));
	if (!variant->edu)
		EXPECT_EQ(0, engines_flush(fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_total());
}

static inline int take_away(FIXTURE_DATA(unplug) *self, enum unplug_way way)
{
	self->gone = true;
	tally(1, "hot-unplugs");
	return unplug(&self->plug, way);
}

static inline struct test_job job_short(__u32 bo, bool edu)
{
	struct test_job job = {};

	if (!edu)
		return job_fill(bo, 0, PAGE, 7);
	job.cmd_size = sizeof(job.cmd.factorial);
	job.cmd.factorial.value = 10;
	job.cmd.factorial.bo = job_bo(&job, bo, ACCEL_BO_WRITE);
	return job;
}

/* Runs until it is told to stop, or for seconds. */
static inline struct test_job job_long(const FIXTURE_DATA(unplug) *self, bool edu)
{
	struct test_job job = {};

	if (!edu) {
		job = job_hang();
		job_bo(&job, self->bo.id, ACCEL_BO_WRITE);
		return job;
	}
	job.cmd_size = sizeof(job.cmd.dma);
	job.cmd.dma.op = ACCEL_EDU_DMA_COPY;
	job.cmd.dma.src_bo = job_bo(&job, self->src.id, ACCEL_BO_READ);
	job.cmd.dma.dst_bo = job_bo(&job, self->bo.id, ACCEL_BO_WRITE);
	job.cmd.dma.length = BO_LENGTH;
	return job;
}

/* One that runs and others behind it, the last of which promises point 10. */
static inline int submit_long(FIXTURE_DATA(unplug) *self, bool edu)
{
	struct test_job job = job_long(self, edu);
	struct accel_submit sub;
	__u64 point;
	int ret;

	ret = submit_repeated(self->fd, self->running.id, &job, LONG_JOBS - 1,
			      &sub);
	if (ret)
		return ret;
	job_signal(&job, self->timeline, 10);
	ret = submit_one(self->fd, self->running.id, &job, &point);
	return ret ?: point == LONG_JOBS ? 0 : -EPROTO;
}

static inline int create_all(FIXTURE_DATA(unplug) *self)
{
	const __u32 timeout_ms = self->dev.timeout_max_ms;

	return queue_create(self->fd, self->long_engine, timeout_ms,
			    &self->running) ?:
	       queue_create(self->fd, self->short_engine, timeout_ms,
			    &self->pending) ?:
	       queue_create(self->fd, self->short_engine, timeout_ms,
			    &self->held) ?:
	       queue_create(self->fd, self->short_engine, timeout_ms,
			    &self->done) ?:
	       queue_create(self->fd, self->short_engine, timeout_ms,
			    &self->more) ?:
	       bo_create(self->fd, 0, BO_LENGTH, &self->bo) ?:
	       bo_create(self->fd, 0, BO_LENGTH, &self->src) ?:
	       timeline_create(self->fd, 0, &self->timeline) ?:
	       timeline_create(self->fd, 0, &self->unpromised);
}

#endif /* SELFTESTS_ACCEL_UNPLUG_FIXTURE_H */
