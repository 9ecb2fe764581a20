// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel writes: every byte is what the header says, or is as the caller
 * left it. Nothing else of the kernel's memory comes out.
 */
#include "abi_call.h"

#define PATTERN	0xaa
#define ROOM	4096

/* Good arguments, with the pattern in all that is only written. */
static void make_prefilled(FIXTURE_DATA(abi) *self, const struct abi_call *call)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, call, ABI_OUT, places);

	for_each_place(place, places, n)
		memset(place->in + place->member->offset, PATTERN,
		       place->member->size);
	memset(&self->answer, PATTERN, sizeof(self->answer));
	memset(self->statuses, PATTERN, sizeof(self->statuses));
	memset(self->arg.bytes + call->size, PATTERN, ARG_ROOM - call->size);
}

/* What is input only has not changed, nor what lies behind the struct. */
static void expect_input_kept(struct __test_metadata *_metadata,
			      FIXTURE_DATA(abi) *self,
			      const struct abi_call *call,
			      const union abi_arg *before)
{
	const struct abi_struct *desc = call->desc;
	const struct abi_member *m;

	for (m = desc->members; m < desc->members + desc->member_count; m++) {
		if (m->kind == ABI_OUT || (m->kind == ABI_NUMBER && m->out))
			continue;
		EXPECT_EQ(0, memcmp(before->bytes + m->offset,
				    self->arg.bytes + m->offset, m->size)) {
			TH_LOG("%s was written", m->name);
		}
	}
	EXPECT_EQ(ARG_ROOM - call->size,
		  span(self->arg.bytes + call->size, PATTERN,
		       ARG_ROOM - call->size)) {
		TH_LOG("%s wrote behind its argument", call->name);
	}
}

static void expect_query(struct __test_metadata *_metadata,
			 FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(sizeof(self->answer), self->arg.query.data_size);
	EXPECT_EQ(sizeof(self->answer), self->arg.query.stride);
	EXPECT_EQ(1, self->arg.query.count);
	EXPECT_EQ(0, memcmp(&self->dev, &self->answer, sizeof(self->answer)));
}

static void expect_bo_create(struct __test_metadata *_metadata,
			     FIXTURE_DATA(abi) *self)
{
	const struct accel_bo_create *arg = &self->arg.bo_create;
	struct accel_bo_info info = { .size = sizeof(info), .id = arg->id };

	EXPECT_EQ(self->next_id, arg->id);
	EXPECT_EQ(sysconf(_SC_PAGESIZE), arg->length);
	ASSERT_EQ(0, accel_ioctl(self->fd, ACCEL_IOCTL_BO_INFO, &info));
	EXPECT_EQ(info.mmap_offset, arg->mmap_offset);
	EXPECT_EQ(0, arg->mmap_offset % sysconf(_SC_PAGESIZE));
}

static void expect_bo_import(struct __test_metadata *_metadata,
			     FIXTURE_DATA(abi) *self)
{
	const struct accel_bo_import *arg = &self->arg.bo_import;

	EXPECT_EQ(self->next_id, arg->id);
	EXPECT_EQ(self->bo[0].length, arg->length);
	EXPECT_EQ(self->bo[0].mmap_offset, arg->mmap_offset);
}

