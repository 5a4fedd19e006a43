//go:build linux

package peers_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eddyio/eddy/bench/internal/load"
	"github.com/eddyio/eddy/bench/internal/peers"
	"github.com/eddyio/eddy/bench/internal/proc"
)

var all = flag.Bool("all", false, "test the peers too that take long to compile")

// Whatever can be built here echoes, more at a time than a socket takes, and goes
// on when connections are reset.
func TestPeersEcho(t *testing.T) {
	proc.RaiseFileLimit()
	var chosen []peers.Peer
	for _, p := range peers.Echo {
		if *all || p.Key != "asio" && p.Key != "tokio" {
			chosen = append(chosen, p)
		}
	}
	built, skipped := peers.Build(t.TempDir(), chosen)
	for _, s := range skipped {
		t.Log(s)
		if s.Peer.Go {
			t.Errorf("%s is written in Go and can't be built", s.Peer.Title)
		}
	}
	for _, p := range built {
		t.Run(p.Key, func(t *testing.T) {
			srv, err := proc.Start(0, p.Argv...)
			if err != nil {
				t.Fatal(err)
			}
			defer srv.Stop()
			for _, size := range []int{64, 4 << 20} {
				if err := loadOnce(srv.Addr, size); err != nil {
					t.Fatalf("%d bytes: %v%s", size, err, srv.Complaints())
				}
			}
			if err := holdBack(srv.Addr); err != nil {
				t.Fatalf("while the client does not read: %v%s", err, srv.Complaints())
			}
			if p.Go {
				if err := srv.Collect(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func loadOnce(addr string, size int) error {
	g, err := load.Dial(addr, 3)
	if err != nil {
		return err
	}
	defer g.Close()
	if err := g.Closed(size, 2); err != nil {
		return err
	}
	for messages := 0.0; messages < 6; {
		s, err := g.Run(10 * time.Millisecond)
		if err != nil {
			return err
		}
		messages += s.Messages
	}
	return nil
}

// holdBack sends much and reads nothing until the server, which can't write any
// more, has stopped reading, or has taken it all; then it reads it all.
func holdBack(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	c.(*net.TCPConn).SetReadBuffer(512 << 10)
	sent := make([]byte, 32<<20)
	for i := range sent {
		sent[i] = byte(i ^ i>>8 ^ i>>16)
	}
	var written atomic.Int64
	failed := make(chan error, 1)
	go func() {
		for p := sent; len(p) > 0; {
			n, err := c.Write(p[:min(len(p), 64<<10)])
			if err != nil {
				failed <- err
				return
			}
			p = p[n:]
			written.Add(int64(n))
		}
		failed <- nil
	}()
	for last := int64(-1); last != written.Load(); time.Sleep(20 * time.Millisecond) {
		last = written.Load()
	}
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if !bytes.Equal(got, sent) {
		return errors.New("what came back is not what was sent")
	}
	return <-failed
}
