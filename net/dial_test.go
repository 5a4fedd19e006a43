package net

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy"
	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/sockets"
)

// jumping is a clock and a poller whose time jumps to the next timer when
// nothing is ready, and stands still otherwise.
type jumping struct {
	*eddy.Poller
	now atomic.Int64
}

func (j *jumping) Now() time.Duration { return time.Duration(j.now.Load()) }

func (j *jumping) Wait(timeout time.Duration) ([]eddy.Event, error) {
	if timeout <= 0 {
		return j.Poller.Wait(timeout)
	}
	events, err := j.Poller.Wait(0)
	if len(events) == 0 && err == nil {
		j.now.Add(int64(timeout))
	}
	return events, err
}

// hosts is a kernel with a script of how connecting ends: at once, with an
// error, or never. Its only name is "host", with the script's addresses in
// order.
type hosts struct {
	sockets.System
	clock  *jumping
	script []attempt
	real   unix.Sockaddr // where connections really go that are made
	log    []string      // what was tried, and when
	open   int           // sockets
}

type attempt struct {
	ip     string
	result error // nil: connected
}

var errNever = errors.New("never")

func (h *hosts) Resolver() sockets.Resolver { return h }

func (h *hosts) LookupHost(host string) (ips []netip.Addr, err error) {
	if host != "host" {
		return nil, &DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	for _, a := range h.script {
		ips = append(ips, netip.MustParseAddr(a.ip))
	}
	return ips, nil
}

func (h *hosts) Socket(_, typ, proto int) (int, error) {
	h.open++
	return h.System.Socket(unix.AF_INET, typ, proto)
}

func (h *hosts) SetInt(fd, level, option, value int) error {
	if level == unix.IPPROTO_IPV6 {
		return nil
	}
	return h.System.SetInt(fd, level, option, value)
}

func (h *hosts) Close(fd int) error {
	h.open--
	return h.System.Close(fd)
}

func (h *hosts) Connect(fd int, to unix.Sockaddr) error {
	ip := address(to).(*TCPAddr).IP.String()
	h.log = append(h.log, fmt.Sprintf("%s at %v", ip, h.clock.Now()-start))
	for _, a := range h.script {
		switch {
		case a.ip != ip:
		case a.result == errNever:
			return unix.EINPROGRESS
		case a.result != nil:
			return a.result
		default:
			return h.System.Connect(fd, h.real)
		}
	}
	return unix.ENETUNREACH
}

// start is when the loops of these tests begin: a deadline of 0 would be none.
const start = time.Hour

// onHosts runs f on a loop with such a kernel and a jumping clock.
func onHosts(t *testing.T, script []attempt, f func(ctx context.Context, h *hosts)) {
	t.Helper()
	ln, err := stdnet.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, err := eddy.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	clock := &jumping{Poller: p}
	clock.now.Store(int64(start))
	real, err := sockaddrFor(unix.AF_INET, ln.Addr())
	if err != nil {
		t.Fatal(err)
	}
	h := &hosts{clock: clock, script: script, real: real}
	testkit.Leaks(t)
	o := reactor.Options{Clock: clock, Poller: clock, Sockets: h}
	err = o.Run(context.Background(), func(ctx context.Context) error {
		f(ctx, h)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if h.open != 0 {
		t.Errorf("%d sockets are left open", h.open)
	}
}

const (
	v6a, v6b = "2001:db8::a", "2001:db8::b"
	v4a, v4b = "192.0.2.1", "192.0.2.2"
)

func TestHappyEyeballs(t *testing.T) {
	for _, test := range []struct {
		name    string
		script  []attempt
		dialer  Dialer
		network string
		log     string // the attempts
		err     string // of the result
		took    time.Duration
	}{
		{name: "the first answers",
			script: []attempt{{ip: v6a}, {ip: v4a}},
			log:    "2001:db8::a at 0s"},
		{name: "IPv6 hangs",
			script: []attempt{{ip: v6a, result: errNever}, {ip: v4a}},
			log:    "2001:db8::a at 0s, 192.0.2.1 at 300ms", took: 300 * time.Millisecond},
		{name: "IPv4 is first, and hangs",
			script: []attempt{{ip: v4a, result: errNever}, {ip: v6a}},
			log:    "192.0.2.1 at 0s, 2001:db8::a at 300ms", took: 300 * time.Millisecond},
		{name: "a delay of one's own",
			script: []attempt{{ip: v6a, result: errNever}, {ip: v4a}}, dialer: Dialer{FallbackDelay: time.Hour},
			log: "2001:db8::a at 0s, 192.0.2.1 at 1h0m0s", took: time.Hour},
		{name: "IPv6 is refused",
			script: []attempt{{ip: v6a, result: unix.ECONNREFUSED}, {ip: v4a}},
			log:    "2001:db8::a at 0s, 192.0.2.1 at 0s"},
		{name: "both are refused: the primary's error",
			script: []attempt{{ip: v6a, result: unix.ECONNREFUSED}, {ip: v4a, result: unix.ENETUNREACH}},
			log:    "2001:db8::a at 0s, 192.0.2.1 at 0s", err: "ECONNREFUSED"},
		{name: "of several, the first one's error",
			script: []attempt{{ip: v6a, result: unix.EHOSTUNREACH}, {ip: v6b, result: unix.ECONNREFUSED}, {ip: v4a, result: unix.ENETUNREACH}},
			log:    "2001:db8::a at 0s, 2001:db8::b at 0s, 192.0.2.1 at 0s", err: "EHOSTUNREACH"},
		{name: "one family after the other",
			script: []attempt{{ip: v6a, result: unix.ECONNREFUSED}, {ip: v4a, result: errNever}, {ip: v6b}},
			log:    "2001:db8::a at 0s, 2001:db8::b at 0s"},
		{name: "the fallback fails, the primary hangs until the end",
			script: []attempt{{ip: v6a, result: errNever}, {ip: v4a, result: unix.ECONNREFUSED}}, dialer: Dialer{Timeout: 10 * time.Second},
			log: "2001:db8::a at 0s, 192.0.2.1 at 300ms", err: "timeout", took: 10 * time.Second},
		{name: "no fallback",
			script: []attempt{{ip: v6a, result: errNever}, {ip: v4a}}, dialer: Dialer{FallbackDelay: -1, Timeout: 10 * time.Second},
			log: "2001:db8::a at 0s, 192.0.2.1 at 5s", took: 5 * time.Second},
		{name: "IPv4 alone",
			script: []attempt{{ip: v6a}, {ip: v4a}}, network: "tcp4",
			log: "192.0.2.1 at 0s"},
		{name: "the time is divided",
			script: []attempt{{ip: v4a, result: errNever}, {ip: v4b, result: errNever}, {ip: "192.0.2.3", result: errNever}}, dialer: Dialer{Timeout: 30 * time.Second},
			log: "192.0.2.1 at 0s, 192.0.2.2 at 10s, 192.0.2.3 at 20s", err: "timeout", took: 30 * time.Second},
		{name: "but not into uselessness",
			script: []attempt{{ip: v4a, result: errNever}, {ip: v4b, result: errNever}, {ip: "192.0.2.3"}}, dialer: Dialer{Timeout: 3 * time.Second},
			log: "192.0.2.1 at 0s, 192.0.2.2 at 2s", err: "timeout", took: 3 * time.Second},
		{name: "too late already",
			script: []attempt{{ip: v4a}}, dialer: Dialer{Timeout: -1},
			err: "timeout"},
		{name: "a deadline",
			script: []attempt{{ip: v4a, result: errNever}}, dialer: Dialer{Deadline: time.Unix(1, 0)},
			err: "timeout"},
	} {
		t.Run(test.name, func(t *testing.T) {
			onHosts(t, test.script, func(ctx context.Context, h *hosts) {
				if test.network == "" {
					test.network = "tcp"
				}
				c, err := test.dialer.DialContext(ctx, test.network, "host:80")
				if c != nil {
					c.Close()
				}
				if got := strings.Join(h.log, ", "); got != test.log {
					t.Errorf("tried %s\nwant  %s", got, test.log)
				}
				if got := describe(err); test.err == "" && err != nil || !strings.Contains(got, test.err) {
					t.Errorf("%s, want %q", got, test.err)
				}
				var op *OpError
				if err != nil && (!errors.As(err, &op) || op.Op != "dial" || op.Addr == nil) {
					t.Errorf("%#v", err)
				}
				if took := h.clock.Now() - start; took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
			})
		})
	}
}

// TestDialCancelled: when the caller gives up, both attempts end at once.
func TestDialCancelled(t *testing.T) {
	script := []attempt{{ip: v6a, result: errNever}, {ip: v4a, result: errNever}}
	onHosts(t, script, func(ctx context.Context, h *hosts) {
		err := reactor.Timeout(ctx, time.Minute, func(ctx context.Context) error {
			_, err := Dial(ctx, "tcp", "host:80")
			return err
		})
		if !errors.Is(err, context.DeadlineExceeded) || h.clock.Now() != start+time.Minute || h.open != 0 {
			t.Error(err, h.clock.Now(), h.open)
		}
	})
}

// TestBothConnect: of two connections made in the same turn, one is closed.
func TestBothConnect(t *testing.T) {
	script := []attempt{{ip: v6a}, {ip: v4a}}
	onHosts(t, script, func(ctx context.Context, h *hosts) {
		d := &dialing{&Dialer{}, "tcp", nil}
		begun := reactor.NewBarrier(2)
		d.one = func(ctx context.Context, network string, to Addr) (Conn, error) {
			c, err := d.Dialer.toTCP(context.WithoutCancel(ctx), network, to)
			begun.Wait(context.WithoutCancel(ctx))
			return c, err
		}
		c, err := d.parallel(ctx, 1, []Addr{&TCPAddr{IP: ParseIP(v6a), Port: 80}}, []Addr{&TCPAddr{IP: ParseIP(v4a), Port: 80}})
		if err != nil {
			t.Fatal(err)
		}
		if len(h.log) != 2 || h.open != 1 {
			t.Errorf("%v, %d sockets open, want 1", h.log, h.open)
		}
		c.Close()
	})
}

func TestNames(t *testing.T) {
	script := []attempt{{ip: v6a}, {ip: v4a}}
	onHosts(t, script, func(ctx context.Context, h *hosts) {
		ips, err := LookupHost(ctx, "host")
		if fmt.Sprint(ips) != "[2001:db8::a 192.0.2.1]" || err != nil {
			t.Error(ips, err)
		}
		a, err := ResolveTCPAddr(ctx, "tcp", "host:80")
		if err != nil || a.String() != "192.0.2.1:80" {
			t.Error(a, err)
		}
		u, err := ResolveUDPAddr(ctx, "udp6", "host:80")
		if err != nil || u.String() != "[2001:db8::a]:80" {
			t.Error(u, err)
		}
		_, err = Dial(ctx, "tcp", "nobody:80")
		var dns *DNSError
		if !errors.As(err, &dns) || !dns.IsNotFound {
			t.Error(err)
		}
	})
}

// TestLookupAbandoned: a task does not wait for a resolver that does not end.
func TestLookupAbandoned(t *testing.T) {
	stuck := make(chan struct{})
	r := &Resolver{PreferGo: true, Dial: func(context.Context, string, string) (stdnet.Conn, error) {
		<-stuck
		return nil, errors.New("gave up")
	}}
	run(t, func(ctx context.Context) {
		err := reactor.Timeout(ctx, 10*time.Millisecond, func(ctx context.Context) error {
			_, err := (&Dialer{Resolver: r}).DialContext(ctx, "tcp", "name.invalid:80")
			return err
		})
		close(stuck)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestResolverOfItsOwn: the resolver's own connections may be eddy's.
func TestResolverOfItsOwn(t *testing.T) {
	run(t, func(ctx context.Context) {
		nobody := refused(t)
		var asked atomic.Int32 // the resolver asks from several goroutines
		r := &Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (stdnet.Conn, error) {
			asked.Add(1)
			return new(Dialer).DialContext(ctx, "tcp", nobody)
		}}
		_, err := (&Dialer{Resolver: r}).DialContext(ctx, "tcp", "name.invalid:80")
		var dns *DNSError
		if !errors.As(err, &dns) || asked.Load() == 0 {
			t.Error(err, asked.Load())
		}
	})
}

// isStd reports whether this is std's net.
func (w *world) isStd() bool { return reactor.LoopOf(w.ctx) == nil }

// tcpOptionsHere are the options, by level and name, that std sets.
var tcpOptionsHere = slices.DeleteFunc([][2]int{
	{unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	{unix.IPPROTO_TCP, unix.TCP_NODELAY},
	{unix.IPPROTO_TCP, keepAliveIdle},
	{unix.IPPROTO_TCP, keepAliveInterval},
	{unix.IPPROTO_TCP, keepAliveCount},
}, func(o [2]int) bool { return o[1] == 0 })

// dialer makes the same Dialer of either package.
func (w *world) dialer(d Dialer) func(network, addr string) (Conn, error) {
	if w.isStd() {
		s := stdnet.Dialer{Timeout: d.Timeout, Deadline: d.Deadline, LocalAddr: d.LocalAddr, KeepAlive: d.KeepAlive,
			KeepAliveConfig: d.KeepAliveConfig, Control: d.Control, ControlContext: d.ControlContext}
		return func(network, addr string) (Conn, error) { return s.DialContext(w.ctx, network, addr) }
	}
	return func(network, addr string) (Conn, error) { return d.DialContext(w.ctx, network, addr) }
}

func TestDialerAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
		w.must(err)
		defer ln.Close()
		to := ln.Addr().String()
		control := func(name string, fail error) func(string, string, syscall.RawConn) error {
			return func(network, addr string, c syscall.RawConn) error {
				var bound, connected bool
				err := c.Control(func(fd uintptr) {
					sa, _ := unix.Getsockname(int(fd))
					bound = address(sa).(*TCPAddr).Port != 0
					_, err := unix.Getpeername(int(fd))
					connected = err == nil
				})
				w.note(name, err, network, addr == to, bound, connected)
				return fail
			}
		}
		refusal := errors.New("not this one")
		loopback := &TCPAddr{IP: IPv4(127, 0, 0, 1)}
		for i, test := range []struct {
			network string
			d       Dialer
		}{
			{"tcp", Dialer{}},
			{"tcp", Dialer{LocalAddr: &TCPAddr{IP: IPv4(127, 0, 0, 2)}}},
			{"tcp", Dialer{LocalAddr: &TCPAddr{}}},
			{"tcp", Dialer{LocalAddr: &TCPAddr{IP: IPv6loopback}}},
			{"tcp", Dialer{LocalAddr: &TCPAddr{IP: IPv6unspecified}}},
			{"tcp6", Dialer{LocalAddr: loopback}},
			{"tcp4", Dialer{LocalAddr: loopback}},
			{"tcp", Dialer{LocalAddr: &TCPAddr{IP: IPv4(192, 0, 2, 1)}}},
			{"tcp", Dialer{LocalAddr: &TCPAddr{IP: IPv4(127, 0, 0, 1), Port: ln.Addr().(*TCPAddr).Port}}},
			{"tcp", Dialer{LocalAddr: &UDPAddr{}}},
			{"tcp", Dialer{LocalAddr: &UnixAddr{}}},
			{"tcp", Dialer{Control: control("Control", nil)}},
			{"tcp4", Dialer{Control: control("Control", nil), LocalAddr: loopback}},
			{"tcp", Dialer{Control: control("Control", refusal)}},
			{"tcp", Dialer{Timeout: -1}},
			{"tcp", Dialer{Timeout: time.Hour}},
			{"tcp", Dialer{Deadline: past()}},
			{"tcp", Dialer{KeepAlive: -1}},
			{"tcp", Dialer{KeepAlive: 3 * time.Second}},
			{"tcp", Dialer{KeepAliveConfig: KeepAliveConfig{Enable: true, Idle: 7 * time.Second, Interval: 1500 * time.Millisecond, Count: 5}}},
			{"tcp", Dialer{KeepAliveConfig: KeepAliveConfig{Enable: true, Idle: -1, Interval: -1, Count: -1}}},
			{"tcp", Dialer{KeepAlive: -1, KeepAliveConfig: KeepAliveConfig{Enable: true}}},
			{"udp", Dialer{LocalAddr: &UDPAddr{IP: IPv4(127, 0, 0, 2)}}},
			{"udp", Dialer{LocalAddr: loopback}},
			{"udp4", Dialer{}},
			{"unix", Dialer{LocalAddr: loopback}},
			{"unixgram", Dialer{LocalAddr: &UnixAddr{Name: "@eddy", Net: "unix"}}},
		} {
			what := fmt.Sprint("row ", i)
			c, err := w.dialer(test.d)(test.network, to)
			if w.note(what, err, c == nil); err != nil {
				var op *OpError
				if errors.As(err, &op) {
					w.note(what+": from", nil, op.Source != nil, fmt.Sprint(op.Addr) == to, errors.Is(err, refusal))
				}
				continue
			}
			host, _, _ := SplitHostPort(c.LocalAddr().String())
			w.note(what+": at", nil, host, c.LocalAddr().Network())
			if test.network == "tcp" {
				for _, o := range tcpOptionsHere {
					w.note(what+": option", nil, option(t, c, o[0], o[1]))
				}
			}
			c.Close()
		}
	})
}

func TestControlContext(t *testing.T) {
	type key struct{}
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	run(t, func(ctx context.Context) {
		var kept syscall.RawConn
		d := Dialer{
			Control: func(string, string, syscall.RawConn) error { t.Error("Control, too"); return nil },
			ControlContext: func(ctx context.Context, _, _ string, c syscall.RawConn) error {
				if ctx.Value(key{}) != "value" {
					t.Error("not the caller's ctx")
				}
				kept = c
				return nil
			},
		}
		dial := func() error {
			c, err := d.DialContext(context.WithValue(ctx, key{}, "value"), "tcp", ln.Addr().String())
			if err == nil {
				c.Close()
			}
			return err
		}
		if err := dial(); err != nil {
			t.Error(err)
		}
		outside(t, ctx, dial)
		if err := kept.Control(func(uintptr) { t.Error("called") }); !errors.Is(err, ErrClosed) {
			t.Error("the RawConn of a Control that has returned:", err)
		}
	})
}

func TestDialTCPAsStd(t *testing.T) {
	inBothWorlds(t, func(w *world) {
		ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
		w.must(err)
		defer ln.Close()
		to := ln.Addr().(*TCPAddr)
		for i, a := range []struct {
			network      string
			laddr, raddr *TCPAddr
		}{
			{"tcp", nil, to},
			{"tcp4", &TCPAddr{IP: IPv4(127, 0, 0, 3)}, to},
			{"tcp", nil, &TCPAddr{Port: to.Port}},
			{"tcp6", nil, to},
			{"tcp4", nil, &TCPAddr{IP: IPv6loopback, Port: to.Port}},
			{"tcp", nil, nil},
			{"udp", nil, to},
			{"tcp", &TCPAddr{IP: IPv6loopback}, to},
			{"tcp", nil, &TCPAddr{IP: IP{1, 2, 3}, Port: to.Port}},
		} {
			var c Conn
			var err error
			if w.isStd() {
				c, err = stdDialTCP(a.network, a.laddr, a.raddr)
			} else {
				c, err = ourDialTCP(w.ctx, a.network, a.laddr, a.raddr)
			}
			w.note(fmt.Sprint("row ", i), err, c == nil)
			if err != nil {
				var op *OpError
				errors.As(err, &op)
				w.note("of", nil, op.Source, op.Addr == nil || op.Addr.String() == fmt.Sprint(a.raddr))
				continue
			}
			w.note("at", nil, masked(c.LocalAddr()))
			c.Close()
		}
	})
}

func stdDialTCP(network string, laddr, raddr *TCPAddr) (Conn, error) {
	c, err := stdnet.DialTCP(network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func ourDialTCP(ctx context.Context, network string, laddr, raddr *TCPAddr) (Conn, error) {
	c, err := DialTCP(ctx, network, laddr, raddr)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// TestDialerDialTCP: the form with AddrPorts.
func TestDialerDialTCP(t *testing.T) {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	to := ln.Addr().(*TCPAddr).AddrPort()
	run(t, func(ctx context.Context) {
		for _, from := range []netip.AddrPort{{}, netip.MustParseAddrPort("127.0.0.2:0")} {
			c, err := new(Dialer).DialTCP(ctx, "tcp", from, to)
			if err != nil {
				t.Fatal(err)
			}
			if at := c.LocalAddr().(*TCPAddr); from.IsValid() && at.IP.String() != "127.0.0.2" {
				t.Error("from", at)
			}
			c.Close()
		}
	})
}

// TestHTTPClient: http.Transport dials with an eddy Dialer, from its own
// goroutines, for callers on goroutines and for a task that waits for one.
func TestHTTPClient(t *testing.T) {
	testkit.Leaks(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Write(body)
	}))
	defer server.Close()
	s := stand(t, reactor.Options{})
	d := &Dialer{Loop: s.loop, Timeout: patience}
	transport := &http.Transport{DialContext: d.DialContext}
	defer s.stop()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	post := func(ctx context.Context, body string) error {
		req, err := http.NewRequestWithContext(ctx, "POST", server.URL, strings.NewReader(body))
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		return errors.Join(err, testkit.Same(got, []byte(body)))
	}
	errs := make(chan error)
	for i := range 8 {
		go func() {
			errs <- post(context.Background(), fmt.Sprint("goroutine ", i, strings.Repeat("x", 1000*i)))
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	wait := reactor.Submit(s.loop, func(ctx context.Context) (struct{}, error) {
		return reactor.ToThread(ctx, func(context.Context) (struct{}, error) { return struct{}{}, post(ctx, "a task") })
	})
	if _, err := wait(context.Background()); err != nil {
		t.Error(err)
	}
	// The transport may keep a connection made by then; a dial that was given
	// up leaks nothing.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := post(ctx, "never"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestDialGivenUp: a goroutine may stop waiting just as its connection is made:
// either it gets it, or it is closed.
func TestDialGivenUp(t *testing.T) {
	testkit.Leaks(t)
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	k := &fdCounting{}
	s := stand(t, reactor.Options{Sockets: k})
	defer s.stop()
	got := 0
	for i := range 200 {
		ctx, cancel := context.WithCancel(s.ctx)
		d := Dialer{Control: func(string, string, syscall.RawConn) error {
			go cancel()
			for range i { // so that the cancellation comes ever later
				ctx.Err()
			}
			return nil
		}}
		c, err := d.DialContext(ctx, "tcp", ln.Addr().String())
		if err == nil {
			got++
			c.Close()
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	t.Log(got, "of 200 were in time")
	for until := time.Now().Add(patience); k.open.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d sockets are left", k.open.Load())
		}
	}
}

// fdCounting counts open sockets.
type fdCounting struct {
	sockets.System
	open atomic.Int64
}

func (k *fdCounting) Socket(family, typ, proto int) (int, error) {
	fd, err := k.System.Socket(family, typ, proto)
	if err == nil {
		k.open.Add(1)
	}
	return fd, err
}

func (k *fdCounting) Close(fd int) error {
	k.open.Add(-1)
	return k.System.Close(fd)
}

// taken is a kernel that chooses a local port that is not free, a few times.
type taken struct {
	sockets.System
	times int
}

func (k *taken) Connect(fd int, to unix.Sockaddr) error {
	if k.times--; k.times >= 0 {
		return unix.EADDRNOTAVAIL
	}
	return k.System.Connect(fd, to)
}

func TestLocalPortTaken(t *testing.T) {
	ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for times, want := range map[int]bool{2: true, 3: false} {
		runWith(t, reactor.Options{Sockets: &taken{times: times}}, func(ctx context.Context) {
			c, err := Dial(ctx, "tcp", ln.Addr().String())
			if err == nil {
				c.Close()
			}
			if (err == nil) != want || err != nil && !errors.Is(err, syscall.EADDRNOTAVAIL) {
				t.Errorf("not free %d times: %v", times, err)
			}
		})
	}
}

func TestSuitable(t *testing.T) {
	var all []Addr
	for _, a := range []string{"[2001:db8::1]:1", "192.0.2.1:1", "[::]:1"} {
		all = append(all, stdnet.TCPAddrFromAddrPort(netip.MustParseAddrPort(a)))
	}
	for local, want := range map[Addr]string{
		nil:                              "[[2001:db8::1]:1 192.0.2.1:1 [::]:1]",
		&TCPAddr{}:                       "[[2001:db8::1]:1 192.0.2.1:1 [::]:1]",
		&TCPAddr{IP: IPv4zero}:           "[[2001:db8::1]:1 192.0.2.1:1 [::]:1]",
		&TCPAddr{IP: IPv4(127, 0, 0, 1)}: "[192.0.2.1:1 [::]:1]",
		&TCPAddr{IP: IPv6loopback}:       "[[2001:db8::1]:1 [::]:1]",
		&TCPAddr{IP: ParseIP("fe80::1"), Zone: "eth0"}: "[[2001:db8::1]:1 [::]:1]",
	} {
		got, err := suitable(slices.Clone(all), local)
		if fmt.Sprint(got) != want || err != nil {
			t.Errorf("from %v: %v, %v, want %s", local, got, err, want)
		}
	}
}

// TestDialerOthers: the forms with addresses of UDP and Unix sockets.
func TestDialerOthers(t *testing.T) {
	run(t, func(ctx context.Context) {
		u, err := ListenPacket(ctx, "udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		var networks []string
		d := Dialer{Control: func(network, address string, _ syscall.RawConn) error {
			networks = append(networks, network)
			return nil
		}}
		to := u.LocalAddr().(*UDPAddr).AddrPort()
		for _, from := range []netip.AddrPort{{}, netip.MustParseAddrPort("127.0.0.2:0")} {
			c, err := d.DialUDP(ctx, "udp", from, to)
			if err != nil {
				t.Fatal(err)
			}
			if at := c.LocalAddr().(*UDPAddr); from.IsValid() && at.IP.String() != "127.0.0.2" {
				t.Error("from", at)
			}
			c.Close()
		}
		ln, err := Listen(ctx, "unix", anyAddr(t, "unix"))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		c, err := d.DialUnix(ctx, "unix", nil, ln.Addr().(*UnixAddr))
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		_, err = (&Dialer{Timeout: -1}).DialUnix(ctx, "unix", nil, nil)
		var op *OpError
		if !errors.As(err, &op) || op.Op != "dial" || op.Source != nil || op.Addr != nil {
			t.Errorf("%#v", err)
		}
		if got := fmt.Sprint(networks); got != "[udp4 udp4 unix]" {
			t.Error("Control saw", got)
		}
	})
}
