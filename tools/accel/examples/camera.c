// SPDX-License-Identifier: MIT
/*
 * Usage: camera [DEVICE] [FRAMES]
 *
 * Shows what a camera sees with its edges drawn: the camera writes into buffers of
 * the accelerator, which converts and filters each picture, and writes what comes of
 * it into the buffer that a display shows. No picture is copied, and the program
 * looks at none.
 *
 * It takes the first camera that gives YUYV, the first display that is connected and
 * lets its buffers be exported, and a vaccel device.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <linux/accel_vaccel.h>
#include <linux/videodev2.h>

#include "example.h"

#define DRIVER		"accel_vaccel"
#define NODES_MAX	64
#define BUFFERS		2
#define FRAMES_MAX	100000

struct camera {
	int fd;
	uint32_t width, height, stride, size;
	uint32_t bos[BUFFERS];
	int dma_bufs[BUFFERS];
};

struct display {
	int fd;
	uint32_t crtc, connector, fb, handle;
	struct drm_mode_modeinfo mode;
	uint32_t pitch;
	uint32_t bo;
};

static int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) ? -errno : 0;
}

static int camera_try(struct camera *camera, int number)
{
	struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
	struct v4l2_capability cap;
	char path[64];

	snprintf(path, sizeof(path), "/dev/video%d", number);
	camera->fd = open(path, O_RDWR | O_CLOEXEC);
	if (camera->fd < 0)
		return -errno;
	if (!call(camera->fd, VIDIOC_QUERYCAP, &cap) &&
	    (cap.device_caps & V4L2_CAP_VIDEO_CAPTURE) &&
	    !call(camera->fd, VIDIOC_G_FMT, &format)) {
		format.fmt.pix.width = 320;
		format.fmt.pix.height = 180;
		format.fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
		format.fmt.pix.bytesperline = 0;
		if (!call(camera->fd, VIDIOC_S_FMT, &format) &&
		    format.fmt.pix.pixelformat == V4L2_PIX_FMT_YUYV) {
			camera->width = format.fmt.pix.width;
			camera->height = format.fmt.pix.height;
			camera->stride = format.fmt.pix.bytesperline;
			camera->size = format.fmt.pix.sizeimage;
			printf("camera: %s, %s, %ux%u YUYV\n", path,
			       (const char *)cap.driver, camera->width,
			       camera->height);
			return 0;
		}
	}
	close(camera->fd);
	return -ENODEV;
}

static void camera_open(struct camera *camera)
{
	int i;

	for (i = 0; i < NODES_MAX; i++)
		if (!camera_try(camera, i))
			return;
	must(-ENODEV, "no camera that gives YUYV");
}

static void camera_queue(const struct camera *camera, uint32_t index)
{
	struct v4l2_buffer buffer = {
		.index = index,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
		.m.fd = camera->dma_bufs[index],
	};

	must(call(camera->fd, VIDIOC_QBUF, &buffer), "QBUF");
}

/* Give the camera buffers of the accelerator's. */
static void camera_start(int accel, struct camera *camera)
{
	struct v4l2_requestbuffers request = {
		.count = BUFFERS,
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};
	uint32_t i, type = request.type;

	must(call(camera->fd, VIDIOC_REQBUFS, &request), "REQBUFS");
	for (i = 0; i < BUFFERS; i++) {
		struct accel_bo_create bo = {
			.size = sizeof(bo),
			.length = camera->size,
		};

		must(accel_bo_create(accel, &bo), "BO_CREATE");
		camera->bos[i] = bo.id;
		must(accel_bo_export(accel, bo.id, ACCEL_EXPORT_WRITE,
				     &camera->dma_bufs[i]), "BO_EXPORT");
		camera_queue(camera, i);
	}
	must(call(camera->fd, VIDIOC_STREAMON, &type), "STREAMON");
}

static uint32_t camera_wait(const struct camera *camera)
{
	struct v4l2_buffer buffer = {
		.type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
		.memory = V4L2_MEMORY_DMABUF,
	};

	must(call(camera->fd, VIDIOC_DQBUF, &buffer), "DQBUF");
	return buffer.index;
}

