// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers in the caller's own memory: what may be pinned, who is charged for it, and
 * that nothing stays pinned.
 */
#include "accel_test.h"
#include "pins.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096UL
#define PAGES	16UL
#define LENGTH	(PAGES * PAGE)

FIXTURE(userptr)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	__u32 *map;
	long pins;
};

FIXTURE_SETUP(userptr)
{
	self->pins = pins_held();
	ASSERT_LE(0, self->pins);
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	self->map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(self->map != MAP_FAILED);
}

FIXTURE_TEARDOWN(userptr)
{
	accel_teardown(_metadata, self->fd);
	EXPECT_EQ(self->pins, pins_held());
	EXPECT_EQ(0, pinned_kib());
}

static int fill(FIXTURE_DATA(userptr) *self, __u32 id, __u32 value)
{
	struct test_job job = job_fill(id, 0, LENGTH, value);

	return job_run(self->fd, &self->queue, &job);
}

TEST_F(userptr, jobs_use_it)
{
	struct accel_bo_create bo;
	struct test_job copy;
	__u32 id, *map;

	ASSERT_EQ(0, bo_userptr(self->fd, self->map, LENGTH,
				ACCEL_USERPTR_WRITE, &id));
	EXPECT_EQ(PAGES, pins_held() - self->pins);
	ASSERT_EQ(0, fill(self, id, 0x12345678));
	EXPECT_EQ(0x12345678, self->map[0]);
	EXPECT_EQ(0x12345678, self->map[LENGTH / 4 - 1]);

	/* And what the CPU writes is what jobs read. */
	self->map[1] = 42;
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &bo));
	copy = job_copy(id, 0, bo.id, 0, LENGTH);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &copy));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(42, map[1]);
	EXPECT_EQ(0x12345678, map[2]);
	EXPECT_EQ(0, munmap(map, LENGTH));

	EXPECT_EQ(0, bo_sync(self->fd, id, ACCEL_SYNC_READ | ACCEL_SYNC_WRITE,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(0, destroy(self->fd, id));
	EXPECT_EQ(0, settle());
	EXPECT_EQ(self->pins, pins_held());
}

/* What was not asked for is not given, by whatever way. */
TEST_F(userptr, read_only)
{
	struct test_job read;
	struct accel_bo_create bo;
	struct accel_bo_info info;
	__u32 id;

	self->map[0] = 1;
	ASSERT_EQ(0, mprotect(self->map, LENGTH, PROT_READ));
	EXPECT_EQ(-EFAULT, bo_userptr(self->fd, self->map, LENGTH,
				      ACCEL_USERPTR_WRITE, &id));
	ASSERT_EQ(0, bo_userptr(self->fd, self->map, LENGTH, 0, &id));
	ASSERT_EQ(0, bo_info(self->fd, id, &info));
	EXPECT_EQ(LENGTH, info.length);
	EXPECT_EQ(ACCEL_BO_READ_ONLY, info.flags);

	EXPECT_EQ(-EACCES, fill(self, id, 2));
	EXPECT_EQ(1, self->map[0]);
	/* Only jobs may not: it is the caller's memory. */
	EXPECT_EQ(0, bo_sync(self->fd, id, ACCEL_SYNC_WRITE,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(0, bo_sync(self->fd, id, ACCEL_SYNC_WRITE | ACCEL_SYNC_END, 0));
	ASSERT_EQ(0, bo_create(self->fd, 0, LENGTH, &bo));
	read = job_copy(id, 0, bo.id, 0, LENGTH);
	EXPECT_EQ(0, job_run(self->fd, &self->queue, &read));
}

TEST_F(userptr, not_to_be_had_otherwise)
{
	struct accel_bo_info info;
	__u32 id;

	ASSERT_EQ(0, bo_userptr(self->fd, self->map, LENGTH,
				ACCEL_USERPTR_WRITE, &id));
	EXPECT_EQ(-EOPNOTSUPP, bo_export(self->fd, id, 0));
	EXPECT_EQ(-EOPNOTSUPP, bo_export(self->fd, id, ACCEL_EXPORT_WRITE));
	ASSERT_EQ(0, bo_info(self->fd, id, &info));
	EXPECT_EQ(0, info.mmap_offset);
}

TEST_F(userptr, bad_ranges)
{
	const uintptr_t start = (uintptr_t)self->map;
	const struct {
		const char *name;
		__u64 addr;
		__u64 length;
		int error;
	} ranges[] = {
		{ "no length", start, 0, -EINVAL },
		{ "half a page", start, PAGE / 2, -EINVAL },
		{ "from within a page", start + 8, PAGE, -EINVAL },
		{ "at NULL", 0, PAGE, -EFAULT },
		{ "a hole", start, 3 * PAGE, -EFAULT },
		{ "to the end of memory", -PAGE, PAGE, -EFAULT },
		{ "past the end of memory", -PAGE, 2 * PAGE, -EFAULT },
		{ "the kernel's", 0xffff888000000000, PAGE, -EFAULT },
		{ "more than there is", start, 1ULL << 50, -ENOMEM },
	};
	struct accel_bo_create bo;
	__u32 id = 7, *map;
	size_t i;

	ASSERT_EQ(0, munmap(self->map + 2 * PAGE / 4, PAGE));
	for (i = 0; i < ARRAY_LEN(ranges); i++) {
		EXPECT_EQ(ranges[i].error,
			  bo_userptr_at(self->fd, ranges[i].addr,
					ranges[i].length, 0, &id)) {
			TH_LOG("%s", ranges[i].name);
		}
		EXPECT_EQ(0, pinned_kib());
	}

	/* Another buffer's memory is not the caller's to pin. */
	ASSERT_EQ(0, bo_create(self->fd, 0, PAGE, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	EXPECT_EQ(-EFAULT, bo_userptr(self->fd, map, PAGE, 0, &id));
	EXPECT_EQ(0, munmap(map, PAGE));
	EXPECT_EQ(7, id);
	EXPECT_EQ(self->pins, pins_held());
}

/* The pages stay the job's, and what is mapped there then is something else. */
TEST_F(userptr, unmapped_while_pinned)
{
	void *again;
	__u32 id;

	ASSERT_EQ(0, bo_userptr(self->fd, self->map, LENGTH,
				ACCEL_USERPTR_WRITE, &id));
	ASSERT_EQ(0, munmap(self->map, LENGTH));
	EXPECT_EQ(0, fill(self, id, 3));
	again = mmap(self->map, LENGTH, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_TRUE(again == self->map);
	EXPECT_EQ(0, fill(self, id, 4));
	EXPECT_EQ(LENGTH, span(again, 0, LENGTH));
	EXPECT_EQ(LENGTH / 1024, pinned_kib());
}

/* Who forks goes on with the pages that are pinned; the child has copies. */
TEST_F(userptr, parent_keeps_the_pages)
{
	int status;
	pid_t pid;
	__u32 id;

	self->map[0] = 1;
	ASSERT_EQ(0, bo_userptr(self->fd, self->map, LENGTH,
				ACCEL_USERPTR_WRITE, &id));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		self->map[0] = 99;
		_exit(self->map[1] != 0);
	}
	self->map[1] = 5;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, fill(self, id, 6));
	EXPECT_EQ(6, self->map[0]);
	EXPECT_EQ(6, self->map[1]);
}

static int drop_rights(rlim_t memlock)
{
	struct rlimit limit = { memlock, memlock };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresuid(65534, 65534, 65534))
		return -errno;
	return 0;
}

/* Returns the number of what went wrong, or 0. */
static int limited_client(FIXTURE_DATA(userptr) *self)
{
	__u32 ids[2];

	if (drop_rights(LENGTH))
		return 1;
	if (bo_userptr(self->fd, self->map, LENGTH - PAGE, 0, &ids[0]))
		return 2;
	if (bo_userptr(self->fd, self->map, 2 * PAGE, 0, &ids[1]) != -ENOMEM)
		return 3;
	if (bo_userptr(self->fd, self->map, PAGE, ACCEL_USERPTR_WRITE, &ids[1]))
		return 4;
	if (pinned_kib() != LENGTH / 1024)
		return 5;
	/* Twice the same page counts twice. */
	if (bo_userptr(self->fd, self->map, PAGE, 0, &ids[1]) != -ENOMEM)
		return 6;
	if (destroy(self->fd, ids[0]))
		return 7;
	if (bo_userptr(self->fd, self->map, LENGTH - PAGE, 0, &ids[0]))
		return 8;
	return 0;
}

TEST_F(userptr, memlock_is_the_limit)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(limited_client(self));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * The process that pinned is charged until the buffer is freed, by whomever; nobody
 * else is, and not what it executes.
 */
TEST_F(userptr, charged_to_who_pinned)
{
	int to_child[2], to_parent[2];
	__u32 ids[2];
	pid_t pid;
	long kib;

	ASSERT_EQ(0, pipe2(to_child, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(to_parent, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		char go;

		if (bo_userptr(self->fd, self->map, LENGTH, 0, &ids[0]) ||
		    bo_userptr(self->fd, self->map, PAGE, 0, &ids[1]) ||
		    write(to_parent[1], ids, sizeof(ids)) != sizeof(ids) ||
		    read(to_child[0], &go, 1) != 1)
			_exit(1);
		kib = pinned_kib();
		if (write(to_parent[1], &kib, sizeof(kib)) != sizeof(kib))
			_exit(1);
		dup2(to_child[0], STDIN_FILENO);
		execl("/bin/cat", "cat", NULL);
		_exit(1);
	}
	ASSERT_EQ(sizeof(ids), read(to_parent[0], ids, sizeof(ids)));
	EXPECT_EQ(0, pinned_kib());
	ASSERT_EQ(0, destroy(self->fd, ids[0]));
	ASSERT_EQ(0, settle());
	EXPECT_EQ(0, pinned_kib());
	ASSERT_EQ(1, write(to_child[1], "", 1));
	ASSERT_EQ(sizeof(kib), read(to_parent[0], &kib, sizeof(kib)));
	EXPECT_EQ(PAGE / 1024, kib);

	/* Its memory is gone, or going, and the count with it. */
	while (!process_is(pid, "cat"))
		sched_yield();
	EXPECT_EQ(0, pinned_kib_of(pid));
	EXPECT_EQ(0, destroy(self->fd, ids[1]));
	EXPECT_EQ(0, settle());
	EXPECT_EQ(0, pinned_kib_of(pid));
	EXPECT_EQ(self->pins, pins_held());
	close(to_child[1]);
	EXPECT_EQ(pid, waitpid(pid, NULL, 0));
}

/* Killed in the middle of it, by a signal that finds it where it may. */
TEST_F_TIMEOUT(userptr, killed, LONG_TEST_S)
{
	unsigned int i, n = rounds(40, 1000);
	pid_t pid;

	for (i = 0; i < n; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			__u32 id;

			for (;;)
				if (bo_userptr(self->fd, self->map, LENGTH,
					       ACCEL_USERPTR_WRITE, &id) ||
				    destroy(self->fd, id))
					_exit(1);
		}
		usleep(500 * (i % 16));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	}
	tally(n, "kills of clients that pin");
}

/* A device that does not reach all of memory says so, and has pinned nothing. */
TEST_F(userptr, out_of_reach)
{
	struct accel_query_device dev;
	int fd, n = 0, i;
	char path[64];
	__u32 id;

	for (i = 0; i < 128; i++) {
		snprintf(path, sizeof(path), "/dev/accel/accel%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!query_device(fd, &dev) &&
		    !strcmp((char *)dev.driver, "accel_edu")) {
			EXPECT_EQ(-EOPNOTSUPP, bo_userptr(fd, self->map, LENGTH,
							  0, &id));
			n++;
		}
		close(fd);
	}
	if (!n)
		SKIP(return, "no edu device");
	EXPECT_EQ(self->pins, pins_held());
}

TEST_HARNESS_MAIN
