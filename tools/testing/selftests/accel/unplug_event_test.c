// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who hears that the device goes, in all ways it can go: readers and pollers of the
 * open file, and those who have a sync_file, an eventfd or a queue's point page.
 */
#include "event.h"
#include "sync.h"
#include "unplug_fixture.h"

#include <sys/eventfd.h>

#define SRC_BYTE	0x5a

/* A reader and a poller, known to be asleep. */
static int sleepers_start(int fd, struct sleeper sleepers[2])
{
	sleepers[0] = (struct sleeper) { .fd = fd };
	sleepers[1] = (struct sleeper) { .fd = fd, .polls = true };
	return sleeper_start(&sleepers[0]) ?: sleeper_start(&sleepers[1]);
}

static int sleepers_join(struct sleeper sleepers[2])
{
	return pthread_join(sleepers[0].thread, NULL) ?:
	       pthread_join(sleepers[1].thread, NULL);
}

/* A job that never runs: what it waits for is given up by whoever could signal it. */
static int cancel_one(FIXTURE_DATA(unplug) *self, bool edu)
{
	struct test_job job = job_short(self->src.id, edu);
	__u64 point;

	job.flags = ACCEL_JOB_CANCEL_ON_ERROR;
	job_wait(&job, self->unpromised, 1);
	return submit_one(self->fd, self->done.id, &job, &point) ?:
	       destroy(self->fd, self->unpromised) ?:
	       (is_readable(self->fd, WAIT_MS) ? 0 : -ETIME);
}

/* Nothing comes any more, and nobody waits for it. */
static void expect_gone(struct __test_metadata *_metadata, int fd)
{
	struct accel_event event;

	EXPECT_EQ(-ENODEV, event_read(fd, &event, sizeof(event)));
	EXPECT_EQ(-EINVAL, event_read(fd, &event, sizeof(event) - 1));
	EXPECT_EQ(POLLIN | POLLHUP, event_poll(fd));
}

/* Who has nothing else to wait for is woken; who has not read yet is told all. */
TEST_F_TIMEOUT(unplug, events, LONG_TEST_S)
{
	struct accel_event events[4], *aborted = &events[1];
	struct sleeper sleepers[2];
	int idle;

	ASSERT_EQ(0, create_all(self));
	idle = minor_open(self->minor);
	ASSERT_LE(0, idle);
	ASSERT_EQ(0, sleepers_start(idle, sleepers));
	ASSERT_EQ(0, cancel_one(self, variant->edu));
	ASSERT_EQ(0, submit_long(self, variant->edu));

	ASSERT_EQ(0, take_away(self, variant->way));
	ASSERT_EQ(0, sleepers_join(sleepers));
	EXPECT_EQ(EVENT_SIZE, sleepers[0].ret);
	expect_is(_metadata, &sleepers[0].event, ACCEL_EVENT_GONE, 0, -ENODEV, 0,
		  1);
	EXPECT_EQ(POLLIN | POLLHUP, sleepers[1].ret);
	expect_gone(_metadata, idle);
	EXPECT_EQ(0, close(idle));

	EXPECT_EQ(POLLIN | POLLHUP, event_poll(self->fd));
	memset(events, 0xaa, sizeof(events));
	ASSERT_EQ(3 * EVENT_SIZE, event_read(self->fd, events, sizeof(events)));
	expect_is(_metadata, &events[0], ACCEL_EVENT_JOB_FAILED, self->done.id,
		  -ECANCELED, 1, 1);
	/* The first that did not come to its end, and all behind it. */
	expect_is(_metadata, aborted, ACCEL_EVENT_JOB_FAILED, self->running.id,
		  -ENODEV, aborted->point, LONG_JOBS + 1 - aborted->point);
	EXPECT_EQ(0, point_status(self->fd, self->running.timeline,
				  aborted->point - 1));
	EXPECT_EQ(-ENODEV, point_status(self->fd, self->running.timeline,
					aborted->point));
	expect_is(_metadata, &events[2], ACCEL_EVENT_GONE, 0, -ENODEV, 0, 1);
	expect_gone(_metadata, self->fd);
}

/* What somebody may have of a device's points. */
struct holds {
	int sync[LONG_JOBS];	/* of each job of the queue */
	int promised;		/* a sync_file of a point that the last promises */
	int event;
	const struct accel_point_page *page;
	const __u8 *dst;
};

static int export_fences(FIXTURE_DATA(unplug) *self, struct holds *holds)
{
	int i;

	for (i = 0; i < LONG_JOBS; i++) {
		holds->sync[i] = sync_file_export(self->fd,
						  self->running.timeline, i + 1);
		if (holds->sync[i] < 0)
			return holds->sync[i];
	}
	holds->promised = sync_file_export(self->fd, self->timeline, 10);
	if (holds->promised < 0)
		return holds->promised;
	holds->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return eventfd_export(self->fd, self->running.timeline, LONG_JOBS,
			      holds->event) ?:
	       eventfd_export(self->fd, self->timeline, 10, holds->event) ?:
	       eventfd_export(self->fd, self->unpromised, 1, holds->event);
}

