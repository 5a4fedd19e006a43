//go:build !coro_nested

package coro

import "iter"

// begin makes the goroutine that runs body, asleep in c's home, which is an
// iter.Pull.
func (c *Coroutine) begin(st *strand, body func()) {
	checkPull()
	s := &c.home
	s.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		s.yield = yield
		c.at = nil
		st.enter()
		defer st.leave()
		body()
	})
}
