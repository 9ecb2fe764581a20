// SPDX-License-Identifier: GPL-2.0-only
/*
 * The census: how many there are of everything that a client can cause. A test
 * that leaves one behind has failed. Reading it first waits for what is on its way
 * to being freed.
 */
#include "accel_internal.h"

#include <kunit/visibility.h>
#include <linux/accel_class.h>
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>

atomic_long_t accel_census[ACCEL_CENSUS_COUNT];
EXPORT_SYMBOL_IF_KUNIT(accel_census);

static const char * const accel_census_names[ACCEL_CENSUS_COUNT] = {
	[ACCEL_CENSUS_FILES] = "files",
	[ACCEL_CENSUS_BOS] = "bos",
	[ACCEL_CENSUS_MAPPINGS] = "mappings",
	[ACCEL_CENSUS_HANDLES] = "bo_handles",
	[ACCEL_CENSUS_EXPORTS] = "dma_bufs",
	[ACCEL_CENSUS_EXPORT_MAPS] = "dma_buf_maps",
	[ACCEL_CENSUS_ATTACHMENTS] = "attachments",
	[ACCEL_CENSUS_QUEUES] = "queues",
	[ACCEL_CENSUS_TIMELINES] = "timelines",
	[ACCEL_CENSUS_TIMELINE_HANDLES] = "timeline_handles",
	[ACCEL_CENSUS_EVENTFDS] = "eventfds",
	[ACCEL_CENSUS_IMPORTS] = "imported_fences",
	[ACCEL_CENSUS_JOBS] = "jobs",
	[ACCEL_CENSUS_FENCES] = "unsignalled_fences",
	[ACCEL_CENSUS_WAITERS] = "waiters",
	[ACCEL_CENSUS_ORPHANS] = "unregistered_devices",
};

static struct dentry *accel_census_file;

/**
 * accel_census_drain - wait for what is on its way to being freed
 */
void accel_census_drain(void)
{
	synchronize_rcu();
	flush_workqueue(accel_wq);
	/* What tells waiters leaves to another worker what follows from that. */
	flush_workqueue(accel_wq);
	accel_import_drain();
	accel_object_drain();
	/* A dma-buf that a worker has let go of is released by another. */
	flush_delayed_fput();
	rcu_barrier();
}
EXPORT_SYMBOL_IF_KUNIT(accel_census_drain);

static int accel_census_show(struct seq_file *m, void *unused)
{
	int i;

	accel_census_drain();
	for (i = 0; i < ACCEL_CENSUS_COUNT; i++)
		seq_printf(m, "%s %ld\n", accel_census_names[i],
			   atomic_long_read(&accel_census[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(accel_census);

void accel_census_init(void)
{
	accel_census_file = debugfs_create_file("census", 0444,
						accel_debugfs_root(), NULL,
						&accel_census_fops);
}

void accel_census_exit(void)
{
	debugfs_remove(accel_census_file);
}
