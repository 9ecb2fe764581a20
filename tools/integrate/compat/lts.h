/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mainline names for a 6.12 kernel. The native accelerator code is written for
 * mainline and knows nothing of this file; the build includes it in front of
 * every file of core/, edu/ and vaccel/, and of nothing else, since it changes
 * what existing macros take.
 */
#ifndef _ACCEL_COMPAT_H
#define _ACCEL_COMPAT_H

/*
 * <linux/module.h> must come first, for its macros to be replaced below. It
 * brings in printk.h, which would define pr_fmt before the file can. This is
 * the definition that kernel files use, and the same one twice is no error.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

/* Since 6.13 the namespace is a string, before it was a bare word. */
#undef EXPORT_SYMBOL_NS_GPL
#undef MODULE_IMPORT_NS
#define EXPORT_SYMBOL_NS_GPL(sym, ns)	__EXPORT_SYMBOL(sym, "GPL", ns)
#define MODULE_IMPORT_NS(ns)		MODULE_INFO(import_ns, ns)

/* 6.12 cannot tell which module asks for a symbol. */
#define EXPORT_SYMBOL_FOR_MODULES(sym, ...) EXPORT_SYMBOL_GPL(sym)

#define timer_container_of from_timer

/* shmem_file_setup() took VM_* masks before it took flags made of VMA_*_BIT. */
#define VMA_NORESERVE_BIT ilog2(VM_NORESERVE)
#define mk_vma_flags(bit) BIT(bit)

/* What an importer is told, and by which name its exporter tells it. */
#define invalidate_mappings move_notify
#define dma_buf_invalidate_mappings dma_buf_move_notify

#endif /* _ACCEL_COMPAT_H */
