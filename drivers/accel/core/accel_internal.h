/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the core share. Drivers include <linux/accel.h> only.
 *
 * Lock order, outermost first:
 *
 *	accel_queue.submit_lock
 *	mmap_lock
 *	accel_device.lock
 *	accel_region.evict_lock
 *	accel_bo.lock			several only with evict_lock held
 *	accel_queue.lock
 *	dma_resv			of a job's buffers, of an imported buffer
 *	accel_engine.abort_lock		inside none of the above
 *	accel_timeline.lock		from here on spinlocks, none inside another
 *	accel_engine.lock
 *	accel_file.event_lock
 *	accel_region.lock
 *	accel_purgeable_lock		accel_bo.lock is only tried inside it
 *
 * Other spinlocks have nothing inside them. The lock of somebody else's fence may be held
 * around any spinlock of the core's. On the way to signalling a fence, of the mutexes
 * only accel_engine.abort_lock is taken, and in accel_unregister() accel_device.lock.
 */
#ifndef _ACCEL_INTERNAL_H
#define _ACCEL_INTERNAL_H

#include <linux/accel.h>
#include <linux/atomic.h>
#include <linux/dma-buf.h>
#include <linux/fs.h>
#include <linux/llist.h>
#include <linux/rbtree.h>
#include <linux/xarray.h>

struct iov_iter;

#define ACCEL_JOBS_MAX		1024
#define ACCEL_JOB_BOS_MAX	256
#define ACCEL_POINTS_MAX	64
#define ACCEL_IMPLICIT_MAX	1024	/* that a job waits for because of its buffers */
#define ACCEL_QUEUES_MAX	256	/* of an open file */
#define ACCEL_PENDING_MAX	4096	/* points promised on a timeline, not reached */
#define ACCEL_EVENTFDS_MAX	256	/* that wait for points, of an id */
#define ACCEL_TIMELINE_REFS_MAX	(INT_MAX / 4)	/* so that they can be counted */
/*
 * Ids of a buffer, of all clients together. This bounds the search for a client.
 */
#define ACCEL_BO_HANDLES_MAX	2048

/* For arrays as long as a client likes: it gets ENOMEM, others no OOM killer. */
#define ACCEL_GFP_ARRAY	(GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* census.c: how many there are of everything that a client can cause */
enum accel_census {
	ACCEL_CENSUS_FILES,
	ACCEL_CENSUS_BOS,
	ACCEL_CENSUS_MAPPINGS,
	ACCEL_CENSUS_HANDLES,
	ACCEL_CENSUS_EXPORTS,
	ACCEL_CENSUS_EXPORT_MAPS,
	ACCEL_CENSUS_ATTACHMENTS,
	ACCEL_CENSUS_QUEUES,
	ACCEL_CENSUS_TIMELINES,
	ACCEL_CENSUS_TIMELINE_HANDLES,
	ACCEL_CENSUS_EVENTFDS,
	ACCEL_CENSUS_IMPORTS,
	ACCEL_CENSUS_JOBS,
	ACCEL_CENSUS_FENCES,
	ACCEL_CENSUS_WAITERS,
	ACCEL_CENSUS_ORPHANS,
	ACCEL_CENSUS_COUNT,
};

extern atomic_long_t accel_census[ACCEL_CENSUS_COUNT];

static inline void accel_census_inc(enum accel_census what)
{
	atomic_long_inc(&accel_census[what]);
}

static inline void accel_census_dec(enum accel_census what)
{
	atomic_long_dec(&accel_census[what]);
}

void accel_census_drain(void);
void accel_census_init(void);
void accel_census_exit(void);

/* device.c: for what is left over on the way to signalling fences */
extern struct workqueue_struct *accel_wq;

bool accel_reaches_memory(struct device *hw);

/* Early refusal only: what must not be overtaken uses accel_dev_enter(). */
static inline bool accel_dev_is_gone(struct accel_device *dev)
{
	return READ_ONCE(dev->gone);
}

