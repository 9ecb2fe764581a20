/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the abi_*_test programs share: every ioctl of ACCEL_IOCTL_TABLE, every
 * member of its argument and of what that points to, and arguments that it must
 * accept. The tests loop over these. An ioctl that has no entry here does not
 * compile, and abi.every_member_is_described finds a member that has none.
 */
#ifndef SELFTESTS_ACCEL_ABI_H
#define SELFTESTS_ACCEL_ABI_H

#include "accel_test.h"

#include <stddef.h>

/* How far past the end of a struct a newer caller's may reach. */
#define TAIL		64
#define ARG_ROOM	256

/*
 * Size of the first version, the same for 32-bit and 64-bit callers, for ever;
 * and whether the ioctl writes to its argument.
 */
#define ABI_FACTS(X)			\
	X(query,		32, true)	\
	X(destroy,		8, false)	\
	X(client_name,		16, false)	\
	X(bo_create,		32, true)	\
	X(bo_userptr,		32, true)	\
	X(bo_import,		32, true)	\
	X(bo_export,		16, true)	\
	X(bo_info,		32, true)	\
	X(bo_sync,		24, false)	\
	X(bo_advise,		16, true)	\
	X(queue_create,		56, true)	\
	X(queue_info,		56, true)	\
	X(submit,		48, true)	\
	X(timeline_create,	24, true)	\
	X(timeline_signal,	16, false)	\
	X(timeline_query,	40, true)	\
	X(timeline_wait,	48, true)	\
	X(timeline_export,	32, true)	\
	X(timeline_import,	32, true)	\
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

#define OFFSET_OF_END(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))

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

enum abi_object {
	ABI_NO_OBJECT,		/* only 0 is good */
	ABI_ANY_OBJECT,
	ABI_BO,
	ABI_QUEUE,
	ABI_TIMELINE,
	ABI_OWN_TIMELINE,	/* that is not a queue's: EPERM */
};

enum abi_kind {
	ABI_SIZE,	/* of the struct it is in */
	ABI_OUT,	/* written, and not looked at */
	ABI_RESERVED,
	ABI_FLAGS,
	ABI_ID,
	ABI_FD,		/* of a file of one kind: others are EBADF */
	ABI_NUMBER,
	ABI_DEADLINE,
	ABI_PTR,
	ABI_COUNT,	/* of the elements at a pointer */
	ABI_STRIDE,	/* of the elements at a pointer, if there are any */
};

/**
 * struct abi_member - a member of a struct of the interface
 * @name: struct and member
 * @offset: in the struct
 * @size: in bytes
 * @kind: what it is
 * @known: ABI_FLAGS: bits that exist
 * @object: ABI_ID: what it is the id of
 * @min: ABI_NUMBER and ABI_COUNT: the lowest value that may be good
 * @max: likewise, the highest
 * @limit: where in struct accel_query_device the device tells @max, if not 0
 * @below: what it tells is the first that is bad
 * @error: ABI_NUMBER and ABI_COUNT: for other values
 * @out: ABI_NUMBER: written as well; ABI_PTR: what is there is written
 * @optional: ABI_PTR: NULL is good
 * @of: ABI_PTR: the elements, if they are structs
 * @unit: ABI_PTR: size of an element that is none
 * @count: ABI_PTR: offset of the number of elements
 * @stride: ABI_PTR: offset of the stride, if not 0
 */
struct abi_member {
	const char *name;
	__u32 offset;
	__u32 size;
	enum abi_kind kind;
	__u32 known;
	enum abi_object object;
	__u64 min;
	__u64 max;
	__u32 limit;
	bool below;
	int error;
	bool out;
	bool optional;
	const struct abi_struct *of;
	__u32 unit;
	__u32 count;
	__u32 stride;
};

struct abi_struct {
	const char *name;
	__u32 size;
	__u32 member_count;
	const struct abi_member *members;
};

