// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: memory for DMA on edu, pages of a buffer that could not be had whole,
 * a driver that is bound and unbound; with everything in it that can fail.
 */
#include "fail_nth_flow.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#define EDU		"/dev/accel/accel0"
#define BOUND		"/sys/bus/platform/drivers/vaccel/vaccel.0"
#define CLASS		"/sys/class/accel/accel128"

/* A node of our own: it is there whether or not the device is. */
#define NODE		"/dev/accel-fail-nth"
#define NODE_DEV	makedev(261, 128)

static int edu_open(void)
{
	int fd = open(EDU, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool edu_is_there(void)
{
	struct accel_query_device dev = {};
	int fd = edu_open();

	if (fd < 0)
		return false;
	if (query_device(fd, &dev))
		dev.driver[0] = '\0';
	close(fd);
	return !strcmp((char *)dev.driver, "accel_edu");
}

static void factorial_flow(struct __test_metadata *_metadata,
			   struct fail_nth *f)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.factorial) };
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	void *map;
	int fd;

	fail_nth_arm(f);
	fd = TRY(f, edu_open());
	TRY(f, queue_create(fd, ACCEL_EDU_ENGINE_FACTORIAL, 0, &queue));
	TRY(f, bo_create(fd, 0, 3 * PAGE, &bo));
	job.cmd.factorial.value = 10;
	job.cmd.factorial.bo = job_bo(&job, bo.id, ACCEL_BO_WRITE);
	job.cmd.factorial.offset = PAGE;
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	try_wait(_metadata, f, fd, queue.timeline, 1, 0);
	TRY(f, bo_sync(fd, bo.id, ACCEL_SYNC_READ, 0));
	TRY(f, map_errno(fd, &bo, &map));
	TRY(f, touch(map, 1));
	EXPECT_EQ(3628800, *(__u32 *)(map + PAGE));
	EXPECT_EQ(0, munmap(map, 3 * PAGE));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, edu_factorial)
{
	.run = factorial_flow,
	.is_possible = edu_is_there,
};

/*
 * A transfer takes 100 ms. Mapping for it is done when the job is accepted; so it
 * is held, and never starts.
 */
static void dma_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };
	struct accel_queue_create queue;
	struct accel_bo_create bo[2];
	__u32 timeline;
	int fd, i;

	fail_nth_arm(f);
	fd = TRY(f, edu_open());
	TRY(f, queue_create(fd, ACCEL_EDU_ENGINE_DMA, 0, &queue));
	TRY(f, timeline_create(fd, 0, &timeline));
	for (i = 0; i < 2; i++)
		TRY(f, bo_create(fd, 0, 3 * PAGE, &bo[i]));
	job.cmd.dma.op = ACCEL_EDU_DMA_COPY;
	job.cmd.dma.src_bo = job_bo(&job, bo[0].id, ACCEL_BO_READ);
	job.cmd.dma.dst_bo = job_bo(&job, bo[1].id, ACCEL_BO_WRITE);
	job.cmd.dma.length = 3 * PAGE;
	job_wait(&job, timeline, 1);
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	TRY(f, bo_sync(fd, bo[0].id, ACCEL_SYNC_READ, 0));
	TRY(f, bo_sync(fd, bo[1].id, ACCEL_SYNC_WRITE | ACCEL_SYNC_END, 0));
	TRY(f, destroy(fd, queue.id));
	try_wait(_metadata, f, fd, queue.timeline, 1, -ECANCELED);
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, edu_dma)
{
	.run = dma_flow,
	.is_possible = edu_is_there,
};

/* What edu has exported, vaccel imports: each is a stranger to the other. */
static void import_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_queue_create queue;
	struct accel_bo_import import;
	struct accel_bo_create bo;
	int edu, fd, dma_buf;
	struct test_job job;
	void *map;

	edu = edu_open();
	ASSERT_LE(0, edu);
	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, 0, &queue));
	fail_nth_arm(f);
	TRY(f, bo_create(edu, 0, 3 * PAGE, &bo));
	dma_buf = TRY(f, bo_export(edu, bo.id, ACCEL_EXPORT_WRITE));
	TRY(f, bo_import(fd, dma_buf, &import));
	ASSERT_EQ(3, import.id);
	EXPECT_EQ(0, close(dma_buf));
	job = job_fill(import.id, PAGE, PAGE, 0x5a5a5a5a);
	try_submit_one(_metadata, f, fd, queue.id, &job, 1);
	try_wait(_metadata, f, fd, queue.timeline, 1, 0);
	TRY(f, bo_sync(fd, import.id, ACCEL_SYNC_READ, INT64_MAX));
	TRY(f, map_errno(fd, &(struct accel_bo_create) {
			 .length = import.length,
			 .mmap_offset = import.mmap_offset }, &map));
	TRY(f, touch(map, 0));
	EXPECT_EQ(PAGE, span(map + PAGE, 0x5a, 2 * PAGE));
	EXPECT_EQ(0, munmap(map, 3 * PAGE));
	EXPECT_EQ(0, close(edu));
	EXPECT_EQ(0, close(fd));
}

