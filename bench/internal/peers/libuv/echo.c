/* An echo server on libuv: what the socket takes at once goes straight out of the
 * loop's one buffer (uv_try_write), the rest is queued. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char buf[64 << 10];

struct rest {
	uv_write_t req;
	char data[];
};

static void allocate(uv_handle_t *h, size_t suggested, uv_buf_t *b) {
	(void)h, (void)suggested;
	*b = uv_buf_init(buf, sizeof buf);
}

static void gone(uv_handle_t *h) { free(h); }

static void end(uv_stream_t *s) {
	if (!uv_is_closing((uv_handle_t *)s))
		uv_close((uv_handle_t *)s, gone);
}

static void written(uv_write_t *req, int status) {
	if (status < 0)
		end(req->handle);
	free(req);
}

static void got(uv_stream_t *s, ssize_t n, const uv_buf_t *b) {
	if (n < 0)
		return end(s);
	uv_buf_t out = uv_buf_init(b->base, n);
	int m = n ? uv_try_write(s, &out, 1) : 0;
	if (m == UV_EAGAIN)
		m = 0;
	if (m < 0)
		return end(s);
	if (m == n)
		return;
	struct rest *r = malloc(sizeof *r + n - m);
	memcpy(r->data, b->base + m, n - m);
	out = uv_buf_init(r->data, n - m);
	if (uv_write(&r->req, s, &out, 1, written))
		free(r), end(s);
}

static void connected(uv_stream_t *ln, int status) {
	if (status < 0)
		return;
	uv_tcp_t *c = malloc(sizeof *c);
	uv_tcp_init(ln->loop, c);
	if (uv_accept(ln, (uv_stream_t *)c))
		return end((uv_stream_t *)c);
	uv_tcp_nodelay(c, 1);
	uv_read_start((uv_stream_t *)c, allocate, got);
}

int main(void) {
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t ln;
	struct sockaddr_in a;
	int len = sizeof a;
	uv_tcp_init(loop, &ln);
	uv_ip4_addr("127.0.0.1", 0, &a);
	if (uv_tcp_bind(&ln, (struct sockaddr *)&a, 0) || uv_listen((uv_stream_t *)&ln, 65535, connected) ||
	    uv_tcp_getsockname(&ln, (struct sockaddr *)&a, &len))
		return fprintf(stderr, "can't listen\n"), 1;
	printf("listening on 127.0.0.1:%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return uv_run(loop, UV_RUN_DEFAULT);
}
