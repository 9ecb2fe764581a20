// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends of all kinds, with everything in flight: of files, processes, objects
 * and of the hopes of those who guess ids. What is left is in the census.
 */
#include "busy.h"

#include <sys/socket.h>
#include <sys/wait.h>

/* How long threads that race go on. */
#define RACE_MS		2000

FIXTURE(lifetime)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(lifetime)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(lifetime)
{
	accel_teardown(_metadata, self->fd);
}

/* The mapping keeps the file open as its descriptor does: either may be last. */
TEST_F(lifetime, close_with_everything_in_flight)
{
	struct busy busy;
	int i, fd;

	for (i = 0; i < 10; i++) {
		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, busy_start(fd, self->dev.timeout_max_ms, &busy));
		if (i % 2) {
			EXPECT_EQ(0, munmap(busy.map, 65536));
			EXPECT_EQ(0, close(fd));
		} else {
			EXPECT_EQ(0, close(fd));
			EXPECT_EQ(0, munmap(busy.map, 65536));
		}
		ASSERT_EQ(0, still_works(self->fd));
	}
}

/* Ids go one by one, in this order and in the opposite one. */
TEST_F(lifetime, destroy_with_everything_in_flight)
{
	struct busy busy;
	size_t i, round;
	__u32 last;

	for (round = 0; round < 2; round++) {
		ASSERT_EQ(0, busy_start(self->fd, self->dev.timeout_max_ms,
					&busy));
		__u32 ids[] = {
			busy.bo.id, busy.mapped.id, busy.timeline,
			busy.running.timeline, busy.pending.timeline,
			busy.held.timeline, busy.other.timeline,
			busy.pending.id, busy.running.id, busy.held.id,
			busy.other.id,
		};

		for (i = 0; i < ARRAY_LEN(ids); i++)
			EXPECT_EQ(0, destroy(self->fd, ids[round ? i :
						ARRAY_LEN(ids) - 1 - i]));

		/* No job of a queue writes after its end. */
		last = busy.map[0];
		ASSERT_EQ(0, still_works(self->fd));
		EXPECT_EQ(last, busy.map[0]);
		EXPECT_EQ(0, munmap(busy.map, 65536));
	}
}

static void *wait_for_ever(void *arg)
{
	int fd = *(int *)arg;
	__s32 status;
	__u32 id;

	if (!timeline_create(fd, 0, &id))
		point_wait_until(fd, id, 1, INT64_MAX, &status);
	return NULL;
}

/* Says by the pipe that it is busy, and then waits to be killed. */
static void be_busy(int out, __u32 timeout_ms)
{
	pthread_t threads[2];
	struct busy busy;
	int fd, ret;
	size_t i;

	fd = accel_open();
	ret = fd < 0 ? fd : busy_start(fd, timeout_ms, &busy);
	for (i = 0; !ret && i < ARRAY_LEN(threads); i++)
		ret = pthread_create(&threads[i], NULL, wait_for_ever, &fd);
	if (write(out, &ret, sizeof(ret)) != sizeof(ret))
		_exit(1);
	wait_for_ever(&fd);
	_exit(2);
}

TEST_F(lifetime, killed_with_everything_in_flight)
{
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	int pipefd[2], ret, status, i;
	pid_t child;

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, census_read(before));
	for (i = 0; i < 5; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child)
			be_busy(pipefd[1], self->dev.timeout_max_ms);
		ASSERT_EQ(sizeof(ret), read(pipefd[0], &ret, sizeof(ret)));
		EXPECT_EQ(0, ret);
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(0, census_read(after));
		EXPECT_STREQ(before, after);
		ASSERT_EQ(0, still_works(self->fd));
	}
	close(pipefd[0]);
	close(pipefd[1]);
}

