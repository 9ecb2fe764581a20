// SPDX-License-Identifier: GPL-2.0-only
/*
 * Images of v4l2 in our buffers, and ours in those of v4l2: from a camera, to a
 * display, and through a device that has both sides. There are no fences: the order
 * is that of the queues of v4l2, QBUF and DQBUF.
 */
#include "interop.h"
#include "video.h"

#define WIDTH		320
#define HEIGHT		180
#define FRAME_SIZE	(WIDTH * HEIGHT * 2)
#define BO_SIZE		(29 * 4096)
#define UNTOUCHED	0x5a

/* A buffer of ours that v4l2 is given */
struct shared {
	struct accel_bo_create bo;
	__u8 *map;
	int dmabuf;
};

static int shared_make(int fd, struct shared *s)
{
	int ret;

	s->dmabuf = -1;
	ret = bo_create(fd, 0, BO_SIZE, &s->bo);
	if (ret)
		return ret;
	s->map = bo_map(fd, &s->bo);
	if (s->map == MAP_FAILED)
		return -errno;
	memset(s->map, UNTOUCHED, BO_SIZE);
	s->dmabuf = bo_export(fd, s->bo.id, ACCEL_EXPORT_WRITE);
	return s->dmabuf < 0 ? s->dmabuf : 0;
}

static void shared_free(struct shared *s)
{
	if (s->map && s->map != MAP_FAILED)
		munmap(s->map, BO_SIZE);
	if (s->dmabuf >= 0)
		close(s->dmabuf);
}

FIXTURE(vivid)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct shared shared[2];
	struct video video;
};

FIXTURE_VARIANT(vivid)
{
	__u32 type;
	__u32 caps;
	__u32 fourcc;
};

FIXTURE_VARIANT_ADD(vivid, capture)
{
	.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	.caps = V4L2_CAP_VIDEO_CAPTURE,
	.fourcc = V4L2_PIX_FMT_YUYV,
};

FIXTURE_VARIANT_ADD(vivid, capture_nv12)
{
	.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
	.caps = V4L2_CAP_VIDEO_CAPTURE,
	.fourcc = V4L2_PIX_FMT_NV12,
};

FIXTURE_VARIANT_ADD(vivid, output)
{
	.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
	.caps = V4L2_CAP_VIDEO_OUTPUT,
	.fourcc = V4L2_PIX_FMT_YUYV,
};

static bool is_capture(const struct video *v)
{
	return v->type == V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

FIXTURE_SETUP(vivid)
{
	__u32 height = HEIGHT, width = WIDTH;
	int i;

	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	if (load_module("vivid n_devs=1 multiplanar=1 node_types=0x101"))
		SKIP(return, "no vivid");
	self->video.type = variant->type;
	self->video.fd = video_open("vivid", variant->caps);
	if (self->video.fd < 0)
		SKIP(return, "no such node of vivid's");
	if (is_capture(&self->video)) {
		/* Images that are all the same */
		ASSERT_EQ(0, video_control(self->video.fd, "OSD Text Mode", 2));
	}
	ASSERT_EQ(0, video_format(&self->video, variant->fourcc, width,
				  height));
	ASSERT_GE(BO_SIZE, self->video.size);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, shared_make(self->fd, &self->shared[i]));
}

FIXTURE_TEARDOWN(vivid)
{
	int i;

	if (self->test < 0)
		return;
	if (self->video.fd >= 0)
		close(self->video.fd);
	for (i = 0; i < 2; i++)
		shared_free(&self->shared[i]);
	close(self->test);
	accel_teardown(_metadata, self->fd);
}

