/*
 * The floor: what a check costs a program that does nothing else, in C on epoll
 * with one thread. Every check is a socket, a non-blocking connect, one wait, for
 * http one request and the answer up to its end, and close.
 *
 *     floor connect|http SERVERS PORT RATE TICK_MS SECONDS
 *
 * asks the servers on 127.1.x.y one after the other, RATE checks a second, those
 * that are due started together every TICK_MS. It prints the CPU microseconds
 * per check, user and system, and how many checks failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";

struct check {
	int fd, asked, got;
	char answer[512];
	struct check *next;
};

static int epoll, http, servers, port;
static long started, ended, failed;
static struct check *unused;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void end(struct check *c, int up)
{
	close(c->fd);
	ended++;
	failed += !up;
	c->next = unused;
	unused = c;
}

static void start(void)
{
	struct check *c = unused ? unused : malloc(sizeof *c);
	if (unused)
		unused = c->next;
	int i = started++ % servers;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(0x7f010000u + (i / 250 << 8) + 1 + i % 250),
	};
	c->asked = c->got = 0;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) {
		end(c, 0);
		return;
	}
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
	epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static void receive(struct check *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->answer + c->got, sizeof c->answer - c->got, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0) {
			c->got += n;
			continue;
		}
		end(c, n == 0 && c->got > 12 && !memcmp(c->answer + 8, " 200", 4));
		return;
	}
}

static void ready(struct check *c)
{
	if (c->asked) {
		receive(c);
		return;
	}
	int err = 0;
	socklen_t size = sizeof err;
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &size);
	if (err || !http) {
		end(c, !err);
		return;
	}
	c->asked = 1;
	if (send(c->fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
		end(c, 0);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	http = !strcmp(argv[1], "http");
	servers = atoi(argv[2]);
	port = atoi(argv[3]);
	double rate = atof(argv[4]), tick = atof(argv[5]) / 1e3, seconds = atof(argv[6]);
	long total = rate * seconds, ticks = 0;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	epoll = epoll_create1(EPOLL_CLOEXEC);

	double began = now();
	while (ended < total) {
		double left = began + ticks * tick - now();
		if (left <= 0) {
			ticks++;
			for (long due = rate * tick * ticks; started < due && started < total;)
				start();
			continue;
		}
		struct epoll_event events[256];
		int n = epoll_wait(epoll, events, 256, (int)(left * 1e3) + 1);
		for (int i = 0; i < n; i++)
			ready(events[i].data.ptr);
	}
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	printf("%.3f %.3f %ld\n",
	       (used.ru_utime.tv_sec * 1e6 + used.ru_utime.tv_usec) / total,
	       (used.ru_stime.tv_sec * 1e6 + used.ru_stime.tv_usec) / total, failed);
	return 0;
}
