// SPDX-License-Identifier: GPL-2.0-only
/* vaccel's commands for images: what they compute, and what they refuse. */
#include "command.h"

#define LENGTH	(8 * 4096)

/* Colours that say where a byte went: what no job has written stays so. */
#define UNTOUCHED	0x5a

FIXTURE(image)
{
	int fd;
	struct accel_query_device dev;
	struct accel_queue_create queue;
	/* Source, destination, and one more, all mapped. */
	struct accel_bo_create bo[3];
	__u8 *map[3];
	__u8 *expected;
	unsigned long cases;
};

FIXTURE_SETUP(image)
{
	int i;

	accel_setup(_metadata, &self->fd, &self->dev);
	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &self->queue));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, bo_create(self->fd, i == 2 ?
				       ACCEL_VACCEL_REGION_LOCAL :
				       ACCEL_VACCEL_REGION_SYSTEM, LENGTH,
				       &self->bo[i]));
		self->map[i] = bo_map(self->fd, &self->bo[i]);
		ASSERT_TRUE(self->map[i] != MAP_FAILED);
		memset(self->map[i], UNTOUCHED, LENGTH);
	}
	self->expected = malloc(LENGTH);
	ASSERT_TRUE(self->expected != NULL);
	memset(self->expected, UNTOUCHED, LENGTH);
}

FIXTURE_TEARDOWN(image)
{
	int i;

	if (self->cases)
		tally(self->cases, "ranges");
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, munmap(self->map[i], LENGTH));
	free(self->expected);
	accel_teardown(_metadata, self->fd);
}

static int clamp_byte(long value)
{
	return value < 0 ? 0 : value > 255 ? 255 : value;
}

/* Where a format has the Y, U and V of a pixel, by its documentation. */
static __u8 *find_yuv(__u32 format, const struct accel_vaccel_plane planes[2],
		      __u8 *bytes, __u32 x, __u32 y, int component)
{
	__u8 *line = bytes + planes[0].offset + (size_t)y * planes[0].stride;

	if (format == ACCEL_VACCEL_YUYV) {
		static const int at[] = { 0, 1, 3 };

		return component ? line + x / 2 * 4 + at[component] :
				   line + x * 2;
	}
	if (!component)
		return line + x;
	line = bytes + planes[1].offset + (size_t)(y / 2) * planes[1].stride;
	return line + x / 2 * 2 + component - 1;
}

static __u8 *find_rgb(const struct accel_vaccel_plane *plane, __u8 *bytes,
		      __u32 x, __u32 y)
{
	return bytes + plane->offset + (size_t)y * plane->stride + 4 * x;
}

/* From Y, U, V to B, G, R by the definition of BT.601, not by its usual integers. */
static void bt601_to_rgb(const int yuv[3], double bgr[3])
{
	double y = (yuv[0] - 16) * 255.0 / 219;
	double pb = (yuv[1] - 128) / 224.0, pr = (yuv[2] - 128) / 224.0;

	bgr[0] = y + 255 * 2 * (1 - 0.114) * pb;
	bgr[2] = y + 255 * 2 * (1 - 0.299) * pr;
	bgr[1] = y - 255 * (2 * (1 - 0.114) * 0.114 * pb +
			    2 * (1 - 0.299) * 0.299 * pr) / 0.587;
}

static void bt601_to_yuv(const double bgr[3], double yuv[3])
{
	double y = 0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2];

	yuv[0] = 16 + y * 219 / 255;
	yuv[1] = 128 + (bgr[0] - y) / (2 * (1 - 0.114)) * 224 / 255;
	yuv[2] = 128 + (bgr[2] - y) / (2 * (1 - 0.299)) * 224 / 255;
}

static bool is_near(double expected, int value)
{
	if (expected < 0)
		expected = 0;
	if (expected > 255)
		expected = 255;
	return value - expected < 1.01 && expected - value < 1.01;
}

struct conversion {
	__u32 format;
	__u32 width, height;
	struct accel_vaccel_plane rgb;
	struct accel_vaccel_plane yuv[2];
};

