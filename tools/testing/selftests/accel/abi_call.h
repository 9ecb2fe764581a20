/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the abi_*_test programs make a call: with good arguments, with one member
 * of them changed, and with a look at what the call has left behind.
 */
#ifndef SELFTESTS_ACCEL_ABI_CALL_H
#define SELFTESTS_ACCEL_ABI_CALL_H

#include "abi.h"

#include <sys/eventfd.h>

/* The errors that the uapi header documents. */
static const int documented[] = {
	EFAULT, ENOMEM, EINTR, ENOTTY, E2BIG, EOPNOTSUPP, EINVAL, ENOENT,
	EACCES, EPERM, EBUSY, EAGAIN, ENOSPC, EIO, ETIME, ENODEV, EBADF, EMFILE, ENFILE,
};

static inline bool is_documented(int ret)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(documented); i++)
		if (ret == -documented[i])
			return true;
	return false;
}

/* The lowest id that is free: one left behind by a failed call moves it. */
static inline void get_next_id(struct __test_metadata *_metadata, int fd,
			       __u32 *id)
{
	ASSERT_EQ(0, timeline_create(fd, 0, id));
	ASSERT_EQ(0, destroy(fd, *id));
}

static inline void make_objects(struct __test_metadata *_metadata,
				FIXTURE_DATA(abi) *self)
{
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bo_create(self->fd, 0, 1, &self->bo[i]));
		ASSERT_EQ(0, timeline_create(self->fd, 0, &self->timeline[i]));
	}
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	/* Kept with the id from the first time on */
	ASSERT_EQ(0, close(bo_export(self->fd, self->bo[0].id, 0)));
	self->dma_buf = bo_export(self->fd, self->bo[0].id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, self->dma_buf);
	self->timeline_fd = timeline_export(self->fd, self->timeline[0], 0);
	ASSERT_LE(0, self->timeline_fd);
	self->sync_file = sync_file_export(self->fd, self->timeline[0], 0);
	ASSERT_LE(0, self->sync_file);
	self->eventfd = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, self->eventfd);
	self->next_fd = next_fd();
	ASSERT_LE(0, self->next_fd);
	get_next_id(_metadata, self->fd, &self->next_id);
	self->value = 0;
	self->victim = 0;
}

static inline void close_descriptors(struct __test_metadata *_metadata,
				     FIXTURE_DATA(abi) *self)
{
	EXPECT_EQ(0, close(self->dma_buf));
	EXPECT_EQ(0, close(self->timeline_fd));
	EXPECT_EQ(0, close(self->sync_file));
	EXPECT_EQ(0, close(self->eventfd));
}

FIXTURE_SETUP(abi)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	make_objects(_metadata, self);
	ASSERT_EQ(0, census_read(self->census));
}

FIXTURE_TEARDOWN(abi)
{
	if (self->cases)
		tally(self->cases, "ABI cases");
	close_descriptors(_metadata, self);
	accel_teardown(_metadata, self->fd);
}

/*
 * For each ioctl, arguments that it must accept. What is output is not zero
 * before the call: the kernel has no business with it.
 */
static inline void good_query(FIXTURE_DATA(abi) *self)
{
	self->arg.query = (struct accel_query) {
		.topic = ACCEL_QUERY_DEVICE,
		.data_ptr = ptr_to_u64(&self->answer),
		.data_size = sizeof(self->answer),
		.stride = ~0U,
		.count = ~0U,
	};
}

static inline void good_destroy(FIXTURE_DATA(abi) *self)
{
	if (!self->victim && timeline_create(self->fd, 0, &self->victim))
		self->victim = 0;
	self->arg.destroy.id = self->victim;
}

static inline void good_client_name(FIXTURE_DATA(abi) *self)
{
	memcpy(self->name, "abi test", sizeof(self->name));
	self->arg.client_name = (struct accel_client_name) {
		.name_ptr = ptr_to_u64(self->name),
		.name_size = sizeof(self->name),
	};
}

static inline void good_bo_create(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_create = (struct accel_bo_create) {
		.length = 1,
		.id = ~0U,
		.mmap_offset = ~0ULL,
	};
}

/* Memory of the program's own. */
static _Alignas(4096) __u8 abi_page[4096];

static inline void good_bo_userptr(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_userptr = (struct accel_bo_userptr) {
		.addr = ptr_to_u64(abi_page),
		.length = sizeof(abi_page),
		.id = ~0U,
	};
}

static inline void good_bo_import(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_import = (struct accel_bo_import) {
		.fd = self->dma_buf,
		.id = ~0U,
		.length = ~0ULL,
		.mmap_offset = ~0ULL,
	};
}

