/* An echo server as plain as it gets: one thread, level-triggered epoll, one
 * buffer. It is the limit that the others are measured by. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[64 << 10];

static void accept_all(int ep, int ln) {
	int fd, one = 1;
	while ((fd = accept4(ln, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	}
}

static void echo(int fd) {
	ssize_t n = read(fd, buf, sizeof buf);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t done = 0; done < n;) {
		ssize_t m = write(fd, buf + done, n - done);
		if (m > 0)
			done += m;
		else if (errno != EAGAIN && errno != EINTR)
			n = -1;
	}
	if (n <= 0)
		close(fd);
}

int main(void) {
	int ln = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	if (bind(ln, (struct sockaddr *)&a, len) || listen(ln, 65535) || getsockname(ln, (struct sockaddr *)&a, &len))
		return perror("listen"), 1;
	printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = ln}, ready[1024];
	epoll_ctl(ep, EPOLL_CTL_ADD, ln, &e);
	for (;;) {
		int n = epoll_wait(ep, ready, 1024, -1);
		for (int i = 0; i < n; i++)
			if (ready[i].data.fd == ln)
				accept_all(ep, ln);
			else
				echo(ready[i].data.fd);
	}
}
