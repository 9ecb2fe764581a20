/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pinned memory: what the system counts of all, and what of a process. As in
 * accel_test.h, helpers return a negative errno if they fail.
 */
#ifndef SELFTESTS_ACCEL_PINS_H
#define SELFTESTS_ACCEL_PINS_H

#include "accel_test.h"

#include <unistd.h>

/* The number behind @key, which ends where the number begins. */
static inline long number_after(const char *path, const char *key)
{
	FILE *file = fopen(path, "re");
	long value = -ENODATA;
	char line[256];

	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = atol(line + strlen(key));
	fclose(file);
	return value;
}

/* Have /proc/vmstat know what each processor has counted by itself. */
static inline int vmstat_refresh(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, "1", 1) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Pages that are pinned with FOLL_PIN now, by anybody. */
static inline long pins_held(void)
{
	int ret = vmstat_refresh();
	long acquired = number_after("/proc/vmstat", "nr_foll_pin_acquired ");
	long released = number_after("/proc/vmstat", "nr_foll_pin_released ");

	return ret ? ret : acquired < 0 ? acquired : acquired - released;
}

static inline long pinned_kib_of(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return number_after(path, "VmPin:");
}

static inline long pinned_kib(void)
{
	return number_after("/proc/self/status", "VmPin:");
}

/* Waits for what jobs that have ended still hold. */
static inline int settle(void)
{
	char text[CENSUS_SIZE];

	return census_read(text);
}

/* Whether a process has come to execute the program @name. */
static inline bool process_is(pid_t pid, const char *name)
{
	char path[32], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	return !strncmp(comm, name, strlen(name));
}

/* Buffers in memory at @addr; @id is written only where this succeeds. */
static inline int bo_userptr_at(int fd, __u64 addr, __u64 length, __u32 flags,
				__u32 *id)
{
	struct accel_bo_userptr userptr = {
		.size = sizeof(userptr),
		.flags = flags,
		.addr = addr,
		.length = length,
		.id = *id,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_BO_USERPTR, &userptr);

	*id = userptr.id;
	return ret;
}

static inline int bo_userptr(int fd, const void *addr, __u64 length, __u32 flags,
			     __u32 *id)
{
	*id = 7;
	return bo_userptr_at(fd, ptr_to_u64(addr), length, flags, id);
}

#endif /* SELFTESTS_ACCEL_PINS_H */
