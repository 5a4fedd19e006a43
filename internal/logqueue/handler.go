package logqueue

import (
	"context"
	"log/slog"
)

// Handler returns a handler that queues records for another one, which is
// called on the queue's goroutine. Errors and slog.LogValuers among a record's
// values are resolved when the record is queued; other values are kept, and
// must not change afterwards.
func (q *Queue) Handler(to slog.Handler) slog.Handler { return &handler{q, to} }

type handler struct {
	q  *Queue
	to slog.Handler
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.to.Enabled(ctx, level)
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	h.q.put(entry{ctx: ctx, to: h.to, record: frozen(r)})
	return nil
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.q, h.to.WithAttrs(freezeAll(attrs))}
}

func (h *handler) WithGroup(name string) slog.Handler { return &handler{h.q, h.to.WithGroup(name)} }

// frozen returns a record that can be formatted on another goroutine.
func frozen(r slog.Record) slog.Record {
	f := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		f.AddAttrs(freeze(a))
		return true
	})
	return f
}

func freezeAll(attrs []slog.Attr) []slog.Attr {
	frozen := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		frozen[i] = freeze(a)
	}
	return frozen
}

func freeze(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		v = slog.GroupValue(freezeAll(v.Group())...)
	case slog.KindAny:
		if err, ok := v.Any().(error); ok && err != nil {
			v = slog.AnyValue(&frozenError{textOf(err), err})
		}
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// A frozenError is an error whose text was fixed when it was made.
type frozenError struct {
	text  string
	inner error
}

func (e *frozenError) Error() string { return e.text }
func (e *frozenError) Unwrap() error { return e.inner }

// textOf returns an error's text. It recovers if the Error method panics, as
// that of a nil pointer may; slog does so too.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = "!PANIC in Error"
		}
	}()
	return err.Error()
}
