package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

// TestSimulation makes members come, talk and leave while links fail and the
// server crashes, and checks that what each of them reads is consistent. With
// -eddy.seeds=10000 it takes a few minutes.
func TestSimulation(t *testing.T) {
	simulate(t, reactortest.Options{Shuffle: true}, testkit.Times(80/slow, 400/slow))
}

// TestSeedDecides runs some seeds twice: nothing else, such as the order of a
// map, may influence a run.
func TestSeedDecides(t *testing.T) {
	simulate(t, reactortest.Options{Shuffle: true, Twice: true}, 10)
}

func simulate(t *testing.T, o reactortest.Options, runs int) {
	log := slog.Default() // the server logs its failures there
	slog.SetDefault(slog.New(slog.DiscardHandler))
	defer slog.SetDefault(log)
	seeds := make([]uint64, runs)
	for i := range seeds {
		seeds[i] = uint64(i + 1)
	}
	o.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		tr := &trial{t: t, net: n, dice: reactortest.Rand(ctx).IntN}
		tr.run(ctx)
	}, seeds...)
}

// A trial is one run: a server, and visitors that share three names.
type trial struct {
	t        testing.TB
	net      *reactortest.Network
	dice     func(n int) int
	hosts    []*reactortest.Host // the server's first
	sessions int
}

var names = []string{"ann", "bob", "cyd"}

func (tr *trial) duration(most time.Duration) time.Duration {
	return most * time.Duration(tr.dice(65)) / 64
}

func (tr *trial) run(ctx context.Context) {
	server := tr.net.Host("chat")
	// Kernels that accept a line in pieces, or only after others were read.
	faults := reactortest.HostFaults{ShortReads: 0.1, ShortWrites: 0.1, Buffers: 16 << tr.dice(8)}
	server.SetFaults(faults)
	server.Start(func(ctx context.Context) error { return serve(ctx, ":70", io.Discard) })
	tr.hosts = []*reactortest.Host{server}
	tr.slow()
	for i := range 5 {
		h := tr.net.Host(fmt.Sprint("pc", i+1))
		h.SetFaults(faults)
		h.Start(tr.visits)
		tr.hosts = append(tr.hosts, h)
	}
	for clock := reactortest.ClockOf(ctx); clock.Now() < 40*time.Second; {
		if reactor.Sleep(ctx, tr.duration(5*time.Second)+time.Millisecond) != nil {
			return // the test has failed
		}
		tr.disturb()
	}
	for _, h := range tr.hosts[1:] {
		h.Stop()
	}
	tr.recover(ctx)
}

// disturb injects a fault into the hosts or the network.
func (tr *trial) disturb() {
	h, other := tr.hosts[tr.dice(len(tr.hosts))], tr.hosts[tr.dice(len(tr.hosts))]
	switch tr.dice(10) {
	default:
		tr.net.Heal()
	case 1:
		tr.net.Partition(h, other)
	case 2:
		tr.net.Cut(h, other)
	case 3, 4:
		tr.slow()
	case 5:
		tr.net.Reset(h, other)
	case 6:
		h.Crash()
	case 7:
		h.Restart()
	}
}

func (tr *trial) slow() {
	tr.net.SetLinks(reactortest.Link{Latency: tr.duration(100 * time.Millisecond), Jitter: tr.duration(100 * time.Millisecond), Loss: 0.05})
}

