package reactor

// A guestList is the tasks parked under a scope that another one executes, as
// happens when a task uses a ctx of its maker's: longest-parked first.
type guestList struct{ first, last *worker }

func (g *guestList) add(w *worker) {
	w.guestOf, w.nextGuest, w.prevGuest = g, nil, g.last
	if g.last != nil {
		g.last.nextGuest = w
	} else {
		g.first = w
	}
	g.last = w
}

func (g *guestList) remove(w *worker) {
	if w.prevGuest != nil {
		w.prevGuest.nextGuest = w.nextGuest
	} else {
		g.first = w.nextGuest
	}
	if w.nextGuest != nil {
		w.nextGuest.prevGuest = w.prevGuest
	} else {
		g.last = w.prevGuest
	}
	w.guestOf, w.nextGuest, w.prevGuest = nil, nil, nil
}

func (s *scope) wakeGuests() {
	if e := s.extra.Load(); e != nil {
		for e.guests.first != nil {
			e.guests.first.wake(wokenCanceled)
		}
	}
}
