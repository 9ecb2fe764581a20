// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timelines: u64 points that are reached in order.
 *
 * A point is promised by a job when it is accepted, or for a fence, or signalled from
 * userspace; either way the next must be higher. It is reached when it and all that were
 * promised before are done. It is backed when reaching it depends on nothing
 * but fences, and jobs that are not held: only then may a fence depend on it.
 */
#include "accel_internal.h"

#include <kunit/visibility.h>
#include <linux/dma-fence.h>
#include <linux/slab.h>

/* So many waiters are told at a time with interrupts off. */
#define ACCEL_WAKE_BUDGET	64

static struct accel_timeline *obj_to_timeline(struct accel_object *obj)
{
	return container_of(obj, struct accel_timeline, obj);
}

static void accel_timeline_release(struct accel_object *obj)
{
	struct accel_timeline *timeline = obj_to_timeline(obj);
	struct accel_device *dev = timeline->dev;

	scoped_guard(mutex, &dev->lock)
		list_del(&timeline->dev_link);
	if (timeline->page_handle)
		accel_bo_handle_end(timeline->page_handle);
	kfree(timeline);
	put_device(&dev->dev);
	accel_census_dec(ACCEL_CENSUS_TIMELINES);
}

/* What has an id is a handle of it. */
static const struct accel_object_type accel_timeline_type = {
	.release = accel_timeline_release,
};

static bool accel_timeline_is_reached(struct accel_timeline *timeline, u64 value)
{
	return value <= timeline->completed ||
	       (timeline->closed && value > timeline->promised);
}

static u64 accel_timeline_backed_upto(struct accel_timeline *timeline)
{
	u64 backed = timeline->completed;
	struct accel_point_entry *entry;

	if (!timeline->held_count)
		return timeline->closed ? U64_MAX : timeline->promised;

	list_for_each_entry(entry, &timeline->pending, link) {
		if (entry->held)
			break;
		backed = entry->last;
	}
	return backed;
}

/* ACCEL_POINT_DONE, ACCEL_POINT_PENDING or what went wrong. */
static int accel_timeline_status_locked(struct accel_timeline *timeline,
					u64 value)
{
	int i;

	lockdep_assert_held(&timeline->lock);

	if (!accel_timeline_is_reached(timeline, value))
		return ACCEL_POINT_PENDING;
	if (value > timeline->completed)
		return timeline->closed;
	if (likely(!timeline->failed))
		return ACCEL_POINT_DONE;

	for (i = 0; i < ACCEL_TIMELINE_FAILURES; i++)
		if (timeline->failures[i].error &&
		    value >= timeline->failures[i].first &&
		    value <= timeline->failures[i].last)
			return timeline->failures[i].error;

	return value && value <= timeline->lost_upto ? -ENODATA :
						       ACCEL_POINT_DONE;
}

int accel_timeline_status(struct accel_timeline *timeline, u64 value)
{
	guard(spinlock_irqsave)(&timeline->lock);
	return accel_timeline_status_locked(timeline, value);
}

static struct accel_timeline_waiter *
accel_timeline_first(struct rb_root_cached *root)
{
	struct rb_node *node = rb_first_cached(root);

	return node ? rb_entry(node, struct accel_timeline_waiter, node) : NULL;
}

/*
 * A waiter of a tree that waits for @value or less, lowest first, or, on a timeline
 * that is closed, for something that will never be promised; or NULL.
 */
static struct accel_timeline_waiter *
accel_timeline_next(struct accel_timeline *timeline, struct rb_root_cached *root,
		    u64 value)
{
	struct accel_timeline_waiter *waiter = accel_timeline_first(root);

	if (!waiter || waiter->value <= value)
		return waiter;
	if (!timeline->closed)
		return NULL;

	waiter = rb_entry(rb_last(&root->rb_root), struct accel_timeline_waiter,
			  node);
	return waiter->value > timeline->promised ? waiter : NULL;
}

