// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our buffers in the hands of other drivers, with the same page frames there as here.
 */
#include "interop.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

FIXTURE(export)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct accel_bo_create bo;
	__u8 *map;
	int dmabuf;
	int read_only;
};

FIXTURE_SETUP(export)
{
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, 0, &self->queue));
	ASSERT_EQ(0, bo_create(self->fd, 0, SHARED_SIZE, &self->bo));
	self->map = bo_map(self->fd, &self->bo);
	ASSERT_TRUE(self->map != MAP_FAILED);
	scramble(self->map, SHARED_SIZE, 4);
	self->dmabuf = bo_export(self->fd, self->bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, self->dmabuf);
	self->read_only = bo_export(self->fd, self->bo.id, 0);
	ASSERT_LE(0, self->read_only);
}

FIXTURE_TEARDOWN(export)
{
	if (self->test < 0)
		return;
	EXPECT_EQ(0, munmap(self->map, SHARED_SIZE));
	EXPECT_EQ(0, close(self->dmabuf));
	EXPECT_EQ(0, close(self->read_only));
	close(self->test);
	accel_teardown(_metadata, self->fd);
}

/* What is mapped by either fd, and by the device's, is the same memory. */
TEST_F(export, mapped)
{
	__u64 ours[PAGES], theirs[PAGES], kernel[PAGES];
	__u8 *map;

	map = map_shared(self->dmabuf, 0);
	ASSERT_TRUE(map != MAP_FAILED);
	touch_pages(map);
	touch_pages(self->map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(self->map), ours));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(map), theirs));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_FD, self->dmabuf,
				 kernel));
	EXPECT_EQ(0, memcmp(ours, theirs, sizeof(ours)));
	EXPECT_EQ(0, memcmp(ours, kernel, sizeof(ours)));
	EXPECT_EQ(0, munmap(map, SHARED_SIZE));

	/* The other one can be read, and that is all. */
	EXPECT_TRUE(map_shared(self->read_only, 0) == MAP_FAILED);
	map = mmap(NULL, SHARED_SIZE, PROT_READ, MAP_SHARED, self->read_only,
		   0);
	ASSERT_TRUE(map != MAP_FAILED);
	touch_pages(map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(map), theirs));
	EXPECT_EQ(0, memcmp(ours, theirs, sizeof(ours)));
	EXPECT_EQ(-1, mprotect(map, SHARED_SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, munmap(map, SHARED_SIZE));
}

static void device_reads_and_writes(struct __test_metadata *_metadata,
				    FIXTURE_DATA(export) *self, __u32 flags)
{
	struct dmabuf_test_dma dma = { };
	__u64 ours[PAGES], device[PAGES];
	struct test_job job;
	int handle;

	scramble(self->map, SHARED_SIZE, flags);
	handle = test_import(self->test, self->dmabuf,
			     flags | DMABUF_TEST_WRITE);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), dma.crc);
	touch_pages(self->map);
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_ADDRESS,
				 ptr_to_u64(self->map), ours));
	ASSERT_EQ(0, test_frames(self->test, DMABUF_TEST_OF_IMPORT, handle,
				 device));
	EXPECT_EQ(bounced(), !!memcmp(ours, device, sizeof(ours)));

	dma.flags = DMABUF_TEST_WRITE;
	dma.value = 0x81818181;
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id, ACCEL_SYNC_READ,
			     deadline_ms(WAIT_MS)));
	EXPECT_EQ(SHARED_SIZE, span(self->map, 0x81, SHARED_SIZE));

	/* A job in between */
	job = job_fill(self->bo.id, 4096, 8192, 0x12345678);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	ASSERT_EQ(0, bo_sync(self->fd, self->bo.id,
			     ACCEL_SYNC_WRITE | ACCEL_SYNC_END, 0));
	dma.flags = 0;
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), dma.crc);
	EXPECT_EQ(0, test_release(self->test, handle));
}

TEST_F(export, to_a_device)
{
	device_reads_and_writes(_metadata, self, DMABUF_TEST_STATIC);
}

TEST_F(export, to_a_device_that_follows_moves)
{
	device_reads_and_writes(_metadata, self, 0);
}

