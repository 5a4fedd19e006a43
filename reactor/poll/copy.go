package poll

import (
	"io"
)

// A CopyError is an error of [Copy]'s source, or of its destination.
type CopyError struct {
	Err   error
	Write bool // it is the destination's
}

// Copy moves up to limit bytes from src to dst, streams, until the end of src, and
// returns how much. For a task both must be of its loop. The error is nil or a CopyError.
//
// What comes in small pieces goes by way of the loop's own buffer: a connection that is
// idle here holds none, and no deep stack. What comes in such quantities that it fills
// the buffer is more than copying is good for: it is spliced, if it can be.
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

// Together reports whether a task that may use one of two FDs may use both.
func Together(a, b *FD) bool { return a.Loop() == b.Loop() }

// endCopy goes on where Copy can't.
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

// sourceFailed returns what an error of a read means for a copy.
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
	room := src.core.Inner().Scratch() // not before the wait: it is lent until the next one
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
		}
	}()
	for moved < limit {
		n, why := copyPieceApart(dst, src, limit-moved)
		moved += int64(n)
		if why == isFull && !src.Shared() && !dst.Shared() {
			if p == nil {
				p = newPipe(sys)
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
