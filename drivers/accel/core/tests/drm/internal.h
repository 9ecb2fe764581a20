/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of accel_drm_test share. */
#ifndef _ACCEL_DRM_TEST_INTERNAL_H
#define _ACCEL_DRM_TEST_INTERNAL_H

#include "accel_drm_test.h"

int accel_drm_edu_register(void);
void accel_drm_edu_unregister(void);

#endif /* _ACCEL_DRM_TEST_INTERNAL_H */
