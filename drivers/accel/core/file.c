// SPDX-License-Identifier: GPL-2.0-only
/* Open files. */
#include "accel_internal.h"

#include <kunit/visibility.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

static atomic64_t accel_file_last_id;

static void accel_file_free(struct accel_file *file)
{
	put_device(&file->dev->dev);
	kfree_rcu(file, rcu);
	accel_census_dec(ACCEL_CENSUS_FILES);
}

/* Who is on the list will be told that the device is gone. False if it is already. */
static bool accel_file_add(struct accel_file *file)
{
	guard(mutex)(&file->dev->lock);
	if (accel_dev_is_gone(file->dev))
		return false;

	list_add_tail(&file->link, &file->dev->files);
	return true;
}

/**
 * accel_file_create - make what stands behind an open file
 * @dev: the device; the file takes a reference
 *
 * Return: the file, or an ERR_PTR: ENOMEM, or ENODEV if the device is gone.
 */
struct accel_file *accel_file_create(struct accel_device *dev)
{
	struct accel_file *file;

	file = kzalloc_obj(*file, GFP_KERNEL_ACCOUNT);
	if (!file)
		return ERR_PTR(-ENOMEM);

	file->dev = dev;
	get_device(&dev->dev);
	file->id = atomic64_inc_return(&accel_file_last_id);
	xa_init_flags(&file->objects, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	spin_lock_init(&file->name_lock);
	accel_event_init_file(file);
	accel_census_inc(ACCEL_CENSUS_FILES);
	if (!accel_file_add(file)) {
		accel_file_free(file);
		return ERR_PTR(-ENODEV);
	}
	return file;
}
EXPORT_SYMBOL_IF_KUNIT(accel_file_create);

/**
 * accel_file_destroy - end all that a file owns
 * @file: the file; nobody uses it any more
 *
 * Aborts its jobs, and returns when the device no longer works for it.
 */
void accel_file_destroy(struct accel_file *file)
{
	accel_object_destroy_all(file);
	scoped_guard(mutex, &file->dev->lock)
		list_del(&file->link);
	accel_file_free(file);
}
EXPORT_SYMBOL_IF_KUNIT(accel_file_destroy);

static int accel_fops_open(struct inode *inode, struct file *filp)
{
	struct accel_device *dev = container_of(inode->i_cdev,
						struct accel_device, cdev);
	struct accel_file *file;

	file = accel_file_create(dev);
	if (IS_ERR(file))
		return PTR_ERR(file);

	/* One address space for all openers, so that one zap reaches everybody. */
	filp->f_mapping = dev->mapping->f_mapping;
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

static int accel_fops_release(struct inode *inode, struct file *filp)
{
	accel_file_destroy(filp->private_data);
	return 0;
}

static long accel_fops_ioctl(struct file *filp, unsigned int cmd,
			     unsigned long arg)
{
	return accel_ioctl_dispatch(filp->private_data, cmd, (void __user *)arg);
}

static ssize_t accel_fops_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	bool wait = !(iocb->ki_filp->f_flags & O_NONBLOCK) &&
		    !(iocb->ki_flags & IOCB_NOWAIT);

	return accel_event_read(iocb->ki_filp->private_data, to, wait);
}

static __poll_t accel_fops_poll(struct file *filp, poll_table *table)
{
	struct accel_file *file = filp->private_data;

	poll_wait(filp, &file->event_wait, table);
	return accel_event_mask(file);
}

static int accel_fops_mmap(struct file *filp, struct vm_area_struct *vma)
{
	return accel_bo_mmap(filp->private_data, vma);
}

/* The keys are those that Documentation/gpu/drm-usage-stats.rst defines. */
static void accel_fops_show_fdinfo(struct seq_file *m, struct file *filp)
{
	struct accel_file *file = filp->private_data;
	char name[ACCEL_NAME_SIZE];
	int idx;

	if (accel_dev_enter(file->dev, &idx)) {
		seq_printf(m, "drm-driver:\t%s\n", file->dev->ops->name);
		accel_dev_exit(file->dev, idx);
	}
	seq_printf(m, "drm-client-id:\t%llu\n", file->id);

	scoped_guard(spinlock, &file->name_lock)
		strscpy(name, file->name);
	if (name[0])
		seq_printf(m, "drm-client-name:\t%s\n", name);
}

const struct file_operations accel_fops = {
	.owner = THIS_MODULE,
	.open = accel_fops_open,
	.release = accel_fops_release,
	.read_iter = accel_fops_read_iter,
	.poll = accel_fops_poll,
	.unlocked_ioctl = accel_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = accel_fops_mmap,
	.show_fdinfo = accel_fops_show_fdinfo,
};
EXPORT_SYMBOL_IF_KUNIT(accel_fops);

static bool accel_name_is_printable(const char *name, u32 size)
{
	u32 i;

	for (i = 0; i < size; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return name[0] != ' ' && name[size - 1] != ' ';
}

int accel_client_name_ioctl(struct accel_ioctl_call *call)
{
	const struct accel_client_name *args = call->arg;
	struct accel_file *file = call->file;
	char name[ACCEL_NAME_SIZE] = {};

	if (accel_dev_is_gone(file->dev))
		return -ENODEV;
	if (!args->name_size || args->name_size >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, u64_to_user_ptr(args->name_ptr),
			   args->name_size))
		return -EFAULT;
	if (!accel_name_is_printable(name, args->name_size))
		return -EINVAL;

	guard(spinlock)(&file->name_lock);
	memcpy(file->name, name, sizeof(name));
	return 0;
}
