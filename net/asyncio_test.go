package net_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	stdnet "net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// The tests of this file replay programs that were recorded on CPython 3.13,
// whose asyncio reactor and net are modelled on. Each has its program's number
// and holds the lines that CPython printed. Where eddy differs on purpose, lines
// that only CPython prints are marked "asyncio|" and those that eddy prints
// instead "eddy|"; docs/asyncio.md has the reasons.

// A program is the eddy version of a recorded program.
type program struct {
	t     *testing.T
	want  []string
	lines []string
}

// replay returns a program whose lines are compared at the end of the test. It
// must leave no goroutine.
func replay(t *testing.T, recorded string) *program {
	t.Helper()
	p := &program{t: t}
	for line := range strings.Lines(strings.Trim(recorded, "\n\t")) {
		line = strings.TrimLeft(line, "\t")
		if !strings.HasPrefix(line, "asyncio|") {
			p.want = append(p.want, strings.TrimSpace(strings.TrimPrefix(line, "eddy|")))
		}
	}
	testkit.Leaks(t)
	t.Cleanup(func() {
		if !slices.Equal(p.lines, p.want) {
			t.Errorf("printed:\n\t%s\nwant:\n\t%s", strings.Join(p.lines, "\n\t"), strings.Join(p.want, "\n\t"))
		}
	})
	return p
}

// main runs a program, which must neither fail nor hang.
func (p *program) main(main func(ctx context.Context)) {
	p.t.Helper()
	err := reactor.Run(context.Background(), func(ctx context.Context) error {
		return reactor.Timeout(ctx, testkit.Patience, func(ctx context.Context) error {
			main(ctx)
			return ctx.Err()
		})
	})
	if err != nil {
		p.t.Error("the loop ended with", err)
	}
}

// print prints a line as Python's print does.
func (p *program) print(values ...any) {
	var words []string
	for _, v := range values {
		words = append(words, repr(v))
	}
	p.lines = append(p.lines, strings.TrimSpace(strings.Join(words, " ")))
}

