// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pointers, to the arguments of all ioctls and in them: to nothing, to half of
 * what should be there, to what cannot be written.
 */
#include "abi_call.h"

/* Two pages, of which the second may be taken away. */
struct pages {
	long size;
	__u8 *first;
	__u8 *second;
};

static void pages_map(struct __test_metadata *_metadata, struct pages *pages)
{
	pages->size = sysconf(_SC_PAGESIZE);
	pages->first = mmap(NULL, 2 * pages->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(pages->first != MAP_FAILED);
	pages->second = pages->first + pages->size;
}

static void pages_map_one(struct __test_metadata *_metadata,
			  struct pages *pages)
{
	pages_map(_metadata, pages);
	ASSERT_EQ(0, munmap(pages->second, pages->size));
}

/* The struct begins on the page and does not end there. */
TEST_F(abi, argument_that_is_not_there)
{
	const struct abi_call *call;
	struct pages pages;
	__u32 j;

	pages_map_one(_metadata, &pages);
	void *const bad[] = {
		NULL, (void *)1, pages.second, (void *)-1UL, (void *)-4UL,
		(void *)-8UL, (void *)-4096UL,
#if __SIZEOF_POINTER__ == 8
		(void *)0x7ffffffff000, (void *)0x7ffffffffff8,
		(void *)0x8000000000000000, (void *)0xffff888000000000,
		(void *)0xffffffff81000000,
#endif
	};

	for_each_call(call) {
		for (j = 0; j < ARRAY_LEN(bad); j++) {
			void *at = bad[j];

			EXPECT_EQ(-EFAULT, abi_call_at(_metadata, self, call,
						       at)) {
				TH_LOG("%s at %p", call->name, at);
			}
		}
		make_arg(self, call, call->size);
		for (j = 1; j < call->size; j++) {
			memcpy(pages.second - j, &self->arg, j);
			EXPECT_EQ(-EFAULT,
				  abi_call_at(_metadata, self, call,
					      pages.second - j)) {
				TH_LOG("%s: %u bytes", call->name, j);
			}
		}
		expect_no_trace(_metadata, self, call);
	}
	munmap(pages.first, pages.size);
}

/* A struct that ends where the mapping does is whole. */
TEST_F(abi, reads_no_more_than_size)
{
	const struct abi_call *call;
	struct pages pages;
	__u32 size;
	__u8 *arg;

	pages_map_one(_metadata, &pages);
	for_each_call(call) {
		for (size = call->first_size; size <= call->size + 8; size++) {
			arg = pages.second - size;
			make_arg(self, call, size);
			memcpy(arg, &self->arg, size);
			expect_good_at(_metadata, self, call, arg,
				       "at the end of a mapping");
		}
		expect_no_trace(_metadata, self, call);
	}
	munmap(pages.first, pages.size);
}

/* x86 takes any address, others may refuse; nobody may do half of it. */
TEST_F(abi, misaligned_argument)
{
	__u64 words[ARG_ROOM / 8 + 2];
	__u8 *room = (__u8 *)words;
	const struct abi_call *call;
	__u32 shift;
	int ret;

	for_each_call(call) {
		for (shift = 1; shift < 8; shift++) {
			make_arg(self, call, call->size);
			memcpy(room + shift, &self->arg, ARG_ROOM);
			ret = abi_call_at(_metadata, self, call, room + shift);
			EXPECT_TRUE(ret == good_result(call) ||
				    ret == -EFAULT || ret == -EINVAL) {
				TH_LOG("%s: %d", call->name, ret);
			}
			memcpy(&self->arg, room + shift, ARG_ROOM);
			if (!ret)
				EXPECT_EQ(0, abi_undo(self, call, &self->arg));
		}
		expect_no_trace(_metadata, self, call);
	}
}

/* The bytes that a pointer in good arguments points to. */
static __u32 ptr_length(const struct abi_place *ptr)
{
	return ptr_count(ptr->in, ptr->member) * ptr_unit(ptr->member);
}

/* Good arguments but that what @ptr points to is a copy at @at. */
static __u32 make_moved(FIXTURE_DATA(abi) *self, const struct abi_place *ptr,
			__u8 *at, __u32 cut)
{
	__u32 length;

	make_arg(self, ptr->call, ptr->call->size);
	length = ptr_length(ptr);
	memcpy(at, (void *)(uintptr_t)place_get(ptr), length - cut);
	place_put(ptr, ptr_to_u64(at));
	return length;
}

TEST_F(abi, misaligned_member)
{
	__u64 words[ARG_ROOM / 8];
	__u8 *room = (__u8 *)words;
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_PTR, places);
	__u32 shift;
	int ret;

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		for (shift = 1; shift < 8; shift++) {
			make_moved(self, place, room + shift, 0);
			ret = abi_call(_metadata, self, place->call);
			EXPECT_TRUE(ret == good_result(place->call) ||
				    ret == -EFAULT || ret == -EINVAL) {
				TH_LOG("%s: %d", place->member->name, ret);
			}
			if (!ret)
				EXPECT_EQ(0, abi_undo(self, place->call,
						      &self->arg));
		}
		expect_no_trace(_metadata, self, place->call);
	}
}