/* A child that shares the file and dies takes nothing of it along. */
TEST_F(lifetime, killed_child_shares_the_file)
{
	struct accel_queue_create queue;
	struct accel_queue_info info;
	struct accel_bo_create bo;
	struct test_job fill;
	int pipefd[2], ret, status;
	pid_t child;
	__u64 point;
	__u32 *map;

	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	map = bo_map(self->fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	fill = job_fill(bo.id, 0, 4096, 3);
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		ret = submit_one(self->fd, queue.id, &fill, &point);
		if (write(pipefd[1], &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
		wait_for_ever(&self->fd);
		_exit(2);
	}
	ASSERT_EQ(sizeof(ret), read(pipefd[0], &ret, sizeof(ret)));
	EXPECT_EQ(0, ret);
	ASSERT_EQ(0, kill(child, SIGKILL));
	ASSERT_EQ(child, waitpid(child, &status, 0));

	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_EQ(0, info.status);
	EXPECT_EQ(2, info.submitted);
	EXPECT_PENDING(self->fd, queue.timeline, 1);
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, 2);
	EXPECT_EQ(3, map[0]);
	ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
	EXPECT_POINT(0, self->fd, queue.timeline, 3);
	EXPECT_EQ(0, munmap(map, 4096));
	close(pipefd[0]);
	close(pipefd[1]);
}

static int send_fd(int sock, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int sock)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, 0) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/*
 * The opener makes a hang, sends the file and exits. Who receives it has the
 * opener's objects, and can ask about the file though the opener is gone.
 */
TEST_F(lifetime, passed_by_a_process_that_exits)
{
	char path[64], text[4096];
	struct accel_queue_info info;
	int socks[2], status, fd;
	pid_t child;
	__u32 queue = 1;
	__u64 point;
	FILE *file;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, socks));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		struct accel_queue_create made;

		fd = accel_open();
		if (fd < 0 ||
		    queue_create(fd, 0, self->dev.timeout_max_ms, &made) ||
		    submit_hang(fd, made.id, &point) ||
		    send_fd(socks[1], fd))
			_exit(1);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
	fd = receive_fd(socks[0]);
	ASSERT_LE(0, fd);
	close(socks[0]);
	close(socks[1]);

	/* The ids are 1 and 2: the queue and its timeline. */
	if (queue_info(fd, queue, &info))
		queue = 2;
	ASSERT_EQ(0, queue_info(fd, queue, &info));
	EXPECT_EQ(1, info.submitted);
	EXPECT_EQ(0, info.status);
	/* Reading the census waits until the opener is freed. */
	ASSERT_EQ(0, census_read(text));
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	ASSERT_TRUE(file != NULL);
	EXPECT_LT(0, fread(text, 1, sizeof(text), file));
	fclose(file);

	ASSERT_EQ(0, hang_release(fd, queue));
	EXPECT_POINT(0, fd, info.timeline, 1);
	ASSERT_EQ(0, submit_hang(fd, queue, &point));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, still_works(self->fd));
}

/* What a job names lives as long as the job. */
TEST_F(lifetime, objects_destroyed_under_jobs)
{
	struct accel_queue_create queue, other;
	struct accel_bo_create bo, keep, reuse;
	struct test_job fill, copy, nop = job_nop();
	__u32 waits, signals;
	__u64 point;
	__u32 *map;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &other));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &keep));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &waits));
	ASSERT_EQ(0, timeline_create(self->fd, 0, &signals));
	map = bo_map(self->fd, &keep);
	ASSERT_TRUE(map != MAP_FAILED);

	fill = job_fill(bo.id, 0, 4096, 5);
	job_wait(&fill, waits, 1);
	job_signal(&fill, signals, 1);
	copy = job_copy(bo.id, 0, keep.id, 0, 4096);
	ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &fill, &point));
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &copy, &point));
	job_wait(&nop, signals, 1);
	ASSERT_EQ(0, submit_one(self->fd, other.id, &nop, &point));
	ASSERT_EQ(0, timeline_signal(self->fd, waits, 1));

	ASSERT_EQ(0, destroy(self->fd, bo.id));
	ASSERT_EQ(0, destroy(self->fd, waits));
	ASSERT_EQ(0, destroy(self->fd, signals));
	/* The id's next owner is not what the jobs meant. */
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &reuse));
	EXPECT_EQ(bo.id, reuse.id);

	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	EXPECT_POINT(0, self->fd, queue.timeline, 3);
	EXPECT_POINT(0, self->fd, other.timeline, 1);
	EXPECT_EQ(5, map[0]);
	EXPECT_EQ(5, map[1023]);
	EXPECT_EQ(0, munmap(map, 4096));
}

struct race {
	int fd;
	__s64 end;
	struct accel_query_device *dev;
	/* What the threads have done that worked, so that it is not nothing. */
	unsigned long creates;
	unsigned long destroys;
	unsigned long submits;
};

#define GUESSES	24

