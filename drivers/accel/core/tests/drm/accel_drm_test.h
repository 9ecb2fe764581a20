/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests know of the module accel_drm_test. Its devices also have the
 * buffers that DRM calls dumb.
 */
#ifndef _ACCEL_DRM_TEST_H
#define _ACCEL_DRM_TEST_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <uapi/drm/drm.h>
#else
#include <drm/drm.h>
#endif

/* Platform devices NAME.0 and so on, of which "devices" there are; and their driver */
#define ACCEL_DRM_TEST_NAME	"accel_drm_test"

/* A driver for QEMU's edu that takes a device only by driver_override */
#define ACCEL_DRM_EDU_NAME	"accel_drm_edu"

/**
 * struct accel_drm_edu_trip - a value that goes onto the chip of an edu and back
 * @value: in: what is sent; out: what came back
 */
struct accel_drm_edu_trip {
	__u64 value;
};

#define ACCEL_DRM_EDU_TRIP						\
	DRM_IOWR(DRM_COMMAND_BASE + 0x00, struct accel_drm_edu_trip)

#endif /* _ACCEL_DRM_TEST_H */
