package reactortest_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// town is a simulation of everything at once: streams and datagrams, every fault,
// partitions and crashes, ToThread, a shuffled order and the program's own dice.
func town(t testing.TB, ctx context.Context, n *network) {
	dice := reactortest.Rand(ctx)
	n.SetLinks(reactortest.Link{Latency: ms, Jitter: 30 * ms, Bandwidth: 1 << 20, Loss: 0.05, Duplicate: 0.05, Reorder: 0.05, Reset: 0.001})
	var hosts []*reactortest.Host
	for i := range 5 {
		h := n.Host(fmt.Sprint("h", i))
		h.SetFaults(reactortest.HostFaults{ShortReads: 0.1, ShortWrites: 0.1, AcceptErrors: 0.1, Buffers: 4000})
		h.SetClock(time.Duration(i)*time.Second, i*100)
		hosts = append(hosts, h.Start(echoAndListen))
	}
	for i := range 5 {
		reactor.Go(hosts[i].Context(ctx), func(ctx context.Context) error {
			for round := range 10 {
				to := hosts[dice.IntN(5)].Name() + ":7"
				reactor.Timeout(ctx, 5*time.Second, func(ctx context.Context) error {
					c, err := net.Dial(ctx, []string{"tcp", "udp"}[round%2], to)
					if err != nil {
						return err
					}
					defer c.Close()
					reactor.ToThread(ctx, func(context.Context) (int, error) { return 0, nil })
					if round%2 == 1 {
						_, err := c.Write(testkit.Pattern(dice.IntN(1000)))
						return err
					}
					return through(c, ctx, testkit.Pattern(dice.IntN(20_000)))
				})
				reactor.Sleep(ctx, time.Duration(dice.Int64N(int64(time.Second))))
			}
			return nil
		})
	}
	for range 5 {
		reactor.Sleep(ctx, time.Duration(dice.Int64N(int64(2*time.Second))))
		switch h := hosts[dice.IntN(5)]; dice.IntN(4) {
		case 0:
			n.Partition(h)
		case 1:
			n.Cut(h, hosts[dice.IntN(5)])
		case 2:
			h.Crash()
			reactor.Sleep(ctx, time.Second)
			h.Restart()
		case 3:
			n.Reset(h, hosts[dice.IntN(5)])
		}
	}
	n.Heal()
	reactor.Sleep(ctx, 10*time.Second)
}

// echoAndListen serves port 7, and hears datagrams there.
func echoAndListen(ctx context.Context) error {
	p, err := net.ListenPacket(ctx, "udp", ":7")
	if err != nil {
		return err
	}
	reactor.Go(ctx, func(ctx context.Context) error {
		for {
			if _, _, err := p.ReadFrom(make([]byte, 100)); err != nil {
				return nil
			}
		}
	})
	return echo(ctx)
}

// hashes runs the town under some seeds, and returns their traces' hashes.
func hashes(t testing.TB, o reactortest.Options) string {
	var s strings.Builder
	o.Shuffle = true
	o.OnTrace = func(tr *reactortest.Trace) { fmt.Fprintf(&s, "%d:%016x:%d ", tr.Seed, tr.Hash, tr.Events) }
	o.Simulate(t, func(ctx context.Context, n *network) { town(t, ctx, n) }, seedsTo(10)...)
	return s.String()
}

const hashesEnv = "EDDY_TEST_HASHES"

// TestHashes is run elsewhere, to be compared.
func TestHashes(t *testing.T) {
	s := hashes(t, reactortest.Options{})
	if os.Getenv(hashesEnv) != "" {
		fmt.Println("hashes", s)
	}
}

func hashesOf(t *testing.T, binary string) string {
	cmd := exec.Command(binary, "-test.run=^TestHashes$")
	cmd.Env = append(os.Environ(), hashesEnv+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, s, _ := strings.Cut(string(out), "hashes ")
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// The same seed makes the same run: again, recorded or not, and in another process.
func TestSameElsewhere(t *testing.T) {
	testkit.Leaks(t)
	want := hashes(t, reactortest.Options{})
	if strings.Count(want, ":") != 20 {
		t.Fatal(want)
	}
	if got := hashes(t, reactortest.Options{Record: true}); got != want {
		t.Errorf("recorded:\n%s\nwant:\n%s", got, want)
	}
	if got := hashesOf(t, os.Args[0]); got != want {
		t.Errorf("in another process:\n%s\nwant:\n%s", got, want)
	}
}

// built builds this test's binary in another way, and returns it. It skips the test
// if that can't be built or run here.
func built(t *testing.T, tags string, env ...string) string {
	if testing.Short() {
		t.Skip("takes long")
	}
	binary := filepath.Join(t.TempDir(), "other.test")
	build := exec.Command("go", "test", "-c", "-tags", tags, "-o", binary, ".")
	build.Env = append(os.Environ(), env...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("can't build it: %v %s", err, bytes.TrimSpace(out))
	}
	if err := exec.Command(binary, "-test.run=^$").Run(); err != nil {
		t.Skip("can't run it:", err)
	}
	return binary
}

// buildTags returns the tags that this test is built with.
func buildTags() string {
	info, _ := debug.ReadBuildInfo()
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return s.Value
		}
	}
	return ""
}

// The trace does not depend on the poller that the program is built with, although
// the backends differ in how often they read.
func TestSameOnAnotherBackend(t *testing.T) {
	testkit.NeedsLong(t)
	tags := "kqueue_model"
	if strings.Contains(buildTags(), tags) {
		tags = ""
	}
	want := hashes(t, reactortest.Options{})
	if got := hashesOf(t, built(t, tags)); got != want {
		t.Errorf("with -tags %q:\n%s\nwant:\n%s", tags, got, want)
	}
}

// It is the same on another architecture, if this machine can run one.
func TestSameOnAnotherArchitecture(t *testing.T) {
	testkit.NeedsLong(t)
	if strconv.IntSize == 32 {
		t.Skip("this is the other one")
	}
	want := hashes(t, reactortest.Options{})
	if got := hashesOf(t, built(t, buildTags(), "GOARCH=386", "CGO_ENABLED=0")); got != want {
		t.Errorf("on 386:\n%s\nwant:\n%s", got, want)
	}
}