// recover ends all faults. Once the server has noticed who is gone, every name
// is free, and members get each other's lines.
func (tr *trial) recover(ctx context.Context) {
	tr.net.Heal()
	tr.net.SetLinks(reactortest.Link{Latency: time.Millisecond})
	if server := tr.hosts[0]; !server.Up() {
		server.Restart()
	}
	reactor.Sleep(ctx, 20*time.Minute) // a kernel sends for 15, see tcp_retries2 in tcp(7)
	var first *visitor
	for _, name := range names {
		v := tr.enter(ctx, name)
		if v == nil {
			tr.t.Fatalf("%s can't enter, when all is well again", name)
		}
		defer v.Close()
		if first == nil {
			first = v
			continue
		}
		v.say()
		want := name + ": " + v.text(0)
		err := reactor.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			for first.last != want {
				if err := first.hear(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			tr.t.Fatalf("nobody hears %s, when all is well again: %v", name, err)
		}
	}
}

// visits goes to the room again and again.
func (tr *trial) visits(ctx context.Context) error {
	for reactor.Sleep(ctx, tr.duration(time.Second)+time.Millisecond) == nil {
		v := tr.enter(ctx, names[tr.dice(len(names))])
		if v == nil {
			continue
		}
		reactor.Timeout(ctx, tr.duration(10*time.Second), func(ctx context.Context) error {
			talk := reactor.Go(ctx, func(ctx context.Context) error {
				for reactor.Sleep(ctx, tr.duration(3*time.Second)) == nil && v.say() == nil {
				}
				return nil
			})
			for v.hear(ctx) == nil {
			}
			talk.Cancel(nil)
			return talk.Wait(context.WithoutCancel(ctx))
		})
		v.Close()
	}
	return nil
}

// A visitor tracks what it reads, and detects inconsistencies.
//
// Invariants: present holds the other members of the room; said[name] is the
// session of that name and the number of its lines read, once there was one.
type visitor struct {
	net.Conn
	t       testing.TB
	in      *bufio.Reader
	name    string
	session int
	lines   int // said
	present map[string]bool
	said    map[string][2]int
	last    string
}

// enter returns a visitor that has got a name, or nil.
func (tr *trial) enter(ctx context.Context, name string) *visitor {
	tr.sessions++
	v := &visitor{t: tr.t, session: tr.sessions, name: name, present: map[string]bool{}, said: map[string][2]int{}}
	err := reactor.Timeout(ctx, 10*time.Second, func(ctx context.Context) (err error) {
		if v.Conn, err = net.Dial(ctx, "tcp", "chat:70"); err != nil {
			return err
		}
		v.in = bufio.NewReader(v)
		return v.introduce(ctx)
	})
	if err != nil {
		if v.Conn != nil {
			v.Close()
		}
		return nil
	}
	return v
}

func (v *visitor) introduce(ctx context.Context) error {
	for {
		line, err := v.in.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimSpace(line)
		switch list, ok := strings.CutPrefix(line, "* present:"); {
		case ok:
			for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
				v.present[name] = true
			}
			if v.present[v.name] {
				v.t.Errorf("%s is told that it is present before it has entered", v.name)
			}
			return nil
		case strings.HasPrefix(line, "That name is taken"):
			return io.EOF
		case line == "Your name?":
			if _, err := io.WriteString(v, v.name+"\n"); err != nil {
				return err
			}
		}
	}
}

// say sends the next line, with its session and line number.
func (v *visitor) say() error {
	v.lines++
	_, err := io.WriteString(v, v.text(v.lines-1)+"\n")
	return err
}

func (v *visitor) text(line int) string { return fmt.Sprintf("session %d line %d", v.session, line) }

// hear reads a line and checks it.
func (v *visitor) hear(ctx context.Context) error {
	line, err := v.in.ReadString('\n')
	if err != nil {
		return err
	}
	v.last = strings.TrimSuffix(line, "\n")
	if wrong := v.check(v.last); wrong != "" {
		present := make([]string, 0, len(v.present))
		for name := range v.present {
			present = append(present, name)
		}
		slices.Sort(present)
		v.t.Fatalf("at %v %s, with %v present, reads %q: %s", reactortest.ClockOf(ctx).Now(), v.name, present, v.last, wrong)
	}
	return nil
}

// check returns what is wrong with a line, or "".
func (v *visitor) check(line string) string {
	if rest, news := strings.CutPrefix(line, "* "); news {
		name, what, _ := strings.Cut(rest, " ")
		was := v.present[name]
		switch {
		case name == v.name:
			return "that is its own name"
		case what == "has joined" && was:
			return "but that one is there already"
		case what == "has left" && !was:
			return "but that one was not there"
		}
		delete(v.said, name)
		v.present[name] = what == "has joined"
		if what == "has left" {
			delete(v.present, name)
		}
		return ""
	}
	name, text, _ := strings.Cut(line, ": ")
	var session, n int
	_, err := fmt.Sscanf(text, "session %d line %d", &session, &n)
	before, known := v.said[name]
	v.said[name] = [2]int{session, n}
	switch {
	case err != nil:
		return err.Error()
	case !v.present[name]:
		return "but that one is not there"
	case known && before != [2]int{session, n - 1}:
		return fmt.Sprintf("but the line before was line %d of session %d", before[1], before[0])
	}
	return ""
}
