/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arguments of a second kind, where a member says what others mean: each is a call of
 * its own to the abi_*_test programs. And all of the calls. It is a part of abi_call.h.
 */
#ifndef SELFTESTS_ACCEL_ABI_VARIANT_H
#define SELFTESTS_ACCEL_ABI_VARIANT_H

/* The ioctl, what it is given, and whether it writes to its argument then. */
#define ALL_VARIANTS(X)							\
	X(SUBMIT,		submit,			sync_file, true) \
	X(TIMELINE_EXPORT,	timeline_export,	sync_file, true) \
	X(TIMELINE_EXPORT,	timeline_export,	eventfd, false)	\
	X(TIMELINE_IMPORT,	timeline_import,	sync_file, false)

#define VARIANT(_name, _what)						\
static const struct abi_struct _name##_##_what##_struct = {		\
	.name = #_name " of " #_what,					\
	.size = sizeof(struct accel_##_name),				\
	.member_count = ARRAY_LEN(_name##_##_what##_members),		\
	.members = _name##_##_what##_members,				\
}

/* A job that waits for sync_files. */
static const struct abi_member point_sync_file_members[] = {
	MEMBER(point, timeline, ABI_FD),
	MEMBER(point, flags, ABI_FLAGS, .known = ACCEL_POINT_SYNC_FILE),
	MEMBER(point, value, ABI_NUMBER, .error = -EINVAL),
};
VARIANT(point, sync_file);

static const struct abi_member submit_job_sync_file_members[] = {
	SUBMIT_JOB_MEMBERS(point_sync_file_struct),
};
VARIANT(submit_job, sync_file);

static const struct abi_member submit_sync_file_members[] = {
	SUBMIT_MEMBERS(submit_job_sync_file_struct),
};
VARIANT(submit, sync_file);

static inline void good_submit_sync_file(FIXTURE_DATA(abi) *self)
{
	int i;

	good_submit(self);
	for (i = 0; i < 2; i++)
		self->waits[i] = (struct accel_point) {
			.timeline = self->sync_file,
			.flags = ACCEL_POINT_SYNC_FILE,
		};
}

/* @...: what the fd is */
#define TIMELINE_EXPORT_MEMBERS(...)					\
	MEMBER(timeline_export, size, ABI_SIZE),			\
	MEMBER(timeline_export, id, ABI_ID, .object = ABI_TIMELINE),	\
	MEMBER(timeline_export, value, ANY_NUMBER),			\
	MEMBER(timeline_export, type, ABI_NUMBER,			\
	       .min = ACCEL_FD_SYNC_FILE, .max = ACCEL_FD_TIMELINE,	\
	       .error = -EOPNOTSUPP),					\
	MEMBER(timeline_export, flags, ABI_FLAGS),			\
	MEMBER(timeline_export, fd, __VA_ARGS__),			\
	MEMBER(timeline_export, reserved, ABI_RESERVED)

static const struct abi_member timeline_export_sync_file_members[] = {
	TIMELINE_EXPORT_MEMBERS(ABI_OUT),
};
VARIANT(timeline_export, sync_file);

static const struct abi_member timeline_export_eventfd_members[] = {
	TIMELINE_EXPORT_MEMBERS(ABI_FD),
};
VARIANT(timeline_export, eventfd);

/* Of a point that has been reached: nobody keeps the eventfd. */
static inline void good_timeline_export_sync_file(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_export = (struct accel_timeline_export) {
		.id = self->timeline[0],
		.type = ACCEL_FD_SYNC_FILE,
		.fd = -1,
	};
}

static inline void good_timeline_export_eventfd(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_export = (struct accel_timeline_export) {
		.id = self->timeline[0],
		.type = ACCEL_FD_EVENTFD,
		.fd = self->eventfd,
	};
}

static const struct abi_member timeline_import_sync_file_members[] = {
	MEMBER(timeline_import, size, ABI_SIZE),
	MEMBER(timeline_import, type, ABI_NUMBER, .min = ACCEL_FD_SYNC_FILE,
	       .max = ACCEL_FD_TIMELINE, .error = -EOPNOTSUPP),
	MEMBER(timeline_import, fd, ABI_FD),
	MEMBER(timeline_import, flags, ABI_FLAGS),
	MEMBER(timeline_import, value, ABI_NUMBER, .min = 1,
	       .max = UINT64_MAX, .error = -EINVAL),
	MEMBER(timeline_import, id, ABI_ID, .object = ABI_OWN_TIMELINE),
	MEMBER(timeline_import, reserved, ABI_RESERVED),
};
VARIANT(timeline_import, sync_file);

static inline void good_timeline_import_sync_file(FIXTURE_DATA(abi) *self)
{
	self->arg.timeline_import = (struct accel_timeline_import) {
		.type = ACCEL_FD_SYNC_FILE,
		.fd = self->sync_file,
		.value = self->value + 1,
		.id = self->timeline[0],
	};
}

static const struct abi_call calls[] = {
#define X(NAME, _name, _nr, last) {				\
	.name = #NAME,						\
	.cmd = ACCEL_IOCTL_##NAME,				\
	.nr = _nr,						\
	.first_size = FIRST_SIZE_##_name,			\
	.size = sizeof(struct accel_##_name),			\
	.writes = WRITES_##_name,				\
	.desc = &_name##_struct,				\
	.good = good_##_name,					\
},
	ALL_IOCTLS(X)
#undef X
#define X(NAME, _name, _what, _writes) {			\
	.name = #NAME " of " #_what,				\
	.cmd = ACCEL_IOCTL_##NAME,				\
	.nr = _IOC_NR(ACCEL_IOCTL_##NAME),			\
	.first_size = FIRST_SIZE_##_name,			\
	.size = sizeof(struct accel_##_name),			\
	.writes = _writes,					\
	.desc = &_name##_##_what##_struct,			\
	.good = good_##_name##_##_what,				\
},
	ALL_VARIANTS(X)
#undef X
};

#define for_each_call(call) \
	for ((call) = calls; (call) < calls + ARRAY_LEN(calls); (call)++)

#endif /* SELFTESTS_ACCEL_ABI_VARIANT_H */