static const struct conversion conversions[] = {
	{ ACCEL_VACCEL_YUYV, 2, 1, { .stride = 8 }, { { .stride = 4 } } },
	{ ACCEL_VACCEL_YUYV, 64, 48, { .stride = 256 }, { { .stride = 128 } } },
	{ ACCEL_VACCEL_YUYV, 62, 33, { .stride = 301, .offset = 3 },
	  { { .stride = 131, .offset = 5 } } },
	/* The last byte of each is the last of its buffer. */
	{ ACCEL_VACCEL_YUYV, 10, 7, { .stride = 64, .offset = LENGTH - 424 },
	  { { .stride = 4096, .offset = LENGTH - 6 * 4096 - 20 } } },
	{ ACCEL_VACCEL_YUYV, 4096, 2, { .stride = 4 * 4096 },
	  { { .stride = 2 * 4096 } } },
	{ ACCEL_VACCEL_YUYV, 2, 4096, { .stride = 8 }, { { .stride = 4 } } },
	{ ACCEL_VACCEL_NV12, 2, 2, { .stride = 8 },
	  { { .stride = 2 }, { .stride = 2, .offset = 4 } } },
	{ ACCEL_VACCEL_NV12, 64, 48, { .stride = 256 },
	  { { .stride = 64 }, { .stride = 64, .offset = 64 * 48 } } },
	{ ACCEL_VACCEL_NV12, 62, 34, { .stride = 300, .offset = 1 },
	  { { .stride = 77, .offset = 4096 },
	    { .stride = 65, .offset = 7 } } },
	{ ACCEL_VACCEL_NV12, 10, 8, { .stride = 41, .offset = LENGTH - 327 },
	  { { .stride = 10 },
	    { .stride = 4096, .offset = LENGTH - 3 * 4096 - 10 } } },
};

static struct test_job job_convert(FIXTURE_DATA(image) *self,
				   const struct conversion *p, bool to_rgb)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.convert) };
	struct accel_vaccel_convert *cmd = &job.cmd.convert;
	struct accel_vaccel_plane *yuv = to_rgb ? cmd->src : cmd->dst;
	struct accel_vaccel_plane *rgb = to_rgb ? cmd->dst : cmd->src;

	job_bo(&job, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&job, self->bo[1].id, ACCEL_BO_WRITE);
	cmd->op = ACCEL_VACCEL_CONVERT;
	cmd->src_format = to_rgb ? p->format : ACCEL_VACCEL_XRGB8888;
	cmd->dst_format = to_rgb ? ACCEL_VACCEL_XRGB8888 : p->format;
	cmd->width = p->width;
	cmd->height = p->height;
	rgb[0] = p->rgb;
	memcpy(yuv, p->yuv, sizeof(p->yuv));
	cmd->dst[0].bo = 1;
	if (p->format == ACCEL_VACCEL_NV12 && !to_rgb)
		cmd->dst[1].bo = 1;
	return job;
}

/* The number of bytes that are not what they should be. */
static int check_rgb(FIXTURE_DATA(image) *self, const struct conversion *p)
{
	int yuv[3], i, bad = 0;
	double bgr[3];
	__u32 x, y;
	__u8 *rgb;

	for (y = 0; y < p->height; y++) {
		for (x = 0; x < p->width; x++) {
			for (i = 0; i < 3; i++)
				yuv[i] = *find_yuv(p->format, p->yuv,
						   self->map[0], x, y, i);
			bt601_to_rgb(yuv, bgr);
			rgb = find_rgb(&p->rgb, self->map[1], x, y);
			for (i = 0; i < 3; i++)
				bad += !is_near(bgr[i], rgb[i]);
			bad += rgb[3] != 255;
			/* What is left then has to be what nobody wrote. */
			memset(rgb, UNTOUCHED, 4);
		}
	}
	return bad;
}

TEST_F_TIMEOUT(image, to_rgb, LONG_TEST_S)
{
	struct test_job job;
	size_t i;

	for (i = 0; i < ARRAY_LEN(conversions); i++) {
		scramble(self->map[0], LENGTH, i);
		job = job_convert(self, &conversions[i], true);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, check_rgb(self, &conversions[i])) {
			TH_LOG("conversion %zu", i);
		}
		EXPECT_EQ(LENGTH, span(self->map[1], UNTOUCHED, LENGTH)) {
			TH_LOG("conversion %zu", i);
		}
	}
}

