// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's educational PCI device: probe, interrupt, and the way out. QEMU's
 * docs/specs/edu describes the registers.
 */
#include <linux/cleanup.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/time64.h>

#include "edu.h"

#define EDU_BAR			0
#define EDU_VENDOR_ID		0x1234
#define EDU_DEVICE_ID		0x11e8

/* The revision is in the upper half. */
#define EDU_ID_MASK		0xffff
#define EDU_ID_VALUE		0x00ed

#define EDU_DMA_BITS		28

/* A transfer of 2 KiB takes 100 ms, and each may take a few hundred of them. */
#define EDU_TIMEOUT_DEFAULT_MS	(30 * MSEC_PER_SEC)
#define EDU_TIMEOUT_MAX_MS	(300 * MSEC_PER_SEC)

/* What an engine has begun takes 100 ms at most. */
#define EDU_STOP_POLL_US	(5 * USEC_PER_MSEC)
#define EDU_STOP_TIMEOUT_US	(2 * USEC_PER_SEC)

/*
 * Wait until an engine is idle. If it does not get there nothing can be done
 * with the device any more, since a later job would take this one's end for its
 * own.
 */
int edu_wait_clear(struct edu_device *edu, unsigned int reg, u32 bit)
{
	u32 value;
	int ret;

	/* A device that was pulled out reads as all ones, and is idle. */
	ret = read_poll_timeout(edu_read, value,
				!(value & bit) || PCI_POSSIBLE_ERROR(value),
				EDU_STOP_POLL_US, EDU_STOP_TIMEOUT_US, false,
				edu, reg);
	if (!ret)
		return 0;

	dev_err(&edu->pdev->dev, "engine does not stop, register %#x is %#x\n",
		reg, value);
	scoped_guard(spinlock_irqsave, &edu->lock)
		edu->dead = true;
	return ret;
}

static irqreturn_t edu_interrupt(int irq, void *data)
{
	struct edu_job *factorial = NULL, *dma = NULL;
	struct edu_device *edu = data;
	u32 status;

	status = edu_read(edu, EDU_REG_INTERRUPT_STATUS);
	if (!status || PCI_POSSIBLE_ERROR(status))
		return IRQ_NONE;

	/* Before the engines are looked at: what ends after that, raises anew. */
	edu_write(edu, EDU_REG_INTERRUPT_ACK, status);

	scoped_guard(spinlock_irqsave, &edu->lock) {
		edu->interrupts++;
		if (status & EDU_INTERRUPT_FACTORIAL)
			factorial = edu_factorial_interrupt(edu);
		if (status & EDU_INTERRUPT_DMA)
			dma = edu_dma_interrupt(edu);
	}

	if (factorial)
		accel_job_done(&factorial->base, 0);
	if (dma)
		accel_job_done(&dma->base, 0);
	return IRQ_HANDLED;
}

static bool edu_job_is_factorial(struct accel_job *job)
{
	return job->queue->engine->index == ACCEL_EDU_ENGINE_FACTORIAL;
}

static int edu_job_validate(struct accel_job *job)
{
	if (edu_job_is_factorial(job))
		return edu_factorial_validate(to_edu_job(job));
	return edu_dma_validate(to_edu_job(job));
}

static int edu_job_run(struct accel_job *job)
{
	struct edu_device *edu = to_edu(job->queue->engine->dev);

	if (edu_job_is_factorial(job))
		return edu_factorial_run(edu, to_edu_job(job));
	return edu_dma_run(edu, to_edu_job(job));
}

static void edu_job_abort(struct accel_job *job)
{
	struct edu_device *edu = to_edu(job->queue->engine->dev);

	if (edu_job_is_factorial(job))
		edu_factorial_abort(edu, to_edu_job(job));
	else
		edu_dma_abort(edu, to_edu_job(job));
}

static void edu_info(struct accel_device *accel, void *data)
{
	struct edu_device *edu = to_edu(accel);
	struct accel_edu_info *info = data;

	info->id = edu->id;
	info->memory_size = ACCEL_EDU_MEMORY_SIZE;
	scoped_guard(spinlock_irqsave, &edu->lock)
		info->interrupts = edu->interrupts;
}

