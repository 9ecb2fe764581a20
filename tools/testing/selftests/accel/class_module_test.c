// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules of the two subsystems that share /dev/accel, loaded and unloaded in
 * either order, and what keeps them; and all the numbers that there are.
 */
#include "class.h"

#define NATIVE_MODULES	"accel_edu accel_vaccel"

FIXTURE(modules)
{
	bool mini;		/* the driver of the guide was loaded */
	struct plug native;
	int native_fd;
	int drm_fd;
};

FIXTURE_VARIANT(modules)
{
	bool drm_first;		/* to be loaded */
	bool drm_last;		/* to be unloaded */
};

FIXTURE_VARIANT_ADD(modules, drm_inside) { false, false };
FIXTURE_VARIANT_ADD(modules, native_then_drm) { false, true };
FIXTURE_VARIANT_ADD(modules, drm_then_native) { true, false };
FIXTURE_VARIANT_ADD(modules, native_inside) { true, true };

/* With those of its drivers that other tests have loaded. */
static int drm_remove(void)
{
	return modules_remove("-q vgem vkms virtio_gpu " DRM_MODULE) ?:
	       modules_remove("-q drm");
}

static int natives_remove(bool *mini)
{
	*mini = module_is_there("accel_mini");
	if (*mini && module_unload("accel_mini"))
		return -EBUSY;
	return modules_remove(NATIVE_MODULES);
}

/* The owner of /dev/accel goes when nobody has anything in there. */
static int class_remove(void)
{
	return modules_remove("-q accel_class") ?:
	       module_is_there("accel_class") ? -EBUSY : 0;
}

static int mini_restore(void)
{
	const char *path = getenv("ACCEL_MINI");
	int fd, ret;

	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return -ENOENT;
	ret = module_load(fd);
	close(fd);
	return ret;
}

FIXTURE_SETUP(modules)
{
	self->native_fd = -1;
	if (!module_is_there("accel"))
		SKIP(return, "no modules: they are NOT unloaded");
	ASSERT_EQ(0, census_total());
	if (load_module(DRM_MODULE) || !module_is_there("drm"))
		SKIP(return, "no modules of DRM: they are NOT unloaded");
	drm_remove();
	if (module_is_there("drm"))
		SKIP(return, "somebody else needs drm: it is NOT unloaded");
	self->native_fd = 0;
	ASSERT_EQ(0, natives_remove(&self->mini));
	EXPECT_FALSE(module_is_there("accel"));
	EXPECT_EQ(0, class_remove());
}

FIXTURE_TEARDOWN(modules)
{
	if (self->native_fd < 0)
		return;
	EXPECT_EQ(0, load_module("accel_edu"));
	EXPECT_EQ(0, load_module("accel_vaccel"));
	if (self->mini)
		EXPECT_EQ(0, mini_restore());
	EXPECT_EQ(0, census_total());
}

static void load(struct __test_metadata *_metadata, bool drm)
{
	if (drm) {
		ASSERT_EQ(0, load_module(DRM_MODULE));
		return;
	}
	ASSERT_EQ(0, load_module("accel_edu"));
	ASSERT_EQ(0, load_module("accel_vaccel"));
}

static void open_both(struct __test_metadata *_metadata,
		      FIXTURE_DATA(modules) *self)
{
	struct plug drm;

	ASSERT_EQ(0, plug_find_vaccel(&self->native));
	EXPECT_EQ(FIRST_VIRTUAL, plug_minor(&self->native));
	self->native_fd = minor_open(plug_minor(&self->native));
	ASSERT_LE(0, self->native_fd);
	ASSERT_EQ(0, plug_find_drm(&drm, 0));
	self->drm_fd = minor_open(plug_minor(&drm));
	ASSERT_LE(0, self->drm_fd);
	EXPECT_EQ(0, is_native(self->native_fd, &self->native));
	EXPECT_EQ(0, is_drm(self->drm_fd, DRM_MODULE));
}

/* A file keeps the core; it keeps a driver of DRM, but none of ours. */
static void unload_natives(struct __test_metadata *_metadata,
			   FIXTURE_DATA(modules) *self)
{
	EXPECT_EQ(0, module_unload("accel_edu"));
	EXPECT_EQ(0, module_unload("accel_vaccel"));
	EXPECT_EQ(-ENODEV, is_native(self->native_fd, &self->native));
	EXPECT_EQ(-EWOULDBLOCK, module_unload("accel"));
	EXPECT_EQ(-EWOULDBLOCK, module_unload("accel_class"));
	EXPECT_EQ(0, close(self->native_fd));
	EXPECT_EQ(0, census_total());
	EXPECT_EQ(0, module_unload("accel"));
}

