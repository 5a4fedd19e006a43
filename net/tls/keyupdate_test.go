package tls

import (
	"bufio"
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	stdnet "net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit"
	"github.com/eddyio/eddy/reactor"
)

// crypto/tls answers key update requests, and never sends one. So these tests
// have a peer with its own implementation of TLS 1.3 records (RFC 8446,
// sections 4.6.3, 5.2 and 7), after a handshake of crypto/tls.

// keys are the keys of one direction.
type keys struct {
	hash   func() hash.Hash
	size   int // of an AES key
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	seq    uint64
}

func (k *keys) expand(label string, n int) []byte {
	info := binary.BigEndian.AppendUint16(nil, uint16(n))
	info = append(info, byte(len("tls13 "+label)))
	info = append(info, "tls13 "+label+"\x00"...)
	out, err := hkdf.Expand(k.hash, k.secret, string(info), n)
	if err != nil {
		panic(err)
	}
	return out
}

func (k *keys) use(secret []byte) {
	k.secret, k.seq = secret, 0
	block, err := aes.NewCipher(k.expand("key", k.size))
	if err != nil {
		panic(err)
	}
	k.aead, _ = cipher.NewGCM(block)
	k.iv = k.expand("iv", 12)
}

func (k *keys) update() { k.use(k.expand("traffic upd", len(k.secret))) }

func (k *keys) nonce() []byte {
	n := bytes.Clone(k.iv)
	binary.BigEndian.PutUint64(n[4:], binary.BigEndian.Uint64(n[4:])^k.seq)
	k.seq++
	return n
}

const (
	typeAlert     = 21
	typeHandshake = 22
	typeData      = 23
)

func (k *keys) seal(typ byte, text string) []byte {
	head := []byte{typeData, 3, 3}
	head = binary.BigEndian.AppendUint16(head, uint16(len(text)+1+k.aead.Overhead()))
	return k.aead.Seal(head, k.nonce(), append([]byte(text), typ), head)
}

func (k *keys) open(record []byte) (typ byte, text []byte, err error) {
	text, err = k.aead.Open(nil, k.nonce(), record[5:], record[:5])
	if err != nil {
		return 0, nil, err
	}
	text = bytes.TrimRight(text, "\x00")
	return text[len(text)-1], text[:len(text)-1], nil
}

// A byHand is the client's side of a connection.
type byHand struct {
	conn    stdnet.Conn
	from    *bufio.Reader
	in, out keys
}

const closeNotify = "\x01\x00"

const updateRequested = "\x18\x00\x00\x01\x01" // a KeyUpdate that wants one in return

// rekey asks for new keys.
func (p *byHand) rekey() []byte {
	record := p.out.seal(typeHandshake, updateRequested)
	p.out.update()
	return record
}

// read reads n bytes of data, and returns the number of key updates.
func (p *byHand) read(n int) (data []byte, updates int, err error) {
	for len(data) < n {
		record := make([]byte, 5)
		if _, err := io.ReadFull(p.from, record); err != nil {
			return data, updates, err
		}
		record = append(record, make([]byte, binary.BigEndian.Uint16(record[3:]))...)
		if _, err := io.ReadFull(p.from, record[5:]); err != nil {
			return data, updates, err
		}
		switch typ, text, err := p.in.open(record); {
		case err != nil:
			return data, updates, err
		case typ == typeHandshake && len(text) == 5 && text[0] == 24 && text[4] == 0:
			updates++
			p.in.update()
		case typ == typeData:
			data = append(data, text...)
		default:
			return data, updates, fmt.Errorf("a record of type %d: %x", typ, text)
		}
	}
	return data, updates, nil
}

func meetByHand(t *testing.T, ctx context.Context) (*Conn, *byHand) {
	t.Helper()
	server, p := withStd(t, ctx)
	config := serverConfig()
	config.SessionTicketsDisabled = true // they would come before all else
	server = Server(ctx, server.NetConn(), config)
	greet := reactor.Go(ctx, func(context.Context) error { return server.Handshake() })
	h := shakeByHand(t, ctx, p)
	if err := greet.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	return server, h
}

