/* SPDX-License-Identifier: MIT */
/* The page frames of dma-bufs, which the module accel_dmabuf_test tells. */
#ifndef ACCEL_DEMO_FRAMES_H
#define ACCEL_DEMO_FRAMES_H

#include <stdint.h>

/* Returns the module's device, to be closed with close(). Exits if there is none. */
int frames_open(void);

/*
 * Print the page frames of @dmabuf, and return whether those of the mapping @map are
 * the same.
 */
int frames_compare(int frames, int dmabuf, const volatile uint8_t *map,
		   uint64_t length);

#endif /* ACCEL_DEMO_FRAMES_H */
