// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two subsystems have nodes in /dev/accel: native ones, here vaccel and edu, and DRM's,
 * here those of accel_drm_test. Whatever comes and goes in which order, each answers
 * for itself only, and a number leads to nobody but who it was given to.
 */
#include "class.h"

#define LIST_SIZE	8192

enum { VACCEL, EDU, DRM0, DRM1, DEVICES };

struct device {
	struct plug plug;
	bool drm;
	int minor;
	int fd;
};

FIXTURE(nodes)
{
	struct device dev[DEVICES];
	int edu_minor;		/* before the test */
};

static bool alive(const struct device *dev, int fd)
{
	return !(dev->drm ? is_drm(fd, DRM_MODULE) :
			    is_native(fd, &dev->plug));
}

static bool gone(const struct device *dev)
{
	return (dev->drm ? is_drm(dev->fd, DRM_MODULE) :
			   is_native(dev->fd, &dev->plug)) == -ENODEV;
}

static int device_add(struct device *dev)
{
	int ret = plug_in(&dev->plug, UNBIND);

	if (ret)
		return ret;
	dev->minor = plug_minor(&dev->plug);
	return dev->minor < 0 ? dev->minor : 0;
}

static int device_remove(const struct device *dev)
{
	return unplug(&dev->plug, UNBIND);
}

static int device_open(struct device *dev)
{
	dev->fd = minor_open(dev->minor);
	return dev->fd < 0 ? dev->fd : 0;
}

/* Of DRM's devices there are two, and edu has the number that it came with. */
FIXTURE_SETUP(nodes)
{
	int i;

	modules_remove("-q " DRM_MODULE);
	if (load_module(DRM_MODULE " devices=2"))
		SKIP(return, NO_DRM_TEST);
	if (plug_find_edu(&self->dev[EDU].plug)) {
		modules_remove(DRM_MODULE);
		SKIP(return, "no accel_edu device: start QEMU with -device edu");
	}
	ASSERT_EQ(0, census_total());
	ASSERT_EQ(0, plug_find_vaccel(&self->dev[VACCEL].plug));
	ASSERT_EQ(0, plug_find_drm(&self->dev[DRM0].plug, 0));
	ASSERT_EQ(0, plug_find_drm(&self->dev[DRM1].plug, 1));
	for (i = 0; i < DEVICES; i++) {
		self->dev[i].drm = i >= DRM0;
		self->dev[i].fd = -1;
		self->dev[i].minor = plug_minor(&self->dev[i].plug);
		ASSERT_LE(0, self->dev[i].minor);
	}
	self->edu_minor = self->dev[EDU].minor;
}

/* Everybody is back where he was, and DRM is not there any more. */
FIXTURE_TEARDOWN(nodes)
{
	int i;

	if (!self->dev[DRM0].drm)
		return;
	EXPECT_EQ(0, census_total());
	EXPECT_EQ(0, modules_remove(DRM_MODULE));
	for (i = VACCEL; i <= EDU; i++) {
		if (plug_minor(&self->dev[i].plug) >= 0)
			EXPECT_EQ(0, device_remove(&self->dev[i]));
		EXPECT_EQ(0, device_add(&self->dev[i]));
	}
	EXPECT_EQ(FIRST_VIRTUAL, self->dev[VACCEL].minor);
	EXPECT_EQ(self->edu_minor, self->dev[EDU].minor);
	EXPECT_EQ(0, device_open(&self->dev[VACCEL]));
	EXPECT_EQ(0, engines_flush(self->dev[VACCEL].fd));
	EXPECT_EQ(0, close(self->dev[VACCEL].fd));
	EXPECT_EQ(0, census_total());
}

/* The next order of all, or false after the last, which is the reverse of the first. */
static bool next_order(int order[DEVICES])
{
	int i = DEVICES - 1, j = DEVICES - 1, k;

	while (i > 0 && order[i - 1] > order[i])
		i--;
	if (!i)
		return false;
	while (order[j] < order[i - 1])
		j--;
	k = order[i - 1];
	order[i - 1] = order[j];
	order[j] = k;
	for (j = DEVICES - 1; i < j; i++, j--) {
		k = order[i];
		order[i] = order[j];
		order[j] = k;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* They come one after the other, the first to the lowest number that is free. */
static void add_in_order(struct __test_metadata *_metadata, struct device *dev,
			 const int order[DEVICES], const int free[DEVICES])
{
	int i, next = 0;

	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, device_add(&dev[order[i]]));
		EXPECT_EQ(order[i] == VACCEL ? FIRST_VIRTUAL : free[next++],
			  dev[order[i]].minor);
	}
}

