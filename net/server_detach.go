package net

import "errors"

// ErrDetached is returned by a handler of [Server.Serve] that keeps its
// connection: the server forgets the connection and does not close it. Whoever
// has it now closes it.
var ErrDetached = errors.New("net: the handler has kept the connection")
