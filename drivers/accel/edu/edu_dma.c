// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA engine, which moves data between memory and the chip.
 *
 * A job is cut into pieces, each of which the device can do at once: within one
 * DMA segment of a buffer, and no longer than EDU_PIECE_MAX. The interrupt that
 * ends a piece starts the next. A copy goes through on-chip memory in stretches,
 * in and out by turns.
 *
 * On-chip memory is shared by all clients and only DMA can clear it, which
 * would take longer than most jobs. So it is not cleared, but nobody is given a
 * byte that he has not put there himself: the driver keeps account of the bytes
 * that the latest client has loaded, and fails a STORE of any other.
 */
#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/minmax.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>

#include "edu.h"

/* Where the device sees its own memory */
#define EDU_CHIP_ADDRESS	0x40000

/*
 * QEMU before 8.2.1 takes a transfer that ends where on-chip memory does for one
 * that goes too far, and exits. ACCEL_EDU_MEMORY_SIZE leaves out the last byte,
 * and a piece is half of what there is.
 */
#define EDU_PIECE_MAX		SZ_2K
static_assert(EDU_PIECE_MAX <= ACCEL_EDU_MEMORY_SIZE);

static int edu_cursor_init(struct edu_cursor *cursor, struct edu_job *job,
			   u32 index, u64 offset, u64 length, u32 flags)
{
	struct scatterlist *sg;
	struct accel_bo *bo;
	int ret;

	bo = accel_job_find_bo(&job->base, index, offset, length, flags);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = accel_bo_map_dma(bo);
	if (ret)
		return ret;

	for (sg = bo->sgt->sgl; offset >= sg_dma_len(sg); sg = sg_next(sg))
		offset -= sg_dma_len(sg);

	cursor->sg = sg;
	cursor->offset = offset;
	return 0;
}

static void edu_cursor_advance(struct edu_cursor *cursor, u32 length)
{
	cursor->offset += length;
	if (cursor->offset == sg_dma_len(cursor->sg)) {
		cursor->sg = sg_next(cursor->sg);
		cursor->offset = 0;
	}
}

/* What the job's list says of the buffers that the operation uses, or not. */
static int edu_dma_validate_bos(struct edu_job *job)
{
	const struct accel_edu_dma *cmd = job->base.cmd;
	struct edu_transfer *transfer = &job->transfer;
	int ret;

	if (cmd->op == ACCEL_EDU_DMA_STORE) {
		if (cmd->src_bo || cmd->src_offset)
			return -EINVAL;
	} else {
		ret = edu_cursor_init(&transfer->src, job, cmd->src_bo,
				      cmd->src_offset, cmd->length,
				      ACCEL_BO_READ);
		if (ret)
			return ret;
	}

	if (cmd->op == ACCEL_EDU_DMA_LOAD)
		return cmd->dst_bo || cmd->dst_offset ? -EINVAL : 0;

	return edu_cursor_init(&transfer->dst, job, cmd->dst_bo, cmd->dst_offset,
			       cmd->length, ACCEL_BO_WRITE);
}

/* LOAD and STORE are a single stretch. */
static int edu_dma_validate_simple(struct edu_job *job, bool load)
{
	const struct accel_edu_dma *cmd = job->base.cmd;
	struct edu_transfer *transfer = &job->transfer;

	if (cmd->length > ACCEL_EDU_MEMORY_SIZE ||
	    cmd->chip_offset > ACCEL_EDU_MEMORY_SIZE - cmd->length)
		return -EINVAL;

	transfer->load = load;
	transfer->chip = cmd->chip_offset;
	transfer->stretch = cmd->length;
	transfer->stretch_left = cmd->length;
	return edu_dma_validate_bos(job);
}

static int edu_dma_validate_copy(struct edu_job *job)
{
	const struct accel_edu_dma *cmd = job->base.cmd;
	struct edu_transfer *transfer = &job->transfer;
	int ret;

	if (cmd->chip_offset)
		return -EINVAL;

	ret = edu_dma_validate_bos(job);
	if (ret)
		return ret;

	/* Both ranges are within the buffer, so nothing overflows. */
	if (cmd->src_bo == cmd->dst_bo &&
	    cmd->src_offset < cmd->dst_offset + cmd->length &&
	    cmd->dst_offset < cmd->src_offset + cmd->length)
		return -EINVAL;

	transfer->copy = true;
	transfer->load = true;
	transfer->stretch = min(cmd->length, EDU_PIECE_MAX);
	transfer->stretch_left = transfer->stretch;
	transfer->left = cmd->length - transfer->stretch;
	return 0;
}

int edu_dma_validate(struct edu_job *job)
{
	const struct accel_edu_dma *cmd = job->base.cmd;

	if (job->base.cmd_size != sizeof(*cmd))
		return -EINVAL;
	if (!cmd->length)
		return -EINVAL;

	switch (cmd->op) {
	case ACCEL_EDU_DMA_LOAD:
		return edu_dma_validate_simple(job, true);
	case ACCEL_EDU_DMA_STORE:
		return edu_dma_validate_simple(job, false);
	case ACCEL_EDU_DMA_COPY:
		return edu_dma_validate_copy(job);
	default:
		return -EOPNOTSUPP;
	}
}

