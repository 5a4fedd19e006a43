package integration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	coder "github.com/coder/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/valyala/fasthttp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

func init() {
	add(&library{name: "fasthttp", module: "github.com/valyala/fasthttp", servers: []string{"nginx"}, open: openFastHTTP})
	add(&library{name: "fasthttp, DoDeadline", module: "github.com/valyala/fasthttp", servers: []string{"nginx"}, open: openFastHTTPDeadline})
	add(&library{name: "gobwas/ws", module: "github.com/gobwas/ws", servers: []string{"websocket"}, open: openGobwas})
	add(&library{name: "gorilla/websocket", module: "github.com/gorilla/websocket", servers: []string{"websocket"}, open: openGorilla})
	add(&library{name: "coder/websocket", module: "github.com/coder/websocket", servers: []string{"websocket"}, open: openCoder})
	add(&library{name: "http.Client", servers: []string{"nginx"}, open: openHTTP})
	add(&library{name: "http.Client, HTTP/2", servers: []string{"nginx"}, open: openHTTP2})
	add(&library{name: "grpc-go", module: "google.golang.org/grpc", servers: []string{"grpc"}, open: openGRPC})
}

// nginx returns where it speaks HTTP/1 and HTTP/2.
func nginx(at *site) (http1, http2 string) {
	http1, http2, _ = strings.Cut(at.addr["nginx"], " ")
	return http1, http2
}

func openFastHTTP(ctx context.Context, at *site) (*client, error) {
	return fastHTTP(ctx, at, func(c *fasthttp.HostClient, _ context.Context, q *fasthttp.Request, a *fasthttp.Response) error {
		return c.Do(q, a)
	})
}

func openFastHTTPDeadline(ctx context.Context, at *site) (*client, error) {
	return fastHTTP(ctx, at, func(c *fasthttp.HostClient, ctx context.Context, q *fasthttp.Request, a *fasthttp.Response) error {
		until, ok := ctx.Deadline()
		if !ok {
			until = time.Now().Add(time.Hour)
		}
		return c.DoDeadline(q, a, until)
	})
}

func fastHTTP(ctx context.Context, at *site, do func(*fasthttp.HostClient, context.Context, *fasthttp.Request, *fasthttp.Response) error) (*client, error) {
	addr, _ := nginx(at)
	var under net.Conn
	c := &fasthttp.HostClient{
		Addr:                      addr,
		MaxIdemponentCallAttempts: 1,
		DialTimeout: func(addr string, _ time.Duration) (c net.Conn, err error) {
			under, err = at.dial(context.WithoutCancel(ctx), "tcp", addr)
			return under, err
		},
	}
	get := func(ctx context.Context, path string) (string, error) {
		q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(q)
		defer fasthttp.ReleaseResponse(a)
		q.SetRequestURI("http://" + addr + path)
		err := do(c, ctx, q, a)
		return string(a.Body()), err
	}
	if s, err := get(ctx, "/"); err != nil {
		return nil, is(s, "hello\n", err)
	}
	return &client{
		op: func(ctx context.Context) error {
			s, err := get(ctx, "/")
			return is(s, "hello\n", err)
		},
		silent: func(ctx context.Context) error {
			return at.bounded(ctx, under, func() error {
				_, err := get(ctx, "/silent")
				return err
			})
		},
		close: c.CloseIdleConnections,
	}, nil
}

// Frames that arrived with the answer to the handshake are in br.
type gobwasConn struct {
	net.Conn
	br *bufio.Reader
}

func (c gobwasConn) Read(p []byte) (int, error) {
	if c.br != nil && c.br.Buffered() > 0 {
		return c.br.Read(p)
	}
	return c.Conn.Read(p)
}

func openGobwas(ctx context.Context, at *site) (*client, error) {
	c, br, _, err := ws.Dialer{NetDial: at.dial}.Dial(ctx, "ws://"+at.addr["websocket"])
	if err != nil {
		return nil, err
	}
	conn := gobwasConn{c, br}
	talk := func(message string) (string, error) {
		if err := wsutil.WriteClientText(conn, []byte(message)); err != nil {
			return "", err
		}
		p, err := wsutil.ReadServerText(conn)
		return string(p), err
	}
	return talking(at, c, talk, func() { c.Close() }), nil
}

