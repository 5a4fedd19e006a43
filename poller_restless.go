//go:build linux && !kqueue_model && epoll_restless

package eddy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// With this tag, for tests, a Poller repeats at random what epoll has reported:
// a kernel may do so, and callers must handle it. The environment variable
// EDDY_RESTLESS is the seed.
type kernel struct {
	backend
	random *rand.Rand
	added  []addition
	again  []rawEvent // what poll is about to report again
	asked  [1]unix.PollFd
}

// An addition is a registration. One whose descriptor was closed without remove
// stays, and is not repeated once another file has the number.
type addition struct {
	fd       int
	token    uint64
	dev, ino uint64
}

func restlessSeed() uint64 {
	value := os.Getenv("EDDY_RESTLESS")
	seed, err := strconv.ParseUint(value, 10, 64)
	if err != nil && value != "" {
		panic(fmt.Sprintf("eddy: EDDY_RESTLESS=%s is not a number", value))
	}
	return seed
}

func (k *kernel) open() error {
	k.random = rand.New(rand.NewPCG(restlessSeed(), 0))
	return k.backend.open()
}

func (k *kernel) add(fd int, token uint64) error {
	err := k.backend.add(fd, token)
	if err == nil {
		k.forget(fd)
		dev, ino := fileOf(fd)
		k.added = append(k.added, addition{fd, token, dev, ino})
	}
	return err
}

func (k *kernel) remove(fd int) error {
	k.forget(fd)
	return k.backend.remove(fd)
}

func (k *kernel) forget(fd int) {
	for i, a := range k.added {
		if a.fd == fd {
			k.added = append(k.added[:i], k.added[i+1:]...)
			return
		}
	}
}

func fileOf(fd int) (dev, ino uint64) {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0, 0
	}
	return uint64(st.Dev), st.Ino
}

// poll repeats events in half of the calls, at random; then it does not sleep.
func (k *kernel) poll(raw []rawEvent, timeout time.Duration) (int, error) {
	k.again = k.again[:0]
	if k.random.IntN(2) == 0 {
		for range min(3, len(k.added)) {
			k.repeat(k.added[k.random.IntN(len(k.added))])
		}
	}
	if len(k.again) > 0 {
		timeout = 0
	}
	n, err := k.backend.poll(raw, timeout)
	if err != nil {
		return n, err
	}
	for _, event := range k.again {
		if n < len(raw) && !hasToken(raw[:n], event) {
			raw[n] = event
			n++
		}
	}
	return n, nil
}

// repeat adds an event for the present state of a descriptor: the bits of
// poll(2) are epoll's.
func (k *kernel) repeat(a addition) {
	if dev, ino := fileOf(a.fd); dev != a.dev || ino != a.ino {
		return
	}
	k.asked[0] = unix.PollFd{Fd: int32(a.fd), Events: unix.POLLIN | unix.POLLOUT | unix.POLLRDHUP | unix.POLLPRI}
	if n, err := unix.Poll(k.asked[:], 0); n == 1 && err == nil {
		k.again = append(k.again, rawEvent{
			Events: uint32(uint16(k.asked[0].Revents)), Fd: int32(a.token), Pad: int32(a.token >> 32),
		})
	}
}

// hasToken reports whether events has one with event's token.
func hasToken(events []rawEvent, event rawEvent) bool {
	for _, e := range events {
		if e.Fd == event.Fd && e.Pad == event.Pad {
			return true
		}
	}
	return false
}
