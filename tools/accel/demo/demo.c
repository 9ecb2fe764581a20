// SPDX-License-Identifier: MIT
/*
 * From a camera through an accelerator to a screen, with no copy between buffers.
 * Each buffer is shared by two of them as a dma-buf; whether they do see the same
 * memory is checked page by page.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/accel_vaccel.h>

#include "../examples/example.h"
#include "camera.h"
#include "frames.h"
#include "scanout.h"
#include "screen.h"

#define ACCEL_DRIVER	"accel_vaccel"
#define CAMERA_DRIVER	"vivid"
#define SCREEN_DRIVER	"virtio_gpu"
#define SCANOUT_DRIVER	"vkms"

#define WIDTH		640
#define HEIGHT		480
#define CAMERA_BUFFERS	3
#define SCREEN_BUFFERS	2
#define FRAMES_MAX	1000000

static const char usage[] =
	"Usage: demo [OPTION...] [-- COMMAND [ARG...]]\n"
	"\n"
	"Lets vivid capture images, vaccel convert and filter them, and virtio-gpu show\n"
	"them; then vkms show the last one. Needs the modules vivid, accel_vaccel,\n"
	"virtio-gpu, vkms and accel_dmabuf_test. COMMAND is run while the last image is\n"
	"on the screen.\n"
	"\n"
	"  -b, --camera-buffers=ours|camera  whose memory vivid captures into (ours)\n"
	"  -e, --edges                       show where the image changes\n"
	"  -f, --frames=N                    how many images (30)\n"
	"  -h, --help                        this text\n"
	"\n"
	"Exit code: 0; 1 if something failed, or a page was copied; 2 for bad options.\n";

/**
 * struct options - what the user wants
 * @camera_owns: vivid captures into its own buffers
 * @edges: find edges
 * @frames: how many images
 * @command: to be run at the end, or NULL
 */
struct options {
	int camera_owns;
	int edges;
	uint32_t frames;
	char **command;
};

/**
 * struct shared - a buffer of the accelerator's that somebody else has as well
 * @id: as the accelerator knows it
 * @dmabuf: as the other does
 * @stride: bytes from one line to the next
 */
struct shared {
	uint32_t id;
	int dmabuf;
	uint32_t stride;
};

/**
 * struct pipeline - what images go through
 * @accel: the accelerator
 * @queue: of the accelerator
 * @camera: where they come from
 * @screen: where they go to
 * @captured: what the camera writes, as YUYV
 * @stage: the accelerator's own, XRGB8888
 * @fb: what the screen shows
 * @shown: the same buffers, as the accelerator has them
 */
struct pipeline {
	int accel;
	struct accel_queue_create queue;
	struct camera camera;
	struct screen screen;
	struct shared captured[CAMERA_BUFFERS];
	struct shared stage;
	struct framebuffer fb[SCREEN_BUFFERS];
	struct shared shown[SCREEN_BUFFERS];
};

static struct shared make_shared(int accel, uint64_t length, uint32_t stride)
{
	struct accel_bo_create bo = { .size = sizeof(bo), .length = length };
	struct shared shared = { .stride = stride };

	must(accel_bo_create(accel, &bo), "BO_CREATE");
	shared.id = bo.id;
	must(accel_bo_export(accel, bo.id, ACCEL_EXPORT_WRITE, &shared.dmabuf),
	     "BO_EXPORT");
	return shared;
}

static struct shared import_shared(int accel, int dmabuf, uint32_t stride)
{
	struct accel_bo_import import = {
		.size = sizeof(import),
		.fd = dmabuf,
	};

	must(accel_bo_import(accel, &import), "BO_IMPORT");
	return (struct shared) {
		.id = import.id,
		.dmabuf = dmabuf,
		.stride = stride,
	};
}

static void set_up_camera(struct pipeline *p, int camera_owns)
{
	int fds[CAMERA_BUFFERS];
	int i;

	p->camera = camera_open(CAMERA_DRIVER, WIDTH, HEIGHT);
	if (p->camera.width != WIDTH || p->camera.height != HEIGHT)
		must(-EOPNOTSUPP, "a camera with images of this size");
	if (camera_owns)
		camera_give_buffers(&p->camera, fds, CAMERA_BUFFERS);
	for (i = 0; i < CAMERA_BUFFERS; i++) {
		p->captured[i] = camera_owns ?
			import_shared(p->accel, fds[i], p->camera.stride) :
			make_shared(p->accel, p->camera.size, p->camera.stride);
		fds[i] = p->captured[i].dmabuf;
	}
	if (!camera_owns)
		camera_take_buffers(&p->camera, fds, CAMERA_BUFFERS);
}

