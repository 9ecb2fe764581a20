/* SPDX-License-Identifier: LGPL-2.1-only OR MIT */
#ifndef _LIBACCEL_INTERNAL_H
#define _LIBACCEL_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Allocates a copy of an array whose elements have the size that the caller
 * knows, so that they can be indexed. What is longer is cut, what is shorter
 * is filled with zeros.
 */
__attribute__((visibility("hidden")))
int accel_copy_array(const void *from, size_t from_stride, uint32_t count,
		     size_t to_stride, void **to);

#endif /* _LIBACCEL_INTERNAL_H */
