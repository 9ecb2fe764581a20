// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: what poll() and read() tell of an open file's queues and of its device.
 *
 * Nothing is allocated when an event is raised, which happens in any context. A
 * queue has room for one event of each type, the file for the one that says that
 * the device is gone; what repeats itself before it is read is counted.
 */
#include "accel_internal.h"

#include <kunit/visibility.h>
#include <linux/poll.h>
#include <linux/uio.h>

void accel_event_init_file(struct accel_file *file)
{
	spin_lock_init(&file->event_lock);
	init_waitqueue_head(&file->event_wait);
	INIT_LIST_HEAD(&file->events);
	INIT_LIST_HEAD(&file->gone_event.link);
}

void accel_event_init_queue(struct accel_queue *queue)
{
	INIT_LIST_HEAD(&queue->failed_event.link);
	INIT_LIST_HEAD(&queue->lost_event.link);
	queue->failed_event.queue = queue;
	queue->lost_event.queue = queue;
}

/* Add @event to what is not read yet of its kind. */
static void accel_event_add(struct accel_file *file, struct accel_event_slot *slot,
			    const struct accel_event *event)
{
	lockdep_assert_held(&file->event_lock);

	if (list_empty(&slot->link)) {
		slot->event = *event;
		list_add_tail(&slot->link, &file->events);
		return;
	}
	slot->event.count += event->count;
}

static void accel_event_raise(struct accel_queue *queue,
			      struct accel_event_slot *slot, u32 type, u64 point,
			      int error)
{
	struct accel_file *file = queue->obj.file;
	struct accel_event event = {
		.size = sizeof(event),
		.type = type,
		.queue = queue->obj.id,
		.error = error,
		.point = point,
		.count = 1,
	};

	/* The file may be closed once the queue's last point is reached. */
	lockdep_assert(rcu_read_lock_held());

	scoped_guard(spinlock_irqsave, &file->event_lock) {
		/* The queue's id is going, or the last event has been told of. */
		if (queue->events_off || file->gone)
			return;
		accel_event_add(file, slot, &event);
	}
	wake_up_interruptible_poll(&file->event_wait, EPOLLIN | EPOLLRDNORM);
}

/* A job of @queue has ended with @error. In any context. */
void accel_event_job_failed(struct accel_queue *queue, u64 point, int error)
{
	accel_event_raise(queue, &queue->failed_event, ACCEL_EVENT_JOB_FAILED,
			  point, error);
}

/* @queue takes no jobs any more. In any context. */
void accel_event_queue_lost(struct accel_queue *queue, int error)
{
	guard(rcu)();
	accel_event_raise(queue, &queue->lost_event, ACCEL_EVENT_QUEUE_LOST, 0,
			  error);
}

/* The queue's id is going: what happens to it from now on is no news. */
void accel_event_stop(struct accel_queue *queue)
{
	guard(spinlock_irqsave)(&queue->obj.file->event_lock);
	queue->events_off = true;
	list_del_init(&queue->failed_event.link);
	list_del_init(&queue->lost_event.link);
}

static void accel_event_gone(struct accel_file *file)
{
	struct accel_event event = {
		.size = sizeof(event),
		.type = ACCEL_EVENT_GONE,
		.error = -ENODEV,
		.count = 1,
	};

	scoped_guard(spinlock_irqsave, &file->event_lock) {
		accel_event_add(file, &file->gone_event, &event);
		file->gone = true;
	}
	wake_up_interruptible_poll(&file->event_wait,
				   EPOLLIN | EPOLLRDNORM | EPOLLHUP);
}

/* The last event of each open file. */
void accel_event_gone_all(struct accel_device *dev)
{
	struct accel_file *file;

	guard(mutex)(&dev->lock);
	list_for_each_entry(file, &dev->files, link)
		accel_event_gone(file);
}

/*
 * Take the oldest event, with a reference to its queue in *@queue, NULL if it is the
 * device's. Returns EAGAIN if there is none, ENODEV if none will come.
 */
static int accel_event_take(struct accel_file *file, struct accel_event *event,
			    struct accel_event_slot **slot,
			    struct accel_queue **queue)
{
	guard(spinlock_irqsave)(&file->event_lock);
	if (list_empty(&file->events))
		return file->gone ? -ENODEV : -EAGAIN;

	*slot = list_first_entry(&file->events, struct accel_event_slot, link);
	list_del_init(&(*slot)->link);
	*event = (*slot)->event;
	*queue = (*slot)->queue;
	/* While it is on the list the queue has its id, and that a reference. */
	if (*queue)
		refcount_inc(&(*queue)->obj.refs);
	return 0;
}

/* The reader could not have it: put it back, in front of what came since. */
static void accel_event_untake(struct accel_file *file,
			       const struct accel_event *event,
			       struct accel_event_slot *slot,
			       struct accel_queue *queue)
{
	scoped_guard(spinlock_irqsave, &file->event_lock) {
		if (queue && queue->events_off)
			return;
		slot->event.count = list_empty(&slot->link) ? 0 : slot->event.count;
		slot->event.count += event->count;
		slot->event.point = event->point;
		slot->event.error = event->error;
		list_move(&slot->link, &file->events);
	}
	/* Another may have been woken for it, and have found nothing. */
	wake_up_interruptible_poll(&file->event_wait, EPOLLIN | EPOLLRDNORM);
}

/* Returns 0 with one event written to @to, or an error with none. */
static int accel_event_copy(struct accel_file *file, struct iov_iter *to)
{
	struct accel_event_slot *slot;
	struct accel_queue *queue;
	struct accel_event event;
	int ret;

	ret = accel_event_take(file, &event, &slot, &queue);
	if (ret)
		return ret;

	if (copy_to_iter(&event, sizeof(event), to) != sizeof(event)) {
		accel_event_untake(file, &event, slot, queue);
		ret = -EFAULT;
	}
	if (queue)
		accel_object_put(&queue->obj);
	return ret;
}

static bool accel_event_pending(struct accel_file *file)
{
	guard(spinlock_irqsave)(&file->event_lock);
	return file->gone || !list_empty(&file->events);
}

/**
 * accel_event_read - what read() on an open file does
 * @file: the open file
 * @to: where the events go
 * @wait: whether to wait if there is none
 *
 * Return: bytes written, whole events; EINVAL if not even one would fit, EAGAIN,
 * EFAULT, ENODEV after the last, ERESTARTSYS.
 */
ssize_t accel_event_read(struct accel_file *file, struct iov_iter *to, bool wait)
{
	ssize_t done = 0;
	int ret = 0;

	if (iov_iter_count(to) < sizeof(struct accel_event))
		return -EINVAL;

	while (!ret && iov_iter_count(to) >= sizeof(struct accel_event)) {
		ret = accel_event_copy(file, to);
		if (!ret)
			done += sizeof(struct accel_event);
		else if (ret == -EAGAIN && wait && !done)
			ret = wait_event_interruptible(file->event_wait,
						       accel_event_pending(file));
	}
	return done ?: ret;
}
EXPORT_SYMBOL_IF_KUNIT(accel_event_read);

/**
 * accel_event_mask - what poll() on an open file says
 * @file: the open file
 *
 * Return: EPOLL*.
 */
__poll_t accel_event_mask(struct accel_file *file)
{
	guard(spinlock_irqsave)(&file->event_lock);
	/* A read that gives ENODEV does not block either. */
	if (file->gone)
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP;
	return list_empty(&file->events) ? 0 : EPOLLIN | EPOLLRDNORM;
}
EXPORT_SYMBOL_IF_KUNIT(accel_event_mask);