/* U and V are those of the mean of the pixels that share them. */
static int check_chroma(FIXTURE_DATA(image) *self, const struct conversion *p,
			__u32 x, __u32 y)
{
	int lines = p->format == ACCEL_VACCEL_NV12 ? 2 : 1, bad = 0, i, j, k;
	double mean[3] = { 0 }, yuv[3];
	__u8 *byte;

	for (i = 0; i < lines; i++)
		for (j = 0; j < 2; j++)
			for (k = 0; k < 3; k++)
				mean[k] += find_rgb(&p->rgb, self->map[0],
						    x + j, y + i)[k];
	for (k = 0; k < 3; k++)
		mean[k] /= 2 * lines;
	bt601_to_yuv(mean, yuv);
	for (k = 1; k < 3; k++) {
		byte = find_yuv(p->format, p->yuv, self->map[1], x, y, k);
		bad += !is_near(yuv[k], *byte);
		*byte = UNTOUCHED;
	}
	return bad;
}

static int check_yuv(FIXTURE_DATA(image) *self, const struct conversion *p)
{
	bool nv12 = p->format == ACCEL_VACCEL_NV12;
	double bgr[3], yuv[3];
	int i, bad = 0;
	__u32 x, y;
	__u8 *byte;

	for (y = 0; y < p->height; y++) {
		for (x = 0; x < p->width; x++) {
			for (i = 0; i < 3; i++)
				bgr[i] = find_rgb(&p->rgb, self->map[0], x, y)[i];
			bt601_to_yuv(bgr, yuv);
			byte = find_yuv(p->format, p->yuv, self->map[1], x, y, 0);
			bad += !is_near(yuv[0], *byte);
			*byte = UNTOUCHED;
			if (x % 2 == 0 && (!nv12 || y % 2 == 0))
				bad += check_chroma(self, p, x, y);
		}
	}
	return bad;
}

TEST_F_TIMEOUT(image, from_rgb, LONG_TEST_S)
{
	struct test_job job;
	size_t i;

	for (i = 0; i < ARRAY_LEN(conversions); i++) {
		scramble(self->map[0], LENGTH, i);
		job = job_convert(self, &conversions[i], false);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, check_yuv(self, &conversions[i])) {
			TH_LOG("conversion %zu", i);
		}
		EXPECT_EQ(LENGTH, span(self->map[1], UNTOUCHED, LENGTH)) {
			TH_LOG("conversion %zu", i);
		}
	}
}

/* The colours whose values everybody knows come out as they are, there and back. */
TEST_F(image, known_colours)
{
	static const struct {
		__u8 yuv[3], bgr[3];
	} colours[] = {
		{ { 16, 128, 128 }, { 0, 0, 0 } },
		{ { 235, 128, 128 }, { 255, 255, 255 } },
		{ { 126, 128, 128 }, { 128, 128, 128 } },
		{ { 81, 90, 240 }, { 0, 0, 254 } },
		{ { 145, 54, 34 }, { 1, 255, 0 } },
		{ { 41, 240, 110 }, { 255, 0, 0 } },
		/* Beyond black and white */
		{ { 0, 128, 128 }, { 0, 0, 0 } },
		{ { 255, 128, 128 }, { 255, 255, 255 } },
	};
	static const struct conversion p = {
		ACCEL_VACCEL_YUYV, 2, 1, { .stride = 8 }, { { .stride = 4 } }
	};
	struct test_job job = job_convert(self, &p, true);
	size_t i;
	int j;

	for (i = 0; i < ARRAY_LEN(colours); i++) {
		const __u8 *yuv = colours[i].yuv, *bgr = colours[i].bgr;
		const __u8 pair[4] = { yuv[0], yuv[1], yuv[0], yuv[2] };

		memcpy(self->map[0], pair, sizeof(pair));
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		for (j = 0; j < 3; j++) {
			EXPECT_EQ(bgr[j], self->map[1][j]) {
				TH_LOG("colour %zu, byte %d", i, j);
			}
			EXPECT_EQ(bgr[j], self->map[1][4 + j]);
		}
	}
	job = job_convert(self, &p, false);
	for (i = 0; i < 2; i++) {
		memset(self->map[0], i ? 255 : 0, 8);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(i ? 235 : 16, self->map[1][0]);
		EXPECT_EQ(128, self->map[1][1]);
		EXPECT_EQ(128, self->map[1][3]);
	}
}

