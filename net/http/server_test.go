package http

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// respond serves handler and returns where.
func respond(t *testing.T, f func(w http.ResponseWriter, r *http.Request)) string {
	return serve(t, &Server{Handler: http.HandlerFunc(f)}).addr
}

func send(t testing.TB, c io.ReadWriter, request string) *http.Response {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// TestHandlerAwaits: handlers are tasks, which wait beside each other.
func TestHandlerAwaits(t *testing.T) {
	b := reactor.NewBarrier(2)
	addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := b.Wait(r.Context()); err != nil {
			t.Error(err)
		}
	})
	var all sync.WaitGroup
	for range 2 {
		c := dial(t, addr)
		all.Go(func() {
			if r := send(t, c, get); r.StatusCode != 200 {
				t.Error(r.Status)
			}
		})
	}
	all.Wait()
}

// TestContextEndsWhenTheClientLeaves: at the end of the stream, at a reset, and
// only when the request was read to its end.
func TestContextEndsWhenTheClientLeaves(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, addr string){
		"closed": func(t *testing.T, addr string) {
			c := dial(t, addr)
			io.WriteString(c, get)
			time.Sleep(0)
			c.Close()
		},
		"closed for sending": func(t *testing.T, addr string) {
			c := dial(t, addr)
			io.WriteString(c, get)
			c.CloseWrite()
			io.ReadAll(c)
		},
		"reset": func(t *testing.T, addr string) {
			c := dial(t, addr)
			io.WriteString(c, get)
			c.SetLinger(0)
			c.Close()
		},
		"with a body": func(t *testing.T, addr string) {
			c := dial(t, addr)
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan error, 1)
			addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
				io.ReadAll(r.Body)
				ended <- reactor.Sleep(r.Context(), patience)
			})
			leave(t, addr)
			if name == "reset" { // it may arrive before the request is read
				select {
				case err := <-ended:
					if !errors.Is(err, context.Canceled) {
						t.Error("the handler's sleep ended with", err)
					}
				case <-time.After(time.Second):
				}
				return
			}
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error("the handler's sleep ended with", err)
			}
		})
	}
}

// TestClientThatOnlyStopsSendingGetsItsAnswer: though the request's context ends.
func TestClientThatOnlyStopsSendingGetsItsAnswer(t *testing.T) {
	large := strings.Repeat("x", 3<<20) // more than the kernel takes at once
	addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
		reactor.Sleep(r.Context(), patience)
		io.WriteString(w, large)
	})
	got := exchange(t, addr, get)
	if !strings.HasSuffix(got, "0\r\n\r\n") || len(got) < len(large) {
		t.Errorf("got %d bytes", len(got))
	}
}

// TestPipelinedRequestIsNoLeaving: input after the request does not end its
// context.
func TestPipelinedRequestIsNoLeaving(t *testing.T) {
	errs := make(chan error, 1)
	addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			errs <- reactor.Sleep(r.Context(), 20*time.Millisecond)
		}
	})
	c := dial(t, addr)
	io.WriteString(c, strings.Replace(get, "/", "/wait", 1))
	time.Sleep(5 * time.Millisecond)
	io.WriteString(c, strings.Replace(get, "GET /", "GET /last", 1))
	in := bufio.NewReader(c)
	for range 2 {
		if _, err := http.ReadResponse(in, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-errs; err != nil {
		t.Error(err)
	}
}

// TestHijackedConnectionOutlivesItsHandler: the server neither closes it nor
// counts it, and what was read ahead is not lost.
func TestHijackedConnectionOutlivesItsHandler(t *testing.T) {
	var kept net.Conn
	var in *bufio.ReadWriter
	var states []http.ConnState
	srv := &Server{ConnState: func(_ net.Conn, s http.ConnState) { states = append(states, s) }}
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kept, in, _ = w.(http.Hijacker).Hijack()
		if _, _, err := w.(http.Hijacker).Hijack(); err != http.ErrHijacked {
			t.Error("a second Hijack:", err)
		}
		if _, err := w.Write([]byte("x")); err != http.ErrHijacked {
			t.Error("Write:", err)
		}
	})
	v := serve(t, srv)
	c := dial(t, v.addr)
	io.WriteString(c, get+"more")
	wait := reactor.Submit(reactor.LoopOf(v.ctx), func(ctx context.Context) (string, error) {
		for srv.Conns.Stats().Active > 0 || kept == nil {
			reactor.Sleep(ctx, time.Millisecond)
		}
		p := make([]byte, 4)
		if _, err := io.ReadFull(in, p); err != nil {
			return "", err
		}
		io.WriteString(kept, "mine")
		return string(p), kept.Close()
	})
	got, err := wait(context.Background())
	answer, _ := io.ReadAll(c)
	if got != "more" || err != nil || string(answer) != "mine" {
		t.Errorf("read %q, %v; the client %q", got, err, answer)
	}
	v.stop()
	if len(states) != 3 || states[2] != http.StateHijacked {
		t.Error("states:", states)
	}
}

