/* SPDX-License-Identifier: LGPL-2.1-only OR MIT */
/*
 * libaccel: the ioctls of native accelerators, /dev/accel/accelN, as functions.
 */
#ifndef _LIBACCEL_H
#define _LIBACCEL_H

#include <stddef.h>
#include <stdint.h>

#include <linux/accel.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * DOC: conventions
 *
 * Functions return 0, or the count or file descriptor that their description
 * names, or a negative errno; errno itself means nothing. What the errors mean
 * is said in <linux/accel.h>. A function that fails has changed nothing, and
 * left its outputs as they were.
 *
 * The library has no state. Its functions may be called by any number of threads
 * at a time, and do not start over after a signal: unless the handler was installed
 * with SA_RESTART, the caller sees -EINTR. They allocate nothing but the arrays they
 * are documented to return; only accel_open_driver() has to list the devices.
 *
 * A parameter that is a struct of <linux/accel.h> is the argument of the ioctl:
 * the caller sets its size member to its sizeof, and to zero what it does not
 * use. That is what lets program, library and kernel be of different ages.
 * Where the library needs to know the size of the caller's struct, the function
 * that takes it as a parameter has an inline one around it that passes it.
 */

#define ACCEL_LIB_VERSION_MAJOR		0
#define ACCEL_LIB_VERSION_MINOR		1
#define ACCEL_LIB_VERSION_PATCH		0

/* Versions as numbers that compare as the versions do */
#define ACCEL_LIB_VERSION_CODE(major, minor, patch)	\
	((major) << 16 | (minor) << 8 | (patch))

/* The version that the program was compiled with */
#define ACCEL_LIB_VERSION						\
	ACCEL_LIB_VERSION_CODE(ACCEL_LIB_VERSION_MAJOR,			\
			       ACCEL_LIB_VERSION_MINOR,			\
			       ACCEL_LIB_VERSION_PATCH)

/**
 * accel_lib_version() - version that the program runs with
 *
 * Return: the library's own %ACCEL_LIB_VERSION.
 */
unsigned int accel_lib_version(void);

/**
 * accel_ptr() - a pointer as the structs of <linux/accel.h> hold it
 * @ptr: any pointer
 */
static inline uint64_t accel_ptr(const void *ptr)
{
	return (uint64_t)(uintptr_t)ptr;
}

/**
 * enum accel_kind - the two families of nodes in /dev/accel
 * @ACCEL_KIND_NATIVE: speaks <linux/accel.h>
 * @ACCEL_KIND_DRM: belongs to a DRM driver; the ioctls of <linux/accel.h> fail
 *	on it with ENOTTY
 */
enum accel_kind {
	ACCEL_KIND_NATIVE = 0,
	ACCEL_KIND_DRM = 1,
};

/**
 * struct accel_device_info - what can be known of a device without opening it
 * @index: the N of accelN
 * @kind: an enum accel_kind
 * @path: device node
 * @driver: driver bound to the parent device; empty if there is none
 * @bus_id: name of the parent device on its bus; empty if there is none
 * @vendor: of the parent device, -1 where it does not tell
 * @device: likewise
 */
struct accel_device_info {
	uint32_t index;
	uint32_t kind;
	char path[64];
	char driver[64];
	char bus_id[64];
	int32_t vendor;
	int32_t device;
};

/**
 * accel_devices_sized() - list all devices, native or not
 * @stride: sizeof(struct accel_device_info)
 * @devices: receives an array to be freed with free(), in the order of the
 *	indices; NULL if empty
 * @count: receives the number of elements
 *
 * No device at all is no error.
 */
int accel_devices_sized(size_t stride, void **devices, uint32_t *count);

/** accel_devices() - accel_devices_sized() for this header's struct */
static inline int accel_devices(struct accel_device_info **devices,
				uint32_t *count)
{
	void *array;
	int ret;

	ret = accel_devices_sized(sizeof(**devices), &array, count);
	if (ret < 0)
		return ret;
	*devices = (struct accel_device_info *)array;
	return 0;
}

/**
 * accel_open() - open a device
 * @device: an index ("0"), a name ("accel0"), or a path, which has a slash
 *
 * Return: a file descriptor, to be closed with close(), or a negative errno.
 */
int accel_open(const char *device);

/**
 * accel_open_driver() - open the first native device of a driver
 * @driver: as in struct accel_query_device
 *
 * Return: a file descriptor; -ENODEV if there is no such device; the error of the
 * first device that could not be asked, if no other one was it; an error of
 * accel_devices().
 */
int accel_open_driver(const char *driver);

/**
 * accel_ioctl() - any ioctl, such as one of the driver's own
 * @fd: the device
 * @request: the ioctl
 * @arg: its argument
 */
int accel_ioctl(int fd, unsigned int request, void *arg);

/**
 * accel_query() - ACCEL_IOCTL_QUERY as it is
 * @fd: the device
 * @query: see struct accel_query
 */