static void *race_create(void *arg)
{
	struct race *race = arg;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u32 id, i = 0;
	int made;

	while (now_ns() < race->end) {
		made = !timeline_create(race->fd, i, &id);
		made += !queue_create(race->fd, i % 2, 50, &queue);
		made += !bo_create(race->fd, i % 2, 4096, &bo);
		__atomic_add_fetch(&race->creates, made, __ATOMIC_RELAXED);
		i++;
	}
	return NULL;
}

static void *race_destroy(void *arg)
{
	struct race *race = arg;
	__u32 id;

	while (now_ns() < race->end)
		for (id = 1; id <= GUESSES * 4; id++)
			if (!destroy(race->fd, id))
				__atomic_add_fetch(&race->destroys, 1,
						   __ATOMIC_RELAXED);
	return NULL;
}

/* Everything that takes an id, with ids that are just coming and going. */
static void *race_use(void *arg)
{
	struct race *race = arg;
	unsigned int seed = 1;
	struct accel_queue_info info;
	__s32 status;
	__u64 point;
	__u32 i;

	while (now_ns() < race->end) {
		__u32 id[4];

		for (i = 0; i < ARRAY_LEN(id); i++)
			id[i] = 1 + rand_r(&seed) % GUESSES;
		struct test_job job = seed % 8 ? job_fill(id[0], 0, 4096, seed) :
						 job_hang();

		job_wait(&job, id[1], rand_r(&seed) % 4);
		job_signal(&job, id[2], rand_r(&seed));
		if (!submit_one(race->fd, id[3], &job, &point))
			__atomic_add_fetch(&race->submits, 1, __ATOMIC_RELAXED);
		job.wait_count = 0;
		job.signal_count = 0;
		if (!submit_one(race->fd, id[3], &job, &point))
			__atomic_add_fetch(&race->submits, 1, __ATOMIC_RELAXED);
		timeline_signal(race->fd, id[1], rand_r(&seed));
		point_status(race->fd, id[2], 1);
		point_wait_until(race->fd, id[1], 1, 0, &status);
		bo_sync(race->fd, id[0], ACCEL_SYNC_WRITE, 0);
		queue_info(race->fd, id[3], &info);
	}
	return NULL;
}

static void *race_map(void *arg)
{
	struct race *race = arg;
	struct accel_bo_create bo;
	volatile __u8 *map;
	__u32 id;

	while (now_ns() < race->end) {
		for (id = 1; id <= GUESSES; id++) {
			struct accel_bo_info info = {
				.size = sizeof(info),
				.id = id,
			};

			if (accel_ioctl(race->fd, ACCEL_IOCTL_BO_INFO, &info))
				continue;
			bo.length = info.length;
			bo.mmap_offset = info.mmap_offset;
			map = bo_map(race->fd, &bo);
			if (map == MAP_FAILED)
				continue;
			map[0]++;
			munmap((void *)map, bo.length);
		}
	}
	return NULL;
}

