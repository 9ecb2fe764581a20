// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers as dma-bufs between accelerators and their clients: the same memory for
 * all, rights, fences, and ends in every order. Other drivers: dmabuf_peer_test.c.
 */
#include "dmabuf.h"
#include "unplug.h"

#include <sys/resource.h>

FIXTURE(dmabuf)
{
	int fd;
	int other;		/* another client of the same device */
	struct accel_query_device dev;
	struct accel_bo_create bo;
};

FIXTURE_SETUP(dmabuf)
{
	accel_setup(_metadata, &self->fd, &self->dev);
	self->other = accel_open();
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, bo_create(self->fd, 0, 2 * PAGE, &self->bo));
}

FIXTURE_TEARDOWN(dmabuf)
{
	EXPECT_EQ(0, close(self->other));
	accel_teardown(_metadata, self->fd);
}

/* A client writes by a job, another reads, both see it by each kind of mapping. */
TEST_F(dmabuf, same_memory)
{
	struct accel_bo_import import;
	struct accel_bo_info info;
	__u8 *maps[3];
	int dma_buf, i;

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(dma_buf, F_GETFD));
	EXPECT_EQ(2 * PAGE, lseek(dma_buf, 0, SEEK_END));
	ASSERT_EQ(0, bo_import(self->other, dma_buf, &import));
	EXPECT_EQ(self->bo.length, import.length);
	EXPECT_EQ(self->bo.mmap_offset, import.mmap_offset);
	ASSERT_EQ(0, bo_info(self->other, import.id, &info));
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(0, info.region);
	EXPECT_EQ(2 * PAGE, info.length);

	maps[0] = bo_map(self->fd, &self->bo);
	maps[1] = import_map(self->other, &import, PROT_READ | PROT_WRITE);
	maps[2] = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ | PROT_WRITE);
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(maps[i] != MAP_FAILED);
	ASSERT_EQ(0, run_fill(self->other, import.id, PAGE, 0xa5));
	ASSERT_EQ(0, run_fill(self->fd, self->bo.id, 16, 0x5a));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(16, span(maps[i], 0x5a, 2 * PAGE));
		EXPECT_EQ(PAGE - 16, span(maps[i] + 16, 0xa5, 2 * PAGE - 16));
		maps[i][PAGE + i] = i + 1;
	}
	EXPECT_EQ(0, memcmp("\1\2\3", maps[0] + PAGE, 3));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, munmap(maps[i], 2 * PAGE));
	EXPECT_EQ(0, close(dma_buf));
}