int accel_query(int fd, struct accel_query *query);

/**
 * accel_query_struct() - ask about a topic whose answer is one struct
 * @fd: the device
 * @topic: an enum accel_query_topic
 * @data: the struct; what the kernel does not know of it is set to 0
 * @data_size: its size
 */
int accel_query_struct(int fd, uint32_t topic, void *data, size_t data_size);

/**
 * accel_query_array() - ask about a topic whose answer is an array
 * @fd: the device
 * @topic: an enum accel_query_topic
 * @stride: size of an element that the caller wants; what the kernel does not
 *	know of it is 0
 * @array: receives an array to be freed with free(); NULL if empty
 * @count: receives the number of elements
 */
int accel_query_array(int fd, uint32_t topic, size_t stride, void **array,
		      uint32_t *count);

/** accel_query_device() - ACCEL_QUERY_DEVICE */
static inline int accel_query_device(int fd, struct accel_query_device *device)
{
	return accel_query_struct(fd, ACCEL_QUERY_DEVICE, device,
				  sizeof(*device));
}

/** accel_query_driver() - ACCEL_QUERY_DRIVER, into the driver's own struct */
static inline int accel_query_driver(int fd, void *data, size_t data_size)
{
	return accel_query_struct(fd, ACCEL_QUERY_DRIVER, data, data_size);
}

/** accel_query_engines() - ACCEL_QUERY_ENGINES, as accel_query_array() */
static inline int accel_query_engines(int fd,
				      struct accel_query_engine **engines,
				      uint32_t *count)
{
	void *array;
	int ret;

	ret = accel_query_array(fd, ACCEL_QUERY_ENGINES, sizeof(**engines),
				&array, count);
	if (ret < 0)
		return ret;
	*engines = (struct accel_query_engine *)array;
	return 0;
}

/** accel_query_regions() - ACCEL_QUERY_REGIONS, as accel_query_array() */
static inline int accel_query_regions(int fd,
				      struct accel_query_region **regions,
				      uint32_t *count)
{
	void *array;
	int ret;

	ret = accel_query_array(fd, ACCEL_QUERY_REGIONS, sizeof(**regions),
				&array, count);
	if (ret < 0)
		return ret;
	*regions = (struct accel_query_region *)array;
	return 0;
}

/** accel_query_ioctls() - ACCEL_QUERY_IOCTLS, as accel_query_array() */
static inline int accel_query_ioctls(int fd, struct accel_query_ioctl **ioctls,
				     uint32_t *count)
{
	void *array;
	int ret;

	ret = accel_query_array(fd, ACCEL_QUERY_IOCTLS, sizeof(**ioctls),
				&array, count);
	if (ret < 0)
		return ret;
	*ioctls = (struct accel_query_ioctl *)array;
	return 0;
}

/**
 * accel_destroy() - end a buffer, a queue or a timeline
 * @fd: the device
 * @id: see struct accel_destroy
 */
int accel_destroy(int fd, uint32_t id);

/**
 * accel_client_name() - label the open file
 * @fd: the device
 * @name: see struct accel_client_name
 */
int accel_client_name(int fd, const char *name);

/**
 * accel_bo_create() - create a buffer
 * @fd: the device
 * @bo: see struct accel_bo_create
 */
int accel_bo_create(int fd, struct accel_bo_create *bo);

/**
 * accel_bo_userptr() - make a buffer of the caller's own memory
 * @fd: the device
 * @userptr: see struct accel_bo_userptr
 */
int accel_bo_userptr(int fd, struct accel_bo_userptr *userptr);

/**
 * accel_bo_import() - make a buffer of a dma-buf
 * @fd: the device
 * @import: see struct accel_bo_import
 */
int accel_bo_import(int fd, struct accel_bo_import *import);

/**
 * accel_bo_export() - give a buffer to others, as a dma-buf
 * @fd: the device
 * @id: the buffer
 * @flags: %ACCEL_EXPORT_WRITE or 0
 * @dma_buf: receives the dma-buf, a descriptor for the caller to close
 */
int accel_bo_export(int fd, uint32_t id, uint32_t flags, int *dma_buf);

/**
 * accel_bo_info() - ask about a buffer
 * @fd: the device
 * @info: see struct accel_bo_info
 */
int accel_bo_info(int fd, struct accel_bo_info *info);

/**
 * accel_bo_sync() - begin or end access through a mapping
 * @fd: the device
 * @id: the buffer
 * @flags: %ACCEL_SYNC_READ, %ACCEL_SYNC_WRITE, %ACCEL_SYNC_END
 * @deadline_ns: how long to wait for the device
 */
int accel_bo_sync(int fd, uint32_t id, uint32_t flags, int64_t deadline_ns);

