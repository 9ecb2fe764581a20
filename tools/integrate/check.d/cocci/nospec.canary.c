// SPDX-License-Identifier: GPL-2.0-only
/* What nospec.cocci is there to find. */
static int canary_member(struct accel_ioctl_call *call)
{
	struct accel_queue_create *args = call->arg;

	if (args->engine >= call->file->dev->engine_count)
		return -EINVAL;
	return use(call->file->dev->engines[args->engine]);
}

static void *canary_parameter(struct accel_job *job, u32 index)
{
	if (index >= job->bo_count)
		return NULL;
	return job->bos[index].bo;
}
