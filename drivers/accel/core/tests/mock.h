/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device whose engines do nothing until the test turns the crank, and a client
 * that calls its ioctls with real user memory.
 */
#ifndef _ACCEL_MOCK_H
#define _ACCEL_MOCK_H

#include <kunit/test.h>
#include <linux/accel.h>
#include <linux/dma-fence.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "../accel_internal.h"

#define MOCK_ENGINES		3
#define MOCK_DEPTH		2
/* This engine's job_run is called from a worker, the others' in any context. */
#define MOCK_SLEEPING_ENGINE	2
#define MOCK_LOG_SIZE		128
/* Region 1, a memory of the device's own. */
#define MOCK_LOCAL_REGION	1
#define MOCK_LOCAL_SIZE		(4 * PAGE_SIZE)

#define MOCK_IOCTL_DOUBLE	_IO(ACCEL_IOCTL_TYPE, 0x80)
#define MOCK_IOCTL_SUM		_IO(ACCEL_IOCTL_TYPE, 0x81)

struct mock_double {
	u32 size;
	u32 value;
};

/* More than the core has room for on its stack. */
struct mock_sum {
	u32 size;
	u32 sum;
	u32 values[254];
};

enum mock_op {
	MOCK_WAIT,	/* runs until mock_finish() */
	MOCK_INSTANT,	/* ends inside job_run */
	MOCK_REFUSE,	/* job_run fails */
	MOCK_BAD,	/* job_validate fails */
	MOCK_HOOK,	/* calls mock_device.on_run in job_run; then as MOCK_WAIT */
};

struct mock_cmd {
	u32 op;
	u32 tag;
};

/**
 * struct mock_device - a device without hardware
 * @accel: as the core sees it
 * @engines: @MOCK_ENGINES of them
 * @local: memory of the device's own
 * @owner: whose it is, for the three that follow
 * @on_validate: called in job_validate, if set
 * @on_run: see MOCK_HOOK
 * @on_abort: called in job_abort, if set, before the job is stopped
 * @lock: protects what follows
 * @running: jobs that were started and not finished, oldest first, per engine
 * @watched: a thread, or NULL
 * @watched_count: number of jobs that it started
 * @log: tags of jobs in the order in which they were started
 * @log_count: number of entries in @log
 * @nested: job_run was entered while it was running
 * @aborted: number of jobs that were aborted
 */
struct mock_device {
	struct accel_device accel;
	struct accel_engine engines[MOCK_ENGINES];
	struct accel_region local;
	int vmap_error;		/* of the local region's */
	struct mock *owner;
	int (*on_validate)(struct mock *mock, struct accel_job *job);
	void (*on_run)(struct mock *mock, struct accel_job *job);
	void (*on_abort)(struct mock *mock, struct accel_job *job);
	spinlock_t lock;	/* protects what follows */
	struct list_head running[MOCK_ENGINES];
	struct task_struct *watched;
	u32 watched_count;
	u32 log[MOCK_LOG_SIZE];
	u32 log_count;
	u32 in_run[MOCK_ENGINES];
	bool nested;
	u32 aborted;
};

/**
 * struct mock - what a test has
 * @test: the test
 * @parent: of the device
 * @dev: the device
 * @file: an open file
 * @user: user memory, MOCK_USER_SIZE bytes
 * @gone: accel_unregister() was called
 */
struct mock {
	struct kunit *test;
	struct device *parent;
	struct mock_device *dev;
	struct accel_file *file;
	unsigned long user;
	bool gone;
};

#define MOCK_USER_SIZE	SZ_64K

/* What is under the device. */
enum mock_hardware {
	MOCK_VIRTUAL,		/* nothing */
	MOCK_REACHES_ALL,	/* hardware that reaches all memory */
	MOCK_REACHES_28_BITS,	/* hardware that does not */
};

extern const struct accel_ops mock_ops;

struct mock_device *mock_alloc(struct mock *mock, const struct accel_ops *ops,
			       unsigned int flags);
int mock_init_with(struct kunit *test, enum mock_hardware hardware);
int mock_init(struct kunit *test);
void mock_exit(struct kunit *test);

void __user *mock_user(struct mock *mock, size_t offset);
long mock_ioctl(struct mock *mock, unsigned int cmd, void *arg, size_t size);
void mock_unregister(struct mock *mock);

#define MOCK_IOCTL(_mock, _name, _args) ({				\
	typeof(_args) args_ = (_args);					\
									\
	mock_ioctl(_mock, ACCEL_IOCTL_##_name, args_, sizeof(*args_));	\
})

/* What open() of the device's node gives; for __fput_sync(). */
struct file *mock_open(struct mock *mock);
struct accel_bo *mock_find_bo(struct mock *mock, u32 id);
struct accel_queue *mock_find_queue(struct mock *mock, u32 id);
struct accel_timeline *mock_find_timeline(struct mock *mock, u32 id);
long mock_count(enum accel_census what);

