package shard

import (
	"context"
	"fmt"
	"iter"
	"math/bits"

	"github.com/eddyio/eddy/reactor"
)

// A Channel passes items from one shard to another, first in, first out, and bounds how
// many are on their way. [NewChannel] makes one. Tasks of the one shard put, tasks of the
// other one get; both shards may be the same. For several shards that send, or receive,
// use a channel for each pair.
//
// Put and Get take no lock, allocate nothing, and suspend only while the channel is full,
// or empty. A shard that waits is woken by one message, for all items that it finds then:
// a system call only if its loop is asleep. A shard that waits for room is woken when half
// of the channel is empty, or the other shard's tasks have had their turn. As a channel
// may never be empty, nor full, each 256th Put and Get lets the loop's other tasks run.
//
// Like a Go channel, it knows nothing of those who use it: a Put waits until there is
// room, even if the other shard gets no more. Close it on both sides (by defer) to end
// the other side's waits.
type Channel[T any] struct {
	items []T // by the number of each, modulo the length, which is a power of two
	duct
}

// maxRoom bounds a channel's room, so that numbers of items can be 32 bits wide.
const maxRoom = 1 << 30

// NewChannel returns a channel from one shard of a program to another, with room for max
// items, at least 1. It may be called by any goroutine, once the program's Setup has begun.
//
//	jobs := shard.NewChannel[job](s, s.Peer(1), 64)
func NewChannel[T, S any](from, to *Shard[S], max int) *Channel[T] {
	if max < 1 || max > maxRoom {
		panic(fmt.Sprintf("shard: NewChannel with room for %d items: it must be from 1 to %d", max, maxRoom))
	}
	c := &Channel[T]{items: make([]T, 1<<bits.Len(uint(max-1)))}
	c.init(from, to, uint32(max))
	return c
}

// Put adds an item, and waits while the channel is full. The error is ctx's, or
// [reactor.ErrClosed]; in both cases the item was not added. It panics if the task is not
// of the shard that the channel leads from.
func (c *Channel[T]) Put(ctx context.Context, item T) error {
	w, s, err := c.put.await(ctx, "Channel.Put")
	if err != nil {
		return err
	}
	for err = c.add(item); err == reactor.ErrFull; err = c.add(item) {
		if waited, err := c.put.wait(w, s); err != nil {
			return err
		} else if waited {
			return c.keep(item)
		}
	}
	return err
}

// keep adds an item for which a task has waited.
func (c *Channel[T]) keep(item T) error {
	c.put.promised--
	if c.closed.Load() {
		return reactor.ErrClosed
	}
	c.push(item)
	return nil
}

// TryPut adds an item without waiting. The error is [reactor.ErrFull] or
// [reactor.ErrClosed]. It may be called by tasks and callbacks of the shard that the
// channel leads from; for others it panics.
func (c *Channel[T]) TryPut(item T) error {
	c.put.onLoop("Channel.TryPut")
	return c.add(item)
}

func (c *Channel[T]) add(item T) error {
	if !c.put.tasks.Empty() {
		c.put.serve() // they come first
	}
	switch {
	case c.closed.Load():
		return reactor.ErrClosed
	case c.put.allowed() == 0:
		return reactor.ErrFull
	}
	c.push(item)
	return nil
}

func (c *Channel[T]) push(item T) {
	at := c.put.at.Load()
	c.items[at&uint32(len(c.items)-1)] = item
	c.put.at.Store(at + 1)
	c.get.call()
}

// Get removes and returns the next item, and waits while there is none. The error is
// ctx's, or [reactor.ErrClosed] once the channel is closed and empty. It panics if the
// task is not of the shard that the channel leads to.
//
// Waiting tasks get items in the order of their calls. An item is not lost if the task
// that it wakes is cancelled in the same turn: its Get still returns the item.
func (c *Channel[T]) Get(ctx context.Context) (item T, err error) {
	w, s, err := c.get.await(ctx, "Channel.Get")
	if err != nil {
		return item, err
	}
	for item, err = c.take(); err == reactor.ErrEmpty; item, err = c.take() {
		if waited, err := c.get.wait(w, s); err != nil {
			return item, err
		} else if waited {
			c.get.promised--
			return c.pop(), nil
		}
	}
	return item, err
}

// TryGet removes and returns the next item without waiting. The error is
// [reactor.ErrEmpty] or [reactor.ErrClosed]. It may be called by tasks and callbacks of
// the shard that the channel leads to; for others it panics.
func (c *Channel[T]) TryGet() (T, error) {
	c.get.onLoop("Channel.TryGet")
	return c.take()
}

func (c *Channel[T]) take() (item T, err error) {
	if !c.get.tasks.Empty() {
		c.get.serve() // they come first
	}
	if c.get.allowed() == 0 {
		closed := c.closed.Load() // before a look for what was put before
		switch {
		case c.get.allowed() > 0:
		case closed:
			return item, reactor.ErrClosed
		default:
			return item, reactor.ErrEmpty
		}
	}
	return c.pop(), nil
}

func (c *Channel[T]) pop() T {
	var none T
	at := c.get.at.Load()
	slot := &c.items[at&uint32(len(c.items)-1)]
	item := *slot
	*slot = none
	c.get.at.Store(at + 1)
	c.get.made()
	return item
}

// All returns an iterator that gets items until the channel is closed and empty or ctx is
// done.
func (c *Channel[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			item, err := c.Get(ctx)
			if err != nil || !yield(item) {
				return
			}
		}
	}
}

// Close ends the channel: nothing more can be put, and tasks that wait to put get
// [reactor.ErrClosed]. The remaining items can still be taken; after that, Get returns
// ErrClosed too. Closing it again does nothing. Close may be called from any goroutine;
// an item that is put at the same moment may be lost, unless the shard that puts closes.
func (c *Channel[T]) Close() {
	c.closed.Store(true)
	c.put.call()
	c.get.call()
}