/**
 * accel_bo_advise() - say whether the contents of a buffer matter
 * @fd: the device
 * @id: the buffer
 * @advice: %ACCEL_ADVISE_WILLNEED or %ACCEL_ADVISE_DONTNEED
 *
 * Return: 1 if the contents are there, 0 if they were lost, or a negative errno.
 */
int accel_bo_advise(int fd, uint32_t id, uint32_t advice);

/**
 * accel_bo_map() - map a buffer, whatever the size of the caller's off_t
 * @fd: the device
 * @mmap_offset: as BO_CREATE or BO_INFO gave it
 * @length: bytes to map; -ENOMEM if the address space cannot hold them
 * @prot: PROT_READ, PROT_WRITE or both
 * @map: receives the address
 */
int accel_bo_map(int fd, uint64_t mmap_offset, uint64_t length, int prot,
		 void **map);

/**
 * accel_bo_unmap() - end a mapping
 * @map: the address that accel_bo_map() gave
 * @length: as it was for accel_bo_map()
 */
int accel_bo_unmap(void *map, uint64_t length);

/**
 * accel_queue_create() - create a queue and its timeline
 * @fd: the device
 * @queue: see struct accel_queue_create
 */
int accel_queue_create(int fd, struct accel_queue_create *queue);

/**
 * accel_queue_info() - ask about a queue
 * @fd: the device
 * @info: see struct accel_queue_info
 */
int accel_queue_info(int fd, struct accel_queue_info *info);

/**
 * accel_submit() - submit a batch of jobs to a queue
 * @fd: the device
 * @submit: see struct accel_submit
 *
 * Return: how many jobs were accepted, at least 1, or the negative errno of the
 * first job. Where it is less than @submit->job_count, @submit->stop_error tells
 * why. The points of the jobs start at @submit->first_point.
 */
int accel_submit(int fd, struct accel_submit *submit);

/**
 * accel_timeline_create() - create a timeline
 * @fd: the device
 * @value: every point up to this one counts as reached
 * @id: receives the timeline
 */
int accel_timeline_create(int fd, uint64_t value, uint32_t *id);

/**
 * accel_timeline_signal() - signal a point
 * @fd: the device
 * @id: a timeline that is not a queue's
 * @value: see struct accel_timeline_signal
 */
int accel_timeline_signal(int fd, uint32_t id, uint64_t value);

/**
 * accel_timeline_query() - ask about a timeline and a point on it
 * @fd: the device
 * @query: see struct accel_timeline_query
 */
int accel_timeline_query(int fd, struct accel_timeline_query *query);

/**
 * accel_timeline_wait() - wait for any or all of an array of points
 * @fd: the device
 * @wait: see struct accel_timeline_wait
 *
 * Return: 0 when the points are reached, whether their jobs failed or not, or a
 * negative errno: -ETIME when the deadline has passed.
 */
int accel_timeline_wait(int fd, struct accel_timeline_wait *wait);

/**
 * accel_wait_point() - wait for one point
 * @fd: the device
 * @timeline: the timeline, such as a queue's
 * @value: the point
 * @deadline_ns: when to give up, in nanoseconds of CLOCK_MONOTONIC: INT64_MAX
 *	is never, 0 is a poll
 * @status: receives the status of the point: 0, or the negative errno of the job
 *
 * Return: as for accel_timeline_wait().
 */
int accel_wait_point(int fd, uint32_t timeline, uint64_t value,
		     int64_t deadline_ns, int32_t *status);

/**
 * accel_timeline_export() - give a timeline, or a point on it, to others
 * @fd: the device
 * @arg: see struct accel_timeline_export
 */
int accel_timeline_export(int fd, struct accel_timeline_export *arg);

/**
 * accel_timeline_import() - take a timeline, or a point on it, from others
 * @fd: the device
 * @arg: see struct accel_timeline_import
 */
int accel_timeline_import(int fd, struct accel_timeline_import *arg);

/**
 * accel_point_sync_file() - a sync_file that signals when a point is reached
 * @fd: the device
 * @timeline: the timeline, such as a queue's
 * @value: the point
 *
 * Return: a file descriptor, close-on-exec and the caller's to close, or a negative
 * errno: -EAGAIN while it is not certain that the point will be reached.
 */
int accel_point_sync_file(int fd, uint32_t timeline, uint64_t value);

/**
 * accel_point_eventfd() - have an eventfd hear of a point
 * @fd: the device
 * @timeline: the timeline, such as a queue's
 * @value: the point, which nobody need have promised
 * @eventfd: 1 is added to it when the point is reached; it stays the caller's
 */
int accel_point_eventfd(int fd, uint32_t timeline, uint64_t value, int eventfd);

/**
 * accel_deadline_after_ms() - deadline that is some time from now
 * @ms: milliseconds; more than the clock can hold is never
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
int64_t accel_deadline_after_ms(uint64_t ms);

#ifdef __cplusplus
}
#endif

#endif /* _LIBACCEL_H */
