// SPDX-License-Identifier: GPL-2.0-only
/*
 * A second driver for QEMU's edu, of the other subsystem. It does one thing, moving
 * eight bytes onto the chip and back, and takes a device only from who asks for it by
 * driver_override.
 */
#include "internal.h"

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/time64.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_managed.h>

#define EDU_REG_DMA_SOURCE	0x80
#define EDU_REG_DMA_DESTINATION	0x88
#define EDU_REG_DMA_COUNT	0x90
#define EDU_REG_DMA_COMMAND	0x98
#define  EDU_DMA_RUN		BIT(0)
#define  EDU_DMA_TO_MEMORY	BIT(1)

#define EDU_CHIP_MEMORY		0x40000
#define EDU_DMA_BITS		28

/* A transfer takes 100 ms. */
#define EDU_POLL_US		(5 * USEC_PER_MSEC)
#define EDU_TIMEOUT_US		(2 * USEC_PER_SEC)

/**
 * struct test_edu - an edu device under DRM
 * @drm: the DRM device
 * @regs: registers; valid between drm_dev_enter() and drm_dev_exit()
 * @lock: one trip at a time
 * @bounce: where the device reads and writes; valid as @regs
 * @bounce_dma: its address for the device
 */
struct test_edu {
	struct drm_device drm;
	void __iomem *regs;
	struct mutex lock;		/* one trip at a time */
	u64 *bounce;
	dma_addr_t bounce_dma;
};

/* What was begun has ended when this returns, or the device is broken. */
static int test_edu_transfer(struct test_edu *edu, u32 src, u32 dst, u32 flags)
{
	u32 value;

	iowrite32(src, edu->regs + EDU_REG_DMA_SOURCE);
	iowrite32(dst, edu->regs + EDU_REG_DMA_DESTINATION);
	iowrite32(sizeof(*edu->bounce), edu->regs + EDU_REG_DMA_COUNT);
	iowrite32(EDU_DMA_RUN | flags, edu->regs + EDU_REG_DMA_COMMAND);
	return readl_poll_timeout(edu->regs + EDU_REG_DMA_COMMAND, value,
				  !(value & EDU_DMA_RUN), EDU_POLL_US,
				  EDU_TIMEOUT_US);
}

/* The way of DRM: who takes the device away waits for us at drm_dev_exit(). */
static int test_edu_trip_ioctl(struct drm_device *drm, void *data,
			       struct drm_file *file)
{
	struct test_edu *edu = container_of(drm, struct test_edu, drm);
	struct accel_drm_edu_trip *trip = data;
	int idx, ret;

	if (!drm_dev_enter(drm, &idx))
		return -ENODEV;

	scoped_guard(mutex, &edu->lock) {
		*edu->bounce = trip->value;
		ret = test_edu_transfer(edu, edu->bounce_dma, EDU_CHIP_MEMORY, 0);
		*edu->bounce = 0;
		if (!ret)
			ret = test_edu_transfer(edu, EDU_CHIP_MEMORY,
						edu->bounce_dma,
						EDU_DMA_TO_MEMORY);
		trip->value = *edu->bounce;
	}
	drm_dev_exit(idx);
	return ret;
}

static const struct drm_ioctl_desc test_edu_ioctls[] = {
	{
		.cmd = ACCEL_DRM_EDU_TRIP,
		.func = test_edu_trip_ioctl,
		.name = "ACCEL_DRM_EDU_TRIP",
	},
};

DEFINE_DRM_ACCEL_FOPS(test_edu_fops);

static const struct drm_driver test_edu_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM,
	.fops = &test_edu_fops,
	.ioctls = test_edu_ioctls,
	.num_ioctls = ARRAY_SIZE(test_edu_ioctls),
	DRM_GEM_SHMEM_DRIVER_OPS,
	.name = ACCEL_DRM_EDU_NAME,
	.desc = "QEMU's edu as a DRM accelerator",
	.major = 1,
};

static int test_edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct test_edu *edu;
	int ret;

	edu = devm_drm_dev_alloc(dev, &test_edu_drm_driver, struct test_edu, drm);
	if (IS_ERR(edu))
		return PTR_ERR(edu);
	pci_set_drvdata(pdev, edu);

	ret = drmm_mutex_init(&edu->drm, &edu->lock);
	if (ret)
		return ret;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	edu->regs = pcim_iomap_region(pdev, 0, ACCEL_DRM_EDU_NAME);
	if (IS_ERR(edu->regs))
		return PTR_ERR(edu->regs);
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(EDU_DMA_BITS));
	if (ret)
		return ret;
	edu->bounce = dmam_alloc_coherent(dev, sizeof(*edu->bounce),
					  &edu->bounce_dma, GFP_KERNEL);
	if (!edu->bounce)
		return -ENOMEM;

	pci_set_master(pdev);
	return drm_dev_register(&edu->drm, 0);
}

static void test_edu_remove(struct pci_dev *pdev)
{
	struct test_edu *edu = pci_get_drvdata(pdev);

	drm_dev_unplug(&edu->drm);
}

/* Of no ids: with some, the order of modules would decide who gets a device. */
static struct pci_driver test_edu_driver = {
	.name = ACCEL_DRM_EDU_NAME,
	.probe = test_edu_probe,
	.remove = test_edu_remove,
};

int accel_drm_edu_register(void)
{
	return pci_register_driver(&test_edu_driver);
}

void accel_drm_edu_unregister(void)
{
	pci_unregister_driver(&test_edu_driver);
}
