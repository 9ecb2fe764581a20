// SPDX-License-Identifier: MIT
/*
 * A V4L2 camera that captures into dma-bufs. videobuf2 knows no fences: a buffer
 * that was dequeued is written, and one that is queued must not be in use.
 */
#include "camera.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/videodev2.h>

#include "../examples/example.h"

#define CAMERAS_MAX	64

static void call(const struct camera *camera, unsigned long request, void *arg,
		 const char *what)
{
	int ret;

	do {
		ret = ioctl(camera->fd, request, arg);
	} while (ret < 0 && errno == EINTR);
	must(ret < 0 ? -errno : 0, what);
}

static int is_camera(int fd, const char *driver)
{
	struct v4l2_capability cap;

	return !ioctl(fd, VIDIOC_QUERYCAP, &cap) &&
	       !strcmp((const char *)cap.driver, driver) &&
	       cap.device_caps & V4L2_CAP_VIDEO_CAPTURE &&
	       cap.device_caps & V4L2_CAP_STREAMING;
}

static int find_camera(const char *driver)
{
	char path[32];
	int fd, i;

	for (i = 0; i < CAMERAS_MAX; i++) {
		snprintf(path, sizeof(path), "/dev/video%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_camera(fd, driver)) {
			printf("camera: %s, driver %s\n", path, driver);
			return fd;
		}
		close(fd);
	}
	return -ENODEV;
}

struct camera camera_open(const char *driver, uint32_t width, uint32_t height)
{
	struct v4l2_format format = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.fmt.pix = {
			.width = width,
			.height = height,
			.pixelformat = V4L2_PIX_FMT_YUYV,
			.field = V4L2_FIELD_NONE,
		},
	};
	struct camera camera = { .fd = find_camera(driver) };

	must(camera.fd, driver);
	call(&camera, VIDIOC_S_FMT, &format, "VIDIOC_S_FMT");
	if (format.fmt.pix.pixelformat != V4L2_PIX_FMT_YUYV)
		must(-EOPNOTSUPP, "a camera with YUYV");
	camera.width = format.fmt.pix.width;
	camera.height = format.fmt.pix.height;
	camera.stride = format.fmt.pix.bytesperline;
	camera.size = format.fmt.pix.sizeimage;
	return camera;
}

static void request_buffers(struct camera *camera, uint32_t memory,
			    uint32_t count)
{
	struct v4l2_requestbuffers request = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = memory,
		.count = count,
	};

	call(camera, VIDIOC_REQBUFS, &request, "VIDIOC_REQBUFS");
	if (request.count != count)
		must(-ENOSPC, "VIDIOC_REQBUFS");
	camera->memory = memory;
}

void camera_take_buffers(struct camera *camera, const int *fds, uint32_t count)
{
	uint32_t i;

	request_buffers(camera, V4L2_MEMORY_DMABUF, count);
	for (i = 0; i < count; i++)
		camera_put(camera, i, fds[i]);
}

void camera_give_buffers(struct camera *camera, int *fds, uint32_t count)
{
	uint32_t i;

	request_buffers(camera, V4L2_MEMORY_MMAP, count);
	for (i = 0; i < count; i++) {
		struct v4l2_exportbuffer export = {
			.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
			.index = i,
			.flags = O_RDWR | O_CLOEXEC,
		};

		call(camera, VIDIOC_EXPBUF, &export, "VIDIOC_EXPBUF");
		fds[i] = export.fd;
		camera_put(camera, i, -1);
	}
}

void camera_start(struct camera *camera)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	call(camera, VIDIOC_STREAMON, &type, "VIDIOC_STREAMON");
}

uint32_t camera_get(struct camera *camera)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = camera->memory,
	};

	call(camera, VIDIOC_DQBUF, &buffer, "VIDIOC_DQBUF");
	return buffer.index;
}

void camera_put(struct camera *camera, uint32_t index, int fd)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = camera->memory,
		.index = index,
	};

	if (camera->memory == V4L2_MEMORY_DMABUF)
		buffer.m.fd = fd;
	call(camera, VIDIOC_QBUF, &buffer, "VIDIOC_QBUF");
}

void camera_close(struct camera *camera)
{
	int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

	call(camera, VIDIOC_STREAMOFF, &type, "VIDIOC_STREAMOFF");
	close(camera->fd);
}