// shakeByHand does the client's handshake over p, and returns the client.
func shakeByHand(t *testing.T, ctx context.Context, p stdnet.Conn) *byHand {
	t.Helper()
	var log strings.Builder
	var state ConnectionState
	outside(t, ctx, func() error {
		config := clientConfig()
		config.KeyLogWriter = &log
		client := tls.Client(p, config)
		defer func() { state = client.ConnectionState() }()
		return client.Handshake()
	})
	k := keys{hash: sha256.New, size: 16}
	switch state.CipherSuite {
	case tls.TLS_AES_128_GCM_SHA256:
	case tls.TLS_AES_256_GCM_SHA384:
		k = keys{hash: sha512.New384, size: 32}
	default:
		p.Close()
		t.Skip("no AES-GCM on this machine, but", tls.CipherSuiteName(state.CipherSuite))
	}
	h := &byHand{conn: p, from: bufio.NewReader(p), in: k, out: k}
	for line := range strings.Lines(log.String()) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, secret, _ := strings.Cut(rest, " ")
		bytes, _ := hex.DecodeString(secret)
		switch name {
		case "CLIENT_TRAFFIC_SECRET_0":
			h.out.use(bytes)
		case "SERVER_TRAFFIC_SECRET_0":
			h.in.use(bytes)
		}
	}
	return h
}

// TestKeyUpdateOfIdle: key updates are answered although no task writes, while
// a task reads, and after it has read and does not read again.
func TestKeyUpdateOfIdle(t *testing.T) {
	run(t, func(ctx context.Context) {
		server, p := meetByHand(t, ctx)
		reading := reactor.Go(ctx, func(ctx context.Context) error {
			_, err := server.Read(make([]byte, 1))
			return err
		})
		updated := func() error {
			record := make([]byte, 5+5+1+16)
			if _, err := io.ReadFull(p.from, record); err != nil {
				return err
			}
			if typ, text, err := p.in.open(record); typ != typeHandshake || len(text) != 5 || err != nil {
				return fmt.Errorf("got type %d, %x, %w", typ, text, err)
			}
			p.in.update()
			return nil
		}
		outside(t, ctx, func() error {
			p.conn.Write(p.rekey())
			return updated()
		})
		outside(t, ctx, func() error {
			p.conn.Write(append(p.rekey(), p.out.seal(typeData, ".")...))
			return updated()
		})
		if err := reading.Wait(ctx); err != nil {
			t.Error(err)
		}
		server.Write([]byte("bye"))
		outside(t, ctx, func() error {
			data, n, err := p.read(3)
			if string(data) != "bye" || n != 0 || err != nil {
				return fmt.Errorf("got %q, %d updates, %w", data, n, err)
			}
			return nil
		})
		server.Close()
	})
}

// TestKeyUpdateWhileAWriterWaits: the peer asks for new keys during a write
// that waits for it to read. The reader goes on, the writer's thread is not
// blocked, and the peer gets the key change at the right place, also if the
// write is interrupted and repeated. crypto/tls alone blocks the loop forever
// here.
func TestKeyUpdateWhileAWriterWaits(t *testing.T) {
	run(t, func(ctx context.Context) {
		server, p := meetByHand(t, ctx)
		msg := testkit.Pattern(16 * megabytes)
		interrupted := false
		writing := reactor.Go(ctx, func(context.Context) error {
			n, err := server.Write(msg)
			if !interrupted || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the write ended with %v", err)
			}
			server.SetWriteDeadline(time.Time{})
			_, err = server.Write(msg[n:])
			return err
		})
		parked(ctx)
		b := make([]byte, 7)
		for i := range 4 {
			reading := reactor.Go(ctx, func(context.Context) error { _, err := io.ReadFull(server, b); return err })
			parked(ctx)
			want := fmt.Sprint("hello ", i)
			p.conn.Write(append(p.rekey(), p.out.seal(typeData, want)...))
			if err := reading.Wait(ctx); err != nil || string(b) != want {
				t.Fatalf("read %q, %v", b, err)
			}
			if i == 1 {
				interrupted = true
				server.SetWriteDeadline(time.Now())
				parked(ctx)
			}
		}
		if writing.Finished() {
			t.Error("the writer did not have to wait")
		}
		outside(t, ctx, func() error {
			data, updates, err := p.read(len(msg))
			if updates != 4 {
				t.Errorf("%d new keys, want 4", updates)
			}
			return errors.Join(err, testkit.Same(data, msg))
		})
		if err := writing.Wait(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
	})
}

