// SPDX-License-Identifier: GPL-2.0-only
/* accel: show the accelerators of this machine. See accel(1). */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <json.h>
#include <linux/accel_edu.h>
#include <linux/accel_vaccel.h>

#include "libaccel.h"

enum { EXIT_USAGE = 2 };

static const char usage_text[] =
	"Usage: accel list [--json]\n"
	"       accel info [DEVICE] [--json]\n"
	"\n"
	"  list             list the accelerators of this machine, native and DRM\n"
	"  info             show what DEVICE tells about itself: an index, a name or a\n"
	"                   path; without one, every native accelerator\n"
	"\n"
	"  -j, --json       print JSON\n"
	"  -h, --help       print this\n"
	"  -V, --version    print the version\n";

/* What a native device tells; the arrays belong to it. */
struct description {
	unsigned int index;
	struct accel_query_device device;
	struct accel_query_engine *engines;
	uint32_t engine_count;
	struct accel_query_region *regions;
	uint32_t region_count;
	struct accel_query_ioctl *ioctls;
	uint32_t ioctl_count;
	/* Which of the two is valid, device.driver says, if has_blob is set. */
	bool has_blob;
	struct accel_edu_info edu;
	struct accel_vaccel_info vaccel;
};

static bool is_driver(const struct description *d, const char *driver)
{
	return !strcmp((const char *)d->device.driver, driver);
}

static void free_description(struct description *d)
{
	free(d->engines);
	free(d->regions);
	free(d->ioctls);
}

static int describe(int fd, struct description *d)
{
	struct stat st;
	int err;

	*d = (struct description){ 0 };
	err = accel_query_device(fd, &d->device);
	if (!err)
		err = accel_query_engines(fd, &d->engines, &d->engine_count);
	if (!err)
		err = accel_query_regions(fd, &d->regions, &d->region_count);
	if (!err)
		err = accel_query_ioctls(fd, &d->ioctls, &d->ioctl_count);
	if (!err && fstat(fd, &st))
		err = -errno;
	if (err)
		return err;

	d->index = minor(st.st_rdev);
	if (is_driver(d, "accel_edu"))
		err = accel_query_driver(fd, &d->edu, sizeof(d->edu));
	else if (is_driver(d, "accel_vaccel"))
		err = accel_query_driver(fd, &d->vaccel, sizeof(d->vaccel));
	else
		err = -EOPNOTSUPP;
	d->has_blob = !err;
	return err == -EOPNOTSUPP ? 0 : err;
}

static const char *ioctl_name(uint32_t nr)
{
#define NR_AND_NAME(NAME, ...) { _IOC_NR(ACCEL_IOCTL_##NAME), #NAME },
	static const struct {
		uint32_t nr;
		const char *name;
	} ioctls[] = { ACCEL_IOCTL_TABLE(NR_AND_NAME) { 0, NULL } };
#undef NR_AND_NAME
	int i;

	for (i = 0; ioctls[i].name; i++)
		if (ioctls[i].nr == nr)
			return ioctls[i].name;
	return NULL;
}

static void print_description(const struct description *d)
{
	const struct accel_query_device *device = &d->device;
	uint32_t i;

	printf("accel%u\n", d->index);
	printf("  driver     %s\n", (const char *)device->driver);
	printf("  bus id     %s\n",
	       device->bus_id[0] ? (const char *)device->bus_id : "none");
	printf("  hardware   %s\n",
	       device->flags & ACCEL_DEVICE_VIRTUAL ? "no" : "yes");
	printf("  job        command of at most %u bytes, at most %u buffers, at most %u points\n",
	       device->cmd_size_max, device->job_bos_max, device->points_max);
	printf("  queue      at most %u jobs, at most %u queues\n",
	       device->jobs_max, device->queues_max);
	printf("  timeout    %u ms, at most %u ms\n",
	       device->timeout_default_ms, device->timeout_max_ms);

	for (i = 0; i < d->engine_count; i++) {
		const struct accel_query_engine *engine = &d->engines[i];

		printf("  engine %-3u %s: depth %u, %llu jobs, busy %.6f s\n",
		       i, (const char *)engine->name, engine->depth,
		       (unsigned long long)engine->jobs, engine->busy_ns / 1e9);
	}

	for (i = 0; i < d->region_count; i++) {
		const struct accel_query_region *region = &d->regions[i];

		printf("  region %-3u %s: %llu bytes used", i,
		       (const char *)region->name, (unsigned long long)region->used);
		if (region->total)
			printf(" of %llu", (unsigned long long)region->total);
		printf("%s%s\n", region->flags & ACCEL_REGION_LOCAL ?
				 ", on the device" : "",
		       region->flags & ACCEL_REGION_EVICTS ?
		       ", makes room in system memory" : "");
	}

	printf("  ioctls    ");
	for (i = 0; i < d->ioctl_count; i++) {
		const char *name = ioctl_name(d->ioctls[i].nr);

		if (name)
			printf(" %s", name);
		else
			printf(" 0x%02x", d->ioctls[i].nr);
	}
	printf("\n");

	if (d->has_blob && is_driver(d, "accel_edu"))
		printf("  edu        id 0x%08x, %u bytes on chip, %llu interrupts\n",
		       d->edu.id, d->edu.memory_size,
		       (unsigned long long)d->edu.interrupts);
	else if (d->has_blob)
		printf("  vaccel     %llu bytes of local memory\n",
		       (unsigned long long)d->vaccel.local_size);
}

