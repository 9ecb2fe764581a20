// SPDX-License-Identifier: LGPL-2.1-only OR MIT
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "libaccel.h"

#define SYSFS_CLASS	"/sys/class/accel"
#define DEV_DIR		"/dev/accel"

/* Reads a file of a device's sysfs directory, without its last newline. */
static bool read_attr(const char *name, const char *attr, char *buf,
		      size_t size)
{
	char path[128];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), SYSFS_CLASS "/%s/%s", name, attr);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len < 0)
		return false;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return true;
}

/* PCI's are "0x1234". What another bus has there may be no number at all. */
static int32_t read_id(const char *name, const char *attr)
{
	char buf[32], *end;
	unsigned long id;

	if (!read_attr(name, attr, buf, sizeof(buf)) ||
	    !isdigit((unsigned char)buf[0]))
		return -1;
	id = strtoul(buf, &end, 0);
	return *end || id > INT32_MAX ? -1 : (int32_t)id;
}

static void read_link_name(const char *name, const char *link, char *buf,
			   size_t size)
{
	char path[128], target[512];
	const char *base;
	ssize_t len;

	buf[0] = '\0';
	snprintf(path, sizeof(path), SYSFS_CLASS "/%s/%s", name, link);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return;
	target[len] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) < size)
		memcpy(buf, base, strlen(base) + 1);
}

/*
 * Drivers may put nodes of other types into the class. They, and a device that
 * is gone by now, are left out.
 */
static bool read_device(const char *name, struct accel_device_info *info)
{
	char uevent[512], *line, *next;
	const char *type = "";

	if (!read_attr(name, "uevent", uevent, sizeof(uevent)))
		return false;
	for (line = strtok_r(uevent, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next))
		if (!strncmp(line, "DEVTYPE=", 8))
			type = line + 8;

	if (!strcmp(type, "accel_native"))
		info->kind = ACCEL_KIND_NATIVE;
	else if (!strcmp(type, "accel_minor"))
		info->kind = ACCEL_KIND_DRM;
	else
		return false;

	info->index = strtoul(name + strlen("accel"), NULL, 10);
	snprintf(info->path, sizeof(info->path), DEV_DIR "/accel%u",
		 info->index);
	read_link_name(name, "device", info->bus_id, sizeof(info->bus_id));
	read_link_name(name, "device/driver", info->driver,
		       sizeof(info->driver));
	info->vendor = read_id(name, "device/vendor");
	info->device = read_id(name, "device/device");
	return true;
}

static int is_accel(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "accel", 5) &&
	       isdigit((unsigned char)entry->d_name[5]);
}

int accel_devices_sized(size_t stride, void **devices, uint32_t *count)
{
	struct accel_device_info *infos;
	struct dirent **entries;
	int i, n, ret;
	uint32_t found = 0;

	n = scandir(SYSFS_CLASS, &entries, is_accel, versionsort);
	if (n < 0) {
		/* Neither kind of driver is loaded. */
		if (errno != ENOENT)
			return -errno;
		n = 0;
		entries = NULL;
	}

	infos = calloc(n + 1, sizeof(*infos));
	for (i = 0; i < n; i++) {
		if (infos && read_device(entries[i]->d_name, &infos[found]))
			found++;
		free(entries[i]);
	}
	free(entries);
	if (!infos)
		return -ENOMEM;

	ret = accel_copy_array(infos, sizeof(*infos), found, stride, devices);
	if (!ret)
		*count = found;
	free(infos);
	return ret;
}

int accel_open(const char *device)
{
	char path[64];
	int fd, len;

	if (!strchr(device, '/')) {
		len = snprintf(path, sizeof(path), DEV_DIR "/%s%s",
			       isdigit((unsigned char)device[0]) ? "accel" : "",
			       device);
		if (len >= (int)sizeof(path))
			return -ENAMETOOLONG;
		device = path;
	}

	fd = open(device, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int accel_open_driver(const char *driver)
{
	struct accel_device_info *infos;
	struct accel_query_device device;
	uint32_t i, count;
	int err, fd, ret;

	ret = accel_devices(&infos, &count);
	if (ret)
		return ret;

	ret = -ENODEV;
	for (i = 0; i < count; i++) {
		if (infos[i].kind != ACCEL_KIND_NATIVE)
			continue;

		fd = accel_open(infos[i].path);
		err = fd < 0 ? fd : accel_query_device(fd, &device);
		if (!err && !strcmp((const char *)device.driver, driver)) {
			ret = fd;
			break;
		}
		if (err && ret == -ENODEV)
			ret = err;
		if (fd >= 0)
			close(fd);
	}
	free(infos);
	return ret;
}
