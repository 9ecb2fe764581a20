// SPDX-License-Identifier: GPL-2.0-only
/*
 * sync_files: jobs wait for those of others, and others for ours; points that are
 * reached by them; and who may be gone meanwhile.
 */
#include "sync.h"
#include "unplug.h"

FIXTURE(sync)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue[2];
	__u32 timeline;
	int line;
};

FIXTURE_SETUP(sync)
{
	int i;

	self->fd = -1;
	self->line = sw_sync_open();
	if (self->line == -ENOENT)
		SKIP(return, SW_SYNC_MISSING);
	ASSERT_LE(0, self->line);
	accel_setup(_metadata, &self->fd, &self->dev);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, queue_create(self->fd, i, self->dev.timeout_max_ms,
					  &self->queue[i]));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
}

FIXTURE_TEARDOWN(sync)
{
	if (self->line >= 0)
		EXPECT_EQ(0, close(self->line));
	accel_teardown(_metadata, self->fd);
}

static int submit_after(int fd, __u32 queue, int sync, __u32 flags, __u64 *point)
{
	struct test_job job = job_nop();

	job_wait_sync_file(&job, sync);
	job.flags = flags;
	return submit_one(fd, queue, &job, point);
}

static int submit_failing(int fd, __u32 queue, int error, __u64 *point)
{
	struct test_job job = job_fail(error);

	return submit_one(fd, queue, &job, point);
}

TEST_F(sync, point_of_a_queue)
{
	__u64 point;
	int sync[2], i;

	ASSERT_EQ(0, submit_hang(self->fd, self->queue[0].id, &point));
	for (i = 0; i < 2; i++) {
		sync[i] = sync_file_export(self->fd, self->queue[0].timeline,
					   point);
		ASSERT_LE(0, sync[i]);
		EXPECT_EQ(FD_CLOEXEC, fcntl(sync[i], F_GETFD));
		EXPECT_UNSIGNALLED(sync[i]);
	}
	ASSERT_EQ(0, hang_release(self->fd, self->queue[0].id));
	for (i = 0; i < 2; i++) {
		EXPECT_SYNC(1, sync[i]);
		EXPECT_EQ(0, close(sync[i]));
	}

	/* It is reached, or failed, before anybody asks. */
	sync[0] = sync_file_export(self->fd, self->queue[0].timeline, point);
	ASSERT_LE(0, sync[0]);
	EXPECT_SYNC(1, sync[0]);
	EXPECT_EQ(0, close(sync[0]));
	ASSERT_EQ(0, submit_failing(self->fd, self->queue[0].id, -EDOM, &point));
	EXPECT_POINT(-EDOM, self->fd, self->queue[0].timeline, point);
	sync[0] = sync_file_export(self->fd, self->queue[0].timeline, point);
	ASSERT_LE(0, sync[0]);
	EXPECT_SYNC(-EDOM, sync[0]);
	EXPECT_EQ(0, close(sync[0]));
}

/* Destroying the queue is an end, and what there will never be has ended too. */
TEST_F(sync, point_of_a_destroyed_queue)
{
	__u64 point;
	int sync, late;

	ASSERT_EQ(0, submit_hang(self->fd, self->queue[0].id, &point));
	sync = sync_file_export(self->fd, self->queue[0].timeline, point);
	ASSERT_LE(0, sync);
	ASSERT_EQ(0, destroy(self->fd, self->queue[0].id));
	EXPECT_SYNC(-ECANCELED, sync);
	late = sync_file_export(self->fd, self->queue[0].timeline, point + 1);
	ASSERT_LE(0, late);
	EXPECT_SYNC(-ECANCELED, late);
	EXPECT_EQ(0, close(late));
	EXPECT_EQ(0, close(sync));
}

