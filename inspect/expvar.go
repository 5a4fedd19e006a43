package inspect

import (
	"expvar"

	"github.com/eddyio/eddy/reactor/core"
)

// Publish makes the health of all loops a variable of package expvar, under a name: a list
// of objects with the loop's id, name, and health, as in a [Snapshot]. The loops are
// not asked. It panics if the name is taken.
func Publish(name string) {
	expvar.Publish(name, expvar.Func(func() any { return healths() }))
}

// loopHealth is a loop in the expvar variable.
type loopHealth struct {
	ID     uint64 `json:"id"`
	Name   string `json:"name"`
	Health Health `json:"health"`
}

func healths() []loopHealth {
	all := []loopHealth{}
	for _, l := range core.Loops() {
		all = append(all, loopHealth{l.Number(), l.Main(), healthOf(l.Metrics())})
	}
	return all
}
