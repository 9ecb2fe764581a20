// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that make room. When a region with ACCEL_REGION_EVICTS is full, those of
 * its buffers that no job uses are moved to system memory, least recently used first;
 * and back when a job is to use them, if there is room or can be made. Whoever made
 * a buffer pays for it there, not the one who needs the room.
 *
 * accel_bo.users says who must not be moved: whoever is about to use a buffer counts
 * itself there before it takes the buffer's lock. Only with accel_region.evict_lock are
 * the locks of two buffers held at a time.
 */
#include "accel_internal.h"

#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

static bool accel_bo_may_move(const struct accel_bo *bo)
{
	return bo->home->flags & ACCEL_REGION_EVICTS;
}

/* Whoever asks for the buffer now is who pays for it later. */
void accel_evict_init_bo(struct accel_bo *bo)
{
	INIT_LIST_HEAD(&bo->region_link);
	if (accel_bo_may_move(bo))
		bo->memcg = get_mem_cgroup_from_mm(current->mm);
}

void accel_evict_fini_bo(struct accel_bo *bo)
{
	mem_cgroup_put(bo->memcg);
}

/* @bo is in its region, and the most recently used there. */
static void accel_region_touch(struct accel_bo *bo)
{
	struct accel_region *region = bo->region;

	lockdep_assert_held(&bo->lock);

	guard(spinlock)(&region->lock);
	list_move_tail(&bo->region_link, &region->bos);
}

static void accel_region_leave(struct accel_bo *bo)
{
	struct accel_region *region = bo->region;

	lockdep_assert_held(&bo->lock);

	if (accel_bo_may_move(bo) && region == bo->home) {
		scoped_guard(spinlock, &region->lock)
			list_del_init(&bo->region_link);
	}
	region->ops->free(bo);
	atomic64_sub(bo->size, &region->used);
}

/* Give up the memory, wherever it is; neither kernel nor device has it mapped. */
void accel_bo_free_backing(struct accel_bo *bo)
{
	accel_region_leave(bo);
	bo->region = NULL;
}

/*
 * The first of @candidates, with a reference and back in @region's list, the most
 * recently used there; or NULL. A job may touch it before its lock is taken, so it is
 * never off the lists.
 */
static struct accel_bo *accel_region_take(struct accel_region *region,
					  struct list_head *candidates)
{
	struct accel_bo *bo;

	guard(spinlock)(&region->lock);
	while ((bo = list_first_entry_or_null(candidates, struct accel_bo,
					      region_link))) {
		list_move_tail(&bo->region_link, &region->bos);
		if (refcount_inc_not_zero(&bo->obj.refs))
			return bo;
	}
	return NULL;
}

/* Set what the free of system memory's ops undoes, or nothing. */
static int accel_system_alloc(struct accel_bo *bo)
{
	const struct accel_bo_ops *ops = bo->dev->system->ops;
	struct mem_cgroup *old;
	int ret;

	/* On us: of the owner's limit only what can fail may be asked. */
	ret = ops->alloc(bo);
	if (ret)
		return ret;

	old = set_active_memcg(bo->memcg);
	ret = ops->populate(bo);
	set_active_memcg(old);
	if (ret)
		ops->free(bo);
	return ret;
}

/* Between a kernel address and the pages of system memory */
static void accel_bo_copy_pages(struct accel_bo *bo, void *vaddr, bool to_pages)
{
	pgoff_t i;

	for (i = 0; i < bo->size >> PAGE_SHIFT; i++, vaddr += PAGE_SIZE) {
		if (to_pages)
			memcpy_to_page(bo->pages[i], 0, vaddr, PAGE_SIZE);
		else
			memcpy_from_page(vaddr, bo->pages[i], 0, PAGE_SIZE);
		cond_resched();
	}
}

/* On an error it is where it was. */
static int accel_bo_move_out(struct accel_bo *bo)
{
	struct accel_region *system = bo->dev->system;
	int ret;

	lockdep_assert_held(&bo->lock);

	ret = accel_bo_populate(bo);
	if (!ret && !bo->vaddr)
		ret = bo->region->ops->vmap(bo);
	if (!ret)
		ret = accel_system_alloc(bo);
	if (ret)
		return ret;

	accel_bo_zap(bo);
	/* That makes visible what the device wrote. */
	accel_bo_unmap_dma(bo);
	accel_bo_copy_pages(bo, bo->vaddr, true);
	accel_bo_unmap(bo);
	accel_region_leave(bo);
	WRITE_ONCE(bo->region, system);
	atomic64_add(bo->size, &system->used);
	return 0;
}