/* An id from a read-only dma-buf, and that dma-buf, give nobody a way to write. */
TEST_F(dmabuf, read_only)
{
	struct test_job job = job_nop();
	struct accel_queue_create queue;
	struct accel_bo_import import;
	struct accel_bo_info info;
	int dma_buf, i, fds[2];
	char path[32];
	__u64 point;
	void *map;

	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->other, dma_buf, &import));
	ASSERT_EQ(0, bo_info(self->other, import.id, &info));
	EXPECT_EQ(ACCEL_BO_READ_ONLY, info.flags);

	ASSERT_EQ(0, queue_create(self->other, 0, 0, &queue));
	job_bo(&job, import.id, ACCEL_BO_READ | ACCEL_BO_WRITE);
	EXPECT_EQ(-EACCES, submit_one(self->other, queue.id, &job, &point));
	job.bos[0].flags = ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT;
	EXPECT_EQ(-EACCES, submit_one(self->other, queue.id, &job, &point));
	job.bos[0].flags = ACCEL_BO_READ;
	EXPECT_EQ(0, submit_one(self->other, queue.id, &job, &point));
	EXPECT_EQ(-EACCES, bo_sync(self->other, import.id, ACCEL_SYNC_WRITE, 0));
	EXPECT_EQ(-EACCES, bo_export(self->other, import.id,
				     ACCEL_EXPORT_WRITE));

	fds[0] = self->other;
	fds[1] = dma_buf;
	for (i = 0; i < 2; i++) {
		__u64 offset = i ? 0 : import.mmap_offset;

		map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   fds[i], offset);
		EXPECT_EQ(MAP_FAILED, map);
		EXPECT_EQ(EACCES, errno);
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[i], offset);
		ASSERT_TRUE(map != MAP_FAILED);
		EXPECT_EQ(-1, mprotect(map, PAGE, PROT_READ | PROT_WRITE));
		EXPECT_EQ(EACCES, errno);
		EXPECT_EQ(PAGE, span(map, 0, PAGE));
		ASSERT_EQ(0, munmap(map, PAGE));
	}
	/* Nor is it opened again with more rights. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dma_buf);
	EXPECT_EQ(-1, open(path, O_RDWR | O_CLOEXEC));
	EXPECT_EQ(0, close(dma_buf));
}

/* With an id of each kind a client has the rights of the better one. */
TEST_F(dmabuf, both_rights)
{
	struct accel_bo_import reader, writer;
	struct test_job job = job_nop();
	struct accel_queue_create queue;
	int ro, rw;
	__u64 point;
	void *map;

	ro = bo_export(self->fd, self->bo.id, 0);
	rw = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, ro);
	ASSERT_LE(0, rw);
	ASSERT_EQ(0, bo_import(self->other, ro, &reader));
	ASSERT_EQ(0, bo_import(self->other, rw, &writer));
	ASSERT_EQ(0, queue_create(self->other, 0, 0, &queue));
	job_bo(&job, reader.id, ACCEL_BO_READ);
	job_bo(&job, writer.id, ACCEL_BO_WRITE);
	EXPECT_EQ(-EINVAL, submit_one(self->other, queue.id, &job, &point));
	map = import_map(self->other, &reader, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, munmap(map, 2 * PAGE));
	ASSERT_EQ(0, destroy(self->other, writer.id));
	EXPECT_EQ(MAP_FAILED, import_map(self->other, &reader,
					 PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	ASSERT_EQ(0, close(ro));
	ASSERT_EQ(0, close(rw));
}

/* An offset is good for who has an id of the buffer, and no longer. */
TEST_F(dmabuf, offset_needs_an_id)
{
	struct accel_bo_import import[2];
	int dma_buf, i;
	__u8 *map;

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(MAP_FAILED, bo_map(self->other, &self->bo));
	EXPECT_EQ(EACCES, errno);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, bo_import(self->other, dma_buf, &import[i]));
	map = bo_map(self->other, &self->bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, destroy(self->other, import[0].id));
	ASSERT_EQ(0, munmap(map, 2 * PAGE));
	map = bo_map(self->other, &self->bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, destroy(self->other, import[1].id));
	EXPECT_EQ(MAP_FAILED, bo_map(self->other, &self->bo));
	EXPECT_EQ(EACCES, errno);
	/* The mappings stay. */
	map[0] = 1;
	ASSERT_EQ(0, munmap(map, 2 * PAGE));
	ASSERT_EQ(0, close(dma_buf));
}

/* A mapping of a dma-buf does not grow past the buffer. */
TEST_F(dmabuf, mapping_does_not_grow)
{
	static const off_t bad[] = {
		2 * PAGE, 1LL << 32, 1LL << 40, INT64_MAX - PAGE + 1,
	};
	int dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	__u8 *map;
	size_t i;

	ASSERT_LE(0, dma_buf);
	for (i = 0; i < ARRAY_LEN(bad); i++)
		EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
					   dma_buf, bad[i]));
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf,
		   PAGE);
	EXPECT_EQ(MAP_FAILED, map);
	EXPECT_EQ(EINVAL, errno);
	map = dma_buf_map(dma_buf, PAGE, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(MAP_FAILED, mremap(map, PAGE, 4 * PAGE, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE, dma_buf, 0));
	EXPECT_EQ(EINVAL, errno);
	/* Moved and cut it is as good as before. */
	map[0] = 7;
	map = mremap(map, PAGE, PAGE, MREMAP_MAYMOVE);
	ASSERT_TRUE(map != MAP_FAILED);
	EXPECT_EQ(7, map[0]);
	ASSERT_EQ(0, munmap(map, PAGE));
	ASSERT_EQ(0, close(dma_buf));
}

