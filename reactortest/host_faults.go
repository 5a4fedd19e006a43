package reactortest

// HostFaults are faults of a host's kernel. The probabilities, from 0 to 1, are for
// each call.
type HostFaults struct {
	ShortReads   float64 // a read returns less than there is
	ShortWrites  float64 // a write takes less than there is room for
	AcceptErrors float64 // an accept fails: EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED
	MaxFiles     int     // how many sockets may be open; more fail with EMFILE. 0 means no limit
	// Buffers is the buffer size of new sockets in bytes, as for SetReadBuffer. 0 means
	// 128 KiB for streams, and Linux's default for datagrams.
	Buffers int
}

// SetFaults sets the faults of the host's kernel.
func (h *Host) SetFaults(f HostFaults) {
	h.faults = f
	h.shortReads, h.shortWrites, h.badAccepts = parts(f.ShortReads), parts(f.ShortWrites), parts(f.AcceptErrors)
}

// buffers returns the size of a new socket's buffers.
func (h *Host) buffers() int {
	if h.faults.Buffers > 0 {
		return h.faults.Buffers
	}
	return defaultBuffers
}

const defaultBuffers = 128 << 10