/* To read only: no device gets a mapping to write, and the kernel none at all. */
TEST_F(export, read_only_to_a_device)
{
	struct dmabuf_test_dma dma = { };
	__u64 frames[PAGES];
	int handle;

	handle = test_import(self->test, self->read_only, DMABUF_TEST_STATIC);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, test_dma(self->test, handle, &dma));
	EXPECT_EQ(crc32(self->map, SHARED_SIZE), dma.crc);
	EXPECT_EQ(0, test_release(self->test, handle));

	handle = test_import(self->test, self->read_only,
			     DMABUF_TEST_STATIC | DMABUF_TEST_WRITE);
	if (handle > 0)
		EXPECT_EQ(-EACCES, test_dma(self->test, handle, &dma));
	EXPECT_GT(0, test_frames(self->test, DMABUF_TEST_OF_FD, self->read_only,
				 frames));
}

/* What they hand on is what they were given. */
static void expect_drm_imports(struct __test_metadata *_metadata,
			       FIXTURE_DATA(export) *self, const char *driver)
{
	struct drm_gem_close gem = { };
	int drm, out;

	drm = drm_open(driver, driver);
	if (drm < 0)
		SKIP(return, "no such driver");
	ASSERT_EQ(0, drm_from_fd(drm, self->dmabuf, &gem.handle));
	out = drm_to_fd(drm, gem.handle);
	ASSERT_LE(0, out);
	EXPECT_EQ(PAGES, test_compare(self->test, self->dmabuf, out));
	EXPECT_EQ(0, close(out));
	EXPECT_EQ(0, accel_ioctl(drm, DRM_IOCTL_GEM_CLOSE, &gem));
	EXPECT_EQ(0, close(drm));
}

TEST_F(export, to_vgem)
{
	expect_drm_imports(_metadata, self, "vgem");
}

TEST_F(export, to_vkms)
{
	expect_drm_imports(_metadata, self, "vkms");
}

#define MODE_WIDTH	640
#define MODE_HEIGHT	480
#define MODE_SIZE	(MODE_WIDTH * MODE_HEIGHT * 4)

/* The first display of a driver that composes in software: what one has to know */
struct screen {
	int drm;
	__u32 crtc;
	__u32 connector;
	struct drm_mode_modeinfo mode;
};

