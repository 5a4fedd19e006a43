package net

import (
	"context"
	"errors"
	"io"
	stdnet "net"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// pipeCounter counts the pipes that are open.
type pipeCounter struct {
	splicer
	open map[int]bool // both ends
	peak int
}

func (k *pipeCounter) Pipe() (int, int, error) {
	r, w, err := k.splicer.Pipe()
	if err == nil {
		k.open[r], k.open[w] = true, true
		k.peak = max(k.peak, len(k.open))
	}
	return r, w, err
}

func (k *pipeCounter) Close(fd int) error {
	delete(k.open, fd)
	return k.splicer.Close(fd)
}

// TestSplicePipesAreBounded: peers that take no more of what is copied to them keep no
// more than 64 pipes of their loop; others are copied to without, and lose nothing; and
// the pipes of a burst are given back while a copy goes on.
func TestSplicePipesAreBounded(t *testing.T) {
	k := &pipeCounter{open: map[int]bool{}}
	runWith(t, reactor.Options{Sockets: k}, func(ctx context.Context) {
		const stalled, most = 80, 2 * 64
		var all []*reactor.Task[struct{}]
		var readers []stdnet.Conn
		var writers sync.WaitGroup
		const small, large = 64 << 10, 1 << 20
		msg := testkit.Pattern(4 * large) // more than two sockets and a pipe hold
		relayed := func() (from, to stdnet.Conn) {
			src, from := withStd(t, ctx, "tcp")
			dst, to := withStd(t, ctx, "tcp")
			err := errors.Join( // all those who stall must not use up the kernel's memory for TCP
				from.(*stdnet.TCPConn).SetWriteBuffer(large), src.(*TCPConn).SetReadBuffer(large),
				dst.(*TCPConn).SetWriteBuffer(small), to.(*stdnet.TCPConn).SetReadBuffer(small))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, reactor.Go(ctx, func(context.Context) error {
				defer dst.Close()
				defer src.Close()
				_, err := io.Copy(dst, src)
				return err
			}))
			return from, to
		}
		stall := func() {
			from, to := relayed()
			readers = append(readers, to)
			writers.Go(func() { from.Write(msg); from.Close() })
		}
		for range stalled {
			stall()
		}
		seen, since := 0, time.Now()
		until(t, ctx, "the pipes are used up", func() bool {
			if open := len(k.open); open != seen {
				seen, since = open, time.Now()
			} else if time.Since(since) > time.Second {
				stall() // one whose writer was slow has stalled in a small piece, without a pipe
				since = time.Now()
			}
			return len(k.open) == most
		})
		from, to := relayed()
		outside(t, ctx, func() error {
			go from.Write(msg)
			got := make([]byte, len(msg))
			_, err := io.ReadFull(to, got)
			return errors.Join(err, testkit.Same(got, msg))
		})
		outside(t, ctx, func() error { // the burst ends
			errs := make([]error, len(readers))
			var all sync.WaitGroup
			for i, c := range readers {
				all.Go(func() {
					n, err := io.Copy(io.Discard, c)
					if n != int64(len(msg)) {
						err = errors.Join(err, errors.New("a part is missing"))
					}
					errs[i] = err
				})
			}
			all.Wait()
			writers.Wait()
			return errors.Join(errs...)
		})
		sent := 0
		outside(t, ctx, func() error {
			go io.Copy(io.Discard, to)
			for ; sent < 40; sent++ {
				if _, err := from.Write(msg); err != nil {
					return err
				}
			}
			return nil
		})
		left := len(k.open)
		from.(*stdnet.TCPConn).CloseWrite()
		for _, task := range all {
			if err := task.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
		if k.peak != most || left > 10 || len(k.open) != 0 {
			t.Errorf("at most %d descriptors of pipes, %d after the burst, %d in the end; want %d, a few and 0", k.peak, left, len(k.open), most)
		}
	})
}
