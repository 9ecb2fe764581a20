/* SPDX-License-Identifier: MIT */
/* A screen driven by atomic KMS. */
#ifndef ACCEL_DEMO_SCREEN_H
#define ACCEL_DEMO_SCREEN_H

#include <stdint.h>
#include <xf86drmMode.h>

/* What a plane is told for each image. */
enum plane_property {
	PLANE_FB_ID,
	PLANE_IN_FENCE_FD,
	PLANE_CRTC_ID,
	PLANE_SRC_X,
	PLANE_SRC_Y,
	PLANE_SRC_W,
	PLANE_SRC_H,
	PLANE_CRTC_X,
	PLANE_CRTC_Y,
	PLANE_CRTC_W,
	PLANE_CRTC_H,
	PLANE_PROPERTIES
};

/**
 * struct screen - a CRTC with a connector and a primary plane
 * @fd: the card, of which we are master
 * @connector_id: a connected output
 * @crtc_id: what drives it
 * @crtc_index: its place among the card's
 * @plane_id: its primary plane
 * @plane_properties: ids of that plane's
 * @mode: of the width and height asked for
 * @mode_blob: the same for the kernel
 * @on: something is shown
 */
struct screen {
	int fd;
	uint32_t connector_id;
	uint32_t crtc_id;
	uint32_t crtc_index;
	uint32_t plane_id;
	uint32_t plane_properties[PLANE_PROPERTIES];
	drmModeModeInfo mode;
	uint32_t mode_blob;
	int on;
};

/**
 * struct framebuffer - an XRGB8888 image that a screen can show
 * @id: the framebuffer
 * @handle: the card's handle of its memory
 * @dmabuf: its memory
 * @stride: bytes from one line to the next
 * @size: bytes of its memory
 */
struct framebuffer {
	uint32_t id;
	uint32_t handle;
	int dmabuf;
	uint32_t stride;
	uint64_t size;
};

/* Open the first card of @driver's. Exits if that cannot be done, as do the others. */
struct screen screen_open(const char *driver, uint32_t width, uint32_t height);

/* In memory of the card's. */
struct framebuffer screen_make_framebuffer(struct screen *screen);

/* In memory of somebody else's; @dmabuf stays the caller's. */
struct framebuffer screen_import_framebuffer(struct screen *screen, int dmabuf,
					     uint32_t stride);

/*
 * Show an image as soon as the sync_file @fence has signalled, -1 if it is there.
 * Returns at once; screen_wait() returns when the image is shown.
 */
void screen_show(struct screen *screen, const struct framebuffer *fb, int fence);
void screen_wait(struct screen *screen);

void screen_drop_framebuffer(struct screen *screen, struct framebuffer *fb);
void screen_close(struct screen *screen);

#endif /* ACCEL_DEMO_SCREEN_H */