/* One image, by way of a buffer of the driver's, into @copy by a job */
static void one_of_the_drivers(struct __test_metadata *_metadata,
			       FIXTURE_DATA(vivid) *self, struct shared *copy)
{
	struct accel_bo_import bo;
	struct test_job job;
	__u8 *map;
	int dmabuf;

	ASSERT_EQ(0, video_request(&self->video, V4L2_MEMORY_MMAP, 2));
	dmabuf = video_export(&self->video, 0);
	ASSERT_LE(0, dmabuf);
	ASSERT_EQ(0, bo_import(self->fd, dmabuf, &bo));
	ASSERT_LE(self->video.size, bo.length);
	map = mmap(NULL, bo.length, PROT_READ | PROT_WRITE, MAP_SHARED, dmabuf,
		   0);
	ASSERT_TRUE(map != MAP_FAILED);
	memset(map, 0x10, bo.length);
	if (!is_capture(&self->video)) {
		/* What is shown comes from a job. */
		job = job_copy(copy->bo.id, 0, bo.id, 0, self->video.size);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, memcmp(map, copy->map, self->video.size));
	}
	ASSERT_EQ(0, video_queue(&self->video, V4L2_MEMORY_MMAP, 0, -1));
	/* The last that it has stays on the screen. */
	if (!is_capture(&self->video))
		ASSERT_EQ(0, video_queue(&self->video, V4L2_MEMORY_MMAP, 1,
					 -1));
	ASSERT_EQ(0, video_on(&self->video));
	ASSERT_EQ(0, video_dequeue(&self->video, V4L2_MEMORY_MMAP));
	ASSERT_EQ(0, video_off(&self->video));
	if (is_capture(&self->video)) {
		job = job_copy(bo.id, 0, copy->bo.id, 0, self->video.size);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, memcmp(map, copy->map, self->video.size));
	}

	/* The driver lets go of its buffer, and we still have it. */
	ASSERT_EQ(0, close(dmabuf));
	ASSERT_EQ(0, video_request(&self->video, V4L2_MEMORY_MMAP, 0));
	EXPECT_EQ(0, memcmp(map, copy->map, self->video.size));
	job = job_copy(bo.id, 0, copy->bo.id, 0, self->video.size);
	EXPECT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(0, memcmp(map, copy->map, self->video.size));
	EXPECT_EQ(0, munmap(map, bo.length));
	EXPECT_EQ(0, destroy(self->fd, bo.id));
}

/* Another image, by way of a buffer of ours */
static void one_of_ours(struct __test_metadata *_metadata,
			FIXTURE_DATA(vivid) *self, struct shared *ours)
{
	ASSERT_EQ(0, video_request(&self->video, V4L2_MEMORY_DMABUF, 2));
	ASSERT_EQ(0, video_queue(&self->video, V4L2_MEMORY_DMABUF, 0,
				 ours->dmabuf));
	if (!is_capture(&self->video))
		ASSERT_EQ(0, video_queue(&self->video, V4L2_MEMORY_DMABUF, 1,
					 self->shared[0].dmabuf));
	ASSERT_EQ(0, video_on(&self->video));
	ASSERT_EQ(0, video_dequeue(&self->video, V4L2_MEMORY_DMABUF));
	ASSERT_EQ(0, video_off(&self->video));
	ASSERT_EQ(0, video_request(&self->video, V4L2_MEMORY_DMABUF, 0));
}

/* The same image by both ways. Of what is shown nothing comes back. */
TEST_F_TIMEOUT(vivid, both_ways, LONG_TEST_S)
{
	scramble(self->shared[0].map, BO_SIZE, 5);
	one_of_the_drivers(_metadata, self, &self->shared[0]);
	one_of_ours(_metadata, self, &self->shared[1]);
	if (!is_capture(&self->video))
		return;
	EXPECT_EQ(0, memcmp(self->shared[0].map, self->shared[1].map,
			    self->video.size));
	EXPECT_EQ(BO_SIZE - self->video.size,
		  span(self->shared[1].map + self->video.size, UNTOUCHED,
		       BO_SIZE - self->video.size));
}

static void *ends_the_stream(void *arg)
{
	struct video *video = arg;

	video_off(video);
	video_request(video, V4L2_MEMORY_DMABUF, 0);
	return NULL;
}

/* A stream ends while we let go of the buffers that are in it. */
TEST_F_TIMEOUT(vivid, ends_while_we_let_go, LONG_TEST_S)
{
	unsigned int i, n = rounds(20, 1000);
	struct shared *s = self->shared;
	pthread_t thread;
	int j;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, video_request(&self->video, V4L2_MEMORY_DMABUF,
					   2));
		for (j = 0; j < 2; j++)
			ASSERT_EQ(0, video_queue(&self->video,
						 V4L2_MEMORY_DMABUF, j,
						 s[j].dmabuf));
		ASSERT_EQ(0, video_on(&self->video));
		if (i % 2)
			ASSERT_EQ(0, video_dequeue(&self->video,
						   V4L2_MEMORY_DMABUF));
		ASSERT_EQ(0, pthread_create(&thread, NULL, ends_the_stream,
					    &self->video));
		for (j = 0; j < 2; j++) {
			EXPECT_EQ(0, munmap(s[j].map, BO_SIZE));
			EXPECT_EQ(0, destroy(self->fd, s[j].bo.id));
			EXPECT_EQ(0, close(s[j].dmabuf));
		}
		ASSERT_EQ(0, pthread_join(thread, NULL));
		for (j = 0; j < 2; j++)
			ASSERT_EQ(0, shared_make(self->fd, &s[j]));
	}
	tally(n, "streams that end while their buffers do");
}

