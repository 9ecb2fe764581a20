/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Native accelerator subsystem, driver side. Documentation/accel/driver-guide.rst
 * shows a whole driver.
 */
#ifndef _LINUX_ACCEL_H
#define _LINUX_ACCEL_H

#include <linux/bits.h>
#include <linux/cdev.h>
#include <linux/container_of.h>
#include <linux/device.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/refcount.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/accel.h>

struct accel_bo;
struct accel_device;
struct accel_engine;
struct accel_file;
struct accel_ioctl_call;
struct accel_job;
struct accel_object_type;
struct accel_point_entry;
struct accel_job_signal;
struct accel_job_wait;
struct accel_queue;
struct accel_region;
struct accel_timeline;
struct dma_buf;
struct dma_buf_attachment;
struct file;
struct sg_table;

#define ACCEL_ENGINES_MAX	16
#define ACCEL_REGIONS_MAX	4

/**
 * struct accel_ioctl_desc - one of the driver's own ioctls
 * @nr: number, ACCEL_IOCTL_DRIVER_BASE or above
 * @arg_size: size of the argument, which starts with a __u32 size
 * @min_size: size of the argument's first version
 * @handler: does the work; returns 0 or a negative errno. It finds a copy of the
 *	argument in @accel_ioctl_call.arg. May sleep; the device stays registered
 *	meanwhile, so user memory is not to be touched: who provides it could make
 *	that take for ever
 * @flags: ACCEL_IOCTL_OUT if what @handler writes into the argument is to go back
 *	to the caller when it returns 0
 */
struct accel_ioctl_desc {
	u32 nr;
	u32 arg_size;
	u32 min_size;
	int (*handler)(struct accel_ioctl_call *call);
	u32 flags;
};

#define ACCEL_IOCTL_OUT		BIT(0)

/**
 * ACCEL_IOCTL_DESC - initialise a struct accel_ioctl_desc
 * @_ioctl: the ioctl, as made by _IO()
 * @_type: type of its argument
 * @_last: last member of that type's first version
 * @_handler: see &struct accel_ioctl_desc
 * @_flags: likewise
 */
#define ACCEL_IOCTL_DESC(_ioctl, _type, _last, _handler, _flags) {	\
	.nr = _IOC_NR(_ioctl),						\
	.arg_size = sizeof(_type) +					\
		BUILD_BUG_ON_ZERO(offsetof(_type, size)),		\
	.min_size = offsetofend(_type, _last),				\
	.handler = _handler,						\
	.flags = _flags,						\
}

/**
 * struct accel_ioctl_call - an ioctl in progress
 * @file: the open file it came through
 * @arg: kernel copy of the argument, @accel_ioctl_desc.arg_size bytes
 */
struct accel_ioctl_call {
	struct accel_file *file;
	void *arg;

	/* private: */
	void __user *uarg;
	u32 size;			/* of the caller's argument */
	struct accel_object *created[2];
	unsigned int created_count;
	bool silent;			/* there is no answer, and it cannot be undone */
	struct file *fd_file;		/* what @fd will be, or NULL */
	int fd;
};

/**
 * struct accel_ops - what a driver gives the core
 *
 * Unless said otherwise a callback may sleep, and is called only between
 * accel_register() and the return of accel_unregister().
 */
struct accel_ops {
	/** @name: of the driver, shown to users; at most 31 characters */
	const char *name;

	/**
	 * @job_size: size of the driver's job, which embeds struct accel_job as
	 * its first member; use ACCEL_JOB_SIZE(). 0 if the driver adds nothing
	 */
	size_t job_size;

	/**
	 * @cmd_size_max: largest command in bytes, 1 to ACCEL_CMD_SIZE_MAX. What
	 * is larger belongs in a buffer
	 */
	u32 cmd_size_max;

	/** @timeout_default_ms: time a job may run, in milliseconds, not 0 */
	u32 timeout_default_ms;

	/** @timeout_max_ms: most that a queue may ask for */
	u32 timeout_max_ms;

	/** @ioctls: the driver's own, in ascending order of number; or NULL */
	const struct accel_ioctl_desc *ioctls;

	/** @ioctl_count: number of elements at @ioctls */
	unsigned int ioctl_count;

	/** @info_size: size of the answer to ACCEL_QUERY_DRIVER; 0 if none */
	size_t info_size;

