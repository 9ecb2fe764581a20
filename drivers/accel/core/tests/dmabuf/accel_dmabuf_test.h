/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/accel_dmabuf_test: the other side of a shared buffer, for tests. What is in
 * here is between the module and the selftests of the same tree, and is
 * promised to nobody.
 *
 * Whatever an ioctl makes belongs to the open file and goes with it. Members named
 * reserved, and flags that are not named, must be 0: EINVAL.
 */
#ifndef _ACCEL_DMABUF_TEST_H
#define _ACCEL_DMABUF_TEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DMABUF_TEST_NODE	"/dev/accel_dmabuf_test"

/* Most pages of an exported buffer, and most that an ioctl looks at */
#define DMABUF_TEST_PAGES_MAX	4096

/**
 * enum dmabuf_test_kind - whose page frames
 * @DMABUF_TEST_OF_FD: of a dma-buf, by way of vmap; object is its fd
 * @DMABUF_TEST_OF_IMPORT: of a dma-buf, as the importer's device sees them; object is
 *	a handle of DMABUF_TEST_IMPORT
 * @DMABUF_TEST_OF_ADDRESS: of a mapping of the caller's that was touched; object is
 *	an address
 */
enum dmabuf_test_kind {
	DMABUF_TEST_OF_FD = 1,
	DMABUF_TEST_OF_IMPORT = 2,
	DMABUF_TEST_OF_ADDRESS = 3
};

/**
 * struct dmabuf_test_frames - ioctl(DMABUF_TEST_FRAMES)
 * @object: see enum dmabuf_test_kind
 * @frames_ptr: where the page frame numbers go, a __u64 for each page
 * @kind: an enum dmabuf_test_kind
 * @first: the first page
 * @count: number of pages
 * @reserved: must be 0
 */
struct dmabuf_test_frames {
	__u64 object;
	__u64 frames_ptr;
	__u32 kind;
	__u32 first;
	__u32 count;
	__u32 reserved;
};

/**
 * struct dmabuf_test_compare - ioctl(DMABUF_TEST_COMPARE)
 * @fd_a: a dma-buf
 * @fd_b: another
 * @first: the first page
 * @count: number of pages
 *
 * Maps both at the same time and returns the number of pages that are in both
 * the same page frame.
 */
struct dmabuf_test_compare {
	__s32 fd_a;
	__s32 fd_b;
	__u32 first;
	__u32 count;
};

/**
 * struct dmabuf_test_export - ioctl(DMABUF_TEST_EXPORT)
 * @pages: size in pages
 * @reserved: must be 0
 *
 * Returns the fd of a dma-buf whose pages can move.
 */
struct dmabuf_test_export {
	__u32 pages;
	__u32 reserved;
};

/**
 * struct dmabuf_test_move - ioctl(DMABUF_TEST_MOVE)
 * @fd: a dma-buf of DMABUF_TEST_EXPORT, otherwise EINVAL
 * @reserved: must be 0
 *
 * Tells the importers, waits for the fences, and puts the contents into other
 * pages. EBUSY while somebody has pinned it, or mapped it into the kernel; ETIME if
 * there are fences after 10 s.
 */
struct dmabuf_test_move {
	__s32 fd;
	__u32 reserved;
};

/* The device writes, too */
#define DMABUF_TEST_WRITE	(1U << 0)
/* Import as somebody who does not know that buffers move */
#define DMABUF_TEST_STATIC	(1U << 1)

/**
 * struct dmabuf_test_import - ioctl(DMABUF_TEST_IMPORT)
 * @fd: a dma-buf
 * @flags: DMABUF_TEST_*
 *
 * Attaches a device that reaches all memory and returns a handle.
 */
struct dmabuf_test_import {
	__s32 fd;
	__u32 flags;
};

/**
 * struct dmabuf_test_dma - ioctl(DMABUF_TEST_DMA)
 * @handle: of DMABUF_TEST_IMPORT
 * @flags: DMABUF_TEST_WRITE to write, otherwise the device reads
 * @value: what is written, in the CPU's byte order
 * @crc: out, CRC-32 of what was read, as zlib computes it
 * @moves: out, how often the exporter has told that the buffer moves
 * @segments: out, number of segments of the mapping
 *
 * Waits for the fences that such access has to wait for, ETIME after 10 s; maps the
 * buffer if it is not; and does what a device does, at the addresses that it was
 * given.
 */
struct dmabuf_test_dma {
	__u32 handle;
	__u32 flags;
	__u32 value;
	__u32 crc;
	__u32 moves;
	__u32 segments;
};

#define DMABUF_TEST_TIMEOUT_MAX_MS	10000

/**
 * struct dmabuf_test_fence - ioctl(DMABUF_TEST_FENCE)
 * @fd: a dma-buf
 * @flags: DMABUF_TEST_WRITE for a fence of somebody who writes
 * @timeout_ms: when it signals by itself, with ETIMEDOUT: 1 to
 *	DMABUF_TEST_TIMEOUT_MAX_MS
 * @reserved: must be 0
 *
 * Puts a fence into the reservation object and returns a handle. It signals with
 * ECANCELED if the handle is released before.
 */
struct dmabuf_test_fence {
	__s32 fd;
	__u32 flags;
	__u32 timeout_ms;
	__u32 reserved;
};

/**
 * struct dmabuf_test_signal - ioctl(DMABUF_TEST_SIGNAL)
 * @handle: of DMABUF_TEST_FENCE
 * @error: 0, or -4095 to -1
 *
 * ETIME if it has signalled already.
 */
struct dmabuf_test_signal {
	__u32 handle;
	__s32 error;
};

/**
 * struct dmabuf_test_release - ioctl(DMABUF_TEST_RELEASE)
 * @handle: of any kind
 * @reserved: must be 0
 */
struct dmabuf_test_release {
	__u32 handle;
	__u32 reserved;
};

#define DMABUF_TEST_FRAMES	_IOW(0xBC, 0, struct dmabuf_test_frames)
#define DMABUF_TEST_COMPARE	_IOW(0xBC, 1, struct dmabuf_test_compare)
#define DMABUF_TEST_EXPORT	_IOW(0xBC, 2, struct dmabuf_test_export)
#define DMABUF_TEST_MOVE	_IOW(0xBC, 3, struct dmabuf_test_move)
#define DMABUF_TEST_IMPORT	_IOW(0xBC, 4, struct dmabuf_test_import)
#define DMABUF_TEST_DMA		_IOWR(0xBC, 5, struct dmabuf_test_dma)
#define DMABUF_TEST_FENCE	_IOW(0xBC, 6, struct dmabuf_test_fence)
#define DMABUF_TEST_SIGNAL	_IOW(0xBC, 7, struct dmabuf_test_signal)
#define DMABUF_TEST_RELEASE	_IOW(0xBC, 8, struct dmabuf_test_release)

#endif /* _ACCEL_DMABUF_TEST_H */
