/*
 * A stand-in for ipvsadm where the kernel has no IPVS: it keeps a table of
 * masqueraded TCP services in the file $BENCH_TABLE and appends each change of a
 * real server to $BENCH_CHANGES, as "NANOSECONDS ADDRESS:PORT WEIGHT" of the
 * monotonic clock, weight 0 for deleted. It knows what ldirectord asks of it:
 * -A -E -D -a -e -d with -t -r -s -w, and -L -n with or without --thresholds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SERVICES = 2048, PER_SERVICE = 64 };

struct destination { char name[24]; int weight; };

struct service {
	char name[24], scheduler[8]; /* no name: none any more */
	int n;
	struct destination list[PER_SERVICE];
};

struct table { int n; struct service list[SERVICES]; };

static int fail(const char *why)
{
	fprintf(stderr, "%s\n", why);
	return 1;
}

static void log_change(const char *name, int weight)
{
	const char *path = getenv("BENCH_CHANGES");
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0644) : -1;
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	if (fd >= 0)
		dprintf(fd, "%lld %s %d\n", t.tv_sec * 1000000000LL + t.tv_nsec, name, weight);
}

static int list(const struct table *t, int thresholds)
{
	printf("IP Virtual Server version 1.2.1 (size=4096)\n");
	if (thresholds)
		printf("Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn\n  -> RemoteAddress:Port\n");
	else
		printf("Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n");
	for (const struct service *s = t->list; s < t->list + t->n; s++) {
		if (!*s->name)
			continue;
		printf("TCP  %s %s\n", s->name, s->scheduler);
		for (const struct destination *d = s->list; d < s->list + s->n; d++) {
			if (thresholds)
				printf("  -> %-28s %-10d %-10d %-10d %-10d\n", d->name, 0, 0, 0, 0);
			else
				printf("  -> %-28s Masq    %-6d %-10d %-10d\n", d->name, d->weight, 0, 0);
		}
	}
	return 0;
}

static int change_service(struct table *t, struct service *s, char op, const char *name, const char *scheduler)
{
	if (!s && op != 'A')
		return fail("No such service");
	if (s && op == 'A')
		return fail("Service already exists");
	if (op == 'D') {
		memset(s, 0, sizeof *s);
		return 0;
	}
	if (!s) {
		if (t->n == SERVICES)
			return fail("too many services");
		s = &t->list[t->n++];
		snprintf(s->name, sizeof s->name, "%s", name);
	}
	snprintf(s->scheduler, sizeof s->scheduler, "%s", scheduler);
	return 0;
}

static int change_destination(struct service *s, char op, const char *name, int weight)
{
	if (!s)
		return fail("Service not defined");
	int i = 0;
	while (i < s->n && strcmp(s->list[i].name, name))
		i++;
	if (i < s->n && op == 'a')
		return fail("Destination already exists");
	if (i == s->n && op != 'a')
		return fail("No such destination");
	if (i == PER_SERVICE)
		return fail("too many destinations");
	if (op == 'd') {
		s->list[i] = s->list[--s->n];
		weight = 0;
	} else {
		s->n += i == s->n;
		snprintf(s->list[i].name, sizeof s->list[i].name, "%s", name);
		s->list[i].weight = weight;
	}
	log_change(name, weight);
	return 0;
}

int main(int argc, char **argv)
{
	char op = 0;
	const char *virtual = "", *real = "", *scheduler = "wlc";
	int weight = 1, thresholds = 0;
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(argv[i], "--thresholds"))
			thresholds = 1;
		else if (strlen(argv[i]) != 2 || argv[i][0] != '-')
			continue;
		else if (strchr("AEDaedL", argv[i][1]))
			op = argv[i][1];
		else if (argv[i][1] == 't')
			virtual = next;
		else if (argv[i][1] == 'r')
			real = next;
		else if (argv[i][1] == 's')
			scheduler = next;
		else if (argv[i][1] == 'w')
			weight = atoi(next);
	}
	const char *path = getenv("BENCH_TABLE");
	int fd = path ? open(path, O_RDWR | O_CREAT, 0644) : -1;
	if (fd < 0 || flock(fd, LOCK_EX) || ftruncate(fd, sizeof(struct table)))
		return fail("no table");
	struct table *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED)
		return fail("no memory");
	if (op == 'L')
		return list(t, thresholds);
	struct service *s = t->list;
	while (s < t->list + t->n && strcmp(s->name, virtual))
		s++;
	if (s == t->list + t->n)
		s = NULL;
	if (op && strchr("AED", op))
		return change_service(t, s, op, virtual, scheduler);
	if (op && strchr("aed", op))
		return change_destination(s, op, real, weight);
	return fail("bad usage");
}
