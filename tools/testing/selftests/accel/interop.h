/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffers of others, and others for our buffers: DRM drivers, udmabuf, the system
 * heap, and the test module accel_dmabuf_test. Helpers return 0, a file descriptor
 * or a handle, or a negative errno.
 */
#ifndef SELFTESTS_ACCEL_INTEROP_H
#define SELFTESTS_ACCEL_INTEROP_H

#include "command.h"

#include <sys/syscall.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <drm/vgem_drm.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/memfd.h>
#include <linux/udmabuf.h>

#include "../../../../drivers/accel/core/tests/dmabuf/accel_dmabuf_test.h"

/* A size for which a dumb buffer of LINE_PIXELS is whole pages */
#define PAGES		16
#define SHARED_SIZE	(PAGES * 4096)
#define LINE_PIXELS	128

static inline void *map_shared(int fd, __u64 offset)
{
	return mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    offset);
}

/*
 * Brackets of what the CPU does, always with both directions: udmabuf maps for the first
 * that it is asked for, and DMA API debugging does not like it to be asked for others.
 */
static inline int cpu_access(int dmabuf, __u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags | DMA_BUF_SYNC_RW };

	return accel_ioctl(dmabuf, DMA_BUF_IOCTL_SYNC, &sync);
}

/* The node of a DRM driver */
static inline int drm_open(const char *module, const char *driver)
{
	char path[64], name[32];
	int fd, i;

	if (load_module(module))
		return -ENODEV;
	for (i = 0; i < 64; i++) {
		struct drm_version version = {
			.name = name,
			.name_len = sizeof(name) - 1,
		};

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		fd = open_node(path);
		if (fd < 0)
			continue;
		memset(name, 0, sizeof(name));
		if (!accel_ioctl(fd, DRM_IOCTL_VERSION, &version) &&
		    !strcmp(name, driver))
			return fd;
		close(fd);
	}
	return -ENODEV;
}

static inline int drm_to_fd(int drm, __u32 handle)
{
	struct drm_prime_handle prime = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	return accel_ioctl(drm, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) ?:
	       prime.fd;
}

