package poll

import (
	"context"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// While goroutines have as many pipes as they may have, others copy without, and lose
// nothing.
func TestPipesOfGoroutinesAreBounded(t *testing.T) {
	testkit.Leaks(t)
	sys := sockets.System{}
	var all []*pipe
	for range maxPipes {
		p := newPipeApart(sys)
		if p == nil {
			t.Fatalf("no pipe after %d", len(all))
		}
		all = append(all, p)
	}
	defer func() {
		for _, p := range all {
			p.close(sys)
			pipesApart.Add(-1)
		}
		if n := pipesApart.Load(); n != 0 {
			t.Errorf("%d pipes are left", n)
		}
	}()
	if newPipeApart(sys) != nil || pipesApart.Load() != maxPipes {
		t.Errorf("one more pipe: %d", pipesApart.Load())
	}
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		_, err := reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, copyMuch(t, ctx) })
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// copyMuch copies more than a buffer holds, on a goroutine.
func copyMuch(t *testing.T, ctx context.Context) error {
	kind := KindOf(sockets.System{})
	var src, dst FD
	var from, to int
	for f, peer := range map[*FD]*int{&src: &from, &dst: &to} {
		var fd int
		fd, *peer = testkit.SocketPair(t)
		unix.SetNonblock(*peer, false)
		opened := make(chan error, 1)
		reactor.LoopOf(ctx).Post(func() { opened <- f.Open(ctx, fd, &kind) })
		if err := <-opened; err != nil {
			return err
		}
		defer f.Close()
		defer unix.Close(*peer)
	}
	data := testkit.Pattern(4 << 20)
	got := make([]byte, len(data))
	read := make(chan error, 1)
	go func() {
		for p := data; len(p) > 0; {
			n, _ := unix.Write(from, p)
			p = p[max(n, 0):]
		}
		unix.Shutdown(from, unix.SHUT_WR)
	}()
	go func() {
		for p := got; len(p) > 0; {
			n, err := unix.Read(to, p)
			if err != nil || n == 0 {
				read <- io.ErrUnexpectedEOF
				return
			}
			p = p[n:]
		}
		read <- testkit.Same(got, data)
	}()
	if moved, failed := Copy(&dst, &src, 1<<30); failed != nil || moved != int64(len(data)) {
		t.Errorf("%d bytes, %v", moved, failed)
	}
	return <-read
}
