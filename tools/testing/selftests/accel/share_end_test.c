// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer that several processes have, and that each of them gives up in turn: tidily,
 * by exiting, by being killed; and in between our device goes, and the driver of the
 * other side. In every order, whoever has the buffer still finds in it what was there,
 * and when nobody has it nothing is left.
 */
#include "pass_fd.h"
#include "share_role.h"
#include "unplug.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#define PARTIES		4
/* Our device and the other side's driver may go as well. */
#define ENDS_MAX	(PARTIES + 2)

enum party_order {
	CHECK,
	CHECK_GONE,
	GIVE_UP,
};

/* What a party's process does; it ends when it is told to, or is killed. */
static void party_main(int link, const struct role *role, struct share *share)
{
	bool first = share->dmabuf < 0;
	__u32 order;
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ret = role->take(share);
	if (write(link, &ret, sizeof(ret)) != sizeof(ret) || ret ||
	    (first && send_fd(link, share->dmabuf)) || close(share->dmabuf))
		_exit(1);
	while (read(link, &order, sizeof(order)) == sizeof(order)) {
		ret = order == GIVE_UP ? role->give_up(share) :
					 role->check(share, order == CHECK_GONE);
		if (write(link, &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
	}
	_exit(0);
}

/* Another process that has the buffer, 0 when it has ended; and the way to it */
struct party {
	pid_t pid;
	int link;
};

static int party_answer(struct party *party)
{
	int ret;

	return read(party->link, &ret, sizeof(ret)) == sizeof(ret) ? ret : -EPIPE;
}

static int party_tell(struct party *party, __u32 order)
{
	if (write(party->link, &order, sizeof(order)) != sizeof(order))
		return -EPIPE;
	return party_answer(party);
}

/* Returns 0 if it has ended as it should, with nothing of it left. */
static int party_end(struct party *party, bool by_force)
{
	pid_t pid = party->pid;
	int status;

	party->pid = 0;
	if (by_force)
		kill(pid, SIGKILL);
	close(party->link);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	if (by_force)
		return WIFSIGNALED(status) ? 0 : -EPROTO;
	return status ? -EPROTO : 0;
}

/* Another device of ours, for which vaccel is somebody else's */
static int foreign_edu(int test, struct foreign *f)
{
	struct accel_bo_create bo;
	int ret;

	f->owner = edu_open();
	if (f->owner < 0)
		return f->owner;
	ret = bo_create(f->owner, 0, SHARED_SIZE, &bo);
	if (ret)
		return ret;
	f->map = bo_map(f->owner, &bo);
	f->dmabuf = bo_export(f->owner, bo.id, ACCEL_EXPORT_WRITE);
	return f->dmabuf < 0 ? f->dmabuf : 0;
}

FIXTURE(share_end)
{
	struct party parties[PARTIES];
	struct plug ours, edu;
	int ends;
	unsigned int round;
	bool gone;	/* our device */
	bool edu_gone;
};

/*
 * The module of the other side can be unloaded, which has to wait for the buffer's
 * end; or its device be taken away, if it is "accel_edu".
 */
FIXTURE_VARIANT(share_end)
{
	const struct role *roles[PARTIES];
	int (*make)(int test, struct foreign *f);
	const char *module;
};

FIXTURE_VARIANT_ADD(share_end, with_vgem) {
	.roles = { &owner, &process, &vgem, &client },
	.module = "vgem",
};

FIXTURE_VARIANT_ADD(share_end, with_a_device) {
	.roles = { &owner, &process, &device, &client },
	.module = "accel_dmabuf_test",
};

FIXTURE_VARIANT_ADD(share_end, of_vgem) {
	.roles = { &maker, &process, &device, &client },
	.make = foreign_vgem,
	.module = "vgem",
};

FIXTURE_VARIANT_ADD(share_end, of_virtio_gpu) {
	.roles = { &maker, &process, &device, &client },
	.make = foreign_virtio_gpu,
	.module = "virtio_gpu",
};

FIXTURE_VARIANT_ADD(share_end, of_mock) {
	.roles = { &maker, &process, &device, &client },
	.make = foreign_mock,
	.module = "accel_dmabuf_test",
};

FIXTURE_VARIANT_ADD(share_end, of_udmabuf) {
	.roles = { &maker, &process, &vgem, &client },
	.make = foreign_udmabuf,
};

/* Mapped for two devices at a time, this is what DMA API debugging warns of on 6.12. */
FIXTURE_VARIANT_ADD(share_end, of_heap) {
	.roles = { &maker, &process, &device, &client },
	.make = foreign_heap,
};

FIXTURE_VARIANT_ADD(share_end, of_edu) {
	.roles = { &maker, &process, &device, &client },
	.make = foreign_edu,
	.module = "accel_edu",
};

FIXTURE_SETUP(share_end)
{
	struct foreign foreign;
	int ret, test;

	test = test_open();
	if (test < 0)
		SKIP(return, "no accel_dmabuf_test");
	if (variant->make) {
		ret = foreign_make(variant->make, test, &foreign);
		if (ret == -ENODEV)
			SKIP(return, "no such driver, see config");
		ASSERT_EQ(0, ret);
		foreign_free(&foreign);
	}
	close(test);
	ASSERT_EQ(0, census_total());
	ASSERT_EQ(0, plug_find_vaccel(&self->ours));
	if (variant->make == foreign_edu)
		ASSERT_EQ(0, plug_find_edu(&self->edu));
	self->ends = PARTIES + 1 + !!variant->module;
}

/* How a device goes, and comes back; to load a module again takes a while. */
static enum unplug_way way_of(FIXTURE_DATA(share_end) *self, int end)
{
	return (self->round + end) % 4 ? UNBIND : UNLOAD;
}

static int devices_come_back(FIXTURE_DATA(share_end) *self)
{
	bool gone = self->gone, edu_gone = self->edu_gone;

	self->gone = false;
	self->edu_gone = false;
	return (gone ? plug_in(&self->ours, way_of(self, PARTIES)) : 0) ?:
	       (edu_gone ? plug_in(&self->edu, way_of(self, PARTIES + 1)) : 0);
}

FIXTURE_TEARDOWN(share_end)
{
	int i;

	for (i = 0; i < PARTIES; i++)
		if (self->parties[i].pid)
			party_end(&self->parties[i], true);
	EXPECT_EQ(0, devices_come_back(self));
	EXPECT_EQ(0, census_total());
}

/* The first has the buffer, and the others get it from there. */
static int party_start(FIXTURE_DATA(share_end) *self, int i,
		       const struct role *role, struct share *share)
{
	struct party *party = &self->parties[i];
	int links[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, links))
		return -errno;
	party->link = links[0];
	party->pid = fork();
	if (party->pid < 0)
		return -errno;
	if (!party->pid) {
		/* Or one would not see the end of another's link. */
		while (i >= 0)
			close(self->parties[i--].link);
		party_main(links[1], role, share);
	}
	close(links[1]);
	ret = party_answer(party);
	if (ret || share->dmabuf >= 0)
		return ret;
	share->dmabuf = receive_fd(party->link);
	return share->dmabuf < 0 ? share->dmabuf : 0;
}

static void start_all(struct __test_metadata *_metadata,
		      FIXTURE_DATA(share_end) *self,
		      const FIXTURE_VARIANT(share_end) *variant)
{
	struct share share = { .make = variant->make, .fd = -1, .dmabuf = -1 };
	int i;

	for (i = 0; i < PARTIES; i++) {
		share.page = i;
		ASSERT_EQ(0, party_start(self, i, variant->roles[i], &share)) {
			TH_LOG("party %d", i);
		}
	}
	ASSERT_EQ(0, close(share.dmabuf));
}

/* By all who have its memory, or by whoever has ours by way of it */
static bool other_side_is_needed(FIXTURE_DATA(share_end) *self,
				 const FIXTURE_VARIANT(share_end) *variant)
{
	int i;

	for (i = 0; i < PARTIES; i++)
		if (self->parties[i].pid &&
		    (variant->make ||
		     !strcmp(variant->roles[i]->module ?: "", variant->module)))
			return true;
	return false;
}

/* A module stays for as long as it is needed, and not longer. */
static int other_side_goes(FIXTURE_DATA(share_end) *self,
			   const FIXTURE_VARIANT(share_end) *variant,
			   enum unplug_way way)
{
	char census[CENSUS_SIZE];
	int ret;

	if (self->edu.module) {
		self->edu_gone = true;
		return unplug(&self->edu, way);
	}
	/* Of what was given up a worker may have the rest. The census waits for it. */
	ret = census_read(census);
	if (ret)
		return ret;
	ret = module_unload(variant->module);
	if (other_side_is_needed(self, variant))
		return ret == -EAGAIN ? 0 : ret ?: -EBUSY;
	return ret;
}

/* The @end'th of what can happen, in one of the ways in which it can */
static int let_happen(FIXTURE_DATA(share_end) *self,
		      const FIXTURE_VARIANT(share_end) *variant, int end)
{
	struct party *party = &self->parties[end];
	unsigned int way = (self->round + end) % 3;

	if (end == PARTIES) {
		self->gone = true;
		return unplug(&self->ours, way_of(self, end));
	}
	if (end > PARTIES)
		return other_side_goes(self, variant, way_of(self, end));

	/* Tidily, by being killed, by exiting */
	return (way == 0 ? party_tell(party, GIVE_UP) : 0) ?:
	       party_end(party, way == 1);
}

/* The @index'th of all orders in which @count things can happen */
static void order_of(unsigned int index, int count, int *order)
{
	int left[ENDS_MAX], i, which;

	for (i = 0; i < count; i++)
		left[i] = i;
	for (i = count; i; i--) {
		which = index % i;
		index /= i;
		*order++ = left[which];
		memmove(&left[which], &left[which + 1],
			(i - which - 1) * sizeof(*left));
	}
}

static void play(struct __test_metadata *_metadata,
		 FIXTURE_DATA(share_end) *self,
		 const FIXTURE_VARIANT(share_end) *variant, unsigned int index)
{
	int order[ENDS_MAX], i, j;

	order_of(index, self->ends, order);
	start_all(_metadata, self, variant);
	for (i = 0; i < self->ends; i++) {
		ASSERT_EQ(0, let_happen(self, variant, order[i])) {
			TH_LOG("order %u, round %u: end %d", index, self->round,
			       order[i]);
		}
		for (j = 0; j < PARTIES; j++) {
			if (!self->parties[j].pid)
				continue;
			ASSERT_EQ(0, party_tell(&self->parties[j],
						self->gone ? CHECK_GONE : CHECK)) {
				TH_LOG("order %u, round %u: party %d after end %d",
				       index, self->round, j, order[i]);
			}
		}
	}
	ASSERT_EQ(0, census_total());
	ASSERT_EQ(0, devices_come_back(self));
}

TEST_F_TIMEOUT(share_end, in_every_order, 10 * LONG_TEST_S)
{
	unsigned int count, orders = 1;
	int i;

	for (i = self->ends; i; i--)
		orders *= i;
	count = rounds(6, orders);
	/* A prime to all their numbers, so that they differ where they can. */
	for (self->round = 0; self->round < count; self->round++)
		play(_metadata, self, variant, self->round * 271 % orders);
	tally(count, "orders in which a shared buffer is given up");
}

TEST_HARNESS_MAIN