func TestConnStates(t *testing.T) {
	var states []string
	srv := &Server{Handler: scenes(), ConnState: func(_ net.Conn, s http.ConnState) { states = append(states, s.String()) }}
	v := serve(t, srv)
	c := dial(t, v.addr)
	send(t, c, get).Body.Close()
	send(t, c, strings.Replace(get, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)).Body.Close()
	io.ReadAll(c)
	v.stop()
	if got := strings.Join(states, " "); got != "new active idle active closed" {
		t.Error(got)
	}
}

// TestTimeouts: each limit ends a connection that exceeds it. A client that is
// held up for longer than the limit tries again with a larger one.
func TestTimeouts(t *testing.T) {
	body := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if r.ContentLength > 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("reading the body:", err)
		}
	})
	for name, c := range map[string]struct {
		srv  func(limit time.Duration) *Server
		send string
		want string
	}{
		"ReadHeaderTimeout, silent":  {func(d time.Duration) *Server { return &Server{ReadHeaderTimeout: d} }, "", ""},
		"ReadHeaderTimeout, partial": {func(d time.Duration) *Server { return &Server{ReadHeaderTimeout: d} }, "GET / HTTP/1.1\r\n", ""},
		"ReadTimeout, header":        {func(d time.Duration) *Server { return &Server{ReadTimeout: d} }, "GET / HTTP/1.1\r\n", ""},
		"ReadTimeout, body": {func(d time.Duration) *Server { return &Server{ReadTimeout: d, Handler: body} },
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200 OK"},
		"IdleTimeout":       {func(d time.Duration) *Server { return &Server{IdleTimeout: d, Handler: body} }, get, "HTTP/1.1 200 OK"},
		"ReadTimeout, idle": {func(d time.Duration) *Server { return &Server{ReadTimeout: d, Handler: body} }, get, "HTTP/1.1 200 OK"},
	} {
		t.Run(name, func(t *testing.T) {
			for limit := 20 * time.Millisecond; ; limit *= 4 {
				conn := dial(t, serve(t, c.srv(limit)).addr)
				io.WriteString(conn, c.send)
				got, err := io.ReadAll(conn)
				if first, _, _ := strings.Cut(string(got), "\r\n"); first == c.want && err == nil {
					return
				}
				if limit > patience/8 {
					t.Fatalf("got %q, %v", got, err)
				}
			}
		})
	}
}

// TestWriteTimeout: a client that does not read does not hold a handler.
func TestWriteTimeout(t *testing.T) {
	ended := make(chan error, 1)
	srv := &Server{WriteTimeout: 30 * time.Millisecond, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				ended <- err
				return
			}
		}
	})}
	c := dial(t, serve(t, srv).addr)
	io.WriteString(c, get)
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

// TestPanics: a panic is logged and ends its connection only.
func TestPanics(t *testing.T) {
	var text bytes.Buffer
	srv := &Server{ErrorLog: log.New(&text, "", 0), Handler: scenes()}
	v := serve(t, srv)
	for _, path := range []string{"/abort", "/panic"} {
		exchange(t, v.addr, strings.Replace(get, "/", path, 1))
	}
	if got := exchange(t, v.addr, get); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("%q", got)
	}
	v.stop()
	if got := text.String(); strings.Count(got, "panic") == 0 || strings.Contains(got, "abort") || !strings.Contains(got, "boom") {
		t.Error(got)
	}
}

