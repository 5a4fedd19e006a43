package kqmodel

// A Kevent_t is a change or an event: struct kevent, with x/sys's name and its
// field types on 64-bit FreeBSD.
type Kevent_t struct {
	Ident  uint64
	Filter int16
	Flags  uint16
	Fflags uint32
	Data   int64
}

// The filters and flags, with the values of FreeBSD's sys/event.h.
const (
	EVFILT_READ  = -1
	EVFILT_WRITE = -2
	EVFILT_PROC  = -5

	EV_ADD     = 0x1
	EV_DELETE  = 0x2
	EV_ENABLE  = 0x4
	EV_ONESHOT = 0x10
	EV_CLEAR   = 0x20
	EV_ERROR   = 0x4000
	EV_EOF     = 0x8000

	NOTE_EXIT = 0x80000000
)

// SetKevent sets the first three fields, like x/sys's function of this name.
func SetKevent(k *Kevent_t, fd, mode, flags int) {
	k.Ident, k.Filter, k.Flags = uint64(fd), int16(mode), uint16(flags)
}
