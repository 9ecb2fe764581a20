/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The common interface of /dev/accel/accelN for native accelerator drivers.
 * What is in here is the same for every device; the bytes of a command, and
 * whatever a driver adds to QUEUE_CREATE and QUERY, are that driver's own.
 */
#ifndef _UAPI_LINUX_ACCEL_H
#define _UAPI_LINUX_ACCEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: ioctl format
 *
 * Every ioctl takes a pointer to a struct whose first member, @size, the caller
 * sets to the size of the struct it was compiled with. The ioctl number does
 * not hold the size, so a struct can grow at its end. A kernel that knows
 * less than the caller accepts the call if what it does not know is zero; a
 * kernel that knows more takes what the caller did not pass as zero, and writes
 * back no more than the caller's @size. Structs hold fixed-size types only, have
 * no holes, and are the same for 32-bit and 64-bit callers. A pointer is a
 * __u64. Arrays are passed as pointer, count and stride, the stride being the
 * size of the element the caller was compiled with, under the same rule.
 * Members named @reserved must be zero.
 *
 * Everything a caller makes has a __u32 id, private to its open file. Ids
 * start at 1; 0 is never an id. ACCEL_IOCTL_DESTROY ends any of them.
 */

/**
 * DOC: errors
 *
 * An ioctl that fails has changed nothing, and has written nothing. Only where
 * memory that is to take an answer goes away during the call, EFAULT can come too
 * late for that: parts of the answer may be written, and jobs may have been
 * accepted, as many as ACCEL_IOCTL_QUEUE_INFO counts. Beyond the usual EFAULT,
 * ENOMEM and EINTR:
 *
 * - ENOTTY: no such ioctl.
 * - E2BIG: non-zero bytes past what the kernel knows.
 * - EOPNOTSUPP: a flag or value that this kernel or device does not know, or
 *   knows and cannot do.
 * - EINVAL: a bad value; @size or a stride below the first version's size; a
 *   reserved member that is not zero.
 * - ENOENT: no such id, or an id of another kind.
 * - EBADF: no such file descriptor, or one of another kind.
 * - EMFILE, ENFILE: no file descriptor is left, to the process or to the system.
 * - EACCES: the id or the mapping lacks the right.
 * - EPERM: the caller lacks it, as for signalling a queue's timeline.
 * - EBUSY: in use.
 * - EAGAIN: not yet, such as a queue that holds as many jobs as it may.
 * - ENOSPC: a resource of the device is exhausted.
 * - EIO: the queue is lost.
 * - ETIME: the deadline has passed.
 * - ENODEV: the device is gone.
 *
 * A point that failed reports one of these as its status: ECANCELED, the job did
 * not run, or was stopped, because its queue was lost or destroyed, or asked to be
 * cancelled with a wait that failed, or nobody can promise the point any more; ETIME,
 * the job ran into its timeout; ENODEV, the device went away; ENOMEM, the job was held
 * and there was no memory left when it was to be let go; EAGAIN, it was held, and then
 * too many others used its buffers or an exporter had taken one back; ENODATA, so many
 * failures followed that what became of this point is no longer known; or the driver's
 * own code, such as EIO where the device does not work; or the error of the fence that
 * was imported for the point.
 */

/**
 * DOC: time
 *
 * Deadlines are absolute times of CLOCK_MONOTONIC in nanoseconds. One that is
 * past, such as 0, makes the call a poll: it never sleeps. INT64_MAX never
 * passes. A negative deadline is EINVAL. What is already signalled counts
 * before the deadline does; what is not is ETIME once the deadline has passed,
 * for a poll as for a wait.
 */

/**
 * DOC: events
 *
 * What no call of a client's answers for, its open file tells by poll() and read(): a
 * file with an event is readable. A read() gives as many whole events as there are
 * and as fit; one with less room than the next event needs is EINVAL, and nothing is
 * lost. Without an event it waits, or is EAGAIN with O_NONBLOCK. After
 * ACCEL_EVENT_GONE, the last one, it is ENODEV, and poll() says POLLIN and POLLHUP.
 *
 * An event is not told twice: until it is read, more of its type for the same queue
 * add to its @count. Destroying a queue takes back what it had to tell.
 */

/**
 * enum accel_event_type - what an event tells
 * @ACCEL_EVENT_JOB_FAILED: jobs of a queue failed or were cancelled
 * @ACCEL_EVENT_QUEUE_LOST: a job ran into its timeout, and with it the queue is lost
 * @ACCEL_EVENT_GONE: the device is gone
 */
enum accel_event_type {
	ACCEL_EVENT_JOB_FAILED = 1,
	ACCEL_EVENT_QUEUE_LOST = 2,
	ACCEL_EVENT_GONE = 3
};

/* Room that is enough for any event, of a later kernel too */
#define ACCEL_EVENT_SIZE_MAX	128

/**
 * struct accel_event - what read() gives
 * @size: bytes to the next event; a later kernel may have more members, and other
 *	types of events
 * @type: enum accel_event_type
 * @queue: id of the queue; 0 for ACCEL_EVENT_GONE
 * @error: negative errno: what the point @point failed with; why the queue is lost;
 *	ENODEV
 * @point: ACCEL_EVENT_JOB_FAILED: the first job's point on the queue's timeline,
 *	otherwise 0
 * @count: how many jobs failed, this one included; otherwise 1
 */
