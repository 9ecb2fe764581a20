// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands: what is checked before a job is accepted, and what it then does.
 */
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "vaccel.h"

/* Work between two looks at whether to go on */
#define VACCEL_CHUNK	SZ_1M

bool vaccel_should_stop(const struct vaccel_job *job)
{
	cond_resched();
	return READ_ONCE(job->aborted);
}

/* Find an operand of @length bytes, not 0, in a buffer of the job's. */
int vaccel_operand(struct vaccel_job *job, u32 index, u64 offset, u64 length,
		   u32 flags, void **operand)
{
	struct accel_bo *bo;
	int ret;

	bo = accel_job_find_bo(&job->base, index, offset, length, flags);
	if (IS_ERR(bo))
		return PTR_ERR(bo);

	ret = accel_bo_vmap(bo);
	if (ret)
		return ret;

	*operand = bo->vaddr + offset;
	return 0;
}

static int vaccel_validate_nop(struct vaccel_job *job)
{
	const struct accel_vaccel_nop *cmd = job->base.cmd;

	if (cmd->reserved)
		return -EINVAL;

	job->error = job->op == ACCEL_VACCEL_FAULT ? -EFAULT : 0;
	return 0;
}

static int vaccel_validate_fail(struct vaccel_job *job)
{
	const struct accel_vaccel_fail *cmd = job->base.cmd;

	if (cmd->error >= 0 || cmd->error < -MAX_ERRNO)
		return -EINVAL;

	job->error = cmd->error;
	return 0;
}

static int vaccel_execute_error(struct vaccel_job *job)
{
	return job->error;
}

static int vaccel_validate_fill(struct vaccel_job *job)
{
	const struct accel_vaccel_fill *cmd = job->base.cmd;

	if (cmd->reserved || !cmd->length ||
	    !IS_ALIGNED(cmd->length, sizeof(u32)) ||
	    !IS_ALIGNED(cmd->offset, sizeof(u32)))
		return -EINVAL;

	job->fill.length = cmd->length;
	job->fill.value = cmd->value;
	return vaccel_operand(job, cmd->bo, cmd->offset, cmd->length,
			      ACCEL_BO_WRITE, &job->fill.dst);
}

static int vaccel_execute_fill(struct vaccel_job *job)
{
	void *dst = job->fill.dst;
	u64 left = job->fill.length;
	size_t chunk;

	for (; left && !vaccel_should_stop(job); left -= chunk, dst += chunk) {
		chunk = min(left, VACCEL_CHUNK);
		memset32(dst, job->fill.value, chunk / sizeof(u32));
	}
	return 0;
}

static int vaccel_validate_copy(struct vaccel_job *job)
{
	const struct accel_vaccel_copy *cmd = job->base.cmd;
	int ret;

	if (cmd->reserved || !cmd->length)
		return -EINVAL;

	job->copy.length = cmd->length;
	ret = vaccel_operand(job, cmd->src_bo, cmd->src_offset, cmd->length,
			     ACCEL_BO_READ, &job->copy.src);
	if (ret)
		return ret;
	return vaccel_operand(job, cmd->dst_bo, cmd->dst_offset, cmd->length,
			      ACCEL_BO_WRITE, &job->copy.dst);
}

/* Begins at the end that an overlap leaves intact. */
static int vaccel_execute_copy(struct vaccel_job *job)
{
	void *dst = job->copy.dst, *src = job->copy.src;
	u64 left = job->copy.length, at;
	size_t chunk;

	for (; left && !vaccel_should_stop(job); left -= chunk) {
		chunk = min(left, VACCEL_CHUNK);
		at = dst > src ? left - chunk : job->copy.length - left;
		memmove(dst + at, src + at, chunk);
	}
	return 0;
}

static bool vaccel_dimension_is_bad(u32 dimension)
{
	return !dimension || dimension > ACCEL_VACCEL_MATMUL_MAX;
}

