// SPDX-License-Identifier: MIT
/*
 * What a virtual screen has scanned out, by its checksum.
 *
 * Documentation/gpu/drm-uapi.rst, "CRC debugfs ABI": a line of the file "data" is a
 * frame's number and its checksum, each as 0x%08x; "control" says whose.
 */
#include "scanout.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <xf86drm.h>

#include "../examples/example.h"
#include "screen.h"

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd < 0 ? -errno : 0, path);
	must(write(fd, text, strlen(text)) < 0 ? -errno : 0, path);
	close(fd);
}

/* The checksum of the first frame after @sequence */
static uint32_t checksum_after(int data, uint32_t sequence)
{
	unsigned int frame, checksum;
	char line[64];
	ssize_t length;

	do {
		/* One line at a time, which ends in a NUL. */
		length = read(data, line, sizeof(line) - 1);
		must(length < 0 ? -errno : 0, "the checksum");
		line[length] = '\0';
		if (sscanf(line, "%x %x", &frame, &checksum) != 2)
			must(-EIO, "the checksum");
	} while ((int32_t)(frame - sequence) <= 0);
	return checksum;
}

/*
 * Of what is composed from now on. A frame that is being composed may have in it what
 * was there before, and on a busy machine stands for several.
 */
static uint32_t read_checksum(const struct screen *screen)
{
	drmVBlank vblank = {
		.request.type = DRM_VBLANK_RELATIVE |
			screen->crtc_index << DRM_VBLANK_HIGH_CRTC_SHIFT,
	};
	char dir[64], path[96];
	uint32_t checksum;
	struct stat st;
	int data;

	must(fstat(screen->fd, &st) ? -errno : 0, "fstat");
	snprintf(dir, sizeof(dir), "/sys/kernel/debug/dri/%u/crtc-%u/crc",
		 minor(st.st_rdev), screen->crtc_index);
	snprintf(path, sizeof(path), "%s/control", dir);
	write_file(path, "auto");
	snprintf(path, sizeof(path), "%s/data", dir);
	data = open(path, O_RDONLY | O_CLOEXEC);
	must(data < 0 ? -errno : 0, path);
	must(drmWaitVBlank(screen->fd, &vblank) ? -errno : 0, "drmWaitVBlank");
	checksum = checksum_after(data, vblank.reply.sequence);
	close(data);
	return checksum;
}

static uint32_t checksum_of(struct screen *screen, const struct framebuffer *fb)
{
	screen_show(screen, fb, -1);
	screen_wait(screen);
	return read_checksum(screen);
}

static void *map_dmabuf(int dmabuf, uint64_t size, int prot)
{
	void *map = mmap(NULL, size, prot, MAP_SHARED, dmabuf, 0);

	must(map == MAP_FAILED ? -errno : 0, "mmap");
	return map;
}

static void bracket(int dmabuf, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	must(ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0,
	     "DMA_BUF_IOCTL_SYNC");
}

static void copy_image(const struct framebuffer *fb, uint32_t height, int dmabuf,
		       uint32_t stride)
{
	uint64_t size = (uint64_t)stride * height;
	uint8_t *to = map_dmabuf(fb->dmabuf, fb->size, PROT_READ | PROT_WRITE);
	const uint8_t *from = map_dmabuf(dmabuf, size, PROT_READ);
	uint32_t y;

	bracket(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
	for (y = 0; y < height; y++)
		memcpy(to + (size_t)y * fb->stride, from + (size_t)y * stride,
		       stride);
	bracket(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
	munmap((void *)from, size);
	munmap(to, fb->size);
}

static void change_a_pixel(const struct framebuffer *fb)
{
	uint8_t *to = map_dmabuf(fb->dmabuf, fb->size, PROT_READ | PROT_WRITE);

	to[0] ^= 0xff;
	munmap(to, fb->size);
}

int scanout_compare(const char *driver, uint32_t width, uint32_t height,
		    int dmabuf, uint32_t stride)
{
	struct screen screen = screen_open(driver, width, height);
	struct framebuffer own = screen_make_framebuffer(&screen);
	struct framebuffer imported;
	uint32_t zero_copy, copied, changed;

	imported = screen_import_framebuffer(&screen, dmabuf, stride);
	copy_image(&own, height, dmabuf, stride);
	zero_copy = checksum_of(&screen, &imported);
	copied = checksum_of(&screen, &own);
	change_a_pixel(&own);
	changed = checksum_of(&screen, &own);
	screen_drop_framebuffer(&screen, &imported);
	screen_drop_framebuffer(&screen, &own);
	screen_close(&screen);

	printf("  %s shows vaccel's own buffer: checksum %08x,", driver, zero_copy);
	printf(" of a copy %08x, with a pixel changed %08x\n", copied, changed);
	return zero_copy == copied && changed != copied;
}
