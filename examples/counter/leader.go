package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eddyio/eddy/reactor"
)

// A leader is a node while it leads a term, or tries to.
type leader struct {
	node      *node
	term      uint64
	until     time.Time            // end of the lease, by the node's clock
	latest    reactor.Watch[state] // with all increments; for the nodes to take
	committed reactor.Watch[state] // the latest committed state of this term, or zero
	taken     [nodes]state         // the latest state that each node has taken
}

// campaign tries to get the lease, and leads as long as it holds it.
func (n *node) campaign(ctx context.Context) {
	l := &leader{node: n, term: n.nextTerm()}
	links := l.links()
	defer closeAll(links)
	s, err := l.renew(ctx, links)
	if err != nil {
		return
	}
	n.log.Info("leading", "term", l.term)
	l.latest.Set(state{l.term, 1, s.value})
	n.lead = l
	err = l.run(ctx, links)
	n.lead = nil
	l.committed.Close() // ends those who wait for it
	n.log.Info("no longer leading", "term", l.term, "reason", err)
}

// nextTerm returns the lowest of this node's terms that it can grant itself. If
// others have promised a later one, they refuse, and one of them will lead.
func (n *node) nextTerm() uint64 {
	term := n.rec.promised + 1
	for term%nodes != uint64(n.id) {
		term++
	}
	return term
}

// links returns a link to each node.
func (l *leader) links() (links []*link) {
	for i, a := range l.node.addrs {
		links = append(links, &link{addr: a})
		if i == l.node.id {
			links[i].self = l.node
		}
	}
	return links
}

func closeAll(links []*link) {
	for _, k := range links {
		k.close()
	}
}

func (l *leader) run(ctx context.Context, links []*link) error {
	return reactor.Group(ctx, func(ctx context.Context, g *reactor.TaskGroup) error {
		for i, k := range l.links() { // other links than those for leases: a link serves one task
			g.Go(func(ctx context.Context) error { return l.replicate(ctx, i, k) })
		}
		for {
			if err := reactor.Sleep(ctx, lease/3); err != nil {
				return err
			}
			_, err := l.renew(ctx, links)
			if errors.Is(err, errRefused) {
				return err
			}
			if !l.holds(ctx) {
				return errMinority
			}
		}
	})
}

// Why a node does not lead.
var (
	errRefused  = errors.New("a later term was granted")
	errMinority = errors.New("too few nodes grant the lease")
)

// renew asks all nodes for a lease, and returns the latest state known to a
// majority. It asks the node itself last: a node that reaches no other must not
// raise its term and then refuse the others' leader.
func (l *leader) renew(ctx context.Context, links []*link) (latest state, err error) {
	sent := reactor.Now(ctx)
	var others []func(ctx context.Context) (state, error)
	for i, k := range links {
		if i != l.node.id {
			others = append(others, func(ctx context.Context) (state, error) { return l.lease(ctx, k) })
		}
	}
	answers, err := reactor.GatherAll(ctx, others...)
	if err != nil {
		return state{}, err
	}
	granted := 0
	for _, a := range answers {
		if errors.Is(a.Err, errRefused) {
			return state{}, a.Err
		}
		if a.Err == nil {
			latest = later(latest, a.Value)
			granted++
		}
	}
	if granted+1 < majority {
		return state{}, errMinority
	}
	own, err := l.lease(ctx, links[l.node.id])
	if err != nil {
		return state{}, err
	}
	l.until = sent.Add(lease - margin)
	return later(latest, own), nil
}

// lease asks one node.
func (l *leader) lease(ctx context.Context, k *link) (s state, err error) {
	answer, err := l.call(ctx, k, fmt.Sprintf("lease %d", l.term), "granted ")
	if err == nil {
		_, err = fmt.Sscan(answer, &s.term, &s.index, &s.value)
	}
	return s, err
}

// call sends a node a request, and returns what follows the word yes in its
// answer.
func (l *leader) call(ctx context.Context, k *link, request, yes string) (string, error) {
	answer, err := k.call(ctx, request)
	if err != nil {
		return "", err
	}
	if answer, ok := strings.CutPrefix(answer, yes); ok {
		return answer, nil
	}
	var promised uint64
	if fmt.Sscanf(answer, "refused %d", &promised); promised > l.term {
		return "", errRefused
	}
	return "", fmt.Errorf("unwilling: %q", answer)
}

// replicate makes a node take the latest state whenever there is a new one.
func (l *leader) replicate(ctx context.Context, i int, k *link) error {
	defer k.close()
	for version := uint64(0); ; {
		s, v, err := l.latest.Next(ctx, version)
		if err != nil {
			return err
		}
		_, err = l.call(ctx, k, "accept "+s.String(), "accepted ")
		switch {
		case err == nil:
			version, l.taken[i] = v, s
			l.commit()
		case errors.Is(err, errRefused):
			return err
		default:
			if err := reactor.Sleep(ctx, patience/5); err != nil {
				return err
			}
		}
	}
}

// commit commits the latest state that a majority has taken.
func (l *leader) commit() {
	taken := l.taken
	slices.SortFunc(taken[:], state.compare)
	s := taken[nodes-majority]
	if c, _ := l.committed.Get(); c.before(s) {
		l.committed.Set(s)
	}
}

// holds reports whether the node holds the lease at this moment.
func (l *leader) holds(ctx context.Context) bool { return reactor.Now(ctx).Before(l.until) }

// get answers a read.
func (l *leader) get(ctx context.Context) string {
	c, _ := l.committed.Get()
	if c.term == 0 || !l.holds(ctx) {
		return "elsewhere"
	}
	return fmt.Sprintf("value %d", c.value)
}

// inc increments, and answers once that is committed. The state changes before
// inc suspends, so that the next increment builds on it.
func (l *leader) inc(ctx context.Context) string {
	s, _ := l.latest.Get()
	s.index++
	s.value++
	l.latest.Set(s)
	for c, version := l.committed.Get(); c.before(s); {
		var err error
		if c, version, err = l.committed.Next(ctx, version); err != nil {
			return "unknown" // another leader may know of it
		}
	}
	return fmt.Sprintf("value %d", s.value)
}
