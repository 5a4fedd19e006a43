package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactortest"
)

const clients, busy = 3, 40 * time.Second

// TestSimulation makes clients count while nodes crash and links fail, and
// checks the answers. With -eddy.seeds=10000 it takes a few minutes.
func TestSimulation(t *testing.T) {
	o := reactortest.Options{Shuffle: true}
	o.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		newTrial(t, ctx, n, reactortest.Rand(ctx).IntN).run(ctx)
	}, seeds(testkit.Times(40/slow, 200/slow))...)
}

func seeds(n int) (s []uint64) {
	for i := range n {
		s = append(s, uint64(i+1))
	}
	return s
}

// FuzzSimulation is the same with bytes in place of a seed: the first ones
// choose events of the hosts and actions of the clients, the others are for the
// network.
func FuzzSimulation(f *testing.F) {
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, script []byte) {
		const most = 256
		plan := script[:min(most, len(script))]
		choose := func(n int) int {
			if len(plan) == 0 {
				return 0
			}
			c := int(plan[0]) * n >> 8
			plan = plan[1:]
			return c
		}
		o := reactortest.Options{Shuffle: true}
		o.Script(t, script[len(plan):], func(ctx context.Context, n *reactortest.Network) {
			newTrial(t, ctx, n, choose).run(ctx)
		})
	})
}

// A trial is one run: three nodes, their disks, and clients that check all
// answers.
type trial struct {
	t       testing.TB
	net     *reactortest.Network
	choose  func(n int) int
	names   []string
	hosts   []*reactortest.Host
	disks   []*disk
	nodes   []*node
	history history
}

func newTrial(t testing.TB, ctx context.Context, n *reactortest.Network, choose func(int) int) *trial {
	tr := &trial{t: t, net: n, choose: choose, names: []string{"n1:71", "n2:71", "n3:71"}}
	for i := range nodes {
		h := n.Host(fmt.Sprint("n", i+1))
		// The worst clocks allowed: any time of day, and up to 5% too fast or
		// too slow.
		h.SetClock(tr.duration(10*time.Second)-5*time.Second, choose(100_001)-50_000)
		h.SetFaults(reactortest.HostFaults{ShortReads: 0.05, ShortWrites: 0.05, Buffers: 16 << choose(8)})
		tr.hosts = append(tr.hosts, h)
		tr.disks = append(tr.disks, &disk{trial: tr})
		tr.nodes = append(tr.nodes, nil)
		h.Start(func(ctx context.Context) error {
			tr.nodes[i] = &node{id: i, addrs: tr.names, store: tr.disks[i].mount(), log: slog.New(slog.DiscardHandler)}
			return tr.nodes[i].run(ctx)
		})
	}
	return tr
}

// duration returns a duration from 0 to most, in a few steps.
func (tr *trial) duration(most time.Duration) time.Duration {
	return most * time.Duration(tr.choose(65)) / 64
}

// run makes clients count and read, and injects faults. Then it ends all
// faults, and the counter must work.
func (tr *trial) run(ctx context.Context) {
	for i := range clients {
		h := tr.net.Host(fmt.Sprint("client", i+1)).Start(tr.client)
		tr.hosts = append(tr.hosts, h)
	}
	for clock := reactortest.ClockOf(ctx); clock.Now() < busy; {
		if reactor.Sleep(ctx, tr.duration(3*time.Second)+250*time.Millisecond) != nil {
			return // the test has failed
		}
		tr.disturb()
	}
	for _, h := range tr.hosts[nodes:] {
		h.Stop()
	}
	tr.recover(ctx)
}

// client counts and reads.
func (tr *trial) client(ctx context.Context) error {
	c := newClient(tr.names)
	defer c.close()
	for reactor.Sleep(ctx, tr.duration(350*time.Millisecond)+50*time.Millisecond) == nil {
		request := []string{"get", "inc"}[tr.choose(2)]
		c.at = tr.choose(nodes) // and not the last leader, because another node may think that it leads
		reactor.Timeout(ctx, 3*time.Second, func(ctx context.Context) error { return tr.ask(ctx, c, request) })
	}
	return nil
}

// ask sends a request, and checks the answer if there is one.
func (tr *trial) ask(ctx context.Context, c *client, request string) error {
	op := tr.history.begin(request)
	v, err := c.ask(ctx, request)
	if err == nil {
		if wrong := tr.history.end(op, v); wrong != nil {
			tr.t.Fatalf("at %v: %v", reactortest.ClockOf(ctx).Now(), wrong)
		}
	}
	return err
}