/* Each goes with its file open, and only it. */
static void remove_in_order(struct __test_metadata *_metadata,
			    struct device *dev, const int order[DEVICES])
{
	int i, j;

	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, device_remove(&dev[order[i]]));
		for (j = 0; j < DEVICES; j++) {
			struct device *d = &dev[order[j]];

			EXPECT_EQ(j <= i, gone(d));
			EXPECT_EQ(j > i, alive(d, d->fd));
		}
	}
}

/* All are gone and open: they come back to numbers that none of them had. */
static void add_elsewhere(struct __test_metadata *_metadata,
			  struct device *dev, const int order[DEVICES])
{
	struct device new;
	int i, j, fd;

	for (i = 0; i < DEVICES; i++) {
		new = dev[order[i]];
		ASSERT_EQ(0, device_add(&new));
		for (j = 0; j < DEVICES; j++)
			EXPECT_NE(dev[j].minor, new.minor);
		EXPECT_EQ(order[i] == VACCEL, new.minor >= FIRST_VIRTUAL);
		fd = minor_open(new.minor);
		ASSERT_LE(0, fd);
		EXPECT_TRUE(alive(&new, fd));
		EXPECT_TRUE(gone(&dev[order[i]]));
		EXPECT_EQ(0, close(fd));
	}
}

TEST_F_TIMEOUT(nodes, every_order, LONG_TEST_S)
{
	int order[DEVICES] = { VACCEL, EDU, DRM0, DRM1 }, free[DEVICES], i;
	const int step = rounds(3, 1);
	unsigned long orders = 0;
	bool more = true;

	/* The numbers that hardware shares out among itself; the last is no such. */
	for (i = 0; i < DEVICES; i++) {
		free[i] = self->dev[i].minor;
		ASSERT_EQ(0, device_remove(&self->dev[i]));
	}
	qsort(free, DEVICES, sizeof(free[0]), compare);
	do {
		add_in_order(_metadata, self->dev, order, free);
		for (i = 0; i < DEVICES; i++)
			ASSERT_EQ(0, device_open(&self->dev[i]));
		remove_in_order(_metadata, self->dev, order);
		add_elsewhere(_metadata, self->dev, order);
		for (i = 0; i < DEVICES; i++) {
			EXPECT_EQ(0, close(self->dev[order[i]].fd));
			ASSERT_EQ(0, device_remove(&self->dev[i]));
		}
		EXPECT_EQ(0, census_total());
		orders++;
		for (i = 0; more && i < step; i++)
			more = next_order(order);
	} while (more);
	EXPECT_EQ(24 / step, orders);
	tally(orders, "orders of native and DRM devices");
}

/* Ours has no size in it, one of DRM has. */
static void expect_no_ioctl(struct __test_metadata *_metadata, int fd,
			    unsigned int letter)
{
	__u64 arg[32] = {};
	int nr;

	for (nr = 0; nr < 256; nr++) {
		EXPECT_EQ(-ENOTTY, accel_ioctl(fd, _IO(letter, nr), arg)) {
			TH_LOG("letter %#x, number %#x", letter, nr);
		}
		EXPECT_EQ(-ENOTTY,
			  accel_ioctl(fd, _IOWR(letter, nr, __u64), arg)) {
			TH_LOG("letter %#x, number %#x", letter, nr);
		}
	}
}

/* Whatever the number, in the other's letter it is nothing to them. */
TEST_F_TIMEOUT(nodes, answer_their_own_ioctls, LONG_TEST_S)
{
	const unsigned int ours = _IOC_TYPE(ACCEL_IOCTL_QUERY);
	struct drm_version version = {};
	struct device *dev;

	for (dev = self->dev; dev < self->dev + DEVICES; dev++) {
		ASSERT_EQ(0, device_open(dev));
		expect_no_ioctl(_metadata, dev->fd,
				dev->drm ? ours : DRM_IOCTL_BASE);
		EXPECT_EQ(dev->drm ? 0 : -ENOTTY,
			  accel_ioctl(dev->fd, DRM_IOCTL_VERSION, &version));
		EXPECT_TRUE(alive(dev, dev->fd));
		EXPECT_EQ(0, close(dev->fd));
	}
}

/* A file of DRM's has no master here, and what needs one says so. */
TEST_F_TIMEOUT(nodes, drm_has_no_master, LONG_TEST_S)
{
	struct device *drm = &self->dev[DRM0];
	struct drm_unique unique = {};
	struct drm_auth auth = {};

	ASSERT_EQ(0, device_open(drm));
	EXPECT_EQ(-EACCES, accel_ioctl(drm->fd, DRM_IOCTL_GET_MAGIC, &auth));
	EXPECT_EQ(-EACCES, accel_ioctl(drm->fd, DRM_IOCTL_GET_UNIQUE, &unique));
	EXPECT_TRUE(alive(drm, drm->fd));
	EXPECT_EQ(0, close(drm->fd));
}

