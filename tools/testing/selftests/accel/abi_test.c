// SPDX-License-Identifier: GPL-2.0-only
/*
 * The envelope of every ioctl: sizes, pointers, reserved members, flags and
 * numbers. Generated from ACCEL_IOCTL_TABLE, so that an ioctl without a test
 * does not compile.
 */
#include "accel_test.h"

#include <stddef.h>

/* How far past the end of a struct a newer caller's may reach. */
#define TAIL		64
#define ARG_ROOM	256

#define OFFSET_OF_END(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))

/*
 * Size of the first version, the same for 32-bit and 64-bit callers, for ever;
 * and whether the ioctl writes to its argument.
 */
#define ABI_FACTS(X)			\
	X(query,		32, true)	\
	X(destroy,		8, false)	\
	X(client_name,		16, false)	\
	X(bo_create,		32, true)	\
	X(bo_info,		32, true)	\
	X(bo_sync,		24, false)	\
	X(queue_create,		56, true)	\
	X(queue_info,		56, true)	\
	X(submit,		48, true)	\
	X(timeline_create,	24, true)	\
	X(timeline_signal,	16, false)	\
	X(timeline_query,	40, true)	\
	X(timeline_wait,	48, true)	\
	X(vaccel_release,	8, false)

/* The driver's own ioctls have the same envelope. */
#define ALL_IOCTLS(X)			\
	ACCEL_IOCTL_TABLE(X)		\
	X(VACCEL_RELEASE,	vaccel_release,		0x80, queue)

enum {
#define X(name, bytes, writes)		\
	FIRST_SIZE_##name = bytes,	\
	WRITES_##name = writes,
	ABI_FACTS(X)
#undef X
};