struct filter {
	__u32 width, height, shift, src_step, dst_step;
	__s16 kernel[9];
	__s16 bias;
	__u32 src_stride, dst_stride;
	__u64 src_offset, dst_offset;
};

#define SHARPEN		{ 0, -1, 0, -1, 5, -1, 0, -1, 0 }
#define BLUR		{ 1, 2, 1, 2, 4, 2, 1, 2, 1 }
#define EMBOSS		{ -2, -1, 0, -1, 1, 1, 0, 1, 2 }
#define LEFT		{ 0, 0, 0, 1, 0, 0, 0, 0, 0 }
#define BELOW		{ 0, 0, 0, 0, 0, 0, 0, 1, 0 }
#define MOST		{ 32767, 32767, 32767, 32767, 32767, 32767, 32767, \
			  32767, 32767 }
#define LEAST		{ -32768, -32768, -32768, -32768, -32768, -32768, \
			  -32768, -32768, -32768 }

static const struct filter filters[] = {
	{ 1, 1, 0, 1, 1, SHARPEN, 0, 1, 1, 0, 0 },
	{ 1, 64, 4, 1, 1, BLUR, 0, 1, 1, 0, 0 },
	{ 64, 1, 4, 1, 1, BLUR, 0, 64, 64, 0, 0 },
	{ 64, 48, 0, 1, 1, SHARPEN, 0, 64, 64, 0, 0 },
	{ 61, 47, 4, 1, 1, BLUR, 0, 67, 83, 3, 11 },
	{ 40, 30, 0, 1, 1, EMBOSS, 128, 40, 40, 0, 0 },
	{ 40, 30, 0, 1, 1, LEFT, 0, 40, 40, 0, 0 },
	{ 40, 30, 0, 1, 1, BELOW, -7, 40, 40, 0, 0 },
	{ 10, 10, 15, 1, 1, MOST, 0, 10, 10, 0, 0 },
	{ 10, 10, 15, 1, 1, LEAST, 32767, 10, 10, 0, 0 },
	{ 10, 10, 0, 1, 1, LEAST, -32768, 10, 10, 0, 0 },
	/* The green of one image, and Y of another, and a plane of its own */
	{ 20, 20, 4, 4, 4, BLUR, 0, 80, 96, 1, 1 },
	{ 20, 20, 0, 2, 4, SHARPEN, 0, 40, 80, 0, 2 },
	{ 20, 20, 1, 3, 1, SHARPEN, 0, 60, 20, 2, 0 },
	/* The last byte of each is the last of its buffer. */
	{ 50, 8, 4, 1, 1, BLUR, 0, 4096, 50, LENGTH - 7 * 4096 - 50,
	  LENGTH - 400 },
	{ 50, 8, 4, 4, 4, BLUR, 0, 197, 4096, LENGTH - 8 * 197,
	  LENGTH - 7 * 4096 - 197 },
	{ 8192, 4, 4, 1, 1, BLUR, 0, 8192, 8192, 0, 0 },
};

static struct test_job job_convolve(FIXTURE_DATA(image) *self,
				    const struct filter *p)
{
	struct test_job job = { .cmd_size = sizeof(job.cmd.convolve) };
	struct accel_vaccel_convolve *cmd = &job.cmd.convolve;

	job_bo(&job, self->bo[0].id, ACCEL_BO_READ);
	job_bo(&job, self->bo[1].id, ACCEL_BO_WRITE);
	*cmd = (struct accel_vaccel_convolve) {
		.op = ACCEL_VACCEL_CONVOLVE,
		.width = p->width,
		.height = p->height,
		.shift = p->shift,
		.src_step = p->src_step,
		.dst_step = p->dst_step,
		.bias = p->bias,
		.src = { 0, p->src_stride, p->src_offset },
		.dst = { 1, p->dst_stride, p->dst_offset },
	};
	memcpy(cmd->kernel, p->kernel, sizeof(cmd->kernel));
	return job;
}

