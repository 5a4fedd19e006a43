package poll

import (
	"context"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/eddyio/eddy/sockets"
)

// ReadMsg waits for a message, reads it into b and oob, and returns it without
// them. It may bring descriptors if rights is set. call is the name of the
// system call for errors. one is memory for a task's call; it is not used
// across suspensions.
func (f *FD) ReadMsg(one *[1]sockets.Message, b, oob []byte, rights bool, call string) (sockets.Message, error) {
	if !f.core.OnLoop() {
		return f.readMsgElsewhere(one, b, oob, rights, call)
	}
	for {
		if err := f.core.Inner().WaitRead(); err != nil {
			return sockets.Message{}, err
		}
		k := f.core.Kind()
		one[0].Data, one[0].Control = b, oob
		errno := receiveOne(k, f.core.Sysfd(), one, rights)
		m := takeOne(one)
		switch err := f.received(call, errno); err {
		case nil:
			return m, f.endIn(k, m)
		case errAgain:
		default:
			return sockets.Message{}, err
		}
	}
}

// endIn returns io.EOF if m is empty and that means the end of the data.
func (f *FD) endIn(k *Kind, m sockets.Message) error {
	if m.N > 0 || k.Datagram {
		return nil
	}
	return f.readEnded()
}

func receiveOne(k *Kind, fd int, one *[1]sockets.Message, rights bool) (errno syscall.Errno) {
	if rights {
		_, errno = receiveRights(k.Sockets, fd, one[:])
	} else {
		_, errno = k.Sockets.Receive(fd, one[:], unix.MSG_DONTWAIT)
	}
	return errno
}

func takeOne(one *[1]sockets.Message) sockets.Message {
	m := one[0]
	m.Data, m.Control = nil, nil
	one[0] = sockets.Message{}
	return m
}

func (f *FD) readMsgElsewhere(one *[1]sockets.Message, b, oob []byte, rights bool, call string) (m sockets.Message, err error) {
	if !f.isReal() {
		return elsewhere(f, func() (sockets.Message, error) { return f.ReadMsg(one, b, oob, rights, call) })
	}
	g, err := f.enter()
	if err != nil {
		return m, err
	}
	defer g.leave()
	own := messages.Get().(*[1]sockets.Message)
	defer messages.Put(own)
	k := f.core.Kind()
	err = g.read(call, func(fd int) syscall.Errno {
		own[0].Data, own[0].Control = b, oob
		errno := receiveOne(k, fd, own, rights)
		m = takeOne(own)
		return errno
	})
	switch {
	case err != nil:
		return sockets.Message{}, err
	case f.Activity != nil:
		f.Activity.heard()
	}
	if m.N == 0 && !k.Datagram {
		return m, g.ended()
	}
	return m, nil
}

// ReadMsgs waits for messages, and reads those that there are, at most len(ms).
func (f *FD) ReadMsgs(ms []sockets.Message) (n int, err error) {
	if len(ms) == 0 {
		return 0, f.Usable()
	}
	if !f.core.OnLoop() {
		return f.readMsgsElsewhere(ms)
	}
	for {
		if err := f.core.Inner().WaitRead(); err != nil {
			return 0, err
		}
		n, errno := f.core.Kind().Sockets.Receive(f.core.Sysfd(), ms, unix.MSG_DONTWAIT)
		switch err := f.received("recvmmsg", errno); err {
		case nil:
			return n, nil
		case errAgain:
		default:
			return 0, err
		}
	}
}

func (f *FD) readMsgsElsewhere(ms []sockets.Message) (n int, err error) {
	if !f.isReal() {
		return elsewhere(f, func() (int, error) { return f.ReadMsgs(ms) })
	}
	g, err := f.enter()
	if err != nil {
		return 0, err
	}
	defer g.leave()
	err = g.read("recvmmsg", func(fd int) (errno syscall.Errno) {
		n, errno = f.core.Kind().Sockets.Receive(fd, ms, unix.MSG_DONTWAIT)
		return errno
	})
	if err == nil && f.Activity != nil {
		f.Activity.heard()
	}
	return n, err
}

// WriteMsg sends a message, and waits for room if necessary. It returns the
// message as the kernel took it: all of it, unless the socket is a stream. one
// and call are as for [FD.ReadMsg].
func (f *FD) WriteMsg(one *[1]sockets.Message, m sockets.Message, call string) (sockets.Message, error) {
	if !f.core.OnLoop() {
		return f.writeMsgElsewhere(one, m, call)
	}
	if err := f.core.Inner().LockWrite(); err != nil {
		return sockets.Message{}, err
	}
	defer f.core.UnlockWrite()
	return f.writeMsgLocked(one, m, call)
}

func (f *FD) writeMsgLocked(one *[1]sockets.Message, m sockets.Message, call string) (sockets.Message, error) {
	for full := 0; ; {
		if err := f.core.Inner().WaitWrite(); err != nil {
			return sockets.Message{}, err
		}
		one[0] = m
		_, errno := f.core.Kind().Sockets.Send(f.core.Sysfd(), one[:], unix.MSG_DONTWAIT)
		sent := takeOne(one)
		if errno == syscall.EAGAIN {
			full++
			if err := f.blocked(m.Path != "", full); err != nil {
				return sockets.Message{}, err
			}
			continue
		}
		switch err := f.sent(call, errno); err {
		case nil:
			return sent, nil
		case errAgain:
		default:
			return sockets.Message{}, err
		}
	}
}

