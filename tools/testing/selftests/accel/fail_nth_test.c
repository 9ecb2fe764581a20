// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl, and every other call on a node, with everything in it that can
 * fail. Generated from ACCEL_IOCTL_TABLE, so that an ioctl without a test does
 * not compile.
 */
#include "fail_nth.h"
#include "pins.h"

#define PAGE		4096

/* The driver's own ioctls fail in no other way. */
#define ALL_IOCTLS(X)			\
	ACCEL_IOCTL_TABLE(X)		\
	X(VACCEL_RELEASE,	vaccel_release,		0x80, queue)

union call_arg {
	__u32 size;
#define X(NAME, name, nr, last)	struct accel_##name name;
	ALL_IOCTLS(X)
#undef X
};

/* What a call writes. */
struct answer {
	union call_arg arg;
	struct accel_query_device device;
	__s32 status;
};

/* An open file, with an object for every argument. */
struct client {
	int fd;
	struct accel_bo_create bo;
	int dma_buf;
	int timeline_fd;
	struct accel_queue_create idle;
	struct accel_queue_create hung;
	__u32 timeline;
	struct test_job job;
	struct accel_submit_job uapi;
	struct accel_point point;
};

/* What a call that failed has left as it was. */
struct state {
	__u32 next_id;
	int next_fd;
	struct accel_queue_info idle;
	struct accel_queue_info hung;
	struct accel_timeline_query timeline;
	struct accel_query_region regions[2];
	char fdinfo[FDINFO_SIZE];
};

static void client_open(struct __test_metadata *_metadata, struct client *c)
{
	__u64 point;

	c->fd = accel_open();
	ASSERT_LE(0, c->fd);
	ASSERT_EQ(0, bo_create(c->fd, 0, PAGE, &c->bo));
	c->dma_buf = bo_export(c->fd, c->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, c->dma_buf);
	ASSERT_EQ(0, queue_create(c->fd, 0, 0, &c->idle));
	ASSERT_EQ(0, queue_create(c->fd, 1, 60000, &c->hung));
	ASSERT_EQ(0, submit_hang(c->fd, c->hung.id, &point));
	ASSERT_EQ(0, timeline_create(c->fd, 0, &c->timeline));

	c->timeline_fd = timeline_export(c->fd, c->timeline, 0);
	ASSERT_LE(0, c->timeline_fd);

	c->job = job_fill(c->bo.id, 0, PAGE, 0);
	job_wait(&c->job, c->hung.timeline, point);
	job_signal(&c->job, c->timeline, 1);
	c->uapi = job_uapi(&c->job);
	c->point = (struct accel_point) { .timeline = c->timeline };
}

static void state_get(struct __test_metadata *_metadata,
		      const struct client *c, struct state *state)
{
	struct accel_query query = {
		.size = sizeof(query),
		.topic = ACCEL_QUERY_REGIONS,
		.data_ptr = ptr_to_u64(state->regions),
		.data_size = sizeof(state->regions),
	};

	memset(state, 0, sizeof(*state));
	ASSERT_EQ(0, timeline_create(c->fd, 0, &state->next_id));
	ASSERT_EQ(0, destroy(c->fd, state->next_id));
	state->next_fd = next_fd();
	ASSERT_LE(0, state->next_fd);
	ASSERT_EQ(0, queue_info(c->fd, c->idle.id, &state->idle));
	ASSERT_EQ(0, queue_info(c->fd, c->hung.id, &state->hung));
	ASSERT_EQ(0, timeline_query(c->fd, c->timeline, 1, &state->timeline));
	ASSERT_EQ(0, accel_ioctl(c->fd, ACCEL_IOCTL_QUERY, &query));
	ASSERT_EQ(0, read_fdinfo(c->fd, state->fdinfo));
}

/* For each ioctl, arguments that it accepts. */
static void good_query(struct client *c, struct answer *answer)
{
	struct accel_query *arg = &answer->arg.query;

	arg->topic = ACCEL_QUERY_DEVICE;
	arg->data_ptr = ptr_to_u64(&answer->device);
	arg->data_size = sizeof(answer->device);
}

static void good_destroy(struct client *c, struct answer *answer)
{
	answer->arg.destroy.id = c->bo.id;
}

static void good_client_name(struct client *c, struct answer *answer)
{
	answer->arg.client_name.name_ptr = ptr_to_u64("label");
	answer->arg.client_name.name_size = strlen("label");
}