/* The first mode of a connector that something is connected to. */
static int display_connector(struct display *display, uint32_t connector)
{
	struct drm_mode_get_connector probe = { .connector_id = connector };
	struct drm_mode_get_connector get = { .connector_id = connector };
	struct drm_mode_modeinfo *modes;
	int ret;

	ret = call(display->fd, DRM_IOCTL_MODE_GETCONNECTOR, &probe);
	if (ret || probe.connection != 1 || !probe.count_modes)
		return ret ? ret : -ENODEV;
	modes = calloc(probe.count_modes, sizeof(*modes));
	must(modes ? 0 : -ENOMEM, "calloc");
	get.modes_ptr = accel_ptr(modes);
	get.count_modes = probe.count_modes;
	ret = call(display->fd, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (!ret) {
		display->connector = connector;
		display->mode = modes[0];
	}
	free(modes);
	return ret;
}

static int display_try(struct display *display, int number)
{
	uint32_t crtcs[8], connectors[8], i;
	struct drm_mode_card_res res = {
		.crtc_id_ptr = accel_ptr(crtcs),
		.connector_id_ptr = accel_ptr(connectors),
		.count_crtcs = 8,
		.count_connectors = 8,
	};
	char name[32] = "", path[64];
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	snprintf(path, sizeof(path), "/dev/dri/card%d", number);
	display->fd = open(path, O_RDWR | O_CLOEXEC);
	if (display->fd < 0)
		return -errno;
	if (!call(display->fd, DRM_IOCTL_VERSION, &version) &&
	    !call(display->fd, DRM_IOCTL_MODE_GETRESOURCES, &res) &&
	    res.count_crtcs && res.count_crtcs <= 8 &&
	    res.count_connectors <= 8) {
		display->crtc = crtcs[0];
		for (i = 0; i < res.count_connectors; i++) {
			if (display_connector(display, connectors[i]))
				continue;
			printf("display: %s, %s, %s\n", path, name,
			       display->mode.name);
			return 0;
		}
	}
	close(display->fd);
	return -ENODEV;
}

static void display_open(struct display *display)
{
	int i;

	for (i = 0; i < NODES_MAX; i++)
		if (!display_try(display, i))
			return;
	must(-ENODEV, "no display");
}

/* A buffer of the display's, which becomes one of the accelerator's as well. */
static void display_start(int accel, struct display *display)
{
	struct drm_mode_create_dumb dumb = {
		.width = display->mode.hdisplay,
		.height = display->mode.vdisplay,
		.bpp = 32,
	};
	struct drm_prime_handle prime = { .flags = DRM_CLOEXEC | DRM_RDWR };
	struct accel_bo_import import = { .size = sizeof(import) };
	struct drm_mode_fb_cmd fb = { .bpp = 32, .depth = 24 };
	struct drm_mode_crtc crtc = {
		.set_connectors_ptr = accel_ptr(&display->connector),
		.count_connectors = 1,
		.crtc_id = display->crtc,
		.mode_valid = 1,
		.mode = display->mode,
	};

	must(call(display->fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb),
	     "CREATE_DUMB");
	display->pitch = dumb.pitch;
	prime.handle = dumb.handle;
	must(call(display->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime),
	     "PRIME_HANDLE_TO_FD");
	import.fd = prime.fd;
	must(accel_bo_import(accel, &import), "BO_IMPORT");
	close(prime.fd);
	display->bo = import.id;

	fb.width = dumb.width;
	fb.height = dumb.height;
	fb.pitch = dumb.pitch;
	fb.handle = dumb.handle;
	must(call(display->fd, DRM_IOCTL_MODE_ADDFB, &fb), "ADDFB");
	display->fb = fb.fb_id;
	crtc.fb_id = fb.fb_id;
	must(call(display->fd, DRM_IOCTL_MODE_SETCRTC, &crtc), "SETCRTC");
}

/* Some displays have to be told that there is something new; others know no such call. */
static void display_show(const struct display *display)
{
	struct drm_mode_fb_dirty_cmd dirty = { .fb_id = display->fb };

	(void)call(display->fd, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

static struct accel_submit_job make_job(const void *cmd, uint32_t cmd_size,
					const struct accel_submit_bo bos[2])
{
	return (struct accel_submit_job) {
		.cmd_ptr = accel_ptr(cmd),
		.cmd_size = cmd_size,
		.bos_ptr = accel_ptr(bos),
		.bo_count = 2,
		.bo_stride = sizeof(bos[0]),
	};
}

/*
 * One picture: from YUYV to @rgb, and from there each colour by itself to the middle
 * of the screen. The order of the four is that of the queue.
 */
static uint64_t submit_picture(int accel, uint32_t queue,
			       const struct camera *camera, uint32_t index,
			       uint32_t rgb, const struct display *display)
{
	const struct accel_vaccel_convert convert = {
		.op = ACCEL_VACCEL_CONVERT,
		.src_format = ACCEL_VACCEL_YUYV,
		.dst_format = ACCEL_VACCEL_XRGB8888,
		.width = camera->width,
		.height = camera->height,
		.src = { { .bo = 0, .stride = camera->stride } },
		.dst = { { .bo = 1, .stride = camera->width * 4 } },
	};
	const struct accel_submit_bo to_rgb[2] = {
		{ camera->bos[index], ACCEL_BO_READ },
		{ rgb, ACCEL_BO_WRITE },
	};
	const struct accel_submit_bo to_screen[2] = {
		{ rgb, ACCEL_BO_READ },
		{ display->bo, ACCEL_BO_WRITE },
	};
	uint64_t middle = (display->mode.vdisplay - camera->height) / 2 *
			  (uint64_t)display->pitch +
			  (display->mode.hdisplay - camera->width) / 2 * 4;
	struct accel_vaccel_convolve filters[3];
	struct accel_submit_job jobs[4];
	struct accel_submit submit = {
		.size = sizeof(submit),
		.queue = queue,
		.job_count = 4,
		.jobs_ptr = accel_ptr(jobs),
		.job_stride = sizeof(jobs[0]),
	};
	int i;

	jobs[0] = make_job(&convert, sizeof(convert), to_rgb);
	for (i = 0; i < 3; i++) {
		filters[i] = (struct accel_vaccel_convolve) {
			.op = ACCEL_VACCEL_CONVOLVE,
			.width = camera->width,
			.height = camera->height,
			.src_step = 4,
			.dst_step = 4,
			.kernel = { -1, -1, -1, -1, 9, -1, -1, -1, -1 },
			.src = { 0, camera->width * 4, i },
			.dst = { 1, display->pitch, middle + i },
		};
		jobs[1 + i] = make_job(&filters[i], sizeof(filters[i]),
				       to_screen);
	}
	if (must(accel_submit(accel, &submit), "SUBMIT") < 4)
		must(submit.stop_error, "SUBMIT");
	return submit.first_point + 3;
}

static void wait_for(int accel, uint32_t timeline, uint64_t point)
{
	int32_t status;

	must(accel_wait_point(accel, timeline, point, INT64_MAX, &status),
	     "TIMELINE_WAIT");
	must(status, "the job failed");
}

int main(int argc, char **argv)
{
	struct accel_queue_create queue = { .size = sizeof(queue) };
	struct accel_bo_create rgb = { .size = sizeof(rgb) };
	struct display display = { .fd = -1 };
	struct camera camera = { .fd = -1 };
	unsigned long frames = 10, n;
	uint32_t index;
	char *end = "";
	int accel;

	if (argc > 2)
		frames = strtoul(argv[2], &end, 10);
	if (argc > 3 || *end || !frames || frames > FRAMES_MAX ||
	    (argc > 1 && argv[1][0] == '-')) {
		fprintf(stderr, "Usage: camera [DEVICE] [FRAMES]\n");
		return 2;
	}

	setvbuf(stdout, NULL, _IOLBF, 0);
	accel = open_device(argc > 1 ? argv[1] : NULL, DRIVER);
	camera_open(&camera);
	display_open(&display);
	if (camera.width > display.mode.hdisplay ||
	    camera.height > display.mode.vdisplay)
		must(-ERANGE, "the picture is larger than the display");
	must(accel_queue_create(accel, &queue), "QUEUE_CREATE");
	rgb.length = (uint64_t)camera.width * camera.height * 4;
	must(accel_bo_create(accel, &rgb), "BO_CREATE");
	display_start(accel, &display);
	camera_start(accel, &camera);

	for (n = 1; n <= frames; n++) {
		index = camera_wait(&camera);
		wait_for(accel, queue.timeline,
			 submit_picture(accel, queue.id, &camera, index, rgb.id,
					&display));
		display_show(&display);
		camera_queue(&camera, index);
		printf("picture %lu of %lu\n", n, frames);
	}

	/* What is shown stays until the program ends. */
	if (isatty(STDIN_FILENO))
		printf("Enter ends it\n");
	getchar();
	return EXIT_SUCCESS;
}