TEST_F(abi, member_to_what_is_not_there)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_PTR, places), i;
	struct pages pages;

	pages_map_one(_metadata, &pages);
	const __u64 bad[] = {
		0, 1, ptr_to_u64(pages.second), UINT64_MAX, UINT64_MAX - 3,
		UINT64_MAX - 7, UINT64_MAX - 15, UINT64_MAX - 4095,
		0x7ffffffff000, 0x7ffffffffff8, 1ULL << 63,
		0xffff888000000000, 0xffffffff81000000,
		/* Of a 32-bit caller, one that is good without its top half. */
		sizeof(long) == 4 ? ptr_to_u64(self) | 1ULL << 32 : 0,
	};

	ASSERT_LT(0, n);
	for_each_place(place, places, n) {
		for (i = 0; i < ARRAY_LEN(bad); i++) {
			make_changed(self, place, bad[i]);
			if (!ptr_count(place->in, place->member) ||
			    (!bad[i] && place->member->optional))
				expect_good(_metadata, self, place->call,
					    place->member->name);
			else
				expect_failure(_metadata, self, place->call,
					       -EFAULT, place->member->name);
		}
		expect_no_trace(_metadata, self, place->call);
	}
	munmap(pages.first, pages.size);
}

/* An array, a name or an answer of which not all is there. */
TEST_F(abi, member_to_half_of_it)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_PTR, places);
	struct pages pages;
	__u32 length, cut;

	pages_map_one(_metadata, &pages);
	for_each_place(place, places, n) {
		make_arg(self, place->call, place->call->size);
		length = ptr_length(place);
		if (!length)
			continue;
		for (cut = 1; cut < length; cut++) {
			make_moved(self, place, pages.second - length + cut,
				   cut);
			expect_failure(_metadata, self, place->call, -EFAULT,
				       place->member->name);
		}
		make_moved(self, place, pages.second - length, 0);
		expect_good(_metadata, self, place->call, place->member->name);
		expect_no_trace(_metadata, self, place->call);
	}
	munmap(pages.first, pages.size);
}

