package net

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// TestSocat connects socat, if installed, to echo servers of each kind.
func TestSocat(t *testing.T) {
	path, err := exec.LookPath("socat")
	if err != nil {
		t.Skip("socat is not installed")
	}
	const message = "a message for socat to carry\n"
	for _, network := range []string{"tcp", "unix", "udp"} {
		run(t, func(ctx context.Context) {
			address, stop := echoServer(t, ctx, network)
			kind := map[string]string{"tcp": "TCP:", "unix": "UNIX-CONNECT:", "udp": "UDP:"}[network]
			var out []byte
			outside(t, ctx, func() error {
				cmd := exec.Command(path, "-t1", "-", kind+address) // for UDP has no end, it waits a second for one
				cmd.Stdin = strings.NewReader(message)
				deadline := time.AfterFunc(patience/2, func() { cmd.Process.Kill() })
				defer deadline.Stop()
				var err error
				out, err = cmd.CombinedOutput()
				return err
			})
			if string(out) != message {
				t.Errorf("%s: socat got %q", network, out)
			}
			stop()
		})
	}
}

// echoServer starts a server of its own task.
func echoServer(t *testing.T, ctx context.Context, network string) (address string, stop func()) {
	t.Helper()
	if network == "udp" {
		c, err := ListenPacket(ctx, "udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		reactor.Go(ctx, func(context.Context) error {
			p := make([]byte, 1500)
			for {
				n, from, err := c.ReadFrom(p)
				if err != nil {
					return nil // closed
				}
				c.WriteTo(p[:n], from)
			}
		})
		return c.LocalAddr().String(), func() { c.Close() }
	}
	ln, err := Listen(ctx, network, anyAddr(t, network))
	if err != nil {
		t.Fatal(err)
	}
	serving := reactor.Go(ctx, func(ctx context.Context) error { return Serve(ctx, ln, echo) })
	return ln.Addr().String(), func() {
		ln.Close()
		if err := serving.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
}
