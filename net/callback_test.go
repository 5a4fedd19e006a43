package net

import (
	"context"
	"errors"
	"log/slog"
	stdnet "net"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
	"github.com/eddyio/eddy/reactor/core"
)

// callbackUsers lists everything in the package that calls a function for a
// goroutine off the loop: use makes it call the function once.
func callbackUsers(t *testing.T, s *standing) map[string]func(f func()) {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	users := map[string]func(f func()){}
	addRaw := func(name string, c any, readable bool) {
		raw, err := c.(rawConner).SyscallConn()
		must(err)
		users[name+".Control"] = func(f func()) { raw.Control(func(uintptr) { f() }) }
		if readable {
			users[name+".Read"] = func(f func()) { raw.Read(func(uintptr) bool { f(); return true }) }
			users[name+".Write"] = func(f func()) { raw.Write(func(uintptr) bool { f(); return true }) }
		}
	}
	conns := map[string]any{}
	for _, network := range []string{"tcp", "unix"} {
		ln, err := Listen(s.ctx, network, anyAddr(t, network))
		must(err)
		c, err := Dial(s.ctx, network, ln.Addr().String())
		must(err)
		p, err := ln.Accept()
		must(err)
		t.Cleanup(func() { c.Close(); p.Close() }) // what a goroutine has made the loop does not close
		conns[network], conns[network+" accepted"] = c, p
		addRaw(network+" listener", ln, false)
	}
	u, err := ListenPacket(s.ctx, "udp", "127.0.0.1:0")
	must(err)
	conns["udp"] = u
	for name, c := range conns {
		addRaw(name, c, true)
	}

	to, err := Listen(s.ctx, "tcp", "127.0.0.1:0")
	must(err)
	tcp := netip.MustParseAddrPort(to.Addr().String())
	path := anyAddr(t, "unix")
	_, err = Listen(s.ctx, "unix", path)
	must(err)
	discard := func(c interface{ Close() error }, err error) {
		if err == nil {
			c.Close()
		}
	}
	for name, dialer := range map[string]func(f func()) *Dialer{
		"Control": func(f func()) *Dialer {
			return &Dialer{Control: func(string, string, syscall.RawConn) error { f(); return nil }}
		},
		"ControlContext": func(f func()) *Dialer {
			return &Dialer{ControlContext: func(context.Context, string, string, syscall.RawConn) error { f(); return nil }}
		},
	} {
		users[name+" of DialContext"] = func(f func()) { discard(dialer(f).DialContext(s.ctx, "tcp", tcp.String())) }
		users[name+" of DialContext udp"] = func(f func()) { discard(dialer(f).DialContext(s.ctx, "udp", tcp.String())) }
		users[name+" of DialTCP"] = func(f func()) { discard(dialer(f).DialTCP(s.ctx, "tcp", netip.AddrPort{}, tcp)) }
		users[name+" of DialUDP"] = func(f func()) { discard(dialer(f).DialUDP(s.ctx, "udp", netip.AddrPort{}, tcp)) }
		users[name+" of DialUnix"] = func(f func()) {
			discard(dialer(f).DialUnix(s.ctx, "unix", nil, &UnixAddr{Name: path, Net: "unix"}))
		}
	}
	lc := func(f func()) *ListenConfig {
		return &ListenConfig{Control: func(string, string, syscall.RawConn) error { f(); return nil }}
	}
	users["Control of Listen"] = func(f func()) { discard(lc(f).Listen(s.ctx, "tcp", "127.0.0.1:0")) }
	users["Control of Listen unix"] = func(f func()) { discard(lc(f).Listen(s.ctx, "unix", anyAddr(t, "unix"))) }
	users["Control of ListenPacket"] = func(f func()) { discard(lc(f).ListenPacket(s.ctx, "udp", "127.0.0.1:0")) }
	return users
}

