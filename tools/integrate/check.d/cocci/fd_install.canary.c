// SPDX-License-Identifier: GPL-2.0-only
/* What fd_install.cocci is there to find. */
static int canary_use(int fd, struct file *file)
{
	fd_install(fd, file);
	file->f_flags |= O_NONBLOCK;
	return 0;
}

static int canary_fail(int fd, struct file *file, int bad)
{
	fd_install(fd, file);
	if (bad)
		return -EINVAL;
	return 0;
}

static int canary_copy(int fd, struct file *file, void __user *uarg)
{
	fd_install(fd, file);
	return copy_to_user(uarg, &fd, sizeof(fd));
}

static int canary_result(int fd, struct file *file, void *more)
{
	int ret;

	fd_install(fd, file);
	ret = set_up(more);
	if (ret)
		put(more);
	return ret;
}

static int canary_publish(struct accel_ioctl_call *call)
{
	accel_fd_publish(call);
	accel_object_publish(call);
	return 0;
}

static int canary_publish_fail(struct accel_ioctl_call *call)
{
	accel_fd_publish(call);
	if (call->size)
		return -EFAULT;
	return 0;
}

/* And what it is to leave alone. */
static int innocent_last(int fd, struct file *file)
{
	fd_install(fd, file);
	return fd;
}

static int innocent_publish(struct accel_ioctl_call *call)
{
	accel_object_publish(call);
	accel_fd_publish(call);
	return 0;
}
