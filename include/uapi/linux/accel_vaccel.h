/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Commands of vaccel, an accelerator in software.
 */
#ifndef _UAPI_LINUX_ACCEL_VACCEL_H
#define _UAPI_LINUX_ACCEL_VACCEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include <linux/accel.h>

/* Memory regions, by number */
#define ACCEL_VACCEL_REGION_SYSTEM	0
#define ACCEL_VACCEL_REGION_LOCAL	1

/**
 * enum accel_vaccel_op - first member of every command
 * @ACCEL_VACCEL_NOP: struct accel_vaccel_nop: ends at once
 * @ACCEL_VACCEL_FILL: struct accel_vaccel_fill
 * @ACCEL_VACCEL_COPY: struct accel_vaccel_copy
 * @ACCEL_VACCEL_MATMUL: struct accel_vaccel_matmul
 * @ACCEL_VACCEL_FAIL: struct accel_vaccel_fail: for tests, ends with an error
 * @ACCEL_VACCEL_FAULT: struct accel_vaccel_nop: for tests, ends with -EFAULT as
 *	if the device had met an address that is not mapped
 * @ACCEL_VACCEL_HANG: struct accel_vaccel_nop: for tests, ends when
 *	ACCEL_IOCTL_VACCEL_RELEASE says so, or runs into its timeout
 * @ACCEL_VACCEL_CONVERT: struct accel_vaccel_convert
 * @ACCEL_VACCEL_CONVOLVE: struct accel_vaccel_convolve
 */
enum accel_vaccel_op {
	ACCEL_VACCEL_NOP = 1,
	ACCEL_VACCEL_FILL = 2,
	ACCEL_VACCEL_COPY = 3,
	ACCEL_VACCEL_MATMUL = 4,
	ACCEL_VACCEL_FAIL = 5,
	ACCEL_VACCEL_FAULT = 6,
	ACCEL_VACCEL_HANG = 7,
	ACCEL_VACCEL_CONVERT = 8,
	ACCEL_VACCEL_CONVOLVE = 9
};

/**
 * struct accel_vaccel_nop - a command without operands
 * @op: ACCEL_VACCEL_NOP, ACCEL_VACCEL_FAULT or ACCEL_VACCEL_HANG
 * @reserved: must be 0
 */
struct accel_vaccel_nop {
	__u32 op;
	__u32 reserved;
};

/**
 * struct accel_vaccel_fail - end with an error
 * @op: ACCEL_VACCEL_FAIL
 * @error: the status that the job's point gets, -4095 to -1
 */
struct accel_vaccel_fail {
	__u32 op;
	__s32 error;
};

/**
 * struct accel_vaccel_fill - fill part of a buffer
 * @op: ACCEL_VACCEL_FILL
 * @bo: place of the buffer in the job's list, which must say that it is written
 * @offset: first byte, a multiple of 4
 * @length: bytes, a multiple of 4, not 0
 * @value: pattern, in the CPU's byte order
 * @reserved: must be 0
 */
struct accel_vaccel_fill {
	__u32 op;
	__u32 bo;
	__u64 offset;
	__u64 length;
	__u32 value;
	__u32 reserved;
};

/**
 * struct accel_vaccel_copy - copy between two buffers, or within one
 * @op: ACCEL_VACCEL_COPY
 * @src_bo: place of the source in the job's list, which must say that it is read
 * @dst_bo: place of the destination, which must say that it is written
 * @reserved: must be 0
 * @src_offset: first byte in the source
 * @dst_offset: first byte in the destination
 * @length: bytes, not 0; the two may overlap
 */
struct accel_vaccel_copy {
	__u32 op;
	__u32 src_bo;
	__u32 dst_bo;
	__u32 reserved;
	__u64 src_offset;
	__u64 dst_offset;
	__u64 length;
};

/* Largest value of each dimension of a product */
#define ACCEL_VACCEL_MATMUL_MAX		4096

/**
 * struct accel_vaccel_matmul - C = A × B, int8 to int32
 * @op: ACCEL_VACCEL_MATMUL
 * @m: rows of A and C, 1 to ACCEL_VACCEL_MATMUL_MAX
 * @n: columns of B and C, likewise
 * @k: columns of A and rows of B, likewise
 * @a_bo: place of A in the job's list, which must say that it is read
 * @b_bo: place of B, likewise
 * @c_bo: place of C, which must say that it is written; not A's or B's
 * @reserved: must be 0
 * @a_offset: first byte of A, row-major __s8
 * @b_offset: first byte of B, row-major __s8
 * @c_offset: first byte of C, row-major __s32; a multiple of 4
 */
struct accel_vaccel_matmul {
	__u32 op;
	__u32 m;
	__u32 n;
	__u32 k;
	__u32 a_bo;
	__u32 b_bo;
	__u32 c_bo;
	__u32 reserved;
	__u64 a_offset;
	__u64 b_offset;
	__u64 c_offset;
};

/* Largest width and height of an image, in pixels */
#define ACCEL_VACCEL_IMAGE_MAX		8192

