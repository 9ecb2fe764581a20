// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for points from userspace. */
#include "accel_internal.h"

#include <linux/hrtimer.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

/* So many points are waited for without an allocation. */
#define ACCEL_WAIT_STACK	4

struct accel_wait {
	struct task_struct *task;
	atomic_t missing;	/* points still to be reached; may go below 0 */
};

struct accel_wait_point {
	struct accel_timeline_waiter waiter;
	struct accel_wait *wait;
};

static void accel_wait_reached(struct accel_timeline_waiter *waiter, int status,
			       struct list_head *ready)
{
	struct accel_wait *wait = container_of(waiter, struct accel_wait_point,
					       waiter)->wait;

	/* The timeline's lock keeps the sleeper from leaving with @wait. */
	if (atomic_dec_and_test(&wait->missing))
		wake_up_process(wait->task);
}

static void accel_wait_put_points(struct accel_wait_point *points, u32 count)
{
	while (count)
		accel_object_put(&points[--count].waiter.timeline->obj);
}

static int accel_wait_get_point(struct accel_file *file,
				const struct accel_timeline_wait *args,
				u32 index, struct accel_timeline_waiter *waiter)
{
	struct accel_point point;
	int ret;

	ret = accel_copy_element(&point, sizeof(point),
				 offsetofend(struct accel_point, value),
				 args->points_ptr, args->stride, index);
	if (ret)
		return ret;
	if (point.flags)
		return -EOPNOTSUPP;

	waiter->timeline = accel_timeline_get(file, point.timeline);
	if (IS_ERR(waiter->timeline))
		return PTR_ERR(waiter->timeline);

	waiter->value = point.value;
	waiter->reached = accel_wait_reached;
	waiter->backed = NULL;
	return 0;
}

static int accel_wait_get_points(struct accel_file *file,
				 const struct accel_timeline_wait *args,
				 struct accel_wait_point *points)
{
	u32 i;
	int ret;

	for (i = 0; i < args->count; i++) {
		ret = accel_wait_get_point(file, args, i, &points[i].waiter);
		if (ret) {
			accel_wait_put_points(points, i);
			return ret;
		}
	}
	return 0;
}

static int accel_wait_sleep(struct accel_wait *wait, s64 deadline_ns)
{
	ktime_t deadline = ns_to_ktime(deadline_ns);
	int ret = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (atomic_read(&wait->missing) <= 0)
			break;
		if (ktime_get() >= deadline) {
			ret = -ETIME;
			break;
		}
		if (signal_pending(current)) {
			/* The deadline is absolute: to start again is right. */
			ret = -ERESTARTSYS;
			break;
		}
		schedule_hrtimeout(deadline_ns == S64_MAX ? NULL : &deadline,
				   HRTIMER_MODE_ABS);
	}
	__set_current_state(TASK_RUNNING);
	return ret;
}

static int accel_wait_for_points(struct accel_wait_point *points, u32 count,
				 bool all, s64 deadline_ns)
{
	struct accel_wait wait = { .task = current };
	int ret, status;
	u32 i;

	atomic_set(&wait.missing, all ? count : 1);
	for (i = 0; i < count; i++) {
		points[i].wait = &wait;
		if (accel_timeline_add_waiter(&points[i].waiter, &status) ==
		    ACCEL_WAIT_REACHED)
			atomic_dec(&wait.missing);
	}

	ret = accel_wait_sleep(&wait, deadline_ns);

	for (i = 0; i < count; i++)
		accel_timeline_remove_waiter(&points[i].waiter);

	/* What was reached on the way out counts. */
	return atomic_read(&wait.missing) <= 0 ? 0 : ret;
}

static int accel_wait_report(struct accel_timeline_wait *args,
			     struct accel_wait_point *points)
{
	s32 __user *statuses = u64_to_user_ptr(args->statuses_ptr);
	bool found = false;
	int status;
	u32 i;

	args->status = 0;
	for (i = 0; i < args->count; i++) {
		status = accel_timeline_status(points[i].waiter.timeline,
					       points[i].waiter.value);
		if (statuses && put_user(status, statuses + i))
			return -EFAULT;
		if (status != ACCEL_POINT_PENDING && !found) {
			args->index = i;
			found = true;
		}
		if (status < 0 && !args->status)
			args->status = status;
	}
	return 0;
}

static int accel_wait(struct accel_file *file, struct accel_timeline_wait *args,
		      struct accel_wait_point *points)
{
	int ret;

	ret = accel_wait_get_points(file, args, points);
	if (ret)
		return ret;

	accel_census_inc(ACCEL_CENSUS_WAITERS);
	ret = accel_wait_for_points(points, args->count,
				    args->flags & ACCEL_WAIT_ALL,
				    args->deadline_ns);
	accel_census_dec(ACCEL_CENSUS_WAITERS);
	if (!ret)
		ret = accel_wait_report(args, points);

	accel_wait_put_points(points, args->count);
	return ret;
}

int accel_timeline_wait_ioctl(struct accel_ioctl_call *call)
{
	struct accel_wait_point stack[ACCEL_WAIT_STACK];
	struct accel_timeline_wait *args = call->arg;
	struct accel_wait_point *points __free(kfree) = NULL;

	if (args->flags & ~ACCEL_WAIT_ALL)
		return -EOPNOTSUPP;
	if (!args->count || args->count > ACCEL_POINTS_MAX ||
	    args->deadline_ns < 0)
		return -EINVAL;
	if (args->count <= ARRAY_SIZE(stack))
		return accel_wait(call->file, args, stack);

	points = kcalloc(args->count, sizeof(*points), GFP_KERNEL_ACCOUNT);
	if (!points)
		return -ENOMEM;
	return accel_wait(call->file, args, points);
}
