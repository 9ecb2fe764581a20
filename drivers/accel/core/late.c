// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from a point or a fence, but not under the lock of whoever tells of
 * it: that is a timeline's, or somebody else's. A worker comes to it soon.
 */
#include "accel_internal.h"

#include <linux/dma-fence.h>

static void accel_late_work_fn(struct work_struct *work);

static LLIST_HEAD(accel_late_list);
static DECLARE_WORK(accel_late_work, accel_late_work_fn);

static void accel_late_work_fn(struct work_struct *work)
{
	bool cookie = dma_fence_begin_signalling();
	struct accel_late *late, *next;
	struct llist_node *list;
	LIST_HEAD(ready);

	/* One may lead to another. */
	while ((list = llist_del_all(&accel_late_list))) {
		list = llist_reverse_order(list);
		llist_for_each_entry_safe(late, next, list, node) {
			late->run(late, &ready);
			/* Others wait here: they may not have to for all that follows. */
			accel_jobs_start(&ready);
			cond_resched();
		}
	}
	dma_fence_end_signalling(cookie);
}

/* Have @late->run called, in the order of these calls. In any context. */
void accel_late_add(struct accel_late *late)
{
	/* Otherwise whoever has added the first queues the work, or has. */
	if (llist_add(&late->node, &accel_late_list))
		queue_work(accel_wq, &accel_late_work);
}