/**
 * struct accel_file - an open file
 * @dev: the device, with a reference
 * @id: never used again for another file; never 0
 * @objects: what ids stand for; an entry is reserved while its ioctl runs
 * @queue_count: queues that have an id
 * @name_lock: protects @name
 * @name: label for an administrator
 * @link: in accel_device.files
 * @event_lock: protects what follows, and the events of the file's queues; innermost,
 *	taken in any context
 * @events: struct accel_event_slot with something to be read, oldest first
 * @gone_event: the last one
 * @gone: the device is gone; nothing is added to @events any more
 * @event_wait: those who read or poll
 * @rcu: jobs that have just ended look at the file
 */
struct accel_file {
	struct accel_device *dev;
	u64 id;
	struct xarray objects;
	atomic_t queue_count;
	spinlock_t name_lock;		/* protects name */
	char name[ACCEL_NAME_SIZE];
	struct list_head link;
	spinlock_t event_lock;		/* protects what follows */
	struct list_head events;
	struct accel_event_slot gone_event;
	bool gone;
	wait_queue_head_t event_wait;
	struct rcu_head rcu;
};

struct accel_file *accel_file_create(struct accel_device *dev);
void accel_file_destroy(struct accel_file *file);

extern const struct file_operations accel_fops;

/* event.c */
void accel_event_init_file(struct accel_file *file);
void accel_event_init_queue(struct accel_queue *queue);
void accel_event_job_failed(struct accel_queue *queue, u64 point, int error);
void accel_event_queue_lost(struct accel_queue *queue, int error);
void accel_event_stop(struct accel_queue *queue);
void accel_event_gone_all(struct accel_device *dev);
ssize_t accel_event_read(struct accel_file *file, struct iov_iter *to, bool wait);
__poll_t accel_event_mask(struct accel_file *file);

/* ioctl.c */
/* The handler enters the device itself, for a part of its way or not at all. */
#define ACCEL_IOCTL_WITHOUT_DEVICE	BIT(1)
/* It cannot be undone: whether there is a place for the answer is found out before. */
#define ACCEL_IOCTL_NO_UNDO		BIT(2)

extern const struct accel_ioctl_desc accel_ioctls[];
extern const unsigned int accel_ioctl_count;

long accel_ioctl_dispatch(struct accel_file *file, unsigned int cmd,
			  void __user *uarg);
int accel_copy_element(void *dst, size_t known, size_t min, u64 array,
		       u32 stride, u32 index);

#define ACCEL_IOCTL_DECLARE(NAME, name, nr, last) \
	int accel_##name##_ioctl(struct accel_ioctl_call *call);
ACCEL_IOCTL_TABLE(ACCEL_IOCTL_DECLARE)

/* fd.c */
int accel_fd_reserve(struct accel_ioctl_call *call, struct file *file);
void accel_fd_publish(struct accel_ioctl_call *call);
void accel_fd_abort(struct accel_ioctl_call *call);

/* object.c */
/**
 * struct accel_object_type - a kind of object
 * @destroy: its id is gone; may sleep; NULL if nothing is to be done
 * @release: its last reference is gone; may sleep; frees it
 */
struct accel_object_type {
	void (*destroy)(struct accel_object *obj);
	void (*release)(struct accel_object *obj);
};

extern const struct accel_object_type accel_queue_type;

void accel_object_init(struct accel_object *obj,
		       const struct accel_object_type *type);
int accel_object_reserve(struct accel_ioctl_call *call, struct accel_object *obj);
void accel_object_publish(struct accel_ioctl_call *call);
void accel_object_abort(struct accel_ioctl_call *call);
struct accel_object *accel_object_get(struct accel_file *file, u32 id,
				      const struct accel_object_type *type);
void accel_object_put(struct accel_object *obj);
void accel_object_put_any_context(struct accel_object *obj);
void accel_object_destroy_all(struct accel_file *file);
void accel_object_drain(void);

/* bo.c, bo_shmem.c, bo_dma.c */
extern const struct accel_bo_ops accel_bo_shmem_ops;
extern const struct accel_bo_ops accel_bo_dma_ops;

