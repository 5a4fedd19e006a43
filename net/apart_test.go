package net

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io"
	stdnet "net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// These tests make connections, listeners and lookups on a goroutine while the
// loop is blocked.

// notForGoroutines lists the functions that take a ctx but can't be called by
// goroutines without the loop, with the reasons.
var notForGoroutines = map[string]string{
	"Serve": servesTasks, "Server.Serve": servesTasks, "ServeReady": servesTasks, "Server.ServeReady": servesTasks,
	"NewWriter": writesInTasks, "Writer.Drain": writesInTasks, "Writer.Flush": writesInTasks,
	"Draining": "is about the ctx", "UntilDrain": "makes a scope of the caller's task",
	"NewBranch": "its loop is the caller's", "Branch.Give": "see TestBranchCountsConnections",
}

const (
	servesTasks   = "a handler is a task"
	writesInTasks = "a Writer has a task"
)

// opening returns this package's functions that take a ctx, or dial.
func opening(t *testing.T) []string {
	t.Helper()
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Skip(err)
	}
	var names []string
	for _, file := range p.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() || !takesContext(f) && f.Name.Name != "Dial" {
				continue
			}
			name := f.Name.Name
			if f.Recv != nil {
				name = typeName(f.Recv.List[0].Type) + "." + name
			}
			if ast.IsExported(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func takesContext(f *ast.FuncDecl) bool {
	if len(f.Type.Params.List) == 0 {
		return false
	}
	s, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Context"
}

// A calledApart has what the calls of TestOpenWhileTheLoopStands need.
type calledApart struct {
	t        *testing.T
	loop     *reactor.Loop
	tcp, udp string // addresses of std's sockets
	unix     string
	dgram    string
	files    map[string]*os.File
}

func newCalledApart(t *testing.T, ctx context.Context) *calledApart {
	t.Helper()
	a := &calledApart{t: t, loop: reactor.LoopOf(ctx), unix: anyAddr(t, "unix"), dgram: anyAddr(t, "unix"), files: map[string]*os.File{}}
	keep := func(name string, c any, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		f, err := c.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		a.files[name] = f
		t.Cleanup(func() { f.Close(); c.(io.Closer).Close() })
		switch c := c.(type) {
		case Listener:
			return c.Addr().String()
		case Conn:
			return c.LocalAddr().String()
		}
		return ""
	}
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	a.tcp = keep("listener", ln, err)
	c, err := stdnet.Dial("tcp", a.tcp)
	keep("conn", c, err)
	p, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
	a.udp = keep("packets", p, err)
	ln, err = stdnet.Listen("unix", a.unix)
	keep("unix", ln, err)
	p, err = stdnet.ListenPacket("unixgram", a.dgram)
	keep("unixgram", p, err)
	return a
}

var loopbackAny = IPv4(127, 0, 0, 1)

// dial calls one of the functions that dial, or returns nil.
func (a *calledApart) dial(ctx context.Context, name string) (any, error) {
	d := &Dialer{Timeout: time.Hour, Loop: a.loop}
	tcp, udp := netip.MustParseAddrPort(a.tcp), netip.MustParseAddrPort(a.udp)
	from := netip.MustParseAddrPort("127.0.0.1:0")
	switch name {
	case "Dial":
		return Dial(ctx, "tcp", a.tcp)
	case "DialTimeout":
		return DialTimeout(ctx, "udp", a.udp, time.Hour)
	case "Dialer.Dial":
		d.LocalAddr = &TCPAddr{IP: loopbackAny}
		return d.Dial("tcp", a.tcp)
	case "Dialer.DialContext":
		return d.DialContext(ctx, "unix", a.unix)
	case "DialTCP":
		return DialTCP(ctx, "tcp4", &TCPAddr{IP: loopbackAny}, stdnet.TCPAddrFromAddrPort(tcp))
	case "Dialer.DialTCP":
		return d.DialTCP(context.Background(), "tcp", from, tcp)
	case "DialUDP":
		return DialUDP(ctx, "udp", nil, stdnet.UDPAddrFromAddrPort(udp))
	case "Dialer.DialUDP":
		return d.DialUDP(ctx, "udp4", from, udp)
	case "DialUnix":
		return DialUnix(ctx, "unixgram", nil, &UnixAddr{Name: a.dgram})
	case "Dialer.DialUnix":
		return d.DialUnix(ctx, "unix", &UnixAddr{Name: anyAddr(a.t, "unix"), Net: "unix"}, &UnixAddr{Name: a.unix, Net: "unix"})
	}
	return a.listen(ctx, name)
}

func (a *calledApart) listen(ctx context.Context, name string) (any, error) {
	lc := &ListenConfig{}
	switch name {
	case "Listen":
		return Listen(ctx, "tcp", "127.0.0.1:0")
	case "ListenConfig.Listen":
		return lc.Listen(ctx, "unix", anyAddr(a.t, "unix"))
	case "ListenTCP":
		return ListenTCP(ctx, "tcp", nil)
	case "ListenUnix":
		return ListenUnix(ctx, "unix", &UnixAddr{Name: anyAddr(a.t, "unix")})
	case "ListenPacket":
		return ListenPacket(ctx, "udp", "127.0.0.1:0")
	case "ListenConfig.ListenPacket":
		return lc.ListenPacket(ctx, "unixgram", anyAddr(a.t, "unix"))
	case "ListenUDP":
		return ListenUDP(ctx, "udp", nil)
	case "ListenUnixgram":
		return ListenUnixgram(ctx, "unixgram", &UnixAddr{Name: anyAddr(a.t, "unix")})
	case "ListenMulticastUDP":
		c, err := ListenMulticastUDP(ctx, "udp4", nil, &UDPAddr{IP: IPv4(224, 0, 0, 250)})
		if c == nil {
			a.t.Log(err) // there may be no network for it
			return nil, nil
		}
		return c, err
	case "FileConn":
		return FileConn(ctx, a.files["conn"])
	case "FilePacketConn":
		return FilePacketConn(ctx, a.files["packets"])
	case "FileListener":
		return FileListener(ctx, a.files["listener"])
	}
	return a.lookUp(ctx, name)
}

// lookUp calls a function that resolves names. Of what is looked up only hosts
// and services are known.
func (a *calledApart) lookUp(ctx context.Context, name string) (any, error) {
	unknown := func(err error) (any, error) {
		if dns := (*DNSError)(nil); err == nil || errors.As(err, &dns) {
			return nil, nil
		}
		return nil, err
	}
	switch name {
	case "LookupHost":
		return LookupHost(ctx, "localhost")
	case "LookupIP":
		return LookupIP(ctx, "localhost")
	case "LookupPort":
		return LookupPort(ctx, "tcp", "http")
	case "ResolveTCPAddr":
		return ResolveTCPAddr(ctx, "tcp", "localhost:http")
	case "ResolveUDPAddr":
		return ResolveUDPAddr(ctx, "udp", "localhost:80")
	case "ResolveIPAddr":
		return ResolveIPAddr(ctx, "ip4:icmp", "localhost")
	case "LookupAddr":
		_, err := LookupAddr(ctx, "127.0.0.1")
		return unknown(err)
	case "LookupCNAME":
		_, err := LookupCNAME(ctx, "eddy.invalid")
		return unknown(err)
	case "LookupMX":
		_, err := LookupMX(ctx, "eddy.invalid")
		return unknown(err)
	case "LookupNS":
		_, err := LookupNS(ctx, "eddy.invalid")
		return unknown(err)
	case "LookupSRV":
		_, _, err := LookupSRV(ctx, "http", "tcp", "eddy.invalid")
		return unknown(err)
	case "LookupTXT":
		_, err := LookupTXT(ctx, "eddy.invalid")
		return unknown(err)
	}
	return nil, fmt.Errorf("this test does not know %s: add a call, or the reason why goroutines can't make it", name)
}

// Every function that makes a connection or a listener, or resolves a name,
// works for a goroutine while the loop is blocked.
func TestOpenWhileTheLoopStands(t *testing.T) {
	withoutDNS(t)
	names := opening(t)
	for name := range notForGoroutines {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") {
			t.Errorf("there is no %s", name)
		}
	}
	for _, name := range names {
		if notForGoroutines[name] != "" {
			continue
		}
		run(t, func(ctx context.Context) {
			a := newCalledApart(t, ctx)
			testkit.Blocking(t, name, func() error {
				v, err := a.dial(ctx, name)
				if c, ok := v.(io.Closer); ok && err == nil {
					err = c.Close()
				}
				return err
			})
		})
	}
}

