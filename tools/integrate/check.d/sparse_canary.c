// SPDX-License-Identifier: GPL-2.0-only
/* Sparse must complain of this, or it has not looked at anything. */
#include <linux/module.h>
#include <linux/uaccess.h>

int accel_sparse_canary(int __user *pointer);

int accel_sparse_canary(int __user *pointer)
{
	return *pointer;
}

MODULE_DESCRIPTION("Canary of make check");
MODULE_LICENSE("GPL");