TEST_F(dmabuf, refused)
{
	struct accel_bo_create local;

	ASSERT_EQ(0, bo_create(self->fd, ACCEL_VACCEL_REGION_LOCAL, PAGE,
			       &local));
	EXPECT_EQ(-EOPNOTSUPP, bo_export(self->fd, local.id, 0));
	EXPECT_EQ(-EOPNOTSUPP, bo_export(self->fd, local.id,
					 ACCEL_EXPORT_WRITE));
	EXPECT_EQ(-EOPNOTSUPP, bo_export(self->fd, self->bo.id, 1U << 1));
	EXPECT_EQ(-ENOENT, bo_export(self->other, self->bo.id, 0));
	EXPECT_EQ(0, census_count("dma_bufs"));
}

/* No descriptor is left: there is no dma-buf either. */
TEST_F(dmabuf, no_descriptor)
{
	struct rlimit old, limit;
	int next = dup(self->fd), fd;

	ASSERT_LE(0, next);
	ASSERT_EQ(0, close(next));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	limit = old;
	limit.rlim_cur = next;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	fd = bo_export(self->fd, self->bo.id, 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(-EMFILE, fd);
	EXPECT_EQ(0, census_count("dma_bufs"));
	fd = bo_export(self->fd, self->bo.id, 0);
	EXPECT_EQ(next, fd);
	EXPECT_EQ(0, close(fd));
}

/* The answer cannot be written: nobody may have had the descriptor meanwhile. */
TEST_F(dmabuf, no_answer)
{
	struct accel_bo_export *export;
	int next = dup(self->fd), again;

	ASSERT_LE(0, next);
	ASSERT_EQ(0, close(next));
	export = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(export != MAP_FAILED);
	*export = (struct accel_bo_export) {
		.size = sizeof(*export),
		.id = self->bo.id,
	};
	ASSERT_EQ(0, mprotect(export, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, ACCEL_IOCTL_BO_EXPORT, export));
	again = dup(self->fd);
	EXPECT_EQ(next, again);
	ASSERT_EQ(0, close(again));
	EXPECT_EQ(0, census_count("dma_bufs"));
	ASSERT_EQ(0, munmap(export, PAGE));
}

#define CYCLES	10000

/* References are given back, each time. */
TEST_F_TIMEOUT(dmabuf, cycles, LONG_TEST_S)
{
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	struct accel_bo_import import;
	int i, dma_buf, keep;

	keep = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, keep);
	ASSERT_EQ(0, census_read(before));
	for (i = 0; i < CYCLES; i++) {
		dma_buf = bo_export(self->fd, self->bo.id, i & 1);
		ASSERT_LE(0, dma_buf);
		ASSERT_EQ(0, bo_import(i & 2 ? self->fd : self->other, dma_buf,
				       &import));
		ASSERT_EQ(0, close(dma_buf));
		ASSERT_EQ(0, destroy(i & 2 ? self->fd : self->other, import.id));
	}
	ASSERT_EQ(0, census_read(after));
	EXPECT_STREQ(before, after);
	ASSERT_EQ(0, close(keep));
	tally(CYCLES, "exports and imports");
}

/* One thread lets go of the dma-buf, or the id, while another asks for it. */
TEST_F_TIMEOUT(dmabuf, races, LONG_TEST_S)
{
	struct racer racer = {
		.fd = self->fd,
		.dma_buf = -1,
		.id = self->bo.id,
	};

	EXPECT_EQ(0, run_race(racer));
	EXPECT_EQ(0, census_count("dma_bufs"));
	racer.dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, racer.dma_buf);
	EXPECT_EQ(0, run_race(racer));
	ASSERT_EQ(0, close(racer.dma_buf));
	EXPECT_EQ(1, census_count("bo_handles"));
}

enum part { PART_FILE, PART_OTHER, PART_DMA_BUF, PART_MAP, PARTS };

struct parts {
	int fds[3];
	__u8 *map;
};

