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

static void canary_passed_on(struct accel_job *job)
{
	dma_fence_put(&job->fence);
	accel_job_put_rest(job);
}

static void canary_guarded(struct accel_queue *queue, struct dma_fence *fence)
{
	scoped_guard(spinlock, &queue->lock) {
		dma_fence_put(fence);
		queue->error = dma_fence_get_status(fence);
	}
}

static int canary_element(struct dma_fence **fences, int i)
{
	dma_fence_put(fences[i]);
	return dma_fence_get_status(fences[i]);
}

/* And what it is to leave alone. */
static void innocent_elements(struct dma_fence **fences, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		dma_fence_wait(fences[i], false);
		dma_fence_put(fences[i]);
	}
}

static void innocent_jobs(struct accel_engine *engine)
{
	struct accel_job *job;

	while ((job = next_job(engine))) {
		end_job(job);
		dma_fence_put(&job->fence);
	}
}
