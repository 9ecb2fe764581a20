/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking a device away and giving it back, in all ways there are: by sysfs, by
 * its driver's module, and by the slot it is in. As in accel_test.h, helpers return
 * 0 or a negative errno unless they say otherwise.
 *
 * A device is known by its parent's directory in sysfs, since its number may
 * change when it comes back.
 */
#ifndef SELFTESTS_ACCEL_UNPLUG_H
#define SELFTESTS_ACCEL_UNPLUG_H

#include "accel_test.h"

#include <dirent.h>
#include <glob.h>
#include <libgen.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* How long a device may take to come or go. */
#define PLUG_MS		120000

enum unplug_way {
	UNBIND,		/* its driver is unbound through sysfs */
	UNLOAD,		/* its driver's module is unloaded */
	DEVICE_DEL,	/* its slot is told to give it up, by QEMU's device_del */
};

struct plug {
	const char *module;
	char parent[PATH_MAX];
	char driver[PATH_MAX];
	char name[64];		/* of the parent on its bus */
	int slot;		/* 0 if it is in none that can be used */
};

/* The first line of a file, without its end. */
static inline int read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	int ret = 0;

	if (!file)
		return -errno;
	if (fgets(line, size, file))
		line[strcspn(line, "\n")] = '\0';
	else
		ret = -ENODATA;
	fclose(file);
	return ret;
}

/* The number that the device has now, or a negative errno. */
static inline int plug_minor(const struct plug *plug)
{
	char path[PATH_MAX + 16];
	struct dirent *entry;
	int minor = -ENODEV;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/accel", plug->parent);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)))
		if (sscanf(entry->d_name, "accel%d", &minor) == 1)
			break;
	closedir(dir);
	return minor;
}

static inline void minor_path(int minor, char path[64])
{
	snprintf(path, 64, "/dev/accel/accel%d", minor);
}

static inline int minor_open(int minor)
{
	char path[64];

	minor_path(minor, path);
	return open_node(path);
}

static inline const char *qmp_port(void)
{
	static char path[64];
	char name[16];
	glob_t ports;
	size_t i;

	path[0] = '\0';
	if (glob("/sys/class/virtio-ports/*/name", 0, NULL, &ports))
		return NULL;
	for (i = 0; i < ports.gl_pathc; i++)
		if (!read_line(ports.gl_pathv[i], name, sizeof(name)) &&
		    !strcmp(name, "qmp"))
			snprintf(path, sizeof(path), "/dev/%s",
				 basename(dirname(ports.gl_pathv[i])));
	globfree(&ports);
	return path[0] ? path : NULL;
}

/* The slot whose address is that of @name, where its monitor can be reached. */
static inline int plug_find_slot(const char *name)
{
	int number, slot = 0;
	char address[16];
	glob_t slots;
	size_t i;

	if (!qmp_port() ||
	    glob("/sys/bus/pci/slots/*/address", 0, NULL, &slots))
		return 0;
	for (i = 0; i < slots.gl_pathc; i++)
		if (!read_line(slots.gl_pathv[i], address, sizeof(address)) &&
		    !strncmp(address, name, strlen(address)) &&
		    sscanf(slots.gl_pathv[i], "/sys/bus/pci/slots/%d/",
			   &number) == 1)
			slot = number;
	globfree(&slots);
	return slot;
}

/* The last of the devices that @pattern finds in the directory of a driver. */
static inline int plug_find(struct plug *plug, const char *module,
			    const char *pattern)
{
	glob_t devices;
	char *found;
	int ret = 0;

	memset(plug, 0, sizeof(*plug));
	plug->module = module;
	if (glob(pattern, 0, NULL, &devices))
		return -ENODEV;
	found = devices.gl_pathv[devices.gl_pathc - 1];
	if (realpath(found, plug->parent)) {
		snprintf(plug->name, sizeof(plug->name), "%s", basename(found));
		snprintf(plug->driver, sizeof(plug->driver), "%s",
			 dirname(found));
		plug->slot = plug_find_slot(plug->name);
	} else {
		ret = -errno;
	}
	globfree(&devices);
	return ret;
}

static inline int plug_find_vaccel(struct plug *plug)
{
	return plug_find(plug, "accel_vaccel",
			 "/sys/bus/platform/drivers/vaccel/vaccel.*");
}

static inline int plug_find_edu(struct plug *plug)
{
	return plug_find(plug, "accel_edu",
			 "/sys/bus/pci/drivers/accel_edu/*:*");
}

/* The device that plug_find_edu() finds */
static inline int edu_open(void)
{
	struct plug plug;

	return plug_find_edu(&plug) ?: minor_open(plug_minor(&plug));
}