static void *page_map(FIXTURE_DATA(unplug) *self)
{
	return mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd,
		    self->running.point_offset);
}

/*
 * What a job of the queue has come to, everybody says the same of. An edu may have
 * ended some, and then has done what they say.
 */
static void expect_held(struct __test_metadata *_metadata,
			const struct holds *holds)
{
	const __u64 failed = holds->page->failed;
	int i;

	EXPECT_EQ(LONG_JOBS, holds->page->completed);
	EXPECT_LE(1, failed);
	EXPECT_TRUE(failed == LONG_JOBS ||
		    holds->dst[BO_LENGTH - 1] == SRC_BYTE);
	for (i = 0; i < LONG_JOBS; i++) {
		EXPECT_TRUE(is_readable(holds->sync[i], 0));
		EXPECT_EQ(i + failed < LONG_JOBS ? 1 : -ENODEV,
			  sync_status(holds->sync[i]));
	}
	EXPECT_TRUE(is_readable(holds->promised, 0));
	EXPECT_EQ(-ENODEV, sync_status(holds->promised));
}

/* Reads what there is still to read; returns how many failures it told of. */
static __u64 read_rest(struct __test_metadata *_metadata, int fd,
		       struct accel_event event)
{
	__u64 count = 0;

	while (event.type == ACCEL_EVENT_JOB_FAILED) {
		EXPECT_EQ(-ENODEV, event.error);
		count += event.count;
		if (event_read(fd, &event, sizeof(event)) != EVENT_SIZE)
			break;
	}
	EXPECT_EQ(ACCEL_EVENT_GONE, event.type);
	return count;
}

TEST_F_TIMEOUT(unplug, fences, LONG_TEST_S)
{
	struct sleeper sleepers[2];
	struct holds holds;
	__u8 *src;
	__u64 told;
	int i;

	ASSERT_EQ(0, create_all(self));
	holds.page = page_map(self);
	holds.dst = bo_map(self->fd, &self->bo);
	src = bo_map(self->fd, &self->src);
	ASSERT_TRUE(holds.page != MAP_FAILED && holds.dst != MAP_FAILED &&
		    src != MAP_FAILED);
	memset(src, SRC_BYTE, BO_LENGTH);
	EXPECT_EQ(0, holds.dst[BO_LENGTH - 1]);
	ASSERT_EQ(0, submit_long(self, variant->edu));
	ASSERT_EQ(0, export_fences(self, &holds));
	ASSERT_EQ(0, sleepers_start(self->fd, sleepers));
	EXPECT_UNSIGNALLED(holds.sync[LONG_JOBS - 1]);
	EXPECT_UNSIGNALLED(holds.promised);
	EXPECT_FALSE(is_readable(holds.event, 0));

	ASSERT_EQ(0, take_away(self, variant->way));
	ASSERT_EQ(0, sleepers_join(sleepers));
	EXPECT_EQ(EVENT_SIZE, sleepers[0].ret);
	/* It may have been woken by the first of these, or by the last. */
	EXPECT_EQ(POLLIN, sleepers[1].ret & ~POLLHUP);
	EXPECT_EQ(holds.page->failed,
		  read_rest(_metadata, self->fd, sleepers[0].event));
	expect_gone(_metadata, self->fd);

	/* What is about to signal has, when the census has been read. */
	EXPECT_EQ(0, census_count("unsignalled_fences"));
	EXPECT_EQ(0, census_count("eventfds"));
	expect_held(_metadata, &holds);
	EXPECT_EQ(sizeof(told), read(holds.event, &told, sizeof(told)));
	EXPECT_EQ(3, told);
	EXPECT_EQ(MAP_FAILED, page_map(self));
	EXPECT_EQ(ENODEV, errno);

	/* All are good without the descriptor, and for longer. */
	EXPECT_EQ(0, close(self->fd));
	self->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect_held(_metadata, &holds);
	EXPECT_EQ(0, munmap((void *)holds.page, PAGE));
	EXPECT_EQ(0, munmap((void *)holds.dst, BO_LENGTH));
	EXPECT_EQ(0, munmap(src, BO_LENGTH));
	EXPECT_EQ(0, census_total());
	for (i = 0; i < LONG_JOBS; i++)
		EXPECT_EQ(0, close(holds.sync[i]));
	EXPECT_EQ(0, close(holds.promised));
	EXPECT_EQ(0, close(holds.event));
}

TEST_HARNESS_MAIN
