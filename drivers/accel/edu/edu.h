/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the edu driver share. edu_drv.c is the PCI device and its
 * interrupt; edu_factorial.c and edu_dma.c are an engine each.
 */
#ifndef _ACCEL_EDU_H
#define _ACCEL_EDU_H

#include <linux/accel.h>
#include <linux/bits.h>
#include <linux/container_of.h>
#include <linux/io.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <uapi/linux/accel_edu.h>

struct pci_dev;
struct scatterlist;

/* Registers. Those of the DMA engine may be accessed as 64 bits, too */
#define EDU_REG_ID			0x00
#define EDU_REG_LIVENESS		0x04
#define EDU_REG_FACTORIAL		0x08
#define EDU_REG_STATUS			0x20
#define  EDU_STATUS_COMPUTING		BIT(0)
#define  EDU_STATUS_INTERRUPT		BIT(7)
#define EDU_REG_INTERRUPT_STATUS	0x24
#define EDU_REG_INTERRUPT_RAISE		0x60
#define EDU_REG_INTERRUPT_ACK		0x64
#define  EDU_INTERRUPT_FACTORIAL	BIT(0)
#define  EDU_INTERRUPT_DMA		BIT(8)
#define EDU_REG_DMA_SOURCE		0x80
#define EDU_REG_DMA_DESTINATION		0x88
#define EDU_REG_DMA_COUNT		0x90
#define EDU_REG_DMA_COMMAND		0x98
#define  EDU_DMA_RUN			BIT(0)
#define  EDU_DMA_TO_MEMORY		BIT(1)
#define  EDU_DMA_INTERRUPT		BIT(2)

/**
 * struct edu_device - an edu device
 * @accel: its face to the core
 * @factorial: engine ACCEL_EDU_ENGINE_FACTORIAL
 * @dma: engine ACCEL_EDU_ENGINE_DMA
 * @pdev: the PCI device
 * @regs: its registers
 * @irq: Linux's number of its interrupt
 * @id: value of its identification register
 * @lock: protects the members that follow, and the registers that start a job.
 *	Taken in any context, innermost. accel_job_done() is called without it,
 *	as that may start the next job, which takes it
 * @dead: an engine did not stop when it was told to; nothing is started any more
 * @interrupts: counted since the driver was bound
 * @factorial_job: what the factorial engine works on, or NULL
 * @dma_job: what the DMA engine works on, or NULL
 * @chip_client: the client that @chip_valid is about
 * @chip_valid: bytes of on-chip memory which that client has loaded
 */
struct edu_device {
	struct accel_device accel;
	struct accel_engine factorial;
	struct accel_engine dma;
	struct pci_dev *pdev;
	void __iomem *regs;
	int irq;
	u32 id;
	spinlock_t lock;		/* protects what follows */
	bool dead;
	u64 interrupts;
	struct edu_job *factorial_job;
	struct edu_job *dma_job;
	u64 chip_client;
	DECLARE_BITMAP(chip_valid, ACCEL_EDU_MEMORY_SIZE);
};

/**
 * struct edu_factorial - a checked command of the factorial engine
 * @value: number to take the factorial of
 * @result: where the factorial goes
 */
struct edu_factorial {
	u32 value;
	u32 *result;
};

/**
 * struct edu_cursor - a place in a buffer as the device sees it
 * @sg: DMA segment
 * @offset: bytes into that segment; less than its length, or the end is reached
 */
struct edu_cursor {
	struct scatterlist *sg;
	u32 offset;
};

/**
 * struct edu_transfer - a checked command of the DMA engine, and how far it is
 * @src: what is loaded next
 * @dst: where what is stored next goes
 * @copy: when all that was loaded is stored, load more
 * @load: direction of the current stretch: to the chip, or from it
 * @chip: where in on-chip memory the next piece begins
 * @stretch: bytes that go in one direction before the other has its turn
 * @stretch_left: those of them that are not yet transferred
 * @piece: bytes that the device transfers right now
 * @left: bytes of a copy that later stretches transfer
 */
struct edu_transfer {
	struct edu_cursor src;
	struct edu_cursor dst;
	bool copy;
	bool load;
	u32 chip;
	u32 stretch;
	u32 stretch_left;
	u32 piece;
	u64 left;
};

/**
 * struct edu_job - a job of either engine
 * @base: the core's part
 * @factorial: for the factorial engine
 * @transfer: for the DMA engine; protected by &edu_device.lock once started
 */
struct edu_job {
	struct accel_job base;
	union {
		struct edu_factorial factorial;
		struct edu_transfer transfer;
	};
};

static inline struct edu_device *to_edu(struct accel_device *accel)
{
	return container_of(accel, struct edu_device, accel);
}

static inline struct edu_job *to_edu_job(struct accel_job *job)
{
	return container_of(job, struct edu_job, base);
}

static inline u32 edu_read(struct edu_device *edu, unsigned int reg)
{
	return ioread32(edu->regs + reg);
}

static inline void edu_write(struct edu_device *edu, unsigned int reg, u32 value)
{
	iowrite32(value, edu->regs + reg);
}

int edu_wait_clear(struct edu_device *edu, unsigned int reg, u32 bit);

int edu_factorial_validate(struct edu_job *job);
int edu_factorial_run(struct edu_device *edu, struct edu_job *job);
void edu_factorial_abort(struct edu_device *edu, struct edu_job *job);
struct edu_job *edu_factorial_interrupt(struct edu_device *edu);

int edu_dma_validate(struct edu_job *job);
int edu_dma_run(struct edu_device *edu, struct edu_job *job);
void edu_dma_abort(struct edu_device *edu, struct edu_job *job);
struct edu_job *edu_dma_interrupt(struct edu_device *edu);

#endif /* _ACCEL_EDU_H */