// repr returns a value as Python prints it.
func repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[v]
	case []byte:
		text := fmt.Sprintf("%q", v)
		return "b'" + text[1:len(text)-1] + "'"
	case []string:
		var texts []string
		for _, s := range v {
			quote := "'"
			if strings.Contains(s, quote) {
				quote = `"`
			}
			texts = append(texts, quote+s+quote)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// must checks the setup of a program.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// serve starts a server on a free port and returns its listener and task.
func serve(t *testing.T, ctx context.Context, s *net.Server, handler func(ctx context.Context, c net.Conn) error) (net.Listener, *reactor.Task[struct{}]) {
	t.Helper()
	ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	must(t, ln, err)
	return ln, reactor.Go(ctx, func(ctx context.Context) error { return s.Serve(ctx, ln, handler) })
}

func dial(t *testing.T, ctx context.Context, ln net.Listener) *net.TCPConn {
	t.Helper()
	c, err := net.Dial(ctx, "tcp", ln.Addr().String())
	return must(t, c, err).(*net.TCPConn)
}

// pair returns the two ends of a connection.
func pair(t *testing.T, ctx context.Context) (a, b *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen(ctx, "tcp", "127.0.0.1:0")
	must(t, ln, err)
	defer ln.Close()
	accepting := reactor.Async(ctx, func(context.Context) (net.Conn, error) { return ln.Accept() })
	a = dial(t, ctx, ln)
	c, err := accepting.Await(ctx)
	return a, must(t, c, err).(*net.TCPConn)
}

// Data comes after the connection, its end after the data, and the end of the
// connection last. Differs: there are no protocol classes, so the order is that
// of the handler's own lines, and to write to a closed connection is an error.
func TestCase61HandlerOrder(t *testing.T) {
	p := replay(t, `
		asyncio| RuntimeError Cannot call write() after write_eof()
		eddy| after CloseWrite: broken pipe
		eddy| after Close: use of closed network connection
		['S made', "S data b'hi'", 'S eof', 'S lost None']
		['C made', "C data b'HI'", 'C eof', 'C lost None']`)
	// follow logs a connection's input until its end, and answers.
	follow := func(c net.Conn, log func(string), answer func([]byte)) {
		buf := make([]byte, 64)
		for {
			n, err := c.Read(buf)
			if err == io.EOF {
				log("eof")
				return
			}
			if err != nil {
				log(err.Error())
				return
			}
			log("data " + repr(buf[:n]))
			answer(buf[:n])
		}
	}
	p.main(func(ctx context.Context) {
		var server, client []string
		ln, serving := serve(t, ctx, &net.Server{}, func(ctx context.Context, c net.Conn) error {
			log := func(s string) { server = append(server, "S "+s) }
			log("made")
			follow(c, log, func(b []byte) { c.Write(bytes.ToUpper(b)) })
			log("lost " + repr(c.Close()))
			return nil
		})
		c := dial(t, ctx, ln)
		log := func(s string) { client = append(client, "C "+s) }
		log("made")
		c.Write([]byte("hi"))
		c.CloseWrite()
		follow(c, log, func([]byte) {})
		_, err := c.Write([]byte("x"))
		p.print("after CloseWrite:", cause(err))
		log("lost " + repr(c.Close()))
		_, err = c.Write([]byte("x"))
		p.print("after Close:", cause(err))
		ln.Close()
		serving.Wait(ctx)
		p.print(server)
		p.print(client)
	})
}

// cause returns the last of a chain of errors.
func cause(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// bufio is the stream reader. Differs: std's conventions at the end of the
// data, and two tasks may read a connection, in the order of their calls.
func TestCase62StreamReader(t *testing.T) {
	p := replay(t, `
		b'ab\n'
		b'cd'
		b''
		True
		IncompleteReadError b'abc' 5
		b''
		asyncio| ValueError readexactly size can not be less than zero
		asyncio| LimitOverrunError 20
		asyncio| LimitOverrunError 40
		asyncio| ValueError Separator is found, but chunk is longer than limit
		eddy| bufio: buffer full 16
		eddy| bufio: buffer full 16
		eddy| bufio.Scanner: token too long
		IncompleteReadError b'abc' None
		b'he'
		b'hello'
		b''
		b''
		asyncio| RuntimeError read() called while another coroutine is already waiting for incoming data
		eddy| b'1' b'2'
		ConnectionResetError rst`)
	p.main(func(ctx context.Context) {
		const limit = 16
		// from returns a connection whose peer has sent the data and no more.
		from := func(data string) net.Conn {
			a, b := pair(t, ctx)
			io.WriteString(b, data)
			b.Close()
			return a
		}
		reader := func(data string) *bufio.Reader { return bufio.NewReaderSize(from(data), limit) }
		long := strings.Repeat("x", 20)

		r := reader("ab\ncd")
		for range 3 {
			line, _ := r.ReadBytes('\n')
			p.print(line)
		}
		_, err := r.Peek(1)
		p.print(err == io.EOF)

		buf := make([]byte, 5)
		n, err := io.ReadFull(reader("abc"), buf)
		if err == io.ErrUnexpectedEOF {
			p.print("IncompleteReadError", buf[:n], len(buf))
		}
		n, _ = io.ReadFull(reader("abc"), nil)
		p.print(buf[:n])

		line, err := reader(long + "\n").ReadSlice('\n')
		p.print(err, len(line))
		line, err = reader(long + long).ReadSlice('\n')
		p.print(err, len(line))
		lines := bufio.NewScanner(from(long + "\nrest"))
		lines.Buffer(nil, limit)
		lines.Scan()
		p.print(lines.Err())
		line, err = reader("abc").ReadSlice('\n')
		if err == io.EOF {
			p.print("IncompleteReadError", line, nil)
		}

		n, _ = reader("hello").Read(buf[:2])
		p.print(buf[:n])
		all, _ := io.ReadAll(reader("hello"))
		p.print(all)
		n, _ = reader("").Read(buf)
		p.print(buf[:n])
		a, b := pair(t, ctx)
		io.WriteString(b, "z")
		n, _ = a.Read(nil) // does not wait
		p.print(buf[:n])

		a, b = pair(t, ctx)
		read := func(context.Context) ([]byte, error) {
			buf := make([]byte, 1)
			n, err := a.Read(buf)
			return buf[:n], err
		}
		first, second := reactor.Async(ctx, read), reactor.Async(ctx, read)
		reactor.Yield(ctx)
		io.WriteString(b, "12")
		one, _ := first.Await(ctx)
		two, _ := second.Await(ctx)
		p.print(one, two)

		a, b = pair(t, ctx)
		b.SetLinger(0)
		b.Close()
		if _, err = a.Read(buf); errors.Is(err, syscall.ECONNRESET) {
			p.print("ConnectionResetError rst")
		}
	})
}

// An echo of reversed lines, a half-close, and the end of a server. Differs: a
// Write returns when the kernel has all, so there is nothing to drain.
func TestCase63Echo(t *testing.T) {
	p := replay(t, `
		b'\n'
		True False
		server handler done
		b'dcba' True
		True
		server closed False ()`)
	p.main(func(ctx context.Context) {
		ln, serving := serve(t, ctx, &net.Server{}, func(ctx context.Context, c net.Conn) error {
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadBytes('\n')
				slices.Reverse(line)
				c.Write(line)
				if err != nil {
					break
				}
			}
			p.print("server handler done")
			return c.Close()
		})
		c := dial(t, ctx, ln)
		isClosing := func() bool {
			_, err := c.Read(nil)
			return errors.Is(err, net.ErrClosed)
		}
		buffers := stdnet.Buffers{[]byte("abc"), []byte("d\n")}
		buffers.WriteTo(c)
		r := bufio.NewReader(c)
		line, _ := r.ReadBytes('\n')
		p.print(line)
		_, canHalfClose := net.Conn(c).(interface{ CloseWrite() error })
		p.print(canHalfClose, isClosing())
		c.CloseWrite()
		rest, err := io.ReadAll(r)
		p.print(rest, err == nil)
		c.Close()
		p.print(isClosing())

		ln.Close()
		serving.Wait(ctx)
		sockets := "()"
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			sockets = fmt.Sprint(err)
		}
		p.print("server closed", !serving.Finished(), sockets)
	})
}