// withoutDNS makes lookups that leave the machine fail.
func withoutDNS(t *testing.T) {
	resolveBy(t, func(context.Context, string, string) (Conn, error) {
		return nil, errors.New("there is no server")
	})
}

// What a goroutine has opened is for tasks too, and the loop closes it at its
// end, except connections.
func TestTasksUseWhatAGoroutineHasOpened(t *testing.T) {
	path := anyAddr(t, "unix")
	var ln, idle Listener
	var p, quiet PacketConn
	run(t, func(ctx context.Context) {
		var c *TCPConn
		testkit.Blocking(t, "opening", func() (err error) {
			if ln, err = Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
				return err
			}
			if idle, err = Listen(ctx, "unix", path); err != nil {
				return err
			}
			if p, err = ListenPacket(ctx, "udp", "127.0.0.1:0"); err != nil {
				return err
			}
			if quiet, err = ListenPacket(ctx, "udp", "127.0.0.1:0"); err != nil {
				return err
			}
			c, err = DialTCP(ctx, "tcp", &TCPAddr{IP: loopbackAny}, ln.Addr().(*TCPAddr))
			return err
		})
		if t.Failed() {
			return
		}
		defer c.Close()
		a, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		reading := reactor.Async(ctx, func(context.Context) (string, error) {
			b := make([]byte, 5)
			_, err := io.ReadFull(a, b)
			return string(b), err
		})
		parked(ctx)
		c.Write([]byte("hello"))
		if got, err := reading.Await(ctx); got != "hello" || err != nil {
			t.Error(got, err)
		}
		p.SetReadDeadline(past())
		if _, _, err := p.ReadFrom(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("ReadFrom:", err)
		}
		p.SetReadDeadline(time.Time{})
	})
	if t.Failed() {
		return
	}
	for i, err := range []error{
		second(ln.Accept()), second(idle.Accept()), p.SetDeadline(past()), quiet.SetDeadline(past()), ln.Close(), quiet.Close(),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("call %d after the loop's end: %v", i, err)
		}
	}
	if exists(path) {
		t.Error("the loop's end left the Unix listener's file")
	}
}

func second[T any](_ T, err error) error { return err }

// After the loop's end nothing can be opened.
func TestOpenAfterTheLoopsEnd(t *testing.T) {
	testkit.Leaks(t)
	var loop *reactor.Loop
	var late context.Context
	run(t, func(ctx context.Context) { late, loop = context.WithoutCancel(ctx), reactor.LoopOf(ctx) })
	if _, err := (&Dialer{Loop: loop}).DialTCP(context.Background(), "tcp", netip.AddrPort{}, netip.MustParseAddrPort("127.0.0.1:1")); !errors.Is(err, ErrClosed) {
		t.Error("DialTCP:", err)
	}
	if _, err := Listen(late, "tcp", "127.0.0.1:0"); !errors.Is(err, ErrClosed) {
		t.Error("Listen:", err)
	}
	if _, err := LookupHost(late, "localhost"); !errors.Is(err, ErrClosed) {
		t.Error("LookupHost:", err)
	}
}