static inline void good_bo_export(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_export = (struct accel_bo_export) {
		.id = self->bo[0].id,
		.fd = -2,
	};
}

static inline void good_bo_info(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_info = (struct accel_bo_info) {
		.id = self->bo[0].id,
		.length = ~0ULL,
		.region = ~0U,
		.flags = ~0U,
		.mmap_offset = ~0ULL,
	};
}

static inline void good_bo_sync(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_sync = (struct accel_bo_sync) {
		.id = self->bo[0].id,
		.flags = ACCEL_SYNC_READ,
	};
}

static inline void good_bo_advise(FIXTURE_DATA(abi) *self)
{
	self->arg.bo_advise = (struct accel_bo_advise) {
		.id = self->bo[0].id,
		.advice = ACCEL_ADVISE_WILLNEED,
		.retained = ~0U,
	};
}

static inline void good_queue_create(FIXTURE_DATA(abi) *self)
{
	self->arg.queue_create = (struct accel_queue_create) {
		.id = ~0U,
		.timeline = ~0U,
		.point_offset = ~0ULL,
	};
}

static inline void good_queue_info(FIXTURE_DATA(abi) *self)
{
	self->arg.queue_info = (struct accel_queue_info) {
		.id = self->queue.id,
		.engine = ~0U,
		.timeline = ~0U,
		.timeout_ms = ~0U,
		.status = 1,
		.submitted = ~0ULL,
		.completed = ~0ULL,
		.failed = ~0ULL,
		.busy_ns = ~0ULL,
	};
}

/* Every array that a job can have, with two elements. */
static inline void make_job(FIXTURE_DATA(abi) *self)
{
	int i;

	self->cmd = (struct accel_vaccel_nop) { .op = ACCEL_VACCEL_NOP };
	for (i = 0; i < 2; i++) {
		self->bos[i] = (struct accel_submit_bo) {
			.id = self->bo[i].id,
			.flags = ACCEL_BO_READ,
		};
		self->waits[i] = (struct accel_point) {
			.timeline = self->timeline[i],
		};
		self->signals[i] = (struct accel_point) {
			.timeline = self->timeline[i],
			.value = self->value + 1,
		};
	}
	self->job = (struct accel_submit_job) {
		.cmd_ptr = ptr_to_u64(&self->cmd),
		.cmd_size = sizeof(self->cmd),
		.bos_ptr = ptr_to_u64(self->bos),
		.bo_count = 2,
		.bo_stride = sizeof(self->bos[0]),
		.waits_ptr = ptr_to_u64(self->waits),
		.wait_count = 2,
		.wait_stride = sizeof(self->waits[0]),
		.signals_ptr = ptr_to_u64(self->signals),
		.signal_count = 2,
		.signal_stride = sizeof(self->signals[0]),
	};
}

static inline void good_submit(FIXTURE_DATA(abi) *self)
{
	make_job(self);
	self->arg.submit = (struct accel_submit) {
		.queue = self->queue.id,
		.job_count = 1,
		.jobs_ptr = ptr_to_u64(&self->job),
		.job_stride = sizeof(self->job),
		.accepted = ~0U,
		.stop_error = -1,
		.first_point = ~0ULL,
	};
}

static inline void good_timeline_create(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_create = (struct accel_timeline_create) {
		.value = 7,
		.id = ~0U,
	};
}

static inline void good_timeline_signal(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_signal = (struct accel_timeline_signal) {
		.id = self->timeline[0],
		.value = self->value + 1,
	};
}

static inline void good_timeline_query(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_query = (struct accel_timeline_query) {
		.id = self->timeline[0],
		.status = -1,
		.completed = ~0ULL,
		.promised = ~0ULL,
	};
}

static inline void good_timeline_wait(FIXTURE_DATA(abi) *self)
{
	int i;

	for (i = 0; i < 2; i++)
		self->points[i] = (struct accel_point) {
			.timeline = self->timeline[i],
		};
	self->arg.timeline_wait = (struct accel_timeline_wait) {
		.points_ptr = ptr_to_u64(self->points),
		.count = 2,
		.stride = sizeof(self->points[0]),
		.statuses_ptr = ptr_to_u64(self->statuses),
		.index = ~0U,
		.status = -1,
	};
}

static inline void good_timeline_export(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_export = (struct accel_timeline_export) {
		.id = self->timeline[0],
		.type = ACCEL_FD_TIMELINE,
		.fd = -1,
	};
}

static inline void good_timeline_import(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_import = (struct accel_timeline_import) {
		.type = ACCEL_FD_TIMELINE,
		.fd = self->timeline_fd,
		.id = ~0U,
	};
}

