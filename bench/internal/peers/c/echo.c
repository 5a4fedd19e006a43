/* An echo server with nothing in the way: one thread, edge-triggered epoll, each
 * socket registered once, one buffer. A read that does not fill the buffer has
 * drained the socket (see epoll(7)). It is the limit that others are measured by. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What a socket has not taken yet; nothing is read meanwhile. */
struct conn {
	int fd;
	char *rest;
	size_t len, done;
};

static char buf[64 << 10];

static void end(struct conn *c) {
	close(c->fd);
	free(c->rest);
	free(c);
}

/* Returns what could be written of p, or -1. */
static ssize_t put(int fd, const char *p, size_t len) {
	size_t done = 0;
	while (done < len) {
		ssize_t n = write(fd, p + done, len - done);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			return -1;
		done += n > 0 ? n : 0;
	}
	return done;
}

static void echo(struct conn *c, uint32_t events) {
	if (c->rest) {
		ssize_t n = put(c->fd, c->rest + c->done, c->len - c->done);
		if (n < 0)
			return end(c);
		if ((c->done += n) < c->len)
			return;
		free(c->rest);
		c->rest = NULL;
	}
	while (events & ~EPOLLOUT) { /* which tells too of what came while it waited for room */
		ssize_t n = read(c->fd, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		ssize_t m = n <= 0 ? -1 : put(c->fd, buf, n);
		if (m < 0)
			return end(c);
		if (m < n) {
			c->rest = malloc(c->len = n - m), c->done = 0;
			memcpy(c->rest, buf + m, n - m);
			return;
		}
		if (n < (ssize_t)sizeof buf && !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
			return;
	}
}

static void watch(int ep, int fd, void *ptr) {
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = ptr};
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static void accept_all(int ep, int ln) {
	int fd, one = 1;
	while ((fd = accept4(ln, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct conn *c = calloc(1, sizeof *c);
		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(ep, fd, c);
	}
}

int main(void) {
	int ln = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	if (bind(ln, (struct sockaddr *)&a, len) || listen(ln, 65535) || getsockname(ln, (struct sockaddr *)&a, &len))
		return perror("listen"), 1;
	printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	watch(ep, ln, NULL);
	for (;;) {
		struct epoll_event ready[1024];
		int n = epoll_wait(ep, ready, 1024, -1);
		for (int i = 0; i < n; i++)
			if (ready[i].data.ptr)
				echo(ready[i].data.ptr, ready[i].events);
			else
				accept_all(ep, ln);
	}
}
