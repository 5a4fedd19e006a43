package net

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// lookUp makes the same look-up in either world.
func lookUp[T any](w *world, what string, std func() (T, error), ours func(ctx context.Context) (T, error)) {
	var v T
	var err error
	if w.isStd() {
		v, err = std()
	} else {
		v, err = ours(w.ctx)
	}
	w.note(what, err, fmt.Sprintf("%T", v), shownDeep(v))
}

// shownDeep shows what pointers in a slice lead to.
func shownDeep(v any) (s []string) {
	switch v := v.(type) {
	case []*MX:
		for _, r := range v {
			s = append(s, fmt.Sprint(*r))
		}
	case []*NS:
		for _, r := range v {
			s = append(s, fmt.Sprint(*r))
		}
	case []*SRV:
		for _, r := range v {
			s = append(s, fmt.Sprint(*r))
		}
	case []IP:
		for _, ip := range v {
			s = append(s, fmt.Sprint(ip, len(ip)))
		}
	case *IPAddr:
		if v != nil {
			s = append(s, fmt.Sprint(*v, len(v.IP)))
		}
	default:
		s = append(s, fmt.Sprint(v))
	}
	return s
}

// TestLookupsAsStd asks a name server of its own.
func TestLookupsAsStd(t *testing.T) {
	nameServer(t)
	inBothWorlds(t, func(w *world) {
		for _, name := range []string{"known.test.", "unknown.test.", "localhost", "127.0.0.1", "::1", "192.0.2.7", "", "bad name", "fe80::1%lo"} {
			lookUp(w, "LookupAddr "+name, func() ([]string, error) { return stdnet.LookupAddr(name) },
				func(ctx context.Context) ([]string, error) { return LookupAddr(ctx, name) })
			lookUp(w, "LookupCNAME "+name, func() (string, error) { return stdnet.LookupCNAME(name) },
				func(ctx context.Context) (string, error) { return LookupCNAME(ctx, name) })
			lookUp(w, "LookupIP "+name, func() ([]IP, error) { return stdnet.LookupIP(name) },
				func(ctx context.Context) ([]IP, error) { return LookupIP(ctx, name) })
			lookUp(w, "LookupMX "+name, func() ([]*MX, error) { return stdnet.LookupMX(name) },
				func(ctx context.Context) ([]*MX, error) { return LookupMX(ctx, name) })
			lookUp(w, "LookupNS "+name, func() ([]*NS, error) { return stdnet.LookupNS(name) },
				func(ctx context.Context) ([]*NS, error) { return LookupNS(ctx, name) })
			lookUp(w, "LookupTXT "+name, func() ([]string, error) { return stdnet.LookupTXT(name) },
				func(ctx context.Context) ([]string, error) { return LookupTXT(ctx, name) })
			for _, service := range []string{"", "sip"} {
				var cname string
				lookUp(w, "LookupSRV "+name, func() (srv []*SRV, err error) {
					cname, srv, err = stdnet.LookupSRV(service, service, name)
					return srv, err
				},
					func(ctx context.Context) (srv []*SRV, err error) {
						cname, srv, err = LookupSRV(ctx, service, service, name)
						return srv, err
					})
				w.note("its name", nil, cname)
			}
			for _, network := range []string{"", "ip", "ip4", "ip6", "ip:1", "ip4:icmp", "ip:nonsense", "ip:", "tcp", "nonsense", "a:b:c"} {
				lookUp(w, "ResolveIPAddr "+network+" "+name, func() (*IPAddr, error) { return stdnet.ResolveIPAddr(network, name) },
					func(ctx context.Context) (*IPAddr, error) { return ResolveIPAddr(ctx, network, name) })
			}
		}
		for _, service := range []string{"http", "domain", "80", "65535", "65536", "-1", "+80", "", "no-such-service"} {
			for _, network := range []string{"tcp", "udp", "tcp4", "ip", "", "nonsense"} {
				lookUp(w, "LookupPort "+network+" "+service, func() (int, error) { return stdnet.LookupPort(network, service) },
					func(ctx context.Context) (int, error) { return LookupPort(ctx, network, service) })
			}
		}
	})
}

// nameServer lets a goroutine answer the default resolver's questions during a
// test: of known.test. it knows something of each type.
func nameServer(t *testing.T) {
	resolveBy(t, func(context.Context, string, string) (Conn, error) {
		c, server := stdnet.Pipe()
		go answer(server)
		return c, nil
	})
}

// resolveBy makes the default resolver connect by dial during a test.
func resolveBy(t *testing.T, dial func(ctx context.Context, network, address string) (Conn, error)) {
	preferred, own := DefaultResolver.PreferGo, DefaultResolver.Dial
	t.Cleanup(func() { DefaultResolver.PreferGo, DefaultResolver.Dial = preferred, own })
	DefaultResolver.PreferGo, DefaultResolver.Dial = true, dial
}

// answer answers questions as they come by TCP: behind their lengths.
func answer(c stdnet.Conn) {
	defer c.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(question) != nil || len(m.Questions) != 1 {
			return
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		if body := known(m.Questions[0]); body != nil {
			h := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET}
			m.Answers = []dnsmessage.Resource{{Header: h, Body: body}}
		} else {
			m.RCode = dnsmessage.RCodeNameError
		}
		packed, err := m.Pack()
		if err != nil {
			return
		}
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	}
}