static int run_race(struct race *race, void *(*const threads[])(void *),
		    size_t count)
{
	pthread_t ids[8];
	size_t i;

	race->end = deadline_ms(RACE_MS);
	for (i = 0; i < count; i++)
		if (pthread_create(&ids[i], NULL, threads[i], race))
			return -EAGAIN;
	for (i = 0; i < count; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

TEST_F_TIMEOUT(lifetime, guessed_ids, LONG_TEST_S)
{
	static void *(*const threads[])(void *) = {
		race_create, race_destroy, race_destroy, race_use, race_map,
	};
	struct race race = { .fd = self->fd, .dev = &self->dev };

	/* Until each has come through at all: a loaded machine may take a while. */
	do {
		ASSERT_EQ(0, run_race(&race, threads, ARRAY_LEN(threads)));
	} while (!race.creates || !race.destroys || !race.submits);
	ASSERT_EQ(0, close(self->fd));
	self->fd = accel_open();
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, still_works(self->fd));
}

static void *race_create_in_vain(void *arg)
{
	const long page = sysconf(_SC_PAGESIZE);
	struct accel_queue_create *queue;
	struct race *race = arg;

	queue = mmap(NULL, page, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (queue == MAP_FAILED)
		return NULL;
	queue->size = sizeof(*queue);
	if (!mprotect(queue, page, PROT_READ))
		while (now_ns() < race->end)
			if (accel_ioctl(race->fd, ACCEL_IOCTL_QUEUE_CREATE,
					queue) == -EFAULT)
				race->creates++;
	munmap(queue, page);
	return NULL;
}

/* An id that cannot be told to who asked for it never means anything. */
TEST_F_TIMEOUT(lifetime, guessed_ids_of_failed_creates, LONG_TEST_S)
{
	static void *(*const threads[])(void *) = {
		race_create_in_vain, race_destroy,
	};
	struct race race = { .fd = self->fd, .dev = &self->dev };

	ASSERT_EQ(0, run_race(&race, threads, ARRAY_LEN(threads)));
	EXPECT_LT(0, race.creates);
	EXPECT_EQ(0, race.destroys);
}

/* What one thread submits, another changes while the kernel reads it. */
struct flipped {
	struct race race;
	__u32 queue;
	struct accel_submit sub;
	struct accel_submit_job jobs[4];
	struct test_job job[4];
};

static void *race_submit(void *arg)
{
	struct flipped *f = arg;

	while (now_ns() < f->race.end)
		if (!accel_ioctl(f->race.fd, ACCEL_IOCTL_SUBMIT, &f->sub))
			f->race.submits++;
	return NULL;
}

static void flip32(__u32 *word, unsigned int *seed, __u32 good)
{
	static const __u32 odd[] = {
		0, 1, 2, 3, 4, 7, 9, 4095, INT_MAX, UINT_MAX, UINT_MAX - 3,
	};

	__atomic_store_n(word, rand_r(seed) % 2 ? good :
			 odd[rand_r(seed) % ARRAY_LEN(odd)], __ATOMIC_RELAXED);
}

static void flip64(__u64 *word, unsigned int *seed, __u64 good)
{
	static const __u64 odd[] = {
		0, 1, 4097, 1ULL << 32, INT64_MAX, UINT64_MAX, UINT64_MAX - 4095,
	};

	__atomic_store_n(word, rand_r(seed) % 2 ? good :
			 odd[rand_r(seed) % ARRAY_LEN(odd)], __ATOMIC_RELAXED);
}

static void *race_flip(void *arg)
{
	struct flipped *f = arg;
	unsigned int seed = 2;

	while (now_ns() < f->race.end) {
		__u32 i = rand_r(&seed) % ARRAY_LEN(f->jobs);
		struct test_job *job = &f->job[i];

		switch (rand_r(&seed) % 10) {
		case 0:
			flip32(&f->sub.size, &seed, sizeof(f->sub));
			break;
		case 1:
			flip32(&f->sub.job_count, &seed, ARRAY_LEN(f->jobs));
			break;
		case 2:
			flip32(&f->sub.job_stride, &seed, sizeof(f->jobs[0]));
			break;
		case 3:
			flip32(&f->jobs[i].cmd_size, &seed, job->cmd_size);
			break;
		case 4:
			flip32(&f->jobs[i].bo_count, &seed, 2);
			break;
		case 5:
			flip32(&f->jobs[i].bo_stride, &seed,
			       sizeof(job->bos[0]));
			break;
		case 6:
			flip32(&job->cmd.copy.op, &seed, ACCEL_VACCEL_COPY);
			/* A hang would only end the fun. */
			if (job->cmd.op == ACCEL_VACCEL_HANG)
				job->cmd.op = ACCEL_VACCEL_COPY;
			break;
		case 7:
			flip32(&job->cmd.copy.dst_bo, &seed, 1);
			break;
		case 8:
			flip64(&job->cmd.copy.length, &seed, 4096);
			break;
		case 9:
			flip64(&job->cmd.copy.dst_offset, &seed, 0);
			break;
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(lifetime, changed_while_submitted, LONG_TEST_S)
{
	static void *(*const threads[])(void *) = { race_submit, race_flip };
	struct flipped f = { .race.fd = self->fd };
	struct accel_queue_create queue;
	struct accel_queue_info info;
	struct accel_bo_create bo[2];
	__u32 *map;
	size_t i;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo[0]));
	ASSERT_EQ(0, bo_create(self->fd, 0, 4096, &bo[1]));
	map = bo_map(self->fd, &bo[0]);
	ASSERT_TRUE(map != MAP_FAILED);
	memset(map, 0xa5, 4096);
	for (i = 0; i < ARRAY_LEN(f.jobs); i++) {
		f.job[i] = job_copy(bo[0].id, 0, bo[1].id, 0, 4096);
		f.jobs[i] = job_uapi(&f.job[i]);
	}
	f.sub = (struct accel_submit) {
		.size = sizeof(f.sub),
		.queue = queue.id,
		.job_count = ARRAY_LEN(f.jobs),
		.jobs_ptr = ptr_to_u64(f.jobs),
		.job_stride = sizeof(f.jobs[0]),
	};
	ASSERT_EQ(0, run_race(&f.race, threads, ARRAY_LEN(threads)));
	EXPECT_LT(0, f.race.submits);

	/* The source was named as one to read, and was only read. */
	EXPECT_EQ(4096, span((__u8 *)map, 0xa5, 4096));
	ASSERT_EQ(0, queue_info(self->fd, queue.id, &info));
	EXPECT_LE(f.race.submits, info.submitted);
	EXPECT_EQ(0, engine_flush(self->fd, 0));
	EXPECT_EQ(0, munmap(map, 4096));
}

/* The end of the file comes at any moment of a timeout. */
TEST_F_TIMEOUT(lifetime, close_races_timeout, LONG_TEST_S)
{
	struct accel_queue_create queue;
	__s64 until;
	__u64 point;
	int i, fd;

	for (i = 0; i < 40; i++) {
		fd = accel_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, queue_create(fd, i % 2, 1, &queue));
		ASSERT_EQ(0, submit_hang(fd, queue.id, &point));
		/* Comes too late where the hang has timed out already. */
		submit_nop(fd, queue.id, &point);
		until = now_ns() + i * 100000LL;
		while (now_ns() < until)
			;
		ASSERT_EQ(0, close(fd));
	}
	EXPECT_EQ(0, still_works(self->fd));
}

/* Released or timed out, as it happens; but one of the two, all the way. */
TEST_F_TIMEOUT(lifetime, release_races_timeout, LONG_TEST_S)
{
	struct accel_vaccel_release release = { .size = sizeof(release) };
	struct accel_queue_create queue;
	__u64 point;
	__s32 status;
	int i, ret;

	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, queue_create(self->fd, 0, 1 + i % 4, &queue));
		ASSERT_EQ(0, submit_hang(self->fd, queue.id, &point));
		release.queue = queue.id;
		while (point_wait_until(self->fd, queue.timeline, point,
					now_ns() + i * 50000LL, &status) ==
		       -ETIME)
			accel_ioctl(self->fd, ACCEL_IOCTL_VACCEL_RELEASE,
				    &release);
		EXPECT_TRUE(status == 0 || status == -ETIME);
		ret = submit_nop(self->fd, queue.id, &point);
		EXPECT_EQ(status ? -EIO : 0, ret);
		/* With so short a timeout this one may be late as well. */
		if (!ret) {
			ASSERT_EQ(0, point_wait_until(self->fd, queue.timeline,
						      point,
						      deadline_ms(WAIT_MS),
						      &status));
			EXPECT_TRUE(status == 0 || status == -ETIME);
		}
		ASSERT_EQ(0, destroy(self->fd, queue.id));
		ASSERT_EQ(0, destroy(self->fd, queue.timeline));
	}
	EXPECT_EQ(0, still_works(self->fd));
}

