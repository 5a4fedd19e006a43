package core

// A guestList holds the tasks that are parked under a scope that another task
// executes, for instance a ctx of their maker's; longest-parked first.
type guestList struct{ first, last *Worker }

func (g *guestList) add(w *Worker) {
	w.guestOf, w.nextGuest, w.prevGuest = g, nil, g.last
	if g.last != nil {
		g.last.nextGuest = w
	} else {
		g.first = w
	}
	g.last = w
}

func (g *guestList) remove(w *Worker) {
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

func (s *Scope) wakeGuests() {
	if e := s.extra.Load(); e != nil {
		for e.guests.first != nil {
			e.guests.first.Wake(WokenCanceled)
		}
	}
}