struct accel_event {
	__u32 size;
	__u32 type;
	__u32 queue;
	__s32 error;
	__u64 point;
	__u64 count;
};

#define ACCEL_IOCTL_TYPE	0xBB

/**
 * ACCEL_IOCTL_TABLE - every ioctl of the common interface
 * @X: called as X(NAME, name, number, last) for each; NAME and name are the
 *	ioctl's in the two cases, its argument is struct accel_<name>, and last is
 *	the last member of that struct's first version
 *
 * The numbers 0x80 to 0xff belong to the driver. The kernel's dispatcher and the
 * tests of the interface are generated from this table.
 */
#define ACCEL_IOCTL_TABLE(X)						\
	X(QUERY,		query,			0x00, reserved)	\
	X(DESTROY,		destroy,		0x01, id)	\
	X(CLIENT_NAME,		client_name,		0x02, name_ptr)	\
	X(BO_CREATE,		bo_create,		0x10, mmap_offset) \
	X(BO_USERPTR,		bo_userptr,		0x11, reserved) \
	X(BO_IMPORT,		bo_import,		0x12, mmap_offset) \
	X(BO_EXPORT,		bo_export,		0x13, fd)	\
	X(BO_INFO,		bo_info,		0x14, mmap_offset) \
	X(BO_SYNC,		bo_sync,		0x15, deadline_ns) \
	X(BO_ADVISE,		bo_advise,		0x16, retained)	\
	X(QUEUE_CREATE,		queue_create,		0x30, point_offset) \
	X(QUEUE_INFO,		queue_info,		0x31, busy_ns)	\
	X(SUBMIT,		submit,			0x32, first_point) \
	X(TIMELINE_CREATE,	timeline_create,	0x40, id)	\
	X(TIMELINE_SIGNAL,	timeline_signal,	0x41, value)	\
	X(TIMELINE_QUERY,	timeline_query,		0x42, promised)	\
	X(TIMELINE_WAIT,	timeline_wait,		0x43, status)	\
	X(TIMELINE_EXPORT,	timeline_export,	0x44, reserved)	\
	X(TIMELINE_IMPORT,	timeline_import,	0x45, reserved)

#define ACCEL_IOCTL_QUERY		_IO(ACCEL_IOCTL_TYPE, 0x00)
#define ACCEL_IOCTL_DESTROY		_IO(ACCEL_IOCTL_TYPE, 0x01)
#define ACCEL_IOCTL_CLIENT_NAME		_IO(ACCEL_IOCTL_TYPE, 0x02)
#define ACCEL_IOCTL_BO_CREATE		_IO(ACCEL_IOCTL_TYPE, 0x10)
#define ACCEL_IOCTL_BO_USERPTR		_IO(ACCEL_IOCTL_TYPE, 0x11)
#define ACCEL_IOCTL_BO_IMPORT		_IO(ACCEL_IOCTL_TYPE, 0x12)
#define ACCEL_IOCTL_BO_EXPORT		_IO(ACCEL_IOCTL_TYPE, 0x13)
#define ACCEL_IOCTL_BO_INFO		_IO(ACCEL_IOCTL_TYPE, 0x14)
#define ACCEL_IOCTL_BO_SYNC		_IO(ACCEL_IOCTL_TYPE, 0x15)
#define ACCEL_IOCTL_BO_ADVISE		_IO(ACCEL_IOCTL_TYPE, 0x16)
#define ACCEL_IOCTL_QUEUE_CREATE	_IO(ACCEL_IOCTL_TYPE, 0x30)
#define ACCEL_IOCTL_QUEUE_INFO		_IO(ACCEL_IOCTL_TYPE, 0x31)
#define ACCEL_IOCTL_SUBMIT		_IO(ACCEL_IOCTL_TYPE, 0x32)
#define ACCEL_IOCTL_TIMELINE_CREATE	_IO(ACCEL_IOCTL_TYPE, 0x40)
#define ACCEL_IOCTL_TIMELINE_SIGNAL	_IO(ACCEL_IOCTL_TYPE, 0x41)
#define ACCEL_IOCTL_TIMELINE_QUERY	_IO(ACCEL_IOCTL_TYPE, 0x42)
#define ACCEL_IOCTL_TIMELINE_WAIT	_IO(ACCEL_IOCTL_TYPE, 0x43)
#define ACCEL_IOCTL_TIMELINE_EXPORT	_IO(ACCEL_IOCTL_TYPE, 0x44)
#define ACCEL_IOCTL_TIMELINE_IMPORT	_IO(ACCEL_IOCTL_TYPE, 0x45)

#define ACCEL_IOCTL_DRIVER_BASE		0x80
#define ACCEL_IOCTL_DRIVER_END		0x100

/**
 * enum accel_query_topic - what ACCEL_IOCTL_QUERY can tell
 * @ACCEL_QUERY_DEVICE: one struct accel_query_device
 * @ACCEL_QUERY_ENGINES: an array of struct accel_query_engine; an engine's place
 *	in it is its number
 * @ACCEL_QUERY_REGIONS: an array of struct accel_query_region; a region's place
 *	in it is its number
 * @ACCEL_QUERY_IOCTLS: an array of struct accel_query_ioctl, the driver's own
 *	included
 * @ACCEL_QUERY_DRIVER: one struct of the driver's own; EOPNOTSUPP if it has none
 */