	/**
	 * @info: fill @info_size zeroed bytes at @info with the answer to
	 * ACCEL_QUERY_DRIVER
	 */
	void (*info)(struct accel_device *dev, void *info);

	/**
	 * @job_validate: look at a job before it is accepted, and prepare
	 * what @job_run needs: this is the place to call accel_bo_vmap() and
	 * accel_bo_map_dma(). Return 0, or the errno that SUBMIT is to give.
	 * The command has been copied and no longer changes. Not called in
	 * the order in which jobs run
	 */
	int (*job_validate)(struct accel_job *job);

	/**
	 * @job_run: start a job. Return 0 if the hardware has it, in which case
	 * accel_job_done() ends it, now or later; or a negative errno, with which
	 * it ends at once. Called for one job of an engine at a time, and for no
	 * more than the engine's depth before one is done. With
	 * ACCEL_ENGINE_ATOMIC_RUN it is called in any context, hard interrupts
	 * included, and may not sleep; otherwise from a worker. It is on the path
	 * to signalling fences: no allocation that may wait, no dma_resv
	 */
	int (*job_run)(struct accel_job *job);

	/**
	 * @job_abort: stop a job that @job_run started and accel_job_done() has not
	 * ended. When it returns, the hardware touches neither the job's buffers
	 * nor its results, and accel_job_done() is not called for it any more. If
	 * it is called meanwhile, that makes no difference. May sleep, for a
	 * bounded time. Not called while @job_run is, on the same engine. On the
	 * path to signalling fences as well
	 */
	void (*job_abort)(struct accel_job *job);
};

/**
 * ACCEL_JOB_SIZE - value of accel_ops.job_size
 * @_type: the driver's job
 * @_member: its struct accel_job, which comes first
 */
#define ACCEL_JOB_SIZE(_type, _member)					\
	(sizeof(_type) +						\
	 BUILD_BUG_ON_ZERO(offsetof(_type, _member)) +			\
	 BUILD_BUG_ON_ZERO(!__same_type(struct accel_job,		\
					((_type *)NULL)->_member)))

/* Larger commands go into a buffer: this much is copied for every job */
#define ACCEL_CMD_SIZE_MAX	SZ_16K

/**
 * struct accel_device - an accelerator
 * @dev: its device in class accel; the parent is the hardware
 * @ops: of the driver
 *
 * Embedded in the driver's own struct, which the core allocates and frees: it
 * lives as long as anybody has the device open, longer than the driver's hold
 * on the hardware.
 */
struct accel_device {
	struct device dev;
	const struct accel_ops *ops;

	/* private: */
	struct cdev cdev;
	bool virtual;			/* no hardware, no DMA: set at allocation */
	bool registered;		/* set once by accel_register() */
	bool gone;			/* set once, before synchronize_srcu() */
	struct srcu_struct srcu;	/* read side: driver callbacks may be called */
	unsigned int engine_count;	/* fixed once registered, as are the arrays */
	unsigned int region_count;
	struct accel_engine *engines[ACCEL_ENGINES_MAX];
	struct accel_region *regions[ACCEL_REGIONS_MAX];
	struct accel_region *system;
	struct workqueue_struct *wq;	/* starts, timeouts: on the path to fences */
	struct file *mapping;		/* its anonymous inode holds every mmap */
	struct maple_tree mmap_offsets;	/* page offset -> bo; has its own lock */
	struct mutex lock;		/* protects the lists */
	struct list_head bos;
	struct list_head files;
	struct list_head timelines;
	spinlock_t imports_lock;	/* protects imports */
	struct rb_root imports;		/* buffers by the dma-buf that they are of */
};

#define ACCEL_ALLOC_VIRTUAL	BIT(0)	/* no hardware under it */

struct accel_device *__devm_accel_alloc_device(struct device *parent,
					       const struct accel_ops *ops,
					       size_t size, unsigned int flags);

/**
 * devm_accel_alloc_device - allocate a device
 * @_parent: the hardware, bound to the driver
 * @_ops: of the driver; copied, but what it points to must stay until
 *	accel_unregister() has returned
 * @_type: the driver's struct
 * @_member: its struct accel_device, which comes first
 * @_flags: ACCEL_ALLOC_VIRTUAL for a device that does no DMA, which is numbered
 *	from 128; or 0
 *
 * The memory is zeroed. The driver's reference is dropped when @_parent is
 * unbound; open files keep their own.
 *
 * Context: may sleep.
 * Return: a pointer to the driver's struct, or an ERR_PTR.
 */