/* Memory that may not be written, for answers; or not even read. */
TEST_F(abi, member_to_protected_memory)
{
	struct abi_place places[PLACES_MAX], *place;
	size_t n = find_places(self, NULL, ABI_PTR, places);
	struct pages pages;
	__u32 before;
	int prot;

	pages_map(_metadata, &pages);
	for_each_place(place, places, n) {
		make_arg(self, place->call, place->call->size);
		if (!ptr_length(place))
			continue;
		prot = place->member->out ? PROT_READ : PROT_NONE;
		/* All of it, or all but the first 4 bytes. */
		for (before = 0; before <= 4; before += 4) {
			make_moved(self, place, pages.second - before, 0);
			ASSERT_EQ(0, mprotect(pages.second, pages.size, prot));
			expect_failure(_metadata, self, place->call, -EFAULT,
				       place->member->name);
			ASSERT_EQ(0, mprotect(pages.second, pages.size,
					      PROT_READ | PROT_WRITE));
		}
		expect_no_trace(_metadata, self, place->call);
	}
	munmap(pages.first, 2 * pages.size);
}

/*
 * The kernel can read its argument but not write the answer. Where there is
 * one, the call fails and what it would have answered about does not exist.
 */
TEST_F(abi, read_only_argument)
{
	struct accel_queue_info before, after;
	const struct abi_call *call;
	struct pages pages;

	pages_map(_metadata, &pages);
	for_each_call(call) {
		if (!call->writes)
			continue;
		make_arg(self, call, call->size);
		ASSERT_EQ(0, mprotect(pages.first, pages.size,
				      PROT_READ | PROT_WRITE));
		memcpy(pages.first, &self->arg, ARG_ROOM);
		ASSERT_EQ(0, mprotect(pages.first, pages.size, PROT_READ));
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &before));
		EXPECT_EQ(-EFAULT, abi_call_at(_metadata, self, call,
					       pages.first)) {
			TH_LOG("%s", call->name);
		}
		EXPECT_EQ(0, memcmp(pages.first, &self->arg, ARG_ROOM));
		ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &after));
		EXPECT_EQ(before.submitted, after.submitted);
		expect_no_trace(_metadata, self, call);
	}
	munmap(pages.first, 2 * pages.size);
}

static void try_half_read_only(struct __test_metadata *_metadata,
			       FIXTURE_DATA(abi) *self,
			       const struct abi_call *call,
			       struct pages *pages, __u32 split, bool first)
{
	struct accel_queue_info before, after;
	__u8 *arg = pages->second - split;
	int ret;

	make_arg(self, call, call->size);
	memcpy(arg, &self->arg, call->size);
	ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &before));
	ASSERT_EQ(0, mprotect(first ? pages->first : pages->second,
			      pages->size, PROT_READ));
	ret = abi_call_at(_metadata, self, call, arg);
	ASSERT_EQ(0, mprotect(pages->first, 2 * pages->size,
			      PROT_READ | PROT_WRITE));
	EXPECT_TRUE(ret == 0 || ret == -EFAULT) {
		TH_LOG("%s: %d", call->name, ret);
	}
	memcpy(&self->arg, arg, call->size);
	if (!ret)
		EXPECT_EQ(0, abi_undo(self, call, &self->arg));
	ASSERT_EQ(0, queue_info(self->fd, self->queue.id, &after));
	EXPECT_EQ(before.submitted + (!ret && call->cmd == ACCEL_IOCTL_SUBMIT),
		  after.submitted) {
		TH_LOG("%s, split at %u, %s half read-only", call->name, split,
		       first ? "first" : "second");
	}
}

/* The same where only a part, before or behind some byte, cannot be written. */
TEST_F_TIMEOUT(abi, half_read_only_argument, LONG_TEST_S)
{
	const struct abi_call *call;
	struct pages pages;
	__u32 split;

	pages_map(_metadata, &pages);
	for_each_call(call) {
		if (!call->writes)
			continue;
		for (split = 1; split < call->size; split++) {
			try_half_read_only(_metadata, self, call, &pages,
					   split, true);
			try_half_read_only(_metadata, self, call, &pages,
					   split, false);
		}
		expect_no_trace(_metadata, self, call);
	}
	munmap(pages.first, 2 * pages.size);
}

/*
 * An ioctl without an answer may succeed, having nothing to write, or fail;
 * but it may not do its work and then fail.
 */