// blocked is called when a message could not be sent for the n-th time. If it
// is sent to a Unix socket by name, the receiver's queue may be full, which
// epoll does not report: it always reports this socket as writable
// (unix_dgram_poll in the kernel's net/unix/af_unix.c checks only the queue of
// a connected peer). So as not to spin, blocked waits after a few attempts, up
// to 10 ms.
func (f *FD) blocked(named bool, n int) error {
	if pause := pauseAfter(named, n); pause > 0 {
		return f.core.Inner().PauseWrite(pause)
	}
	f.core.WriteBlocked()
	return nil
}

// pauseAfter returns how long to wait after the n-th attempt, regardless of the
// poller. 0 means to wait for the poller.
func pauseAfter(named bool, n int) time.Duration {
	const turns = 16
	if !named || n <= turns {
		return 0
	}
	return min(100*time.Microsecond<<min(n-turns, 10), 10*time.Millisecond)
}

func (f *FD) writeMsgElsewhere(one *[1]sockets.Message, m sockets.Message, call string) (sent sockets.Message, err error) {
	if !f.isReal() {
		return elsewhere(f, func() (sockets.Message, error) { return f.WriteMsg(one, m, call) })
	}
	g, err := f.lockApart()
	if err != nil {
		return sockets.Message{}, err
	}
	defer g.unlockAndLeave()
	return g.writeMsg(m, call)
}

// writeMsg is WriteMsg for a goroutine that has the lock.
func (g *goSide) writeMsg(m sockets.Message, call string) (sent sockets.Message, err error) {
	k := g.fd.core.Kind()
	own := messages.Get().(*[1]sockets.Message)
	defer messages.Put(own)
	full := 0
	err = g.write(call, func(fd int) syscall.Errno {
		if pause := pauseAfter(m.Path != "", full); pause > 0 {
			time.Sleep(pause)
		}
		full++
		own[0] = m
		_, errno := k.Sockets.Send(fd, own[:], unix.MSG_DONTWAIT)
		sent = takeOne(own)
		return errno
	})
	if err != nil {
		return sockets.Message{}, err
	}
	return sent, nil
}

// A MsgWriter writes messages while it holds the write lock of an FD. Only the
// task or goroutine that called LockMsgs may use it.
type MsgWriter struct {
	fd *FD
	g  *goSide // nil for a task
}

// LockMsgs takes the write lock. The caller must be on the loop, or within [FD.Indirectly].
func (f *FD) LockMsgs() (MsgWriter, error) {
	if f.core.OnLoop() {
		return MsgWriter{fd: f}, f.core.Inner().LockWrite()
	}
	g, err := f.lockApart()
	return MsgWriter{f, g}, err
}

// Unlock releases the lock.
func (w MsgWriter) Unlock() {
	if w.g == nil {
		w.fd.core.UnlockWrite()
	} else {
		w.g.unlockAndLeave()
	}
}

// WriteOne is [FD.WriteMsg] under the lock.
func (w MsgWriter) WriteOne(one *[1]sockets.Message, m sockets.Message, call string) (sockets.Message, error) {
	if w.g == nil {
		return w.fd.writeMsgLocked(one, m, call)
	}
	return w.g.writeMsg(m, call)
}

// Write makes one call that sends some of ms.
func (w MsgWriter) Write(ms []sockets.Message, call string) (int, error) {
	if w.g != nil {
		return w.g.writeMsgs(ms, call)
	}
	f := w.fd
	for {
		if err := f.core.Inner().WaitWrite(); err != nil {
			return 0, err
		}
		n, errno := f.core.Kind().Sockets.Send(f.core.Sysfd(), ms, unix.MSG_DONTWAIT)
		switch err := f.sent(call, errno); err {
		case nil:
			return n, nil
		case errAgain:
		default:
			return 0, err
		}
	}
}

func (g *goSide) writeMsgs(ms []sockets.Message, call string) (n int, err error) {
	err = g.write(call, func(fd int) (errno syscall.Errno) {
		n, errno = g.fd.core.Kind().Sockets.Send(fd, ms, unix.MSG_DONTWAIT)
		return errno
	})
	return n, err
}

// IsDirect reports whether the caller can use one of the two sides: it is on
// the loop, or Go's poller can wait for the descriptor.
func (f *FD) IsDirect() bool { return f.core.OnLoop() || f.isReal() }

// Indirectly calls do in a task of the loop, for a caller for which
// [FD.IsDirect] is false.
func (f *FD) Indirectly(do func() (int, error)) (int, error) { return elsewhere(f, do) }

// Connected waits until done reports that the connection is made, or an error.
// It calls done before it waits and after each wait, because on some kernels a
// socket that is still connecting counts as writable. It must be called by
// tasks of the loop.
func (f *FD) Connected(done func(sysfd int) (bool, error)) error {
	for {
		if ok, err := done(f.core.Sysfd()); ok || err != nil {
			return err
		}
		f.core.WriteBlocked()
		if err := f.core.WaitWrite(); err != nil {
			return err
		}
	}
}

// ConnectedApart is Connected for a goroutine, which waits until ctx is done.
func (f *FD) ConnectedApart(ctx context.Context, done func(sysfd int) (bool, error)) error {
	g, err := f.enter()
	if err != nil {
		return err
	}
	defer g.leave()
	defer g.interruptedBy(ctx)()
	var ok bool
	var failure error
	err = g.raw.Write(func(fd uintptr) bool {
		ok, failure = done(int(fd))
		return ok || failure != nil
	})
	switch {
	case ok || failure != nil:
		return failure
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return g.plain(err)
}

// interruptedBy makes waits to write fail when ctx is done, until stop is
// called. It waits for ctx on a goroutine: context.AfterFunc may need a turn of
// the loop.
func (g *goSide) interruptedBy(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	over, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			g.file.SetWriteDeadline(time.Unix(1, 0))
		case <-over:
		}
	}()
	return func() {
		close(over)
		<-stopped
		setFileDeadline(g.file, writing, time.Time{})
	}
}