func openGorilla(ctx context.Context, at *site) (*client, error) {
	d := gorilla.Dialer{NetDialContext: at.dial}
	c, _, err := d.DialContext(ctx, "ws://"+at.addr["websocket"], nil)
	if err != nil {
		return nil, err
	}
	talk := func(message string) (string, error) {
		if err := c.WriteMessage(gorilla.TextMessage, []byte(message)); err != nil {
			return "", err
		}
		_, p, err := c.ReadMessage()
		return string(p), err
	}
	return talking(at, c.NetConn(), talk, func() { c.Close() }), nil
}

// talking is a client of a server that echoes, made of a function that knows no ctx.
func talking(at *site, conn net.Conn, talk func(message string) (string, error), close func()) *client {
	return &client{
		op: func(context.Context) error {
			s, err := talk("hello")
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			return at.bounded(ctx, conn, func() error {
				_, err := talk(silence)
				return err
			})
		},
		close: close,
	}
}

func openCoder(ctx context.Context, at *site) (*client, error) {
	transport := &http.Transport{DialContext: at.dial}
	c, _, err := coder.Dial(ctx, "ws://"+at.addr["websocket"], &coder.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		return nil, err
	}
	talk := func(ctx context.Context, message string) (string, error) {
		if err := c.Write(ctx, coder.MessageText, []byte(message)); err != nil {
			return "", err
		}
		_, p, err := c.Read(ctx)
		return string(p), err
	}
	return &client{
		op: func(ctx context.Context) error {
			s, err := talk(ctx, "hello")
			return is(s, "hello", err)
		},
		silent: func(ctx context.Context) error {
			_, err := talk(ctx, silence)
			return err
		},
		close: func() {
			c.CloseNow()
			transport.CloseIdleConnections()
		},
	}, nil
}

func openHTTP(_ context.Context, at *site) (*client, error) {
	addr, _ := nginx(at)
	return overHTTP(addr, &http.Transport{DialContext: at.dial}), nil
}

func openHTTP2(_ context.Context, at *site) (*client, error) {
	_, addr := nginx(at)
	t := &http.Transport{DialContext: at.dial, Protocols: new(http.Protocols)}
	t.Protocols.SetUnencryptedHTTP2(true)
	return overHTTP(addr, t), nil
}

func overHTTP(addr string, t *http.Transport) *client {
	c := &http.Client{Transport: t}
	get := func(ctx context.Context, path string) (string, error) {
		q, err := http.NewRequestWithContext(ctx, "GET", "http://"+addr+path, nil)
		if err != nil {
			return "", err
		}
		a, err := c.Do(q)
		if err != nil {
			return "", err
		}
		defer a.Body.Close()
		p, err := io.ReadAll(a.Body)
		if t.Protocols != nil && a.ProtoMajor != 2 {
			err = errors.Join(err, fmt.Errorf("the answer is %s, not HTTP/2", a.Proto))
		}
		return string(p), err
	}
	return &client{
		op: func(ctx context.Context) error {
			s, err := get(ctx, "/")
			return is(s, "hello\n", err)
		},
		silent: func(ctx context.Context) error {
			_, err := get(ctx, "/silent")
			return err
		},
		close: t.CloseIdleConnections,
	}
}

func openGRPC(_ context.Context, at *site) (*client, error) {
	conn, err := grpc.NewClient("passthrough:///"+at.addr["grpc"],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return at.dial(ctx, "tcp", addr) }))
	if err != nil {
		return nil, err
	}
	c := grpc_health_v1.NewHealthClient(conn)
	return &client{
		op: func(ctx context.Context) error {
			a, err := c.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			return is(a.GetStatus(), grpc_health_v1.HealthCheckResponse_SERVING, err)
		},
		silent: func(ctx context.Context) error {
			w, err := c.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
			for err == nil {
				_, err = w.Recv()
			}
			return err
		},
		close: func() { conn.Close() },
	}, nil
}