#define X(NAME, name, nr, last)						\
	_Static_assert(OFFSET_OF_END(struct accel_##name, last) ==	\
		       FIRST_SIZE_##name, "first version of " #name);	\
	_Static_assert(sizeof(struct accel_##name) + 2 * TAIL < ARG_ROOM, \
		       "room for " #name);				\
	_Static_assert(ACCEL_IOCTL_##NAME == _IO(ACCEL_IOCTL_TYPE, nr),	\
		       "number of " #name);
ALL_IOCTLS(X)
#undef X

_Static_assert(sizeof(struct accel_query_device) == 104, "query_device");
_Static_assert(sizeof(struct accel_query_engine) == 56, "query_engine");
_Static_assert(sizeof(struct accel_query_region) == 56, "query_region");
_Static_assert(sizeof(struct accel_query_ioctl) == 8, "query_ioctl");
_Static_assert(sizeof(struct accel_point) == 16, "point");
_Static_assert(sizeof(struct accel_submit_bo) == 8, "submit_bo");
_Static_assert(sizeof(struct accel_submit_job) == 64, "submit_job");

union abi_arg {
	__u32 size;
	__u8 bytes[ARG_ROOM];
#define X(NAME, name, nr, last)	struct accel_##name name;
	ALL_IOCTLS(X)
#undef X
};

FIXTURE(abi)
{
	int fd;
	struct accel_query_device dev;
	struct accel_bo_create bo;
	struct accel_queue_create queue;
	__u32 timeline;
	__u32 next_id;

	/* What the arguments point to. */
	struct accel_query_device answer;
	struct test_job nop;
	struct accel_submit_job job;
	struct accel_point point;
	__s32 status;
	__u64 value;
	__u32 victim;
};

/* The lowest id that is free: one left behind by a failed call moves it. */
static void get_next_id(struct __test_metadata *_metadata, int fd, __u32 *id)
{
	ASSERT_EQ(0, timeline_create(fd, 0, id));
	ASSERT_EQ(0, destroy(fd, *id));
}

FIXTURE_SETUP(abi)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, bo_create(self->fd, 0, 1, &self->bo));
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline));
	get_next_id(_metadata, self->fd, &self->next_id);
	self->nop = job_nop();
	self->job = job_uapi(&self->nop);
	self->point.timeline = self->timeline;
}

FIXTURE_TEARDOWN(abi)
{
	accel_teardown(_metadata, self->fd);
}

/*
 * For each ioctl, arguments that it must accept. What is output is not zero
 * before the call: the kernel has no business with it.
 */
static void good_query(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_query *arg = ptr;

	arg->topic = ACCEL_QUERY_DEVICE;
	arg->data_ptr = ptr_to_u64(&self->answer);
	arg->data_size = sizeof(self->answer);
	arg->stride = ~0U;
	arg->count = ~0U;
}

static void good_destroy(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_destroy *arg = ptr;

	if (!self->victim && timeline_create(self->fd, 0, &self->victim))
		self->victim = 0;
	arg->id = self->victim;
}

static void good_client_name(FIXTURE_DATA(abi) *self,
			     void *ptr)
{
	struct accel_client_name *arg = ptr;

	arg->name_ptr = ptr_to_u64("abi test");
	arg->name_size = strlen("abi test");
}

static void good_bo_create(FIXTURE_DATA(abi) *self,
			   void *ptr)
{
	struct accel_bo_create *arg = ptr;

	arg->length = 1;
	arg->id = ~0U;
	arg->mmap_offset = ~0ULL;
}

static void good_bo_info(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_bo_info *arg = ptr;

	arg->id = self->bo.id;
	arg->length = ~0ULL;
	arg->region = ~0U;
	arg->flags = ~0U;
	arg->mmap_offset = ~0ULL;
}

static void good_bo_sync(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_bo_sync *arg = ptr;

	arg->id = self->bo.id;
	arg->flags = ACCEL_SYNC_READ;
}

static void good_queue_create(FIXTURE_DATA(abi) *self,
			      void *ptr)
{
	struct accel_queue_create *arg = ptr;

	arg->id = ~0U;
	arg->timeline = ~0U;
}

static void good_queue_info(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_queue_info *arg = ptr;

	arg->id = self->queue.id;
	arg->engine = ~0U;
	arg->timeline = ~0U;
	arg->busy_ns = ~0ULL;
}

static void good_submit(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_submit *arg = ptr;

	arg->queue = self->queue.id;
	arg->job_count = 1;
	arg->jobs_ptr = ptr_to_u64(&self->job);
	arg->job_stride = sizeof(self->job);
	arg->accepted = ~0U;
	arg->stop_error = -1;
	arg->first_point = ~0ULL;
}

static void good_timeline_create(FIXTURE_DATA(abi) *self,
				 void *ptr)
{
	struct accel_timeline_create *arg = ptr;

	arg->value = 7;
	arg->id = ~0U;
}

static void good_timeline_signal(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_timeline_signal *arg = ptr;

	arg->id = self->timeline;
	arg->value = self->value + 1;
}

static void good_timeline_query(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_timeline_query *arg = ptr;

	arg->id = self->timeline;
	arg->status = -1;
	arg->completed = ~0ULL;
	arg->promised = ~0ULL;
}

static void good_timeline_wait(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_timeline_wait *arg = ptr;

	arg->points_ptr = ptr_to_u64(&self->point);
	arg->count = 1;
	arg->stride = sizeof(self->point);
	arg->statuses_ptr = ptr_to_u64(&self->status);
	arg->index = ~0U;
	arg->status = -1;
}

/* No hang is running on the queue, so that this is answered by EAGAIN. */
static void good_vaccel_release(FIXTURE_DATA(abi) *self, void *ptr)
{
	struct accel_vaccel_release *arg = ptr;

	arg->queue = self->queue.id;
}

static const struct abi_call {
	const char *name;
	unsigned int cmd;
	__u32 nr;
	__u32 first_size;
	__u32 size;
	bool writes;
	void (*good)(FIXTURE_DATA(abi) *self, void *arg);
} calls[] = {
#define X(NAME, _name, _nr, last) {				\
	.name = #NAME,						\
	.cmd = ACCEL_IOCTL_##NAME,				\
	.nr = _nr,						\
	.first_size = FIRST_SIZE_##_name,			\
	.size = sizeof(struct accel_##_name),			\
	.writes = WRITES_##_name,				\
	.good = good_##_name,					\
},
	ALL_IOCTLS(X)
#undef X
};

static int good_result(const struct abi_call *call)
{
	return call->cmd == ACCEL_IOCTL_VACCEL_RELEASE ? -EAGAIN : 0;
}

/* Good arguments of @size bytes, zero from the end of the known struct on. */
static void make_arg(FIXTURE_DATA(abi) *self, const struct abi_call *call,
		     __u32 size, union abi_arg *arg)
{
	memset(arg, 0, ARG_ROOM);
	call->good(self, arg);
	arg->size = size;
}

/* Takes back what a successful call has done. */
static int undo(FIXTURE_DATA(abi) *self, const struct abi_call *call,
		const union abi_arg *arg)
{
	__s32 status;

	switch (call->cmd) {
	case ACCEL_IOCTL_DESTROY:
		self->victim = 0;
		return 0;
	case ACCEL_IOCTL_BO_CREATE:
		return destroy(self->fd, arg->bo_create.id);
	case ACCEL_IOCTL_QUEUE_CREATE:
		return destroy(self->fd, arg->queue_create.id) ?:
		       destroy(self->fd, arg->queue_create.timeline);
	case ACCEL_IOCTL_TIMELINE_CREATE:
		return destroy(self->fd, arg->timeline_create.id);
	case ACCEL_IOCTL_TIMELINE_SIGNAL:
		self->value++;
		return 0;
	case ACCEL_IOCTL_SUBMIT:
		return point_wait_until(self->fd, self->queue.timeline,
					arg->submit.first_point,
					deadline_ms(WAIT_MS),
					&status);
	default:
		return 0;
	}
}

/* The call must fail with @err, leave its argument alone, and no object. */
static void expect_failure(struct __test_metadata *_metadata,
			   FIXTURE_DATA(abi) *self,
			   const struct abi_call *call, union abi_arg *arg,
			   int err)
{
	char before[ARG_ROOM];
	__u32 size = arg->size;

	memcpy(before, arg, ARG_ROOM);
	EXPECT_EQ(err, accel_ioctl(self->fd, call->cmd, arg)) {
		TH_LOG("%s with size %u", call->name, size);
	}
	EXPECT_EQ(0, memcmp(before, arg, ARG_ROOM)) {
		TH_LOG("%s with size %u wrote though it failed", call->name,
		       size);
	}
}

static void expect_no_trace(struct __test_metadata *_metadata,
			    FIXTURE_DATA(abi) *self,
			    const struct abi_call *call, const char *census)
{
	struct accel_queue_info info;
	char now[CENSUS_SIZE];
	__u32 id;

	if (self->victim) {
		EXPECT_EQ(0, destroy(self->fd, self->victim));
		self->victim = 0;
	}
	get_next_id(_metadata, self->fd, &id);
	EXPECT_EQ(self->next_id, id) TH_LOG("%s left an id", call->name);
	ASSERT_EQ(0, census_read(now));
	EXPECT_STREQ(census, now) TH_LOG("%s left an object", call->name);
	EXPECT_EQ(0, queue_info(self->fd, self->queue.id, &info));
	EXPECT_EQ(info.submitted, info.completed);
}

TEST_F(abi, size_below_first_version)
{
	union abi_arg buf;
	char census[CENSUS_SIZE];
	__u32 size;
	size_t i;

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		for (size = 0; size < calls[i].first_size; size++) {
			make_arg(self, &calls[i], size, &buf);
			expect_failure(_metadata, self, &calls[i], &buf,
				       -EINVAL);
		}
		expect_no_trace(_metadata, self, &calls[i], census);
	}
}

