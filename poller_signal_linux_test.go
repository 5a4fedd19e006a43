package eddy

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// signalled interrupts the calling thread every millisecond, until the test
// ends.
func signalled(t *testing.T) {
	runtime.LockOSThread()
	tid := unix.Gettid()
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				// The runtime's own signal, which it treats as a hint.
				unix.Tgkill(unix.Getpid(), tid, unix.SIGURG)
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		runtime.UnlockOSThread()
	})
}

func TestSignalEndsSleep(t *testing.T) {
	signalled(t)
	p := newPoller(t)
	for range 5 {
		wakeReturns(t, p)
	}
}
