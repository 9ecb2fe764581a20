/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What coccinelle must take for something else, or it passes over the functions that
 * have it.
 */

/* The block is what matters to the rules, not the lock. */
#define scoped_guard(args...)

/* After __free(kfree) it would be a type, but a macro is none. */
#define kfree kfree
