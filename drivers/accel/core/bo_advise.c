// SPDX-License-Identifier: GPL-2.0-only
/*
 * BO_ADVISE: memory that a client can do without for now. What it does not need is
 * given back when the system is short of memory, and not before.
 *
 * A buffer is used by jobs that have not ended and by dma-bufs of it. accel_bo.users
 * counts those, or is negative while the memory may be taken: so neither comes
 * about while the other is.
 */
#include "accel_internal.h"

#include <kunit/visibility.h>
#include <linux/shrinker.h>

static DEFINE_SPINLOCK(accel_purgeable_lock);	/* protects the next two */
static LIST_HEAD(accel_purgeable_bos);
static unsigned long accel_purgeable_pages;

static struct shrinker *accel_shrinker;

/* Returns whether the memory is the caller's to count on, until accel_bo_unuse(). */
bool accel_bo_use(struct accel_bo *bo)
{
	return atomic_inc_unless_negative(&bo->users);
}

/* In any context, with a reference. */
void accel_bo_unuse(struct accel_bo *bo)
{
	if (atomic_dec_and_test(&bo->users) && READ_ONCE(bo->pinned))
		accel_import_unused(bo);
}

static void accel_purgeable_add(struct accel_bo *bo)
{
	guard(spinlock)(&accel_purgeable_lock);
	if (!list_empty(&bo->purge_link))
		return;
	list_add_tail(&bo->purge_link, &accel_purgeable_bos);
	accel_purgeable_pages += bo->size >> PAGE_SHIFT;
}

static void accel_purgeable_del_locked(struct accel_bo *bo)
{
	lockdep_assert_held(&accel_purgeable_lock);

	if (list_empty(&bo->purge_link))
		return;
	list_del_init(&bo->purge_link);
	accel_purgeable_pages -= bo->size >> PAGE_SHIFT;
}

/* The memory is wanted again, or goes for good. */
void accel_purgeable_del(struct accel_bo *bo)
{
	guard(spinlock)(&accel_purgeable_lock);
	accel_purgeable_del_locked(bo);
}

/* A buffer off the list, with a reference and its lock held; or NULL. */
static struct accel_bo *accel_purgeable_take(void)
{
	struct accel_bo *bo, *next;

	guard(spinlock)(&accel_purgeable_lock);
	list_for_each_entry_safe(bo, next, &accel_purgeable_bos, purge_link) {
		/* Who has the lock may be allocating, and wait for this to end. */
		if (!mutex_trylock(&bo->lock))
			continue;
		accel_purgeable_del_locked(bo);
		if (refcount_inc_not_zero(&bo->obj.refs))
			return bo;
		/* It is being freed, and not to be looked at again and again. */
		mutex_unlock(&bo->lock);
	}
	return NULL;
}

static void accel_bo_purge(struct accel_bo *bo)
{
	lockdep_assert_held(&bo->lock);

	accel_bo_zap(bo);
	accel_bo_unmap(bo);
	bo->region->ops->discard(bo);
	bo->populated = false;
	bo->purged = true;
}

/**
 * accel_purge - take memory that nobody needs
 * @pages: how much, at least
 *
 * Context: may sleep; memory reclaim.
 * Return: pages that were freed; fewer if there are no more.
 */
unsigned long accel_purge(unsigned long pages)
{
	unsigned long freed = 0;
	struct accel_bo *bo;

	while (freed < pages && (bo = accel_purgeable_take())) {
		accel_bo_purge(bo);
		freed += bo->size >> PAGE_SHIFT;
		mutex_unlock(&bo->lock);
		/* Freeing it may allocate. */
		accel_object_put_any_context(&bo->obj);
	}
	return freed;
}
EXPORT_SYMBOL_IF_KUNIT(accel_purge);

static unsigned long accel_shrinker_count(struct shrinker *shrinker,
					  struct shrink_control *control)
{
	return READ_ONCE(accel_purgeable_pages) ?: SHRINK_EMPTY;
}

static unsigned long accel_shrinker_scan(struct shrinker *shrinker,
					 struct shrink_control *control)
{
	return accel_purge(control->nr_to_scan) ?: SHRINK_STOP;
}

int accel_advise_init(void)
{
	accel_shrinker = shrinker_alloc(0, "accel");
	if (!accel_shrinker)
		return -ENOMEM;

	accel_shrinker->count_objects = accel_shrinker_count;
	accel_shrinker->scan_objects = accel_shrinker_scan;
	shrinker_register(accel_shrinker);
	return 0;
}

void accel_advise_exit(void)
{
	shrinker_free(accel_shrinker);
}

static int accel_bo_dont_need(struct accel_bo *bo)
{
	lockdep_assert_held(&bo->lock);

	/* Below 0 if this was said before. */
	if (atomic_cmpxchg(&bo->users, 0, -1) > 0)
		return -EBUSY;
	if (bo->populated)
		accel_purgeable_add(bo);
	return 0;
}

static void accel_bo_will_need(struct accel_bo *bo)
{
	lockdep_assert_held(&bo->lock);

	accel_purgeable_del(bo);
	bo->purged = false;
	atomic_cmpxchg(&bo->users, -1, 0);
}

static int accel_bo_advise(struct accel_bo *bo, struct accel_bo_advise *args)
{
	bool retained;
	int ret = 0;

	guard(mutex)(&bo->lock);
	if (!bo->home->ops->discard)
		return -EOPNOTSUPP;

	retained = !bo->purged;
	if (args->advice == ACCEL_ADVISE_DONTNEED)
		ret = accel_bo_dont_need(bo);
	else
		accel_bo_will_need(bo);
	if (!ret)
		args->retained = retained;
	return ret;
}

int accel_bo_advise_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_advise *args = call->arg;
	struct accel_bo *bo;
	int ret;

	if (args->advice != ACCEL_ADVISE_WILLNEED &&
	    args->advice != ACCEL_ADVISE_DONTNEED)
		return -EOPNOTSUPP;

	bo = accel_bo_get(call->file, args->id, true);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	/* What is only kept for the next export does not use the memory. */
	if (args->advice == ACCEL_ADVISE_DONTNEED)
		accel_export_forget(bo, true);
	ret = accel_bo_advise(bo, args);
	accel_object_put(&bo->obj);
	return ret;
}
