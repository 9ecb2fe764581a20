/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of commands share: jobs that are refused. */
#ifndef SELFTESTS_ACCEL_COMMAND_H
#define SELFTESTS_ACCEL_COMMAND_H

#include "accel_test.h"

/* Why SUBMIT refuses the job; 0 if it does not, or if something came of it. */
static inline int submit_refused(int fd, __u32 queue,
				 const struct test_job *job)
{
	struct accel_queue_info before, after;
	__u64 point;
	int ret;

	ret = queue_info(fd, queue, &before);
	if (ret)
		return 0;
	ret = submit_one(fd, queue, job, &point);
	if (queue_info(fd, queue, &after) ||
	    before.submitted != after.submitted)
		return 0;
	return ret;
}

/* For fixtures with an fd and a queue: the job is good but for the change. */
#define EXPECT_REFUSED(error, good, change) do {			\
	struct test_job _bad = good;					\
									\
	_bad.change;							\
	EXPECT_EQ(error, submit_refused(self->fd, self->queue.id,	\
					&_bad)) {			\
		TH_LOG("%s", #change);					\
	}								\
} while (0)

#endif /* SELFTESTS_ACCEL_COMMAND_H */