/* Lets other threads run until something is so; fails the test if it never is. */
#define mock_until(_mock, _condition)					\
	KUNIT_EXPECT_TRUE((_mock)->test, ({				\
		unsigned long give_up = jiffies + 30 * HZ;		\
		bool so;						\
									\
		while (!(so = (_condition)) &&				\
		       time_before(jiffies, give_up))			\
			schedule_timeout_uninterruptible(1);		\
		so;							\
	}))

/* Ends the oldest job of an engine; fails the test if there is none. */
void mock_finish(struct mock *mock, u32 engine, int error);
void mock_finish_tag(struct mock *mock, u32 tag, int error);
u32 mock_running(struct mock *mock, u32 engine);
void mock_expect_log(struct mock *mock, const u32 *tags, u32 count);

struct mock_queue {
	u32 id;
	u32 timeline;
};

#define MOCK_JOB_BOS	8

struct mock_job {
	enum mock_op op;
	u32 tag;
	u32 flags;
	u32 bo_count;
	struct accel_submit_bo bos[MOCK_JOB_BOS];
	u32 wait_count;
	struct accel_point waits[2];
	u32 signal_count;
	struct accel_point signals[2];
};

struct mock_queue mock_queue(struct mock *mock, u32 engine, u32 timeout_ms);
u32 mock_bo(struct mock *mock);
struct accel_bo_create mock_bo_in(struct mock *mock, u32 region, u64 length);
u64 mock_put(struct mock *mock, size_t offset, const void *data, size_t size);
u32 mock_timeline(struct mock *mock, u64 value);
void mock_destroy(struct mock *mock, u32 id);
long mock_submit(struct mock *mock, u32 queue, const struct mock_job *job);
long mock_signal(struct mock *mock, u32 timeline, u64 value);
int mock_status(struct mock *mock, u32 timeline, u64 value);
u64 mock_completed(struct mock *mock, u32 timeline);
int mock_wait(struct mock *mock, u32 timeline, u64 value, s64 deadline_ns);

/* mock_share.c */
/**
 * struct mock_foreign - a fence of another driver's
 * @base: the fence; comes first, and is freed as fences are
 * @lock: of @base
 */
struct mock_foreign {
	struct dma_fence base;
	spinlock_t lock;	/* of base */
};

struct mock_foreign *mock_foreign_of(struct mock *mock, u64 context, u64 seqno);
struct mock_foreign *mock_foreign(struct mock *mock);
void mock_foreign_signal(struct mock_foreign *fence, int error);
int mock_sync_file(struct mock *mock, struct dma_fence *fence);
void mock_close(struct mock *mock, int fd);
long mock_give(struct mock *mock, u32 type, u32 timeline, u64 value, u32 flags,
	       int *fd);
long mock_take(struct mock *mock, u32 type, int fd, u64 value, u32 *timeline);
struct dma_fence *mock_point_fence(struct mock *mock, u32 timeline, u64 value);

/* Submit a job that must be accepted. */
#define MOCK_SUBMIT(_mock, _queue, ...)					\
	KUNIT_ASSERT_EQ((_mock)->test, 0L,				\
			mock_submit(_mock, (_queue).id,			\
				    &(struct mock_job){ __VA_ARGS__ }))

#define MOCK_EXPECT_LOG(_mock, ...)					\
	mock_expect_log(_mock, (const u32[]){ __VA_ARGS__ },		\
			ARRAY_SIZE(((const u32[]){ __VA_ARGS__ })))

extern struct kunit_suite accel_bo_suite;
extern struct kunit_suite accel_class_suite;
extern struct kunit_suite accel_device_suite;
extern struct kunit_suite accel_dmabuf_export_suite;
extern struct kunit_suite accel_dmabuf_hardware_suite;
extern struct kunit_suite accel_dmabuf_import_suite;
extern struct kunit_suite accel_dmabuf_move_suite;
extern struct kunit_suite accel_event_suite;
extern struct kunit_suite accel_evict_suite;
extern struct kunit_suite accel_fence_suite;
extern struct kunit_suite accel_file_suite;
extern struct kunit_suite accel_implicit_suite;
extern struct kunit_suite accel_ioctl_suite;
extern struct kunit_suite accel_job_suite;
extern struct kunit_suite accel_memory_suite;
extern struct kunit_suite accel_object_suite;
extern struct kunit_suite accel_point_page_suite;
extern struct kunit_suite accel_query_suite;
extern struct kunit_suite accel_queue_suite;
extern struct kunit_suite accel_recovery_suite;
extern struct kunit_suite accel_sched_suite;
extern struct kunit_suite accel_sync_file_suite;
extern struct kunit_suite accel_timeline_fd_suite;
extern struct kunit_suite accel_timeline_suite;
extern struct kunit_suite accel_wait_suite;

#endif /* _ACCEL_MOCK_H */
