// SPDX-License-Identifier: GPL-2.0-only
/*
 * The numbers of the ioctls and the sizes of their arguments: older callers with
 * less, newer ones with more.
 */
#include "abi_call.h"

/* Every byte of every struct is some member's: there are no holes. */
static void expect_described(struct __test_metadata *_metadata,
			     const struct abi_struct *desc)
{
	const struct abi_member *m;
	__u32 end = 0;

	for (m = desc->members; m < desc->members + desc->member_count; m++) {
		EXPECT_EQ(end, m->offset) TH_LOG("before %s", m->name);
		end = m->offset + m->size;
		if (m->of)
			expect_described(_metadata, m->of);
	}
	EXPECT_EQ(end, desc->size) TH_LOG("at the end of %s", desc->name);
}

TEST_F(abi, every_member_is_described)
{
	const struct abi_call *call;

	for_each_call(call)
		expect_described(_metadata, call->desc);
}

TEST_F(abi, size_below_first_version)
{
	const struct abi_call *call;
	__u32 size;

	for_each_call(call) {
		for (size = 0; size < call->first_size; size++) {
			make_arg(self, call, size);
			expect_failure(_metadata, self, call, -EINVAL,
				       "short size");
		}
		expect_no_trace(_metadata, self, call);
	}
}

/* What lies beyond the size is not the kernel's, to read or to write. */
TEST_F_TIMEOUT(abi, size_from_first_version, LONG_TEST_S)
{
	const struct abi_call *call;
	__u32 size;

	for_each_call(call) {
		for (size = call->first_size; size <= call->size + TAIL;
		     size++) {
			make_arg(self, call, size);
			memset(self->arg.bytes + size, 0xaa, ARG_ROOM - size);
			expect_good(_metadata, self, call, "size");
			EXPECT_EQ(size, self->arg.size);
			if (size > call->size)
				EXPECT_EQ(size - call->size,
					  span(self->arg.bytes + call->size, 0,
					       size - call->size));
			EXPECT_EQ(ARG_ROOM - size,
				  span(self->arg.bytes + size, 0xaa,
				       ARG_ROOM - size));
		}
		expect_no_trace(_metadata, self, call);
	}
}

/* In every place that a tail has one. */
TEST_F_TIMEOUT(abi, unknown_tail_is_not_zero, LONG_TEST_S)
{
	const struct abi_call *call;
	__u32 size, at;

	for_each_call(call) {
		for (size = call->size + 1; size <= call->size + TAIL; size++) {
			at = size - 1;
			make_arg(self, call, size);
			self->arg.bytes[at] = 0x80;
			expect_failure(_metadata, self, call, -E2BIG,
				       "tail's last byte");
			at = call->size + size % (size - call->size);
			make_arg(self, call, size);
			self->arg.bytes[at] = 1;
			expect_failure(_metadata, self, call, -E2BIG,
				       "byte of the tail");
			make_arg(self, call, size);
			self->arg.bytes[call->size] = 1;
			expect_failure(_metadata, self, call, -E2BIG,
				       "tail's first byte");
		}
		expect_no_trace(_metadata, self, call);
	}
}

/* As large as the kernel will look at, and larger. */
TEST_F(abi, size_is_large)
{
	static const __u32 absurd[] = {
		0x10000, INT_MAX - 1, INT_MAX, (__u32)INT_MAX + 1,
		UINT_MAX - 3, UINT_MAX,
	};
	const __u32 page = sysconf(_SC_PAGESIZE);
	const struct abi_call *call;
	__u8 *map, last;
	size_t i;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	for_each_call(call) {
		for (last = 0; last < 2; last++) {
			make_arg(self, call, page);
			memcpy(map, &self->arg, ARG_ROOM);
			map[page - 1] = last;
			if (!last)
				expect_good_at(_metadata, self, call, map,
					       "a page");
			else
				EXPECT_EQ(-E2BIG, abi_call_at(_metadata, self,
							      call, map));
		}
		make_arg(self, call, page + 1);
		memcpy(map, &self->arg, ARG_ROOM);
		map[page - 1] = 0;
		EXPECT_EQ(-E2BIG, abi_call_at(_metadata, self, call, map)) {
			TH_LOG("%s: more than a page", call->name);
		}
		for (i = 0; i < ARRAY_LEN(absurd); i++) {
			make_arg(self, call, absurd[i]);
			expect_failure(_metadata, self, call, -E2BIG,
				       "absurd size");
		}
		expect_no_trace(_metadata, self, call);
	}
	munmap(map, 2 * page);
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
	bool exists[256] = {};
	unsigned int nr, i;
	union abi_arg buf;
	int ret;

	ASSERT_EQ(0, accel_ioctl(self->fd, ACCEL_IOCTL_QUERY, &query));
	ASSERT_EQ(sizeof(known[0]), query.stride);
	ASSERT_GE(ARRAY_LEN(known), query.count);
	for (i = 0; i < query.count; i++) {
		ASSERT_GT(256, known[i].nr);
		exists[known[i].nr] = true;
	}
	memset(&buf, 0, sizeof(buf));
	for (nr = 0; nr < 256; nr++) {
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
	self->cases += 3 * 256;
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
	const struct abi_call *call;
	unsigned int cmd;
	size_t i;

	for_each_call(call) {
		make_arg(self, call, call->size);
		for (i = 0; i < ARRAY_LEN(forms); i++) {
			cmd = _IOC(forms[i].dir, ACCEL_IOCTL_TYPE, call->nr,
				   forms[i].has_size ? call->size : 0);
			EXPECT_EQ(-ENOTTY,
				  accel_ioctl(self->fd, cmd, &self->arg)) {
				TH_LOG("%s as %#x", call->name, cmd);
			}
			self->cases++;
		}
		expect_no_trace(_metadata, self, call);
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