static int vaccel_validate_matmul(struct vaccel_job *job)
{
	const struct accel_vaccel_matmul *cmd = job->base.cmd;
	int ret;

	if (cmd->reserved || vaccel_dimension_is_bad(cmd->m) ||
	    vaccel_dimension_is_bad(cmd->n) || vaccel_dimension_is_bad(cmd->k) ||
	    cmd->c_bo == cmd->a_bo || cmd->c_bo == cmd->b_bo ||
	    !IS_ALIGNED(cmd->c_offset, sizeof(s32)))
		return -EINVAL;

	job->matmul.m = cmd->m;
	job->matmul.n = cmd->n;
	job->matmul.k = cmd->k;

	/* With dimensions as small as they are, no product overflows. */
	ret = vaccel_operand(job, cmd->a_bo, cmd->a_offset, cmd->m * cmd->k,
			     ACCEL_BO_READ, &job->matmul.a);
	if (ret)
		return ret;
	ret = vaccel_operand(job, cmd->b_bo, cmd->b_offset, cmd->k * cmd->n,
			     ACCEL_BO_READ, &job->matmul.b);
	if (ret)
		return ret;
	return vaccel_operand(job, cmd->c_bo, cmd->c_offset,
			      cmd->m * cmd->n * sizeof(s32), ACCEL_BO_WRITE,
			      &job->matmul.c);
}

/* No sum is greater than 128 * 128 * ACCEL_VACCEL_MATMUL_MAX, which 32 bits hold. */
static s32 vaccel_dot(const s8 *row, const s8 *column, u32 stride, u32 count)
{
	s32 sum = 0;
	u32 i;

	for (i = 0; i < count; i++)
		sum += row[i] * column[(size_t)i * stride];
	return sum;
}

static int vaccel_execute_matmul(struct vaccel_job *job)
{
	u32 n = job->matmul.n, k = job->matmul.k;
	const s8 *a = job->matmul.a;
	const s8 *b = job->matmul.b;
	s32 *c = job->matmul.c;
	u32 row, column;

	for (row = 0; row < job->matmul.m && !vaccel_should_stop(job); row++) {
		for (column = 0; column < n; column++)
			c[column] = vaccel_dot(a, b + column, n, k);
		a += k;
		c += n;
	}
	return 0;
}

/* Indexed by enum accel_vaccel_op */
static const struct vaccel_cmd {
	u32 size;
	int (*validate)(struct vaccel_job *job);
	int (*execute)(struct vaccel_job *job);
} vaccel_cmds[] = {
	[ACCEL_VACCEL_NOP] = {
		sizeof(struct accel_vaccel_nop),
		vaccel_validate_nop, vaccel_execute_error
	},
	[ACCEL_VACCEL_FILL] = {
		sizeof(struct accel_vaccel_fill),
		vaccel_validate_fill, vaccel_execute_fill
	},
	[ACCEL_VACCEL_COPY] = {
		sizeof(struct accel_vaccel_copy),
		vaccel_validate_copy, vaccel_execute_copy
	},
	[ACCEL_VACCEL_MATMUL] = {
		sizeof(struct accel_vaccel_matmul),
		vaccel_validate_matmul, vaccel_execute_matmul
	},
	[ACCEL_VACCEL_FAIL] = {
		sizeof(struct accel_vaccel_fail),
		vaccel_validate_fail, vaccel_execute_error
	},
	[ACCEL_VACCEL_FAULT] = {
		sizeof(struct accel_vaccel_nop),
		vaccel_validate_nop, vaccel_execute_error
	},
	[ACCEL_VACCEL_HANG] = {
		sizeof(struct accel_vaccel_nop),
		vaccel_validate_nop, vaccel_execute_error
	},
	[ACCEL_VACCEL_CONVERT] = {
		sizeof(struct accel_vaccel_convert),
		vaccel_validate_convert, vaccel_execute_convert
	},
	[ACCEL_VACCEL_CONVOLVE] = {
		sizeof(struct accel_vaccel_convolve),
		vaccel_validate_convolve, vaccel_execute_convolve
	},
};

int vaccel_job_validate(struct accel_job *base)
{
	struct vaccel_job *job = to_vaccel_job(base);
	const struct vaccel_cmd *cmd;
	u32 op;

	if (base->cmd_size < sizeof(op))
		return -EINVAL;

	op = *(const u32 *)base->cmd;
	if (op >= ARRAY_SIZE(vaccel_cmds))
		return -EOPNOTSUPP;
	cmd = &vaccel_cmds[array_index_nospec(op, ARRAY_SIZE(vaccel_cmds))];
	if (!cmd->validate)
		return -EOPNOTSUPP;
	if (base->cmd_size != cmd->size)
		return -EINVAL;

	INIT_LIST_HEAD(&job->link);
	job->op = op;
	return cmd->validate(job);
}

/* Ends early, with whatever result, if the job is aborted. */
int vaccel_cmd_execute(struct vaccel_job *job)
{
	return vaccel_cmds[job->op].execute(job);
}