TEST_F_TIMEOUT(nodes, tell_udev_what_they_are, LONG_TEST_S)
{
	char name[32], text[512], expected[128];
	struct device *dev;

	for (dev = self->dev; dev < self->dev + DEVICES; dev++) {
		snprintf(name, sizeof(name), "accel%d", dev->minor);
		ASSERT_EQ(0, read_uevent(name, text));
		snprintf(expected, sizeof(expected),
			 "MAJOR=%d\nMINOR=%d\nDEVNAME=accel/%s\nDEVTYPE=%s\n",
			 ACCEL_MAJOR, dev->minor, name,
			 dev->drm ? "accel_minor" : "accel_native");
		EXPECT_STREQ(expected, text);
		EXPECT_EQ(dev == &self->dev[VACCEL],
			  dev->minor >= FIRST_VIRTUAL);
	}
}

/*
 * A node that somebody made by hand, used and unused, stays when its device goes. It
 * leads nowhere as long as anybody has the device open, whoever else comes, and then
 * to who has the number.
 */
static void static_node(struct __test_metadata *_metadata, struct device *first,
			struct device *second)
{
	char used[64], unused[64];
	int fd;

	snprintf(used, sizeof(used), "/dev/accel_used.%d", getpid());
	snprintf(unused, sizeof(unused), "/dev/accel_unused.%d", getpid());
	ASSERT_EQ(0, device_remove(second));
	ASSERT_EQ(0, device_remove(first));
	ASSERT_EQ(0, device_add(first));
	ASSERT_EQ(0, mknod(used, S_IFCHR | 0600,
			   makedev(ACCEL_MAJOR, first->minor)));
	ASSERT_EQ(0, mknod(unused, S_IFCHR | 0600,
			   makedev(ACCEL_MAJOR, first->minor)));
	first->fd = open_node(used);
	ASSERT_LE(0, first->fd);
	EXPECT_TRUE(alive(first, first->fd));

	ASSERT_EQ(0, device_remove(first));
	EXPECT_EQ(-ENODEV, open_node(used));
	EXPECT_EQ(-ENXIO, open_node(unused));
	ASSERT_EQ(0, device_add(second));
	EXPECT_NE(first->minor, second->minor);
	EXPECT_EQ(-ENODEV, open_node(used));
	EXPECT_EQ(-ENXIO, open_node(unused));
	EXPECT_TRUE(gone(first));

	EXPECT_EQ(0, close(first->fd));
	EXPECT_EQ(0, census_total());
	EXPECT_EQ(-ENXIO, open_node(used));
	ASSERT_EQ(0, device_remove(second));
	ASSERT_EQ(0, device_add(second));
	EXPECT_EQ(first->minor, second->minor);
	fd = open_node(used);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(alive(second, fd));
	EXPECT_EQ(0, close(fd));
	fd = open_node(unused);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(alive(second, fd));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, unlink(used));
	EXPECT_EQ(0, unlink(unused));
}

TEST_F_TIMEOUT(nodes, static_node_of_native_then_drm, LONG_TEST_S)
{
	static_node(_metadata, &self->dev[EDU], &self->dev[DRM0]);
}

TEST_F_TIMEOUT(nodes, static_node_of_drm_then_native, LONG_TEST_S)
{
	static_node(_metadata, &self->dev[DRM0], &self->dev[EDU]);
}

TEST_F_TIMEOUT(nodes, static_node_of_drm_then_drm, LONG_TEST_S)
{
	static_node(_metadata, &self->dev[DRM0], &self->dev[DRM1]);
}

/*
 * habanalabs has nodes of its own in the class, of no type and another major. Nobody
 * takes them for a device, and they come and go with what they control.
 */