/* What lies beyond the size is not the kernel's, to read or to write. */
TEST_F_TIMEOUT(abi, size_from_first_version, LONG_TEST_S)
{
	union abi_arg buf;
	char census[CENSUS_SIZE];
	__u32 size, j;
	size_t i;
	int ret;

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		for (size = calls[i].first_size; size <= calls[i].size + TAIL;
		     size++) {
			make_arg(self, &calls[i], size, &buf);
			memset(buf.bytes + size, 0xaa, ARG_ROOM - size);
			ret = accel_ioctl(self->fd, calls[i].cmd, &buf);
			EXPECT_EQ(good_result(&calls[i]), ret) {
				TH_LOG("%s with size %u", calls[i].name, size);
			}
			if (!ret)
				EXPECT_EQ(0, undo(self, &calls[i], &buf));
			EXPECT_EQ(size, buf.size);
			for (j = calls[i].size; j < size; j++)
				EXPECT_EQ(0, buf.bytes[j]);
			for (j = size; j < ARG_ROOM; j++)
				EXPECT_EQ(0xaa, buf.bytes[j]);
		}
		expect_no_trace(_metadata, self, &calls[i], census);
	}
}

TEST_F_TIMEOUT(abi, unknown_tail_is_not_zero, LONG_TEST_S)
{
	union abi_arg buf;
	char census[CENSUS_SIZE];
	__u32 size;
	size_t i;

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		for (size = calls[i].size + 1; size <= calls[i].size + TAIL;
		     size++) {
			make_arg(self, &calls[i], size, &buf);
			buf.bytes[size - 1] = 0x80;
			expect_failure(_metadata, self, &calls[i], &buf,
				       -E2BIG);
			make_arg(self, &calls[i], size, &buf);
			buf.bytes[calls[i].size] = 1;
			expect_failure(_metadata, self, &calls[i], &buf,
				       -E2BIG);
		}
		expect_no_trace(_metadata, self, &calls[i], census);
	}
}

