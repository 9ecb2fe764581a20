// SPDX-License-Identifier: GPL-2.0-only
/*
 * vaccel goes and comes back, again and again, while others open it, submit to
 * it, map it and close it. What is left of a device that has gone, and how it
 * answers, is for unplug_test.
 */
#include "unplug.h"
#include "busy.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define LOADS	2

FIXTURE(unbind)
{
	struct plug plug;
	int minor;
};

FIXTURE_SETUP(unbind)
{
	ASSERT_EQ(0, plug_find_vaccel(&self->plug));
	ASSERT_EQ(0, census_total());
	self->minor = plug_minor(&self->plug);
	ASSERT_LE(0, self->minor);
}

/* Nobody has it open: it comes back to where it was. */
FIXTURE_TEARDOWN(unbind)
{
	int fd;

	EXPECT_EQ(0, census_total());
	if (plug_minor(&self->plug) >= 0)
		EXPECT_EQ(0, unplug(&self->plug, UNBIND));
	EXPECT_EQ(0, plug_in(&self->plug, UNBIND));
	EXPECT_EQ(self->minor, plug_minor(&self->plug));
	fd = minor_open(self->minor);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, engines_flush(fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_total());
}

/* In memory that the test shares with its children. */
struct load {
	int minor;		/* where the device is now */
	unsigned int round;	/* how often it has come back */
	unsigned int reached;	/* the last round of which a SUBMIT succeeded */
	unsigned long submits;
	unsigned long busy;	/* clients that had everything in flight */
	unsigned long gone;	/* calls that met a device that had gone */
	unsigned long wrong;	/* that ended as nothing may */
};

static struct load *load;

/* The file that both threads of a child use. */
static int load_fd;

static void count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* If one that is late undoes another's, there will be more. */
static void count_submit(unsigned int round)
{
	count(&load->submits);
	__atomic_store_n(&load->reached, round, __ATOMIC_RELEASE);
}

static void load_check(int ret)
{
	if (ret == -ENODEV)
		count(&load->gone);
	else if (ret < -ETIME || ret > 0)
		count(&load->wrong);
}

/* Uses what the other thread makes, be it still there or not. */
static void *load_use(void *arg)
{
	struct accel_query_device dev;
	struct accel_queue_info info;
	struct accel_bo_create bo;
	unsigned int seed = getpid();
	__u32 id;
	__s32 status;
	__u64 point;

	for (;;) {
		int fd = __atomic_load_n(&load_fd, __ATOMIC_RELAXED);

		id = 1 + rand_r(&seed) % 16;
		load_check(query_device(fd, &dev));
		load_check(queue_info(fd, id, &info));
		load_check(submit_nop(fd, id, &point));
		load_check(timeline_signal(fd, id, seed));
		load_check(bo_sync(fd, id, ACCEL_SYNC_WRITE, 0));
		load_check(bo_create(fd, seed % 2, 4096, &bo));
		point_wait_until(fd, id, 2, now_ns() + 200000, &status);
		load_check(destroy(fd, id));
	}
	return NULL;
}

/* The two are on one page that the device may take away at any time. */
static void load_map(int fd, const struct accel_bo_create *bo)
{
	__u8 *map = bo_map(fd, bo);

	if (map == MAP_FAILED)
		return;
	touch(map, 1);
	munmap(map, bo->length);
}

static void be_load(void)
{
	struct busy busy;
	unsigned int round;
	pthread_t thread;
	__u64 point;
	int fd, ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGBUS, touch_on_fault);
	load_fd = -1;
	if (pthread_create(&thread, NULL, load_use, NULL))
		_exit(1);
	for (;;) {
		round = __atomic_load_n(&load->round, __ATOMIC_ACQUIRE);
		fd = minor_open(__atomic_load_n(&load->minor,
						__ATOMIC_RELAXED));
		if (fd < 0) {
			sched_yield();
			continue;
		}
		__atomic_store_n(&load_fd, fd, __ATOMIC_RELAXED);
		ret = busy_create(fd, 5, &busy);
		load_check(ret);
		if (!ret) {
			if (!submit_nop(fd, busy.other.id, &point))
				count_submit(round);
			load_map(fd, &busy.bo);
			load_map(fd, &busy.mapped);
			if (!busy_submit(fd, &busy))
				count(&load->busy);
		}
		close(fd);
	}
}

static int load_start(pid_t *pids, int minor)
{
	int i;

	load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load == MAP_FAILED)
		return -errno;
	load->minor = minor;
	for (i = 0; i < LOADS; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			return -errno;
		if (!pids[i])
			be_load();
	}
	while (!__atomic_load_n(&load->busy, __ATOMIC_RELAXED))
		usleep(1000);
	/* There is load enough without us having to wait for our turn. */
	return setpriority(PRIO_PROCESS, 0, -20) ? -errno : 0;
}

