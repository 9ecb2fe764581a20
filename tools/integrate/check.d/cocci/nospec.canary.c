// SPDX-License-Identifier: GPL-2.0-only
/* What nospec.cocci is there to find. */
static int canary_member(struct accel_ioctl_call *call)
{
	struct accel_queue_create *args = call->arg;

	if (args->engine >= call->file->dev->engine_count)
		return -EINVAL;
	return use(call->file->dev->engines[args->engine]);
}

static int canary_copy(struct accel_ioctl_call *call)
{
	struct accel_queue_create *args = call->arg;
	u32 engine;

	if (args->engine >= call->file->dev->engine_count)
		return -EINVAL;
	engine = args->engine;
	return use(call->file->dev->engines[engine]);
}

static void *canary_parameter(struct accel_job *job, u32 index)
{
	if (index >= job->bo_count)
		return NULL;
	return job->bos[index].bo;
}

static int canary_variable(struct accel_job *job)
{
	u32 op = *(const u32 *)job->cmd;

	if (!op || op > LAST_COMMAND)
		return -EINVAL;
	scoped_guard(spinlock, &job->lock)
		use(&commands[op]);
	return 0;
}

static void *canary_member_of_command(struct accel_job *job)
{
	const struct command *cmd = job->cmd;

	if (cmd->bo >= job->bo_count)
		return NULL;
	return job->bos[cmd->bo].bo;
}

static void *canary_below(struct accel_job *job, u32 index)
{
	if (index < job->bo_count)
		return job->bos[index].bo;
	return NULL;
}

static u32 canary_either(struct accel_job *job, u32 index)
{
	return index < job->bo_count ? job->flags[index] : 0;
}

/* And what it is to leave alone. */
static void *innocent_parameter(struct accel_job *job, u32 index)
{
	if (index >= job->bo_count)
		return NULL;
	return job->bos[array_index_nospec(index, job->bo_count)].bo;
}