static void expect_bo_export(struct __test_metadata *_metadata,
			     FIXTURE_DATA(abi) *self)
{
	int fd = self->arg.bo_export.fd;

	EXPECT_EQ(self->next_fd, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(O_RDONLY, fcntl(fd, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(self->bo[0].length, lseek(fd, 0, SEEK_END));
}

static void expect_bo_info(struct __test_metadata *_metadata,
			   FIXTURE_DATA(abi) *self)
{
	const struct accel_bo_info *arg = &self->arg.bo_info;

	EXPECT_EQ(self->bo[0].length, arg->length);
	EXPECT_EQ(0, arg->region);
	EXPECT_EQ(0, arg->flags);
	EXPECT_EQ(self->bo[0].mmap_offset, arg->mmap_offset);
}

static void expect_bo_userptr(struct __test_metadata *_metadata,
			      FIXTURE_DATA(abi) *self)
{
	struct accel_bo_info info;

	EXPECT_EQ(self->next_id, self->arg.bo_userptr.id);
	ASSERT_EQ(0, bo_info(self->fd, self->arg.bo_userptr.id, &info));
	EXPECT_EQ(sizeof(abi_page), info.length);
	EXPECT_EQ(ACCEL_BO_READ_ONLY, info.flags);
}

static void expect_bo_advise(struct __test_metadata *_metadata,
			     FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(1, self->arg.bo_advise.retained);
}

static void expect_queue_create(struct __test_metadata *_metadata,
				FIXTURE_DATA(abi) *self)
{
	const struct accel_queue_create *arg = &self->arg.queue_create;
	const size_t page = sysconf(_SC_PAGESIZE);
	__u8 *map;

	EXPECT_EQ(self->next_id, arg->id < arg->timeline ? arg->id :
		  arg->timeline);
	EXPECT_EQ(2 * self->next_id + 1, arg->id + arg->timeline);

	/* The page of a queue without jobs is 0, to its end. */
	map = mmap(NULL, page, PROT_READ, MAP_SHARED, self->fd,
		   arg->point_offset);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(page, span(map, 0, page));
	ASSERT_EQ(0, munmap(map, page));
}

/* Nothing was submitted, so that nothing was busy. */
static void expect_queue_info(struct __test_metadata *_metadata,
			      FIXTURE_DATA(abi) *self)
{
	const struct accel_queue_info *arg = &self->arg.queue_info;

	EXPECT_EQ(0, arg->engine);
	EXPECT_EQ(self->queue.timeline, arg->timeline);
	EXPECT_EQ(self->dev.timeout_default_ms, arg->timeout_ms);
	EXPECT_EQ(0, arg->status);
	EXPECT_EQ(0, arg->submitted);
	EXPECT_EQ(0, arg->completed);
	EXPECT_EQ(0, arg->failed);
	EXPECT_EQ(0, arg->busy_ns);
}

static void expect_submit(struct __test_metadata *_metadata,
			  FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(1, self->arg.submit.accepted);
	EXPECT_EQ(0, self->arg.submit.stop_error);
	EXPECT_EQ(1, self->arg.submit.first_point);
}

static void expect_timeline_create(struct __test_metadata *_metadata,
				   FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(self->next_id, self->arg.timeline_create.id);
}

static void expect_timeline_query(struct __test_metadata *_metadata,
				  FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(0, self->arg.timeline_query.status);
	EXPECT_EQ(self->value, self->arg.timeline_query.completed);
	EXPECT_EQ(self->value, self->arg.timeline_query.promised);
}

static void expect_timeline_wait(struct __test_metadata *_metadata,
				 FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(0, self->arg.timeline_wait.index);
	EXPECT_EQ(0, self->arg.timeline_wait.status);
	EXPECT_EQ(0, self->statuses[0]);
	EXPECT_EQ(0, self->statuses[1]);
}

static void expect_timeline_export(struct __test_metadata *_metadata,
				   FIXTURE_DATA(abi) *self)
{
	int fd = self->arg.timeline_export.fd;

	EXPECT_EQ(self->next_fd, fd);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
}

static void expect_timeline_import(struct __test_metadata *_metadata,
				   FIXTURE_DATA(abi) *self)
{
	struct accel_timeline_query imported, own;
	__u32 id = self->arg.timeline_import.id;

	EXPECT_EQ(self->next_id, id);
	ASSERT_EQ(0, timeline_query(self->fd, id, 0, &imported));
	ASSERT_EQ(0, timeline_query(self->fd, self->timeline[0], 0, &own));
	EXPECT_EQ(own.promised, imported.promised);
}

/* After the job without sync_files. */
static void expect_submit_sync_file(struct __test_metadata *_metadata,
				    FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(1, self->arg.submit.accepted);
	EXPECT_EQ(0, self->arg.submit.stop_error);
	EXPECT_EQ(2, self->arg.submit.first_point);
}

static void expect_timeline_import_sync_file(struct __test_metadata *_metadata,
					     FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(0, point_status(self->fd, self->timeline[0],
				  self->value + 1));
}

static void expect_timeline_export_eventfd(struct __test_metadata *_metadata,
					   FIXTURE_DATA(abi) *self)
{
	__u64 count = 0;

	EXPECT_EQ(sizeof(count), read(self->eventfd, &count, sizeof(count)));
	EXPECT_EQ(1, count);
}

/* These have no output, or fail. */
static void expect_nothing(struct __test_metadata *_metadata,
			   FIXTURE_DATA(abi) *self)
{
}

#define expect_destroy		expect_nothing
#define expect_client_name	expect_nothing
#define expect_bo_sync		expect_nothing
#define expect_timeline_signal	expect_nothing
#define expect_vaccel_release	expect_nothing
#define expect_timeline_export_sync_file	expect_timeline_export

typedef void expect_fn(struct __test_metadata *_metadata,
		       FIXTURE_DATA(abi) *self);

static expect_fn *const expect_output[] = {
#define X(NAME, name, nr, last)	expect_##name,
	ALL_IOCTLS(X)
#undef X
#define X(NAME, name, what, writes)	expect_##name##_##what,
	ALL_VARIANTS(X)
#undef X
};

/* In the order of the table, which has QUEUE_INFO before SUBMIT. */
TEST_F(abi, output)
{
	const struct abi_call *call;
	union abi_arg before;
	int ret;

	for_each_call(call) {
		make_prefilled(self, call);
		before = self->arg;
		ret = abi_call(_metadata, self, call);
		EXPECT_EQ(good_result(call), ret) TH_LOG("%s", call->name);
		expect_input_kept(_metadata, self, call, &before);
		if (ret)
			continue;
		expect_output[call - calls](_metadata, self);
		EXPECT_EQ(0, abi_undo(self, call, &self->arg));
		expect_no_trace(_metadata, self, call);
	}
}

/* Cut anywhere, the answer is the beginning of the same answer. */
TEST_F_TIMEOUT(abi, output_of_every_size, LONG_TEST_S)
{
	const struct abi_call *call;
	union abi_arg before, whole;
	__u32 size;

	for_each_call(call) {
		/* Points and times go on from call to call. */
		if (!call->writes || call->cmd == ACCEL_IOCTL_SUBMIT)
			continue;
		make_prefilled(self, call);
		ASSERT_EQ(0, abi_call(_metadata, self, call));
		ASSERT_EQ(0, abi_undo(self, call, &self->arg));
		whole = self->arg;
		for (size = call->first_size; size <= call->size; size++) {
			make_prefilled(self, call);
			self->arg.size = size;
			before = self->arg;
			ASSERT_EQ(0, abi_call(_metadata, self, call));
			ASSERT_EQ(0, abi_undo(self, call, &self->arg));
			if (call->cmd != ACCEL_IOCTL_BO_CREATE &&
			    call->cmd != ACCEL_IOCTL_QUEUE_CREATE)
				EXPECT_EQ(0, memcmp(whole.bytes + 4,
						    self->arg.bytes + 4,
						    size - 4));
			EXPECT_EQ(0, memcmp(before.bytes + size,
					    self->arg.bytes + size,
					    ARG_ROOM - size)) {
				TH_LOG("%s with size %u", call->name, size);
			}
		}
	}
}

static void expect_string(struct __test_metadata *_metadata, const __u8 *name)
{
	size_t length = strnlen((const char *)name, ACCEL_NAME_SIZE), i;

	EXPECT_LT(0, length);
	EXPECT_GT(ACCEL_NAME_SIZE, length);
	for (i = 0; i < length; i++)
		EXPECT_TRUE(name[i] > ' ' && name[i] <= '~');
	EXPECT_EQ(ACCEL_NAME_SIZE - length,
		  span(name + length, 0, ACCEL_NAME_SIZE - length)) {
		TH_LOG("something behind the name %s", name);
	}
}

static int ask(int fd, __u32 topic, void *data, struct accel_query *query)
{
	memset(data, PATTERN, ROOM);
	*query = (struct accel_query) {
		.size = sizeof(*query),
		.topic = topic,
		.data_ptr = ptr_to_u64(data),
		.data_size = ROOM,
	};
	return accel_ioctl(fd, ACCEL_IOCTL_QUERY, query);
}

/* Names are padded with zeros, what is reserved is 0, and behind is nothing. */
TEST_F(abi, output_of_topics)
{
	__u64 room[ROOM / sizeof(__u64)];
	struct accel_query_engine *engine = (void *)room;
	struct accel_query_region *region = (void *)room;
	struct accel_query_device *dev = (void *)room;
	struct accel_query query;
	__u8 *bytes = (__u8 *)room;
	__u32 topic, i;

	for (topic = ACCEL_QUERY_DEVICE; topic <= ACCEL_QUERY_DRIVER; topic++) {
		ASSERT_EQ(0, ask(self->fd, topic, room, &query));
		ASSERT_GT(ROOM, query.data_size);
		EXPECT_EQ(ROOM - query.data_size,
			  span(bytes + query.data_size, PATTERN,
			       ROOM - query.data_size));
	}
	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_DEVICE, room, &query));
	expect_string(_metadata, dev->driver);
	expect_string(_metadata, dev->bus_id);
	EXPECT_EQ(0, dev->flags & ~ACCEL_DEVICE_VIRTUAL);

	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_ENGINES, room, &query));
	for (i = 0; i < query.count; i++) {
		expect_string(_metadata, engine[i].name);
		EXPECT_EQ(0, engine[i].reserved);
	}
	ASSERT_EQ(0, ask(self->fd, ACCEL_QUERY_REGIONS, room, &query));
	for (i = 0; i < query.count; i++) {
		expect_string(_metadata, region[i].name);
		EXPECT_EQ(0, region[i].reserved);
		EXPECT_EQ(0, region[i].flags & ~(ACCEL_REGION_LOCAL |
						ACCEL_REGION_EVICTS));
	}
}

TEST_HARNESS_MAIN