/* And our file, with all that is in it, while the stream goes on. */
TEST_F_TIMEOUT(vivid, goes_on_without_us, LONG_TEST_S)
{
	struct accel_bo_create bo[2];
	int dmabuf[2], fd, i;

	fd = accel_open();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, video_request(&self->video, V4L2_MEMORY_DMABUF, 2));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, bo_create(fd, 0, BO_SIZE, &bo[i]));
		dmabuf[i] = bo_export(fd, bo[i].id, ACCEL_EXPORT_WRITE);
		ASSERT_LE(0, dmabuf[i]);
		ASSERT_EQ(0, video_queue(&self->video, V4L2_MEMORY_DMABUF, i,
					 dmabuf[i]));
	}
	ASSERT_EQ(0, close(fd));
	ASSERT_EQ(0, video_on(&self->video));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, video_dequeue(&self->video, V4L2_MEMORY_DMABUF));
		ASSERT_EQ(0, video_queue(&self->video, V4L2_MEMORY_DMABUF,
					 i % 2, dmabuf[i % 2]));
	}
	EXPECT_EQ(0, close(dmabuf[0]));
	EXPECT_EQ(0, close(dmabuf[1]));
	EXPECT_EQ(0, video_off(&self->video));
}

/* From camera to what a display takes, with a job that reads what v4l2 has written. */
TEST_F_TIMEOUT(vivid, converted, LONG_TEST_S)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.convert) };
	struct accel_vaccel_convert *cmd = &job.cmd.convert;
	struct accel_bo_create rgb;
	__u8 *map, *pixel;
	int x;

	if (!is_capture(&self->video))
		return;
	one_of_ours(_metadata, self, &self->shared[0]);
	ASSERT_EQ(0, bo_create(self->fd, 0, WIDTH * HEIGHT * 4, &rgb));
	map = bo_map(self->fd, &rgb);
	ASSERT_TRUE(map != MAP_FAILED);
	job_bo(&job, self->shared[0].bo.id, ACCEL_BO_READ);
	job_bo(&job, rgb.id, ACCEL_BO_WRITE);
	*cmd = (struct accel_vaccel_convert) {
		.op = ACCEL_VACCEL_CONVERT,
		.src_format = ACCEL_VACCEL_YUYV,
		.dst_format = ACCEL_VACCEL_XRGB8888,
		.width = WIDTH,
		.height = HEIGHT,
		.src = { { .stride = self->video.stride } },
		.dst = { { .bo = 1, .stride = WIDTH * 4 } },
	};
	if (variant->fourcc == V4L2_PIX_FMT_NV12) {
		cmd->src_format = ACCEL_VACCEL_NV12;
		cmd->src[1].stride = self->video.stride;
		cmd->src[1].offset = self->video.stride * HEIGHT;
	}
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));

	/* Eight bars: white, yellow, cyan, green, magenta, red, blue, black */
	for (x = 0; x < 8; x++) {
		static const __u8 bars[8][3] = {
			{ 1, 1, 1 }, { 0, 1, 1 }, { 1, 1, 0 }, { 0, 1, 0 },
			{ 1, 0, 1 }, { 0, 0, 1 }, { 1, 0, 0 }, { 0, 0, 0 },
		};
		int i;

		pixel = map + 4 * (WIDTH * HEIGHT / 2 + (2 * x + 1) * WIDTH / 16);
		for (i = 0; i < 3; i++)
			EXPECT_EQ(bars[x][i], pixel[i] > 100) {
				TH_LOG("bar %d: %u %u %u", x, pixel[2],
				       pixel[1], pixel[0]);
			}
	}
	EXPECT_EQ(0, munmap(map, rgb.length));
}

FIXTURE(vim2m)
{
	int fd;
	int test;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	struct shared in;
	struct shared out;
	/* The two sides of one node, named as v4l2 does: output is what we give. */
	struct video output;
	struct video capture;
};