/* The one who needs room, and those who make it, one after the other. */
static void accel_bo_lock_to_evict(struct accel_bo *bo)
{
	mutex_lock_nest_lock(&bo->lock, &bo->home->evict_lock);
}

/*
 * Move one buffer out of @region. One that cannot be moved, since a job uses it or its
 * owner has no memory left, is not to be in the way of the others. Each is tried once,
 * whatever jobs do to the list meanwhile: there is an end to it.
 */
static bool accel_region_make_room(struct accel_region *region)
{
	bool moved = false;
	struct accel_bo *bo;
	LIST_HEAD(candidates);

	lockdep_assert_held(&region->evict_lock);

	scoped_guard(spinlock, &region->lock)
		list_splice_init(&region->bos, &candidates);
	while (!moved && !fatal_signal_pending(current) &&
	       (bo = accel_region_take(region, &candidates))) {
		accel_bo_lock_to_evict(bo);
		moved = !atomic_read(&bo->users) && !accel_bo_move_out(bo);
		mutex_unlock(&bo->lock);
		accel_object_put_any_context(&bo->obj);
	}
	scoped_guard(spinlock, &region->lock)
		list_splice(&candidates, &region->bos);
	return moved;
}

static int accel_bo_alloc_home(struct accel_bo *bo)
{
	struct accel_region *home = bo->home;
	int ret;

	lockdep_assert_held(&bo->lock);

	ret = home->ops->alloc(bo);
	if (ret)
		return ret;

	atomic64_add(bo->size, &home->used);
	WRITE_ONCE(bo->region, home);
	if (accel_bo_may_move(bo))
		accel_region_touch(bo);
	return 0;
}

/* The same, at the cost of others. */
static int accel_bo_alloc_evicting(struct accel_bo *bo)
{
	int ret;

	do {
		ret = accel_bo_alloc_home(bo);
	} while (ret == -ENOSPC && accel_bo_may_move(bo) &&
		 bo->size <= bo->home->size && accel_region_make_room(bo->home));
	return ret;
}

/* Find room for @bo, which nobody else has yet. ENOSPC if there is none to be had. */
int accel_bo_alloc_backing(struct accel_bo *bo)
{
	int ret;

	scoped_guard(mutex, &bo->lock)
		ret = accel_bo_alloc_home(bo);
	if (ret != -ENOSPC)
		return ret;

	/* Buffers that jobs had last are freed by a worker. */
	accel_object_drain();
	guard(mutex)(&bo->home->evict_lock);
	accel_bo_lock_to_evict(bo);
	ret = accel_bo_alloc_evicting(bo);
	mutex_unlock(&bo->lock);
	return ret;
}

/* Stays where it is, and goes on working, if anything is in the way. */
static void accel_bo_move_in(struct accel_bo *bo)
{
	struct accel_region *system = bo->region;

	lockdep_assert_held(&bo->lock);

	accel_bo_unmap(bo);
	if (accel_bo_alloc_evicting(bo))
		return;
	if (bo->home->ops->vmap(bo)) {
		accel_region_leave(bo);
		WRITE_ONCE(bo->region, system);
		return;
	}

	accel_bo_zap(bo);
	accel_bo_copy_pages(bo, bo->vaddr, false);
	system->ops->free(bo);
	atomic64_sub(bo->size, &system->used);
}

/* Whether @bo is where it was asked for; it is then the most recently used there. */
static bool accel_bo_touch_home(struct accel_bo *bo)
{
	guard(mutex)(&bo->lock);
	if (bo->region != bo->home)
		return false;
	accel_region_touch(bo);
	return true;
}

/*
 * Have @bo where it was asked for, if that can be. The caller has counted itself among
 * the users and has no address of the memory yet; if there are others, who may have
 * one, nothing is moved.
 */
void accel_bo_bring_in(struct accel_bo *bo)
{
	if (!accel_bo_may_move(bo) || accel_bo_touch_home(bo))
		return;

	guard(mutex)(&bo->home->evict_lock);
	accel_bo_lock_to_evict(bo);
	if (bo->region != bo->home && atomic_read(&bo->users) == 1)
		accel_bo_move_in(bo);
	mutex_unlock(&bo->lock);
}
