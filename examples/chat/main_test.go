package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eddyio/eddy/net"
	"github.com/eddyio/eddy/reactor"
)

// chat runs test and a server on one loop, and then stops the server like an
// interrupt, which must not take a whole grace time.
func chat(t *testing.T, test func(ctx context.Context, dial func(name string) *client)) {
	t.Helper()
	err := reactor.Run(t.Context(), func(ctx context.Context) error {
		return reactor.Timeout(ctx, 20*time.Second, func(ctx context.Context) error {
			said, out := io.Pipe()
			server := reactor.Go(ctx, func(ctx context.Context) error { return serve(ctx, "127.0.0.1:0", out) })
			addr, err := reactor.ToThread(ctx, func(context.Context) (string, error) { return listening(said) })
			if err != nil {
				return err
			}
			test(ctx, func(name string) *client { return newClient(t, ctx, addr, name) })
			server.Cancel(nil)
			return reactor.Timeout(ctx, 4*time.Second, server.Wait)
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// listening reads the address that a server says first.
func listening(said io.Reader) (string, error) {
	line, err := bufio.NewReader(said).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		return "", fmt.Errorf("the server said %q, %v", line, err)
	}
	return addr, nil
}

// chatOnShards runs test on a loop, beside a server on three shards, which three members
// use one each.
func chatOnShards(t *testing.T, test func(ctx context.Context, dial func(name string) *client)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	said, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := serveAll(ctx, 3, "127.0.0.1:0", out)
		out.Close()
		ended <- err
	}()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error("the server:", err)
		}
	}()
	addr, err := listening(said)
	if err != nil {
		t.Fatal(err)
	}
	err = reactor.Run(t.Context(), func(ctx context.Context) error {
		return reactor.Timeout(ctx, 20*time.Second, func(ctx context.Context) error {
			test(ctx, func(name string) *client { return newClient(t, ctx, addr, name) })
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

type client struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

// newClient connects, and enters the room unless name is empty.
func newClient(t *testing.T, ctx context.Context, addr, name string) *client {
	t.Helper()
	conn, err := net.Dial(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{conn, t, bufio.NewReader(conn)}
	c.want("Your name?")
	if name != "" {
		c.say(name)
	}
	return c
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) read() string {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil {
		c.t.Fatalf("after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (c *client) want(lines ...string) {
	c.t.Helper()
	for _, want := range lines {
		if got := c.read(); got != want {
			c.t.Fatalf("read %q, want %q", got, want)
		}
	}
}

func TestConversation(t *testing.T) { chat(t, conversation(t)) }

func TestConversationOnShards(t *testing.T) { chatOnShards(t, conversation(t)) }

func conversation(t *testing.T) func(ctx context.Context, dial func(string) *client) {
	return func(ctx context.Context, dial func(string) *client) {
		ann := dial("ann")
		ann.want("* present: ")
		bob := dial("bob")
		bob.want("* present: ann")
		ann.want("* bob has joined")
		cyd := dial("cyd")
		cyd.want("* present: ann, bob")
		ann.want("* cyd has joined")
		bob.want("* cyd has joined")

		ann.say("hello")
		ann.say("anyone?") // a member does not read its own lines
		bob.want("ann: hello", "ann: anyone?")
		cyd.want("ann: hello", "ann: anyone?")
		bob.say("yes")
		ann.want("bob: yes")
		cyd.want("bob: yes")

		bob.Close()
		ann.want("* bob has left")
		cyd.want("* bob has left")
		dial("bob").want("* present: ann, cyd") // the name is free again
	}
}

func TestNames(t *testing.T) { chat(t, naming(t)) }

func TestNamesOnShards(t *testing.T) { chatOnShards(t, naming(t)) }

func naming(t *testing.T) func(ctx context.Context, dial func(string) *client) {
	return func(ctx context.Context, dial func(string) *client) {
		ann := dial("ann")
		ann.want("* present: ")
		c := dial("")
		for _, bad := range []string{"", "two words", "ctrl\x1b", "long" + strings.Repeat("g", 20)} {
			c.say(bad)
			c.want("A name is 1 to 20 letters and digits. Your name?")
		}
		c.say("ann")
		c.want("That name is taken. Your name?")
		c.say(" bob\r") // as telnet sends it
		c.want("* present: ann")
		ann.want("* bob has joined") // and the attempts were not announced
	}
}

func TestLeavingUnnamedIsNoNews(t *testing.T) { chat(t, leavingUnnamedIsNoNews(t)) }

func TestLeavingUnnamedIsNoNewsOnShards(t *testing.T) { chatOnShards(t, leavingUnnamedIsNoNews(t)) }

func leavingUnnamedIsNoNews(t *testing.T) func(ctx context.Context, dial func(string) *client) {
	return func(ctx context.Context, dial func(string) *client) {
		ann := dial("ann")
		ann.want("* present: ")
		dial("").Close()
		dial("bob").want("* present: ann")
		ann.want("* bob has joined")
	}
}

// A map's order differs each time. Ten members would be sorted by chance once
// in three million runs.
func TestOrderIsThatOfTheNames(t *testing.T) {
	r := &room{members: make(map[string]*member)}
	want := strings.Split("abcdefghij", "")
	for _, name := range want {
		r.join(newMember(name, nil))
	}
	if got := r.names(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A member that does not read is dropped once its queue is full; meanwhile the
// others get every line, in order.
func TestSlowMemberIsDropped(t *testing.T) { chat(t, slowMemberIsDropped(t)) }

func TestSlowMemberIsDroppedOnShards(t *testing.T) { chatOnShards(t, slowMemberIsDropped(t)) }

func slowMemberIsDropped(t *testing.T) func(ctx context.Context, dial func(string) *client) {
	return func(ctx context.Context, dial func(string) *client) {
		ann := dial("ann")
		ann.want("* present: ")
		deaf := dial("deaf")
		ann.want("* deaf has joined")
		bob := dial("bob")
		ann.want("* bob has joined")
		bob.want("* present: ann, deaf")

		talk := reactor.Go(ctx, func(ctx context.Context) error {
			line := strings.Repeat("z", maxLine-100)
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := fmt.Fprintln(ann, i, line); err != nil {
					return err
				}
			}
			return nil
		})
		next := 0
		for {
			line := bob.read()
			if line == "* deaf has left" {
				break
			}
			if !strings.HasPrefix(line, fmt.Sprintf("ann: %d z", next)) {
				t.Fatalf("read %.20q…, want line %d", line, next)
			}
			next++
		}
		ann.want("* deaf has left")
		talk.Cancel(nil)
		if err := talk.Wait(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		io.Copy(io.Discard, deaf) // ends, because the server has closed it
	}
}

// More lines at once than a queue holds: members that read must not count as
// slow.
func TestBurstDropsNobody(t *testing.T) {
	chat(t, func(ctx context.Context, dial func(string) *client) {
		ann, bob := dial("ann"), dial("bob")
		ann.want("* present: ", "* bob has joined")
		bob.want("* present: ann")
		const lines = 4 * maxQueue
		ann.say(strings.Repeat("x\n", lines-1) + "x")
		for range lines {
			bob.want("ann: x")
		}
	})
}