static int part_end(struct parts *parts, enum part part)
{
	return part == PART_MAP ? munmap(parts->map, 2 * PAGE) :
				  close(parts->fds[part]);
}

/* The exporter's file, the importer's, the dma-buf and a mapping of it. */
TEST_F_TIMEOUT(dmabuf, every_order, LONG_TEST_S)
{
	struct accel_bo_import import;
	struct accel_bo_create bo;
	struct parts parts;
	int order, rest, i, left[PARTS];
	char before[CENSUS_SIZE], after[CENSUS_SIZE];

	ASSERT_EQ(0, census_read(before));
	for (order = 0; order < 24; order++) {
		for (i = 0; i < 2; i++) {
			parts.fds[i] = accel_open();
			ASSERT_LE(0, parts.fds[i]);
		}
		ASSERT_EQ(0, bo_create(parts.fds[0], 0, 2 * PAGE, &bo));
		parts.fds[2] = bo_export(parts.fds[0], bo.id,
					 ACCEL_EXPORT_WRITE);
		ASSERT_LE(0, parts.fds[2]);
		parts.map = dma_buf_map(parts.fds[2], 2 * PAGE,
					PROT_READ | PROT_WRITE);
		ASSERT_TRUE(parts.map != MAP_FAILED);
		ASSERT_EQ(0, bo_import(parts.fds[1], parts.fds[2], &import));

		for (i = 0; i < PARTS; i++)
			left[i] = i;
		rest = order;
		for (i = PARTS; i; i--) {
			int at = rest % i;

			rest /= i;
			ASSERT_EQ(0, part_end(&parts, left[at]));
			left[at] = left[i - 1];
			if (i > 1)
				EXPECT_LT(0, census_count("bos"));
		}
		ASSERT_EQ(0, census_read(after));
		EXPECT_STREQ(before, after) TH_LOG("order %d", order);
	}
}

/* Others see in the dma-buf that a job uses the memory, and whether it writes. */
TEST_F(dmabuf, fences_seen_by_others)
{
	static const struct {
		__u32 use;
		bool readable;
	} uses[] = {
		{ ACCEL_BO_READ, true },
		{ ACCEL_BO_WRITE, false },
		{ ACCEL_BO_READ | ACCEL_BO_NO_IMPLICIT, true },
		{ ACCEL_BO_WRITE | ACCEL_BO_NO_IMPLICIT, false },
	};
	int dma_buf, to_read, to_write, idle;
	struct accel_queue_create queue;
	struct test_job job;
	__u64 point;
	size_t i;

	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms, &queue));
	for (i = 0; i < ARRAY_LEN(uses); i++) {
		job = job_hang();
		job_bo(&job, self->bo.id, uses[i].use);
		idle = dma_buf_export_fence(dma_buf, DMA_BUF_SYNC_WRITE);
		ASSERT_LE(0, idle);
		ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
		to_read = dma_buf_export_fence(dma_buf, DMA_BUF_SYNC_READ);
		to_write = dma_buf_export_fence(dma_buf, DMA_BUF_SYNC_WRITE);
		ASSERT_LE(0, to_read);
		ASSERT_LE(0, to_write);
		EXPECT_EQ(uses[i].readable, dma_buf_is_idle(dma_buf, POLLIN));
		EXPECT_FALSE(dma_buf_is_idle(dma_buf, POLLOUT));
		EXPECT_EQ(uses[i].readable, sync_file_is_signalled(to_read));
		EXPECT_FALSE(sync_file_is_signalled(to_write));
		EXPECT_TRUE(sync_file_is_signalled(idle));
		ASSERT_EQ(0, hang_release(self->fd, queue.id));
		EXPECT_POINT(0, self->fd, queue.timeline, point);
		EXPECT_TRUE(dma_buf_becomes_idle(dma_buf, POLLIN));
		EXPECT_TRUE(dma_buf_becomes_idle(dma_buf, POLLOUT));
		EXPECT_TRUE(sync_file_is_signalled(to_read));
		EXPECT_TRUE(sync_file_is_signalled(to_write));
		ASSERT_EQ(0, close(idle));
		ASSERT_EQ(0, close(to_read));
		ASSERT_EQ(0, close(to_write));
	}
	ASSERT_EQ(0, close(dma_buf));
}

