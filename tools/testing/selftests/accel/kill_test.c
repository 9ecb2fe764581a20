// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients that are killed or close in the middle of anything, many at a time:
 * whoever is left finds the device as it was before.
 */
#define _GNU_SOURCE
#include "busy.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define CLIENTS		4
/* A prime, so that any two clients meet at any two steps; once around and more */
#define STEPS		17

FIXTURE(kill)
{
	int fd;
	struct accel_query_device dev;
};

FIXTURE_SETUP(kill)
{
	accel_setup(_metadata, &self->fd, &self->dev);
}

FIXTURE_TEARDOWN(kill)
{
	accel_teardown(_metadata, self->fd);
}

/* What a client tells of itself; in memory that it shares with who kills it. */
struct client {
	unsigned int steps;	/* begun so far */
	int error;
};

static void step(struct client *client)
{
	__atomic_add_fetch(&client->steps, 1, __ATOMIC_RELEASE);
}

/* Two queues, one on each engine, whose jobs wait for each other. */
static int make_circle(int fd)
{
	struct test_job first = job_nop(), second = job_nop();
	struct accel_queue_create a, b;
	__u64 point;
	int ret;

	ret = queue_create(fd, 0, 0, &a) ?: queue_create(fd, 1, 0, &b);
	if (ret)
		return ret;
	job_wait(&first, b.timeline, 1);
	job_wait(&second, a.timeline, 1);
	return submit_one(fd, a.id, &first, &point) ?:
	       submit_one(fd, b.id, &second, &point);
}

/* Once around everything that a client does, a step for each. */
static int client_round(struct client *client, int fd, struct busy *b,
			struct accel_bo_create *bo)
{
	struct test_job fill = job_fill(b->bo.id, 0, 65536, 3);
	__s32 status;
	__u64 point;
	__u32 *map;
	int ret;

	step(client);
	ret = bo_create(fd, ACCEL_VACCEL_REGION_SYSTEM, 65536, bo);
	if (ret)
		return ret;
	step(client);
	map = bo_map(fd, bo);
	if (map == MAP_FAILED)
		return -errno;
	step(client);
	memset(map, 1, 65536);
	step(client);
	fill.bos[0].id = bo->id;
	ret = submit_one(fd, b->other.id, &fill, &point);
	if (ret && ret != -EAGAIN)
		return ret;
	step(client);
	point_wait_until(fd, b->held.timeline, 1, now_ns() + 100000, &status);
	step(client);
	munmap(map, 65536);
	step(client);
	ret = destroy(fd, bo->id);
	step(client);
	return ret;
}

static void be_client(struct client *client, __u32 timeout_ms)
{
	struct accel_bo_create bo;
	struct busy busy;
	int fd, ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step(client);
	fd = accel_open();
	step(client);
	ret = fd < 0 ? fd : busy_start(fd, timeout_ms, &busy) ?:
	      make_circle(fd);
	while (!ret)
		ret = client_round(client, fd, &busy, &bo);
	client->error = ret;
	step(client);
	_exit(1);
}

static int wait_for_step(struct client *client, unsigned int count)
{
	__s64 deadline = deadline_ms(LONG_TEST_S * 1000);

	while (__atomic_load_n(&client->steps, __ATOMIC_ACQUIRE) < count) {
		if (client->error)
			return client->error;
		if (now_ns() > deadline)
			return -ETIME;
		sched_yield();
	}
	return 0;
}

/* How far each of the four has to have come takes turns. */
static void kill_some(struct __test_metadata *_metadata, struct client *clients,
		      unsigned int round, __u32 timeout_ms)
{
	pid_t pids[CLIENTS];
	int i, status;

	for (i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client) {};
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (!pids[i])
			be_client(&clients[i], timeout_ms);
	}
	for (i = 0; i < CLIENTS; i++)
		ASSERT_EQ(0, wait_for_step(&clients[i],
					   (round + round / STEPS * i) % STEPS));
	for (i = 0; i < CLIENTS; i++)
		ASSERT_EQ(0, kill(pids[i], SIGKILL));
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(0, clients[i].error);
	}
}

TEST_F_TIMEOUT(kill, busy_clients, 3600)
{
	const unsigned int kills = rounds(2000, 10000);
	char before[CENSUS_SIZE], after[CENSUS_SIZE];
	struct client *clients;
	unsigned int i;

	clients = mmap(NULL, CLIENTS * sizeof(*clients),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		       0);
	ASSERT_TRUE(clients != MAP_FAILED);
	ASSERT_EQ(0, census_read(before));
	for (i = 0; i < kills / CLIENTS; i++) {
		kill_some(_metadata, clients, i, self->dev.timeout_max_ms);
		if (i % 25)
			continue;
		ASSERT_EQ(0, engines_flush(self->fd));
		ASSERT_EQ(0, census_read(after));
		ASSERT_STREQ(before, after);
	}
	tally(i * CLIENTS, "kills");
	EXPECT_EQ(0, engines_flush(self->fd));
}