static void add_string(struct json_object *to, const char *key,
		       const void *string)
{
	json_object_object_add(to, key, json_object_new_string(string));
}

/* An empty string is what is not known, null in JSON. */
static void add_name(struct json_object *to, const char *key, const char *name)
{
	json_object_object_add(to, key,
			       *name ? json_object_new_string(name) : NULL);
}

static void add_bool(struct json_object *to, const char *key, bool value)
{
	json_object_object_add(to, key, json_object_new_boolean(value));
}

static void add_number(struct json_object *to, const char *key, uint64_t value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

/* The members of an array live as long as it does. */
static struct json_object *add_element(struct json_object *to)
{
	struct json_object *element = json_object_new_object();

	json_object_array_add(to, element);
	return element;
}

static struct json_object *add_array(struct json_object *to, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(to, key, array);
	return array;
}

static void json_description(struct json_object *json,
			     const struct description *d)
{
	const struct accel_query_device *device = &d->device;
	struct json_object *array, *element;
	char name[16];
	uint32_t i;

	snprintf(name, sizeof(name), "accel%u", d->index);
	add_string(json, "name", name);
	add_number(json, "index", d->index);
	add_string(json, "driver", device->driver);
	add_name(json, "bus_id", (const char *)device->bus_id);
	add_bool(json, "virtual", device->flags & ACCEL_DEVICE_VIRTUAL);
	add_number(json, "cmd_size_max", device->cmd_size_max);
	add_number(json, "jobs_max", device->jobs_max);
	add_number(json, "queues_max", device->queues_max);
	add_number(json, "job_bos_max", device->job_bos_max);
	add_number(json, "points_max", device->points_max);
	add_number(json, "timeout_default_ms", device->timeout_default_ms);
	add_number(json, "timeout_max_ms", device->timeout_max_ms);

	array = add_array(json, "engines");
	for (i = 0; i < d->engine_count; i++) {
		element = add_element(array);
		add_string(element, "name", d->engines[i].name);
		add_number(element, "depth", d->engines[i].depth);
		add_number(element, "jobs", d->engines[i].jobs);
		add_number(element, "busy_ns", d->engines[i].busy_ns);
	}

	array = add_array(json, "regions");
	for (i = 0; i < d->region_count; i++) {
		element = add_element(array);
		add_string(element, "name", d->regions[i].name);
		add_bool(element, "local",
			 d->regions[i].flags & ACCEL_REGION_LOCAL);
		add_bool(element, "evicts",
			 d->regions[i].flags & ACCEL_REGION_EVICTS);
		add_number(element, "total", d->regions[i].total);
		add_number(element, "used", d->regions[i].used);
	}

	array = add_array(json, "ioctls");
	for (i = 0; i < d->ioctl_count; i++) {
		const char *ioctl = ioctl_name(d->ioctls[i].nr);

		element = add_element(array);
		add_number(element, "nr", d->ioctls[i].nr);
		add_name(element, "name", ioctl ? ioctl : "");
		add_number(element, "arg_size", d->ioctls[i].arg_size);
	}

	if (!d->has_blob) {
		json_object_object_add(json, "driver_info", NULL);
		return;
	}
	element = json_object_new_object();
	json_object_object_add(json, "driver_info", element);
	if (is_driver(d, "accel_edu")) {
		add_number(element, "id", d->edu.id);
		add_number(element, "memory_size", d->edu.memory_size);
		add_number(element, "interrupts", d->edu.interrupts);
	} else {
		add_number(element, "local_size", d->vaccel.local_size);
	}
}

/*
 * Why the device cannot be used, or NULL. A DRM device is not opened, because
 * its driver may power it up for that.
 */
static const char *why_not(struct accel_device_info *info)
{
	struct accel_query_device device;
	int err, fd;

	if (info->kind == ACCEL_KIND_DRM)
		return access(info->path, R_OK | W_OK) ? strerror(errno) : NULL;

	fd = accel_open(info->path);
	if (fd < 0)
		return strerror(-fd);
	err = accel_query_device(fd, &device);
	close(fd);
	if (err)
		return strerror(-err);

	/* The driver's name for itself, which programs go by. */
	snprintf(info->driver, sizeof(info->driver), "%s",
		 (const char *)device.driver);
	return NULL;
}

static void format_id(int32_t id, char *buf, size_t size)
{
	if (id < 0)
		buf[0] = '\0';
	else
		snprintf(buf, size, "0x%04x", id);
}

static const char *or_dash(const char *string)
{
	return *string ? string : "-";
}

static int list_devices(struct json_object *array)
{
	struct accel_device_info *infos;
	uint32_t i, count;
	int err;

	err = accel_devices(&infos, &count);
	if (err) {
		fprintf(stderr, "accel: cannot list devices: %s\n",
			strerror(-err));
		return EXIT_FAILURE;
	}
	if (!count)
		fprintf(stderr, "accel: no accelerators: is a driver loaded?\n");
	else if (!array)
		printf("%-9s %-7s %-13s %-13s %-7s %-7s %s\n", "NAME", "KIND",
		       "DRIVER", "BUS ID", "VENDOR", "DEVICE", "USABLE");

	for (i = 0; i < count; i++) {
		struct accel_device_info *info = &infos[i];
		const char *name = strrchr(info->path, '/') + 1;
		const char *kind = info->kind == ACCEL_KIND_DRM ? "drm" :
								  "native";
		const char *error = why_not(info);
		char vendor[16], device[16];

		format_id(info->vendor, vendor, sizeof(vendor));
		format_id(info->device, device, sizeof(device));
		if (array) {
			struct json_object *json = add_element(array);

			add_string(json, "name", name);
			add_number(json, "index", info->index);
			add_string(json, "path", info->path);
			add_string(json, "kind", kind);
			add_name(json, "driver", info->driver);
			add_name(json, "bus_id", info->bus_id);
			add_name(json, "vendor", vendor);
			add_name(json, "device", device);
			add_name(json, "error", error ? error : "");
		} else {
			printf("%-9s %-7s %-13s %-13s %-7s %-7s %s\n", name,
			       kind, or_dash(info->driver),
			       or_dash(info->bus_id), or_dash(vendor),
			       or_dash(device), error ? error : "yes");
		}
	}
	free(infos);
	return EXIT_SUCCESS;
}

static int info_device(const char *device, struct json_object *array)
{
	struct description d;
	int err, fd;

	fd = accel_open(device);
	if (fd < 0) {
		fprintf(stderr, "accel: cannot open %s: %s\n", device,
			strerror(-fd));
		return EXIT_FAILURE;
	}

	err = describe(fd, &d);
	close(fd);
	if (err == -ENOTTY)
		fprintf(stderr, "accel: %s is not a native accelerator\n",
			device);
	else if (err)
		fprintf(stderr, "accel: cannot query %s: %s\n", device,
			strerror(-err));
	else if (array)
		json_description(add_element(array), &d);
	else
		print_description(&d);
	free_description(&d);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int info_all(struct json_object *array)
{
	struct accel_device_info *infos;
	int err, ret = EXIT_SUCCESS;
	bool found = false;
	uint32_t i, count;

	err = accel_devices(&infos, &count);
	if (err) {
		fprintf(stderr, "accel: cannot list devices: %s\n",
			strerror(-err));
		return EXIT_FAILURE;
	}

	for (i = 0; i < count; i++) {
		if (infos[i].kind != ACCEL_KIND_NATIVE)
			continue;
		found = true;
		if (info_device(infos[i].path, array))
			ret = EXIT_FAILURE;
	}
	free(infos);
	if (!found)
		fprintf(stderr, "accel: no native accelerators: is a driver loaded?\n");
	return ret;
}

static int usage_error(const char *problem, const char *arg)
{
	if (problem)
		fprintf(stderr, "accel: %s%s\n", problem, arg);
	fprintf(stderr, "Try 'accel --help'.\n");
	return EXIT_USAGE;
}

/* Whether all that was printed could be written is known only now. */
static int finish(int ret)
{
	bool failed = ferror(stdout);

	if (fclose(stdout) || failed) {
		fprintf(stderr, "accel: cannot write the output\n");
		return EXIT_FAILURE;
	}
	return ret;
}

static int run(int argc, char **argv, struct json_object *array)
{
	const char *command;

	if (!argc)
		return usage_error("no command given", "");

	command = argv[0];
	if (!strcmp(command, "list")) {
		if (argc > 1)
			return usage_error("list takes no argument: ", argv[1]);
		return list_devices(array);
	}
	if (!strcmp(command, "info")) {
		if (argc > 2)
			return usage_error("info takes one device: ", argv[2]);
		return argc == 2 ? info_device(argv[1], array) :
				   info_all(array);
	}
	return usage_error("no such command: ", command);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	struct json_object *json = NULL, *array = NULL;
	unsigned int version = accel_lib_version();
	bool want_json = false;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "hjV", options, NULL)) != -1) {
		switch (opt) {
		case 'h':
			fputs(usage_text, stdout);
			return finish(EXIT_SUCCESS);
		case 'j':
			want_json = true;
			break;
		case 'V':
			printf("accel %u.%u.%u\n", version >> 16,
			       version >> 8 & 0xff, version & 0xff);
			return finish(EXIT_SUCCESS);
		default:
			return usage_error(NULL, NULL);
		}
	}

	if (want_json) {
		json = json_object_new_object();
		array = add_array(json, "devices");
	}
	ret = run(argc - optind, argv + optind, array);
	if (json && ret != EXIT_USAGE)
		puts(json_object_to_json_string_ext(json,
						    JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return finish(ret);
}
