/* SPDX-License-Identifier: MIT */
/* A V4L2 camera that captures into dma-bufs. */
#ifndef ACCEL_DEMO_CAMERA_H
#define ACCEL_DEMO_CAMERA_H

#include <stdint.h>

/**
 * struct camera - a video device in streaming mode
 * @fd: the device
 * @memory: whose its buffers are: V4L2_MEMORY_DMABUF or V4L2_MEMORY_MMAP
 * @width: in pixels
 * @height: in lines
 * @stride: bytes from one line to the next
 * @size: bytes of an image
 */
struct camera {
	int fd;
	uint32_t memory;
	uint32_t width;
	uint32_t height;
	uint32_t stride;
	uint32_t size;
};

/*
 * Open the first camera of @driver's, for YUYV images of about @width×@height. Exits
 * if that cannot be done, as do the others.
 */
struct camera camera_open(const char *driver, uint32_t width, uint32_t height);

/* Capture into dma-bufs of somebody else's. */
void camera_take_buffers(struct camera *camera, const int *fds, uint32_t count);

/* Capture into the camera's own buffers, of which @fds are to have dma-bufs. */
void camera_give_buffers(struct camera *camera, int *fds, uint32_t count);

void camera_start(struct camera *camera);

/* Wait for an image; returns the number of the buffer that it is in. */
uint32_t camera_get(struct camera *camera);

/* The buffer may be captured into again. */
void camera_put(struct camera *camera, uint32_t index, int fd);

void camera_close(struct camera *camera);

#endif /* ACCEL_DEMO_CAMERA_H */
