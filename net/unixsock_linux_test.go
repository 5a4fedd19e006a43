package net

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestAbstractUnixgramAsStd has names that are no files, the user's and the
// kernel's own choice.
func TestAbstractUnixgramAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		name := fmt.Sprint("@eddy-packet-test-", os.Getpid())
		a, err := w.listenUnixgram("unixgram", &UnixAddr{Name: name, Net: "unixgram"})
		w.must(err)
		defer a.Close()
		b, err := w.listenUnixgram("unixgram", &UnixAddr{Net: "unixgram"})
		w.must(err)
		defer b.Close()
		w.note("at", nil, a.LocalAddr(), a.LocalAddr().Network(), strings.HasPrefix(b.LocalAddr().String(), "@"), len(b.LocalAddr().String()))
		p := make([]byte, 8)
		n, err := b.WriteTo([]byte("hello"), a.LocalAddr())
		w.tell("there", err, n)
		n, from, err := a.ReadFrom(p)
		w.tell("ReadFrom", err, n, from.String() == b.LocalAddr().String())
		n, err = a.WriteTo([]byte("back"), from)
		w.tell("back", err, n)
		n, from, err = b.ReadFrom(p)
		w.tell("ReadFrom", err, n, from)
	})
}

func TestAutobindListenersAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		for _, network := range []string{"unix", "unixpacket"} {
			ln, err := w.listen(w.ctx, network, "")
			w.must(err)
			w.note("at", nil, strings.HasPrefix(ln.Addr().String(), "@"), ln.Addr().Network())
			c, err := w.dial(w.ctx, network, ln.Addr().String())
			w.tell("dial", err)
			c.Close()
			w.note("close", ln.Close())
		}
	})
}