static long nearest(long at, __u32 count)
{
	return at < 0 ? 0 : at >= (long)count ? (long)count - 1 : at;
}

/* By the CPU, into what is expected. */
static void cpu_convolve(FIXTURE_DATA(image) *self, const struct filter *p)
{
	const __u8 *src = self->map[0] + p->src_offset;
	__u8 *dst = self->expected + p->dst_offset;
	long x, y, i, j, sum;

	for (y = 0; y < (long)p->height; y++) {
		for (x = 0; x < (long)p->width; x++) {
			sum = 0;
			for (i = -1; i <= 1; i++)
				for (j = -1; j <= 1; j++)
					sum += p->kernel[3 * i + j + 4] *
					       src[nearest(y + i, p->height) *
						   p->src_stride +
						   nearest(x + j, p->width) *
						   p->src_step];
			dst[y * p->dst_stride + x * p->dst_step] =
				clamp_byte((sum >> p->shift) + p->bias);
		}
	}
}

TEST_F_TIMEOUT(image, convolve, LONG_TEST_S)
{
	struct test_job job;
	size_t i;

	for (i = 0; i < ARRAY_LEN(filters); i++) {
		scramble(self->map[0], LENGTH, i);
		memset(self->map[1], UNTOUCHED, LENGTH);
		memset(self->expected, UNTOUCHED, LENGTH);
		cpu_convolve(self, &filters[i]);
		job = job_convolve(self, &filters[i]);
		ASSERT_EQ(0, job_run(self->fd, &self->queue, &job));
		EXPECT_EQ(0, memcmp(self->expected, self->map[1], LENGTH)) {
			TH_LOG("filter %zu", i);
		}
	}
}

TEST_F(image, bad_convert)
{
	static const struct conversion yuyv = {
		ACCEL_VACCEL_YUYV, 16, 16, { .stride = 64 }, { { .stride = 32 } }
	};
	static const struct conversion nv12 = {
		ACCEL_VACCEL_NV12, 16, 16, { .stride = 64 },
		{ { .stride = 16 }, { .stride = 16, .offset = 256 } }
	};
	struct test_job job = job_convert(self, &yuyv, true);

	EXPECT_REFUSED(-EINVAL, job, cmd.convert.reserved = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 18);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 8194);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 1U << 30);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 1U << 31);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.height = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.height = 8193);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.height = UINT_MAX);
	EXPECT_REFUSED(-EOPNOTSUPP, job, cmd.convert.src_format = 0);
	EXPECT_REFUSED(-EOPNOTSUPP, job,
		       cmd.convert.src_format = ACCEL_VACCEL_NV12 + 1);
	EXPECT_REFUSED(-EOPNOTSUPP, job,
		       cmd.convert.src_format = ACCEL_VACCEL_XRGB8888);
	EXPECT_REFUSED(-EOPNOTSUPP, job, cmd.convert.dst_format = 0);
	EXPECT_REFUSED(-EOPNOTSUPP, job,
		       cmd.convert.dst_format = ACCEL_VACCEL_NV12);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.src[0].stride = 31);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[0].stride = 63);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.src[0].bo = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[0].bo = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.src[0].bo = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[0].bo = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.src[1].bo = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.src[1].stride = 16);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[1].offset = 4);
	EXPECT_REFUSED(-EACCES, job, bos[0].flags = ACCEL_BO_WRITE);
	EXPECT_REFUSED(-EACCES, job, bos[1].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EINVAL, job, bo_count = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = sizeof(job.cmd.convert) - 4);

	job = job_convert(self, &nv12, false);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.width = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.height = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[0].stride = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[1].stride = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[1].bo = 2);
	/* Half of the destination in the source */
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[1].bo = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convert.dst[1].offset = LENGTH - 127);
	EXPECT_EQ(LENGTH, span(self->map[1], UNTOUCHED, LENGTH));
}

