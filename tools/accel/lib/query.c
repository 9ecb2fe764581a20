// SPDX-License-Identifier: LGPL-2.1-only OR MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "libaccel.h"

int accel_copy_array(const void *from, size_t from_stride, uint32_t count,
		     size_t to_stride, void **to)
{
	size_t part = from_stride < to_stride ? from_stride : to_stride;
	char *copy = NULL;
	uint32_t i;

	if (count) {
		copy = calloc(count, to_stride);
		if (!copy)
			return -ENOMEM;
	}
	for (i = 0; i < count; i++)
		memcpy(copy + i * to_stride,
		       (const char *)from + i * from_stride, part);

	*to = copy;
	return 0;
}

int accel_query_struct(int fd, uint32_t topic, void *data, size_t data_size)
{
	struct accel_query query = {
		.size = sizeof(query),
		.topic = topic,
		.data_ptr = accel_ptr(data),
		.data_size = data_size,
	};
	int ret;

	ret = accel_query(fd, &query);
	if (!ret && query.data_size < data_size)
		memset((char *)data + query.data_size, 0,
		       data_size - query.data_size);
	return ret;
}

int accel_query_array(int fd, uint32_t topic, size_t stride, void **array,
		      uint32_t *count)
{
	struct accel_query query = { .size = sizeof(query), .topic = topic };
	void *answer = NULL;
	uint32_t room;
	int ret;

	/* The answer may have grown since the call that told its size. */
	for (;;) {
		room = query.data_size;
		ret = accel_query(fd, &query);
		if (ret || query.data_size <= room)
			break;

		free(answer);
		answer = malloc(query.data_size);
		if (!answer)
			return -ENOMEM;
		query.data_ptr = accel_ptr(answer);
	}

	if (!ret)
		ret = accel_copy_array(answer, query.stride, query.count,
				       stride, array);
	if (!ret)
		*count = query.count;
	free(answer);
	return ret;
}
