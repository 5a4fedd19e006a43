package poll

import (
	"io"
)

// A CopyError is an error of [Copy]'s source or destination.
type CopyError struct {
	Err   error
	Write bool // the destination's error, not the source's
}

// Copy moves up to limit bytes from the stream src to the stream dst, until the
// end of src, and returns how much. For a task both must belong to its loop.
//
// Small pieces are copied through the loop's own buffer, so that a connection
// that is idle here holds no buffer and no deep stack. When a piece fills the
// buffer, the data is spliced, if possible.
func Copy(dst, src *FD, limit int64) (moved int64, failed *CopyError) {
	if !src.core.OnLoop() {
		return copyElsewhere(dst, src, limit)
	}
	for moved < limit {
		if err := src.core.Inner().WaitRead(); err != nil {
			return moved, &CopyError{Err: err}
		}
		n, why := copyPiece(dst, src, limit-moved)
		moved += int64(n)
		if why != nil {
			return endCopy(dst, src, limit, moved, why)
		}
	}
	return moved, nil
}

// Together reports whether a task that may use a may use b.
func Together(a, b *FD) bool { return a.Loop() == b.Loop() }

// endCopy continues a Copy that has stopped because of why.
func endCopy(dst, src *FD, limit, moved int64, why *CopyError) (int64, *CopyError) {
	switch why {
	case atEnd:
		return moved, nil
	case isFull:
		rest, why := copyLarge(dst, src, limit-moved)
		return moved + rest, why
	}
	return moved, why
}

var (
	atEnd  = new(CopyError) // the source is at its end
	isFull = new(CopyError) // the last piece was as large as there was room for
)

// sourceFailed converts an error of a read.
func sourceFailed(err error) *CopyError {
	switch err {
	case nil, errAgain:
		return nil
	case io.EOF:
		return atEnd
	}
	return &CopyError{Err: err}
}

// copyPiece reads once, and writes what it has read.
func copyPiece(dst, src *FD, limit int64) (int, *CopyError) {
	room := src.core.Inner().Scratch() // after the wait, because it is lent only until the next one
	n, err := src.tryRead(room[:min(int64(len(room)), limit)])
	if err != nil {
		return 0, sourceFailed(err)
	}
	full := n == len(room)
	n, err = dst.writeBorrowed(room[:n])
	if err != nil {
		return n, &CopyError{err, true}
	}
	if full {
		return n, isFull
	}
	return n, nil
}

// copyElsewhere is Copy for a goroutine.
func copyElsewhere(dst, src *FD, limit int64) (moved int64, failed *CopyError) {
	if src.isReal() && dst.isReal() {
		return copyApart(dst, src, limit)
	}
	err := elsewhere0(src, func() error {
		moved, failed = Copy(dst, src, limit)
		return nil
	})
	if err != nil {
		return 0, &CopyError{Err: err}
	}
	return moved, failed
}

// copyApart copies like Copy, with Go's pollers.
func copyApart(dst, src *FD, limit int64) (moved int64, failed *CopyError) {
	sys := src.core.Kind().Sockets
	var p *pipe
	defer func() {
		if p != nil {
			p.close(sys)
			pipesApart.Add(-1)
		}
	}()
	for moved < limit {
		n, why := copyPieceApart(dst, src, limit-moved)
		moved += int64(n)
		if why == isFull && !src.Shared() && !dst.Shared() {
			if p == nil {
				p = newPipeApart(sys)
			}
			if p != nil {
				var n int64
				n, why = spliceApart(dst, src, limit-moved, p)
				moved += n
			}
		}
		switch why {
		case nil, isFull:
		case atEnd:
			return moved, nil
		default:
			return moved, why
		}
	}
	return moved, nil
}

// copyPieceApart reads once and writes what it has read.
func copyPieceApart(dst, src *FD, limit int64) (int, *CopyError) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	n, err := src.Read(buf[:min(bufferSize, limit)])
	if err != nil {
		return 0, sourceFailed(err)
	}
	n, err = dst.Write(buf[:n])
	switch {
	case err != nil:
		return n, &CopyError{err, true}
	case n == bufferSize:
		return n, isFull
	}
	return n, nil
}
