/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Commands of the edu driver, for QEMU's educational PCI device (1234:11e8).
 * Its registers are described in QEMU's docs/specs/edu.
 */
#ifndef _UAPI_LINUX_ACCEL_EDU_H
#define _UAPI_LINUX_ACCEL_EDU_H

#include <linux/types.h>

/* Engines, by number */
#define ACCEL_EDU_ENGINE_FACTORIAL	0
#define ACCEL_EDU_ENGINE_DMA		1

/*
 * On-chip memory that the DMA engine reaches, in bytes. The chip has one more,
 * but QEMU before 8.2.1 exits when a transfer gets that far.
 */
#define ACCEL_EDU_MEMORY_SIZE		4095

/* The largest factorial that 32 bits hold */
#define ACCEL_EDU_FACTORIAL_MAX		12

/**
 * struct accel_edu_factorial - command of the factorial engine
 * @value: number to take the factorial of, at most ACCEL_EDU_FACTORIAL_MAX
 * @bo: place of the result's buffer in the job's list; the list must say that
 *	it is written
 * @offset: where in that buffer the result goes as a __u32 of the CPU's byte
 *	order; a multiple of 4
 */
struct accel_edu_factorial {
	__u32 value;
	__u32 bo;
	__u64 offset;
};

/**
 * enum accel_edu_dma_op - what a command of the DMA engine does
 * @ACCEL_EDU_DMA_LOAD: from a buffer to on-chip memory
 * @ACCEL_EDU_DMA_STORE: from on-chip memory to a buffer. What is stored must have
 *	been loaded through the same open file, and no job of another may have
 *	used the engine to load or copy since: else the job fails with EACCES
 * @ACCEL_EDU_DMA_COPY: from a buffer through on-chip memory, whose contents are
 *	lost, to a buffer; the two ranges may not overlap
 */
enum accel_edu_dma_op {
	ACCEL_EDU_DMA_LOAD = 1,
	ACCEL_EDU_DMA_STORE = 2,
	ACCEL_EDU_DMA_COPY = 3
};

/**
 * struct accel_edu_dma - command of the DMA engine
 * @op: an enum accel_edu_dma_op; others are EOPNOTSUPP
 * @chip_offset: where in on-chip memory LOAD and STORE begin, in bytes; 0 for
 *	COPY
 * @src_bo: place of the source in the job's list, which must say that it is
 *	read; 0 for STORE
 * @dst_bo: place of the destination in the job's list, which must say that it
 *	is written; 0 for LOAD
 * @src_offset: where in the source the transfer begins, in bytes; 0 for STORE
 * @dst_offset: where in the destination it begins, in bytes; 0 for LOAD
 * @length: bytes to transfer, not 0. The device moves 2 KiB in about 100 ms,
 *	and a COPY moves everything twice: mind the queue's timeout
 */
struct accel_edu_dma {
	__u32 op;
	__u32 chip_offset;
	__u32 src_bo;
	__u32 dst_bo;
	__u64 src_offset;
	__u64 dst_offset;
	__u64 length;
};

/**
 * struct accel_edu_info - answer to ACCEL_QUERY_DRIVER
 * @id: identification register, 0xRRrr00ed with major and minor revision
 * @memory_size: on-chip memory in bytes
 * @interrupts: interrupts this device has raised since it was bound
 */
struct accel_edu_info {
	__u32 id;
	__u32 memory_size;
	__u64 interrupts;
};

#endif /* _UAPI_LINUX_ACCEL_EDU_H */