static void unload_drm(struct __test_metadata *_metadata,
		       FIXTURE_DATA(modules) *self)
{
	struct plug drm;

	EXPECT_EQ(-EWOULDBLOCK, module_unload(DRM_MODULE));
	EXPECT_EQ(-EWOULDBLOCK, module_unload("drm"));
	EXPECT_EQ(-EWOULDBLOCK, module_unload("accel_class"));
	EXPECT_EQ(0, is_drm(self->drm_fd, DRM_MODULE));

	ASSERT_EQ(0, plug_find_drm(&drm, 0));
	ASSERT_EQ(0, unplug(&drm, UNBIND));
	EXPECT_EQ(-ENODEV, is_drm(self->drm_fd, DRM_MODULE));
	EXPECT_EQ(-EWOULDBLOCK, module_unload(DRM_MODULE));
	EXPECT_EQ(0, close(self->drm_fd));
	EXPECT_EQ(0, drm_remove());
	EXPECT_FALSE(module_is_there("drm"));
}

TEST_F_TIMEOUT(modules, either_order, LONG_TEST_S)
{
	load(_metadata, variant->drm_first);
	load(_metadata, !variant->drm_first);
	open_both(_metadata, self);
	if (variant->drm_last) {
		unload_natives(_metadata, self);
		EXPECT_EQ(0, is_drm(self->drm_fd, DRM_MODULE));
		unload_drm(_metadata, self);
	} else {
		unload_drm(_metadata, self);
		EXPECT_EQ(0, is_native(self->native_fd, &self->native));
		unload_natives(_metadata, self);
	}
	EXPECT_EQ(0, class_remove());
	tally(1, "orders of loading and unloading");
}

#if __SIZEOF_LONG__ == 8
/* Numbers are the same for all programs, and there are many. */
FIXTURE(numbers)
{
	struct plug vaccel;
	int fd;
};

/* More DRM devices than there are numbers, and one device of ours. */
FIXTURE_SETUP(numbers)
{
	self->fd = -1;
	ASSERT_EQ(0, census_total());
	ASSERT_EQ(0, plug_find_vaccel(&self->vaccel));
	modules_remove("-q " DRM_MODULE);
	if (load_module(DRM_MODULE " devices=260"))
		SKIP(return, NO_DRM_TEST);
	self->fd = 0;
}

FIXTURE_TEARDOWN(numbers)
{
	if (self->fd < 0)
		return;
	EXPECT_EQ(0, modules_remove(DRM_MODULE));
	if (plug_minor(&self->vaccel) < 0)
		EXPECT_EQ(0, plug_in(&self->vaccel, UNBIND));
	EXPECT_EQ(FIRST_VIRTUAL, plug_minor(&self->vaccel));
	EXPECT_EQ(0, census_total());
}

/* The nodes that lead somewhere; with DRM behind them if @drm is not NULL. */
static int count_nodes(int *drm)
{
	int minor, fd, count = 0;

	for (minor = 0; minor <= ACCEL_MINORS; minor++) {
		fd = minor_open(minor);
		if (fd < 0)
			continue;
		count++;
		*drm += !is_drm(fd, DRM_MODULE);
		close(fd);
	}
	return count;
}

/* Hardware that finds no number below takes those of software, which takes none. */
TEST_F_TIMEOUT(numbers, all_are_taken, LONG_TEST_S)
{
	struct plug last, first;
	int drm = 0, fd;

	EXPECT_EQ(ACCEL_MINORS, count_nodes(&drm));
	EXPECT_LT(ACCEL_MINORS - 16, drm);
	EXPECT_EQ(FIRST_VIRTUAL, plug_minor(&self->vaccel));
	ASSERT_EQ(0, plug_find_drm(&first, 0));
	EXPECT_EQ(-ENODEV, plug_find_drm(&last, 259));
	EXPECT_EQ(-ENOSPC, write_file(DRM_DRIVER "/bind", DRM_MODULE ".259"));

	/* The one of vaccel is as good for hardware as any other. */
	ASSERT_EQ(0, unplug(&self->vaccel, UNBIND));
	EXPECT_EQ(0, write_file(DRM_DRIVER "/bind", DRM_MODULE ".259"));
	ASSERT_EQ(0, plug_find_drm(&last, 259));
	EXPECT_EQ(FIRST_VIRTUAL, plug_minor(&last));
	EXPECT_EQ(-ENOSPC, plug_in(&self->vaccel, UNBIND));
	/* A lower number is no use to it. */
	ASSERT_EQ(0, unplug(&first, UNBIND));
	EXPECT_EQ(-ENOSPC, plug_in(&self->vaccel, UNBIND));

	/* Who holds a file of one that has gone holds its number. */
	fd = minor_open(FIRST_VIRTUAL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unplug(&last, UNBIND));
	EXPECT_EQ(-ENOSPC, plug_in(&self->vaccel, UNBIND));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, plug_in(&self->vaccel, UNBIND));
	EXPECT_EQ(FIRST_VIRTUAL, plug_minor(&self->vaccel));
	tally(ACCEL_MINORS, "numbers of nodes");
}
#endif

TEST_HARNESS_MAIN