/* What depends on userspace is no fence. */
TEST_F(sync, not_of_held_jobs)
{
	const __u32 queue = self->queue[0].id, points = self->queue[0].timeline;
	__s64 deadline = deadline_ms(WAIT_MS);
	struct test_job held = job_nop();
	__u32 promised;
	__u64 point;
	int sync, i;

	ASSERT_EQ(0, timeline_create(self->fd, 0, &promised));
	EXPECT_EQ(-EAGAIN, sync_file_export(self->fd, points, 1));
	EXPECT_EQ(-EAGAIN, sync_file_export(self->fd, self->timeline, 1));
	job_wait(&held, self->timeline, 1);
	job_signal(&held, promised, 5);
	ASSERT_EQ(0, submit_one(self->fd, queue, &held, &point));
	ASSERT_EQ(0, submit_nop(self->fd, queue, &point));
	ASSERT_EQ(0, engines_flush(self->fd));
	for (i = 1; i <= 3; i++)
		EXPECT_EQ(-EAGAIN, sync_file_export(self->fd, points, i));
	EXPECT_EQ(-EAGAIN, sync_file_export(self->fd, promised, 5));
	EXPECT_EQ(-EAGAIN, sync_file_export(self->fd, promised, 1));
	/* What was never in doubt is. */
	sync = sync_file_export(self->fd, promised, 0);
	ASSERT_LE(0, sync);
	EXPECT_SYNC(1, sync);
	EXPECT_EQ(0, close(sync));

	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 1));
	do {
		sync = sync_file_export(self->fd, promised, 5);
	} while (sync == -EAGAIN && now_ns() < deadline);
	ASSERT_LE(0, sync);
	EXPECT_SYNC(1, sync);
	EXPECT_EQ(0, close(sync));
	EXPECT_POINT(0, self->fd, points, 2);
}

TEST_F(sync, point_of_a_timeline)
{
	struct test_job job = job_hang();
	int sync[3], i;
	__u64 point;

	job_signal(&job, self->timeline, 5);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	for (i = 0; i < 3; i++) {
		sync[i] = sync_file_export(self->fd, self->timeline, 3 + i);
		ASSERT_LE(0, sync[i]);
		EXPECT_UNSIGNALLED(sync[i]);
	}
	EXPECT_EQ(-EAGAIN, sync_file_export(self->fd, self->timeline, 6));
	/* Nobody has to wait for one that was asked for. */
	EXPECT_EQ(0, close(sync[2]));
	ASSERT_EQ(0, destroy(self->fd, self->queue[0].id));
	for (i = 0; i < 2; i++) {
		EXPECT_SYNC(-ECANCELED, sync[i]);
		EXPECT_EQ(0, close(sync[i]));
	}
	ASSERT_EQ(0, timeline_signal(self->fd, self->timeline, 6));
	sync[0] = sync_file_export(self->fd, self->timeline, 6);
	ASSERT_LE(0, sync[0]);
	EXPECT_SYNC(1, sync[0]);
	EXPECT_EQ(0, close(sync[0]));
}

TEST_F(sync, job_waits_for_another_driver)
{
	int sync = sw_sync_fence(self->line, 1);
	__u64 point;

	ASSERT_LE(0, sync);
	ASSERT_EQ(0, submit_after(self->fd, self->queue[0].id, sync, 0, &point));
	/* The job has it. */
	EXPECT_EQ(0, close(sync));
	ASSERT_EQ(0, engines_flush(self->fd));
	EXPECT_PENDING(self->fd, self->queue[0].timeline, point);
	/* It is not held: the other driver has promised. */
	sync = sync_file_export(self->fd, self->queue[0].timeline, point);
	ASSERT_LE(0, sync);
	EXPECT_UNSIGNALLED(sync);
	ASSERT_EQ(0, sw_sync_inc(self->line, 1));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, point);
	EXPECT_SYNC(1, sync);
	EXPECT_EQ(0, close(sync));
}

TEST_F(sync, job_waits_for_what_fails)
{
	const __u32 points = self->queue[0].timeline;
	__u64 plain, cancelled, late;
	int sync;

	sync = sw_sync_fence(self->line, 1);
	ASSERT_LE(0, sync);
	ASSERT_EQ(0, submit_after(self->fd, self->queue[0].id, sync, 0, &plain));
	ASSERT_EQ(0, submit_after(self->fd, self->queue[0].id, sync,
				  ACCEL_JOB_CANCEL_ON_ERROR, &cancelled));
	ASSERT_EQ(0, close(self->line));
	self->line = -1;
	EXPECT_POINT(0, self->fd, points, plain);
	EXPECT_POINT(-ECANCELED, self->fd, points, cancelled);
	ASSERT_EQ(0, submit_after(self->fd, self->queue[0].id, sync,
				  ACCEL_JOB_CANCEL_ON_ERROR, &late));
	EXPECT_POINT(-ECANCELED, self->fd, points, late);
	EXPECT_EQ(0, close(sync));
}