enum accel_query_topic {
	ACCEL_QUERY_DEVICE = 1,
	ACCEL_QUERY_ENGINES = 2,
	ACCEL_QUERY_REGIONS = 3,
	ACCEL_QUERY_IOCTLS = 4,
	ACCEL_QUERY_DRIVER = 5
};

/**
 * struct accel_query - ioctl(ACCEL_IOCTL_QUERY)
 * @size: sizeof(struct accel_query)
 * @topic: an enum accel_query_topic; others are EOPNOTSUPP
 * @data_ptr: where the answer goes; unused where @data_size is 0
 * @data_size: in, the room at @data_ptr in bytes; out, the size of the whole
 *	answer. The kernel writes the smaller of the two. So a first call with 0
 *	tells the room that a second one needs
 * @stride: out, the size of an element of the answer as this kernel knows it. An
 *	array is to be walked with this stride and not with sizeof
 * @count: out, number of elements in the whole answer
 * @reserved: must be 0
 */
struct accel_query {
	__u32 size;
	__u32 topic;
	__u64 data_ptr;
	__u32 data_size;
	__u32 stride;
	__u32 count;
	__u32 reserved;
};

#define ACCEL_NAME_SIZE			32

/* struct accel_query_device.flags: no hardware under it, numbered from 128 */
#define ACCEL_DEVICE_VIRTUAL		(1U << 0)

/**
 * struct accel_query_device - answer to ACCEL_QUERY_DEVICE
 * @driver: name of the driver, NUL-terminated
 * @bus_id: name of the parent device on its bus, NUL-terminated
 * @flags: ACCEL_DEVICE_*
 * @engine_count: number of engines
 * @region_count: number of memory regions, at least one
 * @cmd_size_max: largest command of one job, in bytes
 * @jobs_max: most jobs that one SUBMIT takes, and that one queue holds at a time:
 *	those whose points are not reached
 * @job_bos_max: most buffers that one job names
 * @points_max: most points that a job waits for, that it signals, and that one
 *	TIMELINE_WAIT takes
 * @timeout_default_ms: time a job may run where its queue does not say, in
 *	milliseconds
 * @timeout_max_ms: longest timeout that a queue may ask for, in milliseconds
 * @queues_max: most queues that an open file has at a time
 */
struct accel_query_device {
	__u8 driver[ACCEL_NAME_SIZE];
	__u8 bus_id[ACCEL_NAME_SIZE];
	__u32 flags;
	__u32 engine_count;
	__u32 region_count;
	__u32 cmd_size_max;
	__u32 jobs_max;
	__u32 job_bos_max;
	__u32 points_max;
	__u32 timeout_default_ms;
	__u32 timeout_max_ms;
	__u32 queues_max;
};

/**
 * struct accel_query_engine - element of the answer to ACCEL_QUERY_ENGINES
 * @name: what the driver calls it, NUL-terminated
 * @depth: number of jobs the hardware holds at a time, at least 1
 * @reserved: 0
 * @jobs: jobs that have left the engine since the device was registered
 * @busy_ns: time the engine had a job, in nanoseconds
 */
struct accel_query_engine {
	__u8 name[ACCEL_NAME_SIZE];
	__u32 depth;
	__u32 reserved;
	__u64 jobs;
	__u64 busy_ns;
};

/* struct accel_query_region.flags: the memory is the device's, not the system's */
#define ACCEL_REGION_LOCAL		(1U << 0)
/*
 * struct accel_query_region.flags: when there is no room, buffers that no job uses are
 * moved to system memory, and back when a job is submitted that uses them, if there is
 * room by then; else it uses them where they are. Contents and mappings stay as they
 * are. In system memory they are charged to whoever created them; where that is more
 * than the limit allows they are not moved. ENOSPC means that all that is there is in
 * use, or cannot be moved, or is less than what is asked for.
 */
#define ACCEL_REGION_EVICTS		(1U << 1)

/**
 * struct accel_query_region - element of the answer to ACCEL_QUERY_REGIONS
 * @name: what the driver calls it, NUL-terminated; region 0 is "system"
 * @flags: ACCEL_REGION_*
 * @reserved: 0
 * @total: size in bytes; 0 where nothing but the system's memory limits it
 * @used: bytes in use by all clients
 */
struct accel_query_region {
	__u8 name[ACCEL_NAME_SIZE];
	__u32 flags;
	__u32 reserved;
	__u64 total;
	__u64 used;
};

/**
 * struct accel_query_ioctl - element of the answer to ACCEL_QUERY_IOCTLS
 * @nr: number of the ioctl
 * @arg_size: size of its argument as this kernel knows it, in bytes
 */
struct accel_query_ioctl {
	__u32 nr;
	__u32 arg_size;
};

/**
 * struct accel_destroy - ioctl(ACCEL_IOCTL_DESTROY)
 * @size: sizeof(struct accel_destroy)
 * @id: id of any kind; it is free for reuse when the call returns
 *
 * A buffer lives on while mapped or used by a job. A queue's jobs are cancelled,
 * the running ones aborted, before the call returns; its timeline has an id of
 * its own and stays. A timeline of the client's own is closed when the last id or
 * file descriptor with the right to signal it is gone, wherever that is: points that
 * jobs have promised are still reached, and others count as reached, with -ECANCELED.
 */
