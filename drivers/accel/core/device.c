// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: allocation, registration, and the way out.
 *
 * The core owns the memory of a device, so whoever has it open may outlive the
 * driver. What may not outlive it are calls into the driver: those are made
 * between accel_dev_enter() and accel_dev_exit(), or by the engines, which
 * accel_unregister() stops.
 */
#include "accel_internal.h"

#include <linux/accel_class.h>
#include <linux/anon_inodes.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/slab.h>

struct workqueue_struct *accel_wq;

static const struct file_operations accel_mapping_fops = {
	.owner = THIS_MODULE,
};

static void accel_device_release(struct device *device)
{
	struct accel_device *dev = container_of(device, struct accel_device, dev);

	if (dev->dev.devt)
		accel_minor_free(MINOR(dev->dev.devt));
	if (dev->mapping)
		fput(dev->mapping);
	if (dev->wq)
		destroy_workqueue(dev->wq);
	mtree_destroy(&dev->mmap_offsets);
	mutex_destroy(&dev->lock);
	cleanup_srcu_struct(&dev->srcu);
	kfree(dev->system);
	kfree(dev->ops);
	if (dev->gone)
		accel_census_dec(ACCEL_CENSUS_ORPHANS);
	kfree(dev);
}

static const struct device_type accel_device_type = {
	.name = "accel_native",
	.release = accel_device_release,
};

static void accel_device_put(void *dev)
{
	put_device(&((struct accel_device *)dev)->dev);
}

static int accel_device_init_system(struct accel_device *dev)
{
	struct accel_region *system;

	system = kzalloc_obj(*system, GFP_KERNEL);
	if (!system)
		return -ENOMEM;

	dev->system = system;
	system->name = "system";
	return accel_region_add(dev, system);
}

static int accel_device_init(struct accel_device *dev)
{
	int ret;

	dev->wq = alloc_workqueue("accel-%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
				  dev_name(dev->dev.parent));
	if (!dev->wq)
		return -ENOMEM;

	dev->mapping = anon_inode_create_getfile("accel", &accel_mapping_fops,
						 NULL, O_RDWR, NULL);
	if (IS_ERR(dev->mapping)) {
		ret = PTR_ERR(dev->mapping);
		dev->mapping = NULL;
		return ret;
	}

	return accel_device_init_system(dev);
}

struct accel_device *__devm_accel_alloc_device(struct device *parent,
					       const struct accel_ops *ops,
					       size_t size, unsigned int flags)
{
	struct accel_device *dev;
	int ret;

	dev = kzalloc(size, GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);

	/* What is plain data in there is looked at when the driver is gone. */
	dev->ops = kmemdup(ops, sizeof(*ops), GFP_KERNEL);
	ret = dev->ops ? init_srcu_struct(&dev->srcu) : -ENOMEM;
	if (ret) {
		kfree(dev->ops);
		kfree(dev);
		return ERR_PTR(ret);
	}

	dev->virtual = flags & ACCEL_ALLOC_VIRTUAL;
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->bos);
	INIT_LIST_HEAD(&dev->files);
	INIT_LIST_HEAD(&dev->timelines);
	spin_lock_init(&dev->imports_lock);
	dev->imports = RB_ROOT;
	mt_init_flags(&dev->mmap_offsets, MT_FLAGS_ALLOC_RANGE);
	device_initialize(&dev->dev);
	dev->dev.parent = parent;
	dev->dev.class = &accel_class;
	dev->dev.type = &accel_device_type;

	ret = devm_add_action_or_reset(parent, accel_device_put, dev);
	if (ret)
		return ERR_PTR(ret);

	ret = accel_device_init(dev);
	return ret ? ERR_PTR(ret) : dev;
}
EXPORT_SYMBOL_NS_GPL(__devm_accel_alloc_device, "ACCEL");

/**
 * accel_region_add - add a memory region to a device
 * @dev: the device, not yet registered
 * @region: its description; must stay until accel_unregister() has returned
 *
 * Region 0 is system memory and is there already.
 *
 * Return: 0, ENOSPC if there are ACCEL_REGIONS_MAX, EINVAL for ACCEL_REGION_EVICTS with
 * a populate callback.
 */
int accel_region_add(struct accel_device *dev, struct accel_region *region)
{
	if (dev->region_count == ACCEL_REGIONS_MAX)
		return -ENOSPC;
	if (region->flags & ACCEL_REGION_EVICTS && region->ops->populate)
		return -EINVAL;

	mutex_init(&region->evict_lock);
	spin_lock_init(&region->lock);
	INIT_LIST_HEAD(&region->bos);
	dev->regions[dev->region_count++] = region;
	return 0;
}
EXPORT_SYMBOL_NS_GPL(accel_region_add, "ACCEL");

/* Whether hardware reaches all of the system's memory, by itself or by an IOMMU. */
bool accel_reaches_memory(struct device *hw)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(hw);

	if (domain && iommu_is_dma_domain(domain))
		return true;
	return !dma_addressing_limited(hw);
}

/* Memory comes from where the device can reach all of it, or is made so. */
static const struct accel_bo_ops *accel_system_ops(struct accel_device *dev)
{
	if (!dev->virtual && !accel_reaches_memory(dev->dev.parent))
		return &accel_bo_dma_ops;
	return &accel_bo_shmem_ops;
}

static bool accel_ioctl_is_sane(const struct accel_ioctl_desc *desc)
{
	return desc->nr >= ACCEL_IOCTL_DRIVER_BASE && desc->nr <= _IOC_NRMASK &&
	       desc->min_size >= sizeof(u32) && desc->arg_size >= desc->min_size &&
	       desc->handler && !(desc->flags & ~ACCEL_IOCTL_OUT);
}