/* What others put in the dma-buf, a job waits for, unless it is told not to. */
TEST_F(dmabuf, fences_of_others)
{
	struct accel_queue_create busy, waits, hurries;
	struct test_job job = job_hang();
	struct accel_bo_create bo;
	int dma_buf, theirs, fence;
	__u64 hang, waiting, point;

	ASSERT_EQ(0, bo_create(self->other, 0, PAGE, &bo));
	theirs = bo_export(self->other, bo.id, 0);
	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, theirs);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, queue_create(self->other, 0, self->dev.timeout_max_ms,
				  &busy));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &waits));
	ASSERT_EQ(0, queue_create(self->fd, 1, 0, &hurries));
	job_bo(&job, bo.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->other, busy.id, &job, &hang));
	fence = dma_buf_export_fence(theirs, DMA_BUF_SYNC_READ);
	ASSERT_LE(0, fence);
	ASSERT_EQ(0, dma_buf_import_fence(dma_buf, DMA_BUF_SYNC_WRITE, fence));

	job = job_nop();
	job_bo(&job, self->bo.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, waits.id, &job, &waiting));
	ASSERT_EQ(0, engine_flush(self->fd, 1));
	EXPECT_PENDING(self->fd, waits.timeline, waiting);
	EXPECT_EQ(-ETIME, bo_sync(self->fd, self->bo.id, ACCEL_SYNC_READ, 0));
	job.bos[0].flags |= ACCEL_BO_NO_IMPLICIT;
	ASSERT_EQ(0, submit_one(self->fd, hurries.id, &job, &point));
	EXPECT_POINT(0, self->fd, hurries.timeline, point);
	EXPECT_PENDING(self->fd, waits.timeline, waiting);

	ASSERT_EQ(0, hang_release(self->other, busy.id));
	EXPECT_POINT(0, self->fd, waits.timeline, waiting);
	ASSERT_EQ(0, close(fence));
	ASSERT_EQ(0, close(theirs));
	ASSERT_EQ(0, close(dma_buf));
}

struct waiter {
	int dma_buf;
	pid_t tid;
	int ret;
	bool done;
};

static void *wait_for_access(void *arg)
{
	struct waiter *waiter = arg;

	__atomic_store_n(&waiter->tid, gettid(), __ATOMIC_RELEASE);
	waiter->ret = dma_buf_sync(waiter->dma_buf, DMA_BUF_SYNC_START |
				   DMA_BUF_SYNC_RW);
	__atomic_store_n(&waiter->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* The CPU gets its turn, by the dma-buf's own ioctl, when the job is done. */
TEST_F(dmabuf, access)
{
	struct accel_queue_create queue;
	struct test_job job = job_hang();
	struct waiter waiter = {};
	pthread_t thread;
	__u64 point;
	pid_t tid;

	waiter.dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, waiter.dma_buf);
	EXPECT_EQ(0, dma_buf_sync(waiter.dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dma_buf_sync(waiter.dma_buf, DMA_BUF_SYNC_END |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(-EINVAL, dma_buf_sync(waiter.dma_buf, DMA_BUF_SYNC_START));

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms, &queue));
	job_bo(&job, self->bo.id, ACCEL_BO_READ);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
	/* A reader need not wait for a reader. */
	EXPECT_EQ(0, dma_buf_sync(waiter.dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_READ));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_access, &waiter));
	do {
		tid = __atomic_load_n(&waiter.tid, __ATOMIC_ACQUIRE);
	} while (!tid);
	EXPECT_EQ(0, wait_asleep(tid));
	EXPECT_FALSE(__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, hang_release(self->fd, queue.id));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, waiter.ret);
	ASSERT_EQ(0, close(waiter.dma_buf));
}

/* For a test in which the device has gone. */
static void come_back(struct __test_metadata *_metadata,
		      FIXTURE_DATA(dmabuf) *self)
{
	EXPECT_EQ(0, close(self->fd));
	EXPECT_EQ(0, close(self->other));
	ASSERT_EQ(0, vaccel_bind());
	self->fd = accel_open();
	self->other = accel_open();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
}