/* Files that come and go while others work. */
static void *race_open_close(void *arg)
{
	struct race *race = arg;
	struct busy busy;
	int fd;

	while (now_ns() < race->end) {
		fd = accel_open();
		if (fd < 0)
			continue;
		if (!busy_start(fd, race->dev->timeout_max_ms, &busy)) {
			__atomic_add_fetch(&race->creates, 1, __ATOMIC_RELAXED);
			munmap(busy.map, 65536);
		}
		close(fd);
	}
	return NULL;
}

static void *race_work(void *arg)
{
	struct race *race = arg;
	int fd = accel_open();

	if (fd < 0)
		return NULL;
	while (now_ns() < race->end)
		if (!still_works(fd))
			__atomic_add_fetch(&race->submits, 1, __ATOMIC_RELAXED);
	close(fd);
	return NULL;
}

TEST_F_TIMEOUT(lifetime, clients_come_and_go, LONG_TEST_S)
{
	static void *(*const threads[])(void *) = {
		race_open_close, race_open_close, race_work,
	};
	struct race race = { .dev = &self->dev };

	ASSERT_EQ(0, run_race(&race, threads, ARRAY_LEN(threads)));
	EXPECT_LT(0, race.creates);
	EXPECT_LT(0, race.submits);
	EXPECT_EQ(0, still_works(self->fd));
}

TEST_HARNESS_MAIN
