package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/eddyio/eddy/reactor"
)

// A state is a state of the counter. States are ordered by term, and within a
// term by index.
type state struct {
	term  uint64
	index uint64
	value int
}

func (s state) compare(t state) int {
	return cmp.Or(cmp.Compare(s.term, t.term), cmp.Compare(s.index, t.index))
}

func (s state) before(t state) bool { return s.compare(t) < 0 }

func later(s, t state) state {
	if s.before(t) {
		return t
	}
	return s
}

func (s state) String() string { return fmt.Sprintf("%d %d %d", s.term, s.index, s.value) }

// A record is a node's persistent state: the term below which it takes no more
// states, and the last state that it took.
type record struct {
	promised uint64
	state
}

// A store keeps a node's record. save replaces it atomically: after a crash,
// load returns the new or the old one, and after save has returned, the new
// one. A node makes one call at a time.
type store interface {
	load(ctx context.Context) (record, error) // the zero record if there is none yet
	save(ctx context.Context, r record) error
}

// A file is a store in a file.
type file struct{ path string }

const recordFormat = "promised %d, term %d, index %d, value %d\n"

func (f *file) load(ctx context.Context) (record, error) {
	return reactor.ToThread(ctx, func(context.Context) (r record, err error) {
		text, err := os.ReadFile(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		_, err = fmt.Sscanf(string(text), recordFormat, &r.promised, &r.term, &r.index, &r.value)
		if err != nil {
			err = fmt.Errorf("%s is not the store of a counter: %w", f.path, err)
		}
		return r, err
	})
}

// save writes another file and renames it, which is atomic in POSIX. The syncs
// ensure that the data is on disk before the name, and the name before save
// returns.
func (f *file) save(ctx context.Context, r record) error {
	_, err := reactor.ToThread(ctx, func(context.Context) (none struct{}, err error) {
		if err := writeSynced(f.path+".new", fmt.Sprintf(recordFormat, r.promised, r.term, r.index, r.value)); err != nil {
			return none, err
		}
		if err := os.Rename(f.path+".new", f.path); err != nil {
			return none, err
		}
		dir, err := os.Open(filepath.Dir(f.path))
		if err != nil {
			return none, err
		}
		return none, errors.Join(dir.Sync(), dir.Close())
	})
	return err
}

func writeSynced(path, text string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}
