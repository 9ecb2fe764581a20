/* SPDX-License-Identifier: MIT */
/*
 * What the examples share: a device, buffers, and what to do when a call fails.
 * Exiting closes the device, which ends all that was made on it.
 */
#ifndef ACCEL_EXAMPLE_H
#define ACCEL_EXAMPLE_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <libaccel.h>

struct buffer {
	uint32_t id;
	uint64_t length;
	void *map;
};

static inline int must(int ret, const char *what)
{
	if (ret < 0) {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
			what, strerror(-ret));
		exit(EXIT_FAILURE);
	}
	return ret;
}

static inline void print_device(int fd, const char *driver)
{
	struct accel_query_device device;
	struct stat st;

	must(accel_query_device(fd, &device), "QUERY_DEVICE");
	if (strcmp((const char *)device.driver, driver)) {
		fprintf(stderr, "%s: the device's driver is %s, not %s\n",
			program_invocation_short_name,
			(const char *)device.driver, driver);
		exit(EXIT_FAILURE);
	}
	must(fstat(fd, &st) ? -errno : 0, "fstat");
	printf("device: accel%u, driver %s, at %s\n", minor(st.st_rdev),
	       (const char *)device.driver, (const char *)device.bus_id);
}

/* Open @device, or if that is NULL the first of @driver's, and say which it is. */
static inline int open_device(const char *device, const char *driver)
{
	int fd = device ? accel_open(device) : accel_open_driver(driver);

	if (!device && fd == -ENODEV) {
		fprintf(stderr, "%s: no device with driver %s: is the module loaded?\n",
			program_invocation_short_name, driver);
		exit(EXIT_FAILURE);
	}
	must(fd, device ? device : driver);
	print_device(fd, driver);
	return fd;
}

static inline struct buffer make_buffer(int fd, uint64_t length)
{
	struct accel_bo_create bo = { .size = sizeof(bo), .length = length };
	struct buffer buffer;

	must(accel_bo_create(fd, &bo), "BO_CREATE");
	buffer.id = bo.id;
	buffer.length = bo.length;
	must(accel_bo_map(fd, bo.mmap_offset, bo.length, PROT_READ | PROT_WRITE,
			  &buffer.map), "mmap");
	return buffer;
}

static inline void drop_buffer(int fd, struct buffer *buffer)
{
	must(accel_bo_unmap(buffer->map, buffer->length), "munmap");
	must(accel_destroy(fd, buffer->id), "DESTROY");
}

#endif /* ACCEL_EXAMPLE_H */
