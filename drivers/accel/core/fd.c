// SPDX-License-Identifier: GPL-2.0-only
/*
 * File descriptors that an ioctl gives to its caller. As with ids, nobody can use
 * one before nothing can fail any more: the number is reserved, and the file put
 * there when the answer has been written.
 */
#include "accel_internal.h"

#include <linux/fcntl.h>
#include <linux/file.h>

/*
 * Find a number for @file, and take over the reference to it. The caller gets it in
 * @call->fd; it stands for nothing until the ioctl succeeds, and is given back with
 * the reference if the ioctl does not. One for each call. On an error, which is
 * EMFILE or ENOMEM, the reference stays with the caller.
 */
int accel_fd_reserve(struct accel_ioctl_call *call, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;

	call->fd = fd;
	call->fd_file = file;
	return 0;
}

void accel_fd_publish(struct accel_ioctl_call *call)
{
	if (call->fd_file)
		fd_install(call->fd, call->fd_file);
}

void accel_fd_abort(struct accel_ioctl_call *call)
{
	if (!call->fd_file)
		return;

	put_unused_fd(call->fd);
	fput(call->fd_file);
}