// Unix sockets, whose file goes with its listener; names; a port where nobody
// listens. Differs: there are no datagrams in this package; std's do in a thread.
func TestCase65UDPUnixDNS(t *testing.T) {
	p := replay(t, `
		b'PING'
		b'abc'
		unix path removed on close: True
		('127.0.0.1', 80)
		ConnectionRefusedError`)
	// Not t.TempDir: a socket's path may have about 100 bytes only.
	dir, err := os.MkdirTemp("", "eddy")
	must(t, dir, err)
	defer os.RemoveAll(dir)
	p.main(func(ctx context.Context) {
		pong, err := reactor.ToThread(ctx, pingByDatagram)
		p.print(must(t, pong, err))

		path := filepath.Join(dir, "s")
		ln, err := net.Listen(ctx, "unix", path)
		must(t, ln, err)
		serving := reactor.Go(ctx, func(ctx context.Context) error {
			return net.Serve(ctx, ln, func(ctx context.Context, c net.Conn) error {
				_, err := io.CopyN(c, c, 3)
				return err
			})
		})
		c, err := net.Dial(ctx, "unix", path)
		must(t, c, err)
		io.WriteString(c, "abc")
		echo, _ := io.ReadAll(c)
		p.print(echo)
		c.Close()
		ln.Close()
		serving.Wait(ctx)
		_, err = os.Stat(path)
		p.print("unix path removed on close:", errors.Is(err, os.ErrNotExist))

		addr, err := reactor.ToThread(ctx, func(context.Context) (*net.TCPAddr, error) { return stdnet.ResolveTCPAddr("tcp", "127.0.0.1:80") })
		must(t, addr, err)
		p.print(fmt.Sprintf("('%s', %d)", addr.IP, addr.Port))
		if _, err := net.Dial(ctx, "tcp", "127.0.0.1:1"); errors.Is(err, syscall.ECONNREFUSED) {
			p.print("ConnectionRefusedError")
		}
	})
}

