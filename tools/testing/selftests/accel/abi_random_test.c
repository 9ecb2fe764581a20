// SPDX-License-Identifier: GPL-2.0-only
/*
 * Good arguments with some members changed to values from the edges of their
 * types, in all combinations that a fixed seed leads to. Whether the call is then
 * good is not known; but if not, its error is documented and nothing has changed.
 */
#include "abi_call.h"

#include <sys/time.h>

/* So many calls between two looks at what is left. */
#define BATCH	64

struct random {
	unsigned int seed;
	long page;
	__u8 *hole;
};

static __u64 pick(struct random *r, struct abi_place *places, size_t n)
{
	const __u64 edges[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 63, 64, 65, 255, 256, 257,
		1024, 1025, 4095, 4096, 4097, INT_MAX - 1, INT_MAX,
		1ULL << 31, UINT_MAX - 15, UINT_MAX - 1, UINT_MAX,
		1ULL << 32, (1ULL << 32) + 1, 1ULL << 44, INT64_MAX - 4095,
		INT64_MAX, 1ULL << 63, UINT64_MAX - 4095, UINT64_MAX - 7,
		UINT64_MAX, 0x7ffffffff000, 0xffff888000000000,
		ptr_to_u64(r->hole), ptr_to_u64(r->hole - 8),
		ptr_to_u64(r->hole - 1),
	};
	__u32 which = rand_r(&r->seed) % (ARRAY_LEN(edges) + 12);

	if (which < ARRAY_LEN(edges))
		return edges[which];
	/* One bit, or what is good in another place. */
	if (which % 2)
		return 1ULL << rand_r(&r->seed) % 64;
	return place_get(&places[rand_r(&r->seed) % n]);
}

/* One to three members, of which the size is seldom one: it ends all at once. */
static void change(struct random *r, struct abi_place *places, size_t n)
{
	int left = 1 + rand_r(&r->seed) % 3;
	struct abi_place *place;
	__u64 values[3];
	int i;

	for (i = 0; i < left; i++)
		values[i] = pick(r, places, n);
	while (left) {
		place = &places[rand_r(&r->seed) % n];
		if (place->member->kind == ABI_SIZE && rand_r(&r->seed) % 8)
			continue;
		place_put(place, values[--left]);
	}
}

/* All places that the arguments of a call have. */
static size_t places_of(FIXTURE_DATA(abi) *self, const struct abi_call *call,
			struct abi_place places[PLACES_MAX])
{
	make_arg(self, call, call->size);
	return places_in(call, call->desc, self->arg.bytes, places, 0);
}

/* A new file with new objects, where those of the old may have been used up. */
static void renew(struct __test_metadata *_metadata, FIXTURE_DATA(abi) *self)
{
	close_descriptors(_metadata, self);
	ASSERT_EQ(0, close(self->fd));
	self->fd = accel_open();
	ASSERT_LE(0, self->fd);
	make_objects(_metadata, self);
	ASSERT_EQ(0, census_read(self->census));
}

/* Takes back what can be; false if the objects are not what they were. */
static bool take_back(FIXTURE_DATA(abi) *self, const struct abi_call *call)
{
	switch (call->cmd) {
	case ACCEL_IOCTL_DESTROY:
	case ACCEL_IOCTL_SUBMIT:
	case ACCEL_IOCTL_TIMELINE_SIGNAL:
		return false;
	case ACCEL_IOCTL_BO_EXPORT:
		abi_undo(self, call, &self->arg);
		return false;
	case ACCEL_IOCTL_TIMELINE_EXPORT:
		/* It may be told of a point later on. */
		return self->arg.timeline_export.type != ACCEL_FD_EVENTFD &&
		       !abi_undo(self, call, &self->arg);
	case ACCEL_IOCTL_TIMELINE_IMPORT:
		return self->arg.timeline_import.type == ACCEL_FD_TIMELINE &&
		       !abi_undo(self, call, &self->arg);
	default:
		return !abi_undo(self, call, &self->arg);
	}
}

/* Waits without end are ended by a signal, again and again. */
static void on_alarm(int sig)
{
}

static int set_alarm(unsigned int ms)
{
	struct itimerval timer = {
		.it_interval.tv_usec = ms * 1000,
		.it_value.tv_usec = ms * 1000,
	};
	struct sigaction action = { .sa_handler = on_alarm };

	return sigaction(SIGALRM, &action, NULL) ?:
	       setitimer(ITIMER_REAL, &timer, NULL);
}

TEST_F_TIMEOUT(abi, random_arguments, 20 * LONG_TEST_S)
{
	const unsigned int count = rounds(3000, 400000);
	struct random r = { .seed = 3 };
	struct abi_place places[PLACES_MAX];
	unsigned int i, good = 0;
	const struct abi_call *call;
	union abi_arg before;
	size_t n;
	int ret;

	r.page = sysconf(_SC_PAGESIZE);
	r.hole = mmap(NULL, 2 * r.page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(r.hole != MAP_FAILED);
	r.hole += r.page;
	ASSERT_EQ(0, munmap(r.hole, r.page));
	ASSERT_EQ(0, set_alarm(20));

	for (i = 1; i <= count; i++) {
		call = &calls[rand_r(&r.seed) % ARRAY_LEN(calls)];
		n = places_of(self, call, places);
		change(&r, places, n);
		before = self->arg;
		ret = abi_call(_metadata, self, call);
		if (ret) {
			ASSERT_EQ(0, memcmp(&before, &self->arg,
					    sizeof(before))) {
				TH_LOG("%s wrote and failed, round %u",
				       call->name, i);
			}
		} else {
			good++;
			if (!take_back(self, call))
				renew(_metadata, self);
		}
		if (i % BATCH == 0)
			expect_no_trace(_metadata, self, call);
	}
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &(struct itimerval) {}, NULL));
	/* Not all of them were refused, nor were they all good. */
	EXPECT_LT(count / 20, good);
	EXPECT_LT(good, count * 3 / 4);
	munmap(r.hole - r.page, r.page);
}

TEST_HARNESS_MAIN