static bool accel_timeline_waiter_less(struct rb_node *a,
				       const struct rb_node *b)
{
	return rb_entry(a, struct accel_timeline_waiter, node)->value <
	       rb_entry(b, struct accel_timeline_waiter, node)->value;
}

static void accel_timeline_insert(struct accel_timeline_waiter *waiter,
				  struct rb_root_cached *root)
{
	rb_add_cached(&waiter->node, root, accel_timeline_waiter_less);
	waiter->in = root;
}

static void accel_timeline_erase(struct accel_timeline_waiter *waiter)
{
	rb_erase_cached(&waiter->node, waiter->in);
	waiter->in = NULL;
}

/* Returns what is left of @budget. */
static unsigned int accel_timeline_wake_backers(struct accel_timeline *timeline,
						unsigned int budget)
{
	struct accel_timeline_waiter *waiter;
	u64 backed;

	if (RB_EMPTY_ROOT(&timeline->backers.rb_root))
		return budget;

	backed = accel_timeline_backed_upto(timeline);
	while (budget && (waiter = accel_timeline_next(timeline,
						       &timeline->backers,
						       backed))) {
		accel_timeline_erase(waiter);
		accel_timeline_insert(waiter, &timeline->waiters);
		waiter->backed(waiter);
		budget--;
	}
	return budget;
}

/* A waiter that reached() was called for may be gone at once. */
static unsigned int accel_timeline_wake_waiters(struct accel_timeline *timeline,
						unsigned int budget,
						struct list_head *ready)
{
	struct accel_timeline_waiter *waiter;

	while (budget && (waiter = accel_timeline_next(timeline,
						       &timeline->waiters,
						       timeline->completed))) {
		accel_timeline_erase(waiter);
		waiter->reached(waiter,
				accel_timeline_status_locked(timeline,
							     waiter->value),
				ready);
		budget--;
	}
	return budget;
}

/* Returns whether all were told; otherwise there may be more. */
static bool accel_timeline_wake_some(struct accel_timeline *timeline,
				     struct list_head *ready)
{
	unsigned int budget = ACCEL_WAKE_BUDGET;

	lockdep_assert_held(&timeline->lock);

	budget = accel_timeline_wake_backers(timeline, budget);
	budget = accel_timeline_wake_waiters(timeline, budget, ready);
	return budget > 0;
}

/*
 * Something was promised, reached or closed: tell whoever waits for it. Clients decide
 * how many those are, and this may be an interrupt, so that many are left to a
 * worker.
 */
static void accel_timeline_changed(struct accel_timeline *timeline,
				   struct list_head *ready)
{
	if (accel_timeline_wake_some(timeline, ready))
		return;

	refcount_inc(&timeline->obj.refs);
	if (!queue_work(accel_wq, &timeline->wake_work))
		refcount_dec(&timeline->obj.refs);
}

static void accel_timeline_wake_work_fn(struct work_struct *work)
{
	struct accel_timeline *timeline = container_of(work,
						       struct accel_timeline,
						       wake_work);
	bool cookie = dma_fence_begin_signalling();
	LIST_HEAD(ready);
	bool done;

	do {
		scoped_guard(spinlock_irqsave, &timeline->lock)
			done = accel_timeline_wake_some(timeline, &ready);
		accel_jobs_start_all(&ready);
		cond_resched();
	} while (!done);
	dma_fence_end_signalling(cookie);
	accel_object_put_any_context(&timeline->obj);
}