static void good_bo_create(struct client *c, struct answer *answer)
{
	answer->arg.bo_create.length = 1;
}

static _Alignas(4096) __u8 page[4096];

static void good_bo_userptr(struct client *c, struct answer *answer)
{
	answer->arg.bo_userptr.addr = ptr_to_u64(page);
	answer->arg.bo_userptr.length = sizeof(page);
}

static void good_bo_import(struct client *c, struct answer *answer)
{
	answer->arg.bo_import.fd = c->dma_buf;
}

/* To be read only: there is no such dma-buf of it yet. */
static void good_bo_export(struct client *c, struct answer *answer)
{
	answer->arg.bo_export.id = c->bo.id;
}

static void good_bo_info(struct client *c, struct answer *answer)
{
	answer->arg.bo_info.id = c->bo.id;
}

static void good_bo_sync(struct client *c, struct answer *answer)
{
	answer->arg.bo_sync.id = c->bo.id;
	answer->arg.bo_sync.flags = ACCEL_SYNC_READ;
}

static void good_bo_advise(struct client *c, struct answer *answer)
{
	answer->arg.bo_advise.id = c->bo.id;
	answer->arg.bo_advise.advice = ACCEL_ADVISE_WILLNEED;
}

static void good_queue_create(struct client *c, struct answer *answer)
{
}

static void good_queue_info(struct client *c, struct answer *answer)
{
	answer->arg.queue_info.id = c->idle.id;
}

static void good_submit(struct client *c, struct answer *answer)
{
	struct accel_submit *arg = &answer->arg.submit;

	arg->queue = c->idle.id;
	arg->job_count = 1;
	arg->jobs_ptr = ptr_to_u64(&c->uapi);
	arg->job_stride = sizeof(c->uapi);
}

static void good_timeline_create(struct client *c, struct answer *answer)
{
}

static void good_timeline_signal(struct client *c, struct answer *answer)
{
	answer->arg.timeline_signal.id = c->timeline;
	answer->arg.timeline_signal.value = 1;
}

static void good_timeline_query(struct client *c, struct answer *answer)
{
	answer->arg.timeline_query.id = c->timeline;
}

static void good_timeline_wait(struct client *c, struct answer *answer)
{
	struct accel_timeline_wait *arg = &answer->arg.timeline_wait;

	arg->points_ptr = ptr_to_u64(&c->point);
	arg->count = 1;
	arg->stride = sizeof(c->point);
	arg->statuses_ptr = ptr_to_u64(&answer->status);
}

static void good_timeline_export(struct client *c, struct answer *answer)
{
	answer->arg.timeline_export.id = c->timeline;
	answer->arg.timeline_export.type = ACCEL_FD_SYNC_FILE;
}

static void good_timeline_import(struct client *c, struct answer *answer)
{
	answer->arg.timeline_import.type = ACCEL_FD_TIMELINE;
	answer->arg.timeline_import.fd = c->timeline_fd;
}

static void good_vaccel_release(struct client *c, struct answer *answer)
{
	answer->arg.vaccel_release.queue = c->hung.id;
}

FIXTURE(call)
{
	struct fail_nth f;
	long pins;
};

FIXTURE_VARIANT(call)
{
	unsigned int cmd;
	__u32 size;
	void (*good)(struct client *c, struct answer *answer);
};