TEST_F_TIMEOUT(nodes, control_nodes_do_no_harm, LONG_TEST_S)
{
	struct device *drm = &self->dev[DRM0], *edu = &self->dev[EDU];
	char name[32], path[64], text[512];
	int control;

	snprintf(name, sizeof(name), "accel_controlD%d", drm->minor);
	snprintf(path, sizeof(path), "/dev/accel/%s", name);
	ASSERT_EQ(0, read_uevent(name, text));
	EXPECT_TRUE(!!strstr(text, "DEVNAME=accel/accel_controlD"));
	EXPECT_FALSE(!!strstr(text, "DEVTYPE="));
	EXPECT_FALSE(!!strstr(text, "MAJOR=261\n"));
	control = open_node(path);
	ASSERT_LE(0, control);
	EXPECT_EQ(-ENOTTY, query_device(control, &(struct accel_query_device) {}));
	EXPECT_EQ(-ENOTTY, is_drm(control, DRM_MODULE));

	/* It is open, and so is a native device; what it controls goes. */
	ASSERT_EQ(0, device_open(edu));
	ASSERT_EQ(0, device_remove(drm));
	EXPECT_EQ(-ENOENT, read_uevent(name, text));
	EXPECT_EQ(-ENOENT, open_node(path));
	EXPECT_TRUE(alive(edu, edu->fd));
	ASSERT_EQ(0, device_remove(edu));
	EXPECT_EQ(0, close(edu->fd));

	/* Its number is a native device's now, and is free again after that. */
	ASSERT_EQ(0, device_add(edu));
	ASSERT_EQ(0, device_add(drm));
	EXPECT_EQ(-ENOTTY, query_device(control, &(struct accel_query_device) {}));
	EXPECT_EQ(0, close(control));
	snprintf(path, sizeof(path), "/dev/accel/accel_controlD%d", drm->minor);
	control = open_node(path);
	EXPECT_LE(0, control);
	EXPECT_EQ(0, close(control));
}

/* A directory goes with its device, not with the last file: that one is another's. */
TEST_F_TIMEOUT(nodes, debugfs_directories_go, LONG_TEST_S)
{
	const char *path = "/sys/kernel/debug/accel/" DRM_MODULE ".0";
	struct device *drm = &self->dev[DRM0];

	EXPECT_TRUE(path_exists(path));
	ASSERT_EQ(0, device_open(drm));
	ASSERT_EQ(0, device_remove(drm));
	EXPECT_FALSE(path_exists(path));
	ASSERT_EQ(0, device_add(drm));
	EXPECT_TRUE(path_exists(path));
	EXPECT_EQ(0, close(drm->fd));
	EXPECT_TRUE(path_exists(path));
	EXPECT_EQ(0, census_total());
}

/* What the command "accel" says, or NULL. */
static char *accel_list(const char *option, char text[LIST_SIZE])
{
	const char *tool = getenv("ACCEL_TOOL");
	char command[PATH_MAX + 32];
	size_t len;
	FILE *out;

	snprintf(command, sizeof(command), "%s list %s", tool, option);
	out = popen(command, "re");
	if (!out)
		return NULL;
	len = fread(text, 1, LIST_SIZE - 1, out);
	text[len] = '\0';
	return pclose(out) ? NULL : text;
}

static void expect_listed(struct __test_metadata *_metadata,
			  const struct device *dev)
{
	const char *kind = dev->drm ? "drm" : "native";
	const char *driver = dev->drm ? DRM_MODULE : dev->plug.module;
	char text[LIST_SIZE], expected[256], name[16], *entry;

	snprintf(name, sizeof(name), "accel%d", dev->minor);
	ASSERT_TRUE(accel_list("", text) != NULL);
	EXPECT_FALSE(!!strstr(text, "control"));
	snprintf(expected, sizeof(expected), "\n%-9s %-7s %-13s %-13s ", name,
		 kind, driver, dev->plug.name);
	EXPECT_TRUE(!!strstr(text, expected)) TH_LOG("%s", text);

	ASSERT_TRUE(accel_list("--json", text) != NULL);
	EXPECT_FALSE(!!strstr(text, "control"));
	snprintf(expected, sizeof(expected), "\"name\":\"%s\"", name);
	entry = strstr(text, expected);
	ASSERT_TRUE(entry && strchr(entry, '}')) TH_LOG("%s", text);
	*strchr(entry, '}') = '\0';
	snprintf(expected, sizeof(expected), "\"kind\":\"%s\"", kind);
	EXPECT_TRUE(!!strstr(entry, expected)) TH_LOG("%s", entry);
	snprintf(expected, sizeof(expected), "\"driver\":\"%s\"", driver);
	EXPECT_TRUE(!!strstr(entry, expected)) TH_LOG("%s", entry);
}

TEST_F_TIMEOUT(nodes, accel_list_names_both_kinds, LONG_TEST_S)
{
	int i;

	if (!getenv("ACCEL_TOOL"))
		SKIP(return, "ACCEL_TOOL is not set: accel list is NOT tested");
	for (i = 0; i < DEVICES; i++)
		expect_listed(_metadata, &self->dev[i]);
}

TEST_HARNESS_MAIN
