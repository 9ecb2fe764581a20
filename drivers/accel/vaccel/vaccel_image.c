// SPDX-License-Identifier: GPL-2.0-only
/* Commands for images: conversion between formats of pixels, and a 3x3 filter. */
#include <linux/minmax.h>
#include <linux/string.h>

#include "vaccel.h"

/* Bytes of a pixel of XRGB8888 */
#define VACCEL_RGB_STEP		4

/* ITU-R BT.601 in limited range, in units of 2^-16 */
#define VACCEL_Y_OF_R		16829
#define VACCEL_Y_OF_G		33039
#define VACCEL_Y_OF_B		6416
#define VACCEL_U_OF_R		(-9714)
#define VACCEL_U_OF_G		(-19071)
#define VACCEL_U_OF_B		28785
#define VACCEL_V_OF_R		28785
#define VACCEL_V_OF_G		(-24104)
#define VACCEL_V_OF_B		(-4681)
#define VACCEL_RGB_OF_Y		76309
#define VACCEL_R_OF_V		104597
#define VACCEL_G_OF_U		(-25675)
#define VACCEL_G_OF_V		(-53279)
#define VACCEL_B_OF_U		132201

/**
 * struct vaccel_yuv - where a format has Y, U and V
 * @planes: number of planes
 * @luma_step: bytes from one Y to the next
 * @chroma_plane: the plane that has U and V
 * @chroma_step: bytes from one U, and from one V, to the next; they are for two
 *	pixels of a line
 * @u: place of the first U in a line
 * @v: of the first V
 * @chroma_lines: lines that share those of U and V
 */
struct vaccel_yuv {
	u32 planes;
	u32 luma_step;
	u32 chroma_plane;
	u32 chroma_step;
	u32 u;
	u32 v;
	u32 chroma_lines;
};

static const struct vaccel_yuv vaccel_yuyv = {
	.planes = 1, .luma_step = 2, .chroma_step = 4, .u = 1, .v = 3,
	.chroma_lines = 1,
};

static const struct vaccel_yuv vaccel_nv12 = {
	.planes = 2, .luma_step = 1, .chroma_plane = 1, .chroma_step = 2,
	.u = 0, .v = 1, .chroma_lines = 2,
};

static bool vaccel_size_is_bad(u32 pixels)
{
	return !pixels || pixels > ACCEL_VACCEL_IMAGE_MAX;
}

/* Find a plane with @height lines of @line bytes, neither of them 0. */
static int vaccel_plane(struct vaccel_job *job,
			const struct accel_vaccel_plane *plane, u32 line,
			u32 height, u32 flags, struct vaccel_plane *found)
{
	void *start;
	u64 length;
	int ret;

	if (plane->stride < line)
		return -EINVAL;

	length = (u64)plane->stride * (height - 1) + line;
	ret = vaccel_operand(job, plane->bo, plane->offset, length, flags,
			     &start);
	if (ret)
		return ret;

	found->start = start;
	found->stride = plane->stride;
	return 0;
}

static u8 *vaccel_line(const struct vaccel_plane *plane, u32 row)
{
	return plane->start + (size_t)plane->stride * row;
}

static bool vaccel_plane_is_zero(const struct accel_vaccel_plane *plane)
{
	return !plane->bo && !plane->stride && !plane->offset;
}

/* No two operands may be the same where one of them is written. */
static bool vaccel_convert_in_place(const struct accel_vaccel_convert *cmd,
				    u32 planes)
{
	const struct accel_vaccel_plane *rgb = &cmd->src[0], *yuv = cmd->dst;
	u32 i;

	if (cmd->dst_format == ACCEL_VACCEL_XRGB8888) {
		rgb = &cmd->dst[0];
		yuv = cmd->src;
	}
	for (i = 0; i < planes; i++)
		if (yuv[i].bo == rgb->bo)
			return true;
	return false;
}

static int vaccel_validate_rgb(struct vaccel_job *job,
			       const struct accel_vaccel_plane planes[2],
			       u32 flags)
{
	if (!vaccel_plane_is_zero(&planes[1]))
		return -EINVAL;
	return vaccel_plane(job, &planes[0],
			    job->convert.width * VACCEL_RGB_STEP,
			    job->convert.height, flags, &job->convert.rgb);
}