#define devm_accel_alloc_device(_parent, _ops, _type, _member, _flags) ({	\
	static_assert(__same_type(struct accel_device,				\
				  ((_type *)NULL)->_member));			\
	static_assert(offsetof(_type, _member) == 0);				\
	(_type *)__devm_accel_alloc_device(_parent, _ops, sizeof(_type),	\
					   _flags);				\
})

int accel_register(struct accel_device *dev);
void accel_unregister(struct accel_device *dev);
bool accel_dev_enter(struct accel_device *dev, int *idx);
void accel_dev_exit(struct accel_device *dev, int idx);

/**
 * struct accel_engine - something in a device that runs jobs
 * @dev: the device
 * @name: what the driver calls it
 * @index: its number
 *
 * Embedded in the driver's struct, next to its struct accel_device.
 */
struct accel_engine {
	struct accel_device *dev;
	const char *name;
	u32 index;

	/* private: */
	u32 depth;
	bool atomic_run;
	spinlock_t lock;		/* protects what follows, and its queues' jobs */
	struct list_head queues;	/* all of them */
	struct list_head ready;		/* queues whose first job may start */
	struct list_head running;	/* jobs the hardware has, oldest first */
	u32 running_count;
	u32 paused;			/* nothing starts while not 0 */
	int status;			/* -ENODEV once the device is gone */
	bool dispatching;		/* somebody is in the loop that starts jobs */
	struct accel_job *starting;	/* its job_run has not returned */
	wait_queue_head_t idle;		/* dispatching has become false */
	u64 jobs;
	u64 busy_ns;
	ktime_t last_end;		/* when the hardware last gave up a job */
	ktime_t check_at;		/* when timeout_work looks next, or 0 */
	struct work_struct start_work;
	struct delayed_work timeout_work;
	struct mutex abort_lock;	/* one job_abort at a time */
};

#define ACCEL_ENGINE_ATOMIC_RUN	BIT(0)	/* job_run never sleeps */

int accel_engine_init(struct accel_device *dev, struct accel_engine *engine,
		      const char *name, u32 depth, unsigned int flags);

/**
 * struct accel_object - what an id stands for
 *
 * Private to the core, here because others embed it.
 */
struct accel_object {
	/* private: */
	refcount_t refs;
	u32 id;
	const struct accel_object_type *type;
	struct accel_file *file;	/* valid until the id is destroyed */
	struct llist_node free_node;	/* waits to be freed where sleeping is fine */
};

/**
 * struct accel_bo_ops - where a region's buffers have their memory
 *
 * All but @pfn may sleep, and all are called with the buffer's lock held. A
 * driver provides these for a region of its own; system memory is the core's.
 */
struct accel_bo_ops {
	/**
	 * @alloc: find room; the core has set @accel_bo.size. ENOSPC if full.
	 * Without @populate it gives memory that is zeroed: nobody else will
	 */
	int (*alloc)(struct accel_bo *bo);

	/** @free: undo @alloc and @populate; no mapping is left */
	void (*free)(struct accel_bo *bo);

	/**
	 * @populate: provide zeroed memory, charged to the caller. Called once
	 * before the first of the following; optional
	 */
	int (*populate)(struct accel_bo *bo);

	/** @pfn: page frame of a page of a populated buffer */
	unsigned long (*pfn)(struct accel_bo *bo, pgoff_t page);

	/** @vmap: set @accel_bo.vaddr */
	int (*vmap)(struct accel_bo *bo);

	/** @vunmap: undo @vmap */
	void (*vunmap)(struct accel_bo *bo);

	/** @map_dma: set @accel_bo.sgt; optional, EOPNOTSUPP without it */
	int (*map_dma)(struct accel_bo *bo);

	/** @unmap_dma: undo @map_dma */
	void (*unmap_dma)(struct accel_bo *bo);

	/** @sync_for_cpu: make what the device wrote visible; optional */
	void (*sync_for_cpu)(struct accel_bo *bo);

	/** @sync_for_device: make what the CPU wrote visible; optional */
	void (*sync_for_device)(struct accel_bo *bo);

	/**
	 * @discard: for the core's own. Undo @populate, with the contents; without
	 * it a client cannot say that it does not need them. In memory reclaim
	 */
	void (*discard)(struct accel_bo *bo);