FIXTURE_VARIANT_ADD(flow, edu_import)
{
	.run = import_flow,
	.is_possible = edu_is_there,
};

FIXTURE(pages)
{
	struct fail_nth f;
};

FIXTURE_SETUP(pages)
{
	if (fail_nth_is_missing(_metadata, &self->f))
		SKIP(return, FAIL_NTH_MISSING);
}

FIXTURE_TEARDOWN(pages)
{
	fail_nth_disarm(&self->f);
	EXPECT_EQ(0, census_total());
}

/* The last page of many is not there: the others are given back. */
#define MANY		128
#define TIMES		24

static long mem_free_pages(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	long kib = -1;

	if (!file)
		return -1;
	if (fscanf(file, "MemTotal: %*d kB MemFree: %ld", &kib) != 1)
		kib = -1;
	fclose(file);
	return kib / (PAGE / 1024);
}

/* Touches a new buffer, with the site @f names failing in that. */
static int touch_many(struct __test_metadata *_metadata, struct fail_nth *f,
		      int fd)
{
	struct accel_bo_create bo;
	void *map;
	int ret;

	ASSERT_EQ(0, bo_create(fd, 0, MANY * PAGE, &bo));
	map = bo_map(fd, &bo);
	ASSERT_TRUE(map != MAP_FAILED);
	fail_nth_arm(f);
	ret = touch(map, 1);
	fail_nth_disarm(f);
	ASSERT_EQ(0, munmap(map, MANY * PAGE));
	ASSERT_EQ(0, destroy(fd, bo.id));
	return ret;
}

static void expect_pages_given_back(struct __test_metadata *_metadata,
				    struct fail_nth *f, int fd)
{
	long before, after, failed = 0;
	unsigned int i, sites;

	ASSERT_LE(0, fd);
	f->site = INT_MAX;
	ASSERT_EQ(0, touch_many(_metadata, f, fd));
	sites = f->site - f->left;
	ASSERT_LT(MANY, sites);

	ASSERT_EQ(1, census_total());
	before = mem_free_pages();
	/* The last of what can fail and is missed: of much there is a spare. */
	f->site = sites;
	for (i = 0; failed < TIMES && i < 4 * TIMES; i++) {
		if (touch_many(_metadata, f, fd))
			failed++;
		else
			f->site--;
	}
	ASSERT_EQ(1, census_total());
	after = mem_free_pages();
	ASSERT_LT(TIMES / 2, failed);
	ASSERT_LT(0, after);
	EXPECT_GT(failed * MANY / 2, before - after);

	f->site = 0;
	EXPECT_EQ(0, touch_many(_metadata, f, fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(pages, of_edu_are_given_back, FAIL_NTH_TEST_S)
{
	if (!edu_is_there())
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	expect_pages_given_back(_metadata, &self->f, edu_open());
}

TEST_F_TIMEOUT(pages, of_shmem_are_given_back, FAIL_NTH_TEST_S)
{
	expect_pages_given_back(_metadata, &self->f, accel_open());
}

/* Somebody who opens the device as soon as there is one, and works with it. */
struct opener {
	pthread_t thread;
	bool stop;
	bool go;
	bool idle;
	unsigned long opened;
	int error;
};

static int use_device(int fd)
{
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	struct test_job nop = job_nop();

	return query_device(fd, &dev) ?:
	       bo_create(fd, 0, PAGE, &bo) ?:
	       queue_create(fd, 1, 0, &queue) ?: job_run(fd, &queue, &nop);
}

static void opener_open(struct opener *o)
{
	int fd, ret;

	fd = open(NODE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENXIO && errno != ENODEV)
			o->error = -errno;
		return;
	}
	__atomic_add_fetch(&o->opened, 1, __ATOMIC_SEQ_CST);
	ret = use_device(fd);
	if (ret && ret != -ENODEV)
		o->error = ret;
	close(fd);
}

static void *opener_run(void *arg)
{
	struct opener *o = arg;

	while (!__atomic_load_n(&o->stop, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&o->idle, false, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&o->go, __ATOMIC_SEQ_CST))
			opener_open(o);
		else
			__atomic_store_n(&o->idle, true, __ATOMIC_SEQ_CST);
		sched_yield();
	}
	return NULL;
}

/* When it returns, the other has closed what it had opened. */
static void opener_pause(struct opener *o)
{
	__atomic_store_n(&o->go, false, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&o->idle, __ATOMIC_SEQ_CST))
		sched_yield();
}

/* Asked for with each open of a node that has no device: it is in vain here. */
#define MODPROBE	"/proc/sys/kernel/modprobe"