static bool edu_chip_readable(struct edu_device *edu, u64 client, u32 begin,
			      u32 length)
{
	u32 end = begin + length;

	return edu->chip_client == client &&
	       find_next_zero_bit(edu->chip_valid, end, begin) >= end;
}

/* @client is about to overwrite this; with what, is known when it is done. */
static void edu_chip_claim(struct edu_device *edu, u64 client, u32 begin,
			   u32 length)
{
	if (edu->chip_client != client) {
		edu->chip_client = client;
		bitmap_zero(edu->chip_valid, ACCEL_EDU_MEMORY_SIZE);
	}
	bitmap_clear(edu->chip_valid, begin, length);
}

static void edu_dma_start_piece(struct edu_device *edu, struct edu_job *job)
{
	struct edu_transfer *transfer = &job->transfer;
	struct edu_cursor *cursor = transfer->load ? &transfer->src :
						     &transfer->dst;
	u32 memory = sg_dma_address(cursor->sg) + cursor->offset;
	u32 chip = EDU_CHIP_ADDRESS + transfer->chip;
	u32 command = EDU_DMA_RUN | EDU_DMA_INTERRUPT;

	transfer->piece = min3(transfer->stretch_left, (u32)EDU_PIECE_MAX,
			       sg_dma_len(cursor->sg) - cursor->offset);

	if (transfer->load) {
		edu_chip_claim(edu, accel_queue_client(job->base.queue),
			       transfer->chip, transfer->piece);
		edu_write(edu, EDU_REG_DMA_SOURCE, memory);
		edu_write(edu, EDU_REG_DMA_DESTINATION, chip);
	} else {
		edu_write(edu, EDU_REG_DMA_SOURCE, chip);
		edu_write(edu, EDU_REG_DMA_DESTINATION, memory);
		command |= EDU_DMA_TO_MEMORY;
	}
	edu_write(edu, EDU_REG_DMA_COUNT, transfer->piece);
	edu_write(edu, EDU_REG_DMA_COMMAND, command);
}

static void edu_dma_end_piece(struct edu_device *edu,
			      struct edu_transfer *transfer)
{
	if (transfer->load) {
		bitmap_set(edu->chip_valid, transfer->chip, transfer->piece);
		edu_cursor_advance(&transfer->src, transfer->piece);
	} else {
		edu_cursor_advance(&transfer->dst, transfer->piece);
	}
	transfer->chip += transfer->piece;
	transfer->stretch_left -= transfer->piece;
}

/* Returns false at the end of the job. */
static bool edu_dma_next_stretch(struct edu_transfer *transfer)
{
	if (!transfer->copy || (!transfer->load && !transfer->left))
		return false;

	if (!transfer->load) {
		transfer->stretch = min(transfer->left, EDU_PIECE_MAX);
		transfer->left -= transfer->stretch;
	}
	transfer->load = !transfer->load;
	transfer->stretch_left = transfer->stretch;
	transfer->chip = 0;
	return true;
}

int edu_dma_run(struct edu_device *edu, struct edu_job *job)
{
	struct edu_transfer *transfer = &job->transfer;

	scoped_guard(spinlock_irqsave, &edu->lock) {
		if (edu->dead)
			return -EIO;
		if (!transfer->load &&
		    !edu_chip_readable(edu, accel_queue_client(job->base.queue),
				       transfer->chip, transfer->stretch))
			return -EACCES;

		edu->dma_job = job;
		edu_dma_start_piece(edu, job);
	}
	return 0;
}

/* The engine has raised its interrupt. Returns the job that this ends. */
struct edu_job *edu_dma_interrupt(struct edu_device *edu)
{
	struct edu_job *job = edu->dma_job;

	lockdep_assert_held(&edu->lock);

	if (!job)
		return NULL;

	edu_dma_end_piece(edu, &job->transfer);
	if (job->transfer.stretch_left || edu_dma_next_stretch(&job->transfer)) {
		edu_dma_start_piece(edu, job);
		return NULL;
	}

	edu->dma_job = NULL;
	return job;
}

/*
 * The device cannot be told to drop a transfer. Without bus mastering it does
 * not reach memory; but the transfer has to be waited out before the next may
 * have bus mastering.
 */
static void edu_dma_stop(struct edu_device *edu)
{
	pci_clear_master(edu->pdev);
	if (edu_wait_clear(edu, EDU_REG_DMA_COMMAND, EDU_DMA_RUN))
		return;

	/* The next job must not take this one's interrupt for its own. */
	edu_write(edu, EDU_REG_INTERRUPT_ACK, EDU_INTERRUPT_DMA);
	pci_set_master(edu->pdev);

	/*
	 * Messages are writes by the device as well, so an interrupt of the
	 * other engine may have been lost. Have it sent again.
	 */
	edu_write(edu, EDU_REG_INTERRUPT_RAISE, EDU_INTERRUPT_FACTORIAL);
}

void edu_dma_abort(struct edu_device *edu, struct edu_job *job)
{
	bool running;

	scoped_guard(spinlock_irqsave, &edu->lock) {
		running = edu->dma_job == job;
		if (running)
			edu->dma_job = NULL;
	}
	if (running)
		edu_dma_stop(edu);

	/*
	 * The handler may have taken the job and be about to end it, or have
	 * seen the interrupt that was acknowledged here.
	 */
	synchronize_irq(edu->irq);
}
