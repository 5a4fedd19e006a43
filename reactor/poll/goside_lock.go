package poll

import (
	"os"
)

// lockApart enters, and takes the write lock.
func (f *FD) lockApart() (*goSide, error) {
	g, err := f.enter()
	if err != nil {
		return nil, err
	}
	if !f.core.TryLockApart() && !g.waitForLock() {
		g.leave()
		return nil, os.ErrClosed
	}
	return g, nil
}

// waitForLock waits for the lock, and reports whether it got it before f was
// closed.
func (g *goSide) waitForLock() bool {
	g.mu.Lock()
	if g.closed.Load() {
		g.mu.Unlock()
		return false
	}
	if g.fd.core.LockApart() {
		g.mu.Unlock()
		return true
	}
	granted := make(chan bool, 1)
	g.queue = append(g.queue, granted)
	g.mu.Unlock()
	return <-granted
}

// GrantWrite passes the lock to the goroutine that has waited longest.
func (g *goSide) GrantWrite() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.fd.core.NobodyWaits()
		return false
	}
	first := g.queue[0]
	g.queue = g.queue[1:]
	if len(g.queue) == 0 {
		g.fd.core.NobodyWaits()
	}
	first <- true
	return true
}

func (g *goSide) unlockAndLeave() {
	g.unlock()
	g.leave()
}

func (g *goSide) unlock() {
	for !g.fd.core.UnlockApart() && !g.GrantWrite() {
	}
}

// dismiss wakes the goroutines that wait for the lock because f is closed.
func (g *goSide) dismiss() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, waits := range g.queue {
		waits <- false
	}
	g.queue = nil
	g.fd.core.NobodyWaits()
}