static bool accel_ioctls_are_sane(const struct accel_ops *ops)
{
	unsigned int i;

	for (i = 0; i < ops->ioctl_count; i++)
		if (!accel_ioctl_is_sane(&ops->ioctls[i]) ||
		    (i && ops->ioctls[i].nr <= ops->ioctls[i - 1].nr))
			return false;
	return true;
}

static bool accel_ops_are_sane(const struct accel_ops *ops)
{
	return ops->name && strlen(ops->name) < ACCEL_NAME_SIZE &&
	       (!ops->job_size || ops->job_size >= sizeof(struct accel_job)) &&
	       ops->cmd_size_max && ops->cmd_size_max <= ACCEL_CMD_SIZE_MAX &&
	       ops->timeout_default_ms &&
	       ops->timeout_default_ms <= ops->timeout_max_ms &&
	       !ops->info_size == !ops->info &&
	       ops->job_validate && ops->job_run && ops->job_abort &&
	       accel_ioctls_are_sane(ops);
}

/* Memory for the device is what its coherent mask reaches; it is mapped by the other. */
static bool accel_masks_are_sane(struct accel_device *dev)
{
	struct device *hw = dev->dev.parent;

	return dev->virtual || !hw->dma_mask ||
	       hw->coherent_dma_mask <= *hw->dma_mask;
}

/**
 * accel_register - make a device known to users
 * @dev: the device, with its engines and regions; its DMA masks are set, and the
 *	coherent one is not the wider
 *
 * Callbacks may come before this returns.
 *
 * Context: may sleep.
 * Return: 0; EINVAL if ops or masks do not keep to their rules, ENOSPC if there is no
 * free minor, or what adding the device gives. Nothing is left to undo.
 */
int accel_register(struct accel_device *dev)
{
	int minor, ret;

	if (dev->registered || !dev->engine_count ||
	    !accel_ops_are_sane(dev->ops) || !accel_masks_are_sane(dev)) {
		dev_err(dev->dev.parent, "accel: registered twice, without an engine, or with bad ops or DMA masks\n");
		return -EINVAL;
	}

	dev->system->ops = accel_system_ops(dev);

	minor = accel_minor_alloc(dev->virtual ? ACCEL_MINOR_VIRTUAL :
						 ACCEL_MINOR_HARDWARE);
	if (minor < 0)
		return minor;

	ret = dev_set_name(&dev->dev, "accel%d", minor);
	if (ret) {
		accel_minor_free(minor);
		return ret;
	}

	/* The minor is the device's until that is freed. */
	dev->dev.devt = MKDEV(ACCEL_MAJOR, minor);
	cdev_init(&dev->cdev, &accel_fops);
	dev->cdev.owner = THIS_MODULE;
	dev->registered = true;
	ret = cdev_device_add(&dev->cdev, &dev->dev);
	if (ret) {
		/* Somebody may have it open already. */
		accel_unregister(dev);
		return ret;
	}
	return 0;
}
EXPORT_SYMBOL_NS_GPL(accel_register, "ACCEL");

/**
 * accel_unregister - take a device away from its users
 * @dev: the device
 *
 * Refuses new work, aborts and cancels what there is with ENODEV, wakes every
 * waiter, undoes all DMA mappings, and gives back what buffers have in the
 * driver's regions. When it returns, no callback is running and none will come;
 * accel_job_done() is not to be called any more. Open files stay, and answer as
 * Documentation/accel/lifetime.rst says.
 *
 * Context: may sleep, as long as the driver's job_abort takes.
 */
void accel_unregister(struct accel_device *dev)
{
	if (device_is_registered(&dev->dev))
		cdev_device_del(&dev->cdev, &dev->dev);

	accel_census_inc(ACCEL_CENSUS_ORPHANS);
	WRITE_ONCE(dev->gone, true);
	synchronize_srcu(&dev->srcu);

	accel_sched_stop(dev);
	accel_timeline_close_all(dev, -ENODEV);
	accel_event_gone_all(dev);
	accel_bo_detach_all(dev);
}
EXPORT_SYMBOL_NS_GPL(accel_unregister, "ACCEL");

/**
 * accel_dev_enter - keep a device registered
 * @dev: the device
 * @idx: to be passed to accel_dev_exit()
 *
 * Until accel_dev_exit(), accel_unregister() does not return. Not to be held
 * over a wait for anything but the device's own bounded work.
 *
 * Return: false, with nothing to undo, if the device is gone.
 */
bool accel_dev_enter(struct accel_device *dev, int *idx)
{
	*idx = srcu_read_lock(&dev->srcu);
	if (likely(!READ_ONCE(dev->gone)))
		return true;

	srcu_read_unlock(&dev->srcu, *idx);
	return false;
}
EXPORT_SYMBOL_NS_GPL(accel_dev_enter, "ACCEL");

/**
 * accel_dev_exit - end what accel_dev_enter() began
 * @dev: the device
 * @idx: as accel_dev_enter() gave it
 */
void accel_dev_exit(struct accel_device *dev, int idx)
{
	srcu_read_unlock(&dev->srcu, idx);
}
EXPORT_SYMBOL_NS_GPL(accel_dev_exit, "ACCEL");

static int __init accel_init(void)
{
	int ret;

	accel_wq = alloc_workqueue("accel", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!accel_wq)
		return -ENOMEM;

	ret = accel_advise_init();
	if (ret) {
		destroy_workqueue(accel_wq);
		return ret;
	}

	accel_census_init();
	return 0;
}

static void __exit accel_exit(void)
{
	accel_census_exit();
	accel_advise_exit();
	/* Frees that were put off run code of this module. */
	accel_census_drain();
	destroy_workqueue(accel_wq);
}

module_init(accel_init);
module_exit(accel_exit);
MODULE_DESCRIPTION("Native accelerator subsystem");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