// TestShutdown: it waits for requests in progress, closes idle connections, and
// ends Serve.
func TestShutdown(t *testing.T) {
	var begun, goOn reactor.Event
	srv := &Server{Conns: net.Server{Grace: patience}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun.Set()
			goOn.Wait(r.Context())
		}
	})}
	v := serve(t, srv)
	idle, busy := dial(t, v.addr), dial(t, v.addr)
	send(t, idle, get)
	io.WriteString(busy, strings.Replace(get, "/", "/slow", 1))
	done := make(chan error, 1)
	go func() {
		wait := reactor.Submit(reactor.LoopOf(v.ctx), func(ctx context.Context) (struct{}, error) {
			if err := begun.Wait(ctx); err != nil {
				return struct{}{}, err
			}
			return struct{}{}, srv.Shutdown(ctx)
		})
		_, err := wait(context.Background())
		done <- err
	}()
	if p, err := io.ReadAll(idle); err != nil || len(p) > 0 {
		t.Errorf("the idle one: %q, %v", p, err)
	}
	reactor.LoopOf(v.ctx).Post(goOn.Set)
	p, err := io.ReadAll(busy)
	if !strings.HasPrefix(string(p), "HTTP/1.1 200") || !strings.Contains(string(p), "Connection: close") || err != nil {
		t.Errorf("the busy one: %q, %v", p, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestClose: it ends requests in progress.
func TestClose(t *testing.T) {
	ended := make(chan error, 1)
	var srv *Server
	srv = &Server{Conns: net.Server{Grace: patience}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reactor.LoopOf(r.Context()).CallSoon(func() { srv.Close() })
		ended <- reactor.Sleep(r.Context(), patience)
	})}
	c := dial(t, serve(t, srv).addr)
	io.WriteString(c, get)
	io.ReadAll(c)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestContextValues: those of the base, of the server, and of the connection.
func TestContextValues(t *testing.T) {
	type key struct{}
	srv := &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
		a, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if s == nil || s.MaxHeaderBytes != 1234 || a == nil || r.Context().Value(key{}) != "mine" {
			t.Error(s, a)
		}
	})}
	srv.MaxHeaderBytes = 1234
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, key{}, "mine") }
	if r := send(t, dial(t, serve(t, srv).addr), get); r.StatusCode != 200 {
		t.Error(r.Status)
	}
}

// TestStrict refuses what two readers may understand differently.
func TestStrict(t *testing.T) {
	loose, strict := serve(t, &Server{Handler: scenes()}), serve(t, &Server{Handler: scenes(), Strict: true})
	for _, head := range []string{
		"X: a\r\n b\r\n\r\n", "X: a\nY: b\r\n\r\n", "X: a\r\n\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		input := "GET / HTTP/1.1\r\n" + host + head
		if got := exchange(t, loose.addr, input); !strings.HasPrefix(got, "HTTP/1.1 200") {
			t.Errorf("%q by default: %q", head, got)
		}
		if got := exchange(t, strict.addr, input); !strings.HasPrefix(got, "HTTP/1.1 400") {
			t.Errorf("%q, strictly: %q", head, got)
		}
	}
	if got := exchange(t, strict.addr, get); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Error(got)
	}
}

// TestTwoTasksReadOneBody: they take turns, and the loop goes on.
func TestTwoTasksReadOneBody(t *testing.T) {
	addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
		read := func(ctx context.Context) (int, error) {
			n, err := io.Copy(io.Discard, r.Body)
			return int(n), err
		}
		ns, err := reactor.Gather(r.Context(), read, read)
		if err != nil || ns[0]+ns[1] != 4 {
			t.Error(ns, err)
		}
	})
	c := dial(t, addr)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
	time.Sleep(5 * time.Millisecond)
	if r := send(t, c, "cd"); r.StatusCode != 200 {
		t.Error(r.Status)
	}
}

// TestShutdownClosesSilentConnections: those that have not sent a request yet.
func TestShutdownClosesSilentConnections(t *testing.T) {
	srv := &Server{Conns: net.Server{Grace: patience}, Handler: scenes()}
	v := serve(t, srv)
	c := dial(t, v.addr)
	send(t, dial(t, v.addr), get) // so that c is accepted
	go v.stop()
	if p, err := io.ReadAll(c); err != nil || len(p) > 0 {
		t.Errorf("%q, %v", p, err)
	}
	v.stop()
}

// TestGoexit: a handler's runtime.Goexit ends its connection only.
func TestGoexit(t *testing.T) {
	addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/exit" {
			runtime.Goexit()
		}
	})
	if got := exchange(t, addr, strings.Replace(get, "/", "/exit", 1)); got != "" {
		t.Errorf("%q", got)
	}
	if got := exchange(t, addr, get); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("%q", got)
	}
}

// TestReadDeadlineDoesNotSpin: a read deadline that passes while the handler
// waits costs the loop no more than that.
func TestReadDeadlineDoesNotSpin(t *testing.T) {
	addr := respond(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		l := reactor.LoopOf(r.Context())
		before := l.Metrics().Turns
		if err := reactor.Sleep(r.Context(), 50*time.Millisecond); err != nil {
			t.Error(err)
		}
		if n := l.Metrics().Turns - before; n > 100 {
			t.Errorf("%d turns", n)
		}
	})
	if r := send(t, dial(t, addr), get); r.StatusCode != 200 {
		t.Error(r.Status)
	}
}