/* Each ioctl, as a test of its own. */
#define X(NAME, _name, nr, last)			\
FIXTURE_VARIANT_ADD(call, _name)			\
{							\
	.cmd = ACCEL_IOCTL_##NAME,			\
	.size = sizeof(struct accel_##_name),		\
	.good = good_##_name,				\
};

ALL_IOCTLS(X)
#undef X

FIXTURE_SETUP(call)
{
	self->pins = pins_held();
	if (fail_nth_is_missing(_metadata, &self->f))
		SKIP(return, FAIL_NTH_MISSING);
}

FIXTURE_TEARDOWN(call)
{
	fail_nth_disarm(&self->f);
	EXPECT_EQ(0, census_total());
	EXPECT_EQ(self->pins, pins_held());
}

/* The job is there, only the client could not be told. */
static bool is_accepted_untold(const FIXTURE_VARIANT(call) *call, int ret,
			       const struct state *before,
			       const struct state *after)
{
	return call->cmd == ACCEL_IOCTL_SUBMIT && ret == -EFAULT &&
	       after->idle.submitted == before->idle.submitted + 1;
}

/* How many ids a call gives. */
static unsigned int call_new_ids(unsigned int cmd)
{
	switch (cmd) {
	case ACCEL_IOCTL_QUEUE_CREATE:
		return 2;
	case ACCEL_IOCTL_BO_CREATE:
	case ACCEL_IOCTL_BO_USERPTR:
	case ACCEL_IOCTL_BO_IMPORT:
	case ACCEL_IOCTL_TIMELINE_IMPORT:
	case ACCEL_IOCTL_TIMELINE_CREATE:
		return 1;
	default:
		return 0;
	}
}

/*
 * What a series does: the call; the last id that the file has before it, and how many
 * buffers.
 */
struct call_series {
	const FIXTURE_VARIANT(call) *call;
	__u32 last_id;
	__u32 buffers;
};

static void use_ids(struct __test_metadata *_metadata, int fd, __u32 last)
{
	__u32 id = 0;

	while (id < last)
		ASSERT_EQ(0, timeline_create(fd, 0, &id));
}

static void use_buffers(struct __test_metadata *_metadata, int fd, __u32 count)
{
	struct accel_bo_create bo;

	while (count--)
		ASSERT_EQ(0, bo_create(fd, 0, PAGE, &bo));
}

static void call_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	const FIXTURE_VARIANT(call) *call = ((struct call_series *)f->data)->call;
	const struct call_series *series = f->data;
	static struct answer expected, given, answer;
	static struct state before, after;
	struct client c;
	int ret;

	/* What the pass before has used is not counted in the regions any more. */
	ASSERT_EQ(0, census_total());
	client_open(_metadata, &c);
	use_ids(_metadata, c.fd, series->last_id);
	use_buffers(_metadata, c.fd, series->buffers);
	memset(&answer, 0, sizeof(answer));
	call->good(&c, &answer);
	answer.arg.size = call->size;
	given = answer;
	state_get(_metadata, &c, &before);

	fail_nth_arm(f);
	ret = accel_ioctl(c.fd, call->cmd, &answer.arg);
	fail_nth_disarm(f);
	if (!f->site)
		expected = answer;
	if (ret) {
		ASSERT_TRUE(fail_nth_excuses(f, ret)) {
			TH_LOG("site %u: %s", f->site, strerror(-ret));
		}
		EXPECT_EQ(0, memcmp(&given.arg, &answer.arg, call->size));
		state_get(_metadata, &c, &after);
		if (!is_accepted_untold(call, ret, &before, &after)) {
			EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
			ASSERT_EQ(0, accel_ioctl(c.fd, call->cmd, &answer.arg));
			EXPECT_EQ(0, memcmp(&expected, &answer, sizeof(answer)));
		}
	} else {
		EXPECT_EQ(0, memcmp(&expected, &answer, sizeof(answer)));
	}
	if (call->cmd == ACCEL_IOCTL_BO_EXPORT)
		ASSERT_EQ(0, close(answer.arg.bo_export.fd));
	if (call->cmd == ACCEL_IOCTL_TIMELINE_EXPORT)
		ASSERT_EQ(0, close(answer.arg.timeline_export.fd));
	ASSERT_EQ(0, close(c.timeline_fd));
	ASSERT_EQ(0, close(c.dma_buf));
	ASSERT_EQ(0, close(c.fd));
}

TEST_F_TIMEOUT(call, every_site, FAIL_NTH_TEST_S)
{
	struct call_series series = { .call = variant };

	self->f.data = &series;
	fail_nth_run(_metadata, &self->f, call_flow);
}

/* An xarray's node has so many ids; for the first of the next it wants memory. */
#define IDS_OF_NODE	64

/* The first and the second new id of a call are such, too. */
TEST_F_TIMEOUT(call, shortage, FAIL_NTH_TEST_S)
{
	struct call_series series = { .call = variant };
	__u32 i;

	self->f.data = &series;
	self->f.shortage = true;
	self->f.step = 2;
	fail_nth_series(_metadata, &self->f, call_flow);
	for (i = 1; i <= call_new_ids(variant->cmd); i++) {
		/* Who gives an id has made what it is of. */
		EXPECT_LT(0, self->f.sites);
		series.last_id = IDS_OF_NODE - i;
		fail_nth_series(_metadata, &self->f, call_flow);
	}
}