/* Merged fences are one; the error of any is its error. */
TEST_F(sync, merged)
{
	const __u32 queue = self->queue[1].id, points = self->queue[1].timeline;
	int own, foreign, both;
	__u64 hang, waiting, cancelled;

	foreign = sw_sync_fence(self->line, 1);
	ASSERT_LE(0, foreign);
	ASSERT_EQ(0, submit_hang(self->fd, self->queue[0].id, &hang));
	own = sync_file_export(self->fd, self->queue[0].timeline, hang);
	ASSERT_LE(0, own);
	both = sync_merge(own, foreign);
	ASSERT_LE(0, both);
	ASSERT_EQ(0, submit_after(self->fd, queue, both, 0, &waiting));
	ASSERT_EQ(0, sw_sync_inc(self->line, 1));
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, points, waiting);
	EXPECT_UNSIGNALLED(both);
	/* Nobody has asked the second for its end when it comes. */
	ASSERT_EQ(0, destroy(self->fd, self->queue[0].id));
	EXPECT_POINT(0, self->fd, points, waiting);
	ASSERT_EQ(0, submit_after(self->fd, queue, both,
				  ACCEL_JOB_CANCEL_ON_ERROR, &cancelled));
	EXPECT_POINT(-ECANCELED, self->fd, points, cancelled);
	EXPECT_EQ(0, close(both));
	EXPECT_EQ(0, close(own));
	EXPECT_EQ(0, close(foreign));
}

TEST_F(sync, refused)
{
	struct accel_submit_job uapi;
	struct test_job job = job_nop();
	struct accel_submit sub;
	int sync, other, i;
	__u64 point;

	sync = sw_sync_fence(self->line, 1);
	other = timeline_export(self->fd, self->timeline, 0);
	ASSERT_LE(0, sync);
	ASSERT_LE(0, other);
	const int bad[] = { -1, INT_MAX, self->fd, self->line, other };

	job_wait_sync_file(&job, sync);
	for (i = 0; i < (int)ARRAY_LEN(bad); i++) {
		job.wait_count = 1;
		job_wait_sync_file(&job, bad[i]);
		EXPECT_EQ(-EBADF, submit_one(self->fd, self->queue[0].id, &job,
					     &point));
	}
	job.waits[1] = job.waits[0];
	job.waits[1].value = 1;
	uapi = job_uapi(&job);
	EXPECT_EQ(-EINVAL, submit(self->fd, self->queue[0].id, &uapi, 1, &sub));
	EXPECT_EQ(-EBADF, sync_file_import(self->fd, other, self->timeline, 1));
	EXPECT_EQ(-EBADF, sync_file_import(self->fd, -1, self->timeline, 1));
	EXPECT_EQ(-EINVAL, sync_file_import(self->fd, sync, self->timeline, 0));
	EXPECT_EQ(-ENOENT, sync_file_import(self->fd, sync, self->queue[0].id, 1));
	EXPECT_EQ(-EPERM, sync_file_import(self->fd, sync,
					   self->queue[0].timeline, 1));
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(0, close(sync));
}

/* The file is closed while its jobs and points wait for what never comes. */
TEST_F(sync, closed_while_it_waits)
{
	const unsigned int count = rounds(20, 500);
	struct accel_queue_create queue;
	unsigned int i;
	__u32 timeline;
	int sync, fd;
	__u64 point;

	for (i = 0; i < count; i++) {
		sync = sw_sync_fence(self->line, 1000000);
		ASSERT_LE(0, sync);
		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
		ASSERT_EQ(0, timeline_create(fd, 0, &timeline));
		ASSERT_EQ(0, submit_after(fd, queue.id, sync, 0, &point));
		ASSERT_EQ(0, sync_file_import(fd, sync, timeline, 1));
		EXPECT_EQ(0, close(fd));
		if (i % 2)
			EXPECT_EQ(0, close(sync));
	}
	/* Now it does come. */
	ASSERT_EQ(0, sw_sync_inc(self->line, 1000000));
	ASSERT_EQ(0, engines_flush(self->fd));
}

