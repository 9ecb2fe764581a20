// SPDX-License-Identifier: GPL-2.0-only
/*
 * Values that a member may not have, in every place where there is such a member:
 * in the arguments of all ioctls, and in the arrays that these lead to.
 */
#include "abi_call.h"

#include <sys/syscall.h>

TEST_F(abi, reserved_member)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_RESERVED, places);
	__u32 bit;

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		ASSERT_EQ(sizeof(bit), place->member->size);
		for (bit = 1; bit; bit <<= 1) {
			make_changed(self, place, bit);
			expect_failure(_metadata, self, place->call, -EINVAL,
				       place->member->name);
		}
		expect_no_trace(_metadata, self, place->call);
	}
}

/* Beside flags that are known, and whatever these are. */
TEST_F(abi, unknown_flag)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_FLAGS, places);
	__u32 bit;

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		for (bit = 1; bit; bit <<= 1) {
			if (bit & place->member->known)
				continue;
			make_arg(self, place->call, place->call->size);
			place_put(place, place_get(place) | bit);
			expect_failure(_metadata, self, place->call,
				       -EOPNOTSUPP, place->member->name);
			make_changed(self, place, place->member->known | bit);
			expect_failure(_metadata, self, place->call,
				       -EOPNOTSUPP, place->member->name);
		}
		make_changed(self, place, UINT_MAX);
		expect_failure(_metadata, self, place->call, -EOPNOTSUPP,
			       place->member->name);
		expect_no_trace(_metadata, self, place->call);
	}
}

/* Ids of every kind, those of another file included. */
struct ids {
	struct accel_bo_create bo;
	struct accel_queue_create queue;
	__u32 timeline;
};

static int make_ids(int fd, struct ids *ids)
{
	return bo_create(fd, 0, 1, &ids->bo) ?:
	       queue_create(fd, 0, 0, &ids->queue) ?:
	       timeline_create(fd, 0, &ids->timeline);
}

static int destroy_ids(int fd, const struct ids *ids)
{
	return destroy(fd, ids->bo.id) ?: destroy(fd, ids->queue.id) ?:
	       destroy(fd, ids->queue.timeline) ?: destroy(fd, ids->timeline);
}

/* The error for an id that exists, in the place of one of @object. */
static int id_error(enum abi_object object, enum abi_object id)
{
	switch (object) {
	case ABI_ANY_OBJECT:
		return 0;
	case ABI_TIMELINE:
		return id == ABI_TIMELINE || id == ABI_OWN_TIMELINE ? 0 :
		       -ENOENT;
	case ABI_OWN_TIMELINE:
		return id == ABI_OWN_TIMELINE ? 0 :
		       id == ABI_TIMELINE ? -EPERM : -ENOENT;
	default:
		return id == object ? 0 : -ENOENT;
	}
}

static void try_id(struct __test_metadata *_metadata, FIXTURE_DATA(abi) *self,
		   const struct abi_place *place, __u32 id, int error,
		   const char *what)
{
	char text[64];

	if (!error)
		return;
	snprintf(text, sizeof(text), "%s: %s", place->member->name, what);
	make_changed(self, place, id);
	expect_failure(_metadata, self, place->call, error, text);
}

static void try_live_ids(struct __test_metadata *_metadata,
			 FIXTURE_DATA(abi) *self, const struct abi_place *place)
{
	enum abi_object object = place->member->object;

	try_id(_metadata, self, place, self->bo[1].id,
	       id_error(object, ABI_BO), "a buffer");
	try_id(_metadata, self, place, self->queue.id,
	       id_error(object, ABI_QUEUE), "a queue");
	try_id(_metadata, self, place, self->timeline[1],
	       id_error(object, ABI_OWN_TIMELINE), "a timeline");
	try_id(_metadata, self, place, self->queue.timeline,
	       id_error(object, ABI_TIMELINE), "a queue's timeline");
}

static void try_dead_ids(struct __test_metadata *_metadata,
			 FIXTURE_DATA(abi) *self, const struct abi_place *place,
			 const struct ids *ids, const char *what)
{
	try_id(_metadata, self, place, ids->bo.id, -ENOENT, what);
	try_id(_metadata, self, place, ids->queue.id, -ENOENT, what);
	try_id(_metadata, self, place, ids->queue.timeline, -ENOENT, what);
	try_id(_metadata, self, place, ids->timeline, -ENOENT, what);
}

