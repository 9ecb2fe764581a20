/* SPDX-License-Identifier: GPL-2.0-only */
/* Streams of v4l2, as far as the tests use them. 0 or a negative errno. */
#ifndef SELFTESTS_ACCEL_VIDEO_H
#define SELFTESTS_ACCEL_VIDEO_H

#include "accel_test.h"

#include <poll.h>
#include <sys/time.h>

#include <linux/videodev2.h>

/**
 * struct video - one direction of a device
 * @fd: its node
 * @type: V4L2_BUF_TYPE_VIDEO_*
 * @size: bytes of an image, once a format is set
 * @stride: bytes of a line, likewise
 */
struct video {
	int fd;
	__u32 type;
	__u32 size;
	__u32 stride;
};

static inline int video_open(const char *driver, __u32 caps)
{
	struct v4l2_capability cap;
	char path[64];
	int fd, i;

	for (i = 0; i < 64; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (!accel_ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
		    !strcmp((char *)cap.driver, driver) &&
		    (cap.device_caps & caps))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static inline int video_format(struct video *v, __u32 fourcc, __u32 width,
			       __u32 height)
{
	struct v4l2_format format = { .type = v->type };
	struct v4l2_pix_format *pix = &format.fmt.pix;
	int ret;

	ret = accel_ioctl(v->fd, VIDIOC_G_FMT, &format);
	if (ret)
		return ret;
	pix->width = width;
	pix->height = height;
	pix->pixelformat = fourcc;
	pix->bytesperline = 0;
	pix->field = V4L2_FIELD_NONE;
	ret = accel_ioctl(v->fd, VIDIOC_S_FMT, &format);
	if (ret)
		return ret;
	v->size = pix->sizeimage;
	v->stride = pix->bytesperline;
	return pix->width == width && pix->height == height &&
	       pix->pixelformat == fourcc ? 0 : -EPROTO;
}

static inline int video_request(struct video *v, __u32 memory, __u32 count)
{
	struct v4l2_requestbuffers request = {
		.count = count,
		.type = v->type,
		.memory = memory,
	};
	int ret = accel_ioctl(v->fd, VIDIOC_REQBUFS, &request);

	return ret ?: request.count < count ? -ENOMEM : 0;
}

/* A buffer of the driver's as a dma-buf */
static inline int video_export(struct video *v, __u32 index)
{
	struct v4l2_exportbuffer export = {
		.type = v->type,
		.index = index,
		.flags = O_RDWR | O_CLOEXEC,
	};

	return accel_ioctl(v->fd, VIDIOC_EXPBUF, &export) ?: export.fd;
}

static inline int video_queue(struct video *v, __u32 memory, __u32 index,
			      int dmabuf)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = v->type,
		.memory = memory,
		.field = V4L2_FIELD_NONE,
	};

	if (v->type == V4L2_BUF_TYPE_VIDEO_OUTPUT)
		buffer.bytesused = v->size;
	if (memory == V4L2_MEMORY_DMABUF)
		buffer.m.fd = dmabuf;
	return accel_ioctl(v->fd, VIDIOC_QBUF, &buffer);
}

/* Waits, but not for ever; an image with an error is EIO. */
static inline int video_dequeue(struct video *v, __u32 memory)
{
	struct v4l2_buffer buffer = { .type = v->type, .memory = memory };
	struct pollfd pfd = {
		.fd = v->fd,
		.events = v->type == V4L2_BUF_TYPE_VIDEO_OUTPUT ? POLLOUT :
								  POLLIN,
	};
	int ret;

	ret = poll(&pfd, 1, WAIT_MS);
	if (ret <= 0)
		return ret ? -errno : -ETIME;
	ret = accel_ioctl(v->fd, VIDIOC_DQBUF, &buffer);
	if (ret)
		return ret;
	return buffer.flags & V4L2_BUF_FLAG_ERROR ? -EIO : 0;
}

static inline int video_on(struct video *v)
{
	return accel_ioctl(v->fd, VIDIOC_STREAMON, &v->type);
}

static inline int video_off(struct video *v)
{
	return accel_ioctl(v->fd, VIDIOC_STREAMOFF, &v->type);
}

/* Set a control that is known by its name only. */
static inline int video_control(int fd, const char *name, int value)
{
	struct v4l2_queryctrl query = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };
	struct v4l2_control control = { .value = value };

	while (!accel_ioctl(fd, VIDIOC_QUERYCTRL, &query)) {
		if (!strcmp((char *)query.name, name)) {
			control.id = query.id;
			return accel_ioctl(fd, VIDIOC_S_CTRL, &control);
		}
		query.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
	}
	return -ENOENT;
}

#endif /* SELFTESTS_ACCEL_VIDEO_H */
