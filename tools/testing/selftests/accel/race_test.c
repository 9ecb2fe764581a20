// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads against each other: ids that are guessed while they come and go, arguments
 * that change while they are read, ends and timeouts at the same moment.
 */
#include "busy.h"

/* How long threads that race go on. */
#define RACE_MS		2000

FIXTURE(race)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(race)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(race)
{
	accel_teardown(_metadata, self->fd);
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

TEST_F_TIMEOUT(race, guessed_ids, LONG_TEST_S)
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
	EXPECT_EQ(0, engines_flush(self->fd));
}

#define VAIN_MAX	8

/* Calls that succeed but for their argument, where the answer cannot be written. */
struct vain {
	struct race race;
	int first_fd;
	size_t count;
	struct {
		int fd;
		unsigned int cmd;
		void *arg;
	} calls[VAIN_MAX];
	unsigned long closes;
	unsigned long wrong;
};

static int vain_add(struct vain *vain, int fd, unsigned int cmd,
		    const void *arg, __u32 size)
{
	const long page = sysconf(_SC_PAGESIZE);
	void *copy = mmap(NULL, page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED || vain->count == VAIN_MAX)
		return -ENOMEM;
	memcpy(copy, arg, size);
	memcpy(copy, &size, sizeof(size));
	vain->calls[vain->count].fd = fd;
	vain->calls[vain->count].cmd = cmd;
	vain->calls[vain->count++].arg = copy;
	return mprotect(copy, page, PROT_READ) ? -errno : 0;
}