static inline int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/* An open file of the module @name, for module_load(). */
static inline int module_open(const char *name)
{
	char command[64], path[PATH_MAX] = "";
	FILE *modinfo;
	int fd;

	snprintf(command, sizeof(command), "modinfo -n %s", name);
	modinfo = popen(command, "re");
	if (!modinfo)
		return -errno;
	if (fgets(path, sizeof(path), modinfo))
		path[strcspn(path, "\n")] = '\0';
	pclose(modinfo);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static inline int module_load(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
}

/*
 * Has QEMU's monitor do something. It takes either kind of quotes. Its answer is
 * the line with our id; before it come events, and what was left over for whoever
 * had the port before.
 */
static inline int qmp_ask(FILE *port, int id, const char *command)
{
	char line[4096], tag[32];

	dprintf(fileno(port), "{%s, 'id': %d}\n", command, id);
	snprintf(tag, sizeof(tag), "\"id\": %d", id);
	do {
		if (!fgets(line, sizeof(line), port))
			return -EPIPE;
	} while (!strstr(line, tag));
	return strstr(line, "\"error\"") ? -EAGAIN : 0;
}

static inline int qmp(const char *command)
{
	const char *path = qmp_port();
	int fd, ret;
	FILE *port;

	fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	port = fd < 0 ? NULL : fdopen(fd, "r");
	if (!port)
		return -ENODEV;
	/* An error if another has done it, with which all is well. */
	ret = qmp_ask(port, getpid(), "'execute': 'qmp_capabilities'");
	if (ret != -EPIPE)
		ret = qmp_ask(port, getpid() + 1, command);
	fclose(port);
	return ret;
}

static inline int slot_ask(const char *format, int slot)
{
	char command[160];

	snprintf(command, sizeof(command), format, slot, slot);
	return qmp(command);
}

static inline int slot_device_del(const struct plug *plug)
{
	return slot_ask("'execute': 'device_del', 'arguments': { 'id': 'edu%d' }",
			plug->slot);
}

static inline int slot_device_add(const struct plug *plug)
{
	return slot_ask("'execute': 'device_add', 'arguments': { 'driver': 'edu', 'id': 'edu%d', 'bus': 'slots', 'addr': '%d' }",
			plug->slot);
}

static inline bool path_exists(const char *path)
{
	struct stat st;

	return !stat(path, &st);
}

static inline int wait_for_path(const char *path, bool there)
{
	__s64 deadline = deadline_ms(PLUG_MS);

	while (path_exists(path) != there) {
		if (now_ns() > deadline)
			return -ETIME;
		usleep(1000);
	}
	return 0;
}

/* When this returns, the driver has let go of the device. */
static inline int unplug(const struct plug *plug, enum unplug_way way)
{
	char path[PATH_MAX + 16];

	switch (way) {
	case UNBIND:
		snprintf(path, sizeof(path), "%s/unbind", plug->driver);
		return write_file(path, plug->name);
	case UNLOAD:
		return module_unload(plug->module);
	case DEVICE_DEL:
		return slot_device_del(plug) ?:
		       wait_for_path(plug->parent, false);
	}
	return -EINVAL;
}

static inline int plug_in_slot(const struct plug *plug)
{
	__s64 deadline = deadline_ms(PLUG_MS);
	char path[64];
	int minor, ret;

	/* QEMU may be taking out the old one still. */
	while ((ret = slot_device_add(plug)) == -EAGAIN && now_ns() < deadline)
		usleep(10000);
	if (ret)
		return ret;
	while ((minor = plug_minor(plug)) < 0 && now_ns() < deadline)
		usleep(1000);
	minor_path(minor, path);
	return minor < 0 ? minor : wait_for_path(path, true);
}

/* When this returns, the device has a number again. */
static inline int plug_in(const struct plug *plug, enum unplug_way way)
{
	char path[PATH_MAX + 16];
	int fd, ret;

	switch (way) {
	case UNBIND:
		snprintf(path, sizeof(path), "%s/bind", plug->driver);
		return write_file(path, plug->name);
	case UNLOAD:
		fd = module_open(plug->module);
		if (fd < 0)
			return fd;
		ret = module_load(fd);
		close(fd);
		return ret;
	case DEVICE_DEL:
		return plug_in_slot(plug);
	}
	return -EINVAL;
}

static __thread sigjmp_buf touch_env;

static inline void touch_on_fault(int signal)
{
	siglongjmp(touch_env, signal);
}

/* The signal that writing to @byte gives, or 0. */
static inline int touch(volatile __u8 *byte, __u8 value)
{
	int signal;

	signal = sigsetjmp(touch_env, 1);
	if (!signal)
		*byte = value;
	return signal;
}

/* Returns when the thread sleeps in the kernel, on its own account. */
static inline int wait_asleep(pid_t tid)
{
	__s64 deadline = deadline_ms(WAIT_MS);
	char path[64], line[512], *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	do {
		if (read_line(path, line, sizeof(line)))
			return -ESRCH;
		state = strrchr(line, ')');
		if (state && state[2] == 'S')
			return 0;
		sched_yield();
	} while (now_ns() < deadline);
	return -ETIME;
}

/* What the census says of one thing, or a negative errno. */
static inline long long census_count(const char *what)
{
	char text[CENSUS_SIZE], *line, *next;
	size_t length = strlen(what);
	int ret;

	ret = census_read(text);
	if (ret)
		return ret;
	for (line = strtok_r(text, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next))
		if (!strncmp(line, what, length) && line[length] == ' ')
			return atoll(line + length);
	return -ENOENT;
}

#endif /* SELFTESTS_ACCEL_UNPLUG_H */