/* A producer submits to its queue, waits, and is told whatever happens to it. */
struct producer {
	int fd;
	__u32 engine;
	__u32 queue;		/* the one that is being used, for the destroyer */
	unsigned int rounds;
	bool done;
	int error;
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	struct accel_queue_create queue;
	__s32 status;
	__u64 point = 0;
	int ret = 0;
	unsigned int i;

	for (i = 0; i < p->rounds && !ret; i++) {
		ret = queue_create(p->fd, p->engine, 0, &queue);
		if (ret)
			break;
		__atomic_store_n(&p->queue, queue.id, __ATOMIC_RELEASE);
		/* Ends with its queue, wherever the destroyer comes in. */
		while (!(ret = submit_nop(p->fd, queue.id, &point))) {
			ret = point_wait_until(p->fd, queue.timeline, point,
					       deadline_ms(WAIT_MS), &status);
			if (!ret && status && status != -ECANCELED)
				ret = status;
			if (ret)
				break;
		}
		if (ret == -ENOENT)
			ret = destroy(p->fd, queue.timeline);
	}
	p->error = ret;
	__atomic_store_n(&p->done, true, __ATOMIC_RELEASE);
	return NULL;
}

/* No wake-up is lost between two who submit to an engine and one who destroys. */
TEST_F_TIMEOUT(kill, producers_and_teardown, 1800)
{
	struct producer p[2] = {};
	pthread_t threads[2];
	__u32 queue;
	int i;

	for (i = 0; i < 2; i++) {
		p[i].fd = accel_open();
		ASSERT_LE(0, p[i].fd);
		p[i].rounds = rounds(500, 5000);
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, produce, &p[i]));
	}
	while (!__atomic_load_n(&p[0].done, __ATOMIC_ACQUIRE) ||
	       !__atomic_load_n(&p[1].done, __ATOMIC_ACQUIRE)) {
		for (i = 0; i < 2; i++) {
			queue = __atomic_exchange_n(&p[i].queue, 0,
						    __ATOMIC_ACQ_REL);
			if (queue)
				EXPECT_EQ(0, destroy(p[i].fd, queue));
		}
		sched_yield();
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(0, p[i].error);
		EXPECT_EQ(0, close(p[i].fd));
	}
	tally(p[0].rounds + p[1].rounds, "queues destroyed under their producers");
	EXPECT_EQ(0, engines_flush(self->fd));
}

/* Opens, hangs with little time to do so, and closes in the middle of that. */
struct closer {
	unsigned int rounds;
	unsigned int seed;
	int error;
};

static void *close_while_late(void *arg)
{
	struct closer *c = arg;
	struct accel_queue_create queue[2];
	unsigned int i;
	__s64 until;
	__u64 point;
	int fd, ret = 0;

	for (i = 0; i < c->rounds && !ret; i++) {
		fd = accel_open();
		if (fd < 0) {
			ret = fd;
			break;
		}
		ret = queue_create(fd, 0, 1, &queue[0]) ?:
		      queue_create(fd, 0, 1 + i % 3, &queue[1]) ?:
		      submit_hang(fd, queue[0].id, &point) ?:
		      submit_hang(fd, queue[1].id, &point);
		submit_nop(fd, queue[0].id, &point);
		until = now_ns() + rand_r(&c->seed) % 4000000;
		while (now_ns() < until)
			sched_yield();
		close(fd);
	}
	c->error = ret;
	return NULL;
}

/* Whose jobs run on the same engine is not to notice. */
TEST_F_TIMEOUT(kill, closes_during_timeouts, 1800)
{
	struct closer closers[CLIENTS] = {};
	struct accel_queue_create queue;
	pthread_t threads[CLIENTS];
	unsigned long ended = 0;
	__u64 point;
	int i;

	ASSERT_EQ(0, queue_create(self->fd, 0, self->dev.timeout_max_ms,
				  &queue));
	for (i = 0; i < CLIENTS; i++) {
		closers[i].rounds = rounds(100, 1000);
		closers[i].seed = i;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, close_while_late,
					    &closers[i]));
	}
	for (i = 0; i < CLIENTS; i++) {
		while (pthread_tryjoin_np(threads[i], NULL) == EBUSY) {
			ASSERT_EQ(0, submit_nop(self->fd, queue.id, &point));
			EXPECT_POINT(0, self->fd, queue.timeline, point);
			ended++;
		}
		EXPECT_EQ(0, closers[i].error);
	}
	EXPECT_LT(0, ended);
	tally(CLIENTS * closers[0].rounds, "closes during timeouts");
	EXPECT_EQ(0, engines_flush(self->fd));
}

TEST_HARNESS_MAIN