static int screen_open(struct screen *screen)
{
	__u32 crtcs[8], connectors[8], i;
	struct drm_mode_modeinfo modes[128];
	struct drm_mode_card_res res = {
		.crtc_id_ptr = ptr_to_u64(crtcs),
		.connector_id_ptr = ptr_to_u64(connectors),
		.count_crtcs = ARRAY_LEN(crtcs),
		.count_connectors = ARRAY_LEN(connectors),
	};
	struct drm_mode_get_connector get = { };
	int ret;

	screen->drm = drm_open("vkms", "vkms");
	if (screen->drm < 0)
		return -ENODEV;
	ret = accel_ioctl(screen->drm, DRM_IOCTL_MODE_GETRESOURCES, &res);
	if (ret)
		return ret;
	screen->crtc = crtcs[0];
	screen->connector = connectors[0];
	/* It is probed by a call that asks for nothing. */
	get.connector_id = screen->connector;
	ret = accel_ioctl(screen->drm, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (ret)
		return ret;
	get = (struct drm_mode_get_connector) {
		.connector_id = screen->connector,
		.modes_ptr = ptr_to_u64(modes),
		.count_modes = ARRAY_LEN(modes),
	};
	ret = accel_ioctl(screen->drm, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (ret)
		return ret;
	for (i = 0; i < get.count_modes && i < ARRAY_LEN(modes); i++) {
		screen->mode = modes[i];
		if (modes[i].hdisplay == MODE_WIDTH &&
		    modes[i].vdisplay == MODE_HEIGHT)
			return 0;
	}
	return -ENOENT;
}

static int screen_show(const struct screen *screen, __u32 handle)
{
	struct drm_mode_fb_cmd fb = {
		.width = MODE_WIDTH,
		.height = MODE_HEIGHT,
		.pitch = MODE_WIDTH * 4,
		.bpp = 32,
		.depth = 24,
		.handle = handle,
	};
	struct drm_mode_crtc crtc = {
		.set_connectors_ptr = ptr_to_u64(&screen->connector),
		.count_connectors = 1,
		.crtc_id = screen->crtc,
		.mode_valid = 1,
		.mode = screen->mode,
	};
	int ret;

	ret = accel_ioctl(screen->drm, DRM_IOCTL_MODE_ADDFB, &fb);
	if (ret)
		return ret;
	crtc.fb_id = fb.fb_id;
	return accel_ioctl(screen->drm, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

/* The first line from @fd about a frame after @sequence, or 0 */
static unsigned long crc_after(int fd, __u32 sequence)
{
	unsigned long frame, crc;
	char line[64];
	int len;

	do {
		len = read(fd, line, sizeof(line) - 1);
		if (len <= 0)
			return 0;
		line[len] = '\0';
		if (sscanf(line, "%lx %lx", &frame, &crc) != 2)
			return 0;
	} while ((__s32)(frame - sequence) <= 0);
	return crc;
}

/*
 * The CRC of what is composed from now on, or 0. What is being composed already may
 * have in it what was there before.
 */
static unsigned long screen_crc(const struct screen *screen)
{
	union drm_wait_vblank vblank = {
		.request.type = _DRM_VBLANK_RELATIVE,
	};
	unsigned long crc = 0;
	struct stat st;
	char path[128];
	int fd;

	if (fstat(screen->drm, &st))
		return 0;
	snprintf(path, sizeof(path), "/sys/kernel/debug/dri/%u/crtc-0/crc/data",
		 minor(st.st_rdev));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (!accel_ioctl(screen->drm, DRM_IOCTL_WAIT_VBLANK, &vblank))
		crc = crc_after(fd, vblank.reply.sequence);
	close(fd);
	return crc;
}

/* What vkms makes of our buffer is what it makes of its own with the same in it. */
TEST_F_TIMEOUT(export, composed_by_vkms, LONG_TEST_S)
{
	struct drm_mode_create_dumb dumb = {
		.width = MODE_WIDTH, .height = MODE_HEIGHT, .bpp = 32,
	};
	struct drm_mode_map_dumb where = { };
	unsigned long before, ours, theirs;
	struct accel_bo_create bo;
	struct screen screen;
	struct test_job job;
	__u32 handle;
	__u8 *map;
	int fd;

	if (screen_open(&screen) == -ENODEV)
		SKIP(return, "no vkms");
	ASSERT_EQ(MODE_WIDTH, screen.mode.hdisplay);
	ASSERT_EQ(0, bo_create(self->fd, 0, MODE_SIZE, &bo));
	fd = bo_export(self->fd, bo.id, ACCEL_EXPORT_WRITE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, drm_from_fd(screen.drm, fd, &handle));
	EXPECT_EQ(0, close(fd));
	ASSERT_EQ(0, screen_show(&screen, handle));
	before = screen_crc(&screen);
	job = job_fill(bo.id, 0, MODE_SIZE / 2, 0x00ff8040);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	ours = screen_crc(&screen);
	EXPECT_NE(0, before);
	EXPECT_NE(before, ours);

	ASSERT_EQ(0, accel_ioctl(screen.drm, DRM_IOCTL_MODE_CREATE_DUMB,
				 &dumb));
	where.handle = dumb.handle;
	ASSERT_EQ(0, accel_ioctl(screen.drm, DRM_IOCTL_MODE_MAP_DUMB, &where));
	map = mmap(NULL, MODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   screen.drm, where.offset);
	ASSERT_TRUE(map != MAP_FAILED);
	memset(map, 0, MODE_SIZE);
	for (fd = 0; fd < MODE_SIZE / 8; fd++)
		((__u32 *)map)[fd] = 0x00ff8040;
	ASSERT_EQ(0, screen_show(&screen, dumb.handle));
	theirs = screen_crc(&screen);
	EXPECT_EQ(theirs, ours);
	EXPECT_EQ(0, munmap(map, MODE_SIZE));
	EXPECT_EQ(0, close(screen.drm));
}

TEST_HARNESS_MAIN
