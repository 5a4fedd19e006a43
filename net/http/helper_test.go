package http

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	stdnet "net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

const patience = testkit.Patience

func TestMain(m *testing.M) {
	testkit.Settle()
	before := testkit.Holdings()
	status := m.Run()
	if err := before.Leaked(); err != nil && status == 0 {
		fmt.Println("after all tests:", err)
		status = 1
	}
	os.Exit(status)
}

var silent = slog.New(slog.DiscardHandler)

// A serving is a server in a loop of its own, which is used by goroutines.
type serving struct {
	addr string
	ctx  context.Context // of the loop
	srv  *Server
	stop func()
}

// serve serves srv in a loop until the test is over, or stop is called.
func serve(t testing.TB, srv *Server) *serving {
	t.Helper()
	return serveOn(t, srv, func(_ context.Context, ln net.Listener) net.Listener { return ln })
}

// serveOn is serve, on what wrap makes of the listener.
func serveOn(t testing.TB, srv *Server, wrap func(ctx context.Context, ln net.Listener) net.Listener) *serving {
	t.Helper()
	v := &serving{srv: srv}
	if srv.Conns.Logger == nil {
		srv.Conns.Logger = silent
	}
	if srv.Conns.Grace == 0 {
		srv.Conns.Grace = time.Second
	}
	cancelled, cancel := context.WithCancel(context.Background())
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- reactor.Options{BlockedAfter: -1}.Run(context.Background(), func(ctx context.Context) error {
			ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
			if err != nil {
				close(started)
				return err
			}
			v.addr, v.ctx = ln.Addr().String(), ctx
			quit := reactor.Async(ctx, func(ctx context.Context) (struct{}, error) {
				_, _, err := reactor.Receive(ctx, cancelled.Done())
				return struct{}{}, err
			})
			serving := reactor.Go(ctx, func(ctx context.Context) error { return srv.Serve(ctx, wrap(ctx, ln)) })
			close(started)
			quit.Wait(ctx)
			serving.Cancel(nil)
			if err := serving.Wait(ctx); err != nil && err != http.ErrServerClosed {
				return err
			}
			return nil
		})
	}()
	<-started
	v.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error("the loop ended with", err)
		}
	})
	t.Cleanup(v.stop)
	return v
}

// std serves handler by the standard library's server.
func std(t testing.TB, srv *http.Server) (addr string) {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv.ErrorLog = log.New(io.Discard, "", 0)
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(ln) }()
	t.Cleanup(func() { srv.Close(); <-done })
	return ln.Addr().String()
}

func dial(t testing.TB, addr string) *stdnet.TCPConn {
	t.Helper()
	c, err := stdnet.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*stdnet.TCPConn)
}

// reset stands for a reset connection at the end of what was read.
const reset = "<reset>"

// exchange sends bytes and their end, and returns all that comes back.
func exchange(t testing.TB, addr, input string) string {
	t.Helper()
	c := dial(t, addr)
	defer c.Close()
	go func() {
		io.WriteString(c, input)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(c)
	if err != nil {
		return string(got) + reset
	}
	return string(got)
}
