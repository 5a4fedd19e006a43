package reactor

import (
	"os"
	"sync/atomic"
)

// Hold returns f's descriptor, which stays open until Release, for a goroutine
// that is to use it off the loop. Everything else about f goes on: a Close
// meanwhile, or the loop's end, is seen at once by all who use f, but the
// descriptor is closed only when nobody holds it any more. The error is
// [os.ErrClosed].
func (f *FD) Hold() (sysfd int, err error) {
	f.loop.onLoop("FD.Hold")
	if f.flags&closed != 0 {
		return -1, os.ErrClosed
	}
	atomic.AddInt32(&f.users, 1)
	return f.Sysfd(), nil
}

// Release gives back what Hold has returned. It may be called from anywhere, also
// once the loop has ended.
func (f *FD) Release(sysfd int) {
	if atomic.AddInt32(&f.users, -1) != closeWhenReleased {
		return
	}
	shut := func() { f.close(sysfd) } // its error is nobody's: Close has returned
	if !f.loop.post(shut) {
		shut()
	}
}

// closeWhenReleased is added to the count of holders when f is closed before
// they have released it.
const closeWhenReleased = 1 << 30

// closedByHolders reports whether there are holders, to whom the closing is left.
func (f *FD) closedByHolders() bool {
	return atomic.LoadInt32(&f.users) != 0 && atomic.AddInt32(&f.users, closeWhenReleased) != closeWhenReleased
}
