// SPDX-License-Identifier: LGPL-2.1-only OR MIT
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>

#include "libaccel.h"

/* Offsets of buffers are above 4 GiB. */
static_assert(sizeof(off_t) == 8, "needs -D_FILE_OFFSET_BITS=64");

#define NSEC_PER_SEC	1000000000LL
#define NSEC_PER_MSEC	1000000LL

unsigned int accel_lib_version(void)
{
	return ACCEL_LIB_VERSION;
}

int accel_ioctl(int fd, unsigned int request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

int accel_query(int fd, struct accel_query *query)
{
	return accel_ioctl(fd, ACCEL_IOCTL_QUERY, query);
}

int accel_destroy(int fd, uint32_t id)
{
	struct accel_destroy destroy = { .size = sizeof(destroy), .id = id };

	return accel_ioctl(fd, ACCEL_IOCTL_DESTROY, &destroy);
}

int accel_client_name(int fd, const char *name)
{
	struct accel_client_name client_name = {
		.size = sizeof(client_name),
		.name_size = strlen(name),
		.name_ptr = accel_ptr(name),
	};

	return accel_ioctl(fd, ACCEL_IOCTL_CLIENT_NAME, &client_name);
}

int accel_bo_create(int fd, struct accel_bo_create *bo)
{
	return accel_ioctl(fd, ACCEL_IOCTL_BO_CREATE, bo);
}

int accel_bo_userptr(int fd, struct accel_bo_userptr *userptr)
{
	return accel_ioctl(fd, ACCEL_IOCTL_BO_USERPTR, userptr);
}

int accel_bo_import(int fd, struct accel_bo_import *import)
{
	return accel_ioctl(fd, ACCEL_IOCTL_BO_IMPORT, import);
}

int accel_bo_export(int fd, uint32_t id, uint32_t flags, int *dma_buf)
{
	struct accel_bo_export export = {
		.size = sizeof(export),
		.id = id,
		.flags = flags,
	};
	int ret;

	ret = accel_ioctl(fd, ACCEL_IOCTL_BO_EXPORT, &export);
	if (!ret)
		*dma_buf = export.fd;
	return ret;
}

int accel_bo_info(int fd, struct accel_bo_info *info)
{
	return accel_ioctl(fd, ACCEL_IOCTL_BO_INFO, info);
}

int accel_bo_sync(int fd, uint32_t id, uint32_t flags, int64_t deadline_ns)
{
	struct accel_bo_sync sync = {
		.size = sizeof(sync),
		.id = id,
		.flags = flags,
		.deadline_ns = deadline_ns,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_BO_SYNC, &sync);
}

int accel_bo_advise(int fd, uint32_t id, uint32_t advice)
{
	struct accel_bo_advise advise = {
		.size = sizeof(advise),
		.id = id,
		.advice = advice,
	};
	int ret = accel_ioctl(fd, ACCEL_IOCTL_BO_ADVISE, &advise);

	return ret < 0 ? ret : (int)advise.retained;
}

int accel_bo_map(int fd, uint64_t mmap_offset, uint64_t length, int prot,
		 void **map)
{
	void *addr;

	if ((size_t)length != length)
		return -ENOMEM;

	addr = mmap(NULL, length, prot, MAP_SHARED, fd, mmap_offset);
	if (addr == MAP_FAILED)
		return -errno;

	*map = addr;
	return 0;
}

int accel_bo_unmap(void *map, uint64_t length)
{
	return munmap(map, length) ? -errno : 0;
}

int accel_queue_create(int fd, struct accel_queue_create *queue)
{
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_CREATE, queue);
}

int accel_queue_info(int fd, struct accel_queue_info *info)
{
	return accel_ioctl(fd, ACCEL_IOCTL_QUEUE_INFO, info);
}

int accel_submit(int fd, struct accel_submit *submit)
{
	int ret = accel_ioctl(fd, ACCEL_IOCTL_SUBMIT, submit);

	return ret ? ret : (int)submit->accepted;
}

int accel_timeline_create(int fd, uint64_t value, uint32_t *id)
{
	struct accel_timeline_create create = {
		.size = sizeof(create),
		.value = value,
	};
	int ret;

	ret = accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_CREATE, &create);
	if (!ret)
		*id = create.id;
	return ret;
}

int accel_timeline_signal(int fd, uint32_t id, uint64_t value)
{
	struct accel_timeline_signal signal = {
		.size = sizeof(signal),
		.id = id,
		.value = value,
	};

	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_SIGNAL, &signal);
}

int accel_timeline_query(int fd, struct accel_timeline_query *query)
{
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_QUERY, query);
}

int accel_timeline_wait(int fd, struct accel_timeline_wait *wait)
{
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_WAIT, wait);
}

int accel_wait_point(int fd, uint32_t timeline, uint64_t value,
		     int64_t deadline_ns, int32_t *status)
{
	struct accel_point point = { .timeline = timeline, .value = value };
	struct accel_timeline_wait wait = {
		.size = sizeof(wait),
		.points_ptr = accel_ptr(&point),
		.count = 1,
		.stride = sizeof(point),
		.deadline_ns = deadline_ns,
	};
	int ret;

	ret = accel_timeline_wait(fd, &wait);
	if (!ret)
		*status = wait.status;
	return ret;
}

int accel_timeline_export(int fd, struct accel_timeline_export *arg)
{
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_EXPORT, arg);
}

int accel_timeline_import(int fd, struct accel_timeline_import *arg)
{
	return accel_ioctl(fd, ACCEL_IOCTL_TIMELINE_IMPORT, arg);
}

int accel_point_sync_file(int fd, uint32_t timeline, uint64_t value)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = timeline,
		.value = value,
		.type = ACCEL_FD_SYNC_FILE,
		.fd = -1,
	};
	int ret;

	ret = accel_timeline_export(fd, &export);
	return ret ? ret : export.fd;
}

int accel_point_eventfd(int fd, uint32_t timeline, uint64_t value, int eventfd)
{
	struct accel_timeline_export export = {
		.size = sizeof(export),
		.id = timeline,
		.value = value,
		.type = ACCEL_FD_EVENTFD,
		.fd = eventfd,
	};

	return accel_timeline_export(fd, &export);
}

int64_t accel_deadline_after_ms(uint64_t ms)
{
	struct timespec ts;
	int64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	if (ms > (uint64_t)((INT64_MAX - now) / NSEC_PER_MSEC))
		return INT64_MAX;
	return now + (int64_t)ms * NSEC_PER_MSEC;
}