struct accel_destroy {
	__u32 size;
	__u32 id;
};

/**
 * struct accel_client_name - ioctl(ACCEL_IOCTL_CLIENT_NAME)
 * @size: sizeof(struct accel_client_name)
 * @name_size: bytes at @name_ptr without a terminating NUL, 1 to
 *	ACCEL_NAME_SIZE - 1
 * @name_ptr: printable ASCII without spaces at either end
 *
 * The label under which the open file is shown to an administrator, in
 * /proc/<pid>/fdinfo. Setting it again replaces it.
 */
struct accel_client_name {
	__u32 size;
	__u32 name_size;
	__u64 name_ptr;
};

/**
 * struct accel_bo_create - ioctl(ACCEL_IOCTL_BO_CREATE)
 * @size: sizeof(struct accel_bo_create)
 * @flags: must be 0; any other is EOPNOTSUPP
 * @length: in, bytes wanted, not 0; out, rounded up to whole pages
 * @region: memory region; a number the device does not have is EINVAL, a full
 *	region ENOSPC
 * @id: out, the buffer
 * @mmap_offset: out, offset at which the file can be mapped to see the buffer,
 *	above 4 GiB: 32-bit callers use mmap64(). Only MAP_SHARED
 *
 * A buffer reads as zeros until something is written to it. Its memory is provided,
 * and charged, when it is first touched or used by a job: a SUBMIT that cannot
 * have it is ENOMEM, a touch SIGBUS. More than the system has is ENOMEM here.
 */
struct accel_bo_create {
	__u32 size;
	__u32 flags;
	__u64 length;
	__u32 region;
	__u32 id;
	__u64 mmap_offset;
};

/* struct accel_bo_userptr.flags: jobs may write the memory */
#define ACCEL_USERPTR_WRITE		(1U << 0)

/**
 * struct accel_bo_userptr - ioctl(ACCEL_IOCTL_BO_USERPTR)
 * @size: sizeof(struct accel_bo_userptr)
 * @flags: ACCEL_USERPTR_WRITE, for which the memory has to be writable; without it
 *	the id cannot be used to write: EACCES
 * @addr: of the caller's memory; not at a page's beginning is EINVAL
 * @length: in bytes, not 0; not whole pages is EINVAL
 * @id: out, the buffer
 * @reserved: must be 0
 *
 * A buffer in memory that the caller has: nothing is copied. The memory is pinned
 * until the buffer is freed, whatever the caller maps there meanwhile, and counted
 * as pinned by the process that made the call: beyond RLIMIT_MEMLOCK it is ENOMEM,
 * except with CAP_IPC_LOCK. Such a buffer cannot be exported: EOPNOTSUPP; nor mapped
 * by way of the device: its offset in BO_INFO is 0. A device that does not reach all
 * of the system's memory, by itself or by way of an IOMMU, has none: EOPNOTSUPP. What
 * is not mapped, not with this right, or not memory, such as another buffer's mapping,
 * is EFAULT.
 */
struct accel_bo_userptr {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u64 length;
	__u32 id;
	__u32 reserved;
};

/**
 * struct accel_bo_import - ioctl(ACCEL_IOCTL_BO_IMPORT)
 * @size: sizeof(struct accel_bo_import)
 * @fd: a dma-buf, of whoever; anything else is EBADF
 * @flags: must be 0; any other is EOPNOTSUPP
 * @id: out, the buffer. It may be written if the dma-buf may: if its fd is open
 *	for writing
 * @length: out, in bytes; a dma-buf that is not of whole pages is EINVAL
 * @mmap_offset: out, as in struct accel_bo_create, or 0 if it is out of reach for
 *	a 32-bit caller, who may map the dma-buf instead
 *
 * The memory stays its exporter's: nothing is copied, nobody is charged, and a
 * mapping is what the exporter makes of it, EOPNOTSUPP if he makes none. A dma-buf
 * that was exported from the same device gives the buffer that it was exported from,
 * one that is imported already the same buffer again. Either way the id is a new
 * one. It does not need @fd any more.
 *
 * What cannot work is EOPNOTSUPP: a device that does not reach all of the system's
 * memory, by itself or by way of an IOMMU, or does not take segments as long as the
 * exporter's, or one in software for which there is no address. It is EACCES if that
 * takes the right to write. Other errors are the exporter's. 2048 ids of one buffer
 * are the most: ENOSPC.
 */
struct accel_bo_import {
	__u32 size;
	__s32 fd;
	__u32 flags;
	__u32 id;
	__u64 length;
	__u64 mmap_offset;
};

/* struct accel_bo_export.flags: others may write the buffer */
#define ACCEL_EXPORT_WRITE		(1U << 0)

/**
 * struct accel_bo_export - ioctl(ACCEL_IOCTL_BO_EXPORT)
 * @size: sizeof(struct accel_bo_export)
 * @id: the buffer
 * @flags: ACCEL_EXPORT_WRITE, which takes an id that may be written: EACCES; or 0,
 *	and nobody can write through the dma-buf, whether device, process or kernel
 * @fd: out, a dma-buf, close-on-exec
 *
 * The buffer's memory is provided, and charged, now. A buffer has one dma-buf for
 * writing and one for reading only: exporting it again gives a new fd for the same.
 * An import gives the dma-buf that it came from, and with other rights than that
 * one's EOPNOTSUPP. So is memory of the device's own.
 *
 * No fd is EMFILE or ENFILE.
 */
