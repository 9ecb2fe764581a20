/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fail_nth_*_test programs share. The kernel counts, in a task that has
 * written n to its fail-nth, whatever can fail: allocations of slab objects and
 * of pages, copies from and to user memory. The nth of them fails and nothing
 * else does. A flow is run with n = 1, 2, 3 and so on, until a whole pass is
 * through in which nothing was left to fail.
 *
 * A call that was made to fail has changed nothing: made again it works, and
 * the pass goes on to its end as if nothing had been. In full runs all is done a
 * second time, by processes that exit where a call fails.
 *
 * Who asks for memory a second time gets it then, and nobody sees what would have
 * been if he had not. So there is shortage too: from some point on, and until it is
 * lifted, nothing is to be had for this thread.
 */
#ifndef SELFTESTS_ACCEL_FAIL_NTH_H
#define SELFTESTS_ACCEL_FAIL_NTH_H

#include "accel_test.h"

#include <setjmp.h>
#include <sys/wait.h>

#define FAULTS		"/sys/kernel/debug/"
#define DMA_DEBUG_OFF	"/sys/kernel/debug/dma-api/disabled"

/* Memory by which a shortage begins later than in the pass before, in bytes. */
#define SHORTAGE_STEP	32

/* So many allocations are allowed to fail that it never is the last of them. */
#define SHORTAGE_TIMES	1000000

/* No flow comes near: one that gets here would go on for ever. */
#define SITES_MAX	5000

/* Emulated, a flow of many sites takes its time. */
#define FAIL_NTH_TEST_S	600

/**
 * struct fail_nth - a series of passes
 * @proc: fail-nth of this thread
 * @filter: whether a shortage is for this thread
 * @data: for the flow
 * @shortage: what is beyond @site is out of reach altogether, not only that one
 * @gives_up: a pass ends, with its process, where a call fails
 * @step: in short runs only every so many sites are tried; 0, every
 * @site: the thing that is to fail in this pass, the nth; 0 if none is
 * @armed: between fail_nth_arm() and fail_nth_disarm()
 * @left: what the kernel had left to count at the end
 * @injected: the thing was reached
 * @failures: calls that failed in this pass
 * @sites: passes of the series in which it was
 */
struct fail_nth {
	int proc;
	int filter;
	void *data;
	bool shortage;
	bool gives_up;
	unsigned int step;
	unsigned int site;
	bool armed;
	unsigned int left;
	bool injected;
	unsigned int failures;
	unsigned int sites;
};

/**
 * typedef fail_nth_flow - one pass
 * @_metadata: of the test, for ASSERT_EQ() and others
 * @f: the series; the flow calls fail_nth_arm() where it wants failures from
 */
typedef void fail_nth_flow(struct __test_metadata *_metadata,
			   struct fail_nth *f);

/* Where the code of DMA API debugging is, in text; false if there is none. */
static inline bool find_dma_debug(char start[32], char end[32])
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long long addr, first = 0, last = 0, next = 0;
	char line[256], type, name[128];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx %c %127s", &addr, &type, name) != 3)
			continue;
		if ((type == 't' || type == 'T') && !strstr(name, ".cold") &&
		    (!strncmp(name, "add_dma_entry", 13) ||
		     !strncmp(name, "debug_dma_", 10))) {
			first = first ?: addr;
			last = addr;
			next = 0;
		} else if (addr > last && !next) {
			next = addr;
		}
	}
	if (file)
		fclose(file);
	snprintf(start, 32, "%#llx", first);
	snprintf(end, 32, "%#llx", next);
	return first && next;
}

/*
 * DMA API debugging that could not have memory once is off for good, and nobody hears
 * of a mapping that is left any more: it is not what is to fail.
 */
static inline int fail_nth_spare_dma_debug(void)
{
	char start[32] = "", end[32];
	int fd = open(FAULTS "failslab/reject-start", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, start, sizeof(start) - 1) < 1)
		return -ENOENT;
	close(fd);
	/* A test before this one has looked. */
	if (strtoull(start, NULL, 0) || !find_dma_debug(start, end))
		return 0;
	return write_file(FAULTS "fail_page_alloc/reject-end", end) ?:
	       write_file(FAULTS "fail_page_alloc/reject-start", start) ?:
	       write_file(FAULTS "failslab/reject-end", end) ?:
	       write_file(FAULTS "failslab/reject-start", start);
}

