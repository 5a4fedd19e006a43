package testkit

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestLeaks(t *testing.T) {
	Settle()
	LeakCheck(t)()
	before := Holdings()
	stop, ended := make(chan bool), make(chan bool)
	go func() { <-stop; close(ended) }()
	if err := before.leaked(time.Millisecond); err == nil || !strings.Contains(err.Error(), "TestLeaks") {
		t.Errorf("a goroutine that is left: %v", err)
	}
	close(stop)
	<-ended
	if err := before.Leaked(); err != nil {
		t.Error("all is given back:", err)
	}
	if before.FDs == nil {
		return // this system does not list them
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := before.leaked(time.Millisecond); err == nil || !strings.Contains(err.Error(), "fds") {
		t.Errorf("two descriptors that are left: %v", err)
	}
	r.Close()
	w.Close()
	if err := before.Leaked(); err != nil {
		t.Error("all is given back:", err)
	}
}

func TestPatternShowsWhatIsLostDoubledOrSwapped(t *testing.T) {
	p := Pattern(4096)
	if err := Same(p, Pattern(4096)); err != nil {
		t.Error("a pattern is not itself:", err)
	}
	for i := range 1000 {
		moved := append(append(append([]byte(nil), p[:i]...), p[i+1:]...), p[i])
		if Same(moved, p) == nil {
			t.Errorf("byte %d may be lost unseen", i)
		}
	}
	if err := Same(p[:10], p); err == nil || err.Error() != "got 10 bytes, want 4096" {
		t.Error("a short one:", err)
	}
	if Same(Pattern(64), p[:64]) == nil {
		t.Error("patterns of different lengths begin alike")
	}
}
