// SPDX-License-Identifier: MIT
/* A screen driven by atomic KMS. */
#include "screen.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>

#include "../examples/example.h"

#define CARDS_MAX	16
#define FLIP_TIMEOUT_MS	60000

static int find_card(const char *driver)
{
	drmVersionPtr version;
	char path[32];
	int fd, i, same;

	for (i = 0; i < CARDS_MAX; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		version = drmGetVersion(fd);
		same = version && !strcmp(version->name, driver);
		drmFreeVersion(version);
		if (same) {
			printf("screen: %s, driver %s\n", path, driver);
			return fd;
		}
		close(fd);
	}
	return -ENODEV;
}

static const char * const plane_property_names[PLANE_PROPERTIES] = {
	[PLANE_FB_ID] = "FB_ID",
	[PLANE_IN_FENCE_FD] = "IN_FENCE_FD",
	[PLANE_CRTC_ID] = "CRTC_ID",
	[PLANE_SRC_X] = "SRC_X",
	[PLANE_SRC_Y] = "SRC_Y",
	[PLANE_SRC_W] = "SRC_W",
	[PLANE_SRC_H] = "SRC_H",
	[PLANE_CRTC_X] = "CRTC_X",
	[PLANE_CRTC_Y] = "CRTC_Y",
	[PLANE_CRTC_W] = "CRTC_W",
	[PLANE_CRTC_H] = "CRTC_H",
};

/* The id of a property, and its value where @value is not NULL. */
static uint32_t property(const struct screen *screen, uint32_t object,
			 uint32_t type, const char *name, uint64_t *value)
{
	drmModeObjectPropertiesPtr list;
	drmModePropertyPtr prop;
	uint32_t i, id = 0;

	list = drmModeObjectGetProperties(screen->fd, object, type);
	if (!list)
		must(-errno, name);
	for (i = 0; i < list->count_props && !id; i++) {
		prop = drmModeGetProperty(screen->fd, list->props[i]);
		if (prop && !strcmp(prop->name, name)) {
			id = prop->prop_id;
			if (value)
				*value = list->prop_values[i];
		}
		drmModeFreeProperty(prop);
	}
	drmModeFreeObjectProperties(list);
	if (!id)
		must(-ENOENT, name);
	return id;
}

static int find_mode(struct screen *screen, drmModeConnectorPtr connector,
		     uint32_t width, uint32_t height)
{
	int i;

	if (connector->connection != DRM_MODE_CONNECTED)
		return 0;
	for (i = 0; i < connector->count_modes; i++) {
		if (connector->modes[i].hdisplay != width ||
		    connector->modes[i].vdisplay != height)
			continue;
		screen->mode = connector->modes[i];
		screen->connector_id = connector->connector_id;
		return 1;
	}
	return 0;
}

static void find_output(struct screen *screen, uint32_t width, uint32_t height)
{
	drmModeConnectorPtr connector;
	drmModeResPtr res;
	int i, found = 0;

	res = drmModeGetResources(screen->fd);
	if (!res || !res->count_crtcs)
		must(-ENODEV, "a card with a screen");
	for (i = 0; i < res->count_connectors && !found; i++) {
		connector = drmModeGetConnector(screen->fd, res->connectors[i]);
		found = connector && find_mode(screen, connector, width, height);
		drmModeFreeConnector(connector);
	}
	if (!found)
		must(-ENODEV, "a screen with this mode");
	screen->crtc_index = 0;
	screen->crtc_id = res->crtcs[0];
	drmModeFreeResources(res);
}

static void find_plane_properties(struct screen *screen)
{
	int i;

	for (i = 0; i < PLANE_PROPERTIES; i++)
		screen->plane_properties[i] =
			property(screen, screen->plane_id, DRM_MODE_OBJECT_PLANE,
				 plane_property_names[i], NULL);
}