/* The calls of a node that are no ioctls. */
FIXTURE(node)
{
	struct fail_nth f;
};

FIXTURE_SETUP(node)
{
	if (fail_nth_is_missing(_metadata, &self->f))
		SKIP(return, FAIL_NTH_MISSING);
}

FIXTURE_TEARDOWN(node)
{
	fail_nth_disarm(&self->f);
	EXPECT_EQ(0, census_total());
}

/* A maple tree's node has at most so many ranges, and its own size in bytes. */
#define RANGES_OF_NODE	16
#define SIZE_OF_NODE	256

/* The offset of a buffer takes memory where the node that is to have it is full. */
TEST_F_TIMEOUT(node, shortage_of_offsets, FAIL_NTH_TEST_S)
{
	static const FIXTURE_VARIANT(call) bo_create = {
		.cmd = ACCEL_IOCTL_BO_CREATE,
		.size = sizeof(struct accel_bo_create),
		.good = good_bo_create,
	};
	struct call_series series = { .call = &bo_create };

	self->f.data = &series;
	self->f.shortage = true;
	self->f.step = SIZE_OF_NODE / SHORTAGE_STEP;
	for (series.buffers = 0; series.buffers < RANGES_OF_NODE; series.buffers++)
		fail_nth_series(_metadata, &self->f, call_flow);
}

static void open_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_query_device dev;
	int fd;

	fail_nth_arm(f);
	fd = TRY(f, accel_open());
	fail_nth_disarm(f);
	EXPECT_EQ(0, query_device(fd, &dev));
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(node, open, FAIL_NTH_TEST_S)
{
	fail_nth_run(_metadata, &self->f, open_flow);
}

static int read_event(int fd, struct accel_event *event)
{
	ssize_t ret = read(fd, event, sizeof(*event));

	return ret < 0 ? -errno : ret == sizeof(*event) ? 0 : -EPROTO;
}

/* Who could not be told is told when he asks again. */
static void read_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct test_job job = job_fail(-EDOM);
	struct accel_queue_create queue;
	struct accel_event event = {};
	int fd;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	ASSERT_EQ(-EDOM, job_run(fd, &queue, &job));
	/* The event comes after the point, but before the next job. */
	ASSERT_EQ(0, engine_flush(fd, 0));
	fail_nth_arm(f);
	TRY(f, read_event(fd, &event));
	fail_nth_disarm(f);
	EXPECT_EQ(ACCEL_EVENT_JOB_FAILED, event.type);
	EXPECT_EQ(queue.id, event.queue);
	EXPECT_EQ(-EDOM, event.error);
	EXPECT_EQ(1, event.point);
	EXPECT_EQ(1, event.count);
	EXPECT_EQ(-EAGAIN, read_event(fd, &event));
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(node, read, FAIL_NTH_TEST_S)
{
	fail_nth_run(_metadata, &self->f, read_flow);
}

static int bo_map_errno(int fd, const struct accel_bo_create *bo, void **map)
{
	*map = bo_map(fd, bo);
	return *map == MAP_FAILED ? -errno : 0;
}

static void mmap_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_bo_create bo[2];
	void *map[2];
	int fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, bo_create(fd, i, 3 * PAGE, &bo[i]));
	fail_nth_arm(f);
	for (i = 0; i < 2; i++) {
		TRY(f, bo_map_errno(fd, &bo[i], &map[i]));
		TRY(f, touch(map[i] + PAGE, 0x5a));
	}
	fail_nth_disarm(f);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(PAGE, span(map[i], 0, 3 * PAGE));
		ASSERT_EQ(0, munmap(map[i], 3 * PAGE));
	}
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(node, mmap_and_touch, FAIL_NTH_TEST_S)
{
	fail_nth_run(_metadata, &self->f, mmap_flow);
}

static void fdinfo_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	char text[FDINFO_SIZE];
	int fd;

	fd = accel_open();
	ASSERT_LE(0, fd);
	fail_nth_arm(f);
	TRY(f, read_fdinfo(fd, text));
	fail_nth_disarm(f);
	EXPECT_TRUE(!!strstr(text, "drm-driver:\taccel_vaccel\n"));
	EXPECT_TRUE(!!strstr(text, "drm-client-id:\t"));
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(node, fdinfo, FAIL_NTH_TEST_S)
{
	fail_nth_run(_metadata, &self->f, fdinfo_flow);
}

TEST_HARNESS_MAIN