FIXTURE_SETUP(vim2m)
{
	self->test = test_open();
	if (self->test < 0)
		SKIP(return, "no accel_dmabuf_test");
	accel_setup(_metadata, &self->fd, &self->dev);
	if (load_module("vim2m"))
		SKIP(return, "no vim2m");
	self->output.fd = video_open("vim2m", V4L2_CAP_VIDEO_M2M);
	if (self->output.fd < 0)
		SKIP(return, "no node of vim2m's");
	self->output.type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
	self->capture.fd = self->output.fd;
	self->capture.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	ASSERT_EQ(0, video_format(&self->output, V4L2_PIX_FMT_RGB565, WIDTH,
				  HEIGHT));
	ASSERT_EQ(0, video_format(&self->capture, V4L2_PIX_FMT_RGB565, WIDTH,
				  HEIGHT));
	ASSERT_EQ(FRAME_SIZE, self->output.size);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	ASSERT_EQ(0, shared_make(self->fd, &self->in));
	ASSERT_EQ(0, shared_make(self->fd, &self->out));
}

FIXTURE_TEARDOWN(vim2m)
{
	if (self->test < 0)
		return;
	if (self->output.fd >= 0)
		close(self->output.fd);
	shared_free(&self->in);
	shared_free(&self->out);
	close(self->test);
	accel_teardown(_metadata, self->fd);
}

static void pass_through(struct __test_metadata *_metadata,
			 FIXTURE_DATA(vim2m) *self, __u32 in_memory,
			 __u32 out_memory)
{
	ASSERT_EQ(0, video_queue(&self->output, in_memory, 0, self->in.dmabuf));
	ASSERT_EQ(0, video_queue(&self->capture, out_memory, 0,
				 self->out.dmabuf));
	ASSERT_EQ(0, video_on(&self->output));
	ASSERT_EQ(0, video_on(&self->capture));
	ASSERT_EQ(0, video_dequeue(&self->output, in_memory));
	ASSERT_EQ(0, video_dequeue(&self->capture, out_memory));
	ASSERT_EQ(0, video_off(&self->output));
	ASSERT_EQ(0, video_off(&self->capture));
}

/* It reads from one of ours, that a job has written, and writes to another. */
TEST_F_TIMEOUT(vim2m, ours, LONG_TEST_S)
{
	struct test_job job = job_fill(self->in.bo.id, 400, 4000, 0x12345678);

	scramble(self->in.map, BO_SIZE, 6);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	ASSERT_EQ(0, video_request(&self->output, V4L2_MEMORY_DMABUF, 1));
	ASSERT_EQ(0, video_request(&self->capture, V4L2_MEMORY_DMABUF, 1));
	pass_through(_metadata, self, V4L2_MEMORY_DMABUF, V4L2_MEMORY_DMABUF);
	EXPECT_EQ(0, memcmp(self->in.map, self->out.map, FRAME_SIZE));
	EXPECT_EQ(BO_SIZE - FRAME_SIZE,
		  span(self->out.map + FRAME_SIZE, UNTOUCHED,
		       BO_SIZE - FRAME_SIZE));
}

/* Both are its own, which jobs write and read. */
TEST_F_TIMEOUT(vim2m, its_own, LONG_TEST_S)
{
	struct accel_bo_import in, out;
	struct test_job job;
	int fd[2];

	ASSERT_EQ(0, video_request(&self->output, V4L2_MEMORY_MMAP, 1));
	ASSERT_EQ(0, video_request(&self->capture, V4L2_MEMORY_MMAP, 1));
	fd[0] = video_export(&self->output, 0);
	ASSERT_LE(0, fd[0]);
	fd[1] = video_export(&self->capture, 0);
	ASSERT_LE(0, fd[1]);
	ASSERT_EQ(0, bo_import(self->fd, fd[0], &in));
	ASSERT_EQ(0, bo_import(self->fd, fd[1], &out));
	EXPECT_EQ(0, close(fd[0]));
	EXPECT_EQ(0, close(fd[1]));

	scramble(self->in.map, BO_SIZE, 7);
	job = job_copy(self->in.bo.id, 0, in.id, 0, FRAME_SIZE);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	pass_through(_metadata, self, V4L2_MEMORY_MMAP, V4L2_MEMORY_MMAP);
	job = job_copy(out.id, 0, self->out.bo.id, 0, FRAME_SIZE);
	ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
	EXPECT_EQ(0, memcmp(self->in.map, self->out.map, FRAME_SIZE));
}

TEST_HARNESS_MAIN
