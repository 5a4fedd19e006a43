package reactortest_test

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// FuzzStream looks for a schedule of delays, losses, short reads and writes, and
// orders of tasks under which a byte is lost, doubled or moved.
func FuzzStream(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a schedule of faults is but a string"))
	f.Add(testkit.Pattern(1000))
	msg := testkit.Pattern(3000)
	f.Fuzz(func(t *testing.T, script []byte) {
		reactortest.Options{Shuffle: true}.Script(t, script, func(ctx context.Context, n *network) {
			n.SetLinks(reactortest.Link{Latency: ms, Jitter: 5 * ms, Loss: 0.2, Reset: 0.01})
			server := n.Host("server")
			for _, h := range []*reactortest.Host{n.Hosts()[0], server} {
				h.SetFaults(reactortest.HostFaults{ShortReads: 0.3, ShortWrites: 0.3, Buffers: 1000})
			}
			server.Start(echo)
			reactor.Yield(ctx)
			// A script may lose a packet each time that it is sent again, until its
			// sender gives up, after a quarter of an hour. Then the other end must know.
			c, err := net.Dial(ctx, "tcp", "server:7")
			if err == nil {
				err = through(c, ctx, msg)
			}
			for _, ok := range []error{syscall.ECONNRESET, syscall.EPIPE, syscall.ETIMEDOUT} {
				if errors.Is(err, ok) {
					return
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	})
}
