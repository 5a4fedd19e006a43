//go:build linux

package main

import (
	"bytes"
	stdtls "crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	stdnet "net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eddyio/eddy/bench/internal/proc"
)

// clientArg is the first argument of the clients' process; the servers'
// addresses and the number of connections follow.
const clientArg = "soak-clients"

// counts counts what clients have done.
type counts struct {
	Messages, Bytes, Wrong, Failed, Hostile int64
	First                                   string // the first failure
}

func (c *counts) add(more counts) {
	c.Messages += more.Messages
	c.Bytes += more.Bytes
	c.Wrong += more.Wrong
	c.Failed += more.Failed
	c.Hostile += more.Hostile
	if c.First == "" {
		c.First = more.First
	}
}

// clients are goroutines, each with one connection after the other.
type clients struct {
	plain, secure string
	over          atomic.Bool // errors from now on are not failures
	mu            sync.Mutex
	counts        counts
}

// beClients is the main function of the clients' process: it runs until its
// standard input ends.
func beClients(plain, secure, conns string) error {
	var n int
	if err := json.Unmarshal([]byte(conns), &n); err != nil {
		return err
	}
	proc.RaiseFileLimit()
	c := &clients{plain: plain, secure: secure}
	for i := range n {
		go c.client(rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(i))), i)
	}
	io.Copy(io.Discard, os.Stdin)
	c.over.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	return json.NewEncoder(os.Stdout).Encode(c.counts)
}

// client runs a client that stays steady, comes and goes, is slow, or is
// hostile, chosen once.
func (c *clients) client(dice *rand.Rand, i int) {
	time.Sleep(time.Duration(i) * 100 * time.Microsecond) // the kernel's queue is short
	for {
		switch i % 20 {
		case 0, 1:
			c.hostile(dice)
		case 2:
			c.honest(dice, 20, 50*time.Millisecond)
		case 3, 4, 5, 6:
			c.honest(dice, 3, 0)
		default:
			c.honest(dice, 1<<30, 0)
		}
	}
}

// dial connects; every fifth connection is TLS.
func (c *clients) dial(dice *rand.Rand) (stdnet.Conn, error) {
	d := &stdnet.Dialer{Timeout: time.Minute}
	if dice.IntN(5) == 0 {
		return stdtls.DialWithDialer(d, "tcp", c.secure, &stdtls.Config{InsecureSkipVerify: true})
	}
	return d.Dial("tcp", c.plain)
}

// honest sends messages and checks what comes back, which it reads slowly if pause is
// set. While the server is short of descriptors, a client may wait, and a TLS
// handshake that waits longer than its limit may fail: honest tries those
// again. By TLS 1.3 the client is done before the server, and then learns of the
// failure by its first message.
func (c *clients) honest(dice *rand.Rand, messages int, pause time.Duration) {
	begun, answered := time.Now(), false
	conn, err := c.dial(dice)
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return
	}
	defer conn.Close()
	for range messages {
		msg := make([]byte, 1+dice.IntN(4096))
		for i := range msg {
			msg[i] = byte(dice.Uint32())
		}
		conn.SetDeadline(time.Now().Add(2 * time.Minute))
		if _, err = conn.Write(msg); err != nil {
			break
		}
		got := make([]byte, len(msg))
		for n := 0; n < len(got) && err == nil; {
			end := len(got)
			if pause > 0 {
				end = min(end, n+512)
				time.Sleep(pause)
			}
			var more int
			more, err = conn.Read(got[n:end])
			n += more
		}
		if err != nil {
			break
		}
		c.checked(msg, got)
		answered = true
		time.Sleep(time.Duration(dice.IntN(1000)) * time.Millisecond)
	}
	_, secure := conn.(*stdtls.Conn)
	if secure && !answered && time.Since(begun) >= handshakeTimeout {
		return
	}
	if err != nil && !c.over.Load() {
		c.mu.Lock()
		c.counts.Failed++
		c.counts.First = err.Error()
		c.mu.Unlock()
	}
}

func (c *clients) checked(sent, got []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Messages++
	c.counts.Bytes += int64(len(sent))
	if !bytes.Equal(sent, got) && !c.over.Load() {
		c.counts.Wrong++
		c.counts.First = "other bytes"
	}
}

// hostile misbehaves in one of several ways, for a few seconds.
func (c *clients) hostile(dice *rand.Rand) {
	c.mu.Lock()
	c.counts.Hostile++
	c.mu.Unlock()
	address := []string{c.plain, c.secure}[dice.IntN(2)]
	conn, err := stdnet.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Duration(1+dice.IntN(5)) * time.Second))
	switch dice.IntN(4) {
	case 0: // writes and never reads
		for p := make([]byte, 16<<10); err == nil; {
			_, err = conn.Write(p)
		}
	case 1: // says nothing, or the beginning of a TLS record
		conn.Write([]byte{22, 3, 1, 2, 0}[:dice.IntN(6)])
		io.Copy(io.Discard, conn)
	case 2: // is rude, and resets
		conn.Write(bytes.Repeat([]byte("GET / HTTP/1.1\r\n"), 100))
		conn.(*stdnet.TCPConn).SetLinger(0)
	case 3: // a byte at a time
		for err == nil {
			if _, err = conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
				time.Sleep(100 * time.Millisecond)
			}
		}
	}
}