/* The memory stays, for whoever has the dma-buf. */
TEST_F(dmabuf, device_goes)
{
	struct accel_bo_import import, late;
	__u8 *map, *again;
	int dma_buf;

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->other, dma_buf, &import));
	map = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	ASSERT_EQ(0, vaccel_unbind());

	EXPECT_EQ(-ENODEV, bo_import(self->other, dma_buf, &late));
	EXPECT_EQ(-ENODEV, bo_export(self->other, import.id, 0));
	EXPECT_EQ(MAP_FAILED, import_map(self->other, &import, PROT_READ));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(1, map[0]);
	map[PAGE] = 2;
	again = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ);
	ASSERT_TRUE(again != MAP_FAILED);
	EXPECT_EQ(2, again[PAGE]);
	EXPECT_EQ(0, munmap(again, 2 * PAGE));
	EXPECT_EQ(0, dma_buf_sync(dma_buf, DMA_BUF_SYNC_START |
				  DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, dma_buf_sync(dma_buf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, destroy(self->other, import.id));
	EXPECT_EQ(1, map[0]);
	EXPECT_EQ(0, munmap(map, 2 * PAGE));
	EXPECT_EQ(0, close(dma_buf));
	come_back(_metadata, self);
}

/* Bound again, it is another device, to which the dma-buf is somebody else's. */
TEST_F(dmabuf, device_comes_back)
{
	struct accel_bo_import import;
	__u8 *map, *again;
	struct plug plug;
	int dma_buf, fd;

	ASSERT_EQ(0, plug_find_vaccel(&plug));
	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	map = dma_buf_map(dma_buf, 2 * PAGE, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(map != MAP_FAILED);
	map[0] = 1;
	ASSERT_EQ(0, vaccel_unbind());
	ASSERT_EQ(0, vaccel_bind());
	fd = minor_open(plug_minor(&plug));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bo_import(fd, dma_buf, &import));
	EXPECT_EQ(1, census_count("dma_bufs"));
	again = import_map(fd, &import, PROT_READ | PROT_WRITE);
	ASSERT_TRUE(again != MAP_FAILED);
	EXPECT_EQ(1, again[0]);
	EXPECT_EQ(0, run_fill(fd, import.id, 2 * PAGE, 0x77));
	EXPECT_EQ(2 * PAGE, span(map, 0x77, 2 * PAGE));
	EXPECT_EQ(0, munmap(map, 2 * PAGE));
	EXPECT_EQ(0, munmap(again, 2 * PAGE));
	EXPECT_EQ(0, close(dma_buf));
	/* The import keeps it. */
	EXPECT_EQ(0, destroy(self->fd, self->bo.id));
	EXPECT_EQ(1, census_count("dma_bufs"));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_count("dma_bufs"));
	ASSERT_EQ(0, vaccel_unbind());
	come_back(_metadata, self);
}