struct accel_bo_export {
	__u32 size;
	__u32 id;
	__u32 flags;
	__s32 fd;
};

/* struct accel_bo_info.flags: the memory is that of a dma-buf of somebody else's */
#define ACCEL_BO_IMPORTED		(1U << 0)
/* struct accel_bo_info.flags: this id cannot be used to write */
#define ACCEL_BO_READ_ONLY		(1U << 1)
/* struct accel_bo_info.flags: it is in system memory now, see ACCEL_REGION_EVICTS */
#define ACCEL_BO_EVICTED		(1U << 2)

/**
 * struct accel_bo_info - ioctl(ACCEL_IOCTL_BO_INFO)
 * @size: sizeof(struct accel_bo_info)
 * @id: the buffer
 * @length: out, in bytes
 * @region: out, memory region it was created in; 0 for an import
 * @flags: out, ACCEL_BO_IMPORTED, ACCEL_BO_READ_ONLY, ACCEL_BO_EVICTED
 * @mmap_offset: out, as in struct accel_bo_create or struct accel_bo_import; 0 for
 *	memory of the caller's own
 */
struct accel_bo_info {
	__u32 size;
	__u32 id;
	__u64 length;
	__u32 region;
	__u32 flags;
	__u64 mmap_offset;
};

/* struct accel_bo_sync.flags: at least one of READ and WRITE */
#define ACCEL_SYNC_READ			(1U << 0)
#define ACCEL_SYNC_WRITE		(1U << 1)
#define ACCEL_SYNC_END			(1U << 2)

/**
 * struct accel_bo_sync - ioctl(ACCEL_IOCTL_BO_SYNC)
 * @size: sizeof(struct accel_bo_sync)
 * @id: the buffer
 * @flags: ACCEL_SYNC_READ and ACCEL_SYNC_WRITE say what the CPU is about to do,
 *	or with ACCEL_SYNC_END has done; ACCEL_SYNC_WRITE is EACCES for an id that
 *	cannot be used to write, unless it is the caller's own memory
 * @reserved: must be 0
 * @deadline_ns: how long to wait for the device, see the section on time; not
 *	used with ACCEL_SYNC_END
 *
 * Brackets access through a mapping. The first call waits until the jobs that
 * were accepted with this buffer are done: those that write it, before the CPU
 * reads; all, before it writes; then makes what they wrote visible. The second,
 * with ACCEL_SYNC_END, makes what the CPU wrote visible to jobs submitted
 * later; it does not have to follow a first, if the CPU only writes and knows
 * the device to be done. ETIME if the device still uses the buffer at the deadline.
 * Whether its jobs succeeded, their points tell. Jobs that are held (see struct
 * accel_submit) are not waited for. If the buffer is shared by a dma-buf, work of
 * other devices is waited for as well as jobs are; for an import the exporter is asked
 * after that, who may wait for work that came in meanwhile, without a deadline.
 *
 * It is always the whole buffer that is synchronised. Where caches are not coherent, or
 * DMA goes by way of bounce buffers, threads and devices that use parts of it at the
 * same time disturb each other: what the CPU has written and not yet given away with
 * ACCEL_SYNC_END may be lost when another thread, or another device that has the buffer,
 * begins or ends an access, and so may what a job writes during an ACCEL_SYNC_END.
 * What the CPU does for a job, as for each of vaccel's and for edu's factorials, is the
 * CPU's as well: there it takes an ACCEL_SYNC_END before DMA may use the buffer.
 */
struct accel_bo_sync {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 reserved;
	__s64 deadline_ns;
};

/**
 * enum accel_bo_advice - what a client says of the contents of a buffer
 * @ACCEL_ADVISE_WILLNEED: they matter, as those of a new buffer do
 * @ACCEL_ADVISE_DONTNEED: they may be lost, and the memory be used for something else
 */
enum accel_bo_advice {
	ACCEL_ADVISE_WILLNEED = 1,
	ACCEL_ADVISE_DONTNEED = 2
};

/**
 * struct accel_bo_advise - ioctl(ACCEL_IOCTL_BO_ADVISE)
 * @size: sizeof(struct accel_bo_advise)
 * @id: the buffer, by an id that may write: EACCES
 * @advice: an enum accel_bo_advice; others are EOPNOTSUPP
 * @retained: out, 1 if the contents are there, 0 if they were lost
 *
 * While a buffer is not needed, its memory is taken when the system is short of it.
 * Nothing may use it then: a buffer in the list of a job that has not ended, or with
 * a dma-buf that anybody has, is EBUSY here; and SUBMIT and BO_EXPORT are EBUSY,
 * until ACCEL_ADVISE_WILLNEED. A mapping shows the contents while they are there, and
 * is SIGBUS where they are lost, or never had memory. A buffer that is needed again,
 * and whose contents were lost, is like a new one: zeroes. Only memory of region 0
 * can be done without, otherwise EOPNOTSUPP.
 */
struct accel_bo_advise {
	__u32 size;
	__u32 id;
	__u32 advice;
	__u32 retained;
};

