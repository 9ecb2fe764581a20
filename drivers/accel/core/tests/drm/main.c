// SPDX-License-Identifier: GPL-2.0-only
/*
 * The other owner of nodes in /dev/accel, for tests: DRM devices that can be bound and
 * unbound one by one, each with a control node in the class of /dev/accel as the
 * driver habanalabs has them.
 */
#include "internal.h"

#include <linux/accel_class.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_accel.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_gem_shmem_helper.h>

static unsigned int devices = 4;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "how many devices there are");

static struct platform_device **test_pdevs;

/* Control nodes have a major of their own, and the minor of what they control. */
static dev_t test_control_base;

/* An open file may keep it when the device that it controls is gone. */
struct test_control {
	struct device dev;
	struct cdev cdev;
};

struct test_device {
	struct drm_device drm;
	struct test_control *control;
};

DEFINE_DRM_ACCEL_FOPS(test_fops);

static const struct drm_driver test_drm_driver = {
	.driver_features = DRIVER_COMPUTE_ACCEL | DRIVER_GEM,
	.fops = &test_fops,
	DRM_GEM_SHMEM_DRIVER_OPS,
	.name = ACCEL_DRM_TEST_NAME,
	.desc = "DRM accelerator for tests",
	.major = 1,
};

static const struct file_operations test_control_fops = {
	.owner = THIS_MODULE,
	.llseek = noop_llseek,
};

static void test_control_release(struct device *dev)
{
	kfree(container_of(dev, struct test_control, dev));
}

/* Without a type, and not asking whose the class is: as habanalabs does it. */
static struct test_control *test_control_add(struct drm_device *drm)
{
	struct test_control *control;
	int ret;

	control = kzalloc_obj(*control, GFP_KERNEL);
	if (!control)
		return ERR_PTR(-ENOMEM);

	device_initialize(&control->dev);
	control->dev.devt = test_control_base + drm->accel->index;
	control->dev.class = drm->accel->kdev->class;
	control->dev.release = test_control_release;
	cdev_init(&control->cdev, &test_control_fops);
	control->cdev.owner = THIS_MODULE;
	ret = dev_set_name(&control->dev, "accel_controlD%d",
			   drm->accel->index) ?:
	      cdev_device_add(&control->cdev, &control->dev);
	if (ret) {
		put_device(&control->dev);
		return ERR_PTR(ret);
	}
	return control;
}

static void test_control_remove(struct test_control *control)
{
	cdev_device_del(&control->cdev, &control->dev);
	put_device(&control->dev);
}

static int test_probe(struct platform_device *pdev)
{
	struct test_device *test;
	int ret;

	test = devm_drm_dev_alloc(&pdev->dev, &test_drm_driver,
				  struct test_device, drm);
	if (IS_ERR(test))
		return PTR_ERR(test);
	platform_set_drvdata(pdev, test);

	ret = drm_dev_register(&test->drm, 0);
	if (ret)
		return ret;

	test->control = test_control_add(&test->drm);
	if (IS_ERR(test->control)) {
		drm_dev_unplug(&test->drm);
		return PTR_ERR(test->control);
	}
	return 0;
}

static void test_remove(struct platform_device *pdev)
{
	struct test_device *test = platform_get_drvdata(pdev);

	test_control_remove(test->control);
	drm_dev_unplug(&test->drm);
}

static struct platform_driver test_driver = {
	.probe = test_probe,
	.remove = test_remove,
	.driver.name = ACCEL_DRM_TEST_NAME,
};

static void test_remove_devices(unsigned int count)
{
	while (count--)
		platform_device_unregister(test_pdevs[count]);
	kfree(test_pdevs);
}

static int test_add_devices(void)
{
	struct platform_device *pdev;
	unsigned int i;

	test_pdevs = kcalloc(devices, sizeof(*test_pdevs), GFP_KERNEL);
	if (!test_pdevs)
		return -ENOMEM;

	for (i = 0; i < devices; i++) {
		pdev = platform_device_register_simple(ACCEL_DRM_TEST_NAME, i,
						       NULL, 0);
		if (IS_ERR(pdev)) {
			test_remove_devices(i);
			return PTR_ERR(pdev);
		}
		test_pdevs[i] = pdev;
	}
	return 0;
}

static int __init test_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&test_control_base, 0, ACCEL_MAX_MINORS,
				  ACCEL_DRM_TEST_NAME);
	if (ret)
		return ret;
	ret = platform_driver_register(&test_driver);
	if (ret)
		goto err_region;
	ret = accel_drm_edu_register();
	if (ret)
		goto err_driver;
	ret = test_add_devices();
	if (ret)
		goto err_edu;
	return 0;

err_edu:
	accel_drm_edu_unregister();
err_driver:
	platform_driver_unregister(&test_driver);
err_region:
	unregister_chrdev_region(test_control_base, ACCEL_MAX_MINORS);
	return ret;
}

static void __exit test_exit(void)
{
	test_remove_devices(devices);
	accel_drm_edu_unregister();
	platform_driver_unregister(&test_driver);
	unregister_chrdev_region(test_control_base, ACCEL_MAX_MINORS);
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("DRM accelerators, for tests of /dev/accel");
MODULE_LICENSE("GPL");