unsigned long accel_bo_page_pfn(struct accel_bo *bo, pgoff_t page);
int accel_bo_page_vmap(struct accel_bo *bo);
void accel_bo_page_vunmap(struct accel_bo *bo);
int accel_bo_page_map_dma(struct accel_bo *bo);
void accel_bo_page_unmap_dma(struct accel_bo *bo);
void accel_bo_page_sync_for_cpu(struct accel_bo *bo);
void accel_bo_page_sync_for_device(struct accel_bo *bo);
void accel_bo_page_detach(struct accel_bo *bo);
int accel_bo_page_map(struct accel_bo *bo, struct device *dev,
		      struct sg_table *sgt, enum dma_data_direction dir);
void accel_bo_page_unmap(struct device *dev, struct sg_table *sgt,
			 enum dma_data_direction dir);
struct accel_bo *accel_bo_create(struct accel_device *dev, size_t size,
				 struct accel_region *region,
				 struct dma_buf *dma_buf);
int accel_bo_populate(struct accel_bo *bo);
void accel_bo_unmap_dma(struct accel_bo *bo);
void accel_bo_unmap(struct accel_bo *bo);
void accel_bo_detach_all(struct accel_device *dev);

/* bo_evict.c */
void accel_evict_init_bo(struct accel_bo *bo);
void accel_evict_fini_bo(struct accel_bo *bo);
int accel_bo_alloc_backing(struct accel_bo *bo);
void accel_bo_free_backing(struct accel_bo *bo);
void accel_bo_bring_in(struct accel_bo *bo);

/* bo_advise.c */
bool accel_bo_use(struct accel_bo *bo);
void accel_bo_unuse(struct accel_bo *bo);
void accel_purgeable_del(struct accel_bo *bo);
unsigned long accel_purge(unsigned long pages);
int accel_advise_init(void);
void accel_advise_exit(void);

/* bo_map.c */
int accel_bo_alloc_offset(struct accel_bo *bo);
void accel_bo_free_offset(struct accel_bo *bo);
u64 accel_bo_mmap_offset(const struct accel_bo *bo);
void accel_bo_zap(struct accel_bo *bo);
int accel_bo_map_vma(struct accel_bo *bo, struct vm_area_struct *vma,
		     unsigned long first, bool may_write);
int accel_bo_mmap(struct accel_file *file, struct vm_area_struct *vma);

/* bo_handle.c */
/**
 * struct accel_bo_handle - what an id of a buffer stands for
 * @obj: the id
 * @bo: the buffer, with a reference
 * @client: accel_file.id of whose it is
 * @may_write: what the client and its jobs may do to the buffer
 * @link: in accel_bo.handles, until the id is destroyed
 */
struct accel_bo_handle {
	struct accel_object obj;
	struct accel_bo *bo;
	u64 client;
	bool may_write;
	struct list_head link;
};

extern const struct accel_object_type accel_bo_handle_type;

struct accel_bo_handle *accel_bo_handle_create(struct accel_file *file,
					       struct accel_bo *bo,
					       bool may_write);
void accel_bo_handle_end(struct accel_bo_handle *handle);
bool accel_bo_has_ids(struct accel_bo *bo);
int accel_bo_give_id(struct accel_ioctl_call *call, struct accel_bo *bo,
		     bool may_write, u32 *id);
struct accel_bo *accel_bo_get(struct accel_file *file, u32 id, bool write);
struct accel_bo *accel_bo_get_for_cpu(struct accel_file *file, u32 id, bool write);
bool accel_bo_has_client(struct accel_bo *bo, struct accel_file *file,
			 bool *may_write);

/* bo_sync.c */
void accel_bo_sync_caches(struct accel_bo *bo, bool for_device);

/* dmabuf_export.c, dmabuf_import.c */
static inline bool accel_dma_buf_may_write(const struct dma_buf *dma_buf)
{
	return dma_buf->file->f_mode & FMODE_WRITE;
}

/* By its exporter, when it is not pinned. */
static inline bool accel_import_can_move(const struct accel_bo *bo)
{
	return bo->dma_buf && bo->dma_buf->ops->pin;
}

struct accel_bo *accel_export_to_bo(struct accel_device *dev,
				    struct dma_buf *dma_buf);