/**
 * struct accel_queue_create - ioctl(ACCEL_IOCTL_QUEUE_CREATE)
 * @size: sizeof(struct accel_queue_create)
 * @flags: must be 0; any other is EOPNOTSUPP
 * @engine: number of the engine, EINVAL if the device has none of that number
 * @priority: must be 0; any other is EOPNOTSUPP
 * @vm: must be 0, no address space of its own; no other id exists: ENOENT
 * @timeout_ms: how long a job may run, in milliseconds, at most the device's
 *	limit; 0 takes the device's default
 * @payload_ptr: what the driver wants to know of a queue; its header says what
 * @payload_size: bytes at @payload_ptr; 0 if the driver asks for nothing
 * @id: out, the queue
 * @timeline: out, the timeline whose points are the queue's jobs. It can be
 *	waited for and queried, but signalled only by jobs that end: EPERM
 * @point_offset: out, offset at which the file can be mapped, MAP_SHARED and for
 *	reading only, to see a struct accel_point_page
 * @reserved: must be 0
 *
 * More queues at a time than the device's limit are ENOSPC.
 */
struct accel_queue_create {
	__u32 size;
	__u32 flags;
	__u32 engine;
	__s32 priority;
	__u32 vm;
	__u32 timeout_ms;
	__u64 payload_ptr;
	__u32 payload_size;
	__u32 reserved;
	__u32 id;
	__u32 timeline;
	__u64 point_offset;
};

/**
 * struct accel_point_page - how far the jobs of a queue have come
 * @completed: newest point that is reached; all before it are
 * @failed: how many of them failed; what is counted here has been added before
 *	@completed is advanced
 *
 * The kernel writes while the client reads: load @completed with acquire semantics,
 * then @failed. If that is not 0, ACCEL_IOCTL_TIMELINE_QUERY tells which. Where a
 * load of 64 bits is two, load until two results agree. The page can be mapped for
 * as long as the queue or its timeline has an id, and a mapping goes on showing what
 * was last written when the device is gone.
 */
struct accel_point_page {
	__u64 completed;
	__u64 failed;
};

/**
 * struct accel_queue_info - ioctl(ACCEL_IOCTL_QUEUE_INFO)
 * @size: sizeof(struct accel_queue_info)
 * @id: the queue
 * @engine: out, number of its engine
 * @timeline: out, id of its timeline as QUEUE_CREATE gave it
 * @timeout_ms: out, in milliseconds
 * @status: out, 0, or -EIO if the queue is lost: a job ran into its timeout, and
 *	SUBMIT answers EIO until the queue is destroyed
 * @submitted: out, jobs accepted so far; the newest point
 * @completed: out, jobs that have ended, with or without success
 * @failed: out, those among them that failed or were cancelled
 * @busy_ns: out, time the engine spent on the queue's jobs, in nanoseconds
 */
struct accel_queue_info {
	__u32 size;
	__u32 id;
	__u32 engine;
	__u32 timeline;
	__u32 timeout_ms;
	__s32 status;
	__u64 submitted;
	__u64 completed;
	__u64 failed;
	__u64 busy_ns;
};

/* struct accel_point.flags: the point is a sync_file's fence. Only in a job's waits */
#define ACCEL_POINT_SYNC_FILE		(1U << 0)

/**
 * struct accel_point - a point on a timeline
 * @timeline: id of the timeline; with ACCEL_POINT_SYNC_FILE a file descriptor of a
 *	sync_file, EBADF if it is none
 * @flags: ACCEL_POINT_SYNC_FILE where a job waits, otherwise must be 0; any other
 *	is EOPNOTSUPP
 * @value: the point; 0 has always been reached. With ACCEL_POINT_SYNC_FILE must
 *	be 0
 */
struct accel_point {
	__u32 timeline;
	__u32 flags;
	__u64 value;
};

/* struct accel_submit_bo.flags: at least one of READ and WRITE */
#define ACCEL_BO_READ			(1U << 0)
#define ACCEL_BO_WRITE			(1U << 1)
#define ACCEL_BO_NO_IMPLICIT		(1U << 2)

/**
 * struct accel_submit_bo - a buffer that a job uses
 * @id: the buffer
 * @flags: ACCEL_BO_READ, ACCEL_BO_WRITE or both; the latter is EACCES for an id
 *	that cannot be used to write. ACCEL_BO_NO_IMPLICIT: the client knows the order
 *
 * A job starts when every earlier job that writes the buffer is done, and, if it
 * writes itself, every earlier one that reads it. That includes work of other
 * devices that have the buffer by a dma-buf. With ACCEL_BO_NO_IMPLICIT it does not
 * wait for any of them; those that come later still wait for it, unless they say so
 * too. Naming a buffer twice in a job, be it by two ids, is EINVAL. Commands name a
 * buffer by its place in the list.
 */
struct accel_submit_bo {
	__u32 id;
	__u32 flags;
};

/* struct accel_submit_job.flags: a wait that failed cancels the job */
#define ACCEL_JOB_CANCEL_ON_ERROR	(1U << 0)