/* Returns a timeline with one reference, or NULL if there is no memory. */
struct accel_timeline *accel_timeline_create(struct accel_device *dev, u64 value,
					     bool queue_owned)
{
	struct accel_timeline *timeline;

	timeline = kzalloc_obj(*timeline, GFP_KERNEL_ACCOUNT);
	if (!timeline)
		return NULL;

	accel_object_init(&timeline->obj, &accel_timeline_type);
	spin_lock_init(&timeline->lock);
	INIT_LIST_HEAD(&timeline->pending);
	INIT_LIST_HEAD(&timeline->imports);
	INIT_WORK(&timeline->wake_work, accel_timeline_wake_work_fn);
	timeline->waiters = RB_ROOT_CACHED;
	timeline->backers = RB_ROOT_CACHED;
	timeline->completed = value;
	timeline->promised = value;
	timeline->queue_owned = queue_owned;
	timeline->dev = dev;
	get_device(&dev->dev);
	scoped_guard(mutex, &dev->lock)
		list_add_tail(&timeline->dev_link, &dev->timelines);
	accel_census_inc(ACCEL_CENSUS_TIMELINES);
	return timeline;
}

/*
 * Add a waiter, whose members are set and whose reference to the timeline is the
 * caller's to drop. One that has backed() first waits for the point to be backed,
 * if it is not. If the point is reached already, reached() is not called and
 * *@status is the point's.
 */
enum accel_wait_result
accel_timeline_add_waiter(struct accel_timeline_waiter *waiter, int *status)
{
	struct accel_timeline *timeline = waiter->timeline;

	guard(spinlock_irqsave)(&timeline->lock);
	waiter->in = NULL;
	*status = accel_timeline_status_locked(timeline, waiter->value);
	if (*status != ACCEL_POINT_PENDING)
		return ACCEL_WAIT_REACHED;

	if (waiter->backed &&
	    waiter->value > accel_timeline_backed_upto(timeline)) {
		accel_timeline_insert(waiter, &timeline->backers);
		return ACCEL_WAIT_UNBACKED;
	}
	accel_timeline_insert(waiter, &timeline->waiters);
	return ACCEL_WAIT_BACKED;
}

bool accel_timeline_remove_waiter_locked(struct accel_timeline_waiter *waiter)
{
	lockdep_assert_held(&waiter->timeline->lock);

	if (!waiter->in)
		return false;
	accel_timeline_erase(waiter);
	return true;
}

/*
 * When this returns, none of the waiter's functions is running or will. Returns whether
 * reached() has never been called.
 */
bool accel_timeline_remove_waiter(struct accel_timeline_waiter *waiter)
{
	guard(spinlock_irqsave)(&waiter->timeline->lock);
	return accel_timeline_remove_waiter_locked(waiter);
}

/* Whether a fence may depend on the point. If it may once, it always may. */
bool accel_timeline_is_backed(struct accel_timeline *timeline, u64 value)
{
	guard(spinlock_irqsave)(&timeline->lock);
	return accel_timeline_is_reached(timeline, value) ||
	       value <= accel_timeline_backed_upto(timeline);
}

/* The job whose point on its queue's timeline this is. */
static struct accel_job *accel_point_job(struct accel_point_entry *entry)
{
	return container_of(entry, struct accel_job, point);
}

/*
 * The fence, with a reference, of the unfinished job that a backed point of a queue's
 * timeline is of. NULL if there is none.
 */
struct dma_fence *accel_timeline_job_fence(struct accel_timeline *timeline,
					   u64 value)
{
	struct accel_point_entry *entry;

	if (!timeline->queue_owned)
		return NULL;

	guard(spinlock_irqsave)(&timeline->lock);
	list_for_each_entry(entry, &timeline->pending, link)
		if (entry->value == value)
			return dma_fence_get(&accel_point_job(entry)->fence);
	return NULL;
}

static void accel_timeline_append(struct accel_timeline *timeline,
				  struct accel_point_entry *entry)
{
	entry->last = entry->value;
	entry->error = 0;
	entry->done = false;
	entry->reached = false;
	entry->held = true;
	timeline->pending_count++;
	timeline->held_count++;
	timeline->promised = entry->value;
	list_add_tail(&entry->link, &timeline->pending);
}

/*
 * Promise @entry->value on a timeline of the client's own. The promise counts as a
 * held job's until accel_timeline_unhold(). Returns EINVAL if the value is not
 * above what was promised before, EAGAIN if too many are not reached yet.
 */