static const __u32 never_ids[] = {
	1000000, INT_MAX - 1, INT_MAX, (__u32)INT_MAX + 1, UINT_MAX - 1,
	UINT_MAX,
};

TEST_F_TIMEOUT(abi, id_of_something_else, LONG_TEST_S)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_ID, places);
	struct ids foreign, dead, pad;
	size_t i;
	int fd;

	ASSERT_LT(0, n);
	/* The ids that will be tried are higher than any that this file uses. */
	fd = accel_open();
	ASSERT_LE(0, fd);
	self->next_fd = next_fd();
	ASSERT_LE(0, self->next_fd);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, make_ids(fd, &pad));
	ASSERT_EQ(0, make_ids(fd, &foreign));
	ASSERT_EQ(0, make_ids(self->fd, &pad));
	ASSERT_EQ(0, make_ids(self->fd, &dead));
	ASSERT_EQ(0, destroy_ids(self->fd, &dead));
	ASSERT_EQ(0, destroy_ids(self->fd, &pad));
	drop_victim(_metadata, self);
	ASSERT_EQ(0, census_read(self->census));

	for_each_place(place, places, n) {
		/* What is good, but for a bit that no id has. */
		make_arg(self, place->call, place->call->size);
		try_id(_metadata, self, place, place_get(place) | 1U << 31,
		       -ENOENT, "with the highest bit");
		if (place->member->object != ABI_NO_OBJECT)
			try_id(_metadata, self, place, 0, -ENOENT, "0");
		for (i = 0; i < ARRAY_LEN(never_ids); i++)
			try_id(_metadata, self, place, never_ids[i], -ENOENT,
			       "never an id");
		try_live_ids(_metadata, self, place);
		try_dead_ids(_metadata, self, place, &dead, "destroyed");
		try_dead_ids(_metadata, self, place, &foreign, "another file's");
		expect_no_trace(_metadata, self, place->call);
	}
	EXPECT_EQ(0, close(fd));
}

static int pidfd_of_self(void)
{
	return syscall(SYS_pidfd_open, getpid(), 0);
}

/* Every kind of file that is none of what is asked for, and no file. */
TEST_F(abi, fd_of_something_else)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_FD, places), i;
	char path[32];
	int fds[] = {
		-1, INT_MIN, INT_MAX, self->next_fd + 100, self->fd,
		self->dma_buf, self->timeline_fd, self->sync_file,
		self->eventfd, -1, -1, -1, -1, -1, -1,
	};
	const size_t first = ARRAY_LEN(fds) - 6;

	ASSERT_LT(0, n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->dma_buf);
	fds[first] = open(path, O_PATH | O_CLOEXEC);
	fds[first + 1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[first + 2] = dup(STDERR_FILENO);
	fds[first + 3] = pidfd_of_self();
	ASSERT_EQ(0, pipe(fds + first + 4));
	for (i = first; i < ARRAY_LEN(fds); i++)
		ASSERT_LE(0, fds[i]);

	for_each_place(place, places, n) {
		for (i = 0; i < ARRAY_LEN(fds); i++) {
			make_arg(self, place->call, place->call->size);
			/* That is the one which is asked for. */
			if (place_get(place) == (__u32)fds[i])
				continue;
			make_changed(self, place, fds[i]);
			expect_failure(_metadata, self, place->call, -EBADF,
				       place->member->name);
		}
	}
	for (i = first; i < ARRAY_LEN(fds); i++)
		ASSERT_EQ(0, close(fds[i]));
	for_each_place(place, places, n)
		expect_no_trace(_metadata, self, place->call);
}

static __u64 highest(FIXTURE_DATA(abi) *self, const struct abi_member *m)
{
	__u32 max;

	if (!m->limit)
		return m->max;
	memcpy(&max, (char *)&self->dev + m->limit, sizeof(max));
	return max - m->below;
}

static void expect_out_of_range(struct __test_metadata *_metadata,
				FIXTURE_DATA(abi) *self,
				const struct abi_place *place)
{
	const struct abi_member *m = place->member;
	const __u64 max = highest(self, m);
	const __u64 values[] = {
		m->min - 1, max + 1, max + 2, 0, 1ULL << 16, 1ULL << 26,
		INT_MAX, 1ULL << 31, UINT_MAX - 1, UINT_MAX, 1ULL << 63,
		UINT64_MAX - 4095, UINT64_MAX - 1, UINT64_MAX,
	};
	__u64 value;
	size_t i;

	for (i = 0; i < ARRAY_LEN(values); i++) {
		value = m->size == 4 ? (__u32)values[i] : values[i];
		if (value >= m->min && value <= max)
			continue;
		make_changed(self, place, value);
		expect_failure(_metadata, self, place->call, m->error,
			       m->name);
	}
}

