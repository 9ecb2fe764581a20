// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local memory: a region of fixed size that goes away with the device, as that on
 * a card does. It is taken from the kernel when the device is bound, so buffers
 * in it are charged to nobody, until they are moved to system memory to make room.
 */
#include <linux/device.h>
#include <linux/genalloc.h>
#include <linux/mm.h>
#include <linux/numa.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "vaccel.h"

static int vaccel_local_alloc(struct accel_bo *bo)
{
	struct gen_pool *pool = to_vaccel(bo->dev)->local_pool;
	unsigned long addr;

	addr = gen_pool_alloc(pool, bo->size);
	if (!addr)
		return -ENOSPC;

	bo->driver_data = (void *)addr;
	memset(bo->driver_data, 0, bo->size);
	return 0;
}

static void vaccel_local_free(struct accel_bo *bo)
{
	gen_pool_free(to_vaccel(bo->dev)->local_pool,
		      (unsigned long)bo->driver_data, bo->size);
}

static unsigned long vaccel_local_pfn(struct accel_bo *bo, pgoff_t page)
{
	return vmalloc_to_pfn(bo->driver_data + (page << PAGE_SHIFT));
}

static int vaccel_local_vmap(struct accel_bo *bo)
{
	bo->vaddr = bo->driver_data;
	return 0;
}

static void vaccel_local_vunmap(struct accel_bo *bo)
{
	/* The address lasts as long as the memory. */
}

/* Without map_dma, since nothing here does DMA; without detach: see above. */
static const struct accel_bo_ops vaccel_local_ops = {
	.alloc = vaccel_local_alloc,
	.free = vaccel_local_free,
	.pfn = vaccel_local_pfn,
	.vmap = vaccel_local_vmap,
	.vunmap = vaccel_local_vunmap,
};

static void vaccel_mem_free(void *memory)
{
	vfree(memory);
}

int vaccel_mem_init(struct vaccel_device *vaccel)
{
	struct device *dev = vaccel->accel.dev.parent;
	struct accel_region *local = &vaccel->local;
	void *memory;
	int ret;

	memory = vzalloc(VACCEL_LOCAL_SIZE);
	if (!memory)
		return -ENOMEM;
	ret = devm_add_action_or_reset(dev, vaccel_mem_free, memory);
	if (ret)
		return ret;

	vaccel->local_pool = devm_gen_pool_create(dev, PAGE_SHIFT, NUMA_NO_NODE,
						  "local");
	if (IS_ERR(vaccel->local_pool))
		return PTR_ERR(vaccel->local_pool);
	ret = gen_pool_add(vaccel->local_pool, (unsigned long)memory,
			   VACCEL_LOCAL_SIZE, NUMA_NO_NODE);
	if (ret)
		return ret;

	local->name = "local";
	local->size = VACCEL_LOCAL_SIZE;
	local->flags = ACCEL_REGION_LOCAL | ACCEL_REGION_EVICTS;
	local->ops = &vaccel_local_ops;
	return accel_region_add(&vaccel->accel, local);
}