TEST_F(sync, point_by_another_driver)
{
	struct test_job job = job_nop();
	int sync[3], own, i;
	__u64 point;

	job_wait(&job, self->timeline, 2);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	for (i = 0; i < 3; i++) {
		sync[i] = sw_sync_fence(self->line, 1 + i);
		ASSERT_LE(0, sync[i]);
		ASSERT_EQ(0, sync_file_import(self->fd, sync[i], self->timeline,
					      1 + i));
		EXPECT_EQ(0, close(sync[i]));
	}
	EXPECT_EQ(-EINVAL, timeline_signal(self->fd, self->timeline, 3));
	own = sync_file_export(self->fd, self->timeline, 3);
	ASSERT_LE(0, own);
	ASSERT_EQ(0, sw_sync_inc(self->line, 1));
	EXPECT_POINT(0, self->fd, self->timeline, 1);
	EXPECT_PENDING(self->fd, self->timeline, 2);
	EXPECT_PENDING(self->fd, self->queue[0].timeline, point);
	ASSERT_EQ(0, sw_sync_inc(self->line, 1));
	EXPECT_POINT(0, self->fd, self->queue[0].timeline, point);
	EXPECT_UNSIGNALLED(own);
	ASSERT_EQ(0, close(self->line));
	self->line = -1;
	EXPECT_POINT(-ENOENT, self->fd, self->timeline, 3);
	EXPECT_SYNC(-ENOENT, own);
	EXPECT_EQ(0, close(own));
}

/* A promise is kept for no longer than the id it was made with. */
TEST_F(sync, promise_of_a_destroyed_id)
{
	int sync, own;

	sync = sw_sync_fence(self->line, 1);
	ASSERT_LE(0, sync);
	ASSERT_EQ(0, sync_file_import(self->fd, sync, self->timeline, 1));
	own = sync_file_export(self->fd, self->timeline, 1);
	ASSERT_LE(0, own);
	ASSERT_EQ(0, destroy(self->fd, self->timeline));
	EXPECT_SYNC(-ECANCELED, own);
	ASSERT_EQ(0, sw_sync_inc(self->line, 1));
	EXPECT_EQ(0, close(own));
	EXPECT_EQ(0, close(sync));
}

/* A job of one device waits for one of another's, by sync_file. */
TEST_F(sync, two_devices)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.factorial) };
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct plug plug;
	__u64 first, second, point;
	int edu, sync;

	if (plug_find_edu(&plug))
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	edu = minor_open(plug_minor(&plug));
	ASSERT_LE(0, edu);
	ASSERT_EQ(0, queue_create(edu, ACCEL_EDU_ENGINE_FACTORIAL, 0, &queue));
	ASSERT_EQ(0, bo_create(edu, 0, 4096, &bo));

	/* There. */
	ASSERT_EQ(0, submit_hang(self->fd, self->queue[0].id, &first));
	sync = sync_file_export(self->fd, self->queue[0].timeline, first);
	ASSERT_LE(0, sync);
	job.cmd.factorial.bo = job_bo(&job, bo.id, ACCEL_BO_WRITE);
	job_wait_sync_file(&job, sync);
	ASSERT_EQ(0, submit_one(edu, queue.id, &job, &second));
	EXPECT_EQ(0, close(sync));
	EXPECT_PENDING(edu, queue.timeline, second);

	/* And back. */
	sync = sync_file_export(edu, queue.timeline, second);
	ASSERT_LE(0, sync);
	ASSERT_EQ(0, submit_after(self->fd, self->queue[1].id, sync, 0, &point));
	EXPECT_EQ(0, close(sync));
	ASSERT_EQ(0, hang_release(self->fd, self->queue[0].id));
	EXPECT_POINT(0, self->fd, self->queue[1].timeline, point);
	EXPECT_POINT(0, edu, queue.timeline, second);
	EXPECT_EQ(0, close(edu));
}