void accel_export_keep(struct accel_bo *bo, struct dma_buf *dma_buf);
void accel_export_forget(struct accel_bo *bo, bool idle);
void accel_export_sync_caches(struct accel_bo *bo, bool for_device);
int accel_import_mmap(struct accel_bo *bo, struct vm_area_struct *vma,
		      unsigned long first);
void accel_import_forget(struct accel_bo *bo);
void accel_import_unused(struct accel_bo *bo);
void accel_import_drain(void);

/**
 * struct accel_timeline - points that are reached in order
 * @obj: for its references; what has an id is a struct accel_timeline_handle
 * @dev: the device, with a reference
 * @dev_link: in accel_device.timelines
 * @queue_owned: only ends of jobs of one queue signal it
 * @signallers: those who may signal it; when the last goes it is closed
 * @page: shows @completed and @failed to the client; NULL if it is no queue's
 * @page_handle: of the buffer that is; it has no id
 * @lock: protects what follows; innermost, taken in any context
 * @completed: highest point reached
 * @promised: highest point signalled, or promised by an accepted job or for a fence
 * @pending_count: entries in @pending
 * @held_count: those of jobs that are held, and of fences not yet waited for
 * @closed: negative errno once nobody can promise anything any more
 * @pending: struct accel_point_entry of points promised and not reached, in order
 * @imports: struct accel_point_import of fences that have not signalled
 * @waiters: those who wait for a point to be reached
 * @backers: held jobs that wait for a point to be promised by one that is not
 * @wake_work: tells those whom there was no time for, with a reference
 * @failed: number of points that failed
 * @failures: the newest of them, a ring
 * @failure_next: where the next goes
 * @lost_upto: highest point that a forgotten failure covered
 */
struct accel_timeline {
	struct accel_object obj;
	struct accel_device *dev;
	struct list_head dev_link;
	bool queue_owned;
	atomic_t signallers;
	struct accel_point_page *page;
	struct accel_bo_handle *page_handle;
	spinlock_t lock;		/* protects what follows */
	u64 completed;
	u64 promised;
	u32 pending_count;
	u32 held_count;
	int closed;
	struct list_head pending;
	struct list_head imports;
	struct rb_root_cached waiters;
	struct rb_root_cached backers;
	struct work_struct wake_work;
	u64 failed;
#define ACCEL_TIMELINE_FAILURES	64
	struct {
		u64 first;
		u64 last;
		int error;
	} failures[ACCEL_TIMELINE_FAILURES];
	u32 failure_next;
	u64 lost_upto;
};

/**
 * struct accel_timeline_waiter - somebody who waits for a point
 * @node: in accel_timeline.waiters or .backers
 * @timeline: the timeline, with a reference that the owner holds
 * @value: the point
 * @in: the tree that @node is in, or NULL; protected by accel_timeline.lock
 * @reached: called once, with accel_timeline.lock held and interrupts off, when
 *	the point is reached, with its status. A job that may start now is added
 *	to @ready
 * @backed: the same when the point is backed; NULL for who does not care
 */
struct accel_timeline_waiter {
	struct rb_node node;
	struct accel_timeline *timeline;
	u64 value;
	struct rb_root_cached *in;
	void (*reached)(struct accel_timeline_waiter *waiter, int status,
			struct list_head *ready);
	void (*backed)(struct accel_timeline_waiter *waiter);
};

/**
 * struct accel_timeline_handle - what the id of a timeline stands for
 * @obj: its id
 * @timeline: the timeline, with a reference
 * @may_signal: points may be promised with this id; counted in
 *	accel_timeline.signallers
 * @imports: struct accel_point_import of promises made with this id; this and what
 *	follows is protected by accel_timeline.lock
 * @eventfds: struct accel_point_eventfd asked for with this id
 * @eventfd_count: entries in @eventfds
 */
struct accel_timeline_handle {
	struct accel_object obj;
	struct accel_timeline *timeline;
	bool may_signal;
	struct list_head imports;
	struct list_head eventfds;
	u32 eventfd_count;
};

/*
 * Whether there are so many references that no client is to take more. Those who share
 * a timeline have no limit together, but memory, and the count has one.
 */
