// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two drivers for one device, of either subsystem: edu is given from the native one to
 * the DRM one of accel_drm_test and back, with everything of the one before open.
 */
#include "class.h"

#define BO_LENGTH	65536
#define PAGE		4096

FIXTURE(override)
{
	struct plug plug;
	int minor;
};

/* The device goes to @driver, or with NULL to the one that its ids are for. */
static int give_to(const struct plug *plug, const char *driver)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/driver_override", plug->parent);
	if (write_file(path, driver ? driver : "\n"))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/driver/unbind", plug->parent);
	return write_file(path, plug->name) ?:
	       write_file("/sys/bus/pci/drivers_probe", plug->name);
}

FIXTURE_SETUP(override)
{
	self->minor = -1;
	modules_remove("-q " DRM_MODULE);
	if (load_module(DRM_MODULE " devices=0"))
		SKIP(return, NO_DRM_TEST);
	if (plug_find_edu(&self->plug))
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	ASSERT_EQ(0, census_total());
	self->minor = plug_minor(&self->plug);
	ASSERT_LE(0, self->minor);
}

FIXTURE_TEARDOWN(override)
{
	int fd;

	if (self->minor < 0)
		return;
	EXPECT_EQ(0, census_total());
	EXPECT_EQ(0, give_to(&self->plug, NULL));
	EXPECT_EQ(0, modules_remove(DRM_MODULE));
	EXPECT_EQ(self->minor, plug_minor(&self->plug));
	fd = minor_open(self->minor);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, is_native(fd, &self->plug));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, census_total());
}

/* 0 if the device does as it should under DRM. */
static int trip(int fd, __u64 value)
{
	struct accel_drm_edu_trip trip = { .value = value };

	return accel_ioctl(fd, ACCEL_DRM_EDU_TRIP, &trip) ?:
	       trip.value == value ? 0 : -EBADMSG;
}

struct native {
	int fd;
	struct accel_queue_create factorial, dma;
	struct accel_bo_create src, dst;
	__u8 *src_map, *dst_map;
};

static int native_open(struct native *n, int minor)
{
	n->fd = minor_open(minor);
	if (n->fd < 0)
		return n->fd;
	n->src_map = MAP_FAILED;
	return queue_create(n->fd, ACCEL_EDU_ENGINE_FACTORIAL, 0,
			    &n->factorial) ?:
	       queue_create(n->fd, ACCEL_EDU_ENGINE_DMA, 60000, &n->dma) ?:
	       bo_create(n->fd, 0, BO_LENGTH, &n->src) ?:
	       bo_create(n->fd, 0, BO_LENGTH, &n->dst) ?:
	       (n->src_map = bo_map(n->fd, &n->src)) == MAP_FAILED ?
	       -errno :
	       (n->dst_map = bo_map(n->fd, &n->dst)) == MAP_FAILED ?
	       -errno : 0;
}

static int native_close(const struct native *n)
{
	return munmap(n->src_map, BO_LENGTH) || munmap(n->dst_map, BO_LENGTH) ||
	       close(n->fd) ? -errno : 0;
}

static int native_copy(const struct native *n, __u64 length, __u64 *point)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.dma) };

	job.cmd.dma.op = ACCEL_EDU_DMA_COPY;
	job.cmd.dma.src_bo = job_bo(&job, n->src.id, ACCEL_BO_READ);
	job.cmd.dma.dst_bo = job_bo(&job, n->dst.id, ACCEL_BO_WRITE);
	job.cmd.dma.length = length;
	return submit_one(n->fd, n->dma.id, &job, point);
}

static int native_factorial(const struct native *n, __u64 *point)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.factorial) };

	job.cmd.factorial.value = 10;
	job.cmd.factorial.bo = job_bo(&job, n->dst.id, ACCEL_BO_WRITE);
	return submit_one(n->fd, n->factorial.id, &job, point);
}

/* It does as it should under the native driver. */
static void expect_native_works(struct __test_metadata *_metadata, int minor)
{
	struct native n;
	__u32 result;
	__u64 point;

	ASSERT_EQ(0, native_open(&n, minor));
	scramble(n.src_map, PAGE, minor);
	ASSERT_EQ(0, native_copy(&n, 256, &point));
	EXPECT_POINT(0, n.fd, n.dma.timeline, point);
	EXPECT_EQ(0, memcmp(n.src_map, n.dst_map, 256));
	ASSERT_EQ(0, native_factorial(&n, &point));
	EXPECT_POINT(0, n.fd, n.factorial.timeline, point);
	memcpy(&result, n.dst_map, sizeof(result));
	EXPECT_EQ(3628800, result);
	EXPECT_EQ(0, native_close(&n));
}

static int drm_edu_open(const struct plug *plug)
{
	int minor = plug_minor(plug);

	return minor < 0 ? minor : minor_open(minor);
}

