// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids and the lifetime of what they stand for.
 *
 * An id is reserved before its object can be used and published when nothing can
 * fail any more, so nobody finds a half-made object by guessing. An object has
 * a reference for its id and one for whoever uses it; destroying the id ends
 * the first only.
 */
#include "accel_internal.h"

#include <linux/slab.h>

static LLIST_HEAD(accel_object_free_list);

static void accel_object_release(struct accel_object *obj)
{
	obj->type->release(obj);
	/* A client may have made millions. */
	cond_resched();
}

static void accel_object_free_work_fn(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&accel_object_free_list);
	struct accel_object *obj, *next;

	llist_for_each_entry_safe(obj, next, list, free_node)
		accel_object_release(obj);
}

static DECLARE_WORK(accel_object_free_work, accel_object_free_work_fn);

/* Starts with the one reference that accel_object_reserve() gives to the id. */
void accel_object_init(struct accel_object *obj,
		       const struct accel_object_type *type)
{
	refcount_set(&obj->refs, 1);
	obj->type = type;
}

/*
 * Find an id for @obj; it means nothing until the ioctl succeeds, and is given
 * back with the object's reference if the ioctl does not. On an error the
 * reference stays with the caller.
 */
int accel_object_reserve(struct accel_ioctl_call *call, struct accel_object *obj)
{
	struct accel_file *file = call->file;
	int ret;

	ret = xa_alloc(&file->objects, &obj->id, XA_ZERO_ENTRY, xa_limit_31b,
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;

	obj->file = file;
	call->created[call->created_count++] = obj;
	return 0;
}

void accel_object_publish(struct accel_ioctl_call *call)
{
	struct accel_object *obj;
	unsigned int i;

	for (i = 0; i < call->created_count; i++) {
		obj = call->created[i];
		/* The slot is reserved: storing does not allocate. */
		xa_store(&call->file->objects, obj->id, obj, GFP_NOWAIT);
	}
}

static void accel_object_end(struct accel_object *obj)
{
	if (obj->type->destroy)
		obj->type->destroy(obj);
	accel_object_put(obj);
}

void accel_object_abort(struct accel_ioctl_call *call)
{
	struct accel_object *obj;

	while (call->created_count) {
		obj = call->created[--call->created_count];
		xa_erase(&call->file->objects, obj->id);
		accel_object_end(obj);
	}
}

/* Returns a reference, or NULL if @id is not of @type. */
struct accel_object *accel_object_get(struct accel_file *file, u32 id,
				      const struct accel_object_type *type)
{
	struct accel_object *obj;

	xa_lock(&file->objects);
	obj = xa_load(&file->objects, id);
	if (obj && obj->type == type)
		refcount_inc(&obj->refs);
	else
		obj = NULL;
	xa_unlock(&file->objects);
	return obj;
}

void accel_object_put(struct accel_object *obj)
{
	might_sleep();
	if (refcount_dec_and_test(&obj->refs))
		accel_object_release(obj);
}

void accel_object_put_any_context(struct accel_object *obj)
{
	if (!refcount_dec_and_test(&obj->refs))
		return;
	if (llist_add(&obj->free_node, &accel_object_free_list))
		queue_work(system_dfl_wq, &accel_object_free_work);
}

int accel_destroy_ioctl(struct accel_ioctl_call *call)
{
	const struct accel_destroy *args = call->arg;
	struct xarray *objects = &call->file->objects;
	struct accel_object *obj;

	xa_lock(objects);
	obj = xa_load(objects, args->id);
	if (obj)
		__xa_erase(objects, args->id);
	xa_unlock(objects);
	if (!obj)
		return -ENOENT;

	accel_object_end(obj);
	return 0;
}

/* The file is going: nobody else uses its ids. */
void accel_object_destroy_all(struct accel_file *file)
{
	struct accel_object *obj;
	unsigned long id;

	xa_for_each(&file->objects, id, obj) {
		xa_erase(&file->objects, id);
		accel_object_end(obj);
	}
	xa_destroy(&file->objects);
}

/* Wait until what was put in atomic context has been released. */
void accel_object_drain(void)
{
	flush_work(&accel_object_free_work);
}
