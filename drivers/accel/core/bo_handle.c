// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids of buffers. Rights belong to the id: a buffer may have several, of one client
 * and of others who have imported it, and not all of them may write.
 */
#include "accel_internal.h"

#include <linux/slab.h>

static struct accel_bo_handle *obj_to_handle(struct accel_object *obj)
{
	return container_of(obj, struct accel_bo_handle, obj);
}

bool accel_bo_has_ids(struct accel_bo *bo)
{
	guard(spinlock)(&bo->handles_lock);
	return bo->handle_count;
}

/* No more mappings by this id. Those that exist stay, as when a file is closed. */
static void accel_bo_handle_destroy(struct accel_object *obj)
{
	struct accel_bo_handle *handle = obj_to_handle(obj);
	struct accel_bo *bo = handle->bo;

	scoped_guard(spinlock, &bo->handles_lock) {
		list_del(&handle->link);
		bo->handle_count--;
	}
	if (!accel_bo_has_ids(bo))
		accel_export_forget(bo, false);
}

static void accel_bo_handle_release(struct accel_object *obj)
{
	struct accel_bo_handle *handle = obj_to_handle(obj);

	accel_object_put(&handle->bo->obj);
	kfree(handle);
	accel_census_dec(ACCEL_CENSUS_HANDLES);
}

const struct accel_object_type accel_bo_handle_type = {
	.destroy = accel_bo_handle_destroy,
	.release = accel_bo_handle_release,
};

/* Returns a handle without an id, or an ERR_PTR. Takes over the reference to @bo. */
struct accel_bo_handle *accel_bo_handle_create(struct accel_file *file,
					       struct accel_bo *bo,
					       bool may_write)
{
	struct accel_bo_handle *handle;

	handle = kzalloc_obj(*handle, GFP_KERNEL_ACCOUNT);
	if (!handle) {
		accel_object_put(&bo->obj);
		return ERR_PTR(-ENOMEM);
	}

	accel_object_init(&handle->obj, &accel_bo_handle_type);
	handle->bo = bo;
	handle->client = file->id;
	handle->may_write = may_write;
	scoped_guard(spinlock, &bo->handles_lock) {
		if (bo->handle_count < ACCEL_BO_HANDLES_MAX) {
			list_add(&handle->link, &bo->handles);
			bo->handle_count++;
			accel_census_inc(ACCEL_CENSUS_HANDLES);
			return handle;
		}
	}
	kfree(handle);
	accel_object_put(&bo->obj);
	return ERR_PTR(-ENOSPC);
}

/* For a handle that never got an id. */
void accel_bo_handle_end(struct accel_bo_handle *handle)
{
	accel_bo_handle_destroy(&handle->obj);
	accel_object_put(&handle->obj);
}

/* Give @bo an id in the file of @call. Takes over the reference to @bo. */
int accel_bo_give_id(struct accel_ioctl_call *call, struct accel_bo *bo,
		     bool may_write, u32 *id)
{
	struct accel_bo_handle *handle;
	int ret;

	handle = accel_bo_handle_create(call->file, bo, may_write);
	if (IS_ERR(handle))
		return PTR_ERR(handle);

	ret = accel_object_reserve(call, &handle->obj);
	if (ret) {
		accel_bo_handle_end(handle);
		return ret;
	}
	*id = handle->obj.id;
	return 0;
}

static struct accel_bo_handle *accel_bo_handle_get(struct accel_file *file, u32 id)
{
	struct accel_object *obj = accel_object_get(file, id,
						    &accel_bo_handle_type);

	return obj ? obj_to_handle(obj) : NULL;
}

static struct accel_bo *accel_bo_look_up(struct accel_file *file, u32 id,
					 bool write, bool by_cpu)
{
	struct accel_bo_handle *handle = accel_bo_handle_get(file, id);
	struct accel_bo *bo;

	if (!handle)
		return ERR_PTR(-ENOENT);

	bo = handle->bo;
	/* To memory of the client's only jobs may be forbidden to write. */
	if (write && !handle->may_write && !(by_cpu && bo->mm))
		bo = ERR_PTR(-EACCES);
	else
		refcount_inc(&bo->obj.refs);
	accel_object_put(&handle->obj);
	return bo;
}

/*
 * Returns a reference to the buffer that @id stands for, or an ERR_PTR: ENOENT, or
 * EACCES for @write if it may only be read through that id.
 */
struct accel_bo *accel_bo_get(struct accel_file *file, u32 id, bool write)
{
	return accel_bo_look_up(file, id, write, false);
}

/* The same, where it is the client itself that writes. */
struct accel_bo *accel_bo_get_for_cpu(struct accel_file *file, u32 id, bool write)
{
	return accel_bo_look_up(file, id, write, true);
}

/* Whether @file has an id of @bo, and by the best of them @may_write. */
bool accel_bo_has_client(struct accel_bo *bo, struct accel_file *file,
			 bool *may_write)
{
	struct accel_bo_handle *handle;
	bool found = false;

	*may_write = false;
	guard(spinlock)(&bo->handles_lock);
	list_for_each_entry(handle, &bo->handles, link) {
		if (handle->client != file->id)
			continue;
		found = true;
		*may_write |= handle->may_write;
	}
	return found;
}

int accel_bo_info_ioctl(struct accel_ioctl_call *call)
{
	struct accel_bo_info *args = call->arg;
	struct accel_bo_handle *handle;
	struct accel_bo *bo;

	handle = accel_bo_handle_get(call->file, args->id);
	if (!handle)
		return -ENOENT;

	bo = handle->bo;
	args->length = bo->size;
	args->region = bo->region_index;
	args->flags = (bo->dma_buf ? ACCEL_BO_IMPORTED : 0) |
		      (handle->may_write ? 0 : ACCEL_BO_READ_ONLY) |
		      (READ_ONCE(bo->region) == bo->home ? 0 : ACCEL_BO_EVICTED);
	args->mmap_offset = accel_bo_mmap_offset(bo);
	accel_object_put(&handle->obj);
	return 0;
}