/**
 * struct accel_submit_job - a job
 * @cmd_ptr: the command, in the format of the driver
 * @cmd_size: bytes at @cmd_ptr
 * @flags: ACCEL_JOB_*
 * @bos_ptr: array of struct accel_submit_bo
 * @bo_count: number of elements at @bos_ptr
 * @bo_stride: size of an element at @bos_ptr, not looked at where the count is 0
 * @waits_ptr: array of struct accel_point: the job starts when all are reached. A
 *	sync_file is reached when its fence signals; it may be closed as soon as the
 *	job is accepted
 * @wait_count: number of elements at @waits_ptr
 * @wait_stride: size of an element at @waits_ptr, as above
 * @signals_ptr: array of struct accel_point that are reached when the job has
 *	ended. A value at or below the highest that was ever promised on its
 *	timeline is EINVAL, a queue's timeline EPERM; EAGAIN while 4096 points
 *	that jobs or imported fences have promised on the timeline are not reached
 * @signal_count: number of elements at @signals_ptr
 * @signal_stride: size of an element at @signals_ptr, as above
 *
 * A point that is reached because a job failed counts as reached, and the
 * waiting job runs, unless it has ACCEL_JOB_CANCEL_ON_ERROR. So does a fence that
 * signals with an error.
 */
struct accel_submit_job {
	__u64 cmd_ptr;
	__u32 cmd_size;
	__u32 flags;
	__u64 bos_ptr;
	__u32 bo_count;
	__u32 bo_stride;
	__u64 waits_ptr;
	__u32 wait_count;
	__u32 wait_stride;
	__u64 signals_ptr;
	__u32 signal_count;
	__u32 signal_stride;
};

/**
 * struct accel_submit - ioctl(ACCEL_IOCTL_SUBMIT)
 * @size: sizeof(struct accel_submit)
 * @queue: the queue
 * @flags: must be 0; any other is EOPNOTSUPP
 * @job_count: number of jobs, not 0, at most the device's limit
 * @jobs_ptr: array of struct accel_submit_job
 * @job_stride: size of an element at @jobs_ptr
 * @reserved: must be 0
 * @accepted: out, number of jobs accepted, counted from the first
 * @stop_error: out, 0 if all were, otherwise the negative errno of the first job
 *	that was not; -EINTR if a signal arrived before it was looked at
 * @first_point: out, point of the first accepted job on the queue's timeline; the
 *	others follow, one by one
 *
 * Jobs of a queue run in order. Each job is accepted whole or not at all. If the
 * first is not, the call fails with its error and nothing has changed; if a
 * later one is not, or a signal arrives after the first, the call succeeds and
 * says how far it came.
 *
 * A job may wait for a point that nobody has promised yet. Until each of its waits
 * is reached, or promised by a job that is not itself so waiting or for a fence, the
 * job is held, and so are the jobs behind it in the queue: buffers are not yet
 * ordered with respect to it.
 *
 * Of each queue, each timeline and each context of other drivers' fences that has used
 * its buffers a job waits for the last that is in its way. More than 1024 of these
 * are EAGAIN; a job that was held ends with that.
 */
struct accel_submit {
	__u32 size;
	__u32 queue;
	__u32 flags;
	__u32 job_count;
	__u64 jobs_ptr;
	__u32 job_stride;
	__u32 reserved;
	__u32 accepted;
	__s32 stop_error;
	__u64 first_point;
};

/**
 * struct accel_timeline_create - ioctl(ACCEL_IOCTL_TIMELINE_CREATE)
 * @size: sizeof(struct accel_timeline_create)
 * @flags: must be 0; any other is EOPNOTSUPP
 * @value: every point up to this one counts as reached
 * @reserved: must be 0
 * @id: out, the timeline
 */
struct accel_timeline_create {
	__u32 size;
	__u32 flags;
	__u64 value;
	__u32 reserved;
	__u32 id;
};

/**
 * struct accel_timeline_signal - ioctl(ACCEL_IOCTL_TIMELINE_SIGNAL)
 * @size: sizeof(struct accel_timeline_signal)
 * @id: a timeline that is not a queue's
 * @value: point to signal. At or below the highest that was ever promised it is
 *	EINVAL. It is reached when every lower point that was promised is
 */
struct accel_timeline_signal {
	__u32 size;
	__u32 id;
	__u64 value;
};

/* Status of a point: negative errno, or one of these */
#define ACCEL_POINT_DONE		0
#define ACCEL_POINT_PENDING		1

/**
 * struct accel_timeline_query - ioctl(ACCEL_IOCTL_TIMELINE_QUERY)
 * @size: sizeof(struct accel_timeline_query)
 * @id: the timeline
 * @value: a point to ask about
 * @status: out, status of that point
 * @reserved: must be 0
 * @completed: out, highest point reached; all below it are
 * @promised: out, highest point that was signalled, or promised by a job or for a
 *	fence
 */
struct accel_timeline_query {
	__u32 size;
	__u32 id;
	__u64 value;
	__s32 status;
	__u32 reserved;
	__u64 completed;
	__u64 promised;
};

/* struct accel_timeline_wait.flags: wait for all points, not for any one */
#define ACCEL_WAIT_ALL			(1U << 0)