static void set_up(struct pipeline *p, int camera_owns)
{
	int i;

	p->accel = open_device(NULL, ACCEL_DRIVER);
	p->queue = (struct accel_queue_create) { .size = sizeof(p->queue) };
	must(accel_queue_create(p->accel, &p->queue), "QUEUE_CREATE");
	set_up_camera(p, camera_owns);
	p->stage = make_shared(p->accel, WIDTH * HEIGHT * 4, WIDTH * 4);
	p->screen = screen_open(SCREEN_DRIVER, WIDTH, HEIGHT);
	for (i = 0; i < SCREEN_BUFFERS; i++) {
		p->fb[i] = screen_make_framebuffer(&p->screen);
		p->shown[i] = import_shared(p->accel, p->fb[i].dmabuf,
					    p->fb[i].stride);
	}
}

/* Returns the point of a job that reads @from and writes @to. */
static uint64_t submit(struct pipeline *p, const void *cmd, uint32_t cmd_size,
		       const struct shared *from, const struct shared *to)
{
	const struct accel_submit_bo bos[] = {
		{ .id = from->id, .flags = ACCEL_BO_READ },
		{ .id = to->id, .flags = ACCEL_BO_WRITE },
	};
	const struct accel_submit_job job = {
		.cmd_ptr = accel_ptr(cmd),
		.cmd_size = cmd_size,
		.bos_ptr = accel_ptr(bos),
		.bo_count = 2,
		.bo_stride = sizeof(bos[0]),
	};
	struct accel_submit args = {
		.size = sizeof(args),
		.queue = p->queue.id,
		.job_count = 1,
		.jobs_ptr = accel_ptr(&job),
		.job_stride = sizeof(job),
	};

	must(accel_submit(p->accel, &args), "SUBMIT");
	return args.first_point;
}

static uint64_t convert(struct pipeline *p, const struct shared *from,
			const struct shared *to)
{
	const struct accel_vaccel_convert command = {
		.op = ACCEL_VACCEL_CONVERT,
		.src_format = ACCEL_VACCEL_YUYV,
		.dst_format = ACCEL_VACCEL_XRGB8888,
		.width = WIDTH,
		.height = HEIGHT,
		.src[0] = { .bo = 0, .stride = from->stride },
		.dst[0] = { .bo = 1, .stride = to->stride },
	};

	return submit(p, &command, sizeof(command), from, to);
}

/* The three channels one by one, each a plane of every fourth byte. */
static uint64_t find_edges(struct pipeline *p, const struct shared *from,
			   const struct shared *to)
{
	struct accel_vaccel_convolve command = {
		.op = ACCEL_VACCEL_CONVOLVE,
		.width = WIDTH,
		.height = HEIGHT,
		.src_step = 4,
		.dst_step = 4,
		.kernel = { -1, -1, -1, -1, 8, -1, -1, -1, -1 },
		.src = { .bo = 0, .stride = from->stride },
		.dst = { .bo = 1, .stride = to->stride },
	};
	uint64_t point = 0;
	int channel;

	for (channel = 0; channel < 3; channel++) {
		command.src.offset = channel;
		command.dst.offset = channel;
		point = submit(p, &command, sizeof(command), from, to);
	}
	return point;
}

static void wait_for_point(struct pipeline *p, uint64_t point)
{
	int32_t status;

	must(accel_wait_point(p->accel, p->queue.timeline, point, INT64_MAX,
			      &status), "TIMELINE_WAIT");
	must(status, "the job failed");
}

