package core

import "github.com/eddyio/eddy"

// What tests outside of the package look at.

// Labelled reports whether a ctx of the loop may have labels.
func (l *Loop) Labelled() bool { return l.labelled.Load() }

// Debugged reports whether the loop was made for debugging, and how slow a step is.
func (l *Loop) Debugged() (on bool, slow int64) { return l.scratch.debug, int64(l.slow) }

// Dispatch hands the loop an event, as the poller does.
func (l *Loop) Dispatch(e eddy.Event) { l.fds.dispatch(e) }

// Asleep reports whether the loop has said that it sleeps.
func (l *Loop) Asleep() bool { return l.inbox.asleep.Load() }

// Posted reports whether there is a message for the loop.
func (l *Loop) Posted() bool { return !l.inbox.empty() }

// PostAtOnce puts n messages in before the loop can take any.
func (l *Loop) PostAtOnce(n int, f func()) {
	first := &Message{Hook: HookFunc(f)}
	last := first
	for range n - 1 {
		last = &Message{next: last, Hook: HookFunc(f)}
	}
	for {
		first.next = l.inbox.latest.Load()
		if l.inbox.latest.CompareAndSwap(first.next, last) {
			return
		}
	}
}

// Slot returns the FD's place in the loop's table.
func (f *FD) Slot() uint32 { return f.slot }

// Undrained reports whether a short read would not mean that the next one blocks.
func (f *FD) Undrained() bool { return f.flags&undrained != 0 }

// Unknown reports whether nobody can know the task.
func (t *Task) Unknown() bool { return t.unknown() }

// Unclaimed returns how many failures the task could yet ask for.
func (t *Task) Unclaimed() (n int) {
	if e := t.scope.extra.Load(); e != nil && e.unclaimed != nil {
		for f := e.unclaimed; ; f = f.next {
			if n++; f.next == e.unclaimed {
				break
			}
		}
	}
	return n
}

// Afresh reports whether nothing of its last task is left in the worker.
func (w *Worker) Afresh() bool {
	return w.task == nil && w.scope == nil && w.shadow == nil && w.state == idle
}

// Followers returns how many scopes follow contexts below s, and reports whether the
// list of them is right.
func (s *Scope) Followers() (n int, right bool) {
	list := &s.extra.Load().followers
	var last *follower
	for f := list.first; f != nil; f = f.next {
		if f.prev != last || f.of != list {
			return n, false
		}
		n, last = n+1, f
	}
	return n, list.last == last
}

// Looks returns how often the watchdog has looked.
func Looks() int64 { return watchdog.looks.Load() }