TEST_F(image, bad_convolve)
{
	static const struct filter p = {
		16, 16, 4, 1, 1, BLUR, 0, 16, 16, 0, 0
	};
	struct test_job job = job_convolve(self, &p);

	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.reserved = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.width = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.width = 17);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.width = 8193);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.height = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.height = 8193);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.shift = 16);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.shift = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src_step = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src_step = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src_step = 5);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.dst_step = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.dst_step = 2);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.dst_step = 1U << 28);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src.stride = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src.stride = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.dst.stride = 15);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.dst.stride = UINT_MAX);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src.bo = 1);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.dst.bo = 0);
	EXPECT_REFUSED(-EINVAL, job, cmd.convolve.src.bo = 2);
	EXPECT_REFUSED(-EACCES, job, bos[0].flags = ACCEL_BO_WRITE);
	EXPECT_REFUSED(-EACCES, job, bos[1].flags = ACCEL_BO_READ);
	EXPECT_REFUSED(-EINVAL, job, cmd_size = sizeof(job.cmd.convolve) - 4);
	EXPECT_EQ(LENGTH, span(self->map[1], UNTOUCHED, LENGTH));
}

/* Does a plane of @height lines with @line bytes lie in the buffer? */
static bool plane_fits(__u64 offset, __u64 stride, __u64 line, __u64 height)
{
	__u64 length = (height - 1) * stride + line;

	return stride >= line && offset <= LENGTH && length <= LENGTH - offset;
}

/* Offsets, strides and heights whose products and sums leave the buffer, or 32 bits. */
TEST_F_TIMEOUT(image, ranges, LONG_TEST_S)
{
	static const __u64 offsets[] = {
		0, 1, LENGTH - 4096, LENGTH - 16, LENGTH - 15, LENGTH - 1,
		LENGTH, LENGTH + 1, UINT_MAX, 1ULL << 32, 1ULL << 63,
		UINT64_MAX - 4095, UINT64_MAX - 15, UINT64_MAX,
	};
	static const __u32 strides[] = {
		0, 15, 16, 17, 4096, LENGTH - 16, LENGTH, LENGTH + 1, 65536,
		1U << 24, INT_MAX, 1U << 31, (1U << 31) + 8, UINT_MAX - 15,
		UINT_MAX,
	};
	static const __u32 heights[] = { 1, 2, 3, 8, 9, 16, 17, 256, 2048, 8192 };
	static const struct filter p = {
		16, 1, 4, 1, 1, BLUR, 0, 16, 16, 0, 0
	};
	struct test_job job = job_convolve(self, &p);
	struct accel_vaccel_convolve *cmd = &job.cmd.convolve;
	struct accel_vaccel_plane *plane;
	size_t i, j, k;
	bool good;

	for (i = 0; i < ARRAY_LEN(offsets); i++) {
		for (j = 0; j < ARRAY_LEN(strides); j++) {
			for (k = 0; k < ARRAY_LEN(heights); k++) {
				plane = (i + j + k) % 2 ? &cmd->src : &cmd->dst;
				cmd->height = heights[k];
				cmd->src = (struct accel_vaccel_plane) {
					.bo = 0, .stride = 16,
				};
				cmd->dst = (struct accel_vaccel_plane) {
					.bo = 1, .stride = 16,
				};
				plane->offset = offsets[i];
				plane->stride = strides[j];
				good = plane_fits(0, 16, 16, heights[k]) &&
				       plane_fits(offsets[i], strides[j], 16,
						  heights[k]);
				EXPECT_EQ(good ? 0 : -EINVAL,
					  job_run(self->fd, &self->queue,
						  &job)) {
					TH_LOG("%u lines of %u at %#llx",
					       heights[k], strides[j],
					       offsets[i]);
				}
				self->cases++;
			}
		}
	}
}

/* A job on an image may be large; it ends when it is told to. */
TEST_F(image, aborted)
{
	static const struct filter p = {
		8192, 4, 4, 1, 1, BLUR, 0, 8192, 8192, 0, 0
	};
	struct test_job job = job_convolve(self, &p);
	struct accel_submit sub;

	ASSERT_EQ(0, submit_repeated(self->fd, self->queue.id, &job, 16, &sub));
	EXPECT_EQ(16, sub.accepted);
	EXPECT_EQ(0, destroy(self->fd, self->queue.id));
	EXPECT_EQ(0, engine_flush(self->fd, 0));
}

TEST_HARNESS_MAIN
