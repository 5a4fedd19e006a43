package net

import (
	"bytes"
	"context"
	"io"
	stdnet "net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// share takes a file of a socket and thereby makes the socket a blocking one,
// as when the file is passed to a child process.
func share(t *testing.T, c any) *os.File {
	t.Helper()
	f, err := c.(filer).File()
	if err != nil {
		t.Fatal(err)
	}
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("the file of a %T does not block: flags %#x, %v", c, flags, err)
	}
	return f
}

// moving fails unless f, in a task, lets other tasks run while it waits, and
// ends after let was called.
func moving(t *testing.T, ctx context.Context, what string, let func(), f func() error) {
	t.Helper()
	task := reactor.Go(ctx, func(context.Context) error { return f() })
	for range 10 {
		reactor.Yield(ctx)
	}
	if task.Finished() {
		_, err := task.Result()
		t.Errorf("%s did not wait: %v", what, err)
	}
	let()
	if err := task.Wait(ctx); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// TestTrafficAfterFile: after a conn's File has made the socket a blocking one,
// the loop still never blocks in a call.
func TestTrafficAfterFile(t *testing.T) {
	large := testkit.Pattern(4 << 20)
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, large, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			within(t, "the loop", func() {
				run(t, func(ctx context.Context) {
					c, peer := withStd(t, ctx, network)
					defer c.Close()
					c.(interface{ SetWriteBuffer(int) error }).SetWriteBuffer(64 << 10)
					peer.(interface{ SetReadBuffer(int) error }).SetReadBuffer(64 << 10)
					f := share(t, c)
					defer f.Close()
					say := func() { peer.Write([]byte("hello")) }
					p := make([]byte, 8)
					moving(t, ctx, "Read", say, func() error { _, err := c.Read(p); return err })
					moving(t, ctx, "Borrow", say, func() error {
						_, err := c.(interface{ Borrow() ([]byte, error) }).Borrow()
						return err
					})
					peers := make(chan []byte, 1)
					drain := func() {
						go func() {
							got := make([]byte, len(large))
							peer.SetReadDeadline(time.Now().Add(patience))
							n, _ := io.ReadFull(peer, got)
							peers <- got[:n]
						}()
					}
					check := func(what string) {
						if err := testkit.Same(<-peers, large); err != nil {
							t.Errorf("%s: %v", what, err)
						}
					}
					moving(t, ctx, "Write", drain, func() error { _, err := c.Write(large); return err })
					check("Write")
					moving(t, ctx, "Buffers", drain, func() error {
						v := Buffers{large[:1], large[1 : 1<<20], large[1<<20:]}
						_, err := v.WriteTo(c)
						return err
					})
					check("Buffers")
					if c, ok := c.(*TCPConn); ok {
						moving(t, ctx, "ReadFrom a file", drain, func() error {
							file, err := os.Open(path)
							if err != nil {
								return err
							}
							defer file.Close()
							_, err = c.ReadFrom(file)
							return err
						})
						check("ReadFrom a file")
					}
					if c, ok := c.(*UnixConn); ok {
						moving(t, ctx, "ReadMsgUnix", say, func() error {
							_, _, _, _, err := c.ReadMsgUnix(p, make([]byte, 64))
							return err
						})
					}
					err := reactor.Timeout(ctx, time.Millisecond, func(context.Context) error { _, err := c.Read(p); return err })
					if err == nil || ctx.Err() != nil {
						t.Error("a read in a Timeout:", err)
					}
					g := share(t, c) // a second one changes nothing for the first
					g.Close()
					if flags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); flags&unix.O_NONBLOCK != 0 {
						t.Error("the first file does not block any more")
					}
				})
			})
		})
	}
}

// TestCopyAfterFile: copies from and to shared streams, also streams that
// become shared during the copy.
func TestCopyAfterFile(t *testing.T) {
	want := testkit.Pattern(8 << 20)
	for name, which := range map[string][2]bool{"source": {true, false}, "destination": {false, true}, "both": {true, true}} {
		for _, early := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				within(t, "the loop", func() {
					run(t, func(ctx context.Context) {
						src, from := withStd(t, ctx, "tcp")
						dst, to := withStd(t, ctx, "tcp")
						defer src.Close()
						defer dst.Close()
						var files []*os.File
						shareThem := func() {
							for i, c := range []Conn{src, dst} {
								if which[i] {
									files = append(files, share(t, c))
								}
							}
						}
						if early {
							shareThem()
						}
						copying := reactor.Go(ctx, func(context.Context) error { _, err := io.Copy(dst, src); return err })
						go func() { from.Write(want); from.(*stdnet.TCPConn).CloseWrite() }()
						reading := make(chan []byte, 1)
						go func() {
							got := make([]byte, len(want))
							io.ReadFull(to, got[:1<<20])
							reactor.Submit(dst.(*TCPConn).fd.Loop(), func(ctx context.Context) (none struct{}, err error) {
								for range 5 { // the copy has filled what there is
									reactor.Yield(ctx)
								}
								if !early {
									shareThem()
								}
								return none, nil
							})(context.Background())
							n, _ := io.ReadFull(to, got[1<<20:])
							reading <- got[:1<<20+n]
						}()
						if err := copying.Wait(ctx); err != nil {
							t.Error(err)
						}
						outside(t, ctx, func() error { return testkit.Same(<-reading, want) })
						for _, f := range files {
							f.Close()
						}
					})
				})
			})
		}
	}
}

