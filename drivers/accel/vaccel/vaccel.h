/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vaccel share. vaccel_drv.c is the device, vaccel_engine.c
 * decides what runs when, vaccel_cmd.c knows the commands, vaccel_image.c those
 * for images, vaccel_mem.c is the local memory.
 */
#ifndef _ACCEL_VACCEL_H
#define _ACCEL_VACCEL_H

#include <linux/accel.h>
#include <linux/container_of.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/accel_vaccel.h>

struct gen_pool;

#define VACCEL_ENGINES		2
#define VACCEL_LOCAL_SIZE	SZ_16M

/**
 * struct vaccel_engine - an engine
 * @base: the core's part
 * @work: takes jobs from @fifo, one after the other
 * @lock: protects the members that follow. Innermost, taken in any context;
 *	accel_job_done() is called without it
 * @fifo: jobs that were given to the engine and have not begun. A job that hangs
 *	stays at the head, and nothing behind it begins
 * @running: the job that @work has begun, until it is done with it
 * @idle: @running has become NULL
 */
struct vaccel_engine {
	struct accel_engine base;
	struct work_struct work;
	spinlock_t lock;		/* protects what follows */
	struct list_head fifo;
	struct vaccel_job *running;
	wait_queue_head_t idle;
};

/**
 * struct vaccel_device - a virtual accelerator
 * @accel: its face to the core
 * @wq: where engines work; on the path to signalling fences
 * @engines: they run at the same time
 * @local: region ACCEL_VACCEL_REGION_LOCAL
 * @local_pool: what is free of it
 */
struct vaccel_device {
	struct accel_device accel;
	struct workqueue_struct *wq;
	struct vaccel_engine engines[VACCEL_ENGINES];
	struct accel_region local;
	struct gen_pool *local_pool;
};

struct vaccel_yuv;

/**
 * struct vaccel_plane - a plane of an image, as jobs use it
 * @start: first byte of the first line
 * @stride: bytes from one line to the next
 */
struct vaccel_plane {
	u8 *start;
	u32 stride;
};

/**
 * struct vaccel_job - a job and its checked command
 * @base: the core's part
 * @link: in &vaccel_engine.fifo, or empty
 * @op: an enum accel_vaccel_op
 * @released: a hanging job may end; protected by the engine's lock
 * @aborted: set once, with the engine's lock; the command is to stop where it is
 * @fill: operands of ACCEL_VACCEL_FILL
 * @copy: of ACCEL_VACCEL_COPY
 * @matmul: of ACCEL_VACCEL_MATMUL
 * @convert: of ACCEL_VACCEL_CONVERT
 * @convolve: of ACCEL_VACCEL_CONVOLVE
 * @error: what the others end with
 */
struct vaccel_job {
	struct accel_job base;
	struct list_head link;
	u32 op;
	bool released;
	bool aborted;
	union {
		struct {
			void *dst;
			u64 length;
			u32 value;
		} fill;
		struct {
			void *dst;
			void *src;
			u64 length;
		} copy;
		struct {
			void *a;
			void *b;
			void *c;
			u32 m;
			u32 n;
			u32 k;
		} matmul;
		struct {
			struct vaccel_plane rgb;
			struct vaccel_plane yuv[2];
			const struct vaccel_yuv *layout;
			u32 width;
			u32 height;
			bool to_rgb;
		} convert;
		struct {
			struct vaccel_plane src;
			struct vaccel_plane dst;
			u32 src_step;
			u32 dst_step;
			u32 width;
			u32 height;
			u32 shift;
			s16 kernel[9];
			s16 bias;
		} convolve;
		int error;
	};
};

static inline struct vaccel_device *to_vaccel(struct accel_device *accel)
{
	return container_of(accel, struct vaccel_device, accel);
}

static inline struct vaccel_job *to_vaccel_job(struct accel_job *job)
{
	return container_of(job, struct vaccel_job, base);
}

int vaccel_engine_init(struct vaccel_device *vaccel, struct vaccel_engine *engine,
		       const char *name);
int vaccel_engine_release(struct accel_queue *queue);
int vaccel_job_run(struct accel_job *base);
void vaccel_job_abort(struct accel_job *base);

int vaccel_job_validate(struct accel_job *base);
int vaccel_cmd_execute(struct vaccel_job *job);
int vaccel_operand(struct vaccel_job *job, u32 index, u64 offset, u64 length,
		   u32 flags, void **operand);
bool vaccel_should_stop(const struct vaccel_job *job);

int vaccel_validate_convert(struct vaccel_job *job);
int vaccel_execute_convert(struct vaccel_job *job);
int vaccel_validate_convolve(struct vaccel_job *job);
int vaccel_execute_convolve(struct vaccel_job *job);

int vaccel_mem_init(struct vaccel_device *vaccel);

#endif /* _ACCEL_VACCEL_H */