	/**
	 * @detach: for the core's own. The device is going: give back all that is
	 * the device's but keep the memory, so that @pfn and @free go on working.
	 * Without it, as in any driver, the memory goes too: the core unmaps
	 * it from everybody and calls @free
	 */
	void (*detach)(struct accel_bo *bo);
};

/**
 * struct accel_region - memory that buffers can be in
 * @name: shown to users
 * @size: in bytes, or 0 where nothing but the system limits it
 * @flags: ACCEL_REGION_*, shown to users. With ACCEL_REGION_EVICTS the core moves
 *	buffers to system memory when alloc of @ops finds no room, and back before a
 *	job that uses them is validated, if it can: accel_bo_vmap() and
 *	accel_bo_map_dma() give the driver either. With it @ops have no populate, as
 *	alloc gives the memory, and their vmap is for plain loads and stores
 * @ops: of its buffers
 */
struct accel_region {
	const char *name;
	u64 size;
	u32 flags;
	const struct accel_bo_ops *ops;

	/* private: */
	atomic64_t used;
	struct mutex evict_lock;	/* one at a time makes room; see bo_evict.c */
	spinlock_t lock;		/* protects bos */
	struct list_head bos;		/* that can be moved, least recently used first */
};

int accel_region_add(struct accel_device *dev, struct accel_region *region);

/**
 * struct accel_bo - a buffer
 * @dev: the device
 * @region: where its memory is
 * @home: where it was asked for
 * @size: in bytes, whole pages
 * @vaddr: kernel address; valid once accel_bo_vmap() has succeeded
 * @sgt: DMA addresses; valid once accel_bo_map_dma() has succeeded
 * @driver_data: for the ops of @home
 */
struct accel_bo {
	struct accel_device *dev;
	struct accel_region *region;
	struct accel_region *home;
	size_t size;
	void *vaddr;
	struct sg_table *sgt;
	void *driver_data;

	/* private: */
	struct accel_object obj;	/* its references; ids are of handles */
	struct list_head dev_link;	/* accel_device.bos */
	spinlock_t handles_lock;	/* protects the next two */
	struct list_head handles;
	u32 handle_count;
	u32 region_index;
	unsigned long mmap_pgoff;
	struct dma_resv *resv;		/* of jobs that were accepted and not held */
	struct dma_resv own_resv;	/* where it is no dma-buf's */
	struct mutex lock;		/* protects the memory and its mappings */
	bool populated;
	bool detached;			/* the device is gone */
	struct page **pages;		/* system memory only, as are the next */
	dma_addr_t *dma_addrs;
	struct file *shmem;
	struct mm_struct *mm;		/* whose memory it is, if a process's */
	bool purged;			/* protected by lock: contents were lost */
	atomic_t users;			/* see bo_advise.c */
	struct mem_cgroup *memcg;	/* that pays for it where home does not count */
	struct list_head region_link;	/* accel_region.bos */
	struct list_head purge_link;	/* of those whose memory may be taken */
	bool read_only;			/* and only to be read */
	struct dma_buf *exports[2];	/* to read, to write; with references */
	struct list_head export_maps;	/* protected by resv */
	struct dma_buf *dma_buf;	/* that it was imported from, or NULL */
	struct dma_buf_attachment *attach;
	bool pinned;			/* with its exporter; protected by resv */
	bool revoked;			/* by its exporter, though pinned; likewise */
	atomic_t idle_queued;		/* see dmabuf_import.c, as for the next */
	struct llist_node idle_node;
	struct rb_node import_node;	/* accel_device.imports */
};

int accel_bo_vmap(struct accel_bo *bo);
int accel_bo_map_dma(struct accel_bo *bo);

/**
 * struct accel_event_slot - room for an event
 *
 * Private to the core.
 */
struct accel_event_slot {
	/* private: */
	struct list_head link;		/* accel_file.events; empty if none is due */
	struct accel_queue *queue;	/* whose it is; NULL if the file's */
	struct accel_event event;
};

/**
 * struct accel_queue - jobs of one client for one engine, in order
 * @engine: that engine
 */
struct accel_queue {
	struct accel_engine *engine;

