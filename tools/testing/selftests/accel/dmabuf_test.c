// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers as dma-bufs between the clients of a device: the same memory for all,
 * rights, references, and ends in every order.
 */
#include "dmabuf.h"
#include "unplug.h"

#include <sys/resource.h>
#include <sys/stat.h>

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

/*
 * With O_PATH its release is put off, but not the end of its file, whose memory is
 * anybody's then: what is exported again is not to be that.
 */
TEST_F(dmabuf, opened_by_path)
{
	int dma_buf, by_path, others[64], i;
	struct stat before, after;
	char path[32];

	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, fstat(dma_buf, &before));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", dma_buf);
	by_path = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, by_path);
	ASSERT_EQ(0, close(dma_buf));
	for (i = 0; i < ARRAY_LEN(others); i++) {
		others[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, others[i]);
	}
	dma_buf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, dma_buf);
	ASSERT_EQ(0, fstat(dma_buf, &after));
	EXPECT_EQ(before.st_dev, after.st_dev);
	EXPECT_EQ(before.st_ino, after.st_ino);
	for (i = 0; i < ARRAY_LEN(others); i++)
		EXPECT_EQ(0, close(others[i]));
	EXPECT_EQ(0, close(by_path));
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

/* No descriptor is left: nothing is, but what is kept with the id. */
TEST_F(dmabuf, no_descriptor)
{
	struct rlimit old, limit;
	int next = next_fd(), fd;

	ASSERT_LE(0, next);
	ASSERT_EQ(0, close(bo_export(self->fd, self->bo.id, 0)));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	limit = old;
	limit.rlim_cur = next;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	fd = bo_export(self->fd, self->bo.id, 0);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(-EMFILE, fd);
	EXPECT_EQ(1, census_count("dma_bufs"));
	fd = bo_export(self->fd, self->bo.id, 0);
	EXPECT_EQ(next, fd);
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, destroy(self->fd, self->bo.id));
	EXPECT_EQ(0, census_count("dma_bufs"));
}

/* The answer cannot be written: nobody may have had the descriptor meanwhile. */
TEST_F(dmabuf, no_answer)
{
	struct accel_bo_export *export;
	int next = next_fd();

	ASSERT_LE(0, next);
	export = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_TRUE(export != MAP_FAILED);
	*export = (struct accel_bo_export) {
		.size = sizeof(*export),
		.id = self->bo.id,
	};
	ASSERT_EQ(0, mprotect(export, PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, accel_ioctl(self->fd, ACCEL_IOCTL_BO_EXPORT, export));
	EXPECT_EQ(next, next_fd());
	ASSERT_EQ(0, destroy(self->fd, self->bo.id));
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
	ASSERT_EQ(0, close(bo_export(self->fd, self->bo.id, 0)));
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
	EXPECT_EQ(1, census_count("dma_bufs"));
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

#define STORM_S	3

static struct {
	int first;
	bool stop;
	unsigned long imports;
} storm;

static void *storm_close(void *unused)
{
	unsigned int seed = 1;
	int fd;

	while (!__atomic_load_n(&storm.stop, __ATOMIC_RELAXED)) {
		for (fd = storm.first; fd < storm.first + 8; fd++)
			close(fd);
		/* Now and then long enough for an import on any machine. */
		if (!(rand_r(&seed) % 16))
			usleep(rand_r(&seed) % 20000);
	}
	return NULL;
}

/* Another thread closes each descriptor as soon as it can be guessed. */
TEST_F_TIMEOUT(dmabuf, closed_by_others, LONG_TEST_S)
{
	__s64 end = deadline_ms(STORM_S * 1000);
	__s64 deadline = deadline_ms(WAIT_MS * 20);
	struct accel_bo_import import;
	pthread_t thread;
	int dma_buf = -1;

	storm.first = next_fd();
	ASSERT_LE(0, storm.first);
	ASSERT_EQ(0, pthread_create(&thread, NULL, storm_close, NULL));
	while (now_ns() < end || (!storm.imports && now_ns() < deadline)) {
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
	EXPECT_LT(0, storm.imports);
	for (dma_buf = storm.first; dma_buf < storm.first + 8; dma_buf++)
		close(dma_buf);
	tally(storm.imports, "imports of what another thread closes");
}

TEST_HARNESS_MAIN