/* No hang is running on the queue, so that this is answered by EAGAIN. */
static inline void good_vaccel_release(FIXTURE_DATA(abi) *self)
{
	self->arg.vaccel_release.queue = self->queue.id;
}

#include "abi_variant.h"

static inline int good_result(const struct abi_call *call)
{
	return call->cmd == ACCEL_IOCTL_VACCEL_RELEASE ? -EAGAIN : 0;
}

/* Good arguments of @size bytes, zero from the end of the known struct on. */
static inline void make_arg(FIXTURE_DATA(abi) *self,
			    const struct abi_call *call, __u32 size)
{
	memset(&self->arg, 0, sizeof(self->arg));
	call->good(self);
	self->arg.size = size;
}

/* Every call goes through here: its error must be one that is documented. */
static inline int abi_call_at(struct __test_metadata *_metadata,
			      FIXTURE_DATA(abi) *self,
			      const struct abi_call *call, void *arg)
{
	int ret = accel_ioctl(self->fd, call->cmd, arg);

	self->cases++;
	EXPECT_TRUE(!ret || is_documented(ret)) {
		TH_LOG("%s: %d is no documented error", call->name, ret);
	}
	return ret;
}

static inline int abi_call(struct __test_metadata *_metadata,
			   FIXTURE_DATA(abi) *self,
			   const struct abi_call *call)
{
	return abi_call_at(_metadata, self, call, &self->arg);
}

/* Takes back what a successful call with @arg has done. */
static inline int abi_undo(FIXTURE_DATA(abi) *self,
			   const struct abi_call *call,
			   const union abi_arg *arg)
{
	__s32 status;

	switch (call->cmd) {
	case ACCEL_IOCTL_DESTROY:
		self->victim = 0;
		return 0;
	case ACCEL_IOCTL_BO_CREATE:
		return destroy(self->fd, arg->bo_create.id);
	case ACCEL_IOCTL_BO_USERPTR:
		return destroy(self->fd, arg->bo_userptr.id);
	case ACCEL_IOCTL_BO_IMPORT:
		return destroy(self->fd, arg->bo_import.id);
	case ACCEL_IOCTL_BO_EXPORT:
		return close(arg->bo_export.fd);
	case ACCEL_IOCTL_QUEUE_CREATE:
		return destroy(self->fd, arg->queue_create.id) ?:
		       destroy(self->fd, arg->queue_create.timeline);
	case ACCEL_IOCTL_TIMELINE_CREATE:
		return destroy(self->fd, arg->timeline_create.id);
	case ACCEL_IOCTL_TIMELINE_EXPORT:
		return arg->timeline_export.type == ACCEL_FD_EVENTFD ? 0 :
		       close(arg->timeline_export.fd);
	case ACCEL_IOCTL_TIMELINE_IMPORT:
		if (arg->timeline_import.type == ACCEL_FD_TIMELINE)
			return destroy(self->fd, arg->timeline_import.id);
		self->value++;
		return 0;
	case ACCEL_IOCTL_TIMELINE_SIGNAL:
		self->value++;
		return 0;
	case ACCEL_IOCTL_SUBMIT:
		self->value++;
		return point_wait_until(self->fd, self->queue.timeline,
					arg->submit.first_point,
					deadline_ms(WAIT_MS), &status);
	default:
		return 0;
	}
}

/* The call must succeed, or do what is nearest to it. */
static inline void expect_good_at(struct __test_metadata *_metadata,
				  FIXTURE_DATA(abi) *self,
				  const struct abi_call *call, void *arg,
				  const char *what)
{
	int ret = abi_call_at(_metadata, self, call, arg);

	EXPECT_EQ(good_result(call), ret) TH_LOG("%s: %s", call->name, what);
	if (ret)
		return;
	if (arg != &self->arg)
		memcpy(&self->arg, arg, call->first_size);
	EXPECT_EQ(0, abi_undo(self, call, &self->arg));
}

static inline void expect_good(struct __test_metadata *_metadata,
			       FIXTURE_DATA(abi) *self,
			       const struct abi_call *call, const char *what)
{
	expect_good_at(_metadata, self, call, &self->arg, what);
}

/* The call must fail with @err and leave its argument alone. */
static inline void expect_failure(struct __test_metadata *_metadata,
				  FIXTURE_DATA(abi) *self,
				  const struct abi_call *call, int err,
				  const char *what)
{
	union abi_arg before = self->arg;
	int ret = abi_call(_metadata, self, call);

	EXPECT_EQ(err, ret) TH_LOG("%s: %s", call->name, what);
	if (!ret)
		abi_undo(self, call, &self->arg);
	else
		EXPECT_EQ(0, memcmp(&before, &self->arg, sizeof(before))) {
			TH_LOG("%s: %s: wrote though it failed", call->name,
			       what);
		}
}

