// SPDX-License-Identifier: GPL-2.0-only
/*
 * An accelerator in software, on the CPU of whoever has none: the device that the
 * tests run on, and that a runtime can be developed with.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "vaccel.h"

#define VACCEL_NAME		"vaccel"
#define VACCEL_DEVICES_MAX	8

/*
 * Runtimes that look for accelerators read the files vendor and device, as a PCI
 * device has them, and skip what has none. 0xffff is what a PCI slot reads when
 * it is empty, so it is nobody's and never will be.
 */
#define VACCEL_VENDOR_ID	0xffff
#define VACCEL_DEVICE_ID	0x0001

static unsigned int devices = 1;
module_param(devices, uint, 0444);
MODULE_PARM_DESC(devices, "Number of devices, 1 to 8 (default 1)");

static struct platform_device *vaccel_devices[VACCEL_DEVICES_MAX];

static ssize_t vendor_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "0x%04x\n", VACCEL_VENDOR_ID);
}
static DEVICE_ATTR_RO(vendor);

static ssize_t device_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "0x%04x\n", VACCEL_DEVICE_ID);
}
static DEVICE_ATTR_RO(device);

static struct attribute *vaccel_attrs[] = {
	&dev_attr_vendor.attr,
	&dev_attr_device.attr,
	NULL
};
ATTRIBUTE_GROUPS(vaccel);

static int vaccel_release_ioctl(struct accel_ioctl_call *call)
{
	const struct accel_vaccel_release *args = call->arg;
	struct accel_queue *queue;
	int ret;

	queue = accel_queue_get(call->file, args->queue);
	if (!queue)
		return -ENOENT;

	ret = vaccel_engine_release(queue);
	accel_queue_put(queue);
	return ret;
}

static const struct accel_ioctl_desc vaccel_ioctls[] = {
	ACCEL_IOCTL_DESC(ACCEL_IOCTL_VACCEL_RELEASE, struct accel_vaccel_release,
			 queue, vaccel_release_ioctl, 0),
};

static void vaccel_info(struct accel_device *accel, void *data)
{
	struct accel_vaccel_info *info = data;

	info->local_size = VACCEL_LOCAL_SIZE;
}

static const struct accel_ops vaccel_ops = {
	.name = "accel_vaccel",
	.job_size = ACCEL_JOB_SIZE(struct vaccel_job, base),
	.cmd_size_max = sizeof(struct accel_vaccel_convert),
	.timeout_default_ms = 10 * MSEC_PER_SEC,
	.timeout_max_ms = 60 * MSEC_PER_SEC,
	.ioctls = vaccel_ioctls,
	.ioctl_count = ARRAY_SIZE(vaccel_ioctls),
	.info_size = sizeof(struct accel_vaccel_info),
	.info = vaccel_info,
	.job_validate = vaccel_job_validate,
	.job_run = vaccel_job_run,
	.job_abort = vaccel_job_abort,
};

static void vaccel_destroy_wq(void *wq)
{
	destroy_workqueue(wq);
}

static int vaccel_init_engines(struct vaccel_device *vaccel)
{
	static const char * const names[VACCEL_ENGINES] = {
		"compute0", "compute1"
	};
	struct device *dev = vaccel->accel.dev.parent;
	unsigned int i;
	int ret;

	vaccel->wq = alloc_workqueue("%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
				     dev_name(dev));
	if (!vaccel->wq)
		return -ENOMEM;
	ret = devm_add_action_or_reset(dev, vaccel_destroy_wq, vaccel->wq);
	if (ret)
		return ret;

	for (i = 0; i < VACCEL_ENGINES; i++) {
		ret = vaccel_engine_init(vaccel, &vaccel->engines[i], names[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int vaccel_probe(struct platform_device *pdev)
{
	struct vaccel_device *vaccel;
	int ret;

	vaccel = devm_accel_alloc_device(&pdev->dev, &vaccel_ops,
					 struct vaccel_device, accel,
					 ACCEL_ALLOC_VIRTUAL);
	if (IS_ERR(vaccel))
		return PTR_ERR(vaccel);
	platform_set_drvdata(pdev, vaccel);

	ret = vaccel_mem_init(vaccel);
	if (ret)
		return ret;
	ret = vaccel_init_engines(vaccel);
	if (ret)
		return ret;
	return accel_register(&vaccel->accel);
}

static void vaccel_remove(struct platform_device *pdev)
{
	struct vaccel_device *vaccel = platform_get_drvdata(pdev);

	accel_unregister(&vaccel->accel);
}

static struct platform_driver vaccel_driver = {
	.probe = vaccel_probe,
	.remove = vaccel_remove,
	.driver = {
		.name = VACCEL_NAME,
		.dev_groups = vaccel_groups,
	},
};

static void vaccel_remove_devices(unsigned int count)
{
	while (count--)
		platform_device_unregister(vaccel_devices[count]);
}

static int __init vaccel_init(void)
{
	unsigned int i;
	int ret;

	if (!devices || devices > VACCEL_DEVICES_MAX)
		return -EINVAL;

	ret = platform_driver_register(&vaccel_driver);
	if (ret)
		return ret;

	for (i = 0; i < devices; i++) {
		vaccel_devices[i] = platform_device_register_simple(VACCEL_NAME,
								    i, NULL, 0);
		if (IS_ERR(vaccel_devices[i])) {
			ret = PTR_ERR(vaccel_devices[i]);
			vaccel_remove_devices(i);
			platform_driver_unregister(&vaccel_driver);
			return ret;
		}
	}
	return 0;
}

static void __exit vaccel_exit(void)
{
	vaccel_remove_devices(devices);
	platform_driver_unregister(&vaccel_driver);
}

module_init(vaccel_init);
module_exit(vaccel_exit);

MODULE_DESCRIPTION("Accelerator in software");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("ACCEL");