static const struct accel_ops edu_ops = {
	.name = "accel_edu",
	.job_size = ACCEL_JOB_SIZE(struct edu_job, base),
	.cmd_size_max = MAX(sizeof(struct accel_edu_factorial),
			    sizeof(struct accel_edu_dma)),
	.timeout_default_ms = EDU_TIMEOUT_DEFAULT_MS,
	.timeout_max_ms = EDU_TIMEOUT_MAX_MS,
	.info_size = sizeof(struct accel_edu_info),
	.info = edu_info,
	.job_validate = edu_job_validate,
	.job_run = edu_job_run,
	.job_abort = edu_job_abort,
};

/* Is it what the PCI ids say, and does anybody answer? */
static int edu_check(struct edu_device *edu)
{
	const u32 pattern = 0x600df00d;
	u32 answer;

	edu->id = edu_read(edu, EDU_REG_ID);
	if ((edu->id & EDU_ID_MASK) != EDU_ID_VALUE)
		return dev_err_probe(&edu->pdev->dev, -ENODEV,
				     "unknown identification %#x\n", edu->id);

	edu_write(edu, EDU_REG_LIVENESS, pattern);
	answer = edu_read(edu, EDU_REG_LIVENESS);
	if (answer != ~pattern)
		return dev_err_probe(&edu->pdev->dev, -EIO,
				     "liveness register reads %#x\n", answer);
	return 0;
}

static int edu_init_interrupt(struct edu_device *edu)
{
	struct device *dev = &edu->pdev->dev;
	int ret;

	ret = pci_alloc_irq_vectors(edu->pdev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_INTX);
	if (ret < 0)
		return dev_err_probe(dev, ret, "no interrupt\n");

	edu->irq = pci_irq_vector(edu->pdev, 0);
	edu_write(edu, EDU_REG_INTERRUPT_ACK, ~0);
	ret = devm_request_irq(dev, edu->irq, edu_interrupt, IRQF_SHARED,
			       edu_ops.name, edu);
	if (ret)
		return dev_err_probe(dev, ret, "no interrupt handler\n");

	edu_write(edu, EDU_REG_STATUS, EDU_STATUS_INTERRUPT);
	return 0;
}

/* In the order of the numbers that userspace knows. */
static int edu_init_engines(struct edu_device *edu)
{
	int ret;

	ret = accel_engine_init(&edu->accel, &edu->factorial, "factorial", 1,
				ACCEL_ENGINE_ATOMIC_RUN);
	if (ret)
		return ret;
	return accel_engine_init(&edu->accel, &edu->dma, "dma", 1,
				 ACCEL_ENGINE_ATOMIC_RUN);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct edu_device *edu;
	int ret;

	edu = devm_accel_alloc_device(dev, &edu_ops, struct edu_device, accel, 0);
	if (IS_ERR(edu))
		return PTR_ERR(edu);

	edu->pdev = pdev;
	spin_lock_init(&edu->lock);
	pci_set_drvdata(pdev, edu);

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(dev, ret, "cannot be enabled\n");

	edu->regs = pcim_iomap_region(pdev, EDU_BAR, edu_ops.name);
	if (IS_ERR(edu->regs))
		return dev_err_probe(dev, PTR_ERR(edu->regs), "no registers\n");

	ret = edu_check(edu);
	if (ret)
		return ret;

	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(EDU_DMA_BITS));
	if (ret)
		return dev_err_probe(dev, ret, "no memory within reach\n");
	/* Jobs are cut into pieces, however long what they have may be. */
	dma_set_max_seg_size(dev, UINT_MAX);

	pci_set_master(pdev);
	ret = edu_init_interrupt(edu);
	if (ret)
		return ret;

	ret = edu_init_engines(edu);
	if (ret)
		return ret;
	return accel_register(&edu->accel);
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu_device *edu = pci_get_drvdata(pdev);

	accel_unregister(&edu->accel);

	/* Both engines are idle: nothing raises the interrupt again. */
	edu_write(edu, EDU_REG_STATUS, 0);
	edu_write(edu, EDU_REG_INTERRUPT_ACK, ~0);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR_ID, EDU_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "accel_edu",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Driver for QEMU's edu PCI device");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("ACCEL");
