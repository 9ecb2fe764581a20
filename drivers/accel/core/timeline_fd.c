// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timelines as file descriptors, to be handed to other processes, open files and
 * devices. As with an id, there is a right to signal or there is not.
 */
#include "accel_internal.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

/**
 * struct accel_timeline_fd - what the file is of
 * @timeline: the timeline, with a reference
 * @may_signal: who has it may signal; counted in accel_timeline.signallers
 */
struct accel_timeline_fd {
	struct accel_timeline *timeline;
	bool may_signal;
};

static int accel_timeline_fd_release(struct inode *inode, struct file *filp)
{
	struct accel_timeline_fd *tfd = filp->private_data;

	if (tfd->may_signal)
		accel_timeline_drop_signaller(tfd->timeline);
	accel_object_put(&tfd->timeline->obj);
	kfree(tfd);
	accel_census_dec(ACCEL_CENSUS_TIMELINE_HANDLES);
	return 0;
}

static const struct file_operations accel_timeline_fops = {
	.owner = THIS_MODULE,
	.release = accel_timeline_fd_release,
};

/* Returns a file that stands for the timeline, or an ERR_PTR. */
struct file *accel_timeline_file(struct accel_timeline *timeline, bool may_signal)
{
	struct accel_timeline_fd *tfd;
	struct file *file;

	tfd = kzalloc_obj(*tfd, GFP_KERNEL_ACCOUNT);
	if (!tfd)
		return ERR_PTR(-ENOMEM);

	file = anon_inode_getfile("accel_timeline", &accel_timeline_fops, tfd,
				  O_RDWR);
	if (IS_ERR(file)) {
		kfree(tfd);
		return file;
	}

	tfd->timeline = timeline;
	refcount_inc(&timeline->obj.refs);
	tfd->may_signal = may_signal;
	if (may_signal)
		accel_timeline_add_signaller(timeline);
	accel_census_inc(ACCEL_CENSUS_TIMELINE_HANDLES);
	return file;
}

/*
 * Find an id for the timeline that @fd is of, with the same right. Returns 0; EBADF if
 * it is of none, or what accel_timeline_reserve() does.
 */
int accel_timeline_reserve_from_fd(struct accel_ioctl_call *call, int fd, u32 *id)
{
	struct file *file = fget(fd);
	struct accel_timeline_fd *tfd;
	int ret = -EBADF;

	if (!file)
		return -EBADF;

	if (file->f_op == &accel_timeline_fops) {
		tfd = file->private_data;
		ret = accel_timeline_reserve(call, tfd->timeline,
					     tfd->may_signal, id);
	}
	fput(file);
	return ret;
}