/* The device goes; who has a fence of it hears, and can ask as long as he likes. */
TEST_F(sync, unbound)
{
	struct test_job job = job_hang();
	int sync[3], foreign, i;
	__u64 point;

	foreign = sw_sync_fence(self->line, 1);
	ASSERT_LE(0, foreign);
	job_signal(&job, self->timeline, 5);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	ASSERT_EQ(0, sync_file_import(self->fd, foreign, self->timeline, 6));
	sync[0] = sync_file_export(self->fd, self->queue[0].timeline, point);
	sync[1] = sync_file_export(self->fd, self->timeline, 5);
	sync[2] = sync_file_export(self->fd, self->timeline, 6);
	ASSERT_EQ(0, vaccel_unbind());
	for (i = 0; i < 3; i++) {
		ASSERT_LE(0, sync[i]);
		EXPECT_SYNC(-ENODEV, sync[i]);
	}
	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
	ASSERT_EQ(0, vaccel_bind());
	/* The other driver had nobody to tell any more. */
	ASSERT_EQ(0, sw_sync_inc(self->line, 1));
	EXPECT_EQ(0, census_total());
	for (i = 0; i < 3; i++) {
		EXPECT_SYNC(-ENODEV, sync[i]);
		EXPECT_EQ(0, close(sync[i]));
	}
	EXPECT_EQ(0, close(foreign));
}

/* In the order in which they are loaded, so that each gets the number it had. */
static const char *const modules[] = {
	"accel_edu", "accel_vaccel", "accel_mini", "accel"
};

#define MODULE_CORE	(ARRAY_LEN(modules) - 1)

/* The driver of the driver guide is not among the tree's. */
static int open_module(const char *name)
{
	const char *mini = getenv("ACCEL_MINI");
	int fd;

	if (strcmp(name, "accel_mini") || !mini)
		return module_open(name);
	fd = open(mini, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A file of each, -ENOENT for one that is not loaded. */
static int open_modules(int files[ARRAY_LEN(modules)])
{
	char path[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(modules); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt", modules[i]);
		files[i] = path_exists(path) ? open_module(modules[i]) : -ENOENT;
		if (files[i] < 0 && files[i] != -ENOENT)
			return files[i];
	}
	return files[MODULE_CORE] < 0 ? -ENOENT : 0;
}

/* Whoever has the core in use gives it up after RCU's next grace period. */
static int unload_core(void)
{
	__s64 deadline = deadline_ms(WAIT_MS);
	int ret;

	do {
		ret = module_unload(modules[MODULE_CORE]);
	} while (ret == -EAGAIN && now_ns() < deadline && !usleep(1000));
	return ret;
}

/* Drivers are unloaded under their fences; the core is when the last is gone. */
TEST_F_TIMEOUT(sync, module, LONG_TEST_S)
{
	struct test_job job = job_hang();
	int files[ARRAY_LEN(modules)];
	int sync[2], ret, i;
	__u64 point;

	ret = open_modules(files);
	if (ret == -ENOENT)
		SKIP(return, "accel is not a module");
	ASSERT_EQ(0, ret);
	job_signal(&job, self->timeline, 5);
	ASSERT_EQ(0, submit_one(self->fd, self->queue[0].id, &job, &point));
	sync[0] = sync_file_export(self->fd, self->queue[0].timeline, point);
	sync[1] = sync_file_export(self->fd, self->timeline, 5);
	EXPECT_EQ(0, close(self->fd));
	self->fd = -1;
	for (i = 0; i < (int)MODULE_CORE; i++)
		if (files[i] >= 0)
			ASSERT_EQ(0, module_unload(modules[i]));
	for (i = 0; i < 2; i++) {
		ASSERT_LE(0, sync[i]);
		EXPECT_EQ(-EAGAIN, module_unload(modules[MODULE_CORE]));
		EXPECT_SYNC(-ECANCELED, sync[i]);
		EXPECT_EQ(0, close(sync[i]));
	}
	EXPECT_EQ(0, unload_core());
	EXPECT_EQ(0, module_load(files[MODULE_CORE]));
	for (i = 0; i < (int)MODULE_CORE; i++)
		if (files[i] >= 0)
			EXPECT_EQ(0, module_load(files[i]));
	for (i = 0; i < (int)ARRAY_LEN(modules); i++)
		if (files[i] >= 0)
			EXPECT_EQ(0, close(files[i]));
	EXPECT_EQ(0, wait_for_path(accel_path(), true));
}

TEST_HARNESS_MAIN
