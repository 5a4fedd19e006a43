package flight

import "sync/atomic"

// A Ring holds the last records. One goroutine writes, by plain stores; others may copy
// it at any time, also while the writer stands still.
//
// What was put in before the last Publish is copied as it was written. Of what came
// after, a copy may miss the end, or see the last records half written: on most
// processors it does not, and never once the writer stands. Whoever reads a copy takes
// records that make no sense for what they are.
//
// Invariants: len(buf) is a power of two; record i, of n that were put in, is at i modulo
// len(buf) until record i+len(buf) is put in; published <= n, and nothing before it is
// written again but by overwriting it.
type Ring struct {
	buf       []Record
	n         uint64
	published atomic.Uint64
}

// recordSize is the size of a record in bytes.
const recordSize = 16

// minRecords is the size of the smallest ring. It must be more than slack.
const minRecords = 1024

// slack is how many records a reader leaves out at the old end: the writer may have come
// further than the reader sees.
const slack = 256

// Init makes r an empty ring of at most so many bytes, and at least 16 KiB.
func (r *Ring) Init(bytes int) {
	n := minRecords
	for 2*n <= bytes/recordSize {
		n *= 2
	}
	r.buf = make([]Record, n)
	r.n = 0
	r.published.Store(0)
}

// Len returns how many records fit in.
func (r *Ring) Len() int { return len(r.buf) }

// Put adds a record. Only the writer may call it.
//
//go:norace
func (r *Ring) Put(ticks int64, k Kind, what uint64) {
	p := &r.buf[r.n&uint64(len(r.buf)-1)]
	p.When, p.What = uint64(ticks)<<8|uint64(k), what
	r.n++
}

// Publish makes the records written so far visible to readers. It costs about as much as
// writing a few records. Only the writer may call it.
func (r *Ring) Publish() { r.published.Store(r.n) }

// Copy returns the records that are there, oldest first. Any goroutine may call it.
func (r *Ring) Copy() []Record {
	size := uint64(len(r.buf)) - 1 // the next record may be half written, over the oldest
	end := max(r.published.Load(), r.reached())
	begin := uint64(0)
	if end > size {
		begin = end - size
	}
	all := make([]Record, end-begin)
	r.read(all, begin)
	r.published.Add(0) // no read that stands before it happens after it
	if now := max(r.published.Load(), r.reached()); now != end && now+slack > begin+size {
		all = all[min(now+slack-size-begin, end-begin):]
	}
	return all
}

//go:norace
func (r *Ring) reached() uint64 { return r.n }

//go:norace
func (r *Ring) read(all []Record, begin uint64) {
	mask := uint64(len(r.buf) - 1)
	for i := range all {
		all[i] = r.buf[(begin+uint64(i))&mask]
	}
}