// TestGoodbye: a Close sends a close_notify alert, also if it is deferred by a
// task that is cancelled or whose deadlines have passed.
func TestGoodbye(t *testing.T) {
	run(t, func(ctx context.Context) {
		server, p := meetByHand(t, ctx)
		serving := reactor.Go(ctx, func(context.Context) error {
			defer server.Close()
			defer server.SetDeadline(time.Now())
			_, err := server.Read(make([]byte, 1))
			return err
		})
		parked(ctx)
		serving.Cancel(nil)
		if err := serving.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		outside(t, ctx, func() error {
			all, err := io.ReadAll(p.from)
			if err != nil || len(all) < 5 {
				return fmt.Errorf("read %x, %w", all, err)
			}
			typ, text, err := p.in.open(all)
			if typ != typeAlert || string(text) != closeNotify {
				t.Errorf("the last record is of type %d: %x, %v", typ, text, err)
			}
			return err
		})
	})
}

// TestKeyUpdateFlood: a peer that keeps asking and never reads is no longer
// read from; when it reads, the connection goes on.
func TestKeyUpdateFlood(t *testing.T) {
	run(t, func(ctx context.Context) {
		server, p := meetByHand(t, ctx)
		msg := testkit.Pattern(16 * megabytes)
		writing := reactor.Go(ctx, func(context.Context) error { _, err := server.Write(msg); return err })
		for held, same := -1, 0; same < 20; { // until the kernel has no room, so that answers must wait
			reactor.Sleep(ctx, time.Millisecond)
			if n := len(server.out); n == held {
				same++
			} else {
				held, same = n, 0
			}
		}
		const rounds, each = 800, 10
		received := 0
		reading := reactor.Go(ctx, func(context.Context) error {
			b := make([]byte, 1)
			for received < rounds {
				if _, err := server.Read(b); err != nil {
					return err
				}
				received++
			}
			return nil
		})
		asking := reactor.Go(ctx, func(ctx context.Context) error {
			outside(t, ctx, func() error {
				for range rounds {
					var records []byte
					for range each {
						records = append(records, p.rekey()...)
					}
					if _, err := p.conn.Write(append(records, p.out.seal(typeData, ".")...)); err != nil {
						return err
					}
				}
				return nil
			})
			return nil
		})
		for len(server.out) <= maxAnswers && received < rounds {
			reactor.Yield(ctx)
		}
		reactor.Sleep(ctx, 10*time.Millisecond) // time to do wrong in
		// Plus what crypto/tls has read ahead, less than a record.
		if n := len(server.out); received == rounds || n > maxAnswers+16<<10 {
			t.Errorf("%d bytes of answers are held back; %d of %d rounds read", n, received, rounds)
		}
		outside(t, ctx, func() error {
			data, _, err := p.read(len(msg))
			return errors.Join(err, testkit.Same(data, msg))
		})
		if err := errors.Join(asking.Wait(ctx), reading.Wait(ctx), writing.Wait(ctx)); err != nil {
			t.Error(err)
		}
		server.Close()
	})
}
