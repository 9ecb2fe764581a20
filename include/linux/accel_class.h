/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every node in /dev/accel shares, whichever subsystem it belongs to.
 *
 * Drivers have no use for this header: theirs is <linux/accel.h>, or
 * <drm/drm_accel.h> for a DRM driver.
 */
#ifndef _LINUX_ACCEL_CLASS_H
#define _LINUX_ACCEL_CLASS_H

/** define ACCEL_MAJOR - character device major of /dev/accel/accel* */
#define ACCEL_MAJOR		261

/** define ACCEL_MAX_MINORS - number of minors under %ACCEL_MAJOR */
#define ACCEL_MAX_MINORS	256

/** define ACCEL_FIRST_VIRTUAL_MINOR - where devices without hardware start */
#define ACCEL_FIRST_VIRTUAL_MINOR	128

struct class;
struct dentry;

/**
 * enum accel_minor_kind - what is behind an accelerator node
 * @ACCEL_MINOR_HARDWARE: A device with hardware under it.
 * @ACCEL_MINOR_VIRTUAL: A device made of software only.
 */
enum accel_minor_kind {
	ACCEL_MINOR_HARDWARE,
	ACCEL_MINOR_VIRTUAL,
};

extern const struct class accel_class;

int accel_minor_alloc(enum accel_minor_kind kind);
void accel_minor_free(int index);
struct dentry *accel_debugfs_root(void);

#endif /* _LINUX_ACCEL_CLASS_H */