#define MEMBER(_struct, _member, ...) {					\
	.name = #_struct "." #_member,					\
	.offset = offsetof(struct accel_##_struct, _member),		\
	.size = sizeof(((struct accel_##_struct *)0)->_member),		\
	.kind = __VA_ARGS__						\
}
#define ANY_NUMBER		ABI_NUMBER, .max = UINT64_MAX
#define LIMIT(_member)		\
	.limit = offsetof(struct accel_query_device, _member)
#define BELOW(_member)		LIMIT(_member), .below = true
#define COUNT_AT(_struct, _member)	\
	.count = offsetof(struct accel_##_struct, _member)
#define STRIDE_AT(_struct, _member)	\
	.stride = offsetof(struct accel_##_struct, _member)

#define STRUCT(_name)							\
static const struct abi_struct _name##_struct = {			\
	.name = #_name,							\
	.size = sizeof(struct accel_##_name),				\
	.member_count = ARRAY_LEN(_name##_members),			\
	.members = _name##_members,					\
}

/* Elements of arrays. */
static const struct abi_member submit_bo_members[] = {
	MEMBER(submit_bo, id, ABI_ID, .object = ABI_BO),
	MEMBER(submit_bo, flags, ABI_FLAGS,
	       .known = ACCEL_BO_READ | ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT),
};
STRUCT(submit_bo);

static const struct abi_member point_members[] = {
	MEMBER(point, timeline, ABI_ID, .object = ABI_TIMELINE),
	MEMBER(point, flags, ABI_FLAGS),
	MEMBER(point, value, ANY_NUMBER),
};
STRUCT(point);

/* The same struct, in the place where sync_files are waited for as well. */
static const struct abi_member wait_members[] = {
	MEMBER(point, timeline, ABI_ID, .object = ABI_TIMELINE),
	MEMBER(point, flags, ABI_FLAGS, .known = ACCEL_POINT_SYNC_FILE),
	MEMBER(point, value, ANY_NUMBER),
};

static const struct abi_struct wait_struct = {
	.name = "wait",
	.size = sizeof(struct accel_point),
	.member_count = ARRAY_LEN(wait_members),
	.members = wait_members,
};

/* The same struct, in the place where points are promised. */
static const struct abi_member signal_members[] = {
	MEMBER(point, timeline, ABI_ID, .object = ABI_OWN_TIMELINE),
	MEMBER(point, flags, ABI_FLAGS),
	MEMBER(point, value, ABI_NUMBER, .min = 1, .max = UINT64_MAX,
	       .error = -EINVAL),
};

static const struct abi_struct signal_struct = {
	.name = "signal",
	.size = sizeof(struct accel_point),
	.member_count = ARRAY_LEN(signal_members),
	.members = signal_members,
};

/* @_waits: the points that the job waits for */
#define SUBMIT_JOB_MEMBERS(_waits)					\
	MEMBER(submit_job, cmd_ptr, ABI_PTR, .unit = 1,			\
	       COUNT_AT(submit_job, cmd_size)),				\
	MEMBER(submit_job, cmd_size, ABI_NUMBER, .min = 1,		\
	       LIMIT(cmd_size_max), .error = -EINVAL),			\
	MEMBER(submit_job, flags, ABI_FLAGS,				\
	       .known = ACCEL_JOB_CANCEL_ON_ERROR),			\
	MEMBER(submit_job, bos_ptr, ABI_PTR, .of = &submit_bo_struct,	\
	       COUNT_AT(submit_job, bo_count),				\
	       STRIDE_AT(submit_job, bo_stride)),			\
	MEMBER(submit_job, bo_count, ABI_COUNT, LIMIT(job_bos_max),	\
	       .error = -EINVAL),					\
	MEMBER(submit_job, bo_stride, ABI_STRIDE),			\
	MEMBER(submit_job, waits_ptr, ABI_PTR, .of = &(_waits),		\
	       COUNT_AT(submit_job, wait_count),			\
	       STRIDE_AT(submit_job, wait_stride)),			\
	MEMBER(submit_job, wait_count, ABI_COUNT, LIMIT(points_max),	\
	       .error = -EINVAL),					\
	MEMBER(submit_job, wait_stride, ABI_STRIDE),			\
	MEMBER(submit_job, signals_ptr, ABI_PTR, .of = &signal_struct,	\
	       COUNT_AT(submit_job, signal_count),			\
	       STRIDE_AT(submit_job, signal_stride)),			\
	MEMBER(submit_job, signal_count, ABI_COUNT, LIMIT(points_max),	\
	       .error = -EINVAL),					\
	MEMBER(submit_job, signal_stride, ABI_STRIDE)

static const struct abi_member submit_job_members[] = {
	SUBMIT_JOB_MEMBERS(wait_struct),
};
STRUCT(submit_job);

/* Arguments. */
static const struct abi_member query_members[] = {
	MEMBER(query, size, ABI_SIZE),
	MEMBER(query, topic, ABI_NUMBER, .min = ACCEL_QUERY_DEVICE,
	       .max = ACCEL_QUERY_DRIVER, .error = -EOPNOTSUPP),
	MEMBER(query, data_ptr, ABI_PTR, .unit = 1, .out = true,
	       COUNT_AT(query, data_size)),
	MEMBER(query, data_size, ANY_NUMBER, .out = true),
	MEMBER(query, stride, ABI_OUT),
	MEMBER(query, count, ABI_OUT),
	MEMBER(query, reserved, ABI_RESERVED),
};
STRUCT(query);

static const struct abi_member destroy_members[] = {
	MEMBER(destroy, size, ABI_SIZE),
	MEMBER(destroy, id, ABI_ID, .object = ABI_ANY_OBJECT),
};
STRUCT(destroy);

static const struct abi_member client_name_members[] = {
	MEMBER(client_name, size, ABI_SIZE),
	MEMBER(client_name, name_size, ABI_NUMBER, .min = 1,
	       .max = ACCEL_NAME_SIZE - 1, .error = -EINVAL),
	MEMBER(client_name, name_ptr, ABI_PTR, .unit = 1,
	       COUNT_AT(client_name, name_size)),
};
STRUCT(client_name);

static const struct abi_member bo_create_members[] = {
	MEMBER(bo_create, size, ABI_SIZE),
	MEMBER(bo_create, flags, ABI_FLAGS),
	MEMBER(bo_create, length, ABI_NUMBER, .min = 1,
	       .max = INT64_MAX - 4096, .error = -EINVAL, .out = true),
	MEMBER(bo_create, region, ABI_NUMBER, BELOW(region_count),
	       .error = -EINVAL),
	MEMBER(bo_create, id, ABI_OUT),
	MEMBER(bo_create, mmap_offset, ABI_OUT),
};
STRUCT(bo_create);

static const struct abi_member bo_userptr_members[] = {
	MEMBER(bo_userptr, size, ABI_SIZE),
	MEMBER(bo_userptr, flags, ABI_FLAGS, .known = ACCEL_USERPTR_WRITE),
	MEMBER(bo_userptr, addr, ANY_NUMBER),
	MEMBER(bo_userptr, length, ABI_NUMBER, .min = 1, .max = UINT64_MAX,
	       .error = -EINVAL),
	MEMBER(bo_userptr, id, ABI_OUT),
	MEMBER(bo_userptr, reserved, ABI_RESERVED),
};
STRUCT(bo_userptr);

static const struct abi_member bo_import_members[] = {
	MEMBER(bo_import, size, ABI_SIZE),
	MEMBER(bo_import, fd, ABI_FD),
	MEMBER(bo_import, flags, ABI_FLAGS),
	MEMBER(bo_import, id, ABI_OUT),
	MEMBER(bo_import, length, ABI_OUT),
	MEMBER(bo_import, mmap_offset, ABI_OUT),
};
STRUCT(bo_import);

static const struct abi_member bo_export_members[] = {
	MEMBER(bo_export, size, ABI_SIZE),
	MEMBER(bo_export, id, ABI_ID, .object = ABI_BO),
	MEMBER(bo_export, flags, ABI_FLAGS, .known = ACCEL_EXPORT_WRITE),
	MEMBER(bo_export, fd, ABI_OUT),
};
STRUCT(bo_export);

static const struct abi_member bo_info_members[] = {
	MEMBER(bo_info, size, ABI_SIZE),
	MEMBER(bo_info, id, ABI_ID, .object = ABI_BO),
	MEMBER(bo_info, length, ABI_OUT),
	MEMBER(bo_info, region, ABI_OUT),
	MEMBER(bo_info, flags, ABI_OUT),
	MEMBER(bo_info, mmap_offset, ABI_OUT),
};
STRUCT(bo_info);

static const struct abi_member bo_sync_members[] = {
	MEMBER(bo_sync, size, ABI_SIZE),
	MEMBER(bo_sync, id, ABI_ID, .object = ABI_BO),
	MEMBER(bo_sync, flags, ABI_FLAGS, .known = ACCEL_SYNC_READ |
	       ACCEL_SYNC_WRITE | ACCEL_SYNC_END),
	MEMBER(bo_sync, reserved, ABI_RESERVED),
	MEMBER(bo_sync, deadline_ns, ABI_DEADLINE),
};
STRUCT(bo_sync);

static const struct abi_member bo_advise_members[] = {
	MEMBER(bo_advise, size, ABI_SIZE),
	MEMBER(bo_advise, id, ABI_ID, .object = ABI_BO),
	MEMBER(bo_advise, advice, ABI_NUMBER, .min = ACCEL_ADVISE_WILLNEED,
	       .max = ACCEL_ADVISE_DONTNEED, .error = -EOPNOTSUPP),
	MEMBER(bo_advise, retained, ABI_OUT),
};
STRUCT(bo_advise);

static const struct abi_member queue_create_members[] = {
	MEMBER(queue_create, size, ABI_SIZE),
	MEMBER(queue_create, flags, ABI_FLAGS),
	MEMBER(queue_create, engine, ABI_NUMBER, BELOW(engine_count),
	       .error = -EINVAL),
	MEMBER(queue_create, priority, ABI_NUMBER, .error = -EOPNOTSUPP),
	MEMBER(queue_create, vm, ABI_ID, .object = ABI_NO_OBJECT),
	MEMBER(queue_create, timeout_ms, ABI_NUMBER, LIMIT(timeout_max_ms),
	       .error = -EINVAL),
	MEMBER(queue_create, payload_ptr, ABI_PTR, .unit = 1,
	       COUNT_AT(queue_create, payload_size)),
	MEMBER(queue_create, payload_size, ABI_NUMBER, .error = -EINVAL),
	MEMBER(queue_create, reserved, ABI_RESERVED),
	MEMBER(queue_create, id, ABI_OUT),
	MEMBER(queue_create, timeline, ABI_OUT),
	MEMBER(queue_create, point_offset, ABI_OUT),
};
STRUCT(queue_create);

static const struct abi_member queue_info_members[] = {
	MEMBER(queue_info, size, ABI_SIZE),
	MEMBER(queue_info, id, ABI_ID, .object = ABI_QUEUE),
	MEMBER(queue_info, engine, ABI_OUT),
	MEMBER(queue_info, timeline, ABI_OUT),
	MEMBER(queue_info, timeout_ms, ABI_OUT),
	MEMBER(queue_info, status, ABI_OUT),
	MEMBER(queue_info, submitted, ABI_OUT),
	MEMBER(queue_info, completed, ABI_OUT),
	MEMBER(queue_info, failed, ABI_OUT),
	MEMBER(queue_info, busy_ns, ABI_OUT),
};
STRUCT(queue_info);

/* @_jobs: what they are */
#define SUBMIT_MEMBERS(_jobs)						\
	MEMBER(submit, size, ABI_SIZE),					\
	MEMBER(submit, queue, ABI_ID, .object = ABI_QUEUE),		\
	MEMBER(submit, flags, ABI_FLAGS),				\
	MEMBER(submit, job_count, ABI_COUNT, .min = 1, LIMIT(jobs_max),	\
	       .error = -EINVAL),					\
	MEMBER(submit, jobs_ptr, ABI_PTR, .of = &(_jobs),		\
	       COUNT_AT(submit, job_count), STRIDE_AT(submit, job_stride)), \
	MEMBER(submit, job_stride, ABI_STRIDE),				\
	MEMBER(submit, reserved, ABI_RESERVED),				\
	MEMBER(submit, accepted, ABI_OUT),				\
	MEMBER(submit, stop_error, ABI_OUT),				\
	MEMBER(submit, first_point, ABI_OUT)

static const struct abi_member submit_members[] = {
	SUBMIT_MEMBERS(submit_job_struct),
};
STRUCT(submit);

static const struct abi_member timeline_create_members[] = {
	MEMBER(timeline_create, size, ABI_SIZE),
	MEMBER(timeline_create, flags, ABI_FLAGS),
	MEMBER(timeline_create, value, ANY_NUMBER),
	MEMBER(timeline_create, reserved, ABI_RESERVED),
	MEMBER(timeline_create, id, ABI_OUT),
};
STRUCT(timeline_create);

static const struct abi_member timeline_signal_members[] = {
	MEMBER(timeline_signal, size, ABI_SIZE),
	MEMBER(timeline_signal, id, ABI_ID, .object = ABI_OWN_TIMELINE),
	MEMBER(timeline_signal, value, ABI_NUMBER, .min = 1,
	       .max = UINT64_MAX, .error = -EINVAL),
};
STRUCT(timeline_signal);

static const struct abi_member timeline_query_members[] = {
	MEMBER(timeline_query, size, ABI_SIZE),
	MEMBER(timeline_query, id, ABI_ID, .object = ABI_TIMELINE),
	MEMBER(timeline_query, value, ANY_NUMBER),
	MEMBER(timeline_query, status, ABI_OUT),
	MEMBER(timeline_query, reserved, ABI_RESERVED),
	MEMBER(timeline_query, completed, ABI_OUT),
	MEMBER(timeline_query, promised, ABI_OUT),
};
STRUCT(timeline_query);

static const struct abi_member timeline_wait_members[] = {
	MEMBER(timeline_wait, size, ABI_SIZE),
	MEMBER(timeline_wait, flags, ABI_FLAGS, .known = ACCEL_WAIT_ALL),
	MEMBER(timeline_wait, points_ptr, ABI_PTR, .of = &point_struct,
	       COUNT_AT(timeline_wait, count),
	       STRIDE_AT(timeline_wait, stride)),
	MEMBER(timeline_wait, count, ABI_COUNT, .min = 1, LIMIT(points_max),
	       .error = -EINVAL),
	MEMBER(timeline_wait, stride, ABI_STRIDE),
	MEMBER(timeline_wait, deadline_ns, ABI_DEADLINE),
	MEMBER(timeline_wait, statuses_ptr, ABI_PTR, .unit = sizeof(__s32),
	       .out = true, .optional = true, COUNT_AT(timeline_wait, count)),
	MEMBER(timeline_wait, index, ABI_OUT),
	MEMBER(timeline_wait, status, ABI_OUT),
};
STRUCT(timeline_wait);

/* As of a timeline: there is no point. */
static const struct abi_member timeline_export_members[] = {
	MEMBER(timeline_export, size, ABI_SIZE),
	MEMBER(timeline_export, id, ABI_ID, .object = ABI_TIMELINE),
	MEMBER(timeline_export, value, ABI_NUMBER, .error = -EINVAL),
	MEMBER(timeline_export, type, ABI_NUMBER, .min = ACCEL_FD_SYNC_FILE,
	       .max = ACCEL_FD_TIMELINE, .error = -EOPNOTSUPP),
	MEMBER(timeline_export, flags, ABI_FLAGS,
	       .known = ACCEL_TIMELINE_SIGNAL_RIGHT),
	MEMBER(timeline_export, fd, ABI_OUT),
	MEMBER(timeline_export, reserved, ABI_RESERVED),
};
STRUCT(timeline_export);

static const struct abi_member timeline_import_members[] = {
	MEMBER(timeline_import, size, ABI_SIZE),
	MEMBER(timeline_import, type, ABI_NUMBER, .min = ACCEL_FD_SYNC_FILE,
	       .max = ACCEL_FD_TIMELINE, .error = -EOPNOTSUPP),
	MEMBER(timeline_import, fd, ABI_FD),
	MEMBER(timeline_import, flags, ABI_FLAGS),
	MEMBER(timeline_import, value, ABI_NUMBER, .error = -EINVAL),
	MEMBER(timeline_import, id, ABI_OUT),
	MEMBER(timeline_import, reserved, ABI_RESERVED),
};
STRUCT(timeline_import);

static const struct abi_member vaccel_release_members[] = {
	MEMBER(vaccel_release, size, ABI_SIZE),
	MEMBER(vaccel_release, queue, ABI_ID, .object = ABI_QUEUE),
};
STRUCT(vaccel_release);

FIXTURE(abi)
{
	int fd;
	struct accel_query_device dev;
	struct accel_bo_create bo[2];
	struct accel_queue_create queue;
	__u32 timeline[2];
	int dma_buf;		/* of the first buffer */
	int timeline_fd;	/* of the first timeline */
	int sync_file;		/* that has signalled */
	int eventfd;
	__u32 next_id;
	int next_fd;
	char census[CENSUS_SIZE];
	/* Of the timelines, the highest point promised on either. */
	__u64 value;
	unsigned long cases;

	/* What the calls are made with, and what that points to. */
	union abi_arg arg;
	char name[8];
	struct accel_query_device answer;
	struct accel_vaccel_nop cmd;
	struct accel_submit_job job;
	struct accel_submit_bo bos[2];
	struct accel_point waits[2];
	struct accel_point signals[2];
	struct accel_point points[2];
	__s32 statuses[2];
	__u32 victim;
};

/**
 * struct abi_call - an ioctl, with arguments of one kind
 * @name: of the ioctl, and of the kind if there are several
 * @cmd: the ioctl
 * @nr: its number
 * @first_size: size of the first version of its argument
 * @size: size of the argument
 * @writes: whether it writes to its argument
 * @desc: members of the argument
 * @good: makes arguments that it must accept
 */
struct abi_call {
	const char *name;
	unsigned int cmd;
	__u32 nr;
	__u32 first_size;
	__u32 size;
	bool writes;
	const struct abi_struct *desc;
	void (*good)(FIXTURE_DATA(abi) *self);
};

#endif /* SELFTESTS_ACCEL_ABI_H */
