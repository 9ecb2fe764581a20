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
 */
enum accel_vaccel_op {
	ACCEL_VACCEL_NOP = 1,
	ACCEL_VACCEL_FILL = 2,
	ACCEL_VACCEL_COPY = 3,
	ACCEL_VACCEL_MATMUL = 4,
	ACCEL_VACCEL_FAIL = 5,
	ACCEL_VACCEL_FAULT = 6,
	ACCEL_VACCEL_HANG = 7
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
