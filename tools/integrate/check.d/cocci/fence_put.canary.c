// SPDX-License-Identifier: GPL-2.0-only
/* What fence_put.cocci is there to find. */
static long canary_wait(struct dma_fence *fence)
{
	dma_fence_put(fence);
	return dma_fence_wait(fence, true);
}

static int canary_job(struct accel_job *job)
{
	dma_fence_put(&job->fence);
	return job->error;
}