// known is what is known of a name, or nil.
func known(q dnsmessage.Question) dnsmessage.ResourceBody {
	name := dnsmessage.MustNewName("other.test.")
	switch q.Name.String() {
	case "known.test.", "_sip._sip.known.test.", "7.2.0.192.in-addr.arpa.":
	default:
		return nil
	}
	switch q.Type {
	case dnsmessage.TypeA:
		return &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}
	case dnsmessage.TypeAAAA:
		return &dnsmessage.AAAAResource{AAAA: [16]byte{0x20, 1, 0xd, 0xb8, 15: 7}}
	case dnsmessage.TypeMX:
		return &dnsmessage.MXResource{Pref: 10, MX: name}
	case dnsmessage.TypeNS:
		return &dnsmessage.NSResource{NS: name}
	case dnsmessage.TypeTXT:
		return &dnsmessage.TXTResource{TXT: []string{"text"}}
	case dnsmessage.TypeSRV:
		return &dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 3, Target: name}
	case dnsmessage.TypePTR:
		return &dnsmessage.PTRResource{PTR: name}
	}
	return nil
}

// TestLookupsOfOwnNetwork: on a loop that has names of its own the system's name
// servers are asked nothing.
func TestLookupsOfOwnNetwork(t *testing.T) {
	nameServer(t)
	onHosts(t, []attempt{{ip: v4a}}, func(ctx context.Context, h *hosts) {
		if core.Sockets(ctx).Resolver() == nil {
			t.Fatal("these hosts have no names of their own")
		}
		_, addr := LookupAddr(ctx, "192.0.2.7")
		_, cname := LookupCNAME(ctx, "known.test.")
		_, mx := LookupMX(ctx, "known.test.")
		_, ns := LookupNS(ctx, "known.test.")
		_, txt := LookupTXT(ctx, "known.test.")
		_, _, srv := LookupSRV(ctx, "sip", "sip", "known.test.")
		for _, err := range []error{addr, cname, mx, ns, txt, srv} {
			var dns *DNSError
			if !errors.As(err, &dns) || !dns.IsNotFound {
				t.Error(err)
			}
		}
		if ips, err := LookupIP(ctx, "host"); err != nil || fmt.Sprint(ips) != "["+v4a+"]" {
			t.Error(ips, err)
		}
		if a, err := ResolveIPAddr(ctx, "ip", "host"); err != nil || a.String() != v4a {
			t.Error(a, err)
		}
	})
}

// TestDialWithoutCtx: a task of the Dialer's loop obeys its own scope, other
// goroutines nothing.
func TestDialWithoutCtx(t *testing.T) {
	run(t, func(ctx context.Context) {
		ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		d := &Dialer{Loop: reactor.LoopOf(ctx)}
		dial := func() error {
			c, err := d.Dial("tcp", ln.Addr().String())
			if err != nil {
				return err
			}
			return c.Close()
		}
		if err := dial(); err != nil {
			t.Error(err)
		}
		outside(t, ctx, dial)
		var op *OpError
		if _, err := new(Dialer).Dial("tcp", ln.Addr().String()); !errors.As(err, &op) || op.Err != errNoLoop {
			t.Error("without a loop:", err)
		}
	})
	runWith(t, reactor.Options{Sockets: deaf{}}, func(ctx context.Context) {
		d := &Dialer{Loop: reactor.LoopOf(ctx)}
		err := reactor.Timeout(ctx, time.Millisecond, func(context.Context) error {
			_, err := d.Dial("tcp", "127.0.0.1:1")
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error("in a scope:", err)
		}
		if _, err := DialTimeout(ctx, "tcp", "127.0.0.1:1", time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("DialTimeout:", err)
		}
	})
}

// TestDialValues: the values of a dial's ctx come before those that the loop was
// begun with, wherever it is called from.
func TestDialValues(t *testing.T) {
	type key struct{}
	inner := func(ctx context.Context) error {
		seen := any("nothing")
		d := Dialer{ControlContext: func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
			seen = ctx.Value(key{})
			return errors.New("enough")
		}}
		d.DialContext(context.WithValue(ctx, key{}, "inner"), "tcp", "127.0.0.1:1")
		if seen != "inner" {
			return fmt.Errorf("it had the value %v", seen)
		}
		return nil
	}
	testkit.Leaks(t)
	err := reactor.Run(context.WithValue(context.Background(), key{}, "outer"), func(ctx context.Context) error {
		outside(t, ctx, func() error { return inner(ctx) })
		return inner(ctx)
	})
	if err != nil {
		t.Error(err)
	}
}

// TestMultipathAsStd: the setters are remembered, and a connection tells what it
// uses.
func TestMultipathAsStd(t *testing.T) {
	var d Dialer
	var lc ListenConfig
	for _, use := range []bool{true, false} {
		d.SetMultipathTCP(use)
		lc.SetMultipathTCP(use)
		if d.MultipathTCP() != use || lc.MultipathTCP() != use {
			t.Errorf("%v is not remembered", use)
		}
	}
	inBothWorlds(t, func(w *world) {
		for _, use := range []bool{false, true} {
			var theirs stdnet.ListenConfig
			theirs.SetMultipathTCP(use)
			ln, err := theirs.Listen(context.Background(), "tcp", "127.0.0.1:0")
			w.must(err)
			defer ln.Close()
			var std stdnet.Dialer
			std.SetMultipathTCP(use)
			first, err := std.Dial("tcp", ln.Addr().String())
			w.must(err)
			defer first.Close()
			f, err := first.(interface{ File() (*os.File, error) }).File()
			w.must(err)
			defer f.Close()
			c, err := w.fileConn(f)
			w.must(err)
			uses, err := c.(interface{ MultipathTCP() (bool, error) }).MultipathTCP()
			w.note("MultipathTCP", err, use, uses)
			w.must(c.Close()) // after which std says that it does, whatever it did
		}
	})
}