static inline int drm_from_fd(int drm, int dmabuf, __u32 *handle)
{
	struct drm_prime_handle prime = { .fd = dmabuf };
	int ret = accel_ioctl(drm, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*handle = prime.handle;
	return ret;
}

/**
 * struct foreign - a buffer of somebody else's
 * @dmabuf: its dma-buf
 * @owner: whom it was made with: a DRM node, a memfd; or -1
 * @handle: its name there
 * @map: as its owner maps it
 */
struct foreign {
	int dmabuf;
	int owner;
	__u32 handle;
	__u8 *map;
};

static inline int foreign_dumb(const char *module, const char *driver,
			       struct foreign *f)
{
	struct drm_mode_create_dumb dumb = {
		.width = LINE_PIXELS,
		.height = SHARED_SIZE / LINE_PIXELS / 4,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = { };
	int ret;

	f->owner = drm_open(module, driver);
	if (f->owner < 0)
		return f->owner;
	ret = accel_ioctl(f->owner, DRM_IOCTL_MODE_CREATE_DUMB, &dumb);
	if (ret)
		return ret;
	f->handle = dumb.handle;
	if (dumb.size != SHARED_SIZE || dumb.pitch != LINE_PIXELS * 4)
		return -EPROTO;
	map.handle = dumb.handle;
	ret = accel_ioctl(f->owner, DRM_IOCTL_MODE_MAP_DUMB, &map);
	if (ret)
		return ret;
	f->map = map_shared(f->owner, map.offset);
	f->dmabuf = drm_to_fd(f->owner, f->handle);
	return f->dmabuf < 0 ? f->dmabuf : 0;
}

static inline int foreign_vgem(int test, struct foreign *f)
{
	return foreign_dumb("vgem", "vgem", f);
}

static inline int foreign_vkms(int test, struct foreign *f)
{
	return foreign_dumb("vkms", "vkms", f);
}

static inline int foreign_virtio_gpu(int test, struct foreign *f)
{
	return foreign_dumb("virtio-gpu", "virtio_gpu", f);
}

static inline int foreign_udmabuf(int test, struct foreign *f)
{
	struct udmabuf_create create = {
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = SHARED_SIZE,
	};
	int udmabuf;

	udmabuf = open_node("/dev/udmabuf");
	if (udmabuf < 0)
		return -ENODEV;
	f->owner = syscall(SYS_memfd_create, "interop",
			   MFD_CLOEXEC | MFD_ALLOW_SEALING);
	create.memfd = f->owner;
	f->dmabuf = -EIO;
	if (f->owner >= 0 && !ftruncate(f->owner, SHARED_SIZE) &&
	    !fcntl(f->owner, F_ADD_SEALS, F_SEAL_SHRINK)) {
		f->map = map_shared(f->owner, 0);
		f->dmabuf = accel_ioctl(udmabuf, UDMABUF_CREATE, &create);
	}
	close(udmabuf);
	return f->dmabuf < 0 ? f->dmabuf : 0;
}

static inline int foreign_heap(int test, struct foreign *f)
{
	struct dma_heap_allocation_data data = {
		.len = SHARED_SIZE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap, ret;

	heap = open_node("/dev/dma_heap/system");
	if (heap < 0)
		return -ENODEV;
	ret = accel_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	close(heap);
	if (ret)
		return ret;
	f->dmabuf = data.fd;
	f->map = map_shared(f->dmabuf, 0);
	return 0;
}

static inline int foreign_mock(int test, struct foreign *f)
{
	struct dmabuf_test_export export = { .pages = PAGES };

	f->dmabuf = accel_ioctl(test, DMABUF_TEST_EXPORT, &export);
	if (f->dmabuf < 0)
		return f->dmabuf;
	f->map = map_shared(f->dmabuf, 0);
	return 0;
}

/* ENODEV if there is nobody of this kind here. */
static inline int foreign_make(int (*make)(int test, struct foreign *f),
			       int test, struct foreign *f)
{
	int ret;

	*f = (struct foreign) { .dmabuf = -1, .owner = -1, .map = MAP_FAILED };
	ret = make(test, f);
	if (ret)
		return ret;
	return f->map == MAP_FAILED ? -EIO : 0;
}

static inline void foreign_free(struct foreign *f)
{
	if (f->map && f->map != MAP_FAILED)
		munmap(f->map, SHARED_SIZE);
	if (f->dmabuf >= 0)
		close(f->dmabuf);
	if (f->owner >= 0)
		close(f->owner);
	*f = (struct foreign) { .dmabuf = -1, .owner = -1, .map = MAP_FAILED };
}

static inline int test_open(void)
{
	return load_module("accel_dmabuf_test") ? -ENODEV :
					       open_node(DMABUF_TEST_NODE);
}

/* Page frames of all pages; @object as enum dmabuf_test_kind says. */
static inline int test_frames(int test, __u32 kind, __u64 object,
			      __u64 frames[PAGES])
{
	struct dmabuf_test_frames arg = {
		.object = object,
		.frames_ptr = ptr_to_u64(frames),
		.kind = kind,
		.count = PAGES,
	};

	return accel_ioctl(test, DMABUF_TEST_FRAMES, &arg);
}

static inline int test_compare(int test, int dmabuf_a, int dmabuf_b)
{
	struct dmabuf_test_compare arg = {
		.fd_a = dmabuf_a,
		.fd_b = dmabuf_b,
		.count = PAGES,
	};

	return accel_ioctl(test, DMABUF_TEST_COMPARE, &arg);
}

static inline int test_import(int test, int dmabuf, __u32 flags)
{
	struct dmabuf_test_import arg = { .fd = dmabuf, .flags = flags };

	return accel_ioctl(test, DMABUF_TEST_IMPORT, &arg);
}

static inline int test_move(int test, int dmabuf)
{
	struct dmabuf_test_move arg = { .fd = dmabuf };

	return accel_ioctl(test, DMABUF_TEST_MOVE, &arg);
}

static inline int test_dma(int test, int handle, struct dmabuf_test_dma *dma)
{
	dma->handle = handle;
	return accel_ioctl(test, DMABUF_TEST_DMA, dma);
}

static inline int test_fence(int test, int dmabuf, __u32 flags)
{
	struct dmabuf_test_fence arg = {
		.fd = dmabuf,
		.flags = flags,
		.timeout_ms = DMABUF_TEST_TIMEOUT_MAX_MS,
	};

	return accel_ioctl(test, DMABUF_TEST_FENCE, &arg);
}

static inline int test_signal(int test, int handle, int error)
{
	struct dmabuf_test_signal arg = { .handle = handle, .error = error };

	return accel_ioctl(test, DMABUF_TEST_SIGNAL, &arg);
}

static inline int test_release(int test, int handle)
{
	struct dmabuf_test_release arg = { .handle = handle };

	return accel_ioctl(test, DMABUF_TEST_RELEASE, &arg);
}

/* As zlib's, so as that of DMABUF_TEST_DMA. */
static inline __u32 crc32(const volatile __u8 *bytes, size_t length)
{
	__u32 crc = ~0U;
	int bit;

	while (length--) {
		crc ^= *bytes++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

/* Pages that are not touched are in no mapping. */
static inline __u32 touch_pages(const volatile __u8 *bytes)
{
	__u32 sum = 0;
	int i;

	for (i = 0; i < PAGES; i++)
		sum += bytes[i * 4096];
	return sum;
}

/*
 * A device that does not reach the memory is given a copy of it by swiotlb, and so
 * is each where the kernel is told to.
 */
static inline bool bounced(void)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	if (file) {
		fread(line, 1, sizeof(line) - 1, file);
		fclose(file);
	}
	return strstr(line, "swiotlb=force");
}

#endif /* SELFTESTS_ACCEL_INTEROP_H */