FIXTURE(bind)
{
	struct fail_nth f;
	char modprobe[256];
};

static int read_modprobe(char path[256])
{
	FILE *file = fopen(MODPROBE, "re");
	int ret = 0;

	if (!file)
		return -errno;
	if (!fgets(path, 256, file))
		ret = -EIO;
	fclose(file);
	return ret;
}

FIXTURE_SETUP(bind)
{
	if (fail_nth_is_missing(_metadata, &self->f))
		SKIP(return, FAIL_NTH_MISSING);
	ASSERT_EQ(0, read_modprobe(self->modprobe));
	ASSERT_EQ(0, write_file(MODPROBE, "\n"));
	ASSERT_EQ(0, mknod(NODE, S_IFCHR | 0600, NODE_DEV));
}

/*
 * Binds once more, for the node: where its name could not be had, devtmpfs has
 * made one of the device's name instead, and forgotten it.
 */
FIXTURE_TEARDOWN(bind)
{
	int fd;

	fail_nth_disarm(&self->f);
	EXPECT_EQ(0, write_file(MODPROBE, self->modprobe));
	EXPECT_EQ(0, unlink(NODE));
	unlink("/dev/accel128");
	if (!access(BOUND, F_OK))
		EXPECT_EQ(0, vaccel_unbind());
	EXPECT_EQ(0, vaccel_bind());
	fd = accel_open();
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, use_device(fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_total());
}

/*
 * The device is whole or it is not there. Of its node, devtmpfs may not have been
 * told, and binding has not failed for that.
 */
static void probe_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct opener *o = f->data;
	int fd, ret;

	if (!access(BOUND, F_OK))
		ASSERT_EQ(0, vaccel_unbind());
	/* The minor is free again. */
	ASSERT_EQ(0, census_total());

	__atomic_store_n(&o->go, true, __ATOMIC_SEQ_CST);
	fail_nth_arm(f);
	ret = vaccel_bind();
	fail_nth_disarm(f);
	while (!ret && !__atomic_load_n(&o->opened, __ATOMIC_SEQ_CST))
		sched_yield();
	opener_pause(o);

	if (ret) {
		ASSERT_TRUE(fail_nth_excuses(f, ret)) {
			TH_LOG("site %u: %s", f->site, strerror(-ret));
		}
		EXPECT_NE(0, access(BOUND, F_OK));
		EXPECT_NE(0, access(CLASS, F_OK));
		EXPECT_GT(0, open(NODE, O_RDWR | O_CLOEXEC));
		return;
	}
	EXPECT_EQ(0, access(BOUND, F_OK));
	EXPECT_EQ(0, access(CLASS, F_OK));
	fd = open(NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, use_device(fd));
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(bind, while_another_opens, FAIL_NTH_TEST_S)
{
	struct opener o = {};

	self->f.data = &o;
	self->f.step = 3;
	ASSERT_EQ(0, pthread_create(&o.thread, NULL, opener_run, &o));
	fail_nth_series(_metadata, &self->f, probe_flow);
	__atomic_store_n(&o.stop, true, __ATOMIC_SEQ_CST);
	ASSERT_EQ(0, pthread_join(o.thread, NULL));
	EXPECT_EQ(0, o.error) TH_LOG("%s", strerror(-o.error));
	tally(o.opened, "opens of a device being bound");
	tally(1, "fail-nth flows");
}

/* The device goes, with a file open that has everything in flight. */
static void unbind_flow(struct __test_metadata *_metadata, struct fail_nth *f)
{
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo[2];
	void *map[2];
	__u64 point;
	int fd, i;

	/* The minor is free again. */
	ASSERT_EQ(0, census_total());
	if (access(BOUND, F_OK))
		ASSERT_EQ(0, vaccel_bind());
	fd = open(NODE, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, queue_create(fd, 0, LONG_TIMEOUT_MS, &queue));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bo_create(fd, i, PAGE, &bo[i]));
		ASSERT_EQ(0, map_errno(fd, &bo[i], &map[i]));
		ASSERT_EQ(0, touch(map[i], 7));
	}
	ASSERT_EQ(0, submit_hang(fd, queue.id, &point));

	fail_nth_arm(f);
	TRY(f, vaccel_unbind());
	try_wait(_metadata, f, fd, queue.timeline, point, -ENODEV);
	fail_nth_disarm(f);
	EXPECT_EQ(-ENODEV, query_device(fd, &dev));
	EXPECT_EQ(7, *(__u8 *)map[0]);
	EXPECT_EQ(-ENOMEM, touch(map[1], 7));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, munmap(map[i], PAGE));
	EXPECT_EQ(0, close(fd));
}

TEST_F_TIMEOUT(bind, unbind_with_an_open_file, FAIL_NTH_TEST_S)
{
	fail_nth_series(_metadata, &self->f, unbind_flow);
	tally(1, "fail-nth flows");
}

TEST_HARNESS_MAIN