/* What good arguments of DESTROY have made and none has destroyed. */
static inline void drop_victim(struct __test_metadata *_metadata,
			       FIXTURE_DATA(abi) *self)
{
	if (self->victim)
		EXPECT_EQ(0, destroy(self->fd, self->victim));
	self->victim = 0;
}

/* Of calls that failed, or were undone, there is no id, descriptor or object left. */
static inline void expect_no_trace(struct __test_metadata *_metadata,
				   FIXTURE_DATA(abi) *self,
				   const struct abi_call *call)
{
	struct accel_queue_info info;
	char now[CENSUS_SIZE];
	__u32 id;

	drop_victim(_metadata, self);
	get_next_id(_metadata, self->fd, &id);
	EXPECT_EQ(self->next_id, id) TH_LOG("%s left an id", call->name);
	EXPECT_EQ(self->next_fd, next_fd()) TH_LOG("%s left a descriptor", call->name);
	ASSERT_EQ(0, census_read(now));
	EXPECT_STREQ(self->census, now) {
		TH_LOG("%s left an object", call->name);
	}
	ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &info));
	EXPECT_EQ(info.submitted, info.completed);
}

/*
 * Where a member is, in memory: in the argument of @call, or in the last element
 * of an array that this leads to. A test makes good arguments and then changes
 * the member.
 */
struct abi_place {
	const struct abi_call *call;
	const struct abi_member *member;
	__u8 *in;
};

#define PLACES_MAX	256

static inline __u64 get_member(const __u8 *in, __u32 offset, __u32 size)
{
	__u32 word;
	__u64 value;

	if (size == sizeof(word)) {
		memcpy(&word, in + offset, sizeof(word));
		return word;
	}
	memcpy(&value, in + offset, sizeof(value));
	return value;
}

static inline __u64 place_get(const struct abi_place *place)
{
	return get_member(place->in, place->member->offset,
			  place->member->size);
}

/* Little-endian or not: the size says which bytes. */
static inline void place_put(const struct abi_place *place, __u64 value)
{
	__u32 word = value;

	if (place->member->size == sizeof(word))
		memcpy(place->in + place->member->offset, &word, sizeof(word));
	else
		memcpy(place->in + place->member->offset, &value,
		       sizeof(value));
}

/* What a pointer in @in points to: how many, and how large one is. */
static inline __u32 ptr_count(const __u8 *in, const struct abi_member *ptr)
{
	return get_member(in, ptr->count, sizeof(__u32));
}

static inline __u32 ptr_unit(const struct abi_member *ptr)
{
	return ptr->of ? ptr->of->size : ptr->unit;
}

static inline size_t places_in(const struct abi_call *call,
			       const struct abi_struct *desc, __u8 *in,
			       struct abi_place *places, size_t n)
{
	const struct abi_member *m;
	__u8 *array;

	for (m = desc->members; m < desc->members + desc->member_count; m++) {
		places[n++] = (struct abi_place) {
			.call = call,
			.member = m,
			.in = in,
		};
		if (m->kind != ABI_PTR || !m->of || !ptr_count(in, m))
			continue;
		array = (__u8 *)(uintptr_t)get_member(in, m->offset, 8);
		n = places_in(call, m->of, array + m->of->size *
			      (ptr_count(in, m) - 1), places, n);
	}
	return n;
}

/* All places of a kind, of all calls or, if @call is not NULL, of that one. */
static inline size_t find_places(FIXTURE_DATA(abi) *self,
				 const struct abi_call *only,
				 enum abi_kind kind,
				 struct abi_place places[PLACES_MAX])
{
	const struct abi_call *call;
	size_t n = 0, kept = 0, i;

	for_each_call(call) {
		if (only && only != call)
			continue;
		make_arg(self, call, call->size);
		n = places_in(call, call->desc, self->arg.bytes, places, kept);
		for (i = kept; i < n; i++)
			if (places[i].member->kind == kind)
				places[kept++] = places[i];
	}
	return kept;
}

#define for_each_place(place, places, n) \
	for ((place) = (places); (place) < (places) + (n); (place)++)

/* Good arguments but for @value in this place. */
static inline void make_changed(FIXTURE_DATA(abi) *self,
				const struct abi_place *place, __u64 value)
{
	make_arg(self, place->call, place->call->size);
	place_put(place, value);
}

#endif /* SELFTESTS_ACCEL_ABI_CALL_H */
