package browsertest

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/eddyio/eddy/internal/testkit/programs"
)

var (
	update  = flag.Bool("update", false, "write docs/inspect.png")
	crowdOf = flag.Int("members", 5000, "how many are in the chat of the picture; the work of their joining grows with the square")
)

const picturePath = "../../docs/inspect.png"

// The page of examples/chat under load.
func TestPicture(t *testing.T) {
	members, history := 90, 2
	if *update {
		members, history = *crowdOf, 20
	}
	if _, err := shared(); err != nil { // before the chat is built and filled
		t.Skip(err)
	}
	chat, page := startChat(t)
	join(t, chat, members)

	p := open(t, page, 1360, 850)
	p.scheme("light")
	p.has("header", "chat · pid")
	group := fmt.Sprintf("%s × main.(*room).visit", thousands(members))
	p.has(row, group)
	p.until("some time has passed", fmt.Sprintf("[...history.values()].some(h => h.length >= %d)", history))
	p.click(row+" .name", group)
	p.has(row, "read of 127.")
	p.click(row+" .fold", "▸") // of the first member
	p.has(row, "main.(*member).write")
	if over := p.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth"); over != 0.0 {
		t.Errorf("the page is %v too wide", over)
	}
	if !*update {
		return
	}
	p.eval("document.activeElement.blur(); cursor = null; render()")
	png := p.picture()
	if len(png) > 300_000 {
		t.Errorf("the picture has %d bytes", len(png))
	}
	if err := os.WriteFile(picturePath, png, 0o644); err != nil {
		t.Error(err)
	}
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// startChat runs examples/chat, and returns the addresses of the chat and its page.
func startChat(t *testing.T) (addr, page string) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "chat")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/eddyio/eddy/examples/chat").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // to find a port
	if err != nil {
		t.Fatal(err)
	}
	inspectAddr := ln.Addr().String()
	ln.Close()
	chat := programs.Serve(t, exec.Command(bin, "-addr", "127.0.0.1:0", "-inspect", inspectAddr))
	return chat.Addr, "http://" + inspectAddr
}

// perAddr is how many members come from one address: the chat lets few more in. The
// first of them come from the ordinary one.
const perAddr = 90

// join has so many members join the chat, who read what is said until t ends. Some of them
// talk, so much that the loop is busy for about a third of the time.
func join(t *testing.T, addr string, members int) {
	t.Helper()
	var wg sync.WaitGroup
	conns := make([]net.Conn, members)
	stop := make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
		wg.Wait()
	})
	for i := range conns { // one after the other: each is news to all others
		d := net.Dialer{Timeout: patience}
		if n := i / perAddr; n > 0 {
			d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n))}
		}
		c, err := d.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = c
		in := bufio.NewReaderSize(c, 64<<10)
		fmt.Fprintf(c, "member%d\n", i)
		c.SetReadDeadline(time.Now().Add(patience))
		if _, err := in.ReadString('*'); err != nil { // it is told who is present
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Time{})
		wg.Go(func() { io.Copy(io.Discard, in) })
	}
	wg.Go(func() {
		pause := max(10*time.Millisecond, time.Duration(members)*12*time.Microsecond)
		for i := 0; ; i += 7 {
			select {
			case <-stop:
				return
			case <-time.After(pause):
				fmt.Fprintln(conns[i%members], "Is anybody out there?")
			}
		}
	})
}