static inline bool dma_debug_is_off(void)
{
	char text[4] = "";
	int fd = open(DMA_DEBUG_OFF, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 1)
		abort();
	close(fd);
	return text[0] == 'Y';
}

/* What the kernel fails on purpose it need not tell in its log. */
static inline int fail_nth_configure(void)
{
	return fail_nth_spare_dma_debug() ?:
	       write_file(FAULTS "failslab/ignore-gfp-wait", "N") ?:
	       write_file(FAULTS "failslab/cache-filter", "N") ?:
	       write_file(FAULTS "failslab/verbose", "0") ?:
	       write_file(FAULTS "failslab/task-filter", "Y") ?:
	       write_file(FAULTS "fail_page_alloc/ignore-gfp-wait", "N") ?:
	       write_file(FAULTS "fail_page_alloc/ignore-gfp-highmem", "N") ?:
	       write_file(FAULTS "fail_page_alloc/min-order", "0") ?:
	       write_file(FAULTS "fail_page_alloc/verbose", "0") ?:
	       write_file(FAULTS "fail_usercopy/verbose", "0");
}

/* For the thread that calls it. */
static inline int fail_nth_open(struct fail_nth *f)
{
	f->proc = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (f->proc < 0)
		return -errno;
	f->filter = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	return f->filter < 0 ? -errno : 0;
}

/* For a fixture's setup, which skips its test where this is true. */
static inline bool fail_nth_is_missing(struct __test_metadata *_metadata,
				       struct fail_nth *f)
{
	int ret = fail_nth_configure() ?: fail_nth_open(f);

	if (ret == -ENOENT)
		return true;
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, census_total());
	return false;
}

#define FAIL_NTH_MISSING	"no fault injection in this kernel, see config"

/* These write a few bytes to a file of proc's, which cannot fail, or EFAULT. */
static inline void fail_nth_write(struct fail_nth *f, unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	while (pwrite(f->proc, text, len, 0) != len)
		if (errno != EFAULT)
			abort();
}

static inline void failslab_write(const char *name, unsigned int value)
{
	char path[64], text[16];

	snprintf(path, sizeof(path), FAULTS "failslab/%s", name);
	snprintf(text, sizeof(text), "%u", value);
	if (write_file(path, text))
		abort();
}

static inline unsigned int failslab_times(void)
{
	char text[16] = "";
	int fd = open(FAULTS "failslab/times", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
		abort();
	close(fd);
	return strtoul(text, NULL, 10);
}

static inline void shortage_begin(struct fail_nth *f)
{
	failslab_write("probability", 100);
	failslab_write("times", SHORTAGE_TIMES);
	failslab_write("space", (f->site - 1) * SHORTAGE_STEP);
	if (pwrite(f->filter, "1", 1, 0) != 1)
		abort();
}

static inline void shortage_end(struct fail_nth *f)
{
	if (pwrite(f->filter, "0", 1, 0) != 1)
		abort();
	f->injected = failslab_times() != SHORTAGE_TIMES;
	failslab_write("probability", 0);
}

static inline void fail_nth_arm(struct fail_nth *f)
{
	f->armed = f->site;
	if (!f->armed)
		return;
	if (f->shortage)
		shortage_begin(f);
	else
		fail_nth_write(f, f->site);
}

/* Its own calls are counted too. EFAULT tells that nothing had failed before. */
static inline void fail_nth_disarm(struct fail_nth *f)
{
	char text[16] = "1";

	if (!f->armed)
		return;
	f->armed = false;
	if (f->shortage) {
		shortage_end(f);
		return;
	}
	if (pread(f->proc, text, sizeof(text) - 1, 0) < 0 && errno != EFAULT)
		abort();
	fail_nth_write(f, 0);
	f->left = strtoul(text, NULL, 10);
	f->injected = !f->left;
}

/* Whether a call may give @error: it is the one of this pass that fails. */
static inline bool fail_nth_excuses(struct fail_nth *f, int error)
{
	if (f->failures++ || (error != -ENOMEM && error != -EFAULT))
		return false;
	if (f->gives_up)
		_exit(0);
	return true;
}

/* Makes a call; if it is the one that fails, once more. Gives its result. */
#define TRY(f, call) ({							\
	int _ret = (call);						\
									\
	if (_ret < 0 && fail_nth_excuses(f, _ret))			\
		_ret = (call);						\
	ASSERT_LE(0, _ret) {						\
		TH_LOG("site %u: %s", (f)->site, #call);		\
	}								\
	_ret;								\
})