static int edu_open(void)
{
	struct plug plug;
	char path[64];
	int fd;

	if (plug_find_edu(&plug))
		return -ENODEV;
	minor_path(plug_minor(&plug), path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* What edu has, vaccel computes in; and edu does not reach what is vaccel's. */
TEST_F(dmabuf, another_device)
{
	struct accel_bo_import import, back;
	struct accel_bo_create bo;
	struct accel_bo_info info;
	int edu, dma_buf;
	__u8 *map;

	edu = edu_open();
	if (edu == -ENODEV)
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	ASSERT_LE(0, edu);
	ASSERT_EQ(0, bo_create(edu, 0, 2 * PAGE, &bo));
	dma_buf = bo_export(edu, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	EXPECT_EQ(2 * PAGE, import.length);
	ASSERT_EQ(0, bo_info(self->fd, import.id, &info));
	EXPECT_EQ(ACCEL_BO_IMPORTED, info.flags);

	map = bo_map(edu, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	ASSERT_EQ(0, run_fill(self->fd, import.id, 2 * PAGE, 0x42));
	ASSERT_EQ(0, bo_sync(edu, bo.id, ACCEL_SYNC_READ, INT64_MAX));
	EXPECT_EQ(2 * PAGE, span(map, 0x42, 2 * PAGE));
	ASSERT_EQ(0, munmap(map, 2 * PAGE));

	/* It comes home as what it is there. */
	ASSERT_EQ(0, bo_import(edu, dma_buf, &back));
	EXPECT_EQ(bo.mmap_offset, back.mmap_offset);
	ASSERT_EQ(0, close(dma_buf));
	dma_buf = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(-EOPNOTSUPP, bo_import(edu, dma_buf, &back));
	ASSERT_EQ(0, close(dma_buf));
	/* For reading, there is no address for a device in software. */
	dma_buf = bo_export(edu, bo.id, 0);
	ASSERT_LE(0, dma_buf);
	EXPECT_EQ(-EACCES, bo_import(self->fd, dma_buf, &back));
	ASSERT_EQ(0, close(dma_buf));
	ASSERT_EQ(0, close(edu));
}

/* A device goes that has imported what another has exported, with a job on it. */
TEST_F(dmabuf, importer_goes)
{
	struct test_job job = job_hang();
	struct accel_queue_create queue;
	struct accel_bo_import import;
	struct accel_bo_create bo;
	int edu, dma_buf;
	__u64 point;

	edu = edu_open();
	if (edu == -ENODEV)
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	ASSERT_LE(0, edu);
	ASSERT_EQ(0, bo_create(edu, 0, 2 * PAGE, &bo));
	dma_buf = bo_export(edu, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, bo_import(self->fd, dma_buf, &import));
	ASSERT_EQ(0, close(dma_buf));
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms, &queue));
	job_bo(&job, import.id, ACCEL_BO_WRITE);
	ASSERT_EQ(0, submit_one(self->fd, queue.id, &job, &point));
	EXPECT_EQ(-ETIME, bo_sync(edu, bo.id, ACCEL_SYNC_READ, 0));
	ASSERT_EQ(0, vaccel_unbind());
	EXPECT_EQ(0, bo_sync(edu, bo.id, ACCEL_SYNC_READ, 0));
	ASSERT_EQ(0, close(edu));
	/* The id still keeps it. */
	EXPECT_EQ(1, census_count("dma_bufs"));
	ASSERT_EQ(0, destroy(self->fd, import.id));
	EXPECT_EQ(0, census_count("dma_bufs"));
	come_back(_metadata, self);
}

#define STORM_S	3

static struct {
	int first;
	bool stop;
	unsigned long imports;
} storm;

static void *storm_close(void *unused)
{
	int fd;

	while (!__atomic_load_n(&storm.stop, __ATOMIC_RELAXED))
		for (fd = storm.first; fd < storm.first + 8; fd++)
			close(fd);
	return NULL;
}

/* Another thread closes each descriptor as soon as it can be guessed. */
TEST_F_TIMEOUT(dmabuf, closed_by_others, LONG_TEST_S)
{
	__s64 end = deadline_ms(STORM_S * 1000);
	struct accel_bo_import import;
	pthread_t thread;
	int dma_buf = -1;

	storm.first = dup(self->fd);
	ASSERT_LE(0, storm.first);
	ASSERT_EQ(0, close(storm.first));
	ASSERT_EQ(0, pthread_create(&thread, NULL, storm_close, NULL));
	while (now_ns() < end) {
		dma_buf = bo_export(self->fd, self->bo.id, 0);
		if (dma_buf < 0)
			break;
		if (!bo_import(self->fd, dma_buf, &import)) {
			storm.imports++;
			ASSERT_EQ(0, destroy(self->fd, import.id));
		}
		close(dma_buf);
	}
	__atomic_store_n(&storm.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LE(0, dma_buf);
	for (dma_buf = storm.first; dma_buf < storm.first + 8; dma_buf++)
		close(dma_buf);
	tally(storm.imports, "imports of what another thread closes");
}

TEST_HARNESS_MAIN