// disturb injects a fault into the hosts or the network.
func (tr *trial) disturb() {
	node := tr.choose(nodes)
	h, other := tr.hosts[node], tr.hosts[tr.choose(len(tr.hosts))]
	switch tr.choose(10) {
	default:
		tr.net.Heal()
	case 1:
		tr.net.Partition(h)
	case 2:
		tr.net.Partition(h, other)
	case 3:
		tr.net.Cut(h, other)
	case 4:
		tr.net.SetLinks(reactortest.Link{Latency: tr.duration(100 * time.Millisecond), Jitter: tr.duration(100 * time.Millisecond), Loss: 0.05})
	case 5:
		tr.net.Reset(h, other)
	case 6:
		tr.disks[node].mount() // the old one no longer works
		h.Crash()
	case 7:
		tr.disks[node].mount()
		h.Restart()
	}
}

// recover ends all faults, and then the counter must work.
func (tr *trial) recover(ctx context.Context) {
	tr.net.Heal()
	tr.net.SetLinks(reactortest.Link{Latency: time.Millisecond})
	for _, h := range tr.hosts[:nodes] {
		if !h.Up() {
			h.Restart()
		}
	}
	c := newClient(tr.names)
	defer c.close()
	err := reactor.Timeout(ctx, 30*time.Second, func(ctx context.Context) error {
		for errors.Is(tr.ask(ctx, c, "inc"), errUnknown) { // the last answers of an old leader
		}
		return tr.ask(ctx, c, "get")
	})
	if err != nil {
		tr.t.Errorf("when all is well again: %v", err)
	}
	reactor.Sleep(ctx, 3*time.Second)
	if n := len(reactor.AllTasks(ctx)); n > 40 { // about 25 is normal
		tr.t.Errorf("%d tasks are left:\n%s", n, reactor.Dump(ctx))
	}
}

// TestOneHolder checks the nodes' state all the time: at most one holds the
// lease.
func TestOneHolder(t *testing.T) {
	led := 0
	reactortest.Simulate(t, func(ctx context.Context, n *reactortest.Network) {
		tr := newTrial(t, ctx, n, reactortest.Rand(ctx).IntN)
		for range 60 {
			for range tr.choose(300) {
				reactor.Sleep(ctx, 10*time.Millisecond)
				led += tr.holders(ctx)
			}
			tr.disturb()
		}
	}, seeds(50/slow)...)
	if led == 0 {
		t.Error("nobody ever led")
	}
}

func (tr *trial) holders(ctx context.Context) int {
	holders := 0
	for i, n := range tr.nodes {
		if n != nil && tr.hosts[i].Up() && n.lead != nil && n.lead.holds(tr.hosts[i].Context(ctx)) {
			holders++
		}
	}
	if holders > 1 {
		tr.t.Fatalf("at %v: %d nodes hold the lease", reactortest.ClockOf(ctx).Now(), holders)
	}
	return holders
}

// A history records clients' operations and their answers. It must be
// linearizable: equal to that of a counter that performs each operation at one
// moment between request and answer. An operation without an answer may have
// been performed, or be performed later.
type history struct {
	attempts int          // increments begun
	highest  int          // the highest value answered
	counted  map[int]bool // the values of increments
}

type operation struct {
	request string
	floor   int // the highest value answered when it began
}

func (h *history) begin(request string) operation {
	if request == "inc" {
		h.attempts++
	}
	return operation{request, h.highest}
}

// end checks the value that answers an operation.
func (h *history) end(o operation, value int) error {
	if h.counted == nil {
		h.counted = make(map[int]bool)
	}
	h.highest = max(h.highest, value)
	switch {
	case value > h.attempts:
		return fmt.Errorf("%s is told %d, after %d increments at most", o.request, value, h.attempts)
	case o.request == "get" && value < o.floor:
		return fmt.Errorf("get is told %d, but it was %d before", value, o.floor)
	case o.request == "inc" && value <= o.floor:
		return fmt.Errorf("inc is told %d, but it was %d before", value, o.floor)
	case o.request == "inc" && h.counted[value]:
		return fmt.Errorf("two increments are told %d", value)
	case o.request == "inc":
		h.counted[value] = true
	}
	return nil
}

// A disk outlives its host's crashes. A write in progress then may or may not
// happen.
type disk struct {
	trial  *trial
	record record
	mounts int
}

// mount returns the store for a starting node. The previous one no longer
// writes.
func (d *disk) mount() store {
	d.mounts++
	return &mounted{disk: d, mount: d.mounts}
}

type mounted struct {
	*disk
	mount   int
	writing bool
}

var errUnmounted = errors.New("the host has crashed meanwhile")

func (m *mounted) load(ctx context.Context) (record, error) { return m.record, nil }

// save goes on when its caller is cancelled, like a write in a thread.
func (m *mounted) save(ctx context.Context, r record) error {
	if m.writing {
		m.trial.t.Error("a node writes twice at a time")
	}
	m.writing = true
	w := reactor.Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
		defer func() { m.writing = false }()
		reactor.Sleep(ctx, m.trial.duration(5*time.Millisecond))
		if m.mount == m.mounts {
			m.record = r
		}
		reactor.Sleep(ctx, m.trial.duration(5*time.Millisecond))
		if m.mount != m.mounts {
			return errUnmounted
		}
		return nil
	})
	return w.Wait(ctx)
}
