package net

import "github.com/eddyio/eddy/reactor/core"

// A PeerWatch finds out that a connection's peer has left while a handler does
// something else than read. It costs no system call until there is something to
// read. The zero PeerWatch is ready to use, and must not be copied then.
type PeerWatch struct {
	watch core.Watch
	conn  *conn
	tell  func(left bool)
}

// Start makes the loop call tell once, in a callback: with true when the peer has
// closed or reset the connection and there is no unread input, and with false
// when there is input, which hides whether the peer is still there. For a
// connection that wraps one of this package, as TLS does, left concerns the wire.
// Start returns an error if c is no connection of this package and wraps none. It
// must be called by a task of c's loop, while w is stopped.
func (w *PeerWatch) Start(c Conn, tell func(left bool)) error {
	below, err := limitable(c)
	if err != nil {
		return err
	}
	w.conn, w.tell = below, tell
	w.watch.Start(below.fd.Core(), w.look)
	return nil
}

// Stop keeps w from calling its function.
func (w *PeerWatch) Stop() { w.watch.Stop() }

func (w *PeerWatch) look() {
	switch w.conn.input() {
	case noMoreInput:
		w.tell(true)
	case someInput:
		w.tell(false)
	default:
		w.conn.fd.Core().ReadBlocked()
		w.watch.Start(w.conn.fd.Core(), w.look)
	}
}