// TestCallbacksOfOtherGoroutines: a goroutine's function is called on that
// goroutine. It can't end the loop by runtime.Goexit, as a test's Fatal does;
// its panic reaches the goroutine, and nothing leaks.
func TestCallbacksOfOtherGoroutines(t *testing.T) {
	testkit.Leaks(t)
	s := stand(t, reactor.Options{Logger: slog.New(slog.NewTextHandler(failing{t}, nil))})
	defer s.stop()
	users := callbackUsers(t, s)
	before := testkit.Holdings().FDs
	for name, use := range users {
		t.Run(name, func(t *testing.T) {
			within(t, "a call", func() {
				called := 0
				use(func() {
					if called++; core.OnLoop(s.ctx) {
						t.Error("it is called on the loop")
					}
				})
				if called != 1 {
					t.Errorf("called %d times", called)
				}
			})
			within(t, "a panic", func() {
				defer func() {
					if r := recover(); r != t {
						t.Errorf("a panic came out as %v", r)
					}
				}()
				use(func() { panic(t) })
			})
			returned := false
			within(t, "Goexit", func() {
				use(runtime.Goexit)
				returned = true
			})
			if returned {
				t.Error("a call of Goexit was survived")
			}
			within(t, "a call after that", func() {
				called := false
				use(func() { called = true })
				if !called {
					t.Error("the loop is over")
				}
			})
		})
	}
	for until := time.Now().Add(patience); len(testkit.Holdings().FDs) > len(before); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("fds %v, were %v", testkit.Holdings().FDs, before)
		}
	}
}

// A panic in a task's Control leaks no socket.
func TestControlPanicsInATask(t *testing.T) {
	run(t, func(ctx context.Context) {
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("it did not panic")
				}
			}()
			d := Dialer{Control: func(string, string, syscall.RawConn) error { panic("boom") }}
			d.DialContext(ctx, "tcp", "127.0.0.1:1")
		}()
	})
}

// TestRawConnHoldsItsDescriptor: while a goroutine uses it, it stays open even
// if the connection is closed; for all others it is closed.
func TestRawConnHoldsItsDescriptor(t *testing.T) {
	ends := map[string]func(t *testing.T, s *standing, c Conn){
		"Close": func(t *testing.T, s *standing, c Conn) {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if _, err := c.Write([]byte("x")); !errors.Is(err, ErrClosed) {
				t.Error("Write:", err)
			}
		},
		"the loop's end": func(t *testing.T, s *standing, c Conn) { s.stop() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			testkit.Leaks(t)
			s := stand(t, reactor.Options{})
			ln, err := stdnet.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			c, err := reactor.Submit(s.loop, func(context.Context) (Conn, error) { return Dial(s.ctx, "tcp", ln.Addr().String()) })(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			raw, _ := c.(rawConner).SyscallConn()
			within(t, "Control", func() {
				raw.Control(func(fd uintptr) {
					end(t, s, c)
					if _, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE); err != nil {
						t.Error("its descriptor is gone:", err)
					}
				})
			})
			if err := raw.Control(func(uintptr) { t.Error("called") }); !errors.Is(err, ErrClosed) {
				t.Error("Control after that:", err)
			}
		})
	}
}

// TestRawReadLeavesReadinessRight: data that a goroutine's function left unread
// is read by a task, which may wait already; and a function that would block is
// called again.
func TestRawReadLeavesReadinessRight(t *testing.T) {
	run(t, func(ctx context.Context) {
		c, peer := withStd(t, ctx, "tcp")
		defer c.Close()
		raw, _ := c.(rawConner).SyscallConn()
		peer.Write([]byte("hello"))
		var reading *reactor.Task[string]
		left := "o"
		for i := range 4 {
			outside(t, ctx, func() error {
				return raw.Read(func(fd uintptr) bool {
					if i == 3 { // a task begins to wait meanwhile
						reactor.Submit(c.(*TCPConn).fd.Loop(), func(context.Context) (none struct{}, err error) {
							reading = reactor.Async(ctx, func(context.Context) (string, error) {
								p := make([]byte, 9)
								n, err := c.Read(p)
								return string(p[:n]), err
							})
							parked(ctx)
							return none, nil
						})(context.Background())
					}
					n, err := unix.Read(int(fd), make([]byte, 1))
					if i == 3 && err == unix.EAGAIN { // a kernel that repeats itself has woken the task
						left = "lo"
					} else if n != 1 || err != nil {
						t.Errorf("read %d, %v", n, err)
					}
					return true
				})
			})
		}
		if got, err := reading.Await(ctx); got != left || err != nil {
			t.Errorf("the task read %q, %v", got, err)
		}
	})
}