TEST_F(abi, number_out_of_range)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_NUMBER, places);

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		expect_out_of_range(_metadata, self, place);
		expect_no_trace(_metadata, self, place->call);
	}
}

/* No count that is too large is taken at its word, and 0 only where it may be. */
TEST_F(abi, count_out_of_range)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_COUNT, places);

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		expect_out_of_range(_metadata, self, place);
		if (!place->member->min) {
			make_changed(self, place, 0);
			expect_good(_metadata, self, place->call,
				    place->member->name);
		}
		expect_no_trace(_metadata, self, place->call);
	}
}

/* The pointer member whose elements have this stride. */
static const struct abi_member *strided(const struct abi_place *stride,
					const struct abi_struct *desc)
{
	const struct abi_member *m, *found;

	for (m = desc->members; m < desc->members + desc->member_count; m++) {
		if (!m->of)
			continue;
		if (m->stride == stride->member->offset &&
		    stride->member >= desc->members &&
		    stride->member < desc->members + desc->member_count)
			return m;
		found = strided(stride, m->of);
		if (found)
			return found;
	}
	return NULL;
}

/* Good arguments, but for an array that is copied to @room with this stride. */
static void make_strided(FIXTURE_DATA(abi) *self, const struct abi_place *place,
			 const struct abi_member *ptr, __u32 stride, __u8 *room)
{
	struct abi_place at = { place->call, ptr, place->in };
	const __u8 *array;
	__u32 i, count;

	make_arg(self, place->call, place->call->size);
	count = ptr_count(place->in, ptr);
	array = (__u8 *)(uintptr_t)place_get(&at);
	memset(room, 0, (size_t)stride * count);
	for (i = 0; i < count; i++)
		memcpy(room + i * stride, array + i * ptr->of->size,
		       ptr->of->size);
	place_put(&at, ptr_to_u64(room));
	place_put(place, stride);
}

static void try_strides(struct __test_metadata *_metadata,
			FIXTURE_DATA(abi) *self, const struct abi_place *place,
			const struct abi_member *ptr, __u8 *room)
{
	const __u32 page = sysconf(_SC_PAGESIZE);
	const __u32 absurd[] = {
		page + 1, 0x10000, INT_MAX, (__u32)INT_MAX + 1, UINT_MAX - 3,
		UINT_MAX,
	};
	const __u32 first = ptr->of->size;
	__u32 stride, count, i;

	for (stride = 0; stride < first; stride++) {
		make_changed(self, place, stride);
		expect_failure(_metadata, self, place->call, -EINVAL,
			       place->member->name);
	}
	for (i = 0; i < ARRAY_LEN(absurd); i++) {
		make_changed(self, place, absurd[i]);
		expect_failure(_metadata, self, place->call, -EINVAL,
			       place->member->name);
	}
	for (stride = first; stride <= page; stride++) {
		if (stride > first + TAIL)
			stride = page;
		make_strided(self, place, ptr, stride, room);
		expect_good(_metadata, self, place->call, place->member->name);
		if (stride == first)
			continue;
		count = ptr_count(place->in, ptr);
		make_strided(self, place, ptr, stride, room);
		room[count * stride - 1] = 1;
		expect_failure(_metadata, self, place->call, -E2BIG,
			       place->member->name);
		make_strided(self, place, ptr, stride, room);
		room[first] = 0x80;
		expect_failure(_metadata, self, place->call, -E2BIG,
			       place->member->name);
	}
}

TEST_F_TIMEOUT(abi, stride, LONG_TEST_S)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_STRIDE, places);
	const struct abi_member *ptr;
	__u8 *room;

	ASSERT_LT(0, n);
	room = calloc(2, sysconf(_SC_PAGESIZE));
	ASSERT_TRUE(room != NULL);
	for_each_place(place, places, n) {
		ptr = strided(place, place->call->desc);
		ASSERT_TRUE(ptr != NULL) TH_LOG("%s", place->member->name);
		try_strides(_metadata, self, place, ptr, room);
		expect_no_trace(_metadata, self, place->call);
	}
	free(room);
}