int accel_timeline_promise(struct accel_timeline *timeline,
			   struct accel_point_entry *entry)
{
	guard(spinlock_irqsave)(&timeline->lock);
	if (entry->value <= timeline->promised)
		return -EINVAL;
	if (timeline->closed)
		return timeline->closed == -ENODEV ? -ENODEV : -ENOENT;
	if (timeline->pending_count == ACCEL_PENDING_MAX)
		return -EAGAIN;

	accel_timeline_append(timeline, entry);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(accel_timeline_promise);

static void accel_timeline_record(struct accel_timeline *timeline, u64 first,
				  u64 last, int error)
{
	u32 slot = timeline->failure_next++ % ACCEL_TIMELINE_FAILURES;

	if (timeline->failures[slot].error)
		timeline->lost_upto = timeline->failures[slot].last;
	timeline->failures[slot].first = first;
	timeline->failures[slot].last = last;
	timeline->failures[slot].error = error;
	timeline->failed++;
}

/* Entries that are done and in turn are reached, and moved to @reached. */
static void accel_timeline_advance(struct accel_timeline *timeline,
				   struct list_head *reached)
{
	struct accel_point_entry *entry;

	lockdep_assert_held(&timeline->lock);

	while (!list_empty(&timeline->pending)) {
		entry = list_first_entry(&timeline->pending,
					 struct accel_point_entry, link);
		if (!entry->done)
			break;
		if (entry->error)
			accel_timeline_record(timeline, timeline->completed + 1,
					      entry->value, entry->error);
		/* Before anybody can see the point: he may submit on the strength of it. */
		WRITE_ONCE(timeline->pending_count, timeline->pending_count - 1);
		if (timeline->queue_owned)
			accel_fence_reached(accel_point_job(entry), entry->error);
		timeline->completed = entry->last;
		list_move_tail(&entry->link, reached);
	}
}

/* Whoever has promised what is reached is not needed for it any more. */
void accel_points_put(struct list_head *reached)
{
	struct accel_point_entry *entry, *next;

	list_for_each_entry_safe(entry, next, reached, link)
		entry->put(entry);
}

static void accel_timeline_remove(struct accel_timeline *timeline,
				  struct accel_point_entry *entry)
{
	struct accel_point_entry *before = NULL;
	bool newest = list_is_last(&entry->link, &timeline->pending);

	if (!list_is_first(&entry->link, &timeline->pending))
		before = list_prev_entry(entry, link);
	list_del(&entry->link);
	timeline->pending_count--;
	timeline->held_count--;

	if (entry->last == entry->value) {
		if (newest)
			timeline->promised = before ? before->last :
						      timeline->completed;
	} else if (before) {
		/* A signal has come behind it. */
		before->last = entry->last;
	} else {
		timeline->completed = entry->last;
	}
}

/*
 * Take back a promise of a held job that nobody has been told of. Others may have
 * promised since: theirs stand, and are reached without it.
 */
void accel_timeline_unpromise(struct accel_timeline *timeline,
			      struct accel_point_entry *entry)
{
	LIST_HEAD(reached);
	LIST_HEAD(ready);