#define VAIN_ADD(vain, fd, NAME, name, ...)				\
	vain_add(vain, fd, ACCEL_IOCTL_##NAME,				\
		 &(struct accel_##name) { __VA_ARGS__ },		\
		 sizeof(struct accel_##name))

/* What gives ids gives them to @fd, where they are guessed. */
static int vain_add_all(struct vain *vain, int fd)
{
	const long page = sysconf(_SC_PAGESIZE);
	void *pinned = mmap(NULL, page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int other = accel_open(), dma_buf, line;
	struct accel_bo_create bo;
	__u32 id;

	if (bo_create(other, 0, 4096, &bo) || timeline_create(other, 0, &id))
		return -ENOENT;
	dma_buf = bo_export(other, bo.id, 0);
	line = timeline_export(other, id, 0);
	vain->first_fd = next_fd();
	return VAIN_ADD(vain, fd, QUEUE_CREATE, queue_create, 0) ?:
	       VAIN_ADD(vain, fd, BO_CREATE, bo_create, .length = 4096) ?:
	       VAIN_ADD(vain, fd, BO_USERPTR, bo_userptr,
			.addr = ptr_to_u64(pinned), .length = page) ?:
	       VAIN_ADD(vain, fd, BO_IMPORT, bo_import, .fd = dma_buf) ?:
	       VAIN_ADD(vain, fd, TIMELINE_CREATE, timeline_create, 0) ?:
	       VAIN_ADD(vain, fd, TIMELINE_IMPORT, timeline_import,
			.fd = line, .type = ACCEL_FD_TIMELINE) ?:
	       VAIN_ADD(vain, other, BO_EXPORT, bo_export, .id = bo.id) ?:
	       VAIN_ADD(vain, other, TIMELINE_EXPORT, timeline_export,
			.id = id, .type = ACCEL_FD_SYNC_FILE);
}

static void *race_create_in_vain(void *arg)
{
	struct vain *vain = arg;
	size_t i;
	int ret;

	do {
		for (i = 0; i < vain->count; i++) {
			ret = accel_ioctl(vain->calls[i].fd, vain->calls[i].cmd,
					  vain->calls[i].arg);
			__atomic_add_fetch(ret == -EFAULT ? &vain->race.creates :
					   &vain->wrong, 1, __ATOMIC_RELAXED);
		}
	} while (now_ns() < vain->race.end);
	return NULL;
}

static void *race_close(void *arg)
{
	struct vain *vain = arg;
	int fd;

	/* Either of the two threads has one at a time. */
	while (now_ns() < vain->race.end)
		for (fd = vain->first_fd; fd < vain->first_fd + 2; fd++)
			vain->closes += !close(fd);
	return NULL;
}

/* An id or descriptor that cannot be told to who asked for it never means anything. */
TEST_F_TIMEOUT(race, guessed_ids_of_failed_creates, LONG_TEST_S)
{
	static void *(*const threads[])(void *) = {
		race_create_in_vain, race_create_in_vain, race_destroy,
		race_close,
	};
	struct vain vain = { .race.fd = self->fd };
	size_t i;
	int fd, end;

	ASSERT_EQ(0, vain_add_all(&vain, self->fd));
	ASSERT_EQ(0, run_race(&vain.race, threads, ARRAY_LEN(threads)));
	EXPECT_LE(2 * vain.count, vain.race.creates);
	EXPECT_EQ(0, vain.wrong);
	EXPECT_EQ(0, vain.race.destroys);
	EXPECT_EQ(0, vain.closes);

	/* It was not for another reason that they failed. */
	for (i = 0; i < vain.count; i++) {
		ASSERT_EQ(0, mprotect(vain.calls[i].arg,
				      sysconf(_SC_PAGESIZE),
				      PROT_READ | PROT_WRITE));
		EXPECT_EQ(0, accel_ioctl(vain.calls[i].fd, vain.calls[i].cmd,
					 vain.calls[i].arg));
	}
	end = next_fd();
	for (fd = self->fd + 1; fd < end; fd++)
		EXPECT_EQ(0, close(fd));
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

		/* The kernel's two looks at the size are close to each other. */
		flip32(&f->sub.size, &seed, sizeof(f->sub));
		switch (rand_r(&seed) % 9) {
		case 0:
			flip32(&f->sub.job_count, &seed, ARRAY_LEN(f->jobs));
			break;
		case 1:
			flip32(&f->sub.job_stride, &seed, sizeof(f->jobs[0]));
			break;
		case 2:
			flip32(&f->jobs[i].cmd_size, &seed, job->cmd_size);
			break;
		case 3:
			flip32(&f->jobs[i].bo_count, &seed, 2);
			break;
		case 4:
			flip32(&f->jobs[i].bo_stride, &seed,
			       sizeof(job->bos[0]));
			break;
		case 5:
			flip32(&job->cmd.copy.op, &seed, ACCEL_VACCEL_COPY);
			/* A hang would only end the fun. */
			if (job->cmd.op == ACCEL_VACCEL_HANG)
				job->cmd.op = ACCEL_VACCEL_COPY;
			break;
		case 6:
			flip32(&job->cmd.copy.dst_bo, &seed, 1);
			break;
		case 7:
			flip64(&job->cmd.copy.length, &seed, 4096);
			break;
		case 8:
			flip64(&job->cmd.copy.dst_offset, &seed, 0);
			break;
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(race, changed_while_submitted, LONG_TEST_S)
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
TEST_F_TIMEOUT(race, close_and_timeout, LONG_TEST_S)
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
	EXPECT_EQ(0, engines_flush(self->fd));
}

/* Released or timed out, as it happens; but one of the two, all the way. */
TEST_F_TIMEOUT(race, release_and_timeout, LONG_TEST_S)
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
	EXPECT_EQ(0, engines_flush(self->fd));
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
		if (!engines_flush(fd))
			__atomic_add_fetch(&race->submits, 1, __ATOMIC_RELAXED);
	close(fd);
	return NULL;
}

TEST_F_TIMEOUT(race, clients_come_and_go, LONG_TEST_S)
{
	static void *(*const threads[])(void *) = {
		race_open_close, race_open_close, race_work,
	};
	struct race race = { .dev = &self->dev };

	ASSERT_EQ(0, run_race(&race, threads, ARRAY_LEN(threads)));
	EXPECT_LT(0, race.creates);
	EXPECT_LT(0, race.submits);
	EXPECT_EQ(0, engines_flush(self->fd));
}

TEST_HARNESS_MAIN