static inline bool accel_timeline_is_in_demand(struct accel_timeline *timeline)
{
	return refcount_read(&timeline->obj.refs) >= ACCEL_TIMELINE_REFS_MAX;
}

/* timeline_handle.c */
int accel_timeline_reserve(struct accel_ioctl_call *call,
			   struct accel_timeline *timeline, bool may_signal,
			   u32 *id);
struct accel_timeline_handle *accel_timeline_handle_get(struct accel_file *file,
							u32 id);
struct accel_timeline *accel_timeline_get(struct accel_file *file, u32 id);
struct accel_timeline *accel_timeline_get_to_signal(struct accel_file *file, u32 id);

/* What accel_timeline_add_waiter() found. */
enum accel_wait_result {
	ACCEL_WAIT_REACHED,
	ACCEL_WAIT_BACKED,
	ACCEL_WAIT_UNBACKED,
};

struct accel_timeline *accel_timeline_create(struct accel_device *dev, u64 value,
					     bool queue_owned);
int accel_timeline_status(struct accel_timeline *timeline, u64 value);
enum accel_wait_result
accel_timeline_add_waiter(struct accel_timeline_waiter *waiter, int *status);
bool accel_timeline_remove_waiter(struct accel_timeline_waiter *waiter);
bool accel_timeline_remove_waiter_locked(struct accel_timeline_waiter *waiter);
bool accel_timeline_is_backed(struct accel_timeline *timeline, u64 value);
struct dma_fence *accel_timeline_job_fence(struct accel_timeline *timeline,
					   u64 value);
int accel_timeline_promise(struct accel_timeline *timeline,
			   struct accel_point_entry *entry);
void accel_timeline_unpromise(struct accel_timeline *timeline,
			      struct accel_point_entry *entry);
void accel_timeline_promise_next(struct accel_timeline *timeline,
				 struct accel_point_entry *entry);
void accel_timeline_unhold(struct accel_timeline *timeline,
			   struct accel_point_entry *entry,
			   struct list_head *ready);
void accel_timeline_end(struct accel_timeline *timeline,
			struct accel_point_entry *entry, int error,
			struct list_head *reached, struct list_head *ready);
void accel_points_put(struct list_head *reached);
void accel_timeline_add_signaller(struct accel_timeline *timeline);
void accel_timeline_drop_signaller(struct accel_timeline *timeline);
int accel_timeline_signal(struct accel_timeline *timeline, u64 value);
bool accel_timeline_is_settled(struct accel_timeline *timeline);
void accel_timeline_close(struct accel_timeline *timeline, int error);
void accel_timeline_close_all(struct accel_device *dev, int error);

/* point_page.c */
int accel_point_page_add(struct accel_timeline *timeline, struct accel_file *file);
void accel_point_page_update(struct accel_timeline *timeline);

/* late.c */
/**
 * struct accel_late - something that a worker is to do
 * @node: waits for that
 * @run: does it. May free this; no lock is held. Jobs that may start now are added
 *	to @ready
 */
struct accel_late {
	struct llist_node node;
	void (*run)(struct accel_late *late, struct list_head *ready);
};

void accel_late_add(struct accel_late *late);

/* point_fence.c */
struct dma_fence *accel_point_fence(struct accel_timeline *timeline, u64 value);
struct accel_timeline *accel_point_fence_timeline(struct dma_fence *fence,
						  u64 *value);

/* point_import.c */
int accel_point_import(struct accel_timeline_handle *handle, u64 value,
		       struct dma_fence *fence);
void accel_point_import_cancel(struct accel_timeline *timeline,
			       struct accel_timeline_handle *handle, int error);

/* point_eventfd.c */
int accel_point_eventfd_add(struct accel_timeline_handle *handle, u64 value, int fd);
void accel_point_eventfd_drop_all(struct accel_timeline_handle *handle);

/* timeline_fd.c */
struct file *accel_timeline_file(struct accel_timeline *timeline, bool may_signal);
int accel_timeline_reserve_from_fd(struct accel_ioctl_call *call, int fd, u32 *id);

