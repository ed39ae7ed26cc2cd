/*
 * LD_PRELOAD for keepalived where the kernel has no IPVS: the socket options by
 * which it changes the table all succeed. Each change of a real server is
 * appended to $BENCH_CHANGES, as "NANOSECONDS ADDRESS:PORT WEIGHT" of the
 * monotonic clock, weight 0 for deleted. Listings are empty.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ip_vs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

typedef int set_function(int, int, int, const void *, socklen_t);
typedef int get_function(int, int, int, void *, socklen_t *);

static void log_change(const struct ip_vs_dest_user *d, int weight)
{
	static int fd = -2;
	if (fd == -2) {
		const char *path = getenv("BENCH_CHANGES");
		fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
	}
	if (fd < 0)
		return;
	struct timespec t;
	char addr[INET_ADDRSTRLEN];
	clock_gettime(CLOCK_MONOTONIC, &t);
	inet_ntop(AF_INET, &d->addr, addr, sizeof addr);
	dprintf(fd, "%lld %s:%u %d\n", t.tv_sec * 1000000000LL + t.tv_nsec, addr, ntohs(d->port), weight);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	static set_function *original;
	if (level == IPPROTO_IP && option >= IP_VS_BASE_CTL && option <= IP_VS_SO_SET_MAX) {
		const struct ip_vs_dest_user *d = (const void *)((const struct ip_vs_service_user *)value + 1);
		if (option == IP_VS_SO_SET_ADDDEST || option == IP_VS_SO_SET_EDITDEST)
			log_change(d, d->weight);
		else if (option == IP_VS_SO_SET_DELDEST)
			log_change(d, 0);
		return 0;
	}
	if (!original)
		original = (set_function *)dlsym(RTLD_NEXT, "setsockopt");
	return original(fd, level, option, value, size);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	static get_function *original;
	if (level == IPPROTO_IP && option >= IP_VS_BASE_CTL && option <= IP_VS_SO_GET_MAX) {
		if (option == IP_VS_SO_GET_SERVICE) {
			errno = ESRCH;
			return -1;
		}
		memset(value, 0, *size);
		if (option == IP_VS_SO_GET_INFO) {
			((struct ip_vs_getinfo *)value)->version = IP_VS_VERSION_CODE;
			((struct ip_vs_getinfo *)value)->size = 4096;
		}
		return 0;
	}
	if (!original)
		original = (get_function *)dlsym(RTLD_NEXT, "getsockopt");
	return original(fd, level, option, value, size);
}
