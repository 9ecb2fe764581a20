// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a client makes the kernel allocate is charged to the client's control
 * group: it cannot take more from the others than it was given.
 */
#include "hog.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define CGROUPS		"/sys/fs/cgroup/"
#define CGROUP		CGROUPS "accel_memcg_test/"

#define MIB		(1024ULL * 1024)
#define LIMIT		(64 * MIB)

/*
 * What free memory may go down by besides: KASAN keeps freed objects for a
 * while, 1/32 of memory at most, and others live here, too.
 */
#define MARGIN		(96 * MIB)

FIXTURE(memcg)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(memcg)
{
	char controllers[256] = "";

	self->fd = -1;
	if (access(CGROUPS "cgroup.controllers", R_OK) &&
	    mount("none", CGROUPS, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup2: charging is NOT tested");
	read_line(CGROUPS "cgroup.controllers", controllers,
		  sizeof(controllers));
	if (!strstr(controllers, "memory"))
		SKIP(return, "no memory controller: charging is NOT tested");
	ASSERT_EQ(0, write_file(CGROUPS "cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	/* Nobody in the group is to do that. */
	load_module("accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(memcg)
{
	if (self->fd < 0)
		return;
	EXPECT_EQ(0, rmdir(CGROUP));
	accel_teardown(_metadata, self->fd);
}

static int join(void)
{
	return write_file(CGROUP "cgroup.procs", "0");
}

static long long charged(void)
{
	char line[32];
	int ret = read_line(CGROUP "memory.current", line, sizeof(line));

	return ret ? ret : atoll(line);
}

/* What the group is charged for that, or a negative errno. */
static long long charged_for(int (*alloc)(struct hog *hog), unsigned int count,
			     struct hog *hog)
{
	long long before = charged();
	int ret = 0;

	while (count-- && !ret)
		ret = alloc(hog);
	return ret ? ret : charged() - before;
}

static void be_charged(const struct allocator *a, int out)
{
	long long besides = 0, growth;
	struct hog hog;

	signal(SIGBUS, touch_on_fault);
	growth = join() ?: hog_open(&hog);
	if (!growth && a->besides) {
		besides = charged_for(a->besides, a->count, &hog);
		growth = besides < 0 ? besides : 0;
	}
	if (!growth)
		growth = charged_for(a->alloc, a->count, &hog);
	if (growth >= 0)
		growth -= besides;
	if (write(out, &growth, sizeof(growth)) != sizeof(growth))
		_exit(1);
	_exit(0);
}

/* Each of the allocators, by itself and without a limit: the group's charge grows. */
TEST_F_TIMEOUT(memcg, each_allocator_is_charged, 4 * LONG_TEST_S)
{
	const struct allocator *a;
	struct rlimit files = { 4096, 4096 };
	int pipefd[2], status;
	long long growth;
	pid_t child;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, pipe(pipefd));
	for (a = allocators; a < allocators + ARRAY_LEN(allocators); a++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			be_charged(a, pipefd[1]);
		ASSERT_EQ(sizeof(growth), read(pipefd[0], &growth,
					       sizeof(growth)));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		/* The next has a group to itself: this one's may shrink late. */
		ASSERT_EQ(0, rmdir(CGROUP));
		ASSERT_EQ(0, mkdir(CGROUP, 0755));
		if (growth == -ENODEV) {
			printf("# %s: nobody to have them of, NOT tested\n",
			       a->name);
			continue;
		}
		EXPECT_LE((long long)a->count * a->bytes, growth) {
			TH_LOG("%u %s", a->count, a->name);
		}
		printf("# %u %s: %lld bytes each\n", a->count, a->name,
		       growth / a->count);
	}
}

#define READERS		100
#define WRITERS		100

/* Until the worker that lets jobs go has come to the last of them. */
static int await_let_go(int fd, __u32 timeline, __u64 point)
{
	__s64 deadline = deadline_ms(HOG_TIMEOUT_MS);
	int sync;

	do {
		sync = sync_file_export(fd, timeline, point);
	} while (sync == -EAGAIN && now_ns() < deadline && !usleep(1000));
	return sync < 0 ? sync : 0;
}

/* Each of the jobs that were held waits for each that reads their buffer. */
static void let_writers_go(int out)
{
	struct test_job reader = job_hang(), writer = job_nop();
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	long long growth;
	__u32 timeline;
	__u64 point;
	int fd, i, ret;

	fd = accel_open();
	ret = join() ?: bo_create(fd, 0, 4096, &bo) ?:
	      timeline_create(fd, 0, &timeline);
	job_bo(&reader, bo.id, ACCEL_BO_READ);
	job_bo(&writer, bo.id, ACCEL_BO_WRITE);
	job_wait(&writer, timeline, 1);
	for (i = 0; i < READERS && !ret; i++)
		ret = queue_create(fd, 0, HOG_TIMEOUT_MS, &queue) ?:
		      submit_one(fd, queue.id, &reader, &point);
	ret = ret ?: queue_create(fd, 0, HOG_TIMEOUT_MS, &queue);
	for (i = 0; i < WRITERS && !ret; i++)
		ret = submit_one(fd, queue.id, &writer, &point);

	growth = -charged();
	ret = ret ?: timeline_signal(fd, timeline, 1) ?:
	      await_let_go(fd, queue.timeline, point);
	growth = ret ? ret : growth + charged();
	if (write(out, &growth, sizeof(growth)) != sizeof(growth))
		_exit(1);
	_exit(0);
}

/* A worker allocates it, but it is the client's, who made the queue. */
TEST_F_TIMEOUT(memcg, held_jobs_are_charged_when_they_go, LONG_TEST_S)
{
	int pipefd[2], status;
	long long growth;
	pid_t child;

	ASSERT_EQ(0, pipe(pipefd));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		let_writers_go(pipefd[1]);
	ASSERT_EQ(sizeof(growth), read(pipefd[0], &growth, sizeof(growth)));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_LE(READERS * WRITERS * 100, growth);
	printf("# %lld bytes for each wait\n", growth / (READERS * WRITERS));
}

/* A buffer in the device's memory, whose contents the other end asks for. */
static void be_moved(__u64 length, int in, int out)
{
	struct accel_bo_create bo;
	int fd, ret = join();
	__u64 sum;
	__u8 *map;
	__u64 i;

	fd = accel_open();
	if (ret || fd < 0 ||
	    bo_create(fd, ACCEL_VACCEL_REGION_LOCAL, length, &bo))
		_exit(1);
	map = bo_map(fd, &bo);
	if (map == MAP_FAILED)
		_exit(2);
	memset(map, 1, length);
	do {
		for (sum = 0, i = 0; i < length; i++)
			sum += map[i];
	} while (write(out, &sum, sizeof(sum)) == sizeof(sum) &&
		 read(in, &sum, sizeof(sum)) == sizeof(sum));
	_exit(0);
}

static __u64 ask(int in, int out)
{
	__u64 sum = 0;

	if (write(out, &sum, sizeof(sum)) != sizeof(sum) ||
	    read(in, &sum, sizeof(sum)) != sizeof(sum))
		return 0;
	return sum;
}

/*
 * What is moved to system memory for another's sake is charged to whose it is, and
 * stays where it is if he may not have that much.
 */
TEST_F_TIMEOUT(memcg, evicted_at_the_cost_of_the_owner, LONG_TEST_S)
{
	const __u64 length = 8 * MIB;
	int to[2], from[2], status, i;
	struct accel_bo_create bo;
	long long before, after;
	char limit[32];
	pid_t child;
	__u64 sum;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pipe(to));
		ASSERT_EQ(0, pipe(from));
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			close(to[1]);
			close(from[0]);
			be_moved(length, to[0], from[1]);
		}
		close(to[0]);
		close(from[1]);
		ASSERT_EQ(sizeof(sum), read(from[0], &sum, sizeof(sum)));
		EXPECT_EQ(length, sum);
		before = charged();
		snprintf(limit, sizeof(limit), "%lld", before + 4 * (long long)MIB);
		ASSERT_EQ(0, i ? write_file(CGROUP "memory.max", limit) : 0);
		EXPECT_EQ(i ? -ENOSPC : 0,
			  bo_create(self->fd, ACCEL_VACCEL_REGION_LOCAL,
				    16 * MIB, &bo));
		ASSERT_EQ(0, i ? 0 : destroy(self->fd, bo.id));
		after = charged();
		EXPECT_EQ(!i, after >= before + (long long)length);
		EXPECT_EQ(length, ask(from[0], to[1]));

		close(to[1]);
		close(from[0]);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_EQ(0, status);
		ASSERT_EQ(0, rmdir(CGROUP));
		ASSERT_EQ(0, mkdir(CGROUP, 0755));
	}
}

/* Takes turns with the allocators until one fails or the kernel kills it. */
static void be_a_hog(void)
{
	const struct allocator *a;
	unsigned int i, failed = 0;
	struct hog hog;
	int ret;

	signal(SIGBUS, touch_on_fault);
	if (join() || hog_open(&hog))
		_exit(1);
	for (i = 0; failed < 10000; i++) {
		/* Pages are large, and not what this is about. */
		a = &allocators[i % ARRAY_LEN(allocators)];
		if (a->alloc == alloc_pages && i / ARRAY_LEN(allocators) % 16)
			continue;
		ret = a->alloc(&hog);
		if (ret && ret != -ENODEV)
			failed++;
	}
	_exit(0);
}

static unsigned long long mem_available(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

/* A client outside works, and its results are right, while one inside goes mad. */
TEST_F_TIMEOUT(memcg, hog_in_64_mib, LONG_TEST_S)
{
	unsigned long long before, now, least, jobs = 0;
	struct rlimit files = { 4096, 4096 };
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	int status;
	struct test_job fill;
	pid_t child;
	__u64 point;
	__u32 *map;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, write_file(CGROUP "memory.max", "67108864"));
	/*
	 * Not on the hog's engine: there it has its turn after each job of the hog's
	 * that hangs, as long as that may, and each of the hog's queues has one.
	 */
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 65536, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	before = mem_available();
	ASSERT_LT(LIMIT + MARGIN, before);
	least = before;

	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		be_a_hog();
	while (!waitpid(child, &status, WNOHANG)) {
		fill = job_fill(bo.id, 0, 65536, ++jobs);
		ASSERT_EQ(0, submit_one(self->fd, queue.id, &fill, &point));
		EXPECT_POINT(0, self->fd, queue.timeline, point);
		EXPECT_EQ((__u32)jobs, map[0]);
		EXPECT_EQ((__u32)jobs, map[16383]);
		now = mem_available();
		if (now < least)
			least = now;
	}
	/* Killed for want of memory, or told so often enough. */
	EXPECT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		    (WIFEXITED(status) && !WEXITSTATUS(status))) {
		TH_LOG("status %#x", status);
	}
	EXPECT_LT(before - least, LIMIT + MARGIN) {
		TH_LOG("%llu MiB less", (before - least) / MIB);
	}
	printf("# %llu MiB less at most, %llu jobs of the other client\n",
	       (before - least) / MIB, jobs);
	EXPECT_LT(1, jobs);
	EXPECT_EQ(0, munmap(map, 65536));
}

TEST_HARNESS_MAIN
