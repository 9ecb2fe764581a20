// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each ioctl does when the device has gone. Made from ACCEL_IOCTL_TABLE, so that
 * an ioctl of which this is not said does not compile.
 */
#include "unplug_fixture.h"

/* Each ioctl as it must succeed while the device is there. */
static int call_query(FIXTURE_DATA(unplug) *self)
{
	struct accel_query_device dev;

	return query_device(self->fd, &dev);
}

static int call_destroy(FIXTURE_DATA(unplug) *self)
{
	__u32 id = self->unpromised;

	self->unpromised = self->timeline;
	return destroy(self->fd, id);
}

static int call_client_name(FIXTURE_DATA(unplug) *self)
{
	struct accel_client_name name = {
		.size = sizeof(name),
		.name_size = 6,
		.name_ptr = ptr_to_u64("unplug"),
	};

	return accel_ioctl(self->fd, ACCEL_IOCTL_CLIENT_NAME, &name);
}

static int call_bo_create(FIXTURE_DATA(unplug) *self)
{
	struct accel_bo_create bo;

	return bo_create(self->fd, 0, PAGE, &bo);
}

static _Alignas(PAGE) __u8 page[PAGE];

/* edu does not reach all of memory, and says so as long as it is there. */
static int call_bo_userptr(FIXTURE_DATA(unplug) *self)
{
	const bool edu = self->short_engine == ACCEL_EDU_ENGINE_FACTORIAL;
	struct accel_bo_userptr userptr = {
		.size = sizeof(userptr),
		.addr = ptr_to_u64(page),
		.length = sizeof(page),
	};
	int ret = accel_ioctl(self->fd, ACCEL_IOCTL_BO_USERPTR, &userptr);

	return edu && ret == -EOPNOTSUPP ? 0 : ret;
}

static int call_bo_import(FIXTURE_DATA(unplug) *self)
{
	struct accel_bo_import import;

	return bo_import(self->fd, self->dma_buf, &import);
}

static int call_bo_export(FIXTURE_DATA(unplug) *self)
{
	int ret = bo_export(self->fd, self->src.id, 0);

	return ret < 0 ? ret : close(ret);
}

static int call_bo_info(FIXTURE_DATA(unplug) *self)
{
	struct accel_bo_info info = { .size = sizeof(info), .id = self->bo.id };

	return accel_ioctl(self->fd, ACCEL_IOCTL_BO_INFO, &info);
}

static int call_bo_sync(FIXTURE_DATA(unplug) *self)
{
	return bo_sync(self->fd, self->bo.id, ACCEL_SYNC_READ, 0) ?:
	       bo_sync(self->fd, self->bo.id,
		       ACCEL_SYNC_READ | ACCEL_SYNC_END, 0);
}

static int call_bo_advise(FIXTURE_DATA(unplug) *self)
{
	__u32 retained;

	return bo_advise(self->fd, self->bo.id, ACCEL_ADVISE_WILLNEED,
			 &retained);
}

static int call_queue_create(FIXTURE_DATA(unplug) *self)
{
	struct accel_queue_create queue;

	return queue_create(self->fd, 0, 0, &queue);
}

static int call_queue_info(FIXTURE_DATA(unplug) *self)
{
	struct accel_queue_info info;

	return queue_info(self->fd, self->done.id, &info);
}

static int call_submit(FIXTURE_DATA(unplug) *self)
{
	bool edu = self->short_engine == ACCEL_EDU_ENGINE_FACTORIAL;
	struct test_job job = job_short(self->src.id, edu);
	__u64 point;

	return submit_one(self->fd, self->done.id, &job, &point);
}

static int call_timeline_create(FIXTURE_DATA(unplug) *self)
{
	__u32 id;

	return timeline_create(self->fd, 0, &id);
}

static int call_timeline_signal(FIXTURE_DATA(unplug) *self)
{
	struct accel_timeline_query query;

	return timeline_query(self->fd, self->timeline, 0, &query) ?:
	       timeline_signal(self->fd, self->timeline, query.promised + 1);
}

