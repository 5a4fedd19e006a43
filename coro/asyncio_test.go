package coro

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The tests of this file replay programs recorded on CPython, whose generators
// are the model for these. The expected lines are the recorded ones.

// python returns what Python would print for an error of a generator.
func python(err error) string {
	var r *Return[string]
	switch {
	case errors.As(err, &r):
		return fmt.Sprintf("StopIteration: %[1]s %[1]s", r.Value)
	case errors.Is(err, ErrStop):
		return "StopIteration:  None"
	case errors.Is(err, ErrNotStarted):
		return "TypeError: can't send non-None value to a just-started generator "
	case errors.Is(err, ErrRunning):
		return "ValueError: generator already executing"
	}
	return err.Error()
}

func compareLines(t *testing.T, got []string, want string) {
	t.Helper()
	lines := strings.Split(strings.Trim(want, "\n"), "\n")
	for i := range max(len(got), len(lines)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(lines) {
			w = lines[i]
		}
		if g != w {
			t.Errorf("line %d: %q, recorded %q", i+1, g, w)
		}
	}
}

// The protocol: next, send, throw and close in their order of life.
func TestCase70(t *testing.T) {
	noLeaks(t)
	var out []string
	print := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	// Sent values: 0 stands for None and 5 for the string 's'.
	sent := map[int]string{0: "None", 5: "s"}

	make := func() *Generator[int, int, string] {
		return New(func(y *Yielder[int, int]) (string, error) {
			defer print("fin")
			for i := 1; i <= 2; i++ {
				s, err := y.Yield(i)
				if err != nil {
					return "", err
				}
				print("got %s", sent[s])
			}
			return "ret", nil
		})
	}
	show := func(v int, err error) {
		if err != nil {
			print("%s", python(err))
		} else {
			print("-> %d", v)
		}
	}
	showClose := func(err error) {
		if err != nil {
			print("%s", python(err))
		} else {
			print("-> None")
		}
	}

	a := make()
	show(a.Send(5))
	show(a.Next())
	show(a.Send(5))
	show(a.Send(0))
	show(a.Next())
	show(a.Send(1))
	showClose(a.Close())
	b := make()
	show(b.Throw(errors.New("KeyError: 'unstarted' ")))
	show(b.Next())
	c := make()
	showClose(c.Close())
	show(c.Next())
	d := make()
	d.Next()
	showClose(d.Close())
	showClose(d.Close())
	show(d.Throw(errors.New("ValueError: after close ")))

	compareLines(t, out, `
TypeError: can't send non-None value to a just-started generator 
-> 1
got s
-> 2
got None
fin
StopIteration: ret ret
StopIteration:  None
StopIteration:  None
-> None
KeyError: 'unstarted' 
StopIteration:  None
-> None
StopIteration:  None
fin
-> None
-> None
ValueError: after close 
`)
}

// Re-entrancy: a body that drives itself gets an error and goes on.
func TestCase72(t *testing.T) {
	noLeaks(t)
	var out []string
	print := func(v any) { out = append(out, fmt.Sprint(v)) }
	title := map[bool]string{true: "True", false: "False"}

	var me *Generator[any, struct{}, struct{}]
	me = New(func(y *Yielder[any, struct{}]) (none struct{}, err error) {
		_, err = me.Next()
		print(python(err))
		print(python(me.Close()))
		y.Yield(1)
		_, err = me.Throw(errors.New("KeyError"))
		print(python(err))
		_, err = y.Yield(title[me.State() == Running])
		return none, err
	})
	for range 2 {
		v, _ := me.Next()
		print(v)
	}
	print(title[me.State() == Running])
	me.Close()

	compareLines(t, out, `
ValueError: generator already executing
ValueError: generator already executing
1
ValueError: generator already executing
True
False
`)
}