static void load_stop(const pid_t *pids)
{
	int i;

	for (i = 0; i < LOADS; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < LOADS; i++)
		waitpid(pids[i], NULL, 0);
}

/* Jobs are given to what has come back: no use in taking away what nobody uses. */
static int load_reaches(unsigned int round)
{
	const __s64 deadline = deadline_ms(PLUG_MS);

	while (__atomic_load_n(&load->reached, __ATOMIC_ACQUIRE) != round) {
		if (now_ns() > deadline)
			return -ETIME;
		usleep(1000);
	}
	return 0;
}

static void storm(struct __test_metadata *_metadata, const struct plug *plug,
		  enum unplug_way way, unsigned int times)
{
	pid_t pids[LOADS] = {};
	int minor, module;
	unsigned int i;

	module = module_open(plug->module);
	ASSERT_EQ(0, load_start(pids, plug_minor(plug)));
	for (i = 1; i <= times; i++) {
		ASSERT_EQ(0, unplug(plug, way));
		ASSERT_EQ(0, way == UNLOAD ? module_load(module) :
					     plug_in(plug, way));
		minor = plug_minor(plug);
		ASSERT_LE(0, minor);
		__atomic_store_n(&load->minor, minor, __ATOMIC_RELAXED);
		__atomic_store_n(&load->round, i, __ATOMIC_RELEASE);
		ASSERT_EQ(0, load_reaches(i));
	}
	load_stop(pids);
	close(module);
	EXPECT_LE(times, load->submits);
	EXPECT_LT(0, load->gone);
	EXPECT_EQ(0, load->wrong);
	tally(load->submits, "SUBMITs to what comes and goes");
	tally(load->busy, "clients with everything in flight there");
}

TEST_F_TIMEOUT(unbind, under_load, 1800)
{
	const unsigned int times = 500;

	storm(_metadata, &self->plug, UNBIND, times);
	tally(times, "unbinds");
}

TEST_F_TIMEOUT(unbind, modules_under_load, 1800)
{
	const unsigned int times = 200;

	if (access("/sys/module/accel_vaccel/refcnt", F_OK))
		SKIP(return, "no modules: they are NOT unloaded");
	storm(_metadata, &self->plug, UNLOAD, times);
	tally(times, "module loads");
}

/*
 * Both engines hang, and after @wait_ns the device goes. What came of it is counted.
 * Returns how long it took, without the wait, in nanoseconds.
 */
static __s64 unbind_hangs(struct __test_metadata *_metadata,
			  const struct plug *plug, __u32 timeout_ms,
			  __s64 wait_ns, unsigned int seen[2])
{
	struct accel_queue_create queue[2];
	__s64 start, until;
	__u64 point[2];
	int e, fd, status;

	fd = minor_open(plug_minor(plug));
	ASSERT_LE(0, fd);
	for (e = 0; e < 2; e++)
		ASSERT_EQ(0, queue_create(fd, e, timeout_ms, &queue[e]));
	start = now_ns();
	for (e = 0; e < 2; e++)
		ASSERT_EQ(0, submit_hang(fd, queue[e].id, &point[e]));
	until = now_ns() + wait_ns;
	while (now_ns() < until)
		sched_yield();
	ASSERT_EQ(0, unplug(plug, UNBIND));
	start = now_ns() - start;
	for (e = 0; e < 2; e++) {
		status = point_status(fd, queue[e].timeline, point[e]);
		EXPECT_TRUE(status == -ETIME || status == -ENODEV) {
			TH_LOG("status %d", status);
		}
		seen[status == -ETIME]++;
	}
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, plug_in(plug, UNBIND));
	return start - wait_ns;
}

/*
 * The recovery of hanging jobs is about to begin, or has begun, on both engines. A job
 * has longer than an unbind takes, and the latest unbind comes longer after that.
 */
TEST_F_TIMEOUT(unbind, while_jobs_time_out, 1800)
{
	const unsigned int times = rounds(100, 1000);
	unsigned int i, seen[2] = {};
	__u32 timeout_ms = 0;

	/* The second time is measured: all code has been there by then. */
	for (i = 0; i < 2; i++)
		timeout_ms = 40 + unbind_hangs(_metadata, &self->plug, 0, 0,
					       seen) / 1000000;
	printf("# jobs have %u ms\n", timeout_ms);
	memset(seen, 0, sizeof(seen));
	for (i = 0; i < times; i++) {
		unbind_hangs(_metadata, &self->plug, timeout_ms,
			     i % 25 * 100000LL * timeout_ms, seen);
		/* It was not always as slow as this. */
		if (i % 25 == 24 && !seen[0])
			timeout_ms *= 2;
	}
	tally(times, "unbinds while jobs time out");
	/* Both happened: the moment was met. */
	EXPECT_LT(0, seen[0]);
	EXPECT_LT(0, seen[1]);
}

TEST_HARNESS_MAIN