TEST_F(abi, read_only_argument_without_answer)
{
	struct accel_timeline_query query;
	const struct abi_call *call;
	struct pages pages;
	int ret;

	pages_map(_metadata, &pages);
	for_each_call(call) {
		if (call->writes || good_result(call))
			continue;
		make_arg(self, call, call->size);
		ASSERT_EQ(0, mprotect(pages.first, pages.size,
				      PROT_READ | PROT_WRITE));
		memcpy(pages.first, &self->arg, ARG_ROOM);
		ASSERT_EQ(0, mprotect(pages.first, pages.size, PROT_READ));
		ret = abi_call_at(_metadata, self, call, pages.first);
		EXPECT_TRUE(ret == 0 || ret == -EFAULT) {
			TH_LOG("%s: %d", call->name, ret);
		}
		if (call->cmd == ACCEL_IOCTL_DESTROY)
			EXPECT_EQ(ret ? 0 : -ENOENT,
				  destroy(self->fd, self->victim));
		if (!ret)
			ASSERT_EQ(0, abi_undo(self, call, &self->arg));
		ASSERT_EQ(0, timeline_query(self->fd, self->timeline[0], 0,
					    &query));
		EXPECT_EQ(self->value, query.promised);
	}
	munmap(pages.first, 2 * pages.size);
}

/*
 * Moves all that the arguments of a call lead to, and then these, to a buffer's
 * memory; through @write, but with the addresses that they have in @read.
 */
static void *move_all(FIXTURE_DATA(abi) *self, const struct abi_call *call,
		      __u8 *write, __u8 *read)
{
	struct abi_place places[PLACES_MAX];
	size_t n = find_places(self, call, ABI_PTR, places);
	__u32 at = 0, length;

	/* From the last, since what it leads to comes behind an array. */
	while (n--) {
		length = ptr_length(&places[n]);
		if (!length)
			continue;
		memcpy(write + at, (void *)(uintptr_t)place_get(&places[n]),
		       length);
		place_put(&places[n], ptr_to_u64(read + at));
		at += (length + 7) & ~7U;
	}
	memcpy(write + at, &self->arg, ARG_ROOM);
	return read + at;
}

/*
 * All arguments in a mapping of a buffer, and one that a job uses: the kernel
 * faults pages of the device's in while it reads and writes them.
 */
TEST_F(abi, arguments_in_a_buffer)
{
	const struct abi_call *call;
	struct accel_submit_bo *bos;
	struct accel_bo_create bo;
	__u8 *write, *read, *arg;
	__u32 region;

	for (region = 0; region < 2; region++) {
		for_each_call(call) {
			ASSERT_EQ(0, bo_create(self->fd, region, 4096, &bo));
			read = bo_map(self->fd, &bo);
			ASSERT_TRUE(read != MAP_FAILED);
			/* A size of 0, read where no memory is as yet. */
			EXPECT_EQ(-EINVAL, abi_call_at(_metadata, self, call,
						       read));
			ASSERT_EQ(0, munmap(read, bo.length));

			write = bo_map(self->fd, &bo);
			read = bo_map(self->fd, &bo);
			ASSERT_TRUE(write != MAP_FAILED);
			ASSERT_TRUE(read != MAP_FAILED);
			arg = move_all(self, call, write, read);
			if (call->cmd == ACCEL_IOCTL_SUBMIT) {
				bos = (void *)(write + (self->job.bos_ptr -
							ptr_to_u64(read)));
				bos[1].id = bo.id;
				bos[1].flags = ACCEL_BO_WRITE;
			}
			expect_good_at(_metadata, self, call, arg,
				       "in a buffer");
			ASSERT_EQ(0, munmap(read, bo.length));
			ASSERT_EQ(0, munmap(write, bo.length));
			ASSERT_EQ(0, destroy(self->fd, bo.id));
			expect_no_trace(_metadata, self, call);
		}
	}
}

TEST_HARNESS_MAIN
