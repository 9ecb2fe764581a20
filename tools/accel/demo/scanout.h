/* SPDX-License-Identifier: MIT */
/* What a virtual screen has scanned out, by its checksum. */
#ifndef ACCEL_DEMO_SCANOUT_H
#define ACCEL_DEMO_SCANOUT_H

#include <stdint.h>

/*
 * Show the image in @dmabuf on the first card of @driver's, then the same pixels from a
 * buffer of the card's that the CPU has copied them to, then from that with one pixel
 * changed. Returns whether the checksums of what was scanned out are equal,
 * and the last is not. Exits if that cannot be done.
 */
int scanout_compare(const char *driver, uint32_t width, uint32_t height,
		    int dmabuf, uint32_t stride);

#endif /* ACCEL_DEMO_SCANOUT_H */