/**
 * struct accel_timeline_wait - ioctl(ACCEL_IOCTL_TIMELINE_WAIT)
 * @size: sizeof(struct accel_timeline_wait)
 * @flags: ACCEL_WAIT_*
 * @points_ptr: array of struct accel_point
 * @count: number of elements at @points_ptr, not 0, at most the device's limit
 * @stride: size of an element at @points_ptr
 * @deadline_ns: see the section on time
 * @statuses_ptr: 0, or an array of __s32 that receives the status of each point,
 *	ACCEL_POINT_PENDING for one that was not waited for to the end
 * @index: out, the first point in the array that is reached
 * @status: out, 0, or the first negative status in the array
 *
 * Returns 0 when the points have been reached, by success or by failure: which of
 * the two, the statuses say. A point may be waited for before it is promised. One
 * that nobody can promise any more, since its queue is destroyed, is reached with
 * the status -ECANCELED. As nothing is written on ETIME, what is missing then is
 * for ACCEL_IOCTL_TIMELINE_QUERY to tell.
 */
struct accel_timeline_wait {
	__u32 size;
	__u32 flags;
	__u64 points_ptr;
	__u32 count;
	__u32 stride;
	__s64 deadline_ns;
	__u64 statuses_ptr;
	__u32 index;
	__s32 status;
};

/**
 * enum accel_timeline_fd_type - what a timeline, or a point on it, can be elsewhere
 * @ACCEL_FD_SYNC_FILE: the fence of a point, which other drivers understand, see
 *	<linux/sync_file.h>
 * @ACCEL_FD_EVENTFD: an eventfd(2) that hears of a point
 * @ACCEL_FD_TIMELINE: the timeline itself, for another open file, process or device of
 *	this interface
 */
enum accel_timeline_fd_type {
	ACCEL_FD_SYNC_FILE = 1,
	ACCEL_FD_EVENTFD = 2,
	ACCEL_FD_TIMELINE = 3
};

/* struct accel_timeline_export.flags: who gets the fd may signal the timeline */
#define ACCEL_TIMELINE_SIGNAL_RIGHT	(1U << 0)

/**
 * struct accel_timeline_export - ioctl(ACCEL_IOCTL_TIMELINE_EXPORT)
 * @size: sizeof(struct accel_timeline_export)
 * @id: the timeline
 * @value: the point; must be 0 for ACCEL_FD_TIMELINE
 * @type: enum accel_timeline_fd_type; others are EOPNOTSUPP
 * @flags: for ACCEL_FD_TIMELINE 0 or ACCEL_TIMELINE_SIGNAL_RIGHT, which is EPERM for a
 *	queue's timeline and EACCES if the id may not signal; any other is EOPNOTSUPP
 * @fd: for ACCEL_FD_EVENTFD in, the eventfd, EBADF if it is none; otherwise out, a new
 *	file descriptor, close-on-exec
 * @reserved: must be 0
 *
 * ACCEL_FD_SYNC_FILE: the sync_file signals when the point is reached, with the point's
 * error if it failed. Others may wait for it without the caller's doing, so it has
 * to signal in bounded time: as long as nobody has promised the point, or only a job
 * that is held has, or anything below it is promised by a held job (see struct
 * accel_submit), it is EAGAIN. A point that is reached gives a sync_file that has
 * signalled. What SUBMIT accepts is a point of its queue: this is how to get a sync_file
 * for it.
 *
 * ACCEL_FD_EVENTFD: 1 is added to the eventfd when the point is reached, with success
 * or not; at once if it is. The point need not be promised. It lasts as long as the
 * id: DESTROY, and with it the end of the file, takes it back. At a time 256 are
 * waiting with an id, more are ENOSPC. Nothing is written to the argument.
 *
 * ACCEL_FD_TIMELINE: the fd is for ACCEL_IOCTL_TIMELINE_IMPORT, in whatever process it
 * has come to, and keeps the timeline, and with the right to signal its promises, as
 * an id does.
 */
struct accel_timeline_export {
	__u32 size;
	__u32 id;
	__u64 value;
	__u32 type;
	__u32 flags;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct accel_timeline_import - ioctl(ACCEL_IOCTL_TIMELINE_IMPORT)
 * @size: sizeof(struct accel_timeline_import)
 * @type: ACCEL_FD_SYNC_FILE or ACCEL_FD_TIMELINE; others are EOPNOTSUPP
 * @fd: a file descriptor of that kind, EBADF if it is none
 * @flags: must be 0; any other is EOPNOTSUPP
 * @value: for ACCEL_FD_SYNC_FILE the point; for ACCEL_FD_TIMELINE must be 0
 * @id: for ACCEL_FD_SYNC_FILE in, a timeline that may be signalled with this id: EPERM
 *	for a queue's, EACCES without the right; for ACCEL_FD_TIMELINE out, the
 *	timeline
 * @reserved: must be 0
 *
 * ACCEL_FD_SYNC_FILE: promises the point, which is reached when the fence signals, and
 * has failed with the fence's error if that did. Errors are those of a job that
 * promises a point. If the id is destroyed before, the point fails with ECANCELED, and
 * if the timeline's device goes, with ENODEV. The fd may be closed at once. Nothing
 * is written to the argument.
 *
 * ACCEL_FD_TIMELINE: the id stands for the timeline that was exported, which may be
 * that of another device, and may signal if the fd may. Every import gives
 * an id of its own.
 */
struct accel_timeline_import {
	__u32 size;
	__u32 type;
	__s32 fd;
	__u32 flags;
	__u64 value;
	__u32 id;
	__u32 reserved;
};

#endif /* _UAPI_LINUX_ACCEL_H */