static int call_timeline_query(FIXTURE_DATA(unplug) *self)
{
	struct accel_timeline_query query;

	return timeline_query(self->fd, self->timeline, 1, &query);
}

static int call_timeline_wait(FIXTURE_DATA(unplug) *self)
{
	__s32 status;

	return point_wait_until(self->fd, self->timeline, 1, 0, &status);
}

static int call_timeline_export(FIXTURE_DATA(unplug) *self)
{
	int ret = sync_file_export(self->fd, self->timeline, 0);

	return ret < 0 ? ret : close(ret);
}

static int call_timeline_import(FIXTURE_DATA(unplug) *self)
{
	__u32 id;

	return timeline_import(self->fd, self->timeline_fd, &id);
}

/* What works when the device has gone; all that is not here must not. */
#define WORKS_DESTROY		true
#define WORKS_TIMELINE_QUERY	true
#define WORKS_TIMELINE_WAIT	true
#define WORKS_QUERY		false
#define WORKS_CLIENT_NAME	false
#define WORKS_BO_CREATE		false
#define WORKS_BO_USERPTR	false
#define WORKS_BO_IMPORT		false
#define WORKS_BO_EXPORT		false
#define WORKS_BO_INFO		false
#define WORKS_BO_SYNC		false
#define WORKS_BO_ADVISE		false
#define WORKS_QUEUE_CREATE	false
#define WORKS_QUEUE_INFO	false
#define WORKS_SUBMIT		false
#define WORKS_TIMELINE_CREATE	false
#define WORKS_TIMELINE_SIGNAL	false
#define WORKS_TIMELINE_EXPORT	false
#define WORKS_TIMELINE_IMPORT	false

static const struct {
	char name[32];
	bool works;
	int (*call)(FIXTURE_DATA(unplug) *self);
} calls[] = {
#define X(NAME, _name, nr, last)	{ #NAME, WORKS_##NAME, call_##_name },
	ACCEL_IOCTL_TABLE(X)
#undef X
};

TEST_F_TIMEOUT(unplug, ioctls, LONG_TEST_S)
{
	struct accel_vaccel_release release = { .size = sizeof(release) };
	const int own = variant->edu ? -ENOTTY : -EAGAIN;
	size_t i;

	ASSERT_EQ(0, create_all(self));
	self->dma_buf = bo_export(self->fd, self->src.id, 0);
	ASSERT_LE(0, self->dma_buf);
	self->timeline_fd = timeline_export(self->fd, self->timeline, 0);
	ASSERT_LE(0, self->timeline_fd);
	release.queue = self->running.id;
	for (i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].call != call_timeline_wait)
			EXPECT_EQ(0, calls[i].call(self)) {
				TH_LOG("%s", calls[i].name);
			}
	EXPECT_EQ(0, call_timeline_wait(self));
	EXPECT_EQ(own, accel_ioctl(self->fd, ACCEL_IOCTL_VACCEL_RELEASE,
				   &release));
	/* A fresh one for DESTROY to have something to end. */
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->unpromised));

	ASSERT_EQ(0, take_away(self, variant->way));
	for (i = 0; i < ARRAY_LEN(calls); i++)
		EXPECT_EQ(calls[i].works ? 0 : -ENODEV, calls[i].call(self)) {
			TH_LOG("%s", calls[i].name);
		}
	EXPECT_EQ(-ENODEV, accel_ioctl(self->fd, ACCEL_IOCTL_VACCEL_RELEASE,
				       &release));
	/* What is found out without the device is still told. */
	EXPECT_EQ(-ENOENT, destroy(self->fd, 0));
	release.size = 0;
	EXPECT_EQ(-EINVAL, accel_ioctl(self->fd, ACCEL_IOCTL_DESTROY, &release));
	EXPECT_EQ(-EINVAL, accel_ioctl(self->fd, ACCEL_IOCTL_SUBMIT, &release));
	EXPECT_EQ(0, close(self->dma_buf));
	EXPECT_EQ(0, close(self->timeline_fd));
}

TEST_HARNESS_MAIN
