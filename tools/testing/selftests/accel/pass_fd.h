/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors through a socket. 0, a descriptor or a negative errno. */
#ifndef SELFTESTS_ACCEL_PASS_FD_H
#define SELFTESTS_ACCEL_PASS_FD_H

#include "accel_test.h"

#include <sys/socket.h>

#define PASS_FDS_MAX	2

/* Room for the descriptors of one message, aligned as its header is */
union pass_fd_control {
	char room[CMSG_SPACE(PASS_FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

static inline int send_fds(int sock, const int *fds, int count)
{
	union pass_fd_control control = {};
	struct iovec iov = { .iov_base = (char[]) { 'x' }, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(sock, &message, 0) == 1 ? 0 : -errno;
}

static inline int send_fd(int sock, int fd)
{
	return send_fds(sock, &fd, 1);
}

static inline int receive_fd(int sock)
{
	union pass_fd_control control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(int)),
	};
	struct cmsghdr *header;
	int fd, ret;

	ret = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	if (ret != 1)
		return ret ? -errno : -EPIPE;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

#endif /* SELFTESTS_ACCEL_PASS_FD_H */
