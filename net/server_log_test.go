package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	stdnet "net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// TestLogIsSummedUp: the same failure of a thousand peers takes a few lines,
// one of which has their number, and hides no other failures.
func TestLogIsSummedUp(t *testing.T) {
	run(t, func(ctx context.Context) {
		log := &logged{}
		s := newSummary(ctx, log.logger())
		var clock time.Duration
		s.now = func() time.Duration { return clock }
		fail := func(err error, peer int) {
			s.tell(slog.LevelError, "it failed", keyOf(err), "peer", peer, "error", err)
		}
		noTLS := func(peer int) error {
			return &OpError{Op: "read", Addr: &TCPAddr{Port: peer}, Err: errors.New("no TLS")}
		}
		for i := range 1000 {
			fail(noTLS(i), i)
			if i == 500 {
				fail(errors.New("rare"), i)
				fail(&reactor.PanicError{Value: "index out of range", Stack: []byte{byte(i)}}, i)
			}
		}
		if n := strings.Count(log.String(), "no TLS"); n != summaryLines {
			t.Errorf("%d lines, want %d", n, summaryLines)
		}
		for _, once := range []string{"rare", "index out of range"} {
			if strings.Count(log.String(), once) != 1 {
				t.Errorf("%q is hidden: %s", once, log)
			}
		}
		clock += summaryTime
		fail(noTLS(2000), 2000) // the while is over
		if want := fmt.Sprint("times=", 1000-summaryLines, " peer=999 "); strings.Count(log.String(), want) != 1 {
			t.Errorf("not %q: %s", want, log)
		}
		if !strings.Contains(log.String(), "peer=2000") {
			t.Error("the next while has nothing of its own")
		}
		s.end()
		log.text.Reset()
		for i := range 1000 {
			fail(fmt.Errorf("number %d", i), i) // each of a kind of its own
		}
		s.end()
		if n := strings.Count(log.String(), "\n"); n != summaryKinds+summaryLines+1 {
			t.Errorf("%d lines of as many kinds", n)
		}
		if len(s.kinds) != 0 || s.isSet {
			t.Error("something is left at the end")
		}
	})
}

// TestSummaryInTime: a summary is logged although nothing more happens.
func TestSummaryInTime(t *testing.T) {
	run(t, func(ctx context.Context) {
		log := &logged{}
		s := newSummary(ctx, log.logger())
		base := s.now()
		s.now = func() time.Duration { return base + summaryTime - time.Millisecond } // soon over
		s.began = base
		for range summaryLines + 1 {
			s.tell(slog.LevelWarn, "it", "key")
		}
		until(t, ctx, "the sum is told", func() bool { return strings.Contains(log.String(), "times=1") })
	})
}

// TestStuckLogStopsNoServer: hundreds of peers make handlers fail while the log
// is stuck, and the server still answers.
func TestStuckLogStopsNoServer(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	for err == nil { // until the pipe is full
		_, err = w.Write(make([]byte, 4096))
	}
	w.SetWriteDeadline(time.Time{})
	run(t, func(ctx context.Context) {
		ln, err := Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		handler := func(ctx context.Context, c Conn) error {
			b := make([]byte, 8)
			n, err := c.Read(b)
			if err == nil && string(b[:n]) == "fail" {
				i++
				return fmt.Errorf("failure %d", i)
			}
			c.Write(b[:n])
			return err
		}
		s := &Server{Logger: slog.New(slog.NewTextHandler(w, nil))}
		ctx, stop := context.WithCancel(ctx)
		serving := reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
		for range 500 {
			c, err := stdnet.Dial("tcp", ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			c.Write([]byte("fail"))
			defer c.Close()
		}
		c, err := stdnet.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, ctx, c, "hello"); got != "hello" {
			t.Errorf("got %q", got)
		}
		c.Close()
		stop()
		if err := serving.Wait(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
		go func() {
			io.Copy(io.Discard, r)
			r.Close()
		}()
	})
	w.Close()
}
