package net

import (
	"context"
	stdnet "net"
	"reflect"
	"sync"
)

// A program sets hooks for name resolution and connecting with
// httptrace.WithClientTrace. They are in the ctx, under a key that only std's
// net and net/http/httptrace can name. Importing the latter would link
// crypto/tls into every program, a quarter of the size of a small one. So the
// key is obtained from std's net, which looks it up in the ctx of each dial.

// traceKey returns that key; nil if std's net looks none up.
var traceKey = sync.OnceValue(func() any {
	asked := &askedFor{Context: context.Background()}
	new(stdnet.Dialer).DialContext(asked, "", "") // fails: unknown network
	return asked.key
})

// askedFor is a ctx that records the key of the hooks.
type askedFor struct {
	context.Context
	key any
}

func (a *askedFor) Value(key any) any {
	if reflect.TypeOf(key).String() == "nettrace.TraceKey" {
		a.key = key
	}
	return nil
}

// A trace holds the hooks of a ctx: a struct of std's, with a field for each.
// The zero trace has none.
type trace struct{ hooks reflect.Value }

func traceOf(ctx context.Context) trace {
	key := traceKey()
	if key == nil {
		return trace{}
	}
	v := reflect.ValueOf(ctx.Value(key))
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return trace{}
	}
	return trace{v.Elem()}
}

func (t trace) none() bool { return !t.hooks.IsValid() }

// hook returns a hook of t, or nil.
func hook[F any](t trace, name string) (f F) {
	if !t.none() {
		if field := t.hooks.FieldByName(name); field.IsValid() {
			f, _ = field.Interface().(F)
		}
	}
	return f
}

func (t trace) connectStart(network, addr string) {
	if f := hook[func(network, addr string)](t, "ConnectStart"); f != nil {
		f(network, addr)
	}
}

func (t trace) connectDone(network, addr string, err error) {
	if f := hook[func(network, addr string, err error)](t, "ConnectDone"); f != nil {
		f(network, addr, err)
	}
}

func (t trace) dnsStart(host string) {
	if f := hook[func(string)](t, "DNSStart"); f != nil {
		f(host)
	}
}

func (t trace) dnsDone(addrs []IPAddr, err error) {
	f := hook[func(addrs []any, coalesced bool, err error)](t, "DNSDone")
	if f == nil {
		return
	}
	list := make([]any, len(addrs))
	for i, a := range addrs {
		list[i] = a
	}
	f(list, false, err)
}

// withoutConnects returns ctx for a lookup, without the hooks for connecting:
// they must not be called for the resolver's own sockets.
func withoutConnects(ctx context.Context) context.Context {
	ctx = callers(ctx)
	t := traceOf(ctx)
	if t.none() {
		return ctx
	}
	shadow := reflect.New(t.hooks.Type())
	shadow.Elem().Set(t.hooks)
	for _, name := range []string{"ConnectStart", "ConnectDone"} {
		if f := shadow.Elem().FieldByName(name); f.IsValid() {
			f.SetZero()
		}
	}
	return context.WithValue(ctx, traceKey(), shadow.Interface())
}