/* One image from the camera to the screen, which waits for the accelerator's fence. */
static void process(struct pipeline *p, int edges, const struct framebuffer *fb,
		    const struct shared *shown)
{
	uint32_t index = camera_get(&p->camera);
	const struct shared *captured = &p->captured[index];
	uint64_t converted, done;
	int fence;

	converted = convert(p, captured, edges ? &p->stage : shown);
	done = edges ? find_edges(p, &p->stage, shown) : converted;
	fence = must(accel_point_sync_file(p->accel, p->queue.timeline, done),
		     "TIMELINE_EXPORT");
	screen_show(&p->screen, fb, fence);
	close(fence);

	/* videobuf2 waits for no fence before the camera writes again. */
	wait_for_point(p, converted);
	camera_put(&p->camera, index, captured->dmabuf);
	screen_wait(&p->screen);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* What the accelerator has under this id is the memory that the other has. */
static int check_shared(struct pipeline *p, int frames, const char *what,
			uint32_t index, const struct shared *shared)
{
	struct accel_bo_info info = { .size = sizeof(info), .id = shared->id };
	void *map;
	int same;

	must(accel_bo_info(p->accel, &info), "BO_INFO");
	must(accel_bo_map(p->accel, info.mmap_offset, info.length, PROT_READ,
			  &map), "mmap");
	printf("  %s %u: ", what, index);
	same = frames_compare(frames, shared->dmabuf, map, info.length);
	must(accel_bo_unmap(map, info.length), "munmap");
	return same;
}

static int check_all(struct pipeline *p, const struct options *options)
{
	const char *camera = options->camera_owns ?
		"vivid writes its own, vaccel reads" :
		"vivid writes, vaccel reads its own";
	int frames = frames_open();
	int same = 1;
	uint32_t i;

	for (i = 0; i < CAMERA_BUFFERS; i++)
		same &= check_shared(p, frames, camera, i, &p->captured[i]);
	if (options->edges)
		same &= check_shared(p, frames, "vaccel writes and reads", 0,
				     &p->stage);
	for (i = 0; i < SCREEN_BUFFERS; i++)
		same &= check_shared(p, frames, "vaccel writes, virtio_gpu shows",
				     i, &p->shown[i]);
	close(frames);
	return same;
}

static void run_command(char **command)
{
	pid_t pid = fork();
	int status;

	must(pid < 0 ? -errno : 0, "fork");
	if (!pid) {
		execvp(command[0], command);
		_exit(127);
	}
	must(waitpid(pid, &status, 0) < 0 ? -errno : 0, command[0]);
	if (!status)
		return;
	fprintf(stderr, "demo: %s ended with %s %d\n", command[0],
		WIFEXITED(status) ? "exit code" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	exit(1);
}

/* The last image once more, from a buffer of the accelerator's, on another screen. */
static int show_own_buffer(struct pipeline *p)
{
	uint32_t index = camera_get(&p->camera);
	int same;

	wait_for_point(p, convert(p, &p->captured[index], &p->stage));
	same = scanout_compare(SCANOUT_DRIVER, WIDTH, HEIGHT, p->stage.dmabuf,
			       p->stage.stride);
	camera_put(&p->camera, index, p->captured[index].dmabuf);
	return same;
}

static int run(const struct options *options)
{
	struct pipeline p = { 0 };
	double start, time;
	uint32_t i;
	int same;

	set_up(&p, options->camera_owns);
	camera_start(&p.camera);
	start = seconds();
	for (i = 0; i < options->frames; i++)
		process(&p, options->edges, &p.fb[i % SCREEN_BUFFERS],
			&p.shown[i % SCREEN_BUFFERS]);
	time = seconds() - start;
	printf("%u images of %ux%u in %.1f s: %.1f per second\n",
	       options->frames, WIDTH, HEIGHT, time, options->frames / time);

	same = check_all(&p, options);
	if (options->command)
		run_command(options->command);
	same &= show_own_buffer(&p);

	camera_close(&p.camera);
	for (i = 0; i < SCREEN_BUFFERS; i++)
		screen_drop_framebuffer(&p.screen, &p.fb[i]);
	screen_close(&p.screen);
	close(p.accel);
	return same;
}

static int bad_usage(void)
{
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "camera-buffers", required_argument, NULL, 'b' },
		{ "edges", no_argument, NULL, 'e' },
		{ "frames", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	struct options options = { .frames = 30 };
	unsigned long frames;
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "b:ef:h", long_options,
				  NULL)) >= 0) {
		switch (opt) {
		case 'b':
			options.camera_owns = !strcmp(optarg, "camera");
			if (!options.camera_owns && strcmp(optarg, "ours"))
				return bad_usage();
			break;
		case 'e':
			options.edges = 1;
			break;
		case 'f':
			frames = strtoul(optarg, &end, 10);
			if (*end || !frames || frames > FRAMES_MAX)
				return bad_usage();
			options.frames = frames;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return bad_usage();
		}
	}
	if (optind < argc)
		options.command = argv + optind;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (run(&options))
		return EXIT_SUCCESS;
	fprintf(stderr, "demo: not all of it was zero copy\n");
	return EXIT_FAILURE;
}
