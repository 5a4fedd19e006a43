package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain makes what others have named harmless to a terminal: characters that would move
// the cursor, change colours, hide or reorder others are printed by their number. Bytes
// that are no UTF-8 become U+FFFD: to tabwriter 0xff starts text that it takes as it is.
func plain(s string) string { return escape(s, "") }

// lines is plain for a text of several lines, such as a stack.
func lines(s string) string { return escape(s, "\n\t") }

func escape(s, allowed string) string {
	harmless := func(r rune) bool { return unicode.IsPrint(r) || strings.ContainsRune(allowed, r) }
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !harmless(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if harmless(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// shortPlace shortens a path to what tells two files apart: the folder and the name.
func shortPlace(site string) string {
	last := strings.LastIndexByte(site, '/')
	return plain(site[strings.LastIndexByte(site[:max(last, 0)], '/')+1:])
}

func (t *task) title() string {
	return plain(cmp.Or(t.Name, t.Func, "task"))
}

// doing returns what a task waits for, or what it does instead.
func (t *task) doing() string {
	if t.State == "waiting" {
		return plain(cmp.Or(t.WaitsFor, t.State))
	}
	return plain(t.State)
}

// duration prints seconds, in two digits or more.
func duration(s float64) string {
	digits := func(x float64) string {
		if x < 9.95 {
			return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
		}
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	switch {
	case s < 0:
		return "-" + duration(-s)
	case s == 0:
		return "0"
	case s < 999.5e-6:
		return digits(s*1e6) + " µs"
	case s < 0.9995:
		return digits(s*1e3) + " ms"
	case s < 99.5:
		return digits(s) + " s"
	case s < 99*60:
		return strconv.FormatFloat(s/60, 'f', 0, 64) + " min"
	case s < 48*3600:
		return digits(s/3600) + " h"
	}
	return digits(s/86400) + " d"
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 0, 64) + "%" }

// count prints a number with its thousands apart.
func count[N int | uint64 | float64](n N) string {
	s := strconv.FormatFloat(float64(n), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

func size(n uint64) string {
	x := float64(n)
	for _, unit := range []string{"B", "KB", "MB", "GB"} {
		if x < 1000 {
			return strconv.FormatFloat(x, 'g', 3, 64) + " " + unit
		}
		x /= 1000
	}
	return count(x) + " TB"
}

// head prints what there is to say of a loop before its tasks: how it fares, or that it
// stands, and where.
func (l *loop) head(w io.Writer) {
	h := l.Health
	fmt.Fprintf(w, "loop %d %s: %s, %s ready", l.ID, plain(l.Name), plural(h.Tasks, "task", "tasks"), count(h.Ready))
	if h.measured() {
		fmt.Fprintf(w, "; %s busy, lag p99 %s", percent(h.Utilization.Last), duration(h.Lag.Last.P99))
	}
	fmt.Fprintln(w)
	if l.Error != "" {
		fmt.Fprintln(w, plain(l.Error))
	}
	if l.Asked > 0 {
		fmt.Fprintf(w, "the tasks are shown as they were %s ago\n", duration(l.Asked))
	}
	if s := l.Standing; s != nil {
		fmt.Fprintf(w, "THE LOOP STANDS for %s: %s keeps its thread, here:\n", duration(s.For), s.keeper())
		for line := range strings.Lines(lines(s.Stack)) {
			fmt.Fprintln(w, "   ", strings.TrimSuffix(line, "\n"))
		}
	}
}

// keeper names what keeps the thread of a loop. A task's name has its number in it.
func (s *standing) keeper() string {
	if s.Name == "" && s.Task != 0 {
		return fmt.Sprint("task ", s.Task)
	}
	return cmp.Or(plain(s.Name), "a callback")
}

func (s *snapshot) head(w io.Writer) {
	fmt.Fprintf(w, "%s, pid %d, %s, at %s\n", plain(s.Program), s.PID, plain(s.Go), s.Time.Local().Format("15:04:05"))
	if len(s.Loops) == 0 {
		fmt.Fprintln(w, "no loop runs")
	}
}
