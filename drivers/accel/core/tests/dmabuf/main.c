// SPDX-License-Identifier: GPL-2.0-only
/*
 * Somebody to share buffers with, for tests: an exporter whose pages move, an
 * importer that looks through the eyes of a device, a producer that is as slow as a
 * test wants, and a look at page frames, which tells what is shared from what was
 * copied.
 */
#include "internal.h"

#include <linux/compat.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#define TEST_NAME	"accel_dmabuf_test"

struct device *test_importer_dev;

/* Returns a handle; the reference is the file's then. On an error it is dropped. */
int test_object_add(struct test_file *file, struct test_object *obj,
		    void (*release)(struct kref *refs))
{
	u32 handle;
	int ret;

	kref_init(&obj->refs);
	obj->release = release;
	ret = xa_alloc(&file->objects, &handle, obj, XA_LIMIT(1, INT_MAX),
		       GFP_KERNEL_ACCOUNT);
	if (!ret)
		return handle;

	test_object_put(obj);
	return ret;
}

/* An object of the kind that is released so, with a reference, or NULL. */
struct test_object *test_object_get(struct test_file *file, u32 handle,
				    void (*release)(struct kref *refs))
{
	struct test_object *obj;

	xa_lock(&file->objects);
	obj = xa_load(&file->objects, handle);
	if (obj && obj->release == release)
		kref_get(&obj->refs);
	else
		obj = NULL;
	xa_unlock(&file->objects);
	return obj;
}

void test_object_put(struct test_object *obj)
{
	kref_put(&obj->refs, obj->release);
}

int test_release(struct test_file *file, void *arg)
{
	const struct dmabuf_test_release *args = arg;
	struct test_object *obj;

	if (args->reserved)
		return -EINVAL;
	obj = xa_erase(&file->objects, args->handle);
	if (!obj)
		return -ENOENT;
	test_object_put(obj);
	return 0;
}

union test_arg {
	struct dmabuf_test_frames frames;
	struct dmabuf_test_compare compare;
	struct dmabuf_test_export export;
	struct dmabuf_test_move move;
	struct dmabuf_test_import import;
	struct dmabuf_test_dma dma;
	struct dmabuf_test_fence fence;
	struct dmabuf_test_signal signal;
	struct dmabuf_test_release release;
};

static const struct {
	unsigned int cmd;
	int (*call)(struct test_file *file, void *arg);
} test_ioctls[] = {
	{ DMABUF_TEST_FRAMES, test_frames },
	{ DMABUF_TEST_COMPARE, test_compare },
	{ DMABUF_TEST_EXPORT, test_export },
	{ DMABUF_TEST_MOVE, test_move },
	{ DMABUF_TEST_IMPORT, test_import },
	{ DMABUF_TEST_DMA, test_dma },
	{ DMABUF_TEST_FENCE, test_fence },
	{ DMABUF_TEST_SIGNAL, test_signal },
	{ DMABUF_TEST_RELEASE, test_release },
};

static long test_ioctl(struct file *filp, unsigned int cmd, unsigned long ptr)
{
	void __user *user = (void __user *)ptr;
	union test_arg arg;
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(test_ioctls); i++)
		if (test_ioctls[i].cmd == cmd)
			break;
	if (i == ARRAY_SIZE(test_ioctls))
		return -ENOTTY;

	if (copy_from_user(&arg, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	ret = test_ioctls[i].call(filp->private_data, &arg);
	if (ret >= 0 && _IOC_DIR(cmd) & _IOC_READ &&
	    copy_to_user(user, &arg, _IOC_SIZE(cmd)))
		return -EFAULT;
	return ret;
}

static int test_open(struct inode *inode, struct file *filp)
{
	struct test_file *file;

	file = kzalloc_obj(*file, GFP_KERNEL_ACCOUNT);
	if (!file)
		return -ENOMEM;

	xa_init_flags(&file->objects, XA_FLAGS_ALLOC1);
	filp->private_data = file;
	return 0;
}

static int test_close(struct inode *inode, struct file *filp)
{
	struct test_file *file = filp->private_data;
	struct test_object *obj;
	unsigned long handle;

	xa_for_each(&file->objects, handle, obj)
		test_object_put(obj);
	xa_destroy(&file->objects);
	kfree(file);
	return 0;
}

static const struct file_operations test_fops = {
	.owner = THIS_MODULE,
	.open = test_open,
	.release = test_close,
	.unlocked_ioctl = test_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice test_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = TEST_NAME,
	.fops = &test_fops,
};

static struct platform_device *test_pdev;

static int __init test_init(void)
{
	int ret;

	test_pdev = platform_device_register_simple(TEST_NAME, PLATFORM_DEVID_NONE,
						    NULL, 0);
	if (IS_ERR(test_pdev))
		return PTR_ERR(test_pdev);
	test_importer_dev = &test_pdev->dev;

	ret = dma_coerce_mask_and_coherent(test_importer_dev, DMA_BIT_MASK(64));
	if (!ret)
		ret = misc_register(&test_misc);
	if (ret)
		platform_device_unregister(test_pdev);
	return ret;
}

static void __exit test_exit(void)
{
	misc_deregister(&test_misc);
	platform_device_unregister(test_pdev);
	/* The last fence is being freed by code of this module. */
	rcu_barrier();
}

module_init(test_init);
module_exit(test_exit);

MODULE_DESCRIPTION("The other side of shared buffers, for tests of accelerators");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS("DMA_BUF");
