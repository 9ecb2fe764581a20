// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one owner of what all nodes in /dev/accel share: the class, the
 * character device region, the minor numbers and the debugfs root.
 */

#include <linux/accel_class.h>
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/init.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/slab.h>

/**
 * DOC: accel class
 *
 * Two kinds of devices appear as /dev/accel/accelN: those of the native
 * subsystem, and those of DRM drivers with %DRIVER_COMPUTE_ACCEL. They share
 * one name space, and this module is what makes them share it. It is loaded
 * when either of them is and knows neither of them.
 *
 * Only the region is claimed here. Each client adds a &struct cdev of its own
 * for each minor that it was given, so an open goes straight to the subsystem
 * that owns the node, and a minor without a device cannot be opened at all.
 */

static DEFINE_IDA(accel_minors);
static struct dentry *accel_debugfs;

static char *accel_devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "accel/%s", dev_name(dev));
}

/*
 * Besides native devices there are DRM minors in here, and control nodes that
 * a DRM driver adds: nothing may assume what an accel device is embedded in.
 * So no dev_release and no dev_groups, and whoever walks the class looks at
 * &device.type first.
 */
const struct class accel_class = {
	.name = "accel",
	.devnode = accel_devnode,
};
EXPORT_SYMBOL_FOR_MODULES(accel_class, "drm,accel");

/**
 * accel_minor_alloc - reserve a minor number
 * @kind: what the minor is for
 *
 * Hardware gets the lowest free number. Virtual devices get the lowest free
 * one from %ACCEL_FIRST_VIRTUAL_MINOR on, so that loading one never takes
 * accel0 away from a device that is plugged in later. A machine that has more
 * accelerators than fit below %ACCEL_FIRST_VIRTUAL_MINOR goes on above it.
 *
 * The number is the caller's until it calls accel_minor_free().
 *
 * Context: Process context, may sleep.
 * Return: The minor, -ENOSPC if all are taken, or -ENOMEM.
 */
int accel_minor_alloc(enum accel_minor_kind kind)
{
	unsigned int min = 0;

	if (kind == ACCEL_MINOR_VIRTUAL)
		min = ACCEL_FIRST_VIRTUAL_MINOR;

	return ida_alloc_range(&accel_minors, min, ACCEL_MAX_MINORS - 1,
			       GFP_KERNEL);
}
EXPORT_SYMBOL_FOR_MODULES(accel_minor_alloc, "drm,accel,accel_test");

/**
 * accel_minor_free - give a minor number back
 * @index: what accel_minor_alloc() returned
 *
 * The next caller of accel_minor_alloc() may get @index at once. Free it only
 * when nobody can reach the old device by it any more: not at unregistration
 * but at the release of the device, when its last open file is gone.
 *
 * Context: Any context.
 */
void accel_minor_free(int index)
{
	ida_free(&accel_minors, index);
}
EXPORT_SYMBOL_FOR_MODULES(accel_minor_free, "drm,accel,accel_test");

/**
 * accel_debugfs_root - debugfs directory that holds one directory per device
 *
 * The directory stays the class's; callers add to it and remove what they
 * added when they unregister the device. A device that is already gone but
 * still held by an open file must not block the name for its successor.
 *
 * Context: Any context.
 * Return: The directory, or an error pointer, which debugfs calls accept.
 */
struct dentry *accel_debugfs_root(void)
{
	return accel_debugfs;
}
EXPORT_SYMBOL_FOR_MODULES(accel_debugfs_root, "drm,accel,accel_test");

static int __init accel_class_init(void)
{
	int ret;

	ret = register_chrdev_region(MKDEV(ACCEL_MAJOR, 0), ACCEL_MAX_MINORS,
				     "accel");
	if (ret)
		return ret;

	ret = class_register(&accel_class);
	if (ret) {
		unregister_chrdev_region(MKDEV(ACCEL_MAJOR, 0),
					 ACCEL_MAX_MINORS);
		return ret;
	}

	accel_debugfs = debugfs_create_dir("accel", NULL);
	return 0;
}

static void __exit accel_class_exit(void)
{
	debugfs_remove(accel_debugfs);
	class_unregister(&accel_class);
	unregister_chrdev_region(MKDEV(ACCEL_MAJOR, 0), ACCEL_MAX_MINORS);
	WARN_ON(!ida_is_empty(&accel_minors));
}

/* Before any client: drivers/gpu is linked, and so initialised, before us. */
subsys_initcall(accel_class_init);
module_exit(accel_class_exit);

MODULE_DESCRIPTION("Class and minor numbers of /dev/accel");
MODULE_LICENSE("GPL");