static void find_plane(struct screen *screen)
{
	drmModePlaneResPtr res = drmModeGetPlaneResources(screen->fd);
	drmModePlanePtr plane;
	uint64_t type;
	uint32_t i;

	for (i = 0; res && i < res->count_planes && !screen->plane_id; i++) {
		plane = drmModeGetPlane(screen->fd, res->planes[i]);
		property(screen, res->planes[i], DRM_MODE_OBJECT_PLANE, "type",
			 &type);
		if (plane && plane->possible_crtcs & 1U << screen->crtc_index &&
		    type == DRM_PLANE_TYPE_PRIMARY)
			screen->plane_id = res->planes[i];
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(res);
	if (!screen->plane_id)
		must(-ENODEV, "a primary plane");
}

struct screen screen_open(const char *driver, uint32_t width, uint32_t height)
{
	struct screen screen = { .fd = find_card(driver) };

	must(screen.fd, driver);
	if (drmSetClientCap(screen.fd, DRM_CLIENT_CAP_ATOMIC, 1))
		must(-errno, "atomic modesetting");
	find_output(&screen, width, height);
	find_plane(&screen);
	find_plane_properties(&screen);
	must(drmModeCreatePropertyBlob(screen.fd, &screen.mode,
				       sizeof(screen.mode), &screen.mode_blob),
	     "MODE_CREATEPROPBLOB");
	return screen;
}

static void add_framebuffer(struct screen *screen, struct framebuffer *fb)
{
	const uint32_t handles[4] = { fb->handle };
	const uint32_t strides[4] = { fb->stride };
	const uint32_t offsets[4] = { 0 };

	must(drmModeAddFB2(screen->fd, screen->mode.hdisplay,
			   screen->mode.vdisplay, DRM_FORMAT_XRGB8888, handles,
			   strides, offsets, &fb->id, 0), "MODE_ADDFB2");
}

struct framebuffer screen_make_framebuffer(struct screen *screen)
{
	struct framebuffer fb = { .dmabuf = -1 };

	must(drmModeCreateDumbBuffer(screen->fd, screen->mode.hdisplay,
				     screen->mode.vdisplay, 32, 0, &fb.handle,
				     &fb.stride, &fb.size), "MODE_CREATE_DUMB");
	if (drmPrimeHandleToFD(screen->fd, fb.handle, DRM_CLOEXEC | DRM_RDWR,
			       &fb.dmabuf))
		must(-errno, "PRIME_HANDLE_TO_FD");
	add_framebuffer(screen, &fb);
	return fb;
}

struct framebuffer screen_import_framebuffer(struct screen *screen, int dmabuf,
					     uint32_t stride)
{
	struct framebuffer fb = { .dmabuf = -1, .stride = stride };

	if (drmPrimeFDToHandle(screen->fd, dmabuf, &fb.handle))
		must(-errno, "PRIME_FD_TO_HANDLE");
	add_framebuffer(screen, &fb);
	return fb;
}

static void add(drmModeAtomicReqPtr req, uint32_t object, uint32_t id,
		uint64_t value)
{
	int ret = drmModeAtomicAddProperty(req, object, id, value);

	must(ret < 0 ? ret : 0, "a property");
}

static void add_mode(const struct screen *screen, drmModeAtomicReqPtr req)
{
	add(req, screen->connector_id,
	    property(screen, screen->connector_id, DRM_MODE_OBJECT_CONNECTOR,
		     "CRTC_ID", NULL), screen->crtc_id);
	add(req, screen->crtc_id,
	    property(screen, screen->crtc_id, DRM_MODE_OBJECT_CRTC, "MODE_ID",
		     NULL), screen->mode_blob);
	add(req, screen->crtc_id,
	    property(screen, screen->crtc_id, DRM_MODE_OBJECT_CRTC, "ACTIVE",
		     NULL), 1);
}

static void add_plane(const struct screen *screen, drmModeAtomicReqPtr req,
		      const struct framebuffer *fb, int fence)
{
	const uint64_t values[PLANE_PROPERTIES] = {
		[PLANE_FB_ID] = fb->id,
		[PLANE_IN_FENCE_FD] = fence,
		[PLANE_CRTC_ID] = screen->crtc_id,
		[PLANE_SRC_W] = (uint64_t)screen->mode.hdisplay << 16,
		[PLANE_SRC_H] = (uint64_t)screen->mode.vdisplay << 16,
		[PLANE_CRTC_W] = screen->mode.hdisplay,
		[PLANE_CRTC_H] = screen->mode.vdisplay,
	};
	int i;

	for (i = 0; i < PLANE_PROPERTIES; i++)
		add(req, screen->plane_id, screen->plane_properties[i],
		    values[i]);
}

void screen_show(struct screen *screen, const struct framebuffer *fb, int fence)
{
	uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT;
	drmModeAtomicReqPtr req = drmModeAtomicAlloc();

	if (!req)
		must(-ENOMEM, "MODE_ATOMIC");
	if (!screen->on) {
		add_mode(screen, req);
		flags |= DRM_MODE_ATOMIC_ALLOW_MODESET;
	}
	add_plane(screen, req, fb, fence);
	must(drmModeAtomicCommit(screen->fd, req, flags, NULL), "MODE_ATOMIC");
	drmModeAtomicFree(req);
	screen->on = 1;
}

static void nothing_to_do(int fd, unsigned int sequence, unsigned int sec,
			  unsigned int usec, void *data)
{
	(void)fd, (void)sequence, (void)sec, (void)usec, (void)data;
}

void screen_wait(struct screen *screen)
{
	struct pollfd pollfd = { .fd = screen->fd, .events = POLLIN };
	drmEventContext context = {
		.version = 2,
		.page_flip_handler = nothing_to_do,
	};
	int ret = poll(&pollfd, 1, FLIP_TIMEOUT_MS);

	must(ret < 0 ? -errno : ret ? 0 : -ETIME, "the image to be shown");
	must(drmHandleEvent(screen->fd, &context) ? -EIO : 0, "the card's event");
}

void screen_drop_framebuffer(struct screen *screen, struct framebuffer *fb)
{
	drmModeRmFB(screen->fd, fb->id);
	drmCloseBufferHandle(screen->fd, fb->handle);
	if (fb->dmabuf >= 0)
		close(fb->dmabuf);
}

void screen_close(struct screen *screen)
{
	drmModeDestroyPropertyBlob(screen->fd, screen->mode_blob);
	close(screen->fd);
}