/**
 * struct accel_vaccel_plane - where a plane of an image is
 * @bo: place of the buffer in the job's list
 * @stride: bytes from one line to the next, at least as many as a line has. What
 *	is between two lines is not touched, nor is there any behind the last
 * @offset: first byte of the first line
 */
struct accel_vaccel_plane {
	__u32 bo;
	__u32 stride;
	__u64 offset;
};

/**
 * enum accel_vaccel_format - how the pixels of an image are stored
 * @ACCEL_VACCEL_XRGB8888: one plane, for each pixel the bytes B, G, R, X; X is
 *	written as 255 and not read. DRM_FORMAT_XRGB8888, V4L2_PIX_FMT_XBGR32
 * @ACCEL_VACCEL_YUYV: one plane, for each two pixels of a line the bytes Y, U, Y, V;
 *	an even width. DRM_FORMAT_YUYV, V4L2_PIX_FMT_YUYV
 * @ACCEL_VACCEL_NV12: a plane with Y for each pixel, and one of half the height with
 *	the bytes U, V for each square of four; an even width and height.
 *	DRM_FORMAT_NV12, V4L2_PIX_FMT_NV12
 *
 * Y, U and V are those of ITU-R BT.601 in limited range: 16 to 235 for Y, 16 to
 * 240 for the others. R, G and B are 0 to 255.
 */
enum accel_vaccel_format {
	ACCEL_VACCEL_XRGB8888 = 1,
	ACCEL_VACCEL_YUYV = 2,
	ACCEL_VACCEL_NV12 = 3
};

/**
 * struct accel_vaccel_convert - convert an image to another format
 * @op: ACCEL_VACCEL_CONVERT
 * @src_format: an enum accel_vaccel_format
 * @dst_format: an enum accel_vaccel_format; one of the two must be
 *	ACCEL_VACCEL_XRGB8888 and the other not: EOPNOTSUPP
 * @width: pixels in a line, 1 to ACCEL_VACCEL_IMAGE_MAX
 * @height: lines, likewise
 * @reserved: must be 0
 * @src: planes of the source, whose buffers must be said to be read; what the
 *	format has not is 0
 * @dst: planes of the destination, whose buffers must be said to be written; none
 *	of the source's
 */
struct accel_vaccel_convert {
	__u32 op;
	__u32 src_format;
	__u32 dst_format;
	__u32 width;
	__u32 height;
	__u32 reserved;
	struct accel_vaccel_plane src[2];
	struct accel_vaccel_plane dst[2];
};

/* Largest values of the members of struct accel_vaccel_convolve */
#define ACCEL_VACCEL_STEP_MAX		4
#define ACCEL_VACCEL_SHIFT_MAX		15

/**
 * struct accel_vaccel_convolve - filter a plane of bytes with a 3×3 kernel
 * @op: ACCEL_VACCEL_CONVOLVE
 * @width: bytes in a line, 1 to ACCEL_VACCEL_IMAGE_MAX
 * @height: lines, likewise
 * @shift: the sum is divided by 2 to the power of this, 0 to ACCEL_VACCEL_SHIFT_MAX,
 *	and rounded down
 * @src_step: distance of two neighbours in a line of the source in bytes, 1 to
 *	ACCEL_VACCEL_STEP_MAX: with 4, a channel of XRGB8888 is a plane
 * @dst_step: the same in the destination
 * @kernel: the kernel, line by line, that of the byte itself in the middle
 * @bias: added after the division
 * @reserved: must be 0
 * @src: the source, in a buffer that must be said to be read
 * @dst: the destination, in a buffer that must be said to be written; not the
 *	source's
 *
 * Each byte of the destination is the sum of nine bytes of the source, times their
 * place in the kernel; below 0 it becomes 0, above 255 it becomes 255. What is
 * outside of the source is as the nearest byte inside.
 */
struct accel_vaccel_convolve {
	__u32 op;
	__u32 width;
	__u32 height;
	__u32 shift;
	__u32 src_step;
	__u32 dst_step;
	__s16 kernel[9];
	__s16 bias;
	__u32 reserved;
	struct accel_vaccel_plane src;
	struct accel_vaccel_plane dst;
};

/**
 * struct accel_vaccel_release - ioctl(ACCEL_IOCTL_VACCEL_RELEASE)
 * @size: sizeof(struct accel_vaccel_release)
 * @queue: a queue of the caller's
 *
 * Lets an ACCEL_VACCEL_HANG that is running on the queue end with success. EAGAIN
 * if none is running.
 */
struct accel_vaccel_release {
	__u32 size;
	__u32 queue;
};

#define ACCEL_IOCTL_VACCEL_RELEASE	_IO(ACCEL_IOCTL_TYPE, 0x80)

/**
 * struct accel_vaccel_info - answer to ACCEL_QUERY_DRIVER
 * @local_size: size of the local region in bytes
 */
struct accel_vaccel_info {
	__u64 local_size;
};

#endif /* _UAPI_LINUX_ACCEL_VACCEL_H */