/* So large that it leaves the address space: an error, whichever comes first. */
TEST_F(abi, size_is_absurd)
{
	union abi_arg buf;
	char census[CENSUS_SIZE];
	size_t i;
	int ret;

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		make_arg(self, &calls[i], UINT_MAX, &buf);
		ret = accel_ioctl(self->fd, calls[i].cmd, &buf);
		EXPECT_TRUE(ret == -E2BIG || ret == -EFAULT) {
			TH_LOG("%s: %d", calls[i].name, ret);
		}
		expect_no_trace(_metadata, self, &calls[i], census);
	}
}

TEST_F(abi, bad_pointer)
{
	long page = sysconf(_SC_PAGESIZE);
	char census[CENSUS_SIZE];
	union abi_arg buf;
	__u8 *map, *end;
	size_t i;
	__u32 j;

	/* One page that is there, and one that is not. */
	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	end = map + page;
	ASSERT_EQ(0, munmap(end, page));

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, calls[i].cmd, NULL));
		EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, calls[i].cmd, end));
		EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, calls[i].cmd,
					       (void *)-1UL));

		/* The struct begins on the page and does not end there. */
		make_arg(self, &calls[i], calls[i].size, &buf);
		for (j = 1; j < calls[i].size; j++) {
			memcpy(end - j, &buf, j);
			EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, calls[i].cmd,
						       end - j)) {
				TH_LOG("%s: %u bytes", calls[i].name, j);
			}
		}
		expect_no_trace(_metadata, self, &calls[i], census);
	}
	munmap(map, page);
}

/* A struct that ends where the mapping does is whole. */
TEST_F(abi, reads_no_more_than_size)
{
	long page = sysconf(_SC_PAGESIZE);
	union abi_arg buf;
	__u8 *map, *arg;
	size_t i;
	int ret;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, munmap(map + page, page));

	for (i = 0; i < ARRAY_LEN(calls); i++) {
		arg = map + page - calls[i].first_size;
		make_arg(self, &calls[i], calls[i].first_size, &buf);
		memcpy(arg, &buf, calls[i].first_size);
		ret = accel_ioctl(self->fd, calls[i].cmd, arg);
		EXPECT_EQ(good_result(&calls[i]), ret) {
			TH_LOG("%s", calls[i].name);
		}
		memcpy(&buf, arg, calls[i].first_size);
		if (!ret)
			EXPECT_EQ(0, undo(self, &calls[i], &buf));
	}
	munmap(map, page);
}

/*
 * The kernel can read its argument but not write the answer. Where there is
 * one, the call fails and what it would have answered about does not exist.
 */