static inline void fail_nth_pass(struct __test_metadata *_metadata,
				 struct fail_nth *f, fail_nth_flow *flow)
{
	f->injected = false;
	f->failures = 0;
	flow(_metadata, f);
	fail_nth_disarm(f);
	/* What can do without may hide a failure, but none comes from nowhere. */
	EXPECT_GE(f->injected, f->failures) {
		TH_LOG("site %u: a call failed by itself", f->site);
	}
}

/* The same in a process that leaves everything to its exit. */
static inline void fail_nth_pass_in_child(struct __test_metadata *_metadata,
					  struct fail_nth *f,
					  fail_nth_flow *flow)
{
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		ASSERT_EQ(0, fail_nth_open(f));
		fail_nth_pass(_metadata, f, flow);
		_exit(!f->injected);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status)) {
		TH_LOG("site %u: killed", f->site);
	}
	f->injected = !WEXITSTATUS(status);
}

/*
 * A pass for each site. The census waits for RCU, which takes longer than most
 * passes: in short runs it is read every few of them.
 */
static inline void fail_nth_series(struct __test_metadata *_metadata,
				   struct fail_nth *f, fail_nth_flow *flow)
{
	unsigned int step = rounds(f->step ?: 1, 1), every = rounds(16, 1);
	bool more = true, was_off = dma_debug_is_off();
	unsigned int passes;

	/* Undisturbed at first: the pages of this process are there after that. */
	for (passes = 0; more; passes++) {
		f->site = passes * step;
		ASSERT_GT(SITES_MAX, passes);
		if (f->gives_up)
			fail_nth_pass_in_child(_metadata, f, flow);
		else
			fail_nth_pass(_metadata, f, flow);
		more = f->injected || !f->site;
		if (passes % every == 0 || !more)
			EXPECT_EQ(0, census_total()) {
				TH_LOG("left behind by site %u, or one of %u before",
				       f->site, (every - 1) * step);
			}
		ASSERT_TRUE(__test_passed(_metadata));
	}
	f->sites = passes - 2;
	/* No call does without a copy from or to the user; some do without memory. */
	if (!f->shortage)
		EXPECT_LT(0, f->sites) TH_LOG("nothing was made to fail");
	EXPECT_EQ(was_off, dma_debug_is_off()) {
		TH_LOG("no leaked mapping is seen from here on");
	}
	tally(f->sites, f->shortage ? "shortages" : "fail-nth sites");
}

/* The whole of it: as every client, and in full runs as one that gives up. */
static inline void fail_nth_run(struct __test_metadata *_metadata,
				struct fail_nth *f, fail_nth_flow *flow)
{
	unsigned int i;

	for (i = 0; i < rounds(1, 2); i++) {
		f->gives_up = i;
		fail_nth_series(_metadata, f, flow);
	}
}

/* The signal's way out of touch(). */
static sigjmp_buf touch_env;

static inline void touch_signal(int signal)
{
	siglongjmp(touch_env, signal);
}

/* Writes to a byte of a buffer, which is SIGBUS where there is no memory. */
static inline int touch(volatile __u8 *byte, __u8 value)
{
	if (signal(SIGBUS, touch_signal) == SIG_ERR)
		return -errno;
	if (sigsetjmp(touch_env, 1))
		return -ENOMEM;
	*byte = value;
	return 0;
}

#endif /* SELFTESTS_ACCEL_FAIL_NTH_H */