/* A copy of seconds is under way, and others wait for it, when DRM has the device. */
TEST_F_TIMEOUT(override, native_to_drm, LONG_TEST_S)
{
	__u64 running, pending, waiting;
	__u8 before[2 * PAGE];
	struct native n;
	int fd, i;

	ASSERT_EQ(0, native_open(&n, self->minor));
	scramble(n.src_map, BO_LENGTH, 1);
	ASSERT_EQ(0, native_copy(&n, BO_LENGTH, &running));
	ASSERT_EQ(0, native_copy(&n, BO_LENGTH, &pending));
	ASSERT_EQ(0, native_factorial(&n, &waiting));
	EXPECT_PENDING(n.fd, n.dma.timeline, running);

	ASSERT_EQ(0, give_to(&self->plug, ACCEL_DRM_EDU_NAME));
	EXPECT_POINT(-ENODEV, n.fd, n.dma.timeline, running);
	EXPECT_POINT(-ENODEV, n.fd, n.dma.timeline, pending);
	EXPECT_POINT(-ENODEV, n.fd, n.factorial.timeline, waiting);
	EXPECT_EQ(-ENODEV, is_native(n.fd, &self->plug));
	EXPECT_EQ(0, census_count("jobs"));

	/* It has another number, works, and leaves alone what it knows nothing of. */
	memcpy(before, n.dst_map, sizeof(before));
	EXPECT_NE(self->minor, plug_minor(&self->plug));
	fd = drm_edu_open(&self->plug);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, is_drm(fd, ACCEL_DRM_EDU_NAME));
	EXPECT_EQ(-ENOTTY, is_native(fd, &self->plug));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, trip(fd, 0x123456789abcdef0 + i));
	EXPECT_EQ(0, memcmp(before, n.dst_map, sizeof(before)));
	n.src_map[0] = 1;
	n.dst_map[0] = 1;
	EXPECT_EQ(-ENODEV, native_factorial(&n, &waiting));
	EXPECT_EQ(0, native_close(&n));
	EXPECT_EQ(0, trip(fd, 1));
	EXPECT_EQ(0, close(fd));
}

static __u8 *drm_map(int fd)
{
	struct drm_mode_create_dumb dumb = {
		.width = 128, .height = 8, .bpp = 32,
	};
	struct drm_mode_map_dumb map = {};

	if (accel_ioctl(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		return MAP_FAILED;
	map.handle = dumb.handle;
	if (accel_ioctl(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return MAP_FAILED;
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    map.offset);
}

struct traveller {
	int fd;
	pthread_t thread;
	pid_t tid;
	unsigned long trips;
	int ret;
};

/* Until the device is taken away. */
static void *travel(void *arg)
{
	struct traveller *t = arg;

	do {
		t->ret = trip(t->fd, 0xfeedbeef00000000 + t->trips);
		__atomic_add_fetch(&t->trips, 1, __ATOMIC_RELAXED);
	} while (!t->ret);
	return NULL;
}

/* Transfers are under way when the native driver gets the device back. */
TEST_F_TIMEOUT(override, drm_to_native, LONG_TEST_S)
{
	struct traveller t = {};
	int minor;
	__u8 *map;

	ASSERT_EQ(0, give_to(&self->plug, ACCEL_DRM_EDU_NAME));
	EXPECT_EQ(self->minor, plug_minor(&self->plug));
	t.fd = drm_edu_open(&self->plug);
	ASSERT_LE(0, t.fd);
	map = drm_map(t.fd);
	ASSERT_TRUE(map != MAP_FAILED);
	memset(map, 0x5a, PAGE);
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, travel, &t));
	while (!__atomic_load_n(&t.trips, __ATOMIC_RELAXED))
		sched_yield();

	ASSERT_EQ(0, give_to(&self->plug, NULL));
	ASSERT_EQ(0, pthread_join(t.thread, NULL));
	EXPECT_EQ(-ENODEV, t.ret);
	EXPECT_LT(1, t.trips);
	EXPECT_EQ(-ENODEV, is_drm(t.fd, ACCEL_DRM_EDU_NAME));
	EXPECT_EQ(-ENODEV, trip(t.fd, 1));

	minor = plug_minor(&self->plug);
	ASSERT_LE(0, minor);
	EXPECT_NE(self->minor, minor);
	expect_native_works(_metadata, minor);
	EXPECT_EQ(PAGE, span(map, 0x5a, PAGE));
	map[1] = 0xa5;
	EXPECT_EQ(0, munmap(map, PAGE));
	EXPECT_EQ(0, close(t.fd));
	/* Away, to come back to the old number. */
	ASSERT_EQ(0, give_to(&self->plug, ACCEL_DRM_EDU_NAME));
}

/* Every file is kept, and so is every number. */
TEST_F_TIMEOUT(override, back_and_forth, LONG_TEST_S)
{
	const unsigned int times = rounds(10, 100);
	int fds[200], minors[200];
	unsigned int i, j;

	for (i = 0; i < times; i++) {
		const bool drm = i % 2;

		minors[i] = plug_minor(&self->plug);
		fds[i] = minor_open(minors[i]);
		ASSERT_LE(0, fds[i]);
		EXPECT_GT(FIRST_VIRTUAL, minors[i]);
		for (j = 0; j < i; j++)
			EXPECT_NE(minors[j], minors[i]);
		EXPECT_EQ(0, drm ? trip(fds[i], i) : 0);
		if (!drm)
			expect_native_works(_metadata, minors[i]);
		ASSERT_EQ(0, give_to(&self->plug,
				     drm ? NULL : ACCEL_DRM_EDU_NAME));
		EXPECT_EQ(-ENODEV, drm ? is_drm(fds[i], ACCEL_DRM_EDU_NAME) :
					 is_native(fds[i], &self->plug));
	}
	for (i = 0; i < times; i++)
		EXPECT_EQ(0, close(fds[i]));
	tally(times, "changes of a device's driver");
}

TEST_HARNESS_MAIN