TEST_F(abi, read_only_argument)
{
	long page = sysconf(_SC_PAGESIZE);
	char census[CENSUS_SIZE];
	struct accel_queue_info before, after;
	size_t i;
	void *map;

	map = mmap(NULL, page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		if (!calls[i].writes)
			continue;
		ASSERT_EQ(0, mprotect(map, page, PROT_READ | PROT_WRITE));
		make_arg(self, &calls[i], calls[i].size, map);
		ASSERT_EQ(0, mprotect(map, page, PROT_READ));
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &before));
		expect_failure(_metadata, self, &calls[i], map, -EFAULT);
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &after));
		EXPECT_EQ(before.submitted, after.submitted);
		expect_no_trace(_metadata, self, &calls[i], census);
	}
	munmap(map, page);
}

/*
 * An ioctl without an answer may succeed, having nothing to write, or fail;
 * but it may not do its work and then fail.
 */
TEST_F(abi, read_only_argument_without_answer)
{
	long page = sysconf(_SC_PAGESIZE);
	struct accel_timeline_query query;
	size_t i;
	void *map;
	int ret;

	map = mmap(NULL, page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	for (i = 0; i < ARRAY_LEN(calls); i++) {
		if (calls[i].writes || good_result(&calls[i]))
			continue;
		ASSERT_EQ(0, mprotect(map, page, PROT_READ | PROT_WRITE));
		make_arg(self, &calls[i], calls[i].size, map);
		ASSERT_EQ(0, mprotect(map, page, PROT_READ));
		ret = accel_ioctl(self->fd, calls[i].cmd, map);
		EXPECT_TRUE(ret == 0 || ret == -EFAULT) {
			TH_LOG("%s: %d", calls[i].name, ret);
		}
		if (calls[i].cmd == ACCEL_IOCTL_DESTROY)
			EXPECT_EQ(ret ? 0 : -ENOENT,
				  destroy(self->fd, self->victim));
		ASSERT_EQ(0, timeline_query(self->fd, self->timeline, 0,
					    &query));
		if (calls[i].cmd == ACCEL_IOCTL_TIMELINE_SIGNAL)
			EXPECT_EQ(ret ? 0 : 1, query.promised);
	}
	munmap(map, page);
}

TEST_F(abi, reserved_member)
{
	static const struct {
		unsigned int cmd;
		size_t offset;
	} reserved[] = {
#define RESERVED(NAME, name) \
	{ ACCEL_IOCTL_##NAME, offsetof(struct accel_##name, reserved) }
		RESERVED(QUERY, query),
		RESERVED(BO_SYNC, bo_sync),
		RESERVED(QUEUE_CREATE, queue_create),
		RESERVED(SUBMIT, submit),
		RESERVED(TIMELINE_CREATE, timeline_create),
		RESERVED(TIMELINE_QUERY, timeline_query),
#undef RESERVED
	};
	union abi_arg buf;
	char census[CENSUS_SIZE];
	size_t i, j;
	__u32 bit;

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(reserved); i++) {
		for (j = 0; calls[j].cmd != reserved[i].cmd; j++)
			;
		for (bit = 1; bit; bit <<= 1) {
			make_arg(self, &calls[j], calls[j].size, &buf);
			memcpy(buf.bytes + reserved[i].offset, &bit,
			       sizeof(bit));
			expect_failure(_metadata, self, &calls[j], &buf,
				       -EINVAL);
		}
		expect_no_trace(_metadata, self, &calls[j], census);
	}
}

TEST_F(abi, unknown_flag)
{
	static const struct {
		unsigned int cmd;
		size_t offset;
		__u32 known;
	} flags[] = {
#define FLAGS(NAME, name, known) \
	{ ACCEL_IOCTL_##NAME, offsetof(struct accel_##name, flags), known }
		FLAGS(BO_CREATE, bo_create, 0),
		FLAGS(BO_SYNC, bo_sync, ACCEL_SYNC_READ | ACCEL_SYNC_WRITE |
					ACCEL_SYNC_END),
		FLAGS(QUEUE_CREATE, queue_create, 0),
		FLAGS(SUBMIT, submit, 0),
		FLAGS(TIMELINE_CREATE, timeline_create, 0),
		FLAGS(TIMELINE_WAIT, timeline_wait, ACCEL_WAIT_ALL),
#undef FLAGS
	};
	union abi_arg buf;
	char census[CENSUS_SIZE];
	__u8 *member;
	__u32 bit, value;
	size_t i, j;

	ASSERT_EQ(0, census_read(census));
	for (i = 0; i < ARRAY_LEN(flags); i++) {
		for (j = 0; calls[j].cmd != flags[i].cmd; j++)
			;
		for (bit = 1; bit; bit <<= 1) {
			if (bit & flags[i].known)
				continue;
			make_arg(self, &calls[j], calls[j].size, &buf);
			member = buf.bytes + flags[i].offset;
			memcpy(&value, member, sizeof(value));
			value |= bit;
			memcpy(member, &value, sizeof(value));
			expect_failure(_metadata, self, &calls[j], &buf,
				       -EOPNOTSUPP);
		}
		expect_no_trace(_metadata, self, &calls[j], census);
	}
}

TEST_F(abi, unknown_number)
{
	struct accel_query_ioctl known[256];
	struct accel_query query = {
		.size = sizeof(query),
		.topic = ACCEL_QUERY_IOCTLS,
		.data_ptr = ptr_to_u64(known),
		.data_size = sizeof(known),
	};
	union abi_arg buf;
	bool exists[256] = {};
	unsigned int nr, i;

	ASSERT_EQ(0, accel_ioctl(self->fd, ACCEL_IOCTL_QUERY, &query));
	ASSERT_EQ(sizeof(known[0]), query.stride);
	ASSERT_GE(ARRAY_LEN(known), query.count);
	for (i = 0; i < query.count; i++) {
		ASSERT_GT(256, known[i].nr);
		exists[known[i].nr] = true;
	}
	memset(&buf, 0, sizeof(buf));
	for (nr = 0; nr < 256; nr++) {
		int ret;

		/* A size of 0 is EINVAL for each that exists. */
		buf.size = 0;
		ret = accel_ioctl(self->fd, _IO(ACCEL_IOCTL_TYPE, nr), &buf);
		EXPECT_EQ(exists[nr] ? -EINVAL : -ENOTTY, ret) {
			TH_LOG("number %#x", nr);
		}
		EXPECT_EQ(-ENOTTY,
			  accel_ioctl(self->fd,
				      _IO(ACCEL_IOCTL_TYPE - 1, nr), &buf));
		EXPECT_EQ(-ENOTTY,
			  accel_ioctl(self->fd,
				      _IO(ACCEL_IOCTL_TYPE + 1, nr), &buf));
	}
}

/* The number is the whole number: no size and no direction in it. */
TEST_F(abi, number_with_size)
{
	static const struct {
		unsigned int dir;
		bool has_size;
	} forms[] = {
		{ _IOC_READ | _IOC_WRITE, true },
		{ _IOC_WRITE, true },
		{ _IOC_READ, true },
		{ _IOC_NONE, true },
		{ _IOC_WRITE, false },
	};
	union abi_arg buf;
	unsigned int cmd;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(calls); i++) {
		make_arg(self, &calls[i], calls[i].size, &buf);
		for (j = 0; j < ARRAY_LEN(forms); j++) {
			cmd = _IOC(forms[j].dir, ACCEL_IOCTL_TYPE, calls[i].nr,
				   forms[j].has_size ? calls[i].size : 0);
			EXPECT_EQ(-ENOTTY, accel_ioctl(self->fd, cmd, &buf)) {
				TH_LOG("%s as %#x", calls[i].name, cmd);
			}
		}
	}
}

/* What those ask who take every accelerator for a DRM device. */
TEST_F(abi, drm_version)
{
	union abi_arg buf = {};

	EXPECT_EQ(-ENOTTY, accel_ioctl(self->fd,
				       _IOC(_IOC_READ | _IOC_WRITE, 'd', 0,
					    sizeof(long) == 8 ? 64 : 36), &buf));
}

TEST_HARNESS_MAIN
