// SPDX-License-Identifier: GPL-2.0-only
/*
 * What needs no device: walking answers of kernels that know more or less than
 * the program. Linked with --wrap=ioctl, so that ioctl() is the one below.
 */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "libaccel.h"

/* What the kernel answers; to the first grow_at calls, with one element less. */
static struct {
	uint32_t stride;
	uint32_t count;
	unsigned int calls;
	unsigned int grow_at;
} kernel;

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct accel_query *query;
	uint32_t count, room, i;
	char answer[1024];
	va_list args;

	va_start(args, request);
	query = va_arg(args, struct accel_query *);
	va_end(args);

	assert(fd == 3 && request == ACCEL_IOCTL_QUERY);
	assert(query->size == sizeof(*query) && !query->reserved);
	if (query->topic == ACCEL_QUERY_DRIVER) {
		errno = EOPNOTSUPP;
		return -1;
	}

	count = kernel.count - (kernel.calls++ < kernel.grow_at);
	room = query->data_size;
	assert(kernel.stride * count <= sizeof(answer));
	for (i = 0; i < count; i++)
		memset(answer + i * kernel.stride, i + 1, kernel.stride);
	query->stride = kernel.stride;
	query->count = count;
	query->data_size = kernel.stride * count;
	if (room)
		memcpy((void *)(uintptr_t)query->data_ptr, answer,
		       room < query->data_size ? room : query->data_size);
	return 0;
}

static void test_array(uint32_t stride, uint32_t total, unsigned int grow_at)
{
	const uint32_t mine = sizeof(struct accel_query_engine);
	struct accel_query_engine *engines;
	uint32_t count, i, j;

	kernel.stride = stride;
	kernel.count = total;
	kernel.calls = 0;
	kernel.grow_at = grow_at;
	assert(!accel_query_engines(3, &engines, &count));
	assert(count == total);
	assert(!!engines == !!total);
	for (i = 0; i < count; i++) {
		const unsigned char *byte = (unsigned char *)&engines[i];

		for (j = 0; j < mine; j++)
			assert(byte[j] == (j < stride ? i + 1 : 0));
	}
	free(engines);
}

static void test_struct(uint32_t stride)
{
	const uint32_t mine = sizeof(struct accel_query_device);
	unsigned char answer[2 * sizeof(struct accel_query_device)];
	uint32_t i;

	memset(answer, 0xaa, sizeof(answer));
	kernel.stride = stride;
	kernel.count = 1;
	kernel.grow_at = 0;
	assert(!accel_query_device(3, (struct accel_query_device *)answer));
	for (i = 0; i < sizeof(answer); i++)
		assert(answer[i] == (i >= mine ? 0xaa : i < stride ? 1 : 0));
}

int main(void)
{
	const uint32_t engine = sizeof(struct accel_query_engine);
	const uint32_t device = sizeof(struct accel_query_device);
	uint32_t blob = 5;

	test_array(engine, 3, 0);
	test_array(engine + 8, 3, 0);
	test_array(engine - 8, 3, 0);
	test_array(engine, 0, 0);
	test_array(engine, 3, 1);

	test_struct(device);
	test_struct(device + 8);
	test_struct(device - 8);

	assert(accel_query_driver(3, &blob, sizeof(blob)) == -EOPNOTSUPP);
	assert(blob == 5);

	assert(accel_deadline_after_ms(0) > 0);
	assert(accel_deadline_after_ms(1000) >
	       accel_deadline_after_ms(0) + 900000000);
	assert(accel_deadline_after_ms(UINT64_MAX) == INT64_MAX);
	assert(accel_deadline_after_ms(INT64_MAX) == INT64_MAX);
	assert(accel_lib_version() == ACCEL_LIB_VERSION);
	return 0;
}
