/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nodes of /dev/accel, native and DRM: what is behind an open one. As in
 * accel_test.h, helpers return 0 or a negative errno unless they say otherwise.
 */
#ifndef SELFTESTS_ACCEL_CLASS_H
#define SELFTESTS_ACCEL_CLASS_H

#include "unplug.h"

#include <sys/sysmacros.h>

#include <drm/drm.h>
#include <drm/drm_mode.h>

#include "../../../../drivers/accel/core/tests/drm/accel_drm_test.h"

#define ACCEL_MAJOR		261
#define ACCEL_MINORS		256
#define FIRST_VIRTUAL		128

#define DRM_MODULE		ACCEL_DRM_TEST_NAME
#define DRM_DRIVER		"/sys/bus/platform/drivers/" ACCEL_DRM_TEST_NAME

#define NO_DRM_TEST		"no accel_drm_test, see config: DRM is NOT tested"

static inline int plug_find_drm(struct plug *plug, unsigned int number)
{
	char pattern[128];

	snprintf(pattern, sizeof(pattern), DRM_DRIVER "/" DRM_MODULE ".%u",
		 number);
	return plug_find(plug, DRM_MODULE, pattern);
}

/* What a DRM device says its driver is. */
static inline int drm_driver_name(int fd, char name[32])
{
	struct drm_version version = { .name = name, .name_len = 31 };
	int ret;

	memset(name, 0, 32);
	ret = accel_ioctl(fd, DRM_IOCTL_VERSION, &version);
	return ret;
}

/* 0 if a DRM device of the driver is behind the file and answers. */
static inline int is_drm(int fd, const char *driver)
{
	char name[32];
	int ret = drm_driver_name(fd, name);

	return ret ?: strcmp(name, driver) ? -EXDEV : 0;
}

/* 0 if this native device is behind the file and answers. */
static inline int is_native(int fd, const struct plug *plug)
{
	struct accel_query_device dev = {};
	int ret = query_device(fd, &dev);

	return ret ?: strcmp((char *)dev.bus_id, plug->name) ? -EXDEV : 0;
}

static inline bool module_is_there(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return path_exists(path);
}

/* With all that nobody needs any more then. */
static inline int modules_remove(const char *names)
{
	char command[128];

	snprintf(command, sizeof(command), "modprobe -r %s", names);
	return system(command) ? -EBUSY : 0;
}

/* What the kernel tells udev of it. */
static inline int read_uevent(const char *name, char text[512])
{
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/accel/%s/uevent", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, 511);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	return len < 0 ? -EIO : 0;
}

#endif /* SELFTESTS_ACCEL_CLASS_H */