	/* private: */
	struct accel_object obj;
	struct accel_timeline *timeline;
	u32 timeline_id;
	u32 timeout_ms;
	u64 client;			/* accel_file.id of who made it */
	u64 fence_context;
	struct mem_cgroup *memcg;	/* that pays for what held jobs need later */
	struct mutex submit_lock;	/* one SUBMIT at a time: points are consecutive */
	struct mutex lock;		/* order of acceptance; protects held and closed */
	struct list_head held;
	bool closed;
	struct work_struct hold_work;	/* a held job may go, or is to be cancelled */
	/* protected by engine->lock: */
	struct list_head engine_link;	/* accel_engine.queues */
	struct list_head ready_link;	/* accel_engine.ready */
	struct list_head jobs;		/* not held, not started */
	int status;			/* -EIO if lost, -ENODEV, -ECANCELED if destroyed */
	u64 busy_ns;
	/* protected by accel_file.event_lock: */
	struct accel_event_slot failed_event;
	struct accel_event_slot lost_event;
	bool events_off;		/* the id is going */
};

struct accel_queue *accel_queue_get(struct accel_file *file, u32 id);
void accel_queue_put(struct accel_queue *queue);
u64 accel_queue_client(const struct accel_queue *queue);

/**
 * struct accel_job_bo - a buffer that a job uses
 * @bo: the buffer
 * @flags: ACCEL_BO_READ, ACCEL_BO_WRITE or both; ACCEL_BO_NO_IMPLICIT
 */
struct accel_job_bo {
	struct accel_bo *bo;
	u32 flags;

	/* private: */
	bool resv_shared;		/* with another of the list, which has it locked */
};

/* What becomes of a job, protected by its engine's lock */
enum accel_job_state {
	ACCEL_JOB_WAITING,
	ACCEL_JOB_RUNNING,
	ACCEL_JOB_ABORTING,	/* what accel_job_done() says does not matter */
	ACCEL_JOB_DONE,
};

/**
 * struct accel_point_entry - a point that a job, or somebody's fence, has promised
 *
 * Private to the core.
 */
struct accel_point_entry {
	/* private: */
	struct list_head link;		/* accel_timeline.pending */
	/* It is reached, and none of its timeline's business; NULL on a queue's. */
	void (*put)(struct accel_point_entry *entry);
	u64 value;
	u64 last;			/* what is completed when this is */
	int error;
	bool held;
	bool done;
	bool reached;			/* for who asks the job's fence */
};

/**
 * struct accel_job - work for an engine
 * @fence: signals when the job has ended; must come first
 * @queue: where it was submitted; its engine is where it runs
 * @cmd: the command
 * @cmd_size: bytes at @cmd
 * @bos: buffers it uses
 * @bo_count: number of elements at @bos
 *
 * The driver may read these from job_validate on until the job is done.
 */
struct accel_job {
	struct dma_fence fence;
	struct accel_queue *queue;
	const void *cmd;
	u32 cmd_size;
	u32 bo_count;
	struct accel_job_bo *bos;

	/* private: */
	spinlock_t fence_lock;		/* of fence: it outlives everything else */
	u32 wait_count;
	u32 signal_count;
	struct accel_job_wait *waits;
	struct accel_job_signal *signals;
	struct rb_root implicit;	/* waits that the buffers made necessary */
	u32 implicit_count;
	struct accel_point_entry point;
	struct list_head link;		/* queue's held or jobs, engine's running */
	struct list_head ready_link;	/* just found to be free of waits */
	atomic_t holds;			/* waits that nobody has promised */
	atomic_t deps;			/* waits that are not reached */
	int error;
	bool ready;			/* no waits left */
	enum accel_job_state state;
	ktime_t started;
	ktime_t deadline;		/* 0 until it is the oldest of the running */
};

void accel_job_done(struct accel_job *job, int error);

/**
 * accel_job_find_bo - a buffer by its place in a job's list
 * @job: the job
 * @index: the place, from the command; anything
 * @offset: first byte to be used
 * @length: bytes to be used, not 0
 * @flags: rights needed, ACCEL_BO_READ, ACCEL_BO_WRITE or both
 *
 * For job_validate: checks all that a command says about a buffer.
 *
 * Return: the buffer, or an ERR_PTR: EINVAL if there is none at that place or
 * the range is not inside it, EACCES if the list does not give the right.
 */
struct accel_bo *accel_job_find_bo(struct accel_job *job, u32 index, u64 offset,
				   u64 length, u32 flags);

#endif /* _LINUX_ACCEL_H */