// TestDatagramsAfterFile is TestTrafficAfterFile for datagrams.
func TestDatagramsAfterFile(t *testing.T) {
	within(t, "the loop", func() {
		run(t, func(ctx context.Context) {
			u, err := ListenUDP(ctx, "udp", &UDPAddr{IP: IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			defer share(t, u).Close()
			p := make([]byte, 8)
			say := func() {
				if _, err := u.WriteTo([]byte("hello"), u.LocalAddr()); err != nil {
					t.Error(err)
				}
			}
			moving(t, ctx, "ReadFrom", say, func() error { _, _, err := u.ReadFrom(p); return err })
			moving(t, ctx, "ReadMsgUDP", say, func() error { _, _, _, _, err := u.ReadMsgUDP(p, make([]byte, 64)); return err })
			moving(t, ctx, "ReadBatch", say, func() error { _, err := u.ReadBatch([]Message{{Data: p}, {Data: p}}); return err })
			if n, err := u.WriteBatch([]Message{{Data: p, Addr: u.LocalAddr().(*UDPAddr).AddrPort()}}); n != 1 || err != nil {
				t.Error("WriteBatch", n, err)
			}
			c, err := Dial(ctx, "udp", u.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			defer share(t, c).Close()
			moving(t, ctx, "Read", func() { u.WriteTo([]byte("x"), c.LocalAddr()) }, func() error { _, err := c.Read(p); return err })

			a, err := ListenUnixgram(ctx, "unixgram", &UnixAddr{Name: anyAddr(t, "unix"), Net: "unixgram"})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			b, err := DialUnix(ctx, "unixgram", nil, a.LocalAddr().(*UnixAddr))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			defer share(t, a).Close()
			defer share(t, b).Close()
			read := func() error { _, _, err := a.ReadFrom(p); return err }
			moving(t, ctx, "unixgram read", func() { b.Write([]byte("hello")) }, read)
			moving(t, ctx, "unixgram write", func() {
				for range 1000 { // which makes room
					if err := read(); err != nil {
						t.Fatal(err)
					}
				}
			}, func() error {
				for range 1000 {
					if _, err := b.Write(p); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
}

// TestAcceptAfterFile: a listener that another process waits at, in a blocking call.
func TestAcceptAfterFile(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			within(t, "the loop", func() {
				run(t, func(ctx context.Context) {
					ln, err := Listen(ctx, network, anyAddr(t, network))
					if err != nil {
						t.Fatal(err)
					}
					defer ln.Close()
					f := share(t, ln)
					defer f.Close()
					for range 3 {
						moving(t, ctx, "Accept", func() {
							c, err := stdnet.Dial(network, ln.Addr().String())
							if err != nil {
								t.Fatal(err)
							}
							t.Cleanup(func() { c.Close() })
						}, func() error {
							c, err := ln.Accept()
							if err == nil {
								err = c.Close()
							}
							return err
						})
					}
					if flags, _ := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); flags&unix.O_NONBLOCK != 0 {
						t.Error("the file does not block any more")
					}
				})
			})
		})
	}
}

// TestConnIsAChildsStdin: a child reads from the socket, which has no data at
// first; a nonblocking one would return EAGAIN.
func TestConnIsAChildsStdin(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			run(t, func(ctx context.Context) {
				c, peer := withStd(t, ctx, network)
				defer c.Close()
				f, err := c.(filer).File()
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				cmd := exec.Command("cat")
				var out bytes.Buffer
				cmd.Stdin, cmd.Stdout, cmd.Stderr = f, &out, &out
				outside(t, ctx, func() error {
					if err := cmd.Start(); err != nil {
						return err
					}
					time.Sleep(20 * time.Millisecond) // it may well read in between; no matter if not
					if _, err := peer.Write([]byte("hello")); err != nil {
						return err
					}
					peer.(interface{ CloseWrite() error }).CloseWrite()
					return cmd.Wait()
				})
				if out.String() != "hello" {
					t.Errorf("cat says %q", out.String())
				}
			})
		})
	}
}