static int vaccel_validate_yuv(struct vaccel_job *job,
			       const struct accel_vaccel_plane planes[2],
			       u32 flags)
{
	const struct vaccel_yuv *layout = job->convert.layout;
	u32 width = job->convert.width, height = job->convert.height;
	int ret;

	if (width % 2 || height % layout->chroma_lines)
		return -EINVAL;

	ret = vaccel_plane(job, &planes[0], width * layout->luma_step, height,
			   flags, &job->convert.yuv[0]);
	if (ret)
		return ret;
	if (layout->planes == 1)
		return vaccel_plane_is_zero(&planes[1]) ? 0 : -EINVAL;
	return vaccel_plane(job, &planes[1], width / 2 * layout->chroma_step,
			    height / layout->chroma_lines, flags,
			    &job->convert.yuv[1]);
}

int vaccel_validate_convert(struct vaccel_job *job)
{
	const struct accel_vaccel_convert *cmd = job->base.cmd;
	bool to_rgb = cmd->dst_format == ACCEL_VACCEL_XRGB8888;
	int ret;

	if (!to_rgb && cmd->src_format != ACCEL_VACCEL_XRGB8888)
		return -EOPNOTSUPP;
	switch (to_rgb ? cmd->src_format : cmd->dst_format) {
	case ACCEL_VACCEL_YUYV:
		job->convert.layout = &vaccel_yuyv;
		break;
	case ACCEL_VACCEL_NV12:
		job->convert.layout = &vaccel_nv12;
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (cmd->reserved || vaccel_size_is_bad(cmd->width) ||
	    vaccel_size_is_bad(cmd->height) ||
	    vaccel_convert_in_place(cmd, job->convert.layout->planes))
		return -EINVAL;

	job->convert.width = cmd->width;
	job->convert.height = cmd->height;
	job->convert.to_rgb = to_rgb;
	if (to_rgb) {
		ret = vaccel_validate_yuv(job, cmd->src, ACCEL_BO_READ);
		return ret ?: vaccel_validate_rgb(job, cmd->dst, ACCEL_BO_WRITE);
	}
	ret = vaccel_validate_rgb(job, cmd->src, ACCEL_BO_READ);
	return ret ?: vaccel_validate_yuv(job, cmd->dst, ACCEL_BO_WRITE);
}

/* From units of 2^-16, rounded */
static u8 vaccel_round(s32 value)
{
	return clamp((value + (1 << 15)) >> 16, 0, 255);
}

static u8 *vaccel_chroma_line(const struct vaccel_job *job, u32 row)
{
	const struct vaccel_yuv *layout = job->convert.layout;

	return vaccel_line(&job->convert.yuv[layout->chroma_plane],
			   row / layout->chroma_lines);
}

static void vaccel_line_to_rgb(const struct vaccel_job *job, u32 row)
{
	const struct vaccel_yuv *layout = job->convert.layout;
	const u8 *chroma = vaccel_chroma_line(job, row);
	const u8 *luma = vaccel_line(&job->convert.yuv[0], row);
	u8 *rgb = vaccel_line(&job->convert.rgb, row);
	u32 x;

	for (x = 0; x < job->convert.width; x++) {
		const u8 *pair = chroma + x / 2 * layout->chroma_step;
		s32 y = (luma[x * layout->luma_step] - 16) * VACCEL_RGB_OF_Y;
		s32 u = pair[layout->u] - 128;
		s32 v = pair[layout->v] - 128;

		rgb[0] = vaccel_round(y + u * VACCEL_B_OF_U);
		rgb[1] = vaccel_round(y + u * VACCEL_G_OF_U + v * VACCEL_G_OF_V);
		rgb[2] = vaccel_round(y + v * VACCEL_R_OF_V);
		rgb[3] = 255;
		rgb += VACCEL_RGB_STEP;
	}
}

static void vaccel_line_to_luma(const struct vaccel_job *job, u32 row)
{
	const u8 *rgb = vaccel_line(&job->convert.rgb, row);
	u8 *luma = vaccel_line(&job->convert.yuv[0], row);
	u32 x;

	for (x = 0; x < job->convert.width; x++) {
		*luma = vaccel_round((16 << 16) + rgb[0] * VACCEL_Y_OF_B +
				     rgb[1] * VACCEL_Y_OF_G +
				     rgb[2] * VACCEL_Y_OF_R);
		rgb += VACCEL_RGB_STEP;
		luma += job->convert.layout->luma_step;
	}
}

/* Sums of the pixels that share one U and one V */
static void vaccel_sum_rgb(const struct vaccel_job *job, u32 row, u32 x,
			   s32 sums[3])
{
	u32 line, pixel, i;
	const u8 *rgb;

	memset(sums, 0, 3 * sizeof(sums[0]));
	for (line = 0; line < job->convert.layout->chroma_lines; line++) {
		rgb = vaccel_line(&job->convert.rgb, row + line) +
		      x * VACCEL_RGB_STEP;
		for (pixel = 0; pixel < 2; pixel++, rgb += VACCEL_RGB_STEP)
			for (i = 0; i < 3; i++)
				sums[i] += rgb[i];
	}
}

static void vaccel_lines_to_chroma(const struct vaccel_job *job, u32 row)
{
	const struct vaccel_yuv *layout = job->convert.layout;
	s32 pixels = 2 * layout->chroma_lines, sums[3];
	u8 *chroma = vaccel_chroma_line(job, row);
	u32 x;

	for (x = 0; x < job->convert.width; x += 2) {
		vaccel_sum_rgb(job, row, x, sums);
		chroma[layout->u] = vaccel_round((128 << 16) +
			(sums[0] * VACCEL_U_OF_B + sums[1] * VACCEL_U_OF_G +
			 sums[2] * VACCEL_U_OF_R) / pixels);
		chroma[layout->v] = vaccel_round((128 << 16) +
			(sums[0] * VACCEL_V_OF_B + sums[1] * VACCEL_V_OF_G +
			 sums[2] * VACCEL_V_OF_R) / pixels);
		chroma += layout->chroma_step;
	}
}

int vaccel_execute_convert(struct vaccel_job *job)
{
	u32 row;

	for (row = 0; row < job->convert.height; row++) {
		if (vaccel_should_stop(job))
			break;
		if (job->convert.to_rgb) {
			vaccel_line_to_rgb(job, row);
			continue;
		}
		vaccel_line_to_luma(job, row);
		if (row % job->convert.layout->chroma_lines == 0)
			vaccel_lines_to_chroma(job, row);
	}
	return 0;
}

static bool vaccel_step_is_bad(u32 step)
{
	return !step || step > ACCEL_VACCEL_STEP_MAX;
}

int vaccel_validate_convolve(struct vaccel_job *job)
{
	const struct accel_vaccel_convolve *cmd = job->base.cmd;
	int ret;

	if (cmd->reserved || vaccel_size_is_bad(cmd->width) ||
	    vaccel_size_is_bad(cmd->height) ||
	    vaccel_step_is_bad(cmd->src_step) ||
	    vaccel_step_is_bad(cmd->dst_step) ||
	    cmd->shift > ACCEL_VACCEL_SHIFT_MAX || cmd->src.bo == cmd->dst.bo)
		return -EINVAL;

	job->convolve.width = cmd->width;
	job->convolve.height = cmd->height;
	job->convolve.src_step = cmd->src_step;
	job->convolve.dst_step = cmd->dst_step;
	job->convolve.shift = cmd->shift;
	job->convolve.bias = cmd->bias;
	memcpy(job->convolve.kernel, cmd->kernel, sizeof(cmd->kernel));

	ret = vaccel_plane(job, &cmd->src, (cmd->width - 1) * cmd->src_step + 1,
			   cmd->height, ACCEL_BO_READ, &job->convolve.src);
	if (ret)
		return ret;
	return vaccel_plane(job, &cmd->dst, (cmd->width - 1) * cmd->dst_step + 1,
			    cmd->height, ACCEL_BO_WRITE, &job->convolve.dst);
}

/* The sum of nine products is at most 9 * 255 * 2^15, which 32 bits hold. */
static u8 vaccel_filter(const struct vaccel_job *job, const u8 *lines[3], u32 x)
{
	u32 step = job->convolve.src_step, last = job->convolve.width - 1;
	const s16 *weight = job->convolve.kernel;
	u32 left = (x ? x - 1 : 0) * step;
	u32 right = min(x + 1, last) * step;
	s32 sum = 0;
	u32 i;

	for (i = 0; i < 3; i++, weight += 3)
		sum += lines[i][left] * weight[0] + lines[i][x * step] * weight[1] +
		       lines[i][right] * weight[2];
	return clamp((sum >> job->convolve.shift) + job->convolve.bias, 0, 255);
}

int vaccel_execute_convolve(struct vaccel_job *job)
{
	u32 last = job->convolve.height - 1, row, x;
	const u8 *lines[3];
	u8 *dst;

	for (row = 0; row <= last && !vaccel_should_stop(job); row++) {
		lines[0] = vaccel_line(&job->convolve.src, row ? row - 1 : 0);
		lines[1] = vaccel_line(&job->convolve.src, row);
		lines[2] = vaccel_line(&job->convolve.src, min(row + 1, last));
		dst = vaccel_line(&job->convolve.dst, row);
		for (x = 0; x < job->convolve.width; x++) {
			*dst = vaccel_filter(job, lines, x);
			dst += job->convolve.dst_step;
		}
	}
	return 0;
}