/* What is waited for has happened: any deadline will do that is one. */
TEST_F(abi, deadline)
{
	const __s64 good[] = {
		0, 1, now_ns() - 1, now_ns(), UINT_MAX, 1LL << 32, deadline_ms(1),
		INT64_MAX - 1, INT64_MAX,
	};
	static const __s64 bad[] = {
		-1, -2, -(1LL << 32), INT64_MIN, INT64_MIN + 1,
	};
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_DEADLINE, places), i;

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		for (i = 0; i < ARRAY_LEN(good); i++) {
			make_changed(self, place, good[i]);
			expect_good(_metadata, self, place->call,
				    place->member->name);
		}
		for (i = 0; i < ARRAY_LEN(bad); i++) {
			make_changed(self, place, bad[i]);
			expect_failure(_metadata, self, place->call, -EINVAL,
				       place->member->name);
		}
		expect_no_trace(_metadata, self, place->call);
	}
}

/* As many elements as the device allows, in each array of a job and a wait. */
TEST_F_TIMEOUT(abi, count_at_its_limit, LONG_TEST_S)
{
	const __u32 bos = self->dev.job_bos_max, points = self->dev.points_max;
	struct accel_submit_bo *bo_array = calloc(bos, sizeof(*bo_array));
	struct accel_point *waits = calloc(points, sizeof(*waits));
	struct accel_point *signals = calloc(points, sizeof(*signals));
	__s32 *statuses = calloc(points + 1, sizeof(*statuses));
	struct accel_timeline_wait wait;
	struct accel_bo_create bo;
	struct accel_submit sub;
	__u32 i;

	ASSERT_TRUE(bo_array && waits && signals && statuses);
	for (i = 0; i < bos; i++) {
		ASSERT_EQ(0, bo_create(self->fd, 0, 1, &bo));
		bo_array[i].id = bo.id;
		bo_array[i].flags = ACCEL_BO_WRITE;
	}
	for (i = 0; i < points; i++) {
		waits[i].timeline = self->timeline[0];
		signals[i].timeline = self->timeline[1];
		signals[i].value = i + 1;
	}
	make_job(self);
	self->job.bos_ptr = ptr_to_u64(bo_array);
	self->job.bo_count = bos;
	self->job.waits_ptr = ptr_to_u64(waits);
	self->job.wait_count = points;
	self->job.signals_ptr = ptr_to_u64(signals);
	self->job.signal_count = points;
	ASSERT_EQ(0, submit(self->fd, self->queue.id, &self->job, 1, &sub));
	ASSERT_EQ(1, sub.accepted);

	statuses[points] = 0x55555555;
	ASSERT_EQ(0, timeline_wait(self->fd, signals, points, ACCEL_WAIT_ALL,
				   deadline_ms(WAIT_MS), statuses, &wait));
	for (i = 0; i < points; i++)
		EXPECT_EQ(0, statuses[i]);
	EXPECT_EQ(0x55555555, statuses[points]);
	self->cases += 2;
	free(bo_array);
	free(waits);
	free(signals);
	free(statuses);
}

/* Points up to the very last, and nothing behind it. */
TEST_F(abi, last_point_of_a_timeline)
{
	static const __u64 values[] = {
		UINT_MAX, 1ULL << 32, INT64_MAX, 1ULL << 63, UINT64_MAX - 1,
		UINT64_MAX,
	};
	const int fd = self->fd;
	__u32 id = self->timeline[0], last;
	size_t i;

	for (i = 0; i < ARRAY_LEN(values); i++) {
		EXPECT_PENDING(fd, id, values[i]);
		EXPECT_EQ(0, timeline_signal(fd, id, values[i]));
		EXPECT_POINT(0, fd, id, values[i]);
		EXPECT_EQ(-EINVAL, timeline_signal(fd, id, values[i]));
		EXPECT_EQ(-EINVAL, timeline_signal(fd, id, values[i] - 1));
	}
	EXPECT_EQ(-EINVAL, timeline_signal(fd, id, 0));

	ASSERT_EQ(0, timeline_create(fd, UINT64_MAX, &last));
	EXPECT_POINT(0, fd, last, UINT64_MAX);
	EXPECT_EQ(-EINVAL, timeline_signal(fd, last, UINT64_MAX));
	self->cases += 5 * ARRAY_LEN(values) + 3;
}

TEST_HARNESS_MAIN