/* fence.c */
const char *accel_fence_get_driver_name(struct dma_fence *fence);
void accel_fence_release(struct dma_fence *fence);
void accel_fence_init(struct accel_job *job, u64 seqno);
void accel_fence_reached(struct accel_job *job, int error);
void accel_fence_signal(struct accel_job *job);
bool accel_fence_has_ops(struct dma_fence *fence, const struct dma_fence_ops *ops);
int accel_fence_error(struct dma_fence *fence);
struct accel_timeline *accel_fence_timeline(struct dma_fence *fence, u64 *value);
int accel_job_lock_bos(struct accel_job *job, struct ww_acquire_ctx *ctx);
void accel_job_publish(struct accel_job *job);
void accel_job_unlock_bos(struct accel_job *job, struct ww_acquire_ctx *ctx);

/* job.c, job_wait.c */
/**
 * struct accel_job_wait - a point or a fence that a job waits for
 * @waiter: on the point's timeline, with a reference to it
 * @fence: the fence, with a reference; NULL if it is a point
 * @cb: in @fence
 * @job: the job
 * @node: in accel_job.implicit, if that is where it comes from
 * @cancels: the job is cancelled if the point or the fence failed
 */
struct accel_job_wait {
	struct accel_timeline_waiter waiter;
	struct dma_fence *fence;
	struct dma_fence_cb cb;
	struct accel_job *job;
	struct rb_node node;
	bool cancels;
};

/**
 * struct accel_job_signal - a point that a job signals
 * @job: the job
 * @timeline: the timeline, with a reference
 * @entry: on that timeline; while it is there, it has a reference to the job
 */
struct accel_job_signal {
	struct accel_job *job;
	struct accel_timeline *timeline;
	struct accel_point_entry entry;
};

struct accel_job *accel_job_create(struct accel_queue *queue,
				   struct accel_file *file,
				   const struct accel_submit_job *args);
void accel_job_free(struct accel_job *job);
void accel_job_wait_for_point(struct accel_job_wait *wait, struct accel_job *job,
			      struct accel_timeline *timeline, u64 value);
void accel_job_wait_for_fence(struct accel_job_wait *wait, struct accel_job *job,
			      struct dma_fence *fence);
void accel_job_wait_put(struct accel_job_wait *wait);
void accel_job_add_explicit_waits(struct accel_job *job);
int accel_job_collect_implicit_wait(struct accel_job *job, struct dma_fence *fence);
void accel_job_add_implicit_waits(struct accel_job *job);
void accel_job_put_implicit_waits(struct accel_job *job);
void accel_job_remove_waits(struct accel_job *job);
int accel_job_promise(struct accel_job *job);
void accel_job_unhold(struct accel_job *job, struct list_head *ready);
void accel_job_end(struct accel_job *job, struct list_head *ready);
void accel_jobs_end(struct list_head *jobs, struct list_head *ready);

/* queue.c */
int accel_queue_accept(struct accel_queue *queue, struct accel_job *job,
		       u64 *point);

/* sched.c */
/* What becomes of the jobs of a queue that accepts none any more. */
static inline int accel_status_to_error(int status)
{
	return status == -ENODEV ? -ENODEV : -ECANCELED;
}

void accel_sched_add_queue(struct accel_queue *queue);
void accel_sched_remove_queue(struct accel_queue *queue);
int accel_sched_queue_status(struct accel_queue *queue);
int accel_sched_add_job(struct accel_job *job);
void accel_sched_dispatch(struct accel_engine *engine, struct list_head *ready);
void accel_jobs_start(struct list_head *ready);
void accel_jobs_start_later(struct list_head *ready);
void accel_jobs_start_all(struct list_head *ready);

/* sched.c for recovery.c, with accel_engine.lock held */
void accel_sched_update_queue(struct accel_queue *queue);
void accel_sched_arm_timeout(struct accel_engine *engine, ktime_t when);
struct accel_job *accel_sched_oldest(struct accel_engine *engine);
void accel_sched_finish(struct accel_engine *engine, struct accel_job *job);

/* recovery.c */
void accel_sched_timeout_work_fn(struct work_struct *work);
void accel_sched_cancel_queue(struct accel_queue *queue);
void accel_sched_stop(struct accel_device *dev);

#endif /* _ACCEL_INTERNAL_H */