// pingByDatagram sends one datagram to a server that answers in capitals, all by
// std.
func pingByDatagram(context.Context) ([]byte, error) {
	server, err := stdnet.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer server.Close()
	client, err := stdnet.Dial("udp", server.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	io.WriteString(client, "ping")
	buf := make([]byte, 64)
	n, from, err := server.ReadFrom(buf)
	if err != nil {
		return nil, err
	}
	server.WriteTo(bytes.ToUpper(buf[:n]), from)
	n, err = client.Read(buf)
	return buf[:n], err
}

// A server that stops accepting waits for its connections, for its grace time,
// and then closes them.
func TestCase83ServerWaitsForClients(t *testing.T) {
	p := replay(t, `
		wait_closed blocks while a client is connected
		close_clients -> b''`)
	p.main(func(ctx context.Context) {
		connected := false
		ln, serving := serve(t, ctx, &net.Server{
			Grace: 50 * time.Millisecond}, func(ctx context.Context, c net.Conn) error {
			connected = true
			_, err := io.ReadAll(c)
			return err
		})
		c := dial(t, ctx, ln)
		for !connected {
			reactor.Sleep(ctx, time.Millisecond)
		}
		ln.Close()
		if err := reactor.Timeout(ctx, 10*time.Millisecond, serving.Wait); errors.Is(err, context.DeadlineExceeded) {
			p.print("wait_closed blocks while a client is connected")
		}
		rest, _ := io.ReadAll(c)
		serving.Wait(ctx)
		p.print("close_clients ->", rest)
		c.Close()
	})
}

// Readers of plain fds are level-triggered, are replaced by a later one, and
// removing one reports whether there was one.
func TestCase85AddReader(t *testing.T) {
	p := replay(t, `
		removed True False
		level-triggered, one byte per turn: [b'x', b'y']
		writer fired while writable: 3
		sock_recv after peer send: b'hey'
		EOF b''`)
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b := fds[0], fds[1]
	defer syscall.Close(a)
	syscall.SetNonblock(a, true)
	receive := func(size int) []byte {
		buf := make([]byte, size)
		n, err := syscall.Read(a, buf)
		if err != nil {
			t.Error(err)
		}
		return buf[:max(0, n)]
	}
	p.main(func(ctx context.Context) {
		loop := reactor.LoopOf(ctx)
		until := func(done func() bool) {
			for !done() && reactor.Sleep(ctx, time.Millisecond) == nil {
			}
		}
		syscall.Write(b, []byte("xy"))
		var out []string
		loop.AddReader(a, func() { out = append(out, "replaced callback never runs") })
		loop.AddReader(a, func() {
			out = append(out, repr(receive(1)))
			if len(out) == 2 {
				p.print("removed", loop.RemoveReader(a), loop.RemoveReader(a))
			}
		})
		until(func() bool { return len(out) >= 2 })
		p.print("level-triggered, one byte per turn:", "["+strings.Join(out, ", ")+"]")

		fired := 0
		loop.AddWriter(b, func() {
			if fired++; fired == 3 {
				loop.RemoveWriter(b)
			}
		})
		until(func() bool { return fired >= 3 })
		reactor.Sleep(ctx, time.Millisecond)
		p.print("writer fired while writable:", fired)

		got := reactor.Async(ctx, func(ctx context.Context) ([]byte, error) {
			err := reactor.WaitReadable(ctx, a)
			return receive(9), err
		})
		reactor.Yield(ctx)
		syscall.Write(b, []byte("hey"))
		hey, _ := got.Await(ctx)
		p.print("sock_recv after peer send:", hey)
		syscall.Close(b)
		if err := reactor.WaitReadable(ctx, a); err == nil {
			p.print("EOF", receive(9))
		}
	})
}

// crypto/tls over a connection. Differs: it can close one direction.
func TestCase92TLSEcho(t *testing.T) {
	p := replay(t, `
		asyncio| can_write_eof False True
		asyncio| write_eof NotImplementedError
		eddy| can_write_eof True True
		b'HELLO\n' b''
		SSLCertVerificationError Hostname mismatch
		SSLCertVerificationError self-signed certificate`)
	cert, roots := localhost(t)
	p.main(func(ctx context.Context) {
		ln, serving := serve(t, ctx, &net.Server{
			Logger: slog.New(slog.DiscardHandler)}, func(ctx context.Context, c net.Conn) error {
			s := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			line, err := bufio.NewReader(s).ReadBytes('\n')
			if err == nil {
				_, err = s.Write(bytes.ToUpper(line))
			}
			return errors.Join(err, s.Close())
		})
		connect := func(name string, roots *x509.CertPool) (*tls.Conn, error) {
			c := tls.Client(dial(t, ctx, ln), &tls.Config{ServerName: name, RootCAs: roots})
			err := c.Handshake()
			if err != nil {
				c.Close()
			}
			return c, err
		}
		c, err := connect("localhost", roots)
		must(t, c, err)
		_, canHalfClose := any(c).(interface{ CloseWrite() error })
		p.print("can_write_eof", canHalfClose, c.ConnectionState().Version >= tls.VersionTLS12)
		io.WriteString(c, "hello\n")
		if err := c.CloseWrite(); err != nil {
			t.Error(err)
		}
		r := bufio.NewReader(c)
		line, _ := r.ReadBytes('\n')
		rest, _ := io.ReadAll(r)
		p.print(line, rest)
		c.Close()

		_, err = connect("wrong.example", roots)
		if errors.As(err, new(x509.HostnameError)) {
			p.print("SSLCertVerificationError Hostname mismatch")
		}
		_, err = connect("localhost", x509.NewCertPool())
		if errors.As(err, new(x509.UnknownAuthorityError)) {
			p.print("SSLCertVerificationError self-signed certificate")
		}
		ln.Close()
		serving.Wait(ctx)
	})
}

// localhost returns a self-signed certificate for localhost, and a pool that
// trusts it.
func localhost(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, key, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(48 * time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, der, err)
	leaf, err := x509.ParseCertificate(der)
	must(t, leaf, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots
}