	scoped_guard(spinlock_irqsave, &timeline->lock) {
		accel_timeline_remove(timeline, entry);
		accel_timeline_advance(timeline, &reached);
		accel_timeline_changed(timeline, &ready);
	}
	accel_points_put(&reached);
	if (!list_empty(&ready))
		accel_jobs_start_later(&ready);
}
EXPORT_SYMBOL_IF_KUNIT(accel_timeline_unpromise);

/* Promise the next point of a queue's timeline, and set @entry->value to it. */
void accel_timeline_promise_next(struct accel_timeline *timeline,
				 struct accel_point_entry *entry)
{
	guard(spinlock_irqsave)(&timeline->lock);
	entry->value = timeline->promised + 1;
	accel_timeline_append(timeline, entry);
}

/*
 * The job that made the promise is not held any more. Jobs that may start now are
 * added to @ready: a waiter of a reached point may still be among those to be told.
 */
void accel_timeline_unhold(struct accel_timeline *timeline,
			   struct accel_point_entry *entry,
			   struct list_head *ready)
{
	guard(spinlock_irqsave)(&timeline->lock);
	entry->held = false;
	timeline->held_count--;
	accel_timeline_changed(timeline, ready);
}

/*
 * Whoever promised @entry is done, with @error or 0. Entries that are reached by
 * that, in order, are moved to @reached: none of the timeline's business any more.
 * Jobs that may start now are added to @ready.
 */
void accel_timeline_end(struct accel_timeline *timeline,
			struct accel_point_entry *entry, int error,
			struct list_head *reached, struct list_head *ready)
{
	guard(spinlock_irqsave)(&timeline->lock);
	entry->done = true;
	entry->error = error;
	if (entry->held) {
		entry->held = false;
		timeline->held_count--;
	}
	accel_timeline_advance(timeline, reached);
	accel_point_page_update(timeline);
	accel_timeline_changed(timeline, ready);
}

/* One more, or one fewer, who may signal. Without any, nobody promises anything. */
void accel_timeline_add_signaller(struct accel_timeline *timeline)
{
	atomic_inc(&timeline->signallers);
}

void accel_timeline_drop_signaller(struct accel_timeline *timeline)
{
	if (atomic_dec_and_test(&timeline->signallers))
		accel_timeline_close(timeline, -ECANCELED);
}

/* Whether all that was promised is reached. */
bool accel_timeline_is_settled(struct accel_timeline *timeline)
{
	guard(spinlock_irqsave)(&timeline->lock);
	return list_empty(&timeline->pending);
}

/*
 * Nobody will promise anything on the timeline any more: what is not promised
 * counts as reached, with @error.
 */
void accel_timeline_close(struct accel_timeline *timeline, int error)
{
	LIST_HEAD(ready);

	scoped_guard(spinlock_irqsave, &timeline->lock) {
		if (timeline->closed)
			break;
		timeline->closed = error;
		accel_timeline_changed(timeline, &ready);
	}
	accel_jobs_start(&ready);
}

void accel_timeline_close_all(struct accel_device *dev, int error)
{
	struct accel_timeline *timeline;

	guard(mutex)(&dev->lock);
	list_for_each_entry(timeline, &dev->timelines, dev_link) {
		accel_timeline_close(timeline, error);
		accel_point_import_cancel(timeline, NULL, error);
		cond_resched();
	}
}

/*
 * Promise @value and be done with it. Returns EINVAL if it is not above what was
 * promised before; ENOENT or ENODEV if the timeline is closed.
 */
int accel_timeline_signal(struct accel_timeline *timeline, u64 value)
{
	LIST_HEAD(ready);

	scoped_guard(spinlock_irqsave, &timeline->lock) {
		if (value <= timeline->promised)
			return -EINVAL;
		if (timeline->closed)
			return timeline->closed == -ENODEV ? -ENODEV : -ENOENT;
		timeline->promised = value;
		if (list_empty(&timeline->pending))
			timeline->completed = value;
		else
			list_last_entry(&timeline->pending,
					struct accel_point_entry, link)->last = value;
		accel_timeline_changed(timeline, &ready);
	}
	accel_jobs_start(&ready);
	return 0;
}

int accel_timeline_query_ioctl(struct accel_ioctl_call *call)
{
	struct accel_timeline_query *args = call->arg;
	struct accel_timeline *timeline;

	if (args->reserved)
		return -EINVAL;

	timeline = accel_timeline_get(call->file, args->id);
	if (IS_ERR(timeline))
		return PTR_ERR(timeline);

	scoped_guard(spinlock_irqsave, &timeline->lock) {
		args->status = accel_timeline_status_locked(timeline,
							    args->value);
		args->completed = timeline->completed;
		args->promised = timeline->promised;
	}
	accel_object_put(&timeline->obj);
	return 0;
}
